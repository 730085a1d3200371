use super::*;
use crate::WrappedKey;
use crate::surroundings::nowhere;

fn data(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    entries
        .iter()
        .map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec()))
        .collect()
}

#[test]
fn names_tell_what_entries_are() {
    let ignored = data(&[
        ("agekey", "x"),
        ("notes.txt", "x"),
        ("sops.vault-token", "x"),
    ]);
    let keyring = keyring("ns/keys", &ignored, &nowhere()).unwrap();
    let key = WrappedKey {
        scheme: "age",
        fields: &[],
        wrapped: b"",
    };
    assert_eq!(
        keyring.unwrap(&key).unwrap_err().to_string(),
        "there is no age identity"
    );
}

#[test]
fn a_bad_entry_fails_with_its_name() {
    let error = keyring("ns/keys", &data(&[("a.b.agekey", "hunter2")]), &nowhere()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed to import 'a.b.agekey' data from sops decryption Secret 'ns/keys': failed to parse and add to age identities: line 1: unknown identity type"
    );
    let error = keyring("ns/keys", &data(&[("identity.asc", "hunter2")]), &nowhere()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("failed to import 'identity.asc' data"),
        "{error}"
    );
    assert!(!error.to_string().contains("hunter2"));
}
