//! One encrypted value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::array::ArraySize;
use aes_gcm::aead::consts::{U12, U13, U14, U15, U16, U24, U32, U64};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, KeyInit, Nonce};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;

use crate::number;
use crate::time;
use crate::tree::{Comment, Value};

/// Go's decoder does not look at the bits that padding leaves over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Why a value cannot be decrypted. No variant has any part of a plain text in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CipherError {
    #[error("Input string <redacted> does not match sops' data format")]
    Form,
    #[error("Error base64-decoding {part}: illegal base64 data at input byte {at}")]
    Base64 { part: &'static str, at: usize },
    #[error("crypto/aes: invalid key size {0}")]
    KeySize(usize),
    #[error("an IV of {0} bytes is not supported")]
    IvSize(usize),
    #[error("Could not decrypt with AES_GCM: cipher: message authentication failed")]
    Authentication,
    #[error("Unknown datatype: {0}")]
    Datatype(String),
    #[error("the decrypted value is no {0}")]
    Plaintext(&'static str),
}

/// A value as it stands in the file.
struct Encrypted {
    data: Vec<u8>,
    iv: Vec<u8>,
    datatype: String,
}

/// Decrypts a value. An empty text is an empty text.
pub(crate) fn decrypt(text: &str, key: &[u8], path: &str) -> Result<Value, CipherError> {
    if text.is_empty() {
        return Ok(Value::Text(String::new()));
    }
    let encrypted = parse(text)?;
    let plain = open(&encrypted, key, path)?;
    typed(plain, &encrypted.datatype)
}

/// What a value that cannot be decrypted is shown as: the type of a decrypted one, and a text that is the same for as long
/// as the encrypted value is.
pub(crate) fn placeholder(text: &str) -> Result<Value, CipherError> {
    if text.is_empty() {
        return Ok(Value::Text(String::new()));
    }
    let encrypted = parse(text)?;
    Ok(match encrypted.datatype.as_str() {
        "int" => Value::Int(0),
        "float" => Value::Float(0.0),
        "bool" => Value::Bool(false),
        "time" => Value::Time("1970-01-01T00:00:00Z".to_owned()),
        "comment" => Value::Comment(Comment {
            text: " an encrypted comment".to_owned(),
            inline: false,
        }),
        "str" | "bytes" => Value::Text(crate::placeholder_of(text)),
        other => return Err(CipherError::Datatype(other.to_owned())),
    })
}

/// The groups of the pattern are greedy, so that each separator is the last one.
fn parse(text: &str) -> Result<Encrypted, CipherError> {
    let parts = || {
        let line = text
            .strip_prefix("ENC[AES256_GCM,data:")?
            .split('\n')
            .next()?;
        let (line, _) = line.rsplit_once(']')?;
        let (line, datatype) = line.rsplit_once(",type:")?;
        let (line, tag) = line.rsplit_once(",tag:")?;
        let (data, iv) = line.rsplit_once(",iv:")?;
        let whole = [data, iv, tag, datatype]
            .iter()
            .all(|part| !part.is_empty());
        whole.then_some((data, iv, tag, datatype))
    };
    let (data, iv, tag, datatype) = parts().ok_or(CipherError::Form)?;
    let mut data = decode(data, "data")?;
    let iv = decode(iv, "iv")?;
    data.extend(decode(tag, "tag")?);
    Ok(Encrypted {
        data,
        iv,
        datatype: datatype.to_owned(),
    })
}

fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, CipherError> {
    let text: String = text.chars().filter(|c| *c != '\r').collect();
    BASE64.decode(&text).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _)
            | base64::DecodeError::InvalidLength(at)
            | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            base64::DecodeError::InvalidPadding => text.len(),
        };
        CipherError::Base64 { part, at }
    })
}

/// sops writes an IV of 32 bytes; other writers use those that libraries are made for.
fn open(encrypted: &Encrypted, key: &[u8], path: &str) -> Result<Vec<u8>, CipherError> {
    match encrypted.iv.len() {
        12 => open_sized::<U12>(encrypted, key, path),
        13 => open_sized::<U13>(encrypted, key, path),
        14 => open_sized::<U14>(encrypted, key, path),
        15 => open_sized::<U15>(encrypted, key, path),
        16 => open_sized::<U16>(encrypted, key, path),
        24 => open_sized::<U24>(encrypted, key, path),
        32 => open_sized::<U32>(encrypted, key, path),
        64 => open_sized::<U64>(encrypted, key, path),
        other => Err(CipherError::IvSize(other)),
    }
}

