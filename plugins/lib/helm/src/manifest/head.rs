//! The fields of a document that Helm reads.

use weir_chart::Profile;
use weir_k8s_yaml::Data;

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
    /// The keys of the maps that it is read from.
    pub(crate) const PATH: &[&str] = &["metadata", "annotations"];

    /// Reads a document that is a map or nothing.
    pub(crate) fn read(object: &Data<'_>, profile: Profile) -> Result<Self, String> {
        let head = if profile.is_helm3() {
            "releaseutil.SimpleHead"
        } else {
            "util.SimpleHead"
        };
        match object {
            Data::Null => return Ok(Self::default()),
            Data::Map(_) => {}
            other => return Err(mismatch(other, &format!("value of type {head}"))),
        }
        let mut read = Self {
            api_version: text(field(object, "apiVersion"), ".apiVersion")?,
            kind: text(field(object, "kind"), ".kind")?,
            ..Self::default()
        };
        let metadata = match field(object, "metadata") {
            None => return Ok(read),
            Some(metadata @ Data::Map(_)) => metadata,
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
            Some(Data::Map(annotations)) => {
                for (key, value) in annotations {
                    let value = text(Some(value), &format!(".metadata.annotations.{key}"))?;
                    read.annotations.push((key.clone().into_owned(), value));
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
fn field<'d>(object: &'d Data<'_>, name: &str) -> Option<&'d Data<'d>> {
    let Data::Map(entries) = object else {
        return None;
    };
    let found = object.get(name).or_else(|| {
        let other = entries
            .iter()
            .find(|entry| entry.0.eq_ignore_ascii_case(name));
        other.map(|entry| &entry.1)
    })?;
    (*found != Data::Null).then_some(found)
}

fn text(value: Option<&Data<'_>>, path: &str) -> Result<String, String> {
    match value {
        None | Some(Data::Null) => Ok(String::new()),
        Some(Data::Str(text)) => Ok(text.clone().into_owned()),
        Some(value @ (Data::Bool(_) | Data::Int(_) | Data::Uint(_) | Data::Float(_))) => {
            Ok(value.to_json())
        }
        Some(other @ (Data::Seq(_) | Data::Map(_))) => Err(mismatch(
            other,
            &format!("struct field {path} of type string"),
        )),
    }
}

fn mismatch(value: &Data<'_>, target: &str) -> String {
    let kind = value.json_kind();
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go {target}"
    )
}
