//! From YAML to typed settings, as Go's JSON decoder does it: names ignore case, null leaves a field unset, and a wrong
//! type or an unknown name is an error with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_k8s_yaml::{
    Data, Node, ParseOptions, ResolveOptions, Schema, Span, decode, parse, resolve_data,
};

use crate::error::{Error, Problem, Result, did_you_mean, nearest};

/// A file of settings: its values, and its tree for the places in it.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The name shown in errors.
    pub(crate) file: String,
    pub(crate) value: Value,
    tree: Option<Node>,
}

/// How strictly a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Unknown names and numbers for strings are errors.
    Strict,
    /// Unknown names are ignored, numbers and booleans become strings where those are wanted.
    Lenient,
}

impl Settings {
    /// Reads the first document of a text by the rules of `sigs.k8s.io/yaml`.
    pub(crate) fn parse(content: &[u8], file: &str) -> Result<Self> {
        Self::read(content, file).map_err(|error| error.in_file(file))
    }

    fn read(content: &[u8], file: &str) -> Result<Self> {
        let text = decode(content).map_err(Error::yaml)?;
        let document = parse(&text, &ParseOptions::default()).map_err(Error::yaml)?;
        let tree = document.map(|document| document.root);
        let value = match &tree {
            Some(root) => resolve_data(root, &ResolveOptions::new(Schema::Sigs))
                .map_err(Error::yaml)?
                .into_value(),
            None => Value::Null,
        };
        Ok(Self {
            file: file.to_owned(),
            value,
            tree,
        })
    }

    /// Settings that were made by code.
    pub(crate) fn made(value: Value, file: &str) -> Self {
        Self {
            file: file.to_owned(),
            value,
            tree: None,
        }
    }

    /// The root of the settings, to be decoded.
    pub(crate) fn root(&self, mode: Mode) -> At<'_> {
        At {
            value: &self.value,
            path: Path::Root,
            settings: self,
            mode,
        }
    }

    /// The place of a value.
    pub(crate) fn place(&self, path: &[&str]) -> Span {
        let mut place = Span::NONE;
        let mut node = self.tree.as_ref();
        for step in path {
            let Some(here) = node else { break };
            place = here.span();
            node = match here.as_sequence() {
                Some(list) => step.parse().ok().and_then(|at: usize| list.get(at)),
                None => here.as_mapping().and_then(|map| {
                    map.get(step).or_else(|| {
                        let same = |key: &Node| {
                            key.as_str()
                                .is_some_and(|key| key.eq_ignore_ascii_case(step))
                        };
                        map.iter()
                            .find(|entry| same(&entry.key))
                            .map(|entry| &entry.value)
                    })
                }),
            };
        }
        node.map_or(place, Node::span)
    }
}

/// A value in a file, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) value: &'a Value,
    path: Path<'a>,
    settings: &'a Settings,
    mode: Mode,
}

#[derive(Debug, Clone, Copy)]
enum Path<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

/// Anything that can be read from settings.
pub(crate) trait Decode: Sized + Default {
    /// Reads a value that is not null.
    fn decode(at: &At<'_>) -> Result<Self>;
}

impl<'a> At<'a> {
    /// An error about this value.
    pub(crate) fn error(&self, problem: Problem) -> Error {
        let mut steps = Vec::new();
        self.steps(&mut steps);
        let mut field = String::new();
        for step in &steps {
            match step.parse::<usize>() {
                Ok(_) if !field.is_empty() => field.push_str(&format!("[{step}]")),
                _ if field.is_empty() => field.push_str(step),
                _ => field.push_str(&format!(".{step}")),
            }
        }
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        Error::new(problem)
            .in_file(&self.settings.file)
            .at(self.settings.place(&steps))
            .in_field(field)
    }

    fn steps(&self, steps: &mut Vec<String>) {
        match self.path {
            Path::Root => {}
            Path::Key(parent, name) => {
                parent.steps(steps);
                steps.push(name.to_owned());
            }
            Path::Index(parent, at) => {
                parent.steps(steps);
                steps.push(at.to_string());
            }
        }
    }

    pub(crate) fn wrong_type(&self, expected: &'static str) -> Error {
        self.error(Problem::WrongType {
            expected,
            found: describe(self.value),
        })
    }

    /// The fields of a map, whose names have to be among the known ones.
    pub(crate) fn fields(&'a self, known: &'static [&'static str]) -> Result<Fields<'a>> {
        let Value::Object(map) = self.value else {
            return Err(self.wrong_type("a map"));
        };
        if self.mode == Mode::Strict {
            for name in map.keys() {
                if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                    let here = At {
                        value: self.value,
                        path: Path::Key(self, name),
                        settings: self.settings,
                        mode: self.mode,
                    };
                    let near = nearest(name, known.iter().copied());
                    return Err(here.error(Problem::UnknownField(name.clone())).help(
                        match near.as_slice() {
                            [] => format!("known fields here: {}", known.join(", ")),
                            near => did_you_mean(near),
                        },
                    ));
                }
            }
        }
        Ok(Fields { at: self, map })
    }

    /// Reads the value, or the default for null.
    pub(crate) fn get<T: Decode>(&self) -> Result<T> {
        if self.value.is_null() {
            Ok(T::default())
        } else {
            T::decode(self)
        }
    }
}

/// The fields of a map.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    at: &'a At<'a>,
    map: &'a Map<String, Value>,
}

impl Fields<'_> {
    /// Reads a field, or the default if it is missing or null.
    pub(crate) fn get<T: Decode>(&self, name: &str) -> Result<T> {
        self.with(name, |at| at.get())
    }

