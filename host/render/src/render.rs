//! Runs the steps of a recipe, or uses what the memo holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use weir_plugin::ask::Budget;
use weir_plugin::{
    Call, CallError, Diagnostic, Document, Host, Kind, LogLine, Offer, Question, Refusal, Role,
    Secrets, Severity, TreeId, Usage,
};
use weir_tree::{Digest, TreePath};

use crate::bundle::{self, Bundle};
use crate::index::Dependency;
use crate::memo::{Kept, Memo, Output};
use crate::random::{PUBLIC_KEY, SECOND_PUBLIC_KEY};
use crate::recipe::{FilterStep, Recipe, Step};
use crate::record::{PassedTree, Recorder, Setting};
use crate::shelf::{self, Shelf};
use crate::trace::{Hash, digest_of};
use crate::world::{Registered, World};
use prepare::Preparations;

/// How long verifying one trace may wait for backends.
const VERIFY_TIME: Duration = Duration::from_secs(30);
/// Of one key so many runs are kept, one for each state of the world.
const VARIANTS: usize = 4;

/// Renders recipes. Shared by all units; safe to call from many threads.
#[derive(Debug)]
pub struct Renderer {
    host: Arc<Host>,
    memo: Mutex<Memo>,
    /// What tainted steps made, apart from the rest and within its own budget.
    tainted_memo: Mutex<Memo>,
    /// What plugins prepared, with a budget of its own too.
    preparations: Preparations,
    /// Runs of earlier processes, and for later ones.
    shelf: Option<Arc<dyn Shelf>>,
    /// Questions that are not written down, for the test that finds such a bug.
    #[cfg(test)]
    blind: Option<fn(&Question) -> bool>,
    /// Whether a later render of this process, or of another one, can use what is seen now.
    keeps: bool,
    /// Keys the digests of what is secret; made anew for each process, as nothing tainted outlives it.
    digest_key: [u8; 32],
}

/// What a render made, and what it was made from.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub bundle: Arc<Bundle>,
    /// What a change of would touch this unit.
    pub dependencies: BTreeSet<Dependency>,
    pub steps: Vec<StepReport>,
}

/// How one step went.
#[derive(Clone, Debug)]
pub struct StepReport {
    pub name: String,
    /// Whether the plugin ran; otherwise its trace held and the memo had the result.
    pub ran: bool,
    /// The files that it read, by tree.
    pub files: Vec<(TreeId, TreePath)>,
    pub diagnostics: Vec<Diagnostic>,
    pub logs: Vec<LogLine>,
    pub usage: Usage,
}

/// Why a unit has no bundle.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error("source {source_id} has no tree: {refusal}")]
    Source { source_id: String, refusal: Refusal },
    #[error("step {step}: {refusal}")]
    Plugin { step: String, refusal: Refusal },
    #[error(
        "step {step}: the plugin {plugin} is neither a generator nor a transformer nor a validator"
    )]
    NoRole { step: String, plugin: String },
    #[error("step {step}: {source}")]
    Call {
        step: String,
        source: CallError,
        diagnostics: Vec<Diagnostic>,
    },
    #[error("step {step} made two objects named {object}; each object can be in a unit once")]
    Twice { step: String, object: String },
    #[error("cancelled")]
    Cancelled,
}

/// What a call within a call made.
pub(crate) struct Nested {
    pub(crate) documents: Vec<Document>,
    pub(crate) made: Option<Bytes>,
    pub(crate) tainted: bool,
    pub(crate) unsettled: bool,
    pub(crate) dependencies: BTreeSet<Dependency>,
}

/// One plugin call as the memo sees it.
struct Work<'w> {
    registered: Registered,
    kind: Kind,
    config: String,
    documents: &'w [Document],
    input: Digest,
    tainted: bool,
}

struct Done {
    output: Arc<Output>,
    ran: bool,
    dependencies: BTreeSet<Dependency>,
    files: Vec<(TreeId, TreePath)>,
    unsettled: bool,
    random: bool,
}

impl Renderer {
    /// `memo_bytes` bounds what is kept; what tainted steps made has a quarter of that, and so has what plugins prepared.
    pub fn new(host: Arc<Host>, memo_bytes: usize) -> Result<Self, getrandom::Error> {
        let mut digest_key = [0; 32];
        getrandom::fill(&mut digest_key)?;
        Ok(Self {
            host,
            memo: Mutex::new(Memo::new(memo_bytes, VARIANTS)),
            tainted_memo: Mutex::new(Memo::new(memo_bytes / 4, VARIANTS)),
            preparations: Preparations::new(memo_bytes / 4),
            shelf: None,
            #[cfg(test)]
            blind: None,
            keeps: true,
            digest_key,
        })
    }

