//! Batches: record slices gathered by a reader, parsed by whoever has the threads.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::fields::Layout;
use super::{Fault, Piece, Problem, Raw, ReadOptions, RejectReason};

/// Records of one file and one part, in order, and what could not be read between them.
#[derive(Debug)]
pub struct Batch {
    /// Index of the block of `Unit::part_bytes` decompressed bytes of the unit in which the records start.
    pub part: u32,
    /// The file, as it is written into tables.
    pub input_path: Arc<str>,
    /// Faults met by the reader; [`Batch::parse`] may find more.
    pub faults: Vec<Fault>,
    /// Decompressed bytes these records took.
    pub bytes: u64,
    records: Records,
    layout: Arc<Layout>,
}

#[derive(Debug)]
enum Records {
    /// Bytes to be parsed; the slices lie one after the other in `payload`.
    Slices {
        payload: Vec<u8>,
        slices: Vec<Span>,
        parse: Parse,
    },
    /// Rows of a column format.
    Rows {
        rows: super::parquet::Rows,
        first_record: i64,
    },
    /// Records that their reader had to build.
    Ready(Vec<Raw>),
}

#[derive(Debug, Clone, Copy)]
struct Span {
    record: i64,
    byte_offset: Option<i64>,
    start: usize,
    end: usize,
}

/// The bytes of one record and their place.
pub(crate) struct Slice<'a> {
    /// Number of the record in its file, from 0.
    pub record: i64,
    /// As in [`Raw::byte_offset`].
    pub byte_offset: Option<i64>,
    /// The record.
    pub bytes: &'a [u8],
}

/// Makes a record out of its bytes: pure, so that it may run anywhere.
pub(crate) type Parse = fn(&Layout, Slice<'_>) -> Result<Raw, Problem>;

impl Batch {
    /// How many records are to be parsed.
    pub fn len(&self) -> usize {
        match &self.records {
            Records::Slices { slices, .. } => slices.len(),
            Records::Rows { rows, .. } => rows.len(),
            Records::Ready(raws) => raws.len(),
        }
    }

    /// Whether the batch holds no records (it may hold faults).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Record `index` of the batch, or what is wrong with it. Pure: records may be parsed in any order, on any thread.
    /// Panics if `index` is not below [`Batch::len`].
    pub fn parse(&self, index: usize) -> Result<Raw, Fault> {
        match &self.records {
            Records::Slices {
                payload,
                slices,
                parse,
            } => {
                let span = slices[index];
                let slice = Slice {
                    record: span.record,
                    byte_offset: span.byte_offset,
                    bytes: &payload[span.start..span.end],
                };
                parse(&self.layout, slice).map_err(|problem| Fault {
                    input_path: self.input_path.to_string(),
                    record: Some(span.record),
                    byte_offset: span.byte_offset,
                    reason: problem.reason,
                    detail: problem.detail,
                })
            }
            Records::Rows { rows, first_record } => {
                let record = first_record + index as i64;
                rows.parse(&self.layout, index, record).map_err(|problem| Fault {
                    input_path: self.input_path.to_string(),
                    record: Some(record),
                    byte_offset: None,
                    reason: problem.reason,
                    detail: problem.detail,
                })
            }
            Records::Ready(raws) => Ok(raws[index].clone()),
        }
    }
}

/// Gathers the records of one file into batches and hands them to the sink.
pub(crate) struct Emitter<'a> {
    pub(crate) options: &'a ReadOptions,
    sink: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    input_path: Arc<str>,
    layout: Arc<Layout>,
    part_bytes: u64,
    position: u64,
    part: u32,
    records: Records,
    faults: Vec<Fault>,
    bytes: u64,
}

