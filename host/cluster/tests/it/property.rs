//! Random sequences of writes leave equal objects and equal managed fields on both clusters.
//!
//! The API server is the oracle. What it fills in by itself (defaults, addresses) is not compared: of each object
//! everything that somebody applied is, and all of `managedFields` but the times.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use weir_api::Object;
use weir_cluster::{Apply, ClusterError};

use crate::bed::{Bed, managers};

/// How many sequences are tried; each is about five writes on both. A tenth of a second is what one takes.
const CASES: u32 = 600;
/// The same when there is time.
const CASES_FULL: u32 = 4000;

/// A write by one of three managers.
#[derive(Clone, Debug)]
enum Write {
    Apply {
        manager: usize,
        force: bool,
        fields: Value,
    },
    Merge {
        manager: usize,
        fields: Value,
    },
}

#[test]
fn random_writes_leave_the_same_on_both() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let Some(kube) = runtime.block_on(Bed::kube_one()) else {
        return;
    };
    let local = Bed::local_one();
    let cases = match std::env::var_os("WEIR_TEST_FULL") {
        Some(_) => CASES_FULL,
        None => CASES,
    };
    for kind in [
        Kind::config_map(),
        Kind::service(),
        Kind::deployment(),
        Kind::role(),
        Kind::thing(&kube),
    ] {
        runtime.block_on(async {
            kind.prepare(&kube).await;
            kind.prepare(&local).await;
        });
        let config = Config {
            cases: cases / 5,
            failure_persistence: None,
            ..Config::default()
        };
        let count = Cell::new(0);
        let writes = proptest::collection::vec(kind.write(), 1..10);
        let result = TestRunner::new(config).run(&writes, |writes| {
            count.set(count.get() + 1);
            let name = format!("{}-{}", kind.name, count.get());
            runtime.block_on(both(&kube, &local, &kind, &name, &writes))
        });
        result.unwrap_or_else(|error| panic!("{}: {error}", kind.name));
    }
}

async fn both(
    kube: &Bed,
    local: &Bed,
    kind: &Kind,
    name: &str,
    writes: &[Write],
) -> Result<(), TestCaseError> {
    for (step, write) in writes.iter().enumerate() {
        let (one, two) = (
            kind.run(kube, name, write).await,
            kind.run(local, name, write).await,
        );
        let shown = format!("step {step} of {writes:#?}");
        match (&one, &two) {
            (Ok(one), Ok(two)) => {
                if kind.validated
                    && managers(one)
                        .iter()
                        .any(|(name, ..)| name == "before-first-apply")
                {
                    // To it belongs what an API server filled in; the local cluster fills nothing in.
                    return Ok(());
                }
                prop_assert_eq!(managers(two), managers(one), "{}", shown);
                let (ours, theirs) = (kind.own(two), kind.own(one));
                prop_assert!(
                    within(&ours, &theirs),
                    "{}\nlocal {:#}\nkube {:#}",
                    shown,
                    ours,
                    theirs
                );
                // Stating what an API server had filled in already is no change there.
                prop_assert!(
                    kind.validated || two.generation() == one.generation(),
                    "{}",
                    shown
                );
            }
            (
                Err(ClusterError::Conflict { message: one, .. }),
                Err(ClusterError::Conflict { message: two, .. }),
            ) => {
                prop_assert_eq!(without_times(two), without_times(one), "{}", shown);
            }
            (Err(one), Err(two)) => {
                let same = std::mem::discriminant(one) == std::mem::discriminant(two);
                prop_assert!(same, "kube {}\nlocal {}\n{}", one, two, shown);
            }
            // An API server knows what an object needs; the local cluster takes what fits the types.
            (Err(ClusterError::Invalid { .. }), Ok(_)) if kind.validated => return Ok(()),
            (one, two) => prop_assert!(false, "kube {:?}\nlocal {:?}\n{}", one, two, shown),
        }
    }
    Ok(())
}

