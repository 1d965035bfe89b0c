//! Learns the names model: a linear-chain conditional random field by stochastic gradient descent with one rate per
//! weight (AdaGrad), weights averaged over the last passes. Deterministic.
//!
//! Against learning names by heart, features that only repeat the word as it is written are dropped at random, and
//! some sentences are seen a second time in small letters or in capitals.

use crate::knowledge::{Gazetteer, Knowledge, Language};
use crate::linear::Linear;
use crate::text::model::{Model, Scratch, Upos};
use crate::text::names::{self, LABELS, Lists, Scores, Seen, may_follow, transition};
use crate::train::conllu::{self, Sentence};
use crate::train::random::Random;
use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::slice::from_ref;

/// How the model is learnt.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Passes over the sentences.
    pub epochs: usize,
    /// Highest step.
    pub rate: f32,
    /// Pull of every weight toward zero, per sentence it has a part in.
    pub decay: f32,
    /// Share of the words whose own features are dropped.
    pub dropout: f32,
    /// Features seen in fewer words are left out.
    pub sightings: u32,
    /// Weights of smaller size are not stored.
    pub smallest: f32,
    /// One in so many sentences is seen again in small letters, and one in twice as many in capitals; 0 for none.
    pub recase: usize,
    /// The least number of sentences a file counts for: smaller files are repeated up to it.
    pub balance: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 6,
            rate: 0.05,
            decay: 1e-3,
            dropout: 0.6,
            sightings: 2,
            smallest: 0.02,
            recase: 4,
            balance: 600,
        }
    }
}

/// A sentence as it is learnt from.
pub struct Lesson {
    features: Vec<Option<names::Hashes>>,
    labels: Vec<usize>,
}

/// The words of a sentence with the reader's tags, as the names model sees them.
pub fn seen<'s>(model: &'s Model, sentence: &'s Sentence, scratch: &mut Scratch) -> Vec<Seen<'s>> {
    let whole = 0..sentence.len();
    let annotations = model.annotate(&sentence.text, &sentence.tokens, from_ref(&whole), scratch);
    names::see(&sentence.text, &sentence.tokens, annotations, model)
}

/// What sentences teach.
pub fn lessons(sentences: &[Sentence], model: &Model, lists: &Lists, gazetteer: &Gazetteer) -> Vec<Lesson> {
    let mut scratch = Scratch::default();
    let mut lesson = |sentence: &Sentence| {
        let words = seen(model, sentence, &mut scratch);
        let features = names::features(&sentence.text, &words, lists, gazetteer);
        let names = mended(&sentence.names, &words, &sentence.text, gazetteer);
        let labels = labels(&names, &features);
        Lesson { features, labels }
    };
    sentences.iter().map(&mut lesson).collect()
}

/// Labels without two habits of treebanks that mark heads: a place of several words in the gazetteer of which only
/// the last is marked is marked whole, and a person ends before a preposition.
fn mended(names: &[String], words: &[Seen<'_>], text: &str, gazetteer: &Gazetteer) -> Vec<String> {
    let mut names = names.to_vec();
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return names;
    };
    for found in gazetteer.find(text, first.start..last.end) {
        let span =
            (0..words.len()).filter(|word| words[*word].start < found.end && words[*word].end > found.start);
        let span: Vec<usize> = span.skip_while(|word| words[*word].upos == Upos::Det).collect();
        let Some((last, others)) = span.split_last() else {
            continue;
        };
        if !others.is_empty() && names[*last] == "B-LOC" && others.iter().all(|word| names[*word] == "O") {
            span.iter().for_each(|word| names[*word] = "I-LOC".to_owned());
            names[span[0]] = "B-LOC".to_owned();
        }
    }
    let mut cut = false;
    for (word, name) in names.iter_mut().enumerate() {
        let plain = words[word].upos == Upos::Adp && words[word].form.starts_with(char::is_lowercase);
        cut = name == "I-PER" && (cut || plain);
        if cut {
            *name = "O".to_owned();
        }
    }
    names
}

/// The numbers of the labels. Kinds that are not learnt, and words that are never looked at, are outside; the inside
/// of a name that nothing opens opens it.
fn labels(names: &[String], features: &[Option<names::Hashes>]) -> Vec<usize> {
    let mut before = 0;
    let number = |(name, features): (&String, &Option<names::Hashes>)| {
        let known = LABELS
            .iter()
            .position(|label| label == name)
            .filter(|_| features.is_some());
        let mut label = known.unwrap_or(0);
        if !may_follow(before, label) {
            label -= 1;
        }
        before = label;
        label
    };
    names.iter().zip(features).map(number).collect()
}

/// A sentence with every form changed.
fn recased(sentence: &Sentence, change: impl Fn(&str) -> String) -> Sentence {
    let mut out = Sentence {
        names: sentence.names.clone(),
        ..Sentence::default()
    };
    for word in 0..sentence.len() {
        if word > 0 {
            out.text.push(' ');
        }
        out.push_form(&change(sentence.form(word)));
    }
    out
}

