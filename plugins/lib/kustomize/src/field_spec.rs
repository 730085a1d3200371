//! Field specs: which field of which kinds a transformer changes.

use std::rc::Rc;

use weir_k8s_yaml::{Kind, Mapping, Node, Sequence, Tag, Text};

use crate::error::{Error, Problem, Result};
use crate::id::Gvk;
use crate::resource::Resource;
use crate::scalar::{self, Links, untagged};

/// A field of the objects of some kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    /// Blank parts match anything.
    pub(crate) gvk: Gvk,
    path: Rc<Path>,
    /// Whether the field is made where it is missing.
    pub(crate) create: bool,
}

/// A path through maps; lists on the way are crossed.
#[derive(Debug, PartialEq, Eq)]
struct Path {
    text: Text,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq)]
struct Segment {
    name: Text,
    /// Whether the path says that the field is a list: then it is never made.
    list: bool,
}

/// What is made at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Nothing: the field has to be there.
    Existing,
    /// A map.
    Map,
    /// A scalar with this tag.
    Scalar(Tag),
}

impl FieldSpec {
    pub(crate) fn new(gvk: Gvk, path: &str, create: bool) -> Self {
        Self {
            gvk,
            path: Rc::new(Path::parse(path)),
            create,
        }
    }

    /// The path as written.
    pub(crate) fn path(&self) -> &str {
        &self.path.text
    }

    /// The same field, whatever is made of it.
    pub(crate) fn same_path(&self, other: &FieldSpec) -> bool {
        Rc::ptr_eq(&self.path, &other.path) || self.path.text == other.path.text
    }

    /// Calls `change` with every node at the path, if the object is of the right kind.
    pub(crate) fn visit(
        &self,
        resource: &mut Resource,
        links: &mut Links,
        leaf: Leaf,
        change: &mut dyn FnMut(&mut Node, &mut Links) -> Result<()>,
    ) -> Result<()> {
        if !resource.gvk().selected_by(&self.gvk) {
            return Ok(());
        }
        self.visit_node(resource, links, leaf, change)
    }

    /// As [`FieldSpec::visit`], whatever the kind.
    pub(crate) fn visit_node(
        &self,
        resource: &mut Resource,
        links: &mut Links,
        leaf: Leaf,
        change: &mut dyn FnMut(&mut Node, &mut Links) -> Result<()>,
    ) -> Result<()> {
        let leaf = if self.create { leaf } else { Leaf::Existing };
        let walked = walk(&mut resource.node, &self.path.segments, leaf, links, change);
        links.settle(&mut resource.node);
        walked.map_err(|error| {
            let error = match &resource.file {
                Some(file) => error.in_file(file),
                None => error,
            };
            error.in_field(self.path()).in_object(resource.id())
        })
    }
}

impl Path {
    fn parse(text: &str) -> Self {
        let segments = split(text, '/').into_iter().map(|part| {
            let name = part.strip_suffix("[]");
            Segment {
                list: name.is_some(),
                name: name.unwrap_or(&part).trim().into(),
            }
        });
        Self {
            text: text.into(),
            segments: segments.collect(),
        }
    }
}

/// Cuts a path at a delimiter, except where a backslash stands before it; one leading delimiter is ignored.
pub(crate) fn split(path: &str, delimiter: char) -> Vec<String> {
    let mut parts = path.split(delimiter).peekable();
    if path.contains(delimiter) && parts.peek() == Some(&"") {
        parts.next();
    }
    let mut result: Vec<String> = Vec::new();
    for part in parts {
        match result.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(delimiter);
                last.push_str(part);
            }
            _ => result.push(part.to_owned()),
        }
    }
    result
}

