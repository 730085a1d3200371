//! Bringing to disk what was written, a moment later and in groups.
//!
//! A killed process loses nothing: the system has what it wrote. Syncing is about power failures, and costs too much to be
//! waited for by each write.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::journal::Line;
use super::state::State;

/// How long writes are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// What the thread is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Written,
    Stop,
}

/// Syncs after writes until it is told to stop.
pub(crate) fn run(state: &Weak<Mutex<State>>, messages: &Receiver<Message>) {
    while messages.recv() == Ok(Message::Written) {
        if stopped_within(messages, GATHER) {
            return;
        }
        let Some(state) = state.upgrade() else { return };
        if let Err(error) = sync(&state) {
            tracing::warn!(%error, "syncing a local cluster to disk");
        }
    }
}

/// Brings everything to disk and marks in the log that it is there.
pub(crate) fn sync(state: &Mutex<State>) -> io::Result<()> {
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let (log, files, version) = {
        let mut state = lock();
        (
            state.journal.handle()?,
            std::mem::take(&mut state.unsynced),
            state.version,
        )
    };
    if let Err(error) = log.sync_data().and_then(|()| sync_files(&files)) {
        lock().unsynced.extend(files);
        return Err(error);
    }
    let mut state = lock();
    if state.journal.worth_rewriting() && state.version == version {
        let State {
            journal, records, ..
        } = &mut *state;
        return journal.rewrite(version, records.values().map(|record| &**record));
    }
    state.journal.append(&Line::Filed { version })
}

fn stopped_within(messages: &Receiver<Message>, time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        match messages.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Message::Written) => {}
            Err(RecvTimeoutError::Timeout) => return false,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}

fn sync_files(files: &[PathBuf]) -> io::Result<()> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let all = files.iter().map(PathBuf::as_path).chain(folders);
    for path in all {
        match File::open(path) {
            Ok(file) => file.sync_all()?,
            // Removed in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
