//! Opening a folder: what the log says and what the files say become one state.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use tokio::sync::watch;

use super::edits::{EditError, without_kind};
use super::folder::{self, Folder, Found};
use super::history::History;
use super::journal::{Journal, JournalError, Line, Put};
use super::kinds::Kinds;
use super::record::{Digest, Id, Record};
use super::state::{NAMESPACES, Shown, State};
use super::sync::Message;
use crate::ClusterError;

/// How many versions are skipped after a crash, so that none that was given out and lost is given out again.
const SKIPPED: u64 = 10_000;

/// Why a folder cannot be opened as a cluster.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("local cluster {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Only one process at a time may have it open.
    #[error("local cluster {}: process {owner} has it open; end it, or use another folder", path.display())]
    Locked { path: PathBuf, owner: String },
    #[error("local cluster {}: the journal {}: {reason}", path.display(), journal.display())]
    Journal {
        path: PathBuf,
        journal: PathBuf,
        reason: String,
    },
    /// A file that is no object, or not the one that belongs in its place.
    #[error("{}: {reason}", path.display())]
    File { path: PathBuf, reason: String },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

/// Locks a folder for this process, for as long as the file is open.
pub(crate) fn lock(folder: &Folder) -> Result<File, OpenError> {
    let path = folder.hidden("lock");
    let io = |source| OpenError::Io {
        path: folder.root().to_owned(),
        source,
    };
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner).map_err(io)?;
            let owner = if owner.trim().is_empty() {
                "unknown".to_owned()
            } else {
                owner.trim().to_owned()
            };
            return Err(OpenError::Locked {
                path: folder.root().to_owned(),
                owner,
            });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0).map_err(io)?;
    file.rewind().map_err(io)?;
    writeln!(file, "{}", std::process::id()).map_err(io)?;
    Ok(file)
}

/// Reads the state of a folder that is locked.
pub(crate) fn read(
    folder: Folder,
    lock: File,
    wake: SyncSender<Message>,
) -> Result<State, OpenError> {
    let path = folder.hidden("journal");
    let (journal, lines) = Journal::open(&path).map_err(|error| match error {
        JournalError::Io(source) => OpenError::Io {
            path: path.clone(),
            source,
        },
        error @ (JournalError::Damaged { .. } | JournalError::Format { .. }) => {
            OpenError::Journal {
                path: folder.root().to_owned(),
                journal: path.clone(),
                reason: error.to_string(),
            }
        }
    })?;
    let log = Log::new(lines);
    let (newest, _) = watch::channel(log.version);
    let mut state = State {
        kinds: Kinds::new(),
        records: Default::default(),
        uids: HashMap::new(),
        version: log.version,
        history: History::new(log.version),
        folder,
        journal,
        stamps: HashMap::new(),
        unsynced: Vec::new(),
        steps: Default::default(),
        newest,
        wake,
        _lock: lock,
    };
    let files = state.folder.files().map_err(|source| OpenError::Io {
        path: state.folder.root().to_owned(),
        source,
    })?;
    make_good(&mut state, &log, &files)?;
    for put in log.puts.into_values() {
        state.insert(put.record);
    }
    serve_definitions(&mut state)?;
    for name in NAMESPACES {
        if state.namespace(name).is_none() {
            state.make_namespace(name, Shown::Hidden)?;
        }
    }
    take_over_files(&mut state)?;
    state.resume_deletions()?;
    // Whoever starts watching now has listed first.
    state.history = History::new(state.version);
    state.newest.send_replace(state.version);
    Ok(state)
}

/// What a log says.
struct Log {
    version: u64,
    /// Files of everything up to here are on disk.
    filed: u64,
    puts: HashMap<Id, Logged>,
    /// What was removed after that, with the digests that its file may have.
    gone: HashMap<Id, Vec<Digest>>,
}

struct Logged {
    record: Record,
    /// The digests that its file may have had since.
    was: Vec<Digest>,
}

impl Log {
    fn new(lines: Vec<Line>) -> Self {
        let mut log = Self {
            version: 0,
            filed: 0,
            puts: HashMap::new(),
            gone: HashMap::new(),
        };
        let digest = |text: Option<String>| text.as_deref().and_then(Digest::parse);
        for line in lines {
            match line {
                Line::Start { version, .. } => log.version = log.version.max(version),
                Line::Put(Put {
                    version,
                    resource,
                    object,
                    managers,
                    file,
                    was,
                }) => {
                    let text = |pointer| {
                        object
                            .pointer(pointer)
                            .and_then(serde_json::Value::as_str)
                            .unwrap_or_default()
                    };
                    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
                    let id = Id {
                        resource: resource.into(),
                        namespace: namespace.into(),
                        name: name.into(),
                    };
                    let mut record = Record::new(id.clone(), version, object, &managers);
                    record.file = digest(file);
                    log.version = log.version.max(version);
                    let mut earlier = log.earlier(&id);
                    earlier.extend(digest(was));
                    log.puts.insert(
                        id,
                        Logged {
                            record,
                            was: earlier,
                        },
                    );
                }
                Line::Gone {
                    version,
                    resource,
                    namespace,
                    name,
                    was,
                } => {
                    let id = Id {
                        resource: resource.into(),
                        namespace: namespace.into(),
                        name: name.into(),
                    };
                    log.version = log.version.max(version);
                    let mut earlier = log.earlier(&id);
                    earlier.extend(digest(was));
                    log.puts.remove(&id);
                    log.gone.insert(id, earlier);
                }
                Line::Filed { version } => {
                    log.filed = log.filed.max(version);
                    log.gone.clear();
                    log.puts.values_mut().for_each(|put| put.was.clear());
                }
            }
        }
        if log.filed < log.version {
            log.version += SKIPPED;
        }
        log
    }

