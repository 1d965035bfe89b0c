//! Forces: whose they are, what they are, and where.

use std::collections::BTreeMap;
use std::collections::{HashMap, HashSet};

use super::history::History;
use super::{Actor, Actors, Context, Force, compound_lookup, phrase_span};
use crate::gate::Setting;
use crate::knowledge::Reading;
use crate::tables::{ActorKind, Code};
use crate::text::Upos;

/// A force named by a common noun: "American troops", "the base", "Russian instructors".
pub(super) fn noun<'k>(context: &Context<'_, 'k>, head: usize) -> Option<Actor<'k>> {
    let (first, noun) = compound_lookup(context.parsed, head, |phrase| {
        context.language.force_nouns.get(phrase)
    })?;
    if !noun.military && context.setting == Setting::Civil {
        return None;
    }
    let named =
        names_beside(context, head).find_map(|name| name.entry.force.as_ref().map(|force| (name, force)));
    let mut homes = match named {
        Some((_, force)) => force.home.clone().into_iter().collect(),
        None => homes_beside(context, head),
    }
    .into_iter();
    let home = homes.next();
    let modifiers = context
        .parsed
        .children(head)
        .iter()
        .map(|child| context.parsed.words[*child].text.to_lowercase());
    let called_foreign = modifiers
        .into_iter()
        .any(|word| context.language.forces.foreign_adjectives.contains(&word));
    let is_known =
        noun.alone || has_possessor(context, head) || noun.military && is_told_before(context, head);
    if home.is_none() && !called_foreign && !is_known {
        return None;
    }
    let span = phrase_span(context.parsed, head, first);
    let kind = named.map_or(noun.kind, |(_, force)| force.kind);
    Some(Actor {
        sentence: context.sentence,
        head,
        start: span.start,
        end: span.end,
        kind: ActorKind::Military,
        word: "military".to_owned(),
        entry: named.map(|(name, _)| name.entry),
        country: home.clone(),
        office: None,
        force: Some(Force {
            home,
            also: homes.collect(),
            kind,
            host: host_beside(context, head),
            called_foreign,
        }),
        rule: "force",
        confidence: 0.85,
    })
}

/// Whose a force is by the words beside it: "Niger's", "of Niger", each of "British and American warships".
fn homes_beside(context: &Context<'_, '_>, head: usize) -> Vec<Code> {
    let parsed = context.parsed;
    // "its troops from Goma": the pronoun tells whose they are, and the place does not.
    let nothing = HashSet::new();
    let prepositions = match parsed.dependent(head, "nmod:poss") {
        Some(owner) if parsed.words[owner].upos == Upos::Pron => &nothing,
        _ => &context.language.forces.owner_prepositions,
    };
    let mut homes: Vec<Code> = context.country_beside(head, prepositions).into_iter().collect();
    let described = parsed
        .dependents(head, "amod")
        .chain(parsed.dependents(head, "compound"));
    for adjective in described {
        let joined = std::iter::once(adjective).chain(parsed.dependents(adjective, "conj"));
        let countries = joined.filter_map(|word| context.name_at(word)?.entry.country.clone());
        homes.extend(countries);
    }
    let mut seen = HashSet::new();
    homes.retain(|home| seen.insert(home.clone()));
    homes
}

fn names_beside<'s, 'k>(
    context: &'s Context<'_, 'k>,
    head: usize,
) -> impl Iterator<Item = &'s super::names::Name<'k>> {
    let children = context.parsed.children(head).iter();
    children
        .filter(|child| {
            matches!(
                context.parsed.words[**child].relation,
                "amod" | "compound" | "nmod:poss" | "flat" | "appos"
            )
        })
        .filter_map(|child| context.name_at(*child))
}

/// "the garrison": one that is told of as known, and is no institution of the country itself, as "the army" is.
fn is_told_before(context: &Context<'_, '_>, head: usize) -> bool {
    let lemma = context.parsed.words[head].lemma.to_lowercase();
    let article = context.parsed.dependent(head, "det");
    let is_definite = article.is_some_and(|article| {
        let article = context.parsed.words[article].text.to_lowercase();
        context.language.grammar.definite_articles.contains(&article)
    });
    is_definite && !context.language.office_nouns.contains_key(&lemma)
}

fn has_possessor(context: &Context<'_, '_>, head: usize) -> bool {
    context.parsed.dependents(head, "nmod:poss").next().is_some()
}

/// The country that the words after a force place it in: "troops in Niger", "the base at Agadez", and above it:
/// "the presence of troops in Niger".
fn host_beside(context: &Context<'_, '_>, head: usize) -> Option<Code> {
    let within = |word: usize| {
        let places = context.parsed.children(word).iter().copied().filter(|child| {
            let preposition = context.parsed.preposition(*child);
            context.language.forces.host_prepositions.contains(&preposition)
                && !context.language.forces.home_prepositions.contains(&preposition)
        });
        places
            .filter_map(|child| context.name_at(child))
            .find_map(|name| {
                let is_place = !matches!(
                    name.entry.reading,
                    Reading::Organization | Reading::ArmedGroup | Reading::Person
                );
                name.entry.country.clone().filter(|_| is_place)
            })
    };
    let above = context.parsed.words[head].head.filter(|above| {
        context
            .language
            .forces
            .presence_nouns
            .contains(context.parsed.words[*above].lemma.as_ref())
    });
    within(head).or_else(|| above.and_then(within))
}

