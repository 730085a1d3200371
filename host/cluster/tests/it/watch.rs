//! Watching.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::json;
use weir_api::Object;
use weir_cluster::{Cluster as _, ClusterError, Delete, Detail, Selection, WatchEvent};

use crate::bed::{Bed, config_maps};

crate::both!(
    events_come_in_order,
    a_watch_goes_on_where_another_ended,
    objects_come_and_go_with_the_selection,
    metadata_is_watched_without_the_rest,
    only_the_namespace_is_watched,
    an_unknown_kind_cannot_be_watched,
);

struct Watcher(BoxStream<'static, Result<WatchEvent, ClusterError>>);

impl Watcher {
    async fn start(bed: &Bed, labels: &str, since: &str, detail: Detail) -> Self {
        let by = Selection {
            namespace: bed.namespace.clone(),
            labels: labels.into(),
            detail,
        };
        Self(
            bed.cluster
                .watch(&config_maps(), &by, since, detail)
                .await
                .unwrap(),
        )
    }

    /// The next event that is no bookmark.
    async fn next(&mut self) -> WatchEvent {
        let next = async {
            loop {
                let event = self.0.next().await.expect("the watch goes on").unwrap();
                if !matches!(event, WatchEvent::Bookmark(_)) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(30), next)
            .await
            .expect("an event comes within 30 s")
    }

    async fn set(&mut self) -> Object {
        let event = self.next().await;
        let WatchEvent::Set(object) = event else {
            panic!("{event:?}");
        };
        object
    }

    async fn deleted(&mut self) -> Object {
        let event = self.next().await;
        let WatchEvent::Deleted(object) = event else {
            panic!("{event:?}");
        };
        object
    }
}

async fn start_version(bed: &Bed) -> String {
    bed.list(&config_maps(), "", Detail::Whole)
        .await
        .resource_version
}

async fn events_come_in_order(bed: Bed) {
    let since = start_version(&bed).await;
    let mut watcher = Watcher::start(&bed, "", &since, Detail::Whole).await;
    let made = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let other = bed
        .apply("m", &bed.config_map("b", json!({})))
        .await
        .unwrap();
    let changed = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "2"}})))
        .await
        .unwrap();
    bed.dry_run("m", &bed.config_map("a", json!({"data": {"k": "3"}})))
        .await
        .unwrap();
    bed.cluster
        .delete(&bed.key("a"), &Delete::default())
        .await
        .unwrap();
    assert_eq!(watcher.set().await, made);
    assert_eq!(watcher.set().await, other);
    assert_eq!(watcher.set().await, changed);
    let gone = watcher.deleted().await;
    assert_eq!(
        (gone.uid(), gone.get("/data")),
        (changed.uid(), changed.get("/data"))
    );
    let version = |object: &Object| object.resource_version().parse::<u64>().unwrap();
    assert!(
        version(&gone) > version(&changed),
        "an object goes at a version of its own"
    );
}

async fn a_watch_goes_on_where_another_ended(bed: Bed) {
    let since = start_version(&bed).await;
    let one = bed
        .apply("m", &bed.config_map("a", json!({})))
        .await
        .unwrap();
    let two = bed
        .apply("m", &bed.config_map("b", json!({})))
        .await
        .unwrap();
    assert_eq!(
        Watcher::start(&bed, "", &since, Detail::Whole)
            .await
            .set()
            .await,
        one
    );
    let mut later = Watcher::start(&bed, "", one.resource_version(), Detail::Whole).await;
    assert_eq!(later.set().await, two);
    let three = bed
        .apply("m", &bed.config_map("c", json!({})))
        .await
        .unwrap();
    assert_eq!(later.set().await, three);
}

async fn objects_come_and_go_with_the_selection(bed: Bed) {
    let labelled = |tier: &str, value: &str| {
        bed.config_map(
            "a",
            json!({"metadata": {"labels": {"tier": tier}}, "data": {"k": value}}),
        )
    };
    let since = start_version(&bed).await;
    let mut watcher = Watcher::start(&bed, "tier=web", &since, Detail::Whole).await;
    bed.apply("m", &labelled("db", "1")).await.unwrap();
    let came = bed.apply("m", &labelled("web", "2")).await.unwrap();
    let stayed = bed.apply("m", &labelled("web", "3")).await.unwrap();
    let left = bed.apply("m", &labelled("db", "4")).await.unwrap();
    bed.cluster
        .delete(&bed.key("a"), &Delete::default())
        .await
        .unwrap();
    let end = bed
        .apply(
            "m",
            &bed.config_map("end", json!({"metadata": {"labels": {"tier": "web"}}})),
        )
        .await
        .unwrap();
    assert_eq!(watcher.set().await, came);
    assert_eq!(watcher.set().await, stayed);
    let gone = watcher.deleted().await;
    assert_eq!(
        gone.get("/data/k"),
        Some(&json!("3")),
        "as it was selected last"
    );
    assert_eq!(gone.resource_version(), left.resource_version());
    assert_eq!(watcher.set().await, end);
}

