//! Server-side apply.

use serde_json::{Value, json};
use weir_cluster::ClusterError;

use crate::bed::{Bed, applied_by, managers};

crate::both!(
    applying_makes_an_object_and_owns_what_it_states,
    applying_the_same_again_writes_nothing,
    conflicts_name_the_other_manager,
    force_takes_fields_over,
    given_up_fields_go_unless_somebody_else_owns_them,
    lists_are_merged_by_key,
    sets_and_atomic_values,
    finalizers_are_a_set_and_owners_go_by_uid,
    dry_runs_write_nothing,
    preconditions_hold_for_applies,
    nulls_and_empty_values,
    what_is_wrong_is_invalid,
    places_that_are_missing,
    identity_is_not_owned_and_kept_by_the_cluster,
    generation_counts_changes_of_the_spec,
    an_object_without_managers_belongs_to_before_first_apply,
    cluster_scoped_objects_lose_their_namespace,
);

async fn applying_makes_an_object_and_owns_what_it_states(bed: Bed) {
    let object = bed.config_map(
        "a",
        json!({"metadata": {"labels": {"x": "1"}}, "data": {"k": "v"}}),
    );
    let applied = bed.apply("m", &object).await.unwrap();
    assert_eq!(applied.get("/data"), Some(&json!({"k": "v"})));
    assert!(!applied.uid().is_empty() && !applied.resource_version().is_empty());
    let expected = json!({"f:data": {"f:k": {}}, "f:metadata": {"f:labels": {"f:x": {}}}});
    assert_eq!(
        managers(&applied),
        [("m".into(), "Apply".into(), String::new(), expected)]
    );
    let entry = applied.get("/metadata/managedFields/0").unwrap();
    assert_eq!(
        (&entry["apiVersion"], &entry["fieldsType"]),
        (&json!("v1"), &json!("FieldsV1"))
    );
    assert!(entry["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(bed.get(&bed.key("a")).await.unwrap(), applied);
}

async fn applying_the_same_again_writes_nothing(bed: Bed) {
    let object = bed.config_map("a", json!({"data": {"k": "v"}}));
    let first = bed.apply("m", &object).await.unwrap();
    let again = bed.apply("m", &object).await.unwrap();
    assert_eq!(first, again);
    // Another owner of the same is a change, though no value is.
    let shared = bed.apply("n", &object).await.unwrap();
    assert_ne!(shared.resource_version(), first.resource_version());
    assert_eq!(managers(&shared).len(), 2);
}

async fn conflicts_name_the_other_manager(bed: Bed) {
    bed.apply(
        "one",
        &bed.config_map("a", json!({"data": {"k": "v", "l": "v"}})),
    )
    .await
    .unwrap();
    let conflict = async |data: Value| match bed
        .apply("two", &bed.config_map("a", json!({"data": data})))
        .await
    {
        Err(ClusterError::Conflict { key, message }) => {
            assert_eq!(key, bed.key("a"));
            message
        }
        other => panic!("{other:?}"),
    };
    let message = conflict(json!({"k": "w"})).await;
    assert_eq!(
        message,
        "Apply failed with 1 conflict: conflict with \"one\": .data.k"
    );
    let message = conflict(json!({"k": "w", "l": "w"})).await;
    assert_eq!(
        message,
        "Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.k\n- .data.l"
    );
    bed.merge("kubectl-edit", &bed.key("a"), json!({"data": {"k": "x"}}))
        .await
        .unwrap();
    let message = conflict(json!({"k": "w"})).await;
    // An API server adds the time.
    assert!(
        message
            .starts_with("Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1"),
        "{message}"
    );
    assert!(message.ends_with(": .data.k"), "{message}");
    // The same value is no conflict.
    let same = bed
        .apply("two", &bed.config_map("a", json!({"data": {"l": "v"}})))
        .await
        .unwrap();
    assert_eq!(applied_by(&same, "two"), json!({"f:data": {"f:l": {}}}));
}

async fn force_takes_fields_over(bed: Bed) {
    bed.apply(
        "one",
        &bed.config_map("a", json!({"data": {"k": "v", "l": "v"}})),
    )
    .await
    .unwrap();
    let taken = bed
        .force("two", &bed.config_map("a", json!({"data": {"k": "w"}})))
        .await
        .unwrap();
    assert_eq!(taken.get("/data"), Some(&json!({"k": "w", "l": "v"})));
    assert_eq!(applied_by(&taken, "one"), json!({"f:data": {"f:l": {}}}));
    assert_eq!(applied_by(&taken, "two"), json!({"f:data": {"f:k": {}}}));
    // Who owns nothing any more is no manager any more.
    let all = bed
        .force(
            "two",
            &bed.config_map("a", json!({"data": {"k": "w", "l": "w"}})),
        )
        .await
        .unwrap();
    assert_eq!(managers(&all).len(), 1);
}

async fn given_up_fields_go_unless_somebody_else_owns_them(bed: Bed) {
    let state = |labels: Value, data: Value| {
        bed.config_map("a", json!({"metadata": {"labels": labels}, "data": data}))
    };
    bed.apply(
        "one",
        &state(json!({"a": "1"}), json!({"k": "v", "l": "v", "m": "v"})),
    )
    .await
    .unwrap();
    bed.apply("two", &state(json!({"b": "1"}), json!({"l": "v"})))
        .await
        .unwrap();
    let left = bed
        .apply("one", &bed.config_map("a", json!({"data": {"m": "v"}})))
        .await
        .unwrap();
    assert_eq!(left.get("/data"), Some(&json!({"l": "v", "m": "v"})));
    assert_eq!(left.get("/metadata/labels"), Some(&json!({"b": "1"})));
    assert_eq!(applied_by(&left, "one"), json!({"f:data": {"f:m": {}}}));
    // What somebody wrote without applying stays as well.
    bed.merge("hand", &bed.key("a"), json!({"data": {"m": "x", "n": "x"}}))
        .await
        .unwrap();
    let left = bed
        .apply("one", &bed.config_map("a", json!({})))
        .await
        .unwrap();
    assert_eq!(
        left.get("/data"),
        Some(&json!({"l": "v", "m": "x", "n": "x"}))
    );
    assert_eq!(applied_by(&left, "one"), Value::Null);
}

async fn lists_are_merged_by_key(bed: Bed) {
    let service = |ports: Value| {
        bed.object(
            "v1",
            "Service",
            "s",
            json!({"spec": {"ports": ports, "selector": {"app": "s"}}}),
        )
    };
    let ports = |object: &weir_api::Object| -> Vec<(i64, String, String)> {
        let list = object
            .get("/spec/ports")
            .unwrap()
            .as_array()
            .unwrap()
            .clone();
        let text = |port: &Value, name: &str| port[name].as_str().unwrap_or_default().to_owned();
        list.iter()
            .map(|port| {
                (
                    port["port"].as_i64().unwrap(),
                    text(port, "protocol"),
                    text(port, "name"),
                )
            })
            .collect()
    };
    bed.apply(
        "one",
        &service(json!([{"name": "http", "port": 80, "protocol": "TCP"}])),
    )
    .await
    .unwrap();
    let dns = json!([{"name": "dns", "port": 53, "protocol": "UDP"}]);
    let both = bed.apply("two", &service(dns)).await.unwrap();
    assert_eq!(
        ports(&both),
        [
            (80, "TCP".into(), "http".into()),
            (53, "UDP".into(), "dns".into())
        ]
    );
    // The protocol counts as TCP where it is left out.
    let renamed = bed
        .force("one", &service(json!([{"name": "web", "port": 80}])))
        .await
        .unwrap();
    let expected = if bed.local() { "" } else { "TCP" };
    // (an API server fills the default in again, the local cluster fills nothing in)
    assert_eq!(
        ports(&renamed),
        [
            (80, expected.into(), "web".into()),
            (53, "UDP".into(), "dns".into())
        ]
    );
    let item = "k:{\"port\":80,\"protocol\":\"TCP\"}";
    let fields = applied_by(&renamed, "one");
    assert_eq!(
        fields["f:spec"]["f:ports"],
        json!({item: {".": {}, "f:name": {}, "f:port": {}}})
    );
    let twice =
        service(json!([{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "TCP"}]));
    let Err(ClusterError::Invalid { message, .. }) = bed.apply("one", &twice).await else {
        panic!()
    };
    assert!(
        message.contains(".spec.ports: duplicate entries for key [port=80,protocol=\"TCP\"]"),
        "{message}"
    );
}

async fn sets_and_atomic_values(bed: Bed) {
    let secret = |manager: &str, labels: Value| {
        bed.object("v1", "Service", "s", json!({"metadata": {"annotations": {manager: "x"}}, "spec": {"selector": labels, "ports": [{"port": 80, "protocol": "TCP", "name": "a"}]}}))
    };
    bed.apply("one", &secret("one", json!({"app": "a", "tier": "b"})))
        .await
        .unwrap();
    // A selector is one value.
    let Err(ClusterError::Conflict { message, .. }) =
        bed.apply("two", &secret("two", json!({"app": "a"}))).await
    else {
        panic!()
    };
    assert_eq!(
        message,
        "Apply failed with 1 conflict: conflict with \"one\": .spec.selector"
    );
    let replaced = bed
        .force("two", &secret("two", json!({"app": "a"})))
        .await
        .unwrap();
    assert_eq!(replaced.get("/spec/selector"), Some(&json!({"app": "a"})));
    assert_eq!(
        applied_by(&replaced, "two")["f:spec"]["f:selector"],
        json!({})
    );
}

async fn finalizers_are_a_set_and_owners_go_by_uid(bed: Bed) {
    let owner = bed
        .apply("m", &bed.config_map("owner", json!({})))
        .await
        .unwrap();
    let reference =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()}]);
    let with =
        |finalizers: Value| bed.config_map("a", json!({"metadata": {"finalizers": finalizers}}));
    bed.apply("one", &with(json!(["x.dev/b", "x.dev/a"])))
        .await
        .unwrap();
    let both = bed
        .apply("two", &with(json!(["x.dev/c", "x.dev/a"])))
        .await
        .unwrap();
    let mut finalizers: Vec<&str> = both.finalizers().collect();
    finalizers.sort_unstable();
    assert_eq!(finalizers, ["x.dev/a", "x.dev/b", "x.dev/c"]);
    let fields = applied_by(&both, "two");
    assert_eq!(
        fields["f:metadata"]["f:finalizers"],
        json!({"v:\"x.dev/a\"": {}, "v:\"x.dev/c\"": {}})
    );
    let given_up = bed.apply("one", &with(json!([]))).await.unwrap();
    let mut finalizers: Vec<&str> = given_up.finalizers().collect();
    finalizers.sort_unstable();
    assert_eq!(finalizers, ["x.dev/a", "x.dev/c"]);
    let owned = bed.config_map("owned", json!({"metadata": {"ownerReferences": reference}}));
    let owned = bed.apply("one", &owned).await.unwrap();
    let key = format!("k:{{\"uid\":\"{}\"}}", owner.uid());
    assert_eq!(
        applied_by(&owned, "one")["f:metadata"]["f:ownerReferences"],
        json!({key: {}})
    );
    bed.merge(
        "one",
        &bed.key("a"),
        json!({"metadata": {"finalizers": null}}),
    )
    .await
    .unwrap();
}

