//! Signatures that `tests/tools/signatures` made and that cosign's own library judged.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use base64::Engine as _;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use weir_verify::cosign::{Identity, Signatures, Simple, Trust, TrustedRoot, verify};
use weir_verify::key::PublicKey;

const CASES: &str = include_str!("../../../tests/cases/verify/cosign.json");

#[derive(Deserialize)]
struct Case<'a> {
    name: String,
    digest: String,
    #[serde(borrow)]
    bundle: Option<&'a RawValue>,
    simple: Option<CaseSimple>,
    key: Option<String>,
    #[serde(borrow)]
    root: Option<&'a RawValue>,
    #[serde(default)]
    identities: Vec<CaseIdentity>,
    accepted: bool,
}

#[derive(Deserialize)]
struct CaseSimple {
    payload: String,
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct CaseIdentity {
    issuer: String,
    subject: String,
}

impl Case<'_> {
    fn trust(&self) -> Trust {
        match &self.key {
            Some(key) => Trust::Key(PublicKey::from_pem(key).unwrap()),
            None => Trust::Root {
                root: TrustedRoot::parse(self.root.unwrap().get().as_bytes()).unwrap(),
                identities: self.identities.iter().map(CaseIdentity::read).collect(),
            },
        }
    }

    fn signatures(&self) -> Signatures {
        let bundle = self.bundle.map(|bundle| bundle.get().as_bytes().to_vec());
        let simple = self.simple.as_ref().map(|simple| Simple {
            payload: simple.payload.clone().into_bytes(),
            annotations: simple.annotations.clone(),
        });
        Signatures {
            bundles: bundle.into_iter().collect(),
            simple: simple.into_iter().collect(),
        }
    }
}

impl CaseIdentity {
    fn read(&self) -> Identity {
        Identity {
            issuer: Regex::new(&self.issuer).unwrap(),
            subject: Regex::new(&self.subject).unwrap(),
        }
    }
}

fn cases() -> Vec<Case<'static>> {
    serde_json::from_str(CASES).unwrap()
}

#[test]
fn what_cosign_accepts_is_accepted_and_nothing_else() {
    let cases = cases();
    assert!(cases.len() > 50);
    let mut wrong = Vec::new();
    for case in &cases {
        let found = verify(&case.digest, &case.signatures(), &case.trust());
        if found.is_ok() != case.accepted {
            wrong.push(format!("{}: {found:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whoever changes a byte of what was accepted gets an error, or has changed something that nobody signs.
#[test]
fn a_changed_bundle_is_refused() {
    let unsigned = [
        "/mediaType",
        "/kindVersion",
        "/hint",
        "/logIndex",
        "/treeSize",
    ];
    for case in cases().iter().filter(|case| case.accepted) {
        let Some(bundle) = case.bundle else { continue };
        let bundle: Value = serde_json::from_str(bundle.get()).unwrap();
        let mut texts = Vec::new();
        find_texts(&bundle, String::new(), &mut texts);
        let stamped = case.name.contains("time stamp");
        for at in texts {
            let skipped = unsigned.iter().any(|part| at.contains(part))
                // A log without times is all that needs the clock.
                || (at.contains("rfc3161") && !stamped);
            if skipped {
                continue;
            }
            let mut changed = bundle.clone();
            let text = changed.pointer_mut(&at).unwrap();
            *text = flipped(text.as_str().unwrap()).into();
            let signatures = Signatures {
                bundles: vec![changed.to_string().into_bytes()],
                simple: Vec::new(),
            };
            let found = verify(&case.digest, &signatures, &case.trust());
            assert!(found.is_err(), "{}: {at}", case.name);
        }
    }
}

fn find_texts(value: &Value, at: String, texts: &mut Vec<String>) {
    match value {
        Value::String(_) => texts.push(at),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find_texts(item, format!("{at}/{index}"), texts);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                find_texts(field, format!("{at}/{name}"), texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Another text of the same form: one bit in the middle of its bytes.
fn flipped(text: &str) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    match engine.decode(text) {
        Ok(mut bytes) if !bytes.is_empty() => {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            engine.encode(bytes)
        }
        _ => {
            let middle = text.len() / 2;
            let middle = (middle..).find(|at| text.is_char_boundary(*at)).unwrap();
            format!("{}!{}", &text[..middle], &text[middle..])
        }
    }
}
