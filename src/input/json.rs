//! JSON that is not one record per line: a list of records, an object that holds such a list, a single record, or
//! several values one after the other. Records are cut out of the stream, so that a file of any size takes little memory.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::fields::{self, DateOrder, DateVotes, Layout, Role};
use super::jsonl::{parse, read_some};
use super::source::Source;
use super::{Emitter, Format, Problem, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "json",
    extensions: &["json"],
    recognizes,
    read,
    cut: None,
};

/// Members that hold the records of an answer or export, in canonical form.
const LISTS: &[&str] = &[
    "articles",
    "items",
    "hits",
    "results",
    "documents",
    "docs",
    "stories",
    "news",
    "records",
    "rows",
    "entries",
    "posts",
    "data",
    "value",
    "list",
    "content",
    "response",
    "recentactivityarticles",
];

/// A list of objects, or an object that does not end with its line.
fn recognizes(head: &[u8], extension: &str) -> bool {
    let start = head.trim_ascii_start();
    match start.first() {
        Some(b'[') => {
            let next = start[1..].trim_ascii_start().first();
            matches!(next, Some(b'{')) || matches!(next, Some(b']')) && start.len() < 64
        }
        Some(b'{') => {
            let line_len = memchr::memchr(b'\n', start).unwrap_or(start.len());
            let line = start[..line_len].trim_ascii_end();
            let next = start[1..].trim_ascii_start().first();
            if matches!(extension, "jsonl" | "ndjson" | "jl") {
                return line == b"{";
            }
            let several = start[line_len..].trim_ascii_start().starts_with(b"{") && line.ends_with(b"}");
            matches!(next, Some(b'"' | b'}')) && !several
        }
        _ => false,
    }
}

pub(crate) fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    out.set_layout(Arc::new(Layout {
        dates: date_order(source),
        ..(*source.layout).clone()
    }));
    let stream = match source.stream() {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let mut scanner = Scanner::new(stream, out.options.max_record_bytes);
    let mut records = Records {
        out,
        layout: source.layout.clone(),
        next: 0,
    };
    loop {
        let stop = match records.values(&mut scanner) {
            Ok(flow) => return flow,
            Err(stop) => stop,
        };
        scanner.stop_capture();
        let offset = scanner.offset() as i64;
        let (problem, goes_on) = match stop {
            Stop::Io(error) => (source.problem_of(&error), false),
            Stop::Syntax(detail) => (Problem::new(RejectReason::InvalidJson, detail), true),
            Stop::Ended => (
                Problem::new(RejectReason::Truncated, "the file ends inside a value"),
                false,
            ),
        };
        records.out.fault(problem, Some(records.next), Some(offset), 0)?;
        records.next += 1;
        // An error of reading comes again in the next round and is reported there.
        if !goes_on || matches!(scanner.resync(), Ok(false)) {
            return ControlFlow::Continue(());
        }
    }
}

