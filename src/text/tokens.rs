//! Splits a sentence into words as Universal Dependencies count them: marks and clitics are words, hyphenated
//! compounds are split, abbreviations, numbers, addresses and initials are whole.
//!
//! What belongs to a language (clitics, prefixes, abbreviations) comes from its `tokens.toml`; what belongs to
//! writing (quotation marks, dashes, numbers, addresses) is here.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A word: byte offsets into the text, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Token {
    /// The word's text; empty if the offsets are not of this text.
    #[inline]
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range()).unwrap_or("")
    }

    /// The offsets as a range.
    #[inline]
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// `tokens.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    clitics: Vec<String>,
    contractions: Vec<String>,
    hyphen_prefixes: Vec<String>,
    hyphen_suffixes: Vec<String>,
    units: Vec<String>,
    abbreviations: Vec<String>,
    number_abbreviations: Vec<String>,
}

/// How words of one language are written together.
#[derive(Debug, Default)]
pub struct Rules {
    clitics: Vec<String>,
    /// Spelling in lower case, and the bytes of its parts.
    contractions: HashMap<String, Vec<usize>>,
    hyphen_prefixes: HashSet<String>,
    hyphen_suffixes: HashSet<String>,
    units: HashSet<String>,
    abbreviations: HashSet<String>,
    number_abbreviations: HashSet<String>,
}

impl Rules {
    /// Reads the text of a `tokens.toml`.
    pub fn from_toml(text: &str) -> Result<Rules> {
        let written: Written = toml::from_str(text).context("reading the rules for words")?;
        let mut contractions = HashMap::new();
        for entry in &written.contractions {
            ensure!(
                !entry.split('|').any(str::is_empty),
                "contraction {entry:?} has an empty part"
            );
            contractions.insert(entry.replace('|', ""), entry.split('|').map(str::len).collect());
        }
        Ok(Rules {
            clitics: written.clitics,
            contractions,
            hyphen_prefixes: written.hyphen_prefixes.into_iter().collect(),
            hyphen_suffixes: written.hyphen_suffixes.into_iter().collect(),
            units: written.units.into_iter().collect(),
            abbreviations: written.abbreviations.into_iter().collect(),
            number_abbreviations: written.number_abbreviations.into_iter().collect(),
        })
    }

    /// Appends the words of one sentence of `text`; the tokens' offsets count from the start of `text`.
    /// A range that is not of the text gives nothing.
    pub fn tokenize(&self, text: &str, sentence: Range<usize>, out: &mut Vec<Token>) {
        let end = sentence.end;
        let Some(body) = text.get(sentence.clone()) else {
            return;
        };
        let mut lower = String::new();
        let mut at = sentence.start;
        for chunk in body.split(char::is_whitespace) {
            let range = at..at + chunk.len();
            at = range.end + text[range.end..end].chars().next().map_or(0, char::len_utf8);
            if !chunk.is_empty() {
                let next = text[at..end].trim_start().chars().next();
                Splitter {
                    rules: self,
                    text,
                    next,
                    lower: &mut lower,
                    out,
                }
                .chunk(range);
            }
        }
    }
}

/// Marks that open: words of their own at the start of a chunk.
fn opens(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '_' | '@' | '\\') && !is_mark_of_letter(c)
}

/// Combining marks and joiners belong to the letter before them.
fn is_mark_of_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe0f}' | '\u{ad}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}')
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2012}'..='\u{2015}')
}

/// Signs of money: the Unicode currency symbols in common use.
fn is_currency(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20c0}')
}

/// The work on one chunk of text between spaces.
struct Splitter<'a> {
    rules: &'a Rules,
    text: &'a str,
    /// First letter of the next chunk of the sentence.
    next: Option<char>,
    lower: &'a mut String,
    out: &'a mut Vec<Token>,
}

