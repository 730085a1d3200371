use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::*;

const PAYLOAD: &[u8] = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\na commit\n";

fn run(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn now() -> SystemTime {
    SystemTime::now()
}

fn ssh_key(folder: &Path, arguments: &[&str]) -> String {
    let path = folder.join("key");
    let _ = fs::remove_file(&path);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-N", "", "-C", "ann@example.org", "-f"]);
    run(command.arg(&path).args(arguments), b"");
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

fn ssh_sign(folder: &Path, namespace: &str, more: &[&str]) -> String {
    let mut command = Command::new("ssh-keygen");
    command.args(["-Y", "sign", "-q", "-n", namespace, "-f"]);
    let signature = run(command.arg(folder.join("key")).args(more), PAYLOAD);
    String::from_utf8(signature).unwrap()
}

#[test]
fn ssh_keys_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["-t", "ed25519"][..],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "rsa", "-b", "2048"],
    ] {
        let public = ssh_key(folder.path(), arguments);
        let fingerprint = run(
            Command::new("ssh-keygen")
                .arg("-lf")
                .arg(folder.path().join("key.pub")),
            b"",
        );
        let fingerprint = String::from_utf8(fingerprint).unwrap();
        let fingerprint = fingerprint.split(' ').nth(1).unwrap();
        for hash in ["sha256", "sha512"] {
            let signature = ssh_sign(folder.path(), "git", &["-O", &format!("hashalg={hash}")]);
            let keys = Keys {
                ssh: vec!["# nobody\n".to_owned(), format!("no-pty {public}")],
                ..Keys::default()
            };
            let found = verify(&signature, PAYLOAD, &keys, now());
            assert_eq!(found.as_deref(), Ok(fingerprint), "{arguments:?}");
            assert_eq!(
                verify(&signature, b"another", &keys, now()),
                Err(SignatureError::NoSshKey)
            );
        }
    }
}

#[test]
fn ssh_signatures_that_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let public = ssh_key(folder.path(), &["-t", "ed25519"]);
    let signature = ssh_sign(folder.path(), "git", &[]);
    let for_files = ssh_sign(folder.path(), "file", &[]);
    let other = ssh_key(folder.path(), &["-t", "ed25519"]);
    let keys = |ssh: &[&str]| Keys {
        pgp: Vec::new(),
        ssh: ssh.iter().map(|key| (*key).to_owned()).collect(),
    };
    let check = |signature: &str, ssh: &[&str]| verify(signature, PAYLOAD, &keys(ssh), now());
    assert!(check(&signature, &[&other, &public]).is_ok());
    assert_eq!(check(&signature, &[&other]), Err(SignatureError::NoSshKey));
    let error = check(&signature, &[]).unwrap_err().about("commit");
    assert_eq!(
        error,
        "SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)"
    );
    let error = check(&signature, &[&other]).unwrap_err().about("tag");
    assert_eq!(
        error,
        "unable to verify Git tag SSH signature: unable to verify payload with any of the given authorized keys: no \
         matching key\npublic key does not match"
    );
    assert_eq!(
        check(&for_files, &[&public]),
        Err(SignatureError::Namespace("file".to_owned()))
    );
    let error = check(&signature, &["ssh-ed25519 AAAA"]).unwrap_err();
    assert!(
        matches!(error, SignatureError::AuthorizedKeys(_)),
        "{error}"
    );
    let cut: String = signature.lines().take(3).collect();
    assert!(matches!(
        check(&cut, &[&public]),
        Err(SignatureError::Armor(_))
    ));
    let blob = unarmored(&signature);
    for cut in 0..blob.len() {
        let text = armored(&blob[..cut]);
        assert!(check(&text, &[&public]).is_err(), "{cut}");
    }
    for index in 0..blob.len() {
        let mut blob = blob.clone();
        blob[index] ^= 1;
        assert!(check(&armored(&blob), &[&public]).is_err(), "{index}");
    }
}

fn unarmored(signature: &str) -> Vec<u8> {
    use base64::Engine as _;
    let lines: Vec<&str> = signature.trim().lines().collect();
    let body = lines[1..lines.len() - 1].concat();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap()
}

fn armored(blob: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(blob);
    format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----")
}

#[test]
fn other_kinds_are_named() {
    let keys = pgp(&[""]);
    let check = |text: &str| verify(text, PAYLOAD, &keys, now()).unwrap_err();
    assert_eq!(check("  \n"), SignatureError::Empty);
    assert_eq!(check("hello"), SignatureError::Format("unknown"));
    assert_eq!(
        check("-----BEGIN SIGNED MESSAGE-----\n"),
        SignatureError::Format("x509")
    );
    assert_eq!(
        check("-----BEGIN SSH SIGNATURE-----\n").about("commit"),
        "SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)"
    );
    assert!(matches!(
        check("-----BEGIN PGP SIGNATURE-----\n"),
        SignatureError::KeyRing(_)
    ));
}

