//! Plain text: a file is one article.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::emit::Slice;
use super::fields::{Fields, Layout};
use super::source::Source;
use super::{Content, Emitter, Format, Problem, Raw, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "text",
    extensions: &["txt", "text", "md"],
    recognizes,
    read,
    cut: None,
};

/// Whatever holds next to no control characters. A file that is named as text may hold a few more.
fn recognizes(head: &[u8], extension: &str) -> bool {
    let controls = head
        .iter()
        .filter(|b| **b < 32 && !matches!(b, b'\t' | b'\n' | b'\r' | 12 | 27))
        .count();
    let share = if FORMAT.extensions.contains(&extension) {
        20
    } else {
        200
    };
    !head.is_empty() && controls * share <= head.len()
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

/// Makes a record out of a text: pure. The first line is its title if it looks like one and a blank line follows.
fn parse(layout: &Layout, slice: Slice<'_>) -> Result<Raw, Problem> {
    let bytes = slice.bytes.trim_ascii();
    if bytes.iter().all(|b| b.is_ascii_whitespace() || *b == 0) {
        return Err(Problem::new(RejectReason::NoText, "the file holds only space"));
    }
    let mut fields = Fields::default();
    let (content, title) = match std::str::from_utf8(bytes) {
        Ok(text) => {
            let title = title_bytes(bytes);
            let body = text[title..].trim_start();
            (Content::Text(body.to_string()), text[..title].to_string())
        }
        Err(_) => {
            let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
            detector.feed(bytes, true);
            let encoding = detector.guess(None, chardetng::Utf8Detection::Allow);
            let title = title_bytes(bytes);
            let body = bytes[title..].trim_ascii_start().to_vec();
            let charset = (!layout.transcoded).then(|| encoding.name().to_ascii_lowercase());
            (
                Content::Plain { bytes: body, charset },
                encoding.decode(&bytes[..title]).0.into_owned(),
            )
        }
    };
    fields.title = Some(title.trim().to_string()).filter(|title| !title.is_empty());
    Ok(Raw {
        record: slice.record,
        byte_offset: slice.byte_offset,
        fields,
        content,
    })
}

/// Headlines are rarely longer (the longest of 974 real pages has 180 letters).
const TITLE_BYTES_MAX: usize = 400;

/// Length of the first line if it looks like a title: short, a blank line after it, then something longer, and no full
/// stop at its end.
fn title_bytes(bytes: &[u8]) -> usize {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return 0;
    };
    let line = bytes[..end].trim_ascii();
    let rest = &bytes[end + 1..];
    let next = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
    let blank_follows = next.trim_ascii().is_empty() && !rest.trim_ascii().is_empty();
    let ends_open = !line.ends_with(b".") && !line.ends_with(b":") && !line.ends_with(b",");
    let looks_like_title = line.len() <= TITLE_BYTES_MAX && ends_open && rest.len() > line.len();
    if blank_follows && looks_like_title { end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, title: Option<&str>, body: &str) {
        let slice = Slice {
            record: 0,
            byte_offset: Some(0),
            bytes: text.as_bytes(),
        };
        let raw = parse(&Layout::default(), slice).expect("a record");
        assert_eq!(raw.fields.title.as_deref(), title, "{text}");
        assert_eq!(raw.content, Content::Text(body.to_string()), "{text}");
    }

    #[test]
    fn titles() {
        check(
            "Troops leave\n\nThe last troops left the base.",
            Some("Troops leave"),
            "The last troops left the base.",
        );
        check(
            "Troops leave\r\n\r\nThe last troops left.",
            Some("Troops leave"),
            "The last troops left.",
        );
        check(
            "The troops left.\n\nThey were many.",
            None,
            "The troops left.\n\nThey were many.",
        );
        check(
            "Troops leave\nThe last troops left.",
            None,
            "Troops leave\nThe last troops left.",
        );
        check("Troops leave", None, "Troops leave");
    }

    #[test]
    fn junk_is_no_text() {
        assert!(!recognizes(&[0, 1, 2, 3, b'a', b'b'], ""));
        assert!(recognizes("Ünïcode text\n".as_bytes(), ""));
    }
}
