//! `helmCharts`: what the plugin `helm` is told, and what becomes of the objects that it gives back.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use weir_kustomize::{Build, Error, LoadRestrictor, Options, Role, build};

use crate::memory::{Memory, MemoryHost};

const CHART: (&str, &str) = ("charts/web/Chart.yaml", "name: web\n");
const VALUES: (&str, &str) = ("charts/web/values.yaml", "a: 1\nlist: [x]\nm: {p: 1}\n");

fn options() -> Options {
    Options {
        helm: true,
        ..Options::default()
    }
}

/// A call of the plugin: its config, and the names of its trees.
type Call = (Value, Vec<String>);

/// Builds, and gives what the plugin was called with.
fn record(mut host: MemoryHost, options: &Options) -> (Result<Build, Error>, Vec<Call>) {
    let calls: Rc<RefCell<Vec<Call>>> = Rc::default();
    let seen = Rc::clone(&calls);
    host.plugin = Some(Box::new(move |call| {
        assert_eq!((call.name.as_str(), call.role), ("helm", Role::Generator));
        let config = serde_json::from_str(&call.config).unwrap();
        let trees = call.trees.iter().map(|(name, _)| name.clone()).collect();
        seen.borrow_mut().push((config, trees));
        Ok(vec![
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}).to_string(),
        ])
    }));
    let built = build(&host, "", options);
    let calls = calls.borrow().clone();
    (built, calls)
}

fn files<'a>(entry: &'a str, more: &[(&'a str, &'a str)]) -> MemoryHost {
    let mut files = vec![("kustomization.yaml", entry), CHART, VALUES];
    files.retain(|(path, _)| !more.iter().any(|(other, _)| path == other));
    files.extend(more);
    MemoryHost::new(&files)
}

/// The config for one chart.
fn config(entry: &str, more: &[(&str, &str)]) -> Value {
    let (built, calls) = record(files(entry, more), &options());
    built.unwrap();
    let [(config, trees)] = calls.as_slice() else {
        panic!("called {} times", calls.len());
    };
    assert_eq!(trees, &["chart"]);
    config.clone()
}

fn failure(entry: &str, more: &[(&str, &str)]) -> String {
    let (built, calls) = record(files(entry, more), &options());
    assert!(calls.is_empty(), "the plugin was called");
    built.unwrap_err().to_string()
}

/// The values of an inline file of the config.
fn values(config: &Value, at: usize) -> Value {
    serde_json::from_str(config["valuesFiles"][at]["text"].as_str().unwrap()).unwrap()
}

#[test]
fn the_least_that_can_be_said() {
    assert_eq!(
        config("helmCharts: [{name: web}]", &[]),
        json!({
            "chart": {"tree": "chart", "path": "charts/web"},
            "release": {"name": "release-name"},
            "valuesFiles": [{"name": "charts/web/values.yaml", "text": VALUES.1}],
            "includeCrds": false,
            "hooks": true,
            "tests": true,
            "yaml": "kustomize",
        })
    );
}

#[test]
fn all_that_can_be_said() {
    let entry = "helmCharts:\n- name: web\n  releaseName: blue\n  namespace: prod\n  includeCRDs: true\n  \
        skipHooks: true\n  skipTests: true\n  kubeVersion: 1.29.0\n  apiVersions: ['a/v1,b/v1', c/v1/K]\n  \
        valuesFile: own.yaml\n  additionalValuesFiles: [more/one.yaml, two.yaml]\n  debug: true\n  devel: true\n";
    let more = [
        ("own.yaml", "a: 2\n"),
        ("more/one.yaml", "a: 3\n"),
        ("two.yaml", "a: 4\n"),
    ];
    assert_eq!(
        config(entry, &more),
        json!({
            "chart": {"tree": "chart", "path": "charts/web"},
            "release": {"name": "blue", "namespace": "prod"},
            "valuesFiles": [
                {"name": "own.yaml", "text": "a: 2\n"},
                {"name": "more/one.yaml", "text": "a: 3\n"},
                {"name": "two.yaml", "text": "a: 4\n"},
            ],
            "includeCrds": true,
            "hooks": false,
            "tests": false,
            "yaml": "kustomize",
            "kubeVersion": "1.29.0",
            "apiVersions": ["a/v1", "b/v1", "c/v1/K"],
        })
    );
}

