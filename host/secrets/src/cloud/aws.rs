//! Amazon: access keys, roles that are assumed with them or with a token of the cluster, and signed requests.
//!
//! Without keys of its own a process looks where Amazon's tools look, in their order: variables, the token of a
//! Kubernetes service account, the profile in `~/.aws`, the agent of a container, the machine itself.

mod ldap;
mod profile;
pub(super) mod sign;

use std::time::SystemTime;

use serde::Deserialize;

use super::{Cloud, CloudError, read};
use crate::Secret;
use crate::surroundings::{FORM, WebAnswer, WebRequest, form};

pub use ldap::Ldap;
pub use sign::Signed;

/// What requests are signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub id: String,
    pub secret: Secret,
    /// Of keys that were given for a while.
    pub session: Option<Secret>,
}

/// Whose keys are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Keys(Credentials),
    /// Those that are found around this process. A profile, if it is not the one that `AWS_PROFILE` names.
    Found {
        profile: Option<String>,
    },
}

/// Where a machine of Amazon's says who it is.
const MACHINE: &str = "http://169.254.169.254";
/// Where the agent of a container does, for an address that is only a path.
const CONTAINER: &str = "http://169.254.170.2";
/// Hosts that a container's agent may be on without TLS.
const AGENTS: [&str; 6] = [
    "http://169.254.170.2/",
    "http://169.254.170.23/",
    "http://[fd00:ec2::23]/",
    "http://127.0.0.1",
    "http://localhost",
    "http://[::1]",
];

/// Keys as a container's agent, a machine or a program gives them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: Secret,
    #[serde(alias = "SessionToken")]
    token: Option<Secret>,
    expiration: Option<jiff::Timestamp>,
}

/// Keys and their end.
type Lent = (Credentials, Option<SystemTime>);

impl Cloud {
    /// The keys of a login.
    ///
    /// # Errors
    ///
    /// When there are none, or who should give them does not.
    pub fn aws(&self, login: &Login, region: &str) -> Result<Credentials, CloudError> {
        let profile = match login {
            Login::Keys(credentials) => return Ok(credentials.clone()),
            Login::Found { profile } => profile.as_deref(),
        };
        // Whoever gives the keys is part of whose keys they are.
        let service = self.aws_endpoint("sts", region).unwrap_or_default();
        let profile_name = profile.unwrap_or_default();
        let name = format!("found {profile_name} {region} {service}");
        self.credentials.get(&name, self.around.now(), || {
            self.find(profile, region)
                .map_err(|error| error.while_trying("AWS credentials"))
        })
    }

