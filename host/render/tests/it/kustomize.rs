//! The recorded builds and the recorded errors, through the embedded component.
//!
//! The engine's own tests compare the same cases natively. Here everything that is between it and a user takes part: the
//! contract, the memory of the guest, how files and links are answered, and how objects and texts are handed over.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use weir_plugin::{CallError, Grants};
use weir_testing::plugin::{Files, Made, Plugin, host};

/// What a case is expected to give.
enum Expected {
    Text(String),
    Error,
}

#[test]
fn recorded_builds_are_those_of_the_command_line() {
    check_all("cli", &["expected-5.8.1", "expected"]);
}

#[test]
fn recorded_builds_are_those_of_the_controller() {
    check_all("flux", &["expected-flux", "expected-5.8.1", "expected"]);
}

#[test]
fn recorded_errors_reach_the_user_with_their_place() {
    let plugin = kustomize();
    let cases = folders("kustomize-errors");
    assert!(cases.len() >= 40);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let expected = fs::read_to_string(case.join("expected-error.txt")).unwrap();
            let made = match generate(&plugin, case, "cli", Objects::Yes) {
                Err(CallError::Failed {
                    message,
                    diagnostics,
                }) => {
                    let place = diagnostics.iter().find_map(|found| found.at.clone());
                    let first = expected.lines().next().unwrap_or_default();
                    if let Some(place) = place
                        && place.line > 0
                        && !first.starts_with(&format!("{}:{}", place.path, place.line))
                    {
                        return Some(format!("{}: reported at {place}", case.display()));
                    }
                    format!("{message}\n")
                }
                Err(other) => format!("{other:?}"),
                Ok(_) => "no error".to_owned(),
            };
            (made != expected).then(|| {
                format!(
                    "{}\n  made:     {made}\n  expected: {expected}",
                    case.display()
                )
            })
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check_all(profile: &str, names: &[&str]) {
    let plugin = kustomize();
    let cases = folders("kustomize");
    assert_eq!(cases.len(), 234);
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| check(&plugin, case, profile, names))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} differ\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

