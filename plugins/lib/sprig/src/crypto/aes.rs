//! `encryptAES` and `decryptAES`: AES-256 in CBC mode, the initial vector in front.

use ::aes::Aes256;
use ::aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use super::random::Generator;
use crate::text::base::B64;

const BLOCK: usize = 16;

/// Why a text cannot be decrypted, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AesError {
    #[error("{0}")]
    Base64(String),
    #[error("runtime error: slice bounds out of range [:{BLOCK}] with capacity {0}")]
    Short(usize),
    #[error("crypto/cipher: input not full blocks")]
    Partial,
    #[error("runtime error: index out of range [-1]")]
    Empty,
    #[error("runtime error: slice bounds out of range [:{0}]")]
    Padding(i64),
}

impl AesError {
    /// Whether Go panics here.
    pub(crate) fn panics(&self) -> bool {
        match self {
            Self::Base64(_) => false,
            Self::Short(_) | Self::Partial | Self::Empty | Self::Padding(_) => true,
        }
    }
}

fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(password) {
        *to = *from;
    }
    Aes256::new(&key.into())
}

pub(crate) fn encrypt(password: &[u8], text: &[u8], generator: &mut Generator) -> String {
    let cipher = cipher(password);
    let mut previous: [u8; BLOCK] = generator.fill();
    let mut out = previous.to_vec();
    let padding = BLOCK - text.len() % BLOCK;
    let padded = [text, &vec![padding as u8; padding]].concat();
    for block in padded.chunks_exact(BLOCK) {
        for (to, from) in previous.iter_mut().zip(block) {
            *to ^= from;
        }
        let mut block = Array::from(previous);
        cipher.encrypt_block(&mut block);
        previous = block.into();
        out.extend_from_slice(&previous);
    }
    B64.encode(&out)
}

pub(crate) fn decrypt(password: &[u8], text: &[u8]) -> Result<Vec<u8>, AesError> {
    let all = B64
        .decode(text)
        .map_err(|corrupt| AesError::Base64(corrupt.to_string()))?;
    let Some((first, body)) = all.split_first_chunk::<BLOCK>() else {
        return Err(AesError::Short(text.len() / 4 * 3));
    };
    if body.len() % BLOCK != 0 {
        return Err(AesError::Partial);
    }
    let cipher = cipher(password);
    let mut previous = *first;
    let mut out = Vec::with_capacity(body.len());
    for block in body.as_chunks::<BLOCK>().0 {
        let mut plain = Array::from(*block);
        cipher.decrypt_block(&mut plain);
        out.extend(
            plain
                .iter()
                .zip(previous)
                .map(|(byte, before)| byte ^ before),
        );
        previous = *block;
    }
    let padding = usize::from(*out.last().ok_or(AesError::Empty)?);
    let Some(length) = out.len().checked_sub(padding) else {
        return Err(AesError::Padding(out.len() as i64 - padding as i64));
    };
    out.truncate(length);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_sprig_wrote() {
        let known = b"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=";
        assert_eq!(decrypt(b"secretkey", known).unwrap(), b"plaintext");
    }

    #[test]
    fn round_trips() {
        for text in ["a", "sixteen bytes ok", "more than one block of text"] {
            let encrypted = encrypt(b"key", text.as_bytes(), &mut Generator::new(b"s"));
            assert_eq!(
                decrypt(b"key", encrypted.as_bytes()).unwrap(),
                text.as_bytes()
            );
        }
    }

    #[test]
    fn nothing_that_comes_in_panics() {
        for text in [
            "x",
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            decrypt(b"key", text.as_bytes()).unwrap_err();
        }
    }
}
