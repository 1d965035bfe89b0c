//! Which clauses of a sentence tell an event, and who takes part: what two models see of a predicate.
//!
//! Frames know the predicates of the lexicon; these models know what their neighbours look like, so that events of
//! other predicates, and actors that stand in unusual places, are found too.

use super::features::{Place, Sentence, above};
use super::model::{Model, NO_EVENT};
use super::roles;
use crate::linear::Features;
use crate::tables::EventType;
use crate::text::clauses::PredicateKind;
use crate::text::{Clause, Upos};

/// The class of a noun phrase that acts.
pub(crate) const SOURCE: &str = "source";
/// The class of a noun phrase that is acted upon.
pub(crate) const TARGET: &str = "target";
/// The class of all others.
pub(crate) const OTHER: &str = "other";

/// A phrase that is less likely than this to take part does not.
const PART_MIN: f32 = 0.2;

/// What a clause tells.
pub(crate) struct Told {
    /// The likeliest type of event.
    pub event_type: EventType,
    /// Its probability, among all types and no event.
    pub confidence: f32,
}

/// The event that a clause tells, as the model reads it.
pub(crate) fn told(sentence: &Sentence<'_, '_>, coder: &Model, clause: &Clause) -> Option<Told> {
    let probabilities = coder.predicates.probabilities(&features(sentence, clause));
    let classes = coder.predicates.classes().iter().zip(&probabilities);
    let best = classes
        .filter(|(class, _)| *class != NO_EVENT)
        .max_by(|one, other| one.1.total_cmp(other.1))?;
    Some(Told {
        event_type: EventType::parse(best.0).ok()?,
        confidence: *best.1,
    })
}

/// What happens to a force in a clause that tells an event of this type, with its probability; `None` where nothing
/// does.
pub(crate) fn force_event(
    sentence: &Sentence<'_, '_>,
    coder: &Model,
    clause: &Clause,
    event_type: &str,
) -> Option<(String, f32)> {
    let features = force_features(sentence, clause, event_type);
    let (class, sure) = coder.forces.best(&features);
    (class != NO_EVENT).then(|| (class.to_owned(), sure))
}

/// Who acts in a clause, and on whom.
pub(crate) fn parts(
    sentence: &Sentence<'_, '_>,
    coder: &Model,
    clause: &Clause,
) -> (Option<Place>, Option<Place>) {
    let parsed = sentence.context.parsed;
    let candidates = roles::candidates(sentence);
    let scored: Vec<(usize, Vec<f32>)> = candidates
        .iter()
        .filter(|head| **head != clause.predicate)
        .map(|head| {
            let features = part_features(sentence, clause, *head);
            (*head, coder.parts.probabilities(&features))
        })
        .collect();
    let class = |name: &str| coder.parts.classes().iter().position(|class| class == name);
    let best = |name: &str, free: &dyn Fn(usize) -> bool| {
        let class = class(name)?;
        let free = scored.iter().filter(|(head, _)| free(*head));
        let best = free.max_by(|one, other| one.1[class].total_cmp(&other.1[class]))?;
        (best.1[class] >= PART_MIN).then(|| roles::extent(parsed, best.0, &coder.extents))
    };
    let source = best(SOURCE, &|_| true).or_else(|| {
        let head = subject(sentence, clause)?;
        Some(roles::extent(parsed, head, &coder.extents))
    });
    let outside = |head: usize| {
        let apart =
            |source: &Place| !source.words.contains(&head) && !roles::are_one(parsed, source.head, head);
        source.as_ref().is_none_or(apart)
    };
    let beside = |head: usize| {
        let source = source.as_ref();
        source.is_some_and(|source| roles::are_coordinated(parsed, source.head, head))
    };
    let target = best(TARGET, &|head| outside(head) && !beside(head)).or_else(|| best(TARGET, &outside));
    (source, target)
}

/// Who acts in a clause as grammar has it: its subject or agent, else that of the clause it hangs on ("..., accusing
/// Tehran").
fn subject(sentence: &Sentence<'_, '_>, clause: &Clause) -> Option<usize> {
    let own = if clause.passive { "by" } else { "subj" };
    clause.first(own).or_else(|| {
        let governor = clause.governor.as_ref().filter(|_| !clause.passive)?;
        let shares = matches!(
            governor.relation.as_str(),
            "advcl" | "xcomp" | "conj" | "parataxis"
        );
        let above = sentence.context.clause(governor.predicate).filter(|_| shares)?;
        above.first(if above.passive { "by" } else { "subj" })
    })
}

