//! What a page says about itself: headline, authors, dates, language, address, site.
//!
//! The publication date follows a cascade: JSON-LD, then meta tags, then the address, then `time` elements by the
//! headline. Nothing is read out of running text or copyright lines: an undated page stays undated.

mod authors;
mod dates;
mod headline;
mod linked_data;
mod shown;

use super::html::Page;
use super::html::blocks::Blocks;
use super::html::body::Body;
use super::html::tree::{Tag, Tree};
use super::html::words::PageWords;
pub use authors::clean as clean_authors;
pub use dates::{Basis, Precision, Stamp, stamp, url_date};
pub use headline::title_forms;
use linked_data::{Linked, linked_data};

/// What was read from the head, JSON-LD and the address, before the article was found.
#[derive(Debug, Default)]
pub struct Facts {
    title: Option<String>,
    og_title: Option<String>,
    ld: Linked,
    meta_published: Option<Stamp>,
    meta_modified: Option<Stamp>,
    url_published: Option<Stamp>,
    meta_author: Vec<String>,
    language: Option<String>,
    canonical: Option<String>,
    site: Option<String>,
    host: Option<String>,
    section: Option<String>,
}

/// Meta tags with the publication date, best first, their names in lower case without marks (Open Graph, schema.org,
/// Parse.ly, Sailthru, Dublin Core, Google Scholar's "citation" tags, and names of publishing systems).
const PUBLISHED_NAMES: [&str; 41] = [
    "articlepublishedtime",
    "ogarticlepublishedtime",
    "articlepublished",
    "datepublished",
    "ogpublishedtime",
    "parselypubdate",
    "sailthrudate",
    "rnewsdatepublished",
    "dctermsissued",
    "dcdateissued",
    "dctermscreated",
    "dcdatecreated",
    "dccreated",
    "dctermsdate",
    "dcdate",
    "publicationdate",
    "publishdate",
    "publisheddate",
    "pubdate",
    "articlepublishdate",
    "articlepublisheddate",
    "originalpublicationdate",
    "originalpublishdate",
    "publishedtime",
    "published",
    "shareaholicarticlepublishedtime",
    "mediatorpublishedtime",
    "cxenseparserecspublishtime",
    "cxenseparsepublishtime",
    "btpubdate",
    "vrpublishedtime",
    "wpublisheddate",
    "firstpublished",
    "ptime",
    "displaydate",
    "datecreated",
    "articlecreated",
    "citationpublicationdate",
    "citationdate",
    "releasedate",
    "date",
];

const MODIFIED_NAMES: [&str; 9] = [
    "articlemodifiedtime",
    "ogupdatedtime",
    "datemodified",
    "dctermsmodified",
    "dcdatemodified",
    "lastmodified",
    "lastmod",
    "articlemodified",
    "utime",
];

const AUTHOR_NAMES: [&str; 9] = [
    "author",
    "parselyauthor",
    "sailthruauthor",
    "dccreator",
    "dctermscreator",
    "byl",
    "articleauthorname",
    "articleauthor",
    "citationauthor",
];

/// Reads head, JSON-LD and address.
pub fn read(tree: &Tree<'_>, blocks: &Blocks, url: Option<&str>, words: &PageWords) -> Facts {
    let mut facts = Facts::default();
    let mut ranks = Ranks::default();
    for (index, node) in tree.nodes.iter().enumerate() {
        match node.tag {
            Tag::Html if facts.language.is_none() => {
                facts.language = tree.attribute(index, "lang").and_then(|lang| language_tag(&lang));
            }
            Tag::Title if facts.title.is_none() && blocks.hints[index] == 0 => {
                facts.title = filled(tree.text_of(index, 2000));
            }
            Tag::Link if facts.canonical.is_none() => {
                let canonical = tree
                    .attribute(index, "rel")
                    .is_some_and(|r| r.eq_ignore_ascii_case("canonical"));
                facts.canonical = tree
                    .attribute(index, "href")
                    .filter(|_| canonical)
                    .and_then(|h| address(&h));
            }
            Tag::Meta => meta_tag(&mut facts, &mut ranks, tree, index, words),
            Tag::Script => {
                let kind = tree.attribute(index, "type");
                if kind.is_some_and(|t| t.to_ascii_lowercase().contains("ld+json")) {
                    let text: String = (index + 1..node.end as usize).map(|i| tree.raw_text(i)).collect();
                    linked_data(&mut facts.ld, &text, words);
                }
            }
            _ => {}
        }
    }
    let own_address = facts.canonical.as_deref().or(url);
    facts.host = url.or(facts.canonical.as_deref()).and_then(host);
    facts.url_published = url.and_then(url_date).or_else(|| own_address.and_then(url_date));
    facts
}

