//! Who acts and who is acted upon: every noun phrase of a sentence is weighed as source, then as target of that
//! source, by a model over its place in the parse.

use std::ops::Range;

use super::features::{Place, Sentence, above};
use super::model::Model;
use crate::linear::{Features, Linear};
use crate::text::{Parsed, Upos};

/// The class of the models of roles that says a phrase has the role.
pub(crate) const YES: &str = "yes";

/// The heads of noun phrases that may be an actor, in order of the text.
pub(crate) fn candidates(sentence: &Sentence<'_, '_>) -> Vec<usize> {
    let parsed = sentence.context.parsed;
    let may_be = |index: &usize| {
        let word = &parsed.words[*index];
        let noun = matches!(word.upos, Upos::Noun | Upos::Propn | Upos::Pron);
        let stands_for_noun = matches!(word.upos, Upos::Num | Upos::Adj | Upos::Det);
        let argument = ["nsubj", "obj", "obl", "nmod", "conj", "iobj"]
            .iter()
            .any(|relation| parsed.is(*index, relation));
        let part = ["compound", "flat", "fixed", "appos"]
            .iter()
            .any(|relation| parsed.is(*index, relation));
        // "thousands of protesters" is one phrase, and its head the measure.
        let measured = parsed.is(*index, "nmod")
            && word.head.is_some_and(|head| {
                let partitives = &sentence.context.language.grammar.partitives;
                partitives.contains(parsed.words[head].lemma.as_ref())
            });
        (noun || stands_for_noun && argument) && !part && !measured && !sentence.context.is_date(*index)
    };
    (0..parsed.words.len()).filter(may_be).collect()
}

/// The whole noun phrase of a head: its article, modifiers, complements and appositions, without relative clauses
/// and what is coordinated with it.
pub(crate) fn phrase(parsed: &Parsed<'_>, head: usize) -> Place {
    // What belongs to the clause of the head, or is coordinated with it, is no part of its phrase.
    const OUTSIDE: [&str; 12] = [
        "case",
        "cc",
        "conj",
        "parataxis",
        "advcl",
        "cop",
        "nsubj",
        "mark",
        "ccomp",
        "aux",
        "obl",
        "acl:relcl",
    ];
    let inside = |child: &usize| {
        let adverb = parsed.is(*child, "advmod");
        !adverb && !OUTSIDE.iter().any(|outside| parsed.is(*child, outside))
    };
    let mut words = vec![head];
    for child in parsed.children(head).iter().copied().filter(inside) {
        words.extend(parsed.subtree_without(child, &["acl:relcl"]));
    }
    one_stretch(parsed, words, head)
}

/// The noun phrase of a head as far as people mark it: which dependents belong to it was learnt.
pub(crate) fn extent(parsed: &Parsed<'_>, head: usize, model: &Linear) -> Place {
    let mut words = vec![head];
    let mut open = vec![head];
    while let Some(word) = open.pop() {
        for child in parsed
            .children(word)
            .iter()
            .copied()
            .filter(|child| !words.contains(child))
            .collect::<Vec<_>>()
        {
            let is_case = word == head && parsed.is(child, "case");
            if !is_case && yes(model, &extent_features(parsed, head, child)) >= 0.5 {
                words.push(child);
                open.push(child);
            }
        }
    }
    one_stretch(parsed, words, head)
}

/// The features of a dependent as part of the noun phrase of a head.
pub(crate) fn extent_features(parsed: &Parsed<'_>, head: usize, child: usize) -> Features {
    let word = &parsed.words[child];
    let governor = word.head.unwrap_or(head);
    let direct = if governor == head { "direct" } else { "deep" };
    let side = if child < head { "left" } else { "right" };
    let preposition = parsed.preposition(child);
    let named = word.name.split('-').next_back().unwrap_or("O");
    let mark = parsed
        .dependent(child, "mark")
        .map_or("", |mark| parsed.words[mark].text);
    let comma = child > 0
        && parsed
            .subtree(child)
            .first()
            .is_some_and(|first| *first > 0 && parsed.words[*first - 1].text == ",");
    let comma = if comma { "comma" } else { "" };
    let lemma = word.lemma.to_lowercase();
    let governed = &parsed.words[governor];
    let mut features = Features::default();
    features.add(&["arc", word.relation, direct, side]);
    features.add(&["arc", word.relation, direct, side, comma]);
    features.add(&["arc", word.relation, side, &preposition]);
    features.add(&["arc", word.relation, side, word.xpos, mark]);
    features.add(&["word", word.relation, &lemma]);
    features.add(&["upos", word.relation, word.upos.name(), named]);
    features.add(&["case", &preposition, &lemma]);
    features.add(&["case", &preposition, named, side]);
    features.add(&["under", &governed.lemma, word.relation, &preposition]);
    features.add(&[
        "under",
        governed.upos.name(),
        word.relation,
        governed.relation,
        &preposition,
    ]);
    features.finish()
}

