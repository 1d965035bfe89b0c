//! Around an event: how far it has got, whether the text asserts it, who says so, when and where.

use jiff::tz::TimeZone;
use std::ops::Range;

use jiff::civil::Date;

use super::Context;
use super::matching::{self, Filled};
use crate::knowledge::Language;
use crate::knowledge::language::Modality as Words;
use crate::mentions::Actor;
use crate::tables::{DateBasis, DatePrecision, Document, Event, Modality, PlacePrecision, Status};
use crate::text::clauses::PredicateKind;
use crate::text::quantities::{self, Quantity};
use crate::text::{Clause, Parsed, dates};

/// Clauses above one are looked at up to this far; more never change how it reads.
const CHAIN_MAX: usize = 6;

/// Who says so.
pub(crate) struct Speaker {
    pub name: String,
    pub filled: Filled,
    /// Index of the speaker's word in its sentence.
    pub head: usize,
}

/// The clauses above a clause, nearest first, each with the relation by which the one below hangs on it.
pub(crate) fn chain<'c>(context: &Context<'c, '_>, clause: &Clause) -> Vec<(&'c Clause, String)> {
    let mut found = Vec::new();
    let mut governor = clause.governor.clone();
    while let Some(above) = governor {
        if found.len() == CHAIN_MAX {
            break;
        }
        match context.clause(above.predicate) {
            Some(clause) => {
                found.push((clause, above.relation));
                governor = clause.governor.clone();
            }
            None => {
                // A noun that is no predicate, such as "statement" or "members", passes its own governor on.
                let word = &context.parsed.words[above.predicate];
                governor = word.head.map(|head| crate::text::clauses::Governor {
                    predicate: head,
                    relation: if above.relation == "root" {
                        above.relation
                    } else {
                        word.relation.to_owned()
                    },
                });
            }
        }
    }
    found
}

/// How far an event has got and whether the text asserts it.
pub(crate) fn status(context: &Context<'_, '_>, clause: &Clause) -> (Status, Modality) {
    let words = &context.language.modality;
    let grammar = &context.language.grammar;
    let (mut status, mut modality) = own_status(context, clause);
    for (above, relation) in chain(context, clause) {
        let takes_complement = [
            "xcomp",
            "ccomp",
            "acl",
            "obj",
            "nsubj",
            "nmod",
            "obl",
            "nsubj:pass",
            "csubj",
        ]
        .contains(&relation.as_str());
        if !takes_complement {
            break;
        }
        let direct =
            matches!(relation.as_str(), "obj" | "nsubj" | "nsubj:pass") && clause.kind == PredicateKind::Noun;
        let lemma = above.lemma.as_str();
        let (above_status, above_modality) = governed(words, lemma, direct, status, modality);
        (status, modality) = (above_status, above_modality);
        if above.negation.is_some() && !words.failing.contains(lemma) && direct {
            modality = Modality::Negated;
        } else if above.negation.is_some() && words.failing.contains(lemma) {
            modality = Modality::Planned;
        }
        if direct && modality == Modality::Asserted {
            let own = own_status(context, above);
            modality = own.1;
            if status == Status::Unknown {
                status = own.0;
            }
        }
        if above
            .mark
            .as_ref()
            .is_some_and(|mark| grammar.conditional_marks.contains(mark))
        {
            modality = Modality::Hypothetical;
        }
    }
    if modality == Modality::Negated && status == Status::Unknown {
        status = Status::Unknown;
    }
    (status, modality)
}

/// What the words above a clause make of it.
fn governed(
    words: &Words,
    lemma: &str,
    direct: bool,
    status: Status,
    modality: Modality,
) -> (Status, Modality) {
    if words.denying.contains(lemma) && !direct {
        return (Status::Denied, Modality::Negated);
    }
    if words.failing.contains(lemma) {
        return (
            status,
            if modality == Modality::Negated {
                Modality::Planned
            } else {
                Modality::Negated
            },
        );
    }
    if words.suspending.contains(lemma) {
        return (Status::Suspended, modality);
    }
    if words.beginning.contains(lemma) {
        return (Status::Ongoing, modality);
    }
    if words.finishing.contains(lemma) {
        return (Status::Completed, modality);
    }
    if words.cancelling.contains(lemma) && direct {
        return (Status::Cancelled, Modality::Negated);
    }
    if words.requesting.contains(lemma)
        && modality != Modality::Negated
        && (direct || status == Status::Unknown)
    {
        return (Status::Unknown, Modality::Requested);
    }
    if words.agreeing.contains(lemma)
        && (direct || modality == Modality::Planned || status == Status::Unknown)
    {
        return (Status::Agreed, Modality::Planned);
    }
    if words.planning.contains(lemma)
        && (direct || modality == Modality::Planned || status == Status::Unknown)
    {
        return (Status::Announced, Modality::Planned);
    }
    if words.announcing.contains(lemma) {
        let is_ahead = matches!(modality, Modality::Planned | Modality::Hypothetical)
            || direct && status == Status::Unknown;
        return if is_ahead {
            (Status::Announced, Modality::Planned)
        } else {
            (status, modality)
        };
    }
    if words.supposing.contains(lemma) && modality == Modality::Asserted {
        return (status, Modality::Hypothetical);
    }
    (status, modality)
}

