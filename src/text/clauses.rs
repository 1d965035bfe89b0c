//! Clauses: a predicate with its participants, its negation, its modality and its place among other clauses.
//!
//! The arcs of a parse are read here once, so that events and sentiment ask for a subject or a speaker and never
//! walk arcs. Subjects are inherited over coordination, control and relative clauses (after the enhanced
//! dependencies of Schuster & Manning 2016, "Enhanced English Universal Dependencies").

use super::{Parsed, Upos};
use crate::knowledge::language::Grammar;

/// A participant: the head word of a phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Index of the head word in the sentence.
    pub head: usize,
    /// How it takes part: `subj`, `obj`, `iobj`, `by`, `poss`, `mod`, or a preposition such as `from`.
    pub role: String,
}

/// What kind of word the predicate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PredicateKind {
    /// A verb.
    Verb,
    /// A noun that names a happening, or a noun with a copula.
    Noun,
    /// An adjective with a copula or before a noun.
    Adjective,
}

/// How a clause hangs on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governor {
    /// Index of the governing predicate.
    pub predicate: usize,
    /// The relation: `ccomp`, `xcomp`, `advcl`, `acl`, `conj`, `parataxis`, `obj` (of a light verb) ...
    pub relation: String,
}

/// A predicate and what belongs to it.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Index of the predicate's word.
    pub predicate: usize,
    /// Kind of predicate.
    pub kind: PredicateKind,
    /// Lemma of the predicate, with its particle: `pull out`.
    pub lemma: String,
    /// Who takes part, in order of the text; coordinated participants stand singly.
    pub participants: Vec<Phrase>,
    /// Whether the verb is passive.
    pub passive: bool,
    /// Index of the word that negates the predicate.
    pub negation: Option<usize>,
    /// Lemmas of the auxiliaries, in order.
    pub auxiliaries: Vec<String>,
    /// The mark that opens the clause: `that`, `if`, `to`, `until`.
    pub mark: Option<String>,
    /// The clause it hangs on.
    pub governor: Option<Governor>,
    /// Predicates of clausal complements: indices of words.
    pub complements: Vec<usize>,
}

impl Clause {
    /// Participants in a role.
    pub fn in_role<'c>(&'c self, role: &'c str) -> impl Iterator<Item = usize> + 'c {
        self.participants
            .iter()
            .filter(move |phrase| phrase.role == role)
            .map(|phrase| phrase.head)
    }

    /// The first participant in a role.
    pub fn first(&self, role: &str) -> Option<usize> {
        self.in_role(role).next()
    }
}

/// Every clause of a sentence, in order of the predicates: verbs, predicative nouns and adjectives, and nouns for
/// which `is_event_noun` holds.
pub fn find(sentence: &Parsed<'_>, grammar: &Grammar, is_event_noun: impl Fn(&str) -> bool) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for (index, word) in sentence.words.iter().enumerate() {
        let has_copula = sentence.dependent(index, "cop").is_some();
        let kind = match word.upos {
            Upos::Verb => PredicateKind::Verb,
            Upos::Adj if has_copula || is_small_clause(sentence, index) => PredicateKind::Adjective,
            Upos::Noun | Upos::Propn if has_copula || is_event_noun(&word.lemma) => PredicateKind::Noun,
            _ if has_copula => PredicateKind::Noun,
            _ => continue,
        };
        clauses.push(read(sentence, grammar, index, kind));
    }
    for index in 0..clauses.len() {
        inherit(sentence, grammar, &mut clauses, index);
    }
    clauses
}

/// A word read as a predicate, whatever kind of word it is.
pub fn at(sentence: &Parsed<'_>, grammar: &Grammar, index: usize) -> Clause {
    let kind = match sentence.words[index].upos {
        Upos::Verb => PredicateKind::Verb,
        Upos::Adj => PredicateKind::Adjective,
        _ => PredicateKind::Noun,
    };
    read(sentence, grammar, index, kind)
}

/// "deemed the presence illegal", "called the base a violation": the complement of a verb is a predicate too.
fn is_small_clause(sentence: &Parsed<'_>, index: usize) -> bool {
    sentence.is(index, "xcomp") || sentence.is(index, "ccomp") || sentence.is(index, "parataxis")
}

