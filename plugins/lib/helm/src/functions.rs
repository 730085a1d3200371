//! The functions that Helm adds to sprig's.

use std::rc::Rc;

use weir_gotemplate::{ByName, Call, Error, FuncError, Functions, Signature, Text, Type, Value};

use weir_sprig::Circumstances;

use crate::environment::{Environment, Lookup};
use crate::explain::{MARK_END, MARK_START};

/// The name of the root of a template set, which `tpl` gives to its texts.
pub(crate) const ROOT: Text = Text::from_static("gotpl");

/// How often one name may be included inside of itself.
const MAX_RECURSION: u32 = 1000;

/// What prints for a value that is not there; Helm takes it out of what it renders.
pub(crate) const NO_VALUE: &str = "<no value>";

/// What lives as long as one render.
pub(crate) struct State {
    pub(crate) environment: Rc<dyn Environment>,
    /// Whether `required` and `fail` let things pass.
    pub(crate) lint: bool,
    /// Whether names of hosts are resolved.
    pub(crate) dns: bool,
    /// How often each template is being included.
    pub(crate) included: ByName<u32>,
    /// The file that is being rendered.
    pub(crate) place: String,
}

impl Circumstances for State {
    fn random(&mut self, purpose: &str, length: usize) -> Vec<u8> {
        self.environment.random(purpose, &self.place, length)
    }

    fn time(&mut self) -> i64 {
        self.environment.time()
    }
}

/// How sprig's functions find time and randomness.
pub(crate) fn circumstances<'a>(call: &'a mut Call<'_>) -> Option<&'a mut dyn Circumstances> {
    let state: &mut State = call.context()?;
    Some(state)
}

/// Adds `include`, `tpl`, `required`, `fail`, `lookup` and `getHostByName`.
pub(crate) fn add_to(functions: &mut Functions) {
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| include(call, args.text(0)?, args.at(1)?.clone()),
    );
    functions.add(
        "tpl",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| tpl(call, args.text(0)?, args.at(1)?.clone()),
    );
    functions.add(
        "required",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| {
            let value = args.at(1)?;
            if !value.is_nil() && value.as_text().is_none_or(|text| !text.is_empty()) {
                return Ok(value.clone());
            }
            failed(call, args.text(0)?)
        },
    );
    functions.add("fail", Signature::fixed(&[Type::String]), |call, args| {
        failed(call, args.text(0)?)
    });
    functions.add(
        "lookup",
        Signature::fixed(&[Type::String; 4]),
        |call, args| {
            let (api_version, kind, namespace, name) =
                (args.str(0)?, args.str(1)?, args.str(2)?, args.str(3)?);
            let question = Lookup {
                api_version: &api_version,
                kind: &kind,
                namespace: &namespace,
                name: &name,
            };
            let state = state(call)?;
            if state.lint {
                return Ok(Value::empty_map());
            }
            let found = state
                .environment
                .lookup(&question)
                .map_err(|error| FuncError::new(error.message))?;
            Ok(found.map_or_else(Value::empty_map, |found| Value::from_json(&found)))
        },
    );
    functions.add(
        "getHostByName",
        Signature::fixed(&[Type::String]),
        |call, args| {
            let state = state(call)?;
            let found = if state.dns {
                state.environment.resolve(&args.str(0)?)
            } else {
                None
            };
            Ok(found.unwrap_or_default().into())
        },
    );
}

fn state<'c>(call: &'c mut Call<'_>) -> Result<&'c mut State, FuncError> {
    call.context()
        .ok_or_else(|| FuncError::new("the function is used outside of a render"))
}

fn failed(call: &mut Call<'_>, message: &Text) -> Result<Value, FuncError> {
    if state(call)?.lint {
        return Ok("".into());
    }
    Err(FuncError::new(format!("{MARK_START}{message}{MARK_END}")))
}

fn include(call: &mut Call<'_>, name: &Text, data: Value) -> Result<Value, FuncError> {
    let count = state(call)?.included.entry(name.clone()).or_insert(0);
    if *count > MAX_RECURSION {
        return Err(FuncError::new(format!(
            "rendering template has a nested reference name: {name}: unable to execute template"
        )));
    }
    *count += 1;
    let text = call.execute(name, data);
    if let Some(count) = state(call)?.included.get_mut(name) {
        *count -= 1;
    }
    Ok(Value::Str(text?))
}

fn tpl(call: &mut Call<'_>, text: &Text, data: Value) -> Result<Value, FuncError> {
    // Without an action there is nothing to parse.
    if !contains(text.as_bytes(), b"{{") {
        return Ok(Value::Str(without_no_value(text.clone())));
    }
    match call.execute_text(&ROOT, text, data) {
        Ok(rendered) => Ok(Value::Str(without_no_value(rendered))),
        Err(error) => {
            let words = match &error {
                Error::Parse(_) => "cannot parse template",
                Error::Exec(_) | Error::NoTemplate { .. } => {
                    "error during tpl function execution for"
                }
            };
            Err(FuncError::wrap(
                format!("{words} {}: ", weir_gotemplate::quote(text)),
                error,
            ))
        }
    }
}

/// Takes out every `<no value>`, wherever it comes from.
pub(crate) fn without_no_value(text: Text) -> Text {
    if !contains(text.as_bytes(), NO_VALUE.as_bytes()) {
        return text;
    }
    match text.as_str() {
        Some(text) => text.replace(NO_VALUE, "").into(),
        None => {
            let mut rest = text.as_bytes();
            let mut out = Vec::with_capacity(rest.len());
            while let Some(at) = memchr::memmem::find(rest, NO_VALUE.as_bytes()) {
                out.extend_from_slice(&rest[..at]);
                rest = &rest[at + NO_VALUE.len()..];
            }
            out.extend_from_slice(rest);
            out.into()
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}