    /// What the file of an object may hold if the writes since the mark did not reach it.
    fn earlier(&mut self, id: &Id) -> Vec<Digest> {
        let put = self
            .puts
            .get(id)
            .map(|put| put.was.iter().copied().chain(put.record.file).collect());
        put.or_else(|| self.gone.remove(id)).unwrap_or_default()
    }
}

/// Finishes what a killed process had written into the log and not yet into files.
fn make_good(state: &mut State, log: &Log, files: &[Found]) -> Result<(), OpenError> {
    let digest_of = |found: &Found| {
        state
            .folder
            .text(&found.path)
            .ok()
            .map(|text| Digest::of(text.as_bytes()))
    };
    let there: HashMap<&Id, &Found> = files.iter().map(|found| (&found.id, found)).collect();
    let mut writes = Vec::new();
    for (id, Logged { record, was }) in log
        .puts
        .iter()
        .filter(|(_, put)| put.record.version > log.filed)
    {
        let Some(wanted) = record.file else { continue };
        let as_it_was = match there.get(id) {
            None => true,
            Some(found) => {
                let digest = digest_of(found);
                let readable = state
                    .folder
                    .text(&found.path)
                    .is_ok_and(|text| folder::read(&text).is_ok());
                digest != Some(wanted)
                    && (digest.is_some_and(|digest| was.contains(&digest)) || !readable)
            }
        };
        if as_it_was {
            writes.push((id.clone(), folder::write(&record.value())));
        }
    }
    let left: Vec<Id> = log
        .gone
        .iter()
        .filter(|(id, was)| {
            there
                .get(id)
                .and_then(|found| digest_of(found))
                .is_some_and(|digest| was.contains(&digest))
        })
        .map(|(id, _)| id.clone())
        .collect();
    let failed = |id: &Id, source| OpenError::Io {
        path: state.folder.path(id),
        source,
    };
    for id in &left {
        state
            .folder
            .remove(id)
            .map_err(|source| failed(id, source))?;
    }
    for (id, text) in &writes {
        state
            .folder
            .put(id, text)
            .map_err(|source| failed(id, source))?;
        state.unsynced.push(state.folder.path(id));
    }
    Ok(())
}

/// Serves the kinds of the CRDs that are there.
fn serve_definitions(state: &mut State) -> Result<(), OpenError> {
    let definitions = state
        .records
        .values()
        .filter(|record| record.id.resource.starts_with("customresourcedefinitions."));
    for record in definitions.cloned().collect::<Vec<_>>() {
        match super::crd::kind_of(&record.value()) {
            Ok(kind) => state.kinds.serve(kind),
            Err(error) => {
                let path = state.folder.path(&record.id);
                return Err(OpenError::File {
                    path,
                    reason: error.to_string(),
                });
            }
        }
    }
    Ok(())
}

/// Takes over what was done to the files while nobody had the folder open.
fn take_over_files(state: &mut State) -> Result<(), OpenError> {
    let root = state.folder.root().to_owned();
    let mut files = state
        .folder
        .files()
        .map_err(|source| OpenError::Io { path: root, source })?;
    // What others need comes first: namespaces, then definitions.
    files.sort_by_key(|found| match found.id.resource.as_str() {
        "namespaces" => 0,
        "customresourcedefinitions.apiextensions.k8s.io" => 1,
        _ => 2,
    });
    for found in &files {
        if state.kind_of(&found.id.resource).is_none() {
            without_kind(&found.path);
            continue;
        }
        state
            .take_over(found)
            .map_err(|EditError { path, reason }| OpenError::File { path, reason })?;
    }
    let there: std::collections::BTreeSet<Id> = files.into_iter().map(|found| found.id).collect();
    let filed = state
        .records
        .values()
        .filter(|record| record.file.is_some())
        .map(|record| record.id.clone());
    for id in filed.filter(|id| !there.contains(id)).collect::<Vec<_>>() {
        state.notice(&id)?;
    }
    Ok(())
}

/// Makes a folder into one that can be opened.
pub(crate) fn prepare(path: &Path) -> Result<Folder, OpenError> {
    Folder::prepare(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })
}
