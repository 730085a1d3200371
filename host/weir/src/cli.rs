//! Flags and arguments, as they are typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::folder_world::KUBE_VERSION;
use crate::repository::unit::SourceName;

/// A GitOps reconciler for Kubernetes that renders with sandboxed plugins and speaks Flux's own resources.
///
/// Exit codes: 0 everything is as asked for; 1 something failed or is not ready; 2 the command line was not understood.
#[derive(Debug, Parser)]
#[command(name = "weir", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reconcile into a cluster, or into a folder with --local.
    Run(RunArgs),
    /// Print everything that a cluster would get from a repository.
    Build(BuildRepositoryArgs),
    /// Render a repository and find what would go wrong in a cluster.
    Test(TestArgs),
    /// Show what changes in a cluster from one revision of a repository to another.
    Diff(DiffArgs),
    /// Say who reads a file and what comes of it, or where an object comes from.
    Explain(ExplainArgs),
    /// List what a repository has.
    Get(GetArgs),
    /// Look at plugins and try them.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Build kustomizations as kustomize does.
    Kustomize {
        #[command(subcommand)]
        command: KustomizeCommand,
    },
    /// Render charts as Helm does.
    Helm {
        #[command(subcommand)]
        command: HelmCommand,
    },
    /// Print the version.
    Version(VersionArgs),
    /// Print a completion script for a shell.
    Completions { shell: clap_complete::Shell },
    /// Write the manual pages.
    #[command(hide = true)]
    Man { directory: PathBuf },
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Reconcile into this folder, with the embedded cluster, instead of into a Kubernetes cluster.
    #[arg(long, value_name = "DIR")]
    pub(crate) local: Option<PathBuf>,
    /// Take this folder as the tree of the source that --source names.
    #[arg(long, value_name = "REPO")]
    pub(crate) root: Option<PathBuf>,
    /// The source that --root stands for.
    #[arg(
        long,
        value_name = "KIND/NAME",
        default_value = "GitRepository/flux-system"
    )]
    pub(crate) source: String,
    /// Where in REPO to start: made into a Kustomization named like the source. With --local by default what REPO's
    /// gotk-sync.yaml or its FluxInstance says.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// The namespace of the source and of what weir keeps for itself.
    #[arg(long, value_name = "NAME", default_value = "flux-system")]
    pub(crate) namespace: String,
    /// Reconcile only what is in this namespace.
    #[arg(long, value_name = "NAME")]
    pub(crate) only_namespace: Option<String>,
    /// Serve the artifacts of sources at this address, for others who read status.artifact.url (Flux: --storage-addr).
    #[arg(long, value_name = "ADDRESS:PORT", requires = "storage_adv_addr")]
    pub(crate) storage_addr: Option<std::net::SocketAddr>,
    /// Host and port that others reach --storage-addr by, such as source-controller.flux-system.svc.cluster.local.
    #[arg(long, value_name = "HOST[:PORT]", requires = "storage_addr")]
    pub(crate) storage_adv_addr: Option<String>,
    /// Ways to agree on keys with Git servers over SSH, the better one first (Flux: --ssh-kex-algos).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) ssh_kex_algos: Vec<String>,
    /// By which keys Git servers may prove who they are over SSH, the better one first (Flux: --ssh-hostkey-algos).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) ssh_hostkey_algos: Vec<String>,
    /// Stop when nothing is left to do; fail if something is not ready then.
    #[arg(long)]
    pub(crate) once: bool,
    /// How many sources and units are worked on at once.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrent: u16,
    /// Where fetched repositories and compiled plugins are kept; may be deleted at any time.
    #[arg(long, value_name = "DIR", env = "WEIR_CACHE")]
    pub(crate) cache: Option<PathBuf>,
    /// How the result is shown.
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
    /// What to log, for example "info" or "weir_controller=debug".
    #[arg(long, value_name = "FILTER", env = "WEIR_LOG", default_value = "off")]
    pub(crate) log: String,
}

/// Kustomizations and HelmReleases are rendered with everything that comes out of them, from one entry on. Exit codes: 0 all
/// units were rendered; 1 some could not be, or nothing could; 2 the command line was not understood.
#[derive(Debug, Args)]
pub(crate) struct BuildRepositoryArgs {
    #[command(flatten)]
    pub(crate) repository: RepositoryArgs,
    /// yaml, json or dir:FOLDER.
    #[arg(short, long, default_value = "yaml")]
    pub(crate) output: Objects,
    /// Show only this unit, for example kustomization/flux-system/apps.
    #[arg(long = "unit", value_name = "KIND/NAMESPACE/NAME")]
    pub(crate) units: Vec<String>,
    /// Show only objects of this kind.
    #[arg(long = "kind", value_name = "KIND")]
    pub(crate) kinds: Vec<String>,
    /// Show only objects that come from files that match, for example "apps/**/*.yaml".
    #[arg(long = "file", value_name = "GLOB")]
    pub(crate) files: Vec<String>,
    /// Stay, and show what changes in the objects as files are saved, in place of all objects.
    #[arg(long, conflicts_with_all = ["units", "kinds", "files", "output"])]
    pub(crate) watch: bool,
}

