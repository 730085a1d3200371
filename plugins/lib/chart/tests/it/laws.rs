//! What must hold for any input, as plain functions: property tests and fuzz targets call them.

use std::cmp::Ordering;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use weir_chart::set::{SetError, empty, set, set_json, set_literal, set_string};
use weir_chart::shared::{SharedMap, map_from, map_to};
use weir_chart::version::{Constraints, Version};
use weir_chart::{Chart, ChartError, Limits, Profile, is_compatible};

type Setter = fn(&str, &SharedMap) -> Result<(), SetError>;
const SETTERS: [Setter; 4] = [set, set_string, set_json, set_literal];

/// Any text can stand behind the flags, on top of nothing and of what the same text has set.
pub(crate) fn overrides_survive(text: &str) {
    for setter in SETTERS {
        let values = empty();
        let first = setter(text, &values);
        let once = map_to(&values);
        assert_eq!(setter(text, &empty()), first, "the same text, twice");
        let _ = setter(text, &values);
        let there = map_from(
            json!({"a": {"b": [1, {"c": "x"}]}, "b": null})
                .as_object()
                .unwrap(),
        );
        let _ = setter(text, &there);
        assert!(depth(&Value::Object(once)) < 400);
    }
}

/// A key and a value with their special characters escaped are what is set.
pub(crate) fn an_escaped_assignment_is_read_back(key: &str, value: &str) {
    if key.is_empty() {
        return;
    }
    let values = empty();
    let text = format!("{}={}", escaped(key), escaped(value));
    assert_eq!(set_string(&text, &values), Ok(()), "{text}");
    assert_eq!(
        Value::Object(map_to(&values)),
        json!({key: value}),
        "{text}"
    );
    if !key.contains(['=', '[', '.']) {
        let values = empty();
        let text = format!("{key}={value}");
        assert_eq!(set_literal(&text, &values), Ok(()), "{text}");
        assert_eq!(
            Value::Object(map_to(&values)),
            json!({key: value}),
            "{text}"
        );
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '.' | '=' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

/// Any text can be a range and any text a version; what a range says of a version it says in both of its ways.
pub(crate) fn ranges_survive(range: &str, version: &str) {
    let _ = is_compatible(range, version);
    let (Ok(range), Ok(version)) = (Constraints::parse(range), Version::loose(version)) else {
        return;
    };
    assert_eq!(range.check(&version), range.validate(&version).is_ok());
}

/// Versions have one order, and each is within the range of itself.
pub(crate) fn versions_are_ordered(texts: [&str; 3]) {
    let [Ok(a), Ok(b), Ok(c)] = texts.map(Version::loose) else {
        return;
    };
    assert_eq!(a.order(&a), Ordering::Equal);
    assert_eq!(a.order(&b), b.order(&a).reverse());
    if a.order(&b) != Ordering::Greater && b.order(&c) != Ordering::Greater {
        assert_ne!(a.order(&c), Ordering::Greater);
    }
    if let Ok(itself) = Constraints::parse(&format!("={}", a.original)) {
        assert!(itself.check(&a), "{}", a.original);
    }
}

/// Any bytes can be an archive: as they are, and as what an archive unpacks to. What is loaded stays in its place.
pub(crate) fn archives_survive(bytes: &[u8]) {
    let mut whole = vec![0x1f, 0x8b, 8];
    whole.extend_from_slice(bytes);
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(bytes).unwrap();
    for archive in [bytes.to_vec(), whole, packed.finish().unwrap()] {
        if let Ok(chart) = load(&archive) {
            stays_in_its_place(&chart);
        }
    }
}

fn load(archive: &[u8]) -> Result<Chart, ChartError> {
    let limits = Limits {
        file: 1 << 16,
        archive: 1 << 18,
        total: 1 << 20,
        files: 100,
        depth: 5,
        charts: 10,
    };
    Chart::from_archive("a.tgz", archive, Profile::Helm4, limits)
}

fn stays_in_its_place(chart: &Chart) {
    for file in chart.files.iter().chain(chart.templates.iter()) {
        assert!(!file.name.starts_with('/'), "{}", file.name);
        assert!(
            !file.name.split('/').any(|part| part == ".."),
            "{}",
            file.name
        );
    }
    chart.dependencies.iter().for_each(stays_in_its_place);
}
