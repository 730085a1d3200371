//! A folder of compiled components.
//!
//! Each file is named by a digest of the component and of the engine's configuration and version. It holds an HMAC-SHA-256
//! over its name and content, and the content. The key is 32 random bytes in a file of mode 0600, made when the folder is
//! first used. What does not pass is removed and made again. The folder can be deleted at any time.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use weir_tree::Digest;
use zeroize::Zeroizing;

const KEY_FILE: &str = "key";
const SUFFIX: &str = ".cwasm";
const TAG: usize = 32;

/// The cache of one installation. Several processes may use one folder.
pub(crate) struct Cache {
    folder: PathBuf,
    key: Zeroizing<[u8; 32]>,
    most_bytes: u64,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the cache folder {path}: {source}")]
pub struct CacheError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// Content whose keyed digest was checked.
pub(super) struct Authentic<'a>(&'a [u8]);

impl Authentic<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        self.0
    }
}

impl Cache {
    /// Opens the folder, making it and its key if they are not there.
    pub(crate) fn open(folder: &Path, most_bytes: u64) -> Result<Self, CacheError> {
        let wrong = |source| CacheError {
            path: folder.to_owned(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(wrong)?;
        let key = read_or_make_key(folder).map_err(wrong)?;
        Ok(Self {
            folder: folder.to_owned(),
            key,
            most_bytes,
        })
    }

    /// The compiled component, if this installation has it.
    pub(crate) fn load(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let name = name(engine, component);
        let path = self.folder.join(&name);
        let file = match fs::read(&path) {
            Ok(file) => file,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(%error, path = %path.display(), "compiled plugin is not readable");
                }
                return None;
            }
        };
        let loaded = match self.authentic(&name, &file) {
            Some(content) => super::authentic(engine, content).map_err(|error| error.to_string()),
            None => Err("it was not written by this installation, or is damaged".to_owned()),
        };
        match loaded {
            Ok(component) => {
                // Says that it is in use, for `prune`.
                let touched =
                    File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                if let Err(error) = touched {
                    tracing::debug!(%error, path = %path.display(), "time of a compiled plugin not set");
                }
                Some(component)
            }
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "compiled plugin not used");
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps a compiled component. Failing to do so costs time later and nothing else.
    pub(crate) fn store(&self, engine: &Engine, component: Digest, compiled: &Component) {
        let name = name(engine, component);
        let result = compiled
            .serialize()
            .map_err(|error| io::Error::other(error.to_string()))
            .and_then(|code| self.write(&name, &code))
            .and_then(|()| self.prune(&name));
        if let Err(error) = result {
            tracing::warn!(%error, folder = %self.folder.display(), "compiled plugin not kept");
        }
    }

    fn authentic<'a>(&self, name: &str, file: &'a [u8]) -> Option<Authentic<'a>> {
        let (tag, content) = file.split_at_checked(TAG)?;
        self.mac(name, content).verify_slice(tag).ok()?;
        Some(Authentic(content))
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let tag = self.mac(name, content).finalize().into_bytes();
        write_atomically(&self.folder, name, &[&tag, content])
    }

    fn mac(&self, name: &str, content: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&*self.key).expect("HMAC takes keys of any length");
        mac.update(name.as_bytes());
        mac.update(&[0]);
        mac.update(content);
        mac
    }

    /// Removes what was not used for longest until the folder is within its bound.
    fn prune(&self, keep: &str) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(text) = name.to_str() else { continue };
            if text.ends_with(SUFFIX) {
                let about = entry.metadata()?;
                files.push((about.modified()?, about.len(), name));
            } else if text.starts_with('.') && old(&entry.metadata()?) {
                // The draft of a process that was killed.
                fs::remove_file(self.folder.join(name))?;
            }
        }
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        files.sort();
        for (_, size, name) in files {
            if total <= self.most_bytes {
                break;
            }
            if name.to_str() != Some(keep) {
                fs::remove_file(self.folder.join(name))?;
                total -= size;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// Whether nobody can still be writing the file.
fn old(about: &fs::Metadata) -> bool {
    const HOUR: Duration = Duration::from_secs(3600);
    about
        .modified()
        .ok()
        .and_then(|time| time.elapsed().ok())
        .is_some_and(|age| age > HOUR)
}

fn name(engine: &Engine, component: Digest) -> String {
    let mut hasher = Digester(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(component.as_bytes());
    format!("{}{SUFFIX}", hex::encode(hasher.0.finalize()))
}

/// Takes what a type feeds its hash, so that the digest does not depend on the hasher of one process.
struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        u64::from_le_bytes([
            digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
        ])
    }
}

fn read_or_make_key(folder: &Path) -> io::Result<Zeroizing<[u8; 32]>> {
    let path = folder.join(KEY_FILE);
    if let Some(key) = read_key(&path)? {
        return Ok(key);
    }
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).map_err(|error| io::Error::other(error.to_string()))?;
    // Another process may be doing the same: whoever links first wins, and both read what is there then.
    let draft = draft(folder, KEY_FILE)?;
    let linked = write_file(&draft, &[&*key]).and_then(|()| fs::hard_link(&draft, &path));
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    read_key(&path)?.ok_or_else(|| io::Error::other("its key was removed while it was opened"))
}

