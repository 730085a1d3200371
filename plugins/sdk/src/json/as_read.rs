//! Lists and maps that know how they were written.

use std::ops::{Deref, DerefMut};

/// A list or a map, used as the vector that it is. As long as nobody borrows it to change it, it is written as the text
/// that it was read from.
#[derive(Clone, Debug, Default)]
pub struct AsRead<'a, T> {
    it: T,
    text: Option<&'a str>,
}

impl<'a, T> AsRead<'a, T> {
    pub(super) fn new(it: T, text: &'a str) -> Self {
        Self {
            it,
            text: Some(text),
        }
    }

    /// The text, if nothing in it can have changed.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.text
    }
}

impl<T> From<T> for AsRead<'_, T> {
    fn from(it: T) -> Self {
        Self { it, text: None }
    }
}

impl<T> Deref for AsRead<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.it
    }
}

impl<T> DerefMut for AsRead<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.text = None;
        &mut self.it
    }
}

impl<T: PartialEq> PartialEq for AsRead<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.it == other.it
    }
}
