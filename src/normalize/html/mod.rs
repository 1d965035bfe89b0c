//! Main text and metadata of a web page.
//!
//! [`read`] parses the page once into a flat tree, cuts it into blocks, finds the element that holds the article and
//! keeps the blocks that belong to it. It never fails: a page without an article gives empty text.

pub mod blocks;
pub mod body;
pub mod entities;
pub mod lines;
pub mod tree;
pub mod words;

use crate::normalize::metadata::{self, Stamp};
pub use words::PageWords;

/// What a page says and says about itself.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Main text; blocks are parted by a blank line.
    pub text: String,
    /// The page's own summary under the headline, where it stands apart from the text.
    pub summary: Option<String>,
    /// Headline of the article, without the site's name.
    pub headline: Option<String>,
    /// The page's title as it stands in its head.
    pub page_title: Option<String>,
    /// Authors' names, joined by ", ".
    pub byline: Option<String>,
    /// When it was published.
    pub published: Option<Stamp>,
    /// When it was last changed.
    pub modified: Option<jiff::Timestamp>,
    /// Language tag the page declares.
    pub language: Option<String>,
    /// Address the page gives itself.
    pub canonical_url: Option<String>,
    /// Name of the site, else its host.
    pub source: Option<String>,
    /// Section of the site.
    pub section: Option<String>,
}

/// Reads a page that is already decoded to UTF-8. `url` is where it was found.
pub fn read(html: &str, url: Option<&str>, words: &PageWords) -> Page {
    let tree = tree::parse(html);
    let blocks = blocks::cut(&tree, words);
    let facts = metadata::read(&tree, &blocks, url, words);
    let titles = metadata::title_forms(&facts);
    let body = body::find(&tree, &blocks, &titles, words);
    let verdicts = lines::judge(&tree, &blocks, &body, &titles, words);
    let text = join(&blocks, &verdicts);
    let summary = verdicts.iter().position(|v| *v == lines::Verdict::Summary);
    let summary = summary.map(|index| blocks.text_of(&blocks.list[index]).to_string());
    Page {
        summary,
        ..metadata::finish(facts, &tree, &blocks, &body, text, url, words)
    }
}

/// Kept blocks with blank lines between.
fn join(blocks: &blocks::Blocks, verdicts: &[lines::Verdict]) -> String {
    let mut text = String::new();
    for (block, verdict) in blocks.list.iter().zip(verdicts) {
        if matches!(verdict, lines::Verdict::Keep | lines::Verdict::Lead) {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(blocks.text_of(block).trim());
        }
    }
    text
}

/// One line per block with the reason it was kept or not: for people who mend the rules.
pub fn explain(html: &str, url: Option<&str>, words: &PageWords) -> Vec<String> {
    let tree = tree::parse(html);
    let blocks = blocks::cut(&tree, words);
    let facts = metadata::read(&tree, &blocks, url, words);
    let titles = metadata::title_forms(&facts);
    let body = body::find(&tree, &blocks, &titles, words);
    let verdicts = lines::judge(&tree, &blocks, &body, &titles, words);
    let mut out = vec![format!(
        "container {} headline {:?} titles {titles:?}",
        path(&tree, body.container),
        body.headline
    )];
    for (index, (block, verdict)) in blocks.list.iter().zip(&verdicts).enumerate() {
        let text: String = blocks.text_of(block).chars().take(160).collect();
        out.push(format!(
            "{verdict:?}{} prose {} link {} {:?} [{}] {text}",
            if body.dropped[index] { " dropped" } else { "" },
            body.prose[index],
            block.link_width,
            block.kind,
            path(&tree, block.owner as usize)
        ));
    }
    out
}

