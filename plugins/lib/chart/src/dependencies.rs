//! Which subcharts take part, under which name, and what a chart takes over of their values.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::chart::Chart;
use crate::coalesce::{Mode, coalesce_values, merge_tables};
use crate::error::ChartError;
use crate::metadata::Dependency;
use crate::profile::Profile;
use crate::shared::{Shared, SharedMap, deep_copy, new_map, path_value, table};
use crate::version::{Constraints, Version};

/// A chart whose dependencies are settled for given values: switched off ones are gone, aliases are names, and the values
/// of `import-values` are among the defaults.
///
/// # Errors
///
/// When there is something else than a map under the name of a subchart.
pub fn process_dependencies(
    chart: &Chart,
    values: &SharedMap,
    profile: Profile,
) -> Result<Chart, ChartError> {
    let mut chart = chart.clone();
    enable(&mut chart, values, "", profile)?;
    import_values(&mut chart, profile)?;
    Ok(chart)
}

/// Settles which charts take part, from the top down. `path` is where the chart's values are in the root's.
fn enable(
    chart: &mut Chart,
    values: &SharedMap,
    path: &str,
    profile: Profile,
) -> Result<(), ChartError> {
    let Some(mut wanted) = chart.metadata.dependencies.take() else {
        return Ok(());
    };
    let unnamed = chart
        .dependencies
        .iter()
        .filter(|chart| !wanted.iter().any(|dependency| fits(chart, dependency)));
    let mut taking_part: Vec<Chart> = unnamed.cloned().collect();
    for dependency in &mut wanted {
        if let Some(found) = chart
            .dependencies
            .iter()
            .find(|chart| fits(chart, dependency))
        {
            let mut found = found.clone();
            if !dependency.alias.is_empty() {
                found.metadata.name.clone_from(&dependency.alias);
            }
            taking_part.push(found);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    chart.dependencies = taking_part;

    let all = coalesce_values(chart, values, Mode::Coalesce, profile)?;
    let tags = table(&all, "tags");
    for dependency in &mut wanted {
        if let Some(tags) = &tags {
            apply_tags(dependency, tags);
        }
        apply_condition(dependency, &all, path);
    }
    let off: Vec<String> = wanted
        .iter()
        .filter(|dependency| !dependency.enabled)
        .map(|dependency| dependency.name.clone())
        .collect();
    chart
        .dependencies
        .retain(|chart| !off.contains(&chart.metadata.name));
    wanted.retain(|dependency| !off.contains(&dependency.name));
    for subchart in &mut chart.dependencies {
        let below = format!("{path}{}.", subchart.name());
        enable(subchart, &all, &below, profile)?;
    }
    chart.metadata.dependencies = if wanted.is_empty() {
        None
    } else {
        Some(wanted)
    };
    Ok(())
}

fn fits(chart: &Chart, dependency: &Dependency) -> bool {
    chart.name() == dependency.name && is_compatible(&dependency.version, &chart.metadata.version)
}

/// Whether a version is in a range. What cannot be read is in none.
#[must_use]
pub fn is_compatible(range: &str, version: &str) -> bool {
    match (Constraints::parse(range), Version::loose(version)) {
        (Ok(range), Ok(version)) => range.check(&version),
        _ => false,
    }
}

/// Any tag that is true switches on; else any that is false switches off.
fn apply_tags(dependency: &mut Dependency, tags: &SharedMap) {
    let tags = tags.borrow();
    let said = dependency
        .tags
        .iter()
        .filter_map(|tag| match tags.get(tag.as_str()) {
            Some(Shared::Bool(value)) => Some(*value),
            _ => None,
        });
    if let Some(on) = said.reduce(|on, more| on || more) {
        dependency.enabled = on;
    }
}

/// The first of the condition's paths that says true or false decides.
fn apply_condition(dependency: &mut Dependency, values: &SharedMap, path: &str) {
    for condition in dependency
        .condition
        .trim()
        .split(',')
        .filter(|condition| !condition.is_empty())
    {
        if let Some(Shared::Bool(on)) = path_value(values, &format!("{path}{condition}")) {
            dependency.enabled = on;
            return;
        }
    }
}

/// Takes over values of subcharts, from the bottom up.
fn import_values(chart: &mut Chart, profile: Profile) -> Result<(), ChartError> {
    for subchart in &mut chart.dependencies {
        import_values(subchart, profile)?;
    }
    let Some(mut dependencies) = chart.metadata.dependencies.take() else {
        return Ok(());
    };
    // Only defaults are looked at: what the person gave is not imported.
    let all = coalesce_values(chart, &new_map(), Mode::Merge, profile)?;
    let mut imported = new_map();
    for dependency in &mut dependencies {
        let mut normal = Vec::new();
        for import in &dependency.import_values {
            let (child, parent) = match import {
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                Value::Object(import) => (path_of(import, "child"), path_of(import, "parent")),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => continue,
            };
            let found = table(&all, &format!("{}.{child}", dependency.name));
            normal.push(Value::Object(Map::from_iter([
                ("child".to_owned(), child.into()),
                ("parent".to_owned(), parent.clone().into()),
            ])));
            if let Some(found) = found {
                imported = under(imported, &place(&parent, found), profile);
            }
        }
        dependency.import_values = normal;
    }
    // Nothing under the values changes nothing.
    let values = if imported.borrow().is_empty() {
        all
    } else {
        let values = deep_copy(&all);
        merge_tables(&values, &imported, profile);
        values
    };
    chart.values = values;
    chart.metadata.dependencies = Some(dependencies);
    Ok(())
}

/// What was imported before wins over what is imported after it.
fn under(imported: SharedMap, more: &SharedMap, profile: Profile) -> SharedMap {
    merge_tables(&imported, more, profile);
    imported
}

/// A field of an `import-values` entry as Go prints it.
fn path_of(import: &Map<String, Value>, field: &str) -> String {
    match import.get(field) {
        None | Some(Value::Null) => "<nil>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The map at a path, as a map from the root.
fn place(path: &str, map: SharedMap) -> SharedMap {
    if path == "." {
        return map;
    }
    let place = |map, key: &str| {
        let outer = new_map();
        outer.borrow_mut().insert(key.into(), Shared::Map(map));
        outer
    };
    path.rsplit('.').fold(Rc::clone(&map), place)
}
