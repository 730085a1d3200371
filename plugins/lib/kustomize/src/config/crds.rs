//! The files that `crds` names: OpenAPI-like definitions whose extensions say what fields mean.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_k8s_yaml::{Schema, decode, from_str};

use super::{Config, NameReference, Specs};
use crate::error::{Error, Problem, Result};
use crate::field_spec::FieldSpec;
use crate::id::Gvk;

/// How deeply references between definitions are followed.
const MAX_DEPTH: usize = 32;
/// How many properties are looked at in all, as definitions can refer to each other many times over.
const MAX_PROPERTIES: usize = 100_000;

/// Reads definitions.
pub(crate) fn from_definitions(content: &[u8]) -> Result<Config> {
    let text = decode(content).map_err(Error::yaml)?;
    let document = from_str(&text, Schema::Sigs).map_err(Error::yaml)?;
    let wrong = || {
        Error::new(Problem::CrdsFile)
            .help("it needs a map of names to OpenAPI definitions; a CustomResourceDefinition belongs under `resources`")
    };
    let definitions = document.as_object().ok_or_else(wrong)?;
    if definitions.contains_key("apiVersion")
        || definitions
            .values()
            .any(|definition| !definition.is_object() && !definition.is_null())
    {
        return Err(wrong());
    }
    let definitions: BTreeMap<&str, &Value> = definitions
        .iter()
        .map(|(name, definition)| (name.as_str(), definition))
        .collect();
    let mut reader = Reader {
        definitions: &definitions,
        config: Config::default(),
        left: MAX_PROPERTIES,
    };
    for (name, definition) in &definitions {
        let properties = properties(definition);
        if ["kind", "apiVersion", "metadata"]
            .iter()
            .all(|field| properties.is_some_and(|it| it.contains_key(*field)))
        {
            let kind = name.rsplit('.').next().unwrap_or(name);
            reader.walk(&Gvk::of_kind(kind), definition, &mut Vec::new())?;
        }
    }
    Ok(reader.config)
}

struct Reader<'a> {
    definitions: &'a BTreeMap<&'a str, &'a Value>,
    config: Config,
    left: usize,
}

impl<'a> Reader<'a> {
    fn walk(&mut self, kind: &Gvk, definition: &'a Value, path: &mut Vec<&'a str>) -> Result<()> {
        if path.len() > MAX_DEPTH {
            return Ok(());
        }
        for (name, property) in properties(definition).into_iter().flatten() {
            self.left = self
                .left
                .checked_sub(1)
                .ok_or_else(|| Error::new(Problem::CrdsTooLarge))?;
            path.push(name);
            self.property(kind, property, path)?;
            let target = property
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|name| self.definitions.get(name));
            if let Some(target) = target {
                self.walk(kind, target, path)?;
            }
            path.pop();
        }
        Ok(())
    }

    fn property(&mut self, kind: &Gvk, property: &Value, path: &[&str]) -> Result<()> {
        let extension = |name: &str| property.get(name).and_then(Value::as_str);
        let spec = |more: Option<&str>| {
            let path: Vec<&str> = path.iter().copied().chain(more).collect();
            FieldSpec::new(kind.clone(), &path.join("/"), false)
        };
        if extension("x-kubernetes-annotation").is_some() {
            self.config.common_annotations.add(spec(None))?;
        }
        if extension("x-kubernetes-label-selector").is_some() {
            self.config.common_labels.add(spec(None))?;
        }
        if extension("x-kubernetes-identity").is_some() {
            self.config.name_prefix.add(spec(None))?;
        }
        let version = extension("x-kubernetes-object-ref-api-version");
        if let (Some(version), Some(target)) = (version, extension("x-kubernetes-object-ref-kind"))
        {
            // The whole text counts as the version.
            let target = Gvk {
                version: version.into(),
                ..Gvk::of_kind(target)
            };
            let key = extension("x-kubernetes-object-ref-name-key").unwrap_or("name");
            let mut referrers = Specs::default();
            referrers.add(spec(Some(key)))?;
            match self
                .config
                .name_reference
                .iter_mut()
                .find(|it| it.target == target)
            {
                Some(present) => present.referrers.extend(&referrers)?,
                None => self
                    .config
                    .name_reference
                    .push(NameReference { target, referrers }),
            }
        }
        Ok(())
    }
}

/// The properties of a definition, whose field names ignore case at the top.
fn properties(definition: &Value) -> Option<&Map<String, Value>> {
    let fields = definition.as_object()?;
    let schema = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schema"))
        .map(|(_, schema)| schema)?;
    schema.get("properties")?.as_object()
}
