//! Files in, raw records out.
//!
//! `discover` finds the files, `split` cuts them into units of work, `read` hands a unit on in batches. A batch holds
//! record slices that are not parsed yet: finding where records begin is cheap and sequential, making a [`Raw`] out of
//! a slice is a pure function ([`Batch::parse`]) that the caller may run on all cores. What cannot be read is a
//! [`Fault`] with a reason, and the rest of the file goes on. Nothing here decodes pages or judges text.

mod compression;
mod csv;
mod discover;
mod emit;
mod exports;
mod feeds;
pub mod fields;
mod html;
mod inspect;
mod json;
mod jsonl;
mod newsml;
mod parquet;
mod source;
mod split;
mod text;
mod warc;
mod xml;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;

use crate::tables::RejectReason;

pub use compression::Compression;
pub use discover::{Discovered, discover};
pub use emit::Batch;
pub use fields::{FieldNames, Fields, Role};
pub use inspect::{Inspection, inspect};
pub use split::split;

use emit::Emitter;
use source::Source;

/// Every format, in the order in which they are tried: what says most clearly what it is comes first, and plain text,
/// which anything may be, comes last. A new format is one file and one line here.
pub const FORMATS: &[Format] = &[
    parquet::FORMAT,
    warc::FORMAT,
    feeds::JSON_FEED,
    json::FORMAT,
    jsonl::FORMAT,
    feeds::FORMAT,
    newsml::NEWSML_G2,
    newsml::NITF,
    exports::LEXISNEXIS,
    exports::FACTIVA,
    html::FORMAT,
    csv::FORMAT,
    text::FORMAT,
];

/// How one format is told and read.
pub struct Format {
    /// As the plan and the reports name it.
    pub name: &'static str,
    /// File name endings, lower case, without the dot and without a compression's ending.
    pub extensions: &'static [&'static str],
    /// Whether the first bytes (decompressed, UTF-8 where a byte order mark told the encoding) look like this format.
    /// The file name's ending is known to the function, because some formats look alike.
    recognizes: fn(head: &[u8], extension: &str) -> bool,
    /// Hands every record of the source on to the emitter.
    read: fn(source: &mut Source, out: &mut Emitter) -> ControlFlow<()>,
    /// Cuts a big file at record boundaries; `None` where a file is one stream.
    cut: Option<Cutter>,
}

/// Finds ranges of about `target` bytes in a file; none if the file cannot be cut.
type Cutter = fn(file: &InputFile, compression: Compression, target: u64) -> std::io::Result<Vec<Cut>>;

/// What a reader hands on: one record before it becomes a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Raw {
    /// 0-based number of the record within its file.
    pub record: i64,
    /// Where the record starts: in the file itself if it is plain or a gzip with one member per record, else in the
    /// decompressed data. `None` where the format has no such place (Parquet).
    pub byte_offset: Option<i64>,
    /// What the record says about itself, as it says it.
    pub fields: Fields,
    /// The text or page.
    pub content: Content,
}

/// The text or page of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text that was decoded by the format (JSON, XML, Parquet).
    Text(String),
    /// A page or a fragment of HTML; `charset` is what the transport said, if anything.
    Html {
        /// The page as it came.
        bytes: Vec<u8>,
        /// As the transport named it.
        charset: Option<String>,
    },
    /// Text in an encoding that is still to be found; `charset` is what the transport said, if anything.
    Plain {
        /// The text as it came.
        bytes: Vec<u8>,
        /// As the transport named it.
        charset: Option<String>,
    },
}

/// A file or standard input, as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// `-` is standard input.
    pub path: PathBuf,
    /// The path as it is shown and written into tables; bytes that are not UTF-8 are replaced.
    pub shown: Arc<str>,
    /// Length in bytes; 0 for standard input.
    pub bytes: u64,
}

impl InputFile {
    /// Whether this stands for standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

/// One piece of work: about `target_bytes` of input, decided by the input alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// What is read, in this order.
    pub pieces: Vec<Piece>,
    /// Bytes of input (compressed as they lie on disk).
    pub bytes: u64,
    /// Decompressed bytes per part: `Batch::part` counts these blocks.
    pub part_bytes: u64,
}

/// A file or the range of a file whose records start in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub file: InputFile,
    /// `None` reads the file whole.
    pub range: Option<Cut>,
}

/// The records that start in `start..end` of the file (row groups for Parquet), the first of which is number
/// `first_record` of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where the first record starts.
    pub start: u64,
    /// Where the first record of the next range starts.
    pub end: u64,
    /// Number of the first record in the file.
    pub first_record: i64,
}

/// What the plan says about reading.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Names a member of [`FORMATS`]; `None` tells the format from the file.
    pub format: Option<String>,
    /// `[input.fields]`: roles whose field is named by the user.
    pub fields: FieldNames,
    /// A single record may hold this much, decompressed.
    pub max_record_bytes: usize,
    /// A file of a format that is read whole (feeds, NewsML, text exports) may hold this much, decompressed.
    pub max_whole_file_bytes: usize,
    /// A stream that decompresses to more than this many times its size is a bomb (looked at after 64 MB of output).
    pub max_ratio: u64,
    /// Batches are handed on at about this size.
    pub batch_bytes: usize,
}

impl Default for ReadOptions {
    /// 16 MiB per record is several times the longest book chapter or court record seen in news data, and small enough
    /// that a batch per thread fits in memory. Deflate cannot exceed 1032:1; JSON lines of news reach 10:1 and
    /// machine-made repetitions 100:1, so that 200:1 over 64 MB is made to harm.
    fn default() -> Self {
        ReadOptions {
            format: None,
            fields: FieldNames::default(),
            max_record_bytes: 16 << 20,
            max_whole_file_bytes: 256 << 20,
            max_ratio: 200,
            batch_bytes: 4 << 20,
        }
    }
}

/// A record or file that could not be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub input_path: String,
    /// Number of the record in the file, from 0; none where the file is at fault, or what lies between records.
    pub record: Option<i64>,
    /// As in [`Raw::byte_offset`].
    pub byte_offset: Option<i64>,
    /// Why it is not read.
    pub reason: RejectReason,
    /// What exactly was found.
    pub detail: String,
}

/// What is wrong with a record, before its place is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub reason: RejectReason,
    pub detail: String,
}

impl Problem {
    pub(crate) fn new(reason: RejectReason, detail: impl Into<String>) -> Problem {
        Problem {
            reason,
            detail: detail.into(),
        }
    }
}

/// Reads a unit and hands its records on in order, a few MB at a time. A bad file or record is a fault in the batch;
/// the only error is a plan that names no known format. The sink stops the reading by `ControlFlow::Break`.
///
/// The batches of a unit are the same for any thread count, and all records of a batch belong to one file and part.
pub fn read(
    unit: &Unit,
    options: &ReadOptions,
    sink: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> Result<()> {
    let format = options.format.as_deref().map(format_named).transpose()?;
    let mut position = 0;
    for piece in &unit.pieces {
        let mut out = Emitter::new(piece, options, unit.part_bytes, position, sink);
        let flow = match Source::open(piece, format, options) {
            Ok(mut source) => {
                out.set_layout(source.layout.clone());
                (source.format.read)(&mut source, &mut out)
            }
            Err(problem) => out.file_fault(problem),
        };
        if flow.is_break() || out.flush().is_break() {
            return Ok(());
        }
        position = out.position();
    }
    Ok(())
}

/// The format of this name, or an error that lists the names there are.
pub fn format_named(name: &str) -> Result<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        anyhow::anyhow!(
            "there is no input format {name:?}; there are {}",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