/// Why the scan cannot go on.
enum Stop {
    Io(io::Error),
    Syntax(String),
    Ended,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

struct Records<'o, 'e> {
    out: &'o mut Emitter<'e>,
    layout: Arc<Layout>,
    next: i64,
}

/// Lists are looked for this deeply: `{"response": {"docs": [...]}}`, `{"articles": {"results": [...]}}` and one more.
const LIST_DEPTH_MAX: usize = 3;

impl Records<'_, '_> {
    /// Every value of the stream.
    fn values(&mut self, scanner: &mut Scanner) -> Result<ControlFlow<()>, Stop> {
        loop {
            let flow = match scanner.peek()? {
                None => return Ok(ControlFlow::Continue(())),
                Some(b'[') => self.list(scanner)?,
                Some(b'{') => self.object(scanner)?,
                // Values may be separated by commas in files that were glued together.
                Some(b',' | 0x1e) => {
                    scanner.bump();
                    ControlFlow::Continue(())
                }
                Some(other) => {
                    return Err(Stop::Syntax(format!(
                        "{:?} where a record was to start",
                        char::from(other)
                    )));
                }
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }

    /// The elements of a list, each a record.
    fn list(&mut self, scanner: &mut Scanner) -> Result<ControlFlow<()>, Stop> {
        scanner.bump();
        loop {
            match scanner.peek()?.ok_or(Stop::Ended)? {
                b']' => {
                    scanner.bump();
                    return Ok(ControlFlow::Continue(()));
                }
                b',' => scanner.bump(),
                _ => {
                    scanner.start_capture();
                    scanner.skip_value()?;
                    if self.captured(scanner).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
    }

    /// An object: the lists of records in it, or itself.
    fn object(&mut self, scanner: &mut Scanner) -> Result<ControlFlow<()>, Stop> {
        scanner.start_capture();
        let mut search = Search {
            has_text: false,
            found_list: false,
        };
        let flow = self.members(scanner, &mut search, 0)?;
        if search.found_list || flow.is_break() {
            scanner.stop_capture();
            return Ok(flow);
        }
        Ok(self.captured(scanner))
    }

    /// The members of an object, up to the first that shows it to be a record.
    fn members(
        &mut self,
        scanner: &mut Scanner,
        search: &mut Search,
        depth: usize,
    ) -> Result<ControlFlow<()>, Stop> {
        scanner.bump();
        loop {
            match scanner.peek()?.ok_or(Stop::Ended)? {
                b'}' => {
                    scanner.bump();
                    return Ok(ControlFlow::Continue(()));
                }
                b',' => scanner.bump(),
                b'"' => {
                    let key = fields::canonical(&scanner.string()?);
                    if scanner.peek()?.ok_or(Stop::Ended)? != b':' {
                        return Err(Stop::Syntax("a key without a value".to_string()));
                    }
                    scanner.bump();
                    if self.member(scanner, search, &key, depth)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                other => {
                    return Err(Stop::Syntax(format!(
                        "{:?} where a key was to start",
                        char::from(other)
                    )));
                }
            }
        }
    }

    fn member(
        &mut self,
        scanner: &mut Scanner,
        search: &mut Search,
        key: &str,
        depth: usize,
    ) -> Result<ControlFlow<()>, Stop> {
        let first = scanner.peek()?.ok_or(Stop::Ended)?;
        let listed = LISTS.contains(&key) && !search.has_text;
        if listed && first == b'[' && scanner.peek_in_list()? == Some(b'{') {
            search.found_list = true;
            scanner.stop_capture();
            return self.list(scanner);
        }
        if listed && first == b'{' && depth < LIST_DEPTH_MAX {
            return self.members(scanner, search, depth + 1);
        }
        if first == b'"' {
            let role = self.layout.role_at(key, "", key, false);
            search.has_text |= matches!(role, Some((Role::Text | Role::Html, _)));
        }
        scanner.skip_value()?;
        Ok(ControlFlow::Continue(()))
    }

    fn captured(&mut self, scanner: &mut Scanner) -> ControlFlow<()> {
        let record = self.next;
        self.next += 1;
        let (offset, bytes, len) = scanner.captured();
        match bytes {
            Some(bytes) => self.out.slice(parse, record, Some(offset as i64), bytes),
            None => {
                let problem = Problem::oversize(self.out.options.max_record_bytes);
                self.out.fault(problem, Some(record), Some(offset as i64), len)
            }
        }
    }
}

struct Search {
    has_text: bool,
    found_list: bool,
}

/// Walks over JSON values of a stream without building them, keeping the bytes of the current record.
struct Scanner {
    stream: Box<dyn Read>,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Offset of `buffer[0]`.
    base: u64,
    capture: Option<Capture>,
    max_bytes: usize,
}

struct Capture {
    start: u64,
    /// What of the record lies before the buffer.
    kept: Vec<u8>,
    /// Where in the buffer the rest begins.
    from: usize,
    too_long: bool,
}

impl Scanner {
    fn new(stream: Box<dyn Read>, max_bytes: usize) -> Scanner {
        Scanner {
            stream,
            buffer: vec![0; 256 << 10],
            at: 0,
            end: 0,
            base: 0,
            capture: None,
            max_bytes,
        }
    }

    fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Reads the next block; false at the end of the stream. What is captured of the old block is kept.
    fn fill(&mut self) -> io::Result<bool> {
        if let Some(capture) = &mut self.capture {
            let rest = &self.buffer[capture.from..self.end];
            capture.too_long |= capture.kept.len() + rest.len() > self.max_bytes;
            if capture.too_long {
                capture.kept = Vec::new();
            } else {
                capture.kept.extend_from_slice(rest);
            }
            capture.from = 0;
        }
        self.base += self.end as u64;
        self.at = 0;
        self.end = 0;
        self.end = read_some(&mut self.stream, &mut self.buffer)?;
        Ok(self.end > 0)
    }

    /// The next byte that is not space, without taking it.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            while self.at < self.end {
                let byte = self.buffer[self.at];
                if !byte.is_ascii_whitespace() && byte != 0 {
                    return Ok(Some(byte));
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Takes the byte that was peeked.
    fn bump(&mut self) {
        self.at += 1;
    }

    /// The first byte of the first element of the list that starts here. Takes the bracket's following space only.
    fn peek_in_list(&mut self) -> Result<Option<u8>, Stop> {
        // The bracket is left where it is: the element is looked for in what is in the buffer, which a list that
        // starts at the very end of a block exceeds only by its spaces.
        let rest = self.buffer[self.at + 1..self.end].trim_ascii_start();
        if let Some(byte) = rest.first() {
            return Ok(Some(*byte));
        }
        let mut more = vec![0; 4096];
        let len = read_some(&mut self.stream, &mut more)?;
        self.buffer.truncate(self.end);
        self.buffer.extend_from_slice(&more[..len]);
        self.end = self.buffer.len();
        let size = self.buffer.len().max(256 << 10);
        self.buffer.resize(size, 0);
        Ok(self.buffer[self.at + 1..self.end]
            .trim_ascii_start()
            .first()
            .copied())
    }

    /// Takes a string and gives it raw (escapes are left, as keys rarely have any). Long strings are cut.
    fn string(&mut self) -> Result<String, Stop> {
        let mut out = Vec::new();
        self.pass_string(|bytes| {
            if out.len() < 256 {
                out.extend_from_slice(&bytes[..bytes.len().min(256)]);
            }
        })?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// Takes the string that starts here.
    fn pass_string(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), Stop> {
        self.bump();
        let mut escaped = false;
        loop {
            if self.at >= self.end && !self.fill()? {
                return Err(Stop::Ended);
            }
            if std::mem::take(&mut escaped) {
                self.at += 1;
                continue;
            }
            let ready = &self.buffer[self.at..self.end];
            let found = memchr::memchr2(b'"', b'\\', ready);
            each(&ready[..found.unwrap_or(ready.len())]);
            match found {
                Some(at) => {
                    escaped = ready[at] == b'\\';
                    self.at += at + 1;
                    if !escaped {
                        return Ok(());
                    }
                }
                None => self.at = self.end,
            }
        }
    }

    /// Takes the value that starts here, however deep. Brackets are counted, not matched: the parser will see.
    fn skip_value(&mut self) -> Result<(), Stop> {
        let mut depth = 0usize;
        loop {
            match self.peek()?.ok_or(Stop::Ended)? {
                b'"' => self.pass_string(|_| {})?,
                b'{' | b'[' => {
                    depth += 1;
                    self.bump();
                    continue;
                }
                b'}' | b']' => {
                    if depth == 0 {
                        return Err(Stop::Syntax(
                            "a closing bracket where a value was to start".to_string(),
                        ));
                    }
                    depth -= 1;
                    self.bump();
                }
                b',' | b':' if depth > 0 => {
                    self.bump();
                    continue;
                }
                b',' | b':' => return Err(Stop::Syntax("a value is missing".to_string())),
                _ => self.pass_scalar()?,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Takes a number or a word.
    fn pass_scalar(&mut self) -> Result<(), Stop> {
        loop {
            while self.at < self.end {
                let byte = self.buffer[self.at];
                if byte.is_ascii_whitespace()
                    || matches!(byte, b',' | b':' | b']' | b'}' | b'[' | b'{' | b'"' | 0)
                {
                    return Ok(());
                }
                self.at += 1;
            }
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// Passes over what is broken, to the next line that begins with an object; false if there is none.
    fn resync(&mut self) -> io::Result<bool> {
        loop {
            match memchr::memchr(b'\n', &self.buffer[self.at..self.end]) {
                Some(found) => {
                    self.at += found + 1;
                    match self.peek()? {
                        Some(b'{') => return Ok(true),
                        Some(_) => {}
                        None => return Ok(false),
                    }
                }
                None => {
                    self.at = self.end;
                    if !self.fill()? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    fn start_capture(&mut self) {
        self.capture = Some(Capture {
            start: self.offset(),
            kept: Vec::new(),
            from: self.at,
            too_long: false,
        });
    }

    fn stop_capture(&mut self) {
        self.capture = None;
    }

    /// The record captured up to here: its offset, its bytes unless it is too long, its length.
    fn captured(&mut self) -> (u64, Option<&[u8]>, u64) {
        let offset = self.offset();
        let Some(capture) = &mut self.capture else {
            return (offset, None, 0);
        };
        let len = offset - capture.start;
        if capture.too_long || len > self.max_bytes as u64 {
            return (capture.start, None, len);
        }
        if capture.kept.is_empty() {
            return (capture.start, Some(&self.buffer[capture.from..self.at]), len);
        }
        capture
            .kept
            .extend_from_slice(&self.buffer[capture.from..self.at]);
        capture.from = self.at;
        (capture.start, Some(&capture.kept), len)
    }
}

/// The order of day and month, from the records that lie whole in the file's first megabytes.
fn date_order(source: &Source) -> DateOrder {
    let mut votes = DateVotes::default();
    sample_records(source, source.head.clone(), &mut |raw| {
        fields::vote(&mut votes, raw)
    });
    if votes.is_empty() {
        return DateOrder::Unknown;
    }
    let mut votes = DateVotes::default();
    sample_records(source, source.sample(), &mut |raw| fields::vote(&mut votes, raw));
    votes.order()
}

/// Parses the records of a sample; what is cut off at its end is left out.
fn sample_records(source: &Source, sample: Vec<u8>, each: &mut dyn FnMut(&super::Raw)) {
    let layout = Layout {
        sampling: true,
        ..(*source.layout).clone()
    };
    let options = super::ReadOptions {
        max_record_bytes: layout.max_record_bytes,
        ..Default::default()
    };
    let mut sink = |batch: super::Batch| {
        for index in 0..batch.len() {
            if let Ok(raw) = batch.parse(index) {
                each(&raw);
            }
        }
        ControlFlow::Continue(())
    };
    let mut out = Emitter::new(&source.piece, &options, u64::MAX, 0, &mut sink);
    out.set_layout(Arc::new(layout.clone()));
    let mut scanner = Scanner::new(Box::new(io::Cursor::new(sample)), options.max_record_bytes);
    let mut records = Records {
        out: &mut out,
        layout: Arc::new(layout),
        next: 0,
    };
    // The sample ends where it ends; its last record is not looked at.
    let _ = records.values(&mut scanner);
    let _ = out.flush();
}
