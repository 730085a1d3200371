//! What plugins prepare of trees, for many steps at once.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use weir_plugin::ask::Budget;
use weir_plugin::{Call, CallError, Kind, Limits, TreeId};
use weir_tree::Digest;

use super::{Renderer, hash_rights, nested_step, verifying};
use crate::index::Dependency;
use crate::memo::{Kept, Memo, Output};
use crate::record::{PassedTree, Recorder, Setting};
use crate::trace::{Hash, Trace};
use crate::world::Registered;

/// Of one config so many results are kept, one for each tree.
const VARIANTS: usize = 16;
/// The part of the budget that one result may take.
const BUDGET_SHARE: usize = 2;
/// The part of the time that a step has left which its preparer may take, so that the step can still do the work itself.
const TIME_SHARE: u32 = 2;
/// How much of what was asked for once is remembered; with more of it all is forgotten.
const MOST_ASKED: usize = 10_000;

/// What is kept of it.
#[derive(Debug)]
pub(super) struct Preparations {
    /// The longest result.
    longest: usize,
    kept: Mutex<Memo>,
    /// What was asked for before. What is rendered once is not worth preparing: to make what is kept costs a third more than the
    /// work itself.
    asked: Mutex<HashSet<Digest>>,
}

/// What a plugin prepared; nothing if the step has to do the work itself.
pub(crate) struct Preparation {
    pub(crate) made: Option<Bytes>,
    /// What was read for it, whatever came of it.
    pub(crate) trace: Arc<Trace>,
    pub(crate) dependencies: BTreeSet<Dependency>,
    pub(crate) unsettled: bool,
}

impl Preparations {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            longest: budget / BUDGET_SHARE,
            kept: Mutex::new(Memo::new(budget, VARIANTS)),
            asked: Mutex::default(),
        }
    }

    /// Whether this was asked for before.
    fn asked(&self, what: Digest) -> bool {
        let mut asked = self.asked.lock().expect("no panic while it is locked");
        if asked.len() >= MOST_ASKED && !asked.contains(&what) {
            asked.clear();
        }
        !asked.insert(what)
    }

    fn memo(&self) -> std::sync::MutexGuard<'_, Memo> {
        self.kept.lock().expect("no panic while it is locked")
    }
}

impl Renderer {
    /// What the plugin of a step makes of a tree, for this step and others. Nothing at all where it is not asked: when this is
    /// wanted for the first time.
    pub(crate) fn prepare(
        &self,
        caller: &Setting<'_>,
        config: &str,
        passed: &BTreeMap<TreeId, PassedTree>,
        budget: &Budget,
    ) -> Option<Preparation> {
        let name = &caller.step.plugin;
        let registered = caller.world.plugin(name).ok()?;
        let key = key(&registered, config);
        // A second run with another random key is no second time.
        let mut what = Hash::default();
        what.bytes(key.as_bytes());
        what.bytes(caller.random_key);
        if !self.preparations.asked(what.done()) {
            return None;
        }
        let mut step = nested_step(name);
        step.name.clone_from(&caller.step.name);
        let setting = Setting {
            step: &step,
            depth: caller.depth + 1,
            ..*caller
        };
        let candidates = self.preparations.memo().candidates(&key);
        for kept in candidates {
            let mut recorder = Recorder::new(setting, passed.clone()).ok()?;
            if recorder.holds(&kept.trace, &verifying()) {
                self.preparations.memo().touch(&key, &kept.trace);
                return Some(Preparation {
                    made: kept.output.made.clone(),
                    dependencies: recorder.finish().dependencies,
                    trace: kept.trace,
                    unsettled: false,
                });
            }
        }
        let mut recorder = Recorder::new(setting, passed.clone()).ok()?;
        let call = Call {
            step: step.name.clone(),
            kind: Kind::Preparer,
            config: config.to_owned(),
            documents: Vec::new(),
            grants: registered.grants.clone(),
            limits: limits(&registered.limits, budget),
            depth: setting.depth,
            cancel: setting.cancel.clone(),
            secrets: setting.secrets.clone(),
        };
        let made = match self.host.call(&registered.plugin, call, &mut recorder) {
            // What it has to say is said by the step that does the work itself.
            Ok(outcome) if outcome.diagnostics.is_empty() => outcome.made,
            Ok(_) => None,
            Err(CallError::Cancelled) => return None,
            Err(error) => {
                tracing::debug!(plugin = %name, %error, "nothing was prepared");
                None
            }
        };
        let made = made.filter(|made| made.len() <= self.preparations.longest);
        let recorded = recorder.finish();
        let trace = Arc::new(recorded.trace);
        if !recorded.unsettled {
            let output = Output {
                made: made.clone(),
                ..Output::default()
            };
            let kept = Kept {
                trace: trace.clone(),
                output: Arc::new(output),
            };
            self.preparations.memo().insert(key, kept);
        }
        Some(Preparation {
            made,
            trace,
            dependencies: recorded.dependencies,
            unsettled: recorded.unsettled,
        })
    }
}

/// Everything that decides what is prepared besides the tree: a preparer sees nothing of who asks.
fn key(registered: &Registered, config: &str) -> Digest {
    let mut hash = Hash::default();
    hash.bytes(registered.plugin.digest().as_bytes());
    hash.text(config);
    hash_rights(&mut hash, registered);
    hash.done()
}

/// The plugin's limits, within what the step has left.
fn limits(limits: &Limits, budget: &Budget) -> Limits {
    let left = budget.deadline.saturating_duration_since(Instant::now()) / TIME_SHARE;
    let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    Limits {
        time_ms: limits.time_ms.min(left),
        ..limits.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_remembered_within_a_bound() {
        let preparations = Preparations::new(0);
        let what = |number: usize| Digest::of(&number.to_le_bytes());
        assert!(!preparations.asked(what(0)));
        assert!(preparations.asked(what(0)));
        for number in 1..=MOST_ASKED {
            assert!(!preparations.asked(what(number)));
        }
        assert!(!preparations.asked(what(0)), "it was forgotten");
        assert!(preparations.asked.lock().unwrap().len() <= MOST_ASKED);
    }
}
