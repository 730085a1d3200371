//! Whom keyless signatures are trusted by: the `trusted_root.json` of an instance of sigstore.

use std::time::SystemTime;

use serde::Deserialize;

use super::{CosignError, json};
use crate::certificate::Certificate;
use crate::key::PublicKey;

/// The authorities and logs of an instance.
#[derive(Clone, Debug)]
pub struct TrustedRoot {
    /// Who says whose a certificate is.
    pub(super) authorities: Vec<Authority>,
    /// Who says what time it was.
    pub(super) clocks: Vec<Authority>,
    /// Where signatures are written down.
    pub(super) logs: Vec<Log>,
    /// Where certificates are written down.
    pub(super) certificate_logs: Vec<Log>,
}

/// A chain of certificates that others are issued by.
#[derive(Clone, Debug)]
pub(super) struct Authority {
    pub(super) anchors: Vec<Certificate>,
    pub(super) between: Vec<Certificate>,
    pub(super) valid: Span,
}

/// A log by its key.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    pub(super) host: String,
    pub(super) key: PublicKey,
    pub(super) valid: Span,
}

/// From and until when something is trusted; without an end, for good.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: Option<SystemTime>,
    end: Option<SystemTime>,
}

impl Span {
    pub(super) fn holds(self, time: SystemTime) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time <= end)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default, deserialize_with = "super::json::or_default")]
    media_type: String,
    #[serde(default, deserialize_with = "super::json::or_default")]
    tlogs: Vec<FileLog>,
    #[serde(default, deserialize_with = "super::json::or_default")]
    certificate_authorities: Vec<FileAuthority>,
    #[serde(default, deserialize_with = "super::json::or_default")]
    ctlogs: Vec<FileLog>,
    #[serde(default, deserialize_with = "super::json::or_default")]
    timestamp_authorities: Vec<FileAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileLog {
    #[serde(default, deserialize_with = "super::json::or_default")]
    base_url: String,
    public_key: FileKey,
    log_id: json::KeyId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileKey {
    raw_bytes: json::Base64,
    #[serde(default, deserialize_with = "super::json::or_default")]
    valid_for: FileSpan,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileAuthority {
    cert_chain: json::Chain,
    #[serde(default, deserialize_with = "super::json::or_default")]
    valid_for: FileSpan,
}

#[derive(Default, Deserialize)]
struct FileSpan {
    start: Option<jiff::Timestamp>,
    end: Option<jiff::Timestamp>,
}

impl FileSpan {
    fn span(&self) -> Span {
        Span {
            start: self.start.map(SystemTime::from),
            end: self.end.map(SystemTime::from),
        }
    }
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    pub fn parse(content: &[u8]) -> Result<Self, CosignError> {
        let failed = |reason: String| CosignError::Root(reason);
        let file: File =
            serde_json::from_slice(content).map_err(|error| failed(error.to_string()))?;
        if !file
            .media_type
            .starts_with("application/vnd.dev.sigstore.trustedroot")
        {
            return Err(failed(format!(
                "its mediaType is {:?}, which is no trusted root",
                file.media_type
            )));
        }
        let logs = |logs: Vec<FileLog>| -> Result<Vec<Log>, CosignError> {
            let read = logs.into_iter().map(FileLog::log);
            read.collect::<Result<_, _>>().map_err(failed)
        };
        let authorities = |list: Vec<FileAuthority>| -> Result<Vec<Authority>, CosignError> {
            let read = list.into_iter().map(FileAuthority::authority);
            read.collect::<Result<_, _>>().map_err(failed)
        };
        Ok(Self {
            authorities: authorities(file.certificate_authorities)?,
            clocks: authorities(file.timestamp_authorities)?,
            logs: logs(file.tlogs)?,
            certificate_logs: logs(file.ctlogs)?,
        })
    }
}

impl FileLog {
    fn log(self) -> Result<Log, String> {
        let key = PublicKey::from_info(&self.public_key.raw_bytes.0)
            .map_err(|error| format!("the log {}: {error}", self.base_url))?;
        // `https://HOST[:PORT]/PATH`
        let host = self.base_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        Ok(Log {
            id: self.log_id.key_id.0,
            host: host.to_owned(),
            key,
            valid: self.public_key.valid_for.span(),
        })
    }
}

impl FileAuthority {
    /// The last certificate of the chain is the one that is trusted.
    fn authority(self) -> Result<Authority, String> {
        let mut between = self.cert_chain.read().map_err(|error| error.to_string())?;
        let anchor = between.pop().ok_or("an authority has no certificate")?;
        Ok(Authority {
            anchors: vec![anchor],
            between,
            valid: self.valid_for.span(),
        })
    }
}
