//! Asks what its config says, and makes one object of the answers: whatever it was told shows in what comes out. What it is to
//! ask by its preparer it asks itself if there is none.

use serde::{Deserialize, Serialize};
use weir_sdk::{
    About, Capability, Generator, Plugin, Preparer, Result, Tree, context, documents, inputs, trees,
};

#[derive(Deserialize)]
struct Config {
    questions: Vec<Question>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Question {
    Read(String),
    Range(String),
    Parsed(String),
    Stat(String),
    Entries(String),
    Glob(String),
    Resolve(String),
    Prepared(Vec<Question>),
    /// The same of another tree.
    Elsewhere(Vec<Question>),
    Other(String),
    Value(String),
    Text(String),
    Fact(String),
    Api(String),
    Random(String),
    Time,
}

struct Asker;

weir_sdk::export!(Asker: generator, preparer);

impl Plugin for Asker {
    type Config = Config;

    fn about() -> About {
        About::new("asker", "0.1.0")
            .summary("asks what its config says")
            .config_schema(r#"{"type": "object", "properties": {"questions": {"type": "array"}}, "required": ["questions"]}"#)
            .wants(Capability::files(["**"], "to ask"))
            .wants(Capability::values(["*"], "to ask"))
    }
}

impl Generator for Asker {
    fn generate(config: Config) -> Result<()> {
        let main = trees::main();
        documents::add(&serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "default", "name": "answers"}, "data": {"answers": answers(&main, &config.questions)},
        }))
    }
}

impl Preparer for Asker {
    fn prepare(config: &str) -> Result<Option<Vec<u8>>> {
        let questions: Vec<Question> = serde_json::from_str(config)?;
        Ok(Some(answers(&trees::main(), &questions).into_bytes()))
    }
}

fn answers(main: &Tree, questions: &[Question]) -> String {
    let answers: Vec<String> = questions
        .iter()
        .map(|question| answer(main, question))
        .collect();
    answers.join("\n")
}

fn answer(main: &Tree, question: &Question) -> String {
    match question {
        Question::Read(path) => show(main.read(path)),
        Question::Range(path) => show(main.read_range(path, 1, 3)),
        Question::Parsed(path) => show(main.read_yaml::<serde_json::Value>(path)),
        Question::Stat(path) => show(main.stat(path)),
        Question::Entries(path) => show(main.entries(path)),
        Question::Glob(pattern) => show(main.glob(pattern)),
        Question::Resolve(path) => show(main.resolve(path)),
        Question::Prepared(questions) => prepared(main, questions),
        Question::Elsewhere(questions) => match trees::named("other") {
            Ok(other) => prepared(&other, questions),
            Err(error) => format!("refused: {error}"),
        },
        Question::Other(path) => show(trees::named("other").and_then(|tree| tree.read(path))),
        Question::Value(name) => show(inputs::value(name)),
        Question::Text(name) => {
            inputs::text(name).unwrap_or_else(|error| format!("refused: {error}"))
        }
        Question::Fact(name) => format!("{:?}", context::fact(name)),
        Question::Api(what) => format!("{}", context::has_api(what)),
        Question::Random(purpose) => format!("{:?}", context::random(purpose, "asker", 8)),
        Question::Time => format!("{}", context::time()),
    }
}

fn prepared(tree: &Tree, questions: &[Question]) -> String {
    let config = serde_json::to_string(questions).unwrap_or_default();
    match tree.prepared(&config) {
        Ok(Some(answers)) => String::from_utf8_lossy(&answers).into_owned(),
        Ok(None) => answers(tree, questions),
        Err(error) => format!("refused: {error}"),
    }
}

fn show<T: std::fmt::Debug>(answer: Result<T>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("refused: {error}"),
    }
}
