//! Renders the entry and every unit that comes out of it, until nothing new comes.
//!
//! Units are rendered in waves, a unit's children in the wave after it, each wave on as many threads as there are cores.
//! Between two waves what was made is looked through in order, so that the result does not depend on which render ends
//! first. HelmReleases come after all other units, for their charts and values may come out of any. What a unit substitutes
//! from can come out of one that is rendered later: then there is another turn, in which the
//! memo answers for all that stayed the same.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_api::Object;
use weir_api::kustomize::Kustomization;
use weir_plugin::{Place, Refusal, TreeId};
use weir_render::lower::release_namespace;
use weir_render::{
    Capabilities, InputRef, LowerOptions, Recipe, RenderError, Rendered, Renderer, SourceId,
    UnitId, lower_helm_release, lower_kustomization,
};

use crate::folder_world::FolderWorld;
use crate::repository::entry::Entry;
use crate::repository::holdings::Holdings;
use crate::repository::snapshot::Snapshot;
use crate::repository::sources::Sources;
use crate::repository::unit::{Failure, Made, Outcome, Unit, What, find};
use crate::repository::values::Values;

const RELEASE: &str = "HelmRelease";
/// Values that depend on each other in a longer chain than this do not settle.
const MOST_TURNS: usize = 8;
/// More units than this are taken for a mistake.
const MOST_UNITS: usize = 50_000;
/// How often the entry may take its own place.
const MOST_ENTRIES: usize = 4;

/// What is walked, and with what.
pub(crate) struct Walk<'w> {
    pub(crate) renderer: &'w Renderer,
    pub(crate) folder: &'w FolderWorld,
    pub(crate) options: LowerOptions,
    /// What charts are told.
    pub(crate) capabilities: Capabilities,
    /// Whether HelmReleases are rendered, or only named.
    pub(crate) releases: bool,
    pub(crate) threads: usize,
    /// Told after each render how many are done, and how many there are so far.
    pub(crate) progress: &'w (dyn Fn(usize, usize) + Sync),
}

/// What came of a walk.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The entry first, a unit's children after it.
    pub(crate) units: Vec<Unit>,
    pub(crate) warnings: Vec<String>,
    /// What is worth knowing, and nothing is wrong with.
    pub(crate) notes: Vec<String>,
    /// What was known at the end.
    pub(crate) values: Values,
    pub(crate) sources: Sources,
    pub(crate) holdings: Holdings,
}

/// A unit that waits for its wave.
#[derive(Debug)]
struct Pending {
    id: UnitId,
    parent: Option<UnitId>,
    recipe: Result<Recipe, Failure>,
    /// Where objects are that state no namespace.
    namespace: String,
    object: Value,
    place: Option<Place>,
}

/// One rendered unit, with what it was told when it asked.
struct Finished {
    rendered: Result<Rendered, Failure>,
    answers: Vec<(InputRef, Option<Bytes>)>,
    /// The source that it was rendered from, as the repository describes it.
    source: Option<(SourceId, Option<Value>)>,
}

/// One way through the repository.
struct Turn {
    walked: Walked,
    /// Who made a unit first.
    makers: HashMap<UnitId, Option<UnitId>>,
    answers: Vec<(InputRef, Option<Bytes>)>,
    sources: Vec<(SourceId, Option<Value>)>,
}

/// What units learn from each other.
#[derive(Default)]
struct Known {
    values: Values,
    sources: Sources,
    holdings: Holdings,
}

/// What is to be rendered next.
#[derive(Default)]
struct Queue {
    units: Vec<Pending>,
    /// They wait until no other unit is left: what they need may come out of any.
    releases: Vec<Pending>,
}

