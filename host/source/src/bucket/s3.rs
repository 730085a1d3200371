//! Amazon's S3 protocol, signed with keys (Signature Version 4) or anonymously. Objects are addressed below the bucket's
//! path, which every server understands.

use std::time::SystemTime;

use url::Url;
use weir_secrets::cloud::aws::{Credentials, Signed};

use super::{Asked, BucketError, BucketSpec, Object, Page, Question, address, base, xml};

#[derive(Debug)]
pub(super) struct Server {
    base: Url,
    bucket: String,
    prefix: String,
    region: String,
    keys: Option<Credentials>,
}

impl Server {
    pub(super) fn new(
        spec: &BucketSpec,
        region: String,
        keys: Option<Credentials>,
    ) -> Result<Self, BucketError> {
        let base = base(spec, false)?;
        if base.path() != "/" {
            return Err(super::wrong_endpoint(spec, false));
        }
        Ok(Self {
            base,
            bucket: spec.bucket.clone(),
            prefix: spec.prefix.clone(),
            region,
            keys,
        })
    }

    pub(super) fn ask(&self, question: Question<'_>, now: SystemTime) -> Asked {
        let url = match question {
            Question::Object(key) => address(&self.base, &format!("/{}/{key}", self.bucket), &[]),
            Question::Page(token) => {
                let mut query = vec![("list-type", "2")];
                if !self.prefix.is_empty() {
                    query.push(("prefix", self.prefix.as_str()));
                }
                query.extend(token.map(|token| ("continuation-token", token)));
                address(&self.base, &format!("/{}", self.bucket), &query)
            }
        };
        let Some(keys) = &self.keys else {
            let headers = Vec::new();
            return Asked { url, headers };
        };
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let signed = Signed {
            method: "GET",
            host: &host,
            path: url.path(),
            query: url.query().unwrap_or_default(),
            body: b"",
            region: &self.region,
            service: "s3",
        };
        let headers = signed.headers(keys, now);
        Asked { url, headers }
    }
}

pub(super) fn page(text: &str) -> Result<Page, BucketError> {
    if !text.contains("<ListBucketResult") {
        return Err(BucketError::Malformed("it is no ListBucketResult"));
    }
    let mut objects = Vec::new();
    let mut rest = text;
    while let Some((content, after)) = xml::element(rest, "Contents") {
        let key = xml::field(content, "Key");
        let key = key.ok_or(BucketError::Malformed("an object has no key"))?;
        let tag = xml::field(content, "ETag").unwrap_or_default();
        objects.push(Object {
            key,
            tag: tag.trim_matches('"').to_owned(),
        });
        rest = after;
    }
    let truncated = xml::field(text, "IsTruncated").is_some_and(|value| value == "true");
    let next = xml::field(text, "NextContinuationToken").filter(|_| truncated);
    if truncated && next.is_none() {
        return Err(BucketError::Malformed("its next page has no name"));
    }
    Ok(Page { objects, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_objects_and_leads_on() {
        let text = r#"<?xml version="1.0"?><ListBucketResult xmlns="x"><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken><Contents><Key>a&#x2F;b.yaml</Key><ETag>&quot;12&quot;</ETag></Contents><Contents><Key>c</Key></Contents></ListBucketResult>"#;
        let page = page(text).unwrap();
        assert_eq!(page.next.as_deref(), Some("t&1"));
        assert_eq!(page.objects[0].key, "a/b.yaml");
        assert_eq!(page.objects[0].tag, "12");
        assert_eq!(page.objects.len(), 2);
    }

    #[test]
    fn something_else_is_refused() {
        assert!(super::page("<html></html>").is_err());
        assert!(super::page("<ListBucketResult><Contents></Contents>").is_err());
        let endless = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(super::page(endless).is_err());
    }
}
