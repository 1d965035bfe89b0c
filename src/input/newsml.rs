//! What news agencies send: NewsML-G2 (and NewsML 1) items and NITF documents, both IPTC standards.

use std::ops::ControlFlow;

use super::emit::Emitter;
use super::fields::{DateOrder, Fields, date, looks_like_html};
use super::source::Source;
use super::xml::{Met, Node, Part, records, root_name};
use super::{Content, Format, Problem, Raw, RejectReason};

/// Messages, packages and single items of NewsML-G2, and NewsML 1.
pub const NEWSML_G2: Format = Format {
    name: "newsml_g2",
    extensions: &["xml", "newsml"],
    recognizes: |head, _| has_root(head, &["newsMessage", "newsItem", "NewsML", "newsItems"]),
    read: |source, out| read(source, out, &["newsItem"], item),
    cut: None,
};

/// The News Industry Text Format, one or more documents in a file.
pub const NITF: Format = Format {
    name: "nitf",
    extensions: &["xml", "nitf"],
    recognizes: |head, _| {
        let start = &head[..head.len().min(8192)];
        has_root(head, &["nitf"])
            || !root_name(head).is_empty() && memchr::memmem::find(start, b"<nitf").is_some()
    },
    read: |source, out| read(source, out, &["nitf"], nitf),
    cut: None,
};

fn has_root(head: &[u8], names: &[&str]) -> bool {
    let root = root_name(head);
    names.iter().any(|name| root.eq_ignore_ascii_case(name))
}

fn read(
    source: &mut Source,
    out: &mut Emitter,
    names: &[&str],
    make: fn(&Node) -> Result<(Fields, Content), Problem>,
) -> ControlFlow<()> {
    let mut record = 0;
    records(source, out, names, |out, met| {
        let (problem, offset, len) = match met {
            Met::Around(_) | Met::Field { .. } => return ControlFlow::Continue(()),
            Met::Record { node, offset, len } => match make(&node) {
                Ok((fields, content)) => {
                    let raw = Raw {
                        record,
                        byte_offset: Some(offset as i64),
                        fields,
                        content,
                    };
                    record += 1;
                    return out.ready(raw, len as usize);
                }
                Err(problem) => (problem, offset, len),
            },
            Met::TooBig { offset, len } => (Problem::oversize(out.options.max_record_bytes), offset, len),
        };
        record += 1;
        out.fault(problem, Some(record - 1), Some(offset as i64), len)
    })
}

/// The line of the first element of one of the names, anywhere inside.
fn line_of(node: &Node, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| node.find(name)?.line())
}

fn date_of(node: &Node, names: &[&str]) -> Option<String> {
    date(&line_of(node, names)?, DateOrder::Unknown)
}

/// A news item. Pictures and other items without text are faults, as are items that were cancelled.
fn item(node: &Node) -> Result<(Fields, Content), Problem> {
    let status = node
        .find("pubStatus")
        .and_then(|status| status.attribute("qcode"))
        .unwrap_or_default();
    if status.ends_with("canceled") || status.ends_with("withheld") {
        return Err(Problem::new(
            RejectReason::NotAnArticle,
            format!("the item's status is {status}"),
        ));
    }
    let class = node
        .find("itemClass")
        .and_then(|class| class.attribute("qcode"))
        .unwrap_or_default();
    let inner = node.find("nitf").map(nitf).and_then(Result::ok);
    let (inner_fields, inner_content) = match inner {
        Some((fields, content)) => (fields, Some(content)),
        None => (Fields::default(), None),
    };
    let content = inner_content
        .or_else(|| inline_content(node))
        .ok_or_else(|| match class {
            "" => Problem::new(RejectReason::NoText, "the item holds no text"),
            class => Problem::new(
                RejectReason::NotAnArticle,
                format!("an item of class {class} without text"),
            ),
        })?;
    let provider = node.find("provider").or_else(|| node.find("Provider"));
    let provider = provider.and_then(|provider| {
        provider
            .line()
            .or_else(|| provider.attribute("literal").map(str::to_string))
    });
    let language = node
        .find("language")
        .and_then(|language| language.attribute("tag").map(str::to_string));
    let canonical = node
        .find("link")
        .and_then(|link| link.attribute("href"))
        .filter(|href| href.starts_with("http"));
    let fields = Fields {
        title: line_of(node, &["headline"]).or(inner_fields.title),
        byline: line_of(node, &["by", "byline"]).or(inner_fields.byline),
        published: date_of(
            node,
            &[
                "firstCreated",
                "contentCreated",
                "versionCreated",
                "ThisRevisionCreated",
            ],
        )
        .or(inner_fields.published),
        modified: date_of(
            node,
            &["contentModified", "versionCreated", "ThisRevisionCreated"],
        ),
        url: canonical.map(str::to_string).or(inner_fields.url),
        source: provider
            .or_else(|| line_of(node, &["infoSource", "creditline"]))
            .or(inner_fields.source),
        language: language.or_else(|| node.attribute("lang").map(str::to_string)),
        id: node
            .attribute("guid")
            .map(str::to_string)
            .or_else(|| line_of(node, &["PublicIdentifier"]))
            .or(inner_fields.id),
        ..Fields::default()
    };
    Ok((fields, content))
}

