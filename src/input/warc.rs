//! WARC and WET archives (ISO 28500): pages as they were crawled, or the text taken out of them.
//!
//! In gzip with one member per record each member is inflated at once into one reused buffer, whose size is also the
//! bomb cap; what cannot be inflated costs that record only. Such a record's number is how many members that begin with
//! a record begin before it in the file, which is told without inflating them, so that it is the same however the file
//! is cut. Other files are read as a stream of records.

use std::io::{self, Read};
use std::ops::ControlFlow;

use memchr::memmem;

use super::emit::Slice;
use super::fields::{Fields, Layout};
use super::jsonl::{Cuts, read_some};
use super::source::{Source, open_file};
use super::{Compression, Content, Cut, Emitter, Format, InputFile, Problem, Raw, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "warc",
    extensions: &["warc", "wet"],
    recognizes,
    read,
    cut: Some(cut),
};

fn recognizes(head: &[u8], extension: &str) -> bool {
    head.starts_with(b"WARC/")
        || FORMAT.extensions.contains(&extension) && memmem::find(head, b"\nWARC/1.").is_some()
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    if source.compression == Compression::Gzip && has_member_per_record(source.packed_head()) {
        return read_members(source, out);
    }
    let stream = match source.stream() {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let range = source.piece.range;
    let end = range.map_or(u64::MAX, |cut| cut.end);
    let mut records = Records::new(stream, source.start(), out.options.max_record_bytes);
    let mut record = range.map_or(0, |cut| cut.first_record);
    loop {
        if let Err(error) = records.skip_space() {
            return out.fault(
                source.problem_of(&error),
                Some(record),
                Some(records.offset as i64),
                0,
            );
        }
        let before = records.offset;
        if before >= end {
            return ControlFlow::Continue(());
        }
        match records.next() {
            Ok(Found::Record { offset, bytes }) => hand_on(out, record, offset, bytes)?,
            Ok(Found::TooLong { offset, len }) => {
                let problem = Problem::oversize(out.options.max_record_bytes);
                out.fault(problem, Some(record), Some(offset as i64), len)?;
            }
            Ok(Found::Junk { offset, len }) => {
                let problem =
                    Problem::new(RejectReason::BadRecord, format!("{len} bytes are no WARC record"));
                out.fault(problem, Some(record), Some(offset as i64), len)?;
            }
            Ok(Found::Truncated { offset }) => {
                let problem = Problem::new(RejectReason::Truncated, "the file ends inside the record");
                return out.fault(problem, Some(record), Some(offset as i64), 0);
            }
            Ok(Found::End) => return ControlFlow::Continue(()),
            Err(error) => return out.fault(source.problem_of(&error), Some(record), Some(before as i64), 0),
        }
        record += 1;
    }
}

/// Hands on a whole record if it may hold an article. The archive's own records (about the file, requests, metadata,
/// revisits) are passed over; responses that are no page are faults.
fn hand_on(out: &mut Emitter, record: i64, offset: u64, bytes: &[u8]) -> ControlFlow<()> {
    let Some((head, body)) = split_head(bytes) else {
        let problem = Problem::new(
            RejectReason::BadRecord,
            "a WARC record without an end of its headers",
        );
        return out.fault(problem, Some(record), Some(offset as i64), bytes.len() as u64);
    };
    let problem = match Kind::of(head) {
        Kind::Response => not_a_page(body),
        Kind::Conversion => None,
        Kind::Aside => {
            out.skip(bytes.len() as u64);
            return ControlFlow::Continue(());
        }
    };
    match problem {
        Some(problem) => out.fault(problem, Some(record), Some(offset as i64), bytes.len() as u64),
        None => out.slice(parse, record, Some(offset as i64), bytes),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Response,
    Conversion,
    Aside,
}

impl Kind {
    fn of(head: &[u8]) -> Kind {
        match header(head, "WARC-Type") {
            Some(kind) if kind.eq_ignore_ascii_case(b"response") => Kind::Response,
            Some(kind) if kind.eq_ignore_ascii_case(b"conversion") => Kind::Conversion,
            _ => Kind::Aside,
        }
    }
}

/// Why a response is no page: its status, or a media type that is neither HTML nor text.
fn not_a_page(http: &[u8]) -> Option<Problem> {
    let no = |detail: String| Some(Problem::new(RejectReason::NotAnArticle, detail));
    if !http.starts_with(b"HTTP/") {
        return no("the response is not HTTP".to_string());
    }
    let Some((head, body)) = split_head(http) else {
        return no("the response has no body".to_string());
    };
    let status = head.split(|b| *b == b' ').nth(1).unwrap_or_default();
    let status = &status[..status.len().min(3)];
    if status != b"200" {
        return no(format!("status {}", String::from_utf8_lossy(status)));
    }
    if body.trim_ascii().is_empty() {
        return no("the response has no body".to_string());
    }
    match media_type(head) {
        Media::Html | Media::Plain => None,
        Media::Unknown if body.trim_ascii_start().starts_with(b"<") => None,
        Media::Unknown => no("a response without a media type".to_string()),
        Media::Other(media) => no(format!("media type {media}")),
    }
}

enum Media {
    Html,
    Plain,
    Unknown,
    Other(String),
}

fn media_type(http_head: &[u8]) -> Media {
    let Some(value) = header(http_head, "Content-Type") else {
        return Media::Unknown;
    };
    let value = value
        .split(|b| *b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    if value.eq_ignore_ascii_case(b"text/html") || value.eq_ignore_ascii_case(b"application/xhtml+xml") {
        Media::Html
    } else if value.eq_ignore_ascii_case(b"text/plain") {
        Media::Plain
    } else if value.is_empty() {
        Media::Unknown
    } else {
        Media::Other(String::from_utf8_lossy(&value[..value.len().min(80)]).into_owned())
    }
}

/// The header block, and what follows the blank line after it.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Heads are a few hundred bytes; those of hostile servers are cut off.
    let window = &bytes[..bytes.len().min(HEAD_BYTES_MAX)];
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', &window[at..]) {
        at += found + 1;
        if window[at..].starts_with(b"\r\n") {
            return Some((&bytes[..at], &bytes[at + 2..]));
        }
        if window[at..].starts_with(b"\n") {
            return Some((&bytes[..at], &bytes[at + 1..]));
        }
    }
    None
}

const HEAD_BYTES_MAX: usize = 64 << 10;

/// The value of the first header of this name, trimmed.
fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    head.split(|b| *b == b'\n').find_map(|line| {
        let (start, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        start
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| value.trim_ascii())
    })
}

