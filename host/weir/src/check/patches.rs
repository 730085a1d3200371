//! Patches whose target is no object: they change nothing, and nobody says so.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;
use weir_api::Object;
use weir_k8s_yaml::{Schema, from_str};
use weir_plugin::Place;
use weir_tree::TreePath;

use crate::repository::unit::{Outcome, Unit};
use crate::repository::visit::Visited;

use super::finding::Finding;
use super::locate::{Wanted, stands};

/// What kustomize takes for a kustomization.
const KUSTOMIZATIONS: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];

pub(super) fn check(visited: &Visited, findings: &mut Vec<Finding>) {
    let mut files: HashMap<&TreePath, Vec<&Unit>> = HashMap::new();
    for unit in &visited.walked.units {
        let Outcome::Built(made) = &unit.outcome else {
            continue;
        };
        let objects: Vec<&Object> = made.iter().map(|made| &made.object).collect();
        for (pointer, patches) in own_patches(&unit.object) {
            for (index, target) in idle(patches, &objects) {
                let pointer = format!("{pointer}/{index}/target");
                if !stands_there(visited, unit, &pointer) {
                    // Its parent gives the patch to many units, and not each of them has such an object.
                    continue;
                }
                let finding = Finding::warning(&unit.id, "patch", message(&target))
                    .help(
                        "look at kind and name; a name is a regular expression for the whole name",
                    )
                    .at_unit(visited, unit, &pointer);
                findings.push(finding);
            }
        }
        let own = unit
            .recipe
            .as_ref()
            .is_some_and(|recipe| visited.entry.source.is(&recipe.source));
        for path in unit.reads.iter().filter(|_| own) {
            let name = path.names().last().unwrap_or_default();
            if KUSTOMIZATIONS.contains(&name) {
                files.entry(path).or_default().push(unit);
            }
        }
    }
    for (path, units) in files {
        check_file(visited, path, &units, findings);
    }
}

/// Whether a field of the unit's object stands in the file that the object came from.
fn stands_there(visited: &Visited, unit: &Unit, pointer: &str) -> bool {
    let wanted = Wanted {
        kind: &unit.id.kind,
        name: &unit.id.name.name,
        pointer,
    };
    unit.place.as_ref().is_none_or(|place| {
        let text = visited.folder.text(&place.path);
        text.is_none_or(|text| stands(&text, place.line, &wanted))
    })
}

/// The patches of a kustomization file, against all objects of the units that read it.
fn check_file(visited: &Visited, path: &TreePath, units: &[&Unit], findings: &mut Vec<Finding>) {
    let Some(file) = visited
        .folder
        .text(path.as_str())
        .and_then(|text| from_str(&text, Schema::Sigs).ok())
    else {
        return;
    };
    let Some(patches) = file.get("patches").and_then(Value::as_array) else {
        return;
    };
    let mut objects = Vec::new();
    for unit in units {
        if let Outcome::Built(made) = &unit.outcome {
            objects.extend(made.iter().map(|made| &made.object));
        }
    }
    for (index, target) in idle(patches, &objects) {
        let Some(unit) = units.first() else { return };
        let place = Place {
            path: path.to_string(),
            line: 1,
            column: 1,
        };
        let pointer = format!("/patches/{index}/target");
        let wanted = Wanted {
            kind: "Kustomization",
            name: "",
            pointer: &pointer,
        };
        let finding = Finding::warning(&unit.id, "patch", message(&target))
            .help("look at kind and name; a name is a regular expression for the whole name")
            .at_object(visited, Some(&place), &wanted);
        findings.push(finding);
    }
}

fn message(target: &str) -> String {
    format!("the patch changes nothing: no object is {target}")
}

/// The lists of patches that a unit's object has, with where they are.
pub(crate) fn own_patches(object: &Value) -> Vec<(String, &Vec<Value>)> {
    let mut lists = Vec::new();
    let mut take = |pointer: String| {
        if let Some(patches) = object.pointer(&pointer).and_then(Value::as_array) {
            lists.push((pointer, patches));
        }
    };
    match object.get("kind").and_then(Value::as_str) {
        Some("Kustomization") => take("/spec/patches".to_owned()),
        Some("HelmRelease") => {
            let renderers = object.pointer("/spec/postRenderers");
            let number = renderers.and_then(Value::as_array).map_or(0, Vec::len);
            (0..number).for_each(|index| {
                take(format!("/spec/postRenderers/{index}/kustomize/patches"));
            });
        }
        _ => {}
    }
    lists
}

/// Those whose target selects nothing. A patch that deletes leaves nothing to be selected.
fn idle(patches: &[Value], objects: &[&Object]) -> Vec<(usize, String)> {
    let mut idle = Vec::new();
    for (index, patch) in patches.iter().enumerate() {
        let Some(target) = patch.get("target").filter(|target| target.is_object()) else {
            continue;
        };
        let deletes = patch
            .get("patch")
            .and_then(Value::as_str)
            .is_none_or(|text| text.contains("$patch"));
        if !deletes && !objects.iter().any(|object| selects(target, object)) {
            idle.push((index, shown(target)));
        }
    }
    idle
}

/// Names are searched for, for a prefix or suffix may have come later; labels and annotations may have changed since.
fn selects(target: &Value, object: &Object) -> bool {
    let gvk = object.gvk();
    let whole = [
        ("group", &gvk.group),
        ("version", &gvk.version),
        ("kind", &gvk.kind),
    ];
    whole
        .iter()
        .all(|(field, value)| matches(target, field, value, true))
        && matches(target, "name", object.name(), false)
}

fn matches(target: &Value, field: &str, value: &str, whole: bool) -> bool {
    let Some(pattern) = target
        .get(field)
        .and_then(Value::as_str)
        .filter(|pattern| !pattern.is_empty())
    else {
        return true;
    };
    let pattern = if whole {
        format!("^(?:{pattern})$")
    } else {
        pattern.to_owned()
    };
    Regex::new(&pattern).map_or(true, |regex| regex.is_match(value))
}

fn shown(target: &Value) -> String {
    let parts = [
        "kind",
        "name",
        "namespace",
        "labelSelector",
        "annotationSelector",
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|field| Some(format!("{field} {}", target.get(*field)?.as_str()?)))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_that_is_no_object_is_idle() {
        let object = Object::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "my-web"}}),
        )
        .unwrap();
        let patch = |target: Value| json!({"patch": "x", "target": target});
        let patches = [
            patch(json!({"kind": "Deployment"})),
            patch(json!({"kind": "Deployment", "name": "web"})),
            patch(json!({"kind": "StatefulSet", "name": "web"})),
            json!({"patch": "$patch: delete", "target": {"kind": "Job"}}),
            json!({"path": "file.yaml"}),
        ];
        assert_eq!(
            idle(&patches, &[&object]),
            [(2, "kind StatefulSet, name web".to_owned())]
        );
    }
}
