//! Names of authors: from data or from the line by the headline, cleaned of by-words, roles, addresses and dates.

use super::{collapse, filled};
use crate::normalize::html::blocks::Blocks;
use crate::normalize::html::body::Body;
use crate::normalize::html::lines;
use crate::normalize::html::tree::{Tag, Tree};
use crate::normalize::html::words::{PageWords, hint, normal};

/// Names out of what a page gives as its authors.
pub fn clean(given: &[String], words: &PageWords) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for text in given {
        for part in split_authors(text, words) {
            if let Some(name) = clean_name(&part, words)
                && !names.iter().any(|n| n.eq_ignore_ascii_case(&name))
            {
                names.push(name);
            }
        }
    }
    names.truncate(12);
    filled(names.join(", "))
}

/// Cuts at commas, semicolons, bars and joining words.
fn split_authors(text: &str, words: &PageWords) -> Vec<String> {
    let mut parts = vec![String::new()];
    let text = collapse(text);
    let lower = text.to_lowercase();
    let start = if lower.len() == text.len() {
        words.by_start(&lower).unwrap_or(0)
    } else {
        0
    };
    // "From" and "Von" can be names; a by-word is one only if more follows.
    let text = text
        .get(start..)
        .filter(|t| t.starts_with([' ', ':']))
        .unwrap_or(&text)
        .trim_start_matches([':', ' ']);
    for word in text.split(' ') {
        let closes =
            word.ends_with([',', ';', '|']) || matches!(word, "|" | "/" | "·" | "•" | "-" | "–" | "—");
        if words.is_and(&word.to_lowercase()) && word.chars().all(|c| c.is_lowercase() || c == '&') {
            parts.push(String::new());
            continue;
        }
        let word = word.trim_matches([',', ';', '|']);
        // The list was filled with one part above, so there is a last one.
        if let Some(last) = parts.last_mut() {
            if !last.is_empty() && !word.is_empty() {
                last.push(' ');
            }
            if !matches!(word, "/" | "·" | "•" | "-" | "–" | "—") {
                last.push_str(word);
            }
        }
        if closes {
            parts.push(String::new());
        }
    }
    parts
}

/// A name without the date that follows it ("A. Name Updated December 19").
fn before_date<'t>(part: &'t str, words: &PageWords) -> &'t str {
    let tokens: Vec<&str> = part.split(' ').collect();
    let dated = |w: &str| words.is_date_word(&normal(w)) || w.starts_with(|c: char| c.is_ascii_digit());
    for (index, token) in tokens.iter().enumerate().skip(1) {
        // "May" and "Jan" are names too: a date has two words that say so, or a number.
        let next = tokens.get(index + 1).is_some_and(|w| dated(w));
        let last_word = index + 1 == tokens.len() && normal(token).chars().count() > 3;
        let number = token.starts_with(|c: char| c.is_ascii_digit());
        if number || (dated(token) && (next || last_word)) {
            let at = token.as_ptr() as usize - part.as_ptr() as usize;
            return part[..at].trim();
        }
    }
    part
}

/// A name, or nothing if it is a role, an address, a date or a sentence.
fn clean_name(part: &str, words: &PageWords) -> Option<String> {
    let part = before_date(part.split(['(', '[', '<']).next().unwrap_or("").trim(), words);
    let part = part
        .trim_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '\'' && c != '’')
        .trim();
    let lower = part.to_lowercase();
    let bad = part.contains('@')
        || part.contains("://")
        || part.contains("www.")
        || part.chars().count() < 2
        || part.split(' ').count() > 6
        || part.chars().all(|c| !c.is_alphabetic())
        || words.is_role(&normal(part))
        || (part.contains(' ')
            && part
                .split(' ')
                .next_back()
                .is_some_and(|w| words.is_role(&normal(w))))
        || matches!(
            lower.as_str(),
            "admin" | "administrator" | "null" | "none" | "undefined"
        )
        || lines::is_date_line(&normal(part), words);
    (!bad).then(|| part.to_string())
}

