//! Logins for the container registries of the three clouds, as whoever this process is there.
//!
//! A login goes to hosts that the cloud owns, which is decided here by their names, and to no other.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::{Cloud, CloudError, aws, azure, gcp, read};
use crate::Secret;
use crate::surroundings::{WebAnswer, WebRequest};

/// Whose registry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Aws,
    Azure,
    Gcp,
}

/// A name and a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLogin {
    pub user: String,
    pub password: Secret,
}

/// Amazon's registry that is everybody's.
const PUBLIC: &str = "public.ecr.aws";
/// Where it gives logins.
const PUBLIC_REGION: &str = "us-east-1";
/// Domains of Amazon's registries.
const AMAZON: [&str; 8] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "sc2s.sgov.gov",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
    "on.aws",
];
/// Ends of Azure's registries.
const AZURE: [&str; 4] = [".azurecr.io", ".azurecr.cn", ".azurecr.de", ".azurecr.us"];
/// What a token for Azure's registries is good for.
const AZURE_SCOPE: &str = "https://containerregistry.azure.net/.default";
/// Whom Azure's registries know a token by.
const AZURE_USER: &str = "00000000-0000-0000-0000-000000000000";
/// Whom Google's do.
const GOOGLE_USER: &str = "oauth2accesstoken";

impl Cloud {
    /// The login for a registry, by its host. It is kept until shortly before it ends.
    ///
    /// # Errors
    ///
    /// When the host is none of that cloud's registries, nobody is logged in, or who it is is refused.
    pub fn registry_login(
        &self,
        provider: Provider,
        host: &str,
    ) -> Result<RegistryLogin, CloudError> {
        match provider {
            Provider::Aws => self.amazon_registry(host),
            Provider::Azure => self.azure_registry(host),
            Provider::Gcp => {
                if !is_google(host) {
                    return Err(CloudError::Login(format!(
                        "invalid GCP registry: '{host}'. must be gcr.io, *.gcr.io or *-docker.pkg.dev"
                    )));
                }
                let password = self.gcp_token(&gcp::Login::Found)?;
                Ok(RegistryLogin {
                    user: GOOGLE_USER.to_owned(),
                    password,
                })
            }
        }
    }

    fn amazon_registry(&self, host: &str) -> Result<RegistryLogin, CloudError> {
        let region = amazon_region(host).ok_or_else(|| {
            CloudError::Login(format!(
                "invalid AWS registry: '{host}'. must be ACCOUNT.dkr.ecr.REGION.amazonaws.com or {PUBLIC}"
            ))
        })?;
        let (service, target) = if host == PUBLIC {
            ("ecr-public", "SpencerFrontendService.GetAuthorizationToken")
        } else {
            (
                "ecr",
                "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            )
        };
        let name = format!("{service} {region}");
        self.registries.get(&name, self.around.now(), || {
            let by = self.aws(&aws::Login::Found { profile: None }, region)?;
            let answer = self.aws_call(Some(&by), service, region, Some(target), "{}".into());
            let answer = answer.map_err(|error| error.while_trying("asking for a login of ECR"))?;
            amazon_login(&answer)
        })
    }

    /// A token of Entra is exchanged for one of the registry itself.
    fn azure_registry(&self, host: &str) -> Result<RegistryLogin, CloudError> {
        #[derive(Deserialize)]
        struct Exchanged {
            refresh_token: Secret,
        }
        if !is_azure(host) {
            return Err(CloudError::Login(format!(
                "invalid Azure registry: '{host}'. must be NAME.azurecr.io or of another of Azure's clouds"
            )));
        }
        let name = format!("acr {host}");
        self.registries.get(&name, self.around.now(), || {
            let token = self.azure_token(&azure::Login::Found, AZURE_SCOPE)?;
            let form = [
                ("grant_type", "access_token"),
                ("service", host),
                ("access_token", token.text().unwrap_or_default()),
            ];
            let url = format!("https://{host}/oauth2/exchange");
            let request = WebRequest::new("POST", url).form(&form);
            let answer = self.ask(&request, complaint)?;
            let exchanged: Exchanged = read(&answer, "the answer of the registry")?;
            let until = end_of(&exchanged.refresh_token);
            let login = RegistryLogin {
                user: AZURE_USER.to_owned(),
                password: exchanged.refresh_token,
            };
            Ok((login, until.map(|end| UNIX_EPOCH + end)))
        })
    }
}

/// The region of a registry of Amazon's, where its logins are given.
fn amazon_region(host: &str) -> Option<&str> {
    if host == PUBLIC {
        return Some(PUBLIC_REGION);
    }
    let rest = host.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if rest.len() == host.len() {
        return None;
    }
    let rest = rest
        .strip_prefix(".dkr.ecr")
        .or_else(|| rest.strip_prefix(".dkr-ecr"))?;
    let rest = rest.strip_prefix("-fips").unwrap_or(rest);
    let (region, domain) = rest.strip_prefix('.')?.split_once('.')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let right = !region.is_empty() && region.bytes().all(plain) && AMAZON.contains(&domain);
    right.then_some(region)
}

fn is_google(host: &str) -> bool {
    let below = |end: &str| host.len() > end.len() && host.ends_with(end);
    matches!(host, "gcr.io" | "docker.s3nsregistry.fr")
        || below(".gcr.io")
        || below("-docker.pkg.dev")
}

fn is_azure(host: &str) -> bool {
    AZURE
        .iter()
        .any(|end| host.len() > end.len() && host.ends_with(end))
}

/// The login in an answer of ECR, of which the public one has no list.
fn amazon_login(
    answer: &WebAnswer,
) -> Result<(RegistryLogin, Option<std::time::SystemTime>), CloudError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        authorization_data: Data,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Data {
        Several(Vec<Given>),
        One(Given),
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        authorization_token: Secret,
        /// Seconds, with a fraction.
        expires_at: Option<f64>,
    }
    let wrong = || CloudError::Refused("the answer of ECR is not what it should be".to_owned());
    let answer: Answer = read(answer, "the answer of ECR")?;
    let given = match answer.authorization_data {
        Data::One(given) => given,
        Data::Several(list) => list.into_iter().next().ok_or_else(wrong)?,
    };
    let pair = STANDARD.decode(given.authorization_token.trimmed());
    let pair = Secret::from(pair.map_err(|_| wrong())?);
    let (user, password) = pair
        .text()
        .and_then(|pair| pair.split_once(':'))
        .ok_or_else(wrong)?;
    let until = given
        .expires_at
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|end| UNIX_EPOCH.checked_add(end));
    let login = RegistryLogin {
        user: user.to_owned(),
        password: password.into(),
    };
    Ok((login, until))
}

