//! A real `sshd` on the loopback interface with Git repositories, and keys made by `ssh-keygen`.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use weir_testing::ssh::{KeyKind, SshKey, SshServer};
//!
//! let key = SshKey::generate(KeyKind::Ed25519, None)?;
//! let Some(server) = SshServer::start(&[&key], &[KeyKind::Ed25519])? else { return Ok(()) };
//! server.repository("fleet")?.commit("main", &[("a", "1")])?;
//! println!("{} {}", server.url("fleet"), server.known_hosts(KeyKind::Ed25519)?);
//! # Ok(())
//! # }
//! ```

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::git::Repository;
use crate::process::{Process, needed};

/// The server. Dropping it ends it and removes its repositories.
#[derive(Debug)]
pub struct SshServer {
    port: u16,
    user: String,
    folder: TempDir,
    _process: Process,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Ed25519,
    Rsa,
    Ecdsa,
}

/// How `ssh-keygen` writes a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    OpenSsh,
    Pkcs8,
    Pem,
}

/// A pair of keys.
#[derive(Clone, Debug)]
pub struct SshKey {
    pub private: String,
    /// As in `authorized_keys`, without a comment.
    pub public: String,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
        }
    }
}

impl SshKey {
    /// A new key in OpenSSH's format, encrypted if there is a passphrase.
    pub fn generate(kind: KeyKind, passphrase: Option<&str>) -> Result<Self> {
        Self::generate_as(kind, passphrase, KeyFormat::OpenSsh)
    }

    /// A new key in another format.
    pub fn generate_as(kind: KeyKind, passphrase: Option<&str>, format: KeyFormat) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("key");
        let mut command = Command::new("ssh-keygen");
        if kind == KeyKind::Rsa {
            // The smallest that is taken is the fastest made.
            command.args(["-b", "2048"]);
        }
        command.args(["-q", "-t", kind.name(), "-C", "", "-N"]);
        command.arg(passphrase.unwrap_or_default());
        match format {
            KeyFormat::OpenSsh => {}
            KeyFormat::Pkcs8 => drop(command.args(["-m", "PKCS8"])),
            KeyFormat::Pem => drop(command.args(["-m", "PEM"])),
        }
        run(command.arg("-f").arg(&path))?;
        let public = fs::read_to_string(path.with_extension("pub"))?;
        Ok(Self {
            private: fs::read_to_string(path)?,
            public: two_words(&public),
        })
    }
}

impl SshServer {
    /// Starts a server that lets in who has one of the keys, and shows host keys of these kinds. `None`, and a line on
    /// standard error, if no `sshd` is installed.
    pub fn start(authorized: &[&SshKey], kinds: &[KeyKind]) -> Result<Option<Self>> {
        let Some(program) = needed("sshd", "install openssh-server")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-ssh-").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let authorized: Vec<&str> = authorized.iter().map(|key| key.public.as_str()).collect();
        fs::write(path("authorized_keys"), authorized.join("\n") + "\n")?;
        let mut config = format!(
            "ListenAddress 127.0.0.1\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nMaxStartups 100\nRekeyLimit 256K\n",
            path("authorized_keys").display()
        );
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-C", "", "-N", "", "-f"])
            .arg(path("authority")))?;
        for kind in kinds {
            let key = path(&format!("host_{}", kind.name()));
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", kind.name(), "-C", "", "-N", "", "-f"])
                .arg(&key))?;
            writeln!(config, "HostKey {}", key.display())?;
            // For clients that ask for it, a certificate of the host.
            let sign = ["-q", "-I", "host", "-h", "-n", "127.0.0.1", "-s"];
            run(Command::new("ssh-keygen")
                .args(sign)
                .arg(path("authority"))
                .arg(key.with_extension("pub")))?;
            writeln!(config, "HostCertificate {}-cert.pub", key.display())?;
        }
        if let Err(error) = fs::create_dir_all("/run/sshd") {
            tracing::debug!(%error, "only root needs this folder");
        }
        fs::write(path("sshd_config"), config)?;
        let config = path("sshd_config");
        let (port, process) = Process::listening(&program, &path("log"), |port| {
            let port = port.to_string();
            let words: [&OsStr; 6] = [
                "-D".as_ref(),
                "-e".as_ref(),
                "-p".as_ref(),
                port.as_ref(),
                "-f".as_ref(),
                config.as_ref(),
            ];
            Ok(words.map(OsStr::to_owned).into())
        })?;
        let user = Command::new("id").arg("-un").output()?;
        Ok(Some(Self {
            port,
            user: String::from_utf8(user.stdout)?.trim().to_owned(),
            folder,
            _process: process,
        }))
    }

    /// Makes an empty bare repository that [`SshServer::url`] leads to.
    pub fn repository(&self, name: &str) -> Result<Repository> {
        Repository::create(&self.folder.path().join(format!("{name}.git")))
    }

    /// The address of a repository, existing or not.
    pub fn url(&self, name: &str) -> String {
        let path = self.folder.path().join(format!("{name}.git"));
        format!(
            "ssh://{}@127.0.0.1:{}{}",
            self.user,
            self.port,
            path.display()
        )
    }

    /// A line about the host's key of this kind.
    pub fn known_hosts(&self, kind: KeyKind) -> Result<String> {
        let file = format!("host_{}.pub", kind.name());
        let key = fs::read_to_string(self.folder.path().join(file))?;
        Ok(format!("[127.0.0.1]:{} {}\n", self.port, two_words(&key)))
    }

    /// A line about who signed the host's certificates.
    pub fn authority(&self) -> Result<String> {
        let key = fs::read_to_string(self.folder.path().join("authority.pub"))?;
        Ok(format!(
            "@cert-authority [127.0.0.1]:* {}\n",
            two_words(&key)
        ))
    }

    /// A line about the host with a key that is another one's.
    pub fn wrong_host(&self, key: &SshKey) -> String {
        format!("[127.0.0.1]:{} {}\n", self.port, key.public)
    }
}

fn two_words(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().take(2).collect();
    words.join(" ")
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("running {command:?}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} ended with {}: {text}", output.status);
    }
    Ok(())
}
