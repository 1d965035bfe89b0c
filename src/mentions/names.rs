//! Names from the gazetteer: which reading is meant, and what actor that makes.

use std::collections::{BTreeMap, HashMap};

use super::{Actor, Context, Force, stands_for_government};
use crate::gate::Setting;
use crate::knowledge::{Entry, Knowledge, Language, Reading};
use crate::tables::{ActorKind, Code, Document};
use crate::text::{Parsed, Upos, names as labels};

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

/// The country that a document is about, with how often it is named: names of places, and of countries as places, count
/// more, since governments and forces of other countries are named in it too. Of equals the first in the alphabet, so
/// that order decides nothing.
pub(super) fn focus(
    named: &[Vec<Name<'_>>],
    parsed: &[Parsed<'_>],
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
) -> Option<(Code, usize)> {
    let mut counts: BTreeMap<&Code, (usize, usize)> = BTreeMap::new();
    for (line, weight) in [(&document.title, TITLE), (&document.dateline_place, DATELINE)] {
        let line = line.as_deref().unwrap_or_default();
        for found in knowledge.gazetteer.find(line, 0..line.len()) {
            let entries = found.entries.iter().filter(|entry| entry.force.is_none());
            let best = entries.min_by_key(|entry| rank(entry, &Upos::Propn, false, true, &[]));
            if let Some(country) = best.and_then(|entry| entry.country.as_ref()) {
                counts.entry(country).or_default().0 += weight;
            }
        }
    }
    for (sentence, (names, parsed)) in named.iter().zip(parsed).enumerate() {
        let lead = if sentence == 0 { LEAD } else { 1 };
        for name in names {
            let Some(country) = name
                .entry
                .country
                .as_ref()
                .filter(|code| code.as_str().len() == 3)
            else {
                continue;
            };
            let count = counts.entry(country).or_default();
            let weight = weight(name, parsed, language) * lead;
            count.0 += weight;
            count.1 += usize::from(weight > 0);
        }
    }
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, (weight, _))| *weight)
        .filter(|(_, (weight, _))| *weight > 0)
        .map(|(country, (_, count))| (country.clone(), count))
}

/// What names say of the country in which a document's events happen: one in the title, the place of the dateline, one
/// where something is told to be, a town; in the first sentence twice as much.
const TITLE: usize = 2;
const DATELINE: usize = 6;
const PLACE: usize = 3;
const TOWN: usize = 2;
const LEAD: usize = 2;

