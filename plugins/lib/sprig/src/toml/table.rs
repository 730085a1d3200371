//! Tables while they are read. The rules of what may be said twice are the library's, which are not quite TOML's.

use std::collections::{BTreeMap, HashSet};

use weir_gotemplate::{List, ListType, Map, Text, Value};

use super::shown_path;

/// The keys of a table.
pub(super) type Entries = BTreeMap<Text, Node>;

#[derive(Debug)]
pub(super) enum Node {
    Plain(Value),
    Table(Entries),
    /// `[[…]]`
    Tables(Vec<Entries>),
}

/// A table with all below it.
#[derive(Debug, Default)]
pub(super) struct Tables {
    root: Entries,
    /// Tables that nobody has written a header for yet.
    implicit: HashSet<Vec<Text>>,
    /// Where this table is in the document, for messages.
    prefix: Vec<Text>,
}

impl Tables {
    pub(super) fn below(prefix: Vec<Text>) -> Self {
        Self {
            prefix,
            ..Self::default()
        }
    }

    fn full(&self, path: &[Text]) -> String {
        shown_path(&[&self.prefix, path].concat())
    }

    fn defined(&self, path: &[Text]) -> String {
        format!("Key '{}' has already been defined.", self.full(path))
    }

    /// The table at a path; missing ones are made if that is wanted.
    fn walk(&mut self, path: &[Text], make: bool) -> Result<&mut Entries, String> {
        let message = match make {
            true => |shown: String| format!("Key '{shown}' was already created as a hash."),
            false => |shown: String| format!("Key '{shown}' has already been defined."),
        };
        // The keys are checked first, so that the walk itself cannot fail half way.
        let mut missing = Vec::new();
        let mut at = Some(&self.root);
        for (depth, key) in path.iter().enumerate() {
            at = match at.map(|entries| entries.get(key)) {
                Some(Some(Node::Table(table))) => Some(table),
                Some(Some(Node::Tables(tables))) => tables.last(),
                Some(Some(Node::Plain(_))) => return Err(message(self.full(&path[..=depth]))),
                Some(None) | None => {
                    missing.push(path[..=depth].to_vec());
                    None
                }
            };
        }
        self.implicit.extend(missing);
        let mut entries = &mut self.root;
        for key in path {
            let node = entries
                .entry(key.clone())
                .or_insert_with(|| Node::Table(Entries::new()));
            entries = match node {
                Node::Table(table) => table,
                Node::Tables(tables) if !tables.is_empty() => {
                    let last = tables.len() - 1;
                    &mut tables[last]
                }
                Node::Tables(_) | Node::Plain(_) => return Err(message(shown_path(path))),
            };
        }
        Ok(entries)
    }

    /// `[path]`, or a table on the way of a dotted key.
    pub(super) fn open(&mut self, path: &[Text], dotted: bool) -> Result<(), String> {
        let Some((last, parent)) = path.split_last() else {
            return Ok(());
        };
        if dotted {
            self.implicit.insert(path.to_vec());
        }
        let exists = self.walk(parent, true)?.contains_key(last);
        if !exists {
            self.walk(parent, true)?
                .insert(last.clone(), Node::Table(Entries::new()));
            return Ok(());
        }
        if self.implicit.remove(path) {
            return Ok(());
        }
        Err(self.defined(path))
    }

    /// `[[path]]`
    pub(super) fn open_next(&mut self, path: &[Text]) -> Result<(), String> {
        let Some((last, parent)) = path.split_last() else {
            return Ok(());
        };
        let shown = self.full(path);
        let entries = self.walk(parent, true)?;
        match entries
            .entry(last.clone())
            .or_insert_with(|| Node::Tables(Vec::new()))
        {
            Node::Tables(tables) => {
                tables.push(Entries::new());
                // What was said below the one before does not count for this one.
                self.implicit.retain(|known| !known.starts_with(path));
                Ok(())
            }
            Node::Plain(_) | Node::Table(_) => Err(format!(
                "Key '{shown}' was already created and cannot be used as an array."
            )),
        }
    }

    /// `key = value` in the table at a path.
    pub(super) fn set(&mut self, table: &[Text], key: &Text, value: Node) -> Result<(), String> {
        let path = [table, std::slice::from_ref(key)].concat();
        let entries = self.walk(table, false)?;
        if !entries.contains_key(key) {
            entries.insert(key.clone(), value);
            return Ok(());
        }
        if self.implicit.remove(&path) {
            return Ok(());
        }
        Err(self.defined(&path))
    }

    pub(super) fn into_entries(self) -> Entries {
        self.root
    }
}

/// The value that templates see.
pub(super) fn to_value(entries: Entries) -> Value {
    let each = entries.into_iter().map(|(key, node)| {
        let value = match node {
            Node::Plain(value) => value,
            Node::Table(entries) => to_value(entries),
            Node::Tables(tables) => {
                List::new(&ListType::MAPS, tables.into_iter().map(to_value).collect()).into()
            }
        };
        (key, value)
    });
    each.collect::<Map>().into()
}
