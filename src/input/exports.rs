//! Text exports of the news databases LexisNexis (the old layout and that of Nexis Uni) and Factiva (by field codes or
//! as displayed): many articles in one file.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::csv::encoding_of;
use super::emit::{Parse, Slice};
use super::fields::{DateOrder, Fields, Layout, date, decoded};
use super::jsonl::{Line, Lines};
use super::source::Source;
use super::{Content, Emitter, Format, Problem, Raw, RejectReason};

/// LexisNexis and Nexis Uni.
pub const LEXISNEXIS: Format = Format {
    name: "lexisnexis",
    extensions: &["txt"],
    recognizes: |head, _| is_lexisnexis(head),
    read: |source, out| read(source, out, lexisnexis_edge, parse_lexisnexis),
    cut: None,
};

/// Factiva.
pub const FACTIVA: Format = Format {
    name: "factiva",
    extensions: &["txt"],
    recognizes: |head, _| is_factiva(head),
    read: |source, out| read(source, out, factiva_edge, parse_factiva),
    cut: None,
};

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').map(<[u8]>::trim_ascii)
}

fn is_lexisnexis(head: &[u8]) -> bool {
    let counted = lines(head)
        .take(200)
        .any(|line| lexisnexis_edge(line) == Edge::Before);
    let dated = || lines(head).any(|line| line.starts_with(b"Load-Date:") || line.starts_with(b"LOAD-DATE:"));
    let measured = || lines(head).any(|line| line.starts_with(b"Length:") || line.starts_with(b"LENGTH:"));
    counted && measured() || dated() && measured()
}

fn is_factiva(head: &[u8]) -> bool {
    let codes = ["HD", "WC", "PD", "SN", "LP", "TD"];
    let coded = || {
        codes
            .iter()
            .filter(|code| lines(head).any(|line| field_code(line) == Some(**code)))
            .count()
            >= 4
    };
    lines(head).any(|line| factiva_edge(line) == Edge::After) || coded()
}

/// What a line says about where articles begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    None,
    /// The line is the first of an article.
    Before,
    /// The line is the last of an article.
    After,
}

/// `12 of 200 DOCUMENTS` before an article, or `End of Document` after one.
fn lexisnexis_edge(line: &[u8]) -> Edge {
    if line == b"End of Document" {
        return Edge::After;
    }
    let mut words = line
        .split(|b| b.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    let number = |word: Option<&[u8]>| word.is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    let counts = number(words.next()) && words.next().is_some() && number(words.next());
    let last = words.next().unwrap_or_default();
    if counts && last.starts_with(b"DOCUMENT") && words.next().is_none() {
        Edge::Before
    } else {
        Edge::None
    }
}

/// `Document RTRS000020240105ek15000ab`: a source code, digits and letters.
fn factiva_edge(line: &[u8]) -> Edge {
    let Some(number) = line.strip_prefix(b"Document ") else {
        return Edge::None;
    };
    let capitals = number.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let plausible =
        capitals >= 1 && (18..=40).contains(&number.len()) && number.iter().all(u8::is_ascii_alphanumeric);
    let dated = number.iter().filter(|b| b.is_ascii_digit()).count() >= 10;
    if plausible && dated {
        Edge::After
    } else {
        Edge::None
    }
}

/// Cuts the file into articles and hands each on as it stands.
fn read(source: &mut Source, out: &mut Emitter, edge: fn(&[u8]) -> Edge, parse: Parse) -> ControlFlow<()> {
    let encoding = encoding_of(&source.sample());
    out.set_layout(Arc::new(Layout {
        encoding,
        ..(*source.layout).clone()
    }));
    let stream = match source.stream() {
        Ok(stream) => stream,
        Err(error) => return out.file_fault(source.problem_of(&error)),
    };
    let limit = out.options.max_record_bytes;
    let mut article = Article {
        bytes: Vec::new(),
        start: 0,
        record: 0,
        too_long: false,
    };
    let mut lines = Lines::new(stream, 0, limit);
    loop {
        let offset = lines.offset();
        match lines.next() {
            Ok(Some(Line::Whole(line))) => {
                let edge = edge(line.trim_ascii());
                if edge == Edge::Before {
                    article.hand_on(out, parse)?;
                    article.start = offset;
                    continue;
                }
                article.push(line, limit);
                if edge == Edge::After {
                    article.hand_on(out, parse)?;
                    article.start = lines.offset();
                }
            }
            Ok(Some(Line::TooLong(_))) => article.too_long = true,
            Ok(None) => return article.hand_on(out, parse),
            Err(error) => {
                article.hand_on(out, parse)?;
                return out.fault(
                    source.problem_of(&error),
                    Some(article.record),
                    Some(offset as i64),
                    0,
                );
            }
        }
    }
}

struct Article {
    bytes: Vec<u8>,
    start: u64,
    record: i64,
    too_long: bool,
}

impl Article {
    fn push(&mut self, line: &[u8], limit: usize) {
        self.too_long |= self.bytes.len() + line.len() > limit;
        if !self.too_long {
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\n');
        }
    }

    fn hand_on(&mut self, out: &mut Emitter, parse: Parse) -> ControlFlow<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let offset = Some(self.start as i64);
        let record = self.record;
        if std::mem::take(&mut self.too_long) {
            self.record += 1;
            return out.fault(
                Problem::oversize(out.options.max_record_bytes),
                Some(record),
                offset,
                bytes.len() as u64,
            );
        }
        if bytes.trim_ascii().is_empty() {
            out.skip(bytes.len() as u64);
            return ControlFlow::Continue(());
        }
        self.record += 1;
        out.slice(parse, record, offset, &bytes)
    }
}

