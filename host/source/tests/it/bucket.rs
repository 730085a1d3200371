//! Buckets of the three protocols, on doubles that look at who asks.

use std::sync::Arc;

use weir_secrets::cloud::azure::SharedKey;
use weir_source::bucket::{Access, AzureLogin, Bucket, BucketError, BucketSpec, BucketTree};
use weir_source::{ClientSpec, HttpFactory, HttpOptions, Redirects};
use weir_testing::doubles::storage::{AzureProof, Files, azure_storage, google_storage, tag};
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::{WebAnswer, WebServer};
use weir_tree::{Digest, TreePath};

const TOKEN: &str = "hush-token";
const FILES: Files<'static> = &[
    (".sourceignore", "/skipped\n"),
    ("a/", ""),
    ("a/one & two+.yaml", "a: 1\n"),
    ("b.yaml", "b: 1\n"),
    ("skipped/x.yaml", "x: 1\n"),
    ("z.yaml", "z: 1\n"),
];

fn spec(endpoint: String, bucket: &str, access: Access) -> BucketSpec {
    BucketSpec {
        insecure: !endpoint.contains("://"),
        endpoint,
        bucket: bucket.to_owned(),
        prefix: String::new(),
        access,
        ignore: Some("/z.yaml\n".to_owned()),
        limit: 1 << 20,
    }
}

fn open(spec: BucketSpec, client: ClientSpec) -> Bucket {
    let client = ClientSpec {
        redirects: Redirects::SameServer,
        ..client
    };
    let client = HttpFactory::new(HttpOptions::default())
        .client(&client)
        .unwrap();
    Bucket::new(client, spec).unwrap()
}

async fn read(bucket: &Bucket) -> Result<(String, BucketTree), BucketError> {
    let listing = bucket.list().await?;
    let tree = bucket.fetch(&listing).await?;
    Ok((listing.revision, tree))
}

