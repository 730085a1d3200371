//! The grammar of references: `$(NAME)`, and `$$` for a dollar sign.

use std::collections::BTreeMap;

use super::VarValue;

/// A text with its references replaced. One that is nothing but a reference keeps the type of the value.
pub(super) fn expand(text: &str, values: &BTreeMap<&str, VarValue>) -> VarValue {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else {
            rest = &rest[at..];
            break;
        };
        match next {
            '$' => {
                out.push('$');
                rest = &after[1..];
            }
            '(' => match after.find(')') {
                None => {
                    out.push_str("$(");
                    rest = &after[1..];
                }
                Some(end) => {
                    let name = &after[1..end];
                    let value = values.get(name).filter(|value| **value != VarValue::Other);
                    let whole = at == 0 && out.is_empty() && end + 1 == after.len();
                    match value {
                        Some(value) if whole => return value.clone(),
                        Some(value) => out.push_str(&value.text()),
                        None => out.push_str(&rest[at..=at + 1 + end]),
                    }
                    rest = &after[end + 1..];
                }
            },
            other => {
                out.push('$');
                out.push(other);
                rest = &after[other.len_utf8()..];
            }
        }
    }
    out.push_str(rest);
    VarValue::Text(out)
}

impl VarValue {
    /// The value inside a longer text.
    fn text(&self) -> String {
        match self {
            VarValue::Text(text) => text.clone(),
            VarValue::Int(value) => value.to_string(),
            VarValue::Float(value) => weir_k8s_yaml::go_float(*value),
            VarValue::Bool(value) => value.to_string(),
            VarValue::Other => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: VarValue) {
        let values = BTreeMap::from([
            ("A", VarValue::Text("a".to_owned())),
            ("N", VarValue::Int(3)),
            ("MAP", VarValue::Other),
        ]);
        assert_eq!(expand(text, &values), expected, "{text}");
    }

    #[test]
    fn references_are_replaced_and_the_rest_stays() {
        let text = |text: &str| VarValue::Text(text.to_owned());
        check("$(N)", VarValue::Int(3));
        check("x$(N)$(A)", text("x3a"));
        check("$$(A) $(B) $(A", text("$(A) $(B) $(A"));
        check("$(MAP)", text("$(MAP)"));
        check("$x $", text("$x $"));
        check("", text(""));
    }
}
