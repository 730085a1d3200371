//! Encrypted files and objects: with a key, without one, and through the controller.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weir_api::{Object, crd};
use weir_cluster::{Apply, Cluster as _, Local};
use weir_testing::doubles;
use weir_testing::web::WebServer;

/// The plain value in the vector that the repository has.
const PLAIN: &str = "hunter2";

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/sops")
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn unit(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\nspec:\n  \
         interval: 1h\n  prune: true\n  path: {name}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{rest}"
    )
}

/// An encrypted object, an encrypted file that a generator reads, and a unit that substitutes from the object.
fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    let decryption = "  decryption: {provider: sops, secretRef: {name: sops-age}}\n";
    write(
        &at("main/units.yaml"),
        format!(
            "{}---\n{}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: staging}}\n",
            unit("secrets", &format!("  targetNamespace: flux-system\n{decryption}")),
            unit(
                "user",
                "  dependsOn: [{name: secrets}]\n  postBuild: {substituteFrom: [{kind: Secret, name: s}]}\n"
            )
        )
        .as_bytes(),
    );
    let object = fs::read(vectors().join("flux-resource/input.json")).unwrap();
    write(&at("secrets/secret.yaml"), &object);
    let file = fs::read(vectors().join("dotenv/input.env")).unwrap();
    write(&at("secrets/settings.env"), &file);
    write(
        &at("secrets/kustomization.yaml"),
        b"resources: [secret.yaml]\nsecretGenerator:\n- name: generated\n  envs: [settings.env]\n",
    );
    write(
        &at("user/secret.yaml"),
        b"apiVersion: v1\nkind: Secret\nmetadata: {name: copy, namespace: staging}\nstringData: {copy: 'x-${password}-x'}\n",
    );
    root
}

/// Runs weir with nothing but what is in a folder of its own.
fn weir(home: &Path, key: bool, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.args(arguments).env_clear().env("HOME", home);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if key {
        command.env("SOPS_AGE_KEY_FILE", vectors().join("keys/age-1.txt"));
    }
    fs::create_dir_all(home.join("tmp")).unwrap();
    command.env("TMPDIR", home.join("tmp")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether a file below a folder has the plain value, as it is or in base64.
fn holds_plain(folder: &Path) -> bool {
    let plain = [PLAIN.to_owned(), STANDARD.encode(PLAIN)];
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds_plain(&path);
        }
        let content = text(&fs::read(&path).unwrap_or_default());
        plain.iter().any(|plain| content.contains(plain))
    })
}

#[test]
fn a_key_of_the_person_opens_objects_and_files() {
    let (root, home) = (repository(), tempfile::tempdir().unwrap());
    let root = root.path().to_str().unwrap();
    let ran = weir(home.path(), true, &["build", root, "--path", "main"]);
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert!(out.contains("password: hunter2\n"), "{out}");
    assert!(!out.contains("sops:") && !out.contains("ENC["), "{out}");
    // The generated name is that of the plain content.
    assert!(
        out.contains(&format!("  A: {}\n", STANDARD.encode("1"))),
        "{out}"
    );
    assert!(out.contains("copy: x-hunter2-x\n"), "{out}");
    assert!(!err.contains(PLAIN), "{err}");
    assert!(!holds_plain(home.path()), "the plain value is on disk");
}

#[test]
fn without_a_key_everything_else_is_still_seen() {
    let (root, home) = (repository(), tempfile::tempdir().unwrap());
    let folder = root.path().to_str().unwrap();
    let ran = weir(home.path(), false, &["build", folder, "--path", "main"]);
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{err}");
    assert!(out.contains("password: SOPSplaceholder"), "{out}");
    // Substitution has a placeholder that fits into a host name, made of the key.
    assert!(out.contains("copy: x-password-x\n"), "{out}");
    assert!(
        err.contains("are placeholders, because there is no key for age1"),
        "{err}"
    );

    let arguments = ["build", folder, "--path", "main", "--no-decrypt"];
    let kept = weir(home.path(), true, &arguments);
    let out = text(&kept.stdout);
    assert!(
        out.contains("password: ENC[AES256_GCM") && !out.contains(PLAIN),
        "{out}"
    );
}

#[test]
fn a_test_shows_no_plain_value() {
    let (root, home) = (repository(), tempfile::tempdir().unwrap());
    // A mistake in what comes after decryption.
    let broken = b"apiVersion: v1\nkind: Secret\nmetadata: {name: copy, namespace: staging}\nstringData: {copy: '${password} ${nothing}', a: {b: '${password}'}}\n";
    write(&root.path().join("user/secret.yaml"), broken);
    let folder = root.path().to_str().unwrap();
    let ran = weir(home.path(), true, &["test", folder, "--path", "main"]);
    let (out, err) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("nothing"), "{out}");
    assert!(!out.contains(PLAIN) && !err.contains(PLAIN), "{out}{err}");
    assert!(!holds_plain(home.path()), "the plain value is on disk");
}

