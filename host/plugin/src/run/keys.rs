//! The interface `keys`.

use super::{Answered, State, refused, unexpected};
use crate::guest::weir::plugin::keys::Host;
use crate::guest::weir::plugin::types as wit;
use crate::{Answer, Question};

/// Wrapped keys are some hundred bytes long; a PGP message is the longest of them.
const LONGEST_WRAPPED: usize = 64 << 10;
/// The most fields of one key, and the longest of them.
const MOST_FIELDS: usize = 64;
const LONGEST_FIELD: usize = 8 << 10;

impl Host for State {
    fn unwrap(
        &mut self,
        scheme: String,
        key: Vec<(String, String)>,
        wrapped: Vec<u8>,
    ) -> Answered<Vec<u8>> {
        self.enter()?;
        if let Err(refusal) = self.grants.check_key(&scheme) {
            return Ok(Err(refused(refusal)));
        }
        let long = key
            .iter()
            .any(|(name, value)| name.len() > LONGEST_FIELD || value.len() > LONGEST_FIELD);
        if wrapped.len() > LONGEST_WRAPPED || key.len() > MOST_FIELDS || long {
            return Ok(Err(wit::Refusal::Invalid(
                "the wrapped key or one of its fields is too long".to_owned(),
            )));
        }
        let question = Question::Unwrap {
            scheme,
            key,
            wrapped,
        };
        match self.ask(&question)? {
            Ok(Answer::Bytes(bytes)) => {
                // Whatever the environment says, a data key is a secret.
                self.secret = true;
                self.secrets.learn(&bytes);
                Ok(Ok(bytes.into()))
            }
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }
}
