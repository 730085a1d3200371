//! Text that is taken from the source in pieces.

use std::borrow::Cow;

/// The line breaks between two lines of a scalar.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    /// None if the first was escaped.
    pub(super) first: Option<char>,
    pub(super) others: String,
}

impl Breaks {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// What folding makes of them: a single line feed becomes a space, of more the first goes.
    fn fold_into(&self, out: &mut String) {
        match self.first {
            Some('\n') if self.others.is_empty() => out.push(' '),
            Some('\n') | None => {}
            Some(other) => out.push(other),
        }
        out.push_str(&self.others);
    }
}

/// A text that borrows from the source for as long as it is one piece of it.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    source: &'a str,
    done: Option<String>,
    from: usize,
    to: usize,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(source: &'a str, from: usize) -> Self {
        Self {
            source,
            done: None,
            from,
            to: from,
        }
    }

    /// Makes the current piece end at an offset.
    pub(super) fn extend_to(&mut self, to: usize) {
        self.to = to;
    }

    /// Ends the current piece, adds what the breaks behind it mean, and begins another one.
    pub(super) fn fold(&mut self, breaks: &Breaks, next: usize) {
        let out = self.close(next);
        breaks.fold_into(out);
    }

    /// Ends the current piece, adds a character that does not stand in the source, and begins another one.
    pub(super) fn insert(&mut self, character: char, next: usize) {
        self.close(next).push(character);
    }

    pub(super) fn finish(mut self) -> Cow<'a, str> {
        let last = self.source.get(self.from..self.to).unwrap_or_default();
        match self.done.take() {
            Some(mut done) => {
                done.push_str(last);
                Cow::Owned(done)
            }
            None => Cow::Borrowed(last),
        }
    }

    fn close(&mut self, next: usize) -> &mut String {
        let piece = self.source.get(self.from..self.to).unwrap_or_default();
        self.from = next;
        self.to = next;
        let out = self.done.get_or_insert_default();
        out.push_str(piece);
        out
    }
}
