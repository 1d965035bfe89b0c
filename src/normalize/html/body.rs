//! Where the article stands on the page: which subtrees are machinery, and which element holds the text.
//!
//! The measure is *prose*: the width of blocks that read like sentences outside links. Elements whose names or roles
//! say that they are beside the article are dropped, unless they hold too much of the page's prose to be that. Then the
//! walk goes down from the root to the child that holds the prose, and stops where the prose is spread over children.

use super::blocks::{Block, Blocks, Kind};
use super::tree::{Tag, Tree};
use super::words::{PageWords, hint};

/// Where the article is: blocks by index, in order.
pub struct Body {
    /// Element that holds the article.
    pub container: usize,
    /// Per block: whether it stands in a dropped element.
    pub dropped: Vec<bool>,
    /// Per block: prose width.
    pub prose: Vec<u32>,
    /// Block of the headline, if found.
    pub headline: Option<usize>,
}

/// Marks that end a sentence in the scripts of the world.
pub fn ends_sentence(text: &str) -> bool {
    let closing = ['"', '\'', '”', '’', '»', ')', ']', '“', '›', ' ', '*'];
    text.trim_end_matches(closing)
        .ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '۔', '।', '።', '։', ':'])
}

/// Prose width of a block: 0 for headings, links, labels and other short text.
pub fn prose_of(block: &Block, text: &str) -> u32 {
    if matches!(block.kind, Kind::Heading(_)) || block.link_width * 2 > block.width {
        return 0;
    }
    let own = block.width - block.link_width;
    // 80 marks are about fifteen words, longer than nearly all labels and headlines; a shorter text must end as a
    // sentence does.
    let sentence = ends_sentence(text);
    match block.kind {
        Kind::Item | Kind::Cell if !sentence => own / 2 * u32::from(own >= 80),
        _ if own >= 80 || (own >= 30 && sentence) => own,
        _ => 0,
    }
}

/// Finds the article. `titles` are the names the page gives itself in its head, normalised.
pub fn find(tree: &Tree<'_>, blocks: &Blocks, titles: &[String], words: &PageWords) -> Body {
    let prose: Vec<u32> = blocks
        .list
        .iter()
        .map(|b| prose_of(b, blocks.text_of(b)))
        .collect();
    let headline = find_headline(blocks, titles);
    let total: u32 = prose.iter().sum();
    let mut gone = dropped_nodes(tree, blocks, &prose, headline, false);
    let mut dropped: Vec<bool> = blocks.list.iter().map(|b| gone[b.owner as usize]).collect();
    let left: u32 = (0..prose.len()).filter(|&i| !dropped[i]).map(|i| prose[i]).sum();
    // Names that leave next to nothing of a page with much to read were misleading: go by tags alone.
    if left < 250 && total > 1000 {
        gone = dropped_nodes(tree, blocks, &prose, headline, true);
        dropped = blocks.list.iter().map(|b| gone[b.owner as usize]).collect();
    }
    let container = choose(tree, blocks, &prose, &dropped, headline, words);
    Body {
        container,
        dropped,
        prose,
        headline,
    }
}

/// The block that repeats the page's title: the first main heading that does, else any heading, else none.
fn find_headline(blocks: &Blocks, titles: &[String]) -> Option<usize> {
    let mut best: Option<(u32, usize)> = None;
    for (index, block) in blocks.list.iter().enumerate() {
        let level = match block.kind {
            Kind::Heading(level) => u32::from(level),
            Kind::Bare | Kind::Paragraph if block.width < 300 => 6,
            _ => continue,
        };
        let line = super::words::normal(blocks.text_of(block));
        // Under three words a match means little ("Home", "News").
        if line.split(' ').count() < 3 && level > 1 {
            continue;
        }
        let matches = titles.iter().any(|title| same_title(&line, title));
        let rank = match (matches, level) {
            (true, level) => level,
            (false, 1) => 7,
            _ => continue,
        };
        if best.is_none_or(|(r, _)| rank < r) {
            best = Some((rank, index));
        }
    }
    best.map(|(_, index)| index)
}

