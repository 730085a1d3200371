//! Renders the entry and every unit that comes out of it, until nothing new comes.
//!
//! Units are rendered in waves, a unit's children in the wave after it, each wave on as many threads as there are cores.
//! Between two waves what was made is looked through in order, so that the result does not depend on which render ends
//! first. What a unit substitutes from can come out of one that is rendered later: then there is another turn, in which the
//! memo answers for all that stayed the same.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use weir_api::Object;
use weir_api::kustomize::Kustomization;
use weir_render::{
    InputRef, LowerError, LowerOptions, Recipe, RenderError, Rendered, Renderer, UnitId,
    lower_kustomization,
};

use crate::folder_world::FolderWorld;
use crate::repository::entry::Entry;
use crate::repository::unit::{Failure, Made, Outcome, SourceName, Unit, What, find};
use crate::repository::values::Values;
use crate::repository::world::RepositoryWorld;

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
}

/// A unit that waits for its wave.
#[derive(Debug)]
struct Pending {
    id: UnitId,
    parent: Option<UnitId>,
    recipe: Result<Recipe, Failure>,
}

/// One rendered unit, with what it was told when it asked for its inputs.
struct Finished {
    rendered: Result<Rendered, Failure>,
    answers: Vec<(InputRef, Option<Bytes>)>,
}

/// One way through the repository.
struct Turn {
    walked: Walked,
    /// Who made a unit first.
    makers: HashMap<UnitId, Option<UnitId>>,
    answers: Vec<(InputRef, Option<Bytes>)>,
}

