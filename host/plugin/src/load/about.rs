//! What a plugin says about itself, checked.

use serde::{Deserialize, Serialize};

use crate::guest::exports::weir::plugin::plugin as wit;

/// A plugin's description of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub name: String,
    pub version: String,
    pub summary: String,
    /// JSON Schema of the config; empty if it takes none.
    pub config_schema: String,
    pub capabilities: Vec<Capability>,
    /// Hints that stand in for the host's defaults; 0 for none.
    pub memory_mib: u32,
    pub time_ms: u32,
}

/// Something that the plugin would like to be granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capability {
    /// The field of [`crate::Grants`].
    pub what: String,
    pub names: Vec<String>,
    pub required: bool,
    pub reason: String,
}

/// What a plugin says about itself makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AboutError {
    #[error("the name {0:?} must have 1 to 63 lower-case letters, digits and \"-\"")]
    Name(String),
    #[error("the version {0:?} must be like 1.2.3")]
    Version(String),
    #[error("{what} has {size} bytes, over the limit of {limit}")]
    TooLong {
        what: &'static str,
        size: usize,
        limit: usize,
    },
    #[error("it asks for {0} capabilities, {MOST_CAPABILITIES} is the most")]
    Capabilities(usize),
    #[error("it requires the capability {0:?}, which this host does not have")]
    UnknownCapability(String),
    #[error("the config schema: {0}")]
    Schema(String),
}

const CAPABILITIES: [&str; 7] = [
    "files",
    "objects",
    "values",
    "keys",
    "hosts",
    "documents",
    "plugins",
];
const MOST_CAPABILITIES: usize = 100;
const MOST_NAMES: usize = 100;
const LONGEST_LINE: usize = 500;

impl About {
    pub(crate) fn checked(said: wit::About) -> Result<Self, AboutError> {
        check_name(&said.name)?;
        check_version(&said.version)?;
        check_length("the summary", &said.summary)?;
        if said.capabilities.len() > MOST_CAPABILITIES {
            return Err(AboutError::Capabilities(said.capabilities.len()));
        }
        let mut capabilities = Vec::new();
        for capability in said.capabilities {
            capabilities.extend(Capability::checked(capability)?);
        }
        Ok(Self {
            name: said.name,
            version: said.version,
            summary: said.summary,
            config_schema: said.config_schema,
            capabilities,
            memory_mib: said.memory_mib,
            time_ms: said.time_ms,
        })
    }
}

impl Capability {
    /// `None` for one that this host does not know and the plugin can do without.
    fn checked(said: wit::Capability) -> Result<Option<Self>, AboutError> {
        check_length("the name of a capability", &said.what)?;
        check_length("the reason of a capability", &said.reason)?;
        if said.names.len() > MOST_NAMES {
            return Err(AboutError::Capabilities(said.names.len()));
        }
        said.names
            .iter()
            .try_for_each(|name| check_length("a name in a capability", name))?;
        if !CAPABILITIES.contains(&said.what.as_str()) {
            return if said.required {
                Err(AboutError::UnknownCapability(said.what))
            } else {
                Ok(None)
            };
        }
        Ok(Some(Self {
            what: said.what,
            names: said.names,
            required: said.required,
            reason: said.reason,
        }))
    }
}

fn check_name(name: &str) -> Result<(), AboutError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = name.starts_with('-') || name.ends_with('-');
    if name.is_empty() || name.len() > 63 || !name.chars().all(fits) || ends {
        return Err(AboutError::Name(name.chars().take(100).collect()));
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), AboutError> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers = core
        .split('.')
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if version.len() > 100 || core.split('.').count() != 3 || !numbers || !version.chars().all(fits)
    {
        return Err(AboutError::Version(version.chars().take(100).collect()));
    }
    Ok(())
}

fn check_length(what: &'static str, text: &str) -> Result<(), AboutError> {
    if text.len() > LONGEST_LINE {
        return Err(AboutError::TooLong {
            what,
            size: text.len(),
            limit: LONGEST_LINE,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> wit::About {
        wit::About {
            name: "require-limits".into(),
            version: "1.2.3-rc.1".into(),
            summary: "checks limits".into(),
            config_schema: String::new(),
            capabilities: vec![wit::Capability {
                what: "files".into(),
                names: vec!["apps/**".into()],
                required: true,
                reason: "reads them".into(),
            }],
            memory_mib: 0,
            time_ms: 0,
        }
    }

    fn refused(change: impl FnOnce(&mut wit::About)) -> String {
        let mut about = said();
        change(&mut about);
        About::checked(about).unwrap_err().to_string()
    }

    #[test]
    fn a_sane_description_is_taken() {
        let about = About::checked(said()).unwrap();
        assert_eq!(about.capabilities[0].names, ["apps/**"]);
    }

    #[test]
    fn capabilities_of_later_hosts_are_optional() {
        let mut about = said();
        about.capabilities[0].what = "gpus".into();
        about.capabilities[0].required = false;
        assert_eq!(About::checked(about).unwrap().capabilities, []);
        let text = refused(|about| about.capabilities[0].what = "gpus".into());
        assert_eq!(
            text,
            "it requires the capability \"gpus\", which this host does not have"
        );
    }

    #[test]
    fn odd_descriptions_are_refused() {
        for name in ["", "-a", "A", "a_b", "a b", &"a".repeat(64)] {
            assert!(
                refused(|about| about.name = name.to_owned()).contains("must have 1 to 63"),
                "{name}"
            );
        }
        for version in ["", "1", "1.2", "v1.2.3", "1.2.x", "1..3", "1.2.3 "] {
            assert!(
                refused(|about| about.version = version.to_owned()).contains("must be like 1.2.3"),
                "{version}"
            );
        }
        assert_eq!(
            refused(|about| about.summary = "x".repeat(501)),
            "the summary has 501 bytes, over the limit of 500"
        );
        let text = refused(|about| about.capabilities = vec![about.capabilities[0].clone(); 101]);
        assert_eq!(text, "it asks for 101 capabilities, 100 is the most");
    }
}