/// A cluster with Flux's kinds, and the key if it is wanted.
fn cluster(folder: &Path, key: Option<&[u8]>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let secret = key.map(|key| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "flux-system", "name": "sops-age"},
            "data": {"age.agekey": STANDARD.encode(key)},
        })
    });
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}});
    runtime.block_on(async {
        let cluster = Local::open(folder).unwrap();
        let definitions = crd::all().into_iter().map(|(_, definition)| definition);
        for value in definitions.chain([namespace]).chain(secret) {
            let how = Apply {
                manager: "test".into(),
                force: true,
                dry_run: false,
            };
            let object = Object::new(value).unwrap();
            cluster.apply(&object, &how).await.unwrap();
        }
    });
}

/// The objects of a kind in the cluster's folder whose name is this.
fn objects(folder: &Path, name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(objects(&path, name));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let content = fs::read_to_string(&path).unwrap();
            let Ok(object) = weir_k8s_yaml::from_str(&content, weir_k8s_yaml::Schema::Sigs) else {
                continue;
            };
            if object["metadata"]["name"] == name {
                found.push(object);
            }
        }
    }
    found
}

#[test]
fn the_controller_takes_its_keys_from_the_secret_that_the_unit_names() {
    let key = fs::read(vectors().join("keys/age-1.txt")).unwrap();
    for key in [Some(&*key), None] {
        let (root, home) = (repository(), tempfile::tempdir().unwrap());
        let folder = home.path().join("cluster");
        cluster(&folder, key);
        let ran = weir(
            home.path(),
            false,
            &[
                "run",
                "--once",
                "--path",
                "main",
                "--log",
                "debug",
                "--local",
                folder.to_str().unwrap(),
                "--root",
                root.path().to_str().unwrap(),
            ],
        );
        let (out, err) = (text(&ran.stdout), text(&ran.stderr));
        assert!(!out.contains(PLAIN) && !err.contains(PLAIN), "{out}{err}");
        let made = objects(&folder, "s");
        if key.is_some() {
            assert_eq!(ran.status.code(), Some(0), "{out}{err}");
            let password = made[0]["data"]["password"].as_str().unwrap_or_default();
            assert_eq!(password, STANDARD.encode(PLAIN), "{made:?}");
        } else {
            assert_eq!(ran.status.code(), Some(1), "{out}{err}");
            assert!(made.is_empty(), "{made:?}");
            let units = objects(&folder, "secrets");
            let conditions = units[0]["status"]["conditions"].to_string();
            assert!(
                conditions.contains("secrets \\\"sops-age\\\" not found"),
                "{conditions}"
            );
            assert!(conditions.contains("BuildFailed"), "{conditions}");
        }
    }
}

/// A file whose data key a Vault has wrapped: with a login, and with `--offline`, where no service is asked.
#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn a_key_service_unwraps() {
    let Some(sops) = weir_testing::tools::find("sops").unwrap() else {
        eprintln!("SKIPPED: sops is not built; run `cargo xtask tools`");
        return;
    };
    let vault = WebServer::start(|request| doubles::vault(request, "hush-hush")).unwrap();
    let root = tempfile::tempdir().unwrap();
    let at = |path: &str| root.path().join(path);
    let decryption = "  decryption: {provider: sops}\n";
    write(
        &at("main/unit.yaml"),
        unit("secrets", decryption).as_bytes(),
    );
    let secret = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: a}}\nstringData: {{password: {PLAIN}}}\n"
    );
    write(&at("secrets/secret.yaml"), secret.as_bytes());
    let encrypted = Command::new(sops)
        .args(["encrypt", "--in-place", "--encrypted-regex", "^stringData$"])
        .args(["--hc-vault-transit", &vault.url("/v1/transit/keys/sops")])
        .arg(at("secrets/secret.yaml"))
        .env("VAULT_TOKEN", "hush-hush")
        .output()
        .unwrap();
    assert!(encrypted.status.success(), "{}", text(&encrypted.stderr));

    let build = |token: &str, flags: &[&str]| {
        let home = tempfile::tempdir().unwrap();
        let root = root.path().display().to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["build", &root, "--path", "main"])
            .args(flags)
            .env_clear()
            .env("HOME", home.path())
            .env("VAULT_TOKEN", token)
            .output()
            .unwrap();
        assert!(
            !text(&output.stderr).contains("hush"),
            "{}",
            text(&output.stderr)
        );
        (text(&output.stdout), text(&output.stderr))
    };
    let (objects, said) = build("hush-hush", &[]);
    assert!(objects.contains(PLAIN), "{objects}{said}");

    let asked = vault.requests().len();
    let (objects, said) = build("hush-hush", &["--offline"]);
    assert!(!objects.contains(PLAIN), "{objects}");
    assert!(
        said.contains("with --offline no key service is asked"),
        "{said}"
    );
    assert_eq!(vault.requests().len(), asked);

    let (_, said) = build("wrong", &[]);
    assert!(said.contains("permission denied"), "{said}");
}
