//! `.Chart`.

use std::any::Any;

use serde_json::Value as Json;
use weir_chart::{Dependency, Maintainer, Metadata, Profile};
use weir_gotemplate::{Kind, List, ListType, Map, MapType, Object, Text, Type, Value};

/// Builds `.Chart`: a map in Helm 4, a struct in Helm 3.
pub(crate) fn chart_object(metadata: &Metadata, root: bool, profile: Profile) -> Value {
    let fields = Fields {
        helm3: profile.is_helm3(),
    };
    if !profile.is_helm3() {
        let map: Map = fields
            .metadata(metadata)
            .into_iter()
            .map(|(name, value)| (Text::from_static(name), value))
            .collect();
        // A map that was just made takes what it is given.
        let _ = map.insert("IsRoot", root);
        return Value::Map(map);
    }
    Value::object(RootStruct {
        metadata: fields.metadata(metadata),
        root,
        json: metadata.to_json(),
    })
}

/// How lists and nested structs are shown.
struct Fields {
    helm3: bool,
}

impl Fields {
    fn metadata(&self, metadata: &Metadata) -> Vec<(&'static str, Value)> {
        let annotations = match &metadata.annotations {
            None => Map::nil(&MapType::STRING),
            Some(entries) => Map::from_entries(
                &MapType::STRING,
                entries
                    .iter()
                    .map(|(key, value)| (Text::from(key), Value::from(value.as_str())))
                    .collect(),
            ),
        };
        let maintainers = metadata
            .maintainers
            .iter()
            .map(|maintainer| self.nested("*chart.Maintainer", maintainer_fields(maintainer)));
        let dependencies = metadata.dependencies.iter().flatten();
        let dependencies = dependencies
            .map(|dependency| self.nested("*chart.Dependency", self.dependency(dependency)));
        vec![
            ("Name", text(&metadata.name)),
            ("Home", text(&metadata.home)),
            ("Sources", self.texts(&metadata.sources)),
            ("Version", text(&metadata.version)),
            ("Description", text(&metadata.description)),
            ("Keywords", self.texts(&metadata.keywords)),
            (
                "Maintainers",
                self.list(&MAINTAINERS, maintainers.collect()),
            ),
            ("Icon", text(&metadata.icon)),
            ("APIVersion", text(&metadata.api_version)),
            ("Condition", text(&metadata.condition)),
            ("Tags", text(&metadata.tags)),
            ("AppVersion", text(&metadata.app_version)),
            ("Deprecated", metadata.deprecated.into()),
            ("Annotations", annotations.into()),
            ("KubeVersion", text(&metadata.kube_version)),
            (
                "Dependencies",
                self.list(&DEPENDENCIES, dependencies.collect()),
            ),
            ("Type", text(&metadata.kind)),
        ]
    }

    fn dependency(&self, dependency: &Dependency) -> Vec<(&'static str, Value)> {
        let imports = dependency.import_values.iter().map(import);
        vec![
            ("Name", text(&dependency.name)),
            ("Version", text(&dependency.version)),
            ("Repository", text(&dependency.repository)),
            ("Condition", text(&dependency.condition)),
            ("Tags", self.texts(&dependency.tags)),
            ("Enabled", dependency.enabled.into()),
            ("ImportValues", Value::from(imports.collect::<Vec<_>>())),
            ("Alias", text(&dependency.alias)),
        ]
    }

    fn texts(&self, texts: &[String]) -> Value {
        self.list(
            &ListType::STRING,
            texts.iter().map(|item| text(item)).collect(),
        )
    }

    /// Helm 4 makes all lists plain ones; in Helm 3 they have their types, and an empty one is nil.
    fn list(&self, of: &'static ListType, items: Vec<Value>) -> Value {
        match (self.helm3, items.is_empty()) {
            (false, _) => Value::from(items),
            (true, true) => List::nil(of).into(),
            (true, false) => List::new(of, items).into(),
        }
    }

    fn nested(&self, type_name: &'static str, fields: Vec<(&'static str, Value)>) -> Value {
        if self.helm3 {
            return Value::object(Struct { type_name, fields });
        }
        let map: Map = fields
            .into_iter()
            .map(|(name, value)| (Text::from_static(name), value))
            .collect();
        Value::Map(map)
    }
}

static MAINTAINERS: ListType =
    ListType::plain("[]*chart.Maintainer", Type::Named("*chart.Maintainer"));
static DEPENDENCIES: ListType =
    ListType::plain("[]*chart.Dependency", Type::Named("*chart.Dependency"));

fn maintainer_fields(maintainer: &Maintainer) -> Vec<(&'static str, Value)> {
    vec![
        ("Name", text(&maintainer.name)),
        ("Email", text(&maintainer.email)),
        ("URL", text(&maintainer.url)),
    ]
}

/// An entry of `import-values`: maps are `map[string]string` once dependencies are processed.
fn import(value: &Json) -> Value {
    let Json::Object(entries) = value else {
        return Value::from_json_floats(value);
    };
    let entries = entries.iter().map(|(key, value)| {
        (
            Text::from(key),
            Value::from(value.as_str().unwrap_or_default()),
        )
    });
    Map::from_entries(&MapType::STRING, entries.collect()).into()
}

fn text(text: &str) -> Value {
    Value::from(text)
}

/// A pointer to a plain struct.
#[derive(Debug)]
struct Struct {
    type_name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

impl Object for Struct {
    fn type_name(&self) -> &str {
        self.type_name
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.clone()
    }
}

/// The embedded `chart.Metadata` of Helm 3's `.Chart`.
#[derive(Debug)]
struct Embedded {
    fields: Vec<(&'static str, Value)>,
    json: serde_json::Map<String, Json>,
}

impl Object for Embedded {
    fn type_name(&self) -> &str {
        "chart.Metadata"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        self.fields.clone()
    }

    fn json(&self) -> Option<Json> {
        Some(Json::Object(self.json.clone()))
    }
}

/// Helm 3's `.Chart`.
#[derive(Debug)]
struct RootStruct {
    metadata: Vec<(&'static str, Value)>,
    root: bool,
    json: serde_json::Map<String, Json>,
}

impl Object for RootStruct {
    fn type_name(&self) -> &str {
        "struct { chart.Metadata; IsRoot bool }"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let embedded = Embedded {
            fields: self.metadata.clone(),
            json: self.json.clone(),
        };
        vec![
            ("Metadata", Value::object(embedded)),
            ("IsRoot", self.root.into()),
        ]
    }

    /// The fields of the embedded struct are fields of this one.
    fn field(&self, name: &str) -> Option<Value> {
        let promoted = self.metadata.iter().find(|field| field.0 == name);
        match promoted {
            Some((_, value)) => Some(value.clone()),
            None => self
                .fields()
                .into_iter()
                .find(|field| field.0 == name)
                .map(|field| field.1),
        }
    }

    fn json(&self) -> Option<Json> {
        let mut json = self.json.clone();
        json.insert("IsRoot".to_owned(), self.root.into());
        Some(Json::Object(json))
    }
}
