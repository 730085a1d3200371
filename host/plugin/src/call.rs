//! One call of a plugin: what goes in, what comes out, and how it can fail.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{Document, Grants, Identity, Limits, Place, Role, Secrets, Usage};

/// Which export is called.
#[derive(Clone, Debug)]
pub enum Kind {
    Object(Role),
    Filter {
        path: String,
        format: String,
        content: Bytes,
    },
    Preparer,
}

/// What goes into a call beside the component and the environment.
#[derive(Clone, Debug)]
pub struct Call {
    /// For messages: the name of the step and of its unit.
    pub step: String,
    pub kind: Kind,
    /// JSON that satisfies the plugin's schema; checked before the guest runs.
    pub config: String,
    pub documents: Vec<Document>,
    pub grants: Arc<Grants>,
    pub limits: Limits,
    /// How many calls are around this one.
    pub depth: u32,
    pub cancel: CancellationToken,
    /// What the run has seen of secrets: texts are masked against it, and what this call sees is added. Shared by the steps
    /// of a run.
    pub secrets: Arc<Secrets>,
}

/// What a successful call made.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub documents: Vec<Document>,
    /// Results beside the objects, in the order in which they were attached.
    pub attachments: Vec<(String, Bytes)>,
    /// What a filter made of the file, or a preparer of its tree; `None` leaves the file as it is and the work to the step.
    pub made: Option<Bytes>,
    pub diagnostics: Vec<Diagnostic>,
    pub logs: Vec<LogLine>,
    pub usage: Usage,
    /// Whether the guest was given secret bytes.
    pub secret: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

/// A finding for the person who wrote the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: String,
    pub message: String,
    pub at: Option<Place>,
    pub object: Option<Identity>,
    pub pointer: String,
    pub help: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: tracing::Level,
    pub message: String,
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin ran and said this.
    #[error("{message}")]
    Failed {
        message: String,
        diagnostics: Vec<Diagnostic>,
    },
    /// The config does not satisfy the plugin's schema.
    #[error("the config of step {step} is not valid at {pointer}: {message}")]
    Config {
        step: String,
        pointer: String,
        message: String,
    },
    /// The plugin is of another kind.
    #[error("plugin {plugin} cannot be used as a {wanted} in step {step}")]
    Kind {
        plugin: String,
        step: String,
        wanted: &'static str,
    },
    /// The guest crashed.
    #[error("plugin {plugin} crashed in step {step}: {reason}")]
    Trap {
        plugin: String,
        step: String,
        reason: String,
        progress: String,
        backtrace: String,
    },
    /// A limit was reached.
    #[error("plugin {plugin} went over a limit in step {step}: {limit}")]
    Limit {
        plugin: String,
        step: String,
        limit: String,
        progress: String,
    },
    #[error("the call was cancelled")]
    Cancelled,
}
