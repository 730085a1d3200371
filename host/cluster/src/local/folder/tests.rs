use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn id(resource: &str, namespace: &str, name: &str) -> Id {
    Id {
        resource: resource.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

#[test]
fn names_become_file_names_that_are_safe_and_tell_case_apart() {
    for (name, file) in [
        ("web", "web"),
        ("a.b-c_d", "a.b-c_d"),
        ("system:Node", "system%3A%4Eode"),
        (".hidden", "%2Ehidden"),
        ("end.", "end%2E"),
        ("ä b", "%C3%A4%20b"),
    ] {
        assert_eq!(encode(name), file);
        assert_eq!(decode(file).as_deref(), Some(name));
    }
    for file in ["Web", "%77eb", "a%", "a%zz", "a b", ".x"] {
        assert_eq!(decode(file), None, "{file}");
    }
    let long = encode(&"X".repeat(253));
    assert!(long.len() <= 220 && decode(&long).is_none());
    assert_ne!(long, encode(&format!("{}Y", "X".repeat(252))));
}

#[test]
fn files_are_found_again_also_those_with_long_names() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::prepare(temp.path()).unwrap();
    let long = "X".repeat(250);
    let ids = [
        id("clusterroles.rbac.authorization.k8s.io", "", &long),
        id("configmaps", "default", "a"),
        id("secrets", "default", "s"),
    ];
    for id in &ids {
        let object =
            json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": id.name.as_str()}});
        folder.put(id, &write(&object)).unwrap();
    }
    std::fs::write(
        temp.path().join("default/configmaps/.unfinished-b.yaml"),
        "half",
    )
    .unwrap();
    std::fs::write(
        temp.path().join("default/configmaps/README.md"),
        "not an object",
    )
    .unwrap();
    let found: Vec<Id> = folder
        .files()
        .unwrap()
        .into_iter()
        .map(|found| found.id)
        .collect();
    assert_eq!(found, ids);
    assert!(
        !temp
            .path()
            .join("default/configmaps/.unfinished-b.yaml")
            .exists()
    );
    ids.iter().for_each(|id| folder.remove(id).unwrap());
    assert!(
        temp.path().join("default/configmaps").exists(),
        "it holds a file that is not ours"
    );
    assert!(!temp.path().join("_cluster").exists());
}

#[cfg(unix)]
#[test]
fn secrets_are_for_their_owner_and_not_for_git() {
    use std::os::unix::fs::PermissionsExt as _;
    let temp = tempfile::tempdir().unwrap();
    std::fs::write(temp.path().join(".gitignore"), "*.log").unwrap();
    let folder = Folder::prepare(temp.path()).unwrap();
    let secret = id("secrets", "default", "s");
    folder.put(&secret, "x").unwrap();
    assert_eq!(
        std::fs::metadata(folder.path(&secret))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let ignored = "*.log\n/.weir/\n/*/secrets/\n";
    assert_eq!(
        std::fs::read_to_string(temp.path().join(".gitignore")).unwrap(),
        ignored
    );
    Folder::prepare(temp.path()).unwrap();
    assert_eq!(
        std::fs::read_to_string(temp.path().join(".gitignore")).unwrap(),
        ignored
    );
}

#[test]
fn a_file_reads_as_a_person_would_write_it() {
    let object = json!({
        "apiVersion": "v1", "status": {"phase": "x"}, "kind": "ConfigMap",
        "data": {"b": "yes", "a": "line\nline\n"},
        "metadata": {
            "uid": "u", "generation": 3, "annotations": {"x": "1"}, "creationTimestamp": "t", "finalizers": ["a/b"],
            "name": "app", "namespace": "default", "resourceVersion": "7",
        },
    });
    let expected = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\n  namespace: default\n  annotations:\n    \
        x: \"1\"\n  finalizers:\n  - a/b\ndata:\n  b: \"yes\"\n  a: |\n    line\n    line\nstatus:\n  phase: x\n";
    assert_eq!(write(&object), expected);
}

#[test]
fn what_is_no_object_is_said() {
    for (text, expected) in [
        ("", "expected one object, found nothing"),
        ("# only a comment\n", "expected one object, found nothing"),
        (
            "a: 1\n---\nb: 1\n",
            "expected one object, found several documents",
        ),
        (
            "- a\n",
            "expected one object, found something that is no mapping",
        ),
        ("kind: X\n", "the object has no apiVersion"),
        (
            "apiVersion: v1\nkind: X\nmetadata: {}\n",
            "the object has no metadata.name",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), expected);
    }
    assert!(read("a: [1\n").unwrap_err().to_string().contains("line"));
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,8}",
        "(yes|no|null|~|0x1F|1e3|0o7|- a|a: b|# c|'|\"|\\||>|@|%|1_000|2001-01-01|<<|=|y|.inf)",
        "[ \t\n\r:#-]{0,6}",
        "(a|\n| ){0,10}",
        any::<String>(),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Whole ones come back without their point, as from Go.
        any::<i32>().prop_map(|whole| Value::from(f64::from(whole) + 0.5)),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_object_is_read_as_it_was_written(data in value()) {
        let object = json!({"apiVersion": "v1", "kind": "K", "metadata": {"name": "n"}, "data": data});
        let text = write(&object);
        prop_assert_eq!(read(&text).map_err(|error| error.to_string()), Ok(object), "{}", text);
    }

    #[test]
    fn every_name_is_decoded(name in "\\PC{1,60}") {
        let file = encode(&name);
        prop_assert!(!file.contains('/') && !file.starts_with('.'));
        if file.len() < 200 {
            prop_assert_eq!(decode(&file), Some(name));
        }
    }
}
