//! Remote trees, registered plugins and charts, which the host provides.

use serde_json::{Value, json};
use weir_kustomize::{Options, PluginError, Remote, Role, build};

use crate::memory::{Memory, MemoryHost};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn with_plugins() -> Options {
    Options {
        plugins: true,
        helm: true,
        ..Options::default()
    }
}

fn config(kind: &str) -> String {
    format!(
        "apiVersion: example.com/v1\nkind: {kind}\nmetadata:\n  name: c\n  annotations:\n    weir.dev/plugin: mine\nspec: {{n: 1}}\n"
    )
}

#[test]
fn a_remote_base_is_built_in_its_own_tree() {
    let mut host = MemoryHost::new(&[(
        "kustomization.yaml",
        "namePrefix: my-\nbuildMetadata: [originAnnotations]\nresources:\n- https://github.com/a/b//apps/web?ref=v1\n",
    )]);
    let tree = Memory::new(&[
        (
            "apps/web/kustomization.yaml",
            "resources: [a.yaml, ../shared]\n",
        ),
        ("apps/web/a.yaml", CONFIG_MAP),
        ("apps/shared/kustomization.yaml", "resources: [b.yaml]\n"),
        (
            "apps/shared/b.yaml",
            &CONFIG_MAP.replace("name: a", "name: b"),
        ),
    ]);
    host.remote.insert(
        "git::https://github.com/a/b?ref=v1".to_owned(),
        Remote::Tree(tree),
    );
    let built = build(&host, "", &Options::default()).unwrap();
    let made: Vec<Value> = built
        .objects()
        .iter()
        .map(|object| object.to_value().unwrap())
        .collect();
    assert_eq!(made[0]["metadata"]["name"], "my-a");
    assert_eq!(made[1]["metadata"]["name"], "my-b");
    let origin = &made[1]["metadata"]["annotations"]["config.kubernetes.io/origin"];
    assert_eq!(
        origin,
        "path: apps/shared/b.yaml\nrepo: https://github.com/a/b\nref: v1\n"
    );
}

#[test]
fn a_remote_file_is_a_resource() {
    let mut host = MemoryHost::new(&[(
        "kustomization.yaml",
        "resources:\n- https://example.com/x/a.yaml\n",
    )]);
    host.remote.insert(
        "https://example.com/x/a.yaml".to_owned(),
        Remote::File(CONFIG_MAP.into()),
    );
    let built = build(&host, "", &Options::default()).unwrap();
    assert_eq!(built.to_yaml().unwrap(), CONFIG_MAP);
    assert_eq!(
        built.objects()[0].file(),
        Some("https://example.com/x/a.yaml")
    );
}

#[test]
fn remote_bases_can_be_switched_off_and_fail_with_their_url() {
    let url = "https://github.com/a/b//c?ref=v1";
    let kustomization = format!("resources:\n- {url}\n");
    let host = MemoryHost::new(&[("kustomization.yaml", kustomization.as_str())]);
    let off = Options {
        remote: false,
        ..Options::default()
    };
    let error = build(&host, "", &off).unwrap_err().to_string();
    assert!(
        error.contains("switched off") && error.contains(url),
        "{error}"
    );
    let error = build(&host, "", &Options::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(url) && error.contains("kustomization.yaml:2"),
        "{error}"
    );
}

#[test]
fn a_clone_cannot_be_left() {
    let mut host = MemoryHost::new(&[(
        "kustomization.yaml",
        "resources:\n- https://github.com/a/b\n",
    )]);
    let tree = Memory::new(&[("kustomization.yaml", "resources: [../x]\n")]);
    host.remote
        .insert("git::https://github.com/a/b".to_owned(), Remote::Tree(tree));
    let error = build(&host, "", &Options::default()).unwrap_err();
    assert!(error.to_string().contains("leaves the source"), "{error}");
}

#[test]
fn a_registered_generator_makes_objects() {
    let generator = config("Make");
    let mut host = MemoryHost::new(&[
        (
            "kustomization.yaml",
            "generators: [g.yaml]\nnamePrefix: p-\n",
        ),
        ("g.yaml", generator.as_str()),
    ]);
    host.plugin = Some(Box::new(|call| {
        assert_eq!((call.name.as_str(), call.role), ("mine", Role::Generator));
        let config: Value = serde_json::from_str(&call.config).unwrap();
        assert_eq!(config["spec"], json!({"n": 1}));
        Ok(vec![
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}})
                .to_string(),
        ])
    }));
    let built = build(&host, "", &with_plugins()).unwrap();
    assert_eq!(
        built.objects()[0].to_value().unwrap()["metadata"]["name"],
        "p-made"
    );
}

#[test]
fn a_registered_transformer_changes_adds_and_removes_objects() {
    let transformer = config("Change");
    let two = format!(
        "{CONFIG_MAP}---\n{}",
        CONFIG_MAP.replace("name: a", "name: b")
    );
    let mut host = MemoryHost::new(&[
        (
            "kustomization.yaml",
            "resources: [base]\ntransformers: [t.yaml]\n",
        ),
        (
            "base/kustomization.yaml",
            "resources: [r.yaml]\nnamePrefix: p-\n",
        ),
        ("base/r.yaml", two.as_str()),
        ("t.yaml", transformer.as_str()),
    ]);
    host.plugin = Some(Box::new(|call| {
        assert_eq!(call.documents.len(), 2);
        let mut first: Value = serde_json::from_str(&call.documents[0]).unwrap();
        first["data"] = json!({"seen": "yes"});
        let new = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}});
        Ok(vec![first.to_string(), new.to_string()])
    }));
    let built = build(&host, "", &with_plugins()).unwrap();
    let made: Vec<Value> = built
        .objects()
        .iter()
        .map(|object| object.to_value().unwrap())
        .collect();
    assert_eq!(made.len(), 2);
    assert_eq!(
        (&made[0]["metadata"]["name"], &made[0]["data"]["seen"]),
        (&json!("p-a"), &json!("yes"))
    );
    assert_eq!(built.objects()[0].file(), Some("base/r.yaml"));
    assert_eq!(made[1]["kind"], "Service");
}

#[test]
fn a_registered_validator_can_only_object() {
    let validator = config("Check");
    let mut host = MemoryHost::new(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml]\nvalidators: [v.yaml]\n",
        ),
        ("a.yaml", CONFIG_MAP),
        ("v.yaml", validator.as_str()),
    ]);
    host.plugin = Some(Box::new(|_| Ok(Vec::new())));
    assert_eq!(
        build(&host, "", &with_plugins())
            .unwrap()
            .to_yaml()
            .unwrap(),
        CONFIG_MAP
    );
    host.plugin = Some(Box::new(|_| {
        Err(PluginError::Failed("a is too short a name".to_owned()))
    }));
    let error = build(&host, "", &with_plugins()).unwrap_err().to_string();
    assert!(
        error.contains("a is too short a name") && error.contains("mine"),
        "{error}"
    );
    let error = build(&host, "", &Options::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("--enable-alpha-plugins"), "{error}");
}

#[test]
fn what_a_plugin_gives_back_has_to_be_objects() {
    let generator = config("Make");
    let mut host = MemoryHost::new(&[
        ("kustomization.yaml", "generators: [g.yaml]\n"),
        ("g.yaml", generator.as_str()),
    ]);
    for given in ["{", "[]", "{}", r#"{"kind": "A"}"#] {
        host.plugin = Some(Box::new(move |_| Ok(vec![given.to_owned()])));
        assert!(build(&host, "", &with_plugins()).is_err(), "{given}");
    }
}
