//! The cluster that a command about a repository may look into: `--cluster`, or `--local DIR` for the embedded one.
//!
//! Nothing is written: values are read, and objects are applied as dry runs.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::runtime::Runtime;
use weir_api::kustomize::ConfigKind;
use weir_api::{Object, ObjectKey, ObjectName};
use weir_cluster::{Cluster, ClusterError, Kube, Local};

use crate::cli::ClusterArgs;

/// ConfigMaps and Secrets; `None` if there is no such one.
type Seen = BTreeMap<(ConfigKind, ObjectName), Option<Arc<Object>>>;

/// A cluster, asked from code that does not wait for anything else.
pub(crate) struct Live {
    pub(crate) cluster: Arc<dyn Cluster>,
    runtime: Runtime,
    /// The ConfigMaps and Secrets that were asked for: one run sees one state.
    seen: Mutex<Seen>,
}

impl Live {
    /// The cluster of the arguments, if they name one. It must answer.
    pub(crate) fn connect(args: &ClusterArgs) -> anyhow::Result<Option<Arc<Self>>> {
        if !args.wanted() {
            return Ok(None);
        }
        // Another part of the process may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("starting the runtime")?;
        let cluster: Arc<dyn Cluster> = match &args.local {
            Some(folder) => Arc::new(Local::open(folder)?),
            None => {
                let connecting = runtime.block_on(Kube::from_env());
                Arc::new(connecting.context("connecting to the cluster of --cluster")?)
            }
        };
        let answer = runtime.block_on(cluster.discover(false));
        answer.context("asking the cluster what it serves")?;
        Ok(Some(Arc::new(Self {
            cluster,
            runtime,
            seen: Mutex::default(),
        })))
    }

    /// Waits for an answer of the cluster.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A ConfigMap or a Secret as it was when it was first asked for.
    pub(crate) fn input(
        &self,
        kind: ConfigKind,
        name: &ObjectName,
    ) -> Result<Option<Arc<Object>>, ClusterError> {
        let id = (kind, name.clone());
        let seen = || self.seen.lock().expect("no panic while it is locked");
        if let Some(known) = seen().get(&id) {
            return Ok(known.clone());
        }
        let key = ObjectKey {
            gvk: kind.gvk(),
            name: name.clone(),
        };
        let found = self.wait(self.cluster.get(&key))?.map(Arc::new);
        Ok(seen().entry(id).or_insert(found).clone())
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
