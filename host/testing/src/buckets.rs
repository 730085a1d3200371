//! Real object stores, which a test fills: one for each protocol.

pub mod azurite;
pub mod fake_gcs;
pub mod versity;

use anyhow::Result;

/// A server of buckets.
pub trait Buckets {
    /// Makes a bucket.
    fn bucket(&self, name: &str) -> Result<()>;

    /// Puts an object into a bucket, and gives its ETag as it is part of revisions. `encoding` is what the content is
    /// compressed with.
    fn put(
        &self,
        bucket: &str,
        name: &str,
        content: &[u8],
        encoding: Option<&str>,
    ) -> Result<String>;

    /// Removes an object.
    fn remove(&self, bucket: &str, name: &str) -> Result<()>;
}