impl Walk<'_> {
    /// Walks until every unit was rendered with the values that the walk ends with.
    pub(crate) fn run(&self, entry: &Entry, values: Values) -> Walked {
        let mut known = Known {
            values,
            ..Known::default()
        };
        let mut turns = 0;
        loop {
            turns += 1;
            known.holdings = Holdings::beside(&known.values);
            let turn = self.turn(entry, &mut known);
            let values = turn
                .answers
                .iter()
                .all(|(reference, answer)| known.values.get(reference) == *answer);
            let sources = turn
                .sources
                .iter()
                .all(|(id, spec)| known.sources.spec(id) == spec.as_ref());
            let mut walked = turn.walked;
            if (values && sources) || turns == MOST_TURNS {
                if !values || !sources {
                    walked.warnings.push(format!(
                        "after {MOST_TURNS} turns the values of substituteFrom or the sources still change: objects that are made from them depend on each other"
                    ));
                }
                walked.notes.extend(known.holdings.asked());
                walked.holdings = known.holdings;
                walked.values = known.values;
                walked.sources = known.sources;
                return walked;
            }
            known.values.turn();
            known.sources.turn();
        }
    }

    fn turn(&self, entry: &Entry, known: &mut Known) -> Turn {
        let mut turn = Turn {
            walked: Walked::default(),
            makers: HashMap::from([(entry.id.clone(), None)]),
            answers: Vec::new(),
            sources: Vec::new(),
        };
        let mut queue = Queue::default();
        queue.units.push(Pending {
            id: entry.id.clone(),
            parent: None,
            recipe: self.lower(&entry.object, false),
            namespace: entry.id.name.namespace.clone(),
            object: serde_json::to_value(&entry.object).unwrap_or_default(),
            place: entry.place.clone(),
        });
        let mut entries = if entry.found { MOST_ENTRIES } else { 1 };
        while let Some(wave) = queue.wave() {
            let world = self.folder.knowing(Snapshot {
                source: entry.source.clone(),
                values: known.values.clone(),
                sources: known.sources.clone(),
                holdings: known.holdings.clone(),
            });
            let done = turn.walked.units.len();
            let finished = self.render(&wave, &world, known, done);
            if let ([pending @ Pending { parent: None, .. }], [finished]) =
                (wave.as_slice(), finished.as_slice())
                && let (Ok(recipe), Ok(rendered)) = (&pending.recipe, &finished.rendered)
                && entries > 1
                && let Some(own) = self.own(pending, rendered)
                && own.recipe.as_ref().ok() != Some(recipe)
            {
                entries -= 1;
                queue.units.push(own);
                continue;
            }
            for (pending, finished) in wave.into_iter().zip(finished) {
                turn.answers.extend(finished.answers);
                turn.sources.extend(finished.source);
                self.take(pending, finished.rendered, known, &mut turn, &mut queue);
            }
            if turn.walked.units.len() + queue.units.len() + queue.releases.len() > MOST_UNITS {
                turn.walked.warnings.push(format!(
                    "there are more than {MOST_UNITS} units; those of the last wave were left out"
                ));
                break;
            }
        }
        turn
    }

    /// What the entry itself says about the entry.
    fn own(&self, entry: &Pending, rendered: &Rendered) -> Option<Pending> {
        rendered.bundle.documents.iter().find_map(|document| {
            let object = Object::new(document.to_value()).ok()?;
            let found = find(&object, &entry.namespace).filter(|found| found.id == entry.id)?;
            let recipe = match found.what {
                What::Kustomization(object) => self.lower(&object, rendered.bundle.tainted),
                What::Unusable(failure) => Err(failure),
                What::Release(_) | What::Other => return None,
            };
            Some(Pending {
                id: found.id,
                parent: None,
                recipe,
                namespace: entry.namespace.clone(),
                object: object.into_value(),
                place: document.origin().cloned(),
            })
        })
    }

    /// Takes one unit in: its objects, what other units need of them, and the units in them that are new.
    fn take(
        &self,
        pending: Pending,
        rendered: Result<Rendered, Failure>,
        known: &mut Known,
        turn: &mut Turn,
        queue: &mut Queue,
    ) {
        let mut unit = Unit {
            id: pending.id,
            parent: pending.parent,
            outcome: Outcome::Named,
            object: pending.object,
            place: pending.place,
            recipe: pending.recipe.ok(),
            findings: Vec::new(),
            reads: Vec::new(),
            placeholders: Vec::new(),
            tainted: false,
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(failure) => {
                unit.outcome = Outcome::Failed(failure);
                turn.walked.units.push(unit);
                return;
            }
        };
        for step in &rendered.steps {
            unit.findings.extend(step.diagnostics.iter().cloned());
            let main = step
                .files
                .iter()
                .filter(|(tree, _)| *tree == TreeId::main());
            unit.reads.extend(main.map(|(_, path)| path.clone()));
        }
        // What releases make they do not see themselves: a release looks up what was there before it.
        if unit.id.kind != RELEASE {
            for document in &rendered.bundle.documents {
                known.holdings.learn(document, &pending.namespace);
            }
        }
        unit.placeholders.clone_from(&rendered.bundle.placeholders);
        unit.tainted = rendered.bundle.tainted;
        match unpack(&rendered) {
            Err(failure) => {
                unit.outcome = Outcome::Failed(failure);
                turn.walked.units.push(unit);
            }
            Ok(made) => {
                let named = self.look_through(&unit, &made, &pending.namespace, known, turn, queue);
                unit.outcome = Outcome::Built(made);
                turn.walked.units.push(unit);
                turn.walked.units.extend(named);
            }
        }
    }

    /// Learns from the objects of a unit, queues the units among them, and gives those that are only named.
    fn look_through(
        &self,
        unit: &Unit,
        made: &[Made],
        namespace: &str,
        known: &mut Known,
        turn: &mut Turn,
        queue: &mut Queue,
    ) -> Vec<Unit> {
        let mut named = Vec::new();
        for Made { object, origin } in made {
            known.values.learn(object, namespace);
            known.sources.learn(object, namespace);
            let Some(found) = find(object, namespace) else {
                continue;
            };
            if let Some(maker) = turn.makers.get(&found.id) {
                // The entry makes itself in most repositories.
                if maker.as_ref().is_some_and(|maker| *maker != unit.id) {
                    turn.walked.warnings.push(format!(
                        "{} comes out of {} and of {}; the first one counts",
                        found.id,
                        maker.as_ref().map(ToString::to_string).unwrap_or_default(),
                        unit.id
                    ));
                }
                continue;
            }
            turn.makers.insert(found.id.clone(), Some(unit.id.clone()));
            let mut pending = Pending {
                namespace: found.id.name.namespace.clone(),
                id: found.id,
                parent: Some(unit.id.clone()),
                recipe: Err(Failure::new("it is not rendered")),
                object: object.value().clone(),
                place: origin.clone(),
            };
            match found.what {
                What::Kustomization(object) => {
                    pending.recipe = self.lower(&object, unit.tainted);
                    queue.units.push(pending);
                }
                What::Release(release) if self.releases => {
                    known.sources.learn_release(&release);
                    pending.namespace = release_namespace(&release);
                    pending.recipe = lower_helm_release(&release, &self.capabilities)
                        .map(|recipe| Recipe {
                            tainted: unit.tainted,
                            ..recipe
                        })
                        .map_err(Failure::new);
                    queue.releases.push(pending);
                }
                What::Unusable(failure) => {
                    pending.recipe = Err(failure);
                    queue.units.push(pending);
                }
                What::Release(_) | What::Other => named.push(Unit {
                    id: pending.id,
                    parent: pending.parent,
                    outcome: Outcome::Named,
                    object: pending.object,
                    place: pending.place,
                    recipe: None,
                    findings: Vec::new(),
                    reads: Vec::new(),
                    placeholders: Vec::new(),
                    tainted: false,
                }),
            }
        }
        named
    }

    /// What comes out of secret bytes is secret itself.
    fn lower(&self, object: &Kustomization, tainted: bool) -> Result<Recipe, Failure> {
        lower_kustomization(object, &self.options)
            .map(|recipe| Recipe { tainted, ..recipe })
            .map_err(Failure::new)
    }

    /// Renders a wave, in the order of the wave.
    fn render(
        &self,
        wave: &[Pending],
        world: &FolderWorld,
        known: &Known,
        done: usize,
    ) -> Vec<Finished> {
        let total = done + wave.len();
        let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(done));
        let results: Mutex<Vec<Option<Finished>>> =
            Mutex::new(std::iter::repeat_with(|| None).take(wave.len()).collect());
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(pending) = wave.get(at) else { return };
                let finished = self.render_one(pending, world, known);
                results.lock().expect("no panic while it is locked")[at] = Some(finished);
                (self.progress)(count.fetch_add(1, Ordering::Relaxed) + 1, total);
            }
        };
        std::thread::scope(|scope| {
            let helpers = self.threads.min(wave.len()).saturating_sub(1);
            for _ in 0..helpers {
                scope.spawn(work);
            }
            work();
        });
        let results = results.into_inner().expect("no panic while it is locked");
        results.into_iter().flatten().collect()
    }

    fn render_one(&self, pending: &Pending, world: &FolderWorld, known: &Known) -> Finished {
        let recipe = match &pending.recipe {
            Ok(recipe) => recipe,
            Err(failure) => {
                return Finished {
                    rendered: Err(failure.clone()),
                    answers: Vec::new(),
                    source: None,
                };
            }
        };
        let references: HashSet<&InputRef> = recipe
            .steps
            .iter()
            .flat_map(|step| step.inputs.values())
            .collect();
        let answers = references
            .into_iter()
            .map(|reference| (reference.clone(), known.values.get(reference)))
            .collect();
        let source = recipe.source.clone();
        let spec = known.sources.spec(&source).cloned();
        let rendered = self
            .renderer
            .render(recipe, world, &CancellationToken::new())
            .map_err(failure);
        Finished {
            rendered,
            answers,
            source: Some((source, spec)),
        }
    }
}

