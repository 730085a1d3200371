//! What the entry `sops` of a file says: which values are encrypted, by which keys, and the MAC.

mod flatten;
mod master_key;

use thiserror::Error;

use crate::go_regex;
use crate::number;
use crate::rules::Rule;
use crate::time;
use crate::tree::{Branch, Entry, Value};

pub(crate) use flatten::unflatten;
pub(crate) use master_key::MasterKey;

/// The entry's name, and what begins the names of a dotenv file's entries.
pub(crate) const NAME: &str = "sops";
pub(crate) const PREFIX: &str = "sops_";

/// No file needs more; each costs a question to the host.
const MOST_KEYS: usize = 256;

/// Why the metadata cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MetadataError {
    #[error("sops metadata not found")]
    NotFound,
    #[error("Found sops entry that is not a mapping")]
    NotAMapping,
    #[error("Found duplicate sops entry")]
    Duplicate,
    #[error(
        "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file"
    )]
    TwoRules,
    #[error("No keys found in file")]
    NoKeys,
    #[error("the file has more than {MOST_KEYS} master keys")]
    TooManyKeys,
    #[error(
        "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
    )]
    Time { text: String },
    #[error("'{field}' expected type '{expected}', got unconvertible type '{found}'")]
    Type {
        field: String,
        expected: &'static str,
        found: &'static str,
    },
    #[error("Error while unflattening {key:?}: Duplicate value")]
    FlatDuplicate { key: String },
    #[error("Error while unflattening: Type mismatch")]
    FlatMismatch,
    #[error("Error while unflattening: Incomplete list")]
    FlatIncomplete,
    #[error("Unexpected key type {0}")]
    KeyType(&'static str),
}

/// The metadata, checked.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// RFC 3339 without a fraction: what the MAC is bound to.
    pub(crate) last_modified: String,
    pub(crate) mac: String,
    pub(crate) mac_only_encrypted: bool,
    pub(crate) rule: Rule,
    pub(crate) threshold: usize,
    pub(crate) groups: Vec<Vec<MasterKey>>,
}

/// Takes the entry `sops` out of every document, and gives that of the first.
pub(crate) fn take_entry(branches: &mut [Branch]) -> Result<Branch, MetadataError> {
    let mut found = None;
    for (document, branch) in branches.iter_mut().enumerate() {
        let (taken, kept) = std::mem::take(branch)
            .into_iter()
            .partition(|entry: &Entry| entry.name() == Some(NAME));
        *branch = kept;
        let taken: Branch = taken;
        if document > 0 {
            continue;
        }
        for entry in taken {
            if found.is_some() {
                return Err(MetadataError::Duplicate);
            }
            let Value::Map(map) = entry.value else {
                return Err(MetadataError::NotAMapping);
            };
            found = Some(map);
        }
    }
    found.ok_or(MetadataError::NotFound)
}

/// Takes the entries whose names begin with `sops_` out of a document, without that prefix.
pub(crate) fn take_prefixed(branch: &mut Branch) -> Result<Branch, MetadataError> {
    let prefixed = |entry: &Entry| entry.name().is_some_and(|name| name.starts_with(PREFIX));
    let (taken, kept): (Branch, Branch) = std::mem::take(branch).into_iter().partition(prefixed);
    *branch = kept;
    if taken.is_empty() {
        return Err(MetadataError::NotFound);
    }
    let without_prefix = taken.into_iter().map(|entry| {
        let name = entry.name().unwrap_or_default()[PREFIX.len()..].to_owned();
        Entry::new(name, entry.value)
    });
    Ok(without_prefix.collect())
}

impl Metadata {
    /// Reads the entry as weakly as sops does: fields of any scalar type, unknown ones ignored.
    pub(crate) fn read(branch: &Branch) -> Result<Self, MetadataError> {
        let fields = Fields::new(branch)?;
        let text = |name| fields.text(name);
        let last_modified = rfc3339(&text("lastmodified")?)?;
        let groups = groups(&fields)?;
        let rule = rule(&fields)?;
        Ok(Self {
            last_modified: time::without_fraction(&last_modified),
            mac: text("mac")?,
            mac_only_encrypted: fields.flag("mac_only_encrypted")?,
            rule,
            threshold: usize::try_from(fields.int("shamir_threshold")?).unwrap_or(0),
            groups,
        })
    }
}

fn rule(fields: &Fields<'_>) -> Result<Rule, MetadataError> {
    let regex = |text: String| go_regex::compile(&text);
    let mut rules = Vec::new();
    for (name, make) in [
        (
            "unencrypted_suffix",
            &(|text| Rule::UnencryptedSuffix(text)) as &dyn Fn(String) -> Rule,
        ),
        ("encrypted_suffix", &|text| Rule::EncryptedSuffix(text)),
        ("unencrypted_regex", &|text| {
            Rule::UnencryptedRegex(regex(text))
        }),
        ("encrypted_regex", &|text| Rule::EncryptedRegex(regex(text))),
        ("unencrypted_comment_regex", &|text| {
            Rule::UnencryptedComment(regex(text))
        }),
        ("encrypted_comment_regex", &|text| {
            Rule::EncryptedComment(regex(text))
        }),
    ] {
        let text = fields.text(name)?;
        if !text.is_empty() {
            rules.push(make(text));
        }
    }
    let rule = rules.pop();
    if !rules.is_empty() {
        return Err(MetadataError::TwoRules);
    }
    Ok(rule.unwrap_or_else(|| Rule::UnencryptedSuffix("_unencrypted".to_owned())))
}

