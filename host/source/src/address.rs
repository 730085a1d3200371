//! Addresses of repositories, and how they are shown.

use std::fmt;

use url::Url;

use crate::secret::SecretText;
use crate::ssh::Place;

/// The address of a repository over HTTP or SSH. What it shows, and what names its cache, holds neither a login nor a
/// query: both can be secret. Only the user of an SSH address stays in it, for everybody knows it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    url: Url,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Login {
    /// Often a fixed text, when the password is a token.
    pub user: String,
    /// Password or token.
    pub password: SecretText,
}

/// Why a text is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0}")]
    Malformed(#[from] url::ParseError),
    #[error("the scheme {0:?} is not supported; use https:// or http://")]
    Scheme(String),
    #[error("the scheme {0:?} is not supported; use https://, http:// or ssh://")]
    GitScheme(String),
    #[error("it names no repository on the server")]
    NoPath,
    #[error("it has no host")]
    NoHost,
}

impl Address {
    /// Takes an address and, apart from it, the login that stood in it.
    pub fn parse(text: &str) -> Result<(Self, Option<Login>), AddressError> {
        let mut url = Url::parse(text.trim())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::Scheme(url.scheme().to_owned()));
        }
        if !url.has_host() {
            return Err(AddressError::NoHost);
        }
        let login = login(&url);
        // Neither can fail for a scheme that has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Ok((Self { url }, login))
    }

    /// As [`Address::parse`], and also for SSH.
    pub(crate) fn parse_git(text: &str) -> Result<(Self, Option<Login>), AddressError> {
        let mut url = Url::parse(text.trim())?;
        match url.scheme() {
            "http" | "https" => return Self::parse(text),
            "ssh" => {}
            other => return Err(AddressError::GitScheme(other.to_owned())),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::NoHost);
        }
        if url.path().trim_matches('/').is_empty() {
            return Err(AddressError::NoPath);
        }
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        Ok((Self { url }, None))
    }

    /// Where an SSH address leads, and the path of the repository there.
    pub(crate) fn over_ssh(&self) -> Option<(Place, String)> {
        if self.url.scheme() != "ssh" {
            return None;
        }
        let host = self.url.host_str()?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let user = percent_decode(self.url.username());
        let place = Place {
            // As Flux does, for forges know nobody else.
            user: if user.is_empty() {
                "git".to_owned()
            } else {
                user
            },
            host: percent_decode(host),
            port: self.url.port().unwrap_or(22),
        };
        let path = percent_decode(self.url.path());
        // `ssh://host/~ann/x` is below Ann's home.
        let path = match path.strip_prefix("/~") {
            Some(rest) => format!("~{rest}"),
            None => path,
        };
        Some((place, path))
    }

    /// Where requests go.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The address of a service below this one.
    pub(crate) fn join(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.url.clone();
        let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&joined);
        if let Some(query) = query {
            match self.url.query() {
                Some(own) => url.set_query(Some(&format!("{own}&{query}"))),
                None => url.set_query(Some(query)),
            }
        }
        url
    }

    /// The address to which `answered` belongs, the place where a request for `path` below this one led.
    pub(crate) fn moved(&self, path: &str, answered: &Url) -> Option<Self> {
        let base = answered.path().strip_suffix(path)?.strip_suffix('/')?;
        let mut url = answered.clone();
        url.set_path(base);
        url.set_query(self.url.query());
        Some(Self { url })
    }
}

fn login(url: &Url) -> Option<Login> {
    let decode = |text: &str| percent_decode(text);
    let password = url.password()?;
    Some(Login {
        user: decode(url.username()),
        password: SecretText::new(decode(password)),
    })
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match (
            byte,
            escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()),
        ) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.url.clone();
        if shown.query().is_some() {
            shown.set_query(Some("[hidden]"));
        }
        f.write_str(shown.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_taken_out_and_never_shown() {
        let (address, login) =
            Address::parse("https://ann:p%40ss@git.example.org/r.git?token=abc#x").unwrap();
        let login = login.unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.expose()),
            ("ann", "p@ss")
        );
        assert_eq!(
            address.to_string(),
            "https://git.example.org/r.git?[hidden]"
        );
        let shown = format!("{address:?} {login:?}");
        assert!(
            !shown.contains("p@ss") && !shown.contains("p%40ss"),
            "{shown}"
        );
    }

    #[test]
    fn other_addresses_are_refused() {
        for (bad, part) in [
            ("ssh://git@example.org/r", "ssh"),
            ("file:///etc", "file"),
            ("git@example.org:r", "relative URL"),
            ("https://", "empty host"),
        ] {
            let error = Address::parse(bad).unwrap_err().to_string();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    #[test]
    fn over_ssh() {
        let check = |text: &str, user: &str, host: &str, port: u16, path: &str| {
            let (address, login) = Address::parse_git(text).unwrap();
            let (place, found) = address.over_ssh().unwrap();
            assert_eq!(
                (place.user.as_str(), place.host.as_str(), place.port),
                (user, host, port),
                "{text}"
            );
            assert_eq!((found.as_str(), login), (path, None), "{text}");
            assert!(!address.to_string().contains("hush"), "{address}");
        };
        check("ssh://h/o/r.git", "git", "h", 22, "/o/r.git");
        check("ssh://ann:hush@h:2222/r", "ann", "h", 2222, "/r");
        check("ssh://h/~ann/r%20s", "git", "h", 22, "~ann/r s");
        check("ssh://git@[::1]:22/r", "git", "::1", 22, "/r");
        for (bad, part) in [
            ("ssh://h", "names no repository"),
            ("ssh:///r", "host"),
            ("git://h/r", "ssh://"),
        ] {
            let error = Address::parse_git(bad).unwrap_err().to_string();
            assert!(error.contains(part), "{bad}: {error}");
        }
    }

    #[test]
    fn services_and_redirects() {
        let (address, _) = Address::parse("http://a/r.git/").unwrap();
        let listing = address.join("info/refs", Some("service=x"));
        assert_eq!(listing.as_str(), "http://a/r.git/info/refs?service=x");
        assert_eq!(
            address.moved("info/refs", &listing).unwrap().to_string(),
            "http://a/r.git"
        );
        let elsewhere = Url::parse("https://b/new/r.git/info/refs?service=x").unwrap();
        assert_eq!(
            address.moved("info/refs", &elsewhere).unwrap().to_string(),
            "https://b/new/r.git"
        );
        assert_eq!(
            address.moved("info/refs", &Url::parse("https://b/login").unwrap()),
            None
        );
    }
}
