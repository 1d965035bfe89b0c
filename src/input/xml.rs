//! XML as news formats use it: the records of a stream one after the other, each a small tree.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::source::Source;
use super::{Emitter, Problem, RejectReason};

/// An element with what it holds, names without their prefix.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Node {
    /// The element's name, without its namespace.
    pub name: String,
    /// The prefix of the name, `content` of `content:encoded`.
    pub prefix: String,
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// Text and elements in it, in order.
    pub parts: Vec<Part>,
}

/// What an element holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Text(String),
    Node(Node),
}

impl Node {
    /// Elements directly inside.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Node> {
        self.parts.iter().filter_map(|part| match part {
            Part::Node(node) => Some(node),
            Part::Text(_) => None,
        })
    }

    /// The first child of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        self.children()
            .find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// The first element of this name anywhere inside, in document order.
    pub(crate) fn find(&self, name: &str) -> Option<&Node> {
        self.children().find_map(|child| {
            if child.name.eq_ignore_ascii_case(name) {
                Some(child)
            } else {
                child.find(name)
            }
        })
    }

    /// The value of an attribute, prefix aside.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// All text inside, as it stands.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Node(node) => node.push_text(out),
            }
        }
    }

    /// The text inside on one line, if there is any.
    pub(crate) fn line(&self) -> Option<String> {
        let line = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        (!line.is_empty()).then_some(line)
    }

    /// The text of the child of this name on one line.
    pub(crate) fn child_line(&self, name: &str) -> Option<String> {
        self.child(name)?.line()
    }

    /// What is inside, as markup.
    pub(crate) fn inner_markup(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            push_markup(part, &mut out);
        }
        out
    }
}

fn push_markup(part: &Part, out: &mut String) {
    match part {
        Part::Text(text) => out.push_str(&quick_xml::escape::partial_escape(text.as_str())),
        Part::Node(node) => {
            out.push('<');
            out.push_str(&node.name);
            for (name, value) in &node.attributes {
                out.push_str(&format!(
                    " {name}=\"{}\"",
                    quick_xml::escape::escape(value.as_str())
                ));
            }
            out.push('>');
            node.parts.iter().for_each(|part| push_markup(part, out));
            out.push_str(&format!("</{}>", node.name));
        }
    }
}

/// The local name of a document's first element; empty if there is none in the head.
pub(crate) fn root_name(head: &[u8]) -> String {
    let mut rest = head.trim_ascii_start();
    loop {
        let Some(inside) = rest.strip_prefix(b"<") else {
            return String::new();
        };
        let end = if inside.starts_with(b"?") {
            memchr::memmem::find(inside, b"?>").map(|at| at + 2)
        } else if inside.starts_with(b"!--") {
            memchr::memmem::find(inside, b"-->").map(|at| at + 3)
        } else if inside.starts_with(b"!") {
            // A document type may hold declarations in brackets.
            let close = memchr::memchr(b'>', inside);
            match (close, memchr::memchr(b'[', inside)) {
                (Some(close), Some(open)) if open < close => {
                    memchr::memmem::find(inside, b"]>").map(|at| at + 2)
                }
                _ => close.map(|at| at + 1),
            }
        } else {
            let name: Vec<u8> = inside
                .iter()
                .copied()
                .take_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'>' | b'/'))
                .collect();
            let name = String::from_utf8_lossy(&name).into_owned();
            return name.rsplit(':').next().unwrap_or_default().to_string();
        };
        match end {
            Some(end) => rest = inside[end..].trim_ascii_start(),
            None => return String::new(),
        }
    }
}

/// The encoding that the XML declaration names; UTF-8 if it names none.
fn declared_encoding(head: &[u8]) -> &'static encoding_rs::Encoding {
    let line = &head[..memchr::memmem::find(head, b"?>").unwrap_or(0)];
    let line = String::from_utf8_lossy(line);
    let label = line
        .split_once("encoding")
        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1).map(str::to_string));
    label
        .and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()))
        .unwrap_or(encoding_rs::UTF_8)
}