    /// For a process that renders one recipe and ends. It keeps no runs, and takes no digests of what nobody compares: with
    /// large charts that is a fifth of the time.
    pub fn once(host: Arc<Host>) -> Result<Self, getrandom::Error> {
        let mut renderer = Self::new(host, 0)?;
        renderer.keeps = false;
        Ok(renderer)
    }

    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Uses the runs of earlier processes too, and keeps those of this one that have no secret in them.
    #[must_use]
    pub fn with_shelf(mut self, shelf: Arc<dyn Shelf>) -> Self {
        self.shelf = Some(shelf);
        self
    }

    /// Makes the bundle of a recipe. Blocks: call it from a thread that may.
    pub fn render(
        &self,
        recipe: &Recipe,
        world: &dyn World,
        cancel: &CancellationToken,
    ) -> Result<Rendered, RenderError> {
        self.render_from(recipe, Vec::new(), world, cancel)
    }

    /// The same with documents that are there before the first step.
    pub fn render_from(
        &self,
        recipe: &Recipe,
        documents: Vec<Document>,
        world: &dyn World,
        cancel: &CancellationToken,
    ) -> Result<Rendered, RenderError> {
        let key = world.random_key();
        let start = |documents| Run {
            documents,
            tainted: recipe.tainted,
            ..Run::default()
        };
        let first = start(documents.clone());
        let first = self.run_steps(
            first,
            recipe,
            world,
            cancel,
            key.as_ref().unwrap_or(&PUBLIC_KEY),
        )?;
        let mut placeholders = Vec::new();
        if key.is_none() && first.random && !first.documents.is_empty() {
            let second =
                self.run_steps(start(documents), recipe, world, cancel, &SECOND_PUBLIC_KEY)?;
            placeholders = bundle::differences(&first.documents, &second.documents);
        }
        let documents = finish(first.documents, recipe);
        let digest_key = first.tainted.then_some(&self.digest_key);
        let digest = self
            .keeps
            .then(|| bundle::digest(&documents, &first.attachments, digest_key));
        let bundle = Bundle {
            documents,
            attachments: first.attachments,
            digest,
            tainted: first.tainted,
            placeholders,
        };
        Ok(Rendered {
            bundle: Arc::new(bundle),
            dependencies: first.dependencies,
            steps: first.steps,
        })
    }

    fn run_steps(
        &self,
        mut run: Run,
        recipe: &Recipe,
        world: &dyn World,
        cancel: &CancellationToken,
        random_key: &[u8; 32],
    ) -> Result<Run, RenderError> {
        let secrets = Arc::new(Secrets::default());
        for step in &recipe.steps {
            let setting = Setting {
                renderer: self,
                world,
                recipe,
                step,
                cancel,
                random_key,
                depth: 0,
                secrets: &secrets,
            };
            let registered = world
                .plugin(&step.plugin)
                .map_err(|refusal| RenderError::Plugin {
                    step: step.name.clone(),
                    refusal,
                })?;
            let role = step_role(step, &registered, run.documents.is_empty())?;
            let work = Work {
                kind: Kind::Object(role),
                config: step.config.to_string(),
                input: bundle::digest(&run.documents, &[], run.tainted.then_some(&self.digest_key)),
                documents: &run.documents,
                tainted: run.tainted,
                registered,
            };
            let done = self.run(&setting, work, BTreeMap::new())?;
            run.tainted |= done.output.tainted;
            run.random |= done.random;
            run.dependencies.extend(done.dependencies);
            if role != Role::Validator {
                run.documents = done.output.documents.clone();
            }
            run.attachments
                .extend(done.output.attachments.iter().cloned());
            run.steps.push(StepReport {
                name: step.name.clone(),
                ran: done.ran,
                files: done.files,
                diagnostics: done.output.diagnostics.clone(),
                logs: done.output.logs.clone(),
                usage: done.output.usage.clone(),
            });
            check_once(&step.name, &run.documents)?;
        }
        Ok(run)
    }

