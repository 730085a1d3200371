//! Functions and methods: how they are declared, and what they get when they are called.
//!
//! A function declares the types of its parameters. The evaluator checks arguments against them with Go's rules and Go's
//! error texts before the body runs, so a body only unpacks:
//!
//! ```
//! use weir_gotemplate::{Functions, Signature, Type, Value};
//!
//! let mut functions = Functions::builtins();
//! functions.add("trimSuffix", Signature::fixed(&[Type::String, Type::String]), |_, args| {
//!     let (suffix, text) = (args.str(0)?, args.str(1)?);
//!     Ok(text.strip_suffix(&*suffix).unwrap_or(&text).into())
//! });
//! functions.add("list", Signature::variadic(&[], Type::Any), |_, args| Ok(Value::from(args.to_vec())));
//! ```

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::{ByName, Error, FuncError, Limits, List, Map, Text, Type, Value};

/// The types of parameters.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// The fixed parameters.
    pub params: &'static [Type],
    /// The type of each further argument; `None`: there may be none.
    pub variadic: Option<Type>,
}

impl Signature {
    /// `func(A, B)`.
    pub const fn fixed(params: &'static [Type]) -> Self {
        Self {
            params,
            variadic: None,
        }
    }

    /// `func(A, ...B)`.
    pub const fn variadic(params: &'static [Type], rest: Type) -> Self {
        Self {
            params,
            variadic: Some(rest),
        }
    }
}

/// The arguments of a call, already checked against the [`Signature`]. Parameters of type [`Type::Any`] hold any value, with
/// [`Value::Nil`] for nil; map and list parameters may hold nil maps and lists, which read as empty.
///
/// Dereferences to the slice of values.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a>(&'a [Value]);

impl<'a> Args<'a> {
    /// Wraps arguments; the evaluator does this, and tests that call a body directly.
    pub const fn new(values: &'a [Value]) -> Self {
        Self(values)
    }

    /// The argument at a place.
    ///
    /// # Errors
    /// If the signature promised fewer.
    pub fn at(self, index: usize) -> Result<&'a Value, FuncError> {
        self.0
            .get(index)
            .ok_or_else(|| FuncError::new(format!("argument {} is missing", index + 1)))
    }

    /// The arguments from a place on: the variadic ones.
    pub fn rest(self, from: usize) -> &'a [Value] {
        self.0.get(from..).unwrap_or_default()
    }

    /// A `string` parameter, as bytes.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn text(self, index: usize) -> Result<&'a Text, FuncError> {
        match self.at(index)? {
            Value::Str(text) => Ok(text),
            other => Err(mismatch(index, "string", other)),
        }
    }

    /// A `string` parameter as characters; bytes that are no UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn str(self, index: usize) -> Result<Cow<'a, str>, FuncError> {
        Ok(self.text(index)?.lossy())
    }

    /// An integer parameter of any size.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn int(self, index: usize) -> Result<i64, FuncError> {
        Ok(match self.at(index)? {
            Value::Int(value) | Value::Int64(value) => *value,
            Value::Int32(value) => i64::from(*value),
            Value::Uint8(value) => i64::from(*value),
            Value::Uint32(value) => i64::from(*value),
            Value::Uint64(value) => value.cast_signed(),
            other => return Err(mismatch(index, "int", other)),
        })
    }

    /// A `float64` parameter.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn float(self, index: usize) -> Result<f64, FuncError> {
        match self.at(index)? {
            Value::Float(value) => Ok(*value),
            other => Err(mismatch(index, "float64", other)),
        }
    }

    /// A `bool` parameter.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn bool(self, index: usize) -> Result<bool, FuncError> {
        match self.at(index)? {
            Value::Bool(value) => Ok(*value),
            other => Err(mismatch(index, "bool", other)),
        }
    }

    /// A map parameter; may be the nil map.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn map(self, index: usize) -> Result<&'a Map, FuncError> {
        match self.at(index)? {
            Value::Map(map) => Ok(map),
            other => Err(mismatch(index, "map[string]interface {}", other)),
        }
    }

    /// A list parameter; may be the nil list.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn list(self, index: usize) -> Result<&'a List, FuncError> {
        match self.at(index)? {
            Value::List(list) => Ok(list),
            other => Err(mismatch(index, "[]interface {}", other)),
        }
    }

    /// A parameter of a [`Type::Named`] type.
    ///
    /// # Errors
    /// If it was declared otherwise.
    pub fn object<T: 'static>(self, index: usize) -> Result<&'a T, FuncError> {
        let value = self.at(index)?;
        value
            .downcast()
            .ok_or_else(|| mismatch(index, std::any::type_name::<T>(), value))
    }
}

impl Deref for Args<'_> {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.0
    }
}

/// What Go says when a type assertion fails; reached only if body and signature disagree.
fn mismatch(index: usize, wanted: &str, got: &Value) -> FuncError {
    let got = got.type_name();
    FuncError::panic(format!(
        "interface conversion: interface {{}} is {got}, not {wanted} (argument {})",
        index + 1
    ))
}

/// What a function can reach beyond its arguments.
pub struct Call<'c> {
    runtime: &'c mut dyn Runtime,
}

/// The running evaluation behind a [`Call`].
pub(crate) trait Runtime {
    fn execute(&mut self, name: &Text, data: Value) -> Result<Text, Error>;
    fn execute_text(&mut self, name: &Text, text: &Text, data: Value) -> Result<Text, Error>;
    fn context(&mut self) -> &mut dyn Any;
    fn spend(&mut self, steps: u64) -> Result<(), FuncError>;
    fn limits(&self) -> &Limits;
}

