//! Dependencies and what values they see.

use serde_json::{Value, json};
use weir_chart::Profile;

use crate::support::{chart, settle};

const SUB: &str = "apiVersion: v2\nname: sub\nversion: 1.2.0\n";

#[track_caller]
fn check(dependencies: &str, values: &Value, taking_part: &[&str]) {
    let text = format!("apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: {dependencies}\n");
    let chart = chart(&[
        ("Chart.yaml", &text),
        ("charts/sub/Chart.yaml", SUB),
        ("charts/sub/values.yaml", "a: 1\n"),
    ]);
    let (settled, _) = settle(&chart.expect("a chart"), values, Profile::Helm4);
    let names: Vec<&str> = settled
        .dependencies
        .iter()
        .map(|chart| chart.name())
        .collect();
    assert_eq!(names, taking_part);
}

#[test]
fn conditions_tags_and_aliases() {
    check("[{name: sub, version: '*'}]", &json!({}), &["sub"]);
    check(
        "[{name: sub, version: '*', condition: sub.on}]",
        &json!({"sub": {"on": false}}),
        &[],
    );
    check(
        "[{name: sub, version: '*', condition: 'x.y,enabled'}]",
        &json!({"enabled": false}),
        &[],
    );
    check(
        "[{name: sub, version: '*', tags: [t, u]}]",
        &json!({"tags": {"t": false}}),
        &[],
    );
    check(
        "[{name: sub, version: '*', tags: [t, u]}]",
        &json!({"tags": {"t": false, "u": true}}),
        &["sub"],
    );
    check(
        "[{name: sub, version: '*', tags: [t], condition: enabled}]",
        &json!({"tags": {"t": false}, "enabled": true}),
        &["sub"],
    );
    check(
        "[{name: sub, version: '1.x', alias: one}, {name: sub, version: '*', alias: two, condition: two.on}]",
        &json!({"two": {"on": false}}),
        &["one"],
    );
    // A chart whose version does not fit stays, without alias and condition.
    check(
        "[{name: sub, version: '2.x', alias: one, condition: enabled}]",
        &json!({"enabled": false}),
        &["sub"],
    );
}

#[test]
fn values_are_imported_from_defaults() {
    let chart = chart(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: sub\n  version: '*'\n  import-values: [data, {child: a.b, parent: up.here}]\n",
        ),
        ("values.yaml", "own: parent\n"),
        ("charts/sub/Chart.yaml", SUB),
        (
            "charts/sub/values.yaml",
            "exports: {data: {own: child, port: 1}}\na: {b: {c: 2}}\n",
        ),
    ]);
    let (_, values) = settle(&chart.expect("a chart"), &json!({}), Profile::Helm4);
    assert_eq!(
        (&values["own"], &values["port"], &values["up"]),
        (&json!("parent"), &json!(1.0), &json!({"here": {"c": 2.0}}))
    );
}

#[test]
fn nested_globals_are_one_object() {
    let chart = chart(&[
        ("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
        ("values.yaml", "global: {a: {b: {x: 1}}}\n"),
        ("charts/sub/Chart.yaml", SUB),
        (
            "charts/sub/values.yaml",
            "global: {a: {own: 1, b: {z: 2}}}\n",
        ),
    ]);
    let (_, values) = settle(&chart.expect("a chart"), &json!({}), Profile::Helm4);
    // What a subchart adds two levels below `global`, its parent sees too; what it adds above that, it alone sees.
    assert_eq!(values["global"], json!({"a": {"b": {"x": 1.0, "z": 2.0}}}));
    assert_eq!(
        values["sub"]["global"],
        json!({"a": {"own": 1.0, "b": {"x": 1.0, "z": 2.0}}})
    );
}

#[test]
fn missing_dependencies_are_told_by_name() {
    let text = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: sub, version: '9'}, {name: db, version: '1'}]\n";
    let chart = chart(&[("Chart.yaml", text), ("charts/sub/Chart.yaml", SUB)]);
    assert_eq!(chart.expect("a chart").missing_dependencies(), ["db"]);
}
