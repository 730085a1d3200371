//! The values that texts name.

use std::collections::BTreeMap;

use crate::error::SubstituteError;

/// Values by name. A later value replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, Vec<u8>>);

impl Variables {
    /// Sets a value; line feeds are taken out of it. Values of Secrets can be any bytes.
    pub fn set(&mut self, name: impl Into<String>, value: impl AsRef<[u8]>) {
        let value = value.as_ref().iter().copied().filter(|byte| *byte != b'\n');
        self.0.insert(name.into(), value.collect());
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Checks all names; the first one that is not a name is the error.
    ///
    /// # Errors
    ///
    /// [`SubstituteError::Name`]
    pub fn check(&self) -> Result<(), SubstituteError> {
        match self.0.keys().find(|name| !is_name(name)) {
            Some(name) => Err(SubstituteError::Name { name: name.clone() }),
            None => Ok(()),
        }
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    text.bytes().all(plain)
        && text
            .bytes()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_a_shell() {
        for (name, good) in [
            ("a", true),
            ("_A9", true),
            ("9a", false),
            ("", false),
            ("foo.yaml", false),
            ("é", false),
        ] {
            let mut variables = Variables::default();
            variables.set(name, "x");
            assert_eq!(variables.check().is_ok(), good, "{name}");
        }
    }

    #[test]
    fn line_feeds_are_taken_out() {
        let mut variables = Variables::default();
        variables.set("a", "one\ntwo\r\n");
        assert_eq!(variables.get("a"), Some(&b"onetwo\r"[..]));
    }
}
