//! What a cluster has to do, checked on both: the local one and a real API server.
//!
//! Every test of [`both!`] runs twice with the same code. Where the local cluster is simpler on purpose, the test asks
//! [`Bed::local`] and says what is different; nothing else tells the two apart.

#![allow(clippy::unwrap_used)]

mod apply;
mod bed;
mod definitions;
mod local;
mod lookup;
mod property;
mod remove;
mod watch;
mod write;

/// Makes a test for each cluster out of each function that takes a bed.
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod on_local {
            $(#[tokio::test] async fn $name() { super::$name($crate::bed::Bed::local_one()).await; })*
        }
        mod on_kube {
            $(#[tokio::test] async fn $name() {
                if let Some(bed) = $crate::bed::Bed::kube_one().await { super::$name(bed).await; }
            })*
        }
    };
}
pub(crate) use both;
