//! Scalars with their tags.

use std::borrow::Cow;

use super::base64;
use crate::data::Data;
use crate::error::{ErrorKind, YamlError};
use crate::node::{Node, Style, Tag, Text};
use crate::scalar::{Scalar, Schema, Timestamp};

pub(super) fn resolve<'a>(
    node: &'a Node,
    text: &'a Text,
    schema: Schema,
) -> Result<Data<'a>, YamlError> {
    let string = || Data::Str(Cow::Borrowed(text.as_str()));
    if schema == Schema::Sigs && node.non_specific() {
        return Ok(string());
    }
    let tag = node.written_tag();
    match tag {
        Tag::Str => match schema {
            // `yes` has the tag `!!str`, which is kyaml's, although for sigs it is a boolean.
            Schema::Sigs if is_plain(node) => plain(node, text, schema, tag),
            Schema::Sigs | Schema::Kyaml => Ok(string()),
        },
        Tag::Null | Tag::Bool | Tag::Int | Tag::Float | Tag::Timestamp | Tag::Merge
            if is_plain(node) =>
        {
            plain(node, text, schema, tag)
        }
        wanted @ (Tag::Null | Tag::Bool | Tag::Int | Tag::Float | Tag::Timestamp) => {
            tagged(node, text, schema, wanted)
        }
        Tag::Binary => binary(node, text).map(|text| Data::Str(text.into())),
        Tag::Merge | Tag::Map | Tag::Seq | Tag::Other | Tag::None => Ok(string()),
    }
}

/// The value of a node that is a float to [`Schema::Sigs`].
pub(super) fn float(node: &Node) -> Option<f64> {
    let text = node.text()?;
    if node.tag() != Tag::Float || node.non_specific() {
        return None;
    }
    match Schema::Sigs.classify(text) {
        Scalar::Float(value) => Some(value),
        #[expect(clippy::cast_precision_loss, reason = "go-yaml converts the same way")]
        Scalar::Int(value) if node.explicit_tag() => Some(value as f64),
        Scalar::Int(_) | Scalar::Uint(_) | Scalar::Null | Scalar::Bool(_) => None,
        Scalar::Timestamp | Scalar::Merge | Scalar::Str => None,
    }
}

/// Whether the tag was only guessed from the text.
fn is_plain(node: &Node) -> bool {
    node.style() == Style::Default && !node.explicit_tag()
}

fn plain<'a>(
    node: &'a Node,
    text: &'a Text,
    schema: Schema,
    tag: Tag,
) -> Result<Data<'a>, YamlError> {
    let scalar = schema.classify(text);
    // Code may have changed the text under a tag, or the tag over a text; then the tag says what is meant.
    if schema == Schema::Kyaml && tag_of(scalar) != tag && tag != Tag::Merge {
        return tagged(node, text, schema, tag);
    }
    value(node, text, schema, scalar)
}

fn tagged<'a>(
    node: &'a Node,
    text: &'a Text,
    schema: Schema,
    wanted: Tag,
) -> Result<Data<'a>, YamlError> {
    let scalar = schema.classify(text);
    match (scalar, wanted) {
        #[expect(clippy::cast_precision_loss, reason = "go-yaml converts the same way")]
        (Scalar::Int(int), Tag::Float) => Ok(Data::from_float(int as f64)),
        _ if tag_of(scalar) == wanted => value(node, text, schema, scalar),
        _ => {
            // go-yaml looks for dates only where they are wanted.
            let found = match scalar {
                Scalar::Timestamp | Scalar::Merge => Tag::Str,
                Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) | Scalar::Uint(_) => tag_of(scalar),
                Scalar::Float(_) | Scalar::Str => tag_of(scalar),
            };
            let message = format!(
                "cannot decode {} `{text}` as a {}",
                found.text(),
                wanted.text()
            );
            Err(YamlError::new(ErrorKind::Tag, message).at(node.span()))
        }
    }
}

fn value<'a>(
    node: &'a Node,
    text: &'a Text,
    schema: Schema,
    scalar: Scalar,
) -> Result<Data<'a>, YamlError> {
    Ok(match scalar {
        Scalar::Null => Data::Null,
        Scalar::Bool(value) => Data::Bool(value),
        Scalar::Int(value) => Data::Int(value),
        Scalar::Uint(value) => Data::Uint(value),
        Scalar::Float(value) => return finite(node, value),
        Scalar::Timestamp if schema == Schema::Kyaml => return timestamp(node, text),
        Scalar::Timestamp | Scalar::Merge | Scalar::Str => Data::Str(Cow::Borrowed(text.as_str())),
    })
}

fn finite(node: &Node, value: f64) -> Result<Data<'static>, YamlError> {
    if value.is_finite() {
        return Ok(Data::from_float(value));
    }
    let name = match value {
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "NaN",
    };
    Err(YamlError::json(format!("unsupported value: {name}"))
        .at(node.span())
        .with_hint("JSON has no such number; quote it if a string is meant"))
}

fn timestamp<'a>(node: &Node, text: &'a Text) -> Result<Data<'a>, YamlError> {
    match Timestamp::parse(text) {
        Some(time) if time.fits_json() => Ok(Data::Str(time.to_string().into())),
        Some(_) => Err(YamlError::json(
            "error calling MarshalJSON for type time.Time: timezone hour outside of range [0,23]",
        )
        .at(node.span())),
        None => Ok(Data::Str(Cow::Borrowed(text.as_str()))),
    }
}

/// The bytes of a `!!binary` as a string; bytes that are not UTF-8 become U+FFFD one by one, as in Go's JSON.
pub(super) fn binary(node: &Node, text: &str) -> Result<String, YamlError> {
    let bytes = base64::decode(text).ok_or_else(|| {
        YamlError::new(
            ErrorKind::Tag,
            "!!binary value contains invalid base64 data",
        )
        .at(node.span())
    })?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => replace_invalid(error.as_bytes()),
    })
}

fn replace_invalid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

fn tag_of(scalar: Scalar) -> Tag {
    match scalar {
        Scalar::Null => Tag::Null,
        Scalar::Bool(_) => Tag::Bool,
        Scalar::Int(_) | Scalar::Uint(_) => Tag::Int,
        Scalar::Float(_) => Tag::Float,
        Scalar::Timestamp => Tag::Timestamp,
        Scalar::Merge => Tag::Merge,
        Scalar::Str => Tag::Str,
    }
}
