//! The gate before the parser: which sentences can hold an event or a stance that is wanted.
//!
//! Parsing is a hundred times slower than reading, so that what cannot matter must be passed over at the speed of
//! memory. The text is scanned for nouns of forces and names of forces; only around hits are names looked up.

use std::collections::{BTreeMap, HashSet};

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};

use crate::knowledge::{Gazetteer, Knowledge, Language, Reading, stands_alone};
use crate::plan::Scope;
use crate::tables::Document;
use crate::text::sentences::{Kind, Sentence};

/// Finds what opens the gate.
pub struct Gate {
    /// Whether a word may begin with four bytes, by their hash: one bit each.
    openings: Box<[u64; OPENINGS / 64]>,
    /// Which word begins at a place; asked only where four bytes may open one.
    forces: AhoCorasick,
    /// For each word, whether it alone shows that a text tells of soldiers.
    military: Vec<bool>,
}

/// A word or name of a force in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends, in bytes, exclusive.
    pub end: usize,
    /// Whether it alone shows that the text tells of soldiers: "troops" and "Kenyan army" do, "unit" and "EU" do not.
    pub military: bool,
}

/// How far a sentence tells of soldiers, so that everyday words in it ("unit", "mission") may stand for forces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub enum Setting {
    /// Neither it nor its document does.
    Civil,
    /// Its document does.
    Document,
    /// It does itself, or stands in a text too short to say.
    Sentence,
}

/// Bits of the table of openings: small enough for the first cache.
const OPENINGS: usize = 1 << 16;
/// Bytes that open a word.
const OPENING: usize = 4;
/// Sentences with a foreign force that make a document one about foreign forces, of which everything is read.
const SENTENCES_OF_TOPIC: usize = 3;
/// The share of a document's sentences that they must be.
const SHARE_OF_TOPIC: f64 = 0.15;

/// Military words with which a document tells of soldiers.
const MILITARY_WORDS: usize = 3;
/// A document of so few sentences has no room to say more than once that it tells of soldiers.
pub(crate) const SENTENCES_OF_BRIEF: usize = 3;

fn opening(four: [u8; OPENING]) -> usize {
    (u32::from_le_bytes(four).wrapping_mul(0x9E37_79B1) >> 16) as usize
}

