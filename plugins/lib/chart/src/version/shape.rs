//! The shape that versions have, read without a regular expression.

/// The parts of a version as they are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shape<'t> {
    /// All of it.
    pub(super) text: &'t str,
    /// The first number, without `v`.
    pub(super) major: &'t str,
    /// The second number with the dot before it, or empty.
    pub(super) minor: &'t str,
    /// The third number with the dot before it, or empty.
    pub(super) patch: &'t str,
    /// What follows the numbers, with the dash, or empty.
    pub(super) pre: &'t str,
    /// What comes last, with the plus sign, or empty.
    pub(super) metadata: &'t str,
}

/// A version at the start of a text, as long as possible, and what is behind it. `digit` says what numbers are made of.
pub(super) fn version(text: &str, digit: fn(u8) -> bool) -> Option<(Shape<'_>, &str)> {
    let rest = text.strip_prefix('v').unwrap_or(text);
    let (major, rest) = rest.split_at(run(rest, digit));
    if major.is_empty() {
        return None;
    }
    let (minor, rest) = dotted(rest, digit);
    let (patch, rest) = match minor {
        "" => ("", rest),
        _ => dotted(rest, digit),
    };
    let (pre, rest) = identifiers(rest, '-');
    let (metadata, rest) = identifiers(rest, '+');
    let shape = Shape {
        text: &text[..text.len() - rest.len()],
        major,
        minor,
        patch,
        pre,
        metadata,
    };
    Some((shape, rest))
}

/// How many bytes at the start are of a kind.
fn run(text: &str, kind: fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| kind(*byte)).count()
}

/// A number behind a dot.
fn dotted(text: &str, digit: fn(u8) -> bool) -> (&str, &str) {
    let length = text.strip_prefix('.').map_or(0, |rest| run(rest, digit));
    match length {
        0 => ("", text),
        length => text.split_at(1 + length),
    }
}

/// Letters, digits and dashes behind a sign, in parts with dots between them.
fn identifiers(text: &str, sign: char) -> (&str, &str) {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let Some(rest) = text.strip_prefix(sign) else {
        return ("", text);
    };
    let mut length = run(rest, inner);
    if length == 0 {
        return ("", text);
    }
    while let Some(more) = rest[length..].strip_prefix('.') {
        match run(more, inner) {
            0 => break,
            part => length += 1 + part,
        }
    }
    text.split_at(1 + length)
}
