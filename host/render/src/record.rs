//! The one door: every question of a guest is answered here, and written down here.
//!
//! [`Recorder::ask`] is the only place where a trace grows. Verifying a trace asks the same questions again through the same
//! [`Recorder::answer`], so that what is recorded and what is compared cannot drift apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use weir_k8s_yaml::{ParseOptions, ResolveOptions, Schema};
use weir_plugin::ask::Budget;
use weir_plugin::{Answer, Environment, Given, Question, Refusal, Secrets, TreeId};
use weir_tree::{Digest, EntryKind, TreePath};

use crate::index::Dependency;
use crate::random;
use crate::recipe::{Recipe, SourceId, Step};
use crate::render::Renderer;
use crate::trace::{Trace, digest_of, digest_of_bytes};
use crate::world::{SourceTree, World};

/// What is prepared may be this part of what a step may still read.
const READ_SHARE: u64 = 4;

/// What one step is run for: everything that stays the same while it runs.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) renderer: &'a Renderer,
    pub(crate) world: &'a dyn World,
    pub(crate) recipe: &'a Recipe,
    pub(crate) step: &'a Step,
    pub(crate) cancel: &'a CancellationToken,
    /// The key of random values in this run.
    pub(crate) random_key: &'a [u8; 32],
    /// How many calls are around this one.
    pub(crate) depth: u32,
    /// What the run has seen of secrets: no text that leaves a plugin may show it.
    pub(crate) secrets: &'a Arc<Secrets>,
}

/// A tree that a step can ask about.
#[derive(Clone)]
struct Bound {
    /// Absent for what was opened by URL: it is pinned, so its content cannot change.
    source: Option<SourceId>,
    at: SourceTree,
}

/// Answers the questions of one step and records them.
pub(crate) struct Recorder<'a> {
    setting: Setting<'a>,
    trees: BTreeMap<TreeId, Bound>,
    trace: Trace,
    dependencies: Vec<Dependency>,
    /// The folder of a tree that was last found to be there without a link on the way.
    link_free: Option<(TreeId, TreePath)>,
    secret: bool,
    /// A backend failed: another run could see something else, so this one is not kept.
    unsettled: bool,
    random: bool,
}

/// What a recorder has seen.
pub(crate) struct Recorded {
    pub(crate) trace: Trace,
    pub(crate) dependencies: BTreeSet<Dependency>,
    pub(crate) secret: bool,
    pub(crate) unsettled: bool,
    pub(crate) random: bool,
}

impl Environment for Recorder<'_> {
    fn ask(&mut self, question: &Question, budget: &Budget) -> Result<Given, Refusal> {
        if let Question::Prepared { tree, config } = question {
            return self.prepared(tree, config, budget);
        }
        let given = self.answer(question, budget);
        self.note(question, &given);
        if self.setting.renderer.sees(question) {
            let digest = self.digest(question, &given);
            self.trace.record(question, digest);
        }
        given
    }
}

impl<'a> Recorder<'a> {
    /// Binds `main` and, for a call from within another plugin, the trees that the caller passed.
    pub(crate) fn new(
        setting: Setting<'a>,
        passed: BTreeMap<TreeId, PassedTree>,
    ) -> Result<Self, Refusal> {
        let mut trees = BTreeMap::new();
        let main = setting.world.source(&setting.recipe.source)?;
        trees.insert(
            TreeId::main(),
            Bound {
                source: Some(setting.recipe.source.clone()),
                at: main,
            },
        );
        trees.extend(passed.into_iter().map(|(id, tree)| (id, tree.0)));
        Ok(Self {
            setting,
            trees,
            trace: Trace::default(),
            dependencies: Vec::new(),
            link_free: None,
            secret: false,
            unsettled: false,
            random: false,
        })
    }

    pub(crate) fn finish(self) -> Recorded {
        let Self {
            trace,
            dependencies,
            secret,
            unsettled,
            random,
            ..
        } = self;
        Recorded {
            trace,
            dependencies: dependencies.into_iter().collect(),
            secret,
            unsettled,
            random,
        }
    }

    /// Whether every question of a trace would be answered the same now.
    pub(crate) fn holds(&mut self, trace: &Trace, budget: &Budget) -> bool {
        trace.iter().all(|(question, digest)| {
            if let Some(known) = self.known_digest(question) {
                self.note_dependencies(question);
                return known == *digest;
            }
            let given = self.answer(question, budget);
            self.note(question, &given);
            digest_of(&given) == *digest
        })
    }

