//! `garrison extract`: one article in, what is found in it out, for people or for programs.

use jiff::tz::TimeZone;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::document;
use crate::extract::{self, Findings};
use crate::input::{self, ReadOptions};
use crate::knowledge::{Knowledge, Language};
use crate::plan::{self, Documents, Scope};
use crate::tables::{Code, Document, Event, HolderKind, Row, Sentiment, StampPrecision, Survey};
use crate::text::{self, Text};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object per article: the rows of every table.
    Json,
}

/// What more is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Show {
    /// Words, tags and arcs of every sentence.
    Parse,
}

/// A day given on the command line.
///
/// # Errors
/// Says what a date looks like.
pub fn parse_date(text: &str) -> Result<Date> {
    text.parse()
        .with_context(|| format!("`{text}` is no date such as 2024-05-19"))
}

/// Reads the articles of a file or of standard input and shows what is found in each.
///
/// # Errors
/// The file cannot be read or holds no article; the message says why.
pub fn article(
    file: &str,
    date: Option<Date>,
    format: Format,
    show: Option<Show>,
    knowledge: &Knowledge,
) -> Result<String> {
    let documents = documents(file, knowledge)?;
    let mut page = String::new();
    for mut document in documents {
        if let Some(date) = date {
            document.published_at = Some(date.to_zoned_datetime(TimeZone::UTC)?.timestamp());
            document.published_precision = Some(StampPrecision::Day);
        }
        page.push_str(&one(&document, format, show, knowledge)?);
    }
    Ok(page)
}

fn documents(file: &str, knowledge: &Knowledge) -> Result<Vec<Document>> {
    let found = input::discover(&[file.to_owned()])?;
    let mut documents = Vec::new();
    let mut faults: Vec<String> = found.faults.iter().map(|fault| fault.detail.clone()).collect();
    // One article is read whatever its length: who asks for it wants it.
    let wanted = Documents { min_words: 0 };
    for unit in input::split(&found.files, plan::UNIT_BYTES) {
        input::read(&unit, &ReadOptions::default(), &mut |batch| {
            faults.extend(batch.faults.iter().map(|fault| fault.detail.clone()));
            for record in 0..batch.len() {
                let read = batch
                    .parse(record)
                    .and_then(|raw| document::read(raw, &batch.input_path, &wanted, knowledge, ""));
                match read {
                    Ok(document) => documents.push(document),
                    Err(fault) => faults.push(fault.detail),
                }
            }
            ControlFlow::Continue(())
        })?;
    }
    if documents.is_empty() {
        bail!("no article in {file}: {}", faults.join("; "));
    }
    Ok(documents)
}

fn one(document: &Document, format: Format, show: Option<Show>, knowledge: &Knowledge) -> Result<String> {
    let Some(language) = knowledge.language(document.language.as_str()) else {
        let known: Vec<&str> = knowledge.languages.keys().map(String::as_str).collect();
        bail!(
            "the article is in `{}`; events are read in {}",
            document.language,
            known.join(", ")
        );
    };
    let text = extract::annotate(document, knowledge, language);
    let found = extract::find(&text, document, knowledge, language, Scope::Political);
    match format {
        Format::Json => Ok(serde_json::to_string(&rows(document, &found)?)? + "\n"),
        Format::Text => Ok(for_people(document, &text, &found, show, language)),
    }
}

fn rows(document: &Document, found: &Findings) -> Result<Value> {
    Ok(json!({
        "document": table(std::slice::from_ref(document))?.pop(),
        "mentions": table(&found.mentions)?,
        "events": table(&found.events)?,
        "sentiment": table(&found.sentiment)?,
        "surveys": table(&found.surveys)?,
    }))
}

/// Rows as JSON objects, by way of the same Arrow arrays that the tables are written from.
pub(crate) fn table<R: Row>(rows: &[R]) -> Result<Vec<Value>> {
    let batch = R::batch(rows)?;
    // The writer knows offsets and no names of time zones.
    let schema = batch.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let column = match column.as_primitive_opt::<TimestampMicrosecondType>() {
                Some(stamps) => Arc::new(stamps.clone().with_timezone("+00:00")) as ArrayRef,
                None => Arc::clone(column),
            };
            (field.name().clone(), column, field.is_nullable())
        });
    let batch = RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>())?;
    let mut writer = arrow::json::ArrayWriter::new(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let bytes = writer.into_inner();
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(&bytes)?;
    Ok(rows.into_iter().map(Value::Object).collect())
}

