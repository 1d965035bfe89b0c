//! From the bytes of a record to clean text and what a page says of itself.

pub mod dateline;
pub mod decode;
pub mod furniture;
pub mod html;
pub mod language;
pub mod metadata;
pub mod repair;

use std::collections::HashMap;

use crate::knowledge::Reader;
use crate::text::sentences::SentenceRules;

/// What normalization knows: languages to recognise, how each ends a sentence, and the words of pages.
pub struct Knowledge {
    /// Recognises languages.
    pub languages: language::Languages,
    /// Words of web pages.
    pub pages: html::PageWords,
    /// Words of datelines.
    pub datelines: dateline::DatelineWords,
    /// Phrases that close a page and are no text.
    pub furniture: furniture::Furniture,
    sentences: HashMap<String, SentenceRules>,
    any_language: SentenceRules,
}

impl Knowledge {
    /// `None` where a file cannot be read, which is then a fault.
    pub(crate) fn load(reader: &mut Reader) -> Option<Self> {
        let mut sentences = HashMap::new();
        let mut pages = Vec::new();
        for code in reader.folders("languages") {
            let file = format!("languages/{code}/sentence.toml");
            if reader.has(&file) {
                let (rules, words) = (
                    reader.text(&file),
                    reader.text(&format!("languages/{code}/abbreviations.txt")),
                );
                let rules = SentenceRules::parse(&rules, &words);
                let rules = rules.unwrap_or_else(|error| {
                    reader.fault(&file, None, format!("{error:#}"));
                    SentenceRules::default()
                });
                sentences.insert(code.clone(), rules);
            }
            let file = format!("languages/{code}/page.toml");
            if reader.has(&file) {
                pages.push((code, reader.text(&file)));
            }
        }
        let pages: Vec<(&str, &str)> = pages
            .iter()
            .map(|(code, text)| (code.as_str(), text.as_str()))
            .collect();
        let languages = parse(reader, "languages/identify.bin", language::Languages::load);
        let page_words = parse(reader, "pages.toml", |bytes| {
            html::PageWords::load(utf8(bytes)?, &pages)
        });
        let datelines = parse(reader, "datelines.toml", |bytes| {
            dateline::DatelineWords::parse(utf8(bytes)?)
        });
        Some(Self {
            languages: languages?,
            pages: page_words?,
            datelines: datelines?,
            furniture: furniture::Furniture::parse(&reader.text("furniture.txt")),
            sentences,
            any_language: SentenceRules::default(),
        })
    }

    /// How sentences of a language end; for a language without rules of its own, what holds for most.
    pub fn sentence_rules(&self, language: &str) -> &SentenceRules {
        self.sentences.get(language).unwrap_or(&self.any_language)
    }
}

fn utf8(bytes: &[u8]) -> anyhow::Result<&str> {
    Ok(std::str::from_utf8(bytes)?)
}

/// Reads one file; a fault is noted.
fn parse<T>(reader: &mut Reader, file: &str, read: impl Fn(&[u8]) -> anyhow::Result<T>) -> Option<T> {
    let bytes = reader.bytes(file);
    read(&bytes)
        .map_err(|error| reader.fault(file, None, format!("{error:#}")))
        .ok()
}
