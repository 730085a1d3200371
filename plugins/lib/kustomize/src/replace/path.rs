//! Paths of replacements and vars: `a.b`, `a.[name=x].b`, `a.0`, `a.*`.

use weir_k8s_yaml::{Kind, Mapping, Node, Sequence, Text};

use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::field_spec;
use crate::scalar::{self, untagged, wrong_kind};
use crate::selector::go_regex;

/// What is made at the end of a path whose fields are missing.
pub(crate) type Create = Option<Kind>;

/// Cuts a path at its dots: `\.` is a dot in a name, and brackets hold a selector or a name with dots.
pub(crate) fn split(path: &str) -> Vec<String> {
    let mut parts = field_spec::split(path, '.').into_iter();
    let mut result = Vec::new();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            result.push(part);
            continue;
        }
        let mut bracketed = part;
        for more in parts.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if bracketed.contains('=') {
            result.push(bracketed);
        } else {
            result.push(bracketed.trim_matches(['[', ']']).to_owned());
        }
    }
    result
}

/// One part of a path.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Field(&'a str),
    Index(usize),
    Last,
    Every,
    /// Items whose field has a value; without a field, items that are the value.
    Select(&'a str, &'a str),
}

fn part(text: &str) -> Result<Part<'_>> {
    if let Some(at) = whole_number(text) {
        return match usize::try_from(at) {
            Ok(at) => Ok(Part::Index(at)),
            Err(_) => Err(Error::new(Problem::NegativeIndex(text.to_owned()))),
        };
    }
    match text {
        "-" => Ok(Part::Last),
        "*" => Ok(Part::Every),
        text if text.starts_with('[') && text.ends_with(']') => {
            let inner = text.strip_suffix(']').unwrap_or(text);
            let inner = inner.strip_prefix('[').unwrap_or(inner);
            let (field, value) = inner.split_once('=').ok_or_else(|| {
                Error::new(Problem::PathSelector(text.to_owned()))
                    .help("write `[name=value]`, or `[=value]` for scalars")
            })?;
            Ok(Part::Select(field, value))
        }
        text => Ok(Part::Field(text)),
    }
}

/// A number as Go's `Atoi` reads it.
fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The one node at a path, as a source is looked up: selectors compare, and take the first.
pub(crate) fn lookup<'a>(root: &'a Node, path: &[String]) -> Result<Option<&'a Node>> {
    let mut node = root;
    for text in path {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        match step(node, text)? {
            Some(found) => node = found,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

/// "did you mean" with the fields that stand where the path breaks off.
pub(crate) fn nearest_field(root: &Node, path: &[String]) -> String {
    let mut node = root;
    for text in path
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        match step(node, text) {
            Ok(Some(found)) => node = found,
            Ok(None) | Err(_) => {
                let names = node.as_mapping().into_iter().flat_map(Mapping::keys);
                return did_you_mean(&nearest(text, names.map(Text::as_str)));
            }
        }
    }
    String::new()
}

/// As [`lookup`], to be changed.
pub(crate) fn lookup_mut<'a>(root: &'a mut Node, path: &[String]) -> Result<Option<&'a mut Node>> {
    let mut node = root;
    for text in path {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let Some(at) = position(node, text)? else {
            return Ok(None);
        };
        let found = match node.kind() {
            Kind::Mapping => node
                .as_mapping_mut()
                .and_then(|map| map.entries_mut().get_mut(at))
                .map(|it| &mut it.value),
            Kind::Sequence => node.as_sequence_mut().and_then(|list| list.get_mut(at)),
            Kind::Scalar | Kind::Alias => None,
        };
        match found {
            Some(found) => node = found,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

fn step<'a>(node: &'a Node, text: &str) -> Result<Option<&'a Node>> {
    let Some(at) = position(node, text)? else {
        return Ok(None);
    };
    Ok(match node.kind() {
        Kind::Mapping => node
            .as_mapping()
            .and_then(|map| map.entries().get(at))
            .map(|entry| &entry.value),
        Kind::Sequence => node.as_sequence().and_then(|list| list.get(at)),
        Kind::Scalar | Kind::Alias => None,
    })
}

/// The position of the child that a part means.
fn position(node: &Node, text: &str) -> Result<Option<usize>> {
    let part = part(text)?;
    if node.is_null() {
        return match part {
            Part::Every => Err(Error::new(Problem::WildcardInSource)),
            Part::Field(_) | Part::Index(_) | Part::Last | Part::Select(..) => Ok(None),
        };
    }
    let list = || node.as_sequence().ok_or_else(|| wrong_kind(node, "a list"));
    Ok(match part {
        Part::Field(name) => node
            .as_mapping()
            .ok_or_else(|| wrong_kind(node, "a map"))?
            .position(name),
        Part::Index(at) => Some(at)
            .filter(|at| list().is_ok_and(|list| *at < list.len()))
            .or(list()?.get(at).map(|_| at)),
        Part::Last => list()?.len().checked_sub(1),
        Part::Every => {
            return Err(Error::new(Problem::WildcardInSource)
                .help("`*` works in `fieldPaths` of targets only"));
        }
        Part::Select("", value) => list()?
            .iter()
            .position(|item| item.as_str().unwrap_or_default() == value),
        Part::Select(field, value) => list()?
            .iter()
            .position(|item| item.get_str(field) == Some(value)),
    })
}

