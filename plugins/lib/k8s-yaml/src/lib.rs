//! YAML as the tools around Kubernetes read and write it.
//!
//! kubectl, Helm, Flux and kustomize are written in Go and share two YAML libraries that differ from each other and from
//! the YAML specification. A repository that works with them works because of what these libraries do, so this crate does
//! the same: it parses to a tree of [`Node`]s that keeps style, comments, anchors and places; resolves a tree by one of
//! two [`Schema`]s to JSON; writes JSON and trees as go-yaml writes them, byte for byte; and edits a text in place.
//!
//! What it refuses to do: it reads no file, no environment and no clock; it has no unsafe code; it never panics on input,
//! and nothing that it does is unbounded ([`Limits`]). It knows nothing about kinds, patches or templates.
//!
//! ```
//! use weir_k8s_yaml::{Node, Schema, parse, resolve, to_yaml};
//!
//! let text = "replicas: 0x3 # three\nimage: {name: web, tag: '1.10'}\n";
//! let mut document = parse(text, &Default::default())?.expect("the text has a document");
//!
//! let replicas = document.root.get("replicas").expect("the key is there");
//! assert_eq!((replicas.span().line, replicas.span().column), (1, 11));
//! document.root.set_at(&["image", "tag"], Node::string("1.20"))?;
//!
//! let value = resolve(&document.root, Schema::Kyaml)?;
//! assert_eq!(value, serde_json::json!({"replicas": 3, "image": {"name": "web", "tag": "1.20"}}));
//! assert_eq!(to_yaml(&value)?, "image:\n  name: web\n  tag: \"1.20\"\nreplicas: 3\n");
//! # Ok::<(), weir_k8s_yaml::YamlError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod edit;
mod emit;
mod error;
mod go_json;
mod limits;
pub mod node;
mod parse;
#[doc(hidden)]
pub mod properties;
mod resolve;
mod scalar;
mod span;

pub use data::Data;
pub use edit::Edits;
pub use emit::{
    EmitOptions, SequenceIndent, Tree, View, emit, emit_document, emit_documents, to_yaml,
    to_yaml_pretty, tree_to_yaml,
};
pub use error::{ErrorKind, Limit, YamlError};
pub use go_json::{go_float, to_go_json};
pub use limits::Limits;
pub use node::{Comments, Content, Entry, Kind, Mapping, Node, Sequence, Style, Tag, Text};
pub use parse::{Document, Documents, ParseOptions, decode, documents, parse};
pub use resolve::{
    Duplicates, ResolveOptions, from_str, read_json, read_str, resolve, resolve_data,
};
pub use scalar::{Scalar, Schema, Timestamp};
pub use span::Span;
