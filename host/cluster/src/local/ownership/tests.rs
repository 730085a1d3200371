use serde_json::{Value, json};

use super::*;
use crate::local::schema::openapi::Builder;

struct Bed {
    schema: Schema,
    ty: TypeId,
    live: Option<Value>,
    managers: Managers,
}

impl Bed {
    fn new() -> Self {
        let schema = json!({"type": "object", "properties": {
            "apiVersion": {"type": "string"},
            "spec": {"type": "object", "properties": {
                "a": {"type": "string"}, "b": {"type": "string"},
                "map": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
        }});
        let mut builder = Builder::default();
        let ty = builder.inline(&schema, "").unwrap();
        Self {
            schema: builder.finish().0,
            ty,
            live: None,
            managers: Managers::default(),
        }
    }

    fn ctx<'s>(&'s self, subresource: &'s str) -> Context<'s> {
        let mut reset = Set::default();
        reset.insert(&[Element::field(if subresource.is_empty() {
            "status"
        } else {
            "spec"
        })]);
        Context {
            schema: &self.schema,
            ty: self.ty,
            reset,
            api_version: "v1",
            subresource,
            now: "2026-01-01T00:00:00Z",
        }
    }

    fn apply(&mut self, manager: &str, force: bool, applied: Value) -> Result<(), String> {
        let applied = apply(
            &self.ctx(""),
            self.live.as_ref(),
            self.managers.clone(),
            &applied,
            manager,
            force,
        );
        let (new, managers) = applied.map_err(|conflicts| conflicts.to_string())?;
        self.live = Some(new);
        self.managers = managers;
        Ok(())
    }

    fn update(&mut self, manager: &str, subresource: &str, new: Value) {
        self.managers = update(
            &self.ctx(subresource),
            self.live.as_ref(),
            &new,
            self.managers.clone(),
            manager,
        );
        self.live = Some(new);
    }

    fn check(&self, live: Value, owners: &[(&str, &str, Value)]) {
        assert_eq!(self.live, Some(live));
        let found: Vec<(String, String, Value)> = self
            .managers
            .to_value()
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                (
                    text("manager"),
                    text("operation"),
                    entry["fieldsV1"].clone(),
                )
            })
            .collect();
        let expected: Vec<(String, String, Value)> = owners
            .iter()
            .map(|(manager, operation, fields)| {
                (
                    (*manager).to_owned(),
                    (*operation).to_owned(),
                    fields.clone(),
                )
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn who_stops_applying_a_field_that_nobody_else_owns_removes_it() {
    let mut bed = Bed::new();
    bed.apply("one", false, json!({"spec": {"a": "1", "map": {"x": "1"}}}))
        .unwrap();
    bed.apply("two", false, json!({"spec": {"map": {"x": "1", "y": "2"}}}))
        .unwrap();
    bed.apply("one", false, json!({"spec": {}})).unwrap();
    bed.check(
        json!({"spec": {"map": {"x": "1", "y": "2"}}}),
        &[
            ("one", "Apply", json!({"f:spec": {}})),
            (
                "two",
                "Apply",
                json!({"f:spec": {"f:map": {"f:x": {}, "f:y": {}}}}),
            ),
        ],
    );
}

#[test]
fn a_field_of_another_is_a_conflict_unless_forced() {
    let mut bed = Bed::new();
    bed.apply("one", false, json!({"spec": {"a": "1", "b": "1"}}))
        .unwrap();
    let conflict = bed
        .apply("two", false, json!({"spec": {"a": "2"}}))
        .unwrap_err();
    assert_eq!(
        conflict,
        "Apply failed with 1 conflict: conflict with \"one\": .spec.a"
    );
    let conflicts = bed
        .apply("two", false, json!({"spec": {"a": "2", "b": "2"}}))
        .unwrap_err();
    assert_eq!(
        conflicts,
        "Apply failed with 2 conflicts: conflicts with \"one\":\n- .spec.a\n- .spec.b"
    );
    bed.apply("two", true, json!({"spec": {"a": "2"}})).unwrap();
    bed.check(
        json!({"spec": {"a": "2", "b": "1"}}),
        &[
            ("one", "Apply", json!({"f:spec": {"f:b": {}}})),
            ("two", "Apply", json!({"f:spec": {"f:a": {}}})),
        ],
    );
}

#[test]
fn an_update_owns_what_it_changes_and_nothing_of_the_other_door() {
    let mut bed = Bed::new();
    bed.apply("one", false, json!({"spec": {"a": "1", "b": "1"}}))
        .unwrap();
    bed.update("kubectl", "", json!({"spec": {"a": "2"}}));
    bed.update(
        "controller",
        "status",
        json!({"spec": {"a": "2"}, "status": {"phase": "Ready"}}),
    );
    bed.check(
        json!({"spec": {"a": "2"}, "status": {"phase": "Ready"}}),
        &[
            (
                "controller",
                "Update",
                json!({"f:status": {".": {}, "f:phase": {}}}),
            ),
            ("kubectl", "Update", json!({"f:spec": {"f:a": {}}})),
        ],
    );
    let conflict = bed
        .apply("one", false, json!({"spec": {"a": "1"}}))
        .unwrap_err();
    assert_eq!(
        conflict,
        "Apply failed with 1 conflict: conflict with \"kubectl\" using v1: .spec.a"
    );
}

#[test]
fn what_nobody_owned_belongs_to_before_first_apply() {
    let mut bed = Bed::new();
    bed.live = Some(json!({"spec": {"a": "1", "b": "1"}}));
    bed.apply("one", true, json!({"spec": {"a": "2"}})).unwrap();
    bed.check(
        json!({"spec": {"a": "2", "b": "1"}}),
        &[
            ("one", "Apply", json!({"f:spec": {"f:a": {}}})),
            (
                "before-first-apply",
                "Update",
                json!({"f:spec": {".": {}, "f:b": {}}}),
            ),
        ],
    );
}

#[test]
fn many_updaters_are_folded_into_one() {
    let mut bed = Bed::new();
    let mut map = serde_json::Map::new();
    for index in 0..13 {
        map.insert(format!("k{index}"), json!("x"));
        bed.update(
            &format!("m{index:02}"),
            "",
            json!({"spec": {"map": map.clone()}}),
        );
    }
    let entries = bed.managers.to_value();
    assert_eq!(entries.as_array().unwrap().len(), 10);
    assert_eq!(entries[0]["manager"], "ancient-changes");
    let old = json!({".": {}, "f:map": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}});
    assert_eq!(entries[0]["fieldsV1"], json!({"f:spec": old}));
}

#[test]
fn unreadable_managed_fields_are_errors() {
    for (value, expected) in [
        (json!({}), "managedFields is no list of mappings"),
        (
            json!([{"manager": "m", "operation": "Guess"}]),
            "the operation of manager \"m\" is neither Apply nor Update",
        ),
        (
            json!([{"manager": "m", "operation": "Apply"}]),
            "manager \"m\" states no apiVersion",
        ),
        (
            json!([{"manager": "m", "operation": "Apply", "apiVersion": "v1"}]),
            "the fieldsType of manager \"m\" is not FieldsV1",
        ),
        (
            json!([{"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"x": {}}}]),
            "the fields of manager \"m\": \"x\" is no path element; it starts with f:, k:, v: or i:",
        ),
    ] {
        assert_eq!(
            Managers::from_value(&value).unwrap_err().to_string(),
            expected
        );
    }
}
