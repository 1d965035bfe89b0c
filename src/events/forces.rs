//! The foreign force that an event is about, and what happens to it.

use super::features::{Place, Sentence};
use super::model::Model;
use super::{Context, circumstances, matching, predicates};
use crate::knowledge::frames::Frame;
use crate::mentions::{Actor, Force};
use crate::tables::{ActorKind, Code, Event, ForceKind};
use crate::text::quantities;

/// The model must be this sure that something happens to a force that takes part, or to one that is told of beside it.
const FORCE_MIN: f32 = 0.3;
const FORCE_BESIDE_MIN: f32 = 0.4;

/// Says what happens to a foreign force, where no frame did: by the model, or, where a force takes part, by its role.
pub(super) fn tell(sentence: &Sentence<'_, '_>, coder: &Model, predicate: usize, event: &mut Event) {
    let context = sentence.context;
    let (Some(clause), Some(event_type), None) =
        (context.clause(predicate), event.event_type, &event.force_event)
    else {
        return;
    };
    let source = at(context, event.source_start_byte, event.source_end_byte);
    let target = at(context, event.target_start_byte, event.target_end_byte);
    let taking_part = target.or(source);
    let Some(concerned) = taking_part.or_else(|| told_of(context, event)) else {
        return;
    };
    let is_party = [&event.source_country, &event.target_country]
        .into_iter()
        .any(|country| country.is_some() && *country == home_of(concerned));
    let least = if taking_part.is_some() || is_party {
        FORCE_MIN
    } else {
        FORCE_BESIDE_MIN
    };
    let told = predicates::force_event(sentence, coder, clause, event_type.as_str());
    let told = told.filter(|(_, sure)| *sure >= least).map(|(name, _)| name);
    let by_role = || {
        let roles = context.knowledge.event_types.force_roles.get(&event_type)?;
        let of_target = roles.target.clone().filter(|_| target.is_some());
        of_target.or_else(|| roles.source.clone().filter(|_| source.is_some()))
    };
    if let Some((name, force)) = told.or_else(by_role).zip(concerned.force.as_ref()) {
        event.force_event = Some(Code::new(&name));
        let named = (concerned.sentence == context.sentence).then_some(concerned);
        set(event, context, force, named);
    }
}

/// A force that is not known to be at home; one that has no host in a document about its home is taken to be there.
fn may_be_foreign(context: &Context<'_, '_>, actor: &Actor<'_>) -> bool {
    let focus = context.actors.focus.as_ref();
    let force = actor.force.as_ref();
    force.is_some_and(|force| {
        let is_there = force.host.is_none() && force.home.is_some() && force.home.as_ref() == focus;
        let is_told = force.home.is_some() || force.called_foreign;
        is_told && !is_there && force.is_foreign() != Some(false)
    })
}

/// Whether the document tells of a force that may be foreign.
pub(crate) fn tells_of_one(context: &Context<'_, '_>) -> bool {
    context
        .actors
        .all
        .iter()
        .any(|actor| may_be_foreign(context, actor))
}

/// The foreign force that a phrase names: by itself, or, in a document that tells of one, by its nationality ("the
/// Rwandans").
fn at<'s, 'k>(context: &Context<'s, 'k>, start: Option<i64>, end: Option<i64>) -> Option<&'s Actor<'k>> {
    let place = Place::of(context.parsed, &(start? as usize..end? as usize))?;
    let actor = context.actor(place.head)?;
    if actor.force.is_some() {
        return Some(actor).filter(|actor| may_be_foreign(context, actor));
    }
    let is_people = actor.kind == ActorKind::Population && actor.office.is_none();
    let country = actor.country.as_ref().filter(|_| is_people)?;
    let same = |other: &&Actor<'k>| {
        let home = other.force.as_ref().and_then(|force| force.home.as_ref());
        may_be_foreign(context, other) && home == Some(country)
    };
    context.actors.all.iter().find(same)
}

/// The home of the force that an actor is.
fn home_of(actor: &Actor<'_>) -> Option<Code> {
    actor.force.as_ref().and_then(|force| force.home.clone())
}

/// The foreign force that an event may be about: one in the sentence, else one that a party to the event fields, else
/// the last one told before, else the first one.
fn told_of<'s, 'k>(context: &Context<'s, 'k>, event: &Event) -> Option<&'s Actor<'k>> {
    let all = || {
        let all = context.actors.all.iter();
        all.filter(|actor| may_be_foreign(context, actor))
    };
    let is_of_party = |actor: &&Actor<'k>| {
        let home = home_of(actor);
        home.is_some() && (home == event.source_country || home == event.target_country)
    };
    let beside = all().find(|actor| actor.sentence == context.sentence);
    let before = || all().rfind(|actor| actor.sentence < context.sentence);
    beside
        .or_else(|| all().find(is_of_party))
        .or_else(before)
        .or_else(|| all().next())
}

/// The force that an event of a frame concerns: the one named, or the one a country stands for. `None` where the frame
/// is of a force and there is none abroad.
pub(super) fn of_frame(
    context: &Context<'_, '_>,
    frame: &Frame,
    named: Option<&Force>,
    source: &matching::Filled,
    target: &matching::Filled,
) -> Option<Option<Force>> {
    let Some(name) = &frame.force_event else {
        return Some(named.cloned());
    };
    if let Some(force) = named.filter(|force| force.is_foreign() != Some(false)) {
        return Some(Some(force.clone()));
    }
    let two = source.country.is_some() && target.country.is_some() && source.country != target.country;
    let facts = context.knowledge.event_types.force_events.get(name.as_str());
    if frame.takes_country_for_force() && (two || target.country.is_none()) && source.country.is_some() {
        return Some(Some(Force {
            home: source.country.clone(),
            kind: ForceKind::Troops,
            host: target.country.clone(),
            also: Vec::new(),
            called_foreign: true,
        }));
    }
    (two && facts.is_some_and(|facts| facts.between_states)).then_some(None)
}

/// Tells an event's force: what it is, and how many.
pub(super) fn set(event: &mut Event, context: &Context<'_, '_>, force: &Force, actor: Option<&Actor<'_>>) {
    event.force_home = force.home.clone();
    event.force_kind = Some(force.kind);
    event.host_country = force.host.clone();
    let Some(actor) = actor else { return };
    event.force_name = Some(context.text.text[actor.start..actor.end].to_owned());
    let counted = &context.text.parsed[actor.sentence];
    if let Some(quantity) = quantities::of_noun(counted, actor.head, &context.language.quantities)
        .or_else(|| circumstances::number_beside(context, actor))
    {
        event.troops_min = Some(quantity.min);
        event.troops_max = Some(quantity.max);
        event.troops_approximate = Some(quantity.approximate);
    }
}
