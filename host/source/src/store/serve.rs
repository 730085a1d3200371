//! Artifacts over HTTP, at the paths that Flux serves them at.
//!
//! `GET` and `HEAD` of `/KIND/NAMESPACE/NAME/FILE`, nothing else: enough for whoever reads `status.artifact.url`. The content
//! of an artifact is no secret to who can reach the endpoint, as with Flux; a network policy decides who can.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Artifact, Store, StoreError};

/// Connections at once; more wait.
const MAX_CONNECTIONS: usize = 128;
/// The most bytes of a request.
const MAX_REQUEST: u64 = 16 << 10;
/// For a request to come in, and for an answer to go out.
const LIMIT: Duration = Duration::from_secs(60);

/// Answers until stopped.
pub async fn serve(store: Arc<Store>, listener: TcpListener, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, for example.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (store, stop) = (store.clone(), stop.clone());
        tokio::spawn(async move {
            let _permit = permit;
            tokio::select! {
                // Whoever breaks off has reasons of their own.
                _ = tokio::time::timeout(LIMIT, answer(store, stream)) => {}
                () = stop.cancelled() => {}
            }
        });
    }
}

/// One request on one connection.
async fn answer(store: Arc<Store>, mut stream: TcpStream) -> std::io::Result<()> {
    let (reader, mut writer) = stream.split();
    let Some((method, path)) = request(reader).await? else {
        return reply(&mut writer, "400 Bad Request", None, &[]).await;
    };
    if method != "GET" && method != "HEAD" {
        return reply(&mut writer, "405 Method Not Allowed", None, &[]).await;
    }
    // The probe of Flux's controllers.
    if path == "/" {
        return reply(&mut writer, "200 OK", None, &[]).await;
    }
    let found = tokio::task::spawn_blocking(move || find(&store, &path)).await;
    let (artifact, content) = match found {
        Ok(Ok(Some(found))) => found,
        Ok(Ok(None)) => return reply(&mut writer, "404 Not Found", None, &[]).await,
        Ok(Err(_)) | Err(_) => {
            return reply(&mut writer, "500 Internal Server Error", None, &[]).await;
        }
    };
    let body = if method == "HEAD" { &[][..] } else { &content };
    reply(&mut writer, "200 OK", Some(&artifact), body).await
}

fn find(store: &Store, path: &str) -> Result<Option<(Artifact, bytes::Bytes)>, StoreError> {
    store.find(path.trim_start_matches('/'))
}

/// Method and path.
async fn request(reader: impl AsyncRead + Unpin) -> std::io::Result<Option<(String, String)>> {
    let mut lines = BufReader::new(reader.take(MAX_REQUEST)).lines();
    let Some(first) = lines.next_line().await? else {
        return Ok(None);
    };
    loop {
        match lines.next_line().await? {
            Some(line) if line.is_empty() => break,
            Some(_) => {}
            None => return Ok(None),
        }
    }
    let mut parts = first.split(' ');
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    if !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return Ok(None);
    }
    let path = target.split('?').next().unwrap_or_default();
    // Of what artifacts are called, only `:` and `+` are escaped by some clients.
    let path = path
        .replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%2B", "+")
        .replace("%2b", "+");
    Ok(Some((method.to_owned(), path)))
}

async fn reply(
    writer: &mut (impl AsyncWriteExt + Unpin),
    status: &str,
    artifact: Option<&Artifact>,
    body: &[u8],
) -> std::io::Result<()> {
    let (length, kind, tag) = match artifact {
        Some(artifact) => (
            artifact.size,
            "application/octet-stream",
            format!("ETag: \"{}\"\r\n", artifact.digest),
        ),
        None => (0, "text/plain", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{tag}Connection: close\r\n\r\n"
    );
    writer.write_all(head.as_bytes()).await?;
    writer.write_all(body).await?;
    writer.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(address: std::net::SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn artifacts_stand_at_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path(), 1 << 20).unwrap());
        store
            .publish("helmchart/a/web", "web-1.0.0+1.tgz", "1.0.0+1", b"chart")
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(store, listener, stop.clone()));
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = ask(address, &get("/helmchart/a/web/web-1.0.0%2B1.tgz")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nchart"), "{answer}");
        for (text, status) in [
            (get("/helmchart/a/web/x.tgz"), "404"),
            (get("/../../etc/passwd"), "404"),
            (get("/"), "200"),
            ("POST / HTTP/1.1\r\n\r\n".to_owned(), "405"),
            ("nonsense\r\n\r\n".to_owned(), "400"),
        ] {
            let answer = ask(address, &text).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
        }
        stop.cancel();
        task.await.unwrap();
    }
}