/// Places in the lists of names of the tags taken so far; the first name of a list is the best.
#[derive(Default)]
struct Ranks {
    published: Option<usize>,
    modified: Option<usize>,
    author: Option<usize>,
}

fn meta_tag(facts: &mut Facts, ranks: &mut Ranks, tree: &Tree<'_>, index: usize, words: &PageWords) {
    let Some(content) = tree.attribute(index, "content").filter(|c| !c.trim().is_empty()) else {
        return;
    };
    for attribute in ["property", "name", "itemprop"] {
        let Some(name) = tree
            .attribute(index, attribute)
            .map(|n| n.trim().to_ascii_lowercase())
        else {
            continue;
        };
        let key: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let place = |list: &[&str]| list.iter().position(|n| *n == key);
        if let Some(at) = place(&PUBLISHED_NAMES)
            && ranks.published.is_none_or(|best| at < best)
            && let Some(stamp) = stamp(&content, Basis::Meta, words)
        {
            ranks.published = Some(at);
            facts.meta_published = Some(stamp);
        }
        if let Some(at) = place(&MODIFIED_NAMES)
            && ranks.modified.is_none_or(|best| at < best)
            && let Some(stamp) = stamp(&content, Basis::Meta, words)
        {
            ranks.modified = Some(at);
            facts.meta_modified = Some(stamp);
        }
        if let Some(at) = place(&AUTHOR_NAMES)
            && !content.contains("://")
            && ranks.author.is_none_or(|best| at <= best)
        {
            if ranks.author != Some(at) {
                facts.meta_author.clear();
            }
            ranks.author = Some(at);
            facts.meta_author.push(upright(content.trim(), &key));
        }
        other_meta(facts, &name, content.trim());
    }
}

/// Citation tags give "Family, Given"; other tags give names as they are spoken.
fn upright(name: &str, key: &str) -> String {
    match name.split_once(',') {
        Some((family, given)) if key == "citationauthor" && !given.contains(',') => {
            format!("{} {}", given.trim(), family.trim())
        }
        _ => name.to_string(),
    }
}

fn other_meta(facts: &mut Facts, name: &str, content: &str) {
    let slot = match name {
        "og:title" => &mut facts.og_title,
        "twitter:title" | "dc.title" | "parsely-title" | "sailthru.title" if facts.og_title.is_none() => {
            &mut facts.og_title
        }
        "og:site_name" => &mut facts.site,
        "og:url" if facts.canonical.is_none() => {
            facts.canonical = address(content);
            return;
        }
        "article:section" | "parsely-section" | "og:article:section" => &mut facts.section,
        "og:locale" | "content-language" | "dc.language" | "inlanguage" if facts.language.is_none() => {
            facts.language = language_tag(content);
            return;
        }
        _ => return,
    };
    if slot.is_none() {
        *slot = filled(collapse(content));
    }
}

fn filled(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A language tag in BCP 47 form, or none if it is not one.
fn language_tag(text: &str) -> Option<String> {
    let tag = text.split([',', ';', ' ']).next()?.trim().replace('_', "-");
    let primary = tag.split('-').next()?;
    let sound = (2..=3).contains(&primary.len())
        && tag.len() <= 12
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    sound.then_some(tag)
}

fn address(text: &str) -> Option<String> {
    let text = text.trim();
    (text.starts_with("http://") || text.starts_with("https://")).then(|| text.to_string())
}

fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    filled(host.to_ascii_lowercase())
}

