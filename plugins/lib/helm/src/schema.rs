//! `values.schema.json`: the checks of Helm's library, in its words.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::rc::Rc;

use boon::{CompileError, Compiler, ErrorKind, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::{Number, Value};
use weir_chart::{Chart, FileData};

/// Where the schema is said to stand; relative references are resolved against it.
const LOCATION: &str = "file:///values.schema.json";

/// Schemas that were compiled before. They belong to one loaded chart, which keeps their texts alive.
#[derive(Default)]
pub(crate) struct Compiled {
    by_text: RefCell<HashMap<*const u8, Rc<Result<Schema, String>>>>,
}

/// A compiled schema.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} schemas", self.by_text.borrow().len())
    }
}

impl Compiled {
    /// Checks the values of a chart and of its subcharts against their schemas; what is wrong, or nothing.
    pub(crate) fn check(&self, chart: &Chart, values: &Value) -> Option<String> {
        let mut problems = String::new();
        self.check_chart(chart, values, &mut problems);
        (!problems.is_empty()).then_some(problems)
    }

    fn check_chart(&self, chart: &Chart, values: &Value, problems: &mut String) {
        if let Some(schema) = &chart.schema {
            let checked = match &*self.schema(schema) {
                Ok(schema) => schema.check(values),
                Err(problem) => Err(problem.clone()),
            };
            if let Err(problem) = checked {
                problems.push_str(&format!("{}:\n{problem}", chart.name()));
            }
        }
        for subchart in &chart.dependencies {
            match values.get(subchart.name()) {
                None | Some(Value::Null) => {}
                Some(values @ Value::Object(_)) => self.check_chart(subchart, values, problems),
                Some(other) => problems.push_str(&format!(
                    "{}:\ninvalid type for values: expected object (map), got {}\n",
                    subchart.name(),
                    go_type(other)
                )),
            }
        }
    }

