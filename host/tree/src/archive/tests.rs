use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::EntryKind;

/// Writes headers as no well-meaning tool would.
struct Packer(Vec<u8>);

impl Packer {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn entry(self, kind: u8, name: &[u8], content: &[u8]) -> Self {
        self.linked(kind, name, b"", content)
    }

    fn linked(mut self, kind: u8, name: &[u8], target: &[u8], content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.entry(b'0', name.as_bytes(), content.as_bytes())
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }

    fn tree(self) -> Result<TarTree, TreeError> {
        TarTree::read_from(&self.end()[..], ArchiveLimits::default())
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn text(tree: &TarTree, at: &str) -> Option<String> {
    Some(String::from_utf8(tree.read(&path(at)).unwrap()?.to_vec()).unwrap())
}

fn names(tree: &TarTree, at: &str) -> Vec<String> {
    tree.entries(&path(at))
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

#[track_caller]
fn refused(packer: Packer, part: &str) {
    let error = packer.tree().unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

#[test]
fn flux_has_no_links_and_no_backslashes() {
    let flux = |packer: Packer| TarTree::read_as_flux(&packer.end()[..], ArchiveLimits::default());
    let linked = || Packer::new().linked(b'2', b"x", b"/tmp", b"");
    let tree = flux(linked().file("x/a", "1")).unwrap();
    assert_eq!(text(&tree, "x/a").unwrap(), "1");
    assert_eq!(names(&tree, ""), ["x"]);
    refused(linked().file("x/a", "1"), "needs the directory x");
    let error = flux(Packer::new().file("x\\a", "1")).unwrap_err();
    assert!(
        error.to_string().contains("has a \\ in its name"),
        "{error}"
    );
    assert!(Packer::new().file("x\\a", "1").tree().is_ok());
}

#[test]
fn files_are_found_and_missing_directories_made() {
    let tree = Packer::new()
        .entry(b'5', b"./", b"")
        .file("./a/b/c.yaml", "x: 1\n")
        .file("d", "")
        .tree()
        .unwrap();
    assert_eq!(names(&tree, ""), ["a", "d"]);
    assert_eq!(names(&tree, "a"), ["b"]);
    assert_eq!(text(&tree, "a/b/c.yaml").as_deref(), Some("x: 1\n"));
    assert_eq!(text(&tree, "d").as_deref(), Some(""));
    assert_eq!(text(&tree, "a"), None);
    assert_eq!(tree.entries(&path("d")).unwrap(), None);
    assert_eq!(tree.stat(&path("d/x")).unwrap(), None);
    assert_eq!(
        tree.digest(&path("a/b/c.yaml")).unwrap(),
        Some(Digest::of(b"x: 1\n"))
    );
    assert!(tree.id().is_some());
}

#[test]
fn gzip_and_zstd_are_recognised() {
    let plain = Packer::new().file("a", "hello").end();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    let id = TarTree::read_from(&plain[..], ArchiveLimits::default())
        .unwrap()
        .id();
    for packed in [gzip.finish().unwrap(), zstd] {
        let tree = TarTree::read_from(&packed[..], ArchiveLimits::default()).unwrap();
        assert_eq!(text(&tree, "a").as_deref(), Some("hello"));
        assert_eq!(tree.id(), id);
        let cut = TarTree::read_from(&packed[..packed.len() - 6], ArchiveLimits::default());
        assert!(cut.is_err(), "a truncated stream must not pass");
    }
}

#[test]
fn long_names_of_both_kinds() {
    let long = format!("{}/x.yaml", ["n".repeat(200), "m".repeat(200)].join("/"));
    let pax = |key: &str, value: &str| {
        let rest = format!(" {key}={value}\n");
        let length = (1..)
            .map(|digits| rest.len() + digits)
            .find(|length| length.to_string().len() + rest.len() == *length);
        format!("{}{rest}", length.unwrap())
    };
    let tree = Packer::new()
        .entry(
            b'g',
            b"pax_global_header",
            pax("comment", "0123").as_bytes(),
        )
        .entry(b'L', b"././@LongLink", format!("{long}.gnu\0").as_bytes())
        .file("short", "gnu")
        .entry(b'x', b"pax", pax("path", &format!("{long}.pax")).as_bytes())
        .file("short", "pax")
        .entry(b'K', b"././@LongLink", b"a/long/target\0")
        .linked(b'2', b"link", b"short", b"")
        .tree()
        .unwrap();
    assert_eq!(text(&tree, &format!("{long}.gnu")).as_deref(), Some("gnu"));
    assert_eq!(text(&tree, &format!("{long}.pax")).as_deref(), Some("pax"));
    assert_eq!(text(&tree, "link").as_deref(), Some("a/long/target"));
    assert_eq!(text(&tree, "short"), None);
}

#[test]
fn links_stay_links_and_hard_links_are_second_names() {
    let tree = Packer::new()
        .file("a/file", "x")
        .linked(b'2', b"abs", b"/etc/passwd", b"")
        .linked(b'1', b"b/hard", b"./a/file", b"")
        .tree()
        .unwrap();
    assert_eq!(
        tree.stat(&path("abs")).unwrap().unwrap().kind,
        EntryKind::Link
    );
    assert_eq!(text(&tree, "b/hard").as_deref(), Some("x"));
    assert!(matches!(
        crate::resolve(&tree, &path("abs")),
        Err(TreeError::LinkOutside { .. })
    ));
    refused(
        Packer::new().linked(b'1', b"b", b"../../etc/passwd", b""),
        "hard link",
    );
    refused(
        Packer::new()
            .linked(b'1', b"b", b"later", b"")
            .file("later", ""),
        "no file that came before",
    );
    refused(Packer::new().entry(b'2', b"b", b""), "without a target");
}

#[test]
fn names_that_leave_the_root_are_refused() {
    refused(Packer::new().file("../x", ""), "has ..");
    refused(Packer::new().file("a/../../x", ""), "has ..");
    refused(Packer::new().file("a/../x", ""), "has ..");
    refused(Packer::new().file("/etc/passwd", ""), "absolute");
    refused(Packer::new().entry(b'0', b"\xff\xfe", b""), "not UTF-8");
    refused(Packer::new().file("", ""), "no name");
    refused(Packer::new().file(".", ""), "no name");
    refused(Packer::new().entry(b'0', b"a/", b"content"), "ends in /");
}

#[test]
fn what_is_no_file_is_refused() {
    refused(
        Packer::new().entry(b'3', b"dev", b""),
        "\"dev\" is a device",
    );
    refused(Packer::new().entry(b'4', b"dev", b""), "device");
    refused(Packer::new().entry(b'6', b"pipe", b""), "FIFO");
    refused(Packer::new().entry(b'S', b"s", b""), "sparse");
    refused(
        Packer::new()
            .entry(b'x', b"p", b"22 GNU.sparse.major=1\n")
            .file("s", ""),
        "sparse",
    );
    refused(Packer::new().entry(b'Z', b"what", b""), "unknown kind");
}

#[test]
fn of_two_entries_the_later_counts_but_kinds_do_not_clash() {
    let tree = Packer::new()
        .file("a", "1")
        .file("A", "upper")
        .file("a", "2")
        .tree()
        .unwrap();
    assert_eq!(
        (text(&tree, "a").as_deref(), text(&tree, "A").as_deref()),
        (Some("2"), Some("upper"))
    );
    let tree = Packer::new()
        .file("d/a", "1")
        .entry(b'5', b"d/", b"")
        .tree()
        .unwrap();
    assert_eq!(text(&tree, "d/a").as_deref(), Some("1"));
    refused(
        Packer::new().file("d/a", "").file("d", ""),
        "directory was before",
    );
    refused(
        Packer::new().file("d", "").file("d/a", ""),
        "a file or a link stands there",
    );
    refused(
        Packer::new()
            .linked(b'2', b"d", b"/etc", b"")
            .file("d/passwd", ""),
        "a file or a link stands there",
    );
    refused(
        Packer::new().file("d", "").entry(b'5', b"d/", b""),
        "a file or a link stands there",
    );
}

#[test]
fn limits() {
    let archive = Packer::new()
        .file("a/b/c", &"x".repeat(1000))
        .file("d", "y")
        .end();
    let check = |limits: ArchiveLimits, part: &str| {
        let error = TarTree::read_from(&archive[..], limits)
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    };
    let enough = ArchiveLimits {
        compressed: archive.len() as u64,
        unpacked: archive.len() as u64,
        file: 1000,
        entries: 4,
    };
    assert!(TarTree::read_from(&archive[..], enough).is_ok());
    check(
        ArchiveLimits {
            compressed: archive.len() as u64 - 1,
            ..enough
        },
        "bytes compressed",
    );
    check(
        ArchiveLimits {
            unpacked: 1024,
            ..enough
        },
        "bytes unpacked",
    );
    check(
        ArchiveLimits {
            file: 999,
            ..enough
        },
        "a/b/c has 1000 bytes, over the limit of 999",
    );
    check(
        ArchiveLimits {
            entries: 3,
            ..enough
        },
        "limit of 3 entries",
    );
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut header = tar::Header::new_ustar();
    header.set_path("zeros").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    gzip.write_all(header.as_bytes()).unwrap();
    for _ in 0..64 {
        gzip.write_all(&[0; 1 << 16]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let limits = ArchiveLimits {
        unpacked: 1 << 20,
        file: u64::MAX,
        ..ArchiveLimits::default()
    };
    let error = TarTree::read_from(&bomb[..], limits)
        .unwrap_err()
        .to_string();
    assert!(error.contains("1048576 bytes unpacked"), "{error}");
}

#[test]
fn damage_is_an_error() {
    let whole = Packer::new().file("a", "hello").end();
    let check = |bytes: &[u8], part: &str| {
        let error = TarTree::read_from(bytes, ArchiveLimits::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    };
    check(b"", "empty");
    check(b"<html>not found</html>", "middle of a header");
    check(&[b'x'; 600], "checksum");
    check(&whole[..300], "middle of a header");
    check(&whole[..514], "ends after 2");
    let mut flipped = whole.clone();
    flipped[0] = b'b';
    check(&flipped, "checksum");
    assert!(
        TarTree::read_from(&whole[..1024], ArchiveLimits::default()).is_ok(),
        "the end mark may be missing"
    );
}

/// An archive with some bytes changed, its checksums made right again.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let base = Packer::new()
        .entry(b'x', b"pax", b"12 path=abc\n")
        .file("a/b", "hello")
        .entry(b'L', b"long", b"some/long/name\0")
        .linked(b'2', b"link", b"a", b"")
        .linked(b'1', b"hard", b"abc", b"")
        .entry(b'5', b"dir/", b"")
        .end();
    let len = base.len();
    proptest::collection::vec((0..len, any::<u8>()), 0..12).prop_map(move |changes| {
        let mut bytes = base.clone();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        for block in bytes.chunks_exact_mut(512) {
            if block.iter().any(|&byte| byte != 0) {
                let sum = block[..148]
                    .iter()
                    .chain(&block[156..])
                    .map(|&byte| u32::from(byte))
                    .sum::<u32>()
                    + 8 * 32;
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let _ = TarTree::read_from(&bytes[..], ArchiveLimits::default());
        for magic in [&[0x1f, 0x8b, 8][..], &[0x28, 0xb5, 0x2f, 0xfd]] {
            let _ = TarTree::read_from(&[magic, &bytes].concat()[..], ArchiveLimits::default());
        }
    }

    #[test]
    fn no_broken_archive_makes_it_panic(bytes in mutated()) {
        let limits = ArchiveLimits { unpacked: 1 << 20, file: 1 << 16, entries: 100, ..ArchiveLimits::default() };
        if let Ok(tree) = TarTree::read_from(&bytes[..], limits) {
            for entry in tree.entries(&TreePath::root()).unwrap().unwrap() {
                let below = TreePath::root().child(&entry.name).unwrap();
                prop_assert_eq!(tree.stat(&below).unwrap(), Some(entry));
            }
        }
    }
}
