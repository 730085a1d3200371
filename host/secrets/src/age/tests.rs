use super::*;

const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

fn wrong(text: &str) -> String {
    AgeKeys::default()
        .add_identities(text.as_bytes())
        .unwrap_err()
        .to_string()
}

fn encrypt(recipient: &dyn age::Recipient, plain: &[u8]) -> Vec<u8> {
    age::encrypt(&recipient_of(recipient), plain).unwrap()
}

/// `age::encrypt` takes a sized recipient.
fn recipient_of(recipient: &dyn age::Recipient) -> impl age::Recipient + '_ {
    struct Sized<'a>(&'a dyn age::Recipient);
    impl age::Recipient for Sized<'_> {
        fn wrap_file_key(
            &self,
            file_key: &age_core::format::FileKey,
        ) -> Result<
            (
                Vec<age_core::format::Stanza>,
                std::collections::HashSet<String>,
            ),
            age::EncryptError,
        > {
            self.0.wrap_file_key(file_key)
        }
    }
    Sized(recipient)
}

#[test]
fn lines_that_are_no_identities_are_refused_without_showing_them() {
    let prefix = "failed to parse and add to age identities: line";
    assert_eq!(
        wrong("# c\n\nhunter2\n"),
        format!("{prefix} 3: unknown identity type")
    );
    assert_eq!(
        wrong(&format!(" {IDENTITY}\n")),
        format!("{prefix} 1: unknown identity type")
    );
    assert_eq!(
        wrong(&format!("{IDENTITY} \n")),
        format!("{prefix} 1: malformed secret key")
    );
    assert_eq!(
        wrong("AGE-PLUGIN-YUBIKEY-1Q\n"),
        format!("{prefix} 1: identities of plugins are not supported")
    );
    assert_eq!(
        wrong("AGE-SECRET-KEY-PQ-1hunter2\n"),
        format!("{prefix} 1: malformed secret key")
    );
    assert_eq!(
        wrong("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        format!("{prefix} 1: unknown identity type")
    );
    assert_eq!(
        wrong(&"x".repeat(LARGEST_FILE + 1)),
        format!("the file has more than {LARGEST_FILE} bytes")
    );
}

#[test]
fn identities_stand_on_lines_of_their_own() {
    let mut keys = AgeKeys::default();
    let text = format!("# created\r\n{IDENTITY}\r\n\n{IDENTITY}");
    assert_eq!(keys.add_identities(text.as_bytes()), Ok(2));
    assert!(!keys.is_empty());
    assert_eq!(
        format!("{keys:?}"),
        "AgeKeys { identities: 2, missing: [] }"
    );
}

#[test]
fn a_key_is_unwrapped_by_whichever_identity_fits() {
    let own: x25519::Identity = IDENTITY.parse().unwrap();
    let mut keys = AgeKeys::default();
    let ask = |keys: &AgeKeys, wrapped: &[u8]| {
        keys.unwrap(&WrappedKey {
            scheme: "age",
            fields: &[],
            wrapped,
        })
    };
    let wrapped = encrypt(&own.to_public(), b"key");
    assert_eq!(
        ask(&keys, &wrapped).unwrap_err(),
        UnwrapError::NoKey("there is no age identity".to_owned())
    );

    keys.identities.push(Box::new(x25519::Identity::generate()));
    keys.note_missing("SOPS_AGE_KEY");
    assert_eq!(
        ask(&keys, &wrapped).unwrap_err().to_string(),
        "identity did not match any of the recipients. Did not find keys in locations 'SOPS_AGE_KEY'"
    );
    keys.add_identities(IDENTITY.as_bytes()).unwrap();
    assert_eq!(&*ask(&keys, &wrapped).unwrap(), b"key");

    assert!(matches!(
        ask(&keys, b"hunter2"),
        Err(UnwrapError::Damaged(_))
    ));
    let long = encrypt(&own.to_public(), &[0; 5000]);
    assert!(matches!(ask(&keys, &long), Err(UnwrapError::Damaged(_))));
}

#[test]
fn a_binary_file_may_end_in_any_byte() {
    let own: x25519::Identity = IDENTITY.parse().unwrap();
    let mut keys = AgeKeys::default();
    keys.add_identities(IDENTITY.as_bytes()).unwrap();
    // One in some forty ends in what would be a blank.
    let mut files = std::iter::repeat_with(|| encrypt(&own.to_public(), b"key")).take(5000);
    let wrapped = files.find(|file| file.last().is_some_and(u8::is_ascii_whitespace));
    let unwrapped = keys.unwrap(&WrappedKey {
        scheme: "age",
        fields: &[],
        wrapped: &wrapped.unwrap(),
    });
    assert_eq!(&*unwrapped.unwrap(), b"key");
}

#[test]
fn a_file_of_identities_can_have_a_passphrase() {
    let mut recipient = age::scrypt::Recipient::new(SecretString::from("pass".to_owned()));
    recipient.set_work_factor(2);
    let file = encrypt(&recipient, IDENTITY.as_bytes());
    let mut keys = AgeKeys::default();
    assert_eq!(keys.add_identities(&file), Err(ImportError::Passphrase));
    assert!(matches!(
        keys.add_encrypted_identities(&file, "wrong"),
        Err(ImportError::Decrypt(_))
    ));
    assert_eq!(keys.add_encrypted_identities(&file, "pass"), Ok(1));
}

#[test]
fn what_is_no_ssh_key_is_refused() {
    let error = AgeKeys::default()
        .add_ssh_key(b"hunter2", None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the SSH key cannot be used: it is no SSH private key"
    );
}
