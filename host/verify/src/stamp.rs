//! Time stamps (RFC 3161): a clock's signed word that it saw a signature.

use std::time::SystemTime;

use cms::attr::MessageDigest;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use const_oid::ObjectIdentifier;
use der::asn1::{GeneralizedTime, Int, OctetString};
use der::{AnyRef, Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::certificate::{Certificate, Usage};
use crate::key::{Hash, Kind};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TIME_STAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// The most certificates in a stamp.
const MAX_CERTIFICATES: usize = 16;

/// Clocks by the authority that their certificates are issued by.
#[derive(Debug)]
pub(crate) struct Clocks<'a> {
    pub(crate) anchors: &'a [Certificate],
    pub(crate) between: &'a [Certificate],
}

/// Why a stamp counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time stamp {0}")]
pub struct StampError(&'static str);

/// When one of the clocks saw the signature. Whether it was trusted by then, `trusted` says.
pub(crate) fn check<'a>(
    stamp: &[u8],
    signature: &[u8],
    trusted: impl Fn(SystemTime) -> Vec<Clocks<'a>>,
) -> Result<SystemTime, StampError> {
    let token = Token::read(stamp).ok_or(StampError("is damaged"))?;
    let info = Info::read(&token.content).ok_or(StampError("says no time"))?;
    if digest(info.hash, signature) != info.imprint {
        return Err(StampError("is for something else"));
    }
    for clock in trusted(info.time) {
        let known = token
            .certificates
            .iter()
            .chain(clock.between)
            .chain(clock.anchors);
        let Some(own) = known.clone().find(|one| token.is_by(one)) else {
            continue;
        };
        let between: Vec<Certificate> = known.cloned().collect();
        let path = own.check(clock.anchors, &between, info.time, Usage::TimeStamping);
        if path.is_ok() && token.fits(own) {
            return Ok(info.time);
        }
    }
    Err(StampError("is signed by no trusted clock"))
}

/// A signed message with a time in it.
struct Token {
    content: Vec<u8>,
    certificates: Vec<Certificate>,
    signer: SignerInfo,
}

impl Token {
    fn read(stamp: &[u8]) -> Option<Self> {
        // The answer of a clock has a status before the message.
        let message = answered(stamp).unwrap_or_else(|| stamp.to_vec());
        let message = ContentInfo::from_der(&message).ok()?;
        (message.content_type == SIGNED_DATA).then_some(())?;
        let data: SignedData = message.content.decode_as().ok()?;
        (data.encap_content_info.econtent_type == TIME_STAMP).then_some(())?;
        let content = data.encap_content_info.econtent?;
        let content = content.decode_as::<OctetString>().ok()?.into_bytes();
        let certificates = data.certificates.map(|set| set.0.into_vec());
        let certificates = certificates.unwrap_or_default();
        let certificates = certificates.iter().take(MAX_CERTIFICATES);
        let certificates = certificates.filter_map(|choice| match choice {
            CertificateChoices::Certificate(one) => Certificate::from_der(&one.to_der().ok()?).ok(),
            CertificateChoices::Other(_) => None,
        });
        let [signer] = data.signer_infos.0.as_slice() else {
            return None;
        };
        Some(Self {
            content,
            certificates: certificates.collect(),
            signer: signer.clone(),
        })
    }

    fn is_by(&self, certificate: &Certificate) -> bool {
        let own = &certificate.parsed.tbs_certificate;
        match &self.signer.sid {
            SignerIdentifier::IssuerAndSerialNumber(who) => {
                who.issuer == own.issuer && who.serial_number == own.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(_) => false,
        }
    }

    fn fits(&self, certificate: &Certificate) -> bool {
        self.signed(certificate).unwrap_or(false)
    }

    fn signed(&self, certificate: &Certificate) -> Option<bool> {
        let hash = named(self.signer.digest_alg.oid)?;
        let attributes = self.signer.signed_attrs.as_ref()?;
        let mut digests = attributes.iter().filter(|one| one.oid == MESSAGE_DIGEST);
        let found = digests.next()?.values.as_slice().first()?;
        let found: MessageDigest = found.decode_as().ok()?;
        if found.as_bytes() != digest(hash, &self.content) {
            return Some(false);
        }
        let said = attributes.to_der().ok()?;
        let signature = self.signer.signature.as_bytes();
        // A key of NIST's curves may be used with another digest than the content's.
        let hashes = match certificate.key().kind() {
            Kind::Rsa | Kind::Ed25519 => vec![hash],
            Kind::P256 | Kind::P384 | Kind::P521 => {
                vec![hash, Hash::Sha256, Hash::Sha384, Hash::Sha512]
            }
        };
        Some(
            hashes
                .into_iter()
                .any(|hash| certificate.key().fits(hash, &said, signature)),
        )
    }
}

/// The message in the answer of a clock.
fn answered(stamp: &[u8]) -> Option<Vec<u8>> {
    let outer = AnyRef::from_der(stamp).ok()?;
    (outer.tag() == Tag::Sequence).then_some(())?;
    let mut parts = SliceReader::new(outer.value()).ok()?;
    let status: AnyRef<'_> = parts.decode().ok()?;
    (status.tag() == Tag::Sequence).then_some(())?;
    let message: AnyRef<'_> = parts.decode().ok()?;
    message.to_der().ok()
}

/// What a clock says.
struct Info {
    hash: Hash,
    imprint: Vec<u8>,
    time: SystemTime,
}

impl Info {
    fn read(content: &[u8]) -> Option<Self> {
        let outer = AnyRef::from_der(content).ok()?;
        let mut parts = SliceReader::new(outer.value()).ok()?;
        let _version: Int = parts.decode().ok()?;
        let _policy: AnyRef<'_> = parts.decode().ok()?;
        let imprint: AnyRef<'_> = parts.decode().ok()?;
        let _serial: Int = parts.decode().ok()?;
        let time: AnyRef<'_> = parts.decode().ok()?;
        let mut imprint = SliceReader::new(imprint.value()).ok()?;
        let algorithm: spki::AlgorithmIdentifierRef<'_> = imprint.decode().ok()?;
        let value: OctetString = imprint.decode().ok()?;
        Some(Self {
            hash: named(algorithm.oid)?,
            imprint: value.into_bytes(),
            time: moment(&time)?,
        })
    }
}

/// A time that may have parts of a second, which are cut off.
fn moment(value: &AnyRef<'_>) -> Option<SystemTime> {
    (value.tag() == Tag::GeneralizedTime).then_some(())?;
    let text = std::str::from_utf8(value.value()).ok()?;
    let whole = text.split('.').next()?.trim_end_matches('Z');
    let whole = format!("{whole}Z");
    let tagged = AnyRef::new(Tag::GeneralizedTime, whole.as_bytes()).ok()?;
    let time: GeneralizedTime = tagged.decode_as().ok()?;
    Some(time.to_system_time())
}

fn named(hash: ObjectIdentifier) -> Option<Hash> {
    match hash {
        SHA256 => Some(Hash::Sha256),
        SHA384 => Some(Hash::Sha384),
        SHA512 => Some(Hash::Sha512),
        _ => None,
    }
}

fn digest(hash: Hash, content: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha256 => Sha256::digest(content).to_vec(),
        Hash::Sha384 => Sha384::digest(content).to_vec(),
        Hash::Sha512 => Sha512::digest(content).to_vec(),
    }
}
