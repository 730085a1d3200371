//! A cluster as the side before: what applying the units of a walk would change in it, as the server itself says in dry runs.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use weir_api::inventory::{Inventory, InventoryEntry};
use weir_api::{Object, ObjectKey, names};
use weir_apply::live::get;
use weir_apply::plan::skipped;
use weir_apply::prepare::{drop_server_metadata, place};
use weir_apply::prune::{deletable, gone};
use weir_apply::{Owner, prepare};
use weir_cluster::{Apply, Cluster, ClusterError, Discovery};

use crate::cluster::Live;
use crate::repository::unit::{Failure, Made, Outcome, Unit};
use crate::repository::walk::Walked;

/// How many objects are asked about side by side.
const AT_ONCE: usize = 8;
/// How Helm knows a hook; it comes and goes with a release's actions.
const HOOK: &str = "helm.sh/hook";
const HELM_MANAGER: &str = "helm-controller";

/// The objects of all units as they are, and as they would be after applying.
#[derive(Debug, Default)]
pub(super) struct Sides {
    pub(super) before: Vec<Unit>,
    pub(super) after: Vec<Unit>,
}

/// Asks the cluster about every object of a walk.
pub(super) fn sides(live: &Live, walked: &Walked) -> anyhow::Result<Sides> {
    live.wait(async {
        let cluster = &*live.cluster;
        let discovery = cluster.discover(false).await?;
        let mut sides = Sides::default();
        for unit in &walked.units {
            let (before, after) = match &unit.outcome {
                Outcome::Built(made) => of_unit(cluster, &discovery, unit, made).await?,
                Outcome::Failed(failure) => (None, Outcome::Failed(failure.clone())),
                Outcome::Named => continue,
            };
            if let Some(before) = before {
                sides.before.push(with(unit, Outcome::Built(before)));
            }
            sides.after.push(with(unit, after));
        }
        Ok(sides)
    })
}

fn with(unit: &Unit, outcome: Outcome) -> Unit {
    Unit {
        id: unit.id.clone(),
        parent: unit.parent.clone(),
        outcome,
        object: unit.object.clone(),
        place: unit.place.clone(),
        recipe: None,
        findings: Vec::new(),
        reads: Vec::new(),
        placeholders: Vec::new(),
        tainted: unit.tainted,
    }
}

