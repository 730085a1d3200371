//! The interface `trees`.

use wasmtime::component::Resource;
use weir_tree::{Entry, EntryKind, TreePath};

use super::{Answered, Ended, LONGEST_CONFIG, State, Trapped, TreeHandle, refused, unexpected};
use crate::guest::weir::plugin::trees::{Entry as WitEntry, EntryKind as WitKind, Host, HostTree};
use crate::guest::weir::plugin::types as wit;
use crate::{Answer, Question, Refusal, TreeId};

const FORMATS: [&str; 6] = ["yaml", "json", "dotenv", "ini", "binary", ""];
/// The longest pattern, URL, name and version.
const LONGEST: usize = 4096;

impl Host for State {
    fn main(&mut self) -> Trapped<Resource<TreeHandle>> {
        self.enter()?;
        self.tree_handle(TreeId::main())
    }

    fn named(&mut self, name: String) -> Answered<Resource<TreeHandle>> {
        self.enter()?;
        if name.len() > LONGEST {
            return Ok(Err(too_long("name", &name)));
        }
        self.tree(Question::NamedTree { name })
    }

    fn open(&mut self, url: String) -> Answered<Resource<TreeHandle>> {
        self.enter()?;
        if let Err(refusal) = self.grants.check_url(&url) {
            return Ok(Err(refused(refusal)));
        }
        self.tree(Question::OpenUrl { url })
    }

    fn open_chart(
        &mut self,
        repository: String,
        name: String,
        version: String,
    ) -> Answered<Resource<TreeHandle>> {
        self.enter()?;
        if let Err(refusal) = self.grants.check_url(&repository) {
            return Ok(Err(refused(refusal)));
        }
        if name.len() > LONGEST || version.len() > LONGEST {
            return Ok(Err(too_long("name or version", &name)));
        }
        self.tree(Question::OpenChart {
            repository,
            name,
            version,
        })
    }
}

impl HostTree for State {
    fn read(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<Vec<u8>> {
        self.enter()?;
        let content = self.content(&tree, &path, |tree, path| Question::Read { tree, path })?;
        Ok(content.map(Vec::from))
    }

    fn read_text(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<String> {
        self.enter()?;
        let content = self.content(&tree, &path, |tree, path| Question::Read { tree, path })?;
        Ok(content.and_then(|bytes| {
            String::from_utf8(bytes.into()).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                wit::Refusal::Invalid(format!("{path} is not UTF-8: byte {at} fits no character"))
            })
        }))
    }

    fn read_range(
        &mut self,
        tree: Resource<TreeHandle>,
        path: String,
        offset: u64,
        length: u32,
    ) -> Answered<Vec<u8>> {
        self.enter()?;
        let content = self.content(&tree, &path, |tree, path| Question::ReadRange {
            tree,
            path,
            offset,
            length,
        })?;
        Ok(content.map(Vec::from))
    }

