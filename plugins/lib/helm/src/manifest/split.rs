//! Documents of a rendered file.

use weir_chart::Profile;

/// Splits a text at lines that begin with `---`.
///
/// Helm 4.2 keeps the end of each document as it is; Helm 3 trims both ends, and its separator takes the white space before
/// and behind it along, so that a separator right behind another one is none.
pub(crate) fn split(text: &str, profile: Profile) -> Vec<&str> {
    if profile.is_helm3() {
        split_trimmed(text)
    } else {
        split_lines(text)
    }
}

fn split_lines(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let mut documents = Vec::new();
    let mut push = |document: &'_ std::ops::Range<usize>| {
        let document = &text[document.clone()];
        if !document.trim().is_empty() {
            documents.push(document.trim_start());
        }
    };
    // Separators stand at the start of a line, and may have content behind them.
    let behind = |start: usize| {
        let found = memchr::memmem::find(&text.as_bytes()[start..], b"\n---");
        found.map(|at| start + at + 1)
    };
    let mut start = 0;
    let mut next = match text.starts_with("---") {
        true => Some(0),
        false => behind(0),
    };
    while let Some(line) = next {
        push(&(start..line));
        let rest = &text[line + 3..];
        start = line + 3 + (rest.len() - rest.trim_start_matches([' ', '\t']).len());
        next = behind(start);
    }
    push(&(start..text.len()));
    documents
}

const BLANKS: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];

fn split_trimmed(text: &str) -> Vec<&str> {
    let text = text.trim();
    let mut documents = Vec::new();
    let mut start = 0;
    let mut from = 0;
    loop {
        // The separator is at the start of the text, or behind a line break that has not been taken.
        let found = if from == 0 && text.starts_with("---") {
            Some(0)
        } else {
            text[from..].find("\n---").map(|at| from + at + 1)
        };
        let Some(at) = found else {
            break;
        };
        let before = text[start..at].trim_end_matches(BLANKS);
        if !before.is_empty() {
            documents.push(before.trim());
        }
        let rest = &text[at + 3..];
        start = at + 3 + (rest.len() - rest.trim_start_matches(BLANKS).len());
        from = start;
        if from == 0 {
            break;
        }
    }
    let last = &text[start..];
    if !last.is_empty() {
        documents.push(last.trim());
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helm_4_keeps_ends() {
        let read = |text| split(text, Profile::Helm4);
        assert_eq!(read("\n---\na: 1\n\n---\nb: 2\n"), ["a: 1\n\n", "b: 2\n"]);
        assert_eq!(read("---a: 1\n---   \nb: 2"), ["a: 1\n", "b: 2"]);
        assert_eq!(read("a: |\n  ---\n  b\n"), ["a: |\n  ---\n  b\n"]);
        assert_eq!(read("----\n"), ["-\n"]);
        assert!(read("---\n---\n \n").is_empty());
    }

    #[test]
    fn helm_3_trims() {
        let read = |text| split(text, Profile::Helm3);
        assert_eq!(read("\n---\na: 1\n\n---\nb: 2\n"), ["a: 1", "b: 2"]);
        assert_eq!(read("---\n---\n# c\n"), ["---\n# c"]);
        assert_eq!(read("a: 1\n---b: 2"), ["a: 1", "b: 2"]);
    }
}
