//! Actions that are no pipelines: branches, loops, jumps, definitions in place and templates inside of templates.

use super::lexer::{Kind, Token};
use super::{Control, Parsed, Parser, Stop, is_plain, string};
use crate::Text;
use crate::tree::{Body, Branch, Few, Node, TemplateNode};

impl Parser<'_> {
    pub(super) fn jump(&mut self, keyword: Token, text: &str) -> Parsed<Node> {
        let token = self.next_solid();
        if token.kind != Kind::RightDelim {
            return self.unexpected(token, text);
        }
        if self.scope.ranges == 0 {
            return self.fail(format!("{text} outside {{{{range}}}}"));
        }
        Ok(if keyword.kind == Kind::Break {
            Node::Break(keyword.start)
        } else {
            Node::Continue(keyword.start)
        })
    }

    /// `if`, `with` or `range`, the keyword already read. A chain of `else if` is one branch with many arms.
    pub(super) fn control(&mut self, control: Control, context: &str) -> Parsed<Branch> {
        let variables = self.scope.variables.len();
        let first = self.arms.len();
        let mut otherwise = None;
        loop {
            let pipe = self.pipeline(context, Kind::RightDelim)?;
            let ranges = u32::from(control == Control::Range);
            self.scope.ranges += ranges;
            let (list, stop) = self.list()?;
            self.scope.ranges -= ranges;
            self.arms.push((pipe, Body::Parsed(list)));
            if stop == Stop::End {
                break;
            }
            let chained = match control {
                Control::If => self.peek().kind == Kind::If,
                Control::With => self.peek().kind == Kind::With,
                Control::Range => false,
            };
            if chained {
                self.next();
                continue;
            }
            let (list, stop) = self.list()?;
            if stop != Stop::End {
                return self.fail(format!("expected end; found {}", stop.text()));
            }
            otherwise = Some(Body::Parsed(list));
            break;
        }
        self.scope.variables.truncate(variables);
        Ok(Branch {
            arms: Few::take(&mut self.arms, first),
            otherwise,
        })
    }

    /// `block`: a definition and its use.
    pub(super) fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let outer = std::mem::take(&mut self.scope);
        let start = self.tokens[0];
        let (root, stop) = self.list()?;
        if stop != Stop::End {
            // Go blames the line on which the block's own clause ended.
            self.tokens[0] = start;
            return self.fail(format!("unexpected {} in {CONTEXT}", stop.text()));
        }
        self.scope = outer;
        self.add(name.clone(), root)?;
        Ok(Node::Template(Box::new(TemplateNode {
            position: token.start,
            name,
            pipe: Some(pipe),
        })))
    }

    pub(super) fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let mut pipe = None;
        if self.next_solid().kind != Kind::RightDelim {
            self.back();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(TemplateNode {
            position: token.start,
            name,
            pipe,
        })))
    }

    pub(super) fn template_name(&self, token: Token, context: &str) -> Parsed<Text> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        self.unquoted(token)
    }

    pub(super) fn unquoted(&self, token: Token) -> Parsed<Text> {
        let value = self.value(token);
        if is_plain(value) {
            return Ok(self.text_of(token.start + 1, token.end - 1));
        }
        match string::unquote(value) {
            Some(bytes) => Ok(Text::from(bytes)),
            None => self.fail("invalid syntax"),
        }
    }
}
