//! Differences for people, for pull requests and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::build::count;

use super::compare::{Change, Difference, Field, ObjectDifference, State};

fn said(state: &State) -> String {
    match state {
        State::Created => "new unit".to_owned(),
        State::Deleted => "unit is gone".to_owned(),
        State::Changed => "changed".to_owned(),
        State::Failed(message) => format!("fails: {message}"),
        State::Mended => "can be rendered again".to_owned(),
    }
}

fn sign(change: &Change) -> char {
    match change {
        Change::Created => '+',
        Change::Deleted => '-',
        Change::Fields(_) => '~',
    }
}

/// `- path: before` and `+ path: after`.
fn lines(field: &Field, indent: &str) -> String {
    let mut text = String::new();
    if let Some(before) = &field.before {
        let _ = writeln!(text, "{indent}- {}: {before}", field.path);
    }
    if let Some(after) = &field.after {
        let _ = writeln!(text, "{indent}+ {}: {after}", field.path);
    }
    text
}

fn untouched(difference: &Difference) -> String {
    format!("{} not touched", count(difference.untouched, "unit"))
}

pub(super) fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for unit in &difference.units {
        let _ = writeln!(text, "{}: {}", unit.unit, said(&unit.state));
        for object in &unit.objects {
            let _ = writeln!(text, "  {} {}", sign(&object.change), object.object);
            if let Change::Fields(fields) = &object.change {
                fields
                    .iter()
                    .for_each(|field| text.push_str(&lines(field, "      ")));
            }
        }
    }
    for (image, added) in &difference.images {
        let _ = writeln!(text, "image {} {image}", if *added { '+' } else { '-' });
    }
    let _ = writeln!(text, "{}", untouched(difference));
    text
}

pub(super) fn markdown(difference: &Difference) -> String {
    let mut text = String::new();
    if difference.units.is_empty() {
        let _ = writeln!(
            text,
            "Nothing changes in the cluster; {}.",
            untouched(difference)
        );
        return text;
    }
    for unit in &difference.units {
        let _ = writeln!(text, "### `{}`\n\n{}\n", unit.unit, said(&unit.state));
        if unit.objects.is_empty() {
            continue;
        }
        text.push_str("```diff\n");
        unit.objects
            .iter()
            .for_each(|object| text.push_str(&block(object)));
        text.push_str("```\n\n");
    }
    if !difference.images.is_empty() {
        text.push_str("### Images\n\n```diff\n");
        for (image, added) in &difference.images {
            let _ = writeln!(text, "{} {image}", if *added { '+' } else { '-' });
        }
        text.push_str("```\n\n");
    }
    let _ = writeln!(text, "{}.", untouched(difference));
    text
}

/// A fence in a value must not end the block.
fn block(object: &ObjectDifference) -> String {
    let text = match &object.change {
        Change::Created => format!("+ {}\n", object.object),
        Change::Deleted => format!("- {}\n", object.object),
        Change::Fields(fields) => {
            let mut text = format!("@@ {} @@\n", object.object);
            fields
                .iter()
                .for_each(|field| text.push_str(&lines(field, "")));
            text
        }
    };
    text.replace("```", "'''")
}

pub(super) fn json(difference: &Difference) -> Value {
    let object = |object: &ObjectDifference| match &object.change {
        Change::Created => json!({"object": object.object, "change": "created"}),
        Change::Deleted => json!({"object": object.object, "change": "deleted"}),
        Change::Fields(fields) => {
            let fields: Vec<Value> = fields
                .iter()
                .map(|field| json!({"path": field.path, "before": field.before, "after": field.after}))
                .collect();
            json!({"object": object.object, "change": "changed", "fields": fields})
        }
    };
    let units: Vec<Value> = difference
        .units
        .iter()
        .map(|unit| {
            let objects: Vec<Value> = unit.objects.iter().map(object).collect();
            json!({"unit": unit.unit, "state": said(&unit.state), "objects": objects})
        })
        .collect();
    let images: Vec<Value> = difference
        .images
        .iter()
        .map(|(image, added)| json!({"image": image, "change": if *added { "added" } else { "removed" }}))
        .collect();
    json!({"units": units, "images": images, "untouched": difference.untouched})
}
