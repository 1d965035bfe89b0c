//! Events and stances against labelled sentences.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::language_of;
use crate::events;
use crate::explain::table;
use crate::extract::{self, Findings};
use crate::knowledge::Knowledge;
use crate::normalize::dateline::dateline;
use crate::plan::Scope;
use crate::sentiment::model;
use crate::tables::{Code, Document, Event, EventType, StanceLabel};
use crate::train::events::unmark;

fn lines(gold: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(gold).with_context(|| format!("reading {}", gold.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Reads one text as an article of the day the record gives, if any.
fn read(text: &str, record: &Value, knowledge: &Knowledge) -> Result<Findings> {
    let language = language_of(knowledge)?;
    let day = record
        .get("date")
        .and_then(Value::as_str)
        .and_then(|day| day.parse::<jiff::civil::Date>().ok());
    let published_at = day
        .and_then(|day| day.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok())
        .map(|zoned| zoned.timestamp());
    let document = Document {
        dateline_place: dateline(text, &knowledge.normalization.datelines)
            .and_then(|line| line.place.map(str::to_owned)),
        title: record.get("title").and_then(Value::as_str).map(str::to_owned),
        text: text.to_owned(),
        language: Code::new(&language.code),
        published_at,
        ..Document::default()
    };
    let text = extract::annotate(&document, knowledge, language);
    Ok(extract::find(
        &text,
        &document,
        knowledge,
        language,
        Scope::Political,
    ))
}

fn string<'v>(record: &'v Value, key: &str) -> &'v str {
    record.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The type of the event between two marked actors.
pub(super) fn event_types(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let language = language_of(knowledge)?;
    let records = lines(gold)?;
    let told: Vec<(&'static str, f32)> = records
        .par_iter()
        .map(|record| {
            let (text, source, target) = unmark(string(record, "marked_text"));
            events::type_between(&text, source.as_ref(), target.as_ref(), knowledge, language)
        })
        .collect();
    let [mut roots, mut quads, mut sides] = [Scores::default(), Scores::default(), Scores::default()];
    for (record, (kind, confidence)) in records.iter().zip(told) {
        let quad = quad(knowledge, kind);
        let line = json!({"id": record["id"], "event_type": kind, "quad": quad, "confidence": confidence});
        writeln!(out, "{line}")?;
        let label = label(record);
        let label_quad = self::quad(knowledge, label);
        roots.add(fold(kind), fold(label));
        quads.add(quad, label_quad);
        sides.add(side(quad), side(label_quad));
    }
    Ok(format!(
        "{}{}{}",
        roots.page("root"),
        quads.page("quad"),
        sides.page("binary")
    ))
}

/// The labelled type of a record of any of the forms in use.
fn label(record: &Value) -> &str {
    let names = ["root", "event_type", "type"];
    let label = record.pointer("/gold/0/event_code").and_then(Value::as_str);
    let label = label.or_else(|| {
        names
            .iter()
            .find_map(|name| record.get(*name).and_then(Value::as_str))
    });
    let label = label.unwrap_or_default();
    label.split('/').next().unwrap_or(label)
}

/// The quad class of a type, CONCEDE and RETREAT taken as one.
fn quad<'k>(knowledge: &'k Knowledge, kind: &str) -> &'k str {
    let kind = if fold(kind) == "YIELD" { "RETREAT" } else { kind };
    let known = EventType::parse(kind).ok();
    let facts = known.and_then(|kind| knowledge.event_types.types.get(&kind));
    facts.map_or("", |facts| facts.quad.as_str())
}

/// Cooperation or conflict.
fn side(quad: &str) -> &str {
    quad.split_once('_').map_or("", |(_, side)| side)
}

/// The public test folds CONCEDE and RETREAT into YIELD.
fn fold(kind: &str) -> &str {
    if matches!(kind, "CONCEDE" | "RETREAT") {
        "YIELD"
    } else {
        kind
    }
}

/// Events of raw texts, one line each. Where the gold marks tokens as source and target, spans are scored: exact
/// ones, and those that touch.
pub(super) fn events(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let records = lines(gold)?;
    let coded = records.par_iter().map(|record| {
        let text = text_of(record);
        Ok((read(&text, record, knowledge)?.events, text))
    });
    let coded: Vec<(Vec<Event>, String)> = coded.collect::<Result<_>>()?;
    let mut rows = 0;
    let mut spans = [SpanScore::default(), SpanScore::default()];
    for (record, (found, text)) in records.iter().zip(&coded) {
        let mut events = table(found)?;
        for (event, row) in events.iter_mut().zip(found) {
            let at = |byte: Option<i64>| byte.map(|byte| text[..byte as usize].chars().count());
            event["source_start"] = json!(at(row.source_start_byte));
            event["source_end"] = json!(at(row.source_end_byte));
            event["target_start"] = json!(at(row.target_start_byte));
            event["target_end"] = json!(at(row.target_end_byte));
        }
        rows += events.len();
        writeln!(out, "{}", json!({"id": record.get("id"), "events": events}))?;
        if record.get("tags").is_some() {
            let span = |start: Option<i64>, end: Option<i64>| Some(start? as usize..end? as usize);
            let sources = found
                .iter()
                .filter_map(|row| span(row.source_start_byte, row.source_end_byte));
            let targets = found
                .iter()
                .filter_map(|row| span(row.target_start_byte, row.target_end_byte));
            spans[0].add(&sources.collect::<Vec<_>>(), &tagged(record, "S"));
            spans[1].add(&targets.collect::<Vec<_>>(), &tagged(record, "T"));
        }
    }
    let mut page = format!("{} texts, {rows} events\n", records.len());
    page += &event_page(&records, &coded);
    for (name, score) in ["source", "target"]
        .iter()
        .zip(&spans)
        .filter(|(_, score)| score.labelled > 0)
    {
        let _ = writeln!(
            page,
            "{name} spans: exact F1 {:.3}, touching F1 {:.3}",
            score.f1(0),
            score.f1(1)
        );
    }
    Ok(page)
}

/// How the events of texts agree with labelled ones, as multisets of each text: types alone, force events, and triples
/// of source country, target country and type.
fn event_page(records: &[Value], coded: &[(Vec<Event>, String)]) -> String {
    let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("-").to_owned();
    let code = |code: &Option<Code>| code.as_ref().map_or_else(|| "-".to_owned(), Code::to_string);
    let [mut types, mut forces, mut triples] =
        [Agreement::default(), Agreement::default(), Agreement::default()];
    for (record, (events, _)) in records.iter().zip(coded) {
        let Some(labelled) = record.get("events").and_then(Value::as_array) else {
            continue;
        };
        let gold = |part: &dyn Fn(&Value) -> Vec<String>| labelled.iter().map(part).collect::<Vec<_>>();
        let told = |part: &dyn Fn(&Event) -> Vec<String>| events.iter().map(part).collect::<Vec<_>>();
        let kind_of = |event: &Event| {
            event
                .event_type
                .map_or("-", |kind| fold(kind.as_str()))
                .to_owned()
        };
        let gold_kind = |event: &Value| fold(&word(event.get("event_type"))).to_owned();
        types.add(
            told(&|event| vec![kind_of(event)]),
            gold(&|event| vec![gold_kind(event)]),
        );
        let known = |list: Vec<Vec<String>>| {
            list.into_iter()
                .filter(|part| part[0] != "-" && !part[0].is_empty())
                .collect()
        };
        forces.add(
            known(told(&|event| vec![code(&event.force_event)])),
            known(gold(&|event| vec![word(event.get("force_event"))])),
        );
        triples.add(
            told(&|event| {
                vec![
                    code(&event.source_country),
                    code(&event.target_country),
                    kind_of(event),
                ]
            }),
            gold(&|event| {
                vec![
                    word(event.get("source_country")),
                    word(event.get("target_country")),
                    gold_kind(event),
                ]
            }),
        );
    }
    let named = [
        ("types", types),
        ("force events", forces),
        ("source, target and type", triples),
    ];
    let lines = named.iter().filter(|(_, agreement)| agreement.labelled > 0);
    lines
        .map(|(name, agreement)| format!("{name}: {}\n", agreement.line()))
        .collect()
}

/// Counts of items predicted, labelled, and both.
#[derive(Default)]
struct Agreement {
    predicted: usize,
    labelled: usize,
    both: usize,
}

impl Agreement {
    fn add(&mut self, predicted: Vec<Vec<String>>, mut labelled: Vec<Vec<String>>) {
        self.predicted += predicted.len();
        self.labelled += labelled.len();
        for item in predicted {
            if let Some(at) = labelled.iter().position(|other| *other == item) {
                labelled.swap_remove(at);
                self.both += 1;
            }
        }
    }

    fn line(&self) -> String {
        let share = |whole: usize| self.both as f64 / whole.max(1) as f64;
        let f1 = 2.0 * self.both as f64 / (self.predicted + self.labelled).max(1) as f64;
        format!(
            "P {:.3} R {:.3} F1 {f1:.3} of {}",
            share(self.predicted),
            share(self.labelled),
            self.labelled
        )
    }
}

/// Spans predicted, labelled, and of these the exact and the touching ones.
#[derive(Default)]
struct SpanScore {
    predicted: usize,
    labelled: usize,
    right: [usize; 2],
}

impl SpanScore {
    fn add(&mut self, predicted: &[Range<usize>], labelled: &[Range<usize>]) {
        let mut predicted = predicted.to_vec();
        predicted.sort_by_key(|span| (span.start, span.end));
        predicted.dedup();
        self.predicted += predicted.len();
        self.labelled += labelled.len();
        let touches =
            |one: &Range<usize>, other: &Range<usize>| one.start < other.end && other.start < one.end;
        self.right[0] += labelled.iter().filter(|span| predicted.contains(span)).count();
        self.right[1] += labelled
            .iter()
            .filter(|span| predicted.iter().any(|other| touches(span, other)))
            .count();
    }

    fn f1(&self, which: usize) -> f64 {
        2.0 * self.right[which] as f64 / (self.predicted + self.labelled).max(1) as f64
    }
}

/// The text of a record, or its tokens joined by spaces.
fn text_of(record: &Value) -> String {
    if record.get("tags").is_none()
        && let Some(text) = record.get("text").and_then(Value::as_str)
    {
        return text.to_owned();
    }
    strings(record, "tokens").collect::<Vec<_>>().join(" ")
}

fn strings<'v>(record: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    record
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The spans that BIO tags mark with a letter, in bytes of the tokens joined by spaces.
fn tagged(record: &Value, letter: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    let mut open = false;
    for (token, tag) in strings(record, "tokens").zip(strings(record, "tags")) {
        let end = at + token.len();
        match tag.split_once('-') {
            Some(("B", kind)) if kind == letter => spans.push(at..end),
            Some(("I", kind)) if kind == letter && open => {
                spans.last_mut().into_iter().for_each(|span| span.end = end)
            }
            _ => {}
        }
        open = tag.split_once('-').is_some_and(|(_, kind)| kind == letter);
        at = end + 1;
    }
    spans
}

/// Sentiment toward a given target.
pub(super) fn sentiment(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let language = language_of(knowledge)?;
    let records = lines(gold)?;
    let told = |record: &Value| {
        let labelled = crate::train::sentiment::labelled(record).into_iter().next();
        labelled.map(|labelled| model::toward(&labelled.text, &labelled.target, knowledge, language))
    };
    let told: Vec<Option<(StanceLabel, f32)>> = records.par_iter().map(told).collect();
    let mut scores = Scores::default();
    for (record, told) in records.iter().zip(told) {
        let (label, confidence) = told.unwrap_or((StanceLabel::Neutral, 0.0));
        let value = match label {
            StanceLabel::Negative => -1,
            StanceLabel::Neutral => 0,
            StanceLabel::Positive => 1,
        };
        writeln!(
            out,
            "{}",
            json!({"id": record.get("id"), "label": value, "confidence": confidence})
        )?;
        let gold = record.get("label").and_then(Value::as_i64).unwrap_or_default();
        scores.add(&value.to_string(), &gold.to_string());
    }
    Ok(scores.page("label"))
}

/// Stances and survey findings of raw texts. A text counts as right if its first stance that is not neutral, or
/// neutral if there is none, is toward the right force with the right label.
pub(super) fn stances(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let mut scores = Scores::default();
    let (mut rows, mut right) = (0, 0);
    let mut shares = Shares::default();
    for record in lines(gold)? {
        let found = read(string(&record, "text"), &record, knowledge)?;
        let mut stances = table(&found.sentiment)?;
        for row in &mut stances {
            row["holder"] = row.get("holder_name").cloned().unwrap_or(Value::Null);
        }
        let surveys = table(&found.surveys)?;
        shares.add(
            &surveys,
            record
                .get("surveys")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice),
        );
        writeln!(
            out,
            "{}",
            json!({"id": record.get("id"), "sentiment": stances, "surveys": surveys})
        )?;
        for wanted in record
            .get("sentiment")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let same = |row: &&Value| row.get("force_home").unwrap_or(&Value::Null) == &wanted["force_home"];
            let best = stances
                .iter()
                .filter(same)
                .find(|row| row["label"] == wanted["label"])
                .or_else(|| stances.iter().find(same));
            let label = best.map_or("none", |row| string(row, "label"));
            scores.add(label, string(wanted, "label"));
            rows += 1;
            let holder = best.is_some_and(|row| {
                row.get("holder_country").unwrap_or(&Value::Null) == &wanted["holder_country"]
                    && row["holder_kind"] == wanted["holder_kind"]
            });
            right += usize::from(holder && label == string(wanted, "label"));
        }
    }
    let share = 100.0 * right as f64 / rows.max(1) as f64;
    let mut page = String::new();
    if rows > 0 {
        page += &format!(
            "holder, force and label right: {right} of {rows} ({share:.1} %)\n{}",
            scores.page("label")
        );
    }
    if shares.told + shares.wanted > 0 {
        page += &shares.line();
    }
    Ok(page)
}

