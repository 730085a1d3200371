//! Charts in archives.

use std::cell::Cell;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use crate::chart::ChartFile;
use crate::error::ChartError;
use crate::limits::Budget;

/// What may stand in an archive beside the content of files: names, folders, padding.
const OVERHEAD: u64 = 64 << 20;

/// The files of a `.tgz`, without the folder that holds them all.
pub(crate) fn files(bytes: &[u8], budget: &mut Budget) -> Result<Vec<ChartFile>, ChartError> {
    let whole = budget.limits.archive;
    let unread = Cell::new(whole.saturating_add(OVERHEAD));
    let unpacked = Bounded {
        stream: MultiGzDecoder::new(bytes),
        left: &unread,
    };
    let fail = |error: &io::Error| match unread.get() {
        0 => too_large(whole),
        _ => ChartError::Archive(error.to_string()),
    };
    let mut archive = tar::Archive::new(unpacked);
    let mut files = Vec::new();
    let mut left = whole;
    for entry in archive.entries().map_err(|error| fail(&error))? {
        let mut entry = entry.map_err(|error| fail(&error))?;
        let kind = entry.header().entry_type();
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if kind.is_dir()
            || raw.ends_with('/')
            || kind.is_pax_global_extensions()
            || kind.is_pax_local_extensions()
        {
            continue;
        }
        let name = name_of(&raw)?;
        let size = entry.size();
        if size > left {
            return Err(too_large(whole));
        }
        if size > budget.limits.file {
            let limit = budget.limits.file;
            return Err(ChartError::Archive(format!(
                "decompressed chart file {raw:?} is larger than the maximum file size {limit}"
            )));
        }
        budget.file(size)?;
        let mut data = Vec::new();
        let read = (&mut entry)
            .take(left)
            .read_to_end(&mut data)
            .map_err(|error| fail(&error))? as u64;
        left -= read.min(left);
        if kind.is_file() && read < size {
            return Err(ChartError::Archive("unexpected EOF".to_owned()));
        }
        if left == 0 {
            return Err(too_large(whole));
        }
        files.push(ChartFile::new(name, data));
    }
    if files.is_empty() {
        return Err(ChartError::Archive("no files in chart archive".to_owned()));
    }
    Ok(files)
}

/// Refuses bytes that are no gzip, with Helm's hint.
pub(crate) fn check_format(name: &str, bytes: &[u8]) -> Result<(), ChartError> {
    if bytes.starts_with(b"\x1f\x8b\x08") {
        return Ok(());
    }
    if name.ends_with(".yml") || name.ends_with(".yaml") {
        return Err(ChartError::Archive(format!(
            "file '{name}' seems to be a YAML file, but expected a gzipped archive"
        )));
    }
    let head = &bytes[..bytes.len().min(512)];
    let binary = head
        .iter()
        .any(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31));
    let kind = if binary {
        "application/octet-stream"
    } else {
        "text/plain; charset=utf-8"
    };
    Err(ChartError::Archive(format!(
        "file '{name}' does not appear to be a gzipped archive; got '{kind}'"
    )))
}

/// A file's path within the chart.
fn name_of(raw: &str) -> Result<String, ChartError> {
    let refuse = |text: &str| Err(ChartError::Archive(text.to_owned()));
    // Archives that were made on Windows.
    let delimiter = if raw.contains('\\') { '\\' } else { '/' };
    let (first, rest) = raw.split_once(delimiter).unwrap_or((raw, ""));
    let rest = rest.replace(delimiter, "/");
    if rest.starts_with('/') {
        return refuse("chart illegally contains absolute paths");
    }
    let name = clean(&rest);
    if name == "." {
        return Err(ChartError::Archive(format!(
            "chart illegally contains content outside the base directory: {raw:?}"
        )));
    }
    if name.starts_with("..") {
        return refuse("chart illegally references parent directory");
    }
    if matches!(name.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic()) {
        return refuse("chart contains illegally named files");
    }
    if first == "Chart.yaml" {
        return refuse("chart yaml not in base directory");
    }
    Ok(name)
}

/// A relative path without `.`, `..` and empty parts, as far as they can be resolved.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.join("/")
}

fn too_large(limit: u64) -> ChartError {
    ChartError::Archive(format!(
        "decompressed chart is larger than the maximum size {limit}"
    ))
}

/// Ends a stream after so many bytes, whatever they are: also what is passed over costs time.
struct Bounded<'l, R> {
    stream: R,
    left: &'l Cell<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other("too much data"));
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.stream.read(&mut buffer[..most])?;
        self.left.set(left.saturating_sub(count as u64));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(
            name_of("chart/templates/a.yaml").unwrap(),
            "templates/a.yaml"
        );
        assert_eq!(
            name_of("chart\\templates\\a.yaml").unwrap(),
            "templates/a.yaml"
        );
        assert_eq!(name_of("./chart/a").unwrap(), "chart/a");
        for (raw, text) in [
            (
                "chart//etc/passwd",
                "chart illegally contains absolute paths",
            ),
            (
                "chart",
                "chart illegally contains content outside the base directory: \"chart\"",
            ),
            (
                "chart/../../a",
                "chart illegally references parent directory",
            ),
            ("chart/c:/a", "chart contains illegally named files"),
            ("Chart.yaml/a", "chart yaml not in base directory"),
        ] {
            assert_eq!(name_of(raw).unwrap_err().to_string(), text);
        }
    }
}
