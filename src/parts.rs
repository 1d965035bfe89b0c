//! The two passes, part by part: what each leaves behind, and how the parts become tables.
//!
//! A part is the documents of about 64 MB of input. Its rows lie in a folder of their own under the output's work
//! folder until the tables are written, so that memory does not grow with the corpus.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use rayon::iter::Either;
use rayon::prelude::*;

use crate::dedup::{self, Sketch};
use crate::incidents::{self, Told};
use crate::input::{self, Batch, Fault, FieldNames, ReadOptions, Unit};
use crate::knowledge::Knowledge;
use crate::output::{self, Store, TableWriter};
use crate::plan::{Extract, Plan};
use crate::rollup;
use crate::tables::{
    Document, Duplicate, Event, Incident, Mention, Reject, RejectReason, Relation, Row, Sentiment, SketchRow,
    StanceMonthly, Survey,
};
use crate::unit::{Interrupted, Meter};
use crate::{document, extract, id};

/// Documents are sorted and written in groups of about this much text, in bytes: small enough to hold a few at
/// a time, large enough to compress well.
const GROUP_TEXT_BYTES: u64 = 16 << 20;
/// Documents read back at a time for extraction.
const EXTRACT_ROWS: usize = 1024;

/// What one part of the input came to.
#[derive(Debug, Default)]
pub struct Part {
    folder: PathBuf,
    /// Ids of its documents, in the order of their rows.
    ids: Vec<u128>,
    /// Bytes of text in its documents.
    pub text_bytes: u64,
    /// Records read, whether kept or not.
    pub read: u64,
    /// Records not kept, by reason.
    pub rejects: BTreeMap<RejectReason, u64>,
    /// Documents by language.
    pub languages: BTreeMap<String, u64>,
    /// What the gate before extraction let through.
    pub gate: extract::Gate,
    /// Publication of the documents that tell of events.
    pub told: HashMap<String, Told>,
}

impl Part {
    /// Documents kept.
    pub fn documents(&self) -> u64 {
        self.ids.len() as u64
    }

    fn file<R: Row>(&self) -> PathBuf {
        self.folder.join(format!("{}.parquet", R::TABLE))
    }
}

