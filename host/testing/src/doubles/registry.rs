//! Doubles of what gives logins for container registries, and of a registry that is spoken to with one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::answer;
use crate::web::{WebAnswer, WebRequest};

/// A token of Azure's registries that ends in the year 2100.
pub fn azure_refresh_token(secret: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{secret}", part("{}"), part(r#"{"exp":4102444800}"#))
}

/// Azure's registry, which exchanges a token of Entra for its own.
pub fn azure_exchange(request: &WebRequest, host: &str, token: &str, own: &str) -> WebAnswer {
    let field = |name| request.field(name).unwrap_or_default();
    let right = request.method == "POST"
        && field("grant_type") == "access_token"
        && field("service") == host
        && field("access_token") == token;
    if right {
        return answer(200, &json!({"refresh_token": azure_refresh_token(own)}));
    }
    let said = json!({"code": "UNAUTHORIZED", "message": "authentication required"});
    answer(401, &json!({"errors": [said]}))
}

/// Amazon's interface for logins of its registries, to whom has such keys. The login lasts until the year 2100.
pub fn amazon_registry(request: &WebRequest, keys: &str, password: &str) -> WebAnswer {
    let signed = request.authorization.as_deref().unwrap_or_default();
    if !signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={keys}/")) {
        let said = json!({"__type": "UnrecognizedClientException", "message": "The security token included in the request is invalid."});
        return answer(400, &said);
    }
    let token = STANDARD.encode(format!("AWS:{password}"));
    let given = json!({"authorizationToken": token, "expiresAt": 4_102_444_800.0});
    match request.header("x-amz-target") {
        Some("SpencerFrontendService.GetAuthorizationToken") if signed.contains("/ecr-public/") => {
            answer(200, &json!({"authorizationData": given}))
        }
        Some("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
            if signed.contains("/ecr/") =>
        {
            answer(200, &json!({"authorizationData": [given]}))
        }
        _ => answer(400, &json!({"__type": "UnknownOperationException"})),
    }
}

/// A registry with one artifact under every name and tag, for who logs in with that name and password.
pub fn registry(
    request: &WebRequest,
    user: &str,
    password: &str,
    kind: &str,
    layer: &[u8],
) -> WebAnswer {
    let login = STANDARD.encode(format!("{user}:{password}"));
    if request.authorization.as_deref() != Some(&format!("Basic {login}")) {
        return WebAnswer::status(401).header("WWW-Authenticate", "Basic realm=\"registry\"");
    }
    let digest = |content: &[u8]| format!("sha256:{}", hex::encode(Sha256::digest(content)));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": digest(b"{}"), "size": 2},
        "layers": [{"mediaType": kind, "digest": digest(layer), "size": layer.len()}],
    });
    let manifest = manifest.to_string().into_bytes();
    if request.path.contains("/manifests/") {
        let own = digest(&manifest);
        return WebAnswer::ok(manifest).header("Docker-Content-Digest", &own);
    }
    if request.path.ends_with(&format!("/blobs/{}", digest(layer))) {
        return WebAnswer::ok(layer);
    }
    WebAnswer::status(404)
}
