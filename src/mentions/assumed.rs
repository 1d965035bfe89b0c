//! Forces that only their nationality names: "the Germans at the airfield", "American engineers".
//!
//! Who reads for stance takes a nationality as its force where the sentence tells of no force of that home; who codes
//! events does not, because most sentences about Germans tell of no soldier.

use super::{Actor, Actors, Force};
use crate::gate::Setting;
use crate::knowledge::{Language, Reading};
use crate::tables::{ActorKind, Code, ForceKind};
use crate::text::{Text, Upos};

/// A nationality or an organization in a sentence, as an adjective or a noun.
#[derive(Debug, Clone)]
pub(super) struct National {
    pub sentence: usize,
    pub head: usize,
    pub home: Code,
    /// The kind of force, where knowledge knows one by this name.
    pub kind: Option<ForceKind>,
    /// Whether it only describes another noun.
    pub modifies: bool,
    /// Whether it can stand for the people of a country.
    pub is_people: bool,
}

/// Nationalities among the names of each sentence that may tell of soldiers.
pub(super) fn nationals(named: &[Vec<super::names::Name<'_>>], settings: &[Setting]) -> Vec<National> {
    let of_sentence = |(sentence, names): (usize, &Vec<super::names::Name<'_>>)| {
        let national = |name: &super::names::Name<'_>| {
            let force = name.entry.force.as_ref();
            let is_national = matches!(
                name.entry.reading,
                Reading::Adjective | Reading::Demonym | Reading::Country
            );
            let home = force
                .and_then(|force| force.home.clone())
                .or_else(|| name.entry.country.clone())?;
            (is_national || force.is_some()).then(|| National {
                sentence,
                head: name.head,
                home,
                kind: force.map(|force| force.kind),
                modifies: name.modifies(),
                is_people: matches!(name.entry.reading, Reading::Adjective | Reading::Demonym),
            })
        };
        names.iter().filter_map(national).collect::<Vec<_>>()
    };
    let military = named
        .iter()
        .enumerate()
        .filter(|(sentence, _)| settings[*sentence] > Setting::Civil);
    military.flat_map(of_sentence).collect()
}

impl<'k> Actors<'k> {
    /// The same actors, with nationalities as forces where the sentence tells of no other force of that home.
    pub fn with_assumed_forces(&self, text: &Text<'_>, language: &Language) -> Self {
        let mut actors = self.clone();
        for actor in &mut actors.all {
            let parsed = &text.parsed[actor.sentence];
            let owner = self.owner_asked(parsed, actor);
            let lemma = parsed.words[actor.head].lemma.to_lowercase();
            if let Some(force) = &mut actor.force {
                let is_owned = parsed.dependent(actor.head, "nmod:poss").is_some();
                let homeless = force.home.is_none() && !force.called_foreign;
                if let Some(owner) = owner.filter(|_| homeless || is_owned && actor.entry.is_none()) {
                    force.home = Some(owner);
                } else if homeless {
                    force.home = language.stances.usual_home(&lemma);
                }
            }
        }
        for national in &self.nationals {
            let known = self.of_sentence(national.sentence).any(|actor| {
                actor
                    .force
                    .as_ref()
                    .is_some_and(|force| force.home.as_ref() == Some(&national.home))
            });
            if known {
                continue;
            }
            let is_owner = stands_for_people(&text.parsed[national.sentence], national.head);
            let place = if national.modifies {
                let described = described_force(text, language, national);
                described.or_else(|| people_as_force(text, language, national).filter(|_| is_owner))
            } else {
                people_as_force(text, language, national)
            };
            if let Some((head, kind)) = place {
                actors.put(assumed(self, text, national, head, kind));
            }
        }
        actors
    }

    /// "asked the United States to send soldiers", "thanked Kenya for its police": the country that is asked or
    /// thanked before a force fields it.
    fn owner_asked(&self, parsed: &crate::text::Parsed<'_>, force: &Actor<'_>) -> Option<Code> {
        let before = self.of_sentence(force.sentence).filter(|actor| {
            actor.head < force.head
                && actor.force.is_none()
                && actor.kind == ActorKind::Government
                && actor.office.is_none()
                && matches!(parsed.words[actor.head].relation, "obj" | "iobj")
        });
        before.filter_map(|actor| actor.country.clone()).last()
    }

