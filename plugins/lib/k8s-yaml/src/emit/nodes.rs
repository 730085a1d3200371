//! Trees, with everything that nodes carry.

use std::borrow::Cow;

use super::analysis::Analysis;
use super::check_depth;
use super::data::LONGEST_SIMPLE_KEY;
use super::writer::{Place, Step, Writer};
use crate::error::{ErrorKind, YamlError};
use crate::node::{Comments, Content, Entry, Kind, Mapping, Node, Sequence, Style, Tag, Text};
use crate::scalar::Schema;

/// Writes a document; `---` stands before all but the first.
pub(super) fn write_document(
    writer: &mut Writer,
    root: &Node,
    comments: &Comments,
) -> Result<(), YamlError> {
    let mut emitter = Emitter { writer };
    emitter.document_start(comments);
    emitter.expect(root, "");
    emitter.writer.write_head_comment();
    emitter.node(root, Place::Root, 0)?;
    emitter.after_scalar(root);
    emitter.document_end(comments);
    Ok(())
}

/// Writes a node on one line.
pub(super) fn write_inline(
    writer: &mut Writer,
    node: &Node,
    in_flow: bool,
) -> Result<(), YamlError> {
    let mut bare = node.clone();
    bare.clear_comments();
    bare.visit_mut(&mut |node| {
        if matches!(node.kind(), Kind::Mapping | Kind::Sequence) {
            node.set_style(Style::Flow);
        }
    });
    writer.flow_level = usize::from(in_flow);
    Emitter { writer }.node(&bare, Place::SimpleKey, 0)
}

struct Emitter<'w> {
    writer: &'w mut Writer,
}

