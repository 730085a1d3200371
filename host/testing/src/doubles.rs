//! Doubles of services that cannot be run here, written from their public API documents: Vault's transit engine, Google's
//! key management with its tokens, Azure's Key Vault with Entra; object stores and registries in `storage` and `registry`.
//!
//! Those of keys wrap keys by turning the bits over, so that what is wrapped looks like nothing that went in, and check what a
//! client sends: paths, logins, encodings.

pub mod registry;
pub mod storage;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::web::{WebAnswer, WebRequest};

/// A mark in front of what was wrapped.
const MARK: &[u8] = b"wrapped:";

fn wrap(plain: &[u8]) -> Vec<u8> {
    MARK.iter()
        .copied()
        .chain(plain.iter().map(|byte| !byte))
        .collect()
}

fn unwrap(wrapped: &[u8]) -> Option<Vec<u8>> {
    Some(
        wrapped
            .strip_prefix(MARK)?
            .iter()
            .map(|byte| !byte)
            .collect(),
    )
}

fn answer(status: u16, body: &Value) -> WebAnswer {
    WebAnswer::ok(body.to_string())
        .with_status(status)
        .header("Content-Type", "application/json")
}

fn text(body: &[u8], field: &str) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    value[field].as_str().unwrap_or_default().to_owned()
}

/// Vault with a transit engine at `transit`, which knows the key `sops` and lets the token in.
pub fn vault(request: &WebRequest, token: &str) -> WebAnswer {
    let refuse = |status, text: &str| answer(status, &json!({"errors": [text]}));
    if request.header("x-vault-token") != Some(token) {
        return refuse(403, "permission denied");
    }
    if !matches!(request.method.as_str(), "PUT" | "POST") {
        return refuse(405, "unsupported operation");
    }
    match request.path.as_str() {
        "/v1/transit/encrypt/sops" => {
            let Ok(plain) = STANDARD.decode(text(&request.body, "plaintext")) else {
                return refuse(400, "failed to base64-decode plaintext");
            };
            let wrapped = format!("vault:v1:{}", STANDARD.encode(wrap(&plain)));
            answer(
                200,
                &json!({"data": {"ciphertext": wrapped, "key_version": 1}}),
            )
        }
        "/v1/transit/decrypt/sops" => {
            let wrapped = text(&request.body, "ciphertext");
            let wrapped = wrapped
                .strip_prefix("vault:v1:")
                .map(|text| STANDARD.decode(text));
            let plain = wrapped
                .and_then(Result::ok)
                .and_then(|bytes| unwrap(&bytes));
            match plain {
                Some(plain) => answer(200, &json!({"data": {"plaintext": STANDARD.encode(plain)}})),
                None => refuse(400, "invalid ciphertext: no prefix"),
            }
        }
        path if path.starts_with("/v1/transit/") => refuse(400, "encryption key not found"),
        _ => refuse(404, "no handler for route"),
    }
}

/// The key that Google's double knows.
pub const GOOGLE_KEY: &str = "projects/p/locations/global/keyRings/r/cryptoKeys/k";

/// Google's key management for who has the token, and the places where tokens are given: `/token` for whoever asks rightly,
/// `/sts` in exchange for another token, and a machine's metadata.
pub fn google(request: &WebRequest, token: &str) -> WebAnswer {
    let path = request.path.split('?').next().unwrap_or_default();
    let given = || {
        answer(
            200,
            &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}),
        )
    };
    let wrong = |text: &str| {
        answer(
            400,
            &json!({"error": "invalid_grant", "error_description": text}),
        )
    };
    let field = |name| request.field(name).unwrap_or_default();
    match path {
        "/token" => match field("grant_type").as_str() {
            "refresh_token"
                if field("refresh_token") == "refresh" && field("client_secret") == "hush" =>
            {
                given()
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => match claims(&field("assertion")) {
                Some(claims) if claims["iss"] == "weir@p.iam.gserviceaccount.com" => given(),
                _ => wrong("Invalid JWT Signature."),
            },
            _ => wrong("Bad Request"),
        },
        "/sts" if field("subject_token") == "of the cluster" && field("audience") == "//pool" => {
            given()
        }
        "/computeMetadata/v1/instance/service-accounts/default/token"
            if request.header("metadata-flavor") == Some("Google") =>
        {
            given()
        }
        _ => {
            let bearer = format!("Bearer {token}");
            let refuse = |status, code: &str, text: &str| {
                answer(
                    status,
                    &json!({"error": {"code": status, "status": code, "message": text}}),
                )
            };
            if request.authorization.as_deref() != Some(&bearer) {
                return refuse(
                    401,
                    "UNAUTHENTICATED",
                    "Request had invalid authentication credentials.",
                );
            }
            let body = |name| {
                STANDARD
                    .decode(text(&request.body, name))
                    .unwrap_or_default()
            };
            let asked = path
                .strip_prefix("/v1/")
                .and_then(|path| path.strip_prefix(GOOGLE_KEY));
            match asked {
                Some(":encrypt") => {
                    let wrapped = STANDARD.encode(wrap(&body("plaintext")));
                    answer(200, &json!({"name": GOOGLE_KEY, "ciphertext": wrapped}))
                }
                Some(":decrypt") => match unwrap(&body("ciphertext")) {
                    Some(plain) => answer(200, &json!({"plaintext": STANDARD.encode(plain)})),
                    None => refuse(
                        400,
                        "INVALID_ARGUMENT",
                        "Decryption failed: the ciphertext is invalid.",
                    ),
                },
                _ => refuse(404, "NOT_FOUND", "CryptoKey not found."),
            }
        }
    }
}

