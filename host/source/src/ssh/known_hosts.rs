//! Lines of `known_hosts`, as OpenSSH reads them: names, patterns, negation, hashed names, ports, authorities and revoked
//! keys.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{KeyInit as _, Mac as _};
use weir_verify::wire::{Fields, kind};

use super::{Place, SshLoginError};

/// Signatures by which a server proves that it has a key, and the kinds of keys that make them; the better one first.
pub(super) const SIGNATURES: [(&str, &str); 6] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "ssh-rsa"),
    ("rsa-sha2-256", "ssh-rsa"),
];

/// Lines that are read.
const MAX_LINES: usize = 10_000;

/// The lines.
#[derive(Debug)]
pub(super) struct KnownHosts {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    marker: Marker,
    hosts: Hosts,
    /// As it goes over the wire.
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Authority,
    Revoked,
}

#[derive(Debug)]
enum Hosts {
    /// Patterns; whether it says that a host is not meant.
    Named(Vec<(bool, String)>),
    Hashed {
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

/// What the lines say of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// No line is about the host.
    Unknown,
    /// The lines about the host have other keys.
    Mismatch,
    Revoked,
}

impl KnownHosts {
    pub(super) fn parse(text: &str) -> Result<Self, SshLoginError> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let fail = |reason: &str| SshLoginError::KnownHosts {
                line: index + 1,
                reason: reason.to_owned(),
            };
            if index >= MAX_LINES {
                return Err(fail("there are too many lines"));
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            entries.push(Entry::parse(line).map_err(|reason| fail(&reason))?);
        }
        Ok(Self { entries })
    }

    pub(super) fn check(&self, host: &str, port: u16, key: &[u8]) -> Verdict {
        let revoked = Marker::Revoked;
        if self
            .about(host, port, revoked)
            .any(|entry| entry.key == key)
        {
            return Verdict::Revoked;
        }
        let mut verdict = Verdict::Unknown;
        for entry in self.about(host, port, Marker::None) {
            if entry.key == key {
                return Verdict::Known;
            }
            verdict = Verdict::Mismatch;
        }
        verdict
    }

    /// Keys that may sign for the host's own.
    pub(super) fn authorities(&self, host: &str, port: u16) -> Vec<&[u8]> {
        let entries = self.about(host, port, Marker::Authority);
        entries.map(|entry| entry.key.as_slice()).collect()
    }

    /// The kinds of keys that are known of a host.
    pub(super) fn kinds(&self, host: &str, port: u16) -> Vec<&str> {
        let entries = self.about(host, port, Marker::None);
        entries.map(|entry| kind(&entry.key)).collect()
    }

    fn about(&self, host: &str, port: u16, marker: Marker) -> impl Iterator<Item = &Entry> {
        let name = if port == 22 {
            host.to_ascii_lowercase()
        } else {
            format!("[{}]:{port}", host.to_ascii_lowercase())
        };
        self.entries
            .iter()
            .filter(move |entry| entry.marker == marker && entry.hosts.mean(&name))
    }
}

impl Entry {
    fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_ascii_whitespace();
        let mut word = words.next().unwrap_or_default();
        let marker = match word {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            _ if word.starts_with('@') => return Err(format!("the mark {word:?} is not known")),
            _ => Marker::None,
        };
        if marker != Marker::None {
            word = words.next().ok_or("missing host pattern")?;
        }
        let hosts = Hosts::parse(word)?;
        // The key says itself of what kind it is.
        words.next().ok_or("missing key type pattern")?;
        let key = words.next().ok_or("missing key")?;
        let key = STANDARD.decode(key);
        let key = key.map_err(|error| format!("the key cannot be read: {error}"))?;
        if kind(&key).is_empty() {
            return Err("the key cannot be read: it is damaged".to_owned());
        }
        Ok(Self { marker, hosts, key })
    }
}