    fn digest(&self, question: &Question, given: &Result<Given, Refusal>) -> Digest {
        match given {
            // Nobody will compare it.
            Ok(_) if !self.setting.renderer.keeps() => Some(Digest::from_bytes([0; 32])),
            Ok(given) if !given.secret => self.known_digest(question),
            _ => None,
        }
        .unwrap_or_else(|| digest_of(given))
    }

    /// A file's digest is often known without reading it.
    fn known_digest(&self, question: &Question) -> Option<Digest> {
        let Question::Read { tree, path } = question else {
            return None;
        };
        let bound = self.trees.get(tree)?;
        let resolved = weir_tree::resolve(&*bound.at.tree, path).ok()??;
        let content = bound.at.tree.digest(&resolved).ok()??;
        Some(digest_of_bytes(content))
    }

    fn note(&mut self, question: &Question, given: &Result<Given, Refusal>) {
        match given {
            Ok(given) => self.secret |= given.secret,
            Err(Refusal::Unavailable(_)) => self.unsettled = true,
            Err(
                Refusal::Denied(_)
                | Refusal::Absent
                | Refusal::Exhausted(_)
                | Refusal::Invalid(_)
                | Refusal::Failed(_),
            ) => {}
        }
        self.random |= matches!(question, Question::Random { .. });
        self.note_dependencies(question);
    }

    fn answer(&mut self, question: &Question, budget: &Budget) -> Result<Given, Refusal> {
        let world = self.setting.world;
        match question {
            Question::NamedTree { name } => self.named_tree(name),
            Question::OpenUrl { url } => {
                let at = world.open_url(url, budget)?;
                Ok(self.bind(TreeId(format!("url:{url}")), at))
            }
            Question::OpenChart {
                repository,
                name,
                version,
            } => {
                let at = world.open_chart(repository, name, version, budget)?;
                Ok(self.bind(TreeId(format!("chart:{repository} {name} {version}")), at))
            }
            Question::Read { tree, path } => self.read(tree, path, budget),
            Question::ReadRange {
                tree,
                path,
                offset,
                length,
            } => {
                let given = self.read(
                    tree,
                    path,
                    &Budget {
                        bytes: u64::MAX,
                        ..*budget
                    },
                )?;
                Ok(range(given, *offset, u64::from(*length)))
            }
            Question::ReadFiltered { tree, path, format } => {
                self.read_filtered(tree, path, format, budget)
            }
            Question::ReadParsed { tree, path } => self.read_parsed(tree, path, budget),
            // It is in no trace: what it depends on is.
            Question::Prepared { .. } => Err(Refusal::Unavailable(
                "what is prepared has no answer of its own".to_owned(),
            )),
            Question::Stat { tree, path } => {
                let (bound, path) = self.place(tree, path)?;
                let entry = bound
                    .at
                    .tree
                    .stat(&path)
                    .map_err(unavailable)?
                    .ok_or(Refusal::Absent)?;
                Ok(Given::plain(Answer::Entry(entry)))
            }
            Question::Entries { tree, path } => {
                let (bound, path) = self.place(tree, path)?;
                let mut entries = bound
                    .at
                    .tree
                    .entries(&path)
                    .map_err(unavailable)?
                    .ok_or(Refusal::Absent)?;
                // Sizes would make a listing depend on what is in the files.
                entries.iter_mut().for_each(|entry| entry.size = 0);
                Ok(Given::plain(Answer::Entries(entries)))
            }
            Question::Glob { tree, pattern } => {
                let bound = self.bound(tree)?;
                let paths = weir_tree::glob(&*bound.at.tree, pattern)
                    .map_err(|error| Refusal::Invalid(error.to_string()))?;
                Ok(Given::plain(Answer::Paths(paths)))
            }
            Question::Resolve { tree, path } => {
                let (_, path) = self.place(tree, path)?;
                Ok(Given::plain(Answer::Path(path)))
            }
            Question::Time => Ok(Given::plain(Answer::Number(self.main().at.time))),
            Question::Random {
                purpose,
                place,
                nth,
                length,
            } => {
                let key = self.setting.random_key;
                let bytes = random::bytes(
                    key,
                    &self.setting.recipe.unit,
                    purpose,
                    place,
                    *nth,
                    *length,
                );
                Ok(Given {
                    answer: Answer::Bytes(bytes.into()),
                    secret: world.random_key().is_some(),
                })
            }
            Question::KubeVersion => Ok(Given::plain(Answer::Text(world.kube_version()))),
            Question::HasApi { what } => Ok(Given::plain(Answer::Flag(
                world.api_versions().binary_search(what).is_ok(),
            ))),
            Question::ApiVersions => Ok(Given::plain(Answer::Texts(world.api_versions().to_vec()))),
            Question::Fact { name } => self.fact(name),
            Question::Object {
                api_version,
                kind,
                namespace,
                name,
            } => {
                let text = world.object(api_version, kind, namespace, name)?;
                Ok(Given {
                    answer: Answer::Text(text),
                    secret: is_secret(api_version, kind),
                })
            }
            Question::Objects {
                api_version,
                kind,
                namespace,
                labels,
            } => {
                let text = world.objects(api_version, kind, namespace, labels)?;
                Ok(Given {
                    answer: Answer::Text(text),
                    secret: is_secret(api_version, kind),
                })
            }
            Question::Value { name } => {
                let reference = self.setting.step.inputs.get(name).ok_or_else(|| {
                    Refusal::Invalid(format!(
                        "the step {} binds no input named {name:?}",
                        self.setting.step.name
                    ))
                })?;
                let value = world.input(reference)?;
                Ok(Given {
                    answer: Answer::Bytes(value.bytes),
                    secret: value.secret,
                })
            }
            Question::Unwrap {
                scheme,
                key,
                wrapped,
            } => Ok(Given::secret(Answer::Bytes(
                world.unwrap_key(scheme, key, wrapped)?,
            ))),
            Question::Fetch { url, .. } => Err(Refusal::Invalid(format!(
                "{url} was not fetched: fetching by plugins is not part of this version of weir"
            ))),
            Question::Delegate {
                name,
                role,
                config,
                documents,
                trees,
            } => {
                let passed = self.pass(trees)?;
                let nested = self.setting.renderer.delegate(
                    &self.setting,
                    name,
                    *role,
                    config,
                    documents,
                    passed,
                    budget,
                )?;
                self.dependencies.extend(nested.dependencies);
                self.unsettled |= nested.unsettled;
                let texts = nested
                    .documents
                    .iter()
                    .map(|document| document.body().to_string())
                    .collect();
                Ok(Given {
                    answer: Answer::Texts(texts),
                    secret: nested.tainted,
                })
            }
        }
    }

