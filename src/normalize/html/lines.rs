//! The article's blocks, line by line: what stays and what is caption, credit, promotion, label or date line.

use super::blocks::{Block, Blocks, Kind};
use super::body::{Body, ends_sentence};
use super::tree::{Tag, Tree};
use super::words::{PageWords, hint, normal};
use std::collections::HashMap;

/// Why a block is not part of the text. `Keep` is the other case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Part of the text.
    Keep,
    /// Stands between headline and container; part of the text.
    Lead,
    /// The summary under the headline.
    Summary,
    /// Outside the article, or in a dropped element.
    Outside,
    /// The headline again.
    Title,
    /// Mostly links.
    Links,
    /// A label of the interface.
    Interface,
    /// Caption or credit.
    Caption,
    /// Promotion.
    Promotion,
    /// Who and when.
    Byline,
    /// After the article's end.
    After,
    /// The same text as an earlier block.
    Repeated,
    /// A heading with nothing under it.
    EmptyHeading,
}

/// Judges every block of the page.
pub fn judge(
    tree: &Tree<'_>,
    blocks: &Blocks,
    body: &Body,
    titles: &[String],
    words: &PageWords,
) -> Vec<Verdict> {
    let container = &tree.nodes[body.container];
    let (start, end) = (body.container, container.end as usize);
    let inside = |b: &Block| (b.owner as usize) >= start && (b.owner as usize) < end;
    let first_inside = blocks.list.iter().position(inside).unwrap_or(0);
    let mut verdicts = vec![Verdict::Outside; blocks.list.len()];
    let links = link_boxes(tree, blocks, body);
    let mut left: u32 = (0..blocks.list.len())
        .filter(|&i| inside(&blocks.list[i]) && !body.dropped[i])
        .map(|i| body.prose[i])
        .sum();
    let whole = left;
    let own_after = own_prose_after(tree, blocks, body);
    let (mut ended, mut begun) = (false, false);
    for (index, block) in blocks.list.iter().enumerate() {
        if body.dropped[index] {
            continue;
        }
        let within = inside(block);
        let lead = !within && is_lead(body, index, first_inside);
        if !within && !lead {
            continue;
        }
        if ended {
            verdicts[index] = Verdict::After;
            continue;
        }
        let text = blocks.text_of(block);
        let before_headline = body
            .headline
            .is_some_and(|h| index < h && inside(&blocks.list[h]));
        let mut verdict = if links[block.owner as usize] {
            Verdict::Links
        } else {
            line(block, text, titles, words)
        };
        if before_headline {
            verdict = Verdict::Outside;
        }
        if body.headline == Some(index) {
            verdict = Verdict::Title;
        }
        if within {
            left -= body.prose[index].min(left);
        }
        // What follows such a line is not the article, if little prose is left and none of it stands where the
        // article's own paragraphs stand.
        if within
            && index > first_inside
            && block.width < 80
            && ends_here(block, text, left, own_after[index], whole, words)
        {
            ended = true;
            verdict = Verdict::After;
        }
        let first = body.prose[index] > 0 && !begun;
        if verdict == Verdict::Keep && (lead || (first && is_named_lead(tree, blocks, body, block))) {
            verdict = Verdict::Lead;
        }
        begun |= verdict == Verdict::Keep && body.prose[index] > 0;
        verdicts[index] = verdict;
    }
    keep_topic(body, &mut verdicts, whole);
    drop_lone_lead(blocks, &mut verdicts, whole);
    drop_repeated(blocks, &mut verdicts);
    drop_empty_headings(blocks, &mut verdicts);
    verdicts
}

/// Promotion is a line or two. Where more than a sixth of the prose would go as such, the article is about what the phrases
/// speak of.
fn keep_topic(body: &Body, verdicts: &mut [Verdict], whole: u32) {
    let promoted =
        |at: &usize, verdicts: &[Verdict]| verdicts[*at] == Verdict::Promotion && body.prose[*at] > 0;
    let held: u32 = (0..verdicts.len())
        .filter(|at| promoted(at, verdicts))
        .map(|at| body.prose[at])
        .sum();
    if held * 6 > whole && whole >= 1500 {
        for at in 0..verdicts.len() {
            if promoted(&at, verdicts) {
                verdicts[at] = Verdict::Keep;
            }
        }
    }
}

