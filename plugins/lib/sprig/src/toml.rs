//! TOML as Helm's library (BurntSushi's) reads and writes it.

mod number;
mod read;
mod table;
mod write;

pub(crate) use read::parse;
pub(crate) use write::write;

/// Zones that mark a moment as one without a zone.
const LOCAL_DATE_TIME: &str = "datetime-local";
const LOCAL_DATE: &str = "date-local";
const LOCAL_TIME: &str = "time-local";

/// Values nested in each other.
const MAX_DEPTH: usize = 128;

/// A key as it is written: quoted if it must be.
fn shown_key(key: &[u8]) -> String {
    let bare = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !key.is_empty() && key.iter().all(bare) {
        return String::from_utf8_lossy(key).into_owned();
    }
    String::from_utf8_lossy(&quoted(key)).into_owned()
}

/// A path of keys with points between them.
fn shown_path(path: &[weir_gotemplate::Text]) -> String {
    let keys: Vec<_> = path.iter().map(|key| shown_key(key.as_bytes())).collect();
    keys.join(".")
}

/// A basic string.
fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            0x08 => b"\\b",
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            0x0c => b"\\f",
            b'\r' => b"\\r",
            control @ (..0x20 | 0x7f) => {
                out.extend(format!("\\u{control:04x}").bytes());
                continue;
            }
            other => std::slice::from_ref(other),
        };
        out.extend_from_slice(short);
    }
    out.push(b'"');
    out
}

#[cfg(test)]
mod tests;
