//! What happens once, before the first run.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use weir_api::inventory::Inventory;
use weir_api::{Gvk, Object, ObjectKey, names};
use weir_apply::Live;
use weir_cluster::{Cluster, ClusterError};
use weir_plugin::Host;
use weir_render::{Index, Renderer};
use weir_secrets::cloud::Cloud;
use weir_source::store::Store;
use weir_source::{
    DefaultProxy, GitFetcher, GitOptions, HttpFactory, HttpOptions, RemoteFetcher, RemoteOptions,
};

use super::{ControllerError, Engine, Options};
use crate::clock::Clock;
use crate::fact::Observer;
use crate::graph::Graph;
use crate::machine::Machine;
use crate::node::NodeKind;
use crate::queue::Queue;
use crate::reconcile::Context;
use crate::reconcile::source::Sources;
use crate::registry::Registry;
use crate::remote::Remotes;
use crate::watch::Watched;

/// The Secret that holds the key of generated values.
const KEY_SECRET: &str = "weir-keys";
const RANDOM_KEY: &str = "random";

pub(super) async fn engine(
    cluster: Arc<dyn Cluster>,
    host: Arc<Host>,
    options: Options,
    clock: Clock,
    observer: Observer,
) -> Result<Engine, ControllerError> {
    let built_in = {
        let host = host.clone();
        let loading = tokio::task::spawn_blocking(move || weir_render::builtin::load(&host));
        loading
            .await
            .expect("loading built-in plugins does not panic")?
    };
    let store = store(&options)?;
    let endpoint = endpoint(&options, &store).await?;
    let (sources, remotes) = sources(&options, store);
    let random_key = random_key(&*cluster, &options.namespace).await?;
    let machine = Machine::new(Handle::current());
    let ctx = Context {
        renderer: Arc::new(
            Renderer::new(host.clone(), options.memo_bytes).map_err(ControllerError::Random)?,
        ),
        host,
        live: Arc::new(Live::default()),
        sources: Arc::new(sources),
        remotes: Arc::new(remotes),
        cloud: Cloud::new(machine.clone()),
        machine,
        clock,
        observer,
        random_key,
        events: options.events,
        runtime: Handle::current(),
        cluster,
    };
    Ok(Engine {
        ctx,
        options,
        graph: Graph::default(),
        queue: Queue::default(),
        index: Index::default(),
        registry: Registry::new(built_in),
        trees: Arc::default(),
        advance: HashMap::new(),
        held: HashMap::new(),
        unready: HashSet::new(),
        quiet: HashSet::new(),
        failures: HashMap::new(),
        running: HashMap::new(),
        tasks: JoinSet::new(),
        task_nodes: HashMap::new(),
        unlisted: Watched::all().collect(),
        jitter: u64::from_le_bytes(random_key[..8].try_into().expect("8 of 32 bytes")),
        endpoint,
    })
}

/// What was fetched and packed before is in the cache.
fn store(options: &Options) -> Result<Arc<Store>, ControllerError> {
    Ok(Arc::new(Store::in_cache(&options.cache)?))
}

/// Listening can fail, so it is done before the first run.
async fn endpoint(
    options: &Options,
    store: &Arc<Store>,
) -> Result<Option<(Arc<Store>, TcpListener)>, ControllerError> {
    let Some(artifacts) = &options.artifacts else {
        return Ok(None);
    };
    let listener = TcpListener::bind(artifacts.listen).await;
    let listener = listener.map_err(|source| ControllerError::Listen {
        address: artifacts.listen,
        source,
    })?;
    Ok(Some((store.clone(), listener)))
}

/// What fetches, for objects and for addresses; they share clients and the cache.
fn sources(options: &Options, store: Arc<Store>) -> (Sources, Remotes) {
    let http = HttpFactory::new(HttpOptions {
        proxy: DefaultProxy::Environment,
        ..HttpOptions::default()
    });
    let git = GitOptions {
        algorithms: options.ssh.clone(),
        ..GitOptions::new(options.cache.join("git"))
    };
    let git = GitFetcher::new(git, http.clone());
    let remotes = RemoteFetcher::new(git.clone(), http.clone(), RemoteOptions::default())
        .with_store(store.clone());
    (
        Sources::new(options, store, git, http),
        Remotes::new(remotes),
    )
}

/// Nothing is remembered after a start: one list for each kind in the inventories spares a read for each object.
pub(super) async fn prime(ctx: &Context, graph: &Graph) -> Result<(), ControllerError> {
    let mut kinds: BTreeMap<&str, BTreeSet<Gvk>> = BTreeMap::new();
    for id in graph.ids().filter(|id| id.kind.is_unit()) {
        let Some(inventory) = graph
            .get(id)
            .and_then(|node| node.object.get("/status/inventory"))
        else {
            continue;
        };
        let Ok(inventory) = serde_json::from_value::<Inventory>(inventory.clone()) else {
            continue;
        };
        let label = if id.kind == NodeKind::Pipeline {
            names::PIPELINE_NAME
        } else {
            names::OWNER_NAME
        };
        let keys = inventory
            .entries
            .iter()
            .filter_map(|entry| entry.key().ok());
        kinds
            .entry(label)
            .or_default()
            .extend(keys.map(|key| key.gvk));
    }
    for (label, kinds) in kinds {
        ctx.live.prime(&*ctx.cluster, &kinds, label).await?;
    }
    Ok(())
}

/// The key that generated passwords and certificates come from: made once for a cluster, kept in a Secret of it.
async fn random_key(cluster: &dyn Cluster, namespace: &str) -> Result<[u8; 32], ControllerError> {
    let key = ObjectKey::new(Gvk::new("", "v1", "Secret"), namespace, KEY_SECRET);
    if let Some(secret) = cluster.get(&key).await? {
        return read_key(&secret);
    }
    let namespace_key = ObjectKey::new(Gvk::new("", "v1", "Namespace"), "", namespace);
    if cluster.get(&namespace_key).await?.is_none() {
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        create(cluster, object).await?;
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(ControllerError::Random)?;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"namespace": namespace, "name": KEY_SECRET}, "data": {RANDOM_KEY: encoded}});
    create(cluster, secret).await?;
    // Another process may have been faster; what stands there counts.
    match cluster.get(&key).await? {
        Some(secret) => read_key(&secret),
        None => Err(ClusterError::NotFound { key }.into()),
    }
}

fn read_key(secret: &Object) -> Result<[u8; 32], ControllerError> {
    let bad = |problem| ControllerError::Key {
        name: secret.key().name.to_string(),
        problem,
    };
    let text = secret
        .get("/data")
        .and_then(|data| data.get(RANDOM_KEY))
        .and_then(Value::as_str);
    let text = text.ok_or_else(|| bad("data.random is missing"))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    let bytes = bytes.map_err(|_| bad("data.random is not base64"))?;
    bytes
        .try_into()
        .map_err(|_| bad("data.random has not 32 bytes"))
}

async fn create(cluster: &dyn Cluster, object: Value) -> Result<(), ControllerError> {
    let object = Object::new(object).expect("made with apiVersion and kind");
    match cluster.create(&object, names::WEIR_STATUS_MANAGER).await {
        Ok(_) | Err(ClusterError::Exists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
