//! Reconciles a Plugin: loads its component and registers it.

use std::sync::Arc;

use weir_api::condition::{self, Status};
use weir_api::names::{conditions, reasons};
use weir_api::weir::{Plugin, PluginStatus};
use weir_plugin::Offer;
use weir_render::{Registered, SourceId};
use weir_tree::{Digest, TreePath};

use crate::fact::Fact;
use crate::graph::State;
use crate::node::Typed;
use crate::reconcile::{Context, Next, Outcome, Product, Run};
use crate::registry;
use crate::status::StatusWriter;

/// One run, from top to bottom.
pub(crate) async fn reconcile(ctx: &Context, run: &Run) -> Outcome {
    let generation = run.object.generation();
    let Ok(typed) = &run.typed else {
        return Outcome::new(
            State {
                generation,
                failed: true,
                ..State::default()
            },
            Next::Change,
        );
    };
    let Typed::Plugin(plugin) = &**typed else {
        return Outcome::new(State::default(), Next::Change);
    };
    if run.object.deleting() || typed.suspended() {
        return Outcome::new(
            State {
                generation,
                ..State::default()
            },
            Next::Change,
        );
    }
    let loaded = load(ctx, run, plugin).await;
    let mut status = plugin.status.clone().unwrap_or_default();
    let mut outcome = match loaded {
        Ok(registered) => {
            describe(&mut status, &registered);
            set(
                ctx,
                generation,
                &mut status,
                Status::True,
                reasons::SUCCEEDED,
                "the component is loaded",
            );
            ctx.tell(Fact::PluginReady {
                plugin: run.id.clone(),
                version: registered.plugin.about().version.clone(),
                digest: registered.plugin.digest().to_string(),
            });
            let digest = registered.plugin.digest().to_string();
            let state = State {
                ready: true,
                generation,
                revision: Some(digest),
                ..State::default()
            };
            let mut outcome = Outcome::new(state, Next::Change);
            outcome.product = Product::Plugin(registered);
            outcome
        }
        Err(message) => {
            set(
                ctx,
                generation,
                &mut status,
                Status::False,
                reasons::PLUGIN_INVALID,
                &message,
            );
            ctx.tell(Fact::Failed {
                node: run.id.clone(),
                reason: reasons::PLUGIN_INVALID,
                message,
            });
            Outcome::new(
                State {
                    generation,
                    failed: true,
                    ..State::default()
                },
                Next::Change,
            )
        }
    };
    status.observed_generation = Some(generation);
    let mut writer = StatusWriter::new(&*ctx.cluster, &run.id, run.object.clone());
    let value = serde_json::to_value(&status).expect("a status is JSON");
    if let Err(error) = writer.write(&value).await {
        tracing::warn!(plugin = %run.id, error = %error, "the status could not be written");
        outcome.next = Next::BackOff;
    }
    outcome.object = Some(writer.into_object());
    outcome
}

async fn load(ctx: &Context, run: &Run, plugin: &Plugin) -> Result<Registered, String> {
    let spec = &plugin.spec;
    let grants = registry::grants(&spec.grants);
    grants
        .check()
        .map_err(|error| format!("spec.grants: {error}"))?;
    let limits =
        registry::limits(&spec.limits).map_err(|error| format!("spec.limits.timeout: {error}"))?;
    let reference = &spec.component.source_ref;
    let source = SourceId::new(
        reference.kind.as_str(),
        &reference.namespace,
        &reference.name,
    );
    let path = TreePath::root()
        .join(spec.component.path.trim_start_matches('/'))
        .map_err(|error| format!("spec.component.path: {error}"))?;
    let tree = run
        .sources
        .get(&source)
        .ok_or_else(|| format!("source {source} has no revision yet"))?
        .tree
        .clone();
    let (host, wanted) = (ctx.host.clone(), spec.digest.clone());
    let loading = tokio::task::spawn_blocking(move || {
        let resolved = weir_tree::resolve(&*tree, &path).map_err(|error| error.to_string())?;
        let content = resolved
            .map(|path| tree.read(&path))
            .transpose()
            .map_err(|error| error.to_string())?
            .flatten();
        let content =
            content.ok_or_else(|| format!("spec.component.path: {source} has no file {path}"))?;
        let digest = Digest::of(&content).to_string();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != digest) {
            return Err(format!(
                "spec.digest: {path} has the digest {digest}, not {wanted}; it is not run"
            ));
        }
        host.load(&content)
            .map_err(|error| format!("{path}: {error}"))
    });
    let plugin = loading
        .await
        .map_err(|error| format!("loading crashed: {error}"))??;
    Ok(Registered {
        plugin,
        grants: Arc::new(grants),
        limits,
    })
}

fn describe(status: &mut PluginStatus, registered: &Registered) {
    status.digest = Some(registered.plugin.digest().to_string());
    status.version = Some(registered.plugin.about().version.clone());
    let offers = [
        (Offer::Generator, "generator"),
        (Offer::Transformer, "transformer"),
        (Offer::Validator, "validator"),
        (Offer::Filter, "filter"),
        (Offer::Preparer, "preparer"),
    ];
    status.kinds = offers
        .iter()
        .filter(|(offer, _)| registered.plugin.offers(*offer))
        .map(|(_, name)| (*name).to_owned())
        .collect();
}

fn set(
    ctx: &Context,
    generation: i64,
    status: &mut PluginStatus,
    value: Status,
    reason: &str,
    message: &str,
) {
    condition::set(
        &mut status.conditions,
        generation,
        ctx.clock.now(),
        conditions::READY,
        value,
        reason,
        message,
    );
}