    /// A plugin that another plugin runs on documents of its own.
    #[expect(
        clippy::too_many_arguments,
        reason = "these are the fields of one question"
    )]
    pub(crate) fn delegate(
        &self,
        caller: &Setting<'_>,
        name: &str,
        role: Role,
        config: &str,
        documents: &[String],
        passed: BTreeMap<TreeId, PassedTree>,
        budget: &Budget,
    ) -> Result<Nested, Refusal> {
        let registered = caller.world.plugin(name)?;
        let documents: Vec<Document> = documents
            .iter()
            .map(|text| Document::parse(text).map_err(|error| Refusal::Invalid(error.to_string())))
            .collect::<Result<_, _>>()?;
        let step = Step {
            name: format!("{}/{name}", caller.step.name),
            ..nested_step(name)
        };
        let work = Work {
            kind: Kind::Object(role),
            config: config.to_owned(),
            input: bundle::digest(&documents, &[], None),
            documents: &documents,
            tainted: caller.recipe.tainted,
            registered,
        };
        self.nested(caller, &step, work, passed, budget)
    }

    /// A filter that looks at one file for a step.
    pub(crate) fn filter(
        &self,
        caller: &Setting<'_>,
        filter: &FilterStep,
        path: &TreePath,
        format: &str,
        content: &Bytes,
        budget: &Budget,
    ) -> Result<Nested, Refusal> {
        let registered = caller.world.plugin(&filter.plugin)?;
        let mut step = nested_step(&filter.plugin);
        step.name = format!("{}/{}", caller.step.name, filter.plugin);
        step.inputs.clone_from(&caller.step.inputs);
        let work = Work {
            kind: Kind::Filter {
                path: path.as_str().to_owned(),
                format: format.to_owned(),
                content: content.clone(),
            },
            config: filter.config.to_string(),
            input: Digest::of(content),
            documents: &[],
            tainted: caller.recipe.tainted,
            registered,
        };
        self.nested(caller, &step, work, BTreeMap::new(), budget)
    }

    fn nested(
        &self,
        caller: &Setting<'_>,
        step: &Step,
        work: Work<'_>,
        passed: BTreeMap<TreeId, PassedTree>,
        budget: &Budget,
    ) -> Result<Nested, Refusal> {
        if budget.depth == 0 {
            return Err(Refusal::Exhausted(format!(
                "{}: plugins call each other too deep",
                step.name
            )));
        }
        let setting = Setting {
            step,
            depth: caller.depth + 1,
            ..*caller
        };
        let done = self
            .run(&setting, work, passed)
            .map_err(|error| Refusal::Failed(error.to_string()))?;
        Ok(Nested {
            documents: done.output.documents.clone(),
            made: done.output.made.clone(),
            tainted: done.output.tainted,
            unsettled: done.unsettled,
            dependencies: done.dependencies,
        })
    }

    /// Whether a question is written down: always, outside of the test that plants an omission.
    #[cfg(not(test))]
    pub(crate) fn sees(&self, _: &Question) -> bool {
        true
    }

    #[cfg(test)]
    pub(crate) fn sees(&self, question: &Question) -> bool {
        self.blind.is_none_or(|blind| !blind(question))
    }

    /// One call: from the memo if a kept trace holds, else by running the plugin.
    fn run(
        &self,
        setting: &Setting<'_>,
        work: Work<'_>,
        passed: BTreeMap<TreeId, PassedTree>,
    ) -> Result<Done, RenderError> {
        let key = self.keeps.then(|| step_key(setting, &work));
        let recorder = |passed: BTreeMap<TreeId, PassedTree>| {
            Recorder::new(*setting, passed).map_err(|refusal| RenderError::Source {
                source_id: setting.recipe.source.to_string(),
                refusal,
            })
        };
        if let Some(key) = &key
            && let Some(done) = self.recall(key, &passed, &recorder)?
        {
            return Ok(done);
        }
        let mut recorder = recorder(passed)?;
        let call = Call {
            step: setting.step.name.clone(),
            kind: work.kind,
            config: work.config,
            documents: work.documents.to_vec(),
            grants: work.registered.grants.clone(),
            limits: work.registered.limits.clone(),
            depth: setting.depth,
            cancel: setting.cancel.clone(),
            secrets: setting.secrets.clone(),
        };
        let outcome = self.host.call(&work.registered.plugin, call, &mut recorder);
        let recorded = recorder.finish();
        let outcome = outcome.map_err(|error| failed(setting, error))?;
        if let Some(finding) = outcome
            .diagnostics
            .iter()
            .find(|finding| finding.severity == Severity::Error)
        {
            let message = finding.message.clone();
            let diagnostics = outcome.diagnostics.clone();
            let source = CallError::Failed {
                message,
                diagnostics: Vec::new(),
            };
            return Err(RenderError::Call {
                step: setting.step.name.clone(),
                source,
                diagnostics,
            });
        }
        let tainted = work.tainted || outcome.secret || recorded.secret;
        let output = Arc::new(Output {
            documents: outcome.documents,
            attachments: outcome.attachments,
            made: outcome.made,
            diagnostics: outcome.diagnostics,
            logs: outcome.logs,
            usage: outcome.usage,
            tainted,
        });
        let files = files_of(&recorded.trace);
        if let Some(key) = key
            && !recorded.unsettled
        {
            let kept = Kept {
                trace: Arc::new(recorded.trace),
                output: output.clone(),
            };
            if !tainted
                && let Some(shelf) = &self.shelf
                && let Some(run) = shelf::write(&kept)
            {
                shelf.keep(&key, run);
            }
            self.memo(tainted).insert(key, kept);
        }
        Ok(Done {
            output,
            ran: true,
            dependencies: recorded.dependencies,
            files,
            unsettled: recorded.unsettled,
            random: recorded.random,
        })
    }

    fn recall<'a>(
        &self,
        key: &Digest,
        passed: &BTreeMap<TreeId, PassedTree>,
        recorder: &impl Fn(BTreeMap<TreeId, PassedTree>) -> Result<Recorder<'a>, RenderError>,
    ) -> Result<Option<Done>, RenderError> {
        let again = |kept: &Kept| -> Result<Option<Done>, RenderError> {
            let mut recorder = recorder(passed.clone())?;
            if !recorder.holds(&kept.trace, &verifying()) {
                return Ok(None);
            }
            let recorded = recorder.finish();
            Ok(Some(Done {
                output: kept.output.clone(),
                ran: false,
                dependencies: recorded.dependencies,
                files: files_of(&kept.trace),
                unsettled: false,
                random: recorded.random,
            }))
        };
        for tainted in [false, true] {
            let candidates = self.memo(tainted).candidates(key);
            for kept in candidates {
                if let Some(done) = again(&kept)? {
                    self.memo(tainted).touch(key, &kept.trace);
                    return Ok(Some(done));
                }
            }
        }
        let shelved = self.shelf.iter().flat_map(|shelf| shelf.find(key));
        for kept in shelved.filter_map(|run| shelf::read(&run)) {
            if let Some(done) = again(&kept)? {
                self.memo(false).insert(*key, kept);
                return Ok(Some(done));
            }
        }
        Ok(None)
    }

    fn memo(&self, tainted: bool) -> MutexGuard<'_, Memo> {
        let memo = if tainted {
            &self.tainted_memo
        } else {
            &self.memo
        };
        memo.lock().expect("no panic while the memo is locked")
    }
}

