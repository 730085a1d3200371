//! Reads Go's regular expressions and writes the same for Rust's engine, with flags resolved at each atom.

mod class;

use std::fmt::Write;

/// Groups inside of each other; Go's own bound.
pub(super) const MAX_DEPTH: u32 = 1_000;
/// The largest repeat count, and the largest product of nested ones.
const MAX_REPEAT: u64 = 1_000;
/// Bytes that an expression may have: a megabyte compiles to far more than any limit allows.
const MAX_LEN: usize = 64 << 10;

/// An expression that is none, in Go's words: `error parsing regexp: missing closing ): …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {what}: `{part}`")]
pub struct SyntaxError {
    what: &'static str,
    part: String,
}

impl SyntaxError {
    fn new(what: &'static str, part: &str) -> Self {
        Self {
            what,
            part: part.to_owned(),
        }
    }

    /// What is wrong, without the part of the expression that it is about.
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    pub(super) fn too_large(pattern: &str) -> Self {
        Self::new("expression too large", pattern)
    }
}

const MISSING_PAREN: &str = "missing closing )";
const UNEXPECTED_PAREN: &str = "unexpected )";
const NO_ARGUMENT: &str = "missing argument to repetition operator";
const NESTED_REPEAT: &str = "invalid nested repetition operator";
const REPEAT_SIZE: &str = "invalid repeat count";
const PERL: &str = "invalid or unsupported Perl syntax";
const NAME: &str = "invalid named capture";
const ESCAPE: &str = "invalid escape sequence";
const BACKSLASH: &str = "trailing backslash at end of expression";
const RANGE: &str = "invalid character class range";
const MISSING_BRACKET: &str = "missing closing ]";
const DEPTH: &str = "expression nests too deeply";

pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) names: Vec<String>,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    /// `i`
    fold: bool,
    /// `m`
    lines: bool,
    /// `s`
    dot_all: bool,
    /// `U`
    lazy: bool,
}

/// An open group.
struct Frame {
    /// Flags to return to.
    flags: Flags,
    /// Where the group begins in the output.
    start: usize,
    /// What the last atom before the group was cannot be repeated any more; inside, nothing is there yet.
    atom: Option<Atom>,
    /// The largest product of counts inside.
    factor: u64,
}

/// The last complete atom.
#[derive(Clone, Copy)]
struct Atom {
    /// Where it begins in the output.
    start: usize,
    /// The largest product of repeat counts in it.
    factor: u64,
}

struct Translator<'p> {
    whole: &'p str,
    out: String,
    names: Vec<String>,
    flags: Flags,
    frames: Vec<Frame>,
}

pub(super) fn translate(pattern: &str) -> Result<Translated, SyntaxError> {
    if pattern.len() > MAX_LEN {
        return Err(SyntaxError::too_large(
            &pattern[..pattern.floor_char_boundary(40)],
        ));
    }
    let mut translator = Translator {
        whole: pattern,
        out: String::with_capacity(pattern.len() * 2),
        names: vec![String::new()],
        flags: Flags::default(),
        frames: vec![Frame {
            flags: Flags::default(),
            start: 0,
            atom: None,
            factor: 1,
        }],
    };
    translator.run()?;
    Ok(Translated {
        pattern: translator.out,
        names: translator.names,
    })
}

