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
        let request = hex::encode(request.finalize());
        let signature = signature(by, &time, &scope, &request);
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

/// The password of a Git repository at CodeCommit, by the address of the repository: the time and a signature of a request
/// with the method `GIT`, which no client sends.
pub(in crate::cloud) fn git_password(
    by: &Credentials,
    host: &str,
    path: &str,
    region: &str,
    now: SystemTime,
) -> Secret {
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = now.strftime("%Y%m%dT%H%M%S").to_string();
    let request = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let request = hex::encode(Sha256::digest(request));
    let scope = format!("{}/{region}/codecommit/aws4_request", &time[..8]);
    let signature = signature(by, &time, &scope, &request);
    format!("{time}Z{signature}").into()
}

/// Signs the digest of a request. Each part of the scope makes the key another one.
fn signature(by: &Credentials, time: &str, scope: &str, request: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}");
    let mut key = Secret::from([b"AWS4", by.secret.trimmed()].concat());
    for part in scope.split('/') {
        key = keyed(&key, part).into();
    }
    hex::encode(keyed(&key, &text))
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

    /// What botocore signs for `git-remote-codecommit`.
    #[test]
    fn a_password_of_codecommit() {
        let by = Credentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session: Some("session".into()),
        };
        let host = "git-codecommit.eu-west-1.amazonaws.com";
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
        let password = git_password(&by, host, "/v1/repos/fleet", "eu-west-1", now);
        assert_eq!(
            password.text().unwrap(),
            "20240102T030405Z0c5ed1dd7330abd032d32b7f5023147a43ec8316e51e99bf7d9d246c0ff4ff11"
        );
    }
}
