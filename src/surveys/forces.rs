//! The force that a share is about.

use std::ops::Range;

use super::shares::{Look, Share};
use crate::events::Context;
use crate::knowledge::Reading;
use crate::mentions::{Actor, Force};
use crate::tables::{ActorKind, Code, ForceKind};
use crate::text::Upos;

/// Rule of an army that only those asked can field: "Danes backed the battalion in Basra".
pub(super) const OWN: &str = "own";

/// The force that a share is about: the first between it and the next share, else the last before it, else one of
/// the sentence before.
pub(super) fn force<'k>(
    context: &Context<'_, 'k>,
    look: &Look<'_>,
    shares: &[Share],
    index: usize,
) -> Option<Actor<'k>> {
    let share = &shares[index];
    let next = shares
        .get(index + 1)
        .map_or(context.parsed.words.len(), |next| next.first);
    let all: Vec<&Actor<'k>> = context.actors.of_sentence(context.sentence).collect();
    let here = |is_wanted: &dyn Fn(&Actor<'_>) -> bool| -> Vec<Actor<'k>> {
        all.iter()
            .filter(|actor| is_wanted(actor))
            .map(|actor| (*actor).clone())
            .collect()
    };
    // A nationality is a force only where nothing else is.
    // "70 percent view them as occupiers": an answer, and no force.
    let is_answer = |actor: &Actor<'_>| {
        actor.force.as_ref().is_some_and(|force| force.home.is_none())
            && look.words.responses.contains_key(&look.lemma(actor.head))
    };
    let is_sure = |actor: &Actor<'_>| {
        is_foreign(actor) && actor.rule != "assumed" && !is_self(context, look, actor) && !is_answer(actor)
    };
    let mut sure = here(&|actor| is_sure(actor) && !is_site(context, look, actor) && !is_source(look, actor));
    // "it is 33 percent", "crimes by its soldiers": what points at a force stands back behind one that is named.
    let points = |actor: &Actor<'_>| {
        let is_homeless = actor.force.as_ref().is_some_and(|force| force.home.is_none());
        actor.rule == "pronoun" && is_homeless || is_theirs(context, actor)
    };
    if !sure.iter().all(points) {
        sure.retain(|actor| !points(actor));
    }
    let sites = here(&|actor| is_sure(actor) && is_site(context, look, actor));
    let sources = here(&|actor| is_sure(actor) && is_source(look, actor));
    let assumed = here(&|actor| {
        is_foreign(actor) && actor.rule == "assumed" && !is_respondent(context, look, shares, actor)
    });
    let found = near(sure, share, next)
        .or_else(|| near(in_movements(context, look), share, next))
        .or_else(|| near(assumed, share, next))
        .or_else(|| near(armies(look, &all), share, next))
        .or_else(|| near(missions(context, look), share, next))
        .or_else(|| near(sites, share, next))
        .or_else(|| near(sources, share, next))
        .or_else(|| {
            let mut earlier = (0..context.sentence).rev().take(2);
            earlier.find_map(|sentence| {
                context
                    .actors
                    .of_sentence(sentence)
                    .find(|actor| is_foreign(actor))
                    .cloned()
            })
        });
    found.map(|actor| joint(context, look, hosted(context, look, actor)))
}

/// Whether those of a country can mean their own force by one that tells no home.
pub(super) fn is_own(context: &Context<'_, '_>, actor: &Actor<'_>, force: &Force, country: &Code) -> bool {
    let words = &context.language.surveys.words;
    let of_many = context.parsed.words.iter().any(|word| {
        (actor.start..actor.end).contains(&word.start) && words.joint.contains(&word.text.to_lowercase())
    });
    let is_joint = of_many || matches!(force.kind, ForceKind::Coalition | ForceKind::Peacekeepers);
    let is_theirs = actor.sentence == context.sentence && is_theirs(context, actor);
    let is_placed = actor.rule != OWN || force.host.is_some();
    is_theirs || is_placed && !force.called_foreign && !is_joint && force.host.as_ref() != Some(country)
}

/// Whether a force is named between the share before and the next, rather than pointed at.
pub(super) fn is_named(context: &Context<'_, '_>, shares: &[Share], index: usize) -> bool {
    let start = index.checked_sub(1).map_or(0, |before| shares[before].end);
    let end = shares
        .get(index + 1)
        .map_or(context.parsed.words.len(), |next| next.first);
    let mut here = context.actors.of_sentence(context.sentence);
    here.any(|actor| {
        (start..end).contains(&actor.head)
            && is_foreign(actor)
            && !matches!(actor.rule, "pronoun" | "assumed")
    })
}

/// "their brigade's mission": a force by whose it is.
fn is_theirs(context: &Context<'_, '_>, actor: &Actor<'_>) -> bool {
    let first = context.parsed.words.iter().find(|word| word.start >= actor.start);
    first
        .is_some_and(|word| word.upos == Upos::Pron && word.start < actor.end && word.relation == "nmod:poss")
}

