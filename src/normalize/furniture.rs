//! What a page glues to the ends of a text: the site's name behind the title, "back to top" behind the last line.
//!
//! The phrases are data; the functions only say where the author's text begins and ends.

/// Phrases of page furniture that may stand at the end of a text, lower-cased.
#[derive(Debug, Clone, Default)]
pub struct Furniture {
    closing: Vec<String>,
}

impl Furniture {
    /// Reads one phrase per line; empty lines and lines that begin with `#` are skipped.
    pub fn parse(closing_phrases: &str) -> Furniture {
        let closing = closing_phrases
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_lowercase)
            .collect();
        Furniture { closing }
    }

    /// The byte where the text ends without the furniture glued to it, which is `text.len()` if there is none. A
    /// phrase counts where it begins a line or follows a closed sentence, so that no sentence loses its last words.
    pub fn text_end(&self, text: &str) -> usize {
        let mut end = text.trim_end().len();
        while let Some(start) = self
            .closing
            .iter()
            .find_map(|phrase| closing_start(&text[..end], phrase))
        {
            end = text[..start].trim_end().len();
        }
        // Without furniture nothing is cut, not even spaces: that is the work of repair.
        if end == text.trim_end().len() {
            text.len()
        } else {
            end
        }
    }
}

fn closing_start(text: &str, phrase: &str) -> Option<usize> {
    // Arrows and stops may follow or precede the phrase.
    let body = text.trim_end_matches(|c: char| c.is_whitespace() || "↑▲^»›.!".contains(c));
    let start = body
        .char_indices()
        .rev()
        .nth(phrase.chars().count().checked_sub(1)?)?
        .0;
    let lowered = body[start..].to_lowercase();
    if lowered != phrase {
        return None;
    }
    let before = text[..start].trim_end_matches(|c: char| c == ' ' || c == '\t' || "↑▲^«‹".contains(c));
    let closed = before.is_empty()
        || before.ends_with([
            '\n', '.', '!', '?', '"', '”', '»', ')', '…', '؟', '。', '।', '።', '۔',
        ]);
    closed.then_some(before.len())
}

/// A title taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Title<'a> {
    /// The headline.
    pub title: &'a str,
    /// What stood behind the bar: the name of the site or of a section.
    pub site_tag: Option<&'a str>,
}

/// Parts a title from the site tag behind its last bar. The tag must be shorter than the title and of at most five
/// words, for a bar can also part two halves of a headline.
pub fn part_title(line: &str) -> Title<'_> {
    let line = line.trim();
    let whole = Title {
        title: line,
        site_tag: None,
    };
    let Some((title, tag)) = line.rsplit_once(['|', '｜']) else {
        return whole;
    };
    let (title, tag) = (title.trim_end(), tag.trim());
    let words = tag.split_whitespace().count();
    if title.is_empty()
        || words == 0
        || words > 5
        || tag.len() >= title.len()
        || tag.ends_with(['.', '!', '?'])
    {
        return whole;
    }
    Title {
        title,
        site_tag: Some(tag),
    }
}

/// Takes the headline off a plain text that begins with one: a first line of at most 200 characters without a full
/// stop, a blank line, and at least as much text again. Gives the title and the byte where the body begins.
pub fn leading_title(text: &str) -> Option<(Title<'_>, usize)> {
    let start = text.len() - text.trim_start().len();
    let line_end = start + memchr::memchr(b'\n', &text.as_bytes()[start..])?;
    let line = text[start..line_end].trim_end();
    let rest = &text[line_end + 1..];
    let blank = memchr::memchr(b'\n', rest.as_bytes()).is_some_and(|end| rest[..end].trim().is_empty());
    let body = rest.trim_start();
    let stopped = line.ends_with(['.', ':', ';', ',', '।', '።', '۔', '。']);
    (blank && !stopped && line.chars().count() <= 200 && body.len() > line.len())
        .then(|| (part_title(line), text.len() - body.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_phrases_are_cut() {
        let furniture = Furniture::parse("# comment\nscroll to top\nBack to top\n");
        let check = |text: &str, expected: &str| assert_eq!(&text[..furniture.text_end(text)], expected);
        check(
            "The survey was in May.\n\nscroll to top",
            "The survey was in May.",
        );
        check("The survey was in May.scroll to top", "The survey was in May.");
        check("They left. Back to Top ↑\n", "They left.");
        check("He went back to top", "He went back to top");
        check("Text. \n", "Text. \n");
        check("Back to top\nscroll to top", "");
        check("", "");
    }

    #[test]
    fn titles_are_parted() {
        let check = |line, title, site_tag| assert_eq!(part_title(line), Title { title, site_tag });
        check(
            "Troops leave the north | military news",
            "Troops leave the north",
            Some("military news"),
        );
        check("Troops leave the north", "Troops leave the north", None);
        check("| x", "| x", None);
        check(
            "Now | Troops leave the north for good",
            "Now | Troops leave the north for good",
            None,
        );
    }

    #[test]
    fn leading_titles_are_found() {
        let text = "Troops leave | news\n\nThe last soldiers left on Monday.";
        let (title, body) = leading_title(text).unwrap();
        assert_eq!(
            (title.title, title.site_tag, &text[body..]),
            ("Troops leave", Some("news"), "The last soldiers left on Monday.")
        );
        assert!(leading_title("The last soldiers left.\n\nThey left on Monday, a spokesman said.").is_none());
        assert!(leading_title("One line").is_none());
        assert!(leading_title("").is_none());
    }
}
