//! One opened piece of input: its compression, format and encoding are told from its first bytes, then it is read once.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::compression::problem_of;
use super::fields::Layout;
use super::{Compression, FORMATS, Format, InputFile, Piece, Problem, ReadOptions, RejectReason};

/// Packed bytes looked at: bzip2 gives nothing before its first block of up to 900 kB is whole.
const PACKED_HEAD_BYTES: usize = 1 << 20;
/// Decompressed bytes by which a format is told.
const HEAD_BYTES: usize = 64 << 10;
/// Decompressed bytes from which a file's habits (order of day and month, columns) are learned.
const SAMPLE_BYTES: usize = 4 << 20;

/// A piece that is open and whose format is known.
pub(crate) struct Source {
    /// What is read.
    pub piece: Piece,
    /// How its records are told.
    pub format: &'static Format,
    /// How it is packed.
    pub compression: Compression,
    /// The first bytes of the file (not of the range), decompressed and in UTF-8 if a byte order mark named UTF-16.
    pub head: Vec<u8>,
    /// What is known so far; a reader that knows more hands the emitter its own.
    pub layout: Arc<Layout>,
    packed_head: Vec<u8>,
    utf16: Option<&'static encoding_rs::Encoding>,
    mark_bytes: u64,
    packed: Option<Box<dyn Read>>,
    max_ratio: u64,
}

impl Source {
    /// Opens a piece. Fails on what is no regular file, cannot be read, is empty or is of no known format.
    pub(crate) fn open(
        piece: &Piece,
        format: Option<&'static Format>,
        options: &ReadOptions,
    ) -> Result<Source, Problem> {
        let (packed_head, packed) =
            open_packed(piece).map_err(|error| Problem::new(RejectReason::Unreadable, error.to_string()))?;
        if packed_head.is_empty() {
            return Err(Problem::new(RejectReason::UnknownFormat, "the file is empty"));
        }
        let compression = Compression::of(&packed_head);
        let mut head = compression.prefix(&packed_head, HEAD_BYTES);
        let utf16 = match head.as_slice() {
            [0xff, 0xfe, ..] => Some(encoding_rs::UTF_16LE),
            [0xfe, 0xff, ..] => Some(encoding_rs::UTF_16BE),
            _ => None,
        };
        if let Some(encoding) = utf16 {
            head = encoding.decode(&head).0.into_owned().into_bytes();
        }
        let marked = head.starts_with(b"\xef\xbb\xbf");
        if marked {
            head.drain(..3);
        }
        let format = match format {
            Some(format) => format,
            None => detect(&head, &extension(&piece.file.path)).ok_or_else(|| unknown(&head, compression))?,
        };
        let layout = Layout {
            names: options.fields.clone(),
            max_record_bytes: options.max_record_bytes,
            ..Layout::default()
        };
        Ok(Source {
            piece: piece.clone(),
            format,
            compression,
            head,
            layout: Arc::new(layout),
            packed_head,
            utf16,
            mark_bytes: if marked && utf16.is_none() { 3 } else { 0 },
            packed: Some(packed),
            max_ratio: options.max_ratio,
        })
    }

    /// The bytes of the piece as they lie on disk, from its start. May be taken once.
    pub(crate) fn packed(&mut self) -> Box<dyn Read> {
        self.packed.take().unwrap_or_else(|| Box::new(io::empty()))
    }

    /// The decompressed bytes of the piece, without a byte order mark, in UTF-8 if they were UTF-16. May be taken once.
    pub(crate) fn stream(&mut self) -> io::Result<Box<dyn Read>> {
        let stream = self.compression.stream(self.packed(), self.max_ratio)?;
        match self.utf16 {
            Some(encoding) => Ok(Box::new(Transcoded::new(stream, encoding))),
            None if self.starts_file() => strip_mark(stream),
            None => Ok(stream),
        }
    }

    /// Whether UTF-16 was made UTF-8.
    pub(crate) fn is_transcoded(&self) -> bool {
        self.utf16.is_some()
    }

