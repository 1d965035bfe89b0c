//! The barriers: how do the parts become tables? What is compared, linked or sorted as a whole goes through files where
//! it does not fit in memory. Held in memory at any size are the ids of documents (16 bytes each, 32 of copies) and
//! when those that tell of events were published.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::iter::Either;

use crate::dedup::{self, Sketch};
use crate::extract::Gate;
use crate::findings::{Found, Tellings, is_row_wanted};
use crate::incidents::{self, Told};
use crate::input::Fault;
use crate::knowledge::Knowledge;
use crate::output::{self, Store, TableWriter};
use crate::parts::{self, Part};
use crate::plan::Plan;
use crate::sort::{Sorted, Sorter};
use crate::tables::{
    Code, Document, Duplicate, Event, Extraction, Incident, Length, Mention, Place, Reject, RejectReason,
    Relation, Row, Sentiment, SketchRow, StanceLabel, StanceMonthly, Survey,
};
use crate::{id, kill, rollup};

/// Rows read or written at a time.
const ROWS: usize = 4096;
/// What each of a few sorters may hold, as a share of the memory of the plan.
const SORTER_SHARE: u64 = 16;

/// What the tables of a run hold, counted while they were written.
#[derive(Debug, Default)]
pub struct Totals {
    /// Rows of every table written, by name.
    pub rows: Vec<(&'static str, u64)>,
    /// Documents by how they relate to their canonical one.
    pub relations: BTreeMap<Relation, u64>,
    /// What the gate let through.
    pub gate: Gate,
    /// Rows of `sentiment` by label.
    pub labels: BTreeMap<StanceLabel, u64>,
    /// Rows of `events` and `sentiment` by home of the force.
    pub forces: BTreeMap<Code, u64>,
    /// Rows of `events` by host of the force.
    pub hosts: BTreeMap<Code, u64>,
}

impl Totals {
    /// Rows of a table.
    pub fn rows_of<R: Row>(&self) -> u64 {
        let rows = self.rows.iter().find(|(table, _)| *table == R::TABLE);
        rows.map_or(0, |(_, rows)| *rows)
    }
}

/// Leaves out documents that stand in the input more than once, but for the first, and gives a reject for each.
/// The same article from two addresses is no repetition but a copy.
///
/// # Errors
/// A part cannot be read.
pub fn leave_out_repeated(parts: &mut [Part], mut reject: impl FnMut(Reject) -> Result<()>) -> Result<()> {
    let repeated = repeated(parts);
    let mut first: HashMap<u128, (String, i64)> = HashMap::new();
    let concerned = |part: &Part| part.ids.iter().any(|id| repeated.contains(id));
    for part in parts.iter().filter(|part| concerned(part)) {
        each_row(part, |_, place: Place| {
            let id = id::number(&place.document_id).filter(|id| repeated.contains(id));
            if let Some(id) = id {
                let place = (place.input_path, place.input_record);
                let earliest = first.entry(id).or_insert_with(|| place.clone());
                *earliest = place.min(earliest.clone());
            }
            Ok(())
        })?;
    }
    for part in parts.iter_mut().filter(|part| concerned(part)) {
        leave_out(part, &first, &mut reject)?;
    }
    Ok(())
}

/// Ids that come more than once.
fn repeated(parts: &[Part]) -> HashSet<u128> {
    let mut ids: Vec<u128> = parts.iter().flat_map(|part| &part.ids).copied().collect();
    ids.sort_unstable();
    ids.windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect()
}

fn leave_out(
    part: &mut Part,
    first: &HashMap<u128, (String, i64)>,
    reject: &mut impl FnMut(Reject) -> Result<()>,
) -> Result<()> {
    let mut left_out: HashMap<usize, String> = HashMap::new();
    let mut present = HashSet::new();
    each_row(part, |row, place: Place| {
        let Some((id, (path, record))) =
            id::number(&place.document_id).and_then(|id| Some((id, first.get(&id)?)))
        else {
            return Ok(());
        };
        if (path, record) == (&place.input_path, &place.input_record) {
            present.insert(id);
            return Ok(());
        }
        left_out.insert(row, place.language.to_string());
        reject(Reject {
            input_path: place.input_path,
            input_record: Some(place.input_record),
            byte_offset: None,
            reason: RejectReason::Repeated,
            detail: format!("the same article as {}", place.document_id),
            run_id: String::new(),
        })
    })?;
    let mut text_bytes = 0;
    each_row(part, |row, length: Length| {
        text_bytes += length.text_bytes as u64 * u64::from(left_out.contains_key(&row));
        Ok(())
    })?;
    part.text_bytes -= text_bytes;
    for language in left_out.values() {
        part.languages
            .entry(language.clone())
            .and_modify(|number| *number -= 1);
    }
    part.languages.retain(|_, number| *number > 0);
    if !left_out.is_empty() {
        *part.rejects.entry(RejectReason::Repeated).or_default() += left_out.len() as u64;
    }
    part.absent = left_out.keys().map(|row| part.ids[*row]).collect();
    part.absent.retain(|id| !present.contains(id));
    part.left_out = left_out.into_keys().collect();
    Ok(())
}

/// Calls `each` on the rows of a part's table, with their numbers.
fn each_row<R: Row>(part: &Part, mut each: impl FnMut(usize, R) -> Result<()>) -> Result<()> {
    let mut number = 0;
    for rows in output::read_table::<R>(&part.file::<R>(), ROWS)? {
        for row in rows? {
            each(number, row)?;
            number += 1;
        }
    }
    Ok(())
}

/// Compares all documents, writes `duplicates` and gives the documents that say nothing of their own: exact and
/// near copies.
///
/// # Errors
/// The disk is full or gone, or the memory of the plan is too little for so many documents.
pub fn compare(parts: &[Part], plan: &Plan, store: &Store, totals: &mut Totals) -> Result<HashSet<u128>> {
    let work = store.work().join("dedup");
    std::fs::create_dir_all(&work)?;
    let rows: Box<dyn Iterator<Item = Result<Duplicate>>> = match &plan.dedup {
        None => Box::new(unique(parts).map(Ok)),
        Some(wanted) => {
            let options = dedup::Options {
                memory_bytes: (plan.memory_bytes / 2) as usize,
                work: &work,
                window_days: wanted.window_days,
            };
            Box::new(dedup::cluster(sketches(parts), &options)?.map(|row| Ok(duplicate_row(&row?))))
        }
    };
    kill::point("compare: clusters found");
    let mut copies = HashSet::new();
    let written = write_rows(rows, store, |row: &Duplicate| {
        *totals.relations.entry(row.relation).or_default() += 1;
        if matches!(row.relation, Relation::Exact | Relation::Near) {
            copies.extend(id::number(&row.document_id));
        }
    })?;
    totals.rows.push((Duplicate::TABLE, written));
    kill::point("compare: duplicates written");
    Ok(copies)
}

fn unique(parts: &[Part]) -> impl Iterator<Item = Duplicate> + use<> {
    let mut ids: Vec<u128> = parts.iter().flat_map(|part| &part.ids).copied().collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| Duplicate {
        document_id: id::text("d", id),
        cluster_id: id::text("c", id),
        canonical_id: id::text("d", id),
        ..Duplicate::default()
    })
}

