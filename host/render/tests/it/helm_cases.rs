//! The recorded cases of `tests/cases/helm`, through the embedded component: what Helm 4.2, 3.19 and 3.21 give for one
//! template each, results and error texts to the byte.
//!
//! The engine's own tests compare the same cases natively. Here the chart is read through the contract, and what templates
//! ask for is answered by the host.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use weir_k8s_yaml::Schema;
use weir_plugin::CallError;
use weir_testing::plugin::{Plugin, PluginCall};

use crate::helm::{grants, helm};

const CASES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/cases/helm/helm-cases.yaml"
);
const CHART: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.2.3\"\n";
/// The template that a case is about, as Helm calls it.
const TEMPLATE: &str = "t/templates/t.yaml";

#[test]
fn recorded_cases_of_helm_4_2() {
    check("helm4", &[""]);
}

#[test]
fn recorded_cases_of_helm_3_19() {
    check("helm3.19", &["_v3", ""]);
}

#[test]
fn recorded_cases_of_helm_3_21() {
    check("helm3", &["_v3_21", "_v3", ""]);
}

/// Runs all cases; a case's expectation is the first that it has with one of the suffixes.
fn check(profile: &str, suffixes: &[&str]) {
    let text = std::fs::read_to_string(CASES).unwrap();
    let cases = weir_k8s_yaml::from_str(&text, Schema::Sigs).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1071);
    let plugin = helm();
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut failed = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(difference) = check_case(&plugin, case, profile, suffixes) {
                failed.push(format!("{}: {difference}", text_of(case, "name")));
            }
        }
        failed
    };
    let failed: Vec<String> = thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        failed.is_empty(),
        "{} cases differ:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

fn check_case(
    plugin: &Plugin,
    case: &Value,
    profile: &str,
    suffixes: &[&str],
) -> Result<(), String> {
    let result = run_case(plugin, case, profile);
    for suffix in suffixes {
        let field = |name: &str| {
            case.get(format!("{name}{suffix}"))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let agrees = match (
            &result,
            field("expect"),
            field("error"),
            field("error_suffix"),
        ) {
            (_, None, None, None) => continue,
            (Ok(text), Some(expected), ..) => *text == expected,
            (Err(text), _, Some(error), _) => *text == error,
            (Err(text), _, _, Some(end)) => text.ends_with(&end),
            _ => false,
        };
        let expected = field("expect")
            .or_else(|| field("error"))
            .or_else(|| field("error_suffix"));
        return match agrees {
            true => Ok(()),
            false => Err(format!("\n  expected {expected:?}\n  got      {result:?}")),
        };
    }
    Err("the case expects nothing".to_owned())
}

/// What the case is about: the text that `helm template` prints, or what the one template became.
fn run_case(plugin: &Plugin, case: &Value, profile: &str) -> Result<String, String> {
    let whole = text_of(case, "mode") == "full";
    let mut config = json!({
        "profile": profile,
        "release": {"name": "rel", "namespace": "ns", "upgrade": flag(case, "is_upgrade")},
        "strict": flag(case, "strict"),
        "lint": flag(case, "lint"),
        "includeCrds": flag(case, "include_crds"),
        "setJson": list(case, "set_json"),
        "set": list(case, "set"),
        "setString": list(case, "set_string"),
        "setLiteral": list(case, "set_literal"),
    });
    if let Some(values) = case.get("values") {
        config["valuesFiles"] = json!([{"name": "values", "text": values}]);
    }
    if profile != "helm4" {
        // The cases of both Helm 3 releases were recorded with the older Kubernetes.
        config["kubeVersion"] = "v1.34.0".into();
    }
    if whole {
        config["output"] = json!({});
        // Some cases print what is no object to the host.
        config["objects"] = false.into();
    } else {
        config["files"] = true.into();
    }
    let call = plugin.call().config(config).grants(grants());
    let made = chart(call, case)
        .environment(|world| world.time = 1_700_000_000)
        .generate()
        .map_err(|error| {
            if let CallError::Failed { message, .. } = error {
                return message;
            }
            format!("{error:?}")
        })?;
    let mut attached = made.attachments();
    if whole {
        return Ok(attached.remove("output").unwrap_or_default());
    }
    let files: Value = serde_json::from_str(&attached["files"]).unwrap();
    let text = files.get(TEMPLATE).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| format!("there is no {TEMPLATE}"))
}

fn chart(call: PluginCall, case: &Value) -> PluginCall {
    let manifest = case.get("chart").and_then(Value::as_str).unwrap_or(CHART);
    let call = call
        .file("Chart.yaml", manifest.to_owned())
        .file("templates/t.yaml", text_of(case, "template").to_owned());
    let more = case.get("files").and_then(Value::as_object);
    more.into_iter().flatten().fold(call, |call, (path, text)| {
        call.file(path, text.as_str().unwrap_or_default().to_owned())
    })
}

fn text_of<'c>(case: &'c Value, field: &str) -> &'c str {
    case.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn flag(case: &Value, field: &str) -> bool {
    case.get(field).and_then(Value::as_bool).unwrap_or(false)
}

fn list(case: &Value, field: &str) -> Value {
    case.get(field).cloned().unwrap_or_else(|| json!([]))
}
