//! What stands in the cluster, read as rarely as possible.
//!
//! After a start nothing is remembered, and every unit wants to compare its objects at once. Then one list for each kind,
//! selected by the owner label, serves them all; each object of the lists is used once, so that nothing stale is believed
//! later, and the lists are dropped when they grow old. What is not in them is asked for by name.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{Cluster, ClusterError, Detail, Selection};

/// How many lists are under way at once.
const LISTS_AT_ONCE: usize = 4;
/// Lists that are older than this are not believed.
const LIST_LIFE: Duration = Duration::from_secs(60);

/// Reads live objects, from lists made at the start while they last.
#[derive(Debug, Default)]
pub struct Live {
    listed: Mutex<Option<Listed>>,
}

#[derive(Debug)]
struct Listed {
    at: Instant,
    objects: HashMap<ObjectKey, Object>,
}

impl Live {
    /// Lists the objects of these kinds that bear the owner label.
    pub async fn prime(
        &self,
        cluster: &dyn Cluster,
        kinds: &BTreeSet<Gvk>,
        label: &str,
    ) -> Result<(), ClusterError> {
        let lists: Vec<_> = stream::iter(kinds.iter().cloned())
            .map(|gvk| async move {
                let by = Selection {
                    namespace: String::new(),
                    labels: label.to_owned(),
                    detail: Detail::Whole,
                };
                match cluster.list(&gvk, &by).await {
                    Ok(list) => Ok(Some(list)),
                    Err(ClusterError::NoKind(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(LISTS_AT_ONCE)
            .collect()
            .await;
        let mut listed = self.listed.lock().expect("no panic while it is locked");
        let state = listed.get_or_insert_with(|| Listed {
            at: Instant::now(),
            objects: HashMap::new(),
        });
        for list in lists {
            if let Some(list) = list? {
                state.objects.extend(
                    list.objects
                        .into_iter()
                        .map(|object| (object.key(), object)),
                );
            }
        }
        Ok(())
    }

    /// Forgets the lists.
    pub fn drop_lists(&self) {
        *self.listed.lock().expect("no panic while it is locked") = None;
    }

    /// The live object. An object that is not in its kind's list may still be there without the label, so it is asked for.
    pub async fn get(
        &self,
        cluster: &dyn Cluster,
        key: &ObjectKey,
    ) -> Result<Option<Object>, ClusterError> {
        if let Some(object) = self.take(key) {
            return Ok(Some(object));
        }
        get(cluster, key).await
    }

    fn take(&self, key: &ObjectKey) -> Option<Object> {
        let mut listed = self.listed.lock().expect("no panic while it is locked");
        let state = listed.as_mut()?;
        if state.at.elapsed() > LIST_LIFE {
            *listed = None;
            return None;
        }
        let object = state.objects.remove(key);
        if state.objects.is_empty() {
            *listed = None;
        }
        object
    }
}

/// An object as it stands; one of a kind that is not served is not there.
pub async fn get(cluster: &dyn Cluster, key: &ObjectKey) -> Result<Option<Object>, ClusterError> {
    match cluster.get(key).await {
        Err(ClusterError::NoKind(_)) => Ok(None),
        answer => answer,
    }
}
