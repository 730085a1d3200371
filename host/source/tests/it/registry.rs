//! Registries: tokens, and what goes wrong between a registry and us.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use serde_json::json;
use weir_source::oci::{Descriptor, OciError, OciReference, Registry};
use weir_source::{ClientSpec, HttpFactory, HttpOptions, Login, SecretText};
use weir_testing::web::{WebAnswer, WebRequest, WebServer};
use weir_tree::Digest;

const MANIFEST: &str = r#"{"schemaVersion":2,"layers":[]}"#;
/// The most bytes that are asked for.
const LIMIT: u64 = 1000;

fn login(password: &str) -> Login {
    Login {
        user: "ann".to_owned(),
        password: SecretText::new(password.to_owned()),
    }
}

fn registry(server: &WebServer, login: Option<Login>) -> Registry {
    let options = HttpOptions {
        read_timeout: Duration::from_millis(300),
        ..HttpOptions::default()
    };
    let client = HttpFactory::new(options)
        .client(&ClientSpec::default())
        .unwrap();
    let place = OciReference::parse(&format!("{}/fleet/app", server.host())).unwrap();
    Registry::new(client, &place, true).with_login(login)
}

fn basic(password: &str) -> String {
    let pair = format!("ann:{password}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

/// A registry that gives its manifest to who has the token, and the token to who has the password.
fn guarded(password: Option<&'static str>, token: &'static str) -> WebServer {
    WebServer::start(move |request| {
        let host = request.header("host").unwrap_or_default().to_owned();
        if request.path.starts_with("/token?") {
            let known = match password {
                Some(password) => request.authorization == Some(basic(password)),
                None => request.authorization.is_none(),
            };
            let asked = request.field("scope").as_deref() == Some("repository:fleet/app:pull")
                && request.field("service").as_deref() == Some("reg");
            return match known && asked {
                true => WebAnswer::ok(json!({"token": token}).to_string()),
                false => WebAnswer::status(401),
            };
        }
        if request.authorization.as_deref() == Some("Bearer good") {
            return WebAnswer::ok(MANIFEST);
        }
        let challenge = format!(
            "Bearer realm=\"http://{host}/token\",service=\"reg\",scope=\"repository:fleet/app:pull\""
        );
        WebAnswer::status(401).header("WWW-Authenticate", &challenge)
    })
    .unwrap()
}

#[tokio::test]
async fn a_token_is_had_for_a_login_and_used_again() {
    let server = guarded(Some("hush"), "good");
    let registry = registry(&server, Some(login("hush")));
    registry.manifest("1").await.unwrap();
    registry.manifest("2").await.unwrap();
    let asked: Vec<String> = server.requests().into_iter().map(|one| one.path).collect();
    assert_eq!(asked[0], "/v2/fleet/app/manifests/1");
    assert!(asked[1].starts_with("/token?"), "{asked:?}");
    assert_eq!(
        asked[2..],
        ["/v2/fleet/app/manifests/1", "/v2/fleet/app/manifests/2"]
    );
}

#[tokio::test]
async fn anybody_gets_a_token_of_a_public_registry() {
    let server = guarded(None, "good");
    registry(&server, None).manifest("1").await.unwrap();
}

#[tokio::test]
async fn tokens_that_are_refused() {
    // The password is wrong, there is none, the token is worth nothing, it is empty.
    for (server, login) in [
        (guarded(Some("hush"), "good"), Some(login("wrong"))),
        (guarded(Some("hush"), "good"), None),
        (guarded(Some("hush"), "bad"), Some(login("hush"))),
    ] {
        let error = registry(&server, login).manifest("1").await.unwrap_err();
        assert!(matches!(error, OciError::Unauthorized(_)), "{error}");
        assert!(!error.to_string().contains("hush") && !error.to_string().contains("wrong"));
    }
    let server = guarded(None, "");
    let error = registry(&server, None).manifest("1").await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("there is no token in the answer"),
        "{error}"
    );
}

#[tokio::test]
async fn a_login_by_name_and_password() {
    let server = WebServer::start(
        |request| match request.authorization == Some(basic("hush")) {
            true => WebAnswer::ok(MANIFEST),
            false => WebAnswer::status(401).header("WWW-Authenticate", "Basic realm=\"reg\""),
        },
    )
    .unwrap();
    registry(&server, Some(login("hush")))
        .manifest("1")
        .await
        .unwrap();
    for wrong in [Some(login("wrong")), None] {
        let error = registry(&server, wrong).manifest("1").await.unwrap_err();
        assert!(matches!(error, OciError::Unauthorized(_)), "{error}");
    }
}

fn answering(answer: impl Fn(&WebRequest) -> WebAnswer + Send + Sync + 'static) -> WebServer {
    WebServer::start(answer).unwrap()
}

fn layer(content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: "a".to_owned(),
        digest: Digest::of(content).to_string(),
        size: content.len() as u64,
        annotations: Default::default(),
    }
}

#[tokio::test]
async fn another_content_than_the_digest_says_is_refused() {
    let server = answering(|_| WebAnswer::ok(MANIFEST));
    let registry = registry(&server, None);
    let other = Digest::of(b"other").to_string();
    for error in [
        registry.manifest(&other).await.unwrap_err(),
        registry.blob(&layer(b"other"), LIMIT).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, OciError::Digest { expected, .. } if *expected == other),
            "{error}"
        );
    }
    let own = Digest::of(MANIFEST.as_bytes()).to_string();
    assert_eq!(registry.manifest(&own).await.unwrap().digest, own);
}

