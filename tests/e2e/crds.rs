//! Our CRDs accept what Flux's accept: every field of Flux's is there with the same type and default, and ours demand
//! no more.

use anyhow::Result;
use serde_json::Value;
use weir_api::crd;

#[test]
fn every_field_of_flux_is_accepted() -> Result<()> {
    let Some(theirs) = weir_testing::flux_crds()? else {
        return Ok(());
    };
    let mut problems = Vec::new();
    for (_, ours) in crd::all() {
        let Some(flux) = theirs
            .iter()
            .find(|flux| flux["metadata"]["name"] == ours["metadata"]["name"])
        else {
            continue;
        };
        for field in ["plural", "kind", "shortNames"] {
            if flux["spec"]["names"][field] != ours["spec"]["names"][field] {
                problems.push(format!("{}: names.{field}", ours["metadata"]["name"]));
            }
        }
        let version = &ours["spec"]["versions"][0];
        let versions = flux["spec"]["versions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let same = versions.iter().find(|flux| flux["name"] == version["name"]);
        let Some(same) = same else {
            problems.push(format!(
                "{}: Flux serves no {}",
                ours["metadata"]["name"], version["name"]
            ));
            continue;
        };
        let schema = |version: &Value| version["schema"]["openAPIV3Schema"].clone();
        compare(
            &schema(same),
            &schema(version),
            &ours["metadata"]["name"].to_string(),
            &mut problems,
        );
    }
    assert!(problems.is_empty(), "{problems:#?}");
    Ok(())
}

/// Schemas are as deep as people write them.
fn compare(flux: &Value, ours: &Value, at: &str, problems: &mut Vec<String>) {
    if ours["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    if flux["type"] != ours["type"] && ours.get("x-kubernetes-int-or-string").is_none() {
        problems.push(format!(
            "{at}: type {} became {}",
            flux["type"], ours["type"]
        ));
    }
    // Who reads an object finds in it what is meant: source-controller itself does not run without a time-out.
    if let Some(default) = flux
        .get("default")
        .filter(|default| ours["default"] != **default)
    {
        problems.push(format!(
            "{at}: by default {default}, not {}",
            ours["default"]
        ));
    }
    let required = |schema: &Value| -> Vec<String> {
        schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let theirs = required(flux);
    for field in required(ours)
        .iter()
        .filter(|field| !theirs.contains(field))
    {
        problems.push(format!("{at}: {field} is required"));
    }
    if let (Some(flux), Some(ours)) = (flux["enum"].as_array(), ours["enum"].as_array()) {
        for value in flux.iter().filter(|value| !ours.contains(value)) {
            problems.push(format!("{at}: {value} is not allowed"));
        }
    }
    for (name, schema) in flux["properties"].as_object().into_iter().flatten() {
        if matches!(name.as_str(), "metadata" | "apiVersion" | "kind")
            && flux["properties"].get("spec").is_some()
        {
            continue;
        }
        match ours["properties"].get(name) {
            Some(ours) => compare(schema, ours, &format!("{at}.{name}"), problems),
            None => problems.push(format!("{at}.{name} is missing")),
        }
    }
    if let (Some(flux), Some(ours)) = (flux.get("items"), ours.get("items")) {
        compare(flux, ours, &format!("{at}[]"), problems);
    }
}