/// The words of a phrase without what lies beyond a gap, as behind a verb, and without punctuation at its ends.
fn one_stretch(parsed: &Parsed<'_>, mut words: Vec<usize>, head: usize) -> Place {
    words.sort_unstable();
    let is_edge = |word: usize| word != head && parsed.words[word].upos == Upos::Punct;
    let is_comma = |word: usize| word < parsed.words.len() && parsed.words[word].upos == Upos::Punct;
    let (mut first, mut last) = (head, head);
    while first > 0
        && (words.contains(&(first - 1)) || first > 1 && is_comma(first - 1) && words.contains(&(first - 2)))
    {
        first -= 1;
    }
    while words.contains(&(last + 1)) || is_comma(last + 1) && words.contains(&(last + 2)) {
        last += 1;
    }
    while last > head && is_edge(last) {
        last -= 1;
    }
    while first < head && is_edge(first) {
        first += 1;
    }
    // "the Labour Congress (NLC)": a bracket that was opened is closed.
    let brackets = |mark: &str| {
        let inside = parsed.words[first..=last].iter();
        inside.filter(|word| word.text == mark).count()
    };
    let closes = parsed.words.get(last + 1).is_some_and(|word| word.text == ")");
    if closes && brackets("(") > brackets(")") {
        last += 1;
    }
    Place {
        words: first..last + 1,
        head,
    }
}

/// The features of a noun phrase as source.
pub(crate) fn source_features(sentence: &Sentence<'_, '_>, candidates: &[usize], head: usize) -> Features {
    let mut features = Features::default();
    common(sentence, candidates, head, &mut features);
    features.finish()
}

/// The features of a noun phrase as target of a source.
pub(crate) fn target_features(
    sentence: &Sentence<'_, '_>,
    candidates: &[usize],
    head: usize,
    source: usize,
) -> Features {
    let mut features = Features::default();
    common(sentence, candidates, head, &mut features);
    let parsed = sentence.context.parsed;
    let (up, up_source) = (above(parsed, head), above(parsed, source));
    let Some(top) = up.iter().copied().find(|word| up_source.contains(word)) else {
        return features.finish();
    };
    let relations = |line: &[usize]| {
        let below = line.iter().take_while(|word| **word != top);
        below
            .map(|word| parsed.words[*word].relation)
            .collect::<Vec<_>>()
            .join(">")
    };
    let (way, way_source) = (relations(&up), relations(&up_source));
    let order = if head < source { "before" } else { "behind" };
    let lemma = sentence.masked(top);
    let preposition = parsed.preposition(head);
    features.add(&["arcs", &way, &way_source]);
    features.add(&["arcs", &way, &way_source, &preposition]);
    features.add(&["arcs", &way, lemma, &preposition]);
    features.add(&["way", &way]);
    features.add(&["order", order]);
    features.add(&["order", order, &way]);
    let nearer = candidates
        .iter()
        .filter(|other| (head.min(source) + 1..head.max(source)).contains(other))
        .count();
    features.add(&["between", &nearer.min(4).to_string(), order]);
    for kind in sentence.kinds(top) {
        features.add(&["top", kind, &way, &preposition]);
    }
    let shared = sentence.context.clauses.iter().filter(|clause| {
        let takes = |word: usize| clause.participants.iter().any(|phrase| phrase.head == word);
        takes(head) && takes(source)
    });
    for clause in shared {
        let role = |word: usize| {
            clause
                .participants
                .iter()
                .find(|phrase| phrase.head == word)
                .map_or("", |phrase| &phrase.role)
        };
        features.add(&["shared", role(source), role(head)]);
        features.add(&["shared", role(source), role(head), &clause.lemma]);
    }
    features.finish()
}

fn common(sentence: &Sentence<'_, '_>, candidates: &[usize], head: usize, features: &mut Features) {
    let context = sentence.context;
    let parsed = context.parsed;
    let word = &parsed.words[head];
    let relation = word.relation;
    let kind = context.actor(head).map_or("-", |actor| actor.kind.as_str());
    let named = word.name.split('-').next_back().unwrap_or("O");
    features.add(&["relation", relation]);
    features.add(&["head", sentence.masked(head)]);
    features.add(&["head", sentence.masked(head), relation]);
    features.add(&["upos", word.upos.name(), relation]);
    features.add(&["kind", kind, relation]);
    features.add(&["named", named, relation]);
    features.add(&["case", &parsed.preposition(head), relation]);
    let rank = candidates.iter().position(|other| *other == head).unwrap_or(0);
    features.add(&["rank", &rank.min(6).to_string()]);
    features.add(&["rank", &rank.min(6).to_string(), relation]);
    features.add(&[
        "depth",
        &(above(parsed, head).len() - 1).min(6).to_string(),
        relation,
    ]);
    if let Some(governor) = word.head {
        let governed = &parsed.words[governor];
        features.add(&["governor", sentence.masked(governor), relation]);
        features.add(&["governor upos", governed.upos.name(), relation]);
        features.add(&["chain", relation, governed.relation]);
        features.add(&["chain", relation, governed.relation, &parsed.preposition(head)]);
        for kind in sentence.kinds(governor) {
            features.add(&["governor kind", kind, relation, &parsed.preposition(head)]);
        }
    }
    let first_sense = context
        .clauses
        .iter()
        .position(|clause| sentence.kinds(clause.predicate).next().is_some());
    for (number, clause) in context.clauses.iter().enumerate() {
        let Some(phrase) = clause.participants.iter().find(|phrase| phrase.head == head) else {
            continue;
        };
        let role = phrase.role.as_str();
        let place = parsed.words[clause.predicate].relation;
        let passive = if clause.passive { "passive" } else { "" };
        features.add(&["role", role, passive]);
        features.add(&["role", role, passive, &clause.lemma]);
        features.add(&["role", role, passive, "at", place]);
        features.add(&["role", role, passive, kind]);
        let speaks = context.language.attribution.speech_verbs.contains(&clause.lemma);
        features.add(&["role", role, if speaks { "speech" } else { "other" }]);
        if first_sense == Some(number) {
            features.add(&["role", role, passive, "first event"]);
        }
        for kind in sentence.kinds(clause.predicate) {
            features.add(&["role", role, passive, "of", kind]);
        }
    }
}

