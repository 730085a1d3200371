//! Google: tokens from a credentials file, or from where Google's tools look.
//!
//! Kinds of credentials: a service account's key, a person's login (`authorized_user`), and a token of elsewhere
//! (`external_account` with a file or an address), with impersonation.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::jwt::{self, Algorithm};
use super::{Cloud, CloudError, coded, login_name, read};
use crate::surroundings::{WebAnswer, WebRequest};
use crate::{ImportError, Secret};

/// What tokens are good for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where tokens are given.
const TOKENS: &str = "https://oauth2.googleapis.com/token";
/// Where a machine of Google's says who it is.
const MACHINE: &str = "http://169.254.169.254";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Credentials(Box<Credentials>),
    /// Whoever is found around this process.
    Found,
}

/// A credentials file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Credentials {
    ServiceAccount {
        client_email: String,
        private_key: Secret,
        #[serde(default)]
        private_key_id: String,
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: Secret,
        refresh_token: Secret,
        token_uri: Option<String>,
    },
    ExternalAccount {
        audience: String,
        subject_token_type: String,
        token_url: String,
        credential_source: CredentialSource,
        service_account_impersonation_url: Option<String>,
    },
}

/// Where the token of elsewhere is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CredentialSource {
    file: Option<String>,
    url: Option<String>,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    format: Option<TokenFormat>,
}

/// How the token of elsewhere is written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct TokenFormat {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    access_token: Secret,
    expires_in: Option<u64>,
}

impl Credentials {
    /// Reads a credentials file.
    ///
    /// # Errors
    ///
    /// When it is none, or of a kind that is not known.
    pub fn parse(content: &[u8]) -> Result<Self, ImportError> {
        serde_json::from_slice(content).map_err(|_| {
            let value = serde_json::from_slice::<Value>(content).ok();
            let kind = value.as_ref().and_then(|value| value.get("type")?.as_str());
            let problem = match kind {
                Some(kind @ ("service_account" | "authorized_user" | "external_account")) => {
                    format!("a field of {kind:?} is missing or of another kind")
                }
                Some(other) => format!("the type {other:?} is not supported"),
                None => "they are no JSON with a field \"type\"".to_owned(),
            };
            ImportError::Credentials {
                what: "the Google credentials",
                problem,
            }
        })
    }
}

impl Cloud {
    /// A token for Google's interfaces.
    ///
    /// # Errors
    ///
    /// When there are no credentials, or they are refused.
    pub fn gcp_token(&self, login: &Login) -> Result<Secret, CloudError> {
        let who = match login {
            Login::Credentials(credentials) => credentials.name(),
            Login::Found => "found".to_owned(),
        };
        let name = format!("gcp {who}");
        let given = self.tokens.get(&name, self.around.now(), || {
            let given = match login {
                Login::Credentials(credentials) => self.exchange(credentials)?,
                Login::Found => match self.found_credentials()? {
                    Some(credentials) => self.exchange(&credentials)?,
                    None => self.ask_google_machine()?,
                },
            };
            let life = given.expires_in.unwrap_or(0);
            Ok((
                given.access_token,
                Some(self.around.now() + Duration::from_secs(life)),
            ))
        });
        given.map_err(|error| error.while_trying("Google credentials"))
    }

    /// The file that is named, or the one that `gcloud` writes.
    fn found_credentials(&self) -> Result<Option<Credentials>, CloudError> {
        let named = self.around.variable("GOOGLE_APPLICATION_CREDENTIALS");
        let path = match &named {
            Some(path) => path.clone(),
            None => {
                let folder = self.around.variable("CLOUDSDK_CONFIG").or_else(|| {
                    let home = self.around.variable("HOME")?;
                    Some(format!("{home}/.config/gcloud"))
                });
                match folder {
                    Some(folder) => format!("{folder}/application_default_credentials.json"),
                    None => return Ok(None),
                }
            }
        };
        match (self.around.file(&path), named) {
            (Some(content), _) => Credentials::parse(&content)
                .map(Some)
                .map_err(|error| CloudError::Login(format!("{path}: {error}"))),
            (None, Some(_)) => Err(CloudError::Login(format!(
                "GOOGLE_APPLICATION_CREDENTIALS names {path}, which cannot be read"
            ))),
            (None, None) => Ok(None),
        }
    }

