//! Scores duplicate clusters against labelled ones: pairs, adjusted Rand index, recall and wrong
//! company for each kind of document.

use crate::dedup::{Options, Origin, Relation, Scratch, Sketch, cluster, sketch};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{BufRead, Write};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// What a prediction may look at.
#[derive(Deserialize)]
struct Story {
    id: String,
    text: String,
    published: Option<String>,
}

/// The label of a gold record, read after the predictions are made.
#[derive(Deserialize)]
struct Label {
    cluster: String,
    #[serde(default)]
    kind: String,
}

/// One line of predictions.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// Id of the record.
    pub id: String,
    /// The cluster it was put in.
    pub cluster: String,
    /// How it relates to its canonical document.
    pub relation: &'static str,
}

/// Figures of one kind of document.
#[derive(Clone, Copy, Debug, Default)]
pub struct KindScore {
    /// Records read.
    pub documents: usize,
    /// Pairs of the gold clusters with a document of this kind, and how many of them were found.
    pub pairs: u64,
    /// Pairs within clusters that were found.
    pub pairs_found: u64,
    /// Documents put together with a document of another gold cluster.
    pub merged_wrongly: usize,
}

/// How predicted clusters agree with the gold ones.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Share of the pairs found that are labelled.
    pub precision: f64,
    /// Share of the labelled pairs that were found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Adjusted Rand index (Hubert and Arabie 1985).
    pub adjusted_rand: f64,
    /// Recall of each labelled kind.
    pub kinds: BTreeMap<String, KindScore>,
    /// Documents of each relation.
    pub relations: BTreeMap<&'static str, usize>,
}

/// Clusters the stories of `gold` (one JSON object a line) and scores the result; writes one line per
/// story to `predictions`.
pub fn evaluate(gold: &[u8], options: &Options, mut predictions: impl Write) -> Result<Score> {
    let predicted = predict(gold, options)?;
    for prediction in &predicted {
        serde_json::to_writer(&mut predictions, prediction)?;
        predictions.write_all(b"\n")?;
    }
    predictions.flush()?;
    let mut labels = Vec::with_capacity(predicted.len());
    for (number, line) in lines(gold).enumerate() {
        let label: Label =
            serde_json::from_str(&line?).with_context(|| format!("gold record {}", number + 1))?;
        labels.push((label.cluster, label.kind));
    }
    Ok(score(&predicted, &labels))
}

fn lines(gold: &[u8]) -> impl Iterator<Item = std::io::Result<String>> + '_ {
    gold.lines()
        .filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty()))
}

/// Clusters the stories, in the order of the gold.
fn predict(gold: &[u8], options: &Options) -> Result<Vec<Prediction>> {
    let mut ids = Vec::new();
    let mut sketches: Vec<Result<Sketch>> = Vec::new();
    let mut scratch = Scratch::default();
    for (number, line) in lines(gold).enumerate() {
        let story: Story =
            serde_json::from_str(&line?).with_context(|| format!("gold record {}", number + 1))?;
        let origin = Origin {
            document_id: xxh3_128(story.id.as_bytes()),
            published_us: story.published.as_deref().and_then(published_us),
        };
        sketches.push(Ok(sketch(&story.text, origin, &mut scratch)));
        ids.push(story.id);
    }
    let mut found: HashMap<u128, (u128, Relation)> = HashMap::new();
    for duplicate in cluster(sketches.into_iter(), options)? {
        let duplicate = duplicate?;
        found.insert(duplicate.document_id, (duplicate.cluster_id, duplicate.relation));
    }
    let mut predictions = Vec::with_capacity(ids.len());
    for id in ids {
        let own = xxh3_128(id.as_bytes());
        let (cluster, relation) = found.get(&own).copied().unwrap_or((own, Relation::Unique));
        predictions.push(Prediction {
            id,
            cluster: format!("{cluster:032x}"),
            relation: relation.as_str(),
        });
    }
    Ok(predictions)
}

