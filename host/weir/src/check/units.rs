//! Units and what they name: whether they build, and whether dependencies, sources and values are there.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use weir_api::ObjectName;
use weir_api::kustomize::ConfigKind;
use weir_plugin::Severity;
use weir_render::{InputRef, SourceId, UnitId};

use crate::repository::unit::{Outcome, Unit};
use crate::repository::visit::{PLACEHOLDERS, Visited};

use super::finding::Finding;

/// Durations of units, which Flux reads as Go does.
const DURATIONS: &[&str] = &["/spec/interval", "/spec/retryInterval", "/spec/timeout"];

pub(super) fn check(visited: &Visited, findings: &mut Vec<Finding>) {
    let units = &visited.walked.units;
    let known: HashMap<&UnitId, &Unit> = units.iter().map(|unit| (&unit.id, unit)).collect();
    for unit in units {
        let sources = sources(visited, unit);
        let missing_source = !sources.is_empty();
        findings.extend(sources);
        build(visited, unit, missing_source, findings);
        findings.extend(values(visited, unit));
        findings.extend(durations(visited, unit));
        for (index, dependency) in dependencies(unit).into_iter().enumerate() {
            if !known.contains_key(&dependency) {
                let near = near(&dependency, &known);
                findings.push(
                    Finding::error(
                        &unit.id,
                        "dependency",
                        format!("dependsOn names {dependency}, which no unit makes"),
                    )
                    .help(near)
                    .at_unit(
                        visited,
                        unit,
                        &format!("/spec/dependsOn/{index}"),
                    ),
                );
            }
        }
    }
    cycles(visited, units, &known, findings);
    for warning in &visited.walked.warnings {
        findings.push(Finding::warning(&visited.entry.id, "walk", warning.clone()));
    }
}

/// What failed, and what the steps found besides.
fn build(visited: &Visited, unit: &Unit, explained: bool, findings: &mut Vec<Finding>) {
    let notes = unit
        .findings
        .iter()
        .filter(|note| note.severity != Severity::Note && note.code != PLACEHOLDERS);
    findings.extend(notes.map(|note| Finding::of(&unit.id, note)));
    let Outcome::Failed(failure) = &unit.outcome else {
        return;
    };
    if explained {
        return;
    }
    let errors: Vec<Finding> = failure
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| {
            let found = Finding::of(&unit.id, finding);
            let of_repository = unit
                .recipe
                .as_ref()
                .is_some_and(|recipe| visited.entry.source.is(&recipe.source));
            let of_unit = OF_UNIT.iter().any(|words| found.message.contains(words));
            match &found.place {
                _ if of_unit => {
                    let pointer = field_of(unit, &finding.message);
                    found.at_unit(visited, unit, &pointer)
                }
                Some(_) if of_repository => found,
                // A place in a chart is not one of the repository.
                Some(place) => {
                    let inside = format!("{}:{}: {}", place.path, place.line, found.message);
                    let found = Finding {
                        message: inside,
                        ..found
                    };
                    found.at_unit(visited, unit, "/spec/values")
                }
                None => found.at_unit(visited, unit, &field_of(unit, &failure.message)),
            }
        })
        .collect();
    if errors.is_empty() {
        let pointer = field_of(unit, &failure.message);
        findings.push(
            Finding::error(&unit.id, "build", failure.message.clone())
                .at_unit(visited, unit, &pointer),
        );
    }
    findings.extend(errors);
}

/// What a step says of the unit's own fields, wherever it was when it found out.
const OF_UNIT: &[&str] = &["substitute from '", "chart values reference"];

/// How a chart's schema refuses values.
const SCHEMA: &str = "values don't meet the specifications";

/// The field of a unit that a failure without a place is about.
fn field_of(unit: &Unit, message: &str) -> String {
    const ABOUT: &[(&str, &str)] = &[
        ("chart values reference", "/spec/valuesFrom"),
        ("substitute from '", "/spec/postBuild/substituteFrom"),
        (SCHEMA, "/spec/values"),
        ("version", "/spec/chart/spec/version"),
        ("chart", "/spec/chart/spec/chart"),
        ("path", "/spec/path"),
        ("no such file or directory", "/spec/path"),
    ];
    let found = ABOUT
        .iter()
        .find(|(words, pointer)| message.contains(words) && unit.object.pointer(pointer).is_some());
    let pointer = found.map_or("/spec", |(_, pointer)| pointer).to_owned();
    match (found, message.split_once("at '")) {
        // The first value that the schema refuses.
        (Some((SCHEMA, _)), Some((_, at))) => pointer + at.split('\'').next().unwrap_or_default(),
        _ => pointer,
    }
}

/// The sources that a unit names and no unit makes.
fn sources(visited: &Visited, unit: &Unit) -> Vec<Finding> {
    let text = |pointer: &str| unit.object.pointer(pointer).and_then(Value::as_str);
    let namespace = &unit.id.name.namespace;
    let mut missing = Vec::new();
    for pointer in [
        "/spec/sourceRef",
        "/spec/chart/spec/sourceRef",
        "/spec/chartRef",
    ] {
        let (Some(kind), Some(name)) = (
            text(&format!("{pointer}/kind")),
            text(&format!("{pointer}/name")),
        ) else {
            continue;
        };
        let within = text(&format!("{pointer}/namespace")).unwrap_or(namespace);
        let id = SourceId::new(kind, within, name);
        if visited.entry.source.is(&id) || visited.walked.sources.spec(&id).is_some() {
            continue;
        }
        let near = nearest(
            name,
            visited
                .walked
                .sources
                .all()
                .filter(|(known, _)| known.kind == kind)
                .map(|(known, _)| (known.name.name.as_str(), known.to_string())),
        );
        missing.push(
            Finding::error(
                &unit.id,
                "source",
                format!("it names {id}, which no unit makes"),
            )
            .help(near)
            .at_unit(visited, unit, &format!("{pointer}/name")),
        );
    }
    missing
}

