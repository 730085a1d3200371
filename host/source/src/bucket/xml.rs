//! The little of XML that object stores answer with. Elements are found by their name; attributes, comments and nested
//! elements of the same name do not occur in these answers.

/// The text of the first element of a name.
pub(super) fn field(text: &str, name: &str) -> Option<String> {
    element(text, name).map(|(content, _)| unescape(content))
}

/// What is in the first element of a name, and what follows it.
pub(super) fn element<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
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
    fn what_is_escaped_is_read_and_the_rest_stays() {
        assert_eq!(
            field("<a>x</a><Key>a&#x2F;b &amp; &lt;c&gt;</Key>", "Key").as_deref(),
            Some("a/b & <c>")
        );
        assert_eq!(unescape("a & b &x; &#99999999;"), "a & b &x; &#99999999;");
        assert_eq!(field("<Key>", "Key"), None);
    }
}