/// The sentences of files: small files repeated, some sentences a second time in another case.
fn gather(files: &[Vec<Sentence>], settings: &Settings) -> Vec<Sentence> {
    let mut all = Vec::new();
    for sentences in files {
        let times = (settings.balance / sentences.len().max(1)).max(1);
        for _ in 0..times {
            all.extend(sentences.iter().cloned());
        }
        if settings.recase > 0 {
            all.extend(
                sentences
                    .iter()
                    .step_by(settings.recase)
                    .map(|sentence| recased(sentence, str::to_lowercase)),
            );
            let capitals = sentences.iter().skip(1).step_by(2 * settings.recase);
            all.extend(capitals.map(|sentence| recased(sentence, str::to_uppercase)));
        }
    }
    all
}

/// Numbers of features and their weights.
struct Weights {
    numbers: HashMap<u32, u32>,
    values: Vec<f32>,
    squares: Vec<f32>,
}

const WIDTH: usize = LABELS.len();

/// Learns from sentences; `told` is called after each pass with its number.
pub fn train(lessons: &[Lesson], settings: Settings, mut told: impl FnMut(usize)) -> Linear {
    let mut weights = Weights::new(lessons, settings.sightings);
    let mut sum = vec![0.0_f32; weights.values.len()];
    let mut order: Vec<usize> = (0..lessons.len()).collect();
    let mut random = Random(20_240_519);
    let averaged = (settings.epochs / 2).max(1);
    for epoch in 0..settings.epochs {
        random.shuffle(&mut order);
        for lesson in &order {
            learn(&mut weights, &lessons[*lesson], &settings, &mut random);
        }
        if epoch + averaged >= settings.epochs {
            sum.iter_mut()
                .zip(&weights.values)
                .for_each(|(sum, weight)| *sum += weight);
        }
        told(epoch + 1);
    }
    sum.iter_mut().for_each(|weight| *weight /= averaged as f32);
    let mut kept: Vec<(u32, u32)> = weights.numbers.into_iter().collect();
    let row = |number: u32| &sum[number as usize * WIDTH..][..WIDTH];
    kept.retain(|(_, number)| {
        row(*number)
            .iter()
            .any(|weight| weight.abs() >= settings.smallest)
    });
    kept.sort_unstable();
    let rows: Vec<f32> = kept
        .iter()
        .flat_map(|(_, number)| row(*number).iter().copied())
        .collect();
    let keys = kept.into_iter().map(|(key, _)| key).collect();
    Linear::new(LABELS.map(str::to_owned).to_vec(), keys, &rows)
}

impl Weights {
    fn new(lessons: &[Lesson], sightings: u32) -> Self {
        let mut seen: HashMap<u32, u32> = HashMap::new();
        for (key, _) in lessons
            .iter()
            .flat_map(|lesson| lesson.features.iter().flatten().flatten())
        {
            *seen.entry(*key).or_default() += 1;
        }
        let mut keys: Vec<u32> = seen
            .into_iter()
            .filter(|(_, count)| *count >= sightings)
            .map(|(key, _)| key)
            .collect();
        keys.extend((0..WIDTH).map(transition));
        keys.sort_unstable();
        keys.dedup();
        let numbers: HashMap<u32, u32> = keys.into_iter().zip(0..).collect();
        Self {
            values: vec![0.0; numbers.len() * WIDTH],
            squares: vec![1e-2; numbers.len() * WIDTH],
            numbers,
        }
    }

    fn row(&self, number: u32) -> Scores {
        let mut row = [0.0; WIDTH];
        row.copy_from_slice(&self.values[number as usize * WIDTH..][..WIDTH]);
        row
    }

    fn step(&mut self, number: u32, errors: &Scores, settings: &Settings) {
        let at = number as usize * WIDTH;
        for (label, error) in errors.iter().enumerate() {
            let weight = &mut self.values[at + label];
            let gradient = error + settings.decay * *weight;
            let square = &mut self.squares[at + label];
            *square += gradient * gradient;
            *weight -= settings.rate * gradient / square.sqrt();
        }
    }
}

