//! As whom a bucket is read: what its Secret says, else whoever this process is there.

use weir_api::names::reasons;
use weir_api::source::Bucket;
use weir_api::source::bucket::StsProvider;
use weir_api::source::helm::CloudProvider;
use weir_secrets::Secret;
use weir_secrets::cloud::aws::{self, Credentials, Ldap};
use weir_secrets::cloud::azure::{self, Principal, Proof, SharedKey};
use weir_secrets::cloud::{CloudError, gcp};
use weir_source::bucket::{Access, AzureLogin};
use weir_source::{Bodies, ClientSpec, ProxySpec, Redirects};

use super::super::cloud::{self, Way};
use super::super::{Problem, TIMEOUT, secret};
use crate::reconcile::{Context, Run};

/// Of servers that know no regions.
const REGION: &str = "us-east-1";
/// What a token for Azure's storage is good for.
const AZURE_SCOPE: &str = "https://storage.azure.com/.default";
/// Ends of Google's hosts.
const GOOGLE: [&str; 2] = [".googleapis.com", ".s3nsapis.fr"];
/// Ends of Azure's hosts.
const AZURE: [&str; 5] = [
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
];

pub(super) async fn access(
    ctx: &Context,
    run: &Run,
    source: &Bucket,
    proxy: Option<&ProxySpec>,
) -> Result<Access, Problem> {
    let own = secret::read(ctx, run, source.spec.secret_ref.as_ref()).await?;
    let asker = Asker {
        ctx,
        run,
        source,
        proxy,
    };
    match source.spec.provider.unwrap_or(CloudProvider::Generic) {
        CloudProvider::Generic | CloudProvider::Aws => asker.amazon(own).await,
        CloudProvider::Gcp => asker.google(own).await,
        CloudProvider::Azure => asker.azure(own).await,
    }
}

/// Flux's rules about which token service goes with which provider.
pub(super) fn check_sts(source: &Bucket) -> Result<(), Problem> {
    let Some(sts) = &source.spec.sts else {
        return Ok(());
    };
    let provider = source.spec.provider.unwrap_or(CloudProvider::Generic);
    let (service, fits) = match sts.provider {
        StsProvider::Aws => ("aws", provider == CloudProvider::Aws),
        StsProvider::Ldap => ("ldap", provider == CloudProvider::Generic),
    };
    let name = match provider {
        CloudProvider::Generic => "generic",
        CloudProvider::Aws => "aws",
        CloudProvider::Azure => "azure",
        CloudProvider::Gcp => "gcp",
    };
    let refuse = |what: String| Err(Problem::stalled(reasons::INVALID_STS_CONFIGURATION, what));
    match provider {
        CloudProvider::Azure | CloudProvider::Gcp => refuse(format!(
            "STS configuration is not supported for '{name}' bucket provider"
        )),
        CloudProvider::Generic | CloudProvider::Aws if !fits => refuse(format!(
            "STS provider '{service}' is not supported for '{name}' bucket provider"
        )),
        CloudProvider::Aws if sts.secret_ref.is_some() => refuse(format!(
            "spec.sts.secretRef is not required for the '{service}' STS provider"
        )),
        CloudProvider::Aws if sts.cert_secret_ref.is_some() => refuse(format!(
            "spec.sts.certSecretRef is not required for the '{service}' STS provider"
        )),
        CloudProvider::Generic | CloudProvider::Aws => Ok(()),
    }
}

/// Who asks, and for which object.
struct Asker<'a> {
    ctx: &'a Context,
    run: &'a Run,
    source: &'a Bucket,
    proxy: Option<&'a ProxySpec>,
}

