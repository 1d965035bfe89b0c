//! A lenient HTML reader: bytes to a flat tree in document order.
//!
//! It follows the parts of the WHATWG parsing rules that decide where text belongs (void elements, raw text, implied
//! end tags, table scope) and leaves out the rest. Every page gives a tree; time and memory are linear in its length,
//! because depth is capped and attributes are read only when somebody asks for them.

use memchr::{memchr, memchr3, memmem};
use std::borrow::Cow;

/// Pages longer than this are cut: the longest news pages measured are about 2 MB, and what follows is machine data.
const PAGE_BYTES_MAX: usize = 8 << 20;

/// Elements nested deeper than this are read as if they were not there (their text is kept). Real pages stay below 100.
const DEPTH_MAX: usize = 256;

/// How far the end of a frame is looked for; frames hold a line of fallback text at most.
const FRAME_BYTES_MAX: usize = 1024;

/// Element kinds the extractor tells apart. `Text` marks a text node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is the element of its name, or the group of elements that `Tag::of` puts there"
)]
pub enum Tag {
    Text,
    Html,
    Head,
    Title,
    Meta,
    Link,
    Script,
    Style,
    Body,
    Article,
    Main,
    Section,
    Div,
    P,
    H1,
    H2,
    H3,
    H4,
    H5,
    H6,
    Ul,
    Ol,
    Li,
    Dl,
    Dt,
    Dd,
    Blockquote,
    Pre,
    Table,
    TableBody,
    Tr,
    Td,
    Th,
    TableCaption,
    Figure,
    Figcaption,
    Aside,
    Nav,
    Header,
    Footer,
    Form,
    Button,
    Select,
    Opt,
    Input,
    Textarea,
    Label,
    Fieldset,
    Picture,
    Media,
    Embed,
    Svg,
    Noscript,
    Template,
    Dialog,
    Details,
    Summary,
    Address,
    Center,
    A,
    Span,
    Bold,
    Italic,
    Time,
    Cite,
    Sup,
    Code,
    Inline,
    Br,
    Hr,
    Img,
    Void,
    Custom,
}

use Tag::*;

impl Tag {
    fn of(name: &[u8]) -> Tag {
        let mut lower = [0u8; 12];
        if name.len() > lower.len() {
            return Custom;
        }
        for (to, from) in lower.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        match &lower[..name.len()] {
            b"html" => Html,
            b"head" => Head,
            b"title" => Title,
            b"meta" => Meta,
            b"link" => Link,
            b"script" => Script,
            b"style" => Style,
            b"body" => Body,
            b"article" => Article,
            b"main" => Main,
            b"section" | b"hgroup" => Section,
            b"div" => Div,
            b"p" => P,
            b"h1" => H1,
            b"h2" => H2,
            b"h3" => H3,
            b"h4" => H4,
            b"h5" => H5,
            b"h6" => H6,
            b"ul" | b"menu" | b"dir" => Ul,
            b"ol" => Ol,
            b"li" => Li,
            b"dl" => Dl,
            b"dt" => Dt,
            b"dd" => Dd,
            b"blockquote" => Blockquote,
            b"pre" | b"listing" => Pre,
            b"table" => Table,
            b"tbody" | b"thead" | b"tfoot" => TableBody,
            b"tr" => Tr,
            b"td" => Td,
            b"th" => Th,
            b"caption" => TableCaption,
            b"figure" => Figure,
            b"figcaption" => Figcaption,
            b"aside" => Aside,
            b"nav" => Nav,
            b"header" => Header,
            b"footer" => Footer,
            b"form" => Form,
            b"button" => Button,
            b"select" | b"datalist" => Select,
            b"option" | b"optgroup" => Opt,
            b"input" => Input,
            b"textarea" => Textarea,
            b"label" | b"legend" => Label,
            b"fieldset" => Fieldset,
            b"picture" => Picture,
            b"video" | b"audio" | b"canvas" | b"object" | b"map" => Media,
            b"iframe" | b"noframes" | b"noembed" => Embed,
            b"svg" | b"math" => Svg,
            b"noscript" => Noscript,
            b"template" => Template,
            b"dialog" => Dialog,
            b"details" => Details,
            b"summary" => Summary,
            b"address" => Address,
            b"center" => Center,
            b"a" => A,
            b"span" => Span,
            b"b" | b"strong" => Bold,
            b"i" | b"em" => Italic,
            b"time" => Time,
            b"cite" => Cite,
            b"sup" | b"sub" => Sup,
            b"code" | b"kbd" | b"samp" | b"tt" => Code,
            b"br" => Br,
            b"hr" => Hr,
            b"img" => Img,
            b"area" | b"base" | b"col" | b"embed" | b"param" | b"source" | b"track" | b"wbr"
            | b"basefont" | b"bgsound" | b"frame" | b"keygen" => Void,
            b"font" | b"u" | b"s" | b"strike" | b"small" | b"big" | b"abbr" | b"acronym" | b"mark"
            | b"del" | b"ins" | b"q" | b"dfn" | b"var" | b"bdi" | b"bdo" | b"ruby" | b"rt" | b"rp"
            | b"nobr" | b"data" | b"output" => Inline,
            _ => Custom,
        }
    }

