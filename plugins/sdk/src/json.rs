//! JSON to look at and to change: lists and maps in their order, texts and numbers borrowed from where they stand.
//!
//! Reading an object as [`Json`] and writing it costs less than half of what a `serde_json::Value` costs, which copies every text
//! and sorts every map; and what was not changed is written as it was.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function is about one or two kinds of values; there will be no others"
)]

mod as_read;
mod number;
mod read;
mod write;

use std::borrow::Cow;

use serde_json::Value;

use crate::{Error, Result};

pub use as_read::AsRead;
pub use number::Number;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(AsRead<'a, Vec<Json<'a>>>),
    /// A map; no key is in it twice.
    Map(AsRead<'a, Vec<(Cow<'a, str>, Json<'a>)>>),
}

impl<'a> Json<'a> {
    /// Reads one value; nothing but white space may stand around it.
    pub fn parse(text: &'a str) -> Result<Self> {
        Ok(read::read(text)?)
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|entry| entry.0 == key).map(|it| &it.1),
            _ => None,
        }
    }

    /// The text that this is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; of anything else none.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// What a JSON Pointer ("/spec/containers/0/image") leads to.
    pub fn find(&self, pointer: &str) -> Option<&Self> {
        steps(pointer).ok()?.try_fold(self, |at, step| match at {
            Self::List(items) => items.get(step.parse::<usize>().ok()?),
            at => at.get(&step),
        })
    }

    /// What a JSON Pointer leads to, to be changed.
    pub fn find_mut(&mut self, pointer: &str) -> Option<&mut Self> {
        steps(pointer).ok()?.try_fold(self, |at, step| match at {
            Self::List(items) => items.get_mut(step.parse::<usize>().ok()?),
            Self::Map(entries) => value_of(entries, &step),
            _ => None,
        })
    }

    /// Sets what a JSON Pointer leads to, making the maps on the way. A list must have the item.
    pub fn set(&mut self, pointer: &str, value: impl Into<Json<'a>>) -> Result<()> {
        let mut at = self;
        for step in steps(pointer)? {
            if matches!(at, Self::Null) {
                *at = Self::Map(AsRead::default());
            }
            at = match at {
                Self::List(items) => {
                    let item = step.parse::<usize>().ok().and_then(|at| items.get_mut(at));
                    item.ok_or_else(|| Error::new(format!("{pointer}: no item {step}")))?
                }
                Self::Map(entries) => {
                    let known = entries.iter().position(|entry| entry.0 == step);
                    let known = known.unwrap_or_else(|| {
                        entries.push((Cow::Owned(step.into_owned()), Self::Null));
                        entries.len() - 1
                    });
                    &mut entries[known].1
                }
                Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                    return Err(Error::new(format!(
                        "{pointer}: there is neither a map nor a list above {step:?}"
                    )));
                }
            };
        }
        *at = value.into();
        Ok(())
    }

    /// Takes out what a JSON Pointer leads to.
    pub fn remove(&mut self, pointer: &str) -> Option<Self> {
        let (parent, last) = pointer.rsplit_once('/')?;
        let last = unescaped(last);
        match self.find_mut(parent)? {
            Self::List(items) => {
                let at = last.parse::<usize>().ok().filter(|at| *at < items.len())?;
                Some(items.remove(at))
            }
            Self::Map(entries) => {
                let at = entries.iter().position(|entry| entry.0 == last)?;
                Some(entries.remove(at).1)
            }
            _ => None,
        }
    }
}

fn value_of<'m, 'a>(
    entries: &'m mut [(Cow<'a, str>, Json<'a>)],
    key: &str,
) -> Option<&'m mut Json<'a>> {
    entries
        .iter_mut()
        .find(|entry| entry.0 == key)
        .map(|entry| &mut entry.1)
}

/// The steps of a pointer; the empty one leads to the whole.
fn steps(pointer: &str) -> Result<impl Iterator<Item = Cow<'_, str>>> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(Error::new(format!(
            "{pointer:?} is not a JSON pointer; it must begin with \"/\""
        )));
    }
    Ok(pointer.split('/').skip(1).map(unescaped))
}

fn unescaped(step: &str) -> Cow<'_, str> {
    if step.contains('~') {
        Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(step)
    }
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Json<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<bool> for Json<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json<'_> {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<Value> for Json<'_> {
    /// For parts that are written down: `object.set("/spec/strategy", json!({"type": "Recreate"}))`.
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number.into()),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from).collect::<Vec<_>>().into())
            }
            Value::Object(entries) => {
                let entry = |(key, value)| (Cow::Owned(key), Self::from(value));
                Self::Map(entries.into_iter().map(entry).collect::<Vec<_>>().into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Json<'_> {
        Json::parse(text).unwrap()
    }

    #[test]
    fn is_written_as_it_was_read() {
        let text = r#"{"b":[1,-2,0.50,1E+300,18446744073709551615,true,false,null,"\n\"é"],"a":{},"c\td":[]}"#;
        assert_eq!(read(text).to_string(), text);
        assert!(matches!(
            read(r#"{"a":"b"}"#).get("a"),
            Some(Json::Text(Cow::Borrowed("b")))
        ));
    }

    #[test]
    fn pointers_lead_into_maps_and_lists() {
        let mut object = read(r#"{"a":{"b/c":[{"d":"e"},2]}}"#);
        assert_eq!(object.find("/a/b~1c/0/d").and_then(Json::as_str), Some("e"));
        assert_eq!(object.find("/a/b~1c").unwrap().items().len(), 2);
        assert!(object.find("/a/b~1c/2").is_none() && object.find("a").is_none());

        object.set("/a/b~1c/0/d", "f").unwrap();
        object.set("/x/y", 3).unwrap();
        object.set("/a/b~1c/1", true).unwrap();
        assert_eq!(object.remove("/a/b~1c/1"), Some(Json::Bool(true)));
        assert_eq!(object.remove("/a/z"), None);
        object.set("/x/z", json!({"b": [null, 1.5, "\n"]})).unwrap();
        assert_eq!(
            object.to_string(),
            r#"{"a":{"b/c":[{"d":"f"}]},"x":{"y":3,"z":{"b":[null,1.5,"\n"]}}}"#
        );
    }

    #[test]
    fn what_is_not_changed_is_written_as_it_stood() {
        let mut object = read(r#"{"a": {"b": [1, {"c": "\u0041"}]}, "d": [ 2 ]}"#);
        assert!(object.find_mut("/a/b/2").is_none() && object.find("/d/0").is_some());
        *object.find_mut("/a/b/1").unwrap() = Json::Null;
        assert_eq!(object.to_string(), r#"{"a":{"b":[1,null]},"d":[ 2 ]}"#);
        if let Some(Json::List(items)) = object.find_mut("/d") {
            items.insert(0, Json::from(true));
        }
        assert_eq!(object.to_string(), r#"{"a":{"b":[1,null]},"d":[true,2]}"#);
        object.remove("/a/b").unwrap();
        assert_eq!(object, read(r#"{"a":{},"d":[true,2]}"#));
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let mut object = read(r#"{"a":"b","l":[]}"#);
        let wrong = |object: &mut Json<'_>, pointer: &str| {
            object.set(pointer, "x").unwrap_err().to_string()
        };
        assert!(wrong(&mut object, "/a/c").contains("neither a map nor a list above \"c\""));
        assert!(wrong(&mut object, "/l/0").contains("no item 0"));
        assert!(wrong(&mut object, "a").contains("must begin with"));
    }
}
