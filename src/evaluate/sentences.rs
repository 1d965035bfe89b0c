//! Measures the sentence splitter: gold is JSON lines `{"text", "sentences": [..]}`, an item counts when every
//! sentence is exact.

use std::io::{BufRead, Write};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::text::sentences::{SentenceRules, split};

/// The figures of one gold file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentenceFigures {
    /// Texts read.
    pub items: usize,
    /// Items of which every sentence is as in gold.
    pub exact: usize,
    /// Sentences over all items: in gold, predicted, and predicted as in gold.
    pub gold: usize,
    /// Sentences found.
    pub predicted: usize,
    /// Sentences found that are labelled so.
    pub correct: usize,
}

#[derive(Deserialize)]
struct Gold {
    text: String,
    sentences: Vec<String>,
}

#[derive(Serialize)]
struct Prediction<'a> {
    sentences: Vec<&'a str>,
}

/// Splits every text of `gold` and writes one prediction line for each to `predictions`. Gold sentences are looked
/// at after the text was split; both sides are compared with white space folded.
pub fn evaluate(
    gold: impl BufRead,
    rules: &SentenceRules,
    predictions: &mut impl Write,
) -> Result<SentenceFigures> {
    let mut figures = SentenceFigures::default();
    for (n, line) in gold.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let item: Gold = serde_json::from_str(&line).with_context(|| format!("line {}", n + 1))?;
        let found = split(&item.text, rules)
            .iter()
            .map(|s| &item.text[s.start..s.end])
            .collect::<Vec<_>>();
        let predicted = found.iter().copied().map(folded).collect::<Vec<_>>();
        serde_json::to_writer(&mut *predictions, &Prediction { sentences: found })?;
        writeln!(predictions)?;
        let wanted = item.sentences.iter().map(|s| folded(s)).collect::<Vec<_>>();
        figures.items += 1;
        figures.exact += usize::from(predicted == wanted);
        figures.gold += wanted.len();
        figures.predicted += predicted.len();
        figures.correct += predicted.iter().filter(|s| wanted.contains(s)).count();
    }
    Ok(figures)
}

fn folded(sentence: &str) -> String {
    sentence.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_scored() {
        let gold = "{\"text\":\"One. Two.\",\"sentences\":[\"One.\",\"Two.\"]}\n{\"text\":\"A. b\",\"sentences\":[\"A.\",\"b\"]}\n";
        let mut out = Vec::new();
        let figures = evaluate(gold.as_bytes(), &SentenceRules::default(), &mut out).unwrap();
        assert_eq!(
            figures,
            SentenceFigures {
                items: 2,
                exact: 1,
                gold: 4,
                predicted: 3,
                correct: 2
            }
        );
        assert_eq!(String::from_utf8(out).unwrap().lines().count(), 2);
    }
}
