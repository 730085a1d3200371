//! Amazon's Key Management Service.

use std::collections::BTreeMap;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::base64;
use crate::cloud::aws::{Credentials, Login};
use crate::cloud::{Cloud, read};
use crate::{KeyService, Secret, UnwrapError, WrappedKey};

/// The longest name of a session.
const LONGEST_SESSION: usize = 64;

/// Unwraps with keys of Amazon's.
#[derive(Clone, Debug)]
pub struct AwsKms {
    cloud: Cloud,
    login: Option<Login>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: Secret,
}

impl AwsKms {
    /// Without a login the profile counts that a key names, else what is found.
    pub fn new(cloud: Cloud, login: Option<Login>) -> Self {
        Self { cloud, login }
    }

    fn credentials(&self, key: &WrappedKey<'_>, region: &str) -> Result<Credentials, UnwrapError> {
        let login = self.login.clone().unwrap_or_else(|| Login::Found {
            profile: Some(key.field("aws_profile").to_owned()).filter(|name| !name.is_empty()),
        });
        let credentials = self.cloud.aws(&login, region)?;
        match key.field("role") {
            "" => Ok(credentials),
            role => {
                let session = self.session();
                Ok(self
                    .cloud
                    .assume_aws_role(&credentials, region, role, &session)?)
            }
        }
    }

    /// As sops names its sessions.
    fn session(&self) -> String {
        let host = self.cloud.around.variable("HOSTNAME");
        let host = host.or_else(|| {
            let file = self.cloud.around.file("/etc/hostname")?;
            Some(file.text()?.to_owned())
        });
        let plain = |c: &char| c.is_ascii_alphanumeric() || "=,.@-_".contains(*c);
        let host: String = host.unwrap_or_default().chars().filter(plain).collect();
        let mut name = format!("sops@{host}");
        name.truncate(LONGEST_SESSION);
        name
    }
}

impl KeyService for AwsKms {
    fn schemes(&self) -> &[&'static str] {
        &["aws-kms"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        let arn = key.field("arn");
        let region = region(arn)
            .ok_or_else(|| UnwrapError::Damaged(format!("no valid ARN found in '{arn}'")))?;
        let wrapped = base64(key.wrapped, "the encrypted data key")?;
        let context: BTreeMap<&str, &str> = key
            .fields
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("context.")?, value.as_str())))
            .collect();
        let body = json!({"KeyId": arn, "CiphertextBlob": STANDARD.encode(wrapped), "EncryptionContext": context});
        let credentials = self.credentials(key, region)?;
        let target = Some("TrentService.Decrypt");
        let answer = self
            .cloud
            .aws_call(
                Some(&credentials),
                "kms",
                region,
                target,
                body.to_string().into(),
            )
            .map_err(|error| error.while_trying("failed to decrypt sops data key with AWS KMS"))?;
        let decrypted: Decrypted = read(&answer, "the answer of AWS KMS")?;
        Ok(base64(&decrypted.plaintext, "the answer of AWS KMS")?.into())
    }
}

/// The region of a key: `arn:aws…:kms:REGION:ACCOUNT:key/…`.
fn region(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let known = parts.next() == Some("arn") && parts.next()?.starts_with("aws");
    let known = known && parts.next() == Some("kms");
    let region = parts.next().filter(|region| !region.is_empty())?;
    let account = parts.next()?;
    let known = known && !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    let (kind, id) = parts.next()?.split_once('/')?;
    (known && matches!(kind, "key" | "alias") && !id.is_empty()).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_stands_in_the_arn() {
        assert_eq!(
            region("arn:aws-cn:kms:cn-north-1:012345678901:alias/a/b"),
            Some("cn-north-1")
        );
        for wrong in [
            "",
            "arn:aws:kms::1:key/a",
            "arn:aws:kms:eu-west-1:x:key/a",
            "arn:aws:s3:eu-west-1:1:key/a",
            "arn:aws:kms:eu-west-1:1:key/",
        ] {
            assert_eq!(region(wrong), None, "{wrong}");
        }
    }
}
