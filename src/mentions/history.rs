//! What was named before in a document: whom "the junta", "they" and "the troops" stand for.

use super::{Actor, Context, Force};
use crate::tables::{ActorKind, Code, ForceKind};
use crate::text::Upos;

/// The actors of the sentences before, newest last.
#[derive(Default)]
pub(super) struct History {
    offices: Vec<(String, String, Code)>,
    countries: Vec<Code>,
    forces: Vec<Remembered>,
    subjects: Vec<Remembered>,
}

#[derive(Clone)]
struct Remembered {
    sentence: usize,
    kind: ActorKind,
    word: String,
    country: Option<Code>,
    force: Option<Force>,
    plural: bool,
}

/// Sentences after which a pronoun no longer reaches back.
const REACH: usize = 2;

impl History {
    /// Countries named before, newest first.
    pub fn countries(&self) -> impl Iterator<Item = &Code> {
        self.countries.iter().rev()
    }

    /// The country named last.
    pub fn last_country(&self) -> Option<Code> {
        self.countries.last().cloned()
    }

    /// The country that an office named before belonged to: by the same word, or by another word for it.
    pub fn country_of(&self, office: &str, lemma: &str) -> Option<Code> {
        let mut latest = self.offices.iter().rev();
        latest
            .find(|(known, word, _)| word == lemma || (!office.is_empty() && known == office))
            .map(|(_, _, country)| country.clone())
    }

    /// The home of the last force of a kind.
    pub fn home_of(&self, kind: ForceKind) -> Option<Code> {
        let same = self
            .forces
            .iter()
            .rev()
            .find(|force| force.force.as_ref().is_some_and(|force| force.kind == kind));
        same.and_then(|force| force.country.clone())
    }

    /// Pronouns of the third person as the last actors they can stand for.
    pub fn pronouns<'k>(&self, context: &Context<'_, 'k>, found: &[Actor<'k>]) -> Vec<Actor<'k>> {
        let mut actors = Vec::new();
        for (head, word) in context.parsed.words.iter().enumerate() {
            let text = word.text.to_lowercase();
            if word.upos != Upos::Pron || !context.language.grammar.third_person_pronouns.contains(&text) {
                continue;
            }
            let plural = context.language.grammar.plural_pronouns.contains(&text);
            let mut here = found
                .iter()
                .filter(|actor| actor.head < head && actor.kind != ActorKind::Place);
            let here = here
                .rfind(|actor| !plural || is_plural(context, actor))
                .map(|actor| remember(context, actor));
            let before = || {
                self.subjects
                    .iter()
                    .rev()
                    .find(|actor| actor.plural == plural && actor.sentence + REACH >= context.sentence)
            };
            let Some(antecedent) = here.or_else(|| before().cloned()) else {
                continue;
            };
            actors.push(Actor {
                sentence: context.sentence,
                head,
                start: word.start,
                end: word.end,
                kind: antecedent.kind,
                word: antecedent.word,
                entry: None,
                country: antecedent.country,
                office: None,
                force: antecedent.force,
                rule: "pronoun",
                confidence: 0.5,
            });
        }
        actors
    }

    /// Takes in the actors of a sentence.
    pub fn remember(&mut self, context: &Context<'_, '_>, found: &[Actor<'_>]) {
        for actor in found.iter().filter(|actor| actor.rule != "pronoun") {
            if let Some(country) = actor.country.clone().filter(|code| code.as_str().len() == 3) {
                if let Some(office) = &actor.office {
                    let lemma = context.parsed.words[actor.head].lemma.to_string();
                    self.offices.push((office.clone(), lemma, country.clone()));
                }
                self.countries.push(country);
            }
            if actor.force.is_some() {
                self.forces.push(remember(context, actor));
            }
            if actor.kind != ActorKind::Place {
                self.subjects.push(remember(context, actor));
            }
        }
    }
}

fn is_plural(context: &Context<'_, '_>, actor: &Actor<'_>) -> bool {
    let word = &context.parsed.words[actor.head];
    word.text.to_lowercase() != word.lemma.to_lowercase()
        || actor.force.is_some()
        || actor.kind == ActorKind::Population
}

fn remember(context: &Context<'_, '_>, actor: &Actor<'_>) -> Remembered {
    Remembered {
        sentence: context.sentence,
        kind: actor.kind,
        word: actor.word.clone(),
        country: actor.country.clone(),
        force: actor.force.clone(),
        plural: is_plural(context, actor),
    }
}
