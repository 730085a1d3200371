//! Questions that were not granted, and paths that lead where they must not.

use crate::{Watch, case, error, grant};

#[test]
fn what_is_not_granted_is_denied_with_the_grant_that_would_allow_it() {
    let watch = Watch::start();
    for (name, text, expected) in [
        (
            "read",
            "apps/x.yaml",
            r#"reading "apps/x.yaml" is not granted; grant it with spec.grants.files: ["apps/**"]"#,
        ),
        (
            "list",
            "apps",
            r#"looking at "apps" is not granted; grant it with spec.grants.files: ["apps"]"#,
        ),
        (
            "glob",
            "*.yaml",
            r#"looking for "*.yaml" is not granted; grant it with spec.grants.files: ["*.yaml"]"#,
        ),
        (
            "value",
            "password",
            r#"the input "password" is not granted; grant it with spec.grants.values: ["password"]"#,
        ),
        (
            "unwrap",
            "age",
            r#"unwrapping keys of the scheme "age" is not granted; grant it with spec.grants.keys: ["age"]"#,
        ),
        (
            "fetch",
            "https://example.com/x",
            r#"reaching https://example.com is not granted; grant it with spec.grants.hosts: ["https://example.com"]"#,
        ),
        (
            "open",
            "github.com/x/y//z?ref=v1",
            r#"reaching https://github.com is not granted; grant it with spec.grants.hosts: ["https://github.com"]"#,
        ),
        (
            "chart",
            "oci://example.com/charts",
            r#"reaching oci://example.com is not granted; grant it with spec.grants.hosts: ["oci://example.com"]"#,
        ),
        (
            "object",
            "token",
            r#"looking up Secret token is not granted; grant it with spec.grants.objects: ["Secret/default"]"#,
        ),
        (
            "objects",
            "",
            r#"listing Secret objects is not granted; grant it with spec.grants.objects: ["Secret"]"#,
        ),
        (
            "delegate",
            "helm",
            r#"running the plugin "helm" is not granted; grant it with spec.grants.plugins: ["helm"]"#,
        ),
    ] {
        let call = case(name, text)
            .file("apps/x.yaml", "x")
            .secret_input("password", "hunter2");
        assert_eq!(
            watch.beside(name, || error(call)),
            format!("denied: {expected}"),
            "{name}"
        );
    }
}

#[test]
fn paths_that_lead_out_of_the_tree_are_refused() {
    let watch = Watch::start();
    let long = "x/".repeat(3000);
    for (text, expected) in [
        (
            "..",
            "the path \"..\" has an empty, \".\" or \"..\" part; write it in its plain form",
        ),
        (
            "a/../../b",
            "the path \"a/../../b\" has an empty, \".\" or \"..\" part; write it in its plain form",
        ),
        (
            "./a",
            "the path \"./a\" has an empty, \".\" or \"..\" part; write it in its plain form",
        ),
        (
            "/etc/passwd",
            "the path \"/etc/passwd\" is absolute; write it relative to the root of the tree",
        ),
        ("a\0b", "the path \"a\\0b\" contains a NUL byte"),
        (
            long.as_str(),
            "the path has 6000 bytes, over the limit of 4096",
        ),
        (
            &"n".repeat(300),
            &format!(
                "the name \"{}…\" in the path is longer than 255 bytes",
                "n".repeat(200)
            ),
        ),
        (
            "out",
            "the link out points to ../outside, outside of the root",
        ),
        ("round", "the link round leads in a circle"),
    ] {
        for name in ["read", "list", "resolve"] {
            let call = case(name, text)
                .link("out", "../outside")
                .link("round", "round");
            let call = call.grants(grant(|grants| grants.files = vec!["**".to_owned()]));
            assert_eq!(
                watch.beside(text, || error(call)),
                format!("invalid: {expected}"),
                "{name} {text}"
            );
        }
    }
}

#[test]
fn links_do_not_lead_around_a_grant() {
    let watch = Watch::start();
    let call = |name: &str, text: &str| {
        let call = case(name, text)
            .file("apps/x.yaml", "x")
            .file("secret/key", "hunter2")
            .link("apps/door", "../secret");
        call.link("apps/key", "../secret/key")
            .grants(grant(|grants| grants.files = vec!["apps/**".to_owned()]))
    };
    let denied = |path: &str, verb: &str| {
        format!(
            r#"denied: {verb} "{path}" is not granted; grant it with spec.grants.files: ["secret/**"]"#
        )
    };
    let found = |name: &str, text: &str| watch.beside(text, || error(call(name, text)));
    assert_eq!(found("read", "apps/key"), denied("secret/key", "reading"));
    assert_eq!(
        found("read", "apps/door/key"),
        denied("secret/key", "reading")
    );
    assert_eq!(
        found("list", "apps/door"),
        r#"denied: looking at "secret" is not granted; grant it with spec.grants.files: ["secret"]"#
    );
    assert_eq!(found("list", ""), "apps");
    assert_eq!(found("list", "apps"), "door key x.yaml");
    assert_eq!(found("read", "secret/key"), denied("secret/key", "reading"));
    // The names of links are granted, what they lead to is not.
    assert_eq!(found("glob", "**"), "apps/door apps/key apps/x.yaml");
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let watch = Watch::start();
    for (name, text, expected) in [
        (
            "format",
            "xml",
            "the format \"xml\" is none of yaml, json, dotenv, ini, binary",
        ),
        (
            "fetch",
            "file:///etc/passwd",
            "the URL must begin with https:// or http://",
        ),
        (
            "open",
            "https://good.com\\@evil.com/",
            "\"https://good.com\\\\@evil.com/\" is not a URL with a host",
        ),
        ("object", "", "a look-up needs apiVersion, kind and name"),
        (
            "select",
            "a in (b",
            "the selector \"a in (b\" is not valid: a parenthesis is not closed",
        ),
        (
            "attach",
            "../x",
            "the name of an attachment has letters, digits, \"-\", \"_\" and \".\"",
        ),
    ] {
        let call = case(name, text).grants(weir_plugin::Grants::all());
        assert_eq!(
            watch.beside(name, || error(call)),
            format!("invalid: {expected}"),
            "{name}"
        );
    }
    let call = |name: &str, text: &str| {
        case(name, text)
            .grants(weir_plugin::Grants::all())
            .file("a", "abc")
    };
    assert_eq!(
        watch.beside("range", || error(call("range", "a"))),
        "0 bytes"
    );
    for (name, text) in [
        ("read", "missing"),
        ("named-tree", "chart"),
        ("value", "x"),
        ("delegate", "other"),
        ("object", "x"),
    ] {
        assert_eq!(
            watch.beside(name, || error(call(name, text))),
            "absent",
            "{name}"
        );
    }
    let call = case("open-loop", "").grants(weir_plugin::Grants::all());
    assert_eq!(watch.beside("open-loop", || error(call)), "absent");
}

#[test]
fn a_validator_changes_nothing() {
    let watch = Watch::start();
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}";
    for (name, text) in [
        ("merge-all", "{}"),
        ("add", r#"{"apiVersion":"v1","kind":"A"}"#),
        ("edit-then-fail", ""),
    ] {
        let call = case(name, text).objects(map);
        let found = watch.beside(name, || call.validate().unwrap_err().to_string());
        assert_eq!(found, "denied: a validator only looks at objects", "{name}");
    }
}
