//! One file over HTTP.

use bytes::Bytes;
use reqwest::header::{ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use url::Url;

use crate::address::{Address, Login};
use crate::error::{ExchangeError, SourceError};
use crate::http::{ClientSpec, HttpError, HttpFactory, patiently, read_body, reason};
use crate::oci::{OciReference, Registry};
use crate::remote::index::{self, IndexError};

/// The most bytes of the index of a chart repository.
const MAX_INDEX: u64 = 128 << 20;

/// A chart in a repository with an index or in a registry.
#[derive(Clone, Copy, Debug)]
pub struct ChartPlace<'a> {
    /// `https://…` or `oci://…`
    pub repository: &'a str,
    pub name: &'a str,
    /// A version or a range.
    pub range: &'a str,
    pub client: &'a ClientSpec,
    pub login: Option<&'a Login>,
    /// A registry without TLS.
    pub insecure: bool,
    /// The most bytes of the archive.
    pub limit: u64,
}

/// One file over HTTP, with a login that goes to that host only.
pub async fn download_file(
    http: &HttpFactory,
    spec: &ClientSpec,
    url: &str,
    login: Option<&Login>,
    limit: u64,
) -> Result<(Address, Bytes), SourceError> {
    let client = client(http, spec, url)?;
    download(&client, url, login, limit).await
}

/// What a server said that tells whether a file is still the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validator {
    tag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// A file that was not here before.
#[derive(Clone, Debug)]
pub struct Downloaded {
    /// Where it is from, to be shown.
    pub address: Address,
    pub content: Bytes,
    pub validator: Validator,
}

/// As [`download_file`]; `None`: the file is the one that the validator belongs to.
pub async fn download_changed(
    http: &HttpFactory,
    spec: &ClientSpec,
    url: &str,
    login: Option<&Login>,
    limit: u64,
    known: Option<&Validator>,
) -> Result<Option<Downloaded>, SourceError> {
    let client = client(http, spec, url)?;
    conditional(&client, url, login, limit, known).await
}

impl Validator {
    fn of(response: &reqwest::Response) -> Self {
        let header = |name| response.headers().get(name).cloned();
        Self {
            tag: header(ETAG),
            modified: header(LAST_MODIFIED),
        }
    }

    fn ask(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match (&self.tag, &self.modified) {
            (Some(tag), _) => request.header(IF_NONE_MATCH, tag.clone()),
            (None, Some(time)) => request.header(IF_MODIFIED_SINCE, time.clone()),
            (None, None) => request,
        }
    }
}

/// The version that fits, and its archive.
pub async fn fetch_chart(
    http: &HttpFactory,
    place: ChartPlace<'_>,
) -> Result<(String, Bytes), SourceError> {
    let refuse = |reason: String| SourceError::Registry {
        url: place
            .repository
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .to_owned(),
        reason,
    };
    if let Some(path) = place.repository.strip_prefix("oci://") {
        let reference = OciReference::parse(&format!("{path}/{}", place.name))
            .map_err(|error| refuse(error.to_string()))?;
        let client = client(http, place.client, place.repository)?;
        let registry =
            Registry::new(client, &reference, place.insecure).with_login(place.login.cloned());
        let version = registry.chart_version(place.range).await;
        let version = version.map_err(|error| refuse(error.to_string()))?;
        let archive = registry.chart(&version, place.limit).await;
        return Ok((version, archive.map_err(|error| refuse(error.to_string()))?));
    }
    let address = format!("{}/index.yaml", place.repository.trim_end_matches('/'));
    let (_, text) = download_file(http, place.client, &address, place.login, MAX_INDEX).await?;
    let found =
        index::find(&text, place.name, place.range).map_err(|error| refuse(error.to_string()))?;
    let url = chart_url(place.repository, &found.url).map_err(|error| refuse(error.to_string()))?;
    let login = place.login.filter(|_| same_host(place.repository, &url));
    let (_, archive) = download_file(http, place.client, url.as_str(), login, place.limit).await?;
    let digest = weir_tree::Digest::of(&archive).hex();
    match found.digest {
        Some(expected) if expected.strip_prefix("sha256:").unwrap_or(&expected) != digest => {
            Err(refuse(format!(
                "the archive of {} has the digest {digest}, but the index says {expected}",
                place.name
            )))
        }
        Some(_) | None => Ok((found.version, archive)),
    }
}

/// Where an address in the index of a repository leads.
pub fn chart_url(repository: &str, url: &str) -> Result<Url, IndexError> {
    let index = format!("{}/index.yaml", repository.trim_end_matches('/'));
    let (index, _) = Address::parse(&index)
        .map_err(|error| IndexError::Malformed(format!("the repository's address: {error}")))?;
    index::archive_url(&index, url)
}

/// Whether a login for a repository may be sent to an address: the same scheme, host and port.
pub fn same_host(repository: &str, url: &Url) -> bool {
    Url::parse(repository).is_ok_and(|repository| repository.origin() == url.origin())
}

fn client(
    http: &HttpFactory,
    spec: &ClientSpec,
    url: &str,
) -> Result<reqwest::Client, SourceError> {
    http.client(spec).map_err(|source| SourceError::Client {
        url: url.rsplit('@').next().unwrap_or_default().to_owned(),
        source,
    })
}

/// The body of what an address answers, redirects followed. A login in the address counts if none is given.
pub(crate) async fn download(
    client: &reqwest::Client,
    url: &str,
    login: Option<&Login>,
    limit: u64,
) -> Result<(Address, Bytes), SourceError> {
    let found = conditional(client, url, login, limit, None).await?;
    let found = found.ok_or_else(|| SourceError::Exchange {
        url: url.rsplit('@').next().unwrap_or_default().to_owned(),
        cause: ExchangeError::Status { status: 304 },
    })?;
    Ok((found.address, found.content))
}

async fn conditional(
    client: &reqwest::Client,
    url: &str,
    login: Option<&Login>,
    limit: u64,
    known: Option<&Validator>,
) -> Result<Option<Downloaded>, SourceError> {
    let (address, own) = Address::parse(url).map_err(|reason| SourceError::Address {
        url: url.rsplit('@').next().unwrap_or_default().to_owned(),
        reason,
    })?;
    let failed = |cause| SourceError::Exchange {
        url: address.to_string(),
        cause,
    };
    let login = login.or(own.as_ref());
    let request = || {
        let request = client.get(address.url().clone());
        let request = match known {
            Some(known) => known.ask(request),
            None => request,
        };
        match login {
            Some(login) => request.basic_auth(&login.user, Some(login.password.expose())),
            None => request,
        }
    };
    let response = patiently(request).await.map_err(|error| {
        failed(ExchangeError::Connection {
            reason: reason(&error),
        })
    })?;
    let status = response.status();
    if known.is_some() && status.as_u16() == 304 {
        return Ok(None);
    }
    let validator = Validator::of(&response);
    if !status.is_success() {
        return Err(failed(ExchangeError::Status {
            status: status.as_u16(),
        }));
    }
    match read_body(response, limit).await {
        Ok(content) => Ok(Some(Downloaded {
            address,
            content,
            validator,
        })),
        Err(HttpError::TooLarge { limit }) => Err(failed(ExchangeError::TooLarge { limit })),
        Err(error) => Err(failed(ExchangeError::Connection {
            reason: error.to_string(),
        })),
    }
}