/// The text of an item: a page or plain text inside it.
fn inline_content(node: &Node) -> Option<Content> {
    let html = |markup: String| Content::Html {
        bytes: markup.into_bytes(),
        charset: Some("utf-8".to_string()),
    };
    for name in ["inlineXML", "DataContent", "inlineData"] {
        let Some(found) = node.find(name) else { continue };
        if found.children().next().is_some() {
            return Some(html(found.inner_markup()));
        }
        let text = found.text().trim().to_string();
        if !text.is_empty() {
            return Some(if looks_like_html(&text) {
                html(text)
            } else {
                Content::Text(text)
            });
        }
    }
    None
}

/// A NITF document.
fn nitf(node: &Node) -> Result<(Fields, Content), Problem> {
    let body = node
        .find("body.content")
        .ok_or_else(|| Problem::new(RejectReason::NoText, "no body.content"))?;
    // Archives store the lead once more as a block of its own beside the full text.
    let full = body
        .children()
        .find(|block| block.attribute("class") == Some("full_text"))
        .unwrap_or(body);
    let mut paragraphs = Vec::new();
    collect_paragraphs(full, &mut paragraphs);
    let text = if paragraphs.is_empty() {
        full.text().trim().to_string()
    } else {
        paragraphs.join("\n\n")
    };
    if text.is_empty() {
        return Err(Problem::new(RejectReason::NoText, "body.content is empty"));
    }
    let attribute = |element: &str, name: &str| {
        node.find(element)
            .and_then(|found| found.attribute(name))
            .map(str::to_string)
    };
    let issued = attribute("date.issue", "norm").or_else(|| attribute("date.release", "norm"));
    let issued = issued.or_else(|| attribute("pubdata", "date.publication"));
    let fields = Fields {
        title: node
            .find("hedline")
            .and_then(|headline| line_of(headline, &["hl1"]))
            .or_else(|| line_of(node, &["title"])),
        byline: line_of(node, &["byline"]),
        published: issued.and_then(|issued| date(&issued, DateOrder::Unknown)),
        url: attribute("pubdata", "ex-ref").filter(|url| url.starts_with("http")),
        source: attribute("pubdata", "name").or_else(|| line_of(node, &["distributor"])),
        id: attribute("doc-id", "id-string"),
        ..Fields::default()
    };
    Ok((fields, Content::Text(text)))
}

/// Paragraphs and headings in their order; media and tables are left out.
fn collect_paragraphs(node: &Node, paragraphs: &mut Vec<String>) {
    for part in &node.parts {
        let Part::Node(child) = part else { continue };
        match child.name.as_str() {
            "p" | "hl2" | "li" | "pre" | "h1" | "h2" | "h3" => paragraphs.extend(child.line()),
            "media" | "table" | "nitf-table" | "fn" => {}
            _ => collect_paragraphs(child, paragraphs),
        }
    }
}
