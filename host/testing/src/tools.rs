//! The pinned originals that tests run: where they are, and how they are built.
//!
//! Each comes from a Go module or a package of npm's of its own under `tests/tools/`, so that it has the build list that its
//! authors released and a new pin rebuilds only what it concerns. `cargo xtask tools` builds them into a cache outside the
//! checkout; the name of what is built holds a digest of everything that went in, so what is there is the right one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// A program that is built once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What it is called, and the start of the name of what is built.
    pub name: &'static str,
    /// The folder under `tests/tools/` that pins it.
    pub module: &'static str,
    pub origin: Origin,
    /// Whether tests run it. The others are run by `cargo xtask record` alone, and CI does not build them.
    pub live: bool,
}

/// What a tool is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A Go module: one file is built.
    Go {
        /// The package of its `main`.
        package: &'static str,
        /// Variables that its release build sets, as `PACKAGE.NAME=VALUE`.
        variables: &'static [&'static str],
    },
    /// Packages of npm's: a folder of them is made.
    Npm {
        /// Which of their programs is run.
        program: &'static str,
    },
}

/// `kubectl version` and `/version` answer with these.
const KUBERNETES: &[&str] = &[
    "k8s.io/client-go/pkg/version.gitVersion=v1.35.4",
    "k8s.io/client-go/pkg/version.gitMajor=1",
    "k8s.io/client-go/pkg/version.gitMinor=35",
    "k8s.io/component-base/version.gitVersion=v1.35.4",
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor=35",
];

/// Every tool there is. What few suites need goes last: it is built last.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "etcd",
        module: "etcd",
        origin: Origin::Go {
            package: "go.etcd.io/etcd/server/v3",
            variables: &[],
        },
        live: true,
    },
    Tool {
        name: "kube-apiserver",
        module: "kubernetes",
        origin: Origin::Go {
            package: "k8s.io/kubernetes/cmd/kube-apiserver",
            variables: KUBERNETES,
        },
        live: true,
    },
    Tool {
        name: "kubectl",
        module: "kubernetes",
        origin: Origin::Go {
            package: "k8s.io/kubernetes/cmd/kubectl",
            variables: KUBERNETES,
        },
        live: true,
    },
    Tool {
        name: "kustomize",
        module: "kustomize",
        origin: Origin::Go {
            package: "sigs.k8s.io/kustomize/kustomize/v5",
            variables: &["sigs.k8s.io/kustomize/api/provenance.version=kustomize/v5.8.1"],
        },
        live: false,
    },
    Tool {
        name: "helm",
        module: "helm",
        origin: Origin::Go {
            package: "helm.sh/helm/v4/cmd/helm",
            variables: &["helm.sh/helm/v4/internal/version.version=v4.2.4"],
        },
        live: false,
    },
    Tool {
        name: "sops",
        module: "sops",
        origin: Origin::Go {
            package: "github.com/getsops/sops/v3/cmd/sops",
            variables: &[],
        },
        live: true,
    },
    Tool {
        name: "versitygw",
        module: "versitygw",
        origin: Origin::Go {
            package: "github.com/versity/versitygw/cmd/versitygw",
            variables: &[],
        },
        live: true,
    },
    Tool {
        name: "fake-gcs-server",
        module: "fake-gcs-server",
        origin: Origin::Go {
            package: "github.com/fsouza/fake-gcs-server",
            variables: &[],
        },
        live: true,
    },
    Tool {
        name: "azurite",
        module: "azurite",
        origin: Origin::Npm {
            program: "azurite-blob",
        },
        live: true,
    },
    Tool {
        name: "source-controller",
        module: "source-controller",
        origin: Origin::Go {
            package: "github.com/fluxcd/source-controller",
            variables: &[],
        },
        live: false,
    },
];

/// The program of a tool, or `None` if `cargo xtask tools` has not built it. With `CI=true` in the environment a
/// missing tool is an error, so that no suite can pass by not running.
pub fn find(name: &str) -> Result<Option<PathBuf>> {
    let tool = TOOLS
        .iter()
        .find(|tool| tool.name == name)
        .with_context(|| format!("no tool is called {name:?}"))?;
    let path = tool.program()?;
    if path.is_file() {
        return Ok(Some(path));
    }
    ensure!(
        !in_ci(),
        "{name} is not built (expected {}); run `cargo xtask tools` first",
        path.display()
    );
    Ok(None)
}

/// Whether a missing tool is an error.
pub fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}

/// Where built tools are kept: `$WEIR_TOOLS`, else `weir/tools` in the user's cache folder.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = set("WEIR_TOOLS") {
        return Ok(folder);
    }
    if let Some(folder) = set("XDG_CACHE_HOME") {
        return Ok(folder.join("weir/tools"));
    }
    match set("HOME") {
        Some(home) => Ok(home.join(".cache/weir/tools")),
        None => bail!("no folder for built tools: set WEIR_TOOLS, XDG_CACHE_HOME or HOME"),
    }
}

impl Tool {
    /// What a build makes, a file or a folder, whether it is there or not.
    pub fn built(&self) -> Result<PathBuf> {
        Ok(cache()?.join(format!("{}-{}", self.name, self.key()?)))
    }

    /// What is run of it.
    pub fn program(&self) -> Result<PathBuf> {
        let built = self.built()?;
        Ok(match self.origin {
            Origin::Go { .. } => built,
            Origin::Npm { program } => built.join("node_modules/.bin").join(program),
        })
    }

    /// The folder that pins it.
    pub fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/tools")
            .join(self.module)
    }

    /// A digest of what decides what is built.
    fn key(&self) -> Result<String> {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        };
        for file in self.origin.pins() {
            let path = self.folder().join(file);
            add(&fs::read(&path).with_context(|| format!("reading {}", path.display()))?);
        }
        match self.origin {
            Origin::Go { package, variables } => {
                for part in [go_version()?, package, &ldflags(variables)] {
                    add(part.as_bytes());
                }
            }
            // The scripts of packages are not run, so that it is the same files everywhere.
            Origin::Npm { .. } => {}
        }
        Ok(hex::encode(&digest.finalize()[..8]))
    }
}

impl Origin {
    /// The files that say what goes in.
    pub fn pins(&self) -> [&'static str; 2] {
        match self {
            Self::Go { .. } => ["go.mod", "go.sum"],
            Self::Npm { .. } => ["package.json", "package-lock.json"],
        }
    }
}

/// The `-ldflags` of a Go tool's build: without debug data, with its version.
pub fn ldflags(variables: &[&str]) -> String {
    let mut flags = String::from("-s -w");
    for variable in variables {
        flags.push_str(" -X ");
        flags.push_str(variable);
    }
    flags
}

/// The version of the Go toolchain, asked for once.
fn go_version() -> Result<&'static str> {
    static VERSION: OnceLock<Result<String, String>> = OnceLock::new();
    let version = VERSION.get_or_init(|| {
        let output = Command::new("go")
            .args(["env", "GOVERSION"])
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    match version {
        Ok(version) => Ok(version),
        Err(error) => {
            bail!("running `go env GOVERSION`: {error}; the test tools need a Go toolchain")
        }
    }
}
