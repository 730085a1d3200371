//! The index of a chart repository.

mod split;

use std::cmp::Ordering;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;
use weir_chart::version::{Constraints, Version, VersionError};
use weir_k8s_yaml::{Schema, from_str};

use crate::address::Address;

/// The charts of a repository, as far as choosing and fetching one needs. Much smaller than the index itself.
#[derive(Debug, Default)]
pub struct ChartIndex {
    charts: HashMap<String, Vec<Listed>>,
}

#[derive(Debug)]
struct Listed {
    version: String,
    url: Option<String>,
    digest: Option<String>,
}

/// One version of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFound {
    pub version: String,
    /// Relative to the repository, or absolute.
    pub url: String,
    /// Hexadecimal SHA-256.
    pub digest: Option<String>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the index is not valid: {0}")]
    Malformed(String),
    #[error("there is no chart named {name:?}{near}")]
    NoChart { name: String, near: String },
    #[error("the chart {name:?} has no version that fits {range:?}; the latest is {latest}")]
    NoVersion {
        name: String,
        range: String,
        latest: String,
    },
    #[error("the version range {range:?}: {source}")]
    Range { range: String, source: VersionError },
    #[error("the chart {name} {version} has no usable address in the index")]
    NoUrl { name: String, version: String },
}

impl ChartIndex {
    /// Reads an `index.yaml` and gives it as JSON, too, as Flux keeps it.
    pub fn parse(index: Bytes) -> Result<(Self, Bytes), IndexError> {
        if let Some(read) = std::str::from_utf8(&index).ok().and_then(split::read) {
            // Indexes are large: what was read is not kept beside what becomes of it.
            drop(index);
            return Self::of_charts(read);
        }
        let mut value = read(&index)?;
        drop(index);
        complete(&mut value)?;
        let found = Self::of(&value)?;
        let json =
            serde_json::to_vec(&value).map_err(|error| IndexError::Malformed(error.to_string()))?;
        Ok((found, json.into()))
    }

    fn of_charts(read: split::Read) -> Result<(Self, Bytes), IndexError> {
        let split::Read { mut fields, charts } = read;
        complete_fields(&mut fields)?;
        let malformed = |error: serde_json::Error| IndexError::Malformed(error.to_string());
        let length: usize = charts
            .iter()
            .map(|chart| chart.json.len() + chart.name.len() + 8)
            .sum();
        let mut json = serde_json::to_vec(&fields).map_err(malformed)?;
        json.reserve_exact(length + 16);
        // Behind the other fields, in place of the brace that ends them.
        json.pop();
        json.extend_from_slice(b",\"entries\":{");
        let mut by_name = HashMap::with_capacity(charts.len());
        for (number, chart) in charts.into_iter().enumerate() {
            if number > 0 {
                json.push(b',');
            }
            serde_json::to_writer(&mut json, &chart.name).map_err(malformed)?;
            json.push(b':');
            json.extend_from_slice(&chart.json);
            by_name.insert(chart.name, chart.versions);
        }
        json.extend_from_slice(b"}}");
        Ok((Self { charts: by_name }, json.into()))
    }

    fn of(value: &Value) -> Result<Self, IndexError> {
        let entries = value.get("entries").and_then(Value::as_object);
        let entries =
            entries.ok_or_else(|| IndexError::Malformed("it has no `entries`".to_owned()))?;
        let mut charts = HashMap::with_capacity(entries.len());
        for (name, versions) in entries {
            let versions = versions.as_array().into_iter().flatten();
            charts.insert(name.clone(), versions.filter_map(Listed::of).collect());
        }
        Ok(Self { charts })
    }

    /// How many charts there are.
    pub fn len(&self) -> usize {
        self.charts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.charts.is_empty()
    }

    /// The latest version of a chart in the range, as Helm chooses: what is asked for by its exact name comes first.
    pub fn find(&self, name: &str, range: &str) -> Result<ChartFound, IndexError> {
        let Some(versions) = self.charts.get(name) else {
            let mut names: Vec<&str> = self.charts.keys().map(String::as_str).collect();
            names.sort_unstable();
            names.truncate(10);
            let near = match names.as_slice() {
                [] => "; the repository is empty".to_owned(),
                names => format!("; there are {} and others", names.join(", ")),
            };
            return Err(IndexError::NoChart {
                name: name.to_owned(),
                near,
            });
        };
        let found = choose(versions, name, range)?;
        match &found.url {
            Some(url) => Ok(ChartFound {
                version: found.version.clone(),
                url: url.clone(),
                digest: found.digest.clone(),
            }),
            None => Err(IndexError::NoUrl {
                name: name.to_owned(),
                version: found.version.clone(),
            }),
        }
    }
}

