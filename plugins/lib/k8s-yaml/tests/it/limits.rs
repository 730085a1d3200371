//! Nothing is unbounded.

use serde_json::Value;
use weir_k8s_yaml::{
    EmitOptions, ErrorKind, Limit, Limits, Node, ParseOptions, ResolveOptions, Schema, Sequence,
    YamlError, decode, documents, emit, from_str, parse, resolve, resolve_data, to_yaml,
};

fn check(result: Result<impl std::fmt::Debug, YamlError>, limit: Limit) {
    match result {
        Err(error) => assert_eq!(error.kind(), ErrorKind::Limit(limit), "{error}"),
        Ok(found) => panic!("no limit was hit: {found:?}"),
    }
}

fn small() -> ParseOptions {
    let limits = Limits {
        input: 1000,
        depth: 10,
        documents: 3,
        nodes: 20,
        alias_nodes: 50,
    };
    ParseOptions {
        limits,
        ..ParseOptions::default()
    }
}

#[test]
fn deep_nesting_is_an_error_in_every_form() {
    let depth = 10_000;
    let block: String = (0..depth)
        .map(|level| format!("{}a:\n", " ".repeat(level % 900)))
        .collect();
    let indented: String = (0..2_000)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    let dashes = "- ".repeat(depth);
    let brackets = "[".repeat(depth);
    let closed = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let braces = "{a: ".repeat(depth);
    let keys = "? ".repeat(depth);
    for text in [indented, dashes, brackets, closed, braces, keys] {
        for comments in [false, true] {
            let options = ParseOptions {
                comments,
                ..ParseOptions::default()
            };
            check(parse(&text, &options), Limit::Depth);
        }
    }
    assert!(parse(&block, &ParseOptions::default()).is_err());
}

#[test]
fn trees_made_by_code_can_be_cloned_and_dropped_at_any_depth_but_not_walked() {
    let mut node = Node::string("leaf");
    for level in 0..200_000 {
        node = if level % 2 == 0 {
            Node::sequence(Sequence::from(vec![node]))
        } else {
            let mut mapping = Node::null();
            mapping.set("key", node);
            mapping
        };
    }
    let copy = node.clone();
    check(emit(&copy, &EmitOptions::kyaml()), Limit::Depth);
    check(resolve(&copy, Schema::Sigs), Limit::Depth);
    check(resolve(&copy, Schema::Kyaml), Limit::Depth);
    check(node.expand_aliases(&Limits::default()), Limit::Depth);
    let mut count = 0;
    copy.visit(&mut |_| count += 1);
    assert_eq!(count, 300_001);
}

#[test]
fn deep_values_are_refused() {
    let mut value = Value::Null;
    for _ in 0..600 {
        value = Value::Array(vec![value]);
    }
    check(to_yaml(&value), Limit::Depth);
    check(Node::from_value(&value), Limit::Depth);
}

#[test]
fn each_limit_says_that_it_is_hit() {
    check(parse(&"a".repeat(1001), &small()), Limit::Input);
    check(parse(&"- a\n".repeat(30), &small()), Limit::Nodes);
    check(
        documents(&"---\na\n".repeat(5), &small()).collect::<Result<Vec<_>, _>>(),
        Limit::Documents,
    );
    let text = "a: &a [1, 2, 3, 4, 5, 6]\nb: [*a, *a, *a, *a, *a]\nc: [*a, *a, *a]\n";
    let mut document = parse(text, &ParseOptions::default()).unwrap().unwrap();
    let options = ResolveOptions {
        limits: small().limits,
        ..ResolveOptions::new(Schema::Sigs)
    };
    check(
        resolve_data(&document.root, &options).map(|_| ()),
        Limit::Aliases,
    );
    check(document.expand_aliases(&small().limits), Limit::Aliases);
}

#[test]
fn alias_bombs_are_defused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = from_str(&text, Schema::Sigs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: document contains excessive aliasing"
    );
    check(from_str(&text, Schema::Kyaml), Limit::Aliases);
    let mut document = parse(&text, &ParseOptions::default()).unwrap().unwrap();
    check(document.expand_aliases(&Limits::default()), Limit::Aliases);
}

#[test]
fn aliases_cannot_nest_a_document_past_the_limit() {
    let mut text = String::from("a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for level in 1..60 {
        let before = level - 1;
        text.push_str(&format!(
            "a{level}: &a{level} [[[[[[[[[[*a{before}]]]]]]]]]]\n"
        ));
    }
    check(from_str(&text, Schema::Sigs), Limit::Depth);
    let mut document = parse(&text, &ParseOptions::default()).unwrap().unwrap();
    check(document.expand_aliases(&Limits::default()), Limit::Depth);
}

#[test]
fn merges_cannot_nest_a_document_past_the_limit() {
    let mut text = String::from("a0: &a0 {x: 1}\n");
    for level in 1..1000 {
        let before = level - 1;
        text.push_str(&format!(
            "a{level}: &a{level}\n  <<: *a{before}\n  k{level}: 1\n"
        ));
    }
    for schema in [Schema::Sigs, Schema::Kyaml] {
        assert!(
            matches!(from_str(&text, schema), Err(error) if matches!(error.kind(), ErrorKind::Limit(_)))
        );
    }
}

#[test]
fn an_anchor_that_contains_itself_is_an_error() {
    for text in ["a: &a [*a]\n", "&a\nb: *a\n", "a: &a\n  <<: *a\n"] {
        for schema in [Schema::Sigs, Schema::Kyaml] {
            let error = from_str(text, schema).unwrap_err();
            assert_eq!(
                error.to_string(),
                "yaml: anchor 'a' value contains itself",
                "{text}"
            );
        }
        let mut document = parse(text, &ParseOptions::default()).unwrap().unwrap();
        assert!(
            document.expand_aliases(&Limits::default()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn many_keys_and_long_lines_take_linear_time() {
    let keys: String = (0..100_000).map(|key| format!("k{key}: v\n")).collect();
    assert_eq!(
        from_str(&keys, Schema::Kyaml)
            .unwrap()
            .as_object()
            .unwrap()
            .len(),
        100_000
    );
    let line = format!("[{}]", vec!["{a: 'b', c: \"d\"}"; 50_000].join(", "));
    assert_eq!(
        from_str(&line, Schema::Sigs)
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        50_000
    );
    let comments = format!("a: 1\n{}b: 2\n", "# comment\n".repeat(50_000));
    let options = ParseOptions {
        comments: true,
        ..ParseOptions::default()
    };
    assert!(parse(&comments, &options).unwrap().is_some());
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    for (bytes, expected) in [
        (&b"a: \xff"[..], "yaml: invalid leading UTF-8 octet"),
        (b"a: \xe2\x28", "yaml: invalid trailing UTF-8 octet"),
        (b"a: \xe2\x82", "yaml: incomplete UTF-8 octet sequence"),
        (b"\xff\xfea", "yaml: incomplete UTF-16 character"),
    ] {
        assert_eq!(
            decode(bytes).unwrap_err().to_string(),
            expected,
            "{bytes:?}"
        );
    }
    assert_eq!(decode(b"\xff\xfea\0:\0 \0b\0").unwrap(), "a: b");
    assert_eq!(decode(b"\xef\xbb\xbfa: b").unwrap(), "a: b");
    let error = parse("a: b\nc: \u{7}\n", &ParseOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: control characters are not allowed"
    );
    assert_eq!((error.line(), error.column()), (Some(2), Some(4)));
}
