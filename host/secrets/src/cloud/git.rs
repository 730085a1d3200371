//! Logins for the Git services of two clouds, Amazon's CodeCommit and Azure DevOps, as whoever this process is there.
//!
//! A login goes to hosts that the cloud owns and over TLS, which is decided here, and to no other.

use super::{Cloud, CloudError, aws, azure};
use crate::Secret;

/// Whose service it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    CodeCommit,
    AzureDevOps,
}

/// How a server is told who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitLogin {
    Basic { user: Secret, password: Secret },
    Bearer(Secret),
}

/// What a token for Azure DevOps is good for.
const AZURE_SCOPE: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";

impl Cloud {
    /// The login for a repository. One for CodeCommit is good for some minutes, and for that repository.
    ///
    /// # Errors
    ///
    /// When the address is none of that service, nobody is logged in, or who it is is refused.
    pub fn git_login(&self, service: Service, url: &str) -> Result<GitLogin, CloudError> {
        match service {
            Service::CodeCommit => self.codecommit(url),
            Service::AzureDevOps => {
                if !is_azure(url) {
                    return Err(CloudError::Login(format!(
                        "invalid Azure DevOps Git URL: '{url}'. must be of https://dev.azure.com or https://NAME.visualstudio.com"
                    )));
                }
                let token = self.azure_token(&azure::Login::Found, AZURE_SCOPE)?;
                Ok(GitLogin::Bearer(token))
            }
        }
    }

    fn codecommit(&self, url: &str) -> Result<GitLogin, CloudError> {
        let (host, path, region) = codecommit_place(url).ok_or_else(|| {
            CloudError::Login(format!(
                "invalid AWS CodeCommit Git URL: '{url}'. must be of https://git-codecommit.REGION.amazonaws.com"
            ))
        })?;
        let by = self.aws(&aws::Login::Found { profile: None }, region)?;
        let password = aws::sign::git_password(&by, host, path, region, self.around.now());
        let mut user = by.id.clone().into_bytes();
        if let Some(session) = &by.session {
            user.push(b'%');
            user.extend_from_slice(session.trimmed());
        }
        let user = user.into();
        Ok(GitLogin::Basic { user, password })
    }
}

/// Host and path of an address over TLS.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://")?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// Host, path and region.
fn codecommit_place(url: &str) -> Option<(&str, &str, &str)> {
    let (host, path) = split(url)?;
    let name = ["git-codecommit.", "git-codecommit-fips."]
        .iter()
        .find_map(|start| host.strip_prefix(start))?;
    let region = [".amazonaws.com", ".amazonaws.com.cn"]
        .iter()
        .find_map(|end| name.strip_suffix(end))?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = !region.is_empty() && region.bytes().all(plain);
    is_region.then_some((host, path, region))
}

fn is_azure(url: &str) -> bool {
    let Some((host, _)) = split(url) else {
        return false;
    };
    let plain = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !name.is_empty() && name.bytes().all(letter)
    };
    // An address of Azure DevOps may begin with the name of an organisation, as a user.
    let host = match host.split_once('@') {
        Some((user, host)) if plain(user) => host,
        Some(_) => return false,
        None => host,
    };
    host == "dev.azure.com" || host.strip_suffix(".visualstudio.com").is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::{codecommit_place, is_azure};

    #[test]
    fn places_of_codecommit() {
        let check = |url: &str, region: Option<&str>| {
            assert_eq!(codecommit_place(url).map(|place| place.2), region, "{url}");
        };
        let own = "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet";
        check(own, Some("eu-west-1"));
        let china = "https://git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/fleet";
        check(china, Some("cn-north-1"));
        let fips = "https://git-codecommit-fips.us-gov-west-1.amazonaws.com/v1/repos/x";
        check(fips, Some("us-gov-west-1"));
        for other in [
            "http://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet",
            "https://git-codecommit.eu-west-1.amazonaws.com.example.org/v1/repos/fleet",
            "https://git-codecommit.eu-west-1.amazonaws.com:444/v1/repos/fleet",
            "https://example.org/git-codecommit.eu-west-1.amazonaws.com",
            "https://x@git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet",
            "https://git-codecommit..amazonaws.com/",
            "https://git-codecommit.a.b.amazonaws.com/",
            "ssh://git-codecommit.eu-west-1.amazonaws.com/v1/repos/fleet",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn places_of_azure() {
        assert!(is_azure("https://dev.azure.com/acme/team/_git/fleet"));
        assert!(is_azure("https://acme@dev.azure.com/acme/team/_git/fleet"));
        assert!(is_azure("https://acme.visualstudio.com/team/_git/fleet"));
        for other in [
            "http://dev.azure.com/acme",
            "https://dev.azure.com.example.org/acme",
            "https://example.org/dev.azure.com",
            "https://dev.azure.com:444/acme",
            "https://.visualstudio.com/x",
            "https://a.b.visualstudio.com/x",
            "https://example.org\\@dev.azure.com/x",
            "ssh://git@ssh.dev.azure.com/v3/acme",
        ] {
            assert!(!is_azure(other), "{other}");
        }
    }
}
