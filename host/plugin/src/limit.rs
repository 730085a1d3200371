//! What one call may use.

use serde::{Deserialize, Serialize};

/// The limits of one call. `Default` is for plugins that say nothing; [`Limits::CEILING`] is the most that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// All linear memories of the guest together.
    pub memory_bytes: u64,
    /// All tables of the guest together.
    pub table_elements: u64,
    /// Of the guest's calls. It is one for the whole host ([`Limits::CEILING`]): a value here is checked and otherwise ignored.
    pub stack_bytes: u64,
    /// Wall time of the whole call.
    pub time_ms: u64,
    /// Of that, time spent in host calls.
    pub host_time_ms: u64,
    /// About one for each WebAssembly instruction: unlike time, the same on every machine.
    pub fuel: u64,
    /// Calls of the guest into the host.
    pub host_calls: u64,
    /// What answers of the environment and bodies of documents come to.
    pub read_bytes: u64,
    /// Documents in the set, those that were removed included.
    pub objects: u64,
    /// The largest document.
    pub object_bytes: u64,
    /// Everything that the guest writes into documents and attachments.
    pub output_bytes: u64,
    /// Findings.
    pub diagnostics: u64,
    /// Findings, log lines and progress notes, and what the guest prints.
    pub log_bytes: u64,
    /// Handles that the guest holds at one time.
    pub handles: u64,
    /// How deep plugins may call plugins.
    pub depth: u32,
}

/// What a call used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    pub memory_bytes: u64,
    pub fuel: u64,
    pub time_us: u64,
    pub host_time_us: u64,
    pub host_calls: u64,
    pub read_bytes: u64,
    pub output_bytes: u64,
}

/// A limit over its ceiling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.limits.{field} is {value}, but it can be {ceiling} at most")]
pub struct LimitError {
    pub field: &'static str,
    pub value: u64,
    pub ceiling: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            table_elements: 100_000,
            stack_bytes: Self::CEILING.stack_bytes,
            time_ms: 30_000,
            host_time_ms: 30_000,
            fuel: 50_000_000_000,
            host_calls: 1_000_000,
            read_bytes: 256 << 20,
            objects: 50_000,
            object_bytes: 8 << 20,
            output_bytes: 256 << 20,
            diagnostics: 1_000,
            log_bytes: 1 << 20,
            handles: 100_000,
            depth: 4,
        }
    }
}

impl Limits {
    /// No call gets more than this, whatever anybody asks for.
    pub const CEILING: Self = Self {
        memory_bytes: 2 << 30,
        table_elements: 1_000_000,
        stack_bytes: 8 << 20,
        time_ms: 600_000,
        host_time_ms: 600_000,
        fuel: 2_000_000_000_000,
        host_calls: 100_000_000,
        read_bytes: 2 << 30,
        objects: 500_000,
        object_bytes: 64 << 20,
        output_bytes: 2 << 30,
        diagnostics: 10_000,
        log_bytes: 16 << 20,
        handles: 1_000_000,
        depth: 8,
    };

    /// What a plugin gets to say what it is.
    pub(crate) fn describe() -> Self {
        Self {
            time_ms: 20_000,
            fuel: 1_000_000_000,
            host_calls: 1_000,
            read_bytes: 0,
            objects: 0,
            output_bytes: 0,
            diagnostics: 0,
            log_bytes: 64 << 10,
            handles: 100,
            depth: 0,
            ..Self::default()
        }
    }

    /// Whether each of them is under its ceiling.
    pub fn check(&self) -> Result<(), LimitError> {
        let ceiling = Self::CEILING.fields();
        for ((field, value), (_, ceiling)) in self.fields().into_iter().zip(ceiling) {
            if value > ceiling {
                return Err(LimitError {
                    field,
                    value,
                    ceiling,
                });
            }
        }
        Ok(())
    }

    /// These limits, none over its ceiling.
    #[must_use]
    pub fn capped(&self) -> Self {
        let top = Self::CEILING;
        Self {
            memory_bytes: self.memory_bytes.min(top.memory_bytes),
            table_elements: self.table_elements.min(top.table_elements),
            stack_bytes: self.stack_bytes.min(top.stack_bytes),
            time_ms: self.time_ms.min(top.time_ms),
            host_time_ms: self.host_time_ms.min(top.host_time_ms),
            fuel: self.fuel.min(top.fuel),
            host_calls: self.host_calls.min(top.host_calls),
            read_bytes: self.read_bytes.min(top.read_bytes),
            objects: self.objects.min(top.objects),
            object_bytes: self.object_bytes.min(top.object_bytes),
            output_bytes: self.output_bytes.min(top.output_bytes),
            diagnostics: self.diagnostics.min(top.diagnostics),
            log_bytes: self.log_bytes.min(top.log_bytes),
            handles: self.handles.min(top.handles),
            depth: self.depth.min(top.depth),
        }
    }

    fn fields(&self) -> [(&'static str, u64); 15] {
        [
            ("memoryBytes", self.memory_bytes),
            ("tableElements", self.table_elements),
            ("stackBytes", self.stack_bytes),
            ("timeMs", self.time_ms),
            ("hostTimeMs", self.host_time_ms),
            ("fuel", self.fuel),
            ("hostCalls", self.host_calls),
            ("readBytes", self.read_bytes),
            ("objects", self.objects),
            ("objectBytes", self.object_bytes),
            ("outputBytes", self.output_bytes),
            ("diagnostics", self.diagnostics),
            ("logBytes", self.log_bytes),
            ("handles", self.handles),
            ("depth", u64::from(self.depth)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_under_their_ceilings() {
        assert_eq!(Limits::default().check(), Ok(()));
        assert_eq!(Limits::CEILING.check(), Ok(()));
        assert_eq!(Limits::describe().check(), Ok(()));
    }

    #[test]
    fn each_limit_is_checked_and_capped() {
        let names: Vec<_> = Limits::CEILING
            .fields()
            .iter()
            .map(|(name, _)| *name)
            .collect();
        let json = serde_json::to_value(Limits::CEILING).unwrap();
        for name in names {
            let mut over = json.clone();
            over[name] = serde_json::json!(json[name].as_u64().unwrap() + 1);
            let over: Limits = serde_json::from_value(over).unwrap();
            assert_eq!(over.check().unwrap_err().field, name);
            assert_eq!(over.capped(), Limits::CEILING, "{name}");
        }
    }

    #[test]
    fn the_error_names_the_ceiling() {
        let limits = Limits {
            depth: 9,
            ..Limits::default()
        };
        assert_eq!(
            limits.check().unwrap_err().to_string(),
            "spec.limits.depth is 9, but it can be 8 at most"
        );
    }
}
