//! What can go wrong with a source, and how Flux calls it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use weir_tree::TreeError;

use crate::address::AddressError;
use crate::git::ReferenceError;
use crate::http::HttpError;
use crate::ssh::SshLoginError;

/// Why a source gave no tree. Each message names the address, without a login, and what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the address {url:?} cannot be used: {reason}")]
    Address { url: String, reason: AddressError },
    #[error("{url}: {source}")]
    Client { url: String, source: HttpError },
    #[error("{url}: {cause}")]
    Exchange { url: String, cause: ExchangeError },
    #[error("{url}: the repository is empty; push a first commit")]
    Empty { url: String },
    #[error("{url}: {source}")]
    Reference { url: String, source: ReferenceError },
    #[error("{url}: fetching {reference}: {reason}")]
    Git {
        url: String,
        reference: String,
        reason: String,
    },
    #[error("{url}: fetching {reference} took longer than {}", shown(*limit))]
    TimedOut {
        url: String,
        reference: String,
        limit: Duration,
    },
    #[error("{url}: fetching {reference} was cancelled")]
    Cancelled { url: String, reference: String },
    #[error("{path}: another process has been using this cache for {}; wait for it or remove a process that hangs", shown(*waited))]
    Locked { path: PathBuf, waited: Duration },
    #[error("the cache {path}: {source}")]
    Cache { path: PathBuf, source: io::Error },
    #[error("{place}: {source}")]
    Tree { place: String, source: TreeError },
    #[error("{path}: {reason}")]
    Folder { path: PathBuf, reason: String },
    /// A repository or registry of charts, or a file, answered; but what was asked for is not there.
    #[error("{url}: {reason}")]
    Registry { url: String, reason: String },
}

/// Why the exchange with a server came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error("the server asks for a login (status {status})")]
    Unauthorized { status: u16 },
    #[error(
        "the server knows no such repository, or shows it only to who logs in (status {status})"
    )]
    NotFound { status: u16 },
    #[error("the server answered with status {status}")]
    Status { status: u16 },
    #[error("there is no Git repository: the server answered with {content_type:?}")]
    NotGit { content_type: String },
    #[error(
        "the server sends more than {limit} bytes; raise the limit if the repository is that large"
    )]
    TooLarge { limit: u64 },
    #[error("the server refuses: {message}")]
    Refused { message: String },
    #[error(
        "the repository's objects are in the format {format}, which is not supported; use one with sha1"
    )]
    ObjectFormat { format: String },
    #[error("the server's list of references is damaged")]
    Malformed,
    #[error("the request to the server is over {limit} bytes")]
    RequestTooLarge { limit: usize },
    #[error("{reason}")]
    Connection { reason: String },
    #[error("ssh: handshake failed: knownhosts: {reason}")]
    HostKey { reason: String },
    #[error(
        "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods \
         remain; does the server know the public key?"
    )]
    LoginRefused,
    #[error("{0}")]
    SshLogin(SshLoginError),
    #[error("an address with ssh:// needs a private key and known hosts")]
    NoSshLogin,
    #[error("cancelled")]
    Cancelled,
}

/// What a failed source waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Trying again may help.
    Retry,
    /// Only a change of the object helps.
    Change,
}

impl SourceError {
    /// The reason that source-controller gives in the condition `FetchFailed` (or `StorageOperationFailed`, for what
    /// is wrong on this machine).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Address { .. } => "URLInvalid",
            Self::Client { .. } => "AuthenticationFailed",
            Self::Empty { .. } => "EmptyGitRepository",
            Self::Locked { .. } | Self::Cache { .. } => "DirectoryCreationFailed",
            // A refused login too: Flux keeps AuthenticationFailed for what is wrong with the secret.
            Self::Exchange { .. }
            | Self::Reference { .. }
            | Self::Git { .. }
            | Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::Tree { .. }
            | Self::Folder { .. } => "GitOperationFailed",
            Self::Registry { .. } => "ChartPullError",
        }
    }

    /// Whether trying again may help. As in Flux, even an unknown branch is tried again: it may be pushed yet.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::Address { .. } => Remedy::Change,
            Self::Client { .. }
            | Self::Exchange { .. }
            | Self::Empty { .. }
            | Self::Reference { .. }
            | Self::Git { .. }
            | Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::Locked { .. }
            | Self::Cache { .. }
            | Self::Tree { .. }
            | Self::Folder { .. }
            | Self::Registry { .. } => Remedy::Retry,
        }
    }
}

fn shown(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
