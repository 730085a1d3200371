//! Promises of certificate logs (RFC 6962): that a certificate was shown to the public.

use std::time::{Duration, UNIX_EPOCH};

use der::Encode as _;
use sha2::{Digest as _, Sha256};

use super::root::TrustedRoot;
use crate::certificate::Certificate;
use crate::key::Hash;

/// The most promises in a certificate.
const MAX_PROMISES: usize = 32;

/// Whether a trusted log has promised to show a certificate that one of the issuers made.
pub(super) fn is_logged(
    certificate: &Certificate,
    issuers: &[Certificate],
    root: &TrustedRoot,
) -> bool {
    check(certificate, issuers, root).unwrap_or(false)
}

fn check(certificate: &Certificate, issuers: &[Certificate], root: &TrustedRoot) -> Option<bool> {
    let list = certificate.promises()?;
    let content = certificate.before_logging()?;
    let mut list = Bytes(&list);
    let mut list = Bytes(list.long()?);
    for _ in 0..MAX_PROMISES {
        if list.0.is_empty() {
            break;
        }
        let promise = Promise::read(list.long()?)?;
        let Some(log) = root
            .certificate_logs
            .iter()
            .find(|log| log.id == promise.log)
        else {
            continue;
        };
        let time = UNIX_EPOCH + Duration::from_millis(promise.time);
        if !log.valid.holds(time) {
            continue;
        }
        let kept = issuers.iter().any(|issuer| {
            promise
                .signed(issuer, &content)
                .is_some_and(|said| log.key.fits(Hash::Sha256, &said, promise.signature))
        });
        if kept {
            return Some(true);
        }
    }
    Some(false)
}

struct Promise<'a> {
    log: &'a [u8],
    /// Milliseconds since 1970.
    time: u64,
    extensions: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Promise<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        // The first version is 0.
        (bytes.take(1)? == [0]).then_some(())?;
        let log = bytes.take(32)?;
        let time = u64::from_be_bytes(bytes.take(8)?.try_into().ok()?);
        let extensions = bytes.long()?;
        // SHA-256 is 4; the key says the rest.
        let hash = bytes.take(2)?[0];
        (hash == 4).then_some(())?;
        Some(Self {
            log,
            time,
            extensions,
            signature: bytes.long()?,
        })
    }

    /// What the log has signed, for a certificate of this issuer.
    fn signed(&self, issuer: &Certificate, content: &[u8]) -> Option<Vec<u8>> {
        let key = &issuer.parsed.tbs_certificate.subject_public_key_info;
        let key = Sha256::digest(key.to_der().ok()?);
        let length = u32::try_from(content.len())
            .ok()
            .filter(|length| *length < 1 << 24)?;
        let mut said = vec![0, 0];
        said.extend(self.time.to_be_bytes());
        // A certificate before it was issued.
        said.extend([0, 1]);
        said.extend(key);
        said.extend(&length.to_be_bytes()[1..]);
        said.extend(content);
        said.extend(u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        said.extend(self.extensions);
        Some(said)
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// What has its length before it, in two bytes.
    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.take(2)?;
        self.take(usize::from(u16::from_be_bytes([length[0], length[1]])))
    }
}
