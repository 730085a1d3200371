//! Trees: immutable directories of files, addressed by content.
//!
//! A Git commit, a tar layer, a local folder and an overlay of files on another tree all answer the same
//! questions of [`Tree`]. Nothing is unpacked to disk to be read, and nothing is read before it is asked for.
//!
//! Invariants: this crate does no network I/O, knows nothing about Kubernetes, and never writes into a tree.
//! Answers do not change during the life of a `Tree` value: what was once read stays as it was.
//!
//! - Back ends: [`GitTree`], [`TarTree`], [`FolderTree`], [`OverlayTree`], [`EmptyTree`].
//! - Views: [`Subtree`], [`without_links`], [`ignored`].
//! - Questions over a whole tree: [`resolve`], [`glob`], [`digest_file`], [`digest_tree`], [`changed`].
//!
//! ```
//! use weir_tree::{EmptyTree, OverlayTree, Tree, TreePath, changed, glob};
//!
//! # fn main() -> Result<(), weir_tree::TreeError> {
//! let app = TreePath::root().join("./apps//web.yaml").expect("a plain path");
//! let mut overlay = OverlayTree::on(EmptyTree::shared());
//! overlay.file(&app, "kind: Deployment\n")?;
//! let tree = overlay.finish()?;
//!
//! assert_eq!(tree.read(&app)?.as_deref(), Some(&b"kind: Deployment\n"[..]));
//! assert_eq!(glob(&tree, "apps/*.yaml")?, [app]);
//! assert_eq!(changed(&EmptyTree, &tree)?.len(), 3); // The file, its directory, and the listing of the root.
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod archive;
mod cache;
mod content;
mod diff;
mod digest;
mod folder;
mod git;
mod glob;
mod ignore;
mod links;
mod overlay;
mod path;
mod resolve;
mod subtree;
mod tree;

pub use archive::{ArchiveLimits, TarTree};
pub use content::{ContentId, Digest, DigestError};
pub use diff::{Change, Difference, MAX_CHANGES, changed};
pub use digest::{digest_file, digest_tree};
pub use folder::{FolderOptions, FolderTree, StatCache, StatCacheError};
pub use git::{Commit, GitCache, GitDatabase, GitTree, ObjectId, ObjectIdError, Person};
pub use glob::{Pattern, glob};
pub use ignore::{IGNORE_FILE, IgnoreRules, IgnoredTree, ignored};
pub use links::{WithoutLinks, without_links};
pub use overlay::{EmptyTree, Overlay, OverlayTree};
pub use path::{MAX_DEPTH, MAX_NAME, MAX_PATH, PathError, TreePath};
pub use resolve::resolve;
pub use subtree::Subtree;
pub use tree::{Blob, Entry, EntryKind, MAX_ENTRIES, MAX_FILE, Tree, TreeError};
