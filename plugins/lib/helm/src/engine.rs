//! The templates of a chart and of its subcharts: collected, parsed once, run in Helm's order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_chart::shared::SharedMap;
use weir_chart::{Chart, ChartFile, Profile};
use weir_gotemplate::{
    ByName, Functions, Limits, Map, MissingKey, Origin, TemplateSet, Text, Value,
};

use crate::environment::Environment;
use crate::error::HelmError;
use crate::explain::{Scene, exec_error, parse_error};
use crate::functions::{NO_VALUE, ROOT, State, add_to, circumstances, without_no_value};
use crate::objects::{
    chart_object, file_text, files_object, template_object, to_gotemplate, values_type,
};
use crate::packed::{PackedTemplates, identity};
use crate::schema::Compiled;

/// A chart with its parsed templates, to be rendered many times.
///
/// Which subcharts take part depends on the values, so the templates of the last few combinations are kept.
#[derive(Debug)]
pub struct Prepared {
    chart: Chart,
    profile: Profile,
    packed: PackedTemplates,
    sets: RefCell<Vec<(Layout, Rc<TemplateSet>)>>,
    schemas: Compiled,
}

/// Which charts take part under which paths, and how missing keys are treated.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    strict: bool,
    /// Path of the chart, identity of its templates, whether it is a library.
    charts: Vec<(String, usize, bool)>,
}

/// What a template became.
#[derive(Debug)]
pub(crate) struct RenderedFile {
    /// `chart/templates/x.yaml`
    pub(crate) path: String,
    pub(crate) text: String,
    /// Which of its lines made what.
    pub(crate) origin: Origin,
}

/// Combinations of subcharts that are kept parsed.
const MAX_SETS: usize = 4;

impl Prepared {
    /// Makes a chart ready. Templates are parsed when they are first rendered.
    #[must_use]
    pub fn new(chart: Chart, profile: Profile) -> Self {
        Self::with_templates(chart, profile, PackedTemplates::default())
    }

    pub(crate) fn with_templates(chart: Chart, profile: Profile, packed: PackedTemplates) -> Self {
        Self {
            chart,
            profile,
            packed,
            sets: RefCell::default(),
            schemas: Compiled::default(),
        }
    }

    /// The chart as it was loaded.
    #[must_use]
    pub fn chart(&self) -> &Chart {
        &self.chart
    }

    /// The release line of Helm that it is rendered as.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    pub(crate) fn schemas(&self) -> &Compiled {
        &self.schemas
    }

    /// The parsed templates of a chart whose dependencies are settled.
    fn templates(
        &self,
        parts: &[Part<'_>],
        ordered: &[(String, Placed<'_>)],
        strict: bool,
    ) -> Result<Rc<TemplateSet>, HelmError> {
        let layout = Layout {
            strict,
            charts: parts
                .iter()
                .map(|part| {
                    (
                        part.path.clone(),
                        identity(&part.chart.templates),
                        part.chart.metadata.is_library(),
                    )
                })
                .collect(),
        };
        if let Some((_, set)) = self.sets.borrow().iter().find(|known| known.0 == layout) {
            return Ok(Rc::clone(set));
        }
        let mut set = new_set(self.profile, strict);
        for (path, file) in ordered {
            let text = file_text(&file.file.data);
            match self.packed.get(parts[file.part].chart, file.number) {
                Some(packed) => set.parse_packed(path.as_str(), text.clone(), packed),
                None => set.parse(path.as_str(), text.clone()),
            }
            .map_err(|error| parse_error(path, &error, &text.lossy()))?;
        }
        let set = Rc::new(set);
        let mut sets = self.sets.borrow_mut();
        if sets.len() >= MAX_SETS {
            sets.remove(0);
        }
        sets.push((layout, Rc::clone(&set)));
        Ok(set)
    }
}

/// A library chart gives others its partials, and has nothing else.
pub(crate) fn takes_part(chart: &Chart, file: &ChartFile) -> bool {
    !chart.metadata.is_library() || base_name(&file.name).starts_with('_')
}

/// A set without templates.
pub(crate) fn new_set(profile: Profile, strict: bool) -> TemplateSet {
    let missing_key = if strict {
        MissingKey::Error
    } else {
        MissingKey::Zero
    };
    TemplateSet::new(ROOT, functions(profile), missing_key)
}

fn functions(profile: Profile) -> Functions {
    let mut functions = Functions::builtins();
    let options = weir_sprig::Options {
        profile,
        circumstances,
    };
    weir_sprig::add_sprig(&mut functions, options);
    weir_sprig::add_data(&mut functions, profile);
    add_to(&mut functions);
    functions
}

/// One chart that takes part.
struct Part<'c> {
    chart: &'c Chart,
    /// `root/charts/sub`
    path: String,
    root: bool,
    /// The parent's place in the list.
    parent: Option<usize>,
}

/// A template with the chart that it belongs to.
struct Placed<'c> {
    file: &'c ChartFile,
    /// Its place among the chart's templates.
    number: usize,
    part: usize,
}

