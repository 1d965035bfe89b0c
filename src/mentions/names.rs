//! Names from the gazetteer: which reading is meant, and what actor that makes.

use std::collections::BTreeMap;

use super::{Actor, Context, Force, stands_for_government};
use crate::knowledge::{Entry, Knowledge, Language, Reading};
use crate::tables::{ActorKind, Code};
use crate::text::{Parsed, Upos};

/// A name in a sentence, read.
pub(super) struct Name<'k> {
    pub start: usize,
    pub end: usize,
    pub head: usize,
    pub entry: &'k Entry,
    modifies: bool,
}

impl Name<'_> {
    /// Whether the name stands before another noun.
    pub fn modifies(&self) -> bool {
        self.modifies
    }

    /// Whether the name only describes another noun: "French" in "French troops".
    pub fn modifies_only(&self) -> bool {
        self.modifies && matches!(self.entry.reading, Reading::Adjective | Reading::Demonym)
    }
}

/// The names of a sentence, each with its most likely reading.
pub(super) fn find<'k>(
    text: &str,
    parsed: &Parsed<'_>,
    knowledge: &'k Knowledge,
    language: &Language,
    year: Option<i16>,
) -> Vec<Name<'k>> {
    let found = knowledge.gazetteer.find(text, parsed.start..parsed.end);
    let countries: Vec<Code> = found
        .iter()
        .flat_map(|found| {
            found
                .entries
                .iter()
                .filter(|entry| entry.reading != Reading::Place)
        })
        .filter_map(|entry| entry.country.clone())
        .collect();
    found
        .into_iter()
        .filter_map(|found| {
            let head = parsed.head_of(found.start..found.end)?;
            let modifies = modifies(parsed, head);
            let located = language
                .forces
                .host_prepositions
                .contains(&parsed.preposition(head));
            let best = found
                .entries
                .iter()
                .filter(|entry| is_of_year(entry, year))
                .min_by_key(|entry| rank(entry, &parsed.words[head].upos, modifies, located, &countries))?;
            Some(Name {
                start: found.start,
                end: found.end,
                head,
                entry: best,
                modifies,
            })
        })
        .collect()
}

fn modifies(parsed: &Parsed<'_>, head: usize) -> bool {
    matches!(
        parsed.words[head].relation,
        "amod" | "compound" | "nmod:poss" | "flat" | "nmod:unmarked" | "nmod:desc"
    )
}

/// An entry that is bounded in time does not stand for anything years before or after.
fn is_of_year(entry: &Entry, year: Option<i16>) -> bool {
    // News tells of the past: a name still stands for what it was a few years ago.
    const MEMORY_YEARS: i16 = 10;
    let Some(year) = year else { return true };
    entry.years.0.is_none_or(|from| from <= year + 1)
        && entry.years.1.is_none_or(|to| year <= to + MEMORY_YEARS)
}

/// The smaller, the likelier the reading.
fn rank(entry: &Entry, upos: &Upos, modifies: bool, located: bool, countries: &[Code]) -> (u8, bool, u8) {
    let by_reading = match entry.reading {
        Reading::Force | Reading::Base => 0,
        Reading::Country => 1,
        Reading::Adjective if modifies || *upos == Upos::Adj => 1,
        Reading::Demonym => 2,
        Reading::Adjective => 3,
        Reading::Organization | Reading::ArmedGroup | Reading::Person | Reading::Office => 2,
        // A capital in a place is the place; anywhere else it is who governs there.
        Reading::Capital | Reading::Metonym if located => 5,
        Reading::Capital | Reading::Metonym => 3,
        Reading::Place => 4,
    };
    let elsewhere = !entry
        .country
        .as_ref()
        .is_some_and(|country| countries.contains(country));
    (by_reading, elsewhere, entry.rank)
}

/// The country most named in a document, with how often; of equals the first in the alphabet, so that order decides
/// nothing.
pub(super) fn focus(named: &[Vec<Name<'_>>]) -> Option<(Code, usize)> {
    let mut counts: BTreeMap<&Code, usize> = BTreeMap::new();
    let countries = named.iter().flatten().filter(|name| name.entry.force.is_none());
    for country in countries
        .filter_map(|name| name.entry.country.as_ref())
        .filter(|code| code.as_str().len() == 3)
    {
        *counts.entry(country).or_default() += 1;
    }
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map(|(country, count)| (country.clone(), count))
}

/// The actors that names make.
pub(super) fn actors<'k>(context: &Context<'_, 'k>) -> Vec<Actor<'k>> {
    context
        .names
        .iter()
        .filter(|name| !name.modifies_only())
        .map(|name| actor(context, name))
        .collect()
}

fn actor<'k>(context: &Context<'_, 'k>, name: &Name<'k>) -> Actor<'k> {
    let entry = name.entry;
    let located = context
        .language
        .forces
        .host_prepositions
        .contains(&context.parsed.preposition(name.head));
    let kind = match entry.reading {
        Reading::Place => ActorKind::Place,
        reading if stands_for_government(reading) && located => ActorKind::Place,
        Reading::Adjective => ActorKind::Population,
        _ => entry.kind,
    };
    let force = entry.force.as_ref().map(|force| Force {
        home: force.home.clone(),
        kind: force.kind,
        host: if force.hosts.len() == 1 {
            force.hosts.first().cloned()
        } else {
            None
        },
        called_foreign: false,
    });
    Actor {
        sentence: context.sentence,
        head: name.head,
        start: name.start,
        end: name.end,
        kind,
        word: kind.as_str().to_owned(),
        entry: Some(entry),
        country: entry.country.clone(),
        office: entry.office.clone(),
        force,
        rule: "gazetteer",
        confidence: 0.95,
    }
}
