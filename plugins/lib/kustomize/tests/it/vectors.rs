//! Strategic merges of random objects.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::memory::built;

#[test]
fn strategic_merges_are_those_of_kustomize() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/cases/kustomize-vectors/smp.jsonl");
    let text = fs::read_to_string(file).unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let patch = vector["patch"].to_string();
        let kustomization =
            json!({"resources": ["r.yaml"], "patches": [{"patch": patch}]}).to_string();
        let target = vector["target"].to_string();
        let made = built(&[("kustomization.yaml", &kustomization), ("r.yaml", &target)]);
        let objects = made.map(|built| {
            built
                .objects()
                .iter()
                .map(|object| object.to_value().unwrap())
                .collect::<Vec<_>>()
        });
        count += 1;
        match objects {
            Ok(objects) if objects.as_slice() == std::slice::from_ref(&vector["result"]) => {}
            Ok(objects) => failures.push(format!("{line}\n  made {}", Value::Array(objects))),
            Err(error) => failures.push(format!("{line}\n  {error}")),
        }
    }
    assert_eq!(count, 220);
    assert!(
        failures.is_empty(),
        "{} differ\n{}",
        failures.len(),
        failures.join("\n")
    );
}
