//! A world that a test makes up.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_plugin::ask::Budget;
use weir_plugin::{
    Answer, Call, Document, Given, Grants, Kind, Limits, Offer, Question, Refusal, Secrets, TreeId,
};
use weir_tree::{EmptyTree, OverlayTree, Tree, TreeError, TreePath, glob, resolve};

use super::{Plugin, host};

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum Files {
    File(Bytes),
    Link(String),
}

/// What a plugin can learn in a test. Everything is empty at first, the time is 0.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub main: BTreeMap<String, Files>,
    pub trees: BTreeMap<String, BTreeMap<String, Files>>,
    /// Trees by the URL that opens them.
    pub remote: BTreeMap<String, BTreeMap<String, Files>>,
    /// What filters make of files of the main tree: secret content, by path.
    pub filtered: BTreeMap<String, Bytes>,
    pub inputs: BTreeMap<String, (Bytes, bool)>,
    pub facts: BTreeMap<String, String>,
    pub time: u64,
    pub kube_version: String,
    pub apis: Vec<String>,
    pub objects: Vec<Value>,
    /// Unwrapped keys by scheme.
    pub keys: BTreeMap<String, Bytes>,
    /// Bodies by URL.
    pub web: BTreeMap<String, Bytes>,
    pub plugins: BTreeMap<String, (Plugin, Grants)>,
}

/// An environment in use.
#[derive(Debug)]
pub(super) struct Running {
    world: Environment,
    /// The plugin that is called, and whether its preparer is asked.
    plugin: Plugin,
    prepares: bool,
    grants: Arc<Grants>,
    trees: BTreeMap<TreeId, Arc<dyn Tree>>,
    questions: Vec<Question>,
    depth: u32,
    cancel: CancellationToken,
    secrets: Arc<Secrets>,
}

impl Environment {
    pub(super) fn started(self, plugin: &Plugin, call: &Call) -> Running {
        let mut trees = BTreeMap::from([(TreeId::main(), tree(&self.main))]);
        trees.extend(
            self.trees
                .iter()
                .map(|(name, files)| (TreeId(name.clone()), tree(files))),
        );
        Running {
            plugin: plugin.clone(),
            prepares: true,
            grants: Arc::clone(&call.grants),
            trees,
            world: self,
            questions: Vec::new(),
            depth: call.depth,
            cancel: call.cancel.clone(),
            secrets: Arc::clone(&call.secrets),
        }
    }
}

impl Running {
    /// The same world, in which nothing is prepared.
    pub(super) fn without_preparer(self) -> Self {
        Self {
            prepares: false,
            ..self
        }
    }

    pub(super) fn into_questions(self) -> Vec<Question> {
        self.questions
    }

