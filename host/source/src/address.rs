//! Addresses of repositories, and how they are shown.

use std::fmt;

use url::Url;

use crate::secret::SecretText;

/// The address of a repository over HTTP. What it shows, and what names its cache, holds neither a login nor a query:
/// both can be secret.
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
