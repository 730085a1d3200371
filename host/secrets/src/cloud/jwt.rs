//! Statements of who asks, signed with an RSA key (JSON web tokens).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::Secret;
use crate::pem::{PemError, rsa_key};

/// How a statement is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Ps256,
}

/// Signs `claims` with the RSA key in a PEM text. `head` gets the algorithm.
///
/// # Errors
///
/// When there is no such key in the text.
pub fn sign(
    key: &str,
    algorithm: Algorithm,
    mut head: serde_json::Map<String, Value>,
    claims: &Value,
) -> Result<Secret, PemError> {
    let key = rsa_key(key)?;
    let (name, encoding): (_, &'static dyn RsaEncoding) = match algorithm {
        Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
        Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
    };
    head.insert("alg".to_owned(), name.into());
    head.insert("typ".to_owned(), "JWT".into());
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let signed = format!(
        "{}.{}",
        part(Value::Object(head).to_string()),
        part(claims.to_string())
    );
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        encoding,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .map_err(|_| PemError::Damaged("it does not sign".to_owned()))?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}
