//! What a store reads and writes: ordered maps, lists, scalars and comments.

/// A document: an ordered list of entries. Keys may stand twice.
pub(crate) type Branch = Vec<Entry>;

/// An entry of a map. That of a comment has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Value,
}

/// What stands before a value in a map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Name(String),
    Comment(Comment),
    /// A YAML key that is no string: what Go calls its type, and its text.
    Other {
        kind: &'static str,
        text: String,
    },
}

/// A comment without the sign that begins it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) text: String,
    /// Whether it stood behind a value on the same line.
    pub(crate) inline: bool,
}

/// A value of a map or list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`, which sops cannot walk.
    Uint(u64),
    Float(f64),
    /// RFC 3339.
    Time(String),
    Text(String),
    /// A text that is not UTF-8.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Map(Branch),
    Comment(Comment),
}

impl Entry {
    pub(crate) fn new(name: impl Into<String>, value: Value) -> Self {
        Self {
            key: Key::Name(name.into()),
            value,
        }
    }

    pub(crate) fn comment(text: impl Into<String>, inline: bool) -> Self {
        Self {
            key: Key::Comment(Comment {
                text: text.into(),
                inline,
            }),
            value: Value::Null,
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match &self.key {
            Key::Name(name) => Some(name),
            Key::Comment(_) | Key::Other { .. } => None,
        }
    }
}

impl Value {
    pub(crate) fn into_map(self) -> Option<Branch> {
        if let Self::Map(branch) = self {
            Some(branch)
        } else {
            None
        }
    }

    /// A text, or bytes if they are no text.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }

    /// What Go calls the type.
    pub(crate) fn go_type(&self) -> &'static str {
        match self {
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint64",
            Value::Float(_) => "float64",
            Value::Time(_) => "time.Time",
            Value::Text(_) | Value::Bytes(_) => "string",
            Value::List(_) => "[]interface {}",
            Value::Map(_) => "sops.TreeBranch",
            Value::Comment(_) => "sops.Comment",
        }
    }
}
