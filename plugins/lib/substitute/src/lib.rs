//! Flux's postBuild substitution: `${name}` in the text of objects.
//!
//! kustomize-controller writes each object as YAML, replaces what looks like a shell's parameter expansion in that text, and
//! reads the result back. This crate does the same: [`expand`] is the replacement on a text, [`substitute`] the whole way
//! of one object, and [`Variables`] are the values with Flux's rule for their names. The grammar is that of Flux's fork of
//! `envsubst` (kustomize-controller 1.9): it looks like bash and differs in places that repositories depend on.
//!
//! What it refuses to do: it reads no file, no environment and no clock; it never panics on input; nesting, output and the
//! work of pattern matching are bounded ([`limits`]).
//!
//! ```
//! use weir_substitute::{Mode, Variables, expand};
//!
//! let mut variables = Variables::default();
//! variables.set("domain", "example.com");
//!
//! let text = expand("host: www.${domain}, zone: ${zone:=eu}, kept: $${domain}", &variables, Mode::Strict)?;
//! assert_eq!(text, "host: www.example.com, zone: eu, kept: ${domain}");
//! # Ok::<(), weir_substitute::ExpandError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod expand;
pub mod limits;
mod object;
mod operator;
mod parse;
mod pattern;
mod runes;
mod variables;

pub use error::{ExpandError, SubstituteError};
pub use expand::{Mode, expand};
pub use object::{ANNOTATION, find_error, opted_out, substitute};
pub use variables::Variables;
