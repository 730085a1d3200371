//! The trace is complete: whatever changes an answer makes the plugin run again, and nothing else does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::ObjectName;
use weir_api::kustomize::{CommonMetadata, ConfigKind};
use weir_plugin::ask::Budget;
use weir_plugin::{Grants, Host, HostConfig, Limits, Loaded, Question, Refusal, Role};
use weir_tree::{
    Blob, ContentId, Digest, EmptyTree, Entry, OverlayTree, Tree, TreeError, TreePath, changed,
};

use super::{Rendered, Renderer};
use crate::index::Index;
use crate::recipe::{InputRef, Recipe, SourceId, Step, UnitId};
use crate::world::{InputValue, Registered, SourceTree, World};

const CASES: u32 = 2000;
const SECRET: &str = "correct horse battery staple";

/// Everything that a render can see, as data.
#[derive(Clone, Debug)]
struct Seen {
    main: BTreeMap<String, String>,
    other: BTreeMap<String, String>,
    values: BTreeMap<String, String>,
    revision: String,
    time: u64,
    apis: Vec<String>,
    key: u8,
}

/// Files, and a little of everything else.
fn seen_files(files: &[(&str, &str)]) -> Seen {
    let files = files.iter();
    Seen {
        main: files
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        other: [("a".to_owned(), "other".to_owned())].into(),
        values: [("v".to_owned(), "value".to_owned())].into(),
        revision: "r".into(),
        time: 0,
        apis: Vec::new(),
        key: 1,
    }
}

/// One change of it.
#[derive(Clone, Debug)]
enum Edit {
    Write(String, String),
    Remove(String),
    WriteOther(String, String),
    Value(String, String),
    Revision(String),
    Time(u64),
    Api(String),
    Key(u8),
    Nothing,
}

struct TestWorld {
    seen: Seen,
    main: Arc<dyn Tree>,
    other: Arc<dyn Tree>,
}

impl TestWorld {
    fn new(seen: &Seen) -> Self {
        Self {
            seen: seen.clone(),
            main: tree(&seen.main),
            other: tree(&seen.other),
        }
    }
}

impl World for TestWorld {
    fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal> {
        let tree = if id.name.name == "other" {
            &self.other
        } else {
            &self.main
        };
        Ok(SourceTree {
            tree: tree.clone(),
            revision: self.seen.revision.clone(),
            time: self.seen.time,
        })
    }

    fn plugin(&self, _: &str) -> Result<Registered, Refusal> {
        let grants = Grants {
            files: vec!["**".into()],
            values: vec!["*".into()],
            ..Grants::default()
        };
        Ok(Registered {
            plugin: asker().1.clone(),
            grants: Arc::new(grants),
            limits: Limits::default(),
        })
    }

    fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        let value = self
            .seen
            .values
            .get(&reference.name.name)
            .ok_or(Refusal::Absent)?;
        Ok(InputValue {
            bytes: Bytes::from(value.clone()),
            secret: reference.kind == ConfigKind::Secret,
        })
    }

    fn kube_version(&self) -> String {
        "v1.35.4".into()
    }

    fn api_versions(&self) -> Arc<[String]> {
        self.seen.apis.clone().into()
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        Some([self.seen.key; 32])
    }
}

fn asker() -> &'static (Arc<Host>, Arc<Loaded>) {
    static ASKER: OnceLock<(Arc<Host>, Arc<Loaded>)> = OnceLock::new();
    ASKER.get_or_init(|| {
        let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/asker");
        let component = weir_testing::plugin::build_guest(&guest).unwrap();
        let host = Arc::new(Host::new(HostConfig::default()).unwrap());
        let loaded = host.load(&std::fs::read(component).unwrap()).unwrap();
        (host, loaded)
    })
}

fn tree(files: &BTreeMap<String, String>) -> Arc<dyn Tree> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (path, content) in files {
        overlay
            .file(
                &TreePath::parse(path).unwrap(),
                content.clone().into_bytes(),
            )
            .unwrap();
    }
    Arc::new(overlay.finish().unwrap())
}

