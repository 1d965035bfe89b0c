//! Forces that only their nationality names: "the Germans at the airfield", "American engineers".
//!
//! Who reads for stance takes a nationality as its force where the sentence tells of no force of that home; who codes
//! events does not, because most sentences about Germans tell of no soldier.

use super::{Actor, Actors, Force};
use crate::gate::Setting;
use crate::knowledge::{Language, Reading};
use crate::tables::{ActorKind, Code, ForceKind};
use crate::text::{Parsed, Text, Upos};

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

/// A nationality, or a noun that it describes, that could be a force.
#[derive(Debug, Clone)]
pub struct Assumable {
    /// Position of the sentence among the parsed ones.
    pub sentence: usize,
    /// Index of the word in its sentence.
    pub head: usize,
    /// What kind of force it would be.
    pub kind: ForceKind,
    /// Whose.
    pub home: Code,
    /// Whether words and grammar alone say that it is one.
    pub by_rule: bool,
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
    /// Gives forces the home of who is asked for them or thanked for them.
    pub fn give_owners(&mut self, text: &Text<'_>) {
        for index in 0..self.all.len() {
            let actor = &self.all[index];
            let parsed = &text.parsed[actor.sentence];
            let owner = self.owner_asked(parsed, actor);
            let is_owned = parsed.dependent(actor.head, "nmod:poss").is_some() && actor.entry.is_none();
            if let Some(force) = &mut self.all[index].force {
                let homeless = force.home.is_none() && !force.called_foreign;
                if let Some(owner) = owner.filter(|_| homeless || is_owned) {
                    force.home = Some(owner);
                }
            }
        }
    }

    /// Nationalities, and nouns they describe, that could be forces of homes that a sentence tells no other force of.
    pub fn assumable(&self, text: &Text<'_>, language: &Language) -> Vec<Assumable> {
        let unknown = self.nationals.iter().filter(|national| {
            !self.of_sentence(national.sentence).any(|actor| {
                actor.force.as_ref().is_some_and(|force| {
                    force.home.as_ref() == Some(&national.home) || force.also.contains(&national.home)
                })
            })
        });
        unknown
            .map(|national| assumable(text, language, national))
            .collect()
    }

    /// Makes a nationality, or the noun it describes, a force.
    pub fn assume(&mut self, text: &Text<'_>, force: Assumable) {
        let parsed = &text.parsed[force.sentence];
        let actor = assumed(self, parsed, force);
        self.put(actor);
    }

    /// Gives forces that nothing else gave a home the one that their noun mostly has: "GIs".
    pub fn give_usual_homes(&mut self, text: &Text<'_>, language: &Language) {
        for actor in &mut self.all {
            let lemma = text.parsed[actor.sentence].words[actor.head].lemma.to_lowercase();
            if let Some(force) = actor
                .force
                .as_mut()
                .filter(|force| force.home.is_none() && !force.called_foreign)
            {
                force.home = language.stances.usual_home(&lemma);
            }
        }
    }

    /// The words that name a country in a sentence, in order.
    pub fn countries_of(&self, sentence: usize) -> &[(usize, Code)] {
        self.countries.get(sentence).map_or(&[], Vec::as_slice)
    }

    /// Nouns for forces in a sentence of which no home is known: those found as forces, and those that are one only if
    /// somebody abroad fields them.
    pub fn forces_without_home(
        &self,
        parsed: &Parsed<'_>,
        sentence: usize,
        language: &Language,
    ) -> Vec<(usize, ForceKind)> {
        let words = parsed.words.iter().enumerate();
        let nouns = words.filter(|(_, word)| matches!(word.upos, Upos::Noun | Upos::Propn));
        let unknown = nouns.filter_map(|(head, word)| match self.at(sentence, head) {
            Some(actor) => {
                let force = actor.force.as_ref()?;
                let is_unknown = force.home.is_none() && actor.entry.is_none() && actor.rule != "pronoun";
                is_unknown.then_some((head, force.kind))
            }
            None => {
                let lemma = word.lemma.to_lowercase();
                let noun = language.force_nouns.get(&lemma).map(|noun| noun.kind);
                Some((head, noun.or_else(|| language.stances.assumed(&lemma))?))
            }
        });
        unknown.collect()
    }

    /// Makes a noun a force of a home, or gives the force it is that home.
    pub fn give_home(
        &mut self,
        parsed: &Parsed<'_>,
        sentence: usize,
        head: usize,
        kind: ForceKind,
        home: Code,
    ) {
        if let Some(index) = self.by_head.get(&(sentence, head)).copied() {
            let actor = &mut self.all[index];
            actor.country = actor.country.clone().or_else(|| Some(home.clone()));
            if let Some(force) = &mut actor.force {
                force.host = force.host.take().filter(|host| *host != home);
                force.home = Some(home);
            }
            return;
        }
        let force = Assumable {
            sentence,
            head,
            kind,
            home,
            by_rule: false,
        };
        let actor = assumed(self, parsed, force);
        self.put(actor);
    }

