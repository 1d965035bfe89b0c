//! Dates that a page shows: elements made for a date, and lines by the headline that say who and when.
//!
//! Prose is never read for a date, nor is what stands in comments, in the frame or beside other pages' titles.

use super::dates::{Basis, Precision, Stamp, stamp};
use crate::normalize::html::blocks::{Block, Blocks, Kind};
use crate::normalize::html::body::Body;
use crate::normalize::html::lines::is_date_line;
use crate::normalize::html::tree::{Tag, Tree, decode};
use crate::normalize::html::words::{PageWords, hint, normal};
use std::ops::Range;

/// Lines between headline and text that are looked at: labels, author, date, reading time, share buttons.
const LINES_UNDER_HEADLINE: usize = 16;

/// A line of who and when is shorter than this.
const LINE_WIDTH_MAX: u32 = 100;

/// What a page shows of its dates.
#[derive(Default)]
pub(super) struct Shown {
    /// When the article was published.
    pub(super) published: Option<Stamp>,
    /// When it was last changed.
    pub(super) modified: Option<Stamp>,
}

/// Reads the dates a page shows: an element that calls itself the publication date, else what stands by the headline,
/// else the first `time` in the article.
pub(super) fn find(tree: &Tree<'_>, blocks: &Blocks, found: &Body, words: &PageWords) -> Shown {
    let place = Place::new(tree, blocks, found);
    let elements = elements(tree, blocks, found, &place, words);
    let lines = lines(tree, blocks, found, &place, words);
    Shown {
        published: elements
            .declared
            .or(elements.by_headline)
            .or(lines.published)
            .or(elements.elsewhere),
        modified: elements.modified.or(lines.modified),
    }
}

/// The stretch between the headline and the article's first paragraph, where pages say who and when.
struct Place {
    headline: Option<usize>,
    /// The headline's element; 0 where there is no headline.
    headline_node: usize,
    first_prose: usize,
    nodes: Range<usize>,
}

impl Place {
    fn new(tree: &Tree<'_>, blocks: &Blocks, found: &Body) -> Self {
        let is_prose = |at: usize| {
            found.prose[at] > 0
                && !found.dropped[at]
                && tree.is_inside(blocks.list[at].owner as usize, found.container)
        };
        let first_inside = (0..blocks.list.len()).find(|&at| is_prose(at)).unwrap_or(0);
        // A heading right above the text stands for a headline that no title names.
        let headline = found.headline.or_else(|| {
            let above = first_inside.saturating_sub(LINES_UNDER_HEADLINE)..first_inside;
            above
                .rev()
                .find(|&at| matches!(blocks.list[at].kind, Kind::Heading(1 | 2)))
        });
        let after = headline.map_or(0, |at| at + 1);
        let first_prose = (after..blocks.list.len())
            .find(|&at| is_prose(at))
            .unwrap_or(after);
        let node = |at: usize| blocks.list.get(at).map_or(0, |block| block.first as usize);
        let nodes = headline.map_or(0..0, |at| node(at)..node(first_prose));
        Self {
            headline,
            headline_node: headline.map_or(0, |at| blocks.list[at].owner as usize),
            first_prose,
            nodes,
        }
    }
}

/// Dates of elements made for them, by where they stand.
#[derive(Default)]
struct Elements {
    /// It calls itself the date of publication.
    declared: Option<Stamp>,
    by_headline: Option<Stamp>,
    elsewhere: Option<Stamp>,
    modified: Option<Stamp>,
}

fn elements(tree: &Tree<'_>, blocks: &Blocks, found: &Body, place: &Place, words: &PageWords) -> Elements {
    let end = tree.nodes[found.container].end as usize;
    let mut dates = Elements::default();
    for (index, node) in tree.nodes.iter().enumerate() {
        if matches!(node.tag, Tag::Text | Tag::Meta) {
            continue;
        }
        let property = |wanted: &str| {
            let holds = |name| tree.attribute(index, name).is_some_and(|p| p.contains(wanted));
            holds("itemprop") || holds("property")
        };
        let declares = property("datePublished")
            || (node.tag == Tag::Time && tree.attribute(index, "pubdate").is_some());
        if node.tag != Tag::Time && !declares {
            continue;
        }
        let by_headline = place.nodes.contains(&index);
        let unwanted = if declares { hint::COMMENTS } else { BESIDE };
        let near = by_headline.then_some(place.headline_node);
        if stands_in(tree, blocks, index, unwanted, near) {
            continue;
        }
        let Some(stamp) = element_stamp(tree, index, words) else {
            continue;
        };
        let follows = place.nodes.start > 0 && index > place.nodes.start && index < end;
        let slot = if declares {
            &mut dates.declared
        } else if property("dateModified") || is_update(tree, blocks, index, words) {
            &mut dates.modified
        } else if by_headline {
            &mut dates.by_headline
        } else if follows || tree.is_inside(index, found.container) {
            &mut dates.elsewhere
        } else {
            continue;
        };
        slot.get_or_insert(stamp);
    }
    dates
}

