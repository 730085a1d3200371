//! Short lists, most of them of one.

use std::ops::Deref;

/// A list that does not grow. One element alone stands in its place and needs no memory of its own.
#[derive(Debug)]
pub(crate) enum Few<T> {
    One(T),
    Many(Box<[T]>),
}

impl<T> Few<T> {
    /// Takes what is on a stack from a place on.
    #[inline]
    pub(crate) fn take(stack: &mut Vec<T>, first: usize) -> Self {
        if stack.len() == first + 1
            && let Some(alone) = stack.pop()
        {
            return Self::One(alone);
        }
        Self::Many(stack.split_off(first).into())
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::Many(Box::default())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(alone) => std::slice::from_ref(alone),
            Self::Many(all) => all,
        }
    }
}
