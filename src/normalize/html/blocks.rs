//! A tree as a list of blocks (paragraphs, headings, list items ...) with the statistics the extractor decides by.
//!
//! A block is the text between two block-level boundaries, white space collapsed and entities decoded. Two line breaks
//! in a row begin a new block. What a page never shows as text (scripts, forms, templates) gives none.

use super::tree::{Tag, Tree, append_collapsed, decode};
use super::words::{Meaning, PageWords, hint};

/// What a block is by its nearest telling ancestor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A `p` element.
    Paragraph,
    /// `h1` to `h6`, with the level.
    Heading(u8),
    /// In a list.
    Item,
    /// In a quotation.
    Quote,
    /// In a table cell.
    Cell,
    /// Preformatted.
    Pre,
    /// Text that stands in a container directly.
    Bare,
}

/// One block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Node of the innermost block-level element.
    pub owner: u32,
    /// Node of the first text.
    pub first: u32,
    /// Byte range in [`Blocks::text`].
    pub from: usize,
    /// End of the byte range.
    pub to: usize,
    /// What it is.
    pub kind: Kind,
    /// Width of all its text: letters and digits and marks without spaces, wide characters counted twice.
    pub width: u32,
    /// Width of the text inside links.
    pub link_width: u32,
    /// Width of bold or italic text.
    pub strong_width: u32,
    /// Hints of all inline elements in it.
    pub inline_hints: u16,
}

impl Block {
    /// Share of the text that is link, 0 to 1.
    pub fn link_share(&self) -> f32 {
        self.link_width as f32 / self.width.max(1) as f32
    }
}

/// The page's blocks in order, and what each element's own names say about it.
pub struct Blocks {
    /// Text of all blocks, one after another.
    pub text: String,
    /// The blocks.
    pub list: Vec<Block>,
    /// Per node: hints of the element itself ([`hint`] bits).
    pub hints: Vec<u16>,
    /// The element that calls itself the article's text, if one stands out.
    pub named_body: Option<usize>,
}

impl Blocks {
    /// Text of a block.
    pub fn text_of(&self, block: &Block) -> &str {
        &self.text[block.from..block.to]
    }
}

