//! Files and people.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{Cluster as _, ClusterError, Delete, Detail, Local, OpenError, Selection};

use crate::bed::{config_maps, how, managers, names};

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (before, crd) = {
        let cluster = Local::open(folder.path()).unwrap();
        let crd = cluster.apply(&crd(), &how("m")).await.unwrap();
        cluster.apply(&thing("t"), &how("m")).await.unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("one"))
            .await
            .unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("two"))
            .await
            .unwrap();
        let gone = cluster
            .apply(&config_map("gone", "1"), &how("m"))
            .await
            .unwrap();
        cluster
            .delete(&gone.key(), &Delete::default())
            .await
            .unwrap();
        (everything(&cluster).await, crd)
    };
    let cluster = Local::open(folder.path()).unwrap();
    let after = everything(&cluster).await;
    assert_eq!(after, before, "objects, managers, uids and versions");
    assert_eq!(cluster.get(&crd.key()).await.unwrap().unwrap(), crd);
    let newest = before
        .iter()
        .map(|object| object.resource_version().parse::<u64>().unwrap())
        .max()
        .unwrap();
    let next = cluster
        .apply(&config_map("b", "1"), &how("m"))
        .await
        .unwrap();
    assert!(
        next.resource_version().parse::<u64>().unwrap() > newest + 1,
        "the version of the deletion is not used again"
    );
}

#[tokio::test]
async fn files_are_what_people_expect() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    assert_eq!(
        tree(folder.path()),
        [".gitignore"],
        "a new cluster is an empty folder"
    );
    cluster.apply(&crd(), &how("m")).await.unwrap();
    cluster.apply(&thing("t"), &how("m")).await.unwrap();
    cluster
        .apply(&config_map("a", "1"), &how("m"))
        .await
        .unwrap();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "data": {"k": "dg=="}});
    cluster
        .apply(&Object::new(secret).unwrap(), &how("m"))
        .await
        .unwrap();
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:Reader"}});
    cluster
        .apply(&Object::new(role).unwrap(), &how("m"))
        .await
        .unwrap();
    assert_eq!(
        tree(folder.path()),
        [
            ".gitignore",
            "_cluster/clusterroles.rbac.authorization.k8s.io/system%3A%52eader.yaml",
            "_cluster/customresourcedefinitions.apiextensions.k8s.io/things.example.dev.yaml",
            "default/configmaps/a.yaml",
            "default/secrets/s.yaml",
            "default/things.example.dev/t.yaml",
        ]
    );
    let text = fs::read_to_string(folder.path().join("default/configmaps/a.yaml")).unwrap();
    assert_eq!(
        text,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\ndata:\n  k: \"1\"\n"
    );
    for object in everything(&cluster).await {
        cluster
            .delete(&object.key(), &Delete::default())
            .await
            .unwrap();
    }
    cluster
        .delete(&crd().key(), &Delete::default())
        .await
        .unwrap();
    assert_eq!(
        tree(folder.path()).len(),
        3,
        "besides .gitignore, the secret's and the role's file are left"
    );
}

#[tokio::test]
async fn an_edited_file_is_an_update_by_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("default/configmaps/a.yaml");
    let before = {
        let cluster = Local::open(folder.path()).unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("m"))
            .await
            .unwrap()
    };
    let edited = "# by hand\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: \"2\"\n  l: x\n";
    fs::write(&path, edited).unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    let key = before.key();
    let after = cluster.get(&key).await.unwrap().unwrap();
    assert_eq!(after.get("/data"), Some(&json!({"k": "2", "l": "x"})));
    assert_eq!(after.uid(), before.uid());
    assert_ne!(after.resource_version(), before.resource_version());
    let expected = json!({"f:data": {"f:k": {}, "f:l": {}}});
    assert_eq!(
        managers(&after),
        [("file".into(), "Update".into(), String::new(), expected)]
    );
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        edited,
        "comments stay until the object is written"
    );
    // While it is open as well, and before it is written.
    fs::write(&path, edited.replace("\"2\"", "\"33\"")).unwrap();
    assert_eq!(
        cluster.get(&key).await.unwrap().unwrap().get("/data/k"),
        Some(&json!("33"))
    );
    fs::write(&path, edited.replace("\"2\"", "\"444\"")).unwrap();
    let conflict = cluster.apply(&config_map("a", "1"), &how("m")).await;
    assert!(
        matches!(&conflict, Err(ClusterError::Conflict { message, .. }) if message.contains("\"file\"")),
        "{conflict:?}"
    );
}