#[test]
fn a_template_makes_the_name() {
    let entry = "helmCharts: [{name: web, nameTemplate: 'a-{{ upper \"b\" | lower }}'}]";
    let release = &config(entry, &[])["release"];
    assert_eq!(
        *release,
        json!({"nameTemplate": "a-{{ upper \"b\" | lower }}"})
    );
    // Helm refuses both; the plugin says so.
    let entry = "helmCharts: [{name: web, nameTemplate: x, releaseName: z}]";
    let release = &config(entry, &[])["release"];
    assert_eq!(*release, json!({"nameTemplate": "x", "name": "z"}));
}

#[test]
fn inline_values_win_over_the_file() {
    for order in ["", ", valuesMerge: override"] {
        let entry = format!(
            "helmCharts: [{{name: web, valuesInline: {{list: [z], m: {{q: 2}}, a: null}}{order}}}]"
        );
        let config = config(&entry, &[]);
        assert_eq!(config["valuesFiles"].as_array().unwrap().len(), 1);
        assert_eq!(
            values(&config, 0),
            json!({"list": ["z"], "m": {"p": 1, "q": 2}})
        );
    }
}

#[test]
fn the_file_wins_over_inline_values() {
    let entry = "helmCharts: [{name: web, valuesMerge: merge, valuesInline: {a: 7, b: 8, m: {p: 2, q: 2}}}]";
    assert_eq!(
        values(&config(entry, &[]), 0),
        json!({"a": 1, "b": 8, "list": ["x"], "m": {"p": 1, "q": 2}})
    );
}

#[test]
fn inline_values_take_the_place_of_the_file() {
    let entry = "helmCharts: [{name: web, valuesMerge: replace, valuesInline: {b: 8, c: null, d: 1000000}}]";
    let more = [("charts/web/values.yaml", "not: [read\n")];
    assert_eq!(
        values(&config(entry, &more), 0),
        json!({"b": 8, "c": null, "d": 1_000_000})
    );
    // Without any, the file counts whatever the order.
    let entry = "helmCharts: [{name: web, valuesMerge: replace, valuesInline: {}}]";
    assert_eq!(
        config(entry, &[])["valuesFiles"][0]["text"],
        json!(VALUES.1)
    );
}

#[test]
fn merged_values_are_read_by_the_rules_of_kustomize() {
    let entry = "helmCharts: [{name: web, valuesInline: {b: 'yes'}}]";
    let more = [(
        "charts/web/values.yaml",
        "y: yes\noctal: 0644\ngone:\nkept: ~\nbase: &b {p: 1}\nother: *b\nlaid: {<<: *b, q: 2}\n",
    )];
    assert_eq!(
        values(&config(entry, &more), 0),
        json!({
            "y": "yes", "octal": 420, "kept": null, "base": {"p": 1}, "other": {"p": 1},
            "laid": {"p": 1, "q": 2}, "b": "yes",
        })
    );
}

#[test]
fn inline_values_go_with_the_named_file() {
    let entry = "helmCharts: [{name: web, valuesFile: v/own.yaml, valuesInline: {b: 1}, additionalValuesFiles: [m.yaml]}]";
    let config = config(entry, &[("v/own.yaml", "a: 2\n"), ("m.yaml", "c: 3\n")]);
    assert_eq!(values(&config, 0), json!({"a": 2, "b": 1}));
    assert_eq!(
        config["valuesFiles"][1],
        json!({"name": "m.yaml", "text": "c: 3\n"})
    );
}

#[test]
fn a_namespace_comes_from_the_nearest_that_has_one() {
    let base = "helmGlobals: {chartHome: my-charts}\nhelmCharts: [{name: web}]\n";
    let chart = [
        ("base/my-charts/web/Chart.yaml", "name: web\n"),
        ("base/my-charts/web/values.yaml", "{}\n"),
    ];
    let own = format!("{base}namespace: own\n");
    let named = base.replace("name: web", "name: web, namespace: named");
    for (base, expected) in [
        (base, "outer"),
        (own.as_str(), "own"),
        (named.as_str(), "named"),
    ] {
        let mut all = vec![
            (
                "kustomization.yaml",
                "resources: [base]\nnamespace: outer\nnamePrefix: p-\n",
            ),
            ("base/kustomization.yaml", base),
        ];
        all.extend(chart);
        let (built, calls) = record(MemoryHost::new(&all), &options());
        let (config, _) = &calls[0];
        assert_eq!(config["release"]["namespace"], expected);
        assert_eq!(config["chart"]["path"], "base/my-charts/web");
        assert_eq!(
            config["valuesFiles"][0]["name"],
            "base/my-charts/web/values.yaml"
        );
        // Objects of a chart are renamed, but not moved to another namespace.
        let made = built.unwrap().objects()[0].to_value().unwrap();
        assert_eq!(made["metadata"], json!({"name": "p-web"}));
    }
}