fn sketches(parts: &[Part]) -> impl Iterator<Item = Result<Sketch>> {
    parts
        .iter()
        .flat_map(|part| match output::read_table(&part.file::<SketchRow>(), ROWS) {
            Ok(batches) => Either::Left(batches.flat_map(|batch| match batch {
                Ok(rows) => rows.iter().map(parts::sketch).collect(),
                Err(error) => vec![Err(error)],
            })),
            Err(error) => Either::Right(std::iter::once(Err(error))),
        })
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

/// A sorter of rejects by their place in the input.
pub fn reject_sorter<'f>(work: &'f Path, plan: &Plan) -> RejectSorter<'f> {
    let key: fn(&Reject) -> RejectKey = |row| {
        let place = (row.input_path.clone(), row.input_record, row.byte_offset);
        (place, row.reason, row.detail.clone())
    };
    Sorter::new(work, "rejects", plan.memory_bytes / SORTER_SHARE, key)
}

type RejectKey = ((String, Option<i64>, Option<i64>), RejectReason, String);
type RejectSorter<'f> = Sorter<'f, Reject, fn(&Reject) -> RejectKey>;

/// Writes `documents` and `rejects`; `rejects` brings those of repeated documents.
///
/// # Errors
/// The disk is full or gone.
pub fn write_documents(
    parts: &[Part],
    faults: &[Fault],
    mut rejects: RejectSorter<'_>,
    store: &Store,
    totals: &mut Totals,
) -> Result<()> {
    let mut files = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let file = part.file::<Document>();
        if part.left_out.is_empty() {
            files.push(file);
            continue;
        }
        let chosen = store.work().join(format!("documents-{number}.parquet"));
        let mut row = 0;
        output::filter_table(&file, &chosen, |_: &Document| {
            row += 1;
            !part.left_out.contains(&(row - 1))
        })?;
        files.push(chosen);
    }
    let joined = output::join_tables::<Document>(&files, &store.table(Document::TABLE), store.run_id())?;
    totals.rows.push((Document::TABLE, joined));
    kill::point("write: documents written");
    for fault in faults {
        rejects.push(parts::reject_row(fault))?;
    }
    for part in parts {
        each_row(part, |_, row: Reject| rejects.push(row))?;
    }
    let written = write_rows(rejects.finish()?, store, |_: &Reject| {})?;
    totals.rows.push((Reject::TABLE, written));
    kill::point("write: rejects written");
    Ok(())
}

