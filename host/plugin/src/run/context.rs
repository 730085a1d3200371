//! The interface `context`.

use super::{State, Trapped, unexpected};
use crate::guest::weir::plugin::context::Host;
use crate::run::Ended;
use crate::{Answer, Question, Refusal};

/// The longest name of a fact, an API, a purpose or a place.
const LONGEST_NAME: usize = 4096;
/// The most random bytes of one call.
const MOST_RANDOM: u32 = 64 << 10;

impl Host for State {
    fn time(&mut self) -> Trapped<u64> {
        self.enter()?;
        match self.always(&Question::Time)? {
            Some(Answer::Number(seconds)) => Ok(seconds),
            _ => Err(unexpected(&Question::Time)),
        }
    }

    fn random(&mut self, purpose: String, place: String, length: u32) -> Trapped<Vec<u8>> {
        self.enter()?;
        if length > MOST_RANDOM {
            return Err(Ended::Misuse(format!(
                "it asked for {length} random bytes, {MOST_RANDOM} is the most"
            ))
            .into());
        }
        check_name(&purpose)?;
        check_name(&place)?;
        // One entry for each file that asks; it ends with the call.
        if !self.random.contains_key(&place) {
            self.count_read(place.len())?;
        }
        let count = self.random.entry(place.clone()).or_default();
        let nth = *count;
        *count += 1;
        let question = Question::Random {
            purpose,
            place,
            nth,
            length,
        };
        match self.always(&question)? {
            Some(Answer::Bytes(bytes)) if bytes.len() == length as usize => Ok(bytes.into()),
            _ => Err(unexpected(&question)),
        }
    }

    fn kube_version(&mut self) -> Trapped<String> {
        self.enter()?;
        match self.always(&Question::KubeVersion)? {
            Some(Answer::Text(version)) => Ok(version),
            _ => Err(unexpected(&Question::KubeVersion)),
        }
    }

    fn has_api(&mut self, what: String) -> Trapped<bool> {
        self.enter()?;
        check_name(&what)?;
        let question = Question::HasApi { what };
        match self.always(&question)? {
            Some(Answer::Flag(served)) => Ok(served),
            _ => Err(unexpected(&question)),
        }
    }

    fn api_versions(&mut self) -> Trapped<Vec<String>> {
        self.enter()?;
        match self.always(&Question::ApiVersions)? {
            Some(Answer::Texts(versions)) => Ok(versions),
            _ => Err(unexpected(&Question::ApiVersions)),
        }
    }

    fn fact(&mut self, name: String) -> Trapped<Option<String>> {
        self.enter()?;
        check_name(&name)?;
        let question = Question::Fact { name };
        match self.always(&question)? {
            Some(Answer::Text(value)) => Ok(Some(value)),
            None => Ok(None),
            Some(_) => Err(unexpected(&question)),
        }
    }
}

impl State {
    /// Puts a question that cannot be refused. `None`: there is no answer, which only facts may have.
    fn always(&mut self, question: &Question) -> Trapped<Option<Answer>> {
        match self.ask(question)? {
            Ok(answer) => Ok(Some(answer)),
            Err(Refusal::Absent) => Ok(None),
            Err(refusal) => Err(Ended::Misuse(format!("the host cannot tell: {refusal}")).into()),
        }
    }
}

fn check_name(name: &str) -> Result<(), Ended> {
    if name.len() > LONGEST_NAME {
        return Err(Ended::Misuse(format!(
            "it asked with a name of {} bytes, {LONGEST_NAME} is the most",
            name.len()
        )));
    }
    Ok(())
}