#[test]
fn each_entry_is_a_call() {
    let entry = "helmGlobals: {chartHome: .}\nhelmCharts: [{name: web, releaseName: a}, {name: web, releaseName: b}]\nnamePrefix: x-\n";
    let host = MemoryHost::new(&[
        ("kustomization.yaml", entry),
        ("web/Chart.yaml", "name: web\n"),
        ("web/values.yaml", "{}\n"),
    ]);
    let (built, calls) = record(host, &options());
    let names: Vec<&Value> = calls
        .iter()
        .map(|(config, _)| &config["release"]["name"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(calls[0].0["chart"]["path"], "web");
    // The recorder gives the same object twice.
    let error = built.unwrap_err().to_string();
    assert!(error.contains("Service"), "{error}");
}

#[test]
fn a_chart_from_a_repository_is_its_own_tree() {
    let entry =
        "helmCharts: [{name: web, repo: 'https://e.com', version: 1.2.3, valuesInline: {b: 1}}]";
    // The local chart has no version in its place, so that it is another one.
    let mut host = files(entry, &[]);
    host.charts.insert(
        "https://e.com web 1.2.3".to_owned(),
        Memory::new(&[
            ("Chart.yaml", "name: web\n"),
            ("values.yaml", "a: far\n"),
            ("values-prod.yaml", "a: prod\n"),
        ]),
    );
    let (built, calls) = record(host, &options());
    built.unwrap();
    let (config, trees) = &calls[0];
    assert_eq!(
        config["chart"],
        json!({"tree": "chart", "path": "", "packaged": true})
    );
    assert_eq!(values(config, 0), json!({"a": "far", "b": 1}));
    assert_eq!(trees, &["chart"]);
}

#[test]
fn a_values_file_can_be_one_of_a_chart_from_a_repository() {
    let entry = "helmCharts: [{name: web, repo: 'https://e.com', version: 1.2.3, valuesFile: charts/web-1.2.3/web/values-prod.yaml}]";
    let mut host = files(entry, &[]);
    host.charts.insert(
        "https://e.com web 1.2.3".to_owned(),
        Memory::new(&[("values-prod.yaml", "a: prod\n")]),
    );
    let (built, calls) = record(host, &options());
    built.unwrap();
    assert_eq!(calls[0].0["valuesFiles"][0]["text"], "a: prod\n");
}

#[test]
fn a_chart_with_a_version_is_looked_for_in_the_place_of_the_version() {
    let entry = "helmCharts: [{name: web, repo: 'https://e.com', version: 1.2.3}]";
    let more = [
        ("charts/web-1.2.3/web/Chart.yaml", "name: web\n"),
        ("charts/web-1.2.3/web/values.yaml", "a: 2\n"),
    ];
    let config = config(entry, &more);
    assert_eq!(config["chart"]["path"], "charts/web-1.2.3/web");
    assert_eq!(config["valuesFiles"][0]["text"], "a: 2\n");
}

#[test]
fn development_versions_are_taken_in_where_no_version_is_named() {
    for (entry, version) in [
        (
            "{name: far, repo: 'oci://e.com/c', devel: true}",
            ">0.0.0-0",
        ),
        (
            "{name: far, repo: 'oci://e.com/c', devel: true, version: 1.x}",
            "1.x",
        ),
        ("{name: far, repo: 'oci://e.com/c'}", ""),
    ] {
        let entry = format!("helmCharts: [{entry}]");
        let mut host = files(&entry, &[]);
        host.charts.insert(
            format!("oci://e.com/c far {version}"),
            Memory::new(&[("values.yaml", "")]),
        );
        record(host, &options()).0.unwrap();
    }
}

#[test]
fn the_old_form_says_the_same() {
    let entry = "helmChartInflationGenerator:\n- chartName: web\n  chartHome: other\n  releaseName: r\n  values: v.yaml\n  \
        valuesLocal: {b: 1}\n  valuesMerge: merge\n  releaseNamespace: unused\n";
    let more = [
        ("other/web/Chart.yaml", "name: web\n"),
        ("v.yaml", "b: 2\n"),
    ];
    let config = config(entry, &more);
    assert_eq!(config["chart"]["path"], "other/web");
    assert_eq!(config["release"], json!({"name": "r"}));
    assert_eq!(values(&config, 0), json!({"b": 2}));
}

#[test]
fn a_generator_object_says_the_same() {
    let object = "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: web\nreleaseName: r\nchartHome: charts\nincludeCRDs: true\n";
    let config = config("generators: [g.yaml]", &[("g.yaml", object)]);
    assert_eq!(config["release"], json!({"name": "r"}));
    assert_eq!(config["includeCrds"], true);
}

#[test]
fn lists_of_a_chart_are_opened() {
    let mut host = files("helmCharts: [{name: web}]", &[]);
    host.plugin = Some(Box::new(|_| {
        let item =
            |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [item("a"), item("b")]});
        Ok(vec![list.to_string(), item("c").to_string()])
    }));
    let built = build(&host, "", &options()).unwrap();
    let mut names: Vec<String> = built
        .objects()
        .iter()
        .map(|object| {
            object.to_value().unwrap()["metadata"]["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn values_files_are_restricted_as_other_files_are() {
    let outside = [
        ("app/kustomization.yaml", ""),
        ("shared.yaml", "a: 5\n"),
        ("app/charts/web/Chart.yaml", "name: web\n"),
        ("app/charts/web/values.yaml", "a: 1\n"),
    ];
    for entry in [
        "{name: web, valuesFile: ../shared.yaml}",
        "{name: web, additionalValuesFiles: [../shared.yaml]}",
        "{name: web, valuesFile: ../shared.yaml, valuesInline: {b: 1}}",
    ] {
        let kustomization = format!("helmCharts: [{entry}]");
        let mut all = outside.to_vec();
        all[0].1 = &kustomization;
        let mut host = MemoryHost::new(&all);
        host.plugin = Some(Box::new(|_| Ok(Vec::new())));
        let error = build(&host, "app", &options()).unwrap_err().to_string();
        assert!(error.contains("shared.yaml"), "{error}");
        let free = Options {
            restrictor: LoadRestrictor::None,
            ..options()
        };
        build(&host, "app", &free).unwrap();
    }
}

#[test]
fn mistakes_are_told_before_the_plugin_is_called() {
    let missing = failure("helmCharts: [{name: web, valuesFile: v.yaml}]", &[]);
    assert!(missing.contains("v.yaml"), "{missing}");
    let missing = failure(
        "helmCharts: [{name: web, additionalValuesFiles: [v.yaml]}]",
        &[],
    );
    assert!(missing.contains("v.yaml"), "{missing}");
    let order = failure("helmCharts: [{name: web, valuesMerge: deep}]", &[]);
    assert!(
        order.contains("valuesMerge must be one of [merge override replace]"),
        "{order}"
    );
    let inline = "helmCharts: [{name: web, valuesInline: {a: 1}}]";
    for (content, expected) in [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("[a]\n", "a list"),
        ("a: [\n", "values.yaml"),
    ] {
        let error = failure(inline, &[("charts/web/values.yaml", content)]);
        assert!(error.contains(expected), "{content}: {error}");
        assert!(error.contains("values.yaml"), "{content}: {error}");
    }
    assert!(failure("helmCharts: [{releaseName: x}]", &[]).contains("a chart must have a name"));
}

#[test]
fn a_chart_that_is_nowhere_is_an_error() {
    let error = failure("helmCharts: [{name: api}]", &[]);
    assert!(error.contains("no chart `api` in `charts`"), "{error}");
    let error = failure("helmCharts: [{name: api, repo: 'https://e.com'}]", &[]);
    assert!(error.contains("https://e.com"), "{error}");
}

#[test]
fn charts_need_the_flag() {
    let (built, calls) = record(files("helmCharts: [{name: web}]", &[]), &Options::default());
    assert!(calls.is_empty());
    assert!(built.unwrap_err().to_string().contains("--enable-helm"));
}
