//! `weir build` on small repositories. `WEIR_BLESS=1` writes the expectations anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

struct Ran {
    code: Option<i32>,
    out: String,
    /// Without the time that it took.
    err: String,
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/cases/build")
        .join(name)
}

/// A copy outside of the checkout: what Git says of a folder counts.
fn repository(case: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&case.join("repository"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn build(root: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("build").arg(root).args(arguments);
    // Nothing is fetched, and no key of whoever runs the test is used.
    command.arg("--offline").env("HOME", root);
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    let err: Vec<&str> = err
        .lines()
        .map(|line| match line.rsplit_once("; ") {
            Some((rest, time)) if line.contains(" built, ") && time.ends_with(" s") => rest,
            _ => line.trim_end(),
        })
        .collect();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: err.join("\n") + "\n",
    }
}

fn check(found: &str, expected: &Path) {
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::write(expected, found).unwrap();
    }
    let text = fs::read_to_string(expected).unwrap();
    assert_eq!(found, text, "{}", expected.display());
}

#[test]
fn a_repository_is_built_from_what_it_was_bootstrapped_with() {
    let case = case("home");
    let ran = build(repository(&case).path(), &["--no-decrypt"]);
    check(&ran.out, &case.join("expected.yaml"));
    check(&ran.err, &case.join("expected.err"));
    assert_eq!(ran.code, Some(1), "four units cannot be built");
}

#[test]
fn values_of_a_file_come_before_those_of_the_repository() {
    let case = case("home");
    let root = repository(&case);
    let file = root.path().join("values.yaml.txt");
    let values = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: flux-system}\ndata: {PORT: '9090'}\n---\n\
        apiVersion: v1\nkind: Secret\nmetadata: {name: secrets, namespace: flux-system}\ndata: {SECRET_DOMAIN: ZXhhbXBsZS5jb20=}\n";
    fs::write(&file, values).unwrap();
    let arguments = [
        "--no-decrypt",
        "--substitute-from",
        file.to_str().unwrap(),
        "--kind",
        "deployment",
    ];
    let ran = build(root.path(), &arguments);
    assert!(ran.out.contains("- containerPort: 9090\n"), "{}", ran.out);
    assert!(ran.out.contains("value: example.com\n"), "{}", ran.out);
    assert!(!ran.out.contains("kind: ConfigMap"), "{}", ran.out);
}

#[test]
fn a_path_makes_the_entry_and_filters_choose() {
    let case = case("home");
    let root = repository(&case);
    let ran = build(
        root.path(),
        &[
            "--no-decrypt",
            "--no-releases",
            "--path",
            "releases",
            "-o",
            "json",
        ],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let units: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(units[0]["name"], "flux-system");
    assert_eq!(units[0]["objects"][0]["kind"], "HelmRelease");
    assert_eq!(units[1]["parent"], "kustomization/flux-system/flux-system");

    let ran = build(
        root.path(),
        &[
            "--no-decrypt",
            "--file",
            "apps/**/dash*.yaml",
            "--unit",
            "Kustomization/flux-system/apps",
        ],
    );
    assert_eq!(ran.out.matches("\n---\n").count(), 1, "{}", ran.out);
    assert!(ran.out.contains("name: dashboard"), "{}", ran.out);

    let ran = build(
        root.path(),
        &["--no-decrypt", "--unit", "kustomization/a/b"],
    );
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err
            .contains("units of the repository is kustomization/a/b"),
        "{}",
        ran.err
    );
}

#[test]
fn unset_variables_are_nothing_or_an_error() {
    let root = tempfile::tempdir().unwrap();
    let unit = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec:\n  interval: 1h\n  prune: true\n  path: a\n  \
        sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild: {substituteStrategy: Always}\n";
    fs::create_dir_all(root.path().join("a")).unwrap();
    fs::create_dir_all(root.path().join("entry")).unwrap();
    fs::write(root.path().join("entry/unit.yaml"), unit).unwrap();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata: {a: 'x${DOMAIN}y'}\n";
    fs::write(root.path().join("a/map.yaml"), map).unwrap();
    let ran = build(root.path(), &["--path", "entry"]);
    assert!(
        ran.code == Some(0) && ran.out.contains("a: xy\n"),
        "{}{}",
        ran.out,
        ran.err
    );
    let ran = build(root.path(), &["--path", "entry", "--strict-substitute"]);
    assert!(
        ran.code == Some(1)
            && ran
                .err
                .contains("variable not set (strict mode): \"DOMAIN\""),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("a/map.yaml:1") && ran.err.contains("/data/a"),
        "{}",
        ran.err
    );
}

#[test]
fn a_folder_takes_one_file_for_each_object() {
    let case = case("home");
    let (root, out) = (repository(&case), tempfile::tempdir().unwrap());
    let to = format!("dir:{}", out.path().display());
    let ran = build(root.path(), &["--no-decrypt", "-o", &to]);
    assert_eq!(ran.out, "");
    let file = out
        .path()
        .join("kustomization/flux-system/apps/apps_apps_v1_deployment_web.yaml");
    assert!(fs::read_to_string(file).unwrap().contains("replicas: 2\n"));
}
