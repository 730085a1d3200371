//! `trustpolicy.json`: what has to hold of the signatures of which repositories.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::NotationError;

/// A document of statements.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    #[serde(default)]
    version: String,
    #[serde(default)]
    trust_policies: Vec<Statement>,
}

/// What has to hold of the signatures of some repositories.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(default)]
    name: String,
    #[serde(default)]
    registry_scopes: Vec<String>,
    signature_verification: Verification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    level: Level,
    #[serde(default, rename = "override")]
    changes: BTreeMap<Check, Action>,
    #[serde(default)]
    verify_timestamp: Stamped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Level {
    Strict,
    Permissive,
    Audit,
    Skip,
}

/// When a time stamp is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum Stamped {
    #[default]
    #[serde(rename = "always", alias = "")]
    Always,
    #[serde(rename = "afterCertExpiry")]
    AfterExpiry,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Check {
    Integrity,
    Authenticity,
    AuthenticTimestamp,
    Expiry,
    Revocation,
}

/// What becomes of a signature that does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    Enforce,
    Log,
    Skip,
}

/// Why a policy cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    #[error("{0}")]
    Json(String),
    #[error("trust policy document uses unsupported version {0:?}")]
    Version(String),
    #[error("trust policy document can not have zero trust policy statements")]
    Empty,
    #[error("multiple trust policy statements use the same name {0:?}")]
    Name(String),
    #[error("trust policy statement {0:?} has zero registry scopes")]
    NoScope(String),
    #[error("trust policy statement {0:?} uses the scope '*' beside others")]
    Wildcard(String),
    #[error("registry scope {0:?} is present in multiple trust policy statements")]
    Scope(String),
    #[error("trust policy statement {name:?}: {reason}")]
    Statement { name: String, reason: String },
    #[error("artifact {0:?} has no applicable trust policy statement")]
    None(String),
}

impl Policy {
    /// Reads a document.
    pub fn parse(content: &[u8]) -> Result<Self, PolicyError> {
        let policy: Self = serde_json::from_slice(content)
            .map_err(|error| PolicyError::Json(error.to_string()))?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), PolicyError> {
        if self.version != "1.0" {
            return Err(PolicyError::Version(self.version.clone()));
        }
        if self.trust_policies.is_empty() {
            return Err(PolicyError::Empty);
        }
        let (mut names, mut scopes) = (BTreeSet::new(), BTreeSet::new());
        for statement in &self.trust_policies {
            let name = || statement.name.clone();
            if !names.insert(&statement.name) {
                return Err(PolicyError::Name(name()));
            }
            statement.check().map_err(|reason| PolicyError::Statement {
                name: name(),
                reason,
            })?;
            if statement.registry_scopes.is_empty() {
                return Err(PolicyError::NoScope(name()));
            }
            if statement.registry_scopes.len() > 1 && statement.is_for_all() {
                return Err(PolicyError::Wildcard(name()));
            }
            for scope in &statement.registry_scopes {
                if !scopes.insert(scope) {
                    return Err(PolicyError::Scope(scope.clone()));
                }
            }
        }
        Ok(())
    }

    /// The statement for a repository, `HOST/REPOSITORY`.
    pub fn of(&self, place: &str) -> Result<Statement, PolicyError> {
        let statements = self.trust_policies.iter();
        let named = statements
            .clone()
            .find(|one| one.registry_scopes.iter().any(|scope| scope == place));
        let found = named.or_else(|| statements.clone().find(|one| one.is_for_all()));
        found
            .cloned()
            .ok_or_else(|| PolicyError::None(place.to_owned()))
    }
}

