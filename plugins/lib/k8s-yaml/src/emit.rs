//! From trees and values to text, byte for byte as go-yaml writes.
//!
//! go-yaml is a port of libyaml, whose emitter decides in three steps: look at a scalar, choose a style that can hold it,
//! write it, breaking lines at spaces once they are too long. Version 2 (behind `sigs.k8s.io/yaml`) and version 3 (kyaml, SOPS) differ in
//! indentation, line width and comments; [`EmitOptions`] and [`to_yaml`] choose.

mod analysis;
mod chars;
mod data;
mod keys;
mod nodes;
mod numbers;
mod scalars;
mod writer;

use serde_json::Value;

use crate::data::Data;
use crate::error::{Limit, YamlError};
use crate::limits::Limits;
use crate::node::{Comments, Node};
use crate::parse::Document;

use writer::{Layout, Writer};

pub use data::{Tree, View};
pub(crate) use numbers::{go_float_text, go_float32_text};

/// How trees are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmitOptions {
    /// Columns of one level, from 2 to 9.
    pub indent: usize,
    /// How a sequence below a mapping key stands.
    pub sequences: SequenceIndent,
}

/// How a sequence below a mapping key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SequenceIndent {
    /// Its dashes stand below the key.
    Compact,
    /// It is indented.
    Wide,
}

impl EmitOptions {
    /// kyaml's defaults, used by kustomize wherever it writes a tree: indent 2, compact sequences.
    #[must_use]
    pub fn kyaml() -> Self {
        Self {
            indent: 2,
            sequences: SequenceIndent::Compact,
        }
    }

    /// kyaml's other style: indent 2, wide sequences.
    #[must_use]
    pub fn wide() -> Self {
        Self {
            indent: 2,
            sequences: SequenceIndent::Wide,
        }
    }

    /// go-yaml v3's own defaults, used by SOPS: indent 4, wide sequences.
    #[must_use]
    pub fn go_yaml() -> Self {
        Self {
            indent: 4,
            sequences: SequenceIndent::Wide,
        }
    }
}

/// Writes a value as `sigs.k8s.io/yaml` marshals it, which is what kubectl, Helm's `toYaml` and kustomize print.
///
/// The value goes through JSON on its way, as there: keys are sorted (naturally: `a2` before `a10`), whole floats become
/// integers, U+0085 becomes a space.
///
/// # Errors
///
/// When a string has a character that go-yaml does not read back from JSON (U+007F to U+009F), or the value is nested too
/// deeply.
pub fn to_yaml(value: &Value) -> Result<String, YamlError> {
    tree_to_yaml(&&Data::from_value(value)?)
}

/// Writes a value as go-yaml v3 marshals plain Go values with indent 2: Helm's `toYamlPretty`.
///
/// # Errors
///
/// When the value is nested too deeply.
pub fn to_yaml_pretty(value: &Value) -> Result<String, YamlError> {
    let mut writer = Writer::new(Layout::Indented {
        indent: 2,
        compact: false,
    });
    data::write(
        &mut writer,
        &&Data::from_go_value(value)?,
        data::Flavour::Version3,
    )?;
    Ok(writer.finish())
}

/// Writes a tree as go-yaml v3 encodes nodes.
///
/// # Errors
///
/// When the tree is nested too deeply, or has an anchor or alias with a name that cannot be written.
pub fn emit(node: &Node, options: &EmitOptions) -> Result<String, YamlError> {
    let mut writer = node_writer(options);
    nodes::write_document(&mut writer, node, &Comments::default())?;
    Ok(writer.finish())
}

/// As [`emit`], with the comments that belong to the document.
///
/// # Errors
///
/// See [`emit`].
pub fn emit_document(document: &Document, options: &EmitOptions) -> Result<String, YamlError> {
    emit_documents([document], options)
}

/// Writes documents one after another, with `---` between them.
///
/// # Errors
///
/// See [`emit`].
pub fn emit_documents<'a>(
    documents: impl IntoIterator<Item = &'a Document>,
    options: &EmitOptions,
) -> Result<String, YamlError> {
    let mut writer = node_writer(options);
    for document in documents {
        nodes::write_document(&mut writer, &document.root, &document.comments)?;
    }
    Ok(writer.finish())
}

/// Writes a node on one line, as it can stand in a text inside or outside of flow collections.
pub(crate) fn emit_inline(node: &Node, in_flow: bool) -> Result<String, YamlError> {
    let mut writer = node_writer(&EmitOptions::kyaml());
    nodes::write_inline(&mut writer, node, in_flow)?;
    Ok(writer.finish())
}

/// Writes what stands elsewhere as [`to_yaml`] writes a value, without a copy of it.
///
/// # Errors
///
/// See [`to_yaml`].
pub fn tree_to_yaml(tree: &impl Tree) -> Result<String, YamlError> {
    let mut writer = Writer::new(Layout::Version2);
    data::write(&mut writer, tree, data::Flavour::Sigs)?;
    Ok(writer.finish())
}

/// The bound on everything that walks a tree by recursion.
pub(crate) fn check_depth(depth: usize) -> Result<(), YamlError> {
    if depth < Limits::MAX_DEPTH {
        return Ok(());
    }
    let message = format!(
        "value is nested more than {} levels deep",
        Limits::MAX_DEPTH
    );
    Err(YamlError::limit(Limit::Depth, message))
}

fn node_writer(options: &EmitOptions) -> Writer {
    let indent = if (2..=9).contains(&options.indent) {
        options.indent
    } else {
        2
    };
    Writer::new(Layout::Indented {
        indent,
        compact: options.sequences == SequenceIndent::Compact,
    })
}
