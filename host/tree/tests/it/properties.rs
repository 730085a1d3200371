use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use weir_tree::{
    Blob, Change, Difference, Digest, Entry, EntryKind, IgnoreRules, Pattern, Subtree, Tree,
    TreeError, TreePath, changed, digest_file, digest_tree, glob, ignored, resolve, without_links,
};

use crate::backends::{Backends, git, overlay};
use crate::files::{Files, files, questions, two_sets};

type Listing = Vec<(String, EntryKind, u64)>;

#[derive(Debug, PartialEq)]
struct Answers {
    stat: Option<(String, EntryKind, u64)>,
    read: Option<Blob>,
    entries: Option<Listing>,
    outline: Option<Vec<(String, EntryKind)>>,
    digest: Option<Digest>,
    whole: Option<Digest>,
    /// Errors by their text, which holds the path.
    resolved: Result<Option<TreePath>, String>,
    file: Result<Option<Digest>, String>,
}

fn answers(tree: &dyn Tree, path: &TreePath) -> Answers {
    let shown = |entry: Entry| (entry.name, entry.kind, entry.size);
    Answers {
        stat: tree.stat(path).unwrap().map(shown),
        read: tree.read(path).unwrap(),
        entries: tree
            .entries(path)
            .unwrap()
            .map(|list| list.into_iter().map(shown).collect()),
        outline: tree.outline(path).unwrap().map(|list| {
            list.into_iter()
                .map(|entry| (entry.name, entry.kind))
                .collect()
        }),
        digest: tree.digest(path).unwrap(),
        whole: digest_tree(tree, path).unwrap(),
        resolved: resolve(tree, path).map_err(|error| error.to_string()),
        file: digest_file(tree, path).map_err(|error| error.to_string()),
    }
}

/// Ids stand for one content: two places with equal ids of one kind give equal digests.
fn ids_are_honest(tree: &dyn Tree, questions: &[TreePath]) {
    let mut seen = BTreeMap::new();
    for path in questions {
        let Some(Entry {
            kind, id: Some(id), ..
        }) = tree.stat(path).unwrap()
        else {
            continue;
        };
        let content = digest_tree(tree, path).unwrap();
        let first = *seen.entry((kind, id)).or_insert(content);
        assert_eq!(first, content, "{path}");
    }
}

fn naive_changes(a: &Files, b: &Files) -> Vec<Change> {
    let everything = |files: &Files| {
        let mut all: BTreeMap<TreePath, (EntryKind, Vec<u8>)> = BTreeMap::new();
        all.insert(TreePath::root(), (EntryKind::Directory, Vec::new()));
        for (path, content) in files {
            let path = TreePath::parse(path).unwrap();
            let mut above = path.parent().unwrap();
            while !above.is_root() {
                all.insert(above.clone(), (EntryKind::Directory, Vec::new()));
                above = above.parent().unwrap();
            }
            all.insert(path, content.clone());
        }
        all
    };
    let (a, b) = (everything(a), everything(b));
    let listing = |all: &BTreeMap<TreePath, (EntryKind, Vec<u8>)>,
                   directory: &TreePath|
     -> BTreeSet<(TreePath, EntryKind)> {
        let inside = all
            .iter()
            .filter(|(path, _)| path.parent().as_ref() == Some(directory));
        inside
            .map(|(path, (kind, _))| (path.clone(), *kind))
            .collect()
    };
    let mut changes = Vec::new();
    let paths: BTreeSet<&TreePath> = a.keys().chain(b.keys()).collect();
    for path in paths {
        let what = match (a.get(path), b.get(path)) {
            (None, _) => Difference::Added,
            (_, None) => Difference::Removed,
            (Some((EntryKind::Directory, _)), Some((EntryKind::Directory, _))) => {
                if listing(&a, path) == listing(&b, path) {
                    continue;
                }
                Difference::Listing
            }
            (ours, theirs) if ours == theirs => continue,
            _ => Difference::Modified,
        };
        changes.push(Change {
            path: path.clone(),
            what,
        });
    }
    changes
}

