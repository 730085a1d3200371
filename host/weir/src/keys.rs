//! Private keys on a laptop: where the `sops` tool looks for them. Nothing is looked for before the first question.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use bytes::Bytes;
use weir_controller::{Machine, unwrap_key};
use weir_plugin::Refusal;
use weir_secrets::cloud::Cloud;
use weir_secrets::laptop::{self, Found, Place};
use weir_secrets::{Keyring, Secret, Surroundings, WebAnswer, WebRequest};

use crate::remote::Remotes;

/// A file of keys is no longer than this.
const LONGEST_FILE: u64 = 1 << 20;
/// What a variable that names something begins with: what it names has to be usable.
const NAMED: &str = "SOPS_";

/// The keys of the person at the terminal.
#[derive(Debug, Default)]
pub(crate) struct LaptopKeys {
    found: OnceLock<Keyring>,
}

impl LaptopKeys {
    /// Recovers a data key.
    pub(crate) fn unwrap(
        &self,
        remotes: &Remotes,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Bytes, Refusal> {
        let keyring = match self.found.get() {
            Some(keyring) => keyring,
            None => {
                let around = Laptop {
                    machine: remotes.machine().map_err(Refusal::Unavailable)?,
                    offline: remotes.offline,
                };
                self.found.get_or_init(|| look(&Cloud::new(around)))
            }
        };
        unwrap_key(keyring, scheme, fields, wrapped)
    }
}

/// This machine, which with `--offline` asks nobody.
#[derive(Debug)]
struct Laptop {
    machine: Machine,
    offline: bool,
}

impl Surroundings for Laptop {
    fn variable(&self, name: &str) -> Option<String> {
        self.machine.variable(name)
    }

    fn file(&self, path: &str) -> Option<Secret> {
        self.machine.file(path)
    }

    fn output(&self, command: &[&str]) -> Option<Secret> {
        self.machine.output(command)
    }

    fn now(&self) -> SystemTime {
        self.machine.now()
    }

    fn send(&self, request: &WebRequest) -> Result<WebAnswer, String> {
        match self.offline {
            true => Err("with --offline no key service is asked".to_owned()),
            false => self.machine.send(request),
        }
    }
}

/// Reads the environment and the files. A key that somebody named and that cannot be used is told; one that only lies where
/// keys lie is passed over.
fn look(cloud: &Cloud) -> Keyring {
    let home = variable("HOME").map(PathBuf::from);
    let at_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let found = Found {
        ssh_keys: vec![
            named_file("SOPS_AGE_SSH_PRIVATE_KEY_FILE"),
            command("SOPS_AGE_SSH_PRIVATE_KEY_CMD"),
            file("~/.ssh/id_ed25519", at_home(".ssh/id_ed25519")),
            file("~/.ssh/id_rsa", at_home(".ssh/id_rsa")),
        ],
        identities: vec![
            Place {
                name: "SOPS_AGE_KEY".to_owned(),
                content: variable("SOPS_AGE_KEY").map(|text| text.into_bytes().into()),
            },
            named_file("SOPS_AGE_KEY_FILE"),
            command("SOPS_AGE_KEY_CMD"),
            file(
                "sops/age/keys.txt",
                configuration(at_home).map(|folder| folder.join("sops/age/keys.txt")),
            ),
        ],
        gpg: Some(variable("SOPS_GPG_EXEC").map_or_else(|| "gpg".into(), PathBuf::from)),
        passphrase: None,
    };
    let (keyring, unusable) = laptop::keyring(&found, cloud);
    for (place, error) in unusable
        .iter()
        .filter(|(place, _)| place.starts_with(NAMED))
    {
        anstream::eprintln!("warning: {place}: {error}");
    }
    keyring
}

/// The folder of the user's configuration.
fn configuration(at_home: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let of_platform = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| at_home(of_platform))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn named_file(name: &str) -> Place {
    file(name, variable(name).map(PathBuf::from))
}

fn file(name: &str, path: Option<PathBuf>) -> Place {
    Place {
        name: name.to_owned(),
        content: path.and_then(|path| read(&path)),
    }
}

fn read(path: &Path) -> Option<Secret> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > LONGEST_FILE {
        return None;
    }
    Some(std::fs::read(path).ok()?.into())
}

/// What a program prints that a variable names, with its arguments.
fn command(name: &str) -> Place {
    let content = variable(name).and_then(|line| {
        let mut words = words(&line).into_iter();
        let mut program = Command::new(words.next()?);
        program
            .args(words)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        let output = program.output().ok()?;
        output.status.success().then(|| output.stdout.into())
    });
    Place {
        name: name.to_owned(),
        content,
    }
}

/// The words of a command line, as a shell divides it: quotes hold together, a backslash takes the meaning of what follows.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(characters.next()),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_divided_as_a_shell_does() {
        assert_eq!(words(" pass  show 'a key' "), ["pass", "show", "a key"]);
        assert_eq!(
            words(r#"x "a 'b' \"c" d\ e '' "#),
            ["x", "a 'b' \"c", "d e", ""]
        );
        assert!(words("  ").is_empty());
    }
}
