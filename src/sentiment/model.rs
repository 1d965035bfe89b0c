//! Sentiment toward a given target by a linear model: features of the target's surroundings, names masked.
//!
//! A model that sees names learns who is disliked; this one sees that a name stands there and no more. What it sees
//! of the words: lemmas near the target and above it in the tree, judging words by distance, negation, modals, quotes.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::{homes, kinds, pairs};
use crate::events::Context;
use crate::knowledge::{Line, Reader};
use crate::linear::{Features, Linear, pack, unpack_next};
use crate::tables::StanceLabel;
use crate::text::Upos;

/// Classes of the models, in order.
pub const CLASSES: [StanceLabel; 3] = [StanceLabel::Negative, StanceLabel::Neutral, StanceLabel::Positive];

/// What was learnt about stances toward forces: five linear models in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Stances {
    /// What a holder says of a force: nothing, or a label.
    pub pairs: Linear,
    /// The same from what the frames say alone: how far each of them is to be trusted.
    pub frames: Linear,
    /// Whether a country is the home of a force.
    pub homes: Linear,
    /// Whether a nationality, or a noun that it describes, is a force.
    pub forces: Linear,
    /// The kind of a holder.
    pub kinds: Linear,
}

impl Stances {
    /// The models as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        pack(&[&self.pairs, &self.frames, &self.homes, &self.forces, &self.kinds])
    }

    /// Reads the models.
    ///
    /// # Errors
    /// The bytes are no such models, or are cut short.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self> {
        let mut next = |classes: usize| {
            let model = unpack_next(&mut bytes)?;
            ensure!(model.classes().len() == classes, "the model has other classes");
            Ok(model)
        };
        Ok(Self {
            pairs: next(pairs::CLASSES.len())?,
            frames: next(pairs::CLASSES.len())?,
            homes: next(homes::CLASSES.len())?,
            forces: next(homes::CLASSES.len())?,
            kinds: next(kinds::CLASSES.len())?,
        })
    }
}

/// What was learnt about sentiment in a language.
#[derive(Debug, Default)]
pub struct Judge {
    /// Judging words by lemma, -3 to 3.
    pub polarity: HashMap<String, i8>,
    /// Toward anybody, in news.
    pub news: Option<Linear>,
    /// Of holders toward forces.
    pub stances: Option<Stances>,
}

#[derive(Deserialize)]
struct Row {
    word: String,
    score: i8,
}

impl Judge {
    /// The judgement in a word, turned round behind a negator.
    pub(super) fn score(
        &self,
        parsed: &crate::text::Parsed<'_>,
        negators: &std::collections::HashSet<String>,
        at: usize,
    ) -> f32 {
        let word = &parsed.words[at];
        if word.upos == Upos::Propn {
            return 0.0;
        }
        let own = self
            .polarity
            .get(&word.lemma.to_lowercase())
            .or_else(|| self.polarity.get(&word.text.to_lowercase()));
        let near = at.saturating_sub(NEGATION_REACH)..at;
        let turned = near
            .into_iter()
            .any(|before| negators.contains(&parsed.words[before].lemma.to_lowercase()));
        f32::from(own.copied().unwrap_or(0)) * if turned { -0.6 } else { 1.0 }
    }

    pub(crate) fn load(reader: &mut Reader, code: &str) -> Self {
        let file = format!("languages/{code}/polarity.tsv");
        let mut polarity = HashMap::new();
        if !reader.has(&file) {
            return Self::default();
        }
        for Line { number, row } in reader.table::<Row>(&file) {
            if !(-3..=3).contains(&row.score) || polarity.insert(row.word.clone(), row.score).is_some() {
                reader.fault(
                    &file,
                    Some(number),
                    format!("`{}` stands twice, or its score is not -3 to 3", row.word),
                );
            }
        }
        let news = learnt(reader, code, "sentiment", Linear::from_bytes);
        let stances = learnt(reader, code, "stances", Stances::from_bytes);
        Self {
            polarity,
            news,
            stances,
        }
    }
}

/// A model of a language, where it has one; `garrison train` of the same name makes it.
fn learnt<M>(reader: &mut Reader, code: &str, name: &str, read: fn(&[u8]) -> Result<M>) -> Option<M> {
    let file = format!("languages/{code}/{name}.model");
    let bytes = reader.has(&file).then(|| reader.bytes(&file))?;
    let fault = |error| format!("{error:#}; `garrison train {name}` makes it");
    read(&bytes)
        .map_err(|error| reader.fault(&file, None, fault(error)))
        .ok()
}

/// A sentence as the model sees it: masked lemmas and judgements, read once for all targets.
pub(crate) struct Masked<'s> {
    context: &'s Context<'s, 's>,
    lemmas: Vec<String>,
    /// Score of each word, turned round behind a negator.
    scores: Vec<f32>,
    is_negator: Vec<bool>,
    is_quoted: Vec<bool>,
    bag: Vec<u32>,
}

