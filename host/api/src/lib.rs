//! The vocabulary of Kubernetes as weir uses it: objects, their names, and the custom resources as types.
//!
//! [`Object`] is any object as it stands in a cluster; the modules below hold the kinds that weir reconciles as types:
//! Flux's own ([`kustomize`], [`helm`], [`source`]) and weir's ([`weir`]). [`names`] has every label, annotation, reason and manager
//! that other programs look for.
//!
//! Invariants: no I/O, no clock (times are passed in), no logic beyond naming, reading and writing fields.
//! Everything else depends on this crate; it depends on nothing of the project.
//!
//! ```
//! use weir_api::{Object, inventory};
//! let object = Object::new(serde_json::json!({
//!     "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default", "name": "web"},
//! })).expect("it states apiVersion and kind");
//! assert_eq!(inventory::id(&object.key()), "default_web_apps_Deployment");
//! ```

pub mod condition;
pub mod crd;
pub mod duration;
pub mod helm;
pub mod inventory;
pub mod kustomize;
pub mod names;
pub mod object;
pub mod reference;
pub mod source;
pub mod weir;

pub use condition::Condition;
pub use duration::GoDuration;
pub use object::{ApiResource, GroupKind, Gvk, Object, ObjectError, ObjectKey, ObjectName};
