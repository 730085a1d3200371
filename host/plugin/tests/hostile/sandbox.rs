//! What a program can do elsewhere, and crashes.

use weir_plugin::CallError;

use crate::{Watch, case, error};

#[test]
fn the_standard_library_finds_nothing_of_the_machine() {
    let watch = Watch::start();
    for (name, text, expected) in [
        ("environment", "", "[] []"),
        ("clock", "", "0ns"),
        ("sleep", "", "slept 3600 s"),
        ("file", "/etc/passwd", "entity not found"),
        ("connect", "127.0.0.1:80", "permission denied"),
        ("thread", "", "unsupported"),
    ] {
        let found = watch.beside(name, || error(case(name, text)));
        assert_eq!(found, expected, "{name}");
    }
    let seed = || watch.beside("hash-seed", || error(case("hash-seed", "")));
    assert_eq!(seed(), seed());
}

#[test]
fn ending_the_process_ends_only_the_call() {
    let watch = Watch::start();
    let found = watch.beside("exit", || error(case("exit", "")));
    assert_eq!(
        found,
        "plugin hostile crashed in step test: it ended its own process instead of returning"
    );
}

#[test]
fn a_panic_is_reported_with_its_message_and_the_way_there() {
    let watch = Watch::start();
    let error = watch.beside("panic", || {
        case("panic", "no such luck").transform().unwrap_err()
    });
    let CallError::Trap {
        plugin,
        step,
        reason,
        backtrace,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((plugin.as_str(), step.as_str()), ("hostile", "test"));
    assert!(
        reason.starts_with("panicked at src/lib.rs:") && reason.ends_with(": no such luck"),
        "{reason}"
    );
    assert!(backtrace.contains("guest_hostile"), "{backtrace}");
    assert!(
        backtrace.contains("weir:plugin/transformer@0.1.0#transform"),
        "{backtrace}"
    );
}
