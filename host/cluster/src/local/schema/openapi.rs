//! From OpenAPI to types: of kube-apiserver's own documents, and of the schema that a CRD states.
//!
//! Follows how the API server itself makes its merge types (`kube-openapi`'s schemaconv): `x-kubernetes-list-type` and
//! `-list-map-keys`, before that the older `x-kubernetes-patch-strategy` and `-merge-key`; `x-kubernetes-map-type`;
//! a mapping without declared fields holds anything.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    FieldType, KeyDefault, KeyField, ListType, MapType, ScalarType, Schema, Topology, Type, TypeId,
};

/// How deep a CRD may nest its schema. The API server has no limit of its own; its body limit allows about this.
const DEPTH: usize = 256;

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("{path}: expected a schema, found something else")]
    NotASchema { path: String },
    #[error("{path}: {name:?} is no type")]
    UnknownType { path: String, name: String },
    #[error("{path}: an array states `items`")]
    NoItems { path: String },
    #[error("{path}: a list of type map states `x-kubernetes-list-map-keys`")]
    NoKeys { path: String },
    #[error("{path}: {value:?} is no value of {name}")]
    BadExtension {
        path: String,
        name: &'static str,
        value: String,
    },
    #[error("{path}: no definition is called {name:?}")]
    NoDefinition { path: String, name: String },
    #[error("{path}: schemas are nested more than {DEPTH} deep")]
    TooDeep { path: String },
}

/// Makes a [`Schema`]; equal types are one.
#[derive(Debug, Default)]
pub(crate) struct Builder<'a> {
    schema: Schema,
    known: HashMap<Type, TypeId>,
    named: BTreeMap<String, TypeId>,
    definitions: Option<&'a BTreeMap<String, Value>>,
}

/// Where a type is, for messages.
struct Place<'p> {
    path: &'p str,
    depth: usize,
    /// A parent keeps unknown fields, and so do all below it.
    preserve: bool,
}

impl<'a> Builder<'a> {
    /// For schemas that refer to each other by `$ref`.
    pub(crate) fn with_definitions(definitions: &'a BTreeMap<String, Value>) -> Self {
        Self {
            definitions: Some(definitions),
            ..Self::default()
        }
    }

    pub(crate) fn finish(self) -> (Schema, BTreeMap<String, TypeId>) {
        (self.schema, self.named)
    }

    /// Adds a type that stands by itself.
    pub(crate) fn add(&mut self, ty: Type) -> TypeId {
        if let Some(id) = self.known.get(&ty) {
            return *id;
        }
        let id = self.push(ty.clone());
        self.known.insert(ty, id);
        id
    }

    /// A definition by its name, added with all that it needs.
    pub(crate) fn definition(&mut self, name: &str, path: &str) -> Result<TypeId, SchemaError> {
        if let Some(id) = self.named.get(name) {
            return Ok(*id);
        }
        let Some(schema) = self
            .definitions
            .and_then(|definitions| definitions.get(name))
        else {
            return Err(SchemaError::NoDefinition {
                path: path.into(),
                name: name.into(),
            });
        };
        // Its place is taken first: definitions refer to themselves.
        let id = self.push(Type::default());
        self.named.insert(name.into(), id);
        let ty = match name {
            // Both are more than their schema says.
            "io.k8s.apimachinery.pkg.api.resource.Quantity" => Type {
                scalar: Some(ScalarType::Any),
                ..Type::default()
            },
            "io.k8s.apimachinery.pkg.runtime.RawExtension" => self.raw(id),
            _ => self.parse(
                schema,
                &Place {
                    path: name,
                    depth: 0,
                    preserve: false,
                },
            )?,
        };
        self.set(id, ty);
        Ok(id)
    }

    /// Takes the place of a type that [`Builder::define`] gives.
    pub(crate) fn declare(&mut self, name: &str) {
        let id = self.push(Type::default());
        self.named.insert(name.into(), id);
    }

    pub(crate) fn define(&mut self, name: &str, ty: Type) {
        if let Some(id) = self.named(name) {
            self.set(id, ty);
        }
    }

    pub(crate) fn get(&self, id: TypeId) -> &Type {
        self.schema.get(id)
    }

    pub(crate) fn named(&self, name: &str) -> Option<TypeId> {
        self.named.get(name).copied()
    }

    /// Anything: mappings are merged key by key, lists are one value.
    pub(crate) fn anything(&mut self) -> TypeId {
        const NAME: &str = "anything";
        if let Some(id) = self.named.get(NAME) {
            return *id;
        }
        let raw = self.raw_id();
        let id = self.push(Type::default());
        self.named.insert(NAME.into(), id);
        let ty = Type {
            scalar: Some(ScalarType::Any),
            list: Some(ListType {
                item: raw,
                topology: Topology::Atomic,
            }),
            map: Some(MapType {
                rest: Some(id),
                ..MapType::default()
            }),
            nullable: true,
        };
        self.set(id, ty.clone());
        // A schema that says nothing parses to the same.
        self.known.insert(ty, id);
        id
    }

