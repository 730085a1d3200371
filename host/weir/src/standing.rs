//! What stands in a cluster, for commands that otherwise read a repository: its units and sources with their states, and
//! where an object comes from. Nothing is written, and no value of a ConfigMap or Secret is shown.

mod origin;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use weir_api::inventory::Inventory;
use weir_api::kustomize::ConfigKind;
use weir_api::{GroupKind, Object, ObjectName, names};
use weir_cluster::{Discovery, Selection};

use crate::cli::{ClusterArgs, GetWhat, RenderArgs};
use crate::cluster::Live;
use crate::get::collect_images;
use crate::repository;

const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";

/// Group and kind of what yields objects.
const UNITS: [(&str, &str); 4] = [
    (KUSTOMIZE, "Kustomization"),
    (HELM, "HelmRelease"),
    ("weir.dev", "Pipeline"),
    ("fluxcd.controlplane.io", "ResourceSet"),
];
/// Group and kind of what yields trees.
const SOURCES: [(&str, &str); 6] = [
    (SOURCE, "GitRepository"),
    (SOURCE, "OCIRepository"),
    (SOURCE, "HelmRepository"),
    (SOURCE, "HelmChart"),
    (SOURCE, "Bucket"),
    (SOURCE, "ExternalArtifact"),
];
/// Group and kind of what runs containers.
const WORKLOADS: [(&str, &str); 5] = [
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "CronJob"),
    ("batch", "Job"),
];
/// Labels by which an object names who applies it: kind, label of the name, label of the namespace.
const OWNERS: [(&str, &str, &str); 4] = [
    ("Kustomization", names::OWNER_NAME, names::OWNER_NAMESPACE),
    (
        "HelmRelease",
        "helm.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/namespace",
    ),
    ("Pipeline", names::PIPELINE_NAME, names::PIPELINE_NAMESPACE),
    (
        "ResourceSet",
        "resourceset.fluxcd.controlplane.io/name",
        "resourceset.fluxcd.controlplane.io/namespace",
    ),
];

/// A cluster that is looked at.
pub(crate) struct Standing {
    live: Arc<Live>,
    discovery: Arc<Discovery>,
}

/// Kind and name of a unit or a source.
type Id = (String, ObjectName);

impl Standing {
    /// The cluster, if it is what a command is about: if one is named and no repository, or if the working folder is none.
    pub(crate) fn wanted(args: &RenderArgs) -> anyhow::Result<Option<Self>> {
        if args.root.is_some() {
            return Ok(None);
        }
        if args.live.wanted() {
            return Self::connect(&args.live).map(Some);
        }
        if args.path.is_some() || repository::is_one(Path::new("."))? {
            return Ok(None);
        }
        let kubeconfig = ClusterArgs {
            cluster: true,
            local: None,
        };
        Self::connect(&kubeconfig).map(Some).context(
            "the working folder is no repository that a cluster starts from (name one with --root or --path), and there is no cluster to look into",
        )
    }

    fn connect(args: &ClusterArgs) -> anyhow::Result<Self> {
        let live = Live::connect(args)?.context("no cluster is named")?;
        let discovery = live.wait(live.cluster.discover(false))?;
        Ok(Self { live, discovery })
    }

    /// The rows of `weir get`.
    pub(crate) fn rows(&self, what: GetWhat) -> anyhow::Result<Vec<Value>> {
        match what {
            GetWhat::Units => Ok(self.all(&UNITS)?.iter().map(unit).collect()),
            GetWhat::Sources => Ok(self.all(&SOURCES)?.iter().map(source).collect()),
            GetWhat::Images => self.images(),
            GetWhat::Graph => Ok(self.all(&UNITS)?.iter().flat_map(edges).collect()),
            GetWhat::Values => self.values(),
        }
    }

    /// All objects of some kinds; of those that the cluster does not serve there are none.
    fn all(&self, kinds: &[(&str, &str)]) -> anyhow::Result<Vec<Object>> {
        let mut objects = Vec::new();
        for (group, kind) in kinds {
            let Some(served) = self.discovery.preferred(&GroupKind::new(*group, *kind)) else {
                continue;
            };
            let everything = Selection::default();
            let list = self
                .live
                .wait(self.live.cluster.list(&served.gvk, &everything));
            let mut found = list.with_context(|| format!("listing {kind}s"))?.objects;
            found.sort_by_key(|object| object.key().name.to_string());
            objects.extend(found);
        }
        Ok(objects)
    }