impl Walk<'_> {
    /// Walks until every unit was rendered with the values that the walk ends with.
    pub(crate) fn run(&self, entry: &Entry, mut values: Values) -> Walked {
        let mut turns = 0;
        loop {
            turns += 1;
            let turn = self.turn(entry, &mut values);
            let settled = turn
                .answers
                .iter()
                .all(|(reference, answer)| values.get(reference) == *answer);
            let mut walked = turn.walked;
            if settled {
                return walked;
            }
            if turns == MOST_TURNS {
                walked.warnings.push(format!(
                    "after {MOST_TURNS} turns the values of substituteFrom still change: objects that are substituted from depend on each other"
                ));
                return walked;
            }
            values.turn();
        }
    }

    fn turn(&self, entry: &Entry, values: &mut Values) -> Turn {
        let mut turn = Turn {
            walked: Walked::default(),
            makers: HashMap::from([(entry.id.clone(), None)]),
            answers: Vec::new(),
        };
        let mut wave = vec![Pending {
            id: entry.id.clone(),
            parent: None,
            recipe: self.lower(&entry.object, false),
        }];
        let mut entries = if entry.found { MOST_ENTRIES } else { 1 };
        while !wave.is_empty() {
            let world = RepositoryWorld {
                folder: self.folder,
                source: &entry.source,
                values: values.clone(),
            };
            let done = turn.walked.units.len();
            let finished = self.render(&wave, &world, done);
            if let (
                [
                    Pending {
                        id,
                        parent: None,
                        recipe: Ok(recipe),
                    },
                ],
                [
                    Finished {
                        rendered: Ok(rendered),
                        ..
                    },
                ],
            ) = (wave.as_slice(), finished.as_slice())
                && entries > 1
                && let Some(own) = self.own(id, rendered, &entry.source)
                && own.as_ref().ok() != Some(recipe)
            {
                entries -= 1;
                wave = vec![Pending {
                    id: id.clone(),
                    parent: None,
                    recipe: own,
                }];
                continue;
            }
            let mut next = Vec::new();
            for (pending, finished) in wave.into_iter().zip(finished) {
                turn.answers.extend(finished.answers);
                self.take(
                    pending,
                    finished.rendered,
                    &entry.source,
                    values,
                    &mut turn,
                    &mut next,
                );
            }
            if turn.walked.units.len() + next.len() > MOST_UNITS {
                turn.walked.warnings.push(format!(
                    "there are more than {MOST_UNITS} units; those of the last wave were left out"
                ));
                break;
            }
            wave = next;
        }
        turn
    }

    /// What the entry itself says about the entry.
    fn own(
        &self,
        id: &UnitId,
        rendered: &Rendered,
        source: &SourceName,
    ) -> Option<Result<Recipe, Failure>> {
        let own = rendered.bundle.documents.iter().find_map(|document| {
            let object = Object::new(document.to_value()).ok()?;
            find(&object, &id.name.namespace, source).filter(|found| found.id == *id)
        })?;
        Some(match own.what {
            What::Kustomization(object) => self.lower(&object, rendered.bundle.tainted),
            What::Unusable(failure) => Err(failure),
            What::Other => return None,
        })
    }

    /// Takes one unit in: its objects, the values in them, and the units in them that are new.
    fn take(
        &self,
        pending: Pending,
        rendered: Result<Rendered, Failure>,
        source: &SourceName,
        values: &mut Values,
        turn: &mut Turn,
        next: &mut Vec<Pending>,
    ) {
        let outcome =
            rendered.and_then(|rendered| Ok((unpack(&rendered)?, rendered.bundle.tainted)));
        let (made, tainted) = match outcome {
            Ok(built) => built,
            Err(failure) => {
                turn.walked.units.push(Unit {
                    id: pending.id,
                    parent: pending.parent,
                    outcome: Outcome::Failed(failure),
                });
                return;
            }
        };
        let namespace = pending.id.name.namespace.clone();
        let mut named = Vec::new();
        for Made { object, .. } in &made {
            values.learn(object, &namespace);
            let Some(found) = find(object, &namespace, source) else {
                continue;
            };
            if let Some(maker) = turn.makers.get(&found.id) {
                // The entry makes itself in most repositories.
                if maker.as_ref().is_some_and(|maker| *maker != pending.id) {
                    turn.walked.warnings.push(format!(
                        "{} comes out of {} and of {}; the first one counts",
                        found.id,
                        maker.as_ref().map(ToString::to_string).unwrap_or_default(),
                        pending.id
                    ));
                }
                continue;
            }
            turn.makers
                .insert(found.id.clone(), Some(pending.id.clone()));
            let parent = Some(pending.id.clone());
            let recipe = match found.what {
                What::Kustomization(object) => self.lower(&object, tainted),
                What::Unusable(failure) => Err(failure),
                What::Other => {
                    named.push(Unit {
                        id: found.id,
                        parent,
                        outcome: Outcome::Named,
                    });
                    continue;
                }
            };
            next.push(Pending {
                id: found.id,
                parent,
                recipe,
            });
        }
        turn.walked.units.push(Unit {
            id: pending.id,
            parent: pending.parent,
            outcome: Outcome::Built(made),
        });
        turn.walked.units.append(&mut named);
    }

    /// What comes out of secret bytes is secret itself.
    fn lower(&self, object: &Kustomization, tainted: bool) -> Result<Recipe, Failure> {
        match lower_kustomization(object, &self.options) {
            Ok(recipe) => Ok(Recipe { tainted, ..recipe }),
            Err(LowerError::Unsupported {
                field: "spec.decryption",
            }) => Err(Failure::new(
                "spec.decryption is not supported by this version of weir; --no-decrypt leaves what is encrypted as it is",
            )),
            Err(error @ (LowerError::Unsupported { .. } | LowerError::Invalid { .. })) => {
                Err(Failure::new(error))
            }
        }
    }

    /// Renders a wave, in the order of the wave.
    fn render(&self, wave: &[Pending], world: &RepositoryWorld<'_>, done: usize) -> Vec<Finished> {
        let total = done + wave.len();
        let (next, count) = (AtomicUsize::new(0), AtomicUsize::new(done));
        let results: Mutex<Vec<Option<Finished>>> =
            Mutex::new(std::iter::repeat_with(|| None).take(wave.len()).collect());
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(pending) = wave.get(at) else { return };
                let finished = self.render_one(pending, world);
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

    fn render_one(&self, pending: &Pending, world: &RepositoryWorld<'_>) -> Finished {
        let recipe = match &pending.recipe {
            Ok(recipe) => recipe,
            Err(failure) => {
                return Finished {
                    rendered: Err(failure.clone()),
                    answers: Vec::new(),
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
            .map(|reference| (reference.clone(), world.values.get(reference)))
            .collect();
        let rendered = self
            .renderer
            .render(recipe, world, &CancellationToken::new())
            .map_err(failure);
        Finished { rendered, answers }
    }
}

fn failure(error: RenderError) -> Failure {
    let message = Failure::new(&error).message;
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
fn unpack(rendered: &Rendered) -> Result<Vec<Made>, Failure> {
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
