//! The text of a release's manifest, and what `helm template` prints.

use weir_chart::pattern::matches;

use crate::error::HelmError;
use crate::manifest::{Manifest, split};
use crate::render::Rendered;

/// What `helm template` is to print.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputOptions {
    /// Leaves out all hooks.
    pub no_hooks: bool,
    /// Leaves out the hooks of `helm test`.
    pub skip_tests: bool,
    /// Prints only what came from these templates, patterns relative to the chart.
    pub show_only: Vec<String>,
    /// Prints no Secrets.
    pub hide_secrets: bool,
}

impl Rendered {
    /// The manifest as it is stored with the release.
    #[must_use]
    pub fn manifest(&self) -> String {
        self.manifest_text(false)
    }

    fn manifest_text(&self, hide_secrets: bool) -> String {
        let hidden = |manifest: &Manifest| {
            hide_secrets && manifest.kind == "Secret" && manifest.api_version == "v1"
        };
        let crds = match self.include_crds {
            true => self.crds.as_slice(),
            false => &[],
        };
        // It is large, and would be copied whenever it outgrows its place.
        let sizes = [
            size_of(crds, |(path, file)| (path, file.data.len())),
            size_of(&self.manifests, |one| (&one.path, one.text.len())),
            size_of(&self.hooks, |hook| (&hook.path, hook.text.len())),
        ];
        let mut out = String::with_capacity(sizes.iter().sum());
        for (path, file) in crds {
            push(&mut out, path, &file.text());
        }
        for manifest in &self.manifests {
            let text = if hidden(manifest) {
                "# HIDDEN: The Secret output has been suppressed"
            } else {
                &manifest.text
            };
            push(&mut out, &manifest.path, text);
        }
        out
    }

    /// What `helm template` prints.
    ///
    /// # Errors
    ///
    /// When a template of [`OutputOptions::show_only`] has no output.
    pub fn template_output(
        &self,
        options: &OutputOptions,
        profile: weir_chart::Profile,
    ) -> Result<String, HelmError> {
        // It begins with a separator, if with anything, so that only its end can have blanks.
        let mut out = self.manifest_text(options.hide_secrets);
        out.truncate(out.trim_end().len());
        out.push('\n');
        if !options.no_hooks {
            for hook in self
                .hooks
                .iter()
                .filter(|hook| !(options.skip_tests && hook.is_test()))
            {
                push(&mut out, &hook.path, &hook.text);
            }
        }
        if options.show_only.is_empty() {
            return Ok(out);
        }
        let documents = split(&out, profile);
        let mut shown = String::new();
        for pattern in &options.show_only {
            let found = documents.iter().filter(|document| {
                source_of(document).is_some_and(|path| matches(pattern, path).unwrap_or(false))
            });
            let before = shown.len();
            for document in found {
                shown.push_str("---\n");
                shown.push_str(document);
                shown.push('\n');
            }
            if shown.len() == before {
                return Err(HelmError::ShowOnly(pattern.clone()));
            }
        }
        Ok(shown)
    }
}

const HEAD: &str = "---\n# Source: ";

/// How long documents are when [`push`] has put them behind each other.
fn size_of<T>(documents: &[T], part: impl Fn(&T) -> (&String, usize)) -> usize {
    let sizes = documents.iter().map(|document| {
        let (path, text) = part(document);
        HEAD.len() + path.len() + text + 2
    });
    sizes.sum()
}

fn push(out: &mut String, path: &str, text: &str) {
    out.push_str(HEAD);
    out.push_str(path);
    out.push('\n');
    out.push_str(text);
    out.push('\n');
}

/// The path within the chart that the first comment of that kind names.
fn source_of(document: &str) -> Option<&str> {
    document.lines().find_map(|line| {
        let (_, path) = line.split_once("# Source: ")?;
        let (chart, path) = path.split_once('/')?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
