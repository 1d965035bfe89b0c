//! Names against gold: F1 of whole names with their kind (Tjong Kim Sang & De Meulder 2003).

use crate::text::model::{Model, Scratch};
use crate::text::names;
use crate::train::conllu::Sentence;
use std::collections::BTreeMap;
use std::fmt;
use std::slice::from_ref;

/// Names of the gold, names predicted, names in both; by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(pub BTreeMap<String, [usize; 3]>);

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f1 = |[gold, predicted, both]: [usize; 3]| 200.0 * both as f64 / (gold + predicted).max(1) as f64;
        let mut all = [0; 3];
        for counts in self.0.values() {
            all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        write!(out, "names {:.2}", f1(all))?;
        for (kind, &counts) in &self.0 {
            write!(out, "  {kind} {:.2}", f1(counts))?;
        }
        Ok(())
    }
}

/// The name labels of a sentence's words.
pub fn labels<'m>(model: &'m Model, sentence: &Sentence, scratch: &mut Scratch) -> Vec<&'m str> {
    let whole = 0..sentence.len();
    let annotations = model.annotate(&sentence.text, &sentence.tokens, from_ref(&whole), scratch);
    annotations
        .iter()
        .map(|annotation| model.name_label(annotation.name))
        .collect()
}

/// Reads sentences and counts names.
pub fn score(model: &Model, gold: &[Sentence]) -> Figures {
    let mut figures = Figures::default();
    let mut scratch = Scratch::default();
    for sentence in gold {
        let predicted = names::join(labels(model, sentence, &mut scratch).into_iter(), 0);
        let gold = names::join(sentence.names.iter().map(String::as_str), 0);
        for name in &gold {
            figures.0.entry(name.kind.to_string()).or_default()[0] += 1;
        }
        for name in &predicted {
            let counts = figures.0.entry(name.kind.to_string()).or_default();
            counts[1] += 1;
            counts[2] += usize::from(gold.contains(name));
        }
    }
    figures
}