impl Asker<'_> {
    async fn amazon(&self, own: Option<secret::Secret>) -> Result<Access, Problem> {
        let spec = &self.source.spec;
        let region = spec.region.clone().filter(|region| !region.is_empty());
        let keys = match own {
            Some(own) => match (own.text("accesskey"), own.secret("secretkey")) {
                (Some(id), Some(key)) => Some(Credentials {
                    id: id.to_owned(),
                    secret: key.expose().into(),
                    session: None,
                }),
                _ => {
                    return Err(invalid(&own, "required fields 'accesskey' and 'secretkey'"));
                }
            },
            None if spec.provider == Some(CloudProvider::Aws) => {
                Some(self.amazon_found(region.clone()).await?)
            }
            None => self.directory().await?,
        };
        let region = region.or_else(|| region_of(&spec.endpoint).map(str::to_owned));
        Ok(Access::S3 {
            region: region.unwrap_or_else(|| REGION.to_owned()),
            keys,
        })
    }

    /// The keys that are found around this process.
    async fn amazon_found(&self, region: Option<String>) -> Result<Credentials, Problem> {
        let failed = |what: String| {
            Problem::fetch(
                reasons::AUTHENTICATION_FAILED,
                format!("AWS authentication failed: {what}"),
            )
        };
        let region = region
            .or_else(|| self.ctx.cloud.aws_region())
            .ok_or_else(|| {
                failed("neither spec.region nor the variable AWS_REGION names a region".to_owned())
            })?;
        let service = self.source.spec.sts.as_ref().map(|sts| &sts.endpoint);
        if let Some(service) = service.filter(|service| !aws::is_token_service(service)) {
            return Err(failed(format!(
                "invalid STS endpoint: '{}'. must be https://sts.REGION.amazonaws.com or an endpoint of a VPC",
                shown(service)
            )));
        }
        let way = Way {
            proxy: self.proxy.cloned(),
            token_service: service.cloned(),
        };
        let login = aws::Login::Found { profile: None };
        let keys = cloud::ask(self.ctx, way, move |one| one.aws(&login, &region)).await;
        let keys = keys.map_err(|error| failed(error.to_string()))?;
        self.hide_keys(&keys);
        Ok(keys)
    }

    /// The keys of whom a directory knows, if the bucket names one.
    async fn directory(&self) -> Result<Option<Credentials>, Problem> {
        let Some(sts) = &self.source.spec.sts else {
            return Ok(None);
        };
        let (mut user, mut password) = (String::new(), Secret::default());
        if let Some(own) = secret::read(self.ctx, self.run, sts.secret_ref.as_ref()).await? {
            match (own.text("username"), own.secret("password")) {
                (Some(name), Some(word)) => {
                    user = name.to_owned();
                    password = word.expose().into();
                }
                _ => {
                    let name = own.name().rsplit('/').next().unwrap_or_default();
                    return Err(Problem::fetch(
                        reasons::AUTHENTICATION_FAILED,
                        format!(
                            "invalid '{name}' secret data for 'ldap' STS provider: required fields username, password"
                        ),
                    ));
                }
            }
        }
        let certificates = sts.cert_secret_ref.as_ref();
        let client = ClientSpec {
            proxy: self.proxy.cloned(),
            ..secret::client(self.ctx, self.run, certificates, None).await?
        };
        let ldap = Ldap {
            endpoint: sts.endpoint.clone(),
            user,
            password,
        };
        let http = &self.ctx.sources.http;
        let answer = http.exchange_with(&client, &ldap.request(), TIMEOUT).await;
        let answer = answer.map_err(|reason| {
            CloudError::Unavailable(format!("{}: {reason}", shown(&ldap.endpoint)))
        });
        let keys = answer.and_then(|answer| ldap.keys(answer));
        let keys = keys.map_err(|error| self.unconfirmed(&error.to_string()))?;
        self.hide_keys(&keys);
        Ok(Some(keys))
    }

    async fn google(&self, own: Option<secret::Secret>) -> Result<Access, Problem> {
        let login = match &own {
            Some(own) => {
                let text = own
                    .text("serviceaccount")
                    .ok_or_else(|| invalid(own, "required fields 'serviceaccount'"))?;
                let credentials = gcp::Credentials::parse(text.as_bytes())
                    .map_err(|error| invalid(own, &error.to_string()))?;
                // What names a file of this process, or a place that is asked on its behalf, is not for a Secret to say.
                if matches!(credentials, gcp::Credentials::ExternalAccount { .. }) {
                    return Err(invalid(
                        own,
                        "credentials of an external account are not supported in a Secret; name a key of a service account",
                    ));
                }
                gcp::Login::Credentials(Box::new(credentials))
            }
            None => {
                self.only_to(&GOOGLE)?;
                gcp::Login::Found
            }
        };
        let token = cloud::ask(self.ctx, self.way(), move |one| one.gcp_token(&login)).await;
        let token = token.map_err(|error| self.unconfirmed(&error.to_string()))?;
        cloud::hide(self.ctx, self.run, &token);
        Ok(Access::Google { token: Some(token) })
    }

    async fn azure(&self, own: Option<secret::Secret>) -> Result<Access, Problem> {
        let login = match own {
            Some(own) => match principal(&own)? {
                Some(login) => login,
                None => return self.azure_without_token(&own).map(Access::Azure),
            },
            None => azure::Login::Found,
        };
        if !matches!(login, azure::Login::Principal(_)) {
            self.only_to(&AZURE)?;
        }
        let asked = move |one: &weir_secrets::cloud::Cloud| one.azure_token(&login, AZURE_SCOPE);
        let token = cloud::ask(self.ctx, self.way(), asked).await;
        let token = token.map_err(|error| self.unconfirmed(&error.to_string()))?;
        cloud::hide(self.ctx, self.run, &token);
        Ok(Access::Azure(AzureLogin::Token(token)))
    }

    fn azure_without_token(&self, own: &secret::Secret) -> Result<AzureLogin, Problem> {
        if let Some(key) = own.text("accountKey") {
            let account = account_of(&self.source.spec.endpoint).map_err(|what| {
                let name = own.name().rsplit('/').next().unwrap_or_default();
                Problem::fetch(
                    reasons::AUTHENTICATION_FAILED,
                    format!("failed to create shared credential from '{name}' Secret data: {what}"),
                )
            })?;
            let key = SharedKey::parse(&account, key);
            return key
                .map(AzureLogin::Key)
                .map_err(|error| invalid(own, &error.to_string()));
        }
        if let Some(text) = own.text("sasKey") {
            // The parts of a signature that a server may say back.
            for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
                if name == "sig" {
                    self.ctx
                        .sources
                        .secrets(&self.run.id)
                        .learn(value.as_bytes());
                }
            }
            return Ok(AzureLogin::Signature(text.into()));
        }
        Err(invalid(
            own,
            "requires a 'clientId' or 'accountKey' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'",
        ))
    }

    fn way(&self) -> Way {
        Way {
            proxy: self.proxy.cloned(),
            ..Way::default()
        }
    }

    /// A token of this process is good for more than this bucket, so that it is shown to the cloud itself only.
    fn only_to(&self, ends: &[&str]) -> Result<(), Problem> {
        let spec = &self.source.spec;
        let plain = spec.endpoint.starts_with("http://")
            || spec.insecure == Some(true) && !spec.endpoint.contains("://");
        let host = host_of(&spec.endpoint);
        if !plain && ends.iter().any(|end| host.ends_with(end)) {
            return Ok(());
        }
        Err(Problem::stalled(
            reasons::AUTHENTICATION_FAILED,
            format!(
                "without secretRef the login of weir itself is used, which is sent over TLS and to the cloud's own hosts only; '{host}' is none, so name a Secret in spec.secretRef"
            ),
        ))
    }

    fn hide_keys(&self, keys: &Credentials) {
        cloud::hide(self.ctx, self.run, &keys.secret);
        if let Some(session) = &keys.session {
            cloud::hide(self.ctx, self.run, session);
        }
    }

    /// flux: these logins are made at the first request.
    fn unconfirmed(&self, what: &str) -> Problem {
        Problem::fetch(
            reasons::BUCKET_OPERATION_FAILED,
            format!(
                "failed to confirm existence of '{}' bucket: {what}",
                self.source.spec.bucket_name
            ),
        )
    }
}

