//! Creating and patching.

use serde_json::json;
use weir_cluster::{ClusterError, Part};

use crate::bed::{Bed, managers};

crate::both!(
    creating_twice_is_an_error,
    names_can_be_generated,
    unknown_fields_are_dropped_from_what_is_not_applied,
    a_merge_patch_sets_and_removes,
    a_stale_patch_is_a_conflict,
    an_empty_patch_writes_nothing,
    a_patch_cannot_change_identity,
    status_has_a_door_of_its_own,
    managed_fields_can_be_patched,
    many_at_once,
    string_data_of_a_secret_is_folded_into_its_data,
);

async fn creating_twice_is_an_error(bed: Bed) {
    let object = bed.config_map("a", json!({"data": {"k": "v"}}));
    let made = bed.cluster.create(&object, "maker").await.unwrap();
    let expected = json!({"f:data": {".": {}, "f:k": {}}});
    assert_eq!(
        managers(&made),
        [("maker".into(), "Update".into(), String::new(), expected)]
    );
    let again = bed.cluster.create(&object, "maker").await;
    assert!(
        matches!(&again, Err(ClusterError::Exists { key }) if *key == bed.key("a")),
        "{again:?}"
    );
    let mut versioned = bed.config_map("b", json!({}));
    versioned
        .metadata_mut()
        .insert("resourceVersion".into(), "1".into());
    assert!(matches!(
        bed.cluster.create(&versioned, "maker").await,
        Err(ClusterError::Invalid { .. })
    ));
}

async fn names_can_be_generated(bed: Bed) {
    let mut object = bed.config_map("", json!({"metadata": {"generateName": "run-"}}));
    object.metadata_mut().shift_remove("name");
    let one = bed.cluster.create(&object, "m").await.unwrap();
    let two = bed.cluster.create(&object, "m").await.unwrap();
    assert!(
        one.name().starts_with("run-") && one.name().len() == 9,
        "{}",
        one.name()
    );
    assert_ne!(one.name(), two.name());
}

async fn unknown_fields_are_dropped_from_what_is_not_applied(bed: Bed) {
    let object = bed.config_map(
        "a",
        json!({"data": {"k": "v"}, "nope": 1, "metadata": {"nope": 1}}),
    );
    let made = bed.cluster.create(&object, "m").await.unwrap();
    assert_eq!(
        (made.get("/nope"), made.get("/metadata/nope")),
        (None, None)
    );
    let patched = bed
        .merge(
            "m",
            &bed.key("a"),
            json!({"nope": {"a": 1}, "data": {"l": "w"}}),
        )
        .await
        .unwrap();
    assert_eq!(patched.get("/nope"), None);
    assert_eq!(patched.get("/data"), Some(&json!({"k": "v", "l": "w"})));
    let wrong = bed
        .merge("m", &bed.key("a"), json!({"data": {"l": 1}}))
        .await;
    assert!(
        matches!(wrong, Err(ClusterError::Invalid { .. })),
        "{wrong:?}"
    );
    let wrong = bed
        .cluster
        .create(&bed.config_map("b", json!({"data": {"l": {"x": 1}}})), "m")
        .await;
    assert!(
        matches!(wrong, Err(ClusterError::Invalid { .. })),
        "{wrong:?}"
    );
}

async fn a_merge_patch_sets_and_removes(bed: Bed) {
    bed.apply(
        "m",
        &bed.config_map(
            "a",
            json!({"data": {"k": "v", "l": "v"}, "metadata": {"labels": {"x": "1"}}}),
        ),
    )
    .await
    .unwrap();
    let patch = json!({"data": {"k": null, "l": "w", "n": "x"}, "metadata": {"labels": null}});
    let patched = bed.merge("hand", &bed.key("a"), patch).await.unwrap();
    assert_eq!(patched.get("/data"), Some(&json!({"l": "w", "n": "x"})));
    assert_eq!(patched.get("/metadata/labels"), None);
    let expected = json!({"f:data": {"f:l": {}, "f:n": {}}});
    assert_eq!(
        managers(&patched),
        [("hand".into(), "Update".into(), String::new(), expected)]
    );
    let missing = bed.merge("hand", &bed.key("nothing"), json!({})).await;
    assert!(
        matches!(missing, Err(ClusterError::NotFound { .. })),
        "{missing:?}"
    );
}

async fn a_stale_patch_is_a_conflict(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let at = |version: &str, value: &str| json!({"metadata": {"resourceVersion": version}, "data": {"k": value}});
    let second = bed
        .merge("m", &bed.key("a"), at(first.resource_version(), "2"))
        .await
        .unwrap();
    let stale = bed
        .merge("m", &bed.key("a"), at(first.resource_version(), "3"))
        .await;
    let Err(ClusterError::Conflict { key, message }) = stale else {
        panic!("{stale:?}")
    };
    assert_eq!(key, bed.key("a"));
    assert_eq!(
        message,
        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again"
    );
    assert_eq!(bed.get(&bed.key("a")).await.unwrap(), second);
}

async fn an_empty_patch_writes_nothing(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    assert_eq!(
        bed.merge("hand", &bed.key("a"), json!({})).await.unwrap(),
        first
    );
    assert_eq!(
        bed.merge(
            "hand",
            &bed.key("a"),
            json!({"data": {"k": "1", "z": null}})
        )
        .await
        .unwrap(),
        first
    );
}

