//! What runs next: no node twice, none beside itself, the urgent first. Plain data; time is passed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use crate::node::NodeId;

/// Why a node is to run; a smaller one goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Priority {
    /// A person asked for it.
    Person,
    /// An input changed.
    Change,
    /// Its interval or its retry came round.
    Interval,
    /// Only its reported revision is to move on.
    Advance,
}

/// The queue. Its size is bounded by the number of nodes: each is in it at most once.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ready: BTreeSet<(Priority, u64, NodeId)>,
    places: HashMap<NodeId, (Priority, u64)>,
    later: BTreeSet<(Instant, NodeId)>,
    alarms: HashMap<NodeId, Instant>,
    running: BTreeMap<NodeId, Option<Priority>>,
    counter: u64,
}

impl Queue {
    /// Asks for a run. While the node runs, the request is kept for afterwards.
    pub(crate) fn push(&mut self, id: NodeId, priority: Priority) {
        if let Some(again) = self.running.get_mut(&id) {
            *again = Some(again.map_or(priority, |kept| kept.min(priority)));
            return;
        }
        if let Some(place) = self.places.get(&id).copied() {
            if place.0 <= priority {
                return;
            }
            self.ready.remove(&(place.0, place.1, id.clone()));
        }
        self.counter += 1;
        self.places.insert(id.clone(), (priority, self.counter));
        self.ready.insert((priority, self.counter, id));
    }

    /// Asks for a run at a time; the last such request counts.
    pub(crate) fn push_at(&mut self, id: NodeId, when: Instant) {
        self.cancel_alarm(&id);
        self.alarms.insert(id.clone(), when);
        self.later.insert((when, id));
    }

    /// The next node to run, which counts as running from now on.
    pub(crate) fn next(&mut self, now: Instant) -> Option<(NodeId, Priority)> {
        self.ring(now);
        let (priority, _, id) = self.ready.pop_first()?;
        self.places.remove(&id);
        self.cancel_alarm(&id);
        self.running.insert(id.clone(), None);
        Some((id, priority))
    }

    /// A run has ended. If another was asked for meanwhile, it is in the queue now.
    pub(crate) fn done(&mut self, id: &NodeId) {
        if let Some(Some(priority)) = self.running.remove(id) {
            self.push(id.clone(), priority);
        }
    }

    /// Forgets a node that is gone.
    pub(crate) fn remove(&mut self, id: &NodeId) {
        if let Some((priority, counter)) = self.places.remove(id) {
            self.ready.remove(&(priority, counter, id.clone()));
        }
        self.cancel_alarm(id);
        if let Some(again) = self.running.get_mut(id) {
            *again = None;
        }
    }

    pub(crate) fn is_running(&self, id: &NodeId) -> bool {
        self.running.contains_key(id)
    }

    /// Whether a run of this node is under way or to come at once.
    pub(crate) fn is_busy(&self, id: &NodeId) -> bool {
        self.running.contains_key(id) || self.places.contains_key(id)
    }

    /// Nothing runs and nothing is due.
    pub(crate) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.running.is_empty()
    }

    /// When something will be due next.
    pub(crate) fn next_alarm(&self) -> Option<Instant> {
        self.later.first().map(|(when, _)| *when)
    }

    fn ring(&mut self, now: Instant) {
        while self.later.first().is_some_and(|(when, _)| *when <= now) {
            if let Some((_, id)) = self.later.pop_first() {
                self.alarms.remove(&id);
                self.push(id, Priority::Interval);
            }
        }
    }

    fn cancel_alarm(&mut self, id: &NodeId) {
        if let Some(when) = self.alarms.remove(id) {
            self.later.remove(&(when, id.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::NodeKind;

    fn id(name: &str) -> NodeId {
        NodeId::new(NodeKind::Kustomization, "a", name)
    }

    fn names(queue: &mut Queue, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| queue.next(now))
            .map(|(id, _)| id.name.name)
            .collect()
    }

    #[test]
    fn the_urgent_go_first_and_equals_in_their_order() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for (name, priority) in [
            ("d", Priority::Advance),
            ("b", Priority::Change),
            ("c", Priority::Change),
            ("a", Priority::Person),
        ] {
            queue.push(id(name), priority);
        }
        queue.push(id("d"), Priority::Interval);
        queue.push(id("b"), Priority::Advance);
        assert_eq!(names(&mut queue, now), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_node_never_runs_beside_itself_and_no_request_is_lost() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(id("a"), Priority::Change);
        assert!(queue.next(now).is_some());
        queue.push(id("a"), Priority::Interval);
        queue.push(id("a"), Priority::Person);
        assert_eq!(queue.next(now), None);
        queue.done(&id("a"));
        assert_eq!(queue.next(now), Some((id("a"), Priority::Person)));
        queue.done(&id("a"));
        assert!(queue.is_idle());
    }

    #[test]
    fn alarms_ring_once_and_a_run_silences_them() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let soon = now + Duration::from_secs(5);
        queue.push_at(id("a"), now + Duration::from_secs(1));
        queue.push_at(id("a"), soon);
        assert_eq!((queue.next(now), queue.next_alarm()), (None, Some(soon)));
        queue.push(id("a"), Priority::Change);
        assert_eq!(queue.next(now), Some((id("a"), Priority::Change)));
        queue.done(&id("a"));
        assert_eq!((queue.next(soon), queue.next_alarm()), (None, None));
        queue.push_at(id("b"), soon);
        assert_eq!(queue.next(soon), Some((id("b"), Priority::Interval)));
    }

    #[test]
    fn what_is_removed_does_not_run() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(id("a"), Priority::Change);
        queue.push_at(id("a"), now);
        queue.remove(&id("a"));
        assert_eq!((queue.next(now), queue.next_alarm()), (None, None));
    }
}
