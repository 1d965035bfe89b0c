//! Dates that a page shows: elements made for a date, and lines by the headline that say who and when.
//!
//! Prose is never read for a date, nor is what stands in comments, in the frame or beside other pages' titles.

use super::dates::{Basis, Precision, Stamp, stamp};
use crate::normalize::html::blocks::{Block, Blocks, Kind};
use crate::normalize::html::body::Body;
use crate::normalize::html::lines::is_date_line;
use crate::normalize::html::tree::{Tag, Tree};
use crate::normalize::html::words::{PageWords, hint, normal};

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

/// Reads the dates a page shows.
pub(super) fn find(tree: &Tree<'_>, blocks: &Blocks, found: &Body, words: &PageWords) -> Shown {
    let place = Place::new(blocks, found);
    let mut shown = elements(tree, blocks, found, &place, words);
    if shown.published.is_none() {
        let lines = lines(tree, blocks, found, &place, words);
        shown.published = lines.published;
        shown.modified = shown.modified.or(lines.modified);
    }
    shown
}

/// The stretch between the headline and the first paragraph, where pages say who and when.
struct Place {
    headline: Option<usize>,
    first_prose: usize,
    nodes: std::ops::Range<usize>,
}

impl Place {
    fn new(blocks: &Blocks, found: &Body) -> Self {
        let headline = found.headline;
        let after = headline.map_or(0, |at| at + 1);
        let first_prose = (after..blocks.list.len())
            .find(|&at| found.prose[at] > 0 && !found.dropped[at])
            .unwrap_or(after);
        let node = |at: usize| blocks.list.get(at).map_or(0, |block| block.first as usize);
        let nodes = match headline {
            Some(at) => node(at)..node(first_prose),
            None => 0..0,
        };
        Self {
            headline,
            first_prose,
            nodes,
        }
    }
}

/// Dates in elements made for them: those that call themselves the publication date, else the first `time` by the article.
fn elements(tree: &Tree<'_>, blocks: &Blocks, found: &Body, place: &Place, words: &PageWords) -> Shown {
    let end = tree.nodes[found.container].end as usize;
    let mut shown = Shown::default();
    for (index, node) in tree.nodes.iter().enumerate() {
        if matches!(node.tag, Tag::Text | Tag::Meta) {
            continue;
        }
        let property = |wanted: &str| {
            let holds = |name| tree.attribute(index, name).is_some_and(|p| p.contains(wanted));
            holds("itemprop") || holds("property")
        };
        let says = property("datePublished")
            || (node.tag == Tag::Time && tree.attribute(index, "pubdate").is_some());
        if node.tag != Tag::Time && !says {
            continue;
        }
        let by_headline = place.nodes.contains(&index);
        if beside(tree, blocks, index, by_headline) {
            continue;
        }
        let Some(stamp) = element_stamp(tree, index, words) else {
            continue;
        };
        if !says && (property("dateModified") || is_update(tree, blocks, index, words)) {
            shown.modified = shown.modified.or(Some(stamp));
            continue;
        }
        if says {
            shown.published = Some(stamp);
            return shown;
        }
        let follows = place.nodes.start > 0 && index > place.nodes.start && index < end;
        if (by_headline || follows || tree.is_inside(index, found.container)) && shown.published.is_none() {
            shown.published = Some(stamp);
        }
    }
    shown
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

/// Dates in lines under the headline, or in the line right above it.
fn lines(tree: &Tree<'_>, blocks: &Blocks, found: &Body, place: &Place, words: &PageWords) -> Shown {
    let mut shown = Shown::default();
    let Some(headline) = place.headline else {
        return shown;
    };
    let under = (headline + 1..place.first_prose).take(LINES_UNDER_HEADLINE);
    let above = headline.checked_sub(1).filter(|&at| {
        let plain = normal(blocks.text_of(&blocks.list[at]));
        is_date_line(&plain, words) && stand_together(tree, &blocks.list[at], &blocks.list[headline])
    });
    for at in under.chain(above) {
        let block = &blocks.list[at];
        let is_line = block.width < LINE_WIDTH_MAX
            && block.link_share() < 0.6
            && found.prose[at] == 0
            && !matches!(block.kind, Kind::Heading(_));
        if !is_line || beside(tree, blocks, block.owner as usize, true) {
            continue;
        }
        let (published, modified) = line_stamps(&blocks.text_of(block).to_lowercase(), words);
        // "Updated:" and its date may stand in two elements.
        let label = at.checked_sub(1).map(|at| blocks.text_of(&blocks.list[at]));
        let is_labelled =
            label.is_some_and(|label| label.len() < 40 && words.update_start(&label.to_lowercase()).is_some());
        match published {
            Some(stamp) if is_labelled => shown.modified = shown.modified.or(Some(stamp)),
            Some(stamp) => {
                shown.published = Some(stamp);
                return shown;
            }
            None => shown.modified = shown.modified.or(modified),
        }
    }
    shown
}

/// The dates of a line in lower case: before and after the word that speaks of a change.
fn line_stamps(line: &str, words: &PageWords) -> (Option<Stamp>, Option<Stamp>) {
    let cut = words.update_start(line).unwrap_or(line.len());
    let day = |text: &str| {
        stamp(text.trim_start_matches(|c: char| !c.is_alphanumeric()), Basis::TimeTag, words)
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

/// Whether a node stands in comments, in the frame or, away from the headline, in a box for other pages.
fn beside(tree: &Tree<'_>, blocks: &Blocks, index: usize, by_headline: bool) -> bool {
    let frame = hint::COMMENTS | hint::CHROME;
    let unwanted = if by_headline { frame } else { frame | hint::SIDE };
    let mut at = index;
    for _ in 0..12 {
        if blocks.hints[at] & unwanted != 0 {
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
        assert_eq!(page.published.map(|s| day(s.at)).as_deref(), published, "{above}{under}");
        assert_eq!(page.modified.map(day).as_deref(), modified, "{above}{under}");
    }

    #[test]
    fn lines_by_the_headline() {
        let day = Some("2019-11-19");
        check("", "<div>By Ann Name &bull; <span>November 19, 2019</span></div>", day, None);
        check("", "<p>5 min read · Nov 19, 2019</p>", day, None);
        check("", "<p>Publié le 19 novembre 2019, mis à jour le 20 novembre 2019</p>", day, Some("2019-11-20"));
        check("", "<p>Updated November 20, 2019</p>", None, Some("2019-11-20"));
        check("", "<div>Last updated:</div><div>November 20, 2019</div>", None, Some("2019-11-20"));
        check("<div>19 November 2019</div>", "", day, None);
        check("", "<p>2019年11月19日 10:30</p>", day, None);
        check("", "<p>١٩ نوفمبر ٢٠١٩</p>", day, None);
        check("", "", None, None);
    }

    #[test]
    fn elements_by_the_headline() {
        let day = Some("2019-11-19");
        check("", "<div class=article__meta><time>Nov 19, 2019</time></div>", day, None);
        check("", "<div class=article-meta><span itemprop=datePublished>November 19, 2019</span></div>", day, None);
        check("", "<p>Last updated: <time datetime=2019-11-20>Wednesday</time></p>", None, Some("2019-11-20"));
        check("", "<div class=comments><time datetime=2019-11-20>Wednesday</time></div>", None, None);
    }
}