/// Words behind a negator that it turns round.
const NEGATION_REACH: usize = 3;
/// Words on either side of the target that are looked at singly.
const WINDOW: usize = 5;
/// What a step up or down the tree leaves of a judgement.
const DECAY: f32 = 0.6;

impl<'s> Masked<'s> {
    pub fn new(context: &'s Context<'s, 's>) -> Self {
        let words = &context.parsed.words;
        let language = context.language;
        let is_negator: Vec<bool> = words
            .iter()
            .map(|word| language.grammar.negators.contains(&word.lemma.to_lowercase()))
            .collect();
        let span = context.parsed.start..context.parsed.end;
        let named = context.knowledge.gazetteer.find(context.text.text, span);
        let is_name = |word: &crate::text::Word<'_>| {
            word.upos == Upos::Propn
                || word.name != "O"
                || named
                    .iter()
                    .any(|found| found.start <= word.start && word.end <= found.end)
        };
        let lemma = |word: &crate::text::Word<'_>| match word.upos {
            _ if is_name(word) => "NAME".to_owned(),
            Upos::Num => "NUM".to_owned(),
            _ => word.lemma.to_lowercase(),
        };
        let lemmas: Vec<String> = words.iter().map(lemma).collect();
        let score = |at: usize| match lemmas[at].as_str() {
            "NAME" => 0.0,
            _ => language
                .judge
                .score(context.parsed, &language.grammar.negators, at),
        };
        let scores = (0..words.len()).map(score).collect();
        let quoted = |word: &crate::text::Word<'_>| {
            context
                .text
                .quotations
                .iter()
                .any(|quotation| quotation.covers(&(word.start..word.end)))
        };
        let is_quoted = words.iter().map(quoted).collect();
        let bag = bag(words, &lemmas);
        Self {
            context,
            lemmas,
            scores,
            is_negator,
            is_quoted,
            bag,
        }
    }

    /// The features of a target: the words of a stretch of text, in bytes.
    pub fn features(&self, target: &Range<usize>) -> Features {
        let parsed = self.context.parsed;
        let head = parsed.head_of(target.clone()).unwrap_or(0);
        let inside = |at: usize| parsed.words[at].start < target.end && parsed.words[at].end > target.start;
        let first = (0..parsed.words.len()).find(|at| inside(*at)).unwrap_or(head);
        let last = (0..parsed.words.len()).rfind(|at| inside(*at)).unwrap_or(head);
        let mut features = Features {
            hashes: self.bag.clone(),
        };
        self.near(&mut features, first, last);
        self.above(&mut features, head);
        self.sums(&mut features, first, last, head);
        if self.is_quoted.get(head).copied().unwrap_or(false) {
            features.add(&["target quoted"]);
        }
        features.finish()
    }

    /// Lemmas beside the target.
    fn near(&self, features: &mut Features, first: usize, last: usize) {
        for step in 1..=WINDOW {
            let place = if step <= 2 { "1" } else { "2" };
            if let Some(lemma) = first.checked_sub(step).map(|at| &self.lemmas[at]) {
                features.add(&["left", place, lemma]);
            }
            if let Some(lemma) = self.lemmas.get(last + step) {
                features.add(&["right", place, lemma]);
            }
        }
    }

    /// The words above the target in the tree, and what hangs on the nearest predicate.
    fn above(&self, features: &mut Features, head: usize) {
        let parsed = self.context.parsed;
        let mut at = head;
        let mut path = String::new();
        for step in 0..4 {
            let word = &parsed.words[at];
            path.push_str(word.relation);
            let Some(above) = word.head else { break };
            let depth = ["1", "2", "3", "4"][step];
            features.add(&["up", depth, &self.lemmas[above]]);
            if step < 2 {
                features.add(&["path", &path, &self.lemmas[above]]);
                features.add(&["judged", &path, sign(self.scores[above])]);
                for child in parsed.children(above).iter().filter(|child| **child != at) {
                    features.add(&[
                        "beside",
                        depth,
                        parsed.words[*child].relation,
                        &self.lemmas[*child],
                    ]);
                    if self.scores[*child] != 0.0 {
                        features.add(&[
                            "judged beside",
                            &path,
                            parsed.words[*child].relation,
                            sign(self.scores[*child]),
                        ]);
                    }
                    if self.is_negator[*child] {
                        features.add(&["denied", depth]);
                    }
                }
            }
            path.push('/');
            at = above;
        }
        for child in parsed.children(head) {
            features.add(&["below", parsed.words[*child].relation, &self.lemmas[*child]]);
        }
    }

    /// Sums of judgements by distance in words and in the tree.
    fn sums(&self, features: &mut Features, first: usize, last: usize, head: usize) {
        let distances = self.distances(head);
        let window = |reach: usize, wanted: fn(f32) -> bool| -> f32 {
            let range = first.saturating_sub(reach)..(last + 1 + reach).min(self.scores.len());
            self.scores[range].iter().filter(|score| wanted(**score)).sum()
        };
        let good: fn(f32) -> bool = |score| score > 0.0;
        let bad: fn(f32) -> bool = |score| score < 0.0;
        for (name, reach) in [("3", 3), ("7", 7), ("all", self.scores.len())] {
            features.add(&["good", name, bucket(window(reach, good))]);
            features.add(&["bad", name, bucket(window(reach, bad))]);
            features.add(&["both", name, bucket(window(reach, good) + window(reach, bad))]);
        }
        let tree = |wanted: fn(f32) -> bool| -> f32 {
            let near = self
                .scores
                .iter()
                .zip(&distances)
                .filter(|(score, _)| wanted(**score));
            near.map(|(score, distance)| score * DECAY.powi(i32::from(*distance) - 1))
                .sum()
        };
        let (up, down) = (tree(good), tree(bad));
        features.add(&["tree good", bucket(2.0 * up)]);
        features.add(&["tree bad", bucket(2.0 * down)]);
        features.add(&["tree", bucket(2.0 * (up + down))]);
        features.add(&["tree fine", bucket(4.0 * (up + down))]);
        for (at, score) in self.scores.iter().enumerate().filter(|(_, score)| **score != 0.0) {
            let near = ["0", "1", "2", "3", "4"][usize::from(distances[at].min(4) as u8)];
            features.add(&["judges", near, &self.lemmas[at]]);
            features.add(&["judges", near, sign(*score)]);
        }
    }

    /// Steps in the tree between the target and every word.
    fn distances(&self, head: usize) -> Vec<i16> {
        let parsed = self.context.parsed;
        let mut distances = vec![i16::MAX; parsed.words.len()];
        let mut open = std::collections::VecDeque::from([head]);
        distances[head] = 0;
        while let Some(at) = open.pop_front() {
            let near = parsed.children(at).iter().copied().chain(parsed.words[at].head);
            for other in near
                .filter(|other| *other < parsed.words.len())
                .collect::<Vec<_>>()
            {
                if distances[other] == i16::MAX {
                    distances[other] = distances[at] + 1;
                    open.push_back(other);
                }
            }
        }
        distances
            .iter()
            .map(|distance| (*distance).clamp(1, 12))
            .collect()
    }
}

