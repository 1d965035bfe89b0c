//! Tags and trees against a treebank: UPOS, UAS, LAS as the CoNLL shared tasks count them (Zeman et al. 2018),
//! and F1 of the arcs that make events, subjects and objects.

use crate::text::model::{Annotation, Model, Scratch};
use crate::text::tokens::{Rules, Token};
use crate::train::conllu::Sentence;
use std::collections::HashMap;
use std::fmt;
use std::slice::from_ref;

/// Counts of right and of all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Words of the gold, words predicted, words in both.
    pub words: [usize; 3],
    /// Right universal tags, own tags, lemmas, heads, heads with labels (types only).
    pub right: [usize; 5],
    /// Subject arcs: gold, predicted, both.
    pub subjects: [usize; 3],
    /// Object arcs: gold, predicted, both.
    pub objects: [usize; 3],
}

impl Figures {
    /// Sums two counts.
    pub fn plus(mut self, other: Figures) -> Figures {
        let pairs = [
            (&mut self.words[..], &other.words[..]),
            (&mut self.right[..], &other.right[..]),
            (&mut self.subjects[..], &other.subjects[..]),
            (&mut self.objects[..], &other.objects[..]),
        ];
        for (sum, add) in pairs {
            sum.iter_mut().zip(add).for_each(|(a, b)| *a += b);
        }
        self
    }

    /// F1 in percent of the right among gold and predicted words; accuracy when the words are gold.
    pub fn f1(right: usize, gold: usize, predicted: usize) -> f64 {
        200.0 * right as f64 / (gold + predicted).max(1) as f64
    }

    /// Labelled attachment score in percent.
    pub fn las(&self) -> f64 {
        Figures::f1(self.right[4], self.words[0], self.words[1])
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [gold, predicted, both] = self.words;
        if gold != both || predicted != both {
            write!(out, "words {:.2}  ", Figures::f1(both, gold, predicted))?;
        }
        for (name, right) in ["UPOS", "XPOS", "lemma", "UAS", "LAS"]
            .into_iter()
            .zip(self.right)
        {
            write!(out, "{name} {:.2}  ", Figures::f1(right, gold, predicted))?;
        }
        let [gold, predicted, both] = self.subjects;
        write!(out, "subjects {:.2}  ", Figures::f1(both, gold, predicted))?;
        let [gold, predicted, both] = self.objects;
        write!(out, "objects {:.2}", Figures::f1(both, gold, predicted))
    }
}

/// A sentence as read, in CoNLL-U.
pub fn to_conllu(model: &Model, text: &str, tokens: &[Token], annotations: &[Annotation]) -> String {
    let mut out = format!("# text = {}\n", text.replace(['\n', '\r'], " "));
    for (word, (token, annotation)) in tokens.iter().zip(annotations).enumerate() {
        let joined = tokens.get(word + 1).is_some_and(|next| next.start == token.end);
        out += &format!(
            "{}\t{}\t{}\t{}\t{}\t_\t{}\t{}\t_\t{}\n",
            word + 1,
            token.of(text),
            model.lemma(text, *token, annotation),
            annotation.upos.name(),
            model.xpos_name(annotation.xpos),
            annotation.head,
            model.label_name(annotation.label),
            if joined { "SpaceAfter=No" } else { "_" },
        );
    }
    out.push('\n');
    out
}

/// The type of a label, without its subtype.
fn kind(label: &str) -> &str {
    label.split(':').next().unwrap_or(label)
}