fn walk(
    node: &mut Node,
    path: &[Segment],
    leaf: Leaf,
    links: &mut Links,
    change: &mut dyn FnMut(&mut Node, &mut Links) -> Result<()>,
) -> Result<()> {
    let Some((segment, rest)) = path.split_first() else {
        return change(node, links);
    };
    if node.is_null() {
        return Ok(());
    }
    match node.kind() {
        Kind::Sequence => {
            let items = node.as_sequence_mut().map(Sequence::items_mut);
            items
                .into_iter()
                .flatten()
                .try_for_each(|item| walk(item, path, leaf, links, change))
        }
        Kind::Mapping => match field(scalar::mapping_mut(node)?, segment, rest.is_empty(), leaf)? {
            Some(found) => walk(found, rest, leaf, links, change),
            None => Ok(()),
        },
        Kind::Scalar | Kind::Alias => Err(scalar::wrong_kind(node, "a map or a list")),
    }
}

/// The field that a segment names, made if that is wanted.
fn field<'a>(
    map: &'a mut Mapping,
    segment: &Segment,
    last: bool,
    leaf: Leaf,
) -> Result<Option<&'a mut Node>> {
    let name = segment.name.as_str();
    if name.is_empty() {
        return Err(Error::new(Problem::EmptyPathSegment));
    }
    let create = leaf != Leaf::Existing && !segment.list;
    let Some(at) = map.position(name) else {
        if !create {
            return Ok(None);
        }
        map.push(untagged(name), made(last, leaf));
        return Ok(map.entries_mut().last_mut().map(|entry| &mut entry.value));
    };
    let found = &mut map.entries_mut()[at].value;
    if found.is_null() {
        if segment.list {
            *found = Node::sequence(Sequence::new());
        } else if create {
            // A null becomes what is made there, but a scalar keeps its text.
            match (last, leaf) {
                (true, Leaf::Scalar(tag)) => found.set_tag(tag),
                (_, Leaf::Existing | Leaf::Map | Leaf::Scalar(_)) => *found = scalar::empty_map(),
            }
        }
    }
    Ok(Some(found))
}

fn made(last: bool, leaf: Leaf) -> Node {
    match (last, leaf) {
        (true, Leaf::Scalar(_)) => untagged(""),
        (_, Leaf::Existing | Leaf::Map | Leaf::Scalar(_)) => scalar::empty_map(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schemas;
    use weir_k8s_yaml::{ParseOptions, Schema, parse, resolve};

    fn check(path: &str, create: bool, text: &str, expected: &str) {
        let root = parse(text, &ParseOptions::default()).unwrap().unwrap().root;
        let mut resource = Resource::new(root, None, &Schemas::default());
        let spec = FieldSpec::new(Gvk::default(), path, create);
        let mut links = Links::default();
        let done = spec.visit(
            &mut resource,
            &mut links,
            Leaf::Scalar(Tag::Str),
            &mut |node, links| scalar::set_scalar(node, Node::string("x"), links),
        );
        let shown = match done {
            Ok(()) => resolve(&resource.node, Schema::Kyaml).unwrap().to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{path} on {text}");
    }

    #[test]
    fn paths_cross_lists_and_keep_escaped_slashes() {
        check(
            "a/b",
            false,
            "a: [{b: 1}, {c: 2}, {b: 3}]",
            r#"{"a":[{"b":"x"},{"c":2},{"b":"x"}]}"#,
        );
        check(r"a/b\/c", false, "a: {b/c: 1}", r#"{"a":{"b/c":"x"}}"#);
        check("/a", false, "a: 1", r#"{"a":"x"}"#);
    }

    #[test]
    fn fields_are_made_only_where_that_is_wanted() {
        check("a/b", false, "{}", "{}");
        check("a/b", true, "z: 1", r#"{"z":1,"a":{"b":"x"}}"#);
        check("a/b", true, "a:", r#"{"a":{"b":"x"}}"#);
        check("a/b", false, "a:", r#"{"a":null}"#);
        check("a[]/b", true, "z: 1", r#"{"z":1}"#);
        check("a[]/b", true, "a:", r#"{"a":[]}"#);
    }

    #[test]
    fn a_scalar_on_the_way_is_an_error() {
        check(
            "a/b",
            false,
            "a: 1",
            "error: a/b: expected a map or a list, found the number `1` (in [noKind].[noVer].[noGrp]/[noName].[noNs])",
        );
    }
}
