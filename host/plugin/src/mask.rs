//! Keeps the secrets that a run has seen out of the texts that people read.
//!
//! What is known is a set of byte patterns: each value, its lines if it has several, its JSON and base64 forms (also as a
//! part of longer base64). A text that contains one has `(secret)` in its place. Short values are left alone: replacing
//! every "on" or "1" would hide nothing and ruin every text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;
use weir_k8s_yaml as yaml;
use zeroize::{Zeroize as _, Zeroizing};

use crate::Document;

/// Values with fewer bytes are not masked.
const SHORTEST: usize = 6;
/// Above this nothing more is learnt, and all texts are withheld.
const MOST_BYTES: usize = 2 << 20;
const MOST_PATTERNS: usize = 50_000;
const MASK: &str = "(secret)";
const WITHHELD: &str = "(withheld: the run has seen more secrets than can be masked)";

/// The secrets of a run. Shared by its steps.
#[derive(Default)]
pub struct Secrets(Mutex<Known>);

#[derive(Default)]
struct Known {
    patterns: HashSet<Vec<u8>>,
    bytes: usize,
    full: bool,
    /// Made of `patterns` when it is needed.
    finder: Option<Arc<AhoCorasick>>,
}

impl Secrets {
    /// Adds secret content: a value, a file, an object or a list of them.
    pub fn learn(&self, content: &[u8]) {
        let mut known = self.known();
        match std::str::from_utf8(content) {
            Ok(text) => known.content(text),
            Err(_) => known.base64(content),
        }
    }

    /// Adds the secret values of an object; other objects than Secrets have none.
    pub fn learn_document(&self, document: &Document) {
        let mut known = self.known();
        for value in crate::document::seal::values(document.body(), document.identity()) {
            if let Ok(value) = serde_json::from_str(value) {
                known.value(&value);
            }
        }
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        let known = self.known();
        known.patterns.is_empty() && !known.full
    }

