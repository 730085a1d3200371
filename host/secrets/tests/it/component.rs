//! The vectors through the component, which asks the host for every wrapped key.

use std::cell::RefCell;
use std::path::Path;

use serde_json::{Value, json};
use weir_plugin::Grants;
use weir_sops::{Keys, Options, UnwrapError, Zeroizing, decrypt, decrypt_file};
use weir_testing::plugin::{Plugin, PluginCall};

use crate::keys::{Ask, folder};
use crate::vectors::{Case, cases};

/// Remembers what was unwrapped, for a host that answers by scheme alone.
struct Remembers {
    keys: Ask,
    last: RefCell<Option<(String, Vec<u8>)>>,
}

impl Keys for Remembers {
    fn unwrap(
        &self,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        let key = self.keys.unwrap(scheme, fields, wrapped)?;
        *self.last.borrow_mut() = Some((scheme.to_owned(), key.to_vec()));
        Ok(key)
    }
}

fn plugin() -> Plugin {
    Plugin::build(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sops"))
}

fn call(plugin: &Plugin, case: &Case) -> PluginCall {
    let keys = Remembers {
        keys: case.keys(),
        last: RefCell::default(),
    };
    let input = case.file("input").unwrap();
    let format = case.format("input_format");
    let _ = decrypt(&input, format, format, &keys, &Options::default());
    let grants = Grants {
        keys: vec!["*".to_owned()],
        documents: vec!["Secret".to_owned()],
        ..Grants::default()
    };
    plugin.call().grants(grants).environment(|environment| {
        if let Some((scheme, key)) = keys.last.take() {
            environment.keys.insert(scheme, key.into());
        }
    })
}

#[test]
fn files_pass_through_the_filter() {
    let plugin = plugin();
    let mut decrypted = 0;
    for case in cases(&folder()) {
        let format = case.text("input_format");
        // A host that answers by scheme alone cannot tell the shares of groups apart.
        if format != case.text("output_format") || case.name.starts_with("shamir") {
            continue;
        }
        let input = case.file("input").unwrap();
        let native = decrypt_file("file", format, &input, &case.keys(), &Options::default());
        let made = call(&plugin, &case).filter("file", format, input);
        match (native, made) {
            (Ok(native), Ok(made)) => {
                let content = native.map(|native| native.content);
                assert_eq!(
                    made.outcome.made.as_deref(),
                    content.as_deref(),
                    "{}",
                    case.name
                );
                decrypted += usize::from(content.is_some());
            }
            (Err(native), Err(error)) => {
                let (shown, expected) = (error.to_string(), native.to_string());
                let first = expected.lines().next().unwrap();
                assert!(shown.contains(first), "{}: {shown}", case.name);
            }
            (native, made) => panic!("{}: {native:?}, but {made:?}", case.name),
        }
    }
    assert!(decrypted > 25, "only {decrypted} files were decrypted");
}

#[test]
fn objects_pass_through_the_transformer() {
    let plugin = plugin();
    let cases = cases(&folder());
    let case = cases
        .iter()
        .find(|case| case.name == "flux-resource")
        .unwrap();
    let input = String::from_utf8(case.file("input").unwrap()).unwrap();
    let expected: Value = serde_json::from_slice(&case.file("expected").unwrap()).unwrap();
    let other = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";

    let made = call(&plugin, case)
        .objects(&input)
        .objects(other)
        .transform()
        .unwrap();
    assert_eq!(made.values()[0], expected);
    assert_eq!(made.values()[1]["kind"], "ConfigMap");

    let without_key = || {
        call(&plugin, case)
            .environment(|environment| environment.keys.clear())
            .objects(&input)
    };
    let error = without_key().transform().unwrap_err().to_string();
    assert!(error.contains("cannot get sops data key"), "{error}");

    let made = without_key()
        .config(json!({"withoutKey": "placeholders"}))
        .transform()
        .unwrap();
    let shown = made.values()[0]["stringData"]["password"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(shown.starts_with(weir_sops::PLACEHOLDER), "{shown}");
    assert!(
        made.findings()[0].contains("are placeholders"),
        "{:?}",
        made.findings()
    );
}