    fn main(&self) -> &Bound {
        self.trees
            .get(&TreeId::main())
            .expect("bound when the recorder was made")
    }

    fn bound(&self, id: &TreeId) -> Result<Bound, Refusal> {
        self.trees
            .get(id)
            .cloned()
            .ok_or_else(|| Refusal::Invalid(format!("the tree {:?} was not opened", id.0)))
    }

    fn bind(&mut self, id: TreeId, at: SourceTree) -> Given {
        self.trees.insert(id.clone(), Bound { source: None, at });
        Given::plain(Answer::Tree(id))
    }

    fn named_tree(&mut self, name: &str) -> Result<Given, Refusal> {
        let id = TreeId(name.to_owned());
        if !self.trees.contains_key(&id) {
            let source = self.setting.step.trees.get(name).ok_or(Refusal::Absent)?;
            let at = self.setting.world.source(source)?;
            self.trees.insert(
                id.clone(),
                Bound {
                    source: Some(source.clone()),
                    at,
                },
            );
        }
        Ok(Given::plain(Answer::Tree(id)))
    }

    /// The tree and the path after links are followed.
    fn place(&self, tree: &TreeId, path: &TreePath) -> Result<(Bound, TreePath), Refusal> {
        let bound = self.bound(tree)?;
        match weir_tree::resolve(&*bound.at.tree, path) {
            Ok(Some(resolved)) => Ok((bound, resolved)),
            Ok(None) => Err(Refusal::Absent),
            Err(error) => Err(refused(error)),
        }
    }

    fn read(&self, tree: &TreeId, path: &TreePath, budget: &Budget) -> Result<Given, Refusal> {
        let (bound, path) = self.place(tree, path)?;
        let entry = bound
            .at
            .tree
            .stat(&path)
            .map_err(unavailable)?
            .ok_or(Refusal::Absent)?;
        match entry.kind {
            EntryKind::File | EntryKind::Executable => {}
            EntryKind::Directory => return Err(Refusal::Invalid(format!("{path} is a directory"))),
            EntryKind::Submodule => {
                return Err(Refusal::Invalid(format!(
                    "{path} is a submodule, which is not fetched"
                )));
            }
            EntryKind::Link => return Err(Refusal::Absent),
        }
        if entry.size > budget.bytes {
            return Err(Refusal::Exhausted(format!(
                "{path} has {} bytes, more than the step may still read",
                entry.size
            )));
        }
        let content = bound
            .at
            .tree
            .read(&path)
            .map_err(refused)?
            .ok_or(Refusal::Absent)?;
        if content.len() as u64 > budget.bytes {
            return Err(Refusal::Exhausted(format!(
                "{path} has {} bytes, more than the step may still read",
                content.len()
            )));
        }
        Ok(Given::plain(Answer::Bytes(content)))
    }