/// Shares of surveys told, wanted and right: by least and greatest share, polarity of the answer and home of the force.
#[derive(Default)]
struct Shares {
    told: usize,
    wanted: usize,
    right: usize,
}

impl Shares {
    fn add(&mut self, told: &[Value], wanted: &[Value]) {
        let mut left: Vec<&Value> = told.iter().collect();
        for row in wanted {
            let near = |one: &Value, key: &str| {
                let number = |row: &Value| row.get(key).and_then(Value::as_f64).unwrap_or(-1.0);
                (number(one) - number(row)).abs() < 0.51
            };
            let same = |one: &&&Value| {
                let home = |row: &Value| row.get("force_home").cloned().unwrap_or(Value::Null);
                near(one, "share_low")
                    && near(one, "share_high")
                    && one["response_polarity"] == row["response_polarity"]
                    && home(one) == home(row)
            };
            if let Some(at) = left.iter().position(|one| same(&one)) {
                left.swap_remove(at);
                self.right += 1;
            }
        }
        self.told += told.len();
        self.wanted += wanted.len();
    }

    fn line(&self) -> String {
        let share = |whole: usize| self.right as f64 / whole.max(1) as f64;
        format!(
            "survey shares: precision {:.3}, recall {:.3}, {} told, {} wanted\n",
            share(self.told),
            share(self.wanted),
            self.told,
            self.wanted
        )
    }
}

