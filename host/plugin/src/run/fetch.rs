//! The interface `fetch`.

use weir_tree::Digest;

use super::{Answered, State, refused, unexpected};
use crate::guest::weir::plugin::fetch::{Host, Request, Response};
use crate::guest::weir::plugin::types as wit;
use crate::{Answer, Question};

const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
/// The most headers, and the longest of them.
const MOST_HEADERS: usize = 64;
const LONGEST_HEADER: usize = 8 << 10;

impl Host for State {
    fn send(&mut self, what: Request) -> Answered<Response> {
        self.enter()?;
        if let Err(text) = check(&what) {
            return Ok(Err(wit::Refusal::Invalid(text)));
        }
        if let Err(refusal) = self.grants.check_url(&what.url) {
            return Ok(Err(refused(refusal)));
        }
        self.count_written(what.body.as_ref().map_or(0, Vec::len))?;
        let Request {
            method,
            url,
            headers,
            body,
            digest,
        } = what;
        let question = Question::Fetch {
            method,
            url,
            headers,
            body,
            digest,
        };
        match self.ask(&question)? {
            Ok(Answer::Response {
                status,
                headers,
                body,
            }) => Ok(Ok(Response {
                status,
                headers,
                body: body.into(),
            })),
            Ok(_) => Err(unexpected(&question)),
            Err(refusal) => Ok(Err(refused(refusal))),
        }
    }
}

fn check(request: &Request) -> Result<(), String> {
    if !METHODS.contains(&request.method.as_str()) {
        return Err(format!("the method must be one of {}", METHODS.join(", ")));
    }
    if !request.url.starts_with("https://") && !request.url.starts_with("http://") {
        return Err("the URL must begin with https:// or http://".to_owned());
    }
    if let Some(digest) = &request.digest {
        digest
            .parse::<Digest>()
            .map_err(|error| error.to_string())?;
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let fits = |(name, value): &(String, String)| {
        !name.is_empty()
            && name.len() + value.len() <= LONGEST_HEADER
            && name.chars().all(token)
            && !value.contains(['\r', '\n', '\0'])
    };
    if request.headers.len() > MOST_HEADERS || !request.headers.iter().all(fits) {
        return Err("the headers are not valid, too many or too long".to_owned());
    }
    Ok(())
}