    fn schema(&self, text: &FileData) -> Rc<Result<Schema, String>> {
        let mut known = self.by_text.borrow_mut();
        let found = known
            .entry(text.as_ptr())
            .or_insert_with(|| Rc::new(Schema::compile(text)));
        Rc::clone(found)
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

impl Schema {
    fn compile(text: &[u8]) -> Result<Self, String> {
        let schema: Value = serde_json::from_slice(text).map_err(|error| {
            if error.is_eof() {
                return "unexpected EOF".to_owned();
            }
            error.to_string()
        })?;
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(Offline));
        let added = compiler.add_resource(LOCATION, schema);
        added.map_err(|error| compile_message(&error))?;
        let index = compiler
            .compile(LOCATION, &mut schemas)
            .map_err(|error| compile_message(&error))?;
        Ok(Self { schemas, index })
    }

    fn check(&self, values: &Value) -> Result<(), String> {
        self.schemas.validate(values, self.index).map_err(|error| {
            let mut text = String::new();
            for cause in &error.causes {
                describe(cause, 0, &mut text);
            }
            text
        })
    }
}

fn compile_message(error: &CompileError) -> String {
    match error {
        CompileError::LoadUrlError { url, src } => format!("failing loading {url:?}: {src}"),
        other => other.to_string(),
    }
}

/// Loads nothing. A name that nobody knows (`urn:`) allows everything, as in Helm.
struct Offline;

impl UrlLoader for Offline {
    fn load(&self, url: &str) -> Result<Value, Box<dyn Error>> {
        if url.starts_with("urn:") {
            return Ok(Value::Bool(true));
        }
        let hint = "schemas are not fetched; put the definitions into values.schema.json itself";
        Err(format!("{url} is outside of the chart: {hint}").into())
    }
}

fn describe(error: &ValidationError<'_, '_>, indent: usize, out: &mut String) {
    let passed_through =
        error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    let indent = if passed_through {
        indent
    } else {
        out.push_str(&"  ".repeat(indent));
        out.push_str(&format!(
            "- at {}: {}\n",
            quote(&error.instance_location.to_string()),
            message(&error.kind)
        ));
        indent + 1
    };
    for cause in &error.causes {
        describe(cause, indent, out);
    }
}

fn message(kind: &ErrorKind<'_, '_>) -> String {
    match kind {
        ErrorKind::Group | ErrorKind::Reference { .. } | ErrorKind::Schema { .. } => {
            "validation failed".to_owned()
        }
        ErrorKind::ContentSchema => "contentSchema failed".to_owned(),
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quote(prop)),
        ErrorKind::RefCycle {
            url,
            kw_loc1,
            kw_loc2,
        } => {
            format!("both {kw_loc1} and {kw_loc2} resolve to {url:?} causing reference cycle")
        }
        ErrorKind::FalseSchema => "false schema".to_owned(),
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|kind| kind.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => one_of(want),
        ErrorKind::Const { want } => match want {
            Value::Array(_) | Value::Object(_) => "const failed".to_owned(),
            want => format!("value must be {}", show(want)),
        },
        ErrorKind::Format { got, want, err } => format!("{} is not valid {want}: {err}", show(got)),
        ErrorKind::MinProperties { got, want } => bound("minProperties", *got, *want),
        ErrorKind::MaxProperties { got, want } => bound("maxProperties", *got, *want),
        ErrorKind::MinItems { got, want } => bound("minItems", *got, *want),
        ErrorKind::MaxItems { got, want } => bound("maxItems", *got, *want),
        ErrorKind::MinLength { got, want } => bound("minLength", *got, *want),
        ErrorKind::MaxLength { got, want } => bound("maxLength", *got, *want),
        ErrorKind::AdditionalProperties { got } => {
            let mut names: Vec<&str> = got.iter().map(AsRef::as_ref).collect();
            names.sort_unstable();
            format!("additional properties {} not allowed", quoted(&names))
        }
        ErrorKind::AdditionalItems { got } => {
            format!("last {} additionalItem(s) not allowed", grouped(*got))
        }
        ErrorKind::Required { want } if want.len() == 1 => {
            format!("missing property {}", quoted(want))
        }
        ErrorKind::Required { want } => format!("missing properties {}", quoted(want)),
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => {
            format!(
                "properties {} required, if {} exists",
                quoted(missing),
                quote(prop)
            )
        }
        ErrorKind::Contains => "no items match contains schema".to_owned(),
        ErrorKind::MinContains { got, want } if got.is_empty() => {
            format!(
                "min {} items required to match contains schema, but none matched",
                grouped(*want)
            )
        }
        ErrorKind::MinContains { got, want } => contains("min", got, *want),
        ErrorKind::MaxContains { got, want } => contains("max", got, *want),
        ErrorKind::UniqueItems {
            got: [first, second],
        } => {
            format!(
                "items at {} and {} are equal",
                grouped(*first),
                grouped(*second)
            )
        }
        ErrorKind::Pattern { got, want } => {
            format!("{} does not match pattern {}", quote(got), quote(want))
        }
        ErrorKind::ContentEncoding { want, err } => {
            format!("value is not {} encoded: {err}", quote(want))
        }
        ErrorKind::ContentMediaType { want, err, .. } => {
            format!("value if not of mediatype {}: {err}", quote(want))
        }
        ErrorKind::Minimum { got, want } => limit("minimum", got, want),
        ErrorKind::Maximum { got, want } => limit("maximum", got, want),
        ErrorKind::ExclusiveMinimum { got, want } => limit("exclusiveMinimum", got, want),
        ErrorKind::ExclusiveMaximum { got, want } => limit("exclusiveMaximum", got, want),
        ErrorKind::MultipleOf { got, want } => limit("multipleOf", got, want),
        ErrorKind::Not => "not failed".to_owned(),
        ErrorKind::AllOf => "allOf failed".to_owned(),
        ErrorKind::AnyOf => "anyOf failed".to_owned(),
        ErrorKind::OneOf(None) => "oneOf failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((first, second))) => {
            format!(
                "oneOf failed, subschemas {}, {} matched",
                grouped(*first),
                grouped(*second)
            )
        }
    }
}

fn one_of(want: &[Value]) -> String {
    if want
        .iter()
        .any(|value| matches!(value, Value::Array(_) | Value::Object(_)))
    {
        return "enum failed".to_owned();
    }
    let shown: Vec<String> = want.iter().map(show).collect();
    let words = if want.len() == 1 {
        "value must be"
    } else {
        "value must be one of"
    };
    format!("{words} {}", shown.join(", "))
}

fn bound(name: &str, got: usize, want: usize) -> String {
    format!("{name}: got {}, want {}", grouped(got), grouped(want))
}

fn limit(name: &str, got: &Number, want: &Number) -> String {
    format!("{name}: got {}, want {}", english(got), english(want))
}

fn contains(word: &str, got: &[usize], want: usize) -> String {
    let places: Vec<String> = got.iter().map(ToString::to_string).collect();
    let (want, count) = (grouped(want), grouped(got.len()));
    format!(
        "{word} {want} items required to match contains schema, but matched {count} items at {}",
        places.join(" ")
    )
}