impl Emitter<'_> {
    fn document_start(&mut self, comments: &Comments) {
        let writer = &mut *self.writer;
        if !writer.is_empty() {
            writer.write_indent();
            writer.indicator("---", true);
            writer.write_indent();
        }
        if !comments.head.is_empty() {
            writer.pending.head = comments.head.to_string();
            writer.write_head_comment();
            writer.line_break();
        }
    }

    fn document_end(&mut self, comments: &Comments) {
        let writer = &mut *self.writer;
        writer.foot_indent = 0;
        if !comments.foot.is_empty() {
            writer.pending.foot = comments.foot.to_string();
        }
        writer.write_foot_comment();
        writer.foot_indent = -1;
        writer.write_indent();
    }

    /// Makes the comments that a node begins with pending; of a scalar, those that it ends with too.
    fn expect(&mut self, node: &Node, tail: &str) {
        self.expect_start(node, tail);
        if matches!(node.content(), Content::Scalar(_) | Content::Alias(_)) {
            self.expect_end(node);
        }
    }

    /// The foot comment of a key comes after its value: the caller hands it on as the tail of what follows.
    fn expect_key(&mut self, key: &Node, tail: &str) {
        self.expect_start(key, tail);
        let line = &key.comments().line;
        if matches!(key.content(), Content::Scalar(_) | Content::Alias(_)) && !line.is_empty() {
            self.writer.pending.line = line.to_string();
        }
    }

    fn expect_start(&mut self, node: &Node, tail: &str) {
        let pending = &mut self.writer.pending;
        let head = &node.comments().head;
        if !head.is_empty() {
            pending.head = head.to_string();
        }
        if !tail.is_empty() {
            pending.tail = tail.to_string();
        }
    }

    /// Makes the comments that a node ends with pending.
    fn expect_end(&mut self, node: &Node) {
        let comments = node.comments();
        let pending = &mut self.writer.pending;
        if !comments.line.is_empty() {
            pending.line = comments.line.to_string();
        }
        if !comments.foot.is_empty() {
            pending.foot = comments.foot.to_string();
        }
    }

    /// Writes a node whose comments are pending.
    fn node(&mut self, node: &Node, place: Place, depth: usize) -> Result<(), YamlError> {
        let form = Form::of(node);
        match node.content() {
            Content::Alias(name) => {
                check_anchor(name, "alias")?;
                self.writer.word(&format!("*{name}"));
            }
            Content::Scalar(text) => {
                self.properties(node, form.tag)?;
                let analysis = Analysis::of(text, self.writer.tabs_in_blocks());
                self.writer.scalar(text, form.style, &analysis, place);
            }
            Content::Sequence(sequence) => {
                self.properties(node, form.tag)?;
                check_depth(depth)?;
                if self.writer.flow_level > 0 || node.style() == Style::Flow || sequence.is_empty()
                {
                    self.flow_sequence(node, sequence, place, depth)?;
                } else {
                    self.block_sequence(node, sequence, place, depth)?;
                }
            }
            Content::Mapping(mapping) => {
                self.properties(node, form.tag)?;
                check_depth(depth)?;
                if self.writer.flow_level > 0 || node.style() == Style::Flow || mapping.is_empty() {
                    self.flow_mapping(node, mapping, place, depth)?;
                } else {
                    self.block_mapping(node, mapping, place, depth)?;
                }
            }
        }
        Ok(())
    }

    fn after_node(&mut self) {
        self.writer.write_line_comment();
        self.writer.write_foot_comment();
    }

    fn after_scalar(&mut self, node: &Node) {
        if matches!(node.content(), Content::Scalar(_) | Content::Alias(_)) {
            self.after_node();
        }
    }

    /// go-yaml writes what is behind and below a node when it has written the node's first event. For a collection that is
    /// before its content, and only what an earlier node left can be pending then.
    fn after_start(&mut self, place: Place) {
        match place {
            Place::SimpleKey | Place::Key => return,
            Place::FlowItem | Place::Value
                if self.writer.flow_level > 0 && self.has_end_comments() =>
            {
                self.writer.indicator(",", false);
            }
            Place::Root | Place::BlockItem | Place::FlowItem | Place::Value => {}
        }
        self.after_node();
    }

    fn block_sequence(
        &mut self,
        node: &Node,
        sequence: &Sequence,
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        self.after_start(place);
        let before = self.writer.deeper(place, Step::BlockSequence);
        for item in sequence {
            self.expect(item, "");
            self.writer.write_head_comment();
            self.writer.write_indent();
            self.writer.indenting_indicator("-");
            self.node(item, Place::BlockItem, depth + 1)?;
            self.after_scalar(item);
        }
        self.expect_end(node);
        self.writer.indent = before;
        Ok(())
    }

    fn block_mapping(
        &mut self,
        node: &Node,
        mapping: &Mapping,
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        self.after_start(place);
        let before = self.writer.deeper(place, Step::BlockMapping);
        let mut tail = "";
        for Entry { key, value } in mapping {
            self.expect_key(key, tail);
            tail = &key.comments().foot;
            self.writer.write_head_comment();
            self.writer.write_indent();
            if !self.writer.pending.line.is_empty() {
                self.writer.pending.key_line = std::mem::take(&mut self.writer.pending.line);
            }
            if is_simple_key(key) {
                self.node(&without_foot(key), Place::SimpleKey, depth + 1)?;
                self.writer.indicator(":", false);
            } else {
                self.writer.indenting_indicator("?");
                self.node(&without_foot(key), Place::Key, depth + 1)?;
                self.writer.write_indent();
                self.writer.indenting_indicator(":");
            }
            self.expect(value, "");
            self.key_line_comment(value);
            self.node(value, Place::Value, depth + 1)?;
            self.after_scalar(value);
        }
        if !tail.is_empty() {
            self.writer.pending.tail = tail.to_string();
        }
        self.expect_end(node);
        self.writer.write_head_comment();
        self.writer.indent = before;
        Ok(())
    }

    fn key_line_comment(&mut self, value: &Node) {
        let pending = &mut self.writer.pending;
        if pending.key_line.is_empty() {
            return;
        }
        match value.content() {
            Content::Scalar(_) if pending.line.is_empty() => {
                pending.line = std::mem::take(&mut pending.key_line)
            }
            Content::Mapping(_) | Content::Sequence(_) if value.style() != Style::Flow => {
                std::mem::swap(&mut pending.line, &mut pending.key_line);
                self.writer.write_line_comment();
                let pending = &mut self.writer.pending;
                std::mem::swap(&mut pending.line, &mut pending.key_line);
            }
            Content::Scalar(_) | Content::Alias(_) | Content::Mapping(_) | Content::Sequence(_) => {
            }
        }
    }

    fn flow_sequence(
        &mut self,
        node: &Node,
        sequence: &Sequence,
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        self.after_start(place);
        self.writer.opening_indicator("[");
        let before = self.writer.deeper(place, Step::Flow);
        self.writer.flow_level += 1;
        let mut comma = false;
        for item in sequence {
            if comma {
                self.writer.indicator(",", false);
            }
            self.expect(item, "");
            self.writer.write_head_comment();
            self.start_flow_line();
            let comments = self.has_end_comments();
            self.node(item, Place::FlowItem, depth + 1)?;
            comma = !self.after_flow_node(item, comments);
        }
        self.expect_end(node);
        self.writer.flow_level -= 1;
        self.writer.indent = before;
        if self.writer.column == 0 {
            self.writer.write_indent();
        }
        self.writer.indicator("]", false);
        self.after_node();
        Ok(())
    }

    fn flow_mapping(
        &mut self,
        node: &Node,
        mapping: &Mapping,
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        self.after_start(place);
        self.writer.opening_indicator("{");
        let before = self.writer.deeper(place, Step::Flow);
        self.writer.flow_level += 1;
        let mut comma = false;
        let mut tail = "";
        for Entry { key, value } in mapping {
            if comma {
                self.writer.indicator(",", false);
            }
            self.expect_key(key, tail);
            tail = &key.comments().foot;
            self.writer.write_head_comment();
            self.start_flow_line();
            if is_simple_key(key) {
                self.node(&without_foot(key), Place::SimpleKey, depth + 1)?;
                self.writer.indicator(":", false);
            } else {
                self.writer.indicator("?", true);
                self.node(&without_foot(key), Place::Key, depth + 1)?;
                self.writer.indicator(":", true);
            }
            self.expect(value, "");
            let comments = self.has_end_comments();
            self.node(value, Place::Value, depth + 1)?;
            comma = !self.after_flow_node(value, comments);
        }
        if !tail.is_empty() {
            self.writer.pending.tail = tail.to_string();
        }
        self.expect_end(node);
        let pending = &self.writer.pending;
        let comments =
            !(pending.head.is_empty() && pending.foot.is_empty() && pending.tail.is_empty());
        if comments && comma {
            self.writer.indicator(",", false);
        }
        self.writer.write_head_comment();
        self.writer.flow_level -= 1;
        self.writer.indent = before;
        self.writer.indicator("}", false);
        self.after_node();
        Ok(())
    }

    fn start_flow_line(&mut self) {
        if self.writer.column == 0 || self.writer.column > self.writer.width {
            self.writer.write_indent();
        }
    }

    fn has_end_comments(&self) -> bool {
        let pending = &self.writer.pending;
        !(pending.line.is_empty() && pending.foot.is_empty() && pending.tail.is_empty())
    }

    /// Writes the comma and the comments behind a flow item; gives whether it did.
    fn after_flow_node(&mut self, node: &Node, comments: bool) -> bool {
        if matches!(node.content(), Content::Scalar(_) | Content::Alias(_))
            && self.has_end_comments()
        {
            self.writer.indicator(",", false);
        }
        self.after_scalar(node);
        comments
    }

    fn properties(&mut self, node: &Node, tag: Option<&str>) -> Result<(), YamlError> {
        if let Some(name) = node.anchor() {
            check_anchor(name, "anchor")?;
            self.writer.word(&format!("&{name}"));
        }
        if let Some(tag) = tag {
            let (handle, name) = match (tag.strip_prefix("!!"), tag.strip_prefix('!')) {
                (Some(name), _) => ("!!", name),
                (None, Some(name)) => ("!", name),
                (None, None) => ("", tag),
            };
            let name = escape_tag(name);
            let text = if handle.is_empty() {
                format!("!<{name}>")
            } else {
                format!("{handle}{name}")
            };
            self.writer.word(&text);
        }
        Ok(())
    }
}

