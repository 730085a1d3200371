//! Commands that look into a cluster, here the embedded one of a folder.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::{out, write};

const UNIT: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 1h
  prune: true
  path: apps
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild:
    substituteFrom:
    - {kind: ConfigMap, name: settings}
    - {kind: Secret, name: hush}
";
const MAP: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: default}
data: {region: '${REGION}', password: '${PASSWORD}'}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old, namespace: default}
";
/// What a person keeps in the cluster and not in the repository.
const KEPT: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: flux-system, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}
data: {REGION: north}
---
apiVersion: v1
kind: Secret
metadata: {name: hush, namespace: flux-system, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}
stringData: {PASSWORD: very-secret}
";

fn weir(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .args([
            "--root",
            "repository",
            "--path",
            "main",
            "--local",
            "cluster",
        ])
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .output()
        .unwrap()
}

#[test]
fn values_come_from_it_and_a_difference_is_what_applying_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let repository = folder.join("repository");
    write(&repository, "main/unit.yaml", UNIT);
    write(&repository, "apps/map.yaml", MAP);
    // The first unit makes what the cluster has to hold.
    write(&repository, "kept/kept.yaml", KEPT);
    let keeping = [
        "run",
        "--local",
        "cluster",
        "--root",
        "repository",
        "--path",
        "kept",
        "--once",
    ];
    let kept = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(keeping)
        .current_dir(folder)
        .env("HOME", folder.join("home"))
        .output()
        .unwrap();
    out(&kept);
    fs::remove_dir_all(repository.join("kept")).unwrap();

    let built = out(&weir(folder, &["build"]));
    assert!(
        built.contains("region: north") && built.contains("password: very-secret"),
        "{built}"
    );
    let fresh = out(&weir(folder, &["diff"]));
    assert!(
        fresh.contains("kustomization/flux-system/apps: new unit"),
        "{fresh}"
    );
    assert!(!fresh.contains("very-secret"), "{fresh}");

    let ran = weir(folder, &["run", "--once"]);
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!(out(&weir(folder, &["diff"])), "2 units not touched\n");

    let (first, _) = MAP.split_once("---").unwrap();
    let changed = first.replace("region: '${REGION}'", "region: 'far-${REGION}'");
    write(&repository, "apps/map.yaml", &changed);
    let told = out(&weir(folder, &["diff"]));
    assert!(
        told.contains("  - ConfigMap/default/old\n  ~ ConfigMap/default/web\n"),
        "{told}"
    );
    assert!(told.contains("data.region"), "{told}");
    assert!(!told.contains("very-secret"), "{told}");

    let broken = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: default}\nspec: {replicas: many}\n";
    write(&repository, "apps/map.yaml", broken);
    let refused = weir(folder, &["diff"]);
    let told = String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(
        told.contains("fails: the cluster refuses Deployment/default/web: "),
        "{told}"
    );
}

#[test]
fn what_stands_there_is_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let repository = folder.join("repository");
    let deployment = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'registry.example.org/web:1'}]}
";
    let waiting = UNIT
        .replace("name: apps", "name: later")
        .replace("path: apps", "path: later")
        .replace("  postBuild", "  dependsOn: [{name: apps}]\n  postBuild");
    write(
        &repository,
        "main/unit.yaml",
        &format!("{UNIT}---\n{waiting}"),
    );
    write(&repository, "apps/web.yaml", deployment);
    write(&repository, "later/map.yaml", MAP);
    write(&repository, "kept/kept.yaml", KEPT);
    for path in ["kept", "main"] {
        let ran = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args([
                "run",
                "--once",
                "--local",
                "cluster",
                "--root",
                "repository",
            ])
            .args(["--path", path])
            .current_dir(folder)
            .env("HOME", folder.join("home"))
            .output()
            .unwrap();
        out(&ran);
    }
    // A folder without a repository, and no cluster to look into but the one that is named.
    let look = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder.join("home"))
            .env("KUBECONFIG", folder.join("none"))
            .env_remove("KUBERNETES_SERVICE_HOST")
            .output()
            .unwrap()
    };
    let get = |what: &str| out(&look(&["get", what, "--local", "cluster"]));

    let units = get("units");
    let apps = units.lines().find(|line| line.contains("/apps ")).unwrap();
    let words: Vec<&str> = apps.split_whitespace().collect();
    assert_eq!(
        words[..4],
        [
            "kustomization/flux-system/apps",
            "kustomization/flux-system/flux-system",
            "GitRepository/flux-system/flux-system",
            "ready"
        ],
        "{units}"
    );
    assert!(get("sources").contains("GitRepository/flux-system/flux-system"));
    let images = get("images");
    assert!(
        images.contains("registry.example.org/web:1  kustomization/flux-system/apps"),
        "{images}"
    );
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let graph = words(&get("graph"));
    assert!(
        graph.contains("kustomization/flux-system/later depends on kustomization/flux-system/apps"),
        "{graph}"
    );
    let values = get("values");
    assert!(
        words(&values).contains("Secret flux-system/hush - false true"),
        "{values}"
    );
    assert!(!values.contains("very-secret"), "{values}");

    let told = out(&look(&[
        "explain",
        "deployment/default/web",
        "--local",
        "cluster",
    ]));
    assert!(
        told.starts_with("Deployment/default/web\n  applied by kustomization/flux-system/apps\n    which is ready: Applied revision: "),
        "{told}"
    );
    assert!(
        told.contains("    out of apps of GitRepository/flux-system/flux-system at ")
            && told.contains("  applied by kustomization/flux-system/flux-system\n"),
        "{told}"
    );
    let by_name = out(&look(&["explain", "ConfigMap/old", "--local", "cluster"]));
    assert!(
        by_name.contains("applied by kustomization/flux-system/later"),
        "{by_name}"
    );

    for (arguments, said) in [
        (
            &["explain", "apps/web.yaml", "--local", "cluster"][..],
            "a cluster has no files",
        ),
        (
            &["explain", "Nothing/a/b", "--local", "cluster"],
            "serves no kind Nothing",
        ),
        (
            &["explain", "ConfigMap/default/none", "--local", "cluster"],
            "there is no ConfigMap/default/none",
        ),
        (&["get", "units"], "the working folder is no repository"),
    ] {
        let refused = look(arguments);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && told.contains(said), "{told}");
    }
}