async fn dry_runs_write_nothing(bed: Bed) {
    let object = bed.config_map("a", json!({"data": {"k": "v"}}));
    let would = bed.dry_run("m", &object).await.unwrap();
    assert_eq!(would.get("/data"), Some(&json!({"k": "v"})));
    assert_eq!(would.resource_version(), "", "it is not there yet");
    assert!(bed.get(&bed.key("a")).await.is_none());
    let first = bed.apply("m", &object).await.unwrap();
    let would = bed
        .dry_run("m", &bed.config_map("a", json!({"data": {"k": "w"}})))
        .await
        .unwrap();
    assert_eq!(would.get("/data"), Some(&json!({"k": "w"})));
    assert_eq!(would.resource_version(), first.resource_version());
    assert_eq!(bed.get(&bed.key("a")).await.unwrap(), first);
    let unchanged = bed.dry_run("m", &object).await.unwrap();
    assert_eq!(unchanged, first);
}

async fn preconditions_hold_for_applies(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let at = |version: &str, value: &str| {
        bed.config_map(
            "a",
            json!({"metadata": {"resourceVersion": version}, "data": {"k": value}}),
        )
    };
    let second = bed
        .apply("m", &at(first.resource_version(), "2"))
        .await
        .unwrap();
    let stale = bed.apply("m", &at(first.resource_version(), "3")).await;
    assert!(
        matches!(stale, Err(ClusterError::Conflict { ref message, .. }) if message.contains("the object has been modified")),
        "{stale:?}"
    );
    assert_eq!(bed.get(&bed.key("a")).await.unwrap(), second);
    let other = bed.config_map(
        "a",
        json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}, "data": {"k": "3"}}),
    );
    assert!(matches!(
        bed.apply("m", &other).await,
        Err(ClusterError::Invalid { .. })
    ));
}

