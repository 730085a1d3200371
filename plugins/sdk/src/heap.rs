//! The memory of a plugin: an allocator made for instances that live for one call.
//!
//! A general allocator spends its time on giving memory back well. Here all memory goes back when the call ends, so that
//! what is freed only has to serve again. Small blocks come in classes of size, four to each doubling, and a freed one waits
//! in the list of its class. Of large ones there are few: where they were are holes, which are joined, and taken from where
//! one fits best. New blocks are cut from the end of the memory, and the last one grows and shrinks in place.

#![expect(unsafe_code, reason = "an allocator deals in addresses")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr;

/// Every block is a multiple of this, and starts at one.
const GRAIN: usize = 16;
/// Up to here each multiple of [`GRAIN`] is a class.
const SMALL: usize = 128;
const SMALL_CLASSES: usize = SMALL / GRAIN;
/// Four classes for each doubling from [`SMALL`] on to here; what is larger has no class.
const LARGE: usize = 32 << 10;
const CLASSES: usize = SMALL_CLASSES + 4 * 8;
/// Large blocks are multiples of this.
const LARGE_GRAIN: usize = 4096;
/// How many holes are remembered; with more of them the smallest are lost.
const HOLES: usize = 128;
/// Memory is asked for in pieces of at least this.
const PIECE: usize = 1 << 20;
/// From this size on a small block that becomes half as large moves to where it fits.
const WORTH_MOVING: usize = 1024;

/// Where memory comes from.
pub(crate) trait Pages {
    /// At least so many bytes more: the address of the first, and how many there are. Zero bytes if there are none.
    fn more(&mut self, bytes: usize) -> (usize, usize);
}

/// The blocks. All of this is plain data and knows nothing of where it runs.
#[derive(Debug)]
pub(crate) struct Blocks<P> {
    pages: P,
    /// The first freed block of each class; each has the address of the next in its first bytes.
    free: [usize; CLASSES],
    /// Where large blocks were, by address: none touches the next.
    holes: [Hole; HOLES],
    hole_count: usize,
    /// From here to `end` nothing was handed out.
    top: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    start: usize,
    size: usize,
}

/// The class of a size up to [`LARGE`], and how large its blocks are.
const fn class(size: usize) -> Option<(usize, usize)> {
    if size <= SMALL {
        let index = size.saturating_sub(1) / GRAIN;
        return Some((index, (index + 1) * GRAIN));
    }
    let last = size - 1;
    let power = last.ilog2();
    let quarter = last >> (power - 2);
    let index = SMALL_CLASSES + (power as usize - 7) * 4 + (quarter - 4);
    if index >= CLASSES {
        return None;
    }
    Some((index, (quarter + 1) << (power - 2)))
}

impl<P: Pages> Blocks<P> {
    pub(crate) const fn new(pages: P) -> Self {
        Self {
            pages,
            free: [0; CLASSES],
            holes: [Hole { start: 0, size: 0 }; HOLES],
            hole_count: 0,
            top: 0,
            end: 0,
        }
    }

    /// The address of a block, 0 if there is no memory for it.
    ///
    /// # Safety
    /// What `pages` gave belongs to this, and nobody writes into blocks that are freed.
    unsafe fn allocate(&mut self, size: usize, align: usize) -> usize {
        let Some((class, size)) = class(size) else {
            return self.allocate_large(size, align);
        };
        let freed = self.free[class];
        if freed != 0 && freed.is_multiple_of(align) {
            // SAFETY: a freed block is at least `GRAIN` large, and holds what `release` wrote.
            self.free[class] = unsafe { ptr::with_exposed_provenance::<usize>(freed).read() };
            return freed;
        }
        self.cut(size, align.max(GRAIN))
    }

    fn allocate_large(&mut self, size: usize, align: usize) -> usize {
        let Some(size) = size.checked_next_multiple_of(LARGE_GRAIN) else {
            return 0;
        };
        let fits =
            |hole: &(usize, &Hole)| hole.1.size >= size && hole.1.start.is_multiple_of(align);
        let holes = self.holes[..self.hole_count].iter().enumerate();
        match holes.filter(fits).min_by_key(|hole| hole.1.size) {
            Some((at, hole)) => {
                let start = hole.start;
                self.take(at, size);
                start
            }
            None => self.cut(size, align.max(GRAIN)),
        }
    }

    /// Takes so much from the front of a hole.
    fn take(&mut self, at: usize, size: usize) {
        self.holes[at].start += size;
        self.holes[at].size -= size;
        if self.holes[at].size == 0 {
            self.forget(at);
        }
    }