    /// Every image with those that apply what runs it.
    fn images(&self) -> anyhow::Result<Vec<Value>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for object in self.all(&WORKLOADS)? {
            // What a controller of the cluster makes is counted where its maker stands.
            let made = object.get("/metadata/ownerReferences").is_some();
            let mut images = Vec::new();
            if !made {
                collect_images(object.value(), &mut images);
            }
            for image in images {
                let units = found.entry(image).or_default();
                units.extend(owner(&object).map(|id| shown(&id)));
            }
        }
        let row = |(image, units)| json!({"image": image, "units": units});
        Ok(found.into_iter().map(row).collect())
    }

    /// What units take values from: names only.
    fn values(&self) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        for object in self.all(&UNITS)? {
            let id = shown(&id(&object));
            for list in ["/spec/postBuild/substituteFrom", "/spec/valuesFrom"] {
                let named = object.get(list).and_then(Value::as_array);
                for input in named.into_iter().flatten() {
                    let text = |field: &str| input.get(field).and_then(Value::as_str);
                    let (Some(kind), Some(name)) = (text("kind"), text("name")) else {
                        continue;
                    };
                    let Some(config) = ConfigKind::of(kind) else {
                        continue;
                    };
                    let name = ObjectName::new(object.namespace(), name);
                    let found = self.live.input(config, &name)?;
                    rows.push(json!({
                        "unit": id, "kind": kind, "name": name.to_string(), "key": text("valuesKey"),
                        "optional": input.get("optional").and_then(Value::as_bool).unwrap_or(false),
                        "found": found.is_some(),
                    }));
                }
            }
        }
        Ok(rows)
    }
}

fn unit(object: &Object) -> Value {
    let inventory = object.get("/status/inventory").cloned();
    let inventory = inventory.and_then(|value| serde_json::from_value::<Inventory>(value).ok());
    let revision = text(object, "/status/lastAppliedRevision")
        .or_else(|| text(object, "/status/history/0/chartVersion"));
    let parent = owner(object).map(|id| shown(&id));
    let (state, message) = state(object);
    json!({
        "unit": shown(&id(object)), "parent": parent, "source": source_of(object).as_ref().map(id_text), "state": state,
        "revision": revision, "objects": inventory.map(|inventory| inventory.entries.len()), "message": message,
    })
}

fn source(object: &Object) -> Value {
    let (state, message) = state(object);
    json!({
        "source": id_text(&id(object)), "url": text(object, "/spec/url").or_else(|| text(object, "/spec/chart")),
        "state": state, "revision": text(object, "/status/artifact/revision"), "message": message,
    })
}

/// Who is made by, reads and waits for whom.
fn edges(object: &Object) -> Vec<Value> {
    let from = shown(&id(object));
    let edge = |kind: &str, to: String| json!({"from": from, "kind": kind, "to": to});
    let mut edges = Vec::new();
    edges.extend(owner(object).map(|id| edge("made by", shown(&id))));
    edges.extend(source_of(object).map(|id| edge("source", shown(&id))));
    let dependencies = object.get("/spec/dependsOn").and_then(Value::as_array);
    for dependency in dependencies.into_iter().flatten() {
        let text = |field: &str| dependency.get(field).and_then(Value::as_str);
        if let Some(name) = text("name") {
            let kind = text("kind").unwrap_or(object.kind()).to_owned();
            let namespace = text("namespace").unwrap_or(object.namespace());
            edges.push(edge(
                "depends on",
                shown(&(kind, ObjectName::new(namespace, name))),
            ));
        }
    }
    edges
}

/// `ready`, `not ready`, `suspended` or `unknown`, and what the object says of it.
fn state(object: &Object) -> (&'static str, Option<String>) {
    let conditions = object.get("/status/conditions").and_then(Value::as_array);
    let ready = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == names::conditions::READY);
    let message = ready.and_then(|ready| ready["message"].as_str());
    let message = message
        .and_then(|text| text.lines().next())
        .map(str::to_owned);
    let suspended = object.get("/spec/suspend") == Some(&Value::Bool(true));
    let state = match ready.and_then(|ready| ready["status"].as_str()) {
        _ if suspended => "suspended",
        Some("True") => "ready",
        Some("False") => "not ready",
        _ => "unknown",
    };
    (state, message)
}

/// The source that a unit names.
fn source_of(object: &Object) -> Option<Id> {
    let reference = [
        "/spec/sourceRef",
        "/spec/chartRef",
        "/spec/chart/spec/sourceRef",
    ]
    .iter()
    .find_map(|pointer| object.get(pointer))?;
    let text = |field: &str| reference.get(field).and_then(Value::as_str);
    let namespace = text("namespace").unwrap_or(object.namespace());
    let name = ObjectName::new(namespace, text("name")?);
    Some((text("kind")?.to_owned(), name))
}

/// Who applies an object, as its labels say.
fn owner(object: &Object) -> Option<Id> {
    OWNERS.iter().find_map(|(kind, name, namespace)| {
        let name = ObjectName::new(object.label(namespace)?, object.label(name)?);
        let id = ((*kind).to_owned(), name);
        // What bootstraps a cluster applies itself.
        (id != self::id(object)).then_some(id)
    })
}

fn id(object: &Object) -> Id {
    (object.kind().to_owned(), object.key().name)
}

fn id_text((kind, name): &Id) -> String {
    format!("{kind}/{}/{}", name.namespace, name.name)
}

/// As other commands write a unit.
fn shown(id: &Id) -> String {
    id_text(id).to_lowercase()
}

fn text(object: &Object, pointer: &str) -> Option<String> {
    object
        .get(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// Refuses what only a repository can tell.
pub(crate) fn no_files(what: &str) -> anyhow::Result<()> {
    let path = what.contains('.') && std::path::Path::new(what).extension().is_some();
    if path || !what.contains('/') {
        bail!(
            "{what} is no object: a cluster has no files; name an object as Kind/namespace/name, or a repository with --root"
        );
    }
    Ok(())
}