/// Authors written on the page by the headline: `rel=author`, `itemprop=author`, an element named byline or author, a
/// link to an author's page, or a line that opens with a by-word.
pub(super) fn shown(tree: &Tree<'_>, blocks: &Blocks, found: &Body, words: &PageWords) -> Vec<String> {
    let from = found.headline.map_or(0, |i| blocks.list[i].first as usize);
    let end = tree.nodes[found.container].end as usize;
    let mut best: Option<(u8, String)> = None;
    let mut offer = |rank: u8, text: String| {
        let sound = (2..120).contains(&text.chars().count());
        if sound
            && best.as_ref().is_none_or(|(r, _)| *r > rank)
            && clean(std::slice::from_ref(&text), words).is_some()
        {
            best = Some((rank, text));
        }
    };
    for index in 0..tree.nodes.len() {
        let node = tree.nodes[index];
        if matches!(node.tag, Tag::Text | Tag::Meta | Tag::Link | Tag::Script) {
            continue;
        }
        let rank = author_rank(tree, blocks, index, words);
        // What stands above the headline or after the article belongs to the frame, unless it says plainly what it is.
        let rank = if index < from || index >= end {
            rank.saturating_add(3)
        } else {
            rank
        };
        if rank <= 6 && !beside_article(tree, blocks, index) {
            offer(rank, tree.text_of(index, 300));
        }
    }
    for block in &blocks.list {
        let index = block.first as usize;
        // By-lines stand within a screen of the headline: forty nodes before, two hundred after.
        if index + 40 < from || index > from + 200 || block.width > 80 {
            continue;
        }
        let text = blocks.text_of(block);
        let lower = text.to_lowercase();
        let opens = words
            .by_start(&lower)
            .is_some_and(|n| lower[n..].starts_with([' ', ':', '\n']));
        let named = text
            .split_whitespace()
            .nth(1)
            .is_some_and(|w| w.starts_with(char::is_uppercase));
        if opens && named {
            offer(4, text.to_string());
        }
    }
    best.into_iter().map(|(_, text)| text).collect()
}

/// Whether a node stands in comments or related matter.
fn beside_article(tree: &Tree<'_>, blocks: &Blocks, index: usize) -> bool {
    let mut at = index;
    for _ in 0..12 {
        if blocks.hints[at] & hint::COMMENTS != 0 || (at != index && blocks.hints[at] & hint::CHROME != 0) {
            return true;
        }
        if at == 0 {
            break;
        }
        at = tree.nodes[at].parent as usize;
    }
    false
}

fn author_rank(tree: &Tree<'_>, blocks: &Blocks, index: usize, words: &PageWords) -> u8 {
    let mut rank = u8::MAX;
    let named = blocks.hints[index] & hint::BYLINE != 0;
    for (name, value) in tree.attributes(index) {
        match name {
            "rel" if value.split_ascii_whitespace().any(|r| r == "author") => rank = 0,
            "itemprop" if value == "author" => rank = rank.min(1),
            "href" if words.is_author_path(value) => rank = rank.min(3),
            "class" | "id" if named => {
                let lower = value.to_ascii_lowercase();
                let tokens = lower.split(|c: char| !c.is_ascii_alphanumeric());
                for token in tokens {
                    rank = match token {
                        "byline" | "author" | "authors" => rank.min(2),
                        _ => rank,
                    };
                }
                if lower.contains("bio")
                    || lower.contains("image")
                    || lower.contains("avatar")
                    || lower.contains("desc")
                {
                    rank = u8::MAX;
                }
            }
            _ => {}
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::html::words::test_words;

    #[track_caller]
    fn authors(given: &str, expected: Option<&str>) {
        assert_eq!(
            clean(&[given.to_string()], &test_words()).as_deref(),
            expected,
            "{given}"
        );
    }

    #[test]
    fn names_are_cleaned() {
        authors("By Ann Name", Some("Ann Name"));
        authors(
            "By Ann Name and Bob Other, Staff Writer",
            Some("Ann Name, Bob Other"),
        );
        authors("Par Jeanne Nom", Some("Jeanne Nom"));
        authors("Ann Name | ann@paper.example", Some("Ann Name"));
        authors("Ann Name Updated December 19, 2019", Some("Ann Name"));
        authors("April May", Some("April May"));
        authors("Anderson Cooper", Some("Anderson Cooper"));
        authors("admin", None);
        authors("https://x.example/me", None);
        authors("19 November 2019", None);
    }
}
