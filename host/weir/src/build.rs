//! `weir build`: everything that a cluster would get from a repository.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use weir_render::UnitId;
use weir_tree::{Pattern, TreePath};

use crate::cli::{BuildRepositoryArgs, Objects};
use crate::repository::unit::{Made, Outcome, Unit};
use crate::repository::visit::{Visit, Visited};
use crate::{diff, output, repository};

pub(crate) fn build(args: &BuildRepositoryArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let filter = Filter::new(args)?;
    let visit = Visit::new(&args.repository.render, args.repository.folder())?;
    if args.watch {
        return watch(args, &visit);
    }
    let visited = visit.folder(args.repository.folder())?;
    visited.report();
    let walked = visited.walked;
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

/// Shows what changes in the objects whenever files are saved.
fn watch(args: &BuildRepositoryArgs, visit: &Visit<'_>) -> anyhow::Result<ExitCode> {
    let mut before: Option<Visited> = None;
    let never = repository::watch(args.repository.folder(), |source| {
        let start = Instant::now();
        let after = visit.walk(source)?;
        after.report();
        if let Some(before) = &before {
            output::text(&diff::changes(visit, before, &after))?;
        }
        anstream::eprintln!("{}", summary(&after.walked.units, start.elapsed()));
        before = Some(after);
        Ok(())
    })?;
    match never {}
}

/// What of the result is wanted; an empty list wants all.
struct Filter {
    units: Vec<String>,
    kinds: Vec<String>,
    files: Vec<Pattern>,
}

impl Filter {
    fn new(args: &BuildRepositoryArgs) -> anyhow::Result<Self> {
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
pub(crate) fn short_name(id: &UnitId) -> String {
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
    let (mut failed, mut objects) = (0, 0);
    let mut built: BTreeMap<&str, usize> = BTreeMap::from([("Kustomization", 0)]);
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for unit in units {
        match &unit.outcome {
            Outcome::Built(made) => {
                *built.entry(&unit.id.kind).or_default() += 1;
                objects += made.len();
            }
            Outcome::Failed(_) => failed += 1,
            Outcome::Named => *named.entry(&unit.id.kind).or_default() += 1,
        }
    }
    if built.len() > 1 {
        built.retain(|_, number| *number > 0);
    }
    // Kustomizations first.
    let kinds: Vec<String> = built
        .into_iter()
        .rev()
        .map(|(kind, number)| count(number, kind))
        .collect();
    let mut text = format!(
        "{} built, {}",
        kinds.join(" and "),
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

pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
