//! A thread that moves the engine's epoch while calls are on the way, so that each of them looks at its clock and its
//! cancellation now and then.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How often a call that computes looks up.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// For how many ticks the thread goes on after the last call: waking it costs more than a short call.
const IDLE_TICKS: u32 = 200;

/// Ticks while somebody holds a [`Ticking`].
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Running>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Running {
    calls: u32,
    asleep: bool,
    ended: bool,
}

/// A call that is on the way.
#[derive(Debug)]
pub(crate) struct Ticking(Arc<Shared>);

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("plugin-ticker".to_owned())
            .spawn(move || tick(&engine, &theirs))?;
        Ok(Self { shared })
    }

    pub(crate) fn running(&self) -> Ticking {
        let mut state = self.shared.lock();
        state.calls += 1;
        if state.asleep {
            self.shared.changed.notify_one();
        }
        Ticking(Arc::clone(&self.shared))
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut idle = 0;
    loop {
        {
            let mut state = shared.lock();
            idle = if state.calls == 0 { idle + 1 } else { 0 };
            while idle > IDLE_TICKS && state.calls == 0 && !state.ended {
                state.asleep = true;
                state = shared
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            state.asleep = false;
            if state.ended {
                return;
            }
        }
        std::thread::sleep(TICK);
        engine.increment_epoch();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.lock().calls -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
    }
}