/// Labels of the old layout that may stand before the text.
const HEAD_LABELS: &[&str] = &[
    "BYLINE",
    "SECTION",
    "LENGTH",
    "DATELINE",
    "HIGHLIGHT",
    "HEADLINE",
    "SERIES",
    "SOURCE",
];
/// Labels after the text.
const TAIL_LABELS: &[&str] = &[
    "LOAD-DATE",
    "LANGUAGE",
    "URL",
    "GRAPHIC",
    "SUBJECT",
    "PUBLICATION-TYPE",
    "PUB-TYPE",
    "TYPE",
    "DOCUMENT-TYPE",
    "JOURNAL-CODE",
    "COMPANY",
    "GEOGRAPHIC",
    "COUNTRY",
    "STATE",
    "CITY",
    "PERSON",
    "INDUSTRY",
    "CATEGORY",
    "ORGANIZATION",
    "NOTES",
    "CORRECTION",
    "CORRECTION-DATE",
    "TICKER",
    "ACC-NO",
    "DISTRIBUTION",
    "CLASSIFICATION",
    "COPYRIGHT",
];

/// The label that a line begins with, upper case, and what follows it.
fn label<'a>(line: &'a str, labels: &[&'static str]) -> Option<(&'static str, &'a str)> {
    let (start, rest) = line.split_once(':')?;
    let found = labels
        .iter()
        .find(|label| label.eq_ignore_ascii_case(start.trim()))?;
    Some((found, rest.trim()))
}

/// Blocks of lines between blank lines, each on one line: the exports wrap their paragraphs.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        let line = line.trim();
        match blocks.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(line);
            }
            Some(last) if !last.is_empty() => blocks.push(String::new()),
            _ => {}
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Whether a line is a date: a year and a day, and little else.
fn is_date_line(line: &str) -> bool {
    let numbers: Vec<&str> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect();
    let year = numbers
        .iter()
        .any(|number| number.len() == 4 && (number.starts_with("19") || number.starts_with("20")));
    year && numbers.iter().any(|number| number.len() <= 2)
        && line.len() <= 80
        && line.split_whitespace().count() <= 9
}

fn record_of(slice: &Slice, fields: Fields, body: &[String]) -> Result<Raw, Problem> {
    if body.is_empty() {
        return Err(Problem::new(RejectReason::NoText, "the article has no body"));
    }
    let content = Content::Text(body.join("\n\n"));
    Ok(Raw {
        record: slice.record,
        byte_offset: slice.byte_offset,
        fields,
        content,
    })
}