/// Whether everything in `ours` is in `theirs`; empty mappings and lists count as absent.
fn within(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => ours.iter().all(|(name, value)| {
            empty(value) || theirs.get(name).is_some_and(|other| within(value, other))
        }),
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, two)| within(one, two))
        }
        (one, two) => one == two || empty(one) && empty(two),
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(empty),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// `using v1 at 2026-…Z` says when; only an API server does. Managers are in no particular order there.
fn without_times(message: &str) -> Vec<String> {
    let mut words: Vec<String> = message
        .split([' ', '\n'])
        .filter(|word| *word != "at")
        .map(|word| {
            if word.len() > 20 && word.contains('T') && word.trim_end_matches(':').ends_with('Z') {
                ":"
            } else {
                word
            }
        })
        .map(|word| word.trim_end_matches(':').to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort();
    words
}

/// A kind with random fields.
struct Kind {
    name: &'static str,
    api_version: String,
    kind: &'static str,
    /// Whether an API server fills fields in, and refuses more than what does not fit the types.
    validated: bool,
    /// Whether updates are tried: of built-in kinds an API server records its own defaults with them.
    merged: bool,
    fields: BoxedStrategy<Value>,
    definition: Option<Value>,
}

impl Kind {
    fn new(
        name: &'static str,
        api_version: &str,
        kind: &'static str,
        fields: BoxedStrategy<Value>,
    ) -> Self {
        Self {
            name,
            api_version: api_version.into(),
            kind,
            validated: false,
            merged: false,
            fields,
            definition: None,
        }
    }

    fn config_map() -> Self {
        let fields = (metadata(), option(text_map()))
            .prop_map(|(metadata, data)| object([("metadata", metadata), ("data", data)]));
        Self {
            merged: true,
            ..Self::new("config-map", "v1", "ConfigMap", fields.boxed())
        }
    }

    fn service() -> Self {
        let port = (
            1..4i64,
            option(prop_oneof![Just(json!("TCP")), Just(json!("UDP"))]),
            option(letters()),
        )
            .prop_map(|(port, protocol, name)| {
                object([
                    ("port", Some(json!(port))),
                    ("protocol", protocol),
                    ("name", name),
                ])
            });
        let ports = proptest::collection::vec(port, 0..3).prop_map(Value::from);
        let fields = (
            metadata(),
            option(ports),
            option(text_map()),
            option(Just(json!("None"))),
        )
            .prop_map(|(metadata, ports, selector, address)| {
                let spec = object([
                    ("ports", ports),
                    ("selector", selector),
                    ("clusterIP", address),
                ]);
                // An API server fills a spec in. Who owns an empty one there loses it to whoever gives up the only
                // field that was stated; here nothing is filled in, and nothing is lost.
                let spec = (spec != json!({})).then_some(spec);
                object([("metadata", metadata), ("spec", spec)])
            });
        Self {
            validated: true,
            ..Self::new("service", "v1", "Service", fields.boxed())
        }
    }

    fn deployment() -> Self {
        let container = (
            prop_oneof![Just("a"), Just("b")],
            option(letters()),
            option(proptest::collection::vec(letters(), 0..3).prop_map(Value::from)),
            option(proptest::collection::vec(
                (letters(), option(letters())),
                0..3,
            )),
        );
        let container = container.prop_map(|(name, image, args, env)| {
            let variable = |(name, value): (Value, Option<Value>)| {
                object([("name", Some(name)), ("value", value)])
            };
            let env = env
                .map(|env| env.into_iter().map(variable).collect::<Vec<_>>())
                .map(Value::from);
            object([
                ("name", Some(json!(name))),
                ("image", image),
                ("args", args),
                ("env", env),
            ])
        });
        let containers = proptest::collection::vec(container, 1..3).prop_map(Value::from);
        let fields = (metadata(), option(0..4i64), containers).prop_map(|(metadata, replicas, containers)| {
            let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": containers}});
            let selector = json!({"matchLabels": {"app": "x"}});
            let replicas = replicas.map(Value::from);
            let spec = object([("replicas", replicas), ("selector", Some(selector)), ("template", Some(template))]);
            object([("metadata", metadata), ("spec", Some(spec))])
        });
        Self {
            validated: true,
            ..Self::new("deployment", "apps/v1", "Deployment", fields.boxed())
        }
    }

    fn role() -> Self {
        let rule = proptest::collection::vec(letters(), 1..3)
            .prop_map(|verbs| json!({"apiGroups": [""], "resources": ["pods"], "verbs": verbs}));
        let rules = proptest::collection::vec(rule, 0..3).prop_map(Value::from);
        let fields = (metadata(), option(rules))
            .prop_map(|(metadata, rules)| object([("metadata", metadata), ("rules", rules)]));
        Self::new(
            "role",
            "rbac.authorization.k8s.io/v1",
            "Role",
            fields.boxed(),
        )
    }

    /// A custom resource with every way of merging.
    fn thing(bed: &Bed) -> Self {
        let group = format!("{}.example.dev", bed.namespace);
        let port = (
            prop_oneof![Just("a"), Just("b"), Just("c")],
            option(0..3i64),
            option(letters()),
        )
            .prop_map(|(name, port, note)| {
                object([
                    ("name", Some(json!(name))),
                    ("port", port.map(Value::from)),
                    ("note", note),
                ])
            });
        let unique = |items: Vec<Value>| {
            let mut names = Vec::new();
            let new = |item: &Value| {
                let name = item["name"].clone();
                let new = !names.contains(&name);
                names.push(name);
                new
            };
            Value::from(items.into_iter().filter(new).collect::<Vec<_>>())
        };
        let ports = proptest::collection::vec(port, 0..4).prop_map(unique);
        let tags = proptest::collection::btree_set("[abcd]", 0..4)
            .prop_map(|tags| Value::from(tags.into_iter().rev().collect::<Vec<_>>()));
        let list = proptest::collection::vec(letters(), 0..3).prop_map(Value::from);
        let whole = text_map();
        let free = free().prop_map(|value| if value.is_object() { value } else { json!({}) });
        let spec = (
            option(letters()),
            option(ports),
            option(tags),
            option(list),
            option(whole),
            option(free),
            option(text_map()),
        );
        let fields = (metadata(), spec).prop_map(
            |(metadata, (text, ports, tags, list, whole, free, map))| {
                let spec = object([
                    ("text", text),
                    ("ports", ports),
                    ("tags", tags),
                    ("list", list),
                    ("whole", whole),
                    ("free", free),
                    ("map", map),
                ]);
                object([("metadata", metadata), ("spec", Some(spec))])
            },
        );
        let item = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "port": {"type": "integer"}, "note": {"type": "string"}}});
        let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let mut whole = texts.clone();
        whole["x-kubernetes-map-type"] = "atomic".into();
        let spec = json!({"type": "object", "properties": {
            "text": {"type": "string"}, "map": texts, "whole": whole,
            "list": {"type": "array", "items": {"type": "string"}},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }});
        let schema = json!({"type": "object", "properties": {"spec": spec}});
        let definition = json!({"spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "randoms", "singular": "random", "kind": "Random", "listKind": "RandomList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}}],
        }});
        let api_version = format!("{group}/v1");
        Self {
            merged: true,
            definition: Some(definition),
            ..Self::new("random", &api_version, "Random", fields.boxed())
        }
    }

    async fn prepare(&self, bed: &Bed) {
        let Some(definition) = &self.definition else {
            return;
        };
        let group = definition["spec"]["group"].as_str().unwrap();
        let name = format!("randoms.{group}");
        let crd = bed.object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            &name,
            definition.clone(),
        );
        bed.apply("m", &crd).await.unwrap();
        weir_testing::until("the kind to be served", async || {
            let probe = bed.object(&self.api_version, self.kind, "probe", json!({}));
            Ok(bed.dry_run("m", &probe).await.is_ok().then_some(()))
        })
        .await
        .unwrap();
    }

    fn write(&self) -> BoxedStrategy<Write> {
        let apply =
            (0..3usize, any::<bool>(), self.fields.clone()).prop_map(|(manager, force, fields)| {
                Write::Apply {
                    manager,
                    force,
                    fields,
                }
            });
        let merge = (0..3usize, self.fields.clone())
            .prop_map(|(manager, fields)| Write::Merge { manager, fields });
        if self.merged {
            prop_oneof![4 => apply, 1 => merge].boxed()
        } else {
            apply.boxed()
        }
    }

    async fn run(&self, bed: &Bed, name: &str, write: &Write) -> Result<Object, ClusterError> {
        match write {
            Write::Apply {
                manager,
                force,
                fields,
            } => {
                let object = bed.object(&self.api_version, self.kind, name, fields.clone());
                let how = Apply {
                    manager: format!("m{manager}"),
                    force: *force,
                    dry_run: false,
                };
                bed.cluster.apply(&object, &how).await
            }
            Write::Merge { manager, fields } => {
                let key = bed
                    .object(&self.api_version, self.kind, name, json!({}))
                    .key();
                bed.merge(&format!("m{manager}"), &key, fields.clone())
                    .await
            }
        }
    }

    /// What is compared of an object.
    fn own(&self, object: &Object) -> Value {
        let mut value = object.value().clone();
        let fields = value.as_object_mut().unwrap();
        fields.shift_remove("status");
        let metadata = fields["metadata"].as_object_mut().unwrap();
        metadata.retain(|name, _| ["labels", "annotations", "finalizers"].contains(&name.as_str()));
        value
    }
}

fn metadata() -> BoxedStrategy<Option<Value>> {
    let some = (option(text_map()), option(text_map())).prop_map(|(labels, annotations)| {
        object([("labels", labels), ("annotations", annotations)])
    });
    option(some).boxed()
}

fn text_map() -> BoxedStrategy<Value> {
    proptest::collection::btree_map("[xyz]", "[12]", 0..3)
        .prop_map(|entries| json!(entries))
        .boxed()
}

fn letters() -> BoxedStrategy<Value> {
    prop_oneof![Just(json!("p")), Just(json!("q")), Just(json!("r"))].boxed()
}

/// Free-form JSON.
fn free() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(json!(1)),
        Just(json!("x")),
        Just(json!(true)),
        Just(json!([1, 2])),
        Just(json!({}))
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        proptest::collection::btree_map("[ab]", inner, 0..3).prop_map(|entries| json!(entries))
    })
    .boxed()
}

fn option<S: Strategy + 'static>(some: S) -> BoxedStrategy<Option<S::Value>>
where
    S::Value: Clone,
{
    proptest::option::of(some).boxed()
}

fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}