/// flux: what is compressed in a bucket stays so with Amazon's protocol, and is taken apart with the others.
pub(super) fn bodies(access: &Access) -> Bodies {
    match access {
        Access::S3 { .. } => Bodies::AsSent,
        Access::Google { .. } | Access::Azure(_) => Bodies::Unpacked,
    }
}

/// Where requests of a login that says who asks must not be sent on.
pub(super) fn redirects(access: &Access) -> Redirects {
    match access {
        Access::S3 { keys: None, .. }
        | Access::Google { token: None }
        | Access::Azure(AzureLogin::Anybody) => Redirects::Anywhere,
        Access::S3 { .. } | Access::Google { .. } | Access::Azure(_) => Redirects::SameServer,
    }
}

/// Who asks for a token, if the Secret says.
fn principal(own: &secret::Secret) -> Result<Option<azure::Login>, Problem> {
    let (tenant, client) = (own.text("tenantId"), own.text("clientId"));
    if let (Some(tenant), Some(client)) = (tenant, client) {
        let proof = match (own.text("clientSecret"), own.text("clientCertificate")) {
            (Some(password), _) => Some(Proof::Password(password.into())),
            (None, Some(pem)) => {
                if !pem.contains("-----BEGIN ") || own.has(&["clientCertificatePassword"]) {
                    return Err(invalid(
                        own,
                        "'clientCertificate' has to be PEM without a password; convert one in PKCS#12 with `openssl pkcs12 -nodes`",
                    ));
                }
                let chain = own.text("clientCertificateSendChain");
                if chain.is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true")) {
                    return Err(invalid(
                        own,
                        "'clientCertificateSendChain' is not supported",
                    ));
                }
                Some(Proof::Certificate(pem.into()))
            }
            (None, None) => None,
        };
        if let Some(proof) = proof {
            return Ok(Some(azure::Login::Principal(Principal {
                tenant: tenant.to_owned(),
                client: client.to_owned(),
                proof,
                authority: own.text("authorityHost").map(str::to_owned),
            })));
        }
    }
    Ok(client.map(|client| azure::Login::Machine {
        client: client.to_owned(),
    }))
}

