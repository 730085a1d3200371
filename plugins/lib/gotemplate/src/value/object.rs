//! Values that are neither data nor text: Capabilities, times, versions, certificates.

use std::any::Any;
use std::fmt;

use super::{Kind, Value};
use crate::Text;
use crate::function::Method;

/// A Go value of a type with fields or methods of its own. Implemented by the crates that own such types.
///
/// ```
/// use std::any::Any;
/// use weir_gotemplate::{Kind, Object, Text, Value};
///
/// #[derive(Debug)]
/// struct KubeVersion {
///     version: Text,
/// }
///
/// impl Object for KubeVersion {
///     fn type_name(&self) -> &str {
///         "common.KubeVersion"
///     }
///     fn kind(&self) -> Kind {
///         Kind::Struct
///     }
///     fn as_any(&self) -> &dyn Any {
///         self
///     }
///     fn fields(&self) -> Vec<(&'static str, Value)> {
///         vec![("Version", Value::Str(self.version.clone()))]
///     }
///     fn string(&self) -> Option<Text> {
///         Some(self.version.clone())
///     }
/// }
///
/// let value = Value::object(KubeVersion { version: Text::from("v1.36.0") });
/// assert_eq!(weir_gotemplate::display(&value), Text::from("v1.36.0"));
/// ```
pub trait Object: fmt::Debug {
    /// As `%T` prints it: `*common.Capabilities`, `time.Time`.
    fn type_name(&self) -> &str;

    /// [`Kind::Struct`], [`Kind::Ptr`] (pointer to a struct) or the kind of [`Object::underlying`].
    fn kind(&self) -> Kind;

    /// For [`Value::downcast`]: `self`.
    fn as_any(&self) -> &dyn Any;

    /// The exported fields in order, as `%v` prints them.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// One exported field.
    fn field(&self, name: &str) -> Option<Value> {
        self.fields()
            .into_iter()
            .find_map(|(field, value)| (field == name).then_some(value))
    }

    /// Methods that templates can call. The receiver is the first argument of [`Method::body`].
    fn methods(&self) -> &'static [Method] {
        &[]
    }

    /// What the String or Error method gives, if Go's type has one; then this is how the value prints.
    fn string(&self) -> Option<Text> {
        None
    }

    /// The plain value of a named number or string type: `time.Duration` is an int64. It decides truth, comparison and `%d`.
    fn underlying(&self) -> Option<Value> {
        None
    }

    /// Go's `==` with a value of the same type, and what `deepEqual` finds.
    fn equals(&self, other: &dyn Object) -> bool {
        self.fields().len() == other.fields().len()
            && self
                .fields()
                .iter()
                .zip(other.fields())
                .all(|((_, a), (_, b))| super::deep_equal(a, &b))
    }

    /// What encoding/json makes of the value; by default an object of the fields.
    fn json(&self) -> Option<serde_json::Value> {
        None
    }
}
