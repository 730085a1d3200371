//! A chart in memory, and how files become one.

use std::sync::Arc;

use crate::archive;
use crate::data::FileData;
use crate::error::ChartError;
use crate::limits::{Budget, Limits};
use crate::metadata::{EMPTY_NODE, Lock, Metadata};
use crate::profile::Profile;
use crate::shared::SharedMap;
use crate::tree::{self, ChartTree};
use crate::values::read_defaults;

/// One file of a chart. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartFile {
    /// The path within the chart.
    pub name: String,
    /// Its bytes, without a byte order mark.
    pub data: FileData,
}

impl ChartFile {
    /// A file; a UTF-8 byte order mark is dropped.
    #[must_use]
    pub fn new(name: impl Into<String>, mut data: Vec<u8>) -> Self {
        if data.starts_with(b"\xef\xbb\xbf") {
            data.drain(..3);
        }
        Self {
            name: name.into(),
            data: data.into(),
        }
    }

    /// The text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        if let Some(text) = self.data.as_text() {
            return text.as_str().into();
        }
        // Many times faster than to look for what is no UTF-8.
        match str::from_utf8(&self.data) {
            Ok(text) => text.into(),
            Err(_) => String::from_utf8_lossy(&self.data),
        }
    }
}

/// A chart with the charts inside it. Cheap to clone: contents are shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// What `Chart.yaml` says.
    pub metadata: Metadata,
    /// What `Chart.lock` says.
    pub lock: Option<Lock>,
    /// Everything below `templates/`, in the order in which the files were found.
    pub templates: Arc<[ChartFile]>,
    /// Everything that has no meaning of its own, in the order in which the files were found.
    pub files: Arc<[ChartFile]>,
    /// The defaults. Whoever changes them makes a copy first.
    pub values: SharedMap,
    /// `values.schema.json` as it stands.
    pub schema: Option<FileData>,
    /// The charts below `charts/`, in lexical order of their folders or archives.
    pub dependencies: Vec<Chart>,
}

impl Chart {
    /// Loads the chart in a folder.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, the chart breaks one of Helm's rules, or a limit is hit.
    pub fn from_tree(
        tree: &dyn ChartTree,
        profile: Profile,
        limits: Limits,
    ) -> Result<Self, ChartError> {
        let mut budget = Budget::new(limits);
        let files = tree::files(tree, &mut budget)?;
        from_files(files, profile, &mut budget, 0)
    }

    /// Loads a `.tgz`; `name` is what messages call it.
    ///
    /// # Errors
    ///
    /// When the bytes are no chart archive, the chart breaks one of Helm's rules, or a limit is hit.
    pub fn from_archive(
        name: &str,
        bytes: &[u8],
        profile: Profile,
        limits: Limits,
    ) -> Result<Self, ChartError> {
        archive::check_format(name, bytes)?;
        let mut budget = Budget::new(limits);
        let files = archive::files(bytes, &mut budget)?;
        from_files(files, profile, &mut budget, 0)
    }

    /// Makes a chart of files that somebody else has read, paths relative to the chart.
    ///
    /// # Errors
    ///
    /// See [`Chart::from_tree`].
    pub fn from_files(
        files: Vec<ChartFile>,
        profile: Profile,
        limits: Limits,
    ) -> Result<Self, ChartError> {
        let mut budget = Budget::new(limits);
        for file in &files {
            budget.file(file.data.len() as u64)?;
        }
        from_files(files, profile, &mut budget, 0)
    }

    /// Its name; the alias, once dependencies are processed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The names of charts that `Chart.yaml` asks for and that are not below `charts/`.
    #[must_use]
    pub fn missing_dependencies(&self) -> Vec<String> {
        let wanted = self.metadata.dependencies.iter().flatten();
        let missing = wanted.filter(|wanted| {
            !self
                .dependencies
                .iter()
                .any(|chart| chart.name() == wanted.name)
        });
        missing.map(|dependency| dependency.name.clone()).collect()
    }

    /// The files of `crds/`, this chart's first, each with the path that Helm shows.
    #[must_use]
    pub fn crds(&self) -> Vec<(String, ChartFile)> {
        let mut found = Vec::new();
        self.collect_crds(self.name(), &mut found);
        found
    }

    fn collect_crds(&self, path: &str, found: &mut Vec<(String, ChartFile)>) {
        for file in self.files.iter() {
            let extension = file
                .name
                .rsplit_once('.')
                .map(|name| name.1.to_ascii_lowercase());
            if file.name.starts_with("crds/")
                && matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
            {
                found.push((format!("{path}/{}", file.name), file.clone()));
            }
        }
        for chart in &self.dependencies {
            chart.collect_crds(&format!("{path}/charts/{}", chart.name()), found);
        }
    }
}

