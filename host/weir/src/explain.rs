//! `weir explain`: who reads a file and what comes of it, or where an object comes from.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;
use weir_api::Object;
use weir_tree::TreePath;

use crate::build::{count, short_name};
use crate::check::{Wanted, locate, own_patches, stands};
use crate::cli::ExplainArgs;
use crate::output;
use crate::repository::unit::{Made, Outcome, Unit};
use crate::repository::visit::{Visit, Visited};
use crate::standing::Standing;

pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    if let Some(cluster) = Standing::wanted(&args.render)? {
        output::text(&cluster.explain(&args.what)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let root = args.render.root.as_deref().unwrap_or(Path::new("."));
    let visit = Visit::new(&args.render, root)?;
    let visited = visit.folder(root)?;
    visited.report();
    let told = match file(&visited, &args.what) {
        Some(path) => explain_file(&visited, &path),
        None => explain_object(&visit, &visited, &args.what)?,
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
            text.push_str(&further(visited, unit, &made.object));
        }
    }
    if readers == 0 {
        let _ = writeln!(text, "no unit reads {path}");
    }
    text
}

/// What comes of an object: of one that is a unit other objects, of one with values other units.
fn further(visited: &Visited, maker: &Unit, object: &Object) -> String {
    let mut text = String::new();
    for unit in &visited.walked.units {
        let is_object = unit.parent.as_ref() == Some(&maker.id)
            && unit.id.kind == object.kind()
            && unit.id.name.name == object.name();
        if is_object && let Outcome::Built(made) = &unit.outcome {
            let made = count(made.len(), "object");
            let _ = writeln!(text, "    makes {made}");
        }
        let steps = unit.recipe.iter().flat_map(|recipe| &recipe.steps);
        let reads = steps.flat_map(|step| step.inputs.values()).any(|input| {
            let named = format!("{:?}/{}", input.kind, input.name);
            named == object.key().to_string()
        });
        if reads {
            let _ = writeln!(text, "    gives values to {}", short_name(&unit.id));
        }
    }
    text
}

/// All objects of the name that was given: `Kind/namespace/name`, `Kind/name`, or a unit as other commands write it.
fn explain_object(visit: &Visit<'_>, visited: &Visited, what: &str) -> anyhow::Result<String> {
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
            chain(visit, visited, unit, object, &mut text);
        }
    }
    if text.is_empty() {
        bail!(
            "{what} is neither a file of the repository nor an object that a unit makes; write an object as Kind/namespace/name"
        );
    }
    Ok(text)
}

/// The patches of the unit that changed the object, the unit, its steps, and the same of the units that it came out of.
fn chain(visit: &Visit<'_>, visited: &Visited, unit: &Unit, object: &Object, text: &mut String) {
    let mut at = Some((unit, object.clone()));
    let mut indent = "  ";
    // A unit comes out of one that was there before it, so that this ends.
    while let Some((unit, object)) = at {
        for patch in patches(visit, visited, unit, &object) {
            let _ = writeln!(text, "{indent}patched by {patch}");
        }
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
        let parent = unit
            .parent
            .as_ref()
            .and_then(|parent| visited.walked.units.iter().find(|unit| unit.id == *parent));
        at = parent.and_then(|parent| Some((parent, Object::new(unit.object.clone()).ok()?)));
        indent = "    ";
    }
}

/// The patches in a unit's object without which another object would come out of it: where each is in the unit's object, and
/// in which file, if it stands there. It does not where a parent has put it into the unit.
fn patches(visit: &Visit<'_>, visited: &Visited, unit: &Unit, object: &Object) -> Vec<String> {
    let mut found = Vec::new();
    for (pointer, patches) in own_patches(&unit.object) {
        for index in 0..patches.len() {
            let mut without = unit.object.clone();
            if let Some(list) = without.pointer_mut(&pointer).and_then(Value::as_array_mut) {
                list.remove(index);
            }
            without["metadata"]["namespace"] = unit.id.name.namespace.as_str().into();
            let same = visit.made_by(visited, without).is_some_and(|made| {
                made.iter()
                    .any(|made| made.object.key() == object.key() && made.object == *object)
            });
            if same {
                continue;
            }
            let field = pointer.trim_start_matches('/').replace('/', ".");
            let mut patch = format!("{field}[{index}] of {}", short_name(&unit.id));
            if let Some((file, line)) = standing(visited, unit, &format!("{pointer}/{index}")) {
                let _ = write!(patch, ", {file}:{line}");
            }
            found.push(patch);
        }
    }
    found
}

/// File and line of a field of the unit's object, if it stands where the object came from.
fn standing(visited: &Visited, unit: &Unit, pointer: &str) -> Option<(String, u32)> {
    let place = unit.place.as_ref()?;
    let text = visited.folder.text(&place.path)?;
    let wanted = Wanted {
        kind: &unit.id.kind,
        name: &unit.id.name.name,
        pointer,
    };
    if !stands(&text, place.line, &wanted) {
        return None;
    }
    let (line, _) = locate(&text, place.line, &wanted)?;
    Some((place.path.clone(), line))
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