/// Reads one unit of input into parts: documents, sketches and rejects.
///
/// # Errors
/// The work folder cannot be written, or the run was interrupted.
pub fn ingest(
    unit: &Unit,
    folder: &Path,
    plan: &Plan,
    knowledge: &Knowledge,
    run_id: &str,
    meter: &Meter,
) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut current: Option<(u32, PartWriter)> = None;
    let mut failure = None;
    let options = read_options(plan)?;
    input::read(unit, &options, &mut |batch: Batch| {
        let outcome = add_batch(&mut current, &mut parts, folder, &batch, |record| {
            document::read(record, &batch.input_path, &plan.documents, knowledge, run_id)
        });
        meter.advance(batch.bytes, batch.len() as u64);
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
            let writer = PartWriter::create(&folder.join(format!("part-{}", batch.part)))?;
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

fn sketch(row: &SketchRow) -> Result<Sketch> {
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

fn read_options(plan: &Plan) -> Result<ReadOptions> {
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

/// Compares all documents and gives, for each, whether it is a copy and of what.
///
/// # Errors
/// The work folder cannot be read or written, or the memory of the plan is too little for so many documents.
pub fn compare(parts: &[Part], plan: &Plan, work: &Path) -> Result<Vec<Duplicate>> {
    let Some(wanted) = &plan.dedup else {
        let unique = |id: &u128| Duplicate {
            document_id: id::text("d", *id),
            cluster_id: id::text("c", *id),
            canonical_id: id::text("d", *id),
            ..Duplicate::default()
        };
        let mut rows: Vec<Duplicate> = parts.iter().flat_map(|part| &part.ids).map(unique).collect();
        rows.sort_by(|one, other| one.document_id.cmp(&other.document_id));
        return Ok(rows);
    };
    let sketches =
        parts.iter().flat_map(
            |part| match output::read_table(&part.file::<SketchRow>(), EXTRACT_ROWS) {
                Ok(batches) => Either::Left(batches.flat_map(|batch| match batch {
                    Ok(rows) => rows.iter().map(sketch).collect(),
                    Err(error) => vec![Err(error)],
                })),
                Err(error) => Either::Right(std::iter::once(Err(error))),
            },
        );
    let options = dedup::Options {
        memory_bytes: (plan.memory_bytes / 2) as usize,
        work: &work.join("dedup"),
        window_days: wanted.window_days,
    };
    std::fs::create_dir_all(options.work)?;
    dedup::cluster(sketches, &options)?
        .map(|row| Ok(duplicate_row(&row?)))
        .collect()
}

fn duplicate_row(row: &dedup::Duplicate) -> Duplicate {
    Duplicate {
        document_id: id::text("d", row.document_id),
        cluster_id: id::text("c", row.cluster_id),
        canonical_id: id::text("d", row.canonical_id),
        relation: row.relation,
        jaccard: row.jaccard,
        containment: row.containment,
        contained: row.contained,
        hours_after_canonical: row.hours_after_canonical,
        run_id: String::new(),
    }
}

/// The documents that say nothing of their own: exact and near copies.
pub fn copies(duplicates: &[Duplicate]) -> HashSet<u128> {
    let copies = duplicates
        .iter()
        .filter(|row| matches!(row.relation, Relation::Exact | Relation::Near));
    copies.filter_map(|row| id::number(&row.document_id)).collect()
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
        Ok(self.part)
    }
}

fn reject_row(fault: &Fault) -> Reject {
    Reject {
        input_path: fault.input_path.clone(),
        input_record: fault.record,
        byte_offset: fault.byte_offset,
        reason: fault.reason,
        detail: fault.detail.clone(),
        run_id: String::new(),
    }
}

/// Moves documents that stand in the input more than once from `documents` to `rejects`, but for the first.
/// The same article from two addresses is no repetition but a copy.
///
/// # Errors
/// The work folder cannot be read or written.
pub fn drop_repeated(parts: &mut [Part]) -> Result<()> {
    let mut seen: HashSet<u128> = HashSet::with_capacity(parts.iter().map(|part| part.ids.len()).sum());
    for part in parts {
        let keep: Vec<bool> = part.ids.iter().map(|id| seen.insert(*id)).collect();
        if keep.iter().any(|keep| !keep) {
            drop_rows(part, &keep)?;
        }
    }
    Ok(())
}

fn drop_rows(part: &mut Part, keep: &[bool]) -> Result<()> {
    let mut rejects: Vec<Reject> = output::read_whole_table(&part.file::<Reject>())?;
    let mut kept = Vec::new();
    for (document, keep) in output::read_whole_table::<Document>(&part.file::<Document>())?
        .into_iter()
        .zip(keep)
    {
        if *keep {
            kept.push(document);
            continue;
        }
        part.text_bytes -= document.text.len() as u64;
        if let Some(number) = part.languages.get_mut(document.language.as_str()) {
            *number -= 1;
        }
        rejects.push(Reject {
            input_path: document.input_path,
            input_record: Some(document.input_record),
            byte_offset: None,
            reason: RejectReason::Repeated,
            detail: format!("the same article as {}", document.document_id),
            run_id: document.run_id,
        });
    }
    *part.rejects.entry(RejectReason::Repeated).or_default() += (keep.len() - kept.len()) as u64;
    let mut flags = keep.iter();
    let sketches = output::read_whole_table::<SketchRow>(&part.file::<SketchRow>())?;
    let sketches: Vec<_> = sketches
        .into_iter()
        .filter(|_| flags.next() == Some(&true))
        .collect();
    let mut flags = keep.iter();
    part.ids.retain(|_| flags.next() == Some(&true));
    output::write_table(&part.file::<Reject>(), &rejects)?;
    output::write_table(&part.file::<SketchRow>(), &sketches)?;
    output::write_table(&part.file::<Document>(), &kept)?;
    Ok(())
}

/// Reads one part's documents, but for copies, for what they say: mentions, events, stances, survey findings.
/// Gives the number of sentences seen and parsed, and when the documents that tell of events were published.
///
/// # Errors
/// The work folder cannot be read or written, or the run was interrupted.
pub fn extract(
    part: &Part,
    copies: &HashSet<u128>,
    wanted: &Extract,
    knowledge: &Knowledge,
    run_id: &str,
    meter: &Meter,
) -> Result<(extract::Gate, HashMap<String, Told>)> {
    let mut mentions = TableWriter::<Mention>::create(&part.file::<Mention>())?;
    let mut events = TableWriter::<Event>::create(&part.file::<Event>())?;
    let mut sentiment = TableWriter::<Sentiment>::create(&part.file::<Sentiment>())?;
    let mut surveys = TableWriter::<Survey>::create(&part.file::<Survey>())?;
    let mut gate = extract::Gate::default();
    let mut told = HashMap::new();
    for documents in output::read_table::<Document>(&part.file::<Document>(), EXTRACT_ROWS)? {
        meter.check()?;
        let documents = documents?;
        let original = |document: &&Document| {
            id::number(&document.document_id).is_none_or(|number| !copies.contains(&number))
        };
        let found: Vec<extract::Findings> = documents
            .par_iter()
            .filter(original)
            .map(|document| extract::read(document, knowledge, wanted.scope, run_id))
            .collect();
        for findings in found {
            gate.add(&findings.gate);
            mentions.write(&findings.mentions)?;
            events.write(&findings.events)?;
            sentiment.write(&findings.sentiment)?;
            surveys.write(&findings.surveys)?;
            told.extend(findings.told);
        }
        let bytes = documents.iter().map(|document| document.text.len() as u64).sum();
        meter.advance(bytes, documents.len() as u64);
    }
    gate.mentions = mentions.finish()?;
    events.finish()?;
    sentiment.finish()?;
    surveys.finish()?;
    Ok((gate, told))
}

/// The rows of the tables of findings, which are sorted as a whole.
#[derive(Debug, Default)]
pub struct Happenings {
    /// Rows of `events`.
    pub events: Vec<Event>,
    /// Rows of `incidents`.
    pub incidents: Vec<Incident>,
    /// Rows of `sentiment`.
    pub sentiment: Vec<Sentiment>,
    /// Rows of `surveys`.
    pub surveys: Vec<Survey>,
    /// Rows of every table written, by name.
    pub rows: Vec<(&'static str, u64)>,
}

fn gather<R: Row>(parts: &[Part]) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for part in parts {
        rows.append(&mut output::read_whole_table(&part.file::<R>())?);
    }
    Ok(rows)
}

/// Links events to incidents and writes every table of the run: those of documents joined part by part,
/// those of findings sorted by force and date.
///
/// # Errors
/// The disk is full or gone.
pub fn write_tables(
    parts: &[Part],
    faults: &[Fault],
    mut duplicates: Vec<Duplicate>,
    plan: &Plan,
    knowledge: &Knowledge,
    store: &Store,
) -> Result<(Happenings, Vec<Duplicate>)> {
    let mut found = Happenings::default();
    let run_id = store.run_id();
    duplicates
        .iter_mut()
        .for_each(|row| row.run_id = run_id.to_owned());
    found
        .rows
        .push((Document::TABLE, join::<Document>(parts, store)?));
    found.rows.push((
        Duplicate::TABLE,
        output::write_table(&store.table(Duplicate::TABLE), &duplicates)?,
    ));
    let mut rejects: Vec<Reject> = faults.iter().map(reject_row).chain(gather(parts)?).collect();
    rejects.iter_mut().for_each(|row| row.run_id = run_id.to_owned());
    rejects.sort_by(|one, other| {
        (&one.input_path, one.input_record, one.byte_offset).cmp(&(
            &other.input_path,
            other.input_record,
            other.byte_offset,
        ))
    });
    found.rows.push((
        Reject::TABLE,
        output::write_table(&store.table(Reject::TABLE), &rejects)?,
    ));
    if plan.extract.is_some() {
        write_findings(parts, knowledge, store, &mut found)?;
    }
    Ok((found, duplicates))
}

fn write_findings(
    parts: &[Part],
    knowledge: &Knowledge,
    store: &Store,
    found: &mut Happenings,
) -> Result<()> {
    found.events = gather(parts)?;
    found.sentiment = gather(parts)?;
    found.surveys = gather(parts)?;
    let told: HashMap<&str, &Told> = parts
        .iter()
        .flat_map(|part| &part.told)
        .map(|(document, told)| (document.as_str(), told))
        .collect();
    found.incidents = incidents::link(
        &mut found.events,
        &told,
        |name| knowledge.event_types.family(name),
        store.run_id(),
    );
    found.events.sort_by(|one, other| {
        (&one.force_home, one.starts_on, &one.event_id).cmp(&(
            &other.force_home,
            other.starts_on,
            &other.event_id,
        ))
    });
    found.incidents.sort_by(|one, other| {
        (&one.force_home, one.starts_on, &one.incident_id).cmp(&(
            &other.force_home,
            other.starts_on,
            &other.incident_id,
        ))
    });
    found.sentiment.sort_by(|one, other| {
        (&one.force_home, one.stated_on, &one.sentiment_id).cmp(&(
            &other.force_home,
            other.stated_on,
            &other.sentiment_id,
        ))
    });
    found.surveys.sort_by(|one, other| {
        (&one.force_home, one.fieldwork_from, &one.survey_id).cmp(&(
            &other.force_home,
            other.fieldwork_from,
            &other.survey_id,
        ))
    });
    found.rows.push((Mention::TABLE, join::<Mention>(parts, store)?));
    found.rows.push((
        Event::TABLE,
        output::write_table(&store.table(Event::TABLE), &found.events)?,
    ));
    found.rows.push((
        Incident::TABLE,
        output::write_table(&store.table(Incident::TABLE), &found.incidents)?,
    ));
    found.rows.push((
        Sentiment::TABLE,
        output::write_table(&store.table(Sentiment::TABLE), &found.sentiment)?,
    ));
    found.rows.push((
        Survey::TABLE,
        output::write_table(&store.table(Survey::TABLE), &found.surveys)?,
    ));
    let monthly = rollup::monthly(&found.sentiment, &found.events, store.run_id());
    found.rows.push((
        StanceMonthly::TABLE,
        output::write_table(&store.table(StanceMonthly::TABLE), &monthly)?,
    ));
    Ok(())
}

fn join<R: Row>(parts: &[Part], store: &Store) -> Result<u64> {
    let files: Vec<PathBuf> = parts.iter().map(Part::file::<R>).collect();
    output::join_tables::<R>(&files, &store.table(R::TABLE))
}
