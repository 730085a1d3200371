//! The tree that a document is parsed into, edited as, and written from.
//!
//! A [`Node`] keeps what a reader of the file would miss if it were gone: quoting, block or flow layout, comments, anchors
//! and the place in the source. Its model is go-yaml's: a mapping is a list of entries whose keys are nodes, duplicates
//! and all, and every node carries the tag that its text had *when it was parsed or made*. Changing a text afterwards does
//! not change the tag, which is how `kustomize` keeps a quoted number a string.
//!
//! Nodes have value semantics: cloning one copies the tree (texts are shared), and nothing points upwards.

mod alias;
mod mapping;
mod path;
mod sequence;
mod tree;
mod value;

use crate::scalar::Schema;
use crate::span::Span;

pub use mapping::{Entry, Mapping};
pub use sequence::Sequence;

/// An immutable text: short ones are stored inline, long ones are shared between clones.
pub type Text = smol_str::SmolStr;

/// One value of a document.
#[derive(Debug)]
pub struct Node {
    content: Content,
    style: Style,
    tag: Tag,
    explicit_tag: bool,
    in_flow: bool,
    span: Span,
    extra: Option<Box<Extra>>,
}

/// What a node holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// The text of a scalar, without quotes and escapes.
    Scalar(Text),
    /// A mapping.
    Mapping(Mapping),
    /// A sequence.
    Sequence(Sequence),
    /// The name that an alias refers to.
    Alias(Text),
}

/// The kind of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A text, number, boolean, null…
    Scalar,
    /// Keys and values.
    Mapping,
    /// A list.
    Sequence,
    /// A reference to an anchored node.
    Alias,
}

/// How a node is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Style {
    /// A plain scalar or a block collection. The emitter quotes a scalar that could not stand plain.
    #[default]
    Default,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// `{a: b}` or `[a, b]`
    Flow,
}

/// The type of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
    /// `!!map`
    Map,
    /// `!!seq`
    Seq,
    /// Any other; its text is [`Node::custom_tag`].
    Other,
    /// None: aliases have it, and scalars whose text says what they are ([`Node::written_tag`]).
    None,
}

/// The comments that go with a node, `#` included, lines joined by line feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments {
    /// The lines above.
    pub head: Text,
    /// On the same line, after the value.
    pub line: Text,
    /// The lines below, before an empty line.
    pub foot: Text,
}

/// What few nodes have, kept out of line so that the others stay small.
#[derive(Debug, Clone, Default)]
struct Extra {
    anchor: Text,
    custom_tag: Text,
    comments: Comments,
}

/// Making nodes.
impl Node {
    /// `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::tagged(Text::new_static("null"), Tag::Null)
    }

    /// A string. It is written plain where that reads back as a string, else quoted.
    #[must_use]
    pub fn string(text: impl Into<Text>) -> Self {
        Self::tagged(text.into(), Tag::Str)
    }

    /// A scalar as if it stood plain in a file read by go-yaml v3: `1` is a number, `true` a boolean, `a` a string.
    #[must_use]
    pub fn plain(text: impl Into<Text>) -> Self {
        let text = text.into();
        let tag = Schema::Kyaml.tag(&text);
        Self::tagged(text, tag)
    }

    /// A boolean.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::tagged(
            Text::new_static(if value { "true" } else { "false" }),
            Tag::Bool,
        )
    }

    /// An integer.
    #[must_use]
    pub fn int(value: i64) -> Self {
        Self::tagged(smol_str::format_smolstr!("{value}"), Tag::Int)
    }

    /// A scalar with the given text and tag.
    #[must_use]
    pub fn tagged(text: Text, tag: Tag) -> Self {
        Self::from_content(Content::Scalar(text), tag)
    }

    /// A block mapping.
    #[must_use]
    pub fn mapping(mapping: Mapping) -> Self {
        Self::from_content(Content::Mapping(mapping), Tag::Map)
    }

    /// A block sequence.
    #[must_use]
    pub fn sequence(sequence: Sequence) -> Self {
        Self::from_content(Content::Sequence(sequence), Tag::Seq)
    }

    pub(crate) fn from_content(content: Content, tag: Tag) -> Self {
        Self {
            content,
            style: Style::Default,
            tag,
            explicit_tag: false,
            in_flow: false,
            span: Span::NONE,
            extra: None,
        }
    }
}