fn path(tree: &tree::Tree<'_>, index: usize) -> String {
    let mut parts = Vec::new();
    let mut at = index;
    while at != 0 && parts.len() < 4 {
        let class = tree.attribute(at, "class").unwrap_or_default();
        let id = tree.attribute(at, "id").unwrap_or_default();
        let class: String = class.chars().take(50).collect();
        parts.push(format!("{:?}#{id}.{class}", tree.nodes[at].tag));
        at = tree.nodes[at].parent as usize;
    }
    parts.join(" < ")
}

#[cfg(test)]
mod tests {
    use super::words::test_words;
    use super::*;

    const FIRST: &str = "The ministry said on Tuesday that two hundred soldiers would leave the northern base before the \
                         end of the month, as agreed.";
    const SECOND: &str = "Residents of the town had asked for the withdrawal since spring, and the governor called the \
                          decision a relief for everyone.";
    const THIRD: &str = "The convoy will take the coastal road, and the army has asked drivers to keep away from it until \
                         Friday evening.";

    /// An article page with `inside` after the second of its three paragraphs.
    fn page(inside: &str) -> String {
        format!(
            "<html><head><title>Soldiers to leave base | The Daily</title></head><body><nav><a href=/>Home</a></nav>\
             <article><h1>Soldiers to leave base</h1><p>{FIRST}</p><p>{SECOND}</p>{inside}<p>{THIRD}</p></article>\
             <footer><p>The Daily, a paper for people who like to read the news every morning.</p></footer></body></html>"
        )
    }

    fn text(html: &str) -> String {
        read(html, None, &test_words()).text
    }

    fn whole() -> String {
        format!("{FIRST}\n\n{SECOND}\n\n{THIRD}")
    }

    #[track_caller]
    fn gone(inside: &str) {
        assert_eq!(text(&page(inside)), whole(), "{inside}");
    }

    #[track_caller]
    fn kept(inside: &str, as_text: &str) {
        assert_eq!(
            text(&page(inside)),
            format!("{FIRST}\n\n{SECOND}\n\n{as_text}\n\n{THIRD}"),
            "{inside}"
        );
    }

    #[test]
    fn paragraphs_alone() {
        gone("");
    }

    #[test]
    fn captions_and_credits_go() {
        gone("<figure><img src=a.jpg><figcaption>A soldier at the gate of the base.</figcaption></figure>");
        gone("<div class='img-caption'>A soldier at the gate.</div>");
        gone("<p>Photo: A. Name</p>");
        gone("<p>A convoy leaves the base in May. (Photo by A. Name / Getty Images)</p>");
        gone("<p>© A. Name</p>");
        gone("<p>Image 2 of 5</p>");
        gone("<p>Фото: Имя Фамилия</p>");
    }

    #[test]
    fn promotion_goes() {
        gone("<p><a href=/x>Read more: What the base was for</a></p>");
        gone("<p>Read also: <a href=/x>What the base was for</a></p>");
        gone("<p>Sign up for our newsletter and get the news in your inbox every morning.</p>");
        gone("<p>À lire aussi : <a href=/x>La base du nord</a></p>");
        gone(
            "<div class='related-links'><p>The story of the base, told by those who built it long ago.</p></div>",
        );
        gone("<aside><p>The story of the base, told by those who built it long ago.</p></aside>");
        gone(
            "<ul><li><a href=/a>The story of the base</a></li><li><a href=/b>Who pays for the road</a></li></ul>",
        );
    }

    #[test]
    fn dates_bylines_and_labels_go() {
        gone("<p>Updated: 19 November 2019, 10:23 GMT</p>");
        gone("<p>By Ann Name and Bob Other</p>");
        gone("<div>Advertisement</div>");
        gone("<span>Share</span>");
        gone("<p>ann.name@paper.example</p>");
        gone("<p>Опубликовано 19 ноября 2019</p>");
    }