/// How much a name says of that country.
fn weight(name: &Name<'_>, parsed: &Parsed<'_>, language: &Language) -> usize {
    let word = &parsed.words[name.head];
    let describes_force = name.modifies
        && word.head.is_some_and(|head| {
            let lemma = parsed.words[head].lemma.to_lowercase();
            language.force_nouns.contains_key(&lemma)
        });
    let located = language
        .forces
        .host_prepositions
        .contains(&parsed.preposition(name.head));
    if name.entry.force.is_some() || describes_force {
        0
    } else if located {
        PLACE
    } else if name.entry.reading == Reading::Place {
        TOWN
    } else {
        1
    }
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
    // The United Nations that vote are not their soldiers.
    let wanted = match entry.kind {
        ActorKind::International if entry.office.as_deref() == Some("international") => Setting::Sentence,
        _ => Setting::Document,
    };
    let fielded = entry.force.as_ref().filter(|_| context.setting >= wanted);
    let force = fielded.map(|force| Force {
        home: force.home.clone(),
        kind: force.kind,
        host: if force.hosts.len() == 1 {
            force.hosts.first().cloned()
        } else {
            None
        },
        also: Vec::new(),
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

/// What names of a document stood for when they were first given in full: last names and acronyms.
#[derive(Default)]
pub(super) struct Introduced<'k>(HashMap<String, Actor<'k>>);

impl<'k> Introduced<'k> {
    /// Persons and organizations that the gazetteer does not know, as the names model finds them, and short forms of
    /// those that were introduced. `found` holds the actors of the sentence so far, and loses those that are only the
    /// last word of a longer name.
    pub fn actors(&mut self, context: &Context<'_, 'k>, found: &mut Vec<Actor<'k>>) -> Vec<Actor<'k>> {
        let words = &context.parsed.words;
        let mut actors: Vec<Actor<'k>> = Vec::new();
        for name in labels::join(words.iter().map(|word| word.name), 0) {
            let kind = match name.kind {
                "PER" => ActorKind::Person,
                "ORG" => ActorKind::Organization,
                _ => continue,
            };
            let (start, end) = (words[name.words.start].start, words[name.words.end - 1].end);
            let Some(head) = context.parsed.head_of(start..end) else {
                continue;
            };
            found.retain(|actor| !is_last_word_of(context, actor, &name));
            let known = found
                .iter()
                .find(|actor| actor.head == head || (actor.start <= start && actor.end >= end));
            if let Some(known) = known {
                self.introduce(context, &name, known);
                continue;
            }
            let again = self.0.get(words[head].text).filter(|_| name.words.len() == 1);
            let actor = match again {
                Some(first) => Actor {
                    sentence: context.sentence,
                    head,
                    start,
                    end,
                    rule: "name:again",
                    ..first.clone()
                },
                None => named(context, &name, head, kind),
            };
            self.introduce(context, &name, &actor);
            actors.push(actor);
        }
        actors
    }

    /// Remembers the last name of a person, and the acronym in brackets behind an organization.
    fn introduce(&mut self, context: &Context<'_, 'k>, name: &labels::Name<'_>, actor: &Actor<'k>) {
        let words = &context.parsed.words;
        if actor.kind == ActorKind::Person && name.words.len() > 1 {
            let last = words[name.words.end - 1].text;
            self.0.entry(last.to_owned()).or_insert_with(|| actor.clone());
        }
        let behind = words.get(name.words.end..).unwrap_or_default();
        if let [open, short, close, ..] = behind
            && (open.text, close.text) == ("(", ")")
            && short.text.chars().filter(|letter| letter.is_uppercase()).count() > 1
        {
            self.0
                .entry(short.text.to_owned())
                .or_insert_with(|| actor.clone());
        }
    }
}

/// Whether an actor is an institution known by the one word that ends a longer name of another: the congress of a
/// party is no parliament. Behind the name of a country it is what the gazetteer says.
fn is_last_word_of(context: &Context<'_, '_>, actor: &Actor<'_>, name: &labels::Name<'_>) -> bool {
    let institution = actor
        .entry
        .is_some_and(|entry| matches!(entry.reading, Reading::Office | Reading::Organization));
    let words = &context.parsed.words;
    institution
        && (words[actor.head].start, words[actor.head].end) == (actor.start, actor.end)
        && name.words.start < actor.head
        && name.words.contains(&actor.head)
        && (name.words.start..actor.head).all(|word| context.name_at(word).is_none())
}

/// A person or organization with the country and office that the words beside the name tell.
fn named<'k>(context: &Context<'_, 'k>, name: &labels::Name<'_>, head: usize, kind: ActorKind) -> Actor<'k> {
    let parsed = context.parsed;
    let beside = beside(parsed, head);
    let office = beside.iter().find_map(|word| {
        let word = &parsed.words[*word];
        context.language.office_nouns.get(&word.lemma.to_lowercase())
    });
    let within = context
        .names
        .iter()
        .find(|inner| inner.head != head && name.words.contains(&inner.head));
    let country = within.and_then(|inner| inner.entry.country.clone()).or_else(|| {
        beside
            .iter()
            .find_map(|word| context.country_beside(*word, &context.language.forces.office_prepositions))
    });
    Actor {
        sentence: context.sentence,
        head,
        start: parsed.words[name.words.start].start,
        end: parsed.words[name.words.end - 1].end,
        kind,
        word: office
            .map_or(kind.as_str(), |office| office.word.as_str())
            .to_owned(),
        entry: None,
        confidence: if country.is_some() { 0.7 } else { 0.5 },
        country,
        office: office.map(|office| office.office.clone()),
        force: None,
        rule: "name",
    }
}

/// The words that may say who a name is: itself, the noun it stands behind or before, and what it is "of".
fn beside(parsed: &Parsed<'_>, head: usize) -> Vec<usize> {
    const ARCS: [&str; 4] = ["flat", "appos", "compound", "nmod:desc"];
    let mut words = vec![head];
    if ARCS.iter().any(|arc| parsed.is(head, arc)) {
        words.extend(parsed.words[head].head);
    }
    let described =
        |child: &usize| ARCS.iter().any(|arc| parsed.is(*child, arc)) || parsed.is(*child, "nmod");
    words.extend(parsed.children(head).iter().copied().filter(described));
    words
}