impl Splitter<'_> {
    fn push(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.out.push(Token {
                start: range.start as u32,
                end: range.end as u32,
            });
        }
    }

    /// True if the set has these bytes of the text as written or in lower case.
    fn listed(&mut self, set: &HashSet<String>, range: Range<usize>) -> bool {
        let word = &self.text[range];
        if set.contains(word) {
            return true;
        }
        self.lower.clear();
        self.lower.extend(word.chars().flat_map(char::to_lowercase));
        set.contains(self.lower.as_str())
    }

    fn chunk(&mut self, range: Range<usize>) {
        let mut start = range.start;
        // Marks before the word, like marks in a row as one.
        while let Some(first) = self.text[start..range.end].chars().next().filter(|&c| opens(c)) {
            let rest = &self.text[start..range.end];
            if self.keeps_opening(first, rest) {
                break;
            }
            let run = rest.find(|c| c != first).unwrap_or(rest.len());
            // Brackets stand singly, other marks of one kind together.
            let len = if matches!(first, '(' | '[' | '{' | ')' | ']' | '}') {
                first.len_utf8()
            } else {
                run
            };
            // A chunk that is a face drawn with marks is one word.
            if start == range.start && is_face(rest) {
                return self.push(range);
            }
            self.push(start..start + len);
            start += len;
        }
        // Marks after the word, remembered to be put out after it.
        let mut tail = [0usize; 24];
        let mut tails = 0;
        let mut end = range.end;
        while tails < tail.len() {
            let rest = &self.text[start..end];
            let Some(last) = rest.chars().next_back().filter(|&c| closes(c)) else {
                break;
            };
            let kept = match last {
                '?' | '!' => rest.trim_end_matches(['?', '!']),
                _ => rest.trim_end_matches(last),
            };
            let run = if matches!(last, ')' | ']' | '}' | '(' | '[' | '{') {
                last.len_utf8()
            } else {
                rest.len() - kept.len()
            };
            if self.keeps_closing(last, run, start..end, range.end) {
                break;
            }
            tail[tails] = end;
            tails += 1;
            end -= run;
        }
        self.core(start..end);
        for &tail_end in tail[..tails].iter().rev() {
            self.push(end..tail_end);
            end = tail_end;
        }
    }

    /// Marks at the start that are part of what follows: ".5", "'90s", "'s", "+1", "-5", "n't" after a quote.
    fn keeps_opening(&self, first: char, rest: &str) -> bool {
        let mut after = rest.chars().skip(1);
        let second = after.next();
        let digit = second.is_some_and(|c| c.is_ascii_digit());
        if is_apostrophe(first) {
            // "'90s" and a clitic that stands alone.
            return (digit && rest.ends_with('s')) || self.rules.clitics.iter().any(|c| same(c, rest));
        }
        match first {
            '.' | '+' => digit,
            '-' => digit && self.out.last().is_none_or(|t| t.of(self.text) != "-") && rest.len() < 6,
            _ => false,
        }
    }

    /// Marks at the end that are part of what precedes.
    fn keeps_closing(&mut self, last: char, run: usize, range: Range<usize>, chunk_end: usize) -> bool {
        if range.len() == run {
            return true;
        }
        if last != '.' || run > 1 {
            return false;
        }
        let word = range.start..range.end - 1;
        // "(U.S." and "Bush-Gen." end in an abbreviation too.
        let cut = self.text[word.clone()]
            .rfind(|c: char| !c.is_alphanumeric() && c != '.')
            .map_or(word.start, |at| word.start + at + 1);
        let cut = (cut..word.end)
            .find(|&at| self.text.is_char_boundary(at))
            .unwrap_or(word.start);
        let tail = &self.text[cut..word.end];
        let last_of_sentence = self.next.is_none() && range.end == chunk_end;
        let mut letters = tail.chars();
        let single = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
        if single {
            return !last_of_sentence;
        }
        let dotted = tail.contains('.')
            && tail
                .split('.')
                .all(|part| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic));
        let rules = self.rules;
        dotted
            || self.listed(&rules.abbreviations, cut..word.end)
            || (self.next.is_some_and(|c| c.is_ascii_digit())
                && self.listed(&rules.number_abbreviations, cut..word.end))
    }

    /// A chunk without its outer marks.
    fn core(&mut self, range: Range<usize>) {
        let word = &self.text[range.clone()];
        if word.is_empty() {
            return;
        }
        // Most chunks are plain words.
        if word.bytes().all(|b| b.is_ascii_alphabetic()) {
            return self.word(range);
        }
        if is_address(word) {
            return self.push(range);
        }
        let mut start = range.start;
        let mut before = None;
        let mut letters = word.char_indices().peekable();
        while let Some((offset, c)) = letters.next() {
            let at = range.start + offset;
            let after = letters.peek().map(|&(_, c)| c);
            if at >= start && self.splits(c, before, after, start..range.end, at) {
                self.word(start..at);
                let rest = &self.text[at..range.end];
                let run = rest.find(|other| other != c).unwrap_or(rest.len());
                self.push(at..at + run);
                start = at + run;
            }
            before = Some(c);
        }
        if start < range.end {
            self.word(start..range.end);
        }
    }

    /// Whether a mark inside a chunk stands by itself.
    fn splits(
        &mut self,
        c: char,
        before: Option<char>,
        after: Option<char>,
        part: Range<usize>,
        at: usize,
    ) -> bool {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let digits = digit(before) && digit(after);
        match c {
            '-' => self.hyphen_splits(part, at),
            _ if is_dash(c) => true,
            '/' => !digits && part.len() > 3 && before.is_some(),
            ',' | ':' => !digits,
            '.' => after == Some('.') || (before == Some('.')),
            '(' | ')' | '[' | ']' | '{' | '}' | '"' | ';' | '?' | '!' | '<' | '>' | '=' | '~' | '|' => true,
            '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' | '\u{2026}' | '\u{2022}' | '\u{2018}' | '*' => {
                true
            }
            '%' | '\u{b0}' => true,
            _ => is_currency(c) && digit(after) && !before.is_some_and(char::is_alphabetic),
        }
    }

    fn hyphen_splits(&mut self, part: Range<usize>, at: usize) -> bool {
        let text = self.text;
        let rules = self.rules;
        // Two hyphens are a dash.
        if text[at..].starts_with("--") {
            return true;
        }
        let chunk = &text[part.clone()];
        let pieces = chunk.split('-');
        let (mut count, mut numeric) = (0, true);
        let mut lengths = [0; 3];
        for piece in pieces {
            if let Some(length) = lengths.get_mut(count) {
                *length = piece.len();
            }
            count += 1;
            numeric &= piece.bytes().all(|b| b.is_ascii_digit()) && !piece.is_empty();
        }
        if numeric && count > 1 {
            // Telephone numbers, codes and dates are whole, ranges and scores are not: groups of three and four
            // digits, or more than two groups.
            return count == 2 && !(lengths[0] >= 3 && lengths[1] == 4 && lengths[0] != 4);
        }
        let start = part.start + text[part.start..at].rfind('-').map_or(0, |p| p + 1);
        let rest = &text[at + 1..part.end];
        let end = at + 1 + rest.find('-').unwrap_or(rest.len());
        // File names and codes with a digit and a stop in them are whole: "report-2.doc".
        if chunk.contains('_') || (chunk.contains('#') && count > 1) {
            return false;
        }
        !self.listed(&rules.hyphen_prefixes, start..at) && !self.listed(&rules.hyphen_suffixes, at + 1..end)
    }

    /// A word without marks inside, save those that belong to it: clitics and units are cut off.
    fn word(&mut self, range: Range<usize>) {
        let text = self.text;
        let word = &text[range.clone()];
        let rules = self.rules;
        if word.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
            let digits = word
                .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | ':'))
                .unwrap_or(word.len());
            let unit = range.start + digits..range.end;
            if !unit.is_empty() && self.listed(&rules.units, unit.clone()) {
                self.push(range.start..unit.start);
                return self.push(unit);
            }
        }
        if word.len() > 2 && word.contains(is_apostrophe) || word.ends_with('t') || word.ends_with('T') {
            for clitic in &rules.clitics {
                let kept = word.chars().count().saturating_sub(clitic.chars().count());
                let cut = word.char_indices().nth(kept).map_or(word.len(), |(at, _)| at);
                if kept > 0 && same(clitic, &word[cut..]) {
                    self.word(range.start..range.start + cut);
                    return self.push(range.start + cut..range.end);
                }
            }
        }
        if let Some(at) = word.find(is_currency).filter(|_| !word.ends_with(is_currency)) {
            // "US$5" is "US$" and "5".
            let end = range.start + at + word[at..].chars().next().map_or(0, char::len_utf8);
            self.push(range.start..end);
            return self.word(end..range.end);
        }
        self.lower.clear();
        self.lower.extend(word.chars().flat_map(char::to_lowercase));
        if let Some(parts) = rules
            .contractions
            .get(self.lower.as_str())
            .filter(|_| self.lower.len() == word.len())
        {
            let mut start = range.start;
            for &part in parts {
                let end = start + part;
                if !text.is_char_boundary(end) {
                    break;
                }
                self.push(start..end);
                start = end;
            }
            return self.push(start..range.end);
        }
        self.push(range);
    }
}

