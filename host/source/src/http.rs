//! The one place that makes HTTP clients.
//!
//! A client is made for what a source says about its server (authorities, client certificate, proxy) and shared by all
//! sources that say the same. Making one can fail, for there may be no certificates to trust on this machine, and the
//! error says so. Nothing is read from the environment unless [`HttpOptions::proxy`] asks for it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect;
use url::Url;
use weir_secrets::{Secret, WebAnswer, WebRequest};

use crate::address::Login;
use crate::secret::SecretText;

/// Clients that are kept; each has its pool of connections.
const MAX_CLIENTS: usize = 64;

/// The largest answer of a login or a key service; they are some kilobytes long.
const LARGEST_ANSWER: u64 = 1 << 20;

/// Makes clients. Cheap to clone; clones share their clients.
#[derive(Clone)]
pub struct HttpFactory {
    options: Arc<HttpOptions>,
    clients: Arc<Mutex<HashMap<ClientSpec, reqwest::Client>>>,
}

/// What holds for all clients.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// What requests are sent as.
    pub user_agent: String,
    /// For establishing a connection.
    pub connect_timeout: Duration,
    /// For each wait for more of an answer.
    pub read_timeout: Duration,
    /// How often a request may be sent elsewhere.
    pub redirects: usize,
    /// Where sources that name no proxy go through.
    pub proxy: DefaultProxy,
}

/// The proxy of sources that name none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultProxy {
    /// None.
    Direct,
    /// What `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    Environment,
}

/// What a source says about its server. The default is a server with a public certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientSpec {
    /// PEM; these authorities are trusted beside those of the machine.
    pub authorities: Option<String>,
    /// PEM of a certificate and its key, shown to the server.
    pub identity: Option<SecretText>,
    /// Instead of the default.
    pub proxy: Option<ProxySpec>,
    pub redirects: Redirects,
    pub bodies: Bodies,
}

/// What becomes of an answer that says that it is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bodies {
    /// It is taken apart.
    #[default]
    Unpacked,
    /// It stays as it was sent, and no server is asked to compress one.
    AsSent,
}

/// Where a server may send requests on to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Redirects {
    /// To any server, which gets no login.
    #[default]
    Anywhere,
    /// Not away from it: what is sent shows who asks in other ways than by a login that can be left out.
    SameServer,
}

/// A proxy of one source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProxySpec {
    /// `http`, `https` or `socks5`.
    pub url: Url,
    /// For the proxy itself.
    pub login: Option<Login>,
}

/// Why there is no client or no body.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("the certificate authorities are not valid PEM: {0}")]
    Authorities(String),
    #[error("the client certificate and key are not valid PEM: {0}")]
    Identity(String),
    #[error("the proxy {url} cannot be used: {reason}")]
    Proxy { url: String, reason: String },
    #[error(
        "the HTTP client cannot be made: {0}; are certificates (/etc/ssl/certs, SSL_CERT_FILE) installed?"
    )]
    Client(String),
    #[error("the answer has more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("reading the answer: {0}")]
    Body(String),
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            user_agent: concat!("weir/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(30),
            redirects: 5,
            proxy: DefaultProxy::Direct,
        }
    }
}

impl HttpFactory {
    /// A factory without clients yet.
    pub fn new(options: HttpOptions) -> Self {
        Self {
            options: Arc::new(options),
            clients: Arc::default(),
        }
    }

    /// The client for such servers.
    pub fn client(&self, spec: &ClientSpec) -> Result<reqwest::Client, HttpError> {
        if let Some(known) = self
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(spec)
        {
            return Ok(known.clone());
        }
        let client = self.make(spec)?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MAX_CLIENTS {
            // Whoever uses one of them keeps it until done.
            clients.clear();
        }
        clients.insert(spec.clone(), client.clone());
        Ok(client)
    }

