//! The functions of charts' templates: all that sprig 3.3.0 gives Helm, and Helm's own ones for YAML, JSON and TOML.
//!
//! They follow the Go libraries to the byte, because charts compare, hash and store what they print: texts of errors,
//! rounding, the order of keys, and what becomes of a bad argument are part of it.
//!
//! What the crate refuses to do: it reads no clock, no environment, no file and no randomness of the machine. Time and
//! randomness come from [`Circumstances`], so that the same render gives the same passwords and certificates. It has no
//! unsafe code, does not panic on any argument, and whatever a call makes is bounded and paid for with
//! [`weir_gotemplate::Call::spend`]. `include`, `tpl`, `required`, `fail`, `lookup` and `getHostByName` are not here: they
//! need more of Helm than values.
//!
//! ```
//! use weir_gotemplate::{Args, Call, Functions, Value};
//! use weir_sprig::{Circumstances, Options, add_data, add_sprig};
//!
//! /// The same for every call; a host derives it from a key.
//! struct Fixed;
//!
//! impl Circumstances for Fixed {
//!     fn random(&mut self, purpose: &str, length: usize) -> Vec<u8> {
//!         purpose.bytes().cycle().take(length).collect()
//!     }
//!     fn time(&mut self) -> i64 {
//!         1_600_000_000
//!     }
//! }
//!
//! let options = Options {
//!     profile: weir_chart::Profile::Helm4,
//!     circumstances: |call| call.context::<Fixed>().map(|fixed| fixed as &mut dyn Circumstances),
//! };
//! let mut functions = Functions::builtins();
//! add_sprig(&mut functions, options);
//! add_data(&mut functions, options.profile);
//!
//! let snakecase = functions.get("snakecase").expect("sprig has it");
//! let text = Call::detached(&mut Fixed, |call| snakecase.call(call, Args::new(&[Value::from("HTTPServer")])))?;
//! assert_eq!(text, Value::from("http_server"));
//! # Ok::<(), weir_gotemplate::FuncError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function has a rule for the kinds of values that it knows, and one for all others"
)]

mod circumstances;
mod crypto;
mod data;
mod functions;
mod json;
mod known;
mod limits;
mod number;
mod path;
mod text;
mod time;
mod toml;
mod url;

use weir_chart::Profile;
use weir_gotemplate::Functions;

pub use circumstances::{Access, Circumstances, Options};

/// Adds sprig's functions. Its `toJson`, `fromJson` and `mustToJson` are Helm's: see [`add_data`].
pub fn add_sprig(functions: &mut Functions, options: Options) {
    functions::add_all(functions, options);
}

/// Adds Helm's functions for YAML, JSON and TOML. Helm 3 has no `mustToYaml` and `mustToToml`.
pub fn add_data(functions: &mut Functions, profile: Profile) {
    data::add(functions, profile);
}
