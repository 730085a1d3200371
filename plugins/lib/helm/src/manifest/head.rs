//! The fields of a document that Helm reads.

use serde_json::Value;
use weir_chart::Profile;

/// What Helm knows about a document.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    annotations: Vec<(String, String)>,
}

const METADATA: &str = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";

impl Head {
    /// Reads a document that is a map or nothing.
    pub(crate) fn read(object: &Value, profile: Profile) -> Result<Self, String> {
        let head = if profile.is_helm3() {
            "releaseutil.SimpleHead"
        } else {
            "util.SimpleHead"
        };
        match object {
            Value::Null => return Ok(Self::default()),
            Value::Object(_) => {}
            other => return Err(mismatch(other, &format!("value of type {head}"))),
        }
        let mut read = Self {
            api_version: text(field(object, "apiVersion"), ".apiVersion")?,
            kind: text(field(object, "kind"), ".kind")?,
            ..Self::default()
        };
        let metadata = match field(object, "metadata") {
            None => return Ok(read),
            Some(metadata @ Value::Object(_)) => metadata,
            Some(other) => {
                return Err(mismatch(
                    other,
                    &format!("struct field .metadata of type {METADATA}"),
                ));
            }
        };
        read.name = text(field(metadata, "name"), ".metadata.name")?;
        match field(metadata, "annotations") {
            None => {}
            Some(Value::Object(annotations)) => {
                for (key, value) in annotations {
                    let value = text(
                        Some(value).filter(|value| !value.is_null()),
                        &format!(".metadata.annotations.{key}"),
                    )?;
                    read.annotations.push((key.clone(), value));
                }
            }
            Some(other) => {
                return Err(mismatch(
                    other,
                    "struct field .metadata.annotations of type map[string]string",
                ));
            }
        }
        Ok(read)
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations
            .iter()
            .find(|entry| entry.0 == key)
            .map(|entry| entry.1.as_str())
    }
}

/// A field that is not null; its name in another case counts if the exact one is not there.
fn field<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let map = object.as_object()?;
    let found = map.get(name).or_else(|| {
        let other = map.iter().find(|entry| entry.0.eq_ignore_ascii_case(name));
        other.map(|entry| entry.1)
    })?;
    (!found.is_null()).then_some(found)
}

fn text(value: Option<&Value>, path: &str) -> Result<String, String> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(value)) => Ok(value.to_string()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(other @ (Value::Array(_) | Value::Object(_))) => Err(mismatch(
            other,
            &format!("struct field {path} of type string"),
        )),
    }
}

fn mismatch(value: &Value, target: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go {target}"
    )
}
