//! What a plain scalar means.
//!
//! The same text means different things to the tools around Kubernetes: `on` is `true` to kubectl and a string to
//! kustomize. A [`Schema`] is one set of such rules, usable without any tree:
//!
//! ```
//! use weir_k8s_yaml::{Scalar, Schema};
//!
//! assert_eq!(Schema::Sigs.classify("on"), Scalar::Bool(true));
//! assert_eq!(Schema::Kyaml.classify("on"), Scalar::Str);
//! assert_eq!(Schema::Kyaml.classify("0644"), Scalar::Int(420));
//! ```

mod number;
mod timestamp;

use crate::node::Tag;

pub use timestamp::Timestamp;

/// A set of rules by which plain scalars, duplicate keys and merge keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Schema {
    /// `sigs.k8s.io/yaml`, which is go-yaml v2: kubectl, Helm, Flux's apply path, kustomization files.
    ///
    /// YAML 1.1 booleans; timestamps stay text; merge keys act in order; the last duplicate of a key wins; keys that
    /// are not strings become strings.
    #[default]
    Sigs,
    /// go-yaml v3 as kyaml uses it: the resources that kustomize reads, and SOPS.
    ///
    /// Only `true` and `false` are booleans; timestamps are normalised; explicit keys win over merged ones; a duplicate
    /// key is an error; below the top level only strings can be keys.
    Kyaml,
}

/// What a plain scalar means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; more words in [`Schema::Sigs`].
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// Any other number, infinities and not-a-number included.
    Float(f64),
    /// A date or a time; [`Timestamp::parse`] says which.
    Timestamp,
    /// `<<`
    Merge,
    /// A string.
    Str,
}

impl Schema {
    /// What a plain scalar means.
    #[must_use]
    pub fn classify(self, text: &str) -> Scalar {
        let bytes = text.as_bytes();
        let Some(&first) = bytes.first() else {
            return Scalar::Null;
        };
        match first {
            b'0'..=b'9' => classify_number(text),
            b'+' | b'-' => match bytes.get(1) {
                Some(b'.') => infinity(text).unwrap_or_else(|| classify_number(text)),
                Some(b'0'..=b'9' | b'_') => classify_number(text),
                _ => Scalar::Str,
            },
            b'.' => infinity(text)
                .or_else(|| number::dotted_float(text))
                .unwrap_or(Scalar::Str),
            b'~' if bytes.len() == 1 => Scalar::Null,
            b'<' if text == "<<" => Scalar::Merge,
            b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O'
                if bytes.len() <= 5 =>
            {
                self.word(text)
            }
            _ => Scalar::Str,
        }
    }

    /// The tag that a plain scalar gets.
    #[must_use]
    pub fn tag(self, text: &str) -> Tag {
        match self.classify(text) {
            Scalar::Null => Tag::Null,
            Scalar::Bool(_) => Tag::Bool,
            Scalar::Int(_) | Scalar::Uint(_) => Tag::Int,
            Scalar::Float(_) => Tag::Float,
            Scalar::Timestamp => Tag::Timestamp,
            Scalar::Merge => Tag::Merge,
            Scalar::Str => Tag::Str,
        }
    }

    fn word(self, text: &str) -> Scalar {
        match text {
            "true" | "True" | "TRUE" => Scalar::Bool(true),
            "false" | "False" | "FALSE" => Scalar::Bool(false),
            "null" | "Null" | "NULL" => Scalar::Null,
            _ if self == Schema::Kyaml => Scalar::Str,
            _ => old_bool(text).map_or(Scalar::Str, Scalar::Bool),
        }
    }
}

/// The words that YAML 1.1 knows for booleans beside `true` and `false`.
pub(crate) fn old_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Whether YAML 1.1 reads the text as a number of base 60, such as `12:30:45`. go-yaml never does, but quotes them.
pub(crate) fn base_60(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut parts = whole.split(':');
    let first_fits = parts
        .next()
        .is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit() || b == b'_'));
    let mut more = 0;
    let rest_fits = parts.all(|part| {
        more += 1;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    });
    first_fits && rest_fits && more > 0 && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}

fn infinity(text: &str) -> Option<Scalar> {
    let value = match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        _ => return None,
    };
    Some(Scalar::Float(value))
}

fn classify_number(text: &str) -> Scalar {
    if Timestamp::parse(text).is_some() {
        return Scalar::Timestamp;
    }
    number::parse(text).unwrap_or(Scalar::Str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, sigs: Scalar, kyaml: Scalar) {
        assert_eq!(Schema::Sigs.classify(text), sigs, "{text:?} by sigs");
        assert_eq!(Schema::Kyaml.classify(text), kyaml, "{text:?} by kyaml");
    }

    #[test]
    fn words_differ_between_the_schemas() {
        check("yes", Scalar::Bool(true), Scalar::Str);
        check("Off", Scalar::Bool(false), Scalar::Str);
        check("tRUE", Scalar::Str, Scalar::Str);
        check("True", Scalar::Bool(true), Scalar::Bool(true));
        check("", Scalar::Null, Scalar::Null);
        check("~", Scalar::Null, Scalar::Null);
        check("<<", Scalar::Merge, Scalar::Merge);
    }

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("0644", Scalar::Int(420)),
            ("0o644", Scalar::Int(420)),
            ("0x_1", Scalar::Int(1)),
            ("-0b11", Scalar::Int(-3)),
            ("1__0", Scalar::Int(10)),
            ("9223372036854775808", Scalar::Uint(1 << 63)),
            ("-9223372036854775808", Scalar::Int(i64::MIN)),
            (
                "18446744073709551616",
                Scalar::Float(18_446_744_073_709_551_616.0),
            ),
            ("08", Scalar::Float(8.0)),
            ("1e400", Scalar::Str),
            ("-.5", Scalar::Float(-0.5)),
            (".5", Scalar::Float(0.5)),
            ("+.inf", Scalar::Float(f64::INFINITY)),
            ("-", Scalar::Str),
            ("-_1", Scalar::Int(-1)),
            ("_1", Scalar::Str),
            (".1_0", Scalar::Float(0.1)),
            ("._1", Scalar::Str),
            (".1_", Scalar::Str),
            ("0x", Scalar::Str),
            ("1:30", Scalar::Str),
            ("2001-12-14", Scalar::Timestamp),
        ] {
            check(text, expected, expected);
        }
    }

    #[test]
    fn base_60_needs_a_colon_and_two_digit_parts() {
        for text in ["1:30", "190:20:30.15", "-1_0:59", "1:5"] {
            assert!(base_60(text), "{text}");
        }
        for text in ["1", "1:60", "1:", ":30", "a:30", "1:2:345", "1.5:30"] {
            assert!(!base_60(text), "{text}");
        }
    }
}
