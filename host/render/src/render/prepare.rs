//! What plugins prepare of trees, for many steps at once.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use weir_plugin::{Kind, TreeId};
use weir_tree::Digest;

use super::{Done, RenderError, Renderer, Work, nested_step};
use crate::record::{PassedTree, Setting};
use crate::trace::Hash;

/// What was asked for once. A chart of which there is one release is not worth preparing: what is kept for others costs a third
/// more than the work itself.
#[derive(Debug, Default)]
pub(super) struct Asked(Mutex<HashSet<Digest>>);

/// How many of them are remembered; with more of them all are forgotten.
const MOST: usize = 10_000;

impl Asked {
    /// Whether this was asked before.
    fn before(&self, what: Digest) -> bool {
        let mut asked = self
            .0
            .lock()
            .expect("no panic while what was asked is locked");
        if asked.len() >= MOST && !asked.contains(&what) {
            asked.clear();
        }
        !asked.insert(what)
    }
}

impl Renderer {
    /// What the plugin of a step makes of a tree, for this step and others; nothing when it is asked for the first time.
    pub(crate) fn prepare(
        &self,
        caller: &Setting<'_>,
        config: &str,
        passed: BTreeMap<TreeId, PassedTree>,
    ) -> Result<Option<Done>, RenderError> {
        let name = &caller.step.plugin;
        let refused = |refusal| RenderError::Plugin {
            step: caller.step.name.clone(),
            refusal,
        };
        let registered = caller.world.plugin(name).map_err(refused)?;
        let mut what = Hash::default();
        what.bytes(registered.plugin.digest().as_bytes());
        what.text(config);
        if !self.asked.before(what.done()) {
            return Ok(None);
        }
        let mut step = nested_step(name);
        step.name.clone_from(&caller.step.name);
        let work = Work {
            kind: Kind::Preparer,
            config: config.to_owned(),
            input: Digest::of(&[]),
            documents: &[],
            tainted: false,
            registered,
        };
        let setting = Setting {
            step: &step,
            depth: caller.depth + 1,
            ..*caller
        };
        self.run(&setting, work, passed).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_remembered_within_a_bound() {
        let asked = Asked::default();
        let what = |number: usize| Digest::of(&number.to_le_bytes());
        assert!(!asked.before(what(0)));
        assert!(asked.before(what(0)));
        for number in 1..=MOST {
            assert!(!asked.before(what(number)));
        }
        assert!(!asked.before(what(0)), "it was forgotten");
        assert!(asked.0.lock().unwrap().len() <= MOST);
    }
}
