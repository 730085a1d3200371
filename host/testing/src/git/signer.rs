//! Git that signs.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// Git, with a key that `ssh-keygen` made.
#[derive(Debug)]
pub struct Signer {
    folder: TempDir,
}

impl Signer {
    /// With a new key.
    pub fn new() -> Result<Self> {
        let signer = Self {
            folder: tempfile::tempdir()?,
        };
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]);
        run(command.arg(signer.folder.path().join("key")))?;
        Ok(signer)
    }

    /// The public key, as in `authorized_keys`.
    pub fn public(&self) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join("key.pub"))?)
    }

    /// Runs Git in a repository, and gives what it prints.
    pub fn git(&self, at: &Path, arguments: &[&str]) -> Result<String> {
        let key = self.folder.path().join("key");
        let mut command = Command::new("git");
        command.current_dir(at).env("HOME", self.folder.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        for setting in [
            "user.name=Ann",
            "user.email=ann@example.org",
            "gpg.format=ssh",
            &format!("user.signingkey={}", key.display()),
        ] {
            command.args(["-c", setting]);
        }
        run(command.args(arguments))
    }

    /// Puts a signed commit on top of `main`, with its files, and gives its id.
    pub fn commit(&self, at: &Path) -> Result<String> {
        let arguments = [
            "commit-tree",
            "-S",
            "-m",
            "signed",
            "main^{tree}",
            "-p",
            "main",
        ];
        let commit = self.git(at, &arguments)?;
        self.git(at, &["update-ref", "refs/heads/main", &commit])?;
        Ok(commit)
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("running {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
