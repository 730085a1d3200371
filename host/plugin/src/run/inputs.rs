//! The interface `inputs`.

use super::{Answered, State, refused, unexpected};
use crate::guest::weir::plugin::inputs::Host;
use crate::{Answer, Question};

impl Host for State {
    fn value(&mut self, name: String) -> Answered<Vec<u8>> {
        self.enter()?;
        if let Err(refusal) = self.grants.check_value(&name) {
            return Ok(Err(refused(refusal)));
        }
        let question = Question::Value { name };
        match self.ask(&question)? {
            Ok(Answer::Bytes(bytes)) => Ok(Ok(bytes.into())),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }
}
