//! What differs between the tables of two runs, row by row and with the reason.
//!
//! Rows are compared by the hash of their cells, so many at a time as fit in memory: a table is read as often as
//! that takes. `run_id` differs in every row and is not compared; of documents, the text is not read, because it is
//! part of what their identity is a hash of.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use arrow::row::{RowConverter, SortField};
use xxhash_rust::xxh3::xxh3_128;

use crate::gather::Totals;
use crate::inputs::{Input, Inputs};
use crate::kept::Settings;
use crate::output::{self, Store};
use crate::sort::{Sorted, Sorter};
use crate::tables::{
    Change, ChangeKind, ChangeReason, Code, Document, Duplicate, Event, Incident, Link, Mention, Reject,
    Relation, Row, Sentiment, Standing, Survey,
};
use crate::{gather, id, kill, report};

/// Writes `changes`: how the tables of this run differ from the last run's. A first run has none.
///
/// # Errors
/// The disk is full or gone, or the last run's tables cannot be read.
pub fn write(
    store: &Store,
    inputs: &Inputs,
    settings: &Settings,
    memory_bytes: u64,
    totals: &mut Totals,
) -> Result<()> {
    let work = store.work();
    let rows: Sorted<Change> = match store.current() {
        None => Box::new(std::iter::empty()),
        Some(last) => {
            let new = Side {
                folder: store.tables(),
                settings: names(settings),
                inputs: inputs.files.iter().map(input_of_run).collect(),
            };
            between(&Side::of(&last)?, &new, memory_bytes, &work)?
        }
    };
    let written = gather::write_rows(rows, store, |_: &Change| {})?;
    totals.rows.push((Change::TABLE, written));
    kill::point("write: changes written");
    Ok(())
}

/// A run whose tables are compared.
pub struct Side {
    folder: PathBuf,
    settings: [String; 3],
    /// Content of the inputs by the hash of their path; `None` where it is not known.
    inputs: HashMap<u128, Option<String>>,
}

fn input_of_run(input: &Input) -> (u128, Option<String>) {
    (id::hash(&[input.file.shown.as_bytes()]), input.content.clone())
}

impl Side {
    /// A finished run.
    ///
    /// # Errors
    /// Its report cannot be read.
    pub fn of(folder: &Path) -> Result<Self> {
        let report = report::read(folder)?;
        let settings = ["program", "knowledge", "plan"]
            .map(|key| report["settings"][key].as_str().unwrap_or_default().to_owned());
        let inputs = report["inputs"].as_array().into_iter().flatten();
        let inputs = inputs.map(|input| {
            let path = input["path"].as_str().unwrap_or_default();
            let content = input["xxh3_128"].as_str().map(str::to_owned);
            (id::hash(&[path.as_bytes()]), content)
        });
        Ok(Self {
            folder: folder.to_owned(),
            settings,
            inputs: inputs.collect(),
        })
    }

    fn file(&self, table: &str) -> PathBuf {
        self.folder.join(format!("{table}.parquet"))
    }
}

fn names(settings: &Settings) -> [String; 3] {
    [settings.program, settings.knowledge, settings.plan].map(report::hexadecimal)
}

/// The tables that are compared, in an order in which each follows those that its reasons come from.
const COMPARED: [(&str, Cause); 8] = [
    (Document::TABLE, Cause::Input),
    (Reject::TABLE, Cause::Input),
    (Duplicate::TABLE, Cause::Document),
    (Mention::TABLE, Cause::Document),
    (Event::TABLE, Cause::Document),
    (Sentiment::TABLE, Cause::Document),
    (Survey::TABLE, Cause::Document),
    (Incident::TABLE, Cause::Event),
];

/// What the fate of a row hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Input,
    Document,
    Event,
}

impl Cause {
    fn column(self) -> &'static str {
        match self {
            Self::Input => "input_path",
            Self::Document => "document_id",
            Self::Event => "representative_event_id",
        }
    }
}

