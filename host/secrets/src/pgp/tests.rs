use super::*;

fn import(content: &[u8]) -> Result<usize, ImportError> {
    PgpKeys::default().add_armored(content)
}

#[test]
fn what_has_no_private_key_is_refused() {
    let none = ImportError::Pgp("there is no private key".to_owned());
    assert_eq!(import(b""), Err(none.clone()));
    assert_eq!(import(b"hunter2"), Err(none));
    let broken =
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhunter2\n-----END PGP PRIVATE KEY BLOCK-----\n";
    let error = import(broken).unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(
        import(&vec![b' '; LARGEST_FILE + 1]),
        Err(ImportError::TooLarge {
            limit: LARGEST_FILE
        })
    );
}

#[test]
fn a_file_can_have_several_blocks() {
    let text = b"x\n-----BEGIN PGP A-----\na\n-----BEGIN PGP B-----\nb\n";
    let found: Vec<usize> = blocks(text).iter().map(|block| block.len()).collect();
    assert_eq!(found, [24, 24]);
}

#[test]
fn without_a_key_nothing_is_unwrapped() {
    let keys = PgpKeys::default();
    assert!(keys.is_empty());
    let key = WrappedKey {
        scheme: "pgp",
        fields: &[],
        wrapped: b"",
    };
    assert_eq!(
        keys.unwrap(&key).unwrap_err().to_string(),
        "there is no PGP key"
    );
    assert_eq!(format!("{keys:?}"), "PgpKeys { keys: 0, .. }");
}
