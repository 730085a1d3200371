use proptest::prelude::*;

use super::*;
use crate::cipher::tests::{KEY, encrypt};
use crate::go_regex;
use crate::rules::Rule;
use crate::tree::Entry;

fn metadata(rule: Rule, mac_only_encrypted: bool) -> Metadata {
    Metadata {
        last_modified: "2024-01-02T03:04:05Z".to_owned(),
        mac: String::new(),
        mac_only_encrypted,
        rule,
        threshold: 0,
        groups: Vec::new(),
    }
}

fn suffix() -> Rule {
    Rule::UnencryptedSuffix("_plain".to_owned())
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn encrypted(plain: &str, datatype: &str, path: &str) -> Value {
    Value::Text(encrypt(plain.as_bytes(), datatype, path, &[3; 32]))
}

/// Decrypts one document and gives it with its MAC.
fn walk(rule: Rule, only: bool, mut branch: Branch) -> Result<(Branch, String), WalkError> {
    let metadata = metadata(rule, only);
    let mut walk = Walk::new(&metadata, Opener::Key(&KEY));
    walk.documents(std::slice::from_mut(&mut branch))?;
    Ok((branch, walk.finish().0))
}

fn sha512(start: &[u8], text: &str) -> String {
    let digest = Sha512::new()
        .chain_update(start)
        .chain_update(text)
        .finalize();
    digest.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn values_in_lists_are_bound_to_the_keys_alone() {
    let list = Value::List(vec![
        encrypted("1", "int", "a:"),
        Value::List(vec![encrypted("x", "str", "a:")]),
        Value::Map(vec![Entry::new("b", encrypted("True", "bool", "a:b:"))]),
    ]);
    let branch = vec![
        Entry::new("a", list),
        Entry::new("c_plain", Value::Int(5)),
        Entry::new("d", Value::Null),
        Entry::new("e", text("")),
    ];
    let (branch, mac) = walk(suffix(), false, branch).unwrap();
    let list = Value::List(vec![
        Value::Int(1),
        Value::List(vec![text("x")]),
        Value::Map(vec![Entry::new("b", Value::Bool(true))]),
    ]);
    assert_eq!(branch[0], Entry::new("a", list));
    assert_eq!(mac, sha512(b"", "1xTrue5"));
}

#[test]
fn a_mac_can_leave_out_what_is_not_encrypted() {
    let branch = || {
        vec![
            Entry::new("a", encrypted("x", "str", "a:")),
            Entry::new("b_plain", text("y")),
        ]
    };
    assert_eq!(
        walk(suffix(), true, branch()).unwrap().1,
        sha512(&ONLY_ENCRYPTED, "x")
    );
    assert_eq!(
        walk(suffix(), false, branch()).unwrap().1,
        sha512(b"", "xy")
    );
}

#[test]
fn comments_are_decrypted_or_left_and_never_count() {
    let comment = encrypt(b" secret", "comment", ":", &[4; 32]);
    let branch = vec![
        Entry::comment(comment, true),
        Entry::comment(" plain", true),
        Entry::new(
            "a",
            Value::List(vec![encrypted(" in list", "comment", "a:")]),
        ),
    ];
    let (branch, mac) = walk(suffix(), false, branch).unwrap();
    assert_eq!(branch[0], Entry::comment(" secret", false));
    assert_eq!(branch[1], Entry::comment(" plain", true));
    let inside = Comment {
        text: " in list".to_owned(),
        inline: false,
    };
    assert_eq!(branch[2].value, Value::List(vec![Value::Comment(inside)]));
    assert_eq!(mac, sha512(b"", ""));
}

#[test]
fn a_comment_can_select_the_entry_behind_it() {
    let rule = || Rule::EncryptedComment(go_regex::compile("^ enc$"));
    let branch = vec![
        Entry::comment(" enc", false),
        Entry::new(
            "a",
            Value::Map(vec![Entry::new("b", encrypted("x", "str", "a:b:"))]),
        ),
        Entry::new("c", text("plain")),
    ];
    let (branch, _) = walk(rule(), false, branch).unwrap();
    assert_eq!(
        branch[1].value,
        Value::Map(vec![Entry::new("b", text("x"))])
    );
    assert_eq!(branch[2].value, text("plain"));
}

#[test]
fn errors_lead_to_the_value() {
    let check = |branch: Branch, pointer: &str, expected: &str| {
        let error = walk(suffix(), false, branch).unwrap_err();
        assert_eq!(error.pointer(), pointer);
        assert_eq!(error.to_string(), format!("Error walking tree: {expected}"));
    };
    let nested = |value| vec![Entry::new("a/b", Value::List(vec![Value::Null, value]))];
    check(
        nested(text("hunter2")),
        "/a~1b/1",
        "Could not decrypt value: Input string <redacted> does not match sops' data format",
    );
    check(
        nested(Value::Int(3)),
        "/a~1b/1",
        "Expected encrypted value as string, but got int",
    );
    check(
        nested(Value::Uint(3)),
        "/a~1b/1",
        "Cannot walk value, unknown type: uint64",
    );
    let other = Entry {
        key: Key::Other {
            kind: "int",
            text: "1".to_owned(),
        },
        value: Value::Null,
    };
    check(
        vec![other],
        "",
        "Tree contains a non-string key (type int): 1. Only string keys are supported",
    );
}

#[test]
fn placeholders_have_the_types_of_the_values() {
    let mut branch = vec![
        Entry::new("s", encrypted("hunter2", "str", "s:")),
        Entry::new("i", encrypted("5", "int", "i:")),
        Entry::new("b", encrypted("True", "bool", "b:")),
        Entry::new("e", text("")),
        Entry::new("p_plain", text("p")),
    ];
    let metadata = metadata(suffix(), false);
    let mut walk = Walk::new(&metadata, Opener::Placeholders);
    walk.documents(std::slice::from_mut(&mut branch)).unwrap();
    assert_eq!(walk.finish().1, ["/s", "/i", "/b"]);
    let Value::Text(shown) = &branch[0].value else {
        panic!("{:?}", branch[0]);
    };
    assert!(shown.starts_with(crate::PLACEHOLDER), "{shown}");
    assert_eq!(shown.len() % 4, 0);
    assert!(
        base64::engine::general_purpose::STANDARD
            .decode(shown)
            .is_ok()
    );
    assert_eq!(branch[1].value, Value::Int(0));
    assert_eq!(branch[2].value, Value::Bool(false));
    assert_eq!(branch[3].value, text(""));
    assert_eq!(branch[4].value, text("p"));
}

/// A tree whose texts all hold a secret that may be shown nowhere.
fn planted() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        "[a-z]{0,6}".prop_map(|tail| Value::Text(format!("hunter2{tail}"))),
        "[a-z]{0,6}".prop_map(|tail| Value::Text(format!(
            "ENC[AES256_GCM,data:hunter2{tail},iv:YQ==,tag:YQ==,type:str]"
        ))),
        Just(Value::Bytes(b"hunter2\xff".to_vec())),
        "[a-z]{0,6}".prop_map(|tail| Value::Comment(Comment {
            text: format!("hunter2{tail}"),
            inline: false
        })),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(("[a-z_]{1,4}", inner), 0..4).prop_map(|entries| {
                Value::Map(
                    entries
                        .into_iter()
                        .map(|(name, value)| Entry::new(name, value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_error_shows_a_value(value in planted(), only in any::<bool>()) {
        if let Err(error) = walk(suffix(), only, vec![Entry::new("a", value)]) {
            prop_assert!(!error.to_string().contains("hunter2"), "{}", error);
            let debug = format!("{error:?}");
            prop_assert!(!debug.contains("hunter2"));
        }
    }
}
