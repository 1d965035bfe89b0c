//! What the coder's models see of a sentence: the words around two actors, the arcs between them, and what the
//! lexicon of predicates says of the words on the way.
//!
//! Names and numbers are masked, so that nothing is learnt about a country or a person.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Context;
use super::matching::{self, Matcher};
use crate::knowledge::frames::Part;
use crate::linear::Features;
use crate::tables::EventType;
use crate::text::clauses::PredicateKind;
use crate::text::{Clause, Parsed, Upos};

/// Arcs are followed up to this many steps.
const STEPS_MAX: usize = 12;

/// A sentence prepared for its features: what does not depend on the pair that is looked at.
pub(crate) struct Sentence<'c, 'k> {
    pub context: &'c Context<'c, 'k>,
    /// For each word, its masked lemma.
    lemmas: Vec<String>,
    /// For each word that is a predicate of the lexicon, the types its frames allow.
    senses: Vec<Vec<Sense>>,
}

/// A type that a predicate may have here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sense {
    event_type: EventType,
    fit: Fit,
}

/// How well a frame fits its clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The predicate alone.
    Predicate,
    /// The words that select the sense are there too.
    Words,
    /// All needs are met.
    Whole,
}

impl Fit {
    fn name(self) -> &'static str {
        match self {
            Self::Predicate => "1",
            Self::Words => "2",
            Self::Whole => "3",
        }
    }
}

/// One actor of a pair: its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Words that make it up.
    pub words: Range<usize>,
    /// The word the others depend on.
    pub head: usize,
}

impl Place {
    /// A single word.
    pub fn word(head: usize) -> Self {
        Self {
            words: head..head + 1,
            head,
        }
    }

    /// The words within a stretch of text.
    pub fn of(parsed: &Parsed<'_>, span: &Range<usize>) -> Option<Self> {
        let inside = |index: &usize| {
            let word = &parsed.words[*index];
            word.start < span.end && word.end > span.start
        };
        let first = (0..parsed.words.len()).find(inside)?;
        let end = (first..parsed.words.len()).take_while(inside).last()? + 1;
        let words = first..end;
        let outside = |index: &usize| {
            parsed.words[*index]
                .head
                .is_none_or(|head| !words.contains(&head))
        };
        let head = words.clone().find(outside).unwrap_or(first);
        Some(Self { words, head })
    }
}

impl<'c, 'k> Sentence<'c, 'k> {
    /// Looks every predicate up.
    pub fn new(context: &'c Context<'c, 'k>) -> Self {
        let parsed = context.parsed;
        let mut senses = vec![Vec::new(); parsed.words.len()];
        for clause in context.clauses {
            senses[clause.predicate] = senses_of(context, clause);
        }
        Self {
            context,
            lemmas: (0..parsed.words.len()).map(|word| masked(parsed, word)).collect(),
            senses,
        }
    }

    /// The features of what the source does to the target, or does at all where there is no target.
    pub fn pair(&self, source: &Place, target: Option<&Place>) -> Features {
        let mut features = Features::default();
        let nowhere = Place {
            words: 0..0,
            head: source.head,
        };
        if target.is_none() {
            features.add(&["no target"]);
        }
        let target = target.unwrap_or(&nowhere);
        self.words(source, target, &mut features);
        self.ends(source, "s", &mut features);
        self.ends(target, "t", &mut features);
        let way = self.way(source, target, &mut features);
        self.climb(source, target, source.head, "s", &mut features);
        self.climb(source, target, target.head, "t", &mut features);
        self.lexicon(source, target, &way, &mut features);
        self.chain(source, target, &mut features);
        features.finish()
    }

    fn lemma(&self, word: usize, source: &Place, target: &Place) -> &str {
        if source.words.contains(&word) {
            "S"
        } else if target.words.contains(&word) {
            "T"
        } else {
            &self.lemmas[word]
        }
    }