fn recipe(questions: &[Value], value_kind: ConfigKind) -> Recipe {
    let input = |name: &str| InputRef {
        kind: value_kind,
        name: ObjectName::new("n", name),
        key: None,
        optional: true,
    };
    Recipe {
        unit: UnitId::new("Pipeline", "n", "u"),
        source: SourceId::new("GitRepository", "n", "main"),
        steps: vec![Step {
            name: "ask".into(),
            plugin: "asker".into(),
            role: Some(Role::Generator),
            config: json!({ "questions": questions }),
            trees: [(
                "other".to_owned(),
                SourceId::new("GitRepository", "n", "other"),
            )]
            .into(),
            inputs: ["v", "w"]
                .into_iter()
                .map(|name| (name.to_owned(), input(name)))
                .collect(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    }
}

fn render(renderer: &Renderer, recipe: &Recipe, seen: &Seen) -> Rendered {
    renderer
        .render(recipe, &TestWorld::new(seen), &CancellationToken::new())
        .unwrap()
}

fn text(rendered: &Rendered) -> String {
    rendered
        .bundle
        .documents
        .iter()
        .map(|document| document.body().to_string())
        .collect()
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "d/a", "d/b", "d/e/a", "e/a", "e/x.yaml"])
        .prop_map(str::to_owned)
}

fn content() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "one", "k: 1\n", "k: 2\n", "- [\n"]).prop_map(str::to_owned)
}

fn files() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(path(), content(), 0..6).prop_map(|mut files| {
        // A name is a file or a folder.
        let paths: Vec<String> = files.keys().cloned().collect();
        files.retain(|path, _| {
            !paths
                .iter()
                .any(|other| other.starts_with(&format!("{path}/")))
        });
        files
    })
}

fn seen() -> impl Strategy<Value = Seen> {
    let values = prop::collection::btree_map(
        prop::sample::select(vec!["v".to_owned(), "w".to_owned()]),
        content(),
        0..3,
    );
    let revision = prop::sample::select(vec!["r1".to_owned(), "r2".to_owned()]);
    (files(), files(), values, revision, 0..3u64).prop_map(
        |(main, other, values, revision, time)| Seen {
            main,
            other,
            values,
            revision,
            time,
            apis: vec!["v1".into()],
            key: 1,
        },
    )
}

fn question() -> impl Strategy<Value = Value> {
    let about = |kind: &'static str| path().prop_map(move |path| json!({ kind: path }));
    let names = |kind: &'static str, names: &[&'static str]| {
        prop::sample::select(names.to_vec()).prop_map(move |name| json!({ kind: name }))
    };
    let of_tree = || {
        prop_oneof![
            about("read"),
            about("range"),
            about("parsed"),
            about("stat"),
            about("resolve"),
            names("entries", &["", "d", "d/e", "e", "a"]),
            names("glob", &["*", "**/a", "d/*", "e/*.yaml", "**"]),
        ]
    };
    let prepared = || prop::collection::vec(of_tree(), 1..4);
    prop_oneof![
        7 => of_tree(),
        2 => prepared().prop_map(|questions| json!({ "prepared": questions })),
        1 => prepared().prop_map(|questions| json!({ "elsewhere": questions })),
        1 => about("other"),
        1 => names("value", &["v", "w"]),
        1 => names("fact", &["source.revision", "unit.name", "nothing"]),
        1 => names("api", &["v1", "apps/v1"]),
        1 => names("random", &["p"]),
        1 => Just(json!("time")),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let name = prop::sample::select(vec!["v".to_owned(), "w".to_owned()]);
    prop_oneof![
        4 => (path(), content()).prop_map(|(path, content)| Edit::Write(path, content)),
        3 => path().prop_map(Edit::Remove),
        2 => (path(), content()).prop_map(|(path, content)| Edit::WriteOther(path, content)),
        1 => (name, content()).prop_map(|(name, content)| Edit::Value(name, content)),
        1 => Just(Edit::Revision("r3".into())),
        1 => Just(Edit::Time(9)),
        1 => Just(Edit::Api("apps/v1".into())),
        1 => Just(Edit::Key(2)),
        1 => Just(Edit::Nothing),
    ]
}

fn write(files: &mut BTreeMap<String, String>, path: &str, content: &str) {
    let below = format!("{path}/");
    files.retain(|other, _| !other.starts_with(&below) && !path.starts_with(&format!("{other}/")));
    files.insert(path.to_owned(), content.to_owned());
}

