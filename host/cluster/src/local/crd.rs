//! From a CustomResourceDefinition to a kind that is served.

use std::sync::Arc;

use serde_json::{Value, json};
use weir_api::GroupKind;

use super::kinds::{Kind, Types, Version};
use super::schema::built_in::BuiltIn;
use super::schema::openapi::{Builder, SchemaError};
use super::schema::{FieldType, MapType, Type};

/// What is wrong with a CRD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CrdError {
    #[error("spec.{0} is missing")]
    Missing(&'static str),
    #[error("the name is {found:?} and has to be {expected:?}: the plural and the group")]
    Name { found: String, expected: String },
    #[error("spec.scope is {0:?} and has to be Namespaced or Cluster")]
    Scope(String),
    #[error("no version is served")]
    NoVersion,
    #[error("version {version:?} states no schema.openAPIV3Schema")]
    NoSchema { version: String },
    #[error("version {version:?}: {error}")]
    Schema { version: String, error: SchemaError },
}

/// The kind that a CRD defines.
pub(crate) fn kind_of(crd: &Value) -> Result<Kind, CrdError> {
    let text = |pointer: &str, name| match crd.pointer(pointer).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(CrdError::Missing(name)),
    };
    let group = text("/spec/group", "group")?;
    let plural = text("/spec/names/plural", "names.plural")?;
    let kind = text("/spec/names/kind", "names.kind")?;
    let (found, expected) = (
        text("/metadata/name", "metadata.name")?,
        format!("{plural}.{group}"),
    );
    if found != expected {
        return Err(CrdError::Name { found, expected });
    }
    let namespaced = match text("/spec/scope", "scope")?.as_str() {
        "Namespaced" => true,
        "Cluster" => false,
        other => return Err(CrdError::Scope(other.to_owned())),
    };
    let mut versions = Vec::new();
    for version in crd
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if version.get("served").and_then(Value::as_bool) == Some(true) {
            versions.push(version_of(version)?);
        }
    }
    if versions.is_empty() {
        return Err(CrdError::NoVersion);
    }
    versions.sort_by_cached_key(|version| std::cmp::Reverse(priority(&version.name)));
    Ok(Kind {
        group_kind: GroupKind::new(group, kind),
        plural,
        namespaced,
        generation: true,
        custom: true,
        versions,
    })
}

