//! What functions need to know of the run that they take part in.

use weir_chart::Profile;
use weir_gotemplate::{Args, Call, FuncError, Value, display, quote};

use crate::crypto::random::{Generator, SEED};

/// Randomness and time come from the host, so that rendering the same twice gives the same.
pub trait Circumstances {
    /// Bytes that look random, but are the same for the same purpose, the same file and the same number of such calls
    /// before. The purpose is the function with its arguments (`randAlphaNum 16`); the implementation knows the file that
    /// is being rendered and adds it.
    fn random(&mut self, purpose: &str, length: usize) -> Vec<u8>;

    /// Seconds since 1970 that count as now.
    fn time(&mut self) -> i64;
}

/// Finds the circumstances in the embedder's own context of a run.
pub type Access = for<'a, 'c> fn(&'a mut Call<'c>) -> Option<&'a mut dyn Circumstances>;

/// How functions behave.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whose functions and texts they are.
    pub profile: Profile,
    /// Where randomness and time come from.
    pub circumstances: Access,
}

impl Options {
    pub(crate) fn now(self, call: &mut Call<'_>) -> Result<i64, FuncError> {
        (self.circumstances)(call)
            .map(Circumstances::time)
            .ok_or_else(|| FuncError::new("there is no time here"))
    }

    /// The generator for one call of a function.
    pub(crate) fn generator(
        self,
        call: &mut Call<'_>,
        function: &str,
        args: Args<'_>,
    ) -> Result<Generator, FuncError> {
        let purpose = purpose(function, &args);
        let circumstances = (self.circumstances)(call);
        let circumstances =
            circumstances.ok_or_else(|| FuncError::new("there is no randomness here"))?;
        Ok(Generator::new(&circumstances.random(&purpose, SEED)))
    }
}

/// A function with its arguments. Certificates do not count, for they are new whenever the time is.
fn purpose(function: &str, args: &[Value]) -> String {
    let mut out = function.to_owned();
    for arg in args {
        out.push(' ');
        match arg {
            Value::Str(text) => out.push_str(&quote(text).to_string()),
            Value::Object(object) => out.push_str(object.type_name()),
            other => out.push_str(&display(other).lossy()),
        }
    }
    out
}
