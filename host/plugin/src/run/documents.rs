//! The interface `documents`.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::{Answered, DocumentHandle, Ended, State, Trapped};
use crate::Document;
use crate::document::Place;
use crate::document::select::Selector;
use crate::document::set::EditError;
use crate::guest::weir::plugin::documents::{Host, HostDocument, Selector as WitSelector};
use crate::guest::weir::plugin::types as wit;

/// The longest JSON pointer.
const LONGEST_POINTER: usize = 4096;
/// Attachments have names of at most so many bytes.
const LONGEST_NAME: usize = 253;

impl Host for State {
    fn count(&mut self) -> Trapped<u32> {
        self.enter()?;
        Ok(self.documents.count())
    }

    fn select(&mut self, by: WitSelector) -> Answered<Vec<Resource<DocumentHandle>>> {
        self.enter()?;
        let selector = match Selector::new(
            &by.kinds,
            by.namespaces,
            by.names,
            &by.labels,
            &by.annotations,
        ) {
            Ok(selector) => selector,
            Err(text) => return Ok(Err(wit::Refusal::Invalid(text))),
        };
        let numbers = self.documents.select(&selector);
        self.count_handles(numbers.len())?;
        Ok(Ok(numbers.into_iter().map(Resource::new_own).collect()))
    }

    fn add(&mut self, body: String, origin: Option<wit::Place>) -> Answered<()> {
        self.enter()?;
        self.count_written(body.len())?;
        let document =
            Document::parse(&body).map(|document| document.with_origin(origin.map(Place::from)));
        let documents = document.map(|document| vec![document]);
        let added = documents
            .map_err(EditError::from)
            .and_then(|documents| self.add_documents(documents));
        self.check_count()?;
        self.edited(added)
    }

    fn add_yaml(&mut self, text: String, origin: Option<wit::Place>) -> Answered<u32> {
        self.enter()?;
        self.count_written(text.len())?;
        let origin = origin.map(Place::from);
        let added = Document::from_yaml(&text, origin.as_ref())
            .map_err(EditError::from)
            .and_then(|documents| {
                let count = u32::try_from(documents.len()).unwrap_or(u32::MAX);
                self.add_documents(documents).map(|()| count)
            });
        self.check_count()?;
        self.edited(added)
    }

    fn attach(&mut self, name: String, body: Vec<u8>) -> Answered<()> {
        self.enter()?;
        if self.prepares {
            let text = "a preparer has nothing but its result".to_owned();
            return Ok(Err(wit::Refusal::Denied(text)));
        }
        self.count_written(body.len() + name.len())?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            let text = "the name of an attachment has letters, digits, \"-\", \"_\" and \".\"";
            return Ok(Err(wit::Refusal::Invalid(text.to_owned())));
        }
        if self.attachments.iter().any(|(other, _)| *other == name) {
            return Ok(Err(wit::Refusal::Invalid(format!(
                "{name:?} was attached before"
            ))));
        }
        if self.attachments.len() as u64 >= self.limits.objects {
            return Err(Ended::Limit(format!(
                "it attached more than {} results (objects)",
                self.limits.objects
            ))
            .into());
        }
        let checked = self.documents.check_unmarked(&body);
        if checked.is_ok() {
            self.attachments.push((name, body.into()));
        }
        self.edited(checked)
    }
}

impl HostDocument for State {
    fn identity(&mut self, document: Resource<DocumentHandle>) -> Trapped<wit::ObjectRef> {
        self.enter()?;
        let identity = self.here(&document)?.identity();
        Ok(wit::ObjectRef {
            api_version: identity.api_version.clone(),
            kind: identity.kind.clone(),
            namespace: identity.namespace.clone(),
            name: identity.name.clone(),
        })
    }

    fn origin(&mut self, document: Resource<DocumentHandle>) -> Trapped<Option<wit::Place>> {
        self.enter()?;
        Ok(self.here(&document)?.origin().map(|place| wit::Place {
            path: place.path.clone(),
            line: place.line,
            column: place.column,
        }))
    }

    fn body(&mut self, document: Resource<DocumentHandle>) -> Trapped<String> {
        self.enter()?;
        let body = self.seen(&document)?;
        self.count_read(body.len())?;
        Ok(String::from(&*body))
    }

    fn get(
        &mut self,
        document: Resource<DocumentHandle>,
        pointer: String,
    ) -> Trapped<Option<String>> {
        self.enter()?;
        if pointer.len() > LONGEST_POINTER {
            return Ok(None);
        }
        self.seen(&document)?;
        let found = self.documents.get(document.rep(), &pointer);
        let found = found
            .map_err(|_| Ended::Misuse("it used an object after it had removed it".to_owned()))?;
        self.count_read(found.as_ref().map_or(0, String::len))?;
        Ok(found)
    }

    fn replace(&mut self, document: Resource<DocumentHandle>, body: String) -> Answered<()> {
        self.enter()?;
        self.count_written(body.len())?;
        let replaced = self
            .documents
            .replace(document.rep(), &body, self.limits.object_bytes);
        self.edited(replaced)
    }

    fn merge(&mut self, document: Resource<DocumentHandle>, patch: String) -> Answered<()> {
        self.enter()?;
        self.count_written(patch.len())?;
        let merged = self
            .documents
            .merge(document.rep(), &patch, self.limits.object_bytes);
        self.edited(merged)
    }

    fn remove(&mut self, document: Resource<DocumentHandle>) -> Answered<()> {
        self.enter()?;
        let removed = self.documents.remove(document.rep());
        self.edited(removed)
    }

    fn drop(&mut self, _: Resource<DocumentHandle>) -> Trapped<()> {
        self.release_handle();
        Ok(())
    }
}

impl State {
    fn here(&self, document: &Resource<DocumentHandle>) -> Trapped<&Document> {
        let removed = |_| Ended::Misuse("it used an object after it had removed it".to_owned());
        Ok(self.documents.document(document.rep()).map_err(removed)?)
    }

    /// The body as the guest may see it, noting when it shows secrets.
    fn seen(&mut self, document: &Resource<DocumentHandle>) -> Trapped<Arc<str>> {
        let number = document.rep();
        if self.documents.shows_secrets(number) {
            let shown = self.here(document)?.clone();
            self.secret = true;
            self.secrets.learn_document(&shown);
        }
        let removed = |_| Ended::Misuse("it used an object after it had removed it".to_owned());
        Ok(self.documents.body(number).map_err(removed)?)
    }

    fn add_documents(&mut self, documents: Vec<Document>) -> Result<(), EditError> {
        self.documents.add(documents, self.limits.object_bytes)
    }

    fn check_count(&self) -> Trapped<()> {
        if self.documents.numbers() as u64 > self.limits.objects {
            return Err(Ended::Limit(format!(
                "it made more than {} objects (objects)",
                self.limits.objects
            ))
            .into());
        }
        Ok(())
    }
}

impl From<wit::Place> for Place {
    fn from(place: wit::Place) -> Self {
        Self {
            path: place.path,
            line: place.line,
            column: place.column,
        }
    }
}
