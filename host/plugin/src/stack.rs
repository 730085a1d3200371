//! Stacks for guests: a chart may include templates a thousand deep, and each level is a few calls of the guest.
//!
//! A guest runs on the stack of the thread that calls it, so that the thread must have as much as the engine grants, or
//! the process would die instead of the guest. A thread whose stack is not known gets no guest: the call then goes to a
//! thread that is started for it, which costs some 20 µs.

use std::cell::Cell;
use std::{io, thread};

use crate::Limits;

/// What a thread needs: a guest's stack, and that of the host around it.
#[expect(clippy::cast_possible_truncation, reason = "8 MiB fit")]
pub const THREAD_STACK: usize = Limits::CEILING.stack_bytes as usize + (4 << 20);

thread_local! {
    static KNOWN: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread was started with [`THREAD_STACK`] bytes of stack: guests may run on it.
pub fn guests_may_run_here() {
    KNOWN.set(true);
}

/// Which stack a guest gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stack {
    /// This thread's, if it is known to be large enough.
    Shared,
    /// That of a new thread: on this one a guest runs already.
    Own,
}

/// Runs a guest with enough stack. An error says that no thread can be started.
pub(crate) fn run<T: Send>(stack: Stack, guest: impl FnOnce() -> T + Send) -> io::Result<T> {
    if stack == Stack::Shared && KNOWN.get() {
        return Ok(guest());
    }
    thread::scope(|scope| {
        let builder = thread::Builder::new().name("plugin-call".to_owned());
        let running = builder
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, guest)?;
        Ok(running
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
