//! One call while it runs: what the guest may still use, and the door through which its questions go.
//!
//! Each file in `run/` answers one interface of the contract. All of them begin with [`State::enter`], which counts the
//! call, and whatever the answer depends on goes through [`State::ask`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use scoped_tls_hkt::scoped_thread_local;
use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

use crate::ask::Budget;
use crate::document::set::{Access, DocumentSet, EditError};
use crate::grant::FileGrants;
use crate::guest::weir::plugin::types as wit;
use crate::mask::Secrets;
use crate::{
    Answer, Call, Diagnostic, Environment, Given, Grants, Kind, Limits, LogLine, Question, Refusal,
    Role, TreeId, Usage,
};

mod context;
mod delegate;
mod documents;
mod fetch;
mod inputs;
mod keys;
mod objects;
mod report;
mod trees;
pub(crate) mod wasi;

/// The longest config that a guest hands over.
const LONGEST_CONFIG: usize = 4 << 20;

scoped_thread_local!(
    /// The environment of the call that this thread runs. The engine wants what a call's state holds to live for ever,
    /// which a borrowed environment does not.
    pub(crate) static mut ENVIRONMENT: for<'a> &'a mut (dyn Environment + 'a)
);

/// A handle on a document; its number is the one in the [`DocumentSet`].
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug)]
pub struct DocumentHandle;

/// A handle on a tree; its number is the place in `State::trees`.
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
#[derive(Debug)]
pub struct TreeHandle;

/// Why a call ends before the guest is done, other than by a crash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Ended {
    /// Which limit, what was wanted, and the limit.
    #[error("{0}")]
    Limit(String),
    #[error("the call was cancelled")]
    Cancelled,
    /// The guest did what the contract does not allow.
    #[error("{0}")]
    Misuse(String),
}

pub(crate) type Trapped<T> = wasmtime::Result<T>;
type Answered<T> = wasmtime::Result<Result<T, wit::Refusal>>;

/// Says whether a call may go on. Asked when the guest calls the host, after every question, and after each
/// [`crate::slice`] of its own computing.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    cancel: CancellationToken,
    deadline: Instant,
    time_ms: u64,
}

impl Watch {
    pub(crate) fn check(&self) -> Result<(), Ended> {
        if self.cancel.is_cancelled() {
            return Err(Ended::Cancelled);
        }
        if Instant::now() >= self.deadline {
            return Err(Ended::Limit(format!(
                "it ran longer than {} ms (timeMs)",
                self.time_ms
            )));
        }
        Ok(())
    }
}

/// All that belongs to one call.
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) usage: Usage,
    pub(crate) documents: DocumentSet,
    pub(crate) attachments: Vec<(String, Bytes)>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) progress: String,
    /// What the guest printed, the newest last.
    pub(crate) printed: VecDeque<u8>,
    /// Whether the guest was given secret bytes.
    pub(crate) secret: bool,
    pub(crate) secrets: Arc<Secrets>,
    grants: Arc<Grants>,
    files: FileGrants,
    trees: Vec<TreeId>,
    /// How many random values each place asked for.
    random: HashMap<String, u32>,
    handles: u64,
    log_bytes: u64,
    depth: u32,
    /// Whether this is a preparer.
    prepares: bool,
    watch: Watch,
    started: Instant,
    host_time: Duration,
    wasi: wasi::Constants,
    tables: u64,
    memory: u64,
}