const PATTERNS: &[&str] = &[
    "**",
    "*",
    "**/a",
    "a/**",
    "*/a*/**/b",
    "a/b",
    "[aB]/?",
    "**/c d",
    "ä*/*",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn all_back_ends_answer_alike(files in files()) {
        let backends = Backends::new(&files);
        let questions = questions(&files);
        let (_, first) = &backends.trees[0];
        for (name, tree) in &backends.trees {
            for path in &questions {
                prop_assert_eq!(answers(tree, path), answers(first, path), "{} of {}", path, name);
            }
            for pattern in PATTERNS {
                prop_assert_eq!(glob(tree, pattern).unwrap(), glob(first, pattern).unwrap(), "{} in {}", pattern, name);
            }
            ids_are_honest(tree, &questions);
            prop_assert_eq!(changed(first, tree).unwrap(), []);
        }
        for (path, (kind, content)) in &files {
            let answer = answers(first, &TreePath::parse(path).unwrap());
            prop_assert_eq!(answer.read.as_deref(), Some(&content[..]));
            prop_assert_eq!(answer.stat.map(|stat| stat.1), Some(*kind));
        }
    }

    #[test]
    fn views_of_all_back_ends_answer_alike(files in files(), ignore in prop::sample::select(&["", "a", "/a\n!b", "*\n!/a/**", "b/"][..])) {
        let backends = Backends::new(&files);
        let questions = questions(&files);
        let view = |index: usize| {
            let tree = &backends.trees[index].1;
            let rules = IgnoreRules::load(tree, Some(ignore)).unwrap();
            ignored(without_links(tree), rules)
        };
        let first = view(0);
        for (index, (name, tree)) in backends.trees.iter().enumerate() {
            for path in &questions {
                prop_assert_eq!(answers(&view(index), path), answers(&first, path), "{} of {}", path, name);
            }
            ids_are_honest(&view(index), &questions);
            prop_assert_eq!(changed(&first, &view(index)).unwrap(), []);
            for root in questions.iter().step_by(3) {
                let Some(subtree) = Subtree::new(tree, root.clone()).unwrap() else {
                    prop_assert!(tree.entries(root).unwrap().is_none());
                    continue;
                };
                for path in questions.iter().filter_map(|path| path.relative_to(root)) {
                    let whole = root.join(path.as_str()).unwrap();
                    prop_assert_eq!(subtree.read(&path).unwrap(), tree.read(&whole).unwrap());
                    prop_assert_eq!(subtree.outline(&path).unwrap(), tree.outline(&whole).unwrap());
                }
                prop_assert_eq!(digest_tree(&subtree, &TreePath::root()).unwrap(), digest_tree(tree, root).unwrap());
            }
        }
    }

    #[test]
    fn ignoring_agrees_with_looking_at_each_file(files in files(), ignore in prop::collection::vec(crate::files::path(), 0..4), signs in prop::collection::vec(any::<(bool, bool, bool)>(), 4)) {
        let lines = ignore.iter().zip(signs).map(|(path, (include, anchored, directory))| {
            format!("{}{}{path}{}", if include { "!" } else { "" }, if anchored { "/" } else { "" }, if directory { "/" } else { "" })
        });
        let text: Vec<String> = lines.collect();
        let rules = IgnoreRules::from_texts(&[(TreePath::root(), text.join("\n"))]).unwrap();
        let base = overlay(&files);
        let view = ignored(&base, rules.clone());
        let left: Vec<_> = files.keys().map(|path| TreePath::parse(path).unwrap()).filter(|path| !rules.ignores(path, false)).collect();
        let mut seen = glob(&view, "**").unwrap();
        seen.sort();
        let mut expected = left.clone();
        expected.sort();
        prop_assert_eq!(&seen, &expected);
        for path in left {
            prop_assert!(view.read(&path).unwrap().is_some());
        }
    }

    #[test]
    fn resolve_agrees_with_the_kernel_and_never_leaves_the_root(files in files()) {
        let backends = Backends::new(&files);
        let (_, tree) = &backends.trees[0];
        let root = backends.folder.path().canonicalize().unwrap();
        let mut paths = questions(&files);
        for (path, (kind, _)) in &files {
            if *kind == EntryKind::Link {
                paths.extend(["a", "b/a", "a.b"].map(|below| TreePath::parse(path).unwrap().join(below).unwrap()));
            }
        }
        for path in paths {
            let real = root.join(path.as_str()).canonicalize();
            match resolve(tree, &path) {
                Ok(Some(found)) => {
                    prop_assert_eq!(real.ok(), Some(root.join(found.as_str()).components().collect()));
                    let kind = tree.stat(&found).unwrap().unwrap().kind;
                    prop_assert_ne!(kind, EntryKind::Link);
                }
                Ok(None) => prop_assert!(real.is_err(), "{}: {:?}", path, real),
                Err(TreeError::LinkOutside { .. }) => {
                    prop_assert!(!real.is_ok_and(|real| real.starts_with(&root)), "{}", path);
                }
                Err(TreeError::LinkCycle { .. }) => prop_assert!(real.is_err(), "{}", path),
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn changes_are_those_of_a_naive_comparison((a, b) in two_sets()) {
        let expected = naive_changes(&a, &b);
        let (in_git, other) = (git(&a), git(&b));
        prop_assert_eq!(changed(&in_git, &other).unwrap(), expected.clone());
        prop_assert_eq!(changed(&overlay(&a), &overlay(&b)).unwrap(), expected.clone());
        prop_assert_eq!(changed(&in_git, &overlay(&b)).unwrap(), expected);
    }

    #[test]
    fn globs_are_those_of_a_naive_search(files in files(), pattern in prop::sample::select(PATTERNS)) {
        let parsed = Pattern::parse(pattern).unwrap();
        let paths = files.keys().map(|path| TreePath::parse(path).unwrap());
        let mut expected: Vec<_> = paths.filter(|path| parsed.matches(path)).collect();
        expected.sort();
        prop_assert_eq!(glob(&overlay(&files), pattern).unwrap(), expected);
    }
}
