//! `images`.

use weir_go_regexp::Regexp;
use weir_k8s_yaml::{Content, Kind, Node};

use crate::build::Context;
use crate::config::Specs;
use crate::error::Result;
use crate::field_spec::{FieldSpec, Leaf};
use crate::kustomization::Image;
use crate::scalar::{self, Links, untagged};
use crate::selector::go_regex;
use crate::set::ResourceSet;

/// Changes name, tag and digest of images.
#[derive(Debug)]
pub(crate) struct ImageStep {
    image: Image,
    matcher: Matcher,
    specs: Vec<FieldSpec>,
}

/// What images are changed.
#[derive(Debug)]
enum Matcher {
    /// Those with this name.
    Name(String),
    /// Those that match: the name is part of a regular expression.
    Expression(Regexp),
}

impl ImageStep {
    pub(crate) fn new(image: Image, specs: &Specs) -> Result<Self> {
        let matcher = if go_regex::is_literal(&image.name) {
            Matcher::Name(image.name.clone())
        } else {
            let suffix = r"(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";
            Matcher::Expression(go_regex::compile(&format!("^{}{suffix}", image.name))?)
        };
        Ok(Self {
            image,
            matcher,
            specs: specs.iter().cloned().collect(),
        })
    }

    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        for resource in set.iter_mut() {
            if resource.deleted() || resource.kind() == "CustomResourceDefinition" {
                continue;
            }
            let mut links = Links::default();
            self.containers(&mut resource.node, &mut links, 0)?;
            links.settle(&mut resource.node);
            for spec in &self.specs {
                spec.visit(resource, &mut links, Leaf::Existing, &mut |node, links| {
                    self.change(node, links)
                })?;
            }
            resource.refresh(context.schemas);
        }
        Ok(())
    }

    /// The images of everything called `containers` or `initContainers`, at any depth.
    fn containers(&self, node: &mut Node, links: &mut Links, depth: usize) -> Result<()> {
        if depth > weir_k8s_yaml::Limits::MAX_DEPTH {
            return Ok(());
        }
        match node.kind() {
            Kind::Mapping => {
                for entry in node.as_mapping_mut().into_iter().flatten() {
                    if !has_children(&entry.value) {
                        continue;
                    }
                    self.containers(&mut entry.value, links, depth + 1)?;
                    if matches!(entry.key.as_str(), Some("containers" | "initContainers")) {
                        self.list(&mut entry.value, links)?;
                    }
                }
            }
            Kind::Sequence => {
                for item in node.as_sequence_mut().into_iter().flatten() {
                    if has_children(item) {
                        self.containers(item, links, depth + 1)?;
                    }
                }
            }
            Kind::Scalar | Kind::Alias => {}
        }
        Ok(())
    }

    fn list(&self, containers: &mut Node, links: &mut Links) -> Result<()> {
        for container in containers.as_sequence_mut().into_iter().flatten() {
            if container.is_null() {
                continue;
            }
            if let Some(image) = scalar::mapping_mut(container)?.get_mut("image") {
                self.change(image, links)?;
            }
        }
        Ok(())
    }

    fn change(&self, node: &mut Node, links: &mut Links) -> Result<()> {
        if node.kind() != Kind::Scalar {
            return Err(scalar::wrong_kind(node, "the name of an image"));
        }
        links.refresh(node);
        let text = node.as_str().unwrap_or_default();
        if !self.matcher.matches(text) {
            return Ok(());
        }
        let changed = renamed(text, &self.image);
        scalar::set_scalar(node, untagged(changed), links)
    }
}

