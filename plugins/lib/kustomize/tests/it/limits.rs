//! Hostile and absurd input: each gives a clear error, and quickly.

use std::time::{Duration, Instant};

use weir_kustomize::{Options, build};

use crate::memory::{MemoryHost, error, yaml};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

/// Builds one resource file that has to fail, in a time that no test machine exceeds.
fn refused(content: &[u8]) -> String {
    let files: [(&str, &[u8]); 2] = [
        ("kustomization.yaml", b"resources: [a.yaml]"),
        ("a.yaml", content),
    ];
    let begin = Instant::now();
    let made =
        build(&MemoryHost::new(&files), "", &Options::default()).and_then(|built| built.to_yaml());
    assert!(
        begin.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        begin.elapsed()
    );
    made.unwrap_err().to_string()
}

#[test]
fn bases_in_a_circle_are_named() {
    let message = error(&[
        ("kustomization.yaml", "resources: [a]"),
        ("a/kustomization.yaml", "resources: [../b]"),
        ("b/kustomization.yaml", "resources: [../a]"),
    ])
    .to_string();
    assert!(
        message.contains("cycle") && message.contains("b/kustomization.yaml"),
        "{message}"
    );
    let message = error(&[("kustomization.yaml", "resources: [.]")]).to_string();
    assert!(message.contains("cannot include itself"), "{message}");
    let message = error(&[
        ("kustomization.yaml", "resources: [a]"),
        ("a/kustomization.yaml", "resources: [..]"),
    ])
    .to_string();
    assert!(message.contains("cycle"), "{message}");
}

#[test]
fn bases_nest_only_so_deep() {
    let files: Vec<(String, String)> = (0..150)
        .map(|at| {
            let dir = "d/".repeat(at);
            (
                format!("{dir}kustomization.yaml"),
                "resources: [d]\nnamePrefix: a\n".to_owned(),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert!(error(&files).to_string().contains("more than 100 levels"));
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = format!("{CONFIG_MAP}data:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..12 {
        let before = vec![format!("*a{}", at - 1); 10].join(", ");
        bomb.push_str(&format!("  a{at}: &a{at} [{before}]\n"));
    }
    let message = refused(bomb.as_bytes());
    assert!(
        message.contains("alias") || message.contains("nodes"),
        "{message}"
    );
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!(
            "{CONFIG_MAP}data: {}x{}\n",
            open.repeat(10_000),
            close.repeat(10_000)
        );
        assert!(
            refused(text.as_bytes()).contains("depth") || refused(text.as_bytes()).contains("deep")
        );
    }
    let json = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let kustomization = format!(
        "resources: [a.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: '{json}'\n"
    );
    error(&[
        ("kustomization.yaml", &kustomization),
        ("a.yaml", CONFIG_MAP),
    ]);
}

#[test]
fn huge_files_are_refused() {
    let mut huge = CONFIG_MAP.as_bytes().to_vec();
    huge.extend(b"data:\n  a: ");
    huge.resize(100 << 20, b'x');
    let message = refused(&huge);
    assert!(
        message.contains("bytes") || message.contains("large"),
        "{message}"
    );
}

#[test]
fn binary_files_are_refused() {
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert!(refused(&binary).contains("a.yaml"));
    assert!(refused(b"\xff\xfe\x00").contains("a.yaml"));
}

#[test]
fn an_object_twice_names_both_places() {
    let message = error(&[
        ("kustomization.yaml", "resources: [a.yaml, b.yaml]"),
        ("a.yaml", CONFIG_MAP),
        ("b.yaml", CONFIG_MAP),
    ])
    .to_string();
    assert!(
        message.contains("b.yaml:1") && message.contains("a.yaml:1"),
        "{message}"
    );
}

#[test]
fn expressions_cannot_explode() {
    let kustomization = "resources: [a.yaml]\npatches:\n- target: {name: '((a{1000}){1000}){1000}'}\n  patch: '[]'\n";
    let message = error(&[
        ("kustomization.yaml", kustomization),
        ("a.yaml", CONFIG_MAP),
    ])
    .to_string();
    assert!(message.contains("regular expression"), "{message}");
}

#[test]
fn many_objects_of_one_name_stay_quick() {
    check_growth(|count| {
        let mut file = String::new();
        for at in 0..count {
            file.push_str(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: same, namespace: n{at}}}\n---\napiVersion: v1\nkind: Pod\n\
                 metadata: {{name: p, namespace: n{at}}}\nspec: {{volumes: [{{name: v, configMap: {{name: same}}}}]}}\n---\n"
            ));
        }
        let text = yaml(&[
            (
                "kustomization.yaml",
                "resources: [a.yaml]\nnamePrefix: p-\n",
            ),
            ("a.yaml", &file),
        ]);
        assert_eq!(text.matches("name: p-same").count(), count * 2);
    });
}

#[test]
fn long_merge_lists_stay_quick() {
    let items = |from: usize, count: usize, value: &str| -> String {
        (from..from + count)
            .map(|at| format!("    - {{name: E{at}, value: {value}}}\n"))
            .collect()
    };
    let pod = |env: String| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: c\n    env:\n{env}"
        )
    };
    check_growth(|count| {
        let text = yaml(&[
            (
                "kustomization.yaml",
                "resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
            ),
            ("a.yaml", &pod(items(0, count, "old"))),
            ("p.yaml", &pod(items(count / 2, count, "new"))),
        ]);
        assert_eq!(
            (
                text.matches("value: new").count(),
                text.matches("value: old").count()
            ),
            (count, count / 2)
        );
    });
}

/// Checks that four times the input takes about four times as long, and not sixteen times. The time that the processor spent
/// counts, and of some runs the quickest: other programs run as well.
fn check_growth(build: impl Fn(usize)) {
    let quickest = |count: usize| {
        let runs = (0..3).map(|_| {
            let begin = processor_time();
            build(count);
            processor_time() - begin
        });
        runs.min().unwrap()
    };
    let (few, many) = (quickest(400), quickest(1600));
    assert!(
        many < few * 9 + Duration::from_millis(50),
        "{few:?} for a quarter of what took {many:?}"
    );
}

/// How long this thread has run.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split(' ').next().unwrap();
    Duration::from_nanos(nanoseconds.parse().unwrap())
}