impl Statement {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("it has no name".to_owned());
        }
        let verification = &self.signature_verification;
        if verification.level == Level::Skip {
            if !verification.changes.is_empty() {
                return Err("the level \"skip\" can't be customized".to_owned());
            }
            return Ok(());
        }
        for (check, action) in &verification.changes {
            if *check == Check::Integrity {
                return Err("\"integrity\" can not be overridden".to_owned());
            }
            if *check != Check::Revocation && *action == Action::Skip {
                return Err("only \"revocation\" can be skipped".to_owned());
            }
        }
        if self.trust_stores.is_empty() || self.trusted_identities.is_empty() {
            return Err("it must specify trustStores and trustedIdentities".to_owned());
        }
        for store in &self.trust_stores {
            let kind = store.split_once(':').map(|(kind, _)| kind);
            if !matches!(kind, Some("ca" | "signingAuthority" | "tsa")) {
                return Err(format!("{store:?} is no trust store such as ca:NAME"));
            }
        }
        let all = |one: &String| one == "*";
        if self.trusted_identities.len() > 1 && self.trusted_identities.iter().any(all) {
            return Err("it uses the identity '*' beside others".to_owned());
        }
        for identity in self.trusted_identities.iter().filter(|one| !all(one)) {
            let (kind, value) = identity
                .split_once(':')
                .ok_or_else(|| format!("the identity {identity:?} has no separator"))?;
            if kind == "x509.subject" {
                names_of(value)?;
            }
        }
        Ok(())
    }

    fn is_for_all(&self) -> bool {
        self.registry_scopes.iter().any(|scope| scope == "*")
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether no signature is asked for.
    pub fn skips(&self) -> bool {
        self.signature_verification.level == Level::Skip
    }

    pub(super) fn action(&self, check: Check) -> Action {
        let verification = &self.signature_verification;
        if let Some(action) = verification.changes.get(&check) {
            return *action;
        }
        match (verification.level, check) {
            (Level::Skip, _) => Action::Skip,
            (_, Check::Integrity) | (Level::Strict, _) => Action::Enforce,
            (Level::Permissive, Check::Authenticity) => Action::Enforce,
            (Level::Permissive | Level::Audit, _) => Action::Log,
        }
    }

    /// What does not pass is an error if it has to.
    pub(super) fn judge(&self, check: Check, error: NotationError) -> Result<(), NotationError> {
        match self.action(check) {
            Action::Enforce => Err(error),
            Action::Log | Action::Skip => Ok(()),
        }
    }

    /// Whether a time stamp has to say when it was signed.
    pub(super) fn wants_stamp(&self, expired: bool) -> bool {
        let clocks = self
            .trust_stores
            .iter()
            .any(|store| store.starts_with("tsa:"));
        clocks && (expired || self.signature_verification.verify_timestamp == Stamped::Always)
    }

    /// Whether somebody of these names is trusted.
    pub(super) fn names(&self, subject: &BTreeMap<String, String>) -> bool {
        self.trusted_identities.iter().any(|identity| {
            if identity == "*" {
                return true;
            }
            let Some(("x509.subject", value)) = identity.split_once(':') else {
                return false;
            };
            names_of(value).is_ok_and(|names| {
                let same = |(name, value)| subject.get(name) == Some(value);
                names.iter().all(same)
            })
        })
    }
}

/// The parts of a distinguished name (RFC 4514), as far as notation takes them.
fn names_of(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.contains("=#") {
        return Err(format!("the name {text:?} has a value in hexadecimal"));
    }
    let mut names = BTreeMap::new();
    for part in parts(text)? {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} in the name {text:?} has no value"))?;
        let name = match name.trim() {
            "S" => "ST",
            name => name,
        };
        let value = value.trim().to_owned();
        if names.insert(name.to_owned(), value).is_some() {
            return Err(format!("the name {text:?} has {name} twice"));
        }
    }
    for name in ["C", "ST", "O"] {
        if names.get(name).is_none_or(String::is_empty) {
            return Err(format!(
                "the name {text:?} has no {name}; it needs C, ST and O"
            ));
        }
    }
    Ok(names)
}

/// What stands between commas that are not escaped.
fn parts(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let last = parts.last_mut().expect("there is always one");
        match char {
            '\\' => last.push(chars.next().ok_or("the name ends with a backslash")?),
            ',' => parts.push(String::new()),
            '+' => return Err(format!("the name {text:?} has two values in one part")),
            char => last.push(char),
        }
    }
    Ok(parts)
}
