use super::*;

fn denied(result: Result<(), Refusal>) -> String {
    match result {
        Err(Refusal::Denied(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

#[test]
fn nothing_is_granted_by_default() {
    let none = Grants::default();
    let files = FileGrants::new(&none);
    for (result, text) in [
        (
            files.check_read("apps/x.yaml"),
            r#"reading "apps/x.yaml" is not granted; grant it with spec.grants.files: ["apps/**"]"#,
        ),
        (
            files.check_read("x.yaml"),
            r#"reading "x.yaml" is not granted; grant it with spec.grants.files: ["x.yaml"]"#,
        ),
        (
            files.check_look(""),
            r#"looking at "" is not granted; grant it with spec.grants.files: ["**"]"#,
        ),
        (
            files.check_any("*.yaml"),
            r#"looking for "*.yaml" is not granted; grant it with spec.grants.files: ["*.yaml"]"#,
        ),
        (
            none.check_value("password"),
            r#"the input "password" is not granted; grant it with spec.grants.values: ["password"]"#,
        ),
        (
            none.check_key("age"),
            r#"unwrapping keys of the scheme "age" is not granted; grant it with spec.grants.keys: ["age"]"#,
        ),
        (
            none.check_plugin("helm"),
            r#"running the plugin "helm" is not granted; grant it with spec.grants.plugins: ["helm"]"#,
        ),
        (
            none.check_url("https://x.org/y"),
            r#"reaching https://x.org is not granted; grant it with spec.grants.hosts: ["https://x.org"]"#,
        ),
        (
            none.check_object("apps/v1", "Deployment", "web", "a"),
            r#"looking up Deployment a is not granted; grant it with spec.grants.objects: ["Deployment.apps/web"]"#,
        ),
        (
            none.check_object("v1", "Node", "", ""),
            r#"listing Node objects is not granted; grant it with spec.grants.objects: ["Node"]"#,
        ),
    ] {
        assert_eq!(denied(result), text);
    }
    assert!(!none.shows_secrets());
}

#[test]
fn files_are_granted_by_glob() {
    let files = FileGrants::new(&Grants {
        files: one("apps/*/x.yaml"),
        ..Grants::default()
    });
    assert_eq!(files.check_read("apps/web/x.yaml"), Ok(()));
    assert!(files.check_read("apps/web/y.yaml").is_err());
    assert_eq!(files.check_look("apps/web"), Ok(()));
    assert!(files.check_look("infra").is_err());
    assert!(!files.everything());
    assert!(FileGrants::new(&Grants::all()).everything());
}

#[test]
fn objects_are_granted_by_kind_namespace_and_name() {
    let grants = |grant: &str| Grants {
        objects: one(grant),
        ..Grants::default()
    };
    let allowed = |grant: &str, namespace: &str, name: &str| {
        grants(grant)
            .check_object("v1", "Secret", namespace, name)
            .is_ok()
    };
    assert!(
        allowed("Secret", "any", "x")
            && allowed("Secret", "", "")
            && allowed("*", "a", "b")
            && allowed("Secret.", "a", "")
    );
    assert!(allowed("Secret/web", "web", "x") && allowed("Secret/web", "web", ""));
    assert!(
        !allowed("Secret/web", "", "")
            && !allowed("Secret/web", "other", "x")
            && !allowed("Secret.apps", "a", "b")
    );
    assert!(
        allowed("Secret/web/x", "web", "x")
            && !allowed("Secret/web/x", "web", "y")
            && !allowed("Secret/web/x", "web", "")
    );
}

#[test]
fn grants_that_mean_nothing_are_reported() {
    let none = Grants::default;
    for (grants, error) in [
        (
            Grants {
                files: one("/etc/**"),
                ..none()
            },
            "spec.grants.files has \"/etc/**\": it must not be empty, nor begin or end with \"/\"",
        ),
        (
            Grants {
                hosts: one("example.com"),
                ..none()
            },
            "spec.grants.hosts has \"example.com\": it must be https://HOST[:PORT], https://*.DOMAIN or \"*\"",
        ),
        (
            Grants {
                objects: one("A/b/c/d"),
                ..none()
            },
            "spec.grants.objects has \"A/b/c/d\": it must be KIND[.GROUP][/NAMESPACE[/NAME]] or \"*\"",
        ),
        (
            Grants {
                documents: one("ConfigMap"),
                ..none()
            },
            "spec.grants.documents has \"ConfigMap\": only the contents of \"Secret\" are opaque",
        ),
        (
            Grants {
                keys: one(""),
                ..none()
            },
            "spec.grants.keys has \"\": it must not be empty",
        ),
    ] {
        assert_eq!(grants.check().unwrap_err().to_string(), error);
    }
    assert_eq!(Grants::all().check(), Ok(()));
}

#[test]
fn hostile_names_do_not_fill_the_message() {
    assert!(denied(Grants::default().check_value(&"x".repeat(100_000))).len() < 1000);
}
