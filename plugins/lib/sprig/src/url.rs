//! Go's `net/url`: reading and writing addresses. It is older and more lenient than the rules of browsers.

use std::net::IpAddr;

use weir_gotemplate::{Text, quote};

use crate::text::find;

/// Why a text is no address, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("net/url: invalid control character in URL")]
    Control,
    #[error("missing protocol scheme")]
    NoScheme,
    #[error("first path segment in URL cannot contain colon")]
    Colon,
    #[error("net/url: invalid userinfo")]
    User,
    #[error("invalid IP-literal")]
    Literal,
    #[error("missing ']' in host")]
    Bracket,
    #[error("invalid port {0} after host")]
    Port(String),
    #[error("invalid host: ParseAddr({0}): unable to parse IP")]
    Address(String),
    #[error("invalid URL escape {0}")]
    Escape(String),
    #[error("invalid character {0} in host name")]
    HostCharacter(String),
}

/// The parts of an address, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: Vec<u8>,
    pub(crate) opaque: Vec<u8>,
    pub(crate) user: Option<User>,
    pub(crate) host: Vec<u8>,
    pub(crate) path: Vec<u8>,
    /// As it was written.
    pub(crate) query: Vec<u8>,
    pub(crate) fragment: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// Where a text stands: other characters are escaped in other places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Host,
    Zone,
    Path,
    User,
    Fragment,
}

impl Url {
    /// Reads an address; the error names what was read, as Go's does.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let named = |text: &[u8], error: UrlError| format!("parse {}: {error}", quoted(text));
        let mut url = Self::parse_before_fragment(before).map_err(|error| named(before, error))?;
        url.fragment = unescape(fragment, Place::Fragment).map_err(|error| named(text, error))?;
        Ok(url)
    }

    fn parse_before_fragment(text: &[u8]) -> Result<Self, UrlError> {
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return Err(UrlError::Control);
        }
        if text == b"*" {
            return Ok(Self {
                path: text.to_vec(),
                ..Self::default()
            });
        }
        let (scheme, rest) = split_scheme(text)?;
        let scheme = scheme.to_ascii_lowercase();
        let (rest, query) = cut(rest, b'?');
        let mut url = Self {
            scheme,
            query: query.to_vec(),
            ..Self::default()
        };
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err(UrlError::Colon);
            }
        }
        let mut rest = rest;
        let has_authority = !url.scheme.is_empty() || !rest.starts_with(b"///");
        if has_authority && let Some(authority) = rest.strip_prefix(b"//") {
            let end = authority
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(authority.len());
            let (authority, path) = authority.split_at(end);
            (url.user, url.host) = parse_authority(&url.scheme, authority)?;
            rest = path;
        }
        url.path = unescape(rest, Place::Path)?;
        Ok(url)
    }

    /// The host without port and brackets.
    pub(crate) fn hostname(&self) -> &[u8] {
        let host = match self.host.iter().rposition(|byte| *byte == b':') {
            Some(colon) if is_port(&self.host[colon..]) => &self.host[..colon],
            _ => &self.host,
        };
        let inner = host
            .strip_prefix(b"[")
            .and_then(|host| host.strip_suffix(b"]"));
        inner.unwrap_or(host)
    }

    pub(crate) fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.print_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Place::Fragment));
        }
        out
    }

    fn print_hierarchy(&self, out: &mut Vec<u8>) {
        let has_host = !self.host.is_empty() || self.user.is_some();
        if has_host || (!self.scheme.is_empty() && !self.path.is_empty()) {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &self.user {
            out.extend(user.print());
            out.push(b'@');
        }
        out.extend(escape(&self.host, Place::Host));
        let path = if self.path == b"*" {
            self.path.clone()
        } else {
            escape(&self.path, Place::Path)
        };
        if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

impl User {
    pub(crate) fn print(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Place::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Place::User));
        }
        out
    }
}

fn quoted(text: &[u8]) -> String {
    quote(Text::from_bytes(text)).to_string()
}

/// What stands before and after a byte.
fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == at) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, &[]),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), UrlError> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(UrlError::NoScheme),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((&[], text))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), UrlError> {
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, &authority[at + 1..])?;
    let user = &authority[..at];
    if !user
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte))
    {
        return Err(UrlError::User);
    }
    let has_password = user.contains(&b':');
    let (name, password) = cut(user, b':');
    let name = unescape(name, Place::User)?;
    let password = unescape(password, Place::User)?;
    Ok((
        Some(User {
            name,
            password: has_password.then_some(password),
        }),
        host,
    ))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, UrlError> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return parse_literal(host),
        Some(_) => return Err(UrlError::Literal),
        None => {}
    }
    let strict = matches!(scheme, b"http" | b"https");
    let colon = if strict {
        host.iter().position(|byte| *byte == b':')
    } else {
        host.iter().rposition(|byte| *byte == b':')
    };
    if let Some(colon) = colon
        && !is_port(&host[colon..])
    {
        return Err(UrlError::Port(quoted(&host[colon..])));
    }
    unescape(host, Place::Host)
}