    /// Words, pairs and triples of words in order, each with where it stands to the actors.
    fn words(&self, source: &Place, target: &Place, features: &mut Features) {
        let mut line: Vec<(&str, usize)> = Vec::new();
        for word in 0..self.lemmas.len() {
            let lemma = self.lemma(word, source, target);
            let repeats = line.last().is_some_and(|(last, _)| *last == lemma);
            if !(repeats && matches!(lemma, "S" | "T" | "NAME")) {
                line.push((lemma, word));
            }
        }
        let at = |mark: &str| line.iter().position(|(lemma, _)| *lemma == mark).unwrap_or(0);
        let (low, high) = (at("S").min(at("T")), at("S").max(at("T")));
        features.add(&["order", if at("S") < at("T") { "ST" } else { "TS" }]);
        for (index, (lemma, word)) in line.iter().enumerate() {
            let upos = self.context.parsed.words[*word].upos;
            if matches!(*lemma, "S" | "T") || upos == Upos::Punct {
                continue;
            }
            features.add(&["w", lemma]);
            if matches!(upos, Upos::Verb | Upos::Noun | Upos::Adj) && lemma.chars().count() >= 5 {
                features.add(&[
                    "stem",
                    lemma
                        .char_indices()
                        .nth(5)
                        .map_or(lemma, |(end, _)| &lemma[..end]),
                ]);
            }
            if low < index && index < high {
                features.add(&["between", lemma]);
            } else if index > high && index - high <= 4 {
                features.add(&["after", lemma]);
            } else if index < low && low - index <= 3 {
                features.add(&["before", lemma]);
            }
        }
        for (index, two) in line.windows(2).enumerate() {
            features.add(&["2", two[0].0, two[1].0]);
            if low <= index && index < high {
                features.add(&["2between", two[0].0, two[1].0]);
            }
        }
        for three in line.windows(3) {
            features.add(&["3", three[0].0, three[1].0, three[2].0]);
        }
    }

    /// What an actor is made of.
    fn ends(&self, place: &Place, name: &str, features: &mut Features) {
        let words = &self.context.parsed.words;
        let head = &words[place.head];
        features.add(&[name, "head", &self.lemmas[place.head]]);
        features.add(&[name, "upos", head.upos.name()]);
        if let Some(actor) = self.context.actor(place.head) {
            features.add(&[name, "kind", actor.kind.as_str()]);
        }
        for word in place.words.clone() {
            if matches!(words[word].upos, Upos::Noun | Upos::Adj | Upos::Verb) {
                features.add(&[name, "has", &self.lemmas[word]]);
            }
        }
    }

    /// The arcs between the two heads: the words on the way, and how each end hangs on the top. Gives those words.
    fn way(&self, source: &Place, target: &Place, features: &mut Features) -> Vec<usize> {
        let parsed = self.context.parsed;
        let (up_source, up_target) = (above(parsed, source.head), above(parsed, target.head));
        let Some(top) = up_source.iter().copied().find(|word| up_target.contains(word)) else {
            return Vec::new();
        };
        let below = |line: &[usize]| {
            line.iter()
                .copied()
                .take_while(|word| *word != top)
                .collect::<Vec<_>>()
        };
        let (left, right) = (below(&up_source), below(&up_target));
        let relations = |line: &[usize]| {
            line.iter()
                .map(|word| parsed.words[*word].relation)
                .collect::<Vec<_>>()
                .join(">")
        };
        let top_lemma = self.lemma(top, source, target);
        features.add(&["top", top_lemma]);
        features.add(&["arcs", &relations(&left), &relations(&right)]);
        let end = |line: &[usize]| line.last().map_or("", |word| parsed.words[*word].relation);
        let preposition = parsed.preposition(right.last().copied().unwrap_or(top));
        features.add(&["frame", top_lemma, end(&left), end(&right), &preposition]);
        if let Some(first) = right.first() {
            features.add(&["tcase", &parsed.preposition(*first), top_lemma]);
        }
        let is_end = |word: &usize| *word == source.head || *word == target.head;
        let between: Vec<usize> = left
            .into_iter()
            .chain(right)
            .filter(|word| !is_end(word))
            .collect();
        for word in &between {
            features.add(&["mid", &self.lemmas[*word]]);
            features.add(&["mid", &self.lemmas[*word], top_lemma]);
        }
        std::iter::once(top).chain(between).collect()
    }

