//! Nodes: text, actions, branches, loops and templates inside of templates.

use super::{Binding, Exec, Executed, Slot};
use crate::error::ErrorKind;
use crate::tree::{Body, Branch, Node, NodeRef, Pipe, TemplateNode};
use crate::value::{List, Map};
use crate::{Text, Type, Value, display, display_into};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl<'t> Exec<'_, '_, 't> {
    pub(super) fn walk(&mut self, dot: &Binding, body: &'t Body) -> Executed<Flow> {
        self.enter()?;
        let nodes = self.nodes(body)?;
        for node in nodes {
            self.at(NodeRef::Node(node));
            self.step()?;
            let flow = match node {
                Node::Text(start, end) => {
                    self.mark(*start, true);
                    let text = self.template.source.text.as_bytes();
                    self.write(text.get(*start as usize..*end as usize).unwrap_or_default())?;
                    Flow::Next
                }
                Node::Literal(start, end) => {
                    self.mark(*start, false);
                    let text = self.template.source.text.as_bytes();
                    let inside = *start as usize + 1..*end as usize - 1;
                    self.write(text.get(inside).unwrap_or_default())?;
                    Flow::Next
                }
                Node::Action(pipe) => {
                    self.mark(pipe.position, false);
                    self.action(dot, pipe, node)?;
                    Flow::Next
                }
                Node::If(branch) => self.branch(dot, branch)?,
                Node::With(branch) => self.with(dot, branch)?,
                Node::Range(branch) => self.range(dot, branch, node)?,
                Node::Template(template) => {
                    self.mark(template.position, false);
                    self.template(dot, template)?;
                    Flow::Next
                }
                Node::Break(_) => Flow::Break,
                Node::Continue(_) => Flow::Continue,
            };
            if flow != Flow::Next {
                self.leave();
                return Ok(flow);
            }
        }
        self.leave();
        Ok(Flow::Next)
    }

    /// The nodes of a body, unpacked if nobody came this way before.
    fn nodes(&self, body: &'t Body) -> Executed<&'t [Node]> {
        let nodes = match body {
            Body::Parsed(nodes) => Some(&**nodes),
            Body::Packed(packed) => packed.nodes(self.run.set.functions()),
        };
        nodes.ok_or_else(|| {
            let text = "what the template was parsed into before is damaged";
            self.fail(ErrorKind::Message(text.to_owned()))
        })
    }

    fn action(&mut self, dot: &Binding, pipe: &'t Pipe, node: &'t Node) -> Executed<()> {
        let value = self.pipeline(dot, pipe)?;
        if !pipe.declared.is_empty() {
            return Ok(());
        }
        self.at(NodeRef::Node(node));
        match &value {
            Value::Str(text) => self.write(text.as_bytes()),
            Value::Invalid | Value::Nil => self.write(b"<no value>"),
            value => self.print(value),
        }
    }

    fn print(&mut self, value: &Value) -> Executed<()> {
        let limit = self.run.limits.output.saturating_sub(self.run.out.len());
        let printed = match value {
            Value::Object(object) => match (object.string(), pointed_at(&**object)) {
                (None, Some(text)) => display_into(&mut self.run.out, &Value::Str(text), limit),
                _ => display_into(&mut self.run.out, value, limit),
            },
            value => display_into(&mut self.run.out, value, limit),
        };
        match printed {
            Ok(()) if self.run.out.len() > self.run.limits.output => Err(self.output_is_full()),
            Ok(()) => Ok(()),
            Err(error) => Err(self.fail(ErrorKind::Limit(error.message))),
        }
    }

    fn branch(&mut self, dot: &Binding, branch: &'t Branch) -> Executed<Flow> {
        let mark = self.run.variables.len();
        let mut flow = Flow::Next;
        let mut list = branch.otherwise.as_ref();
        for (pipe, nodes) in branch.arms.iter() {
            if self.pipeline(dot, pipe)?.truth() {
                list = Some(nodes);
                break;
            }
        }
        if let Some(nodes) = list {
            flow = self.walk(dot, nodes)?;
        }
        self.run.variables.truncate(mark);
        Ok(flow)
    }

    fn with(&mut self, dot: &Binding, branch: &'t Branch) -> Executed<Flow> {
        let mark = self.run.variables.len();
        for (pipe, nodes) in branch.arms.iter() {
            let value = self.pipeline(dot, pipe)?;
            if value.truth() {
                let flow = self.walk(&Binding::concrete(value), nodes)?;
                self.run.variables.truncate(mark);
                return Ok(flow);
            }
        }
        let flow = match &branch.otherwise {
            Some(nodes) => self.walk(dot, nodes)?,
            None => Flow::Next,
        };
        self.run.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: &Binding, branch: &'t Branch, node: &'t Node) -> Executed<Flow> {
        let Some((pipe, nodes)) = branch.arms.first() else {
            return Ok(Flow::Next);
        };
        self.at(NodeRef::Node(node));
        let mark = self.run.variables.len();
        let value = self.pipeline(dot, pipe)?;
        let mut body = Loop {
            pipe,
            nodes,
            mark: self.run.variables.len(),
        };
        let passed = match underlying(value) {
            Value::List(list) => self.range_list(&mut body, &list)?,
            Value::Map(map) => self.range_map(&mut body, &map)?,
            Value::Bytes(bytes) => self.range_bytes(&mut body, &bytes)?,
            Value::Invalid | Value::Nil => false,
            value => match count(&value) {
                Some(_) if pipe.declared.len() > 1 => {
                    let value = display(&value);
                    return self.error(format!(
                        "can't use {value} to iterate over more than one variable"
                    ));
                }
                Some(count) => self.range_count(&mut body, &value, count)?,
                None => return self.error(format!("range can't iterate over {}", display(&value))),
            },
        };
        let mut flow = Flow::Next;
        if !passed && let Some(nodes) = &branch.otherwise {
            flow = self.walk(dot, nodes)?;
        }
        self.run.variables.truncate(mark);
        Ok(flow)
    }

    fn range_list(&mut self, body: &mut Loop<'t>, list: &List) -> Executed<bool> {
        let interface = matches!(list.list_type().elem, Type::Any);
        for (index, item) in list.iter().enumerate() {
            let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
            if self.pass(
                body,
                index,
                Binding {
                    value: item.clone(),
                    interface,
                },
            )? == Flow::Break
            {
                break;
            }
        }
        Ok(!list.is_empty())
    }

    /// The keys and values are those at the start of the loop, whatever the body does to the map.
    fn range_map(&mut self, body: &mut Loop<'t>, map: &Map) -> Executed<bool> {
        let interface = matches!(map.map_type().elem, Type::Any);
        let entries = map.entries();
        self.run.charge(entries.len() * size_of::<Value>());
        let passed = !entries.is_empty();
        for (key, value) in entries {
            if self.pass(body, Value::Str(key), Binding { value, interface })? == Flow::Break {
                break;
            }
        }
        Ok(passed)
    }

    fn range_bytes(&mut self, body: &mut Loop<'t>, bytes: &Text) -> Executed<bool> {
        for (index, byte) in bytes.as_bytes().iter().enumerate() {
            let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
            if self.pass(body, index, Binding::concrete(Value::Uint8(*byte)))? == Flow::Break {
                break;
            }
        }
        Ok(!bytes.is_empty())
    }

    fn range_count(&mut self, body: &mut Loop<'t>, of: &Value, count: u64) -> Executed<bool> {
        for number in 0..count {
            let value = like(of, number);
            if self.pass(body, Value::Invalid, Binding::concrete(value))? == Flow::Break {
                break;
            }
        }
        Ok(count > 0)
    }

    /// One pass of a loop's body.
    fn pass(&mut self, body: &mut Loop<'t>, index: Value, element: Binding) -> Executed<Flow> {
        self.step()?;
        let declared = &body.pipe.declared;
        match (&declared[..], body.pipe.assigns) {
            ([], _) => {}
            ([value], true) => self.assign(value, element.clone())?,
            ([key, value, ..], true) => {
                self.assign(key, Binding::concrete(index))?;
                self.assign(value, element.clone())?;
            }
            ([_], false) => self.set_top(1, element.clone()),
            ([..], false) => {
                self.set_top(1, element.clone());
                self.set_top(2, Binding::concrete(index));
            }
        }
        let flow = self.walk(&element, body.nodes)?;
        self.run.variables.truncate(body.mark);
        Ok(flow)
    }

    fn set_top(&mut self, from_top: usize, binding: Binding) {
        let length = self.run.variables.len();
        if let Some(slot) = length
            .checked_sub(from_top)
            .and_then(|index| self.run.variables.get_mut(index))
        {
            slot.binding = binding;
        }
    }

    fn template(&mut self, dot: &Binding, node: &'t TemplateNode) -> Executed<()> {
        self.at(NodeRef::Template(node));
        let Some(template) = self.run.lookup(&node.name) else {
            return self.error(format!("template {} not defined", crate::quote(&node.name)));
        };
        if self.run.depth >= self.run.limits.template_depth {
            let depth = self.run.limits.template_depth;
            return Err(self.fail(ErrorKind::Limit(format!(
                "exceeded maximum template depth ({depth})"
            ))));
        }
        let value = match &node.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Invalid,
        };
        match self.run.enter_template(&template, value) {
            Ok(()) => Ok(()),
            Err(mut error) => {
                error.callers.push(self.location(NodeRef::Template(node)));
                Err(error)
            }
        }
    }

    pub(super) fn declare(&mut self, id: u32, value: Value) {
        self.run.variables.push(Slot {
            id,
            binding: Binding::concrete(value),
        });
    }
}

