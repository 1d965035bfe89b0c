//! Figures for main text and metadata of pages.
//!
//! Two gold layouts, told apart by the file beside `html/`: `ground-truth.json` (article bodies; shingles of four words
//! as in Scrapinghub's article-extraction-benchmark, 2020) and `gold.jsonl` (main content, snippets, title, author,
//! date; words as in the Web Content Extraction Benchmark, arXiv:2605.21097).

use crate::normalize::html::{self, Page, PageWords};
use crate::normalize::metadata::Precision;
use crate::normalize::repair::repair;
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;

/// One page with what it should give.
pub struct Case {
    /// Name of the page.
    pub id: String,
    /// The page, decoded.
    pub html: String,
    /// Its address.
    pub url: Option<String>,
    /// Gold.
    pub gold: Gold,
}

/// Gold of a page; fields a layout lacks are empty.
#[derive(Default, Deserialize)]
pub struct Gold {
    #[serde(default)]
    id: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    publish_date: Option<String>,
    /// Main text.
    #[serde(default, alias = "articleBody")]
    pub main_content: String,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

/// Reads a folder of pages and its gold.
pub fn load(folder: &Path) -> Result<Vec<Case>> {
    let mut golds: Vec<Gold> = Vec::new();
    let lines = folder.join("gold.jsonl");
    if lines.exists() {
        for line in std::fs::read_to_string(&lines)?
            .lines()
            .filter(|l| !l.trim().is_empty())
        {
            golds.push(serde_json::from_str(line).context("gold.jsonl")?);
        }
    } else {
        let text = std::fs::read_to_string(folder.join("ground-truth.json"))?;
        let all: HashMap<String, Gold> = serde_json::from_str(&text).context("ground-truth.json")?;
        golds.extend(all.into_iter().map(|(id, gold)| Gold { id, ..gold }));
    }
    golds.sort_by(|a, b| a.id.cmp(&b.id));
    golds.into_iter().map(|gold| case(folder, gold)).collect()
}

fn case(folder: &Path, gold: Gold) -> Result<Case> {
    let path = folder.join("html").join(format!("{}.html.gz", gold.id));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes)?;
    Ok(Case {
        id: gold.id.clone(),
        html: to_text(&bytes),
        url: gold.url.clone(),
        gold,
    })
}

/// UTF-8 if it is, else the declared charset, else a guess.
fn to_text(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_string();
    }
    let lossy = String::from_utf8_lossy(bytes);
    // A few broken bytes in an otherwise sound page do not make it another encoding.
    if lossy.matches('\u{FFFD}').count() * 1000
        < lossy.chars().filter(|c| !c.is_ascii()).count().max(100) * 100
    {
        return lossy.into_owned();
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_ascii_lowercase();
    let declared = head.find("charset=").and_then(|at| {
        let label = head[at + 8..].trim_start_matches(['"', '\'']);
        let end = label.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')?;
        encoding_rs::Encoding::for_label(&label.as_bytes()[..end])
    });
    let encoding = declared.unwrap_or_else(|| {
        let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(None, chardetng::Utf8Detection::Allow)
    });
    encoding.decode(bytes).0.into_owned()
}

/// Precision and recall of one page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// Share of the predicted units that are gold.
    pub precision: f64,
    /// Share of the gold units that were found.
    pub recall: f64,
}

impl Score {
    /// Harmonic mean.
    pub fn f1(self) -> f64 {
        let sum = self.precision + self.recall;
        if sum > 0.0 {
            2.0 * self.precision * self.recall / sum
        } else {
            0.0
        }
    }
}

fn tokens(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|w| !w.is_empty())
        .collect()
}

/// Counts in common, in the prediction, in gold, over n-grams.
fn overlap(predicted: &[&str], gold: &[&str], n: usize) -> (usize, usize, usize) {
    let grams = |tokens: &[&str]| {
        let mut counts: HashMap<Vec<String>, usize> = HashMap::new();
        let last = tokens.len().saturating_sub(n - 1).max(1);
        for start in 0..last {
            let gram: Vec<String> = tokens[start..tokens.len().min(start + n)]
                .iter()
                .map(|t| t.to_string())
                .collect();
            if !gram.is_empty() {
                *counts.entry(gram).or_default() += 1;
            }
        }
        counts
    };
    let (predicted, gold) = (grams(predicted), grams(gold));
    let common = predicted
        .iter()
        .map(|(gram, count)| (*count).min(gold.get(gram).copied().unwrap_or(0)))
        .sum();
    (common, predicted.values().sum(), gold.values().sum())
}