    /// The words above one end, with what else hangs on them.
    fn climb(&self, source: &Place, target: &Place, head: usize, name: &str, features: &mut Features) {
        let parsed = self.context.parsed;
        let is_actor = |word: usize| source.words.contains(&word) || target.words.contains(&word);
        let line: Vec<usize> = above(parsed, head)
            .into_iter()
            .skip(1)
            .filter(|word| !is_actor(*word))
            .collect();
        for (step, word) in line.iter().take(3).enumerate() {
            let lemma = &self.lemmas[*word];
            features.add(&[name, "up", &step.to_string(), lemma]);
            features.add(&[name, "up", lemma]);
        }
        let Some(governor) = line.first().copied() else {
            return;
        };
        let lemma = &self.lemmas[governor];
        features.add(&[name, "rel", parsed.words[head].relation, lemma]);
        features.add(&[name, "case", &parsed.preposition(head), lemma]);
        for child in parsed
            .children(governor)
            .iter()
            .copied()
            .filter(|child| !is_actor(*child))
        {
            let (relation, child_lemma) = (parsed.words[child].relation, &self.lemmas[child]);
            let stem = relation.split(':').next().unwrap_or(relation);
            match stem {
                "xcomp" | "ccomp" | "advcl" | "obj" | "conj" | "acl" | "obl" | "parataxis" => {
                    features.add(&[name, "comp", relation, lemma, child_lemma]);
                    features.add(&[name, "comp", child_lemma]);
                }
                "aux" | "mark" => {
                    features.add(&[name, stem, child_lemma]);
                    features.add(&[name, stem, child_lemma, lemma]);
                }
                _ => {}
            }
        }
        if let Some(clause) = self.context.clause(governor)
            && clause.negation.is_some()
        {
            features.add(&[name, "negated"]);
            features.add(&[name, "negated", lemma]);
        }
    }

    /// What the lexicon says of the predicates: in the whole sentence, between the actors, inside the target, and on
    /// the way from one to the other.
    fn lexicon(&self, source: &Place, target: &Place, way: &[usize], features: &mut Features) {
        let low = source.words.end.min(target.words.end);
        let high = source.words.start.max(target.words.start);
        for (word, senses) in self.senses.iter().enumerate() {
            let place = if target.words.contains(&word) || source.words.contains(&word) {
                "in"
            } else {
                "all"
            };
            for sense in senses {
                let (kind, fit) = (sense.event_type.as_str(), sense.fit.name());
                features.add(&["lexicon", place, kind, fit]);
                features.add(&["lexicon", place, kind]);
                if low <= word && word < high {
                    features.add(&["lexicon", "between", kind]);
                }
            }
        }
        for (index, word) in way.iter().enumerate() {
            let negated = self
                .context
                .clause(*word)
                .is_some_and(|clause| clause.negation.is_some());
            for sense in &self.senses[*word] {
                let (kind, fit) = (sense.event_type.as_str(), sense.fit.name());
                features.add(&["way", kind]);
                features.add(&["way", kind, fit]);
                if index == 0 {
                    features.add(&["top", kind, fit, if negated { "not" } else { "" }]);
                }
            }
        }
    }

    /// The predicates from the source's own down to the innermost it governs: "said it would refuse to withdraw".
    /// What is done stands at the end, whether it is so stands before it.
    fn chain(&self, source: &Place, target: &Place, features: &mut Features) {
        let chain = self.predicates(source.head);
        let (Some(first), Some(last)) = (chain.first().copied(), chain.last().copied()) else {
            return;
        };
        let lemma = |word: usize| self.lemma(word, source, target);
        let lemmas: Vec<&str> = chain.iter().map(|clause| lemma(clause.predicate)).collect();
        features.add(&["chain length", &chain.len().to_string()]);
        features.add(&["chain", &lemmas.join(" ")]);
        features.add(&["first", lemmas[0], &self.form(first)]);
        for (outer, inner) in chain.iter().zip(&chain[1..]) {
            features.add(&["chain", lemma(outer.predicate), lemma(inner.predicate)]);
            for kind in self.kinds(inner.predicate) {
                features.add(&["chain kind", lemma(outer.predicate), kind]);
                for outer_kind in self.kinds(outer.predicate) {
                    features.add(&["chain kinds", outer_kind, kind]);
                }
            }
        }
        let form = self.form(last);
        features.add(&["core", lemma(last.predicate)]);
        features.add(&["core", lemma(last.predicate), &form]);
        features.add(&["core form", &form]);
        for sense in &self.senses[last.predicate] {
            let (kind, fit) = (sense.event_type.as_str(), sense.fit.name());
            features.add(&["core kind", kind]);
            features.add(&["core kind", kind, fit]);
            features.add(&["core kind", kind, fit, &form]);
        }
        for phrase in &last.participants {
            let filler = lemma(phrase.head);
            features.add(&["core takes", &phrase.role, filler]);
            features.add(&["core takes", lemma(last.predicate), &phrase.role, filler]);
            for kind in self.kinds(phrase.head) {
                features.add(&["core takes kind", lemma(last.predicate), kind]);
                features.add(&["core takes kind", &form, kind]);
            }
        }
    }

