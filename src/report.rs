//! What a run came to: `run.json` for programs, the summary for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::gather::Totals;
use crate::inputs::{Input, Inputs};
use crate::kept::Settings;
use crate::output::{self, Store};
use crate::parts::Part;
use crate::plan::Plan;
use crate::tables::{Code, Event, Incident, Mention, RejectReason, Relation, Sentiment, StanceLabel, Survey};
use crate::unit::{self, Driver, PassTime};

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// New tables stand in the output folder.
    Published(Box<Report>),
    /// Inputs, plan, knowledge and program are those of the last run, whose tables still stand.
    NothingNew(Last),
}

/// What is remembered of the last run.
#[derive(Debug)]
pub struct Last {
    /// The run.
    pub run_id: String,
    /// Records it read.
    pub read: u64,
    /// Records it did not keep.
    pub rejected: u64,
    /// Inputs it could not read.
    pub unreadable: u64,
}

impl From<&Report> for Last {
    fn from(report: &Report) -> Self {
        Self {
            run_id: report.run_id.clone(),
            read: report.counts.read,
            rejected: report.counts.rejected,
            unreadable: report.counts.unreadable,
        }
    }
}

/// Everything a run came to; `run.json` is this.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of this format; it grows when a key changes its meaning or goes.
    pub format: u32,
    /// The run.
    pub run_id: String,
    /// Version of garrison.
    pub version: String,
    /// When the tables were whole, in UTC.
    pub finished_at: String,
    /// Hash of everything the tables depend on; `None` where an input cannot be known before it is read.
    pub identity: Option<String>,
    /// Hashes of what the tables depend on besides the input.
    pub settings: SettingsReport,
    /// The plan that was run, after the command line.
    pub plan: Plan,
    /// Files read.
    pub inputs: Vec<InputReport>,
    /// Counts of records and rows.
    pub counts: Counts,
    /// What each pass took.
    pub passes: Vec<PassTime>,
    /// Most memory held, in bytes, where the system tells.
    pub peak_memory_bytes: Option<u64>,
    /// Tables written.
    pub tables: Vec<TableReport>,
}

/// Hashes that tell why tables differ from those of another run.
#[derive(Debug, Serialize)]
pub struct SettingsReport {
    /// Of the program.
    pub program: String,
    /// Of what the plan says of the content of tables.
    pub plan: String,
    /// Of the knowledge.
    pub knowledge: String,
}

/// One file read.
#[derive(Debug, Serialize)]
pub struct InputReport {
    /// The file as the plan names it.
    pub path: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// XXH3-128 of its content, in hexadecimal, or `etag` and the entity tag of an object; `None` for standard input
    /// and files that cannot be read.
    pub xxh3_128: Option<String>,
}

/// One table written.
#[derive(Debug, Serialize)]
pub struct TableReport {
    /// Name of the table.
    pub table: String,
    /// The file, in the output folder.
    pub file: String,
    /// Rows in it.
    pub rows: u64,
    /// Its length, in bytes.
    pub bytes: u64,
}

/// Counts of records and rows; `read = kept + rejected` always holds.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// Inputs that cannot be read at all.
    pub unreadable: u64,
    /// Records read.
    pub read: u64,
    /// Records kept as documents.
    pub kept: u64,
    /// Records not kept.
    pub rejected: u64,
    /// Records not kept, by reason.
    pub rejected_by_reason: BTreeMap<RejectReason, u64>,
    /// Bytes of text kept.
    pub text_bytes: u64,
    /// Documents by language.
    pub languages: BTreeMap<String, u64>,
    /// Documents by how they relate to their canonical one.
    pub relations: BTreeMap<Relation, u64>,
    /// Documents that the gate let through to the parser.
    pub documents_past_gate: u64,
    /// Sentences in the documents given to extraction.
    pub sentences: u64,
    /// Sentences parsed.
    pub sentences_parsed: u64,
    /// Rows of `mentions`.
    pub mentions: u64,
    /// Rows of `events`.
    pub events: u64,
    /// Rows of `incidents`.
    pub incidents: u64,
    /// Rows of `sentiment`.
    pub stances: u64,
    /// Rows of `sentiment` by label.
    pub stances_by_label: BTreeMap<StanceLabel, u64>,
    /// Rows of `surveys`.
    pub survey_shares: u64,
    /// The forces most told of, by home.
    pub top_forces: Vec<(String, u64)>,
    /// The countries most told of as hosts.
    pub top_hosts: Vec<(String, u64)>,
}

/// How many forces and hosts the summary names.
const TOP: usize = 5;

