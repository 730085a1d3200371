//! `weir diff` between two commits, and `weir get` and `weir explain` on the newer one.

use std::path::Path;
use std::process::{Command, Output};

use crate::{out, write};

fn git(root: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args(arguments)
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn weir(root: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .args(["--root", ".", "--path", "main", "--offline"])
        .current_dir(root)
        .env("HOME", root.join("nowhere"))
        .output()
        .unwrap()
}

const UNIT: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME, namespace: flux-system}\nspec: {interval: 1h, prune: true, path: NAME, sourceRef: {kind: GitRepository, name: flux-system}}\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: default}\nspec: {containers: [{name: web, image: 'web:1'}]}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData: {password: first-password}\n";

/// Two commits: an image, a Secret and a new object differ.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, content: &str| write(root, path, content);
    write("main/a.yaml", &UNIT.replace("NAME", "apps"));
    write("main/b.yaml", &UNIT.replace("NAME", "other"));
    write("apps/pod.yaml", POD);
    write(
        "other/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m, namespace: default}\ndata: {a: b}\n",
    );
    git(root, &["init", "-q", "-b", "main"]);
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "first"]);
    let changed = POD.replace("web:1", "web:2").replace("first-", "second-");
    write("apps/pod.yaml", &changed);
    write(
        "apps/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: default}\n",
    );
    git(root, &["add", "-A"]);
    git(root, &["commit", "-q", "-m", "second"]);
    folder
}

#[test]
fn a_difference_is_told_by_unit_object_and_field() {
    let folder = repository();
    let text = out(&weir(folder.path(), &["diff", "HEAD~1", "HEAD"]));
    assert_eq!(
        text,
        "kustomization/flux-system/apps: changed\n  + ConfigMap/default/new\n  ~ Pod/default/web\n      \
         - spec.containers[0].image: \"web:1\"\n      + spec.containers[0].image: \"web:2\"\n  ~ Secret/default/s\n      \
         - stringData.password: ***\n      + stringData.password: ***\nimage - web:1\nimage + web:2\n2 units not touched\n"
    );
    let text = out(&weir(folder.path(), &["diff", "HEAD~1", "-o", "markdown"]));
    assert!(
        text.starts_with("### `kustomization/flux-system/apps`\n\nchanged\n\n```diff\n"),
        "{text}"
    );
    assert!(
        text.contains("@@ Pod/default/web @@\n") && text.contains("### Images"),
        "{text}"
    );
    assert!(!text.contains("password: \""), "{text}");
    let text = out(&weir(folder.path(), &["diff", "HEAD", "HEAD"]));
    assert_eq!(text, "3 units not touched\n");
    let missing = weir(folder.path(), &["diff", "v9"]);
    assert_eq!(missing.status.code(), Some(1));
    let err = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(err.contains("finding the revision v9"), "{err}");
}

#[test]
fn lists_and_explanations() {
    let folder = repository();
    let text = out(&weir(folder.path(), &["get", "units"]));
    assert!(text.starts_with("UNIT "), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    let images = out(&weir(folder.path(), &["get", "images", "-o", "json"]));
    let images: serde_json::Value = serde_json::from_str(&images).unwrap();
    assert_eq!(images[0]["image"], "web:2");
    assert_eq!(images[0]["units"][0], "kustomization/flux-system/apps");

    let text = out(&weir(folder.path(), &["explain", "apps/pod.yaml"]));
    assert_eq!(
        text,
        "kustomization/flux-system/apps reads it\n  line 1: Pod/default/web\n  line 6: Secret/default/s\n"
    );
    let text = out(&weir(folder.path(), &["explain", "pod/default/web"]));
    assert!(
        text.starts_with("Pod/default/web\n  from apps/pod.yaml:1\n  made by kustomization/flux-system/apps (kustomize)\n"),
        "{text}"
    );
    assert!(text.contains("which stands in main/a.yaml:1"), "{text}");
    let nothing = weir(folder.path(), &["explain", "Pod/x"]);
    assert_eq!(nothing.status.code(), Some(1));
}

/// What the Secret of the next test holds.
const HIDDEN: &str = "hidden-3fe1";

#[test]
fn what_a_secret_went_into_is_told_without_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, content: &str| write(root, path, content);
    let commit = |message| {
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", message]);
    };
    let from = "flux-system}, postBuild: {substituteFrom: [{kind: Secret, name: s}]}}";
    let unit = UNIT.replace("NAME", "apps").replace("flux-system}}", from);
    write("main/a.yaml", &unit);
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: flux-system}}\nstringData: {{REGISTRY: {value}}}\n"
        )
    };
    write("main/secret.yaml", &secret(HIDDEN));
    let pod = |tag: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: default}}\nspec: {{containers: [{{name: web, image: '${{REGISTRY}}/web:{tag}'}}]}}\n"
        )
    };
    write("apps/pod.yaml", &pod("1"));
    git(root, &["init", "-q", "-b", "main"]);
    commit("first");
    write("apps/pod.yaml", &pod("2"));
    commit("second");
    let built = out(&weir(root, &["build"]));
    assert!(built.contains(&format!("image: {HIDDEN}/web:2")), "{built}");
    let text = out(&weir(root, &["diff", "HEAD~1", "HEAD"]));
    assert_eq!(
        text,
        "kustomization/flux-system/apps: changed\n  ~ Pod/default/web\n      \
         - spec.containers[0].image: \"registry/web:1\"\n      + spec.containers[0].image: \"registry/web:2\"\n\
         image - registry/web:1\nimage + registry/web:2\n1 unit not touched\n"
    );
    let images = out(&weir(root, &["get", "images"]));
    assert!(
        images.contains("registry/web:2") && !images.contains(HIDDEN),
        "{images}"
    );
    // Where only the secret itself changed, there is nothing to be shown.
    write("main/secret.yaml", &secret("hidden-77ab"));
    let text = out(&weir(root, &["diff", "HEAD"]));
    assert!(
        text.contains("- spec.containers[0].image: ***\n      + spec.containers[0].image: ***\n"),
        "{text}"
    );
    assert!(!text.contains("hidden"), "{text}");
}
