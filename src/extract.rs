//! One document in, its findings out: the gate, the reading of sentences, and what is read from them.

use crate::gate::Hit;
use crate::knowledge::{Knowledge, Language};
use crate::mentions;
use crate::plan::Scope;
use crate::tables::{Document, Event, Mention, Sentiment, Survey};
use crate::text::{self, Clause, Text, clauses, sentences};
use crate::{events, sentiment, surveys};

/// What the gate before the parser let through.
#[derive(Debug, Default, Clone, Copy)]
pub struct Gate {
    /// Documents of which at least one sentence was parsed.
    pub documents: u64,
    /// Sentences seen.
    pub sentences: u64,
    /// Sentences parsed.
    pub parsed: u64,
}

impl Gate {
    /// Adds another count to this one.
    pub fn add(&mut self, other: &Self) {
        self.documents += other.documents;
        self.sentences += other.sentences;
        self.parsed += other.parsed;
    }
}

/// What was read out of a document.
#[derive(Debug, Default)]
pub struct Findings {
    /// Rows of `mentions`.
    pub mentions: Vec<Mention>,
    /// Rows of `events`.
    pub events: Vec<Event>,
    /// Rows of `sentiment`.
    pub sentiment: Vec<Sentiment>,
    /// Rows of `surveys`.
    pub surveys: Vec<Survey>,
    /// What the gate let through.
    pub gate: Gate,
}

/// Reads a document for what it says.
pub fn read(document: &Document, knowledge: &Knowledge, scope: Scope) -> Findings {
    let Some(language) = knowledge.language(document.language.as_str()) else {
        return Findings::default();
    };
    let mut gate = Gate {
        sentences: document.sentence_count as u64,
        ..Gate::default()
    };
    let nothing = Findings {
        gate,
        ..Findings::default()
    };
    let hits: Vec<Hit> = knowledge.gate.find(&document.text).collect();
    if scope == Scope::ForeignForces && !hits.iter().any(|hit| hit.military) {
        return nothing;
    }
    let sentences = sentences::split(
        &document.text,
        knowledge.normalization.sentence_rules(&language.code),
    );
    let wanted = knowledge
        .gate
        .open(document, &hits, &sentences, language, knowledge, scope);
    if !wanted.iter().any(|wanted| *wanted) {
        return nothing;
    }
    let text = text::annotate(
        &document.text,
        sentences,
        |index, _| wanted[index],
        &language.reader,
        &knowledge.gazetteer,
    );
    gate.documents = 1;
    gate.parsed = text.parsed.len() as u64;
    let mut findings = find(&text, document, knowledge, language, scope);
    findings.gate = gate;
    findings
}

/// Reads every sentence of a document, whatever the gate would say.
pub fn annotate<'d>(document: &'d Document, knowledge: &'d Knowledge, language: &'d Language) -> Text<'d> {
    text::annotate(
        &document.text,
        sentences::split(
            &document.text,
            knowledge.normalization.sentence_rules(&language.code),
        ),
        |_, _| true,
        &language.reader,
        &knowledge.gazetteer,
    )
}

/// The clauses of every parsed sentence.
pub fn clauses(text: &Text<'_>, language: &Language) -> Vec<Vec<Clause>> {
    let is_event_noun = |lemma: &str| language.frames.is_event_noun(lemma);
    text.parsed
        .iter()
        .map(|parsed| clauses::find(parsed, &language.grammar, is_event_noun))
        .collect()
}

/// Every holder and foreign force of a parsed text, as the model of stances learns from them.
pub fn stance_candidates(
    text: &Text<'_>,
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
    scope: Scope,
) -> Vec<sentiment::Candidate> {
    let clauses = clauses(text, language);
    let actors = mentions::find(text, &clauses, document, knowledge, language);
    let events = events::code(text, &clauses, &actors, document, knowledge, language, scope);
    let mut judged = actors.clone();
    sentiment::homes::complete(text, &clauses, &mut judged, document, knowledge, language);
    sentiment::candidates(text, &clauses, &judged, &events, document, knowledge, language)
}

/// Reads a parsed text for what it says.
pub fn find(
    text: &Text<'_>,
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
    scope: Scope,
) -> Findings {
    let clauses = clauses(text, language);
    let actors = mentions::find(text, &clauses, document, knowledge, language);
    let events = events::code(text, &clauses, &actors, document, knowledge, language, scope);
    let mut judged = actors.clone();
    sentiment::homes::complete(text, &clauses, &mut judged, document, knowledge, language);
    let surveys = surveys::read(text, &clauses, &judged, document, knowledge, language);
    let sentiment = sentiment::judge(
        text, &clauses, &judged, &events, &surveys, document, knowledge, language,
    );
    Findings {
        mentions: mentions::rows(&actors, text, document),
        events,
        sentiment,
        surveys,
        ..Findings::default()
    }
}