/// A loop that runs.
struct Loop<'t> {
    pipe: &'t Pipe,
    nodes: &'t Body,
    /// Where the variables of the body begin.
    mark: usize,
}

/// The plain value of a named number, anything else as it is.
fn underlying(value: Value) -> Value {
    match &value {
        Value::Object(object) => object.underlying().unwrap_or(value),
        _ => value,
    }
}

/// How often a loop over a number runs.
fn count(value: &Value) -> Option<u64> {
    Some(match value {
        Value::Int(value) | Value::Int64(value) => u64::try_from(*value).unwrap_or(0),
        Value::Int32(value) => u64::try_from(*value).unwrap_or(0),
        Value::Uint8(value) => u64::from(*value),
        Value::Uint32(value) => u64::from(*value),
        Value::Uint64(value) => *value,
        _ => return None,
    })
}

/// A number of the same type as another, which is larger.
fn like(of: &Value, number: u64) -> Value {
    let signed = number.cast_signed();
    match of {
        Value::Int64(_) => Value::Int64(signed),
        Value::Int32(_) => Value::Int32(i32::try_from(signed).unwrap_or(i32::MAX)),
        Value::Uint8(_) => Value::Uint8(u8::try_from(number).unwrap_or(u8::MAX)),
        Value::Uint32(_) => Value::Uint32(u32::try_from(number).unwrap_or(u32::MAX)),
        Value::Uint64(_) => Value::Uint64(number),
        _ => Value::Int(signed),
    }
}

/// An action prints what a pointer points at, so without the `&` of `%v`.
fn pointed_at(object: &dyn crate::Object) -> Option<Text> {
    if object.kind() != crate::Kind::Ptr {
        return None;
    }
    let mut bytes = vec![b'{'];
    for (index, (_, field)) in object.fields().iter().enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend_from_slice(display(field).as_bytes());
    }
    bytes.push(b'}');
    Some(Text::from(bytes))
}