/// Looking at nodes.
impl Node {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.content {
            Content::Scalar(_) => Kind::Scalar,
            Content::Mapping(_) => Kind::Mapping,
            Content::Sequence(_) => Kind::Sequence,
            Content::Alias(_) => Kind::Alias,
        }
    }

    /// What the node holds.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The text of a scalar, whatever its tag.
    #[must_use]
    pub fn text(&self) -> Option<&Text> {
        match &self.content {
            Content::Scalar(text) => Some(text),
            Content::Mapping(_) | Content::Sequence(_) | Content::Alias(_) => None,
        }
    }

    /// The text of a scalar, whatever its tag.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.text().map(Text::as_str)
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match &self.content {
            Content::Mapping(mapping) => Some(mapping),
            Content::Scalar(_) | Content::Sequence(_) | Content::Alias(_) => None,
        }
    }

    /// The mapping, if it is one.
    #[must_use]
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.content {
            Content::Mapping(mapping) => Some(mapping),
            Content::Scalar(_) | Content::Sequence(_) | Content::Alias(_) => None,
        }
    }

    /// The sequence, if it is one.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&Sequence> {
        match &self.content {
            Content::Sequence(sequence) => Some(sequence),
            Content::Scalar(_) | Content::Mapping(_) | Content::Alias(_) => None,
        }
    }

    /// The sequence, if it is one.
    #[must_use]
    pub fn as_sequence_mut(&mut self) -> Option<&mut Sequence> {
        match &mut self.content {
            Content::Sequence(sequence) => Some(sequence),
            Content::Scalar(_) | Content::Mapping(_) | Content::Alias(_) => None,
        }
    }

    /// The name that an alias refers to.
    #[must_use]
    pub fn as_alias(&self) -> Option<&str> {
        match &self.content {
            Content::Alias(name) => Some(name),
            Content::Scalar(_) | Content::Mapping(_) | Content::Sequence(_) => None,
        }
    }

    /// Whether its tag is `!!null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }

    /// Whether it is a string: a scalar tagged `!!str`.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.tag == Tag::Str && self.kind() == Kind::Scalar
    }

    /// How it is written.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// The tag: as written, or as go-yaml v3 resolves the text.
    #[must_use]
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The tag that go-yaml v3 gives the node when it reads what it has written of it.
    ///
    /// A scalar without a tag is what its text says. One whose tag is not written but whose style is, is a string: go-yaml
    /// drops a tag that the text alone would get, and then reads the quotes.
    #[must_use]
    pub fn written_tag(&self) -> Tag {
        let Content::Scalar(text) = &self.content else {
            return self.tag;
        };
        let styled = match self.style {
            Style::Default | Style::Flow => text.contains('\n'),
            Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded => true,
        };
        match self.tag {
            Tag::None if styled => Tag::Str,
            Tag::None => Schema::Kyaml.tag(text),
            Tag::Int | Tag::Float | Tag::Bool | Tag::Null | Tag::Timestamp | Tag::Merge
                if styled && !self.explicit_tag && Schema::Kyaml.tag(text) == self.tag =>
            {
                Tag::Str
            }
            Tag::Str
            | Tag::Int
            | Tag::Float
            | Tag::Bool
            | Tag::Null
            | Tag::Timestamp
            | Tag::Binary => self.tag,
            Tag::Merge | Tag::Map | Tag::Seq | Tag::Other => self.tag,
        }
    }

    /// Whether the tag stood in the source.
    #[must_use]
    pub fn explicit_tag(&self) -> bool {
        self.explicit_tag
    }

    /// The text of a tag that YAML does not define, such as `!vault`.
    #[must_use]
    pub fn custom_tag(&self) -> Option<&str> {
        match (&self.extra, self.tag) {
            (Some(extra), Tag::Other) => Some(&extra.custom_tag),
            _ => None,
        }
    }

    /// The tag as text, `!!int` or `!vault`; empty for an alias.
    #[must_use]
    pub fn tag_text(&self) -> &str {
        self.custom_tag().unwrap_or_else(|| self.tag.text())
    }

    /// Its place in the source.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// The name of its anchor.
    #[must_use]
    pub fn anchor(&self) -> Option<&str> {
        let extra = self.extra.as_ref()?;
        (!extra.anchor.is_empty()).then_some(extra.anchor.as_str())
    }

    /// Its comments.
    #[must_use]
    pub fn comments(&self) -> &Comments {
        const NONE: &Comments = &Comments {
            head: Text::new_static(""),
            line: Text::new_static(""),
            foot: Text::new_static(""),
        };
        self.extra.as_ref().map_or(NONE, |extra| &extra.comments)
    }
}