/// The changes from one run to another, sorted by table and row.
///
/// # Errors
/// A table cannot be read, or the disk is full.
pub fn between<'w>(old: &Side, new: &Side, memory_bytes: u64, work: &'w Path) -> Result<Sorted<'w, Change>> {
    let mut sorter = Sorter::new(work, "changes", memory_bytes / 16, |row: &Change| {
        (row.table_name.clone(), row.row_id.clone(), row.change)
    });
    let mut facts = Facts::gather(old, new)?;
    for (table, cause) in COMPARED {
        let mut withdrawn = Vec::new();
        let mut reasons = HashMap::new();
        differences(old, new, table, cause, memory_bytes, &mut |found: &Difference| {
            let reason = facts.reason(found, cause);
            if table == Event::TABLE || table == Document::TABLE {
                reasons.insert(found.key, reason);
            }
            if table == Incident::TABLE && found.kind == ChangeKind::Withdrawn {
                withdrawn.push((found.key, reason));
                return Ok(());
            }
            sorter.push(facts.row(table, found, reason))
        })?;
        match table {
            Document::TABLE => facts.documents = reasons,
            Event::TABLE => facts.events = reasons,
            _ => {}
        }
        if table == Incident::TABLE {
            let merged = merged(old, new, &withdrawn)?;
            for (key, reason) in withdrawn {
                sorter.push(facts.incident_gone(key, reason, merged.get(&key)))?;
            }
        }
    }
    sorter.finish()
}

/// A row that is not in both runs, or not the same.
struct Difference {
    key: u128,
    prefix: &'static str,
    kind: ChangeKind,
    cause: u128,
}

/// What the reasons of changes follow from.
struct Facts {
    prior_run_id: String,
    setting: Option<ChangeReason>,
    new_inputs: HashSet<u128>,
    gone_inputs: HashSet<u128>,
    old_copies: HashSet<u128>,
    new_copies: HashSet<u128>,
    documents: HashMap<u128, ChangeReason>,
    events: HashMap<u128, ChangeReason>,
}

impl Facts {
    fn gather(old: &Side, new: &Side) -> Result<Self> {
        let missing = |these: &Side, others: &Side| {
            // What is not known may have changed.
            let is_missing = |(path, content): &(&u128, &Option<String>)| {
                content.is_none() || others.inputs.get(*path) != Some(*content)
            };
            these
                .inputs
                .iter()
                .filter(is_missing)
                .map(|(path, _)| *path)
                .collect()
        };
        let reasons = [ChangeReason::Program, ChangeReason::Knowledge, ChangeReason::Plan];
        let differs = (0..reasons.len()).find(|index| old.settings[*index] != new.settings[*index]);
        Ok(Self {
            prior_run_id: old.folder.file_name().unwrap_or_default().display().to_string(),
            setting: differs.map(|index| reasons[index]),
            new_inputs: missing(new, old),
            gone_inputs: missing(old, new),
            old_copies: copies(old)?,
            new_copies: copies(new)?,
            documents: HashMap::new(),
            events: HashMap::new(),
        })
    }

    fn reason(&self, found: &Difference, cause: Cause) -> ChangeReason {
        let otherwise = self.setting.unwrap_or(ChangeReason::Neighbours);
        let is_gone = found.kind == ChangeKind::Withdrawn;
        let (was_copy, is_copy) = (
            self.old_copies.contains(&found.cause),
            self.new_copies.contains(&found.cause),
        );
        match cause {
            Cause::Input if is_gone && self.gone_inputs.contains(&found.cause) => ChangeReason::InputGone,
            Cause::Input if !is_gone && self.new_inputs.contains(&found.cause) => ChangeReason::NewInput,
            Cause::Document => match self.documents.get(&found.cause) {
                Some(reason) if found.kind != ChangeKind::Changed => *reason,
                _ if is_copy && !was_copy => ChangeReason::Copy,
                _ if was_copy && !is_copy => ChangeReason::NoCopy,
                _ => otherwise,
            },
            Cause::Event => self.events.get(&found.cause).copied().unwrap_or(otherwise),
            Cause::Input => otherwise,
        }
    }

    fn row(&self, table: &str, found: &Difference, reason: ChangeReason) -> Change {
        Change {
            table_name: Code::new(table),
            row_id: id::text(found.prefix, found.key),
            change: found.kind,
            merged_into: None,
            reason,
            prior_run_id: self.prior_run_id.clone(),
            run_id: String::new(),
        }
    }

