//! Runs templates. A [`Run`] holds what lives as long as a run; an [`Exec`] holds what belongs to one template in it.
//!
//! Errors name the node that was visited last, as Go's do, so the evaluator notes each node at exactly the places where Go
//! does ([`Exec::at`]).

mod call;
mod eval;
mod field;
mod origin;
mod walk;

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use crate::error::{Error, ErrorKind, ExecError, FuncError, Location};
use crate::function::Runtime;
use crate::set::TemplateSet;
use crate::tree::{NodeRef, Position, Template};
use crate::{Limits, Text, Value};

use origin::Mark;
pub use origin::Origin;

/// A run of templates of one set, within bounds that all of them share.
pub struct Run<'s> {
    set: &'s TemplateSet,
    limits: Limits,
    context: &'s mut dyn Any,
    /// Output of the template that runs, behind the output of those that wait for it.
    out: Vec<u8>,
    /// Variables of all templates that run; each sees only its own end.
    variables: Vec<Slot>,
    /// What texts of `tpl` define, the innermost last.
    overlays: Vec<Rc<[Rc<Template>]>>,
    steps: u64,
    depth: u32,
    frames: u32,
    /// Vectors for arguments, to be used again.
    spare: Vec<Vec<Value>>,
    /// Where the output of the outermost template comes from, if somebody wants to know.
    marks: Option<Vec<Mark>>,
}

/// A variable.
struct Slot {
    id: u32,
    binding: Binding,
}

/// A value with a place: the dot or a variable. The elements of a list are interfaces in Go, which shows in one message.
#[derive(Clone)]
struct Binding {
    value: Value,
    interface: bool,
}

impl Binding {
    fn concrete(value: Value) -> Self {
        Self {
            value,
            interface: false,
        }
    }
}

type Failure = Box<ExecError>;
type Executed<T> = Result<T, Failure>;

impl<'s> Run<'s> {
    pub(crate) fn new(set: &'s TemplateSet, limits: Limits, context: &'s mut dyn Any) -> Self {
        Self {
            set,
            limits,
            context,
            out: Vec::new(),
            variables: Vec::new(),
            overlays: Vec::new(),
            steps: limits.steps,
            depth: 0,
            frames: 0,
            spare: Vec::new(),
            marks: None,
        }
    }

    /// Executes a template and gives its output.
    ///
    /// # Errors
    /// [`Error::NoTemplate`], or [`Error::Exec`] with what went wrong and where.
    pub fn execute(&mut self, name: &Text, data: Value) -> Result<Text, Error> {
        Runtime::execute(self, name, data)
    }

    /// The same, with where in the template the output comes from.
    ///
    /// # Errors
    /// As [`Run::execute`].
    pub fn execute_traced(&mut self, name: &Text, data: Value) -> Result<(Text, Origin), Error> {
        self.marks = Some(Vec::new());
        let text = self.execute(name, data);
        let marks = self.marks.take().unwrap_or_default();
        let text = text?;
        let origin = self
            .lookup(name)
            .map(|template| Origin::new(Rc::clone(&template.source), marks));
        Ok((text, origin.unwrap_or_default()))
    }

    /// Steps not yet used.
    pub fn steps_left(&self) -> u64 {
        self.steps
    }