/// Four-word shingles, as the benchmark of article bodies counts them.
pub fn shingles(predicted: &str, gold: &str) -> Score {
    let (common, p, g) = overlap(&tokens(predicted), &tokens(gold), 4);
    let share = |whole: usize| match (common, whole) {
        (_, 0) if p == 0 && g == 0 => 1.0,
        (_, 0) => 0.0,
        (c, w) => c as f64 / w as f64,
    };
    Score {
        precision: share(p),
        recall: share(g),
    }
}

/// Words in lower case, as the benchmark of main content counts them.
pub fn bag_of_words(predicted: &str, gold: &str) -> Score {
    let (predicted, gold) = (predicted.to_lowercase(), gold.to_lowercase());
    let (p, g) = (tokens(&predicted), tokens(&gold));
    if g.is_empty() {
        let all = if p.is_empty() { 1.0 } else { 0.0 };
        return Score {
            precision: all,
            recall: all,
        };
    }
    let (common, p, g) = overlap(&p, &g, 1);
    Score {
        precision: common as f64 / p.max(1) as f64,
        recall: common as f64 / g as f64,
    }
}

/// Reads every page, prints the figures, and writes predictions.
pub fn evaluate(folder: &Path, predictions: Option<&Path>, words: &PageWords) -> Result<()> {
    let cases = load(folder)?;
    let pages: Vec<Page> = cases
        .iter()
        .map(|c| repaired(html::read(&c.html, c.url.as_deref(), words)))
        .collect();
    if let Some(path) = predictions {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        for (case, page) in cases.iter().zip(&pages) {
            writeln!(out, "{}", prediction(&case.id, page))?;
        }
    }
    texts(&cases, &pages);
    if cases.iter().any(|c| c.gold.title.is_some()) {
        metadata(&cases, &pages);
    }
    Ok(())
}

/// A page with text and headline as they are stored.
fn repaired(page: Page) -> Page {
    Page {
        text: repair(&page.text).text.into_owned(),
        headline: page.headline.map(|headline| repair(&headline).text.into_owned()),
        ..page
    }
}

fn prediction(id: &str, page: &Page) -> Value {
    // A month is no date: it is left out where a day is asked for.
    let published = page.published.filter(|s| s.precision != Precision::Month);
    json!({
        "id": id,
        "text": page.text,
        "title": page.headline,
        "byline": page.byline,
        "published_at": published.map(|s| s.rfc3339()),
        "published_basis": published.map(|s| s.basis.name()),
        "published_precision": published.map(|s| s.precision.name()),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0usize), |(s, c), v| (s + v, c + 1));
    sum / count.max(1) as f64
}

fn texts(cases: &[Case], pages: &[Page]) {
    let pairs: Vec<(&Case, &Page)> = cases.iter().zip(pages).collect();
    let by4: Vec<Score> = pairs
        .iter()
        .map(|(c, p)| shingles(&p.text, &c.gold.main_content))
        .collect();
    let answered = |i: &usize| !pages[*i].text.is_empty();
    let precision = mean((0..by4.len()).filter(answered).map(|i| by4[i].precision));
    let recall = mean(by4.iter().map(|s| s.recall));
    println!("pages {}", cases.len());
    println!(
        "4-gram shingles: F1 {:.4}  P {precision:.4}  R {recall:.4}",
        Score { precision, recall }.f1()
    );
    let words: Vec<Score> = pairs
        .iter()
        .map(|(c, p)| bag_of_words(&p.text, &c.gold.main_content))
        .collect();
    println!(
        "words: F1 {:.4}  P {:.4}  R {:.4}",
        mean(words.iter().map(|s| s.f1())),
        mean(words.iter().map(|s| s.precision)),
        mean(words.iter().map(|s| s.recall))
    );
    if pairs.iter().any(|(c, _)| !c.gold.with.is_empty()) {
        let found = |text: &str, list: &[String]| {
            let lower = text.to_lowercase();
            list.iter().filter(|s| lower.contains(&s.to_lowercase())).count() as f64
                / list.len().max(1) as f64
        };
        let with = mean(
            pairs
                .iter()
                .filter(|(c, _)| !c.gold.with.is_empty())
                .map(|(c, p)| found(&p.text, &c.gold.with)),
        );
        let without = mean(
            pairs
                .iter()
                .filter(|(c, _)| !c.gold.without.is_empty())
                .map(|(c, p)| found(&p.text, &c.gold.without)),
        );
        println!("snippets wanted: {with:.4}  unwanted: {without:.4} (lower is better)");
    }
}

