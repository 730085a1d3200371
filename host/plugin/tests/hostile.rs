//! Plugins that misbehave: each is refused with an error of its own, while another plugin goes on undisturbed and the
//! memory of the process stays bounded.
//!
//! A test binary of its own, for the memory is that of the process; its tests take turns for the same reason.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir_plugin::{CallError, Grants, Limits};
use weir_testing::plugin::{Plugin, PluginCall};

#[path = "hostile/components.rs"]
mod components;
#[path = "hostile/grants.rs"]
mod grants;
#[path = "hostile/handmade.rs"]
mod handmade;
#[path = "hostile/limits.rs"]
mod limits;
#[path = "hostile/sandbox.rs"]
mod sandbox;
#[path = "hostile/secrets.rs"]
mod secrets;
#[path = "hostile/values.rs"]
mod values;

/// More memory than this at any time, and something is unbounded: the engine and its code take about 150 MiB in a build
/// for tests, a guest at its limit [`small`] 64 MiB, and what it hands over in one call up to 96 MiB twice.
const MOST_MEMORY_KIB: u64 = 600 << 10;

/// The guest of `tests/guests/hostile`.
fn guest() -> &'static Plugin {
    static GUEST: OnceLock<Plugin> = OnceLock::new();
    GUEST.get_or_init(|| {
        Plugin::build(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/guests/hostile"
        ))
    })
}

/// Limits that are reached quickly.
fn small() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        time_ms: 120_000,
        fuel: 20_000_000_000,
        host_calls: 20_000,
        read_bytes: 4 << 20,
        objects: 2000,
        object_bytes: 1 << 20,
        output_bytes: 8 << 20,
        handles: 5000,
        log_bytes: 256 << 10,
        ..Limits::default()
    }
}

/// A call of the guest in one of its cases.
fn case(name: &str, text: &str) -> PluginCall {
    guest()
        .call()
        .config(serde_json::json!({"case": name, "text": text}))
        .limits(small())
}

/// The error of a call, as people see it.
fn error(call: PluginCall) -> String {
    match call.transform() {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => error.to_string(),
    }
}

/// The limit that a call ran into.
fn limit(call: PluginCall) -> String {
    match call.transform() {
        Err(CallError::Limit {
            limit,
            plugin,
            step,
            ..
        }) => {
            assert_eq!((plugin.as_str(), step.as_str()), ("hostile", "test"));
            limit
        }
        Err(other) => panic!("no limit, but: {other}"),
        Ok(_) => panic!("no limit, the call succeeded"),
    }
}

fn grant(change: impl FnOnce(&mut Grants)) -> Grants {
    let mut grants = Grants::default();
    change(&mut grants);
    grants
}

/// One test at a time, with a well-behaved plugin called over and over beside it.
struct Watch {
    ended: Arc<AtomicBool>,
    calls: Arc<AtomicU64>,
    neighbour: Option<JoinHandle<()>>,
    _turn: MutexGuard<'static, ()>,
}

impl Watch {
    fn start() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (theirs, counted) = (Arc::clone(&ended), Arc::clone(&calls));
        guest();
        let neighbour = thread::spawn(move || {
            while !theirs.load(Ordering::Relaxed) {
                let made = case("merge-all", r#"{"metadata":{"labels":{"a":"b"}}}"#)
                    .objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}")
                    .transform()
                    .expect("the well-behaved call succeeds");
                assert_eq!(made.values()[0]["metadata"]["labels"]["a"], "b");
                counted.fetch_add(1, Ordering::Relaxed);
                // Half of the machine is enough for one to be undisturbed.
                thread::yield_now();
            }
        });
        Self {
            ended,
            calls,
            neighbour: Some(neighbour),
            _turn: turn,
        }
    }

    /// Runs one case beside the neighbour, and checks that the neighbour went on and memory stayed bounded.
    fn beside<T>(&self, name: &str, act: impl FnOnce() -> T) -> T {
        let before = self.calls.load(Ordering::Relaxed);
        let result = act();
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.calls.load(Ordering::Relaxed) == before {
            assert!(
                Instant::now() < deadline,
                "{name}: the well-behaved plugin does not go on"
            );
            assert!(
                !self.neighbour.as_ref().unwrap().is_finished(),
                "{name}: the well-behaved plugin failed"
            );
            thread::yield_now();
        }
        let memory = most_memory_kib();
        assert!(
            memory < MOST_MEMORY_KIB,
            "{name}: the process had {memory} KiB of memory"
        );
        result
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let joined = self.neighbour.take().unwrap().join();
        if !thread::panicking() {
            joined.unwrap();
        }
    }
}

/// The most memory that the process ever had.
fn most_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