impl Queue {
    fn wave(&mut self) -> Option<Vec<Pending>> {
        let next = if self.units.is_empty() {
            &mut self.releases
        } else {
            &mut self.units
        };
        let wave = std::mem::take(next);
        (!wave.is_empty()).then_some(wave)
    }
}

fn failure(error: RenderError) -> Failure {
    let message = match &error {
        // Who asks for a source of the repository is told what is wrong with that.
        RenderError::Source {
            refusal: Refusal::Invalid(text) | Refusal::Unavailable(text),
            ..
        } => Failure::new(text).message,
        RenderError::Source { .. }
        | RenderError::Call { .. }
        | RenderError::Plugin { .. }
        | RenderError::NoRole { .. }
        | RenderError::Twice { .. }
        | RenderError::Cancelled => Failure::new(&error).message,
    };
    let findings = match error {
        RenderError::Call { diagnostics, .. } => diagnostics,
        RenderError::Source { .. }
        | RenderError::Plugin { .. }
        | RenderError::NoRole { .. }
        | RenderError::Twice { .. }
        | RenderError::Cancelled => Vec::new(),
    };
    Failure { message, findings }
}

/// The objects of a bundle as they would be applied, without what the API server adds.
pub(crate) fn unpack(rendered: &Rendered) -> Result<Vec<Made>, Failure> {
    let mut made = Vec::with_capacity(rendered.bundle.documents.len());
    for document in &rendered.bundle.documents {
        let objects = weir_apply::unpacked([document.to_value()]).map_err(Failure::new)?;
        made.extend(objects.into_iter().map(|object| Made {
            object,
            origin: document.origin().cloned(),
        }));
    }
    Ok(made)
}
