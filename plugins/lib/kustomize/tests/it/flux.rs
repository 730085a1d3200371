//! What kustomize-controller does around a build.

use serde_json::{Value, json};
use weir_kustomize::{Error, FluxFields, Options, build};

use crate::memory::MemoryHost;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn objects(files: &[(&str, &str)], fields: FluxFields) -> Result<Vec<Value>, Error> {
    let built = build(&MemoryHost::new(files), "", &Options::flux(fields))?;
    built
        .objects()
        .iter()
        .map(|object| object.to_value())
        .collect()
}

fn names(files: &[(&str, &str)], fields: FluxFields) -> Vec<String> {
    let objects = objects(files, fields).unwrap();
    objects
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn named(name: &str) -> String {
    CONFIG_MAP.replace("name: a", &format!("name: {name}"))
}

#[test]
fn a_folder_without_a_kustomization_gets_one_of_all_its_files() {
    let files = [
        ("b.yaml", named("b")),
        ("a/z.yml", named("a-z")),
        ("a/notes.txt", "not yaml: [".to_owned()),
        (
            "c/kustomization.yaml",
            "namePrefix: k-\nresources: [x.yaml]\n".to_owned(),
        ),
        ("c/x.yaml", named("x")),
        ("c/unused.yaml", named("unused")),
        (".hidden/h.yaml", named("h")),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (*path, text.as_str()))
        .collect();
    // In the order of the listing, not sorted by kind.
    assert_eq!(
        names(&files, FluxFields::default()),
        ["h", "a-z", "b", "k-x"]
    );
}

#[test]
fn every_listing_that_led_to_the_made_file_is_asked_for() {
    let host = MemoryHost::new(&[("a.yaml", CONFIG_MAP), ("sub/b.txt", "")]);
    build(&host, "", &Options::flux(FluxFields::default())).unwrap();
    let asked = host.tree.asked.borrow();
    for question in [
        "read kustomization.yaml",
        "read Kustomization",
        "entries ",
        "entries sub",
        "read a.yaml",
    ] {
        assert!(
            asked.iter().any(|asked| asked == question),
            "{question}: {asked:?}"
        );
    }
}

#[test]
fn an_empty_folder_builds_to_nothing() {
    assert!(names(&[("README.md", "")], FluxFields::default()).is_empty());
}

#[test]
fn a_file_that_holds_no_objects_is_an_error() {
    let error = objects(&[("values.yaml", "a: 1\n")], FluxFields::default()).unwrap_err();
    assert_eq!((error.file(), error.line()), ("values.yaml", 1));
    assert!(error.hint().contains("no kustomization file"), "{error}");
}

#[test]
fn the_root_file_is_read_leniently_and_bases_are_not() {
    let lenient = "resources: [a.yaml]\nresource: [x]\nimages:\n- {name: nginx, newTag: 1.10}\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: nginx}]}\n";
    let made = objects(
        &[("kustomization.yaml", lenient), ("a.yaml", pod)],
        FluxFields::default(),
    )
    .unwrap();
    assert_eq!(made[0]["spec"]["containers"][0]["image"], "nginx:1.1");

    let files = [
        ("kustomization.yaml", "resources: [base]"),
        ("base/kustomization.yaml", lenient),
        ("base/a.yaml", pod),
    ];
    assert_eq!(
        objects(&files, FluxFields::default()).unwrap_err().file(),
        "base/kustomization.yaml"
    );
}

#[test]
fn the_fields_of_the_flux_object_override_and_extend_the_file() {
    let file = "resources: [a.yaml]\nnamespace: file\nnamePrefix: file-\nimages:\n- {name: nginx, newTag: '1', digest: 'sha256:x'}\n\
                patches:\n- target: {kind: Pod}\n  patch: |-\n    - {op: add, path: /metadata/labels, value: {from: file}}\n";
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: nginx}, {name: d, image: redis}]}\n";
    let fields = FluxFields {
        target_namespace: "prod".to_owned(),
        name_prefix: "my-".to_owned(),
        name_suffix: "-x".to_owned(),
        patches: vec![json!({
            "target": {"kind": "Pod"},
            "patch": "- {op: replace, path: /metadata/labels/from, value: object}\n",
        })],
        images: vec![
            json!({"name": "nginx", "newName": "reg/nginx", "newTag": "2"}),
            json!({"name": "redis", "newTag": "7"}),
        ],
        common_labels: vec![
            ("team".to_owned(), "a".to_owned()),
            ("from".to_owned(), "common".to_owned()),
        ],
        common_annotations: vec![("note".to_owned(), "1".to_owned())],
        ..FluxFields::default()
    };
    let made = objects(&[("kustomization.yaml", file), ("a.yaml", pod)], fields).unwrap();
    assert_eq!(
        made[0],
        json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "my-p-x",
                "namespace": "prod",
                "labels": {"from": "common", "team": "a"},
                "annotations": {"note": "1"},
            },
            "spec": {"containers": [{"name": "c", "image": "reg/nginx:2"}, {"name": "d", "image": "redis:7"}]},
        })
    );
}

