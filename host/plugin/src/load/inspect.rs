//! What can be said about a component before it is compiled.

use wasmtime::wasmparser::{Encoding, Parser, Payload};

use super::{LoadError, MAX_COMPONENT};
use crate::Limits;

/// Bounds on what a component declares, so that compiling and instantiating it stays within reason.
const MOST_MODULES: u64 = 24;
const MOST_NESTED: u64 = 24;
const MOST_FUNCTIONS: u64 = 200_000;
const PAGE: u64 = 64 << 10;

/// Reads the outline of the binary. What is wrong inside is left to the compiler.
pub(crate) fn check_binary(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.len() > MAX_COMPONENT {
        return Err(LoadError::TooLarge { size: bytes.len() });
    }
    if Parser::is_core_wasm(bytes) {
        return Err(LoadError::CoreModule);
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(LoadError::NotWasm);
    }
    let mut seen = Seen::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| LoadError::Invalid(error.to_string()))?;
        seen.payload(payload)?;
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    modules: u64,
    nested: u64,
    functions: u64,
    memory: u64,
    tables: u64,
}

impl Seen {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "sections that declare nothing costly"
    )]
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), LoadError> {
        let invalid =
            |error: wasmtime::wasmparser::BinaryReaderError| LoadError::Invalid(error.to_string());
        match payload {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } => {
                self.modules += 1;
                declares(self.modules, MOST_MODULES, |n| format!("{n} modules"))
            }
            Payload::Version {
                encoding: Encoding::Component,
                ..
            } => {
                self.nested += 1;
                declares(self.nested, MOST_NESTED, |n| {
                    format!("{n} nested components")
                })
            }
            Payload::FunctionSection(section) => {
                self.functions += u64::from(section.count());
                declares(self.functions, MOST_FUNCTIONS, |n| format!("{n} functions"))
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory.map_err(invalid)?;
                    self.memory = self
                        .memory
                        .saturating_add(memory.initial.saturating_mul(PAGE));
                }
                declares(self.memory, Limits::CEILING.memory_bytes, |n| {
                    format!("{n} bytes of memory")
                })
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables = self
                        .tables
                        .saturating_add(table.map_err(invalid)?.ty.initial);
                }
                declares(self.tables, Limits::CEILING.table_elements, |n| {
                    format!("tables with {n} elements")
                })
            }
            _ => Ok(()),
        }
    }
}

fn declares(value: u64, limit: u64, what: impl FnOnce(u64) -> String) -> Result<(), LoadError> {
    if value > limit {
        Err(LoadError::Declares {
            what: what(value),
            limit,
        })
    } else {
        Ok(())
    }
}