    fn exchange(&self, credentials: &Credentials) -> Result<Given, CloudError> {
        match credentials {
            Credentials::ServiceAccount { token_uri, .. } => {
                let url = token_uri.as_deref().unwrap_or(TOKENS);
                let statement = self.statement(credentials, url)?;
                let form = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", statement.text().unwrap_or_default()),
                ];
                self.token_at(url, &form)
            }
            Credentials::AuthorizedUser {
                client_id,
                client_secret,
                refresh_token,
                token_uri,
            } => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.text().unwrap_or_default()),
                    ("refresh_token", refresh_token.text().unwrap_or_default()),
                ];
                self.token_at(token_uri.as_deref().unwrap_or(TOKENS), &form)
            }
            Credentials::ExternalAccount {
                audience,
                subject_token_type,
                token_url,
                credential_source,
                service_account_impersonation_url,
            } => {
                let subject = self.subject_token(credential_source)?;
                let form = [
                    (
                        "grant_type",
                        "urn:ietf:params:oauth:grant-type:token-exchange",
                    ),
                    ("audience", audience),
                    ("scope", SCOPE),
                    (
                        "requested_token_type",
                        "urn:ietf:params:oauth:token-type:access_token",
                    ),
                    ("subject_token_type", subject_token_type),
                    ("subject_token", subject.text().unwrap_or_default()),
                ];
                let given = self.token_at(token_url, &form)?;
                match service_account_impersonation_url {
                    Some(url) => self.impersonate(url, &given.access_token),
                    None => Ok(given),
                }
            }
        }
    }

    /// A service account's statement that it asks, for one hour.
    fn statement(&self, credentials: &Credentials, url: &str) -> Result<Secret, CloudError> {
        let Credentials::ServiceAccount {
            client_email,
            private_key,
            private_key_id,
            ..
        } = credentials
        else {
            return Err(CloudError::Login("only a service account signs".to_owned()));
        };
        let now = self.seconds();
        let claims =
            json!({"iss": client_email, "scope": SCOPE, "aud": url, "iat": now, "exp": now + 3600});
        let mut head = serde_json::Map::new();
        if !private_key_id.is_empty() {
            head.insert("kid".to_owned(), private_key_id.clone().into());
        }
        let key = private_key.text().unwrap_or_default();
        jwt::sign(key, Algorithm::Rs256, head, &claims)
            .map_err(|error| CloudError::Login(format!("the key of {client_email}: {error}")))
    }

    fn subject_token(&self, source: &CredentialSource) -> Result<Secret, CloudError> {
        let content = match (&source.file, &source.url) {
            (Some(path), _) => self
                .around
                .file(path)
                .ok_or_else(|| CloudError::Login(format!("{path} has no token")))?,
            (None, Some(url)) => {
                let mut request = WebRequest::new("GET", url);
                // The only header that such files have.
                if let Some(value) = source.headers.get("Metadata") {
                    request = request.header("metadata", value.as_str());
                }
                self.ask(&request, complaint)?.body
            }
            (None, None) => {
                return Err(CloudError::Login(
                    "an external account needs a file or an address of its token".to_owned(),
                ));
            }
        };
        match &source.format {
            Some(format) if format.kind == "json" => {
                let field = format.subject_token_field_name.as_deref().unwrap_or("");
                let value: Value = serde_json::from_slice(&content).unwrap_or_default();
                let token = value.get(field).and_then(Value::as_str);
                token.map(Secret::from).ok_or_else(|| {
                    CloudError::Login(format!("the token file has no field {field:?}"))
                })
            }
            _ => Ok(content.trimmed().to_vec().into()),
        }
    }

    fn impersonate(&self, url: &str, by: &Secret) -> Result<Given, CloudError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Lent {
            access_token: Secret,
            expire_time: jiff::Timestamp,
        }
        let body = json!({"scope": [SCOPE], "lifetime": "3600s"});
        let request = WebRequest::new("POST", url).bearer(by).json(&body);
        let lent: Lent = read(&self.ask(&request, complaint)?, "the answer of Google")?;
        let until = std::time::SystemTime::from(lent.expire_time);
        let life = until.duration_since(self.around.now());
        Ok(Given {
            access_token: lent.access_token,
            expires_in: Some(life.map_or(0, |life| life.as_secs())),
        })
    }

    fn token_at(&self, url: &str, form: &[(&str, &str)]) -> Result<Given, CloudError> {
        let request = WebRequest::new("POST", url).form(form);
        read(&self.ask(&request, complaint)?, "the answer of Google")
    }

    /// Asks the machine's metadata service, which is GKE's when a Pod asks.
    fn ask_google_machine(&self) -> Result<Given, CloudError> {
        let base = match self.around.variable("GCE_METADATA_HOST") {
            Some(host) => format!("http://{host}"),
            None => MACHINE.to_owned(),
        };
        let url = format!("{base}/computeMetadata/v1/instance/service-accounts/default/token");
        let request = WebRequest::new("GET", url).header("metadata-flavor", "Google");
        let answer = self.ask(&request, complaint).map_err(|_| {
            CloudError::Login(
                "none were found: no GOOGLE_APPLICATION_CREDENTIALS, no login of gcloud, and this is no machine of Google's".to_owned(),
            )
        })?;
        read(&answer, "the answer of the machine")
    }
}

impl Credentials {
    /// Whom a token is kept for: everything that decides who asks.
    fn name(&self) -> String {
        let secret = match self {
            Self::ServiceAccount { private_key, .. } => private_key.trimmed(),
            Self::AuthorizedUser { refresh_token, .. } => refresh_token.trimmed(),
            Self::ExternalAccount { .. } => b"",
        };
        login_name(self, secret)
    }
}

/// What an answer of Google complains of.
pub(crate) fn complaint(answer: &WebAnswer) -> Option<String> {
    let messages = ["/error/message", "/error_description"];
    coded(answer, &["/error/status", "/error"], &messages)
}
