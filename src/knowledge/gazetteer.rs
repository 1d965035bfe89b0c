//! Names found in text: one automaton over every name that knowledge knows, and the cues that tell one reading
//! of a name from another.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use serde::Deserialize;

use super::actors::{Entry, Named};
use super::source::{Line, Reader, listed};
use crate::tables::Code;

/// Every name and what it may stand for.
pub struct Gazetteer {
    automaton: AhoCorasick,
    /// For each pattern of the automaton, the entries it may stand for.
    readings: Vec<Vec<u32>>,
    entries: Vec<Entry>,
    patterns: Vec<String>,
    /// For each pattern, the cues that decide its reading.
    cues: HashMap<u32, Vec<Cue>>,
}

/// A name found in a text.
#[derive(Debug, Clone)]
pub struct Found<'g> {
    /// Start in the text, in bytes.
    pub start: usize,
    /// End in the text, in bytes, exclusive.
    pub end: usize,
    /// What the name may stand for; never empty.
    pub entries: Vec<&'g Entry>,
}

#[derive(Deserialize)]
struct CueRow {
    name: String,
    reading: String,
    country: String,
    #[serde(deserialize_with = "listed")]
    left: Vec<String>,
    #[serde(deserialize_with = "listed")]
    right: Vec<String>,
    #[serde(deserialize_with = "listed")]
    near: Vec<String>,
}

/// What tells a reading of a name: words right before it, right after it, or anywhere in its sentence.
struct Cue {
    country: Option<Code>,
    left: Vec<String>,
    right: Vec<String>,
    near: Vec<String>,
}

impl Gazetteer {
    pub(super) fn build(named: Vec<Named>, reader: &mut Reader) -> Self {
        let mut entries = Vec::with_capacity(named.len());
        let mut patterns: Vec<String> = Vec::new();
        let mut readings: Vec<Vec<u32>> = Vec::new();
        let mut numbers: HashMap<String, u32> = HashMap::new();
        for Named { names, entry } in named {
            let number = entries.len() as u32;
            entries.push(entry);
            for name in names {
                let pattern = *numbers.entry(name).or_insert_with_key(|name| {
                    patterns.push(name.clone());
                    readings.push(Vec::new());
                    patterns.len() as u32 - 1
                });
                if !readings[pattern as usize].contains(&number) {
                    readings[pattern as usize].push(number);
                }
            }
        }
        let cues = load_cues(reader, &numbers);
        // The automaton can only be refused for exceeding 2^31 states, far beyond any list of names.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&patterns)
            .unwrap_or_else(|error| {
                reader.fault("actors", None, error.to_string());
                AhoCorasick::new(std::iter::empty::<&str>()).expect("an automaton of no names")
            });
        Self {
            automaton,
            readings,
            entries,
            patterns,
            cues,
        }
    }

    /// The names in a stretch of a text, longest first where they overlap, with the readings the cues allow.
    /// Offsets are into `text`; the stretch should be a sentence, within which the cues look.
    pub fn find<'g>(&'g self, text: &str, stretch: std::ops::Range<usize>) -> Vec<Found<'g>> {
        let mut found = Vec::new();
        let sentence = &text[stretch.clone()];
        let mut at = 0;
        while let Some(hit) = self.automaton.find(Input::new(sentence).range(at..)) {
            at = hit.end();
            if !stands_alone(sentence, hit.start(), hit.end()) {
                // "the Sudan" begins in "the Sudanese", and must not hide what begins behind it.
                if begins_word(sentence, hit.start()) {
                    at = next_character(sentence, hit.start());
                }
                continue;
            }
            let pattern = hit.pattern().as_u32();
            let mut entries: Vec<&Entry> = self.readings[pattern as usize]
                .iter()
                .map(|entry| &self.entries[*entry as usize])
                .collect();
            if let Some(cues) = self.cues.get(&pattern) {
                decide(&mut entries, cues, sentence, hit.start(), hit.end());
            }
            if !entries.is_empty() {
                found.push(Found {
                    start: stretch.start + hit.start(),
                    end: stretch.start + hit.end(),
                    entries,
                });
            }
        }
        found
    }

    /// The names of the entries that are wanted.
    pub fn names_of(&self, wanted: impl Fn(&Entry) -> bool) -> impl Iterator<Item = &str> {
        let is_wanted = move |entry: &u32| wanted(&self.entries[*entry as usize]);
        let names = self.patterns.iter().zip(&self.readings);
        names
            .filter(move |(_, entries)| entries.iter().any(&is_wanted))
            .map(|(name, _)| name.as_str())
    }

    /// Every entry, for checks and lists.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn load_cues(reader: &mut Reader, numbers: &HashMap<String, u32>) -> HashMap<u32, Vec<Cue>> {
    const FILE: &str = "actors/ambiguous.tsv";
    let mut cues: HashMap<u32, Vec<Cue>> = HashMap::new();
    for Line { number, row } in reader.table::<CueRow>(FILE) {
        if row.reading.is_empty() {
            reader.fault(FILE, Some(number), "column `reading` is empty".to_owned());
        }
        // A name that no table has is only a reading that is not an actor.
        let Some(pattern) = numbers.get(&row.name) else {
            continue;
        };
        let country = (!row.country.is_empty()).then(|| Code::new(&row.country));
        let cue = Cue {
            country,
            left: row.left,
            right: row.right,
            near: row.near,
        };
        cues.entry(*pattern).or_default().push(cue);
    }
    cues
}

/// Keeps the entries of the reading whose cue is met first; a cue without words is the default.
fn decide(entries: &mut Vec<&Entry>, cues: &[Cue], sentence: &str, start: usize, end: usize) {
    let before = sentence[..start].trim_end();
    let after = sentence[end..].trim_start_matches([' ', '\n', '-', '\'', '’']);
    let met = |cue: &&Cue| {
        let is_default = cue.left.is_empty() && cue.right.is_empty() && cue.near.is_empty();
        is_default
            || cue.left.iter().any(|word| ends_with_word(before, word))
            || cue
                .right
                .iter()
                .any(|word| starts_with_word(after, word) || sentence[end..].starts_with(word.as_str()))
            || cue.near.iter().any(|word| has_word(sentence, word))
    };
    match cues.iter().find(met) {
        Some(Cue {
            country: Some(country),
            ..
        }) => entries.retain(|entry| entry.country.as_ref() == Some(country)),
        Some(Cue { country: None, .. }) => entries.clear(),
        None => {}
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric()
}

/// Whether no letter or digit stands right before a place.
fn begins_word(text: &str, at: usize) -> bool {
    !text[..at].chars().next_back().is_some_and(is_word)
}

fn next_character(text: &str, at: usize) -> usize {
    at + text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Whether no letter or digit touches a stretch.
pub(crate) fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    begins_word(text, start) && !text[end..].chars().next().is_some_and(is_word)
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.ends_with(word) && stands_alone(text, text.len() - word.len(), text.len())
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.starts_with(word) && stands_alone(text, 0, word.len())
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| stands_alone(text, at, at + word.len()))
}