fn parse_lexisnexis(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let text = decoded(layout, slice.bytes);
    if text.lines().any(|line| line.trim() == "Body") {
        return parse_nexis_uni(&text, &slice);
    }
    let mut fields = Fields::default();
    let mut headings: Vec<String> = Vec::new();
    let mut body: Vec<String> = Vec::new();
    let mut labelled = false;
    let mut ended = false;
    for block in blocks(&text) {
        if let Some((name, value)) = label(&block, HEAD_LABELS).filter(|_| body.is_empty()) {
            labelled = true;
            match name {
                "BYLINE" => fields.byline = some(value),
                "HEADLINE" => fields.title = some(value),
                _ => {}
            }
        } else if let Some((name, value)) = label(&block, TAIL_LABELS).filter(|_| labelled) {
            ended = true;
            match name {
                "URL" if value.starts_with("http") => fields.url = some(value),
                "LOAD-DATE" => fields.seen = some(value),
                "LANGUAGE" => fields.language = some(value),
                _ => {}
            }
        } else if labelled && !ended {
            body.push(block);
        } else if !labelled {
            headings.push(block);
        }
    }
    let heads = headings
        .iter()
        .filter(|block| !is_rights_line(block))
        .collect::<Vec<_>>();
    fields.source = heads.first().map(|line| line.to_string());
    fields.published = heads
        .iter()
        .find(|line| is_date_line(line))
        .map(|line| line.to_string());
    let last = heads
        .last()
        .filter(|line| heads.len() >= 2 && !is_date_line(line));
    fields.title = fields.title.or_else(|| last.map(|line| line.to_string()));
    record_of(&slice, fields, &body)
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_string())
}

fn is_rights_line(line: &str) -> bool {
    line.starts_with("Copyright")
        || line.starts_with("(c)")
        || line.starts_with('©')
        || line.starts_with("(C)")
}

/// The layout of Nexis Uni: title, publication and date, labels, `Body`, the text, then what is known about it.
fn parse_nexis_uni(text: &str, slice: &Slice) -> Result<Raw, Problem> {
    let mut fields = Fields::default();
    let mut heads: Vec<&str> = Vec::new();
    let mut body = String::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if !inside {
            inside = line == "Body";
            match label(line, HEAD_LABELS) {
                Some(("BYLINE", value)) => fields.byline = some(value),
                None if !line.is_empty() && !inside => heads.push(line),
                _ => {}
            }
            continue;
        }
        if let Some((name, value)) = label(line, TAIL_LABELS) {
            match name {
                "LOAD-DATE" => fields.seen = some(value),
                "LANGUAGE" => fields.language = some(value),
                _ => {}
            }
        }
        let ends = matches!(line, "Graphic" | "Classification" | "End of Document" | "Notes")
            || label(line, TAIL_LABELS).is_some_and(|(name, _)| name == "LOAD-DATE");
        if ends && fields.id.is_none() {
            // The rest describes the article; it is only looked through for labels.
            fields.id = Some(String::new());
        }
        if fields.id.is_none() {
            body.push_str(line);
            body.push('\n');
        }
    }
    fields.id = None;
    fields.published = heads
        .iter()
        .find(|line| is_date_line(line))
        .map(|line| line.to_string());
    fields.title = heads.first().map(|line| line.to_string());
    fields.source = heads
        .get(1)
        .filter(|line| !is_date_line(line))
        .map(|line| line.to_string());
    record_of(slice, fields, &blocks(&body))
}

/// The code at the start of a line of a Factiva export: two or three capitals, then space or the line's end.
fn field_code(line: &[u8]) -> Option<&str> {
    let capitals = line.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let after = line.get(capitals);
    let code = std::str::from_utf8(&line[..capitals]).ok()?;
    let known = matches!(
        code,
        "HD" | "BY"
            | "CR"
            | "WC"
            | "PD"
            | "ET"
            | "SN"
            | "SC"
            | "ED"
            | "PG"
            | "VOL"
            | "LA"
            | "CY"
            | "LP"
            | "TD"
            | "CT"
            | "RF"
            | "CO"
            | "IN"
            | "NS"
            | "RE"
            | "IPC"
            | "IPD"
            | "PUB"
            | "AN"
            | "SE"
            | "CLM"
            | "ART"
            | "DLN"
            | "RST"
    );
    (known && after.is_none_or(|b| b.is_ascii_whitespace())).then_some(code)
}

fn parse_factiva(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let text = decoded(layout, slice.bytes);
    let coded = ["HD", "WC", "PD", "SN"];
    let codes = text
        .lines()
        .filter_map(|line| field_code(line.as_bytes()))
        .filter(|code| coded.contains(code))
        .count();
    if codes >= 3 {
        parse_factiva_codes(&text, &slice)
    } else {
        parse_factiva_display(&text, &slice)
    }
}