/// A host in brackets.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, UrlError> {
    let close = host
        .iter()
        .rposition(|byte| *byte == b']')
        .ok_or(UrlError::Bracket)?;
    let (inner, port) = (&host[1..close], &host[close + 1..]);
    if !is_port(port) {
        return Err(UrlError::Port(quoted(port)));
    }
    let name = match find(inner, b"%25") {
        Some(zone) => {
            let address = unescape(&inner[..zone], Place::Host)?;
            [address, unescape(&inner[zone..], Place::Zone)?].concat()
        }
        None => unescape(inner, Place::Host)?,
    };
    let address = String::from_utf8_lossy(cut(&name, b'%').0).into_owned();
    match address.parse() {
        Ok(IpAddr::V6(_)) => Ok([b"[".as_slice(), &name, b"]", port].concat()),
        Ok(IpAddr::V4(_)) => Err(UrlError::Literal),
        Err(_) => Err(UrlError::Address(quoted(&name))),
    }
}

/// Nothing, or a colon with digits.
fn is_port(text: &[u8]) -> bool {
    match text.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

fn is_plain(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return true;
    }
    let allowed: &[u8] = match place {
        Place::Host | Place::Zone => b"!$&'()*+,;=:[]<>\"",
        Place::Path => b"$&+,/:;=@",
        Place::User => b"$&+,;=",
        Place::Fragment => b"$&+,/:;=?@!()*",
    };
    allowed.contains(&byte)
}

fn escape(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if is_plain(*byte, place) {
            out.push(*byte);
        } else {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    out
}

fn unescape(text: &[u8], place: Place) -> Result<Vec<u8>, UrlError> {
    let host = matches!(place, Place::Host | Place::Zone);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            if host && first.is_ascii() && !is_plain(*first, place) {
                return Err(UrlError::HostCharacter(quoted(&rest[..1])));
            }
            out.push(*first);
            rest = after;
            continue;
        }
        let digit = |at: usize| {
            after
                .get(at)
                .and_then(|byte| char::from(*byte).to_digit(16))
        };
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(UrlError::Escape(quoted(&rest[..rest.len().min(3)])));
        };
        let byte = (high << 4 | low) as u8;
        let percent = byte == b'%';
        let refused = match place {
            Place::Host => high < 8 && !percent,
            Place::Zone => !percent && byte != b' ' && !is_plain(byte, Place::Host),
            Place::Path | Place::User | Place::Fragment => false,
        };
        if refused {
            return Err(UrlError::Escape(quoted(&rest[..3])));
        }
        out.push(byte);
        rest = &after[2..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn reads_the_parts() {
        let url = Url::parse(b"http://u:p@host:8080/p/a?q=1#frag").unwrap();
        assert_eq!(
            (text(&url.scheme), text(&url.host), text(url.hostname())),
            ("http", "host:8080", "host")
        );
        assert_eq!(
            (text(&url.path), text(&url.query), text(&url.fragment)),
            ("/p/a", "q=1", "frag")
        );
        assert_eq!(text(&url.user.unwrap().print()), "u:p");
        assert_eq!(text(&Url::parse(b"mailto:a@b").unwrap().opaque), "a@b");
        assert_eq!(text(&Url::parse(b"host:80/path").unwrap().scheme), "host");
        assert_eq!(
            text(Url::parse(b"http://[::1]:80/").unwrap().hostname()),
            "::1"
        );
        assert_eq!(text(&Url::parse(b"/a%20b").unwrap().path), "/a b");
    }

    #[test]
    fn errors_as_in_go() {
        for (address, expected) in [
            ("http://[", "parse \"http://[\": missing ']' in host"),
            (":x", "parse \":x\": missing protocol scheme"),
            (
                "a_b:c",
                "parse \"a_b:c\": first path segment in URL cannot contain colon",
            ),
            (
                "http://h:x/",
                "parse \"http://h:x/\": invalid port \":x\" after host",
            ),
            ("/%zz", "parse \"/%zz\": invalid URL escape \"%zz\""),
            (
                "http://a b/",
                "parse \"http://a b/\": invalid character \" \" in host name",
            ),
            (
                "http://a/\n",
                "parse \"http://a/\\n\": net/url: invalid control character in URL",
            ),
            (
                "http://[1.2.3.4]/",
                "parse \"http://[1.2.3.4]/\": invalid IP-literal",
            ),
        ] {
            assert_eq!(Url::parse(address.as_bytes()).unwrap_err(), expected);
        }
    }

    #[test]
    fn writes_what_it_read() {
        for address in [
            "https://h:1/p%20q?a=b#f",
            "ftp://u:p@h/x",
            "//h/a%20b/%C3%BC",
            "./a:b",
            "",
            "mailto:a@b",
        ] {
            let written = Url::parse(address.as_bytes()).unwrap().print();
            assert_eq!(text(&written), address);
        }
    }
}
