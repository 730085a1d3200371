//! Strategic merge: one tree laid over another.
//!
//! Maps merge field by field, most lists are replaced, and lists that the schema gives keys merge item by item
//! ([`list`]). The rules are those of kyaml's `merge2`, with what it does on odd input: a patch that says nothing about a
//! list still makes its items pass through the merge.

mod list;

use std::collections::{HashMap, HashSet};

use weir_k8s_yaml::{Kind, Mapping, Node, Sequence, Style, Tag, Text};

use crate::error::{Error, Problem, Result};
use crate::scalar::{self, Links, untagged, wrong_kind};
use crate::schema::{Schemas, TypeRef};

const DIRECTIVE: &str = "$patch";

/// Lays a patch over an object. Gives whether anything of the object is left.
pub(crate) fn merge(target: &mut Node, patch: Node, schemas: &Schemas) -> Result<bool> {
    let mut merger = Merger {
        schemas,
        links: Links::default(),
    };
    // At the root the directive to replace has no effect in the original: it makes a new tree and forgets it.
    if patch.get_str(DIRECTIVE) == Some("replace") {
        return Ok(true);
    }
    let left = merger.over(target, patch, None)?;
    if left {
        merger.links.settle(target);
    }
    Ok(left)
}

/// Where the fields of a map are: looked for, or by an index where that would take long.
enum Positions {
    Few,
    Many(HashMap<Text, usize>),
}

impl Positions {
    fn of(map: &Mapping, questions: usize) -> Self {
        if map.len() < 32 || questions < 8 {
            return Positions::Few;
        }
        let mut index = HashMap::with_capacity(map.len());
        for (at, name) in map
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| Some((at, entry.key.text()?)))
        {
            index.entry(name.clone()).or_insert(at);
        }
        Positions::Many(index)
    }

    /// The position of a field. One that was appended since is found only while there are few.
    fn find(&self, map: &Mapping, name: &str) -> Option<usize> {
        match self {
            Positions::Few => map.position(name),
            Positions::Many(index) => index.get(name).copied(),
        }
    }
}

struct Merger<'a> {
    schemas: &'a Schemas,
    links: Links,
}

/// What a `$patch` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