async fn nulls_and_empty_values(bed: Bed) {
    let object = bed.config_map("a", json!({"metadata": {"labels": {}, "creationTimestamp": null}, "data": {"k": null, "l": "v"}}));
    let applied = bed.apply("m", &object).await.unwrap();
    // A null among texts is the empty text.
    assert_eq!(applied.get("/data"), Some(&json!({"k": "", "l": "v"})));
    assert_eq!(
        applied_by(&applied, "m"),
        json!({"f:data": {"f:k": {}, "f:l": {}}, "f:metadata": {"f:labels": {}}})
    );
    let again = bed.apply("m", &object).await.unwrap();
    assert_eq!(again.get("/data"), applied.get("/data"));
    let service = bed.object("v1", "Service", "s", json!({"spec": {"clusterIP": null, "ports": [{"port": 80, "protocol": "TCP", "name": null}]}}));
    let applied = bed.apply("m", &service).await.unwrap();
    assert_eq!(applied.get("/spec/ports/0/name"), None);
    let named = bed.object(
        "v1",
        "Service",
        "s",
        json!({"spec": {"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]}}),
    );
    // A stated null is owned like any other value.
    assert!(matches!(
        bed.apply("n", &named).await,
        Err(ClusterError::Conflict { .. })
    ));
    bed.force("n", &named).await.unwrap();
    let applied = bed.force("m", &service).await.unwrap();
    assert_eq!(
        applied.get("/spec/ports/0/name"),
        None,
        "a scalar null is a value: it replaces"
    );
}

async fn what_is_wrong_is_invalid(bed: Bed) {
    let refused = async |object: weir_api::Object| match bed.apply("m", &object).await {
        Err(ClusterError::Invalid { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    let message = refused(bed.config_map("a", json!({"nope": 1}))).await;
    assert!(
        message.starts_with("failed to create typed patch object ("),
        "{message}"
    );
    assert!(
        message.contains("/a; /v1, Kind=ConfigMap): .nope: field not declared in schema"),
        "{message}"
    );
    let message = refused(bed.config_map("a", json!({"data": {"k": 1}}))).await;
    assert!(message.contains(".data.k: expected"), "{message}");
    let deployment = json!({"spec": {"replicas": "3", "selector": {}, "template": {}}});
    let message = refused(bed.object("apps/v1", "Deployment", "a", deployment)).await;
    assert!(message.contains(".spec.replicas: expected"), "{message}");
    let message = refused(bed.config_map("Not_A_Name", json!({}))).await;
    assert!(
        message.contains("metadata.name") && message.contains("RFC 1123"),
        "{message}"
    );
    let message = refused(bed.config_map("a", json!({"metadata": {"managedFields": []}}))).await;
    assert_eq!(message, "metadata.managedFields must be nil");
    let Err(ClusterError::Invalid { message, .. }) =
        bed.apply("", &bed.config_map("a", json!({}))).await
    else {
        panic!()
    };
    assert!(
        message.contains("fieldManager: Required value"),
        "{message}"
    );
    assert!(bed.get(&bed.key("a")).await.is_none());
}

async fn places_that_are_missing(bed: Bed) {
    let mut object = bed.config_map("a", json!({}));
    object
        .metadata_mut()
        .insert("namespace".into(), "no-such-namespace".into());
    for result in [
        bed.apply("m", &object).await,
        bed.dry_run("m", &object).await,
        bed.cluster.create(&object, "m").await,
    ] {
        let Err(ClusterError::NoNamespace { namespace, .. }) = &result else {
            panic!("{result:?}")
        };
        assert_eq!(namespace, "no-such-namespace");
    }
    object.metadata_mut().shift_remove("namespace");
    assert!(matches!(
        bed.apply("m", &object).await,
        Err(ClusterError::NotFound { .. })
    ));
    let unknown = bed.object("example.dev/v1", "Nothing", "a", json!({}));
    assert!(matches!(
        bed.apply("m", &unknown).await,
        Err(ClusterError::NoKind(_))
    ));
    let old = bed.object("apps/v1beta1", "Deployment", "a", json!({}));
    assert!(matches!(
        bed.apply("m", &old).await,
        Err(ClusterError::NoKind(_))
    ));
}

async fn identity_is_not_owned_and_kept_by_the_cluster(bed: Bed) {
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let meddling = bed.config_map("a", json!({
        "metadata": {"creationTimestamp": "2001-01-01T00:00:00Z", "generation": 99, "selfLink": "/x"},
        "data": {"k": "2"},
    }));
    let second = bed.apply("m", &meddling).await.unwrap();
    for field in [
        "/metadata/uid",
        "/metadata/creationTimestamp",
        "/metadata/generation",
    ] {
        assert_eq!(second.get(field), first.get(field), "{field}");
    }
    assert_eq!(applied_by(&second, "m"), json!({"f:data": {"f:k": {}}}));
}

async fn generation_counts_changes_of_the_spec(bed: Bed) {
    let policy = |label: &str, port: i64| {
        let spec = json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port, "protocol": "TCP"}]}]});
        bed.object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "a",
            json!({"metadata": {"labels": {"x": label}}, "spec": spec}),
        )
    };
    assert_eq!(
        bed.apply("m", &policy("1", 80)).await.unwrap().generation(),
        1
    );
    assert_eq!(
        bed.apply("m", &policy("2", 80)).await.unwrap().generation(),
        1
    );
    assert_eq!(
        bed.apply("m", &policy("2", 81)).await.unwrap().generation(),
        2
    );
    let config = bed
        .apply("m", &bed.config_map("c", json!({})))
        .await
        .unwrap();
    assert_eq!(
        config.get("/metadata/generation"),
        None,
        "not every kind counts"
    );
}