    /// The region that the environment names.
    #[must_use]
    pub fn aws_region(&self) -> Option<String> {
        let variable = |name| self.around.variable(name);
        variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))
    }

    /// The keys of a role, which these keys may assume.
    ///
    /// # Errors
    ///
    /// When they may not.
    pub fn assume_aws_role(
        &self,
        by: &Credentials,
        region: &str,
        role: &str,
        session: &str,
    ) -> Result<Credentials, CloudError> {
        let name = format!("{} assumes {role} in {region} as {session}", by.id);
        self.credentials.get(&name, self.around.now(), || {
            self.assume(by, region, role, session)
        })
    }

    /// A signed call of a service of Amazon's. `target`: the value of `X-Amz-Target`, for services that speak JSON.
    pub(crate) fn aws_call(
        &self,
        by: Option<&Credentials>,
        service: &'static str,
        region: &str,
        target: Option<&'static str>,
        body: Secret,
    ) -> Result<WebAnswer, CloudError> {
        let url = self.aws_endpoint(service, region)?;
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut request = WebRequest::new("POST", &url);
        request = match target {
            Some(target) => request
                .header("x-amz-target", target)
                .header("content-type", "application/x-amz-json-1.1"),
            None => request.header("content-type", FORM),
        };
        if let Some(by) = by {
            let signed = Signed {
                method: "POST",
                host,
                path: &format!("/{path}"),
                query: "",
                body: &body,
                region,
                service,
            };
            request
                .headers
                .extend(signed.headers(by, self.around.now()));
        }
        request.body = body;
        self.ask(&request, complaint)
    }

    /// Where a service is: where a variable says, else Amazon's own address in that region.
    fn aws_endpoint(&self, service: &str, region: &str) -> Result<String, CloudError> {
        let own = format!(
            "AWS_ENDPOINT_URL_{}",
            service.to_uppercase().replace('-', "_")
        );
        let named = self.around.variable(&own);
        if let Some(url) = named.or_else(|| self.around.variable("AWS_ENDPOINT_URL")) {
            return Ok(url.trim_end_matches('/').to_owned() + "/");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if region.is_empty() || !region.bytes().all(plain) {
            return Err(CloudError::Login(format!("{region:?} is no region of AWS")));
        }
        let domain = match region.split('-').next() {
            Some("cn") => "amazonaws.com.cn",
            Some("eusc") => "amazonaws.eu",
            _ if region.starts_with("us-iso-") => "c2s.ic.gov",
            _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
            _ => "amazonaws.com",
        };
        // Where registries are is not where their interface is.
        let api = if service.starts_with("ecr") {
            "api."
        } else {
            ""
        };
        Ok(format!("https://{api}{service}.{region}.{domain}/"))
    }

    fn find(&self, profile: Option<&str>, region: &str) -> Result<Lent, CloudError> {
        if profile.is_some() || self.around.variable("AWS_PROFILE").is_some() {
            return self.aws_profile(profile, region);
        }
        if let (Some(id), Some(secret)) = (
            self.around.variable("AWS_ACCESS_KEY_ID"),
            self.around.variable("AWS_SECRET_ACCESS_KEY"),
        ) {
            let session = self.around.variable("AWS_SESSION_TOKEN").map(Into::into);
            let secret = secret.into();
            return Ok((
                Credentials {
                    id,
                    secret,
                    session,
                },
                None,
            ));
        }
        if let Some(file) = self.around.variable("AWS_WEB_IDENTITY_TOKEN_FILE") {
            let role = self.around.variable("AWS_ROLE_ARN").unwrap_or_default();
            let session = self.around.variable("AWS_ROLE_SESSION_NAME");
            return self.assume_by_token(region, &role, session.as_deref(), &file);
        }
        if let Some(found) = self.default_profile(region)? {
            return Ok(found);
        }
        if let Some(address) = self.container_address()? {
            return self.ask_container(&address);
        }
        self.ask_machine()
    }

    /// Exchanges a token in a file, of a Kubernetes service account for one, for a role's keys.
    fn assume_by_token(
        &self,
        region: &str,
        role: &str,
        session: Option<&str>,
        file: &str,
    ) -> Result<Lent, CloudError> {
        let token = self.around.file(file);
        let token = token.as_ref().and_then(Secret::text);
        let token = token.ok_or_else(|| CloudError::Login(format!("{file} has no token")))?;
        let body = form(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("RoleArn", role),
            ("RoleSessionName", session.unwrap_or("weir")),
            ("Version", "2011-06-15"),
            ("WebIdentityToken", token),
        ]);
        let answer = self.aws_call(None, "sts", region, None, body);
        let answer =
            answer.map_err(|error| error.while_trying(&format!("assuming the role {role}")))?;
        role_keys(&answer)
    }

    fn assume(
        &self,
        by: &Credentials,
        region: &str,
        role: &str,
        session: &str,
    ) -> Result<Lent, CloudError> {
        let body = form(&[
            ("Action", "AssumeRole"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("Version", "2011-06-15"),
        ]);
        let answer = self.aws_call(Some(by), "sts", region, None, body);
        role_keys(
            &answer
                .map_err(|error| error.while_trying(&format!("failed to assume role '{role}'")))?,
        )
    }

    /// Where a container's agent is asked, if this is a container that has one.
    fn container_address(&self) -> Result<Option<String>, CloudError> {
        if let Some(path) = self
            .around
            .variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        {
            return Ok(Some(format!("{CONTAINER}{path}")));
        }
        let Some(url) = self.around.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") else {
            return Ok(None);
        };
        let known =
            url.starts_with("https://") || AGENTS.iter().any(|agent| url.starts_with(agent));
        if !known {
            return Err(CloudError::Login(format!(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI is {url:?}, which is neither HTTPS nor an agent on this machine"
            )));
        }
        Ok(Some(url))
    }

    fn ask_container(&self, address: &str) -> Result<Lent, CloudError> {
        let mut request = WebRequest::new("GET", address);
        let file = self
            .around
            .variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let token = match file {
            Some(file) => self.around.file(&file),
            None => self
                .around
                .variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
                .map(Into::into),
        };
        if let Some(token) = token {
            request = request.header("authorization", token.trimmed().to_vec());
        }
        let answer = self.ask(&request, complaint)?;
        read::<Given>(&answer, "the answer of the container's agent").map(Given::lent)
    }

    /// Asks the machine's metadata service, with the token that its second version wants.
    fn ask_machine(&self) -> Result<Lent, CloudError> {
        let off = self.around.variable("AWS_EC2_METADATA_DISABLED");
        if off.is_some_and(|off| off.eq_ignore_ascii_case("true")) {
            return Err(CloudError::Login(nothing_found()));
        }
        let named = self.around.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let base = named.unwrap_or_else(|| MACHINE.to_owned());
        let base = base.trim_end_matches('/');
        let request = WebRequest::new("PUT", format!("{base}/latest/api/token"))
            .header("x-aws-ec2-metadata-token-ttl-seconds", "300");
        // Nobody there: this is no machine of Amazon's, and nothing else is left to try.
        let token = self
            .ask(&request, complaint)
            .map_err(|_| CloudError::Login(nothing_found()))?;
        let ask = |path: &str| {
            let url = format!("{base}/latest/meta-data/iam/security-credentials/{path}");
            let request = WebRequest::new("GET", url)
                .header("x-aws-ec2-metadata-token", token.body.trimmed().to_vec());
            self.ask(&request, complaint)
        };
        let role = ask("")?;
        let role = role.body.text().and_then(|text| text.lines().next());
        let role = role.ok_or_else(|| CloudError::Login("the machine has no role".to_owned()))?;
        read::<Given>(&ask(role)?, "the answer of the machine").map(Given::lent)
    }
}