/// Completes the page: headline, authors and dates that need the article's place, and the text itself.
pub fn finish(
    facts: Facts,
    tree: &Tree<'_>,
    blocks: &Blocks,
    found: &Body,
    text: String,
    url: Option<&str>,
    words: &PageWords,
) -> Page {
    let title = headline::choose(&facts, blocks, found);
    let mut byline = clean_authors(&facts.ld.authors, words);
    if byline.is_none() {
        byline = clean_authors(&facts.meta_author, words);
    }
    if byline.is_none() {
        byline = clean_authors(&authors::shown(tree, blocks, found, words), words);
    }
    let shown = shown::find(tree, blocks, found, words);
    let published = facts
        .ld
        .published
        .or(facts.meta_published)
        .or(facts.url_published.filter(|s| s.precision != Precision::Month))
        .or(shown.published)
        .or(facts.url_published);
    let text = match &facts.ld.body {
        // A page drawn by script holds its text only in its data.
        Some(declared)
            if declared.len() > 600 && declared.len() > 3 * text.len() && !declared.contains('<') =>
        {
            declared
                .split('\n')
                .map(collapse)
                .filter(|l| !l.is_empty())
                .collect::<Vec<_>>()
                .join("\n\n")
        }
        _ => text,
    };
    Page {
        text,
        headline: title,
        byline,
        published,
        modified: facts
            .ld
            .modified
            .or(facts.meta_modified)
            .or(shown.modified)
            .map(|s| s.at),
        language: facts.language.or(facts.ld.language),
        canonical_url: facts.canonical,
        source: facts
            .site
            .or(facts.ld.publisher)
            .or(facts.host)
            .or_else(|| url.and_then(host)),
        section: facts.ld.section.or(facts.section),
        page_title: facts.title,
        summary: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::html::{read, words::test_words};

    const LD: &str = r#"<script type="application/ld+json">{"@context":"https://schema.org","@graph":[
        {"@type":"WebPage","name":"Base closed | The Daily","datePublished":"2018-01-01"},
        {"@type":"NewsArticle","headline":"Base closed","datePublished":"2019-11-19T10:00:00+01:00",
         "author":[{"@type":"Person","name":"Ann Name"},{"@id":"/bob"}],"articleSection":"World"},
        {"@type":"Person","@id":"/bob","name":"Bob Other"}]}</script>"#;

    #[test]
    fn linked_data_comes_first() {
        let html = format!(
            "<html lang=en-GB><title>Base closed | The Daily</title>{LD}<meta property='article:published_time' content='2011-01-01'>"
        );
        let page = read(&html, Some("https://daily.example/x"), &test_words());
        assert_eq!(page.headline.as_deref(), Some("Base closed"));
        assert_eq!(page.page_title.as_deref(), Some("Base closed | The Daily"));
        assert_eq!(page.byline.as_deref(), Some("Ann Name, Bob Other"));
        assert_eq!(page.section.as_deref(), Some("World"));
        assert_eq!(page.language.as_deref(), Some("en-GB"));
        assert_eq!(page.source.as_deref(), Some("daily.example"));
        let published = page.published.expect("a date");
        assert_eq!(
            (published.basis, published.precision),
            (Basis::JsonLd, Precision::Second)
        );
        assert_eq!(published.rfc3339(), "2019-11-19T10:00:00+01:00");
        assert_eq!(published.at.to_string(), "2019-11-19T09:00:00Z");
    }

    #[track_caller]
    fn basis(head: &str, body: &str, url: &str, expected: Option<Basis>) {
        let html = format!(
            "<html><head><title>Base closed today</title>{head}</head><body><h1>Base closed today</h1>{body}</body>"
        );
        assert_eq!(
            read(&html, Some(url), &test_words()).published.map(|s| s.basis),
            expected,
            "{head}{body}"
        );
    }

    #[test]
    fn the_cascade_of_dates() {
        let time = "<time datetime='2019-11-19'>x</time>";
        basis(
            "<meta name=parsely-pub-date content=2019-11-19>",
            time,
            "https://a.example/2019/11/18/x",
            Some(Basis::Meta),
        );
        basis("", time, "https://a.example/2019/11/18/x", Some(Basis::Url));
        basis("", time, "https://a.example/x", Some(Basis::TimeTag));
        basis(
            "",
            &format!("<div class=related>{time}</div>"),
            "https://a.example/x",
            None,
        );
        basis(
            "",
            "<p>On 19 November 2019 the base closed.</p><p>© 2019 The Daily</p>",
            "https://a.example/x",
            None,
        );
    }
}
