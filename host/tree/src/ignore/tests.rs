use std::sync::Arc;

use super::*;
use crate::{EmptyTree, OverlayTree};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Files with an empty content, or with the text after a `=`.
fn tree(files: &[&str]) -> Arc<dyn Tree> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for file in files {
        let (name, content) = file.split_once('=').unwrap_or((file, ""));
        overlay.file(&path(name), content.to_owned()).unwrap();
    }
    Arc::new(overlay.finish().unwrap())
}

/// All that is seen, directories with a `/` at the end.
fn seen(files: &[&str], spec_ignore: Option<&str>) -> Vec<String> {
    let base = tree(files);
    let rules = IgnoreRules::load(&base, spec_ignore).unwrap();
    let view = ignored(base, rules);
    let mut all = Vec::new();
    let mut open = vec![TreePath::root()];
    while let Some(directory) = open.pop() {
        for entry in view.entries(&directory).unwrap().unwrap() {
            let below = directory.child(&entry.name).unwrap();
            assert_eq!(view.stat(&below).unwrap().as_ref(), Some(&entry), "{below}");
            if entry.kind == EntryKind::Directory {
                all.push(format!("{}/", below.as_str()));
                open.push(below);
            } else {
                assert!(view.read(&below).unwrap().is_some());
                all.push(below.as_str().to_owned());
            }
        }
    }
    all.sort();
    all
}

#[track_caller]
fn check(files: &[&str], spec_ignore: Option<&str>, expected: &[&str]) {
    assert_eq!(seen(files, spec_ignore), expected);
}

#[test]
fn built_in_rules_hold_without_any_of_the_user() {
    check(
        &[
            "a.png",
            "d/b.zip",
            "d/b.yaml",
            ".github/w.yml",
            ".gitignore",
            "x/.sops.yaml",
            "appveyor.yml",
        ],
        None,
        &["d/", "d/b.yaml", "x/"],
    );
}

#[test]
fn one_pattern_anywhere_leaves_only_those_for_git() {
    let files = [
        "a.png",
        ".gitignore",
        "deep/er/.sourceignore=secret",
        "deep/er/secret",
        "deep/secret",
    ];
    check(
        &files,
        None,
        &[
            "a.png",
            "deep/",
            "deep/er/",
            "deep/er/.sourceignore",
            "deep/secret",
        ],
    );
    check(
        &["a.png", "b", ".gitattributes"],
        Some("# only\nb\n"),
        &["a.png"],
    );
    check(
        &["a.png", "b"],
        Some("# a comment is no pattern\n\n"),
        &["b"],
    );
}

#[test]
fn later_patterns_win_and_spec_ignore_comes_last() {
    let files = [
        ".sourceignore=*.txt\n!keep.txt",
        "a.txt",
        "keep.txt",
        "sub/.sourceignore=!a.txt",
        "sub/a.txt",
    ];
    check(
        &files,
        None,
        &[
            ".sourceignore",
            "keep.txt",
            "sub/",
            "sub/.sourceignore",
            "sub/a.txt",
        ],
    );
    check(
        &files,
        Some("keep.txt"),
        &[".sourceignore", "sub/", "sub/.sourceignore", "sub/a.txt"],
    );
}

#[test]
fn files_of_an_ignored_directory_can_be_brought_back() {
    // Git itself would not do that.
    check(
        &[
            "README",
            "docs/x",
            "kubernetes/app.yaml",
            "kubernetes/deep/b.yaml",
        ],
        Some("/*\n!/kubernetes"),
        &[
            "kubernetes/",
            "kubernetes/app.yaml",
            "kubernetes/deep/",
            "kubernetes/deep/b.yaml",
        ],
    );
    check(
        &["a/b/c", "a/b/d", "e/f"],
        Some("/*\n!/a/b/c"),
        &["a/", "a/b/", "a/b/c"],
    );
    check(
        &["a/b/c", "a/x", "e/c"],
        Some("*\n!c"),
        &["a/", "a/b/", "a/b/c", "e/", "e/c"],
    );
}

#[test]
fn patterns_with_a_slash_are_anchored() {
    check(
        &["x/y", "a/x/y", "x/z"],
        Some("x/y"),
        &["a/", "a/x/", "a/x/y", "x/", "x/z"],
    );
    check(&["y", "a/y"], Some("/y"), &["a/", "a/y"]);
    check(&["a/y", "a/b/y", "b"], Some("**/y"), &["a/", "a/b/", "b"]);
    check(&["a/1", "a/b/2", "c"], Some("a/**"), &["c"]);
    check(
        &["sub/.sourceignore=/y", "sub/y", "sub/a/y", "y"],
        None,
        &["sub/", "sub/.sourceignore", "sub/a/", "sub/a/y", "y"],
    );
}

#[test]
fn a_slash_at_the_end_means_directories() {
    check(
        &["build/x", "a/build/y", "b/build"],
        Some("build/"),
        &["a/", "b/", "b/build"],
    );
    check(
        &["a/build", "a/b"],
        Some("a/build/"),
        &["a/", "a/b", "a/build"],
    );
}

#[test]
fn malformed_patterns_match_nothing() {
    check(&["a[b", "a"], Some("a[b\n[]a]\nx**/a"), &["a", "a[b"]);
    // Go's sets have no `!`.
    check(&["!", "b", "c"], Some("[!b]"), &["c"]);
}

#[test]
fn blanks_and_escapes() {
    check(&["a", "b ", "#c"], Some("a   \nb\\ \n\\#c"), &[]);
}

#[test]
fn ids_belong_to_the_rules_and_the_place() {
    let base = tree(&["a/x", "a/y", "b/x", "b/y"]);
    let view = |ignore: &str| {
        ignored(
            Arc::clone(&base),
            IgnoreRules::load(&base, Some(ignore)).unwrap(),
        )
    };
    let (one, other) = (view("/a/x"), view("/a/y"));
    let id = |view: &IgnoredTree<Arc<dyn Tree>>, at: &str| {
        view.stat(&path(at)).unwrap().unwrap().id.unwrap()
    };
    assert_eq!(
        base.stat(&path("a")).unwrap().unwrap().id,
        base.stat(&path("b")).unwrap().unwrap().id
    );
    assert_ne!(id(&one, "a"), id(&one, "b"));
    assert_ne!(id(&one, "a"), id(&other, "a"));
    assert_ne!(one.id(), other.id());
    assert_eq!(id(&one, "b/x"), id(&other, "b/x"));
}

#[test]
fn a_huge_rule_file_is_refused() {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    overlay
        .file(&path(IGNORE_FILE), vec![b'x'; (MAX_RULE_FILE + 1) as usize])
        .unwrap();
    let error = IgnoreRules::load(&overlay.finish().unwrap(), None).unwrap_err();
    assert!(matches!(error, TreeError::TooLarge { .. }), "{error}");
    let many = "x\n".repeat(MAX_PATTERNS + 1);
    assert!(IgnoreRules::load(&tree(&[]), Some(&many)).is_err());
}