impl<'c> Call<'c> {
    pub(crate) fn new(runtime: &'c mut dyn Runtime) -> Self {
        Self { runtime }
    }

    /// Runs a template of the set that is running (inside `tpl`: with the definitions of its text) and gives its output: the
    /// heart of `include`.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], or what the template fails with.
    pub fn execute(&mut self, name: &Text, data: Value) -> Result<Text, Error> {
        self.runtime.execute(name, data)
    }

    /// Parses a text as a template of this name and runs it: the heart of `tpl`. Definitions in the text override those of the
    /// set for everything that runs inside, and are gone afterwards. The parse is cached.
    ///
    /// # Errors
    /// [`Error::Parse`] if the text is no template, or what it fails with.
    pub fn execute_text(&mut self, name: &Text, text: &Text, data: Value) -> Result<Text, Error> {
        self.runtime.execute_text(name, text, data)
    }

    /// The embedder's own state of the run (randomness, time, objects of the cluster), if it is of this type.
    pub fn context<T: 'static>(&mut self) -> Option<&mut T> {
        self.runtime.context().downcast_mut()
    }

    /// Takes steps from the budget of the run. Functions call it in proportion to what they make (elements, bytes / 16) before
    /// they make it, so that `until 1000000000` ends cleanly.
    ///
    /// # Errors
    /// If the budget is used up.
    pub fn spend(&mut self, steps: u64) -> Result<(), FuncError> {
        self.runtime.spend(steps)
    }

    /// The bounds of the run.
    pub fn limits(&self) -> &Limits {
        self.runtime.limits()
    }

    /// Calls a body outside of any template, for tests of functions. There are no templates to execute.
    pub fn detached<R>(context: &mut dyn Any, body: impl FnOnce(&mut Call<'_>) -> R) -> R {
        let mut runtime = Detached {
            context,
            limits: Limits::default(),
        };
        body(&mut Call::new(&mut runtime))
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

/// A runtime without templates.
struct Detached<'a> {
    context: &'a mut dyn Any,
    limits: Limits,
}

impl Runtime for Detached<'_> {
    fn execute(&mut self, name: &Text, _: Value) -> Result<Text, Error> {
        Err(Error::NoTemplate {
            name: name.clone(),
            set: Text::empty(),
        })
    }

    fn execute_text(&mut self, name: &Text, _: &Text, _: Value) -> Result<Text, Error> {
        Err(Error::NoTemplate {
            name: name.clone(),
            set: Text::empty(),
        })
    }

    fn context(&mut self) -> &mut dyn Any {
        self.context
    }

    fn spend(&mut self, steps: u64) -> Result<(), FuncError> {
        match self.limits.steps.checked_sub(steps) {
            Some(left) => self.limits.steps = left,
            None => return Err(FuncError::limit("the budget of steps is used up")),
        }
        Ok(())
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// What runs when a function is called.
type Body = dyn Fn(&mut Call<'_>, Args<'_>) -> Result<Value, FuncError>;

/// A function that templates can call.
pub struct Function {
    /// Its name.
    pub name: Text,
    /// Its parameters.
    pub signature: Signature,
    pub(crate) builtin: Option<Builtin>,
    body: Box<Body>,
}

impl Function {
    /// Runs the body. The arguments must fit the signature: the evaluator sees to it.
    ///
    /// # Errors
    /// What the function answers.
    pub fn call(&self, call: &mut Call<'_>, args: Args<'_>) -> Result<Value, FuncError> {
        (self.body)(call, args)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.signature)
    }
}

/// Builtins that the evaluator itself must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    /// Stops at the first false argument.
    And,
    /// Stops at the first true argument.
    Or,
    /// Its errors name the argument as it was written.
    Call,
}

/// A method of an object, of a named map type or of a named list type.
pub struct Method {
    /// Its name, with a capital.
    pub name: &'static str,
    /// Its parameters, without the receiver.
    pub signature: Signature,
    /// What runs: gets the receiver and the arguments.
    pub body: fn(&mut Call<'_>, &Value, Args<'_>) -> Result<Value, FuncError>,
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.name, self.signature)
    }
}

/// The functions of a template set, by name. They are looked up when a text is parsed, never when it runs.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    by_name: ByName<Rc<Function>>,
}

impl Functions {
    /// No functions at all, not even `eq`.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds a function, or replaces the one of that name.
    pub fn add<F>(&mut self, name: &'static str, signature: Signature, body: F)
    where
        F: Fn(&mut Call<'_>, Args<'_>) -> Result<Value, FuncError> + 'static,
    {
        self.insert(name, signature, None, Box::new(body));
    }

    /// Gives a function a second name.
    pub fn alias(&mut self, alias: &'static str, name: &'static str) {
        if let Some(function) = self.get(name) {
            let body = function.clone();
            self.insert(
                alias,
                body.signature,
                body.builtin,
                Box::new(move |call, args| body.call(call, args)),
            );
        }
    }

    pub(crate) fn insert(
        &mut self,
        name: &'static str,
        signature: Signature,
        builtin: Option<Builtin>,
        body: Box<Body>,
    ) {
        let name = Text::from_static(name);
        self.by_name.insert(
            name.clone(),
            Rc::new(Function {
                name,
                signature,
                builtin,
                body,
            }),
        );
    }

    /// Removes a function: texts that use it no longer parse.
    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name.as_bytes());
    }

    /// The function of a name.
    pub fn get(&self, name: &str) -> Option<&Rc<Function>> {
        self.by_name.get(name.as_bytes())
    }

    pub(crate) fn by_bytes(&self, name: &[u8]) -> Option<&Rc<Function>> {
        self.by_name.get(name)
    }

    /// All names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &Text> {
        self.by_name.keys()
    }
}
