//! Shows what happens while `weir run` works: a line for each fact, and a spinner on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use weir_apply::{Action, Change};
use weir_controller::{Fact, Summary};
use weir_render::StepReport;

/// Of long lists, so many lines are shown.
const MOST_LINES: usize = 30;

/// Takes facts and prints them.
#[derive(Debug)]
pub(crate) struct Show {
    text: bool,
    spinner: Option<ProgressBar>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The files that the newest render of each unit read.
    files: BTreeMap<String, Vec<String>>,
    changes: Vec<(String, Change)>,
    units: usize,
    unchanged: usize,
}

impl Show {
    /// With `text`, facts are printed as they come; the spinner is only for terminals.
    pub(crate) fn new(text: bool) -> Self {
        let spinner = (text && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let spinner = ProgressBar::new_spinner().with_style(style);
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        });
        Self {
            text,
            spinner,
            state: Mutex::default(),
        }
    }

    pub(crate) fn fact(&self, fact: &Fact) {
        let mut state = self.state.lock().expect("no panic while it is locked");
        let line = match fact {
            Fact::Fetched {
                source,
                revision,
                message,
            } => format!("source  {source}: {message} ({revision})"),
            Fact::PluginReady {
                plugin, version, ..
            } => format!("plugin  {plugin} {version}"),
            Fact::Rendered { unit, steps, .. } => {
                state.files.insert(unit.to_string(), files(steps));
                let findings: Vec<String> = steps.iter().flat_map(findings).collect();
                findings.join("\n")
            }
            Fact::Applied {
                unit,
                changes,
                took,
                ..
            } => {
                let line = applied(unit.to_string(), changes, *took, &state);
                state.units += 1;
                state.unchanged += changes
                    .iter()
                    .filter(|change| change.action == Action::Unchanged)
                    .count();
                let changed = changes
                    .iter()
                    .filter(|change| change.action != Action::Unchanged);
                state
                    .changes
                    .extend(changed.map(|change| (unit.to_string(), change.clone())));
                line
            }
            Fact::Untouched { units: 0, .. } | Fact::Unmoved { .. } => String::new(),
            Fact::Untouched {
                source,
                units,
                touched,
                ..
            } => {
                format!(
                    "source  {source}: the new revision touches {touched} units and leaves {units} as they are"
                )
            }
            Fact::Deleted { unit, changes } => {
                state.changes.extend(
                    changes
                        .iter()
                        .map(|change| (unit.to_string(), change.clone())),
                );
                let mut line = format!("unit    {unit}: deleted, with {} objects", changes.len());
                list(
                    &mut line,
                    changes
                        .iter()
                        .map(|change| format!("{:<10} {}", change.action.as_str(), change.key)),
                );
                line
            }
            Fact::Waiting { unit, message } => format!("unit    {unit}: waits, {message}"),
            Fact::Failed {
                node,
                reason,
                message,
            } => format!("failed  {node}: {reason}: {message}"),
        };
        let units = state.units;
        drop(state);
        self.print(&line, units);
    }

    pub(crate) fn finish(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }

    /// The last lines of a run.
    pub(crate) fn summary(&self, summary: &Summary, folder: Option<&Path>) -> String {
        let state = self.state.lock().expect("no panic while it is locked");
        let mut text = String::new();
        for (id, message) in &summary.not_ready {
            let _ = writeln!(text, "not ready: {id}: {message}");
        }
        let count = |action| {
            state
                .changes
                .iter()
                .filter(|(_, change)| change.action == action)
                .count()
        };
        let (created, configured, deleted) = (
            count(Action::Created),
            count(Action::Configured),
            count(Action::Deleted),
        );
        let what = if created + configured + deleted == 0 {
            format!(
                "nothing changed, {} objects are as they should be",
                state.unchanged
            )
        } else {
            format!(
                "{created} created, {configured} configured, {deleted} deleted, {} unchanged",
                state.unchanged
            )
        };
        let (ready, all) = (
            summary.ready.len(),
            summary.ready.len() + summary.not_ready.len(),
        );
        let place = folder
            .map(|folder| format!(" in {}", folder.display()))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "{ready} of {all} sources, plugins and units are ready{place}: {what}"
        );
        if folder.is_some() {
            let _ = writeln!(
                text,
                "nothing runs in a local cluster: workloads count as ready once they are applied"
            );
        }
        text
    }

    /// What changed, for JSON.
    pub(crate) fn changes(&self) -> Vec<Value> {
        let state = self.state.lock().expect("no panic while it is locked");
        let change = |(unit, change): &(String, Change)| json!({"unit": unit, "object": change.key.to_string(), "action": change.action.as_str()});
        state.changes.iter().map(change).collect()
    }

    fn print(&self, line: &str, units: usize) {
        if !self.text {
            return;
        }
        match &self.spinner {
            Some(spinner) => {
                if !line.is_empty() {
                    spinner.println(line);
                }
                spinner.set_message(format!("{units} units applied"));
            }
            None if line.is_empty() => {}
            None => {
                anstream::eprintln!("{line}");
            }
        }
    }
}

fn applied(unit: String, changes: &[Change], took: Duration, state: &State) -> String {
    let changed: Vec<&Change> = changes
        .iter()
        .filter(|change| change.action != Action::Unchanged)
        .collect();
    let mut line = format!(
        "unit    {unit}: {} objects, {} changed ({} ms)",
        changes.len(),
        changed.len(),
        took.as_millis()
    );
    if changed.is_empty() {
        return line;
    }
    list(
        &mut line,
        changed
            .iter()
            .map(|change| format!("{:<10} {}", change.action.as_str(), change.key)),
    );
    let files = state
        .files
        .get(&unit)
        .map(Vec::as_slice)
        .unwrap_or_default();
    list(
        &mut line,
        files.iter().map(|file| format!("{:<10} {file}", "read")),
    );
    line
}

fn list(text: &mut String, lines: impl Iterator<Item = String>) {
    let mut more = 0;
    for (index, line) in lines.enumerate() {
        if index < MOST_LINES {
            let _ = write!(text, "\n          {line}");
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let _ = write!(text, "\n          … and {more} more");
    }
}

fn files(steps: &[StepReport]) -> Vec<String> {
    let mut files: Vec<String> = steps
        .iter()
        .flat_map(|step| &step.files)
        .map(|(tree, path)| {
            if tree.0 == "main" {
                path.to_string()
            } else {
                format!("{}: {path}", tree.0)
            }
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

fn findings(step: &StepReport) -> impl Iterator<Item = String> {
    step.diagnostics.iter().map(|finding| {
        let object = finding
            .object
            .as_ref()
            .map(|object| format!("{}/{}: ", object.kind, object.name))
            .unwrap_or_default();
        let kind = match finding.severity {
            weir_plugin::Severity::Error => "error",
            weir_plugin::Severity::Warning => "warning",
            weir_plugin::Severity::Note => "note",
        };
        format!("{kind:<8}{}: {object}{}", step.name, finding.message)
    })
}
