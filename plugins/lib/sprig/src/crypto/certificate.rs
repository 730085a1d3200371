//! X.509 certificates as sprig makes them.

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use weir_gotemplate::Text;

use super::der;
use super::key::{KeyError, PrivateKey};
use super::pem;
use super::random::Generator;
use crate::text::base::B64;
use crate::time::Moment;

const OID_COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const OID_SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const OID_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const OID_ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const OID_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const OID_AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const OID_EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const OID_SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const OID_CLIENT: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

const DAY_NANOS: i64 = 24 * 3600 * 1_000_000_000;

/// A certificate and its key, both as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    pub(crate) cert: String,
    pub(crate) key: String,
}

/// Why there is no certificate, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("parsing private key: {0}")]
    PrivateKey(KeyError),
    #[error("error parsing private key: {0}")]
    SignerKey(KeyError),
    #[error("error generating rsa key: {0}")]
    Generate(KeyError),
    #[error("unable to decode certificate")]
    NoCertificate,
    #[error("error parsing certificate: {what}: x509: malformed certificate")]
    Malformed { what: &'static str },
    #[error("error creating certificate: {0}")]
    Create(String),
    #[error("unable to decode base64 certificate")]
    Base64Certificate,
    #[error("unable to decode base64 private key")]
    Base64Key,
}

/// What a certificate says.
#[derive(Debug)]
pub(crate) struct Request<'r> {
    pub(crate) common_name: &'r [u8],
    pub(crate) addresses: &'r [IpAddr],
    pub(crate) names: &'r [Vec<u8>],
    pub(crate) days: i64,
    /// Whether it may sign others.
    pub(crate) authority: bool,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Who signs.
struct Issuer {
    /// The subject of its certificate.
    name: Vec<u8>,
    public: Vec<u8>,
    key_id: Option<Vec<u8>>,
    key: PrivateKey,
}

/// The key of a new certificate: the one given, or a new one.
pub(crate) fn choose_key(
    pem: Option<&[u8]>,
    generator: &mut Generator,
) -> Result<PrivateKey, CertificateError> {
    match pem {
        Some(pem) => PrivateKey::from_pem(pem).map_err(CertificateError::PrivateKey),
        None => PrivateKey::for_certificate(generator).map_err(CertificateError::Generate),
    }
}

/// A certificate that its own key signs.
pub(crate) fn self_signed(
    request: &Request<'_>,
    key: &PrivateKey,
    generator: &mut Generator,
) -> Result<Certificate, CertificateError> {
    create(request, key, None, generator)
}

/// A certificate that the key of another one signs.
pub(crate) fn signed(
    request: &Request<'_>,
    key: &PrivateKey,
    authority: &Certificate,
    generator: &mut Generator,
) -> Result<Certificate, CertificateError> {
    let block = pem::decode(authority.cert.as_bytes()).ok_or(CertificateError::NoCertificate)?;
    let malformed = CertificateError::Malformed {
        what: "decodedSignerCert.Bytes",
    };
    let parsed = parse(&block.bytes).ok_or(malformed)?;
    let signer =
        PrivateKey::from_pem(authority.key.as_bytes()).map_err(CertificateError::SignerKey)?;
    let issuer = Issuer {
        name: parsed.subject.to_vec(),
        public: parsed.public.to_vec(),
        key_id: parsed.key_id.map(<[u8]>::to_vec),
        key: signer,
    };
    create(request, key, Some(&issuer), generator)
}

/// Checks a certificate and a key that were given in base 64.
pub(crate) fn custom(cert: &[u8], key: &[u8]) -> Result<(Vec<u8>, Vec<u8>), CertificateError> {
    let cert = B64
        .decode(cert)
        .map_err(|_| CertificateError::Base64Certificate)?;
    let key = B64.decode(key).map_err(|_| CertificateError::Base64Key)?;
    let block = pem::decode(&cert).ok_or(CertificateError::NoCertificate)?;
    let malformed = CertificateError::Malformed {
        what: "decodedCert.Bytes",
    };
    parse(&block.bytes).ok_or(malformed)?;
    PrivateKey::from_pem(&key).map_err(CertificateError::SignerKey)?;
    Ok((cert, key))
}

