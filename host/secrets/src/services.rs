//! Key services: what unwraps data keys without showing its own key.

mod aws_kms;
mod azure_key_vault;
mod gcp_kms;
mod transit;

pub use aws_kms::AwsKms;
pub use azure_key_vault::AzureKeyVault;
pub use gcp_kms::GcpKms;
pub use transit::Transit;

use crate::cloud::Cloud;
use crate::cloud::{aws, azure, gcp};
use crate::{KeyService, Keyring, UnwrapError, WrappedKey};

/// How to log in at each service. What says nothing is found around this process.
#[derive(Clone, Debug, Default)]
pub struct Logins {
    pub aws: Option<aws::Credentials>,
    pub azure: Option<azure::Login>,
    pub gcp: Option<gcp::Credentials>,
    /// Vault's token.
    pub vault: Option<crate::Secret>,
}

impl Keyring {
    /// Adds all key services.
    #[must_use]
    pub fn with_services(self, cloud: &Cloud, logins: Logins) -> Self {
        let aws = logins.aws.map(aws::Login::Keys);
        let gcp = logins
            .gcp
            .map(|credentials| gcp::Login::Credentials(Box::new(credentials)));
        self.with(AwsKms::new(cloud.clone(), aws))
            .with(GcpKms::new(cloud.clone(), gcp.unwrap_or(gcp::Login::Found)))
            .with(AzureKeyVault::new(
                cloud.clone(),
                logins.azure.unwrap_or(azure::Login::Found),
            ))
            .with(Transit::new(cloud.clone(), logins.vault))
            .with(Huawei)
    }
}

/// Says that Huawei's service is not supported.
#[derive(Debug)]
struct Huawei;

impl KeyService for Huawei {
    fn schemes(&self) -> &[&'static str] {
        &["huawei-kms"]
    }

    fn unwrap(&self, _: &WrappedKey<'_>) -> Result<crate::Secret, UnwrapError> {
        Err(UnwrapError::NoKey(
            "the key service of Huawei Cloud is not supported; add a key of another kind to the file with `sops updatekeys`".to_owned(),
        ))
    }
}

/// The bytes of a field that is base64.
fn base64(text: &[u8], what: &str) -> Result<Vec<u8>, UnwrapError> {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|_| UnwrapError::Damaged(format!("{what} is no base64")))
}