fn invalid(own: &secret::Secret, what: &str) -> Problem {
    let name = own.name().rsplit('/').next().unwrap_or_default();
    Problem::fetch(
        reasons::AUTHENTICATION_FAILED,
        format!("invalid '{name}' secret data: {what}"),
    )
}

/// The storage account, by the first part of the host's name.
fn account_of(endpoint: &str) -> Result<String, String> {
    let host = host_of(endpoint);
    let parts: Vec<&str> = host.split('.').collect();
    match parts.as_slice() {
        [account, _, _, ..] => Ok((*account).to_owned()),
        _ => Err(format!(
            "failed to extract account name from endpoint: expected '{host}' to be a subdomain"
        )),
    }
}

/// The region that a host of Amazon's has in its name.
fn region_of(endpoint: &str) -> Option<&str> {
    let host = host_of(endpoint);
    let start = host
        .strip_prefix("s3.")
        .or_else(|| host.strip_prefix("s3-"))?;
    let region = start
        .strip_suffix(".amazonaws.com")
        .or_else(|| start.strip_suffix(".amazonaws.com.cn"))?;
    let region = region.strip_prefix("dualstack.").unwrap_or(region);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (region.contains('-') && region.bytes().all(plain)).then_some(region)
}

fn host_of(endpoint: &str) -> &str {
    let rest = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

/// An address without what may be secret.
fn shown(address: &str) -> &str {
    let plain = address.split(['?', '#']).next().unwrap_or_default();
    plain.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_accounts_and_regions() {
        let account = account_of("https://acme.blob.core.windows.net/x?y=z.a.b.c");
        assert_eq!(account.as_deref(), Ok("acme"));
        assert!(account_of("https://localhost:10000").is_err());
        assert_eq!(region_of("s3.eu-west-1.amazonaws.com"), Some("eu-west-1"));
        assert_eq!(
            region_of("s3.dualstack.eu-west-1.amazonaws.com"),
            Some("eu-west-1")
        );
        for other in [
            "s3.amazonaws.com",
            "s3.eu-west-1.amazonaws.com.example.org",
            "minio:9000",
        ] {
            assert_eq!(region_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_host_is_what_a_request_goes_to() {
        for (endpoint, host) in [
            ("storage.googleapis.com", "storage.googleapis.com"),
            (
                "https://evil.example.org/.googleapis.com",
                "evil.example.org",
            ),
            (
                "https://evil.example.org?.googleapis.com",
                "evil.example.org",
            ),
            (
                "https://evil.example.org#.googleapis.com",
                "evil.example.org",
            ),
            (
                "https://evil.example.org\\.googleapis.com",
                "evil.example.org",
            ),
            (
                "https://a.googleapis.com@evil.example.org:1",
                "evil.example.org",
            ),
        ] {
            assert_eq!(host_of(endpoint), host, "{endpoint}");
        }
    }
}
