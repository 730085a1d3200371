//! Where weir's words may be others than source-controller's, and where weir does something else on purpose.

use serde_json::Value;

/// Objects of which weir makes something else than source-controller. Each stands in `docs/differences.md`.
const DELIBERATE: &[&str] = &[
    // The archive of a chart has to be what the index says.
    "HelmChart/chart-lying",
    // A hard link has the content that it links to.
    "OCIRepository/oci-hard-link",
    // A submodule's `.git`, which points to a folder that no artifact has, is left out.
    "GitRepository/submodules",
];

/// What messages begin with whose rest is the text of a library in Go, or names files that weir does not have:
/// source-controller's, and weir's.
const BEGINNINGS: &[(&str, &str)] = &[
    // What Git's transports say.
    (
        "failed to checkout and determine revision: unable to clone '",
        "failed to checkout and determine revision: unable to clone '",
    ),
    // Folders that source-controller works in.
    (
        "failed to copy 'included' include from ",
        "failed to copy 'included' include from ",
    ),
    (
        "failed to sparse checkout directories : sparse checkout dir 'none' does not exist in repository: lstat <folder>",
        "failed to sparse checkout directories : sparse checkout dir 'none' does not exist in repository",
    ),
    (
        "invalid chart reference: stat <folder>",
        "invalid chart reference: there is no chart: ",
    ),
    // What registries say.
    (
        "failed to determine artifact digest: GET http",
        "failed to determine artifact digest: the ",
    ),
    (
        "failed to pull artifact from 'oci://<registry>/fleet/app': GET http",
        "failed to pull artifact from 'oci://<registry>/fleet/app': the ",
    ),
    (
        "chart pull error: failed to download chart for remote reference: failed to ",
        "chart pull error: failed to download chart for remote reference: ",
    ),
    (
        "unknown build error: failed to authenticate with the Helm repository: chart pull error: failed to ",
        "unknown build error: failed to authenticate with the Helm repository: chart pull error: failed to ",
    ),
    // What is wrong with an archive.
    (
        "failed to extract layer contents from artifact: tar contained invalid name error ",
        "failed to extract layer contents from artifact: the archive is not readable: the entry ",
    ),
    (
        "failed to extract layer contents from artifact: tar file entry ",
        "failed to extract layer contents from artifact: the archive is not readable: the entry ",
    ),
    (
        "failed to extract layer contents from artifact: mkdir <folder>",
        "failed to extract layer contents from artifact: the archive is not readable: the entry ",
    ),
    // What is wrong with an expression, and with an index.
    (
        "failed to determine the artifact tag for 'oci://<registry>/fleet/app': error parsing regexp: ",
        "failed to determine the artifact tag for 'oci://<registry>/fleet/app': spec.ref.semverFilter: ",
    ),
    (
        "failed to load Helm repository from index YAML: failed to load index: error unmarshaling JSON: ",
        "failed to load Helm repository from index YAML: failed to load index: ",
    ),
    // What servers of charts and of objects say.
    (
        "failed to fetch Helm repository index: failed to cache index to temporary file: ",
        "failed to fetch Helm repository index: failed to cache index to temporary file: ",
    ),
    (
        "failed to confirm existence of 'files' bucket: ",
        "failed to confirm existence of 'files' bucket: ",
    ),
];

pub(super) fn is_deliberate(name: &str) -> bool {
    DELIBERATE.contains(&name)
}

/// Types, statuses and reasons are the same, and messages agree.
pub(super) fn same_conditions(flux: &Value, weir: &Value) -> bool {
    let lists = (flux.as_array(), weir.as_array());
    let (Some(flux), Some(weir)) = lists else {
        return flux == weir;
    };
    let same = |(flux, weir): (&Value, &Value)| {
        let fields = ["type", "status", "reason"];
        let text = |one: &Value| one["message"].as_str().unwrap_or_default().to_owned();
        fields.iter().all(|field| flux[*field] == weir[*field])
            && same_message(&text(flux), &text(weir))
    };
    flux.len() == weir.len() && flux.iter().zip(weir).all(same)
}

/// weir may say more behind what source-controller says, or, after certain beginnings, say the rest in its own words.
fn same_message(flux: &str, weir: &str) -> bool {
    weir.starts_with(flux.trim_end())
        || BEGINNINGS
            .iter()
            .any(|(theirs, ours)| flux.starts_with(theirs) && weir.starts_with(ours))
}
