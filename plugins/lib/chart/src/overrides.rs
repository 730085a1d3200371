//! What a person gives: values files and overrides, merged in Helm's order.

use serde_json::{Map, Value};

use crate::error::ValuesError;
use crate::profile::Profile;
use crate::set::{FileReader, SetError, set, set_file, set_json, set_literal, set_string};
use crate::shared::{map_from, map_to};
use crate::values::{floats, merge_into, read_values};

/// Values files and overrides. Groups are applied in the order of the fields, each in the order of its entries.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `-f`: name and text.
    pub files: Vec<(String, String)>,
    /// `--set-json`
    pub json: Vec<String>,
    /// `--set`
    pub set: Vec<String>,
    /// `--set-string`
    pub string: Vec<String>,
    /// `--set-file`
    pub file: Vec<String>,
    /// `--set-literal`
    pub literal: Vec<String>,
}

impl Overrides {
    /// The merged values. `read` gives the files that `--set-file` names.
    ///
    /// # Errors
    ///
    /// When a file or an override cannot be read.
    pub fn merge(
        &self,
        profile: Profile,
        read: &mut FileReader<'_>,
    ) -> Result<Map<String, Value>, ValuesError> {
        let mut base = Map::new();
        for (name, text) in &self.files {
            let values = read_values(text, profile).map_err(|source| ValuesError::File {
                file: name.clone(),
                source: Box::new(source),
            })?;
            merge_into(&mut base, values);
        }
        for text in &self.json {
            self.merge_json(text, &mut base)?;
        }
        if self.set.is_empty()
            && self.string.is_empty()
            && self.file.is_empty()
            && self.literal.is_empty()
        {
            return Ok(base);
        }
        let values = map_from(&base);
        for text in &self.set {
            set(text, &values).map_err(|error| failed("set", &error))?;
        }
        for text in &self.string {
            set_string(text, &values).map_err(|error| failed("set-string", &error))?;
        }
        for text in &self.file {
            set_file(text, &values, &mut |name| read(name))
                .map_err(|error| failed("set-file", &error))?;
        }
        for text in &self.literal {
            set_literal(text, &values).map_err(|error| failed("set-literal", &error))?;
        }
        Ok(map_to(&values))
    }

    fn merge_json(&self, text: &str, base: &mut Map<String, Value>) -> Result<(), ValuesError> {
        let failed = |separator| ValuesError::Override {
            flag: "set-json",
            separator,
            message: text.to_owned(),
        };
        if text.trim_start().starts_with('{') {
            let mut value: Value =
                serde_json::from_str(text.trim()).map_err(|_| failed(" JSON: "))?;
            floats(&mut value);
            if let Value::Object(map) = value {
                merge_into(base, map);
            }
            return Ok(());
        }
        let values = map_from(base);
        set_json(text, &values).map_err(|_| failed(" "))?;
        *base = map_to(&values);
        Ok(())
    }
}

fn failed(flag: &'static str, error: &SetError) -> ValuesError {
    ValuesError::Override {
        flag,
        separator: ": ",
        message: error.to_string(),
    }
}
