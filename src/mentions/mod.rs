//! Who and what a text names: actors, forces and places, each with what knowledge and grammar say of it.
//!
//! Names come from the gazetteer first; nouns for forces and offices take their country from the words beside
//! them; pronouns and bare nouns take theirs from what was named before.

mod assumed;
mod forces;
mod history;
mod names;

use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};

use crate::gate::{self, Setting};
use crate::id;
use crate::knowledge::{Entry, Knowledge, Language, Reading};
use crate::tables::{self, ActorKind, Code, Document, ForceKind};
use crate::text::{Clause, Parsed, Text, Upos};

pub use assumed::Assumable;
use history::History;

/// A force that is named.
#[derive(Debug, Clone, PartialEq)]
pub struct Force {
    /// The state or organization that fields it.
    pub home: Option<Code>,
    /// Further homes of "British and American warships".
    pub also: Vec<Code>,
    /// What kind of force it is.
    pub kind: ForceKind,
    /// The country it is in, comes to or leaves.
    pub host: Option<Code>,
    /// Whether the text calls it foreign.
    pub called_foreign: bool,
}

impl Force {
    /// Whether the force is outside its home; `None` where neither home nor host is known.
    pub fn is_foreign(&self) -> Option<bool> {
        match (&self.home, &self.host) {
            (Some(home), Some(host)) => Some(home != host),
            _ if self.called_foreign => Some(true),
            // Organizations and companies field forces away from home by their nature.
            (Some(home), None) => (home.as_str().len() != 3).then_some(true),
            (None, _) => None,
        }
    }
}

/// One actor, force or place named in a text.
#[derive(Debug, Clone)]
pub struct Actor<'k> {
    /// Position of its sentence among the parsed ones.
    pub sentence: usize,
    /// Index of its head word in the sentence.
    pub head: usize,
    /// Start of the name or noun phrase in the text, in bytes.
    pub start: usize,
    /// End, in bytes, exclusive.
    pub end: usize,
    /// What kind of actor it is.
    pub kind: ActorKind,
    /// The finer kind of knowledge files, such as `opposition` or `civil_society`.
    pub word: String,
    /// What knowledge knows by this name.
    pub entry: Option<&'k Entry>,
    /// Country or organization.
    pub country: Option<Code>,
    /// Office it acts through.
    pub office: Option<String>,
    /// The force it is, if it is one.
    pub force: Option<Force>,
    /// What found it.
    pub rule: &'static str,
    /// Confidence, 0 to 1.
    pub confidence: f32,
}

/// The actors of a document.
#[derive(Default, Clone)]
pub struct Actors<'k> {
    /// In order of the text.
    pub all: Vec<Actor<'k>>,
    by_head: HashMap<(usize, usize), usize>,
    /// The country the document is mostly about.
    pub focus: Option<Code>,
    /// Whether the document is so much about that country that its own soldiers are at home in it.
    is_at_home: bool,
    /// For each home of a force, the host most told of.
    hosts: HashMap<Option<Code>, Code>,
    /// For each parsed sentence, the words that name a country, those that only describe a noun among them.
    countries: Vec<Vec<(usize, Code)>>,
    nationals: Vec<assumed::National>,
}