    /// Elements that never have content.
    fn is_void(self) -> bool {
        matches!(self, Meta | Link | Input | Br | Hr | Img | Void)
    }

    /// Elements whose content is text up to their own end tag.
    fn is_raw(self) -> bool {
        matches!(self, Script | Style | Title | Textarea | Embed | Noscript)
    }

    /// Elements that stand in the flow of a line; everything else begins and ends a block.
    pub fn is_inline(self) -> bool {
        matches!(
            self,
            Text | A
                | Span
                | Bold
                | Italic
                | Time
                | Cite
                | Sup
                | Code
                | Inline
                | Custom
                | Label
                | Br
                | Void
                | Img
                | Button
        )
    }

    /// `h1` to `h6`.
    pub fn is_heading(self) -> bool {
        matches!(self, H1 | H2 | H3 | H4 | H5 | H6)
    }

    /// Start tags before which an open `p` ends (HTML standard, 13.1.2.4 "Optional tags").
    fn closes_p(self) -> bool {
        !self.is_inline()
            && !matches!(
                self,
                Html | Head
                    | Body
                    | Title
                    | Meta
                    | Link
                    | Script
                    | Style
                    | Svg
                    | Noscript
                    | Template
                    | Media
                    | Embed
                    | Picture
                    | Input
                    | Select
                    | Opt
                    | Textarea
                    | Dialog
                    | TableBody
                    | Tr
                    | Td
                    | Th
                    | TableCaption
            )
    }

    fn is_cell_scope(self) -> bool {
        matches!(self, Td | Th | TableCaption | Table)
    }

    fn is_table_part(self) -> bool {
        matches!(self, Table | TableBody | Tr | Td | Th)
    }
}

/// A node. Children follow their parent; `end` is the index after the last descendant.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Element kind, or `Tag::Text`.
    pub tag: Tag,
    /// Index of the parent; the root is its own parent.
    pub parent: u32,
    /// Index after the last descendant.
    pub end: u32,
    /// Text: byte range of the raw text. Element: byte range of what follows the name inside the tag.
    from: u32,
    to: u32,
}

/// A page as nodes in document order. Node 0 is a root that holds everything.
pub struct Tree<'h> {
    html: &'h str,
    /// All nodes, parents before children.
    pub nodes: Vec<Node>,
}

impl<'h> Tree<'h> {
    /// Raw text of a text node (entities not yet decoded).
    pub fn raw_text(&self, index: usize) -> &'h str {
        let node = &self.nodes[index];
        self.html.get(node.from as usize..node.to as usize).unwrap_or("")
    }

    /// Attributes of an element: name and raw value, in order. Text nodes have none.
    pub fn attributes(&self, index: usize) -> Attributes<'h> {
        match self.nodes[index].tag {
            Text => Attributes { rest: "" },
            _ => Attributes {
                rest: self.raw_text(index),
            },
        }
    }

    /// Value of an attribute with entities decoded; an attribute without value gives "".
    pub fn attribute(&self, index: usize, name: &str) -> Option<Cow<'h, str>> {
        self.attributes(index)
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| decode(v))
    }

    /// All text below an element, white space collapsed. `limit_bytes` bounds the work.
    pub fn text_of(&self, index: usize, limit_bytes: usize) -> String {
        let mut out = String::new();
        let mut i = index;
        let end = self.nodes[index].end as usize;
        while i < end && out.len() < limit_bytes {
            match self.nodes[i].tag {
                Text => append_collapsed(&mut out, &decode(self.raw_text(i))),
                Script | Style | Svg | Noscript | Template if i != index => {
                    i = self.nodes[i].end as usize;
                    continue;
                }
                tag if !tag.is_inline() || tag == Br => append_collapsed(&mut out, " "),
                _ => {}
            }
            i += 1;
        }
        out.trim().to_string()
    }

    /// Whether `index` lies inside (or is) `ancestor`.
    pub fn is_inside(&self, index: usize, ancestor: usize) -> bool {
        ancestor <= index && index < self.nodes[ancestor].end as usize
    }
}

