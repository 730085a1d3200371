//! weir beside source-controller: the same objects, on the same real servers and the same API server, and at the end the
//! same conditions, revisions and files. What source-controller says is recorded, so that no test needs a build of it;
//! `cargo xtask record sources` asks it again, and so does `cargo xtask test --full`.
//!
//! There are two rounds: all objects at once, then what moved on the servers or in the objects.

mod buckets;
mod charts;
mod git;
mod oci;
mod snapshot;
mod words;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use weir_controller::ArtifactOptions;
use weir_testing::source_controller::SourceController;

use self::snapshot::{Camera, Snapshot};
use self::world::World;
use crate::lab::{Lab, Place, checkout};
use crate::sources::SOURCE;

/// Set by `cargo xtask record sources`.
const RECORD: &str = "WEIR_RECORD_SOURCES";
/// Set by `cargo xtask test --full`.
const FULL: &str = "WEIR_TEST_FULL";
/// How long weir may take for a round.
const LIMIT: Duration = Duration::from_secs(60);
/// An original is done when nothing changed for so long; it retries what failed sooner.
const CALM: Duration = Duration::from_secs(8);

/// An object, what it needs, and what becomes of it.
struct Scenario {
    first: Vec<Value>,
    then: Vec<Value>,
}

/// A source with what it always has and what the scenario is about.
fn scenario(kind: &str, name: &str, always: Value, about: Value) -> Scenario {
    let mut spec = json!({"interval": "1h"});
    for part in [always, about] {
        if let (Some(spec), Value::Object(part)) = (spec.as_object_mut(), part) {
            spec.extend(part);
        }
    }
    let object = json!({
        "apiVersion": SOURCE, "kind": kind, "metadata": {"name": name}, "spec": spec,
    });
    Scenario {
        first: vec![object],
        then: Vec::new(),
    }
}

fn secret(name: &str, kind: &str, values: &[(&str, &str)]) -> Value {
    let values = values.iter();
    let values: Map<String, Value> = values
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name}, "stringData": values,
    })
}

fn docker_secret(name: &str, host: &str, user: &str, password: &str) -> Value {
    let config = json!({"auths": {host: {"username": user, "password": password}}}).to_string();
    secret(
        name,
        "kubernetes.io/dockerconfigjson",
        &[(".dockerconfigjson", &config)],
    )
}

impl Scenario {
    /// Asked for again in the second round.
    fn again(self) -> Self {
        self.changed(json!({}))
    }

    /// With other fields in the second round.
    fn changed(mut self, about: Value) -> Self {
        let mut object = self.first.last().cloned().unwrap_or_default();
        object["metadata"]["annotations"] = json!({"reconcile.fluxcd.io/requestedAt": "round 2"});
        if let (Some(spec), Value::Object(about)) = (object["spec"].as_object_mut(), about) {
            spec.extend(about);
        }
        self.then.push(object);
        self
    }
}

/// Both rounds of one of the two.
struct Rounds<'a> {
    lab: &'a Lab,
    world: World,
    camera: Camera,
    scenarios: Vec<Scenario>,
}

impl<'a> Rounds<'a> {
    /// `None` if something is not there that the scenarios need, which was said.
    fn new(lab: &'a Lab) -> Result<Option<Self>> {
        let Some(world) = World::start(lab)? else {
            return Ok(None);
        };
        let mut scenarios = git::scenarios(&world)?;
        scenarios.extend(oci::scenarios(&world));
        scenarios.extend(charts::scenarios(&world));
        scenarios.extend(buckets::scenarios(&world));
        Ok(Some(Self {
            lab,
            world,
            camera: Camera::new()?,
            scenarios,
        }))
    }

    async fn first(&self) -> Result<()> {
        for scenario in &self.scenarios {
            self.apply(&scenario.first).await?;
        }
        Ok(())
    }

    async fn second(&mut self) -> Result<()> {
        self.world.move_on()?;
        for scenario in &self.scenarios {
            self.apply(&scenario.then).await?;
        }
        Ok(())
    }

