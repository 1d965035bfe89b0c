//! The first pass: a unit of input becomes parts, each with its documents, sketches and rejects in a folder.
//!
//! A part is the documents of about 64 MB of input. Nothing in its folder changes once it is kept; what a run leaves
//! out of a part is noted on the part and not in its files.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dedup::{self, Sketch};
use crate::input::{self, Batch, Fault, FieldNames, ReadOptions, Unit};
use crate::knowledge::Knowledge;
use crate::output::{self, TableWriter};
use crate::plan::Plan;
use crate::tables::{Document, Reject, RejectReason, Row, SketchRow};
use crate::unit::{Interrupted, Meter};
use crate::{document, id, kill};

/// Documents are sorted and written in groups of about this much text, in bytes: small enough to hold a few at
/// a time, large enough to compress well.
const GROUP_TEXT_BYTES: u64 = 4 << 20;

/// What one part of the input came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Part {
    #[serde(skip)]
    folder: PathBuf,
    /// Ids of its documents, in the order of their rows.
    #[serde(skip)]
    pub ids: Vec<u128>,
    /// Ids whose rows this run leaves out, because the same article stands earlier in the input.
    #[serde(skip)]
    pub absent: HashSet<u128>,
    /// Rows this run leaves out: those of `absent`, and repetitions within the part.
    #[serde(skip)]
    pub left_out: HashSet<usize>,
    /// Bytes of text in its documents.
    pub text_bytes: u64,
    /// Records read, whether kept or not.
    pub read: u64,
    /// Records not kept, by reason.
    pub rejects: BTreeMap<RejectReason, u64>,
    /// Documents by language.
    pub languages: BTreeMap<String, u64>,
}

impl Part {
    /// Documents kept.
    pub fn documents(&self) -> u64 {
        (self.ids.len() - self.left_out.len()) as u64
    }

    /// The file of one of its tables.
    pub fn file<R: Row>(&self) -> PathBuf {
        self.folder.join(format!("{}.parquet", R::TABLE))
    }

    /// Names the part by the key of its unit and its number.
    pub fn name(&self) -> String {
        let steps: Vec<_> = self
            .folder
            .iter()
            .rev()
            .take(2)
            .map(|step| step.to_string_lossy())
            .collect();
        steps.join("/")
    }

    /// The part as messages name it, and how much text it holds.
    pub fn name_and_bytes(&self) -> (String, u64) {
        (self.name(), self.text_bytes)
    }

    /// The part as it lies in the folder of its unit.
    ///
    /// # Errors
    /// The part is not there.
    pub fn placed_in(self, unit: &Path, number: usize) -> Result<Self> {
        let folder = unit.join(format!("part-{number}"));
        let ids = match self.ids.as_slice() {
            [] => output::read_ids(&folder.join(IDS))?,
            _ => self.ids,
        };
        Ok(Self { folder, ids, ..self })
    }
}

const IDS: &str = "ids";

/// Reads one unit of input into parts under a folder.
///
/// # Errors
/// The folder cannot be written, or the run was interrupted.
pub fn ingest(
    unit: &Unit,
    folder: &Path,
    plan: &Plan,
    knowledge: &Knowledge,
    meter: &Meter,
) -> Result<Vec<Part>> {
    std::fs::create_dir_all(folder)?;
    let mut parts = Vec::new();
    let mut current: Option<(u32, PartWriter)> = None;
    let mut failure = None;
    let options = read_options(plan)?;
    input::read(unit, &options, &mut |batch: Batch| {
        let outcome = add_batch(&mut current, &mut parts, folder, &batch, |record| {
            document::read(record, &batch.input_path, &plan.documents, knowledge, "")
        });
        meter.advance(batch.bytes, batch.len() as u64);
        kill::point("read: batch done");
        match outcome {
            Ok(()) if meter.is_stopped() => failure = Some(anyhow::Error::new(Interrupted)),
            Ok(()) => return ControlFlow::Continue(()),
            Err(error) => failure = Some(error),
        }
        ControlFlow::Break(())
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    if let Some((_, writer)) = current {
        parts.push(writer.finish()?);
    }
    Ok(parts)
}

type Outcome = Result<Document, Fault>;

/// Turns a batch into documents on all threads and adds them to the part the batch belongs to.
fn add_batch(
    current: &mut Option<(u32, PartWriter)>,
    parts: &mut Vec<Part>,
    folder: &Path,
    batch: &Batch,
    read: impl Fn(input::Raw) -> Outcome + Sync,
) -> Result<()> {
    if current.as_ref().is_some_and(|(part, _)| *part != batch.part)
        && let Some((_, finished)) = current.take()
    {
        parts.push(finished.finish()?);
    }
    let (_, writer) = match current {
        Some(writer) => writer,
        None => {
            let writer = PartWriter::create(&folder.join(format!("part-{}", parts.len())))?;
            current.insert((batch.part, writer))
        }
    };
    let outcomes: Vec<Result<(Document, Sketch), Fault>> = (0..batch.len())
        .into_par_iter()
        .map(|record| batch.parse(record).and_then(&read).map(with_sketch))
        .collect();
    for fault in &batch.faults {
        writer.reject(fault);
    }
    for outcome in outcomes {
        match outcome {
            Ok((document, sketch)) => writer.keep(document, sketch)?,
            Err(fault) => writer.reject(&fault),
        }
    }
    Ok(())
}

/// Sketches a document and sets its content hash, which is the sketch's.
fn with_sketch(mut document: Document) -> (Document, Sketch) {
    thread_local! {
        static SCRATCH: RefCell<dedup::Scratch> = RefCell::default();
    }
    let origin = dedup::Origin {
        document_id: id::number(&document.document_id).unwrap_or_default(),
        published_us: document.published_at.map(|at| at.as_microsecond()),
    };
    let sketch = SCRATCH.with_borrow_mut(|scratch| dedup::sketch(&document.text, origin, scratch));
    document.content_hash = format!("{:032x}", sketch.exact);
    (document, sketch)
}

fn sketch_row(sketch: &Sketch) -> SketchRow {
    let words = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    SketchRow {
        document_id: id::text("d", sketch.document_id),
        exact: sketch.exact.to_le_bytes().to_vec(),
        hashes: sketch.hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
        scale: i32::from(sketch.scale),
        words: i64::from(sketch.words),
        text_bytes: i64::from(sketch.text_bytes),
        published_at: sketch
            .published_us
            .and_then(|micros| Timestamp::from_microsecond(micros).ok()),
        figures: words(&sketch.figures),
        names: words(&sketch.names),
        run_id: String::new(),
    }
}

/// A sketch as it was stored.
///
/// # Errors
/// The row is damaged.
pub fn sketch(row: &SketchRow) -> Result<Sketch> {
    let words = |bytes: &[u8]| {
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u32::from_le_bytes(*bytes))
            .collect()
    };
    Ok(Sketch {
        document_id: id::number(&row.document_id).context("a sketch without a document")?,
        exact: u128::from_le_bytes(
            row.exact
                .as_slice()
                .try_into()
                .context("a sketch without its hash")?,
        ),
        hashes: row
            .hashes
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes))
            .collect(),
        scale: row.scale as u8,
        words: row.words as u32,
        text_bytes: row.text_bytes as u32,
        published_us: row.published_at.map(|at| at.as_microsecond()),
        figures: words(&row.figures),
        names: words(&row.names),
    })
}

