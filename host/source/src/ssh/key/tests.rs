use std::path::Path;
use std::process::Command;

use super::*;
use crate::secret::SecretText;

/// A private key as a program of this machine writes it.
fn made(program: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let output = Command::new(program)
        .args(arguments)
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    std::fs::read_to_string(Path::new(&path)).unwrap()
}

fn ssh_keygen(arguments: &[&str]) -> String {
    let arguments = [&["-q", "-C", "", "-N"], arguments, &["-f"]].concat();
    made("ssh-keygen", &arguments)
}

fn try_read(identity: &str, passphrase: Option<&str>) -> Result<ClientKey, SshLoginError> {
    let secret = |text: &str| SecretText::new(text.to_owned());
    read(&SshLogin {
        identity: secret(identity),
        passphrase: passphrase.map(secret),
        known_hosts: String::new(),
    })
}

fn name(key: &ClientKey) -> String {
    weir_verify::wire::kind(&key.public()).to_owned()
}

#[test]
fn keys_of_all_kinds_and_formats() {
    let check = |identity: &str, passphrase: Option<&str>, kind: &str| {
        let key = try_read(identity, passphrase);
        let key = key.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(name(&key).starts_with(kind), "{} {kind}", name(&key));
        let name = key.signature(None);
        let signature = key.sign(name, b"a message").unwrap();
        let fits = |message: &[u8]| {
            weir_verify::ssh::fits(&key.public(), name.as_bytes(), &signature, message)
        };
        assert!(fits(b"a message") && !fits(b"another"), "{kind}");
    };
    for (kind, name) in [
        ("ed25519", "ssh-ed25519"),
        ("ecdsa", "ecdsa-sha2-nistp256"),
        ("rsa", "ssh-rsa"),
    ] {
        check(&ssh_keygen(&["", "-t", kind]), None, name);
        let locked = ssh_keygen(&["opens it", "-t", kind]);
        check(&locked, Some("opens it"), name);
        assert!(matches!(
            try_read(&locked, None),
            Err(SshLoginError::Encrypted)
        ));
        assert!(matches!(
            try_read(&locked, Some("")),
            Err(SshLoginError::Encrypted)
        ));
        assert!(matches!(
            try_read(&locked, Some("another")),
            Err(SshLoginError::Passphrase)
        ));
    }
    for (kind, name) in [("ecdsa", "ecdsa-sha2-nistp256"), ("rsa", "ssh-rsa")] {
        check(&ssh_keygen(&["", "-t", kind, "-m", "PKCS8"]), None, name);
        check(&ssh_keygen(&["", "-t", kind, "-m", "PEM"]), None, name);
        let locked = ssh_keygen(&["opens it", "-t", kind, "-m", "PKCS8"]);
        check(&locked, Some("opens it"), name);
        assert!(matches!(
            try_read(&locked, None),
            Err(SshLoginError::Encrypted)
        ));
        assert!(matches!(
            try_read(&locked, Some("another")),
            Err(SshLoginError::Passphrase)
        ));
        let old = ssh_keygen(&["opens it", "-t", kind, "-m", "PEM"]);
        let error = try_read(&old, Some("opens it")).err().unwrap();
        assert!(error.to_string().contains("ssh-keygen -p"), "{error}");
    }
    let pkcs8 = made("openssl", &["genpkey", "-algorithm", "ed25519", "-out"]);
    check(&pkcs8, None, "ssh-ed25519");
    let wide = ssh_keygen(&["", "-t", "ecdsa", "-b", "521"]);
    check(&wide, None, "ecdsa-sha2-nistp521");
}

#[test]
fn what_is_no_key_is_said() {
    for (text, part) in [
        ("", "no private key in PEM"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA",
            "no private key in PEM",
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "cannot be read",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "CERTIFICATE",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
            "cannot be read",
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nM*\n-----END PRIVATE KEY-----",
            "cannot be read",
        ),
    ] {
        let error = try_read(text, None).err().unwrap().to_string();
        assert!(error.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn numbers_are_taken_from_der() {
    let der = [0x30, 0x08, 0x02, 0x03, 0x00, 0x81, 0x01, 0x02, 0x01, 0x03];
    let found: Option<(&[u8], &[u8])> = Some((&[0x00, 0x81, 0x01], &[0x03]));
    assert_eq!(public_numbers(&der), found);
    for cut in 0..der.len() {
        assert_eq!(public_numbers(&der[..cut]), None, "{cut}");
    }
}
