//! Paths that objects write: `./a`, `/a` and `a` mean the same.

use weir_tree::{PathError, TreePath};

/// A path as below a root that cannot be left.
pub(crate) fn inside(path: &str) -> Result<TreePath, PathError> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    if names.is_empty() {
        return Ok(TreePath::root());
    }
    TreePath::parse(&names.join("/"))
}