fn read(sentence: &Parsed<'_>, grammar: &Grammar, index: usize, kind: PredicateKind) -> Clause {
    let particle = sentence
        .dependent(index, "compound")
        .filter(|child| sentence.words[*child].relation == "compound:prt");
    let mut lemma = sentence.words[index].lemma.to_lowercase();
    if let Some(particle) = particle {
        lemma = format!("{lemma} {}", sentence.words[particle].text.to_lowercase());
    }
    let passive = is_passive(sentence, grammar, index);
    let mut clause = Clause {
        predicate: index,
        kind,
        lemma,
        participants: Vec::new(),
        passive,
        negation: negation(sentence, grammar, index),
        auxiliaries: auxiliaries(sentence, index),
        mark: sentence
            .dependent(index, "mark")
            .map(|mark| sentence.words[mark].text.to_lowercase()),
        governor: governor(sentence, grammar, index),
        complements: Vec::new(),
    };
    for child in sentence.children(index).iter().copied() {
        if sentence.is(child, "ccomp") || sentence.is(child, "xcomp") {
            clause.complements.push(child);
        }
        let bare_name = child < index
            && sentence.words[child].upos == Upos::Propn
            && sentence.words[child].relation == "compound"
            && is_bare_past(sentence, grammar, index);
        let role = if bare_name {
            Some("subj".to_owned())
        } else {
            role(sentence, child, passive)
        };
        if let Some(role) = role {
            add(sentence, &mut clause, child, &role);
        }
    }
    // "asked the troops to leave" is often read as if leaving described the troops.
    if grammar.object_control.contains(&clause.lemma) {
        let objects: Vec<usize> = clause.in_role("obj").chain(clause.in_role("iobj")).collect();
        let described = objects
            .iter()
            .flat_map(|object| sentence.dependents(*object, "acl"));
        let infinitives = described.filter(|verb| is_infinitive(sentence, grammar, *verb));
        let infinitives: Vec<usize> = infinitives.collect();
        clause.complements.extend(infinitives);
    }
    clause
}

/// Whether a verb stands behind "to".
fn is_infinitive(sentence: &Parsed<'_>, grammar: &Grammar, verb: usize) -> bool {
    let mark = sentence.dependent(verb, "mark");
    mark.is_some_and(|mark| {
        grammar
            .infinitive_marks
            .contains(&sentence.words[mark].text.to_lowercase())
    })
}

/// Adds a participant and those coordinated with it.
fn add(sentence: &Parsed<'_>, clause: &mut Clause, head: usize, role: &str) {
    let mut heads = vec![head];
    heads.extend(
        sentence
            .dependents(head, "conj")
            .filter(|other| sentence.words[*other].upos != Upos::Verb),
    );
    for head in heads {
        if !clause.participants.iter().any(|phrase| phrase.head == head) {
            clause.participants.push(Phrase {
                head,
                role: role.to_owned(),
            });
        }
    }
}

fn role(sentence: &Parsed<'_>, child: usize, passive: bool) -> Option<String> {
    let relation = sentence.words[child].relation;
    Some(match relation {
        "nsubj" | "csubj" | "nsubj:outer" | "nsubj:pass" | "csubj:pass" if passive => "obj".to_owned(),
        "nsubj" | "csubj" | "nsubj:outer" | "nsubj:pass" | "csubj:pass" => "subj".to_owned(),
        "obj" => "obj".to_owned(),
        "iobj" => "iobj".to_owned(),
        "obl:agent" => "by".to_owned(),
        "nmod:poss" => "poss".to_owned(),
        "compound" | "amod" => "mod".to_owned(),
        "obl" | "nmod" | "obl:arg" => {
            let preposition = sentence.preposition(child);
            if preposition.is_empty() {
                return None;
            }
            preposition
        }
        _ => return None,
    })
}

fn is_passive(sentence: &Parsed<'_>, grammar: &Grammar, index: usize) -> bool {
    if is_bare_past(sentence, grammar, index) {
        return false;
    }
    let marked = sentence.children(index).iter().any(|child| {
        matches!(
            sentence.words[*child].relation,
            "nsubj:pass" | "aux:pass" | "csubj:pass" | "obl:agent"
        )
    });
    // A reduced relative clause, "troops stationed in the north", has a participle and nothing else.
    let reduced = sentence.is(index, "acl")
        && sentence.words[index].relation != "acl:relcl"
        && grammar.past_participle_tags.contains(sentence.words[index].xpos)
        && sentence.dependent(index, "obj").is_none();
    marked || reduced
}

/// "Residents protested against the base.": the main verb of a full sentence without an auxiliary is a past tense, also
/// where it was read as a participle. A headline has no stop, and there it may be one.
fn is_bare_past(sentence: &Parsed<'_>, grammar: &Grammar, index: usize) -> bool {
    let word = &sentence.words[index];
    let stops = sentence
        .words
        .iter()
        .rev()
        .find(|word| !matches!(word.text, "\"" | "”" | "»" | ")" | "'" | "’"));
    let has_helper = sentence.children(index).iter().any(|child| {
        let relation = sentence.words[*child].relation;
        relation.starts_with("aux") || relation == "obl:agent" || relation == "cop"
    });
    word.head.is_none()
        && word.upos == Upos::Verb
        && grammar.past_participle_tags.contains(word.xpos)
        && !has_helper
        && stops.is_some_and(|word| matches!(word.text, "." | "!" | "?"))
}

