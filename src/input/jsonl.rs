//! JSON Lines: a record per line, whatever the names and nesting of its fields.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::emit::Slice;
use super::fields::{self, DateVotes, Found, Layout, Role};
use super::source::{Source, open_file};
use super::{Compression, Cut, Emitter, Format, InputFile, Problem, Raw, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "jsonl",
    extensions: &["jsonl", "ndjson", "jl"],
    recognizes,
    read,
    cut: Some(cut),
};

/// A line that is an object, and another after it or a name that says so.
fn recognizes(head: &[u8], extension: &str) -> bool {
    let named = FORMAT.extensions.contains(&extension);
    let Some(line) = head
        .split(|b| *b == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
    else {
        return false;
    };
    let line = line.trim_ascii();
    line.starts_with(b"{") && (named || line.len() + 2 < head.len() && line.ends_with(b"}"))
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    out.set_layout(Arc::new(Layout {
        dates: date_order(source),
        ..(*source.layout).clone()
    }));
    let range = source.piece.range;
    let stream = match source.stream() {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let start = source.start();
    let end = range.map_or(u64::MAX, |cut| cut.end);
    let mut record = range.map_or(0, |cut| cut.first_record);
    let mut lines = Lines::new(stream, start, out.options.max_record_bytes);
    while lines.offset() < end {
        let offset = lines.offset();
        match lines.next() {
            Ok(Some(Line::Whole(line))) if is_blank(line) => out.skip(line.len() as u64 + 1),
            Ok(Some(Line::Whole(line))) => out.slice(parse, record, Some(offset as i64), line)?,
            Ok(Some(Line::TooLong(bytes))) => {
                let problem = Problem::oversize(out.options.max_record_bytes);
                out.fault(problem, Some(record), Some(offset as i64), bytes)?;
            }
            Ok(None) => break,
            Err(error) => return out.fault(source.problem_of(&error), Some(record), Some(offset as i64), 0),
        }
        record += 1;
    }
    ControlFlow::Continue(())
}

fn is_blank(line: &[u8]) -> bool {
    // NUL bytes are what a crash leaves at the end of a file that was being written.
    line.first().is_none_or(|b| b.is_ascii_whitespace() || *b == 0)
        && line.iter().all(|b| b.is_ascii_whitespace() || *b == 0)
}

/// Cuts a plain file at line starts, counting lines on the way.
fn cut(file: &InputFile, compression: Compression, target: u64) -> io::Result<Vec<Cut>> {
    if compression != Compression::Plain {
        return Ok(Vec::new());
    }
    let mut file = open_file(file)?;
    let mut cuts = Cuts::new(target);
    let mut block = vec![0; 1 << 20];
    let (mut offset, mut line) = (0, 0);
    loop {
        let len = file.read(&mut block)?;
        if len == 0 {
            return Ok(cuts.finish(offset));
        }
        let mut from = 0;
        while let Some(wanted) = cuts.wanted(offset + len as u64) {
            // The first line start at or after the wanted place.
            let skipped = (wanted.saturating_sub(offset + 1) as usize).clamp(from, len);
            line += memchr::memchr_iter(b'\n', &block[from..skipped]).count() as i64;
            from = skipped;
            let Some(at) = memchr::memchr(b'\n', &block[from..len]) else {
                break;
            };
            line += 1;
            from += at + 1;
            cuts.push(offset + from as u64, line);
        }
        line += memchr::memchr_iter(b'\n', &block[from..len]).count() as i64;
        offset += len as u64;
    }
}

/// Gathers cuts at the first record starts at or after the multiples of the target.
pub(crate) struct Cuts {
    target: u64,
    cuts: Vec<Cut>,
}

impl Cuts {
    pub(crate) fn new(target: u64) -> Cuts {
        Cuts {
            target,
            cuts: vec![Cut {
                start: 0,
                end: 0,
                first_record: 0,
            }],
        }
    }

    /// The place from which a cut is wanted, if it lies before `end`.
    pub(crate) fn wanted(&self, end: u64) -> Option<u64> {
        let last = self.cuts.last().map_or(0, |cut| cut.start);
        let wanted = (last / self.target + 1) * self.target;
        (wanted < end).then_some(wanted)
    }

    /// A record that starts at `start` begins a new range.
    pub(crate) fn push(&mut self, start: u64, first_record: i64) {
        if let Some(last) = self.cuts.last_mut() {
            last.end = start;
        }
        self.cuts.push(Cut {
            start,
            end: start,
            first_record,
        });
    }

    pub(crate) fn finish(mut self, end: u64) -> Vec<Cut> {
        if let Some(last) = self.cuts.last_mut() {
            last.end = end;
        }
        self.cuts.retain(|cut| cut.end > cut.start);
        self.cuts
    }
}

/// A line without its end.
pub(crate) enum Line<'a> {
    Whole(&'a [u8]),
    /// A line that is longer than allowed was passed over; its length.
    TooLong(u64),
}

/// Lines of a stream in bounded memory.
pub(crate) struct Lines {
    stream: Box<dyn Read>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    max_line_bytes: usize,
    ended: bool,
}

const BLOCK_BYTES: usize = 256 << 10;

impl Lines {
    pub(crate) fn new(stream: Box<dyn Read>, offset: u64, max_line_bytes: usize) -> Lines {
        let buffer = vec![0; BLOCK_BYTES];
        Lines {
            stream,
            buffer,
            start: 0,
            end: 0,
            offset,
            max_line_bytes,
            ended: false,
        }
    }

    /// Where the next line starts.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line, `None` at the end. After an error the rest of the stream is lost.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        loop {
            let ready = &self.buffer[self.start + searched..self.end];
            if let Some(at) = memchr::memchr(b'\n', ready) {
                let line = self.start..self.start + searched + at;
                self.start = line.end + 1;
                self.offset += line.len() as u64 + 1;
                if line.len() > self.max_line_bytes {
                    return Ok(Some(Line::TooLong(line.len() as u64)));
                }
                return Ok(Some(Line::Whole(&self.buffer[line])));
            }
            searched = self.end - self.start;
            if self.ended {
                let line = self.start..self.end;
                self.start = self.end;
                self.offset += line.len() as u64;
                return Ok((!line.is_empty()).then(|| Line::Whole(&self.buffer[line])));
            }
            if searched > self.max_line_bytes {
                return self.pass_over().map(Some);
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

    /// Drops the rest of a line that is too long.
    fn pass_over(&mut self) -> io::Result<Line<'_>> {
        let mut dropped = (self.end - self.start) as u64;
        loop {
            self.end = read_some(&mut self.stream, &mut self.buffer)?;
            self.start = 0;
            let found = memchr::memchr(b'\n', &self.buffer[..self.end]);
            let len = found.unwrap_or(self.end);
            dropped += len as u64;
            self.start = (len + 1).min(self.end);
            self.ended = self.end == 0;
            if found.is_some() || self.ended {
                self.offset += dropped + u64::from(found.is_some());
                return Ok(Line::TooLong(dropped));
            }
        }
    }
}

/// `Read::read` that goes on after an interruption.
pub(crate) fn read_some(stream: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The order of day and month in the file's numeric dates, from its first megabytes. Files whose first records have no
/// such dates are not looked at further.
fn date_order(source: &Source) -> fields::DateOrder {
    let layout = Layout {
        sampling: true,
        ..(*source.layout).clone()
    };
    let mut votes = DateVotes::default();
    let count = |votes: &mut DateVotes, bytes: &[u8], most: usize| {
        for line in bytes.split(|b| *b == b'\n').take(most) {
            if let Ok(raw) = parse(
                &layout,
                Slice {
                    record: 0,
                    byte_offset: None,
                    bytes: line,
                },
            ) {
                fields::vote(votes, &raw);
            }
        }
    };
    count(&mut votes, &source.head, 10);
    if votes.is_empty() {
        return fields::DateOrder::Unknown;
    }
    let mut votes = DateVotes::default();
    count(&mut votes, &source.sample(), usize::MAX);
    votes.order()
}

/// Makes a record out of a JSON object: pure. Nesting beyond serde_json's limit of 128 is an error, as is anything that
/// is no object. Text that is not UTF-8 is read as windows-1252, which old exports are in.
pub(crate) fn parse(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let mut found = Found::new(layout);
    let outcome = walk(slice.bytes, &mut found);
    let outcome = match outcome {
        Err(_) if std::str::from_utf8(slice.bytes).is_err() => {
            found = Found::new(layout);
            walk(
                encoding_rs::WINDOWS_1252.decode(slice.bytes).0.as_bytes(),
                &mut found,
            )
        }
        outcome => outcome,
    };
    match outcome {
        Ok(()) => found.finish(slice.record, slice.byte_offset),
        Err(error) if error.is_eof() => Err(Problem::new(RejectReason::Truncated, error.to_string())),
        Err(error) => Err(Problem::new(RejectReason::InvalidJson, error.to_string())),
    }
}

fn walk(bytes: &[u8], found: &mut Found) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut path = String::new();
    let place = Place {
        found,
        path: &mut path,
        parent: "",
        hit: None,
        depth: 0,
        aside: false,
        listed: false,
        again: false,
    };
    place.deserialize(&mut json)?;
    json.end()
}

/// Fields nest less deeply than this: an envelope, its member, the article, a named part and its text.
const DEPTH_MAX: u8 = 6;

/// Where in a JSON value the walk is.
struct Place<'w, 'l> {
    found: &'w mut Found<'l>,
    /// Canonical path of this value.
    path: &'w mut String,
    /// Canonical name of this value.
    parent: &'w str,
    hit: Option<(Role, u8)>,
    depth: u8,
    /// Inside an object that speaks of something else.
    aside: bool,
    /// Inside a list.
    listed: bool,
    /// Not the first of its list.
    again: bool,
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(if self.depth == 0 {
            "a JSON object"
        } else {
            "a JSON value"
        })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match self.hit {
            Some(hit) => self.found.offer(hit, self.depth, self.path, value, self.again),
            None if self.depth == 0 => return Err(E::custom("a string, not an object")),
            None if !self.listed && !self.aside => self.found.offer_unknown(self.path, value),
            None => {}
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.nothing()
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.nothing()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.depth == 0 {
            return Err(A::Error::custom("a list, not an object"));
        }
        if self.hit.is_none() || self.depth > DEPTH_MAX {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut again = self.again;
        loop {
            let place = Place {
                found: self.found,
                path: self.path,
                parent: self.parent,
                hit: self.hit,
                depth: self.depth + 1,
                aside: self.aside,
                listed: true,
                again,
            };
            if seq.next_element_seed(place)?.is_none() {
                return Ok(());
            }
            again = true;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.depth > DEPTH_MAX {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let base = self.path.len();
        let aside = self.aside || fields::is_aside(self.parent);
        while let Some(key) = map.next_key_seed(Key(self.path))? {
            let name = self.path[key..].to_string();
            let mut hit = self.found.layout().role_at(self.path, self.parent, &name, aside);
            if self.listed && !matches!(hit, Some((Role::Text | Role::Byline, _))) {
                // A list of objects under a text or byline adds to it; it does not describe the article.
                hit = None;
            }
            let place = Place {
                found: self.found,
                path: self.path,
                parent: &name,
                hit,
                depth: self.depth + 1,
                aside,
                listed: self.listed,
                again: self.again,
            };
            map.next_value_seed(place)?;
            self.path.truncate(base);
        }
        Ok(())
    }
}

impl Place<'_, '_> {
    fn number<E: Error>(self, value: impl ToString) -> Result<(), E> {
        if let Some(hit) = self.hit {
            self.found
                .offer_number(hit, self.depth, self.path, &value.to_string());
        }
        self.nothing()
    }

    fn nothing<E: Error>(self) -> Result<(), E> {
        if self.depth == 0 {
            Err(E::custom("a value that is not an object"))
        } else {
            Ok(())
        }
    }
}

/// Appends a key to the path in its canonical form; gives where it begins.
struct Key<'w>(&'w mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = usize;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        if !self.0.is_empty() {
            self.0.push('.');
        }
        let start = self.0.len();
        fields::push_canonical(self.0, key);
        Ok(start)
    }
}
