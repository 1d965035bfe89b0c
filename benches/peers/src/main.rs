//! Sentences: garrison beside icu_segmenter (Unicode's rules, UAX 29), on the same texts in one run.
//!
//! ```sh
//! cd benches/peers && cargo run --release -- golden FOLDER     # golden_LANG.jsonl: {"text", "sentences"}
//! cd benches/peers && cargo run --release -- joined FILE.tsv   # LANG, SOURCE, SENTENCE: five are joined by spaces
//! ```
//!
//! An item counts when every sentence is exact, white space folded. `joined` knows no truth but the joints: a text counts
//! when it comes apart just there; sentences without a stop at their end are left out. Speed is that of one thread over
//! all texts, ten times.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use garrison::knowledge;
use garrison::text::sentences::{self, SentenceRules};
use icu_segmenter::SentenceSegmenter;
use icu_segmenter::options::SentenceBreakInvariantOptions;
use serde::Deserialize;

#[derive(Deserialize)]
struct Item {
    text: String,
    sentences: Vec<String>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let items = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["golden", folder] => golden(Path::new(folder))?,
        ["joined", file] => joined(Path::new(file))?,
        _ => bail!("golden FOLDER or joined FILE.tsv"),
    };
    let knowledge =
        knowledge::load(knowledge::Source::from(None)).unwrap_or_else(|faults| panic!("{faults:?}"));
    println!("language    items   garrison   icu_segmenter   MB/s garrison   MB/s icu_segmenter");
    for (language, items) in &items {
        compare(language, items, knowledge.normalization.sentence_rules(language));
    }
    Ok(())
}

fn golden(folder: &Path) -> Result<BTreeMap<String, Vec<Item>>> {
    let mut items = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let Some(language) = stem.strip_prefix("golden_") else {
            continue;
        };
        let lines = std::fs::read_to_string(&path)?;
        let read: Result<Vec<Item>, _> = lines.lines().map(serde_json::from_str).collect();
        items.insert(
            language.to_owned(),
            read.with_context(|| path.display().to_string())?,
        );
    }
    Ok(items)
}

fn joined(file: &Path) -> Result<BTreeMap<String, Vec<Item>>> {
    let mut sentences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let mut columns = line.split('\t');
        if let (Some(language), Some("pud"), Some(sentence)) =
            (columns.next(), columns.next(), columns.next())
        {
            let stop = sentence
                .trim_end_matches(['"', '»', '”', ')', '\'', '’'])
                .ends_with(['.', '!', '?', '؟', '…']);
            if stop {
                sentences
                    .entry(language.to_owned())
                    .or_default()
                    .push(sentence.trim().to_owned());
            }
        }
    }
    let item = |five: &[String]| Item {
        text: five.join(" "),
        sentences: five.to_vec(),
    };
    Ok(sentences
        .into_iter()
        .map(|(language, all)| (language, all.chunks(5).map(item).collect()))
        .collect())
}

fn compare(language: &str, items: &[Item], rules: &SentenceRules) {
    let icu = SentenceSegmenter::new(SentenceBreakInvariantOptions::default());
    let own = |text: &str| -> Vec<(usize, usize)> {
        sentences::split(text, rules)
            .iter()
            .map(|found| (found.start, found.end))
            .collect()
    };
    let other = |text: &str| -> Vec<(usize, usize)> {
        let breaks: Vec<usize> = icu.segment_str(text).collect();
        breaks.windows(2).map(|pair| (pair[0], pair[1])).collect()
    };
    println!(
        "{language:<8} {:>8} {:>10} {:>15} {:>15.0} {:>20.0}",
        items.len(),
        exact(items, &own, true),
        exact(items, &other, false),
        speed(items, &own),
        speed(items, &other)
    );
}

/// Items that come apart as they should; with `show`, the others are printed.
fn exact(items: &[Item], split: &dyn Fn(&str) -> Vec<(usize, usize)>, show: bool) -> usize {
    let mut right = 0;
    for item in items {
        let found: Vec<String> = split(&item.text)
            .into_iter()
            .map(|(start, end)| folded(&item.text[start..end]))
            .filter(|sentence| !sentence.is_empty())
            .collect();
        let wanted: Vec<String> = item.sentences.iter().map(|sentence| folded(sentence)).collect();
        if found == wanted {
            right += 1;
        } else if show && std::env::var_os("SHOW").is_some() {
            println!("  wanted {wanted:#?}\n  found {found:#?}");
        }
    }
    right
}

fn folded(sentence: &str) -> String {
    sentence.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn speed(items: &[Item], split: &dyn Fn(&str) -> Vec<(usize, usize)>) -> f64 {
    const TIMES: usize = 10;
    let bytes: usize = items.iter().map(|item| item.text.len()).sum();
    let start = Instant::now();
    for _ in 0..TIMES {
        for item in items {
            std::hint::black_box(split(&item.text));
        }
    }
    (bytes * TIMES) as f64 / 1e6 / start.elapsed().as_secs_f64()
}
