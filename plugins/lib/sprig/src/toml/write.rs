//! Writing.

use weir_gotemplate::{FuncError, Kind, Text, Value, display};

use super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME, MAX_DEPTH, quoted, shown_key, shown_path};
use crate::limits::too_long;
use crate::time::Moment;
use crate::time::object::Named;
use crate::time::{Offset, format};

/// Writes a value. What cannot be written is an error in the library's words.
pub(crate) fn write(value: &Value, limit: usize) -> Result<Vec<u8>, FuncError> {
    let mut writer = Writer {
        out: Vec::new(),
        limit,
    };
    if value.is_nil() {
        return Err(FuncError::panic(
            "reflect: call of reflect.Value.Type on zero Value",
        ));
    }
    writer.encode(&mut Vec::new(), value)?;
    Ok(writer.out)
}

/// What TOML sees in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Nothing,
    Plain,
    Table,
    Tables,
}

fn shape(value: &Value) -> Result<Shape, FuncError> {
    Ok(match value {
        value if is_nothing(value) => Shape::Nothing,
        Value::Map(_) => Shape::Table,
        Value::Object(object) if object.kind() != Kind::Struct && object.kind() != Kind::Ptr => {
            Shape::Plain
        }
        Value::Object(_) if text_of(value).is_some() || value.downcast::<Moment>().is_some() => {
            Shape::Plain
        }
        Value::Object(_) => Shape::Table,
        Value::List(list) => {
            let mut tables = !list.is_empty();
            for item in list.iter() {
                match shape(item)? {
                    Shape::Nothing => {
                        return Err(FuncError::new("toml: cannot encode array with nil element"));
                    }
                    Shape::Table => {}
                    Shape::Plain | Shape::Tables => tables = false,
                }
            }
            if tables { Shape::Tables } else { Shape::Plain }
        }
        Value::Complex(..) => return Err(FuncError::new("unsupported type: complex128")),
        _ => Shape::Plain,
    })
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.is_nil(),
        Value::List(list) => list.is_nil(),
        other => other.is_nil(),
    }
}

/// The text of an object that writes itself as one.
fn text_of(value: &Value) -> Option<Text> {
    let Value::Object(object) = value else {
        return None;
    };
    match (object.json(), value.downcast::<Named>()) {
        (Some(serde_json::Value::String(text)), _) => Some(text.into()),
        (_, Some(Named::Duration(_))) => object.string(),
        _ => None,
    }
}

fn entries(value: &Value) -> Vec<(Text, Value)> {
    match value {
        Value::Map(map) => map.entries(),
        Value::Object(object) => object
            .fields()
            .into_iter()
            .map(|(name, value)| (Text::from_static(name), value))
            .collect(),
        _ => Vec::new(),
    }
}

struct Writer {
    out: Vec<u8>,
    limit: usize,
}

impl Writer {
    fn encode(&mut self, path: &mut Vec<Text>, value: &Value) -> Result<(), FuncError> {
        if path.len() > MAX_DEPTH {
            return Err(FuncError::limit("toml: the value is nested too deeply"));
        }
        match shape(value)? {
            Shape::Nothing => Ok(()),
            Shape::Plain => self.key_value(path, value, 0),
            Shape::Table => {
                if path.len() == 1 {
                    self.newline();
                }
                if !path.is_empty() {
                    self.header(path, "[", "]");
                }
                self.table(path, value)
            }
            Shape::Tables => {
                if path.is_empty() {
                    return Err(FuncError::new(
                        "toml: top-level values must be Go maps or structs",
                    ));
                }
                for item in value.slice_items().unwrap_or_default() {
                    self.newline();
                    self.header(path, "[[", "]]");
                    self.table(path, &item)?;
                }
                Ok(())
            }
        }
    }