fn open_sized<N: ArraySize>(
    encrypted: &Encrypted,
    key: &[u8],
    path: &str,
) -> Result<Vec<u8>, CipherError> {
    let cipher =
        AesGcm::<Aes256, N>::new_from_slice(key).map_err(|_| CipherError::KeySize(key.len()))?;
    let iv = Nonce::<N>::try_from(&encrypted.iv[..])
        .map_err(|_| CipherError::IvSize(encrypted.iv.len()))?;
    let payload = Payload {
        msg: &encrypted.data,
        aad: path.as_bytes(),
    };
    cipher
        .decrypt(&iv, payload)
        .map_err(|_| CipherError::Authentication)
}

fn typed(plain: Vec<u8>, datatype: &str) -> Result<Value, CipherError> {
    let text = |what| String::from_utf8(plain.clone()).map_err(|_| CipherError::Plaintext(what));
    Ok(match datatype {
        "str" | "bytes" => Value::from_bytes(plain),
        "int" => Value::Int(
            text("int")?
                .parse()
                .map_err(|_| CipherError::Plaintext("int"))?,
        ),
        "float" => Value::Float(
            number::parse_float(&text("float")?).ok_or(CipherError::Plaintext("float"))?,
        ),
        "bool" => {
            Value::Bool(number::parse_bool(&text("bool")?).ok_or(CipherError::Plaintext("bool"))?)
        }
        "time" => Value::Time(time::parse(&text("time")?).ok_or(CipherError::Plaintext("time"))?),
        "comment" => Value::Comment(Comment {
            text: String::from_utf8_lossy(&plain).into_owned(),
            inline: false,
        }),
        other => return Err(CipherError::Datatype(other.to_owned())),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const KEY: [u8; 32] = [7; 32];

    /// Encrypts as sops does, with an IV that the caller chooses.
    pub(crate) fn encrypt(plain: &[u8], datatype: &str, path: &str, iv: &[u8; 32]) -> String {
        let cipher = AesGcm::<Aes256, U32>::new_from_slice(&KEY).unwrap();
        let payload = Payload {
            msg: plain,
            aad: path.as_bytes(),
        };
        let out = cipher
            .encrypt(&Nonce::<U32>::try_from(&iv[..]).unwrap(), payload)
            .unwrap();
        let (data, tag) = out.split_at(out.len() - 16);
        let base64 = |bytes: &[u8]| BASE64.encode(bytes);
        format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:{datatype}]",
            base64(data),
            base64(iv),
            base64(tag)
        )
    }

    #[test]
    fn values_come_back_with_their_types() {
        for (plain, datatype, expected) in [
            ("x", "str", Value::Text("x".into())),
            ("-5", "int", Value::Int(-5)),
            ("0.5", "float", Value::Float(0.5)),
            ("True", "bool", Value::Bool(true)),
            (
                "2020-01-01T00:00:00.50Z",
                "time",
                Value::Time("2020-01-01T00:00:00.5Z".into()),
            ),
            (
                " c",
                "comment",
                Value::Comment(Comment {
                    text: " c".into(),
                    inline: false,
                }),
            ),
        ] {
            let text = encrypt(plain.as_bytes(), datatype, "a:", &[1; 32]);
            assert_eq!(decrypt(&text, &KEY, "a:").unwrap(), expected);
            assert_eq!(
                decrypt(&text, &KEY, "b:").unwrap_err(),
                CipherError::Authentication
            );
        }
        let bytes = encrypt(&[0xff], "str", "a:", &[1; 32]);
        assert_eq!(
            decrypt(&bytes, &KEY, "a:").unwrap(),
            Value::Bytes(vec![0xff])
        );
    }

    #[test]
    fn an_empty_text_needs_no_key() {
        assert_eq!(decrypt("", &[], "a:").unwrap(), Value::Text(String::new()));
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        let check = |text: &str, expected: &str| {
            assert_eq!(decrypt(text, &KEY, "a:").unwrap_err().to_string(), expected);
        };
        check(
            "hunter2",
            "Input string <redacted> does not match sops' data format",
        );
        check(
            "ENC[AES256_GCM,data:,iv:YQ==,tag:YQ==,type:str]",
            "Input string <redacted> does not match sops' data format",
        );
        check(
            "ENC[AES256_GCM,data:!,iv:YQ==,tag:YQ==,type:str]",
            "Error base64-decoding data: illegal base64 data at input byte 0",
        );
        check(
            "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]",
            "an IV of 1 bytes is not supported",
        );
        check(
            &encrypt(b"x", "foo", "a:", &[1; 32]),
            "Unknown datatype: foo",
        );
        check(
            &encrypt(b"hunter2", "int", "a:", &[1; 32]),
            "the decrypted value is no int",
        );
    }
}