/// ConfigMaps and Secrets that a unit names, and their keys. A Secret can come from elsewhere; a ConfigMap rarely does.
fn values(visited: &Visited, unit: &Unit) -> Vec<Finding> {
    // A unit that fails for want of one says so itself.
    if matches!(unit.outcome, Outcome::Failed(_)) {
        return Vec::new();
    }
    let Some(recipe) = &unit.recipe else {
        return Vec::new();
    };
    let inputs: HashSet<&InputRef> = recipe
        .steps
        .iter()
        .flat_map(|step| step.inputs.values())
        .collect();
    let absent = inputs
        .into_iter()
        .filter(|input| input.optional && input.kind == ConfigKind::ConfigMap)
        .filter(|input| visited.walked.values.get(input).is_none());
    absent
        .map(|input| {
            Finding::warning(
                &unit.id,
                "values",
                format!(
                    "it can take values from the ConfigMap {}{}, which no unit makes",
                    input.name,
                    input
                        .key
                        .as_ref()
                        .map(|key| format!(" (key {key})"))
                        .unwrap_or_default()
                ),
            )
            .at_unit(visited, unit, "/spec")
        })
        .collect()
}

fn durations(visited: &Visited, unit: &Unit) -> Vec<Finding> {
    DURATIONS
        .iter()
        .filter_map(|pointer| {
            let text = unit.object.pointer(pointer)?.as_str()?;
            let error = weir_api::duration::parse(text).err()?;
            Some(
                Finding::error(
                    &unit.id,
                    "duration",
                    format!("{}: {error}", pointer[1..].replace('/', ".")),
                )
                .help("write it as 10m, 1h30m or 45s")
                .at_unit(visited, unit, pointer),
            )
        })
        .collect()
}

/// The units of the same kind that have to be ready first.
pub(crate) fn dependencies(unit: &Unit) -> Vec<UnitId> {
    let list = unit.object.pointer("/spec/dependsOn");
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|dependency| {
        let namespace = dependency
            .get("namespace")
            .and_then(Value::as_str)
            .unwrap_or(&unit.id.name.namespace);
        Some(UnitId {
            kind: unit.id.kind.clone(),
            name: ObjectName::new(namespace, dependency.get("name")?.as_str()?),
        })
    })
    .collect()
}

/// Each cycle once, at the first of its units.
fn cycles(
    visited: &Visited,
    units: &[Unit],
    known: &HashMap<&UnitId, &Unit>,
    findings: &mut Vec<Finding>,
) {
    let mut done: HashSet<UnitId> = HashSet::new();
    for unit in units {
        let mut path = vec![unit.id.clone()];
        let mut stack = vec![dependencies(unit)];
        while let Some(next) = stack.last_mut() {
            let Some(dependency) = next.pop() else {
                stack.pop();
                done.extend(path.pop());
                continue;
            };
            if dependency == unit.id {
                let mut names: Vec<String> = path.iter().map(ToString::to_string).collect();
                names.push(unit.id.to_string());
                findings.push(
                    Finding::error(
                        &unit.id,
                        "cycle",
                        format!("dependsOn leads in a circle: {}", names.join(" → ")),
                    )
                    .help("remove one of these dependencies; until then none of the units becomes ready")
                    .at_unit(visited, unit, "/spec/dependsOn"),
                );
                break;
            }
            if path.contains(&dependency) || done.contains(&dependency) {
                continue;
            }
            if let Some(unit) = known.get(&dependency) {
                path.push(dependency);
                stack.push(dependencies(unit));
            }
        }
        done.insert(unit.id.clone());
    }
}

fn near(wanted: &UnitId, known: &HashMap<&UnitId, &Unit>) -> String {
    let same_kind = known.keys().filter(|id| id.kind == wanted.kind);
    nearest(
        &wanted.name.name,
        same_kind.map(|id| (id.name.name.as_str(), id.to_string())),
    )
}

/// `there is X` for the name that differs least, if one is close.
fn nearest<'n>(wanted: &str, known: impl Iterator<Item = (&'n str, String)>) -> String {
    known
        .map(|(name, shown)| (distance(wanted, name), shown))
        .filter(|(distance, _)| *distance <= wanted.len().max(4) / 3)
        .min()
        .map(|(_, shown)| format!("there is {shown}"))
        .unwrap_or_default()
}

/// How many letters have to be put in, taken away or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in b.iter().enumerate() {
            let change = diagonal + usize::from(c != *d);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_if_it_is_near() {
        let known = || ["apps", "infrastructure"].map(|name| (name, format!("K/{name}")));
        assert_eq!(
            nearest("infrastucture", known().into_iter()),
            "there is K/infrastructure"
        );
        assert_eq!(nearest("something", known().into_iter()), "");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
