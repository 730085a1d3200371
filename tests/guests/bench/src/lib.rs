//! The calls that the benchmarks measure.

use serde::Deserialize;
use serde_json::{Value, json};
use weir_sdk::{About, Plugin, Result, Select, Transformer, documents};

#[derive(Deserialize)]
struct Config {
    case: Case,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Case {
    Nothing,
    EditTwo,
    MergeAll,
    ReadAll,
    RewriteAll,
}

struct Bench;

weir_sdk::export!(Bench: transformer);

impl Plugin for Bench {
    type Config = Config;

    fn about() -> About {
        About::new("bench", "1.0.0").config_schema(
            r#"{"type": "object", "properties": {"case": {"type": "string"}}, "required": ["case"]}"#,
        )
    }
}

impl Transformer for Bench {
    fn transform(config: Config) -> Result<()> {
        match config.case {
            Case::Nothing => {}
            Case::EditTwo => {
                for document in
                    documents::select(&Select::default().name("object-17").name("object-911"))?
                {
                    let mut object: Value = document.read()?;
                    object["metadata"]["labels"]["edited"] = json!("yes");
                    document.replace(&object)?;
                }
            }
            Case::MergeAll => {
                for document in documents::all()? {
                    document.label("edited", "yes")?;
                }
            }
            Case::ReadAll => {
                for document in documents::all()? {
                    document.get::<String>("/metadata/name")?;
                }
            }
            Case::RewriteAll => {
                for document in documents::all()? {
                    document.edit(|object| object.set("/metadata/labels/edited", "yes"))?;
                }
            }
        }
        Ok(())
    }
}
