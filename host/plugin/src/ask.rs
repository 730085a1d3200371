//! What a guest can ask, as data. The render crate answers, and writes down each question with the digest of its answer.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_tree::{Entry, TreePath};

/// Names a tree within one call: `main`, a name that the recipe bound, or what an earlier question opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TreeId(pub String);

impl TreeId {
    pub fn main() -> Self {
        Self("main".to_owned())
    }
}

/// What another plugin is run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Generator,
    Transformer,
    Validator,
}

/// One question. Two equal questions to an unchanged world have equal answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whether the recipe bound a tree by this name. Answer: [`Answer::Tree`].
    NamedTree { name: String },
    /// Answer: [`Answer::Tree`].
    OpenUrl { url: String },
    /// Answer: [`Answer::Tree`].
    OpenChart {
        repository: String,
        name: String,
        version: String,
    },
    /// The whole file. Answer: [`Answer::Bytes`].
    Read { tree: TreeId, path: TreePath },
    /// Answer: [`Answer::Bytes`].
    ReadRange {
        tree: TreeId,
        path: TreePath,
        offset: u64,
        length: u32,
    },
    /// The file after the step's filters. Answer: [`Answer::Bytes`].
    ReadFiltered {
        tree: TreeId,
        path: TreePath,
        format: String,
    },
    /// A JSON array of the documents in the file. Answer: [`Answer::Text`].
    ReadParsed { tree: TreeId, path: TreePath },
    /// What the calling plugin's preparer makes of the tree. Answer: [`Answer::Bytes`], or absent if the step has to do the
    /// work itself. It is as if the step had asked what the preparer asks.
    Prepared { tree: TreeId, config: String },
    /// Links on the way are followed. Answer: [`Answer::Entry`].
    Stat { tree: TreeId, path: TreePath },
    /// Answer: [`Answer::Entries`].
    Entries { tree: TreeId, path: TreePath },
    /// Answer: [`Answer::Paths`].
    Glob { tree: TreeId, pattern: String },
    /// Answer: [`Answer::Path`].
    Resolve { tree: TreeId, path: TreePath },
    /// Answer: [`Answer::Number`].
    Time,
    /// `nth` counts the calls with the same place before this one. Answer: [`Answer::Bytes`].
    Random {
        purpose: String,
        place: String,
        nth: u32,
        length: u32,
    },
    /// Answer: [`Answer::Text`].
    KubeVersion,
    /// Answer: [`Answer::Flag`].
    HasApi { what: String },
    /// Answer: [`Answer::Texts`].
    ApiVersions,
    /// Answer: [`Answer::Text`], or absent.
    Fact { name: String },
    /// Answer: [`Answer::Text`].
    Object {
        api_version: String,
        kind: String,
        namespace: String,
        name: String,
    },
    /// Answer: [`Answer::Text`].
    Objects {
        api_version: String,
        kind: String,
        namespace: String,
        labels: String,
    },
    /// Answer: [`Answer::Bytes`].
    Value { name: String },
    /// Answer: [`Answer::Bytes`], always secret.
    Unwrap {
        scheme: String,
        key: Vec<(String, String)>,
        wrapped: Vec<u8>,
    },
    /// Answer: [`Answer::Response`].
    Fetch {
        method: String,
        url: String,
        headers: Vec<(String, String)>,
        body: Option<Vec<u8>>,
        digest: Option<String>,
    },
    /// Answer: [`Answer::Texts`], the documents that came out.
    Delegate {
        name: String,
        role: Role,
        config: String,
        documents: Vec<String>,
        trees: Vec<(String, TreeId)>,
    },
}

/// The questions whose answer one tree alone decides.
macro_rules! of_one_tree {
    ($tree:ident) => {
        Self::Read { $tree, .. }
            | Self::ReadRange { $tree, .. }
            | Self::ReadParsed { $tree, .. }
            | Self::Stat { $tree, .. }
            | Self::Entries { $tree, .. }
            | Self::Glob { $tree, .. }
            | Self::Resolve { $tree, .. }
    };
}

impl Question {
    /// The tree that alone decides the answer, if one does.
    pub fn tree(&self) -> Option<&TreeId> {
        if let of_one_tree!(tree) = self {
            Some(tree)
        } else {
            None
        }
    }

    /// The same question by the name that its tree has elsewhere.
    #[must_use]
    pub fn with_tree(mut self, name: &TreeId) -> Self {
        if let of_one_tree!(tree) = &mut self {
            tree.clone_from(name);
        }
        self
    }
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Bytes(Bytes),
    Text(String),
    Texts(Vec<String>),
    Number(u64),
    Flag(bool),
    Tree(TreeId),
    Entry(Entry),
    Entries(Vec<Entry>),
    Path(TreePath),
    Paths(Vec<TreePath>),
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
}

/// An answer and whether it has secret bytes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub answer: Answer,
    pub secret: bool,
}

impl Given {
    pub fn plain(answer: Answer) -> Self {
        Self {
            answer,
            secret: false,
        }
    }

    pub fn secret(answer: Answer) -> Self {
        Self {
            answer,
            secret: true,
        }
    }
}

/// Why a question has no answer. A refusal is an answer for the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// Not granted; the text says which grant would allow it.
    #[error("{0}")]
    Denied(String),
    #[error("not found")]
    Absent,
    /// A limit of the call is used up.
    #[error("{0}")]
    Exhausted(String),
    /// The backend failed; later may work. A call that saw this is not kept in the memo.
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Invalid(String),
    /// A delegated plugin ran and failed with this.
    #[error("{0}")]
    Failed(String),
}

/// The world as one call sees it.
pub trait Environment: Send {
    /// Answers a question that grants and limits allow. `budget` bounds what the answer may cost.
    fn ask(&mut self, question: &Question, budget: &Budget) -> Result<Given, Refusal>;
}

/// What is left for one answer.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Bytes that the answer may have.
    pub bytes: u64,
    /// When waiting has to end.
    pub deadline: std::time::Instant,
    /// How many more calls may nest.
    pub depth: u32,
}
