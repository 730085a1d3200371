//! Buckets and registries of clouds: a process of its own, whose variables say who it is there, with doubles of the clouds
//! behind the proxy that it goes through.

use std::fs;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_testing::doubles;
use weir_testing::doubles::registry::{
    amazon_registry, azure_exchange, azure_refresh_token, registry,
};
use weir_testing::doubles::storage::{AzureProof, Files, azure_storage, google_storage};
use weir_testing::proxy::Proxy;
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::{WebAnswer, WebRequest, WebServer};

use crate::lab::{Lab, Place, condition, config_map};
use crate::sources::{CHART, MARK, SOURCE, archive, chart, text};

const FILES: Files<'static> = &[
    ("a.yaml", "a: 1\n"),
    ("b.yaml", "b: 1\n"),
    ("c.yaml", "c: 1\n"),
];
const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const ACR: &str = "acme.azurecr.io";
const GAR: &str = "europe-docker.pkg.dev";
const BLOBS: &str = "acme.blob.core.windows.net";
const STORAGE: &str = "storage.googleapis.com";
const ENTRA: &str = "login.microsoftonline.com";
const STS: &str = "sts.eu-west-1.amazonaws.com";
const CODECOMMIT: &str = "git-codecommit.eu-west-1.amazonaws.com";
const DEVOPS: &str = "dev.azure.com";
const HOSTS: [&str; 9] = [
    ECR, ACR, GAR, BLOBS, STORAGE, ENTRA, STS, CODECOMMIT, DEVOPS,
];
/// What Git says for an empty repository, which is only told to who is let in.
const NOTHING: &str = "001e# service=git-upload-pack\n00000000";
const LET_IN: &str = "git repository is empty";

/// What is secret of a kind.
fn secret(kind: &str) -> String {
    format!("{MARK}-{kind}")
}

/// All clouds, and the process's own files.
struct Clouds {
    /// What has the names of the clouds.
    _world: WebServer,
    /// What is on this machine: metadata, interfaces that variables name, stores with other logins.
    here: WebServer,
    key: WebServer,
    signature: WebServer,
    proxy: Proxy,
    authority: Authority,
    /// Where proxies have to lead.
    tls: TlsServer,
}

/// Amazon's token service.
fn token_service(request: &WebRequest, id: &str) -> WebAnswer {
    let field = |name| request.field(name).unwrap_or_default();
    let right = match field("Action").as_str() {
        "AssumeRoleWithWebIdentity" => field("WebIdentityToken") == "of the cluster",
        "AssumeRoleWithLDAPIdentity" => field("LDAPPassword") == secret("ldap"),
        _ => false,
    };
    if !right {
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        return WebAnswer::ok(body).with_status(403);
    }
    WebAnswer::ok(format!(
        "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
        secret("aws"),
        secret("session"),
    ))
}

/// A bucket for keys of a token service; whether a signature is right is tested where it is made.
fn store(request: &WebRequest) -> WebAnswer {
    let signed = request.authorization.as_deref().unwrap_or_default();
    let bucket = request.path.split(['/', '?']).nth(1).unwrap_or_default();
    let known = signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={bucket}/"));
    if !known || request.header("x-amz-security-token") != Some(&secret("session")) {
        return WebAnswer::status(403);
    }
    match request.path.ends_with("/a.yaml") {
        true => WebAnswer::ok("a: 1\n"),
        false if request.path.contains("list-type=2") => WebAnswer::ok(
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.yaml</Key><ETag>1</ETag></Contents></ListBucketResult>",
        ),
        false => WebAnswer::status(404),
    }
}

/// CodeCommit: whether a signature is right is tested where it is made.
fn codecommit(request: &WebRequest) -> bool {
    let login = request.authorization.as_deref().unwrap_or_default();
    let login = login.strip_prefix("Basic ").unwrap_or_default();
    let login = STANDARD.decode(login).unwrap_or_default();
    let login = String::from_utf8(login).unwrap_or_default();
    let password = login.strip_prefix(&format!("ASIAWEB%{}:", secret("session")));
    let signed = |password: &str| {
        let (time, signature) = password.split_once('Z')?;
        let hex = signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(time.len() == "20240102T030405".len() && signature.len() == 64 && hex)
    };
    password.and_then(signed) == Some(true)
}

