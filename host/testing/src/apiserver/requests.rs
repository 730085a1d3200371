//! What was asked of the API server, from its own audit log.
//!
//! The server writes a line before it handles a request and another when the answer is complete, both synchronously. So
//! whoever has an answer finds at least the first line, and [`Requests::read`] waits for the second. Nothing
//! sits between client and server, so that what is counted is what a real cluster would see.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::Namespace;

/// Everything is logged, without bodies.
pub(super) const POLICY: &str =
    r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata"}]}"#;

/// How long an answer's line may come after the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A mark in the audit log; what comes after it is counted.
#[derive(Clone, Debug)]
pub struct Requests {
    log: PathBuf,
    start: u64,
}

/// One request that the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// `deployments`, or with the subresource `deployments/status`.
    pub resource: String,
    pub namespace: String,
    /// Empty for lists, watches and for what is created by POST.
    pub name: String,
    pub dry_run: bool,
    pub user_agent: String,
    pub user: String,
    /// The HTTP status.
    pub code: u16,
    /// Path and query.
    pub uri: String,
}

impl Request {
    /// Whether it changes something, if it succeeds.
    pub fn write(&self) -> bool {
        !self.dry_run && !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

impl Requests {
    pub(super) fn from_now(log: PathBuf) -> Self {
        let start = std::fs::metadata(&log).map(|meta| meta.len()).unwrap_or(0);
        Self { log, start }
    }

    /// The requests since the mark, in the order in which they came in. Watches that are still open count as well, with
    /// code 0.
    pub fn read(&self) -> Result<Vec<Request>> {
        let start = Instant::now();
        loop {
            let (requests, open) = self.read_now()?;
            if open.is_empty() {
                return Ok(requests);
            }
            if start.elapsed() > PATIENCE {
                bail!(
                    "requests without an answer in the audit log: {}",
                    open.join(", ")
                );
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The requests since the mark that wrote in a namespace, or tried to.
    pub fn writes(&self, space: &Namespace) -> Result<Vec<Request>> {
        let mut requests = self.read()?;
        requests.retain(|request| request.write() && request.namespace == space.name());
        Ok(requests)
    }

    /// How many requests of each verb and resource there were since the mark, as `patch configmaps`; dry runs as
    /// `patch configmaps (dry run)`.
    pub fn counts(&self, counted: impl Fn(&Request) -> bool) -> Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        for request in self.read()?.iter().filter(|request| counted(request)) {
            let dry = if request.dry_run { " (dry run)" } else { "" };
            *counts
                .entry(format!("{} {}{dry}", request.verb, request.resource))
                .or_default() += 1;
        }
        Ok(counts)
    }

    /// The requests, and those without an answer that should have one.
    fn read_now(&self) -> Result<(Vec<Request>, Vec<String>)> {
        let mut file =
            File::open(&self.log).with_context(|| format!("opening {}", self.log.display()))?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .context("reading the audit log")?;
        let mut requests: Vec<Request> = Vec::new();
        let mut open: BTreeMap<String, usize> = BTreeMap::new();
        // The last line can be half written.
        for line in text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let event: Event =
                serde_json::from_str(line).with_context(|| format!("audit line {line:?}"))?;
            match event.stage.as_str() {
                "RequestReceived" => {
                    open.insert(event.audit_id.clone(), requests.len());
                    requests.push(event.into_request());
                }
                "ResponseComplete" | "Panic" => {
                    // An answer to a request from before the mark is not ours.
                    if let Some(index) = open.remove(&event.audit_id) {
                        requests[index].code = event.response_status.unwrap_or_default().code;
                    }
                }
                _ => {}
            }
        }
        let waiting = open
            .into_values()
            .filter(|index| requests[*index].verb != "watch");
        let waiting = waiting.map(|index| requests[index].uri.clone()).collect();
        Ok((requests, waiting))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    #[serde(rename = "auditID")]
    audit_id: String,
    #[serde(rename = "requestURI")]
    uri: String,
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
struct ObjectRef {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    subresource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

impl Event {
    fn into_request(self) -> Request {
        let object = self.object_ref.unwrap_or_default();
        let query = self.uri.split_once('?').map_or("", |(_, query)| query);
        let dry_run = query
            .split('&')
            .any(|pair| pair.starts_with("dryRun=") && pair != "dryRun=");
        let slash = if object.subresource.is_empty() {
            ""
        } else {
            "/"
        };
        Request {
            verb: self.verb,
            resource: format!("{}{slash}{}", object.resource, object.subresource),
            namespace: object.namespace,
            name: object.name,
            dry_run,
            user_agent: self.user_agent,
            user: self.user.username,
            code: 0,
            uri: self.uri,
        }
    }
}