/// How a node is written: with which tag, and a scalar in which style.
struct Form<'a> {
    tag: Option<&'a str>,
    style: Style,
}

impl<'a> Form<'a> {
    fn of(node: &'a Node) -> Self {
        let explicit = Some(node.tag_text()).filter(|tag| !tag.is_empty());
        let Content::Scalar(text) = node.content() else {
            let implied = match node.content() {
                Content::Mapping(_) => Tag::Map,
                Content::Sequence(_) => Tag::Seq,
                Content::Scalar(_) | Content::Alias(_) => Tag::None,
            };
            let tag = if node.explicit_tag() || node.tag() != implied {
                explicit
            } else {
                None
            };
            return Form {
                tag,
                style: node.style(),
            };
        };
        let plain = matches!(node.style(), Style::Default | Style::Flow);
        let implied = !node.explicit_tag() && explicit.is_some();
        let reads_back = if plain || node.tag() != Tag::Str {
            plain_tag(text) == node.tag()
        } else {
            true
        };
        // A plain text that would read back as something else than a string is quoted; anything else shows its tag.
        let force_quotes = implied && !reads_back && node.tag() == Tag::Str;
        let tag = if implied && (reads_back || force_quotes) {
            None
        } else {
            explicit
        };
        let style = if plain && text.contains('\n') {
            Style::Literal
        } else if plain && force_quotes {
            Style::DoubleQuoted
        } else {
            node.style()
        };
        Form { tag, style }
    }
}

