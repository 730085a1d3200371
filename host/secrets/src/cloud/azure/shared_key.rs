//! Requests that the key of a storage account signs (Shared Key).

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::{ImportError, Secret};

/// The key of a storage account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKey {
    account: String,
    key: Secret,
}

impl SharedKey {
    /// Takes the key as Azure shows it: base64.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(account: &str, key: &str) -> Result<Self, ImportError> {
        let key = STANDARD
            .decode(key.trim())
            .map_err(|_| ImportError::Credentials {
                what: "the Azure credentials",
                problem: "the accountKey is no base64".to_owned(),
            })?;
        Ok(Self {
            account: account.to_owned(),
            key: key.into(),
        })
    }

    /// The headers that sign a `GET` without a body. `path` is as it is sent, the values of `query` as they are meant.
    #[must_use]
    pub fn headers(
        &self,
        path: &str,
        query: &[(&str, &str)],
        version: &str,
        now: SystemTime,
    ) -> Vec<(&'static str, Secret)> {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let text = self.signed_text(path, query, version, &date);
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let account = &self.account;
        vec![
            ("x-ms-date", date.into()),
            (
                "authorization",
                format!("SharedKey {account}:{signature}").into(),
            ),
        ]
    }

    fn signed_text(&self, path: &str, query: &[(&str, &str)], version: &str, date: &str) -> String {
        // After the method eleven headers that such a request does not have.
        let mut text = format!(
            "GET{}x-ms-date:{date}\nx-ms-version:{version}\n/{}{path}",
            "\n".repeat(12),
            self.account
        );
        let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in query {
            let name = name.to_ascii_lowercase();
            values.entry(name).or_default().push(value);
        }
        for (name, mut values) in values {
            values.sort_unstable();
            text += &format!("\n{name}:{}", values.join(","));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Microsoft's page "Authorize with Shared Key".
    #[test]
    fn what_is_signed_is_as_documented() {
        let key = SharedKey::parse("myaccount", "aHVzaA==").unwrap();
        let query = [
            ("timeout", "20"),
            ("restype", "container"),
            ("comp", "metadata"),
        ];
        let date = "Fri, 26 Jun 2015 23:39:12 GMT";
        let text = key.signed_text("/mycontainer", &query, "2015-02-21", date);
        assert_eq!(
            text,
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20"
        );
    }

    #[test]
    fn the_date_is_part_of_it_and_the_key_is_not_shown() {
        let key = SharedKey::parse("acme", "aHVzaA==").unwrap();
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_435_361_952);
        let headers = key.headers("/b", &[], "2015-02-21", now);
        assert_eq!(headers[0].1.text(), Some("Fri, 26 Jun 2015 23:39:12 GMT"));
        let later = key.headers(
            "/b",
            &[],
            "2015-02-21",
            now + std::time::Duration::from_secs(1),
        );
        assert_ne!(headers[1].1, later[1].1);
        assert!(!format!("{key:?}").contains("hush"));
        let error = SharedKey::parse("acme", "hush hush").unwrap_err();
        assert!(!error.to_string().contains("hush hush"), "{error}");
    }
}
