//! What is fetched: a repository with a long history, and an index of many charts.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use weir_testing::git::{GitServer, Repository};

/// A repository that many addresses lead to.
pub(crate) struct Large {
    repository: Repository,
}

impl Large {
    /// Each commit changes one file.
    pub(crate) fn make(git: &GitServer, commits: usize, files: usize) -> Result<Self> {
        let repository = git.repository("large")?;
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(repository.path())
            .stdin(Stdio::piped())
            .spawn()
            .context("starting git fast-import")?;
        let mut input = import.stdin.take().context("its standard input")?;
        for commit in 0..commits {
            let mut text = String::new();
            let time = 1_700_000_000 + commit;
            writeln!(text, "commit refs/heads/main")?;
            writeln!(text, "committer Test <test@example.org> {time} +0000")?;
            writeln!(text, "data 8\na commit")?;
            let changed = match commit {
                0 => 0..files,
                _ => commit % files..commit % files + 1,
            };
            for file in changed {
                let content = manifest(file, commit);
                writeln!(text, "M 100644 inline {}", path(file))?;
                writeln!(text, "data {}\n{content}", content.len())?;
            }
            input.write_all(text.as_bytes())?;
        }
        drop(input);
        let status = import.wait()?;
        ensure!(status.success(), "git fast-import ended with {status}");
        Ok(Self { repository })
    }

    /// Another address of the same repository.
    pub(crate) fn alias(&self, git: &GitServer, name: &str) -> Result<String> {
        let place = self.repository.path().with_file_name(format!("{name}.git"));
        std::os::unix::fs::symlink(self.repository.path(), &place)
            .with_context(|| format!("linking {}", place.display()))?;
        ensure!(fs::metadata(&place)?.is_dir());
        Ok(git.url(name))
    }

    /// One more commit that changes one file, and its revision.
    pub(crate) fn commit(&self, number: usize) -> Result<String> {
        let content = manifest(number, 1_000_000 + number);
        let id = self
            .repository
            .commit("main", &[(&path(number), &content)])?;
        Ok(format!("main@sha1:{id}"))
    }
}

fn path(file: usize) -> String {
    format!("apps/team-{}/app-{file}/deployment.yaml", file % 50)
}

fn manifest(file: usize, version: usize) -> String {
    let mut text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{file}\n  labels:\n    app: app-{file}\nspec:\n  \
         replicas: 2\n  selector:\n    matchLabels:\n      app: app-{file}\n  template:\n    metadata:\n      labels:\n        \
         app: app-{file}\n    spec:\n      containers:\n      - name: app\n        image: registry.example.org/team/app-{file}:1.{version}\n        env:\n"
    );
    for number in 0..12 {
        let _ = write!(
            text,
            "        - name: SETTING_{number}\n          value: \"{}\"\n",
            file * 31 + number
        );
    }
    text
}

/// An index of about so many bytes, as the large public ones are.
pub(crate) fn index(bytes: usize) -> Vec<u8> {
    let mut text = "apiVersion: v1\ngenerated: \"2024-01-02T03:04:05Z\"\nentries:\n".to_owned();
    let mut chart = 0;
    while text.len() < bytes {
        let _ = writeln!(text, "  chart-{chart}:");
        for version in 0..60 {
            let _ = write!(
                text,
                "  - apiVersion: v2\n    appVersion: 1.{version}.0\n    created: \"2024-01-02T03:04:05.123456789Z\"\n    \
                 dependencies:\n    - name: common\n      repository: https://charts.example.org\n      version: 2.x.x\n    \
                 description: Chart number {chart}, which does what charts do and says so in one long line\n    \
                 digest: {:064x}\n    home: https://example.org/charts/{chart}\n    icon: https://example.org/icons/{chart}.png\n    \
                 keywords:\n    - chart\n    - number\n    - kubernetes\n    maintainers:\n    - email: team@example.org\n      name: The team\n    \
                 name: chart-{chart}\n    sources:\n    - https://example.org/source/{chart}\n    urls:\n    \
                 - https://example.org/charts/chart-{chart}-1.{version}.0.tgz\n    version: 1.{version}.0\n",
                chart * 1000 + version
            );
        }
        chart += 1;
    }
    text.into_bytes()
}
