//! A raw record becomes a document, or says why not: decoding, main text, repair, metadata, language.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::id;
use crate::input::{Content, Fault, Fields, Raw};
use crate::knowledge::Knowledge;
use crate::normalize::html::{self, Page, PageWords};
use crate::normalize::metadata;
use crate::normalize::{dateline, decode, furniture, repair};
use crate::plan::Documents;
use crate::tables::{Code, Document, PublishedBasis, RejectReason, StampPrecision};
use crate::text::sentences;

/// Reads one record.
///
/// # Errors
/// The record holds no article; the fault says why.
pub fn read(
    raw: Raw,
    input_path: &str,
    wanted: &Documents,
    knowledge: &Knowledge,
    run_id: &str,
) -> Result<Document, Fault> {
    let fault = |reason, detail: &str| Fault {
        input_path: input_path.to_owned(),
        record: Some(raw.record),
        byte_offset: raw.byte_offset,
        reason,
        detail: detail.to_owned(),
    };
    let words = &knowledge.normalization;
    let mut repairs = Vec::new();
    let page = page(raw.content, raw.fields.url.as_deref(), knowledge, &mut repairs);
    let text = clean(&page.text, knowledge, &mut repairs);
    if text.is_empty() {
        return Err(fault(
            RejectReason::NoText,
            "the record has no text after normalization",
        ));
    }
    let (language, language_confidence) = words.languages.detect(&text);
    let sentences = sentences::split(&text, words.sentence_rules(language));
    let word_count = count_words(&text);
    if word_count < wanted.min_words {
        let detail = format!("{word_count} words, where the plan asks for {}", wanted.min_words);
        return Err(fault(RejectReason::TooShort, &detail));
    }
    let dateline = dateline::dateline(&text, &words.datelines);
    let mut document = Document {
        word_count: word_count as i32,
        sentence_count: sentences.len() as i32,
        language: Code::new(language),
        language_confidence,
        dateline_place: dateline.as_ref().and_then(|line| line.place.map(str::to_owned)),
        dateline_agency: dateline.and_then(|line| line.agency.map(str::to_owned)),
        repairs: (!repairs.is_empty()).then(|| repairs.join(",")),
        input_path: input_path.to_owned(),
        input_record: raw.record,
        run_id: run_id.to_owned(),
        text,
        ..Document::default()
    };
    describe(&mut document, raw.fields, page, &words.pages);
    document.document_id = identity(&document);
    Ok(document)
}

/// The article in a record's content: of a page its main text and what it says of itself.
fn page(content: Content, url: Option<&str>, knowledge: &Knowledge, repairs: &mut Vec<&'static str>) -> Page {
    let words = &knowledge.normalization.pages;
    let mut decoded = |bytes: &[u8], charset: Option<String>, is_html: bool| {
        let decoded = decode::decode(bytes, charset.as_deref(), is_html);
        if decoded.replaced > 0 {
            repairs.push("invalid_bytes");
        }
        decoded.text.into_owned()
    };
    match content {
        Content::Text(text) => Page {
            text,
            ..Page::default()
        },
        Content::Plain { bytes, charset } => Page {
            text: decoded(&bytes, charset, false),
            ..Page::default()
        },
        Content::Html { bytes, charset } => html::read(&decoded(&bytes, charset, true), url, words),
    }
}

/// Text as it is stored: repaired, without what closes a page, trimmed.
fn clean(text: &str, knowledge: &Knowledge, repairs: &mut Vec<&'static str>) -> String {
    let repaired = repair::repair(text);
    repairs.extend(repaired.repairs);
    let end = knowledge.normalization.furniture.text_end(&repaired.text);
    if repaired.text[end..]
        .chars()
        .any(|character| !character.is_whitespace())
    {
        repairs.push("page_end");
    }
    repaired.text[..end].trim().to_owned()
}

/// Words of a text; of scripts that are written without spaces, every two characters are taken for one.
fn count_words(text: &str) -> usize {
    if text.is_ascii() {
        return count_ascii_words(text.as_bytes());
    }
    let mut words = 0;
    let mut unspaced = 0;
    for word in text.split_whitespace() {
        words += 1;
        if !word.is_ascii() {
            unspaced += word.chars().filter(|character| is_unspaced(*character)).count();
        }
    }
    words + unspaced / 2
}

/// The same without decoding characters: places where a word begins.
fn count_ascii_words(text: &[u8]) -> usize {
    let is_space = |byte: u8| matches!(byte, 9..=13 | 32);
    let mut before = true;
    let mut words = 0;
    for byte in text {
        let space = is_space(*byte);
        words += usize::from(before && !space);
        before = space;
    }
    words
}

/// Han, Kana, Thai, Lao, Khmer, Burmese: the Unicode blocks of scripts without spaces.
fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

/// Fills in what the record says of the article, and where it says nothing, what the page says.
fn describe(document: &mut Document, fields: Fields, page: Page, words: &PageWords) {
    let tidy = |text: Option<String>| text.map(|text| one_line(&text)).filter(|text| !text.is_empty());
    let given_title = tidy(fields.title).or_else(|| tidy(page.headline));
    let page_title = tidy(fields.page_title).or_else(|| tidy(page.page_title));
    let title = given_title.or_else(|| page_title.clone());
    document.title = title
        .as_deref()
        .map(|title| furniture::part_title(title).title.to_owned());
    document.page_title = page_title
        .or(title)
        .filter(|title| Some(title) != document.title.as_ref());
    document.byline = tidy(fields.byline).or_else(|| tidy(page.byline));
    document.url = tidy(page.canonical_url).or_else(|| tidy(fields.url));
    document.source = tidy(fields.source)
        .or_else(|| tidy(page.source))
        .or_else(|| document.url.as_deref().and_then(host));
    let stamp = |text: &str| metadata::stamp(text, metadata::Basis::Meta, words);
    document.modified_at = fields
        .modified
        .as_deref()
        .and_then(stamp)
        .map(|stamp| stamp.at)
        .or(page.modified);
    document.seen_at = fields.seen.as_deref().and_then(stamp).map(|stamp| stamp.at);
    let given = fields
        .published
        .as_deref()
        .and_then(stamp)
        .map(|stamp| (stamp, PublishedBasis::Field));
    let on_page = page.published.map(|stamp| {
        // The names of both enums are those of the table, so that they cannot fail to parse.
        let basis = PublishedBasis::parse(stamp.basis.name()).unwrap_or_default();
        (stamp, basis)
    });
    if let Some((stamp, basis)) = given.or(on_page) {
        document.published_at = Some(stamp.at);
        document.published_precision = StampPrecision::parse(stamp.precision.name()).ok();
        document.published_basis = Some(basis);
    }
}

fn one_line(text: &str) -> String {
    let repaired = repair::repair(text);
    match repaired.text {
        Cow::Borrowed(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Cow::Owned(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// The host of an address, without `www.`.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let host = rest
        .split(['/', '?', '#'])
        .next()?
        .rsplit('@')
        .next()?
        .split(':')
        .next()?;
    let host = host.strip_prefix("www.").unwrap_or(host).to_lowercase();
    (!host.is_empty()).then_some(host)
}

/// What makes an article itself: its text, title, address, publisher and date.
fn identity(document: &Document) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let published = document
        .published_at
        .map_or(String::new(), |at: Timestamp| at.to_string());
    let parts = [
        document.text.clone(),
        text(&document.title),
        text(&document.url),
        text(&document.source),
        published,
    ];
    id::of("d", &parts.each_ref().map(|part| part.as_bytes()))
}
