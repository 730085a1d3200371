//! Amazon's Signature Version 4, for requests without a body.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use url::Url;
use weir_tree::Digest;

use super::Keys;

/// The address of an object, its path and query escaped as they are signed.
pub(super) fn url(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    let parts: Vec<String> = path.split('/').map(escape).collect();
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    url.set_path(&parts.join("/"));
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    url
}

/// The headers that sign a request.
pub(super) fn headers(
    url: &Url,
    keys: &Keys,
    region: &str,
    now: SystemTime,
) -> Vec<(&'static str, String)> {
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let empty = Digest::of(b"").hex();
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let mut signed = vec![
        ("host", host),
        ("x-amz-content-sha256", empty.clone()),
        ("x-amz-date", time.clone()),
    ];
    if let Some(session) = &keys.session {
        signed.push(("x-amz-security-token", session.expose().to_owned()));
    }
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = signed
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let request = format!(
        "GET\n{}\n{}\n{lines}\n{names}\n{empty}",
        url.path(),
        url.query().unwrap_or_default()
    );
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        Digest::of(request.as_bytes()).hex()
    );
    let secret = format!("AWS4{}", keys.secret.expose());
    let key = [day, region, "s3", "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| {
            keyed(&key, part.as_bytes())
        });
    let signature = hex::encode(keyed(&key, text.as_bytes()));
    let id = &keys.id;
    signed.remove(0);
    signed.push((
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        ),
    ));
    signed
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// All but letters, digits and `-._~`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretText;
    use std::time::Duration;

    /// The example of Amazon's documentation, "GET Bucket (List Objects)", on the host that it names.
    #[test]
    fn a_signature_is_as_documented() {
        let base = Url::parse("https://examplebucket.s3.amazonaws.com/").unwrap();
        let url = url(&base, "/", &[("max-keys", "2"), ("prefix", "J")]);
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: SecretText::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            session: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let headers = headers(&url, &keys, "us-east-1", now);
        let (_, authorization) = headers.last().unwrap();
        assert!(
            authorization.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{authorization}"
        );
    }

    #[test]
    fn names_are_escaped_once() {
        let base = Url::parse("http://127.0.0.1:9000/").unwrap();
        let url = url(&base, "/b/a b+c.yaml", &[("continuation-token", "x/y=")]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:9000/b/a%20b%2Bc.yaml?continuation-token=x%2Fy%3D"
        );
    }
}
