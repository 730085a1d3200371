//! Generated sets of files.

use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_tree::{EntryKind, TreePath};

/// What stands at each path that is no directory.
pub(crate) type Files = BTreeMap<String, (EntryKind, Vec<u8>)>;

/// Few names, so that paths meet: names that sort differently as directories, with blanks, and beyond ASCII.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["a", "b", "a.b", "a-b", "ä", "B", "c d"][..])
}

pub(crate) fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(name(), 1..5).prop_map(|names| names.join("/"))
}

fn content() -> impl Strategy<Value = (EntryKind, Vec<u8>)> {
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let link = prop::collection::vec(prop_oneof![Just(".."), Just("."), Just(""), name()], 1..6);
    prop_oneof![
        4 => bytes.clone().prop_map(|bytes| (EntryKind::File, bytes)),
        1 => bytes.prop_map(|bytes| (EntryKind::Executable, bytes)),
        2 => link.prop_filter_map("a link needs a target", |names| {
            let target = names.join("/");
            (!target.is_empty()).then(|| (EntryKind::Link, target.into_bytes()))
        }),
    ]
}

/// Of two that clash the first stays.
pub(crate) fn files() -> impl Strategy<Value = Files> {
    prop::collection::vec((path(), content()), 0..25).prop_map(|list| {
        let mut files = Files::new();
        for (path, content) in list {
            put(&mut files, path, content);
        }
        files
    })
}

/// A set of files and another that differs in a few.
pub(crate) fn two_sets() -> impl Strategy<Value = (Files, Files)> {
    (
        files(),
        prop::collection::vec((path(), prop::option::of(content())), 0..6),
    )
        .prop_map(|(files, changes)| {
            let mut other = files.clone();
            for (path, change) in changes {
                other.remove(&path);
                if let Some(content) = change {
                    put(&mut other, path, content);
                }
            }
            (files, other)
        })
}

fn put(files: &mut Files, path: String, content: (EntryKind, Vec<u8>)) {
    let below = format!("{path}/");
    let clash = files.keys().any(|other| {
        *other == path || other.starts_with(&below) || path.starts_with(&format!("{other}/"))
    });
    if !clash {
        files.insert(path, content);
    }
}

/// Every path of the set, its directories, and some that are not there.
pub(crate) fn questions(files: &Files) -> Vec<TreePath> {
    let mut all = vec![TreePath::root()];
    for path in files.keys() {
        let mut path = TreePath::parse(path).unwrap();
        all.push(path.child("none").unwrap());
        while !path.is_root() {
            all.push(path.clone());
            path = path.parent().unwrap();
        }
    }
    all.push(TreePath::parse("none/at/all").unwrap());
    all.sort();
    all.dedup();
    all
}
