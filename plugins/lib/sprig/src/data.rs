//! Helm's own functions for data: YAML, JSON and TOML, from and to text.
//!
//! The plain ones answer what they cannot write with an empty text and what they cannot read with a map (or list) that
//! holds the error; the `must` ones fail. Helm 3 has fewer of them.

use serde_json::Value as Json;
use weir_chart::Profile;
use weir_gotemplate::{
    Call, FuncError, Functions, JsonError, List, ListType, Map, MapType, Signature, Text, Type,
    Value,
};
use weir_k8s_yaml::{Data, ErrorKind, Schema, Tree, View, YamlError};

use crate::json::{self, Style, Target};
use crate::known::Known;
use crate::limits::{self, paid};
use crate::toml;

/// Values nested in each other that are written as YAML.
const MAX_DEPTH: usize = weir_k8s_yaml::Limits::MAX_DEPTH;

/// What a function does about a value that it cannot write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Answers with an empty text.
    Plain,
    /// Fails.
    Must,
}

pub(crate) fn add(functions: &mut Functions, profile: Profile) {
    const ANY: Signature = Signature::fixed(&[Type::Any]);
    const TEXT: Signature = Signature::fixed(&[Type::String]);
    functions.add("toYaml", ANY, |call, args| {
        answer(call, to_yaml(args.at(0)?), Form::Plain)
    });
    functions.add("toYamlPretty", ANY, |call, args| {
        answer(call, to_yaml_pretty(args.at(0)?), Form::Plain)
    });
    functions.add("toJson", ANY, |call, args| {
        answer(call, to_json(args.at(0)?), Form::Plain)
    });
    functions.add("mustToJson", ANY, |call, args| {
        answer(call, to_json(args.at(0)?), Form::Must)
    });
    functions.add("toToml", ANY, |call, args| {
        match toml::write(args.at(0)?, limits::TEXT) {
            Err(error) if !error.limit && !error.panicked => Ok(error.message.into()),
            written => answer(call, written, Form::Must),
        }
    });
    if !profile.is_helm3() {
        functions.add("mustToYaml", ANY, |call, args| {
            answer(call, to_yaml(args.at(0)?), Form::Must)
        });
        functions.add("mustToToml", ANY, |call, args| {
            answer(call, toml::write(args.at(0)?, limits::TEXT), Form::Must)
        });
    }
    let known = Known::default();
    functions.add("fromYaml", TEXT, move |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        map_or_error(known.read(text, |text| from_yaml(text, Target::Map)))
    });
    functions.add("fromYamlArray", TEXT, |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        list_or_error(from_yaml(text, Target::List))
    });
    functions.add("fromJson", TEXT, |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        map_or_error(json::parse(text.as_bytes(), Target::Map).map_err(|error| error.to_string()))
    });
    functions.add("fromJsonArray", TEXT, |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        list_or_error(json::parse(text.as_bytes(), Target::List).map_err(|error| error.to_string()))
    });
    functions.add("fromToml", TEXT, |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        map_or_error(toml::parse(text.as_bytes()).map_err(|error| error.to_string()))
    });
}

fn paid_for<'t>(call: &mut Call<'_>, text: &'t Text) -> Result<&'t Text, FuncError> {
    call.spend(text.len() as u64 / 4)?;
    Ok(text)
}

fn answer(
    call: &mut Call<'_>,
    written: Result<Vec<u8>, FuncError>,
    form: Form,
) -> Result<Value, FuncError> {
    match written {
        Ok(text) => paid(call, text),
        Err(error) if form == Form::Plain && !error.limit => Ok(Value::Str(Text::empty())),
        Err(error) => Err(FuncError {
            panicked: true,
            ..error
        }),
    }
}

fn map_or_error(read: Result<Value, String>) -> Result<Value, FuncError> {
    Ok(read.unwrap_or_else(|error| [("Error", error)].into_iter().collect::<Map>().into()))
}

fn list_or_error(read: Result<Value, String>) -> Result<Value, FuncError> {
    Ok(read.unwrap_or_else(|error| vec![Value::from(error)].into()))
}

fn to_json(value: &Value) -> Result<Vec<u8>, FuncError> {
    let style = Style {
        html: true,
        pretty: false,
    };
    json::write(value, style, limits::TEXT).map(String::into_bytes)
}

/// A final line break does not count.
fn trimmed(mut text: String) -> Vec<u8> {
    if text.ends_with('\n') {
        text.pop();
    }
    text.into_bytes()
}

/// As sigs.k8s.io/yaml writes: through JSON.
fn to_yaml(value: &Value) -> Result<Vec<u8>, FuncError> {
    if is_plain(value, 0) {
        return weir_k8s_yaml::tree_to_yaml(&Plain(value.clone()))
            .map(trimmed)
            .map_err(yaml_error);
    }
    let json = value.to_json().map_err(|error| match error {
        JsonError::Depth => FuncError::limit(error.to_string()),
        JsonError::Number(_) => FuncError::new(format!("error marshaling into JSON: {error}")),
    })?;
    weir_k8s_yaml::to_yaml(&json)
        .map(trimmed)
        .map_err(yaml_error)
}