/// One short text between headline and article is the page's summary of it, not its beginning (in two public
/// benchmarks 18 of 26 and 27 of 41 such texts are not part of it). Several are its beginning.
fn drop_lone_lead(blocks: &Blocks, verdicts: &mut [Verdict], whole: u32) {
    let leads: Vec<usize> = (0..verdicts.len())
        .filter(|&i| verdicts[i] == Verdict::Lead)
        .collect();
    // Two of them are the same summary for two screens.
    let alone = match leads.as_slice() {
        [_] => true,
        [a, b] => blocks.text_of(&blocks.list[*a]) == blocks.text_of(&blocks.list[*b]),
        _ => false,
    };
    if alone && blocks.list[leads[0]].width < 300 && whole >= 500 {
        leads.iter().for_each(|&index| verdicts[index] = Verdict::Summary);
    }
}

/// Sentences between the headline and the container are the article's lead.
fn is_lead(body: &Body, index: usize, first_inside: usize) -> bool {
    body.headline.is_some_and(|h| index > h) && index < first_inside && body.prose[index] > 0
}

/// Tag and class of an element.
fn make<'h>(tree: &Tree<'h>, index: usize) -> (Tag, &'h str) {
    let class = tree
        .attributes(index)
        .find(|(name, _)| *name == "class")
        .map_or("", |(_, value)| value.trim());
    (tree.nodes[index].tag, class)
}

/// Per block: prose from there on that stands in the kind of element most of the article's paragraphs are children of.
fn own_prose_after(tree: &Tree<'_>, blocks: &Blocks, body: &Body) -> Vec<u32> {
    // Elements of one make count as one: some pages put every few paragraphs in a box of their own.
    let parent = |b: &Block| make(tree, tree.nodes[b.owner as usize].parent as usize);
    let mut by_parent: HashMap<(Tag, &str), u32> = HashMap::new();
    for (index, block) in blocks.list.iter().enumerate() {
        if !body.dropped[index]
            && body.prose[index] > 0
            && tree.is_inside(block.owner as usize, body.container)
        {
            *by_parent.entry(parent(block)).or_default() += body.prose[index];
        }
    }
    let home = by_parent
        .iter()
        .max_by_key(|((tag, class), held)| (**held, *tag as u8, *class))
        .map(|(make, _)| *make);
    let mut after = vec![0u32; blocks.list.len()];
    let mut sum = 0;
    for (index, block) in blocks.list.iter().enumerate().rev() {
        after[index] = sum;
        if !body.dropped[index] && Some(parent(block)) == home {
            sum += body.prose[index];
        }
    }
    after
}

