//! Submodules: other repositories at a commit, laid into the tree.
//!
//! flux: go-git sends the login of the source to every submodule, wherever it is. Here only the server of the source gets
//! it; others are asked anonymously.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;
use weir_tree::{ContentId, EntryKind, GitTree, OverlayTree, Tree, TreeError, TreePath};

use super::{Auth, Fetched, GitFetcher, GitReference, GitSpec};
use crate::error::SourceError;
use crate::http::ClientSpec;

/// Submodules within submodules; as deep as go-git goes.
const MAX_DEPTH: usize = 10;
/// Submodules of one source in all.
const MAX_MODULES: usize = 200;
/// The largest `.gitmodules`.
const MAX_LIST: u64 = 1 << 20;

/// A section of `.gitmodules`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Module {
    path: String,
    url: String,
}

/// A repository whose submodules are still to be found.
struct Open {
    at: TreePath,
    tree: GitTree,
    url: String,
    depth: usize,
}

impl GitFetcher {
    /// The checkout of a revision with all its submodules, each at the commit that its parent names.
    pub async fn with_submodules(
        &self,
        spec: &GitSpec,
        fetched: &Fetched,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn Tree>, SourceError> {
        let checkout: Arc<dyn Tree> = Arc::new(fetched.checkout.clone());
        let mut overlay = OverlayTree::on(checkout);
        let mut count = 0;
        let mut open = vec![Open {
            at: TreePath::root(),
            tree: fetched.checkout.clone(),
            url: spec.url.clone(),
            depth: 0,
        }];
        let fail = |reason: String| SourceError::Git {
            url: super::hide_login(&spec.url),
            reference: spec.reference.to_string(),
            reason,
        };
        let broken = |source: TreeError| SourceError::Tree {
            place: super::hide_login(&spec.url),
            source,
        };
        while let Some(parent) = open.pop() {
            for (module, commit) in modules(&parent.tree).map_err(broken)? {
                count += 1;
                if count > MAX_MODULES {
                    return Err(fail(format!(
                        "there are more than {MAX_MODULES} submodules"
                    )));
                }
                if parent.depth >= MAX_DEPTH {
                    return Err(fail(format!(
                        "submodules are nested deeper than {MAX_DEPTH}"
                    )));
                }
                let shown = || super::hide_login(&module.url);
                let url = resolve(&parent.url, &module.url).ok_or_else(|| {
                    fail(format!(
                        "the submodule {:?} has the address {:?}, which leads nowhere",
                        module.path,
                        shown()
                    ))
                })?;
                let found = self.fetch(&part(spec, &url, &commit), None, cancel).await;
                let found = found.map_err(|error| {
                    if let SourceError::Cancelled { .. } | SourceError::TimedOut { .. } = error {
                        return error;
                    }
                    fail(format!("the submodule {:?}: {error}", module.path))
                })?;
                let mut at = parent.at.clone();
                for name in module.path.split('/') {
                    at = at.child(name).map_err(|error| {
                        fail(format!(
                            "the path of the submodule {:?}: {error}",
                            module.path
                        ))
                    })?;
                }
                let tree: Arc<dyn Tree> = Arc::new(found.checkout.clone());
                overlay.mount(&at, tree, TreePath::root()).map_err(broken)?;
                open.push(Open {
                    at,
                    tree: found.checkout,
                    url,
                    depth: parent.depth + 1,
                });
            }
        }
        Ok(Arc::new(overlay.finish().map_err(broken)?))
    }
}

/// The modules of a commit, with the commits that it names.
fn modules(tree: &GitTree) -> Result<Vec<(Module, String)>, TreeError> {
    let list = TreePath::parse(".gitmodules").expect("it is one name");
    let Some(entry) = tree.stat(&list)? else {
        return Ok(Vec::new());
    };
    if !matches!(entry.kind, EntryKind::File | EntryKind::Executable) || entry.size > MAX_LIST {
        return Ok(Vec::new());
    }
    let text = tree.read(&list)?.unwrap_or_default();
    let mut found = Vec::new();
    for module in parse(&String::from_utf8_lossy(&text)) {
        let Ok(path) = TreePath::parse(&module.path) else {
            continue;
        };
        let Some(entry) = tree.stat(&path)? else {
            continue;
        };
        // What is listed but no submodule any more is left alone.
        if let (EntryKind::Submodule, Some(ContentId::Git(commit))) = (entry.kind, entry.id) {
            found.push((module, hex::encode(commit)));
        }
    }
    Ok(found)
}

/// How a submodule is fetched: with the login of the source if it is on the same server.
fn part(spec: &GitSpec, url: &str, commit: &str) -> GitSpec {
    let same = origin(&spec.url).is_some() && origin(&spec.url) == origin(url);
    GitSpec {
        url: url.to_owned(),
        reference: GitReference {
            commit: Some(commit.to_owned()),
            ..GitReference::default()
        },
        auth: if same {
            spec.auth.clone()
        } else {
            Auth::Anonymous
        },
        client: if same {
            spec.client.clone()
        } else {
            ClientSpec {
                identity: None,
                ..spec.client.clone()
            }
        },
        timeout: spec.timeout,
        ignore: None,
    }
}

fn origin(url: &str) -> Option<(String, String, Option<u16>)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.to_ascii_lowercase();
    let default = (url.scheme() == "ssh").then_some(22);
    let port = url.port_or_known_default().or(default);
    Some((url.scheme().to_owned(), host, port))
}