/// Whether an address is one of Amazon's own token services: a token of the cluster is sent to no other.
#[must_use]
pub fn is_token_service(address: &str) -> bool {
    let Some(host) = address
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"))
    else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let labels: Vec<&str> = host.split('.').collect();
    if !labels
        .iter()
        .all(|label| !label.is_empty() && label.bytes().all(plain))
    {
        return false;
    }
    let labels = labels.strip_suffix(&["vpce"]).unwrap_or(&labels);
    let service = |label: Option<&&str>| matches!(label, Some(&"sts" | &"sts-fips"));
    // With or without a region.
    service(labels.last()) || service(labels.iter().rev().nth(1))
}

fn nothing_found() -> String {
    "none were found: no variables (AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE), no profile in ~/.aws, and this is neither a container nor a machine with a role".to_owned()
}

impl Given {
    fn lent(self) -> Lent {
        let until = self.expiration.map(SystemTime::from);
        let credentials = Credentials {
            id: self.access_key_id,
            secret: self.secret_access_key,
            session: self.token,
        };
        (credentials, until)
    }
}

/// The keys in an answer of the token service.
fn role_keys(answer: &WebAnswer) -> Result<Lent, CloudError> {
    let text = answer.body.text().unwrap_or_default();
    let (Some(id), Some(secret), Some(session)) = (
        element(text, "AccessKeyId"),
        element(text, "SecretAccessKey"),
        element(text, "SessionToken"),
    ) else {
        return Err(CloudError::Refused(
            "the answer of the token service is not what it should be".to_owned(),
        ));
    };
    let until = element(text, "Expiration").and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let until = until.map(SystemTime::from);
    let credentials = Credentials {
        id: id.to_owned(),
        secret: secret.into(),
        session: Some(session.into()),
    };
    Ok((credentials, until))
}

/// The text of the first element of a name; what is looked for has no characters that XML writes otherwise.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.trim())
}

/// What an answer complains of: JSON of the services, XML of the token service.
pub(crate) fn complaint(answer: &WebAnswer) -> Option<String> {
    #[derive(Deserialize)]
    struct Complaint {
        #[serde(rename = "__type")]
        kind: String,
        #[serde(alias = "Message", default)]
        message: String,
    }
    if let Ok(said) = serde_json::from_slice::<Complaint>(&answer.body) {
        let kind = said.kind.rsplit('#').next().unwrap_or_default();
        let colon = if said.message.is_empty() { "" } else { ": " };
        return Some(format!("{kind}{colon}{}", said.message));
    }
    let text = answer.body.text()?;
    let code = element(text, "Code")?;
    let message = element(text, "Message").unwrap_or_default();
    Some(format!("{code}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_services_are_known_by_their_names() {
        for good in [
            "https://sts.amazonaws.com",
            "https://sts.eu-west-1.amazonaws.com",
            "https://sts-fips.us-east-1.amazonaws.com",
            "https://vpce-1-2.sts.us-east-1.vpce.amazonaws.com",
        ] {
            assert!(is_token_service(good), "{good}");
        }
        for bad in [
            "http://sts.amazonaws.com",
            "https://example.org/sts.amazonaws.com",
            "https://sts.amazonaws.com.example.org",
            "https://sts.amazonaws.com/x",
            "https://ann@sts.amazonaws.com",
            "https://s3.amazonaws.com",
            "https://.sts.amazonaws.com",
        ] {
            assert!(!is_token_service(bad), "{bad}");
        }
    }
}
