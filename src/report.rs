//! What a run came to: `run.json` for programs, the summary for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use xxhash_rust::xxh3::Xxh3Default;

use crate::input::InputFile;
use crate::output::{self, Store};
use crate::parts::{Happenings, Part};
use crate::plan::Plan;
use crate::tables::{Duplicate, Event, RejectReason, Relation, Sentiment, StanceLabel};
use crate::unit::{self, Driver, PassTime};

/// Everything a run came to; `run.json` is this.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Version of this format; it grows when a key changes its meaning or goes.
    pub format: u32,
    /// The run.
    pub run_id: String,
    /// Version of garrison.
    pub version: String,
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

/// One file read.
#[derive(Debug, Serialize)]
pub struct InputReport {
    /// The file as the plan names it.
    pub path: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// XXH3-128 of its content, in hexadecimal; `None` for standard input and files that cannot be read.
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

/// Gathers the report of a run and writes `run.json` beside its tables.
///
/// # Errors
/// The disk is full or gone.
pub fn make(
    plan: &Plan,
    files: &[InputFile],
    parts: &[Part],
    found: &Happenings,
    duplicates: &[Duplicate],
    driver: &Driver,
    store: &Store,
) -> Result<Report> {
    let counts = count(parts, found, duplicates);
    assert_eq!(
        counts.read,
        counts.kept + counts.rejected,
        "every record read is kept or rejected"
    );
    let mut tables = Vec::new();
    for (table, rows) in &found.rows {
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
        format: 1,
        run_id: store.run_id().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.clone(),
        inputs: files.par_iter().map(input_report).collect(),
        counts,
        passes: driver.times(),
        peak_memory_bytes: unit::peak_memory_bytes(),
        tables,
    };
    let json = serde_json::to_string_pretty(&report)? + "\n";
    output::write_file(&store.tables().join("run.json"), json.as_bytes())?;
    Ok(report)
}

fn input_report(file: &InputFile) -> InputReport {
    let xxh3_128 = if file.is_stdin() {
        None
    } else {
        hash_file(&file.path).ok()
    };
    InputReport {
        path: file.shown.to_string(),
        bytes: file.bytes,
        xxh3_128,
    }
}

fn hash_file(path: &std::path::Path) -> std::io::Result<String> {
    let mut hasher = Xxh3Default::new();
    let mut file = std::fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(format!("{:032x}", hasher.digest128())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

fn count(parts: &[Part], found: &Happenings, duplicates: &[Duplicate]) -> Counts {
    let mut counts = Counts {
        events: found.events.len() as u64,
        incidents: found.incidents.len() as u64,
        stances: found.sentiment.len() as u64,
        survey_shares: found.surveys.len() as u64,
        ..Counts::default()
    };
    for part in parts {
        counts.read += part.read;
        counts.kept += part.documents();
        counts.text_bytes += part.text_bytes;
        counts.documents_past_gate += part.gate.documents;
        counts.sentences += part.gate.sentences;
        counts.sentences_parsed += part.gate.parsed;
        counts.mentions += part.gate.mentions;
        for (reason, number) in &part.rejects {
            *counts.rejected_by_reason.entry(*reason).or_default() += number;
            counts.rejected += number;
        }
        for (language, number) in &part.languages {
            *counts.languages.entry(language.clone()).or_default() += number;
        }
    }
    for duplicate in duplicates {
        *counts.relations.entry(duplicate.relation).or_default() += 1;
    }
    for stance in &found.sentiment {
        *counts.stances_by_label.entry(stance.label).or_default() += 1;
    }
    counts.top_forces = top(
        found.events.iter().filter_map(|event| event.force_home.as_ref()),
        &found.sentiment,
    );
    counts.top_hosts = top(
        found
            .events
            .iter()
            .filter_map(|event: &Event| event.host_country.as_ref()),
        &[],
    );
    counts
}

fn top<'c>(
    codes: impl Iterator<Item = &'c crate::tables::Code>,
    stances: &'c [Sentiment],
) -> Vec<(String, u64)> {
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    for code in codes.chain(stances.iter().filter_map(|stance| stance.force_home.as_ref())) {
        *numbers.entry(code.to_string()).or_default() += 1;
    }
    let mut ranked: Vec<(String, u64)> = numbers.into_iter().collect();
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
