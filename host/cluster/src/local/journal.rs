//! What happened in a local cluster, on disk.
//!
//! `.weir/journal` is a log of lines, each with a checksum in front. A write is a line in it first and a file afterwards;
//! so whatever moment the process is killed at, the log tells which of the two states an object is in, with its
//! `managedFields` and its resource version. Lines are synced to disk a moment later, in groups: after a power failure the
//! last moments may be missing, but never half an object. A mark in the log says up to which version the files are known
//! to be on disk as well; what comes after it is made good when the folder is opened.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::record::{Digest, Id, Record};

/// The version of the log's form.
const FORMAT: u32 = 1;
/// A log this small is never rewritten.
const SMALL: u64 = 1 << 20;

/// An open log.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    /// The length right after it was rewritten: all of it was of use then.
    rewritten: u64,
    /// After a write that failed half way and could not be undone.
    broken: bool,
}

/// A line of the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line {
    /// The first line.
    Start { format: u32, version: u64 },
    /// An object is now so.
    Put(Put),
    /// An object is gone. Its file was `was`.
    Gone {
        version: u64,
        resource: String,
        namespace: String,
        name: String,
        was: Option<String>,
    },
    /// The files of everything up to this version are on disk.
    Filed { version: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Put {
    pub(crate) version: u64,
    pub(crate) resource: String,
    pub(crate) object: Value,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) managers: Value,
    /// The digest of its file, and of its file before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<String>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(
        "line {line} is damaged: {reason}; without the file, objects are read from their YAML and nobody owns their fields"
    )]
    Damaged { line: usize, reason: String },
    #[error("it was written by another version of weir (form {found}, this one reads {FORMAT})")]
    Format { found: u32 },
}

impl Journal {
    /// Opens a log, made if there is none, and gives its lines. A last line that was cut off while it was written is
    /// dropped: what it says did not happen.
    pub(crate) fn open(path: &Path) -> Result<(Self, Vec<Line>), JournalError> {
        let mut options = File::options();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (lines, valid) = parse(&bytes)?;
        if valid < bytes.len() as u64 {
            file.set_len(valid)?;
            file.seek(SeekFrom::End(0))?;
        }
        let mut journal = Self {
            path: path.to_owned(),
            file,
            length: valid,
            rewritten: 0,
            broken: false,
        };
        if lines.is_empty() {
            journal.append(&Line::Start {
                format: FORMAT,
                version: 0,
            })?;
            journal.file.sync_data()?;
        }
        Ok((journal, lines))
    }

    pub(crate) fn append(&mut self, line: &Line) -> io::Result<()> {
        self.append_text(&encode(line))
    }

    /// A second handle on the file, to sync it without holding up those who write.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Whether most of the log is of no use any more.
    pub(crate) fn worth_rewriting(&self) -> bool {
        self.length > SMALL && self.length > self.rewritten.saturating_mul(3)
    }

    /// Replaces the log by one that says only how things are.
    pub(crate) fn rewrite<'r>(
        &mut self,
        version: u64,
        records: impl Iterator<Item = &'r Record>,
    ) -> io::Result<()> {
        let unfinished = self.path.with_extension("unfinished");
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = io::BufWriter::new(options.open(&unfinished)?);
        file.write_all(
            encode(&Line::Start {
                format: FORMAT,
                version,
            })
            .as_bytes(),
        )?;
        for record in records {
            file.write_all(encode_put(record, None).as_bytes())?;
        }
        file.write_all(encode(&Line::Filed { version }).as_bytes())?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_data()?;
        fs::rename(&unfinished, &self.path)?;
        if let Some(parent) = self.path.parent() {
            File::open(parent)?.sync_all()?;
        }
        self.file = File::options().append(true).open(&self.path)?;
        self.length = self.file.metadata()?.len();
        self.rewritten = self.length;
        self.broken = false;
        Ok(())
    }

    /// Writes that an object is now so. Its file was `was`.
    pub(crate) fn put(&mut self, record: &Record, was: Option<Digest>) -> io::Result<()> {
        self.append_text(&encode_put(record, was))
    }

    /// Writes that an object is gone.
    pub(crate) fn gone(&mut self, id: &Id, version: u64, was: Option<Digest>) -> io::Result<()> {
        let (resource, namespace, name) = (
            id.resource.to_string(),
            id.namespace.to_string(),
            id.name.to_string(),
        );
        self.append(&Line::Gone {
            version,
            resource,
            namespace,
            name,
            was: was.map(|was| was.to_string()),
        })
    }

    fn append_text(&mut self, text: &str) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other(
                "an earlier write failed half way; open the folder again",
            ));
        }
        match self.file.write_all(text.as_bytes()) {
            Ok(()) => {
                self.length += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half a line must not stay: the next one would be damaged by it.
                self.broken = self.file.set_len(self.length).is_err();
                Err(error)
            }
        }
    }
}

/// A record's line. Written by hand around the texts that the record already holds.
fn encode_put(record: &Record, was: Option<Digest>) -> String {
    let quoted = |digest: Digest| format!("\"{digest}\"");
    let or_null = |digest: Option<Digest>| digest.map_or_else(|| "null".to_owned(), quoted);
    checked(&format!(
        r#"{{"put":{{"version":{},"resource":{},"object":{},"managers":{},"file":{},"was":{}}}}}"#,
        record.version,
        Value::from(record.id.resource.as_str()),
        record.content,
        record.managers,
        or_null(record.file),
        or_null(was),
    ))
}

fn encode(line: &Line) -> String {
    checked(&serde_json::to_string(line).expect("a line of the log is plain JSON"))
}

fn checked(json: &str) -> String {
    format!("{} {json}\n", Digest::of(json.as_bytes()))
}

/// The lines, and how many bytes of the log are whole.
fn parse(bytes: &[u8]) -> Result<(Vec<Line>, u64), JournalError> {
    let mut lines = Vec::new();
    let mut valid = 0;
    for (index, raw) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let last = valid + raw.len() as u64 == bytes.len() as u64;
        match decode(raw) {
            Ok(line) => lines.push(line),
            // Only what was written last can be cut off.
            Err(_) if last => break,
            Err(reason) => {
                return Err(JournalError::Damaged {
                    line: index + 1,
                    reason,
                });
            }
        }
        valid += raw.len() as u64;
    }
    match lines.first() {
        Some(Line::Start { format: FORMAT, .. }) | None => Ok((lines, valid)),
        Some(Line::Start { format, .. }) => Err(JournalError::Format { found: *format }),
        Some(_) => Err(JournalError::Damaged {
            line: 1,
            reason: "it does not start the log".into(),
        }),
    }
}

fn decode(raw: &[u8]) -> Result<Line, String> {
    let text = raw.strip_suffix(b"\n").ok_or("it has no end")?;
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let (digest, json) = text.split_once(' ').ok_or("it has no checksum")?;
    if Digest::parse(digest) != Some(Digest::of(json.as_bytes())) {
        return Err("its checksum is wrong".into());
    }
    serde_json::from_str(json).map_err(|error| error.to_string())
}