/// `None` if there is no key. One that others can read or write is worth nothing.
fn read_key(path: &Path) -> io::Result<Option<Zeroizing<[u8; 32]>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    let owner = fs::metadata(path.parent().unwrap_or(path))?.uid();
    if about.permissions().mode() & 0o077 != 0 || about.uid() != owner || about.len() != 32 {
        let text = "its file \"key\" must be 32 bytes that only the owner of the folder can read; remove the folder";
        return Err(io::Error::other(text));
    }
    let mut key = Zeroizing::new([0; 32]);
    file.read_exact(&mut *key)?;
    Ok(Some(key))
}

fn write_atomically(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<()> {
    let draft = draft(folder, name)?;
    let written = write_file(&draft, parts).and_then(|()| fs::rename(&draft, folder.join(name)));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_file(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// A name that no other process uses.
fn draft(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(folder.join(format!(".{name}.{}", hex::encode(random))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{TARGET, engine_config};

    fn engine() -> Engine {
        Engine::new(&engine_config(TARGET).unwrap()).unwrap()
    }

    fn component(engine: &Engine) -> (Digest, Component) {
        let bytes = wat::parse_str("(component)").unwrap();
        (Digest::of(&bytes), Component::new(engine, &bytes).unwrap())
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let all = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        all.filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cwasm")
        })
        .collect()
    }

    #[test]
    fn what_was_stored_is_loaded_by_the_same_installation() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine();
        let (digest, compiled) = component(&engine);
        let cache = Cache::open(folder.path(), 1 << 20).unwrap();
        assert!(cache.load(&engine, digest).is_none());
        cache.store(&engine, digest, &compiled);
        assert!(cache.load(&engine, digest).is_some());
        assert!(
            Cache::open(folder.path(), 1 << 20)
                .unwrap()
                .load(&engine, digest)
                .is_some()
        );
        assert!(cache.load(&engine, Digest::of(b"other")).is_none());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join(KEY_FILE)), 0o600);
        assert_eq!(mode(&files(folder.path())[0]), 0o600);
    }

    #[test]
    fn what_somebody_else_wrote_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let stranger = tempfile::tempdir().unwrap();
        let engine = engine();
        let (digest, compiled) = component(&engine);
        let cache = Cache::open(folder.path(), 1 << 20).unwrap();
        let other = Cache::open(stranger.path(), 1 << 20).unwrap();
        other.store(&engine, digest, &compiled);
        let planted = folder.path().join(name(&engine, digest));
        fs::copy(&files(stranger.path())[0], &planted).unwrap();
        assert!(cache.load(&engine, digest).is_none());
        assert!(!planted.exists());
    }

    #[test]
    fn damaged_and_renamed_files_are_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine();
        let (digest, compiled) = component(&engine);
        let cache = Cache::open(folder.path(), 1 << 20).unwrap();
        cache.store(&engine, digest, &compiled);
        let path = files(folder.path()).remove(0);
        let mut bytes = fs::read(&path).unwrap();
        fs::write(
            folder.path().join(name(&engine, Digest::of(b"other"))),
            &bytes,
        )
        .unwrap();
        assert!(cache.load(&engine, Digest::of(b"other")).is_none());
        *bytes.last_mut().unwrap() ^= 1;
        for content in [&bytes[..], &bytes[..10], &[]] {
            fs::write(&path, content).unwrap();
            assert!(cache.load(&engine, digest).is_none());
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Cache::open(folder.path(), 1).unwrap());
        fs::set_permissions(
            folder.path().join(KEY_FILE),
            fs::Permissions::from_mode(0o644),
        )
        .unwrap();
        let error = Cache::open(folder.path(), 1).unwrap_err();
        assert!(
            error.source.to_string().contains("only the owner"),
            "{error}"
        );
    }

    #[test]
    fn the_folder_stays_within_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine();
        let (_, compiled) = component(&engine);
        let cache = Cache::open(folder.path(), 1).unwrap();
        for name in ["a", "b", "c"] {
            cache.store(&engine, Digest::of(name.as_bytes()), &compiled);
        }
        assert_eq!(files(folder.path()).len(), 1);
        assert!(cache.load(&engine, Digest::of(b"c")).is_some());
    }
}
