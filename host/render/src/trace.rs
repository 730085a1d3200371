//! Traces: every question of a step with the digest of its answer.

use indexmap::IndexMap;
use sha2::{Digest as _, Sha256};
use weir_plugin::{Answer, Given, Question, Refusal};
use weir_tree::{Digest, Entry};

/// What a step asked, in the order in which it first asked. Each question stands alone: who never asks for the time does
/// not depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    observations: IndexMap<Question, Digest>,
}

impl Trace {
    pub fn record(&mut self, question: &Question, answer: Digest) {
        if !self.observations.contains_key(question) {
            self.observations.insert(question.clone(), answer);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Question, &Digest)> {
        self.observations.iter()
    }

    pub fn len(&self) -> usize {
        self.observations.len()
    }

    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// About what it takes in memory.
    pub fn weight(&self) -> usize {
        self.observations
            .keys()
            .map(|question| 160 + question_weight(question))
            .sum()
    }
}

/// The digest of an answer. Refusals and misses are answers; so is whether it was secret.
pub fn digest_of(given: &Result<Given, Refusal>) -> Digest {
    let mut hash = Hash::default();
    match given {
        Ok(given) => {
            hash.text(if given.secret { "secret" } else { "plain" });
            hash.answer(&given.answer);
        }
        Err(refusal) => hash.refusal(refusal),
    }
    hash.done()
}

/// The digest of the answer "these bytes" when only their digest is known.
pub fn digest_of_bytes(content: Digest) -> Digest {
    let mut hash = Hash::default();
    hash.text("plain");
    hash.content(content);
    hash.done()
}

/// Hashes texts and numbers so that no two sequences collide.
#[derive(Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    pub(crate) fn done(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }

    fn content(&mut self, content: Digest) {
        self.text("bytes");
        self.0.update(content.as_bytes());
    }

    fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a str>) {
        self.number(texts.len() as u64);
        texts.for_each(|text| self.text(text));
    }

    fn entry(&mut self, entry: &Entry) {
        self.text(&entry.name);
        self.text(match entry.kind {
            weir_tree::EntryKind::Directory => "directory",
            weir_tree::EntryKind::File => "file",
            weir_tree::EntryKind::Executable => "executable",
            weir_tree::EntryKind::Link => "link",
            weir_tree::EntryKind::Submodule => "submodule",
        });
        self.number(entry.size);
    }

    fn answer(&mut self, answer: &Answer) {
        match answer {
            Answer::Bytes(bytes) => self.content(Digest::of(bytes)),
            Answer::Text(text) => {
                self.text("text");
                self.text(text);
            }
            Answer::Texts(texts) => {
                self.text("texts");
                self.texts(texts.iter().map(String::as_str));
            }
            Answer::Number(number) => {
                self.text("number");
                self.number(*number);
            }
            Answer::Flag(flag) => {
                self.text("flag");
                self.number(u64::from(*flag));
            }
            Answer::Tree(tree) => {
                self.text("tree");
                self.text(&tree.0);
            }
            Answer::Entry(entry) => {
                self.text("entry");
                self.entry(entry);
            }
            Answer::Entries(entries) => {
                self.text("entries");
                self.number(entries.len() as u64);
                entries.iter().for_each(|entry| self.entry(entry));
            }
            Answer::Path(path) => {
                self.text("path");
                self.text(path.as_str());
            }
            Answer::Paths(paths) => {
                self.text("paths");
                self.texts(paths.iter().map(weir_tree::TreePath::as_str));
            }
            Answer::Response {
                status,
                headers,
                body,
            } => {
                self.text("response");
                self.number(u64::from(*status));
                self.number(headers.len() as u64);
                for (name, value) in headers {
                    self.text(name);
                    self.text(value);
                }
                self.bytes(body);
            }
        }
    }

    fn refusal(&mut self, refusal: &Refusal) {
        let (kind, text) = match refusal {
            Refusal::Denied(text) => ("denied", text.as_str()),
            Refusal::Absent => ("absent", ""),
            Refusal::Exhausted(text) => ("exhausted", text.as_str()),
            Refusal::Unavailable(text) => ("unavailable", text.as_str()),
            Refusal::Invalid(text) => ("invalid", text.as_str()),
            Refusal::Failed(text) => ("failed", text.as_str()),
        };
        self.text(kind);
        self.text(text);
    }
}

fn question_weight(question: &Question) -> usize {
    match question {
        Question::Delegate {
            name,
            config,
            documents,
            ..
        } => name.len() + config.len() + documents.iter().map(String::len).sum::<usize>(),
        Question::Unwrap { wrapped, .. } => wrapped.len(),
        Question::Fetch { url, body, .. } => url.len() + body.as_ref().map_or(0, Vec::len),
        Question::Read { path, .. }
        | Question::ReadRange { path, .. }
        | Question::ReadFiltered { path, .. }
        | Question::ReadParsed { path, .. }
        | Question::Stat { path, .. }
        | Question::Entries { path, .. }
        | Question::Resolve { path, .. } => path.as_str().len(),
        Question::Prepared { config, .. } => config.len(),
        Question::NamedTree { .. }
        | Question::OpenUrl { .. }
        | Question::OpenChart { .. }
        | Question::Glob { .. }
        | Question::Time
        | Question::Random { .. }
        | Question::KubeVersion
        | Question::HasApi { .. }
        | Question::ApiVersions
        | Question::Fact { .. }
        | Question::Object { .. }
        | Question::Objects { .. }
        | Question::Value { .. } => 64,
    }
}