/// The likeliest source and target of a sentence, each with its probability.
pub(crate) struct Pair {
    /// Who acts.
    pub source: Place,
    /// Who is acted upon, if anybody is.
    pub target: Option<Place>,
    /// Probability that these are the actors.
    pub confidence: f32,
}

/// A phrase that is less likely the target than this is none.
const TARGET_MIN: f32 = 0.25;

/// Whether two phrases stand side by side in one role: "Britain and Canada".
pub(crate) fn are_coordinated(parsed: &Parsed<'_>, one: usize, other: usize) -> bool {
    let first = |mut word: usize| {
        while let Some(head) = parsed.words[word].head.filter(|_| parsed.is(word, "conj")) {
            word = head;
        }
        word
    };
    one != other && first(one) == first(other)
}

/// Whether one phrase names the other again: "the minister, Alain Nyamwizi".
pub(crate) fn are_one(parsed: &Parsed<'_>, one: usize, other: usize) -> bool {
    let names = |word: usize, head: usize| parsed.is(word, "appos") && parsed.words[word].head == Some(head);
    one == other || names(one, other) || names(other, one)
}

/// The likeliest pair among some sources.
pub(crate) fn pair(sentence: &Sentence<'_, '_>, coder: &Model) -> Option<Pair> {
    let parsed = sentence.context.parsed;
    let candidates = candidates(sentence);
    let best = |features: &dyn Fn(usize) -> Features, model: &Linear, wanted: &dyn Fn(usize) -> bool| {
        let scored = candidates
            .iter()
            .copied()
            .filter(|head| wanted(*head))
            .map(|head| (head, yes(model, &features(head))));
        scored.max_by(|one, other| one.1.total_cmp(&other.1))
    };
    let (source, sure) = best(
        &|head| source_features(sentence, &candidates, head),
        &coder.sources,
        &|_| true,
    )?;
    let source = phrase(parsed, source);
    let outside = |head: usize| {
        let within = phrase(parsed, head).words.contains(&source.head);
        !source.words.contains(&head) && !within && !are_one(parsed, source.head, head)
    };
    // Who acts beside the source is acted upon only where nobody else is.
    let beside = |head: usize| are_coordinated(parsed, source.head, head);
    let target_where = |wanted: &dyn Fn(usize) -> bool| {
        let features = |head| target_features(sentence, &candidates, head, source.head);
        best(&features, &coder.targets, wanted).filter(|(_, sure)| *sure >= TARGET_MIN)
    };
    let target = target_where(&|head| outside(head) && !beside(head)).or_else(|| target_where(&outside));
    Some(Pair {
        confidence: sure * target.map_or(1.0, |(_, sure)| sure).sqrt(),
        target: target.map(|(head, _)| extent(parsed, head, &coder.extents)),
        source: extent(parsed, source.head, &coder.extents),
    })
}

/// The probability that two phrases are the actors of an event.
pub(crate) fn likelihood(
    sentence: &Sentence<'_, '_>,
    coder: &Model,
    source: &Place,
    target: Option<&Place>,
) -> f32 {
    let candidates = candidates(sentence);
    let acts = yes(
        &coder.sources,
        &source_features(sentence, &candidates, source.head),
    );
    let suffers = target.map(|target| {
        yes(
            &coder.targets,
            &target_features(sentence, &candidates, target.head, source.head),
        )
    });
    (acts * suffers.unwrap_or(acts)).sqrt()
}

/// The probability that a phrase has the role.
pub(crate) fn yes(model: &Linear, features: &Features) -> f32 {
    let class = model.classes().iter().position(|class| class == YES);
    class.map_or(0.0, |class| model.probabilities(features)[class])
}

/// The bytes of a phrase in the document's text.
pub(crate) fn span(parsed: &Parsed<'_>, place: &Place) -> Range<usize> {
    parsed.words[place.words.start].start..parsed.words[place.words.end - 1].end
}