/// Whether a line is a title, or the title with a site's name before or after it.
fn same_title(line: &str, title: &str) -> bool {
    line.len() > 8
        && (line == title
            || (line.len() * 2 > title.len() && (title.starts_with(line) || title.ends_with(line)))
            // A label may stand before it: "Title: ...".
            || (title.len() > 20 && title.len() * 4 > line.len() * 3 && line.ends_with(title)))
}

/// Sum of a value over every subtree.
fn subtree_sums(tree: &Tree<'_>, blocks: &Blocks, value: impl Fn(usize, &Block) -> u32) -> Vec<u32> {
    let mut sums = vec![0u32; tree.nodes.len()];
    for (index, block) in blocks.list.iter().enumerate() {
        sums[block.owner as usize] += value(index, block);
    }
    for index in (1..sums.len()).rev() {
        sums[tree.nodes[index].parent as usize] += sums[index];
    }
    sums
}

/// Per node: whether it lies in something that is not the article, going by names, roles and tags.
fn dropped_nodes(
    tree: &Tree<'_>,
    blocks: &Blocks,
    prose: &[u32],
    headline: Option<usize>,
    tags_alone: bool,
) -> Vec<bool> {
    let sums = subtree_sums(tree, blocks, |i, _| prose[i]);
    let widths = subtree_sums(tree, blocks, |_, b| b.width);
    let total = sums[0].max(1) as f32;
    let headline = headline.map(|i| blocks.list[i].first as usize);
    // The named body, if it holds a good part of the prose, and all it stands in are not beside the article.
    let bodies: Vec<usize> = (1..tree.nodes.len())
        .filter(|&i| blocks.hints[i] & hint::BODY != 0 && sums[i] as f32 > 0.3 * total)
        .take(8)
        .collect();
    let quoted = subtree_sums(
        tree,
        blocks,
        |i, b| if b.kind == Kind::Quote { prose[i] } else { 0 },
    );
    let mut gone = teasers(tree, blocks, prose, headline);
    for index in 1..tree.nodes.len() {
        let node = tree.nodes[index];
        if gone[node.parent as usize] {
            gone[index] = true;
            continue;
        }
        let hints = match (tags_alone, node.tag) {
            (false, _) => blocks.hints[index],
            (true, Tag::Nav | Tag::Footer | Tag::Aside | Tag::Figcaption) => blocks.hints[index],
            (true, _) => 0,
        };
        if gone[index] {
            continue;
        }
        // A post quoted from a social network is a quotation, whatever its frame is called.
        let quotes = quoted[index] * 2 > sums[index];
        let hints = if quotes { hints & !hint::SIDE } else { hints };
        if node.tag == Tag::Text || (hints == 0 && !matches!(node.tag, Tag::Figure | Tag::Form)) {
            continue;
        }
        let share = sums[index] as f32 / total;
        if bodies.iter().any(|&b| tree.is_inside(b, index)) {
            continue;
        }
        if quotes && node.tag == Tag::Figure {
            continue;
        }
        let has_headline = headline.is_some_and(|at| tree.is_inside(at, index));
        let body_elsewhere = blocks
            .named_body
            .is_some_and(|b| !tree.is_inside(b, index) && !tree.is_inside(index, b));
        gone[index] = is_beside(
            node.tag,
            hints,
            share,
            widths[index],
            has_headline,
            body_elsewhere,
        );
    }
    gone
}

/// Boxes of other pages: three or more siblings of one kind, each short, each with a linked title and a little text.
/// The repetition tells them from an article's own sections, which are long or whose headings are no links.
fn teasers(tree: &Tree<'_>, blocks: &Blocks, prose: &[u32], headline: Option<usize>) -> Vec<bool> {
    let widths = subtree_sums(tree, blocks, |_, b| b.width);
    let sums = subtree_sums(tree, blocks, |i, _| prose[i]);
    // A title: a block that is a link as a whole and longer than a label.
    let titles = subtree_sums(tree, blocks, |_, b| {
        u32::from(b.width >= 15 && b.link_width * 10 >= b.width * 9)
    });
    let mut gone = vec![false; tree.nodes.len()];
    let is_teaser = |child: usize| {
        let tag = tree.nodes[child].tag;
        matches!(
            tag,
            Tag::Li
                | Tag::Div
                | Tag::Article
                | Tag::Section
                | Tag::Td
                | Tag::Tr
                | Tag::A
                | Tag::Dd
                | Tag::Custom
        ) && titles[child] >= 1
            && sums[child] > 0
            && widths[child] < 700
            && !headline.is_some_and(|h| tree.is_inside(h, child))
    };
    let mut children: Vec<usize> = Vec::new();
    for parent in 0..tree.nodes.len() {
        if sums[parent] == 0 || tree.nodes[parent].tag == Tag::Text {
            continue;
        }
        children.clear();
        self::children(tree, parent)
            .into_iter()
            .filter(|&c| is_teaser(c))
            .for_each(|c| children.push(c));
        let held: u32 = children.iter().map(|&c| sums[c]).sum();
        // A page that is nothing but such boxes keeps them: a list is its matter.
        if children.len() >= 3 && sums[0] - held >= 400 {
            children.iter().for_each(|&c| gone[c] = true);
        }
    }
    gone
}

