//! The `gpg` program, which knows the keys of its user and where their passphrases are.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::{KeyService, Secret, UnwrapError, WrappedKey};

/// The longest key that is read from it.
const LONGEST_KEY: u64 = 4 << 10;

/// Runs a `gpg` program for each key.
#[derive(Clone, Debug)]
pub struct Gpg {
    program: PathBuf,
}

impl Gpg {
    /// `program` is a path or a name that is looked up.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    fn run(&self, wrapped: &[u8]) -> std::io::Result<Option<Secret>> {
        let mut child = Command::new(&self.program)
            .args(["--no-default-recipient", "--decrypt"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // One that ends before it has read everything says why by its status.
            let _ = input.write_all(wrapped);
        }
        let mut plain = Zeroizing::new(Vec::new());
        if let Some(output) = child.stdout.take() {
            output.take(LONGEST_KEY).read_to_end(&mut plain)?;
        }
        let status = child.wait()?;
        Ok(status.success().then(|| plain.into()))
    }
}

impl KeyService for Gpg {
    fn schemes(&self) -> &[&'static str] {
        &["pgp"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        match self.run(key.wrapped) {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(UnwrapError::NoKey(
                "could not decrypt data key with PGP key".to_owned(),
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(UnwrapError::NoKey(
                format!("there is no program {}", self.program.display()),
            )),
            Err(error) => Err(UnwrapError::Unavailable(format!(
                "running {}: {error}",
                self.program.display()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_no_key() {
        let gpg = Gpg::new("/nowhere/gpg");
        let key = WrappedKey {
            scheme: "pgp",
            fields: &[],
            wrapped: b"x",
        };
        assert_eq!(
            gpg.unwrap(&key).unwrap_err(),
            UnwrapError::NoKey("there is no program /nowhere/gpg".to_owned())
        );
    }
}
