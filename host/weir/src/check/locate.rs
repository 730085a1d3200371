//! Where a field of an object stands in the file that the object came from.

use weir_k8s_yaml::{Content, Node, ParseOptions, documents};

/// A field of an object of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    /// A JSON pointer.
    pub(crate) pointer: &'a str,
}

/// Line and column of the field, or of the part of the way to it that is there. `line` tells documents apart that are not of
/// this name, as before a prefix was put before it.
pub(crate) fn locate(text: &str, line: u32, wanted: &Wanted<'_>) -> Option<(u32, u32)> {
    object(text, line, wanted).map(|root| walk(&root, wanted.pointer).0)
}

/// Whether the object is there with the whole way to the field.
pub(crate) fn stands(text: &str, line: u32, wanted: &Wanted<'_>) -> bool {
    object(text, line, wanted).is_some_and(|root| walk(&root, wanted.pointer).1)
}

fn object(text: &str, line: u32, wanted: &Wanted<'_>) -> Option<Node> {
    let mut best: Option<(u8, Node)> = None;
    for document in documents(text, &ParseOptions::default()) {
        let root = document.ok()?.root;
        let named = field(&root, &["metadata", "name"]) == Some(wanted.name);
        let of_kind = field(&root, &["kind"]) == Some(wanted.kind);
        let here = line > 0 && root.span().line >= line && best.is_none();
        let score = u8::from(named) * 2 + u8::from(of_kind) * 2 + u8::from(here);
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            best = Some((score, root));
        }
    }
    let (score, root) = best?;
    (score > 0).then_some(root)
}

fn field<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    path.iter()
        .try_fold(node, |node, name| node.as_mapping()?.get(name))?
        .as_str()
}

/// Where the way to a field ends, and whether that is the field.
fn walk(root: &Node, pointer: &str) -> ((u32, u32), bool) {
    let mut place = (root.span().line, root.span().column);
    let mut node = root;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match node.content() {
            Content::Mapping(mapping) => mapping.entry(&part).map(|entry| {
                let span = entry.key.span();
                place = (span.line, span.column);
                &entry.value
            }),
            Content::Sequence(sequence) => part
                .parse::<usize>()
                .ok()
                .filter(|index| *index < sequence.len())
                .map(|index| {
                    let item = &sequence[index];
                    place = (item.span().line, item.span().column);
                    item
                }),
            Content::Scalar(_) | Content::Alias(_) => None,
        };
        match next {
            Some(next) => node = next,
            None => return (place, false),
        }
    }
    (place, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata:\n  name: b\nspec:\n  list:\n  - x: 1\n  - x: 2\n";

    #[test]
    fn a_field_is_found_or_what_is_there_of_the_way() {
        let at = |kind, name, pointer| {
            locate(
                TEXT,
                0,
                &Wanted {
                    kind,
                    name,
                    pointer,
                },
            )
        };
        assert_eq!(at("B", "b", "/spec/list/1/x"), Some((10, 5)));
        assert_eq!(at("B", "b", "/spec/other"), Some((7, 1)));
        assert_eq!(at("A", "a", ""), Some((1, 1)));
        assert_eq!(at("C", "c", ""), None);
        let stands = |pointer| {
            let wanted = Wanted {
                kind: "B",
                name: "b",
                pointer,
            };
            stands(TEXT, 0, &wanted)
        };
        assert!(stands("/spec/list/1/x") && !stands("/spec/list/2") && !stands("/spec/other"));
    }
}