/// Appends text with every run of white space as one space; no space at the start.
pub fn append_collapsed(out: &mut String, text: &str) {
    let mut pending = false;
    for part in text.split(char::is_whitespace) {
        if part.is_empty() {
            pending = true;
            continue;
        }
        if (pending || part.as_ptr() != text.as_ptr()) && !out.is_empty() && !out.ends_with([' ', '\n']) {
            out.push(' ');
        }
        out.push_str(part);
        pending = false;
    }
    if (pending || text.ends_with(char::is_whitespace)) && !out.is_empty() && !out.ends_with([' ', '\n']) {
        out.push(' ');
    }
}

/// Iterator over the attributes inside a start tag.
pub struct Attributes<'h> {
    rest: &'h str,
}

impl<'h> Iterator for Attributes<'h> {
    type Item = (&'h str, &'h str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            self.rest = "";
            return None;
        }
        // A name runs to white space, "/" or "="; a stray "=" at the start belongs to the name.
        let stop = |c: char| c.is_ascii_whitespace() || c == '=' || c == '/';
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let name_end = rest[first..].find(stop).map_or(rest.len(), |at| at + first);
        let (name, after) = rest.split_at(name_end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            self.rest = after;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let (value, rest) = match value.as_bytes().first() {
            Some(&quote @ (b'"' | b'\'')) => {
                let inner = &value[1..];
                match memchr(quote, inner.as_bytes()) {
                    Some(at) => (&inner[..at], &inner[at + 1..]),
                    None => (inner, ""),
                }
            }
            _ => value.split_at(
                value
                    .find(|c: char| c.is_ascii_whitespace())
                    .unwrap_or(value.len()),
            ),
        };
        self.rest = rest;
        Some((name, value))
    }
}

/// Reads a page. Never fails: whatever the bytes, there is a tree.
pub fn parse(html: &str) -> Tree<'_> {
    let mut cut = html.len().min(PAGE_BYTES_MAX);
    while !html.is_char_boundary(cut) {
        cut -= 1;
    }
    let html = &html[..cut];
    let mut builder = Builder {
        html,
        nodes: Vec::with_capacity(html.len() / 24 + 16),
        open: Vec::with_capacity(64),
        open_count: [0; 256],
        overflow: 0,
        quotes_gone: [false; 2],
    };
    builder.run();
    let nodes = builder.nodes;
    Tree { html, nodes }
}

struct Builder<'h> {
    html: &'h str,
    nodes: Vec<Node>,
    open: Vec<u32>,
    open_count: [u32; 256],
    /// Start tags skipped because the tree is too deep; their end tags are skipped too.
    overflow: usize,
    /// Whether no further `"` or `'` follows, so that broken quotes do not make the scan quadratic.
    quotes_gone: [bool; 2],
}

impl<'h> Builder<'h> {
    fn run(&mut self) {
        self.push(Html, 0, 0);
        let bytes = self.html.as_bytes();
        let mut pos = 0;
        while pos < bytes.len() {
            let Some(lt) = memchr(b'<', &bytes[pos..]).map(|at| at + pos) else {
                self.text(pos, bytes.len());
                break;
            };
            let next = bytes.get(lt + 1).copied().unwrap_or(b' ');
            if !(next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?')) {
                // A lone "<" is text.
                self.text(pos, lt + 1);
                pos = lt + 1;
                continue;
            }
            if lt > pos {
                self.text(pos, lt);
            }
            pos = match next {
                b'!' | b'?' => self.declaration(lt),
                b'/' => self.end_tag(lt),
                _ => self.start_tag(lt),
            };
        }
        let end = self.nodes.len() as u32;
        for &index in &self.open {
            self.nodes[index as usize].end = end;
        }
    }

