//! Every way to log in, once with success.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use weir_secrets::cloud::{Cloud, aws, azure, gcp};
use weir_secrets::services::Logins;
use weir_testing::doubles;
use weir_testing::web::{WebAnswer, WebServer};

use super::desk::Desk;
use super::{Amazon, Azure, PLAIN, TOKEN, encrypt, open, write};

/// A key of 2,048 bits, made anew.
fn rsa_key(desk: &Desk) -> Result<String> {
    let file = desk.home().join("key.pem");
    openssl(&["genpkey", "-quiet", "-algorithm", "RSA", "-out"], &file)?;
    Ok(fs::read_to_string(file)?)
}

/// What `openssl` prints.
fn openssl(arguments: &[&str], file: &Path) -> Result<String> {
    let made = Command::new("openssl").args(arguments).arg(file).output()?;
    let errors = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "openssl {arguments:?}: {errors}");
    Ok(String::from_utf8(made.stdout)?)
}

#[test]
fn google_logs_in_by_each_kind_of_credentials() -> Result<()> {
    let server = WebServer::start(|request| doubles::google(request, TOKEN))?;
    let desk = Desk::new()?;
    let token_uri = server.url("/token");
    let of_cluster = write(&desk.home().join("token"), "of the cluster\n")?;
    let in_json = write(
        &desk.home().join("token.json"),
        r#"{"t": "of the cluster"}"#,
    )?;
    let external = |source: serde_json::Value| {
        json!({"type": "external_account", "audience": "//pool", "token_url": server.url("/sts"),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source})
    };
    let kinds = [
        json!({"type": "service_account", "client_email": "weir@p.iam.gserviceaccount.com",
            "private_key": rsa_key(&desk)?, "private_key_id": "1", "token_uri": token_uri}),
        json!({"type": "authorized_user", "client_id": "c", "client_secret": "hush",
            "refresh_token": "refresh", "token_uri": token_uri}),
        external(json!({"file": of_cluster})),
        external(
            json!({"file": in_json, "format": {"type": "json", "subject_token_field_name": "t"}}),
        ),
    ];
    for credentials in &kinds {
        let login = gcp::Login::Credentials(Box::new(gcp::Credentials::parse(
            credentials.to_string().as_bytes(),
        )?));
        let token = Cloud::new(desk.clone()).gcp_token(&login);
        let token = token.with_context(|| credentials["type"].to_string())?;
        assert_eq!(token.text(), Some(TOKEN));
    }
    // Where Google's own tools look: a variable, the folder of gcloud, the machine.
    let found = |desk: Desk| Cloud::new(desk).gcp_token(&gcp::Login::Found);
    let file = write(&desk.home().join("c.json"), &kinds[1].to_string())?;
    assert_eq!(
        found(desk.clone().with("GOOGLE_APPLICATION_CREDENTIALS", &file))?.text(),
        Some(TOKEN)
    );
    let machine = desk.clone().with("GCE_METADATA_HOST", &server.host());
    assert_eq!(found(machine)?.text(), Some(TOKEN));
    fs::create_dir_all(desk.home().join(".config/gcloud"))?;
    let place = ".config/gcloud/application_default_credentials.json";
    write(&desk.home().join(place), &kinds[1].to_string())?;
    let cloud = Cloud::new(desk);
    assert_eq!(cloud.gcp_token(&gcp::Login::Found)?.text(), Some(TOKEN));
    // What was given is kept.
    let asked = server.requests().len();
    cloud.gcp_token(&gcp::Login::Found)?;
    assert_eq!(server.requests().len(), asked);
    Ok(())
}

