//! The interface `report`. Texts are kept as the guest wrote them; they are masked when the call ends, when all secrets
//! that it saw are known.

use super::{Ended, State, Trapped};
use crate::Diagnostic;
use crate::call::{LogLine, Severity};
use crate::document::{Identity, Place};
use crate::guest::weir::plugin::report::{Host, Level};
use crate::guest::weir::plugin::types as wit;

/// The longest progress note that is kept.
const LONGEST_NOTE: usize = 1000;

impl Host for State {
    fn diagnose(&mut self, what: wit::Diagnostic) -> Trapped<()> {
        self.enter()?;
        if self.diagnostics.len() as u64 >= self.limits.diagnostics {
            let text = format!(
                "it reported more than {} findings (diagnostics)",
                self.limits.diagnostics
            );
            return Err(Ended::Limit(text).into());
        }
        self.count_text(size(&what))?;
        self.diagnostics.push(what.into());
        Ok(())
    }

    fn log(&mut self, level: Level, message: String) -> Trapped<()> {
        self.enter()?;
        // An empty line is not for free: a list of a million of them is as long.
        const LINE: usize = 32;
        self.count_text(message.len() + LINE)?;
        let level = match level {
            Level::Debug => tracing::Level::DEBUG,
            Level::Info => tracing::Level::INFO,
            Level::Warn => tracing::Level::WARN,
        };
        self.logs.push(LogLine { level, message });
        Ok(())
    }

    fn progress(&mut self, what: String) -> Trapped<()> {
        self.enter()?;
        let end = what
            .char_indices()
            .nth(LONGEST_NOTE)
            .map_or(what.len(), |(at, _)| at);
        self.progress.clear();
        self.progress.push_str(&what[..end]);
        Ok(())
    }
}

fn size(diagnostic: &wit::Diagnostic) -> usize {
    let object = diagnostic.object.as_ref().map_or(0, |object| {
        object.api_version.len() + object.kind.len() + object.namespace.len() + object.name.len()
    });
    let texts = [
        &diagnostic.code,
        &diagnostic.message,
        &diagnostic.pointer,
        &diagnostic.help,
    ];
    object
        + texts.iter().map(|text| text.len()).sum::<usize>()
        + diagnostic.at.as_ref().map_or(0, |place| place.path.len())
}

impl From<wit::Diagnostic> for Diagnostic {
    fn from(found: wit::Diagnostic) -> Self {
        Self {
            severity: match found.severity {
                wit::Severity::Error => Severity::Error,
                wit::Severity::Warning => Severity::Warning,
                wit::Severity::Note => Severity::Note,
            },
            code: found.code,
            message: found.message,
            at: found.at.map(Place::from),
            object: found.object.map(|object| Identity {
                api_version: object.api_version,
                kind: object.kind,
                namespace: object.namespace,
                name: object.name,
            }),
            pointer: found.pointer,
            help: found.help,
        }
    }
}
