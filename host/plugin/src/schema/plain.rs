//! Judges a config by a schema of plain keywords, without compiling the schema.
//!
//! Compiling one takes longer than many a call: a command that makes one call would spend its time on that. What this judge
//! does not know it is unsure about, and the compiled schema decides. That one also says what is wrong.

use serde_json::{Map, Value};

/// What is known of a value without the compiled schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Valid,
    Invalid,
    Unsure,
}

use Verdict::{Invalid, Unsure, Valid};

/// Judges a config by a schema whose references were checked.
pub(super) fn judge(schema: &Value, config: &Value) -> Verdict {
    Judge { root: schema }.schema(schema, config)
}

struct Judge<'a> {
    root: &'a Value,
}

impl Judge<'_> {
    fn schema(&self, schema: &Value, value: &Value) -> Verdict {
        match schema {
            Value::Bool(valid) => certainly(*valid),
            Value::Object(rules) => all(rules
                .iter()
                .map(|(keyword, rule)| self.keyword(rules, keyword, rule, value))),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => Unsure,
        }
    }

    fn keyword(
        &self,
        rules: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
    ) -> Verdict {
        match (keyword, rule, value) {
            ("$schema" | "$comment" | "$defs" | "title" | "description" | "default", _, _) => Valid,
            ("$ref", Value::String(target), _) => {
                let target = target
                    .strip_prefix('#')
                    .and_then(|to| self.root.pointer(to));
                target.map_or(Unsure, |target| self.schema(target, value))
            }
            ("type", Value::String(name), _) => of_type(name, value),
            ("enum", Value::Array(values), Value::String(_) | Value::Bool(_) | Value::Null) => {
                certainly(values.contains(value))
            }
            ("minimum", Value::Number(least), Value::Number(number)) => {
                match (least.as_i64(), number.as_i64()) {
                    (Some(least), Some(number)) => certainly(number >= least),
                    _ => Unsure,
                }
            }
            ("required", Value::Array(names), Value::Object(members)) => {
                let there = |name: &Value| name.as_str().is_some_and(|it| members.contains_key(it));
                certainly(names.iter().all(there))
            }
            ("properties", Value::Object(known), Value::Object(members)) => {
                all(members.iter().filter_map(|(name, member)| {
                    known.get(name).map(|schema| self.schema(schema, member))
                }))
            }
            ("additionalProperties", _, Value::Object(members)) => {
                let known = rules.get("properties").and_then(Value::as_object);
                let further = |name: &String| !known.is_some_and(|it| it.contains_key(name));
                all(members
                    .iter()
                    .filter(|(name, _)| further(name))
                    .map(|(_, member)| self.schema(rule, member)))
            }
            ("items", _, Value::Array(items)) => {
                all(items.iter().map(|item| self.schema(rule, item)))
            }
            ("anyOf" | "oneOf", Value::Array(schemas), _) => {
                let verdicts: Vec<_> = schemas.iter().map(|it| self.schema(it, value)).collect();
                if verdicts.contains(&Unsure) {
                    return Unsure;
                }
                let fitting = verdicts.iter().filter(|it| **it == Valid).count();
                certainly(fitting == 1 || fitting > 1 && keyword == "anyOf")
            }
            // They say nothing about values of other types.
            ("required" | "properties" | "additionalProperties", _, _) if !value.is_object() => {
                Valid
            }
            ("items", _, _) if !value.is_array() => Valid,
            ("minimum", _, _) if !value.is_number() => Valid,
            _ => Unsure,
        }
    }
}

fn of_type(name: &str, value: &Value) -> Verdict {
    match name {
        "object" => certainly(value.is_object()),
        "array" => certainly(value.is_array()),
        "string" => certainly(value.is_string()),
        "boolean" => certainly(value.is_boolean()),
        "null" => certainly(value.is_null()),
        "number" => certainly(value.is_number()),
        // 1.0 is an integer, too.
        "integer" if value.is_f64() => Unsure,
        "integer" => certainly(value.is_number()),
        _ => Unsure,
    }
}

fn certainly(valid: bool) -> Verdict {
    if valid { Valid } else { Invalid }
}