/// The charts, parents before their subcharts.
fn parts(chart: &Chart) -> Vec<Part<'_>> {
    let mut parts = vec![Part {
        chart,
        path: chart.name().to_owned(),
        root: true,
        parent: None,
    }];
    let mut at = 0;
    while at < parts.len() {
        let (chart, path) = (parts[at].chart, parts[at].path.clone());
        for subchart in &chart.dependencies {
            parts.push(Part {
                chart: subchart,
                path: format!("{path}/charts/{}", subchart.name()),
                root: false,
                parent: Some(at),
            });
        }
        at += 1;
    }
    parts
}

/// All templates: deepest first, within a depth in reverse alphabetical order.
fn ordered<'c>(parts: &[Part<'c>]) -> Vec<(String, Placed<'c>)> {
    let mut by_path = BTreeMap::new();
    for (at, part) in parts.iter().enumerate() {
        for (number, file) in part.chart.templates.iter().enumerate() {
            if takes_part(part.chart, file) {
                let placed = Placed {
                    file,
                    number,
                    part: at,
                };
                by_path.insert(format!("{}/{}", part.path, file.name), placed);
            }
        }
    }
    let mut sorted: Vec<(String, Placed<'c>)> = by_path.into_iter().rev().collect();
    let depth = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
    sorted.sort_by_cached_key(|entry| std::cmp::Reverse(depth(&entry.0)));
    sorted
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What all templates see alike.
pub(crate) struct Facts {
    pub(crate) release: Map,
    pub(crate) capabilities: Value,
    pub(crate) strict: bool,
    pub(crate) lint: bool,
    pub(crate) dns: bool,
    pub(crate) limits: Limits,
}

/// Renders every template of a chart whose dependencies are settled; paths and texts in the order of rendering.
pub(crate) fn run(
    prepared: &Prepared,
    chart: &Chart,
    values: &SharedMap,
    facts: &Facts,
    environment: Rc<dyn Environment>,
    scene: &Scene<'_>,
) -> Result<Vec<RenderedFile>, HelmError> {
    let parts = parts(chart);
    let ordered = ordered(&parts);
    let set = prepared.templates(&parts, &ordered, facts.strict)?;
    let dots = dots(&parts, values, facts, prepared.profile);
    let mut state = State {
        environment,
        lint: facts.lint,
        dns: facts.dns,
        included: ByName::default(),
        place: String::new(),
    };
    let mut run = set.run(facts.limits, &mut state);
    let mut rendered = Vec::new();
    for (path, placed) in ordered {
        if base_name(&path).starts_with('_') {
            continue;
        }
        let name = Text::from(&path);
        if let Some(state) = run.context::<State>() {
            state.place.clone_from(&path);
        }
        let base_path = Text::from(format!("{}/templates", parts[placed.part].path));
        let dot = &dots[placed.part];
        let template = template_object(&name, &base_path, prepared.profile);
        dot.insert(Text::from_static("Template"), template)
            .map_err(|error| HelmError::Template {
                message: error.to_string(),
                explanation: None,
            })?;
        let (text, mut origin) = run
            .execute_traced(&name, Value::Map(dot.clone()))
            .map_err(|error| exec_error(&error, &set, scene))?;
        let shown = memchr::memmem::find_iter(text.as_bytes(), NO_VALUE);
        origin.cut(shown, NO_VALUE.len());
        let text = without_no_value(text);
        rendered.push(RenderedFile {
            path,
            text: text.lossy().into_owned(),
            origin,
        });
    }
    Ok(rendered)
}

/// The dot of each chart. Values are shared: a subchart's are the map inside its parent's.
fn dots(parts: &[Part<'_>], values: &SharedMap, facts: &Facts, profile: Profile) -> Vec<Map> {
    let of = values_type(profile);
    let mut dots: Vec<Map> = Vec::with_capacity(parts.len());
    let mut subcharts: Vec<Map> = Vec::with_capacity(parts.len());
    for part in parts {
        let parent = part
            .parent
            .map(|parent| (&dots[parent], &subcharts[parent]));
        let values = match parent {
            None => to_gotemplate(values),
            Some((dot, _)) => table(dot, part.chart.name()).unwrap_or_default(),
        };
        let below = Map::new();
        let dot: Map = [
            (
                "Chart",
                chart_object(&part.chart.metadata, part.root, profile),
            ),
            ("Files", files_object(&part.chart.files, profile)),
            ("Release", Value::Map(facts.release.clone())),
            ("Capabilities", facts.capabilities.clone()),
            ("Values", Value::Map(values.with_type(of))),
            ("Subcharts", Value::Map(below.clone())),
        ]
        .into_iter()
        .map(|(key, value)| (Text::from_static(key), value))
        .collect();
        if let Some((_, siblings)) = parent {
            // A map that was just made takes what it is given.
            let _ = siblings.insert(part.chart.name(), Value::Map(dot.clone()));
        }
        dots.push(dot);
        subcharts.push(below);
    }
    dots
}

/// The values of a subchart in its parent's. A dot in the name is a step, as in Helm.
fn table(dot: &Map, name: &str) -> Option<Map> {
    let mut found = dot.get("Values")?.as_map()?.clone();
    for key in name.split('.') {
        let next = found.get(key)?.as_map()?.clone();
        found = next;
    }
    Some(found)
}
