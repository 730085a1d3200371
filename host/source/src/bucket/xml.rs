//! The little of XML that object stores answer with. Elements are found by their name; attributes, comments and nested
//! elements of the same name do not occur in these answers.

use super::{BucketError, Object};

/// One page of a listing.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// What asks for the next page.
    pub(super) next: Option<String>,
}

pub(super) fn page(text: &str) -> Result<Page, BucketError> {
    if !text.contains("<ListBucketResult") {
        return Err(BucketError::Malformed("it is no ListBucketResult"));
    }
    let mut objects = Vec::new();
    let mut rest = text;
    while let Some((content, after)) = element(rest, "Contents") {
        let key = field(content, "Key").ok_or(BucketError::Malformed("an object has no key"))?;
        let tag = field(content, "ETag").unwrap_or_default();
        objects.push(Object {
            key,
            tag: tag.trim_matches('"').to_owned(),
        });
        rest = after;
    }
    let truncated = field(text, "IsTruncated").is_some_and(|value| value == "true");
    let next = field(text, "NextContinuationToken").filter(|_| truncated);
    if truncated && next.is_none() {
        return Err(BucketError::Malformed("its next page has no name"));
    }
    Ok(Page { objects, next })
}

/// The text of the first element of a name.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    element(text, name).map(|(content, _)| unescape(content))
}

/// What is in the first element of a name, and what follows it.
fn element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>"))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, tail)) = after.split_once(';').filter(|(name, _)| name.len() <= 8) else {
            out.push('&');
            rest = after;
            continue;
        };
        let code = match entity.strip_prefix('#') {
            Some(number) => match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            },
            None => match entity {
                "amp" => Some(u32::from('&')),
                "lt" => Some(u32::from('<')),
                "gt" => Some(u32::from('>')),
                "quot" => Some(u32::from('"')),
                "apos" => Some(u32::from('\'')),
                _ => None,
            },
        };
        match code.and_then(char::from_u32) {
            Some(letter) => out.push(letter),
            None => {
                out.push('&');
                out.push_str(entity);
                out.push(';');
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
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
        assert_eq!(unescape("a & b &x; &#99999999;"), "a & b &x; &#99999999;");
    }
}
