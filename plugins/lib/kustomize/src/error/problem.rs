//! The kinds of problems.

use weir_k8s_yaml::YamlError;

use crate::files::{FileError, PluginError, Role};

/// What is wrong. The place stands in the [`crate::Error`] around it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the text of each variant says what it is")]
pub enum Problem {
    // Files and folders.
    #[error("cannot read `{path}`: {error}")]
    File { path: String, error: FileError },
    #[error("cannot enter `{path}`: {error}")]
    Folder { path: String, error: FileError },
    #[error("cannot open `{url}`: {error}")]
    Url { url: String, error: FileError },
    #[error("`{url}` is a git repository, not a file")]
    UrlIsRepository { url: String },
    #[error("`{url}` is remote, and remote resources are switched off")]
    RemoteOff { url: String },
    #[error("`{path}` leaves the source")]
    LeavesTree { path: String },
    #[error("`{file}` is not in or below `{folder}`")]
    OutsideFolder { file: String, folder: String },
    #[error("the path `{path}` is absolute")]
    AbsoluteFolder { path: String },
    #[error("the path is empty")]
    EmptyPath,
    #[error("cycle: `{folder}` {} being built", if .folder == .visited { "is already".to_owned() } else { format!("holds `{}`, which is", .visited) })]
    Cycle { folder: String, visited: String },
    #[error("kustomizations include each other more than {limit} levels deep")]
    TooDeep { limit: usize },
    #[error("more than {limit} kustomizations are included")]
    TooManyLevels { limit: usize },
    #[error("there are more than {limit} objects")]
    TooManyObjects { limit: usize },
    #[error("there are more than {limit} files and folders")]
    TooManyFiles { limit: usize },

