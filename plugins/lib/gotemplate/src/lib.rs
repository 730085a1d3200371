//! Go's text/template as Helm uses it: values, parser, evaluator, builtin functions, printf, and the exact error texts.
//!
//! Charts depend on all of it: on `int` being another type than `int64`, on a missing key being another thing than no value, on
//! maps being shared and changed in place, on `%!s(float64=8080)`. So the model is Go's, and what Go prints is what this crate
//! prints, byte for byte, errors included. Recorded cases and comparisons with the original hold it to that.
//!
//! A [`TemplateSet`] is parsed once and then run as often as wanted. Functions ([`Functions`], [`Function`]) declare the types
//! of their parameters; the evaluator checks arguments with Go's rules before the body runs. An [`Error`] prints as Go's text and
//! keeps its parts ([`ExecError`]): place, expression, what was nil, and the includes that led there.
//!
//! What it refuses to do: it reads no file, no clock, no environment and no randomness (functions of other crates get at such
//! things through [`Call::context`]); it has no unsafe code; it never panics on input; and nothing that it does is unbounded
//! ([`Limits`]), except that a function of another crate has to account for what it makes ([`Call::spend`]). It knows nothing of
//! charts: sprig's functions, `include` and `tpl` are registered by other crates. Of Go's values it has no channels, functions
//! and iterators, and maps have strings for keys, as nothing else can be reached from a chart.
//!
//! ```
//! use weir_gotemplate::{Functions, Limits, MissingKey, Signature, TemplateSet, Text, Type, Value};
//!
//! let mut functions = Functions::builtins();
//! functions.add("upper", Signature::fixed(&[Type::String]), |_, args| Ok(args.str(0)?.to_uppercase().into()));
//!
//! let mut set = TemplateSet::new("gotpl", functions, MissingKey::Zero);
//! set.parse("a.yaml", "{{ range .names }}- {{ . | upper }}\n{{ end }}{{ .port.http }}")?;
//!
//! let data = Value::from_json_floats(&serde_json::json!({"names": ["a", "b"], "port": {"http": 20971520}}));
//! let mut context = ();
//! let mut run = set.run(Limits::default(), &mut context);
//! assert_eq!(run.execute(&Text::from("a.yaml"), data)?, Text::from("- A\n- B\n2.097152e+07"));
//!
//! let error = run.execute(&Text::from("a.yaml"), Value::empty_map()).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "template: a.yaml:2:17: executing \"a.yaml\" at <.port.http>: nil pointer evaluating interface {}.http",
//! );
//! # Ok::<(), weir_gotemplate::Error>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is none of the kinds asked for is treated alike, whatever it is"
)]

mod by_name;
mod text;
mod value;

mod error;
mod function;
mod limits;

mod set;

mod packed;
mod parse;
mod tree;

mod exec;

mod builtin;
mod format;

#[doc(hidden)]
pub mod properties;

pub use by_name::ByName;
pub use error::{Error, ErrorKind, ExecError, FuncError, Location, ParseError};
pub use exec::{Origin, Run};
pub use format::{display, display_into, quote, sprint, sprintf, sprintln, strval};
pub use function::{Args, Call, Function, Functions, Method, Signature};
pub use limits::Limits;
pub use set::{Delimiters, MissingKey, TemplateSet};
pub use text::Text;
pub use value::{JsonError, Kind, List, ListType, Map, MapType, Object, Type, Value, deep_equal};