/// The judgement on one element. The limits say how much of the page's prose an element so named may hold and still be
/// what its name says: a "related" box of half the page is a layout class on the article itself.
fn is_beside(tag: Tag, hints: u16, share: f32, width: u32, has_headline: bool, body_elsewhere: bool) -> bool {
    if hints & hint::BODY != 0 && share > 0.1 {
        return false;
    }
    if has_headline && share > 0.2 {
        return false;
    }
    if body_elsewhere && hints & (hint::COMMENTS | hint::CHROME | hint::SIDE) != 0 {
        return true;
    }
    if hints & hint::HIDDEN != 0 && share < 0.4 {
        return true;
    }
    if hints & hint::COMMENTS != 0 && share < 0.9 {
        return true;
    }
    if hints & hint::CHROME != 0 && share < 0.5 {
        return true;
    }
    if hints & hint::SIDE != 0 && share < 0.4 {
        return true;
    }
    // Captions, credits and bylines are short.
    if hints & hint::CAPTION != 0 && width < 600 && share < 0.3 {
        return true;
    }
    if hints & hint::BYLINE != 0 && width < 250 && share < 0.2 && !has_headline {
        return true;
    }
    match tag {
        Tag::Figure => share < 0.2,
        Tag::Form => share < 0.2,
        _ => false,
    }
}

/// Walks down to the element that holds the article.
fn choose(
    tree: &Tree<'_>,
    blocks: &Blocks,
    prose: &[u32],
    dropped: &[bool],
    headline: Option<usize>,
    words: &PageWords,
) -> usize {
    let weights = place_weights(blocks, prose, dropped, headline, words);
    let value = |i: usize| {
        if dropped[i] {
            0
        } else {
            (prose[i] as f32 * weights[i]) as u32
        }
    };
    let sums = subtree_sums(tree, blocks, |i, _| value(i));
    let readable: Vec<(u32, u32)> = blocks
        .list
        .iter()
        .enumerate()
        .filter(|(i, _)| value(*i) > 0)
        .map(|(i, b)| (b.owner, value(i)))
        .collect();
    let headline_node = headline.map(|i| blocks.list[i].first as usize);
    let mut at = 0usize;
    loop {
        let children = children(tree, at);
        let weigh = |child: &usize| {
            let bonus = if blocks.hints[*child] & hint::BODY != 0 {
                2
            } else {
                1
            };
            sums[*child] * bonus
        };
        let Some(best) = children.iter().copied().max_by_key(weigh) else {
            return at;
        };
        if sums[best] == 0 {
            return at;
        }
        let best = earlier(tree, &children, best, &sums, headline_node);
        // One of several articles on the page: the one under the headline.
        let own_article = headline_node.and_then(|h| {
            children.iter().copied().find(|&c| {
                tree.nodes[c].tag == Tag::Article && tree.is_inside(h, c) && sums[c] * 8 > sums[at]
            })
        });
        if let Some(article) = own_article {
            at = article;
            continue;
        }
        if !may_hold(tree, best, headline_node) {
            return at;
        }
        // No child rules and several are alike: the parts of one article ("10 best ..."), not its neighbours.
        let alike = children
            .iter()
            .filter(|&&c| sums[c] > 0 && tree.nodes[c].tag == tree.nodes[best].tag)
            .count();
        if sums[best] * 2 < sums[at] && alike >= 3 {
            return at;
        }
        if !holds_it(
            tree,
            &readable,
            at,
            best,
            sums[best],
            blocks.hints[best] & hint::BODY != 0,
        ) {
            return at;
        }
        at = best;
    }
}