    /// The embedder's state.
    pub fn context<T: 'static>(&mut self) -> Option<&mut T> {
        self.context.downcast_mut()
    }

    fn lookup(&self, name: &Text) -> Option<Rc<Template>> {
        let mut empty = None;
        for overlay in self.overlays.iter().rev() {
            match overlay.iter().find(|template| template.name == *name) {
                Some(template) if !template.empty => return Some(Rc::clone(template)),
                Some(template) if empty.is_none() => empty = Some(template),
                _ => {}
            }
        }
        // An empty definition does not replace what is there.
        self.set.template(name).or(empty).map(Rc::clone)
    }

    /// Executes a template into a text of its own. After an error all is as before, for functions that live with errors.
    fn collect(&mut self, template: &Template, data: Value) -> Executed<Text> {
        let (start, variables, overlays) =
            (self.out.len(), self.variables.len(), self.overlays.len());
        let (depth, frames) = (self.depth, self.frames);
        let result = self.enter_template(template, data);
        let text = result.map(|()| Text::from_bytes(&self.out[start..]));
        self.out.truncate(start);
        match text {
            Ok(text) => {
                self.charge(text.len());
                Ok(text)
            }
            Err(error) => {
                self.variables.truncate(variables);
                self.overlays.truncate(overlays);
                (self.depth, self.frames) = (depth, frames);
                Err(error)
            }
        }
    }

    /// Takes steps for bytes that are copied. The next step notices if too many were.
    fn charge(&mut self, bytes: usize) {
        self.steps = self.steps.saturating_sub(bytes as u64 / 64);
    }

    /// Executes a template behind what was put out so far.
    fn enter_template(&mut self, template: &Template, data: Value) -> Executed<()> {
        let base = self.variables.len();
        self.variables.push(Slot {
            id: 0,
            binding: Binding::concrete(data.clone()),
        });
        let mut exec = Exec {
            run: self,
            template,
            node: None,
            base,
        };
        if exec.run.depth >= exec.run.limits.template_depth {
            let depth = exec.run.limits.template_depth;
            return Err(exec.fail(ErrorKind::Limit(format!(
                "exceeded maximum template depth ({depth})"
            ))));
        }
        exec.run.depth += 1;
        exec.walk(&Binding::concrete(data), &template.root)?;
        self.depth -= 1;
        self.variables.truncate(base);
        Ok(())
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("limits", &self.limits)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Runtime for Run<'_> {
    fn execute(&mut self, name: &Text, data: Value) -> Result<Text, Error> {
        let Some(template) = self.lookup(name) else {
            return Err(Error::NoTemplate {
                name: name.clone(),
                set: self.set.root().clone(),
            });
        };
        self.collect(&template, nothing_for_nil(data))
            .map_err(Error::Exec)
    }

    fn execute_text(&mut self, name: &Text, text: &Text, data: Value) -> Result<Text, Error> {
        let templates = self.set.parsed(name, text, self.limits.cached_text)?;
        let Some(template) = templates
            .iter()
            .find(|template| template.name == *name)
            .cloned()
        else {
            return Err(Error::NoTemplate {
                name: name.clone(),
                set: self.set.root().clone(),
            });
        };
        self.overlays.push(templates);
        let text = self.collect(&template, nothing_for_nil(data));
        self.overlays.pop();
        text.map_err(Error::Exec)
    }

    fn context(&mut self) -> &mut dyn Any {
        self.context
    }

    fn spend(&mut self, steps: u64) -> Result<(), FuncError> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(FuncError::limit(out_of_steps(&self.limits)))
            }
        }
    }

    fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Data given to a template as nil is no value at all.
fn nothing_for_nil(data: Value) -> Value {
    match data {
        Value::Nil => Value::Invalid,
        data => data,
    }
}

fn out_of_steps(limits: &Limits) -> String {
    format!("the templates need more than {} steps", limits.steps)
}

/// One template being executed.
struct Exec<'r, 's, 't> {
    run: &'r mut Run<'s>,
    template: &'t Template,
    /// The node that an error would be blamed on.
    node: Option<NodeRef<'t>>,
    /// Where its variables begin.
    base: usize,
}

impl<'t> Exec<'_, '_, 't> {
    fn at(&mut self, node: NodeRef<'t>) {
        self.node = Some(node);
    }

    /// Takes one step and one level of the stack.
    fn enter(&mut self) -> Executed<()> {
        self.run.frames += 1;
        if self.run.frames > self.run.limits.nesting {
            let nesting = self.run.limits.nesting;
            return Err(self.fail(ErrorKind::Limit(format!(
                "blocks and templates nest deeper than {nesting} levels"
            ))));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.run.frames -= 1;
    }

    /// Notes that what follows in the output comes from that place, if this is the outermost template.
    fn mark(&mut self, source: Position, copied: bool) {
        if self.run.depth == 1
            && let Some(marks) = &mut self.run.marks
        {
            marks.push(Mark {
                output: self.run.out.len(),
                source,
                copied,
            });
        }
    }

    fn step(&mut self) -> Executed<()> {
        if self.run.steps == 0 {
            return Err(self.fail(ErrorKind::Limit(out_of_steps(&self.run.limits))));
        }
        self.run.steps -= 1;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Executed<()> {
        if self.run.out.len() + bytes.len() > self.run.limits.output {
            return Err(self.output_is_full());
        }
        self.run.charge(bytes.len());
        self.run.out.extend_from_slice(bytes);
        Ok(())
    }

    #[cold]
    fn output_is_full(&self) -> Failure {
        let limit = self.run.limits.output;
        self.fail(ErrorKind::Limit(format!(
            "the output is larger than {limit} bytes"
        )))
    }

    #[cold]
    fn error<T>(&self, message: impl Into<String>) -> Executed<T> {
        Err(self.fail(ErrorKind::Message(message.into())))
    }

    #[cold]
    #[inline(never)]
    fn fail(&self, kind: ErrorKind) -> Failure {
        let source = &self.template.source;
        Box::new(ExecError {
            location: self
                .node
                .map_or_else(Location::default, |node| self.location(node)),
            template: self.template.name.clone(),
            expression: self.node.map(|node| node.print(source)).unwrap_or_default(),
            kind,
            callers: Vec::new(),
        })
    }

    fn location(&self, node: NodeRef<'t>) -> Location {
        let source = &self.template.source;
        let offset = node.position() as usize;
        let before = source.text.as_bytes().get(..offset).unwrap_or_default();
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        Location {
            file: source.name.clone(),
            line: u32::try_from(lines + 1).unwrap_or(u32::MAX),
            column: u32::try_from(offset - line_start).unwrap_or(u32::MAX),
            offset,
        }
    }
}