/// Calls `change` with every node at a path, as targets are looked up: selectors are expressions, and select all items that match.
/// Gives how many there were.
pub(crate) fn visit(
    node: &mut Node,
    path: &[String],
    create: Create,
    change: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    let Some((text, rest)) = path.split_first() else {
        change(node)?;
        return Ok(1);
    };
    match target_part(text)? {
        Part::Index(at) => visit_index(node, at, text, rest, create, change),
        Part::Select(field, value) => visit_selected(node, field, value, rest, create, change),
        Part::Every => {
            if node.is_null() {
                return Ok(0);
            }
            let items = items_mut(node)?;
            let mut found = 0;
            for item in items {
                found += visit(item, rest, create, change)?;
            }
            Ok(found)
        }
        Part::Field(name) => visit_field(node, name, rest, create, change),
        Part::Last => visit_field(node, "-", rest, create, change),
    }
}

/// In targets a negative number is the name of a field.
fn target_part(text: &str) -> Result<Part<'_>> {
    if whole_number(text).is_some_and(|at| at < 0) {
        Ok(Part::Field(text))
    } else {
        part(text)
    }
}

fn visit_field(
    node: &mut Node,
    name: &str,
    rest: &[String],
    create: Create,
    change: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    if node.is_null() {
        return into_null(scalar::empty_map(), create, |made| {
            visit_field(made, name, rest, create, change)
        });
    }
    if node.as_mapping().is_none() {
        return Err(wrong_kind(node, "a map"));
    }
    if node.get(name).is_none() {
        let Some(kind) = create else {
            return Ok(0);
        };
        let next = rest.first().map_or("", String::as_str);
        scalar::mapping_mut(node)?.push(untagged(name), made(next, kind));
    }
    let Some(field) = node.get_mut(name) else {
        return Ok(0);
    };
    if field.kind() == Kind::Scalar && !rest.is_empty() {
        return super::structured::visit_copy(field, rest, create, change);
    }
    visit(field, rest, create, change)
}

fn visit_index(
    node: &mut Node,
    at: usize,
    text: &str,
    rest: &[String],
    create: Create,
    change: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    if node.is_null() && at == 0 && create.is_some() {
        let list = Node::sequence(Sequence::new());
        return into_null(list, create, |made| {
            visit_index(made, at, text, rest, create, change)
        });
    }
    let items = items_mut(node)?;
    if at == items.len()
        && let Some(kind) = create
    {
        items.push(made(rest.first().map_or("", String::as_str), kind));
    }
    let count = items.len();
    match items.get_mut(at) {
        Some(item) => visit(item, rest, create, change),
        None => Err(Error::new(Problem::PathIndex {
            index: text.to_owned(),
            count,
        })),
    }
}

fn visit_selected(
    node: &mut Node,
    field: &str,
    value: &str,
    rest: &[String],
    create: Create,
    change: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    if node.is_null() {
        let list = Node::sequence(Sequence::new());
        return into_null(list, create, |made| {
            visit_selected(made, field, value, rest, create, change)
        });
    }
    let expression = if go_regex::is_literal(value) {
        None
    } else {
        Some(go_regex::compile(value)?)
    };
    let fits = |text: &str| match &expression {
        None => text.contains(value),
        Some(expression) => expression.is_match(text.as_bytes()),
    };
    let mut found = 0;
    for item in items_mut(node)? {
        let text = if field.is_empty() {
            Some(shown(item)?)
        } else {
            item.get(field).map(shown).transpose()?
        };
        if !text.is_some_and(|text| fits(&text)) {
            continue;
        }
        if field.is_empty() {
            change(item)?;
            found += 1;
        } else {
            found += visit(item, rest, create, change)?;
        }
    }
    if found > 0 || create.is_none() {
        return Ok(found);
    }
    let new = if field.is_empty() {
        untagged(value)
    } else {
        let mut map = Mapping::new();
        map.push(untagged(field), untagged(value));
        Node::mapping(map)
    };
    if !fits(value) {
        return Err(
            Error::new(Problem::PathSelector(format!("[{field}={value}]")))
                .help("an item made for it would not match the expression"),
        );
    }
    let items = items_mut(node)?;
    items.push(new);
    match items.last_mut() {
        Some(item) if field.is_empty() => {
            change(item)?;
            Ok(1)
        }
        Some(item) => visit(item, rest, create, change),
        None => Ok(0),
    }
}

