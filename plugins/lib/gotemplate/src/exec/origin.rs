//! Where in its template an output comes from.

use std::rc::Rc;

use crate::tree::{Position, Source};

/// For each stretch of an output the place in the template that made it. What other templates put out counts to where
/// they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    source: Option<Rc<Source>>,
    /// In the order of both.
    marks: Vec<Mark>,
}

/// From here on the output comes from there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) output: usize,
    pub(super) source: Position,
    /// The output is a copy of the source.
    pub(super) copied: bool,
}

impl Origin {
    pub(super) fn new(source: Rc<Source>, marks: Vec<Mark>) -> Self {
        Self {
            source: Some(source),
            marks,
        }
    }

    /// The line, from 1 on, that made the byte of the output; 0 if it is not known.
    #[must_use]
    pub fn line(&self, at: usize) -> u32 {
        let Some(source) = &self.source else { return 0 };
        let behind = self.marks.partition_point(|mark| mark.output <= at);
        let Some(mark) = behind
            .checked_sub(1)
            .and_then(|index| self.marks.get(index))
        else {
            return 0;
        };
        let further = if mark.copied { at - mark.output } else { 0 };
        let end = (mark.source as usize + further).min(source.text.len());
        let before = &source.text.as_bytes()[..end];
        let breaks = before.iter().filter(|byte| **byte == b'\n').count();
        u32::try_from(breaks + 1).unwrap_or(u32::MAX)
    }

    /// Follows a change of the output: at each of these places, in order, so many bytes were taken out.
    pub fn cut(&mut self, places: impl IntoIterator<Item = usize>, bytes: usize) {
        let mut places = places.into_iter().peekable();
        let (mut gone, mut last) = (0, 0);
        for mark in &mut self.marks {
            while let Some(place) = places.next_if(|place| *place < mark.output) {
                (gone, last) = (gone + bytes, place);
            }
            // A mark inside of what was taken out moves to its start.
            let inside = (last + bytes).saturating_sub(mark.output).min(bytes);
            let inside = if gone == 0 { 0 } else { inside };
            mark.output = (mark.output + inside).saturating_sub(gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Text;

    #[test]
    fn a_line_is_that_of_the_template() {
        let source = Source {
            name: Text::from("a"),
            text: Text::from("a\nb\n{{ x }}\nc\n"),
        };
        let mark = |output, source, copied| Mark {
            output,
            source,
            copied,
        };
        let marks = vec![mark(0, 0, true), mark(4, 7, false), mark(50, 11, true)];
        let mut origin = Origin::new(Rc::new(source), marks);
        let lines = |origin: &Origin| [0, 2, 4, 30, 51, 900].map(|at| origin.line(at));
        assert_eq!(lines(&origin), [1, 2, 3, 3, 4, 5]);
        assert_eq!(Origin::default().line(3), 0);
        // Ten bytes less in the middle.
        origin.cut([20], 10);
        assert_eq!([39, 41].map(|at| origin.line(at)), [3, 4]);
    }
}
