//! JSON Pointers (RFC 6901) into text in normal form.

use std::borrow::Cow;
use std::ops::Range;

use super::json;

/// Where the value is that `pointer` leads to. `None` if there is no such value, or if it is no pointer.
pub(crate) fn find(text: &str, pointer: &str) -> Option<Range<usize>> {
    let mut range = 0..text.len();
    if pointer.is_empty() {
        return Some(range);
    }
    for token in pointer.strip_prefix('/')?.split('/') {
        let token = meant(token)?;
        range = match text.as_bytes()[range.start] {
            b'{' => json::member(text, range.start, &json::escaped(&token))?,
            b'[' => item(text, range.start, &token)?,
            _ => return None,
        };
    }
    Some(range)
}

fn meant(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let tildes = token
        .match_indices('~')
        .all(|(at, _)| matches!(token.as_bytes().get(at + 1), Some(b'0' | b'1')));
    tildes.then(|| Cow::Owned(token.replace("~1", "/").replace("~0", "~")))
}

fn item(text: &str, open: usize, token: &str) -> Option<Range<usize>> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    let wanted: usize = canonical.then(|| token.parse().ok()).flatten()?;
    let mut at = open + 1;
    if text.as_bytes()[at] == b']' {
        return None;
    }
    for _ in 0..wanted {
        at = json::skip(text, at);
        if text.as_bytes()[at] == b']' {
            return None;
        }
        at += 1;
    }
    Some(at..json::skip(text, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_where_the_rfc_says() {
        let text = r#"{"foo":["bar","baz",[1]],"":0,"a/b":1,"m~n":8,"k\"l":6,"e":[]}"#;
        let at = |pointer| find(text, pointer).map(|range| &text[range]);
        assert_eq!(at(""), Some(text));
        assert_eq!(at("/foo"), Some(r#"["bar","baz",[1]]"#));
        assert_eq!(at("/foo/0"), Some(r#""bar""#));
        assert_eq!(at("/foo/2/0"), Some("1"));
        assert_eq!(at("/"), Some("0"));
        assert_eq!(at("/a~1b"), Some("1"));
        assert_eq!(at("/m~0n"), Some("8"));
        assert_eq!(at("/k\"l"), Some("6"));
        for nothing in [
            "foo", "/foo/3", "/foo/00", "/foo/-", "/foo/+1", "/foo/x", "/e/0", "/m~n", "/m~2n",
            "/a/b", "//",
        ] {
            assert_eq!(at(nothing), None, "{nothing}");
        }
    }
}