    // Kustomization files.
    #[error("there is no kustomization file in `{folder}`")]
    NoKustomization { folder: String },
    #[error("there is more than one kustomization file in `{folder}`: {names}")]
    ManyKustomizations { folder: String, names: String },
    #[error("the kustomization is empty")]
    EmptyKustomization,
    #[error("unknown field `{0}`")]
    UnknownField(String),
    #[error("expected {expected}, found {found}")]
    WrongType {
        expected: &'static str,
        found: String,
    },
    #[error("kind should be Kustomization or Component, found `{found}`")]
    KustomizationKind { found: String },
    #[error("apiVersion for {kind} should be {wanted}, found `{found}`")]
    KustomizationVersion {
        kind: &'static str,
        wanted: &'static str,
        found: String,
    },
    #[error("`{found}` is none of {known}")]
    WrongWord { found: String, known: &'static str },
    #[error("it means nothing in this order")]
    SortOptionsUnused,
    #[error("`{folder}` is a Component, and `resources` needs a Kustomization")]
    ComponentAsResource { folder: String },
    #[error("`{folder}` is a Kustomization, and `components` needs a Component")]
    ResourceAsComponent { folder: String },
    #[error("component path '{path}' must be local and relative")]
    ComponentPath { path: String },

    // Objects in files.
    #[error("{0}")]
    Yaml(YamlError),
    #[error("invalid document separator: {0}")]
    Separator(String),
    #[error("expected an object, found {found}")]
    NotAnObject { found: String },
    #[error("missing kind")]
    MissingKind,
    #[error("missing apiVersion")]
    MissingApiVersion,
    #[error("missing metadata.name in an object of kind {kind}")]
    MissingName { kind: String },
    #[error("expected a list of items, found {found}")]
    ListItems { found: String },
    #[error("the object {0} is there twice")]
    DuplicateId(String),
    #[error("expected {expected}, found {found}")]
    WrongKind {
        expected: &'static str,
        found: String,
    },

    // Generators.
    #[error("a {kind} must have a name")]
    GeneratorName { kind: &'static str },
    #[error("the key `{key}` stands twice")]
    GeneratorKey { key: String },
    #[error("invalid literal `{0}`, expected key=value")]
    Literal(String),
    #[error("invalid file source `{given}`: {problem}")]
    FileSource {
        given: String,
        problem: &'static str,
    },
    #[error("the line is not UTF-8")]
    EnvLine,
    #[error("{id} does not exist; cannot {behavior}")]
    NothingToMerge { id: String, behavior: &'static str },
    #[error("{id} exists; behavior must be merge or replace, found `{behavior}`")]
    AlreadyGenerated { id: String, behavior: &'static str },
    #[error("{count} objects could accept a merge of {id}")]
    ManyToMerge { id: String, count: usize },
    #[error("`helmCharts` is switched off")]
    HelmOff,
    #[error("a chart must have a name")]
    ChartName,
    #[error("valuesMerge must be one of [merge override replace]")]
    ValuesMerge,
    #[error("the values file is empty, so that `valuesInline` cannot be merged with it")]
    ValuesEmpty,
    #[error("the values are {0}, but must be a map")]
    ValuesKind(&'static str),
    #[error("there is no chart `{name}` in `{home}`")]
    ChartAbsent { name: String, home: String },
    #[error("cannot get chart `{name}` from {repo}: {error}")]
    Chart {
        name: String,
        repo: String,
        error: FileError,
    },

    // Patches.
    #[error("neither `patch` nor `path` is given")]
    PatchMissing,
    #[error("both `patch` and `path` are given")]
    PatchTwice,
    #[error("the patch is empty")]
    PatchEmpty,
    #[error("a JSON patch needs a target")]
    JsonPatchTarget,
    #[error("several patches in one entry cannot have a `target`")]
    ManyPatchesOneTarget,
    #[error("no object matches the patch {id}")]
    PatchUnmatched { id: String },
    #[error("{count} objects match the patch {id}")]
    PatchAmbiguous { id: String, count: usize },
    #[error("the patch has {patch} where the object has {target}")]
    MergeKinds { target: String, patch: String },
    #[error("unknown patch strategy `{0}`")]
    PatchDirective(String),
    #[error("the operations leave no object")]
    PatchedAway,
    #[error("not valid JSON: {0}")]
    JsonText(String),
    #[error("expected a list of JSON patch operations")]
    NotOperations,
    #[error("unknown operation `{0}`")]
    OperationKind(String),
    #[error("the operation has no text `{0}`")]
    OperationField(&'static str),
    #[error("there is nothing at `{0}`")]
    PointerMissing(String),
    #[error("`{index}` is no index in a list of {length}")]
    PointerIndex { index: String, length: usize },
    #[error("the document becomes larger than {limit} values")]
    TooLarge { limit: usize },
    #[error("the document becomes nested more than {limit} levels deep")]
    TooNested { limit: usize },
    #[error("a list of {count} items whose keys are not distinct is too long to be merged")]
    ListTooLong { count: usize },
    #[error("expected {expected}, found {found}")]
    TestFailed { expected: String, found: String },

    // Selectors, fields and configuration.
    #[error("invalid regular expression `{expression}`: {reason}")]
    Expression { expression: String, reason: String },
    #[error("invalid selector `{selector}`: {reason}")]
    LabelSelector { selector: String, reason: String },
    #[error("a part of the path is empty")]
    EmptyPathSegment,
    #[error("the field `{path}` is configured in two ways")]
    ConflictingSpecs { path: String },
    #[error("it holds no OpenAPI definitions")]
    CrdsFile,
    #[error("the definitions are too large")]
    CrdsTooLarge,
    #[error("there is no built-in OpenAPI version `{0}`")]
    OpenApiVersion(String),
    #[error("both a built-in OpenAPI version and a file are given")]
    OpenApiBoth,
    #[error("it is no OpenAPI document")]
    OpenApiDocument,
    #[error("no object called `{name}` is of a kind that has replicas: {kinds}")]
    ReplicasUnmatched { name: String, kinds: String },

    // References.
    #[error("an entry has no name")]
    ReferenceWithoutName,
    #[error("`{name}` could mean several objects: {ids}")]
    ReferenceAmbiguous { name: String, ids: String },

    // Replacements and vars.
    #[error("both `path` and a replacement are given")]
    ReplacementTwice,
    #[error("source or targets are missing")]
    ReplacementIncomplete,
    #[error("both `source` and `sourceValue` are given")]
    ReplacementSources,
    #[error("nothing is selected by {selector}")]
    SourceUnmatched { selector: String },
    #[error("several objects are selected by {selector}")]
    SourceAmbiguous { selector: String },
    #[error("there is nothing at `{field}` of {id}")]
    SourceField { field: String, id: String },
    #[error("only texts can be cut by a delimiter")]
    DelimiterKind,
    #[error("there is no part {index} in `{text}`")]
    DelimiterIndex { index: i64, text: String },
    #[error("a target selects nothing")]
    TargetSelect,
    #[error("the field `{field}` cannot be {doing}")]
    TargetField { field: String, doing: &'static str },
    #[error("`{0}` is a negative index")]
    NegativeIndex(String),
    #[error("`{0}` selects no items")]
    PathSelector(String),
    #[error("`*` cannot be used here")]
    WildcardInSource,
    #[error("index {index} is given, but there are {count} items")]
    PathIndex { index: String, count: usize },
    #[error("there is no text with a structure on the path")]
    NoStructure,
    #[error("the var `{name}` is there twice")]
    VarTwice { name: String },
    #[error("{count} objects match the var `{name}`")]
    VarAmbiguous { name: String, count: usize },
    #[error("no object matches the var `{name}`")]
    VarUnmatched { name: String },
    #[error("the object of the var `{name}` has no field `{field}`")]
    VarField { name: String, field: String },

    // Plugins.
    #[error("external plugins are not run: {id}{}", if *.function { " is a function that runs a program" } else { "" })]
    ForeignPlugin { id: String, function: bool },
    #[error("the annotation names no plugin")]
    PluginName,
    #[error("there is no built-in {wanted} `{kind}`")]
    BuiltInKind { kind: String, wanted: &'static str },
    #[error("`fieldSpecs` is missing")]
    FieldSpecsMissing,
    #[error("there are no targets")]
    ValueTargets,
    #[error("the validator {validator} changed objects")]
    ValidatorChanges { validator: String },
    #[error("the {role} `{plugin}`: {error}")]
    PluginFailed {
        plugin: String,
        role: Role,
        error: PluginError,
    },
    #[error("the plugin `{plugin}` gave something that is no object: {reason}")]
    PluginOutput { plugin: String, reason: String },
    #[error("registered plugins are switched off")]
    PluginsOff,
    #[error("the host did not take an object: {0}")]
    Refused(String),
}
