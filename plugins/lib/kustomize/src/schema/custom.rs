//! Types from the file that `openapi.path` names.

use std::collections::HashMap;

use serde_json::Value;
use weir_k8s_yaml::{Schema, Text, decode, from_str};

use super::{BuiltIn, TypeRef, built_in_definition};
use crate::error::{Error, Problem, Result};

/// How many references are followed until a type is found.
const MAX_REFERENCES: usize = 64;

/// The definitions of an OpenAPI document. A type is the number of a part of the document.
#[derive(Debug, Default)]
pub(super) struct CustomTypes {
    types: Vec<CustomType>,
    objects: HashMap<(String, String), u32>,
    cluster: HashMap<(String, String), bool>,
}

#[derive(Debug, Default)]
struct CustomType {
    merge: bool,
    keys: Vec<Text>,
    items: Option<TypeRef>,
    values: Option<TypeRef>,
    fields: HashMap<String, TypeRef>,
}

impl CustomTypes {
    pub(super) fn read(content: &[u8], built_in: BuiltIn) -> Result<Self> {
        let text = decode(content).map_err(Error::yaml)?;
        let document = from_str(&text, Schema::Sigs).map_err(Error::yaml)?;
        if !document.is_object() {
            return Err(Error::new(Problem::OpenApiDocument));
        }
        Reader::new(&document, built_in).read()
    }

    pub(super) fn object(&self, api_version: &str, kind: &str) -> Option<u32> {
        self.objects
            .get(&(api_version.to_owned(), kind.to_owned()))
            .copied()
    }

    pub(super) fn field(&self, of: u32, name: &str) -> Option<TypeRef> {
        let of = self.types.get(of as usize)?;
        of.fields.get(name).copied().or(of.values)
    }

    pub(super) fn items(&self, of: u32) -> Option<TypeRef> {
        self.types.get(of as usize)?.items
    }

    pub(super) fn merge_keys(&self, of: u32) -> Option<Vec<Text>> {
        let of = self.types.get(of as usize)?;
        of.merge.then(|| of.keys.clone())
    }

    pub(super) fn cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        self.cluster
            .get(&(api_version.to_owned(), kind.to_owned()))
            .copied()
            .unwrap_or(false)
    }
}

/// Turns the parts of a document into types, each part once.
struct Reader<'a> {
    document: &'a Value,
    built_in: BuiltIn,
    result: CustomTypes,
    numbers: HashMap<*const Value, u32>,
    /// Parts that have a number but are not read yet.
    waiting: Vec<(u32, &'a Value)>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Value, built_in: BuiltIn) -> Self {
        Self {
            document,
            built_in,
            result: CustomTypes::default(),
            numbers: HashMap::new(),
            waiting: Vec::new(),
        }
    }

    fn read(mut self) -> Result<CustomTypes> {
        let definitions = self.document.get("definitions").and_then(Value::as_object);
        for definition in definitions.into_iter().flat_map(|map| map.values()) {
            for named in definition
                .get("x-kubernetes-group-version-kind")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                if let (Some(id), Some(TypeRef::Custom(number))) =
                    (type_name(named), self.number(definition))
                {
                    self.result.objects.insert(id, number);
                }
            }
        }
        while let Some((number, part)) = self.waiting.pop() {
            let read = self.part(part);
            self.result.types[number as usize] = read;
        }
        self.scopes();
        Ok(self.result)
    }

    fn part(&mut self, part: &'a Value) -> CustomType {
        let text = |name: &str| part.get(name).and_then(Value::as_str);
        let merge = text("x-kubernetes-patch-strategy")
            .is_some_and(|all| all.split(',').any(|one| one == "merge"));
        let keys = match part
            .get("x-kubernetes-list-map-keys")
            .and_then(Value::as_array)
        {
            Some(keys) => keys
                .iter()
                .filter_map(Value::as_str)
                .map(Text::from)
                .collect(),
            None => text("x-kubernetes-patch-merge-key")
                .map(Text::from)
                .into_iter()
                .collect(),
        };
        let list = part.get("type").is_some_and(|kind| kind == "array");
        let items = part
            .get("items")
            .filter(|_| list)
            .and_then(|items| self.number(items));
        let values = part
            .get("additionalProperties")
            .filter(|it| it.is_object())
            .and_then(|it| self.number(it));
        let mut fields = HashMap::new();
        for (name, field) in part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if let Some(number) = self.number(field) {
                fields.insert(name.clone(), number);
            }
        }
        CustomType {
            merge,
            keys,
            items,
            values,
            fields,
        }
    }

    /// The type that a part of the document describes or refers to.
    fn number(&mut self, part: &'a Value) -> Option<TypeRef> {
        let mut part = part;
        for _ in 0..MAX_REFERENCES {
            let Some(target) = part.get("$ref").and_then(Value::as_str) else {
                break;
            };
            let own = self.document.pointer(target.strip_prefix('#')?);
            let built_in = || built_in_definition(target.strip_prefix("#/definitions/")?);
            match (self.built_in, own) {
                (BuiltIn::Unused | BuiltIn::Types, Some(own)) => part = own,
                (BuiltIn::Unused, None) => return None,
                (BuiltIn::Types, None) => return built_in(),
                (BuiltIn::Scope, own) => match (built_in(), own) {
                    (Some(found), _) => return Some(found),
                    (None, Some(own)) => part = own,
                    (None, None) => return None,
                },
            }
        }
        if part.get("$ref").is_some() || !part.is_object() {
            return None;
        }
        let key = std::ptr::from_ref(part);
        if let Some(number) = self.numbers.get(&key) {
            return Some(TypeRef::Custom(*number));
        }
        let number = u32::try_from(self.result.types.len()).ok()?;
        self.numbers.insert(key, number);
        self.result.types.push(CustomType::default());
        self.waiting.push((number, part));
        Some(TypeRef::Custom(number))
    }

    /// Kinds that have a path without `{namespace}` and none with it have no namespace.
    fn scopes(&mut self) {
        let paths = self.document.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let named = item
                .get("get")
                .and_then(|get| get.get("x-kubernetes-group-version-kind"));
            let Some(id) = named.and_then(type_name) else {
                continue;
            };
            let namespaced = path.contains("namespaces/{namespace}");
            self.result
                .cluster
                .entry(id)
                .and_modify(|cluster| *cluster &= !namespaced)
                .or_insert(!namespaced);
        }
    }
}

/// API version and kind.
fn type_name(named: &Value) -> Option<(String, String)> {
    let text = |name: &str| named.get(name).and_then(Value::as_str);
    let version = text("version")?;
    let api_version = match text("group") {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, text("kind")?.to_owned()))
}
