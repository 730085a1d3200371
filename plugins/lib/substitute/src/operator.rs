//! What the operators do to a value.

use crate::error::ExpandError;
use crate::limits;
use crate::pattern::{self, Steps};
use crate::runes;

/// Applies an operator, as it is written, to a value. An unset variable has no bytes.
pub(crate) fn apply(
    name: &str,
    operator: &str,
    value: &[u8],
    arguments: &[Vec<u8>],
    steps: &mut Steps,
) -> Result<Vec<u8>, ExpandError> {
    let pattern = arguments.first().map(Vec::as_slice);
    Ok(match (operator, pattern) {
        ("#", None) => value.len().to_string().into_bytes(),
        ("^", _) => runes::with_first(value, runes::to_upper),
        ("^^", _) => runes::upper(value),
        (",", _) => runes::with_first(value, runes::to_lower),
        (",,", _) => runes::lower(value),
        (":", _) => substring(name, value, arguments)?.to_vec(),
        ("#", Some(pattern)) => pattern::without_shortest(value, pattern, steps)?,
        ("##", Some(pattern)) => pattern::without_longest(value, pattern, steps)?,
        ("%", Some(pattern)) => {
            let (value, pattern) = (runes::reversed(value), runes::reversed(pattern));
            runes::reversed(&pattern::without_shortest(&value, &pattern, steps)?)
        }
        ("%%", Some(pattern)) => {
            let (value, pattern) = (runes::reversed(value), runes::reversed(pattern));
            runes::reversed(&pattern::without_longest(&value, &pattern, steps)?)
        }
        ("/", Some(old)) => replace(value, old, second(arguments), 1)?,
        ("//", Some(old)) => replace(value, old, second(arguments), usize::MAX)?,
        ("/#", Some(old)) if arguments.len() == 2 && value.starts_with(old) => {
            [second(arguments), &value[old.len()..]].concat()
        }
        ("/%", Some(old)) if arguments.len() == 2 && value.ends_with(old) => {
            [&value[..value.len() - old.len()], second(arguments)].concat()
        }
        ("/#" | "/%", _) => value.to_vec(),
        // The rest gives the arguments in place of a value without bytes; `:+` and `:?` too.
        _ if value.is_empty() => arguments.concat(),
        _ => value.to_vec(),
    })
}

/// Operators that say themselves what happens to an unset variable.
pub(crate) fn is_default(operator: &str) -> bool {
    matches!(operator, "=" | ":=" | ":-" | ":+" | ":?")
}

fn second(arguments: &[Vec<u8>]) -> &[u8] {
    arguments.get(1).map_or(&[], Vec::as_slice)
}

/// In bytes. What is no number leaves the value as it is.
fn substring<'v>(
    name: &str,
    value: &'v [u8],
    arguments: &[Vec<u8>],
) -> Result<&'v [u8], ExpandError> {
    let Some(offset) = arguments.first().and_then(|text| number(text)) else {
        return Ok(value);
    };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        size.saturating_add(offset).max(0)
    } else {
        offset
    };
    let end = match arguments.get(1).map(|text| number(text)) {
        None => size,
        Some(None) => return Ok(value),
        Some(Some(length)) if length < 0 && start.saturating_add(length) < size => {
            return Err(ExpandError::NegativeLength {
                name: name.to_owned(),
                length,
            });
        }
        Some(Some(length)) => start.saturating_add(length).min(size),
    };
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    Ok(range
        .and_then(|(start, end)| value.get(start..end))
        .unwrap_or_default())
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The first `most` places replaced. An empty `old` stands before each character and at the end.
fn replace(value: &[u8], old: &[u8], new: &[u8], most: usize) -> Result<Vec<u8>, ExpandError> {
    let finder = memchr::memmem::Finder::new(old);
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    for _ in 0..most {
        if out.len() > limits::OUTPUT {
            return Err(ExpandError::TooLarge);
        }
        if old.is_empty() {
            out.extend_from_slice(new);
            let (_, length) = runes::first(rest);
            if length == 0 {
                break;
            }
            out.extend_from_slice(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        let Some(at) = finder.find(rest) else {
            break;
        };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
    }
    out.extend_from_slice(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_everywhere() {
        let replaced = |value: &str, most| {
            String::from_utf8(replace(value.as_bytes(), b"", b"-", most).unwrap()).unwrap()
        };
        assert_eq!(replaced("aé", usize::MAX), "-a-é-");
        assert_eq!(replaced("ab", 1), "-ab");
        assert_eq!(replaced("", usize::MAX), "-");
    }

    #[test]
    fn negative_lengths_are_an_error_and_offsets_count_from_the_end() {
        let part = |offset: &str, length: &str| {
            substring("a", b"abcdef", &[offset.into(), length.into()]).map(<[u8]>::to_vec)
        };
        assert_eq!(part("-2", "1"), Ok(b"e".to_vec()));
        assert_eq!(part("-20", "2"), Ok(b"ab".to_vec()));
        assert_eq!(part("9", "-1"), Ok(Vec::new()));
        assert_eq!(part("2", "9223372036854775807"), Ok(b"cdef".to_vec()));
        assert!(part("1", "-1").is_err());
    }
}