/// Marks that close: words of their own at the end of a chunk.
fn closes(c: char) -> bool {
    !c.is_alphanumeric()
        && !matches!(c, '_' | '/' | '\\' | '+' | '#' | '@' | '&')
        && !is_mark_of_letter(c)
        && !is_currency(c)
}

/// True if the strings agree but for case and the shape of apostrophes.
fn same(plain: &str, word: &str) -> bool {
    let mut letters = word
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if is_apostrophe(c) { '\'' } else { c });
    plain.chars().all(|c| letters.next() == Some(c)) && letters.next().is_none()
}

/// Web and mail addresses, account names and paths.
fn is_address(word: &str) -> bool {
    if word.contains("://") || (word.len() > 4 && word.as_bytes()[..4].eq_ignore_ascii_case(b"www.")) {
        return true;
    }
    if let Some(at) = word.find('@') {
        return word[at + 1..].contains(|c: char| c.is_alphanumeric());
    }
    // A host with a path: letters, a stop, letters, a slash.
    let host = word.split('/').next().unwrap_or("");
    host.len() < word.len()
        && host.split('.').count() > 1
        && host
            .split('.')
            .all(|part| part.len() > 1 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        && host.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Faces such as ":)", ";-)" and "=D": eyes, perhaps a nose, a mouth.
fn is_face(chunk: &str) -> bool {
    let Some(rest) = chunk.strip_prefix([':', ';', '=']) else {
        return false;
    };
    let mouth = rest.strip_prefix('-').unwrap_or(rest);
    matches!(mouth, ")" | "(" | "D" | "P" | "p" | "/" | "))" | "((" | "]" | "[")
}

/// Splits at white space alone; for tests and for text that is tokenized already.
pub fn spaced(text: &str) -> Vec<Token> {
    let base = text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| {
            let start = word.as_ptr() as usize - base;
            Token {
                start: start as u32,
                end: (start + word.len()) as u32,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str) {
        check_text(&expected.replace(' ', ""), expected);
    }

    fn check_text(text: &str, expected: &str) {
        let rules = Rules::from_toml(include_str!("../../knowledge/languages/en/tokens.toml")).unwrap();
        let mut tokens = Vec::new();
        rules.tokenize(text, 0..text.len(), &mut tokens);
        let words: Vec<&str> = tokens.iter().map(|t| t.of(text)).collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn clitics() {
        check("do n't");
        check("they \u{2019}re");
        check("China 's");
        check("can not");
        check("parents '");
        check("o'clock");
    }

    #[test]
    fn hyphens_and_slashes() {
        check("US - led");
        check("co-operation");
        check("state - of - the - art");
        check("and / or");
        check("11/28/2000");
        check("713-853-1234");
        check("10 - 15");
        check("it \u{2014} and");
        check("it -- and");
    }

    #[test]
    fn abbreviations() {
        check_text("the U.S. and Mr. Smith", "the U.S. and Mr. Smith");
        check_text("He left the U.S.", "He left the U.S.");
        check_text("It ended.", "It ended .");
        check_text("No. 5 said no.", "No. 5 said no .");
        check_text("J. Smith took vitamin C.", "J. Smith took vitamin C .");
    }

    #[test]
    fn marks() {
        check("\u{201c} Yes , \u{201d}");
        check("( 2024 ) .");
        check("wait ...");
        check("account ( s )");
        check("$ 5.4 bn");
        check("US$ 5");
        check("10 %");
        check("9:30 am");
        check("what ?!");
        check_text("fine :)", "fine :)");
        check("20 \u{b0} C");
    }

    #[test]
    fn addresses() {
        check("( http://a.org/b-c ) ,");
        check("a.b@c.org .");
    }

    #[test]
    fn never_panics_and_covers_all_but_space() {
        let rules = Rules::from_toml(include_str!("../../knowledge/languages/en/tokens.toml")).unwrap();
        let pieces = [
            "a",
            "\u{2019}",
            "-",
            ".",
            "n't",
            "\u{e9}",
            " ",
            "$",
            "5",
            "/",
            "(",
            "\u{1f600}",
            "\u{300}",
            "'",
            "%",
            "@",
        ];
        let mut seed = 1u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..8 {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                text.push_str(pieces[(seed >> 59) as usize % pieces.len()]);
            }
            let mut tokens = Vec::new();
            rules.tokenize(&text, 0..text.len(), &mut tokens);
            let joined: String = tokens.iter().map(|t| t.of(&text)).collect();
            assert_eq!(joined, text.replace(' ', ""), "{text:?}");
        }
    }
}