#[tokio::test]
async fn new_and_removed_files_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    let made = cluster
        .apply(&config_map("a", "1"), &how("m"))
        .await
        .unwrap();
    let list = async |cluster: &Local| {
        cluster
            .list(&config_maps(), &Selection::default())
            .await
            .unwrap()
    };
    let since = list(&cluster).await.resource_version;
    let mut events = cluster
        .watch(&config_maps(), &Selection::default(), &since, Detail::Whole)
        .await
        .unwrap();
    fs::remove_file(folder.path().join("default/configmaps/a.yaml")).unwrap();
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {k: v}\n";
    fs::create_dir_all(folder.path().join("apps/configmaps")).unwrap();
    fs::write(folder.path().join("apps/configmaps/b.yaml"), text).unwrap();
    cluster.refresh().await.unwrap();
    assert_eq!(names(&list(&cluster).await.objects), ["b"]);
    assert!(cluster.get(&made.key()).await.unwrap().is_none());
    let namespace = ObjectKey::new(Gvk::new("", "v1", "Namespace"), "", "apps");
    assert!(
        cluster.get(&namespace).await.unwrap().is_some(),
        "the folder of a namespace makes it"
    );
    let mut seen = Vec::new();
    for _ in 0..2 {
        let event = futures::StreamExt::next(&mut events)
            .await
            .unwrap()
            .unwrap();
        seen.push(match event {
            weir_cluster::WatchEvent::Set(object) => format!("set {}", object.name()),
            weir_cluster::WatchEvent::Deleted(object) => format!("deleted {}", object.name()),
            weir_cluster::WatchEvent::Bookmark(_) => "bookmark".into(),
        });
    }
    seen.sort();
    assert_eq!(seen, ["deleted a", "set b"]);
    drop((cluster, events));
    fs::remove_file(folder.path().join("_cluster/namespaces/apps.yaml")).unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    assert!(
        list(&cluster).await.objects.is_empty(),
        "a namespace takes its content along"
    );
    assert!(!folder.path().join("apps").exists());
}