fn edited(seen: &Seen, edit: &Edit) -> Seen {
    let mut seen = seen.clone();
    match edit {
        Edit::Write(path, content) => write(&mut seen.main, path, content),
        Edit::Remove(path) => drop(seen.main.remove(path)),
        Edit::WriteOther(path, content) => write(&mut seen.other, path, content),
        Edit::Value(name, content) => drop(seen.values.insert(name.clone(), content.clone())),
        Edit::Revision(revision) => seen.revision.clone_from(revision),
        Edit::Time(time) => seen.time = *time,
        Edit::Api(api) => {
            seen.apis.push(api.clone());
            seen.apis.sort();
        }
        Edit::Key(key) => seen.key = *key,
        Edit::Nothing => {}
    }
    seen
}

/// What the answers show decides whether the plugin has to run again.
fn check(blind: Option<fn(&Question) -> bool>, cases: u32) -> Result<(), String> {
    let strategy = (seen(), prop::collection::vec(question(), 1..8), edit());
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(before, questions, edit)| {
        let recipe = recipe(&questions, ConfigKind::ConfigMap);
        let mut renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
        renderer.blind = blind;
        // What is prepared is so from the second time on.
        let mut warm = recipe.clone();
        warm.unit = UnitId::new("Pipeline", "n", "warm");
        render(&renderer, &warm, &before);
        let first = render(&renderer, &recipe, &before);
        let after = edited(&before, &edit);
        let again = render(&renderer, &recipe, &after);
        let fresh = render(
            &Renderer::new(asker().0.clone(), 1 << 20).unwrap(),
            &recipe,
            &after,
        );
        prop_assert_eq!(
            text(&again),
            text(&fresh),
            "a stale result was taken for a fresh one"
        );
        let differs = text(&first) != text(&fresh);
        prop_assert!(
            again.steps[0].ran == differs || matches!(edit, Edit::Key(_)),
            "ran: {}, differs: {differs}",
            again.steps[0].ran
        );
        let mut index = Index::default();
        index.set(&recipe.unit, first.dependencies);
        let changes = changed(&*tree(&before.main), &*tree(&after.main)).unwrap();
        let touched = index
            .touched_by_tree(&recipe.source, &changes)
            .contains(&recipe.unit);
        let by_tree = matches!(edit, Edit::Write(..) | Edit::Remove(_));
        prop_assert!(touched || !differs || !by_tree, "the index missed a change");
        Ok(())
    });
    outcome.map_err(|error| error.to_string())
}

#[test]
fn changing_an_answer_runs_the_plugin_again_and_nothing_else_does() {
    check(None, CASES).unwrap();
}

/// What a recorder with a mistake does not see.
type Blind = fn(&Question) -> bool;

#[test]
fn an_omission_would_be_found() {
    let omissions: [(&str, Blind); 3] = [
        ("listings", |question| {
            matches!(question, Question::Entries { .. })
        }),
        ("misses and reads", |question| {
            matches!(question, Question::Read { .. })
        }),
        ("inputs", |question| {
            matches!(question, Question::Value { .. })
        }),
    ];
    for (name, blind) in omissions {
        let found = check(Some(blind), CASES).unwrap_err();
        assert!(
            found.contains("stale") || found.contains("ran"),
            "{name}: {found}"
        );
    }
}

/// A tree that counts what is read of it; digests are known without that.
#[derive(Debug)]
struct Counted {
    tree: Arc<dyn Tree>,
    reads: AtomicUsize,
}

impl Tree for Counted {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.tree.stat(path)
    }
    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.tree.read(path)
    }
    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.tree.entries(path)
    }
    fn id(&self) -> Option<ContentId> {
        self.tree.id()
    }
    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        self.tree.digest(path)
    }
}

/// Renders units with the same questions one after the other, and counts what each reads.
struct Units {
    tree: Arc<Counted>,
    world: TestWorld,
    recipes: [Recipe; 4],
}