fn auxiliaries(sentence: &Parsed<'_>, index: usize) -> Vec<String> {
    let mut found: Vec<usize> = sentence.dependents(index, "aux").collect();
    found.extend(sentence.dependents(index, "cop"));
    found.sort_unstable();
    found
        .into_iter()
        .map(|aux| sentence.words[aux].lemma.to_lowercase())
        .collect()
}

/// The word that negates a predicate: an adverb under it or under its auxiliary, or a negative determiner of its
/// subject or object.
fn negation(sentence: &Parsed<'_>, grammar: &Grammar, index: usize) -> Option<usize> {
    let is_negative = |word: usize| {
        grammar
            .negators
            .contains(&sentence.words[word].lemma.to_lowercase())
    };
    let own = sentence.children(index).iter().copied();
    let near = own.clone().find(|child| {
        let relation = sentence.words[*child].relation;
        matches!(relation, "advmod" | "det" | "aux" | "cc:preconj" | "cc") && is_negative(*child)
    });
    near.or_else(|| {
        own.filter(|child| {
            let relation = sentence.words[*child].relation;
            relation.starts_with("nsubj") || relation == "obj" || relation.starts_with("aux")
        })
        .find_map(|child| {
            if is_negative(child) {
                return Some(child);
            }
            sentence
                .dependents(child, "det")
                .chain(sentence.dependents(child, "advmod"))
                .find(|det| is_negative(*det))
        })
    })
}

fn governor(sentence: &Parsed<'_>, grammar: &Grammar, index: usize) -> Option<Governor> {
    let mut head = sentence.words[index].head?;
    // "asked them to leave and turned to others": a past tense is not coordinated with an infinitive.
    if sentence.is(index, "conj") && grammar.past_tags.contains(sentence.words[index].xpos) {
        while is_infinitive(sentence, grammar, head) && sentence.words[head].upos == Upos::Verb {
            head = sentence.words[head].head.filter(|above| *above != index)?;
        }
        while sentence.words[head].upos != Upos::Verb && sentence.words[head].head.is_some() {
            head = sentence.words[head].head?;
        }
    }
    Some(Governor {
        predicate: head,
        relation: sentence.words[index].relation.to_owned(),
    })
}

/// Fills in the participants a clause shares with the clause it hangs on.
fn inherit(sentence: &Parsed<'_>, grammar: &Grammar, clauses: &mut [Clause], index: usize) {
    resolve_relative(sentence, grammar, &mut clauses[index]);
    let clause = &clauses[index];
    let Some(governor) = clause.governor.clone() else {
        return;
    };
    let lacks = if clause.passive { "obj" } else { "subj" };
    if clause.first(lacks).is_some()
        || clause.kind == PredicateKind::Noun && !clause.auxiliaries.iter().any(|aux| aux == "be")
    {
        return;
    }
    let relation = governor.relation.as_str();
    if relation.starts_with("acl") {
        let antecedent = governor.predicate;
        add(sentence, &mut clauses[index], antecedent, lacks);
        return;
    }
    let Some(above) = clauses.iter().find(|other| other.predicate == governor.predicate) else {
        return;
    };
    let heads: Vec<usize> = match relation {
        // "asked X to leave": X leaves; with no object, the subject does.
        "xcomp" | "ccomp"
            if clause
                .mark
                .as_ref()
                .is_some_and(|mark| grammar.infinitive_marks.contains(mark))
                || relation == "xcomp" =>
        {
            let object: Vec<usize> = above.in_role("obj").chain(above.in_role("iobj")).collect();
            if object.is_empty() || above.passive {
                passive_or_subject(above)
            } else {
                object
            }
        }
        "conj" | "advcl" | "parataxis" if clause.mark.is_none() || relation == "conj" => {
            passive_or_subject(above)
        }
        "advcl" => passive_or_subject(above),
        _ => return,
    };
    for head in heads {
        if !sentence.is_under(head, clauses[index].predicate) {
            add(sentence, &mut clauses[index], head, lacks);
        }
    }
}

/// What stands as the grammatical subject of a clause.
fn passive_or_subject(clause: &Clause) -> Vec<usize> {
    let role = if clause.passive { "obj" } else { "subj" };
    clause.in_role(role).collect()
}

/// "which took power": the pronoun gives way to what it stands for.
fn resolve_relative(sentence: &Parsed<'_>, grammar: &Grammar, clause: &mut Clause) {
    if sentence.words[clause.predicate].relation != "acl:relcl" {
        return;
    }
    let Some(antecedent) = sentence.words[clause.predicate].head else {
        return;
    };
    for phrase in &mut clause.participants {
        let word = &sentence.words[phrase.head];
        if word.upos == Upos::Pron && grammar.relative_pronoun_tags.contains(word.xpos) {
            phrase.head = antecedent;
        }
    }
}