fn parse_factiva_codes(text: &str, slice: &Slice) -> Result<Raw, Problem> {
    let mut values: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        // Inside the text a code is one only at the very start of the line.
        match field_code(line.as_bytes()) {
            Some(code) => values.push((code.to_string(), format!("{}\n", line[code.len()..].trim()))),
            None => {
                if let Some((_, value)) = values.last_mut() {
                    value.push_str(line.trim());
                    value.push('\n');
                }
            }
        }
    }
    let value = |code: &str| {
        let found = values.iter().find(|(known, _)| known == code)?;
        some(&found.1.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let published = value("PD").map(|day| value("ET").map_or(day.clone(), |time| format!("{day} {time}")));
    let fields = Fields {
        title: value("HD"),
        byline: value("BY"),
        published: published.and_then(|day| date(&day, DateOrder::Unknown)),
        source: value("SN"),
        language: value("LA"),
        id: value("AN").map(|number| number.trim_start_matches("Document ").to_string()),
        ..Fields::default()
    };
    let parts = values.iter().filter(|(code, _)| code == "LP" || code == "TD");
    let body: Vec<String> = parts.flat_map(|(_, value)| blocks(value)).collect();
    record_of(slice, fields, &body)
}

/// The layout without codes: title, byline, length, date, time, publication, its code, language, rights, then the text.
fn parse_factiva_display(text: &str, slice: &Slice) -> Result<Raw, Problem> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_length = |line: &str| {
        let mut words = line.split_whitespace();
        let number = words
            .next()
            .is_some_and(|word| word.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.')));
        number
            && words
                .next()
                .is_some_and(|word| word.chars().all(char::is_alphabetic))
            && words.next().is_none()
    };
    let length = lines.iter().position(|line| is_length(line));
    let Some(length) = length else {
        return Err(Problem::new(
            RejectReason::BadRecord,
            "no line gives the article's length",
        ));
    };
    let heads: Vec<&str> = lines[..length]
        .iter()
        .copied()
        .filter(|line| !line.is_empty())
        .collect();
    // What follows the length is one block of short lines that ends with the rights.
    let mut at = length + 1;
    let mut facts: Vec<&str> = Vec::new();
    while let Some(line) = lines.get(at).filter(|_| facts.len() < 12) {
        at += 1;
        if !line.is_empty() {
            facts.push(line);
        }
        if is_rights_line(line) {
            break;
        }
        if line.is_empty() && facts.len() >= 3 {
            break;
        }
    }
    let day = facts.iter().position(|line| is_date_line(line));
    let is_time =
        |line: &str| line.len() <= 8 && line.contains(':') && line.starts_with(|c: char| c.is_ascii_digit());
    let time = day
        .and_then(|day| facts.get(day + 1))
        .filter(|line| is_time(line));
    let source = day.and_then(|day| facts.get(day + 1 + usize::from(time.is_some())));
    let rights = facts.iter().position(|line| is_rights_line(line));
    let language = rights
        .and_then(|rights| rights.checked_sub(1))
        .and_then(|at| facts.get(at))
        .filter(|line| {
            line.chars().next().is_some_and(char::is_uppercase)
                && !line.chars().all(char::is_uppercase)
                && Some(*line) != source
        });
    let body: String = lines[at.min(lines.len())..]
        .iter()
        .filter(|line| factiva_edge(line.as_bytes()) == Edge::None)
        .flat_map(|line| [line, "\n"])
        .collect();
    let published = day
        .map(|day| facts[day])
        .map(|day| time.map_or(day.to_string(), |time| format!("{day} {time}")));
    let id = lines
        .iter()
        .rev()
        .find(|line| factiva_edge(line.as_bytes()) == Edge::After);
    let fields = Fields {
        title: heads.first().map(|line| line.to_string()),
        byline: heads.get(1).map(|line| line.to_string()),
        published: published.and_then(|day| date(&day, DateOrder::Unknown)),
        source: source.map(|line| line.to_string()),
        language: language.map(|line| line.to_string()),
        id: id.map(|line| line.trim_start_matches("Document ").to_string()),
        ..Fields::default()
    };
    record_of(slice, fields, &blocks(&body))
}
