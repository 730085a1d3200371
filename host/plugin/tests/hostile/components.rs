//! Files that are no plugins.

use crate::handmade::{Parts, component, core, load, refused};
use crate::{Watch, handmade};

fn error(bytes: &[u8]) -> String {
    load(bytes).unwrap_err().to_string()
}

fn good() -> Vec<u8> {
    component(&core(&Parts::default()), "transformer-plugin")
}

#[test]
fn the_handmade_plugin_is_one() {
    let plugin = handmade::plugin(&Parts::default());
    assert_eq!(plugin.about().name, "handmade");
    plugin.call().transform().unwrap();
}

#[test]
fn files_that_are_no_components_are_refused() {
    let watch = Watch::start();
    let good = good();
    let check = |bytes: &[u8], expected: &str| {
        assert_eq!(watch.beside(expected, || error(bytes)), expected);
    };
    check(
        b"",
        "the file is not WebAssembly; a plugin is a WebAssembly component (.wasm)",
    );
    check(
        b"#!/bin/sh\n",
        "the file is not WebAssembly; a plugin is a WebAssembly component (.wasm)",
    );
    check(
        &wat::parse_str("(module)").unwrap(),
        "the file is a core WebAssembly module, but a plugin is a component; build it for the target wasm32-wasip2, or \
         wrap it with \"wasm-tools component new\"",
    );
    check(
        &vec![0; (64 << 20) + 1],
        "the file has 67108865 bytes, over the limit of 67108864 for a component",
    );
    for cut in [10, good.len() / 2, good.len() - 1] {
        let found = watch.beside("truncated", || error(&good[..cut]));
        assert!(
            found.starts_with("the file is not a valid component: "),
            "{cut}: {found}"
        );
    }
    let mut damaged = good.clone();
    let at = damaged
        .windows(4)
        .position(|bytes| bytes == b"\0asm")
        .unwrap()
        + 60;
    damaged[at] ^= 0x55;
    let found = watch.beside("damaged", || error(&damaged));
    assert!(
        found.starts_with("the file is not a valid component: "),
        "{found}"
    );
}

#[test]
fn components_of_another_world_are_refused() {
    let watch = Watch::start();
    let check = |text: &str, expected: &str| {
        let bytes = wat::parse_str(text).unwrap();
        assert_eq!(watch.beside(expected, || error(&bytes)), expected);
    };
    check(
        "(component)",
        "the component does not export weir:plugin/plugin@0.1.0, so it is not a plugin (it exports nothing)",
    );
    check(
        r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#,
        "the component does not export weir:plugin/plugin@0.1.0, so it is not a plugin (it exports wasi:cli/run@0.2.0)",
    );
    check(
        r#"(component (instance $i) (export "weir:plugin/plugin@0.2.0" (instance $i)))"#,
        "the component is made for version 0.2.0 of the plugin contract; this host has 0.1.0",
    );
    check(
        r#"(component
            (import "wasi:http/outgoing-handler@0.3.0" (instance))
            (import "other:thing/x" (instance))
            (import "log" (func))
            (instance $i) (export "weir:plugin/plugin@0.1.0" (instance $i)))"#,
        "the component imports what no plugin can have: wasi:http/outgoing-handler@0.3.0, other:thing/x, log (a function)",
    );
    check(
        r#"(component (import "weir:plugin/context@0.3.0" (instance))
            (instance $i) (export "weir:plugin/plugin@0.1.0" (instance $i)))"#,
        "the component is made for version 0.3.0 of the plugin contract; this host has 0.1.0",
    );
    check(
        r#"(component
            (import "weir:plugin/context@0.1.5" (instance (export "weather" (func (result string)))))
            (instance $i) (export "weir:plugin/plugin@0.1.0" (instance $i)))"#,
        "the component does not fit the plugin contract: component imports instance `weir:plugin/context@0.1.5`, but a \
         matching implementation was not found in the linker: instance export `weather` has the wrong type: function \
         implementation is missing",
    );
    let bytes = component(
        &core(&Parts::default()).replace(
            "(func (export \"weir:plugin/transformer@0.1.0#transform\")",
            "(func",
        ),
        "base",
    );
    let found = watch.beside("no kind", || error(&bytes));
    assert_eq!(
        found,
        "the plugin exports none of generator, transformer, validator and filter"
    );
}