/// "their own army": a force at home.
fn is_self(context: &Context<'_, '_>, look: &Look<'_>, actor: &Actor<'_>) -> bool {
    let selves = &look.words.words.selves;
    is_theirs(context, actor)
        && (actor.head.saturating_sub(3)..actor.head).any(|at| selves.contains(&look.text(at)))
}

/// "the mission said": a force that tells the finding.
fn is_source(look: &Look<'_>, actor: &Actor<'_>) -> bool {
    let reporting = &look.words.words.reporting;
    (actor.head + 1..actor.head + 4).any(|at| {
        reporting.contains(&look.lemma(at))
            && look
                .parsed
                .words
                .get(at)
                .is_some_and(|word| word.upos == Upos::Verb)
    }) && look
        .parsed
        .words
        .get(actor.head)
        .is_some_and(|word| matches!(word.relation, "nsubj" | "nmod:poss"))
}

/// "allied aircraft at Evenes": a base that is only where something is.
fn is_site(context: &Context<'_, '_>, look: &Look<'_>, actor: &Actor<'_>) -> bool {
    let is_base = actor.entry.is_some()
        && actor
            .force
            .as_ref()
            .is_some_and(|force| force.kind == ForceKind::Base);
    let lists = &look.words.words;
    let led = actor.head.checked_sub(1).map(|at| look.text(at));
    let follows = context
        .parsed
        .words
        .get(actor.head)
        .is_some_and(|word| word.upos == Upos::Propn);
    is_base && follows && led.is_some_and(|led| lists.among.contains(&led) || lists.at.contains(&led))
}

fn is_foreign(actor: &Actor<'_>) -> bool {
    let force = actor.force.as_ref();
    force.is_some_and(|force| force.is_foreign() != Some(false) || force.home.is_some())
}

/// Of some forces, the first between a share and the next, else the last before it, else the first.
fn near<'k>(forces: Vec<Actor<'k>>, share: &Share, next: usize) -> Option<Actor<'k>> {
    let behind = forces
        .iter()
        .position(|actor| (share.end..next).contains(&actor.head));
    let before = || forces.iter().rposition(|actor| actor.head < share.first);
    let at = behind.or_else(before).unwrap_or(0);
    forces.into_iter().nth(at)
}

/// "ten South Koreans", "2,012 Greeks": people who answer, counted.
fn is_respondent(context: &Context<'_, '_>, look: &Look<'_>, shares: &[Share], actor: &Actor<'_>) -> bool {
    let words = &context.parsed.words;
    let is_counted = shares.iter().any(|share| {
        let behind = words.get(share.end).map_or(usize::MAX, |word| word.start);
        actor.start <= behind && actor.head >= share.first
    });
    let before = actor.head.checked_sub(1).map(|at| look.text(at).replace(',', ""));
    let is_sample = before
        .and_then(|text| text.parse::<u32>().ok())
        .is_some_and(|number| number >= 100);
    is_counted || is_sample
}

/// "the French departure", "an American landing", "the U.S. should never have left": a country whose coming, staying
/// or leaving is told.
fn in_movements<'k>(context: &Context<'_, 'k>, look: &Look<'_>) -> Vec<Actor<'k>> {
    let movement = |head: usize| {
        let lemma = look.lemma(head);
        let is_told =
            look.words.complements.contains_key(&lemma) || look.words.words.fielded.contains(&lemma);
        is_told.then_some(())?;
        let (first, home) = match context.parsed.words[head].upos {
            Upos::Noun => nationality(context, head.saturating_sub(2)..head)?,
            Upos::Verb => mover(context, head)?,
            _ => return None,
        };
        Some(Actor {
            sentence: context.sentence,
            head,
            start: context.parsed.words[first].start,
            end: context.parsed.words[head].end,
            kind: ActorKind::Military,
            word: "military".to_owned(),
            entry: None,
            country: Some(home.clone()),
            office: None,
            force: Some(Force {
                host: context
                    .actors
                    .usual_host(Some(&home))
                    .or(context.actors.focus.as_ref())
                    .cloned(),
                home: Some(home),
                also: Vec::new(),
                kind: ForceKind::Troops,
                called_foreign: true,
            }),
            rule: "movement",
            confidence: 0.5,
        })
    };
    (0..context.parsed.words.len()).filter_map(movement).collect()
}

/// A word that says whose something is: an adjective of a country, its people, or its abbreviated name.
fn nationality(context: &Context<'_, '_>, mut within: Range<usize>) -> Option<(usize, Code)> {
    within.find_map(|at| {
        let home = context.actors.country_within(context.sentence, at..at + 1)?;
        let is_adjective = !is_place(context, at, home);
        is_adjective.then(|| (at, home.clone()))
    })
}

/// The country that is the subject of a verb.
fn mover(context: &Context<'_, '_>, verb: usize) -> Option<(usize, Code)> {
    let subject = context.parsed.dependent(verb, "nsubj")?;
    let actor = context.actors.at(context.sentence, subject)?;
    let is_state = actor.kind == ActorKind::Government && actor.rule == "gazetteer" && actor.office.is_none();
    Some((subject, actor.country.clone().filter(|_| is_state)?))
}