fn create(
    request: &Request<'_>,
    key: &PrivateKey,
    issuer: Option<&Issuer>,
    generator: &mut Generator,
) -> Result<Certificate, CertificateError> {
    let fail = |message: &str| CertificateError::Create(message.to_owned());
    let serial: [u8; 16] = generator.fill();
    let public = key
        .public()
        .ok_or_else(|| fail("x509: unsupported public key type: *dsa.PublicKey"))?;
    let signer = issuer.map_or(key, |issuer| &issuer.key);
    let algorithm = signer
        .signature_algorithm()
        .ok_or_else(|| fail("x509: certificate private key does not implement crypto.Signer"))?;
    if let Some(issuer) = issuer
        && signer
            .public()
            .is_none_or(|public| public.info != issuer.public)
    {
        return Err(fail(
            "x509: provided PrivateKey doesn't match parent's PublicKey",
        ));
    }
    let subject = name(request.common_name).ok_or_else(|| fail("asn1: string not valid UTF-8"))?;
    let issuer_name = issuer.map_or(&subject, |issuer| &issuer.name);
    let own_id = request
        .authority
        .then(|| Sha256::digest(&public.bits)[..20].to_vec());
    let issuer_id = issuer
        .and_then(|issuer| issuer.key_id.clone())
        .filter(|_| *issuer_name != subject);

    // Go multiplies without a look at the size.
    let end = Moment::utc(request.now).plus(DAY_NANOS.wrapping_mul(request.days));
    let times = [time(request.now), time(end.seconds)];
    let [Some(begin), Some(end)] = times else {
        return Err(fail(
            "asn1: structure error: cannot represent time as GeneralizedTime",
        ));
    };
    let extensions = extensions(request, subject.len() == 2, own_id, issuer_id)?;
    let body = der::sequence(&[
        &der::element(0xa0, &der::integer(&[2])),
        &der::integer(&serial),
        &algorithm,
        issuer_name,
        &der::sequence(&[&begin, &end]),
        &subject,
        &public.info,
        &der::element(0xa3, &der::element(der::SEQUENCE, &extensions)),
    ]);
    let signature = signer
        .sign(&body)
        .ok_or_else(|| fail("crypto/rsa: message too long for RSA key size"))?;
    let whole = der::sequence(&[&body, &algorithm, &der::bits(&signature)]);
    Ok(Certificate {
        cert: pem::encode("CERTIFICATE", &whole),
        key: key.to_pem().ok_or_else(|| fail("x509: unsupported key"))?,
    })
}

/// A name that has only a common name, or nothing. None if it is no UTF-8.
fn name(common_name: &[u8]) -> Option<Vec<u8>> {
    if common_name.is_empty() {
        return Some(der::sequence(&[]));
    }
    std::str::from_utf8(common_name).ok()?;
    let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte);
    let tag = if common_name.iter().all(printable) {
        der::PRINTABLE
    } else {
        der::UTF8
    };
    let attribute = der::sequence(&[
        &der::element(der::OID, OID_COMMON_NAME),
        &der::element(tag, common_name),
    ]);
    Some(der::sequence(&[&der::element(der::SET, &attribute)]))
}

/// A moment; none if its year has not four digits.
fn time(seconds: i64) -> Option<Vec<u8>> {
    let civil = Moment::utc(seconds).civil();
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        civil.month, civil.day, civil.hour, civil.minute, civil.second
    );
    match civil.year {
        1950..2050 => Some(der::element(
            der::UTC_TIME,
            format!("{:02}{rest}", civil.year % 100).as_bytes(),
        )),
        0..10_000 => Some(der::element(
            der::GENERALIZED_TIME,
            format!("{:04}{rest}", civil.year).as_bytes(),
        )),
        _ => None,
    }
}

