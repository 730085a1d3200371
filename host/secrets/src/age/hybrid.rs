//! Hybrid identities `AGE-SECRET-KEY-PQ-1…`: ML-KEM-768 with X25519, which the crate `age` does not have.
//!
//! A stanza `mlkem768x25519` is one HPKE message (RFC 9180, base mode) whose KEM is X-Wing.

use age::{DecryptError, Identity};
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce};
use hmac::{Hmac, KeyInit as _, Mac};
use ml_kem::kem::Decapsulate;
use ml_kem::{B32, Ciphertext, KemCore, MlKem768};
use sha2::Sha256;
use sha3::digest::{Digest, ExtendableOutput, Update, XofReader};
use sha3::{Sha3_256, Shake256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

const TAG: &str = "mlkem768x25519";
const PREFIX: &str = "age-secret-key-pq-";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";

/// "HPKE", then the numbers of X-Wing, HKDF-SHA256 and ChaCha20-Poly1305.
const SUITE: &[u8] = b"HPKE\x64\x7a\x00\x01\x00\x03";

/// What X-Wing ends its hash with.
const LABEL: &[u8] = br"\.//^\";

const CIPHERTEXT: usize = 1088;
const POINT: usize = 32;
const FILE_KEY: usize = 16;
const BODY: usize = FILE_KEY + 16;

type Bytes32 = Zeroizing<[u8; 32]>;

/// A hybrid private key: the seed that both keys come from.
pub(super) struct HybridIdentity(Bytes32);

impl HybridIdentity {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "malformed secret key";
        let (prefix, bytes) = bech32::decode(text).map_err(|_| WRONG)?;
        let bytes = Zeroizing::new(bytes);
        if prefix.to_lowercase() != PREFIX {
            return Err(WRONG);
        }
        let seed = <[u8; 32]>::try_from(&bytes[..]).map_err(|_| WRONG)?;
        Ok(Self(Zeroizing::new(seed)))
    }

    fn open(&self, stanza: &Stanza) -> Option<FileKey> {
        let [encapsulated] = stanza.args.as_slice() else {
            return None;
        };
        let encapsulated = STANDARD_NO_PAD.decode(encapsulated).ok()?;
        if encapsulated.len() != CIPHERTEXT + POINT || stanza.body.len() != BODY {
            return None;
        }
        let shared = self.decapsulate(&encapsulated)?;
        let (key, nonce) = schedule(&shared)?;
        let payload = Payload {
            msg: &stanza.body,
            aad: b"",
        };
        let opened = ChaCha20Poly1305::new(Key::from_slice(&key[..]))
            .decrypt(Nonce::from_slice(&nonce[..12]), payload);
        let opened = Zeroizing::new(opened.ok()?);
        let file_key = <[u8; FILE_KEY]>::try_from(&opened[..]).ok()?;
        Some(FileKey::init_with_mut(|out| *out = file_key))
    }

    /// X-Wing.
    fn decapsulate(&self, encapsulated: &[u8]) -> Option<Bytes32> {
        let mut reader = {
            let mut shake = Shake256::default();
            shake.update(&self.0[..]);
            shake.finalize_xof()
        };
        let mut expand = || {
            let mut part = Zeroizing::new([0; 32]);
            reader.read(&mut part[..]);
            part
        };
        let (d, z, scalar) = (expand(), expand(), expand());
        let (ciphertext, point) = encapsulated.split_at_checked(CIPHERTEXT)?;
        let point: [u8; POINT] = point.try_into().ok()?;

        let lattice = |bytes: &Bytes32| B32::try_from(&bytes[..]).ok();
        let (private, _) = MlKem768::generate_deterministic(&lattice(&d)?, &lattice(&z)?);
        let ciphertext = Ciphertext::<MlKem768>::try_from(ciphertext).ok()?;
        let from_lattice = Zeroizing::new(private.decapsulate(&ciphertext).ok()?.0);

        let scalar = StaticSecret::from(*scalar);
        let from_curve = scalar.diffie_hellman(&PublicKey::from(point));
        let mut hash = Sha3_256::new();
        Digest::update(&mut hash, &from_lattice[..]);
        Digest::update(&mut hash, from_curve.as_bytes());
        Digest::update(&mut hash, point);
        Digest::update(&mut hash, PublicKey::from(&scalar).as_bytes());
        Digest::update(&mut hash, LABEL);
        Some(Zeroizing::new(hash.finalize().into()))
    }
}

impl Identity for HybridIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        // The stanza does not say whose it is: one that does not open is another's.
        self.open(stanza).map(Ok)
    }
}

/// HPKE's key and first nonce, of which 12 bytes count.
fn schedule(shared: &Bytes32) -> Option<(Bytes32, Bytes32)> {
    let id = extract(b"", b"psk_id_hash", b"")?;
    let info = extract(b"", b"info_hash", INFO)?;
    let context = [&[0], &id[..], &info[..]].concat();
    let secret = extract(&shared[..], b"secret", b"")?;
    Some((
        expand(&secret, b"key", &context, 32)?,
        expand(&secret, b"base_nonce", &context, 12)?,
    ))
}

fn extract(salt: &[u8], label: &[u8], input: &[u8]) -> Option<Bytes32> {
    hmac(salt, &[b"HPKE-v1", SUITE, label, input])
}

/// One block of HKDF's output is as much as is needed.
fn expand(secret: &Bytes32, label: &[u8], info: &[u8], length: u16) -> Option<Bytes32> {
    let length = length.to_be_bytes();
    hmac(
        &secret[..],
        &[&length, b"HPKE-v1", SUITE, label, info, &[1]],
    )
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Option<Bytes32> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        Mac::update(&mut mac, part);
    }
    Some(Zeroizing::new(mac.finalize().into_bytes().into()))
}