/// Drops what is said again: the same paragraph twice, a copy of the whole text for another screen, a pull quote.
/// A block goes if nine tenths of its five-word runs stand in other kept blocks.
fn drop_repeated(blocks: &Blocks, verdicts: &mut [Verdict]) {
    const RUN: usize = 5;
    let runs_of = |index: usize| -> Vec<u64> {
        let text = blocks.text_of(&blocks.list[index]).to_lowercase();
        let words: Vec<u64> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(|w| {
                w.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
                    (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
                })
            })
            .collect();
        // Questions of an interview and items of a recipe come again; a long paragraph does not.
        let long = match blocks.list[index].kind {
            Kind::Quote | Kind::Bare | Kind::Cell => 12,
            _ => 20,
        };
        if words.len() < long {
            return Vec::new();
        }
        words
            .windows(RUN)
            .map(|w| {
                w.iter()
                    .fold(0, |h: u64, x| h.rotate_left(13).wrapping_mul(31) ^ x)
            })
            .collect()
    };
    let kept = (0..verdicts.len()).filter(|&i| verdicts[i] == Verdict::Keep);
    let mut order: Vec<(usize, Vec<u64>)> = kept
        .map(|i| (i, runs_of(i)))
        .filter(|(_, runs)| !runs.is_empty())
        .collect();
    let mut holders: HashMap<u64, u32> = HashMap::new();
    order
        .iter()
        .flat_map(|(_, runs)| runs)
        .for_each(|run| *holders.entry(*run).or_default() += 1);
    // Bare text and quotations yield to paragraphs, and later copies to earlier ones.
    order.sort_by_key(|(index, _)| {
        (
            matches!(blocks.list[*index].kind, Kind::Paragraph | Kind::Item),
            std::cmp::Reverse(*index),
        )
    });
    for (index, runs) in order {
        let known = runs
            .iter()
            .filter(|r| holders.get(r).is_some_and(|n| *n > 1))
            .count();
        if known * 10 >= runs.len() * 9 {
            verdicts[index] = Verdict::Repeated;
            for run in &runs {
                if let Some(count) = holders.get_mut(run) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
}

/// Whether a line ends the article: it heads related matter or comments, and what follows is not the article's own.
/// `left` is the prose after it, `own` the part of that which stands where the article's paragraphs stand.
fn ends_here(block: &Block, text: &str, left: u32, own: u32, whole: u32, words: &PageWords) -> bool {
    let plain = normal(text);
    let heading = matches!(block.kind, Kind::Heading(_)) || block.strong_width == block.width;
    let spent = whole - left;
    if words.is_discussion(&plain) {
        // Comments may be longer than the article; at least two paragraphs stand before them.
        return spent >= 200 && own * 12 < spent && (heading || left * 4 < whole);
    }
    let little = left * 12 < whole
        || (left * 4 < whole && own * 12 < whole)
        || (heading && left * 2 < whole && own * 12 < spent);
    little && words.is_end(&plain)
}

/// Whether the block or one of the two boxes around it bears a name for leads. A name on most of the article's prose
/// is a name for the article.
fn is_named_lead(tree: &Tree<'_>, blocks: &Blocks, body: &Body, block: &Block) -> bool {
    let mut at = block.owner as usize;
    for _ in 0..3 {
        if at <= body.container {
            return false;
        }
        if blocks.hints[at] & hint::LEAD != 0 {
            let held = |b: &&Block| tree.is_inside(b.owner as usize, at);
            return blocks.list.iter().filter(held).count() <= 2;
        }
        at = tree.nodes[at].parent as usize;
    }
    false
}

/// Elements that are mostly links: lists and boxes of related pages. Marks whole subtrees.
fn link_boxes(tree: &Tree<'_>, blocks: &Blocks, body: &Body) -> Vec<bool> {
    let count = tree.nodes.len();
    let (mut width, mut link, mut prose) = (vec![0u32; count], vec![0u32; count], vec![0u32; count]);
    for (index, block) in blocks.list.iter().enumerate() {
        if body.dropped[index] {
            continue;
        }
        let owner = block.owner as usize;
        width[owner] += block.width;
        link[owner] += block.link_width;
        prose[owner] += body.prose[index];
    }
    for index in (1..count).rev() {
        let parent = tree.nodes[index].parent as usize;
        width[parent] += width[index];
        link[parent] += link[index];
        prose[parent] += prose[index];
    }
    let mut marked = vec![false; count];
    let end = tree.nodes[body.container].end as usize;
    for index in body.container + 1..end {
        let node = tree.nodes[index];
        let box_like = matches!(
            node.tag,
            Tag::Ul
                | Tag::Ol
                | Tag::Dl
                | Tag::Table
                | Tag::Div
                | Tag::Section
                | Tag::Article
                | Tag::Header
                | Tag::Center
        );
        let linked = link[index] as f32 > 0.5 * width[index] as f32 && prose[index] * 4 < width[index];
        marked[index] = marked[node.parent as usize] && node.parent as usize != body.container
            || (box_like && width[index] > 0 && linked);
    }
    marked
}

/// Judges one block by its own text.
fn line(block: &Block, text: &str, titles: &[String], words: &PageWords) -> Verdict {
    let lower = text.to_lowercase();
    let plain = normal(text);
    let sentence = ends_sentence(text);
    let heading = matches!(block.kind, Kind::Heading(_));
    // Cells of a table are numbers, names and dates by right.
    if block.kind == Kind::Cell && !plain.is_empty() && block.link_share() < 0.9 {
        return Verdict::Keep;
    }
    if plain.is_empty() || words.is_interface(&plain) || is_machine_line(&plain, text, words) {
        return Verdict::Interface;
    }
    if block.width < 300 && titles.contains(&plain) {
        return Verdict::Title;
    }
    if block.link_share() > 0.9 && !sentence && !heading && block.width > 0 {
        return Verdict::Links;
    }
    if is_caption(block, &lower, sentence, words) {
        return Verdict::Caption;
    }
    if is_date_line(&plain, words) || is_byline(block, text, &lower, sentence, words) {
        return Verdict::Byline;
    }
    if is_promotion(block, &lower, sentence, words) {
        return Verdict::Promotion;
    }
    Verdict::Keep
}

/// Counters ("Image 2 of 5"), bare numbers and bare addresses.
fn is_machine_line(plain: &str, text: &str, words: &PageWords) -> bool {
    if plain.len() > 40 || plain.contains("://") {
        return !text.contains(char::is_whitespace) && plain.contains("://");
    }
    let letters = plain.chars().any(char::is_alphabetic);
    if !letters {
        // "1.5 %" in a table is matter, "500" alone is not; a year or a score may be.
        return plain.chars().all(|c| c.is_ascii_digit()) && plain.len() != 4;
    }
    let digits = plain.chars().any(|c| c.is_ascii_digit());
    digits && plain.split(' ').count() <= 5 && words.caption_start(plain).is_some() && {
        let rest = &plain[words.caption_start(plain).unwrap_or(0)..];
        rest.split(' ')
            .all(|w| w.chars().all(|c| !c.is_alphabetic()) || w.chars().count() <= 3)
    }
}

/// Captions: a caption word with a mark after it, or a short line that ends in a credit.
fn is_caption(block: &Block, lower: &str, sentence: bool, words: &PageWords) -> bool {
    if block.width > 400 {
        return false;
    }
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '©');
    if lower.starts_with('©') && block.width < 250 {
        return true;
    }
    if let Some(len) = words.caption_start(lower) {
        let after = lower[len..].trim_start();
        if lower[..len].ends_with(':')
            || after.is_empty()
            || after.starts_with([':', '|', '/', '©', '(', '–', '-', '—'])
        {
            return true;
        }
        if lower[..len].contains(' ') && !sentence && block.width < 120 {
            return true;
        }
    }
    // "(Photo by A. Name / Agency)" or "A. Name/Agency" at the end of a short text.
    let tail = tail_of(lower, 90);
    if let Some(open) = tail.rfind('(') {
        let credit = &tail[open + 1..];
        if tail.trim_end().ends_with(')') && is_slashed_credit(credit) {
            return true;
        }
        if tail.trim_end().ends_with(')')
            && (words.caption_start(credit).is_some()
                || words.has_credit(credit) && credit.contains(['/', ':']))
        {
            return true;
        }
    }
    let quote = block.kind == Kind::Quote;
    !sentence
        && !quote
        && block.width < 250
        && words.has_credit(tail)
        && tail.contains(['/', '|', '©', ':', '-', '–'])
}

/// "Name/Agency)": a few words with a slash between letters and no figures.
fn is_slashed_credit(credit: &str) -> bool {
    let credit = credit.trim_end().trim_end_matches(')');
    credit.contains('/')
        && credit.split_whitespace().count() <= 6
        && credit
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '/' | ' ' | '-' | '.' | ',' | '\'' | '’' | '&'))
}