    fn stat(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<WitEntry> {
        self.enter()?;
        let question = match self.look(&tree, &path)? {
            Ok((tree, path)) => Question::Stat { tree, path },
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.ask(&question)? {
            Ok(Answer::Entry(entry)) => Ok(Ok(entry.into())),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    fn entries(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<Vec<WitEntry>> {
        self.enter()?;
        let question = match self.look(&tree, &path)? {
            Ok((tree, path)) => Question::Entries { tree, path },
            Err(refusal) => return Ok(Err(refusal)),
        };
        let entries = match self.ask(&question)? {
            Ok(Answer::Entries(entries)) => entries,
            Ok(_) => return Err(unexpected(&question)),
            Err(refusal) => return Ok(Err(refused(refusal))),
        };
        let below = |name: &str| {
            if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}/{name}")
            }
        };
        let shown = entries
            .into_iter()
            .filter(|entry| self.files.everything() || self.files.shows(&below(&entry.name)));
        Ok(Ok(shown.map(WitEntry::from).collect()))
    }

    fn glob(&mut self, tree: Resource<TreeHandle>, pattern: String) -> Answered<Vec<String>> {
        self.enter()?;
        if pattern.len() > LONGEST {
            return Ok(Err(too_long("pattern", &pattern)));
        }
        if let Err(refusal) = self.files.check_any(&pattern) {
            return Ok(Err(refused(refusal)));
        }
        let question = Question::Glob {
            tree: self.tree_id(&tree)?,
            pattern,
        };
        match self.ask(&question)? {
            Ok(Answer::Paths(paths)) => {
                let shown = paths
                    .into_iter()
                    .filter(|path| self.files.everything() || self.files.reads(path.as_str()));
                Ok(Ok(shown.map(String::from).collect()))
            }
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    fn read_parsed(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<String> {
        self.enter()?;
        let question = match self.file(&tree, &path)? {
            Ok((tree, path)) => Question::ReadParsed { tree, path },
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.ask(&question)? {
            Ok(Answer::Text(text)) => Ok(Ok(text)),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    fn read_filtered(
        &mut self,
        tree: Resource<TreeHandle>,
        path: String,
        format: String,
    ) -> Answered<Vec<u8>> {
        self.enter()?;
        if !FORMATS.contains(&format.as_str()) {
            let shown: String = format.chars().take(40).collect();
            let text = format!("the format {shown:?} is none of yaml, json, dotenv, ini, binary");
            return Ok(Err(wit::Refusal::Invalid(text)));
        }
        let content = self.content(&tree, &path, |tree, path| Question::ReadFiltered {
            tree,
            path,
            format,
        })?;
        Ok(content.map(Vec::from))
    }

    fn prepared(
        &mut self,
        tree: Resource<TreeHandle>,
        config: String,
    ) -> Answered<Option<Vec<u8>>> {
        self.enter()?;
        if config.len() > LONGEST_CONFIG {
            let text = format!(
                "the config has {} bytes, over the limit of {LONGEST_CONFIG}",
                config.len()
            );
            return Ok(Err(wit::Refusal::Invalid(text)));
        }
        let tree = self.tree_id(&tree)?;
        let question = Question::Prepared { tree, config };
        match self.ask(&question)? {
            Ok(Answer::Bytes(bytes)) => Ok(Ok(Some(bytes.into()))),
            Ok(_) => Err(unexpected(&question)),
            Err(Refusal::Absent) => Ok(Ok(None)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    fn resolve(&mut self, tree: Resource<TreeHandle>, path: String) -> Answered<String> {
        self.enter()?;
        match self.look(&tree, &path)? {
            Ok((tree, path)) => Ok(self
                .resolved(tree, path)?
                .map(String::from)
                .map_err(refused)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn drop(&mut self, _: Resource<TreeHandle>) -> Trapped<()> {
        self.release_handle();
        Ok(())
    }
}

impl State {
    pub(super) fn tree_id(&self, tree: &Resource<TreeHandle>) -> Trapped<TreeId> {
        let known = self.trees.get(tree.rep() as usize).cloned();
        Ok(
            known
                .ok_or_else(|| Ended::Misuse("it used a tree that it does not have".to_owned()))?,
        )
    }

    fn tree_handle(&mut self, id: TreeId) -> Trapped<Resource<TreeHandle>> {
        self.count_handles(1)?;
        let at = self
            .trees
            .iter()
            .position(|known| *known == id)
            .unwrap_or_else(|| {
                self.trees.push(id);
                self.trees.len() - 1
            });
        Ok(Resource::new_own(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    fn tree(&mut self, question: Question) -> Answered<Resource<TreeHandle>> {
        // Each of them is kept until the call ends.
        const MOST: usize = 1000;
        if self.trees.len() >= MOST {
            return Err(Ended::Limit(format!("it opened more than {MOST} trees")).into());
        }
        match self.ask(&question)? {
            Ok(Answer::Tree(id)) => self.tree_handle(id).map(Ok),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    fn content(
        &mut self,
        tree: &Resource<TreeHandle>,
        path: &str,
        question: impl FnOnce(TreeId, TreePath) -> Question,
    ) -> Answered<bytes::Bytes> {
        let question = match self.file(tree, path)? {
            Ok((tree, path)) => question(tree, path),
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.ask(&question)? {
            Ok(Answer::Bytes(bytes)) => Ok(Ok(bytes)),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }

    /// A file that may be read. Where not all files are granted, the one that a link leads to has to be granted as well.
    fn file(&mut self, tree: &Resource<TreeHandle>, path: &str) -> Answered<(TreeId, TreePath)> {
        let tree = self.tree_id(tree)?;
        let path = match parsed(path) {
            Ok(path) => path,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.files.check_read(path.as_str()) {
            return Ok(Err(refused(refusal)));
        }
        self.follow(tree, path, true)
    }

    /// A path that may be looked at.
    fn look(&mut self, tree: &Resource<TreeHandle>, path: &str) -> Answered<(TreeId, TreePath)> {
        let tree = self.tree_id(tree)?;
        let path = match parsed(path) {
            Ok(path) => path,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.files.check_look(path.as_str()) {
            return Ok(Err(refused(refusal)));
        }
        self.follow(tree, path, false)
    }

    fn follow(&mut self, tree: TreeId, path: TreePath, read: bool) -> Answered<(TreeId, TreePath)> {
        if self.files.everything() {
            return Ok(Ok((tree, path)));
        }
        let target = match self.resolved(tree.clone(), path.clone())? {
            Ok(target) => target,
            Err(refusal) => return Ok(Err(refused(refusal))),
        };
        let checked = if read {
            self.files.check_read(target.as_str())
        } else {
            self.files.check_look(target.as_str())
        };
        Ok(checked.map(|()| (tree, path)).map_err(refused))
    }

    fn resolved(&mut self, tree: TreeId, path: TreePath) -> Trapped<Result<TreePath, Refusal>> {
        let question = Question::Resolve { tree, path };
        match self.ask(&question)? {
            Ok(Answer::Path(path)) => Ok(Ok(path)),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

fn parsed(path: &str) -> Result<TreePath, wit::Refusal> {
    TreePath::parse(path).map_err(|error| wit::Refusal::Invalid(error.to_string()))
}

fn too_long(what: &str, text: &str) -> wit::Refusal {
    wit::Refusal::Invalid(format!(
        "the {what} has {} bytes, over the limit of {LONGEST}",
        text.len()
    ))
}

impl From<Entry> for WitEntry {
    fn from(entry: Entry) -> Self {
        let (kind, size) = match entry.kind {
            EntryKind::File | EntryKind::Executable => (WitKind::File, entry.size),
            EntryKind::Directory => (WitKind::Directory, 0),
            EntryKind::Link => (WitKind::Link, 0),
            EntryKind::Submodule => (WitKind::Submodule, 0),
        };
        Self {
            name: entry.name,
            kind,
            size,
        }
    }
}