async fn an_object_without_managers_belongs_to_before_first_apply(bed: Bed) {
    bed.apply(
        "m",
        &bed.config_map("a", json!({"data": {"k": "1", "l": "1"}})),
    )
    .await
    .unwrap();
    // An empty list of managers is how somebody resets them.
    let reset = bed
        .merge(
            "m",
            &bed.key("a"),
            json!({"metadata": {"managedFields": [{}]}}),
        )
        .await
        .unwrap();
    assert_eq!(managers(&reset), []);
    // Nobody tracks what is changed until somebody applies.
    let changed = bed
        .merge("hand", &bed.key("a"), json!({"data": {"l": "2"}}))
        .await
        .unwrap();
    assert_eq!(managers(&changed), []);
    let applied = bed
        .force("m", &bed.config_map("a", json!({"data": {"k": "2"}})))
        .await
        .unwrap();
    assert_eq!(
        managers(&applied),
        [
            (
                "before-first-apply".into(),
                "Update".into(),
                String::new(),
                json!({"f:data": {".": {}, "f:l": {}}})
            ),
            (
                "m".into(),
                "Apply".into(),
                String::new(),
                json!({"f:data": {"f:k": {}}})
            ),
        ]
    );
}

async fn cluster_scoped_objects_lose_their_namespace(bed: Bed) {
    let name = format!("{}:reader", bed.namespace);
    let role = json!({"metadata": {"namespace": "anywhere"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
    let role = bed.object("rbac.authorization.k8s.io/v1", "ClusterRole", &name, role);
    let applied = bed.apply("m", &role).await.unwrap();
    assert_eq!((applied.namespace(), applied.name()), ("", name.as_str()));
    let found = bed.get(&role.key()).await.unwrap();
    assert_eq!(found.uid(), applied.uid());
}
