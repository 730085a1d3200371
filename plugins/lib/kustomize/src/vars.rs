//! `vars`: values of objects, put into texts in certain fields.

mod expand;

use std::collections::BTreeMap;

use weir_k8s_yaml::{Data, Kind, Node, ResolveOptions, Schema, Style, Tag, resolve_data};

use crate::config::Specs;
use crate::error::{Error, Problem, Result};
use crate::field_spec::Leaf;
use crate::id::ObjectId;
use crate::kustomization::Var;
use crate::replace::path;
use crate::scalar::{self, Links};
use crate::set::ResourceSet;

/// The vars of a level and of all below it, by name.
#[derive(Debug, Default)]
pub(crate) struct Vars {
    all: BTreeMap<String, Var>,
}

/// The value of a var.
#[derive(Debug, Clone, PartialEq)]
enum VarValue {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A map or a list, which is put nowhere.
    Other,
}

impl Vars {
    /// Adds the vars of a kustomization, and marks the objects that they read from.
    pub(crate) fn add(&mut self, vars: &[Var], set: &mut ResourceSet) -> Result<()> {
        for var in vars {
            let id = ObjectId {
                gvk: var.object.clone(),
                name: var.object_name.as_str().into(),
                namespace: var.object_namespace.as_str().into(),
                cluster: false,
            };
            let found: Vec<usize> = if id.namespace.is_empty() {
                let fits = |other: &ObjectId| other.name == id.name && other.gvk == id.gvk;
                (0..set.len())
                    .filter(|at| !set.get(*at).deleted() && set.get(*at).any_id(fits))
                    .collect()
            } else {
                set.any(&id)
            };
            match found.as_slice() {
                [] => {}
                [at] => set.get_mut(*at).vars.push(var.name.as_str().into()),
                many => {
                    return Err(Error::new(Problem::VarAmbiguous {
                        name: var.name.clone(),
                        count: many.len(),
                    })
                    .help("add the namespace to `objref`"));
                }
            }
        }
        vars.iter().try_for_each(|var| self.insert(var.clone()))
    }

    pub(crate) fn merge(&mut self, other: Vars) -> Result<()> {
        other.all.into_values().try_for_each(|var| self.insert(var))
    }

    fn insert(&mut self, var: Var) -> Result<()> {
        if self.all.contains_key(&var.name) {
            return Err(Error::new(Problem::VarTwice { name: var.name }));
        }
        self.all.insert(var.name.clone(), var);
        Ok(())
    }

    /// Puts the values in.
    pub(crate) fn resolve(&self, set: &mut ResourceSet, specs: &Specs) -> Result<()> {
        if self.all.is_empty() {
            return Ok(());
        }
        let mut values = BTreeMap::new();
        for var in self.all.values() {
            values.insert(var.name.as_str(), value(var, set)?);
        }
        for resource in set
            .items_mut()
            .iter_mut()
            .filter(|resource| !resource.deleted())
        {
            let mut links = Links::default();
            for spec in specs.iter() {
                spec.visit(resource, &mut links, Leaf::Existing, &mut |node, links| {
                    expand_in(node, &values, links)
                })?;
            }
        }
        Ok(())
    }
}

/// Reads the value of a var from the object that is marked for it.
fn value(var: &Var, set: &ResourceSet) -> Result<VarValue> {
    let Some(resource) = set
        .iter()
        .find(|resource| resource.vars.iter().any(|name| *name == var.name))
    else {
        return Err(Error::new(Problem::VarUnmatched {
            name: var.name.clone(),
        })
        .in_field("vars")
        .help("`objref` has to name an object of this build by apiVersion, kind and name"));
    };
    let steps = with_indexes(path::split(&var.field_path));
    let Some(node) = path::lookup(&resource.node, &steps).ok().flatten() else {
        return Err(Error::new(Problem::VarField {
            name: var.name.clone(),
            field: var.field_path.clone(),
        })
        .in_field("vars")
        .in_object(resource.id()));
    };
    if node.kind() != Kind::Scalar {
        return Ok(VarValue::Other);
    }
    let data = resolve_data(node, &ResolveOptions::new(Schema::Kyaml)).map_err(Error::yaml)?;
    Ok(match data {
        Data::Str(text) => VarValue::Text(text.into_owned()),
        Data::Bool(value) => VarValue::Bool(value),
        Data::Int(value) => VarValue::Int(value),
        Data::Uint(value) => VarValue::Float(value as f64),
        Data::Float(value) => VarValue::Float(value),
        Data::Null | Data::Seq(_) | Data::Map(_) => VarValue::Other,
    })
}

/// `ports[0]` means `ports.0` here.
fn with_indexes(parts: Vec<String>) -> Vec<String> {
    let each = parts.into_iter().flat_map(|part| {
        let indexed = part
            .strip_suffix(']')
            .and_then(|rest| rest.rsplit_once('['));
        match indexed
            .filter(|(_, at)| !at.is_empty() && at.bytes().all(|byte| byte.is_ascii_digit()))
        {
            Some(("", at)) => vec![at.to_owned()],
            Some((name, at)) => vec![name.to_owned(), at.to_owned()],
            None => vec![part],
        }
    });
    each.collect()
}

/// Replaces references in a text, in the texts of a map, or in a list of texts.
fn expand_in(node: &mut Node, values: &BTreeMap<&str, VarValue>, links: &mut Links) -> Result<()> {
    if node.is_null() {
        return Ok(());
    }
    match node.kind() {
        Kind::Scalar | Kind::Alias => expand_one(node, values, links),
        Kind::Mapping => {
            for entry in scalar::mapping_mut(node)?.iter_mut() {
                if !scalar::is_string(&entry.key) {
                    return Err(scalar::wrong_kind(&entry.key, "a string as the key"));
                }
                expand_one(&mut entry.value, values, links)?;
            }
            Ok(())
        }
        Kind::Sequence => {
            for item in node.as_sequence_mut().into_iter().flatten() {
                if !scalar::is_string(item) {
                    return Err(scalar::wrong_kind(item, "a string"));
                }
                expand_one(item, values, links)?;
            }
            Ok(())
        }
    }
}

fn expand_one(node: &mut Node, values: &BTreeMap<&str, VarValue>, links: &mut Links) -> Result<()> {
    links.refresh(node);
    if !scalar::is_string(node) {
        return Ok(());
    }
    let new = match expand::expand(node.as_str().unwrap_or_default(), values) {
        VarValue::Text(text) => {
            let literal = text.contains('\n');
            let mut node = Node::string(text);
            if literal {
                node.set_style(Style::Literal);
            }
            node
        }
        VarValue::Int(value) => Node::int(value),
        VarValue::Bool(value) => Node::bool(value),
        VarValue::Float(value) => Node::tagged(format!("{value}").into(), Tag::Float),
        VarValue::Other => return Ok(()),
    };
    scalar::overwrite(node, new, links);
    Ok(())
}
