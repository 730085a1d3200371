//! Reading: discovery, get and list.

use serde_json::json;
use weir_api::{Gvk, ObjectKey};
use weir_cluster::{ClusterError, Detail, Selection};

use crate::bed::{Bed, config_maps, names};

crate::both!(
    discovery_knows_kinds_and_their_order,
    what_is_not_there_is_none,
    lists_select_by_namespace_and_labels,
    metadata_comes_without_the_rest,
    long_lists_come_whole,
);

async fn discovery_knows_kinds_and_their_order(bed: Bed) {
    let found = bed.cluster.discover(false).await.unwrap();
    assert_eq!(found.version, "v1.35.4");
    let deployment = found.find(&Gvk::new("apps", "v1", "Deployment")).unwrap();
    assert!(deployment.namespaced && deployment.status);
    assert_eq!(deployment.plural, "deployments");
    let namespace = found.find(&Gvk::new("", "v1", "Namespace")).unwrap();
    assert!(!namespace.namespaced);
    assert!(!found.find(&config_maps()).unwrap().status);
    let scaler = found
        .preferred(&Gvk::new("autoscaling", "v1", "HorizontalPodAutoscaler").group_kind())
        .unwrap();
    assert_eq!(scaler.gvk.version, "v2");
    assert!(
        found
            .find(&Gvk::new("autoscaling", "v1", "HorizontalPodAutoscaler"))
            .is_some()
    );
    assert!(
        found
            .find(&Gvk::new("apps", "v1beta1", "Deployment"))
            .is_none()
    );
}

async fn what_is_not_there_is_none(bed: Bed) {
    assert!(bed.get(&bed.key("nothing")).await.is_none());
    let elsewhere = ObjectKey::new(config_maps(), "no-such-namespace", "nothing");
    assert!(bed.get(&elsewhere).await.is_none());
    // A namespaced object without a namespace is nowhere.
    assert!(
        bed.get(&ObjectKey::new(config_maps(), "", "nothing"))
            .await
            .is_none()
    );
    let unknown = Gvk::new("example.dev", "v1", "Nothing");
    let key = ObjectKey::new(unknown.clone(), bed.namespace.as_str(), "x");
    assert!(
        matches!(bed.cluster.get(&key).await, Err(ClusterError::NoKind(gvk)) if gvk == unknown)
    );
    let listed = bed.cluster.list(&unknown, &Selection::default()).await;
    assert!(matches!(listed, Err(ClusterError::NoKind(gvk)) if gvk == unknown));
    let error = ClusterError::NoKind(unknown).to_string();
    assert_eq!(
        error,
        "no matches for kind \"Nothing\" in version \"example.dev/v1\""
    );
}

async fn lists_select_by_namespace_and_labels(bed: Bed) {
    for (name, tier) in [("b", "web"), ("a", "web"), ("c", "db")] {
        let object = bed.config_map(name, json!({"metadata": {"labels": {"tier": tier}}}));
        bed.apply("m", &object).await.unwrap();
    }
    let selected = async |labels: &str| {
        let list = bed.list(&config_maps(), labels, Detail::Whole).await;
        names(&list.objects).join(",")
    };
    assert_eq!(selected("").await, "a,b,c");
    assert_eq!(selected("tier=web").await, "a,b");
    assert_eq!(selected("tier!=web").await, "c");
    assert_eq!(selected("tier in (db, cache)").await, "c");
    assert_eq!(selected("tier notin (db),tier").await, "a,b");
    assert_eq!(selected("!tier").await, "");
    let list = bed.list(&config_maps(), "", Detail::Whole).await;
    assert!(
        list.objects
            .iter()
            .all(|object| object.kind() == "ConfigMap" && object.api_version() == "v1")
    );
    let newest = list
        .objects
        .iter()
        .map(|object| object.resource_version().parse::<u64>().unwrap())
        .max()
        .unwrap();
    assert!(list.resource_version.parse::<u64>().unwrap() >= newest);
    let by = Selection {
        labels: "a b".into(),
        ..Selection::default()
    };
    assert!(matches!(
        bed.cluster.list(&config_maps(), &by).await,
        Err(ClusterError::Invalid { .. })
    ));
    // All namespaces at once.
    let all = Selection {
        labels: "tier=db".into(),
        ..Selection::default()
    };
    let everywhere = bed.cluster.list(&config_maps(), &all).await.unwrap();
    assert!(
        everywhere
            .objects
            .iter()
            .any(|object| object.namespace() == bed.namespace)
    );
}

async fn metadata_comes_without_the_rest(bed: Bed) {
    let object = bed.config_map(
        "a",
        json!({"metadata": {"labels": {"x": "y"}}, "data": {"k": "v"}}),
    );
    let applied = bed.apply("m", &object).await.unwrap();
    let list = bed.list(&config_maps(), "x=y", Detail::Metadata).await;
    let [only] = &list.objects[..] else {
        panic!("{list:?}")
    };
    assert_eq!((only.api_version(), only.kind()), ("v1", "ConfigMap"));
    assert_eq!(only.get("/data"), None);
    assert_eq!(only.get("/metadata"), applied.get("/metadata"));
}

/// More than a page of the API server's.
async fn long_lists_come_whole(bed: Bed) {
    const COUNT: usize = 520;
    for index in 0..COUNT {
        bed.cluster
            .create(&bed.config_map(&format!("c{index:03}"), json!({})), "m")
            .await
            .unwrap();
    }
    let list = bed.list(&config_maps(), "", Detail::Whole).await;
    assert_eq!(list.objects.len(), COUNT);
    let expected: Vec<String> = (0..COUNT).map(|index| format!("c{index:03}")).collect();
    assert_eq!(names(&list.objects), expected);
}
