//! The server's list of references, as protocol version 0 sends it.
//!
//! We read it ourselves, before libgit2 does: for an unmoved repository nothing else is needed, and a reference whose
//! name is not UTF-8 is passed over, as nobody can ask for it.

use weir_tree::ObjectId;

use crate::error::ExchangeError;

use super::reference::Listing;

/// The largest list that is read: half a million references.
pub(super) const MAX_LISTING: u64 = 64 << 20;

pub(super) fn parse(mut bytes: &[u8]) -> Result<Listing, ExchangeError> {
    let mut references = Vec::new();
    let mut first = true;
    while !bytes.is_empty() {
        let Some(line) = next_line(&mut bytes)? else {
            continue;
        };
        if line.starts_with(b"#") || line.starts_with(b"version ") || line.starts_with(b"shallow ")
        {
            continue;
        }
        if let Some(message) = line.strip_prefix(b"ERR ") {
            let message = String::from_utf8_lossy(message);
            let message = weir_secrets::beginning(&message, 300).to_owned();
            return Err(ExchangeError::Refused { message });
        }
        let mut parts = line.splitn(2, |&byte| byte == 0);
        let reference = parts.next().unwrap_or_default();
        if first {
            check_capabilities(parts.next().unwrap_or_default())?;
            first = false;
        }
        references.extend(parse_reference(reference)?);
    }
    Ok(Listing::new(references))
}

/// Whether the list is here to its end. `seen` is what was looked at before.
pub(super) fn ends(bytes: &[u8], seen: &mut usize) -> Result<bool, ExchangeError> {
    while let Some(head) = bytes.get(*seen..*seen + 4) {
        let length = std::str::from_utf8(head)
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .ok_or_else(malformed)?;
        if length == 0 {
            return Ok(true);
        }
        if bytes.len() < *seen + length.max(4) {
            return Ok(false);
        }
        *seen += length.max(4);
    }
    Ok(false)
}

/// The content of the next packet line; `None` for a mark without content.
fn next_line<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, ExchangeError> {
    let (length, _) = bytes.split_at_checked(4).ok_or_else(malformed)?;
    let length = std::str::from_utf8(length)
        .ok()
        .and_then(|text| usize::from_str_radix(text, 16).ok());
    let length = length.ok_or_else(malformed)?;
    // 0 ends a section; 1 and 2 are marks of later versions.
    let (line, rest) = bytes
        .split_at_checked(length.max(4))
        .ok_or_else(malformed)?;
    *bytes = rest;
    if length < 4 {
        return Ok(None);
    }
    let line = &line[4..];
    Ok(Some(line.strip_suffix(b"\n").unwrap_or(line)))
}

fn check_capabilities(text: &[u8]) -> Result<(), ExchangeError> {
    let format = text
        .split(|&byte| byte == b' ')
        .find_map(|capability| capability.strip_prefix(b"object-format="));
    match format {
        None | Some(b"sha1") => Ok(()),
        Some(other) => Err(ExchangeError::ObjectFormat {
            format: String::from_utf8_lossy(other).into_owned(),
        }),
    }
}

/// `None`: nobody can ask for it.
fn parse_reference(line: &[u8]) -> Result<Option<(String, ObjectId)>, ExchangeError> {
    let (id, name) = line.split_at_checked(40).ok_or_else(malformed)?;
    let name = name.strip_prefix(b" ").ok_or_else(malformed)?;
    let id: ObjectId = std::str::from_utf8(id)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(malformed)?;
    // How an empty repository lists its capabilities.
    if name == b"capabilities^{}" {
        return Ok(None);
    }
    Ok(std::str::from_utf8(name)
        .ok()
        .map(|name| (name.to_owned(), id)))
}

fn malformed() -> ExchangeError {
    ExchangeError::Malformed
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn packets(lines: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"001e# service=git-upload-pack\n0000".to_vec();
        for line in lines {
            bytes.extend_from_slice(format!("{:04x}", line.len() + 4).as_bytes());
            bytes.extend_from_slice(line);
        }
        bytes.extend_from_slice(b"0000");
        bytes
    }

    fn line(name: &[u8], capabilities: &str) -> Vec<u8> {
        [ID.as_bytes(), b" ", name, capabilities.as_bytes(), b"\n"].concat()
    }

    #[test]
    fn references_are_read() {
        let lines = [
            line(b"HEAD", "\0multi_ack object-format=sha1"),
            line(b"refs/heads/main", ""),
            line(b"refs/heads/\xff", ""),
        ];
        let listing = parse(&packets(&[&lines[0], &lines[1], &lines[2], b"shallow x"])).unwrap();
        assert_eq!(listing.branch("main").unwrap().commit.to_string(), ID);
        assert!(listing.name("HEAD").is_ok());
        assert!(listing.branch("\u{fffd}").is_err());
    }

    #[test]
    fn an_empty_repository_lists_nothing() {
        let zero = format!("{} capabilities^{{}}\0shallow\n", "0".repeat(40));
        assert!(parse(&packets(&[zero.as_bytes()])).unwrap().is_empty());
        assert!(parse(&packets(&[])).unwrap().is_empty());
    }

    #[test]
    fn refusals_and_other_formats_are_said() {
        let error = parse(&packets(&[b"ERR no such repository\n"]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no such repository"), "{error}");
        let other = line(b"HEAD", "\0object-format=sha256");
        let error = parse(&packets(&[&other])).unwrap_err().to_string();
        assert!(error.contains("sha256"), "{error}");
    }

    #[test]
    fn the_end_is_seen() {
        let mut whole = packets(&[&line(b"HEAD", "\0x")]);
        // Over SSH nothing is said before the list.
        whole.drain(..34);
        for cut in 0..whole.len() {
            assert!(!ends(&whole[..cut], &mut 0).unwrap(), "{cut}");
        }
        let mut seen = 0;
        assert!(!ends(&whole[..10], &mut seen).unwrap());
        assert!(ends(&whole, &mut seen).unwrap());
        assert!(ends(b"+12", &mut 0).is_ok_and(|ended| !ended));
        assert!(ends(b"zzzz", &mut 0).is_err());
    }

    #[test]
    fn damage_is_an_error() {
        let whole = packets(&[&line(b"HEAD", "\0x")]);
        for cut in 1..whole.len() - 4 {
            let parsed = parse(&whole[..cut]);
            let at_border = [30, 34].contains(&cut);
            assert_eq!(parsed.is_ok(), at_border, "{cut}");
        }
        for bad in [&b"zzzz"[..], b"fff0abc", b"0010too short\n", b"+123"] {
            assert!(
                matches!(parse(bad), Err(ExchangeError::Malformed)),
                "{bad:?}"
            );
        }
    }
}
