//! Where a repository starts: the Kustomization that a cluster is bootstrapped with.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use weir_api::kustomize::Kustomization;
use weir_api::{Object, names};
use weir_plugin::Place;
use weir_render::UnitId;
use weir_tree::{Tree, TreePath, glob};

use crate::repository::unit::SourceName;

/// A file larger than this is not looked into for an entry.
const LARGEST_FILE: u64 = 1 << 20;
/// Where Flux keeps what it is bootstrapped with.
const NAMESPACE: &str = "flux-system";

/// The unit that everything starts from.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: UnitId,
    pub(crate) object: Kustomization,
    pub(crate) source: SourceName,
    /// Whether the object stands in the repository, which can then change it: what comes out of it under its own name
    /// takes its place, as it does in a cluster.
    pub(crate) found: bool,
    /// The file that it stands in.
    pub(crate) place: Option<Place>,
}

/// The entry that a person names: `flux-system/flux-system` over a path.
pub(crate) fn at(path: &str, source: SourceName) -> anyhow::Result<Entry> {
    let object = object(NAMESPACE, NAMESPACE, path, &source);
    entry(object, source, None)
}

/// Whether there is an entry to find, be it one of several.
pub(crate) fn is_there(tree: &dyn Tree) -> anyhow::Result<bool> {
    let syncs = glob(tree, "**/gotk-sync.yaml").context("looking for gotk-sync.yaml")?;
    Ok(!syncs.is_empty() || !instances(tree)?.is_empty())
}

/// Finds the entry: `gotk-sync.yaml` of `flux bootstrap`, else a FluxInstance with `spec.sync`.
pub(crate) fn find(tree: &dyn Tree, source: Option<&SourceName>) -> anyhow::Result<Entry> {
    let mut found = Vec::new();
    for path in glob(tree, "**/gotk-sync.yaml").context("looking for gotk-sync.yaml")? {
        found.extend(syncs(tree, &path)?);
    }
    if found.is_empty() {
        found = instances(tree)?;
    }
    if let Some(source) = source {
        found.retain(|(_, (_, its))| its == source);
    }
    match found.as_slice() {
        [(place, (object, source))] => entry(object.clone(), source.clone(), Some(place.clone())),
        [] => bail!(
            "the repository has neither a flux-system/gotk-sync.yaml nor a FluxInstance with spec.sync{}; say where to start with --path",
            source
                .map(|source| format!(" of {source}"))
                .unwrap_or_default()
        ),
        several => {
            let list: Vec<String> = several
                .iter()
                .map(|(place, (object, _))| {
                    format!(
                        "{} ({})",
                        object["spec"]["path"].as_str().unwrap_or("."),
                        place.path
                    )
                })
                .collect();
            bail!(
                "there are several places to start from: {}; choose one with --path",
                list.join(", ")
            )
        }
    }
}

fn entry(object: Value, source: SourceName, place: Option<Place>) -> anyhow::Result<Entry> {
    let object: Kustomization =
        serde_json::from_value(object).context("reading the entry Kustomization")?;
    let metadata = &object.metadata;
    let id = UnitId::new(
        "Kustomization",
        metadata.namespace.as_deref().unwrap_or(NAMESPACE),
        metadata.name.as_deref().unwrap_or_default(),
    );
    Ok(Entry {
        id,
        object,
        source,
        found: place.is_some(),
        place,
    })
}

fn object(namespace: &str, name: &str, path: &str, source: &SourceName) -> Value {
    json!({
        "apiVersion": names::KUSTOMIZE_V1, "kind": "Kustomization",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "interval": "1h", "path": path, "prune": true,
            "sourceRef": {"kind": source.kind, "name": source.name},
        },
    })
}

/// A Kustomization with its source, and where it stands.
type Sync = (Place, (Value, SourceName));