impl Listed {
    /// `None`: an entry without a version is none.
    fn of(entry: &Value) -> Option<Self> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
        let urls = entry.get("urls").and_then(Value::as_array);
        Some(Self {
            version: text("version")?,
            url: urls
                .and_then(|urls| urls.iter().find_map(Value::as_str))
                .map(str::to_owned),
            digest: text("digest").filter(|digest| !digest.is_empty()),
        })
    }
}

fn read(index: &[u8]) -> Result<Value, IndexError> {
    let text = std::str::from_utf8(index)
        .map_err(|_| IndexError::Malformed("it is not UTF-8".to_owned()))?;
    from_str(text, Schema::Sigs).map_err(|error| IndexError::Malformed(error.to_string()))
}

/// What Go writes for a time that was not given.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// As Helm loads an index.
fn complete(index: &mut Value) -> Result<(), IndexError> {
    let bad = |reason: &str| IndexError::Malformed(reason.to_owned());
    let Some(fields) = index.as_object_mut() else {
        return Err(bad("it is no mapping"));
    };
    complete_fields(fields)?;
    let entries = fields
        .entry("entries")
        .or_insert_with(|| Value::Object(Map::new()));
    if entries.is_null() {
        *entries = Value::Object(Map::new());
    }
    let entries = entries.as_object_mut();
    complete_entries(entries.ok_or_else(|| bad("`entries` is no mapping"))?);
    Ok(())
}

fn default(fields: &mut Map<String, Value>, name: &str, text: &str) {
    if fields.get(name).is_none_or(Value::is_null) {
        fields.insert(name.to_owned(), text.into());
    }
}

fn complete_fields(fields: &mut Map<String, Value>) -> Result<(), IndexError> {
    let version = fields.get("apiVersion").and_then(Value::as_str);
    if version.is_none_or(str::is_empty) {
        let reason = "no API version specified".to_owned();
        return Err(IndexError::Malformed(reason));
    }
    default(fields, "generated", NO_TIME);
    Ok(())
}

/// Entries that are not valid are left out, what is missing has its default, and versions are in falling order.
fn complete_entries(entries: &mut Map<String, Value>) {
    for versions in entries.values_mut() {
        let list = versions.as_array_mut().map(std::mem::take);
        let mut kept: Vec<(Version, Value)> = Vec::new();
        for mut entry in list.unwrap_or_default() {
            let Some(fields) = entry.as_object_mut() else {
                continue;
            };
            let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            let version = Version::loose(text("version"));
            let known = matches!(text("type"), "" | "application" | "library");
            let Ok(version) = version else {
                continue;
            };
            if text("name").is_empty() || !known {
                continue;
            }
            default(fields, "apiVersion", "v1");
            default(fields, "created", NO_TIME);
            kept.push((version, entry));
        }
        kept.sort_by(|(left, _), (right, _)| right.order(left));
        *versions = kept.into_iter().map(|(_, entry)| entry).collect();
    }
}

/// As [`ChartIndex::find`], for an index that is used once.
pub(crate) fn find(index: &[u8], name: &str, range: &str) -> Result<ChartFound, IndexError> {
    ChartIndex::of(&read(index)?)?.find(name, range)
}

/// The address of the archive.
pub(crate) fn archive_url(index: &Address, url: &str) -> Result<Url, IndexError> {
    super::resolve(index.url(), url)
        .ok_or_else(|| IndexError::Malformed(format!("{url:?} is no address of a chart's archive")))
}

