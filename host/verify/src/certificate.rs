//! X.509 certificates: whose they are, what they are for, and who issued them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use const_oid::ObjectIdentifier;
use der::asn1::{OctetString, Utf8StringRef};
use der::{Decode as _, Encode as _, Tagged as _};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate as Parsed;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

use crate::key::{Hash, KeyError, PublicKey};

const KEY_USAGE_EXTENDED: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// A user's name at an issuer that has no address, as Fulcio writes it.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
/// The same as bare text, in older certificates.
const ISSUER_OLD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
/// Promises of certificate logs.
pub(crate) const LOGGED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");

const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    CodeSigning,
    TimeStamping,
}

impl Usage {
    /// The identifier in DER, without its tag.
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::CodeSigning => &[0x2b, 6, 1, 5, 5, 7, 3, 3],
            Self::TimeStamping => &[0x2b, 6, 1, 5, 5, 7, 3, 8],
        }
    }
}

/// A certificate, in DER and taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) parsed: Parsed,
    pub(crate) key: PublicKey,
}

/// Why a certificate counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("the certificate is damaged")]
    Damaged,
    #[error("the certificate's key: {0}")]
    Key(#[from] KeyError),
    #[error("the certificate of {subject} leads to no trusted authority: {reason}")]
    Path { subject: String, reason: String },
    #[error("the certificate of {subject} is not made for {usage}")]
    Usage {
        subject: String,
        usage: &'static str,
    },
}

