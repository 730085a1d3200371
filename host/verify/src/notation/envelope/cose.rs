//! Signatures as CBOR (RFC 9052): `COSE_Sign1`.

use super::cbor::{Value, write_bytes};
use super::{Algorithm, Envelope, Scheme, chain, critical};
use crate::key::Hash;
use crate::notation::{NotationError, at};

/// Labels of headers that have no name.
const ALGORITHM: i64 = 1;
const CRITICAL: i64 = 2;
const CONTENT_TYPE: i64 = 3;
const CHAIN: i64 = 33;

pub(super) fn read(content: &[u8]) -> Result<Envelope, NotationError> {
    let value = Value::read(content).ok_or(NotationError::Damaged("it is no CBOR"))?;
    let damaged = |what| NotationError::Damaged(what);
    let Value::Tagged(18, message) = value else {
        return Err(damaged("it is no signature"));
    };
    let Value::List(parts) = *message else {
        return Err(damaged("it is no signature"));
    };
    let [
        Value::Bytes(protected),
        Value::Map(open),
        Value::Bytes(payload),
        Value::Bytes(signature),
    ] = parts.as_slice()
    else {
        return Err(damaged("it has not four parts"));
    };
    let Some(Value::Map(headers)) = Value::read(protected) else {
        return Err(damaged("its protected part is no map"));
    };
    let headers = Headers(headers);
    headers.critical()?;
    let content_type = headers.numbered(CONTENT_TYPE).and_then(Value::text);
    let scheme = headers.named("io.cncf.notary.signingScheme");
    let scheme = scheme.and_then(Value::text).and_then(Scheme::named);
    let algorithm = headers.numbered(ALGORITHM).and_then(Value::number);
    let open = Headers(open.clone());
    let certificates = match open.numbered(CHAIN) {
        Some(Value::Bytes(one)) => vec![one.clone()],
        Some(Value::List(list)) => {
            let bytes = list.iter().filter_map(Value::bytes);
            bytes.map(<[u8]>::to_vec).collect()
        }
        _ => Vec::new(),
    };
    let time = |name| headers.named(name).and_then(Value::moment).map(at);
    let stamp = open.named("io.cncf.notary.timestampSignature");
    Ok(Envelope {
        content_type: content_type.ok_or(damaged("it has no type"))?.to_owned(),
        payload: payload.clone(),
        signature: signature.clone(),
        chain: chain(certificates)?,
        scheme: scheme.ok_or(damaged("its scheme is unknown"))?,
        time: time("io.cncf.notary.authenticSigningTime"),
        expiry: time("io.cncf.notary.expiry"),
        stamp: stamp.and_then(Value::bytes).map(<[u8]>::to_vec),
        said: said(protected, payload),
        algorithm: algorithm
            .and_then(named)
            .ok_or(damaged("its algorithm is unknown"))?,
    })
}

/// What is signed: a list of a word, the protected part, nothing, and the payload.
fn said(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut said = b"\x84\x6aSignature1".to_vec();
    write_bytes(&mut said, protected);
    write_bytes(&mut said, b"");
    write_bytes(&mut said, payload);
    said
}

fn named(number: i64) -> Option<Algorithm> {
    match number {
        -37 => Some(Algorithm::Pss(Hash::Sha256)),
        -38 => Some(Algorithm::Pss(Hash::Sha384)),
        -39 => Some(Algorithm::Pss(Hash::Sha512)),
        -7 => Some(Algorithm::Curve(Hash::Sha256)),
        -35 => Some(Algorithm::Curve(Hash::Sha384)),
        -36 => Some(Algorithm::Curve(Hash::Sha512)),
        _ => None,
    }
}

/// By number or name.
struct Headers(Vec<(Value, Value)>);

impl Headers {
    fn numbered(&self, number: i64) -> Option<&Value> {
        let found = self
            .0
            .iter()
            .find(|(name, _)| name.number() == Some(number));
        found.map(|(_, value)| value)
    }

    fn named(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(key, _)| key.text() == Some(name));
        found.map(|(_, value)| value)
    }

    fn critical(&self) -> Result<(), NotationError> {
        if let Some(Value::List(names)) = self.numbered(CRITICAL) {
            for name in names {
                match (name.number(), name.text()) {
                    (Some(ALGORITHM | CRITICAL | CONTENT_TYPE), _) => {}
                    (_, Some(name)) => critical(name)?,
                    (number, None) => {
                        return Err(NotationError::Critical(format!("header {number:?}")));
                    }
                }
            }
        }
        match self
            .named("io.cncf.notary.verificationPlugin")
            .and_then(Value::text)
        {
            Some(plugin) => Err(NotationError::Critical(plugin.to_owned())),
            None => Ok(()),
        }
    }
}