/// `None` before: the unit itself is not there yet.
async fn of_unit(
    cluster: &dyn Cluster,
    discovery: &Discovery,
    unit: &Unit,
    made: &[Made],
) -> Result<(Option<Vec<Made>>, Outcome), ClusterError> {
    let owner = Object::new(unit.object.clone()).ok();
    let owner = match &owner {
        Some(owner) => get(cluster, &key_of(unit, owner)).await?,
        None => None,
    };
    let (objects, manager) = match wanted(unit, made) {
        Ok(wanted) => wanted,
        Err(error) => return Ok((None, Outcome::Failed(Failure::new(error)))),
    };
    let asked: Result<Vec<_>, ClusterError> = stream::iter(objects)
        .map(|mut object| {
            place(&mut object, discovery);
            ask(cluster, object, manager)
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await;
    let (mut before, mut after, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let mut keys = Vec::new();
    for answer in asked? {
        keys.push(answer.key);
        before.extend(answer.live.map(shown));
        match answer.applied {
            Ok(object) => after.extend(object.map(shown)),
            Err(message) => refused.push(message),
        }
    }
    if let Some(owner) = &owner {
        for object in pruned(cluster, unit, owner, &keys).await? {
            before.push(shown(object));
        }
    }
    let after = if refused.is_empty() {
        Outcome::Built(after)
    } else {
        Outcome::Failed(Failure::new(refused.join("; ")))
    };
    let known = owner.is_some() || !before.is_empty();
    Ok((known.then_some(before), after))
}

fn key_of(unit: &Unit, object: &Object) -> ObjectKey {
    ObjectKey {
        gvk: object.gvk(),
        name: unit.id.name.clone(),
    }
}

/// The objects as they would be applied, and who applies them.
fn wanted(unit: &Unit, made: &[Made]) -> anyhow::Result<(Vec<Object>, &'static str)> {
    let values = made.iter().map(|made| made.object.value().clone());
    let name = &unit.id.name;
    if unit.id.kind == "HelmRelease" {
        let hook = |value: &Value| {
            value
                .pointer("/metadata/annotations")
                .is_some_and(|all| all.get(HOOK).is_some())
        };
        let objects = weir_apply::unpacked(values.filter(|value| !hook(value)))?;
        let release = serde_json::from_value(unit.object.clone())?;
        let (release_name, namespace) = (
            weir_render::lower::release_name(&release),
            weir_render::lower::release_namespace(&release),
        );
        let marked = objects.into_iter().map(|mut object| {
            if object.namespace().is_empty() {
                object
                    .metadata_mut()
                    .insert("namespace".into(), namespace.clone().into());
            }
            for (field, entries) in [
                (
                    "labels",
                    json!({
                        "app.kubernetes.io/managed-by": "Helm",
                        "helm.toolkit.fluxcd.io/name": name.name,
                        "helm.toolkit.fluxcd.io/namespace": name.namespace,
                    }),
                ),
                (
                    "annotations",
                    json!({
                        "meta.helm.sh/release-name": release_name,
                        "meta.helm.sh/release-namespace": namespace,
                    }),
                ),
            ] {
                let all = object
                    .metadata_mut()
                    .entry(field)
                    .or_insert_with(|| json!({}));
                if let (Value::Object(all), Value::Object(entries)) = (all, entries) {
                    all.extend(entries);
                }
            }
            object
        });
        return Ok((marked.collect(), HELM_MANAGER));
    }
    Ok((prepare(values, &owner_of(unit))?, names::APPLY_MANAGER))
}

/// A Kustomization as an owner of objects.
fn owner_of(unit: &Unit) -> Owner {
    Owner {
        name_label: names::OWNER_NAME,
        namespace_label: names::OWNER_NAMESPACE,
        name: unit.id.name.name.clone(),
        namespace: unit.id.name.namespace.clone(),
        manager: names::APPLY_MANAGER,
    }
}

/// What the cluster says of one object.
struct Answer {
    key: ObjectKey,
    live: Option<Object>,
    /// As it would be; `None` if it is left alone and is not there.
    applied: Result<Option<Object>, String>,
}

/// An object that the server does not take is an answer; that it does not answer is an error.
async fn ask(cluster: &dyn Cluster, object: Object, manager: &str) -> Result<Answer, ClusterError> {
    let key = object.key();
    let live = match get(cluster, &key).await {
        Ok(live) => live,
        Err(error) => {
            let applied = Err(refusal(&key, error)?);
            return Ok(Answer {
                key,
                live: None,
                applied,
            });
        }
    };
    if skipped(&object, live.as_ref()) {
        let applied = Ok(live.clone());
        return Ok(Answer { key, live, applied });
    }
    let how = Apply {
        manager: manager.to_owned(),
        force: true,
        dry_run: true,
    };
    let applied = match cluster.apply(&object, &how).await {
        Ok(applied) => Ok(Some(applied)),
        // The same repository may bring the kind or the namespace.
        Err(
            ClusterError::NoKind(_)
            | ClusterError::NoNamespace { .. }
            | ClusterError::NotFound { .. },
        ) => Ok(Some(object)),
        Err(error) => Err(refusal(&key, error)?),
    };
    Ok(Answer { key, live, applied })
}

fn refusal(key: &ObjectKey, error: ClusterError) -> Result<String, ClusterError> {
    if matches!(
        error,
        ClusterError::Unavailable { .. } | ClusterError::Expired(_)
    ) {
        return Err(error);
    }
    Ok(format!("the cluster refuses {key}: {error}"))
}

/// What the unit has applied and makes no longer, as far as it would be deleted.
async fn pruned(
    cluster: &dyn Cluster,
    unit: &Unit,
    applied: &Object,
    made: &[ObjectKey],
) -> Result<Vec<Object>, ClusterError> {
    if unit.object.pointer("/spec/prune") != Some(&Value::Bool(true)) {
        return Ok(Vec::new());
    }
    let old = applied
        .get("/status/inventory")
        .cloned()
        .unwrap_or_default();
    let old: Inventory = serde_json::from_value(old).unwrap_or_default();
    let new = Inventory {
        entries: made.iter().map(InventoryEntry::of).collect(),
    };
    let owner = owner_of(unit);
    let mut deleted = Vec::new();
    for key in gone(&old, &new).iter().filter_map(|entry| entry.key().ok()) {
        let live = get(cluster, &key).await?;
        deleted.extend(live.filter(|live| deletable(&owner, live)));
    }
    Ok(deleted)
}

/// Without what the server keeps of an object.
fn shown(mut object: Object) -> Made {
    object.fields_mut().shift_remove("status");
    drop_server_metadata(&mut object);
    Made {
        object,
        origin: None,
    }
}
