//! The plugin of `docs/plugins.md` is built and does what the page says.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use serde_json::json;
use weir_testing::plugin::{Plugin, build_guest};

/// The blocks of a language in the page, in order.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_plugin_of_the_page_works() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let page = fs::read_to_string(checkout.join("docs/plugins.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let manifest = blocks(&page, "toml")
        .remove(0)
        .replace("WEIR", &checkout.display().to_string());
    // The tests of the page bring the harness, which this test is built with already.
    let (before, rest) = manifest.split_once("[dev-dependencies]").unwrap();
    let after = rest.split_once("[profile.release]").unwrap().1;
    fs::write(
        folder.path().join("Cargo.toml"),
        format!("{before}[profile.release]{after}"),
    )
    .unwrap();
    fs::write(folder.path().join("src/lib.rs"), &blocks(&page, "rust")[0]).unwrap();

    let plugin = Plugin::load(&build_guest(folder.path()).unwrap());
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
