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
use weir_k8s_yaml::{ErrorKind, Schema, YamlError};

use crate::json::{self, Style, Target};
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
    functions.add("fromYaml", TEXT, |call, args| {
        let text = paid_for(call, args.text(0)?)?;
        map_or_error(from_yaml(text, Target::Map))
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
    let json = value.to_json().map_err(|error| match error {
        JsonError::Depth => FuncError::limit(error.to_string()),
        JsonError::Number(_) => FuncError::new(format!("error marshaling into JSON: {error}")),
    })?;
    weir_k8s_yaml::to_yaml(&json)
        .map(trimmed)
        .map_err(yaml_error)
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
    let read = weir_k8s_yaml::from_str(&text.lossy(), Schema::Sigs);
    let json = read.map_err(|error| format!("error converting YAML to JSON: {error}"))?;
    let (found, wanted) = match (&json, target) {
        (Json::Object(_), Target::Map) | (Json::Array(_), Target::List) => {
            return Ok(Value::from_json_floats(&json));
        }
        (Json::Null, Target::Map) => return Ok(Value::empty_map()),
        (Json::Null, _) => return Ok(List::new(&ListType::ANY, Vec::new()).into()),
        (json, Target::Map) => (json_kind(json), MapType::ANY.name),
        (json, Target::List | Target::Any) => (json_kind(json), ListType::ANY.name),
    };
    Err(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    ))
}

fn json_kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
