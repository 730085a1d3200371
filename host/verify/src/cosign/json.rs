//! Protocol buffers as JSON: bytes in base64, long numbers as texts.

use base64::Engine as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::certificate::{Certificate, CertificateError};

/// The most certificates of a chain.
const MAX_CHAIN: usize = 16;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Base64(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text);
        bytes
            .map(Self)
            .map_err(|error| D::Error::custom(format!("it is no base64: {error}")))
    }
}

/// A long number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Long(pub(super) u64);

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(from)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text
                .parse()
                .map(Self)
                .map_err(|_| D::Error::custom(format!("{text:?} is no number"))),
        }
    }
}

/// A field that is not there, or null, is empty.
pub(super) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The name of a log.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyId {
    pub(super) key_id: Base64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Raw {
    pub(super) raw_bytes: Base64,
}

/// Certificates, each issued by the next.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Chain {
    #[serde(default, deserialize_with = "or_default")]
    certificates: Vec<Raw>,
}

impl Chain {
    pub(super) fn read(&self) -> Result<Vec<Certificate>, CertificateError> {
        if self.certificates.len() > MAX_CHAIN {
            return Err(CertificateError::Damaged);
        }
        let read = self.certificates.iter();
        read.map(|one| Certificate::from_der(&one.raw_bytes.0))
            .collect()
    }
}
