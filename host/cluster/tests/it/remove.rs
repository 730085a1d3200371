//! Deleting.

use serde_json::json;
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{ClusterError, Delete, Propagation};

use crate::bed::{Bed, Place};

crate::both!(
    what_is_deleted_is_gone,
    preconditions_hold_for_deletions,
    finalizers_hold_an_object_until_they_are_gone,
    a_namespace_takes_its_content_along,
    what_only_the_deleted_own_goes_too,
    foreground_waits_for_what_is_owned,
    orphans_stay,
);

async fn what_is_deleted_is_gone(bed: Bed) {
    let made = bed
        .apply("m", &bed.config_map("a", json!({})))
        .await
        .unwrap();
    let gone = bed
        .cluster
        .delete(&bed.key("a"), &Delete::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (gone.name(), gone.namespace(), gone.uid()),
        ("a", bed.namespace.as_str(), made.uid())
    );
    assert!(bed.get(&bed.key("a")).await.is_none());
    assert!(
        bed.cluster
            .delete(&bed.key("a"), &Delete::default())
            .await
            .unwrap()
            .is_none()
    );
    let elsewhere = ObjectKey::new(Gvk::new("", "v1", "ConfigMap"), "no-such-namespace", "a");
    assert!(
        bed.cluster
            .delete(&elsewhere, &Delete::default())
            .await
            .unwrap()
            .is_none()
    );
    let again = bed
        .apply("m", &bed.config_map("a", json!({})))
        .await
        .unwrap();
    assert_ne!(again.uid(), made.uid(), "it is another object");
}

async fn preconditions_hold_for_deletions(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let second = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "2"}})))
        .await
        .unwrap();
    let of = |uid: &str, version: &str| Delete {
        uid: uid.into(),
        resource_version: version.into(),
        ..Delete::default()
    };
    for how in [
        of("11111111-1111-4111-8111-111111111111", ""),
        of("", first.resource_version()),
    ] {
        let refused = bed.cluster.delete(&bed.key("a"), &how).await;
        assert!(
            matches!(refused, Err(ClusterError::Conflict { .. })),
            "{how:?}: {refused:?}"
        );
    }
    assert!(bed.get(&bed.key("a")).await.is_some());
    let how = of(second.uid(), second.resource_version());
    assert!(
        bed.cluster
            .delete(&bed.key("a"), &how)
            .await
            .unwrap()
            .is_some()
    );
    assert!(bed.get(&bed.key("a")).await.is_none());
}

async fn finalizers_hold_an_object_until_they_are_gone(bed: Bed) {
    let policy = json!({"metadata": {"finalizers": ["x.dev/hold"]}, "spec": {"podSelector": {}}});
    let policy = bed.object("networking.k8s.io/v1", "NetworkPolicy", "a", policy);
    bed.apply("m", &policy).await.unwrap();
    let key = policy.key();
    let deleting = bed
        .cluster
        .delete(&key, &Delete::default())
        .await
        .unwrap()
        .unwrap();
    assert!(deleting.deleting());
    assert_eq!(deleting.generation(), 2, "a deletion counts as a change");
    assert_eq!(bed.get(&key).await.unwrap(), deleting);
    // Once more changes nothing.
    let again = bed
        .cluster
        .delete(&key, &Delete::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again, deleting);
    let more = json!({"metadata": {"finalizers": ["x.dev/hold", "x.dev/more"]}});
    let refused = bed.merge("m", &key, more).await;
    assert!(
        matches!(refused, Err(ClusterError::Invalid { .. })),
        "{refused:?}"
    );
    let changed = bed
        .merge(
            "m",
            &key,
            json!({"metadata": {"labels": {"still": "there"}}}),
        )
        .await
        .unwrap();
    assert!(changed.deleting());
    bed.merge("m", &key, json!({"metadata": {"finalizers": []}}))
        .await
        .unwrap();
    assert!(bed.get(&key).await.is_none());
}