#[test]
fn azure_logs_in_by_each_kind_of_credentials() -> Result<()> {
    const SCOPE: &str = "https://vault.azure.net/.default";
    let azure = Azure::start()?;
    let desk = azure.desk()?;
    let [tenant, client, password] = doubles::AZURE_LOGIN;
    let certificate = {
        let key = rsa_key(&desk)?;
        let file = desk.home().join("key.pem");
        let arguments = ["req", "-x509", "-subj", "/CN=weir", "-days", "1", "-key"];
        openssl(&arguments, &file)? + &key
    };
    let wide: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(
            format!("tenant: {tenant}\nappId: {client}\npassword: {password}\n")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let files: [Vec<u8>; 3] = [
        json!({"tenantId": tenant, "clientId": client, "clientSecret": password})
            .to_string()
            .into(),
        json!({"tenantId": tenant, "clientId": client, "clientCertificate": certificate})
            .to_string()
            .into(),
        wide,
    ];
    for (number, file) in files.iter().enumerate() {
        let login = azure::Login::parse(file)?;
        let token = Cloud::new(desk.clone()).azure_token(&login, SCOPE);
        let token = token.with_context(|| format!("file {number}"))?;
        assert_eq!(token.text(), Some(TOKEN));
    }
    let found = |desk: Desk| Cloud::new(desk).azure_token(&azure::Login::Found, SCOPE);
    let known = desk
        .clone()
        .with("AZURE_TENANT_ID", tenant)
        .with("AZURE_CLIENT_ID", client);
    let statement = write(&desk.home().join("statement"), "of the cluster\n")?;
    let workload = known.clone().with("AZURE_FEDERATED_TOKEN_FILE", &statement);
    assert_eq!(found(workload)?.text(), Some(TOKEN));
    let file = write(&desk.home().join("certificate"), &certificate)?;
    let by_file = known.with("AZURE_CLIENT_CERTIFICATE_PATH", &file);
    assert_eq!(found(by_file)?.text(), Some(TOKEN));
    let machine = WebServer::start(|request| doubles::azure(request, TOKEN))?;
    let on_machine = desk.with("AZURE_POD_IDENTITY_AUTHORITY_HOST", &machine.url(""));
    assert_eq!(found(on_machine.clone())?.text(), Some(TOKEN));
    let login = azure::Login::parse(b"clientId: 1-2-3\n")?;
    let token = Cloud::new(on_machine).azure_token(&login, SCOPE)?;
    assert_eq!(token.text(), Some(TOKEN));
    assert!(
        machine
            .requests()
            .last()
            .unwrap()
            .path
            .ends_with("client_id=1-2-3")
    );
    Ok(())
}

#[test]
fn amazon_logs_in_where_its_tools_look() -> Result<()> {
    let Some(amazon) = Amazon::start()? else {
        return Ok(());
    };
    let desk = amazon.desk()?;
    let Some(encrypted) = encrypt(&desk, &["--kms", &amazon.key])? else {
        return Ok(());
    };
    let bare = desk
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY");
    let agent = WebServer::start(|request| {
        match request.header("authorization") {
        Some("of the pod") => WebAnswer::ok(
            json!({"AccessKeyId": "ASIA1", "SecretAccessKey": "hush", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"})
                .to_string(),
        ),
        _ => WebAnswer::status(401),
    }
    })?;
    let machine = WebServer::start(|request| {
        let given = request.header("x-aws-ec2-metadata-token") == Some("session");
        match (request.method.as_str(), request.path.as_str()) {
            ("PUT", "/latest/api/token") => WebAnswer::ok("session"),
            ("GET", "/latest/meta-data/iam/security-credentials/") if given => WebAnswer::ok("nodes"),
            ("GET", "/latest/meta-data/iam/security-credentials/nodes") if given => WebAnswer::ok(
                json!({"Code": "Success", "AccessKeyId": "ASIA2", "SecretAccessKey": "hush", "Token": "t", "Expiration": "2099-01-01T00:00:00Z"})
                    .to_string(),
            ),
            _ => WebAnswer::status(404),
        }
    })?;
    let token = write(&bare.home().join("token"), "of the cluster\n")?;
    let pod = write(&bare.home().join("pod"), "of the pod\n")?;
    let role = "arn:aws:iam::123456789012:role/weir";
    let ways = [
        bare.clone()
            .with("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
            .with("AWS_ROLE_ARN", role),
        bare.clone()
            .with(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                &agent.url("/v1/credentials"),
            )
            .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &pod),
        bare.clone()
            .with("AWS_EC2_METADATA_DISABLED", "false")
            .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &machine.url("")),
    ];
    for (number, way) in ways.iter().enumerate() {
        let plain = open(&encrypted, way.keyring(Logins::default()));
        assert_eq!(plain.with_context(|| format!("way {number}"))?, PLAIN);
    }
    // Profiles.
    let keys = r#"{"Version": 1, "AccessKeyId": "AKIA3", "SecretAccessKey": "hush"}"#;
    let printed = write(&bare.home().join("keys.json"), keys)?;
    let config = format!(
        "[default]\naws_access_key_id = AKIA1\naws_secret_access_key = hush\n\
         [profile roles]\nrole_arn = {role}\nsource_profile = default\n\
         [profile program]\ncredential_process = /bin/cat {printed}\n\
         [profile token]\nrole_arn = {role}\nweb_identity_token_file = {token}\n\
         [profile loop]\nrole_arn = {role}1\nsource_profile = back\n\
         [profile back]\nrole_arn = {role}2\nsource_profile = loop\n\
         [profile people]\nsso_session = x\n"
    );
    fs::create_dir_all(bare.home().join(".aws"))?;
    write(&bare.home().join(".aws/config"), &config)?;
    for profile in ["", "roles", "program", "token"] {
        let desk = bare.clone();
        let desk = if profile.is_empty() {
            desk
        } else {
            desk.with("AWS_PROFILE", profile)
        };
        let plain = open(&encrypted, desk.keyring(Logins::default()));
        assert_eq!(plain.with_context(|| profile.to_owned())?, PLAIN);
    }
    for (profile, said) in [
        ("loop", "take their keys from each other"),
        ("people", "credential_process"),
        ("nobody", "there is no profile nobody"),
    ] {
        let desk = bare.clone().with("AWS_PROFILE", profile);
        let login = aws::Login::Found { profile: None };
        let error = Cloud::new(desk).aws(&login, "eu-west-1").unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    Ok(())
}