    fn push(&mut self, tag: Tag, from: usize, to: usize) -> u32 {
        let index = self.nodes.len() as u32;
        let parent = self.open.last().copied().unwrap_or(0);
        self.nodes.push(Node {
            tag,
            parent,
            end: index + 1,
            from: from as u32,
            to: to as u32,
        });
        if tag != Text && !tag.is_void() {
            self.open.push(index);
            self.open_count[tag as usize] += 1;
        }
        index
    }

    fn text(&mut self, from: usize, to: usize) {
        if from < to {
            self.push(Text, from, to);
        }
    }

    fn pop(&mut self) {
        // The root stays open to the end of the page.
        if self.open.len() > 1
            && let Some(index) = self.open.pop()
        {
            let end = self.nodes.len() as u32;
            let node = &mut self.nodes[index as usize];
            node.end = end;
            self.open_count[node.tag as usize] -= 1;
        }
    }

    /// Comments, doctype, CDATA and processing instructions are passed over.
    fn declaration(&self, lt: usize) -> usize {
        let rest = &self.html.as_bytes()[lt..];
        let (needle, skip): (&[u8], usize) = if rest.starts_with(b"<!--") {
            (b"-->", 4)
        } else {
            (b">", 2)
        };
        // "<!-->" is a whole comment (HTML standard, abrupt closing of empty comment).
        if rest.starts_with(b"<!-->") {
            return lt + 5;
        }
        memmem::find(rest.get(skip..).unwrap_or(b""), needle)
            .map_or(self.html.len(), |at| lt + skip + at + needle.len())
    }

    /// Byte after the ">" that ends a tag which starts before `pos`.
    fn tag_end(&mut self, mut pos: usize) -> usize {
        let bytes = self.html.as_bytes();
        while let Some(at) = memchr3(b'>', b'"', b'\'', &bytes[pos..]).map(|at| at + pos) {
            let byte = bytes[at];
            if byte == b'>' {
                return at + 1;
            }
            pos = at + 1;
            // A quote opens a value only right after "=".
            let before = bytes[..at].iter().rev().find(|b| !b.is_ascii_whitespace());
            let kind = usize::from(byte == b'\'');
            if before == Some(&b'=') && !self.quotes_gone[kind] {
                match memchr(byte, &bytes[pos..]) {
                    Some(close) => pos += close + 1,
                    None => self.quotes_gone[kind] = true,
                }
            }
        }
        bytes.len()
    }

