//! `weir get`: what a repository has, or a cluster, as a list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::build::short_name;
use crate::check::dependencies;
use crate::cli::{GetArgs, GetWhat, Report};
use crate::diff::Side;
use crate::output;
use crate::repository::unit::{Outcome, Unit};
use crate::repository::visit::{Visit, Visited};
use crate::standing::Standing;

pub(crate) fn get(args: &GetArgs) -> anyhow::Result<ExitCode> {
    if let Some(cluster) = Standing::wanted(&args.render)? {
        return print(&cluster.rows(args.what)?, args.output);
    }
    let folder = args
        .render
        .root
        .as_deref()
        .unwrap_or(std::path::Path::new("."));
    let visit = Visit::new(&args.render, folder)?;
    let visited = visit.folder(folder)?;
    visited.report();
    let rows = match args.what {
        GetWhat::Units => units(&visited),
        GetWhat::Sources => sources(&visited),
        GetWhat::Images => images(&visited, &visit),
        GetWhat::Graph => graph(&visited),
        GetWhat::Values => values(&visited),
    };
    print(&rows, args.output)
}

fn print(rows: &[Value], how: Report) -> anyhow::Result<ExitCode> {
    match how {
        Report::Json => output::json(&Value::Array(rows.to_vec()))?,
        Report::Text => output::text(&table(rows))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn units(visited: &Visited) -> Vec<Value> {
    let row = |unit: &Unit| {
        let (state, objects) = match &unit.outcome {
            Outcome::Built(made) => ("rendered", made.len()),
            Outcome::Failed(_) => ("failed", 0),
            Outcome::Named => ("named", 0),
        };
        let source = unit.recipe.as_ref().map(|recipe| recipe.source.to_string());
        json!({
            "unit": short_name(&unit.id), "parent": unit.parent.as_ref().map(short_name),
            "source": source, "state": state, "objects": objects,
        })
    };
    visited.walked.units.iter().map(row).collect()
}

fn sources(visited: &Visited) -> Vec<Value> {
    let text =
        |spec: &Value, field: &str| spec.get(field).and_then(Value::as_str).map(str::to_owned);
    visited
        .walked
        .sources
        .all()
        .map(|(id, spec)| {
            let repository = visited.entry.source.is(id);
            json!({
                "source": id.to_string(), "url": text(spec, "url").or_else(|| text(spec, "chart")),
                "version": text(spec, "version").or_else(|| reference(spec)), "repository": repository,
            })
        })
        .collect()
}

/// What `spec.ref` of a source names: `branch main`, `tag 1.0.0`.
fn reference(spec: &Value) -> Option<String> {
    let wanted = spec.get("ref")?.as_object()?;
    let parts = wanted
        .iter()
        .filter_map(|(what, name)| Some(format!("{what} {}", name.as_str()?)));
    Some(parts.collect::<Vec<_>>().join(", "))
}

/// The images that a unit runs.
pub(crate) fn images_of(unit: &Unit) -> BTreeSet<String> {
    let mut names = Vec::new();
    if let Outcome::Built(made) = &unit.outcome {
        made.iter()
            .for_each(|made| collect_images(made.object.value(), &mut names));
    }
    names.into_iter().collect()
}

/// Every image with the units that run it.
fn images(visited: &Visited, visit: &Visit<'_>) -> Vec<Value> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    // A registry's name can be a secret.
    let open = visited.tainted().then(|| visit.without_secrets(visited));
    let side = Side::new(&visited.walked.units, open.as_ref());
    for unit in &visited.walked.units {
        for name in side.images_of(unit) {
            found.entry(name).or_default().push(short_name(&unit.id));
        }
    }
    found
        .into_iter()
        .map(|(image, units)| json!({"image": image, "units": units}))
        .collect()
}

/// The images of all containers, wherever a pod's template stands. The depth is that of parsed JSON.
pub(crate) fn collect_images(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let containers = matches!(
                    key.as_str(),
                    "containers" | "initContainers" | "ephemeralContainers"
                );
                if let (true, Value::Array(containers)) = (containers, value) {
                    let images = containers
                        .iter()
                        .filter_map(|container| container.get("image")?.as_str());
                    found.extend(images.map(str::to_owned));
                } else {
                    collect_images(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_images(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn graph(visited: &Visited) -> Vec<Value> {
    let mut edges = Vec::new();
    for unit in &visited.walked.units {
        let from = short_name(&unit.id);
        let mut edge =
            |kind: &str, to: String| edges.push(json!({"from": from, "kind": kind, "to": to}));
        if let Some(parent) = &unit.parent {
            edge("made by", short_name(parent));
        }
        if let Some(recipe) = &unit.recipe {
            edge("source", recipe.source.to_string().to_lowercase());
        }
        dependencies(unit)
            .iter()
            .for_each(|id| edge("depends on", short_name(id)));
    }
    edges
}

/// What units take values from: names only, for values can be secret.
fn values(visited: &Visited) -> Vec<Value> {
    let mut rows = Vec::new();
    for unit in &visited.walked.units {
        let steps = unit.recipe.iter().flat_map(|recipe| &recipe.steps);
        for input in steps.flat_map(|step| step.inputs.values()) {
            rows.push(json!({
                "unit": short_name(&unit.id), "kind": format!("{:?}", input.kind), "name": input.name.to_string(),
                "key": input.key, "optional": input.optional, "found": visited.walked.values.get(input).is_some(),
            }));
        }
    }
    rows
}

/// Columns with the names of the fields above them.
fn table(rows: &[Value]) -> String {
    let Some(first) = rows.first().and_then(Value::as_object) else {
        return String::new();
    };
    let names: Vec<&String> = first.keys().collect();
    let cell = |row: &Value, name: &String| match &row[name.as_str()] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            items.join(",")
        }
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
    };
    let mut lines: Vec<Vec<String>> = vec![names.iter().map(|name| name.to_uppercase()).collect()];
    lines.extend(
        rows.iter()
            .map(|row| names.iter().map(|name| cell(row, name)).collect()),
    );
    let widths: Vec<usize> = (0..names.len())
        .map(|at| {
            lines
                .iter()
                .map(|line| line[at].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for line in lines {
        let mut shown = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(shown, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", shown.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_those_of_containers_anywhere() {
        let mut found = Vec::new();
        let pod = json!({"spec": {"jobTemplate": {"spec": {"containers": [{"image": "a:1"}], "initContainers": [{"image": "b"}]}}}, "image": "no"});
        collect_images(&pod, &mut found);
        assert_eq!(found, ["a:1", "b"]);
    }

    #[test]
    fn a_table_has_a_head() {
        let rows = [
            json!({"unit": "a", "parent": null}),
            json!({"unit": "long", "parent": "x"}),
        ];
        assert_eq!(table(&rows), "UNIT  PARENT\na     -\nlong  x\n");
    }
}
