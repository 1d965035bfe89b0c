//! Tables of text: CSV, TSV and their kin. Delimiter, quoting and header are learned from the file's start.

use std::borrow::Cow;
use std::io::{self, Read};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::emit::Slice;
use super::fields::{self, Column, DateOrder, DateVotes, Found, Layout, Role, decoded};
use super::jsonl::{Cuts, read_some};
use super::source::Source;
use super::{Compression, Cut, Emitter, Format, InputFile, Piece, Problem, Raw, ReadOptions, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "csv",
    extensions: &["csv", "tsv", "tab", "psv"],
    recognizes,
    read,
    cut: Some(cut),
};

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// What parts two fields.
    pub delimiter: u8,
    /// A backslash before a quote keeps the field open.
    pub backslash: bool,
}

impl Default for Dialect {
    /// RFC 4180.
    fn default() -> Dialect {
        Dialect {
            delimiter: b',',
            backslash: false,
        }
    }
}

const DELIMITERS: &[u8] = b"\t,;|";

/// A name that says so and a line with a delimiter, or a header of which two columns are known.
fn recognizes(head: &[u8], extension: &str) -> bool {
    let named = FORMAT.extensions.contains(&extension);
    let (_, score) = dialect(head);
    if named {
        score.columns > 1 || score.known > 0
    } else {
        score.known >= 2 && score.regular || is_gkg(head)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Columns of the first row whose names are known.
    known: usize,
    /// Four of five rows have as many columns as the first.
    regular: bool,
    columns: usize,
}

/// The dialect that makes most sense of the head: most known columns, then most regular, then most columns.
fn dialect(head: &[u8]) -> (Dialect, Score) {
    let mut best = (Dialect::default(), Score::default());
    for &delimiter in DELIMITERS {
        for backslash in [false, true] {
            let dialect = Dialect { delimiter, backslash };
            let score = score(head, dialect);
            if score > best.1 {
                best = (dialect, score);
            }
        }
    }
    best
}

fn score(head: &[u8], dialect: Dialect) -> Score {
    let mut counts = Vec::new();
    let mut known = 0;
    let mut at = 0;
    // The last row may be cut off; fifty show the habit.
    while let (Some(end), true) = (row_end(&head[at..], dialect), counts.len() < 50) {
        let row = &head[at..at + end];
        at += end + 1;
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        if row.is_empty() {
            continue;
        }
        if counts.is_empty() {
            known = columns_of(row, dialect, &Layout::default())
                .iter()
                .filter(|c| c.role.is_some())
                .count();
        }
        counts.push(cells(row, dialect).count());
    }
    if counts.is_empty() {
        // One line without an end: a header alone, or a file of one row.
        known = columns_of(head, dialect, &Layout::default())
            .iter()
            .filter(|c| c.role.is_some())
            .count();
        counts.push(cells(head, dialect).count());
    }
    let columns = counts[0];
    let alike = counts.iter().filter(|count| **count == columns).count();
    Score {
        known,
        regular: columns > 1 && alike * 5 >= counts.len() * 4,
        columns,
    }
}

fn columns_of(row: &[u8], dialect: Dialect, layout: &Layout) -> Vec<Column> {
    cells(row, dialect)
        .map(|cell| layout.column(String::from_utf8_lossy(&unquoted(&row[cell], dialect)).trim()))
        .collect()
}

/// Rows of the GDELT Global Knowledge Graph 2.1 have 27 columns and no header; the codebook gives their order.
fn is_gkg(head: &[u8]) -> bool {
    let row = head.split(|b| *b == b'\n').next().unwrap_or_default();
    row.iter().filter(|b| **b == b'\t').count() == 26
        && row.iter().take_while(|b| b.is_ascii_digit()).count() == 14
}

const GKG_COLUMNS: &[&str] = &["id", "seendate", "collection", "domain", "url"];

/// Whether the first row holds names: one of them is known, or none is long, a number or an address.
fn has_header(row: &[u8], dialect: Dialect, columns: &[Column]) -> bool {
    if columns.iter().any(|column| column.role.is_some()) {
        return true;
    }
    cells(row, dialect).all(|cell| {
        let name = &row[cell];
        (1..=64).contains(&name.len()) && !name.starts_with(b"http") && !name[0].is_ascii_digit()
    })
}

/// What is known of the file, and whether its first row is a header.
fn learn(source: &Source) -> (Layout, Dialect, bool) {
    let mut layout = (*source.layout).clone();
    let (dialect, _) = dialect(&source.head);
    layout.dialect = dialect;
    let sample = source.sample();
    layout.encoding = encoding_of(&sample);
    let end = row_end(&source.head, dialect).unwrap_or(source.head.len());
    let row = &source.head[..end];
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    layout.columns = columns_of(row, dialect, &layout);
    let header = !is_gkg(&source.head) && has_header(row, dialect, &layout.columns);
    if is_gkg(&source.head) {
        layout.columns = GKG_COLUMNS.iter().map(|name| layout.column(name)).collect();
    } else if !header {
        layout.columns = (1..=layout.columns.len())
            .map(|number| layout.column(&number.to_string()))
            .collect();
    }
    layout.dates = date_order(&layout, &sample[..], if header { end + 1 } else { 0 });
    (layout, dialect, header)
}

/// The encoding of a file that is not UTF-8, guessed from a sample (which may end inside a character).
pub(crate) fn encoding_of(sample: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match std::str::from_utf8(sample) {
        Err(error) if error.error_len().is_some() => {
            let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
            detector.feed(sample, true);
            Some(detector.guess(None, chardetng::Utf8Detection::Deny))
        }
        _ => None,
    }
}

fn date_order(layout: &Layout, sample: &[u8], start: usize) -> DateOrder {
    let layout = Layout {
        sampling: true,
        ..layout.clone()
    };
    let mut votes = DateVotes::default();
    let mut at = start;
    while let Some(end) = sample.get(at..).and_then(|rest| row_end(rest, layout.dialect)) {
        let slice = Slice {
            record: 0,
            byte_offset: None,
            bytes: &sample[at..at + end],
        };
        if let Ok(raw) = parse(&layout, slice) {
            fields::vote(&mut votes, &raw);
        }
        at += end + 1;
    }
    votes.order()
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    let (layout, dialect, header) = learn(source);
    out.set_layout(Arc::new(layout));
    let range = source.piece.range;
    let stream = match source.stream() {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let end = range.map_or(u64::MAX, |cut| cut.end);
    let mut rows = Rows::new(stream, source.start(), dialect, out.options.max_record_bytes);
    let mut record = range.map_or(0, |cut| cut.first_record);
    let mut pass = header && source.starts_file();
    while rows.offset < end {
        let offset = rows.offset;
        match rows.next() {
            Ok(Some(Row::Whole(row))) if row.iter().all(|b| b.is_ascii_whitespace() || *b == 0) => {
                out.skip(row.len() as u64 + 1);
                continue;
            }
            Ok(Some(Row::Whole(row))) if std::mem::take(&mut pass) => {
                out.skip(row.len() as u64 + 1);
                continue;
            }
            Ok(Some(Row::Whole(row))) => out.slice(parse, record, Some(offset as i64), row)?,
            Ok(Some(Row::TooLong(len))) => {
                let problem = Problem::oversize(out.options.max_record_bytes);
                out.fault(problem, Some(record), Some(offset as i64), len)?;
            }
            Ok(None) => break,
            Err(error) => return out.fault(source.problem_of(&error), Some(record), Some(offset as i64), 0),
        }
        record += 1;
    }
    ControlFlow::Continue(())
}

/// Cuts a plain file at row starts by reading through it, as only what lies before tells whether a line end is inside
/// quotes.
fn cut(file: &InputFile, compression: Compression, target: u64) -> io::Result<Vec<Cut>> {
    if compression != Compression::Plain {
        return Ok(Vec::new());
    }
    let options = ReadOptions::default();
    let piece = Piece {
        file: file.clone(),
        range: None,
    };
    let Ok(mut source) = Source::open(&piece, Some(&FORMAT), &options) else {
        return Ok(Vec::new());
    };
    let (_, dialect, header) = learn(&source);
    let stream = source.stream()?;
    let mut rows = Rows::new(stream, source.start(), dialect, options.max_record_bytes);
    let mut cuts = Cuts::new(target);
    let mut record = if header { -1 } else { 0 };
    while let Some(row) = rows.next()? {
        let blank = matches!(row, Row::Whole(row) if row.iter().all(|b| b.is_ascii_whitespace() || *b == 0));
        record += i64::from(!blank);
        if cuts.wanted(rows.offset + 1).is_some() && rows.offset < file.bytes {
            cuts.push(rows.offset, record);
        }
    }
    Ok(cuts.finish(file.bytes))
}

enum Row<'a> {
    Whole(&'a [u8]),
    TooLong(u64),
}

/// Rows of a stream in bounded memory.
struct Rows {
    stream: Box<dyn Read>,
    dialect: Dialect,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    max_bytes: usize,
    ended: bool,
}

impl Rows {
    fn new(stream: Box<dyn Read>, offset: u64, dialect: Dialect, max_bytes: usize) -> Rows {
        Rows {
            stream,
            dialect,
            buffer: vec![0; 256 << 10],
            start: 0,
            end: 0,
            offset,
            max_bytes,
            ended: false,
        }
    }

    /// The next row without its line end. A quote that is not closed within the longest row allowed costs its first
    /// line only.
    fn next(&mut self) -> io::Result<Option<Row<'_>>> {
        let mut scan = Scan::default();
        loop {
            let ready = &self.buffer[self.start..self.end];
            if let Some(len) = scan.row_end(ready, self.dialect) {
                if len > self.max_bytes {
                    return Ok(Some(self.pass_line()?));
                }
                return Ok(Some(Row::Whole(self.take(len, 1))));
            }
            if ready.len() > self.max_bytes
                || self.ended && scan.quoted && memchr::memchr(b'\n', ready).is_some()
            {
                return Ok(Some(self.pass_line()?));
            }
            if self.ended {
                let len = ready.len();
                return Ok((len > 0).then(|| Row::Whole(self.take(len, 0))));
            }
            self.fill()?;
        }
    }

    /// Takes a row and its line end out of the buffer.
    fn take(&mut self, len: usize, line_end: usize) -> &[u8] {
        let row: Range<usize> = self.start..self.start + len;
        self.start = row.end + line_end;
        self.offset += (len + line_end) as u64;
        let bytes = &self.buffer[row];
        bytes.strip_suffix(b"\r").unwrap_or(bytes)
    }

    /// Passes over the first line of what is no row.
    fn pass_line(&mut self) -> io::Result<Row<'_>> {
        let mut passed = 0;
        loop {
            let ready = &self.buffer[self.start..self.end];
            let found = memchr::memchr(b'\n', ready);
            let len = found.map_or(ready.len(), |at| at + 1);
            passed += len as u64;
            self.start += len;
            self.offset += len as u64;
            if found.is_some() || self.ended {
                return Ok(Row::TooLong(passed));
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

/// A search for the end of a row that can go on when more bytes are there.
#[derive(Default)]
struct Scan {
    at: usize,
    quoted: bool,
}

impl Scan {
    /// Length of the first row of `bytes` without its line end, `None` if it does not end. A quote opens only at the
    /// start of a cell; inside, two are one.
    fn row_end(&mut self, bytes: &[u8], dialect: Dialect) -> Option<usize> {
        loop {
            let rest = bytes.get(self.at..)?;
            if !self.quoted {
                let found = self.at + memchr::memchr2(b'"', b'\n', rest)?;
                if bytes[found] == b'\n' {
                    return Some(found);
                }
                self.quoted = found == 0 || bytes[found - 1] == dialect.delimiter;
                self.at = found + 1;
                continue;
            }
            let found = if dialect.backslash {
                memchr::memchr2(b'"', b'\\', rest)
            } else {
                memchr::memchr(b'"', rest)
            };
            let found = self.at + found?;
            // What follows decides; without it the search stops here and begins again at this byte.
            let Some(next) = bytes.get(found + 1) else {
                self.at = found;
                return None;
            };
            if bytes[found] == b'\\' || *next == b'"' {
                self.at = found + 2;
            } else {
                self.quoted = false;
                self.at = found + 1;
            }
        }
    }
}

fn row_end(bytes: &[u8], dialect: Dialect) -> Option<usize> {
    Scan::default().row_end(bytes, dialect)
}

/// The cells of a row as ranges, quotes included.
fn cells(row: &[u8], dialect: Dialect) -> impl Iterator<Item = Range<usize>> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let end = cell_end(row, from, dialect);
        start = (end < row.len()).then_some(end + 1);
        Some(from..end)
    })
}

fn cell_end(row: &[u8], from: usize, dialect: Dialect) -> usize {
    let mut at = from;
    if row.get(from) == Some(&b'"') {
        at += 1;
        loop {
            let Some(found) = row.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) else {
                // A quote that is not closed takes the rest of the row.
                return row.len();
            };
            at += found;
            let escaped =
                row[at] == b'\\' && dialect.backslash || row[at] == b'"' && row.get(at + 1) == Some(&b'"');
            let closed = row[at] == b'"' && !escaped;
            at += if escaped { 2 } else { 1 };
            if closed {
                break;
            }
        }
    }
    let rest = row.get(at..).unwrap_or_default();
    memchr::memchr(dialect.delimiter, rest).map_or(row.len(), |found| at + found)
}