/// What `records` meets in a stream.
pub(crate) enum Met<'a> {
    /// The start of an element outside the records, as a node without parts.
    Around(&'a Node),
    /// The text of an element outside the records, with the name of its parent.
    Field {
        parent: &'a str,
        name: &'a str,
        text: &'a str,
    },
    /// A record and the bytes it took.
    Record { node: Node, offset: u64, len: u64 },
    /// A record that is too long or nested too deeply was passed over.
    TooBig { offset: u64, len: u64 },
}

/// Elements nest less deeply than this; the tree is walked on the stack.
const DEPTH_MAX: usize = 200;

/// Calls `each` on the elements of the given names, and on what stands around them. Namespaces are not looked at, end
/// tags that match nothing are passed over, as feeds in the wild are careless.
pub(crate) fn records(
    source: &mut Source,
    out: &mut Emitter,
    names: &[&str],
    mut each: impl FnMut(&mut Emitter, Met) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let encoding = declared_encoding(&source.head);
    let stream = match source.stream_as_utf8(encoding) {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let limit = out.options.max_record_bytes as u64;
    let left = Rc::new(Cell::new(0));
    let budgeted = Budgeted {
        stream,
        left: left.clone(),
    };
    let mut reader = Reader::from_reader(BufReader::with_capacity(64 << 10, budgeted));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut buffer = Vec::new();
    let mut around: Vec<Node> = Vec::new();
    loop {
        buffer.clear();
        left.set(limit);
        let offset = reader.buffer_position();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(error) => return out.fault(problem_of(source, error), None, Some(offset as i64), 0),
        };
        match event {
            Event::Start(start) => {
                let node = node_of(&start);
                if names.iter().any(|name| node.name.eq_ignore_ascii_case(name)) {
                    let outcome = tree(&mut reader, node, offset, limit, &left);
                    let len = reader.buffer_position() - offset;
                    match outcome {
                        Ok(Some(node)) => each(out, Met::Record { node, offset, len })?,
                        Ok(None) => each(out, Met::TooBig { offset, len })?,
                        Err(error) => {
                            return out.fault(problem_of(source, error), None, Some(offset as i64), 0);
                        }
                    }
                } else {
                    each(out, Met::Around(&node))?;
                    if around.len() < DEPTH_MAX {
                        around.push(node);
                    }
                }
            }
            Event::Empty(start) => each(out, Met::Around(&node_of(&start)))?,
            Event::End(end) => {
                if let Some(closed) = close(&mut around, local(end.name().as_ref()).1) {
                    let parent = around.last().map_or("", |node| node.name.as_str());
                    let text = closed.text();
                    each(
                        out,
                        Met::Field {
                            parent,
                            name: &closed.name,
                            text: text.trim(),
                        },
                    )?;
                }
            }
            Event::Eof => return ControlFlow::Continue(()),
            event => {
                if let (Some(text), Some(open)) = (text_of(&event), around.last_mut()) {
                    // Text around the records is a feed's title or language: short.
                    if open.parts.len() < 64 && text.len() < 4096 {
                        open.parts.push(Part::Text(text));
                    }
                }
            }
        }
    }
}

/// Takes the innermost open element of this name and drops what was left open inside.
fn close(around: &mut Vec<Node>, name: &str) -> Option<Node> {
    let open = around.iter().rposition(|node| node.name == name)?;
    let closed = around.swap_remove(open);
    around.truncate(open);
    Some(closed)
}

/// Fails once more bytes were read than the budget, which is renewed for each event: the reader holds an event whole.
struct Budgeted {
    stream: Box<dyn Read>,
    left: Rc<Cell<u64>>,
}

const OVER_BUDGET: &str = "a piece of text or markup is longer than a record may be";

impl Read for Budgeted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, OVER_BUDGET));
        }
        let len = self.stream.read(buf)?;
        self.left.set(self.left.get().saturating_sub(len as u64));
        Ok(len)
    }
}

