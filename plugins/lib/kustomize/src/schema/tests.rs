use super::*;

fn path(schemas: &Schemas, api_version: &str, kind: &str, fields: &[&str]) -> Option<TypeRef> {
    fields
        .iter()
        .try_fold(schemas.object(api_version, kind)?, |of, name| match *name {
            "[]" => schemas.items(of),
            name => schemas.field(of, name),
        })
}

#[test]
fn built_in_lists_have_the_keys_of_kubernetes() {
    let schemas = Schemas::default();
    for (api_version, kind, fields, expected) in [
        (
            "apps/v1",
            "Deployment",
            &["spec", "template", "spec", "containers"][..],
            Some(vec!["name"]),
        ),
        (
            "v1",
            "Pod",
            &["spec", "containers", "[]", "ports"],
            Some(vec!["containerPort", "protocol"]),
        ),
        (
            "v1",
            "Service",
            &["spec", "ports"],
            Some(vec!["port", "protocol"]),
        ),
        ("v1", "ConfigMap", &["metadata", "finalizers"], Some(vec![])),
        ("v1", "ServiceAccount", &["secrets"], Some(vec!["name"])),
        ("v1", "ServiceAccount", &["imagePullSecrets"], None),
        ("v1", "Pod", &["spec", "volumes"], Some(vec!["name"])),
        ("v1", "Pod", &["spec", "tolerations"], None),
    ] {
        let of = path(&schemas, api_version, kind, fields).unwrap();
        let expected = expected.map(|keys| keys.into_iter().map(Text::from).collect::<Vec<_>>());
        assert_eq!(schemas.merge_keys(of), expected, "{kind} {fields:?}");
    }
    assert_eq!(
        schemas.object("autoscaling/v2", "HorizontalPodAutoscaler"),
        None
    );
}

#[test]
fn the_table_of_kinds_is_sorted() {
    assert!(tables::KINDS.is_sorted() && tables::NAMES.is_sorted());
    assert!(tables::TYPES.iter().all(|of| of.fields.is_sorted()));
}

#[test]
fn scopes_are_those_of_the_old_kinds() {
    let schemas = Schemas::default();
    assert!(schemas.cluster_scoped(&Gvk::new("v1", "Namespace")));
    assert!(schemas.cluster_scoped(&Gvk::new("storage.k8s.io/v1beta1", "CSINode")));
    assert!(!schemas.cluster_scoped(&Gvk::new("v1", "ConfigMap")));
    assert!(!schemas.cluster_scoped(&Gvk::new(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy"
    )));
}

const DOCUMENT: &str = r##"
definitions:
  Foo:
    type: object
    x-kubernetes-group-version-kind: [{group: example.com, version: v1, kind: Foo}]
    properties:
      spec: {$ref: "#/definitions/Spec"}
  Spec:
    type: object
    properties:
      items:
        type: array
        items: {$ref: "#/definitions/Spec"}
        x-kubernetes-patch-strategy: merge
        x-kubernetes-patch-merge-key: id
  Loop: {$ref: "#/definitions/Loop"}
paths:
  /apis/example.com/v1/foos:
    get: {x-kubernetes-group-version-kind: {group: example.com, version: v1, kind: Foo}}
"##;

#[test]
fn a_document_takes_the_place_of_the_built_in_types() {
    let schemas = Schemas::default();
    schemas
        .choose(None, Some(("openapi.yaml", DOCUMENT.as_bytes())), true)
        .unwrap();
    let of = path(
        &schemas,
        "example.com/v1",
        "Foo",
        &["spec", "items", "[]", "items"],
    )
    .unwrap();
    assert_eq!(schemas.merge_keys(of), Some(vec![Text::from("id")]));
    assert!(schemas.cluster_scoped(&Gvk::new("example.com/v1", "Foo")));
    assert_eq!(schemas.object("v1", "Pod"), None);
}

#[test]
fn a_document_adds_to_built_in_types_that_were_used() {
    let schemas = Schemas::preloaded();
    schemas
        .choose(None, Some(("openapi.yaml", DOCUMENT.as_bytes())), true)
        .unwrap();
    assert!(schemas.object("v1", "Pod").is_some());
    assert!(schemas.object("example.com/v1", "Foo").is_some());
}

#[test]
fn a_document_can_refer_to_built_in_definitions_that_were_used() {
    let document = r##"
definitions:
  Bar:
    x-kubernetes-group-version-kind: [{group: example.com, version: v1, kind: Bar}]
    properties:
      template: {$ref: "#/definitions/io.k8s.api.core.v1.PodTemplateSpec"}
"##;
    for (used, expected) in [(true, Some(vec![Text::from("name")])), (false, None)] {
        let schemas = Schemas::default();
        if used {
            assert!(!schemas.cluster_scoped(&Gvk::new("example.com/v1", "Other")));
        }
        schemas
            .choose(None, Some(("openapi.yaml", document.as_bytes())), true)
            .unwrap();
        let of = path(
            &schemas,
            "example.com/v1",
            "Bar",
            &["template", "spec", "containers"],
        );
        assert_eq!(of.and_then(|of| schemas.merge_keys(of)), expected);
    }
}

#[test]
fn only_the_first_choice_counts() {
    let schemas = Schemas::default();
    schemas.choose(Some("v1.21.2"), None, true).unwrap();
    schemas
        .choose(None, Some(("openapi.yaml", DOCUMENT.as_bytes())), false)
        .unwrap();
    assert_eq!(schemas.object("example.com/v1", "Foo"), None);
    assert!(schemas.choose(Some("v1.30.0"), None, true).is_err());
    assert!(
        Schemas::default()
            .choose(Some("v1.21.2"), Some(("a", b"{}")), true)
            .is_err()
    );
}
