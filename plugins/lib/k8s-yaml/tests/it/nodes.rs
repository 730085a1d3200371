//! Trees: places, look-ups, changes.

use serde_json::json;
use weir_k8s_yaml::{
    Content, EmitOptions, Limits, Mapping, Node, Schema, Style, Tag, emit, resolve,
};

use crate::first;

fn yaml(node: &Node) -> String {
    emit(node, &EmitOptions::kyaml()).unwrap()
}

#[test]
fn spans_cover_what_they_say() {
    let text = "é: &x 'q' # c\nm:\n- a: |\n    t\n  b: [1, 2]\n";
    let root = first(text).root;
    let slice = |path: &[&str]| &text[root.at(path).unwrap().span().range()];
    assert_eq!(slice(&["é"]), "'q'");
    assert_eq!(slice(&["m", "0", "a"]), "|\n    t\n");
    assert_eq!(slice(&["m", "0", "b"]), "[1, 2]");
    assert_eq!(slice(&["m", "0"]), "a: |\n    t\n  b: [1, 2]");
    assert_eq!(slice(&[]), text.trim_end());
    let span = root.get("é").unwrap().span();
    assert_eq!((span.line, span.column), (1, 7));
}

#[test]
fn the_tag_is_what_the_text_was_when_it_was_read() {
    let mut root = first("a: 1\nb: \"2\"\nc: x\n").root;
    assert_eq!(root.get("a").unwrap().tag(), Tag::Int);
    assert_eq!(root.get("b").unwrap().tag(), Tag::Str);
    root.get_mut("b").unwrap().set_text("3");
    root.get_mut("c").unwrap().set_text("4");
    assert_eq!(yaml(&root), "a: 1\nb: \"3\"\nc: \"4\"\n");
    assert_eq!(
        resolve(&root, Schema::Kyaml).unwrap(),
        json!({"a": 1, "b": "3", "c": "4"})
    );
    root.get_mut("a").unwrap().set_text("none");
    let error = resolve(&root, Schema::Kyaml).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: cannot decode !!str `none` as a !!int"
    );
}

#[test]
fn paths_reach_and_make_nodes() {
    let mut root = first("a:\n- b: 1\nn:\n").root;
    assert_eq!(root.at(&["a", "0", "b"]).unwrap().as_str(), Some("1"));
    assert!(root.at(&["a", "1"]).is_none());
    assert!(
        root.set_at(&["a", "0", "c", "d"], Node::string("x"))
            .unwrap()
            .is_none()
    );
    assert!(root.set_at(&["n", "m"], Node::int(2)).unwrap().is_none());
    assert_eq!(
        root.set_at(&["a", "0", "b"], Node::int(3))
            .unwrap()
            .unwrap()
            .as_str(),
        Some("1")
    );
    assert_eq!(yaml(&root), "a:\n- b: 3\n  c:\n    d: x\nn:\n  m: 2\n");
    let error = root
        .set_at(&["a", "0", "b", "x"], Node::null())
        .unwrap_err();
    assert_eq!(
        error.message(),
        "cannot set \"a.0.b.x\": there is no \"a.0.b.x\" to go through"
    );
    assert!(root.set_at(&["a", "7"], Node::null()).is_err());
    assert_eq!(
        root.remove_at(&["a", "0", "c"]).unwrap().kind(),
        weir_k8s_yaml::Kind::Mapping
    );
    assert!(root.remove_at(&["a", "x"]).is_none());
}

#[test]
fn mappings_keep_order_and_duplicates() {
    let mut root = first("b: 1\na: 2\nb: 3\n").root;
    let mapping = root.as_mapping_mut().unwrap();
    assert_eq!(
        mapping.keys().map(|key| key.as_str()).collect::<Vec<_>>(),
        ["b", "a", "b"]
    );
    assert_eq!(mapping.get("b").unwrap().as_str(), Some("1"));
    mapping.set("b", Node::int(9));
    mapping.set("c", Node::null());
    assert_eq!(mapping.remove("b").unwrap().as_str(), Some("9"));
    assert_eq!(yaml(&root), "a: 2\nb: 3\nc: null\n");
}

#[test]
fn aliases_and_merges_expand_as_in_kyaml() {
    let mut document = first("a: &a {x: 1, y: 2}\nb: *a\nc:\n  y: 3\n  <<: [*a, {z: 4, x: 5}]\n");
    assert!(document.aliases);
    document.expand_aliases(&Limits::default()).unwrap();
    assert_eq!(
        yaml(&document.root),
        "a: {x: 1, y: 2}\nb: {x: 1, y: 2}\nc:\n  y: 3\n  z: 4\n  x: 1\n"
    );
}

#[test]
fn nodes_made_by_code_are_written_so_that_they_read_back() {
    let mut list = Mapping::new();
    for (key, value) in [
        ("s", Node::string("yes")),
        ("n", Node::plain("12")),
        ("t", Node::string("12")),
        ("l", Node::string("a\nb")),
    ] {
        list.set(key, value);
    }
    let mut flow = Node::mapping(list.clone());
    flow.set_style(Style::Flow);
    list.set("f", flow);
    let text = yaml(&Node::mapping(list));
    assert_eq!(
        text,
        "s: yes\nn: 12\nt: \"12\"\nl: |-\n  a\n  b\nf: {s: yes, n: 12, t: \"12\", l: \"a\\nb\"}\n"
    );
    let value =
        json!({"a": [1, 2.5, null, true, "1", {"b": {}}], "c": 18_446_744_073_709_551_615_u64});
    let node = Node::from_value(&value).unwrap();
    assert_eq!(resolve(&node, Schema::Kyaml).unwrap(), value);
}

#[test]
fn trees_are_small_and_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Node>();
    assert!(
        size_of::<Node>() <= 64,
        "a node takes {} bytes",
        size_of::<Node>()
    );
    assert!(matches!(Node::null().content(), Content::Scalar(_)));
}