/// Reads sentences with their gold words and counts.
pub fn score(model: &Model, gold: &[Sentence]) -> Figures {
    let mut figures = Figures::default();
    let mut scratch = Scratch::default();
    for sentence in gold {
        let whole = 0..sentence.len();
        let annotations = model.annotate(&sentence.text, &sentence.tokens, from_ref(&whole), &mut scratch);
        for (word, annotation) in annotations.iter().enumerate() {
            let label = kind(model.label_name(annotation.label));
            let gold_label = kind(&sentence.labels[word]);
            let same_head = annotation.head == sentence.heads[word];
            let lemma = model.lemma(&sentence.text, sentence.tokens[word], annotation);
            let checks = [
                annotation.upos.name() == sentence.upos[word],
                model.xpos_name(annotation.xpos) == sentence.xpos[word],
                lemma == sentence.lemmas[word].as_str(),
                same_head,
                same_head && label == gold_label,
            ];
            for (count, check) in figures.right.iter_mut().zip(checks) {
                *count += usize::from(check);
            }
            figures.words = figures.words.map(|n| n + 1);
            for (counts, name) in [(&mut figures.subjects, "nsubj"), (&mut figures.objects, "obj")] {
                let (in_gold, predicted) = (gold_label == name, label == name);
                counts[0] += usize::from(in_gold);
                counts[1] += usize::from(predicted);
                counts[2] += usize::from(in_gold && predicted && same_head);
            }
        }
    }
    figures
}

/// Reads the sentences' raw text with own words and counts. Words agree where they cover the same letters.
pub fn score_raw(model: &Model, rules: &Rules, gold: &[Sentence]) -> Figures {
    let mut figures = Figures::default();
    let mut scratch = Scratch::default();
    let mut tokens = Vec::new();
    for sentence in gold {
        let text = if sentence.source.is_empty() {
            &sentence.text
        } else {
            &sentence.source
        };
        tokens.clear();
        rules.tokenize(text, 0..text.len(), &mut tokens);
        let whole = 0..tokens.len();
        let annotations = model.annotate(text, &tokens, from_ref(&whole), &mut scratch);
        let gold_spans = letter_spans(&sentence.text, &sentence.tokens);
        let spans = letter_spans(text, &tokens);
        let places: HashMap<(usize, usize), usize> = spans
            .iter()
            .enumerate()
            .map(|(place, &span)| (span, place))
            .collect();
        let head_span = |spans: &[(usize, usize)], head: u16| {
            usize::from(head)
                .checked_sub(1)
                .and_then(|head| spans.get(head).copied())
        };
        figures.words[0] += gold_spans.len();
        figures.words[1] += spans.len();
        for (counts, name) in [(&mut figures.subjects, "nsubj"), (&mut figures.objects, "obj")] {
            counts[0] += sentence.labels.iter().filter(|label| kind(label) == name).count();
            counts[1] += annotations
                .iter()
                .filter(|a| kind(model.label_name(a.label)) == name)
                .count();
        }
        for (word, span) in gold_spans.iter().enumerate() {
            let Some(&place) = places.get(span) else { continue };
            let annotation = &annotations[place];
            let label = kind(model.label_name(annotation.label));
            let gold_label = kind(&sentence.labels[word]);
            let same_head =
                head_span(&spans, annotation.head) == head_span(&gold_spans, sentence.heads[word]);
            let checks = [
                annotation.upos.name() == sentence.upos[word],
                model.xpos_name(annotation.xpos) == sentence.xpos[word],
                model.lemma(text, tokens[place], annotation) == sentence.lemmas[word].as_str(),
                same_head,
                same_head && label == gold_label,
            ];
            for (count, check) in figures.right.iter_mut().zip(checks) {
                *count += usize::from(check);
            }
            figures.words[2] += 1;
            for (counts, name) in [(&mut figures.subjects, "nsubj"), (&mut figures.objects, "obj")] {
                counts[2] += usize::from(same_head && label == name && gold_label == name);
            }
        }
    }
    figures
}

/// Where words lie among the letters of a text that are not spaces.
fn letter_spans(text: &str, tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut spans = Vec::with_capacity(tokens.len());
    let mut letters = 0;
    for token in tokens {
        let len = token.of(text).chars().filter(|c| !c.is_whitespace()).count();
        spans.push((letters, letters + len));
        letters += len;
    }
    spans
}
