//! `--set-literal`: one path, and everything behind the first `=` as it stands.

use super::target::{self, Target};
use super::{
    MAX_LISTS, MAX_NESTING, SetError, Stop, finish_map, negative, syntax, too_nested, until_end,
};
use crate::shared::{Shared, SharedMap};

/// `--set-literal`: the path has no escapes, the value is text to the end.
///
/// # Errors
///
/// See [`super::set`].
pub fn set_literal(text: &str, values: &SharedMap) -> Result<(), SetError> {
    let mut literal = Literal { rest: text };
    until_end(|| literal.key(values, 0))
}

struct Literal<'a> {
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn key(&mut self, map: &SharedMap, nesting: usize) -> Result<(), Stop> {
        let (key, stop) = self.until(&['=', '[', '.']);
        match stop {
            None if key.is_empty() => Err(Stop::End),
            None => Err(syntax(format!("key {key:?} has no value"))),
            Some('=') => {
                target::put(map, key, self.value());
                Ok(())
            }
            Some('.') => {
                if nesting + 1 > MAX_NESTING {
                    return Err(syntax(too_nested()));
                }
                let inner = target::map_below(map, key)?;
                let result = self.key(&inner, nesting + 1);
                finish_map(map, key, &inner, result)
            }
            Some(_) => {
                let index = self.index()?;
                let mut list = Target::list_of(map, key)?;
                let result = self.item(&mut list, index, nesting, 0);
                list.store(map, key);
                result
            }
        }
    }

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
        let (key, stop) = self.until(&['[', '.', '=']);
        if !key.is_empty() {
            return Err(syntax(format!(
                "unexpected data at end of array index: {key:?}"
            )));
        }
        match stop {
            None => Err(Stop::End),
            Some('=') => {
                let value = self.value();
                Ok(list.set(index, value)?)
            }
            Some('.') => {
                let inner = list.map_at(index);
                self.key(&inner, nesting)?;
                Ok(list.set(index, Shared::Map(inner))?)
            }
            Some(_) => {
                let next = self.index()?;
                let mut below = list.list_at(index)?;
                self.item(&mut below, next, nesting, lists + 1)?;
                Ok(list.set(index, below.into_value())?)
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        match self.until(&[']']) {
            (_, None) => Err(Stop::End),
            (text, Some(_)) => target::parse_index(text).map_err(Stop::from),
        }
    }

    fn value(&mut self) -> Shared {
        Shared::String(std::mem::take(&mut self.rest).into())
    }

    fn until(&mut self, stops: &[char]) -> (&'a str, Option<char>) {
        let text = self.rest;
        match text.char_indices().find(|(_, c)| stops.contains(c)) {
            None => {
                self.rest = "";
                (text, None)
            }
            Some((at, stop)) => {
                self.rest = &text[at + stop.len_utf8()..];
                (&text[..at], Some(stop))
            }
        }
    }
}