    fn incident_gone(&self, key: u128, reason: ChangeReason, merged_into: Option<&String>) -> Change {
        let kind = match merged_into {
            Some(_) => ChangeKind::Merged,
            None => ChangeKind::Withdrawn,
        };
        let found = Difference {
            key,
            prefix: "i",
            kind,
            cause: 0,
        };
        Change {
            merged_into: merged_into.cloned(),
            ..self.row(Incident::TABLE, &found, reason)
        }
    }
}

fn copies(side: &Side) -> Result<HashSet<u128>> {
    let mut copies = HashSet::new();
    for rows in output::read_table::<Standing>(&side.file(Duplicate::TABLE), ROWS)? {
        let is_copy = |row: &&Standing| matches!(row.relation, Relation::Exact | Relation::Near);
        copies.extend(
            rows?
                .iter()
                .filter(is_copy)
                .filter_map(|row| id::number(&row.document_id)),
        );
    }
    Ok(copies)
}

/// Where the rows of incidents that are gone are told now: for each the incident that holds most of its events.
fn merged(old: &Side, new: &Side, gone: &[(u128, ChangeReason)]) -> Result<HashMap<u128, String>> {
    let gone: HashSet<u128> = gone.iter().map(|(key, _)| *key).collect();
    let mut was: HashMap<String, u128> = HashMap::new();
    each_link(old, |row| {
        let incident = row.incident_id.as_deref().and_then(id::number);
        if let Some(incident) = incident.filter(|incident| gone.contains(incident)) {
            was.insert(row.event_id, incident);
        }
    })?;
    let mut now: HashMap<u128, BTreeMap<String, u64>> = HashMap::new();
    each_link(new, |row| {
        if let (Some(incident), Some(holder)) = (was.get(&row.event_id), row.incident_id) {
            *now.entry(*incident).or_default().entry(holder).or_default() += 1;
        }
    })?;
    let most = |holders: BTreeMap<String, u64>| {
        // Of equals the last in the order of ids.
        holders
            .into_iter()
            .max_by_key(|(_, events)| *events)
            .map(|(holder, _)| holder)
    };
    Ok(now
        .into_iter()
        .filter_map(|(incident, holders)| Some((incident, most(holders)?)))
        .collect())
}

fn each_link(side: &Side, mut each: impl FnMut(Link)) -> Result<()> {
    let file = side.file(Event::TABLE);
    if file.exists() {
        for rows in output::read_table::<Link>(&file, ROWS)? {
            rows?.into_iter().for_each(&mut each);
        }
    }
    Ok(())
}

/// Rows read at a time.
const ROWS: usize = 8192;
/// Memory that a row of the old table takes while it is compared.
const ROW_BYTES: u64 = 96;

/// Calls `each` on every difference in a table.
fn differences(
    old: &Side,
    new: &Side,
    table: &str,
    cause: Cause,
    memory_bytes: u64,
    each: &mut impl FnMut(&Difference) -> Result<()>,
) -> Result<()> {
    let (old, new) = (old.file(table), new.file(table));
    let rows = output::rows_in(&old)?;
    let passes = 1 + u128::from(rows * ROW_BYTES / (memory_bytes / 4));
    for pass in 0..passes {
        let mut left: HashMap<u128, (u128, u128)> = HashMap::new();
        let prefix = each_digest(&old, table, cause, |row| {
            if row.key % passes == pass {
                left.insert(row.key, (row.digest, row.cause));
            }
            Ok(())
        })?;
        each_digest(&new, table, cause, |row| {
            if row.key % passes != pass {
                return Ok(());
            }
            let kind = match left.remove(&row.key) {
                None => ChangeKind::Added,
                Some((digest, _)) if digest != row.digest => ChangeKind::Changed,
                Some(_) => return Ok(()),
            };
            each(&Difference {
                key: row.key,
                prefix,
                kind,
                cause: row.cause,
            })
        })?;
        for (key, (_, cause)) in left {
            each(&Difference {
                key,
                prefix,
                kind: ChangeKind::Withdrawn,
                cause,
            })?;
        }
    }
    Ok(())
}

/// A row as it is compared.
struct Digest {
    key: u128,
    digest: u128,
    cause: u128,
}

