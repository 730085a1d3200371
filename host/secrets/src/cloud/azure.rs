//! Microsoft: tokens of Entra for a service principal, a workload of the cluster, a machine or a person.

mod shared_key;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::jwt::{self, Algorithm};
use super::{Cloud, CloudError, coded, login_name, read};
use crate::pem::Pem;
use crate::surroundings::{WebAnswer, WebRequest};
use crate::{ImportError, Secret};

pub use shared_key::SharedKey;

/// Where tokens are given.
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Where a machine of Microsoft's says who it is.
const MACHINE: &str = "http://169.254.169.254";

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Principal(Principal),
    /// The identity of this machine with that client id.
    Machine {
        client: String,
    },
    /// Whoever is found around this process.
    Found,
}

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub tenant: String,
    pub client: String,
    pub proof: Proof,
    /// If it is not Microsoft's public cloud.
    pub authority: Option<String>,
}

/// How a service principal shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    Password(Secret),
    /// PEM of a certificate and its key.
    Certificate(Secret),
    /// A statement of the cluster.
    Statement(Secret),
}

#[derive(Deserialize)]
struct Given {
    access_token: Secret,
    /// A number, or a text with one.
    expires_in: Option<Value>,
}

/// The file that Flux calls `sops.azure-kv`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct AuthFile {
    tenant_id: String,
    client_id: String,
    client_secret: Secret,
    client_certificate: Secret,
    client_certificate_password: Secret,
    authority_host: String,
    tenant: String,
    app_id: String,
    password: Secret,
}

impl Login {
    /// Reads an authentication file: YAML or JSON, in UTF-8 or UTF-16.
    ///
    /// # Errors
    ///
    /// When it is none, or says too little.
    pub fn parse(content: &[u8]) -> Result<Self, ImportError> {
        let wrong = |problem: String| ImportError::Credentials {
            what: "the Azure credentials",
            problem,
        };
        let text = decoded(content).ok_or_else(|| wrong("they are no text".to_owned()))?;
        let file: AuthFile =
            super::yaml(&text).map_err(|()| wrong("they are no YAML of that shape".to_owned()))?;
        let authority = Some(file.authority_host).filter(|host| !host.is_empty());
        let principal = |tenant, client, proof| {
            Self::Principal(Principal {
                tenant,
                client,
                proof,
                authority,
            })
        };
        let known = !file.tenant_id.is_empty() && !file.client_id.is_empty();
        if known && !file.client_secret.is_empty() {
            let proof = Proof::Password(file.client_secret);
            return Ok(principal(file.tenant_id, file.client_id, proof));
        }
        if known && !file.client_certificate.is_empty() {
            let text = file.client_certificate.text().unwrap_or_default();
            if !file.client_certificate_password.is_empty() || !text.contains("-----BEGIN ") {
                return Err(wrong(
                    "a clientCertificate has to be PEM without a password; convert one in PKCS#12 with `openssl pkcs12 -nodes`".to_owned(),
                ));
            }
            let proof = Proof::Certificate(file.client_certificate);
            return Ok(principal(file.tenant_id, file.client_id, proof));
        }
        if !file.tenant.is_empty() && !file.app_id.is_empty() && !file.password.is_empty() {
            let proof = Proof::Password(file.password);
            return Ok(principal(file.tenant, file.app_id, proof));
        }
        if !file.client_id.is_empty() {
            return Ok(Self::Machine {
                client: file.client_id,
            });
        }
        Err(ImportError::Incomplete(
            "invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'",
        ))
    }
}

/// Text that may have a mark of its encoding.
fn decoded(content: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
        String::from_utf16(&units).ok()
    };
    match content {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8(rest.to_vec()).ok(),
    }
}

impl Cloud {
    /// A token for what `scope` names, such as `https://vault.azure.net/.default`.
    ///
    /// # Errors
    ///
    /// When nobody is logged in, or who it is is refused.
    pub fn azure_token(&self, login: &Login, scope: &str) -> Result<Secret, CloudError> {
        let who = match login {
            Login::Principal(principal) => principal.name(),
            Login::Machine { client } => format!("machine {client}"),
            Login::Found => "found".to_owned(),
        };
        let name = format!("azure {scope} {who}");
        let given = self.tokens.get(&name, self.around.now(), || {
            let given = match login {
                Login::Principal(principal) => self.ask_entra(principal, scope)?,
                Login::Machine { client } => self.ask_azure_machine(Some(client), scope)?,
                Login::Found => self.ask_whoever(scope)?,
            };
            let life = match &given.expires_in {
                Some(Value::String(text)) => text.parse().unwrap_or(0),
                Some(value) => value.as_u64().unwrap_or(0),
                None => 0,
            };
            Ok((
                given.access_token,
                Some(self.around.now() + Duration::from_secs(life)),
            ))
        });
        given.map_err(|error| error.while_trying("Azure credentials"))
    }

