//! What a call of a plugin costs. Each figure is a median; each call is a fresh instance, and its questions are recorded by
//! the environment.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;
use weir_plugin::ask::Budget;
use weir_plugin::{
    Answer, Call, Document, Environment, Given, Host, HostConfig, Kind, Limits, Loaded, Question,
    Refusal, Role,
};
use weir_tree::Digest;

use crate::figure;

/// Measures with the component of `tests/guests/bench`.
pub(crate) fn run() -> Result<()> {
    let guest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/bench");
    let component = fs::read(weir_testing::plugin::build_guest(guest)?)?;
    let host = Host::new(HostConfig::default())?;
    let plugin = host.load(&component)?;
    let documents = documents()?;
    let bench = Bench { host, plugin };
    bench.measure(
        "a call that does nothing",
        "nothing",
        &[],
        2000,
        Unit::Micro(30.0),
    )?;
    for (name, case, times, most) in [
        ("1,000 documents, two edited", "edit-two", 200, 0.5),
        ("1,000 documents, all merged into", "merge-all", 100, 2.5),
        ("1,000 documents, all rewritten", "rewrite-all", 50, 20.0),
    ] {
        bench.measure(name, case, &documents, times, Unit::Milli(most))?;
    }
    Ok(())
}

/// In what a figure is told, with the most that is good enough.
enum Unit {
    Micro(f64),
    Milli(f64),
}

struct Bench {
    host: Host,
    plugin: Arc<Loaded>,
}

impl Bench {
    fn measure(
        &self,
        name: &str,
        case: &str,
        documents: &[Document],
        times: usize,
        unit: Unit,
    ) -> Result<()> {
        let mut took = Vec::with_capacity(times);
        for _ in 0..times + times / 10 {
            let call = Call {
                step: "bench".to_owned(),
                kind: Kind::Object(Role::Transformer),
                config: format!(r#"{{"case":"{case}"}}"#),
                documents: documents.to_vec(),
                grants: Arc::default(),
                limits: Limits::default(),
                depth: 0,
                cancel: CancellationToken::new(),
                secrets: Arc::default(),
            };
            let mut environment = Recorder::default();
            let started = Instant::now();
            let outcome = self.host.call(&self.plugin, call, &mut environment)?;
            took.push(started.elapsed());
            anyhow::ensure!(
                outcome.documents.len() == documents.len(),
                "{case} lost documents"
            );
        }
        // The first ones warm up.
        let mut took = took.split_off(times / 10);
        took.sort();
        let median = took.get(took.len() / 2).context("nothing was measured")?;
        let seconds = median.as_secs_f64();
        match unit {
            Unit::Micro(most) => figure(name, "us", seconds * 1e6, most),
            Unit::Milli(most) => figure(name, "ms", seconds * 1e3, most),
        }
        Ok(())
    }
}

/// Writes down each question with the digest of its answer, as a render does.
#[derive(Default)]
struct Recorder(Vec<(Question, Digest)>);

impl Environment for Recorder {
    fn ask(&mut self, question: &Question, _: &Budget) -> Result<Given, Refusal> {
        let answer = 1_700_000_000_u64;
        self.0
            .push((question.clone(), Digest::of(&answer.to_le_bytes())));
        Ok(Given::plain(Answer::Number(answer)))
    }
}

/// 1,000 Deployments of about 2 KB.
fn documents() -> Result<Vec<Document>> {
    let environment: Vec<_> =
        (0..20).map(|n| serde_json::json!({"name": format!("VARIABLE_{n}"), "value": format!("a value with number {n}")})).collect();
    (0..1000)
        .map(|n| {
            let name = format!("object-{n}");
            let object = serde_json::json!({
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": name, "namespace": "default", "labels": {"app": name, "tier": "web"}, "annotations": {"note": "x".repeat(200)}},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "app", "image": "registry.example.com/app:1.2.3", "env": environment,
                        "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "100m"}}}]}}},
            });
            Ok(Document::from_value(&object)?)
        })
        .collect()
}
