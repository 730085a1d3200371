//! Azure Blob Storage.

use std::time::SystemTime;

use url::Url;
use weir_secrets::Secret;
use weir_secrets::cloud::azure::SharedKey;

use super::{Asked, BucketError, BucketSpec, Object, Page, Question, address, base, xml};

/// The version of the interface.
const VERSION: &str = "2021-12-02";

/// As whom a container is read.
#[derive(Clone, Debug)]
pub enum AzureLogin {
    Anybody,
    /// Of Entra.
    Token(Secret),
    /// The key of the storage account signs each request.
    Key(SharedKey),
    /// What somebody signed in advance (a SAS token): the query of an address.
    Signature(Secret),
}

#[derive(Debug)]
pub(super) struct Server {
    base: Url,
    /// Those of the endpoint and of a signature: part of every address.
    query: Vec<(String, String)>,
    container: String,
    prefix: String,
    login: AzureLogin,
}

impl Server {
    pub(super) fn new(spec: &BucketSpec, login: AzureLogin) -> Result<Self, BucketError> {
        let base = base(spec, true)?;
        if matches!(login, AzureLogin::Token(_)) && base.scheme() != "https" {
            return Err(BucketError::PlainToken);
        }
        let mut query: Vec<(String, String)> = Vec::new();
        if let AzureLogin::Signature(text) = &login {
            let text = text.trimmed();
            let text = text.strip_prefix(b"?").unwrap_or(text);
            query = url::form_urlencoded::parse(text).into_owned().collect();
        }
        for (name, value) in base.query_pairs().into_owned() {
            if !query.iter().any(|(own, _)| *own == name) {
                query.push((name, value));
            }
        }
        Ok(Self {
            base,
            query,
            container: spec.bucket.clone(),
            prefix: spec.prefix.clone(),
            login,
        })
    }

    pub(super) fn ask(&self, question: Question<'_>, now: SystemTime) -> Asked {
        let own = self.query.iter();
        let mut query: Vec<(&str, &str)> = own
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let path = match question {
            Question::Object(key) => format!("/{}/{key}", self.container),
            Question::Page(marker) => {
                query.extend([("restype", "container"), ("comp", "list")]);
                if !self.prefix.is_empty() {
                    query.push(("prefix", &self.prefix));
                }
                query.extend(marker.map(|marker| ("marker", marker)));
                format!("/{}", self.container)
            }
        };
        let url = address(&self.base, &path, &query);
        let mut headers: Vec<(&'static str, Secret)> = vec![("x-ms-version", VERSION.into())];
        match &self.login {
            AzureLogin::Token(token) => {
                let value = Secret::from([b"Bearer ", &**token].concat());
                headers.push(("authorization", value));
            }
            AzureLogin::Key(key) => {
                let signed = key.headers(url.path(), &query, VERSION, now);
                headers.extend(signed);
            }
            AzureLogin::Anybody | AzureLogin::Signature(_) => {}
        }
        Asked { url, headers }
    }

    /// A signature for one container is refused with these words where there is no such container.
    pub(super) fn explain(&self, error: BucketError) -> BucketError {
        let code = "AuthenticationFailed";
        if matches!(&error, BucketError::Status { code: said, .. } if said == code) {
            return BucketError::Doubtful {
                source: Box::new(error),
            };
        }
        error
    }
}

pub(super) fn page(text: &str) -> Result<Page, BucketError> {
    if !text.contains("<EnumerationResults") {
        return Err(BucketError::Malformed("it is no list of Azure's"));
    }
    let mut objects = Vec::new();
    let mut rest = text;
    while let Some((content, after)) = xml::element(rest, "Blob") {
        let key = xml::field(content, "Name").or_else(|| encoded(content));
        let key = key.ok_or(BucketError::Malformed("a blob has no name"))?;
        let tag = xml::field(content, "Etag").unwrap_or_default();
        objects.push(Object {
            key,
            // flux: what counts in the end is the header of the blob itself, which has quotes.
            tag: format!("\"{}\"", tag.trim_matches('"')),
        });
        rest = after;
    }
    let next = xml::field(text, "NextMarker").filter(|marker| !marker.is_empty());
    Ok(Page { objects, next })
}

/// A name with characters that XML has not.
fn encoded(content: &str) -> Option<String> {
    let (_, rest) = content.split_once("<Name Encoded=\"true\">")?;
    let (name, _) = rest.split_once("</Name>")?;
    // As in the path of an address, where a `+` stands for itself.
    let name = name.replace('+', "%2B");
    let (name, _) = url::form_urlencoded::parse(name.as_bytes()).next()?;
    Some(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Access;

    fn server(endpoint: &str, login: AzureLogin) -> Result<Server, BucketError> {
        let spec = BucketSpec {
            endpoint: endpoint.to_owned(),
            insecure: false,
            bucket: "fleet".to_owned(),
            prefix: String::new(),
            access: Access::Azure(AzureLogin::Anybody),
            ignore: None,
            limit: 1,
        };
        Server::new(&spec, login)
    }

    #[test]
    fn a_signature_is_part_of_every_address() {
        let login = AzureLogin::Signature("?sv=1&sig=a%2Bb%3D".into());
        let server = server("https://acme.blob.core.windows.net/?sv=2&x=y", login).unwrap();
        let asked = server.ask(Question::Object("a b/c.yaml"), SystemTime::UNIX_EPOCH);
        assert_eq!(
            asked.url.as_str(),
            "https://acme.blob.core.windows.net/fleet/a%20b/c.yaml?sig=a%2Bb%3D&sv=1&x=y"
        );
        let asked = server.ask(Question::Page(Some("m")), SystemTime::UNIX_EPOCH);
        assert_eq!(
            asked.url.query(),
            Some("comp=list&marker=m&restype=container&sig=a%2Bb%3D&sv=1&x=y")
        );
    }

    #[test]
    fn a_token_is_sent_over_tls_only() {
        let token = AzureLogin::Token("t".into());
        let refused = server("http://127.0.0.1:10000/acme", token.clone()).unwrap_err();
        assert!(matches!(refused, BucketError::PlainToken));
        let server = server("https://acme.blob.core.windows.net", token).unwrap();
        let asked = server.ask(Question::Page(None), SystemTime::UNIX_EPOCH);
        assert_eq!(asked.headers[1].1.text(), Some("Bearer t"));
    }

    #[test]
    fn a_login_in_the_endpoint_is_refused_and_not_shown() {
        for endpoint in [
            "https://ann:hush@h/",
            "https://h:x/?sig=hush",
            "ftp://h/?sig=hush",
        ] {
            let error = server(endpoint, AzureLogin::Anybody).unwrap_err();
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_page_has_blobs_and_leads_on() {
        let text = "<?xml version=\"1.0\"?><EnumerationResults ContainerName=\"x\"><Blobs><Blob><Name>a&amp;b</Name><Properties><Etag>0x8D</Etag></Properties></Blob><Blob><Name Encoded=\"true\">c+%01</Name></Blob></Blobs><NextMarker>2!8</NextMarker></EnumerationResults>";
        let page = page(text).unwrap();
        let seen: Vec<(&str, &str)> = page
            .objects
            .iter()
            .map(|object| (object.key.as_str(), object.tag.as_str()))
            .collect();
        assert_eq!(seen, [("a&b", "\"0x8D\""), ("c+\u{1}", "\"\"")]);
        assert_eq!(page.next.as_deref(), Some("2!8"));
        let last = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        assert_eq!(super::page(last).unwrap().next, None);
        assert!(super::page("<Error/>").is_err());
    }
}