/// What a clause says of itself: tense, auxiliaries, negation, mark.
fn own_status(context: &Context<'_, '_>, clause: &Clause) -> (Status, Modality) {
    let words = &context.language.modality;
    let grammar = &context.language.grammar;
    let tag = context.parsed.words[clause.predicate].xpos;
    let has = |set: &crate::knowledge::language::Words| {
        clause.auxiliaries.iter().any(|auxiliary| set.contains(auxiliary))
    };
    let mark =
        |set: &crate::knowledge::language::Words| clause.mark.as_ref().is_some_and(|mark| set.contains(mark));
    let (status, modality) = if mark(&grammar.conditional_marks) {
        (Status::Unknown, Modality::Hypothetical)
    } else if has(&words.planned_auxiliaries) {
        (Status::Scheduled, Modality::Planned)
    } else if has(&words.requested_auxiliaries) {
        (Status::Unknown, Modality::Requested)
    } else if has(&words.hypothetical_auxiliaries) {
        (Status::Unknown, Modality::Hypothetical)
    } else if mark(&grammar.infinitive_marks) {
        (Status::Unknown, Modality::Planned)
    } else if clause.kind != PredicateKind::Verb {
        (Status::Unknown, Modality::Asserted)
    } else if grammar.progressive_tags.contains(tag) {
        (Status::Ongoing, Modality::Asserted)
    } else if grammar.past_tags.contains(tag) {
        (Status::Completed, Modality::Asserted)
    } else {
        (Status::Ongoing, Modality::Asserted)
    };
    match clause.negation {
        Some(_) if clause.kind == PredicateKind::Verb || modality == Modality::Asserted => {
            (status, Modality::Negated)
        }
        _ => (status, modality),
    }
}

/// Who says what a clause says: the subject of a verb of saying above or beside it, or a source it names.
pub(crate) fn speaker(context: &Context<'_, '_>, clause: &Clause) -> Option<Speaker> {
    let attribution = &context.language.attribution;
    let says = |clause: &Clause| attribution.speech_verbs.contains(&clause.lemma);
    let source = |clause: &Clause| {
        clause
            .participants
            .iter()
            .find(|phrase| attribution.source_prepositions.contains(&phrase.role))
            .map(|phrase| phrase.head)
    };
    let subject = |clause: &Clause| clause.in_role(if clause.passive { "by" } else { "subj" }).next();
    let beside = |clause: &Clause| {
        let mut beside = context.clauses.iter().filter(|other| {
            other.governor.as_ref().is_some_and(|governor| {
                governor.predicate == clause.predicate && governor.relation.starts_with("parataxis")
            })
        });
        beside.find(|other| says(other)).and_then(subject)
    };
    let above = chain(context, clause);
    let mut found = source(clause).or_else(|| beside(clause));
    for (above, relation) in &above {
        if found.is_some() {
            break;
        }
        let complement = matches!(relation.as_str(), "ccomp" | "xcomp" | "parataxis" | "obj");
        found = if complement && says(above) {
            subject(above)
        } else {
            None
        };
        found = found.or_else(|| source(above)).or_else(|| beside(above));
    }
    let head = found?;
    let filled = matching::filled(context, head);
    let name = filled
        .name
        .clone()
        .unwrap_or_else(|| context.parsed.words[head].text.to_owned());
    Some(Speaker { name, filled, head })
}

/// The words an event rests on: its clause with its participants, or the sentence where that is nearly all of it.
pub(crate) fn evidence(context: &Context<'_, '_>, clause: &Clause) -> Range<usize> {
    let parsed = context.parsed;
    let mut words = parsed.subtree(clause.predicate);
    words.extend(clause.participants.iter().map(|phrase| phrase.head));
    let span = parsed.span(&words);
    // A noun alone, or a clause without its frame, says too little to be checked by a reader.
    let is_short = clause.kind != PredicateKind::Verb || 5 * span.len() > 3 * (parsed.end - parsed.start);
    if is_short { parsed.start..parsed.end } else { span }
}

/// The dates a sentence tells, relative ones resolved against the day the document was published.
pub(crate) fn dates(parsed: &Parsed<'_>, document: &Document, language: &Language) -> Vec<dates::Told> {
    dates::find(
        parsed,
        &language.dates,
        &language.quantities.numerals,
        published_on(document),
    )
}

fn published_on(document: &Document) -> Option<Date> {
    document
        .published_at
        .map(|at| at.to_zoned_datetime(TimeZone::UTC).date())
}

