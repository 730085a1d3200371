//! From bytes to text.

use std::borrow::Cow;

use crate::error::{ErrorKind, YamlError};
use crate::span::Span;

/// Decodes a file as go-yaml does: UTF-8, or UTF-16 if it starts with a byte order mark that says so. A byte order mark is
/// not part of the text.
///
/// # Errors
///
/// When the bytes are not valid in their encoding.
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_utf8(rest).map(Cow::Borrowed),
        _ => decode_utf8(bytes).map(Cow::Borrowed),
    }
}

/// Refuses the characters that YAML does not allow raw in a text, as go-yaml does.
pub(super) fn check_characters(text: &str, start: Span) -> Result<(), YamlError> {
    /// Pieces of this size are looked at as a whole first: nearly all have nothing in them that could be refused.
    const PIECE: usize = 64;
    for (piece, bytes) in text.as_bytes().chunks(PIECE).enumerate() {
        let suspicious = bytes.iter().fold(false, |found, byte| {
            found | !matches!(byte, b' '..=b'~' | b'\n')
        });
        if !suspicious {
            continue;
        }
        for (at, byte) in bytes.iter().enumerate() {
            // What is refused begins with one of few bytes.
            let offset = piece * PIECE + at;
            if matches!(byte, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xef) {
                check_character(text, offset, start)?;
            }
        }
    }
    Ok(())
}

fn check_character(text: &str, at: usize, start: Span) -> Result<(), YamlError> {
    let character = text[at..].chars().next().unwrap_or_default();
    if allowed(character) {
        return Ok(());
    }
    let error = YamlError::new(ErrorKind::Encoding, "control characters are not allowed");
    let hint = format!(
        "write U+{:04X} as an escape in a double-quoted string",
        u32::from(character)
    );
    Err(error.at(place_of(text, at, start)).with_hint(hint))
}

fn allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..
    )
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, YamlError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let first = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        let message = match (error.error_len(), first) {
            (None, _) => "incomplete UTF-8 octet sequence",
            (Some(_), 0x80..=0xc1 | 0xf5..) => "invalid leading UTF-8 octet",
            (Some(_), _) => "invalid trailing UTF-8 octet",
        };
        let text = std::str::from_utf8(valid).unwrap_or_default();
        YamlError::new(ErrorKind::Encoding, message)
            .at(place_of(text, text.len(), FILE_START))
            .with_hint(
                "save the file as UTF-8; binary data belongs into a !!binary or base64 value",
            )
    })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let error = |message: &str| {
        YamlError::new(ErrorKind::Encoding, message)
            .with_hint("the file starts with the mark of UTF-16; save it as UTF-8")
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(error("incomplete UTF-16 character"));
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| error("unexpected low surrogate area"))
}

fn place_of(text: &str, at: usize, start: Span) -> Span {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let lines = count(before.bytes().filter(|byte| *byte == b'\n').count());
    let columns = count(before[line_start..].chars().count());
    let offset = start.start + count(at);
    let first_column = if lines == 0 { start.column } else { 1 };
    Span {
        start: offset,
        end: offset,
        line: start.line + lines,
        column: first_column + columns,
    }
}

const FILE_START: Span = Span {
    start: 0,
    end: 0,
    line: 1,
    column: 1,
};