fn extensions(
    request: &Request<'_>,
    no_subject: bool,
    own_id: Option<Vec<u8>>,
    issuer_id: Option<Vec<u8>>,
) -> Result<Vec<u8>, CertificateError> {
    let mut out = Vec::new();
    // Digital signatures and encipherment of keys; an authority also signs certificates.
    let (unused, usage) = if request.authority {
        (2, 0xa4)
    } else {
        (5, 0xa0)
    };
    out.extend(extension(
        OID_KEY_USAGE,
        true,
        &der::element(der::BIT_STRING, &[unused, usage]),
    ));
    let purposes = [
        der::element(der::OID, OID_SERVER),
        der::element(der::OID, OID_CLIENT),
    ];
    out.extend(extension(
        OID_EXTENDED_USAGE,
        false,
        &der::sequence(&[&purposes[0], &purposes[1]]),
    ));
    let authority: &[u8] = if request.authority {
        &[der::BOOLEAN, 1, 0xff]
    } else {
        &[]
    };
    out.extend(extension(
        OID_CONSTRAINTS,
        true,
        &der::sequence(&[authority]),
    ));
    if let Some(id) = own_id {
        out.extend(extension(
            OID_SUBJECT_KEY,
            false,
            &der::element(der::OCTET_STRING, &id),
        ));
    }
    if let Some(id) = issuer_id {
        out.extend(extension(
            OID_AUTHORITY_KEY,
            false,
            &der::sequence(&[&der::element(0x80, &id)]),
        ));
    }
    let mut names = Vec::new();
    for name in request.names {
        if !name.is_ascii() {
            let name = weir_gotemplate::quote(Text::from_bytes(name));
            return Err(CertificateError::Create(format!(
                "x509: {name} cannot be encoded as an IA5String"
            )));
        }
        names.extend(der::element(0x82, name));
    }
    for address in request.addresses {
        names.extend(match address.to_canonical() {
            IpAddr::V4(address) => der::element(0x87, &address.octets()),
            IpAddr::V6(address) => der::element(0x87, &address.octets()),
        });
    }
    if !names.is_empty() {
        out.extend(extension(
            OID_ALTERNATIVE_NAMES,
            no_subject,
            &der::element(der::SEQUENCE, &names),
        ));
    }
    Ok(out)
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical {
        &[der::BOOLEAN, 1, 0xff]
    } else {
        &[]
    };
    der::sequence(&[
        &der::element(der::OID, oid),
        critical,
        &der::element(der::OCTET_STRING, value),
    ])
}

/// The parts of a certificate that matter when it signs another one.
struct Parsed<'d> {
    subject: &'d [u8],
    public: &'d [u8],
    key_id: Option<&'d [u8]>,
}

fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
    let mut outer = der::Reader::new(bytes);
    let whole = outer.expect(der::SEQUENCE)?.content;
    let mut whole_reader = der::Reader::new(whole);
    let mut body = der::Reader::new(whole_reader.expect(der::SEQUENCE)?.content);
    whole_reader.expect(der::SEQUENCE)?;
    whole_reader.expect(der::BIT_STRING)?;
    if !outer.is_empty() || !whole_reader.is_empty() {
        return None;
    }
    body.expect(0xa0);
    body.expect(der::INTEGER)?;
    body.expect(der::SEQUENCE)?;
    body.expect(der::SEQUENCE)?;
    body.expect(der::SEQUENCE)?;
    let subject = body.expect(der::SEQUENCE)?.whole;
    let public = body.expect(der::SEQUENCE)?.whole;
    let mut key_id = None;
    while let Some(part) = body.next() {
        if part.tag == 0xa3 {
            key_id = find_key_id(part.content)?;
        }
    }
    body.is_empty().then_some(Parsed {
        subject,
        public,
        key_id,
    })
}

/// The id of the key among extensions; the outer option is none if they are malformed.
fn find_key_id(extensions: &[u8]) -> Option<Option<&[u8]>> {
    let mut list = der::Reader::new(der::Reader::new(extensions).expect(der::SEQUENCE)?.content);
    while !list.is_empty() {
        let mut extension = der::Reader::new(list.expect(der::SEQUENCE)?.content);
        let oid = extension.expect(der::OID)?.content;
        extension.expect(der::BOOLEAN);
        let value = extension.expect(der::OCTET_STRING)?.content;
        if oid == OID_SUBJECT_KEY {
            return Some(Some(
                der::Reader::new(value).expect(der::OCTET_STRING)?.content,
            ));
        }
    }
    Some(None)
}