/// The last run, if its tables are those that a run over the same inputs with the same settings would make.
///
/// # Errors
/// The last run's report is damaged.
pub fn of_same(store: &Store, inputs: &Inputs, settings: &Settings) -> Result<Option<Last>> {
    if !is_same(store.folder(), inputs, settings)? {
        return Ok(None);
    }
    let Some(current) = store.current() else {
        return Ok(None);
    };
    let last = read(&current)?;
    let number = |key: &str| last["counts"][key].as_u64().unwrap_or_default();
    Ok(Some(Last {
        run_id: last["run_id"].as_str().unwrap_or_default().to_owned(),
        read: number("read"),
        rejected: number("rejected"),
        unreadable: number("unreadable"),
    }))
}

/// Whether the tables that stand in an output folder are those that a run would make.
///
/// # Errors
/// The last run's report is damaged.
pub fn is_same(output: &std::path::Path, inputs: &Inputs, settings: &Settings) -> Result<bool> {
    let Some(current) = output::current_run(output) else {
        return Ok(false);
    };
    let last = read(&current)?;
    Ok(identity(inputs, settings).is_some_and(|identity| last["identity"] == identity.as_str()))
}

/// The report in the folder of a run.
///
/// # Errors
/// It is not there or is damaged.
pub fn read(run: &std::path::Path) -> Result<serde_json::Value> {
    let file = run.join("run.json");
    let text = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))
}

fn identity(inputs: &Inputs, settings: &Settings) -> Option<String> {
    let parts = [inputs.identity()?, settings.identity()].map(u128::to_le_bytes);
    Some(hexadecimal(crate::id::hash(&[&parts[0], &parts[1]])))
}

/// A hash as `run.json` has it.
pub fn hexadecimal(hash: u128) -> String {
    format!("{hash:032x}")
}

/// Gathers the report of a run and writes `run.json` beside its tables.
///
/// # Errors
/// The disk is full or gone.
pub fn make(
    plan: &Plan,
    inputs: &Inputs,
    settings: &Settings,
    parts: &[Part],
    totals: &Totals,
    driver: &Driver,
    store: &Store,
) -> Result<Report> {
    let counts = count(inputs, parts, totals);
    assert_eq!(
        counts.read,
        counts.kept + counts.rejected,
        "every record read is kept or rejected"
    );
    let mut tables = Vec::new();
    for (table, rows) in &totals.rows {
        let file = format!("{table}.parquet");
        let bytes = std::fs::metadata(store.table(table))?.len();
        tables.push(TableReport {
            table: (*table).to_owned(),
            file,
            rows: *rows,
            bytes,
        });
    }
    let report = Report {
        format: FORMAT,
        run_id: store.run_id().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        finished_at: jiff::Timestamp::now().to_string(),
        identity: identity(inputs, settings),
        settings: SettingsReport {
            program: hexadecimal(settings.program),
            plan: hexadecimal(settings.plan),
            knowledge: hexadecimal(settings.knowledge),
        },
        plan: plan.clone(),
        inputs: inputs.files.iter().map(input_report).collect(),
        counts,
        passes: driver.times(),
        peak_memory_bytes: unit::peak_memory_bytes(),
        tables,
    };
    let json = serde_json::to_string_pretty(&report)? + "\n";
    output::write_file(&store.tables().join("run.json"), json.as_bytes())?;
    Ok(report)
}

/// Version of `run.json`, whose schema is `docs/run.schema.json`.
const FORMAT: u32 = 1;

fn input_report(input: &Input) -> InputReport {
    InputReport {
        path: input.file.shown.to_string(),
        bytes: input.file.bytes,
        xxh3_128: input.content.clone(),
    }
}

fn count(inputs: &Inputs, parts: &[Part], totals: &Totals) -> Counts {
    let unreadable = inputs
        .files
        .iter()
        .filter(|input| input.content.is_none() && !input.file.is_stdin());
    let mut counts = Counts {
        unreadable: (inputs.faults.len() + unreadable.count()) as u64,
        relations: totals.relations.clone(),
        documents_past_gate: totals.gate.documents,
        sentences: totals.gate.sentences,
        sentences_parsed: totals.gate.parsed,
        mentions: totals.rows_of::<Mention>(),
        events: totals.rows_of::<Event>(),
        incidents: totals.rows_of::<Incident>(),
        stances: totals.rows_of::<Sentiment>(),
        stances_by_label: totals.labels.clone(),
        survey_shares: totals.rows_of::<Survey>(),
        top_forces: top(&totals.forces),
        top_hosts: top(&totals.hosts),
        ..Counts::default()
    };
    for part in parts {
        counts.read += part.read;
        counts.kept += part.documents();
        counts.text_bytes += part.text_bytes;
        for (reason, number) in &part.rejects {
            *counts.rejected_by_reason.entry(*reason).or_default() += number;
            counts.rejected += number;
        }
        for (language, number) in &part.languages {
            *counts.languages.entry(language.clone()).or_default() += number;
        }
    }
    counts
}

