//! Versions: `semver` and `semverCompare`.

use std::any::Any;
use std::cmp::Ordering;

use weir_chart::Profile;
use weir_chart::version::{Constraints, Version, VersionError, Wording};
use weir_gotemplate::{
    Args, Call, FuncError, Functions, Kind, Method, Object, Signature, Text, Type, Value,
};

use super::{TEXT, fixed};
use crate::circumstances::Options;

const POINTER: Type = Type::Named("*semver.Version");

pub(super) fn add(functions: &mut Functions, options: Options) {
    functions.add("semver", fixed(&[TEXT]), |_, args| {
        let version = Version::loose(&args.str(0)?).map_err(returned)?;
        Ok(Value::object(VersionObject {
            version,
            pointer: true,
        }))
    });
    let wording = match options.profile {
        Profile::Helm3_19 => Wording::Plain,
        Profile::Helm3 | Profile::Helm4 => Wording::Quoted,
    };
    functions.add("semverCompare", fixed(&[TEXT, TEXT]), move |call, args| {
        call.spend(16)?;
        let constraints = Constraints::parse_worded(&args.str(0)?, wording).map_err(returned)?;
        let version = Version::loose(&args.str(1)?).map_err(returned)?;
        Ok(constraints.check(&version).into())
    });
}

fn returned(error: VersionError) -> FuncError {
    FuncError::new(error.to_string())
}

/// A version as a value. Parsing gives a pointer, the methods that derive another version do not.
#[derive(Debug)]
struct VersionObject {
    version: Version,
    pointer: bool,
}

impl Object for VersionObject {
    fn type_name(&self) -> &str {
        if self.pointer {
            POINTER.name()
        } else {
            "semver.Version"
        }
    }

    fn kind(&self) -> Kind {
        if self.pointer {
            Kind::Ptr
        } else {
            Kind::Struct
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn methods(&self) -> &'static [Method] {
        METHODS
    }

    fn string(&self) -> Option<Text> {
        Some(self.version.to_string().into())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| self.version == other.version)
    }

    fn json(&self) -> Option<serde_json::Value> {
        Some(self.version.to_string().into())
    }
}

fn this(value: &Value) -> Result<&Version, FuncError> {
    let object = value.downcast::<VersionObject>();
    object
        .map(|object| &object.version)
        .ok_or_else(|| FuncError::new("the receiver is no version"))
}

fn order(value: &Value, args: Args<'_>) -> Result<Ordering, FuncError> {
    Ok(this(value)?.order(&args.object::<VersionObject>(0)?.version))
}

fn derived(version: Result<Version, VersionError>) -> Result<Value, FuncError> {
    let version = version.map_err(|error| match error {
        VersionError::Increment(_) => FuncError::panic(error.to_string()),
        other => returned(other),
    })?;
    Ok(Value::object(VersionObject {
        version,
        pointer: false,
    }))
}

type Body = fn(&mut Call<'_>, &Value, Args<'_>) -> Result<Value, FuncError>;

const fn method(name: &'static str, params: &'static [Type], body: Body) -> Method {
    Method {
        name,
        signature: Signature::fixed(params),
        body,
    }
}

const METHODS: &[Method] = &[
    method("Compare", &[POINTER], |_, value, args| {
        Ok(Value::Int(order(value, args)? as i64))
    }),
    method("Equal", &[POINTER], |_, value, args| {
        Ok(order(value, args)?.is_eq().into())
    }),
    method("GreaterThan", &[POINTER], |_, value, args| {
        Ok(order(value, args)?.is_gt().into())
    }),
    method("GreaterThanEqual", &[POINTER], |_, value, args| {
        Ok(order(value, args)?.is_ge().into())
    }),
    method("IncMajor", &[], |_, value, _| {
        derived(this(value)?.next_major())
    }),
    method("IncMinor", &[], |_, value, _| {
        derived(this(value)?.next_minor())
    }),
    method("IncPatch", &[], |_, value, _| {
        derived(this(value)?.next_patch())
    }),
    method("LessThan", &[POINTER], |_, value, args| {
        Ok(order(value, args)?.is_lt().into())
    }),
    method("LessThanEqual", &[POINTER], |_, value, args| {
        Ok(order(value, args)?.is_le().into())
    }),
    method("Major", &[], |_, value, _| {
        Ok(Value::Uint64(this(value)?.major))
    }),
    method("MarshalJSON", &[], |_, value, _| {
        Ok(Value::Bytes(Text::from(format!("\"{}\"", this(value)?))))
    }),
    method("MarshalText", &[], |_, value, _| {
        Ok(Value::Bytes(Text::from(this(value)?.to_string())))
    }),
    method("Metadata", &[], |_, value, _| {
        Ok(this(value)?.metadata.as_str().into())
    }),
    method("Minor", &[], |_, value, _| {
        Ok(Value::Uint64(this(value)?.minor))
    }),
    method("Original", &[], |_, value, _| {
        Ok(this(value)?.original.as_str().into())
    }),
    method("Patch", &[], |_, value, _| {
        Ok(Value::Uint64(this(value)?.patch))
    }),
    method("Prerelease", &[], |_, value, _| {
        Ok(this(value)?.pre.as_str().into())
    }),
    method("SetMetadata", &[TEXT], |_, value, args| {
        derived(this(value)?.with_metadata(&args.str(0)?))
    }),
    method("SetPrerelease", &[TEXT], |_, value, args| {
        derived(this(value)?.with_prerelease(&args.str(0)?))
    }),
    method("String", &[], |_, value, _| {
        Ok(this(value)?.to_string().into())
    }),
];
