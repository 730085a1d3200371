//! The objects that templates see beside their values.

mod capabilities;
mod chart;
mod files;
mod values;

pub(crate) use capabilities::capabilities;
pub(crate) use chart::chart_object;
pub(crate) use files::{files_object, text as file_text};
pub(crate) use values::{template_object, to_gotemplate, values_type};