/// What verifying one trace may cost.
fn verifying() -> Budget {
    Budget {
        bytes: u64::MAX,
        deadline: Instant::now() + VERIFY_TIME,
        depth: 4,
    }
}

/// What the steps of a recipe made so far.
#[derive(Default)]
struct Run {
    documents: Vec<Document>,
    attachments: Vec<(String, Bytes)>,
    tainted: bool,
    random: bool,
    dependencies: BTreeSet<Dependency>,
    steps: Vec<StepReport>,
}

/// Everything that decides a call besides what it asks. The random key is part of it: two keys are two runs.
fn step_key(setting: &Setting<'_>, work: &Work<'_>) -> Digest {
    let mut hash = Hash::default();
    hash.bytes(work.registered.plugin.digest().as_bytes());
    let unit = &setting.recipe.unit;
    [
        &unit.kind,
        &unit.name.namespace,
        &unit.name.name,
        &setting.recipe.source.to_string(),
        &work.config,
    ]
    .iter()
    .for_each(|text| hash.text(text));
    match &work.kind {
        Kind::Object(role) => hash.text(&format!("{role:?}")),
        Kind::Filter { path, format, .. } => {
            hash.text(path);
            hash.text(format);
        }
        Kind::Preparer => hash.text("preparer"),
    }
    hash_rights(&mut hash, &work.registered);
    hash.bytes(work.input.as_bytes());
    hash.text(&format!(
        "{:?} {:?} {:?}",
        setting.step.trees, setting.step.inputs, setting.step.filters
    ));
    hash.bytes(setting.random_key);
    hash.number(u64::from(setting.depth));
    hash.done()
}

/// What a plugin may do, and use.
fn hash_rights(hash: &mut Hash, registered: &Registered) {
    let grants = serde_json::to_string(&*registered.grants).expect("grants are lists of texts");
    hash.text(&grants);
    let limits = serde_json::to_string(&registered.limits).expect("limits are numbers");
    hash.text(&limits);
}