    /// Adds an actor, in place of one with the same head word.
    fn put(&mut self, actor: Actor<'k>) {
        let key = (actor.sentence, actor.head);
        match self.by_head.get(&key) {
            Some(index) => self.all[*index] = actor,
            None => {
                self.by_head.insert(key, self.all.len());
                self.all.push(actor);
            }
        }
    }
}

fn assumed<'k>(
    actors: &Actors<'k>,
    text: &Text<'_>,
    national: &National,
    head: usize,
    kind: ForceKind,
) -> Actor<'k> {
    let parsed = &text.parsed[national.sentence];
    let described = parsed.children(head).iter().copied().filter(|child| {
        *child < head
            && matches!(
                parsed.words[*child].relation,
                "amod" | "compound" | "nmod:poss" | "nummod" | "flat"
            )
    });
    let first = described.chain([head]).min().unwrap_or(head);
    let span = parsed.words[first].start..parsed.words[head].end;
    let elsewhere = actors
        .of_sentence(national.sentence)
        .filter_map(|actor| actor.country.clone());
    let near = elsewhere
        .filter(|country| country.as_str().len() == 3)
        .find(|country| *country != national.home);
    let host = actors
        .usual_host(Some(&national.home))
        .cloned()
        .or(near)
        .or_else(|| actors.focus.clone());
    Actor {
        sentence: national.sentence,
        head,
        start: span.start,
        end: span.end,
        kind: ActorKind::Military,
        word: "military".to_owned(),
        entry: None,
        country: Some(national.home.clone()),
        office: None,
        force: Some(Force {
            home: Some(national.home.clone()),
            kind,
            host: host.filter(|host| *host != national.home),
            called_foreign: true,
        }),
        rule: "assumed",
        confidence: 0.5,
    }
}

/// "the Egyptians' arrival", "wants the Senegalese out", "the French handed over": a nationality that describes no
/// noun, or that owns one, whatever the parse says.
fn stands_for_people(parsed: &crate::text::Parsed<'_>, head: usize) -> bool {
    let follows = parsed.words.get(head + 1).map(|word| word.upos);
    let is_before_noun = matches!(follows, Some(Upos::Noun | Upos::Propn | Upos::Adj | Upos::Num));
    let is_led = head > 0 && parsed.words[head - 1].upos == Upos::Det;
    let is_noun = matches!(parsed.words[head].upos, Upos::Noun | Upos::Propn);
    parsed.is(head, "nmod:poss") || is_led && (is_noun || !is_before_noun)
}

/// "American engineers": a noun that is a force beside the name of a home.
fn described_force(text: &Text<'_>, language: &Language, national: &National) -> Option<(usize, ForceKind)> {
    let parsed = &text.parsed[national.sentence];
    let mut at = parsed.words[national.head].head?;
    // "British and Turkish minehunters": the second adjective hangs on the first.
    if parsed.is(national.head, "conj") && parsed.words[at].upos == Upos::Adj {
        at = parsed.words[at].head?;
    }
    let lemma = parsed.words[at].lemma.to_lowercase();
    let written = parsed.words[at].text.to_lowercase();
    let kind = language
        .stances
        .assumed(&lemma)
        .or_else(|| language.stances.assumed(&written))?;
    Some((at, national.kind.unwrap_or(kind)))
}

/// "the Germans", "300 Rwandans", "hosts Russians": people of a nationality that come, stay or are judged.
fn people_as_force(text: &Text<'_>, language: &Language, national: &National) -> Option<(usize, ForceKind)> {
    let parsed = &text.parsed[national.sentence];
    let word = &parsed.words[national.head];
    if parsed.children(national.head).iter().any(|child| {
        language
            .grammar
            .partitives
            .contains(parsed.words[*child].lemma.as_ref())
    }) {
        return None;
    }
    let is_told_apart = parsed.dependent(national.head, "det").is_some()
        || stands_for_people(parsed, national.head)
        || parsed.dependent(national.head, "nummod").is_some();
    let is_undergoing = parsed.is(national.head, "obj") || parsed.is(national.head, "nsubj:pass");
    let is_people = national.is_people && national.home.as_str().len() == 3 && word.upos != Upos::Verb;
    (is_people && (is_told_apart || is_undergoing)).then_some((national.head, ForceKind::Troops))
}