/// Sets the event's date: one told in its clause or above it; else, for what the text asserts as news, the day of
/// publication, with that as the basis.
pub(crate) fn date(context: &Context<'_, '_>, clause: &Clause, event: &mut Event) {
    let published = published_on(context.document);
    let told = &context.dates;
    let own = told.iter().find(|told| belongs(context, told, clause.predicate));
    let above = || {
        let chain = chain(context, clause);
        let near = chain
            .iter()
            .take_while(|(_, relation)| !relation.starts_with("advcl"));
        near.filter_map(|(above, _)| told.iter().find(|told| belongs(context, told, above.predicate)))
            .next()
    };
    match own.or_else(above) {
        Some(told) => {
            let words = context.parsed.words[told.first].start..context.parsed.words[told.end - 1].end;
            event.date_text = Some(context.text.text[words].to_owned());
            (event.starts_on, event.ends_on) = (told.starts_on, told.ends_on);
            event.date_precision = told.precision;
            event.date_basis = told.precision.map(|_| told.basis);
            if is_long_ago(told, published) && event.modality == Modality::Asserted {
                event.modality = Modality::Background;
            }
        }
        None if matches!(event.modality, Modality::Asserted | Modality::Planned)
            && !is_background(context, clause) =>
        {
            (event.starts_on, event.ends_on) = (published, published);
            event.date_precision = published.map(|_| DatePrecision::Day);
            event.date_basis = published.map(|_| DateBasis::Publication);
        }
        None if event.modality == Modality::Asserted => event.modality = Modality::Background,
        None => {}
    }
}

/// Whether a date hangs on a predicate without another predicate between them.
fn belongs(context: &Context<'_, '_>, told: &dates::Told, predicate: usize) -> bool {
    let inside = told.first..told.end;
    let mut at = Some(told.first);
    for _ in 0..context.parsed.words.len() {
        let Some(word) = at else { return false };
        if word == predicate {
            return true;
        }
        if !inside.contains(&word) && context.clause(word).is_some() {
            return false;
        }
        at = context.parsed.words[word].head;
    }
    false
}

/// News older than this is told as background.
const BACKGROUND_DAYS: i32 = 120;

fn is_long_ago(told: &dates::Told, published: Option<Date>) -> bool {
    let last = told
        .ends_on
        .filter(|_| told.precision != Some(DatePrecision::Before));
    Option::zip(published, last)
        .is_some_and(|(published, last)| (published - last).get_days() > BACKGROUND_DAYS)
}

/// "after the coup", "since the withdrawal of French troops": told to place something else in time.
fn is_background(context: &Context<'_, '_>, clause: &Clause) -> bool {
    let temporal = &context.language.grammar.temporal_marks;
    let by_mark = clause.mark.as_ref().is_some_and(|mark| temporal.contains(mark));
    let by_preposition = clause.kind == PredicateKind::Noun
        && temporal.contains(&context.parsed.preposition(clause.predicate));
    by_mark || by_preposition
}

/// Sets the event's place: the most exact one told in its clause, else the country of the force's host.
pub(crate) fn place(context: &Context<'_, '_>, clause: &Clause, event: &mut Event) {
    let located = context.actors.of_sentence(context.sentence).filter(|actor| {
        let in_clause = context.parsed.is_under(actor.head, clause.predicate);
        let preposition = context.parsed.preposition(actor.head);
        let named = actor.entry.is_some_and(|entry| entry.position.is_some());
        named && in_clause && context.language.forces.host_prepositions.contains(&preposition)
    });
    let position = |actor: &Actor<'_>| actor.entry.and_then(|entry| entry.position);
    let best = located.max_by_key(|actor| {
        (
            position(actor).map(|position| position.precision),
            std::cmp::Reverse(actor.start),
        )
    });
    if let Some((actor, position)) = best.and_then(|actor| Some((actor, position(actor)?))) {
        event.place_name = Some(context.text.text[actor.start..actor.end].to_owned());
        event.place_country = actor.country.clone();
        event.latitude = Some(position.latitude);
        event.longitude = Some(position.longitude);
        event.place_precision = Some(position.precision);
    } else if let Some(host) = event.host_country.as_ref() {
        event.place_country = Some(host.clone());
        event.place_precision = Some(PlacePrecision::Country);
        if let Some(country) = context.knowledge.countries.get(host) {
            event.latitude = Some(country.position.latitude);
            event.longitude = Some(country.position.longitude);
        }
    }
}

/// "its military personnel, who number around 1,000": a number told of a force beside it.
pub(crate) fn number_beside(context: &Context<'_, '_>, actor: &Actor<'_>) -> Option<Quantity> {
    let parsed = &context.text.parsed[actor.sentence];
    let words = &context.language.quantities;
    let relative = parsed
        .dependents(actor.head, "acl")
        .find(|verb| words.words.counting.contains(parsed.words[*verb].lemma.as_ref()))?;
    // What the parser hangs elsewhere still stands behind the word.
    const BEHIND: usize = 3;
    let behind = relative + 1..parsed.words.len().min(relative + 1 + BEHIND);
    parsed
        .subtree(relative)
        .into_iter()
        .chain(behind)
        .find_map(|word| {
            (parsed.words[word].upos == crate::text::Upos::Num)
                .then(|| quantities::numeral(parsed, word, words))
                .flatten()
        })
}
