//! What servers hold that means harm, or that no file system takes: names that lead out of the tree, names that differ by
//! case only, files that are folders as well, and what never ends. OCI artifacts of that kind are compared with
//! source-controller in `beside`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use weir_testing::web::{WebAnswer, WebServer};

use crate::lab::{Lab, Place, condition};
use crate::sources::{MARK, SOURCE, text};

/// The kind of an entry, its name, its content or what it links to.
pub(crate) type TarEntry<'a> = (u8, &'a str, &'a str);

/// An archive of any entries.
pub(crate) fn tar(entries: &[TarEntry<'_>]) -> Result<Vec<u8>> {
    const BLOCK: usize = 512;
    const LINK: usize = 157;
    let mut bytes = Vec::new();
    for (kind, name, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        let is_link = matches!(kind, b'1' | b'2');
        if is_link {
            header.as_mut_bytes()[LINK..LINK + content.len()].copy_from_slice(content.as_bytes());
        }
        let content = if is_link { "" } else { content };
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::new(*kind));
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(content.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&bytes)?;
    Ok(packed.finish()?)
}

/// What the Ready condition says once the object was looked at, and whether there is an artifact.
async fn looked_at(lab: &Lab, kind: &str, name: &str) -> Result<(String, String, bool)> {
    let found = weir_testing::until(&format!("{kind} {name} to be looked at"), async || {
        let object = lab.get(SOURCE, kind, name).await?;
        Ok(object.filter(|object| {
            let status = condition(object, "Ready").0;
            status == "True" || status == "False"
        }))
    })
    .await?;
    let (status, _, message) = condition(&found, "Ready");
    let has_artifact = !text(&found, "/status/artifact/revision").is_empty();
    Ok((status, message, has_artifact))
}

async fn check_refused(lab: &Lab, kind: &str, name: &str, part: &str) -> Result<()> {
    let (status, message, has_artifact) = looked_at(lab, kind, name).await?;
    ensure!(
        status == "False" && !has_artifact && message.contains(part),
        "{kind} {name}: {status}, {message:?}, an artifact: {has_artifact}"
    );
    Ok(())
}

fn git(at: &Path, arguments: &[&str], input: &[u8]) -> Result<String> {
    let mut child = Command::new("git")
        .current_dir(at)
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("its input")?.write_all(input)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git {arguments:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_a_git_tree() -> Result<()> {
    let lab = Lab::new(Place::Local, "git-names").await?.unwrap();
    lab.repository.commit("main", &[("a.yaml", "a: 1\n")])?;
    let at = lab.repository.path();
    let blob = git(at, &["hash-object", "-w", "--stdin"], b"a: 1\n")?;
    let id: Vec<u8> = (0..blob.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16))
        .collect::<Result<_, _>>()?;
    let names = ["..", ".", ".git", "a/b", "../../etc/x", "a\\b", "a\nb"];
    for (number, name) in names.iter().enumerate() {
        let mut tree = format!("100644 {name}\0").into_bytes();
        tree.extend_from_slice(&id);
        let literal = ["hash-object", "-t", "tree", "--literally", "-w", "--stdin"];
        let tree = git(at, &literal, &tree)?;
        let commit = git(at, &["commit-tree", "-m", "harm", &tree], b"")?;
        let branch = format!("refs/heads/b{number}");
        git(at, &["update-ref", &branch, &commit], b"")?;
    }
    let running = lab.start().await?;
    for number in 0..names.len() {
        let spec = json!({"interval": "1h", "url": lab.git.url("fleet"), "ref": {"branch": format!("b{number}")}});
        lab.put("GitRepository", &format!("b{number}"), spec)
            .await?;
    }
    for (number, name) in names.iter().enumerate() {
        let object = format!("b{number}");
        if matches!(*name, ".git" | "a\\b" | "a\nb") {
            // Ignored as all of Git's own files are; the others are names like any other where weir keeps them.
            let (status, message, _) = looked_at(&lab, "GitRepository", &object).await?;
            ensure!(status == "True", "{name:?}: {message}");
        } else {
            let part = format!("holds a name that cannot be used: the path {name:?} has");
            check_refused(&lab, "GitRepository", &object, &part).await?;
        }
    }
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_a_bucket() -> Result<()> {
    let lab = Lab::new(Place::Local, "bucket-names").await?.unwrap();
    let server = WebServer::start(|request| {
        let path = request.path.split('?').next().unwrap_or_default();
        let keys: &[&str] = match path {
            "/above" => &["a.yaml", "../b.yaml"],
            "/inside" => &["a.yaml", "x/../../b.yaml"],
            "/absolute" => &["a.yaml", "/b.yaml"],
            "/doubled" => &["a.yaml", "x//b.yaml"],
            "/both" => &["a", "a/b.yaml"],
            "/cases" => &["A.yaml", "a.yaml", "X/a.yaml", "x/a.yaml"],
            _ if path.contains(".sourceignore") => return WebAnswer::status(404),
            _ => return WebAnswer::ok("a: 1\n"),
        };
        let list = keys
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key><ETag>\"1\"</ETag></Contents>"));
        WebAnswer::ok(format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>",
            list.collect::<String>()
        ))
    })?;
    lab.secret("keys", &[("accesskey", "ann"), ("secretkey", MARK)])
        .await?;
    let running = lab.start().await?;
    let names = ["above", "inside", "absolute", "doubled", "both", "cases"];
    for name in names {
        let spec = json!({"interval": "1h", "endpoint": server.host(), "insecure": true, "bucketName": name, "secretRef": {"name": "keys"}});
        lab.put("Bucket", name, spec).await?;
    }
    for (name, part) in [
        ("above", r#"the object "../b.yaml" cannot be a file: "#),
        (
            "inside",
            r#"the object "x/../../b.yaml" cannot be a file: "#,
        ),
        ("absolute", r#"the object "/b.yaml" cannot be a file: "#),
        ("doubled", r#"the object "x//b.yaml" cannot be a file: "#),
        (
            "both",
            r#"the object "a" cannot be a file: "a/b.yaml" lies below it"#,
        ),
    ] {
        check_refused(&lab, "Bucket", name, part).await?;
    }
    lab.says("Bucket", "cases", "True", "Succeeded").await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_a_chart() -> Result<()> {
    let lab = Lab::new(Place::Local, "chart-names").await?.unwrap();
    let meta = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let chart = |kind: u8, name: &str, content: &str| {
        tar(&[(b'0', "web/Chart.yaml", meta), (kind, name, content)])
    };
    let archives = [
        ("above", chart(b'0', "../b.yaml", "b: 1\n")?),
        (
            "inside",
            chart(b'0', "web/templates/../../../b.yaml", "b: 1\n")?,
        ),
        ("absolute", chart(b'0', "/etc/b.yaml", "b: 1\n")?),
        ("link", chart(b'2', "web/values.yaml", "/etc/passwd")?),
        ("cases", chart(b'0', "web/chart.yaml", "name: other\n")?),
    ];
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for (name, _) in &archives {
        index += &format!("  {name}:\n  - {{name: {name}, version: 1.0.0, urls: [{name}.tgz]}}\n");
    }
    let names: Vec<&str> = archives.iter().map(|(name, _)| *name).collect();
    let served = archives.clone();
    let server = WebServer::start(move |request| {
        let path = request.path.trim_start_matches('/');
        if path == "index.yaml" {
            return WebAnswer::ok(index.clone());
        }
        let found = served
            .iter()
            .find(|(name, _)| path == format!("{name}.tgz"));
        found.map_or_else(
            || WebAnswer::status(404),
            |(_, archive)| WebAnswer::ok(archive.clone()),
        )
    })?;
    let running = lab.start().await?;
    lab.put(
        "HelmRepository",
        "repo",
        json!({"interval": "1h", "url": server.url("")}),
    )
    .await?;
    lab.says("HelmRepository", "repo", "True", "Succeeded")
        .await?;
    for name in &names {
        let spec = json!({"interval": "1h", "chart": name, "sourceRef": {"kind": "HelmRepository", "name": "repo"}});
        lab.put("HelmChart", name, spec).await?;
    }
    for (name, part) in [
        ("above", r#"the entry "../b.yaml" has .. in its name"#),
        (
            "inside",
            r#"the entry "web/templates/../../../b.yaml" has .. in its name"#,
        ),
        (
            "absolute",
            r#"the entry "/etc/b.yaml" has a name that cannot be used"#,
        ),
    ] {
        check_refused(&lab, "HelmChart", name, part).await?;
    }
    // A link is none of the chart's files, and names that differ by case are two names.
    for name in ["link", "cases"] {
        lab.says("HelmChart", name, "True", "ChartPullSucceeded")
            .await?;
    }
    running.stop().await;
    Ok(())
}

/// Sends the head of an answer and then text until nobody takes it any more; gives the address and what was sent.
fn endless(whole: usize) -> Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { continue };
            let count = count.clone();
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                let head =
                    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\napiVersion: v1\nentries: {}\n";
                let _ = client.write_all(head.as_bytes());
                let block =
                    b"# nothing but remarks, and more of them, line after line\n".repeat(1000);
                let mut own = 0;
                while own < whole && client.write_all(&block).is_ok() {
                    own += block.len();
                    count.fetch_add(block.len(), Ordering::Relaxed);
                }
            });
        }
    });
    Ok((address, sent))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_200_megabytes() -> Result<()> {
    const WHOLE: usize = 200 << 20;
    let lab = Lab::new(Place::Local, "endless").await?.unwrap();
    let (address, sent) = endless(WHOLE)?;
    let running = lab.start().await?;
    lab.put(
        "HelmRepository",
        "repo",
        json!({"interval": "1h", "url": address}),
    )
    .await?;
    check_refused(
        &lab,
        "HelmRepository",
        "repo",
        "the server sends more than 52428800 bytes",
    )
    .await?;
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 80 << 20, "{sent} bytes were taken");
    running.stop().await;
    Ok(())
}
