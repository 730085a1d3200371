//! Numbers, kept as they are written.

use std::borrow::Cow;
use std::fmt;

/// A number. What was read is written as it stood: `1.50` stays `1.50`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number<'a>(Cow<'a, str>);

impl<'a> Number<'a> {
    /// The text must be a number of JSON.
    pub(super) fn as_written(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The whole number that this is.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest number that an `f64` can be.
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|it: &f64| it.is_finite())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<i64> for Number<'_> {
    fn from(value: i64) -> Self {
        Self(Cow::Owned(value.to_string()))
    }
}

impl From<serde_json::Number> for Number<'_> {
    fn from(value: serde_json::Number) -> Self {
        Self(Cow::Owned(value.to_string()))
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
