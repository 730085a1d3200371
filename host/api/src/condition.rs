//! Conditions in a status, kept by Flux's rules.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::conditions;

/// Longer messages are cut, as the API server would refuse them.
const MAX_MESSAGE: usize = 32_768;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: Status,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub message: String,
    /// RFC 3339, whole seconds.
    pub last_transition_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Status {
    True,
    False,
    Unknown,
}

/// Sets one condition. The transition time moves only when status, reason or message changed.
pub fn set(
    conditions: &mut Vec<Condition>,
    generation: i64,
    now: Timestamp,
    kind: &str,
    status: Status,
    reason: &str,
    message: &str,
) {
    let message = cut(message);
    let old = conditions
        .iter()
        .position(|condition| condition.kind == kind);
    let time = match old.map(|at| &conditions[at]) {
        Some(old) if old.status == status && old.reason == reason && old.message == message => {
            old.last_transition_time.clone()
        }
        _ => show_time(now),
    };
    let condition = Condition {
        kind: kind.to_owned(),
        status,
        reason: reason.to_owned(),
        message,
        last_transition_time: time,
        observed_generation: Some(generation),
    };
    match old {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
    sort(conditions);
}

pub fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|condition| condition.kind != kind);
}

pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// Ready, and neither stalled nor reconciling.
pub fn ready(conditions: &[Condition]) -> bool {
    let is =
        |kind, status| find(conditions, kind).is_some_and(|condition| condition.status == status);
    is(conditions::READY, Status::True)
        && !is(conditions::STALLED, Status::True)
        && !is(conditions::RECONCILING, Status::True)
}

/// RFC 3339 with whole seconds, as Kubernetes writes times.
pub fn show_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Stalled, Reconciling and Ready first, then the newest generation first, then by name.
fn sort(list: &mut [Condition]) {
    let rank = |kind: &str| {
        [
            conditions::STALLED,
            conditions::RECONCILING,
            conditions::READY,
        ]
        .iter()
        .position(|first| *first == kind)
        .unwrap_or(3)
    };
    list.sort_by(|a, b| {
        rank(&a.kind)
            .cmp(&rank(&b.kind))
            .then_with(|| b.observed_generation.cmp(&a.observed_generation))
            .then_with(|| a.kind.cmp(&b.kind))
    });
}

fn cut(message: &str) -> String {
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = (0..=MAX_MESSAGE - 3)
        .rev()
        .find(|at| message.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}...", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    #[test]
    fn the_transition_time_moves_only_with_the_content() {
        let mut list = Vec::new();
        set(
            &mut list,
            1,
            at(0),
            "Ready",
            Status::True,
            "Succeeded",
            "ok",
        );
        set(
            &mut list,
            2,
            at(60),
            "Ready",
            Status::True,
            "Succeeded",
            "ok",
        );
        assert_eq!(
            (
                list[0].last_transition_time.as_str(),
                list[0].observed_generation
            ),
            ("1970-01-01T00:00:00Z", Some(2))
        );
        set(
            &mut list,
            2,
            at(60),
            "Ready",
            Status::True,
            "Succeeded",
            "other",
        );
        assert_eq!(list[0].last_transition_time, "1970-01-01T00:01:00Z");
    }

    #[test]
    fn conditions_stand_in_the_order_of_flux() {
        let mut list = Vec::new();
        for kind in [
            "Healthy",
            "ArtifactInStorage",
            "Ready",
            "Stalled",
            "Reconciling",
        ] {
            set(&mut list, 1, at(0), kind, Status::True, "R", "");
        }
        let kinds: Vec<_> = list
            .iter()
            .map(|condition| condition.kind.as_str())
            .collect();
        assert_eq!(
            kinds,
            [
                "Stalled",
                "Reconciling",
                "Ready",
                "ArtifactInStorage",
                "Healthy"
            ]
        );
    }

    #[test]
    fn long_messages_are_cut() {
        let mut list = Vec::new();
        set(
            &mut list,
            1,
            at(0),
            "Ready",
            Status::False,
            "R",
            &"ü".repeat(40_000),
        );
        assert!(list[0].message.len() <= MAX_MESSAGE && list[0].message.ends_with("..."));
    }
}
