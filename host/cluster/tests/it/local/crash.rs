//! Being killed at any moment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use weir_api::Object;
use weir_cluster::{Cluster as _, Delete, Local, Selection};

use super::files::{config_map, copy};
use crate::bed::{applied_by, config_maps, how};

/// Set for the process that is to be killed: the folder in which it writes.
const FOLDER: &str = "WEIR_CLUSTER_CRASH_FOLDER";
/// How many objects it writes again and again.
const OBJECTS: u64 = 5;

/// Not a test by itself: what the killed process runs. It tells each write before and after it.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let cluster = Local::open(folder).unwrap();
        let mut out = std::io::stdout();
        for count in 0.. {
            let name = format!("c{}", count % OBJECTS);
            // Each write states a field of its own, so that what is owned tells which one it was.
            let object = numbered(&name, count);
            writeln!(out, "\nstart {name} {count}").unwrap();
            if count % 17 == 16 {
                cluster
                    .delete(&object.key(), &Delete::default())
                    .await
                    .unwrap();
                writeln!(out, "gone {name} {count}").unwrap();
            } else {
                cluster.apply(&object, &how("m")).await.unwrap();
                writeln!(out, "done {name} {count}").unwrap();
            }
        }
    });
}

#[test]
fn a_process_killed_at_any_moment_leaves_whole_objects() {
    let folder = tempfile::tempdir().unwrap();
    let mut versions = 0;
    for round in 0..20 {
        let told = run_and_kill(folder.path(), 3 + round * 7);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        versions = runtime.block_on(check(folder.path(), &told, versions));
    }
}

/// Runs the writer and kills it after it told of some writes. Gives what it told.
fn run_and_kill(folder: &Path, lines: u64) -> Vec<String> {
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local::crash::writer", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = Vec::new();
    let mut output = BufReader::new(writer.stdout.take().unwrap()).lines();
    while (told.len() as u64) < lines {
        let line = output
            .next()
            .expect("the writer goes on until it is killed")
            .unwrap();
        if ["start ", "done ", "gone "]
            .iter()
            .any(|start| line.starts_with(start))
        {
            told.push(line);
        }
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    // What it still told before it died.
    told.extend(output.map_while(Result::ok).filter(|line| {
        ["start ", "done ", "gone "]
            .iter()
            .any(|start| line.starts_with(start))
            && line.split(' ').count() == 3
    }));
    told
}

/// Opens the folder and compares it with what was told. Gives the newest version.
async fn check(folder: &Path, told: &[String], versions: u64) -> u64 {
    let cluster = Local::open(folder).unwrap();
    let mut expected: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    let mut open = None;
    for line in told {
        let [what, name, count] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let count = count.parse::<u64>().unwrap();
        match what {
            "start" => open = Some((name, count)),
            "done" => drop(expected.insert(name, Some(count))),
            "gone" => drop(expected.insert(name, None)),
            other => panic!("{other}"),
        }
    }
    let list = cluster
        .list(&config_maps(), &Selection::default())
        .await
        .unwrap();
    let found: BTreeMap<&str, &Object> = list
        .objects
        .iter()
        .map(|object| (object.name(), object))
        .collect();
    for (name, count) in expected {
        let object = found.get(name);
        let number = object.map(|object| number_of(object));
        // The last one that was told may have happened or not; all others have.
        let last = open
            .filter(|(last, _)| *last == name)
            .map(|(_, count)| count);
        let possible = number == count
            || last
                .is_some_and(|last| number == Some(last) || (last % 17 == 16 && number.is_none()));
        assert!(
            possible,
            "{name}: {number:?} instead of {count:?} (or {last:?})"
        );
    }
    let mut newest = versions;
    for object in &list.objects {
        let number = number_of(object);
        // Value, owner and file are of the same write.
        assert_eq!(
            applied_by(object, "m"),
            json!({"f:data": {format!("f:n{number}"): {}}})
        );
        let text =
            fs::read_to_string(folder.join(format!("default/configmaps/{}.yaml", object.name())))
                .unwrap();
        assert!(text.contains(&format!("n{number}:")), "{text}");
        newest = newest.max(object.resource_version().parse().unwrap());
    }
    let files = fs::read_dir(folder.join("default/configmaps"))
        .map(Iterator::count)
        .unwrap_or(0);
    assert_eq!(
        files,
        list.objects.len(),
        "no file is left half written or without an object"
    );
    let next = cluster
        .apply(&config_map("next", &newest.to_string()), &how("next"))
        .await
        .unwrap();
    let next_version = next.resource_version().parse::<u64>().unwrap();
    assert!(next_version > newest, "no version is given out twice");
    cluster
        .delete(&next.key(), &Delete::default())
        .await
        .unwrap();
    next_version
}

fn numbered(name: &str, count: u64) -> Object {
    let data = json!({format!("n{count}"): "x"});
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data});
    Object::new(object).unwrap()
}

