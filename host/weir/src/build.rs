//! `weir build`: everything that a cluster would get from a repository.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use weir_plugin::{Host, HostConfig};
use weir_render::{Encrypted, LowerOptions, Renderer, UnitId};
use weir_tree::{Pattern, TreePath};

use crate::cli::{Objects, RepositoryArgs};
use crate::repository::unit::{Failure, Made, Outcome, SourceName, Unit};
use crate::repository::values::Values;
use crate::repository::walk::{Walk, Walked};
use crate::repository::{self, entry};
use crate::{output, snippet};

/// All units of a repository fit, so that a second turn renders only what changed.
const MEMO: usize = 512 << 20;

pub(crate) fn build(args: &RepositoryArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let filter = Filter::new(args)?;
    let walked = walk(args)?;
    let shown = filter.apply(walked.units)?;
    write(&shown, &args.output)?;
    for warning in &walked.warnings {
        anstream::eprintln!("warning: {warning}");
    }
    anstream::eprintln!("{}", summary(&shown, start.elapsed()));
    let failed = shown
        .iter()
        .any(|unit| matches!(unit.outcome, Outcome::Failed(_)));
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Renders the repository and reports what failed.
fn walk(args: &RepositoryArgs) -> anyhow::Result<Walked> {
    let mut values = Values::default();
    for file in &args.substitute_from {
        values.give(file)?;
    }
    let host = Arc::new(Host::new(HostConfig::default())?);
    let plugins = weir_render::builtin::load(&host)?;
    let folder = repository::open(args.folder(), plugins)?;
    let source = args.source.clone();
    let entry = match &args.path {
        Some(path) => entry::at(path, source.unwrap_or_else(default_source))?,
        None => entry::find(&**folder.tree(), source.as_ref())?,
    };
    let renderer =
        Renderer::new(host, MEMO).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let spinner = spinner();
    let progress = |done: usize, total: usize| {
        if let Some(spinner) = &spinner {
            spinner.set_message(format!("{done} of {total} units rendered"));
        }
    };
    let walk = Walk {
        renderer: &renderer,
        folder: &folder,
        options: LowerOptions {
            strict_substitution: args.strict_substitute,
            encrypted: if args.no_decrypt {
                Encrypted::Keep
            } else {
                Encrypted::Refuse
            },
        },
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        progress: &progress,
    };
    let walked = walk.run(&entry, values);
    if let Some(spinner) = &spinner {
        spinner.finish_and_clear();
    }
    let read = |path: &str| folder.text(path);
    for unit in &walked.units {
        if let Outcome::Failed(failure) = &unit.outcome {
            report(unit, failure, &read);
        }
    }
    Ok(walked)
}

/// A finding with a place says all that the message says, and shows the line.
fn report(unit: &Unit, failure: &Failure, read: snippet::Reader<'_>) {
    let from = unit
        .parent
        .as_ref()
        .map(|parent| format!(", which comes out of {parent},"))
        .unwrap_or_default();
    let mut placed = failure
        .findings
        .iter()
        .filter(|finding| finding.at.is_some())
        .peekable();
    if placed.peek().is_none() {
        anstream::eprintln!(
            "error: {}{from} cannot be built: {}",
            unit.id,
            failure.message
        );
    } else {
        anstream::eprintln!("error: {}{from} cannot be built", unit.id);
        placed.for_each(|finding| snippet::print_finding(finding, read));
    }
}

fn default_source() -> SourceName {
    SourceName {
        kind: "GitRepository".to_owned(),
        name: "flux-system".to_owned(),
    }
}

fn spinner() -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::new_spinner().with_style(style);
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    })
}

/// What of the result is wanted; an empty list wants all.
struct Filter {
    units: Vec<String>,
    kinds: Vec<String>,
    files: Vec<Pattern>,
}

impl Filter {
    fn new(args: &RepositoryArgs) -> anyhow::Result<Self> {
        let units = args.units.iter().map(|unit| match unit.split('/').count() {
            3 => Ok(unit.to_lowercase()),
            _ => bail!("--unit {unit}: expected KIND/NAMESPACE/NAME, for example kustomization/flux-system/apps"),
        });
        let files = args.files.iter().map(|file| {
            Pattern::parse(file).with_context(|| format!("--file {file} is not a pattern of paths"))
        });
        Ok(Self {
            units: units.collect::<Result<_, _>>()?,
            kinds: args.kinds.iter().map(|kind| kind.to_lowercase()).collect(),
            files: files.collect::<Result<_, _>>()?,
        })
    }