    async fn apply(&self, objects: &[Value]) -> Result<()> {
        for object in objects {
            let mut object = object.clone();
            object["metadata"]["namespace"] = self.lab.namespace.clone().into();
            self.lab.apply(object).await?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<Snapshot> {
        self.camera.take(self.lab, &self.world.names).await
    }

    /// Waits until all stands as it should.
    async fn reach(&mut self, wanted: &Snapshot) -> Result<()> {
        let start = Instant::now();
        loop {
            let found = self.look().await?;
            let differences = differences(wanted, &found);
            if differences.is_empty() {
                return Ok(());
            }
            if start.elapsed() > LIMIT {
                let count = differences.len();
                bail!("{count} objects differ:\n{}", differences.concat());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until nothing changes any more.
    async fn settle(&mut self) -> Result<Snapshot> {
        let mut last = Snapshot::new();
        let start = Instant::now();
        let mut since = Instant::now();
        loop {
            let mut found = self.look().await?;
            // What is tried once more stands as it stood before.
            for (name, now) in &mut found {
                if let Some(before) = last.get(name).filter(|_| is_busy(now)) {
                    *now = before.clone();
                }
            }
            if found != last {
                if start.elapsed() > LIMIT {
                    bail!("still changing:\n{}", differences(&last, &found).concat());
                }
                (last, since) = (found, Instant::now());
            } else if since.elapsed() > CALM {
                return Ok(last);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn is_busy(said: &Value) -> bool {
    let conditions = said["conditions"].as_array().into_iter().flatten();
    let mut conditions = conditions.map(|one| (&one["type"], &one["status"], &one["reason"]));
    conditions.any(|(kind, status, reason)| {
        kind == "Ready" && status == "Unknown" || kind == "Reconciling" && reason == "Progressing"
    })
}

/// One text for each object that is not as wanted.
fn differences(wanted: &Snapshot, found: &Snapshot) -> Vec<String> {
    let mut texts = Vec::new();
    for name in wanted
        .keys()
        .chain(found.keys().filter(|name| !wanted.contains_key(*name)))
    {
        let (is, should) = (found.get(name), wanted.get(name));
        if is == should || words::is_deliberate(name) {
            continue;
        }
        let mut text = format!("{name}\n");
        let empty = Value::Null;
        let (is, should) = (is.unwrap_or(&empty), should.unwrap_or(&empty));
        let fields: std::collections::BTreeSet<&String> = [is, should]
            .iter()
            .filter_map(|one| one.as_object())
            .flat_map(Map::keys)
            .collect();
        let differ = |field: &&String| match field.as_str() {
            "conditions" => !words::same_conditions(&should["conditions"], &is["conditions"]),
            field => is[field] != should[field],
        };
        let fields: Vec<&String> = fields.into_iter().filter(differ).collect();
        if fields.is_empty() {
            continue;
        }
        for field in fields {
            let _ = writeln!(
                text,
                "  {field}\n    flux {}\n    weir {}",
                should[field], is[field]
            );
        }
        texts.push(text);
    }
    texts
}

fn recorded() -> PathBuf {
    checkout().join("tests/cases/sources/beside.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn weir_says_what_source_controller_says() -> Result<()> {
    if std::env::var_os(RECORD).is_some() {
        return record().await;
    }
    let Some(lab) = Lab::new(Place::Kube, "beside").await? else {
        return Ok(());
    };
    let Some(mut rounds) = Rounds::new(&lab)? else {
        return Ok(());
    };
    let text = std::fs::read_to_string(recorded()).context("reading what is recorded")?;
    let wanted: BTreeMap<String, Snapshot> = serde_json::from_str(&text)?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut options = lab.options();
    options.artifacts = Some(ArtifactOptions {
        listen: free,
        advertised: free.to_string(),
    });
    rounds.first().await?;
    let running = lab.start_with(options).await?;
    rounds.reach(&wanted["round 1"]).await.context("round 1")?;
    rounds.second().await?;
    rounds.reach(&wanted["round 2"]).await.context("round 2")?;
    running.stop().await;
    Ok(())
}

/// What is recorded is what source-controller says.
#[tokio::test(flavor = "multi_thread")]
async fn source_controller_says_what_is_recorded() -> Result<()> {
    if std::env::var_os(FULL).is_none() {
        return Ok(());
    }
    let Some(said) = ask_original().await? else {
        return Ok(());
    };
    let text = std::fs::read_to_string(recorded()).context("reading what is recorded")?;
    let wanted: BTreeMap<String, Snapshot> = serde_json::from_str(&text)?;
    for (round, wanted) in wanted {
        let differences = differences(&wanted, &said[&round]);
        anyhow::ensure!(differences.is_empty(), "{round}:\n{}", differences.concat());
    }
    Ok(())
}

async fn record() -> Result<()> {
    let said = ask_original().await?.context("the tools are not built")?;
    let path = recorded();
    std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
    std::fs::write(&path, serde_json::to_string_pretty(&said)? + "\n")?;
    Ok(())
}

async fn ask_original() -> Result<Option<BTreeMap<String, Snapshot>>> {
    let Some(lab) = Lab::new(Place::Kube, "original").await? else {
        return Ok(None);
    };
    let Some(mut rounds) = Rounds::new(&lab)? else {
        return Ok(None);
    };
    rounds.first().await?;
    let space = lab.space.as_ref().context("a lab on the API server")?;
    let Some(original) = SourceController::start(space)? else {
        return Ok(None);
    };
    let log = || format!("the end of its log:\n{}", original.log_end());
    let mut said = BTreeMap::new();
    said.insert(
        "round 1".to_owned(),
        rounds.settle().await.with_context(log)?,
    );
    rounds.second().await?;
    said.insert(
        "round 2".to_owned(),
        rounds.settle().await.with_context(log)?,
    );
    Ok(Some(said))
}
