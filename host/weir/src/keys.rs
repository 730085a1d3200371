//! Private keys on a laptop: where the `sops` tool looks for them. Nothing is looked for before the first question.

use std::path::PathBuf;
use std::sync::OnceLock;

use bytes::Bytes;
use weir_controller::{Machine, unwrap_key};
use weir_plugin::Refusal;
use weir_secrets::cloud::Cloud;
use weir_secrets::laptop::{self, Found, Place};
use weir_secrets::{Keyring, Secret, Surroundings as _};

use crate::remote::Remotes;

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
                let machine = remotes.machine().map_err(Refusal::Unavailable)?;
                self.found.get_or_init(|| look(&machine))
            }
        };
        unwrap_key(keyring, scheme, fields, wrapped)
    }
}

/// Reads the environment and the files. A key that somebody named and that cannot be used is told; one that only lies where
/// keys lie is passed over.
fn look(machine: &Machine) -> Keyring {
    let variable = |name: &str| machine.variable(name);
    let home = variable("HOME").map(PathBuf::from);
    let at_home = |path: &str| home.as_ref().map(|home| home.join(path));
    let file = |name: &str, path: Option<PathBuf>| Place {
        name: name.to_owned(),
        content: path.and_then(|path| machine.file(path.to_str()?)),
    };
    let named_file = |name: &str| file(name, variable(name).map(PathBuf::from));
    let command = |name: &str| Place {
        name: name.to_owned(),
        content: variable(name).and_then(|line| {
            let words = words(&line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            machine.output(&words)
        }),
    };
    let of_platform = if cfg!(target_os = "macos") {
        "Library/Application Support"
    } else {
        ".config"
    };
    let configuration = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| at_home(of_platform));
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
                content: variable("SOPS_AGE_KEY").map(Secret::from),
            },
            named_file("SOPS_AGE_KEY_FILE"),
            command("SOPS_AGE_KEY_CMD"),
            file(
                "sops/age/keys.txt",
                configuration.map(|folder| folder.join("sops/age/keys.txt")),
            ),
        ],
        gpg: Some(variable("SOPS_GPG_EXEC").map_or_else(|| "gpg".into(), PathBuf::from)),
        passphrase: None,
    };
    let (keyring, unusable) = laptop::keyring(&found, &Cloud::new(machine.clone()));
    for (place, error) in unusable
        .iter()
        .filter(|(place, _)| place.starts_with(NAMED))
    {
        anstream::eprintln!("warning: {place}: {error}");
    }
    keyring
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
