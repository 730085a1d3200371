//! Logging in as a GitHub App, against a double of the interface's public description.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use weir_source::github::{GithubApp, GithubTokens, Installation};
use weir_source::{ClientSpec, HttpFactory, HttpOptions, SecretText};
use weir_testing::web::{WebAnswer, WebServer};

fn key(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The double: one App with the id 7, installed as 42 for the organization `acme` and as 43 for the user `ann`. Tokens are
/// numbered and live for an hour.
fn double() -> WebServer {
    let given = Arc::new(AtomicU64::new(0));
    WebServer::start(move |request| {
        let proof = request.authorization.clone().unwrap_or_default();
        let proof = proof.strip_prefix("Bearer ").unwrap_or_default().to_owned();
        let parts: Vec<&str> = proof.split('.').collect();
        if parts.len() != 3 || !claims(parts[1]).contains("\"iss\":\"7\"") {
            let body = r#"{"message": "A JSON web token could not be decoded"}"#;
            return WebAnswer::ok(body).with_status(401);
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/api/v3/orgs/acme/installation") => WebAnswer::ok(r#"{"id": 42}"#),
            ("GET", "/api/v3/users/ann/installation") => WebAnswer::ok(r#"{"id": 43}"#),
            ("POST", path) if path.starts_with("/api/v3/app/installations/4") => {
                let number = given.fetch_add(1, Ordering::SeqCst);
                let body =
                    format!(r#"{{"token": "ghs_{number}", "expires_at": "2033-05-18T03:33:20Z"}}"#);
                WebAnswer::ok(body).with_status(201)
            }
            _ => WebAnswer::ok(r#"{"message": "Not Found"}"#).with_status(404),
        }
    })
    .unwrap()
}

fn claims(part: &str) -> String {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    String::from_utf8(engine.decode(part).unwrap_or_default()).unwrap_or_default()
}

fn app(server: &WebServer, id: &str, installation: Installation) -> GithubApp {
    GithubApp {
        id: id.to_owned(),
        installation,
        key: SecretText::new(key(&["genrsa", "2048"])),
        base: Some(server.url("/api/v3")),
    }
}

/// 2 000 000 000 s after the epoch the double's tokens end.
fn before_the_end(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(2_000_000_000 - seconds)
}

#[tokio::test]
async fn tokens_are_given_and_kept() {
    let server = double();
    let (http, tokens) = (
        HttpFactory::new(HttpOptions::default()),
        GithubTokens::default(),
    );
    let client = ClientSpec::default();
    let by_id = app(&server, "7", Installation::Id("42".to_owned()));
    let ask = async |app: &GithubApp, left: u64| {
        let login = tokens
            .login(&http, &client, app, before_the_end(left))
            .await;
        let login = login.unwrap();
        assert_eq!(login.user, "x-access-token");
        login.password.expose().to_owned()
    };
    assert_eq!(ask(&by_id, 3600).await, "ghs_0");
    assert_eq!(ask(&by_id, 1800).await, "ghs_0", "it is still good");
    assert_eq!(ask(&by_id, 60).await, "ghs_1", "it is nearly over");
    for owner in ["acme", "ann"] {
        let by_owner = app(&server, "7", Installation::Owner(owner.to_owned()));
        assert!(ask(&by_owner, 3600).await.starts_with("ghs_"));
    }
    let paths: Vec<String> = server.requests().into_iter().map(|one| one.path).collect();
    assert!(paths.contains(&"/api/v3/app/installations/43/access_tokens".to_owned()));
}

#[tokio::test]
async fn refusals_say_what_github_said() {
    let server = double();
    let (http, tokens) = (
        HttpFactory::new(HttpOptions::default()),
        GithubTokens::default(),
    );
    let check = async |app: GithubApp, parts: &[&str]| {
        let client = ClientSpec::default();
        let login = tokens.login(&http, &client, &app, SystemTime::now());
        let error = login.await.unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("PRIVATE KEY"), "{error}");
    };
    let id = |id: &str| Installation::Id(id.to_owned());
    check(
        app(&server, "8", id("42")),
        &["401", "could not be decoded"],
    )
    .await;
    check(app(&server, "7", id("1")), &["POST", "404 Not Found"]).await;
    let nobody = Installation::Owner("nobody".to_owned());
    check(
        app(&server, "7", nobody),
        &[
            "failed to find organization installation",
            "failed to find user",
        ],
    )
    .await;
    let no_key = GithubApp {
        key: SecretText::new("no key".to_owned()),
        ..app(&server, "7", id("42"))
    };
    check(no_key, &["could not parse private key"]).await;
    let no_base = GithubApp {
        base: Some("nowhere".to_owned()),
        ..app(&server, "7", id("42"))
    };
    check(no_base, &["invalid API URL"]).await;
}
