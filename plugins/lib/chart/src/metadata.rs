//! `Chart.yaml`, `requirements.yaml` and their locks.

use serde_json::{Map, Value};
use weir_k8s_yaml::Data;

use crate::decode::{Fields, document};
use crate::error::ChartError;
use crate::version::Version;

/// What `Chart.yaml` says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {
    /// The chart's name; the alias, once a parent has given it one.
    pub name: String,
    /// A page about it.
    pub home: String,
    /// Pages with its source.
    pub sources: Vec<String>,
    /// Its version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who looks after it.
    pub maintainers: Vec<Maintainer>,
    /// An image.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Unused by Helm, visible to templates.
    pub condition: String,
    /// Unused by Helm, visible to templates.
    pub tags: String,
    /// The version of what the chart installs.
    pub app_version: String,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Free annotations, in key order.
    pub annotations: Option<Vec<(String, String)>>,
    /// The Kubernetes versions that it works with.
    pub kube_version: String,
    /// The charts that it needs. `None` differs from an empty list: only then are subcharts left as they were loaded.
    pub dependencies: Option<Vec<Dependency>>,
    /// `application`, `library` or nothing.
    pub kind: String,
}

/// A person or group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maintainer {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// A page.
    pub url: String,
}

/// A chart that another needs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dependency {
    /// Its name; the alias, once dependencies are processed.
    pub name: String,
    /// The version or range.
    pub version: String,
    /// Where it comes from.
    pub repository: String,
    /// Paths of values that switch it on or off.
    pub condition: String,
    /// Tags that switch it on or off together with others.
    pub tags: Vec<String>,
    /// Whether it takes part.
    pub enabled: bool,
    /// What the parent takes over of its values.
    pub import_values: Vec<Value>,
    /// The name that it has in the parent.
    pub alias: String,
}

/// `Chart.lock`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lock {
    /// When it was written, as it stands there.
    pub generated: String,
    /// Over the dependencies of `Chart.yaml`.
    pub digest: String,
    /// The versions that were chosen.
    pub dependencies: Vec<Dependency>,
}

impl Metadata {
    /// Reads a file of fields over what is there: fields that it does not name stay.
    pub(crate) fn read_over(&mut self, text: &str) -> Result<(), String> {
        let data = document(text)?;
        let fields = Fields::new(&data, "", "v2.Metadata")?;
        for (name, target) in [
            ("name", &mut self.name),
            ("home", &mut self.home),
            ("version", &mut self.version),
            ("description", &mut self.description),
            ("icon", &mut self.icon),
            ("apiVersion", &mut self.api_version),
            ("condition", &mut self.condition),
            ("tags", &mut self.tags),
            ("appVersion", &mut self.app_version),
            ("kubeVersion", &mut self.kube_version),
            ("type", &mut self.kind),
        ] {
            if let Some(text) = fields.string(name)? {
                *target = text;
            }
        }
        if let Some(sources) = fields.strings("sources")? {
            self.sources = sources;
        }
        if let Some(keywords) = fields.strings("keywords")? {
            self.keywords = keywords;
        }
        if let Some(deprecated) = fields.bool("deprecated")? {
            self.deprecated = deprecated;
        }
        if let Some(mut annotations) = fields.string_map("annotations")? {
            annotations.sort();
            self.annotations = Some(annotations);
        }
        if let Some(items) = fields.list("maintainers", "[]*v2.Maintainer")? {
            self.maintainers = read_list(items, "maintainers", Maintainer::read)?;
        }
        if let Some(items) = fields.list("dependencies", "[]*v2.Dependency")? {
            self.dependencies = Some(read_list(items, "dependencies", Dependency::read)?);
        }
        Ok(())
    }

    /// Cleans texts, and checks what Helm checks when it loads a chart.
    pub(crate) fn validate(&mut self) -> Result<(), ChartError> {
        let invalid = |text: String| Err(ChartError::Validation(text));
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().for_each(sanitize);
        self.keywords.iter_mut().for_each(sanitize);
        if self.api_version.is_empty() {
            return invalid("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return invalid("chart.metadata.name is required".to_owned());
        }
        if self.name == "." || self.name == ".." {
            return invalid(format!(
                "chart.metadata.name {:?} is not allowed",
                self.name
            ));
        }
        if self.name.contains('/') {
            return invalid(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return invalid("chart.metadata.version is required".to_owned());
        }
        if Version::loose(&self.version).is_err() {
            return invalid(format!(
                "chart.metadata.version {:?} is invalid",
                self.version
            ));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return invalid("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in &mut self.maintainers {
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        let mut seen: Vec<String> = Vec::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            dependency.clean();
            let alias = &dependency.alias;
            if !alias
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            {
                return invalid(format!(
                    "dependency {:?} has disallowed characters in the alias",
                    dependency.name
                ));
            }
            let name = if alias.is_empty() {
                &dependency.name
            } else {
                alias
            };
            if seen.contains(name) {
                return invalid(format!(
                    "more than one dependency with name or alias {name:?}"
                ));
            }
            seen.push(name.clone());
        }
        Ok(())
    }

    /// Whether the chart only gives templates to others.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }

    /// The fields under the names that `Chart.yaml` has, without what is empty, as Go's JSON encoder writes them.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| {
            let empty = match &value {
                Value::Null | Value::Bool(false) => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(entries) => entries.is_empty(),
                Value::Bool(true) | Value::Number(_) => false,
            };
            if !empty {
                map.insert(name.to_owned(), value);
            }
        };
        put("name", self.name.clone().into());
        put("home", self.home.clone().into());
        put("sources", self.sources.clone().into());
        put("version", self.version.clone().into());
        put("description", self.description.clone().into());
        put("keywords", self.keywords.clone().into());
        put(
            "maintainers",
            self.maintainers
                .iter()
                .map(Maintainer::to_json)
                .collect::<Vec<_>>()
                .into(),
        );
        put("icon", self.icon.clone().into());
        put("apiVersion", self.api_version.clone().into());
        put("condition", self.condition.clone().into());
        put("tags", self.tags.clone().into());
        put("appVersion", self.app_version.clone().into());
        put("deprecated", self.deprecated.into());
        let annotations = self.annotations.iter().flatten();
        let annotations = annotations.map(|(key, value)| (key.clone(), value.clone().into()));
        put("annotations", Value::Object(annotations.collect()));
        put("kubeVersion", self.kube_version.clone().into());
        let dependencies = self.dependencies.iter().flatten().map(Dependency::to_json);
        put("dependencies", dependencies.collect::<Vec<_>>().into());
        put("type", self.kind.clone().into());
        map
    }
}

impl Maintainer {
    fn read(data: &Data<'static>, path: &str) -> Result<Self, String> {
        let fields = Fields::new(data, path, "v2.Maintainer")?;
        let field = |name| fields.string(name).map(Option::unwrap_or_default);
        Ok(Self {
            name: field("name")?,
            email: field("email")?,
            url: field("url")?,
        })
    }

