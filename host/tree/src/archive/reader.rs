//! Decompression and the tar format, with every length bounded before it is believed.

use std::io::{self, BufRead, BufReader, Read};

use tar::{Header, PaxExtensions};

use crate::path::shown;
use crate::{Digest, EntryKind, TreeError, TreePath};

use super::ArchiveLimits;
use super::index::{Index, IndexBuilder, Node};

const BLOCK: usize = 512;
/// The most bytes of an extended header: a name, a link's target, and what else tools write there.
const MAX_EXTENSION: u64 = 1 << 20;
/// The longest target of a symbolic link.
const MAX_TARGET: usize = 4096;

pub(super) fn read(
    stream: impl Read,
    limits: ArchiveLimits,
    as_flux: bool,
) -> Result<(Index, Vec<u8>), TreeError> {
    let mut stream = BufReader::with_capacity(
        64 << 10,
        Limited::new(stream, limits.compressed, "compressed"),
    );
    let magic = stream.fill_buf().map_err(unreadable)?;
    if magic.is_empty() {
        return Err(TreeError::Archive("it is empty".to_owned()));
    }
    if magic.starts_with(&[0x1f, 0x8b]) {
        Reader::new(
            flate2::bufread::MultiGzDecoder::new(stream),
            limits,
            as_flux,
        )
        .read()
    } else if magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(stream).map_err(unreadable)?;
        Reader::new(decoder, limits, as_flux).read()
    } else {
        Reader::new(stream, limits, as_flux).read()
    }
}

struct Reader<R> {
    stream: Limited<R>,
    limits: ArchiveLimits,
    index: IndexBuilder,
    content: Vec<u8>,
    /// What extended headers said about the entry that follows them.
    next: Extensions,
    /// Links are left out, and names with a backslash refused.
    as_flux: bool,
}

#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

impl<R: Read> Reader<R> {
    fn new(stream: R, limits: ArchiveLimits, as_flux: bool) -> Self {
        Self {
            stream: Limited::new(stream, limits.unpacked, "unpacked"),
            limits,
            index: IndexBuilder::new(limits.entries),
            content: Vec::new(),
            next: Extensions::default(),
            as_flux,
        }
    }

    fn read(mut self) -> Result<(Index, Vec<u8>), TreeError> {
        let mut block = [0; BLOCK];
        while self.read_block(&mut block)? {
            self.read_entry(Header::from_byte_slice(&block))?;
        }
        // What follows the end mark is padding; reading it lets the decompressor check its sums.
        io::copy(&mut self.stream, &mut io::sink()).map_err(unreadable)?;
        self.content.shrink_to_fit();
        Ok((self.index.finish(), self.content))
    }