    fn forget(&mut self, at: usize) {
        self.holes.copy_within(at + 1..self.hole_count, at);
        self.hole_count -= 1;
    }

    fn release_large(&mut self, start: usize, size: usize) {
        let mut freed = Hole { start, size };
        let mut at = self.holes[..self.hole_count].partition_point(|hole| hole.start < start);
        if at < self.hole_count && self.holes[at].start == start + size {
            freed.size += self.holes[at].size;
            self.forget(at);
        }
        if at > 0 && self.holes[at - 1].start + self.holes[at - 1].size == start {
            at -= 1;
            freed.start = self.holes[at].start;
            freed.size += self.holes[at].size;
            self.forget(at);
        }
        if freed.start + freed.size == self.top {
            self.top = freed.start;
            return;
        }
        if self.hole_count == HOLES {
            let smallest = (0..HOLES)
                .min_by_key(|at| self.holes[*at].size)
                .unwrap_or(0);
            if self.holes[smallest].size >= freed.size {
                return;
            }
            self.forget(smallest);
            at -= usize::from(smallest < at);
        }
        self.holes.copy_within(at..self.hole_count, at + 1);
        self.holes[at] = freed;
        self.hole_count += 1;
    }

    fn cut(&mut self, size: usize, align: usize) -> usize {
        let start = self.top.next_multiple_of(align);
        if self.top != 0 && start.saturating_add(size) <= self.end {
            self.top = start + size;
            return start;
        }
        let Some(wanted) = size.checked_add(align) else {
            return 0;
        };
        if !self.extend(wanted) {
            return 0;
        }
        let start = self.top.next_multiple_of(align);
        self.top = start + size;
        start
    }

    /// Makes room for so many bytes behind `top`, which moves if the new memory does not follow the old.
    fn extend(&mut self, wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.end - self.top);
        let (mut start, mut length) = self.pages.more(missing.max(PIECE));
        if length == 0 {
            (start, length) = self.pages.more(missing);
        }
        if length != 0 && start != self.end && length < wanted {
            (start, length) = self.pages.more(wanted);
        }
        if length == 0 {
            return false;
        }
        if start != self.end {
            self.top = start;
        }
        self.end = start + length;
        self.end - self.top >= wanted
    }

    /// # Safety
    /// The block is one that `allocate` gave for this size, and is not used any more.
    unsafe fn release(&mut self, block: usize, size: usize) {
        let Some((class, size)) = class(size) else {
            self.release_large(block, size.next_multiple_of(LARGE_GRAIN));
            return;
        };
        if block + size == self.top {
            self.top = block;
            return;
        }
        // SAFETY: the block is at least `GRAIN` large, aligned to it, and nobody's any more.
        unsafe { ptr::with_exposed_provenance_mut::<usize>(block).write(self.free[class]) };
        self.free[class] = block;
    }

    /// Makes a large block smaller, or larger by the hole behind it, where it is.
    fn resize_large(&mut self, block: usize, had: usize, needs: usize) -> bool {
        if needs <= had {
            if needs < had {
                self.release_large(block + needs, had - needs);
            }
            return true;
        }
        let end = block + had;
        let at = self.holes[..self.hole_count].partition_point(|hole| hole.start < end);
        let follows = at < self.hole_count
            && self.holes[at].start == end
            && self.holes[at].size >= needs - had;
        if follows {
            self.take(at, needs - had);
        }
        follows
    }

    /// The address of the block with its content in its new size; 0, and the old one is as it was, if there is no memory.
    ///
    /// # Safety
    /// As for `release`.
    unsafe fn resize(&mut self, block: usize, old: usize, new: usize, align: usize) -> usize {
        let (Some(had), Some(needs)) = (rounded(old), rounded(new)) else {
            return 0;
        };
        if block + had == self.top && block.saturating_add(needs) <= self.end {
            self.top = block + needs;
            return block;
        }
        let stays = match (old > LARGE, new > LARGE) {
            (true, true) => self.resize_large(block, had, needs),
            (false, false) => needs <= had && (had < WORTH_MOVING || needs > had / 2),
            _ => false,
        };
        if stays {
            return block;
        }
        // SAFETY: the new block is another one, and both are as large as what is copied.
        unsafe {
            let moved = self.allocate(new, align);
            if moved != 0 {
                ptr::copy_nonoverlapping(
                    ptr::with_exposed_provenance::<u8>(block),
                    ptr::with_exposed_provenance_mut::<u8>(moved),
                    old.min(new),
                );
                self.release(block, old);
            }
            moved
        }
    }
}

