//! `kustomize build`, byte for byte.
//!
//! [`build`] reads a kustomization through a [`Host`] and gives the finished objects in order, as YAML exactly as
//! kustomize 5.8 prints them or as JSON. It does what the original does, oddities included, because repositories depend on them; only
//! its errors are its own: they say which file, line and field, and what to do.
//!
//! What it refuses to do: it reads no file, environment, clock or random number by itself, so that a build is a function of
//! what the host answers; it runs no scripts and no containers; it never panics on input; and nothing that it does is
//! unbounded.
//!
//! The main types are [`Options`], [`Files`] and [`Host`] for what goes in, [`Build`] and [`Object`] for what comes out, and
//! [`Error`].
//!
//! ```
//! use std::rc::Rc;
//! use weir_kustomize::{Entry, EntryKind, FileError, Files, Host, Options, build};
//!
//! /// One folder with two files.
//! struct Memory;
//!
//! impl Files for Memory {
//!     fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
//!         match path {
//!             "kustomization.yaml" => Ok(b"namePrefix: my-\nresources: [a.yaml]\n".to_vec()),
//!             "a.yaml" => Ok(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_vec()),
//!             _ => Err(FileError::Absent),
//!         }
//!     }
//!     fn kind(&self, path: &str) -> Result<EntryKind, FileError> {
//!         if path.is_empty() { Ok(EntryKind::Directory) } else { self.read(path).map(|_| EntryKind::File) }
//!     }
//!     fn entries(&self, _: &str) -> Result<Vec<Entry>, FileError> {
//!         Ok(vec![])
//!     }
//!     fn resolve(&self, path: &str) -> Result<String, FileError> {
//!         self.kind(path).map(|_| path.to_owned())
//!     }
//!     fn as_any(self: Rc<Self>) -> Rc<dyn std::any::Any> {
//!         self
//!     }
//! }
//!
//! impl Host for Memory {
//!     fn tree(&self) -> Rc<dyn Files> {
//!         Rc::new(Memory)
//!     }
//! }
//!
//! let built = build(&Memory, "", &Options::default())?;
//! assert_eq!(built.to_yaml()?, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: my-a\n");
//! # Ok::<(), weir_kustomize::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accumulate;
mod annotations;
mod build;
mod config;
mod decode;
mod error;
mod field_spec;
mod files;
mod flux;
mod generate;
mod git_url;
mod hash;
mod id;
mod json;
mod kustomization;
mod loader;
mod merge;
mod options;
mod origin;
mod patch;
mod path;
mod plugin;
mod read;
mod reference;
mod replace;
mod resource;
mod scalar;
mod schema;
mod selector;
mod set;
mod sort;
mod transform;
mod vars;

pub use build::{Build, Object, build};
pub use error::{Error, Problem};
pub use files::{Entry, EntryKind, FileError, Files, Host, PluginCall, PluginError, Remote, Role};
pub use options::{FluxFields, LoadRestrictor, Options, Profile};
pub use path::tree_path;
