//! `weir test`: renders a repository and looks at what would go wrong in a cluster.
//!
//! [`units`] looks at units and what they name, [`objects`] at what they make, [`patches`] at patches that change nothing;
//! [`finding`] is one result with its place, [`report`] writes them.

mod finding;
mod locate;
mod objects;
mod patches;
mod report;
mod units;

use std::process::ExitCode;
use std::time::Instant;

use weir_plugin::Severity;

use crate::cli::TestArgs;
use crate::repository;
use crate::repository::unit::Outcome;
use crate::repository::visit::{Visit, Visited};

use finding::Finding;

pub(crate) use locate::{Wanted, locate, stands};
pub(crate) use patches::own_patches;
pub(crate) use units::dependencies;

pub(crate) fn test(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let mut render = args.repository.render.clone();
    // What a cluster would refuse is to be found.
    render.strict_substitute = true;
    let visit = Visit::new(&render, args.repository.folder())?;
    if args.watch {
        let never = repository::watch(args.repository.folder(), |source| {
            let start = Instant::now();
            let visited = visit.walk(source)?;
            report::write(&findings(&visited)?, &visited, args.output, start.elapsed())
        })?;
        match never {}
    }
    let visited = visit.folder(args.repository.folder())?;
    let findings = findings(&visited)?;
    report::write(&findings, &visited, args.output, start.elapsed())?;
    let failed = findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// All findings, by file and line.
fn findings(visited: &Visited) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    units::check(visited, &mut findings);
    objects::check(visited, &mut findings)?;
    patches::check(visited, &mut findings);
    let key = |finding: &Finding| {
        let place = finding.place.clone().unwrap_or_default();
        (place.path, place.line, finding.message.clone())
    };
    findings.sort_by_cached_key(key);
    findings.dedup_by(|a, b| key(a) == key(b));
    Ok(findings)
}

/// Units that were rendered.
fn built(visited: &Visited) -> usize {
    let units = &visited.walked.units;
    units
        .iter()
        .filter(|unit| matches!(unit.outcome, Outcome::Built(_)))
        .count()
}