    fn answer(&mut self, question: &Question) -> Result<Answer, Refusal> {
        match question {
            Question::NamedTree { name } => {
                let id = TreeId(name.clone());
                if self.trees.contains_key(&id) {
                    Ok(Answer::Tree(id))
                } else {
                    Err(Refusal::Absent)
                }
            }
            Question::OpenUrl { url } => self.open(url.clone()),
            Question::OpenChart {
                repository,
                name,
                version,
            } => self.open(format!("{repository}/{name}@{version}")),
            Question::Read { tree, path } => self.read(tree, path).map(Answer::Bytes),
            Question::ReadRange {
                tree,
                path,
                offset,
                length,
            } => {
                let content = self.read(tree, path)?;
                let start = usize::try_from(*offset)
                    .unwrap_or(usize::MAX)
                    .min(content.len());
                let end = start.saturating_add(*length as usize).min(content.len());
                Ok(Answer::Bytes(content.slice(start..end)))
            }
            Question::ReadFiltered { tree, path, .. } => {
                match self.world.filtered.get(path.as_str()) {
                    Some(content) => Ok(Answer::Bytes(content.clone())),
                    None => self.read(tree, path).map(Answer::Bytes),
                }
            }
            Question::ReadParsed { tree, path } => {
                let content = self.read(tree, path)?;
                let text = std::str::from_utf8(&content)
                    .map_err(|error| Refusal::Invalid(error.to_string()))?;
                let documents = Document::from_yaml(text, None)
                    .map_err(|error| Refusal::Invalid(error.to_string()))?;
                Ok(Answer::Text(
                    Value::from_iter(documents.iter().map(Document::to_value)).to_string(),
                ))
            }
            Question::Prepared { tree, config } => self.prepared(tree, config),
            Question::Stat { tree, path } => {
                let (tree, path) = self.place(tree, path)?;
                tree.stat(&path)
                    .map_err(invalid)?
                    .map(Answer::Entry)
                    .ok_or(Refusal::Absent)
            }
            Question::Entries { tree, path } => {
                let (tree, path) = self.place(tree, path)?;
                tree.entries(&path)
                    .map_err(invalid)?
                    .map(Answer::Entries)
                    .ok_or(Refusal::Absent)
            }
            Question::Glob { tree, pattern } => glob(&*self.tree(tree)?, pattern)
                .map(Answer::Paths)
                .map_err(invalid),
            Question::Resolve { tree, path } => {
                self.place(tree, path).map(|(_, path)| Answer::Path(path))
            }
            Question::Time => Ok(Answer::Number(self.world.time)),
            Question::Random {
                purpose,
                place,
                nth,
                length,
            } => {
                let seed = format!("{purpose}/{place}/{nth}/");
                Ok(Answer::Bytes(
                    seed.bytes().cycle().take(*length as usize).collect(),
                ))
            }
            Question::KubeVersion => Ok(Answer::Text(self.world.kube_version.clone())),
            Question::HasApi { what } => Ok(Answer::Flag(self.world.apis.contains(what))),
            Question::ApiVersions => Ok(Answer::Texts(self.world.apis.clone())),
            Question::Fact { name } => self
                .world
                .facts
                .get(name)
                .map(|fact| Answer::Text(fact.clone()))
                .ok_or(Refusal::Absent),
            Question::Object {
                api_version,
                kind,
                namespace,
                name,
            } => {
                let object = self
                    .objects(api_version, kind, namespace)
                    .find(|object| object["metadata"]["name"] == **name);
                object
                    .map(|object| Answer::Text(object.to_string()))
                    .ok_or(Refusal::Absent)
            }
            Question::Objects {
                api_version,
                kind,
                namespace,
                ..
            } => Ok(Answer::Text(
                self.objects(api_version, kind, namespace)
                    .cloned()
                    .collect::<Value>()
                    .to_string(),
            )),
            Question::Value { name } => self
                .world
                .inputs
                .get(name)
                .map(|(value, _)| Answer::Bytes(value.clone()))
                .ok_or(Refusal::Absent),
            Question::Unwrap { scheme, .. } => self
                .world
                .keys
                .get(scheme)
                .map(|key| Answer::Bytes(key.clone()))
                .ok_or(Refusal::Absent),
            Question::Fetch { url, .. } => {
                let body = self.world.web.get(url).cloned();
                let status = if body.is_some() { 200 } else { 404 };
                Ok(Answer::Response {
                    status,
                    headers: Vec::new(),
                    body: body.unwrap_or_default(),
                })
            }
            Question::Delegate {
                name,
                role,
                config,
                documents,
                ..
            } => self.delegate(name, Kind::Object(*role), config, documents),
        }
    }

    fn delegate(
        &mut self,
        name: &str,
        kind: Kind,
        config: &str,
        documents: &[String],
    ) -> Result<Answer, Refusal> {
        let Some((plugin, grants)) = self.world.plugins.get(name).cloned() else {
            return Err(Refusal::Absent);
        };
        let parsed: Result<Vec<_>, _> =
            documents.iter().map(|text| Document::parse(text)).collect();
        let call = Call {
            step: format!("test/{name}"),
            kind,
            config: config.to_owned(),
            documents: parsed.map_err(|error| Refusal::Invalid(error.to_string()))?,
            grants: Arc::new(grants),
            limits: Limits::default(),
            depth: self.depth + 1,
            cancel: self.cancel.clone(),
            secrets: Arc::clone(&self.secrets),
        };
        let mut inner = self.world.clone().started(&plugin, &call);
        let outcome = host()
            .call(plugin.loaded(), call, &mut inner)
            .map_err(|error| Refusal::Failed(error.to_string()))?;
        Ok(Answer::Texts(
            outcome
                .documents
                .iter()
                .map(|document| document.body().to_owned())
                .collect(),
        ))
    }

