//! The interface `objects`.

use super::{Answered, State, refused, unexpected};
use crate::guest::weir::plugin::objects::Host;
use crate::guest::weir::plugin::types as wit;
use crate::{Answer, Question, Refusal};

/// The longest part of a question.
const LONGEST: usize = 4096;

impl Host for State {
    fn get(&mut self, what: wit::ObjectRef) -> Answered<String> {
        self.enter()?;
        let wit::ObjectRef {
            api_version,
            kind,
            namespace,
            name,
        } = what;
        let known = [&api_version, &kind, &name]
            .iter()
            .all(|part| !part.is_empty());
        if !known {
            return Ok(Err(wit::Refusal::Invalid(
                "a look-up needs apiVersion, kind and name".to_owned(),
            )));
        }
        if let Err(refusal) = self
            .grants
            .check_object(&api_version, &kind, &namespace, &name)
        {
            return Ok(Err(refused(refusal)));
        }
        self.looked_up(Question::Object {
            api_version,
            kind,
            namespace,
            name,
        })
    }

    fn query(
        &mut self,
        api_version: String,
        kind: String,
        namespace: String,
        labels: String,
    ) -> Answered<String> {
        self.enter()?;
        if api_version.is_empty() || kind.is_empty() {
            return Ok(Err(wit::Refusal::Invalid(
                "a look-up needs apiVersion and kind".to_owned(),
            )));
        }
        if let Err(refusal) = self
            .grants
            .check_object(&api_version, &kind, &namespace, "")
        {
            return Ok(Err(refused(refusal)));
        }
        self.looked_up(Question::Objects {
            api_version,
            kind,
            namespace,
            labels,
        })
    }
}

impl State {
    fn looked_up(&mut self, question: Question) -> Answered<String> {
        if let Err(refusal) = check_lengths(&question) {
            return Ok(Err(refused(refusal)));
        }
        match self.ask(&question)? {
            Ok(Answer::Text(text)) => Ok(Ok(text)),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }
}

fn check_lengths(question: &Question) -> Result<(), Refusal> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "called with these two alone"
    )]
    let parts = match question {
        Question::Object {
            api_version,
            kind,
            namespace,
            name,
        } => [api_version, kind, namespace, name],
        Question::Objects {
            api_version,
            kind,
            namespace,
            labels,
        } => [api_version, kind, namespace, labels],
        _ => return Ok(()),
    };
    match parts.into_iter().find(|part| part.len() > LONGEST) {
        Some(part) => Err(Refusal::Invalid(format!(
            "a name has {} bytes, over the limit of {LONGEST}",
            part.len()
        ))),
        None => Ok(()),
    }
}
