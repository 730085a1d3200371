//! Sources: where trees come from.
//!
//! A source is described by a plain spec and gives a [`weir_tree::Tree`] and a revision. [`GitFetcher`] fetches from
//! Git servers over HTTP and SSH; [`RemoteFetcher`] what a unit names by address: remote bases, files, charts from repositories and
//! registries; [`open_folder`] binds a source to a folder of this machine.
//!
//! Invariants: this crate knows nothing about Kubernetes and its objects. It reads no environment (but for the proxy,
//! if its caller says so) and no clock but to limit waiting. Logins appear in no message, no log and no file. It never
//! runs a program, neither Git nor a filter that a repository names.
//!
//! ```no_run
//! # async fn example() -> Result<(), weir_source::SourceError> {
//! use tokio_util::sync::CancellationToken;
//! use weir_source::{GitFetcher, GitOptions, GitReference, GitSpec, HttpFactory, HttpOptions};
//!
//! let fetcher = GitFetcher::new(GitOptions::new("/var/cache/weir/git"), HttpFactory::new(HttpOptions::default()));
//! let spec = GitSpec {
//!     reference: GitReference::branch("main"),
//!     ..GitSpec::new("https://example.org/fleet.git")
//! };
//! let fetched = fetcher.fetch(&spec, None, &CancellationToken::new()).await?;
//! println!("{} by {}", fetched.revision, fetched.commit.author.name);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
pub mod bucket;
pub mod chart;
mod compose;
mod download;
mod error;
mod folder;
mod git;
pub mod github;
mod http;
mod inside;
pub mod oci;
mod pack;
mod remote;
mod secret;
mod ssh;
pub mod store;

pub use address::{Address, AddressError, Login};
pub use compose::{ComposeError, Included, compose};
pub use download::{
    ChartPlace, Downloaded, Validator, chart_url, download_changed, download_file, fetch_chart,
    same_host,
};
pub use error::{ExchangeError, Remedy, SourceError};
pub use folder::{FolderSource, FolderSpec, open_folder};
pub use git::{
    Auth, Fetched, GitFetcher, GitOptions, GitReference, GitSpec, ReferenceError, Signed,
    SignedTag, Transfer,
};
pub use http::{
    Bodies, ClientSpec, DefaultProxy, HttpError, HttpFactory, HttpOptions, ProxySpec, Redirects,
    read_body,
};
pub use pack::{Layout, Packed, pack, repack};
pub use remote::index::{ChartFound, ChartIndex, IndexError};
pub use remote::{RemoteFetcher, RemoteOptions, RemoteTree};
pub use secret::SecretText;
pub use ssh::{SshAlgorithmError, SshAlgorithms, SshLogin, SshLoginError};
