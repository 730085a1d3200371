//! Signatures as JSON (RFC 7515).

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Algorithm, Envelope, Scheme, chain, critical};
use crate::key::Hash;
use crate::notation::NotationError;

#[derive(Deserialize)]
struct File {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    x5c: Vec<String>,
    #[serde(rename = "io.cncf.notary.timestampSignature")]
    stamp: Option<String>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    #[serde(default)]
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.authenticSigningTime")]
    time: Option<jiff::Timestamp>,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<jiff::Timestamp>,
    #[serde(rename = "io.cncf.notary.verificationPlugin")]
    plugin: Option<String>,
}

pub(super) fn read(content: &[u8]) -> Result<Envelope, NotationError> {
    let file: File =
        serde_json::from_slice(content).map_err(|_| NotationError::Damaged("it is no JSON"))?;
    let bytes = |text: &str| {
        let read = URL_SAFE_NO_PAD.decode(text);
        read.map_err(|_| NotationError::Damaged("a part is no base64"))
    };
    let protected: Protected = serde_json::from_slice(&bytes(&file.protected)?)
        .map_err(|_| NotationError::Damaged("its protected part is not notation's"))?;
    for name in &protected.crit {
        critical(name)?;
    }
    if let Some(plugin) = protected.plugin {
        return Err(NotationError::Critical(plugin));
    }
    let standard = |text: &String| {
        let read = STANDARD.decode(text);
        read.map_err(|_| NotationError::Damaged("a certificate is no base64"))
    };
    let certificates = file.header.x5c.iter().map(standard);
    Ok(Envelope {
        content_type: protected.cty,
        payload: bytes(&file.payload)?,
        signature: bytes(&file.signature)?,
        chain: chain(certificates.collect::<Result<_, _>>()?)?,
        scheme: Scheme::named(&protected.scheme)
            .ok_or(NotationError::Damaged("its scheme is unknown"))?,
        time: protected.time.map(SystemTime::from),
        expiry: protected.expiry.map(SystemTime::from),
        stamp: file.header.stamp.as_ref().map(standard).transpose()?,
        said: format!("{}.{}", file.protected, file.payload).into_bytes(),
        algorithm: algorithm(&protected.alg)
            .ok_or(NotationError::Damaged("its algorithm is unknown"))?,
    })
}

fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "PS256" => Some(Algorithm::Pss(Hash::Sha256)),
        "PS384" => Some(Algorithm::Pss(Hash::Sha384)),
        "PS512" => Some(Algorithm::Pss(Hash::Sha512)),
        "ES256" => Some(Algorithm::Curve(Hash::Sha256)),
        "ES384" => Some(Algorithm::Curve(Hash::Sha384)),
        "ES512" => Some(Algorithm::Curve(Hash::Sha512)),
        _ => None,
    }
}
