//! `weir explain`: who reads a file and what comes of it, or where an object comes from.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use weir_tree::TreePath;

use crate::build::short_name;
use crate::cli::ExplainArgs;
use crate::output;
use crate::repository::unit::{Made, Outcome, Unit};
use crate::repository::visit::{Visit, Visited};

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let visit = Visit::new(&args.render)?;
    let root = args.render.root.as_deref().unwrap_or(Path::new("."));
    let visited = visit.folder(root)?;
    let told = match file(&visited, &args.what) {
        Some(path) => explain_file(&visited, &path),
        None => explain_object(&visited, &args.what)?,
    };
    output::text(&told)?;
    Ok(ExitCode::SUCCESS)
}

/// The path of a file of the repository, if that is what was named.
fn file(visited: &Visited, what: &str) -> Option<TreePath> {
    let path = TreePath::parse(what.strip_prefix("./").unwrap_or(what)).ok()?;
    let entry = visited.folder.tree().stat(&path).ok()??;
    entry.kind.has_content().then_some(path)
}

fn explain_file(visited: &Visited, path: &TreePath) -> String {
    let mut text = String::new();
    let mut readers = 0;
    for unit in &visited.walked.units {
        let own = own(visited, unit);
        let reads = own && unit.reads.contains(path);
        let made: Vec<&Made> = made(unit)
            .iter()
            .filter(|made| {
                own && made
                    .origin
                    .as_ref()
                    .is_some_and(|origin| origin.path == path.as_str())
            })
            .collect();
        if !reads && made.is_empty() {
            continue;
        }
        readers += 1;
        let _ = writeln!(text, "{} reads it", short_name(&unit.id));
        for made in made {
            let line = made.origin.as_ref().map_or(0, |origin| origin.line);
            let _ = writeln!(text, "  line {line}: {}", made.object.key());
        }
    }
    if readers == 0 {
        let _ = writeln!(text, "no unit reads {path}");
    }
    text
}

/// All objects of the name that was given: `Kind/namespace/name`, `Kind/name`, or a unit as other commands write it.
fn explain_object(visited: &Visited, what: &str) -> anyhow::Result<String> {
    let wanted = what.to_lowercase();
    let mut text = String::new();
    for unit in &visited.walked.units {
        for made in made(unit) {
            let object = &made.object;
            let whole = object.key().to_string().to_lowercase();
            let short = format!("{}/{}", object.kind(), object.name()).to_lowercase();
            if whole != wanted && short != wanted {
                continue;
            }
            let _ = writeln!(text, "{}", object.key());
            let place = made.origin.as_ref().map(|origin| match origin.line {
                0 => origin.path.clone(),
                line => format!("{}:{line}", origin.path),
            });
            if let Some(place) = place {
                let of = match (&unit.recipe, own(visited, unit)) {
                    (Some(recipe), false) => format!(" of {}", recipe.source),
                    _ => String::new(),
                };
                let _ = writeln!(text, "  from {place}{of}");
            }
            chain(visited, unit, &mut text);
        }
    }
    if text.is_empty() {
        bail!(
            "{what} is neither a file of the repository nor an object that a unit makes; write an object as Kind/namespace/name"
        );
    }
    Ok(text)
}

/// The unit, its steps, and the units that it came out of.
fn chain(visited: &Visited, unit: &Unit, text: &mut String) {
    let mut at = Some(unit);
    // A unit comes out of one that was there before it, so that this ends.
    while let Some(unit) = at {
        let steps: Vec<&str> = unit
            .recipe
            .iter()
            .flat_map(|recipe| &recipe.steps)
            .map(|step| step.name.as_str())
            .collect();
        let _ = writeln!(
            text,
            "  made by {} ({})",
            short_name(&unit.id),
            steps.join(", ")
        );
        if let Some(place) = &unit.place {
            let _ = writeln!(text, "    which stands in {}:{}", place.path, place.line);
        }
        at = unit
            .parent
            .as_ref()
            .and_then(|parent| visited.walked.units.iter().find(|unit| unit.id == *parent));
    }
}

fn made(unit: &Unit) -> &[Made] {
    match &unit.outcome {
        Outcome::Built(made) => made,
        Outcome::Failed(_) | Outcome::Named => &[],
    }
}

/// Whether the unit is rendered from the repository itself.
fn own(visited: &Visited, unit: &Unit) -> bool {
    unit.recipe
        .as_ref()
        .is_some_and(|recipe| visited.entry.source.is(&recipe.source))
}
