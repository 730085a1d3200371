//! Waiting for a condition, with a deadline and a reason.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long tests wait for what should happen at once. Generous: a machine can be busy.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Asks again and again until `condition` gives a value, and gives up after [`DEADLINE`].
///
/// For conditions that are only visible by asking; where a watch exists, follow the watch instead.
pub async fn until<T>(what: &str, condition: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    until_after(what, DEADLINE, condition).await
}

/// As [`until`], with a deadline of its own.
pub async fn until_after<T>(
    what: &str,
    deadline: Duration,
    mut condition: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        if start.elapsed() > deadline {
            bail!("waited {:.0} s in vain for {what}", deadline.as_secs_f64());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