#[tokio::test]
async fn a_file_that_is_wrong_is_named_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("default/configmaps/a.yaml");
    let good = {
        let cluster = Local::open(folder.path()).unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("m"))
            .await
            .unwrap();
        fs::read_to_string(&path).unwrap()
    };
    for (text, expected) in [
        ("a: [1\n", "line"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
            "the place of that is default/configmaps/other.yaml",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: 1}\n",
            ".data.k: expected a string, got a number",
        ),
        (
            "apiVersion: v1\nkind: Nothing\nmetadata: {name: a}\n",
            "no matches for kind \"Nothing\"",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let error = Local::open(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::File { .. }), "{error:?}");
        let message = error.to_string();
        assert!(
            message.starts_with(&path.display().to_string()) && message.contains(expected),
            "{message}"
        );
    }
    fs::write(&path, &good).unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    fs::write(&path, "a: [1\n").unwrap();
    let key = config_map("a", "1").key();
    assert_eq!(
        cluster.get(&key).await.unwrap().unwrap().get("/data/k"),
        Some(&json!("1")),
        "as it was"
    );
    let refused = cluster.apply(&config_map("a", "2"), &how("m")).await;
    assert!(
        matches!(&refused, Err(ClusterError::Invalid { message, .. }) if message.contains("a.yaml")),
        "{refused:?}"
    );
    fs::write(&path, &good).unwrap();
    cluster
        .apply(&config_map("a", "2"), &how("m"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_folder_without_state_is_read_from_its_files() {
    let folder = tempfile::tempdir().unwrap();
    {
        let cluster = Local::open(folder.path()).unwrap();
        cluster.apply(&crd(), &how("m")).await.unwrap();
        cluster.apply(&thing("t"), &how("m")).await.unwrap();
    }
    // As after `git clone`: the state is ignored.
    fs::remove_dir_all(folder.path().join(".weir")).unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    let found = cluster.get(&thing("t").key()).await.unwrap().unwrap();
    assert_eq!(found.get("/spec/text"), Some(&json!("x")));
    assert_eq!(managers(&found)[0].0, "file");
    assert!(
        cluster
            .discover(false)
            .await
            .unwrap()
            .find(&thing("t").gvk())
            .is_some()
    );
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Local::open(folder.path()).unwrap();
    let error = Local::open(folder.path()).unwrap_err();
    let expected = format!(
        "local cluster {}: process {} has it open; end it, or use another folder",
        folder.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    drop(first);
    Local::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_watch_ends_when_the_folder_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    let since = cluster
        .list(&config_maps(), &Selection::default())
        .await
        .unwrap()
        .resource_version;
    let mut events = cluster
        .watch(&config_maps(), &Selection::default(), &since, Detail::Whole)
        .await
        .unwrap();
    drop(cluster);
    assert!(futures::StreamExt::next(&mut events).await.is_none());
    Local::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_chain_of_owners_goes_without_recursion() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    let mut above: Option<Object> = None;
    let mut first = None;
    for index in 0..2000 {
        let mut object = config_map(&format!("c{index}"), "1");
        if let Some(owner) = &above {
            let reference = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name(), "uid": owner.uid()}]);
            object
                .metadata_mut()
                .insert("ownerReferences".into(), reference);
        }
        above = Some(cluster.create(&object, "m").await.unwrap());
        first = first.or_else(|| above.clone());
    }
    cluster
        .delete(&first.unwrap().key(), &Delete::default())
        .await
        .unwrap();
    assert!(
        cluster
            .list(&config_maps(), &Selection::default())
            .await
            .unwrap()
            .objects
            .is_empty()
    );
}

#[tokio::test]
async fn too_deep_an_object_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Local::open(folder.path()).unwrap();
    cluster.apply(&crd(), &how("m")).await.unwrap();
    let mut free = json!({});
    for _ in 0..200 {
        free = json!({ "a": free });
    }
    let mut deep = thing("t").into_value();
    deep["spec"]["free"] = free;
    let refused = cluster.apply(&Object::new(deep).unwrap(), &how("m")).await;
    assert!(
        matches!(&refused, Err(ClusterError::Invalid { message, .. }) if message == "the object is nested more than 100 deep"),
        "{refused:?}"
    );
}

pub(super) fn config_map(name: &str, value: &str) -> Object {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"k": value}});
    Object::new(object).unwrap()
}

fn thing(name: &str) -> Object {
    let object = json!({"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {"name": name, "namespace": "default"}, "spec": {"text": "x"}});
    Object::new(object).unwrap()
}

fn crd() -> Object {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let spec = json!({"type": "object", "properties": {"text": {"type": "string"}, "free": free}});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    let object = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.dev"},
        "spec": {
            "group": "example.dev", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    Object::new(object).unwrap()
}

/// All ConfigMaps, and things if there are any.
async fn everything(cluster: &Local) -> Vec<Object> {
    let mut all = cluster
        .list(&config_maps(), &Selection::default())
        .await
        .unwrap()
        .objects;
    if let Ok(things) = cluster.list(&thing("t").gvk(), &Selection::default()).await {
        all.extend(things.objects);
    }
    all
}

/// The files of a folder but those of `.weir`, by path.
fn tree(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if name == ".weir" {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                collect(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, "", &mut found);
    found.sort();
    found
}

/// A copy of a folder, as a crash would leave it.
pub(super) fn copy(folder: &Path) -> TempDir {
    fn copy_into(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy_into(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), &target).unwrap();
            }
        }
    }
    let copy = tempfile::tempdir().unwrap();
    copy_into(folder, copy.path());
    copy
}