/// Counts of predicted and labelled classes.
#[derive(Default)]
struct Scores {
    /// By class: predicted, labelled, both.
    classes: BTreeMap<String, [usize; 3]>,
    total: usize,
}

impl Scores {
    fn add(&mut self, predicted: &str, labelled: &str) {
        self.total += 1;
        self.classes.entry(predicted.to_owned()).or_default()[0] += 1;
        let class = self.classes.entry(labelled.to_owned()).or_default();
        class[1] += 1;
        class[2] += usize::from(predicted == labelled);
    }

    fn page(&self, what: &str) -> String {
        let mut page = format!("{:<12} {:>6} {:>6} {:>6} {:>6}\n", what, "P", "R", "F1", "n");
        let mut sum = 0.0;
        let mut labelled_classes = 0;
        for (class, [predicted, labelled, both]) in &self.classes {
            let share = |whole: usize| *both as f64 / whole.max(1) as f64;
            let (precision, recall) = (share(*predicted), share(*labelled));
            let f1 = if *both == 0 {
                0.0
            } else {
                2.0 * precision * recall / (precision + recall)
            };
            if *labelled > 0 {
                (sum, labelled_classes) = (sum + f1, labelled_classes + 1);
            }
            let name = if class.is_empty() { "(nothing)" } else { class };
            // Writing to a string cannot fail.
            let _ = writeln!(
                page,
                "{name:<12} {precision:>6.3} {recall:>6.3} {f1:>6.3} {labelled:>6}"
            );
        }
        let right: usize = self.classes.values().map(|class| class[2]).sum();
        let accuracy = right as f64 / self.total.max(1) as f64;
        let _ = writeln!(
            page,
            "macro-F1 {:.3}, accuracy {accuracy:.3}, {} records",
            sum / f64::from(labelled_classes.max(1)),
            self.total
        );
        page
    }
}