/// Whether the way through JSON changes nothing but whole floats, as for nearly all values.
fn is_plain(value: &Value, depth: usize) -> bool {
    let below = |value: &Value| is_plain(value, depth + 1);
    depth < MAX_DEPTH
        && match value {
            Value::Invalid | Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Int64(_) => true,
            Value::Float(value) => value.is_finite(),
            Value::Str(text) => text.as_str().is_some(),
            Value::List(list) => list.iter().all(below),
            Value::Map(map) => map.read(|entries| {
                let mut entries = entries.iter();
                entries.all(|(key, value)| key.as_str().is_some() && below(value))
            }),
            _ => false,
        }
}

/// A value that is plain, to be written where it stands: a clone is another handle of it.
struct Plain(Value);

/// A key of a plain map.
struct Key(Text);

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        self.0.as_str().unwrap_or_default()
    }
}

impl Tree for Plain {
    type Key = Key;

    fn view(&self) -> View<'_, Self> {
        match &self.0 {
            Value::Bool(value) => View::Bool(*value),
            Value::Int(value) | Value::Int64(value) => View::Int(*value),
            Value::Float(value) => match Data::from_float(*value) {
                Data::Int(value) => View::Int(value),
                Data::Uint(value) => View::Uint(value),
                _ => View::Float(*value),
            },
            Value::Str(text) => View::Str(text.as_str().unwrap_or_default()),
            Value::List(list) if !list.is_nil() => {
                View::Seq(list.iter().cloned().map(Plain).collect())
            }
            Value::Map(map) if !map.is_nil() => {
                let entry =
                    |(key, value): (&Text, &Value)| (Key(key.clone()), Plain(value.clone()));
                View::Map(map.read(|entries| entries.iter().map(entry).collect()))
            }
            _ => View::Null,
        }
    }
}

/// As go-yaml v3 writes: nil lists and maps are empty ones.
fn to_yaml_pretty(value: &Value) -> Result<Vec<u8>, FuncError> {
    let json = plain(value, 0)?;
    weir_k8s_yaml::to_yaml_pretty(&json)
        .map(trimmed)
        .map_err(yaml_error)
}

fn plain(value: &Value, depth: usize) -> Result<Json, FuncError> {
    if depth > MAX_DEPTH {
        return Err(FuncError::limit("yaml: the value is nested too deeply"));
    }
    Ok(match value {
        Value::List(list) => {
            let items = list.iter().map(|item| plain(item, depth + 1));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let entries = map.entries().into_iter();
            let entries = entries
                .map(|(key, value)| Ok((key.lossy().into_owned(), plain(&value, depth + 1)?)));
            Json::Object(entries.collect::<Result<_, FuncError>>()?)
        }
        other => other
            .to_json()
            .map_err(|error| FuncError::new(error.to_string()))?,
    })
}

fn yaml_error(error: YamlError) -> FuncError {
    match error.kind() {
        ErrorKind::Limit(_) => FuncError::limit(error.to_string()),
        _ => FuncError::new(error.to_string()),
    }
}

/// As sigs.k8s.io/yaml reads: into JSON, and from there into a map or a list.
fn from_yaml(text: &Text, target: Target) -> Result<Value, String> {
    let read = weir_k8s_yaml::read_str(&text.lossy(), Schema::Sigs, |data| {
        let kind = data.json_kind();
        (kind, from_data(data))
    });
    let (found, value) = read.map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    let wanted = match (&value, target) {
        (Value::Map(_), Target::Map) | (Value::List(_), Target::List) => return Ok(value),
        (Value::Nil, Target::Map) => return Ok(Value::empty_map()),
        (Value::Nil, _) => return Ok(List::new(&ListType::ANY, Vec::new()).into()),
        (_, Target::Map) => MapType::ANY.name,
        (_, Target::List | Target::Any) => ListType::ANY.name,
    };
    Err(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    ))
}

/// All numbers are floats, as encoding/json decodes them.
fn from_data(data: Data<'_>) -> Value {
    match data {
        Data::Null => Value::Nil,
        Data::Bool(value) => Value::Bool(value),
        #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
        Data::Int(value) => Value::Float(value as f64),
        #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
        Data::Uint(value) => Value::Float(value as f64),
        Data::Float(value) => Value::Float(value),
        Data::Str(text) => Value::from(text),
        Data::Seq(items) => Value::from(items.into_iter().map(from_data).collect::<Vec<_>>()),
        Data::Map(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (Text::from(key), from_data(value)));
            Map::from_entries(&MapType::ANY, entries.collect()).into()
        }
    }
}