/// Whether a word is the name of a country or of a place in it, rather than its adjective or an abbreviation that
/// stands for one.
fn is_place(context: &Context<'_, '_>, at: usize, country: &Code) -> bool {
    let word = &context.parsed.words[at];
    let is_short = word.text.chars().all(|letter| !letter.is_lowercase());
    let found = context
        .knowledge
        .gazetteer
        .find(context.text.text, word.start..word.end);
    let mut entries = found
        .iter()
        .flat_map(|found| &found.entries)
        .filter(|entry| entry.country.as_ref() == Some(country));
    !is_short && entries.all(|entry| !matches!(entry.reading, Reading::Adjective | Reading::Demonym))
}

/// "the battalion in Basra", "the army's campaign in Somalia": forces whose home is not told; "the coalition", which
/// has none.
fn armies<'k>(look: &Look<'_>, actors: &[&Actor<'k>]) -> Vec<Actor<'k>> {
    let army = |actor: &&Actor<'k>| {
        let is_of_many = || {
            let lists = &look.words.words;
            let mut words = (actor.head.saturating_sub(2)..=actor.head).map(|at| look.text(at));
            words.any(|word| lists.joint.contains(&word) || look.words.homes.contains_key(&word))
        };
        let rule = match actor.kind {
            ActorKind::Military => OWN,
            ActorKind::International if actor.entry.is_none() && is_of_many() => "joint",
            _ => return None,
        };
        let force = homeless(actor.country.clone(), rule != OWN);
        actor.force.is_none().then(|| Actor {
            force: Some(force),
            rule,
            ..(*actor).clone()
        })
    };
    actors.iter().filter_map(army).collect()
}

/// "the mission in Kosovo", "the Uruzgan deployment": an undertaking by where it is.
fn missions<'k>(context: &Context<'_, 'k>, look: &Look<'_>) -> Vec<Actor<'k>> {
    let words = &context.parsed.words;
    let mission = |head: usize| {
        let is_mission =
            words[head].upos == Upos::Noun && look.words.words.missions.contains(&look.lemma(head));
        is_mission.then_some(())?;
        let within = |range: Range<usize>| context.actors.country_within(context.sentence, range).cloned();
        let is_placed = words.get(head + 1).is_some_and(|word| word.upos == Upos::Adp);
        let behind = within(head + 2..head + 5).filter(|_| is_placed);
        let host = behind.or_else(|| within(head.saturating_sub(2)..head))?;
        Some(Actor {
            sentence: context.sentence,
            head,
            start: words[head].start,
            end: words[head].end,
            kind: ActorKind::Military,
            word: "military".to_owned(),
            entry: None,
            country: None,
            office: None,
            force: Some(homeless(Some(host), false)),
            rule: OWN,
            confidence: 0.5,
        })
    };
    (0..words.len()).filter_map(mission).collect()
}

fn homeless(host: Option<Code>, called_foreign: bool) -> Force {
    Force {
        home: None,
        also: Vec::new(),
        kind: if called_foreign {
            ForceKind::Coalition
        } else {
            ForceKind::Troops
        },
        host,
        called_foreign,
    }
}

/// "the Mali mission", "the policing mission led by Australia": a country by its name beside an undertaking is where
/// it is, not whose; who leads it fields it.
fn hosted<'k>(context: &Context<'_, 'k>, look: &Look<'_>, mut actor: Actor<'k>) -> Actor<'k> {
    let is_told = actor.entry.is_none() && actor.sentence == context.sentence;
    let Some(force) = actor.force.as_mut().filter(|_| is_told) else {
        return actor;
    };
    let lists = &look.words.words;
    let before = actor.head.saturating_sub(3)..actor.head;
    let names_place = force.home.as_ref().is_some_and(|home| {
        let named = |at: usize| context.actors.country_within(context.sentence, at..at + 1) == Some(home);
        let told: Vec<usize> = before.filter(|at| named(*at)).collect();
        !told.is_empty() && told.iter().all(|at| is_place(context, *at, home))
    });
    if lists.missions.contains(&look.lemma(actor.head)) && names_place {
        force.host = force.home.take();
    }
    let is_led =
        lists.led.contains(&look.text(actor.head + 1)) && lists.by.contains(&look.text(actor.head + 2));
    let leader = context
        .actors
        .country_within(context.sentence, actor.head + 3..actor.head + 6);
    if let Some(leader) = leader.filter(|_| is_led) {
        force.home = Some(leader.clone());
    }
    actor
}

/// "allied troops", "the alliance's soldiers": a word for a body of states that fields the force.
fn joint<'k>(context: &Context<'_, 'k>, look: &Look<'_>, mut actor: Actor<'k>) -> Actor<'k> {
    let is_told = actor.sentence == context.sentence;
    if let Some(force) = actor
        .force
        .as_mut()
        .filter(|force| force.home.is_none() && is_told)
    {
        let homes = &look.words.homes;
        let mut before = (actor.head.saturating_sub(3)..=actor.head).rev();
        force.home = before
            .find_map(|at| homes.get(&look.text(at)))
            .map(|home| Code::new(home));
    }
    actor
}
