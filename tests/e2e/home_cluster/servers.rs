//! A copy of the example, and servers with its charts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use weir_source::pack;
use weir_testing::registry::{CHART_LAYER, ChartRepository, PackagedChart, Registry};
use weir_tree::{EmptyTree, OverlayTree, TreePath};

use crate::lab::{checkout, copy};

/// The addresses that the example has.
pub(super) const REGISTRY: &str = "localhost:5000";
pub(super) const CHARTS: &str = "localhost:8879";
pub(super) const GIT: &str = "https://git.home.arpa/home/cluster.git";

const SETTINGS: &str = "kubernetes/settings/cluster-settings.yaml";

/// The registry and the chart repository.
pub(super) struct Servers {
    pub(super) registry: Registry,
    pub(super) charts: ChartRepository,
    /// The digest of `charts/app:1.2.0`.
    pub(super) app: String,
}

impl Servers {
    pub(super) fn start() -> Result<Self> {
        let registry = Registry::start()?;
        let app = registry.push(
            "charts/app",
            "1.2.0",
            CHART_LAYER,
            &package("app", "1.2.0", "1.2.0")?,
        );
        // As `helm package --version 1.3.0` makes it.
        registry.push(
            "charts/app",
            "1.3.0",
            CHART_LAYER,
            &package("app", "1.2.0", "1.3.0")?,
        );
        let charts = ChartRepository::start(&[PackagedChart {
            name: "status".to_owned(),
            version: "0.3.0".to_owned(),
            archive: package("status", "0.3.0", "0.3.0")?,
        }])?;
        Ok(Self {
            registry,
            charts,
            app,
        })
    }
}

/// The archive of a chart of the example, whose own version is `version`, under another version.
fn package(name: &str, version: &str, packaged: &str) -> Result<Vec<u8>> {
    let folder = checkout().join("examples/home-cluster/charts").join(name);
    let mut files = BTreeMap::new();
    collect(&folder, &folder, &mut files)?;
    let metadata = files.get_mut("Chart.yaml").context("no Chart.yaml")?;
    let text = String::from_utf8(metadata.clone())?;
    let own = format!("\nversion: {version}\n");
    ensure!(text.contains(&own), "{name} has another version");
    *metadata = text
        .replace(&own, &format!("\nversion: {packaged}\n"))
        .into_bytes();
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (path, content) in files {
        overlay.file(&TreePath::parse(&format!("{name}/{path}"))?, content)?;
    }
    Ok(pack(&overlay.finish()?)?.to_vec())
}

/// A copy of the example that names the servers of a test.
pub(super) struct Example {
    pub(super) folder: PathBuf,
}

impl Example {
    pub(super) fn copy(servers: &Servers, to: &Path) -> Result<Self> {
        copy(&checkout().join("examples/home-cluster"), to)?;
        let settings = to.join(SETTINGS);
        let text = fs::read_to_string(&settings)?;
        ensure!(text.contains(REGISTRY) && text.contains(CHARTS), "{text}");
        let text = text
            .replace(REGISTRY, &servers.registry.host())
            .replace(CHARTS, &servers.charts.host());
        fs::write(&settings, text)?;
        Ok(Self {
            folder: to.to_owned(),
        })
    }

    /// The files as a push to a Git server at an address has them.
    pub(super) fn files(&self, git: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        collect(&self.folder, &self.folder, &mut files)?;
        for content in files.values_mut() {
            if let Ok(text) = std::str::from_utf8(content) {
                *content = text.replace(GIT, git).into_bytes();
            }
        }
        Ok(files)
    }
}

/// All files below a folder by their paths below `top`.
pub(super) fn collect(
    folder: &Path,
    top: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, top, files)?;
        } else {
            let name = path
                .strip_prefix(top)?
                .to_str()
                .context("a name that is not UTF-8")?;
            files.insert(name.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}
