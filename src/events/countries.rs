//! The countries of actors that name none.

use super::Context;
use crate::tables::{ActorKind, Code, Event, EventType};

/// Actors whose words name no country ("students", "the ruling") are those of the country where the event is told to
/// happen, else of the country that the document is about, as ICEWS codes them (Boschee et al. 2015). What knowledge
/// knows by name and gives no country, as a movement across borders, gets none. Where only one side is told, what
/// happens to a force is between its home and its host, and a protest is against who governs.
pub(super) fn give(event: &mut Event, context: &Context<'_, '_>) {
    let told = |id: &Option<String>, kind: Option<ActorKind>, start: Option<i64>| {
        let is_stateless = matches!(kind, Some(ActorKind::International | ActorKind::Media));
        start.is_some() && id.is_none() && !is_stateless
    };
    let here = event
        .place_country
        .clone()
        .or_else(|| context.actors.focus.clone());
    let other_side = |country: &Option<Code>| match (country, &event.force_home, &event.host_country) {
        (Some(country), Some(home), host) if country == home => host.clone(),
        (Some(country), home, Some(host)) if country == host => home.clone(),
        _ => None,
    };
    let mut source = event.source_country.clone();
    let mut target = event.target_country.clone();
    if source.is_none() && told(&event.source_actor_id, event.source_kind, event.source_start_byte) {
        source = here.clone();
    }
    // What is done to a treaty or a mission of a force is done to the other side.
    let is_thing = event.target_kind == Some(ActorKind::Unknown) && event.force_event.is_some();
    if target.is_none() && (is_thing || event.target_start_byte.is_none()) {
        target = other_side(&source);
    }
    if target.is_none() && told(&event.target_actor_id, event.target_kind, event.target_start_byte) {
        target = here.clone();
    }
    let is_one_of = |types: &[EventType]| event.event_type.is_some_and(|kind| types.contains(&kind));
    if target.is_none() && event.target_start_byte.is_none() && is_one_of(&[EventType::Protest]) {
        target = source.clone();
    }
    // Who arrests or attacks and is not named is somebody where it happens, as ACLED codes unidentified actors.
    if source.is_none()
        && event.source_start_byte.is_none()
        && is_one_of(&[EventType::Coerce, EventType::Assault])
    {
        source = here;
    }
    (event.source_country, event.target_country) = (source, target);
}
