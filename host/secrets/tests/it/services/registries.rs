//! Logins for the registries of clouds, and keys for whom a directory knows.

use anyhow::{Context as _, Result};
use weir_secrets::cloud::Cloud;
use weir_secrets::cloud::aws::{self, Ldap};
use weir_secrets::cloud::registry::Provider;
use weir_secrets::{Secret, Surroundings as _};
use weir_testing::doubles;
use weir_testing::doubles::registry::{amazon_registry, azure_exchange, azure_refresh_token};
use weir_testing::proxy::Proxy;
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::{WebAnswer, WebServer};

use super::desk::Desk;
use super::{Amazon, TOKEN, write};

const ACR: &str = "acme.azurecr.io";
const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The user and the password, or the error's text.
fn ask(cloud: &Cloud, provider: Provider, host: &str) -> Result<(String, String), String> {
    let login = cloud.registry_login(provider, host);
    let login = login.map_err(|error| error.to_string())?;
    let password = login.password.text().unwrap_or_default().to_owned();
    Ok((login.user, password))
}

#[test]
fn amazons_gives_a_login_that_is_kept() -> Result<()> {
    let Some(amazon) = Amazon::start()? else {
        return Ok(());
    };
    let cloud = Cloud::new(amazon.desk()?);
    let (user, password) = ask(&cloud, Provider::Aws, ECR).map_err(anyhow::Error::msg)?;
    assert_eq!(user, "AWS");
    assert!(password.contains("auth-token"), "{password}");
    Ok(())
}

#[test]
fn amazons_two_interfaces_are_asked_as_they_are_described() -> Result<()> {
    let server = WebServer::start(|request| amazon_registry(request, "AKIAGOOD", TOKEN))?;
    let desk = |id: &str| -> Result<Desk> {
        Ok(Desk::new()?
            .with("AWS_ENDPOINT_URL", &server.url(""))
            .with("AWS_ACCESS_KEY_ID", id)
            .with("AWS_SECRET_ACCESS_KEY", "hush"))
    };
    let cloud = Cloud::new(desk("AKIAGOOD")?);
    let expected = Ok(("AWS".to_owned(), TOKEN.to_owned()));
    for host in [ECR, "public.ecr.aws"] {
        assert_eq!(ask(&cloud, Provider::Aws, host), expected, "{host}");
    }
    // The region is that of the host, and what was given is kept.
    let asked = server.requests();
    let region = |number: usize| asked[number].authorization.clone().unwrap_or_default();
    assert!(region(0).contains("/eu-west-1/ecr/"), "{}", region(0));
    assert!(
        region(1).contains("/us-east-1/ecr-public/"),
        "{}",
        region(1)
    );
    assert_eq!(ask(&cloud, Provider::Aws, ECR), expected);
    assert_eq!(server.requests().len(), asked.len());
    let refused = ask(&Cloud::new(desk("AKIABAD")?), Provider::Aws, ECR).unwrap_err();
    assert!(
        refused.contains("asking for a login of ECR")
            && refused.contains("UnrecognizedClientException"),
        "{refused}"
    );
    let nobody = Desk::new()?.with("AWS_ENDPOINT_URL", &server.url(""));
    let nobody = ask(&Cloud::new(nobody), Provider::Aws, ECR).unwrap_err();
    assert!(
        nobody.starts_with("AWS credentials: none were found"),
        "{nobody}"
    );
    // Nothing is asked for a host of somebody else.
    let before = server.requests().len();
    let other = ask(&cloud, Provider::Aws, &format!("{ECR}.example.org")).unwrap_err();
    assert!(other.starts_with("invalid AWS registry: "), "{other}");
    assert_eq!(server.requests().len(), before);
    Ok(())
}

#[test]
fn azures_exchanges_a_token() -> Result<()> {
    let server = WebServer::start(|request| match request.path.as_str() {
        "/oauth2/exchange" if request.header("host") == Some(ACR) => {
            azure_exchange(request, ACR, TOKEN, "own")
        }
        _ => doubles::azure(request, TOKEN),
    })?;
    let authority = Authority::new()?;
    let identity = authority.server_of(&[ACR, "login.microsoftonline.com"])?;
    let tls = TlsServer::start(&server.url(""), &identity, None)?;
    let proxy = Proxy::leading_to(&tls.host())?;
    let [tenant, client, password] = doubles::AZURE_LOGIN;
    let desk = |password: &str| -> Result<Desk> {
        Ok(Desk::behind(&proxy.url(), authority.pem())?
            .with("AZURE_TENANT_ID", tenant)
            .with("AZURE_CLIENT_ID", client)
            .with("AZURE_CLIENT_SECRET", password))
    };
    let cloud = Cloud::new(desk(password)?);
    let user = "00000000-0000-0000-0000-000000000000".to_owned();
    let expected = Ok((user, azure_refresh_token("own")));
    assert_eq!(ask(&cloud, Provider::Azure, ACR), expected);
    let asked = server.requests().len();
    assert_eq!(ask(&cloud, Provider::Azure, ACR), expected);
    assert_eq!(server.requests().len(), asked, "what was given is kept");
    let refused = ask(&Cloud::new(desk("hush-wrong")?), Provider::Azure, ACR).unwrap_err();
    assert!(
        refused.starts_with("Azure credentials: ") && !refused.contains("hush-wrong"),
        "{refused}"
    );
    let other = ask(&cloud, Provider::Azure, "acme.azurecr.io.example.org").unwrap_err();
    assert!(other.starts_with("invalid Azure registry: "), "{other}");
    Ok(())
}