    fn read_parsed(
        &self,
        tree: &TreeId,
        path: &TreePath,
        budget: &Budget,
    ) -> Result<Given, Refusal> {
        let given = self.read(tree, path, budget)?;
        let Answer::Bytes(content) = given.answer else {
            return Err(Refusal::Absent);
        };
        let invalid =
            |error: weir_k8s_yaml::YamlError| Refusal::Invalid(format!("{path}: {error}"));
        let text = weir_k8s_yaml::decode(&content).map_err(invalid)?;
        let options = ResolveOptions::new(Schema::Sigs);
        let mut values = Vec::new();
        for document in weir_k8s_yaml::documents(&text, &ParseOptions::default()) {
            let document = document.map_err(invalid)?;
            values.push(
                weir_k8s_yaml::resolve_data(&document.root, &options)
                    .map_err(invalid)?
                    .into_value(),
            );
        }
        let text = serde_json::Value::Array(values).to_string();
        Ok(Given {
            answer: Answer::Text(text),
            secret: given.secret,
        })
    }

    /// Runs the step's filters over a file, one after another.
    fn read_filtered(
        &mut self,
        tree: &TreeId,
        path: &TreePath,
        format: &str,
        budget: &Budget,
    ) -> Result<Given, Refusal> {
        let given = self.read(tree, path, budget)?;
        let Answer::Bytes(mut content) = given.answer else {
            return Err(Refusal::Absent);
        };
        let mut secret = given.secret;
        for filter in &self.setting.step.filters {
            let nested = self.setting.renderer.filter(
                &self.setting,
                filter,
                path,
                format,
                &content,
                budget,
            )?;
            self.dependencies.extend(nested.dependencies);
            self.unsettled |= nested.unsettled;
            secret |= nested.tainted;
            if let Some(filtered) = nested.made {
                content = filtered;
            }
        }
        Ok(Given {
            answer: Answer::Bytes(content),
            secret,
        })
    }

    /// What the step's plugin prepares of a tree. It is not in the trace; what was read for it is, as if the step had read it,
    /// even if nothing came of it.
    fn prepared(&mut self, tree: &TreeId, config: &str, budget: &Budget) -> Result<Given, Refusal> {
        let renderer = self.setting.renderer;
        if !renderer.keeps() || budget.depth == 0 {
            return Err(Refusal::Absent);
        }
        let passed = BTreeMap::from([(TreeId::main(), PassedTree(self.bound(tree)?))]);
        let prepared = renderer
            .prepare(&self.setting, config, &passed, budget)
            .ok_or(Refusal::Absent)?;
        for (question, answer) in prepared.trace.iter() {
            let question = question.clone().with_tree(tree);
            if renderer.sees(&question) {
                self.trace.record(&question, *answer);
            }
        }
        self.dependencies.extend(prepared.dependencies);
        self.unsettled |= prepared.unsettled;
        let made = prepared.made.ok_or(Refusal::Absent)?;
        // It counts as read, and is larger than what it was made of.
        if made.len() as u64 > budget.bytes / READ_SHARE {
            return Err(Refusal::Absent);
        }
        Ok(Given::plain(Answer::Bytes(made)))
    }

    fn fact(&self, name: &str) -> Result<Given, Refusal> {
        let unit = &self.setting.recipe.unit;
        let text = match name {
            "unit.kind" => unit.kind.clone(),
            "unit.namespace" => unit.name.namespace.clone(),
            "unit.name" => unit.name.name.clone(),
            "source.revision" => self.main().at.revision.clone(),
            _ => return Err(Refusal::Absent),
        };
        Ok(Given::plain(Answer::Text(text)))
    }

    fn pass(&self, trees: &[(String, TreeId)]) -> Result<BTreeMap<TreeId, PassedTree>, Refusal> {
        trees
            .iter()
            .map(|(name, id)| Ok((TreeId(name.clone()), PassedTree(self.bound(id)?))))
            .collect()
    }

