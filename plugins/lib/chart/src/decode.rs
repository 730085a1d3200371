//! Reading YAML into fields as Go's JSON decoder fills a struct: names match in any case, numbers and booleans become text
//! where text is wanted, unknown fields do not matter.

use weir_k8s_yaml::{Data, ParseOptions, ResolveOptions, Schema, YamlError, parse, resolve_data};

/// The first document of a text, resolved. Strings are copied, so that nothing of the parse tree is kept.
pub(crate) fn document(text: &str) -> Result<Data<'static>, String> {
    read(text).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

fn read(text: &str) -> Result<Data<'static>, YamlError> {
    let options = ParseOptions {
        words: Schema::Sigs,
        ..ParseOptions::default()
    };
    let Some(document) = parse(text, &options)? else {
        return Ok(Data::Null);
    };
    Ok(owned(resolve_data(
        &document.root,
        &ResolveOptions::new(Schema::Sigs),
    )?))
}

fn owned(data: Data<'_>) -> Data<'static> {
    match data {
        Data::Null => Data::Null,
        Data::Bool(value) => Data::Bool(value),
        Data::Int(value) => Data::Int(value),
        Data::Uint(value) => Data::Uint(value),
        Data::Float(value) => Data::Float(value),
        Data::Str(text) => Data::Str(text.into_owned().into()),
        Data::Seq(items) => Data::Seq(items.into_iter().map(owned).collect()),
        Data::Map(entries) => Data::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into_owned().into(), owned(value)))
                .collect(),
        ),
    }
}

/// The fields of one struct.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    data: &'a Data<'static>,
    /// Where it stands: `.dependencies`, or nothing at the top.
    path: &'a str,
}

impl<'a> Fields<'a> {
    /// Views data as a struct. Null has no fields.
    pub(crate) fn new(
        data: &'a Data<'static>,
        path: &'a str,
        go_type: &str,
    ) -> Result<Self, String> {
        match data {
            Data::Map(_) | Data::Null => Ok(Self { data, path }),
            other => Err(mismatch(other, path, go_type)),
        }
    }

    /// A field's data; the exact name wins over one in another case.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Data<'static>> {
        let Data::Map(entries) = self.data else {
            return None;
        };
        let exact = entries.iter().find(|entry| entry.0 == name);
        let found = exact.or_else(|| {
            entries
                .iter()
                .find(|entry| entry.0.eq_ignore_ascii_case(name))
        })?;
        match &found.1 {
            Data::Null => None,
            value => Some(value),
        }
    }

    pub(crate) fn string(&self, name: &str) -> Result<Option<String>, String> {
        self.get(name)
            .map(|data| text(data, &self.child(name)))
            .transpose()
    }

    pub(crate) fn bool(&self, name: &str) -> Result<Option<bool>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Data::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(mismatch(other, &self.child(name), "bool")),
        }
    }

    pub(crate) fn list(
        &self,
        name: &str,
        go_type: &str,
    ) -> Result<Option<&'a [Data<'static>]>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Data::Seq(items)) => Ok(Some(items)),
            Some(other) => Err(mismatch(other, &self.child(name), go_type)),
        }
    }

    pub(crate) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Some(items) = self.list(name, "[]string")? else {
            return Ok(None);
        };
        let path = self.child(name);
        items
            .iter()
            .map(|item| text(item, &path))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    pub(crate) fn string_map(&self, name: &str) -> Result<Option<Vec<(String, String)>>, String> {
        let path = self.child(name);
        let entries = match self.get(name) {
            None => return Ok(None),
            Some(Data::Map(entries)) => entries,
            Some(other) => return Err(mismatch(other, &path, "map[string]string")),
        };
        let read = entries.iter().map(|(key, value)| {
            let value = text(value, &format!("{path}.{key}"))?;
            Ok((key.to_string(), value))
        });
        read.collect::<Result<_, _>>().map(Some)
    }

    /// The path of a field.
    pub(crate) fn child(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}

/// Data where Go has a string.
fn text(data: &Data<'_>, path: &str) -> Result<String, String> {
    match data {
        Data::Null => Ok(String::new()),
        Data::Bool(value) => Ok(value.to_string()),
        Data::Int(value) => Ok(value.to_string()),
        Data::Uint(value) => Ok(value.to_string()),
        Data::Float(value) => Ok(short_float(*value)),
        Data::Str(text) => Ok(text.to_string()),
        Data::Seq(_) | Data::Map(_) => Err(mismatch(data, path, "string")),
    }
}

fn mismatch(data: &Data<'_>, path: &str, go_type: &str) -> String {
    let kind = data.json_kind();
    let target = if path.is_empty() {
        format!("value of type {go_type}")
    } else {
        format!("struct field {path} of type {go_type}")
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go {target}"
    )
}

/// The fewest digits that say a 32-bit float, as `%g`.
fn short_float(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Go's library rounds to 32 bits here"
    )]
    let value = value as f32;
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..21).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_text() {
        let data = document("Version: 1.10\nnumber: 20240101\nb: on\nbig: 1e30\n").unwrap();
        let fields = Fields::new(&data, "", "T").unwrap();
        let read = |name| fields.string(name).unwrap().unwrap();
        assert_eq!(
            (
                read("version").as_str(),
                read("number").as_str(),
                read("b").as_str()
            ),
            ("1.1", "20240101", "true")
        );
        assert_eq!(read("big"), "1e+30");
        assert_eq!(fields.string("none"), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_told_as_go_tells_it() {
        let data = document("name: {a: 1}\n").unwrap();
        let fields = Fields::new(&data, "", "T").unwrap();
        assert_eq!(
            fields.string("name").unwrap_err(),
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go struct field .name of type string"
        );
    }
}