    /// `false`: the end mark, or the end of the stream at a border between entries.
    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, TreeError> {
        let mut filled = 0;
        while filled < BLOCK {
            match self.stream.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => {
                    return Err(TreeError::Archive(
                        "it ends in the middle of a header".to_owned(),
                    ));
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
        Ok(block.iter().any(|&byte| byte != 0))
    }

    fn read_entry(&mut self, header: &Header) -> Result<(), TreeError> {
        check_sum(header)?;
        let size = header.entry_size().map_err(unreadable)?;
        match header.entry_type().as_byte() {
            b'x' => self.read_pax(size),
            // For all entries that follow: time stamps and comments, as `git archive` writes them.
            b'g' => self.skip(size),
            b'L' => {
                self.next.path = Some(self.read_extension(size)?);
                Ok(())
            }
            b'K' => {
                self.next.target = Some(self.read_extension(size)?);
                Ok(())
            }
            // The name of the volume.
            b'V' => self.skip(size),
            kind => {
                let next = std::mem::take(&mut self.next);
                let name = next
                    .path
                    .clone()
                    .unwrap_or_else(|| header.path_bytes().into_owned());
                self.read_named(header, kind, &name, next)
                    .map_err(|reason| match reason {
                        Refusal::Entry(reason) => {
                            let name = shown(&String::from_utf8_lossy(&name));
                            TreeError::Archive(format!("the entry {name:?} {reason}"))
                        }
                        Refusal::Whole(error) => error,
                    })
            }
        }
    }

    fn read_named(
        &mut self,
        header: &Header,
        kind: u8,
        name: &[u8],
        next: Extensions,
    ) -> Result<(), Refusal> {
        let path = entry_path(name)?;
        if self.as_flux && name.contains(&b'\\') {
            return Err("has a \\ in its name".to_owned().into());
        }
        let size = match next.size {
            Some(size) => size,
            None => header.entry_size().map_err(unreadable)?,
        };
        match kind {
            b'0' | b'7' | 0 if name.ends_with(b"/") => {
                if size != 0 {
                    return Err("is a file, but its name ends in /".to_owned().into());
                }
                Ok(self.index.directory(&path)?)
            }
            b'0' | b'7' | 0 => {
                let executable = header.mode().unwrap_or(0) & 0o111 != 0;
                let kind = if executable {
                    EntryKind::Executable
                } else {
                    EntryKind::File
                };
                self.read_file(&path, kind, size)
            }
            b'5' => Ok(self.index.directory(&path)?),
            b'2' if self.as_flux => Ok(()),
            b'2' => {
                let target = link_target(header, next)?;
                let file = self.keep(EntryKind::Link, &target);
                Ok(self.index.file(&path, file)?)
            }
            b'1' => {
                let target = link_target(header, next)?;
                let shown_target = shown(&String::from_utf8_lossy(&target));
                let linked = entry_path(&target)
                    .ok()
                    .and_then(|target| self.index.linked(&target));
                let file = linked.ok_or_else(|| {
                    format!(
                        "is a hard link to {shown_target:?}, which is no file that came before it"
                    )
                })?;
                Ok(self.index.file(&path, file)?)
            }
            b'3' | b'4' => Err("is a device".to_owned().into()),
            b'6' => Err("is a FIFO".to_owned().into()),
            b'S' => Err("is a sparse file; pack it without --sparse"
                .to_owned()
                .into()),
            b'M' => Err("is continued from another volume".to_owned().into()),
            other => Err(format!("is of the unknown kind {:?}", char::from(other)).into()),
        }
    }

    fn read_file(&mut self, path: &TreePath, kind: EntryKind, size: u64) -> Result<(), Refusal> {
        if size > self.limits.file {
            let (path, limit) = (path.clone(), self.limits.file);
            return Err(Refusal::Whole(TreeError::TooLarge { path, size, limit }));
        }
        let start = self.content.len();
        let got = (&mut self.stream)
            .take(size)
            .read_to_end(&mut self.content)
            .map_err(unreadable)?;
        if got as u64 != size {
            return Err(
                format!("should have {size} bytes, but the archive ends after {got}").into(),
            );
        }
        self.skip_padding(size)?;
        let range = start..self.content.len();
        let digest = Digest::of(&self.content[range.clone()]);
        Ok(self.index.file(
            path,
            Node::File {
                kind,
                range,
                digest,
            },
        )?)
    }

    fn keep(&mut self, kind: EntryKind, bytes: &[u8]) -> Node {
        let start = self.content.len();
        self.content.extend_from_slice(bytes);
        Node::File {
            kind,
            range: start..self.content.len(),
            digest: Digest::of(bytes),
        }
    }

    fn read_pax(&mut self, size: u64) -> Result<(), TreeError> {
        let bytes = self.read_body(size)?;
        for record in PaxExtensions::new(&bytes) {
            let record = record.map_err(unreadable)?;
            let key = record
                .key()
                .map_err(|_| TreeError::Archive("an extended header has no names".to_owned()))?;
            match key {
                "path" => self.next.path = Some(record.value_bytes().to_vec()),
                "linkpath" => self.next.target = Some(record.value_bytes().to_vec()),
                "size" => {
                    let size = record.value().ok().and_then(|text| text.parse().ok());
                    let reason = || {
                        TreeError::Archive(
                            "an extended header gives a size that is no number".to_owned(),
                        )
                    };
                    self.next.size = Some(size.ok_or_else(reason)?);
                }
                _ if key.starts_with("GNU.sparse.") => {
                    return Err(TreeError::Archive(
                        "it holds a sparse file; pack it without --sparse".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The name in the body of a GNU extension.
    fn read_extension(&mut self, size: u64) -> Result<Vec<u8>, TreeError> {
        let mut bytes = self.read_body(size)?;
        let end = bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(bytes.len());
        bytes.truncate(end);
        Ok(bytes)
    }

    fn read_body(&mut self, size: u64) -> Result<Vec<u8>, TreeError> {
        if size > MAX_EXTENSION {
            let reason =
                format!("an extended header has {size} bytes, over the limit of {MAX_EXTENSION}");
            return Err(TreeError::Archive(reason));
        }
        let mut bytes = Vec::new();
        (&mut self.stream)
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 != size {
            return Err(TreeError::Archive(
                "it ends in the middle of an extended header".to_owned(),
            ));
        }
        self.skip_padding(size)?;
        Ok(bytes)
    }

    fn skip(&mut self, size: u64) -> Result<(), TreeError> {
        let skipped =
            io::copy(&mut (&mut self.stream).take(size), &mut io::sink()).map_err(unreadable)?;
        if skipped != size {
            return Err(TreeError::Archive(
                "it ends in the middle of an entry".to_owned(),
            ));
        }
        self.skip_padding(size)
    }

    /// Contents are filled up to whole blocks; the last ones of a stream need not be.
    fn skip_padding(&mut self, size: u64) -> Result<(), TreeError> {
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        io::copy(&mut (&mut self.stream).take(padding), &mut io::sink()).map_err(unreadable)?;
        Ok(())
    }
}

/// Why an entry is not taken: a reason that goes with its name, or an error that says all by itself.
enum Refusal {
    Entry(String),
    Whole(TreeError),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Entry(reason)
    }
}

impl From<TreeError> for Refusal {
    fn from(error: TreeError) -> Self {
        Self::Whole(error)
    }
}

fn check_sum(header: &Header) -> Result<(), TreeError> {
    let bytes = header.as_bytes();
    let blank = 8 * u32::from(b' ');
    let sum: u32 = bytes[..148]
        .iter()
        .chain(&bytes[156..])
        .map(|&byte| u32::from(byte))
        .sum();
    if header.cksum().ok() != Some(sum + blank) {
        return Err(TreeError::Archive(
            "it is damaged or not a tar archive: a header's checksum is wrong".to_owned(),
        ));
    }
    Ok(())
}

fn entry_path(name: &[u8]) -> Result<TreePath, String> {
    let name = std::str::from_utf8(name).map_err(|_| "has a name that is not UTF-8".to_owned())?;
    if name.is_empty() {
        return Err("has no name".to_owned());
    }
    if name.split('/').any(|part| part == "..") {
        return Err("has .. in its name".to_owned());
    }
    TreePath::root()
        .join(name)
        .map_err(|error| format!("has a name that cannot be used: {error}"))
}

fn link_target(header: &Header, next: Extensions) -> Result<Vec<u8>, String> {
    let target = next
        .target
        .or_else(|| header.link_name_bytes().map(|bytes| bytes.into_owned()));
    let target = target
        .filter(|bytes| !bytes.is_empty())
        .ok_or("is a link without a target")?;
    if target.len() > MAX_TARGET {
        return Err(format!("is a link whose target has {} bytes", target.len()));
    }
    Ok(target)
}

fn unreadable(error: io::Error) -> TreeError {
    TreeError::Archive(error.to_string())
}

/// Passes bytes on until they are more than allowed.
struct Limited<R> {
    inner: R,
    left: u64,
    limit: u64,
    what: &'static str,
}

impl<R> Limited<R> {
    fn new(inner: R, limit: u64, what: &'static str) -> Self {
        Self {
            inner,
            left: limit,
            limit,
            what,
        }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(io::Error::other(format!(
                "it has more than {} bytes {}",
                self.limit, self.what
            ))),
        }
    }
}
