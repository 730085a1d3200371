use serde_json::{Value, json};

use super::*;
use crate::NodeKind;

fn id(name: &str) -> NodeId {
    NodeId::new(NodeKind::Kustomization, "a", name)
}

fn repo() -> NodeId {
    NodeId::new(NodeKind::GitRepository, "a", "repo")
}

fn kustomization(name: &str, depends_on: &[&str], edit: impl FnOnce(&mut Value)) -> Object {
    let depends_on: Vec<_> = depends_on
        .iter()
        .map(|name| json!({"name": name}))
        .collect();
    let mut object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"namespace": "a", "name": name, "uid": name, "generation": 1},
        "spec": {"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "repo"}, "dependsOn": depends_on},
    });
    edit(&mut object);
    Object::new(object).unwrap()
}

fn graph(units: &[(&str, &[&str])]) -> Graph {
    let mut graph = Graph::default();
    let source = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"namespace": "a", "name": "repo", "uid": "r", "generation": 1}, "spec": {"url": "https://x/y", "interval": "1m"}});
    graph.see(&repo(), Object::new(source).unwrap());
    *graph.state_mut(&repo()).unwrap() = State {
        ready: true,
        generation: 1,
        revision: Some("r2".into()),
        ..State::default()
    };
    for (name, depends_on) in units {
        graph.see(&id(name), kustomization(name, depends_on, |_| {}));
    }
    graph
}

fn ready(graph: &mut Graph, name: &str, revision: &str) {
    *graph.state_mut(&id(name)).unwrap() = State {
        ready: true,
        generation: 1,
        revision: Some(revision.into()),
        decided: Some(revision.into()),
        ..State::default()
    };
}

#[test]
fn a_dependency_has_to_be_there_ready_and_at_the_revision() {
    let mut graph = graph(&[("app", &["db"])]);
    let problem = |graph: &Graph| graph.unready_dependency(&id("app")).map(|(_, text)| text);
    assert_eq!(
        problem(&graph).as_deref(),
        Some("dependency 'a/db' not found")
    );
    graph.see(&id("db"), kustomization("db", &[], |_| {}));
    assert_eq!(
        problem(&graph).as_deref(),
        Some("dependency 'a/db' is not ready")
    );
    ready(&mut graph, "db", "r1");
    assert_eq!(
        problem(&graph).as_deref(),
        Some("dependency 'a/db' revision is not up to date")
    );
    ready(&mut graph, "db", "r2");
    assert_eq!(problem(&graph), None);
    graph.see(
        &id("db"),
        kustomization("db", &[], |object| {
            object["metadata"]["generation"] = json!(2)
        }),
    );
    assert_eq!(
        problem(&graph).as_deref(),
        Some("dependency 'a/db' is not ready")
    );
}

#[test]
fn a_child_waits_for_its_parents_plan() {
    let mut graph = graph(&[("root", &[])]);
    let child = kustomization("child", &[], |object| {
        object["metadata"]["labels"] =
            json!({names::OWNER_NAME: "root", names::OWNER_NAMESPACE: "a"});
    });
    graph.see(&id("child"), child);
    assert_eq!(graph.gate(&id("root")), Gate::Open);
    ready(&mut graph, "root", "r1");
    assert_eq!(graph.gate(&id("child")), Gate::Held(id("root")));
    graph.state_mut(&id("root")).unwrap().failed = true;
    assert_eq!(graph.gate(&id("child")), Gate::Open);
    ready(&mut graph, "root", "r2");
    assert_eq!(graph.gate(&id("child")), Gate::Open);
    graph.remove(&id("root"));
    assert_eq!(graph.gate(&id("child")), Gate::Open);
}

#[test]
fn cycles_are_found_from_every_member_and_from_no_one_else() {
    let graph = graph(&[
        ("a", &["b"]),
        ("b", &["c", "x"]),
        ("c", &["a"]),
        ("d", &["a"]),
        ("x", &[]),
    ]);
    for name in ["a", "b", "c"] {
        let cycle = graph.cycle(&id(name)).unwrap();
        assert_eq!(
            (cycle.first(), cycle.last(), cycle.len()),
            (Some(&id(name)), Some(&id(name)), 4)
        );
    }
    assert_eq!(graph.cycle(&id("d")), None);
    assert_eq!(graph.cycle(&id("x")), None);
}

#[test]
fn only_what_matters_counts_as_a_change() {
    let mut graph = graph(&[]);
    let mut see = |edit: fn(&mut Value)| graph.see(&id("u"), kustomization("u", &[], edit));
    assert_eq!(see(|_| {}), Seen::New);
    assert_eq!(
        see(|object| object["status"] = json!({"observedGeneration": 1})),
        Seen::Same
    );
    assert_eq!(
        see(|object| object["metadata"]["annotations"] = json!({names::REQUESTED_AT: "1"})),
        Seen::Requested
    );
    assert_eq!(
        see(|object| object["metadata"]["annotations"] = json!({names::REQUESTED_AT: "1"})),
        Seen::Same
    );
    assert_eq!(
        see(|object| object["metadata"]["generation"] = json!(2)),
        Seen::Changed
    );
    assert_eq!(
        see(|object| object["metadata"]["uid"] = json!("other")),
        Seen::New
    );
}

#[test]
fn a_request_that_came_during_a_run_outlives_it() {
    let mut graph = graph(&[("u", &[])]);
    let as_the_run_left_it = graph.get(&id("u")).unwrap().object.clone();
    let asked = |object: &mut Value| {
        object["metadata"]["annotations"] = json!({names::REQUESTED_AT: "1"});
    };
    graph.see(&id("u"), kustomization("u", &[], asked));
    graph.update(&id("u"), as_the_run_left_it);
    let object = &graph.get(&id("u")).unwrap().object;
    assert_eq!(object.annotation(names::REQUESTED_AT), Some("1"));
}

#[test]
fn edges_follow_the_object() {
    let mut graph = graph(&[("app", &["db"])]);
    assert_eq!(graph.named_by(&id("db")), [id("app")]);
    graph.see(
        &id("app"),
        kustomization("app", &["cache"], |object| {
            object["metadata"]["generation"] = json!(2)
        }),
    );
    assert!(graph.named_by(&id("db")).is_empty());
    assert_eq!(graph.named_by(&id("cache")), [id("app")]);
    assert_eq!(graph.named_by(&repo()), [id("app")]);
    graph.remove(&id("app"));
    assert!(graph.named_by(&id("cache")).is_empty());
}

#[test]
fn an_entry_that_makes_itself_has_not_changed() {
    let mut graph = graph(&[("root", &[]), ("app", &[])]);
    let labelled = |name: &str| {
        kustomization(name, &[], |object| {
            object["metadata"]["labels"] =
                json!({names::OWNER_NAME: "root", names::OWNER_NAMESPACE: "a"});
        })
    };
    assert_eq!(graph.see(&id("root"), labelled("root")), Seen::Same);
    assert_eq!(graph.see(&id("app"), labelled("app")), Seen::Changed);
}