impl<'a> Emitter<'a> {
    pub(crate) fn new(
        piece: &Piece,
        options: &'a ReadOptions,
        part_bytes: u64,
        position: u64,
        sink: &'a mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> Emitter<'a> {
        Emitter {
            options,
            sink,
            input_path: piece.file.shown.clone(),
            layout: Arc::default(),
            part_bytes: part_bytes.max(1),
            position,
            part: 0,
            records: Records::Ready(Vec::new()),
            faults: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn set_layout(&mut self, layout: Arc<Layout>) {
        self.layout = layout;
    }

    /// Decompressed bytes of the unit handed on so far.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Hands on one record as bytes that `parse` will read.
    pub(crate) fn slice(
        &mut self,
        parse: Parse,
        record: i64,
        byte_offset: Option<i64>,
        bytes: &[u8],
    ) -> ControlFlow<()> {
        self.make_room(bytes.len())?;
        if !matches!(&self.records, Records::Slices { .. }) {
            self.flush()?;
            self.records = Records::Slices {
                payload: Vec::new(),
                slices: Vec::new(),
                parse,
            };
        }
        if let Records::Slices { payload, slices, .. } = &mut self.records {
            if slices.is_empty() {
                payload.reserve(
                    self.options
                        .batch_bytes
                        .min(self.part_bytes as usize)
                        .max(bytes.len()),
                );
            }
            let start = payload.len();
            payload.extend_from_slice(bytes);
            slices.push(Span {
                record,
                byte_offset,
                start,
                end: payload.len(),
            });
        }
        self.advance(bytes.len() as u64)
    }

    /// Hands on one record that is already built; `bytes` is what it took of the input.
    pub(crate) fn ready(&mut self, raw: Raw, bytes: usize) -> ControlFlow<()> {
        self.make_room(bytes)?;
        if !matches!(&self.records, Records::Ready(_)) {
            self.flush()?;
            self.records = Records::Ready(Vec::new());
        }
        if let Records::Ready(raws) = &mut self.records {
            raws.push(raw);
        }
        self.advance(bytes as u64)
    }

    /// Hands on rows of a column format as one batch.
    pub(crate) fn rows(
        &mut self,
        rows: super::parquet::Rows,
        first_record: i64,
        bytes: u64,
    ) -> ControlFlow<()> {
        self.flush()?;
        self.make_room(0)?;
        self.records = Records::Rows { rows, first_record };
        self.advance(bytes)?;
        self.flush()
    }

    /// Reports a record that could not be read; `bytes` is what it took of the input.
    pub(crate) fn fault(
        &mut self,
        problem: Problem,
        record: Option<i64>,
        byte_offset: Option<i64>,
        bytes: u64,
    ) -> ControlFlow<()> {
        self.make_room(0)?;
        self.faults.push(Fault {
            input_path: self.input_path.to_string(),
            record,
            byte_offset,
            reason: problem.reason,
            detail: problem.detail,
        });
        self.advance(bytes)
    }

    /// Reports that the file as a whole could not be read (further).
    pub(crate) fn file_fault(&mut self, problem: Problem) -> ControlFlow<()> {
        self.fault(problem, None, None, 0)
    }

    /// Counts bytes that belong to no record.
    pub(crate) fn skip(&mut self, bytes: u64) {
        self.position += bytes;
        self.bytes += bytes;
    }

    /// Hands the batch on before a record that belongs to another part or would make it too big.
    fn make_room(&mut self, bytes: usize) -> ControlFlow<()> {
        let part = u32::try_from(self.position / self.part_bytes).unwrap_or(u32::MAX);
        let full = self.bytes > 0 && self.bytes + bytes as u64 > self.options.batch_bytes as u64;
        if part != self.part || full || self.faults.len() >= 4096 {
            self.flush()?;
        }
        self.part = part;
        ControlFlow::Continue(())
    }

    fn advance(&mut self, bytes: u64) -> ControlFlow<()> {
        self.position += bytes;
        self.bytes += bytes;
        ControlFlow::Continue(())
    }

    /// Hands on what was gathered, if anything.
    pub(crate) fn flush(&mut self) -> ControlFlow<()> {
        let records = std::mem::replace(&mut self.records, Records::Ready(Vec::new()));
        let batch = Batch {
            part: self.part,
            input_path: self.input_path.clone(),
            faults: std::mem::take(&mut self.faults),
            bytes: std::mem::take(&mut self.bytes),
            records,
            layout: self.layout.clone(),
        };
        if batch.is_empty() && batch.faults.is_empty() && batch.bytes == 0 {
            return ControlFlow::Continue(());
        }
        (self.sink)(batch)
    }
}

impl Problem {
    /// A record that is longer than allowed.
    pub(crate) fn oversize(limit: usize) -> Problem {
        Problem::new(RejectReason::Oversize, format!("longer than {limit} bytes"))
    }
}
