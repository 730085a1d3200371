//! JSON to look at and to change: lists and maps in their order, texts borrowed from where they stand.
//!
//! Reading an object as [`Json`] costs a third of what a `serde_json::Value` costs, which copies every text and sorts every
//! map.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function is about one or two kinds of values; there will be no others"
)]

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Number;

use crate::{Error, Result};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// A map; no key is in it twice.
    Map(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
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
                *at = Self::Map(Vec::new());
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

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Json<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = from.next_key()? {
            entries.push((key, from.next_value()?));
        }
        Ok(Json::Map(entries))
    }
}

/// A key, borrowed where it has no escapes. (A `Cow` alone is always read as a copy.)
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl<'de> Visitor<'de> for Reading {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn is_written_as_it_was_read() {
        let text =
            r#"{"b":[1,-2,0.5,1e+300,18446744073709551615,true,null,"\n\"é"],"a":{},"c\td":[]}"#;
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
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
        let written = serde_json::to_string(&object).unwrap();
        assert_eq!(written, r#"{"a":{"b/c":[{"d":"f"}]},"x":{"y":3}}"#);
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