    /// The clause in which a word takes part, as its subject if it is one anywhere, and the complements below.
    pub fn predicates(&self, head: usize) -> Vec<&'c Clause> {
        let clauses = self.context.clauses;
        let role = |clause: &Clause| {
            clause
                .participants
                .iter()
                .find(|phrase| phrase.head == head)
                .map(|phrase| phrase.role.clone())
        };
        let acts = |clause: &&Clause| role(clause).is_some_and(|role| role == "subj" || role == "by");
        let own = clauses
            .iter()
            .find(acts)
            .or_else(|| clauses.iter().find(|clause| role(clause).is_some()));
        let mut chain: Vec<&Clause> = own.into_iter().collect();
        while let Some(last) = chain.last().copied() {
            let next = last
                .complements
                .iter()
                .filter_map(|word| self.context.clause(*word));
            match next
                .into_iter()
                .find(|clause| !chain.iter().any(|known| known.predicate == clause.predicate))
            {
                Some(clause) if chain.len() < 5 => chain.push(clause),
                _ => break,
            }
        }
        chain
    }

    /// The form of a predicate: its tag, its auxiliaries and whether it is negated.
    pub fn form(&self, clause: &Clause) -> String {
        let negated = if clause.negation.is_some() { "not" } else { "" };
        let passive = if clause.passive { "passive" } else { "" };
        format!(
            "{} {} {negated} {passive}",
            self.context.parsed.words[clause.predicate].xpos,
            clause.auxiliaries.join(" ")
        )
    }

    /// The types the lexicon allows a word, for the features of roles.
    pub fn kinds(&self, word: usize) -> impl Iterator<Item = &'static str> + '_ {
        let kinds: BTreeSet<&'static str> = self.senses[word]
            .iter()
            .map(|sense| sense.event_type.as_str())
            .collect();
        kinds.into_iter()
    }

    /// The types the lexicon allows a word, each with how well its frame fits.
    pub fn fits(&self, word: usize) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        let senses = self.senses[word].iter();
        senses.map(|sense| (sense.event_type.as_str(), sense.fit.name()))
    }

    /// The masked lemma of a word.
    pub fn masked(&self, word: usize) -> &str {
        &self.lemmas[word]
    }
}

/// A word and those above it, nearest first.
pub(crate) fn above(parsed: &Parsed<'_>, word: usize) -> Vec<usize> {
    let mut line = vec![word];
    while let Some(head) = line.last().and_then(|last| parsed.words[*last].head) {
        if line.len() > STEPS_MAX || line.contains(&head) {
            break;
        }
        line.push(head);
    }
    line
}

/// A word's lemma with its particle, names and numbers masked.
fn masked(parsed: &Parsed<'_>, index: usize) -> String {
    let word = &parsed.words[index];
    match word.upos {
        Upos::Propn => "NAME".to_owned(),
        Upos::Num => "NUM".to_owned(),
        _ => {
            let particle = parsed
                .dependents(index, "compound")
                .find(|child| parsed.words[*child].relation == "compound:prt");
            let lemma = word.lemma.to_lowercase();
            particle.map_or(lemma.clone(), |child| {
                format!("{lemma} {}", parsed.words[child].text.to_lowercase())
            })
        }
    }
}

/// The types of a predicate's frames, each with its best fit.
fn senses_of(context: &Context<'_, '_>, clause: &Clause) -> Vec<Sense> {
    let part = match clause.kind {
        PredicateKind::Verb => Part::Verb,
        PredicateKind::Noun => Part::Noun,
        PredicateKind::Adjective => Part::Adjective,
    };
    let mut senses: Vec<Sense> = Vec::new();
    for (lemma, object_role) in matching::keys(context, clause) {
        for frame in context.language.frames.of(part, &lemma) {
            let Some(event_type) = frame.event_type else {
                continue;
            };
            let matcher = || Matcher::new(context, clause, object_role.clone());
            let fit = if matcher().meets(frame).is_some() {
                Fit::Whole
            } else if matcher().meets_words(frame) {
                Fit::Words
            } else {
                Fit::Predicate
            };
            match senses.iter_mut().find(|sense| sense.event_type == event_type) {
                Some(sense) => sense.fit = sense.fit.max(fit),
                None => senses.push(Sense { event_type, fit }),
            }
        }
    }
    // A sense whose words are there tells more than those of which only the predicate is.
    let best = senses.iter().map(|sense| sense.fit).max();
    senses.retain(|sense| Some(sense.fit) == best || sense.fit >= Fit::Words);
    senses.sort();
    senses
}
