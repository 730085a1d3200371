//! Signatures that `tests/tools/signatures` made and that notation's own library judged.
#![allow(clippy::unwrap_used)]

use std::time::SystemTime;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use weir_verify::certificate::Certificate;
use weir_verify::notation::{Outcome, Policy, verify};

const CASES: &str = include_str!("../../../tests/cases/verify/notation.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case<'a> {
    name: String,
    place: String,
    digest: String,
    media_type: String,
    signature: String,
    #[serde(borrow)]
    policy: &'a RawValue,
    trusted: Vec<String>,
    outcome: String,
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

impl Case<'_> {
    fn judge(&self, signature: &[u8]) -> Result<Outcome, String> {
        let policy = Policy::parse(self.policy.get().as_bytes());
        let policy = policy.map_err(|error| error.to_string())?;
        let statement = policy.of(&self.place).map_err(|error| error.to_string())?;
        if statement.skips() {
            return Ok(Outcome::Ignored);
        }
        let trusted = self.trusted.iter();
        let trusted: Vec<Certificate> = trusted
            .map(|one| Certificate::from_der(&decode(one)).unwrap())
            .collect();
        let signatures = std::iter::once((self.media_type.as_str(), signature));
        let now = SystemTime::now();
        verify(&self.digest, signatures, &statement, &trusted, now)
            .map_err(|error| error.to_string())
    }
}

fn cases() -> Vec<Case<'static>> {
    serde_json::from_str(CASES).unwrap()
}

#[test]
fn every_signature_is_worth_what_notation_says() {
    let cases = cases();
    assert!(cases.len() > 80);
    let mut wrong = Vec::new();
    for case in &cases {
        let found = case.judge(&decode(&case.signature));
        let outcome = match &found {
            Ok(Outcome::Verified) => "verified",
            Ok(Outcome::Ignored) => "ignored",
            Err(_) => "refused",
        };
        if outcome != case.outcome {
            wrong.push(format!("{}: {found:?} for {}", case.name, case.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No byte of what is signed, nor of the signature, can be another one.
#[test]
fn changed_bytes_are_refused_and_nothing_panics() {
    let mut accepted = 0;
    for case in cases() {
        if !case.name.starts_with("strict with P-256") {
            continue;
        }
        let signature = decode(&case.signature);
        for at in 0..signature.len() {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            accepted += usize::from(case.judge(&changed).is_ok());
            let _ = case.judge(&signature[..at]);
        }
    }
    // Who made the tool that signed is a text that nobody signs; a few bytes of the form have two spellings.
    assert!(accepted < 120, "{accepted}");
}
