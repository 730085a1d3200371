//! Who this process is at Amazon, Google and Microsoft: logins from what a Secret says, or from where their own tools look.
//!
//! [`Cloud`] is made once for a process. What it is given for a login it keeps until shortly before it ends.

pub mod aws;
pub mod azure;
pub mod gcp;
pub mod git;
pub mod jwt;
pub mod registry;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::surroundings::{Surroundings, WebAnswer, WebRequest, beginning};
use crate::{Secret, UnwrapError};

/// Logins that are kept, of each kind.
const MOST_KEPT: usize = 1000;
/// A login is not used for the last bit of its life.
const MARGIN: Duration = Duration::from_secs(300);
/// As much of what a server says is told.
const LONGEST_COMPLAINT: usize = 300;

/// The surroundings, and the logins that are still good. Cheap to clone; clones share their logins.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub(crate) around: Arc<dyn Surroundings>,
    credentials: Arc<Kept<aws::Credentials>>,
    tokens: Arc<Kept<Secret>>,
    registries: Arc<Kept<registry::RegistryLogin>>,
}

/// Why there is no login, or why something was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CloudError {
    /// Nothing says who we are, or what says it is wrong.
    #[error("{0}")]
    Login(String),
    /// The server refuses.
    #[error("{0}")]
    Refused(String),
    /// The server did not answer, or has no time; it may later.
    #[error("{0}")]
    Unavailable(String),
}

impl CloudError {
    /// The same, after what was tried.
    pub(crate) fn while_trying(self, what: &str) -> Self {
        match self {
            Self::Login(text) => Self::Login(format!("{what}: {text}")),
            Self::Refused(text) => Self::Refused(format!("{what}: {text}")),
            Self::Unavailable(text) => Self::Unavailable(format!("{what}: {text}")),
        }
    }
}

impl From<CloudError> for UnwrapError {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Login(text) | CloudError::Refused(text) => Self::NoKey(text),
            CloudError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

impl Cloud {
    /// Nobody is logged in yet.
    pub fn new(around: impl Surroundings + 'static) -> Self {
        Self {
            around: Arc::new(around),
            credentials: Arc::default(),
            tokens: Arc::default(),
            registries: Arc::default(),
        }
    }

    /// The same logins, seen from somewhere else: through another proxy, or with other variables.
    #[must_use]
    pub fn seen_from(&self, around: impl Surroundings + 'static) -> Self {
        Self {
            around: Arc::new(around),
            ..self.clone()
        }
    }

    /// Since 1970.
    fn seconds(&self) -> u64 {
        let now = self.around.now().duration_since(UNIX_EPOCH);
        now.map_or(0, |since| since.as_secs())
    }

    /// Sends a request; the answer's body, if it says that all is well. `complaint` finds what an answer complains of.
    pub(crate) fn ask(
        &self,
        request: &WebRequest,
        complaint: fn(&WebAnswer) -> Option<String>,
    ) -> Result<WebAnswer, CloudError> {
        let sent = self.around.send(request);
        let answer = sent.map_err(|reason| {
            CloudError::Unavailable(format!("{}: {reason}", place(&request.url)))
        })?;
        checked(&request.url, answer, complaint)
    }
}

/// The answer, if it says that all is well.
pub(crate) fn checked(
    url: &str,
    answer: WebAnswer,
    complaint: fn(&WebAnswer) -> Option<String>,
) -> Result<WebAnswer, CloudError> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let said = complaint(&answer).unwrap_or_default();
    let said = beginning(&said, LONGEST_COMPLAINT);
    let colon = if said.is_empty() { "" } else { ": " };
    let text = format!(
        "{} answered with status {}{colon}{said}",
        place(url),
        answer.status
    );
    Err(match answer.status {
        429 | 500..=599 => CloudError::Unavailable(text),
        _ => CloudError::Refused(text),
    })
}

/// What a JSON answer says.
pub(crate) fn read<T: DeserializeOwned>(answer: &WebAnswer, what: &str) -> Result<T, CloudError> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| CloudError::Refused(format!("{what} is not what it should be")))
}

/// What tells a login from all others: what it shows, and a secret of which it shows nothing. Neither can be read from it.
fn login_name(login: &impl fmt::Debug, secret: &[u8]) -> String {
    let shown = format!("{login:?}");
    let digest = Sha256::new().chain_update(shown).chain_update(secret);
    hex::encode(digest.finalize())
}

/// A code and what is said about it, at the first of some places in a JSON answer that has one.
pub(crate) fn coded(answer: &WebAnswer, codes: &[&str], messages: &[&str]) -> Option<String> {
    let said: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let first = |pointers: &[&str]| {
        let texts = pointers
            .iter()
            .filter_map(|place| said.pointer(place)?.as_str());
        texts.map(str::to_owned).next()
    };
    let code = first(codes)?;
    // Some add lines about their own tracing.
    let message = first(messages).and_then(|text| text.lines().next().map(str::to_owned));
    Some(match message {
        Some(message) => format!("{code}: {message}"),
        None => code,
    })
}

/// What a YAML text says.
pub(crate) fn yaml<T: DeserializeOwned>(text: &str) -> Result<T, ()> {
    let value: serde_json::Value =
        weir_k8s_yaml::from_str(text, weir_k8s_yaml::Schema::Sigs).map_err(|_| ())?;
    // A sequence would be read as the fields in order.
    if !value.is_object() {
        return Err(());
    }
    serde_json::from_value(value).map_err(|_| ())
}

/// An address without its query, which can be secret.
fn place(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// Logins by whom they are for.
struct Kept<T>(Mutex<HashMap<String, (T, SystemTime)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(…)")
    }
}

impl<T: Clone> Kept<T> {
    /// The login that is kept, or a new one. One without an end is not kept.
    fn get(
        &self,
        name: &str,
        now: SystemTime,
        log_in: impl FnOnce() -> Result<(T, Option<SystemTime>), CloudError>,
    ) -> Result<T, CloudError> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((login, until)) = lock().get(name)
            && now + MARGIN < *until
        {
            return Ok(login.clone());
        }
        let (login, until) = log_in()?;
        if let Some(until) = until {
            let mut kept = lock();
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            kept.insert(name.to_owned(), (login.clone(), until));
        }
        Ok(login)
    }
}
