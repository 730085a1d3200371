//! Paths inside a tree: relative to its root, `/` between the parts, no `.` and `..`.

/// A path relative to a folder, as a path of the tree; `None` if it leaves the tree.
pub(crate) fn join(dir: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') {
        Vec::new()
    } else {
        split(dir).collect()
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path is a folder or in it.
pub(crate) fn is_in(path: &str, dir: &str) -> bool {
    dir.is_empty()
        || path
            .strip_prefix(dir)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How a path is written relative to a folder.
pub(crate) fn relative(path: &str, from: &str) -> String {
    let mut to = split(path).peekable();
    let mut base = split(from).peekable();
    while to.peek().is_some() && to.peek() == base.peek() {
        to.next();
        base.next();
    }
    let parts: Vec<&str> = base.map(|_| "..").chain(to).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// The path in the tree of a file that is shown relative to the built folder; `None` for a file of another tree.
#[must_use]
pub fn tree_path(folder: &str, shown: &str) -> Option<String> {
    if shown.is_empty() || shown.contains("//") {
        return None;
    }
    join(folder, shown.split(" (").next().unwrap_or(shown))
}

/// The last part.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder that a path is in.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// A path without `.`, doubled slashes and `..` where something stands before it, as Go's `filepath.Clean` makes it.
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in split(path) {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (path.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_stays_in_the_tree() {
        assert_eq!(join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(join("a", "/x//y").as_deref(), Some("x/y"));
        assert_eq!(join("a", "..").as_deref(), Some(""));
        assert_eq!(join("a", "../.."), None);
    }

    #[test]
    fn folders_hold_what_is_below_them() {
        assert!(is_in("a/b", "a") && is_in("a", "a") && is_in("a", ""));
        assert!(!is_in("ab", "a"));
    }

    #[test]
    fn paths_are_shown_from_a_folder() {
        assert_eq!(relative("a/b/c", "a/x"), "../b/c");
        assert_eq!(relative("a", "a"), ".");
        assert_eq!(clean("a/../../b/./c/"), "../b/c");
        assert_eq!(clean(""), ".");
    }
}