fn step_role(step: &Step, registered: &Registered, first: bool) -> Result<Role, RenderError> {
    let offered = |role: &Role| {
        registered.plugin.offers(match role {
            Role::Generator => Offer::Generator,
            Role::Transformer => Offer::Transformer,
            Role::Validator => Offer::Validator,
        })
    };
    let wanted: &[Role] = match (&step.role, first) {
        (Some(role), _) => &[*role],
        (None, true) => &[Role::Generator, Role::Transformer, Role::Validator],
        (None, false) => &[Role::Transformer, Role::Generator, Role::Validator],
    };
    wanted
        .iter()
        .copied()
        .find(offered)
        .ok_or_else(|| RenderError::NoRole {
            step: step.name.clone(),
            plugin: step.plugin.clone(),
        })
}

fn nested_step(plugin: &str) -> Step {
    Step {
        name: String::new(),
        plugin: plugin.to_owned(),
        role: None,
        config: serde_json::Value::Null,
        trees: BTreeMap::new(),
        inputs: BTreeMap::new(),
        filters: Vec::new(),
    }
}

fn failed(setting: &Setting<'_>, error: CallError) -> RenderError {
    match error {
        CallError::Cancelled => RenderError::Cancelled,
        CallError::Failed {
            message,
            diagnostics,
        } => RenderError::Call {
            step: setting.step.name.clone(),
            source: CallError::Failed {
                message: placed(&diagnostics).unwrap_or(message),
                diagnostics: Vec::new(),
            },
            diagnostics,
        },
        error @ (CallError::Config { .. }
        | CallError::Kind { .. }
        | CallError::Trap { .. }
        | CallError::Limit { .. }) => RenderError::Call {
            step: setting.step.name.clone(),
            source: error,
            diagnostics: Vec::new(),
        },
    }
}

/// The first error with its place in the tree, which says more than the text that the plugin ended with.
fn placed(diagnostics: &[Diagnostic]) -> Option<String> {
    let finding = diagnostics
        .iter()
        .find(|finding| finding.severity == Severity::Error)?;
    let at = finding.at.as_ref()?;
    let help = if finding.help.is_empty() {
        String::new()
    } else {
        format!("; {}", finding.help)
    };
    let field = if finding.pointer.is_empty() {
        String::new()
    } else {
        format!(" (at {})", finding.pointer)
    };
    Some(format!(
        "{}:{}:{}: {}{field}{help}",
        at.path, at.line, at.column, finding.message
    ))
}

/// One object cannot be applied in two versions.
fn check_once(step: &str, documents: &[Document]) -> Result<(), RenderError> {
    let mut seen = std::collections::HashSet::with_capacity(documents.len());
    for document in documents {
        let identity = document.identity();
        let group = identity
            .api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group);
        if !seen.insert((group, &identity.kind, &identity.namespace, &identity.name)) {
            let object = format!("{}/{}/{}", identity.kind, identity.namespace, identity.name);
            return Err(RenderError::Twice {
                step: step.to_owned(),
                object,
            });
        }
    }
    Ok(())
}

/// Forces the recipe's common metadata onto every object.
fn finish(documents: Vec<Document>, recipe: &Recipe) -> Vec<Document> {
    if recipe.common.labels.is_empty() && recipe.common.annotations.is_empty() {
        return documents;
    }
    documents
        .into_iter()
        .map(|document| {
            let mut object = document.to_value();
            bundle::force_metadata(&mut object, &recipe.common);
            match Document::from_value(&object) {
                Ok(forced) => forced.with_origin(document.origin().cloned()),
                Err(_) => document,
            }
        })
        .collect()
}

fn files_of(trace: &crate::Trace) -> Vec<(TreeId, TreePath)> {
    // What was looked for and is not there was not read.
    let absent = digest_of(&Err(Refusal::Absent));
    let mut files: Vec<_> = trace
        .iter()
        .filter(|(_, answer)| **answer != absent)
        .filter_map(|(question, _)| match question {
            Question::Read { tree, path }
            | Question::ReadRange { tree, path, .. }
            | Question::ReadFiltered { tree, path, .. }
            | Question::ReadParsed { tree, path } => Some((tree.clone(), path.clone())),
            Question::Prepared { .. }
            | Question::NamedTree { .. }
            | Question::OpenUrl { .. }
            | Question::OpenChart { .. }
            | Question::Stat { .. }
            | Question::Entries { .. }
            | Question::Glob { .. }
            | Question::Resolve { .. }
            | Question::Time
            | Question::Random { .. }
            | Question::KubeVersion
            | Question::HasApi { .. }
            | Question::ApiVersions
            | Question::Fact { .. }
            | Question::Object { .. }
            | Question::Objects { .. }
            | Question::Value { .. }
            | Question::Unwrap { .. }
            | Question::Fetch { .. }
            | Question::Delegate { .. } => None,
        })
        .collect();
    files.sort();
    files.dedup();
    files
}

mod prepare;
#[cfg(test)]
mod tests;
