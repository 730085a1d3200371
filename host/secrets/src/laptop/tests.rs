use super::*;
use crate::WrappedKey;
use crate::surroundings::nowhere;

fn place(name: &str, content: Option<&str>) -> Place {
    Place {
        name: name.to_owned(),
        content: content.map(|text| Secret::from(text.as_bytes().to_vec())),
    }
}

#[test]
fn an_error_names_where_no_key_was() {
    let found = Found {
        ssh_keys: vec![place("~/.ssh/id_ed25519", None)],
        identities: vec![
            place("SOPS_AGE_KEY", None),
            place(
                "keys.txt",
                Some("AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"),
            ),
        ],
        ..Found::default()
    };
    let (keyring, unusable) = keyring(&found, &nowhere());
    assert_eq!(unusable, []);
    let wrapped = age::encrypt(&age::x25519::Identity::generate().to_public(), b"key").unwrap();
    let key = WrappedKey {
        scheme: "age",
        fields: &[],
        wrapped: &wrapped,
    };
    assert_eq!(
        keyring.unwrap(&key).unwrap_err().to_string(),
        "identity did not match any of the recipients. Did not find keys in locations '~/.ssh/id_ed25519', 'SOPS_AGE_KEY'"
    );
}

#[test]
fn what_cannot_be_used_is_told_and_shown_to_nobody() {
    let found = Found {
        ssh_keys: vec![place("a", Some("hunter2"))],
        identities: vec![place("b", Some("hunter2"))],
        ..Found::default()
    };
    assert!(!format!("{found:?}").contains("hunter2"));
    let (_, unusable) = keyring(&found, &nowhere());
    let names: Vec<&str> = unusable.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(!format!("{unusable:?}").contains("hunter2"));
}
