//! A profile of the engine alone, without the component around it: allocations and steps of one render.

use std::rc::Rc;

use anyhow::Result;
use weir_chart::{Chart, ChartFile, Limits, Overrides, Profile, TreeError};
use weir_helm::{Offline, Prepared, RenderOptions, render};

use crate::counted::Allocated;
use crate::inputs::{Bench, KUBE_VERSION};
use crate::process::figure;

/// What loading and the first render allocate, and what another render of the same prepared chart does.
pub(crate) fn profile(bench: &Bench) -> Result<()> {
    let name = format!("helm: {}, allocations", bench.input.name);
    let first = Allocated::now();
    let prefix = match bench.input.target {
        "" => String::new(),
        target => format!("{target}/"),
    };
    let inside = |path: &str| path.strip_prefix(&prefix).map(str::to_owned);
    let files =
        bench.input.files.iter().filter_map(|(path, text)| {
            Some(ChartFile::new(inside(path)?, text.clone().into_bytes()))
        });
    let chart = Chart::from_files(files.collect(), Profile::Helm4, Limits::default())?;
    let prepared = Prepared::new(chart, Profile::Helm4);
    let overrides = Overrides {
        files: bench
            .values
            .iter()
            .map(|name| {
                let wanted = format!("{prefix}{name}");
                let found = bench.input.files.iter().find(|file| file.0 == wanted);
                let text = found.map(|file| file.1.clone()).unwrap_or_default();
                (name.clone(), text)
            })
            .collect(),
        set: bench.set.clone(),
        ..Overrides::default()
    };
    let mut no_files = |name: &str| Err(TreeError::new(format!("{name} is not there")));
    let values = overrides.merge(Profile::Helm4, &mut no_files)?;
    let options = RenderOptions {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        kube_version: Some(KUBE_VERSION.to_owned()),
        include_crds: true,
        ..RenderOptions::default()
    };
    let once = || {
        render(
            &prepared,
            &values,
            &options,
            Rc::new(Offline::new(0, "key")),
        )
    };
    once()?;
    let stats = first.since();
    figure(
        &format!("{name} of loading and one render"),
        "n",
        stats.count as f64,
        None,
        None,
    );
    let next = Allocated::now();
    once()?;
    let stats = next.since();
    figure(
        &format!("{name} of another render"),
        "n",
        stats.count as f64,
        None,
        None,
    );
    let bytes = stats.bytes as f64 / f64::from(1 << 20);
    figure(
        &format!("{name} of another render, their size"),
        "MiB",
        bytes,
        None,
        None,
    );
    Ok(())
}