    /// The text without what was learnt.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let finder = {
            let mut known = self.known();
            if known.full && !text.is_empty() {
                return Cow::Borrowed(WITHHELD);
            }
            match known.finder() {
                Ok(Some(finder)) => finder,
                Ok(None) => return Cow::Borrowed(text),
                Err(()) => return Cow::Borrowed(WITHHELD),
            }
        };
        if !finder.is_match(text) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for found in finder.find_iter(text) {
            out.push_str(&text[from..found.start()]);
            // Two that touch are one: nobody needs to know where one ends.
            if !(out.ends_with(MASK) && found.start() == from && from > 0) {
                out.push_str(MASK);
            }
            from = found.end();
        }
        out.push_str(&text[from..]);
        Cow::Owned(out)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn content(&mut self, text: &str) {
        if matches!(text.trim_start().as_bytes().first(), Some(b'{' | b'['))
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            self.text(text);
            return self.object(&value);
        }
        if text.contains(": ") || text.contains(":\n") {
            let documents = yaml::documents(text, &yaml::ParseOptions::default())
                .map(|document| yaml::resolve(&document?.root, yaml::Schema::Sigs));
            if let Ok(values) = documents.collect::<Result<Vec<_>, _>>()
                && values
                    .iter()
                    .all(|value| value.is_object() || value.is_null())
            {
                self.text(text);
                return values.iter().for_each(|value| self.object(value));
            }
        }
        self.text(text);
        self.lines(text);
    }

    /// A JSON value, of which Kubernetes objects are read with more sense.
    fn object(&mut self, value: &Value) {
        if let Value::Array(items) = value {
            return items.iter().for_each(|item| self.object(item));
        }
        let (Some(api_version), Some(kind)) =
            (value["apiVersion"].as_str(), value["kind"].as_str())
        else {
            return self.value(value);
        };
        if kind.ends_with("List") && value["items"].is_array() {
            return self.object(&value["items"]);
        }
        let secret = api_version == "v1" && kind == "Secret";
        for (key, value) in value.as_object().into_iter().flatten() {
            let wanted = match key.as_str() {
                "apiVersion" | "kind" | "metadata" | "type" | "immutable" => false,
                "data" | "stringData" => true,
                _ => !secret,
            };
            if wanted {
                self.value(value);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.text(&number.to_string()),
            Value::String(text) => {
                self.text(text);
                self.lines(text);
                if let Ok(decoded) = STANDARD.decode(text.trim()) {
                    let decoded = Zeroizing::new(decoded);
                    match std::str::from_utf8(&decoded) {
                        Ok(text) if !text.contains(char::is_control) || text.contains('\n') => {
                            self.text(text);
                            self.lines(text);
                        }
                        _ => self.base64(&decoded),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(map) => map.values().for_each(|value| self.value(value)),
        }
    }

    /// The lines of a longer text, and what stands behind `key:` or `KEY=` in them.
    fn lines(&mut self, text: &str) {
        let single = !text.trim_end().contains('\n');
        for line in text.lines().map(str::trim) {
            if !single {
                self.text(line);
            }
            for separator in [": ", "="] {
                if let Some((key, value)) = line.split_once(separator)
                    && key
                        .trim()
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "_-.\"'".contains(c))
                {
                    self.text(value.trim().trim_matches(['"', '\'']));
                }
            }
        }
    }

    /// One value in all its forms.
    fn text(&mut self, text: &str) {
        let text = text.trim();
        if text.len() < SHORTEST {
            return;
        }
        self.pattern(text.as_bytes());
        let json = serde_json::to_string(text).map(Zeroizing::new);
        if let Some(inner) = json
            .ok()
            .as_deref()
            .and_then(|json| json.strip_prefix('"')?.strip_suffix('"'))
            && inner != text
        {
            self.pattern(inner.as_bytes());
        }
        self.base64(text.as_bytes());
    }

    /// The base64 text of these bytes, alone and as a part of a longer one: the three ways in which they can fall on its
    /// groups of three.
    fn base64(&mut self, bytes: &[u8]) {
        const SHORTEST_CORE: usize = 8;
        if bytes.len() < SHORTEST || bytes.len() > MOST_BYTES {
            self.full |= bytes.len() > MOST_BYTES;
            return;
        }
        self.pattern(Zeroizing::new(STANDARD.encode(bytes)).as_bytes());
        for offset in 0..3 {
            let mut shifted = Zeroizing::new(vec![0; offset]);
            shifted.extend_from_slice(bytes);
            let whole = shifted.len() * 8 / 6;
            for text in [
                STANDARD_NO_PAD.encode(&*shifted),
                URL_SAFE_NO_PAD.encode(&*shifted),
            ]
            .map(Zeroizing::new)
            {
                let start = (offset * 8).div_ceil(6);
                if whole >= start + SHORTEST_CORE {
                    self.pattern(&text.as_bytes()[start..whole]);
                }
            }
        }
    }

    fn pattern(&mut self, bytes: &[u8]) {
        if self.full || self.patterns.contains(bytes) {
            return;
        }
        if self.bytes + bytes.len() > MOST_BYTES || self.patterns.len() >= MOST_PATTERNS {
            self.full = true;
            return;
        }
        self.bytes += bytes.len();
        self.patterns.insert(bytes.to_vec());
        self.finder = None;
    }

    fn finder(&mut self) -> Result<Option<Arc<AhoCorasick>>, ()> {
        if self.patterns.is_empty() {
            return Ok(None);
        }
        if self.finder.is_none() {
            let built = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&self.patterns);
            self.finder = Some(Arc::new(built.map_err(|_| ())?));
        }
        Ok(self.finder.clone())
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        for mut pattern in self.patterns.drain() {
            pattern.zeroize();
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} patterns)", self.known().patterns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let known = Secrets::default();
        for secret in secrets {
            known.learn(secret.as_bytes());
        }
        known.mask(text).into_owned()
    }

    #[test]
    fn values_are_masked_wherever_they_stand() {
        assert_eq!(
            masked(&["hunter2"], "login root:hunter2@db failed"),
            "login root:(secret)@db failed"
        );
        assert_eq!(masked(&["hunter2\n"], "got hunter2"), "got (secret)");
        assert_eq!(
            masked(&["hunter2", "hunter2-long"], "a hunter2-long b"),
            "a (secret) b"
        );
        assert_eq!(masked(&["hunter2"], "hunter2hunter2"), "(secret)");
        assert_eq!(
            masked(&["line \"one\" x"], r#"{"error":"line \"one\" x"}"#),
            r#"{"error":"(secret)"}"#
        );
    }

    #[test]
    fn base64_is_masked_alone_and_inside_longer_base64() {
        let secret = "correct horse battery";
        for prefix in ["", "a", "ab", "abc", "user:"] {
            let text = STANDARD.encode(format!("{prefix}{secret}\n"));
            let out = masked(&[secret], &text);
            assert!(
                out.contains(MASK) && out.len() - MASK.len() <= 4 * (prefix.len() / 3 + 2),
                "{prefix}: {out}"
            );
        }
        assert_eq!(masked(&[secret], &STANDARD.encode(secret)), MASK);
        let odd = "??>>~~??>>~~";
        assert_eq!(masked(&[odd], &URL_SAFE_NO_PAD.encode(odd)), MASK);
    }

    #[test]
    fn lines_and_assignments_are_values() {
        let pem = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n";
        assert_eq!(
            masked(&[pem], "bad line MIIEvQIBADANBgkq here"),
            "bad line (secret) here"
        );
        let dotenv = "USER=admin\nPASSWORD=\"swordfish\"\n";
        assert_eq!(masked(&[dotenv], "tried swordfish"), "tried (secret)");
    }

    #[test]
    fn objects_are_read_with_sense() {
        let yaml = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: database\ntype: kubernetes.io/basic-auth\ndata:\n  password: c3dvcmRmaXNo\nstringData:\n  token: tok-12345\n";
        assert_eq!(
            masked(
                &[yaml],
                "Secret database (kubernetes.io/basic-auth): swordfish c3dvcmRmaXNo tok-12345"
            ),
            "Secret database (kubernetes.io/basic-auth): (secret) (secret) (secret)"
        );
        let json = r#"{"username":"c3VwZXJ1c2Vy","list":["opensesame"],"n":12345678}"#;
        assert_eq!(
            masked(&[json], "superuser opensesame 12345678"),
            "(secret) (secret) (secret)"
        );
    }

    #[test]
    fn short_values_are_left_alone() {
        assert_eq!(
            masked(&["true", "12345", "on"], "true 12345 on"),
            "true 12345 on"
        );
        assert_eq!(masked(&["k: on"], "turned on"), "turned on");
    }

    #[test]
    fn bytes_that_are_no_text_are_masked_as_base64() {
        let known = Secrets::default();
        let bytes: Vec<u8> = (128..160).collect();
        known.learn(&bytes);
        assert_eq!(
            known.mask(&format!("key {}", STANDARD.encode(&bytes))),
            "key (secret)"
        );
    }

    #[test]
    fn secret_values_of_a_document_are_learnt() {
        let known = Secrets::default();
        let secret = Document::parse(
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"database"},"data":{"a":"c3dvcmRmaXNo"}}"#,
        )
        .unwrap();
        known.learn_document(&secret);
        assert_eq!(known.mask("database: swordfish"), "database: (secret)");
    }

    #[test]
    fn past_the_bound_everything_is_withheld() {
        let known = Secrets::default();
        known.learn("x".repeat(MOST_BYTES + 1).as_bytes());
        assert_eq!(known.mask("harmless"), WITHHELD);
        assert_eq!(known.mask(""), "");
        let many = Secrets::default();
        (0..MOST_PATTERNS).for_each(|n| many.learn(format!("secret-{n}").as_bytes()));
        assert_eq!(many.mask("harmless"), WITHHELD);
    }

    #[test]
    fn nothing_is_masked_when_nothing_is_known() {
        let known = Secrets::default();
        assert!(known.is_empty() && matches!(known.mask("text"), Cow::Borrowed("text")));
        known.learn(b"hunter2");
        assert!(!format!("{known:?}").contains("hunter2"));
    }
}