    /// Sends one request of a login or a key service, and waits no longer than `limit` for the whole answer. It is sent once:
    /// who asks tries again later.
    ///
    /// # Errors
    ///
    /// When there is no answer. The text has nothing of the request but its host.
    pub async fn exchange(
        &self,
        request: &WebRequest,
        limit: Duration,
    ) -> Result<WebAnswer, String> {
        let identity = request.trust.identity.as_ref().and_then(Secret::text);
        let spec = ClientSpec {
            authorities: request.trust.authorities.clone(),
            identity: identity.map(|pem| SecretText::new(pem.to_owned())),
            ..ClientSpec::default()
        };
        self.exchange_with(&spec, request, limit).await
    }

    /// The same with another kind of client than the request names. A redirect to another server is an error: bodies and
    /// headers of such requests are secret.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn exchange_with(
        &self,
        spec: &ClientSpec,
        request: &WebRequest,
        limit: Duration,
    ) -> Result<WebAnswer, String> {
        let spec = ClientSpec {
            redirects: Redirects::SameServer,
            ..spec.clone()
        };
        let client = self.client(&spec).map_err(|error| error.to_string())?;
        let method = request.method.parse::<reqwest::Method>();
        let method = method.map_err(|error| error.to_string())?;
        let mut sent = client.request(method, &request.url);
        for (name, value) in &request.headers {
            sent = sent.header(*name, &**value);
        }
        let sent = sent.body(request.body.to_vec());
        let exchange = async {
            let answer = sent.send().await.map_err(|error| reason(&error))?;
            let status = answer.status().as_u16();
            let header = |(name, value): (&HeaderName, &HeaderValue)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            };
            let headers = answer.headers().iter().filter_map(header).collect();
            let body = read_body(answer, LARGEST_ANSWER).await;
            let body = body.map_err(|error| error.to_string())?.to_vec().into();
            Ok(WebAnswer {
                status,
                headers,
                body,
            })
        };
        let answered = tokio::time::timeout(limit, exchange).await;
        answered.unwrap_or_else(|_| Err("the server did not answer in time".to_owned()))
    }

    fn make(&self, spec: &ClientSpec) -> Result<reqwest::Client, HttpError> {
        let options = &self.options;
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout)
            .redirect(redirects(options.redirects, spec.redirects))
            .gzip(spec.bodies == Bodies::Unpacked)
            .referer(false);
        if let Some(pem) = &spec.authorities {
            let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| HttpError::Authorities(reason(&error)))?;
            if authorities.is_empty() {
                return Err(HttpError::Authorities(
                    "there is no certificate in it".to_owned(),
                ));
            }
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(pem) = &spec.identity {
            let identity = reqwest::Identity::from_pem(pem.expose().as_bytes())
                .map_err(|error| HttpError::Identity(reason(&error)))?;
            builder = builder.identity(identity);
        }
        builder = match (&spec.proxy, options.proxy) {
            (Some(proxy), _) => builder.proxy(proxy.make()?),
            (None, DefaultProxy::Direct) => builder.no_proxy(),
            (None, DefaultProxy::Environment) => builder,
        };
        builder
            .build()
            .map_err(|error| HttpError::Client(reason(&error)))
    }
}

impl ProxySpec {
    fn make(&self) -> Result<reqwest::Proxy, HttpError> {
        let refuse = |reason: String| {
            let mut url = self.url.clone();
            let _ = url.set_username("");
            let _ = url.set_password(None);
            HttpError::Proxy {
                url: url.to_string(),
                reason,
            }
        };
        if !matches!(self.url.scheme(), "http" | "https" | "socks5") {
            return Err(refuse(
                "its scheme is none of http, https and socks5".to_owned(),
            ));
        }
        let proxy =
            reqwest::Proxy::all(self.url.clone()).map_err(|error| refuse(reason(&error)))?;
        Ok(match &self.login {
            Some(login) => proxy.basic_auth(&login.user, login.password.expose()),
            None => proxy,
        })
    }
}

