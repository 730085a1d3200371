//! Following symbolic links inside a tree.

use std::collections::VecDeque;

use crate::{EntryKind, Tree, TreeError, TreePath};

/// Links that one look-up may follow: as many as Linux does.
const MAX_LINKS: usize = 40;

/// The path, free of links, of what a reader finds at `path`. Links are followed, also those in the middle, and may
/// point anywhere inside the root. `None`: nothing is there, or a link points to nothing.
pub fn resolve(tree: &dyn Tree, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
    // The usual case: `stat` follows no links, so that what it finds has none on the way.
    if let Some(entry) = tree.stat(path)?
        && entry.kind != EntryKind::Link
    {
        return Ok(Some(path.clone()));
    }
    let mut links = 0;
    let mut followed = None;
    let mut here = TreePath::root();
    let mut ahead: VecDeque<String> = path.names().map(str::to_owned).collect();
    while let Some(name) = ahead.pop_front() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                here = here.parent().ok_or_else(|| outside(followed.take()))?;
                continue;
            }
            _ => {}
        }
        let Ok(next) = here.child(&name) else {
            return Ok(None);
        };
        let Some(entry) = tree.stat(&next)? else {
            return Ok(None);
        };
        if entry.kind != EntryKind::Link {
            // Also `file/` and `file/.` are nothing, as everywhere.
            if entry.kind != EntryKind::Directory && !ahead.is_empty() {
                return Ok(None);
            }
            here = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(TreeError::LinkCycle { path: path.clone() });
        }
        let target = target(tree, &next)?;
        if target.starts_with('/') {
            return Err(TreeError::LinkOutside { path: next, target });
        }
        for name in target.rsplit('/') {
            ahead.push_front(name.to_owned());
        }
        followed = Some((next, target));
    }
    Ok(Some(here))
}

fn target(tree: &dyn Tree, link: &TreePath) -> Result<String, TreeError> {
    let bytes = tree
        .read(link)?
        .ok_or_else(|| TreeError::Changed { path: link.clone() })?;
    let reason = "the link's target is not UTF-8";
    let text = std::str::from_utf8(&bytes).map_err(|_| TreeError::Read {
        path: link.clone(),
        reason: reason.to_owned(),
    })?;
    if text.len() > crate::path::MAX_PATH {
        let reason = format!("the link's target has {} bytes", text.len());
        return Err(TreeError::Read {
            path: link.clone(),
            reason,
        });
    }
    Ok(text.to_owned())
}

/// Only a link's target can hold `..`, so that the one followed last is to blame.
fn outside(followed: Option<(TreePath, String)>) -> TreeError {
    let (path, target) = followed.expect("a tree path holds no .. by itself");
    TreeError::LinkOutside { path, target }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmptyTree, OverlayTree};

    fn tree(links: &[(&str, &str)], files: &[&str]) -> OverlayTree {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, target) in links {
            overlay
                .link(&TreePath::parse(path).unwrap(), target)
                .unwrap();
        }
        for path in files {
            overlay
                .file(&TreePath::parse(path).unwrap(), path.as_bytes().to_vec())
                .unwrap();
        }
        overlay.finish().unwrap()
    }

    fn check(tree: &dyn Tree, path: &str, expected: Option<&str>) {
        let found = resolve(tree, &TreePath::parse(path).unwrap()).unwrap();
        assert_eq!(found.as_ref().map(TreePath::as_str), expected, "{path}");
    }

    #[test]
    fn links_are_followed_inside_the_root() {
        let tree = tree(
            &[
                ("now", "releases/2"),
                ("releases/2", "./../v2//"),
                ("v2/up", ".."),
                ("file", "v2/a.yaml"),
                ("gone", "x"),
            ],
            &["v2/a.yaml", "v2/deep/b.yaml"],
        );
        check(&tree, "v2/a.yaml", Some("v2/a.yaml"));
        check(&tree, "now", Some("v2"));
        check(&tree, "now/deep/b.yaml", Some("v2/deep/b.yaml"));
        check(&tree, "now/up/now/up/v2/a.yaml", Some("v2/a.yaml"));
        check(&tree, "file", Some("v2/a.yaml"));
        check(&tree, "file/x", None);
        check(&tree, "gone", None);
        check(&tree, "v2/none", None);
        check(&tree, "", Some(""));
    }

    #[test]
    fn a_link_may_climb_after_it_went_down_through_another() {
        let tree = tree(&[("d", "p/q"), ("a", "d/../../x")], &["p/q/z", "x"]);
        check(&tree, "a", Some("x"));
    }

    #[test]
    fn no_link_leaves_the_root() {
        let tree = tree(
            &[
                ("abs", "/etc/passwd"),
                ("up", "../x"),
                ("a/up", "../../x"),
                ("a/ok", "../a"),
            ],
            &["x"],
        );
        for path in ["abs", "up", "a/up", "a/ok/up", "a/ok/ok/up"] {
            let error = resolve(&tree, &TreePath::parse(path).unwrap()).unwrap_err();
            assert!(
                matches!(error, TreeError::LinkOutside { .. }),
                "{path}: {error}"
            );
        }
    }

    #[test]
    fn circles_end() {
        let tree = tree(
            &[("a", "b"), ("b", "a"), ("self", "self/x"), ("here", ".")],
            &["f"],
        );
        for path in ["a", "b/x", "self"] {
            let error = resolve(&tree, &TreePath::parse(path).unwrap()).unwrap_err();
            assert!(
                matches!(error, TreeError::LinkCycle { .. }),
                "{path}: {error}"
            );
        }
        check(&tree, "here/".repeat(40).trim_end_matches('/'), Some(""));
        let long = format!("{}f", "here/".repeat(41));
        assert!(matches!(
            resolve(&tree, &TreePath::parse(&long).unwrap()),
            Err(TreeError::LinkCycle { .. })
        ));
    }
}