/// The tag that go-yaml's resolver gives a text; it does not know `<<`, which only its parser does.
fn plain_tag(text: &str) -> Tag {
    let tag = Schema::Kyaml.tag(text);
    if tag == Tag::Merge { Tag::Str } else { tag }
}

/// A key whose foot comment is handed on to what follows; only a collection would write it itself.
fn without_foot(key: &Node) -> Cow<'_, Node> {
    if key.comments().foot.is_empty()
        || matches!(key.content(), Content::Scalar(_) | Content::Alias(_))
    {
        return Cow::Borrowed(key);
    }
    let mut bare = key.clone();
    bare.comments_mut().foot = Text::default();
    Cow::Owned(bare)
}

fn is_simple_key(key: &Node) -> bool {
    let anchor = key.anchor().map_or(0, str::len);
    let tag = Form::of(key).tag.map_or(0, str::len);
    match key.content() {
        Content::Alias(name) => name.len() <= LONGEST_SIMPLE_KEY,
        Content::Scalar(text) => {
            let multiline = text.contains(super::chars::line_break);
            !multiline && anchor + tag + text.len() <= LONGEST_SIMPLE_KEY
        }
        Content::Sequence(sequence) => sequence.is_empty() && anchor + tag <= LONGEST_SIMPLE_KEY,
        Content::Mapping(mapping) => mapping.is_empty() && anchor + tag <= LONGEST_SIMPLE_KEY,
    }
}

fn check_anchor(name: &str, what: &str) -> Result<(), YamlError> {
    if name.is_empty() {
        return Err(YamlError::new(
            ErrorKind::Reference,
            format!("{what} value must not be empty"),
        ));
    }
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    {
        return Ok(());
    }
    let message = format!("{what} value must contain alphanumerical characters only");
    Err(YamlError::new(ErrorKind::Reference, message))
}

fn escape_tag(tag: &str) -> String {
    let mut out = String::with_capacity(tag.len());
    for byte in tag.bytes() {
        let keep = byte.is_ascii_alphanumeric() || b";/?:@&=+$,_.~*'()[]-".contains(&byte);
        if keep {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