/// Microseconds since 1970 of a date and time; without a zone it is read as UTC.
pub fn published_us(published: &str) -> Option<i64> {
    let instant = published.parse::<jiff::Timestamp>().ok();
    let local = || jiff::tz::Offset::UTC.to_timestamp(published.parse().ok()?).ok();
    instant.or_else(local).map(jiff::Timestamp::as_microsecond)
}

fn pairs(count: usize) -> f64 {
    count as f64 * (count as f64 - 1.0) / 2.0
}

fn score(predicted: &[Prediction], labels: &[(String, String)]) -> Score {
    let mut by_gold: HashMap<&str, usize> = HashMap::new();
    let mut by_cluster: HashMap<&str, usize> = HashMap::new();
    let mut by_both: HashMap<(&str, &str), usize> = HashMap::new();
    for (prediction, (gold, _)) in predicted.iter().zip(labels) {
        *by_gold.entry(gold).or_default() += 1;
        *by_cluster.entry(&prediction.cluster).or_default() += 1;
        *by_both.entry((gold, &prediction.cluster)).or_default() += 1;
    }
    let sum = |counts: &mut dyn Iterator<Item = usize>| counts.map(pairs).sum::<f64>();
    let found = sum(&mut by_both.values().copied());
    let (gold_pairs, cluster_pairs) = (
        sum(&mut by_gold.values().copied()),
        sum(&mut by_cluster.values().copied()),
    );
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 1.0 };
    let expected = ratio(gold_pairs * cluster_pairs, pairs(labels.len()));
    let mut score = Score {
        precision: ratio(found, cluster_pairs),
        recall: ratio(found, gold_pairs),
        f1: ratio(2.0 * found, gold_pairs + cluster_pairs),
        adjusted_rand: ratio(found - expected, (gold_pairs + cluster_pairs) / 2.0 - expected),
        ..Score::default()
    };
    for (prediction, (gold, kind)) in predicted.iter().zip(labels) {
        let both = by_both
            .get(&(gold.as_str(), prediction.cluster.as_str()))
            .copied()
            .unwrap_or_default();
        let in_cluster = by_cluster
            .get(prediction.cluster.as_str())
            .copied()
            .unwrap_or_default();
        let kind = score.kinds.entry(kind.clone()).or_default();
        kind.documents += 1;
        kind.pairs += by_gold.get(gold.as_str()).map_or(0, |count| *count as u64 - 1);
        kind.pairs_found += both.saturating_sub(1) as u64;
        kind.merged_wrongly += usize::from(in_cluster > both);
        *score.relations.entry(prediction.relation).or_default() += 1;
    }
    score
}

impl fmt::Display for Score {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            precision,
            recall,
            f1,
            adjusted_rand,
            ..
        } = self;
        writeln!(
            out,
            "precision {precision:.4}  recall {recall:.4}  F1 {f1:.4}  ARI {adjusted_rand:.4}"
        )?;
        writeln!(
            out,
            "{:<12} {:>9} {:>7} {:>15}",
            "kind", "documents", "recall", "merged wrongly"
        )?;
        for (kind, score) in &self.kinds {
            let recall = match score.pairs {
                0 => "-".to_owned(),
                pairs => format!("{:.4}", score.pairs_found as f64 / pairs as f64),
            };
            writeln!(
                out,
                "{kind:<12} {:>9} {recall:>7} {:>15}",
                score.documents, score.merged_wrongly
            )?;
        }
        let relations: Vec<String> = self
            .relations
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        write!(out, "{}", relations.join("  "))
    }
}

/// Reads a gold file, plain or gzipped, and evaluates it.
pub fn evaluate_file(gold: &Path, options: &Options, predictions: impl Write) -> Result<Score> {
    let bytes = std::fs::read(gold).with_context(|| format!("reading {}", gold.display()))?;
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        std::io::Read::read_to_end(&mut decoder, &mut text)
            .with_context(|| format!("reading {}", gold.display()))?;
    } else {
        text = bytes;
    }
    evaluate(&text, options, predictions)
}