/// The status by which others see that a CRD's kind is served.
pub(crate) fn established(crd: &Value, now: &str) -> Value {
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    let stored = crd
        .pointer("/spec/versions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let stored =
        stored.filter(|version| version.get("storage").and_then(Value::as_bool) == Some(true));
    let stored: Vec<&Value> = stored.filter_map(|version| version.get("name")).collect();
    json!({
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "acceptedNames": crd.pointer("/spec/names").cloned().unwrap_or_default(),
        "storedVersions": stored,
    })
}

fn version_of(version: &Value) -> Result<Version, CrdError> {
    let Some(name) = version.get("name").and_then(Value::as_str) else {
        return Err(CrdError::Missing("versions[].name"));
    };
    let name = name.to_owned();
    let Some(schema) = version.pointer("/schema/openAPIV3Schema") else {
        return Err(CrdError::NoSchema { version: name });
    };
    let built_in = BuiltIn::get();
    let mut builder = Builder::default();
    let root = builder.inline(schema, "openAPIV3Schema");
    let root = root.map_err(|error| CrdError::Schema {
        version: name.clone(),
        error,
    })?;
    let metadata = builder.import(&built_in.schema, built_in.metadata);
    let text = builder
        .inline(&json!({"type": "string"}), "")
        .map_err(|error| CrdError::Schema {
            version: name.clone(),
            error,
        })?;
    let map = builder.get(root).map.clone().unwrap_or_default();
    let own = [("apiVersion", text), ("kind", text), ("metadata", metadata)];
    let mut fields: Vec<FieldType> = own
        .map(|(name, ty)| FieldType {
            name: name.into(),
            ty,
        })
        .into();
    fields.extend(
        map.fields
            .iter()
            .filter(|field| own.iter().all(|(name, _)| *name != field.name))
            .cloned(),
    );
    fields.sort_by(|one, two| one.name.cmp(&two.name));
    let map = MapType {
        fields: fields.into(),
        rest: map.rest,
        atomic: false,
    };
    let ty = builder.add(Type {
        map: Some(map),
        ..Type::default()
    });
    let status = version
        .pointer("/subresources/status")
        .is_some_and(|status| !status.is_null());
    let (schema, _) = builder.finish();
    Ok(Version {
        name,
        types: Types::Custom(Arc::new(schema)),
        ty,
        status,
        first_status: version
            .pointer("/schema/openAPIV3Schema/properties/status/default")
            .filter(|_| status)
            .cloned(),
    })
}

/// Kubernetes' order of versions: `v2`, `v1`, `v2beta1`, `v1alpha1`, then what is named otherwise.
fn priority(version: &str) -> (bool, u8, u64, u64, std::cmp::Reverse<String>) {
    let other = || (false, 0, 0, 0, std::cmp::Reverse(version.to_owned()));
    let Some(rest) = version.strip_prefix('v') else {
        return other();
    };
    let digits = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (major, rest) = rest.split_at(digits(rest));
    let Ok(major) = major.parse::<u64>() else {
        return other();
    };
    let (stability, minor) = match rest {
        "" => (2, ""),
        rest => match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(minor), _) => (1, minor),
            (_, Some(minor)) => (0, minor),
            (None, None) => return other(),
        },
    };
    let minor = if minor.is_empty() {
        Ok(0)
    } else {
        minor.parse::<u64>()
    };
    match minor {
        Ok(minor) => (
            true,
            stability,
            major,
            minor,
            std::cmp::Reverse(String::new()),
        ),
        Err(_) => other(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crd() -> Value {
        json!({"metadata": {"name": "things.example.dev"}, "spec": {
            "group": "example.dev", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        }})
    }

    #[test]
    fn versions_are_ordered_by_stability() {
        let mut versions = [
            "foo10",
            "v1",
            "v3beta1",
            "foo1",
            "v11alpha2",
            "v10",
            "v12alpha1",
            "v11beta2",
            "v2",
            "v10beta3",
        ];
        versions.sort_by_cached_key(|version| std::cmp::Reverse(priority(version)));
        let expected = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "foo1",
            "foo10",
        ];
        assert_eq!(versions, expected);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let with = |pointer: &str, value: Value| {
            let mut crd = crd();
            *crd.pointer_mut(pointer).unwrap() = value;
            kind_of(&crd).unwrap_err().to_string()
        };
        assert_eq!(with("/spec/group", json!("")), "spec.group is missing");
        assert_eq!(
            with("/metadata/name", json!("x")),
            "the name is \"x\" and has to be \"things.example.dev\": the plural and the group"
        );
        assert_eq!(
            with("/spec/scope", json!("Galaxy")),
            "spec.scope is \"Galaxy\" and has to be Namespaced or Cluster"
        );
        assert_eq!(
            with("/spec/versions/0/served", json!(false)),
            "no version is served"
        );
        assert_eq!(
            with("/spec/versions/0/schema", json!(null)),
            "version \"v1\" states no schema.openAPIV3Schema"
        );
        let schema = "/spec/versions/0/schema/openAPIV3Schema";
        assert_eq!(
            with(schema, json!(1)),
            "version \"v1\": openAPIV3Schema: expected a schema, found something else"
        );
        assert_eq!(
            with(
                schema,
                json!({"type": "object", "properties": {"a": {"type": "thing"}}})
            ),
            "version \"v1\": openAPIV3Schema.a: \"thing\" is no type"
        );
        assert_eq!(
            with(
                schema,
                json!({"type": "object", "properties": {"a": {"type": "array"}}})
            ),
            "version \"v1\": openAPIV3Schema.a: an array states `items`"
        );
        assert!(kind_of(&crd()).is_ok());
    }
}
