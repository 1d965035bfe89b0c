//! Whose a force is where the words beside it do not tell: "Ankara said not one of the 35,000 soldiers would go".
//!
//! A model looks at the force and at every country named in its sentence: the arcs and words between them, and the
//! role and preposition of each. Names are masked.

use crate::events::Context;
use crate::events::features::{Place, Sentence, above};
use crate::knowledge::{Knowledge, Language};
use crate::linear::{Features, Linear};
use crate::mentions::{Actors, Assumable};
use crate::tables::{Code, Document, ForceKind};
use crate::text::{Clause, Text, Upos};

/// Classes of the models, in order.
pub(crate) const CLASSES: [&str; 2] = ["no", "yes"];

/// The least probability of a home that is taken.
const HOME_MIN: f32 = 0.5;

/// The countries named in a sentence outside the words of a force, each with what the model sees of the two.
pub(crate) fn candidates(sentence: &Sentence<'_, '_>, force: &Place) -> Vec<(Code, Features)> {
    let context = sentence.context;
    let parsed = context.parsed;
    let named = context.actors.countries_of(context.sentence);
    let mut found = Vec::new();
    for (word, code) in named {
        if force.words.contains(word) {
            continue;
        }
        let place = Place::word(*word);
        let mut features = sentence.pair(&place, Some(force));
        let preposition = parsed.preposition(*word);
        let relation = parsed.words[*word].relation;
        let governor = above(parsed, *word)
            .get(1)
            .map_or("", |above| sentence.masked(*above));
        let noun = sentence.masked(force.head);
        features.add(&["country", relation, &preposition]);
        features.add(&["country", relation, &preposition, governor]);
        features.add(&["country of", relation, &preposition, noun]);
        let distance = word.abs_diff(force.head).min(24) / 4;
        let side = if *word < force.head { "before" } else { "behind" };
        features.add(&["far", side, &distance.to_string()]);
        features.add(&["far", side, relation, &preposition]);
        let others = named.iter().filter(|(_, other)| other != code).count().min(3);
        features.add(&["others", &others.to_string()]);
        let is_first = named.first().is_some_and(|(first, _)| first == word);
        features.add(&["first", if is_first { "yes" } else { "no" }, relation]);
        for child in parsed.children(force.head) {
            if *child < force.head {
                features.add(&["force has", sentence.masked(*child), relation, &preposition]);
            }
        }
        let kind = context.actor(*word).map_or("", |actor| actor.kind.as_str());
        features.add(&["country as", kind, relation]);
        found.push((code.clone(), features.finish()));
    }
    found
}

/// What the model sees of a nationality, or of the noun it describes, to say whether it is a force.
pub(crate) fn force_features(sentence: &Sentence<'_, '_>, force: &Assumable) -> Features {
    let parsed = sentence.context.parsed;
    let place = Place::word(force.head);
    let mut features = sentence.pair(&place, None);
    let word = &parsed.words[force.head];
    let is_noun = sentence.masked(force.head) != "NAME" && word.upos == Upos::Noun;
    let lemma = word.lemma.to_lowercase();
    let noun = if is_noun { lemma.as_str() } else { "NATIONALITY" };
    let rule = if force.by_rule { "rule" } else { "no rule" };
    features.add(&["force", rule]);
    features.add(&["force", rule, noun]);
    features.add(&["force noun", noun]);
    features.add(&["force noun", noun, word.relation]);
    features.add(&["force form", word.relation, word.upos.name(), rule]);
    let last = lemma.chars().rev().take(4).collect::<String>();
    features.add(&["force ends", &last]);
    for child in parsed.children(force.head) {
        let child = &parsed.words[*child];
        if matches!(child.upos, Upos::Det | Upos::Num | Upos::Adj | Upos::Pron) {
            features.add(&["force has", child.upos.name(), child.relation]);
            features.add(&["force has", &child.lemma.to_lowercase(), noun]);
        }
    }
    features.finish()
}

/// The least probability of a force that is taken.
const FORCE_MIN: f32 = 0.5;

/// Finds the forces that only a nationality or the sentence as a whole tells, and whose they are: who is asked for them,
/// what the models say, what their noun mostly means.
pub(crate) fn complete(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    actors: &mut Actors<'_>,
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
) {
    actors.give_owners(text);
    let models = language.judge.stances.as_ref();
    let mut likely = actors.assumable(text, language);
    likely.retain(|force| {
        models.map_or(force.by_rule, |models| {
            let context = Context::new(
                text,
                force.sentence,
                clauses,
                actors,
                document,
                knowledge,
                language,
            );
            let features = force_features(&Sentence::new(&context), force);
            models.forces.probabilities(&features)[1] >= FORCE_MIN
        })
    });
    for force in likely {
        actors.assume(text, force);
    }
    let mut found: Vec<(usize, usize, ForceKind, Code)> = Vec::new();
    for sentence in 0..text.parsed.len() {
        let unknown = actors.forces_without_home(&text.parsed[sentence], sentence, language);
        let Some(models) = models.filter(|_| !unknown.is_empty()) else {
            continue;
        };
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        let seen = Sentence::new(&context);
        for (head, kind) in unknown {
            let home = home(&models.homes, &seen, &Place::word(head));
            found.extend(home.map(|home| (sentence, head, kind, home)));
        }
    }
    for (sentence, head, kind, home) in found {
        actors.give_home(&text.parsed[sentence], sentence, head, kind, home);
    }
    actors.give_usual_homes(text, language);
}

/// The likeliest home of a force.
fn home(model: &Linear, sentence: &Sentence<'_, '_>, force: &Place) -> Option<Code> {
    let likely = candidates(sentence, force)
        .into_iter()
        .map(|(code, features)| (code, model.probabilities(&features)[1]));
    let best = likely.max_by(|one, other| one.1.total_cmp(&other.1))?;
    (best.1 >= HOME_MIN).then_some(best.0)
}
