//! What earlier commands rendered of a repository, in one file of the cache.
//!
//! The file is read when a command starts and replaced when it has rendered something new. It is renamed into place, so that of
//! two commands at once one wins and both are right; what it says is checked against the repository before it is used, so
//! that it may be old, damaged or gone. What has a secret in it never comes here.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use weir_render::Shelf;
use weir_tree::Digest;

/// What the file begins with; another number for another form of runs.
const MAGIC: &[u8] = b"weir runs 1\n";
/// Key, length and check of a run.
const HEAD: usize = 32 + 4 + CHECK;
/// So many bytes of a digest tell whether a run is damaged.
const CHECK: usize = 8;
/// More than this is not kept.
const LARGEST: usize = 128 << 20;
/// Of one step so many runs are kept, for as many states of the repository.
const VARIANTS: usize = 3;

/// The runs of one repository.
#[derive(Debug)]
pub(crate) struct KeptRuns {
    place: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file as it was read.
    file: Bytes,
    /// Where runs are in it by key, newest first.
    known: HashMap<Digest, Vec<Range<usize>>>,
    /// All of them in the order of the file.
    order: Vec<(Digest, Range<usize>)>,
    /// Whose runs were asked for.
    used: HashSet<Digest>,
    new: Vec<(Digest, Vec<u8>)>,
}

impl KeptRuns {
    /// The runs of the repository in a folder, kept below a cache folder.
    pub(crate) fn open(cache: &Path, repository: &Path) -> Self {
        let repository = repository
            .canonicalize()
            .unwrap_or_else(|_| repository.to_owned());
        let name = Digest::of(repository.as_os_str().as_encoded_bytes()).hex();
        let place = cache.join("runs").join(name);
        let state = read(&place).map(parse).unwrap_or_default();
        Self {
            place,
            state: Mutex::new(state),
        }
    }

