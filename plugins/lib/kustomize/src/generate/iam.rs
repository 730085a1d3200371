//! The built-in generator of service accounts for Google's workload identity.

use crate::build::Context;
use crate::decode::{At, Decode};
use crate::error::{Error, Problem, Result};
use crate::json;
use crate::resource::Resource;

/// What the generator is told.
#[derive(Debug, Default, Clone)]
pub(crate) struct IamPolicy {
    cloud: String,
    service: Account,
    account: Account,
}

#[derive(Debug, Default, Clone)]
struct Account {
    name: String,
    namespace: String,
    project: String,
}

impl IamPolicy {
    pub(crate) fn generate(&self, context: &Context<'_>) -> Result<Resource> {
        if self.cloud != "gke" {
            return Err(Error::new(Problem::WrongWord {
                found: self.cloud.clone(),
                known: "gke",
            })
            .in_field("cloud"));
        }
        let account = format!(
            "{}@{}.iam.gserviceaccount.com",
            self.account.name, self.account.project
        );
        let mut metadata = serde_json::json!({
            "annotations": {"iam.gke.io/gcp-service-account": account},
            "name": self.service.name,
        });
        if !self.service.namespace.is_empty() {
            metadata["namespace"] = self.service.namespace.as_str().into();
        }
        let object =
            serde_json::json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
        Ok(Resource::new(json::tree(&object), None, context.schemas))
    }
}

impl Decode for IamPolicy {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[])?;
        Ok(Self {
            cloud: fields.get("cloud")?,
            service: fields.get("kubernetesService")?,
            account: fields.get("serviceAccount")?,
        })
    }
}

impl Decode for Account {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[])?;
        Ok(Self {
            name: fields.get("name")?,
            namespace: fields.get("namespace")?,
            project: fields.get("projectId")?,
        })
    }
}
