//! Learns sentiment toward a target: from news sentences with a marked target, and from stance sentences toward forces.
//!
//! Two forms of line are read: `text`, `start`, `end` (characters) and `label` -1, 0 or 1; and `text` with
//! `sentiment`, whose rows name a force by `force_name` and have a `label` in words.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde_json::Value;

use super::linear::{self, Example, Settings};
use crate::events::with_context;
use crate::knowledge::{Knowledge, Language};
use crate::linear::Linear;
use crate::sentiment::model::{CLASSES, Masked};
use crate::tables::StanceLabel;

/// A sentence with a target and the label toward it.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// The sentence.
    pub text: String,
    /// The target, in bytes.
    pub target: Range<usize>,
    /// The label.
    pub label: StanceLabel,
}

/// Reads the labelled sentences of files, or of the `.jsonl` files of folders, in order of their names.
///
/// # Errors
/// A file cannot be read or a line is no JSON, with file and line.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Labelled>> {
    super::each_line(paths, |line| Ok(labelled(&serde_json::from_str(line)?)))
}

/// The targets of a record.
pub fn labelled(record: &Value) -> Vec<Labelled> {
    let text = record.get("text").and_then(Value::as_str).unwrap_or_default();
    if let Some(rows) = record.get("sentiment").and_then(Value::as_array) {
        return rows.iter().filter_map(|row| of_force(text, row)).collect();
    }
    let number = |key: &str| record.get(key).and_then(Value::as_i64);
    let byte = |characters: i64| {
        text.char_indices()
            .nth(characters as usize)
            .map_or(text.len(), |(byte, _)| byte)
    };
    let (Some(start), Some(end), Some(label)) = (number("start"), number("end"), number("label")) else {
        return Vec::new();
    };
    let label = match label {
        ..=-1 => StanceLabel::Negative,
        0 => StanceLabel::Neutral,
        1.. => StanceLabel::Positive,
    };
    vec![Labelled {
        text: text.to_owned(),
        target: byte(start)..byte(end),
        label,
    }]
}

fn of_force(text: &str, row: &Value) -> Option<Labelled> {
    let name = row.get("force_name")?.as_str()?;
    let start = text.find(name)?;
    let label = StanceLabel::parse(row.get("label")?.as_str()?).ok()?;
    Some(Labelled {
        text: text.to_owned(),
        target: start..start + name.len(),
        label,
    })
}

/// Few passes and rare features left out: the sentences are few, and the model is to stay small.
const SETTINGS: Settings = Settings {
    epochs: 24,
    rate: 0.3,
    decay: 4e-4,
    sightings: 3,
};

/// Learns a model.
pub fn train(sentences: &[Labelled], knowledge: &Knowledge, language: &Language) -> Linear {
    let example = |labelled: &Labelled| {
        let features = with_context(&labelled.text, knowledge, language, |context| {
            Masked::new(context).features(&labelled.target)
        });
        let class = CLASSES
            .iter()
            .position(|class| *class == labelled.label)
            .unwrap_or(1);
        Example { features, class }
    };
    let examples: Vec<Example> = sentences.par_iter().map(example).collect();
    let names: Vec<String> = CLASSES.iter().map(|class| class.as_str().to_owned()).collect();
    linear::train(&examples, &names, SETTINGS)
}

/// Learns a model from files and writes it; tells how large it is.
///
/// # Errors
/// As [`read`]; the model cannot be written.
pub fn make(from: &[PathBuf], to: &Path, knowledge: &Knowledge, language: &Language) -> Result<String> {
    let sentences = read(from)?;
    let model = train(&sentences, knowledge, language);
    let bytes = model.to_bytes();
    std::fs::write(to, &bytes).with_context(|| format!("writing {}", to.display()))?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    sentences
        .iter()
        .for_each(|labelled| *counts.entry(labelled.label.as_str()).or_default() += 1);
    Ok(format!(
        "{} sentences {counts:?}, {} features, {} bytes\n",
        sentences.len(),
        model.len(),
        bytes.len()
    ))
}