    /// Writes what is new, and of the rest first what was used. A file that cannot be written is as good as none.
    pub(crate) fn write(&self) {
        let mut state = self.state();
        if state.new.is_empty() {
            return;
        }
        let content = content(&state);
        if let Err(error) = put(&self.place, &content) {
            tracing::debug!(place = %self.place.display(), error = %error, "what was rendered is not kept");
            return;
        }
        let used = std::mem::take(&mut state.used);
        *state = State {
            used,
            ..parse(content)
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for KeptRuns {
    fn find(&self, key: &Digest) -> Vec<Bytes> {
        let mut state = self.state();
        let Some(places) = state.known.get(key).cloned() else {
            return Vec::new();
        };
        state.used.insert(*key);
        places
            .into_iter()
            .filter_map(|place| {
                let run = state.file.slice(place.clone());
                let check = state.file.get(place.start - CHECK..place.start)?;
                (Digest::of(&run).as_bytes()[..CHECK] == *check).then_some(run)
            })
            .collect()
    }

    fn keep(&self, key: &Digest, run: Vec<u8>) {
        if run.len() > LARGEST {
            return;
        }
        self.state().new.push((*key, run));
    }
}

fn read(place: &Path) -> Option<Vec<u8>> {
    let size = fs::metadata(place).ok()?.len();
    if size > 2 * LARGEST as u64 {
        return None;
    }
    fs::read(place).ok()
}

/// Finds the runs of a file. What is cut off at its end is not there.
fn parse(content: Vec<u8>) -> State {
    let mut state = State {
        file: content.into(),
        ..State::default()
    };
    if !state.file.starts_with(MAGIC) {
        return State::default();
    }
    let mut at = MAGIC.len();
    while let Some(head) = state.file.get(at..at + HEAD) {
        let (key, rest) = head.split_at(32);
        let (Ok(key), Ok(length)) = (<[u8; 32]>::try_from(key), rest[..4].try_into()) else {
            break;
        };
        let (key, start) = (Digest::from_bytes(key), at + HEAD);
        let Some(end) = start.checked_add(u32::from_le_bytes(length) as usize) else {
            break;
        };
        if end > state.file.len() {
            break;
        }
        state.known.entry(key).or_default().push(start..end);
        state.order.push((key, start..end));
        at = end;
    }
    state
}

/// The new file: what this command made, what it used, then the rest, as far as there is room.
fn content(state: &State) -> Vec<u8> {
    let new = state.new.iter().rev();
    let new = new.map(|(key, run)| (key, run.as_slice()));
    let of_file = |wanted: bool| {
        state
            .order
            .iter()
            .filter(move |(key, _)| state.used.contains(key) == wanted)
            .filter_map(|(key, place)| Some((key, state.file.get(place.clone())?)))
    };
    let mut content = MAGIC.to_vec();
    let mut counts: HashMap<Digest, usize> = HashMap::new();
    for (key, run) in new.chain(of_file(true)).chain(of_file(false)) {
        let count = counts.entry(*key).or_default();
        let Ok(length) = u32::try_from(run.len()) else {
            continue;
        };
        if *count == VARIANTS || content.len() + HEAD + run.len() > LARGEST {
            continue;
        }
        *count += 1;
        content.extend_from_slice(key.as_bytes());
        content.extend_from_slice(&length.to_le_bytes());
        content.extend_from_slice(&Digest::of(run).as_bytes()[..CHECK]);
        content.extend_from_slice(run);
    }
    content
}

fn put(place: &Path, content: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Its name is nobody else's, it can be read by its owner only, and it is gone if it does not get its place.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    file.persist(place)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Digest {
        Digest::of(&[number])
    }

    fn runs(kept: &KeptRuns, number: u8) -> Vec<Bytes> {
        kept.find(&key(number))
    }

    #[test]
    fn what_is_kept_is_there_for_the_next_command() {
        let folder = tempfile::tempdir().unwrap();
        let open = || KeptRuns::open(folder.path(), folder.path());
        let first = open();
        assert!(runs(&first, 1).is_empty());
        first.keep(&key(1), b"old".to_vec());
        first.keep(&key(2), b"other".to_vec());
        first.write();
        let second = open();
        second.keep(&key(1), b"new".to_vec());
        second.write();
        assert_eq!(runs(&open(), 1), [&b"new"[..], b"old"]);
        assert_eq!(runs(&open(), 2), [&b"other"[..]]);
        // Another repository has runs of its own.
        let other = tempfile::tempdir().unwrap();
        assert!(runs(&KeptRuns::open(folder.path(), other.path()), 1).is_empty());
    }

    #[test]
    fn of_one_step_few_runs_are_kept_and_those_in_use_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let open = || KeptRuns::open(folder.path(), folder.path());
        for number in 0..6u8 {
            let kept = open();
            kept.keep(&key(1), vec![number]);
            kept.write();
        }
        assert_eq!(runs(&open(), 1), [&[5u8][..], &[4], &[3]]);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let open = || KeptRuns::open(folder.path(), folder.path());
        let kept = open();
        kept.keep(&key(1), b"one".to_vec());
        kept.keep(&key(2), b"two".to_vec());
        kept.write();
        let whole = fs::read(&kept.place).unwrap();
        // The run of the first key is last.
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&kept.place, &changed).unwrap();
        assert!(runs(&open(), 1).is_empty());
        assert_eq!(runs(&open(), 2), [&b"two"[..]]);
        fs::write(&kept.place, &whole[..whole.len() - 1]).unwrap();
        assert!(runs(&open(), 1).is_empty());
        fs::write(&kept.place, b"something else").unwrap();
        assert!(runs(&open(), 2).is_empty());
    }

    #[test]
    fn commands_at_once_leave_a_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for number in 0..8u8 {
                let folder = folder.path();
                scope.spawn(move || {
                    let kept = KeptRuns::open(folder, folder);
                    kept.keep(&key(number), vec![number; 100_000]);
                    kept.write();
                });
            }
        });
        let kept = KeptRuns::open(folder.path(), folder.path());
        let there: usize = (0..8).map(|number| runs(&kept, number).len()).sum();
        assert!(there > 0);
        assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 1);
    }
}