/// The Kustomizations of a sync file, with their sources.
fn syncs(tree: &dyn Tree, path: &TreePath) -> anyhow::Result<Vec<Sync>> {
    let mut found = Vec::new();
    for (place, object) in objects(tree, path)? {
        let gvk = object.gvk();
        if gvk.group != "kustomize.toolkit.fluxcd.io" || gvk.kind != "Kustomization" {
            continue;
        }
        let field = |pointer: &str| {
            object
                .get(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let source = format!(
            "{}/{}",
            field("/spec/sourceRef/kind"),
            field("/spec/sourceRef/name")
        );
        let source = source
            .parse::<SourceName>()
            .map_err(|error| anyhow::anyhow!("{path}: spec.sourceRef is {source}: {error}"))?;
        found.push((place, (object.into_value(), source)));
    }
    Ok(found)
}

/// What the Flux operator makes of the FluxInstances of a repository: a source and a Kustomization of one name.
fn instances(tree: &dyn Tree) -> anyhow::Result<Vec<Sync>> {
    let mut found = Vec::new();
    for pattern in ["**/*.yaml", "**/*.yml"] {
        for path in glob(tree, pattern).context("looking for a FluxInstance")? {
            let size = tree.stat(&path)?.map_or(0, |entry| entry.size);
            if size > LARGEST_FILE {
                continue;
            }
            let content = tree.read(&path)?.unwrap_or_default();
            let mentioned = std::str::from_utf8(&content).is_ok_and(|text| {
                text.lines()
                    .any(|line| line.trim_end() == "kind: FluxInstance")
            });
            if !mentioned {
                continue;
            }
            // A template that only looks like YAML is no FluxInstance.
            let Ok(objects) = objects(tree, &path) else {
                continue;
            };
            found.extend(
                objects
                    .into_iter()
                    .filter_map(|(place, object)| Some((place, instance(&object)?))),
            );
        }
    }
    Ok(found)
}

fn instance(object: &Object) -> Option<(Value, SourceName)> {
    let gvk = object.gvk();
    if gvk.group != "fluxcd.controlplane.io" || gvk.kind != "FluxInstance" {
        return None;
    }
    let field = |name: &str| {
        object
            .get(&format!("/spec/sync/{name}"))
            .and_then(Value::as_str)
    };
    let namespace = match object.namespace() {
        "" => NAMESPACE,
        namespace => namespace,
    };
    let name = field("name").unwrap_or(namespace);
    let source = format!("{}/{name}", field("kind")?).parse().ok()?;
    Some((
        self::object(namespace, name, field("path")?, &source),
        source,
    ))
}

fn objects(tree: &dyn Tree, path: &TreePath) -> anyhow::Result<Vec<(Place, Object)>> {
    let content = tree.read(path)?.unwrap_or_default();
    let text = std::str::from_utf8(&content).with_context(|| format!("reading {path}"))?;
    let start = Place {
        path: path.to_string(),
        line: 1,
        column: 1,
    };
    let documents = weir_plugin::Document::from_yaml(text, Some(&start))
        .with_context(|| format!("reading {path}"))?;
    documents
        .iter()
        .map(|document| {
            let place = document.origin().cloned().unwrap_or_else(|| start.clone());
            Ok((place, Object::new(document.to_value())?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_tree::OverlayTree;

    const SYNC: &str = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: flux-system, namespace: flux-system}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 10m0s, path: ./clusters/NAME, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";

    fn tree(files: &[(&str, &str)]) -> OverlayTree {
        let mut overlay = OverlayTree::on(weir_tree::EmptyTree::shared());
        for (path, content) in files {
            overlay
                .file(&TreePath::parse(path).unwrap(), content.as_bytes().to_vec())
                .unwrap();
        }
        overlay.finish().unwrap()
    }

    #[test]
    fn the_sync_file_is_the_entry() {
        let tree = tree(&[(
            "clusters/a/flux-system/gotk-sync.yaml",
            &SYNC.replace("NAME", "a"),
        )]);
        let entry = find(&tree, None).unwrap();
        assert_eq!(
            entry.id.to_string(),
            "Kustomization/flux-system/flux-system"
        );
        assert_eq!(entry.object.spec.path.as_deref(), Some("./clusters/a"));
        assert_eq!(entry.source.to_string(), "GitRepository/flux-system");
        let place = entry.place.unwrap();
        assert_eq!(
            (&*place.path, place.line),
            ("clusters/a/flux-system/gotk-sync.yaml", 5)
        );
    }

    #[test]
    fn several_entries_are_a_question_and_none_is_one_too() {
        let (a, b) = (SYNC.replace("NAME", "a"), SYNC.replace("NAME", "b"));
        let two = tree(&[
            ("a/flux-system/gotk-sync.yaml", &a),
            ("b/flux-system/gotk-sync.yaml", &b),
        ]);
        let message = find(&two, None).unwrap_err().to_string();
        assert!(
            message.contains("./clusters/a (a/flux-system/gotk-sync.yaml), ./clusters/b"),
            "{message}"
        );
        let message = find(&tree(&[("x.yaml", "a: b\n")]), None)
            .unwrap_err()
            .to_string();
        assert!(message.contains("--path"), "{message}");
    }

    #[test]
    fn a_flux_instance_says_where_to_start() {
        let instance = "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux, namespace: flux-system}\nspec:\n  sync: {kind: OCIRepository, url: 'oci://registry/x', ref: latest, path: clusters/c}\n";
        let entry = find(
            &tree(&[
                ("flux/instance.yaml", instance),
                ("t.yaml", "kind: FluxInstance\n{{ x }}\n"),
            ]),
            None,
        )
        .unwrap();
        assert_eq!(entry.object.spec.path.as_deref(), Some("clusters/c"));
        assert_eq!(entry.source.to_string(), "OCIRepository/flux-system");
    }
}
