//! The grammar of git URLs in `resources` and `components`.

/// A git repository and a folder in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GitUrl {
    /// What was written.
    pub(crate) raw: String,
    /// What git clones.
    pub(crate) repository: String,
    /// The folder in the repository; empty for its root.
    pub(crate) path: String,
    /// Branch, tag or commit; empty for the default branch.
    pub(crate) reference: String,
}

const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];

impl GitUrl {
    /// Reads a URL. A text that names no repository gives `None`: it is a path then.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        if raw.starts_with('/') {
            return None;
        }
        let (url, query) = raw.split_once('?').unwrap_or((raw, ""));
        let (host, rest) = host(url)?;
        let (repository, path) = split_path(rest, host.starts_with("file://"))?;
        if repository.is_empty() || leaves_repository(path) {
            return None;
        }
        Some(Self {
            raw: raw.to_owned(),
            repository: format!("{host}{repository}"),
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
            reference: reference(query),
        })
    }

    /// The repository and the commit in the form that hosts understand: `git::https://host/repository?ref=v1`.
    pub(crate) fn address(&self) -> String {
        let mut address = format!("git::{}", self.repository);
        if !self.reference.is_empty() {
            address.push_str("?ref=");
            for character in self.reference.chars() {
                match character {
                    '%' => address.push_str("%25"),
                    '&' => address.push_str("%26"),
                    '#' => address.push_str("%23"),
                    '+' => address.push_str("%2B"),
                    ' ' => address.push_str("%20"),
                    other => address.push(other),
                }
            }
        }
        address
    }

    /// Whether it cannot be the URL of a file as well.
    pub(crate) fn certain(&self) -> bool {
        let (url, query) = self.raw.split_once('?').unwrap_or((&self.raw, ""));
        let path = url.split_once("://").map_or(url, |(_, path)| path);
        path.contains("//")
            || path.contains(".git/")
            || path.ends_with(".git")
            || !reference(query).is_empty()
    }
}

/// Whether a text is the URL of a file.
pub(crate) fn is_http(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| strip_ignoring_case(text, scheme).is_some())
}

/// The host with scheme and user, and the rest.
fn host(url: &str) -> Option<(String, &str)> {
    let url = strip_ignoring_case(url, "git::").unwrap_or(url);
    let (scheme, rest) = SCHEMES
        .iter()
        .find_map(|scheme| strip_ignoring_case(url, scheme).map(|rest| (*scheme, rest)))
        .unwrap_or(("", url));
    if scheme == "file://" {
        return Some((scheme.to_owned(), rest));
    }
    let (user, rest) = user(rest);
    let github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| strip_ignoring_case(rest, host).is_some());
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    let mut separator = rest.find('/');
    if scp {
        let colon = rest.find(':');
        if separator.is_none()
            || colon.is_some_and(|at| at > 0 && separator.is_some_and(|slash| at < slash))
        {
            separator = colon;
        }
    }
    let (host, path) = separator.map_or((rest, ""), |at| rest.split_at(at + 1));
    if github {
        // GitHub URLs lose their scheme, and their user too unless they go over SSH.
        let host = if scheme == "ssh://" || !user.is_empty() {
            format!("{user}github.com:")
        } else {
            "https://github.com/".to_owned()
        };
        return Some((host, path));
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), path))
}

/// The user with its `@`, and the rest.
fn user(text: &str) -> (&str, &str) {
    let name = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        .count();
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphabetic());
    if starts_well && text[name..].starts_with('@') {
        text.split_at(name + 1)
    } else {
        ("", text)
    }
}

/// The path of the repository and the folder in it.
fn split_path(path: &str, whole: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        let begin = at + "_git/".len();
        let end = path[begin..]
            .find('/')
            .map_or(path.len(), |length| begin + length);
        return Some((&path[..end], path[end..].strip_prefix('/').unwrap_or("")));
    }
    if let Some((repository, folder)) = path.split_once("//") {
        return Some((repository, folder));
    }
    if let Some(at) = path.find(".git") {
        return Some(path.split_at(at + ".git".len()));
    }
    if whole {
        return Some((path, ""));
    }
    let (_, after_owner) = path.split_once('/')?;
    let name = after_owner.find('/').unwrap_or(after_owner.len());
    let end = path.len() - after_owner.len() + name;
    Some((&path[..end], path[end..].strip_prefix('/').unwrap_or("")))
}

fn leaves_repository(path: &str) -> bool {
    crate::path::join("", path.strip_prefix('/').unwrap_or(path)).is_none()
}

fn reference(query: &str) -> String {
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    };
    let found = value("ref")
        .filter(|it| !it.is_empty())
        .or_else(|| value("version"))
        .unwrap_or_default();
    percent_decoded(found).unwrap_or_default()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: u8| (byte as char).to_digit(16);
                let value = digit(rest.next()?)? * 16 + digit(rest.next()?)?;
                bytes.push(u8::try_from(value).ok()?);
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Option<(&str, &str, &str)>) {
        let parsed = GitUrl::parse(raw);
        let found = parsed.as_ref().map(|url| {
            (
                url.repository.as_str(),
                url.path.as_str(),
                url.reference.as_str(),
            )
        });
        assert_eq!(found, expected, "{raw}");
    }

    #[test]
    fn urls_are_cut_into_repository_folder_and_reference() {
        for (raw, repository, path, reference) in [
            (
                "https://github.com/a/b//c/d?ref=v1",
                "https://github.com/a/b",
                "c/d",
                "v1",
            ),
            (
                "github.com/a/b/c/d?version=v%31",
                "https://github.com/a/b",
                "c/d",
                "v1",
            ),
            ("git@github.com:a/b.git", "git@github.com:a/b.git", "", ""),
            ("ssh://git@github.com/a/b/c", "git@github.com:a/b", "c", ""),
            (
                "git::https://gitlab.com/a/b",
                "https://gitlab.com/a/b",
                "",
                "",
            ),
            (
                "https://user@dev.azure.com/o/p/_git/r/c",
                "https://user@dev.azure.com/o/p/_git/r",
                "c",
                "",
            ),
            (
                "https://example.com/a/b.git/c",
                "https://example.com/a/b.git",
                "c",
                "",
            ),
            ("file:///srv/repo//sub", "file:///srv/repo", "sub", ""),
            ("file:///srv/repo", "file:///srv/repo", "", ""),
            (
                "me@host.xz:path/to/repo.git/sub",
                "me@host.xz:path/to/repo.git",
                "sub",
                "",
            ),
        ] {
            check(raw, Some((repository, path, reference)));
        }
    }

    #[test]
    fn hosts_are_asked_for_repository_and_reference() {
        let url = GitUrl::parse("github.com/a/b/c/d?ref=feature%2Fx%26y").unwrap();
        assert_eq!(
            url.address(),
            "git::https://github.com/a/b?ref=feature/x%26y"
        );
        assert!(url.certain());
        let url = GitUrl::parse("https://github.com/a/b/c.yaml").unwrap();
        assert_eq!(url.address(), "git::https://github.com/a/b");
        assert!(!url.certain());
    }

    #[test]
    fn paths_are_no_urls() {
        for raw in [
            "base",
            "../base",
            "./a.yaml",
            "/abs",
            "a/b/c",
            "https://example.com/x",
            "github.com/a/b//../x",
        ] {
            check(raw, None);
        }
    }
}
