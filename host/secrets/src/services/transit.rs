//! The transit engine of HashiCorp Vault and OpenBao.

use serde::Deserialize;
use serde_json::json;

use super::base64;
use crate::cloud::{Cloud, CloudError, read};
use crate::surroundings::{Trust, WebAnswer, WebRequest, escape};
use crate::{KeyService, Secret, UnwrapError, WrappedKey};

/// Unwraps with keys of a Vault.
#[derive(Clone, Debug)]
pub struct Transit {
    cloud: Cloud,
    token: Option<Secret>,
}

#[derive(Deserialize)]
struct Answer {
    data: Option<Decrypted>,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Option<Secret>,
}

impl Transit {
    /// Without a token the one counts that `VAULT_TOKEN` or `~/.vault-token` has.
    pub fn new(cloud: Cloud, token: Option<Secret>) -> Self {
        Self { cloud, token }
    }

    fn token(&self) -> Option<Secret> {
        let around = &self.cloud.around;
        let found = || {
            let variable = around.variable("VAULT_TOKEN").map(Secret::from);
            variable.or_else(|| {
                let home = around.variable("HOME")?;
                around.file(&format!("{home}/.vault-token"))
            })
        };
        self.token.clone().or_else(found)
    }

    /// `SOPS_HC_VAULT_ALLOWLIST`: all, none, or beginnings of addresses.
    fn allows(&self, address: &str) -> bool {
        match self.cloud.around.variable("SOPS_HC_VAULT_ALLOWLIST") {
            None => true,
            Some(list) => match list.trim() {
                "all" => true,
                "none" => false,
                list => list
                    .split(',')
                    .map(str::trim)
                    .any(|prefix| !prefix.is_empty() && address.starts_with(prefix)),
            },
        }
    }

    /// What Vault's own tool reads from variables.
    fn trust(&self) -> Trust {
        let around = &self.cloud.around;
        let file = |name| around.file(&around.variable(name)?);
        let authorities = around.variable("VAULT_CACERT_BYTES").or_else(|| {
            let file = file("VAULT_CACERT")?;
            file.text().map(str::to_owned)
        });
        let identity = match (file("VAULT_CLIENT_CERT"), file("VAULT_CLIENT_KEY")) {
            (Some(certificate), Some(key)) => Some(
                [certificate.trimmed(), b"\n", key.trimmed(), b"\n"]
                    .concat()
                    .into(),
            ),
            _ => None,
        };
        Trust {
            authorities,
            identity,
        }
    }
}

impl KeyService for Transit {
    fn schemes(&self) -> &[&'static str] {
        &["vault-transit"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        let address = key.field("vault_address").trim_end_matches('/');
        if !self.allows(address) {
            return Err(UnwrapError::NoKey(format!(
                "Allowlist does not allow {address}"
            )));
        }
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err(UnwrapError::Damaged(format!(
                "the address of the Vault {address:?} is not that of a web server"
            )));
        }
        let engine: Vec<String> = key.field("engine_path").split('/').map(escape).collect();
        let path = format!(
            "{}/decrypt/{}",
            engine.join("/"),
            escape(key.field("key_name"))
        );
        let wrapped = std::str::from_utf8(key.wrapped)
            .map_err(|_| UnwrapError::Damaged("the encrypted data key is no text".to_owned()))?;
        let mut request = WebRequest::new("PUT", format!("{address}/v1/{path}"))
            .header("x-vault-request", "true")
            .json(&json!({"ciphertext": wrapped.trim()}));
        if let Some(token) = self.token() {
            request = request.header("x-vault-token", token.trimmed().to_vec());
        }
        if let Some(namespace) = self.cloud.around.variable("VAULT_NAMESPACE") {
            request = request.header("x-vault-namespace", namespace);
        }
        request.trust = self.trust();
        let what = format!("failed to decrypt sops data key from Vault transit backend '{path}'");
        let answer = self.cloud.ask(&request, complaint);
        let answer = answer.map_err(|error| error.while_trying(&what))?;
        let answer: Answer =
            read(&answer, "the answer of Vault").map_err(|error| error.while_trying(&what))?;
        let plain = match answer.data {
            None => Err("transit backend is empty"),
            Some(data) => data.plaintext.ok_or("no decrypted data"),
        };
        let plain =
            plain.map_err(|text| CloudError::Refused(text.to_owned()).while_trying(&what))?;
        Ok(base64(&plain, "the answer of Vault")?.into())
    }
}

/// What Vault complains of: its errors, one after another.
fn complaint(answer: &WebAnswer) -> Option<String> {
    #[derive(Deserialize)]
    struct Complaint {
        errors: Vec<String>,
    }
    let said: Complaint = serde_json::from_slice(&answer.body).ok()?;
    let errors: Vec<String> = said
        .errors
        .iter()
        .map(|error| error.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    Some(errors.join("; "))
}
