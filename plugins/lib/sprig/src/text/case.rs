//! Capitals, word by word.

use super::is_space;
use super::unicode::{is_digit, is_letter, is_lower, is_title, is_upper};
use super::words::{lower, title, upper};

/// All to upper case, each character by itself.
pub(crate) fn to_upper(text: &str) -> String {
    text.chars().map(upper).collect()
}

/// All to lower case, each character by itself.
pub(crate) fn to_lower(text: &str) -> String {
    text.chars().map(lower).collect()
}

/// The first letter of each word to title case; Go's `strings.Title`.
pub(crate) fn to_title(text: &str) -> String {
    let mut previous = ' ';
    let each = text.chars().map(|c| {
        let start = is_separator(previous);
        previous = c;
        if start { title(c) } else { c }
    });
    each.collect()
}

/// Where words end for `title`: letters, digits and underscores belong to a word, of what is beyond ASCII all but spaces.
fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !is_letter(c) && !is_digit(c) && is_space(c)
}

/// The first letter of each word to lower case.
pub(crate) fn untitle(text: &str) -> String {
    let mut start = true;
    let each = text.chars().map(|c| {
        let first = std::mem::replace(&mut start, is_space(c));
        if first && !is_space(c) { lower(c) } else { c }
    });
    each.collect()
}

/// Capitals to small letters and small letters to capitals.
pub(crate) fn swap(text: &str) -> String {
    let mut start = true;
    let each = text.chars().map(|c| {
        let first = std::mem::replace(&mut start, is_space(c));
        if is_upper(c) || is_title(c) {
            lower(c)
        } else if is_lower(c) {
            if first { title(c) } else { upper(c) }
        } else {
            c
        }
    });
    each.collect()
}

/// The first byte of each word, as a Latin-1 character: goutils takes bytes for characters.
pub(crate) fn initials(text: &[u8]) -> String {
    let mut start = true;
    let each = text.iter().map(|byte| char::from(*byte)).filter(|c| {
        let first = std::mem::replace(&mut start, is_space(*c));
        first && !is_space(*c)
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_recorded() {
        assert_eq!(
            to_title("hello wORLD-foo bar_baz it's"),
            "Hello WORLD-Foo Bar_baz It'S"
        );
        assert_eq!(untitle("Hello World"), "hello world");
        assert_eq!(swap("aBc D"), "AbC d");
        assert_eq!(swap("This Is A.Test"), "tHIS iS a.tEST");
        assert_eq!(initials(b"First Try second"), "FTs");
        assert_eq!(initials("ßa é".as_bytes()), "ÃÃ");
        assert_eq!(to_upper("aéß"), "AÉß");
    }
}