/// How much prose counts by its place: what stands above the headline or under the heading of the comments is seldom the
/// article, however long it is.
fn place_weights(
    blocks: &Blocks,
    prose: &[u32],
    dropped: &[bool],
    headline: Option<usize>,
    words: &PageWords,
) -> Vec<f32> {
    let mut weights = vec![1.0; blocks.list.len()];
    let Some(headline) = headline else { return weights };
    weights[..headline].fill(0.3);
    let mut read = 0;
    for index in headline + 1..blocks.list.len() {
        if dropped[index] {
            continue;
        }
        read += prose[index];
        let block = &blocks.list[index];
        let heading = matches!(block.kind, Kind::Heading(_)) || block.strong_width == block.width;
        // Two paragraphs make an article that can have comments.
        if heading
            && block.width < 60
            && read >= 250
            && words.is_discussion(&super::words::normal(blocks.text_of(block)))
        {
            weights[index..].fill(0.25);
            break;
        }
    }
    weights
}

/// The first child under the headline that holds a third as much as the fullest one is the likelier article: what
/// follows an article (notices, comments, other stories) can be longer than it.
fn earlier(tree: &Tree<'_>, children: &[usize], best: usize, sums: &[u32], headline: Option<usize>) -> usize {
    let Some(headline) = headline else { return best };
    children
        .iter()
        .copied()
        .take_while(|&c| c < best)
        .find(|&c| tree.nodes[c].end as usize > headline && sums[c] >= 250 && sums[c] * 3 >= sums[best])
        .unwrap_or(best)
}

/// Whether an element can be an article's container; paragraphs and lists are parts of one.
fn may_hold(tree: &Tree<'_>, index: usize, headline: Option<usize>) -> bool {
    use Tag::*;
    match tree.nodes[index].tag {
        P | H1 | H2 | H3 | H4 | H5 | H6 | Blockquote | Pre | Dl | Dd | Dt => false,
        Ul | Ol | Li => headline.is_some_and(|h| tree.is_inside(h, index)),
        _ => true,
    }
}

/// Whether the child holds the article: what lies outside it is little, or lies deep in structures of its own.
fn holds_it(
    tree: &Tree<'_>,
    readable: &[(u32, u32)],
    at: usize,
    best: usize,
    inside: u32,
    named: bool,
) -> bool {
    let mut rest = 0.0f32;
    for &(owner, width) in readable {
        let owner = owner as usize;
        if !tree.is_inside(owner, at) || tree.is_inside(owner, best) {
            continue;
        }
        let (mut steps, mut up, mut branch) = (0, owner, owner);
        while up != at && steps < 256 {
            branch = up;
            up = tree.nodes[up].parent as usize;
            steps += 1;
        }
        // A sibling of the same make holds another part of the same text.
        if same_make(tree, branch, best) {
            rest += width as f32;
            continue;
        }
        // Each level between halves the weight: paragraphs beside the child belong to the same text, teasers stand in
        // boxes within boxes.
        rest += width as f32 * 0.5f32.powi((steps - 1).max(0));
    }
    let limit = if named { 0.5 } else { 0.1 };
    rest < limit * inside as f32
}

/// Whether two elements have the same tag and the same class, which is not empty.
fn same_make(tree: &Tree<'_>, a: usize, b: usize) -> bool {
    let class = |i: usize| {
        tree.attributes(i)
            .find(|(name, _)| *name == "class")
            .map(|(_, value)| value.trim())
    };
    tree.nodes[a].tag == tree.nodes[b].tag && class(a).is_some_and(|c| !c.is_empty()) && class(a) == class(b)
}

fn children(tree: &Tree<'_>, at: usize) -> Vec<usize> {
    let mut out = Vec::new();
    let mut child = at + 1;
    let end = tree.nodes[at].end as usize;
    while child < end {
        if tree.nodes[child].tag != Tag::Text {
            out.push(child);
        }
        child = tree.nodes[child].end as usize;
    }
    out
}
