//! Logins, signatures and what servers say about them, from the Secret to the condition.

use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};
use weir_cluster::Selection;
use weir_testing::git::{Change, Signer};
use weir_testing::ssh::{KeyKind, SshKey, SshServer};
use weir_testing::until;
use weir_testing::web::{WebAnswer, WebServer};

use crate::lab::{Lab, Place, condition};
use crate::sources::{MARK, SOURCE, basic, text};

impl Lab {
    /// Waits until a source is not ready for a reason, and gives the message.
    async fn refuses(&self, kind: &str, name: &str, reason: &str) -> Result<String> {
        let object = self.says(kind, name, "False", reason).await?;
        Ok(condition(&object, "Ready").2)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_over_ssh() -> Result<()> {
    let key = SshKey::generate(KeyKind::Ed25519, None)?;
    let locked = SshKey::generate(KeyKind::Rsa, Some(MARK))?;
    let Some(server) = SshServer::start(&[&key, &locked], &[KeyKind::Ed25519])? else {
        return Ok(());
    };
    let lab = Lab::new(Place::Local, "ssh").await?.unwrap();
    let repository = server.repository("private")?;
    let tip = repository.commit("main", &[("a.yaml", "a: 1\n")])?;
    let known = server.known_hosts(KeyKind::Ed25519)?;
    let spec = |secret: Value| json!({"interval": "1h", "url": server.url("private"), "ref": {"branch": "main"}, "secretRef": secret});
    let running = lab.start().await?;
    let kind = "GitRepository";
    lab.put(kind, "none", spec(Value::Null)).await?;
    let message = lab.refuses(kind, "none", "AuthenticationFailed").await?;
    assert_eq!(
        message,
        "failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required"
    );
    lab.secret("half", &[("identity", &key.private)]).await?;
    lab.put(kind, "half", spec(json!({"name": "half"}))).await?;
    let message = lab.refuses(kind, "half", "AuthenticationFailed").await?;
    assert_eq!(
        message,
        "failed to configure authentication options: invalid 'ssh' auth option: 'known_hosts' is required"
    );
    let values = [
        ("identity", locked.private.as_str()),
        ("known_hosts", &known),
    ];
    lab.secret("locked", &values).await?;
    lab.put(kind, "locked", spec(json!({"name": "locked"})))
        .await?;
    let message = lab.refuses(kind, "locked", "AuthenticationFailed").await?;
    assert_eq!(
        message,
        "SSH identity key is encrypted but no 'password' field was provided in the secret 'ssh/locked'"
    );
    let other = SshKey::generate(KeyKind::Ed25519, None)?;
    let wrong = server.wrong_host(&other);
    let values = [("identity", key.private.as_str()), ("known_hosts", &wrong)];
    lab.secret("mismatch", &values).await?;
    lab.put(kind, "mismatch", spec(json!({"name": "mismatch"})))
        .await?;
    let message = lab.refuses(kind, "mismatch", "GitOperationFailed").await?;
    assert!(
        message.starts_with("failed to checkout and determine revision: unable to clone 'ssh://")
            && message.ends_with("ssh: handshake failed: knownhosts: key mismatch"),
        "{message}"
    );
    let good = [
        ("identity", locked.private.as_str()),
        ("password", MARK),
        ("known_hosts", &known),
    ];
    lab.secret("good", &good).await?;
    lab.put(kind, "private", spec(json!({"name": "good"})))
        .await?;
    let object = lab.says(kind, "private", "True", "Succeeded").await?;
    assert_eq!(
        text(&object, "/status/artifact/revision"),
        format!("main@sha1:{tip}")
    );
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_signed_is_used() -> Result<()> {
    let lab = Lab::new(Place::Local, "signed").await?.unwrap();
    let plain = lab.repository.commit("main", &[("a.yaml", "a: 1\n")])?;
    lab.repository.tag("plain", plain)?;
    lab.repository.annotated_tag("unsigned", plain)?;
    let (signer, at) = (Signer::new()?, lab.repository.path());
    let (commit, public) = (signer.commit(at)?, signer.public()?);
    signer.git(at, &["tag", "-s", "-m", "a release", "v1", &commit])?;
    let running = lab.start().await?;
    lab.secret("signers", &[("ann.sshpub", &public)]).await?;
    let kind = "GitRepository";
    let spec = |reference: Value, mode: &str, secret: &str| json!({"interval": "1h", "url": lab.git.url("fleet"), "ref": reference, "verify": {"mode": mode, "secretRef": {"name": secret}}});
    let tag = |name: &str| json!({"tag": name});
    let main = || json!({"branch": "main"});
    lab.put(kind, "good", spec(tag("v1"), "TagAndHEAD", "signers"))
        .await?;
    let object = lab.says(kind, "good", "True", "Succeeded").await?;
    let (status, reason, message) = condition(&object, "SourceVerified");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Succeeded"));
    assert!(
        message.starts_with("verified signature of\n\t- tag 'v1@")
            && message.contains(&format!("\n\t- commit '{commit}' with key 'SHA256:")),
        "{message}"
    );
    assert_eq!(
        text(&object, "/status/sourceVerificationMode"),
        "TagAndHEAD"
    );
    for (name, reference, mode, secret, reason, part) in [
        (
            "head",
            json!({"commit": plain.to_string()}),
            "HEAD",
            "signers",
            "InvalidCommitSignature",
            format!(
                "signature verification of commit '{plain}' failed: unsupported signature type: empty"
            ),
        ),
        (
            "light",
            tag("plain"),
            "Tag",
            "signers",
            "InvalidGitObject",
            "cannot verify signature of tag 'plain' since it is not signed".to_owned(),
        ),
        (
            "unsigned",
            tag("unsigned"),
            "Tag",
            "signers",
            "InvalidGitObject",
            "cannot verify signature of tag 'unsigned@".to_owned(),
        ),
        (
            "branch",
            main(),
            "Tag",
            "signers",
            "InvalidVerificationMode",
            "cannot verify tag object's signature if a tag reference is not specified".to_owned(),
        ),
        (
            "secret",
            main(),
            "HEAD",
            "missing",
            "VerificationError",
            "public keys secret error: secrets \"missing\" not found".to_owned(),
        ),
    ] {
        lab.put(kind, name, spec(reference, mode, secret)).await?;
        let object = lab.says(kind, name, "False", reason).await?;
        let (status, _, message) = condition(&object, "SourceVerified");
        assert!(
            status == "False" && message.starts_with(&part),
            "{name}: {message}"
        );
        assert_eq!(object.get("/status/artifact"), None, "{name}");
    }
    // Somebody else's key.
    let other = SshKey::generate(KeyKind::Ed25519, None)?;
    lab.secret("others", &[("bob.sshpub", &other.public)])
        .await?;
    lab.put(kind, "good", spec(tag("v1"), "TagAndHEAD", "others"))
        .await?;
    let message = lab.refuses(kind, "good", "InvalidTagSignature").await?;
    assert!(
        message.ends_with("no matching key\npublic key does not match"),
        "{message}"
    );
    // What nobody asks to verify is not said to be verified.
    let unasked = json!({"interval": "1h", "url": lab.git.url("fleet"), "ref": {"tag": "v1"}});
    lab.put(kind, "good", unasked).await?;
    let object = lab.says(kind, "good", "True", "Succeeded").await?;
    assert_eq!(condition(&object, "SourceVerified").0, "");
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn submodules_and_includes() -> Result<()> {
    let lab = Lab::new(Place::Local, "parts").await?.unwrap();
    let part = lab.git.repository("part")?;
    let map = crate::lab::config_map("part", "1");
    let tip = part.commit("main", &[("map.yaml", &map)])?;
    let list = "[submodule \"part\"]\n\tpath = lib/part\n\turl = ../part.git\n";
    let running = lab.start().await?;
    let changes = [
        Change::File(".gitmodules", list.as_bytes()),
        Change::File("a.txt", b"1"),
        Change::Submodule("lib/part", tip),
    ];
    lab.repository.change("main", "m", &changes)?;
    let spec = |more: Value| {
        let mut spec =
            json!({"interval": "1h", "url": lab.git.url("fleet"), "ref": {"branch": "main"}});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        spec
    };
    let kind = "GitRepository";
    lab.put(kind, "whole", spec(json!({"recurseSubmodules": true})))
        .await?;
    let object = lab.says(kind, "whole", "True", "Succeeded").await?;
    let observed = object.get("/status/observedRecurseSubmodules");
    assert_eq!(observed, Some(&json!(true)));
    let mut unit = lab.kustomization("part", "./lib/part", &[]);
    unit["spec"]["sourceRef"] = json!({"kind": kind, "name": "whole"});
    lab.apply(unit).await?;
    let revision = text(&object, "/status/artifact/revision").to_owned();
    lab.ready("Kustomization", "part", &revision).await?;
    let include =
        json!({"include": [{"repository": {"name": "whole"}, "fromPath": "none", "toPath": "x"}]});
    lab.put(kind, "copy", spec(include)).await?;
    let message = lab.refuses(kind, "copy", "CopyFailure").await?;
    assert!(
        message.starts_with("failed to copy 'whole' include from none to x: "),
        "{message}"
    );
    lab.put(kind, "sparse", spec(json!({"sparseCheckout": ["none"]})))
        .await?;
    let message = lab.refuses(kind, "sparse", "GitOperationFailed").await?;
    assert_eq!(
        message,
        "failed to sparse checkout directories : sparse checkout dir 'none' does not exist in repository"
    );
    running.stop().await;
    Ok(())
}

/// Servers that say back what they were sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_back_is_masked() -> Result<()> {
    let lab = Lab::new(Place::Local, "echo").await?.unwrap();
    let echo = WebServer::start(|request| {
        let sent = request.authorization.clone().unwrap_or_default();
        let said = format!("no entry for ann:{MARK} with {sent}");
        if request.path.contains("/v2/") {
            let body = json!({"errors": [{"code": "DENIED", "message": said}]});
            return WebAnswer::ok(body.to_string()).with_status(403);
        }
        if request.path.contains("info/refs") {
            let line = format!("ERR {said}\n");
            let body = format!(
                "001e# service=git-upload-pack\n0000{:04x}{line}",
                line.len() + 4
            );
            let kind = "application/x-git-upload-pack-advertisement";
            return WebAnswer::ok(body).header("Content-Type", kind);
        }
        let body = format!("<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>");
        WebAnswer::ok(body).with_status(403)
    })?;
    let mut options = lab.options();
    options.events = true;
    let running = lab.start_with(options).await?;
    lab.secret("login", &[("username", "ann"), ("password", MARK)])
        .await?;
    lab.secret("keys", &[("accesskey", "ann"), ("secretkey", MARK)])
        .await?;
    let login = json!({"name": "login"});
    let url = echo.url("/r.git");
    let git = json!({"interval": "1h", "url": url, "ref": {"branch": "main"}, "secretRef": login});
    lab.put("GitRepository", "git", git).await?;
    let message = lab
        .refuses("GitRepository", "git", "GitOperationFailed")
        .await?;
    assert!(
        message.contains("no entry for ann:(secret)") || message.contains("(secret)"),
        "{message}"
    );
    let inside = url.replace("http://", &format!("http://ann:{MARK}@"));
    let inside = json!({"interval": "1h", "url": inside, "ref": {"branch": "main"}});
    lab.put("GitRepository", "inside", inside).await?;
    lab.refuses("GitRepository", "inside", "GitOperationFailed")
        .await?;
    let config =
        json!({"auths": {echo.host(): {"auth": basic("ann", MARK).replace("Basic ", "")}}});
    lab.secret("docker", &[(".dockerconfigjson", &config.to_string())])
        .await?;
    let oci = json!({"interval": "1h", "url": format!("oci://{}/x", echo.host()), "insecure": true, "secretRef": {"name": "docker"}});
    lab.put("OCIRepository", "oci", oci).await?;
    let bucket = json!({"interval": "1h", "endpoint": echo.host(), "insecure": true, "bucketName": "b", "secretRef": {"name": "keys"}});
    lab.put("Bucket", "bucket", bucket).await?;
    let helm =
        json!({"interval": "1h", "url": echo.url("/charts"), "secretRef": {"name": "login"}});
    lab.put("HelmRepository", "helm", helm).await?;
    for (kind, name) in [
        ("OCIRepository", "oci"),
        ("Bucket", "bucket"),
        ("HelmRepository", "helm"),
    ] {
        until(&format!("{kind} {name} to fail"), async || {
            let object = lab.get(SOURCE, kind, name).await?;
            Ok(object.filter(|object| condition(object, "Ready").0 == "False"))
        })
        .await?;
    }
    let events = weir_api::Gvk::from_api_version("v1", "Event");
    let list = lab.cluster.list(&events, &Selection::default()).await?;
    assert!(!list.objects.is_empty());
    let encoded = basic("ann", MARK).replace("Basic ", "");
    for object in list.objects {
        let shown = object.value().to_string();
        assert!(
            !shown.contains(MARK) && !shown.contains(&encoded),
            "{shown}"
        );
    }
    let facts = format!("{:?}", lab.facts.lock().unwrap());
    assert!(!facts.contains(&encoded), "{facts}");
    // The address in the spec of `inside` is its author's; nothing else has it.
    lab.delete(SOURCE, "GitRepository", "inside").await?;
    lab.gone(SOURCE, "GitRepository", "inside").await?;
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_as_a_github_app() -> Result<()> {
    let lab = Lab::new(Place::Local, "app").await?.unwrap();
    lab.repository.commit("main", &[("a.yaml", "a: 1\n")])?;
    lab.git.require_login("x-access-token", MARK);
    // A double of the interface's public description.
    let github = WebServer::start(|request| match request.path.as_str() {
        "/app/installations/42/access_tokens" => {
            let body = json!({"token": MARK, "expires_at": "2099-01-01T00:00:00Z"});
            WebAnswer::ok(body.to_string()).with_status(201)
        }
        _ => WebAnswer::ok("{\"message\": \"Not Found\"}").with_status(404),
    })?;
    let key = Command::new("openssl").args(["genrsa", "2048"]).output()?;
    let key = String::from_utf8(key.stdout)?;
    let base = github.url("/");
    let running = lab.start().await?;
    let secret = async |name: &str, more: &[(&str, &str)]| {
        let own = [
            ("githubAppID", "7"),
            ("githubAppPrivateKey", key.as_str()),
            ("githubAppBaseURL", &base),
        ];
        lab.secret(name, &[&own[..], more].concat()).await
    };
    secret("good", &[("githubAppInstallationID", "42")]).await?;
    secret("gone", &[("githubAppInstallationID", "1")]).await?;
    secret("neither", &[]).await?;
    let spec = |provider: &str, secret: Value| json!({"interval": "1h", "provider": provider, "url": lab.git.url("fleet"), "ref": {"branch": "main"}, "secretRef": secret});
    let kind = "GitRepository";
    lab.put(kind, "good", spec("github", json!({"name": "good"})))
        .await?;
    lab.says(kind, "good", "True", "Succeeded").await?;
    for (name, provider, secret, reason, part) in [
        (
            "gone",
            "github",
            json!({"name": "gone"}),
            "AuthenticationFailed",
            "404 Not Found",
        ),
        (
            "neither",
            "github",
            json!({"name": "neither"}),
            "AuthenticationFailed",
            "app installation owner or ID must be provided",
        ),
        (
            "none",
            "github",
            Value::Null,
            "InvalidProviderConfiguration",
            "secretRef with github app data must be specified",
        ),
        (
            "generic",
            "generic",
            json!({"name": "good"}),
            "InvalidProviderConfiguration",
            "has github app data but provider is not set to github",
        ),
    ] {
        lab.put(kind, name, spec(provider, secret)).await?;
        let message = lab.refuses(kind, name, reason).await?;
        assert!(message.contains(part), "{name}: {message}");
    }
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}
