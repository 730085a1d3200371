//! The working set of one call.

use std::sync::Arc;

use super::merge::{Patch, PatchError};
use super::seal::{self, Marks, Misplaced, Owner};
use super::select::Selector;
use super::{Document, DocumentError, Identity, json, pointer};

/// What a call's grants and kind say about the documents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) read_only: bool,
    /// Whether the data of Secrets is shown.
    pub(crate) secrets: bool,
}

/// The documents of a call, by number. Numbers are never used twice.
#[derive(Debug)]
pub(crate) struct DocumentSet {
    slots: Vec<Slot>,
    count: u32,
    access: Access,
    marks: Marks,
    detached: u32,
    /// Guests tend to apply one patch to many objects.
    last_patch: Option<(String, Patch)>,
}

#[derive(Debug)]
struct Slot {
    /// `None` once it was removed.
    document: Option<Document>,
    /// What the guest sees of a Secret.
    sealed: Option<Arc<str>>,
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("a validator only looks at objects")]
    ReadOnly,
    #[error("the object was removed before")]
    Removed,
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Patch(#[from] PatchError),
    #[error(transparent)]
    Misplaced(#[from] Misplaced),
    /// A limit: what, how much was wanted, and the limit.
    #[error("the object has {size} bytes, over the limit of {limit}")]
    TooLarge { size: usize, limit: u64 },
}

impl DocumentSet {
    pub(crate) fn new(documents: Vec<Document>, access: Access) -> Self {
        let slots: Vec<_> = documents
            .into_iter()
            .map(|document| Slot {
                document: Some(document),
                sealed: None,
            })
            .collect();
        let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
        Self {
            slots,
            count,
            access,
            marks: Marks::default(),
            detached: 0,
            last_patch: None,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// How many numbers are in use, those of removed documents among them.
    pub(crate) fn numbers(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn select(&self, selector: &Selector) -> Vec<u32> {
        let matching = |(at, slot): (usize, &Slot)| {
            let document = slot.document.as_ref()?;
            selector
                .matches(document)
                .then(|| u32::try_from(at).unwrap_or(u32::MAX))
        };
        self.slots.iter().enumerate().filter_map(matching).collect()
    }

    pub(crate) fn document(&self, number: u32) -> Result<&Document, EditError> {
        self.slots
            .get(number as usize)
            .and_then(|slot| slot.document.as_ref())
            .ok_or(EditError::Removed)
    }

    /// Whether reading this document shows secret values.
    pub(crate) fn shows_secrets(&self, number: u32) -> bool {
        self.access.secrets
            && self
                .document(number)
                .is_ok_and(|document| seal::is_opaque(document.body(), &document.identity))
    }

    /// The body as the guest may see it.
    pub(crate) fn body(&mut self, number: u32) -> Result<Arc<str>, EditError> {
        let secrets = self.access.secrets;
        let slot = self
            .slots
            .get_mut(number as usize)
            .ok_or(EditError::Removed)?;
        let document = slot.document.as_ref().ok_or(EditError::Removed)?;
        if let Some(sealed) = &slot.sealed {
            return Ok(Arc::clone(sealed));
        }
        if secrets || !seal::is_opaque(document.body(), &document.identity) {
            return Ok(Arc::clone(&document.body));
        }
        let sealed: Arc<str> = self
            .marks
            .seal(&document.body, &document.identity, Owner::Slot(number))
            .into();
        slot.sealed = Some(Arc::clone(&sealed));
        Ok(sealed)
    }

    pub(crate) fn get(&mut self, number: u32, at: &str) -> Result<Option<String>, EditError> {
        let body = self.body(number)?;
        Ok(pointer::find(&body, at).map(|range| body[range].to_owned()))
    }

    pub(crate) fn replace(&mut self, number: u32, body: &str, limit: u64) -> Result<(), EditError> {
        self.check_writable()?;
        self.document(number)?;
        let body = json::normal(body)
            .map_err(DocumentError::from)?
            .into_owned();
        self.write(number, body, limit)
    }

    pub(crate) fn merge(&mut self, number: u32, patch: &str, limit: u64) -> Result<(), EditError> {
        self.check_writable()?;
        let body = self.body(number)?;
        let parsed = match self.last_patch.take() {
            Some((text, parsed)) if text == patch => (text, parsed),
            _ => (patch.to_owned(), Patch::parse(patch)?),
        };
        let merged = parsed.1.apply(&body);
        self.last_patch = Some(parsed);
        self.write(number, merged, limit)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Result<(), EditError> {
        self.check_writable()?;
        self.document(number)?;
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.document = None;
            slot.sealed = None;
            self.count -= 1;
        }
        Ok(())
    }

    /// Appends documents that the guest made.
    pub(crate) fn add(&mut self, documents: Vec<Document>, limit: u64) -> Result<(), EditError> {
        self.check_writable()?;
        let documents: Vec<_> = documents
            .into_iter()
            .map(|document| {
                check_size(document.body().len(), limit)?;
                self.unsealed(document)
            })
            .collect::<Result<_, _>>()?;
        self.count += u32::try_from(documents.len()).unwrap_or(u32::MAX);
        self.slots
            .extend(documents.into_iter().map(|document| Slot {
                document: Some(document),
                sealed: None,
            }));
        Ok(())
    }

    /// What the guest may see of a document that another plugin made.
    pub(crate) fn detach(&mut self, document: &Document) -> String {
        if self.access.secrets {
            return document.body().to_owned();
        }
        self.detached += 1;
        self.marks.seal(
            document.body(),
            &document.identity,
            Owner::Detached(self.detached),
        )
    }

    /// What another plugin gets of a document that the guest passes on.
    pub(crate) fn unsealed(&self, document: Document) -> Result<Document, EditError> {
        if self.marks.is_empty() || !seal::has_mark(document.body().as_bytes()) {
            return Ok(document);
        }
        let body = self
            .marks
            .unseal(document.body(), &document.identity, |owner| match owner {
                Owner::Detached(_) => true,
                Owner::Slot(_) => false,
            })?;
        Ok(document.with_normal_body(body)?)
    }

    /// Like [`Self::unsealed`] for what is handed to another plugin: there, marks of objects of the set are known as well.
    pub(crate) fn unsealed_for_others(&self, document: Document) -> Result<Document, EditError> {
        if self.marks.is_empty() || !seal::has_mark(document.body().as_bytes()) {
            return Ok(document);
        }
        let body = self
            .marks
            .unseal(document.body(), &document.identity, |_| true)?;
        Ok(document.with_normal_body(body)?)
    }

    /// Refuses a text that is no object if it has a mark in it.
    pub(crate) fn check_unmarked(&self, text: &[u8]) -> Result<(), EditError> {
        if !self.marks.is_empty() && seal::has_mark(text) {
            return Err(Misplaced.into());
        }
        Ok(())
    }

    pub(crate) fn into_documents(self) -> Vec<Document> {
        self.slots
            .into_iter()
            .filter_map(|slot| slot.document)
            .collect()
    }

    fn check_writable(&self) -> Result<(), EditError> {
        if self.access.read_only {
            Err(EditError::ReadOnly)
        } else {
            Ok(())
        }
    }

    /// Puts a body in normal form, as the guest sees it, in the place of another.
    fn write(&mut self, number: u32, body: String, limit: u64) -> Result<(), EditError> {
        check_size(body.len(), limit)?;
        let old = self.document(number)?;
        let new = if self.marks.is_empty() || !seal::has_mark(body.as_bytes()) {
            old.with_normal_body(body)?
        } else {
            let identity = Identity::of(&body)?;
            let body = self
                .marks
                .unseal(&body, &identity, |owner| owner == Owner::Slot(number))?;
            old.with_normal_body(body)?
        };
        if let Some(slot) = self.slots.get_mut(number as usize) {
            slot.document = Some(new);
            slot.sealed = None;
        }
        Ok(())
    }
}

fn check_size(size: usize, limit: u64) -> Result<(), EditError> {
    if size as u64 > limit {
        Err(EditError::TooLarge { size, limit })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 1 << 20;
    const SECRET: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":"aHVudGVyMg=="}}"#;
    const MAP: &str =
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{"a":"b"}}"#;

    fn set(bodies: &[&str], secrets: bool) -> DocumentSet {
        let documents = bodies
            .iter()
            .map(|body| Document::parse(body).unwrap())
            .collect();
        DocumentSet::new(
            documents,
            Access {
                read_only: false,
                secrets,
            },
        )
    }

    fn bodies(set: DocumentSet) -> Vec<String> {
        set.into_documents()
            .iter()
            .map(|document| document.body().to_owned())
            .collect()
    }

    #[test]
    fn untouched_documents_stay_in_place() {
        let mut set = set(&[MAP, SECRET, MAP], false);
        set.remove(0).unwrap();
        set.merge(2, r#"{"data":{"a":null,"c":"d"}}"#, LIMIT)
            .unwrap();
        set.add(vec![Document::parse(MAP).unwrap()], LIMIT).unwrap();
        assert_eq!(set.count(), 3);
        assert_eq!(set.select(&Selector::default()), [1, 2, 3]);
        assert!(matches!(set.body(0), Err(EditError::Removed)));
        assert!(matches!(set.merge(0, "{}", LIMIT), Err(EditError::Removed)));
        assert_eq!(
            bodies(set),
            [SECRET, &MAP.replace(r#""a":"b""#, r#""c":"d""#), MAP]
        );
    }

    #[test]
    fn identities_follow_edits() {
        let mut set = set(&[MAP], false);
        set.merge(0, r#"{"metadata":{"name":"other","namespace":"n"}}"#, LIMIT)
            .unwrap();
        assert_eq!(
            set.document(0).unwrap().identity.to_string(),
            "ConfigMap n/other"
        );
        assert!(
            set.merge(0, r#"{"kind":null}"#, LIMIT)
                .unwrap_err()
                .to_string()
                .contains("no kind")
        );
        assert_eq!(
            set.document(0).unwrap().identity.to_string(),
            "ConfigMap n/other"
        );
    }

    #[test]
    fn secrets_can_be_labelled_without_being_seen() {
        let mut set = set(&[SECRET], false);
        assert!(!set.body(0).unwrap().contains("aHVudGVyMg"));
        assert!(
            !set.get(0, "/data/a")
                .unwrap()
                .unwrap()
                .contains("aHVudGVyMg")
        );
        set.merge(0, r#"{"metadata":{"labels":{"x":"y"}}}"#, LIMIT)
            .unwrap();
        let seen = set.body(0).unwrap().replace("\"x\":\"y\"", "\"x\":\"z\"");
        set.replace(0, &seen, LIMIT).unwrap();
        assert_eq!(
            bodies(set),
            [SECRET.replace(r#""name":"s""#, r#""name":"s","labels":{"x":"z"}"#)]
        );
    }

    #[test]
    fn a_secret_cannot_be_turned_into_something_readable() {
        let mut set = set(&[SECRET, MAP], false);
        let sealed = set.body(0).unwrap();
        for patch in [
            r#"{"kind":"ConfigMap"}"#,
            r#"{"apiVersion":"example.com/v1"}"#,
        ] {
            assert!(matches!(
                set.merge(0, patch, LIMIT),
                Err(EditError::Misplaced(_))
            ));
        }
        assert!(matches!(
            set.replace(1, &sealed, LIMIT),
            Err(EditError::Misplaced(_))
        ));
        let copy = Document::parse(&sealed).unwrap();
        assert!(matches!(
            set.add(vec![copy], LIMIT),
            Err(EditError::Misplaced(_))
        ));
        assert!(set.check_unmarked(sealed.as_bytes()).is_err());
        assert_eq!(bodies(set), [SECRET, MAP]);
    }

    #[test]
    fn a_fresh_secret_of_the_guest_is_sealed_when_it_is_read_back() {
        let mut set = set(&[], false);
        set.add(vec![Document::parse(SECRET).unwrap()], LIMIT)
            .unwrap();
        assert!(!set.body(0).unwrap().contains("aHVudGVyMg"));
    }

    #[test]
    fn with_the_grant_secrets_are_plain() {
        let mut set = set(&[SECRET, MAP], true);
        assert_eq!(&*set.body(0).unwrap(), SECRET);
        assert!(set.shows_secrets(0) && !set.shows_secrets(1));
    }

    #[test]
    fn what_another_plugin_made_goes_into_the_set_as_it_was() {
        let mut set = set(&[], false);
        let secret = Document::parse(SECRET).unwrap();
        let seen = Document::parse(&set.detach(&secret)).unwrap();
        assert!(!seen.body().contains("aHVudGVyMg"));
        assert_eq!(
            set.unsealed_for_others(seen.clone()).unwrap().body(),
            SECRET
        );
        set.add(vec![seen], LIMIT).unwrap();
        assert_eq!(bodies(set), [SECRET]);
    }

    #[test]
    fn validators_change_nothing() {
        let documents = vec![Document::parse(MAP).unwrap()];
        let mut set = DocumentSet::new(
            documents,
            Access {
                read_only: true,
                secrets: false,
            },
        );
        assert!(matches!(
            set.replace(0, MAP, LIMIT),
            Err(EditError::ReadOnly)
        ));
        assert!(matches!(
            set.merge(0, "{}", LIMIT),
            Err(EditError::ReadOnly)
        ));
        assert!(matches!(set.remove(0), Err(EditError::ReadOnly)));
        assert!(matches!(set.add(vec![], LIMIT), Err(EditError::ReadOnly)));
    }

    #[test]
    fn objects_have_a_largest_size() {
        let mut set = set(&[MAP], false);
        let big = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(100));
        assert_eq!(
            set.merge(0, &big, 120).unwrap_err().to_string(),
            "the object has 178 bytes, over the limit of 120"
        );
        assert_eq!(bodies(set), [MAP]);
    }
}