/// The last `bytes` bytes or a little less, cut at a character.
fn tail_of(text: &str, bytes: usize) -> &str {
    let mut from = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// Lines made of nothing but date words, months, numbers and marks.
pub fn is_date_line(plain: &str, words: &PageWords) -> bool {
    let (mut digits, mut dated, mut count) = (false, false, 0);
    for word in plain
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|w| !w.is_empty())
    {
        count += 1;
        let number = word.chars().all(char::is_numeric);
        dated |= tells_date(word, words);
        digits |= number || word.starts_with(|c: char| c.is_numeric());
        // "19th", "10h30", "5am": a number with a short tail.
        let short = word.starts_with(|c: char| c.is_numeric()) && word.chars().count() <= 6;
        if !(number || short || words.is_date_word(word)) || count > 16 {
            return false;
        }
    }
    digits && dated && count >= 2
}

/// Whether a word is what tells a date from other numbers: a month, a day or a date word, or a year of our time.
fn tells_date(word: &str, words: &PageWords) -> bool {
    let year =
        word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) && word.parse::<u16>().is_ok();
    year || (words.is_date_word(word) && word.chars().count() >= 3)
}

/// "By A. Name" and the like: short, no sentence end, opens with a by-word or holds names of the trade.
fn is_byline(block: &Block, text: &str, lower: &str, sentence: bool, words: &PageWords) -> bool {
    if block.width > 120 || matches!(block.kind, Kind::Heading(_)) {
        return false;
    }
    if !sentence && block.kind != Kind::Quote && is_dated_name(lower, words) {
        return true;
    }
    // A line that is an address to write to.
    if text.split_whitespace().any(is_mail) && block.width < 100 {
        return true;
    }
    if block.inline_hints & hint::BYLINE != 0 && !sentence && block.width < 80 {
        return true;
    }
    let Some(len) = words.by_start(lower) else {
        return false;
    };
    let rest: Vec<&str> = text.get(len..).unwrap_or("").split_whitespace().collect();
    if sentence || rest.is_empty() || rest.len() > 10 {
        return false;
    }
    // All words but joins begin with a capital, or the script has none.
    rest.iter().take(3).all(|word| {
        let first = word.chars().find(|c| c.is_alphanumeric());
        words.is_and(&word.to_lowercase()) || first.is_none_or(|c| !c.is_lowercase() || c.is_numeric())
    })
}