fn choose<'a>(versions: &'a [Listed], name: &str, range: &str) -> Result<&'a Listed, IndexError> {
    if let Some(exact) = versions.iter().find(|entry| entry.version == range) {
        return Ok(exact);
    }
    let parsed = Constraints::parse(if range.is_empty() { "*" } else { range });
    let parsed = parsed.map_err(|source| IndexError::Range {
        range: range.to_owned(),
        source,
    })?;
    let mut best: Option<(Version, &Listed)> = None;
    let mut latest: Option<Version> = None;
    for entry in versions {
        let Ok(version) = Version::loose(&entry.version) else {
            continue;
        };
        if latest
            .as_ref()
            .is_none_or(|latest| version.order(latest) == Ordering::Greater)
        {
            latest = Some(version.clone());
        }
        let better = best
            .as_ref()
            .is_none_or(|(best, _)| version.order(best) == Ordering::Greater);
        if better && parsed.check(&version) {
            best = Some((version, entry));
        }
    }
    best.map(|(_, entry)| entry)
        .ok_or_else(|| IndexError::NoVersion {
            name: name.to_owned(),
            range: range.to_owned(),
            latest: latest.map_or_else(|| "not a version".to_owned(), |latest| latest.original),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = "\
apiVersion: v1
entries:
  web:
  - {version: 2.0.0-rc.1, urls: [charts/web-2.0.0-rc.1.tgz]}
  - {version: 1.10.0, urls: ['https://elsewhere/web-1.10.0.tgz'], digest: abc}
  - {version: 1.2.0, urls: [charts/web-1.2.0.tgz]}
  - {version: odd, urls: [odd.tgz]}
  bare:
  - {version: 1.0.0}
";

    fn version(range: &str) -> Result<String, String> {
        find(INDEX.as_bytes(), "web", range)
            .map(|found| found.version)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_latest_release_in_the_range_is_chosen() {
        assert_eq!(version("").unwrap(), "1.10.0");
        assert_eq!(version("~1.2").unwrap(), "1.2.0");
        assert_eq!(version(">=1.0.0-0").unwrap(), "2.0.0-rc.1");
        assert_eq!(version("odd").unwrap(), "odd");
        let error = version("3.x").unwrap_err();
        assert!(
            error.contains("\"3.x\"") && error.contains("2.0.0-rc.1"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_what_is_missing() {
        let error = find(INDEX.as_bytes(), "wbe", "").unwrap_err().to_string();
        assert!(error.contains("bare, web"), "{error}");
        assert!(find(INDEX.as_bytes(), "bare", "").is_err());
        assert!(find(b"entries: [", "web", "").is_err());
        assert!(find(b"a: 1", "web", "").is_err());
    }

    /// What is read chart by chart is what is read as a whole.
    #[test]
    fn both_ways_of_reading_agree() {
        let head = "apiVersion: v1\n";
        let versions = "  - {name: web, version: 1.0.0, urls: [a]}\n  - {name: web, version: 1.10.0}\n  - {name: web, version: odd}\n";
        let web = format!("  web:\n{versions}");
        let db = "  db:\n    - name: db\n      version: 2.0.0\n      description: |\n        web:\n        - none\n";
        let quoted =
            "  x:\n  - name: x\n    version: 1.0.0\n    description: \"two\n  lines: here\"\n";
        for (split, text) in [
            (
                true,
                format!("{head}entries:\n{web}{db}generated: \"2024-01-02T03:04:05Z\"\n"),
            ),
            (
                true,
                format!("---\nentries:\n# a remark\n{db}\n{web}{head}"),
            ),
            (true, format!("{head}entries:\n")),
            (true, format!("{head}entries:\n  none:\n{web}")),
            // These are read as a whole.
            (false, format!("{head}entries: {{}}\n")),
            (false, format!("{head}entries:\n{web}{web}")),
            (false, format!("{head}entries:\n{quoted}{web}")),
            (false, format!("{head}entries:\n{web} db: []\n")),
            (false, format!("{head}entries:\n{web}---\na: b\n")),
            (false, "{apiVersion: v1, entries: {}}".to_owned()),
            (
                false,
                format!("{head}entries:\n  web: &a\n{versions}  db: *a\n"),
            ),
        ] {
            assert_eq!(split::read(&text).is_some(), split, "{text}");
            let whole = read(text.as_bytes()).and_then(|mut value| {
                complete(&mut value)?;
                Ok(value)
            });
            let parsed = ChartIndex::parse(text.clone().into());
            match (whole, parsed) {
                (Ok(whole), Ok((index, json))) => {
                    let json: Value = serde_json::from_slice(&json).unwrap();
                    assert_eq!(json, whole, "{text}");
                    assert_eq!(index.len(), whole["entries"].as_object().unwrap().len());
                }
                (Err(whole), Err(parsed)) => assert_eq!(whole.to_string(), parsed.to_string()),
                (whole, parsed) => panic!("{text}: {whole:?}, {parsed:?}"),
            }
        }
    }

    #[test]
    fn addresses_are_relative_to_the_repository() {
        let (index, _) = Address::parse("https://a/charts/index.yaml").unwrap();
        let found = |url: &str| archive_url(&index, url).unwrap().to_string();
        assert_eq!(found("x/web.tgz"), "https://a/charts/x/web.tgz");
        assert_eq!(found("https://b/web.tgz"), "https://b/web.tgz");
    }
}
