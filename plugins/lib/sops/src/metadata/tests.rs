use super::*;
use crate::tree::{Key, Value};

const TIME: &str = "2024-01-02T03:04:05Z";

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(branch(entries))
}

fn branch(entries: &[(&str, Value)]) -> Branch {
    entries
        .iter()
        .map(|(name, value)| Entry::new(*name, value.clone()))
        .collect()
}

fn age(recipient: &str) -> Value {
    map(&[("recipient", text(recipient)), ("enc", text("x"))])
}

fn with(entries: &[(&str, Value)]) -> Result<Metadata, MetadataError> {
    let mut all = branch(&[
        ("lastmodified", text(TIME)),
        ("age", Value::List(vec![age("age1a")])),
    ]);
    all.extend(branch(entries));
    Metadata::read(&all)
}

#[test]
fn fields_are_read_weakly() {
    let metadata = with(&[
        ("mac_only_encrypted", text("true")),
        ("shamir_threshold", text("2")),
        ("unknown", Value::List(Vec::new())),
        ("version", Value::Float(3.9)),
    ])
    .unwrap();
    assert!(metadata.mac_only_encrypted);
    assert_eq!(metadata.threshold, 2);
    assert_eq!(metadata.mac, "");
    assert!(matches!(metadata.rule, Rule::UnencryptedSuffix(suffix) if suffix == "_unencrypted"));
}

#[test]
fn a_group_has_the_order_of_sops() {
    let pgp = map(&[
        ("fp", text("F")),
        ("created_at", text(TIME)),
        ("enc", text("x")),
    ]);
    let context = map(&[("b", text("2")), ("a", text("1"))]);
    let kms = map(&[
        ("arn", text("arn:x")),
        ("role", text("r")),
        ("context", context),
        ("created_at", text(TIME)),
    ]);
    let metadata = with(&[("pgp", pgp), ("kms", Value::List(vec![kms]))]).unwrap();
    let names: Vec<_> = metadata.groups[0]
        .iter()
        .map(|key| key.name.as_str())
        .collect();
    assert_eq!(names, ["arn:x+r", "F", "age1a"]);
    let fields = [
        ("arn", "arn:x"),
        ("role", "r"),
        ("context.a", "1"),
        ("context.b", "2"),
    ];
    assert_eq!(
        metadata.groups[0][0].fields,
        fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn key_groups_count_only_without_lists_at_the_top() {
    let groups = Value::List(vec![
        map(&[
            ("age", Value::List(vec![age("age1b")])),
            ("hc_vault", Value::List(Vec::new())),
        ]),
        map(&[("age", Value::List(vec![age("age1c")]))]),
    ]);
    assert_eq!(
        with(&[("key_groups", groups.clone())])
            .unwrap()
            .groups
            .len(),
        1
    );
    let only = branch(&[("lastmodified", text(TIME)), ("key_groups", groups)]);
    assert_eq!(Metadata::read(&only).unwrap().groups.len(), 2);
}

#[test]
fn what_is_wrong_is_told() {
    let check = |entries: &[(&str, Value)], expected: &str| {
        assert_eq!(with(entries).unwrap_err().to_string(), expected);
    };
    check(
        &[("lastmodified", text("yesterday"))],
        "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\"",
    );
    check(
        &[("pgp", map(&[("fp", text("F"))]))],
        "parsing time \"\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"\" as \"2006\"",
    );
    check(
        &[("mac", map(&[]))],
        "'mac' expected type 'string', got unconvertible type 'sops.TreeBranch'",
    );
    let two = [
        ("encrypted_regex", text("a")),
        ("encrypted_suffix", text("b")),
    ];
    assert_eq!(with(&two).unwrap_err(), MetadataError::TwoRules);
    assert!(
        with(&[
            ("encrypted_regex", text("a")),
            ("encrypted_suffix", text(""))
        ])
        .is_ok()
    );
    let none = branch(&[("lastmodified", text(TIME))]);
    assert_eq!(Metadata::read(&none).unwrap_err(), MetadataError::NoKeys);
}

#[test]
fn the_entry_is_taken_out_of_every_document() {
    let document = || branch(&[("a", Value::Int(1)), ("sops", map(&[])), ("b", Value::Null)]);
    let mut documents = [
        document(),
        branch(&[("sops", Value::Int(1)), ("sops", Value::Int(2))]),
    ];
    assert_eq!(take_entry(&mut documents).unwrap(), Branch::new());
    assert_eq!(documents[0].len(), 2);
    assert_eq!(documents[1].len(), 0);

    let check = |entries: &[(&str, Value)], expected| {
        assert_eq!(take_entry(&mut [branch(entries)]).unwrap_err(), expected);
    };
    check(&[], MetadataError::NotFound);
    check(&[("sops", Value::Int(1))], MetadataError::NotAMapping);
    check(
        &[("sops", map(&[])), ("sops", map(&[]))],
        MetadataError::Duplicate,
    );
    assert_eq!(take_entry(&mut []).unwrap_err(), MetadataError::NotFound);
}

#[test]
fn flat_names_become_maps_and_lists() {
    let flat = branch(&[
        ("age__list_1__map_enc", text("2")),
        ("age__list_0__map_enc", text("1")),
        ("mac", text("m")),
    ]);
    let age = Value::List(vec![map(&[("enc", text("1"))]), map(&[("enc", text("2"))])]);
    assert_eq!(
        unflatten(flat).unwrap(),
        branch(&[("age", age), ("mac", text("m"))])
    );

    let check = |names: &[&str], expected| {
        let entries: Vec<_> = names.iter().map(|name| (*name, Value::Null)).collect();
        assert_eq!(unflatten(branch(&entries)).unwrap_err(), expected);
    };
    check(&["a__list_1"], MetadataError::FlatIncomplete);
    check(&["a", "a__map_b"], MetadataError::FlatMismatch);
    check(&["a__list_0", "a__map_b"], MetadataError::FlatMismatch);
    check(
        &["a", "a"],
        MetadataError::FlatDuplicate {
            key: "a".to_owned(),
        },
    );
    check(&[&"a__map_".repeat(20)], MetadataError::FlatMismatch);
}

#[test]
fn a_prefix_marks_the_entries_of_dotenv_files() {
    let mut document = branch(&[("A", text("1")), ("sops_mac", text("m"))]);
    document.push(Entry::comment("sops_x", false));
    assert_eq!(
        take_prefixed(&mut document).unwrap(),
        branch(&[("mac", text("m"))])
    );
    assert_eq!(document.len(), 2);
    assert!(matches!(document[1].key, Key::Comment(_)));
    assert_eq!(
        take_prefixed(&mut document).unwrap_err(),
        MetadataError::NotFound
    );
}
