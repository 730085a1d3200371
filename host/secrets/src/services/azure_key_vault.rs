//! Microsoft's Key Vault.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use crate::cloud::azure::{Login, complaint};
use crate::cloud::{Cloud, CloudError, read};
use crate::surroundings::{WebRequest, escape};
use crate::{KeyService, Secret, UnwrapError, WrappedKey};

/// Of Microsoft's interface.
const VERSION: &str = "7.4";

/// Unwraps with keys in vaults of Microsoft's.
#[derive(Clone, Debug)]
pub struct AzureKeyVault {
    cloud: Cloud,
    login: Login,
}

#[derive(Deserialize)]
struct Decrypted {
    value: Secret,
}

impl AzureKeyVault {
    pub fn new(cloud: Cloud, login: Login) -> Self {
        Self { cloud, login }
    }

    /// What a token for a vault has to be for. The vault itself says so when it is asked without one; a vault that asks for
    /// tokens of others gets none.
    fn scope(&self, url: &str, vault: &str) -> Result<String, CloudError> {
        let request = WebRequest::new("POST", url).json(&json!({}));
        let answer = self.cloud.around.send(&request);
        let answer =
            answer.map_err(|reason| CloudError::Unavailable(format!("{vault}: {reason}")))?;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let resource = parameter(challenge, "resource").or_else(|| parameter(challenge, "scope"));
        let resource = resource.ok_or_else(|| {
            CloudError::Refused(format!(
                "{vault} answered with status {} and does not say for what it wants a token",
                answer.status
            ))
        })?;
        let resource = resource.trim_end_matches("/.default").trim_end_matches('/');
        let domain = resource.strip_prefix("https://").unwrap_or_default();
        let host = vault.strip_prefix("https://").unwrap_or_default();
        let belongs = !domain.is_empty() && host.ends_with(&format!(".{domain}"));
        if !belongs {
            return Err(CloudError::Refused(format!(
                "{vault} wants a token for {resource}, to which it does not belong"
            )));
        }
        Ok(format!("{resource}/.default"))
    }
}

impl KeyService for AzureKeyVault {
    fn schemes(&self) -> &[&'static str] {
        &["azure-kv"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        let vault = key.field("vault_url").trim_end_matches('/');
        let (name, version) = (key.field("name"), key.field("version"));
        let host = vault
            .strip_prefix("https://")
            .filter(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', '\\']));
        if host.is_none() {
            return Err(UnwrapError::Damaged(format!(
                "the vault's address {vault:?} is not https://HOST"
            )));
        }
        let decoded = URL_SAFE_NO_PAD.decode(key.wrapped);
        let wrapped = decoded.map_err(|_| {
            UnwrapError::Damaged("failed to base64 decode Azure Key Vault encrypted key".to_owned())
        })?;
        let url = format!(
            "{vault}/keys/{}/{}/decrypt?api-version={VERSION}",
            escape(name),
            escape(version)
        );
        let what = format!(
            "failed to decrypt sops data key with Azure Key Vault key '{vault}/keys/{name}/{version}'"
        );
        let asked = || {
            let scope = self.scope(&url, vault)?;
            let token = self.cloud.azure_token(&self.login, &scope)?;
            let body = json!({"alg": "RSA-OAEP-256", "value": URL_SAFE_NO_PAD.encode(&wrapped)});
            let request = WebRequest::new("POST", &url).bearer(&token).json(&body);
            let answer = self.cloud.ask(&request, complaint)?;
            read::<Decrypted>(&answer, "the answer of Azure Key Vault")
        };
        let decrypted = asked().map_err(|error| error.while_trying(&what))?;
        let plain = URL_SAFE_NO_PAD.decode(&*decrypted.value);
        Ok(plain
            .map_err(|_| {
                UnwrapError::Damaged("the answer of Azure Key Vault is no base64".to_owned())
            })?
            .into())
    }
}

/// A parameter of a challenge: `Bearer name="value", …`.
fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let rest = challenge.strip_prefix("Bearer ")?;
    rest.split(',').find_map(|part| {
        let (own, value) = part.trim().split_once('=')?;
        (own == name).then(|| value.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_has_parameters() {
        let challenge =
            r#"Bearer authorization="https://login.example/t", resource="https://vault.azure.net""#;
        assert_eq!(
            parameter(challenge, "resource"),
            Some("https://vault.azure.net")
        );
        assert_eq!(parameter(challenge, "scope"), None);
        assert_eq!(parameter("Basic x", "resource"), None);
    }
}
