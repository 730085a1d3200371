//! `.Capabilities`.

use std::any::Any;
use std::rc::Rc;

use weir_chart::Profile;
use weir_gotemplate::{Kind, List, ListType, Method, Object, Signature, Text, Type, Value};

use crate::kube_version::KubeVersion;

/// Builds `.Capabilities`.
pub(crate) fn capabilities(
    version: &KubeVersion,
    api_versions: &[String],
    helm_version: &str,
    profile: Profile,
) -> Value {
    let types = if profile.is_helm3() { &HELM3 } else { &HELM4 };
    Value::object(Capabilities {
        types,
        version: Value::object(Version {
            types,
            version: version.version.as_str().into(),
            normalized: version.normalized.as_str().into(),
            major: version.major.as_str().into(),
            minor: version.minor.as_str().into(),
        }),
        api_versions: Value::List(List::new(
            types.version_set,
            api_versions
                .iter()
                .map(|version| Value::from(version.as_str()))
                .collect(),
        )),
        helm_version: Value::object(BuildInfo {
            version: helm_version.into(),
            client: (!profile.is_helm3()).then(|| Text::from(client_version(profile))),
        }),
    })
}

/// The Kubernetes client that this Helm is built with.
fn client_version(profile: Profile) -> String {
    let version = KubeVersion::default_of(profile);
    format!("v{}.{}", version.major, version.minor)
}

/// The Go types of one major version of Helm.
#[derive(Debug)]
struct Types {
    capabilities: &'static str,
    kube_version: &'static str,
    version_set: &'static ListType,
}

static HELM4: Types = Types {
    capabilities: "*common.Capabilities",
    kube_version: "common.KubeVersion",
    version_set: &VERSION_SET4,
};
static HELM3: Types = Types {
    capabilities: "*chartutil.Capabilities",
    kube_version: "chartutil.KubeVersion",
    version_set: &VERSION_SET3,
};
static VERSION_SET4: ListType = version_set("common.VersionSet");
static VERSION_SET3: ListType = version_set("chartutil.VersionSet");

const fn version_set(name: &'static str) -> ListType {
    ListType {
        name,
        elem: Type::String,
        methods: VERSION_SET_METHODS,
    }
}

const VERSION_SET_METHODS: &[Method] = &[Method {
    name: "Has",
    signature: Signature::fixed(&[Type::String]),
    body: |_, versions, args| {
        let wanted = args.text(0)?;
        let found = versions
            .as_list()
            .is_some_and(|list| list.iter().any(|item| item.as_text() == Some(wanted)));
        Ok(Value::Bool(found))
    },
}];

const CAPABILITIES_METHODS: &[Method] = &[Method {
    name: "Copy",
    signature: Signature::fixed(&[]),
    body: |_, receiver, _| {
        Ok(match receiver.downcast::<Capabilities>() {
            Some(capabilities) => Value::Object(Rc::new(capabilities.clone())),
            None => Value::Nil,
        })
    },
}];

const VERSION_METHODS: &[Method] = &[
    Method {
        name: "GitVersion",
        signature: Signature::fixed(&[]),
        body: |_, receiver, _| Ok(text_of(receiver, |version| &version.version)),
    },
    Method {
        name: "String",
        signature: Signature::fixed(&[]),
        body: |_, receiver, _| Ok(text_of(receiver, |version| &version.normalized)),
    },
];

fn text_of(receiver: &Value, text: fn(&Version) -> &Text) -> Value {
    receiver
        .downcast::<Version>()
        .map_or(Value::Nil, |version| Value::Str(text(version).clone()))
}

#[derive(Debug, Clone)]
struct Capabilities {
    types: &'static Types,
    version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl Object for Capabilities {
    fn type_name(&self) -> &str {
        self.types.capabilities
    }

    fn kind(&self) -> Kind {
        Kind::Ptr
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("KubeVersion", self.version.clone()),
            ("APIVersions", self.api_versions.clone()),
            ("HelmVersion", self.helm_version.clone()),
        ]
    }

    fn methods(&self) -> &'static [Method] {
        CAPABILITIES_METHODS
    }
}

#[derive(Debug)]
struct Version {
    types: &'static Types,
    version: Text,
    normalized: Text,
    major: Text,
    minor: Text,
}

impl Object for Version {
    fn type_name(&self) -> &str {
        self.types.kube_version
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("Version", self.version.clone().into()),
            ("Major", self.major.clone().into()),
            ("Minor", self.minor.clone().into()),
        ]
    }

    fn methods(&self) -> &'static [Method] {
        VERSION_METHODS
    }

    fn string(&self) -> Option<Text> {
        Some(self.normalized.clone())
    }
}

/// What Helm says about itself.
#[derive(Debug)]
struct BuildInfo {
    version: Text,
    /// Helm 4 alone.
    client: Option<Text>,
}

impl BuildInfo {
    const GO_VERSION: &'static str = "go1.26";
}

impl Object for BuildInfo {
    fn type_name(&self) -> &str {
        "version.BuildInfo"
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn fields(&self) -> Vec<(&'static str, Value)> {
        let mut fields = vec![
            ("Version", self.version.clone().into()),
            ("GitCommit", "".into()),
            ("GitTreeState", "".into()),
            ("GoVersion", Self::GO_VERSION.into()),
        ];
        if let Some(client) = &self.client {
            fields.push(("KubeClientVersion", client.clone().into()));
        }
        fields
    }

    fn json(&self) -> Option<serde_json::Value> {
        let mut json =
            serde_json::json!({"version": self.version.lossy(), "go_version": Self::GO_VERSION});
        if let Some(client) = &self.client {
            json["kube_client_version"] = client.lossy().into();
        }
        Some(json)
    }
}