fn git_service(let_in: bool) -> WebAnswer {
    match let_in {
        true => WebAnswer::ok(NOTHING).header(
            "Content-Type",
            "application/x-git-upload-pack-advertisement",
        ),
        false => WebAnswer::status(401),
    }
}

impl Clouds {
    fn start() -> Result<Self> {
        let blob = archive(&[("map.yaml", &config_map("from-cloud", "1"))]);
        let held = chart("1.0.0");
        let world = WebServer::start(move |request| {
            let of_registry = |user: &str, password: &str| match request.path.contains("/web/") {
                true => registry(request, user, password, CHART, &held),
                false => registry(request, user, password, "application/x", &blob),
            };
            let azure = secret("azure");
            match request.header("host").unwrap_or_default() {
                ENTRA => doubles::azure(request, &azure),
                STS => token_service(request, "ASIASTS"),
                BLOBS => {
                    let proof = AzureProof::Bearer(&azure);
                    azure_storage(request, proof, "fleet", FILES)
                }
                STORAGE => google_storage(request, &secret("google"), "fleet", FILES),
                ACR if request.path == "/oauth2/exchange" => {
                    azure_exchange(request, ACR, &azure, &secret("acr"))
                }
                ACR => of_registry(
                    "00000000-0000-0000-0000-000000000000",
                    &azure_refresh_token(&secret("acr")),
                ),
                ECR => of_registry("AWS", &secret("ecr")),
                CODECOMMIT => git_service(codecommit(request)),
                DEVOPS => {
                    let bearer = format!("Bearer {azure}");
                    git_service(request.authorization.as_deref() == Some(&bearer))
                }
                GAR => of_registry("oauth2accesstoken", &secret("google")),
                _ => WebAnswer::status(421),
            }
        })?;
        let here = WebServer::start(|request| {
            let path = request.path.as_str();
            if request.header("x-amz-target").is_some() {
                return amazon_registry(request, "ASIAWEB", &secret("ecr"));
            }
            if path.starts_with("/ldap") {
                return token_service(request, "LDAP");
            }
            if path.starts_with("/storage/v1/") {
                return google_storage(request, &secret("google"), "fleet", FILES);
            }
            if path.starts_with("/metadata/identity/") {
                return doubles::azure(request, &secret("azure"));
            }
            if path.starts_with("/computeMetadata/") || path == "/token" {
                return doubles::google(request, &secret("google"));
            }
            if request.method == "POST" {
                return token_service(request, "ASIAWEB");
            }
            store(request)
        })?;
        let proof = AzureProof::Key {
            // The first part of the host's name, which is an address here.
            account: "127",
            key: b"hush-3f9a1c-key!",
        };
        let key = WebServer::start(move |request| azure_storage(request, proof, "fleet", FILES))?;
        let signature = WebServer::start(|request| {
            let proof = secret("sas");
            azure_storage(request, AzureProof::Signature(&proof), "fleet", FILES)
        })?;
        let authority = Authority::new()?;
        let tls = TlsServer::start(&world.url(""), &authority.server_of(&HOSTS)?, None)?;
        Ok(Self {
            proxy: Proxy::leading_to(&tls.host())?,
            _world: world,
            here,
            key,
            signature,
            authority,
            tls,
        })
    }

