//! What units make: whether a cluster would take it, and whether two units want the same object.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Context as _;
use serde_json::{Value, json};
use weir_api::{GroupKind, Gvk, Object, crd};
use weir_cluster::{Apply, Cluster as _, ClusterError, Local};
use weir_plugin::Place;

use crate::flux_kinds::FLUX_KINDS;
use crate::repository::unit::{Made, Outcome, Unit};
use crate::repository::visit::Visited;

use super::finding::Finding;
use super::locate::Wanted;

/// Namespaces that are there without anybody making them.
const ALWAYS: &[&str] = &[
    "default",
    "flux-system",
    "kube-node-lease",
    "kube-public",
    "kube-system",
];

/// An object and the unit that makes it.
struct Claim<'v> {
    unit: &'v Unit,
    made: &'v Made,
    object: Object,
}

pub(super) fn check(visited: &Visited, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let claims = claims(visited);
    twice(visited, &claims, findings);
    for claim in &claims {
        encrypted(visited, claim, findings);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(served(visited, &claims, findings))
}

fn claims(visited: &Visited) -> Vec<Claim<'_>> {
    let mut claims = Vec::new();
    for unit in &visited.walked.units {
        let Outcome::Built(made) = &unit.outcome else {
            continue;
        };
        claims.extend(made.iter().map(|made| Claim {
            unit,
            made,
            object: made.object.clone(),
        }));
    }
    claims
}

impl Claim<'_> {
    fn shown(&self) -> String {
        self.object.key().to_string()
    }

    /// A finding about the object, at its file or, if that is not of the repository, at its unit.
    fn at(&self, visited: &Visited, finding: Finding, pointer: &str) -> Finding {
        let own = self
            .unit
            .recipe
            .as_ref()
            .is_some_and(|recipe| visited.entry.source.is(&recipe.source));
        let place: Option<&Place> = self.made.origin.as_ref().filter(|_| own);
        if place.is_none() {
            return finding.at_unit(visited, self.unit, "/spec");
        }
        let wanted = Wanted {
            kind: self.object.kind(),
            name: self.object.name(),
            pointer,
        };
        finding.at_object(visited, place, &wanted)
    }

    /// The namespace that the object goes to.
    fn namespace(&self) -> &str {
        match (self.object.namespace(), self.unit.id.kind.as_str()) {
            ("", "HelmRelease") => {
                let target = self.unit.object.pointer("/spec/targetNamespace");
                target
                    .and_then(Value::as_str)
                    .unwrap_or(&self.unit.id.name.namespace)
            }
            (stated, _) => stated,
        }
    }
}

