//! Ways to a server over HTTPS: authorities, certificates of clients, proxies and tokens, for Git and for registries.

use tokio_util::sync::CancellationToken;
use url::Url;
use weir_source::oci::{OciReference, Registry as OciRegistry};
use weir_source::{
    Auth, ClientSpec, GitOptions, GitSpec, HttpFactory, HttpOptions, Login, ProxySpec, SecretText,
    SourceError, Validator, download_changed,
};
use weir_testing::git::GitServer;
use weir_testing::proxy::Proxy;
use weir_testing::registry::{CHART_LAYER, Registry};
use weir_testing::tls::{Authority, Identity, TlsServer};
use weir_testing::web::{WebAnswer, WebServer};

use crate::lab::{branch, fetcher, files};

/// A Git server and a registry, each with one thing in it.
struct Behind {
    git: GitServer,
    registry: Registry,
    authority: Authority,
}

impl Behind {
    fn new() -> Self {
        let git = GitServer::start().unwrap();
        let repository = git.repository("fleet").unwrap();
        repository.commit("main", &[("a", "1")]).unwrap();
        let registry = Registry::start().unwrap();
        registry.push("charts/web", "1.0.0", CHART_LAYER, b"a chart");
        Self {
            git,
            registry,
            authority: Authority::new().unwrap(),
        }
    }

    /// Both behind TLS.
    fn secured(&self, days: i32, clients: Option<&Authority>) -> [TlsServer; 2] {
        let identity = self.authority.server(days).unwrap();
        let registry = format!("http://{}", self.registry.host());
        [self.git.base(), registry]
            .map(|backend| TlsServer::start(&backend, &identity, clients).unwrap())
    }

    fn client(&self) -> ClientSpec {
        ClientSpec {
            authorities: Some(self.authority.pem().to_owned()),
            ..ClientSpec::default()
        }
    }
}

async fn fetch(server: &TlsServer, client: ClientSpec, auth: Auth) -> Result<(), SourceError> {
    let cache = tempfile::tempdir().unwrap();
    let spec = GitSpec {
        reference: branch("main"),
        client,
        auth,
        ..GitSpec::new(server.url("/fleet.git"))
    };
    let fetched = fetcher(&GitOptions::new(cache.path()))
        .fetch(&spec, None, &CancellationToken::new())
        .await?;
    assert_eq!(files(&fetched.tree), ["a=1"]);
    Ok(())
}

async fn pull(server: &TlsServer, client: &ClientSpec) -> Result<(), String> {
    let factory = HttpFactory::new(HttpOptions::default());
    let client = factory.client(client).map_err(|error| error.to_string())?;
    let place = OciReference::parse(&format!("{}/charts/web", server.host())).unwrap();
    let registry = OciRegistry::new(client, &place, false);
    let chart = registry.chart("1.0.0", 1 << 20).await;
    let chart = chart.map_err(|error| error.to_string())?;
    assert_eq!(chart.as_ref(), b"a chart");
    Ok(())
}

/// What a certificate is refused with.
fn refused(error: &str) -> bool {
    error.contains("certificate") || error.contains("UnknownIssuer")
}

fn pem(identity: &Identity) -> SecretText {
    SecretText::new(format!("{}\n{}", identity.certificate, identity.key))
}

#[tokio::test]
async fn an_authority_of_its_own() {
    let behind = Behind::new();
    let [git, registry] = behind.secured(30, None);
    fetch(&git, behind.client(), Auth::Anonymous).await.unwrap();
    pull(&registry, &behind.client()).await.unwrap();
    let other = Authority::new().unwrap();
    for client in [
        ClientSpec::default(),
        ClientSpec {
            authorities: Some(other.pem().to_owned()),
            ..ClientSpec::default()
        },
    ] {
        let error = fetch(&git, client.clone(), Auth::Anonymous).await;
        let error = error.unwrap_err();
        assert_eq!(error.reason(), "GitOperationFailed");
        assert!(refused(&error.to_string()), "{error}");
        let error = pull(&registry, &client).await.unwrap_err();
        assert!(refused(&error), "{error}");
    }
}

