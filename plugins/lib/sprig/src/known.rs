//! YAML texts that were read before. Charts hand values from one template to another as texts: they make the same text again
//! and again, and each time they read it.

use std::cell::RefCell;

use weir_gotemplate::{ByName, Text, Value};

/// What may be remembered of texts and values, in bytes; with more of it all is forgotten.
const MOST: usize = 4 << 20;
/// What a value takes besides its text.
const VALUE: usize = 64;

/// What was read from texts.
#[derive(Debug, Default)]
pub(crate) struct Known(RefCell<Texts>);

#[derive(Debug, Default)]
struct Texts {
    /// A text that was seen once has no value yet: most are not seen again.
    values: ByName<Option<Value>>,
    bytes: usize,
}

impl Known {
    /// What `read` makes of the text, or a copy of what it made before. Nobody else has the maps in it.
    pub(crate) fn read<E>(
        &self,
        text: &Text,
        read: impl FnOnce(&Text) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let again = match self.0.borrow().values.get(text) {
            None => false,
            Some(None) => true,
            Some(Some(value)) => match value.deep_copy() {
                Ok(copy) => return Ok(copy),
                Err(_) => true,
            },
        };
        let value = read(text)?;
        let mut texts = self.0.borrow_mut();
        if !again {
            texts.keep(text, None, text.len());
        } else if let Some(weight) = weight(&value)
            && let Ok(copy) = value.deep_copy()
        {
            texts.keep(text, Some(copy), weight);
        }
        Ok(value)
    }
}

impl Texts {
    fn keep(&mut self, text: &Text, value: Option<Value>, weight: usize) {
        if weight > MOST {
            return;
        }
        if self.bytes + weight > MOST {
            *self = Self::default();
        }
        self.bytes += weight;
        self.values.insert(text.clone(), value);
    }
}

/// What a value takes in memory, about; nothing if it is too much. A short text can say very much by its aliases.
fn weight(value: &Value) -> Option<usize> {
    let mut weight = 0;
    let mut pending = vec![value.clone()];
    while let Some(value) = pending.pop() {
        weight += VALUE + value.as_text().map_or(0, Text::len);
        if let Value::List(list) = &value {
            pending.extend(list.iter().cloned());
        } else if let Value::Map(map) = &value {
            for (key, value) in map.entries() {
                weight += key.len();
                pending.push(value);
            }
        }
        if weight > MOST {
            return None;
        }
    }
    Some(weight)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn read(known: &Known, text: &str, count: &Cell<u32>) -> Value {
        let parse = |text: &Text| {
            count.set(count.get() + 1);
            let inner = serde_json::json!({"of": text.lossy(), "list": [{"a": 1}]});
            Ok::<_, ()>(Value::from_json(&inner))
        };
        known.read(&Text::from(text), parse).unwrap()
    }

    #[test]
    fn a_text_is_read_twice_at_most_and_nobody_shares_what_came_of_it() {
        let (known, count) = (Known::default(), Cell::new(0));
        for _ in 0..5 {
            let value = read(&known, "a", &count);
            assert_eq!(value.to_json().unwrap()["of"], "a");
            // Whoever gets it may change it.
            value
                .as_map()
                .unwrap()
                .insert("of", Value::from("changed"))
                .unwrap();
        }
        assert_eq!(count.get(), 2);
        read(&known, "b", &count);
        assert_eq!(count.get(), 3);
    }

    #[test]
    fn what_fails_is_not_remembered() {
        let known = Known::default();
        let text = Text::from("a");
        for _ in 0..3 {
            assert_eq!(known.read(&text, |_| Err("no")), Err("no"));
        }
        assert!(known.0.borrow().values.is_empty());
    }

    #[test]
    fn values_count_too() {
        let known = Known::default();
        let large = vec![Value::from("x"); MOST / VALUE];
        for _ in 0..3 {
            let read = |_: &Text| Ok::<_, ()>(Value::from(large.clone()));
            known.read(&Text::from("a"), read).unwrap();
        }
        assert_eq!(known.0.borrow().values.get(b"a".as_slice()), Some(&None));
        assert!(known.0.borrow().bytes <= MOST);
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (known, count) = (Known::default(), Cell::new(0));
        let long = "x".repeat(MOST / 4);
        for number in 0..10 {
            read(&known, &format!("{number}{long}"), &count);
            assert!(known.0.borrow().bytes <= MOST);
        }
        read(&known, &"y".repeat(MOST + 1), &count);
        assert!(known.0.borrow().values.len() <= 4);
    }
}