fn header_text(head: &[u8], name: &str) -> Option<String> {
    let value = header(head, name)?;
    (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
}

/// Makes a record out of a WARC record: pure.
fn parse(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let bad = |detail: &str| Problem::new(RejectReason::BadRecord, detail);
    let (head, body) = split_head(slice.bytes).ok_or_else(|| bad("no end of the headers"))?;
    let url = header_text(head, "WARC-Target-URI");
    let fields = Fields {
        // WARC 1.0 files have the address in angle brackets.
        url: url.map(|url| url.trim_matches(['<', '>']).to_string()),
        seen: header_text(head, "WARC-Date"),
        id: header_text(head, "WARC-Record-ID").map(|id| id.trim_matches(['<', '>']).to_string()),
        ..Fields::default()
    };
    let content = if Kind::of(head) == Kind::Conversion {
        match std::str::from_utf8(body.trim_ascii()) {
            Ok(text) => Content::Text(text.to_string()),
            Err(_) => Content::Plain {
                bytes: body.trim_ascii().to_vec(),
                charset: None,
            },
        }
    } else {
        let (http, body) = split_head(body).ok_or_else(|| bad("no end of the HTTP headers"))?;
        let charset = charset(http);
        let bytes = decode_body(http, body, layout.max_record_bytes)?;
        match media_type(http) {
            Media::Plain => Content::Plain { bytes, charset },
            _ => Content::Html { bytes, charset },
        }
    };
    Ok(Raw {
        record: slice.record,
        byte_offset: slice.byte_offset,
        fields,
        content,
    })
}

/// The charset parameter of the Content-Type header.
fn charset(http: &[u8]) -> Option<String> {
    let value = String::from_utf8_lossy(header(http, "Content-Type")?).to_ascii_lowercase();
    let (_, rest) = value.split_once("charset=")?;
    let name: String = rest
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| !matches!(c, ';' | '"' | '\'' | ' ' | ','))
        .collect();
    (!name.is_empty()).then_some(name)
}

