//! The article the project began with, against its complete answer. Neither belongs to the repository: the folder is
//! named by `GARRISON_SEED`, or lies beside the checkout.

use std::path::PathBuf;

use garrison::tables::{Document, Event, Sentiment, Survey};
use serde_json::Value;

use crate::{rows, run};

fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("GARRISON_SEED").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from("../shared/gold/seed"));
    folder.join("seed_gold.jsonl").is_file().then_some(folder)
}

/// The stretches of the text that an answer rests on.
fn evidence(answer: &Value, text: &str) -> Vec<(i64, i64)> {
    let words = answer["evidence"].as_array().into_iter().flatten();
    let words = words.filter_map(|words| words["text"].as_str());
    words
        .filter_map(|words| {
            let start = text.find(words)?;
            Some((start as i64, (start + words.len()) as i64))
        })
        .collect()
}

fn touches(spans: &[(i64, i64)], start: i64, end: i64) -> bool {
    spans.iter().any(|(first, last)| start < *last && *first < end)
}

#[test]
fn the_seed_article_is_read_as_its_key_says() {
    let Some(seed) = folder() else {
        eprintln!("not run: GARRISON_SEED names no folder with seed_gold.jsonl");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let articles: Vec<PathBuf> = std::fs::read_dir(&seed)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    let input = articles[0].display().to_string();
    run("pipelines/foreign_forces.toml", out.path(), &["--input", &input]);
    let text = &rows::<Document>(out.path())[0].text;
    let (events, stances) = (rows::<Event>(out.path()), rows::<Sentiment>(out.path()));
    let key = std::fs::read_to_string(seed.join("seed_gold.jsonl")).unwrap();
    let key: Vec<Value> = key
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // Events, stances, and stances with their holder.
    let (mut found, mut missed) = ([0, 0, 0], Vec::new());
    for answer in &key {
        let spans = evidence(answer, text);
        let wanted = |name: &str| answer[name].as_str().unwrap_or_default();
        let (which, hit) = match wanted("kind") {
            // Types the key allows stand in one text, such as "SANCTION/discontinue + COOPERATE/-/military"; its note
            // names others that are as good, with their mode.
            "event" => {
                let right = |event: &&Event| {
                    let event_type = event.event_type.map_or("-", |kind| kind.as_str());
                    let party = |name: &str| answer[name]["country"].as_str().unwrap_or_default();
                    let parties = [party("actor"), party("recipient")].concat();
                    let told = [&event.source_country, &event.target_country, &event.force_home];
                    let mut told = told.into_iter().flatten();
                    if !told.any(|country| parties.contains(country.as_str())) {
                        return false;
                    }
                    wanted("plover").contains(event_type)
                        || wanted("plover").starts_with('(')
                        || wanted("note").contains(&format!("{event_type}/"))
                };
                let here = events
                    .iter()
                    .filter(|event| touches(&spans, event.start_byte, event.end_byte));
                (0, here.filter(right).count() > 0)
            }
            "stance" => {
                let label = wanted("polarity").split('/').next().unwrap_or_default();
                let here = stances.iter().filter(|row| {
                    row.label.as_str() == label && touches(&spans, row.start_byte, row.end_byte)
                });
                let here: Vec<&Sentiment> = here.collect();
                let holder = answer["holder"]["country"].as_str().unwrap_or_default();
                let is_held = |row: &&Sentiment| {
                    let country = row.holder_country.as_ref();
                    country.is_some_and(|country| holder.contains(country.as_str()))
                };
                found[2] += usize::from(here.iter().any(is_held));
                (1, !here.is_empty())
            }
            _ => continue,
        };
        found[which] += usize::from(hit);
        if !hit {
            missed.push(wanted("id"));
        }
    }
    println!(
        "seed: {} of 21 events, {} of 8 stances, {} with the holder; missed {missed:?}",
        found[0], found[1], found[2]
    );
    assert!(found[0] >= 16, "{} events, missed {missed:?}", found[0]);
    assert!(found[1] >= 6, "{} stances, missed {missed:?}", found[1]);
    assert!(
        found[2] >= 5,
        "{} stances with the holder, missed {missed:?}",
        found[2]
    );
    let surveys = rows::<Survey>(out.path());
    assert_eq!(surveys.len(), 1, "{surveys:?}");
    assert_eq!(surveys[0].pollster.as_deref(), Some("Afrobarometer"));
    assert!(
        (surveys[0].share_low..=surveys[0].share_high).contains(&66.7),
        "{surveys:?}"
    );
    let troops = events.iter().filter_map(|event| event.troops_min);
    assert!(
        troops.into_iter().any(|troops| troops == 1_000),
        "about 1,000 soldiers"
    );
    // No date of its own: what is told relative to it stays open, with its words.
    assert!(
        events
            .iter()
            .all(|event| event.starts_on.is_none() || event.date_text.is_some())
    );
}
