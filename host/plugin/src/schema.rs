//! A plugin's JSON Schema, compiled once, and the check of a config against it.

use std::fmt;
use std::sync::OnceLock;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

mod plain;

use plain::Verdict;

/// A schema has at most so many bytes.
const LONGEST_SCHEMA: usize = 256 << 10;
/// A config has at most so many bytes.
const LONGEST_CONFIG: usize = 4 << 20;

/// Decides which configs a plugin takes.
pub(crate) enum Schema {
    /// None but an empty one.
    NoConfig,
    Compiled(Validator),
    /// Compiled when it is needed: [`plain`] has judged most configs before.
    Checked(Value, OnceLock<Validator>),
}

/// Why a config is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the config is not valid at {pointer:?}: {message}")]
pub struct ConfigError {
    /// JSON Pointer into the config; empty is the whole of it.
    pub pointer: String,
    pub message: String,
}

impl Schema {
    /// `text` is empty for plugins that take no config. The message says what is wrong with the schema.
    pub(crate) fn compile(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::NoConfig);
        }
        if text.len() > LONGEST_SCHEMA {
            return Err(format!(
                "it has {} bytes, over the limit of {LONGEST_SCHEMA}",
                text.len()
            ));
        }
        let schema = parsed(text)?;
        check_references(&schema)?;
        Ok(Self::Compiled(compiled(&schema)?))
    }

    /// A schema that [`Schema::compile`] has compiled before, when this binary was built.
    pub(crate) fn checked(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::NoConfig);
        }
        Ok(Self::Checked(parsed(text)?, OnceLock::new()))
    }

    /// Parses and checks a config; an empty text stands for `{}`.
    pub(crate) fn check(&self, config: &str) -> Result<(), ConfigError> {
        let wrong = |pointer: String, message: String| ConfigError { pointer, message };
        if config.len() > LONGEST_CONFIG {
            let text = format!(
                "it has {} bytes, over the limit of {LONGEST_CONFIG}",
                config.len()
            );
            return Err(wrong(String::new(), text));
        }
        let value: Value = match config {
            "" => Value::Object(serde_json::Map::new()),
            text => serde_json::from_str(text)
                .map_err(|error| wrong(String::new(), format!("it is not valid JSON: {error}")))?,
        };
        let validator = match self {
            Self::NoConfig => {
                let empty =
                    value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                let text = || "the plugin takes no config".to_owned();
                return if empty {
                    Ok(())
                } else {
                    Err(wrong(String::new(), text()))
                };
            }
            Self::Compiled(validator) => validator,
            Self::Checked(schema, _) if plain::judge(schema, &value) == Verdict::Valid => {
                return Ok(());
            }
            Self::Checked(schema, validator) => validator
                .get_or_init(|| compiled(schema).expect("the schema was compiled by the build")),
        };
        validator.validate(&value).map_err(|error| {
            // The value itself stays out of the message: it can be secret.
            let message = shortened(&error.masked_with("the value").to_string());
            wrong(error.instance_path().as_str().to_owned(), message)
        })
    }
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is not valid JSON: {error}"))
}

fn compiled(schema: &Value) -> Result<Validator, String> {
    // Regular expressions that can take exponential time are not a part of the linear engine.
    let patterns = PatternOptions::regex()
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20);
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(patterns);
    options
        .build(schema)
        .map_err(|error| shortened(&error.to_string()))
}

/// Only references into the schema itself are followed, and none may lead back to where it starts without a step into the
/// config: such a schema would be checked for ever.
fn check_references(schema: &Value) -> Result<(), String> {
    let mut work = References {
        root: schema,
        done: std::collections::HashSet::new(),
        path: Vec::new(),
    };
    work.collect(schema, 0)
}

struct References<'a> {
    root: &'a Value,
    done: std::collections::HashSet<*const Value>,
    path: Vec<*const Value>,
}

impl<'a> References<'a> {
    const DEEPEST: usize = 128;

