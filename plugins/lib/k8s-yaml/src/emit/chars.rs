//! Classes of characters, as libyaml divides them.

/// What go-yaml writes as it is. Characters beyond the basic plane are not among them, nor are tabs and carriage returns.
pub(super) fn printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// What ends a line.
pub(super) fn line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What separates words.
pub(super) fn blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}