/// A title or name made comparable: curly quotes, dashes and spaces are one.
fn comparable(text: &str) -> String {
    let plain = |c: char| match c {
        '’' | '‘' | '`' | '´' => '\'',
        '“' | '”' | '«' | '»' => '"',
        '–' | '—' | '‑' => '-',
        c => c,
    };
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(plain)
        .flat_map(char::to_lowercase)
        .collect()
}

fn metadata(cases: &[Case], pages: &[Page]) {
    let pairs: Vec<(&Case, &Page)> = cases.iter().zip(pages).collect();
    let titled: Vec<_> = pairs
        .iter()
        .filter_map(|(c, p)| Some((c.gold.title.as_deref()?, p.headline.as_deref())))
        .collect();
    let exact = titled
        .iter()
        .filter(|(g, p)| p.is_some_and(|p| comparable(p) == comparable(g)))
        .count();
    println!(
        "titles exact: {}/{} = {:.4}",
        exact,
        titled.len(),
        exact as f64 / titled.len().max(1) as f64
    );
    let day_known = |p: &Page| p.published.filter(|s| s.precision != Precision::Month);
    let day = |p: &Page| day_known(p).map(|s| s.rfc3339()[..10].to_string());
    let day_utc = |p: &Page| day_known(p).map(|s| s.at.to_string()[..10].to_string());
    let dated: Vec<_> = pairs
        .iter()
        .filter_map(|(c, p)| Some((c.gold.publish_date.as_deref()?, *p)))
        .collect();
    let given = dated.iter().filter(|(_, p)| day_known(p).is_some()).count();
    let right = dated
        .iter()
        .filter(|(g, p)| day(p).is_some_and(|d| g.starts_with(&d)))
        .count();
    let right_utc = dated
        .iter()
        .filter(|(g, p)| day_utc(p).is_some_and(|d| g.starts_with(&d)))
        .count();
    println!(
        "dates: correct {:.4} ({right}/{}), in UTC {right_utc}; precision {:.4} of {given} given",
        right as f64 / dated.len().max(1) as f64,
        dated.len(),
        right as f64 / given.max(1) as f64
    );
    let undated: Vec<_> = pairs
        .iter()
        .filter(|(c, _)| c.gold.publish_date.is_none())
        .collect();
    let wrong = undated.iter().filter(|(_, p)| p.published.is_some()).count();
    println!("undated pages given a date: {wrong}/{}", undated.len());
    let signed: Vec<_> = pairs
        .iter()
        .filter_map(|(c, p)| Some((c.gold.author.as_deref()?, p.byline.as_deref())))
        .collect();
    let exact = signed
        .iter()
        .filter(|(g, p)| p.is_some_and(|p| comparable(p) == comparable(g)))
        .count();
    let missing = signed.iter().filter(|(_, p)| p.is_none()).count();
    println!(
        "bylines exact: {exact}/{} = {:.4}, missing {missing}",
        signed.len(),
        exact as f64 / signed.len().max(1) as f64
    );
    let unsigned = pairs
        .iter()
        .filter(|(c, p)| c.gold.author.is_none() && p.byline.is_some())
        .count();
    println!(
        "unsigned pages given a byline: {unsigned}/{}",
        pairs.len() - signed.len()
    );
}
