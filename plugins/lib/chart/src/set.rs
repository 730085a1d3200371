//! The syntax of `--set` and its kin.
//!
//! Values are changed where they stand, and lists that two places share are changed for both, as in Helm. An error leaves
//! behind what was set before it.

mod literal;
mod target;
#[cfg(test)]
mod tests;

use serde_json::{Deserializer, Number, Value};

use crate::error::TreeError;
use crate::shared::{Shared, SharedMap, new_map};
use crate::values::floats;

pub use literal::set_literal;
use target::{Target, TargetError};

/// The highest index of a list.
pub const MAX_INDEX: i64 = 65_536;
/// The most names within names.
pub const MAX_NESTING: usize = 30;
/// The most lists within lists, which Helm does not bound.
const MAX_LISTS: usize = 100;

/// Why an override cannot be read. The texts are Helm's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The text breaks the grammar.
    #[error("{0}")]
    Syntax(String),
    /// What is set below is no map or no list.
    #[error("unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}")]
    Kind {
        /// The Go type that is there.
        found: &'static str,
        /// The Go type that is needed.
        wanted: &'static str,
    },
    /// A file that the text names cannot be read.
    #[error("{0}")]
    File(#[from] TreeError),
}

/// Reads a file that an override names.
pub type FileReader<'a> = dyn FnMut(&str) -> Result<String, TreeError> + 'a;

/// `--set`: texts that look like numbers, booleans and null become that.
///
/// # Errors
///
/// When the text breaks the grammar or does not fit what is there.
pub fn set(text: &str, values: &SharedMap) -> Result<(), SetError> {
    Parser::new(text, Reading::Typed).run(values)
}

/// `--set-string`: everything is text.
///
/// # Errors
///
/// See [`set`].
pub fn set_string(text: &str, values: &SharedMap) -> Result<(), SetError> {
    Parser::new(text, Reading::Text).run(values)
}

/// `--set-json`: values are JSON.
///
/// # Errors
///
/// See [`set`].
pub fn set_json(text: &str, values: &SharedMap) -> Result<(), SetError> {
    Parser::new(text, Reading::Json).run(values)
}

/// `--set-file`: values are names of files.
///
/// # Errors
///
/// See [`set`]; and when a file cannot be read.
pub fn set_file(text: &str, values: &SharedMap, read: &mut FileReader<'_>) -> Result<(), SetError> {
    Parser::new(text, Reading::File(read)).run(values)
}

enum Reading<'a> {
    Typed,
    Text,
    Json,
    File(&'a mut FileReader<'a>),
}

/// How reading came to an end before its time.
enum Stop {
    /// The text is over, which is fine.
    End,
    Error(SetError),
}

impl From<SetError> for Stop {
    fn from(error: SetError) -> Self {
        Self::Error(error)
    }
}

impl From<TargetError> for Stop {
    fn from(error: TargetError) -> Self {
        Self::Error(error.into())
    }
}

fn syntax(text: impl Into<String>) -> Stop {
    Stop::Error(SetError::Syntax(text.into()))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    reading: Reading<'a>,
}