impl Units {
    fn new(seen: &Seen, questions: &[Value]) -> Self {
        let tree = Arc::new(Counted {
            tree: tree(&seen.main),
            reads: AtomicUsize::new(0),
        });
        let mut world = TestWorld::new(seen);
        world.main = tree.clone();
        let recipes = ["one", "two", "three", "four"].map(|name| {
            let mut recipe = recipe(questions, ConfigKind::ConfigMap);
            recipe.unit = UnitId::new("Pipeline", "n", name);
            recipe.steps[0].name = name.into();
            recipe
        });
        Self {
            tree,
            world,
            recipes,
        }
    }

    fn render(&self, renderer: &Renderer, unit: usize) -> (Rendered, usize) {
        let before = self.tree.reads.load(Ordering::Relaxed);
        let recipe = &self.recipes[unit];
        let rendered = renderer
            .render(recipe, &self.world, &CancellationToken::new())
            .unwrap();
        assert!(rendered.steps[0].ran);
        (rendered, self.tree.reads.load(Ordering::Relaxed) - before)
    }
}

#[test]
fn what_is_prepared_is_made_once_for_all_units() {
    let seen = seen_files(&[("a", "1"), ("d/a", "2"), ("b", "3")]);
    let questions = [
        json!({"prepared": [{"read": "a"}, {"entries": "d"}, {"read": "d/a"}, {"read": "gone"}]}),
        json!({"read": "b"}),
    ];
    let units = Units::new(&seen, &questions);
    let renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
    // The step depends on what was read for it, however it came about.
    let once = Renderer::once(asker().0.clone()).unwrap();
    let (alone, read) = units.render(&once, 0);
    assert_eq!(read, 3);
    for (unit, expected) in [3, 3, 1, 1].into_iter().enumerate() {
        let (rendered, read) = units.render(&renderer, unit);
        assert_eq!(read, expected, "unit {unit}");
        assert_eq!(text(&rendered), text(&alone));
        assert_eq!(rendered.steps[0].files, alone.steps[0].files);
        assert_eq!(rendered.dependencies, alone.dependencies);
    }
    let changed = seen_files(&[("a", "1"), ("d/a", "changed"), ("b", "3")]);
    let again = render(&renderer, &units.recipes[0], &changed);
    assert!(again.steps[0].ran && text(&again).contains(&format!("{:?}", b"changed")));
}

#[test]
fn a_preparer_that_fails_is_not_asked_again() {
    let seen = seen_files(&[("a", "1")]);
    let questions = [json!({"prepared": [{"read": "a"}, "time"]})];
    let units = Units::new(&seen, &questions);
    let renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
    for (unit, expected) in [1, 2, 1, 1].into_iter().enumerate() {
        let (rendered, read) = units.render(&renderer, unit);
        assert_eq!(read, expected, "unit {unit}");
        assert!(text(&rendered).contains(&format!("{:?}\\n0", b"1")));
    }
}

#[test]
fn what_is_too_large_to_keep_is_made_by_each_step() {
    let long = "x".repeat(100 << 10);
    let seen = seen_files(&[("a", &long)]);
    let units = Units::new(&seen, &[json!({"prepared": [{"read": "a"}]})]);
    let renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
    for (unit, expected) in [1, 2, 1, 1].into_iter().enumerate() {
        assert_eq!(units.render(&renderer, unit).1, expected, "unit {unit}");
    }
}

/// What comes out when it is asked for by another unit for the second time, which is when it is prepared.
fn second_text(renderer: &Renderer, recipe: &Recipe, seen: &Seen) -> String {
    render(renderer, recipe, seen);
    let mut second = recipe.clone();
    second.unit = UnitId::new("Pipeline", "n", "second");
    text(&render(renderer, &second, seen))
}

#[test]
fn a_preparer_sees_nothing_but_its_tree() {
    let seen = seen_files(&[("a", "1")]);
    let questions = json!({"prepared": [
        {"value": "v"}, {"other": "a"}, {"prepared": [{"read": "a"}]}, {"read": "a"},
    ]});
    let asking = recipe(&[questions], ConfigKind::ConfigMap);
    let renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
    let shown = second_text(&renderer, &asking, &seen);
    let refused = "a preparer sees nothing but its tree";
    assert_eq!(shown.matches(refused).count(), 3, "{shown}");
    assert!(shown.contains(&format!("{:?}", b"1")), "{shown}");
    // What always has an answer ends it, and the step does the work itself.
    let questions = json!({"prepared": ["time", {"read": "a"}]});
    let asking = recipe(&[questions], ConfigKind::ConfigMap);
    let shown = second_text(&renderer, &asking, &seen);
    assert!(shown.contains(&format!("0\\n{:?}", b"1")), "{shown}");
}