/// How much a block of this size takes.
fn rounded(size: usize) -> Option<usize> {
    match class(size) {
        Some((_, size)) => Some(size),
        None => size.checked_next_multiple_of(LARGE_GRAIN),
    }
}

/// The allocator of a guest, which has one thread.
#[derive(Debug)]
pub(crate) struct Heap<P>(UnsafeCell<Blocks<P>>);

// SAFETY: guests of this contract have one thread.
unsafe impl<P> Sync for Heap<P> {}

impl<P: Pages> Heap<P> {
    #[cfg_attr(
        not(target_arch = "wasm32"),
        expect(dead_code, reason = "of guests only")
    )]
    pub(crate) const fn new(pages: P) -> Self {
        Self(UnsafeCell::new(Blocks::new(pages)))
    }
}

// SAFETY: blocks do not overlap, are as large and aligned as asked for, and stay until they are released: the laws in the
// tests below. None of the functions calls back or unwinds.
unsafe impl<P: Pages> GlobalAlloc for Heap<P> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and no call within another.
        let block = unsafe { (*self.0.get()).allocate(layout.size(), layout.align()) };
        ptr::with_exposed_provenance_mut(block)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above; the caller gives what `alloc` gave.
        unsafe { (*self.0.get()).release(block.expose_provenance(), layout.size()) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, align) = (layout.size(), layout.align());
        // SAFETY: as above.
        let block = unsafe { (*self.0.get()).resize(block.expose_provenance(), old, size, align) };
        ptr::with_exposed_provenance_mut(block)
    }
}

#[cfg(target_arch = "wasm32")]
mod guest {
    use super::{Heap, PIECE, Pages};

    const PAGE: usize = 64 << 10;
    /// In small steps the memory grows to a multiple of so many pages, 2 MiB: a host with large pages gives such a one only
    /// where the memory has all of it.
    const GROWTH: usize = 32;

    /// The memory of the module.
    #[derive(Debug)]
    pub(super) struct Memory;

    impl Pages for Memory {
        fn more(&mut self, bytes: usize) -> (usize, usize) {
            let mut pages = bytes.div_ceil(PAGE);
            if bytes <= PIECE {
                let before = core::arch::wasm32::memory_size(0);
                pages = (before + pages).next_multiple_of(GROWTH) - before;
            }
            match core::arch::wasm32::memory_grow(0, pages) {
                usize::MAX => (0, 0),
                // The last byte of the address space is not handed out: its end has no address.
                before if before + pages > 0xffff => (0, 0),
                before => (before * PAGE, pages * PAGE),
            }
        }
    }

    #[global_allocator]
    static HEAP: Heap<Memory> = Heap::new(Memory);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of a test: pieces of one large vector, with or without gaps.
    struct Arena {
        memory: Vec<u128>,
        used: usize,
        gap: usize,
    }

    impl Arena {
        fn new(bytes: usize, gap: usize) -> Self {
            Self {
                memory: vec![0; bytes / 16],
                used: 0,
                gap,
            }
        }
    }

    impl Pages for Arena {
        fn more(&mut self, bytes: usize) -> (usize, usize) {
            let bytes = bytes.next_multiple_of(16);
            let start = self.used + self.gap;
            if start + bytes > self.memory.len() * 16 {
                return (0, 0);
            }
            self.used = start + bytes;
            (self.memory.as_mut_ptr().expose_provenance() + start, bytes)
        }
    }

    #[test]
    fn classes_hold_their_sizes_and_waste_a_quarter_at_most() {
        let mut before = (0, 16);
        for size in 0..=LARGE {
            let (index, rounded) = class(size).unwrap();
            assert!(rounded >= size && rounded.is_multiple_of(GRAIN), "{size}");
            assert!(size <= SMALL || rounded - size < rounded / 4, "{size}");
            let same = index == before.0 && rounded == before.1;
            let next = index == before.0 + 1 && rounded > before.1;
            assert!(same || next, "{size}");
            before = (index, rounded);
        }
        assert_eq!(before.0, CLASSES - 1);
        assert_eq!((class(LARGE + 1), class(usize::MAX)), (None, None));
    }