/// The address of a submodule: its own, or one relative to the parent's.
fn resolve(parent: &str, url: &str) -> Option<String> {
    if url.starts_with("./") || url.starts_with("../") {
        let mut base = Url::parse(parent).ok()?;
        let mut path = base.path().trim_end_matches('/').to_owned();
        let mut rest = url;
        loop {
            if let Some(after) = rest.strip_prefix("../") {
                path.truncate(path.rfind('/')?);
                rest = after;
            } else if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else {
                break;
            }
        }
        base.set_path(&format!("{path}/{}", rest.trim_end_matches('/')));
        return Some(base.into());
    }
    if url.contains("://") {
        return Some(url.to_owned());
    }
    // `git@host:path`
    let (host, path) = url.split_once(':')?;
    let plain = !host.is_empty() && !host.contains('/') && !path.is_empty();
    plain.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// The sections of a `.gitmodules` that have a path and an address.
fn parse(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let mut module = None;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            found.extend(module.take());
            if line.starts_with("[submodule") {
                module = Some(Module::default());
            }
            continue;
        }
        let (Some(module), Some((key, value))) = (&mut module, line.split_once('=')) else {
            continue;
        };
        let field = match key.trim().to_ascii_lowercase().as_str() {
            "path" => &mut module.path,
            "url" => &mut module.url,
            _ => continue,
        };
        *field = unquote(value.trim());
    }
    found.extend(module);
    found.retain(|module| !module.path.is_empty() && !module.url.is_empty());
    found
}

/// A value of Git's configuration: quotes, backslashes, and a comment behind it.
fn unquote(value: &str) -> String {
    let mut plain = String::new();
    let mut quoted = false;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => quoted = !quoted,
            '\\' => plain.extend(letters.next()),
            '#' | ';' if !quoted => break,
            other => plain.push(other),
        }
    }
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let text = "# none\n[core]\n path = x\n[submodule \"a\"]\n\tpath = lib/a ; here\n\turl = \"../a # b.git\"\n[submodule \"b\"]\n\tpath = b\n";
        let expected = Module {
            path: "lib/a".to_owned(),
            url: "../a # b.git".to_owned(),
        };
        assert_eq!(parse(text), [expected]);
    }

    #[test]
    fn addresses_are_resolved() {
        let check = |parent: &str, url: &str, expected: Option<&str>| {
            assert_eq!(resolve(parent, url).as_deref(), expected, "{parent} {url}");
        };
        check("https://h/o/r.git", "../s.git", Some("https://h/o/s.git"));
        check("https://h/o/r.git/", "../../p/s", Some("https://h/p/s"));
        check("https://h/o/r", "./s", Some("https://h/o/r/s"));
        check("https://h/o", "../../../s", None);
        check("ssh://git@h:22/o/r", "../s", Some("ssh://git@h:22/o/s"));
        check("https://h/o", "https://i/s", Some("https://i/s"));
        check("https://h/o", "git@i:o/s.git", Some("ssh://git@i/o/s.git"));
        check("https://h/o", "/etc", None);
        check("https://h/o", "s", None);
    }

    #[test]
    fn only_the_same_server_gets_the_login() {
        let token = crate::SecretText::new("hush".to_owned());
        let spec = GitSpec {
            auth: Auth::Bearer(token),
            ..GitSpec::new("https://h/o/r")
        };
        for (url, same) in [
            ("https://H:443/s", true),
            ("https://h:8443/s", false),
            ("http://h/s", false),
            ("https://h.example.org/s", false),
            ("ssh://h/s", false),
        ] {
            let part = part(&spec, url, "1");
            assert_eq!(part.auth == spec.auth, same, "{url}");
        }
    }
}