impl Gate {
    /// Takes the words of forces from the languages, and the names of forces from the gazetteer.
    pub fn new<'l>(languages: impl Iterator<Item = &'l Language>, gazetteer: &Gazetteer) -> Self {
        let mut words: BTreeMap<String, bool> = BTreeMap::new();
        let mut nouns: HashSet<&str> = HashSet::new();
        for language in languages {
            for (noun, known) in &language.force_nouns {
                nouns.insert(noun);
                if !noun.contains(' ') || known.military {
                    words.insert(noun.clone(), known.military);
                    // A sentence may begin with the word.
                    words.insert(capitalized(noun), known.military);
                }
            }
        }
        let named = gazetteer.names_of(|entry| {
            matches!(entry.reading, Reading::Force | Reading::Base) || entry.force.is_some()
        });
        for name in named.filter(|name| name.len() > 3) {
            // "Kenyan army" holds a noun for a force, "EU" and "Bright Star" do not.
            let holds_noun = name
                .split(' ')
                .any(|word| nouns.contains(word.to_lowercase().as_str()));
            words.entry(name.to_owned()).or_insert(holds_noun);
        }
        Self::of_words(&words)
    }

    fn of_words(words: &BTreeMap<String, bool>) -> Self {
        let mut openings = Box::new([0_u64; OPENINGS / 64]);
        let mut open = |four: [u8; OPENING]| openings[opening(four) / 64] |= 1 << (opening(four) % 64);
        for word in words.keys() {
            match *word.as_bytes() {
                [a, b, c, d, ..] => open([a, b, c, d]),
                // What stands behind a short word is no letter, or the word does not stand alone.
                [a, b, c] => (0..=u8::MAX)
                    .filter(|byte| !byte.is_ascii_alphanumeric())
                    .for_each(|d| open([a, b, c, d])),
                _ => {}
            }
        }
        // Only more than 2^31 states could be refused.
        let forces = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Anchored)
            .build(words.keys())
            .expect("an automaton of some thousand words");
        let military = words.values().copied().collect();
        Self {
            openings,
            forces,
            military,
        }
    }

    /// The words and names of forces in a text, in order.
    pub fn find<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Hit> + 't {
        let bytes = text.as_bytes();
        let mut after = 0;
        // Both questions are asked of every place without a branch, which would be guessed wrong at every word.
        let opens = |five: &[u8]| {
            let at = opening([five[1], five[2], five[3], five[4]]);
            let opens = (self.openings[at / 64] >> (at % 64)) as u8 & 1;
            opens & u8::from(!five[0].is_ascii_alphanumeric()) == 1
        };
        let places = bytes
            .windows(1 + OPENING)
            .enumerate()
            .filter(move |(_, five)| opens(five))
            .map(|(before, _)| before + 1);
        // Nothing stands before the first word, and nothing behind a short one at the very end.
        let first = (!bytes.is_empty()).then_some(0);
        let last = bytes.len().checked_sub(OPENING - 1);
        first.into_iter().chain(places).chain(last).filter_map(move |at| {
            let begins = at >= after && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
            if !begins {
                return None;
            }
            let found = self
                .forces
                .find(Input::new(bytes).range(at..).anchored(Anchored::Yes))?;
            stands_alone(text, found.start(), found.end()).then(|| {
                after = found.end();
                Hit {
                    start: found.start(),
                    end: found.end(),
                    military: self.military[found.pattern()],
                }
            })
        })
    }

    /// For each sentence, whether it is to be parsed; `hits` are those of the text.
    pub fn open(
        &self,
        document: &Document,
        hits: &[Hit],
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
        let settings = self.settings(hits, sentences);
        let foreign = |sentence: &Sentence| may_be_foreign(text, sentence, language, &knowledge.gazetteer);
        let mut wanted: Vec<bool> = sentences
            .iter()
            .zip(&settings)
            .map(|(sentence, setting)| {
                *setting > Setting::Civil && within(hits, sentence).next().is_some() && foreign(sentence)
            })
            .collect();
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

    /// How far each sentence tells of soldiers.
    pub fn settings(&self, hits: &[Hit], sentences: &[Sentence]) -> Vec<Setting> {
        let count = hits.iter().filter(|hit| hit.military).count();
        let of_sentence = |sentence: &Sentence| {
            if sentences.len() <= SENTENCES_OF_BRIEF || within(hits, sentence).any(|hit| hit.military) {
                Setting::Sentence
            } else if count >= MILITARY_WORDS {
                Setting::Document
            } else {
                Setting::Civil
            }
        };
        sentences.iter().map(of_sentence).collect()
    }

    fn names_force(&self, title: &str, language: &Language, knowledge: &Knowledge) -> bool {
        let whole = Sentence {
            start: 0,
            end: title.len(),
            kind: Kind::Heading,
        };
        self.find(title).any(|hit| hit.military)
            && may_be_foreign(title, &whole, language, &knowledge.gazetteer)
    }
}

/// The hits within a sentence.
fn within<'h>(hits: &'h [Hit], sentence: &Sentence) -> impl Iterator<Item = &'h Hit> {
    let (start, end) = (sentence.start, sentence.end);
    let first = hits.partition_point(|hit| hit.start < start);
    hits[first..].iter().take_while(move |hit| hit.start < end)
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

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let words = ["troops", "troop", "Troops", "jet", "base", "French force"]
            .map(|word| (word.to_owned(), true))
            .into();
        let gate = Gate::of_words(&words);
        gate.find(text).map(|hit| &text[hit.start..hit.end]).collect()
    }

    #[test]
    fn finds_words_that_stand_alone() {
        assert_eq!(
            found("Troops left; a jet, the base and troops."),
            ["Troops", "jet", "base", "troops"]
        );
        assert!(found("jetlag baseball troopship paratroops").is_empty());
        assert_eq!(found("The French force"), ["French force"]);
        assert_eq!(found("a jet"), ["jet"]);
    }

    /// `cargo test --release --lib gate::tests::speed -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn speed() {
        let knowledge = crate::knowledge::load(crate::knowledge::Source::from(None)).unwrap();
        let news =
            "The company said quarterly profit rose 12 percent as sales of its new software grew in Asia. "
                .repeat(200_000);
        let start = std::time::Instant::now();
        let hits = knowledge.gate.find(&news).count();
        let seconds = start.elapsed().as_secs_f64();
        println!("{:.2} GB/s, {hits} hits", news.len() as f64 / seconds / 1e9);
    }
}
