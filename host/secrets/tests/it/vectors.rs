//! Each folder of `tests/cases/sops` is a file that sops 3.13.2 encrypted, or one that it refuses.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_sops::{Format, MacCheck, Options, SopsError, decrypt};

use crate::keys::{Ask, folder, keyring};

/// Errors that are told in words of our own, and why.
const OWN_WORDS: &[(&str, &str)] = &[
    // A list of what was tried, as sops shows it to its user.
    (
        "age-wrong-key-error",
        "age1fgf2xujx8kt6xa08ut43qxcxdw3ukwp5v2jnfk82v7rzesqdaytqtcz28m: FAILED",
    ),
    (
        "shamir-not-enough-error",
        "encrypted with a Shamir threshold of\n2, but only 1 part(s) were successfully recovered",
    ),
    // No value is shown.
    (
        "err-plaintext-value",
        "Error walking tree: Could not decrypt value: Input string <redacted> does not match sops' data format",
    ),
    // Without the trace of a formatting mistake.
    (
        "err-int-key",
        "Error walking tree: Tree contains a non-string key (type int): 1. Only string keys are supported",
    ),
];

/// sops 3.13.2 has a regression here that versions up to 3.13.0 do not have.
const MAC_MATCHES: &[&str] = &["yaml-list-comments"];

pub(crate) struct Case {
    folder: PathBuf,
    pub(crate) name: String,
    pub(crate) about: Value,
}

impl Case {
    pub(crate) fn text(&self, field: &str) -> &str {
        self.about[field].as_str().unwrap_or_default()
    }

    pub(crate) fn format(&self, field: &str) -> Format {
        Format::parse(self.text(field)).unwrap()
    }

    pub(crate) fn file(&self, start: &str) -> Option<Vec<u8>> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let found = paths.find(|path| path.file_stem().is_some_and(|stem| stem == start))?;
        Some(fs::read(found).unwrap())
    }

    pub(crate) fn keys(&self) -> Ask {
        let names = self.about["keys"].as_array().unwrap();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        keyring(&names)
    }

    fn decrypt(&self, mac: MacCheck) -> Result<Vec<u8>, SopsError> {
        let options = Options {
            mac,
            ..Options::default()
        };
        let input = self.file("input").unwrap();
        decrypt(
            &input,
            self.format("input_format"),
            self.format("output_format"),
            &self.keys(),
            &options,
        )
        .map(|decrypted| decrypted.content)
    }

    fn check(&self) -> Result<(), String> {
        let result = self.decrypt(MacCheck::Ignore);
        let expected_error = self.text("error");
        if !expected_error.is_empty() {
            let own = OWN_WORDS.iter().find(|(name, _)| *name == self.name);
            let expected = own.map_or(expected_error, |(_, words)| words);
            return match result {
                Err(error) if error.to_string().contains(expected) => Ok(()),
                Err(error) => Err(format!("error is {error}\nexpected {expected}")),
                Ok(_) => Err(format!("no error; expected {expected}")),
            };
        }
        let content = result.map_err(|error| error.to_string())?;
        let expected = self.file("expected").unwrap();
        if content != expected {
            return Err(format!(
                "output is\n{}\nexpected\n{}",
                String::from_utf8_lossy(&content),
                String::from_utf8_lossy(&expected)
            ));
        }
        let Some(matches) = self.about["mac_ok_in_3_13_2"].as_bool() else {
            return Ok(());
        };
        let matches = matches || MAC_MATCHES.contains(&self.name.as_str());
        match (self.decrypt(MacCheck::Require), matches) {
            (Ok(_), true) | (Err(SopsError::Mac(_)), false) => Ok(()),
            (Ok(_), false) => Err("the MAC matches, and should not".to_owned()),
            (Err(error), _) => Err(format!("with the MAC: {error}")),
        }
    }
}

pub(crate) fn cases(folder: &Path) -> Vec<Case> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = entries
        .filter(|path| path.join("case.json").is_file())
        .map(|path| Case {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            about: serde_json::from_slice(&fs::read(path.join("case.json")).unwrap()).unwrap(),
            folder: path,
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

#[test]
fn every_vector_gives_what_sops_gives() {
    let cases = cases(&folder());
    assert_eq!(cases.len(), 56);
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(problem) = case.check() {
            failures.push(format!("{}: {problem}", case.name));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}
