//! Scalars in their five styles, and comments.

use super::analysis::Analysis;
use super::chars::{blank, line_break, printable};
use super::writer::{Place, Step, Writer};
use crate::node::Style;

impl Writer {
    /// Writes a scalar in the wanted style, or in the nearest that can hold it.
    pub(super) fn scalar(&mut self, text: &str, wanted: Style, analysis: &Analysis, place: Place) {
        let simple_key = place == Place::SimpleKey;
        let before = self.deeper(place, Step::Flow);
        match self.style_for(text, wanted, analysis, simple_key) {
            Style::Default | Style::Flow => self.plain(text, analysis, !simple_key),
            Style::SingleQuoted => self.single_quoted(text, !simple_key),
            Style::DoubleQuoted => self.double_quoted(text, !simple_key),
            Style::Literal => self.literal(text),
            Style::Folded => self.folded(text),
        }
        self.indent = before;
    }

    fn style_for(&self, text: &str, wanted: Style, analysis: &Analysis, simple_key: bool) -> Style {
        let in_flow = self.flow_level > 0;
        let mut style = wanted;
        if simple_key && analysis.multiline {
            style = Style::DoubleQuoted;
        }
        if matches!(style, Style::Default | Style::Flow) {
            let allowed = if in_flow {
                analysis.flow_plain
            } else {
                analysis.block_plain
            };
            if !allowed || (text.is_empty() && (in_flow || simple_key)) {
                style = Style::SingleQuoted;
            }
        }
        let fits = match style {
            Style::SingleQuoted => analysis.single_quoted,
            Style::Literal | Style::Folded => analysis.block && !in_flow && !simple_key,
            Style::Default | Style::Flow | Style::DoubleQuoted => true,
        };
        if fits { style } else { Style::DoubleQuoted }
    }

    /// Plain text never has line breaks: the analysis forbids it.
    fn plain(&mut self, text: &str, analysis: &Analysis, fold: bool) {
        debug_assert!(
            !analysis.multiline,
            "a text of several lines is never plain"
        );
        if text.is_empty() {
            self.indention = false;
            return;
        }
        if !fold || self.column + text.len() <= self.width {
            return self.word(text);
        }
        if !self.whitespace {
            self.put(' ');
        }
        let mut after_space = false;
        let mut rest = text;
        while let Some(at) = rest.find(' ') {
            if at > 0 {
                self.put_text(&rest[..at]);
                self.indention = false;
                after_space = false;
            }
            rest = &rest[at + 1..];
            if !after_space && self.column > self.width && !rest.starts_with(' ') {
                self.write_indent();
            } else {
                self.put(' ');
            }
            after_space = true;
        }
        self.put_text(rest);
        self.whitespace = false;
        self.indention = false;
    }

    fn single_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("'", true);
        let mut after_space = false;
        let mut after_break = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            if character == ' ' {
                let before_space = matches!(characters.peek(), Some((_, ' ')));
                let inside = at > 0 && at + 1 < text.len();
                if fold && !after_space && self.column > self.width && inside && !before_space {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else if line_break(character) {
                if !after_break && character == '\n' {
                    self.line_break();
                }
                self.copy_break(character);
                after_break = true;
            } else {
                if after_break {
                    self.write_indent();
                }
                if character == '\'' {
                    self.put('\'');
                }
                self.put(character);
                self.indention = false;
                after_space = false;
                after_break = false;
            }
        }
        self.indicator("'", false);
    }