/// A home of gpg, with an agent of its own that ends with it.
struct Gpg(tempfile::TempDir);

impl Gpg {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp");
        Self(folder.unwrap())
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.0.path());
        command.args(["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback"]);
        command.args(["--passphrase", ""]).args(arguments);
        String::from_utf8(run(&mut command, input)).unwrap()
    }

    fn generate(&self, name: &str, kind: &str, usage: &str, expires: &str) {
        self.run(&["--quick-generate-key", name, kind, usage, expires], b"");
    }

    fn public(&self, name: &str) -> String {
        self.run(&["--armor", "--export", name], b"")
    }

    fn sign(&self, name: &str) -> String {
        let arguments = ["--armor", "--detach-sign", "--local-user", name];
        self.run(&arguments, PAYLOAD)
    }

    fn id(&self, name: &str) -> String {
        let list = self.run(&["--with-colons", "--list-keys", name], b"");
        let line = list.lines().find(|line| line.starts_with("pub:")).unwrap();
        line.split(':').nth(4).unwrap().to_owned()
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.arg("--homedir").arg(self.0.path());
        let _ = command.args(["--kill", "gpg-agent"]).output();
    }
}

fn pgp(rings: &[&str]) -> Keys {
    Keys {
        pgp: rings.iter().map(|ring| (*ring).to_owned()).collect(),
        ssh: Vec::new(),
    }
}

#[test]
fn pgp_keys_of_all_kinds() {
    let gpg = Gpg::new();
    for (name, kind) in [
        ("ed@example.org", "ed25519"),
        ("rsa@example.org", "rsa2048"),
        ("nist@example.org", "nistp256"),
    ] {
        gpg.generate(name, kind, "sign,cert", "never");
        let (ring, signature) = (gpg.public(name), gpg.sign(name));
        let found = verify(&signature, PAYLOAD, &pgp(&["no ring", &ring]), now());
        assert_eq!(found, Ok(gpg.id(name)), "{kind}");
        assert_eq!(
            verify(&signature, b"another", &pgp(&[&ring]), now()),
            Err(SignatureError::NoPgpKey)
        );
    }
    // One ring with all three.
    let ring = gpg.public("example.org");
    let found = verify(
        &gpg.sign("nist@example.org"),
        PAYLOAD,
        &pgp(&[&ring]),
        now(),
    );
    assert_eq!(found, Ok(gpg.id("nist@example.org")));
}

#[test]
fn a_pgp_subkey_signs_for_its_key() {
    let gpg = Gpg::new();
    let name = "ann@example.org";
    gpg.generate(name, "ed25519", "cert", "never");
    let before = gpg.public(name);
    let list = gpg.run(&["--with-colons", "--list-keys", name], b"");
    let line = list.lines().find(|line| line.starts_with("fpr:")).unwrap();
    let fingerprint = line.split(':').nth(9).unwrap().to_owned();
    gpg.run(
        &["--quick-add-key", &fingerprint, "ed25519", "sign", "1d"],
        b"",
    );
    let (ring, signature) = (gpg.public(name), gpg.sign(name));
    let check = |ring: &str, now: SystemTime| verify(&signature, PAYLOAD, &pgp(&[ring]), now);
    assert_eq!(check(&ring, now()), Ok(gpg.id(name)));
    assert_eq!(check(&before, now()), Err(SignatureError::NoPgpKey));
    let later = now() + Duration::from_secs(2 * 86400);
    assert_eq!(
        check(&ring, later),
        Err(SignatureError::NoPgpKey),
        "expired"
    );
}

#[test]
fn pgp_keys_that_do_not_count() {
    let gpg = Gpg::new();
    gpg.generate("a@example.org", "ed25519", "sign,cert", "1d");
    gpg.generate("b@example.org", "ed25519", "sign,cert", "never");
    let signature = gpg.sign("a@example.org");
    let (ring, other) = (gpg.public("a@example.org"), gpg.public("b@example.org"));
    let check = |ring: &str, now: SystemTime| verify(&signature, PAYLOAD, &pgp(&[ring]), now);
    assert!(check(&ring, now()).is_ok());
    assert_eq!(check(&other, now()), Err(SignatureError::NoPgpKey));
    let later = now() + Duration::from_secs(2 * 86400);
    assert_eq!(
        check(&ring, later),
        Err(SignatureError::NoPgpKey),
        "expired"
    );
    let error = check("no ring", now()).unwrap_err();
    assert!(matches!(error, SignatureError::KeyRing(_)), "{error}");
    // gpg writes a revocation for each key that it makes.
    let folder = gpg.0.path().join("openpgp-revocs.d");
    let id = gpg.id("a@example.org");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(&id) {
            let text = fs::read_to_string(path).unwrap();
            // A colon keeps people from using it by mistake.
            gpg.run(&["--import"], text.replace(":-----", "-----").as_bytes());
        }
    }
    let revoked = gpg.public("a@example.org");
    assert_eq!(check(&revoked, now()), Err(SignatureError::NoPgpKey));
}