/// Fills in homes that possessive pronouns and earlier mentions tell, and hosts that the clause tells.
pub(super) fn resolve(
    context: &Context<'_, '_>,
    found: &mut [Actor<'_>],
    history: &History,
    focus: Option<&Code>,
) {
    for index in 0..found.len() {
        let actor = &found[index];
        let Some(force) = actor.force.clone() else {
            continue;
        };
        let head = actor.head;
        let mut force = force;
        if force.home.is_none() && !force.called_foreign {
            force.home = possessor_country(context, head, found, history)
                .or_else(|| sender_of(context, head, focus))
                .or_else(|| sender_in_sentence(context, head))
                .or_else(|| history.home_of(force.kind));
        }
        if force.host.is_some() && force.host == force.home {
            force.host = None;
        }
        if force.host.is_none() {
            force.host = host_of_clause(context, head, force.home.as_ref());
        }
        let actor = &mut found[index];
        actor.country = actor.country.clone().or_else(|| force.home.clone());
        actor.force = Some(force);
    }
}

/// "the withdrawal of troops from France": the country that what the force is told to do comes from is its home, and
/// not its host, where that country is known to field forces in the country that the document is about.
fn sender_of(context: &Context<'_, '_>, head: usize, focus: Option<&Code>) -> Option<Code> {
    let host = focus?;
    let above = context.parsed.words[head].head?;
    let mut from = context
        .parsed
        .children(above)
        .iter()
        .copied()
        .chain(context.parsed.children(head).iter().copied());
    let named = from.find_map(|child| {
        let home = &context.language.forces.home_prepositions;
        let wanted = home.contains(&context.parsed.preposition(child));
        wanted
            .then(|| context.name_at(child)?.entry.country.clone())
            .flatten()
    })?;
    let sends = |entry: &crate::knowledge::Entry| {
        let force = entry.force.as_ref();
        force.is_some_and(|force| force.home.as_ref() == Some(&named) && force.hosts.contains(host))
    };
    (named != *host && context.knowledge.gazetteer.entries().iter().any(sends)).then_some(named)
}

/// "The US withdrawal has begun and all troops will leave": the country of a withdrawal or presence told before.
fn sender_in_sentence(context: &Context<'_, '_>, head: usize) -> Option<Code> {
    let is_presence = |word: usize| {
        let lemma = context.parsed.words[word].lemma.to_lowercase();
        context.language.forces.presence_nouns.contains(&lemma)
    };
    let mut told = (0..head).rev().filter(|word| is_presence(*word));
    told.find_map(|word| context.country_beside(word, &HashSet::new()))
}

/// "its military personnel": the country of the subject of the clause, or of the last actor before the force.
fn possessor_country(
    context: &Context<'_, '_>,
    head: usize,
    found: &[Actor<'_>],
    history: &History,
) -> Option<Code> {
    let possessor = context.parsed.dependents(head, "nmod:poss").next()?;
    let word = context.parsed.words[possessor].text.to_lowercase();
    if !context.language.grammar.possessive_pronouns.contains(&word) {
        return None;
    }
    let country = |at: usize| {
        // "the army" of nobody named is nobody's whose own a force could be told to be.
        found
            .iter()
            .find(|actor| actor.head == at && actor.rule != "office:focus")
            .and_then(|actor| actor.country.clone())
    };
    let clauses = context
        .clauses
        .iter()
        .rev()
        .filter(|clause| context.parsed.is_under(head, clause.predicate) && clause.predicate != head);
    let subjects = clauses.flat_map(|clause| {
        clause
            .in_role("subj")
            .filter(|subject| *subject != head)
            .collect::<Vec<_>>()
    });
    subjects
        .into_iter()
        .find_map(country)
        .or_else(|| {
            let before = found
                .iter()
                .filter(|actor| actor.head < possessor && actor.force.is_none());
            before
                .max_by_key(|actor| actor.head)
                .and_then(|actor| actor.country.clone())
        })
        .or_else(|| history.last_country())
}

/// The country of a place in the clause a force takes part in: "left the country", "sent to Mali".
fn host_of_clause(context: &Context<'_, '_>, head: usize, home: Option<&Code>) -> Option<Code> {
    let clauses = context.clauses.iter().filter(|clause| {
        clause
            .participants
            .iter()
            .any(|phrase| context.parsed.is_under(head, phrase.head))
    });
    let mut places = clauses
        .flat_map(|clause| &clause.participants)
        .filter(|phrase| context.language.forces.host_prepositions.contains(&phrase.role));
    places.find_map(|phrase| {
        let name = context.name_at(phrase.head)?;
        let is_place = !matches!(
            name.entry.reading,
            Reading::Organization | Reading::ArmedGroup | Reading::Person
        );
        name.entry
            .country
            .clone()
            .filter(|country| is_place && Some(country) != home)
    })
}

/// Gives forces whose host no clause tells the host that the document mostly tells for forces of that home, else
/// the country the document is about.
pub(super) fn settle_hosts(actors: &mut Actors<'_>) {
    let mut counts: HashMap<Option<Code>, BTreeMap<Code, usize>> = HashMap::new();
    for force in actors.all.iter().filter_map(|actor| actor.force.as_ref()) {
        if let Some(host) = force
            .host
            .as_ref()
            .filter(|host| Some(*host) != force.home.as_ref())
        {
            *counts
                .entry(force.home.clone())
                .or_default()
                .entry(host.clone())
                .or_default() += 1;
        }
    }
    for (home, hosts) in counts {
        if let Some((host, _)) = hosts.into_iter().rev().max_by_key(|(_, count)| *count) {
            actors.hosts.insert(home, host);
        }
    }
    let (hosts, focus, is_at_home) = (&actors.hosts, &actors.focus, actors.is_at_home);
    for actor in &mut actors.all {
        let Some(force) = &mut actor.force else { continue };
        if force.host.is_none() {
            force.host = hosts.get(&force.home).cloned().or_else(|| {
                focus
                    .clone()
                    .filter(|focus| is_at_home || Some(focus) != force.home.as_ref())
            });
        }
    }
}