#[test]
fn googles_takes_the_token_itself() -> Result<()> {
    let server = WebServer::start(|request| doubles::google(request, TOKEN))?;
    let cloud = Cloud::new(Desk::new()?.with("GCE_METADATA_HOST", &server.host()));
    let expected = Ok(("oauth2accesstoken".to_owned(), TOKEN.to_owned()));
    assert_eq!(
        ask(&cloud, Provider::Gcp, "europe-docker.pkg.dev"),
        expected
    );
    let other = ask(&cloud, Provider::Gcp, "docker.pkg.dev.example.org").unwrap_err();
    assert!(other.starts_with("invalid GCP registry: "), "{other}");
    let nobody = Cloud::new(Desk::new()?.with("GCE_METADATA_HOST", "127.0.0.1:1"));
    let nobody = ask(&nobody, Provider::Gcp, "gcr.io").unwrap_err();
    assert!(
        nobody.starts_with("Google credentials: none were found"),
        "{nobody}"
    );
    Ok(())
}

#[test]
fn keys_of_two_token_services_are_not_mixed_up() -> Result<()> {
    let service = |id: &'static str| {
        WebServer::start(move |_| {
            WebAnswer::ok(format!(
                "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
            ))
        })
    };
    let (one, two) = (service("ASIA1")?, service("ASIA2")?);
    let desk = Desk::new()?;
    let token = write(&desk.home().join("token"), "of the cluster\n")?;
    let desk = desk
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .with("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/weir")
        .with("AWS_ENDPOINT_URL_STS", &one.url(""));
    let cloud = Cloud::new(desk.clone());
    let login = aws::Login::Found { profile: None };
    assert_eq!(cloud.aws(&login, "eu-west-1")?.id, "ASIA1");
    let elsewhere = cloud.seen_from(desk.with("AWS_ENDPOINT_URL_STS", &two.url("")));
    assert_eq!(elsewhere.aws(&login, "eu-west-1")?.id, "ASIA2");
    assert_eq!(cloud.aws(&login, "eu-west-1")?.id, "ASIA1");
    assert_eq!((one.requests().len(), two.requests().len()), (1, 1));
    Ok(())
}

#[test]
fn a_directory_gives_keys_for_a_name_and_a_password() -> Result<()> {
    let server = WebServer::start(|request| {
        let field = |name| request.field(name).unwrap_or_default();
        let right = field("Action") == "AssumeRoleWithLDAPIdentity"
            && field("Version") == "2011-06-15"
            && field("LDAPUsername") == "ann"
            && field("LDAPPassword") == "hush & hush";
        match right {
            true => WebAnswer::ok("<AssumeRoleWithLDAPIdentityResponse><AssumeRoleWithLDAPIdentityResult><Credentials><AccessKeyId>LDAP1</AccessKeyId><SecretAccessKey>k</SecretAccessKey><SessionToken>t</SessionToken></Credentials></AssumeRoleWithLDAPIdentityResult></AssumeRoleWithLDAPIdentityResponse>"),
            false => WebAnswer::ok("<ErrorResponse><Error><Code>InvalidParameterValue</Code><Message>LDAP server error</Message></Error></ErrorResponse>").with_status(400),
        }
    })?;
    let desk = Desk::new()?;
    let keys = |password: &str| -> Result<String, String> {
        let ldap = Ldap {
            endpoint: server.url("/"),
            user: "ann".to_owned(),
            password: Secret::from(password),
        };
        let answer = desk.send(&ldap.request())?;
        let keys = ldap.keys(answer);
        keys.map(|keys| keys.id).map_err(|error| error.to_string())
    };
    assert_eq!(keys("hush & hush").as_deref(), Ok("LDAP1"));
    let refused = keys("wrong").err().context("a wrong password is refused")?;
    assert!(
        refused.ends_with("status 400: InvalidParameterValue: LDAP server error"),
        "{refused}"
    );
    Ok(())
}
