//! Certificates, as OpenSSL sees them.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{failure, render};

/// OpenSSL, or a loud word that it is missing.
fn openssl() -> Option<Command> {
    let mut command = Command::new("openssl");
    match command.arg("version").output() {
        Ok(output) if output.status.success() => Some(Command::new("openssl")),
        _ => {
            assert!(std::env::var_os("CI").is_none(), "openssl is missing");
            #[expect(clippy::print_stderr, reason = "a skipped test must say so")]
            {
                eprintln!("SKIPPED: there is no openssl program");
            }
            None
        }
    }
}

fn run(directory: &Path, args: &[&str]) -> Output {
    openssl()
        .unwrap()
        .current_dir(directory)
        .args(args)
        .output()
        .unwrap()
}

#[track_caller]
fn success(directory: &Path, args: &[&str]) -> String {
    let output = run(directory, args);
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "openssl {args:?}: {out}{err}");
    out.into_owned()
}

/// A directory of its own with files in it.
fn directory(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    for (file, text) in files {
        std::fs::write(directory.join(file), text).unwrap();
    }
    directory
}

/// The parts of a rendered text between lines of equal signs.
fn parts(text: &str) -> Vec<String> {
    render(text).split("=====\n").map(str::to_owned).collect()
}

const CHAIN: &str = "{{ $ca := genCA \"my-ca\" 365 }}\
    {{ $c := genSignedCert \"the & service\" (list \"10.0.0.1\" \"::1\") (list \"a.b\" \"*.c.d\") 30 $ca }}\
    {{ $ca.Cert }}=====\n{{ $ca.Key }}=====\n{{ $c.Cert }}=====\n{{ $c.Key }}";

#[test]
fn a_signed_certificate_verifies() {
    if openssl().is_none() {
        return;
    }
    let parts = parts(CHAIN);
    let files = [
        ("ca.crt", &*parts[0]),
        ("ca.key", &*parts[1]),
        ("tls.crt", &*parts[2]),
        ("tls.key", &*parts[3]),
    ];
    let directory = directory("signed", &files);
    let time = "1600000100";
    success(
        &directory,
        &[
            "verify",
            "-x509_strict",
            "-attime",
            time,
            "-CAfile",
            "ca.crt",
            "ca.crt",
        ],
    );
    for host in ["a.b", "x.c.d"] {
        success(
            &directory,
            &[
                "verify",
                "-attime",
                time,
                "-purpose",
                "sslserver",
                "-verify_hostname",
                host,
                "-CAfile",
                "ca.crt",
                "tls.crt",
            ],
        );
    }
    success(
        &directory,
        &[
            "verify",
            "-attime",
            time,
            "-verify_ip",
            "10.0.0.1",
            "-CAfile",
            "ca.crt",
            "tls.crt",
        ],
    );
    success(&directory, &["rsa", "-check", "-noout", "-in", "tls.key"]);
    let public = |args: &[&str]| success(&directory, args);
    assert_eq!(
        public(&["x509", "-noout", "-pubkey", "-in", "tls.crt"]),
        public(&["pkey", "-pubout", "-in", "tls.key"])
    );

    let text = success(&directory, &["x509", "-noout", "-text", "-in", "tls.crt"]);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "Version: 3 (0x2)",
        "Signature Algorithm: sha256WithRSAEncryption",
        "Issuer: CN = my-ca",
        "Not Before: Sep 13 12:26:40 2020 GMT Not After : Oct 13 12:26:40 2020 GMT",
        "Subject: CN = the & service",
        "Public-Key: (2048 bit)",
        "X509v3 Key Usage: critical Digital Signature, Key Encipherment",
        "X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication",
        "X509v3 Basic Constraints: critical CA:FALSE",
        "X509v3 Subject Alternative Name: DNS:a.b, DNS:*.c.d, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1",
        "X509v3 Authority Key Identifier:",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("Subject Key Identifier"));
    let text = success(&directory, &["x509", "-noout", "-text", "-in", "ca.crt"]);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "X509v3 Key Usage: critical Digital Signature, Key Encipherment, Certificate Sign",
        "X509v3 Basic Constraints: critical CA:TRUE",
        "X509v3 Subject Key Identifier:",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("Authority Key Identifier") && !text.contains("pathlen"));
}

#[test]
fn keys_of_each_kind_make_certificates() {
    if openssl().is_none() {
        return;
    }
    for kind in ["ecdsa", "ed25519"] {
        let text = format!(
            "{{{{ $k := genPrivateKey \"{kind}\" }}}}{{{{ $ca := genCAWithKey \"ca\" 9 $k }}}}\
             {{{{ $c := genSignedCertWithKey \"c\" nil (list \"h\") 9 $ca (genPrivateKey \"{kind}\") }}}}\
             {{{{ $s := genSelfSignedCertWithKey \"\" nil (list \"s\") 9 $k }}}}\
             {{{{ $ca.Cert }}}}=====\n{{{{ $c.Cert }}}}=====\n{{{{ $c.Key }}}}=====\n{{{{ $s.Cert }}}}"
        );
        let parts = parts(&text);
        let files = [
            ("ca.crt", &*parts[0]),
            ("tls.crt", &*parts[1]),
            ("tls.key", &*parts[2]),
            ("self.crt", &*parts[3]),
        ];
        let directory = directory(kind, &files);
        success(
            &directory,
            &[
                "verify",
                "-attime",
                "1600000100",
                "-CAfile",
                "ca.crt",
                "tls.crt",
            ],
        );
        success(&directory, &["pkey", "-noout", "-check", "-in", "tls.key"]);
        let text = success(&directory, &["x509", "-noout", "-text", "-in", "self.crt"]);
        assert!(
            text.contains("Subject Alternative Name: critical"),
            "{text}"
        );
    }
}

