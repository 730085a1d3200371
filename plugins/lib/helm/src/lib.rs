//! Helm's rendering: from a chart and values to manifests, hooks and notes, the same as Helm's to the byte.
//!
//! [`Prepared`] holds a chart with its templates parsed; [`render`] runs them. [`Rendered`] gives the documents one by one,
//! the manifest of the release, and what `helm template` prints. What a template asks of the world (time, randomness, objects
//! of the cluster) comes from an [`Environment`].
//!
//! What it refuses to do: it reads no file, no clock and no entropy, resolves no name and fetches no schema; it talks to no
//! cluster and stores no release. Templates run within [`weir_gotemplate::Limits`].
//!
//! ```
//! use std::rc::Rc;
//! use weir_chart::{Chart, ChartFile, Limits, Profile};
//! use weir_helm::{Offline, OutputOptions, Prepared, RenderOptions, render};
//!
//! let files = vec![
//!     ChartFile::new("Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n".to_vec()),
//!     ChartFile::new("templates/a.yaml", b"kind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n".to_vec()),
//! ];
//! let chart = Chart::from_files(files, Profile::Helm4, Limits::default())?;
//! let prepared = Prepared::new(chart, Profile::Helm4);
//!
//! let options = RenderOptions { name: "blue".to_owned(), ..RenderOptions::default() };
//! let rendered = render(&prepared, &Default::default(), &options, Rc::new(Offline::new(0, "key")))?;
//! let output = rendered.template_output(&OutputOptions::default(), Profile::Helm4)?;
//! assert_eq!(output, "---\n# Source: web/templates/a.yaml\nkind: ConfigMap\nmetadata:\n  name: blue\n");
//! # Ok::<(), weir_helm::HelmError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of JSON and template values are closed sets"
)]

mod engine;
mod environment;
mod error;
mod explain;
mod functions;
mod glob;
mod kube_version;
mod manifest;
mod objects;
mod options;
mod output;
mod packed;
mod render;
mod schema;

pub use engine::Prepared;
pub use environment::{Environment, Lookup, LookupError, Offline};
pub use error::HelmError;
pub use explain::Explanation;
pub use kube_version::{KubeVersion, KubeVersionError, default_api_versions};
pub use manifest::{Hook, Manifest, install_order, uninstall_order};
pub use options::RenderOptions;
pub use output::OutputOptions;
pub use render::{Rendered, render, render_files};
pub use weir_chart::Profile;