impl Merger<'_> {
    /// Lays a value over one that is there. Gives whether something is left.
    fn over(&mut self, target: &mut Node, patch: Node, schema: Option<TypeRef>) -> Result<bool> {
        if patch.is_null() {
            return Ok(false);
        }
        if target.is_null() {
            let Some(new) = self.added(patch, schema)? else {
                return Ok(false);
            };
            self.put(target, new);
            return Ok(true);
        }
        match (target.kind(), patch.kind()) {
            (Kind::Mapping, Kind::Mapping) => self.map_over(target, patch, schema),
            (Kind::Sequence, Kind::Sequence) => self.list_over(target, patch, schema),
            (Kind::Scalar | Kind::Alias, Kind::Scalar | Kind::Alias) => {
                self.put(target, patch);
                Ok(true)
            }
            (Kind::Mapping, _) => Err(mismatch(target, &patch, "a map")),
            (Kind::Sequence, _) => Err(mismatch(target, &patch, "a list")),
            (Kind::Scalar | Kind::Alias, _) => Err(mismatch(target, &patch, "a scalar")),
        }
    }

    fn map_over(
        &mut self,
        target: &mut Node,
        mut patch: Node,
        schema: Option<TypeRef>,
    ) -> Result<bool> {
        let schema = schema
            .or_else(|| self.own_schema(target))
            .or_else(|| self.own_schema(&patch));
        match take_directive(&mut patch)? {
            Directive::Delete => return Ok(false),
            Directive::Replace => {
                self.clean_fields(&mut patch, schema)?;
                self.put(target, patch);
                return Ok(true);
            }
            Directive::Merge => {}
        }
        let Some(fields) = patch.as_mapping_mut().map(std::mem::take) else {
            return Ok(true);
        };
        let map = scalar::mapping_mut(target)?;
        let positions = Positions::of(map, fields.len());
        let before = map.len();
        let mut merged = vec![false; before];
        let mut new_names: HashSet<Text> = HashSet::new();
        let mut gone: Vec<usize> = Vec::new();
        for entry in fields {
            let Some(name) = entry.key.text().cloned() else {
                return Err(wrong_kind(&entry.key, "a name"));
            };
            let inner = self.field_schema(schema, &name);
            match positions.find(map, &name) {
                // Of fields that stand twice in a patch the first counts.
                Some(at) if merged.get(at).copied().unwrap_or(true) => {}
                Some(at) => {
                    merged[at] = true;
                    let place = &mut map.entries_mut()[at].value;
                    if !self
                        .over(place, entry.value, inner)
                        .map_err(|error| within(error, &name))?
                    {
                        gone.push(at);
                    }
                }
                None if new_names.contains(&name) => {}
                None => {
                    if matches!(positions, Positions::Many(_)) {
                        new_names.insert(name.clone());
                    }
                    if let Some(new) = self
                        .added(entry.value, inner)
                        .map_err(|error| within(error, &name))?
                    {
                        let mut key = untagged(name);
                        key.set_style(if entry.key.style() == Style::Flow {
                            Style::Default
                        } else {
                            entry.key.style()
                        });
                        map.push(key, new);
                    }
                }
            }
        }
        for at in (0..before).filter(|at| !merged[*at]) {
            let entry = &mut map.entries_mut()[at];
            let inner = entry
                .key
                .as_str()
                .and_then(|name| self.field_schema(schema, name));
            if !self.untouched(&mut entry.value, inner)? {
                gone.push(at);
            }
        }
        remove_all(map, gone);
        Ok(true)
    }

    fn list_over(
        &mut self,
        target: &mut Node,
        mut patch: Node,
        schema: Option<TypeRef>,
    ) -> Result<bool> {
        let Some((keys, items)) = self.keyed(schema) else {
            self.put(target, patch);
            return Ok(true);
        };
        let mut laid = take_items(&mut patch);
        match list::take_directive(&mut laid)? {
            Directive::Delete => Ok(false),
            Directive::Replace => {
                let merged = self.merge_list(laid, list::Laid::Same, keys, items)?;
                self.put(target, Node::sequence(merged.into()));
                Ok(true)
            }
            Directive::Merge => {
                let old = take_items(target);
                let merged = self.merge_list(old, list::Laid::Items(laid), keys, items)?;
                *items_of(target) = merged;
                Ok(true)
            }
        }
    }

    /// A value of a patch where the target has nothing: directives and nulls in it act, and are gone.
    fn added(&mut self, mut new: Node, schema: Option<TypeRef>) -> Result<Option<Node>> {
        if new.is_null() {
            return Ok(None);
        }
        match new.kind() {
            Kind::Mapping => {
                let schema = schema.or_else(|| self.own_schema(&new));
                if new.get_str(DIRECTIVE) == Some("delete") {
                    return Ok(None);
                }
                if matches!(new.get_str(DIRECTIVE), Some("replace" | "merge")) {
                    new.remove(DIRECTIVE);
                }
                self.clean_fields(&mut new, schema)?;
            }
            Kind::Sequence => {
                if let Some((keys, items)) = self.keyed(schema) {
                    let laid = take_items(&mut new);
                    *items_of(&mut new) = self.merge_list(laid, list::Laid::Same, keys, items)?;
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
        Ok(Some(new))
    }

    /// A value laid over itself. Gives whether something is left.
    fn clean(&mut self, node: &mut Node, schema: Option<TypeRef>) -> Result<bool> {
        if node.is_null() {
            return Ok(false);
        }
        match node.kind() {
            Kind::Mapping => {
                let schema = schema.or_else(|| self.own_schema(node));
                if take_directive(node)? == Directive::Delete {
                    return Ok(false);
                }
                self.clean_fields(node, schema)?;
            }
            Kind::Sequence => {
                if let Some((keys, items)) = self.keyed(schema) {
                    let mut laid = take_items(node);
                    if list::take_directive(&mut laid)? == Directive::Delete {
                        return Ok(false);
                    }
                    *items_of(node) = self.merge_list(laid, list::Laid::Same, keys, items)?;
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
        Ok(true)
    }

    fn clean_fields(&mut self, node: &mut Node, schema: Option<TypeRef>) -> Result<()> {
        let Some(map) = node.as_mapping_mut() else {
            return Ok(());
        };
        let mut gone = Vec::new();
        for (at, entry) in map.iter_mut().enumerate() {
            let name = entry.key.as_str().unwrap_or_default();
            let inner = self.field_schema(schema, name);
            if !self
                .clean(&mut entry.value, inner)
                .map_err(|error| within(error, name))?
            {
                gone.push(at);
            }
        }
        remove_all(map, gone);
        Ok(())
    }

    /// A value that the patch says nothing about. Gives whether something is left.
    fn untouched(&mut self, node: &mut Node, schema: Option<TypeRef>) -> Result<bool> {
        if node.is_null() {
            // A null that was written out stays; an empty value goes.
            return Ok(node.as_str().is_some_and(|text| !text.is_empty()));
        }
        match node.kind() {
            Kind::Mapping => {
                let schema = schema.or_else(|| self.own_schema(node));
                let Some(map) = node.as_mapping_mut() else {
                    return Ok(true);
                };
                let mut gone = Vec::new();
                for (at, entry) in map.iter_mut().enumerate() {
                    let settled = matches!(entry.value.kind(), Kind::Scalar | Kind::Alias)
                        && !entry.value.is_null();
                    if settled {
                        continue;
                    }
                    let inner = entry
                        .key
                        .as_str()
                        .and_then(|name| self.field_schema(schema, name));
                    if !self.untouched(&mut entry.value, inner)? {
                        gone.push(at);
                    }
                }
                remove_all(map, gone);
            }
            Kind::Sequence => {
                if let Some((keys, items)) = self.keyed(schema) {
                    let old = take_items(node);
                    *items_of(node) = self.merge_list(old, list::Laid::Nothing, keys, items)?;
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
        Ok(true)
    }

    /// Puts a value into a place, whose style it takes over.
    fn put(&mut self, place: &mut Node, mut value: Node) {
        value.set_style(place.style());
        scalar::overwrite(place, value, &mut self.links);
    }

    fn keyed(&self, schema: Option<TypeRef>) -> Option<(Vec<Text>, Option<TypeRef>)> {
        let schema = schema?;
        Some((self.schemas.merge_keys(schema)?, self.schemas.items(schema)))
    }

    fn field_schema(&self, of: Option<TypeRef>, name: &str) -> Option<TypeRef> {
        self.schemas.field(of?, name)
    }

    /// The type of a map that is an object itself.
    fn own_schema(&self, node: &Node) -> Option<TypeRef> {
        let map = node.as_mapping()?;
        let text = |name: &str| {
            map.get(name)
                .filter(|it| !it.is_null())
                .and_then(Node::as_str)
                .filter(|it| !it.is_empty())
        };
        self.schemas.object(text("apiVersion")?, text("kind")?)
    }
}

/// Takes the directive out of a map.
fn take_directive(node: &mut Node) -> Result<Directive> {
    let Some(value) = node.get(DIRECTIVE) else {
        return Ok(Directive::Merge);
    };
    let directive = parse_directive(value)?;
    node.remove(DIRECTIVE);
    Ok(directive)
}

fn parse_directive(value: &Node) -> Result<Directive> {
    match value.as_str().unwrap_or_default() {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(Error::new(Problem::PatchDirective(other.to_owned()))
            .at(value.span())
            .help("`$patch` can be `merge`, `replace` or `delete`")),
    }
}

fn take_items(list: &mut Node) -> Vec<Node> {
    list.as_sequence_mut()
        .map(std::mem::take)
        .map(Sequence::into_items)
        .unwrap_or_default()
}

fn items_of(list: &mut Node) -> &mut Vec<Node> {
    if list.as_sequence().is_none() {
        *list = Node::sequence(Sequence::new());
    }
    match list.as_sequence_mut() {
        Some(sequence) => sequence.items_mut(),
        None => unreachable!("it was made a list"),
    }
}

fn remove_all(map: &mut Mapping, mut gone: Vec<usize>) {
    gone.sort_unstable();
    for at in gone.into_iter().rev() {
        map.remove_at(at);
    }
}

fn mismatch(target: &Node, patch: &Node, expected: &'static str) -> Error {
    Error::new(Problem::MergeKinds {
        target: scalar::describe(target),
        patch: scalar::describe(patch),
    })
    .at(patch.span())
    .help(format!("the object has {expected} there"))
}

/// Adds one step to the field that an error is about.
fn within(error: Error, name: &str) -> Error {
    let field = match error.field() {
        "" => name.to_owned(),
        inner => format!("{name}.{inner}"),
    };
    error.set_field(field)
}

/// Whether two values are the same text, as lists of scalars are merged.
fn text_of(node: &Node) -> &str {
    node.as_str().unwrap_or_default()
}

fn new_scalar(text: &str) -> Node {
    Node::tagged(text.into(), Tag::None)
}