    /// Runs weir until nothing is left to do. `statement` is what the cluster says of the process, `machine` where the
    /// metadata of Google's and Azure's machines is.
    async fn run(&self, lab: &mut Lab, statement: &str, machine: &str) -> Result<()> {
        let folder = lab.folder.path().to_owned();
        let file = |name: &str, content: &str| -> Result<String> {
            let path = folder.join(name);
            fs::write(&path, content)?;
            Ok(path.display().to_string())
        };
        let token = file("token", statement)?;
        let authorities = file("ca.pem", self.authority.pem())?;
        let [tenant, client, _] = doubles::AZURE_LOGIN;
        lab.run_once(&[
            ("SSL_CERT_FILE", &authorities),
            ("HTTPS_PROXY", &self.proxy.url()),
            ("NO_PROXY", "127.0.0.1"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", &self.here.url("")),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/weir"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
            ("GCE_METADATA_HOST", machine),
            ("AZURE_TENANT_ID", tenant),
            ("AZURE_CLIENT_ID", client),
            ("AZURE_FEDERATED_TOKEN_FILE", &token),
            (
                "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                &format!("http://{machine}"),
            ),
        ])
        .await
    }
}

impl Lab {
    /// Runs weir as a process of its own with these variables, until nothing is left to do.
    pub(crate) async fn run_once(&mut self, variables: &[(&str, &str)]) -> Result<()> {
        let folder = self.folder.path();
        let namespace = self.namespace.as_str();
        let mut command = Command::new(crate::weir());
        command.args(["run", "--once", "--log", "debug"]);
        command.args(["--namespace", namespace, "--only-namespace", namespace]);
        command.arg("--cache").arg(self.options().cache);
        command.arg("--local").arg(folder.join("cluster"));
        command.env("HOME", folder).envs(variables.iter().copied());
        self.close()?;
        let output: Output = tokio::task::spawn_blocking(move || command.output()).await??;
        self.reopen()?;
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8_lossy(&said);
            ensure!(!said.contains(MARK), "{said}");
        }
        Ok(())
    }

    /// What the Ready condition of a source says.
    async fn found(&self, kind: &str, name: &str) -> Result<(String, String, String)> {
        let object = self.get(SOURCE, kind, name).await?;
        let object = object.with_context(|| format!("there is no {kind} {name}"))?;
        Ok(condition(&object, "Ready"))
    }

    pub(crate) async fn check_ready(&self, kind: &str, name: &str) -> Result<()> {
        let (status, reason, message) = self.found(kind, name).await?;
        ensure!(status == "True", "{kind} {name}: {reason}: {message}");
        Ok(())
    }

    pub(crate) async fn check_refused(
        &self,
        kind: &str,
        name: &str,
        reason: &str,
        part: &str,
    ) -> Result<()> {
        let found = self.found(kind, name).await?;
        let (status, why, message) = &found;
        ensure!(
            status == "False" && why == reason && message.contains(part),
            "{kind} {name}: {found:?} instead of {reason} {part:?}"
        );
        Ok(())
    }

    pub(crate) async fn bucket(&self, name: &str, spec: Value) -> Result<()> {
        let mut whole = json!({"interval": "1h", "bucketName": "fleet"});
        for (field, value) in spec.as_object().into_iter().flatten() {
            whole[field] = value.clone();
        }
        self.put("Bucket", name, whole).await
    }

    async fn git(&self, name: &str, provider: &str, url: String) -> Result<()> {
        let spec = json!({"interval": "1h", "provider": provider, "url": url});
        self.put("GitRepository", name, spec).await
    }

    async fn oci(&self, name: &str, provider: &str, host: &str) -> Result<()> {
        let url = format!("oci://{host}/fleet/app");
        let spec = json!({"interval": "1h", "provider": provider, "url": url});
        self.put("OCIRepository", name, spec).await?;
        let url = format!("oci://{host}/charts");
        let spec = json!({"type": "oci", "provider": provider, "url": url});
        self.put("HelmRepository", name, spec).await?;
        let spec = json!({"interval": "1h", "chart": "web", "version": "1.0.0", "sourceRef": {"kind": "HelmRepository", "name": name}});
        self.put("HelmChart", name, spec).await
    }
}