async fn metadata_is_watched_without_the_rest(bed: Bed) {
    let since = start_version(&bed).await;
    let mut watcher = Watcher::start(&bed, "", &since, Detail::Metadata).await;
    let made = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "1"}})))
        .await
        .unwrap();
    let seen = watcher.set().await;
    assert_eq!((seen.gvk(), seen.get("/data")), (config_maps(), None));
    assert_eq!(seen.get("/metadata"), made.get("/metadata"));
    bed.cluster
        .delete(&bed.key("a"), &Delete::default())
        .await
        .unwrap();
    let gone = watcher.deleted().await;
    assert_eq!(
        (gone.gvk(), gone.name(), gone.get("/data")),
        (config_maps(), "a", None)
    );
}

#[tokio::test]
async fn the_local_cluster_forgets_after_thousands_of_writes() {
    let bed = Bed::local_one();
    let first = bed
        .apply("m", &bed.config_map("a", json!({"data": {"k": "0"}})))
        .await
        .unwrap();
    let by = Selection {
        namespace: bed.namespace.clone(),
        ..Selection::default()
    };
    let mut early = bed
        .cluster
        .watch(&config_maps(), &by, first.resource_version(), Detail::Whole)
        .await
        .unwrap();
    for index in 1..=4200 {
        bed.merge(
            "m",
            &bed.key("a"),
            json!({"data": {"k": index.to_string()}}),
        )
        .await
        .unwrap();
    }
    let Some(Err(ClusterError::Expired(version))) = early.next().await else {
        panic!("it fell behind")
    };
    assert_eq!(version, first.resource_version());
    assert!(early.next().await.is_none(), "an error ends the stream");
    let late = bed
        .cluster
        .watch(&config_maps(), &by, first.resource_version(), Detail::Whole)
        .await;
    assert!(matches!(late.map(|_| ()), Err(ClusterError::Expired(_))));
}

#[tokio::test]
async fn the_local_cluster_tells_idle_watchers_where_it_is() {
    let bed = Bed::local_one();
    let since = start_version(&bed).await;
    let by = Selection {
        namespace: bed.namespace.clone(),
        labels: "no=such".into(),
        ..Selection::default()
    };
    let mut idle = bed
        .cluster
        .watch(&config_maps(), &by, &since, Detail::Whole)
        .await
        .unwrap();
    for index in 0..1100 {
        bed.merge_or_make("a", json!({"data": {"k": index.to_string()}}))
            .await;
    }
    let Some(Ok(WatchEvent::Bookmark(version))) = idle.next().await else {
        panic!("a bookmark")
    };
    assert!(version.parse::<u64>().unwrap() >= since.parse::<u64>().unwrap() + 1000);
}

/// An API server forgets when its etcd is compacted: after minutes, unless it is told otherwise.
#[tokio::test]
async fn an_api_server_forgets_what_is_compacted() {
    let flags = vec![
        "--watch-cache=false".into(),
        "--etcd-compaction-interval=1s".into(),
    ];
    let settings = weir_testing::Settings {
        flags,
        ..weir_testing::Settings::usual()
    };
    let Some(server) = weir_testing::ApiServer::start(settings).unwrap() else {
        return;
    };
    let cluster = weir_cluster::Kube::new(server.config().unwrap()).unwrap();
    let object = |value: u64| {
        let data = json!({"k": value.to_string()});
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": data})).unwrap()
    };
    let first = cluster
        .apply(&object(0), &crate::bed::how("m"))
        .await
        .unwrap();
    let mut count = 0;
    weir_testing::until("the first version to be forgotten", async || {
        count += 1;
        cluster.apply(&object(count), &crate::bed::how("m")).await?;
        let by = Selection::default();
        let watch = cluster
            .watch(&config_maps(), &by, first.resource_version(), Detail::Whole)
            .await;
        let found = match watch {
            Ok(mut events) => events.next().await.transpose().err(),
            Err(error) => Some(error),
        };
        match found {
            Some(ClusterError::Expired(version)) => {
                assert_eq!(version, first.resource_version());
                Ok(Some(()))
            }
            Some(other) => panic!("{other:?}"),
            None => Ok(None),
        }
    })
    .await
    .unwrap();
}

async fn only_the_namespace_is_watched(bed: Bed) {
    let namespace = format!("{}-other", bed.namespace);
    bed.apply("m", &bed.object("v1", "Namespace", &namespace, json!({})))
        .await
        .unwrap();
    let since = start_version(&bed).await;
    let mut here = Watcher::start(&bed, "", &since, Detail::Whole).await;
    let mut elsewhere = bed.config_map("a", json!({}));
    elsewhere
        .metadata_mut()
        .insert("namespace".into(), namespace.into());
    bed.apply("m", &elsewhere).await.unwrap();
    let ours = bed
        .apply("m", &bed.config_map("b", json!({})))
        .await
        .unwrap();
    assert_eq!(here.set().await, ours);
}

async fn an_unknown_kind_cannot_be_watched(bed: Bed) {
    let unknown = weir_api::Gvk::new("example.dev", "v1", "Nothing");
    let refused = bed
        .cluster
        .watch(&unknown, &Selection::default(), "1", Detail::Whole)
        .await;
    assert!(matches!(refused.map(|_| ()), Err(ClusterError::NoKind(_))));
}
