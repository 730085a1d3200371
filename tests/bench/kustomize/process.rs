//! Runs a program and takes its time and its memory.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

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

fn field(status: &str, name: &str) -> Option<f64> {
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