    /// A schema that stands in place, as those of CRDs do.
    pub(crate) fn inline(&mut self, schema: &Value, path: &str) -> Result<TypeId, SchemaError> {
        self.inline_at(
            schema,
            &Place {
                path,
                depth: 0,
                preserve: false,
            },
        )
    }

    /// Copies a type of another schema with all that it refers to.
    pub(crate) fn import(&mut self, other: &Schema, id: TypeId) -> TypeId {
        let mut moved = HashMap::new();
        self.import_into(other, id, &mut moved)
    }

    fn import_into(
        &mut self,
        other: &Schema,
        id: TypeId,
        moved: &mut HashMap<TypeId, TypeId>,
    ) -> TypeId {
        if let Some(id) = moved.get(&id) {
            return *id;
        }
        let new = self.push(Type::default());
        moved.insert(id, new);
        let mut ty = other.get(id).clone();
        if let Some(list) = &mut ty.list {
            list.item = self.import_into(other, list.item, moved);
        }
        if let Some(map) = &mut ty.map {
            map.rest = map.rest.map(|rest| self.import_into(other, rest, moved));
            for field in &mut map.fields {
                field.ty = self.import_into(other, field.ty, moved);
            }
        }
        self.set(new, ty);
        new
    }

    fn inline_at(&mut self, schema: &Value, place: &Place<'_>) -> Result<TypeId, SchemaError> {
        let ty = self.parse(schema, place)?;
        Ok(self.add(ty))
    }

    /// A schema in the place of a field or an item: a reference, perhaps with a map type of its own, or a schema.
    fn reference(&mut self, schema: &Value, place: &Place<'_>) -> Result<TypeId, SchemaError> {
        let target = |value: &Value| value.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let only = schema
            .get("allOf")
            .and_then(Value::as_array)
            .filter(|all| all.len() == 1);
        let Some(target) = target(schema).or_else(|| only.and_then(|all| target(&all[0]))) else {
            return self.inline_at(schema, place);
        };
        let name = target.rsplit('/').next().unwrap_or_default();
        let id = self.definition(name, place.path)?;
        match schema.get("x-kubernetes-map-type").and_then(Value::as_str) {
            Some("atomic") => {
                let mut ty = self.schema.get(id).clone();
                if let Some(map) = &mut ty.map {
                    map.atomic = true;
                }
                Ok(self.add(ty))
            }
            _ => Ok(id),
        }
    }

    fn parse(&mut self, schema: &Value, place: &Place<'_>) -> Result<Type, SchemaError> {
        let path = || place.path.to_owned();
        let Value::Object(schema) = schema else {
            return Err(SchemaError::NotASchema { path: path() });
        };
        if place.depth > DEPTH {
            return Err(SchemaError::TooDeep { path: path() });
        }
        let preserve = place.preserve || flag(schema, "x-kubernetes-preserve-unknown-fields");
        let place = &Place {
            path: place.path,
            depth: place.depth,
            preserve,
        };
        let scalar = |scalar| Type {
            scalar: Some(scalar),
            ..Type::default()
        };
        let name = schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let format = schema.get("format").and_then(Value::as_str);
        let mut ty = match name {
            "string" if format == Some("int-or-string") => scalar(ScalarType::Any),
            "string" => scalar(ScalarType::Text),
            "integer" => scalar(ScalarType::Integer),
            "number" => scalar(ScalarType::Number),
            "boolean" => scalar(ScalarType::Boolean),
            "array" => Type {
                list: Some(self.list(schema, place)?),
                ..Type::default()
            },
            "object" => Type {
                map: Some(self.map(schema, place)?),
                ..Type::default()
            },
            "" => Type {
                scalar: Some(ScalarType::Any),
                list: Some(self.list(schema, place)?),
                map: Some(self.map(schema, place)?),
                // What does not say what it is does not refuse null.
                nullable: true,
            },
            other => {
                return Err(SchemaError::UnknownType {
                    path: path(),
                    name: other.into(),
                });
            }
        };
        ty.nullable |= flag(schema, "nullable");
        Ok(ty)
    }