impl Hosts {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(hashed) = text.strip_prefix("|1|") {
            let parts = hashed.split_once('|');
            let (salt, hash) = parts.ok_or("a hashed host has a salt and a hash")?;
            let decode = |text: &str| {
                let bytes = STANDARD.decode(text);
                bytes.map_err(|error| format!("a hashed host is not base64: {error}"))
            };
            return Ok(Self::Hashed {
                salt: decode(salt)?,
                hash: decode(hash)?,
            });
        }
        if text.starts_with('|') {
            return Err("hosts are hashed in a way that is not known".to_owned());
        }
        let patterns = text.split(',').filter(|pattern| !pattern.is_empty());
        let patterns = patterns.map(|pattern| match pattern.strip_prefix('!') {
            Some(pattern) => (true, plain(pattern)),
            None => (false, plain(pattern)),
        });
        Ok(Self::Named(patterns.collect()))
    }

    fn mean(&self, name: &str) -> bool {
        match self {
            Self::Named(patterns) => {
                let mut meant = false;
                for (negated, pattern) in patterns {
                    if matches(pattern.as_bytes(), name.as_bytes()) {
                        if *negated {
                            return false;
                        }
                        meant = true;
                    }
                }
                meant
            }
            Self::Hashed { salt, hash } => {
                let Ok(mac) = hmac::Hmac::<sha1::Sha1>::new_from_slice(salt) else {
                    return false;
                };
                mac.chain_update(name).verify_slice(hash).is_ok()
            }
        }
    }
}

/// A certificate of a host: its key, signed by an authority.
pub(super) struct Certificate<'a> {
    kind: &'a str,
    key: &'a [u8],
    of_host: bool,
    names: Vec<&'a [u8]>,
    from: u64,
    until: u64,
    critical: bool,
    authority: &'a [u8],
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// `None`: it is a plain key.
    pub(super) fn read(shown: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(shown);
        let kind = std::str::from_utf8(fields.text()?).ok()?;
        let kind = kind.strip_suffix("-cert-v01@openssh.com")?;
        fields.text()?;
        let before = fields.0;
        // The values of the key itself.
        for _ in 0..if kind == "ssh-ed25519" { 1 } else { 2 } {
            fields.text()?;
        }
        let key = &before[..before.len() - fields.0.len()];
        fields.long()?;
        let of_host = fields.number()? == 2;
        fields.text()?;
        let mut list = Fields(fields.text()?);
        let mut names = Vec::new();
        while !list.0.is_empty() {
            names.push(list.text()?);
        }
        let (from, until) = (fields.long()?, fields.long()?);
        let critical = !fields.text()?.is_empty();
        let (_, _) = (fields.text()?, fields.text()?);
        let authority = fields.text()?;
        let signed = &shown[..shown.len() - fields.0.len()];
        let signature = fields.text()?;
        Some(Self {
            kind,
            key,
            of_host,
            names,
            from,
            until,
            critical,
            authority,
            signed,
            signature,
        })
    }

    /// The host's key without what was signed with it.
    pub(super) fn own_key(&self) -> Vec<u8> {
        weir_verify::wire::Writing::default()
            .text(self.kind.as_bytes())
            .bytes(self.key)
            .0
    }
}

