//! Helm charts: loading them, their versions and ranges, their dependencies and their values.
//!
//! A chart comes from a folder ([`Chart::from_tree`]) or an archive ([`Chart::from_archive`]). [`Overrides`] merges what a
//! person gives, [`values_from()`] what a HelmRelease gives; [`process_dependencies`] settles which subcharts take part, and
//! [`coalesce_values`] puts all values together. Where Helm's releases differ, a [`Profile`] says which one is meant.
//!
//! What it refuses to do: it reads no file, no environment and no clock itself, fetches nothing, renders nothing, and
//! checks no schema. Archives and trees are bounded ([`Limits`]); paths that leave the chart are refused.
//!
//! ```
//! use weir_chart::{Chart, ChartFile, Limits, Mode, Profile, coalesce_values, process_dependencies, shared};
//!
//! let files = vec![
//!     ChartFile::new("Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n".to_vec()),
//!     ChartFile::new("values.yaml", b"replicas: 1\nimage: {tag: a}\n".to_vec()),
//! ];
//! let chart = Chart::from_files(files, Profile::default(), Limits::default())?;
//!
//! let given = shared::map_from(serde_json::json!({"image": {"tag": "b"}}).as_object().expect("a map"));
//! let chart = process_dependencies(&chart, &given, Profile::default())?;
//! let values = coalesce_values(&chart, &given, Mode::Coalesce, Profile::default())?;
//! assert_eq!(serde_json::Value::from(shared::map_to(&values)), serde_json::json!({"image": {"tag": "b"}, "replicas": 1.0}));
//! # Ok::<(), weir_chart::ChartError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of JSON and YAML values are closed sets"
)]

mod archive;
mod chart;
mod coalesce;
mod data;
mod decode;
mod dependencies;
mod error;
mod ignore;
mod limits;
mod metadata;
mod overrides;
mod packed;
pub mod pattern;
mod profile;
pub mod set;
pub mod shared;
mod tree;
mod values;
mod values_from;
pub mod version;

pub use chart::{Chart, ChartFile};
pub use coalesce::{Mode, coalesce_values, merge_tables};
pub use data::FileData;
pub use dependencies::{is_compatible, process_dependencies};
pub use error::{ChartError, ReferenceError, TreeError, ValuesError};
pub use ignore::{IgnoreError, IgnoreRules};
pub use limits::Limits;
pub use metadata::{Dependency, Lock, Maintainer, Metadata};
pub use overrides::Overrides;
pub use profile::Profile;
pub use tree::{ChartTree, EntryKind, TreeEntry};
pub use values::{floats, merge_into, read_values, read_yaml};
pub use values_from::{MissingValue, ValuesReference, values_from};
