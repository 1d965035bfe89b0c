//! Names against gold: F1 of whole names with their kind (Tjong Kim Sang & De Meulder 2003).

use crate::knowledge::Gazetteer;
use crate::text::model::{Model, Scratch};
use crate::text::{Reader, names};
use crate::train::conllu::Sentence;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
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

/// The name labels of a sentence's words by the network alone.
fn own_labels<'m>(model: &'m Model, sentence: &Sentence, scratch: &mut Scratch) -> Vec<&'m str> {
    let whole = 0..sentence.len();
    let annotations = model.annotate(&sentence.text, &sentence.tokens, from_ref(&whole), scratch);
    annotations
        .iter()
        .map(|annotation| model.name_label(annotation.name))
        .collect()
}

/// Reads sentences with the network alone and counts names.
pub fn score(model: &Model, gold: &[Sentence]) -> Figures {
    let mut figures = Figures::default();
    let mut scratch = Scratch::default();
    for sentence in gold {
        figures.count(&own_labels(model, sentence, &mut scratch), &sentence.names);
    }
    figures
}

/// Reads sentences as the program reads them, counts names and writes the sentences with the labels predicted.
///
/// # Errors
/// The predictions cannot be written.
pub fn evaluate(
    reader: &Reader,
    gazetteer: &Gazetteer,
    gold: &[Sentence],
    out: &mut dyn Write,
) -> std::io::Result<Figures> {
    let mut figures = Figures::default();
    let mut scratch = Scratch::default();
    for sentence in gold {
        let whole = 0..sentence.len();
        let annotations =
            reader
                .model
                .annotate(&sentence.text, &sentence.tokens, from_ref(&whole), &mut scratch);
        let labels = reader.names(&sentence.text, &sentence.tokens, annotations, gazetteer);
        let labels = labels.unwrap_or_else(|| own_labels(&reader.model, sentence, &mut scratch));
        for (word, label) in labels.iter().enumerate() {
            writeln!(out, "{}\t{label}", sentence.form(word))?;
        }
        writeln!(out)?;
        figures.count(&labels, &sentence.names);
    }
    Ok(figures)
}

impl Figures {
    fn count(&mut self, predicted: &[&str], gold: &[String]) {
        let predicted = names::join(predicted.iter().copied(), 0);
        let gold = names::join(gold.iter().map(String::as_str), 0);
        for name in &gold {
            self.0.entry(name.kind.to_string()).or_default()[0] += 1;
        }
        for name in &predicted {
            let counts = self.0.entry(name.kind.to_string()).or_default();
            counts[1] += 1;
            counts[2] += usize::from(gold.contains(name));
        }
    }
}