/// The features of a clause as one that tells an event.
pub(crate) fn features(sentence: &Sentence<'_, '_>, clause: &Clause) -> Features {
    let mut features = Features::default();
    let lemma = sentence.masked(clause.predicate);
    let form = sentence.form(clause);
    let part = match clause.kind {
        PredicateKind::Verb => "verb",
        PredicateKind::Noun => "noun",
        PredicateKind::Adjective => "adjective",
    };
    features.add(&["lemma", lemma, part]);
    features.add(&["form", &form]);
    features.add(&["lemma", lemma, &form]);
    if let Some((end, _)) = lemma.char_indices().nth(5) {
        features.add(&["stem", &lemma[..end], part]);
    }
    for (kind, fit) in sentence.fits(clause.predicate) {
        features.add(&["kind", kind]);
        features.add(&["kind", kind, fit]);
        features.add(&["kind", kind, fit, &form]);
    }
    let known = sentence.kinds(clause.predicate).next().is_some();
    features.add(&["known", if known { "yes" } else { "no" }, part]);
    takes(sentence, clause, lemma, &mut features);
    governors(sentence, clause, lemma, &mut features);
    for complement in &clause.complements {
        let below = sentence.masked(*complement);
        features.add(&["complement", lemma, below]);
        features.add(&["complement", below]);
        for kind in sentence.kinds(*complement) {
            features.add(&["complement kind", lemma, kind]);
        }
    }
    around(sentence, clause, lemma, &mut features);
    features.finish()
}

/// The features of a clause as one that tells what happens to a force: its own, the forces beside it, and the words of
/// its sentence.
pub(crate) fn force_features(sentence: &Sentence<'_, '_>, clause: &Clause, event_type: &str) -> Features {
    let context = sentence.context;
    let mut features = features(sentence, clause);
    let lemma = sentence.masked(clause.predicate);
    features.add(&["type", event_type]);
    features.add(&["type", event_type, lemma]);
    let forces = context.actors.of_sentence(context.sentence);
    for (actor, force) in forces.filter_map(|actor| Some((actor, actor.force.as_ref()?))) {
        let within = if context.parsed.is_under(actor.head, clause.predicate) {
            "within"
        } else {
            "beside"
        };
        features.add(&["force", within, force.kind.as_str(), event_type]);
        features.add(&["force", within, lemma]);
    }
    for word in 0..context.parsed.words.len() {
        let near = context.parsed.is_under(word, clause.predicate);
        let near = if near { "within" } else { "beside" };
        features.add(&["word", near, sentence.masked(word)]);
        features.add(&["word", sentence.masked(word), event_type]);
    }
    features.finish()
}

/// Who and what takes part, and in which roles.
fn takes(sentence: &Sentence<'_, '_>, clause: &Clause, lemma: &str, features: &mut Features) {
    let context = sentence.context;
    let mut roles: Vec<&str> = clause
        .participants
        .iter()
        .map(|phrase| phrase.role.as_str())
        .collect();
    roles.sort_unstable();
    roles.dedup();
    features.add(&["roles", &roles.join(" ")]);
    for phrase in &clause.participants {
        let filler = sentence.masked(phrase.head);
        let kind = context
            .actor(phrase.head)
            .map_or("-", |actor| actor.kind.as_str());
        let force = context
            .actor(phrase.head)
            .is_some_and(|actor| actor.force.is_some());
        features.add(&["takes", &phrase.role, filler]);
        features.add(&["takes", lemma, &phrase.role, filler]);
        features.add(&["takes kind", &phrase.role, kind]);
        features.add(&["takes kind", lemma, &phrase.role, kind]);
        if force {
            features.add(&["takes force", &phrase.role]);
            features.add(&["takes force", lemma, &phrase.role]);
        }
        for sense in sentence.kinds(phrase.head) {
            features.add(&["takes sense", &phrase.role, sense]);
            features.add(&["takes sense", lemma, sense]);
        }
    }
}

/// The predicates above, and how the clause hangs on them.
fn governors(sentence: &Sentence<'_, '_>, clause: &Clause, lemma: &str, features: &mut Features) {
    let context = sentence.context;
    let mark = clause.mark.as_deref().unwrap_or("");
    features.add(&["mark", mark]);
    let Some(governor) = &clause.governor else {
        features.add(&["root"]);
        return;
    };
    let above = sentence.masked(governor.predicate);
    let relation = governor.relation.as_str();
    features.add(&["hangs", relation, mark]);
    features.add(&["above", above, relation]);
    features.add(&["above", above, lemma]);
    for kind in sentence.kinds(governor.predicate) {
        features.add(&["above kind", kind, relation]);
        for own in sentence.kinds(clause.predicate) {
            features.add(&["above kinds", kind, relation, own]);
        }
    }
    if let Some(above) = context.clause(governor.predicate) {
        features.add(&["above form", relation, &sentence.form(above)]);
        if let Some(next) = &above.governor {
            features.add(&["above2", sentence.masked(next.predicate), &next.relation]);
        }
    }
}

