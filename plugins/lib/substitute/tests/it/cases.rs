//! Recorded results: texts are those of envsubst 1.7.0, objects those of kustomize-controller 1.9's libraries. A file of
//! another place with the same form is checked too if `WEIR_SUBSTITUTE_CASES` names it.

use serde_json::Value;
use weir_substitute::{Mode, Variables, expand, opted_out, substitute};

const TEXTS: &str = include_str!("../../../../../tests/cases/substitute/envsubst.json");
const OBJECTS: &str = include_str!("../../../../../tests/cases/substitute/objects.json");

fn variables(of: &Value) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in of["variables"].as_object().unwrap() {
        variables.set(name, value.as_str().unwrap());
    }
    variables
}

fn mode(case: &Value) -> Mode {
    if case["strict"] == true {
        Mode::Strict
    } else {
        Mode::Lenient
    }
}

/// What the original says of a text, in our words where it crashes or gives bytes that are no text.
fn check_texts(file: &str) {
    let file: Value = serde_json::from_str(file).unwrap();
    let variables = variables(&file);
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let found = expand(case["text"].as_str().unwrap(), &variables, mode(case));
        let same = match (&found, case["result"].as_str(), case["error"].as_str()) {
            (Ok(found), Some(expected), _) => found == expected,
            (Err(error), _, Some("panic")) => {
                error.to_string().starts_with("the length of a substring")
            }
            (Err(error), _, Some("utf8")) => {
                error.to_string().starts_with("the result is not UTF-8")
            }
            (Err(error), _, Some(expected)) => error.to_string() == expected,
            _ => false,
        };
        if !same {
            wrong.push(format!("{case}\n    got {found:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[test]
fn texts_expand_as_recorded() {
    check_texts(TEXTS);
}

#[test]
fn texts_of_another_file_expand_as_recorded() {
    if let Ok(path) = std::env::var("WEIR_SUBSTITUTE_CASES") {
        check_texts(&std::fs::read_to_string(path).unwrap());
    }
}

#[test]
fn objects_come_out_as_recorded() {
    let file: Value = serde_json::from_str(OBJECTS).unwrap();
    let variables = variables(&file);
    for case in file["cases"].as_array().unwrap() {
        let object = &case["object"];
        let found = if opted_out(object) {
            Ok(object.clone())
        } else {
            substitute(object, &variables, mode(case))
        };
        match (found, case.get("result"), case["error"].as_str()) {
            (Ok(found), Some(expected), _) => assert_eq!(&found, expected, "{}", case["name"]),
            (Err(error), _, Some(expected)) => {
                assert_eq!(
                    format!("envsubst error: {error}"),
                    expected,
                    "{}",
                    case["name"]
                );
            }
            (found, ..) => panic!("{}: got {found:?}", case["name"]),
        }
    }
}
