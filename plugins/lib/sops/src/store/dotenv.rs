//! dotenv: lines `KEY=value`, comments, nothing else.

use super::{EmitError, LoadError, key_text, scalar_text};
use crate::tree::{Branch, Entry, Key, Value};

pub(super) fn load(content: &[u8]) -> Result<Branch, LoadError> {
    let text = std::str::from_utf8(content).map_err(|_| LoadError::Encoding)?;
    let mut branch = Branch::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            branch.push(Entry::comment(comment, false));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(LoadError::Dotenv(at + 1))?;
        branch.push(Entry::new(key, Value::Text(value.replace("\\n", "\n"))));
    }
    Ok(branch)
}

pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, EmitError> {
    let mut out = Vec::new();
    for entry in branch {
        let name = key_text(&entry.key);
        let Some(value) = scalar_text(&entry.value) else {
            return Err(EmitError::DotenvComplex(name.to_owned()));
        };
        if matches!(entry.key, Key::Comment(_)) {
            out.push(b'#');
            out.extend_from_slice(name.as_bytes());
        } else {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            for byte in value {
                match byte {
                    b'\n' => out.extend_from_slice(b"\\n"),
                    other => out.push(other),
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}
