//! Components that no compiler would make.

use std::path::Path;

use weir_plugin::LoadError;
use weir_testing::plugin::{Plugin, host};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The parts of a small transformer that a test replaces, in WebAssembly's text format.
pub(crate) struct Parts<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) schema: &'a str,
    pub(crate) memory: &'a str,
    pub(crate) extra: &'a str,
    /// The body of `describe`; it gives the address of the record.
    pub(crate) describe: &'a str,
    /// The body of `transform`; it gives the address of the result, of which there is a good one at 512.
    pub(crate) transform: &'a str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            name: "handmade",
            version: "1.0.0",
            schema: "",
            memory: "17",
            extra: "",
            describe: "(i32.const 1024)",
            transform: "(i32.const 512)",
        }
    }
}

/// A loaded plugin.
pub(crate) fn plugin(parts: &Parts<'_>) -> Plugin {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("handmade.wasm");
    std::fs::write(&file, component(&core(parts), "transformer-plugin")).unwrap();
    Plugin::load(&file)
}

/// Why a plugin cannot be loaded.
pub(crate) fn refused(parts: &Parts<'_>) -> String {
    load(&component(&core(parts), "transformer-plugin"))
        .unwrap_err()
        .to_string()
}

pub(crate) fn load(bytes: &[u8]) -> Result<(), LoadError> {
    host().load(bytes).map(drop)
}

/// Makes a component of a core module for a world of the contract.
pub(crate) fn component(core: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(core).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// The core module of a transformer. Its texts stand from 64 KiB on, the record that `describe` gives at 1024.
pub(crate) fn core(parts: &Parts<'_>) -> String {
    let texts = [parts.name, parts.version, "", parts.schema];
    let mut record = Vec::new();
    let mut at = 65536_u32;
    for text in texts {
        record.extend([at, u32::try_from(text.len()).unwrap()]);
        at += u32::try_from(text.len()).unwrap();
    }
    record.extend([0, 0, 0, 0]);
    let record: String = record
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let texts: String = texts
        .concat()
        .bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let Parts {
        memory,
        extra,
        describe,
        transform,
        ..
    } = parts;
    format!(
        r#"(module
          (memory (export "memory") {memory})
          (table 1 funcref)
          (func $deep (param i32) (result i32) (call $deep (i32.add (local.get 0) (i32.const 1))))
          (func (export "weir:plugin/plugin@0.1.0#describe") (result i32) {describe})
          (func (export "weir:plugin/transformer@0.1.0#transform") (param i32 i32) (result i32) {transform})
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
          (data (i32.const 1024) "{record}")
          (data (i32.const 65536) "{texts}")
          {extra})"#
    )
}