    /// Visits every part of the schema.
    fn collect(&mut self, part: &'a Value, depth: usize) -> Result<(), String> {
        if depth > Self::DEEPEST {
            return Err(format!(
                "it is nested more than {} levels deep",
                Self::DEEPEST
            ));
        }
        match part {
            Value::Object(map) => {
                if let Some(Value::String(base)) = map.get("$id").filter(|_| depth > 0) {
                    return Err(format!(
                        "\"$id\" {base:?} inside the schema is not supported"
                    ));
                }
                self.in_place(part)?;
                map.values()
                    .try_for_each(|value| self.collect(value, depth + 1))
            }
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.collect(item, depth + 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// Follows what applies to the same part of the config, and finds circles.
    fn in_place(&mut self, part: &'a Value) -> Result<(), String> {
        let Value::Object(map) = part else {
            return Ok(());
        };
        let id = std::ptr::from_ref(part);
        if self.done.contains(&id) {
            return Ok(());
        }
        if self.path.contains(&id) {
            return Err(
                "a \"$ref\" leads back to itself without a step into the config".to_owned(),
            );
        }
        if self.path.len() > Self::DEEPEST {
            return Err(format!(
                "it has more than {} references in a row",
                Self::DEEPEST
            ));
        }
        self.path.push(id);
        for (key, value) in map {
            match (key.as_str(), value) {
                ("$dynamicRef" | "$recursiveRef" | "$dynamicAnchor", _) => {
                    return Err(format!("{key:?} is not supported"));
                }
                ("$ref", Value::String(target)) => {
                    let target = self.target(target)?;
                    self.in_place(target)?;
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(items)) => {
                    items.iter().try_for_each(|item| self.in_place(item))?;
                }
                ("not" | "if" | "then" | "else", Value::Object(_)) => self.in_place(value)?,
                ("dependentSchemas", Value::Object(schemas)) => {
                    schemas
                        .values()
                        .try_for_each(|schema| self.in_place(schema))?;
                }
                _ => {}
            }
        }
        self.path.pop();
        self.done.insert(id);
        Ok(())
    }

    fn target(&self, reference: &str) -> Result<&'a Value, String> {
        let wrong = |what: &str| format!("\"$ref\" {:?} {what}", shortened(reference));
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(wrong("leads out of the schema"));
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return Err(wrong(
                "is an anchor, which is not supported; write a path: \"#/$defs/NAME\"",
            ));
        }
        self.root
            .pointer(fragment)
            .ok_or_else(|| wrong("leads nowhere"))
    }
}

fn shortened(text: &str) -> String {
    const LIMIT: usize = 500;
    match text.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoConfig => "Schema(no config)",
            Self::Compiled(_) | Self::Checked(..) => "Schema",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Schema {
        Schema::compile(text).unwrap()
    }

    fn refused(text: &str) -> String {
        Schema::compile(text).unwrap_err()
    }

    #[test]
    fn configs_are_checked() {
        let schema = schema(
            r#"{"type":"object","properties":{"replicas":{"type":"integer","minimum":1}},"required":["replicas"],"additionalProperties":false}"#,
        );
        assert_eq!(schema.check(r#"{"replicas":2}"#), Ok(()));
        let error = |config: &str| schema.check(config).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"replicas":0}"#),
            "the config is not valid at \"/replicas\": the value is less than the minimum of 1"
        );
        assert_eq!(
            error(r#"{"replicas":"hunter2"}"#),
            "the config is not valid at \"/replicas\": the value is not of type \"integer\""
        );
        assert_eq!(
            error(""),
            "the config is not valid at \"\": \"replicas\" is a required property"
        );
        assert!(error("{").contains("it is not valid JSON"));
    }

    #[test]
    fn a_schema_that_the_build_checked_says_the_same() {
        let text = r#"{"type":"object","properties":{"name":{"type":"string","pattern":"^a"}}}"#;
        let checked = Schema::checked(text).unwrap();
        for config in [
            "",
            "{}",
            r#"{"other":1}"#,
            r#"{"name":"a"}"#,
            r#"{"name":"b"}"#,
            r#"{"name":1}"#,
            "[]",
        ] {
            assert_eq!(
                checked.check(config),
                schema(text).check(config),
                "{config}"
            );
        }
    }

    #[test]
    fn without_a_schema_there_is_no_config() {
        for config in ["", "{}", "null"] {
            assert_eq!(schema("").check(config), Ok(()));
        }
        assert_eq!(
            schema("").check(r#"{"a":1}"#).unwrap_err().message,
            "the plugin takes no config"
        );
    }

    #[test]
    fn recursive_schemas_work_if_each_round_goes_into_the_config() {
        let schema = schema(r##"{"type":"object","additionalProperties":{"$ref":"#"}}"##);
        assert_eq!(schema.check(r#"{"a":{"b":{}}}"#), Ok(()));
        assert!(schema.check(r#"{"a":{"b":1}}"#).is_err());
    }

    #[test]
    fn schemas_that_cannot_be_checked_are_refused() {
        for (text, error) in [
            (
                "{",
                "it is not valid JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                r##"{"$ref":"#"}"##,
                "a \"$ref\" leads back to itself without a step into the config",
            ),
            (
                r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}}}"##,
                "a \"$ref\" leads back to itself without a step into the config",
            ),
            (
                r#"{"$ref":"https://example.com/x.json"}"#,
                "\"$ref\" \"https://example.com/x.json\" leads out of the schema",
            ),
            (
                r##"{"$ref":"#/$defs/a"}"##,
                "\"$ref\" \"#/$defs/a\" leads nowhere",
            ),
            (
                r##"{"$dynamicRef":"#a"}"##,
                "\"$dynamicRef\" is not supported",
            ),
        ] {
            assert_eq!(refused(text), error, "{text}");
        }
        assert!(refused(r#"{"type":"nothing"}"#).contains("nothing"));
        assert!(refused(r#"{"pattern":"("}"#).contains("("));
        assert!(refused(&" ".repeat(LONGEST_SCHEMA + 1)).contains("over the limit"));
    }

    #[test]
    fn hostile_patterns_take_linear_time() {
        let schema = schema(r#"{"type":"string","pattern":"^(a+)+$"}"#);
        assert!(
            schema
                .check(&format!("\"{}b\"", "a".repeat(10_000)))
                .is_err()
        );
        assert!(Schema::compile(r#"{"pattern":"^(((a{100}){100}){100}){100}$"}"#).is_err());
    }
}
