//! Tests of charts as a whole: folders, archives, dependencies.

mod archives;
mod dependencies;
mod folders;
mod properties;
mod support;
