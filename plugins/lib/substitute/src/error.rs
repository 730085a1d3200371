//! What can be wrong with a text, an object or a variable. The messages are Flux's, for people search for them.

use weir_k8s_yaml::YamlError;

/// Why a text cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    #[error("bad substitution")]
    Bad,
    #[error("missing closing brace")]
    MissingBrace,
    #[error("unable to parse variable name")]
    Name,
    #[error("unable to parse substitution within function")]
    Parameter,
    #[error("unable to parse default function")]
    Default,
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// flux: envsubst panics here.
    #[error("the length of a substring is negative: \"${{{name}:…:{length}}}\"")]
    NegativeLength { name: String, length: i64 },
    #[error("the result is not UTF-8: a substring or a value cuts a character apart")]
    NotUtf8,
    #[error("substitutions are nested more than {} deep", crate::limits::DEPTH)]
    TooDeep,
    #[error("the result is larger than {} MiB", crate::limits::OUTPUT >> 20)]
    TooLarge,
    #[error("the patterns of \"#\" and \"%\" take too long on values of this size")]
    TooMuchWork,
}

/// Why an object cannot be substituted in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SubstituteError {
    /// One such name spoils them all, as in Flux.
    #[error("'{name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'")]
    Name { name: String },
    #[error("variable substitution failed: {0}")]
    Expand(#[from] ExpandError),
    /// The object cannot be written as YAML.
    #[error("{0}")]
    Write(YamlError),
    /// What came out is not YAML any more.
    #[error("YAMLToJSON: {0}")]
    Read(YamlError),
    #[error("what came out is {found}, not an object")]
    NotAnObject { found: &'static str },
}