/// Changing nodes.
impl Node {
    /// Replaces the text of a scalar and keeps its tag and style; makes a scalar of any other node.
    pub fn set_text(&mut self, text: impl Into<Text>) {
        if self.kind() != Kind::Scalar {
            self.tag = Tag::Str;
            self.style = Style::Default;
            self.explicit_tag = false;
        }
        self.content = Content::Scalar(text.into());
    }

    /// Sets how it is written.
    pub fn set_style(&mut self, style: Style) {
        self.style = style;
    }

    /// Sets the tag as one that need not be written. The text is not changed.
    pub fn set_tag(&mut self, tag: Tag) {
        self.tag = tag;
        self.explicit_tag = false;
    }

    /// Sets the tag as one that is written.
    pub fn set_explicit_tag(&mut self, tag: &str) {
        self.tag = Tag::parse(tag);
        self.explicit_tag = true;
        if self.tag == Tag::Other {
            self.extra_mut().custom_tag = tag.into();
        }
    }

    /// Sets the place in the source.
    pub fn set_span(&mut self, span: Span) {
        self.span = span;
    }

    /// Sets or removes the anchor.
    pub fn set_anchor(&mut self, name: Option<&str>) {
        if name.is_some() || self.extra.is_some() {
            self.extra_mut().anchor = name.unwrap_or_default().into();
        }
    }

    /// The comments, to be changed.
    pub fn comments_mut(&mut self) -> &mut Comments {
        &mut self.extra_mut().comments
    }

    /// Removes the comments of this node and of all below it.
    pub fn clear_comments(&mut self) {
        self.visit_mut(&mut |node| {
            if let Some(extra) = &mut node.extra {
                extra.comments = Comments::default();
            }
        });
    }

    /// Takes the node out and leaves a null.
    #[must_use]
    pub fn take(&mut self) -> Node {
        std::mem::replace(self, Node::null())
    }

    /// Whether it was parsed inside of `[…]` or `{…}`, where fewer texts can stand plain.
    pub(crate) fn in_flow(&self) -> bool {
        self.in_flow
    }

    pub(crate) fn set_in_flow(&mut self) {
        self.in_flow = true;
    }

    /// Whether it was written with the tag `!`, which go-yaml v2 takes for "a string", and v3 for nothing.
    pub(crate) fn non_specific(&self) -> bool {
        !self.explicit_tag
            && self
                .extra
                .as_ref()
                .is_some_and(|extra| extra.custom_tag == "!")
    }

    pub(crate) fn set_non_specific(&mut self) {
        self.extra_mut().custom_tag = Text::new_static("!");
    }

    pub(crate) fn content_mut(&mut self) -> &mut Content {
        &mut self.content
    }

    fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

impl Tag {
    /// The short form, such as `!!int`; empty for [`Tag::Other`] and [`Tag::None`].
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Tag::Str => "!!str",
            Tag::Int => "!!int",
            Tag::Float => "!!float",
            Tag::Bool => "!!bool",
            Tag::Null => "!!null",
            Tag::Timestamp => "!!timestamp",
            Tag::Binary => "!!binary",
            Tag::Merge => "!!merge",
            Tag::Map => "!!map",
            Tag::Seq => "!!seq",
            Tag::Other | Tag::None => "",
        }
    }

    /// The tag of a short text such as `!!int`.
    #[must_use]
    pub fn parse(text: &str) -> Tag {
        match text {
            "!!str" => Tag::Str,
            "!!int" => Tag::Int,
            "!!float" => Tag::Float,
            "!!bool" => Tag::Bool,
            "!!null" => Tag::Null,
            "!!timestamp" => Tag::Timestamp,
            "!!binary" => Tag::Binary,
            "!!merge" => Tag::Merge,
            "!!map" => Tag::Map,
            "!!seq" => Tag::Seq,
            _ => Tag::Other,
        }
    }
}

impl Comments {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_empty() && self.line.is_empty() && self.foot.is_empty()
    }
}