async fn a_namespace_takes_its_content_along(bed: Bed) {
    let name = format!("{}-gone", bed.namespace);
    let namespace = bed.object("v1", "Namespace", &name, json!({}));
    bed.apply("m", &namespace).await.unwrap();
    let inside = |finalizers: serde_json::Value| {
        let mut object = bed.config_map("a", json!({"metadata": {"finalizers": finalizers}}));
        object
            .metadata_mut()
            .insert("namespace".into(), name.as_str().into());
        object
    };
    let held = inside(json!(["x.dev/hold"]));
    bed.apply("m", &held).await.unwrap();
    let deleting = bed
        .cluster
        .delete(&namespace.key(), &Delete::default())
        .await
        .unwrap()
        .unwrap();
    assert!(deleting.deleting());
    let mut late = inside(json!([]));
    late.metadata_mut().insert("name".into(), "b".into());
    let refused = bed.apply("m", &late).await;
    assert!(
        matches!(&refused, Err(ClusterError::Forbidden { message }) if message.ends_with("because it is being terminated")),
        "{refused:?}"
    );
    // On an API server the namespace controller does the rest; here a test plays it.
    assert!(!finish_namespace(&bed, &name).await);
    assert!(bed.get(&held.key()).await.unwrap().deleting());
    bed.merge("m", &held.key(), json!({"metadata": {"finalizers": null}}))
        .await
        .unwrap();
    assert!(finish_namespace(&bed, &name).await);
    assert!(bed.get(&namespace.key()).await.is_none());
    let default = ObjectKey::new(Gvk::new("", "v1", "Namespace"), "", "default");
    let refused = bed.cluster.delete(&default, &Delete::default()).await;
    assert!(
        matches!(refused, Err(ClusterError::Forbidden { .. })),
        "{refused:?}"
    );
}

async fn what_only_the_deleted_own_goes_too(bed: Bed) {
    let (one, two) = (owner(&bed, "one").await, owner(&bed, "two").await);
    for (name, owners) in [("only", vec![&one]), ("shared", vec![&one, &two])] {
        bed.apply("m", &owned(&bed, name, &owners)).await.unwrap();
    }
    bed.cluster
        .delete(&one.key(), &Delete::default())
        .await
        .unwrap();
    collect_garbage(&bed).await;
    assert!(bed.get(&bed.key("only")).await.is_none());
    assert!(bed.get(&bed.key("shared")).await.is_some());
}

async fn foreground_waits_for_what_is_owned(bed: Bed) {
    let one = owner(&bed, "one").await;
    let mut held = owned(&bed, "held", &[&one]);
    held.metadata_mut()
        .insert("finalizers".into(), json!(["x.dev/hold"]));
    bed.apply("m", &held).await.unwrap();
    let how = Delete {
        propagation: Propagation::Foreground,
        ..Delete::default()
    };
    let deleting = bed.cluster.delete(&one.key(), &how).await.unwrap().unwrap();
    assert!(deleting.deleting());
    assert_eq!(
        deleting.finalizers().collect::<Vec<_>>(),
        ["foregroundDeletion"]
    );
    collect_garbage(&bed).await;
    assert!(bed.get(&bed.key("held")).await.unwrap().deleting());
    assert!(bed.get(&one.key()).await.is_some());
    bed.merge(
        "m",
        &bed.key("held"),
        json!({"metadata": {"finalizers": null}}),
    )
    .await
    .unwrap();
    collect_garbage(&bed).await;
    assert!(bed.get(&one.key()).await.is_none());
}

async fn orphans_stay(bed: Bed) {
    let one = owner(&bed, "one").await;
    bed.apply("m", &owned(&bed, "child", &[&one]))
        .await
        .unwrap();
    let how = Delete {
        propagation: Propagation::Orphan,
        ..Delete::default()
    };
    bed.cluster.delete(&one.key(), &how).await.unwrap();
    collect_garbage(&bed).await;
    assert!(bed.get(&one.key()).await.is_none());
    let child = bed.get(&bed.key("child")).await.unwrap();
    assert!(
        child
            .get("/metadata/ownerReferences")
            .is_none_or(|owners| owners == &json!([]))
    );
}

async fn owner(bed: &Bed, name: &str) -> Object {
    bed.apply("m", &bed.config_map(name, json!({})))
        .await
        .unwrap()
}

fn owned(bed: &Bed, name: &str, owners: &[&Object]) -> Object {
    let reference = |owner: &&Object| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner.name(), "uid": owner.uid(), "blockOwnerDeletion": true});
    let references: Vec<_> = owners.iter().map(reference).collect();
    bed.config_map(name, json!({"metadata": {"ownerReferences": references}}))
}

/// The local cluster collects within the deletion.
async fn collect_garbage(bed: &Bed) {
    if let Place::Kube(namespace) = &bed.place {
        let client = namespace.server().client().unwrap();
        weir_testing::roles::collect_garbage(&client, namespace.name())
            .await
            .unwrap();
    }
}

async fn finish_namespace(bed: &Bed, name: &str) -> bool {
    match &bed.place {
        Place::Local { .. } => bed
            .get(&ObjectKey::new(Gvk::new("", "v1", "Namespace"), "", name))
            .await
            .is_none(),
        Place::Kube(namespace) => {
            let client = namespace.server().client().unwrap();
            weir_testing::roles::finish_namespace(&client, name)
                .await
                .unwrap()
        }
    }
}