/// Why a host with this key, or this certificate, is not to be talked to.
pub(super) fn doubt(known: &KnownHosts, place: &Place, shown: &[u8]) -> Option<String> {
    let Place { host, port, .. } = place;
    let Some(certificate) = Certificate::read(shown) else {
        return Some(
            match known.check(host, *port, shown) {
                Verdict::Known => return None,
                Verdict::Unknown => "key is unknown",
                Verdict::Mismatch => "key mismatch",
                Verdict::Revoked => "key is revoked",
            }
            .to_owned(),
        );
    };
    let authority = certificate.authority;
    let revoked = |key: &[u8]| known.check(host, *port, key) == Verdict::Revoked;
    if !known.authorities(host, *port).contains(&authority) {
        return Some("no authority of known_hosts signed the host's certificate".to_owned());
    }
    if revoked(&certificate.own_key()) || revoked(authority) {
        return Some("key is revoked".to_owned());
    }
    let mut fields = Fields(certificate.signature);
    let proven = match (fields.text(), fields.text()) {
        (Some(name), Some(signature)) => {
            weir_verify::ssh::fits(authority, name, signature, certificate.signed)
        }
        _ => false,
    };
    if !proven || !certificate.of_host || certificate.critical {
        return Some("the certificate is not one of a host".to_owned());
    }
    let names = &certificate.names;
    if !names.is_empty() && !names.contains(&host.as_bytes()) {
        return Some(format!("the certificate is not valid for {host}"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs());
    let valid = certificate.from <= now && now < certificate.until;
    (!valid).then(|| "the certificate is not valid at this time".to_owned())
}

/// `[host]:22` is `host`.
fn plain(pattern: &str) -> String {
    let pattern = pattern.to_ascii_lowercase();
    let bare = pattern
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix("]:22"));
    match bare {
        Some(bare) => bare.to_owned(),
        None => pattern,
    }
}

/// `*` is any text and `?` any byte.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut in_text) = (0, 0);
    // Where the last `*` was, and how much of the text it took.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, in_text));
            at += 1;
        } else if pattern
            .get(at)
            .is_some_and(|byte| *byte == b'?' || *byte == text[in_text])
        {
            at += 1;
            in_text += 1;
        } else if let Some((after, taken)) = star {
            star = Some((after, taken + 1));
            at = after + 1;
            in_text = taken + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHGBZwmy+zqsShBjbZHz7ueKjEEQfN7I4D5wPx79/ozJ";
    const OTHER: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILV8Os3NldyCh9mFjABr38W6h+w0/uSau3xO7S0GnZi3";

    fn key(text: &str) -> Vec<u8> {
        STANDARD.decode(text.split(' ').nth(1).unwrap()).unwrap()
    }

    fn check(lines: &str, host: &str, port: u16) -> Verdict {
        let known = KnownHosts::parse(lines).unwrap();
        known.check(host, port, &key(ED))
    }

    #[test]
    fn names_patterns_and_ports() {
        let line = |hosts: &str| format!("# a comment\n\n{hosts} {ED} name@host\n");
        for (hosts, host, port, verdict) in [
            ("a.example.org", "a.example.org", 22, Verdict::Known),
            ("a.example.org", "A.example.org", 22, Verdict::Known),
            ("a.example.org", "a.example.org", 2222, Verdict::Unknown),
            (
                "[a.example.org]:2222",
                "a.example.org",
                2222,
                Verdict::Known,
            ),
            ("[a.example.org]:22", "a.example.org", 22, Verdict::Known),
            ("b,10.0.0.1", "10.0.0.1", 22, Verdict::Known),
            ("*.example.org", "a.example.org", 22, Verdict::Known),
            ("*.example.org,!a.*", "a.example.org", 22, Verdict::Unknown),
            ("?.example.org", "ab.example.org", 22, Verdict::Unknown),
            ("*", "any", 22, Verdict::Known),
        ] {
            assert_eq!(check(&line(hosts), host, port), verdict, "{hosts} {host}");
        }
    }

    #[test]
    fn hashed_names() {
        let mac = |name: &str| {
            let mac = hmac::Hmac::<sha1::Sha1>::new_from_slice(b"12345678901234567890").unwrap();
            STANDARD.encode(mac.chain_update(name).finalize().into_bytes())
        };
        let salt = STANDARD.encode(b"12345678901234567890");
        let line = |name: &str| format!("|1|{salt}|{} {ED}", mac(name));
        assert_eq!(check(&line("a"), "a", 22), Verdict::Known);
        assert_eq!(check(&line("a"), "b", 22), Verdict::Unknown);
        assert_eq!(check(&line("[a]:2222"), "a", 2222), Verdict::Known);
        assert!(KnownHosts::parse(&format!("|2|a|b {ED}")).is_err());
        assert!(KnownHosts::parse(&format!("|1|a {ED}")).is_err());
    }

    #[test]
    fn other_keys_revoked_keys_and_authorities() {
        assert_eq!(check(&format!("a {OTHER}"), "a", 22), Verdict::Mismatch);
        let both = format!("a {OTHER}\na {ED}");
        assert_eq!(check(&both, "a", 22), Verdict::Known);
        let revoked = format!("a {ED}\n@revoked * {ED}");
        assert_eq!(check(&revoked, "a", 22), Verdict::Revoked);
        let authority = format!("@cert-authority *.b {ED}");
        assert_eq!(check(&authority, "a.b", 22), Verdict::Unknown);
        let known = KnownHosts::parse(&authority).unwrap();
        assert_eq!(known.authorities("a.b", 22), [key(ED).as_slice()]);
        assert!(known.authorities("a.c", 22).is_empty());
        let known = KnownHosts::parse(&both).unwrap();
        assert_eq!(known.kinds("a", 22), ["ssh-ed25519", "ssh-ed25519"]);
    }

    #[test]
    fn damage_names_its_line() {
        for (bad, part) in [
            ("a", "missing key type"),
            ("a ssh-ed25519", "missing key"),
            ("a ssh-ed25519 AAAA", "cannot be read"),
            ("@other a ssh-ed25519 AAAA", "@other"),
            ("@revoked", "missing host pattern"),
        ] {
            let error = KnownHosts::parse(&format!("\n{bad}")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("line 2") && error.contains(part), "{error}");
        }
    }
}
