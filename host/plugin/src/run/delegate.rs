//! The interface `delegate`.

use wasmtime::component::Resource;

use super::{Ended, LONGEST_CONFIG, State, Trapped, TreeHandle, refused, unexpected};
use crate::document::set::EditError;
use crate::guest::weir::plugin::delegate::{Failure, Host, Role as WitRole};
use crate::guest::weir::plugin::types as wit;
use crate::{Answer, Document, Question, Refusal, Role};

/// The most trees that can be passed on.
const MOST_TREES: usize = 64;

impl Host for State {
    fn run(
        &mut self,
        name: String,
        role: WitRole,
        config: String,
        documents: Vec<String>,
        trees: Vec<(String, Resource<TreeHandle>)>,
    ) -> Trapped<Result<Vec<String>, Failure>> {
        self.enter()?;
        if let Err(refusal) = self.grants.check_plugin(&name) {
            return Ok(Err(Failure::Refused(refused(refusal))));
        }
        if self.depth >= self.limits.depth {
            return Err(Ended::Limit(format!(
                "plugins call plugins more than {} deep (depth)",
                self.limits.depth
            ))
            .into());
        }
        let question = match self.question(name, role, config, documents, trees)? {
            Ok(question) => question,
            Err(refusal) => return Ok(Err(Failure::Refused(refusal))),
        };
        match self.ask(&question)? {
            Ok(Answer::Texts(texts)) => {
                let made: Result<Vec<_>, _> =
                    texts.iter().map(|text| Document::parse(text)).collect();
                let made = made.map_err(|_| unexpected(&question))?;
                Ok(Ok(made
                    .iter()
                    .map(|document| self.documents.detach(document))
                    .collect()))
            }
            Ok(_) => Err(unexpected(&question)),
            Err(Refusal::Failed(text)) => Ok(Err(Failure::Failed(text))),
            Err(refusal) => Ok(Err(Failure::Refused(refused(refusal)))),
        }
    }
}

impl State {
    fn question(
        &mut self,
        name: String,
        role: WitRole,
        config: String,
        documents: Vec<String>,
        trees: Vec<(String, Resource<TreeHandle>)>,
    ) -> Trapped<Result<Question, wit::Refusal>> {
        if config.len() > LONGEST_CONFIG || trees.len() > MOST_TREES {
            let text = "the config is too long, or there are too many trees";
            return Ok(Err(wit::Refusal::Invalid(text.to_owned())));
        }
        if documents.len() as u64 > self.limits.objects {
            return Err(Ended::Limit(format!(
                "it passed on more than {} objects (objects)",
                self.limits.objects
            ))
            .into());
        }
        self.count_written(documents.iter().map(String::len).sum())?;
        let passed = self
            .documents
            .check_unmarked(config.as_bytes())
            .and_then(|()| {
                documents
                    .iter()
                    .map(|text| self.passed_on(text))
                    .collect::<Result<Vec<_>, _>>()
            });
        let documents = match self.edited(passed)? {
            Ok(documents) => documents,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let trees = trees
            .into_iter()
            .map(|(name, tree)| Ok((name, self.tree_id(&tree)?)))
            .collect::<Trapped<Vec<_>>>()?;
        let role = match role {
            WitRole::Generator => Role::Generator,
            WitRole::Transformer => Role::Transformer,
            WitRole::Validator => Role::Validator,
        };
        Ok(Ok(Question::Delegate {
            name,
            role,
            config,
            documents,
            trees,
        }))
    }

    /// A document for another plugin, with its values: what that one may see of them is up to its own grants.
    fn passed_on(&self, text: &str) -> Result<String, EditError> {
        let document = self.documents.unsealed_for_others(Document::parse(text)?)?;
        Ok(document.body().to_owned())
    }
}
