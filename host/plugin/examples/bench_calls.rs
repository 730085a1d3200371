//! Measures calls of a plugin and prints one JSON line for each figure: `{"name": …, "unit": …, "value": …}`.
//!
//! `bench_calls FILE` takes the component of `tests/guests/bench`. Each figure is a median; each call is a fresh instance,
//! and its questions are recorded by the environment.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::env;
use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use weir_plugin::ask::Budget;
use weir_plugin::{
    Answer, Call, Document, Environment, Given, Host, HostConfig, Kind, Limits, Loaded, Question,
    Refusal, Role,
};
use weir_tree::Digest;

fn main() -> Result<(), Box<dyn Error>> {
    let measuring = thread::Builder::new()
        .stack_size(weir_plugin::stack::THREAD_STACK)
        .spawn(|| {
            weir_plugin::stack::guests_may_run_here();
            run().map_err(|error| error.to_string())
        })?;
    Ok(measuring.join().map_err(|_| "measuring panicked")??)
}

fn run() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("usage: bench_calls COMPONENT")?;
    let component = fs::read(file)?;
    let folder = tempfile::tempdir()?;
    let config = HostConfig {
        cache: Some(folder.path().to_owned()),
        ..HostConfig::default()
    };
    let started = Instant::now();
    let host = Host::new(config.clone())?;
    print("plugin-host-start", started.elapsed());
    let started = Instant::now();
    let plugin = host.load(&component)?;
    print("plugin-compile", started.elapsed());
    // Loaded with all that belongs to it: digest, imports, description, schema.
    let again = Host::new(config)?;
    let started = Instant::now();
    let from_cache = again.load(&component)?;
    print("plugin-load-from-cache", started.elapsed());
    drop(from_cache);

    let documents = documents()?;
    let bench = Bench { host, plugin };
    bench.measure("plugin-call-empty", "nothing", &[], 2000)?;
    bench.measure("plugin-edit-2-of-1000", "edit-two", &documents, 200)?;
    bench.measure("plugin-read-all-1000", "read-all", &documents, 100)?;
    bench.measure("plugin-merge-all-1000", "merge-all", &documents, 100)?;
    bench.measure("plugin-rewrite-all-1000", "rewrite-all", &documents, 50)?;
    Ok(())
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
    ) -> Result<(), Box<dyn Error>> {
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
            if outcome.documents.len() != documents.len() {
                return Err(format!("{case} lost documents").into());
            }
        }
        // The first ones warm up.
        let mut took = took.split_off(times / 10);
        took.sort();
        print(name, took[took.len() / 2]);
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
fn documents() -> Result<Vec<Document>, Box<dyn Error>> {
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

fn print(name: &str, value: Duration) {
    println!(
        "{}",
        serde_json::json!({"name": name, "unit": "us", "value": value.as_nanos() as f64 / 1000.0})
    );
}