    /// Nothing is kept here: the preparer runs each time. What it fails with is shown, where a renderer leaves it to the step.
    fn prepared(&mut self, tree: &TreeId, config: &str) -> Result<Answer, Refusal> {
        let plugin = self.plugin.clone();
        if !self.prepares || !plugin.loaded().offers(Offer::Preparer) {
            return Err(Refusal::Absent);
        }
        let call = Call {
            step: "test/preparer".to_owned(),
            kind: Kind::Preparer,
            config: config.to_owned(),
            documents: Vec::new(),
            grants: Arc::clone(&self.grants),
            limits: Limits::default(),
            depth: self.depth + 1,
            cancel: self.cancel.clone(),
            secrets: Arc::clone(&self.secrets),
        };
        let mut inner = Environment::default().started(&plugin, &call);
        inner.trees = BTreeMap::from([(TreeId::main(), self.tree(tree)?)]);
        let outcome = host()
            .call(plugin.loaded(), call, &mut inner)
            .map_err(|error| Refusal::Failed(error.to_string()))?;
        let asked = inner.into_questions();
        self.questions
            .extend(asked.into_iter().map(|question| question.with_tree(tree)));
        outcome.made.map(Answer::Bytes).ok_or(Refusal::Absent)
    }

    fn open(&mut self, url: String) -> Result<Answer, Refusal> {
        let files = self.world.remote.get(&url).ok_or(Refusal::Absent)?;
        let id = TreeId(url);
        self.trees.insert(id.clone(), tree(files));
        Ok(Answer::Tree(id))
    }

    fn tree(&self, id: &TreeId) -> Result<Arc<dyn Tree>, Refusal> {
        self.trees.get(id).cloned().ok_or(Refusal::Absent)
    }

    /// The tree, and where in it the path leads when links are followed.
    fn place(&self, id: &TreeId, path: &TreePath) -> Result<(Arc<dyn Tree>, TreePath), Refusal> {
        let tree = self.tree(id)?;
        let path = resolve(&*tree, path)
            .map_err(invalid)?
            .ok_or(Refusal::Absent)?;
        Ok((tree, path))
    }

    fn read(&self, id: &TreeId, path: &TreePath) -> Result<Bytes, Refusal> {
        let (tree, path) = self.place(id, path)?;
        tree.read(&path).map_err(invalid)?.ok_or(Refusal::Absent)
    }

    fn objects<'a>(
        &'a self,
        api_version: &'a str,
        kind: &'a str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        self.world.objects.iter().filter(move |object| {
            let here = object["metadata"]["namespace"].as_str().unwrap_or_default();
            object["apiVersion"] == *api_version
                && object["kind"] == *kind
                && (namespace.is_empty() || here == namespace)
        })
    }

    fn secret(&self, question: &Question) -> bool {
        match question {
            Question::Value { name } => self
                .world
                .inputs
                .get(name)
                .is_some_and(|(_, secret)| *secret),
            Question::ReadFiltered { path, .. } => self.world.filtered.contains_key(path.as_str()),
            Question::Unwrap { .. } => true,
            Question::NamedTree { .. } | Question::OpenUrl { .. } | Question::OpenChart { .. } => {
                false
            }
            Question::Read { .. } | Question::ReadRange { .. } | Question::ReadParsed { .. } => {
                false
            }
            Question::Stat { .. }
            | Question::Entries { .. }
            | Question::Glob { .. }
            | Question::Resolve { .. } => false,
            Question::Time
            | Question::Random { .. }
            | Question::KubeVersion
            | Question::HasApi { .. } => false,
            Question::ApiVersions
            | Question::Fact { .. }
            | Question::Object { .. }
            | Question::Objects { .. } => false,
            Question::Fetch { .. } | Question::Delegate { .. } | Question::Prepared { .. } => false,
        }
    }
}

impl weir_plugin::Environment for Running {
    fn ask(&mut self, question: &Question, budget: &Budget) -> Result<Given, Refusal> {
        self.questions.push(question.clone());
        let answer = self.answer(question)?;
        if let Answer::Bytes(bytes) = &answer
            && bytes.len() as u64 > budget.bytes
        {
            return Err(Refusal::Exhausted(format!(
                "an answer of {} bytes is more than it may still read (readBytes)",
                bytes.len()
            )));
        }
        Ok(Given {
            answer,
            secret: self.secret(question),
        })
    }
}

fn tree(files: &BTreeMap<String, Files>) -> Arc<dyn Tree> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (path, what) in files {
        let path =
            TreePath::parse(path).unwrap_or_else(|error| panic!("a file of the test: {error}"));
        let added = match what {
            Files::File(content) => overlay.file(&path, content.clone()),
            Files::Link(target) => overlay.link(&path, target),
        };
        added.unwrap_or_else(|error| panic!("a file of the test: {error}"));
    }
    Arc::new(
        overlay
            .finish()
            .unwrap_or_else(|error| panic!("the files of the test: {error}")),
    )
}

fn invalid(error: TreeError) -> Refusal {
    Refusal::Invalid(error.to_string())
}