#[test]
fn what_saw_a_secret_is_tainted_and_its_digest_is_keyed() {
    let mut seen = Seen {
        values: [("v".to_owned(), SECRET.to_owned())].into(),
        ..seen_files(&[])
    };
    let recipe = recipe(&[json!({"value": "v"})], ConfigKind::Secret);
    let renderers: Vec<Renderer> = (0..2)
        .map(|_| Renderer::new(asker().0.clone(), 1 << 20).unwrap())
        .collect();
    let rendered: Vec<Rendered> = renderers
        .iter()
        .map(|renderer| render(renderer, &recipe, &seen))
        .collect();
    assert!(rendered.iter().all(|rendered| rendered.bundle.tainted));
    assert_eq!(text(&rendered[0]), text(&rendered[1]));
    assert_ne!(
        rendered[0].bundle.digest, rendered[1].bundle.digest,
        "anybody could compute this digest"
    );
    assert!(!render(&renderers[0], &recipe, &seen).steps[0].ran);
    seen.values.insert("v".into(), "another".into());
    assert!(render(&renderers[0], &recipe, &seen).steps[0].ran);
}

#[test]
fn a_renderer_for_one_render_makes_the_same_and_keeps_nothing() {
    let seen = seen_files(&[("a", "1")]);
    let recipe = recipe(
        &[json!({"read": "a"}), json!({"read": "gone"})],
        ConfigKind::ConfigMap,
    );
    let kept = render(
        &Renderer::new(asker().0.clone(), 1 << 20).unwrap(),
        &recipe,
        &seen,
    );
    let once = Renderer::once(asker().0.clone()).unwrap();
    for _ in 0..2 {
        let rendered = render(&once, &recipe, &seen);
        assert_eq!(text(&rendered), text(&kept));
        assert_eq!(rendered.steps[0].files, kept.steps[0].files);
        assert_eq!(rendered.dependencies, kept.dependencies);
        assert!(rendered.steps[0].ran);
        assert_eq!(rendered.bundle.digest, None);
    }
    assert!(kept.bundle.digest.is_some());
}

#[test]
fn without_a_key_what_is_random_is_marked() {
    struct Keyless(TestWorld);
    impl World for Keyless {
        fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal> {
            self.0.source(id)
        }
        fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
            self.0.plugin(name)
        }
        fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
            self.0.input(reference)
        }
        fn kube_version(&self) -> String {
            self.0.kube_version()
        }
        fn api_versions(&self) -> Arc<[String]> {
            self.0.api_versions()
        }
        fn random_key(&self) -> Option<[u8; 32]> {
            None
        }
        fn object(&self, a: &str, b: &str, c: &str, d: &str) -> Result<String, Refusal> {
            self.0.object(a, b, c, d)
        }
        fn objects(&self, a: &str, b: &str, c: &str, d: &str) -> Result<String, Refusal> {
            self.0.objects(a, b, c, d)
        }
        fn open_url(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
            self.0.open_url(url, budget)
        }
        fn open_chart(
            &self,
            a: &str,
            b: &str,
            c: &str,
            budget: &Budget,
        ) -> Result<SourceTree, Refusal> {
            self.0.open_chart(a, b, c, budget)
        }
        fn unwrap_key(&self, a: &str, b: &[(String, String)], c: &[u8]) -> Result<Bytes, Refusal> {
            self.0.unwrap_key(a, b, c)
        }
    }
    let seen = seen_files(&[]);
    let renderer = Renderer::new(asker().0.clone(), 1 << 20).unwrap();
    let rendered = renderer
        .render(
            &recipe(&[json!({"random": "password"})], ConfigKind::ConfigMap),
            &Keyless(TestWorld::new(&seen)),
            &CancellationToken::new(),
        )
        .unwrap();
    let pointers: Vec<&str> = rendered
        .bundle
        .placeholders
        .iter()
        .map(|one| one.pointer.as_str())
        .collect();
    assert_eq!(pointers, ["/data/answers"]);
}
