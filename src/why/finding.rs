//! Why a finding stands in its table: the sentence, what was read in it, and the rule that made the row.

use std::fmt::{Display, Write};
use std::path::Path;

use anyhow::{Context, Result};
use jiff::civil::Date;

use super::find;
use crate::knowledge::{Reader, Source};
use crate::tables::{Document, Event, Incident, Row, Sentiment, Survey};

/// A page of lines that each have a name.
struct Page(String);

impl Page {
    fn titled(id: &str, title: &str, confidence: Option<f32>) -> Self {
        let sure = confidence.map_or(String::new(), |sure| format!(", confidence {sure:.2}"));
        Self(format!("{id}\n  {title}{sure}\n\n"))
    }

    /// A line, where there is something to say.
    fn line(&mut self, name: &str, parts: &[Option<String>]) {
        let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        if !parts.is_empty() {
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(self.0, "  {name:<10}{}", parts.join(", "));
        }
    }

    /// The words a row rests on, with a part of them marked.
    fn evidence(&mut self, words: &str, marked: Option<(usize, usize)>) {
        let marked =
            marked.filter(|(start, end)| words.is_char_boundary(*start) && words.is_char_boundary(*end));
        let words = match marked {
            Some((start, end)) => format!("{}>>{}<<{}", &words[..start], &words[start..end], &words[end..]),
            None => words.to_owned(),
        };
        self.line(
            "words",
            &[Some(words.split_whitespace().collect::<Vec<_>>().join(" "))],
        );
    }
}

fn only<R: Row>(id: &str, folder: &Path, column: &str) -> Result<R> {
    let rows: Vec<R> = find(folder, column, &[id])?;
    let row = rows.into_iter().next();
    row.with_context(|| {
        format!(
            "there is no row {id} in {}.parquet of {}",
            R::TABLE,
            folder.display()
        )
    })
}

fn word(value: &Option<impl Display>) -> Option<String> {
    value.as_ref().map(ToString::to_string)
}

/// "name (country, kind)".
fn who(name: &Option<String>, country: &Option<impl Display>, kind: Option<impl Display>) -> Option<String> {
    let facts: Vec<String> = [word(country), word(&kind)].into_iter().flatten().collect();
    match (name, facts.is_empty()) {
        (Some(name), true) => Some(name.clone()),
        (Some(name), false) => Some(format!("{name} ({})", facts.join(", "))),
        (None, true) => None,
        (None, false) => Some(facts.join(", ")),
    }
}

fn days(first: Option<Date>, last: Option<Date>) -> Option<String> {
    match (first, last) {
        (Some(first), Some(last)) if first != last => Some(format!("{first} to {last}")),
        (first, last) => word(&first.or(last)),
    }
}

/// The document a finding was read in, as one line.
fn source_line(page: &mut Page, document_id: &str, sentence: i32, folder: &Path) -> Result<String> {
    let document: Document = only(document_id, folder, "document_id")?;
    let title = document.title.clone().unwrap_or_else(|| "-".to_owned());
    let place = format!("{document_id}, sentence {sentence}");
    page.line("read in", &[Some(place), document.source.clone(), Some(title)]);
    Ok(document.language.to_string())
}

/// What a rule is: the line of the knowledge that it names, or the model.
fn rule(name: &str, language: &str, source: Source) -> String {
    let (by, model) = name
        .split_once('+')
        .map_or((name, None), |(by, model)| (by, Some(model)));
    let mut parts = by.split(':');
    let (kind, file, line) = (parts.next(), parts.next(), parts.next());
    let named = match (kind, file, line) {
        (Some("frame"), Some(file), Some(line)) => Some((format!("predicates/{file}.tsv"), line)),
        (Some("stance"), Some(line), None) => Some(("stances.tsv".to_owned(), line)),
        _ => None,
    };
    let text = named.and_then(|(file, line)| {
        let file = format!("languages/{language}/{file}");
        let bytes = Reader::new(source).bytes(&file).into_owned();
        let number: usize = line.parse().ok()?;
        let row = String::from_utf8(bytes)
            .ok()?
            .lines()
            .nth(number.checked_sub(1)?)?
            .to_owned();
        let row = row
            .split('\t')
            .filter(|cell| !cell.is_empty())
            .collect::<Vec<_>>()
            .join(" | ");
        Some(format!("{name}: knowledge/{file}:{line}: {row}"))
    });
    let text = text.unwrap_or_else(|| name.to_owned());
    match model {
        Some(_) => format!("{text}; its type was settled by the model"),
        None => text,
    }
}

