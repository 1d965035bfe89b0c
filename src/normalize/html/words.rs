//! What the extractor knows of the words on pages: class vocabularies and, per language, the words of captions,
//! promotion, bylines and date lines. All of it is data (`pages.toml`, one `page.toml` per language); the lists of all
//! languages are used together, because a page rarely says reliably which language it is in.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// Meanings of a class name, id or role, as bits.
pub mod hint {
    /// Reader comments.
    pub const COMMENTS: u16 = 1;
    /// The frame of the site: navigation, footer, dialogs.
    pub const CHROME: u16 = 2;
    /// Beside the article: related links, sharing, promotion.
    pub const SIDE: u16 = 4;
    /// Captions and credits of pictures.
    pub const CAPTION: u16 = 8;
    /// Who and when.
    pub const BYLINE: u16 = 16;
    /// Not shown.
    pub const HIDDEN: u16 = 32;
    /// The element that holds the article's text.
    pub const BODY: u16 = 64;
    /// The summary under the headline.
    pub const LEAD: u16 = 128;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PagesFile {
    tokens: TokensFile,
    names: NamesFile,
    lines: LinesFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensFile {
    comments: Vec<String>,
    chrome: Vec<String>,
    side: Vec<String>,
    caption: Vec<String>,
    byline: Vec<String>,
    hidden: Vec<String>,
    lead: Vec<String>,
    modifiers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamesFile {
    author_paths: Vec<String>,
    body: Vec<String>,
    hidden: Vec<String>,
    side: Vec<String>,
    byline: Vec<String>,
    lead: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinesFile {
    credits: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageFile {
    by: Vec<String>,
    and: Vec<String>,
    roles: Vec<String>,
    months: Vec<Vec<String>>,
    date_words: Vec<String>,
    updated: Vec<String>,
    captions: Vec<String>,
    promos: Vec<String>,
    blurbs: Vec<String>,
    ends: Vec<String>,
    interface: Vec<String>,
    discussion: Vec<String>,
}

/// Phrases found at the start of a line, by their first word.
#[derive(Default)]
struct Starts(HashMap<String, Vec<String>>);

impl Starts {
    fn add(&mut self, phrase: &str) {
        let phrase = phrase.trim().to_lowercase();
        let first = first_word(&phrase).to_string();
        self.0.entry(first).or_default().push(phrase);
    }

    /// Length in bytes of the longest phrase that opens `line` (lower case) and ends at a word boundary.
    fn longest(&self, line: &str) -> Option<usize> {
        let whole_word = |phrase: &&String| {
            line.starts_with(phrase.as_str())
                && (!phrase.ends_with(char::is_alphanumeric)
                    || !line[phrase.len()..].starts_with(char::is_alphanumeric))
        };
        self.0
            .get(first_word(line))?
            .iter()
            .filter(whole_word)
            .map(String::len)
            .max()
    }
}

fn first_word(text: &str) -> &str {
    let start = text.find(char::is_alphanumeric).unwrap_or(0);
    let text = &text[start..];
    text.find(|c: char| !c.is_alphanumeric())
        .map_or(text, |at| &text[..at])
}

/// A word of the class vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Number of the word, to count it over a page.
    pub word: u16,
    /// Its [`hint`] bits.
    pub hints: u16,
}

/// The word lists, ready for use.
pub struct PageWords {
    tokens: HashMap<String, Meaning>,
    modifiers: HashSet<String>,
    names: HashMap<String, Meaning>,
    credits: Vec<String>,
    author_paths: HashSet<String>,
    by: Starts,
    and: HashSet<String>,
    roles: HashSet<String>,
    months: HashMap<String, i8>,
    date_words: HashSet<String>,
    updated: Vec<String>,
    captions: Starts,
    promos: Starts,
    blurbs: Vec<String>,
    ends: HashSet<String>,
    interface: HashSet<String>,
    discussion: HashSet<String>,
}

impl PageWords {
    /// Reads the class vocabulary and the language files, given as TOML with a name for messages.
    pub fn load(pages: &str, languages: &[(&str, &str)]) -> Result<PageWords> {
        let file: PagesFile = toml::from_str(pages).context("pages.toml")?;
        let mut words = PageWords {
            tokens: HashMap::new(),
            modifiers: file.tokens.modifiers.iter().cloned().collect(),
            names: HashMap::new(),
            credits: file.lines.credits.iter().map(|c| c.to_lowercase()).collect(),
            author_paths: file.names.author_paths.iter().cloned().collect(),
            by: Starts::default(),
            and: HashSet::new(),
            roles: HashSet::new(),
            months: HashMap::new(),
            date_words: HashSet::new(),
            updated: Vec::new(),
            captions: Starts::default(),
            promos: Starts::default(),
            blurbs: Vec::new(),
            ends: HashSet::new(),
            interface: HashSet::new(),
            discussion: HashSet::new(),
        };
        for (list, bit) in [
            (&file.tokens.comments, hint::COMMENTS),
            (&file.tokens.chrome, hint::CHROME),
            (&file.tokens.side, hint::SIDE),
            (&file.tokens.caption, hint::CAPTION),
            (&file.tokens.byline, hint::BYLINE),
            (&file.tokens.hidden, hint::HIDDEN),
            (&file.tokens.lead, hint::LEAD),
        ] {
            for token in list {
                let word = words.tokens.len() as u16;
                words
                    .tokens
                    .entry(token.clone())
                    .or_insert(Meaning { word, hints: 0 })
                    .hints |= bit;
            }
        }
        for (list, bit) in [
            (&file.names.body, hint::BODY),
            (&file.names.hidden, hint::HIDDEN),
            (&file.names.side, hint::SIDE),
            (&file.names.byline, hint::BYLINE),
            (&file.names.lead, hint::LEAD),
        ] {
            for name in list {
                let word = (words.tokens.len() + words.names.len()) as u16;
                words
                    .names
                    .entry(name.clone())
                    .or_insert(Meaning { word, hints: 0 })
                    .hints |= bit;
            }
        }
        for (name, text) in languages {
            let file: LanguageFile = toml::from_str(text).with_context(|| format!("page words of {name}"))?;
            words
                .add_language(&file)
                .with_context(|| format!("page words of {name}"))?;
        }
        Ok(words)
    }

    fn add_language(&mut self, file: &LanguageFile) -> Result<()> {
        anyhow::ensure!(
            file.months.len() == 12,
            "months: 12 lists wanted, {} found",
            file.months.len()
        );
        for (number, names) in (1i8..).zip(&file.months) {
            for name in names {
                // The first language to name a month keeps it; short forms differ between languages.
                self.months.entry(name.to_lowercase()).or_insert(number);
            }
        }
        file.by.iter().for_each(|p| self.by.add(p));
        file.captions.iter().for_each(|p| self.captions.add(p));
        file.promos.iter().for_each(|p| self.promos.add(p));
        let lower = |list: &[String]| list.iter().map(|p| normal(p)).collect::<Vec<_>>();
        self.and.extend(file.and.iter().map(|w| w.to_lowercase()));
        self.roles.extend(lower(&file.roles));
        self.date_words.extend(lower(&file.date_words));
        self.updated.extend(file.updated.iter().map(|p| p.to_lowercase()));
        self.blurbs.extend(file.blurbs.iter().map(|p| p.to_lowercase()));
        self.ends.extend(lower(&file.ends));
        self.interface.extend(lower(&file.interface));
        self.discussion.extend(lower(&file.discussion));
        Ok(())
    }

    /// Meanings of one class name or id (white space already split).
    pub fn class_meanings(&self, name: &str, mut found: impl FnMut(Meaning)) {
        // Utility classes ("md:mt-10", "w-[50%]") speak of looks.
        if name.contains([':', '[', '/', '@']) {
            return;
        }
        let mut buffer = [0u8; 64];
        let Some(tokens) = Tokens::cut(name, &mut buffer) else {
            return;
        };
        if let Some(meaning) = self.names.get(tokens.joined()) {
            found(*meaning);
        }
        if tokens.iter().any(|token| self.modifiers.contains(token)) {
            return;
        }
        for token in tokens.iter() {
            if let Some(meaning) = self.tokens.get(token) {
                found(*meaning);
            }
        }
    }

    /// How many words the class vocabulary has.
    pub fn class_words(&self) -> usize {
        self.tokens.len() + self.names.len()
    }

    /// Whether a whole line (normalised with [`normal`]) is a button or label.
    pub fn is_interface(&self, line: &str) -> bool {
        self.interface.contains(line)
    }

    /// Whether a line (normalised) heads what follows an article.
    pub fn is_end(&self, line: &str) -> bool {
        self.ends.contains(line)
    }

    /// Whether a line (normalised) heads the readers' comments. Their number is passed over: "12 Comments".
    pub fn is_discussion(&self, line: &str) -> bool {
        let words = line.trim_matches(|c: char| !c.is_alphabetic());
        self.discussion.contains(words)
    }

    /// Whether a line (lower case) opens with a promotion phrase; gives the length of the phrase.
    pub fn promo_start(&self, lower: &str) -> Option<usize> {
        self.promos.longest(lower)
    }

    /// Whether a line (lower case) opens with a caption word; gives the length of the word.
    pub fn caption_start(&self, lower: &str) -> Option<usize> {
        self.captions.longest(lower)
    }

    /// Whether a line (lower case) opens with a word that introduces an author.
    pub fn by_start(&self, lower: &str) -> Option<usize> {
        self.by.longest(lower)
    }

    /// Whether a short paragraph (lower case) holds a phrase of self-promotion.
    pub fn has_blurb(&self, lower: &str) -> bool {
        self.blurbs.iter().any(|phrase| lower.contains(phrase.as_str()))
    }

    /// Whether the text (lower case) names a picture agency.
    pub fn has_credit(&self, lower: &str) -> bool {
        self.credits.iter().any(|name| {
            lower.match_indices(name.as_str()).any(|(at, _)| {
                !lower[..at].ends_with(char::is_alphanumeric)
                    && !lower[at + name.len()..].starts_with(char::is_alphanumeric)
            })
        })
    }

    /// Whether a word (lower case) may stand in a date line: a date word or a month.
    pub fn is_date_word(&self, word: &str) -> bool {
        self.date_words.contains(word) || self.months.contains_key(word)
    }

    /// Where a line (lower case) begins to speak of a change of the article, at a word boundary.
    pub fn update_start(&self, lower: &str) -> Option<usize> {
        let starts = self.updated.iter().filter_map(|phrase| {
            lower
                .match_indices(phrase.as_str())
                .map(|(at, _)| at)
                .find(|&at| !lower[..at].ends_with(char::is_alphanumeric))
        });
        starts.min()
    }

    /// Number of a month by name or short form (lower case, no full stop).
    pub fn month(&self, word: &str) -> Option<i8> {
        self.months.get(word).copied()
    }

    /// Whether a link leads to the page of one author: a folder named so, and one more name.
    pub fn is_author_path(&self, href: &str) -> bool {
        let path = href.split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
        let mut parts = path.rsplit('/');
        parts.next().is_some_and(|name| !name.is_empty())
            && parts
                .next()
                .is_some_and(|folder| self.author_paths.contains(&folder.to_ascii_lowercase()))
    }

    /// Whether a word joins two authors.
    pub fn is_and(&self, word: &str) -> bool {
        self.and.contains(word)
    }

    /// Whether a normalised phrase is an occupation.
    pub fn is_role(&self, phrase: &str) -> bool {
        self.roles.contains(phrase)
    }
}

/// A line made comparable: lower case, single spaces, no marks at its ends.
pub fn normal(line: &str) -> String {
    let trimmed = line.trim_matches(|c: char| !c.is_alphanumeric());
    let mut out = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

/// The tokens of a class name, cut at marks and capitals, in lower case.
struct Tokens<'b> {
    text: &'b str,
    ends: [u8; 16],
    count: usize,
}

impl<'b> Tokens<'b> {
    /// Only ASCII names of up to 64 bytes are read; longer ones are machine-made.
    fn cut(name: &str, buffer: &'b mut [u8; 64]) -> Option<Tokens<'b>> {
        let (mut len, mut ends, mut count) = (0usize, [0u8; 16], 0usize);
        let mut before = b' ';
        for byte in name.bytes() {
            if len >= 64 || count >= 15 || !byte.is_ascii() {
                return None;
            }
            let cut =
                !byte.is_ascii_alphanumeric() || (byte.is_ascii_uppercase() && before.is_ascii_lowercase());
            if cut && len > 0 && (count == 0 || usize::from(ends[count - 1]) < len) {
                ends[count] = len as u8;
                count += 1;
            }
            if byte.is_ascii_alphanumeric() {
                buffer[len] = byte.to_ascii_lowercase();
                len += 1;
            }
            before = byte;
        }
        if len > 0 && (count == 0 || usize::from(ends[count - 1]) < len) {
            ends[count] = len as u8;
            count += 1;
        }
        let text = std::str::from_utf8(&buffer[..len]).ok()?;
        Some(Tokens { text, ends, count })
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count).map(|i| {
            let from = if i == 0 { 0 } else { usize::from(self.ends[i - 1]) };
            &self.text[from..usize::from(self.ends[i])]
        })
    }

    fn joined(&self) -> &str {
        self.text
    }
}

/// The word lists of the repository, for tests of this folder and its callers.
#[cfg(test)]
pub fn test_words() -> PageWords {
    PageWords::load(
        include_str!("../../../knowledge/pages.toml"),
        &[
            ("en", include_str!("../../../knowledge/languages/en/page.toml")),
            ("fr", include_str!("../../../knowledge/languages/fr/page.toml")),
            ("es", include_str!("../../../knowledge/languages/es/page.toml")),
            ("de", include_str!("../../../knowledge/languages/de/page.toml")),
            ("ru", include_str!("../../../knowledge/languages/ru/page.toml")),
            ("ar", include_str!("../../../knowledge/languages/ar/page.toml")),
        ],
    )
    .expect("the word lists of the repository load")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(name: &str) -> u16 {
        let mut all = 0;
        test_words().class_meanings(name, |m| all |= m.hints);
        all
    }

    #[test]
    fn class_names_are_cut_into_words() {
        assert_eq!(hints("related-articles") & hint::SIDE, hint::SIDE);
        assert_eq!(hints("mainNavMenu") & hint::CHROME, hint::CHROME);
        assert_eq!(hints("article__body") & hint::BODY, hint::BODY);
        assert_eq!(hints("img_caption") & hint::CAPTION, hint::CAPTION);
        assert_eq!(hints("shadow"), 0, "no word inside a word");
    }

    #[test]
    fn modifiers_and_utilities_say_nothing() {
        for name in [
            "has-sidebar",
            "no-comments",
            "tag-related",
            "md:sidebar",
            "w-[menu]",
            "category-newsletter",
        ] {
            assert_eq!(hints(name), 0, "{name}");
        }
    }

    #[test]
    fn lines_compare_without_case_and_marks() {
        assert_eq!(normal("  » Read   MORE: "), "read more");
        assert_eq!(normal("ЧИТАЙТЕ ТАКЖЕ:"), "читайте также");
        assert!(test_words().is_end("читайте также"));
        assert!(test_words().is_discussion("12 comments"));
    }

    #[test]
    fn phrases_end_at_words() {
        let words = test_words();
        assert!(words.promo_start("read more: the plan").is_some());
        assert!(words.promo_start("relatedly, he said").is_none());
        assert!(words.caption_start("photo: a. name").is_some());
        assert!(words.caption_start("photosynthesis").is_none());
    }

    #[test]
    fn a_fault_in_a_list_names_its_language() {
        let fault = PageWords::load(include_str!("../../../knowledge/pages.toml"), &[("xx", "by = 3")]);
        assert!(format!("{:#}", fault.err().unwrap()).contains("xx"));
    }
}