impl<'p> Translator<'p> {
    fn run(&mut self) -> Result<(), SyntaxError> {
        let mut rest = self.whole;
        // The text from the last repetition operator on, if it stands directly before.
        let mut last_repeat: Option<&str> = None;
        while let Some(first) = rest.chars().next() {
            let mut repeat = None;
            rest = match first {
                '(' => self.open(rest)?,
                ')' => {
                    self.close()?;
                    &rest[1..]
                }
                '|' => {
                    self.out.push('|');
                    self.top().atom = None;
                    &rest[1..]
                }
                '^' => self.line_anchor("^", r"\A", rest),
                '$' => self.line_anchor("$", r"\z", rest),
                '.' => {
                    self.atom(if self.flags.dot_all { "(?s:.)" } else { "." });
                    &rest[1..]
                }
                '[' => {
                    let (class, after) = class::bracketed(rest)?;
                    self.folded_atom(&class);
                    after
                }
                '*' | '+' | '?' => {
                    repeat = Some(rest);
                    let text = &rest[..1];
                    self.repeat(text, 1, rest, &rest[1..], last_repeat)?
                }
                '{' => match counts(rest) {
                    None => {
                        self.literal('{');
                        &rest[1..]
                    }
                    Some((count, after)) => {
                        repeat = Some(rest);
                        let text = &rest[..rest.len() - after.len()];
                        if count.bad() {
                            return Err(SyntaxError::new(REPEAT_SIZE, text));
                        }
                        let count = count.max.unwrap_or(count.min).max(1);
                        self.repeat(text, count, rest, after, last_repeat)?
                    }
                },
                '\\' => self.backslash(rest)?,
                literal => {
                    self.literal(literal);
                    &rest[literal.len_utf8()..]
                }
            };
            last_repeat = repeat;
        }
        if self.frames.len() > 1 {
            return Err(SyntaxError::new(MISSING_PAREN, self.whole));
        }
        Ok(())
    }

    fn top(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("the frame of the whole expression is never closed")
    }

    fn atom(&mut self, text: &str) {
        let start = self.out.len();
        self.out.push_str(text);
        self.top().atom = Some(Atom { start, factor: 1 });
    }

    fn folded_atom(&mut self, text: &str) {
        if self.flags.fold {
            self.atom(&format!("(?i:{text})"));
        } else {
            self.atom(text);
        }
    }

    fn literal(&mut self, literal: char) {
        self.folded_atom(&escaped(literal));
    }