impl<'k> Actors<'k> {
    /// The actor whose head word this is.
    pub fn at(&self, sentence: usize, head: usize) -> Option<&Actor<'k>> {
        self.by_head.get(&(sentence, head)).map(|index| &self.all[*index])
    }

    /// The actor a participant stands for: its own, or, where its noun only measures what follows, that of what
    /// follows ("thousands of protesters", "the presence of American troops").
    pub fn behind(
        &self,
        parsed: &Parsed<'_>,
        sentence: usize,
        head: usize,
        language: &Language,
    ) -> Option<&Actor<'k>> {
        let own = self.at(sentence, head);
        if own.is_some_and(|actor| actor.force.is_some() || actor.entry.is_some()) {
            return own;
        }
        let measures = language
            .grammar
            .partitives
            .contains(parsed.words[head].lemma.as_ref())
            || language
                .forces
                .presence_nouns
                .contains(parsed.words[head].lemma.as_ref());
        if !measures {
            return own;
        }
        let behind = parsed
            .dependents(head, "nmod")
            .filter_map(|child| self.behind(parsed, sentence, child, language));
        let possessor = parsed
            .dependents(head, "nmod:poss")
            .chain(parsed.dependents(head, "compound"));
        let possessor = possessor
            .filter_map(|child| self.at(sentence, child))
            .filter(|actor| actor.force.is_some());
        behind.chain(possessor).next().or(own)
    }

    /// The country that the words of a noun phrase name: "Chinese hackers", "a court in Kenya".
    pub fn country_within(&self, sentence: usize, words: std::ops::Range<usize>) -> Option<&Code> {
        let named = self.countries.get(sentence)?;
        named
            .iter()
            .find(|(word, _)| words.contains(word))
            .map(|(_, country)| country)
    }

    /// The actors of a sentence.
    pub fn of_sentence(&self, sentence: usize) -> impl Iterator<Item = &Actor<'k>> {
        self.all.iter().filter(move |actor| actor.sentence == sentence)
    }

    /// The host of a force of that home, as the document mostly tells it.
    pub fn usual_host(&self, home: Option<&Code>) -> Option<&Code> {
        self.hosts.get(&home.cloned())
    }
}

/// A document that names a country this often is about it.
const NAMED_OFTEN: usize = 3;

/// Finds the actors of a text. `clauses` holds, for each parsed sentence, its clauses.
pub fn find<'k>(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    document: &Document,
    knowledge: &'k Knowledge,
    language: &'k Language,
) -> Actors<'k> {
    let year = document
        .published_at
        .map(|at| at.to_zoned_datetime(TimeZone::UTC).year());
    let named: Vec<Vec<names::Name<'k>>> = text
        .parsed
        .iter()
        .map(|parsed| names::find(text.text, parsed, knowledge, language, year))
        .collect();
    let focus = names::focus(&named, &text.parsed, document, knowledge, language);
    let settings = settings(text, knowledge);
    let mut actors = Actors {
        is_at_home: focus.as_ref().is_some_and(|(_, count)| *count >= NAMED_OFTEN),
        focus: focus.map(|(country, _)| country),
        countries: named.iter().map(|names| countries(names)).collect(),
        nationals: assumed::nationals(&named, &settings),
        ..Actors::default()
    };
    let mut history = History::default();
    let mut introduced = names::Introduced::default();
    for (sentence, parsed) in text.parsed.iter().enumerate() {
        let context = Context {
            parsed,
            sentence,
            clauses: &clauses[sentence],
            names: &named[sentence],
            setting: settings[sentence],
            knowledge,
            language,
        };
        let mut found = names::actors(&context);
        found.extend(nouns(&context, &history, actors.focus.as_ref()));
        let unknown = introduced.actors(&context, &mut found);
        found.extend(unknown);
        found.extend(history.pronouns(&context, &found));
        forces::resolve(&context, &mut found, &history, actors.focus.as_ref());
        found.sort_by_key(|actor| (actor.start, std::cmp::Reverse(actor.end)));
        history.remember(&context, &found);
        for actor in found {
            if !actors.by_head.contains_key(&(sentence, actor.head)) {
                actors.by_head.insert((sentence, actor.head), actors.all.len());
                actors.all.push(actor);
            }
        }
    }
    forces::settle_hosts(&mut actors);
    actors
}

/// How far each parsed sentence tells of soldiers.
fn settings(text: &Text<'_>, knowledge: &Knowledge) -> Vec<Setting> {
    let hits: Vec<gate::Hit> = knowledge.gate.find(text.text).collect();
    let settings = knowledge.gate.settings(&hits, &text.sentences);
    text.parsed.iter().map(|parsed| settings[parsed.index]).collect()
}

