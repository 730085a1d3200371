//! Puts values into a text.

use crate::error::ExpandError;
use crate::parse::{Expansion, Part, parse};
use crate::pattern::Steps;
use crate::{Variables, limits, operator};

/// What an unset variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// An error, unless the operator gives a default. What kustomize-controller does.
    Strict,
    /// Nothing. What `flux build` does.
    Lenient,
}

/// Replaces every `${…}` of a text. Values are not looked through again.
///
/// # Errors
///
/// When the text has a `${` that does not begin an expansion, or a limit is hit.
pub fn expand(text: &str, variables: &Variables, mode: Mode) -> Result<String, ExpandError> {
    let parts = parse(text)?;
    let mut evaluation = Evaluation {
        variables,
        mode,
        steps: Steps(limits::STEPS),
    };
    let mut out = Vec::with_capacity(text.len());
    for part in &parts {
        evaluation.write(part, &mut out)?;
    }
    String::from_utf8(out).map_err(|_| ExpandError::NotUtf8)
}

struct Evaluation<'v> {
    variables: &'v Variables,
    mode: Mode,
    steps: Steps,
}

impl Evaluation<'_> {
    fn write(&mut self, part: &Part, out: &mut Vec<u8>) -> Result<(), ExpandError> {
        match part {
            Part::Text(text) => append(out, text.as_bytes()),
            Part::Expansion(expansion) => {
                let value = self.value(expansion)?;
                append(out, &value)
            }
        }
    }

    /// The arguments come first, needed or not: what is wrong in a default is an error even where the variable is set.
    fn value(&mut self, expansion: &Expansion) -> Result<Vec<u8>, ExpandError> {
        let mut arguments = Vec::with_capacity(expansion.arguments.len());
        for argument in &expansion.arguments {
            let mut text = Vec::new();
            self.write(argument, &mut text)?;
            arguments.push(text);
        }
        let value = self.variables.get(&expansion.name);
        if value.is_none()
            && self.mode == Mode::Strict
            && !operator::is_default(&expansion.operator)
        {
            return Err(ExpandError::NotSet(expansion.name.clone()));
        }
        operator::apply(
            &expansion.name,
            &expansion.operator,
            value.unwrap_or_default(),
            &arguments,
            &mut self.steps,
        )
    }
}

fn append(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), ExpandError> {
    if out.len() + bytes.len() > limits::OUTPUT {
        return Err(ExpandError::TooLarge);
    }
    out.extend_from_slice(bytes);
    Ok(())
}
