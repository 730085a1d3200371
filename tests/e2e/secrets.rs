//! What was read from a Secret reaches the cluster and nothing else: no byte of it is written to disk elsewhere, and
//! none is printed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use weir_api::{Object, crd};
use weir_cluster::{Apply, Cluster as _, Local};

use crate::lab::checkout;
use crate::weir;

/// What is looked for is as long as this: shorter pieces are found anywhere.
const WINDOW: usize = 8;
const CASES: u32 = 6;
const CASES_FULL: u32 = 60;

/// The keys of one Secret and their values, random and of several kinds.
fn secrets() -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![
        "[a-zA-Z0-9]{16,64}",
        "[ -~]{16,200}",
        "([a-z0-9+/]{40}\n){2,6}",
        r#"\{"[a-z]{12}": "[#-Z]{16,40}"\}"#,
        "[äöüßéèλж→]{12,30}",
    ];
    prop::collection::vec(value, 4..12)
}

#[test]
fn no_byte_of_a_planted_secret_is_written_outside_of_the_cluster() -> Result<()> {
    let asker = weir_testing::plugin::build_guest(checkout().join("tests/guests/asker"))?;
    let asker = fs::read(asker)?;
    let cases = match std::env::var_os("WEIR_TEST_FULL") {
        Some(_) => CASES_FULL,
        None => CASES,
    };
    let config = Config {
        cases,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    };
    // One home for all, so that the component is compiled once.
    let home = tempfile::tempdir()?;
    let outcome = TestRunner::new(config).run(&secrets(), |secrets| {
        let found = one_case(&asker, &secrets, home.path())
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        prop_assert!(found.is_empty(), "{found:#?}");
        Ok(())
    });
    outcome.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Runs everything that a process does with a secret, and gives where pieces of one were found.
fn one_case(asker: &[u8], secrets: &[String], home: &Path) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let (cluster, repository) = (
        folder.path().join("cluster"),
        folder.path().join("repository"),
    );
    plant(&cluster, secrets)?;
    write(&repository.join("plugins/asker.wasm"), asker)?;
    write(
        &repository.join("main/objects.yaml"),
        objects(secrets.len()).as_bytes(),
    )?;
    write(&repository.join("app/file.yaml"), b"a: 1\n")?;
    let mut planted = pieces(secrets);
    // The component has pieces of its own: the digits of all numbers below a hundred, which a secret can be in hexadecimal.
    asker.windows(WINDOW).for_each(|piece| {
        planted.remove(piece);
    });
    let mut found = Vec::new();
    // From nothing; with all caches; after a change that the step sees; with a step that fails.
    for change in [None, None, Some("a: 2\n"), Some("a: [\n")] {
        if let Some(text) = change {
            write(&repository.join("app/file.yaml"), text.as_bytes())?;
        }
        let output = run(folder.path(), home, &repository, &cluster)?;
        for (name, said) in [
            ("standard output", &output.stdout),
            ("standard error", &output.stderr),
        ] {
            if contains(said, &planted) {
                found.push(format!("{name}: {}", String::from_utf8_lossy(said)));
            }
        }
        look_through(folder.path(), &cluster, &planted, &mut found)?;
        look_through(home, &cluster, &planted, &mut found)?;
    }
    // The secret was really read: what the step made of it stands in the cluster.
    anyhow::ensure!(
        anywhere(&cluster.join("default"), &planted)?,
        "no step saw the secret"
    );
    Ok(found)
}

/// The Secret is in the cluster before; no repository has it.
fn plant(cluster: &Path, secrets: &[String]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let data: serde_json::Map<String, Value> = secrets
        .iter()
        .enumerate()
        .map(|(number, value)| (format!("key{number}"), Value::from(value.as_str())))
        .collect();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "default", "name": "planted"}, "stringData": data,
    });
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    runtime.block_on(async {
        let cluster = Local::open(cluster)?;
        let definitions = crd::all().into_iter().map(|(_, definition)| definition);
        for value in definitions.chain([namespace, secret]) {
            let how = Apply {
                manager: "test".into(),
                force: true,
                dry_run: false,
            };
            cluster.apply(&Object::new(value)?, &how).await?;
        }
        Ok(())
    })
}