/// A value as kyaml prints it, without surrounding white space.
fn shown(node: &Node) -> Result<String> {
    if let (Kind::Scalar, false) = (node.kind(), scalar::quoted(node.style())) {
        let text = node.as_str().unwrap_or_default();
        let plain = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && (node.tag() != weir_k8s_yaml::Tag::Str
                || weir_k8s_yaml::Schema::Kyaml.tag(text) == weir_k8s_yaml::Tag::Str);
        if plain {
            return Ok(text.to_owned());
        }
    }
    let mut node = node.clone();
    node.set_anchor(None);
    let text =
        weir_k8s_yaml::emit(&node, &weir_k8s_yaml::EmitOptions::kyaml()).map_err(Error::yaml)?;
    Ok(text.trim().to_owned())
}

/// What is made in a null is lost: the original hangs it below a scalar, which is written as null all the same.
fn into_null(
    mut made: Node,
    create: Create,
    visit: impl FnOnce(&mut Node) -> Result<usize>,
) -> Result<usize> {
    if create.is_some() {
        visit(&mut made)
    } else {
        Ok(0)
    }
}

fn items_mut(node: &mut Node) -> Result<&mut Vec<Node>> {
    if node.as_sequence().is_none() {
        return Err(wrong_kind(node, "a list"));
    }
    match node.as_sequence_mut() {
        Some(list) => Ok(list.items_mut()),
        None => unreachable!("it is a list"),
    }
}

/// What is made for a part: the next one decides.
fn made(next: &str, last: Kind) -> Node {
    let list = next.starts_with('[') && next.ends_with(']')
        || whole_number(next).is_some_and(|at| at >= 0);
    match (list, next.is_empty(), last) {
        (true, ..) | (false, true, Kind::Sequence) => Node::sequence(Sequence::new()),
        (false, false, _) | (false, true, Kind::Mapping) => scalar::empty_map(),
        (false, true, Kind::Scalar | Kind::Alias) => untagged(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_k8s_yaml::{ParseOptions, Schema, parse, resolve};

    fn check(path: &str, create: Create, text: &str, expected: &str) {
        let mut root = parse(text, &ParseOptions::default()).unwrap().unwrap().root;
        let found = visit(&mut root, &split(path), create, &mut |node| {
            *node = Node::string("X");
            Ok(())
        });
        let shown = match found {
            Ok(0) => "none".to_owned(),
            Ok(_) => resolve(&root, Schema::Kyaml).unwrap().to_string(),
            Err(_) => "error".to_owned(),
        };
        assert_eq!(shown, expected, "{path} on {text}");
    }

    #[test]
    fn paths_are_cut_at_dots() {
        assert_eq!(
            split(r"a.b\.c.[x.y/z].[n=a.b].0"),
            ["a", "b.c", "x.y/z", "[n=a.b]", "0"]
        );
    }

    #[test]
    fn targets_are_all_nodes_that_match() {
        check(
            "a.*.b",
            None,
            "a: [{b: 1}, {c: 2}, {b: 3}]",
            r#"{"a":[{"b":"X"},{"c":2},{"b":"X"}]}"#,
        );
        check(
            "a.[n=x].b",
            None,
            "a: [{n: ax, b: 1}, {n: y, b: 2}]",
            r#"{"a":[{"n":"ax","b":"X"},{"n":"y","b":2}]}"#,
        );
        check("a.[=^x$]", None, "a: [x, xy]", r#"{"a":["X","xy"]}"#);
        check("a.1", None, "a: [x, y]", r#"{"a":["x","X"]}"#);
        check("a.2", None, "a: [x, y]", "error");
        check("a.b", None, "a: {c: 1}", "none");
        check("a.*", None, "a: {c: 1}", "error");
    }

    #[test]
    fn missing_parts_are_made_when_asked() {
        check(
            "a.[n=x].b",
            Some(Kind::Scalar),
            "z: 1",
            r#"{"z":1,"a":[{"n":"x","b":"X"}]}"#,
        );
        check(
            "a.0.b",
            Some(Kind::Scalar),
            "z: 1",
            r#"{"z":1,"a":[{"b":"X"}]}"#,
        );
        check(
            "a.b.c",
            Some(Kind::Scalar),
            "a: {}",
            r#"{"a":{"b":{"c":"X"}}}"#,
        );
        check("a.b.c", Some(Kind::Scalar), "a:", "error");
        check("a.b.c", Some(Kind::Scalar), "a: null", r#"{"a":null}"#);
    }

    #[test]
    fn sources_are_one_node() {
        let root = parse("a: [{n: x, b: 1}, {n: xx, b: 2}]", &ParseOptions::default())
            .unwrap()
            .unwrap()
            .root;
        let text = |path: &str| {
            lookup(&root, &split(path))
                .unwrap()
                .and_then(Node::as_str)
                .map(str::to_owned)
        };
        assert_eq!(text("a.[n=x].b").as_deref(), Some("1"));
        assert_eq!(text("a.-.b").as_deref(), Some("2"));
        assert_eq!(text("a.5.b"), None);
        assert!(lookup(&root, &split("a.*.b")).is_err());
        assert!(lookup(&root, &split("a.[x]")).is_err());
    }
}