/// A short line at least half of which is date and clock ("Monday, 18 November 2019 7:45 am by A. Name").
fn is_dated_name(lower: &str, words: &PageWords) -> bool {
    let (mut date, mut other, mut digits, mut dated) = (0, 0, false, false);
    for word in lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        digits |= number;
        dated |= tells_date(word, words);
        if number || words.is_date_word(word) {
            date += 1
        } else {
            other += 1
        }
    }
    digits && dated && date >= 4 && date >= other && date + other <= 16
}

fn is_mail(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !name.contains('('))
}

/// Promotion: opens with a promotion phrase and is a link, a label or ends in no sentence; or a short text with a
/// phrase of self-promotion.
fn is_promotion(block: &Block, lower: &str, sentence: bool, words: &PageWords) -> bool {
    if block.width > 350 {
        return false;
    }
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '©');
    if let Some(len) = words.promo_start(lower) {
        let marked = lower[..len].ends_with([':', '©'])
            || lower[len..].trim_start().starts_with([':', '|', '>', '»', '→']);
        if marked || block.link_width * 3 > block.width || (!sentence && block.width < 120) {
            return true;
        }
    }
    if !sentence && block.link_share() > 0.6 && block.strong_width * 2 > block.width && block.width > 20 {
        return true;
    }
    words.has_blurb(lower)
}

/// A heading directly followed by a heading of its level or higher, or by the end, heads nothing.
fn drop_empty_headings(blocks: &Blocks, verdicts: &mut [Verdict]) {
    let mut next: Option<u8> = Some(0);
    for index in (0..verdicts.len()).rev() {
        if verdicts[index] != Verdict::Keep {
            continue;
        }
        match blocks.list[index].kind {
            Kind::Heading(level) => {
                if next == Some(0) {
                    verdicts[index] = Verdict::EmptyHeading;
                } else {
                    next = Some(level);
                }
            }
            _ => next = None,
        }
    }
}
