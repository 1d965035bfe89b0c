//! Names of persons, places and organizations: a chain of labels over hashed features, and names put together
//! from the labels of single words.
//!
//! A linear-chain conditional random field (Lafferty et al. 2001), decoded with Viterbi. Only words that could be
//! part of a name are looked at; all others are outside by definition, which keeps it fast.

use crate::knowledge::{Gazetteer, Reading};
use crate::linear::Linear;
use crate::text::features::{Style, Table, push_shape};
use crate::text::model::{Annotation, Model, Upos};
use crate::text::tokens::Token;
use std::collections::HashMap;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// The labels of names in BIO form, in the order of the model's classes.
pub const LABELS: [&str; 7] = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"];

/// Scores of the labels of one word.
pub type Scores = [f32; LABELS.len()];

/// Lists of words that tell of names, such as given names: each word with its kinds, one bit for each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists(HashMap<String, u32>);

impl Lists {
    /// Lists of words in lower case with their kinds. Kinds beyond the 32nd are not told apart.
    pub fn new<'w>(words: impl Iterator<Item = (&'w str, &'w str)>) -> Self {
        let mut kinds: Vec<&str> = Vec::new();
        let mut lists: HashMap<String, u32> = HashMap::new();
        for (kind, word) in words {
            let number = kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
                kinds.push(kind);
                kinds.len() - 1
            });
            *lists.entry(word.to_owned()).or_default() |= 1 << number.min(31);
        }
        Self(lists)
    }

    fn kinds(&self, lower: &str) -> u32 {
        self.0.get(lower).copied().unwrap_or_default()
    }
}

/// A word as the names model sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'w> {
    /// The word as written.
    pub form: &'w str,
    /// Start in the text, in bytes.
    pub start: usize,
    /// End in the text, in bytes, exclusive.
    pub end: usize,
    /// Part of speech.
    pub upos: Upos,
    /// The language's own tag.
    pub xpos: &'w str,
}

/// Annotated words of a sentence as the names model sees them.
pub fn see<'w>(
    text: &'w str,
    tokens: &[Token],
    annotations: &[Annotation],
    model: &'w Model,
) -> Vec<Seen<'w>> {
    let word = |(token, annotation): (&Token, &Annotation)| Seen {
        form: token.of(text),
        start: token.start as usize,
        end: token.end as usize,
        upos: annotation.upos,
        xpos: model.xpos_name(annotation.xpos),
    };
    tokens.iter().zip(annotations).map(word).collect()
}

/// What the features of a word are made of.
#[derive(Debug, Clone, Default)]
struct Atoms {
    lower: u32,
    shape: u32,
    tag: u32,
    upos: u32,
    /// Kinds of the word lists.
    kinds: u32,
    /// What the gazetteer says: reading and whether the name begins here; 0 for nothing.
    known: u32,
    affixes: [u32; 10],
    capital: bool,
    candidate: bool,
    connects: bool,
    bracket: i8,
}

/// A stretch of words that a name may fill.
#[derive(Debug, Clone, Default)]
struct Run {
    words: Range<usize>,
    /// Kinds of its first word.
    first: u32,
    /// Kinds of its last word.
    last: u32,
}

/// The features of a word: hashes, and whether each only repeats how the word itself is written.
pub type Hashes = Vec<(u32, bool)>;

fn hash(bytes: &[u8]) -> u32 {
    xxh3_64(bytes) as u32
}

/// One feature: its template and up to two values.
fn feature(template: u32, one: u32, two: u32) -> u32 {
    let mixed = (u64::from(one) << 32 | u64::from(two)).wrapping_add(u64::from(template) << 48 | 0x9e37_79b9);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 32).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed >> 32) as u32).max(1)
}

/// The feature that stands for the label before.
pub fn transition(before: usize) -> u32 {
    feature(1, before as u32, 0)
}

