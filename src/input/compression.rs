//! Compressed streams: told by their first bytes, read through one guard that stops bombs.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use super::{Problem, RejectReason};

/// How the bytes of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// None.
    Plain,
    /// RFC 1952, one member or many.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// One stream or many.
    Bzip2,
}

/// Output before the ratio is looked at: what a bomb may cost, and more than any header or first block needs.
const RATIO_FROM_BYTES: u64 = 64 << 20;

impl Compression {
    /// Tells the compression by the magic numbers of RFC 1952, RFC 8878 (also its skippable frames) and bzip2.
    pub fn of(head: &[u8]) -> Compression {
        match head {
            [0x1f, 0x8b, 8, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Compression::Bzip2,
            _ => Compression::Plain,
        }
    }

    /// File name endings, which are no format's.
    pub(crate) fn is_ending(extension: &str) -> bool {
        matches!(extension, "gz" | "gzip" | "zst" | "zstd" | "bz2" | "bzip2")
    }

    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Compression::Plain => "plain",
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
            Compression::Bzip2 => "bzip2",
        }
    }

    /// The decompressed stream, all members or frames one after the other. Reading fails with a bomb's error once more
    /// than `max_ratio` times the input came out (after the first 64 MB). Windows of zstd are held to its default of
    /// 128 MB.
    pub(crate) fn stream(self, packed: Box<dyn Read>, max_ratio: u64) -> io::Result<Box<dyn Read>> {
        if self == Compression::Plain {
            return Ok(packed);
        }
        let taken = Rc::new(Cell::new(0));
        let counted = BufReader::with_capacity(
            128 << 10,
            Counted {
                inner: packed,
                taken: taken.clone(),
            },
        );
        let inner: Box<dyn Read> = match self {
            Compression::Plain => Box::new(counted),
            Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
            Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(counted)?),
            Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
        };
        Ok(Box::new(Guarded {
            inner,
            taken,
            given: 0,
            max_ratio,
        }))
    }

    /// The first `limit` decompressed bytes of what `head` holds; fewer if it ends or breaks before.
    pub(crate) fn prefix(self, head: &[u8], limit: usize) -> Vec<u8> {
        if self == Compression::Plain {
            return head[..head.len().min(limit)].to_vec();
        }
        let mut out = Vec::new();
        // An error only means that the sample ends here; the reader will meet it again and report it.
        if let Ok(stream) = self.stream(Box::new(io::Cursor::new(head.to_vec())), u64::MAX) {
            let mut stream = stream.take(limit as u64);
            let mut block = [0; 16 << 10];
            while let Ok(len @ 1..) = stream.read(&mut block) {
                out.extend_from_slice(&block[..len]);
            }
        }
        out
    }
}

/// Counts the bytes taken from the packed stream.
struct Counted {
    inner: Box<dyn Read>,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.taken.set(self.taken.get() + len as u64);
        Ok(len)
    }
}

/// Stops a stream that gives far more than it takes.
struct Guarded {
    inner: Box<dyn Read>,
    taken: Rc<Cell<u64>>,
    given: u64,
    max_ratio: u64,
}

#[derive(Debug)]
struct BombError(u64);

impl std::fmt::Display for BombError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "decompresses to more than {} times its size", self.0)
    }
}

impl std::error::Error for BombError {}

impl Read for Guarded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.given += len as u64;
        if self.given > RATIO_FROM_BYTES && self.given / self.max_ratio.max(1) > self.taken.get() {
            return Err(io::Error::other(BombError(self.max_ratio)));
        }
        Ok(len)
    }
}

/// What an error of reading says about the input.
pub(crate) fn problem_of(error: &io::Error, compression: Compression) -> Problem {
    if error.get_ref().is_some_and(|inner| inner.is::<BombError>()) {
        return Problem::new(RejectReason::Bomb, error.to_string());
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => RejectReason::Truncated,
        _ if compression == Compression::Plain => RejectReason::Unreadable,
        // Errors with a number come from the operating system, not from the decoder.
        _ if error.raw_os_error().is_some() => RejectReason::Unreadable,
        _ => RejectReason::BadCompression,
    };
    Problem::new(reason, error.to_string())
}