/// All that is not ignored is there, and the revision is that of Flux.
fn check((revision, found): (String, BucketTree), quoted: bool) {
    let tag = |content| match quoted {
        true => format!("\"{}\"", tag(content)),
        false => tag(content),
    };
    let lines = format!(
        "a/one & two+.yaml {}\nb.yaml {}\n",
        tag("a: 1\n"),
        tag("b: 1\n")
    );
    assert_eq!(revision, Digest::of(lines.as_bytes()).to_string());
    assert_eq!(found.files, 2);
    let file = |path: &str| {
        let path = TreePath::parse(path).unwrap();
        let content = found.tree.read(&path).unwrap();
        content.map(|content| String::from_utf8(content.to_vec()).unwrap())
    };
    assert_eq!(file("a/one & two+.yaml").as_deref(), Some("a: 1\n"));
    assert_eq!(file(".sourceignore").as_deref(), Some("/skipped\n"));
    assert_eq!(file("skipped/x.yaml"), None);
    assert_eq!(file("z.yaml"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn googles_is_read_with_a_token() {
    let server =
        WebServer::start(|request| google_storage(request, TOKEN, "fleet", FILES)).unwrap();
    let with = |bucket: &str, token: Option<&str>| {
        let access = Access::Google {
            token: token.map(Into::into),
        };
        open(spec(server.host(), bucket, access), ClientSpec::default())
    };
    check(read(&with("fleet", Some(TOKEN))).await.unwrap(), false);
    let error = read(&with("none", Some(TOKEN))).await.unwrap_err();
    assert_eq!(error.to_string(), "bucket 'none' not found");
    for token in [Some("hush-other"), None] {
        let error = read(&with("fleet", token)).await.unwrap_err().to_string();
        assert_eq!(
            error,
            "failed to confirm existence of 'fleet' bucket: listing the bucket fleet: the server answered with status 401 (authError)"
        );
    }
    let mut below = spec(
        server.host(),
        "fleet",
        Access::Google {
            token: Some(TOKEN.into()),
        },
    );
    below.prefix = "a/".to_owned();
    let listing = open(below, ClientSpec::default()).list().await.unwrap();
    let line = format!("a/one & two+.yaml {}\n", tag("a: 1\n"));
    assert_eq!(listing.revision, Digest::of(line.as_bytes()).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_the_way_is_named() {
    for (part, message) in [
        (
            "pageToken=",
            "indexation of objects from bucket 'fleet' failed: listing objects from bucket 'fleet' failed: listing the bucket fleet: the server answered with status 403",
        ),
        (
            "b.yaml?",
            "fetch from bucket 'fleet' failed: failed to get 'b.yaml' object: fetching the object b.yaml: the server answered with status 403",
        ),
    ] {
        let server = WebServer::start(move |request| {
            if request.path.contains(part) {
                return WebAnswer::ok("").with_status(403);
            }
            google_storage(request, TOKEN, "fleet", FILES)
        });
        let server = server.unwrap();
        let access = Access::Google {
            token: Some(TOKEN.into()),
        };
        let bucket = open(spec(server.host(), "fleet", access), ClientSpec::default());
        assert_eq!(read(&bucket).await.unwrap_err().to_string(), message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn azures_is_read_with_a_key_and_with_a_signature() {
    let key = b"0123456789abcdef";
    let proof = AzureProof::Key {
        account: "acme",
        key,
    };
    let server =
        WebServer::start(move |request| azure_storage(request, proof, "fleet", FILES)).unwrap();
    let with = |bucket: &str, encoded: &str| {
        let key = SharedKey::parse("acme", encoded).unwrap();
        let access = Access::Azure(AzureLogin::Key(key));
        open(spec(server.url(""), bucket, access), ClientSpec::default())
    };
    check(
        read(&with("fleet", "MDEyMzQ1Njc4OWFiY2RlZg=="))
            .await
            .unwrap(),
        true,
    );
    let error = read(&with("none", "MDEyMzQ1Njc4OWFiY2RlZg==")).await;
    assert_eq!(error.unwrap_err().to_string(), "bucket 'none' not found");
    let error = read(&with("fleet", "b3RoZXI="))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the specified bucket name may be incorrect"),
        "{error}"
    );
    assert!(
        error.ends_with("status 403 (AuthenticationFailed)"),
        "{error}"
    );

    let proof = AzureProof::Signature("a+b=");
    let server =
        WebServer::start(move |request| azure_storage(request, proof, "fleet", FILES)).unwrap();
    let with = |text: &str| {
        let access = Access::Azure(AzureLogin::Signature(text.into()));
        open(spec(server.url(""), "fleet", access), ClientSpec::default())
    };
    check(read(&with("?sv=2021&sig=a%2Bb%3D")).await.unwrap(), true);
    let error = read(&with("sv=2021&sig=hush-other"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("AuthenticationFailed") && !error.contains("hush"),
        "{error}"
    );
    let access = Access::Azure(AzureLogin::Anybody);
    let error = read(&open(
        spec(server.url(""), "fleet", access),
        ClientSpec::default(),
    ))
    .await;
    assert!(error.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn azures_is_read_with_a_token_over_tls() {
    let proof = AzureProof::Bearer(TOKEN);
    let server =
        WebServer::start(move |request| azure_storage(request, proof, "fleet", FILES)).unwrap();
    let authority = Authority::new().unwrap();
    let tls = TlsServer::start(&server.url(""), &authority.server(30).unwrap(), None).unwrap();
    let client = ClientSpec {
        authorities: Some(authority.pem().to_owned()),
        ..ClientSpec::default()
    };
    let with = |token: &str| {
        let access = Access::Azure(AzureLogin::Token(token.into()));
        open(spec(tls.url(""), "fleet", access), client.clone())
    };
    check(read(&with(TOKEN)).await.unwrap(), true);
    let error = read(&with("hush-other")).await.unwrap_err().to_string();
    assert!(
        error.contains("AuthenticationFailed") && !error.contains("hush"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_login_is_not_sent_on_to_another_server() {
    let other = Arc::new(WebServer::start(|_| WebAnswer::ok("{}")).unwrap());
    let leads_to = other.url("/storage/v1/b/fleet/o");
    let server =
        WebServer::start(move |_| WebAnswer::status(307).header("Location", &leads_to)).unwrap();
    let access = Access::Google {
        token: Some(TOKEN.into()),
    };
    let bucket = open(spec(server.host(), "fleet", access), ClientSpec::default());
    let error = read(&bucket).await.unwrap_err().to_string();
    assert!(error.contains("a redirect to another server"), "{error}");
    assert!(other.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_says_back_of_a_login_is_not_told() {
    let server = WebServer::start(|request| {
        let sent = request.authorization.clone().unwrap_or_default();
        let reason = sent.replace("Bearer ", "");
        let error = serde_json::json!({"errors": [{"reason": reason}]});
        WebAnswer::ok(serde_json::json!({"error": error}).to_string()).with_status(403)
    })
    .unwrap();
    let access = Access::Google {
        token: Some("hush".repeat(100).into()),
    };
    let bucket = open(spec(server.host(), "fleet", access), ClientSpec::default());
    let error = read(&bucket).await.unwrap_err().to_string();
    assert!(error.ends_with("status 403"), "{error}");
}