/// Valid if all are; what is invalid is so whatever else is unsure.
fn all(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut together = Valid;
    for verdict in verdicts {
        match verdict {
            Valid => {}
            Invalid => return Invalid,
            Unsure => together = Unsure,
        }
    }
    together
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const HELM: &str = include_str!("../../../../plugins/helm/src/config.schema.json");

    fn judged(schema: &str, config: &Value) -> Verdict {
        judge(&serde_json::from_str(schema).unwrap(), config)
    }

    #[test]
    fn what_a_command_asks_of_helm_needs_no_compiled_schema() {
        let config = json!({
            "chart": {"path": "charts/web"},
            "release": {"name": "web", "namespace": "apps", "upgrade": false},
            "valuesFiles": ["a.yaml", {"name": "b.yaml", "text": "a: 1"}],
            "set": ["a=1"],
            "profile": "helm4",
            "includeCrds": true,
        });
        assert_eq!(judged(HELM, &config), Valid);
        let wrong = |pointer: &str, value: Value| {
            let mut config = config.clone();
            *config.pointer_mut(pointer).unwrap() = value;
            judged(HELM, &config)
        };
        assert_eq!(wrong("/profile", json!("helm2")), Invalid);
        assert_eq!(wrong("/release", json!({})), Invalid);
        assert_eq!(wrong("/valuesFiles/0", json!(1)), Invalid);
        assert_eq!(wrong("/chart/path", json!(null)), Invalid);
        assert_eq!(
            judged(HELM, &json!({"release": {"name": "a"}, "more": 1})),
            Invalid
        );
    }

    #[test]
    fn what_is_not_known_is_left_to_the_compiled_schema() {
        for (schema, config) in [
            (r#"{"pattern":"a"}"#, json!("b")),
            (r#"{"type":["string","null"]}"#, json!("b")),
            (r#"{"type":"integer"}"#, json!(1.0)),
            (r#"{"minimum":1.5}"#, json!(1)),
            (r#"{"enum":[1.0]}"#, json!(1)),
            (
                r#"{"patternProperties":{"a":true},"additionalProperties":false}"#,
                json!({}),
            ),
            (
                r#"{"anyOf":[{"pattern":"a"},{"type":"string"}]}"#,
                json!("b"),
            ),
        ] {
            assert_eq!(judged(schema, &config), Unsure, "{schema}");
        }
    }

    /// Schemas of the keywords that are known, and of some that are not.
    fn schemas() -> impl Strategy<Value = Value> {
        let leaf = prop::sample::select(vec![
            json!(true),
            json!(false),
            json!({"type": "string"}),
            json!({"type": "integer", "minimum": 1}),
            json!({"type": "number"}),
            json!({"type": "object"}),
            json!({"type": "array"}),
            json!({"enum": ["a", true, null, 1]}),
            json!({"minimum": -0.5}),
            json!({"pattern": "a"}),
            json!({"required": ["a"]}),
            json!({"$ref": "#/$defs/texts"}),
        ]);
        leaf.prop_recursive(3, 24, 3, |inner| {
            let name = prop::sample::select(vec!["a", "b"]);
            let members = prop::collection::btree_map(name, inner.clone(), 0..3);
            let several = prop::collection::vec(inner.clone(), 1..3);
            prop_oneof![
                (members, inner.clone()).prop_map(
                    |(known, more)| json!({"properties": known, "additionalProperties": more})
                ),
                inner.clone().prop_map(|item| json!({"items": item})),
                several.clone().prop_map(|any| json!({"anyOf": any})),
                several.prop_map(|one| json!({"oneOf": one, "description": "one"})),
            ]
        })
    }

    fn configs() -> impl Strategy<Value = Value> {
        let leaf = prop::sample::select(vec![
            json!(null),
            json!(true),
            json!("a"),
            json!("b"),
            json!(0),
            json!(1),
            json!(1.0),
            json!(u64::MAX),
            json!(-3.5),
        ]);
        leaf.prop_recursive(3, 16, 3, |inner| {
            let name = prop::sample::select(vec!["a", "b", "c"]);
            prop_oneof![
                prop::collection::btree_map(name, inner.clone(), 0..3).prop_map(|it| json!(it)),
                prop::collection::vec(inner, 0..3).prop_map(Value::Array),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_verdict_is_that_of_the_compiled_schema(inner in schemas(), config in configs()) {
            let schema = json!({
                "$defs": {"texts": {"type": "array", "items": {"type": "string"}}},
                "anyOf": [inner],
            });
            let valid = jsonschema::is_valid(&schema, &config);
            match judge(&schema, &config) {
                Valid => prop_assert!(valid, "{schema} {config}"),
                Invalid => prop_assert!(!valid, "{schema} {config}"),
                Unsure => {}
            }
        }
    }
}