/// Each finding is one line with file and line. Exit codes: 0 there is no error, though there may be warnings; 1 there are
/// errors; 2 the command line was not understood.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) repository: RepositoryArgs,
    /// How the findings are shown.
    #[arg(short, long, value_enum, default_value_t = TestReport::Text)]
    pub(crate) output: TestReport,
    /// Stay, and render and look again as files are saved.
    #[arg(long)]
    pub(crate) watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestReport {
    Text,
    Json,
    Junit,
    Github,
    Sarif,
}

/// Revisions are read from the object database; nothing is checked out. Exit codes: 0 the difference is shown; 1 a unit cannot
/// be rendered any more, or nothing could be; 2 the command line was not understood.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The revision before: a branch, a tag, a commit, HEAD~1. With --cluster the cluster stands before it, or before the work
    /// tree if no revision is named.
    #[arg(value_name = "BEFORE", required_unless_present_any = ["cluster", "local"])]
    pub(crate) from: Option<String>,
    /// The revision after [default: the work tree].
    #[arg(value_name = "AFTER")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) render: RenderArgs,
    /// How the difference is shown.
    #[arg(short, long, value_enum, default_value_t = DiffReport::Text)]
    pub(crate) output: DiffReport,
    /// Stay, and show the difference again as files of the work tree are saved.
    #[arg(long, conflicts_with = "to")]
    pub(crate) watch: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffReport {
    Text,
    /// For a comment of a pull request.
    Markdown,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A file of the repository, or an object: Deployment/apps/web.
    #[arg(value_name = "FILE|OBJECT")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) render: RenderArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[arg(value_enum, default_value_t = GetWhat::Units)]
    pub(crate) what: GetWhat,
    #[command(flatten)]
    pub(crate) render: RenderArgs,
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GetWhat {
    /// Kustomizations, HelmReleases and the like, and what came of them.
    Units,
    /// The sources that are objects of the repository.
    Sources,
    /// Container images, and who runs them.
    Images,
    /// Who is made by, reads and waits for whom.
    Graph,
    /// The ConfigMaps and Secrets that units take values from; no values.
    Values,
}

/// Which repository is looked at, and how it is rendered.
#[derive(Clone, Debug, Args)]
pub(crate) struct RepositoryArgs {
    /// The repository; short for --root.
    #[arg(value_name = "DIR", conflicts_with = "root")]
    pub(crate) directory: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) render: RenderArgs,
}

/// How a repository is rendered.
#[derive(Clone, Debug, Args)]
pub(crate) struct RenderArgs {
    /// The repository.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Where in the repository to start; by default what its gotk-sync.yaml or its FluxInstance says.
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// The source that the repository stands for [default: that of the entry, else GitRepository/flux-system].
    #[arg(long, value_name = "KIND/NAME")]
    pub(crate) source: Option<SourceName>,
    /// A file of ConfigMaps and Secrets that substituteFrom and valuesFrom find before those of the repository.
    #[arg(long, value_name = "FILE")]
    pub(crate) substitute_from: Vec<PathBuf>,
    /// Leave what is encrypted as it is; substitution gets placeholders for it.
    #[arg(long)]
    pub(crate) no_decrypt: bool,
    /// Fail where a variable is not set and has no default, as in a cluster.
    #[arg(long)]
    pub(crate) strict_substitute: bool,
    /// Fetch nothing: charts and other sources are those that earlier runs kept.
    #[arg(long)]
    pub(crate) offline: bool,
    /// Name HelmReleases without rendering them.
    #[arg(long)]
    pub(crate) no_releases: bool,
    /// The version of Kubernetes that charts see and objects are for.
    #[arg(long, value_name = "VERSION", default_value = KUBE_VERSION)]
    pub(crate) kube_version: String,
    #[command(flatten)]
    pub(crate) live: ClusterArgs,
}

/// The cluster that a command looks into.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ClusterArgs {
    /// Look into the cluster of the kubeconfig: for ConfigMaps and Secrets that the repository does not hold; with get and
    /// explain and without --root, for everything.
    #[arg(long, conflicts_with = "local")]
    pub(crate) cluster: bool,
    /// The same with the embedded cluster in a folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) local: Option<PathBuf>,
}

impl ClusterArgs {
    pub(crate) fn wanted(&self) -> bool {
        self.cluster || self.local.is_some()
    }
}

