//! The sources that are objects of the repository, and what they give: other repositories, charts, artifacts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use weir_api::helm::{ChartTemplateSpec, HelmRelease};
use weir_api::{Object, ObjectName};
use weir_chart::Dependency;
use weir_plugin::Refusal;
use weir_render::lower::chart_name;
use weir_render::{SourceId, SourceTree};
use weir_source::GitReference;
use weir_tree::TreePath;

use crate::remote::{OciSpec, OciWanted, Remotes};
use crate::repository::chart;
use crate::repository::unit::SourceName;

/// The kinds that give trees, or charts.
const KINDS: &[&str] = &[
    "GitRepository",
    "OCIRepository",
    "HelmRepository",
    "HelmChart",
    "Bucket",
    "ExternalArtifact",
];

/// What is known of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// By this turn of the walk.
    made: BTreeMap<SourceId, Value>,
    /// By the turn before it, for what comes before it is made.
    before: BTreeMap<SourceId, Value>,
}

impl Sources {
    /// Keeps an object that a unit of a namespace made.
    pub(crate) fn learn(&mut self, object: &Object, namespace: &str) {
        let kind = object.kind();
        if object.gvk().group != "source.toolkit.fluxcd.io" || !KINDS.contains(&kind) {
            return;
        }
        let namespace = match object.namespace() {
            "" => namespace,
            stated => stated,
        };
        let spec = object.get("/spec").cloned().unwrap_or_default();
        self.made
            .insert(SourceId::new(kind, namespace, object.name()), spec);
    }

    /// Keeps the HelmChart that a release makes.
    pub(crate) fn learn_release(&mut self, release: &HelmRelease) {
        let Some(template) = &release.spec.chart else {
            return;
        };
        let own = ObjectName::new(
            release.metadata.namespace.clone().unwrap_or_default(),
            release.metadata.name.clone().unwrap_or_default(),
        );
        let name = chart_name(&own, &template.spec.source_ref);
        if let Ok(spec) = serde_json::to_value(&template.spec) {
            self.made
                .insert(SourceId::new("HelmChart", name.namespace, name.name), spec);
        }
    }

    /// The next turn starts with what this one made.
    pub(crate) fn turn(&mut self) {
        self.before = std::mem::take(&mut self.made);
    }

    /// The `spec` of a source.
    pub(crate) fn spec(&self, id: &SourceId) -> Option<&Value> {
        self.made.get(id).or_else(|| self.before.get(id))
    }

    /// All that this turn made.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&SourceId, &Value)> {
        self.made.iter()
    }

    /// What a source gives.
    pub(crate) fn tree(
        &self,
        id: &SourceId,
        own: &SourceName,
        repository: &SourceTree,
        remotes: &Remotes,
    ) -> Result<SourceTree, Refusal> {
        let spec = self.spec(id).ok_or_else(|| absent(id, own))?;
        let asking = Asking {
            sources: self,
            own,
            repository,
            remotes,
        };
        match id.kind.as_str() {
            "HelmChart" => asking.helm_chart(id, spec),
            "OCIRepository" => asking.oci(spec),
            "GitRepository" => asking.git(spec),
            kind => Err(Refusal::Invalid(format!(
                "a {kind} is not fetched on a laptop"
            ))),
        }
    }
}

fn absent(id: &SourceId, own: &SourceName) -> Refusal {
    Refusal::Invalid(format!(
        "{id} is not this repository, which stands for {own}, and no unit of it makes such an object"
    ))
}

/// One question for the tree of a source.
struct Asking<'a> {
    sources: &'a Sources,
    own: &'a SourceName,
    repository: &'a SourceTree,
    remotes: &'a Remotes,
}