/// The body without chunks and content codings (RFC 9110, RFC 9112). Crawlers often store the decoded body under the
/// headers of the coded one, so that a body which is not coded as its headers say is taken as it is.
fn decode_body(http: &[u8], body: &[u8], limit: usize) -> Result<Vec<u8>, Problem> {
    let chunked = header(http, "Transfer-Encoding")
        .is_some_and(|value| value.to_ascii_lowercase().ends_with(b"chunked"));
    let body = match if chunked { without_chunks(body) } else { None } {
        Some(joined) => joined,
        None => body.to_vec(),
    };
    let coding = header(http, "Content-Encoding")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let decoder: Box<dyn Read + '_> = match coding.as_slice() {
        b"gzip" | b"x-gzip" if body.starts_with(&[0x1f, 0x8b]) => {
            Box::new(flate2::read::MultiGzDecoder::new(&body[..]))
        }
        b"deflate" if looks_like_zlib(&body) => Box::new(flate2::read::ZlibDecoder::new(&body[..])),
        b"deflate" if !body.trim_ascii_start().starts_with(b"<") => {
            Box::new(flate2::read::DeflateDecoder::new(&body[..]))
        }
        b"br" if !body.trim_ascii_start().starts_with(b"<") => {
            Box::new(brotli_decompressor::Decompressor::new(&body[..], 16 << 10))
        }
        b"zstd" if Compression::of(&body) == Compression::Zstd => {
            match zstd::stream::read::Decoder::with_buffer(&body[..]) {
                Ok(decoder) => Box::new(decoder),
                Err(error) => return Err(Problem::new(RejectReason::BadCompression, error.to_string())),
            }
        }
        _ => return Ok(body),
    };
    let mut bytes = Vec::with_capacity((body.len() * 4).min(limit));
    match decoder.take(limit as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > limit => Err(Problem::new(
            RejectReason::Bomb,
            format!("the body decodes to more than {limit} bytes"),
        )),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(Problem::new(RejectReason::Truncated, "the coded body ends early"))
        }
        Err(error) => Err(Problem::new(RejectReason::BadCompression, error.to_string())),
    }
}

/// RFC 1950: the method is 8, and the first two bytes are a multiple of 31.
fn looks_like_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 15 == 8 && (u16::from(*first) * 256 + u16::from(*second)) % 31 == 0)
}

/// Joins the chunks of a chunked body; `None` if it does not begin with a chunk. A body that breaks off is what it is.
fn without_chunks(body: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        let chunk = next_chunk(rest);
        let Some((size, start)) = chunk else {
            return (!joined.is_empty()).then_some(joined);
        };
        if size == 0 {
            return Some(joined);
        }
        let end = start.saturating_add(size).min(rest.len());
        joined.extend_from_slice(&rest[start..end]);
        rest = &rest[end..];
        rest = rest
            .strip_prefix(b"\r\n")
            .or_else(|| rest.strip_prefix(b"\n"))
            .unwrap_or(rest);
    }
}