#[tokio::test]
async fn a_server_that_is_gone_in_the_middle() {
    let server = answering(|_| WebAnswer::ok(MANIFEST).cut());
    let registry = registry(&server, None);
    for error in [
        registry.manifest("1").await.unwrap_err(),
        registry
            .blob(&layer(MANIFEST.as_bytes()), LIMIT)
            .await
            .unwrap_err(),
        registry.tags().await.unwrap_err(),
    ] {
        assert!(matches!(error, OciError::Body { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_more() {
    let server = answering(|_| WebAnswer::ok(MANIFEST).stalled());
    let error = registry(&server, None).manifest("1").await.unwrap_err();
    assert!(
        error.to_string().contains("did not answer in time"),
        "{error}"
    );
}

/// Counts, and is busy for so many times.
fn busy(status: u16, times: usize) -> (WebServer, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let server = answering(
        move |_| match counting.fetch_add(1, Ordering::SeqCst) < times {
            true => WebAnswer::status(status).header("Retry-After", "0"),
            false => WebAnswer::ok(MANIFEST),
        },
    );
    (server, count)
}

#[tokio::test]
async fn a_server_that_has_no_time_is_asked_again_but_not_for_good() {
    for status in [429, 502, 503, 504] {
        let (server, count) = busy(status, 2);
        registry(&server, None).manifest("1").await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 3, "{status}");
        let (server, count) = busy(status, usize::MAX);
        let error = registry(&server, None).manifest("1").await.unwrap_err();
        assert!(
            matches!(error, OciError::Status { status: found, .. } if found == status),
            "{error}"
        );
        assert_eq!(count.load(Ordering::SeqCst), 3, "{status}");
    }
    // What is broken stays so.
    let (server, count) = busy(500, usize::MAX);
    registry(&server, None).manifest("1").await.unwrap_err();
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_too_large_is_not_read_to_its_end() {
    let server = answering(|_| WebAnswer::ok(vec![b'x'; 5 << 20]));
    let registry = registry(&server, None);
    for error in [
        registry.manifest("1").await.unwrap_err(),
        registry.blob(&layer(b"x"), LIMIT).await.unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("the answer has more than"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn tags_come_in_pages_of_the_same_server() {
    let page = |tags: &[&str]| WebAnswer::ok(json!({"tags": tags}).to_string());
    let server = answering(move |request| match request.path.as_str() {
        "/v2/fleet/app/tags/list" => {
            page(&["1.0.0"]).header("Link", "</v2/fleet/app/tags/list?last=1.0.0>; rel=\"next\"")
        }
        _ => page(&["1.1.0", "x"]).header("Link", "<http://127.0.0.2:1/v2/x>; rel=\"next\""),
    });
    let registry = registry(&server, None);
    assert_eq!(registry.tags().await.unwrap(), ["1.0.0", "1.1.0", "x"]);
    assert_eq!(registry.latest_tag("1.x", None).await.unwrap(), "1.1.0");
}

#[tokio::test]
async fn a_list_of_tags_that_never_ends() {
    let server = answering(|_| {
        WebAnswer::ok(r#"{"tags":["1"]}"#)
            .header("Link", "</v2/fleet/app/tags/list?last=1>; rel=\"next\"")
    });
    let error = registry(&server, None).tags().await.unwrap_err();
    assert!(matches!(error, OciError::TooManyTags), "{error}");
}

#[tokio::test]
async fn answers_that_are_none() {
    for body in ["", "[", "{\"manifests\":[]}", "{\"layers\":{}}"] {
        let server = answering(move |_| WebAnswer::ok(body));
        let error = registry(&server, None).manifest("1").await.unwrap_err();
        assert!(
            matches!(error, OciError::Malformed { .. }),
            "{body}: {error}"
        );
    }
}

#[tokio::test]
async fn signatures_are_looked_for_in_every_place() {
    // A registry that knows no lists of what refers to an artifact, and nobody signed.
    for status in [400, 404, 405] {
        let server = answering(move |_| WebAnswer::status(status));
        let digest = Digest::of(b"a").to_string();
        let found = registry(&server, None)
            .cosign_signatures(&digest)
            .await
            .unwrap();
        assert_eq!(found, Default::default());
        let tag = digest.replacen(':', "-", 1);
        let asked: Vec<String> = server.requests().into_iter().map(|one| one.path).collect();
        let base = "/v2/fleet/app";
        assert_eq!(
            asked,
            [
                format!("{base}/referrers/{digest}"),
                format!("{base}/manifests/{tag}"),
                format!("{base}/manifests/{tag}.sig"),
            ]
        );
    }
    // A registry that has no time has not said that there are none.
    let server = answering(|_| WebAnswer::status(403));
    let registry = registry(&server, None);
    registry.cosign_signatures("sha256:0").await.unwrap_err();
    let many: Vec<_> = (0..101)
        .map(|n| json!({"digest": format!("sha256:{n}")}))
        .collect();
    let many = json!({"manifests": many}).to_string();
    let server = answering(move |_| WebAnswer::ok(many.clone()));
    let error = self::registry(&server, None)
        .notation_signatures("sha256:0")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("more than 100 entries"),
        "{error}"
    );
}
