//! The errors for the mistakes that people are most likely to make: text, place and hint, as recorded.
//!
//! With `WEIR_BLESS=1` the recorded texts are written anew; read the difference before committing it.

use std::fs;
use std::path::{Path, PathBuf};

use weir_kustomize::{Options, build};

use crate::folder::FolderHost;

#[test]
fn errors_say_where_and_what_to_do() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/cases/kustomize-errors");
    let mut folders: Vec<PathBuf> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    assert!(folders.len() >= 40);
    let bless = std::env::var_os("WEIR_BLESS").is_some();
    let mut failures = Vec::new();
    for case in folders {
        let host = FolderHost::new(&case).unwrap();
        let made = match build(&host, "", &Options::default()).and_then(|built| built.to_yaml()) {
            Ok(text) => format!("no error, but\n{text}"),
            Err(error) => format!("{error}\n"),
        };
        let file = case.join("expected-error.txt");
        if bless {
            fs::write(&file, &made).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if made != expected {
            failures.push(format!(
                "{}\n  made:     {made}  expected: {expected}",
                case.display()
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