    fn line_anchor(&mut self, line: &str, text: &str, rest: &'p str) -> &'p str {
        if self.flags.lines {
            self.atom(&format!("(?m:{line})"));
        } else {
            self.atom(&format!("(?:{text})"));
        }
        &rest[1..]
    }

    fn open(&mut self, rest: &'p str) -> Result<&'p str, SyntaxError> {
        let Some(options) = rest.strip_prefix("(?") else {
            self.push_group("(");
            self.names.push(String::new());
            return self.check_depth(&rest[1..]);
        };
        let named = match options.strip_prefix("P<") {
            Some(named) if !named.is_empty() => Some(named),
            _ => options.strip_prefix('<').filter(|named| !named.is_empty()),
        };
        if let Some(named) = named {
            let Some(end) = named.find('>') else {
                return Err(SyntaxError::new(NAME, rest));
            };
            let name = &named[..end];
            let valid = |c: char| c == '_' || c.is_ascii_alphanumeric();
            if name.is_empty() || !name.chars().all(valid) {
                let capture = &rest[..rest.len() - named.len() + end + 1];
                return Err(SyntaxError::new(NAME, capture));
            }
            self.push_group("(");
            self.names.push(name.to_owned());
            return self.check_depth(&named[end + 1..]);
        }
        self.open_with_flags(rest, options)
    }

    fn open_with_flags(&mut self, rest: &'p str, options: &'p str) -> Result<&'p str, SyntaxError> {
        let mut flags = self.flags;
        let (mut on, mut saw_flag) = (true, false);
        let mut end = rest.len();
        for (at, option) in options.char_indices() {
            let after = &options[at + option.len_utf8()..];
            end = rest.len() - after.len();
            match option {
                'i' => flags.fold = on,
                'm' => flags.lines = on,
                's' => flags.dot_all = on,
                'U' => flags.lazy = on,
                '-' if on => {
                    on = false;
                    saw_flag = false;
                    continue;
                }
                ':' | ')' if on || saw_flag => {
                    if option == ':' {
                        self.push_group("(?:");
                        self.flags = flags;
                        return self.check_depth(after);
                    }
                    self.flags = flags;
                    return Ok(after);
                }
                _ => break,
            }
            saw_flag = true;
        }
        Err(SyntaxError::new(PERL, &rest[..end]))
    }

    fn push_group(&mut self, opening: &str) {
        let frame = Frame {
            flags: self.flags,
            start: self.out.len(),
            atom: None,
            factor: 1,
        };
        self.out.push_str(opening);
        self.frames.push(frame);
    }

    fn check_depth(&self, after: &'p str) -> Result<&'p str, SyntaxError> {
        if self.frames.len() > MAX_DEPTH as usize {
            return Err(SyntaxError::new(DEPTH, self.whole));
        }
        Ok(after)
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.frames.len() == 1 {
            return Err(SyntaxError::new(UNEXPECTED_PAREN, self.whole));
        }
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        self.out.push(')');
        self.flags = frame.flags;
        let top = self.top();
        top.atom = Some(Atom {
            start: frame.start,
            factor: frame.factor,
        });
        top.factor = top.factor.max(frame.factor);
        Ok(())
    }

    /// Writes a repetition of the last atom; gives what follows it.
    fn repeat(
        &mut self,
        operator: &str,
        count: u64,
        before: &'p str,
        after: &'p str,
        last: Option<&str>,
    ) -> Result<&'p str, SyntaxError> {
        let (lazy, after) = match after.strip_prefix('?') {
            Some(after) => (true, after),
            None => (false, after),
        };
        if let Some(last) = last {
            return Err(SyntaxError::new(
                NESTED_REPEAT,
                &last[..last.len() - after.len()],
            ));
        }
        let text = &before[..before.len() - after.len()];
        let Some(atom) = self.top().atom else {
            return Err(SyntaxError::new(NO_ARGUMENT, text));
        };
        let factor = atom.factor.saturating_mul(count);
        if count > 1 && factor > MAX_REPEAT {
            return Err(SyntaxError::new(REPEAT_SIZE, text));
        }
        self.out.insert_str(atom.start, "(?:");
        self.out.push_str(operator);
        if lazy != self.flags.lazy {
            self.out.push('?');
        }
        self.out.push(')');
        let top = self.top();
        top.atom = Some(Atom {
            start: atom.start,
            factor,
        });
        top.factor = top.factor.max(factor);
        Ok(after)
    }

    fn backslash(&mut self, rest: &'p str) -> Result<&'p str, SyntaxError> {
        match rest[1..].chars().next() {
            Some('A') => self.atom(r"(?:\A)"),
            Some('z') => self.atom(r"(?:\z)"),
            Some('b') => self.atom(r"(?-u:\b)"),
            Some('B') => self.atom(r"(?-u:\B)"),
            Some('C') => return Err(SyntaxError::new(ESCAPE, &rest[..2])),
            Some('Q') => {
                let quoted = &rest[2..];
                let (quoted, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
                for literal in quoted.chars() {
                    self.literal(literal);
                }
                return Ok(after);
            }
            _ => {
                if let Some((class, after)) = class::unicode(rest)? {
                    self.folded_atom(&class);
                    return Ok(after);
                }
                if let Some((class, after)) = class::perl(rest) {
                    self.folded_atom(&format!("[{class}]"));
                    return Ok(after);
                }
                let (literal, after) = class::escape(rest)?;
                self.literal(literal);
                return Ok(after);
            }
        }
        Ok(&rest[2..])
    }
}

/// A literal in the language of Rust's engine, in and outside of classes.
fn escaped(literal: char) -> String {
    let mut out = String::new();
    if literal.is_ascii_alphanumeric() {
        out.push(literal);
    } else {
        write!(out, r"\x{{{:X}}}", u32::from(literal)).expect("writing to a string cannot fail");
    }
    out
}

struct Counts {
    min: u64,
    max: Option<u64>,
}

impl Counts {
    fn bad(&self) -> bool {
        self.min > MAX_REPEAT
            || self
                .max
                .is_some_and(|max| max > MAX_REPEAT || max < self.min)
    }
}

/// Reads `{n}`, `{n,}` or `{n,m}`; anything else means a literal brace.
fn counts(text: &str) -> Option<(Counts, &str)> {
    let (min, rest) = number(text.strip_prefix('{')?)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Some(min), rest),
        Some(rest) if rest.starts_with('}') => (None, rest),
        Some(rest) => {
            let (max, rest) = number(rest)?;
            (Some(max), rest)
        }
    };
    Some((Counts { min, max }, rest.strip_prefix('}')?))
}

fn number(text: &str) -> Option<(u64, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().unwrap_or(u64::MAX), rest))
}