/// The value of a cell: without its quotes and escapes.
fn unquoted(cell: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
    let Some(inside) = cell.strip_prefix(b"\"") else {
        return Cow::Borrowed(cell);
    };
    let plain = match inside.trim_ascii_end() {
        [inside @ .., b'"'] if memchr::memchr2(b'"', b'\\', inside).is_none() => Some(inside),
        _ => None,
    };
    if let Some(plain) = plain {
        return Cow::Borrowed(plain);
    }
    let mut value = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(found) = inside
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        value.extend_from_slice(&inside[at..at + found]);
        at += found;
        match (inside[at], inside.get(at + 1)) {
            (b'"', Some(b'"')) => {
                value.push(b'"');
                at += 2;
            }
            (b'\\', Some(next)) if dialect.backslash => {
                value.push(match next {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                at += 2;
            }
            (b'\\', _) => {
                value.push(b'\\');
                at += 1;
            }
            // The closing quote; what follows it up to the delimiter is kept as it is.
            _ => at += 1,
        }
    }
    value.extend_from_slice(inside.get(at..).unwrap_or_default());
    Cow::Owned(value)
}

/// Makes a record out of a row: pure. Rows may be shorter or longer than the header.
fn parse(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let mut found = Found::new(layout);
    let mut repeats_header = false;
    for (index, cell) in cells(slice.bytes, layout.dialect).enumerate() {
        let Some(column) = layout.columns.get(index) else {
            break;
        };
        let value = unquoted(&slice.bytes[cell], layout.dialect);
        let value = decoded(layout, &value);
        match column.role {
            Some(hit) => {
                repeats_header |= hit.0 == Role::Text && value == column.name;
                found.offer(hit, 0, &column.name, &value, false);
            }
            None if value.starts_with("http") && !value.contains(' ') => {
                found.offer((Role::Url, u8::MAX), 0, &column.name, &value, false);
            }
            None => found.offer_unknown(&column.name, &value),
        }
    }
    if repeats_header {
        return Err(Problem::new(RejectReason::BadRecord, "the header again"));
    }
    found.finish(slice.record, slice.byte_offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(row: &str, expected: &[&str]) {
        let dialect = dialect(row.as_bytes()).0;
        let found: Vec<String> = cells(row.as_bytes(), dialect)
            .map(|cell| String::from_utf8_lossy(&unquoted(&row.as_bytes()[cell], dialect)).into_owned())
            .collect();
        assert_eq!(found, expected, "{row}");
    }

    #[test]
    fn cells_of_a_row() {
        check("a,b,c", &["a", "b", "c"]);
        check("a,,c,", &["a", "", "c", ""]);
        check("\"a,b\",c", &["a,b", "c"]);
        check("\"a\"\"b\",c", &["a\"b", "c"]);
        check("5\" pipe,c", &["5\" pipe", "c"]);
        check("a;\"b;c\";d", &["a", "b;c", "d"]);
        check("\"open,c", &["open,c"]);
    }

    #[test]
    fn rows_end_outside_quotes() {
        let dialect = Dialect::default();
        assert_eq!(row_end(b"a,\"b\nc\"\nd", dialect), Some(7));
        assert_eq!(row_end(b"a,b\"\nc\"\nd", dialect), Some(4));
        assert_eq!(row_end(b"a,\"b", dialect), None);
        assert_eq!(
            row_end(
                b"a,\"b\\\"\nc\"\n",
                Dialect {
                    backslash: true,
                    ..dialect
                }
            ),
            Some(9)
        );
    }
}