/// Features of the words of a sentence that may be part of a name; `None` for all others.
pub fn features(text: &str, words: &[Seen<'_>], lists: &Lists, gazetteer: &Gazetteer) -> Vec<Option<Hashes>> {
    look(text, words, lists, gazetteer).0
}

/// The features of the words, and the kind of name, as its label inside, that the gazetteer is sure of for each.
fn look(
    text: &str,
    words: &[Seen<'_>],
    lists: &Lists,
    gazetteer: &Gazetteer,
) -> (Vec<Option<Hashes>>, Vec<Option<usize>>) {
    let style = style(words);
    let mut atoms: Vec<Atoms> = words.iter().map(|word| atoms(word, lists)).collect();
    known(text, words, gazetteer, &mut atoms);
    mark_candidates(&mut atoms);
    let runs = runs(&atoms);
    let acronyms = acronyms(&atoms, words);
    let first = words
        .iter()
        .position(|word| word.form.chars().any(char::is_alphanumeric));
    let of = |word: usize| {
        let mut out = Vec::with_capacity(96);
        word_features(&atoms, word, &mut out);
        neighbour_features(&atoms, word, &mut out);
        run_features(&atoms, &runs, word, &mut out);
        let place = u32::from(first == Some(word)) | (style as u32) << 1;
        out.push((feature(90, place, 0), false));
        out.push((feature(91, place, atoms[word].shape), false));
        out.push((feature(92, place, atoms[word].upos), false));
        if acronyms[word] {
            out.push((feature(93, 0, 0), false));
        }
        out
    };
    let features = (0..words.len()).map(|word| atoms[word].candidate.then(|| of(word)));
    (
        features.collect(),
        atoms.iter().map(|atoms| sure(atoms.known / 2)).collect(),
    )
}

/// The label inside a name for a set of readings that leave no choice.
fn sure(readings: u32) -> Option<usize> {
    match readings {
        PERSON => Some(2),
        ORGANIZATION => Some(4),
        _ => None,
    }
}

const ORGANIZATION: u32 = 8;
const PERSON: u32 = 32;

fn style(words: &[Seen<'_>]) -> Style {
    let long = words
        .iter()
        .filter(|word| word.form.len() >= 4 && word.form.starts_with(char::is_alphabetic));
    let (mut all, mut capitalized, mut capitals) = (0, 0, 0);
    for word in long {
        all += 1;
        if word.form.starts_with(char::is_uppercase) {
            capitalized += 1;
            capitals += usize::from(!word.form.contains(char::is_lowercase));
        }
    }
    match all {
        3.. if capitals * 4 >= all * 3 => Style::Capitals,
        3.. if capitalized * 4 >= all * 3 => Style::Title,
        _ => Style::Plain,
    }
}

fn atoms(word: &Seen<'_>, lists: &Lists) -> Atoms {
    let lower = word.form.to_lowercase();
    let mut affixes = [0; 10];
    let ends: Vec<usize> = lower
        .char_indices()
        .map(|(at, _)| at)
        .chain([lower.len()])
        .collect();
    for length in 1..=5 {
        if let Some(cut) = (ends.len() - 1).checked_sub(length) {
            affixes[length - 1] = hash(&lower.as_bytes()[ends[cut]..]);
            affixes[4 + length] = hash(&lower.as_bytes()[..ends[length]]);
        }
    }
    let kinds = lists.kinds(&lower);
    Atoms {
        lower: hash(lower.as_bytes()),
        shape: shape(word.form),
        tag: hash(word.xpos.as_bytes()),
        upos: word.upos as u32 + 1,
        kinds,
        known: 0,
        affixes,
        capital: word.form.contains(char::is_uppercase),
        candidate: word.form.contains(char::is_uppercase) || word.upos == Upos::Propn,
        connects: matches!(word.upos, Upos::Adp | Upos::Det | Upos::Cconj | Upos::Part)
            || matches!(word.form, "-" | "'" | "&" | "/" | "–"),
        bracket: match word.form {
            "(" | "[" => 1,
            ")" | "]" => -1,
            _ => 0,
        },
    }
}

/// The letters, digits and marks of a word by class, runs cut to two.
fn shape(form: &str) -> u32 {
    let mut shape: Vec<u8> = Vec::new();
    form.chars().for_each(|letter| push_shape(letter, &mut shape));
    hash(&shape)
}

/// Tells the words what the gazetteer knows. Names in small letters or in capitals throughout are looked up a second
/// time as they would be written in a plain sentence.
fn known(text: &str, words: &[Seen<'_>], gazetteer: &Gazetteer, atoms: &mut [Atoms]) {
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return;
    };
    let mut tell = |start: usize, end: usize, reading: u32, at: &dyn Fn(usize) -> (usize, usize)| {
        // An article that the gazetteer's name opens with is no part of the name.
        let mut begins = 1;
        for (word, atoms) in atoms.iter_mut().enumerate() {
            let (from, to) = at(word);
            let article = begins == 1 && atoms.upos == Upos::Det as u32 + 1;
            if from < end && to > start && atoms.known == 0 && !article {
                atoms.known = reading * 2 + begins;
                begins = 0;
                atoms.candidate = true;
            }
        }
    };
    for found in gazetteer.find(text, first.start..last.end) {
        tell(found.start, found.end, readings(&found.entries), &|word| {
            (words[word].start, words[word].end)
        });
    }
    let odd = |word: &Seen<'_>| {
        word.form.len() > 3
            && (word.upos == Upos::Propn && word.form.starts_with(char::is_lowercase)
                || !word.form.contains(char::is_lowercase) && word.form.contains(char::is_alphabetic))
    };
    if !words.iter().any(odd) {
        return;
    }
    let mut plain = String::with_capacity(text.len());
    let mut spans = Vec::with_capacity(words.len());
    for word in words {
        let start = plain.len();
        let mut letters = word.form.chars();
        if odd(word) {
            plain.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            plain.push_str(&letters.as_str().to_lowercase());
        } else {
            plain.push_str(word.form);
        }
        spans.push((start, plain.len()));
        plain.push(' ');
    }
    for found in gazetteer.find(&plain, 0..plain.len()) {
        tell(found.start, found.end, readings(&found.entries), &|word| {
            spans[word]
        });
    }
}

/// The readings of a name as a set of coarse kinds.
fn readings(entries: &[&crate::knowledge::Entry]) -> u32 {
    let kind = |reading: Reading| match reading {
        Reading::Country => 1,
        Reading::Capital | Reading::Place | Reading::Metonym | Reading::Base => 2,
        Reading::Adjective => 4,
        Reading::Demonym => 64,
        Reading::Organization | Reading::ArmedGroup => ORGANIZATION,
        Reading::Force | Reading::Office => 16,
        Reading::Person => PERSON,
    };
    entries.iter().fold(0, |set, entry| set | kind(entry.reading))
}

/// Words between two candidates may belong to one name with them, and so may the word right behind.
fn mark_candidates(atoms: &mut [Atoms]) {
    const GAP: usize = 3;
    let sure: Vec<usize> = (0..atoms.len()).filter(|word| atoms[*word].candidate).collect();
    for pair in sure.windows(2) {
        if pair[1] - pair[0] <= GAP + 1 {
            atoms[pair[0]..pair[1]]
                .iter_mut()
                .for_each(|atoms| atoms.candidate = true);
        }
    }
    for word in sure {
        if let Some(next) = atoms.get_mut(word + 1) {
            next.candidate = true;
        }
    }
}

/// Stretches of capitalized words, for each word the strict one and the one that goes on over connecting words.
fn runs(atoms: &[Atoms]) -> [Vec<Option<Run>>; 2] {
    let mut both = [vec![None; atoms.len()], vec![None; atoms.len()]];
    for (loose, runs) in both.iter_mut().enumerate() {
        let named = |word: usize| atoms[word].capital || atoms[word].upos == Upos::Propn as u32 + 1;
        let mut start = 0;
        while start < atoms.len() {
            if !named(start) {
                start += 1;
                continue;
            }
            let mut end = start + 1;
            loop {
                let mut next = end;
                while loose == 1
                    && next < atoms.len()
                    && next < end + 2
                    && atoms[next].connects
                    && !named(next)
                {
                    next += 1;
                }
                if next >= atoms.len() || !named(next) {
                    break;
                }
                end = next + 1;
            }
            let run = Run {
                words: start..end,
                first: atoms[start].kinds,
                last: atoms[end - 1].kinds,
            };
            runs[start..end].iter_mut().for_each(|of| *of = Some(run.clone()));
            start = end;
        }
    }
    both
}

/// Whether a word in brackets has the initials of the capitalized words before, or could have them introduced.
fn acronyms(atoms: &[Atoms], words: &[Seen<'_>]) -> Vec<bool> {
    let is = |word: usize| {
        word >= 2 && atoms[word - 1].bracket == 1 && stands_for(&words[..word - 1], words[word].form)
    };
    (0..words.len()).map(is).collect()
}

/// Whether a short form has the initials of the last words of a sentence's beginning.
fn stands_for(before: &[Seen<'_>], short: &str) -> bool {
    let wanted: Vec<char> = short.chars().filter(|letter| letter.is_uppercase()).collect();
    if wanted.len() < 2 {
        return false;
    }
    let mut left = wanted.as_slice();
    for word in before.iter().rev().take(wanted.len() * 2) {
        let initial = word.form.chars().next().filter(|letter| letter.is_uppercase());
        match (left.split_last(), initial) {
            (Some((last, rest)), Some(initial)) if *last == initial => left = rest,
            (Some(_), None) => {}
            _ => break,
        }
    }
    left.is_empty()
}

fn word_features(all: &[Atoms], at: usize, out: &mut Hashes) {
    let word = &all[at];
    let case = u32::from(word.capital);
    out.push((feature(2, 0, 0), false));
    out.push((feature(3, word.lower, 0), true));
    out.push((feature(4, word.lower, case), true));
    out.push((feature(5, word.shape, 0), false));
    out.push((feature(6, word.tag, 0), false));
    out.push((feature(7, word.upos, case), false));
    out.push((feature(8, word.known, 0), false));
    out.push((feature(9, word.known, word.upos), false));
    out.push((feature(10, word.kinds, 0), false));
    out.push((feature(11, word.kinds, case), false));
    out.push((feature(12, word.kinds, word.known), false));
    for kind in (0..32).filter(|kind| word.kinds >> kind & 1 == 1) {
        out.push((feature(13, kind, case), false));
    }
    for (number, affix) in word.affixes.iter().enumerate().filter(|(_, affix)| **affix != 0) {
        out.push((feature(14 + number as u32, *affix, case), number % 5 > 2));
    }
}

fn neighbour_features(all: &[Atoms], at: usize, out: &mut Hashes) {
    let none = Atoms::default();
    let near = |shift: isize| {
        at.checked_add_signed(shift)
            .and_then(|at| all.get(at))
            .unwrap_or(&none)
    };
    let word = &all[at];
    for (number, shift) in [-2_isize, -1, 1, 2].into_iter().enumerate() {
        let (number, other) = (30 + 10 * number as u32, near(shift));
        out.push((feature(number, other.lower, 0), false));
        out.push((feature(number + 1, other.upos, u32::from(other.capital)), false));
        out.push((feature(number + 2, other.known, word.known), false));
        for kind in (0..32).filter(|kind| other.kinds >> kind & 1 == 1) {
            out.push((feature(number + 3, kind, u32::from(word.capital)), false));
        }
        if shift.abs() == 1 {
            out.push((feature(number + 4, other.kinds, word.kinds), false));
            out.push((feature(number + 5, other.shape, word.shape), false));
            out.push((feature(number + 6, other.tag, word.tag), false));
            out.push((feature(number + 7, other.lower, word.lower), true));
            out.push((feature(number + 8, other.lower, word.shape), false));
            out.push((feature(number + 9, other.lower, word.kinds), false));
        }
    }
    out.push((feature(70, near(-1).lower, near(1).lower), false));
    out.push((feature(71, near(-1).upos * 32 + near(1).upos, word.upos), false));
    out.push((feature(72, near(-1).lower, near(-2).lower), false));
    out.push((feature(73, near(1).lower, near(2).lower), false));
}

fn run_features(all: &[Atoms], runs: &[Vec<Option<Run>>; 2], at: usize, out: &mut Hashes) {
    let none = Atoms::default();
    for (loose, runs) in (0_u32..).zip(runs) {
        let base = 100 + 40 * loose;
        let Some(run) = &runs[at] else {
            out.push((feature(base, 0, 0), false));
            continue;
        };
        let Range { start, end } = run.words;
        let (before, behind) = (
            start.checked_sub(1).map_or(&none, |at| &all[at]),
            all.get(end).unwrap_or(&none),
        );
        let length = (end - start).min(6) as u32;
        let place = (at - start).min(3) as u32 * 4 + (end - 1 - at).min(3) as u32;
        let kinds = |words: Range<usize>| all[words].iter().fold(0, |kinds, word| kinds | word.kinds);
        let known = |words: Range<usize>| all[words].iter().fold(0, |known, word| known | word.known);
        let lexical = end - start == 1;
        out.push((feature(base + 1, length, place), false));
        out.push((
            feature(base + 2, all[end - 1].lower, u32::from(at + 1 == end)),
            lexical,
        ));
        out.push((
            feature(base + 3, all[start].lower, u32::from(at == start)),
            lexical,
        ));
        out.push((feature(base + 4, run.last, place), false));
        out.push((feature(base + 5, run.first, place), false));
        out.push((feature(base + 6, behind.lower, length), false));
        out.push((feature(base + 7, before.lower, length), false));
        out.push((feature(base + 8, behind.lower, place), false));
        out.push((feature(base + 9, before.lower, place), false));
        out.push((feature(base + 10, behind.tag, length), false));
        out.push((feature(base + 11, before.tag, length), false));
        out.push((feature(base + 12, kinds(start..at), kinds(at + 1..end)), false));
        out.push((feature(base + 13, kinds(start..end), length), false));
        out.push((feature(base + 14, known(start..end), length), false));
        out.push((feature(base + 15, before.kinds, length), false));
        out.push((feature(base + 16, behind.kinds, length), false));
        out.push((
            feature(base + 17, before.bracket as u32, behind.bracket as u32),
            false,
        ));
        for kind in (0..32).filter(|kind| kinds(start..end) >> kind & 1 == 1) {
            let side = kinds(start..at) >> kind & 1 | (kinds(at + 1..end) >> kind & 1) << 1;
            out.push((feature(base + 18, kind, side), false));
        }
    }
}

/// What is added to a kind that the gazetteer is sure of: it has names that are rare in what was learnt from.
const KNOWN: f32 = 2.0;

/// A learnt tagger of names.
pub struct Tagger {
    model: Linear,
    rows: Table,
    transitions: [Scores; LABELS.len()],
}

impl Tagger {
    /// A tagger of a model whose classes are [`LABELS`].
    ///
    /// # Errors
    /// The model has other classes.
    pub fn new(model: Linear) -> anyhow::Result<Self> {
        anyhow::ensure!(model.classes() == LABELS, "not a model of names");
        let rows = Table::new(
            model
                .keys()
                .iter()
                .enumerate()
                .map(|(row, key)| (*key, row as u32)),
        );
        let mut tagger = Self {
            model,
            rows,
            transitions: [[0.0; LABELS.len()]; LABELS.len()],
        };
        for before in 0..LABELS.len() {
            let mut scores = [0.0; LABELS.len()];
            tagger.add(transition(before), &mut scores);
            tagger.transitions[before] = scores;
        }
        Ok(tagger)
    }

    /// The number of the label in [`LABELS`] for each word of a sentence.
    pub fn labels(&self, text: &str, words: &[Seen<'_>], lists: &Lists, gazetteer: &Gazetteer) -> Vec<u8> {
        let score = |features: &Option<Hashes>| {
            features.as_ref().map(|features| {
                let mut scores = [0.0; LABELS.len()];
                features.iter().for_each(|(key, _)| self.add(*key, &mut scores));
                scores
            })
        };
        let (features, sure) = look(text, words, lists, gazetteer);
        let mut scores: Vec<Option<Scores>> = features.iter().map(score).collect();
        for (scores, inside) in scores.iter_mut().zip(sure) {
            if let (Some(scores), Some(inside)) = (scores, inside) {
                scores[inside] += KNOWN;
                scores[inside - 1] += KNOWN;
            }
        }
        decode(&scores, &self.transitions)
    }

    fn add(&self, key: u32, scores: &mut Scores) {
        if let Some(row) = self.rows.get(key) {
            let row = &self.model.rows()[row as usize * LABELS.len()..][..LABELS.len()];
            scores
                .iter_mut()
                .zip(row)
                .for_each(|(score, weight)| *score += self.model.step() * f32::from(*weight));
        }
    }
}

/// Whether a label may follow another: the inside of a name only what is of its kind.
pub fn may_follow(before: usize, label: usize) -> bool {
    label == 0 || label % 2 == 1 || before == label || before + 1 == label
}

/// The best chain of labels (Viterbi). Words without scores are outside.
pub fn decode(scores: &[Option<Scores>], transitions: &[Scores; LABELS.len()]) -> Vec<u8> {
    const NEVER: f32 = -1e9;
    let mut best = [NEVER; LABELS.len()];
    best[0] = 0.0;
    let mut back: Vec<[u8; LABELS.len()]> = Vec::with_capacity(scores.len());
    for scores in scores {
        let mut next = [NEVER; LABELS.len()];
        let mut from = [0; LABELS.len()];
        for label in 0..LABELS.len() {
            if scores.is_none() && label > 0 {
                break;
            }
            for before in (0..LABELS.len()).filter(|before| may_follow(*before, label)) {
                let score = best[before] + transitions[before][label];
                if score > next[label] {
                    next[label] = score;
                    from[label] = before as u8;
                }
            }
            next[label] += scores.map_or(0.0, |scores| scores[label]);
        }
        best = next;
        back.push(from);
    }
    let mut label = (0..LABELS.len())
        .max_by(|one, other| best[*one].total_cmp(&best[*other]))
        .unwrap_or(0) as u8;
    let mut labels = vec![0; scores.len()];
    for (word, from) in back.iter().enumerate().rev() {
        labels[word] = label;
        label = from[usize::from(label)];
    }
    labels
}

/// A name: its words and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'m> {
    /// Numbers of its words among those annotated.
    pub words: Range<usize>,
    /// What the model calls it: "PER", "LOC", "ORG" or what else it learnt.
    pub kind: &'m str,
}

/// The names among annotated words. `first` is the number of the first word. A name does not cross from one
/// sentence into the next if each is given by itself.
pub fn find<'m>(model: &'m Model, annotations: &[Annotation], first: usize) -> Vec<Name<'m>> {
    join(
        annotations
            .iter()
            .map(|annotation| model.name_label(annotation.name)),
        first,
    )
}

/// Joins BIO labels into names. An inside label that continues nothing opens a name, as conlleval counts it.
pub fn join<'l>(labels: impl Iterator<Item = &'l str>, first: usize) -> Vec<Name<'l>> {
    let mut names: Vec<Name> = Vec::new();
    let mut open = false;
    for (word, label) in labels.enumerate() {
        let word = first + word;
        let (begins, kind) = match label.split_once('-') {
            Some(("B", kind)) => (true, kind),
            Some((_, kind)) => (false, kind),
            None => {
                open = false;
                continue;
            }
        };
        match names.last_mut() {
            Some(name) if open && !begins && name.kind == kind => name.words.end = word + 1,
            _ => names.push(Name {
                words: word..word + 1,
                kind,
            }),
        }
        open = true;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &str, expected: &[(Range<usize>, &str)]) {
        let names: Vec<(Range<usize>, &str)> = join(labels.split(' '), 0)
            .into_iter()
            .map(|name| (name.words, name.kind))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn labels_become_names() {
        check("O B-PER I-PER O", &[(1..3, "PER")]);
        check("B-LOC B-LOC", &[(0..1, "LOC"), (1..2, "LOC")]);
        check("I-ORG I-ORG O I-PER", &[(0..2, "ORG"), (3..4, "PER")]);
        check("B-ORG I-LOC", &[(0..1, "ORG"), (1..2, "LOC")]);
    }
}