fn for_people(
    document: &Document,
    text: &Text<'_>,
    found: &Findings,
    show: Option<Show>,
    language: &Language,
) -> String {
    let mut page = String::new();
    let published = document
        .published_at
        .map_or("no date".to_owned(), |at: Timestamp| {
            at.strftime("%Y-%m-%d").to_string()
        });
    let title = document.title.as_deref().unwrap_or("no title");
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "{title}\n{published}, {}, {} sentences\n",
        document.language, document.sentence_count
    );
    for parsed in &text.parsed {
        let sentence = document.text[parsed.start..parsed.end].replace('\n', " ");
        let _ = writeln!(page, "[{}] {sentence}", parsed.index);
        if show == Some(Show::Parse) {
            page.push_str(&tree(parsed));
        }
        findings(&mut page, parsed.index as i32, found);
        page.push('\n');
    }
    debug_assert!(!language.code.is_empty());
    let _ = writeln!(
        page,
        "{} events, {} stances, {} survey shares, {} mentions",
        found.events.len(),
        found.sentiment.len(),
        found.surveys.len(),
        found.mentions.len()
    );
    page
}

fn findings(page: &mut String, sentence: i32, found: &Findings) {
    let events = found.events.iter().filter(|row| row.sentence_index == sentence);
    events.for_each(|event| event_line(page, event));
    let stances = found
        .sentiment
        .iter()
        .filter(|row| row.sentence_index == sentence);
    stances.for_each(|stance| stance_line(page, stance));
    let surveys = found.surveys.iter().filter(|row| row.sentence_index == sentence);
    surveys.for_each(|survey| survey_line(page, survey));
}

/// A name, else a code, else a question mark.
fn named(name: &Option<String>, code: &Option<Code>) -> String {
    let code = || code.as_ref().map(ToString::to_string);
    name.clone().or_else(code).unwrap_or_else(|| "?".to_owned())
}

fn event_line(page: &mut String, event: &Event) {
    let kind = event.event_type.map_or("-", |event_type| event_type.as_str());
    let force = event.force_event.as_ref();
    let force = force.map_or(String::new(), |name| format!(" {name}"));
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        page,
        "    event   {kind}{force}: {} > {}, {}, {}",
        named(&event.source_name, &event.source_country),
        named(&event.target_name, &event.target_country),
        event.status,
        event.modality
    );
    if let Some(home) = &event.force_home {
        let _ = write!(page, "; force of {home}");
    }
    if let Some(host) = &event.host_country {
        let _ = write!(page, " in {host}");
    }
    if let Some(day) = event.starts_on.or(event.ends_on) {
        let _ = write!(page, "; {day}");
    }
    if let Some(text) = &event.date_text {
        let _ = write!(page, " ({text})");
    }
    if let (Some(min), Some(max)) = (event.troops_min, event.troops_max) {
        let _ = if min == max {
            write!(page, "; {min} troops")
        } else {
            write!(page, "; {min} to {max} troops")
        };
    }
    let _ = writeln!(page, "  [{} {:.2}]", event.rule, event.confidence);
}

fn stance_line(page: &mut String, stance: &Sentiment) {
    let holder = if stance.holder_kind == HolderKind::Narrator {
        stance.holder_kind.to_string()
    } else {
        named(&stance.holder_name, &stance.holder_country)
    };
    let _ = writeln!(
        page,
        "    stance  {holder} ({}) toward {}: {}, {}{}  [{} {:.2}]",
        stance.holder_kind,
        named(&stance.force_name, &stance.force_home),
        stance.label,
        stance.basis,
        circumstances(stance),
        stance.rule,
        stance.confidence
    );
}

fn survey_line(page: &mut String, survey: &Survey) {
    let pollster = survey.pollster.as_ref();
    let pollster = pollster.map_or(String::new(), |name| format!(", {name}"));
    let _ = writeln!(
        page,
        "    survey  {} of {}: {} ({:+}){pollster}",
        survey.share_text, survey.population, survey.response, survey.response_polarity
    );
}

/// What else is known of a stance: negation, hedges, who reports it, what it rests on.
fn circumstances(stance: &Sentiment) -> String {
    let mut page = String::new();
    let marks = [
        (stance.negated, ", negated"),
        (stance.hedged, ", hedged"),
        (stance.is_owner, ", own force"),
    ];
    marks
        .iter()
        .filter(|(is_so, _)| *is_so)
        .for_each(|(_, mark)| page.push_str(mark));
    if let Some(chain) = &stance.source_chain {
        let _ = write!(page, ", reported by {chain}");
    }
    if let Some(on) = stance.event_id.as_ref().or(stance.survey_id.as_ref()) {
        let _ = write!(page, ", rests on {on}");
    }
    page
}

/// A sentence's words with their tags and arcs, one line each.
fn tree(parsed: &text::Parsed<'_>) -> String {
    let mut page = String::new();
    for (number, word) in parsed.words.iter().enumerate() {
        let head = word.head.map_or("root".to_owned(), |head| {
            format!("{} {}", head + 1, parsed.words[head].text)
        });
        let _ = writeln!(
            page,
            "      {:>3} {:<18} {:<16} {:<6} {:<5} {:<12} <- {head} ({:.2})",
            number + 1,
            word.text,
            word.lemma,
            word.upos.name(),
            word.xpos,
            word.relation,
            word.confidence
        );
    }
    page
}
