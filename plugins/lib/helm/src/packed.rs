//! A prepared chart as bytes: the chart, and behind it what its templates were parsed into.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use weir_chart::{Chart, ChartFile, Profile};
use weir_gotemplate::TemplateSet;
use weir_packed::{Reader, Writer};

use crate::engine::{Prepared, new_set, takes_part};
use crate::objects::file_text;

impl Prepared {
    /// The chart and its parsed templates as bytes, for a program that keeps them where this one cannot.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.chart().pack(&mut out);
        // How missing keys are treated makes no difference to a parser.
        write(self.chart(), &new_set(self.profile(), false), &mut out);
        out.finish()
    }

    /// What [`Prepared::pack`] of this same version made, to be rendered with the same profile. Nothing if the bytes are
    /// damaged.
    #[must_use]
    pub fn unpack(bytes: Vec<u8>, profile: Profile) -> Option<Self> {
        let all = Arc::new(bytes);
        let mut bytes = Reader::new(&all);
        let chart = Chart::unpack(&mut bytes, &all)?;
        let mut templates = PackedTemplates::default();
        templates.read(&chart, &mut bytes)?;
        let prepared = Self::with_templates(chart, profile, templates);
        bytes.rest().is_empty().then_some(prepared)
    }
}

/// What templates were parsed into, where that was done before.
#[derive(Debug, Default)]
pub(crate) struct PackedTemplates {
    /// By the identity of a chart's templates, in their order. Nothing for a file that has to be parsed.
    charts: HashMap<usize, Vec<Option<Rc<[u8]>>>>,
}

impl PackedTemplates {
    /// What a template of a chart was parsed into, by its number.
    pub(crate) fn get(&self, chart: &Chart, number: usize) -> Option<&Rc<[u8]>> {
        let templates = self.charts.get(&identity(&chart.templates))?;
        templates.get(number)?.as_ref()
    }

    fn read(&mut self, chart: &Chart, bytes: &mut Reader<'_>) -> Option<()> {
        let mut templates = Vec::with_capacity(chart.templates.len());
        for _ in chart.templates.iter() {
            templates.push(bytes.option(|bytes| bytes.bytes().map(Rc::from))?);
        }
        self.charts.insert(identity(&chart.templates), templates);
        chart
            .dependencies
            .iter()
            .try_for_each(|chart| self.read(chart, bytes))
    }
}

fn write(chart: &Chart, set: &TemplateSet, out: &mut Writer) {
    for file in chart.templates.iter() {
        // Errors are for whoever renders the chart.
        let packed = takes_part(chart, file)
            .then(|| set.pack(&file_text(&file.data)))
            .flatten();
        out.option(packed, |packed, out| out.bytes(&packed));
    }
    for chart in &chart.dependencies {
        write(chart, set, out);
    }
}

/// Tells the templates of one chart from those of others, however often the chart is cloned.
pub(crate) fn identity(templates: &Arc<[ChartFile]>) -> usize {
    Arc::as_ptr(templates).cast::<()>().addr()
}