    fn double_quoted(&mut self, text: &str, fold: bool) {
        self.indicator("\"", true);
        // go-yaml looks for a byte order mark at the start of the text whatever character it is about to write.
        let escape_all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let special =
                !printable(character) || line_break(character) || matches!(character, '"' | '\\');
            if special || escape_all {
                self.escape(character);
                after_space = false;
            } else if character == ' ' {
                if fold && !after_space && self.column > self.width && at > 0 && at + 1 < text.len()
                {
                    self.write_indent();
                    if matches!(characters.peek(), Some((_, ' '))) {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                after_space = true;
            } else {
                self.put(character);
                after_space = false;
            }
        }
        self.indicator("\"", false);
    }

    fn escape(&mut self, character: char) {
        let short = match character {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => "",
        };
        if !short.is_empty() {
            return self.put_text(short);
        }
        let code = u32::from(character);
        let long = match code {
            ..=0xff => format!("\\x{code:02X}"),
            0x100..=0xffff => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        self.put_text(&long);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", true);
        self.block_hints(text);
        self.line_comment_before_block();
        self.whitespace = true;
        for line in lines(text) {
            if !line.text.is_empty() {
                self.write_indent();
                self.put_text(line.text);
                self.indention = false;
            }
            if let Some(end) = line.end {
                self.copy_break(end);
            }
        }
    }

    fn folded(&mut self, text: &str) {
        self.indicator(">", true);
        self.block_hints(text);
        self.line_comment_before_block();
        self.whitespace = true;
        // A line break between two lines of text is written twice, since folding takes one away. go-yaml looks for the text
        // after the breaks at the start of the whole scalar, not at the current place.
        let first_text = text.trim_start_matches(line_break).chars().next();
        let doubles = first_text.is_some_and(|character| !blank(character));
        let mut after_break = true;
        let mut leading_spaces = true;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            if line_break(character) {
                if !after_break && !leading_spaces && character == '\n' && doubles {
                    self.line_break();
                }
                self.copy_break(character);
                after_break = true;
                continue;
            }
            if after_break {
                self.write_indent();
                leading_spaces = blank(character);
            }
            let single_space = character == ' ' && characters.peek() != Some(&' ');
            if !after_break && single_space && self.column > self.width {
                self.write_indent();
            } else {
                self.put(character);
            }
            self.indention = false;
            after_break = false;
        }
    }

    fn block_hints(&mut self, text: &str) {
        if text.starts_with(|first| first == ' ' || line_break(first)) {
            let digit = self.indent_digit();
            self.put(digit);
        }
        let mut backwards = text.chars().rev();
        let ends = backwards.next().is_some_and(line_break);
        let ends_twice = backwards.next().is_none_or(line_break);
        match (ends, ends_twice) {
            (false, _) => self.put('-'),
            (true, true) => self.put('+'),
            (true, false) => {}
        }
        self.whitespace = false;
        self.indention = false;
    }

    fn line_comment_before_block(&mut self) {
        if self.pending.line.is_empty() {
            self.line_break();
        } else {
            self.write_line_comment();
        }
    }

    /// Writes what stands above a node.
    pub(super) fn write_head_comment(&mut self) {
        let tail = std::mem::take(&mut self.pending.tail);
        if !tail.is_empty() {
            self.write_indent();
            self.comment(&tail);
            self.foot_indent = self.indent.max(0);
        }
        let head = std::mem::take(&mut self.pending.head);
        if !head.is_empty() {
            self.write_indent();
            self.comment(&head);
        }
    }

    /// Writes what stands behind a node.
    pub(super) fn write_line_comment(&mut self) {
        let line = std::mem::take(&mut self.pending.line);
        if line.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        self.comment(&line);
    }

    /// Writes what stands below a node.
    pub(super) fn write_foot_comment(&mut self) {
        let foot = std::mem::take(&mut self.pending.foot);
        if foot.is_empty() {
            return;
        }
        self.write_indent();
        self.comment(&foot);
        self.foot_indent = self.indent.max(0);
    }

    fn comment(&mut self, text: &str) {
        let mut after_break = false;
        for line in lines(text) {
            if !line.text.is_empty() {
                if after_break {
                    self.write_indent();
                }
                if !line.text.starts_with('#') {
                    self.put_text("# ");
                }
                self.put_text(line.text);
                self.indention = false;
                after_break = false;
            }
            if let Some(end) = line.end {
                self.copy_break(end);
                after_break = true;
            }
        }
        if !after_break {
            self.line_break();
        }
        self.whitespace = true;
    }
}

struct Line<'a> {
    text: &'a str,
    end: Option<char>,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive(line_break).map(|line| {
        match line.chars().next_back().filter(|last| line_break(*last)) {
            Some(end) => Line {
                text: &line[..line.len() - end.len_utf8()],
                end: Some(end),
            },
            None => Line {
                text: line,
                end: None,
            },
        }
    })
}
