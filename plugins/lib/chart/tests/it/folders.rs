//! Charts in folders.

use weir_chart::{Chart, Limits, Profile};

use crate::support::{Memory, chart};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";

fn load(files: &[(&'static str, &'static str)]) -> Result<Chart, String> {
    let tree = Memory(files.iter().copied().collect());
    Chart::from_tree(&tree, Profile::Helm4, Limits::default()).map_err(|error| error.to_string())
}

fn names(files: &[weir_chart::ChartFile]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn files_are_sorted_by_what_they_mean() {
    let chart = load(&[
        ("Chart.yaml", CHART),
        ("values.yaml", "a: 1\n"),
        ("values.schema.json", "{}"),
        ("templates/a.yaml", "a"),
        ("templates/deep/_b.tpl", "b"),
        ("templates/.hidden", "no"),
        ("crds/c.yaml", "c"),
        ("README.md", "r"),
        ("charts/_off/Chart.yaml", "ignored: true"),
        (
            "charts/sub/Chart.yaml",
            "apiVersion: v1\nname: sub\nversion: 0.1.0\n",
        ),
        ("charts/sub/crds/d.YML", "d"),
        ("charts/sub/requirements.yaml", "dependencies: []\n"),
    ])
    .expect("a chart");
    assert_eq!(
        names(&chart.templates),
        ["templates/a.yaml", "templates/deep/_b.tpl"]
    );
    assert_eq!(names(&chart.files), ["README.md", "crds/c.yaml"]);
    assert_eq!(chart.schema.as_deref(), Some(&b"{}"[..]));
    assert_eq!(chart.dependencies.len(), 1);
    assert_eq!(
        names(&chart.dependencies[0].files),
        ["crds/d.YML", "requirements.yaml"]
    );
    let crds: Vec<String> = chart.crds().into_iter().map(|crd| crd.0).collect();
    assert_eq!(crds, ["web/crds/c.yaml", "web/charts/sub/crds/d.YML"]);
}

#[test]
fn helmignore_leaves_files_and_folders_out() {
    let chart = load(&[
        ("Chart.yaml", CHART),
        (".helmignore", "# comment\n*.md\nci/\n/templates/b.yaml\n"),
        ("README.md", "r"),
        ("ci/values.yaml", "a: 1"),
        ("templates/a.yaml", "a"),
        ("templates/b.yaml", "b"),
    ])
    .expect("a chart");
    assert_eq!(names(&chart.templates), ["templates/a.yaml"]);
    assert_eq!(names(&chart.files), [".helmignore"]);
}

#[test]
fn mistakes_are_told_in_helms_words() {
    let told = |files: &[(&'static str, &'static str)]| load(files).expect_err("no chart");
    assert_eq!(told(&[("values.yaml", "")]), "Chart.yaml file is missing");
    assert_eq!(
        told(&[("Chart.yaml", CHART), ("charts/README.md", "")]),
        "error unpacking subchart README.md in web: Chart.yaml file is missing"
    );
    assert_eq!(
        told(&[("Chart.yaml", CHART), ("charts/x/a.yaml", "")]),
        "error unpacking subchart x in web: Chart.yaml file is missing"
    );
    assert_eq!(
        told(&[("Chart.yaml", "apiVersion: v2\nname: a/b\nversion: 1.0.0\n")]),
        "validation: chart.metadata.name \"a/b\" is invalid"
    );
    assert_eq!(
        told(&[(
            "Chart.yaml",
            "apiVersion: v2\nname: a\nversion: 1.0.0\nmaintainers: [null]\n"
        )]),
        "validation: maintainers must not contain empty or null nodes"
    );
    assert_eq!(
        told(&[("Chart.yaml", CHART), (".helmignore", "a/**\n")]),
        "double-star (**) syntax is not supported"
    );
    assert_eq!(
        told(&[("Chart.yaml", CHART), ("values.yaml", "- a\n")]),
        "cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
}

#[test]
fn texts_of_chart_yaml_are_cleaned() {
    let chart = chart(&[(
        "Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: \"a\\tb\\u200bc\"\n",
    )]);
    assert_eq!(chart.expect("a chart").metadata.description, "a bc");
}
