//! From documents to YAML.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use weir_k8s_yaml::{
    Comments, Document, EmitOptions, Mapping, Node, Schema, Sequence, Style, Tag, emit_documents,
};

use crate::number;
use crate::store::{EmitError, MAX_DEPTH, key_text};
use crate::tree::{Branch, Key, Value};

/// go-yaml breaks base64 into lines of this length.
const BASE64_LINE: usize = 70;

pub(in crate::store) fn emit(branches: &[Branch]) -> Result<Vec<u8>, EmitError> {
    let mut documents = Vec::with_capacity(branches.len());
    for branch in branches {
        documents.push(Document {
            root: mapping(branch, 0)?,
            comments: Comments::default(),
            aliases: false,
        });
    }
    let text = emit_documents(&documents, &EmitOptions::go_yaml()).map_err(EmitError::Yaml)?;
    Ok(text.into_bytes())
}

/// Comments that wait for the entry they stand before.
#[derive(Default)]
struct Waiting {
    head: Vec<String>,
    inline: Vec<String>,
    /// Whether an entry came already.
    begun: bool,
}

impl Waiting {
    fn add(&mut self, text: &str, inline: bool) {
        let list = if inline {
            &mut self.inline
        } else {
            &mut self.head
        };
        list.push(text.to_owned());
    }

    /// Those before the first entry belong to the map or list.
    fn begin(&mut self, container: &mut Node) {
        if !self.begun {
            self.begun = true;
            set_head(container, &mut self.head);
        }
    }

    /// Those after the last entry stand below it.
    fn end(mut self, container: &mut Node, last: impl FnOnce(&mut Node) -> Option<&mut Node>) {
        self.head.append(&mut self.inline);
        if !self.begun {
            set_head(container, &mut self.head);
        } else if let Some(last) = last(container)
            && !self.head.is_empty()
        {
            last.comments_mut().foot = comment(&self.head).into();
        }
    }
}

fn mapping(branch: &Branch, depth: usize) -> Result<Node, EmitError> {
    check(depth)?;
    let mut node = Node::mapping(Mapping::new());
    let mut waiting = Waiting::default();
    for entry in branch {
        if let Key::Comment(comment) = &entry.key {
            waiting.add(&comment.text, comment.inline);
            continue;
        }
        waiting.begin(&mut node);
        let mut key = text(key_text(&entry.key));
        set_head(&mut key, &mut waiting.head);
        let mut value = value(&entry.value, depth + 1)?;
        set_line(&mut value, &mut waiting.inline);
        node.make_mapping().push(key, value);
    }
    waiting.end(&mut node, |node| {
        let entries = node.make_mapping().entries_mut();
        entries.last_mut().map(|entry| &mut entry.key)
    });
    Ok(node)
}

fn sequence(items: &[Value], depth: usize) -> Result<Node, EmitError> {
    check(depth)?;
    let mut node = Node::sequence(Sequence::new());
    let mut waiting = Waiting::default();
    for item in items {
        if let Value::Comment(comment) = item {
            waiting.add(&comment.text, comment.inline);
            continue;
        }
        waiting.begin(&mut node);
        let mut item = value(item, depth + 1)?;
        set_head(&mut item, &mut waiting.head);
        set_line(&mut item, &mut waiting.inline);
        if let Some(sequence) = node.as_sequence_mut() {
            sequence.push(item);
        }
    }
    waiting.end(&mut node, |node| {
        node.as_sequence_mut()?.items_mut().last_mut()
    });
    Ok(node)
}

fn value(value: &Value, depth: usize) -> Result<Node, EmitError> {
    Ok(match value {
        Value::Null => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Int(value) => Node::int(*value),
        Value::Uint(value) => Node::plain(value.to_string()),
        Value::Float(value) => Node::plain(float(*value)),
        Value::Time(time) => Node::plain(time.as_str()),
        Value::Text(value) => text(value),
        Value::Comment(comment) => text(&comment.text),
        Value::Bytes(bytes) => binary(bytes),
        Value::List(items) => sequence(items, depth)?,
        Value::Map(branch) => mapping(branch, depth)?,
    })
}

fn float(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        number::general(value)
    }
}

/// go-yaml quotes what it or YAML 1.1 would read as something else than a string.
fn text(text: &str) -> Node {
    let mut node = Node::string(text);
    if text.contains('\n') {
        node.set_style(Style::Literal);
    } else if Schema::Kyaml.tag(text) == Tag::Merge {
        node.set_explicit_tag("!!merge");
    } else if Schema::Kyaml.tag(text) != Tag::Str || old_bool(text) || base_60(text) {
        node.set_style(Style::DoubleQuoted);
    }
    node
}

fn old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// Whether YAML 1.1 reads the text as a number of base 60: digits, then groups of a colon and a number below 60.
fn base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let loose = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let Some((first, rest)) = whole.split_once(':') else {
        return false;
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && loose(first)
        && loose(fraction)
        && rest
            .split(':')
            .all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

fn binary(bytes: &[u8]) -> Node {
    let packed = STANDARD.encode(bytes);
    let mut text = String::with_capacity(packed.len() + packed.len() / BASE64_LINE + 1);
    for (at, character) in packed.chars().enumerate() {
        if at > 0 && at % BASE64_LINE == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    if packed.len() >= BASE64_LINE {
        text.push('\n');
    }
    let several = text.contains('\n');
    let mut node = Node::tagged(text.into(), Tag::Binary);
    node.set_explicit_tag("!!binary");
    if several {
        node.set_style(Style::Literal);
    }
    node
}

fn set_head(node: &mut Node, comments: &mut Vec<String>) {
    if comments.is_empty() {
        return;
    }
    let own = &node.comments().head;
    let mut text = comment(comments);
    if !own.is_empty() {
        text.push('\n');
        text.push_str(own);
    }
    node.comments_mut().head = text.into();
    comments.clear();
}

fn set_line(node: &mut Node, comments: &mut Vec<String>) {
    if !comments.is_empty() {
        node.comments_mut().line = comment(comments).into();
        comments.clear();
    }
}

fn comment(lines: &[String]) -> String {
    format!("#{}", lines.join("\n#"))
}

fn check(depth: usize) -> Result<(), EmitError> {
    if depth > MAX_DEPTH {
        return Err(EmitError::Depth);
    }
    Ok(())
}
