//! The data key: unwrapped by whoever holds private keys, put together from shares.

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::metadata::{MasterKey, Metadata};
use crate::shamir::{self, ShamirError};

/// Holds private keys, or knows who does.
pub trait Keys {
    /// Recovers what a master key wrapped. `fields` are those of the entry in the file, without `enc`, which is `wrapped`.
    ///
    /// # Errors
    ///
    /// When no private key fits, or what holds it does not answer.
    fn unwrap(
        &self,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError>;
}

/// Why a key was not unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnwrapError {
    /// There is no private key that fits.
    #[error("{0}")]
    NoKey(String),
    /// It is not allowed to ask.
    #[error("{0}")]
    Denied(String),
    /// A key service did not answer; it may later.
    #[error("{0}")]
    Unavailable(String),
}

/// Why there is no data key: what was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyError {
    threshold: usize,
    groups: Vec<Group>,
    shamir: Option<ShamirError>,
}

/// A group: unwrapped by one of its keys, or what each of them gave.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Group {
    Unwrapped,
    Failed(Vec<Failure>),
}

/// A master key that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failure {
    name: String,
    /// A key service has it, which says why it does not unwrap.
    of_service: bool,
    error: UnwrapError,
}

impl DataKeyError {
    /// The master keys that were tried in vain: age recipients, fingerprints, ARNs, addresses.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.failures().map(|failure| failure.name.as_str())
    }

    /// The same, with what key services said.
    #[must_use]
    pub fn explained(&self) -> String {
        let told = self.failures().map(|failure| match failure.of_service {
            true => format!("{} ({})", failure.name, failure.error),
            false => failure.name.clone(),
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// Whether a key service did not answer, so that a later try may succeed.
    #[must_use]
    pub fn unavailable(&self) -> bool {
        let mut failures = self.failures();
        failures.any(|failure| matches!(failure.error, UnwrapError::Unavailable(_)))
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.groups.iter().flat_map(|group| match group {
            Group::Unwrapped => [].as_slice(),
            Group::Failed(failures) => failures,
        })
    }

    fn unwrapped(&self) -> usize {
        let unwrapped = |group: &&Group| matches!(group, Group::Unwrapped);
        self.groups.iter().filter(unwrapped).count()
    }
}

/// Asks for each group until one of its keys is unwrapped.
pub(crate) fn data_key(
    metadata: &Metadata,
    keys: &dyn Keys,
) -> Result<Zeroizing<Vec<u8>>, DataKeyError> {
    let mut shares = Vec::new();
    let mut error = DataKeyError {
        threshold: metadata.threshold,
        groups: Vec::new(),
        shamir: None,
    };
    for group in &metadata.groups {
        error.groups.push(match share(group, keys) {
            Ok(share) => {
                shares.push(share);
                Group::Unwrapped
            }
            Err(failures) => Group::Failed(failures),
        });
    }
    if metadata.groups.len() == 1 {
        return shares.pop().ok_or(error);
    }
    if shares.len() < metadata.threshold {
        return Err(error);
    }
    shamir::combine(&shares).map_err(|problem| DataKeyError {
        shamir: Some(problem),
        ..error
    })
}

fn share(group: &[MasterKey], keys: &dyn Keys) -> Result<Zeroizing<Vec<u8>>, Vec<Failure>> {
    let mut order: Vec<&MasterKey> = group.iter().collect();
    order.sort_by_key(|key| key.scheme.rank());
    let mut failures = Vec::new();
    for key in order {
        let scheme = key.scheme.name();
        let mut failed = |error| {
            failures.push(Failure {
                name: key.name.clone(),
                of_service: key.scheme.of_service(),
                error,
            });
        };
        match keys.unwrap(scheme, &key.fields, key.wrapped.as_bytes()) {
            Ok(share) if !share.is_empty() => return Ok(share),
            Ok(_) => failed(UnwrapError::NoKey("the unwrapped key is empty".to_owned())),
            Err(error) => failed(error),
        }
    }
    Err(failures)
}

impl std::error::Error for DataKeyError {}

impl fmt::Display for DataKeyError {
    /// As sops tells its user: each group, each key, and what it takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = self.shamir {
            return write!(f, "could not get data key from shamir parts: {problem}");
        }
        f.write_str("Failed to get the data key required to decrypt the SOPS file.\n")?;
        for (at, group) in self.groups.iter().enumerate() {
            match group {
                Group::Unwrapped => write!(f, "\nGroup {at}: SUCCESS\n")?,
                Group::Failed(failures) => {
                    write!(f, "\nGroup {at}: FAILED\n")?;
                    for (position, failure) in failures.iter().enumerate() {
                        let Failure { name, error, .. } = failure;
                        let gap = if position > 0 { "\n" } else { "" };
                        writeln!(f, "{gap}  {name}: FAILED")?;
                        for (number, line) in wrapped(&error.to_string(), 60).iter().enumerate() {
                            let sign = if number == 0 { '-' } else { ' ' };
                            writeln!(f, "    {sign} | {line}")?;
                        }
                    }
                }
            }
        }
        let trailer = if self.threshold == 0 {
            "Recovery failed because no master key was able to decrypt the file. In order for SOPS to recover the file, at least one key has to be successful, but none were.".to_owned()
        } else {
            format!(
                "Recovery failed because the file was encrypted with a Shamir threshold of {0}, but only {1} part(s) were successfully recovered, one for each successful key group. In order for SOPS to recover the file, at least {0} groups have to be successful. In order for a group to be successful, decryption has to succeed with any of the keys in that key group.",
                self.threshold,
                self.unwrapped()
            )
        };
        write!(f, "\n{}", wrapped(&trailer, 75).join("\n"))
    }
}

/// Breaks a text at blanks into lines of at most so many characters, where it can.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests;