/// Links events to incidents and writes the tables of findings, sorted by force and date.
///
/// # Errors
/// The disk is full or gone.
pub fn write_findings(
    parts: &[Part],
    found: &[Found],
    copies: &HashSet<u128>,
    plan: &Plan,
    knowledge: &Knowledge,
    store: &Store,
    totals: &mut Totals,
) -> Result<()> {
    let (work, memory_bytes) = (store.work(), plan.memory_bytes / SORTER_SHARE);
    let findings = Findings { parts, found, copies };
    write_mentions(&findings, store, totals)?;
    let incident_of = write_happenings(&findings, memory_bytes, knowledge, store, totals)?;

    let mut sentiment = Sorter::new(&work, "sentiment", memory_bytes, |row: &Sentiment| {
        (row.force_home.clone(), row.stated_on, row.sentiment_id.clone())
    });
    findings.each(|row: Sentiment| sentiment.push(row), |row| &row.document_id)?;
    // Rows come force by force, so that no more than those of one are held for the months.
    let (mut of_force, mut months): (Vec<Sentiment>, Vec<StanceMonthly>) = (Vec::new(), Vec::new());
    let written = write_rows(sentiment.finish()?, store, |row: &Sentiment| {
        *totals.labels.entry(row.label).or_default() += 1;
        count(&mut totals.forces, row.force_home.as_ref());
        if of_force
            .first()
            .is_some_and(|first| first.force_home != row.force_home)
        {
            months.append(&mut rollup::monthly(&of_force, &incident_of));
            of_force.clear();
        }
        of_force.push(row.clone());
    })?;
    totals.rows.push((Sentiment::TABLE, written));
    months.append(&mut rollup::monthly(&of_force, &incident_of));
    let written = write_rows(months.into_iter().map(Ok), store, |_: &StanceMonthly| {})?;
    totals.rows.push((StanceMonthly::TABLE, written));

    let mut surveys = Sorter::new(&work, "surveys", memory_bytes, |row: &Survey| {
        (row.force_home.clone(), row.fieldwork_from, row.survey_id.clone())
    });
    findings.each(|row: Survey| surveys.push(row), |row| &row.document_id)?;
    let written = write_rows(surveys.finish()?, store, |_: &Survey| {})?;
    totals.rows.push((Survey::TABLE, written));
    kill::point("write: sentiment and surveys written");
    Ok(())
}

/// The findings of all parts, of which a run wants those of documents that are no copies.
struct Findings<'r> {
    parts: &'r [Part],
    found: &'r [Found],
    copies: &'r HashSet<u128>,
}

impl Findings<'_> {
    /// Calls `take` on every row of a table that is wanted.
    fn each<R: Row>(
        &self,
        mut take: impl FnMut(R) -> Result<()>,
        document_id: impl Fn(&R) -> &str,
    ) -> Result<()> {
        for (part, found) in self.parts.iter().zip(self.found) {
            for file in found.files::<R>() {
                for rows in output::read_table::<R>(&file, ROWS)? {
                    let wanted = |row: &R| is_row_wanted(part, self.copies, document_id(row));
                    rows?.into_iter().filter(wanted).try_for_each(&mut take)?;
                }
            }
        }
        Ok(())
    }
}

/// Mentions are many and in no order of their own: files are joined as they are where all their rows are wanted.
fn write_mentions(findings: &Findings, store: &Store, totals: &mut Totals) -> Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    for (number, (part, found)) in findings.parts.iter().zip(findings.found).enumerate() {
        for (folder, file) in found.files::<Mention>().into_iter().enumerate() {
            if !found.has_more {
                files.push(file);
                continue;
            }
            let chosen = store.work().join(format!("mentions-{number}-{folder}.parquet"));
            let wanted = |row: &Mention| is_row_wanted(part, findings.copies, &row.document_id);
            output::filter_table::<Mention>(&file, &chosen, wanted)?;
            files.push(chosen);
        }
    }
    let joined = output::join_tables::<Mention>(&files, &store.table(Mention::TABLE), store.run_id())?;
    totals.rows.push((Mention::TABLE, joined));
    kill::point("write: mentions written");
    Ok(())
}

