//! A server, a fetcher and a cache for one test.

use std::fmt::Write as _;

use tokio_util::sync::CancellationToken;
use weir_source::{
    Fetched, GitFetcher, GitOptions, GitReference, GitSpec, HttpFactory, HttpOptions, SourceError,
};
use weir_testing::git::{GitServer, Repository};
use weir_tree::{Tree, TreePath, glob};

/// Requests after the listing that a fetch without history takes: over HTTP, Git learns where history is cut off before
/// it asks for objects.
pub(crate) const SHALLOW_FETCH: usize = 2;

pub(crate) struct Lab {
    pub(crate) server: GitServer,
    pub(crate) repository: Repository,
    pub(crate) cache: tempfile::TempDir,
    pub(crate) fetcher: GitFetcher,
}

impl Lab {
    /// With an empty repository.
    pub(crate) fn new() -> Self {
        let server = GitServer::start().unwrap();
        let repository = server.repository("fleet").unwrap();
        let cache = tempfile::tempdir().unwrap();
        let fetcher = fetcher(&GitOptions::new(cache.path()));
        Self {
            server,
            repository,
            cache,
            fetcher,
        }
    }

    pub(crate) fn spec(&self, reference: GitReference) -> GitSpec {
        GitSpec {
            reference,
            ..GitSpec::new(self.server.url("fleet"))
        }
    }

    pub(crate) async fn fetch(&self, reference: GitReference) -> Result<Fetched, SourceError> {
        self.fetcher
            .fetch(&self.spec(reference), None, &CancellationToken::new())
            .await
    }

    /// As a new process would.
    pub(crate) fn restarted(&self) -> GitFetcher {
        fetcher(&GitOptions::new(self.cache.path()))
    }
}

pub(crate) fn fetcher(options: &GitOptions) -> GitFetcher {
    GitFetcher::new(options.clone(), HttpFactory::new(HttpOptions::default()))
}

pub(crate) fn branch(name: &str) -> GitReference {
    GitReference::branch(name)
}

pub(crate) fn tag(name: &str) -> GitReference {
    GitReference {
        tag: Some(name.to_owned()),
        ..GitReference::default()
    }
}

pub(crate) fn semver(range: &str) -> GitReference {
    GitReference {
        semver: Some(range.to_owned()),
        ..GitReference::default()
    }
}

pub(crate) fn name(name: &str) -> GitReference {
    GitReference {
        name: Some(name.to_owned()),
        ..GitReference::default()
    }
}

pub(crate) fn commit(id: impl ToString, branch: Option<&str>) -> GitReference {
    GitReference {
        commit: Some(id.to_string()),
        branch: branch.map(str::to_owned),
        ..GitReference::default()
    }
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// `path=content` of all files, in order.
pub(crate) fn files(tree: &dyn Tree) -> Vec<String> {
    let show = |path: TreePath| {
        let content = tree.read(&path).unwrap().unwrap();
        format!("{}={}", path.as_str(), String::from_utf8_lossy(&content))
    };
    glob(tree, "**").unwrap().into_iter().map(show).collect()
}

/// Text that does not compress well: the sizes of packs tell what was sent.
pub(crate) fn noise(bytes: usize, seed: u64) -> String {
    let mut text = String::new();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "{state:016x}").unwrap();
    }
    text
}
