//! One result of a check.

use weir_plugin::{Diagnostic, Place, Severity};
use weir_render::UnitId;

use crate::repository::unit::Unit;
use crate::repository::visit::Visited;

use super::locate::{Wanted, locate};

/// Something that is wrong, or looks so.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// Names the check.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) place: Option<Place>,
    pub(crate) unit: UnitId,
    pub(crate) help: String,
}

impl Finding {
    pub(crate) fn error(unit: &UnitId, code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.to_owned(),
            message: message.into(),
            place: None,
            unit: unit.clone(),
            help: String::new(),
        }
    }

    pub(crate) fn warning(unit: &UnitId, code: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(unit, code, message)
        }
    }

    /// What a step of a unit found.
    pub(crate) fn of(unit: &UnitId, diagnostic: &Diagnostic) -> Self {
        let mut message = diagnostic.message.clone();
        if !diagnostic.pointer.is_empty() {
            message = format!("{message} (at {})", diagnostic.pointer);
        }
        Self {
            severity: diagnostic.severity,
            code: match diagnostic.code.as_str() {
                "" => "build".to_owned(),
                code => code.to_owned(),
            },
            message,
            place: diagnostic.at.clone(),
            unit: unit.clone(),
            help: diagnostic.help.clone(),
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// At a field of the unit's own object.
    pub(crate) fn at_unit(self, visited: &Visited, unit: &Unit, pointer: &str) -> Self {
        let kind = &unit.id.kind;
        let name = &unit.id.name.name;
        let wanted = Wanted {
            kind,
            name,
            pointer,
        };
        self.at_object(visited, unit.place.as_ref(), &wanted)
    }

    /// At a field of an object that came from a place.
    pub(crate) fn at_object(
        mut self,
        visited: &Visited,
        place: Option<&Place>,
        wanted: &Wanted<'_>,
    ) -> Self {
        let Some(place) = place else { return self };
        let found = visited
            .folder
            .text(&place.path)
            .and_then(|text| locate(&text, place.line, wanted));
        let (line, column) = found.unwrap_or((place.line, place.column));
        self.place = Some(Place {
            path: place.path.clone(),
            line,
            column,
        });
        self
    }
}