#[test]
fn components_that_declare_too_much_are_refused_before_they_are_compiled() {
    let watch = Watch::start();
    let check = |parts: &Parts<'_>, expected: &str| {
        assert_eq!(watch.beside(expected, || refused(parts)), expected);
    };
    check(
        &Parts {
            memory: "65536",
            ..Parts::default()
        },
        "the component declares 4294967296 bytes of memory, over the limit of 2147483648",
    );
    check(
        &Parts {
            extra: "(table 4000000 funcref)",
            ..Parts::default()
        },
        "the component declares tables with 4000001 elements, over the limit of 1000000",
    );
    let modules = "(core module)".repeat(25);
    let bytes = wat::parse_str(format!("(component {modules})")).unwrap();
    assert_eq!(
        watch.beside("modules", || error(&bytes)),
        "the component declares 25 modules, over the limit of 24"
    );
    // A gigabyte of data that is not there.
    let mut bytes = good();
    let at = bytes
        .windows(10)
        .position(|window| window == b"handmade1.")
        .unwrap();
    let length = bytes[..at].iter().rposition(|byte| *byte == 0x0b).unwrap() + 1;
    bytes.splice(length..=length, [0x80, 0x80, 0x80, 0x80, 0x04]);
    let found = watch.beside("data", || error(&bytes));
    assert!(
        found.starts_with("the file is not a valid component: "),
        "{found}"
    );
}

#[test]
fn memory_that_is_declared_counts() {
    let watch = Watch::start();
    // One gigabyte, with data at its end: neither is allocated before a call that may have it.
    let parts = Parts {
        memory: "16384",
        extra: "(data (i32.const 1073741000) \"x\")",
        ..Parts::default()
    };
    let found = watch.beside("memory", || refused(&parts));
    let expected = "the plugin cannot say what it is: it wanted 1073741824 bytes of memory, more than 268435456 (memoryBytes)";
    assert_eq!(found, expected);
}

#[test]
fn plugins_that_cannot_say_what_they_are_are_refused() {
    let watch = Watch::start();
    let check = |parts: &Parts<'_>, expected: &str| {
        assert_eq!(watch.beside(expected, || refused(parts)), expected);
    };
    let describe = |describe| Parts {
        describe,
        ..Parts::default()
    };
    check(
        &describe("(loop $again (br $again)) (unreachable)"),
        "the plugin cannot say what it is: it used more than 1000000000 units of fuel (fuel)",
    );
    check(
        &describe("(unreachable)"),
        "the plugin cannot say what it is: it gave up (unreachable)",
    );
    check(
        &describe("(i32.const 0x7fffff00)"),
        "the plugin cannot say what it is: pointer out of bounds of memory",
    );
    check(
        &Parts {
            extra: "(data (i32.const 1028) \"\\ff\\ff\\ff\\7f\")",
            ..Parts::default()
        },
        "the plugin cannot say what it is: string pointer/length out of bounds of memory",
    );
    check(
        &Parts {
            name: "Not A Name",
            ..Parts::default()
        },
        "what the plugin says about itself is not valid: the name \"Not A Name\" must have 1 to 63 lower-case letters, digits and \"-\"",
    );
    check(
        &Parts {
            version: "latest",
            ..Parts::default()
        },
        "what the plugin says about itself is not valid: the version \"latest\" must be like 1.2.3",
    );
    check(
        &Parts {
            schema: r##"{"$ref":"#"}"##,
            ..Parts::default()
        },
        "what the plugin says about itself is not valid: the config schema: a \"$ref\" leads back to itself without a step into the config",
    );
}

#[test]
fn results_that_are_not_there_end_the_call() {
    let watch = Watch::start();
    for (transform, expected) in [
        ("(i32.const 0x7fffff00)", "pointer out of bounds of memory"),
        ("(i32.const 513)", "return pointer not aligned"),
        (
            "(i32.store8 (i32.const 512) (i32.const 7)) (i32.const 512)",
            "invalid expected discriminant",
        ),
    ] {
        let plugin = handmade::plugin(&Parts {
            transform,
            ..Parts::default()
        });
        let found = watch.beside(transform, || {
            plugin.call().transform().unwrap_err().to_string()
        });
        assert_eq!(
            found,
            format!("plugin handmade crashed in step test: {expected}")
        );
    }
}

#[test]
fn a_kind_that_is_not_offered_is_refused() {
    let plugin = handmade::plugin(&Parts::default());
    let found = plugin.call().generate().unwrap_err().to_string();
    assert_eq!(
        found,
        "plugin handmade cannot be used as a generator in step test"
    );
}
