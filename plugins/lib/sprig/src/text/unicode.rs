//! Unicode's categories as Go asks for them. Rust's own questions are wider: a Roman numeral is upper case, a vowel sign is
//! alphabetic.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// Ranges of characters, sorted.
struct Category(Vec<(char, char)>);

impl Category {
    fn named(name: &str) -> Self {
        let parsed = regex_syntax::parse(&format!(r"\p{{{name}}}")).expect("the category exists");
        match parsed.kind() {
            HirKind::Class(Class::Unicode(class)) => Self(
                class
                    .iter()
                    .map(|range| (range.start(), range.end()))
                    .collect(),
            ),
            _ => Self(Vec::new()),
        }
    }

    fn contains(&self, c: char) -> bool {
        let at = self.0.partition_point(|(_, end)| *end < c);
        self.0.get(at).is_some_and(|(start, _)| *start <= c)
    }
}

static LETTER: LazyLock<Category> = LazyLock::new(|| Category::named("L"));
static UPPER: LazyLock<Category> = LazyLock::new(|| Category::named("Lu"));
static LOWER: LazyLock<Category> = LazyLock::new(|| Category::named("Ll"));
static TITLE: LazyLock<Category> = LazyLock::new(|| Category::named("Lt"));
static NUMBER: LazyLock<Category> = LazyLock::new(|| Category::named("N"));
static DIGIT: LazyLock<Category> = LazyLock::new(|| Category::named("Nd"));
static PUNCTUATION: LazyLock<Category> = LazyLock::new(|| Category::named("P"));

pub(crate) fn is_letter(c: char) -> bool {
    LETTER.contains(c)
}

pub(crate) fn is_upper(c: char) -> bool {
    UPPER.contains(c)
}

pub(crate) fn is_lower(c: char) -> bool {
    LOWER.contains(c)
}

pub(crate) fn is_title(c: char) -> bool {
    TITLE.contains(c)
}

pub(crate) fn is_number(c: char) -> bool {
    NUMBER.contains(c)
}

pub(crate) fn is_digit(c: char) -> bool {
    DIGIT.contains(c)
}

pub(crate) fn is_punctuation(c: char) -> bool {
    PUNCTUATION.contains(c)
}
