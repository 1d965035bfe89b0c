//! Names that are told apart by a letter or by the words around them.

use super::*;
use crate::events::with_context;
use crate::knowledge::{self, Source};
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    knowledge::load(Source::BuiltIn).unwrap_or_else(|faults| panic!("{} faults", faults.len()))
});

fn language() -> &'static Language {
    KNOWLEDGE.language("en").expect("English is built in")
}

/// The country of each stretch of a sentence that names one, as an actor or as a word that describes one.
fn countries_of(text: &str) -> Vec<String> {
    with_context(text, &KNOWLEDGE, language(), |context| {
        let named = names::find(text, context.parsed, &KNOWLEDGE, language(), Some(2024));
        let codes = named
            .iter()
            .filter_map(|name| Some(name.entry.country.as_ref()?.to_string()));
        codes.collect()
    })
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(countries_of(text), expected, "{text}");
}

/// Kind, rule, country and office of the actor whose text this is.
#[track_caller]
fn check_actor(text: &str, name: &str, expected: (ActorKind, &str, Option<&str>)) {
    let found = with_context(text, &KNOWLEDGE, language(), |context| {
        let of = |actor: &Actor<'_>| {
            (
                actor.kind,
                actor.rule,
                actor.country.as_ref().map(Code::to_string),
            )
        };
        let mut named = context
            .actors
            .all
            .iter()
            .filter(|actor| &text[actor.start..actor.end] == name);
        named.next_back().map(of)
    });
    let expected = (expected.0, expected.1, expected.2.map(str::to_owned));
    assert_eq!(found, Some(expected), "{name} in: {text}");
}

#[test]
fn nigeriens_are_not_nigerians() {
    check("Nigerien troops crossed the border.", &["NER"]);
    check("Nigerian troops crossed the border.", &["NGA"]);
    check("Niger and Nigeria reopened their border.", &["NER", "NGA"]);
}

#[test]
fn georgia_the_state_and_the_country() {
    check(
        "Georgia and Russia signed a ceasefire in Tbilisi.",
        &["GEO", "RUS", "GEO"],
    );
    check("Voters in Atlanta, Georgia, went to the polls.", &["USA"]);
}

#[test]
fn four_guineas() {
    check("Guinea closed its border.", &["GIN"]);
    check("Equatorial Guinea closed its border.", &["GNQ"]);
    check("Papua New Guinea closed its border.", &["PNG"]);
    check("Guinea-Bissau closed its border.", &["GNB"]);
}

#[test]
fn two_congos() {
    check(
        "The Democratic Republic of the Congo expelled the envoy.",
        &["COD"],
    );
    check("The Republic of the Congo expelled the envoy.", &["COG"]);
    check("DR Congo expelled the envoy.", &["COD"]);
    check("Congo-Brazzaville expelled the envoy.", &["COG"]);
}

#[test]
fn unknown_names_take_the_country_beside_them() {
    check_actor(
        "Malian spokesman Moussa Kelloun rejected the plan.",
        "Moussa Kelloun",
        (ActorKind::Person, "name", Some("MLI")),
    );
}

#[test]
fn short_forms_stand_for_what_introduced_them() {
    check_actor(
        "Malian spokesman Moussa Kelloun rejected the plan, and Kelloun left the room.",
        "Kelloun",
        (ActorKind::Person, "name:again", Some("MLI")),
    );
    check_actor(
        "The National Renewal Congress of Chad (NRCX) rejected the plan, and the NRCX left the talks.",
        "NRCX",
        (ActorKind::Organization, "name:again", Some("TCD")),
    );
}