/// The words that name a country.
fn countries(names: &[names::Name<'_>]) -> Vec<(usize, Code)> {
    names
        .iter()
        .filter_map(|name| {
            let fielded = name.entry.force.as_ref().and_then(|force| force.home.clone());
            Some((name.head, fielded.or_else(|| name.entry.country.clone())?))
        })
        .collect()
}

/// What the finding of actors in one sentence looks at.
struct Context<'s, 'k> {
    parsed: &'s Parsed<'s>,
    sentence: usize,
    clauses: &'s [Clause],
    names: &'s [names::Name<'k>],
    setting: Setting,
    knowledge: &'k Knowledge,
    language: &'k Language,
}

impl<'k> Context<'_, 'k> {
    fn name_at(&self, head: usize) -> Option<&names::Name<'k>> {
        self.names.iter().find(|name| name.head == head)
    }

    /// The country named by the words beside a noun: "Niger's", "Nigerien", "of Niger".
    fn country_beside(&self, head: usize, prepositions: &HashSet<String>) -> Option<Code> {
        let children = self.parsed.children(head).iter().copied();
        let modifiers = children.filter(|child| {
            matches!(
                self.parsed.words[*child].relation,
                "amod" | "compound" | "nmod:poss" | "flat" | "nmod:unmarked" | "nmod:desc"
            ) || self.parsed.is(*child, "nmod") && prepositions.contains(&self.parsed.preposition(*child))
        });
        let mut found = modifiers.filter_map(|child| self.name_at(child)?.entry.country.clone());
        found.next()
    }

    /// The country that "the West African country" stands for: the last one named that lies in the region.
    fn country_of_region(&self, head: usize, history: &History) -> Option<Code> {
        let described: Vec<&str> = self
            .parsed
            .dependents(head, "amod")
            .chain(self.parsed.dependents(head, "compound"))
            .map(|child| self.parsed.words[child].text)
            .collect();
        let described = described.join(" ");
        history
            .countries()
            .find(|country| {
                let region = self
                    .knowledge
                    .countries
                    .get(*country)
                    .map_or("", |country| country.region.as_str());
                described.is_empty() || (!region.is_empty() && described.contains(region))
            })
            .cloned()
    }
}

/// Actors named by common nouns: forces and offices.
fn nouns<'k>(context: &Context<'_, 'k>, history: &History, focus: Option<&Code>) -> Vec<Actor<'k>> {
    let mut found = Vec::new();
    for (head, word) in context.parsed.words.iter().enumerate() {
        if !matches!(word.upos, Upos::Noun | Upos::Propn)
            || context.name_at(head).is_some_and(|name| !name.modifies_only())
        {
            continue;
        }
        if let Some(actor) = forces::noun(context, head) {
            found.push(actor);
        } else if let Some(actor) = office(context, head, history, focus) {
            found.push(actor);
        }
    }
    found
}

/// An office or institution: "Niger's military government", "the foreign minister of Mali", "residents".
fn office<'k>(
    context: &Context<'_, 'k>,
    head: usize,
    history: &History,
    focus: Option<&Code>,
) -> Option<Actor<'k>> {
    let (first, noun) = compound_lookup(context.parsed, head, |phrase| {
        context.language.office_nouns.get(phrase)
    })?;
    // "Washington said": a name with a title before it is an actor of its own.
    let beside = context.country_beside(head, &context.language.forces.office_prepositions);
    let (country, rule, confidence) = match beside {
        Some(country) => (Some(country), "office:beside", 0.9),
        None => match history.country_of(&noun.office, &context.parsed.words[head].lemma) {
            Some(country) => (Some(country), "office:again", 0.7),
            None if noun.kind == ActorKind::Government || noun.kind == ActorKind::Military => {
                (focus.cloned(), "office:focus", 0.5)
            }
            None => (None, "office", 0.6),
        },
    };
    let country = country.or_else(|| context.country_of_region(head, history).filter(|_| false));
    let span = phrase_span(context.parsed, head, first);
    Some(Actor {
        sentence: context.sentence,
        head,
        start: span.start,
        end: span.end,
        kind: noun.kind,
        word: noun.word.clone(),
        entry: None,
        country,
        office: Some(noun.office.clone()),
        force: None,
        rule,
        confidence,
    })
}

