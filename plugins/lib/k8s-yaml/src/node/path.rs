//! Reaching into a tree.

use super::{Content, Mapping, Node};
use crate::error::{ErrorKind, YamlError};

/// Reaching children. On a node that is not a mapping these find nothing.
impl Node {
    /// The value of a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// The value of a key of a mapping.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_mapping_mut()?.get_mut(key)
    }

    /// The text of a scalar that is the value of a key.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Sets the value of a key; a node that is not a mapping becomes one.
    pub fn set(&mut self, key: impl AsRef<str>, value: Node) -> Option<Node> {
        self.make_mapping().set(key, value)
    }

    /// Removes a key of a mapping.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.as_mapping_mut()?.remove(key)
    }

    /// The node that a path leads to. In a sequence a step is a decimal index.
    #[must_use]
    pub fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Node> {
        path.iter()
            .try_fold(self, |node, step| node.step(step.as_ref()))
    }

    /// The node that a path leads to. In a sequence a step is a decimal index.
    #[must_use]
    pub fn at_mut<S: AsRef<str>>(&mut self, path: &[S]) -> Option<&mut Node> {
        path.iter()
            .try_fold(self, |node, step| node.step_mut(step.as_ref()))
    }

    /// Sets the node that a path leads to; missing and null nodes on the way become mappings.
    ///
    /// # Errors
    ///
    /// When the path leads through a scalar or an alias, or to an item that its sequence does not have.
    pub fn set_at<S: AsRef<str>>(
        &mut self,
        path: &[S],
        value: Node,
    ) -> Result<Option<Node>, YamlError> {
        let Some((last, way)) = path.split_last() else {
            return Ok(Some(std::mem::replace(self, value)));
        };
        let mut node = self;
        for (depth, step) in way.iter().enumerate() {
            node = node
                .step_or_create(step.as_ref())
                .ok_or_else(|| blocked(path, depth))?;
        }
        if let Some(place) = node.step_mut(last.as_ref()) {
            return Ok(Some(std::mem::replace(place, value)));
        }
        *node
            .step_or_create(last.as_ref())
            .ok_or_else(|| blocked(path, way.len()))? = value;
        Ok(None)
    }

    /// Removes the node that a path leads to.
    pub fn remove_at<S: AsRef<str>>(&mut self, path: &[S]) -> Option<Node> {
        let (last, way) = path.split_last()?;
        let last = last.as_ref();
        match &mut self.at_mut(way)?.content {
            Content::Mapping(mapping) => mapping.remove(last),
            Content::Sequence(sequence) => sequence.remove(last.parse().ok()?),
            Content::Scalar(_) | Content::Alias(_) => None,
        }
    }

    /// The mapping of this node, which becomes an empty one if it is anything else.
    pub fn make_mapping(&mut self) -> &mut Mapping {
        if self.as_mapping().is_none() {
            *self = Node::mapping(Mapping::new());
        }
        match &mut self.content {
            Content::Mapping(mapping) => mapping,
            Content::Scalar(_) | Content::Sequence(_) | Content::Alias(_) => {
                unreachable!("it was made a mapping")
            }
        }
    }

    fn step(&self, step: &str) -> Option<&Node> {
        match &self.content {
            Content::Mapping(mapping) => mapping.get(step),
            Content::Sequence(sequence) => sequence.get(step.parse().ok()?),
            Content::Scalar(_) | Content::Alias(_) => None,
        }
    }

    fn step_mut(&mut self, step: &str) -> Option<&mut Node> {
        match &mut self.content {
            Content::Mapping(mapping) => mapping.get_mut(step),
            Content::Sequence(sequence) => sequence.get_mut(step.parse().ok()?),
            Content::Scalar(_) | Content::Alias(_) => None,
        }
    }

    fn step_or_create(&mut self, step: &str) -> Option<&mut Node> {
        if self.is_null() {
            self.make_mapping();
        }
        match &mut self.content {
            Content::Mapping(mapping) => Some(mapping.get_or_insert_with(step, Node::null)),
            Content::Sequence(sequence) => sequence.get_mut(step.parse().ok()?),
            Content::Scalar(_) | Content::Alias(_) => None,
        }
    }
}

fn blocked<S: AsRef<str>>(path: &[S], depth: usize) -> YamlError {
    let shown: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    YamlError::new(
        ErrorKind::Edit,
        format!(
            "cannot set {:?}: there is no {:?} to go through",
            shown.join("."),
            shown[..=depth].join(".")
        ),
    )
}