    fn to_json(&self) -> Value {
        let fields = [
            ("name", &self.name),
            ("email", &self.email),
            ("url", &self.url),
        ];
        let present = fields.into_iter().filter(|field| !field.1.is_empty());
        Value::Object(
            present
                .map(|(name, text)| (name.to_owned(), text.clone().into()))
                .collect(),
        )
    }
}

impl Dependency {
    fn read(data: &Data<'static>, path: &str) -> Result<Self, String> {
        let fields = Fields::new(data, path, "v2.Dependency")?;
        let field = |name| fields.string(name).map(Option::unwrap_or_default);
        let imports = fields
            .list("import-values", "[]interface {}")?
            .unwrap_or_default();
        Ok(Self {
            name: field("name")?,
            version: field("version")?,
            repository: field("repository")?,
            condition: field("condition")?,
            tags: fields.strings("tags")?.unwrap_or_default(),
            enabled: fields.bool("enabled")?.unwrap_or_default(),
            import_values: imports.iter().map(|data| go_value(data.clone())).collect(),
            alias: field("alias")?,
        })
    }

    fn clean(&mut self) {
        for text in [
            &mut self.name,
            &mut self.version,
            &mut self.repository,
            &mut self.condition,
        ] {
            sanitize(text);
        }
        self.tags.iter_mut().for_each(sanitize);
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".to_owned(), self.name.clone().into());
        let mut put = |name: &str, value: Value, present: bool| {
            if present {
                map.insert(name.to_owned(), value);
            }
        };
        put(
            "version",
            self.version.clone().into(),
            !self.version.is_empty(),
        );
        put("repository", self.repository.clone().into(), true);
        put(
            "condition",
            self.condition.clone().into(),
            !self.condition.is_empty(),
        );
        put("tags", self.tags.clone().into(), !self.tags.is_empty());
        put("enabled", true.into(), self.enabled);
        put(
            "import-values",
            self.import_values.clone().into(),
            !self.import_values.is_empty(),
        );
        put("alias", self.alias.clone().into(), !self.alias.is_empty());
        Value::Object(map)
    }
}

impl Lock {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let data = document(text)?;
        let fields = Fields::new(&data, "", "v2.Lock")?;
        let items = fields
            .list("dependencies", "[]*v2.Dependency")?
            .unwrap_or_default();
        Ok(Self {
            generated: fields.string("generated")?.unwrap_or_default(),
            digest: fields.string("digest")?.unwrap_or_default(),
            dependencies: read_list(items, "dependencies", Dependency::read)?,
        })
    }

    /// The fields as Go's JSON encoder writes them.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let dependencies = self.dependencies.iter().map(Dependency::to_json);
        let dependencies: Vec<Value> = dependencies.collect();
        serde_json::json!({
            "generated": self.generated, "digest": self.digest, "dependencies": dependencies,
        })
    }
}

fn read_list<T>(
    items: &[Data<'static>],
    name: &str,
    read: impl Fn(&Data<'static>, &str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let path = format!(".{name}");
    let read = items.iter().map(|item| match item {
        Data::Null => Err(format!(
            "{EMPTY_NODE}{name} must not contain empty or null nodes"
        )),
        item => read(item, &path),
    });
    read.collect()
}

/// Stands before a message that is about a rule and not about the text.
pub(crate) const EMPTY_NODE: &str = "\u{0}";

/// Data as Go holds it where no type is wanted: numbers are floats.
fn go_value(data: Data<'static>) -> Value {
    let mut value = data.into_value();
    crate::values::floats(&mut value);
    value
}

/// Turns white space into blanks and drops what cannot be printed.
fn sanitize(text: &mut String) {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return;
    }
    let clean = text.chars().filter_map(|c| match c {
        c if c.is_whitespace() => Some(' '),
        c if prints(c) => Some(c),
        _ => None,
    });
    *text = clean.collect();
}

fn prints(c: char) -> bool {
    let hidden = matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
        | 0xe000..=0xf8ff | 0xfeff | 0xfff0..=0xfffb | 0xe0000..=0x10_ffff);
    !c.is_control() && !hidden
}
