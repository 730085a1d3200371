//! Prints what is made from the code as a JSON object: text by path from the top of the checkout. `cargo xtask gen` runs
//! it and writes the files.
//!
//! A program of its own, so that `cargo xtask` needs nothing of what it makes and starts at once.

mod schema;

use std::collections::BTreeMap;

use anyhow::Result;

fn main() -> Result<()> {
    let mut files = BTreeMap::new();
    for (name, definition) in weir_api::crd::all() {
        let text = weir_k8s_yaml::to_yaml(&definition)?;
        let text = format!("# Made by `cargo xtask gen` from host/api.\n{text}");
        files.insert(format!("deploy/crds/{name}.yaml"), text);
    }
    if let Some(table) = schema::generate()? {
        files.insert(schema::TABLE.to_owned(), table);
    }
    anstream::println!("{}", serde_json::to_string(&files)?);
    Ok(())
}