impl Asking<'_> {
    fn helm_chart(&self, id: &SourceId, spec: &Value) -> Result<SourceTree, Refusal> {
        let spec: ChartTemplateSpec = serde_json::from_value(spec.clone())
            .map_err(|error| Refusal::Invalid(format!("{id}: its spec is not valid: {error}")))?;
        let source = &spec.source_ref;
        let namespace = source.namespace.as_deref().unwrap_or(&id.name.namespace);
        let from = SourceId::new(source.kind.as_str(), namespace, source.name.clone());
        if from.kind == "HelmRepository" {
            return self.indexed(&from, &spec);
        }
        let base = self.base(&from)?;
        let key = format!(
            "packaged {} {}",
            base.revision,
            serde_json::to_string(&spec).unwrap_or_default()
        );
        self.remotes.once(key, || {
            let invalid = |reason: String| Refusal::Invalid(format!("{from}: {reason}"));
            let path = TreePath::root()
                .join(spec.chart.trim_start_matches('/'))
                .map_err(|error| invalid(error.to_string()))?;
            let fetch = |wanted: &Dependency| {
                self.remotes
                    .chart_of(&wanted.repository, &wanted.name, &wanted.version, false)
                    .map(|tree| tree.tree)
                    .map_err(|refusal| refusal.to_string())
            };
            let packaged = chart::package(&base.tree, &path, &fetch)
                .and_then(|packaged| {
                    let files = &*base.tree;
                    let ignore = spec.ignore_missing_values_files;
                    chart::with_values(packaged, files, &spec.values_files, ignore)
                })
                .map_err(|error| invalid(error.to_string()))?;
            Ok(SourceTree {
                tree: packaged,
                revision: base.revision.clone(),
                time: self.repository.time,
            })
        })
    }

    /// A chart of a HelmRepository.
    fn indexed(&self, from: &SourceId, spec: &ChartTemplateSpec) -> Result<SourceTree, Refusal> {
        let repository = self
            .sources
            .spec(from)
            .ok_or_else(|| absent(from, self.own))?;
        let url = text(repository, "url")
            .ok_or_else(|| Refusal::Invalid(format!("{from} has no spec.url")))?;
        let version = spec.version.as_deref().unwrap_or("*");
        let insecure = repository["insecure"].as_bool().unwrap_or(false);
        let found = self
            .remotes
            .chart_of(url, &spec.chart, version, insecure)
            .map_err(|refusal| with_login(refusal, from, repository))?;
        let files = Arc::clone(&found.tree);
        let ignore = spec.ignore_missing_values_files;
        let tree = chart::with_values(found.tree, &*files, &spec.values_files, ignore)
            .map_err(|error| Refusal::Invalid(error.to_string()))?;
        Ok(SourceTree {
            tree,
            revision: found.revision,
            time: self.repository.time,
        })
    }

    fn base(&self, from: &SourceId) -> Result<SourceTree, Refusal> {
        if self.own.is(from) {
            return Ok(self.repository.clone());
        }
        self.sources
            .tree(from, self.own, self.repository, self.remotes)
    }

    fn git(&self, spec: &Value) -> Result<SourceTree, Refusal> {
        let url = text(spec, "url")
            .ok_or_else(|| Refusal::Invalid("the GitRepository has no spec.url".to_owned()))?;
        let part = |name: &str| {
            spec.pointer(&format!("/ref/{name}"))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let reference = GitReference {
            branch: part("branch"),
            tag: part("tag"),
            semver: part("semver"),
            name: part("name"),
            commit: part("commit"),
            any: None,
        };
        self.remotes.git(url, &reference, text(spec, "ignore"))
    }

    fn oci(&self, spec: &Value) -> Result<SourceTree, Refusal> {
        let url = text(spec, "url")
            .ok_or_else(|| Refusal::Invalid("the OCIRepository has no spec.url".to_owned()))?;
        let place = url.strip_prefix("oci://").unwrap_or(url);
        let part = |path: &str| spec.pointer(path).and_then(Value::as_str);
        if part("/ref/semverFilter").is_some() {
            return Err(Refusal::Invalid(
                "spec.ref.semverFilter of an OCIRepository is not read on a laptop; name a tag"
                    .to_owned(),
            ));
        }
        let wanted = match (part("/ref/digest"), part("/ref/semver"), part("/ref/tag")) {
            (Some(digest), _, _) => OciWanted::Digest(digest.to_owned()),
            (None, Some(range), _) => OciWanted::Range(range.to_owned()),
            (None, None, tag) => OciWanted::Tag(tag.unwrap_or("latest").to_owned()),
        };
        let found = self
            .remotes
            .oci(&OciSpec {
                place: place.to_owned(),
                wanted,
                layer: part("/layerSelector/mediaType").map(str::to_owned),
                ignore: text(spec, "ignore").map(str::to_owned),
                insecure: spec["insecure"].as_bool().unwrap_or(false),
            })
            .map_err(|refusal| {
                let id = SourceId::new("OCIRepository", "", place);
                with_login(refusal, &id, spec)
            })?;
        let digest = found.revision.rsplit('@').next().unwrap_or_default();
        let tree = chart::with_digest(found.tree, digest)
            .map_err(|error| Refusal::Invalid(error.to_string()))?;
        Ok(SourceTree {
            tree,
            revision: found.revision,
            time: self.repository.time,
        })
    }
}

/// A laptop asks as anybody; where the object names a login, that is the likely reason.
fn with_login(refusal: Refusal, id: &SourceId, spec: &Value) -> Refusal {
    let login = spec.pointer("/secretRef/name").and_then(Value::as_str);
    match (refusal, login) {
        (Refusal::Unavailable(text), Some(secret)) => Refusal::Unavailable(format!(
            "{text}; {id} logs in with the Secret {secret}, which is not used on a laptop"
        )),
        (refusal, _) => refusal,
    }
}

fn text<'v>(spec: &'v Value, field: &str) -> Option<&'v str> {
    spec.get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}