/// Events and incidents: events come kin by kin, are linked, and are sorted again as they are published. Gives the
/// incident of each event.
fn write_happenings(
    findings: &Findings,
    memory_bytes: u64,
    knowledge: &Knowledge,
    store: &Store,
    totals: &mut Totals,
) -> Result<HashMap<String, String>> {
    let mut told = Tellings::default();
    let count_gate = |row: Extraction| {
        totals.gate.documents += u64::from(row.parsed > 0);
        totals.gate.sentences += row.sentences as u64;
        totals.gate.parsed += row.parsed as u64;
        told.add(&row);
        Ok(())
    };
    findings.each(count_gate, |row| &row.document_id)?;

    let work = store.work();
    let families = |name: &str| knowledge.event_types.family(name);
    let families = &families;
    let mut by_kin = Sorter::new(&work, "kin", memory_bytes, move |row: &Event| {
        (incidents::kin(row, families), row.event_id.clone())
    });
    findings.each(|row: Event| by_kin.push(row), |row| &row.document_id)?;
    let mut events = Sorter::new(&work, "events", memory_bytes, |row: &Event| {
        (row.force_home.clone(), row.starts_on, row.event_id.clone())
    });
    let mut happenings = Sorter::new(&work, "incidents", memory_bytes, |row: &Incident| {
        (row.force_home.clone(), row.starts_on, row.incident_id.clone())
    });
    let mut link = |mut rows: Vec<Event>| -> Result<()> {
        let published: HashMap<String, Told> = rows
            .iter()
            .filter_map(|row| Some((row.document_id.clone(), told.get(&row.document_id)?)))
            .collect();
        let published = published.iter().map(|(id, told)| (id.as_str(), told)).collect();
        let linked = incidents::link(&mut rows, &published, families);
        linked.into_iter().try_for_each(|row| happenings.push(row))?;
        rows.into_iter().try_for_each(|row| events.push(row))
    };
    each_kin(by_kin.finish()?, |row| incidents::kin(row, families), &mut link)?;
    let mut incident_of = HashMap::new();
    let written = write_rows(events.finish()?, store, |row: &Event| {
        if let Some(incident) = &row.incident_id {
            incident_of.insert(row.event_id.clone(), incident.clone());
        }
        count(&mut totals.forces, row.force_home.as_ref());
        count(&mut totals.hosts, row.host_country.as_ref());
    })?;
    totals.rows.push((Event::TABLE, written));
    kill::point("write: events written");
    let written = write_rows(happenings.finish()?, store, |_: &Incident| {})?;
    totals.rows.push((Incident::TABLE, written));
    kill::point("write: incidents written");
    Ok(incident_of)
}

/// Calls `each` on the rows of one kin after the other.
fn each_kin(
    sorted: Sorted<'_, Event>,
    kin: impl Fn(&Event) -> incidents::Kin,
    each: &mut impl FnMut(Vec<Event>) -> Result<()>,
) -> Result<()> {
    let mut rows: Vec<Event> = Vec::new();
    for row in sorted {
        let row = row?;
        if rows.first().is_some_and(|first| kin(first) != kin(&row)) {
            each(std::mem::take(&mut rows))?;
        }
        rows.push(row);
    }
    each(rows)
}

fn count(numbers: &mut BTreeMap<Code, u64>, code: Option<&Code>) {
    if let Some(code) = code {
        *numbers.entry(code.clone()).or_default() += 1;
    }
}

/// Writes a table of the run from rows in order, shows each row to `see`, and gives the number of rows.
///
/// # Errors
/// The disk is full or gone.
pub fn write_rows<R: Row>(
    rows: impl Iterator<Item = Result<R>>,
    store: &Store,
    mut see: impl FnMut(&R),
) -> Result<u64> {
    let mut writer = TableWriter::<R>::create(&store.table(R::TABLE))?;
    let mut held = Vec::with_capacity(ROWS);
    for row in rows {
        let mut row = row?;
        row.set_run_id(store.run_id());
        see(&row);
        held.push(row);
        if held.len() == ROWS {
            writer.write(&held)?;
            held.clear();
        }
    }
    writer.write(&held)?;
    writer.finish()
}