fn check(plugin: &Plugin, case: &Path, profile: &str, names: &[&str]) -> Option<String> {
    let name = case.file_name().unwrap().to_string_lossy();
    match (
        generate(plugin, case, profile, Objects::No),
        expected(case, names),
    ) {
        (Err(CallError::Failed { .. }), Expected::Error) => None,
        (Ok(made), Expected::Text(expected)) => {
            let text = made.attachments().remove("stream").unwrap_or_default();
            if !same(&text, &expected) {
                let line = text.lines().zip(expected.lines()).position(|(a, b)| a != b);
                return Some(format!("{name}: first difference in line {line:?}\n{text}"));
            }
            // The objects and the text say the same, but for what is no object to the host.
            let documents: Vec<Value> = match generate(plugin, case, profile, Objects::Yes) {
                Ok(made) => made.values(),
                Err(CallError::Failed { message, .. })
                    if message.contains("the host did not take an object") =>
                {
                    return None;
                }
                Err(error) => return Some(format!("{name}: {error}")),
            };
            let read: Vec<Value> = weir_plugin::Document::from_yaml(&text, None)
                .unwrap()
                .iter()
                .map(weir_plugin::Document::to_value)
                .collect();
            (documents != read).then(|| format!("{name}: the objects are not those of the text"))
        }
        (Ok(_), Expected::Error) => Some(format!("{name}: expected an error")),
        (Err(error), _) => Some(format!("{name}: {error}")),
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

/// Input that is meant to do harm is refused by the engine, with a place: the guest neither crashes nor runs into its limits.
/// Files with what is in them.
type Contents<'f> = Vec<(&'f str, Vec<u8>)>;

#[test]
fn hostile_input_gives_clear_errors_quickly() {
    const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    let mut bomb = format!("{CONFIG_MAP}data:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..12 {
        let before = vec![format!("*a{}", at - 1); 10].join(", ");
        bomb.push_str(&format!("  a{at}: &a{at} [{before}]\n"));
    }
    let nested = |open: &str, close: &str| {
        format!(
            "{CONFIG_MAP}data: {}x{}\n",
            open.repeat(10_000),
            close.repeat(10_000)
        )
    };
    let mut huge = format!("{CONFIG_MAP}data:\n  a: ").into_bytes();
    huge.resize(100 << 20, b'x');
    let resource = |content: Vec<u8>| -> Contents<'_> {
        vec![
            ("kustomization.yaml", b"resources: [a.yaml]".to_vec()),
            ("a.yaml", content),
        ]
    };
    let twice = format!("{CONFIG_MAP}---\n{CONFIG_MAP}");
    let cases: [(&str, Contents<'_>, &str); 8] = [
        ("an alias bomb", resource(bomb.into_bytes()), "a.yaml"),
        (
            "nested lists",
            resource(nested("[", "]").into_bytes()),
            "a.yaml",
        ),
        (
            "nested maps",
            resource(nested("{a: ", "}").into_bytes()),
            "a.yaml",
        ),
        ("a file of 100 MiB", resource(huge), "a.yaml"),
        (
            "a binary file",
            resource((0..=255u8).cycle().take(100_000).collect()),
            "a.yaml",
        ),
        ("an object twice", resource(twice.into_bytes()), "a.yaml:6"),
        (
            "a folder that includes itself",
            vec![("kustomization.yaml", b"resources: [.]".to_vec())],
            "cycle",
        ),
        (
            "bases in a circle",
            vec![
                ("kustomization.yaml", b"resources: [a]".to_vec()),
                ("a/kustomization.yaml", b"resources: [../b]".to_vec()),
                ("b/kustomization.yaml", b"resources: [../a]".to_vec()),
            ],
            "cycle",
        ),
    ];
    let plugin = kustomize();
    for (name, files, expected) in cases {
        let begin = Instant::now();
        let call = plugin.call().config(config("", "cli")).grants(grants());
        let made = files
            .into_iter()
            .fold(call, |call, (path, content)| call.file(path, content))
            .generate();
        match made {
            Err(CallError::Failed { message, .. }) => {
                assert!(message.contains(expected), "{name}: {message}");
            }
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name}: no error"),
        }
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{name} took {:?}",
            begin.elapsed()
        );
    }
}

fn kustomize() -> Plugin {
    let plugins = weir_render::builtin::load(host()).unwrap();
    Plugin::of(plugins["kustomize"].plugin.clone())
}

/// Builds the folder that a case names, with all files of the case as the step's tree.
/// Whether the objects become documents beside the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Objects {
    Yes,
    No,
}

fn generate(
    plugin: &Plugin,
    case: &Path,
    profile: &str,
    objects: Objects,
) -> Result<Made, CallError> {
    let target = fs::read_to_string(case.join("TARGET")).unwrap_or_default();
    let mut settings = config(target.trim(), profile);
    settings["objects"] = (objects == Objects::Yes).into();
    plugin
        .call()
        .config(settings)
        .grants(grants())
        .environment(|environment| gather(case, "", &mut environment.main))
        .generate()
}

fn config(path: &str, profile: &str) -> Value {
    json!({"profile": profile, "prepare": false, "path": path, "stream": true})
}

fn grants() -> Grants {
    Grants {
        files: vec!["**".to_owned()],
        documents: vec!["Secret".to_owned()],
        ..Grants::default()
    }
}

/// All files and links below a folder.
fn gather(folder: &Path, below: &str, into: &mut std::collections::BTreeMap<String, Files>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            into.insert(name, Files::Link(target.to_string_lossy().into_owned()));
        } else if kind.is_dir() {
            gather(&entry.path(), &format!("{name}/"), into);
        } else {
            let content = Bytes::from(fs::read(entry.path()).unwrap());
            into.insert(name, Files::File(content));
        }
    }
}

pub(crate) fn folders(suite: &str) -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/cases")
        .join(suite);
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}
