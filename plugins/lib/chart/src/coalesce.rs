//! Putting a chart's defaults, its subcharts' defaults and the given values together.
//!
//! The given values win. What a null does is the subtle part: on the last pass (*coalesce*) it removes the default that it
//! meets; on the passes before (*merge*) it stays, so that it can still do so.

use std::rc::Rc;

use crate::chart::Chart;
use crate::error::ChartError;
use crate::profile::Profile;
use crate::shared::{Shared, SharedMap, deep_copy, new_map};

/// What becomes of nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They remove what they meet.
    Coalesce,
    /// They stay.
    Merge,
}

const GLOBAL: &str = "global";

/// The values of a chart and of the charts inside it, below their names. The given values are copied first.
///
/// # Errors
///
/// When there is something else than a map under the name of a subchart.
pub fn coalesce_values(
    chart: &Chart,
    values: &SharedMap,
    mode: Mode,
    profile: Profile,
) -> Result<SharedMap, ChartError> {
    let values = deep_copy(values);
    Coalescer { profile }.chart(chart, &values, mode)?;
    Ok(values)
}

/// Merges `source` under `target`, which wins. Nulls in `target` stay.
pub fn merge_tables(target: &SharedMap, source: &SharedMap, profile: Profile) {
    Coalescer { profile }.tables(target, source, Mode::Merge);
}

#[derive(Clone, Copy)]
struct Coalescer {
    profile: Profile,
}

impl Coalescer {
    fn chart(self, chart: &Chart, values: &SharedMap, mode: Mode) -> Result<(), ChartError> {
        self.defaults(chart, values, mode);
        for subchart in &chart.dependencies {
            let name = subchart.name();
            let found = values.borrow().get(name).cloned();
            let below = match found {
                None => new_map(),
                Some(Shared::Map(map)) => map,
                Some(other) => {
                    return Err(ChartError::TypeMismatch {
                        name: name.to_owned(),
                        shown: shown_as_bool(&other),
                    });
                }
            };
            self.globals(&below, values);
            self.chart(subchart, &below, mode)?;
            values.borrow_mut().insert(name.into(), Shared::Map(below));
        }
        Ok(())
    }

    /// Puts a chart's own defaults under the values.
    fn defaults(self, chart: &Chart, values: &SharedMap, mode: Mode) {
        let clean = mode == Mode::Coalesce && self.profile.drops_default_nulls();
        for (key, default) in chart.values.borrow().iter() {
            let given = values.borrow().get(key).cloned();
            match (given, default) {
                (None, default) => {
                    if clean && default.is_null() {
                        continue;
                    }
                    let default = default.deep_copy();
                    if clean {
                        drop_nulls(&default);
                    }
                    values.borrow_mut().insert(Rc::clone(key), default);
                }
                (Some(Shared::Null), _) if mode == Mode::Coalesce => {
                    values.borrow_mut().remove(key);
                }
                (Some(Shared::Map(given)), Shared::Map(default)) => {
                    let of_subchart = chart
                        .dependencies
                        .iter()
                        .any(|chart| *chart.name() == **key);
                    let mode = if of_subchart { Mode::Merge } else { mode };
                    let default = deep_copy(default);
                    if mode == Mode::Coalesce && self.profile.drops_default_nulls() {
                        drop_nulls_of(&default);
                    }
                    self.tables(&given, &default, mode);
                }
                // A list, a text, a number replaces the default, and so does a map.
                (Some(_), _) => {}
            }
        }
    }

    /// Puts `source` under `target`; both may be changed.
    fn tables(self, target: &SharedMap, source: &SharedMap, mode: Mode) {
        if Rc::ptr_eq(target, source) {
            return;
        }
        let nulls: Vec<Rc<str>> = target
            .borrow()
            .iter()
            .filter(|entry| entry.1.is_null())
            .map(|entry| Rc::clone(entry.0))
            .collect();
        let mut had_value = Vec::new();
        for key in nulls {
            let old = source.borrow_mut().insert(key.clone(), Shared::Null);
            if old.is_some_and(|old| !old.is_null()) {
                had_value.push(key);
            }
        }
        let entries = source.borrow().clone();
        for (key, value) in entries {
            let given = target.borrow().get(&key).cloned();
            match (given, value) {
                (None, value) => {
                    target.borrow_mut().insert(key, value);
                }
                (Some(Shared::Null), _) if mode == Mode::Coalesce => {
                    if !self.profile.keeps_unknown_nulls() || had_value.contains(&key) {
                        target.borrow_mut().remove(&key);
                    }
                }
                (Some(Shared::Map(given)), Shared::Map(value)) => self.tables(&given, &value, mode),
                (Some(_), _) => {}
            }
        }
    }

    /// Hands the globals of a chart down to a subchart.
    fn globals(self, below: &SharedMap, above: &SharedMap) {
        let of = |map: &SharedMap| match map.borrow().get(GLOBAL) {
            None => Some(new_map()),
            Some(Shared::Map(map)) => Some(Rc::clone(map)),
            Some(_) => None,
        };
        let (Some(target), Some(source)) = (of(below), of(above)) else {
            return;
        };
        if !Rc::ptr_eq(&target, &source) {
            let entries = source.borrow().clone();
            for (key, value) in entries {
                let old = target.borrow().get(&key).cloned();
                let Shared::Map(value) = value else {
                    if !matches!(old, Some(Shared::Map(_))) {
                        target.borrow_mut().insert(key, value);
                    }
                    continue;
                };
                // Copied one level deep: what is below is the same object in both charts.
                let copy: SharedMap = Rc::new((*value).clone());
                match old {
                    None => {}
                    Some(Shared::Map(old)) => self.tables(&copy, &old, Mode::Merge),
                    Some(_) => continue,
                }
                target.borrow_mut().insert(key, Shared::Map(copy));
            }
        }
        below
            .borrow_mut()
            .insert(GLOBAL.into(), Shared::Map(target));
    }
}

fn drop_nulls(value: &Shared) {
    if let Shared::Map(map) = value {
        drop_nulls_of(map);
    }
}

fn drop_nulls_of(map: &SharedMap) {
    map.borrow_mut().retain(|_, value| !value.is_null());
    map.borrow().values().for_each(drop_nulls);
}

/// A value that is no boolean, printed by Go as one.
fn shown_as_bool(value: &Shared) -> String {
    match value {
        Shared::Null => "%!t(<nil>)".to_owned(),
        Shared::Bool(value) => value.to_string(),
        Shared::Number(number) => {
            let text = number.as_i64().map_or_else(
                || go_float(number.as_f64().unwrap_or(0.0)),
                |value| value.to_string(),
            );
            format!("%!t({}={text})", value.go_type())
        }
        Shared::String(text) => format!("%!t(string={text})"),
        Shared::List(items) => {
            let items: Vec<String> = items.borrow().iter().map(shown_as_bool).collect();
            format!("[{}]", items.join(" "))
        }
        Shared::Map(map) => {
            let entries: Vec<String> = map
                .borrow()
                .iter()
                .map(|(key, value)| format!("%!t(string={key}):{}", shown_as_bool(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
    }
}

/// A float as Go's `%v` prints it.
fn go_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..21).contains(&exponent) {
        return value.to_string();
    }
    format!(
        "{digits}e{}{:02}",
        if exponent < 0 { '-' } else { '+' },
        exponent.abs()
    )
}
