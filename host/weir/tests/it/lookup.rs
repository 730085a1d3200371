//! What charts of a repository see when they look objects up.

use std::path::Path;
use std::process::Command;

use crate::write;

const UNITS: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: apps}
spec:
  interval: 1h
  chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}}}
---
apiVersion: v1
kind: Secret
metadata: {name: db, namespace: apps}
stringData: {PASSWORD: very-secret}
";
const TEMPLATE: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: seen, namespace: apps}
data:
  db: {{ (lookup \"v1\" \"Secret\" \"apps\" \"db\").stringData | toJson | quote }}
  other: {{ lookup \"v1\" \"Secret\" \"apps\" \"other\" | toJson | quote }}
  own: {{ lookup \"v1\" \"ConfigMap\" \"apps\" \"seen\" | toJson | quote }}
  all: {{ len (lookup \"v1\" \"Secret\" \"apps\" \"\").items | quote }}
";

fn weir(root: &Path, arguments: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(arguments)
        .args(["--root", ".", "--path", "main", "--offline"])
        .current_dir(root)
        .env("HOME", root.join(".home"))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    (out, err)
}

#[test]
fn they_see_what_other_units_make() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(root, "main/units.yaml", UNITS);
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    write(root, "charts/web/Chart.yaml", chart);
    write(root, "charts/web/templates/seen.yaml", TEMPLATE);
    // Twice: the second time from what was kept of the first.
    for _ in 0..2 {
        let (built, said) = weir(root, &["build"]);
        assert!(
            built.contains(r#"db: '{"PASSWORD":"very-secret"}'"#)
                && built.contains("other: '{}'")
                && built.contains("own: '{}'")
                && built.contains(r#"all: "1""#),
            "{built}"
        );
        assert!(
            said.contains("note: charts look objects up; without a cluster they see what the repository holds: ConfigMap/apps/seen (not there), Secret/apps/db, Secret/apps/other (not there), all Secrets of apps"),
            "{said}"
        );
    }
    let added = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other, namespace: apps}\nstringData: {A: b}\n";
    write(root, "main/units.yaml", &format!("{UNITS}{added}"));
    let (built, _) = weir(root, &["build"]);
    assert!(built.contains(r#"all: "2""#), "{built}");
}

/// A value of a Secret that a unit puts into a ConfigMap, which a chart then reads.
#[test]
fn what_was_made_of_secrets_is_kept_nowhere() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let unit = "---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: settings, namespace: apps}
spec:
  interval: 1h
  prune: true
  path: settings
  sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
  postBuild: {substituteFrom: [{kind: Secret, name: db}]}
";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: apps}\ndata: {url: 'db:${PASSWORD}'}\n";
    let template = "apiVersion: v1
kind: ConfigMap
metadata: {name: seen, namespace: apps}
data: {url: {{ (lookup \"v1\" \"ConfigMap\" \"apps\" \"settings\").data.url | quote }}}
";
    write(root, "main/units.yaml", &format!("{UNITS}{unit}"));
    write(root, "settings/map.yaml", map);
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    write(root, "charts/web/Chart.yaml", chart);
    write(root, "charts/web/templates/seen.yaml", template);
    let (built, _) = weir(root, &["build"]);
    assert_eq!(built.matches("url: db:very-secret").count(), 2, "{built}");
    let leaks = files(&root.join(".home"));
    let leaks: Vec<_> = leaks
        .iter()
        .filter(|path| {
            let content = std::fs::read(path).unwrap();
            content.windows(14).any(|part| part == b"db:very-secret")
        })
        .collect();
    assert!(leaks.is_empty(), "{leaks:?}");
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
