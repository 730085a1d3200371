//! Doubles of object stores: Google's JSON interface and Azure's blobs, each with one bucket. A page of a listing has two
//! objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::answer;
use crate::web::{WebAnswer, WebRequest, unescaped};

/// Names and contents.
pub type Files<'a> = &'a [(&'a str, &'a str)];

/// Objects of a page.
const PAGE: usize = 2;

/// What Azure's double wants to see.
#[derive(Clone, Copy, Debug)]
pub enum AzureProof<'a> {
    /// A token of Entra.
    Bearer(&'a str),
    /// A signature by the key of a storage account.
    Key { account: &'a str, key: &'a [u8] },
    /// The field `sig` of an address.
    Signature(&'a str),
}

/// Google's bucket for who has the token.
pub fn google_storage(
    request: &WebRequest,
    token: &str,
    bucket: &str,
    files: Files<'_>,
) -> WebAnswer {
    let refuse = |status: u16, reason: &str| {
        let error = json!({"code": status, "message": reason, "errors": [{"reason": reason}]});
        answer(status, &json!({"error": error}))
    };
    if request.authorization.as_deref() != Some(&format!("Bearer {token}")) {
        return refuse(401, "authError");
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix(&format!("/storage/v1/b/{bucket}/o")) else {
        return refuse(404, "notFound");
    };
    if let Some(name) = rest.strip_prefix('/') {
        let right = !name.contains('/') && request.field("alt").as_deref() == Some("media");
        let found = files.iter().find(|(own, _)| *own == unescaped(name));
        return match found.filter(|_| right) {
            Some((_, content)) => WebAnswer::ok(*content),
            None => refuse(404, "notFound"),
        };
    }
    let (page, next) = page(request, files, "pageToken");
    let items: Vec<Value> = page
        .iter()
        .map(|(name, content)| json!({"name": name, "etag": tag(content)}))
        .collect();
    let mut list = json!({"kind": "storage#objects", "items": items});
    if let Some(next) = next {
        list["nextPageToken"] = next.into();
    }
    answer(200, &list)
}

/// Azure's container for who proves that they may read it.
pub fn azure_storage(
    request: &WebRequest,
    proof: AzureProof<'_>,
    container: &str,
    files: Files<'_>,
) -> WebAnswer {
    let refuse = |status: u16, code: &str| {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
        WebAnswer::ok(body).with_status(status)
    };
    let shown = request.authorization.as_deref();
    let proven = match proof {
        AzureProof::Bearer(token) => shown == Some(&format!("Bearer {token}")),
        AzureProof::Key { account, key } => shown == Some(&shared_key(request, account, key)),
        AzureProof::Signature(text) => request.field("sig").as_deref() == Some(text),
    };
    if !proven {
        return refuse(403, "AuthenticationFailed");
    }
    if request.header("x-ms-version").is_none() {
        return refuse(400, "MissingRequiredHeader");
    }
    let path = request.path.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix(&format!("/{container}")) else {
        return refuse(404, "ContainerNotFound");
    };
    if let Some(name) = rest.strip_prefix('/') {
        let found = files.iter().find(|(own, _)| *own == unescaped(name));
        return match found {
            Some((_, content)) => {
                WebAnswer::ok(*content).header("ETag", &format!("\"{}\"", tag(content)))
            }
            None => refuse(404, "BlobNotFound"),
        };
    }
    let field = |name| request.field(name).unwrap_or_default();
    if (field("restype").as_str(), field("comp").as_str()) != ("container", "list") {
        return refuse(400, "InvalidQueryParameterValue");
    }
    let (page, next) = page(request, files, "marker");
    let mut body =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>".to_owned();
    for (name, content) in page {
        let name = name.replace('&', "&amp;");
        let tag = tag(content);
        body +=
            &format!("<Blob><Name>{name}</Name><Properties><Etag>{tag}</Etag></Properties></Blob>");
    }
    body += "</Blobs>";
    body += &match next {
        Some(next) => format!("<NextMarker>{next}</NextMarker>"),
        None => "<NextMarker />".to_owned(),
    };
    body += "</EnumerationResults>";
    WebAnswer::ok(body)
}

/// The objects of the page that is asked for, and the name of the next one.
fn page<'a>(
    request: &WebRequest,
    files: Files<'a>,
    field: &str,
) -> (Vec<&'a (&'a str, &'a str)>, Option<String>) {
    let prefix = request.field("prefix").unwrap_or_default();
    let mut found: Vec<_> = files
        .iter()
        .filter(|(name, _)| name.starts_with(&prefix))
        .collect();
    let start = request.field(field).unwrap_or_default();
    let start: usize = start.trim_start_matches("page/").parse().unwrap_or(0);
    let next = found.len() > start + PAGE;
    found = found.into_iter().skip(start).take(PAGE).collect();
    (found, next.then(|| format!("page/{}", start + PAGE)))
}

/// What changes with a content.
pub fn tag(content: &str) -> String {
    format!("0x{:X}", content.bytes().map(u64::from).sum::<u64>())
}

/// The header of a request that the key of an account signs, by Microsoft's page "Authorize with Shared Key".
fn shared_key(request: &WebRequest, account: &str, key: &[u8]) -> String {
    const NAMED: [&str; 11] = [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ];
    let mut text = format!("{}\n", request.method);
    for name in NAMED {
        let value = request.header(name).unwrap_or_default();
        let value = if value == "0" { "" } else { value };
        text += &format!("{value}\n");
    }
    let mut own: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    for (name, value) in own {
        text += &format!("{name}:{value}\n");
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    text += &format!("/{account}{path}");
    let mut fields: Vec<_> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| format!("\n{}:{}", name.to_lowercase(), unescaped(value)))
        .collect();
    fields.sort();
    text += &fields.concat();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!("SharedKey {account}:{signature}")
}
