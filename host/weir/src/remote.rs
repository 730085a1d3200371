//! Remote bases and charts for commands that run on a folder. Nothing is started before the first one is asked for.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::SourceTree;
use weir_source::{
    DefaultProxy, GitFetcher, GitOptions, HttpFactory, HttpOptions, RemoteFetcher, RemoteOptions,
    RemoteTree, SourceError,
};

/// Fetches trees by address; each is what it was at first for as long as the command runs.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    fetching: Mutex<Fetching>,
}

#[derive(Debug, Default)]
struct Fetching {
    started: Option<(Runtime, RemoteFetcher)>,
    known: HashMap<String, SourceTree>,
}

impl Remotes {
    pub(crate) fn open(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        self.get(url.to_owned(), budget, async |fetcher, cancel| {
            fetcher.open(url, cancel).await
        })
    }

    pub(crate) fn chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        let key = format!("{repository} {name} {version}");
        self.get(key, budget, async |fetcher, cancel| {
            fetcher.chart(repository, name, version, cancel).await
        })
    }

    fn get(
        &self,
        key: String,
        budget: &Budget,
        fetch: impl AsyncFnOnce(&RemoteFetcher, &CancellationToken) -> Result<RemoteTree, SourceError>,
    ) -> Result<SourceTree, Refusal> {
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = fetching.known.get(&key) {
            return Ok(known.clone());
        }
        if fetching.started.is_none() {
            fetching.started =
                Some(start().map_err(|error| Refusal::Unavailable(format!("{error:#}")))?);
        }
        let Some((runtime, fetcher)) = &fetching.started else {
            return Err(Refusal::Unavailable("fetching did not start".to_owned()));
        };
        let cancel = CancellationToken::new();
        let deadline = tokio::time::Instant::from_std(budget.deadline);
        let fetched = runtime
            .block_on(async { tokio::time::timeout_at(deadline, fetch(fetcher, &cancel)).await });
        let fetched = fetched
            .map_err(|_| {
                Refusal::Unavailable(format!("fetching {key} took longer than the step may take"))
            })?
            .map_err(|error| Refusal::Unavailable(error.to_string()))?;
        let tree = SourceTree {
            tree: fetched.tree,
            revision: fetched.revision,
            time: fetched.time,
        };
        fetching.known.insert(key, tree.clone());
        Ok(tree)
    }
}

fn start() -> anyhow::Result<(Runtime, RemoteFetcher)> {
    // Another part of the program may have chosen the same one before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let http = HttpFactory::new(HttpOptions {
        proxy: DefaultProxy::Environment,
        ..HttpOptions::default()
    });
    let git = GitFetcher::new(GitOptions::new(cache()?.join("git")), http.clone());
    Ok((
        runtime,
        RemoteFetcher::new(git, http, RemoteOptions::default()),
    ))
}

/// The folder for what is fetched.
fn cache() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(base
        .context("there is no HOME and no XDG_CACHE_HOME to keep what is fetched in")?
        .join("weir"))
}
