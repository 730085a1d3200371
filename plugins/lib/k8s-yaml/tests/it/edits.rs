//! Edits leave everything alone that they are not about.

use weir_k8s_yaml::{Edits, ErrorKind, Node, documents};

use crate::first;

fn replaced(text: &str, path: &[&str], new: &Node) -> String {
    let document = first(text);
    let mut edits = Edits::new(text);
    edits
        .replace_scalar(document.root.at(path).unwrap(), new)
        .unwrap();
    edits.apply().unwrap()
}

fn set(text: &str, path: &[&str], key: &str, new: &Node) -> String {
    let document = first(text);
    let mut edits = Edits::new(text);
    edits
        .set_entry(document.root.at(path).unwrap(), key, new)
        .unwrap();
    edits.apply().unwrap()
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_surroundings() {
    let text = "# head\r\na:   'x'   # why\r\nb: [ \"y\" , z ]\r\n";
    assert_eq!(
        replaced(text, &["a"], &Node::string("n")),
        text.replace("'x'", "'n'")
    );
    assert_eq!(
        replaced(text, &["b", "0"], &Node::string("n")),
        text.replace("\"y\"", "\"n\"")
    );
    assert_eq!(
        replaced(text, &["b", "1"], &Node::string("n, m")),
        text.replace("z", "'n, m'")
    );
}

#[test]
fn a_text_that_cannot_stand_plain_is_quoted() {
    assert_eq!(
        replaced("a: b\n", &["a"], &Node::string("1.10")),
        "a: \"1.10\"\n"
    );
    assert_eq!(
        replaced("a: b\n", &["a"], &Node::string("x: y")),
        "a: 'x: y'\n"
    );
    assert_eq!(
        replaced("a: b\n", &["a"], &Node::string("web:1.10")),
        "a: web:1.10\n"
    );
    assert_eq!(
        replaced("a: [b]\n", &["a", "0"], &Node::string("web:1.10")),
        "a: ['web:1.10']\n"
    );
    assert_eq!(replaced("a: 1\n", &["a"], &Node::int(2)), "a: 2\n");
    assert_eq!(
        replaced("a: b\n", &["a"], &Node::string("x\ny")),
        "a: \"x\\ny\"\n"
    );
}

#[test]
fn anchors_and_tags_stay() {
    assert_eq!(
        replaced("a: &x !!str b\nc: *x\n", &["a"], &Node::string("d")),
        "a: &x !!str d\nc: *x\n"
    );
}

#[test]
fn a_block_scalar_is_replaced_as_a_whole() {
    let text = "a: |\n  x\n  y\n\n# note\nb: c\n";
    assert_eq!(
        replaced(text, &["a"], &Node::string("z")),
        "a: z\n\n# note\nb: c\n"
    );
}

#[test]
fn a_key_is_filled_or_added() {
    assert_eq!(set("a:\nb: c\n", &[], "a", &Node::int(1)), "a: 1\nb: c\n");
    assert_eq!(set("a: 1\n", &[], "b", &Node::string("x")), "a: 1\nb: x\n");
    assert_eq!(
        set("m:\n  a: 1 # c\n\n# d\nn: 2\n", &["m"], "b", &Node::int(3)),
        "m:\n  a: 1 # c\n  b: 3\n\n# d\nn: 2\n"
    );
    assert_eq!(
        set("m: {a: 1}\n", &["m"], "b", &Node::int(3)),
        "m: {a: 1, b: 3}\n"
    );
    assert_eq!(set("m: {}\n", &["m"], "b", &Node::int(3)), "m: {b: 3}\n");
    assert_eq!(set("a: 1", &[], "b", &Node::int(2)), "a: 1\nb: 2");
    let mut nested = Node::null();
    nested.set("x", Node::int(1));
    assert_eq!(
        set("m:\n    a: 1\n", &["m"], "n", &nested),
        "m:\n    a: 1\n    n:\n      x: 1\n"
    );
}

#[test]
fn edits_in_later_documents_find_their_place() {
    let text = "\u{feff}a: é\n---\nb: old # ü\n";
    let documents: Vec<_> = documents(text, &Default::default())
        .map(Result::unwrap)
        .collect();
    let mut edits = Edits::new(text);
    edits
        .replace_scalar(documents[1].root.get("b").unwrap(), &Node::string("new"))
        .unwrap();
    edits
        .replace_scalar(documents[0].root.get("a").unwrap(), &Node::string("è"))
        .unwrap();
    assert_eq!(edits.apply().unwrap(), "\u{feff}a: è\n---\nb: new # ü\n");
}

#[test]
fn what_cannot_be_edited_is_refused() {
    let text = "a: {b: c}\nd:\n";
    let document = first(text);
    let mut edits = Edits::new(text);
    let refused = [
        edits.replace_scalar(document.root.get("a").unwrap(), &Node::int(1)),
        edits.replace_scalar(document.root.get("d").unwrap(), &Node::int(1)),
        edits.replace_scalar(&Node::string("made by code"), &Node::int(1)),
        edits.set_entry(&document.root, "a", &Node::int(1)),
        edits.set_entry(document.root.get("d").unwrap(), "x", &Node::int(1)),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Edit);
    }
    let value = document.root.at(&["a", "b"]).unwrap();
    edits.replace_scalar(value, &Node::int(1)).unwrap();
    edits.replace_scalar(value, &Node::int(2)).unwrap();
    assert_eq!(
        edits.apply().unwrap_err().to_string(),
        "yaml: two edits overlap at byte 7"
    );
}
