//! Names of objects as names of files.
//!
//! Most names are lower-case letters, digits, dots and dashes, and stay as they are. RBAC's can hold anything but a slash
//! and a percent sign, and differ by case alone; a file system may not tell case apart. So everything else is written
//! as `%` and two hexadecimal digits for each byte, which no name holds. Of a name that gets too long for a file, the end
//! is written as a digest, and only the file itself says the whole name.

use sha2::{Digest as _, Sha256};

/// Most file systems allow 255 bytes; `.yaml` and the prefix of unfinished files have to fit too.
const MOST: usize = 220;
/// Comes before the digest of a name that was cut short.
pub(super) const CUT: &str = "%~";

/// The name of the file, without its ending.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        let edge = index == 0 || index + 1 == name.len();
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            // A dot in front hides a file, and some systems drop one at the end.
            b'.' if !edge => out.push('.'),
            _ => {
                out.push('%');
                out.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    if out.len() > MOST {
        let digest = Sha256::digest(name.as_bytes());
        // Never in the middle of an escape: what is cut off is ASCII, and the digest tells the rest apart.
        out.truncate(MOST - 34);
        out.push_str(CUT);
        out.push_str(&hex::encode(&digest[..16]));
    }
    out
}

/// The name that a file name stands for. `None` for one that [`encode`] does not write, and for those cut short.
pub(crate) fn decode(file: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(file.len());
    let mut rest = file.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%' {
            let (digits, others) = others.split_at_checked(2)?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = others;
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (encode(&name) == file).then_some(name)
}