    /// Reads a field that is not there or null as `None`.
    pub(crate) fn optional<T: Decode>(&self, name: &str) -> Result<Option<T>> {
        self.with(name, |at| {
            if at.value.is_null() {
                Ok(None)
            } else {
                T::decode(at).map(Some)
            }
        })
    }

    /// Whether the field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, value)| !value.is_null())
    }

    pub(crate) fn with<T>(&self, name: &str, read: impl FnOnce(&At<'_>) -> Result<T>) -> Result<T> {
        let (name, value) = self.find(name).unwrap_or((name, &Value::Null));
        read(&At {
            value,
            path: Path::Key(self.at, name),
            settings: self.at.settings,
            mode: self.at.mode,
        })
    }

    fn find(&self, name: &str) -> Option<(&str, &Value)> {
        match self.map.get_key_value(name) {
            Some((key, value)) => Some((key, value)),
            None => {
                let mut same = self
                    .map
                    .iter()
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name));
                same.next_back().map(|(key, value)| (key.as_str(), value))
            }
        }
    }
}

impl Decode for String {
    fn decode(at: &At<'_>) -> Result<Self> {
        match (at.value, at.mode) {
            (Value::String(text), _) => Ok(text.clone()),
            (Value::Bool(value), Mode::Lenient) => Ok(value.to_string()),
            (number @ Value::Number(_), Mode::Lenient) => Ok(number_text(number)),
            (Value::Bool(_) | Value::Number(_), Mode::Strict) => {
                Err(at.wrong_type("a string").help("put it in quotes"))
            }
            (Value::Null | Value::Array(_) | Value::Object(_), _) => Err(at.wrong_type("a string")),
        }
    }
}

impl Decode for bool {
    fn decode(at: &At<'_>) -> Result<Self> {
        at.value
            .as_bool()
            .ok_or_else(|| at.wrong_type("true or false"))
    }
}

impl Decode for i64 {
    fn decode(at: &At<'_>) -> Result<Self> {
        let whole =
            |value: f64| (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
        let value = at
            .value
            .as_i64()
            .or_else(|| at.value.as_f64().and_then(whole));
        value.ok_or_else(|| at.wrong_type("a whole number"))
    }
}

impl Decode for Value {
    fn decode(at: &At<'_>) -> Result<Self> {
        Ok(at.value.clone())
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(at: &At<'_>) -> Result<Self> {
        let Value::Array(items) = at.value else {
            return Err(at.wrong_type("a list"));
        };
        let each = items.iter().enumerate().map(|(index, value)| {
            At {
                value,
                path: Path::Index(at, index),
                settings: at.settings,
                mode: at.mode,
            }
            .get()
        });
        each.collect()
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(at: &At<'_>) -> Result<Self> {
        let Value::Object(map) = at.value else {
            return Err(at.wrong_type("a map"));
        };
        let each = map.iter().map(|(name, value)| {
            let here = At {
                value,
                path: Path::Key(at, name),
                settings: at.settings,
                mode: at.mode,
            };
            Ok((name.clone(), here.get()?))
        });
        each.collect()
    }
}

/// A value in words.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text `{}`", text.chars().take(60).collect::<String>()),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// A number as Go prints it with `%g`.
fn number_text(number: &Value) -> String {
    let data = Data::from_value(number).and_then(|data| data.to_yaml());
    data.map_or_else(|_| number.to_string(), |text| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, mode: Mode) -> Result<Vec<String>> {
        let settings = Settings::parse(text.as_bytes(), "f.yaml")?;
        let root = settings.root(mode);
        let fields = root.fields(&["names", "flag"])?;
        fields.get::<bool>("flag")?;
        fields.get("names")
    }

    #[test]
    fn names_ignore_case_and_null_is_unset() {
        assert_eq!(names("Names: [a]\nflag:\n", Mode::Strict).unwrap(), ["a"]);
        assert!(names("flag: true", Mode::Strict).unwrap().is_empty());
    }

    #[test]
    fn unknown_names_and_wrong_types_have_their_place() {
        let error = names("flag: true\nnamse: []\n", Mode::Strict).unwrap_err();
        assert_eq!((error.line(), error.hint()), (2, "did you mean `names`?"));
        let error = names("names:\n- a\n- 1.10\n", Mode::Strict).unwrap_err();
        assert_eq!((error.line(), error.field()), (3, "names[1]"));
    }

    #[test]
    fn lenient_reading_makes_strings() {
        assert_eq!(
            names(
                "names: [1.10, true, 1e3, 12345678.5]\nother: 1",
                Mode::Lenient
            )
            .unwrap(),
            ["1.1", "true", "1000", "1.23456785e+07"]
        );
    }
}
