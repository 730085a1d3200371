//! Calls that use more than they may.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use weir_plugin::{CallError, Limits};

use crate::{Watch, case, error, guest, handmade, limit, small};

const MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}";

fn many(count: usize) -> String {
    (0..count)
        .map(|n| format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: x{n}}}}}\n"))
        .collect()
}

#[test]
fn each_limit_has_its_own_error() {
    let watch = Watch::start();
    let check = |name: &str, limits: Limits, expected: &str| {
        let call = case(name, "")
            .limits(limits)
            .objects(&many(1000))
            .file("big", vec![0; 1 << 20]);
        let call = call.grants(weir_plugin::Grants::all());
        assert_eq!(watch.beside(name, || limit(call)), expected, "{name}");
    };
    let fuel = Limits {
        fuel: 1_000_000,
        ..small()
    };
    let brief = Limits {
        time_ms: 100,
        ..small()
    };
    check(
        "loop",
        fuel.clone(),
        "it used more than 1000000 units of fuel (fuel)",
    );
    check("loop", brief.clone(), "it ran longer than 100 ms (timeMs)");
    check(
        "host-loop",
        small(),
        "it called the host more than 20000 times (hostCalls)",
    );
    check(
        "host-loop",
        Limits {
            host_calls: u64::MAX,
            ..fuel
        },
        "it used more than 1000000 units of fuel (fuel)",
    );
    check(
        "host-loop",
        Limits {
            host_calls: u64::MAX,
            ..brief
        },
        "it ran longer than 100 ms (timeMs)",
    );
    check(
        "question-loop",
        small(),
        "it called the host more than 20000 times (hostCalls)",
    );
    check(
        "read-loop",
        small(),
        "an answer of 1048576 bytes is more than it may still read (readBytes)",
    );
    check(
        "body-loop",
        Limits {
            read_bytes: 10_000,
            ..small()
        },
        "it read more than 10000 bytes (readBytes)",
    );
    check(
        "add-loop",
        small(),
        "it wrote more than 8388608 bytes (outputBytes)",
    );
    check(
        "many-objects",
        small(),
        "it made more than 2000 objects (objects)",
    );
    check(
        "big-object",
        Limits {
            output_bytes: 100 << 20,
            ..small()
        },
        "the object has 10485838 bytes, over the limit of 1048576 (objectBytes)",
    );
    check(
        "merge-loop",
        small(),
        "the object has 1050907 bytes, over the limit of 1048576 (objectBytes)",
    );
    check(
        "attach-loop",
        small(),
        "it wrote more than 8388608 bytes (outputBytes)",
    );
    check(
        "log-loop",
        small(),
        "its findings and log lines have more than 262144 bytes (logBytes)",
    );
    check(
        "empty-log-loop",
        small(),
        "its findings and log lines have more than 262144 bytes (logBytes)",
    );
    check(
        "finding-loop",
        small(),
        "it reported more than 1000 findings (diagnostics)",
    );
    check(
        "big-finding",
        small(),
        "its findings and log lines have more than 262144 bytes (logBytes)",
    );
    check(
        "progress-loop",
        small(),
        "it called the host more than 20000 times (hostCalls)",
    );
    check(
        "handles",
        small(),
        "it holds more than 5000 handles at once (handles)",
    );
    check(
        "tree-handles",
        small(),
        "it holds more than 5000 handles at once (handles)",
    );
}

#[test]
fn memory_has_a_limit() {
    let watch = Watch::start();
    let found = watch.beside("memory", || limit(case("memory", "")));
    // How much it wanted when depends on its allocator.
    assert!(
        found.starts_with("it wanted 6")
            && found.ends_with(" bytes of memory, more than 67108864 (memoryBytes)"),
        "{found}"
    );
}

#[test]
fn a_million_handles_are_too_many_even_for_the_ceiling() {
    let watch = Watch::start();
    let limits = Limits {
        memory_bytes: 256 << 20,
        ..Limits::CEILING
    };
    let call = case("tree-handles", "").limits(limits);
    assert_eq!(
        watch.beside("tree-handles", || limit(call)),
        "it holds more than 1000000 handles at once (handles)"
    );
}

#[test]
fn tables_and_stacks_have_limits() {
    let watch = Watch::start();
    let call = |grow: &str| {
        handmade::plugin(&handmade::Parts {
            transform: grow,
            ..handmade::Parts::default()
        })
    };
    let tables = call(
        "(loop $again (drop (table.grow (ref.null func) (i32.const 1000))) (br $again)) (i32.const 512)",
    );
    let found = watch.beside("table.grow", || {
        tables.call().transform().unwrap_err().to_string()
    });
    let text = "plugin handmade went over a limit in step test: it wanted tables with 100001 elements, more than 100000 (tableElements)";
    assert_eq!(found, text);
    let deep = call("(call $deep (i32.const 0))");
    let found = watch.beside("recursion", || {
        deep.call().transform().unwrap_err().to_string()
    });
    let text = "plugin handmade went over a limit in step test: its calls nest too deep for 8388608 bytes of stack (stackBytes)";
    assert_eq!(found, text);
    // A program of Rust runs out of the stack that it keeps in its memory first.
    let found = watch.beside("frames", || error(case("frames", "")));
    assert_eq!(
        found,
        "plugin hostile crashed in step test: out of bounds memory access"
    );
}

