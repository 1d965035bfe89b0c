//! Facts out of JSON-LD (schema.org): the thing that is most an article speaks for the page.

use super::dates::{Basis, Stamp, stamp};
use super::{collapse, filled, language_tag};
use crate::normalize::html::tree::decode;
use crate::normalize::html::words::PageWords;
use serde_json::Value;
use std::collections::HashMap;

/// Facts from JSON-LD.
#[derive(Debug, Default)]
pub(super) struct Linked {
    pub(super) rank: Option<u8>,
    pub(super) headline: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) published: Option<Stamp>,
    pub(super) modified: Option<Stamp>,
    pub(super) section: Option<String>,
    pub(super) language: Option<String>,
    pub(super) publisher: Option<String>,
    pub(super) body: Option<String>,
}

/// Takes facts from one script. Of several things the one that is most an article wins.
pub(super) fn linked_data(into: &mut Linked, text: &str, words: &PageWords) {
    let Some(value) = parse_json(text) else { return };
    let mut names = HashMap::new();
    collect_names(&value, &mut names, 0);
    visit(into, &value, &names, 0, 0, words);
}

/// JSON as sites write it: raw line breaks inside strings, CDATA marks and trailing semicolons are mended.
fn parse_json(text: &str) -> Option<Value> {
    let text = text
        .trim()
        .trim_start_matches("<!--")
        .trim_end_matches("-->")
        .trim();
    let text = text
        .trim_start_matches("//<![CDATA[")
        .trim_start_matches("<![CDATA[")
        .trim_end_matches("//]]>");
    let text = text.trim_end_matches("]]>").trim().trim_end_matches(';');
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let mended: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut stream = serde_json::Deserializer::from_str(&mended).into_iter::<Value>();
    stream.next()?.ok()
}

/// Names by "@id", for authors that are only referred to.
fn collect_names<'v>(value: &'v Value, names: &mut HashMap<&'v str, &'v str>, depth: u32) {
    if depth > 12 {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|v| collect_names(v, names, depth + 1)),
        Value::Object(map) => {
            if let (Some(Value::String(id)), Some(Value::String(name))) = (map.get("@id"), map.get("name")) {
                names.entry(id).or_insert(name);
            }
            map.values()
                .filter(|v| !v.is_string())
                .for_each(|v| collect_names(v, names, depth + 1));
        }
        _ => {}
    }
}

fn visit(
    into: &mut Linked,
    value: &Value,
    names: &HashMap<&str, &str>,
    nested: u8,
    depth: u32,
    words: &PageWords,
) {
    if depth > 12 {
        return;
    }
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|v| visit(into, v, names, nested, depth + 1, words)),
        Value::Object(map) => {
            if let Some(rank) = map.get("@type").and_then(type_rank) {
                take(into, map, rank + nested, names, words);
            }
            for (key, inner) in map {
                // Things named inside a thing are about it or beside it; only these keys hold the page's own matter.
                let step = match key.as_str() {
                    "@graph" | "mainEntity" => 0,
                    "mainEntityOfPage" => 1,
                    "itemListElement" | "hasPart" | "comment" | "review" | "isPartOf" | "mentions"
                    | "citation" | "relatedLink" | "about" | "subjectOf" | "liveBlogUpdate" | "blogPost" => {
                        continue;
                    }
                    _ => 2,
                };
                if inner.is_object() || inner.is_array() {
                    visit(into, inner, names, nested.saturating_add(step), depth + 1, words);
                }
            }
        }
        _ => {}
    }
}

/// How much a thing is an article: 0 is best.
fn type_rank(value: &Value) -> Option<u8> {
    let of_name = |name: &str| {
        let name = name.rsplit(['/', ':']).next().unwrap_or(name);
        match name {
            "SocialMediaPosting" | "DiscussionForumPosting" => Some(2),
            n if n.ends_with("Article") || n.ends_with("BlogPosting") || n.ends_with("Posting") => Some(0),
            "Report" | "Review" | "CriticReview" | "Recipe" | "HowTo" => Some(2),
            "VideoObject" | "PodcastEpisode" | "CreativeWork" | "AudioObject" => Some(4),
            "WebPage" | "ItemPage" | "AboutPage" | "MedicalWebPage" => Some(5),
            _ => None,
        }
    };
    match value {
        Value::String(name) => of_name(name),
        Value::Array(list) => list.iter().filter_map(|v| of_name(v.as_str()?)).min(),
        _ => None,
    }
}

fn take(
    into: &mut Linked,
    map: &serde_json::Map<String, Value>,
    rank: u8,
    names: &HashMap<&str, &str>,
    words: &PageWords,
) {
    if into.rank.is_some_and(|r| r <= rank) {
        return;
    }
    let text = |key: &str| {
        map.get(key)
            .and_then(first_text)
            .map(|t| collapse(&decode(t)))
            .and_then(filled)
    };
    let date = |key: &str| {
        map.get(key)
            .and_then(first_text)
            .and_then(|t| stamp(t, Basis::JsonLd, words))
    };
    let mut authors = Vec::new();
    if let Some(value) = map.get("author").or_else(|| map.get("creator")) {
        author_names(value, names, &mut authors, 0);
    }
    let new = Linked {
        rank: Some(rank),
        headline: text("headline").or_else(|| text("name")),
        authors,
        published: date("datePublished")
            .or_else(|| date("dateCreated"))
            .or_else(|| date("uploadDate")),
        modified: date("dateModified"),
        section: text("articleSection"),
        language: text("inLanguage").and_then(|t| language_tag(&t)),
        publisher: map.get("publisher").and_then(|p| {
            let name = p.get("name").and_then(first_text);
            let id = p
                .get("@id")
                .and_then(Value::as_str)
                .and_then(|id| names.get(id).copied());
            name.or(id).map(|n| collapse(&decode(n)))
        }),
        body: map
            .get("articleBody")
            .and_then(first_text)
            .map(|t| decode(t).into_owned()),
    };
    // A better thing replaces a lesser one, but what only the lesser knew is kept.
    let old = std::mem::replace(into, new);
    into.headline = into.headline.take().or(old.headline);
    into.published = into.published.or(old.published);
    into.modified = into.modified.or(old.modified);
    into.section = into.section.take().or(old.section);
    into.language = into.language.take().or(old.language);
    into.publisher = into.publisher.take().or(old.publisher);
    if into.authors.is_empty() {
        into.authors = old.authors;
    }
}

fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()),
        Value::Array(list) => list.iter().find_map(Value::as_str),
        Value::Object(map) => map
            .get("@value")
            .and_then(Value::as_str)
            .or_else(|| map.get("name").and_then(Value::as_str)),
        _ => None,
    }
}

fn author_names(value: &Value, names: &HashMap<&str, &str>, out: &mut Vec<String>, depth: u32) {
    if depth > 4 {
        return;
    }
    match value {
        Value::String(name) => out.push(decode(name).into_owned()),
        Value::Array(list) => list.iter().for_each(|v| author_names(v, names, out, depth + 1)),
        Value::Object(map) => match map.get("name") {
            Some(name) => author_names(name, names, out, depth + 1),
            None => {
                let known = map
                    .get("@id")
                    .and_then(Value::as_str)
                    .and_then(|id| names.get(id));
                out.extend(known.map(|n| decode(n).into_owned()));
            }
        },
        _ => {}
    }
}
