//! A gzip stream whose parts know nothing of each other, so that they can be taken from another stream.

use std::io::{self, Write};

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

/// No name, no time; quickly made; made on no particular system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff];
/// The most that is compressed at once.
const CHUNK: usize = 64 << 10;
/// Room for what a chunk and what waits from before can become. It is never used up: where a compressor stops for want of
/// room can show in what it gives, and the same content has to give the same bytes.
const ROOM: usize = 4 * CHUNK;

/// Compresses what is written to it.
pub(super) struct Deflate {
    out: Vec<u8>,
    state: Compress,
    /// Of the parts that have ended.
    whole: Hasher,
    length: u64,
    /// Of the one under way.
    part: Hasher,
    part_length: u64,
}

/// What a stream's end says of the bytes that went into a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    sum: u32,
    length: u64,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self {
            out: HEADER.into(),
            // Speed counts: it is packed at each new revision, and read once or twice.
            state: Compress::new(Compression::fast(), false),
            whole: Hasher::new(),
            length: 0,
            part: Hasher::new(),
            part_length: 0,
        }
    }

    /// The bytes so far.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// Ends the part at a whole byte; what follows does not refer to it.
    pub(super) fn end_part(&mut self) -> io::Result<Checked> {
        self.run(&[], FlushCompress::Sync)?;
        self.state.reset();
        Ok(self.close_part())
    }

    /// Adds a part of another stream.
    pub(super) fn take(&mut self, bytes: &[u8], checked: Checked) {
        self.out.extend_from_slice(bytes);
        self.count(checked);
    }

    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.run(&[], FlushCompress::Finish)?;
        self.close_part();
        self.out.extend(self.whole.finalize().to_le_bytes());
        // Modulo 2³², as the format has it.
        self.out.extend(&self.length.to_le_bytes()[..4]);
        Ok(self.out)
    }

    /// Counts what went into the part under way, and begins another.
    fn close_part(&mut self) -> Checked {
        let checked = Checked {
            sum: std::mem::take(&mut self.part).finalize(),
            length: std::mem::take(&mut self.part_length),
        };
        self.count(checked);
        checked
    }

    fn count(&mut self, part: Checked) {
        let sum = Hasher::new_with_initial_len(part.sum, part.length);
        self.whole.combine(&sum);
        self.length += part.length;
    }

    /// Takes all of `input`, and gives out what `flush` asks for.
    fn run(&mut self, mut input: &[u8], flush: FlushCompress) -> io::Result<()> {
        loop {
            self.out.reserve(ROOM);
            let chunk = &input[..input.len().min(CHUNK)];
            let before = self.state.total_in();
            let status = self.state.compress_vec(chunk, &mut self.out, flush)?;
            let taken = usize::try_from(self.state.total_in() - before).unwrap_or(usize::MAX);
            input = input.get(taken..).unwrap_or_default();
            let full = self.out.len() == self.out.capacity();
            if status == Status::StreamEnd || (input.is_empty() && !full) {
                return Ok(());
            }
        }
    }
}

impl Write for Deflate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.run(bytes, FlushCompress::None)?;
        self.part.update(bytes);
        self.part_length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