/// How the plan wants records read.
///
/// # Errors
/// It names a field that no document has.
pub fn read_options(plan: &Plan) -> Result<ReadOptions> {
    let fields: Vec<(&str, &str)> = plan
        .input
        .fields
        .iter()
        .map(|(role, name)| (role.as_str(), name.as_str()))
        .collect();
    Ok(ReadOptions {
        fields: FieldNames::from_pairs(&fields)?,
        max_record_bytes: plan.input.max_record_bytes as usize,
        ..ReadOptions::default()
    })
}

/// Writes the documents, sketches and rejects of one part.
struct PartWriter {
    part: Part,
    documents: TableWriter<Document>,
    sketches: TableWriter<SketchRow>,
    rejects: Vec<Reject>,
    waiting: Vec<(Document, Sketch)>,
    waiting_bytes: u64,
}

impl PartWriter {
    fn create(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let part = Part {
            folder: folder.to_owned(),
            ..Part::default()
        };
        Ok(Self {
            documents: TableWriter::create(&part.file::<Document>())?,
            sketches: TableWriter::create(&part.file::<SketchRow>())?,
            part,
            rejects: Vec::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    fn keep(&mut self, document: Document, sketch: Sketch) -> Result<()> {
        self.part.read += 1;
        self.part.text_bytes += document.text.len() as u64;
        *self
            .part
            .languages
            .entry(document.language.to_string())
            .or_default() += 1;
        self.waiting_bytes += document.text.len() as u64;
        self.waiting.push((document, sketch));
        if self.waiting_bytes >= GROUP_TEXT_BYTES {
            self.write_group()?;
        }
        Ok(())
    }

    fn reject(&mut self, fault: &Fault) {
        self.part.read += 1;
        *self.part.rejects.entry(fault.reason).or_default() += 1;
        self.rejects.push(reject_row(fault));
    }

    fn write_group(&mut self) -> Result<()> {
        self.waiting_bytes = 0;
        let mut group = std::mem::take(&mut self.waiting);
        group.sort_by(|(one, _), (other, _)| {
            (one.published_at, &one.document_id).cmp(&(other.published_at, &other.document_id))
        });
        self.part
            .ids
            .extend(group.iter().map(|(_, sketch)| sketch.document_id));
        let (documents, sketches): (Vec<Document>, Vec<Sketch>) = group.into_iter().unzip();
        self.sketches
            .write(&sketches.iter().map(sketch_row).collect::<Vec<_>>())?;
        self.documents.write(&documents)?;
        self.documents.end_group()
    }

    fn finish(mut self) -> Result<Part> {
        self.write_group()?;
        self.documents.finish()?;
        self.sketches.finish()?;
        output::write_table(&self.part.file::<Reject>(), &self.rejects)?;
        output::write_ids(&self.part.folder.join(IDS), &self.part.ids)?;
        Ok(self.part)
    }
}

/// The row of `rejects` that a fault is.
pub fn reject_row(fault: &Fault) -> Reject {
    Reject {
        input_path: fault.input_path.clone(),
        input_record: fault.record,
        byte_offset: fault.byte_offset,
        reason: fault.reason,
        detail: fault.detail.clone(),
        run_id: String::new(),
    }
}