/// Text up to a stop character, with escapes taken away.
struct Word {
    text: String,
    /// The character that ended it; none at the end of the text.
    stop: Option<char>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, reading: Reading<'a>) -> Self {
        Self {
            text,
            at: 0,
            reading,
        }
    }

    fn run(mut self, values: &SharedMap) -> Result<(), SetError> {
        until_end(|| self.key(values, 0))
    }

    /// One assignment below a map.
    fn key(&mut self, map: &SharedMap, nesting: usize) -> Result<(), Stop> {
        let word = self.until(&['=', '[', ',', '.']);
        let key = word.text;
        match word.stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(syntax(format!("key {key:?} has no value"))),
            Some('[') => {
                let index = self.index()?;
                let mut list = Target::list_of(map, &key)?;
                let result = self.item(&mut list, index, nesting, 0);
                list.store(map, &key);
                result
            }
            Some('=') => {
                let value = self.value();
                let (value, result) = match value {
                    Ok(value) => (value, Ok(())),
                    // `a=` at the end of the text is an empty text.
                    Err((value, stop)) => (value, Err(stop)),
                };
                if let Some(value) = value {
                    target::put(map, &key, value);
                }
                result
            }
            Some(',') => {
                target::put(map, &key, Shared::String("".into()));
                Err(syntax(format!(
                    "key {key:?} has no value (cannot end with ,)"
                )))
            }
            Some(_) => {
                if nesting + 1 > MAX_NESTING {
                    return Err(syntax(too_nested()));
                }
                let inner = target::map_below(map, &key)?;
                let result = self.key(&inner, nesting + 1);
                finish_map(map, &key, &inner, result)
            }
        }
    }

    /// What follows `[N]`.
    fn item(
        &mut self,
        list: &mut Target,
        index: i64,
        nesting: usize,
        lists: usize,
    ) -> Result<(), Stop> {
        if index < 0 {
            return Err(syntax(negative(index)));
        }
        if lists > MAX_LISTS {
            return Err(syntax(too_nested()));
        }
        let word = self.until(&['[', '.', '=']);
        if !word.text.is_empty() {
            return Err(syntax(format!(
                "unexpected data at end of array index: {:?}",
                word.text
            )));
        }
        match word.stop {
            None => Err(Stop::End),
            Some('=') => match self.value() {
                Ok(Some(value)) => Ok(list.set(index, value)?),
                Ok(None) => Ok(()),
                // Unlike after a name, the end of the text is no end here: the next look finds it.
                Err((Some(value), Stop::End)) => Ok(list.set(index, value)?),
                Err((_, stop)) => Err(stop),
            },
            Some('[') => {
                let next = self.index()?;
                let mut below = list.list_at(index)?;
                self.item(&mut below, next, nesting, lists + 1)?;
                Ok(list.set(index, below.into_value())?)
            }
            Some(_) => {
                let inner = list.map_at(index);
                self.key(&inner, nesting)?;
                Ok(list.set(index, Shared::Map(inner))?)
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let word = self.until(&[']']);
        if word.stop.is_none() {
            return Err(Stop::End);
        }
        target::parse_index(&word.text).map_err(Stop::from)
    }

    /// What follows `=`: a value, none if nothing is to be set, and how it ended. The value of an error is set all the same.
    fn value(&mut self) -> Result<Option<Shared>, (Option<Shared>, Stop)> {
        if matches!(self.reading, Reading::Json) {
            return self.json().map(Some).map_err(|stop| (None, stop));
        }
        match self.peek() {
            None => Err((Some(Shared::String("".into())), Stop::End)),
            Some('{') => {
                self.at += 1;
                self.list().map(Some).map_err(|stop| (None, stop))
            }
            Some(_) => {
                let word = self.until(&[',']);
                self.read(word.text)
                    .map(Some)
                    .map_err(|stop| (Some(Shared::Null), stop))
            }
        }
    }

    fn list(&mut self) -> Result<Shared, Stop> {
        let mut items = Vec::new();
        loop {
            let word = self.until(&[',', '}']);
            let Some(stop) = word.stop else {
                return Err(syntax("list must terminate with '}'"));
            };
            items.push(self.read(word.text)?);
            if stop == '}' {
                if self.peek() == Some(',') {
                    self.at += 1;
                }
                return Ok(Shared::list(items));
            }
        }
    }

    fn read(&mut self, text: String) -> Result<Shared, Stop> {
        match &mut self.reading {
            Reading::Typed | Reading::Json => Ok(typed(text)),
            Reading::Text => Ok(Shared::String(text.into())),
            Reading::File(read) => read(&text)
                .map(|text| Shared::String(text.into()))
                .map_err(|error| Stop::Error(error.into())),
        }
    }

    fn json(&mut self) -> Result<Shared, Stop> {
        if self.skip_empty() {
            return Ok(Shared::Null);
        }
        let mut values = Deserializer::from_str(&self.text[self.at..]).into_iter::<Value>();
        let mut value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(syntax(error.to_string())),
            None => return Err(syntax("unexpected end of JSON input")),
        };
        self.at += values.byte_offset();
        floats(&mut value);
        self.skip_empty();
        Ok(Shared::from_value(&value))
    }

    /// Skips blanks and one comma; whether there was a comma or the end.
    fn skip_empty(&mut self) -> bool {
        while let Some(c) = self.peek() {
            if c == ',' {
                self.at += 1;
                return true;
            }
            if !c.is_whitespace() {
                return false;
            }
            self.at += c.len_utf8();
        }
        true
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn until(&mut self, stops: &[char]) -> Word {
        let mut text = String::new();
        let mut chars = self.text[self.at..].char_indices();
        while let Some((offset, c)) = chars.next() {
            if stops.contains(&c) {
                self.at += offset + c.len_utf8();
                return Word {
                    text,
                    stop: Some(c),
                };
            }
            if c != '\\' {
                text.push(c);
            } else if let Some((_, escaped)) = chars.next() {
                text.push(escaped);
            }
        }
        self.at = self.text.len();
        Word { text, stop: None }
    }
}

/// Reads one assignment after the other.
fn until_end(mut assignment: impl FnMut() -> Result<(), Stop>) -> Result<(), SetError> {
    loop {
        match assignment() {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Error(error)) => return Err(error),
        }
    }
}

/// Puts a map that was read into in its place.
fn finish_map(
    map: &SharedMap,
    key: &str,
    inner: &SharedMap,
    result: Result<(), Stop>,
) -> Result<(), Stop> {
    let empty = inner.borrow().is_empty();
    if empty && result.is_ok() {
        return Err(syntax(format!("key map {key:?} has no value")));
    }
    if !empty {
        target::put(map, key, Shared::Map(inner.clone()));
    }
    result
}

fn too_nested() -> String {
    format!(
        "value name nested level is greater than maximum supported nested level of {MAX_NESTING}"
    )
}

fn negative(index: i64) -> String {
    format!("negative {index} index not allowed")
}

/// What a text of `--set` means.
fn typed(text: String) -> Shared {
    if text.eq_ignore_ascii_case("true") {
        return Shared::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Shared::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Shared::Null;
    }
    if text == "0" {
        return Shared::Number(Number::from(0));
    }
    let number = if text.starts_with('0') {
        None
    } else {
        text.parse::<i64>().ok()
    };
    number.map_or_else(
        || Shared::String(text.into()),
        |number| Shared::Number(number.into()),
    )
}

/// An empty map to set values in.
#[must_use]
pub fn empty() -> SharedMap {
    new_map()
}