    #[test]
    fn headings_lists_quotes_and_tables_stay() {
        kept("<h2>A long wait</h2>", "A long wait");
        kept(
            "<ul><li>Two hundred soldiers</li><li>Forty trucks</li></ul>",
            "Two hundred soldiers\n\nForty trucks",
        );
        kept("<blockquote>We are glad.</blockquote>", "We are glad.");
        kept(
            "<table><tr><td>Trucks</td><td>40</td></tr></table>",
            "Trucks\n\n40",
        );
        kept("<p>Short one.</p>", "Short one.");
        kept(
            "<p>Photographs of the base showed forty trucks.</p>",
            "Photographs of the base showed forty trucks.",
        );
    }

    #[test]
    fn breaks_and_inline_marks() {
        kept(
            "<p>Forty <b>trucks</b><br><br>and two <i>boats</i>.</p>",
            "Forty trucks\n\nand two boats.",
        );
        kept("one line<br>and the next.", "one line\nand the next.");
    }

    #[test]
    fn what_is_hidden_or_machine_goes() {
        gone("<p style='display: none'>Secret words that no reader of this page will ever see.</p>");
        gone("<script>var p = '<p>text</p>';</script><noscript>Switch it on.</noscript>");
        gone("<span class='sr-only'>Opens in a new window</span>");
    }

    #[test]
    fn comments_after_the_article_go() {
        let comment = "<div><p>I have lived there for years and never saw one of those trucks, so who are they \
                       talking about, and why now of all times?</p></div>";
        let html = page("").replace(
            "</article>",
            &format!("<h3>3 Comments</h3><div>{}</div></article>", comment.repeat(3)),
        );
        assert_eq!(text(&html), whole());
    }

    #[test]
    fn a_class_on_everything_says_nothing() {
        let html = page("").replace("<p>", "<p class='widget'>");
        assert_eq!(text(&html), whole());
    }

    #[test]
    fn other_stories_with_summaries_go() {
        let teaser = "<div class=x><h4><a href=/a>The other story of the week</a></h4><p>It is about something else, but \
                      it has a sentence that is long enough to look like an article.</p></div>";
        let html = page("").replace(
            "</article>",
            &format!("</article><div>{}</div>", teaser.repeat(4)),
        );
        assert_eq!(text(&html), whole());
    }

    #[test]
    fn a_text_said_twice_is_given_once() {
        let html = page("").replace(
            "</article>",
            &format!("<div>{FIRST} {SECOND} {THIRD}</div></article>"),
        );
        let got = text(&html);
        assert_eq!(got.matches("the governor called").count(), 1, "{got}");
    }

    #[test]
    fn an_empty_page_is_empty() {
        for html in [
            "",
            "<html>",
            "<p>",
            "<<<",
            "\0\0",
            "&",
            "<a href=\"",
            "<!--",
            "</",
            "<script>",
        ] {
            assert_eq!(text(html), "", "{html}");
        }
    }

    #[test]
    fn no_page_is_too_deep_or_too_broken() {
        let words = test_words();
        let shapes = [
            "<div>",
            "<b>",
            "<table><tr><td>",
            "<a href='x\"",
            "<ul><li>",
            "<p class=\"articleBody\">text. ",
            "&#",
            "<iframe>",
        ];
        for shape in shapes {
            let html = shape.repeat(20_000);
            read(&html, None, &words);
        }
    }

    /// Bytes of a small page changed at random: whatever comes, there is an answer.
    #[test]
    fn changed_bytes_never_panic() {
        let words = test_words();
        let base = page("<time datetime='2019-11-19T10:00'>19 November</time><p>é – “q” 漢字 سلام</p>");
        let mut seed = 7u64;
        let mut next = || {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 33) as usize
        };
        for _ in 0..300 {
            let mut bytes = base.clone().into_bytes();
            for _ in 0..20 {
                let at = next() % bytes.len();
                bytes[at] = b"<>\"'/=&;#- \xC3\xE2a9"[next() % 15];
            }
            let html = String::from_utf8_lossy(&bytes);
            read(
                &html,
                Some(&format!(
                    "https://x.example/{}",
                    html.chars().skip(next() % 50).take(30).collect::<String>()
                )),
                &words,
            );
        }
    }
}
