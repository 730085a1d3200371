//! The plugin of `docs/plugins.md` is built and does what the page says.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::json;
use weir_plugin::Grants;
use weir_testing::plugin::{Plugin, build_guest};

/// The blocks of a language in the page, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// A plugin of the page, by the number of its block.
fn plugin(block: usize) -> Plugin {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let page = fs::read_to_string(checkout.join("docs/plugins.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let manifest = blocks(&page, "toml")
        .remove(0)
        .replace("WEIR", &checkout.display().to_string())
        // The plugins of the page are built side by side.
        .replace("team-label", &format!("plugin-{block}"));
    // The tests of the page bring the harness, which this test is built with already.
    let (before, rest) = manifest.split_once("[dev-dependencies]").unwrap();
    let after = rest.split_once("[profile.release]").unwrap().1;
    fs::write(
        folder.path().join("Cargo.toml"),
        format!("{before}[profile.release]{after}"),
    )
    .unwrap();
    let code = &blocks(&page, "rust")[block];
    fs::write(folder.path().join("src/lib.rs"), code).unwrap();
    Plugin::load(&build_guest(folder.path()).unwrap())
}

#[test]
fn the_plugin_of_the_page_works() {
    let plugin = plugin(0);
    assert_eq!(plugin.about().name, "team-label");
    let call = || plugin.call().config(json!({"team": "shop"}));
    let made = call()
        .objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
        .transform()
        .unwrap();
    assert_eq!(
        made.object("ConfigMap", "a")["metadata"]["labels"]["team"],
        "shop"
    );
    let other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {team: pay}}}";
    let made = call().objects(other).transform().unwrap();
    assert_eq!(
        made.findings(),
        ["warning other-team: ConfigMap a belongs to pay"]
    );
    assert!(
        plugin
            .call()
            .config(json!({"team": "Shop"}))
            .transform()
            .is_err()
    );
}

#[test]
fn the_preparer_of_the_page_works() {
    let plugin = plugin(2);
    let call = |app: &str| {
        let grants = Grants {
            files: vec!["ports.txt".to_owned()],
            ..Grants::default()
        };
        plugin
            .call()
            .config(json!({ "app": app }))
            .grants(grants)
            .file("ports.txt", "# all\nweb 80\nmail 25\n")
            .generate()
    };
    let made = call("mail").unwrap();
    assert_eq!(
        made.object("Service", "mail")["spec"]["ports"][0]["port"],
        25
    );
    let asked: Vec<String> = made
        .questions
        .iter()
        .map(|question| format!("{question:?}"))
        .collect();
    // The preparer read it, and the step did not.
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked[0].starts_with("Prepared"), "{asked:?}");
    let error = call("shop").unwrap_err().to_string();
    assert_eq!(error, "ports.txt has no port of shop");
}
