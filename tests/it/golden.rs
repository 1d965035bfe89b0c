//! Golden articles: `tests/golden/DATE_NAME.txt` and beside it, as JSON, everything that is read out of it. After a change
//! that is wanted, `GARRISON_UPDATE=1 cargo test golden` writes the answers anew; the diff is then to be read.

use std::path::PathBuf;

use serde_json::Value;

use crate::{code, errors, garrison};

/// Last digits of a confidence depend on the registers of the machine.
fn drop_confidence(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !name.contains("confidence"));
            members.values_mut().for_each(drop_confidence);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_confidence),
        _ => {}
    }
}

#[test]
fn golden_articles_give_the_rows_they_gave() {
    let mut articles: Vec<PathBuf> = std::fs::read_dir("tests/golden")
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    articles.sort();
    assert!(articles.len() >= 5);
    let mut differing = Vec::new();
    for article in articles {
        let name = article.file_stem().unwrap().to_string_lossy().into_owned();
        let (date, _) = name.split_once('_').expect("DATE_NAME.txt");
        let path = article.display().to_string();
        let told = garrison(&["extract", &path, "--date", date, "--format", "json"]);
        assert_eq!(code(&told), Some(0), "{}", errors(&told));
        let mut told: Value = serde_json::from_slice(&told.stdout).unwrap();
        drop_confidence(&mut told);
        let answer = article.with_extension("json");
        if std::env::var_os("GARRISON_UPDATE").is_some() {
            let page = serde_json::to_string_pretty(&told).unwrap();
            std::fs::write(&answer, page + "\n").unwrap();
        }
        let wanted = std::fs::read_to_string(&answer).unwrap_or_default();
        let wanted: Value = serde_json::from_str(&wanted).unwrap_or_default();
        for table in ["document", "mentions", "events", "sentiment", "surveys"] {
            if wanted[table] != told[table] {
                differing.push(format!("{name}: {table}"));
            }
        }
        assert_eq!(told.as_object().unwrap().len(), 5, "a table that is not compared");
    }
    assert!(
        differing.is_empty(),
        "{differing:?}; if that is wanted: GARRISON_UPDATE=1 cargo test golden"
    );
}
