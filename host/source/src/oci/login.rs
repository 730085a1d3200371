//! Logins as Docker keeps them: the `.dockerconfigjson` of a Secret.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::address::Login;
use crate::secret::SecretText;

/// Logins by registry.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    logins: BTreeMap<String, Login>,
}

/// Why there are none. Nothing of the content is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerConfigError {
    #[error("it is not the JSON of a Docker configuration (line {line}, column {column})")]
    Malformed { line: usize, column: usize },
    #[error("the `auth` of {registry:?} is not the base64 of USER:PASSWORD")]
    Auth { registry: String },
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<SecretText>,
    username: Option<String>,
    password: Option<SecretText>,
}

impl DockerConfig {
    /// Reads the value of `.dockerconfigjson`.
    pub fn parse(content: &[u8]) -> Result<Self, DockerConfigError> {
        let file: File =
            serde_json::from_slice(content).map_err(|error| DockerConfigError::Malformed {
                line: error.line(),
                column: error.column(),
            })?;
        let mut logins = BTreeMap::new();
        for (registry, entry) in file.auths {
            if let Some(login) = entry.login(&registry)? {
                logins.insert(host(&registry).to_owned(), login);
            }
        }
        Ok(Self { logins })
    }

    /// The login for a registry, by its host and port.
    pub fn login(&self, registry: &str) -> Option<&Login> {
        self.logins.get(host(registry))
    }

    /// All passwords, for masking.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretText> {
        self.logins.values().map(|login| &login.password)
    }
}

impl Entry {
    fn login(self, registry: &str) -> Result<Option<Login>, DockerConfigError> {
        if let (Some(user), Some(password)) = (self.username, self.password) {
            return Ok(Some(Login { user, password }));
        }
        let Some(auth) = self.auth.filter(|auth| !auth.expose().is_empty()) else {
            return Ok(None);
        };
        let bad = || DockerConfigError::Auth {
            registry: registry.to_owned(),
        };
        let engine = base64::engine::general_purpose::STANDARD;
        let pair = engine.decode(auth.expose().trim()).map_err(|_| bad())?;
        let pair = Zeroizing::new(String::from_utf8(pair).map_err(|_| bad())?);
        let (user, password) = pair.split_once(':').ok_or_else(bad)?;
        Ok(Some(Login {
            user: user.to_owned(),
            password: SecretText::new(password.to_owned()),
        }))
    }
}

/// Docker writes the address of its Hub's first API; all its names mean the same.
fn host(registry: &str) -> &str {
    let bare = registry
        .strip_prefix("https://")
        .or_else(|| registry.strip_prefix("http://"))
        .unwrap_or(registry);
    match bare.split('/').next().unwrap_or_default() {
        "index.docker.io" | "registry-1.docker.io" | "docker.io" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found_by_host() {
        let text = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YW5uOmh1c2g="},"reg:5000":{"username":"bob","password":"x"},"empty":{}}}"#;
        let config = DockerConfig::parse(text.as_bytes()).unwrap();
        let login = config.login("docker.io").unwrap();
        assert_eq!(
            (login.user.as_str(), login.password.expose()),
            ("ann", "hush")
        );
        assert_eq!(config.login("reg:5000").unwrap().user, "bob");
        assert!(config.login("empty").is_none());
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn errors_do_not_show_the_content() {
        let error = DockerConfig::parse(b"{\"auths\": hush").unwrap_err();
        assert!(!error.to_string().contains("hush"));
        let error = DockerConfig::parse(br#"{"auths":{"reg":{"auth":"hush"}}}"#).unwrap_err();
        assert_eq!(
            error,
            DockerConfigError::Auth {
                registry: "reg".to_owned()
            }
        );
    }
}
