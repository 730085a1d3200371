//! The recorded cases of `tests/cases/helm`: what Helm 4.2, 3.19 and 3.21 give for one template each.

use std::rc::Rc;

use serde_json::{Map, Value};
use weir_chart::{Chart, ChartFile, Limits, Overrides, TreeError};
use weir_helm::{Offline, OutputOptions, Prepared, Profile, RenderOptions, render, render_files};
use weir_k8s_yaml::Schema;

const CASES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../tests/cases/helm/helm-cases.yaml"
);
const CHART: &str = "apiVersion: v2\nname: t\nversion: 0.1.0\nappVersion: \"1.2.3\"\n";
/// A template that includes itself a thousand times.
const STACK: usize = 1 << 30;

#[test]
fn helm_4_2() {
    check(Profile::Helm4, &[""]);
}

#[test]
fn helm_3_19() {
    check(Profile::Helm3_19, &["_v3", ""]);
}

#[test]
fn helm_3_21() {
    check(Profile::Helm3, &["_v3_21", "_v3", ""]);
}

/// Runs all cases; a case's expectation is the first that it has with one of the suffixes.
fn check(profile: Profile, suffixes: &'static [&'static str]) {
    let run = move || {
        let text = std::fs::read_to_string(CASES).expect("the recorded cases are there");
        let cases =
            weir_k8s_yaml::from_str(&text, Schema::Sigs).expect("the recorded cases are YAML");
        let cases = cases["cases"].as_array().expect("a list of cases").clone();
        assert_eq!(cases.len(), 1071);
        let only = std::env::var("WEIR_CASE").unwrap_or_default();
        let mut failed = Vec::new();
        for case in cases
            .iter()
            .filter(|case| text_of(case, "name").contains(&only))
        {
            if let Err(difference) = check_case(case, profile, suffixes) {
                failed.push(format!("{}: {difference}", text_of(case, "name")));
            }
        }
        assert!(
            failed.is_empty(),
            "{} cases differ:\n{}",
            failed.len(),
            failed.join("\n")
        );
    };
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(run)
        .expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn check_case(case: &Value, profile: Profile, suffixes: &[&str]) -> Result<(), String> {
    let result = run_case(case, profile);
    for suffix in suffixes {
        let fields = [
            format!("expect{suffix}"),
            format!("error{suffix}"),
            format!("error_suffix{suffix}"),
        ];
        let [expected, error, error_end] =
            fields.map(|field| case.get(&field).and_then(Value::as_str));
        let agrees = match (&result, expected, error, error_end) {
            (_, None, None, None) => continue,
            (Ok(text), Some(expected), _, _) => text == expected,
            (Err(text), _, Some(error), _) => text == error,
            (Err(text), _, _, Some(end)) => text.ends_with(end),
            _ => false,
        };
        let expected = expected.or(error).or(error_end);
        return if agrees {
            Ok(())
        } else {
            Err(format!("\n  expected {expected:?}\n  got      {result:?}"))
        };
    }
    Err("the case expects nothing".to_owned())
}

fn run_case(case: &Value, profile: Profile) -> Result<String, String> {
    let texts = |name: &str| -> Vec<String> {
        let items = case.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .map(|item| item.as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let overrides = Overrides {
        files: case
            .get("values")
            .and_then(Value::as_str)
            .map(|text| ("values".to_owned(), text.to_owned()))
            .into_iter()
            .collect(),
        json: texts("set_json"),
        set: texts("set"),
        string: texts("set_string"),
        literal: texts("set_literal"),
        ..Overrides::default()
    };
    let mut no_files = |name: &str| {
        Err(TreeError::new(format!(
            "open {name}: no such file or directory"
        )))
    };
    let values = overrides
        .merge(profile, &mut no_files)
        .map_err(|error| error.to_string())?;
    let chart = Chart::from_files(files(case), profile, Limits::default())
        .map_err(|error| error.to_string())?;
    let prepared = Prepared::new(chart, profile);
    let rendered = render_case(case, profile, &prepared, &values);
    // Where it is parsed does not matter.
    let unpacked = Prepared::unpack(prepared.pack(), profile).expect("it was just packed");
    assert_eq!(render_case(case, profile, &unpacked, &values), rendered);
    rendered
}

fn render_case(
    case: &Value,
    profile: Profile,
    prepared: &Prepared,
    values: &Map<String, Value>,
) -> Result<String, String> {
    let flag = |name: &str| case.get(name).and_then(Value::as_bool).unwrap_or(false);
    let options = RenderOptions {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        upgrade: flag("is_upgrade"),
        strict: flag("strict"),
        lint: flag("lint"),
        include_crds: flag("include_crds"),
        // The cases of both Helm 3 releases were recorded with the older Kubernetes.
        kube_version: profile.is_helm3().then(|| "v1.34.0".to_owned()),
        ..RenderOptions::default()
    };
    let environment = Rc::new(Offline::new(1_700_000_000, "key"));
    if text_of(case, "mode") == "full" {
        let rendered =
            render(prepared, values, &options, environment).map_err(|error| error.to_string())?;
        return rendered
            .template_output(&OutputOptions::default(), profile)
            .map_err(|error| error.to_string());
    }
    let rendered =
        render_files(prepared, values, &options, environment).map_err(|error| error.to_string())?;
    let found = rendered
        .into_iter()
        .find(|file| file.0 == "t/templates/t.yaml");
    found
        .map(|file| file.1)
        .ok_or_else(|| "there is no t/templates/t.yaml".to_owned())
}

fn files(case: &Value) -> Vec<ChartFile> {
    let chart = case.get("chart").and_then(Value::as_str).unwrap_or(CHART);
    let mut files = vec![
        ChartFile::new("Chart.yaml", chart.as_bytes().to_vec()),
        ChartFile::new(
            "templates/t.yaml",
            text_of(case, "template").as_bytes().to_vec(),
        ),
    ];
    for (path, text) in case
        .get("files")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        files.push(ChartFile::new(
            path,
            text.as_str().unwrap_or_default().as_bytes().to_vec(),
        ));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn text_of<'a>(case: &'a Value, field: &str) -> &'a str {
    case.get(field).and_then(Value::as_str).unwrap_or_default()
}