/// The key lists at the top are one group; only without any do `key_groups` count.
fn groups(fields: &Fields<'_>) -> Result<Vec<Vec<MasterKey>>, MetadataError> {
    let top = master_key::group(fields)?;
    let groups = if top.is_empty() {
        let mut groups = Vec::new();
        for group in fields.maps("key_groups")? {
            groups.push(master_key::group(&group)?);
        }
        groups
    } else {
        vec![top]
    };
    if groups.is_empty() {
        return Err(MetadataError::NoKeys);
    }
    if groups.iter().map(Vec::len).sum::<usize>() > MOST_KEYS || groups.len() > MOST_KEYS {
        return Err(MetadataError::TooManyKeys);
    }
    Ok(groups)
}

fn rfc3339(text: &str) -> Result<String, MetadataError> {
    time::parse(text).ok_or_else(|| MetadataError::Time {
        text: text.to_owned(),
    })
}

/// A map of the metadata, without its comments.
struct Fields<'a>(Vec<(&'a str, &'a Value)>);

impl<'a> Fields<'a> {
    fn new(branch: &'a Branch) -> Result<Self, MetadataError> {
        use crate::tree::Key;
        let mut fields = Vec::with_capacity(branch.len());
        for entry in branch {
            match &entry.key {
                Key::Name(name) => fields.push((name.as_str(), &entry.value)),
                Key::Comment(_) => {}
                Key::Other { kind, .. } => return Err(MetadataError::KeyType(kind)),
            }
        }
        Ok(Self(fields))
    }

    /// A later entry of the same name wins; one that differs in case only serves if there is none.
    fn get(&self, name: &str) -> Option<&'a Value> {
        let find = |fits: &dyn Fn(&str) -> bool| {
            let mut found = self.0.iter().rev().filter(|(key, _)| fits(key));
            found.next().map(|(_, value)| *value)
        };
        find(&|key| key == name).or_else(|| find(&|key| key.eq_ignore_ascii_case(name)))
    }

    fn text(&self, name: &str) -> Result<String, MetadataError> {
        Ok(match self.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::Text(text) | Value::Time(text)) => text.clone(),
            Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            Some(Value::Bool(value)) => if *value { "1" } else { "0" }.to_owned(),
            Some(Value::Int(value)) => value.to_string(),
            Some(Value::Uint(value)) => value.to_string(),
            Some(Value::Float(value)) => number::fixed(*value),
            Some(other @ (Value::List(_) | Value::Map(_) | Value::Comment(_))) => {
                return Err(mismatch(name, "string", other));
            }
        })
    }

    fn flag(&self, name: &str) -> Result<bool, MetadataError> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::Int(value)) => Ok(*value != 0),
            Some(Value::Uint(value)) => Ok(*value != 0),
            Some(Value::Float(value)) => Ok(*value != 0.0),
            Some(Value::Text(text)) if text.is_empty() => Ok(false),
            Some(value @ Value::Text(text)) => {
                number::parse_bool(text).ok_or_else(|| mismatch(name, "bool", value))
            }
            Some(
                other @ (Value::Bytes(_)
                | Value::Time(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Comment(_)),
            ) => Err(mismatch(name, "bool", other)),
        }
    }

    fn int(&self, name: &str) -> Result<i64, MetadataError> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::Bool(value)) => Ok(i64::from(*value)),
            Some(Value::Int(value)) => Ok(*value),
            #[expect(clippy::cast_possible_truncation, reason = "as Go converts it")]
            Some(Value::Float(value)) => Ok(*value as i64),
            Some(Value::Text(text)) if text.is_empty() => Ok(0),
            Some(value @ Value::Text(text)) => {
                text.parse().map_err(|_| mismatch(name, "int", value))
            }
            Some(
                other @ (Value::Uint(_)
                | Value::Bytes(_)
                | Value::Time(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Comment(_)),
            ) => Err(mismatch(name, "int", other)),
        }
    }

    /// A list of maps; a single map is a list of one, and one without entries none.
    fn maps(&self, name: &str) -> Result<Vec<Fields<'a>>, MetadataError> {
        let found = match self.get(name) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items
                .iter()
                .filter(|item| !matches!(item, Value::Comment(_)))
                .collect(),
            Some(Value::Map(map)) if map.is_empty() => Vec::new(),
            Some(Value::Text(text)) if text.is_empty() => Vec::new(),
            Some(other) => vec![other],
        };
        let map = |value: &'a Value| {
            if let Value::Map(map) = value {
                Fields::new(map)
            } else if *value == Value::Null {
                Ok(Fields(Vec::new()))
            } else {
                Err(mismatch(name, "map", value))
            }
        };
        found.into_iter().map(map).collect()
    }

    /// A map of texts, in order.
    fn texts(&self, name: &str) -> Result<Vec<(String, String)>, MetadataError> {
        let map = match self.get(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Map(map)) => Fields::new(map)?,
            Some(other) => return Err(mismatch(name, "map", other)),
        };
        let mut texts = Vec::new();
        for (key, _) in &map.0 {
            texts.push(((*key).to_owned(), map.text(key)?));
        }
        texts.sort();
        texts.dedup();
        Ok(texts)
    }
}

fn mismatch(field: &str, expected: &'static str, found: &Value) -> MetadataError {
    MetadataError::Type {
        field: field.to_owned(),
        expected,
        found: found.go_type(),
    }
}

#[cfg(test)]
mod tests;