/// How often a request is sent to a server that says it is busy.
const TRIES: u32 = 3;
/// The longest that a server's wish to be asked later is followed; the source is tried again then.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Sends a request, again after a while if the server says that it has no time (429, 502, 503, 504). The last answer is
/// given, whatever it says. The caller's time limit holds.
pub(crate) async fn patiently(
    request: impl Fn() -> reqwest::RequestBuilder,
) -> reqwest::Result<reqwest::Response> {
    let mut pause = Duration::from_millis(500);
    let mut tries = 1;
    loop {
        let response = request().send().await?;
        let busy = matches!(response.status().as_u16(), 429 | 502..=504);
        if !busy || tries >= TRIES {
            return Ok(response);
        }
        match retry_after(&response) {
            Some(wish) if wish > LONGEST_PAUSE => return Ok(response),
            Some(wish) => tokio::time::sleep(wish).await,
            None => tokio::time::sleep(pause).await,
        }
        pause *= 2;
        tries += 1;
    }
}

/// In seconds; a date is not looked at.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let value = response.headers().get(reqwest::header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The whole body, if it is not larger than `limit`.
pub async fn read_body(mut response: reqwest::Response, limit: u64) -> Result<Bytes, HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| HttpError::Body(reason(&error)))?
    {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(HttpError::TooLarge { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// Redirects stay on HTTP and never fall back from HTTPS. That logins are not sent to another host is reqwest's doing.
fn redirects(limit: usize, to: Redirects) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > limit {
            return attempt.error(format!("more than {limit} redirects"));
        }
        let from = attempt.previous().last();
        let secure = from.is_some_and(|from| from.scheme() == "https");
        let same = from.is_some_and(|from| from.origin() == attempt.url().origin());
        if to == Redirects::SameServer && !same {
            return attempt.error("a redirect to another server");
        }
        match attempt.url().scheme() {
            "https" => attempt.follow(),
            "http" if !secure => attempt.follow(),
            "http" => attempt.error("a redirect from https to http"),
            _ => attempt.error("a redirect to something that is not HTTP"),
        }
    })
}

/// The innermost causes of an error of reqwest, without the address, which may hold a login.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        cause = error.source();
    }
    match (parts.is_empty(), error.is_timeout()) {
        (_, true) => "the server did not answer in time".to_owned(),
        (true, false) => "the request was not possible".to_owned(),
        // The outer ones only say that something is wrong.
        (false, false) => parts.split_off(parts.len().saturating_sub(2)).join(": "),
    }
}

impl fmt::Debug for HttpFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFactory")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_specs_share_a_client_and_bad_ones_say_why() {
        let factory = HttpFactory::new(HttpOptions::default());
        let check = |spec: ClientSpec, part: &str| {
            let error = factory.client(&spec).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        assert!(factory.client(&ClientSpec::default()).is_ok());
        assert!(factory.client(&ClientSpec::default()).is_ok());
        assert_eq!(factory.clients.lock().unwrap().len(), 1);
        check(
            ClientSpec {
                authorities: Some("x".to_owned()),
                ..ClientSpec::default()
            },
            "no certificate in it",
        );
        let identity = Some(SecretText::new("-----BEGIN hush-----".to_owned()));
        check(
            ClientSpec {
                identity,
                ..ClientSpec::default()
            },
            "client certificate",
        );
        let url = Url::parse("ftp://ann:hush@proxy.example.org").unwrap();
        check(
            ClientSpec {
                proxy: Some(ProxySpec { url, login: None }),
                ..ClientSpec::default()
            },
            "ftp://proxy.example.org",
        );
    }

    #[test]
    fn nothing_secret_is_printed() {
        let login = Some(Login {
            user: "ann".to_owned(),
            password: SecretText::new("hush".to_owned()),
        });
        let spec = ClientSpec {
            identity: Some(SecretText::new("hush".to_owned())),
            proxy: Some(ProxySpec {
                url: Url::parse("http://proxy").unwrap(),
                login,
            }),
            ..ClientSpec::default()
        };
        assert!(!format!("{spec:?}").contains("hush"));
    }
}