/// The date of an element: from the attribute for programs, else from its text.
fn element_stamp(tree: &Tree<'_>, index: usize, words: &PageWords) -> Option<Stamp> {
    let given = ["datetime", "content", "title"]
        .iter()
        .filter_map(|name| tree.attribute(index, name))
        .find_map(|value| stamp(&value, Basis::TimeTag, words));
    given.or_else(|| stamp(&tree.text_of(index, 80), Basis::TimeTag, words))
}

/// Whether the line up to the end of an element speaks of a change.
fn is_update(tree: &Tree<'_>, blocks: &Blocks, index: usize, words: &PageWords) -> bool {
    let end = tree.nodes[index].end;
    let after = blocks.list.partition_point(|block| block.first < end);
    let line = after.checked_sub(1).map(|at| blocks.text_of(&blocks.list[at]));
    line.is_some_and(|line| line.len() < 200 && words.update_start(&line.to_lowercase()).is_some())
}

/// Dates in lines under the headline, in the line right above it, or right under the first paragraph, which may be a
/// summary; else in a line of the article whose element is named for a date.
fn lines(tree: &Tree<'_>, blocks: &Blocks, found: &Body, place: &Place, words: &PageWords) -> Shown {
    let mut shown = Shown::default();
    let Some(headline) = place.headline else {
        return shown;
    };
    let is_date = |at: usize| is_date_line(&normal(&line_text(tree, blocks, at)), words);
    let names_date = |at: usize| {
        let block = &blocks.list[at];
        (blocks.hints[block.owner as usize] | block.inline_hints) & hint::BYLINE != 0
    };
    let under = (headline + 1..place.first_prose).take(LINES_UNDER_HEADLINE);
    let above = headline.checked_sub(1).filter(|&at| {
        (is_date(at) || names_date(at)) && stand_together(tree, &blocks.list[at], &blocks.list[headline])
    });
    let summary_end = (place.first_prose + 1).min(blocks.list.len());
    let under_summary = (summary_end..blocks.list.len()).take(3).filter(|&at| is_date(at));
    let in_article = (summary_end..blocks.list.len()).filter(|&at| {
        names_date(at) && tree.is_inside(blocks.list[at].owner as usize, found.container) && is_date(at)
    });
    for at in under.chain(above).chain(under_summary).chain(in_article) {
        let block = &blocks.list[at];
        let is_line = block.width < LINE_WIDTH_MAX
            && (block.link_share() < 0.9 || is_date(at))
            && found.prose[at] == 0
            && !matches!(block.kind, Kind::Heading(_));
        if !is_line
            || stands_in(
                tree,
                blocks,
                block.owner as usize,
                BESIDE,
                Some(place.headline_node),
            )
        {
            continue;
        }
        let (published, modified) = line_stamps(&line_text(tree, blocks, at).to_lowercase(), words);
        // "Updated:" and its date may stand in two elements.
        let label = at.checked_sub(1).map(|at| blocks.text_of(&blocks.list[at]));
        let is_labelled = label
            .is_some_and(|label| label.len() < 40 && words.update_start(&label.to_lowercase()).is_some());
        match published {
            Some(stamp) if is_labelled => shown.modified = shown.modified.or(Some(stamp)),
            Some(stamp) => {
                shown.published = Some(stamp);
                shown.modified = shown.modified.or(modified);
                return shown;
            }
            None => shown.modified = shown.modified.or(modified),
        }
    }
    shown
}

