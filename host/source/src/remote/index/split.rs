//! Reads a large index chart by chart, so that never more than one chart of it is there as a tree.
//!
//! Indexes are written by programs and look alike: the charts stand one below the other, at one indentation. A text that
//! looks otherwise, or of which a part is no document of its own, is read as a whole: this way knows no errors.

use std::ops::Range;
use std::thread;

use serde_json::{Map, Value};
use weir_k8s_yaml::{Schema, from_str};

use super::{Listed, complete_entries};

/// What was read of an index.
pub(super) struct Read {
    /// Everything but the entries.
    pub(super) fields: Map<String, Value>,
    pub(super) charts: Vec<Chart>,
}

/// One chart, complete.
pub(super) struct Chart {
    pub(super) name: String,
    pub(super) versions: Vec<Listed>,
    /// Its entries as JSON.
    pub(super) json: Vec<u8>,
}

/// The most threads that read at once.
const THREADS: usize = 4;

/// `None`: the text does not look as programs write it.
pub(super) fn read(text: &str) -> Option<Read> {
    let (entries, ranges) = ranges(text)?;
    let rest = [&text[..entries.start], &text[entries.end..]].concat();
    let Value::Object(fields) = from_str(&rest, Schema::Sigs).ok()? else {
        return None;
    };
    if fields.contains_key("entries") {
        return None;
    }
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = ranges.len().div_ceil(threads.clamp(1, THREADS)).max(1);
    let read = thread::scope(|scope| {
        let parts = ranges.chunks(share);
        let workers: Vec<_> = parts
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|range| chart(&text[range.clone()]))
                        .collect()
                })
            })
            .collect();
        let parts = workers.into_iter().map(|worker| worker.join().ok()?);
        parts.collect::<Option<Vec<Vec<Chart>>>>()
    })?;
    let mut charts: Vec<Chart> = read.into_iter().flatten().collect();
    charts.sort_by(|one, other| one.name.cmp(&other.name));
    let twice = charts.windows(2).any(|pair| pair[0].name == pair[1].name);
    (!twice).then_some(Read { fields, charts })
}

/// A document of one key.
fn chart(text: &str) -> Option<Chart> {
    let Value::Object(mut document) = from_str(text, Schema::Sigs).ok()? else {
        return None;
    };
    complete_entries(&mut document);
    let mut document = document.into_iter();
    let (Some((name, entries)), None) = (document.next(), document.next()) else {
        return None;
    };
    let json = serde_json::to_vec(&entries).ok()?;
    let versions = entries.as_array().into_iter().flatten();
    Some(Chart {
        versions: versions.filter_map(Listed::of).collect(),
        name,
        json,
    })
}

/// The lines of `entries:` with all below it, and those of each chart.
fn ranges(text: &str) -> Option<(Range<usize>, Vec<Range<usize>>)> {
    let mut entries: Option<Range<usize>> = None;
    let mut charts: Vec<Range<usize>> = Vec::new();
    let mut indentation = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_end();
        let content = bare.trim_start_matches(' ');
        let column = bare.len() - content.len();
        let blank = content.is_empty() || content.starts_with('#');
        if !blank && column == 0 {
            // A document of one mapping in block style, and nothing else.
            if content.starts_with(['{', '[', '%', '-', '.', '?', '"', '\'', '&', '*', '!'])
                && content != "---"
            {
                return None;
            }
            if content == "---" && start != 0 {
                return None;
            }
            if let Some(entries) = entries.as_mut().filter(|entries| entries.end == 0) {
                entries.end = start;
            }
            if content == "entries:" {
                if entries.is_some() {
                    return None;
                }
                entries = Some(start..0);
            }
            continue;
        }
        let inside = entries.as_ref().is_some_and(|entries| entries.end == 0);
        if !inside {
            continue;
        }
        if !blank {
            if indentation == 0 {
                indentation = column;
            }
            if column < indentation || content.starts_with('\t') {
                return None;
            }
            if column == indentation && !content.starts_with('-') {
                charts.push(start..at);
                continue;
            }
        }
        match charts.last_mut() {
            Some(chart) => chart.end = at,
            None if blank => {}
            None => return None,
        }
    }
    let mut entries = entries?;
    if entries.end == 0 {
        entries.end = text.len();
    }
    Some((entries, charts))
}
