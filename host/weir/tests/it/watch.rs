//! `--watch`: what is saved is rendered again.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SYNC: &str = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: flux-system, namespace: flux-system}\nspec: {interval: 1h, path: ./apps, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}\n";
/// Far longer than any render takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command that stays, with the lines that it prints.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(root: &Path, cache: &Path, command: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args([command, "--watch", "--offline"])
            .arg(root)
            .env("HOME", cache)
            .env("WEIR_CACHE", cache)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        let other = sender.clone();
        std::thread::spawn(move || {
            out.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        std::thread::spawn(move || {
            err.lines()
                .map_while(Result::ok)
                .try_for_each(|line| other.send(line))
        });
        Self { child, lines }
    }

    /// Reads on until a line has the text.
    fn until(&self, text: &str) {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("{text:?} did not come after {seen:?}");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("flux-system/gotk-sync.yaml", SYNC);
    put("apps/a.yaml", &map("one"));
    folder
}

fn map(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: flux-system}}\ndata: {{k: {value}}}\n"
    )
}

#[test]
fn a_build_shows_what_changed_in_the_objects() {
    let (root, cache) = (repository(), tempfile::tempdir().unwrap());
    let watching = Watching::start(root.path(), cache.path(), "build");
    watching.until("1 Kustomization built, 1 object");
    fs::write(root.path().join("apps/a.yaml"), map("two")).unwrap();
    watching.until("- data.k: \"one\"");
    watching.until("+ data.k: \"two\"");
    // A half-written file is told, and what comes after it too.
    fs::write(root.path().join("apps/a.yaml"), "apiVersion: [").unwrap();
    watching.until("1 failed");
    fs::write(root.path().join("apps/a.yaml"), map("three")).unwrap();
    watching.until("1 Kustomization built, 1 object");
}

#[test]
fn a_test_finds_and_no_longer_finds() {
    let (root, cache) = (repository(), tempfile::tempdir().unwrap());
    let watching = Watching::start(root.path(), cache.path(), "test");
    watching.until("0 errors");
    fs::write(root.path().join("apps/a.yaml"), "apiVersion: [").unwrap();
    watching.until("1 error");
    fs::write(root.path().join("apps/a.yaml"), map("two")).unwrap();
    watching.until("0 errors");
}

#[test]
fn what_was_rendered_is_there_for_the_next_command_and_may_be_deleted() {
    let (root, cache) = (repository(), tempfile::tempdir().unwrap());
    let build = || {
        let output = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["build", "--offline"])
            .arg(root.path())
            .env("HOME", cache.path())
            .env("WEIR_CACHE", cache.path())
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let runs = cache.path().join("runs");
    let kept = || {
        let file = fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
        (fs::read(&file).unwrap(), file)
    };
    let first = build();
    let (content, file) = kept();
    assert_eq!(build(), first);
    // Nothing was new.
    assert_eq!(kept().0, content);
    // Two states of a file are two runs of a step.
    fs::write(root.path().join("apps/a.yaml"), map("two")).unwrap();
    assert!(build().contains("two"));
    let longer = kept().0.len();
    assert!(longer > content.len());
    fs::write(root.path().join("apps/a.yaml"), map("one")).unwrap();
    assert_eq!(build(), first);
    assert_eq!(kept().0.len(), longer);
    fs::remove_file(file).unwrap();
    assert_eq!(build(), first);
    fs::write(kept().1, "damaged").unwrap();
    assert_eq!(build(), first);
}