impl State {
    pub(crate) fn new(call: Call) -> (Self, Kind) {
        let limits = call.limits.capped();
        let started = Instant::now();
        let read_only = match &call.kind {
            Kind::Object(Role::Validator) | Kind::Filter { .. } | Kind::Preparer => true,
            Kind::Object(Role::Generator | Role::Transformer) => false,
        };
        let access = Access {
            read_only,
            secrets: call.grants.shows_secrets(),
        };
        let state = Self {
            usage: Usage::default(),
            documents: DocumentSet::new(call.documents, access),
            attachments: Vec::new(),
            diagnostics: Vec::new(),
            logs: Vec::new(),
            progress: String::new(),
            printed: VecDeque::new(),
            secret: false,
            secrets: call.secrets,
            files: FileGrants::new(&call.grants),
            grants: call.grants,
            trees: Vec::new(),
            random: HashMap::new(),
            handles: 0,
            log_bytes: 0,
            depth: call.depth,
            prepares: matches!(call.kind, Kind::Preparer),
            watch: Watch {
                cancel: call.cancel,
                deadline: started + Duration::from_millis(limits.time_ms),
                time_ms: limits.time_ms,
            },
            started,
            host_time: Duration::ZERO,
            wasi: wasi::Constants::default(),
            tables: 0,
            memory: 0,
            limits,
        };
        (state, call.kind)
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn host_time(&self) -> Duration {
        self.host_time
    }

    /// Begins every host call.
    fn enter(&mut self) -> Trapped<()> {
        self.usage.host_calls += 1;
        if self.usage.host_calls > self.limits.host_calls {
            let text = format!(
                "it called the host more than {} times (hostCalls)",
                self.limits.host_calls
            );
            return Err(Ended::Limit(text).into());
        }
        Ok(self.watch.check()?)
    }

    /// Puts a question to the environment. Grants have been checked.
    fn ask(&mut self, question: &Question) -> Trapped<Result<Answer, Refusal>> {
        if self.prepares && question.tree() != Some(&TreeId::main()) {
            let text = "a preparer sees nothing but its tree".to_owned();
            return Ok(Err(Refusal::Denied(text)));
        }
        let left = Duration::from_millis(self.limits.host_time_ms).saturating_sub(self.host_time);
        let started = Instant::now();
        let budget = Budget {
            bytes: self.limits.read_bytes.saturating_sub(self.usage.read_bytes),
            deadline: self.watch.deadline.min(started + left),
            depth: self.limits.depth.saturating_sub(self.depth),
        };
        let given = ENVIRONMENT.with(|environment| environment.ask(question, &budget));
        // A preparer does the step's own work.
        if !matches!(question, Question::Prepared { .. }) {
            self.host_time += started.elapsed();
        }
        self.watch.check()?;
        if self.host_time > Duration::from_millis(self.limits.host_time_ms) {
            let text = format!(
                "its questions took longer than {} ms (hostTimeMs)",
                self.limits.host_time_ms
            );
            return Err(Ended::Limit(text).into());
        }
        match given {
            Ok(given) => self.accept(given).map(Ok),
            Err(Refusal::Exhausted(text)) => Err(Ended::Limit(text).into()),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    fn accept(&mut self, Given { answer, secret }: Given) -> Trapped<Answer> {
        self.count_read(size(&answer))?;
        if secret {
            self.secret = true;
            learn(&self.secrets, &answer);
        }
        Ok(answer)
    }

    fn count_read(&mut self, bytes: usize) -> Trapped<()> {
        self.usage.read_bytes += bytes as u64;
        if self.usage.read_bytes > self.limits.read_bytes {
            return Err(Ended::Limit(format!(
                "it read more than {} bytes (readBytes)",
                self.limits.read_bytes
            ))
            .into());
        }
        Ok(())
    }

    fn count_written(&mut self, bytes: usize) -> Trapped<()> {
        self.usage.output_bytes += bytes as u64;
        if self.usage.output_bytes > self.limits.output_bytes {
            let text = format!(
                "it wrote more than {} bytes (outputBytes)",
                self.limits.output_bytes
            );
            return Err(Ended::Limit(text).into());
        }
        Ok(())
    }

    fn count_text(&mut self, bytes: usize) -> Trapped<()> {
        self.log_bytes += bytes as u64;
        if self.log_bytes > self.limits.log_bytes {
            let text = format!(
                "its findings and log lines have more than {} bytes (logBytes)",
                self.limits.log_bytes
            );
            return Err(Ended::Limit(text).into());
        }
        Ok(())
    }

    fn count_handles(&mut self, more: usize) -> Trapped<()> {
        self.handles += more as u64;
        if self.handles > self.limits.handles {
            let text = format!(
                "it holds more than {} handles at once (handles)",
                self.limits.handles
            );
            return Err(Ended::Limit(text).into());
        }
        Ok(())
    }

    fn release_handle(&mut self) {
        self.handles = self.handles.saturating_sub(1);
    }

    /// An edit that was not made, as a refusal or, where a limit was reached, as the end of the call.
    fn edited<T>(&self, result: Result<T, EditError>) -> Answered<T> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(error @ (EditError::ReadOnly | EditError::Misplaced(_))) => {
                Ok(Err(wit::Refusal::Denied(error.to_string())))
            }
            Err(error @ (EditError::Document(_) | EditError::Patch(_))) => {
                Ok(Err(wit::Refusal::Invalid(error.to_string())))
            }
            Err(EditError::Removed) => {
                Err(Ended::Misuse("it used an object after it had removed it".to_owned()).into())
            }
            Err(error @ EditError::TooLarge { .. }) => {
                Err(Ended::Limit(format!("{error} (objectBytes)")).into())
            }
        }
    }
}

impl wit::Host for State {}

/// Everything that answers of the environment can say no with; limits never get here.
fn refused(refusal: Refusal) -> wit::Refusal {
    match refusal {
        Refusal::Denied(text) => wit::Refusal::Denied(text),
        Refusal::Absent => wit::Refusal::Absent,
        Refusal::Unavailable(text) => wit::Refusal::Unavailable(text),
        Refusal::Invalid(text) | Refusal::Failed(text) | Refusal::Exhausted(text) => {
            wit::Refusal::Invalid(text)
        }
    }
}

/// The environment gave an answer of another kind than the question asks for, which is an error of the host.
fn unexpected(question: &Question) -> wasmtime::Error {
    let shown: String = format!("{question:?}").chars().take(200).collect();
    Ended::Misuse(format!("the host has no fitting answer to {shown}")).into()
}

fn size(answer: &Answer) -> usize {
    const ENTRY: usize = 32;
    match answer {
        Answer::Bytes(bytes) => bytes.len(),
        Answer::Text(text) => text.len(),
        Answer::Texts(texts) => texts.iter().map(String::len).sum(),
        Answer::Number(_) | Answer::Flag(_) => 8,
        Answer::Tree(id) => id.0.len(),
        Answer::Entry(entry) => entry.name.len() + ENTRY,
        Answer::Entries(entries) => entries.iter().map(|entry| entry.name.len() + ENTRY).sum(),
        Answer::Path(path) => path.as_str().len(),
        Answer::Paths(paths) => paths.iter().map(|path| path.as_str().len()).sum(),
        Answer::Response { headers, body, .. } => {
            body.len()
                + headers
                    .iter()
                    .map(|(name, value)| name.len() + value.len())
                    .sum::<usize>()
        }
    }
}

fn learn(secrets: &Secrets, answer: &Answer) {
    match answer {
        Answer::Bytes(bytes) | Answer::Response { body: bytes, .. } => secrets.learn(bytes),
        Answer::Text(text) => secrets.learn(text.as_bytes()),
        Answer::Texts(texts) => texts.iter().for_each(|text| secrets.learn(text.as_bytes())),
        // Names and numbers hold no secret values.
        Answer::Number(_)
        | Answer::Flag(_)
        | Answer::Tree(_)
        | Answer::Entry(_)
        | Answer::Entries(_) => {}
        Answer::Path(_) | Answer::Paths(_) => {}
    }
}

impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Trapped<bool> {
        self.memory += (desired - current) as u64;
        if self.memory > self.limits.memory_bytes {
            let text = format!(
                "it wanted {} bytes of memory, more than {} (memoryBytes)",
                self.memory, self.limits.memory_bytes
            );
            return Err(Ended::Limit(text).into());
        }
        self.usage.memory_bytes = self.memory;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Trapped<bool> {
        self.tables += (desired - current) as u64;
        if self.tables > self.limits.table_elements {
            let text = format!(
                "it wanted tables with {} elements, more than {} (tableElements)",
                self.tables, self.limits.table_elements
            );
            return Err(Ended::Limit(text).into());
        }
        Ok(true)
    }
}