    fn name_end(&self, from: usize) -> usize {
        let bytes = self.html.as_bytes();
        let stop = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'/');
        bytes[from..]
            .iter()
            .position(stop)
            .map_or(bytes.len(), |at| at + from)
    }

    fn start_tag(&mut self, lt: usize) -> usize {
        let name_end = self.name_end(lt + 1);
        let tag = Tag::of(&self.html.as_bytes()[lt + 1..name_end]);
        let after = self.tag_end(name_end);
        let inner_end = if self.html.as_bytes().get(after - 1) == Some(&b'>') {
            after - 1
        } else {
            after
        };
        let inner_end = inner_end.max(name_end);
        self.imply_ends(tag);
        let self_closed =
            self.html.as_bytes().get(inner_end.wrapping_sub(1)) == Some(&b'/') && inner_end > name_end;
        if tag.is_raw() {
            let html = self.html;
            return self.raw_element(
                tag,
                &html.as_bytes()[lt + 1..name_end],
                name_end,
                inner_end,
                after,
            );
        }
        if !tag.is_void() && self.open.len() >= DEPTH_MAX {
            self.overflow += usize::from(!self_closed);
            return after;
        }
        self.push(tag, name_end, inner_end);
        if self_closed && matches!(tag, Custom | Svg) {
            self.pop();
        }
        after
    }

    /// Elements whose content is not markup. Only titles and JSON-LD keep it.
    fn raw_element(
        &mut self,
        tag: Tag,
        name: &[u8],
        name_end: usize,
        inner_end: usize,
        after: usize,
    ) -> usize {
        let rest = &self.html.as_bytes()[after..];
        let end = after
            + match tag {
                // A frame left open is taken as empty, so that it does not swallow the page.
                Embed => {
                    let window = &rest[..rest.len().min(FRAME_BYTES_MAX)];
                    Some(find_close(window, name))
                        .filter(|&at| at < window.len())
                        .unwrap_or(0)
                }
                _ => find_close(rest, name),
            };
        if self.open.len() < DEPTH_MAX {
            self.push(tag, name_end, inner_end);
            if matches!(tag, Script | Title) {
                self.text(after, end);
            }
            self.pop();
        }
        if end >= self.html.len() || !self.html[end..].starts_with("</") {
            end
        } else {
            self.tag_end(end)
        }
    }

    /// Ends what a start tag ends without saying so.
    fn imply_ends(&mut self, tag: Tag) {
        match tag {
            Li => self.close_within(&[Li], &[Ul, Ol]),
            Dt | Dd => self.close_within(&[Dt, Dd], &[Dl]),
            Tr => self.close_within(&[Tr], &[Table]),
            Td | Th => self.close_within(&[Td, Th], &[Table, Tr]),
            TableBody => self.close_within(&[TableBody], &[Table]),
            Opt => self.close_within(&[Opt], &[Select]),
            A => self.close_within(&[A], &[P, Div, Td, Li, Section, Article, H1, H2, H3, H4]),
            _ => {}
        }
        if tag.closes_p() && self.open_count[P as usize] > 0 {
            self.close_within(&[P], &[Table, Td, Th, Button, Media]);
        }
        if tag.is_heading()
            && let Some(&top) = self.open.last()
            && self.nodes[top as usize].tag.is_heading()
        {
            self.pop();
        }
    }

    /// Pops up to and with the nearest of `tags`, unless one of `walls` is met first.
    fn close_within(&mut self, tags: &[Tag], walls: &[Tag]) {
        if tags.iter().all(|t| self.open_count[*t as usize] == 0) {
            return;
        }
        for (back, &index) in self.open.iter().rev().enumerate() {
            let tag = self.nodes[index as usize].tag;
            if tags.contains(&tag) {
                for _ in 0..=back {
                    self.pop();
                }
                return;
            }
            if walls.contains(&tag) {
                return;
            }
        }
    }

    fn end_tag(&mut self, lt: usize) -> usize {
        let name_end = self.name_end(lt + 2);
        let name = &self.html.as_bytes()[lt + 2..name_end];
        let after = self.tag_end(name_end);
        if name.is_empty() {
            return after;
        }
        let tag = Tag::of(name);
        if self.overflow > 0 && !tag.is_void() {
            self.overflow -= 1;
            return after;
        }
        // "</p>" without a start and "</br>" both make a break.
        if (tag == P && self.open_count[P as usize] == 0) || tag == Br {
            self.push(Br, name_end, name_end);
            return after;
        }
        if tag == Body || tag == Html || self.open_count[tag as usize] == 0 {
            return after;
        }
        for (back, &index) in self.open.iter().rev().enumerate() {
            let open = self.nodes[index as usize].tag;
            if open == tag || (tag.is_heading() && open.is_heading()) {
                for _ in 0..=back {
                    self.pop();
                }
                break;
            }
            // Text-level end tags do not end the block they stand in, and nothing but a table part leaves a cell.
            if (open.is_cell_scope() && !tag.is_table_part())
                || (tag.is_inline() && tag != A && !open.is_inline())
            {
                break;
            }
        }
        after
    }
}

/// Offset of `</name` in `bytes`, or their length.
fn find_close(bytes: &[u8], name: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = memmem::find(&bytes[from..], b"</").map(|at| at + from) {
        if bytes
            .get(at + 2..at + 2 + name.len())
            .is_some_and(|n| n.eq_ignore_ascii_case(name))
        {
            return at;
        }
        from = at + 2;
    }
    bytes.len()
}

