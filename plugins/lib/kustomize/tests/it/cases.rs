//! The recorded builds, for both profiles.

use std::fs;
use std::path::{Path, PathBuf};

use weir_kustomize::{Options, build};

use crate::folder::FolderHost;

/// What a case is expected to give.
enum Expected {
    Text(String),
    Error,
}

#[test]
fn builds_are_those_of_the_command_line() {
    check_all(&Options::default(), &["expected-5.8.1", "expected"]);
}

#[test]
fn builds_are_those_of_the_controller() {
    check_all(
        &Options::flux_library(),
        &["expected-flux", "expected-5.8.1", "expected"],
    );
}

fn check_all(options: &Options, names: &[&str]) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/cases/kustomize");
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert_eq!(folders.len(), 234);
    let failures: Vec<String> = folders
        .iter()
        .filter_map(|case| check(case, options, names))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} differ\n{}",
        failures.len(),
        folders.len(),
        failures.join("\n")
    );
}

fn check(case: &Path, options: &Options, names: &[&str]) -> Option<String> {
    let target = fs::read_to_string(case.join("TARGET")).unwrap_or_default();
    let host = FolderHost::new(case).unwrap();
    let made = build(&host, target.trim(), options).and_then(|built| built.to_yaml());
    let name = case.file_name().unwrap().to_string_lossy();
    match (made, expected(case, names)) {
        (Err(_), Expected::Error) => None,
        (Ok(made), Expected::Text(expected)) if same(&made, &expected) => None,
        (Ok(made), Expected::Text(expected)) => {
            let line = made.lines().zip(expected.lines()).position(|(a, b)| a != b);
            Some(format!("{name}: first difference in line {line:?}\n{made}"))
        }
        (Ok(_), Expected::Error) => Some(format!("{name}: expected an error")),
        (Err(error), Expected::Text(_)) => Some(format!("{name}: {error}")),
    }
}

fn expected(case: &Path, names: &[&str]) -> Expected {
    for name in names {
        if let Ok(text) = fs::read_to_string(case.join(format!("{name}.yaml"))) {
            return Expected::Text(text);
        }
        if case.join(format!("{name}-error.txt")).exists() {
            return Expected::Error;
        }
    }
    panic!("{} expects nothing", case.display())
}

/// The label that names the version depends on how the original was built.
fn same(made: &str, expected: &str) -> bool {
    made.replace("kustomize-v5.8.1", "kustomize-(devel)") == expected
}
