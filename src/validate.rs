//! `garrison validate`: do the tables of a run keep what they promise? Schemas, words, keys, references, byte ranges and
//! counts. Ids and ranges are checked so many at a time as fit in memory; a table is read as often as that takes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchReader};
use xxhash_rust::xxh3::xxh3_64;

use crate::output;
use crate::tables::{self, Column};
use crate::{id, report};

/// What the tables of a run do not keep.
#[derive(Debug)]
pub struct Invalid {
    /// Each fault with how often it was found and the first places.
    faults: BTreeMap<String, (u64, Vec<String>)>,
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the tables do not keep what they promise")?;
        for (fault, (number, places)) in &self.faults {
            write!(formatter, "\n  {fault}: {number}")?;
            if !places.is_empty() {
                write!(formatter, " ({} ...)", places.join(", "))?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Rows read at a time.
const ROWS: usize = 8192;
/// Places named per fault.
const PLACES: usize = 3;
/// Memory of an id or a range in a set.
const ENTRY_BYTES: u64 = 64;

/// Columns that identify the rows of their table.
const KEYS: [(&str, &str); 7] = [
    ("documents", "document_id"),
    ("duplicates", "document_id"),
    ("mentions", "mention_id"),
    ("events", "event_id"),
    ("incidents", "incident_id"),
    ("sentiment", "sentiment_id"),
    ("surveys", "survey_id"),
];

/// Columns that name rows of another table.
const REFERENCES: [(&str, &str, &str, &str); 12] = [
    ("documents", "document_id", "duplicates", "document_id"),
    ("duplicates", "document_id", "documents", "document_id"),
    ("duplicates", "canonical_id", "documents", "document_id"),
    ("mentions", "document_id", "documents", "document_id"),
    ("events", "document_id", "documents", "document_id"),
    ("sentiment", "document_id", "documents", "document_id"),
    ("surveys", "document_id", "documents", "document_id"),
    ("events", "incident_id", "incidents", "incident_id"),
    ("incidents", "representative_event_id", "events", "event_id"),
    ("sentiment", "event_id", "events", "event_id"),
    ("sentiment", "survey_id", "surveys", "survey_id"),
    ("incidents", "incident_id", "events", "incident_id"),
];

/// Columns that hold byte ranges into a document's text, and the column that repeats what stands there.
const RANGES: [(&str, &str, &str, Option<&str>); 8] = [
    ("mentions", "start_byte", "end_byte", Some("text")),
    ("events", "start_byte", "end_byte", Some("evidence")),
    ("events", "trigger_start_byte", "trigger_end_byte", None),
    ("events", "source_start_byte", "source_end_byte", None),
    ("events", "target_start_byte", "target_end_byte", None),
    ("sentiment", "start_byte", "end_byte", Some("evidence")),
    ("sentiment", "force_start_byte", "force_end_byte", None),
    ("surveys", "start_byte", "end_byte", Some("evidence")),
];

/// Checks the tables of an output folder, or of the folder of one run, and says what was checked.
///
/// # Errors
/// [`Invalid`] with every fault; otherwise a file cannot be read.
pub fn output(folder: &Path, memory_bytes: u64) -> Result<String> {
    // One step through the link, so that all tables are of one run even if another is published meanwhile.
    let run = output::current_run(folder).unwrap_or_else(|| folder.to_owned());
    if !run.join("run.json").exists() {
        bail!("{} holds no finished run", folder.display());
    }
    let mut check = Check {
        run,
        memory_bytes,
        faults: BTreeMap::new(),
    };
    let report = report::read(&check.run)?;
    check.counts(&report);
    let mut rows = 0;
    for describe in tables::TABLES {
        let (table, _, columns) = describe();
        if check.file(table).exists() {
            rows += check.table(table, &columns, report["run_id"].as_str().unwrap_or_default())?;
        }
    }
    if check.faults.is_empty() {
        for (table, column) in KEYS {
            check.keys(table, column)?;
        }
        for (table, column, target, key) in REFERENCES {
            check.references(table, column, target, key)?;
        }
        check.ranges()?;
    }
    if check.faults.is_empty() {
        let run = report["run_id"].as_str().unwrap_or_default();
        return Ok(format!(
            "run {run}: good\n  {rows} rows; schemas, words, keys, references, byte ranges, evidence and counts hold\n"
        ));
    }
    bail!(Invalid { faults: check.faults })
}

struct Check {
    run: PathBuf,
    memory_bytes: u64,
    faults: BTreeMap<String, (u64, Vec<String>)>,
}

impl Check {
    fn file(&self, table: &str) -> PathBuf {
        self.run.join(format!("{table}.parquet"))
    }

    fn fault(&mut self, fault: String, place: String) {
        let (number, places) = self.faults.entry(fault).or_default();
        *number += 1;
        if places.len() < PLACES && !place.is_empty() {
            places.push(place);
        }
    }

    /// Read is kept and rejected, and every table has as many rows and bytes as the report says.
    fn counts(&mut self, report: &serde_json::Value) {
        let counts = &report["counts"];
        let number = |key: &str| counts[key].as_u64().unwrap_or_default();
        if number("read") != number("kept") + number("rejected") {
            self.fault(
                "run.json: records read are not those kept and rejected".to_owned(),
                String::new(),
            );
        }
        for table in report["tables"].as_array().into_iter().flatten() {
            let name = table["table"].as_str().unwrap_or_default();
            let file = self.file(name);
            let found = output::rows_in(&file).ok().filter(|_| file.exists());
            if found.is_none() || found != table["rows"].as_u64() {
                self.fault(
                    "rows are not as many as run.json says".to_owned(),
                    name.to_owned(),
                );
            }
            let bytes = file.metadata().ok().map(|metadata| metadata.len());
            if bytes != table["bytes"].as_u64() {
                self.fault(
                    "the file is not as long as run.json says".to_owned(),
                    name.to_owned(),
                );
            }
            let counted = ["documents", "duplicates"].contains(&name);
            if counted && found != Some(number("kept")) {
                self.fault("not one row per document kept".to_owned(), name.to_owned());
            }
        }
    }

    /// The schema is the documented one, closed vocabularies hold known words, and all rows name the run.
    fn table(&mut self, table: &str, columns: &[Column], run_id: &str) -> Result<u64> {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let narrow: Vec<&str> = columns
            .iter()
            .filter(|column| !column.values.is_empty() || column.name == "run_id")
            .map(|column| column.name)
            .collect();
        if !self.schema(
            table,
            columns,
            &output::open_table(&self.file(table), 1, &names)?.schema(),
        ) {
            return Ok(0);
        }
        let mut rows = 0;
        for batch in output::open_table(&self.file(table), ROWS, &narrow)? {
            let batch = batch?;
            rows += batch.num_rows() as u64;
            for column in columns.iter().filter(|column| !column.values.is_empty()) {
                for word in words(&batch, column.name)? {
                    if !column.values.contains(&word.as_str()) {
                        self.fault(format!("{table}.{}: not of its vocabulary", column.name), word);
                    }
                }
            }
            for other in texts(&batch, "run_id")?
                .into_iter()
                .flatten()
                .filter(|id| *id != run_id)
            {
                self.fault(
                    format!("{table}.run_id: not the run of run.json"),
                    other.to_owned(),
                );
            }
        }
        Ok(rows)
    }

    fn schema(&mut self, table: &str, columns: &[Column], found: &SchemaRef) -> bool {
        for column in columns {
            let wanted = &column.field;
            match found.field_with_name(column.name) {
                Err(_) => self.fault(format!("{table}: no column"), column.name.to_owned()),
                Ok(field)
                    if field.data_type() != wanted.data_type()
                        || field.is_nullable() != wanted.is_nullable() =>
                {
                    self.fault(
                        format!("{table}: not of the documented type"),
                        column.name.to_owned(),
                    );
                }
                Ok(_) => {}
            }
        }
        self.faults.is_empty()
    }

    /// So many passes that what one of them holds fits in memory.
    fn passes(&self, rows: u64) -> u128 {
        1 + u128::from(rows * ENTRY_BYTES / (self.memory_bytes / 2))
    }

    fn keys(&mut self, table: &str, column: &str) -> Result<()> {
        let file = self.file(table);
        let passes = self.passes(output::rows_in(&file)?);
        for pass in 0..passes {
            let mut seen = HashSet::new();
            each_id(&file, column, |id, text| {
                let is_repeated = id % passes == pass && !seen.insert(id);
                if is_repeated || id == NO_ID {
                    self.fault(format!("{table}.{column}: not unique ids"), text.to_owned());
                }
            })?;
        }
        Ok(())
    }

    fn references(&mut self, table: &str, column: &str, target: &str, key: &str) -> Result<()> {
        let (file, target_file) = (self.file(table), self.file(target));
        let passes = self.passes(output::rows_in(&target_file)?);
        for pass in 0..passes {
            let mut known = HashSet::new();
            each_id(&target_file, key, |id, _| {
                if id % passes == pass {
                    known.insert(id);
                }
            })?;
            each_id(&file, column, |id, text| {
                if id % passes == pass && !known.contains(&id) {
                    self.fault(
                        format!("{table}.{column}: not in {target}.{key}"),
                        text.to_owned(),
                    );
                }
            })?;
        }
        Ok(())
    }

    /// Ranges lie in the text of their document, on character boundaries, and hold the evidence.
    fn ranges(&mut self) -> Result<()> {
        let mut rows = 0;
        for (table, _, _, _) in RANGES {
            rows += output::rows_in(&self.file(table))?;
        }
        let passes = self.passes(rows);
        for pass in 0..passes {
            let mut wanted: HashMap<u128, Vec<Span>> = HashMap::new();
            for (number, (table, start, end, text)) in RANGES.into_iter().enumerate() {
                each_span(&self.file(table), number, (start, end, text), |document, span| {
                    if document % passes == pass {
                        wanted.entry(document).or_default().push(span);
                    }
                })?;
            }
            for batch in output::open_table(&self.file("documents"), 256, &["document_id", "text"])? {
                let batch = batch?;
                let (ids, bodies) = (texts(&batch, "document_id")?, texts(&batch, "text")?);
                for (id, body) in ids.into_iter().flatten().zip(bodies.into_iter().flatten()) {
                    let spans = wanted
                        .remove(&id::number(id).unwrap_or(NO_ID))
                        .unwrap_or_default();
                    for span in spans.iter().filter(|span| !span.holds(body)) {
                        let (table, start, _, text) = RANGES[span.range];
                        let what = text.unwrap_or("any text");
                        self.fault(
                            format!("{table}.{start}: the range does not hold {what}"),
                            id.to_owned(),
                        );
                    }
                }
            }
        }
        Ok(())
    }
}

/// A byte range of a document, and the hash of what should stand there.
struct Span {
    range: usize,
    start: i64,
    end: i64,
    text: Option<u64>,
}

impl Span {
    fn holds(&self, body: &str) -> bool {
        let bounds = usize::try_from(self.start)
            .ok()
            .zip(usize::try_from(self.end).ok());
        let found = bounds.and_then(|(start, end)| body.get(start..end));
        found.is_some_and(|found| {
            !found.is_empty() && self.text.is_none_or(|text| text == xxh3_64(found.as_bytes()))
        })
    }
}

/// Stands for what is no id.
const NO_ID: u128 = u128::MAX;

fn each_id(file: &Path, column: &str, mut each: impl FnMut(u128, &str)) -> Result<()> {
    if !file.exists() {
        return Ok(());
    }
    for batch in output::open_table(file, ROWS, &[column])? {
        for text in texts(&batch?, column)?.into_iter().flatten() {
            each(id::number(text).unwrap_or(NO_ID), text);
        }
    }
    Ok(())
}

fn each_span(
    file: &Path,
    range: usize,
    (start, end, text): (&str, &str, Option<&str>),
    mut each: impl FnMut(u128, Span),
) -> Result<()> {
    if !file.exists() {
        return Ok(());
    }
    let columns: Vec<&str> = ["document_id", start, end].into_iter().chain(text).collect();
    for batch in output::open_table(file, ROWS, &columns)? {
        let batch = batch?;
        let ids = texts(&batch, "document_id")?;
        let (starts, ends) = (numbers(&batch, start)?, numbers(&batch, end)?);
        let told = text.map(|text| texts(&batch, text)).transpose()?;
        for row in 0..batch.num_rows() {
            if let (Some(id), Some(start)) = (ids[row].and_then(id::number), starts[row]) {
                let text = told.as_ref().and_then(|told| told[row]);
                let span = Span {
                    range,
                    start,
                    end: ends[row].unwrap_or(-1),
                    text: text.map(|text| xxh3_64(text.as_bytes())),
                };
                each(id, span);
            }
        }
    }
    Ok(())
}

fn texts<'b>(batch: &'b RecordBatch, column: &str) -> Result<Vec<Option<&'b str>>> {
    let array = batch
        .column_by_name(column)
        .with_context(|| format!("no column {column}"))?;
    let texts = array
        .as_string_opt::<i32>()
        .with_context(|| format!("column {column} is no text"))?;
    Ok(texts.iter().collect())
}

fn numbers(batch: &RecordBatch, column: &str) -> Result<Vec<Option<i64>>> {
    let array = batch
        .column_by_name(column)
        .with_context(|| format!("no column {column}"))?;
    let numbers = array
        .as_primitive_opt::<Int64Type>()
        .with_context(|| format!("column {column} holds no numbers"))?;
    Ok(numbers.iter().collect())
}

/// The words that a dictionary column uses.
fn words(batch: &RecordBatch, column: &str) -> Result<Vec<String>> {
    let array = batch
        .column_by_name(column)
        .with_context(|| format!("no column {column}"))?;
    let dictionary = array
        .as_dictionary_opt::<Int32Type>()
        .with_context(|| format!("column {column} has no dictionary"))?;
    let words = dictionary.values().as_string::<i32>();
    let used: HashSet<usize> = dictionary
        .keys()
        .iter()
        .flatten()
        .map(|key| key as usize)
        .collect();
    Ok(used
        .into_iter()
        .filter(|word| words.is_valid(*word))
        .map(|word| words.value(word).to_owned())
        .collect())
}
