//! Custom resources.

use serde_json::{Value, json};
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{ClusterError, Delete, Detail, Part};
use weir_testing::until;

use crate::bed::{Bed, applied_by};

crate::both!(
    a_kind_is_served_once_its_crd_is_applied,
    the_schema_of_a_crd_rules_its_objects,
    versions_differ_by_name,
    deleting_a_crd_deletes_its_objects,
    bad_crds_are_refused,
    fluxs_own_crds_are_served,
);

async fn a_kind_is_served_once_its_crd_is_applied(bed: Bed) {
    let things = Things::new(&bed);
    let early = bed.apply("m", &things.thing("a", json!({}))).await;
    assert!(matches!(early, Err(ClusterError::NoKind(_))), "{early:?}");
    things.define().await;
    let found = bed.cluster.discover(true).await.unwrap();
    let resource = found.find(&things.gvk("v1")).unwrap();
    assert!(resource.namespaced && resource.status && resource.plural == "things");
    let crd = bed.get(&things.crd_key()).await.unwrap();
    let conditions = crd
        .get("/status/conditions")
        .unwrap()
        .as_array()
        .unwrap()
        .clone();
    let holds = |kind: &str| {
        conditions
            .iter()
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    assert!(holds("Established") && holds("NamesAccepted"));
    assert_eq!(crd.get("/status/acceptedNames/kind"), Some(&json!("Thing")));
    assert_eq!(crd.get("/status/storedVersions"), Some(&json!(["v1"])));
    let made = bed
        .apply("m", &things.thing("a", json!({"text": "x"})))
        .await
        .unwrap();
    assert_eq!(made.generation(), 1);
    assert_eq!(made.get("/status"), Some(&json!({"phase": "new"})));
    assert_eq!(
        bed.list(&things.gvk("v1"), "", Detail::Whole).await.objects,
        [made]
    );
}

async fn the_schema_of_a_crd_rules_its_objects(bed: Bed) {
    let things = Things::new(&bed);
    things.define().await;
    let spec = json!({
        "ports": [{"name": "x", "port": 1}], "tags": ["b", "a"], "whole": {"a": "1"},
        "free": {"a": {"b": [1, {"c": 2}]}, "n": null}, "either": "5%", "list": [],
    });
    let made = bed.apply("one", &things.thing("a", spec)).await.unwrap();
    let expected = json!({"f:spec": {
        "f:ports": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:port": {}}},
        "f:tags": {"v:\"a\"": {}, "v:\"b\"": {}}, "f:whole": {}, "f:either": {}, "f:list": {},
        "f:free": {"f:a": {".": {}, "f:b": {}}, "f:n": {}},
    }});
    assert_eq!(applied_by(&made, "one"), expected);
    let more = json!({"ports": [{"name": "y", "port": 2}], "tags": ["c"], "free": {"z": 1}});
    let both = bed.apply("two", &things.thing("a", more)).await.unwrap();
    let ports = json!([{"name": "x", "port": 1}, {"name": "y", "port": 2}]);
    assert_eq!(both.get("/spec/ports"), Some(&ports));
    assert_eq!(both.get("/spec/tags"), Some(&json!(["b", "a", "c"])));
    assert_eq!(
        both.get("/spec/free"),
        Some(&json!({"a": {"b": [1, {"c": 2}]}, "n": null, "z": 1}))
    );
    assert_eq!(both.generation(), 2);
    let refused = async |spec: Value| match bed.apply("m", &things.thing("b", spec)).await {
        Err(ClusterError::Invalid { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    assert!(
        refused(json!({"nope": 1}))
            .await
            .contains(".spec.nope: field not declared in schema")
    );
    assert!(
        refused(json!({"count": "1"}))
            .await
            .contains(".spec.count: expected")
    );
    assert!(refused(json!({"count": 1.5})).await.contains("spec.count"));
    assert!(refused(json!({"text": null})).await.contains("spec.text"));
    assert!(
        refused(json!({"ports": [{"name": "x"}, {"name": "x"}]}))
            .await
            .contains(".spec.ports: duplicate entries for key [name=\"x\"]")
    );
    // What is not applied is pruned instead.
    let pruned = bed
        .cluster
        .create(
            &things.thing("b", json!({"text": "x", "nope": 1, "free": {"any": 1}})),
            "m",
        )
        .await
        .unwrap();
    assert_eq!(
        pruned.get("/spec"),
        Some(&json!({"text": "x", "free": {"any": 1}}))
    );
    let status = json!({"spec": {"text": "y"}, "status": {"phase": "Ready", "nope": 1}});
    let key = things.thing("b", json!({})).key();
    let patched = bed
        .cluster
        .merge(&key, Part::Status, &status, "c")
        .await
        .unwrap();
    assert_eq!(patched.get("/status"), Some(&json!({"phase": "Ready"})));
    assert_eq!(
        (patched.get("/spec/text"), patched.generation()),
        (Some(&json!("x")), 1)
    );
}

async fn versions_differ_by_name(bed: Bed) {
    let things = Things::new(&bed);
    things.define().await;
    let made = bed
        .apply("m", &things.thing("a", json!({"text": "x"})))
        .await
        .unwrap();
    let key = ObjectKey::new(things.gvk("v1beta1"), bed.namespace.as_str(), "a");
    let old = bed.get(&key).await.unwrap();
    assert_eq!(old.gvk(), things.gvk("v1beta1"));
    assert_eq!(
        (old.uid(), old.get("/spec")),
        (made.uid(), made.get("/spec"))
    );
    let found = bed.cluster.discover(false).await.unwrap();
    assert_eq!(
        found
            .preferred(&things.gvk("v1").group_kind())
            .unwrap()
            .gvk
            .version,
        "v1"
    );
}

async fn deleting_a_crd_deletes_its_objects(bed: Bed) {
    let things = Things::new(&bed);
    things.define().await;
    bed.apply("m", &things.thing("a", json!({"text": "x"})))
        .await
        .unwrap();
    bed.cluster
        .delete(&things.crd_key(), &Delete::default())
        .await
        .unwrap()
        .unwrap();
    until("the CRD to go", async || {
        Ok(bed.get(&things.crd_key()).await.is_none().then_some(()))
    })
    .await
    .unwrap();
    until("the kind to go", async || {
        let found = bed.cluster.discover(true).await?;
        Ok(found.find(&things.gvk("v1")).is_none().then_some(()))
    })
    .await
    .unwrap();
    let late = bed.apply("m", &things.thing("a", json!({}))).await;
    assert!(matches!(late, Err(ClusterError::NoKind(_))), "{late:?}");
    // Defined again, it starts with nothing.
    things.define().await;
    assert!(
        bed.list(&things.gvk("v1"), "", Detail::Whole)
            .await
            .objects
            .is_empty()
    );
}

async fn bad_crds_are_refused(bed: Bed) {
    let things = Things::new(&bed);
    for (pointer, value) in [
        ("/metadata/name", json!("other.name.dev")),
        ("/spec/scope", json!("Galaxy")),
        (
            "/spec/versions/0/schema/openAPIV3Schema",
            json!({"type": "object", "properties": {"a": {"type": "thing"}}}),
        ),
        (
            "/spec/versions/0/schema/openAPIV3Schema",
            json!({"type": "object", "properties": {"a": {"type": "array"}}}),
        ),
    ] {
        let mut crd = things.crd().into_value();
        *crd.pointer_mut(pointer).unwrap() = value.clone();
        let refused = bed.apply("m", &Object::new(crd).unwrap()).await;
        assert!(
            matches!(refused, Err(ClusterError::Invalid { .. })),
            "{pointer} = {value}: {refused:?}"
        );
    }
}

async fn fluxs_own_crds_are_served(bed: Bed) {
    let Some(crds) = weir_testing::flux_crds().unwrap() else {
        return;
    };
    assert!(crds.len() >= 10, "{}", crds.len());
    for crd in crds {
        bed.force("m", &Object::new(crd.clone()).unwrap())
            .await
            .unwrap();
    }
    until("Flux's kinds to be served", async || {
        let found = bed.cluster.discover(true).await?;
        let served = |crd: &Value| {
            let text = |pointer: &str| crd.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            let version = crd["spec"]["versions"]
                .as_array()
                .unwrap()
                .iter()
                .find(|version| version["storage"] == true);
            let version = version.unwrap()["name"].as_str().unwrap().to_owned();
            found
                .find(&Gvk::new(
                    text("/spec/group"),
                    version,
                    text("/spec/names/kind"),
                ))
                .is_some()
        };
        Ok(crds.iter().all(served).then_some(()))
    })
    .await
    .unwrap();
    let unit = json!({"spec": {
        "interval": "10m", "path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "x"},
        "dependsOn": [{"name": "a"}], "postBuild": {"substitute": {"k": "v"}},
    }});
    let unit = bed.object(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        "apps",
        unit,
    );
    let made = bed.apply("m", &unit).await.unwrap();
    assert_eq!(made.get("/spec/path"), Some(&json!("./apps")));
    assert!(applied_by(&made, "m")["f:spec"]["f:postBuild"]["f:substitute"]["f:k"].is_object());
}

/// A kind of this bed's own: CRDs are shared by all tests of a cluster.
struct Things<'b> {
    bed: &'b Bed,
    group: String,
}

impl<'b> Things<'b> {
    fn new(bed: &'b Bed) -> Self {
        Self {
            bed,
            group: format!("{}.example.dev", bed.namespace),
        }
    }

    fn gvk(&self, version: &str) -> Gvk {
        Gvk::new(self.group.clone(), version, "Thing")
    }

    fn thing(&self, name: &str, spec: Value) -> Object {
        self.bed.object(
            &format!("{}/v1", self.group),
            "Thing",
            name,
            json!({"spec": spec}),
        )
    }

    fn crd_key(&self) -> ObjectKey {
        self.crd().key()
    }

    fn crd(&self) -> Object {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {
                "text": {"type": "string"},
                "count": {"type": "integer"},
                "either": {"x-kubernetes-int-or-string": true},
                "list": {"type": "array", "items": {"type": "string"}},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "ports": {
                    "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "required": ["name"], "properties": {
                        "name": {"type": "string"}, "port": {"type": "integer"},
                    }},
                },
            }},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}, "default": {"phase": "new"}},
        }});
        let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}});
        let names = json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"});
        let spec = json!({"group": self.group, "scope": "Namespaced", "names": names, "versions": [version("v1", true), version("v1beta1", false)]});
        let name = format!("things.{}", self.group);
        self.bed.object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            &name,
            json!({"spec": spec}),
        )
    }

    /// Applies the CRD and waits until its kind is served. (At once on the local cluster.)
    async fn define(&self) {
        self.bed.apply("m", &self.crd()).await.unwrap();
        until("the kind to be served", async || {
            let found = self.bed.cluster.discover(true).await?;
            let crd = self.bed.get(&self.crd_key()).await.unwrap();
            let conditions = crd
                .get("/status/conditions")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let established = conditions
                .iter()
                .any(|one| one["type"] == "Established" && one["status"] == "True");
            Ok((established && found.find(&self.gvk("v1")).is_some()).then_some(()))
        })
        .await
        .unwrap();
        if self.bed.local() {
            let served = self.bed.cluster.discover(false).await.unwrap();
            assert!(served.find(&self.gvk("v1")).is_some());
        }
    }
}
