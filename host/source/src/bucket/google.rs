//! Google Cloud Storage by its JSON interface.

use serde::Deserialize;
use url::Url;
use weir_secrets::{Secret, escape};

use super::{Asked, BucketError, BucketSpec, Object, Page, Question, address, base};

#[derive(Debug)]
pub(super) struct Server {
    base: Url,
    bucket: String,
    prefix: String,
    token: Option<Secret>,
}

impl Server {
    pub(super) fn new(spec: &BucketSpec, token: Option<Secret>) -> Result<Self, BucketError> {
        Ok(Self {
            base: base(spec, true)?,
            bucket: spec.bucket.clone(),
            prefix: spec.prefix.clone(),
            token,
        })
    }

    pub(super) fn ask(&self, question: Question<'_>) -> Asked {
        let objects = format!("/storage/v1/b/{}/o", self.bucket);
        let url = match question {
            Question::Object(key) => {
                let mut url = address(&self.base, &objects, &[("alt", "media")]);
                // The name is one part of the path, whatever is in it.
                let path = format!("{}/{}", url.path(), escape(key));
                url.set_path(&path);
                url
            }
            Question::Page(token) => {
                let mut query = vec![("fields", "items(name,etag),nextPageToken")];
                if !self.prefix.is_empty() {
                    query.push(("prefix", self.prefix.as_str()));
                }
                query.extend(token.map(|token| ("pageToken", token)));
                address(&self.base, &objects, &query)
            }
        };
        let bearer = |token: &Secret| Secret::from([b"Bearer ", &**token].concat());
        let token = self.token.as_ref().map(bearer);
        let headers = token.map(|value| ("authorization", value));
        Asked {
            url,
            headers: headers.into_iter().collect(),
        }
    }
}

pub(super) fn page(text: &str) -> Result<Page, BucketError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        #[serde(default)]
        items: Vec<Item>,
        next_page_token: Option<String>,
    }
    #[derive(Deserialize)]
    struct Item {
        name: String,
        #[serde(default)]
        etag: String,
    }
    let answer: Answer = serde_json::from_str(text)
        .map_err(|_| BucketError::Malformed("it is no list of Google's"))?;
    let objects = answer.items.into_iter().map(|item| Object {
        key: item.name,
        tag: item.etag,
    });
    Ok(Page {
        objects: objects.collect(),
        next: answer.next_page_token.filter(|token| !token.is_empty()),
    })
}

/// The code of an error.
pub(super) fn code(text: &str) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_str(text).ok()?;
    let places = ["/error/errors/0/reason", "/error/status"];
    let mut found = places
        .iter()
        .filter_map(|place| answer.pointer(place)?.as_str());
    found.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Access;

    fn server(endpoint: &str) -> Server {
        let spec = BucketSpec {
            endpoint: endpoint.to_owned(),
            insecure: false,
            bucket: "fleet".to_owned(),
            prefix: "a/".to_owned(),
            access: Access::Google { token: None },
            ignore: None,
            limit: 1,
        };
        Server::new(&spec, Some("t".into())).unwrap()
    }

    #[test]
    fn a_name_is_one_part_of_the_path() {
        let server = server("storage.googleapis.com");
        let asked = server.ask(Question::Object("a/b c+.yaml"));
        assert_eq!(
            asked.url.as_str(),
            "https://storage.googleapis.com/storage/v1/b/fleet/o/a%2Fb%20c%2B.yaml?alt=media"
        );
        let asked = server.ask(Question::Page(Some("x=")));
        assert_eq!(
            asked.url.query(),
            Some("fields=items%28name%2Cetag%29%2CnextPageToken&pageToken=x%3D&prefix=a%2F")
        );
        assert_eq!(asked.headers[0].1.text(), Some("Bearer t"));
    }

    #[test]
    fn a_page_may_have_nothing() {
        assert!(page("{}").unwrap().objects.is_empty());
        assert!(page("<html>").is_err());
        let full = page(r#"{"items":[{"name":"a","etag":"e="}],"nextPageToken":"n"}"#).unwrap();
        assert_eq!(
            (full.objects[0].tag.as_str(), full.next.as_deref()),
            ("e=", Some("n"))
        );
        let said = r#"{"error":{"code":403,"errors":[{"reason":"forbidden"}]}}"#;
        assert_eq!(code(said).as_deref(), Some("forbidden"));
    }
}
