//! Google's Cloud Key Management Service.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::base64;
use crate::cloud::gcp::{Login, complaint};
use crate::cloud::{Cloud, read};
use crate::surroundings::{WebRequest, escape};
use crate::{KeyService, Secret, UnwrapError, WrappedKey};

const SERVICE: &str = "https://cloudkms.googleapis.com";
const WHAT: &str = "failed to decrypt sops data key with GCP KMS key";

/// Unwraps with keys of Google's.
#[derive(Clone, Debug)]
pub struct GcpKms {
    cloud: Cloud,
    login: Login,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: Secret,
}

impl GcpKms {
    pub fn new(cloud: Cloud, login: Login) -> Self {
        Self { cloud, login }
    }

    /// The login of the surroundings can be a token, or be for sops alone.
    fn token(&self) -> Result<Secret, UnwrapError> {
        let around = &self.cloud.around;
        if self.login == Login::Found {
            if let Some(named) = around.variable("GOOGLE_CREDENTIALS") {
                let content = around.file(&named).unwrap_or_else(|| named.as_str().into());
                let credentials = crate::cloud::gcp::Credentials::parse(&content)
                    .map_err(|error| UnwrapError::NoKey(format!("GOOGLE_CREDENTIALS: {error}")))?;
                return Ok(self
                    .cloud
                    .gcp_token(&Login::Credentials(Box::new(credentials)))?);
            }
            if let Some(token) = around.variable("GOOGLE_OAUTH_ACCESS_TOKEN") {
                return Ok(token.into());
            }
        }
        Ok(self.cloud.gcp_token(&self.login)?)
    }

    /// Where the service is: at Google's, in a universe of its own, or where a variable says.
    fn service(&self) -> String {
        let around = &self.cloud.around;
        if let Some(endpoint) = around.variable("SOPS_GCP_KMS_ENDPOINT") {
            let endpoint = endpoint.trim_end_matches('/');
            return match endpoint.contains("://") {
                true => endpoint.to_owned(),
                false => format!("https://{endpoint}"),
            };
        }
        match around.variable("SOPS_GCP_KMS_UNIVERSE_DOMAIN") {
            Some(domain) => format!("https://cloudkms.{domain}"),
            None => SERVICE.to_owned(),
        }
    }
}

impl KeyService for GcpKms {
    fn schemes(&self) -> &[&'static str] {
        &["gcp-kms"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        let id = key.field("resource_id");
        let path = path(id)
            .ok_or_else(|| UnwrapError::Damaged(format!("no valid resource ID found in {id:?}")))?;
        let wrapped = base64(key.wrapped, "the encrypted data key")?;
        let url = format!("{}/v1/{path}:decrypt", self.service());
        let request = WebRequest::new("POST", url)
            .bearer(&self.token()?)
            .json(&json!({"ciphertext": STANDARD.encode(wrapped)}));
        let answer = self.cloud.ask(&request, complaint);
        let answer = answer.map_err(|error| error.while_trying(WHAT))?;
        let decrypted: Decrypted = read(&answer, "the answer of GCP KMS")?;
        Ok(base64(&decrypted.plaintext, "the answer of GCP KMS")?.into())
    }
}

/// A key's name as a path: `projects/P/locations/L/keyRings/R/cryptoKeys/K`.
fn path(id: &str) -> Option<String> {
    let parts: Vec<&str> = id.split('/').collect();
    let kinds = ["projects", "locations", "keyRings", "cryptoKeys"];
    let known = parts.len() == 8
        && kinds
            .iter()
            .enumerate()
            .all(|(at, kind)| parts[2 * at] == *kind)
        && parts.iter().all(|part| !part.is_empty() && *part != "..");
    known.then(|| {
        parts
            .iter()
            .map(|part| escape(part))
            .collect::<Vec<_>>()
            .join("/")
    })
}
