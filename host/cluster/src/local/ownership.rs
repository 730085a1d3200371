//! Who owns which fields, and what an apply or an update makes of it.
//!
//! The rules are those of the API server's field manager: an apply owns exactly the fields that it states; it conflicts
//! with everybody who owns one that it would change, unless it takes it by force; a field that a manager applied before
//! and does not now goes away if nobody else owns it. An update owns what it changed.

mod managers;

use serde_json::{Map, Value};

pub(crate) use managers::{Manager, Managers, Operation};

use super::fields::{Element, Set};
use super::schema::{Schema, TypeId};
use super::typed::{Comparison, compare, field_set, merge, remove};

/// The manager of what was there before anybody applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// The manager into which old update managers are folded when there are too many.
const ANCIENT: &str = "ancient-changes";
/// How many update managers an object keeps.
const MAX_UPDATE_MANAGERS: usize = 10;

/// What an operation works on: the schema of the object, and what the written part of it may not touch.
#[derive(Debug)]
pub(crate) struct Context<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) ty: TypeId,
    /// `status` for the object itself where status is a subresource, `spec` for the status; nobody gets to own these.
    pub(crate) reset: Set,
    pub(crate) api_version: &'s str,
    /// `status`, or empty.
    pub(crate) subresource: &'s str,
    /// RFC 3339, in seconds.
    pub(crate) now: &'s str,
}

/// Fields of other managers that an apply would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflicts(Vec<(Manager, Set)>);

/// Applies `applied` to a live object, `None` if there is none. Neither holds `managedFields`.
pub(crate) fn apply(
    ctx: &Context<'_>,
    live: Option<&Value>,
    mut managers: Managers,
    applied: &Value,
    manager: &str,
    force: bool,
) -> Result<(Value, Managers), Conflicts> {
    let nothing = Value::Object(Map::new());
    let live_or_nothing = live.unwrap_or(&nothing);
    if let (Some(live), true) = (live, managers.is_empty()) {
        managers = update(ctx, None, live, managers, BEFORE_FIRST_APPLY);
    }
    let own = Manager::new(manager, Operation::Apply, ctx);
    let merged =
        merge(ctx.schema, ctx.ty, Some(live_or_nothing), Some(applied)).unwrap_or(Value::Null);
    let before = managers.set(&own).cloned();
    let set = field_set(ctx.schema, ctx.ty, applied).without(&ctx.reset);
    managers.put(own.clone(), set, ctx.api_version);
    let new = match before.filter(|before| !before.is_empty()) {
        Some(before) => drop_given_up(ctx, merged, &before, &managers),
        None => merged,
    };
    let changes = compare(ctx.schema, ctx.ty, live_or_nothing, &new).without(&ctx.reset);
    take_over(&mut managers, &changes, &own, force)?;
    managers.strip_identity(&own);
    if live.is_none_or(|live| *live != new) {
        managers.touch(&own, ctx.now);
    }
    Ok((new, managers))
}

/// What an update (a create or a patch that is no apply) from `old` to `new` makes of the managers.
pub(crate) fn update(
    ctx: &Context<'_>,
    old: Option<&Value>,
    new: &Value,
    managers: Managers,
    manager: &str,
) -> Managers {
    let nothing = Value::Object(Map::new());
    let mut managers = managers;
    let changes = compare(ctx.schema, ctx.ty, old.unwrap_or(&nothing), new).without(&ctx.reset);
    let own = Manager::new(manager, Operation::Update, ctx);
    let nobody = Manager::new("", Operation::Update, ctx);
    match take_over(&mut managers, &changes, &nobody, true) {
        Ok(()) | Err(Conflicts(_)) => {}
    }
    let mut changed = changes.modified.union(&changes.added);
    changed = changed.difference(&identity());
    if !changed.is_empty() {
        let owned = managers
            .set(&own)
            .map(|set| set.union(&changed))
            .unwrap_or(changed);
        managers.put(own.clone(), owned, ctx.api_version);
        managers.touch(&own, ctx.now);
        managers.strip_identity(&own);
    }
    managers.fold_old(MAX_UPDATE_MANAGERS, ANCIENT);
    managers
}

/// Takes changed fields away from all managers but one, and removed fields from all. Without force, changed fields of
/// others are conflicts.
fn take_over(
    managers: &mut Managers,
    changes: &Comparison,
    own: &Manager,
    force: bool,
) -> Result<(), Conflicts> {
    let changed = changes.modified.union(&changes.added);
    let conflicts: Vec<(Manager, Set)> = managers
        .iter()
        .filter(|(manager, _)| *manager != own)
        .map(|(manager, set)| (manager.clone(), set.intersection(&changed)))
        .filter(|(_, set)| !set.is_empty())
        .collect();
    if !force && !conflicts.is_empty() {
        return Err(Conflicts(conflicts));
    }
    managers.retain_fields(|manager, set| {
        if manager == own {
            set.clone()
        } else {
            set.difference(&changed).difference(&changes.removed)
        }
    });
    Ok(())
}

/// Removes what a manager applied before, does not apply now, and nobody else owns. `managers` already has its new set.
fn drop_given_up(ctx: &Context<'_>, merged: Value, before: &Set, managers: &Managers) -> Value {
    let Context { schema, ty, .. } = ctx;
    let declared = |set: &Set| set.with_declared_fields(schema, Some(*ty));
    let fields_of = |value: &Value| declared(&field_set(schema, *ty, value));
    let merged_fields = fields_of(&merged);
    let before = declared(before);
    let pruned = remove(schema, *ty, &merged, &before);
    // Back comes what somebody owns …
    let owned = managers
        .iter()
        .fold(Set::default(), |all, (_, set)| all.union(set));
    let gone = merged_fields.difference(&fields_of(&pruned).union(&declared(&owned)));
    let pruned = remove(schema, *ty, &merged, &gone);
    // … and what this manager never applied: it is only removed together with something that it did apply.
    let gone = merged_fields
        .difference(&fields_of(&pruned))
        .intersection(&before);
    remove(schema, *ty, &merged, &gone)
}

/// What says which object it is and is kept by the cluster: nobody owns it.
fn identity() -> Set {
    let mut set = Set::default();
    for name in ["apiVersion", "kind", "metadata"] {
        set.insert(&[Element::field(name)]);
    }
    const FIELDS: [&str; 9] = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    for name in FIELDS {
        set.insert(&[Element::field("metadata"), Element::field(name)]);
    }
    set
}

/// In the API server's words.
impl std::fmt::Display for Conflicts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let show = |path: &[Element]| path.iter().map(Element::to_string).collect::<String>();
        let all: Vec<(&Manager, Vec<Vec<Element>>)> = self
            .0
            .iter()
            .map(|(manager, set)| (manager, set.paths()))
            .collect();
        let count: usize = all.iter().map(|(_, paths)| paths.len()).sum();
        if let ([(manager, paths)], 1) = (&all[..], count) {
            return write!(
                f,
                "Apply failed with 1 conflict: conflict with {manager}: {}",
                show(&paths[0])
            );
        }
        write!(f, "Apply failed with {count} conflicts: ")?;
        let mut first = true;
        for (manager, paths) in &all {
            let line = if first { "" } else { "\n" };
            write!(f, "{line}conflicts with {manager}:")?;
            for path in paths {
                write!(f, "\n- {}", show(path))?;
            }
            first = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
