//! Runs that outlive the process: what a [`Shelf`] keeps, and how a run is written.
//!
//! Only what has no secret in it is written: neither a tainted run, nor one with a Secret among its documents that is not
//! encrypted. Such runs are made again by the next process. Where and for how long runs are kept is the shelf's affair: this
//! crate writes nothing to disk.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_plugin::{Diagnostic, Document, Place, Question};
use weir_tree::Digest;

use crate::memo::{Kept, Output};
use crate::trace::Trace;

/// Keeps runs for later processes. It may forget any of them at any time.
pub trait Shelf: fmt::Debug + Send + Sync {
    /// The runs of a step, newest first.
    fn find(&self, key: &Digest) -> Vec<Bytes>;

    /// Keeps a run of a step.
    fn keep(&self, key: &Digest, run: Vec<u8>);
}

/// A run as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Each question with the digest of its answer in hexadecimal digits.
    trace: Vec<(Question, String)>,
    documents: Vec<WrittenDocument>,
    /// What a filter made.
    #[serde(rename = "filtered")]
    made: Option<String>,
    findings: Vec<Diagnostic>,
}

#[derive(Serialize, Deserialize)]
struct WrittenDocument {
    body: String,
    origin: Option<Place>,
}

/// A run as bytes; `None` if it may not be written, or cannot.
pub(crate) fn write(kept: &Kept) -> Option<Vec<u8>> {
    let output = &kept.output;
    if output.tainted || !output.attachments.is_empty() || tells_secrets(kept) {
        return None;
    }
    let made = match &output.made {
        None => None,
        Some(bytes) => Some(String::from_utf8(bytes.to_vec()).ok()?),
    };
    let written = Written {
        trace: kept
            .trace
            .iter()
            .map(|(question, digest)| (question.clone(), digest.hex()))
            .collect(),
        documents: output.documents.iter().map(document).collect(),
        made,
        findings: output.diagnostics.clone(),
    };
    serde_json::to_vec(&written).ok()
}

/// A run out of bytes; `None` if they are damaged.
pub(crate) fn read(bytes: &[u8]) -> Option<Kept> {
    let written: Written = serde_json::from_slice(bytes).ok()?;
    let mut trace = Trace::default();
    for (question, digest) in &written.trace {
        trace.record(question, digest_of(digest)?);
    }
    let documents = written
        .documents
        .into_iter()
        .map(|document| {
            Some(
                Document::parse(&document.body)
                    .ok()?
                    .with_origin(document.origin),
            )
        })
        .collect::<Option<Vec<_>>>()?;
    let output = Output {
        documents,
        made: written.made.map(|text| Bytes::from(text.into_bytes())),
        diagnostics: written.findings,
        ..Output::default()
    };
    Some(Kept {
        trace: Arc::new(trace),
        output: Arc::new(output),
    })
}

/// Whether a Secret that is not encrypted is among what a run made or passed on. What it read is there as digests only.
fn tells_secrets(kept: &Kept) -> bool {
    let made = kept.output.documents.iter().any(|document| {
        document.identity().api_version == "v1"
            && document.identity().kind == "Secret"
            && document.to_value().get("sops").is_none()
    });
    made || kept.trace.iter().any(|(question, _)| match question {
        Question::Delegate { documents, .. } => documents.iter().any(|text| {
            text.contains("Secret")
                && Document::parse(text).is_ok_and(|found| found.identity().kind == "Secret")
        }),
        Question::Unwrap { .. }
        | Question::Object { .. }
        | Question::Objects { .. }
        | Question::Fetch { .. } => true,
        Question::NamedTree { .. }
        | Question::OpenUrl { .. }
        | Question::OpenChart { .. }
        | Question::Read { .. }
        | Question::ReadRange { .. }
        | Question::ReadFiltered { .. }
        | Question::ReadParsed { .. }
        | Question::Prepared { .. }
        | Question::Stat { .. }
        | Question::Entries { .. }
        | Question::Glob { .. }
        | Question::Resolve { .. }
        | Question::Time
        | Question::Random { .. }
        | Question::KubeVersion
        | Question::HasApi { .. }
        | Question::ApiVersions
        | Question::Fact { .. }
        | Question::Value { .. } => false,
    })
}

fn digest_of(text: &str) -> Option<Digest> {
    let bytes: [u8; 32] = hex::decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

fn document(document: &Document) -> WrittenDocument {
    WrittenDocument {
        body: document.body().to_owned(),
        origin: document.origin().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use weir_plugin::{Identity, Severity, TreeId};
    use weir_tree::TreePath;

    fn kept(object: serde_json::Value, question: Question, tainted: bool) -> Kept {
        let mut trace = Trace::default();
        trace.record(&question, Digest::of(b"answer"));
        let origin = Place {
            path: "a.yaml".to_owned(),
            line: 3,
            column: 1,
        };
        let document = Document::from_value(&object).unwrap();
        let output = Output {
            documents: vec![document.with_origin(Some(origin))],
            made: Some(Bytes::from_static(b"text")),
            diagnostics: vec![Diagnostic {
                severity: Severity::Note,
                code: "c".to_owned(),
                message: "m".to_owned(),
                at: None,
                object: Some(Identity::default()),
                pointer: "/p".to_owned(),
                help: "h".to_owned(),
            }],
            tainted,
            ..Output::default()
        };
        Kept {
            trace: Arc::new(trace),
            output: Arc::new(output),
        }
    }

    fn read_question() -> Question {
        Question::Read {
            tree: TreeId::main(),
            path: TreePath::parse("a.yaml").unwrap(),
        }
    }

    #[test]
    fn a_run_is_read_as_it_was_written() {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "ü\n\"x\""}});
        let run = kept(object, read_question(), false);
        let bytes = write(&run).unwrap();
        let again = read(&bytes).unwrap();
        assert_eq!(again.trace, run.trace);
        assert_eq!(again.output.diagnostics, run.output.diagnostics);
        assert_eq!(again.output.made, run.output.made);
        let (a, b) = (&again.output.documents[0], &run.output.documents[0]);
        assert_eq!((a.body(), a.origin()), (b.body(), b.origin()));
        assert!(read(&bytes[..bytes.len() - 2]).is_none());
    }

    #[test]
    fn what_could_tell_a_secret_is_not_written() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "hush"}});
        assert!(write(&kept(map.clone(), read_question(), true)).is_none());
        assert!(write(&kept(secret.clone(), read_question(), false)).is_none());
        let delegate = Question::Delegate {
            name: "p".to_owned(),
            role: weir_plugin::Role::Transformer,
            config: String::new(),
            documents: vec![secret.to_string()],
            trees: Vec::new(),
        };
        assert!(write(&kept(map.clone(), delegate, false)).is_none());
        secret["sops"] = json!({});
        assert!(write(&kept(secret, read_question(), false)).is_some());
        assert!(write(&kept(map, read_question(), false)).is_some());
    }
}
