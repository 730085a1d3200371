//! The entries of `resources` and `components`, and the configs of plugins.

use std::rc::Rc;

use super::{Accumulator, Level};
use crate::build::Context;
use crate::error::{Error, Problem, Result};
use crate::files::FileError;
use crate::git_url::GitUrl;
use crate::loader::{Filtered, Folder};
use crate::origin;
use crate::read;
use crate::resource::Resource;
use crate::set::ResourceSet;

impl Level {
    pub(super) fn add_resources(
        &mut self,
        into: &mut Accumulator,
        context: &Context<'_>,
    ) -> Result<()> {
        for at in 0..self.kustomization.resources.len() {
            let entry = self.kustomization.resources[at].clone();
            let (field, index) = self.kustomization.resource_path(at);
            self.add_entry(into, &entry, context)
                .map_err(|error| self.error(error, &[field, &index.to_string()]))?;
        }
        Ok(())
    }

    /// Adds what an entry names: a file, or else a folder or a repository.
    pub(super) fn add_entry(
        &self,
        into: &mut Accumulator,
        entry: &str,
        context: &Context<'_>,
    ) -> Result<()> {
        if let Some(url) = GitUrl::parse(entry)
            && url.certain()
        {
            let folder = self.folder.enter(context.host, context.options, entry)?;
            return self.add_folder(into, folder, entry, context);
        }
        let in_file = match self.add_file(&mut into.set, entry, context) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if matches!(in_file.problem(), Problem::RemoteOff { .. }) {
            return Err(in_file);
        }
        let is_folder = matches!(
            in_file.problem(),
            Problem::File {
                error: FileError::Directory,
                ..
            }
        ) || matches!(in_file.problem(), Problem::UrlIsRepository { .. });
        match self.folder.enter(context.host, context.options, entry) {
            Ok(folder) => self.add_folder(into, folder, entry, context),
            Err(in_folder)
                if is_folder
                    || matches!(
                        in_folder.problem(),
                        Problem::Cycle { .. } | Problem::AbsoluteFolder { .. }
                    )
                    || GitUrl::parse(entry).is_some() && !crate::git_url::is_http(entry) =>
            {
                Err(in_folder)
            }
            Err(_) => Err(in_file),
        }
    }

    fn add_file(&self, set: &mut ResourceSet, entry: &str, context: &Context<'_>) -> Result<()> {
        let loaded = self
            .folder
            .load(context.host, context.options, entry, Filtered::No)?;
        let mut resources = read::resources(&loaded.content, &loaded.name, context.schemas)?;
        if let Some(own) = &self.origin {
            let origin = own.append(entry);
            resources
                .iter_mut()
                .for_each(|resource| origin::set(resource, &origin));
        }
        resources
            .into_iter()
            .try_for_each(|resource| set.append(resource))
    }

    fn add_folder(
        &self,
        into: &mut Accumulator,
        folder: Rc<Folder>,
        entry: &str,
        context: &Context<'_>,
    ) -> Result<()> {
        context.enter(into.set.len())?;
        let level = self.inner(folder, entry, context)?;
        if level.kustomization.component {
            return Err(Error::new(Problem::ComponentAsResource {
                folder: level.folder.shown(),
            })
            .help("move the entry from `resources` to `components`"));
        }
        let built = level.accumulate(Accumulator::default(), context)?;
        into.set.append_all(built.set)?;
        into.config.merge(&built.config)?;
        into.vars.merge(built.vars)
    }

    pub(super) fn add_components(
        &mut self,
        mut into: Accumulator,
        context: &Context<'_>,
    ) -> Result<Accumulator> {
        for at in 0..self.kustomization.components.len() {
            let entry = self.kustomization.components[at].clone();
            into = self
                .add_component(into, &entry, context)
                .map_err(|error| self.error(error, &["components", &at.to_string()]))?;
        }
        Ok(into)
    }

    fn add_component(
        &self,
        into: Accumulator,
        entry: &str,
        context: &Context<'_>,
    ) -> Result<Accumulator> {
        let folder = self.folder.enter(context.host, context.options, entry)?;
        context.enter(into.set.len())?;
        let level = self.inner(folder, entry, context)?;
        if !level.kustomization.component {
            return Err(Error::new(Problem::ResourceAsComponent {
                folder: level.folder.shown(),
            })
            .help("set `kind: Component` there, or move the entry to `resources`"));
        }
        level.accumulate(into, context)
    }

    /// The configs that a plugin field names: texts that are objects first, then what files and folders hold.
    pub(super) fn configs(
        &self,
        field: &str,
        entries: &[String],
        context: &Context<'_>,
    ) -> Result<Vec<Resource>> {
        let mut inline = ResourceSet::new();
        let mut others = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let Ok(resources) = read::inline(entry, context.schemas) else {
                others.push((at, entry));
                continue;
            };
            for mut resource in resources {
                if let Some(own) = &self.origin {
                    origin::set(&mut resource, &own.append(self.file));
                }
                inline
                    .append(resource)
                    .map_err(|error| self.error(error, &[field, &at.to_string()]))?;
            }
        }
        let mut all = Accumulator {
            set: inline,
            ..Accumulator::default()
        };
        for (at, entry) in others {
            self.add_entry(&mut all, entry, context)
                .map_err(|error| self.error(error, &[field, &at.to_string()]))?;
        }
        Ok(all.set.into_items())
    }
}
