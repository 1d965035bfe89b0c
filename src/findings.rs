//! The second pass: the documents of a part that are no copies are read for what they say.
//!
//! What a document says depends on the document and the knowledge alone. Which documents are copies depends on all
//! documents, so that a part keeps what was found in each document it was ever asked about, and a run that asks about
//! more adds only those.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;

use crate::kept::Kept;
use crate::knowledge::Knowledge;
use crate::output::{self, TableWriter};
use crate::parts::Part;
use crate::plan::Extract;
use crate::tables::{Document, Event, Extraction, Mention, Row, Sentiment, Survey};
use crate::unit::Meter;
use crate::{extract, id, kill};

/// Documents read back at a time.
const EXTRACT_ROWS: usize = 1024;

/// The findings of a part: folders that lie in it, each of other documents.
#[derive(Debug)]
pub struct Found {
    folder: PathBuf,
    folders: usize,
    /// Whether documents that this run does not ask about were read as well, so that rows must be chosen.
    pub has_more: bool,
}

impl Found {
    /// The files of a table, which together hold its rows.
    pub fn files<R: Row>(&self) -> Vec<PathBuf> {
        let file = format!("{}.parquet", R::TABLE);
        (0..self.folders)
            .map(|number| self.folder.join(number.to_string()).join(&file))
            .collect()
    }
}

/// Whether a run asks about the findings of a document of a part.
pub fn is_wanted(part: &Part, copies: &HashSet<u128>, document: u128) -> bool {
    !copies.contains(&document) && !part.absent.contains(&document)
}

/// Whether a row that names its document belongs to a run.
pub fn is_row_wanted(part: &Part, copies: &HashSet<u128>, document_id: &str) -> bool {
    id::number(document_id).is_none_or(|document| is_wanted(part, copies, document))
}

/// The findings of a part if everything asked for is there.
///
/// # Errors
/// They are there and cannot be read.
pub fn kept(part: &Part, copies: &HashSet<u128>, kept: &Kept) -> Result<Option<Found>> {
    let (found, missing) = look(part, copies, kept)?;
    Ok(missing.is_empty().then_some(found))
}

/// What is there of a part's findings, and the documents that were not read yet.
fn look(part: &Part, copies: &HashSet<u128>, kept: &Kept) -> Result<(Found, HashSet<u128>)> {
    let mut found = Found {
        folder: kept.findings(part),
        folders: 0,
        has_more: false,
    };
    let wanted = part.ids.iter().copied();
    let mut missing: HashSet<u128> = wanted.filter(|id| is_wanted(part, copies, *id)).collect();
    while found.folder.join(found.folders.to_string()).exists() {
        let covered = output::read_ids(&found.folder.join(found.folders.to_string()).join(COVERED))?;
        for id in covered {
            found.has_more |= !missing.remove(&id);
        }
        found.folders += 1;
    }
    Ok((found, missing))
}

const COVERED: &str = "ids";

/// Reads what was not read yet of a part's documents for what they say: mentions, events, stances, survey findings.
///
/// # Errors
/// The output folder cannot be read or written, or the run was interrupted.
pub fn extract(
    part: &Part,
    copies: &HashSet<u128>,
    wanted: &Extract,
    knowledge: &Knowledge,
    kept: &Kept,
    meter: &Meter,
) -> Result<Found> {
    let (mut found, mut missing) = look(part, copies, kept)?;
    let folder = found.folder.join(found.folders.to_string());
    let aside = folder.with_extension("part");
    output::remove_folder(&aside)?;
    fs::create_dir_all(&aside)?;
    kill::point("extract: unit begun");
    let mut writer = Writer::create(&aside)?;
    let mut covered = Vec::new();
    for documents in output::read_table::<Document>(&part.file::<Document>(), EXTRACT_ROWS)? {
        meter.check()?;
        let mut documents = documents?;
        let bytes = documents.iter().map(|document| document.text.len() as u64).sum();
        let records = documents.len() as u64;
        documents.retain(|document| {
            let id = id::number(&document.document_id);
            let is_missing = id.is_some_and(|id| missing.remove(&id));
            covered.extend(id.filter(|_| is_missing));
            is_missing
        });
        let read = documents
            .par_iter()
            .map(|document| (extract::read(document, knowledge, wanted.scope), document));
        writer.write(read.collect())?;
        meter.advance(bytes, records);
        kill::point("extract: batch done");
    }
    writer.finish()?;
    output::write_ids(&aside.join(COVERED), &covered)?;
    kill::point("extract: unit whole");
    fs::rename(&aside, &folder)?;
    kill::point("extract: unit kept");
    found.folders += 1;
    Ok(found)
}

struct Writer {
    extractions: TableWriter<Extraction>,
    mentions: TableWriter<Mention>,
    events: TableWriter<Event>,
    sentiment: TableWriter<Sentiment>,
    surveys: TableWriter<Survey>,
}

impl Writer {
    fn create(folder: &std::path::Path) -> Result<Self> {
        fn table<R: Row>(folder: &std::path::Path) -> Result<TableWriter<R>> {
            TableWriter::create(&folder.join(format!("{}.parquet", R::TABLE)))
        }
        Ok(Self {
            extractions: table(folder)?,
            mentions: table(folder)?,
            events: table(folder)?,
            sentiment: table(folder)?,
            surveys: table(folder)?,
        })
    }

    fn write(&mut self, read: Vec<(extract::Findings, &Document)>) -> Result<()> {
        let mut all = extract::Findings::default();
        let mut extractions = Vec::with_capacity(read.len());
        for (mut found, document) in read {
            extractions.push(Extraction {
                document_id: document.document_id.clone(),
                published_at: document.published_at,
                source: document.source.clone(),
                sentences: found.gate.sentences as i32,
                parsed: found.gate.parsed as i32,
                events: found.events.len() as i32,
                run_id: String::new(),
            });
            all.mentions.append(&mut found.mentions);
            all.events.append(&mut found.events);
            all.sentiment.append(&mut found.sentiment);
            all.surveys.append(&mut found.surveys);
        }
        self.extractions.write(&extractions)?;
        self.mentions.write(&all.mentions)?;
        self.events.write(&all.events)?;
        self.sentiment.write(&all.sentiment)?;
        self.surveys.write(&all.surveys)
    }

    fn finish(self) -> Result<()> {
        self.extractions.finish()?;
        self.mentions.finish()?;
        self.events.finish()?;
        self.sentiment.finish()?;
        self.surveys.finish()?;
        Ok(())
    }
}

/// When and by whom documents that tell of events were published: 24 bytes a document and each publisher once.
#[derive(Debug, Default)]
pub struct Tellings {
    told: HashMap<u128, (Option<jiff::Timestamp>, Option<u32>)>,
    sources: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Tellings {
    /// Notes a document if it tells of events.
    pub fn add(&mut self, row: &Extraction) {
        let Some(document) = id::number(&row.document_id).filter(|_| row.events > 0) else {
            return;
        };
        let source = row.source.as_ref().map(|source| {
            *self.numbers.entry(source.clone()).or_insert_with(|| {
                self.sources.push(source.clone());
                self.sources.len() as u32 - 1
            })
        });
        self.told.insert(document, (row.published_at, source));
    }

    /// When and by whom a document was published.
    pub fn get(&self, document_id: &str) -> Option<crate::incidents::Told> {
        let (published_at, source) = self.told.get(&id::number(document_id)?)?;
        Some(crate::incidents::Told {
            published_at: *published_at,
            source: source.map(|number| self.sources[number as usize].clone()),
        })
    }
}