    fn list(
        &mut self,
        schema: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<ListType, SchemaError> {
        let item_place = Place {
            path: &format!("{}[]", place.path),
            depth: place.depth + 1,
            preserve: place.preserve,
        };
        let (item, item_schema) = match schema.get("items") {
            Some(items) => (self.reference(items, &item_place)?, Some(items)),
            None if schema.contains_key("type") => {
                return Err(SchemaError::NoItems {
                    path: place.path.into(),
                });
            }
            None => (self.raw_id(), None),
        };
        let topology = topology(schema, item_schema, self.definitions, place.path)?;
        Ok(ListType { item, topology })
    }

    fn map(
        &mut self,
        schema: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<MapType, SchemaError> {
        let mut fields = Vec::new();
        for (name, field) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let path = format!("{}.{name}", place.path);
            let place = Place {
                path: &path,
                depth: place.depth + 1,
                preserve: place.preserve,
            };
            fields.push(FieldType {
                name: SmolStr::new(name),
                ty: self.reference(field, &place)?,
            });
        }
        fields.sort_by(|one, two| one.name.cmp(&two.name));
        let rest = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(self.anything()),
            Some(values) => {
                let path = format!("{}.*", place.path);
                let place = Place {
                    path: &path,
                    depth: place.depth + 1,
                    preserve: place.preserve,
                };
                Some(self.reference(values, &place)?)
            }
            None if place.preserve || fields.is_empty() => Some(self.anything()),
            None => None,
        };
        let atomic = match extension(schema, "x-kubernetes-map-type") {
            None | Some("granular") => false,
            Some("atomic") => true,
            Some(value) => {
                let (path, name) = (place.path.into(), "x-kubernetes-map-type");
                return Err(SchemaError::BadExtension {
                    path,
                    name,
                    value: value.into(),
                });
            }
        };
        Ok(MapType {
            fields: fields.into(),
            rest,
            atomic,
        })
    }

    /// The type of what is kept as it is: one value, whatever it is.
    pub(crate) fn raw_id(&mut self) -> TypeId {
        const NAME: &str = "raw";
        if let Some(id) = self.named.get(NAME) {
            return *id;
        }
        let id = self.push(Type::default());
        self.named.insert(NAME.into(), id);
        let raw = self.raw(id);
        self.set(id, raw);
        id
    }

    fn raw(&self, id: TypeId) -> Type {
        Type {
            scalar: Some(ScalarType::Any),
            list: Some(ListType {
                item: id,
                topology: Topology::Atomic,
            }),
            map: Some(MapType {
                rest: Some(id),
                atomic: true,
                ..MapType::default()
            }),
            nullable: true,
        }
    }

    fn set(&mut self, id: TypeId, ty: Type) {
        self.schema.types[id.0 as usize] = ty;
    }

    fn push(&mut self, ty: Type) -> TypeId {
        let id = TypeId(
            u32::try_from(self.schema.types.len()).expect("a schema has fewer than 2^32 types"),
        );
        self.schema.types.push(ty);
        id
    }
}

fn topology(
    schema: &Map<String, Value>,
    item: Option<&Value>,
    definitions: Option<&BTreeMap<String, Value>>,
    path: &str,
) -> Result<Topology, SchemaError> {
    let bad = |name, value: &str| {
        Err(SchemaError::BadExtension {
            path: path.into(),
            name,
            value: value.into(),
        })
    };
    let keyed = |names: Vec<&str>| {
        let keys = names.into_iter().map(|name| {
            let default = item
                .and_then(|item| default_of(item, name, definitions))
                .and_then(KeyDefault::new);
            KeyField {
                name: SmolStr::new(name),
                default,
            }
        });
        Topology::Keyed(keys.collect())
    };
    if let Some(value) = extension(schema, "x-kubernetes-list-type") {
        return match value {
            "atomic" => Ok(Topology::Atomic),
            "set" => Ok(Topology::Set),
            "map" => match schema
                .get("x-kubernetes-list-map-keys")
                .and_then(Value::as_array)
            {
                Some(names) => Ok(keyed(names.iter().filter_map(Value::as_str).collect())),
                None => Err(SchemaError::NoKeys { path: path.into() }),
            },
            other => bad("x-kubernetes-list-type", other),
        };
    }
    match extension(schema, "x-kubernetes-patch-strategy") {
        None | Some("retainKeys" | "replace") => Ok(Topology::Atomic),
        Some("merge" | "merge,retainKeys") => {
            match extension(schema, "x-kubernetes-patch-merge-key") {
                Some(key) => Ok(keyed(vec![key])),
                None => Ok(Topology::Set),
            }
        }
        Some(other) => bad("x-kubernetes-patch-strategy", other),
    }
}

/// The default of a field of a list's item.
fn default_of<'v>(
    item: &'v Value,
    field: &str,
    definitions: Option<&'v BTreeMap<String, Value>>,
) -> Option<&'v Value> {
    let direct = |schema: &'v Value| schema.get("properties")?.get(field)?.get("default");
    let target = |schema: &'v Value| {
        let only = schema
            .get("allOf")
            .and_then(Value::as_array)
            .and_then(|all| all.first());
        let name = schema
            .get("$ref")
            .or_else(|| only?.get("$ref"))?
            .as_str()?
            .rsplit('/')
            .next()?;
        definitions?.get(name)
    };
    direct(item).or_else(|| direct(target(item)?))
}

fn flag(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn extension<'v>(schema: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    schema.get(name).and_then(Value::as_str)
}