#[test]
fn what_is_handed_over_at_once_is_limited() {
    let watch = Watch::start();
    let call = case("long-list", "").limits(Limits {
        memory_bytes: 256 << 20,
        ..small()
    });
    assert_eq!(
        watch.beside("long-list", || limit(call)),
        "it handed more than 100663296 bytes to the host in one call"
    );
    for (name, expected) in [
        (
            "random",
            "it asked for 4294967295 random bytes, 65536 is the most",
        ),
        (
            "long-name",
            "it asked with a name of 1048576 bytes, 4096 is the most",
        ),
    ] {
        let found = watch.beside(name, || error(case(name, "")));
        assert_eq!(
            found,
            format!("plugin hostile crashed in step test: {expected}")
        );
    }
}

#[test]
fn printing_is_dropped_and_failures_are_cut() {
    let watch = Watch::start();
    let call = case("print-loop", "").limits(Limits {
        fuel: 100_000_000,
        host_calls: u64::MAX,
        ..small()
    });
    assert_eq!(
        watch.beside("print-loop", || limit(call)),
        "it used more than 100000000 units of fuel (fuel)"
    );
    let found = watch.beside("long-failure", || error(case("long-failure", "xxxx")));
    assert_eq!(found.len(), 16 << 10);
    let call = case("grow", "").limits(small());
    let found = watch.beside("grow", || {
        call.filter("a", "", vec![0; 10_000])
            .unwrap_err()
            .to_string()
    });
    let text = "plugin hostile went over a limit in step test: it wrote more than 8388608 bytes (outputBytes)";
    assert_eq!(found, text);
}

#[test]
fn plugins_that_call_each_other_without_end_are_stopped() {
    let watch = Watch::start();
    let all = weir_plugin::Grants::all();
    let call = case("delegate-again", "self")
        .grants(all.clone())
        .plugin("self", guest(), all);
    let found = watch.beside("delegate-again", || error(call));
    // Four calls deep the limit is reached; each caller passes on what it was told.
    let inner = "plugin hostile went over a limit in step test/self: plugins call plugins more than 4 deep (depth)";
    assert_eq!(found, format!("failed: failed: failed: failed: {inner}"));
}

#[test]
fn a_call_can_be_cancelled() {
    let watch = Watch::start();
    for name in ["loop", "host-loop", "question-loop"] {
        let token = CancellationToken::new();
        let limits = Limits {
            host_calls: u64::MAX,
            ..Limits::CEILING
        };
        let call = case(name, "")
            .limits(limits)
            .cancel(token.clone())
            .objects(MAP);
        let running = std::thread::spawn(move || {
            let result = call.transform();
            (Instant::now(), result)
        });
        watch.beside(name, || ());
        let cancelled = Instant::now();
        token.cancel();
        let (ended, result) = running.join().unwrap();
        assert!(
            matches!(result, Err(CallError::Cancelled)),
            "{name}: {result:?}"
        );
        // 50 ms on a machine that has a core for it; this one may be busy with other tests.
        assert!(
            ended.duration_since(cancelled) < Duration::from_millis(500),
            "{name}: {:?}",
            ended - cancelled
        );
    }
    let token = CancellationToken::new();
    token.cancel();
    assert!(matches!(
        case("nothing", "").cancel(token).transform(),
        Err(CallError::Cancelled)
    ));
}

/// What takes long in one instruction costs more than others.
#[test]
fn a_guest_that_only_copies_is_stopped_in_time() {
    let watch = Watch::start();
    let copies = handmade::plugin(&handmade::Parts {
        memory: "256",
        transform: "(loop $again (memory.copy (i32.const 0) (i32.const 4096) (i32.const 16000000)) (br $again)) (i32.const 512)",
        ..handmade::Parts::default()
    });
    let limits = Limits {
        time_ms: 100,
        ..Limits::default()
    };
    let (found, took) = watch.beside("copies", || {
        let started = Instant::now();
        let found = copies.call().limits(limits.clone()).transform();
        (found.unwrap_err().to_string(), started.elapsed())
    });
    let text = "plugin handmade went over a limit in step test: it ran longer than 100 ms (timeMs)";
    assert_eq!(found, text);
    assert!(took < Duration::from_millis(600), "{took:?}");
}

#[test]
fn nobody_gets_more_than_the_ceiling() {
    let watch = Watch::start();
    let limits = Limits {
        memory_bytes: u64::MAX,
        stack_bytes: u64::MAX,
        depth: u32::MAX,
        ..Limits::CEILING
    };
    assert_eq!(limits.capped(), Limits::CEILING);
    watch.beside("nothing", || {
        case("nothing", "").limits(limits).transform().unwrap()
    });
}
