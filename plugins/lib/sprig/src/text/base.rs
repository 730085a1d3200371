//! Base 64 and base 32 with Go's errors.

use std::fmt;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// An alphabet with padding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    alphabet: &'static [u8],
    /// Bits of one character.
    bits: u32,
    /// Characters of one group.
    group: usize,
    name: &'static str,
}

/// Standard base 64.
pub(crate) const B64: Base = Base {
    alphabet: BASE64,
    bits: 6,
    group: 4,
    name: "base64",
};
/// Standard base 32.
pub(crate) const B32: Base = Base {
    alphabet: BASE32,
    bits: 5,
    group: 8,
    name: "base32",
};

/// Where a text is none: `illegal base64 data at input byte 4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt {
    name: &'static str,
    at: usize,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "illegal {} data at input byte {}", self.name, self.at)
    }
}

impl Base {
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        let group_bytes = self.group * self.bits as usize / 8;
        let mut out = String::with_capacity(bytes.len().div_ceil(group_bytes) * self.group);
        for chunk in bytes.chunks(group_bytes) {
            let mut value = 0_u64;
            for at in 0..group_bytes {
                value = value << 8 | u64::from(chunk.get(at).copied().unwrap_or(0));
            }
            let used = (chunk.len() * 8).div_ceil(self.bits as usize);
            for at in 0..self.group {
                let shift = self.bits * (self.group - 1 - at) as u32;
                let index = (value >> shift) as usize & (self.alphabet.len() - 1);
                out.push(if at < used {
                    char::from(self.alphabet[index])
                } else {
                    '='
                });
            }
        }
        out
    }

    /// Reads padded text; line breaks in it do not count.
    pub(crate) fn decode(self, text: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let corrupt = |at: usize| Corrupt {
            name: self.name,
            at,
        };
        match self.bits {
            6 => self.decode_64(text).map_err(corrupt),
            _ => {
                // Here errors count bytes without line breaks.
                let plain = text.iter().copied().filter(|byte| !is_line_break(*byte));
                self.decode_32(&plain.collect::<Vec<_>>()).map_err(corrupt)
            }
        }
    }

    fn digit(self, byte: u8) -> Option<u64> {
        self.alphabet
            .iter()
            .position(|known| *known == byte)
            .map(|index| index as u64)
    }

    fn decode_64(self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let mut out = Vec::with_capacity(text.len() / 4 * 3);
        let (mut value, mut used, mut at) = (0_u64, 0, 0);
        while at < text.len() {
            let byte = text[at];
            at += 1;
            if let Some(digit) = self.digit(byte) {
                value = value << 6 | digit;
                used += 1;
                if used == 4 {
                    out.extend_from_slice(&value.to_be_bytes()[5..]);
                    (value, used) = (0, 0);
                }
            } else if !is_line_break(byte) {
                if byte != b'=' || used < 2 {
                    return Err(at - 1);
                }
                if used == 2 {
                    at = skip_line_breaks(text, at);
                    match text.get(at) {
                        None => return Err(text.len()),
                        Some(b'=') => at += 1,
                        Some(_) => return Err(at - 1),
                    }
                }
                at = skip_line_breaks(text, at);
                if at < text.len() {
                    return Err(at);
                }
                let shifted = value << (64 - 6 * used);
                out.extend_from_slice(&shifted.to_be_bytes()[..used - 1]);
                return Ok(out);
            }
        }
        if used == 0 {
            Ok(out)
        } else {
            Err(text.len() - used)
        }
    }

    fn decode_32(self, text: &[u8]) -> Result<Vec<u8>, usize> {
        let mut out = Vec::with_capacity(text.len() / 8 * 5);
        let (mut value, mut used) = (0_u64, 0);
        for (at, byte) in text.iter().enumerate() {
            let rest = &text[at + 1..];
            if *byte == b'=' && used >= 2 && rest.len() < 8 {
                if rest.len() + used < 7 {
                    return Err(text.len());
                }
                if let Some(wrong) = rest.iter().take(7 - used).position(|byte| *byte != b'=') {
                    return Err(at + wrong);
                }
                if matches!(used, 3 | 6) {
                    return Err(at);
                }
                let shifted = value << (64 - 5 * used);
                out.extend_from_slice(&shifted.to_be_bytes()[..used * 5 / 8]);
                return Ok(out);
            }
            value = value << 5 | self.digit(*byte).ok_or(at)?;
            used += 1;
            if used == 8 {
                out.extend_from_slice(&value.to_be_bytes()[3..]);
                (value, used) = (0, 0);
            }
        }
        if used == 0 {
            Ok(out)
        } else {
            Err(text.len() - used)
        }
    }
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn skip_line_breaks(text: &[u8], from: usize) -> usize {
    from + text[from..]
        .iter()
        .take_while(|byte| is_line_break(**byte))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: Base, text: &str, expected: &str) {
        let found = match base.decode(text.as_bytes()) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(corrupt) => corrupt.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn round_trips() {
        for bytes in [
            &b""[..],
            b"a",
            b"ab",
            b"abc",
            b"abcd",
            b"abcde",
            b"\x00\xff\x10",
        ] {
            for base in [B64, B32] {
                assert_eq!(base.decode(base.encode(bytes).as_bytes()).unwrap(), bytes);
            }
        }
        assert_eq!(B64.encode("héllo".as_bytes()), "aMOpbGxv");
        assert_eq!(B32.encode(b"hi"), "NBUQ====");
    }

    #[test]
    fn errors_name_the_byte() {
        check(B64, "aGk=", "hi");
        check(B64, "aG\nk=\n", "hi");
        check(B64, "%%", "illegal base64 data at input byte 0");
        check(B64, "aGk", "illegal base64 data at input byte 0");
        check(B64, "abcdaGk", "illegal base64 data at input byte 4");
        check(B64, "aGk=x", "illegal base64 data at input byte 4");
        check(B64, "a===", "illegal base64 data at input byte 1");
        check(B64, "YQ=", "illegal base64 data at input byte 3");
        check(B64, "YQ==YQ==", "illegal base64 data at input byte 4");
        check(B64, "ab=d", "illegal base64 data at input byte 2");
        check(B64, "ab\nc", "illegal base64 data at input byte 1");
        check(B64, "abcd====", "illegal base64 data at input byte 4");
        check(B32, "NBUQ====", "hi");
        check(B32, "NB\nUQ====", "hi");
        check(B32, "AAAAAAA", "illegal base32 data at input byte 0");
        check(B32, "A=======", "illegal base32 data at input byte 1");
        check(B32, "AAA=====", "illegal base32 data at input byte 3");
        check(B32, "AA==A===", "illegal base32 data at input byte 3");
        check(B32, "AAAAAAAAA", "illegal base32 data at input byte 8");
        check(
            B32,
            "AA======AA======",
            "illegal base32 data at input byte 2",
        );
        check(B32, "AA\nA!", "illegal base32 data at input byte 3");
        check(B32, "nbuq", "illegal base32 data at input byte 0");
    }
}