    /// The whole decompressed piece, if it is not longer than `limit`.
    pub(crate) fn read_whole(&mut self, limit: usize) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let compression = self.compression;
        let stream = self.stream().map_err(|error| problem_of(&error, compression))?;
        stream
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| problem_of(&error, compression))?;
        if bytes.len() > limit {
            return Err(Problem::oversize(limit));
        }
        Ok(bytes)
    }

    /// A longer part of the file's start than `head`, for learning its habits.
    pub(crate) fn sample(&self) -> Vec<u8> {
        let mut sample = self.compression.prefix(&self.packed_head, SAMPLE_BYTES);
        if let Some(encoding) = self.utf16 {
            sample = encoding.decode(&sample).0.into_owned().into_bytes();
        }
        if sample.starts_with(b"\xef\xbb\xbf") {
            sample.drain(..3);
        }
        sample
    }

    /// The first bytes of the file as they lie on disk.
    pub(crate) fn packed_head(&self) -> &[u8] {
        &self.packed_head
    }

    /// The decompressed bytes of the piece, made UTF-8 from an encoding; what is not valid becomes U+FFFD.
    pub(crate) fn stream_as_utf8(
        &mut self,
        encoding: &'static encoding_rs::Encoding,
    ) -> io::Result<Box<dyn Read>> {
        let stream = self.stream()?;
        let encoding = if self.utf16.is_some() {
            encoding_rs::UTF_8
        } else {
            encoding
        };
        Ok(Box::new(Transcoded::new(stream, encoding)))
    }

    /// Offset of the first byte that `stream` gives: where the range starts, or what follows a byte order mark.
    pub(crate) fn start(&self) -> u64 {
        self.piece
            .range
            .map_or(0, |cut| cut.start)
            .max(if self.starts_file() { self.mark_bytes } else { 0 })
    }

    /// Whether the piece begins where the file begins.
    pub(crate) fn starts_file(&self) -> bool {
        self.piece.range.is_none_or(|cut| cut.start == 0)
    }

    /// The problem that an error of reading this source is.
    pub(crate) fn problem_of(&self, error: &io::Error) -> Problem {
        problem_of(error, self.compression)
    }
}

/// The first format that recognizes the bytes.
fn detect(head: &[u8], extension: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognizes)(head, extension))
}

fn unknown(head: &[u8], compression: Compression) -> Problem {
    if head.is_empty() && compression != Compression::Plain {
        return Problem::new(RejectReason::BadCompression, "nothing could be decompressed");
    }
    Problem::new(
        RejectReason::UnknownFormat,
        "neither its bytes nor its name are of a format that is read",
    )
}

/// The ending of a file's name that tells its format: `jsonl` of `news.jsonl.gz`; empty if there is none.
pub(crate) fn extension(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let mut endings = name.rsplit('.');
    let last = endings.next().unwrap_or("");
    let ending = if Compression::is_ending(last) {
        endings.next().unwrap_or("")
    } else {
        last
    };
    if ending.len() == name.len() {
        String::new()
    } else {
        ending.to_string()
    }
}

/// Opens a file that was found, refusing what would block or is no file.
pub(crate) fn open_file(file: &InputFile) -> io::Result<File> {
    if !std::fs::metadata(&file.path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(&file.path)
}

/// The first packed bytes of the file and a reader of the piece from its start.
fn open_packed(piece: &Piece) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::new();
    if piece.file.is_stdin() {
        io::stdin()
            .lock()
            .take(PACKED_HEAD_BYTES as u64)
            .read_to_end(&mut head)?;
        let packed = Cursor::new(head.clone()).chain(io::stdin().lock());
        return Ok((head, Box::new(packed)));
    }
    let mut file = open_file(&piece.file)?;
    (&mut file)
        .take(PACKED_HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    match piece.range {
        Some(cut) if cut.start > 0 => {
            file.seek(SeekFrom::Start(cut.start))?;
            Ok((head, Box::new(file)))
        }
        _ => Ok((head.clone(), Box::new(Cursor::new(head).chain(file)))),
    }
}

/// Drops a UTF-8 byte order mark.
fn strip_mark(mut stream: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut start = Vec::new();
    (&mut stream).take(3).read_to_end(&mut start)?;
    if start == b"\xef\xbb\xbf" {
        start.clear();
    }
    Ok(Box::new(Cursor::new(start).chain(stream)))
}

/// UTF-16 read as UTF-8; what is not valid becomes U+FFFD.
struct Transcoded {
    inner: Box<dyn Read>,
    decoder: encoding_rs::Decoder,
    packed: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl Transcoded {
    fn new(inner: Box<dyn Read>, encoding: &'static encoding_rs::Encoding) -> Transcoded {
        Transcoded {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            packed: vec![0; 64 << 10],
            ready: Vec::new(),
            taken: 0,
            ended: false,
        }
    }
}

impl Read for Transcoded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.ended {
            let len = self.inner.read(&mut self.packed)?;
            self.ended = len == 0;
            let room = self.decoder.max_utf8_buffer_length(len).unwrap_or(4 * len + 16);
            self.ready.resize(room, 0);
            let (_, _, written, _) =
                self.decoder
                    .decode_to_utf8(&self.packed[..len], &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.taken = 0;
        }
        let len = buf.len().min(self.ready.len() - self.taken);
        buf[..len].copy_from_slice(&self.ready[self.taken..self.taken + len]);
        self.taken += len;
        Ok(len)
    }
}
