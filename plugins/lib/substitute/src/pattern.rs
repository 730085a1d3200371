//! Globs of the operators `#` and `%`: `*` matches anything, `?` one character, `[…]` one of a set, `\` takes the special
//! meaning away. A pattern is malformed only where the comparison gets to the place.

use crate::error::ExpandError;
use crate::runes;

/// The pattern is malformed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Malformed,
    Exhausted,
}

/// What all comparisons of one text may take together.
#[derive(Debug)]
pub(crate) struct Steps(pub(crate) u64);

impl Steps {
    fn spend(&mut self, count: usize) -> Result<(), Mismatch> {
        self.0 = self
            .0
            .checked_sub(count as u64 + 1)
            .ok_or(Mismatch::Exhausted)?;
        Ok(())
    }
}

/// The value without the shortest start that matches. Of no bytes nothing is ever taken.
pub(crate) fn without_shortest(
    value: &[u8],
    pattern: &[u8],
    steps: &mut Steps,
) -> Result<Vec<u8>, ExpandError> {
    let mut shortest = 0;
    // From the longest start down: a malformed pattern is one only where a longer start got to the place.
    for end in (1..=value.len()).rev() {
        match matches(pattern, &value[..end], steps) {
            Ok(true) => shortest = end,
            Ok(false) => {}
            Err(mismatch) => return unchanged(value, &mismatch),
        }
    }
    Ok(value[shortest..].to_vec())
}

/// The value without the longest start that matches.
pub(crate) fn without_longest(
    value: &[u8],
    pattern: &[u8],
    steps: &mut Steps,
) -> Result<Vec<u8>, ExpandError> {
    for end in (1..=value.len()).rev() {
        match matches(pattern, &value[..end], steps) {
            Ok(true) => return Ok(value[end..].to_vec()),
            Ok(false) => {}
            Err(mismatch) => return unchanged(value, &mismatch),
        }
    }
    Ok(value.to_vec())
}

fn unchanged(value: &[u8], mismatch: &Mismatch) -> Result<Vec<u8>, ExpandError> {
    match mismatch {
        Mismatch::Malformed => Ok(value.to_vec()),
        Mismatch::Exhausted => Err(ExpandError::TooMuchWork),
    }
}

fn matches(mut pattern: &[u8], mut name: &[u8], steps: &mut Steps) -> Result<bool, Mismatch> {
    'pieces: while !pattern.is_empty() {
        let (star, piece, rest) = next_piece(pattern);
        pattern = rest;
        if star && piece.is_empty() {
            return Ok(true);
        }
        let last = pattern.is_empty();
        if let Some(after) = start_matches(piece, name, steps)?
            && (after.is_empty() || !last)
        {
            name = after;
            continue;
        }
        if star {
            for skipped in 1..=name.len() {
                if let Some(after) = start_matches(piece, &name[skipped..], steps)?
                    && (after.is_empty() || !last)
                {
                    name = after;
                    continue 'pieces;
                }
            }
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Whether stars come first, what follows up to the next star outside of a set, and the rest.
fn next_piece(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = &pattern[stars..];
    let (mut at, mut in_set) = (0, false);
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => at += 1,
            b'[' => in_set = true,
            b']' => in_set = false,
            b'*' if !in_set => break,
            _ => {}
        }
        at += 1;
    }
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// What is left of the name after a piece without stars; `None` if it does not begin with it.
fn start_matches<'n>(
    mut piece: &[u8],
    mut name: &'n [u8],
    steps: &mut Steps,
) -> Result<Option<&'n [u8]>, Mismatch> {
    steps.spend(0)?;
    while let Some(first) = piece.first() {
        if name.is_empty() {
            return Ok(None);
        }
        steps.spend(0)?;
        match first {
            b'[' => {
                let (c, length) = runes::first(name);
                let (matched, rest) = set(&piece[1..], c, steps)?;
                if !matched {
                    return Ok(None);
                }
                (name, piece) = (&name[length..], rest);
            }
            b'?' => {
                let (_, length) = runes::first(name);
                (name, piece) = (&name[length..], &piece[1..]);
            }
            _ => {
                if *first == b'\\' {
                    piece = &piece[1..];
                }
                let literal = piece.first().ok_or(Mismatch::Malformed)?;
                if *literal != name[0] {
                    return Ok(None);
                }
                (name, piece) = (&name[1..], &piece[1..]);
            }
        }
    }
    Ok(Some(name))
}

/// Whether a character is in the set whose `[` was just read, and what follows its `]`.
fn set<'p>(mut piece: &'p [u8], c: char, steps: &mut Steps) -> Result<(bool, &'p [u8]), Mismatch> {
    let negated = piece.first() == Some(&b'^');
    if negated {
        piece = &piece[1..];
    }
    let (mut found, mut ranges) = (false, 0);
    loop {
        steps.spend(0)?;
        if ranges > 0 && piece.first() == Some(&b']') {
            return Ok((found != negated, &piece[1..]));
        }
        let (low, rest) = member(piece)?;
        piece = rest;
        let mut high = low;
        if piece.first() == Some(&b'-') {
            (high, piece) = member(&piece[1..])?;
        }
        found |= low <= c && c <= high;
        ranges += 1;
    }
}

/// One character of a set; something has to follow it.
fn member(piece: &[u8]) -> Result<(char, &[u8]), Mismatch> {
    let piece = match piece.first() {
        None | Some(b'-' | b']') => return Err(Mismatch::Malformed),
        Some(b'\\') => &piece[1..],
        Some(_) => piece,
    };
    let (c, length) = runes::first(piece);
    let malformed = length == 0 || (c == char::REPLACEMENT_CHARACTER && length == 1);
    let rest = &piece[length..];
    if malformed || rest.is_empty() {
        return Err(Mismatch::Malformed);
    }
    Ok((c, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: Result<bool, Mismatch>) {
        let found = matches(pattern.as_bytes(), name.as_bytes(), &mut Steps(10_000));
        assert_eq!(found, expected, "{pattern} on {name}");
    }

    #[test]
    fn globs() {
        check("*", "a/b", Ok(true));
        check("a?c", "a/c", Ok(true));
        check("a*c*e", "abcde", Ok(true));
        check("[a-c]x", "bx", Ok(true));
        check("[^a-c]x", "bx", Ok(false));
        check("[é]", "é", Ok(true));
        check("\\*", "*", Ok(true));
        check("[", "a", Err(Mismatch::Malformed));
        check("[", "", Ok(false));
        check("a\\", "ab", Err(Mismatch::Malformed));
        check("[]a]", "]", Err(Mismatch::Malformed));
    }

    #[test]
    fn comparisons_are_bounded() {
        let value = vec![b'a'; 20_000];
        let pattern = b"*a*a*a*a*b";
        let result = without_longest(&value, pattern, &mut Steps(1_000_000));
        assert_eq!(result, Err(ExpandError::TooMuchWork));
    }
}