/// The size of the chunk that starts here and where its data begins.
fn next_chunk(rest: &[u8]) -> Option<(usize, usize)> {
    let line_end = memchr::memchr(b'\n', &rest[..rest.len().min(256)])?;
    let line = rest[..line_end]
        .split(|b| *b == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let digits = std::str::from_utf8(line)
        .ok()
        .filter(|line| !line.is_empty() && line.len() <= 8)?;
    Some((usize::from_str_radix(digits, 16).ok()?, line_end + 1))
}

// ---- Files of one stream

enum Found<'a> {
    Record { offset: u64, bytes: &'a [u8] },
    TooLong { offset: u64, len: u64 },
    Junk { offset: u64, len: u64 },
    Truncated { offset: u64 },
    End,
}

/// Records of a stream in bounded memory.
struct Records {
    stream: Box<dyn Read>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `buffer[start]`.
    offset: u64,
    max_bytes: usize,
    ended: bool,
}

impl Records {
    fn new(stream: Box<dyn Read>, offset: u64, max_bytes: usize) -> Records {
        Records {
            stream,
            buffer: vec![0; 1 << 20],
            start: 0,
            end: 0,
            offset,
            max_bytes,
            ended: false,
        }
    }

    fn next(&mut self) -> io::Result<Found<'_>> {
        self.skip_space()?;
        let offset = self.offset;
        if self.start == self.end {
            return Ok(Found::End);
        }
        while !self.ended && split_head(self.ready()).is_none() && self.ready().len() < HEAD_BYTES_MAX {
            self.fill()?;
        }
        let measured = measure(self.ready());
        let Some((head_len, body_len)) = measured else {
            if self.ended && self.ready().starts_with(b"WARC/") && split_head(self.ready()).is_none() {
                self.take(self.end - self.start);
                return Ok(Found::Truncated { offset });
            }
            let len = self.resync()?;
            return Ok(Found::Junk { offset, len });
        };
        let len = head_len.saturating_add(body_len);
        if len > self.max_bytes {
            return self.pass_over(offset, len);
        }
        while self.end - self.start < len && !self.ended {
            self.fill()?;
        }
        if self.end - self.start < len {
            self.take(self.end - self.start);
            return Ok(Found::Truncated { offset });
        }
        let start = self.start;
        self.take(len);
        Ok(Found::Record {
            offset,
            bytes: &self.buffer[start..start + len],
        })
    }

    fn ready(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn take(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Drops a record that is longer than allowed.
    fn pass_over(&mut self, offset: u64, len: usize) -> io::Result<Found<'_>> {
        let mut left = len;
        loop {
            let here = left.min(self.end - self.start);
            self.take(here);
            left -= here;
            if left == 0 {
                return Ok(Found::TooLong {
                    offset,
                    len: len as u64,
                });
            }
            if self.ended {
                return Ok(Found::Truncated { offset });
            }
            self.fill()?;
        }
    }

    /// Drops bytes up to the next line that begins a record; how many.
    fn resync(&mut self) -> io::Result<u64> {
        let mark = b"\nWARC/1.";
        let mut dropped = 0;
        loop {
            let found = memmem::find(self.ready(), mark);
            let len = match found {
                Some(at) => at + 1,
                None if self.ended => self.end - self.start,
                // The mark may lie across the end of what is there.
                None => (self.end - self.start).saturating_sub(mark.len() - 1),
            };
            self.take(len);
            dropped += len as u64;
            if found.is_some() || self.ended {
                return Ok(dropped);
            }
            self.fill()?;
        }
    }

    /// Drops the blank lines between records.
    fn skip_space(&mut self) -> io::Result<()> {
        loop {
            let space = self
                .ready()
                .iter()
                .take_while(|b| b.is_ascii_whitespace() || **b == 0)
                .count();
            self.take(space);
            if self.start < self.end || self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let len = read_some(&mut self.stream, &mut self.buffer[self.end..])?;
        self.end += len;
        self.ended = len == 0;
        Ok(())
    }
}

/// Length of the headers and of the body of the record that starts here.
fn measure(bytes: &[u8]) -> Option<(usize, usize)> {
    if !bytes.starts_with(b"WARC/") {
        return None;
    }
    let (head, body) = split_head(bytes)?;
    let len = std::str::from_utf8(header(head, "Content-Length")?)
        .ok()?
        .parse()
        .ok()?;
    Some((bytes.len() - body.len(), len))
}

// ---- gzip with one member per record

/// Whether the first member holds one record: no other one begins behind it. A broken one may give junk there.
fn has_member_per_record(packed: &[u8]) -> bool {
    let mut member = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(packed).take(1 << 20);
    // Where it is broken, reading ends as where it is whole.
    let _ = decoder.read_to_end(&mut member);
    let rest = match measure(&member) {
        Some((head, body)) => member.get(head.saturating_add(body)..).unwrap_or_default(),
        None => &[],
    };
    // One that goes on for long is no record about the file.
    member.len() < 1 << 20 && !rest.trim_ascii_start().starts_with(b"WARC/")
}

/// Where in `packed` a member may start, at or after `from`: RFC 1952's magic number, deflate, no reserved flag.
fn member_start(packed: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + memmem::find(packed.get(from..)?, &MAGIC)?;
        if packed.get(at + 3).is_none_or(|flags| flags & 0xe0 == 0) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// Tells members that hold a WARC record by inflating their first bytes.
struct Probe {
    inflate: flate2::Decompress,
}

/// Packed bytes in which the first letters of a record lie: a header with a name, and the code tables.
const PROBE_BYTES: usize = 2048;

/// How a gzip member of deflated data begins (RFC 1952).
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

impl Probe {
    fn new() -> Probe {
        Probe {
            inflate: flate2::Decompress::new(false),
        }
    }

    /// Whether the member that starts here inflates to a WARC record. The answer rests on the first [`PROBE_BYTES`]
    /// alone, so that it is the same however much of the file is there.
    fn is_record(&mut self, packed: &[u8]) -> bool {
        let packed = &packed[..packed.len().min(PROBE_BYTES)];
        let Some(header_len) = gzip_header_len(packed).filter(|_| packed.starts_with(&MAGIC)) else {
            return false;
        };
        let mut start = [0; 5];
        self.inflate.reset(false);
        let window = &packed[header_len..];
        let outcome = self
            .inflate
            .decompress(window, &mut start, flate2::FlushDecompress::None);
        outcome.is_ok() && &start == b"WARC/"
    }
}

/// Length of the header of a gzip member (RFC 1952, 2.3).
fn gzip_header_len(packed: &[u8]) -> Option<usize> {
    let flags = *packed.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes([*packed.get(at)?, *packed.get(at + 1)?]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += memchr::memchr(0, packed.get(at..)?)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    (at <= packed.len()).then_some(at)
}

/// Packed bytes of a file, as many at a time as one member needs.
struct Packed {
    stream: Box<dyn Read>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Offset of `buffer[start]`.
    offset: u64,
    ended: bool,
}

impl Packed {
    fn new(stream: Box<dyn Read>, offset: u64) -> Packed {
        Packed {
            stream,
            buffer: vec![0; 2 << 20],
            start: 0,
            end: 0,
            offset,
            ended: false,
        }
    }

    fn ready(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn take(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
    }

    /// Reads more; the buffer grows as long as nothing is taken.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let len = read_some(&mut self.stream, &mut self.buffer[self.end..])?;
        self.end += len;
        self.ended = len == 0;
        Ok(())
    }

    /// Drops zero bytes between members.
    fn skip_padding(&mut self) -> io::Result<()> {
        loop {
            let padding = self.ready().iter().take_while(|b| **b == 0).count();
            self.take(padding);
            if !self.ready().is_empty() || self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Whether a member that holds a record starts `at` bytes from here, reading on as far as that takes.
    fn is_record(&mut self, probe: &mut Probe, at: usize) -> io::Result<bool> {
        while !self.ended && self.ready().len() < at + PROBE_BYTES {
            self.fill()?;
        }
        Ok(probe.is_record(&self.ready()[at..]))
    }

    /// Drops bytes up to the next member that holds a record, or up to the end.
    fn resync(&mut self, probe: &mut Probe) -> io::Result<()> {
        let mut from = 1;
        loop {
            while let Some(at) = member_start(self.ready(), from) {
                if self.is_record(probe, at)? {
                    self.take(at);
                    return Ok(());
                }
                from = at + 1;
            }
            if self.ended {
                self.take(self.end - self.start);
                return Ok(());
            }
            // The last bytes may be the start of a magic number.
            let keep = self.ready().len().min(3);
            self.take(self.ready().len() - keep);
            from = 0;
            self.fill()?;
        }
    }
}

/// What became of a member.
enum Member {
    /// Inflated to this many bytes; this many packed, among which so many further members seemed to begin.
    Whole {
        len: usize,
        packed_len: usize,
        inner: i64,
    },
    Bad(Problem),
    End,
}

fn read_members(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    let range = source.piece.range;
    let end = range.map_or(u64::MAX, |cut| cut.end);
    let mut record = range.map_or(0, |cut| cut.first_record);
    let mut members = Members {
        packed: Packed::new(source.packed(), range.map_or(0, |cut| cut.start)),
        inflate: libdeflater::Decompressor::new(),
        probe: Probe::new(),
        inflated: vec![0; 1 << 20],
        max_bytes: out.options.max_record_bytes,
    };
    loop {
        if let Err(error) = members.packed.skip_padding() {
            return out.file_fault(source.problem_of(&error));
        }
        let offset = members.packed.offset;
        if offset >= end {
            return ControlFlow::Continue(());
        }
        let next = members
            .packed
            .is_record(&mut members.probe, 0)
            .and_then(|is_record| Ok((is_record.then_some(record), members.next()?)));
        let number = match next {
            Ok((
                number,
                Member::Whole {
                    len,
                    packed_len,
                    inner,
                },
            )) => {
                hand_on_member(out, number, offset, &members.inflated[..len])?;
                members.packed.take(packed_len);
                record += inner;
                number
            }
            Ok((number, Member::Bad(problem))) => {
                out.fault(problem, number, Some(offset as i64), 0)?;
                if let Err(error) = members.packed.resync(&mut members.probe) {
                    return out.file_fault(source.problem_of(&error));
                }
                number
            }
            Ok((_, Member::End)) => return ControlFlow::Continue(()),
            Err(error) => return out.fault(source.problem_of(&error), None, Some(offset as i64), 0),
        };
        record += i64::from(number.is_some());
    }
}

/// The records of one member; almost always one. Further ones are numbered from [`SHARED`] on, apart from all others.
fn hand_on_member(out: &mut Emitter, number: Option<i64>, offset: u64, member: &[u8]) -> ControlFlow<()> {
    let place = Some(offset as i64);
    let mut number = number;
    let mut rest = member;
    while !rest.trim_ascii().is_empty() {
        let (Some((head, body)), Some(record)) = (measure(rest), number) else {
            let problem = Problem::new(RejectReason::BadRecord, "a gzip member that holds no WARC record");
            return out.fault(problem, number, place, rest.len() as u64);
        };
        let len = head.saturating_add(body);
        let Some(bytes) = rest.get(..len) else {
            let problem = Problem::new(RejectReason::Truncated, "the member ends inside the record");
            return out.fault(problem, number, place, rest.len() as u64);
        };
        hand_on(out, record, offset, bytes)?;
        number = record.checked_add(SHARED);
        rest = rest[len..].trim_ascii_start();
    }
    ControlFlow::Continue(())
}

/// What is added to a record's number for each record before it in the same member: more than a file has members.
const SHARED: i64 = 1 << 32;

struct Members {
    packed: Packed,
    inflate: libdeflater::Decompressor,
    probe: Probe,
    inflated: Vec<u8>,
    max_bytes: usize,
}

impl Members {
    /// Inflates the member at the start of the packed bytes. libdeflate does not say how many bytes it took, but the
    /// member ends where another may start if the length before that place is the one that came out; else it is inflated
    /// once more.
    fn next(&mut self) -> io::Result<Member> {
        if self.packed.ready().is_empty() {
            return Ok(Member::End);
        }
        let mut next = self.next_start(10)?;
        let packed = &self.packed.buffer[self.packed.start..self.packed.end];
        if !packed.starts_with(&MAGIC) {
            return Ok(Member::Bad(Problem::new(
                RejectReason::BadCompression,
                "no gzip member where one was to start",
            )));
        }
        let len = match self.inflate_ready() {
            Ok(len) => len,
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                return Ok(Member::Bad(Problem::oversize(self.max_bytes)));
            }
            Err(_) => {
                // A magic number may stand inside the member, whose end is then not in the buffer yet.
                match self.inflate_after_more(&mut next)? {
                    Some(len) => len,
                    None => return Ok(Member::Bad(self.why_bad())),
                }
            }
        };
        let size_before = |at: usize| Some(u32::from_le_bytes(*self.packed.ready()[..at].last_chunk()?));
        if let Some(packed_len) = next.filter(|at| size_before(*at) == Some(len as u32)) {
            return Ok(Member::Whole {
                len,
                packed_len,
                inner: 0,
            });
        }
        let packed_len = self.member_end().or(next).unwrap_or(self.packed.ready().len());
        let mut inner = 0;
        let mut from = 10;
        while let Some(at) = member_start(self.packed.ready(), from).filter(|at| *at < packed_len) {
            inner += i64::from(self.packed.is_record(&mut self.probe, at)?);
            from = at + 1;
        }
        Ok(Member::Whole {
            len,
            packed_len,
            inner,
        })
    }

    /// Where the member at the start of the packed bytes ends, which libdeflate does not tell. It was inflated before, so
    /// that it is whole; `None` where the other library is stricter.
    fn member_end(&self) -> Option<usize> {
        let mut decoder = flate2::bufread::GzDecoder::new(self.packed.ready());
        io::copy(&mut decoder, &mut io::sink()).ok()?;
        Some(self.packed.ready().len() - decoder.into_inner().len())
    }

    /// Where the next member may start, reading on until it is in the buffer; `None` if the file ends before, or if
    /// more than the longest record was read.
    fn next_start(&mut self, from: usize) -> io::Result<Option<usize>> {
        let mut from = from;
        loop {
            if let Some(at) = member_start(self.packed.ready(), from) {
                return Ok(Some(at));
            }
            let ready = self.packed.ready().len();
            // Deflate adds five bytes to each 64 kB that it cannot shrink.
            if self.packed.ended || ready > self.max_bytes + self.max_bytes / 1024 + 1024 {
                return Ok(None);
            }
            from = from.max(ready.saturating_sub(3));
            self.packed.fill()?;
        }
    }

    /// Inflates what is there into the buffer, which grows up to the longest record allowed.
    fn inflate_ready(&mut self) -> Result<usize, libdeflater::DecompressionError> {
        loop {
            let packed = &self.packed.buffer[self.packed.start..self.packed.end];
            match self.inflate.gzip_decompress(packed, &mut self.inflated) {
                Err(libdeflater::DecompressionError::InsufficientSpace)
                    if self.inflated.len() < self.max_bytes =>
                {
                    let len = (self.inflated.len() * 4).min(self.max_bytes);
                    self.inflated.resize(len, 0);
                }
                outcome => return outcome,
            }
        }
    }

    /// Goes on to the next possible ends of the member as long as it could not be inflated.
    fn inflate_after_more(&mut self, next: &mut Option<usize>) -> io::Result<Option<usize>> {
        // A magic number stands by chance in every 16 MB; four wrong ones in a row are a broken member.
        for _ in 0..4 {
            let Some(at) = *next else { return Ok(None) };
            let before = self.packed.ready().len();
            *next = self.next_start(at + 1)?;
            if next.is_some_and(|at| self.probe.is_record(&self.packed.ready()[at..]))
                && self.packed.ready().len() == before
            {
                // The next record was there already, so that the member was all there.
                return Ok(None);
            }
            if let Ok(len) = self.inflate_ready() {
                *next = self.next_start(10)?;
                return Ok(Some(len));
            }
        }
        Ok(None)
    }

    /// Why the member at the start of the packed bytes cannot be inflated.
    fn why_bad(&self) -> Problem {
        let mut decoder = flate2::bufread::GzDecoder::new(self.packed.ready());
        let mut sink = [0; 16 << 10];
        let mut given = 0;
        loop {
            match decoder.read(&mut sink) {
                Ok(0) => return Problem::new(RejectReason::BadCompression, "the member is broken"),
                Ok(len) => given += len,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && self.packed.ended => {
                    return Problem::new(RejectReason::Truncated, "the file ends inside the member");
                }
                Err(error) => return Problem::new(RejectReason::BadCompression, error.to_string()),
            }
            if given > self.max_bytes {
                return Problem::oversize(self.max_bytes);
            }
        }
    }
}

/// Cuts a file at record starts: by reading through a plain one, by probing the members of a packed one.
fn cut(file: &InputFile, compression: Compression, target: u64) -> io::Result<Vec<Cut>> {
    let mut stream = open_file(file)?;
    match compression {
        Compression::Plain => {
            let max_bytes = super::ReadOptions::default().max_record_bytes;
            let mut records = Records::new(Box::new(stream), 0, max_bytes);
            let mut cuts = Cuts::new(target);
            let mut record = 0;
            loop {
                if let Found::End | Found::Truncated { .. } = records.next()? {
                    return Ok(cuts.finish(file.bytes));
                }
                record += 1;
                records.skip_space()?;
                if cuts.wanted(records.offset + 1).is_some() && records.offset < file.bytes {
                    cuts.push(records.offset, record);
                }
            }
        }
        Compression::Gzip => {
            let mut head = Vec::new();
            (&mut stream).take(1 << 20).read_to_end(&mut head)?;
            if !has_member_per_record(&head) {
                return Ok(Vec::new());
            }
            cut_members(Box::new(io::Cursor::new(head).chain(stream)), target, file.bytes)
        }
        _ => Ok(Vec::new()),
    }
}

fn cut_members(stream: Box<dyn Read>, target: u64, file_bytes: u64) -> io::Result<Vec<Cut>> {
    let mut packed = Packed::new(stream, 0);
    let mut probe = Probe::new();
    let mut cuts = Cuts::new(target);
    packed.fill()?;
    let mut record = i64::from(packed.is_record(&mut probe, 0)?);
    loop {
        packed.resync(&mut probe)?;
        if packed.ready().is_empty() {
            return Ok(cuts.finish(file_bytes));
        }
        if cuts.wanted(packed.offset + 1).is_some() {
            cuts.push(packed.offset, record);
        }
        record += 1;
    }
}