    /// What a change of would make this question's answer another one.
    fn note_dependencies(&mut self, question: &Question) {
        let main = self.setting.recipe.source.clone();
        let noted = match question {
            Question::Read { tree, path }
            | Question::ReadRange { tree, path, .. }
            | Question::ReadFiltered { tree, path, .. }
            | Question::ReadParsed { tree, path }
            | Question::Stat { tree, path }
            | Question::Entries { tree, path }
            | Question::Resolve { tree, path } => self.path_dependency(tree, path),
            Question::Glob { tree, pattern } => self
                .trees
                .get(tree)
                .and_then(|bound| bound.source.clone())
                .map(|source| Dependency::Glob {
                    source,
                    pattern: pattern.clone(),
                }),
            Question::Time => Some(Dependency::Revision(main)),
            Question::Fact { name } if name == "source.revision" => {
                Some(Dependency::Revision(main))
            }
            Question::KubeVersion | Question::HasApi { .. } | Question::ApiVersions => {
                Some(Dependency::Apis)
            }
            Question::Object {
                api_version,
                kind,
                namespace,
                ..
            }
            | Question::Objects {
                api_version,
                kind,
                namespace,
                ..
            } => Some(Dependency::Lookup {
                api_version: api_version.clone(),
                kind: kind.clone(),
                namespace: namespace.clone(),
            }),
            Question::Value { name } => self
                .setting
                .step
                .inputs
                .get(name)
                .cloned()
                .map(Dependency::Input),
            Question::NamedTree { .. }
            | Question::OpenUrl { .. }
            | Question::OpenChart { .. }
            | Question::Random { .. }
            | Question::Fact { .. }
            | Question::Unwrap { .. }
            | Question::Fetch { .. }
            | Question::Delegate { .. }
            // What was read for it is noted in its place.
            | Question::Prepared { .. } => None,
        };
        self.dependencies.extend(noted);
    }

    /// Where links are on the way, or could be, any change of the source counts: the path alone does not tell.
    fn path_dependency(&mut self, tree: &TreeId, path: &TreePath) -> Option<Dependency> {
        let bound = self.trees.get(tree)?;
        let source = bound.source.clone()?;
        let above = |of: &TreePath| of.parent().filter(|parent| !parent.is_root());
        let mut at = Some(path.clone());
        while let Some(here) = at {
            // Most questions are about one folder after the other.
            if let Some((known_tree, known)) = &self.link_free
                && *known == here
                && known_tree == tree
            {
                break;
            }
            match bound.at.tree.stat(&here) {
                Ok(entry)
                    if entry
                        .as_ref()
                        .is_none_or(|entry| entry.kind != EntryKind::Link) => {}
                Ok(_) | Err(_) => return Some(Dependency::Revision(source)),
            }
            at = above(&here);
        }
        if let Some(folder) = above(path)
            && self
                .link_free
                .as_ref()
                .is_none_or(|(known_tree, known)| *known != folder || known_tree != tree)
        {
            self.link_free = Some((tree.clone(), folder));
        }
        Some(Dependency::Path {
            source,
            path: path.clone(),
        })
    }
}

/// A tree that one plugin passes to another.
#[derive(Clone)]
pub(crate) struct PassedTree(Bound);

fn range(given: Given, offset: u64, length: u64) -> Given {
    let Answer::Bytes(content) = given.answer else {
        return given;
    };
    let start = offset.min(content.len() as u64);
    let end = offset.saturating_add(length).min(content.len() as u64);
    let part =
        content.slice(usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0));
    Given {
        answer: Answer::Bytes(part),
        secret: given.secret,
    }
}

fn is_secret(api_version: &str, kind: &str) -> bool {
    api_version == "v1" && kind == "Secret"
}

fn unavailable(error: weir_tree::TreeError) -> Refusal {
    Refusal::Unavailable(error.to_string())
}

/// What the author of the tree can mend is invalid, what the machine did is unavailable.
fn refused(error: weir_tree::TreeError) -> Refusal {
    match error {
        weir_tree::TreeError::LinkOutside { .. }
        | weir_tree::TreeError::LinkCycle { .. }
        | weir_tree::TreeError::TooLarge { .. }
        | weir_tree::TreeError::TooManyEntries { .. }
        | weir_tree::TreeError::TooManyChanges { .. }
        | weir_tree::TreeError::Pattern { .. } => Refusal::Invalid(error.to_string()),
        weir_tree::TreeError::Read { .. }
        | weir_tree::TreeError::Changed { .. }
        | weir_tree::TreeError::Archive(_)
        | weir_tree::TreeError::Repository(_) => Refusal::Unavailable(error.to_string()),
    }
}