    /// In the order of Microsoft's tools: variables, the token of the cluster, the machine, the person at the terminal.
    fn ask_whoever(&self, scope: &str) -> Result<Given, CloudError> {
        let variable = |name| self.around.variable(name);
        let tenant = variable("AZURE_TENANT_ID");
        let client = variable("AZURE_CLIENT_ID");
        if let (Some(tenant), Some(client)) = (tenant, client.clone()) {
            let file = |name| variable(name).and_then(|path| self.around.file(&path));
            let proof = variable("AZURE_CLIENT_SECRET")
                .map(|secret| Proof::Password(secret.into()))
                .or_else(|| file("AZURE_CLIENT_CERTIFICATE_PATH").map(Proof::Certificate))
                .or_else(|| {
                    let token = file("AZURE_FEDERATED_TOKEN_FILE")?;
                    Some(Proof::Statement(token.trimmed().to_vec().into()))
                });
            if let Some(proof) = proof {
                let principal = Principal {
                    tenant,
                    client,
                    proof,
                    authority: variable("AZURE_AUTHORITY_HOST"),
                };
                return self.ask_entra(&principal, scope);
            }
        }
        match self.ask_azure_machine(client.as_deref(), scope) {
            Ok(given) => Ok(given),
            Err(_) => self.ask_az(scope).ok_or_else(|| {
                CloudError::Login(
                    "none were found: no variables (AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE), this is no machine of Azure's, and nobody is logged in with `az login`".to_owned(),
                )
            }),
        }
    }

    fn ask_entra(&self, principal: &Principal, scope: &str) -> Result<Given, CloudError> {
        let host = principal.authority.as_deref().unwrap_or(AUTHORITY);
        let host = host.trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !principal.tenant.bytes().all(plain) {
            return Err(CloudError::Login(
                "the tenant has strange characters".to_owned(),
            ));
        }
        let url = format!("{host}/{}/oauth2/v2.0/token", principal.tenant);
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let proof = match &principal.proof {
            Proof::Password(password) => vec![("client_secret", password.clone())],
            Proof::Statement(token) => vec![
                ("client_assertion_type", kind.into()),
                ("client_assertion", token.clone()),
            ],
            Proof::Certificate(pem) => vec![
                ("client_assertion_type", kind.into()),
                (
                    "client_assertion",
                    self.entra_statement(principal, pem, &url)?,
                ),
            ],
        };
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", principal.client.as_str()),
            ("scope", scope),
        ];
        form.extend(
            proof
                .iter()
                .map(|(name, value)| (*name, value.text().unwrap_or_default())),
        );
        let request = WebRequest::new("POST", url).form(&form);
        read(&self.ask(&request, complaint)?, "the answer of Entra")
    }

    /// The statement of who has the key of a certificate.
    fn entra_statement(
        &self,
        principal: &Principal,
        pem: &Secret,
        url: &str,
    ) -> Result<Secret, CloudError> {
        let text = pem.text().unwrap_or_default();
        let wrong = |error: crate::pem::PemError| {
            CloudError::Login(format!("the client certificate: {error}"))
        };
        let certificate = Pem::find(text, |label| label == "CERTIFICATE").map_err(wrong)?;
        let print = URL_SAFE_NO_PAD.encode(Sha256::digest(&*certificate.content));
        let now = self.seconds();
        let mut head = serde_json::Map::new();
        head.insert("x5t#S256".to_owned(), print.clone().into());
        let claims = json!({
            "aud": url, "iss": principal.client, "sub": principal.client,
            "jti": format!("{print}-{now}"), "nbf": now.saturating_sub(30), "exp": now + 600,
        });
        jwt::sign(text, Algorithm::Ps256, head, &claims).map_err(wrong)
    }

    /// Asks the machine's metadata service.
    fn ask_azure_machine(&self, client: Option<&str>, scope: &str) -> Result<Given, CloudError> {
        let resource = scope.trim_end_matches("/.default");
        let base = self.around.variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let base = base.unwrap_or_else(|| MACHINE.to_owned());
        let mut url = format!(
            "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}",
            base.trim_end_matches('/'),
            crate::surroundings::escape(resource)
        );
        if let Some(client) = client {
            url += &format!("&client_id={}", crate::surroundings::escape(client));
        }
        let request = WebRequest::new("GET", url).header("metadata", "true");
        read(&self.ask(&request, complaint)?, "the answer of the machine")
    }

    /// Asks the `az` program, which knows its user.
    fn ask_az(&self, scope: &str) -> Option<Given> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Printed {
            access_token: Secret,
        }
        let printed = self.around.output(&[
            "az",
            "account",
            "get-access-token",
            "--output",
            "json",
            "--scope",
            scope,
        ])?;
        let printed: Printed = serde_json::from_slice(&printed).ok()?;
        Some(Given {
            access_token: printed.access_token,
            expires_in: None,
        })
    }
}

impl Principal {
    /// Whom a token is kept for: everything that decides who asks.
    fn name(&self) -> String {
        let proof = match &self.proof {
            Proof::Password(secret) | Proof::Certificate(secret) | Proof::Statement(secret) => {
                secret
            }
        };
        login_name(self, proof.trimmed())
    }
}

/// What an answer of Entra, or of a vault, complains of.
pub(crate) fn complaint(answer: &WebAnswer) -> Option<String> {
    let messages = ["/error/message", "/error_description"];
    coded(answer, &["/error/code", "/error"], &messages)
}