/// What Azure's double says it is.
pub const AZURE_VAULT: &str = "weir-test.vault.azure.net";
/// The hosts of Azure's double, which proves to be all of them.
pub const AZURE_HOSTS: [&str; 3] = [
    AZURE_VAULT,
    "login.microsoftonline.com",
    "login.microsoft.com",
];
/// Who may ask it: tenant, client and password.
pub const AZURE_LOGIN: [&str; 3] = ["tenant-1", "client-1", "hush hush"];

/// What tokens of Azure's double are good for.
const AZURE_RESOURCES: [&str; 4] = [
    // Azure DevOps.
    "499b84ac-1321-427f-aa17-267ca6975798",
    "https://vault.azure.net",
    "https://storage.azure.com",
    "https://containerregistry.azure.net",
];

/// Azure's Key Vault with the key `sops/1` for who has the token, and Entra, which gives it to who asks rightly.
pub fn azure(request: &WebRequest, token: &str) -> WebAnswer {
    let [tenant, client, password] = AZURE_LOGIN;
    let path = request.path.split('?').next().unwrap_or_default();
    let authority = format!("https://login.microsoftonline.com/{tenant}");
    let field = |name| request.field(name).unwrap_or_default();
    if path == "/common/discovery/instance" {
        let known = json!({"preferred_network": "login.microsoftonline.com",
            "preferred_cache": "login.windows.net", "aliases": ["login.microsoftonline.com"]});
        return answer(
            200,
            &json!({
            "tenant_discovery_endpoint": format!("{authority}/v2.0/.well-known/openid-configuration"),
            "metadata": [known]}),
        );
    }
    if path.ends_with("/.well-known/openid-configuration") {
        return answer(
            200,
            &json!({"issuer": format!("{authority}/v2.0"),
            "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
            "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize")}),
        );
    }
    if path == "/metadata/identity/oauth2/token" {
        let right = request.header("metadata") == Some("true")
            && AZURE_RESOURCES.contains(&field("resource").as_str());
        return match right {
            true => answer(200, &json!({"access_token": token, "expires_in": "3599"})),
            false => answer(
                400,
                &json!({"error": "invalid_request", "error_description": "no"}),
            ),
        };
    }
    if path == format!("/{tenant}/oauth2/v2.0/token") {
        let statement = claims(&field("client_assertion"));
        let proven = field("client_secret") == password
            || field("client_assertion") == "of the cluster"
            || statement.is_some_and(|claims| claims["sub"] == client);
        let right = proven
            && field("client_id") == client
            && AZURE_RESOURCES
                .iter()
                .any(|resource| field("scope").contains(&format!("{resource}/.default")));
        return match right {
            true => answer(
                200,
                &json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"}),
            ),
            false => answer(
                401,
                &json!({"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"}),
            ),
        };
    }
    if request.authorization.as_deref() != Some(&format!("Bearer {token}")) {
        let challenge =
            format!(r#"Bearer authorization="{authority}", resource="https://vault.azure.net""#);
        return answer(401, &json!({"error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}}))
            .header("WWW-Authenticate", &challenge);
    }
    let refuse = |status, code: &str, text: &str| {
        answer(status, &json!({"error": {"code": code, "message": text}}))
    };
    let operation = path.strip_prefix("/keys/sops/1/");
    if operation.is_none() {
        return refuse(
            404,
            "KeyNotFound",
            "A key with (name/id) other was not found in this key vault.",
        );
    }
    if text(&request.body, "alg") != "RSA-OAEP-256" {
        return refuse(400, "BadParameter", "alg");
    }
    let value = URL_SAFE_NO_PAD
        .decode(text(&request.body, "value"))
        .unwrap_or_default();
    let kid = format!("https://{AZURE_VAULT}/keys/sops/1");
    let done = |bytes: &[u8]| {
        answer(
            200,
            &json!({"kid": kid, "value": URL_SAFE_NO_PAD.encode(bytes)}),
        )
    };
    match operation {
        Some("encrypt") => done(&wrap(&value)),
        Some("decrypt") => match unwrap(&value) {
            Some(plain) => done(&plain),
            None => refuse(400, "BadParameter", "The parameter is incorrect."),
        },
        _ => refuse(404, "NotFound", "no such operation"),
    }
}

/// What a statement claims; its signature is not checked.
fn claims(statement: &str) -> Option<Value> {
    let mut parts = statement.split('.');
    let (_, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = signature.len() > 100 && parts.next().is_none();
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    whole
        .then(|| serde_json::from_slice(&claims).ok())
        .flatten()
}