fn problem_of(source: &Source, error: quick_xml::Error) -> Problem {
    match error {
        quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Problem::new(RejectReason::Oversize, OVER_BUDGET)
        }
        quick_xml::Error::Io(error) => source.problem_of(&error),
        quick_xml::Error::Syntax(error)
            if error.to_string().contains("closed") || error.to_string().contains("EOF") =>
        {
            Problem::new(RejectReason::Truncated, error.to_string())
        }
        error => Problem::new(RejectReason::BadRecord, error.to_string()),
    }
}

fn local(name: &str) -> (&str, &str) {
    name.rsplit_once(':').unwrap_or(("", name))
}

fn node_of(start: &BytesStart) -> Node {
    let name = start.name();
    let (prefix, name) = local(name.as_ref());
    let mut attributes = Vec::new();
    for attribute in start.html_attributes().with_checks(false).flatten().take(64) {
        let name = local(attribute.key.as_ref()).1.to_string();
        attributes.push((name, unescaped(&attribute.value)));
    }
    Node {
        name: name.to_string(),
        prefix: prefix.to_string(),
        attributes,
        parts: Vec::new(),
    }
}

/// Text with its references resolved, those of HTML too; what is none stays as it is.
fn unescaped(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_string(), |text| text.into_owned())
}

fn text_of(event: &Event) -> Option<String> {
    match event {
        Event::Text(text) => Some(text.xml10_content().into_owned()),
        Event::CData(text) => Some(text.xml10_content().into_owned()),
        Event::GeneralRef(reference) => Some(resolved(reference)),
        _ => None,
    }
}

fn resolved(reference: &BytesRef) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    let name = reference.borrow().into_inner();
    match quick_xml::escape::resolve_html5_entity(&name) {
        Some(text) => text.to_string(),
        None => format!("&{name};"),
    }
}

/// Reads the rest of an element into a tree; `None` if it is longer than `limit` or too deep, in which case it was
/// passed over.
fn tree<R: BufRead>(
    reader: &mut Reader<R>,
    root: Node,
    offset: u64,
    limit: u64,
    left: &Cell<u64>,
) -> Result<Option<Node>, quick_xml::Error> {
    let mut open = vec![root];
    let mut too_big = false;
    let mut depth = 1usize;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        left.set(limit);
        let event = reader.read_event_into(&mut buffer)?;
        too_big |= reader.buffer_position() - offset > limit || depth > DEPTH_MAX;
        if too_big {
            open.truncate(1);
        }
        match event {
            Event::Start(start) => {
                depth += 1;
                if !too_big {
                    open.push(node_of(&start));
                }
            }
            Event::Empty(start) if !too_big => {
                let node = node_of(&start);
                push(&mut open, Part::Node(node));
            }
            Event::End(end) if too_big => {
                depth -= 1;
                if depth == 0 || depth == 1 && local(end.name().as_ref()).1 == open[0].name {
                    return Ok(None);
                }
            }
            Event::End(end) => {
                let name = end.name();
                let name = local(name.as_ref()).1;
                // An end tag closes what it names; one that names nothing open is passed over.
                let Some(at) = open.iter().rposition(|node| node.name == name) else {
                    continue;
                };
                while open.len() > at {
                    let Some(closed) = open.pop() else { break };
                    depth -= 1;
                    if open.is_empty() {
                        return Ok(Some(closed));
                    }
                    push(&mut open, Part::Node(closed));
                }
            }
            Event::Eof => {
                return Err(quick_xml::Error::Io(std::sync::Arc::new(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file ends inside an element",
                ))));
            }
            event if !too_big => {
                if let Some(text) = text_of(&event) {
                    push(&mut open, Part::Text(text));
                }
            }
            _ => {}
        }
    }
}

fn push(open: &mut [Node], part: Part) {
    let Some(node) = open.last_mut() else { return };
    match (node.parts.last_mut(), part) {
        (Some(Part::Text(known)), Part::Text(text)) => known.push_str(&text),
        (_, part) => node.parts.push(part),
    }
}