/// Width of text: marks of scripts written without spaces count double, since each stands for more.
fn width_of(text: &str) -> u32 {
    if text.is_ascii() {
        return text.bytes().filter(|b| !b.is_ascii_whitespace()).count() as u32;
    }
    let width = |c: char| match c {
        c if c.is_whitespace() => 0,
        '\u{0E00}'..='\u{0EFF}' => 1,
        '\u{2E80}'..='\u{9FFF}'
        | '\u{AC00}'..='\u{D7AF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FF00}'..='\u{FF60}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}

/// Elements whose text is never part of an article.
fn is_silent(tag: Tag) -> bool {
    use Tag::*;
    matches!(
        tag,
        Title
            | Script
            | Style
            | Svg
            | Noscript
            | Template
            | Select
            | Opt
            | Textarea
            | Button
            | Media
            | Embed
            | Dialog
            | Input
    )
}

/// What the names of one element say.
#[derive(Clone, Copy)]
struct Named {
    node: u32,
    meaning: Meaning,
}

/// Reads the names of every element once: hints by tag, role and attribute, and the words of its class and id.
fn hints(tree: &Tree<'_>, words: &PageWords) -> (Vec<u16>, Vec<Named>) {
    let mut all = vec![0u16; tree.nodes.len()];
    let mut named = Vec::new();
    for (index, node) in tree.nodes.iter().enumerate() {
        if matches!(
            node.tag,
            Tag::Text | Tag::Html | Tag::Body | Tag::Head | Tag::Script | Tag::Meta | Tag::Link
        ) {
            continue;
        }
        all[index] = element_hints(tree, index, words, &mut named);
    }
    (all, named)
}

fn element_hints(tree: &Tree<'_>, index: usize, words: &PageWords, named: &mut Vec<Named>) -> u16 {
    let mut hints = match tree.nodes[index].tag {
        Tag::Nav | Tag::Footer => hint::CHROME,
        Tag::Aside => hint::SIDE,
        Tag::Figcaption | Tag::TableCaption => hint::CAPTION,
        Tag::Address => hint::BYLINE,
        _ => 0,
    };
    for (name, value) in tree.attributes(index) {
        if name.len() > 12 || value.len() > 4096 {
            continue;
        }
        match name {
            "class" | "id" => {
                for class in value.split_ascii_whitespace() {
                    words.class_meanings(class, |meaning| {
                        // What is hidden is left out of lines already.
                        hints |= meaning.hints & hint::HIDDEN;
                        named.push(Named {
                            node: index as u32,
                            meaning,
                        });
                    });
                }
            }
            "itemprop" => hints |= itemprop_hints(value),
            "role" => {
                hints |= match value {
                    "navigation" | "search" | "menu" | "menubar" | "banner" | "contentinfo" | "dialog"
                    | "alert" | "toolbar" | "tablist" => hint::CHROME,
                    "complementary" => hint::SIDE,
                    _ => 0,
                }
            }
            "hidden" => hints |= hint::HIDDEN,
            "aria-hidden" if value == "true" => hints |= hint::HIDDEN,
            "style" if hides(value) => hints |= hint::HIDDEN,
            _ => {}
        }
    }
    hints
}

/// Whether a style attribute takes the element out of sight.
fn hides(style: &str) -> bool {
    style.split(';').any(|part| {
        let compact: String = part.chars().filter(|c| !c.is_whitespace()).collect();
        compact.eq_ignore_ascii_case("display:none") || compact.eq_ignore_ascii_case("visibility:hidden")
    })
}

/// Adds the words of classes and ids to the hints. A word that stands on more than half of the page's prose (nine tenths
/// for comments, which can outgrow the article) tells nothing on this page: builders call every paragraph a "widget".
fn add_named(tree: &Tree<'_>, blocks: &mut Blocks, named: &[Named], words: &PageWords) {
    let mut prose = vec![0u32; tree.nodes.len()];
    for block in &blocks.list {
        prose[block.owner as usize] += super::body::prose_of(block, blocks.text_of(block));
    }
    for index in (1..prose.len()).rev() {
        prose[tree.nodes[index].parent as usize] += prose[index];
    }
    let mut held = vec![0u32; words.class_words()];
    let mut counted_to = vec![0u32; words.class_words()];
    for Named { node, meaning } in named {
        let word = usize::from(meaning.word);
        // Elements inside one already counted are in its sum.
        if *node >= counted_to[word] {
            held[word] += prose[*node as usize];
            counted_to[word] = tree.nodes[*node as usize].end;
        }
    }
    let total = prose[0].max(1) as f32;
    let body = named_body(tree, blocks, named, &prose);
    blocks.named_body = body;
    let mut spans_body = vec![false; words.class_words()];
    for Named { node, meaning } in named {
        spans_body[usize::from(meaning.word)] |= body.is_some_and(|b| tree.is_inside(b, *node as usize));
    }
    for Named { node, meaning } in named {
        let word = usize::from(meaning.word);
        let share = held[word] as f32 / total;
        let limit = if meaning.hints & hint::COMMENTS != 0 {
            0.9
        } else {
            0.5
        };
        // With a named body elsewhere on the page, even a big sidebar is a sidebar.
        let tells = share <= limit || (body.is_some() && !spans_body[word]);
        let keep = meaning.hints & (hint::BODY | hint::LEAD);
        blocks.hints[*node as usize] |= if tells { meaning.hints } else { keep };
    }
}

/// The element that calls itself the article's text, if there is one with two paragraphs of prose at least.
fn named_body(tree: &Tree<'_>, blocks: &Blocks, named: &[Named], prose: &[u32]) -> Option<usize> {
    let by_class = named
        .iter()
        .filter(|n| n.meaning.hints & hint::BODY != 0)
        .map(|n| n.node as usize);
    let by_property = (0..tree.nodes.len()).filter(|&i| blocks.hints[i] & hint::BODY != 0);
    let mut bodies: Vec<usize> = by_property
        .chain(by_class)
        .filter(|&i| prose[i] >= 250)
        .take(64)
        .collect();
    bodies.sort_unstable();
    let outer = |&&i: &&usize| !bodies.iter().any(|&b| b < i && tree.is_inside(i, b));
    // Where many elements bear the name, it is the site's word for any text.
    if bodies.iter().filter(outer).count() > 2 {
        return None;
    }
    bodies.iter().copied().max_by_key(|&i| prose[i])
}

/// schema.org properties that name a part of an article.
fn itemprop_hints(value: &str) -> u16 {
    match value {
        "articleBody" => hint::BODY,
        "author" | "datePublished" | "dateModified" | "publisher" => hint::BYLINE,
        "caption" | "copyrightHolder" => hint::CAPTION,
        "comment" | "review" => hint::COMMENTS,
        "description" | "alternativeHeadline" => hint::LEAD,
        _ => 0,
    }
}

/// Cuts the page into blocks.
pub fn cut(tree: &Tree<'_>, words: &PageWords) -> Blocks {
    let (hints, named) = hints(tree, words);
    let mut cutter = Cutter {
        blocks: Blocks {
            text: String::new(),
            list: Vec::new(),
            hints,
            named_body: None,
        },
        owner: 0,
        open: None,
        breaks: 0,
        inline: Vec::new(),
    };
    cutter.run(tree);
    let Cutter {
        mut blocks, inline, ..
    } = cutter;
    add_named(tree, &mut blocks, &named, words);
    for (block, node) in inline {
        blocks.list[block as usize].inline_hints |= blocks.hints[node as usize];
    }
    blocks
}

struct Cutter {
    blocks: Blocks,
    /// Innermost block-level element at this place.
    owner: u32,
    /// The block being filled.
    open: Option<Block>,
    /// Line breaks seen since the last text.
    breaks: u32,
    /// Inline elements with a class of their own, by the number of their block.
    inline: Vec<(u32, u32)>,
}

/// What inline ancestors say about a text: (in a link, in bold or italics).
type Inline = (bool, bool);

impl Cutter {
    fn run(&mut self, tree: &Tree<'_>) {
        let mut stack: Vec<(u32, u32, Inline)> = Vec::with_capacity(64);
        let mut inline: Inline = (false, false);
        let mut index = 0;
        while index < tree.nodes.len() {
            while let Some(&(end, owner, before)) = stack.last() {
                if (index as u32) < end {
                    break;
                }
                if owner != self.owner {
                    self.close(tree);
                }
                self.owner = owner;
                inline = before;
                stack.pop();
            }
            let node = tree.nodes[index];
            match node.tag {
                Tag::Text => self.text(tree, index, inline),
                Tag::Br => {
                    self.breaks += 1;
                    if self.breaks >= 2 {
                        self.close(tree);
                    }
                }
                Tag::Hr => self.close(tree),
                tag if is_silent(tag) => {
                    index = node.end as usize;
                    continue;
                }
                tag => {
                    let before = inline;
                    let owner = self.owner;
                    if tag.is_inline() {
                        // Custom elements may wrap whole pages; only text-level ones are skipped here.
                        if self.blocks.hints[index] & hint::HIDDEN != 0 && tag != Tag::Custom {
                            index = node.end as usize;
                            continue;
                        }
                        inline.0 |= tag == Tag::A;
                        inline.1 |= matches!(tag, Tag::Bold | Tag::Italic);
                        if self.open.is_some() {
                            self.inline.push((self.blocks.list.len() as u32, index as u32));
                        }
                    } else {
                        self.close(tree);
                        self.owner = index as u32;
                    }
                    if node.end as usize > index + 1 {
                        stack.push((node.end, owner, before));
                    } else {
                        self.owner = owner;
                        inline = before;
                    }
                }
            }
            index += 1;
        }
        self.close(tree);
    }

    fn text(&mut self, tree: &Tree<'_>, index: usize, (link, strong): Inline) {
        let text = decode(tree.raw_text(index));
        let width = width_of(&text);
        if width == 0 {
            if self.open.is_some() && self.breaks == 0 {
                append_collapsed(&mut self.blocks.text, " ");
            }
            return;
        }
        let at = self.blocks.text.len();
        let block = self.open.get_or_insert(Block {
            owner: self.owner,
            first: index as u32,
            from: at,
            to: at,
            kind: Kind::Bare,
            width: 0,
            link_width: 0,
            strong_width: 0,
            inline_hints: 0,
        });
        block.width += width;
        block.link_width += if link { width } else { 0 };
        block.strong_width += if strong { width } else { 0 };
        if self.breaks == 1 && at > block.from {
            let trimmed = self.blocks.text.trim_end_matches(' ').len();
            self.blocks.text.truncate(trimmed);
            self.blocks.text.push('\n');
        }
        self.breaks = 0;
        if at == block.from {
            self.blocks.text.push('\n');
            block.from += 1;
        }
        append_collapsed(&mut self.blocks.text, &text);
    }

    fn close(&mut self, tree: &Tree<'_>) {
        self.breaks = 0;
        let Some(mut block) = self.open.take() else { return };
        let trimmed = self.blocks.text.trim_end().len();
        self.blocks.text.truncate(trimmed.max(block.from));
        block.to = self.blocks.text.len();
        block.kind = kind_of(tree, block.first as usize);
        self.blocks.list.push(block);
    }
}

fn kind_of(tree: &Tree<'_>, text: usize) -> Kind {
    let mut at = tree.nodes[text].parent as usize;
    let mut kind = Kind::Bare;
    // Eight steps reach past inline elements and wrappers to what the block stands in.
    for _ in 0..8 {
        match tree.nodes[at].tag {
            Tag::H1 => return Kind::Heading(1),
            Tag::H2 => return Kind::Heading(2),
            Tag::H3 => return Kind::Heading(3),
            Tag::H4 => return Kind::Heading(4),
            Tag::H5 | Tag::H6 => return Kind::Heading(5),
            Tag::Li | Tag::Dd | Tag::Dt => return Kind::Item,
            Tag::Blockquote => return Kind::Quote,
            Tag::Td | Tag::Th => return Kind::Cell,
            Tag::Pre => return Kind::Pre,
            Tag::P if kind == Kind::Bare => kind = Kind::Paragraph,
            Tag::Article | Tag::Body | Tag::Section => break,
            _ => {}
        }
        at = tree.nodes[at].parent as usize;
    }
    kind
}
