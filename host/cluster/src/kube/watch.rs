//! Watching over HTTP: a long answer with an event in each line.

use std::time::Duration;

use futures::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use futures::stream::{self, BoxStream, StreamExt as _};
use http::{HeaderValue, Method, header};
use kube::core::Status;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use weir_api::{ApiResource, Gvk, ObjectKey, ObjectName};

use super::PATIENCE;
use super::answer::{self, Asked};
use super::request::{self, Body, Call, CallError, Query};
use crate::{ClusterError, Detail, Selection, WatchEvent};

/// How long the server is asked to keep a watch open. Then the stream ends, and whoever watches goes on where it ended.
const OPEN: Duration = Duration::from_secs(290);
/// How much longer it may take until the end arrives; after that the connection is dead.
const GRACE: Duration = Duration::from_secs(20);
/// The longest line. The server's own limit for an object is far below.
const MAX_LINE: u64 = 64 << 20;

/// Starts a watch; events come from the stream.
pub(super) async fn start(
    client: &kube::Client,
    resource: &ApiResource,
    by: &Selection,
    since: &str,
    detail: Detail,
) -> Result<BoxStream<'static, Result<WatchEvent, ClusterError>>, ClusterError> {
    let key = ObjectKey::new(resource.gvk.clone(), by.namespace.as_str(), "");
    let asked = Asked {
        doing: "watch",
        key: &key,
    };
    let mut query = Query::default();
    query.set("watch", "true");
    query.set("allowWatchBookmarks", "true");
    query.set("resourceVersion", since);
    query.set("labelSelector", &by.labels);
    query.set("timeoutSeconds", &OPEN.as_secs().to_string());
    let accept = match detail {
        Detail::Whole => request::JSON,
        Detail::Metadata => request::METADATA,
    };
    let path = request::path(resource, &ObjectName::new(by.namespace.as_str(), ""), "");
    let call = Call {
        method: Method::GET,
        path,
        query,
        accept,
        body: Body::None,
    };
    let failed = |error: CallError| expired_since(answer::error(error, &asked), since);
    let mut request = request::request(call).map_err(failed)?;
    // Compressed event by event, which the decoder does not follow.
    request.headers_mut().insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    let late = || ClusterError::Unavailable {
        message: format!(
            "{asked}: the server did not answer within {} s",
            PATIENCE.as_secs()
        ),
    };
    let answer = tokio::time::timeout(PATIENCE, client.request_stream(request))
        .await
        .map_err(|_| late())?;
    let lines = Lines {
        answer: Box::pin(answer.map_err(|error| failed(error.into()))?),
        end: Instant::now() + OPEN + GRACE,
        gvk: resource.gvk.clone(),
        key: key.clone(),
        since: since.to_owned(),
        over: false,
    };
    Ok(stream::unfold(lines, |mut lines| async move {
        Some((lines.next().await?, lines))
    })
    .boxed())
}

/// The lines of a watch.
struct Lines<R> {
    answer: std::pin::Pin<Box<R>>,
    end: Instant,
    gvk: Gvk,
    key: ObjectKey,
    since: String,
    over: bool,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

impl<R: AsyncBufRead> Lines<R> {
    /// The next event; `None` at the end. An error ends the stream as well.
    async fn next(&mut self) -> Option<Result<WatchEvent, ClusterError>> {
        if self.over {
            return None;
        }
        let result = match timeout_at(self.end, self.line()).await {
            Ok(Ok(Some(line))) => self.event(&line),
            Ok(Ok(None)) => return None,
            Ok(Err(error)) => Err(self.broken(&error.to_string())),
            Err(_) => Err(self.broken("the connection is dead")),
        };
        self.over = result.is_err();
        Some(result)
    }

    /// The next line; `None` at the end, also where the server went away in the middle of a line.
    async fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.answer)
            .take(MAX_LINE)
            .read_until(b'\n', &mut line)
            .await;
        match read {
            Ok(_) if line.ends_with(b"\n") => Ok(Some(line)),
            Ok(_) if line.len() as u64 >= MAX_LINE => {
                Err(std::io::Error::other("an event is too large"))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn event(&mut self, line: &[u8]) -> Result<WatchEvent, ClusterError> {
        let Event { kind, object } =
            serde_json::from_slice(line).map_err(|error| self.broken(&error.to_string()))?;
        let version = || {
            object
                .pointer("/metadata/resourceVersion")
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        match kind.as_str() {
            "ADDED" | "MODIFIED" => {
                version().clone_into(&mut self.since);
                answer::object(object, &self.gvk).map(WatchEvent::Set)
            }
            "DELETED" => {
                version().clone_into(&mut self.since);
                answer::object(object, &self.gvk).map(WatchEvent::Deleted)
            }
            "BOOKMARK" => {
                version().clone_into(&mut self.since);
                Ok(WatchEvent::Bookmark(self.since.clone()))
            }
            "ERROR" => {
                let status: Status = serde_json::from_value(object)
                    .map_err(|error| self.broken(&error.to_string()))?;
                let asked = Asked {
                    doing: "watch",
                    key: &self.key,
                };
                Err(expired_since(answer::refusal(&status, &asked), &self.since))
            }
            other => Err(self.broken(&format!("an event of type {other:?}"))),
        }
    }

    fn broken(&self, what: &str) -> ClusterError {
        let asked = Asked {
            doing: "watch",
            key: &self.key,
        };
        ClusterError::Unavailable {
            message: format!("{asked}: {what}"),
        }
    }
}

/// An expired watch says from which version it was, however it was told.
fn expired_since(error: ClusterError, since: &str) -> ClusterError {
    if matches!(error, ClusterError::Expired(_)) {
        ClusterError::Expired(since.to_owned())
    } else {
        error
    }
}
