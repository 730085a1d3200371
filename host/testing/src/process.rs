//! Server processes that cannot outlive the test binary.
//!
//! A shell stands between: it starts the server and ends it as soon as its own standard input closes, which the kernel
//! does when the test binary is gone, be it by `exit`, a panic or `kill -9`. (A parent-death signal would need unsafe
//! code, and fires when the *thread* that started the server ends, which a test's thread does.)

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::tools::{self, in_ci};
use crate::wait::DEADLINE;

/// Starts `"$@"`, writes its number into `WEIR_NUMBER`, waits for it, and ends it when standard input closes. `WEIR_REMOVE`,
/// if set, is removed at the end.
const SUPERVISOR: &str = r#"
trap '' INT HUP TERM
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
echo $server >"$WEIR_NUMBER"
{ while read -r _; do :; done; kill -KILL $server; } <&3 2>/dev/null &
watcher=$!
exec 3<&-
wait $server
status=$?
kill -KILL $watcher 2>/dev/null
# Another server of the same folder can be ending at this moment, and write a last line.
if [ -n "$WEIR_REMOVE" ]; then rm -rf "$WEIR_REMOVE" || { sleep 1; rm -rf "$WEIR_REMOVE"; }; fi
exit $status
"#;

/// The full path of a program of this machine; those of servers are looked for where they are kept.
fn installed(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The full path of a program that tests need, or `None` and a line on standard error; in CI its absence is an error.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn needed(name: &str, advice: &str) -> Result<Option<PathBuf>> {
    let found = installed(name);
    if found.is_none() {
        ensure!(!in_ci(), "there is no {name}; {advice}");
        eprintln!("SKIPPED: there is no {name}; {advice}");
    }
    Ok(found)
}

/// The program of a pinned tool, or `None` and a line on standard error; in CI its absence is an error.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub(crate) fn built(name: &str) -> Result<Option<PathBuf>> {
    let found = tools::find(name)?;
    if found.is_none() {
        eprintln!("SKIPPED: {name} is not built; run `cargo xtask tools {name}`");
    }
    Ok(found)
}

/// A running server. Dropping it ends the server and waits until it is gone.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    supervisor: Child,
    /// Closing this is what ends the server.
    lifeline: Option<ChildStdin>,
    log: PathBuf,
}

/// Where the number of a process stands, beside its log.
fn number_file(log: &Path) -> PathBuf {
    log.with_extension("number")
}

impl Process {
    /// Starts a program with its output appended to `log`. `remove` is a folder that goes when the server ended.
    pub(crate) fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        log: &Path,
        remove: Option<&Path>,
    ) -> Result<Self> {
        let name = program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let output = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("opening the log {}", log.display()))?;
        let mut command = Command::new("sh");
        command
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(program)
            .args(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output);
        command.env("WEIR_REMOVE", remove.unwrap_or(Path::new("")));
        command.env("WEIR_NUMBER", number_file(log));
        // Its own group: Ctrl-C in a terminal goes to the test binary, whose end then ends the servers in order.
        command.process_group(0);
        let mut supervisor = command
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let lifeline = supervisor.stdin.take();
        Ok(Self {
            name,
            supervisor,
            lifeline,
            log: log.to_owned(),
        })
    }

    /// Starts a program that listens on a port, one that was free a moment ago, until one of them still is; waits until it
    /// takes connections.
    pub(crate) fn listening(
        program: &Path,
        log: &Path,
        arguments: impl Fn(u16) -> Result<Vec<OsString>>,
    ) -> Result<(u16, Self)> {
        const TRIES: usize = 5;
        let start = Instant::now();
        let mut tries = 1;
        loop {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut process = Self::start(program, arguments(port)?, log, None)?;
            loop {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Ok((port, process));
                }
                match process.check() {
                    Ok(()) => {}
                    Err(_) if tries < TRIES => break,
                    Err(error) => return Err(error),
                }
                if start.elapsed() > DEADLINE {
                    bail!(
                        "{} does not answer; its log ends:\n{}",
                        process.name,
                        process.log_end()
                    );
                }
                thread::sleep(Duration::from_millis(5));
            }
            tries += 1;
        }
    }

    /// An error with the end of the log if the server has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self.supervisor.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow::anyhow!(
                "{} ended with {status}; its log ends:\n{}",
                self.name,
                self.log_end()
            )),
        }
    }

    /// The number of the server's process.
    pub(crate) fn server_id(&self) -> Result<u32> {
        let path = number_file(&self.log);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        text.trim().parse().context("the number of a process")
    }

    /// The last lines of the log.
    pub(crate) fn log_end(&self) -> String {
        const LINES: usize = 30;
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// Kills the server (`kill -9`) and waits until it is gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        drop(self.lifeline.take());
        self.supervisor.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, server = self.name, "waiting for the end of a test server");
        }
    }
}
