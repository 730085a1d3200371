#![cfg_attr(test, allow(clippy::unwrap_used))]
//! Renders units: runs the steps of a recipe, writes down everything that they ask, and keeps what they made.
//!
//! Reading order: [`recipe`] says what is to be run, [`world`] where answers come from, [`record`] is the one door through
//! which every answer passes (**a trace is recorded there and nowhere else**), [`memo`] keeps traces and outputs, a [`shelf`]
//! those that outlive the process, [`Renderer`] puts them together, and [`index`] tells which units a change of a tree touches.
//!
//! Invariants: a render is a function of the recipe and of what [`World`] answers; this crate decides nothing about when to
//! render or what to do with a bundle; it writes nothing to disk, and what a tainted step made is kept in memory only.

pub mod builtin;
pub mod bundle;
pub mod index;
pub mod lower;
pub mod memo;
pub mod random;
pub mod recipe;
pub mod record;
pub mod render;
pub mod shelf;
pub mod trace;
pub mod world;

pub use bundle::{Bundle, Placeholder};
pub use index::{Dependency, Index};
pub use lower::{
    Capabilities, Encrypted, LowerError, LowerOptions, WithoutKey, lower_helm_release,
    lower_kustomization, lower_pipeline,
};
pub use recipe::{FilterStep, InputRef, Recipe, SourceId, SourceName, Step, UnitId};
pub use render::{RenderError, Rendered, Renderer, StepReport};
pub use shelf::Shelf;
pub use trace::Trace;
pub use world::{InputValue, Registered, SourceTree, World};
