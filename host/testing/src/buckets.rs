//! Real object stores of the clouds' kinds, which a test fills. Amazon's is in [`versity`](crate::versity).

pub mod azurite;
pub mod fake_gcs;

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