impl RepositoryArgs {
    /// The repository's folder, by default the working one.
    pub(crate) fn folder(&self) -> &std::path::Path {
        let named = self.render.root.as_deref().or(self.directory.as_deref());
        named.unwrap_or(std::path::Path::new("."))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Say what a component is and what it asks for.
    Inspect {
        /// The component.
        file: PathBuf,
        #[arg(short, long, value_enum, default_value_t = Report::Text)]
        output: Report,
    },
    /// Run a component on the manifests of a folder and print the objects that come out.
    Run(PluginRunArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PluginRunArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// The folder: its files can be read by the plugin, and a transformer or validator gets the objects of its YAML files.
    pub(crate) directory: PathBuf,
    /// The config, as YAML or JSON; @FILE reads it from a file.
    #[arg(long, value_name = "CONFIG", default_value = "{}")]
    pub(crate) config: String,
    /// A grant beside the files of the folder, for example documents=Secret.
    #[arg(long = "grant", value_name = "WHAT=NAME")]
    pub(crate) grants: Vec<String>,
    /// yaml, json or dir:FOLDER.
    #[arg(short, long, default_value = "yaml")]
    pub(crate) output: Objects,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KustomizeCommand {
    /// Print what a folder builds to.
    Build(BuildArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The folder with the kustomization file.
    #[arg(default_value = ".")]
    pub(crate) directory: PathBuf,
    /// Whose rules hold: the command line's or kustomize-controller's.
    #[arg(long, value_enum, default_value_t = Profile::Cli)]
    pub(crate) profile: Profile,
    /// Whether files outside of the folder of a kustomization may be read.
    #[arg(
        long,
        value_name = "RESTRICTOR",
        default_value = "LoadRestrictionsRootOnly"
    )]
    pub(crate) load_restrictor: String,
    /// Let the helmCharts field use the plugin that is registered as "helm".
    #[arg(long)]
    pub(crate) enable_helm: bool,
    /// Let generators, transformers and validators name registered plugins.
    #[arg(long)]
    pub(crate) enable_alpha_plugins: bool,
    /// Add the label app.kubernetes.io/managed-by.
    #[arg(long)]
    pub(crate) enable_managedby_label: bool,
    /// Write to this file, or one file for each object into this folder if it exists.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HelmCommand {
    /// Print what a chart renders to.
    Template(Box<TemplateArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct TemplateArgs {
    /// The name of the release (release-name if left out), and the chart: its folder or its archive.
    #[arg(value_names = ["NAME", "CHART"], num_args = 1..=2, required = true)]
    pub(crate) words: Vec<String>,
    /// The namespace of the release.
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) namespace: String,
    /// A file with values; later ones win.
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub(crate) values: Vec<String>,
    /// A value: a.b=c,d[0]=e
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// A value that is a text whatever it looks like.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set_string: Vec<String>,
    /// A value in JSON.
    #[arg(long, value_name = "KEY=JSON")]
    pub(crate) set_json: Vec<String>,
    /// A value that is the content of a file.
    #[arg(long, value_name = "KEY=FILE")]
    pub(crate) set_file: Vec<String>,
    /// A value in which no character has a meaning.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set_literal: Vec<String>,
    /// The version of Kubernetes that the chart sees.
    #[arg(long, value_name = "VERSION")]
    pub(crate) kube_version: Option<String>,
    /// An API that the chart sees beside Kubernetes' own: v1 or apps/v1/Deployment.
    #[arg(short, long, value_name = "API", value_delimiter = ',')]
    pub(crate) api_versions: Vec<String>,
    /// Print the files of crds/ too.
    #[arg(long)]
    pub(crate) include_crds: bool,
    /// Render as for an upgrade.
    #[arg(long)]
    pub(crate) is_upgrade: bool,
    /// Leave out hooks.
    #[arg(long)]
    pub(crate) no_hooks: bool,
    /// Leave out the hooks of `helm test`.
    #[arg(long)]
    pub(crate) skip_tests: bool,
    /// Leave values.schema.json alone.
    #[arg(long)]
    pub(crate) skip_schema_validation: bool,
    /// Print only what comes from this template of the chart: templates/x.yaml
    #[arg(short, long, value_name = "TEMPLATE")]
    pub(crate) show_only: Vec<String>,
    /// Write one file for each object into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Whose rules hold where Helm's versions differ.
    #[arg(long, value_enum, default_value_t = HelmProfile::Helm4)]
    pub(crate) profile: HelmProfile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HelmProfile {
    Helm4,
    Helm3,
    #[value(name = "helm3.19")]
    Helm3_19,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    #[arg(short, long, value_enum, default_value_t = Report::Text)]
    pub(crate) output: Report,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    Cli,
    Flux,
}

/// Where objects go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Objects {
    Yaml,
    Json,
    Directory(PathBuf),
}

impl std::str::FromStr for Objects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "yaml" => Ok(Self::Yaml),
            None if text == "json" => Ok(Self::Json),
            Some(("dir", folder)) if !folder.is_empty() => Ok(Self::Directory(folder.into())),
            _ => Err("expected yaml, json or dir:FOLDER".to_owned()),
        }
    }
}
