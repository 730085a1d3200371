//! `cargo xtask test`: the suites carry the names of what they are about.

use anyhow::{Result, bail};

use crate::workspace::{cargo, run};

/// What a suite runs. A package is in one suite.
struct Suite {
    name: &'static str,
    packages: &'static [&'static str],
}

const SUITES: &[Suite] = &[
    Suite {
        name: "foundation",
        packages: &[
            "weir",
            "weir-api",
            "weir-apply",
            "weir-cluster",
            "weir-controller",
            "weir-plugin",
            "weir-render",
            "weir-sdk",
            "weir-testing",
            "weir-tree",
            "weir-xtask",
        ],
    },
    Suite {
        name: "kustomize",
        packages: &["weir-go-regexp", "weir-k8s-yaml", "weir-kustomize"],
    },
    Suite {
        name: "helm",
        packages: &[
            "weir-chart",
            "weir-gotemplate",
            "weir-helm",
            "weir-packed",
            "weir-sorted-map",
            "weir-sprig",
        ],
    },
    Suite {
        name: "sources",
        packages: &["weir-source", "weir-verify"],
    },
    Suite {
        name: "repository",
        packages: &["weir-secrets", "weir-sops", "weir-substitute"],
    },
];

/// Tests that have more to try when there is time look at this variable.
const FULL: &str = "WEIR_TEST_FULL";

/// The suites' names, for people.
pub(crate) fn names() -> String {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    names.join(", ")
}

/// Runs the named suites, or everything that the workspace has.
pub(crate) fn test(args: &[&str]) -> Result<()> {
    let (options, wanted): (Vec<&str>, Vec<&str>) =
        args.iter().partition(|arg| arg.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| **option != "--full") {
        bail!("there is no option {unknown}; there is --full");
    }
    let mut command = cargo(&["test", "--no-fail-fast"]);
    if wanted.is_empty() {
        command.arg("--workspace");
    }
    for name in wanted {
        for package in suite(name)?.packages {
            command.args(["--package", package]);
        }
    }
    if !options.is_empty() {
        command.env(FULL, "1");
    }
    crate::tools::run(&[])?;
    if !options.is_empty() {
        crate::tools::run(&["source-controller"])?;
    }
    run(&mut command)
}

fn suite(name: &str) -> Result<&'static Suite> {
    match SUITES.iter().find(|suite| suite.name == name) {
        Some(suite) => Ok(suite),
        None => bail!("there is no suite named {name:?}; there are {}", names()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SUITES, cargo};

    #[test]
    fn each_package_of_the_workspace_is_in_one_suite() {
        let output = cargo(&["metadata", "--no-deps", "--format-version=1", "--offline"])
            .output()
            .unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap().iter();
        let members: BTreeSet<&str> = packages.filter_map(|one| one["name"].as_str()).collect();
        let listed: Vec<&str> = SUITES
            .iter()
            .flat_map(|suite| suite.packages)
            .copied()
            .collect();
        let once: BTreeSet<&str> = listed.iter().copied().collect();
        assert_eq!(once.len(), listed.len(), "a package is in two suites");
        assert_eq!(once, members);
    }
}
