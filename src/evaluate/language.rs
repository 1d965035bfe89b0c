//! Measures language identification: gold is `language TAB source TAB text`. A language that the model does not
//! support is right when it is answered with its own code or with `und`.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::normalize::language::{Languages, UNDETERMINED};

/// The figures of one language and source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguageFigures {
    /// Texts read.
    pub items: usize,
    /// Answered with the gold code.
    pub correct: usize,
    /// Texts for which no language was told.
    pub undetermined: usize,
    /// Wrong answers other than `und`, with their number.
    pub wrong: BTreeMap<String, usize>,
}

#[derive(Serialize)]
struct Prediction<'a> {
    language: &'a str,
    confidence: f32,
}

/// Figures by gold language and source; writes one prediction line for each row to `predictions`.
pub fn evaluate(
    gold: impl BufRead,
    languages: &Languages,
    predictions: &mut impl Write,
) -> Result<BTreeMap<(String, String), LanguageFigures>> {
    let mut figures: BTreeMap<(String, String), LanguageFigures> = BTreeMap::new();
    for (n, line) in gold.lines().enumerate() {
        let line = line?;
        let mut fields = line.splitn(3, '\t');
        let (Some(wanted), Some(source), Some(text)) = (fields.next(), fields.next(), fields.next()) else {
            anyhow::bail!("line {}: not language TAB source TAB text", n + 1);
        };
        let (language, confidence) = languages.detect(text);
        serde_json::to_writer(&mut *predictions, &Prediction { language, confidence })
            .context("predictions")?;
        writeln!(predictions)?;
        let row = figures
            .entry((wanted.to_string(), source.to_string()))
            .or_default();
        row.items += 1;
        if language == wanted {
            row.correct += 1;
        } else if language == UNDETERMINED {
            row.undetermined += 1;
        } else {
            *row.wrong.entry(language.to_string()).or_default() += 1;
        }
    }
    Ok(figures)
}
