//! What a chart may cost.

/// Bounds on loading. The first two are Helm's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file: u64,
    /// Bytes of one archive, unpacked.
    pub archive: u64,
    /// Bytes of everything, archives within archives included.
    pub total: u64,
    /// Files of everything.
    pub files: usize,
    /// Charts within charts, and folders within folders.
    pub depth: usize,
    /// Charts of everything.
    pub charts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file: 5 << 20,
            archive: 100 << 20,
            total: 256 << 20,
            files: 100_000,
            depth: 32,
            charts: 5_000,
        }
    }
}

/// What is left of the limits while a chart is loaded.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    bytes: u64,
    files: usize,
    charts: usize,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            bytes: limits.total,
            files: limits.files,
            charts: limits.charts,
        }
    }

    /// Takes a file of that size, or says which limit it breaks.
    pub(crate) fn file(&mut self, size: u64) -> Result<(), crate::ChartError> {
        self.files = take(self.files, 1, "files", self.limits.files)?;
        let total = usize::try_from(self.limits.total).unwrap_or(usize::MAX);
        let left = usize::try_from(self.bytes).unwrap_or(usize::MAX);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        self.bytes = take(left, size, "bytes", total)? as u64;
        Ok(())
    }

    pub(crate) fn chart(&mut self) -> Result<(), crate::ChartError> {
        self.charts = take(self.charts, 1, "subcharts", self.limits.charts)?;
        Ok(())
    }
}

fn take(
    left: usize,
    count: usize,
    what: &'static str,
    limit: usize,
) -> Result<usize, crate::ChartError> {
    left.checked_sub(count)
        .ok_or(crate::ChartError::TooMany { what, limit })
}
