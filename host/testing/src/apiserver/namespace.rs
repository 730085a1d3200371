//! A namespace for one test.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use http::Request as HttpRequest;
use serde_json::{Value, json};

use super::{ApiServer, on_own_runtime};
use crate::objects;

/// A namespace of its own on the shared server. It is not deleted: the server goes with the test binary. If it is
/// dropped while a test panics, what is in it is shown.
#[derive(Debug)]
pub struct Namespace {
    server: &'static ApiServer,
    name: String,
}

impl Namespace {
    pub(super) async fn make(server: &'static ApiServer, prefix: &str) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let request = HttpRequest::post("/api/v1/namespaces")
            .header("content-type", "application/json")
            .body(serde_json::to_vec(&namespace)?)?;
        server
            .client()?
            .request_text(request)
            .await
            .with_context(|| format!("making namespace {name}"))?;
        Ok(Self { server, name })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub fn server(&self) -> &'static ApiServer {
        self.server
    }

    /// Every object in it as JSON, without managed fields and without the data of Secrets.
    pub async fn dump(&self) -> Result<Vec<Value>> {
        let found = objects::in_namespace(&self.server.client()?, &self.name).await?;
        let shown = found.into_iter().map(|found| {
            let mut object = found.object;
            object["metadata"]["managedFields"] = Value::Null;
            if object["kind"] == "Secret" {
                object["data"] = Value::Null;
            }
            object
        });
        Ok(shown.collect())
    }
}

impl Drop for Namespace {
    #[expect(clippy::print_stderr, reason = "shown with the failed test")]
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        match on_own_runtime(|| self.dump()) {
            Ok(objects) => {
                eprintln!("---- {} objects in namespace {}", objects.len(), self.name);
                for object in objects {
                    eprintln!("{object:#}");
                }
            }
            Err(error) => eprintln!(
                "---- no dump of namespace {}: {error:#}\n{}",
                self.name,
                self.server.log_end()
            ),
        }
    }
}
