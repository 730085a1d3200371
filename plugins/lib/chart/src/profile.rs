//! Which Helm is followed where its releases differ.

/// A release line of Helm.
///
/// The lines differ in few places, all of which ask this type by a question, so that they can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// Helm 4.2, the library inside Flux 2.9.
    #[default]
    Helm4,
    /// Helm 3.21.
    Helm3,
    /// Helm 3.19, the library inside Flux 2.7, with Kubernetes 1.34.
    Helm3_19,
}

impl Profile {
    /// The profile of a name as people write it: `helm4`, `4.2`, `helm3`, `3.19` and so on.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name
            .trim_start_matches("helm")
            .trim_start_matches(['v', '-'])
        {
            "4" | "4.2" | "4_2" => Some(Self::Helm4),
            "3" | "3.21" | "3_21" => Some(Self::Helm3),
            "3.19" | "3_19" => Some(Self::Helm3_19),
            _ => None,
        }
    }

    /// Whether this is a Helm 3.
    #[must_use]
    pub fn is_helm3(self) -> bool {
        match self {
            Self::Helm4 => false,
            Self::Helm3 | Self::Helm3_19 => true,
        }
    }

    /// Whether all documents of a values file count, and not the first alone.
    #[must_use]
    pub fn merges_documents(self) -> bool {
        !self.is_helm3()
    }

    /// Whether nulls in a chart's own defaults are dropped.
    #[must_use]
    pub fn drops_default_nulls(self) -> bool {
        !self.is_helm3()
    }

    /// Whether a user's null below a map stays if the chart has no value there.
    #[must_use]
    pub fn keeps_unknown_nulls(self) -> bool {
        match self {
            Self::Helm4 | Self::Helm3 => true,
            Self::Helm3_19 => false,
        }
    }
}