impl Matcher {
    fn matches(&self, text: &str) -> bool {
        match self {
            Matcher::Expression(expression) => expression.is_match(text.as_bytes()),
            Matcher::Name(name) => text.strip_prefix(name.as_str()).is_some_and(|rest| {
                let (tag, digest) = rest
                    .split_once('@')
                    .map_or((rest, None), |(tag, digest)| (tag, Some(digest)));
                let plain = |text: &str| {
                    text.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_.{}-".contains(&byte))
                };
                let tag_fits = tag.is_empty() || tag.strip_prefix(':').is_some_and(plain);
                let digest_fits =
                    digest.is_none_or(|digest| digest.strip_prefix("sha256:").is_some_and(plain));
                tag_fits && digest_fits
            }),
        }
    }
}

/// An image with what an entry says about it.
fn renamed(text: &str, image: &Image) -> String {
    let (name, old_tag, old_digest) = split(text);
    let mut result = if image.new_name.is_empty() {
        name.to_owned()
    } else {
        image.new_name.clone()
    };
    let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str()) {
        ("", "") if image.tag_suffix.is_empty() => (old_tag.to_owned(), old_digest),
        ("", "") => (format!("{old_tag}{}", image.tag_suffix), ""),
        (tag, digest) => (tag.to_owned(), digest),
    };
    for (mark, part) in [(':', tag.as_str()), ('@', digest)] {
        if !part.is_empty() {
            result.push(mark);
            result.push_str(part);
        }
    }
    result
}

/// Name, tag and digest of an image.
fn split(text: &str) -> (&str, &str, &str) {
    let begin = text.find('/').unwrap_or(0);
    let tag = text[begin..].find(':').map(|at| at + begin);
    let digest = text[begin..].find('@').map(|at| at + begin);
    match (tag, digest) {
        (None, None) => (text, "", ""),
        (Some(tag), Some(digest)) if tag < digest => {
            (&text[..tag], &text[tag + 1..digest], &text[digest + 1..])
        }
        (_, Some(digest)) => (&text[..digest], "", &text[digest + 1..]),
        (Some(tag), None) => (&text[..tag], &text[tag + 1..], ""),
    }
}

fn has_children(node: &Node) -> bool {
    matches!(node.content(), Content::Mapping(_) | Content::Sequence(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, image: [&str; 5], expected: &str) {
        let [name, new_name, new_tag, digest, tag_suffix] = image.map(str::to_owned);
        let image = Image {
            name,
            new_name,
            new_tag,
            digest,
            tag_suffix,
        };
        let step = ImageStep::new(image, &Specs::default()).unwrap();
        let mut node = Node::plain(text);
        step.change(&mut node, &mut Links::default()).unwrap();
        assert_eq!(node.as_str(), Some(expected));
    }

    #[test]
    fn names_tags_and_digests_change() {
        check("nginx:1", ["nginx", "", "2", "", ""], "nginx:2");
        check("nginx:1@sha256:a", ["nginx", "", "2", "", ""], "nginx:2");
        check(
            "nginx:1",
            ["nginx", "", "", "sha256:b", ""],
            "nginx@sha256:b",
        );
        check(
            "nginx:1",
            ["nginx", "", "2", "sha256:b", ""],
            "nginx:2@sha256:b",
        );
        check(
            "nginx:1",
            ["nginx", "reg:5000/n", "", "", ""],
            "reg:5000/n:1",
        );
        check(
            "reg:5000/app",
            ["reg:5000/app", "", "2", "", ""],
            "reg:5000/app:2",
        );
        check("nginx:1", ["nginx", "", "", "", "-x"], "nginx:1-x");
        check("@a", ["", "", "2", "", ""], "@a");
    }

    #[test]
    fn other_images_stay() {
        check("nginx-x:1", ["nginx", "", "2", "", ""], "nginx-x:1");
        check(
            "nginx@sha512:a",
            ["nginx", "", "2", "", ""],
            "nginx@sha512:a",
        );
        check("a/nginx", ["nginx", "", "2", "", ""], "a/nginx");
    }

    #[test]
    fn names_are_regular_expressions() {
        check("foo-bar", ["foo.*", "x", "", "", ""], "x");
        check("a.b/c:1", ["a.b/c", "", "2", "", ""], "a.b/c:2");
    }
}
