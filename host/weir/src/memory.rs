//! The memory of the process.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Called before anything else: a process at rest shall hold what it uses.
///
/// The allocator asks for huge pages, of which each keeps 2 MiB for the few bytes in it that outlive a burst of work: with
/// a thousand units half of what the process held.
pub(crate) fn small_pages() {
    // A kernel that knows nothing of huge pages has nothing to switch off.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Called where a process does one thing and ends: it holds all that it has touched to its end, whatever the size of its
/// pages, and with large ones the kernel has less to do.
pub(crate) fn large_pages() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(false);
}
