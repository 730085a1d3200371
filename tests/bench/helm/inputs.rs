//! The charts that are rendered: made up, alike in shape to what people have, and two public ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use weir_tree::{EmptyTree, OverlayTree, Tree, TreePath};

pub(crate) const KUBE_VERSION: &str = "1.36.0";

/// A tree of files, and the folder in it that is the chart.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) target: &'static str,
    pub(crate) files: Vec<(String, String)>,
}

/// A chart, its values, and what is aimed at.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) input: Input,
    /// Values files, relative to the chart.
    pub(crate) values: Vec<String>,
    pub(crate) set: Vec<String>,
    pub(crate) runs: usize,
    /// How much faster than the original it is to be.
    pub(crate) ratio: f64,
    /// The milliseconds that a call in a running process may take.
    pub(crate) warm: Option<f64>,
}

impl Input {
    /// Writes the files below a folder, and gives the place of the chart.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let root = folder.join(self.name.replace([' ', ','], "-"));
        for (path, text) in &self.files {
            let path = root.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        Ok(root.join(self.target))
    }

    pub(crate) fn tree(&self) -> Result<Arc<dyn Tree>> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, text) in &self.files {
            overlay.file(&TreePath::parse(path)?, text.clone().into_bytes())?;
        }
        Ok(Arc::new(overlay.finish()?))
    }
}

fn bench(name: &str, files: &[(&str, &str)], ratio: f64, warm: Option<f64>) -> Bench {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Bench {
        input: Input {
            name: name.to_owned(),
            target: "",
            files: files.collect(),
        },
        values: Vec::new(),
        set: Vec::new(),
        runs: 21,
        ratio,
        warm,
    }
}

/// What many write for one program: five objects, helpers, and some switches.
pub(crate) fn small() -> Bench {
    bench(
        "small chart",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"2.3\"\n",
            ),
            ("values.yaml", include_str!("charts/small-values.yaml")),
            ("templates/_helpers.tpl", include_str!("charts/helpers.tpl")),
            ("templates/web.yaml", include_str!("charts/small.yaml")),
            (
                "templates/NOTES.txt",
                "It runs at {{ include \"web.host\" . }}.\n",
            ),
        ],
        3.0,
        None,
    )
}

/// 400 objects from a loop.
pub(crate) fn large() -> Bench {
    bench(
        "chart of 400 objects",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: \"2.3\"\n",
            ),
            ("values.yaml", include_str!("charts/small-values.yaml")),
            ("templates/_helpers.tpl", include_str!("charts/helpers.tpl")),
            ("templates/all.yaml", include_str!("charts/large.yaml")),
        ],
        4.0,
        None,
    )
}

/// A chart with nothing but values, over a library chart that makes all objects of them with `merge`, `tpl` and `include`.
pub(crate) fn library() -> Bench {
    bench(
        "chart on a library chart",
        &[
            (
                "Chart.yaml",
                "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- name: common\n  version: 1.x.x\n",
            ),
            ("values.yaml", include_str!("charts/library-values.yaml")),
            ("templates/all.yaml", "{{ include \"common.all\" . }}\n"),
            (
                "charts/common/Chart.yaml",
                "apiVersion: v2\nname: common\ntype: library\nversion: 1.2.0\n",
            ),
            (
                "charts/common/values.yaml",
                include_str!("charts/common-values.yaml"),
            ),
            (
                "charts/common/templates/_common.tpl",
                include_str!("charts/common.tpl"),
            ),
        ],
        4.0,
        Some(3.0),
    )
}

/// Lines of the kit's list that belong to the two public charts, and the one release of the first.
const CHARTS: [&str; 2] = ["charts/other/app-template", "charts/kube-prometheus-stack"];
const RELEASE: &str = "hr:onedr0p/home-ops:kubernetes/apps/default/atuin/app/helmrelease.yaml#0";

/// app-template and kube-prometheus-stack as the conformance kit assembles them; nothing without the kit.
pub(crate) fn public(folder: &Path) -> Result<Vec<Bench>> {
    let Some(kit) = std::env::var_os("WEIR_CONFORMANCE").filter(|path| !path.is_empty()) else {
        anstream::eprintln!(
            "SKIPPED: app-template and kube-prometheus-stack; WEIR_CONFORMANCE names no conformance kit"
        );
        return Ok(Vec::new());
    };
    let kit = PathBuf::from(kit);
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mirrors = checkout.join("../.mirror");
    let list = folder.join("list.txt");
    let all = fs::read_to_string(kit.join("charts.txt")).context("reading the kit's list")?;
    fs::write(&list, chosen(&all))?;
    let work = folder.join("public");
    let status = Command::new("python3")
        .arg(kit.join("charts.py"))
        .arg("prepare")
        .arg("--list")
        .arg(&list)
        .arg("--mirrors")
        .arg(&mirrors)
        .arg("--work")
        .arg(&work)
        .stdout(std::process::Stdio::null())
        .status()
        .context("starting the conformance kit")?;
    ensure!(status.success(), "the conformance kit ended with {status}");
    let mut template = read(&work, CHARTS[0], "app-template")?;
    let values = fs::read_dir(work.join("values"))?.next();
    let values = values.context("the kit prepared no values")??.path();
    template
        .input
        .files
        .push(("bench-values.json".to_owned(), fs::read_to_string(values)?));
    template.values.push("bench-values.json".to_owned());
    (template.ratio, template.warm) = (4.0, Some(3.0));
    let mut stack = read(&work, CHARTS[1], "kube-prometheus-stack")?;
    // Its own default is random.
    stack.set.push("grafana.adminPassword=secret".to_owned());
    (stack.ratio, stack.warm) = (5.0, Some(60.0));
    Ok(vec![template, stack])
}

fn chosen(list: &str) -> String {
    let wanted = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["kube-version" | "repo", ..] => true,
            ["dep", repository, chart, ..] => CHARTS.contains(&chart) && !repository.contains('~'),
            ["case", _, chart, values] => {
                chart == CHARTS[0] && values == RELEASE || chart == CHARTS[1] && values == "-"
            }
            _ => false,
        }
    };
    let lines: Vec<&str> = list.lines().filter(wanted).collect();
    lines.join("\n")
}

/// All texts of a chart that the kit has assembled.
fn read(work: &Path, chart: &str, name: &str) -> Result<Bench> {
    let end = chart.replace('/', "+");
    let folders: Vec<PathBuf> = fs::read_dir(work.join("charts"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    let folder = folders
        .iter()
        .find(|folder| folder.to_string_lossy().ends_with(&end))
        .with_context(|| format!("the kit prepared no {chart}"))?;
    let mut made = bench(name, &[], 1.0, None);
    gather(&folder.join(chart), "", &mut made.input.files)?;
    Ok(made)
}

fn gather(folder: &Path, below: &str, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{below}{}", entry.file_name().to_string_lossy());
        if fs::metadata(entry.path())?.is_dir() {
            gather(&entry.path(), &format!("{path}/"), files)?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push((path, text));
        }
    }
    Ok(())
}
