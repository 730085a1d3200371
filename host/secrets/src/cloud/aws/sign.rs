//! Amazon's Signature Version 4.

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Credentials;
use crate::Secret;

/// What is signed: the parts as they are sent, escaped.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// With the port, if it is not the scheme's own.
    pub host: &'a str,
    pub path: &'a str,
    /// Sorted.
    pub query: &'a str,
    pub body: &'a [u8],
    pub region: &'a str,
    /// `s3`, `kms`, `sts` and so on.
    pub service: &'a str,
}

impl Signed<'_> {
    /// The headers that sign it. `host` is signed as well.
    #[must_use]
    pub fn headers(&self, by: &Credentials, now: SystemTime) -> Vec<(&'static str, Secret)> {
        let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = &time[..8];
        let digest = hex::encode(Sha256::digest(self.body));
        let mut signed: Vec<(&'static str, Secret)> = vec![
            ("host", self.host.into()),
            ("x-amz-content-sha256", digest.clone().into()),
            ("x-amz-date", time.clone().into()),
        ];
        if let Some(session) = &by.session {
            signed.push(("x-amz-security-token", session.clone()));
        }
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut request = Sha256::new();
        request.update(format!("{}\n{}\n{}\n", self.method, self.path, self.query));
        for (name, value) in &signed {
            request.update(name);
            request.update(b":");
            request.update(value.trimmed());
            request.update(b"\n");
        }
        request.update(format!("\n{names}\n{digest}"));
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex::encode(request.finalize())
        );
        let mut key = Secret::from([b"AWS4", by.secret.trimmed()].concat());
        for part in [day, self.region, self.service, "aws4_request"] {
            key = keyed(&key, part).into();
        }
        let signature = hex::encode(keyed(&key, &text));
        let id = &by.id;
        signed.remove(0);
        signed.push((
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
            )
            .into(),
        ));
        signed
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The example of Amazon's documentation, "GET Bucket (List Objects)", on the host that it names.
    #[test]
    fn a_signature_is_as_documented() {
        let by = Credentials {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session: None,
        };
        let signed = Signed {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "max-keys=2&prefix=J",
            body: b"",
            region: "us-east-1",
            service: "s3",
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600);
        let headers = signed.headers(&by, now);
        let authorization = headers.last().unwrap().1.text().unwrap();
        assert!(
            authorization.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{authorization}"
        );
    }
}
