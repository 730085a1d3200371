//! The format of Git's tree objects: `mode SP name NUL id`, again and again.

use crate::path::check_entry_name;
use crate::tree::MAX_ENTRIES;
use crate::{Entry, EntryKind};

use super::ObjectId;

/// The largest tree object that is read: over a million entries with names of usual length.
pub(super) const MAX_TREE_OBJECT: usize = 64 << 20;

/// A parsed directory, sorted by name as bytes (Git itself sorts directories as if their names ended in `/`).
#[derive(Debug)]
pub(super) struct TreeObject {
    pub(super) entries: Vec<RawEntry>,
}

#[derive(Debug)]
pub(super) struct RawEntry {
    pub(super) name: Box<str>,
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

impl TreeObject {
    /// The error completes the sentence "the directory object X …".
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, String> {
        let mut entries: Vec<RawEntry> = Vec::new();
        while !bytes.is_empty() {
            let (entry, rest) = parse_entry(bytes)?;
            if entries.len() == MAX_ENTRIES {
                return Err(format!("has more than {MAX_ENTRIES} entries"));
            }
            entries.push(entry);
            bytes = rest;
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(format!("holds the name {:?} twice", twice[0].name));
        }
        Ok(Self { entries })
    }

    pub(super) fn get(&self, name: &str) -> Option<(EntryKind, ObjectId)> {
        let index = self
            .entries
            .binary_search_by(|entry| (*entry.name).cmp(name))
            .ok()?;
        Some((self.entries[index].kind, self.entries[index].id))
    }

    /// Without sizes.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |raw: &RawEntry| Entry {
            name: raw.name.to_string(),
            kind: raw.kind,
            size: 0,
            id: Some(raw.id.into()),
        };
        self.entries.iter().map(entry).collect()
    }
}

fn parse_entry(bytes: &[u8]) -> Result<(RawEntry, &[u8]), String> {
    let damaged = || "is damaged".to_owned();
    let space = bytes
        .iter()
        .position(|&byte| byte == b' ')
        .ok_or_else(damaged)?;
    let (mode, rest) = (&bytes[..space], &bytes[space + 1..]);
    let end = rest
        .iter()
        .position(|&byte| byte == 0)
        .ok_or_else(damaged)?;
    let (name, rest) = (&rest[..end], &rest[end + 1..]);
    let (id, rest) = rest.split_first_chunk::<20>().ok_or_else(damaged)?;
    let mode = std::str::from_utf8(mode)
        .ok()
        .and_then(|text| u32::from_str_radix(text, 8).ok())
        .ok_or_else(damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| {
        format!(
            "holds the name {:?}, which is not UTF-8",
            String::from_utf8_lossy(name)
        )
    })?;
    check_entry_name(name).map_err(|error| format!("holds a name that cannot be used: {error}"))?;
    let kind =
        kind(mode).ok_or_else(|| format!("holds {name:?} with the unknown mode {mode:o}"))?;
    Ok((
        RawEntry {
            name: name.into(),
            kind,
            id: ObjectId::from_bytes(*id),
        },
        rest,
    ))
}

fn kind(mode: u32) -> Option<EntryKind> {
    const TYPE: u32 = 0o170_000;
    match mode & TYPE {
        0o040_000 => Some(EntryKind::Directory),
        0o100_000 if mode & 0o111 != 0 => Some(EntryKind::Executable),
        0o100_000 => Some(EntryKind::File),
        0o120_000 => Some(EntryKind::Link),
        0o160_000 => Some(EntryKind::Submodule),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(&[7; 20]);
        }
        bytes
    }

    #[test]
    fn names_are_sorted_as_bytes() {
        // In Git's own order "a.txt" stands before the directory "a".
        let parsed = TreeObject::parse(&object(&[
            ("100644", b"a.txt"),
            ("40000", b"a"),
            ("100755", b"b"),
        ]))
        .unwrap();
        let names: Vec<_> = parsed
            .entries()
            .into_iter()
            .map(|entry| (entry.name, entry.kind))
            .collect();
        assert_eq!(
            names,
            [
                ("a".to_owned(), EntryKind::Directory),
                ("a.txt".to_owned(), EntryKind::File),
                ("b".to_owned(), EntryKind::Executable)
            ]
        );
        assert_eq!(
            parsed.get("a.txt").map(|found| found.0),
            Some(EntryKind::File)
        );
        assert_eq!(parsed.get("a.tx"), None);
    }

    #[test]
    fn hostile_names_are_refused() {
        for (name, part) in [
            (&b".."[..], "cannot be used"),
            (b"", "cannot be used"),
            (b"a/b", "cannot be used"),
            (b"\xff", "not UTF-8"),
            (&[b'x'; 300], "longer than 255"),
        ] {
            let error = TreeObject::parse(&object(&[("100644", name)])).unwrap_err();
            assert!(error.contains(part), "{name:?}: {error}");
        }
        let error = TreeObject::parse(&object(&[("100644", b"a"), ("40000", b"a")])).unwrap_err();
        assert!(error.contains("twice"), "{error}");
    }

    #[test]
    fn damage_is_an_error() {
        let whole = object(&[("100644", b"a"), ("160000", b"sub")]);
        for cut in 1..whole.len() {
            let parsed = TreeObject::parse(&whole[..cut]);
            assert!(parsed.is_err() || cut == 29, "{cut}");
        }
        assert!(TreeObject::parse(&object(&[("1x0644", b"a")])).is_err());
        assert!(
            TreeObject::parse(&object(&[("10644", b"a")]))
                .unwrap_err()
                .contains("unknown mode")
        );
    }
}
