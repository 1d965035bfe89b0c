//! Feeds: RSS 0.9 to 2.0, Atom (RFC 4287) and JSON Feed 1.1.

use std::ops::ControlFlow;

use super::fields::{Fields, looks_like_html};
use super::source::Source;
use super::xml::{Met, Node, records, root_name};
use super::{Content, Emitter, Format, Problem, Raw, RejectReason, json};

/// RSS and Atom.
pub const FORMAT: Format = Format {
    name: "feed",
    extensions: &["rss", "atom", "rdf", "xml"],
    recognizes,
    read,
    cut: None,
};

/// JSON Feed: read as any JSON with a list of items.
pub const JSON_FEED: Format = Format {
    name: "json_feed",
    extensions: &["json"],
    recognizes: |head, _| {
        let start = &head[..head.len().min(2048)];
        start.trim_ascii_start().starts_with(b"{")
            && memchr::memmem::find(start, b"jsonfeed.org/version").is_some()
    },
    read: json::read,
    cut: None,
};

fn recognizes(head: &[u8], _extension: &str) -> bool {
    ["rss", "feed", "RDF"]
        .iter()
        .any(|root| root_name(head).eq_ignore_ascii_case(root))
}

/// What the feed says of itself.
#[derive(Default)]
struct Channel {
    title: Option<String>,
    language: Option<String>,
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    let mut channel = Channel::default();
    let mut record = 0;
    records(source, out, &["item", "entry"], |out, met| match met {
        Met::Around(node) => {
            if channel.language.is_none() {
                channel.language = node.attribute("lang").map(str::to_string);
            }
            ControlFlow::Continue(())
        }
        Met::Field { parent, name, text } => {
            let kept = matches!(parent, "channel" | "feed") && !text.is_empty();
            match name {
                "title" if kept && channel.title.is_none() => channel.title = Some(text.to_string()),
                "language" if kept => channel.language = Some(text.to_string()),
                _ => {}
            }
            ControlFlow::Continue(())
        }
        Met::Record { node, offset, len } => {
            let number = record;
            record += 1;
            match raw_of(&node, &channel, number, offset as i64) {
                Some(raw) => out.ready(raw, len as usize),
                None => {
                    let problem = Problem::new(
                        RejectReason::NoText,
                        "the item holds neither content nor description",
                    );
                    out.fault(problem, Some(number), Some(offset as i64), len)
                }
            }
        }
        Met::TooBig { offset, len } => {
            let number = record;
            record += 1;
            out.fault(
                Problem::oversize(out.options.max_record_bytes),
                Some(number),
                Some(offset as i64),
                len,
            )
        }
    })
}

/// Makes a record out of an item or entry; `None` if it has no text.
fn raw_of(item: &Node, channel: &Channel, record: i64, offset: i64) -> Option<Raw> {
    let full = item
        .children()
        .filter(|child| matches!(child.name.as_str(), "encoded" | "content" | "fulltext"));
    // `media:content` describes pictures.
    let full = full.filter(|child| child.prefix != "media").find_map(content_of);
    let short = ["description", "summary"]
        .iter()
        .filter_map(|name| item.child(name))
        .find_map(content_of);
    let summary = full.is_none();
    let content = full.or(short)?;
    let first = |names: &[&str]| names.iter().find_map(|name| item.child_line(name));
    let authors: Vec<String> = item
        .children()
        .filter(|child| matches!(child.name.as_str(), "creator" | "author"))
        .filter_map(|child| child.child_line("name").or_else(|| child.line()))
        .collect();
    let own_source = item
        .child("source")
        .and_then(|source| source.child_line("title").or_else(|| source.line()));
    let fields = Fields {
        title: item
            .children()
            .find(|child| child.name == "title" && child.prefix != "media")
            .and_then(title_of),
        byline: (!authors.is_empty()).then(|| authors.join(", ")),
        published: first(&["pubDate", "published", "date", "issued", "created"]),
        modified: first(&["updated", "modified"]),
        url: link_of(item),
        source: own_source.or_else(|| channel.title.clone()),
        language: item
            .attribute("lang")
            .map(str::to_string)
            .or_else(|| channel.language.clone()),
        id: first(&["guid", "id"]),
        summary,
        ..Fields::default()
    };
    Some(Raw {
        record,
        byte_offset: Some(offset),
        fields,
        content,
    })
}

/// A title may be escaped HTML.
fn title_of(title: &Node) -> Option<String> {
    let line = title.line()?;
    if !line.contains('<') {
        return Some(line);
    }
    let mut plain = String::new();
    let mut inside = false;
    for c in line.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    Some(plain.trim().to_string())
        .filter(|plain| !plain.is_empty())
        .or(Some(line))
}

fn content_of(node: &Node) -> Option<Content> {
    let html = |text: String| Content::Html {
        bytes: text.into_bytes(),
        charset: Some("utf-8".to_string()),
    };
    let has_markup = node.children().next().is_some();
    let text = if has_markup {
        node.inner_markup()
    } else {
        node.text()
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let says_html = node.attribute("type").is_some_and(|kind| kind.contains("html"));
    let is_html = has_markup || says_html || node.name == "encoded" || looks_like_html(text);
    Some(if is_html {
        html(text.to_string())
    } else {
        Content::Text(text.to_string())
    })
}

/// The address of the article: Atom's alternate link, RSS's link, or a guid that is an address.
fn link_of(item: &Node) -> Option<String> {
    let links = || item.children().filter(|child| child.name == "link");
    let atom = links()
        .filter(|link| link.attribute("rel").is_none_or(|rel| rel == "alternate"))
        .find_map(|link| link.attribute("href").map(str::to_string));
    let rss = || links().find_map(Node::line);
    let guid = || {
        item.child_line("guid")
            .or_else(|| item.child_line("id"))
            .filter(|id| id.starts_with("http"))
    };
    // FeedBurner keeps the publisher's address aside.
    item.child_line("origLink").or(atom).or_else(rss).or_else(guid)
}