#[test]
fn components_are_added_and_missing_ones_can_be_ignored() {
    let files = [
        ("kustomization.yaml", "resources: [a.yaml]"),
        ("a.yaml", CONFIG_MAP),
        (
            "c/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n",
        ),
    ];
    let fields = |components: &[&str], ignore_missing_components| FluxFields {
        components: components.iter().map(|path| (*path).to_owned()).collect(),
        ignore_missing_components,
        ..FluxFields::default()
    };
    assert_eq!(names(&files, fields(&["c"], false)), ["c-a"]);
    assert_eq!(names(&files, fields(&["gone", "c"], true)), ["c-a"]);
    assert!(objects(&files, fields(&["gone"], false)).is_err());
    for path in ["/c", "https://github.com/a/b//c"] {
        let error = objects(&files, fields(&[path], true)).unwrap_err();
        assert!(
            error.to_string().contains("must be local and relative"),
            "{error}"
        );
    }
}

#[test]
fn a_file_without_resources_gets_origins() {
    let made = objects(
        &[(
            "kustomization.yaml",
            "configMapGenerator:\n- {name: a, literals: [k=v], options: {disableNameSuffixHash: true}}\n",
        )],
        FluxFields::default(),
    );
    let origin = &made.unwrap()[0]["metadata"]["annotations"]["config.kubernetes.io/origin"];
    assert!(
        origin.as_str().unwrap().contains("ConfigMapGenerator"),
        "{origin}"
    );
}

#[test]
fn files_of_secrets_and_patches_are_read_through_the_filters() {
    let files = [
        (
            "kustomization.yaml",
            "resources: [a.yaml]\nsecretGenerator:\n- name: s\n  files: [t.yaml, .dockerconfigjson=d]\n  envs: [e, f.env]\n\
             configMapGenerator:\n- name: m\n  files: [t.yaml]\npatches:\n- path: p.yaml\n",
        ),
        ("a.yaml", CONFIG_MAP),
        ("t.yaml", "sealed:t"),
        ("d", "sealed:d"),
        ("e", "sealed:E=1"),
        ("f.env", "sealed:F=2"),
        (
            "p.yaml",
            "sealed:apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {p: q}\n",
        ),
    ];
    let host = MemoryHost::new(&files);
    let built = build(&host, "", &Options::flux(FluxFields::default())).unwrap();
    let made: Vec<Value> = built
        .objects()
        .iter()
        .map(|object| object.to_value().unwrap())
        .collect();
    assert_eq!(made[0]["data"]["p"], "q");
    assert_eq!(made[1]["data"]["t.yaml"], "sealed:t");
    assert_eq!(
        made[2]["data"],
        json!({".dockerconfigjson": "ZA==", "E": "MQ==", "F": "Mg==", "t.yaml": "dA=="})
    );
    let asked: Vec<String> = host
        .tree
        .asked
        .borrow()
        .iter()
        .filter(|it| it.starts_with("filter"))
        .cloned()
        .collect();
    assert_eq!(
        asked,
        [
            "filter dotenv e",
            "filter dotenv f.env",
            "filter yaml t.yaml",
            "filter json d",
            "filter  p.yaml"
        ]
    );
}

#[test]
fn objects_need_an_api_version() {
    let error = objects(
        &[
            ("kustomization.yaml", "resources: [a.yaml]"),
            ("a.yaml", "kind: A\nmetadata: {name: a}\n"),
        ],
        FluxFields::default(),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("missing apiVersion")
    );
}

#[test]
fn files_above_the_folder_may_be_read() {
    let files = [
        ("app/kustomization.yaml", "resources: [../a.yaml]"),
        ("a.yaml", CONFIG_MAP),
    ];
    let built = build(
        &MemoryHost::new(&files),
        "app",
        &Options::flux(FluxFields::default()),
    )
    .unwrap();
    assert_eq!(built.objects()[0].file(), Some("../a.yaml"));
    assert!(build(&MemoryHost::new(&files), "app", &Options::default()).is_err());
}

/// Recorded with kustomize 5.8.1: go-yaml doubles the line break before the indented line.
#[test]
fn folded_text_is_as_go_yaml_writes_and_reads_it() {
    let map = format!(
        "{CONFIG_MAP}data:\n  a: >-\n    {{\n      \"x\": 1\n    }}\n  b: |-\n    {{\n      y\n    }}\n"
    );
    let objects = objects(&[("a.yaml", &map)], FluxFields::default()).unwrap();
    assert_eq!(objects[0]["data"]["a"], "{\n\n  \"x\": 1\n}");
    assert_eq!(objects[0]["data"]["b"], "{\n  y\n}");
}