/// The words beside the predicate, and those that modify it.
fn around(sentence: &Sentence<'_, '_>, clause: &Clause, lemma: &str, features: &mut Features) {
    let parsed = sentence.context.parsed;
    let word = parsed.words[clause.predicate].relation;
    features.add(&["relation", word]);
    for child in parsed.children(clause.predicate).iter().copied() {
        let relation = parsed.words[child].relation;
        if matches!(
            relation,
            "advmod" | "amod" | "det" | "compound" | "aux" | "nmod:poss"
        ) {
            features.add(&["modifier", relation, sentence.masked(child)]);
            features.add(&["modifier", relation, lemma, sentence.masked(child)]);
        }
    }
    for step in [1, 2] {
        let before = clause
            .predicate
            .checked_sub(step)
            .map(|word| sentence.masked(word));
        let after =
            (clause.predicate + step < parsed.words.len()).then(|| sentence.masked(clause.predicate + step));
        let step = step.to_string();
        features.add(&["before", &step, before.unwrap_or("^")]);
        features.add(&["after", &step, after.unwrap_or("$")]);
    }
    let word = &parsed.words[clause.predicate];
    let mut quotations = sentence.context.text.quotations.iter();
    if quotations.any(|quotation| quotation.covers(&(word.start..word.end))) {
        features.add(&["quoted"]);
        features.add(&["quoted", lemma]);
    }
}

/// The features of a noun phrase as one that takes part in a clause.
pub(crate) fn part_features(sentence: &Sentence<'_, '_>, clause: &Clause, head: usize) -> Features {
    let mut features = Features::default();
    let context = sentence.context;
    let parsed = context.parsed;
    let word = &parsed.words[head];
    let lemma = sentence.masked(clause.predicate);
    let filler = sentence.masked(head);
    let actor = context.actor(head);
    let kind = actor.map_or("-", |actor| actor.kind.as_str());
    let named = word.name.split('-').next_back().unwrap_or("O");
    let passive = if clause.passive { "passive" } else { "" };
    let role = clause
        .participants
        .iter()
        .find(|phrase| phrase.head == head)
        .map_or("-", |phrase| phrase.role.as_str());
    features.add(&["role", role, passive]);
    features.add(&["role", role, passive, lemma]);
    features.add(&["role", role, passive, kind]);
    features.add(&["role", role, passive, filler]);
    features.add(&["role", role, passive, word.upos.name(), named]);
    for sense in sentence.kinds(clause.predicate) {
        features.add(&["role", role, passive, "of", sense]);
        features.add(&["role", role, kind, "of", sense]);
    }
    if actor.is_some_and(|actor| actor.force.is_some()) {
        features.add(&["force", role, passive]);
        features.add(&["force", role, passive, lemma]);
    }
    let (up, top) = way(sentence, clause, head);
    let preposition = parsed.preposition(head);
    features.add(&["way", &up, &top]);
    features.add(&["way", &up, &top, &preposition]);
    features.add(&["way", &up, lemma, &preposition]);
    features.add(&["way", &up, &top, kind]);
    let order = if head < clause.predicate {
        "before"
    } else {
        "behind"
    };
    let apart = head.abs_diff(clause.predicate);
    let near = ["0", "1", "2", "4", "8", "16"][(usize::BITS - apart.leading_zeros()).min(5) as usize];
    features.add(&["order", order, near]);
    features.add(&["order", order, role, passive]);
    features.add(&["filler", filler, order]);
    features.add(&["case", &preposition, order, kind]);
    // "the arrest of X by Y": what stands around a noun is told by its own relation to it.
    features.add(&["relation", word.relation, order, kind]);
    let is_pronoun = word.upos == Upos::Pron;
    features.add(&["pronoun", if is_pronoun { "yes" } else { "no" }, role]);
    features.finish()
}

/// The arcs from a noun phrase up to what it shares with a predicate, and from the predicate up to the same.
fn way(sentence: &Sentence<'_, '_>, clause: &Clause, head: usize) -> (String, String) {
    let parsed = sentence.context.parsed;
    let (from, to) = (above(parsed, head), above(parsed, clause.predicate));
    let Some(top) = from.iter().find(|word| to.contains(word)) else {
        return ("?".to_owned(), "?".to_owned());
    };
    let relations = |line: &[usize]| {
        let below = line.iter().take_while(|word| *word != top).take(4);
        below
            .map(|word| parsed.words[*word].relation)
            .collect::<Vec<_>>()
            .join(">")
    };
    (relations(&from), relations(&to))
}
