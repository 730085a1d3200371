//! The output with its column and indentation.

/// How a collection is indented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// libyaml's way with indent 2, as go-yaml v2 uses it: a sequence below a key is not indented; lines are folded.
    Version2,
    /// go-yaml v3's way: columns are multiples of the indentation; lines are not folded.
    Indented { indent: usize, compact: bool },
}

/// Where a node stands, as far as its form depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The content of a document.
    Root,
    /// An item of a block sequence.
    BlockItem,
    /// An item of a flow sequence.
    FlowItem,
    /// A key that stands on one line with its value.
    SimpleKey,
    /// A key after `?`.
    Key,
    /// A value of a mapping.
    Value,
}

/// Text being written, with what libyaml's emitter remembers about it.
#[derive(Debug)]
pub(super) struct Writer {
    out: String,
    /// Characters on the current line.
    pub(super) column: usize,
    /// Whether the last thing written separates words.
    pub(super) whitespace: bool,
    /// Whether only indentation and indicators that count as such stand on the current line.
    pub(super) indention: bool,
    /// The current indentation; -1 outside of the document.
    pub(super) indent: isize,
    pub(super) flow_level: usize,
    /// The indentation of a foot comment just written: content at the same indentation is set off by an empty line.
    pub(super) foot_indent: isize,
    pub(super) layout: Layout,
    /// The column after which a line may be broken.
    pub(super) width: usize,
    pub(super) pending: PendingComments,
}

/// Comments that wait for the place where they are written.
#[derive(Debug, Default)]
pub(super) struct PendingComments {
    pub(super) head: String,
    pub(super) line: String,
    pub(super) foot: String,
    pub(super) tail: String,
    pub(super) key_line: String,
}

impl Writer {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            out: String::new(),
            column: 0,
            whitespace: true,
            indention: true,
            indent: -1,
            flow_level: 0,
            foot_indent: -1,
            layout,
            width: match layout {
                Layout::Version2 => 80,
                Layout::Indented { .. } => usize::MAX,
            },
            pending: PendingComments::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// The digit that tells a reader how far a block scalar is indented.
    pub(super) fn indent_digit(&self) -> char {
        let indent = match self.layout {
            Layout::Version2 => 2,
            Layout::Indented { indent, .. } => indent,
        };
        char::from_digit(u32::try_from(indent).unwrap_or(2), 10).unwrap_or('2')
    }

    pub(super) fn tabs_in_blocks(&self) -> bool {
        self.layout != Layout::Version2
    }

    /// Goes one level deeper for a node at `place` and gives the indentation to return to.
    pub(super) fn deeper(&mut self, place: Place, step: Step) -> isize {
        let before = self.indent;
        let best = match self.layout {
            Layout::Version2 => 2,
            Layout::Indented { indent, .. } => isize::try_from(indent).unwrap_or(2),
        };
        let below_key = matches!(place, Place::SimpleKey | Place::Key | Place::Value);
        if before < 0 {
            self.indent = if step == Step::Flow { best } else { 0 };
        } else if let Layout::Indented { compact, .. } = self.layout {
            if place == Place::BlockItem {
                self.indent = before + 2;
            } else {
                self.indent = best * ((before + best) / best);
                let after_key = below_key && (self.column == 0 || !self.indention);
                if compact && step == Step::BlockSequence && after_key {
                    self.indent -= 2;
                }
            }
        } else if !(step == Step::BlockSequence && below_key && !self.indention) {
            self.indent = before + best;
        }
        before
    }

    /// Starts a line at the current indentation, unless it has just been started.
    pub(super) fn write_indent(&mut self) {
        let indent = usize::try_from(self.indent).unwrap_or(0);
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.line_break();
        }
        if self.foot_indent >= 0 && usize::try_from(self.foot_indent) == Ok(indent) {
            self.line_break();
        }
        while self.column < indent {
            const BLANKS: &str = "                                ";
            let missing = (indent - self.column).min(BLANKS.len());
            self.out.push_str(&BLANKS[..missing]);
            self.column += missing;
        }
        self.whitespace = true;
        self.foot_indent = -1;
    }

    /// Writes punctuation.
    pub(super) fn indicator(&mut self, text: &str, needs_space: bool) {
        if needs_space && !self.whitespace {
            self.put(' ');
        }
        self.put_text(text);
        self.whitespace = false;
        self.indention = false;
    }

    /// Writes punctuation after which something can follow on the line as if it were indented.
    pub(super) fn indenting_indicator(&mut self, text: &str) {
        let indention = self.indention;
        self.indicator(text, true);
        self.indention = indention;
    }

    /// Writes an opening bracket.
    pub(super) fn opening_indicator(&mut self, text: &str) {
        self.indicator(text, true);
        self.whitespace = true;
    }

    pub(super) fn put(&mut self, character: char) {
        self.out.push(character);
        self.column += 1;
    }

    /// Writes text without line breaks.
    pub(super) fn put_text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
    }

    pub(super) fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.indention = true;
    }

    /// Copies a character that ends a line.
    pub(super) fn copy_break(&mut self, character: char) {
        self.out.push(character);
        self.column = 0;
        self.indention = true;
    }

    /// Writes text after a space if one is needed.
    pub(super) fn word(&mut self, text: &str) {
        if !self.whitespace {
            self.put(' ');
        }
        self.put_text(text);
        self.whitespace = false;
        self.indention = false;
    }
}

/// What one goes deeper for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A scalar or a flow collection.
    Flow,
    BlockMapping,
    BlockSequence,
}
