//! Saved pages: a file is one page. What the page says about itself is read by whoever extracts its text.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::emit::Slice;
use super::fields::{Fields, Layout};
use super::source::Source;
use super::xml::root_name;
use super::{Content, Emitter, Format, Problem, Raw};

/// See the module.
pub const FORMAT: Format = Format {
    name: "html",
    extensions: &["html", "htm", "xhtml", "shtml"],
    recognizes,
    read,
    cut: None,
};

/// A document type or first element of HTML, or a name that says so and any tag.
fn recognizes(head: &[u8], extension: &str) -> bool {
    let start = &head[..head.len().min(4096)];
    let root = root_name(head);
    let lower = start.to_ascii_lowercase();
    let has = |tag: &[u8]| memchr::memmem::find(&lower, tag).is_some();
    root.eq_ignore_ascii_case("html")
        || lower.trim_ascii_start().starts_with(b"<!doctype html")
        || FORMAT.extensions.contains(&extension) && memchr::memchr(b'<', head).is_some()
        || lower.trim_ascii_start().starts_with(b"<") && (has(b"<html") || has(b"<body") || has(b"<head"))
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    let layout = Layout {
        transcoded: source.is_transcoded(),
        ..(*source.layout).clone()
    };
    out.set_layout(Arc::new(layout));
    match source.read_whole(out.options.max_record_bytes) {
        Ok(bytes) => out.slice(parse, 0, Some(0), &bytes),
        Err(problem) => out.fault(problem, Some(0), Some(0), 0),
    }
}

fn parse(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let charset = layout.transcoded.then(|| "utf-8".to_string());
    let content = Content::Html {
        bytes: slice.bytes.to_vec(),
        charset,
    };
    Ok(Raw {
        record: slice.record,
        byte_offset: slice.byte_offset,
        fields: Fields::default(),
        content,
    })
}