/// One step: the marginals of all labels against those that are right.
fn learn(weights: &mut Weights, lesson: &Lesson, settings: &Settings, random: &mut Random) {
    let mut known: Vec<Option<Vec<u32>>> = Vec::with_capacity(lesson.features.len());
    for features in &lesson.features {
        let drop = random.share() < settings.dropout;
        known.push(features.as_ref().map(|features| {
            let kept = features.iter().filter(|(_, lexical)| !(drop && *lexical));
            kept.filter_map(|(key, _)| weights.numbers.get(key).copied())
                .collect()
        }));
    }
    let scores: Vec<Option<Scores>> = known
        .iter()
        .map(|known| {
            known.as_ref().map(|known| {
                let mut scores = [0.0; WIDTH];
                for number in known {
                    let row = weights.row(*number);
                    scores
                        .iter_mut()
                        .zip(row)
                        .for_each(|(score, weight)| *score += weight);
                }
                scores
            })
        })
        .collect();
    let transitions: [u32; WIDTH] = std::array::from_fn(|before| weights.numbers[&transition(before)]);
    let chain: [Scores; WIDTH] = std::array::from_fn(|before| weights.row(transitions[before]));
    let (mut labels, mut pairs) = marginals(&scores, &chain);
    let mut before = 0;
    for (word, right) in lesson.labels.iter().enumerate() {
        labels[word][*right] -= 1.0;
        pairs[before][*right] -= 1.0;
        before = *right;
    }
    for (known, errors) in known.iter().zip(&labels) {
        for number in known.iter().flatten() {
            weights.step(*number, errors, settings);
        }
    }
    for (number, errors) in transitions.into_iter().zip(&pairs) {
        weights.step(number, errors, settings);
    }
}

/// The probability of each label of each word, and how often each label is expected behind each other one
/// (forward-backward, scaled).
fn marginals(scores: &[Option<Scores>], chain: &[Scores; WIDTH]) -> (Vec<Scores>, [Scores; WIDTH]) {
    let weight: [Scores; WIDTH] = std::array::from_fn(|before| {
        std::array::from_fn(|label| {
            if may_follow(before, label) {
                chain[before][label].exp()
            } else {
                0.0
            }
        })
    });
    let own: Vec<Scores> = scores
        .iter()
        .map(|scores| match scores {
            Some(scores) => {
                let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                scores.map(|score| (score - largest).max(-60.0).exp())
            }
            None => std::array::from_fn(|label| if label == 0 { 1.0 } else { 0.0 }),
        })
        .collect();
    let mut ahead = vec![[0.0_f32; WIDTH]; own.len() + 1];
    ahead[0][0] = 1.0;
    for word in 0..own.len() {
        for label in 0..WIDTH {
            let into: f32 = (0..WIDTH)
                .map(|before| ahead[word][before] * weight[before][label])
                .sum();
            ahead[word + 1][label] = into * own[word][label];
        }
        scale(&mut ahead[word + 1]);
    }
    let mut labels = vec![[0.0; WIDTH]; own.len()];
    let mut pairs = [[0.0; WIDTH]; WIDTH];
    let mut behind = [1.0_f32; WIDTH];
    for word in (0..own.len()).rev() {
        let mut both: Scores = std::array::from_fn(|label| ahead[word + 1][label] * behind[label]);
        scale(&mut both);
        labels[word] = both;
        let after: Scores = std::array::from_fn(|label| own[word][label] * behind[label]);
        let mut joint = [[0.0; WIDTH]; WIDTH];
        let mut total = 0.0;
        for (before, row) in joint.iter_mut().enumerate() {
            for (label, value) in row.iter_mut().enumerate() {
                *value = ahead[word][before] * weight[before][label] * after[label];
                total += *value;
            }
        }
        let total = total.max(f32::MIN_POSITIVE);
        for (sums, row) in pairs.iter_mut().zip(&joint) {
            sums.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += value / total);
        }
        behind =
            std::array::from_fn(|before| (0..WIDTH).map(|label| weight[before][label] * after[label]).sum());
        scale(&mut behind);
    }
    (labels, pairs)
}

fn scale(values: &mut Scores) {
    let sum: f32 = values.iter().sum();
    values
        .iter_mut()
        .for_each(|value| *value /= sum.max(f32::MIN_POSITIVE));
}

/// Learns from files and writes the model; gives the record of what was learnt.
///
/// # Errors
/// The sentences cannot be read or the model cannot be written.
pub fn make(paths: &[PathBuf], to: &Path, knowledge: &Knowledge, language: &Language) -> Result<String> {
    let files: Vec<Vec<Sentence>> = paths
        .iter()
        .map(|path| conllu::read_names(path))
        .collect::<Result<_>>()?;
    ensure!(
        files.iter().any(|file| !file.is_empty()),
        "no sentences with names"
    );
    let settings = Settings::default();
    let sentences = gather(&files, &settings);
    let lessons = lessons(
        &sentences,
        &language.reader.model,
        &language.reader.lists,
        &knowledge.gazetteer,
    );
    let model = train(&lessons, settings, |epoch| {
        eprintln!("pass {epoch} of {}", settings.epochs)
    });
    let bytes = model.to_bytes();
    std::fs::write(to, &bytes).with_context(|| format!("writing {}", to.display()))?;
    let mut page = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "{} sentences, {} features, {} bytes",
        sentences.len(),
        model.len(),
        bytes.len()
    );
    Ok(page)
}
