//! A Kubernetes API server as a cluster.
//!
//! Objects are plain JSON, so requests are made by hand over kube's client, which brings connections, TLS and credentials.
//! Nothing is tried twice: a caller that decides about its own retries must not be surprised by those of a layer below.

mod answer;
mod discovery;
mod request;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::stream::BoxStream;
use http::{HeaderValue, Method, header};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use weir_api::{ApiResource, Gvk, Object, ObjectKey, ObjectName};

use crate::{
    Apply, Cluster, ClusterError, Delete, Detail, Discovery, List, Part, Propagation, Selection,
    WatchEvent,
};
use answer::Asked;
use request::{Body, Call, Query};

/// How many requests may be under way at once. There is no limit by time: the server has its own fair queues.
const CONCURRENCY: usize = 64;
/// How long a request may take, its answer included.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many objects a page of a list holds.
const PAGE: usize = 500;
/// How many pages a list may have: a server that always promises another one is broken.
const PAGES: usize = 10_000;
/// How long an answer about what is served is good enough to say that something is not.
const FRESH: Duration = Duration::from_secs(1);

/// A cluster behind an API server.
pub struct Kube {
    client: kube::Client,
    url: String,
    slots: Semaphore,
    discovered: Mutex<Option<(Instant, Arc<Discovery>)>>,
}

/// Why there is no connection to a cluster.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    #[error("no cluster: neither a kubeconfig nor an in-cluster service account was found: {0}")]
    Infer(#[source] Box<kube::config::InferConfigError>),
    #[error("reading the kubeconfig: {0}")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    #[error("connecting to {url}: {source}")]
    Client {
        url: String,
        source: Box<kube::Error>,
    },
}

impl Kube {
    /// By `KUBECONFIG`, `~/.kube/config`, or the service account of the pod that this runs in.
    pub async fn from_env() -> Result<Self, KubeError> {
        let config = kube::Config::infer()
            .await
            .map_err(|error| KubeError::Infer(Box::new(error)))?;
        Self::new(config)
    }

    /// By the text of a kubeconfig, such as a Secret holds one. `context` is the current one if it is empty.
    pub async fn from_kubeconfig(text: &str, context: &str) -> Result<Self, KubeError> {
        let failed = |error| KubeError::Kubeconfig(Box::new(error));
        let kubeconfig = Kubeconfig::from_yaml(text).map_err(failed)?;
        let context = (!context.is_empty()).then(|| context.to_owned());
        let options = KubeConfigOptions {
            context,
            ..KubeConfigOptions::default()
        };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(failed)?;
        Self::new(config)
    }

    /// By a configuration. Its own retries are switched off; belongs to the runtime that it is called in.
    pub fn new(mut config: kube::Config) -> Result<Self, KubeError> {
        config.default_retry = false;
        let agent = HeaderValue::from_static(concat!("weir/", env!("CARGO_PKG_VERSION")));
        if config
            .headers
            .iter()
            .all(|(name, _)| name != header::USER_AGENT)
        {
            config.headers.push((header::USER_AGENT, agent));
        }
        let url = config.cluster_url.to_string();
        let client = kube::Client::try_from(config).map_err(|error| KubeError::Client {
            url: url.clone(),
            source: Box::new(error),
        })?;
        Ok(Self {
            client,
            url,
            slots: Semaphore::new(CONCURRENCY),
            discovered: Mutex::new(None),
        })
    }

    /// What serves a kind. A kind that is not known is asked for again, unless that was done just now.
    async fn resource(&self, gvk: &Gvk) -> Result<ApiResource, ClusterError> {
        let known = self.known().await?;
        if let Some(resource) = known.find(gvk) {
            return Ok(resource.clone());
        }
        let renewed = self.renewed(Some(FRESH)).await?;
        renewed
            .find(gvk)
            .cloned()
            .ok_or_else(|| ClusterError::NoKind(gvk.clone()))
    }

    async fn known(&self) -> Result<Arc<Discovery>, ClusterError> {
        self.renewed(Some(Duration::MAX)).await
    }

    /// What is served, as far as it was asked less than `good_for` ago; `None` asks in any case.
    async fn renewed(&self, good_for: Option<Duration>) -> Result<Arc<Discovery>, ClusterError> {
        let asked_at = Instant::now();
        // Held while asking: whoever comes in the meantime takes the same answer.
        let mut discovered = self.discovered.lock().await;
        if let Some((at, known)) = &*discovered
            && (*at >= asked_at || good_for.is_some_and(|good_for| at.elapsed() < good_for))
        {
            return Ok(known.clone());
        }
        let at = Instant::now();
        let found = Arc::new(discovery::discover(self).await?);
        *discovered = Some((at, found.clone()));
        Ok(found)
    }