/// When a token ends, since 1970, as it says itself.
fn end_of(token: &Secret) -> Option<Duration> {
    let claims = token.text()?.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_u64().map(Duration::from_secs)
}

/// What an answer of Azure's registries complains of.
fn complaint(answer: &WebAnswer) -> Option<String> {
    super::coded(answer, &["/errors/0/code"], &["/errors/0/message"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_amazon_have_a_region() {
        let check =
            |host: &str, region: Option<&str>| assert_eq!(amazon_region(host), region, "{host}");
        check("1234.dkr.ecr.eu-west-1.amazonaws.com", Some("eu-west-1"));
        check(
            "1234.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            Some("us-gov-west-1"),
        );
        check("1234.dkr-ecr.eu-west-1.on.aws", Some("eu-west-1"));
        check(
            "1234.dkr.ecr.cn-north-1.amazonaws.com.cn",
            Some("cn-north-1"),
        );
        check("public.ecr.aws", Some("us-east-1"));
        for other in [
            "",
            "dkr.ecr.eu-west-1.amazonaws.com",
            "1234.dkr.ecr.eu-west-1.amazonaws.com.example.org",
            "1234.dkr.ecr.eu-west-1.amazonaws.com:5000",
            "1234.dkr.ecr..amazonaws.com",
            "1234.dkr.ecr.a/b.amazonaws.com",
            "example.org",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn hosts_of_others_are_known_by_their_ends() {
        for host in ["gcr.io", "eu.gcr.io", "europe-docker.pkg.dev"] {
            assert!(is_google(host), "{host}");
        }
        for host in [
            "evilgcr.io",
            "-docker.pkg.dev",
            "gcr.io.example.org",
            "pkg.dev",
        ] {
            assert!(!is_google(host), "{host}");
        }
        assert!(is_azure("acme.azurecr.io") && is_azure("acme.azurecr.cn"));
        for host in [
            ".azurecr.io",
            "azurecr.io",
            "acme.azurecr.io:443",
            "acme.azurecr.io.x",
        ] {
            assert!(!is_azure(host), "{host}");
        }
    }

    #[test]
    fn a_token_says_when_it_ends() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"exp":1700000000}"#);
        let token = Secret::from(format!("x.{claims}.y"));
        assert_eq!(end_of(&token), Some(Duration::from_secs(1_700_000_000)));
        assert_eq!(end_of(&"opaque".into()), None);
    }
}