fn from_files(
    files: Vec<ChartFile>,
    profile: Profile,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, ChartError> {
    let limit = budget.limits.depth;
    if depth > limit {
        return Err(ChartError::TooMany {
            what: "nested subcharts",
            limit,
        });
    }
    budget.chart()?;
    let mut parts = Parts::default();
    for file in &files {
        if file.name == "Chart.yaml" {
            let metadata = parts.metadata.get_or_insert_default();
            read_over(metadata, "Chart.yaml", file)?;
            if metadata.api_version.is_empty() {
                metadata.api_version = "v1".to_owned();
            }
        }
    }
    for file in files {
        parts.add(file, profile)?;
    }
    let mut metadata = parts.metadata.ok_or(ChartError::NoChartYaml)?;
    metadata.validate()?;
    let mut chart = Chart {
        metadata,
        lock: parts.lock,
        templates: parts.templates.into(),
        files: parts.files.into(),
        values: parts.values,
        schema: parts.schema,
        dependencies: Vec::new(),
    };
    parts.subcharts.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, files) in parts.subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = load_subchart(&chart, &name, files, profile, budget, depth)?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

fn load_subchart(
    parent: &Chart,
    name: &str,
    files: Vec<ChartFile>,
    profile: Profile,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, ChartError> {
    let loaded = if name.ends_with(".tgz") {
        match files.first() {
            Some(file) if file.name == name => archive::files(&file.data, budget)
                .and_then(|files| from_files(files, profile, budget, depth + 1)),
            first => {
                return Err(ChartError::SubchartArchive {
                    parent: parent.name().to_owned(),
                    expected: name.to_owned(),
                    got: first.map(|file| file.name.clone()).unwrap_or_default(),
                });
            }
        }
    } else {
        let below = files.into_iter().filter_map(|file| {
            let (_, rest) = file.name.split_once('/')?;
            Some(ChartFile {
                name: rest.to_owned(),
                data: file.data,
            })
        });
        from_files(below.collect(), profile, budget, depth + 1)
    };
    loaded.map_err(|source| ChartError::Subchart {
        name: name.to_owned(),
        parent: parent.name().to_owned(),
        source: Box::new(source),
    })
}

/// Files sorted by what they mean.
#[derive(Default)]
struct Parts {
    metadata: Option<Metadata>,
    lock: Option<Lock>,
    values: SharedMap,
    schema: Option<FileData>,
    templates: Vec<ChartFile>,
    files: Vec<ChartFile>,
    /// By the first part of the path below `charts/`.
    subcharts: Vec<(String, Vec<ChartFile>)>,
}

impl Parts {
    fn add(&mut self, file: ChartFile, profile: Profile) -> Result<(), ChartError> {
        let name = file.name.as_str();
        match name {
            "Chart.yaml" => {}
            "Chart.lock" => self.lock = Some(read_lock("Chart.lock", &file)?),
            "values.yaml" => {
                let values = read_defaults(&file.text(), profile);
                self.values = values.map_err(|error| ChartError::File {
                    file: "values.yaml",
                    message: error.to_string(),
                })?;
            }
            "values.schema.json" => self.schema = Some(file.data),
            "requirements.yaml" => {
                let metadata = self.metadata.get_or_insert_default();
                read_over(metadata, "requirements.yaml", &file)?;
                if metadata.api_version == "v1" {
                    self.files.push(file);
                }
            }
            "requirements.lock" => {
                self.lock = Some(read_lock("requirements.lock", &file)?);
                if self.metadata.get_or_insert_default().api_version == "v1" {
                    self.files.push(file);
                }
            }
            _ if name.starts_with("templates/") => self.templates.push(file),
            _ => match name.strip_prefix("charts/") {
                Some(below) if !name.ends_with(".prov") => {
                    let chart = below.split('/').next().unwrap_or(below).to_owned();
                    let file = ChartFile {
                        name: below.to_owned(),
                        data: file.data,
                    };
                    match self.subcharts.iter_mut().find(|known| known.0 == chart) {
                        Some(known) => known.1.push(file),
                        None => self.subcharts.push((chart, vec![file])),
                    }
                }
                _ => self.files.push(file),
            },
        }
        Ok(())
    }
}

fn read_over(
    metadata: &mut Metadata,
    name: &'static str,
    file: &ChartFile,
) -> Result<(), ChartError> {
    metadata
        .read_over(&file.text())
        .map_err(|message| file_error(name, message))
}

fn read_lock(name: &'static str, file: &ChartFile) -> Result<Lock, ChartError> {
    Lock::read(&file.text()).map_err(|message| file_error(name, message))
}

fn file_error(file: &'static str, message: String) -> ChartError {
    match message.strip_prefix(EMPTY_NODE) {
        Some(rule) => ChartError::Validation(rule.to_owned()),
        None => ChartError::File { file, message },
    }
}