    /// Sends a request about one object and gives the answer.
    async fn ask(&self, call: Call<'_>, asked: &Asked<'_>) -> Result<Value, ClusterError> {
        let result = self.ask_directly(call, asked).await;
        if let Err(ClusterError::NoKind(_)) = result {
            // It was served when we asked last.
            *self.discovered.lock().await = None;
        }
        result
    }

    /// As [`Kube::ask`], for requests about what is served.
    async fn ask_directly(&self, call: Call<'_>, asked: &Asked<'_>) -> Result<Value, ClusterError> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the semaphore is never closed");
        match tokio::time::timeout(PATIENCE, request::send(&self.client, call)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(answer::error(error, asked)),
            Err(_) => Err(ClusterError::Unavailable {
                message: format!(
                    "{asked}: the server did not answer within {} s",
                    PATIENCE.as_secs()
                ),
            }),
        }
    }

    /// The key with which an object is asked for, and its path.
    async fn place(&self, key: &ObjectKey) -> Result<(ObjectKey, ApiResource), ClusterError> {
        let resource = self.resource(&key.gvk).await?;
        let mut key = key.clone();
        if !resource.namespaced {
            key.name.namespace.clear();
        }
        if resource.namespaced && key.name.namespace.is_empty() || key.name.name.is_empty() {
            return Err(ClusterError::NotFound { key });
        }
        Ok((key, resource))
    }

    async fn page(
        &self,
        resource: &ApiResource,
        by: &Selection,
        limit: Option<usize>,
        token: &str,
    ) -> Result<Page, ClusterError> {
        let key = ObjectKey::new(resource.gvk.clone(), by.namespace.as_str(), "");
        let mut query = Query::default();
        query.set("labelSelector", &by.labels);
        query.set("continue", token);
        if let Some(limit) = limit {
            query.set("limit", &limit.to_string());
        }
        let accept = match by.detail {
            Detail::Whole => request::JSON,
            Detail::Metadata => request::METADATA_LIST,
        };
        let path = request::path(resource, &ObjectName::new(by.namespace.as_str(), ""), "");
        let call = Call {
            method: Method::GET,
            path,
            query,
            accept,
            body: Body::None,
        };
        let mut answer = self
            .ask(
                call,
                &Asked {
                    doing: "list",
                    key: &key,
                },
            )
            .await?;
        let text = |pointer: &str| {
            answer
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (resource_version, token) = (
            text("/metadata/resourceVersion"),
            text("/metadata/continue"),
        );
        let items = match answer.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            // An empty list can be null.
            Some(_) | None => Vec::new(),
        };
        let named = |item| answer::object(item, &resource.gvk);
        let objects = items
            .into_iter()
            .map(named)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Page {
            objects,
            resource_version,
            token,
        })
    }
}

/// A part of a list.
struct Page {
    objects: Vec<Object>,
    resource_version: String,
    /// What asks for the next page; empty at the end.
    token: String,
}

