//! `helm template` over the file system, for the conformance kit: the library without a component around it.
//!
//! ```text
//! helm-native template NAME CHART -n NAMESPACE [--include-crds] [--kube-version V] [-f FILE] [--set A=B]
//! ```
//!
//! With `--packed` it renders what was packed and unpacked, as the component does for the later releases of a chart. With
//! `--repeat N` it renders so often, and says on standard error what loading, the first render and the others took.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use weir_chart::{Chart, ChartTree, EntryKind, Limits, Overrides, TreeEntry, TreeError};
use weir_helm::{HelmError, Offline, OutputOptions, Prepared, Profile, RenderOptions, render};

/// What a template that includes itself needs.
const STACK: usize = 1 << 30;

fn main() -> ExitCode {
    let work = || match run() {
        Ok(output) => match std::io::stdout().write_all(output.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            let mut text = format!("Error: {error}\n");
            if let Some(HelmError::Template {
                explanation: Some(explanation),
                ..
            }) = error.downcast_ref()
            {
                text.push_str(&format!("\n{explanation}\n"));
            }
            // There is nobody to tell if this fails.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    };
    match std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .map(std::thread::JoinHandle::join)
    {
        Ok(Ok(code)) => code,
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Result<String, Box<dyn Error>> {
    let mut profile = Profile::Helm4;
    let mut options = RenderOptions::default();
    let mut output = OutputOptions::default();
    let mut overrides = Overrides::default();
    let mut repeat = 0;
    let mut packed = false;
    let mut words = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "-n" | "--namespace" => options.namespace = value()?,
            "-f" | "--values" => {
                let name = value()?;
                let text = std::fs::read_to_string(&name)?;
                overrides.files.push((name, text));
            }
            "--set" => overrides.set.push(value()?),
            "--set-string" => overrides.string.push(value()?),
            "--set-json" => overrides.json.push(value()?),
            "--set-file" => overrides.file.push(value()?),
            "--set-literal" => overrides.literal.push(value()?),
            "--kube-version" => options.kube_version = Some(value()?),
            "-a" | "--api-versions" => options
                .api_versions
                .extend(value()?.split(',').map(str::to_owned)),
            "-s" | "--show-only" => output.show_only.push(value()?),
            "--profile" => {
                profile = Profile::from_name(&value()?).ok_or("there is no such profile")?
            }
            "--repeat" => repeat = value()?.parse()?,
            "--packed" => packed = true,
            "--include-crds" => options.include_crds = true,
            "--is-upgrade" => options.upgrade = true,
            "--skip-tests" => output.skip_tests = true,
            "--no-hooks" => output.no_hooks = true,
            "--skip-schema-validation" => options.skip_schema_validation = true,
            flag if flag.starts_with('-') => return Err(format!("unknown flag: {flag}").into()),
            word => words.push(word.to_owned()),
        }
    }
    let [command, name, chart] = words.as_slice() else {
        return Err("usage: helm-native template NAME CHART".into());
    };
    if command != "template" {
        return Err(format!("unknown command {command:?}").into());
    }
    options.name.clone_from(name);
    let values = overrides.merge(profile, &mut read_text)?;
    let start = Instant::now();
    let mut prepared = Prepared::new(load(Path::new(chart), profile)?, profile);
    if packed {
        prepared =
            Prepared::unpack(prepared.pack(), profile).ok_or("what was packed is damaged")?;
    }
    let loaded = start.elapsed();
    let once = || {
        render(
            &prepared,
            &values,
            &options,
            Rc::new(Offline::new(seconds(), "helm-native")),
        )
    };
    let start = Instant::now();
    let rendered = once()?;
    let first = start.elapsed();
    let mut times = Vec::new();
    for _ in 0..repeat {
        let start = Instant::now();
        once()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    if let Some(median) = times.get(times.len() / 2) {
        let text =
            format!("load {loaded:?}, first render {first:?}, median of the others {median:?}\n");
        std::io::stderr().write_all(text.as_bytes())?;
    }
    Ok(rendered.template_output(&output, profile)?)
}

fn load(path: &Path, profile: Profile) -> Result<Chart, Box<dyn Error>> {
    if path.is_file() {
        let name = path.display().to_string();
        return Ok(Chart::from_archive(
            &name,
            &std::fs::read(path)?,
            profile,
            Limits::default(),
        )?);
    }
    Ok(Chart::from_tree(
        &Folder(path.to_owned()),
        profile,
        Limits::default(),
    )?)
}

fn read_text(name: &str) -> Result<String, TreeError> {
    std::fs::read_to_string(name).map_err(|error| TreeError::new(format!("open {name}: {error}")))
}

fn seconds() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

/// A chart's folder; links are followed.
struct Folder(PathBuf);

impl ChartTree for Folder {
    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let failed = |error: std::io::Error| TreeError::new(error.to_string());
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.0.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let found = std::fs::metadata(entry.path()).map_err(failed)?;
            let kind = match (found.is_dir(), found.is_file()) {
                (true, _) => EntryKind::Folder,
                (_, true) => EntryKind::File,
                _ => EntryKind::Irregular,
            };
            entries.push(TreeEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                kind,
                size: found.is_file().then_some(found.len()),
            });
        }
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        std::fs::read(self.0.join(path)).map_err(|error| TreeError::new(error.to_string()))
    }
}