/// Decodes character references. Text without "&" is borrowed.
pub fn decode(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut at = first;
    loop {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, used) = reference(rest);
        match character {
            Some(c) => out.push(c),
            None => out.push_str(&rest[..used]),
        }
        rest = &rest[used..];
        match memchr(b'&', rest.as_bytes()) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character reference at the start of `text` (which begins with "&") and its length in bytes.
fn reference(text: &str) -> (Option<char>, usize) {
    let body = &text[1..];
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix, lead) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let len = digits
            .bytes()
            .take(8)
            .take_while(|b| (*b as char).is_digit(radix))
            .count();
        if len == 0 {
            return (None, 1);
        }
        let code = u32::from_str_radix(&digits[..len], radix).unwrap_or(0xFFFD);
        let semicolon = usize::from(digits.as_bytes().get(len) == Some(&b';'));
        return (Some(super::entities::by_number(code)), lead + len + semicolon);
    }
    let len = body
        .bytes()
        .take(10)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    match super::entities::by_name(&body[..len]) {
        Some(c) => (
            Some(c),
            1 + len + usize::from(body.as_bytes().get(len) == Some(&b';')),
        ),
        None => (None, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as text: element names with their children in brackets.
    fn check(html: &str, expected: &str) {
        fn show(tree: &Tree<'_>, index: usize, out: &mut String) {
            let node = tree.nodes[index];
            if node.tag == Text {
                out.push_str(&format!("'{}'", decode(tree.raw_text(index))));
                return;
            }
            out.push_str(&format!("{:?}", node.tag).to_lowercase());
            out.push('(');
            let mut child = index + 1;
            while child < node.end as usize {
                show(tree, child, out);
                child = tree.nodes[child].end as usize;
            }
            out.push(')');
        }
        let tree = parse(html);
        let mut out = String::new();
        let mut child = 1;
        while child < tree.nodes.len() {
            show(&tree, child, &mut out);
            child = tree.nodes[child].end as usize;
        }
        assert_eq!(out, expected, "{html}");
    }

    #[test]
    fn implied_ends() {
        check("<p>a<p>b", "p('a')p('b')");
        check("<p>a<div>b</div>c", "p('a')div('b')'c'");
        check(
            "<ul><li>a<li>b<ul><li>c</ul></ul>",
            "ul(li('a')li('b'ul(li('c'))))",
        );
        check(
            "<table><tr><td>a<td>b<tr><td>c</table>d",
            "table(tr(td('a')td('b'))tr(td('c')))'d'",
        );
        check("<dl><dt>a<dd>b</dl>", "dl(dt('a')dd('b'))");
        check("<a>x<a>y", "a('x')a('y')");
    }

    #[test]
    fn stray_ends() {
        check("a</div>b", "'a''b'");
        check("<div><b>x</div>y", "div(bold('x'))'y'");
        check(
            "<div><table><tr><td></div>a</table>b</div>",
            "div(table(tr(td('a')))'b')",
        );
        check("a</p>b", "'a'br()'b'");
    }

    #[test]
    fn raw_text_and_comments() {
        check("<script>if (a<b) '<p>'</script>c", "script('if (a<b) '<p>'')'c'");
        check("<!-- <p>a</p> -->b<!-->c", "'b''c'");
        check("<style>p{}</STYLE>x", "style()'x'");
        check("<iframe>x</iframe>y<iframe src=z>w", "embed()'y'embed()'w'");
        check("a<!-- open", "'a'");
        check("2 < 3 and 4", "'2 <'' 3 and 4'");
    }

    #[test]
    fn attributes() {
        let tree = parse("<a href=/x title='a \"b\" > c' hidden data-x = \"1&amp;2\" / >t</a>");
        assert_eq!(tree.attribute(1, "href").as_deref(), Some("/x"));
        assert_eq!(tree.attribute(1, "TITLE").as_deref(), Some("a \"b\" > c"));
        assert_eq!(tree.attribute(1, "hidden").as_deref(), Some(""));
        assert_eq!(tree.attribute(1, "data-x").as_deref(), Some("1&2"));
        assert_eq!(tree.attribute(1, "none"), None);
    }

    #[test]
    fn references() {
        let cases = [
            ("a &amp; b", "a & b"),
            ("&eacute;&Eacute;&yuml;", "éÉÿ"),
            ("&#8217;&#x2014;&#146;", "’—’"),
            ("&nbsp;&hellip;&Omega;&sigmaf;", "\u{a0}…Ως"),
            ("AT&T &unknown; &", "AT&T &unknown; &"),
            ("&#xD800;&#0;", "\u{fffd}\u{fffd}"),
            ("&copy 2019", "© 2019"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode(raw), expected);
        }
    }

    #[test]
    fn depth_is_bounded_and_text_kept() {
        let html = format!("{}deep{}after", "<div>".repeat(3000), "</div>".repeat(3000));
        let tree = parse(&html);
        assert!(tree.nodes.len() < DEPTH_MAX + 4);
        assert!(tree.text_of(0, 1000).contains("deep"));
        assert!(tree.text_of(0, 1000).contains("after"));
    }
}
