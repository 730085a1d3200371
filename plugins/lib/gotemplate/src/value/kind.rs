//! The types that the template language can see: what a parameter asks for and what `%T` prints.

use super::{ListType, MapType};

/// reflect.Kind: what a value is made of, whatever the name of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The zero reflect.Value.
    Invalid,
    Bool,
    Int,
    Int32,
    Int64,
    Uint8,
    Uint32,
    Uint64,
    Float64,
    Complex128,
    String,
    Slice,
    Map,
    Struct,
    /// A pointer to a struct.
    Ptr,
    /// A nil interface.
    Interface,
}

impl Kind {
    /// The name that `kindOf` gives.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
            Self::Interface => "interface",
        }
    }
}

/// A static Go type: of a parameter, of the elements of a list or map.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// `interface {}`: takes anything. A function gets [`super::Value::Nil`] for nil and for no value.
    Any,
    /// `reflect.Value`: takes anything, and [`super::Value::Invalid`] stays apart from [`super::Value::Nil`]. For builtins.
    Raw,
    Bool,
    Int,
    Int32,
    Int64,
    Uint8,
    Uint32,
    Uint64,
    Float64,
    Complex128,
    String,
    List(&'static ListType),
    Map(&'static MapType),
    /// Any other type, by the name that Go prints: `time.Time`, `*semver.Version`, `sprig.certificate`.
    Named(&'static str),
}

impl Type {
    /// `[]uint8`.
    pub const BYTES: Self = Self::List(&ListType::BYTES);
    /// `[]interface {}`.
    pub const ANY_LIST: Self = Self::List(&ListType::ANY);
    /// `[]string`.
    pub const STRING_LIST: Self = Self::List(&ListType::STRING);
    /// `map[string]interface {}`.
    pub const ANY_MAP: Self = Self::Map(&MapType::ANY);
    /// `map[string]string`.
    pub const STRING_MAP: Self = Self::Map(&MapType::STRING);

    /// The name as Go prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Raw => "reflect.Value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::List(list) => list.name,
            Self::Map(map) => map.name,
            Self::Named(name) => name,
        }
    }

    /// True if nil is a value of this type.
    pub fn nilable(self) -> bool {
        match self {
            Self::Any | Self::Raw | Self::List(_) | Self::Map(_) => true,
            Self::Named(name) => name.starts_with('*'),
            Self::Bool
            | Self::Int
            | Self::Int32
            | Self::Int64
            | Self::Uint8
            | Self::Uint32
            | Self::Uint64
            | Self::Float64
            | Self::Complex128
            | Self::String => false,
        }
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Type {}