/// Looks a noun up with the words before it, longest phrase first: "special operations forces", "base". Gives the
/// first word of the phrase that was found.
fn compound_lookup<'t, T>(
    parsed: &Parsed<'_>,
    head: usize,
    lookup: impl Fn(&str) -> Option<&'t T>,
) -> Option<(usize, &'t T)> {
    const WORDS_MAX: usize = 4;
    let lowest = (head + 1).saturating_sub(WORDS_MAX);
    (lowest..=head).find_map(|first| {
        if (first..head).any(|word| !parsed.is_under(word, head)) {
            return None;
        }
        let mut phrase = parsed.words[first..head]
            .iter()
            .map(|word| word.text.to_lowercase())
            .collect::<Vec<_>>()
            .join(" ");
        if !phrase.is_empty() {
            phrase.push(' ');
        }
        let as_written = format!("{phrase}{}", parsed.words[head].text.to_lowercase());
        let as_lemma = format!("{phrase}{}", parsed.words[head].lemma.to_lowercase());
        lookup(&as_written)
            .or_else(|| lookup(&as_lemma))
            .map(|found| (first, found))
    })
}

/// The stretch of a noun phrase from its first modifier to its head, articles left out.
fn phrase_span(parsed: &Parsed<'_>, head: usize, first: usize) -> std::ops::Range<usize> {
    let modifiers = parsed.children(head).iter().copied().filter(|child| {
        *child < head
            && matches!(
                parsed.words[*child].relation,
                "amod" | "compound" | "nmod:poss" | "nummod" | "flat"
            )
    });
    let first = modifiers.chain([first]).min().unwrap_or(head);
    let first = parsed
        .subtree(first)
        .into_iter()
        .filter(|word| *word <= first && parsed.words[*word].upos != Upos::Det)
        .min()
        .unwrap_or(first);
    parsed.words[first].start..parsed.words[head].end
}

/// Actors as rows of the table.
pub fn rows(actors: &Actors<'_>, text: &Text<'_>, document: &Document) -> Vec<tables::Mention> {
    let row = |actor: &Actor<'_>| {
        let sentence = &text.parsed[actor.sentence];
        let (start, end) = (actor.start.to_le_bytes(), actor.end.to_le_bytes());
        tables::Mention {
            mention_id: id::of(
                "m",
                &[
                    document.document_id.as_bytes(),
                    &start,
                    &end,
                    actor.kind.as_str().as_bytes(),
                ],
            ),
            document_id: document.document_id.clone(),
            sentence_index: sentence.index as i32,
            start_byte: actor.start as i64,
            end_byte: actor.end as i64,
            text: text.text[actor.start..actor.end].to_owned(),
            kind: actor.kind,
            actor_id: actor
                .entry
                .map(|entry| entry.id.clone())
                .or_else(|| actor.country.as_ref().map(Code::to_string)),
            actor_name: actor.entry.map(|entry| entry.name.clone()),
            country: actor.country.clone(),
            office: actor.office.clone(),
            is_force: actor.force.is_some(),
            force_home: actor.force.as_ref().and_then(|force| force.home.clone()),
            force_kind: actor.force.as_ref().map(|force| force.kind),
            is_foreign: actor.force.as_ref().and_then(Force::is_foreign),
            host_country: actor.force.as_ref().and_then(|force| force.host.clone()),
            confidence: actor.confidence,
            rule: actor.rule.to_owned(),
            run_id: document.run_id.clone(),
        }
    };
    let mut rows: Vec<tables::Mention> = actors
        .all
        .iter()
        .filter(|actor| actor.rule != "pronoun")
        .map(row)
        .collect();
    rows.sort_by(|one, other| one.mention_id.cmp(&other.mention_id));
    rows.dedup_by(|one, other| one.mention_id == other.mention_id);
    rows.sort_by_key(|row| (row.start_byte, row.end_byte));
    rows
}

/// Whether a reading stands for who governs, where nothing else is said.
fn stands_for_government(reading: Reading) -> bool {
    matches!(reading, Reading::Country | Reading::Capital | Reading::Metonym)
}

#[cfg(test)]
mod tests;