fn top(numbers: &BTreeMap<Code, u64>) -> Vec<(String, u64)> {
    let mut ranked: Vec<(String, u64)> = numbers
        .iter()
        .map(|(code, number)| (code.to_string(), *number))
        .collect();
    ranked.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    ranked.truncate(TOP);
    ranked
}

/// The summary that a person reads at the end of a run.
pub fn summary(report: &Report, names: impl Fn(&str) -> String) -> String {
    let counts = &report.counts;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:>11}  {value}");
    };
    let files = plural(report.inputs.len() as u64, "file");
    line("read", format!("{} from {files}", plural(counts.read, "record")));
    line(
        "kept",
        format!(
            "{}, {} of text{}",
            plural(counts.kept, "article"),
            bytes(counts.text_bytes),
            languages(counts)
        ),
    );
    if counts.rejected > 0 {
        let reasons = counts
            .rejected_by_reason
            .iter()
            .map(|(reason, number)| format!("{number} {reason}"));
        line(
            "rejected",
            format!("{} ({})", counts.rejected, reasons.collect::<Vec<_>>().join(", ")),
        );
    }
    if report.plan.dedup.is_some() {
        let relation = |relation| counts.relations.get(&relation).copied().unwrap_or_default();
        let copies = relation(Relation::Exact) + relation(Relation::Near);
        let others = [
            Relation::Revision,
            Relation::Excerpt,
            Relation::Container,
            Relation::Template,
            Relation::Composite,
        ];
        let others = others
            .iter()
            .filter(|kind| relation(**kind) > 0)
            .map(|kind| plural(relation(*kind), kind.as_str()));
        let mut told = vec![plural_of(copies, "copy", "copies")];
        told.extend(others);
        line(
            "compared",
            format!(
                "{}; {}",
                plural(counts.kept - copies, "different article"),
                told.join(", ")
            ),
        );
    }
    if report.plan.extract.is_some() {
        let share = 100.0 * counts.sentences_parsed as f64 / (counts.sentences.max(1)) as f64;
        line(
            "gate",
            format!(
                "{} of {} parsed ({share:.1} %)",
                counts.sentences_parsed,
                plural(counts.sentences, "sentence")
            ),
        );
        line(
            "events",
            format!("{} of {}", counts.events, plural(counts.incidents, "incident")),
        );
        let label = |label| counts.stances_by_label.get(&label).copied().unwrap_or_default();
        let split = [
            (StanceLabel::Negative, "against"),
            (StanceLabel::Positive, "for"),
            (StanceLabel::Neutral, "neutral"),
        ];
        let split: Vec<String> = split
            .iter()
            .map(|(kind, word)| format!("{} {word}", label(*kind)))
            .collect();
        line("stances", format!("{} ({})", counts.stances, split.join(", ")));
        line("surveys", plural(counts.survey_shares, "share"));
        let ranked = |ranks: &[(String, u64)]| {
            ranks
                .iter()
                .map(|(code, number)| format!("{} {number}", names(code)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        line("forces of", ranked(&counts.top_forces));
        line("hosts", ranked(&counts.top_hosts));
    }
    let seconds: f64 = report.passes.iter().map(|pass| pass.seconds).sum();
    let memory = report.peak_memory_bytes.map_or(String::new(), |peak| {
        format!(", {} of memory at most", bytes(peak))
    });
    line("took", format!("{seconds:.2} s{memory}"));
    let folder = report.plan.output.display();
    line("tables", format!("{folder}/*.parquet, {folder}/run.json"));
    line(
        "open",
        format!(
            "duckdb -c \"FROM '{folder}/{}.parquet' LIMIT 5\"",
            first_table(report)
        ),
    );
    text
}

fn first_table(report: &Report) -> &'static str {
    if report.counts.events > 0 {
        "events"
    } else {
        "documents"
    }
}

fn languages(counts: &Counts) -> String {
    let mut ranked: Vec<(&String, &u64)> = counts.languages.iter().collect();
    ranked.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
    let shown: Vec<String> = ranked
        .iter()
        .take(TOP)
        .map(|(language, number)| format!("{language} {number}"))
        .collect();
    match ranked.len() {
        0 => String::new(),
        _ => format!(" ({})", shown.join(", ")),
    }
}

fn plural(number: u64, word: &str) -> String {
    plural_of(number, word, &format!("{word}s"))
}

fn plural_of(number: u64, one: &str, many: &str) -> String {
    let mut digits = number.to_string();
    let mut at = digits.len();
    while at > 3 {
        at -= 3;
        digits.insert(at, ',');
    }
    format!("{digits} {}", if number == 1 { one } else { many })
}

fn bytes(number: u64) -> String {
    indicatif::HumanBytes(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_write_them() {
        assert_eq!(plural(1, "article"), "1 article");
        assert_eq!(plural(1_234_567, "article"), "1,234,567 articles");
        assert_eq!(plural_of(0, "copy", "copies"), "0 copies");
    }
}
