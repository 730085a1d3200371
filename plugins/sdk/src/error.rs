//! Errors of plugins.

use std::fmt;

pub use crate::raw::types::Refusal;

/// What a plugin's functions give back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A message for the person who wrote the step. Everything that is an error becomes one by `?`, with its causes.
pub struct Error(String);

impl Error {
    /// An error with this message: lower-case, one sentence, no full stop.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }

    /// The same error with what was being done in front: "reading apps/x.yaml: not found".
    #[must_use]
    pub fn context(self, doing: impl fmt::Display) -> Self {
        Self(format!("{doing}: {}", self.0))
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors repeat their cause in their own message.
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self(message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a refusal says, for [`Error`] and for people. The generated text is for programmers.
pub(crate) fn refusal(refusal: &Refusal) -> &str {
    match refusal {
        Refusal::Denied(text) | Refusal::Unavailable(text) | Refusal::Invalid(text) => text,
        Refusal::Absent => "not found",
    }
}

/// Says what was asked when the answer is no.
pub(crate) fn asked<T>(
    result: std::result::Result<T, Refusal>,
    what: impl FnOnce() -> String,
) -> Result<T> {
    result.map_err(|error| match &error {
        // Whoever denies says what.
        Refusal::Denied(text) => Error::new(text),
        Refusal::Absent | Refusal::Unavailable(_) | Refusal::Invalid(_) => {
            Error::new(format!("{}: {}", what(), refusal(&error)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_keep_their_causes() {
        let error: Error = "x".parse::<u32>().unwrap_err().into();
        assert_eq!(
            error.context("reading replicas").to_string(),
            "reading replicas: invalid digit found in string"
        );
    }

    #[test]
    fn refusals_say_what_was_asked() {
        let text = |refusal| {
            asked::<()>(Err(refusal), || "reading x".to_owned())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(text(Refusal::Absent), "reading x: not found");
        assert_eq!(
            text(Refusal::Denied("reading x is not granted".to_owned())),
            "reading x is not granted"
        );
        assert_eq!(
            text(Refusal::Invalid("not UTF-8".to_owned())),
            "reading x: not UTF-8"
        );
    }
}
