//! What key services and their logins need of the machine and of the network.

use std::fmt;
use std::time::SystemTime;

use crate::Secret;

/// Variables, files, programs, the clock and the network: whoever makes a keyring says what of them there is.
pub trait Surroundings: Send + Sync + fmt::Debug {
    /// A variable of the environment, if it is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;

    /// A file, if it is there and of a sensible size.
    fn file(&self, path: &str) -> Option<Secret>;

    /// What a program prints, if it can be run and succeeds. The first word is the program.
    fn output(&self, command: &[&str]) -> Option<Secret>;

    fn now(&self) -> SystemTime;

    /// Sends a request and waits for the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// When there is no answer. The text has nothing of the request's headers and body.
    fn send(&self, request: &WebRequest) -> Result<WebAnswer, String>;
}

/// One request.
#[derive(Clone, Debug)]
pub struct WebRequest {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    pub url: String,
    /// Values can be secret.
    pub headers: Vec<(&'static str, Secret)>,
    pub body: Secret,
    /// How the server proves who it is.
    pub trust: Trust,
}

/// What is trusted beside the authorities of the machine, and what is shown to a server that asks.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// PEM.
    pub authorities: Option<String>,
    /// PEM of a certificate and its key.
    pub identity: Option<Secret>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct WebAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Secret,
}

impl WebRequest {
    pub(crate) fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Secret::default(),
            trust: Trust::default(),
        }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn bearer(self, token: &Secret) -> Self {
        let value = [b"Bearer ", &**token].concat();
        self.header("authorization", value)
    }

    #[must_use]
    pub(crate) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into();
        self.header("content-type", "application/json")
    }

    #[must_use]
    pub(crate) fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        self.body = form(pairs);
        self.header("content-type", FORM)
    }
}

/// What a body of [`form`] is.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Names and values, as a web page's form sends them.
pub(crate) fn form(pairs: &[(&str, &str)]) -> Secret {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect();
    pairs.join("&").into()
}

impl WebAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The beginning of what a server says, up to the last space within so many bytes. What is secret in it is masked later, by whoever
/// shows it: a part of a word would not be known again.
pub fn beginning(text: &str, most: usize) -> &str {
    let text = text.trim();
    if text.len() <= most {
        return text;
    }
    let spaces = text.match_indices(char::is_whitespace);
    let end = spaces.map(|(at, _)| at).take_while(|at| *at <= most).last();
    text[..end.unwrap_or_default()].trim_end()
}

/// All but letters, digits and `-._~` as `%XX`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// For tests: there is nothing around.
#[cfg(test)]
pub(crate) fn nowhere() -> crate::cloud::Cloud {
    #[derive(Debug)]
    struct Nowhere;

    impl Surroundings for Nowhere {
        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, _: &str) -> Option<Secret> {
            None
        }

        fn output(&self, _: &[&str]) -> Option<Secret> {
            None
        }

        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn send(&self, _: &WebRequest) -> Result<WebAnswer, String> {
            Err("there is no network".to_owned())
        }
    }

    crate::cloud::Cloud::new(Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_cut() {
        assert_eq!(beginning(" no hush ", 7), "no hush");
        assert_eq!(beginning("no hushhush", 7), "no");
        assert_eq!(beginning("no hush", 2), "no");
        assert_eq!(beginning("hushhush", 7), "");
        assert_eq!(beginning("ä ö", 3), "ä");
    }
}