fn twice(visited: &Visited, claims: &[Claim<'_>], findings: &mut Vec<Finding>) {
    let mut first: HashMap<(String, String, String, String), &Claim<'_>> = HashMap::new();
    for claim in claims {
        let gvk = claim.object.gvk();
        let key = (
            gvk.group.clone(),
            gvk.kind.clone(),
            claim.namespace().to_owned(),
            claim.object.name().to_owned(),
        );
        match first.get(&key) {
            Some(other) if other.unit.id != claim.unit.id => {
                let finding = Finding::error(
                    &claim.unit.id,
                    "twice",
                    format!("{} is made by {} too", claim.shown(), other.unit.id),
                )
                .help("each of the two units would undo what the other one applied; leave it out of one");
                findings.push(claim.at(visited, finding, ""));
            }
            Some(_) => {}
            None => {
                first.insert(key, claim);
            }
        }
    }
}

/// What is encrypted where nothing decrypts it.
fn encrypted(visited: &Visited, claim: &Claim<'_>, findings: &mut Vec<Finding>) {
    let object = claim.object.value();
    if object.get("sops").is_some() {
        if object["kind"] == "Secret" {
            let finding = Finding::error(
                &claim.unit.id,
                "encrypted",
                format!(
                    "{} is encrypted, and its unit decrypts nothing",
                    claim.shown()
                ),
            )
            .help(format!("give {} a spec.decryption", claim.unit.id));
            findings.push(claim.at(visited, finding, "/sops"));
        }
        return;
    }
    if let Some(pointer) = find_encrypted(object, &mut String::new()) {
        let finding = Finding::error(
            &claim.unit.id,
            "encrypted",
            format!(
                "{} has an encrypted value at {pointer}, but no sops metadata to decrypt it with",
                claim.shown()
            ),
        )
        .help("a value cannot be copied from one encrypted file into another; put the plain value in with `sops set`");
        findings.push(claim.at(visited, finding, &pointer));
    }
}

/// The first text in SOPS' form. The depth is that of parsed JSON, which is bounded.
fn find_encrypted(value: &Value, at: &mut String) -> Option<String> {
    let descend = |part: &str, value: &Value, at: &mut String| {
        let length = at.len();
        at.push('/');
        at.push_str(&part.replace('~', "~0").replace('/', "~1"));
        let found = find_encrypted(value, at);
        at.truncate(length);
        found
    };
    match value {
        Value::String(text) => text.starts_with("ENC[AES256_GCM,").then(|| at.clone()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| descend(&index.to_string(), item, at)),
        Value::Object(map) => map.iter().find_map(|(key, item)| descend(key, item, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Applies everything without writing it, to a cluster that has the definitions and namespaces that it needs.
async fn served(
    visited: &Visited,
    claims: &[Claim<'_>],
    findings: &mut Vec<Finding>,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("making a folder for the checks")?;
    let cluster = Local::open(folder.path()).context("starting the checks")?;
    let how = |dry_run| Apply {
        manager: "weir".to_owned(),
        force: true,
        dry_run,
    };
    let definition = |claim: &&Claim<'_>| claim.object.kind() == "CustomResourceDefinition";
    for (_, built_in) in crd::all() {
        let _ = cluster.apply(&Object::new(built_in)?, &how(false)).await;
    }
    for claim in claims.iter().filter(definition) {
        if let Err(error) = cluster.apply(&claim.object, &how(false)).await {
            findings.push(refused(visited, claim, &error));
        }
    }
    let discovery = cluster.discover(true).await?;
    let groups: HashSet<&str> = discovery
        .resources
        .iter()
        .map(|resource| resource.gvk.group.as_str())
        .collect();
    let namespaces: BTreeSet<&str> = claims
        .iter()
        .map(Claim::namespace)
        .filter(|namespace| !namespace.is_empty())
        .collect();
    for name in &namespaces {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        cluster.apply(&Object::new(object)?, &how(false)).await?;
    }
    homeless(visited, claims, findings);
    for claim in claims.iter().filter(|claim| !definition(claim)) {
        let gvk = claim.object.gvk();
        let Some(resource) = discovery.find(&gvk) else {
            let others = discovery
                .preferred(&GroupKind::new(gvk.group.clone(), gvk.kind.clone()))
                .map(|other| other.gvk.api_version());
            let known = groups.contains(gvk.group.as_str());
            findings.extend(not_served(visited, claim, &gvk, others, known));
            continue;
        };
        let mut object = claim.object.clone();
        if resource.namespaced {
            let namespace = claim.namespace();
            if namespace.is_empty() {
                let finding = Finding::error(
                    &claim.unit.id,
                    "namespace",
                    format!("{} states no namespace", claim.shown()),
                )
                .help("give it a metadata.namespace, its kustomization a namespace, or the unit a spec.targetNamespace");
                findings.push(claim.at(visited, finding, "/metadata"));
                continue;
            }
            object
                .metadata_mut()
                .insert("namespace".to_owned(), namespace.into());
        } else {
            object.metadata_mut().shift_remove("namespace");
        }
        object.fields_mut().shift_remove("sops");
        if let Err(error) = cluster.apply(&object, &how(true)).await {
            findings.push(refused(visited, claim, &error));
        }
    }
    Ok(())
}

/// Namespaces that objects are in and that no unit makes, each told once.
fn homeless(visited: &Visited, claims: &[Claim<'_>], findings: &mut Vec<Finding>) {
    let mut known: HashSet<&str> = claims
        .iter()
        .filter(|claim| claim.object.kind() == "Namespace")
        .map(|claim| claim.object.name())
        .collect();
    known.extend(ALWAYS);
    for unit in &visited.walked.units {
        let install = unit.object.pointer("/spec/install/createNamespace");
        if install == Some(&Value::Bool(true)) {
            let target = unit.object.pointer("/spec/targetNamespace");
            known.extend(target.and_then(Value::as_str));
        }
    }
    for claim in claims {
        let namespace = claim.namespace();
        if !namespace.is_empty() && known.insert(namespace) {
            let finding = Finding::warning(
                &claim.unit.id,
                "namespace",
                format!(
                    "{} is in the namespace {namespace}, which no unit makes",
                    claim.shown()
                ),
            );
            findings.push(claim.at(visited, finding, "/metadata/namespace"));
        }
    }
}

/// Nothing is said about groups that no definition of the repository and none of Kubernetes' own is for.
fn not_served(
    visited: &Visited,
    claim: &Claim<'_>,
    gvk: &Gvk,
    served: Option<String>,
    known_group: bool,
) -> Option<Finding> {
    let flux = FLUX_KINDS
        .iter()
        .find(|known| gvk.group == known.group && gvk.kind == known.kind);
    let served = match (served, flux) {
        (Some(version), _) => Some(version),
        (None, Some(known)) if known.version == gvk.version => return None,
        (None, Some(known)) => Some(known.gvk().api_version()),
        (None, None) => None,
    };
    let flux_group = FLUX_KINDS.iter().any(|known| gvk.group == known.group);
    let kubernetes = gvk.group.ends_with(".k8s.io") && !gvk.group.ends_with(".x-k8s.io");
    let of_kubernetes = kubernetes || !gvk.group.contains('.');
    let nobody_knows = served.is_none() && !known_group && !flux_group && !of_kubernetes;
    if nobody_knows {
        return None;
    }
    let finding = Finding::error(
        &claim.unit.id,
        "api-version",
        format!("there is no kind {} in {}", gvk.kind, gvk.api_version()),
    )
    .help(served.map_or_else(
        || "look at the spelling of apiVersion and kind".to_owned(),
        |version| format!("it is served as {version}"),
    ));
    Some(claim.at(visited, finding, "/apiVersion"))
}

fn refused(visited: &Visited, claim: &Claim<'_>, error: &ClusterError) -> Finding {
    let message = error.to_string();
    let pointer = pointer_in(&message);
    let shown = claim.shown();
    let message = if message.contains(&shown) {
        message
    } else {
        format!("{shown}: {message}")
    };
    let finding = Finding::error(&claim.unit.id, "invalid", message);
    claim.at(visited, finding, &pointer)
}

/// The JSON pointer of a path in a message, such as `.spec.template.spec.containers[0].image`; what is in brackets and is no
/// number ends it.
fn pointer_in(message: &str) -> String {
    let word = message
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| matches!(c, ':' | ',' | '"' | '\'' | '`' | ';')))
        .find(|word| {
            let path = word.trim_start_matches('.');
            [
                "spec",
                "metadata",
                "data",
                "stringData",
                "status",
                "rules",
                "subjects",
            ]
            .iter()
            .any(|start| {
                path.strip_prefix(start)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        });
    let mut pointer = String::new();
    for part in word
        .unwrap_or_default()
        .split('.')
        .filter(|part| !part.is_empty())
    {
        let (name, index) = part.split_once('[').unwrap_or((part, ""));
        pointer.push('/');
        pointer.push_str(name);
        match index.trim_end_matches(']') {
            "" => {}
            index if index.bytes().all(|byte| byte.is_ascii_digit()) => {
                pointer.push('/');
                pointer.push_str(index);
            }
            _ => break,
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_messages_are_pointers() {
        assert_eq!(
            pointer_in(".spec.template.spec.containers[0].imag: field not declared in schema"),
            "/spec/template/spec/containers/0/imag"
        );
        assert_eq!(
            pointer_in("the field .spec.ports[port=80].x is not known"),
            "/spec/ports"
        );
        assert_eq!(pointer_in("nothing of the kind"), "");
    }

    #[test]
    fn encrypted_texts_are_found_where_they_are() {
        let value = json!({"a": [{"b/c": "ENC[AES256_GCM,data:x]"}]});
        assert_eq!(
            find_encrypted(&value, &mut String::new()).unwrap(),
            "/a/0/b~1c"
        );
        assert_eq!(
            find_encrypted(&json!({"a": "ENC"}), &mut String::new()),
            None
        );
    }
}
