//! Findings as people and other programs read them.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use weir_plugin::Severity;

use crate::build::{count, short_name};
use crate::cli::TestReport;
use crate::output;
use crate::repository::unit::{Outcome, Unit};
use crate::repository::visit::Visited;

use super::built;
use super::finding::Finding;

pub(super) fn write(
    findings: &[Finding],
    visited: &Visited,
    how: TestReport,
    took: Duration,
) -> anyhow::Result<()> {
    match how {
        TestReport::Text => output::text(&text(findings))?,
        TestReport::Json => output::json(&json_of(findings))?,
        TestReport::Junit => output::text(&junit(findings, &visited.walked.units))?,
        TestReport::Github => output::text(&github(findings))?,
        TestReport::Sarif => output::json(&sarif(findings))?,
    }
    let number = |severity| {
        findings
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    anstream::eprintln!(
        "{} rendered of {}: {}, {}; {:.1} s",
        count(built(visited), "unit"),
        visited.walked.units.len(),
        count(number(Severity::Error), "error"),
        count(number(Severity::Warning), "warning"),
        took.as_secs_f64()
    );
    Ok(())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `file:line:column`, as far as it is known.
fn shown_place(finding: &Finding) -> String {
    match &finding.place {
        Some(place) if place.line > 0 => {
            format!("{}:{}:{}", place.path, place.line, place.column.max(1))
        }
        Some(place) => place.path.clone(),
        None => finding.unit.to_string(),
    }
}

/// One line for each.
fn text(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let message = finding.message.split_whitespace().collect::<Vec<_>>();
        let _ = write!(
            text,
            "{}: {}[{}]: {}: {}",
            shown_place(finding),
            level(finding.severity),
            finding.code,
            finding.unit,
            message.join(" ")
        );
        if !finding.help.is_empty() {
            let help = finding.help.split_whitespace().collect::<Vec<_>>();
            let _ = write!(text, "; {}", help.join(" "));
        }
        text.push('\n');
    }
    text
}

fn json_of(findings: &[Finding]) -> Value {
    findings
        .iter()
        .map(|finding| {
            let mut value = json!({
                "severity": level(finding.severity), "code": finding.code, "message": finding.message,
                "unit": short_name(&finding.unit),
            });
            if let Some(place) = &finding.place {
                value["file"] = place.path.clone().into();
                if place.line > 0 {
                    value["line"] = place.line.into();
                    value["column"] = place.column.max(1).into();
                }
            }
            if !finding.help.is_empty() {
                value["help"] = finding.help.clone().into();
            }
            value
        })
        .collect()
}

/// A case for each unit; warnings do not fail it.
fn junit(findings: &[Finding], units: &[Unit]) -> String {
    let mut cases = String::new();
    let mut failed = 0;
    let rendered = units
        .iter()
        .filter(|unit| !matches!(unit.outcome, Outcome::Named));
    let rendered: Vec<&Unit> = rendered.collect();
    for unit in &rendered {
        let own: Vec<&Finding> = findings
            .iter()
            .filter(|finding| finding.unit == unit.id)
            .collect();
        let errors = own
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        failed += usize::from(errors.clone().next().is_some());
        let _ = writeln!(
            cases,
            "  <testcase classname=\"{}\" name=\"{}\">",
            escaped(&unit.id.kind),
            escaped(&unit.id.name.to_string())
        );
        for error in errors {
            let _ = writeln!(
                cases,
                "    <failure type=\"{}\" message=\"{}\">{}</failure>",
                escaped(&error.code),
                escaped(&error.message),
                escaped(&shown_place(error))
            );
        }
        cases.push_str("  </testcase>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"weir\" tests=\"{}\" failures=\"{failed}\">\n{cases}</testsuite>\n",
        rendered.len()
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            // XML has no way to write them.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The commands that a GitHub workflow turns into annotations.
fn github(findings: &[Finding]) -> String {
    let plain = |text: &str| {
        text.replace('%', "%25")
            .replace('\r', "%0D")
            .replace('\n', "%0A")
    };
    let property = |text: &str| plain(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    for finding in findings {
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let _ = write!(
            text,
            "::{kind} title={}",
            property(&finding.unit.to_string())
        );
        if let Some(place) = &finding.place {
            let _ = write!(text, ",file={}", property(&place.path));
            if place.line > 0 {
                let _ = write!(text, ",line={},col={}", place.line, place.column.max(1));
            }
        }
        let help = if finding.help.is_empty() {
            String::new()
        } else {
            format!("; {}", finding.help)
        };
        let _ = writeln!(text, "::{}", plain(&format!("{}{help}", finding.message)));
    }
    text
}

fn sarif(findings: &[Finding]) -> Value {
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut result = json!({
                "ruleId": finding.code, "level": level(finding.severity),
                "message": {"text": format!("{}: {}", finding.unit, finding.message)},
            });
            if let Some(place) = &finding.place {
                let mut location = json!({"artifactLocation": {"uri": place.path}});
                if place.line > 0 {
                    location["region"] =
                        json!({"startLine": place.line, "startColumn": place.column.max(1)});
                }
                result["locations"] = json!([{"physicalLocation": location}]);
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "weir", "version": env!("CARGO_PKG_VERSION")}},
            "results": results,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_plugin::Place;
    use weir_render::UnitId;

    fn finding() -> Finding {
        let unit = UnitId::new("Kustomization", "a", "b");
        let mut finding = Finding::error(&unit, "source", "x < y, 100%\nno");
        finding.place = Some(Place {
            path: "a:b.yaml".to_owned(),
            line: 3,
            column: 5,
        });
        finding.help("there is z")
    }

    #[test]
    fn every_form_has_file_and_line() {
        let findings = [finding()];
        assert_eq!(
            text(&findings),
            "a:b.yaml:3:5: error[source]: Kustomization/a/b: x < y, 100% no; there is z\n"
        );
        assert_eq!(
            github(&findings),
            "::error title=Kustomization/a/b,file=a%3Ab.yaml,line=3,col=5::x < y, 100%25%0Ano; there is z\n"
        );
        assert_eq!(json_of(&findings)[0]["line"], 3);
        let sarif = sarif(&findings);
        let region = "/runs/0/results/0/locations/0/physicalLocation/region/startLine";
        assert_eq!(sarif.pointer(region), Some(&json!(3)));
    }

    #[test]
    fn text_in_xml_is_escaped() {
        assert_eq!(
            escaped("a<b>&\"c\"\u{1}\n"),
            "a&lt;b&gt;&amp;&quot;c&quot; &#10;"
        );
    }
}