    /// "asked the United States to send soldiers", "thanked Kenya for its police": the country that is asked or
    /// thanked before a force fields it.
    fn owner_asked(&self, parsed: &Parsed<'_>, force: &Actor<'_>) -> Option<Code> {
        let before = self.of_sentence(force.sentence).filter(|actor| {
            actor.head < force.head
                && actor.force.is_none()
                && actor.kind == ActorKind::Government
                && actor.office.is_none()
                && matches!(parsed.words[actor.head].relation, "obj" | "iobj")
        });
        before.filter_map(|actor| actor.country.clone()).last()
    }

    /// Adds an actor, in place of one with the same head word; of two nationalities, the second is a further home.
    fn put(&mut self, actor: Actor<'k>) {
        let key = (actor.sentence, actor.head);
        match self.by_head.get(&key) {
            Some(index) if self.all[*index].rule == actor.rule => {
                if let Some(force) = &mut self.all[*index].force {
                    force.also.extend(actor.country);
                }
            }
            Some(index) => self.all[*index] = actor,
            None => {
                self.by_head.insert(key, self.all.len());
                self.all.push(actor);
            }
        }
    }
}

/// A nationality, or the noun that it describes, as a force.
fn assumable(text: &Text<'_>, language: &Language, national: &National) -> Assumable {
    let is_owner = stands_for_people(&text.parsed[national.sentence], national.head);
    let people = people_as_force(text, language, national);
    let described = described(text, language, national).filter(|_| national.modifies);
    let known = described.filter(|(_, kind)| kind.is_some());
    let by_rule = match known {
        Some((head, Some(kind))) => Some((head, kind)),
        _ => people.filter(|_| is_owner || !national.modifies),
    };
    let (head, kind) = by_rule.unwrap_or_else(|| {
        let noun = described.filter(|_| !is_owner).map(|(head, _)| head);
        (
            noun.unwrap_or(national.head),
            national.kind.unwrap_or(ForceKind::Troops),
        )
    });
    Assumable {
        sentence: national.sentence,
        head,
        kind,
        home: national.home.clone(),
        by_rule: by_rule.is_some(),
    }
}

fn assumed<'k>(actors: &Actors<'k>, parsed: &Parsed<'_>, force: Assumable) -> Actor<'k> {
    let Assumable {
        sentence,
        head,
        kind,
        home,
        by_rule,
    } = force;
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
        .of_sentence(sentence)
        .filter_map(|actor| actor.country.clone());
    let near = elsewhere
        .filter(|country| country.as_str().len() == 3)
        .find(|country| *country != home);
    let host = actors
        .usual_host(Some(&home))
        .cloned()
        .or(near)
        .or_else(|| actors.focus.clone());
    Actor {
        sentence,
        head,
        start: span.start,
        end: span.end,
        kind: ActorKind::Military,
        word: "military".to_owned(),
        entry: None,
        country: Some(home.clone()),
        office: None,
        force: Some(Force {
            home: Some(home.clone()),
            also: Vec::new(),
            kind,
            host: host.filter(|host| *host != home),
            // What only a model takes for a force abroad is one where the document tells its host.
            called_foreign: by_rule,
        }),
        rule: "assumed",
        confidence: 0.5,
    }
}

/// "the Egyptians' arrival", "wants the Senegalese out", "the French handed over": a nationality that describes no
/// noun, or that owns one, whatever the parse says.
fn stands_for_people(parsed: &Parsed<'_>, head: usize) -> bool {
    let follows = parsed.words.get(head + 1).map(|word| word.upos);
    let is_before_noun = matches!(follows, Some(Upos::Noun | Upos::Propn | Upos::Adj | Upos::Num));
    let is_led = head > 0 && parsed.words[head - 1].upos == Upos::Det;
    let is_noun = matches!(parsed.words[head].upos, Upos::Noun | Upos::Propn);
    parsed.is(head, "nmod:poss") || is_led && (is_noun || !is_before_noun)
}

/// "American engineers": the noun beside the name of a home, and its kind where it is a known noun for a force.
fn described(
    text: &Text<'_>,
    language: &Language,
    national: &National,
) -> Option<(usize, Option<ForceKind>)> {
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
        .or_else(|| language.stances.assumed(&written));
    let is_noun = matches!(parsed.words[at].upos, Upos::Noun | Upos::Propn);
    is_noun.then(|| (at, kind.map(|kind| national.kind.unwrap_or(kind))))
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
