//! Megabytes a second of the stages of reading, one thread each: what a newswire story and what a page costs.
//!
//! ```sh
//! cargo bench --bench stages -- stories.jsonl[.gz] [folder with html/*.html.gz]
//! cargo bench --bench stages -- read archive.warc.gz     # once, for benches/warc_peers.py to take the time of
//! ```
//!
//! Each stage runs over everything three times and the best run counts; time is what the thread spent on a processor where
//! the system tells it (Linux), else wall time. 1 MB is 1e6 bytes of what the stage takes in; of archives, of the pages that
//! come out.

use std::hint::black_box;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use garrison::dedup::{self, Origin, Scratch};
use garrison::document;
use garrison::input::{self, Batch, Content, ReadOptions};
use garrison::knowledge::{self, Knowledge};
use garrison::normalize::{html, repair};
use garrison::plan::Documents;
use garrison::text::sentences;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let Some(stories) = arguments.first() else {
        println!("stages: no collection given; see the head of benches/stages.rs");
        return;
    };
    if let ("read", Some(archive)) = (stories.as_str(), arguments.get(1)) {
        let (mut bodies, mut bytes) = (0, 0);
        each_batch(archive, &mut |batch| {
            bodies += batch.len();
            bytes += batch.bytes;
        });
        println!("{bodies} bodies, {:.1} MB of records", bytes as f64 / 1e6);
        return;
    }
    let knowledge =
        knowledge::load(knowledge::Source::from(None)).unwrap_or_else(|faults| panic!("{faults:?}"));
    of_stories(&texts(stories), &knowledge);
    if let Some(folder) = arguments.get(1) {
        of_pages(&pages(Path::new(folder)), &knowledge);
    }
}

/// The best of three runs over `bytes` of input.
fn measure(stage: &str, bytes: usize, items: usize, mut work: impl FnMut()) {
    let seconds = (0..3)
        .map(|_| {
            let start = (on_processor(), Instant::now());
            work();
            match (start.0, on_processor()) {
                (Some(before), Some(after)) => (after - before) as f64 / 1e9,
                _ => start.1.elapsed().as_secs_f64(),
            }
        })
        .fold(f64::INFINITY, f64::min);
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{stage:<28} {:>8.0} MB/s {:>10.0} items/s",
        megabytes / seconds,
        items as f64 / seconds
    );
}

/// Nanoseconds that the main thread was on a processor.
fn on_processor() -> Option<u64> {
    let line = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    line.split(' ').next()?.parse().ok()
}

/// Reads a file in one go and hands on its batches.
fn each_batch(path: &str, work: &mut dyn FnMut(Batch)) {
    let found = input::discover(&[path.to_owned()]).expect("the file is there");
    for unit in input::split(&found.files, u64::MAX) {
        input::read(&unit, &ReadOptions::default(), &mut |batch| {
            work(batch);
            ControlFlow::Continue(())
        })
        .expect("the format is told from the file");
    }
}

fn texts(path: &str) -> Vec<String> {
    let mut texts = Vec::new();
    each_batch(path, &mut |batch| {
        for record in 0..batch.len() {
            if let Ok(Content::Text(text)) = batch.parse(record).map(|raw| raw.content) {
                texts.push(text);
            }
        }
    });
    texts
}

fn of_stories(texts: &[String], knowledge: &Knowledge) {
    let bytes = texts.iter().map(String::len).sum();
    let words = &knowledge.normalization;
    let stage = |name: &str, work: &mut dyn FnMut(&str)| {
        measure(name, bytes, texts.len(), || {
            texts.iter().for_each(|text| work(text))
        });
    };
    stage("repair", &mut |text| drop(black_box(repair::repair(text))));
    stage("language", &mut |text| {
        black_box(words.languages.detect(text));
    });
    let rules = words.sentence_rules("en");
    stage("sentences", &mut |text| {
        drop(black_box(sentences::split(text, rules)))
    });
    let mut scratch = Scratch::default();
    stage("sketch", &mut |text| {
        drop(black_box(dedup::sketch(text, Origin::default(), &mut scratch)))
    });
}

fn pages(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder.join("html"))
        .expect("the folder has html/")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    let unpacked = |path: &PathBuf| {
        let mut page = Vec::new();
        let file = std::fs::File::open(path).expect("a readable page");
        flate2::read::MultiGzDecoder::new(file)
            .read_to_end(&mut page)
            .expect("a whole gzip file");
        page
    };
    paths.iter().map(unpacked).collect()
}

fn of_pages(pages: &[Vec<u8>], knowledge: &Knowledge) {
    let bytes = pages.iter().map(Vec::len).sum();
    let decoded: Vec<String> = pages
        .iter()
        .map(|page| String::from_utf8_lossy(page).into_owned())
        .collect();
    measure("main text and metadata", bytes, pages.len(), || {
        for page in &decoded {
            black_box(html::read(page, None, &knowledge.normalization.pages));
        }
    });
    let path = std::env::temp_dir().join(format!("garrison-stages-{}.warc.gz", std::process::id()));
    std::fs::write(&path, archive(pages)).expect("a writable temporary folder");
    let archive = path.display().to_string();
    let (all_bytes, all_pages) = (bytes * ARCHIVED, pages.len() * ARCHIVED);
    measure("WARC, gzip by record", all_bytes, all_pages, || {
        each_batch(&archive, &mut |batch| {
            black_box(batch.len());
        })
    });
    let wanted = Documents { min_words: 1 };
    measure("WARC to documents", all_bytes, all_pages, || {
        each_batch(&archive, &mut |batch| {
            for raw in (0..batch.len()).filter_map(|record| batch.parse(record).ok()) {
                let _ = black_box(document::read(raw, "a.warc.gz", &wanted, knowledge, ""));
            }
        })
    });
    std::fs::remove_file(&path).expect("the archive is ours");
}

/// How often each page stands in the archive, so that it is long enough to measure.
const ARCHIVED: usize = 4;

/// The pages as responses, each record a gzip member.
fn archive(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for page in (0..ARCHIVED).flat_map(|_| pages) {
        let http = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/\r\nContent-Length: {}\r\n\r\n{http}",
            http.len() + page.len()
        );
        let mut member = flate2::write::GzEncoder::new(&mut out, flate2::Compression::default());
        for part in [head.as_bytes(), page, b"\r\n\r\n"] {
            member.write_all(part).expect("memory");
        }
        member.finish().expect("memory");
    }
    out
}
