//! The throw-away keys of the vectors.

use std::fs;
use std::path::{Path, PathBuf};

use weir_secrets::{AgeKeys, Keyring, PgpKeys, UnwrapError, WrappedKey};
use weir_sops::{Keys, Zeroizing};

/// Lets the engine ask a keyring, as the host does.
pub(crate) struct Ask(pub(crate) Keyring);

impl Keys for Ask {
    fn unwrap(
        &self,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, weir_sops::UnwrapError> {
        let key = WrappedKey {
            scheme,
            fields,
            wrapped,
        };
        self.0
            .unwrap(&key)
            .map(Into::into)
            .map_err(|error| match error {
                UnwrapError::Unavailable(text) => weir_sops::UnwrapError::Unavailable(text),
                UnwrapError::NoKey(text) | UnwrapError::Damaged(text) => {
                    weir_sops::UnwrapError::NoKey(text)
                }
            })
    }
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/sops")
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join("keys").join(name)).unwrap()
}

/// A keyring of some of the files in the folder of keys.
pub(crate) fn keyring(names: &[&str]) -> Ask {
    let mut age = AgeKeys::default();
    let mut pgp = PgpKeys::default();
    for name in names {
        let content = read(name);
        if name.starts_with("age") {
            assert_eq!(age.add_identities(&content), Ok(1), "{name}");
        } else if name.starts_with("ssh") {
            age.add_ssh_key(&content, None).unwrap();
        } else {
            assert_eq!(pgp.add_armored(&content), Ok(1), "{name}");
        }
    }
    Ask(Keyring::default().with(age).with(pgp))
}
