//! The tree of a GitRepository out of its checkout: only some folders, with other repositories laid in, and without what is
//! ignored.

use std::sync::Arc;

use weir_tree::{
    EmptyTree, EntryKind, IgnoreRules, OverlayTree, Tree, TreeError, TreePath, ignored,
    without_links,
};

use crate::inside::inside;

/// A folder of another tree.
#[derive(Clone, Debug)]
pub struct Included {
    /// Of the other source, for messages.
    pub name: String,
    pub tree: Arc<dyn Tree>,
    /// In that tree.
    pub from: String,
    /// In the one that is made.
    pub to: String,
}

/// Why there is no tree.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    #[error(
        "failed to sparse checkout directories : sparse checkout dir '{0}' does not exist in repository"
    )]
    NoFolder(String),
    #[error("the path {path:?} is not one inside the repository: {reason}")]
    Path { path: String, reason: String },
    #[error("path calculation for include '{name}' failed: {path:?}: {reason}")]
    Illegal {
        name: String,
        path: String,
        reason: String,
    },
    #[error("failed to copy '{name}' include from {from} to {to}: {reason}")]
    NotIncluded {
        name: String,
        from: String,
        to: String,
        reason: &'static str,
    },
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Takes the folders `sparse` of a checkout (all of it, if there are none), lays in what is included and leaves out what
/// is ignored.
pub fn compose(
    checkout: Arc<dyn Tree>,
    sparse: &[String],
    include: &[Included],
    ignore: Option<&str>,
) -> Result<Arc<dyn Tree>, ComposeError> {
    let checkout: Arc<dyn Tree> = Arc::new(without_links(checkout));
    let mut overlay = if sparse.is_empty() {
        OverlayTree::on(checkout)
    } else {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for folder in sparse {
            let path = parse(folder)?;
            let found = checkout.stat(&path)?;
            if found.is_none_or(|found| found.kind != EntryKind::Directory) {
                return Err(ComposeError::NoFolder(folder.clone()));
            }
            if path.is_root() {
                overlay = OverlayTree::on(checkout.clone());
            } else {
                overlay.mount(&path, checkout.clone(), path.clone())?;
            }
        }
        overlay
    };
    for included in include {
        let illegal = |error: ComposeError| {
            let ComposeError::Path { path, reason } = error else {
                return error;
            };
            ComposeError::Illegal {
                name: included.name.clone(),
                path,
                reason,
            }
        };
        let from = below(&included.from).map_err(illegal)?;
        let to = below(&included.to).map_err(illegal)?;
        let refused = |reason| ComposeError::NotIncluded {
            name: included.name.clone(),
            from: included.from.clone(),
            to: included.to.clone(),
            reason,
        };
        if included.tree.stat(&from)?.is_none() {
            return Err(refused("there is no such file or directory"));
        }
        let base: Arc<dyn Tree> = Arc::new(overlay.finish()?);
        // Including at the top is our own: there everything is laid beside what is there.
        if !to.is_root() && base.stat(&to)?.is_some() {
            return Err(refused("there is something already"));
        }
        overlay = OverlayTree::on(base);
        if to.is_root() {
            for entry in included.tree.entries(&from)?.unwrap_or_default() {
                let child = |base: &TreePath| {
                    base.child(&entry.name).map_err(|error| ComposeError::Path {
                        path: entry.name.clone(),
                        reason: error.to_string(),
                    })
                };
                overlay.mount(&child(&to)?, included.tree.clone(), child(&from)?)?;
            }
        } else {
            overlay.mount(&to, included.tree.clone(), from)?;
        }
    }
    let tree = overlay.finish()?;
    let rules = IgnoreRules::load(&tree, ignore)?;
    Ok(Arc::new(ignored(tree, rules)))
}

fn below(path: &str) -> Result<TreePath, ComposeError> {
    inside(path).map_err(|error| ComposeError::Path {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// `./a/`, `/a` and `a` mean the same.
fn parse(path: &str) -> Result<TreePath, ComposeError> {
    let bare = path.trim_start_matches("./").trim_matches('/');
    let bare = if bare == "." { "" } else { bare };
    if bare.is_empty() {
        return Ok(TreePath::root());
    }
    TreePath::parse(bare).map_err(|error| ComposeError::Path {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> Arc<dyn Tree> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for file in files {
            overlay
                .file(&TreePath::parse(file).unwrap(), file.to_string())
                .unwrap();
        }
        Arc::new(overlay.finish().unwrap())
    }

    fn has(tree: &dyn Tree, path: &str) -> bool {
        tree.stat(&TreePath::parse(path).unwrap())
            .unwrap()
            .is_some()
    }

    #[test]
    fn folders_are_chosen_and_others_laid_in() {
        let checkout = tree(&["a/x", "b/y", "top"]);
        let other = tree(&["deep/z", "w.jpg"]);
        let include = [Included {
            name: "other".to_owned(),
            tree: other,
            from: "./deep".to_owned(),
            to: "lib".to_owned(),
        }];
        let made = compose(checkout.clone(), &["./a".to_owned()], &include, None).unwrap();
        assert!(has(&*made, "a/x") && has(&*made, "lib/z"));
        assert!(!has(&*made, "b") && !has(&*made, "top"));
        let error = compose(checkout.clone(), &["c".to_owned()], &[], None).unwrap_err();
        assert!(error.to_string().contains("'c'"), "{error}");
        assert!(compose(checkout, &["../c".to_owned()], &[], None).is_err());
    }

    #[test]
    fn what_is_laid_in_is_ignored_by_the_same_rules() {
        let include = [Included {
            name: "other".to_owned(),
            tree: tree(&["w.jpg", "v.yaml"]),
            from: String::new(),
            to: "lib".to_owned(),
        }];
        let made = compose(tree(&["top"]), &[], &include, None).unwrap();
        assert!(has(&*made, "lib/v.yaml") && !has(&*made, "lib/w.jpg"));
    }
}
