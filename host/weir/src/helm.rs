//! `weir helm template`: what Helm prints, made by the built-in plugin.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use weir_plugin::Document;

use crate::cli::{HelmProfile, TemplateArgs};
use crate::output;
use crate::single::{Ended, Single, attached, tree_path};

/// The plugin attaches the text that Helm prints under this name.
const OUTPUT: &str = "output";

pub(crate) fn template(args: &TemplateArgs) -> anyhow::Result<ExitCode> {
    let (name, chart) = match args.words.as_slice() {
        [name, chart] => (name.as_str(), chart),
        [chart] => ("release-name", chart),
        _ => bail!("expected NAME and CHART"),
    };
    if !Path::new(chart).exists() {
        bail!(
            "there is no chart at {chart}; give the folder of a chart, or its archive. Charts of repositories are pulled with `helm pull` first"
        );
    }
    let single = Single {
        command: "helm-template",
        plugins: &["helm"],
        config: config(args, name, chart)?,
        // As Helm does: a chart that reads the clock reads this machine's.
        time: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| now.as_secs()),
    };
    let rendered = match single.run()? {
        Ended::Well(rendered) => rendered,
        // Helm's own text comes last, as people know it.
        Ended::Badly { error, .. } => return Err(error.into()),
    };
    match &args.output_dir {
        None => output::text(attached(&rendered, OUTPUT)?)?,
        Some(folder) => {
            let objects: Vec<Value> = rendered
                .bundle
                .documents
                .iter()
                .map(Document::to_value)
                .collect();
            output::directory(&objects, folder)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &TemplateArgs, name: &str, chart: &str) -> anyhow::Result<Value> {
    let here = std::env::current_dir().context("finding the current folder")?;
    let texts = |texts: &[String]| json!(texts);
    let mut config = Map::new();
    config.insert(
        "chart".into(),
        json!({"path": tree_path(Path::new(chart))?}),
    );
    config.insert(
        "release".into(),
        json!({"name": name, "namespace": args.namespace, "upgrade": args.is_upgrade}),
    );
    config.insert("folder".into(), tree_path(&here)?.into());
    config.insert("valuesFiles".into(), texts(&args.values));
    config.insert("setJson".into(), texts(&args.set_json));
    config.insert("set".into(), texts(&args.set));
    config.insert("setString".into(), texts(&args.set_string));
    config.insert("setFile".into(), texts(&args.set_file));
    config.insert("setLiteral".into(), texts(&args.set_literal));
    config.insert(
        "profile".into(),
        match args.profile {
            HelmProfile::Helm4 => "helm4",
            HelmProfile::Helm3 => "helm3",
            HelmProfile::Helm3_19 => "helm3.19",
        }
        .into(),
    );
    if let Some(version) = &args.kube_version {
        config.insert("kubeVersion".into(), version.as_str().into());
    }
    config.insert("apiVersions".into(), texts(&args.api_versions));
    config.insert("includeCrds".into(), args.include_crds.into());
    config.insert("hooks".into(), (!args.no_hooks).into());
    config.insert("tests".into(), (!args.skip_tests).into());
    config.insert(
        "skipSchemaValidation".into(),
        args.skip_schema_validation.into(),
    );
    // What is printed is the text, which need not be objects.
    config.insert("objects".into(), args.output_dir.is_some().into());
    config.insert(
        "output".into(),
        json!({"hooks": !args.no_hooks, "tests": !args.skip_tests, "showOnly": args.show_only}),
    );
    Ok(Value::Object(config))
}
