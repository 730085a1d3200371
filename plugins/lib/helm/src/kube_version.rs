//! Kubernetes versions as people write them, and the APIs that Helm assumes without a cluster.

use weir_chart::Profile;

/// A Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// As templates see it: `v1.33.4-gke.1`.
    pub version: String,
    /// As constraints are checked against it: `v1.33.4`.
    pub normalized: String,
    /// `1`
    pub major: String,
    /// `33`
    pub minor: String,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KubeVersionError {
    /// It does not begin with numbers.
    #[error("could not parse {0:?} as version")]
    Unreadable(String),
    /// It has one number alone, or one with a leading zero or too many digits.
    #[error("illegal version string {0:?}")]
    Illegal(String),
}

impl KubeVersion {
    /// The version that Helm assumes when nobody says one.
    #[must_use]
    pub fn default_of(profile: Profile) -> Self {
        let minor = match profile {
            Profile::Helm4 | Profile::Helm3 => "36",
            Profile::Helm3_19 => "34",
        };
        let version = format!("v1.{minor}.0");
        Self {
            normalized: version.clone(),
            version,
            major: "1".to_owned(),
            minor: minor.to_owned(),
        }
    }

    /// The version that a cluster tells of itself: nothing of it is cut off, so that `v1.33.4-gke.1` is a pre-release when a
    /// chart's constraint is checked, and the minor version may be `33+`.
    #[must_use]
    pub fn of_cluster(git_version: &str, major: &str, minor: &str) -> Self {
        Self {
            version: git_version.to_owned(),
            normalized: git_version.to_owned(),
            major: major.to_owned(),
            minor: minor.to_owned(),
        }
    }

    /// Reads a version: numbers with dots, and anything behind them.
    ///
    /// # Errors
    ///
    /// When it does not begin with at least two numbers.
    pub fn parse(text: &str, profile: Profile) -> Result<Self, KubeVersionError> {
        let trimmed = text.trim_start();
        let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = trimmed
            .find(|c: char| c != '.' && !c.is_ascii_digit())
            .unwrap_or(trimmed.len());
        // `1.2.` ends before the last dot.
        let mut numbers = Vec::new();
        for part in trimmed[..end].split('.') {
            if part.is_empty() {
                break;
            }
            numbers.push(part);
        }
        if numbers.is_empty() {
            return Err(KubeVersionError::Unreadable(text.to_owned()));
        }
        let legal =
            |number: &&str| number.len() < 10 && (*number == "0" || !number.starts_with('0'));
        if numbers.len() < 2 || !numbers.iter().all(legal) {
            return Err(KubeVersionError::Illegal(text.to_owned()));
        }
        let normalized = format!("v{}", numbers.join("."));
        let version = match (profile.is_helm3(), text.starts_with('v')) {
            (true, _) => normalized.clone(),
            (false, true) => text.to_owned(),
            (false, false) => format!("v{text}"),
        };
        Ok(Self {
            version,
            normalized,
            major: numbers[0].to_owned(),
            minor: numbers[1].to_owned(),
        })
    }
}

/// The APIs that Helm assumes without a cluster, in its order.
#[must_use]
pub fn default_api_versions(profile: Profile) -> Vec<String> {
    let old = profile == Profile::Helm3_19;
    let mut versions = Vec::new();
    let mut add = |group: &str, names: &[&str]| {
        for name in names {
            versions.push(if group.is_empty() {
                (*name).to_owned()
            } else {
                format!("{group}/{name}")
            });
        }
    };
    add("", &["v1"]);
    add(
        "admissionregistration.k8s.io",
        &["v1", "v1alpha1", "v1beta1"],
    );
    add("internal.apiserver.k8s.io", &["v1alpha1"]);
    add("apps", &["v1", "v1beta1", "v1beta2"]);
    add("authentication.k8s.io", &["v1", "v1alpha1", "v1beta1"]);
    add("authorization.k8s.io", &["v1", "v1beta1"]);
    add(
        "autoscaling",
        if old {
            &["v1", "v2", "v2beta1", "v2beta2"]
        } else {
            &["v1", "v2"]
        },
    );
    add("batch", &["v1", "v1beta1"]);
    add("certificates.k8s.io", &["v1", "v1beta1", "v1alpha1"]);
    add("coordination.k8s.io", &["v1alpha2", "v1beta1", "v1"]);
    add("discovery.k8s.io", &["v1", "v1beta1"]);
    add("events.k8s.io", &["v1", "v1beta1"]);
    add("extensions", &["v1beta1"]);
    add(
        "flowcontrol.apiserver.k8s.io",
        &["v1", "v1beta1", "v1beta2", "v1beta3"],
    );
    add("networking.k8s.io", &["v1", "v1beta1"]);
    add("node.k8s.io", &["v1", "v1alpha1", "v1beta1"]);
    add("policy", &["v1", "v1beta1"]);
    add("rbac.authorization.k8s.io", &["v1", "v1beta1", "v1alpha1"]);
    add("resource.k8s.io", &["v1", "v1beta2", "v1beta1", "v1alpha3"]);
    add(
        "scheduling.k8s.io",
        &[if old { "v1alpha1" } else { "v1alpha2" }, "v1beta1", "v1"],
    );
    add("storage.k8s.io", &["v1beta1", "v1", "v1alpha1"]);
    add(
        "storagemigration.k8s.io",
        &[if old { "v1alpha1" } else { "v1beta1" }],
    );
    add("apiextensions.k8s.io", &["v1beta1", "v1"]);
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_what_their_profile_keeps() {
        let read = |text, profile| {
            KubeVersion::parse(text, profile).map(|version| (version.version, version.normalized))
        };
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(
            read("1.20.4-gke.1", Profile::Helm4),
            pair("v1.20.4-gke.1", "v1.20.4")
        );
        assert_eq!(
            read("v1.20.4-gke.1", Profile::Helm3),
            pair("v1.20.4", "v1.20.4")
        );
        assert_eq!(read("1.20", Profile::Helm4), pair("v1.20", "v1.20"));
        assert_eq!(
            read("1", Profile::Helm4).unwrap_err().to_string(),
            "illegal version string \"1\""
        );
        assert_eq!(
            read("abc", Profile::Helm4).unwrap_err().to_string(),
            "could not parse \"abc\" as version"
        );
    }
}
