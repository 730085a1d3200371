use super::*;

fn kinds(text: &str) -> Result<Vec<String>> {
    let nodes = objects(text.as_bytes())?;
    Ok(nodes
        .iter()
        .map(|node| {
            node.at(&["metadata", "name"])
                .and_then(Node::as_str)
                .unwrap_or("-")
                .to_owned()
        })
        .collect())
}

fn object(name: &str) -> String {
    format!("kind: A\nmetadata: {{name: {name}}}\n")
}

#[test]
fn documents_are_split_and_empty_ones_skipped() {
    let text = format!(
        "---\n{}---  # second\n# nothing\n---\n---\n{}...\nignored: [\n",
        object("a"),
        object("b")
    );
    assert_eq!(kinds(&text).unwrap(), ["a", "b"]);
    assert!(kinds("").unwrap().is_empty());
}

#[test]
fn a_separator_line_with_content_is_refused_with_its_line() {
    let error = kinds(&format!("{}--- foo: bar\n", object("a"))).unwrap_err();
    assert_eq!(error.line(), 3);
    assert!(error.to_string().contains("--- foo: bar"), "{error}");
}

#[test]
fn lines_of_later_documents_count_from_the_start_of_the_file() {
    let error = kinds(&format!("{}---\nkind: B\n", object("a"))).unwrap_err();
    assert_eq!(error.line(), 4);
}

#[test]
fn a_list_opens_in_place_alone_and_at_the_end_among_others() {
    let list = |kind: &str| format!("kind: {kind}\nitems:\n- {{kind: A, metadata: {{name: x}}}}\n");
    assert_eq!(kinds(&list("List")).unwrap(), ["x"]);
    assert_eq!(
        kinds(&format!("{}---\n{}", list("FooList"), object("a"))).unwrap(),
        ["a", "x"]
    );
    assert_eq!(kinds("kind: FooList\n").unwrap(), ["-"]);
    assert!(kinds("kind: List\nitems:\n").unwrap().is_empty());
}

#[test]
fn objects_need_kind_and_name() {
    assert!(matches!(
        kinds("a: b").unwrap_err().problem(),
        Problem::MissingKind
    ));
    assert!(matches!(
        kinds("kind: A").unwrap_err().problem(),
        Problem::MissingName { .. }
    ));
    assert!(matches!(
        kinds("- a").unwrap_err().problem(),
        Problem::NotAnObject { .. }
    ));
    assert!(matches!(
        kinds("kind: FooList\nitems: {}").unwrap_err().problem(),
        Problem::ListItems { .. }
    ));
}