/// A count with a comma between thousands.
fn grouped(count: usize) -> String {
    group(&count.to_string())
}

fn group(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number as Go's localised printer writes it in English: `1,234.5`, from a million on `1.5×10⁰⁶`.
fn english(number: &Number) -> String {
    let value = number.as_f64().unwrap_or(0.0);
    let scientific = format!("{:e}", value.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if value < 0.0 { "-" } else { "" };
    // The exponent is written from this many digits on; trailing digits push the limit.
    if (-4..6).contains(&exponent) {
        let plain = value.abs().to_string();
        return match plain.split_once('.') {
            Some((whole, rest)) => format!("{sign}{}.{rest}", group(whole)),
            None => format!("{sign}{}", group(&plain)),
        };
    }
    let raised: String = format!(
        "{}{:02}",
        if exponent < 0 { "-" } else { "" },
        exponent.abs()
    )
    .chars()
    .map(superscript)
    .collect();
    format!("{sign}{digits}×10{raised}")
}

fn superscript(c: char) -> char {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
    }
}

fn quoted(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    names.join(", ")
}

/// Single quotes around a text that is escaped as Go escapes it.
fn quote(text: &str) -> String {
    let go = weir_gotemplate::quote(text).to_string();
    let inner = go
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(&go);
    format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check_values(schema: &[u8], values: &Value) -> Result<(), String> {
        Schema::compile(schema)?.check(values)
    }

    #[track_caller]
    fn check(schema: &Value, values: &Value, expected: &str) {
        let found = check_values(schema.to_string().as_bytes(), values);
        assert_eq!(found.unwrap_err(), expected);
    }

    #[test]
    fn messages_are_those_of_the_go_library() {
        for (schema, value, expected) in [
            (
                json!({"minimum": 1_000_000}),
                json!(5.5),
                "minimum: got 5.5, want 1×10⁰⁶",
            ),
            (
                json!({"minLength": 1500}),
                json!("abc"),
                "minLength: got 3, want 1,500",
            ),
            (
                json!({"type": ["string", "null", "integer"]}),
                json!(true),
                "got boolean, want null or integer or string",
            ),
            (
                json!({"enum": [1, "x", null, 2.5]}),
                json!("zz"),
                "value must be one of 1, 'x', <nil>, 2.5",
            ),
            (
                json!({"pattern": "^it's \"x\"$"}),
                json!("o'x"),
                "'o\\'x' does not match pattern '^it\\'s \"x\"$'",
            ),
            (
                json!({"maximum": 1.5}),
                json!(2_000_000),
                "maximum: got 2×10⁰⁶, want 1.5",
            ),
            (
                json!({"additionalProperties": false}),
                json!({"b": 1, "a": 2}),
                "additional properties 'a', 'b' not allowed",
            ),
            (
                json!({"uniqueItems": true}),
                json!([1, 1]),
                "items at 0 and 1 are equal",
            ),
            (json!(false), json!(1), "false schema"),
            (
                json!({"exclusiveMinimum": 1_234_567.5}),
                json!(3),
                "exclusiveMinimum: got 3, want 1.2345675×10⁰⁶",
            ),
            (
                json!({"maximum": 1234.5}),
                json!(99_999),
                "maximum: got 99,999, want 1,234.5",
            ),
        ] {
            check(
                &json!({"properties": {"a": schema}}),
                &json!({"a": value}),
                &format!("- at '/a': {expected}\n"),
            );
        }
    }

    #[test]
    fn causes_are_indented() {
        check(
            &json!({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"anyOf": [{"type": "string"}, {"required": ["z"]}]}}}),
            &json!({"a": {}}),
            "- at '/a': anyOf failed\n  - at '/a': got object, want string\n  - at '/a': missing property 'z'\n",
        );
    }

    #[test]
    fn nothing_is_fetched() {
        let schema = json!({"$ref": "https://example.com/schema.json"});
        let error = check_values(schema.to_string().as_bytes(), &json!({})).unwrap_err();
        assert!(error.contains("schemas are not fetched"), "{error}");
        let unknown = json!({"$ref": "urn:something"});
        assert_eq!(
            check_values(unknown.to_string().as_bytes(), &json!({})),
            Ok(())
        );
        assert_eq!(
            check_values(b"{", &json!({})),
            Err("unexpected EOF".to_owned())
        );
    }
}