impl Certificate {
    /// Takes a certificate apart.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        let parsed = Parsed::from_der(bytes).map_err(|_| CertificateError::Damaged)?;
        let info = parsed.tbs_certificate.subject_public_key_info.to_der();
        let key = PublicKey::from_info(&info.map_err(|_| CertificateError::Damaged)?)?;
        Ok(Self {
            der: bytes.to_vec(),
            parsed,
            key,
        })
    }

    /// Its key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(crate) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let extensions = self.parsed.tbs_certificate.extensions.as_ref()?;
        let found = extensions.iter().find(|one| one.extn_id == id)?;
        Some(found.extn_value.as_bytes())
    }

    /// Whose it is: the first of its alternative names, as sigstore's tools show it.
    pub fn identity(&self) -> Option<String> {
        let names = SubjectAltName::from_der(self.extension(ALTERNATIVE_NAME)?).ok()?;
        names.0.iter().find_map(|name| match name {
            GeneralName::Rfc822Name(text) => Some(text.to_string()),
            GeneralName::UniformResourceIdentifier(text) => Some(text.to_string()),
            GeneralName::OtherName(other) if other.type_id == OTHER_NAME => {
                let text = other.value.decode_as::<Utf8StringRef<'_>>().ok()?;
                Some(text.as_str().to_owned())
            }
            GeneralName::OtherName(_)
            | GeneralName::DnsName(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EdiPartyName(_)
            | GeneralName::IpAddress(_)
            | GeneralName::RegisteredId(_) => None,
        })
    }

    /// Who said whose it is: the address of the OpenID issuer.
    pub fn issuer(&self) -> Option<String> {
        if let Some(value) = self.extension(ISSUER) {
            return text(der::AnyRef::from_der(value).ok()?);
        }
        let old = self.extension(ISSUER_OLD)?;
        String::from_utf8(old.to_vec()).ok()
    }

    /// From and until when it is good.
    pub(crate) fn validity(&self) -> (SystemTime, SystemTime) {
        let validity = &self.parsed.tbs_certificate.validity;
        (
            validity.not_before.to_system_time(),
            validity.not_after.to_system_time(),
        )
    }

    pub(crate) fn good_at(&self, time: SystemTime) -> bool {
        let (from, until) = self.validity();
        from <= time && time <= until
    }

    /// The parts of its subject by their short names.
    pub(crate) fn names(&self) -> BTreeMap<String, String> {
        let parts = self.parsed.tbs_certificate.subject.0.iter();
        let parts = parts.flat_map(|part| part.0.iter());
        let named = parts.filter_map(|part| {
            let name = short_name(&part.oid.to_string())?;
            let text = text(der::AnyRef::from(&part.value))?;
            Some((name.to_owned(), text))
        });
        named.collect()
    }

    /// The subject as people write it.
    pub(crate) fn subject(&self) -> String {
        let subject = self.parsed.tbs_certificate.subject.to_string();
        match subject.is_empty() {
            true => self.identity().unwrap_or_else(|| "nobody".to_owned()),
            false => subject,
        }
    }

    /// What its bytes were before the logs' promises were put in.
    pub(crate) fn before_logging(&self) -> Option<Vec<u8>> {
        let mut content = self.parsed.tbs_certificate.clone();
        let extensions = content.extensions.as_mut()?;
        extensions.retain(|one| one.extn_id != LOGGED);
        content.to_der().ok()
    }

    /// The promises of certificate logs that stand in it.
    pub(crate) fn promises(&self) -> Option<Vec<u8>> {
        let list = OctetString::from_der(self.extension(LOGGED)?).ok()?;
        Some(list.into_bytes())
    }

    /// Whether it leads to one of the anchors, at a time and for a use. One for time stamps has to say that it is.
    pub(crate) fn check(
        &self,
        anchors: &[Certificate],
        between: &[Certificate],
        time: SystemTime,
        usage: Usage,
    ) -> Result<(), CertificateError> {
        if usage == Usage::TimeStamping && !self.is_for(usage) {
            return Err(CertificateError::Usage {
                subject: self.subject(),
                usage: "time stamps",
            });
        }
        let path = |reason: String| CertificateError::Path {
            subject: self.subject(),
            reason,
        };
        let own = CertificateDer::from(self.der.as_slice());
        let own = EndEntityCert::try_from(&own).map_err(|error| path(error.to_string()))?;
        let anchors: Vec<CertificateDer<'_>> = anchors.iter().map(Certificate::der).collect();
        let anchors: Vec<_> = anchors
            .iter()
            .filter_map(|anchor| anchor_from_trusted_cert(anchor).ok())
            .collect();
        let between: Vec<CertificateDer<'_>> = between.iter().map(Certificate::der).collect();
        let time = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        own.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            UnixTime::since_unix_epoch(time),
            KeyUsage::required_if_present(usage.bytes()),
            None,
            None,
        )
        .map(|_| ())
        .map_err(|error| path(error.to_string()))
    }

    /// Whether its signature is by its own key.
    pub(crate) fn is_self_signed(&self) -> bool {
        let (own, said) = (&self.parsed, self.parsed.tbs_certificate.to_der());
        let hash = match own.signature_algorithm.oid {
            RSA_SHA256 | ECDSA_SHA256 => Hash::Sha256,
            RSA_SHA384 | ECDSA_SHA384 => Hash::Sha384,
            RSA_SHA512 | ECDSA_SHA512 => Hash::Sha512,
            _ => return false,
        };
        let same = own.tbs_certificate.issuer == own.tbs_certificate.subject;
        let signature = own.signature.as_bytes().unwrap_or_default();
        same && said.is_ok_and(|said| self.key.fits(hash, &said, signature))
    }

    fn is_for(&self, usage: Usage) -> bool {
        let uses = self
            .extension(KEY_USAGE_EXTENDED)
            .and_then(|value| ExtendedKeyUsage::from_der(value).ok());
        uses.is_some_and(|uses| uses.0.iter().any(|one| one.as_bytes() == usage.bytes()))
    }

    fn der(&self) -> CertificateDer<'_> {
        CertificateDer::from(self.der.as_slice())
    }
}

/// A value that is a text.
fn text(value: der::AnyRef<'_>) -> Option<String> {
    let tag = value.tag();
    let texts = [
        der::Tag::Utf8String,
        der::Tag::PrintableString,
        der::Tag::Ia5String,
    ];
    let text = std::str::from_utf8(value.value()).ok()?;
    texts.contains(&tag).then(|| text.to_owned())
}

/// What a part of a name is called in texts.
fn short_name(id: &str) -> Option<&'static str> {
    Some(match id {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "SERIALNUMBER",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.17" => "POSTALCODE",
        _ => return None,
    })
}