async fn a_patch_cannot_change_identity(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({})))
        .await
        .unwrap();
    for patch in [
        json!({"metadata": {"name": "b"}}),
        json!({"metadata": {"namespace": "kube-system"}}),
        json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}}),
        json!({"kind": "Secret"}),
    ] {
        let refused = bed.merge("m", &bed.key("a"), patch.clone()).await;
        assert!(
            matches!(refused, Err(ClusterError::Invalid { .. })),
            "{patch}: {refused:?}"
        );
    }
    assert_eq!(bed.get(&bed.key("a")).await.unwrap(), first);
}

async fn status_has_a_door_of_its_own(bed: Bed) {
    let spec = json!({"podSelector": {"matchLabels": {"a": "b"}}});
    let claim = json!({"spec": {"minAvailable": 1, "selector": spec["podSelector"]}, "status": {"currentHealthy": 9}});
    let object = bed.object("policy/v1", "PodDisruptionBudget", "a", claim);
    let made = bed.apply("m", &object).await.unwrap();
    assert_ne!(
        made.get("/status/currentHealthy"),
        Some(&json!(9)),
        "an apply does not write the status"
    );
    assert_eq!(applied_by_status(&made), None);
    let status = json!({"spec": {"minAvailable": 7}, "status": {
        "currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2, "observedGeneration": 1,
    }});
    let patched = bed
        .cluster
        .merge(&object.key(), Part::Status, &status, "controller")
        .await
        .unwrap();
    assert_eq!(patched.get("/status/currentHealthy"), Some(&json!(2)));
    assert_eq!(
        patched.get("/spec/minAvailable"),
        Some(&json!(1)),
        "the door of the status leads nowhere else"
    );
    assert_eq!(patched.generation(), made.generation());
    let entry = managers(&patched)
        .into_iter()
        .find(|(name, ..)| name == "controller")
        .unwrap();
    assert_eq!((entry.1.as_str(), entry.2.as_str()), ("Update", "status"));
    assert_eq!(
        entry.3.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["f:status"]
    );
    // The other door leaves the status alone.
    let again = bed.force("m", &object).await.unwrap();
    assert_eq!(again.get("/status/currentHealthy"), Some(&json!(2)));
    let stale = json!({"metadata": {"resourceVersion": made.resource_version()}, "status": {"currentHealthy": 3}});
    let stale = bed
        .cluster
        .merge(&object.key(), Part::Status, &stale, "controller")
        .await;
    assert!(
        matches!(stale, Err(ClusterError::Conflict { .. })),
        "{stale:?}"
    );
    bed.apply("m", &bed.config_map("c", json!({})))
        .await
        .unwrap();
    let none = bed
        .cluster
        .merge(&bed.key("c"), Part::Status, &json!({"status": {}}), "m")
        .await;
    assert!(
        matches!(none, Err(ClusterError::NotFound { .. })),
        "{none:?}"
    );
}

fn applied_by_status(object: &weir_api::Object) -> Option<serde_json::Value> {
    crate::bed::applied_by(object, "m").get("f:status").cloned()
}

async fn managed_fields_can_be_patched(bed: Bed) {
    bed.cluster
        .create(
            &bed.config_map("a", json!({"data": {"k": "v", "l": "v"}})),
            "kubectl",
        )
        .await
        .unwrap();
    let made = bed
        .apply("flux", &bed.config_map("a", json!({"data": {"k": "v"}})))
        .await
        .unwrap();
    // What kubectl owns goes to flux, which then removes what it does not apply.
    let mut entries = made
        .get("/metadata/managedFields")
        .unwrap()
        .as_array()
        .unwrap()
        .clone();
    entries.retain(|entry| entry["manager"] == "flux");
    entries[0]["fieldsV1"] = json!({"f:data": {".": {}, "f:k": {}, "f:l": {}}});
    let patch =
        json!({"metadata": {"resourceVersion": made.resource_version(), "managedFields": entries}});
    let moved = bed.merge("flux", &bed.key("a"), patch).await.unwrap();
    let expected = json!({"f:data": {".": {}, "f:k": {}, "f:l": {}}});
    assert_eq!(
        managers(&moved),
        [("flux".into(), "Apply".into(), String::new(), expected)]
    );
    let applied = bed
        .apply("flux", &bed.config_map("a", json!({"data": {"k": "v"}})))
        .await
        .unwrap();
    assert_eq!(applied.get("/data"), Some(&json!({"k": "v"})));
}

async fn many_at_once(bed: Bed) {
    let objects: Vec<_> = (0..50)
        .map(|index| bed.config_map(&format!("c{index}"), json!({"data": {"k": "v"}})))
        .collect();
    let applied =
        futures::future::join_all(objects.iter().map(|object| bed.apply("m", object))).await;
    let mut versions: Vec<u64> = applied
        .into_iter()
        .map(|object| object.unwrap().resource_version().parse().unwrap())
        .collect();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 50, "each write has a version of its own");
}

async fn string_data_of_a_secret_is_folded_into_its_data(bed: Bed) {
    let fields = json!({
        "data": {"a": "b2xk", "b": "b2xk"}, "stringData": {"a": "new", "c": "more"},
    });
    let made = bed
        .apply("m", &bed.object("v1", "Secret", "s", fields))
        .await
        .unwrap();
    assert_eq!(
        (made.get("/data"), made.get("/stringData")),
        (
            Some(&json!({"a": "bmV3", "b": "b2xk", "c": "bW9yZQ=="})),
            None
        )
    );
}