/// The page of an event.
pub(super) fn event(id: &str, folder: &Path, source: Source) -> Result<String> {
    let row: Event = only(id, folder, "event_id")?;
    let title = [word(&row.force_event), word(&row.event_type), word(&row.quad)];
    let title: Vec<String> = title.into_iter().flatten().collect();
    let mut page = Page::titled(id, &title.join(", "), Some(row.confidence));
    let trigger = (
        row.trigger_start_byte - row.start_byte,
        row.trigger_end_byte - row.start_byte,
    );
    let trigger = (trigger.0.max(0) as usize, trigger.1.max(0) as usize);
    page.evidence(
        &row.evidence,
        (trigger.1 <= row.evidence.len()).then_some(trigger),
    );
    page.line(
        "who",
        &[who(&row.source_name, &row.source_country, row.source_kind)],
    );
    page.line(
        "to whom",
        &[who(&row.target_name, &row.target_country, row.target_kind)],
    );
    let hosted = row.host_country.as_ref().map(|host| format!("in {host}"));
    page.line(
        "force",
        &[who(&row.force_name, &row.force_home, row.force_kind), hosted],
    );
    let basis = row.date_basis.map(|basis| format!("by {basis}"));
    let told = row.date_text.as_ref().map(|text| format!("\"{text}\""));
    page.line("when", &[days(row.starts_on, row.ends_on), told, basis]);
    page.line(
        "where",
        &[who(&row.place_name, &row.place_country, row.place_precision)],
    );
    page.line(
        "is it so",
        &[Some(row.modality.to_string()), Some(row.status.to_string())],
    );
    page.line("says", std::slice::from_ref(&row.reported_by));
    page.line(
        "cameo",
        &[
            word(&row.cameo_code),
            word(&row.event_mode),
            word(&row.event_context),
        ],
    );
    let language = source_line(&mut page, &row.document_id, row.sentence_index, folder)?;
    page.line("rule", &[Some(rule(&row.rule, &language, source))]);
    page.line("incident", std::slice::from_ref(&row.incident_id));
    Ok(page.0)
}

/// Tellings of an incident that are listed; the table has the rest.
const TELLINGS_SHOWN: usize = 20;

/// The page of an incident: its tellings.
pub(super) fn incident(id: &str, folder: &Path) -> Result<String> {
    let row: Incident = only(id, folder, "incident_id")?;
    let title = [word(&row.force_event), word(&row.event_type)];
    let title: Vec<String> = title.into_iter().flatten().collect();
    let mut page = Page::titled(id, &title.join(", "), None);
    page.line("who", &[word(&row.source_country)]);
    page.line("to whom", &[word(&row.target_country)]);
    page.line("when", &[days(row.starts_on, row.ends_on)]);
    page.line(
        "where",
        &[who(&row.place_name, &row.place_country, None::<String>)],
    );
    let tellings: Vec<Event> = find(folder, "incident_id", &[id])?;
    let _ = writeln!(page.0, "\n{} tellings", tellings.len());
    for telling in tellings.iter().take(TELLINGS_SHOWN) {
        let words: Vec<&str> = telling.evidence.split_whitespace().collect();
        let _ = writeln!(
            page.0,
            "  {} {}: {}",
            telling.event_id,
            telling.document_id,
            words.join(" ")
        );
    }
    Ok(page.0)
}

/// The page of a stance.
pub(super) fn stance(id: &str, folder: &Path, source: Source) -> Result<String> {
    let row: Sentiment = only(id, folder, "sentiment_id")?;
    let mut page = Page::titled(
        id,
        &format!("{} ({:+.2})", row.label, row.polarity),
        Some(row.confidence),
    );
    let force = (
        row.force_start_byte - row.start_byte,
        row.force_end_byte - row.start_byte,
    );
    let inside = force.0 >= 0 && force.1 as usize <= row.evidence.len();
    page.evidence(
        &row.evidence,
        inside.then_some((force.0 as usize, force.1 as usize)),
    );
    page.line(
        "holder",
        &[who(&row.holder_name, &row.holder_country, Some(row.holder_kind))],
    );
    page.line("chain", std::slice::from_ref(&row.source_chain));
    let hosted = row.host_country.as_ref().map(|host| format!("in {host}"));
    page.line(
        "force",
        &[who(&row.force_name, &row.force_home, row.force_kind), hosted],
    );
    let marks = [
        (row.negated, "turned by a negation"),
        (row.hedged, "hedged"),
        (row.is_owner, "the holder's own force"),
    ];
    let marks = marks
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| Some(mark.to_owned()));
    let shown: Vec<Option<String>> = [Some(row.basis.to_string())].into_iter().chain(marks).collect();
    page.line("shown by", &shown);
    page.line("on", &[word(&row.stated_on)]);
    page.line("rests on", &[row.event_id.clone(), row.survey_id.clone()]);
    let language = source_line(&mut page, &row.document_id, row.sentence_index, folder)?;
    page.line("rule", &[Some(rule(&row.rule, &language, source))]);
    Ok(page.0)
}

/// The page of a survey's share.
pub(super) fn survey(id: &str, folder: &Path) -> Result<String> {
    let row: Survey = only(id, folder, "survey_id")?;
    let share = if row.share_low == row.share_high {
        row.share_low.to_string()
    } else {
        format!("{} to {}", row.share_low, row.share_high)
    };
    let share = format!("{share} percent: {}", row.response);
    let mut page = Page::titled(id, &share, Some(row.confidence));
    page.evidence(&row.evidence, None);
    page.line(
        "of whom",
        &[
            who(
                &Some(row.population.clone()),
                &row.population_country,
                None::<String>,
            ),
            row.subgroup.clone(),
        ],
    );
    page.line("force", &[who(&row.force_name, &row.force_home, row.force_kind)]);
    page.line(
        "share",
        &[Some(row.share_text.clone()), Some(row.share_kind.to_string())],
    );
    page.line("asked by", &[row.pollster.clone(), row.sponsor.clone()]);
    page.line("asked on", &[days(row.fieldwork_from, row.fieldwork_to)]);
    page.line(
        "question",
        &[row.question_topic.clone(), Some(row.finding_group_id.clone())],
    );
    source_line(&mut page, &row.document_id, row.sentence_index, folder)?;
    page.line("rule", &[Some(row.rule.clone())]);
    Ok(page.0)
}