#[async_trait]
impl Cluster for Kube {
    async fn discover(&self, fresh: bool) -> Result<Arc<Discovery>, ClusterError> {
        if fresh {
            self.renewed(None).await
        } else {
            self.known().await
        }
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Object>, ClusterError> {
        let (key, resource) = match self.place(key).await {
            Err(ClusterError::NotFound { .. }) => return Ok(None),
            place => place?,
        };
        let path = request::path(&resource, &key.name, "");
        let call = Call {
            method: Method::GET,
            path,
            query: Query::default(),
            accept: request::JSON,
            body: Body::None,
        };
        match self
            .ask(
                call,
                &Asked {
                    doing: "get",
                    key: &key,
                },
            )
            .await
        {
            Ok(value) => answer::object(value, &key.gvk).map(Some),
            Err(ClusterError::NotFound { .. } | ClusterError::NoNamespace { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, gvk: &Gvk, by: &Selection) -> Result<List, ClusterError> {
        let resource = self.resource(gvk).await?;
        let first = self.page(&resource, by, Some(PAGE), "").await?;
        let Page {
            mut objects,
            resource_version,
            mut token,
        } = first;
        let mut pages = 1;
        while !token.is_empty() {
            pages += 1;
            if pages > PAGES {
                let message = format!("list {gvk}: the server gives more than {PAGES} pages");
                return Err(ClusterError::Unavailable { message });
            }
            let page = match self.page(&resource, by, Some(PAGE), &token).await {
                // The server has forgotten the state that the first pages are of: all at once, then.
                Err(ClusterError::Expired(_)) => {
                    let all = self.page(&resource, by, None, "").await?;
                    return Ok(List {
                        objects: all.objects,
                        resource_version: all.resource_version,
                    });
                }
                page => page?,
            };
            objects.extend(page.objects);
            token = page.token;
        }
        Ok(List {
            objects,
            resource_version,
        })
    }

    async fn watch(
        &self,
        gvk: &Gvk,
        by: &Selection,
        since: &str,
        detail: Detail,
    ) -> Result<BoxStream<'static, Result<WatchEvent, ClusterError>>, ClusterError> {
        let resource = self.resource(gvk).await?;
        watch::start(&self.client, &resource, by, since, detail).await
    }

    async fn apply(&self, object: &Object, how: &Apply) -> Result<Object, ClusterError> {
        let (key, resource) = self.place(&object.key()).await?;
        let mut query = Query::default();
        query.set("fieldManager", &how.manager);
        query.set("force", if how.force { "true" } else { "" });
        query.set("dryRun", if how.dry_run { "All" } else { "" });
        let body = Body::Apply(object.value());
        let path = request::path(&resource, &key.name, "");
        let call = Call {
            method: Method::PATCH,
            path,
            query,
            accept: request::JSON,
            body,
        };
        let answer = self
            .ask(
                call,
                &Asked {
                    doing: "apply",
                    key: &key,
                },
            )
            .await?;
        answer::object(answer, &key.gvk)
    }

    async fn create(&self, object: &Object, manager: &str) -> Result<Object, ClusterError> {
        let mut key = object.key();
        let resource = self.resource(&key.gvk).await?;
        if !resource.namespaced {
            key.name.namespace.clear();
        }
        let mut query = Query::default();
        query.set("fieldManager", manager);
        let path = request::path(
            &resource,
            &ObjectName::new(key.name.namespace.as_str(), ""),
            "",
        );
        let body = Body::Json(object.value());
        let call = Call {
            method: Method::POST,
            path,
            query,
            accept: request::JSON,
            body,
        };
        let answer = self
            .ask(
                call,
                &Asked {
                    doing: "create",
                    key: &key,
                },
            )
            .await?;
        answer::object(answer, &key.gvk)
    }

    async fn merge(
        &self,
        key: &ObjectKey,
        part: Part,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ClusterError> {
        let (key, resource) = self.place(key).await?;
        let mut query = Query::default();
        query.set("fieldManager", manager);
        let subresource = match part {
            Part::Object => "",
            Part::Status => "status",
        };
        if part == Part::Status && !resource.status {
            return Err(ClusterError::NotFound { key });
        }
        let path = request::path(&resource, &key.name, subresource);
        let call = Call {
            method: Method::PATCH,
            path,
            query,
            accept: request::JSON,
            body: Body::Merge(patch),
        };
        let answer = self
            .ask(
                call,
                &Asked {
                    doing: "patch",
                    key: &key,
                },
            )
            .await?;
        answer::object(answer, &key.gvk)
    }

    async fn delete(&self, key: &ObjectKey, how: &Delete) -> Result<Option<Object>, ClusterError> {
        let (key, resource) = match self.place(key).await {
            Err(ClusterError::NotFound { .. }) => return Ok(None),
            place => place?,
        };
        let propagation = match how.propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let mut options =
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation});
        for (name, value) in [
            ("uid", &how.uid),
            ("resourceVersion", &how.resource_version),
        ] {
            if !value.is_empty() {
                options["preconditions"][name] = value.as_str().into();
            }
        }
        let path = request::path(&resource, &key.name, "");
        let body = Body::Json(&options);
        let call = Call {
            method: Method::DELETE,
            path,
            query: Query::default(),
            accept: request::JSON,
            body,
        };
        match self
            .ask(
                call,
                &Asked {
                    doing: "delete",
                    key: &key,
                },
            )
            .await
        {
            Ok(value) => answer::deleted(value, &key).map(Some),
            Err(ClusterError::NotFound { .. } | ClusterError::NoNamespace { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Only where it is.
impl fmt::Debug for Kube {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kube({})", self.url)
    }
}