    /// Random work, in which each block is filled with a byte of its own that must still be there.
    #[test]
    fn blocks_keep_their_content_and_do_not_overlap() {
        for gap in [0, 4096] {
            let mut blocks = Blocks::new(Arena::new(256 << 20, gap));
            let mut held: Vec<(usize, usize, usize, u8)> = Vec::new();
            let mut random = 0x2545_f491_4f6c_dd1d_u64;
            let mut next = |below: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                usize::try_from((random >> 11) % below).unwrap()
            };
            for step in 0..40_000 {
                let byte = u8::try_from(step % 251).unwrap();
                match next(4) {
                    0 if held.len() > 10 => {
                        let (block, size, _, byte) = held.swap_remove(next(held.len() as u64));
                        check(block, size, byte);
                        unsafe { blocks.release(block, size) };
                    }
                    1 if !held.is_empty() => {
                        let at = next(held.len() as u64);
                        let (block, size, align, byte) = held[at];
                        let most = next(18);
                        let new = 1 + next(1 << most);
                        let moved = unsafe { blocks.resize(block, size, new, align) };
                        assert!(moved != 0 && moved.is_multiple_of(align));
                        check(moved, size.min(new), byte);
                        fill(moved, new, byte);
                        held[at] = (moved, new, align, byte);
                    }
                    _ if held.len() < 1000 => {
                        let most = next(18);
                        let (size, align) = (1 + next(1 << most), 1 << next(8));
                        let block = unsafe { blocks.allocate(size, align) };
                        assert!(block != 0 && block.is_multiple_of(align));
                        fill(block, size, byte);
                        held.push((block, size, align, byte));
                    }
                    _ => {}
                }
            }
            held.iter().for_each(|held| check(held.0, held.1, held.3));
        }
    }

    fn fill(block: usize, size: usize, byte: u8) {
        unsafe { ptr::with_exposed_provenance_mut::<u8>(block).write_bytes(byte, size) };
    }

    fn check(block: usize, size: usize, byte: u8) {
        let content: &[u8] =
            unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance(block), size) };
        assert!(content.iter().all(|found| *found == byte));
    }

    #[test]
    fn what_is_freed_serves_again_and_the_last_block_grows_where_it_is() {
        let mut blocks = Blocks::new(Arena::new(4 << 20, 0));
        unsafe {
            let first = blocks.allocate(100, 8);
            let second = blocks.allocate(200, 8);
            assert_eq!(blocks.resize(second, 200, 100_000, 8), second);
            blocks.release(first, 100);
            assert_eq!(blocks.allocate(112, 8), first);
            blocks.release(second, 100_000);
            assert_eq!(blocks.allocate(50_000, 8), second);
        }
    }

    #[test]
    fn holes_are_joined_and_the_best_is_taken() {
        let mut blocks = Blocks::new(Arena::new(8 << 20, 0));
        unsafe {
            let sizes = [100_000, 200_000, 300_000, 50_000, 400_000, 1000];
            let [first, second, third, _, fifth, _] = sizes.map(|size| blocks.allocate(size, 8));
            for (block, size) in [(second, 200_000), (fifth, 400_000), (third, 300_000)] {
                blocks.release(block, size);
            }
            assert_eq!(blocks.hole_count, 2);
            assert_eq!(blocks.allocate(390_000, 8), fifth);
            assert_eq!(blocks.resize(first, 100_000, 250_000, 8), first);
            assert_eq!(blocks.resize(first, 250_000, 90_000, 8), first);
            assert_eq!(
                blocks.allocate(450_000, 8),
                first + 90_000_usize.next_multiple_of(4096)
            );
        }
    }

    /// As a text that doubles until it is too long: of what was left behind nothing is lost.
    #[test]
    fn what_grows_by_moving_needs_little_more_than_itself() {
        let mut blocks = Blocks::new(Arena::new(64 << 20, 0));
        unsafe {
            let mut text = (blocks.allocate(64 << 10, 1), 64 << 10);
            for _ in 0..400 {
                let doubled = if text.1 >= 8 << 20 {
                    64 << 10
                } else {
                    text.1 * 2
                };
                let copy = blocks.allocate(doubled, 1);
                assert_ne!(copy, 0);
                blocks.release(text.0, text.1);
                text = (copy, doubled);
            }
        }
    }

    #[test]
    fn without_memory_there_is_no_block_and_nothing_is_lost() {
        let mut blocks = Blocks::new(Arena::new(2 << 20, 0));
        unsafe {
            let block = blocks.allocate(1 << 20, 8);
            fill(block, 1 << 20, 7);
            assert_eq!(blocks.allocate(3 << 20, 8), 0);
            assert_eq!(blocks.resize(block, 1 << 20, 3 << 20, 8), 0);
            assert_eq!(blocks.allocate(usize::MAX / 2, 8), 0);
            check(block, 1 << 20, 7);
            assert_ne!(blocks.allocate(1000, 8), 0);
        }
    }
}