pub(crate) const UNCONFIRMED: &str = "failed to confirm existence of 'fleet' bucket: ";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_the_process_is_reads_buckets_and_registries() -> Result<()> {
    let mut lab = Lab::new(Place::Local, "clouds").await?.unwrap();
    let clouds = Clouds::start()?;
    let here = clouds.here.host();
    let aws =
        json!({"provider": "aws", "endpoint": here, "insecure": true, "bucketName": "ASIAWEB"});
    lab.bucket("aws", aws.clone()).await?;
    let mut by_service = aws.clone();
    by_service["bucketName"] = "ASIASTS".into();
    by_service["sts"] = json!({"provider": "aws", "endpoint": format!("https://{STS}")});
    lab.bucket("aws-sts", by_service).await?;
    lab.bucket("google", json!({"provider": "gcp", "endpoint": STORAGE}))
        .await?;
    let blobs = format!("https://{BLOBS}");
    lab.bucket("azure", json!({"provider": "azure", "endpoint": blobs}))
        .await?;
    let registries = [
        ("ecr", "aws", ECR),
        ("acr", "azure", ACR),
        ("gar", "gcp", GAR),
    ];
    for (name, provider, host) in registries {
        lab.oci(name, provider, host).await?;
    }
    let codecommit = format!("https://{CODECOMMIT}/v1/repos/fleet");
    let devops = format!("https://{DEVOPS}/acme/team/_git/fleet");
    lab.git("codecommit", "aws", codecommit).await?;
    lab.git("devops", "azure", devops).await?;
    lab.git("git-elsewhere", "azure", clouds.here.url("/fleet"))
        .await?;
    // A token is not shown to hosts of others.
    lab.bucket(
        "google-elsewhere",
        json!({"provider": "gcp", "endpoint": here, "insecure": true}),
    )
    .await?;
    lab.bucket(
        "azure-elsewhere",
        json!({"provider": "azure", "endpoint": "https://blobs.example.org"}),
    )
    .await?;
    lab.oci("elsewhere", "aws", &here).await?;
    let plain = json!({"interval": "1h", "provider": "gcp", "url": format!("oci://{GAR}/x"), "insecure": true});
    lab.put("OCIRepository", "plain", plain).await?;
    lab.secret("proxy", &[("address", &clouds.proxy.url())])
        .await?;
    lab.secret("authority", &[("ca.crt", clouds.authority.pem())])
        .await?;
    let own = json!({"interval": "1h", "provider": "gcp", "url": format!("oci://{GAR}/x"),
        "proxySecretRef": {"name": "proxy"}, "certSecretRef": {"name": "authority"}});
    lab.put("OCIRepository", "own", own).await?;
    let mut wrong = aws.clone();
    wrong["sts"] = json!({"provider": "aws", "endpoint": clouds.here.url("")});
    lab.bucket("sts-elsewhere", wrong.clone()).await?;
    wrong["sts"]["provider"] = "ldap".into();
    lab.bucket("sts-wrong", wrong).await?;

    clouds.run(&mut lab, "of the cluster", &here).await?;
    for name in ["aws", "aws-sts", "google", "azure"] {
        lab.check_ready("Bucket", name).await?;
    }
    for (name, ..) in registries {
        lab.check_ready("OCIRepository", name).await?;
        lab.check_ready("HelmChart", name).await?;
    }
    for name in ["codecommit", "devops"] {
        lab.check_refused("GitRepository", name, "EmptyGitRepository", LET_IN)
            .await?;
    }
    let invalid = "failed to configure authentication options: invalid Azure DevOps Git URL: ";
    lab.check_refused(
        "GitRepository",
        "git-elsewhere",
        "AuthenticationFailed",
        invalid,
    )
    .await?;
    let own = "the cloud's own hosts only";
    lab.check_refused("Bucket", "google-elsewhere", "AuthenticationFailed", own)
        .await?;
    lab.check_refused("Bucket", "azure-elsewhere", "AuthenticationFailed", own)
        .await?;
    let asked = clouds.here.requests();
    assert!(asked.iter().all(|one| !one.path.starts_with("/storage/")));
    let invalid = "failed to get credential from 'aws': invalid AWS registry: ";
    lab.check_refused(
        "OCIRepository",
        "elsewhere",
        "AuthenticationFailed",
        invalid,
    )
    .await?;
    lab.check_refused("HelmChart", "elsewhere", "AuthenticationFailed", invalid)
        .await?;
    lab.check_refused(
        "OCIRepository",
        "plain",
        "AuthenticationFailed",
        "over TLS only",
    )
    .await?;
    let part = "leave out spec.certSecretRef or spec.proxySecretRef";
    lab.check_refused("OCIRepository", "own", "AuthenticationFailed", part)
        .await?;
    let invalid = "AWS authentication failed: invalid STS endpoint: ";
    lab.check_refused("Bucket", "sts-elsewhere", "AuthenticationFailed", invalid)
        .await?;
    let unfit = "STS provider 'ldap' is not supported for 'aws' bucket provider";
    lab.check_refused("Bucket", "sts-wrong", "InvalidSTSConfiguration", unfit)
        .await?;

    // Somebody else: what was fetched before stays, and the conditions say why there is nothing new.
    clouds.run(&mut lab, "of nobody", "127.0.0.1:1").await?;
    lab.check_refused(
        "Bucket",
        "aws",
        "AuthenticationFailed",
        "AWS authentication failed: AWS credentials: ",
    )
    .await?;
    lab.check_refused(
        "Bucket",
        "google",
        "BucketOperationFailed",
        &format!("{UNCONFIRMED}Google credentials: "),
    )
    .await?;
    lab.check_refused(
        "Bucket",
        "azure",
        "BucketOperationFailed",
        &format!("{UNCONFIRMED}Azure credentials: "),
    )
    .await?;
    for (name, part) in [
        ("codecommit", "AWS credentials: "),
        ("devops", "Azure credentials: "),
    ] {
        let part = format!("failed to configure authentication options: {part}");
        lab.check_refused("GitRepository", name, "AuthenticationFailed", &part)
            .await?;
    }
    for (name, provider, _) in registries {
        let part = format!("failed to get credential from '{provider}': ");
        lab.check_refused("OCIRepository", name, "AuthenticationFailed", &part)
            .await?;
        lab.check_refused("HelmChart", name, "AuthenticationFailed", &part)
            .await?;
    }
    lab.assert_quiet().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_secret_says_reads_buckets() -> Result<()> {
    let mut lab = Lab::new(Place::Local, "bucket-logins").await?.unwrap();
    let clouds = Clouds::start()?;
    let here = clouds.here.host();
    let [tenant, client, password] = doubles::AZURE_LOGIN;
    let (key, certificate) = certificate(&lab)?;
    let account = |email: &str| {
        json!({"type": "service_account", "client_email": email, "private_key": key, "token_uri": clouds.here.url("/token")}).to_string()
    };
    let (good, bad) = (
        account("weir@p.iam.gserviceaccount.com"),
        account("other@p"),
    );
    let outside = json!({"type": "external_account", "audience": "a", "subject_token_type": "t", "token_url": clouds.here.url("/sts"), "credential_source": {"file": "/etc/hostname"}}).to_string();
    let shared = base64(b"hush-3f9a1c-key!");
    let sas = format!("?sv=2021&sig={}", secret("sas"));
    let ids = [("tenantId", tenant), ("clientId", client)];
    let pem = format!("{certificate}{key}");
    let second = Proxy::leading_to(&clouds.tls.host())?;
    lab.secret("proxy", &[("address", &second.url())]).await?;
    let azure = |endpoint: String| json!({"provider": "azure", "endpoint": endpoint});
    let blobs = || azure(format!("https://{BLOBS}"));
    let google = || json!({"provider": "gcp", "endpoint": here, "insecure": true});
    let directory = |endpoint: &str| json!({"endpoint": here, "insecure": true, "bucketName": "LDAP", "sts": {"provider": "ldap", "endpoint": clouds.here.url(endpoint)}});
    let failed = |reason: &'static str, part: &str| Some((reason, part.to_owned()));
    let unconfirmed = |part: &str| failed("BucketOperationFailed", &format!("{UNCONFIRMED}{part}"));
    let doubtful = "the specified bucket name may be incorrect";
    let ldap = secret("ldap");
    type Case<'a> = (
        &'a str,
        Value,
        Vec<(&'a str, &'a str)>,
        Option<(&'static str, String)>,
    );
    let cases: Vec<Case<'_>> = vec![
        ("google", google(), vec![("serviceaccount", &good)], None),
        (
            "google-bad",
            google(),
            vec![("serviceaccount", &bad)],
            unconfirmed("Google credentials: "),
        ),
        (
            "google-none",
            google(),
            vec![("other", "x")],
            failed(
                "AuthenticationFailed",
                "invalid 'google-none' secret data: required fields 'serviceaccount'",
            ),
        ),
        (
            "google-outside",
            google(),
            vec![("serviceaccount", &outside)],
            failed(
                "AuthenticationFailed",
                "credentials of an external account are not supported in a Secret",
            ),
        ),
        (
            "password",
            blobs(),
            [&ids[..], &[("clientSecret", password)]].concat(),
            None,
        ),
        (
            "password-bad",
            blobs(),
            [&ids[..], &[("clientSecret", "other")]].concat(),
            unconfirmed("Azure credentials: "),
        ),
        (
            "certificate",
            blobs(),
            [&ids[..], &[("clientCertificate", pem.as_str())]].concat(),
            None,
        ),
        (
            "certificate-bad",
            blobs(),
            [&ids[..], &[("clientCertificate", certificate.as_str())]].concat(),
            unconfirmed("Azure credentials: the client certificate: "),
        ),
        ("machine", blobs(), vec![("clientId", "1-2-3")], None),
        (
            "machine-bad",
            azure("https://blobs.example.org".to_owned()),
            vec![("clientId", "1-2-3")],
            failed("AuthenticationFailed", "the cloud's own hosts only"),
        ),
        (
            "key",
            azure(clouds.key.url("")),
            vec![("accountKey", &shared)],
            None,
        ),
        (
            "key-bad",
            azure(clouds.key.url("")),
            vec![("accountKey", "b3RoZXI=")],
            unconfirmed(doubtful),
        ),
        (
            "key-none",
            azure("http://localhost:1".to_owned()),
            vec![("accountKey", "b3RoZXI=")],
            failed(
                "AuthenticationFailed",
                "failed to create shared credential from 'key-none' Secret data: failed to extract account name",
            ),
        ),
        (
            "signature",
            azure(clouds.signature.url("")),
            vec![("sasKey", &sas)],
            None,
        ),
        (
            "signature-bad",
            azure(clouds.signature.url("")),
            vec![("sasKey", "sig=other")],
            unconfirmed(doubtful),
        ),
        (
            "nothing",
            blobs(),
            vec![("other", "x")],
            failed(
                "AuthenticationFailed",
                "invalid 'nothing' secret data: requires a 'clientId' or 'accountKey' field",
            ),
        ),
        (
            "directory",
            directory("/ldap"),
            vec![("username", "ann"), ("password", &ldap)],
            None,
        ),
        (
            "directory-bad",
            directory("/ldap"),
            vec![("username", "ann"), ("password", "other")],
            failed(
                "BucketOperationFailed",
                "/ldap answered with status 403: AccessDenied: no",
            ),
        ),
        (
            "directory-half",
            directory("/ldap"),
            vec![("username", "ann")],
            failed(
                "AuthenticationFailed",
                "invalid 'directory-half' secret data for 'ldap' STS provider: required fields username, password",
            ),
        ),
    ];
    for (name, spec, values, _) in &cases {
        lab.secret(name, values).await?;
        let mut spec = spec.clone();
        let reference = json!({"name": name});
        match spec.get_mut("sts") {
            Some(sts) => sts["secretRef"] = reference,
            None => spec["secretRef"] = reference,
        }
        if *name == "password" {
            spec["proxySecretRef"] = json!({"name": "proxy"});
        }
        lab.bucket(name, spec).await?;
    }
    clouds.run(&mut lab, "of nobody", &here).await?;
    for (name, _, _, expected) in &cases {
        match expected {
            None => lab.check_ready("Bucket", name).await?,
            Some((reason, part)) => lab.check_refused("Bucket", name, reason, part).await?,
        }
    }
    // The revision is that of what Azure says of each blob itself.
    let object = lab
        .get(SOURCE, "Bucket", "key")
        .await?
        .context("it was put there")?;
    let line =
        |(name, content): &(&str, &str)| format!("{name} \"{}\"\n", doubles::storage::tag(content));
    let lines: String = FILES.iter().map(line).collect();
    let revision = crate::sources::digest(lines.as_bytes());
    assert_eq!(text(&object, "/status/artifact/revision"), revision);
    // Both the login and the bucket were reached through the proxy that the object names.
    let tunnels = second.tunnels();
    for host in [ENTRA, BLOBS] {
        assert!(tunnels.contains(&format!("{host}:443")), "{tunnels:?}");
    }
    lab.assert_quiet().await
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A key and its certificate, made anew.
pub(crate) fn certificate(lab: &Lab) -> Result<(String, String)> {
    let folder = lab.folder.path();
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=weir", "-days", "1",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()?;
    ensure!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok((fs::read_to_string(key)?, fs::read_to_string(certificate)?))
}
