//! Learns the language model from one text file per language: words and character n-grams with Dirichlet-smoothed
//! log probability ratios, and for each supported language how much of a text it must explain.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::normalize::language::{
    KNOWN_ORDER, Label, WEIGHT_STEPS, each_feature, each_word, script_named, script_of_text, write_model,
};

/// The file `identify.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identify {
    supported: Vec<String>,
    scripts: BTreeMap<String, String>,
}

/// The weight of the prior, in features: about the features of ten sentences, so that a language with little text
/// is not surer of itself than one with much.
const PRIOR: f64 = 3000.0;

/// Where the threshold lies between what a language knows of foreign texts (0) and of its own unseen ones (1). Real
/// texts have more names and rarer words than the training text, so that it lies nearer to the foreign side.
const THRESHOLD: f64 = 0.40;

type Counts = HashMap<u32, u32>;

/// Learns a model from `(code, text)` pairs, one sentence or word list per line, and `identify.toml`. The result is
/// the same for the same input in any order.
pub fn train(texts: &[(String, String)], identify_toml: &str) -> Result<Vec<u8>> {
    let identify: Identify = toml::from_str(identify_toml).context("identify.toml")?;
    let mut texts = texts.to_vec();
    texts.sort();
    ensure!(texts.len() <= 255, "a model has at most 255 languages");
    for code in &identify.supported {
        ensure!(
            texts.iter().any(|(known, _)| known == code),
            "identify.toml supports {code}, which has no training text"
        );
    }
    let mut scripts = Vec::new();
    for (code, text) in &texts {
        scripts.push(
            script_of_text(text).with_context(|| format!("the training text of {code} has no letters"))?,
        );
    }
    let counts = texts
        .iter()
        .zip(&scripts)
        .map(|((_, text), &script)| count(text.lines(), script, |_| true))
        .collect::<Vec<_>>();
    let totals = counts
        .iter()
        .map(|c| c.values().map(|&n| f64::from(n)).sum::<f64>())
        .collect::<Vec<_>>();
    let mut labels = Vec::new();
    for (n, (code, text)) in texts.iter().enumerate() {
        let supported = identify.supported.contains(code);
        let known_min = if supported {
            threshold(n, text, &scripts, &texts)
        } else {
            0.0
        };
        labels.push(Label {
            code: code.clone(),
            supported,
            script: u8::try_from(scripts[n])?,
            unseen: (PRIOR / (totals[n] + PRIOR)).ln() as f32,
            known_min: known_min as f32,
        });
    }
    let mut by_script = Vec::new();
    for (name, code) in &identify.scripts {
        let script = script_named(name).with_context(|| format!("identify.toml: no script {name}"))?;
        by_script.push((u8::try_from(script)?, code.clone()));
    }
    Ok(write_model(
        &labels,
        &by_script,
        &features(&counts, &totals, &labels),
    ))
}

/// The features in ascending order with, for each language that has them, the weight above its floor.
fn features(counts: &[Counts], totals: &[f64], labels: &[Label]) -> Vec<(u32, Vec<(u8, u8)>)> {
    let mut all: BTreeMap<u32, Vec<(u8, f64)>> = BTreeMap::new();
    for (n, counted) in counts.iter().enumerate() {
        for (&feature, &times) in counted {
            let label = u8::try_from(n).unwrap_or(u8::MAX);
            all.entry(feature).or_default().push((label, f64::from(times)));
        }
    }
    all.into_iter()
        .map(|(feature, mut present)| {
            present.sort_by_key(|&(label, _)| label);
            // The background is the mean over languages, whatever the size of their texts.
            let share = |&(label, times): &(u8, f64)| times / totals[usize::from(label)].max(PRIOR);
            let background = present.iter().map(share).sum::<f64>() / counts.len() as f64;
            let postings = present
                .iter()
                .map(|&(label, times)| {
                    let n = usize::from(label);
                    let ratio = (times / background + PRIOR) / (totals[n] + PRIOR);
                    let above = ratio.ln() - f64::from(labels[n].unseen);
                    (
                        label,
                        (above * f64::from(WEIGHT_STEPS)).round().clamp(0.0, 255.0) as u8,
                    )
                })
                .collect();
            (feature, postings)
        })
        .collect()
}

fn count<'a>(lines: impl Iterator<Item = &'a str>, script: usize, wanted: impl Fn(usize) -> bool) -> Counts {
    let mut counts = Counts::new();
    for line in lines {
        each_word(line, script, |word, _| {
            each_feature(word, |feature, order| {
                if wanted(order) {
                    *counts.entry(feature).or_default() += 1;
                }
            });
        });
    }
    counts
}

/// The least share of known features for language `n`: between its share in the other languages of its script (the
/// highest one) and its share in its own text, each fifth measured with what the other four taught.
fn threshold(n: usize, text: &str, scripts: &[usize], texts: &[(String, String)]) -> f64 {
    let script = scripts[n];
    let lines = text.lines().collect::<Vec<_>>();
    let fold = |part: usize, held: bool| {
        lines
            .iter()
            .enumerate()
            .filter(move |(at, _)| (at % 5 == part) == held)
            .map(|(_, l)| *l)
    };
    let own = (0..5)
        .map(|part| {
            share_known(
                fold(part, true),
                script,
                &count(fold(part, false), script, |order| order == KNOWN_ORDER),
            )
        })
        .sum::<f64>()
        / 5.0;
    let all = count(lines.iter().copied(), script, |order| order == KNOWN_ORDER);
    let foreign = texts
        .iter()
        .enumerate()
        .filter(|&(other, _)| other != n && scripts[other] == script)
        .map(|(_, (_, text))| share_known(text.lines(), script, &all))
        .fold(0.0, f64::max);
    // A close relative that the model knows is told apart by the scores; the share guards against the others.
    let foreign = foreign.min(own * 0.6);
    foreign + THRESHOLD * (own - foreign)
}

fn share_known<'a>(lines: impl Iterator<Item = &'a str>, script: usize, known: &Counts) -> f64 {
    let (mut all, mut found) = (0u32, 0u32);
    for line in lines {
        each_word(line, script, |word, capital| {
            each_feature(word, |feature, order| {
                if order == KNOWN_ORDER && !capital {
                    all += 1;
                    found += u32::from(known.contains_key(&feature));
                }
            });
        });
    }
    f64::from(found) / f64::from(all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::language::Languages;

    #[test]
    fn a_model_learns_two_languages() {
        let texts = [
            ("xa".to_string(), "baba dada baba gaga\n".repeat(20)),
            ("xb".to_string(), "misi tiki misi liki\n".repeat(20)),
        ];
        let toml = "supported = ['xa', 'xb']\n[scripts]\nHang = 'ko'\n";
        let model = train(&texts, toml).unwrap();
        let languages = Languages::load(&model).unwrap();
        assert_eq!(languages.detect("dada gaga baba").0, "xa");
        assert_eq!(languages.detect("liki misi").0, "xb");
        assert_eq!(languages.detect("오늘").0, "ko");
        let turned = [texts[1].clone(), texts[0].clone()];
        assert_eq!(train(&turned, toml).unwrap(), model);
        assert!(train(&texts, "supported = ['xc']\n[scripts]\n").is_err());
    }
}