#[tokio::test]
async fn an_expired_certificate() {
    let behind = Behind::new();
    let [git, registry] = behind.secured(-1, None);
    let error = fetch(&git, behind.client(), Auth::Anonymous).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("xpired"), "{error}");
    let error = pull(&registry, &behind.client()).await.unwrap_err();
    assert!(error.contains("xpired"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_the_client() {
    let behind = Behind::new();
    let clients = Authority::new().unwrap();
    let [git, registry] = behind.secured(30, Some(&clients));
    let with = |identity: Option<SecretText>| ClientSpec {
        identity,
        ..behind.client()
    };
    let good = with(Some(pem(&clients.client().unwrap())));
    fetch(&git, good.clone(), Auth::Anonymous).await.unwrap();
    pull(&registry, &good).await.unwrap();
    let other = Authority::new().unwrap().client().unwrap();
    for bad in [with(None), with(Some(pem(&other)))] {
        assert!(fetch(&git, bad.clone(), Auth::Anonymous).await.is_err());
        assert!(pull(&registry, &bad).await.is_err());
    }
}

#[tokio::test]
async fn a_proxy_with_a_login() {
    let behind = Behind::new();
    let [git, registry] = behind.secured(30, None);
    // ann:opens it
    let proxy = Proxy::start(Some("Basic YW5uOm9wZW5zIGl0")).unwrap();
    let through = |password: &str| ClientSpec {
        proxy: Some(ProxySpec {
            url: Url::parse(&proxy.url()).unwrap(),
            login: Some(Login {
                user: "ann".to_owned(),
                password: SecretText::new(password.to_owned()),
            }),
        }),
        ..behind.client()
    };
    let good = through("opens it");
    fetch(&git, good.clone(), Auth::Anonymous).await.unwrap();
    assert!(proxy.tunnels().contains(&git.host()));
    pull(&registry, &good).await.unwrap();
    assert!(proxy.tunnels().contains(&registry.host()));
    let count = proxy.tunnels().len();
    let bad = through("another-word");
    let error = fetch(&git, bad.clone(), Auth::Anonymous).await;
    let error = error.unwrap_err().to_string();
    assert!(!error.contains("another-word"), "{error}");
    let error = pull(&registry, &bad).await.unwrap_err();
    assert!(!error.contains("another-word"), "{error}");
    assert_eq!(proxy.tunnels().len(), count);
}

#[tokio::test]
async fn a_token() {
    let behind = Behind::new();
    let [git, _] = behind.secured(30, None);
    behind.git.require_bearer("a token");
    let bearer = |token: &str| Auth::Bearer(SecretText::new(token.to_owned()));
    fetch(&git, behind.client(), bearer("a token"))
        .await
        .unwrap();
    for auth in [bearer("another"), Auth::Anonymous] {
        let error = fetch(&git, behind.client(), auth).await.unwrap_err();
        assert!(error.to_string().contains("status 401"), "{error}");
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_sent_again() {
    for header in ["ETag", "Last-Modified"] {
        let server = WebServer::start(move |request| match request.unless.as_deref() {
            Some("\"1\"") => WebAnswer::status(304),
            _ => WebAnswer::ok("a file").header(header, "\"1\""),
        })
        .unwrap();
        let http = HttpFactory::new(HttpOptions::default());
        let (client, url) = (ClientSpec::default(), server.url("/index.yaml"));
        let ask = async |known| {
            let found = download_changed(&http, &client, &url, None, 100, known).await;
            found.unwrap()
        };
        let first = ask(None).await.unwrap();
        assert_eq!(first.content.as_ref(), b"a file");
        assert!(ask(Some(&first.validator)).await.is_none());
        let other = Validator::default();
        assert!(ask(Some(&other)).await.is_some());
        assert_eq!(server.requests().len(), 3);
    }
}