/// A Pipeline that reads every key of the Secret, makes an object of it, and hands it on to a further step.
fn objects(keys: usize) -> String {
    let inputs: serde_json::Map<String, Value> = (0..keys)
        .map(|number| {
            let key = format!("key{number}");
            let input = json!({"kind": "Secret", "name": "planted", "key": key});
            (key, input)
        })
        .collect();
    let mut questions: Vec<Value> = (0..keys)
        .map(|number| json!({"text": format!("key{number}")}))
        .collect();
    questions.push(json!({"parsed": "app/file.yaml"}));
    questions.push(json!({"random": "password"}));
    let source =
        json!({"kind": "GitRepository", "namespace": "flux-system", "name": "flux-system"});
    let plugin = json!({
        "apiVersion": "weir.dev/v1alpha1", "kind": "Plugin", "metadata": {"name": "asker"},
        "spec": {"component": {"sourceRef": source, "path": "plugins/asker.wasm"}, "grants": {"files": ["**"], "values": ["*"]}},
    });
    let pipeline = json!({
        "apiVersion": "weir.dev/v1alpha1", "kind": "Pipeline", "metadata": {"namespace": "default", "name": "reader"},
        "spec": {
            "interval": "1h", "prune": true, "sourceRef": source,
            "steps": [{"plugin": "asker", "config": {"questions": questions}, "inputs": inputs}],
        },
    });
    let mut text = String::new();
    for object in [plugin, pipeline] {
        // JSON is YAML.
        let _ = writeln!(text, "---\n{object}");
    }
    text
}

/// Everything that the process may take for its own is in the folder.
fn run(
    folder: &Path,
    home: &Path,
    repository: &Path,
    cluster: &Path,
) -> Result<std::process::Output> {
    for name in ["tmp", "work"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let mut command = Command::new(weir());
    command.args([
        "run", "--once", "--path", "main", "--log", "debug", "--local",
    ]);
    command.arg(cluster).arg("--root").arg(repository);
    command
        .current_dir(folder.join("work"))
        .env("HOME", home)
        .env("TMPDIR", folder.join("tmp"))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("WEIR_CACHE");
    Ok(command.output()?)
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, content)?)
}

/// All pieces of the secrets, as they are and as they are usually written: base64, hexadecimal, escaped in JSON.
fn pieces(secrets: &[String]) -> HashSet<[u8; WINDOW]> {
    let mut pieces = HashSet::new();
    for secret in secrets {
        let bytes = secret.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![bytes.to_vec(), hex.into_bytes()];
        forms.push(Value::from(secret.as_str()).to_string().into_bytes());
        // In base64 a piece of a text looks differently by where it starts.
        forms.extend((0..3).map(|skipped| base64(&bytes[skipped..]).into_bytes()));
        for form in forms {
            pieces.extend(
                form.windows(WINDOW)
                    .filter_map(|piece| <[u8; WINDOW]>::try_from(piece).ok()),
            );
        }
    }
    // What is the same letter all along says nothing.
    pieces.retain(|piece| piece.iter().collect::<HashSet<_>>().len() > 3);
    pieces
}

/// Whole groups of three bytes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let number = group
            .iter()
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[number >> shift & 63]))
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

fn contains(content: &[u8], planted: &HashSet<[u8; WINDOW]>) -> bool {
    content
        .windows(WINDOW)
        .any(|piece| <[u8; WINDOW]>::try_from(piece).is_ok_and(|piece| planted.contains(&piece)))
}

/// Notes each file below the folder, but for those of the cluster, that has a piece of a secret in its name or content.
fn look_through(
    folder: &Path,
    cluster: &Path,
    planted: &HashSet<[u8; WINDOW]>,
    found: &mut Vec<String>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path == cluster {
            continue;
        }
        if contains(path.as_os_str().as_encoded_bytes(), planted) {
            found.push(format!("the name of {}", path.display()));
        }
        if path.is_dir() {
            look_through(&path, cluster, planted, found)?;
        } else if contains(&fs::read(&path)?, planted) {
            found.push(path.display().to_string());
        }
    }
    Ok(())
}

fn anywhere(folder: &Path, planted: &HashSet<[u8; WINDOW]>) -> Result<bool> {
    let mut found = Vec::new();
    look_through(folder, Path::new(""), planted, &mut found)?;
    Ok(found
        .iter()
        .any(|path| path.contains("ConfigMap") || path.contains("configmap")))
}

#[test]
fn a_leak_would_be_found() -> Result<()> {
    let secrets = [
        "correct horse battery staple".to_owned(),
        "päßwörter & mehr".to_owned(),
    ];
    let planted = pieces(&secrets);
    let folder = tempfile::tempdir()?;
    let cluster = folder.path().join("cluster");
    write(&cluster.join("secret"), secrets[0].as_bytes())?;
    let mut found = Vec::new();
    look_through(folder.path(), &cluster, &planted, &mut found)?;
    assert!(found.is_empty(), "{found:?}");
    let hex: String = secrets[1]
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let encoded = base64(format!("x{}yy", secrets[0]).as_bytes());
    for (number, text) in [
        &secrets[0][9..20],
        &hex,
        &encoded,
        "say \"p\\u00e4\" not päßwörter",
    ]
    .iter()
    .enumerate()
    {
        write(
            &folder.path().join(format!("leak{number}/file")),
            text.as_bytes(),
        )?;
    }
    look_through(folder.path(), &cluster, &planted, &mut found)?;
    assert_eq!(found.len(), 4, "{found:?}");
    Ok(())
}
