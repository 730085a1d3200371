//! File name patterns as Go's `path/filepath` matches them.

/// A pattern that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether the whole of `name` matches `pattern`: `*` and `?` do not match a slash, `[a-z]` and `[^a]` are classes, `\`
/// takes away a character's meaning.
///
/// # Errors
///
/// When the pattern is malformed and the match got to the place where it is.
pub fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    if literal_start(pattern).len() == pattern.len() {
        return Ok(pattern == name);
    }
    if let Some(end) = pattern.strip_prefix('*')
        && literal_start(end).len() == end.len()
    {
        let start = name.strip_suffix(end);
        return Ok(start.is_some_and(|start| !start.contains('/')));
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut pattern, mut name) = (pattern.as_slice(), name.as_slice());
    'pattern: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        if let Some(after) = match_chunk(chunk, name)?
            && (after.is_empty() || !pattern.is_empty())
        {
            name = after;
            continue;
        }
        if star {
            for at in 0..name.len() {
                if name[at] == '/' {
                    break;
                }
                if let Some(after) = match_chunk(chunk, &name[at + 1..])? {
                    if pattern.is_empty() && !after.is_empty() {
                        continue;
                    }
                    name = after;
                    continue 'pattern;
                }
            }
        }
        // The rest of the pattern is only looked at for mistakes.
        while !pattern.is_empty() {
            let (_, chunk, rest) = next_chunk(pattern);
            match_chunk(chunk, &[])?;
            pattern = rest;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// What a pattern wants a name to begin with: all in front of the first character with a meaning.
pub(crate) fn literal_start(pattern: &str) -> &str {
    let special = |byte: u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
    let end = pattern.bytes().position(special);
    &pattern[..end.unwrap_or(pattern.len())]
}

/// Whether a star comes first, what follows up to the next star, and the rest.
fn next_chunk(pattern: &[char]) -> (bool, &[char], &[char]) {
    let mut pattern = pattern;
    let mut star = false;
    while let [first, rest @ ..] = pattern
        && *first == '*'
    {
        pattern = rest;
        star = true;
    }
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            '\\' if at + 1 < pattern.len() => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    (star, &pattern[..at], &pattern[at..])
}

/// What is left of the name behind a chunk without stars, if it matches.
fn match_chunk<'a>(chunk: &[char], name: &'a [char]) -> Result<Option<&'a [char]>, BadPattern> {
    let (mut chunk, mut name) = (chunk, name);
    // After a mismatch the chunk is only read on for mistakes.
    let mut failed = false;
    while let Some((&first, rest)) = chunk.split_first() {
        failed = failed || name.is_empty();
        match first {
            '[' => {
                let mut found = '\0';
                if !failed {
                    found = name[0];
                    name = &name[1..];
                }
                chunk = rest;
                let negated = chunk.first() == Some(&'^');
                if negated {
                    chunk = &chunk[1..];
                }
                let (mut hit, mut ranges) = (false, 0);
                loop {
                    if chunk.first() == Some(&']') && ranges > 0 {
                        chunk = &chunk[1..];
                        break;
                    }
                    let low = class_char(&mut chunk)?;
                    let mut high = low;
                    if chunk.first() == Some(&'-') {
                        chunk = &chunk[1..];
                        high = class_char(&mut chunk)?;
                    }
                    hit = hit || (low..=high).contains(&found);
                    ranges += 1;
                }
                failed = failed || hit == negated;
            }
            '?' => {
                if !failed {
                    failed = name[0] == '/';
                    name = &name[1..];
                }
                chunk = rest;
            }
            _ => {
                let mut wanted = first;
                chunk = rest;
                if first == '\\' {
                    let (&escaped, rest) = chunk.split_first().ok_or(BadPattern)?;
                    wanted = escaped;
                    chunk = rest;
                }
                if !failed {
                    failed = name[0] != wanted;
                    name = &name[1..];
                }
            }
        }
    }
    Ok(if failed { None } else { Some(name) })
}

fn class_char(chunk: &mut &[char]) -> Result<char, BadPattern> {
    let mut at = 0;
    match chunk.first() {
        None | Some('-' | ']') => return Err(BadPattern),
        Some('\\') => at = 1,
        Some(_) => {}
    }
    let found = *chunk.get(at).ok_or(BadPattern)?;
    *chunk = &chunk[at + 1..];
    if chunk.is_empty() {
        return Err(BadPattern);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        for (pattern, name, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("ab[^b-d]", "abc", false),
            ("a\\*b", "a*b", true),
            ("a?b", "a/b", false),
            ("[\\]a]", "]", true),
            ("", "", true),
            ("templates/.?*", "templates/.x", true),
            ("templates/.?*", "templates/.", false),
        ] {
            assert_eq!(matches(pattern, name), Ok(expected), "{pattern} {name}");
        }
        for pattern in ["[]a]", "[-]", "[", "[^", "[a-", "a[", "\\"] {
            assert_eq!(matches(pattern, "a"), Err(BadPattern), "{pattern}");
        }
    }
}
