//! bcrypt as Go's library writes it: version `2a`, cost 10.

use blowfish::Blowfish;

use super::random::Generator;

const COST: u32 = 10;
/// Bytes of a password that Go takes.
const MAX_PASSWORD: usize = 72;
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const MAGIC: [u32; 6] = [
    0x4f72_7068,
    0x6561_6e42,
    0x6568_6f6c,
    0x6465_7253,
    0x6372_7944,
    0x6f75_6274,
];

/// The hash, or sprig's message in its place.
pub(crate) fn hash(password: &[u8], generator: &mut Generator) -> String {
    if password.len() > MAX_PASSWORD {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
            .to_owned();
    }
    hash_with(password, &generator.fill(), COST)
}

fn hash_with(password: &[u8], salt: &[u8; 16], cost: u32) -> String {
    let key = [password, b"\0"].concat();
    let mut cipher = Blowfish::bc_init_state();
    cipher.salted_expand_key(salt, &key);
    for _ in 0..1_u32 << cost {
        cipher.bc_expand_key(&key);
        cipher.bc_expand_key(salt);
    }
    let mut digest = Vec::with_capacity(24);
    for pair in MAGIC.as_chunks::<2>().0 {
        let mut block = *pair;
        for _ in 0..64 {
            block = cipher.bc_encrypt(block);
        }
        for word in block {
            digest.extend_from_slice(&word.to_be_bytes());
        }
    }
    format!("$2a${cost:02}${}{}", encode(salt), encode(&digest[..23]))
}

/// Base 64 in bcrypt's own alphabet, without padding.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for at in 0..=group.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // From the test vectors of the original C implementation; salts are 16 bytes in bcrypt's alphabet.
        let salt = |text: &str| {
            let digits = text
                .bytes()
                .map(|byte| ALPHABET.iter().position(|known| *known == byte).unwrap());
            let bits: String = digits.map(|digit| format!("{digit:06b}")).collect();
            let bytes: Vec<u8> = (0..16)
                .map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap())
                .collect();
            <[u8; 16]>::try_from(bytes).unwrap()
        };
        let hashed = hash_with(b"U*U", &salt("CCCCCCCCCCCCCCCCCCCCC."), 5);
        assert_eq!(
            hashed,
            "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
        );
    }

    #[test]
    fn long_passwords_are_refused() {
        let text = hash(&[b'a'; 73], &mut Generator::new(b""));
        assert_eq!(
            text,
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes"
        );
    }
}
