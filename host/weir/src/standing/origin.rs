//! Where an object of a cluster comes from: who applies it, out of which revision, and who else writes to it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use serde_json::Value;
use weir_api::ApiResource;
use weir_api::{GroupKind, Object, ObjectKey};
use weir_cluster::Selection;

use super::{
    Id, SOURCES, Standing, UNITS, id_text, no_files, owner, shown, source_of, state, text,
};

/// Units that apply units, and so on.
const DEEPEST: usize = 32;

impl Standing {
    /// `weir explain Kind/namespace/name`, or `Kind/name` for all namespaces.
    pub(crate) fn explain(&self, what: &str) -> anyhow::Result<String> {
        no_files(what)?;
        let objects = self.find(what)?;
        let mut told = String::new();
        for object in &objects {
            let _ = writeln!(told, "{}", object.key());
            self.chain(object, &mut told)?;
            let managers = managers(object);
            if !managers.is_empty() {
                let _ = writeln!(told, "  fields written by {}", managers.join(", "));
            }
        }
        Ok(told)
    }

    /// The objects of that name, of every kind that is called so.
    fn find(&self, what: &str) -> anyhow::Result<Vec<Object>> {
        let parts: Vec<&str> = what.split('/').collect();
        let (kind, namespace, name) = match parts.as_slice() {
            [kind, name] => (*kind, None, *name),
            [kind, namespace, name] => (*kind, Some(*namespace), *name),
            _ => bail!("{what} is no object; write one as Kind/namespace/name"),
        };
        let mut groups = BTreeSet::new();
        let kinds: Vec<&ApiResource> = self
            .discovery
            .resources
            .iter()
            .filter(|resource| resource.gvk.kind.eq_ignore_ascii_case(kind))
            // The first one of a group is its preferred version.
            .filter(|resource| groups.insert(resource.gvk.group.clone()))
            .collect();
        if kinds.is_empty() {
            bail!("the cluster serves no kind {kind}");
        }
        let mut found = Vec::new();
        for resource in kinds {
            let cluster = &self.live.cluster;
            match (namespace, resource.namespaced) {
                (None, true) => {
                    let list = self
                        .live
                        .wait(cluster.list(&resource.gvk, &Selection::default()));
                    let list = list.with_context(|| format!("listing {kind}s"))?;
                    let named = |object: &Object| object.name() == name;
                    found.extend(list.objects.into_iter().filter(named));
                }
                (namespace, namespaced) => {
                    let namespace = namespace.filter(|_| namespaced).unwrap_or_default();
                    let key = ObjectKey::new(resource.gvk.clone(), namespace, name);
                    found.extend(self.live.wait(cluster.get(&key))?);
                }
            }
        }
        if found.is_empty() {
            bail!("there is no {what} in the cluster");
        }
        Ok(found)
    }

    /// Who applies the object, who applies that, and so on.
    fn chain(&self, object: &Object, told: &mut String) -> anyhow::Result<()> {
        let Some(mut by) = owner(object) else {
            let _ = writeln!(told, "  applied by no unit");
            return Ok(());
        };
        for _ in 0..DEEPEST {
            let _ = writeln!(told, "  applied by {}", shown(&by));
            let Some(unit) = self.get(&UNITS, &by)? else {
                let _ = writeln!(told, "    which is not in the cluster");
                return Ok(());
            };
            let (state, message) = state(&unit);
            let message = message.map(|text| format!(": {text}")).unwrap_or_default();
            let _ = writeln!(told, "    which is {state}{message}");
            if let Some(source) = source_of(&unit) {
                let path = text(&unit, "/spec/path");
                let path = path.map(|path| format!("{path} of ")).unwrap_or_default();
                let revision = text(&unit, "/status/lastAppliedRevision");
                let at = revision.as_ref().map(|text| format!(" at {text}"));
                let at = at.unwrap_or_default();
                let _ = writeln!(told, "    out of {path}{}{at}", id_text(&source));
                self.newest(&source, revision.as_deref(), told)?;
            }
            match owner(&unit) {
                Some(next) => by = next,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Says what the source has by now, if it is not what was applied.
    fn newest(&self, id: &Id, applied: Option<&str>, told: &mut String) -> anyhow::Result<()> {
        let Some(source) = self.get(&SOURCES, id)? else {
            let _ = writeln!(told, "    {} is not in the cluster", id_text(id));
            return Ok(());
        };
        let has = text(&source, "/status/artifact/revision");
        if let (Some(has), Some(applied)) = (has, applied)
            && has != applied
        {
            let _ = writeln!(told, "    {} has {has} by now", id_text(id));
        }
        Ok(())
    }

    fn get(&self, kinds: &[(&str, &str)], (kind, name): &Id) -> anyhow::Result<Option<Object>> {
        let known = kinds.iter().find(|(_, known)| known == kind);
        let Some((group, kind)) = known else {
            return Ok(None);
        };
        let Some(served) = self.discovery.preferred(&GroupKind::new(*group, *kind)) else {
            return Ok(None);
        };
        let key = ObjectKey {
            gvk: served.gvk.clone(),
            name: name.clone(),
        };
        Ok(self.live.wait(self.live.cluster.get(&key))?)
    }
}

/// The field managers of an object but for its status.
fn managers(object: &Object) -> Vec<String> {
    let fields = object
        .get("/metadata/managedFields")
        .and_then(Value::as_array);
    let managers: BTreeSet<String> = fields
        .into_iter()
        .flatten()
        .filter(|field| field["subresource"].as_str().unwrap_or_default().is_empty())
        .filter_map(|field| {
            let manager = field["manager"].as_str()?;
            let how = field["operation"].as_str().unwrap_or_default();
            Some(format!("{manager} ({how})"))
        })
        .collect();
    managers.into_iter().collect()
}
