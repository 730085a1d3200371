//! Runs a program and takes its time and its memory.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

/// What a run took.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) time: Duration,
    /// The peak of resident memory in MiB.
    pub(crate) resident: f64,
    /// The largest anonymous part of it that was seen, in MiB.
    pub(crate) anonymous: f64,
    pub(crate) output: Vec<u8>,
}

/// The time from the start of a process to its end.
pub(crate) fn timed(words: &[String]) -> Result<Duration> {
    let started = Instant::now();
    let mut child = command(words).stdout(Stdio::piped()).spawn()?;
    let mut output = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_end(&mut output)?;
    }
    let status = child.wait()?;
    let time = started.elapsed();
    ensure!(status.success(), "{words:?} ended with {status}");
    Ok(time)
}

/// A run whose memory is looked at all the time.
pub(crate) fn watched(words: &[String]) -> Result<Measured> {
    let started = Instant::now();
    let mut child = command(words).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_end(&mut output)?;
        }
        std::io::Result::Ok(output)
    });
    let status = format!("/proc/{}/status", child.id());
    let (mut resident, mut anonymous) = (0.0f64, 0.0f64);
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let (Some(peak), Some(now)) = (field(&text, "VmHWM:"), field(&text, "RssAnon:")) {
            resident = resident.max(peak);
            anonymous = anonymous.max(now);
        }
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "{words:?} ended with {status}");
            break;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    let output = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the thread that reads the output panicked"))??;
    Ok(Measured {
        time: started.elapsed(),
        resident,
        anonymous,
        output,
    })
}

fn command(words: &[String]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null());
    command
}

pub(crate) fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .context("a number of KiB")
        .ok()?;
    Some(kib / 1024.0)
}

/// `cargo xtask bench` builds it together with this program.
pub(crate) fn weir() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let release = here.parent().and_then(Path::parent);
    let weir = release
        .context("the program stands in a target folder")?
        .join("weir");
    ensure!(
        weir.is_file(),
        "{} is not built; run `cargo xtask bench`",
        weir.display()
    );
    Ok(weir)
}

/// The original: what the variable names, what `cargo xtask tools` built, or what is in `PATH`.
pub(crate) fn original(variable: &str, tool: &str) -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()) {
        let path = PathBuf::from(path);
        if !path.is_file() {
            bail!("{variable}={}: there is no such file", path.display());
        }
        return Ok(Some(path));
    }
    // Not every original is one of the pinned tools.
    if let Ok(Some(path)) = weir_testing::tools::find(tool) {
        return Ok(Some(path));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(tool))
        .find(|file| file.is_file());
    if found.is_none() {
        anstream::eprintln!(
            "the original is not there; run `cargo xtask tools` to build it and compare with it"
        );
    }
    Ok(found)
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Prints one figure. `peer` is the original by its name and its value.
pub(crate) fn figure(
    name: &str,
    unit: &str,
    weir: f64,
    peer: Option<(&str, f64)>,
    target: Option<f64>,
) {
    let mut line = json!({"name": name, "unit": unit, "weir": weir});
    if let Some((peer_name, peer)) = peer {
        line["peer"] = peer.into();
        line["peer_name"] = peer_name.into();
    }
    if let Some(target) = target {
        line["target"] = target.into();
    }
    anstream::println!("{line}");
}
