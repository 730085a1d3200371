//! The recorded cases of `tests/cases/helm` that need no more than templates and the functions of this crate.

use serde_json::Value as Json;
use weir_chart::Profile;
use weir_k8s_yaml::{Schema, from_str};

use crate::support::{World, dot, exec_error, render_with};

/// Cases that must at least run, so that a change of the file's form is noticed.
const AT_LEAST: usize = 600;

#[test]
fn cases_of_the_functions() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/cases/helm/helm-cases.yaml"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let cases = from_str(&text, Schema::Kyaml).unwrap();
    let mut ran = 0;
    let mut failures = Vec::new();
    for case in cases["cases"].as_array().unwrap() {
        for profile in [Profile::Helm4, Profile::Helm3, Profile::Helm3_19] {
            match check(case, profile) {
                None => {}
                Some(Ok(())) => ran += usize::from(profile == Profile::Helm4),
                Some(Err(failure)) => failures.push(failure),
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failed, {ran} did not:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(ran >= AT_LEAST, "only {ran} cases ran");
}

/// The result of a case: a text or an error.
fn expected(case: &Json, profile: Profile) -> Option<Result<&str, &str>> {
    let suffixes: &[&str] = match profile {
        Profile::Helm4 => &[""],
        Profile::Helm3_19 => &["_v3", ""],
        Profile::Helm3 => &["_v3_21", "_v3", ""],
    };
    suffixes.iter().find_map(|suffix| {
        let field = |name: &str| case.get(format!("{name}{suffix}")).and_then(Json::as_str);
        field("expect").map(Ok).or_else(|| field("error").map(Err))
    })
}

/// `None` if the case needs more of Helm.
fn check(case: &Json, profile: Profile) -> Option<Result<(), String>> {
    const FIELDS: [&str; 4] = ["name", "template", "values", "expect"];
    let known = |key: &String| {
        FIELDS.contains(&key.as_str()) || key.starts_with("expect") || key.starts_with("error")
    };
    if !case.as_object()?.keys().all(known) || case.get("error_suffix").is_some() {
        return None;
    }
    let (name, template) = (case["name"].as_str()?, case["template"].as_str()?);
    let beyond = [
        ".Files",
        ".Chart",
        ".Subcharts",
        ".HelmVersion",
        ".APIVersions",
        ".YAML",
        ".Table",
        ".PathValue",
    ];
    let whole_capabilities =
        template.contains(".Capabilities") && !template.contains(".KubeVersion.");
    if whole_capabilities
        || template.contains("KubeVersion }}")
        || template.contains("KubeVersion.Foo")
        || beyond.iter().any(|part| template.contains(part))
    {
        return None;
    }
    let values = case.get("values").and_then(Json::as_str).unwrap_or("{}");
    let values = from_str(values, Schema::Sigs).ok()?;
    let rendered = render_with(
        &mut World::default(),
        template,
        dot(&values, profile),
        profile,
    );
    let found = match rendered {
        Ok(text) => Ok(text.lossy().replace("<no value>", "")),
        Err(error) => match *error {
            // A template that is none says nothing about functions.
            weir_gotemplate::Error::Parse(_) => return None,
            other => Err(exec_error(&other, profile)),
        },
    };
    let expected = expected(case, profile)?
        .map(str::to_owned)
        .map_err(str::to_owned);
    if found == expected {
        return Some(Ok(()));
    }
    Some(Err(format!(
        "{name} ({profile:?})\n  template {template:?}\n  expected {expected:?}\n  got      {found:?}"
    )))
}