/// Lemmas and pairs of lemmas of a sentence, wherever they stand.
fn bag(words: &[crate::text::Word<'_>], lemmas: &[String]) -> Vec<u32> {
    let mut features = Features::default();
    for (at, word) in words.iter().enumerate() {
        if matches!(
            word.upos,
            Upos::Verb | Upos::Noun | Upos::Adj | Upos::Adv | Upos::Aux
        ) {
            features.add(&["word", &lemmas[at]]);
        }
        if at > 0 {
            features.add(&["pair", &lemmas[at - 1], &lemmas[at]]);
        }
    }
    features.hashes
}

fn sign(score: f32) -> &'static str {
    if score > 1.5 {
        "++"
    } else if score > 0.0 {
        "+"
    } else if score < -1.5 {
        "--"
    } else if score < 0.0 {
        "-"
    } else {
        "0"
    }
}

/// A number as one of a few words.
fn bucket(value: f32) -> &'static str {
    const NAMES: [&str; 17] = [
        "-8", "-7", "-6", "-5", "-4", "-3", "-2", "-1", "0", "1", "2", "3", "4", "5", "6", "7", "8",
    ];
    NAMES[(value.round().clamp(-8.0, 8.0) + 8.0) as usize]
}

/// The label toward a target, and its probability.
pub(crate) fn judge(model: &Linear, features: &Features) -> (StanceLabel, f32) {
    let probabilities = model.probabilities(features);
    let told = CLASSES.into_iter().zip(probabilities);
    let best = told.max_by(|one, other| one.1.total_cmp(&other.1));
    best.unwrap_or((StanceLabel::Neutral, 0.0))
}

/// The label that a target of a text has by the model of news; neutral where the language has no model.
pub fn toward(
    text: &str,
    target: &Range<usize>,
    knowledge: &crate::knowledge::Knowledge,
    language: &crate::knowledge::Language,
) -> (StanceLabel, f32) {
    let Some(model) = &language.judge.news else {
        return (StanceLabel::Neutral, 0.0);
    };
    crate::events::with_context(text, knowledge, language, |context| {
        judge(model, &Masked::new(context).features(target))
    })
}
