//! Master keys: who can unwrap the data key, or a share of it.

use super::{Fields, MetadataError, rfc3339};

/// What unwraps a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    AwsKms,
    GcpKms,
    HuaweiKms,
    AzureKeyVault,
    Vault,
    Pgp,
    Age,
}

/// One master key, and what it wraps.
#[derive(Clone, Debug)]
pub(crate) struct MasterKey {
    pub(crate) scheme: Scheme,
    /// As sops shows it.
    pub(crate) name: String,
    /// Everything in the entry but the wrapped key and its time.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) wrapped: String,
}

impl Scheme {
    /// In the order in which sops builds a group.
    const ALL: [Self; 7] = [
        Self::AwsKms,
        Self::GcpKms,
        Self::HuaweiKms,
        Self::AzureKeyVault,
        Self::Vault,
        Self::Pgp,
        Self::Age,
    ];

    /// As the plugin contract names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwsKms => "aws-kms",
            Self::GcpKms => "gcp-kms",
            Self::HuaweiKms => "huawei-kms",
            Self::AzureKeyVault => "azure-kv",
            Self::Vault => "vault-transit",
            Self::Pgp => "pgp",
            Self::Age => "age",
        }
    }

    /// The list in the metadata, and the fields of its entries.
    fn layout(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::AwsKms => ("kms", &["arn", "role", "aws_profile"]),
            Self::GcpKms => ("gcp_kms", &["resource_id"]),
            Self::HuaweiKms => ("hckms", &["key_id"]),
            Self::AzureKeyVault => ("azure_kv", &["vault_url", "name", "version"]),
            Self::Vault => ("hc_vault", &["vault_address", "engine_path", "key_name"]),
            Self::Pgp => ("pgp", &["fp"]),
            Self::Age => ("age", &["recipient"]),
        }
    }

    /// Keys are tried in this order, those of the same rank in that of the file.
    pub(crate) fn rank(self) -> usize {
        match self {
            Self::Age => 0,
            Self::Pgp => 1,
            Self::AwsKms | Self::GcpKms | Self::HuaweiKms | Self::AzureKeyVault | Self::Vault => 2,
        }
    }

    /// Whether a key service has the private key.
    pub(crate) fn of_service(self) -> bool {
        !matches!(self, Self::Age | Self::Pgp)
    }
}

/// The keys whose lists stand in a map.
pub(super) fn group(fields: &Fields<'_>) -> Result<Vec<MasterKey>, MetadataError> {
    let mut keys = Vec::new();
    for scheme in Scheme::ALL {
        for entry in fields.maps(scheme.layout().0)? {
            keys.push(MasterKey::read(scheme, &entry)?);
        }
    }
    Ok(keys)
}

impl MasterKey {
    fn read(scheme: Scheme, entry: &Fields<'_>) -> Result<Self, MetadataError> {
        if scheme != Scheme::Age {
            rfc3339(&entry.text("created_at")?)?;
        }
        let mut fields = Vec::new();
        for name in scheme.layout().1 {
            let value = entry.text(name)?;
            if !value.is_empty() {
                fields.push(((*name).to_owned(), value));
            }
        }
        if scheme == Scheme::AwsKms {
            for (name, value) in entry.texts("context")? {
                fields.push((format!("context.{name}"), value));
            }
        }
        Ok(Self {
            scheme,
            name: shown(scheme, &fields),
            fields,
            wrapped: entry.text("enc")?,
        })
    }
}

fn shown(scheme: Scheme, fields: &[(String, String)]) -> String {
    let field = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    match scheme {
        Scheme::Age => field("recipient").to_owned(),
        Scheme::Pgp => field("fp").to_owned(),
        Scheme::GcpKms => field("resource_id").to_owned(),
        Scheme::HuaweiKms => field("key_id").to_owned(),
        Scheme::AzureKeyVault => format!(
            "{}/keys/{}/{}",
            field("vault_url"),
            field("name"),
            field("version")
        ),
        Scheme::Vault => format!(
            "{}/v1/{}/keys/{}",
            field("vault_address"),
            field("engine_path"),
            field("key_name")
        ),
        Scheme::AwsKms => match field("role") {
            "" => field("arn").to_owned(),
            role => format!("{}+{role}", field("arn")),
        },
    }
}