#[test]
fn other_curves_are_read() {
    if openssl().is_none() {
        return;
    }
    for curve in ["P-384", "P-521"] {
        let directory = directory(curve, &[]);
        let pem = success(
            &directory,
            &[
                "ecparam",
                "-name",
                if curve == "P-384" {
                    "secp384r1"
                } else {
                    "secp521r1"
                },
                "-genkey",
                "-noout",
            ],
        );
        let quoted = pem.replace('\n', "\\n");
        let parts = parts(&format!(
            "{{{{ $c := genCAWithKey \"c\" 9 \"{quoted}\" }}}}{{{{ $c.Cert }}}}=====\n{{{{ $c.Key }}}}"
        ));
        std::fs::write(directory.join("c.crt"), &parts[0]).unwrap();
        success(
            &directory,
            &[
                "verify",
                "-attime",
                "1600000100",
                "-CAfile",
                "c.crt",
                "c.crt",
            ],
        );
        assert_eq!(parts[1], pem);
    }
}

#[test]
fn rsa_and_dsa_keys_are_sound() {
    if openssl().is_none() {
        return;
    }
    let parts =
        parts("{{ genPrivateKey \"dsa\" }}=====\n{{ (genSelfSignedCert \"x\" nil nil 1).Key }}");
    let directory = directory("keys", &[("dsa.key", &parts[0]), ("rsa.key", &parts[1])]);
    let text = success(&directory, &["dsa", "-text", "-noout", "-in", "dsa.key"]);
    assert!(text.contains("2048 bit"), "{text}");
    success(
        &directory,
        &["dsa", "-pubout", "-in", "dsa.key", "-out", "dsa.pub"],
    );
    success(
        &directory,
        &[
            "dgst",
            "-sha256",
            "-sign",
            "dsa.key",
            "-out",
            "signature",
            "rsa.key",
        ],
    );
    success(
        &directory,
        &[
            "dgst",
            "-sha256",
            "-verify",
            "dsa.pub",
            "-signature",
            "signature",
            "rsa.key",
        ],
    );
    success(&directory, &["rsa", "-check", "-noout", "-in", "rsa.key"]);
}

#[test]
fn given_certificates_are_checked() {
    let custom = "{{ $c := genCAWithKey \"c\" 9 (genPrivateKey \"ed25519\") }}\
        {{ $b := buildCustomCert (b64enc $c.Cert) (b64enc $c.Key) }}{{ eq $b.Cert $c.Cert }} {{ typeOf $b }}";
    assert_eq!(render(custom), "true sprig.certificate");
    for (call, expected) in [
        (
            "buildCustomCert \"!\" \"\"",
            "unable to decode base64 certificate",
        ),
        (
            "buildCustomCert \"\" \"!\"",
            "unable to decode base64 private key",
        ),
        (
            "buildCustomCert \"YQ==\" \"YQ==\"",
            "unable to decode certificate",
        ),
        (
            "genCAWithKey \"c\" 1 \"x\"",
            "parsing private key: no PEM data in input",
        ),
        (
            "genSelfSignedCert \"c\" (list 5) nil 1",
            "error parsing ip: 5 is not a string",
        ),
        (
            "genSelfSignedCert \"c\" (list \"1.2.3\") nil 1",
            "error parsing ip: 1.2.3",
        ),
        (
            "genSelfSignedCert \"c\" nil (list 5) 1",
            "error processing alternate dns name: 5 is not a string",
        ),
        (
            "genCAWithKey \"c\" 1 (genPrivateKey \"dsa\")",
            "error creating certificate: x509: unsupported public key type: *dsa.PublicKey",
        ),
    ] {
        let message = failure(&format!("{{{{ {call} }}}}"));
        assert!(
            message.ends_with(&format!(": {expected}")),
            "{call}: {message}"
        );
    }
    let mismatch = "{{ $a := genCAWithKey \"c\" 9 (genPrivateKey \"ed25519\") }}{{ $k := genPrivateKey \"ecdsa\" }}\
        {{ $b := genCAWithKey \"c\" 9 $k }}{{ $c := buildCustomCert (b64enc $a.Cert) (b64enc $b.Key) }}\
        {{ genSignedCertWithKey \"x\" nil nil 1 $c $k }}";
    assert!(
        failure(mismatch).ends_with("x509: provided PrivateKey doesn't match parent's PublicKey")
    );
}

#[test]
fn other_maps_are_no_certificates() {
    assert!(
        failure("{{ genSignedCert \"c\" nil nil 1 (dict) }}")
            .contains("expected sprig.certificate")
    );
}