fn number_of(object: &Object) -> u64 {
    let data = object.get("/data").unwrap().as_object().unwrap();
    assert_eq!(data.len(), 1, "{data:?}");
    data.keys().next().unwrap()[1..].parse().unwrap()
}

/// The log is a write ahead of the files: whatever part of its last line is there, and whether or not the file is.
#[tokio::test]
async fn every_cut_of_the_last_write_is_the_old_or_the_new_state() {
    for change in ["change", "make", "delete"] {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Local::open(folder.path()).unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("m"))
            .await
            .unwrap();
        let before = copy(folder.path());
        match change {
            "change" => drop(
                cluster
                    .apply(&config_map("a", "2"), &how("m"))
                    .await
                    .unwrap(),
            ),
            "make" => drop(
                cluster
                    .apply(&config_map("b", "2"), &how("m"))
                    .await
                    .unwrap(),
            ),
            _ => drop(
                cluster
                    .delete(&config_map("a", "1").key(), &Delete::default())
                    .await
                    .unwrap(),
            ),
        }
        let after = copy(folder.path());
        let log = fs::read(after.path().join(".weir/journal")).unwrap();
        let start = fs::read(before.path().join(".weir/journal")).unwrap().len();
        let cuts: Vec<usize> = (start..log.len())
            .step_by(7)
            .chain([log.len() - 1, log.len()])
            .collect();
        for cut in cuts {
            let whole = cut == log.len();
            for files in [before.path(), after.path()] {
                // Files follow the log, never the other way round.
                if !whole && files == after.path() {
                    continue;
                }
                let crashed = copy(files);
                fs::write(crashed.path().join(".weir/journal"), &log[..cut]).unwrap();
                let cluster = Local::open(crashed.path()).unwrap();
                let list = cluster
                    .list(&config_maps(), &Selection::default())
                    .await
                    .unwrap();
                let found: Vec<String> = list
                    .objects
                    .iter()
                    .map(|object| format!("{}={}", object.name(), object.get("/data/k").unwrap()))
                    .collect();
                let expected: &[&str] = match (change, whole) {
                    (_, false) => &["a=\"1\""],
                    ("change", true) => &["a=\"2\""],
                    ("make", true) => &["a=\"1\"", "b=\"2\""],
                    (_, true) => &[],
                };
                assert_eq!(
                    found,
                    expected,
                    "{change}, cut at {cut} of {start}..{}",
                    log.len()
                );
                assert!(
                    list.objects
                        .iter()
                        .all(|object| applied_by(object, "m").is_object()),
                    "still owned by who applied"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let cluster = Local::open(folder.path()).unwrap();
        cluster
            .apply(&config_map("a", "1"), &how("m"))
            .await
            .unwrap();
        cluster
            .apply(&config_map("b", "1"), &how("m"))
            .await
            .unwrap();
    }
    let path = folder.path().join(".weir/journal");
    let mut log = fs::read(&path).unwrap();
    let middle = log.len() / 2;
    log[middle] ^= 1;
    fs::write(&path, log).unwrap();
    let message = Local::open(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains(".weir/journal: line ")
            && message.contains(" is damaged: its checksum is wrong"),
        "{message}"
    );
}

#[tokio::test]
async fn a_log_that_grew_is_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join(".weir/journal");
    let cluster = Local::open(folder.path()).unwrap();
    let large = "x".repeat(20_000);
    for count in 0..100 {
        cluster
            .apply(&config_map("a", &format!("{large}{count}")), &how("m"))
            .await
            .unwrap();
    }
    cluster.flush().await.unwrap();
    // Two megabytes were written. A sync in between may have rewritten the log, and what came since may stay: up to one.
    let length = fs::metadata(&log).unwrap().len();
    assert!(length <= 1 << 20, "{length}");
    let last = cluster
        .get(&config_map("a", "").key())
        .await
        .unwrap()
        .unwrap();
    cluster
        .apply(&config_map("b", "1"), &how("m"))
        .await
        .unwrap();
    drop(cluster);
    let cluster = Local::open(folder.path()).unwrap();
    assert_eq!(cluster.get(&last.key()).await.unwrap().unwrap(), last);
    assert!(
        cluster
            .get(&config_map("b", "1").key())
            .await
            .unwrap()
            .is_some()
    );
}
