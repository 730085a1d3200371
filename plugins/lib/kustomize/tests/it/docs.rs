//! The examples in `docs/kustomize.md`: every field has one, and it builds to what stands there.

use std::fs;
use std::path::Path;

use crate::memory::{built, error};

/// The fields of a Kustomization.
const FIELDS: [&str; 34] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "imageTags",
    "replicas",
    "replacements",
    "vars",
    "sortOptions",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "configurations",
    "crds",
    "openapi",
    "generators",
    "transformers",
    "validators",
    "helmCharts",
    "helmGlobals",
    "helmChartInflationGenerator",
    "buildMetadata",
];

#[test]
fn every_field_has_a_row_and_an_example_that_holds() {
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/kustomize.md"),
    )
    .unwrap();
    let (head, examples) = text.split_once("## An example for each field").unwrap();
    for field in FIELDS {
        assert!(
            head.lines()
                .any(|line| line.starts_with("| [") && line.contains(&format!("`{field}`"))),
            "{field}"
        );
    }
    let sections: Vec<&str> = examples.split("\n### ").skip(1).collect();
    let described: Vec<&str> = sections
        .iter()
        .flat_map(|section| section.lines().next().unwrap().split(", "))
        .collect();
    assert_eq!(described, FIELDS);
    for section in sections {
        check(section);
    }
}

/// The engine knows the fields that are described, and no others.
#[test]
fn the_fields_are_those_of_the_engine() {
    let error = error(&[("kustomization.yaml", "zzzzzzzzzzzzzzzzzzzz: 1\n")]);
    let known = error.hint().strip_prefix("known fields here: ").unwrap();
    let mut known: Vec<&str> = known.split(", ").collect();
    let mut described = FIELDS.to_vec();
    known.sort_unstable();
    described.sort_unstable();
    assert_eq!(known, described);
}

/// Builds the files of a section and compares.
fn check(section: &str) {
    let name = section.lines().next().unwrap();
    let mut files = Vec::new();
    let mut expected = None;
    let mut rest = section;
    while let Some((before, after)) = rest.split_once("\n```") {
        let (_, after) = after.split_once('\n').unwrap();
        let (content, after) = after.split_once("```").unwrap();
        let title = before.trim_end().lines().next_back().unwrap();
        if title == "builds to" {
            expected = Some(content);
        } else {
            files.push((title.trim_matches('`'), content));
        }
        rest = after;
    }
    let made = built(&files).and_then(|built| built.to_yaml());
    match (made, expected) {
        (Ok(made), Some(expected)) => assert_eq!(made, expected, "{name}"),
        (Err(error), None) => {
            assert!(rest.contains("is refused"), "{name}");
            assert!(error.hint().contains("--enable-helm"), "{name}: {error}");
        }
        (Ok(made), None) => panic!("{name} should be refused, but gives\n{made}"),
        (Err(error), Some(_)) => panic!("{name}: {error}"),
    }
}