    /// The units and objects that are wanted. Units of which no object is left are left out too, unless they failed.
    fn apply(&self, units: Vec<Unit>) -> anyhow::Result<Vec<Unit>> {
        let known = units.len();
        let wanted =
            |unit: &Unit| self.units.is_empty() || self.units.contains(&short_name(&unit.id));
        let mut shown: Vec<Unit> = units.into_iter().filter(wanted).collect();
        if shown.is_empty() && !self.units.is_empty() {
            bail!(
                "none of the {known} units of the repository is {}",
                self.units.join(" or ")
            );
        }
        if self.kinds.is_empty() && self.files.is_empty() {
            return Ok(shown);
        }
        shown.retain_mut(|unit| match &mut unit.outcome {
            Outcome::Built(made) => {
                made.retain(|made| self.wants(made));
                !made.is_empty()
            }
            Outcome::Failed(_) => true,
            Outcome::Named => false,
        });
        Ok(shown)
    }

    fn wants(&self, made: &Made) -> bool {
        let from = made
            .origin
            .as_ref()
            .and_then(|origin| TreePath::parse(&origin.path).ok());
        let kind = made.object.kind().to_lowercase();
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.files.is_empty()
                || from.is_some_and(|path| self.files.iter().any(|file| file.matches(&path))))
    }
}

/// `kustomization/flux-system/apps`
fn short_name(id: &UnitId) -> String {
    format!("{}/{}/{}", id.kind, id.name.namespace, id.name.name).to_lowercase()
}

fn write(units: &[Unit], to: &Objects) -> anyhow::Result<()> {
    match to {
        Objects::Yaml => units.iter().try_for_each(|unit| output::text(&yaml(unit)?)),
        Objects::Json => output::json(&Value::Array(units.iter().map(json_of).collect())),
        Objects::Directory(folder) => units.iter().try_for_each(|unit| directory(unit, folder)),
    }
}

/// A comment line, and each object after `---`.
fn yaml(unit: &Unit) -> anyhow::Result<String> {
    let mut text = format!("# {} {}", unit.id.kind, unit.id.name);
    match &unit.outcome {
        Outcome::Failed(failure) => {
            let _ = write!(text, " error: {}", failure.message);
            text.push('\n');
        }
        Outcome::Named => text.push('\n'),
        Outcome::Built(made) => {
            text.push('\n');
            for made in made {
                text.push_str("---\n");
                text.push_str(&weir_k8s_yaml::to_yaml(made.object.value())?);
            }
        }
    }
    Ok(text)
}

fn json_of(unit: &Unit) -> Value {
    let mut value = json!({
        "kind": unit.id.kind, "namespace": unit.id.name.namespace, "name": unit.id.name.name,
        "parent": unit.parent.as_ref().map(short_name),
    });
    match &unit.outcome {
        Outcome::Failed(failure) => value["error"] = failure.message.clone().into(),
        Outcome::Named => {}
        Outcome::Built(made) => {
            value["objects"] = made
                .iter()
                .map(|made| made.object.value().clone())
                .collect();
        }
    }
    value
}

/// `OUT/kustomization/NAMESPACE/NAME/` with one file for each object.
fn directory(unit: &Unit, folder: &Path) -> anyhow::Result<()> {
    let Outcome::Built(made) = &unit.outcome else {
        return Ok(());
    };
    let folder: PathBuf = [
        unit.id.kind.to_lowercase(),
        unit.id.name.namespace.clone(),
        unit.id.name.name.clone(),
    ]
    .iter()
    .fold(folder.to_owned(), |folder, part| folder.join(plain(part)));
    let objects: Vec<Value> = made
        .iter()
        .map(|made| made.object.value().clone())
        .collect();
    output::directory(&objects, &folder)
}

/// A name that stays one name of a path.
fn plain(name: &str) -> String {
    match name {
        "" | "." | ".." => "_".to_owned(),
        _ => name.replace('/', "_"),
    }
}

fn summary(units: &[Unit], took: Duration) -> String {
    let (mut built, mut failed, mut objects) = (0, 0, 0);
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for unit in units {
        match &unit.outcome {
            Outcome::Built(made) => {
                built += 1;
                objects += made.len();
            }
            Outcome::Failed(_) => failed += 1,
            Outcome::Named => *named.entry(&unit.id.kind).or_default() += 1,
        }
    }
    let mut text = format!(
        "{} built, {}",
        count(built, "Kustomization"),
        count(objects, "object")
    );
    if failed > 0 {
        let _ = write!(text, "; {failed} failed");
    }
    for (kind, number) in named {
        let _ = write!(text, "; {} not rendered", count(number, kind));
    }
    let _ = write!(text, "; {:.1} s", took.as_secs_f64());
    text
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