/// Calls `each` on the rows of a table, and gives the prefix of their ids. A table that is not there has no rows.
fn each_digest(
    file: &Path,
    table: &str,
    cause: Cause,
    mut each: impl FnMut(Digest) -> Result<()>,
) -> Result<&'static str> {
    // Rejects have no id of their own: a row is what it says.
    let key = match table {
        Reject::TABLE => None,
        Incident::TABLE => Some(("incident_id", "i")),
        Mention::TABLE => Some(("mention_id", "m")),
        Event::TABLE => Some(("event_id", "e")),
        Sentiment::TABLE => Some(("sentiment_id", "s")),
        Survey::TABLE => Some(("survey_id", "v")),
        _ => Some(("document_id", "d")),
    };
    let prefix = key.map_or("r", |(_, prefix)| prefix);
    if !file.exists() {
        return Ok(prefix);
    }
    let columns = crate::tables::columns_of(table);
    let compared: Vec<&str> = columns
        .iter()
        .copied()
        .filter(|name| *name != "run_id" && (table != Document::TABLE || *name != "text"))
        .collect();
    for batch in output::open_table(file, ROWS, &compared)? {
        let batch = batch?;
        let causes = texts(&batch, cause.column())?;
        let keys = key.map(|(column, _)| texts(&batch, column)).transpose()?;
        for (row, digest) in digests(&batch)?.into_iter().enumerate() {
            let number = |texts: &[Option<String>]| texts[row].as_deref().and_then(id::number);
            let cause = match cause {
                Cause::Input => id::hash(&[causes[row].as_deref().unwrap_or_default().as_bytes()]),
                Cause::Document | Cause::Event => number(&causes).unwrap_or_default(),
            };
            let key = keys.as_deref().map_or(Some(digest), number).unwrap_or_default();
            each(Digest { key, digest, cause })?;
        }
    }
    Ok(prefix)
}

fn digests(batch: &RecordBatch) -> Result<Vec<u128>> {
    let fields = batch
        .schema()
        .fields()
        .iter()
        .map(|field| SortField::new(field.data_type().clone()))
        .collect();
    let rows = RowConverter::new(fields)?.convert_columns(batch.columns())?;
    Ok(rows.iter().map(|row| xxh3_128(row.as_ref())).collect())
}

fn texts(batch: &RecordBatch, column: &str) -> Result<Vec<Option<String>>> {
    let array = batch
        .column_by_name(column)
        .with_context(|| format!("there is no column {column}"))?;
    let Some(texts) = array.as_string_opt::<i32>() else {
        bail!("column {column} is no text");
    };
    Ok((0..texts.len())
        .map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned()))
        .collect())
}

/// The page that `garrison diff` shows: rows by table, change and reason, and on request each row.
///
/// # Errors
/// A table cannot be read.
pub fn page(old: &Path, new: &Path, memory_bytes: u64, with_rows: bool) -> Result<String> {
    let work = std::env::temp_dir().join(format!("garrison-diff-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let page = between(&Side::of(old)?, &Side::of(new)?, memory_bytes, &work)
        .and_then(|rows| page_of(rows, with_rows));
    output::remove_folder(&work)?;
    page
}

fn page_of(rows: Sorted<Change>, with_rows: bool) -> Result<String> {
    let mut numbers: BTreeMap<(Code, ChangeKind, ChangeReason), u64> = BTreeMap::new();
    let mut page = String::new();
    // Writing to a string cannot fail.
    for row in rows {
        let row = row?;
        if with_rows {
            let merged = row.merged_into.as_deref().unwrap_or_default();
            let _ = writeln!(
                page,
                "{}\t{}\t{}\t{}\t{merged}",
                row.table_name, row.row_id, row.change, row.reason
            );
        }
        *numbers
            .entry((row.table_name, row.change, row.reason))
            .or_default() += 1;
    }
    if !with_rows {
        for ((table, kind, reason), number) in &numbers {
            let _ = writeln!(page, "{table:<11} {number:>9} {kind:<9} {reason}");
        }
        if numbers.is_empty() {
            page.push_str("no row differs\n");
        }
    }
    Ok(page)
}
