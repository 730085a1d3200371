//! Lists: immutable and shared, as no function of the template language changes one in place.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use super::{Type, Value, teardown};
use crate::function::Method;

/// What Go knows about a slice type. The well-known ones are constants; a named type with methods is a `static` of its crate.
pub struct ListType {
    /// As Go prints it: `[]interface {}`, `chartutil.VersionSet`.
    pub name: &'static str,
    /// The type of the elements.
    pub elem: Type,
    /// Methods of the type, empty for unnamed ones.
    pub methods: &'static [Method],
}

impl ListType {
    /// `[]interface {}`.
    pub const ANY: Self = Self::plain("[]interface {}", Type::Any);
    /// `[]string`.
    pub const STRING: Self = Self::plain("[]string", Type::String);
    /// `[]int`.
    pub const INT: Self = Self::plain("[]int", Type::Int);
    /// `[]uint8`. The values of this type are [`Value::Bytes`], never a [`List`].
    pub const BYTES: Self = Self::plain("[]uint8", Type::Uint8);
    /// `[][]interface {}`.
    pub const LISTS: Self = Self::plain("[][]interface {}", Type::List(&Self::ANY));
    /// `[]map[string]interface {}`.
    pub const MAPS: Self = Self::plain("[]map[string]interface {}", Type::ANY_MAP);

    /// A type without methods.
    pub const fn plain(name: &'static str, elem: Type) -> Self {
        Self {
            name,
            elem,
            methods: &[],
        }
    }
}

impl fmt::Debug for ListType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A Go slice. A clone shares the elements; [`Deref`] gives them as a Rust slice.
#[derive(Clone)]
pub struct List {
    kind: &'static ListType,
    items: Option<Rc<Items>>,
}

#[derive(Default)]
struct Items(Vec<Value>);

impl List {
    /// A list of a type. For `[]interface {}` write `Value::from(vec)`.
    pub fn new(kind: &'static ListType, items: Vec<Value>) -> Self {
        Self {
            kind,
            items: Some(Rc::new(Items(items))),
        }
    }

    /// A `[]string`.
    pub fn of_texts<T: Into<crate::Text>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::new(
            &ListType::STRING,
            items
                .into_iter()
                .map(|item| Value::Str(item.into()))
                .collect(),
        )
    }

    /// The nil slice of a type. It is an empty list that `deepEqual` and `toJson` tell from an empty one.
    pub const fn nil(kind: &'static ListType) -> Self {
        Self { kind, items: None }
    }

    /// Its type.
    pub fn list_type(&self) -> &'static ListType {
        self.kind
    }

    /// True for the nil slice.
    pub fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    /// The elements as a vector, without a copy if nobody else holds the list.
    pub fn into_vec(mut self) -> Vec<Value> {
        match self.items.take() {
            None => Vec::new(),
            Some(mut items) => match Rc::get_mut(&mut items) {
                Some(items) => std::mem::take(&mut items.0),
                None => items.0.clone(),
            },
        }
    }

    /// A number that two lists share only if they share their elements.
    pub(crate) fn address(&self) -> usize {
        self.items
            .as_ref()
            .map_or(0, |items| Rc::as_ptr(items).addr())
    }

    /// The elements, if this is their last owner.
    pub(super) fn take_unique(&mut self) -> Option<Vec<Value>> {
        let items = Rc::get_mut(self.items.as_mut()?)?;
        Some(std::mem::take(&mut items.0))
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.items.as_ref().map_or(&[], |items| &items.0)
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} elements)", self.kind.name, self.len())
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        teardown(self.0.drain(..));
    }
}
