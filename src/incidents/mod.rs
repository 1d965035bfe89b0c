//! One happening, many tellings: event rows of one family, with the same actors and force, near in time.
//!
//! Rows are joined in the order of their dates, so that the result does not depend on the order they come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::id;
use crate::tables::{Code, DateBasis, DatePrecision, Event, Incident, Modality, Status};

/// When and by whom a document that tells of events was published.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// The publisher.
    pub source: Option<String>,
}

/// Rows that tell of the same kind of thing between the same parties.
pub type Kin = (String, Option<Code>, Option<Code>, Option<Code>, Option<Code>);

/// Days within which two tellings may be of one happening where neither says exactly when.
const SPAN_DAYS: i32 = 30;

/// Links event rows to incidents, sets their `incident_id`, and gives the incidents. Only rows of one [`Kin`] are ever
/// linked, so that rows may be given kin by kin.
pub fn link(
    events: &mut [Event],
    told: &HashMap<&str, &Told>,
    families: impl Fn(&str) -> String,
) -> Vec<Incident> {
    let mut families_of: BTreeMap<Kin, Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        // What is denied or only supposed is no happening.
        if !matches!(event.modality, Modality::Negated | Modality::Hypothetical) {
            families_of.entry(kin(event, &families)).or_default().push(index);
        }
    }
    let mut incidents = Vec::new();
    for mut members in families_of.into_values() {
        members.sort_by_key(|index| (window(&events[*index]), events[*index].event_id.clone()));
        for group in groups(&members, events) {
            let incident = incident(&group, events, told);
            for index in group {
                events[index].incident_id = Some(incident.incident_id.clone());
            }
            incidents.push(incident);
        }
    }
    incidents
}

/// For an event of a force: its family, whose force and where. For others: the type and who to whom.
pub fn kin(event: &Event, families: &impl Fn(&str) -> String) -> Kin {
    match &event.force_event {
        Some(name) => (
            families(name.as_str()),
            event.force_home.clone(),
            event.host_country.clone(),
            None,
            None,
        ),
        None => {
            let name = event.event_type.map_or("", |event_type| event_type.as_str());
            let mode = event.event_mode.as_ref().map_or("", Code::as_str);
            (
                format!("{name}/{mode}"),
                None,
                None,
                event.source_country.clone(),
                event.target_country.clone(),
            )
        }
    }
}

/// The days an event may have happened on.
fn window(event: &Event) -> Option<(Date, Date)> {
    match (event.starts_on, event.ends_on) {
        (Some(start), Some(end)) => Some((start, end)),
        (Some(day), None) | (None, Some(day)) => Some((day, day)),
        (None, None) => None,
    }
}

/// Splits rows, in order of their dates, where more than [`SPAN_DAYS`] lie between one and the next. Rows without a
/// date join the first group: nothing tells them from it.
fn groups(members: &[usize], events: &[Event]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut undated = Vec::new();
    let mut last: Option<Date> = None;
    for index in members.iter().copied() {
        let Some((start, end)) = window(&events[index]) else {
            undated.push(index);
            continue;
        };
        let near = last.is_some_and(|last| (start - last).get_days() <= SPAN_DAYS);
        match groups.last_mut().filter(|_| near) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
        // A span as long as a year must not swallow everything in it.
        let reach = if (end - start).get_days() > SPAN_DAYS {
            start
        } else {
            end
        };
        last = last.max(Some(reach));
    }
    match groups.first_mut() {
        Some(first) => first.extend(undated),
        None if undated.is_empty() => {}
        None => groups.push(undated),
    }
    groups
}

fn incident(group: &[usize], events: &[Event], told: &HashMap<&str, &Told>) -> Incident {
    let rows: Vec<&Event> = group.iter().map(|index| &events[*index]).collect();
    // The surest row speaks for the incident; of equals the one with the smaller id.
    let best = rows.iter().max_by(|one, other| {
        (one.confidence, std::cmp::Reverse(&one.event_id))
            .partial_cmp(&(other.confidence, std::cmp::Reverse(&other.event_id)))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let Some(best) = best else {
        return Incident::default();
    };
    let dated = rows
        .iter()
        .filter(|event| event.date_basis != Some(DateBasis::Publication) && event.starts_on.is_some());
    let dated = dated
        .min_by_key(|event| (precision_rank(event.date_precision), event.starts_on))
        .copied()
        .unwrap_or(best);
    let placed = rows
        .iter()
        .max_by_key(|event| (event.place_precision, &event.place_name))
        .copied()
        .unwrap_or(best);
    let documents: BTreeSet<&str> = rows.iter().map(|event| event.document_id.as_str()).collect();
    let told: Vec<&Told> = documents
        .iter()
        .filter_map(|document| told.get(document).copied())
        .collect();
    let sources: BTreeSet<&str> = told.iter().filter_map(|told| told.source.as_deref()).collect();
    let published = || told.iter().filter_map(|told| told.published_at);
    let latest = rows
        .iter()
        .filter(|event| event.status != Status::Unknown)
        .max_by_key(|event| (event.ends_on, event.status));
    let smallest = rows
        .iter()
        .map(|event| event.event_id.as_str())
        .min()
        .unwrap_or_default();
    Incident {
        incident_id: id::of("i", &[smallest.as_bytes()]),
        event_type: best.event_type,
        event_mode: best.event_mode.clone(),
        force_event: best.force_event.clone(),
        source_country: best.source_country.clone(),
        target_country: best.target_country.clone(),
        force_home: best.force_home.clone(),
        force_kind: best.force_kind,
        host_country: best.host_country.clone(),
        place_name: placed.place_name.clone(),
        place_country: placed.place_country.clone(),
        latitude: placed.latitude,
        longitude: placed.longitude,
        starts_on: dated.starts_on,
        ends_on: dated.ends_on,
        date_precision: dated.date_precision,
        status: latest.map_or(Status::Unknown, |event| event.status),
        documents: documents.len() as i32,
        sources: sources.len().max(1) as i32,
        mentions: rows.len() as i32,
        first_published_at: published().min(),
        last_published_at: published().max(),
        representative_event_id: best.event_id.clone(),
        evidence: best.evidence.clone(),
        confidence: best.confidence,
        run_id: String::new(),
    }
}

fn precision_rank(precision: Option<DatePrecision>) -> u8 {
    match precision {
        Some(DatePrecision::Day) => 0,
        Some(DatePrecision::Week) => 1,
        Some(DatePrecision::Month) => 2,
        Some(DatePrecision::Season) => 3,
        Some(DatePrecision::Year) => 4,
        Some(DatePrecision::Range | DatePrecision::Before | DatePrecision::After) => 5,
        None => 6,
    }
}
