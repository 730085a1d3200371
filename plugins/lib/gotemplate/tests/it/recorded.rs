//! The recorded cases of `tests/cases/helm` that need no more than the language and the functions of [`crate::support`].

use weir_gotemplate::{Limits, MissingKey, Text};
use weir_k8s_yaml::{Schema, from_str};

use crate::support::{FILE, dot, exec_error, parse_error, remove_no_value, set};

/// Cases that must at least run, so that a change of the file's form is noticed.
const AT_LEAST: usize = 300;

#[test]
fn cases_of_the_language() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../tests/cases/helm/helm-cases.yaml"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let cases = from_str(&text, Schema::Kyaml).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    let mut ran = 0;
    let mut failures = Vec::new();
    for case in cases {
        match check(case) {
            None => {}
            Some(Ok(())) => ran += 1,
            Some(Err(failure)) => failures.push(failure),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        ran + failures.len(),
        failures.join("\n")
    );
    assert!(ran >= AT_LEAST, "only {ran} cases ran");
}

/// `None` if the case needs more than the language.
fn check(case: &serde_json::Value) -> Option<Result<(), String>> {
    const BEYOND: [&str; 12] = [
        "chart",
        "set",
        "set_json",
        "set_string",
        "set_literal",
        "release",
        "capabilities",
        "mode",
        "lint",
        "include_crds",
        "is_upgrade",
        "error_suffix",
    ];
    if BEYOND.iter().any(|key| case.get(key).is_some()) {
        return None;
    }
    let name = case["name"].as_str()?;
    let template = case["template"].as_str()?;
    // Objects and methods of Helm's own.
    let objects = [
        ".Files",
        ".KubeVersion",
        "Capabilities }}",
        "len .Capabilities",
        ".Chart",
        ".Subcharts",
        ".HelmVersion",
    ];
    let methods = [".AsMap", ".YAML", ".Table", ".PathValue"];
    if objects
        .iter()
        .chain(&methods)
        .any(|beyond| template.contains(beyond))
    {
        return None;
    }
    let values = case
        .get("values")
        .and_then(|values| values.as_str())
        .unwrap_or("{}");
    let values = from_str(values, Schema::Sigs).ok()?;
    let strict = case.get("strict").is_some_and(|strict| strict == true);
    let mut set = set(if strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    });

    let mut files = vec![(FILE.to_owned(), template)];
    if let Some(more) = case.get("files").and_then(|files| files.as_object()) {
        for (path, text) in more {
            if !path.starts_with("templates/_") {
                return None;
            }
            files.push((format!("t/{path}"), text.as_str()?));
        }
    }
    files.sort_by(|a, b| b.0.cmp(&a.0));
    let mut got = Ok(String::new());
    for (path, text) in files {
        if let Err(error) = set.parse(path, text) {
            got = Err(parse_error(&error.to_string()));
            break;
        }
    }
    let mut nothing = ();
    if got.is_ok() {
        got = match set
            .run(Limits::default(), &mut nothing)
            .execute(&Text::from(FILE), dot(&values))
        {
            Ok(text) => Ok(remove_no_value(&text)),
            Err(error) => Err(exec_error(&error)),
        };
    }
    let expected = match (case.get("expect"), case.get("error")) {
        (Some(text), _) => Ok(text.as_str()?.to_owned()),
        (None, Some(error)) => Err(error.as_str()?.to_owned()),
        _ => return None,
    };
    if got != expected {
        // A function that belongs to another crate.
        if let Err(error) = &got
            && error.ends_with("not defined")
            && error.contains(": function ")
        {
            return None;
        }
        return Some(Err(format!(
            "{name}\n  template {template:?}\n  expected {expected:?}\n  got      {got:?}"
        )));
    }
    Some(Ok(()))
}
