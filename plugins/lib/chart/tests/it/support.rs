//! Charts made of texts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_chart::shared::{map_from, map_to};
use weir_chart::{
    Chart, ChartError, ChartFile, ChartTree, EntryKind, Limits, Mode, Profile, TreeEntry,
    TreeError, coalesce_values, process_dependencies,
};

/// A chart of these files.
pub(crate) fn chart(files: &[(&str, &str)]) -> Result<Chart, ChartError> {
    let files = files
        .iter()
        .map(|(name, text)| ChartFile::new(*name, text.as_bytes().to_vec()));
    Chart::from_files(files.collect(), Profile::Helm4, Limits::default())
}

/// The chart with its dependencies settled for the values, and all values.
pub(crate) fn settle(chart: &Chart, values: &Value, profile: Profile) -> (Chart, Value) {
    let given = map_from(values.as_object().unwrap_or(&serde_json::Map::new()));
    let chart = process_dependencies(chart, &given, profile).expect("the dependencies fit");
    let values = coalesce_values(&chart, &given, Mode::Coalesce, profile).expect("the values fit");
    (chart, json!(map_to(&values)))
}

/// A folder in memory.
pub(crate) struct Memory(pub(crate) BTreeMap<&'static str, &'static str>);

impl ChartTree for Memory {
    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let mut entries: Vec<TreeEntry> = Vec::new();
        for path in self.0.keys() {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            let (name, kind) = match rest.split_once('/') {
                Some((name, _)) => (name, EntryKind::Folder),
                None => (rest, EntryKind::File),
            };
            if !entries.iter().any(|entry| entry.name == name) {
                entries.push(TreeEntry {
                    name: name.to_owned(),
                    kind,
                    size: None,
                });
            }
        }
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let found = self
            .0
            .get(path)
            .ok_or_else(|| TreeError::new("no such file"))?;
        Ok(found.as_bytes().to_vec())
    }
}