    /// A line break, but not at the very start.
    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push(b'\n');
        }
    }

    fn header(&mut self, path: &[Text], open: &str, close: &str) {
        self.indent(path.len());
        self.text(&format!("{open}{}{close}\n", shown_path(path)));
    }

    fn indent(&mut self, depth: usize) {
        for _ in 1..depth {
            self.text("  ");
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Plain values first, then tables.
    fn table(&mut self, path: &mut Vec<Text>, value: &Value) -> Result<(), FuncError> {
        let (plain, tables) = sorted(value)?;
        for (key, value) in plain.into_iter().chain(tables) {
            path.push(key);
            let written = self.encode(path, &value);
            path.pop();
            written?;
        }
        Ok(())
    }

    fn key_value(&mut self, path: &[Text], value: &Value, depth: usize) -> Result<(), FuncError> {
        let Some(key) = path.last() else {
            return self.element(value, depth);
        };
        self.indent(path.len());
        self.text(&format!("{} = ", shown_key(key.as_bytes())));
        self.element(value, depth)?;
        self.out.push(b'\n');
        Ok(())
    }

    fn element(&mut self, value: &Value, depth: usize) -> Result<(), FuncError> {
        if depth > MAX_DEPTH {
            return Err(FuncError::limit("toml: the value is nested too deeply"));
        }
        if self.out.len() > self.limit {
            return Err(too_long("toToml"));
        }
        match value {
            Value::Str(text) => self.out.extend(quoted(text.as_bytes())),
            Value::Float(number) => {
                let text = match number {
                    number if number.is_nan() => "nan".to_owned(),
                    number if number.is_infinite() => {
                        if *number > 0.0 { "inf" } else { "-inf" }.to_owned()
                    }
                    _ => display(value).to_string(),
                };
                let whole = number.is_finite() && !text.contains(['.', 'e']);
                self.text(&text);
                self.text(if whole { ".0" } else { "" });
            }
            Value::List(_) | Value::Bytes(_) => {
                self.out.push(b'[');
                for (at, item) in value.slice_items().unwrap_or_default().iter().enumerate() {
                    self.text(if at > 0 { ", " } else { "" });
                    self.element(item, depth + 1)?;
                }
                self.out.push(b']');
            }
            Value::Object(object) => {
                if let Some(moment) = value.downcast::<Moment>() {
                    self.moment(moment);
                } else if let Some(text) = text_of(value) {
                    self.out.extend(quoted(text.as_bytes()));
                } else if let Some(value) = object.underlying() {
                    self.element(&value, depth + 1)?;
                } else {
                    self.inline(value, depth)?;
                }
            }
            Value::Map(_) => self.inline(value, depth)?,
            Value::Complex(..) => return Err(FuncError::new("unexpected type: complex128")),
            other => self.text(&display(other).to_string()),
        }
        Ok(())
    }

    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), FuncError> {
        let (plain, tables) = sorted(value)?;
        let count = plain.len() + tables.len();
        self.out.push(b'{');
        for (at, (key, value)) in plain.into_iter().chain(tables).enumerate() {
            if is_nothing(&value) {
                continue;
            }
            self.text(&format!("{} = ", shown_key(key.as_bytes())));
            self.element(&value, depth + 1)?;
            self.text(if at + 1 < count { ", " } else { "" });
        }
        self.out.push(b'}');
        Ok(())
    }

    fn moment(&mut self, moment: &Moment) {
        let layout: &[u8] = match &*moment.zone.name {
            LOCAL_DATE_TIME => b"2006-01-02T15:04:05.999999999",
            LOCAL_DATE => b"2006-01-02",
            LOCAL_TIME => b"15:04:05.999999999",
            _ => {
                let text = moment.rfc3339();
                return self.text(&text);
            }
        };
        let moment = moment.in_zone(Offset::UTC);
        self.out
            .extend(format(layout, &moment, self.limit).unwrap_or_default());
    }
}

type Entries = Vec<(Text, Value)>;

/// The entries of a table: those that are no tables, and those that are.
fn sorted(value: &Value) -> Result<(Entries, Entries), FuncError> {
    let (mut plain, mut tables) = (Vec::new(), Vec::new());
    for (key, value) in entries(value) {
        match shape(&value)? {
            Shape::Table | Shape::Tables => tables.push((key, value)),
            Shape::Nothing | Shape::Plain => plain.push((key, value)),
        }
    }
    Ok((plain, tables))
}