/// The text of a block with a space between its elements, which a page parts by looks alone.
fn line_text(tree: &Tree<'_>, blocks: &Blocks, at: usize) -> String {
    let block = &blocks.list[at];
    if block.width >= LINE_WIDTH_MAX {
        return String::new();
    }
    let end = blocks
        .list
        .get(at + 1)
        .map_or(tree.nodes.len(), |next| next.first as usize);
    let mut line = String::new();
    for node in (block.first as usize..end).filter(|&node| tree.nodes[node].tag == Tag::Text) {
        if !is_quiet(tree, node, block.owner as usize) {
            line.push_str(&decode(tree.raw_text(node)));
            line.push(' ');
        }
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text is none that is shown: a script or style inside a block.
fn is_quiet(tree: &Tree<'_>, node: usize, owner: usize) -> bool {
    let parent = tree.nodes[node].parent as usize;
    matches!(tree.nodes[parent].tag, Tag::Script | Tag::Style) || !tree.is_inside(node, owner)
}

/// The dates of a line in lower case: before and after the word that speaks of a change.
fn line_stamps(line: &str, words: &PageWords) -> (Option<Stamp>, Option<Stamp>) {
    let cut = words.update_start(line).unwrap_or(line.len());
    let day = |text: &str| {
        stamp(
            text.trim_start_matches(|c: char| !c.is_alphanumeric()),
            Basis::TimeTag,
            words,
        )
        .filter(|stamp| stamp.precision != Precision::Month)
    };
    (day(&line[..cut]), day(&line[cut..]))
}

/// Whether two blocks have one parent, or one of them stands beside the other's parent.
fn stand_together(tree: &Tree<'_>, first: &Block, second: &Block) -> bool {
    let parent = |node: u32| tree.nodes[node as usize].parent;
    let (one, other) = (parent(first.owner), parent(second.owner));
    one == other || parent(one) == other || one == parent(other)
}

/// What stands in comments, in the frame or in boxes for other pages.
const BESIDE: u16 = hint::COMMENTS | hint::CHROME | hint::SIDE;

/// Whether a node or one of the boxes around it bears one of some hints. By the headline, whose node is then given, a box
/// that is named both for what stands beside an article and for who and when ("article-meta") is the latter, and boxes
/// that hold the headline too ("article-banner") are the article's.
fn stands_in(tree: &Tree<'_>, blocks: &Blocks, index: usize, unwanted: u16, headline: Option<usize>) -> bool {
    let mut at = index;
    for _ in 0..12 {
        if headline.is_some_and(|headline| tree.is_inside(headline, at)) {
            return false;
        }
        let hints = blocks.hints[at];
        let spared = if headline.is_some() && hints & hint::BYLINE != 0 {
            hint::SIDE
        } else {
            0
        };
        if hints & unwanted & !spared != 0 {
            return true;
        }
        if at == 0 {
            break;
        }
        at = tree.nodes[at].parent as usize;
    }
    false
}

#[cfg(test)]
mod tests {
    use crate::normalize::html::{read, words::test_words};

    #[track_caller]
    fn check(above: &str, under: &str, published: Option<&str>, modified: Option<&str>) {
        let text = "The ministry said on Tuesday that two hundred soldiers would leave the northern base.";
        let html = format!(
            "<title>Base closed at last</title><article>{above}<h1>Base closed at last</h1>{under}<p>{text}</p><p>{text} \
             It closed on 3 May 2011.</p></article>"
        );
        let page = read(&html, Some("https://a.example/x"), &test_words());
        let day = |at: jiff::Timestamp| at.to_string()[..10].to_string();
        assert_eq!(
            page.published.map(|s| day(s.at)).as_deref(),
            published,
            "{above}{under}"
        );
        assert_eq!(page.modified.map(day).as_deref(), modified, "{above}{under}");
    }

    #[test]
    fn lines_by_the_headline() {
        let day = Some("2019-11-19");
        check(
            "",
            "<div>By Ann Name &bull; <span>November 19, 2019</span></div>",
            day,
            None,
        );
        check("", "<p>5 min read · Nov 19, 2019</p>", day, None);
        check(
            "",
            "<p>Publié le 19 novembre 2019, mis à jour le 20 novembre 2019</p>",
            day,
            Some("2019-11-20"),
        );
        check("", "<p>Updated November 20, 2019</p>", None, Some("2019-11-20"));
        check(
            "",
            "<div>Last updated:</div><div>November 20, 2019</div>",
            None,
            Some("2019-11-20"),
        );
        check("<div>19 November 2019</div>", "", day, None);
        check("", "<p>2019年11月19日 10:30</p>", day, None);
        check("", "<p>١٩ نوفمبر ٢٠١٩</p>", day, None);
        check(
            "",
            "<p class=pub-date>November 19, 2019. <i>Updated: November 20, 2019</i></p>",
            day,
            Some("2019-11-20"),
        );
        check("", "", None, None);
    }

    #[test]
    fn elements_by_the_headline() {
        let day = Some("2019-11-19");
        check(
            "",
            "<div class=article__meta><time>Nov 19, 2019</time></div>",
            day,
            None,
        );
        check(
            "",
            "<div class=article-meta><span itemprop=datePublished>November 19, 2019</span></div>",
            day,
            None,
        );
        check(
            "",
            "<p>Last updated: <time datetime=2019-11-20>Wednesday</time></p>",
            None,
            Some("2019-11-20"),
        );
        check(
            "",
            "<div class=related><time datetime=2019-11-20>Wednesday</time></div>",
            None,
            None,
        );
        check(
            "",
            "<div class=comments><time datetime=2019-11-20>Wednesday</time></div>",
            None,
            None,
        );
    }

    #[test]
    fn boxes_that_hold_the_headline_are_the_articles() {
        let text = "The ministry said on Tuesday that two hundred soldiers would leave the northern base.";
        let html = format!(
            "<title>Base closed at last</title><main><div class=article-banner><h1>Base closed at last</h1><p>\
             <time>Nov 19, 2019</time></p></div><div><p>{text}</p><p>{text}</p><p class=date>Dec 1, 2019</p></div></main>"
        );
        let published = read(&html, Some("https://a.example/x"), &test_words()).published;
        assert_eq!(
            published.map(|stamp| stamp.at.to_string()).as_deref(),
            Some("2019-11-19T00:00:00Z")
        );
        let html = html.replace("<time>Nov 19, 2019</time>", "Base");
        let published = read(&html, Some("https://a.example/x"), &test_words()).published;
        assert_eq!(
            published.map(|stamp| stamp.at.to_string()).as_deref(),
            Some("2019-12-01T00:00:00Z")
        );
    }
}
