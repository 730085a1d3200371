//! What styles a text can be written in.

use super::chars::{blank, line_break, printable};

/// The styles that can hold a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single_quoted: bool,
    pub(super) block: bool,
}

impl Analysis {
    const ANYTHING: Analysis = Analysis {
        multiline: false,
        flow_plain: true,
        block_plain: true,
        single_quoted: true,
        block: true,
    };

    /// Looks at a text. go-yaml v2 allows tabs in double quotes only; v3 allows them in blocks too.
    pub(super) fn of(text: &str, tabs_in_blocks: bool) -> Self {
        if text.is_empty() {
            return Analysis {
                flow_plain: false,
                block: false,
                ..Self::ANYTHING
            };
        }
        if is_word(text.as_bytes()) {
            return Self::ANYTHING;
        }
        let mut scan = Scan::default();
        scan.run(text);
        scan.verdict(tabs_in_blocks)
    }
}

/// Most keys and values are words that no style has a problem with.
pub(super) fn is_word(text: &[u8]) -> bool {
    const fn table() -> [bool; 256] {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            table[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'/' | b'-' | b'=' | b'+');
            byte += 1;
        }
        table
    }
    const WORD: [bool; 256] = table();
    matches!(
        text.first(),
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/')
    ) && text.iter().all(|byte| WORD[usize::from(*byte)])
}

#[derive(Default)]
struct Scan {
    block_indicators: bool,
    flow_indicators: bool,
    line_breaks: bool,
    special: bool,
    tabs: bool,
    leading_space: bool,
    leading_break: bool,
    trailing_space: bool,
    trailing_break: bool,
    break_space: bool,
    space_break: bool,
}

impl Scan {
    fn run(&mut self, text: &str) {
        if text.starts_with("---") || text.starts_with("...") {
            self.block_indicators = true;
            self.flow_indicators = true;
        }
        let mut characters = text.chars().peekable();
        let mut first = true;
        let mut after_whitespace = true;
        let mut previous_space = false;
        let mut previous_break = false;
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            let before_blank = next.is_none_or(blank);
            self.indicator(character, first, before_blank, after_whitespace);
            if character == '\t' {
                self.tabs = true;
            } else if !printable(character) {
                self.special = true;
            }
            let is_break = line_break(character);
            if character == ' ' {
                self.leading_space |= first;
                self.trailing_space |= next.is_none();
                self.break_space |= previous_break;
            } else if is_break {
                self.line_breaks = true;
                self.leading_break |= first;
                self.trailing_break |= next.is_none();
                self.space_break |= previous_space;
            }
            previous_space = character == ' ';
            previous_break = is_break;
            after_whitespace = is_break || blank(character) || character == '\0';
            first = false;
        }
    }

    fn indicator(
        &mut self,
        character: char,
        first: bool,
        before_blank: bool,
        after_whitespace: bool,
    ) {
        let (flow, block) = match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if first =>
            {
                (true, true)
            }
            '?' if first => (true, before_blank),
            '-' if first => (before_blank, before_blank),
            ',' | '?' | '[' | ']' | '{' | '}' => (true, false),
            ':' => (true, before_blank),
            '#' => (after_whitespace, after_whitespace),
            _ => return,
        };
        self.flow_indicators |= flow;
        self.block_indicators |= block;
    }

    fn verdict(&self, tabs_in_blocks: bool) -> Analysis {
        let edge =
            self.leading_space || self.leading_break || self.trailing_space || self.trailing_break;
        let special = self.special || (self.tabs && !tabs_in_blocks);
        let needs_double = self.break_space || self.space_break || self.tabs || special;
        let plain = !edge && !needs_double && !self.line_breaks;
        Analysis {
            multiline: self.line_breaks,
            flow_plain: plain && !self.flow_indicators,
            block_plain: plain && !self.block_indicators,
            single_quoted: !needs_double,
            block: !self.trailing_space && !self.space_break && !special,
        }
    }
}
