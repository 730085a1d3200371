//! Regular expressions of selectors, which kustomize gives to Go.

use weir_go_regexp::Regexp;

use crate::error::{Error, Problem, Result};

/// Compiles an expression.
pub(crate) fn compile(expression: &str) -> Result<Regexp> {
    Regexp::compile(expression).map_err(|error| {
        Error::new(Problem::Expression {
            expression: expression.to_owned(),
            reason: error.what().to_owned(),
        })
    })
}

/// Whether an expression matches only itself.
pub(crate) fn is_literal(expression: &str) -> bool {
    !expression.contains([
        '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_expression_says_why() {
        let error = compile("a(b").unwrap_err();
        assert!(error.to_string().contains("missing closing )"), "{error}");
        assert!(compile("(?P<a>.{1000}){1000}").is_err());
    }
}
