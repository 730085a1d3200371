//! The files that `configurations` names.

use super::{Config, NameReference, Specs};
use crate::decode::{At, Decode, Mode, Settings};
use crate::error::Result;
use crate::id::Gvk;
use crate::kustomization::SpecEntry;
use crate::sort::Ranks;

const FIELDS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

/// Reads a transformer configuration.
pub(crate) fn from_file(content: &[u8], file: &str) -> Result<Config> {
    let settings = Settings::parse(content, file)?;
    settings.root(Mode::Strict).get()
}

impl Decode for Config {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(FIELDS)?;
        let specs = |name: &'static str| -> Result<Specs> {
            let mut specs = listed(fields.get::<Vec<SpecEntry>>(name)?)
                .map_err(|error| error.in_field(name))?;
            specs.sort(&Ranks::default());
            Ok(specs)
        };
        let mut config = Config {
            name_prefix: specs("namePrefix")?,
            name_suffix: specs("nameSuffix")?,
            namespace: specs("namespace")?,
            common_labels: specs("commonLabels")?,
            labels: specs("labels")?,
            template_labels: specs("templateLabels")?,
            common_annotations: specs("commonAnnotations")?,
            name_reference: Vec::new(),
            var_reference: specs("varReference")?,
            images: specs("images")?,
            replicas: specs("replicas")?,
        };
        for entry in fields.get::<Vec<ReferenceEntry>>("nameReference")? {
            let referrers =
                listed(entry.referrers).map_err(|error| error.in_field("nameReference"))?;
            match config
                .name_reference
                .iter_mut()
                .find(|it| it.target == entry.target)
            {
                Some(present) => present.referrers.extend(&referrers)?,
                None => config.name_reference.push(NameReference {
                    target: entry.target,
                    referrers,
                }),
            }
        }
        let ranks = Ranks::default();
        config
            .name_reference
            .sort_by_cached_key(|it| ranks.key(&it.target));
        Ok(config)
    }
}

#[derive(Debug, Default)]
struct ReferenceEntry {
    target: Gvk,
    referrers: Vec<SpecEntry>,
}

impl Decode for ReferenceEntry {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["group", "version", "kind", "fieldSpecs"])?;
        Ok(Self {
            target: Gvk {
                group: fields.get::<String>("group")?.into(),
                version: fields.get::<String>("version")?.into(),
                kind: fields.get::<String>("kind")?.into(),
            },
            referrers: fields.get("fieldSpecs")?,
        })
    }
}

/// Entries as a list without doubles.
fn listed(entries: Vec<SpecEntry>) -> Result<Specs> {
    let mut specs = Specs::default();
    entries
        .iter()
        .try_for_each(|entry| specs.add(entry.spec()))?;
    Ok(specs)
}
