//! The gate before the parser: which sentences can hold an event or a stance that is wanted.
//!
//! Parsing is a hundred times slower than reading, so that what cannot matter must be passed over at the speed of
//! memory. The text is scanned for nouns of forces and names of forces; only around hits are names looked up.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::knowledge::{Gazetteer, Knowledge, Language, Reading, stands_alone};
use crate::plan::Scope;
use crate::tables::Document;
use crate::text::sentences::{Kind, Sentence};

/// Finds what opens the gate.
pub struct Gate {
    forces: AhoCorasick,
}

/// Sentences with a foreign force that make a document one about foreign forces, of which everything is read.
const SENTENCES_OF_TOPIC: usize = 3;
/// The share of a document's sentences that they must be.
const SHARE_OF_TOPIC: f64 = 0.15;

impl Gate {
    /// Takes the words of forces from the languages, and the names of forces from the gazetteer.
    pub fn new<'l>(languages: impl Iterator<Item = &'l Language>, gazetteer: &Gazetteer) -> Self {
        let mut words: Vec<String> = Vec::new();
        for language in languages {
            words.extend(
                language
                    .force_nouns
                    .keys()
                    .filter(|noun| !noun.contains(' '))
                    .cloned(),
            );
        }
        let named = gazetteer.names_of(|entry| {
            matches!(entry.reading, Reading::Force | Reading::Base) || entry.force.is_some()
        });
        words.extend(named.filter(|name| name.len() > 3).map(str::to_owned));
        words.sort();
        words.dedup();
        // Only more than 2^31 states could be refused.
        let forces = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&words);
        Self {
            forces: forces
                .unwrap_or_else(|_| AhoCorasick::new(std::iter::empty::<&str>()).expect("no patterns")),
        }
    }

    /// For each sentence, whether it is to be parsed.
    pub fn open(
        &self,
        document: &Document,
        sentences: &[Sentence],
        language: &Language,
        knowledge: &Knowledge,
        scope: Scope,
    ) -> Vec<bool> {
        let text = &document.text;
        if scope == Scope::Political {
            let named = |sentence: &Sentence| {
                !knowledge
                    .gazetteer
                    .find(text, sentence.start..sentence.end)
                    .is_empty()
            };
            return sentences.iter().map(named).collect();
        }
        let mut wanted = vec![false; sentences.len()];
        let mut at = 0;
        for hit in self.forces.find_iter(text.as_bytes()) {
            if !stands_alone(text, hit.start(), hit.end()) {
                continue;
            }
            while at < sentences.len() && sentences[at].end <= hit.start() {
                at += 1;
            }
            let Some(sentence) = sentences.get(at).filter(|sentence| sentence.start <= hit.start()) else {
                continue;
            };
            wanted[at] = wanted[at] || may_be_foreign(text, sentence, language, &knowledge.gazetteer);
        }
        let hits = wanted.iter().filter(|wanted| **wanted).count();
        let headline = sentences.first().is_some_and(|first| first.kind == Kind::Heading)
            && wanted.first() == Some(&true);
        let in_title = headline
            || document
                .title
                .as_deref()
                .is_some_and(|title| self.names_force(title, language, knowledge));
        let is_topic = (hits >= SENTENCES_OF_TOPIC && hits as f64 >= SHARE_OF_TOPIC * sentences.len() as f64)
            || (in_title && hits > 0);
        if is_topic {
            wanted.fill(true);
        }
        wanted
    }

    fn names_force(&self, title: &str, language: &Language, knowledge: &Knowledge) -> bool {
        let whole = Sentence {
            start: 0,
            end: title.len(),
            kind: Kind::Heading,
        };
        self.forces.is_match(title) && may_be_foreign(title, &whole, language, &knowledge.gazetteer)
    }
}

/// Whether a sentence with a word for a force also names a country, an organization or a force abroad.
fn may_be_foreign(text: &str, sentence: &Sentence, language: &Language, gazetteer: &Gazetteer) -> bool {
    let named = gazetteer.find(text, sentence.start..sentence.end);
    let names_someone = named.iter().any(|found| {
        found.entries.iter().any(|entry| {
            entry.force.is_some()
                || matches!(
                    entry.reading,
                    Reading::Country
                        | Reading::Adjective
                        | Reading::Demonym
                        | Reading::Capital
                        | Reading::Organization
                )
        })
    });
    let words = text[sentence.start..sentence.end].split(|character: char| !character.is_alphabetic());
    names_someone
        || words
            .into_iter()
            .any(|word| language.forces.foreign_adjectives.contains(word))
}
