//! Splits a text into sentences, headings and list items.
//!
//! Blocks first: blank lines, headings and list items part them, and a newline inside a hard-wrapped paragraph does
//! not. Then each block is scanned for stops, and every stop is judged by the word before it and the word after it.
//! What differs between languages (abbreviations, words that begin sentences) is data. Never fails.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::normalize::repair::{breaks_at_width, starts_item, wrap_width};

/// A sentence as a half-open range of bytes of the text, without the spaces around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// Start in the text, in bytes.
    pub start: usize,
    /// End in the text, in bytes, exclusive.
    pub end: usize,
    /// What kind of line it stands in.
    pub kind: Kind,
}

/// What kind of block a sentence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A short line of its own without a stop.
    Heading,
    /// Running text.
    Paragraph,
    /// An item of a list.
    ListItem,
}

/// What an abbreviation says about the stop behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// A name follows (`Gen.`): the stop never ends a sentence.
    Name,
    /// Ends no sentence before a number (`p. 55`, `Nov. 3`); otherwise it is an ordinary word.
    Number,
    /// Ends a sentence only before a word that is known to begin sentences (`U.S.`, `Inc.`).
    Either,
}

/// What the splitter knows of one language.
#[derive(Debug, Clone, Default)]
pub struct SentenceRules {
    abbreviations: HashMap<String, Follow>,
    starters: HashSet<String>,
    ordinal_stops: bool,
    further_stops: Vec<char>,
}

/// The file `sentence.toml` of a language.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RulesFile {
    /// Words that often begin sentences and are seldom names: articles, pronouns, conjunctions, question words.
    starters: String,
    /// True where a stop behind a number makes it an ordinal (`am 3. Oktober`).
    ordinal_stops: bool,
    /// Characters that end a sentence in this language only.
    further_stops: String,
}

impl SentenceRules {
    /// Reads the two files of a language, `sentence.toml` and `abbreviations.txt`. The latter has the sections
    /// `[name]`, `[number]` and `[either]` with words parted by spaces; `#` begins a comment.
    pub fn parse(sentence_toml: &str, abbreviations: &str) -> Result<SentenceRules> {
        let file: RulesFile = toml::from_str(sentence_toml).context("sentence.toml")?;
        let mut rules = SentenceRules {
            abbreviations: HashMap::new(),
            starters: file.starters.split_whitespace().map(str::to_lowercase).collect(),
            ordinal_stops: file.ordinal_stops,
            further_stops: file.further_stops.chars().collect(),
        };
        let mut follow = None;
        for (n, line) in abbreviations.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if let Some(section) = line.strip_prefix('[') {
                follow = Some(match section.trim_end_matches(']') {
                    "name" => Follow::Name,
                    "number" => Follow::Number,
                    "either" => Follow::Either,
                    other => bail!(
                        "abbreviations.txt line {}: no section [{other}]; there are name, number, either",
                        n + 1
                    ),
                });
                continue;
            }
            for word in line.split_whitespace() {
                let Some(follow) = follow else {
                    bail!(
                        "abbreviations.txt line {}: {word} stands before any section",
                        n + 1
                    )
                };
                rules
                    .abbreviations
                    .insert(word.trim_end_matches('.').to_string(), follow);
            }
        }
        Ok(rules)
    }

    /// How the abbreviation `word`, written without its last stop, is followed. A word that begins a sentence or a
    /// heading may be capitalised, so that lower-case entries match it too.
    fn follow(&self, word: &str) -> Option<Follow> {
        self.abbreviations.get(word).copied().or_else(|| {
            let mut chars = word.chars();
            let first = chars.next().filter(|c| c.is_uppercase())?;
            let lowered = first.to_lowercase().chain(chars).collect::<String>();
            self.abbreviations.get(&lowered).copied()
        })
    }

    fn begins_sentences(&self, word: &str) -> bool {
        !word.is_empty() && self.starters.contains(&word.to_lowercase())
    }
}

/// Splits `text`. The sentences come in order, do not overlap, and leave out nothing but white space.
pub fn split(text: &str, rules: &SentenceRules) -> Vec<Sentence> {
    // News runs at about 120 bytes a sentence.
    let mut sentences = Vec::with_capacity(text.len() / 100 + 1);
    for_each_block(text, rules, |start, end| {
        split_block(text, start, end, rules, &mut sentences)
    });
    sentences
}

// --- blocks -----------------------------------------------------------------------------------------------------

/// Calls `each` with the range of every block, without the white space around it.
fn for_each_block(text: &str, rules: &SentenceRules, mut each: impl FnMut(usize, usize)) {
    let width = wrap_width(text);
    let (mut block_start, mut block_end) = (0, 0);
    let mut line_start = 0;
    while line_start < text.len() {
        let line_end =
            memchr::memchr(b'\n', &text.as_bytes()[line_start..]).map_or(text.len(), |n| line_start + n);
        let line = &text[line_start..line_end];
        let open = &text[block_start..block_end];
        if !(block_end > block_start && continues(open, line, width, rules)) {
            emit(text, block_start, block_end, &mut each);
            block_start = line_start;
        }
        block_end = line_end;
        line_start = line_end + 1;
    }
    emit(text, block_start, block_end, &mut each);
}

fn emit(text: &str, start: usize, end: usize, each: &mut impl FnMut(usize, usize)) {
    let (start, end) = trimmed(text, start, end);
    if start < end {
        each(start, end);
    }
}

fn trimmed(text: &str, start: usize, end: usize) -> (usize, usize) {
    let slice = &text[start..end];
    let left = slice.len() - slice.trim_start().len();
    let whole = slice.trim();
    (start + left, start + left + whole.len())
}

/// True if `line` goes on where the block so far ended in the middle of a sentence.
fn continues(block: &str, line: &str, width: Option<usize>, rules: &SentenceRules) -> bool {
    let last = block.rsplit('\n').next().unwrap_or(block).trim_end();
    let trimmed = line.trim_start();
    let Some(first) = trimmed.chars().next() else {
        return false;
    };
    if last.is_empty() || starts_item(trimmed) {
        return false;
    }
    // Behind a comma a lower-case letter goes on, however wide the lines are.
    let is_long = last.len() >= LINE_BYTES_MIN;
    if is_long && last.ends_with(',') && first.is_lowercase() {
        return true;
    }
    if let Some(width) = width {
        return breaks_at_width(last, line, width);
    }
    // A line shorter than this is a heading or a verse, whatever follows.
    if !is_long {
        return false;
    }
    // Without a width, what shows that the line end means nothing is a lower-case letter behind it, or an article or
    // preposition before it.
    let open = !last.trim_end_matches(is_closer).ends_with([':', ';', '!', '?']);
    if first.is_lowercase() {
        return open;
    }
    let word = last.rsplit(char::is_whitespace).next().unwrap_or(last);
    first.is_alphanumeric() && word.starts_with(char::is_lowercase) && rules.starters.contains(word)
}

/// The least length of a line that may have been broken inside a sentence.
const LINE_BYTES_MIN: usize = 20;

// --- stops ------------------------------------------------------------------------------------------------------

/// True for the first bytes of characters that may end a sentence.
const STOP_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let stops = [
        b'.', b'!', b'?', 0xD6, 0xD8, 0xDB, 0xDC, 0xE0, 0xE1, 0xE2, 0xE3, 0xEF,
    ];
    let mut n = 0;
    while n < stops.len() {
        bytes[stops[n] as usize] = true;
        n += 1;
    }
    bytes
};

/// The length in bytes of the stop at `at`, or 0. Stops beyond ASCII: ellipsis, double marks, Arabic question mark
/// and full stop, Syriac, Armenian, danda, Burmese, Khmer and Ethiopic stops, ideographic and full-width ones.
fn stop_length(bytes: &[u8], at: usize) -> usize {
    let second = bytes.get(at + 1).copied().unwrap_or(0);
    let third = bytes.get(at + 2).copied().unwrap_or(0);
    match (bytes[at], second, third) {
        (b'.' | b'!' | b'?', _, _) => 1,
        (0xD8, 0x9F, _) | (0xDB, 0x94, _) | (0xD6, 0x89, _) | (0xDC, 0x80..=0x82, _) => 2,
        (0xE2, 0x80, 0xA6 | 0xBC | 0xBD) | (0xE2, 0x81, 0x87..=0x89) => 3,
        (0xE0, 0xA5, 0xA4 | 0xA5) => 3,
        (0xE1, 0x81, 0x8A | 0x8B) | (0xE1, 0x8D, 0xA2 | 0xA7 | 0xA8) | (0xE1, 0x9F, 0x94 | 0x95) => 3,
        (0xE3, 0x80, 0x82) | (0xEF, 0xBC, 0x81 | 0x8E | 0x9F) | (0xEF, 0xBD, 0xA1) => 3,
        _ => 0,
    }
}

fn is_stop(c: char) -> bool {
    let mut buffer = [0u8; 4];
    let bytes = c.encode_utf8(&mut buffer).as_bytes();
    stop_length(bytes, 0) > 0
}

fn is_closer(c: char) -> bool {
    matches!(
        c,
        ')' | ']' | '}' | '”' | '’' | '»' | '›' | '"' | '\'' | '」' | '』' | '）' | '】' | '》' | '“'
    )
}

fn is_opener(c: char) -> bool {
    matches!(
        c,
        '(' | '['
            | '{'
            | '“'
            | '‘'
            | '«'
            | '‹'
            | '"'
            | '\''
            | '„'
            | '‚'
            | '¿'
            | '¡'
            | '「'
            | '『'
            | '（'
            | '【'
            | '《'
            | '»'
            | '*'
            | '_'
            | '#'
    )
}

fn is_dash(c: char) -> bool {
    matches!(c, '-' | '–' | '—' | '―')
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text[at..].chars().next()
}

/// Splits the block `start..end` into sentences.
fn split_block(text: &str, start: usize, end: usize, rules: &SentenceRules, out: &mut Vec<Sentence>) {
    let kind = block_kind(&text[start..end]);
    let mut markers = Markers::of(text, start, end);
    let mut sentence = start;
    let mut at = start + markers.first_length;
    let bytes = text.as_bytes();
    loop {
        let stop = bytes[at..end]
            .iter()
            .position(|&b| STOP_BYTES[usize::from(b)])
            .map_or(end, |n| at + n);
        if let Some(item) = markers.next_before(text, stop, end) {
            push(text, sentence, item.start, kind, out);
            sentence = item.start;
            at = item.end;
            continue;
        }
        if stop >= end {
            break;
        }
        let length = stop_length(bytes, stop);
        if length == 0 {
            at = stop + further_stop(text, stop, rules).unwrap_or(1);
            if at > stop + 1 && char_at(text, at).is_none_or(char::is_whitespace) {
                push(text, sentence, at, kind, out);
                sentence = at;
            }
            while !text.is_char_boundary(at) {
                at += 1;
            }
            continue;
        }
        let site = Site {
            text,
            sentence,
            stop,
            end,
        };
        let verdict = site.judge(rules);
        if verdict.ends || verdict.after - sentence > SENTENCE_BYTES_MAX {
            push(text, sentence, verdict.after, kind, out);
            sentence = verdict.after;
        }
        at = verdict.after;
    }
    push(text, sentence, end, kind, out);
}

/// A longer stretch is no sentence but a table or junk, and is cut at the next stop, so that the time a stop takes
/// to judge stays bounded.
const SENTENCE_BYTES_MAX: usize = 4000;

/// The length of a stop that only this language has.
fn further_stop(text: &str, at: usize, rules: &SentenceRules) -> Option<usize> {
    if rules.further_stops.is_empty() {
        return None;
    }
    let c = char_at(text, at)?;
    rules.further_stops.contains(&c).then_some(c.len_utf8())
}

fn push(text: &str, start: usize, end: usize, kind: Kind, out: &mut Vec<Sentence>) {
    let (start, end) = trimmed(text, start, end);
    if start < end {
        out.push(Sentence { start, end, kind });
    }
}

/// A heading is short and has no stop; 16 words and 120 characters hold nearly every headline and few sentences.
fn block_kind(block: &str) -> Kind {
    if starts_item(block) {
        return Kind::ListItem;
    }
    let body = block.trim_end_matches(is_closer);
    let stopped = body.ends_with(|c: char| is_stop(c) || matches!(c, ':' | ';' | ',' | '،' | '؛'));
    if !stopped
        && block.len() <= 480
        && block.chars().count() <= 120
        && block.split_whitespace().count() <= 16
    {
        Kind::Heading
    } else {
        Kind::Paragraph
    }
}

// --- judging one stop -------------------------------------------------------------------------------------------

/// A stop in its place: the sentence it may end began at `sentence`, its block ends at `end`.
struct Site<'a> {
    text: &'a str,
    sentence: usize,
    stop: usize,
    end: usize,
}

struct Verdict {
    ends: bool,
    /// Where to go on: behind the stops, quotes and brackets that belong together.
    after: usize,
}

/// The stops that stand together.
struct Run {
    /// Only full stops, and how many.
    dots: usize,
    /// At least one mark that is not a full stop.
    marked: bool,
    after: usize,
}

impl Site<'_> {
    fn judge(&self, rules: &SentenceRules) -> Verdict {
        let mut run = self.run();
        if let Some(after) = self.stop_before_spaced_ellipsis(&run) {
            return Verdict { ends: true, after };
        }
        run.after = self.spaced_dots(run.after, &mut run.dots);
        let after = self.closers(run.after);
        let verdict = |ends| Verdict { ends, after };
        if after >= self.end {
            return verdict(true);
        }
        let before = self.text[self.sentence..self.stop].trim_end();
        if before.ends_with(['(', '[']) || !before.contains(char::is_alphanumeric) {
            return verdict(false);
        }
        let spaces = self.text[after..self.end]
            .chars()
            .take_while(|c| c.is_whitespace())
            .map(char::len_utf8)
            .sum::<usize>();
        let next = &self.text[after + spaces..self.end];
        if spaces == 0 {
            return verdict(self.unspaced_end(&run, after, next));
        }
        verdict(self.ends_before(&run, next, rules))
    }

    fn run(&self) -> Run {
        let bytes = self.text.as_bytes();
        let mut run = Run {
            dots: 0,
            marked: false,
            after: self.stop,
        };
        while run.after < self.end {
            let length = stop_length(bytes, run.after);
            if length == 0 {
                break;
            }
            run.marked |= bytes[run.after] != b'.' && &bytes[run.after..run.after + length] != "…".as_bytes();
            run.dots += if bytes[run.after] == b'.' { 1 } else { 3 };
            run.after += length;
        }
        run
    }

    /// A full stop followed by an ellipsis of spaced stops and a capital: the sentence ends at the full stop.
    fn stop_before_spaced_ellipsis(&self, run: &Run) -> Option<usize> {
        let attached = self.text[self.sentence..self.stop].ends_with(char::is_alphanumeric);
        let rest = self.text[run.after..self.end].strip_prefix(" . . . ")?;
        (attached && run.dots == 1 && !run.marked && rest.starts_with(char::is_uppercase))
            .then_some(run.after)
    }

    /// Takes in further stops that are parted by single spaces, as in `. . .`.
    fn spaced_dots(&self, mut after: usize, dots: &mut usize) -> usize {
        while self.text[after..self.end].starts_with(" .")
            && !self.text[after + 2..self.end].starts_with(char::is_alphanumeric)
        {
            after += 2;
            *dots += 1;
        }
        after
    }

    /// The end of the closing quotes, brackets, footnote marks and further stops behind a stop.
    fn closers(&self, mut after: usize) -> usize {
        loop {
            let rest = &self.text[after..self.end];
            let Some(c) = rest.chars().next() else {
                return after;
            };
            if is_closer(c) || is_stop(c) {
                after += c.len_utf8();
            } else if c == '[' || c == '(' {
                let Some(length) = footnote(rest) else {
                    return after;
                };
                after += length;
            } else if c == ' ' || c == '\u{a0}' || c == '\u{202f}' {
                // A guillemet set off by a space, or a straight quote that an earlier one opened, closes too.
                let mut ahead = rest[c.len_utf8()..].chars();
                let (quote, behind) = (ahead.next(), ahead.next());
                let alone = behind.is_none_or(|b| !b.is_alphanumeric() && !is_opener(b));
                let closes = match quote {
                    Some('»') => alone,
                    Some('"') => alone && self.text[self.sentence..after].matches('"').count() % 2 == 1,
                    _ => false,
                };
                if !closes {
                    return after;
                }
                after += c.len_utf8() + quote.map_or(0, char::len_utf8);
            } else {
                return after;
            }
        }
    }

    /// Whether a stop ends a sentence although no space follows. Scripts without spaces always, where the stop is
    /// their own; elsewhere a lost space is believed between a lower-case word and a capitalised one.
    fn unspaced_end(&self, run: &Run, after: usize, next: &str) -> bool {
        let stop = char_at(self.text, self.stop).unwrap_or('.');
        let follower = next.chars().next().unwrap_or(' ');
        if !stop.is_ascii() && stop != '…' {
            return !matches!(follower, ',' | '，' | '、' | '；' | ';') && !follower.is_lowercase();
        }
        let word = self.word_before();
        let plain = word.chars().count() >= 3 && word.chars().all(char::is_lowercase)
            || (word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()));
        let length = next
            .chars()
            .take(40)
            .take_while(|c| !c.is_whitespace())
            .map(char::len_utf8)
            .sum::<usize>();
        let token = &next[..length];
        let token = token.trim_end_matches([',', ';', ':', '.', '!', '?', '”', '"', ')', '’']);
        let mut letters = token.trim_start_matches(is_opener).chars();
        let capitalised = letters.next().is_some_and(char::is_uppercase);
        let rest_plain = letters.all(|c| c.is_lowercase() || c == '\'' || c == '’' || c == '-');
        // One capital letter may be the name of a file or a rank; the article and the pronoun are told by a space.
        run.dots <= 3
            && plain
            && capitalised
            && rest_plain
            && next.len() > token.len().max(1)
            && after < self.end
    }

    /// The word the stop stands behind, without its quotes and brackets.
    fn word_before(&self) -> &str {
        let head = &self.text[self.sentence..self.stop];
        let mut start = head.len();
        for (at, c) in head.char_indices().rev().take(24) {
            if c.is_whitespace()
                || is_opener(c)
                || matches!(c, '”' | '’' | '/' | '-' | '–' | '—' | ')' | ']' | ',')
            {
                break;
            }
            start = at;
        }
        &head[start..]
    }

    /// Whether the stop ends a sentence before `next`, which follows it after white space.
    fn ends_before(&self, run: &Run, next: &str, rules: &SentenceRules) -> bool {
        let Some(first) = next.chars().next() else {
            return true;
        };
        if matches!(first, ',' | ';' | ':' | ')' | ']' | '»' | '”' | '،' | '؛' | '/') && !opens_here(next)
        {
            return false;
        }
        let mut body = next;
        if is_dash(first) {
            body = next[first.len_utf8()..].trim_start();
            // Speech that goes on after its verb: «Why? – she asked. – Tomorrow …»
            if self.quote_open() {
                return false;
            }
        }
        let body = body.trim_start_matches(|c: char| is_opener(c) || c == '…' || c == '.');
        let Some(letter) = body.chars().next() else {
            return true;
        };
        let word_length = body.find(|c: char| !c.is_alphabetic()).unwrap_or(body.len());
        let word = &body[..word_length];
        if letter.is_lowercase() && !word.chars().skip(1).any(char::is_uppercase) {
            return false;
        }
        if run.marked {
            if first == '(' && bracket_is_note(next) {
                return false;
            }
            let token = self.word_before();
            return token.is_empty()
                || rules
                    .follow(&self.text[self.stop - token.len()..run.after])
                    .is_none();
        }
        if run.dots > 1 {
            // Three dots set off by spaces stand for a pause or for words left out, and so do three dots in a script
            // without capitals, which could show that a sentence begins.
            let set_off = self.text[self.sentence..self.stop].ends_with(char::is_whitespace);
            return letter.is_uppercase() && !(set_off && run.dots <= 3);
        }
        self.full_stop_ends(letter, word, &body[word_length..], rules)
    }

    /// Judges a single full stop by the word before it.
    fn full_stop_ends(&self, letter: char, next: &str, behind_next: &str, rules: &SentenceRules) -> bool {
        let word = self.word_before();
        let starter =
            rules.begins_sentences(next) && !(next.chars().count() == 1 && behind_next.starts_with('.'));
        if !word.is_empty() && word.chars().all(char::is_numeric) {
            let at_start = self.text[self.sentence..self.stop].trim_start().len() == word.len();
            let short = word.chars().count() <= 2;
            return !short || !(at_start || (rules.ordinal_stops && !starter));
        }
        if is_section(word) && self.text[self.sentence..self.stop].trim_start().len() == word.len() {
            return false;
        }
        match rules.follow(word) {
            Some(Follow::Name) => return false,
            Some(Follow::Number) => return !letter.is_numeric() && (starter || !is_roman(next)),
            Some(Follow::Either) => return starter,
            None => {}
        }
        let mut letters = word.chars();
        match (letters.next(), letters.next()) {
            (Some(c), None) if c.is_alphabetic() => starter,
            (Some(_), Some(_)) if is_initialism(word) => starter,
            _ => true,
        }
    }

    /// Whether a quotation is open at the stop. Straight quotes are left out: they also mean inches and seconds.
    fn quote_open(&self) -> bool {
        let head = &self.text[self.sentence..self.stop];
        head.matches(['«', '“', '„']).count() > head.matches(['»', '”']).count()
    }
}

/// A quotation mark that usually closes opens here if a letter follows it at once.
fn opens_here(next: &str) -> bool {
    let mut chars = next.chars();
    matches!(chars.next(), Some('»' | '”')) && chars.next().is_some_and(char::is_alphanumeric)
}

/// A bracket behind a title or a cry, `Viva! (1965)`, goes on with the sentence unless it holds one itself.
fn bracket_is_note(next: &str) -> bool {
    next.find(')')
        .is_none_or(|close| !next[..close].ends_with(is_stop))
}

/// The number of a section, `4.1`.
fn is_section(word: &str) -> bool {
    word.contains('.') && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// `[12]` or `(3)` directly behind a stop.
fn footnote(rest: &str) -> Option<usize> {
    let close = rest.bytes().take(6).position(|b| b == b']' || b == b')')?;
    let inner = &rest[1..close];
    ((1..=4).contains(&inner.len()) && inner.bytes().all(|b| b.is_ascii_digit())).then_some(close + 1)
}

/// Letters parted by stops: `U.S`, `a.m`, `EE.UU`.
fn is_initialism(word: &str) -> bool {
    word.contains('.')
        && word.split('.').all(|part| {
            let length = part.chars().count();
            (1..=2).contains(&length) && part.chars().all(char::is_alphabetic)
        })
}

fn is_roman(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b"IVXLC".contains(&b))
}

// --- lists inside a line ----------------------------------------------------------------------------------------

/// The item markers of a block that begins with one. `1. … 2. …` or `• … • …` in one line is a list whose line ends
/// were lost; each item is told by the bullet repeated or by the number or letter counted on.
struct Markers {
    /// The length in bytes of the first marker, which holds no stop that ends a sentence.
    first_length: usize,
    next: Option<Found>,
    style: Option<Style>,
}

#[derive(Clone)]
struct Style {
    bullet: Option<char>,
    /// The number or letter of the item, and what stands behind it (`.`, `)` or `.)`).
    label: Option<(Label, &'static str)>,
}

#[derive(Clone, Copy)]
enum Label {
    Number(u32),
    Letter(u8),
}

#[derive(Clone)]
struct Found {
    start: usize,
    end: usize,
}

impl Markers {
    fn of(text: &str, start: usize, end: usize) -> Markers {
        let mut markers = Markers {
            first_length: 0,
            next: None,
            style: None,
        };
        let block = &text[start..end];
        let mut rest = block;
        let bullet = block.chars().next().filter(|c| "•◦▪▸►‣⁃●○■".contains(*c));
        if let Some(bullet) = bullet {
            rest = rest[bullet.len_utf8()..].trim_start();
        }
        let label = read_label(rest);
        if let Some((_, _, length)) = label {
            rest = &rest[length..];
        }
        if bullet.is_none() && label.is_none() {
            return markers;
        }
        markers.first_length = block.len() - rest.len();
        markers.style = Some(Style {
            bullet,
            label: label.map(|(label, close, _)| (label, close)),
        });
        markers.find_next(text, start + markers.first_length, end);
        markers
    }

    /// The next item if it begins at or before `stop`.
    fn next_before(&mut self, text: &str, stop: usize, end: usize) -> Option<Found> {
        let found = self.next.clone().filter(|found| found.start <= stop)?;
        if let Some(Style {
            label: Some((label, _)),
            ..
        }) = &mut self.style
        {
            match label {
                Label::Number(n) => *n = n.saturating_add(1),
                Label::Letter(c) => *c = c.saturating_add(1),
            }
        }
        self.find_next(text, found.end, end);
        Some(found)
    }

    fn find_next(&mut self, text: &str, from: usize, end: usize) {
        self.next = self.style.as_ref().and_then(|style| {
            let mut marker = style.bullet.map(String::from).unwrap_or_default();
            let label = style.label.map(|(label, close)| match label {
                Label::Number(n) => format!("{}{close}", n.saturating_add(1)),
                Label::Letter(c) => format!("{}{close}", char::from(c.saturating_add(1))),
            });
            let label = label.unwrap_or_default();
            let slice = text.get(from..end)?;
            let space = if style.bullet.is_some() && !label.is_empty() && slice_has_spaced(slice, &marker) {
                " "
            } else {
                ""
            };
            marker = format!("{marker}{space}{label}");
            let at = slice
                .match_indices(&marker)
                .find(|(at, _)| slice[..*at].ends_with(char::is_whitespace))?
                .0;
            let behind = slice[at + marker.len()..].chars().next()?;
            (behind.is_whitespace() || style.bullet.is_some()).then(|| Found {
                start: from + at,
                end: from + at + marker.len(),
            })
        });
    }
}

fn slice_has_spaced(slice: &str, bullet: &str) -> bool {
    slice
        .find(bullet)
        .is_some_and(|at| slice[at + bullet.len()..].starts_with(' '))
}

/// Reads `1.`, `1)`, `1.)`, `a.` or `a)` followed by a space: the label, what closes it, and the length of both.
fn read_label(text: &str) -> Option<(Label, &'static str, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (label, length) = if (1..=3).contains(&digits) {
        (Label::Number(text[..digits].parse().ok()?), digits)
    } else {
        let first = text.bytes().next()?;
        (first.is_ascii_lowercase() && first < b'z').then_some((Label::Letter(first), 1))?
    };
    let rest = &text[length..];
    let close = [".)", ")", "."]
        .into_iter()
        .find(|close| rest.starts_with(close))?;
    let behind = rest[close.len()..].chars().next()?;
    behind
        .is_whitespace()
        .then_some((label, close, length + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABBREVIATIONS: &str =
        "[name]\nMr. Gen. Col. Lt. St. Mt. e.g.\n[number]\nNo. p. Nov.\n[either]\nCo. Inc. Jr. co. Yahoo!";
    const TOML: &str = "starters = 'the it he she they how a in we i did'";

    fn rules() -> SentenceRules {
        SentenceRules::parse(TOML, ABBREVIATIONS).unwrap()
    }

    /// `expected` has the sentences parted by `|`.
    fn check(text: &str, expected: &str) {
        let found = split(text, &rules())
            .iter()
            .map(|s| &text[s.start..s.end])
            .collect::<Vec<_>>();
        assert_eq!(found, expected.split('|').collect::<Vec<_>>());
    }

    #[test]
    fn stops_end_sentences() {
        check("They left. We stayed.", "They left.|We stayed.");
        check("Who left? Nobody! They stayed…", "Who left?|Nobody!|They stayed…");
        check(
            "It cost $3.50 at example.com/a.html today.",
            "It cost $3.50 at example.com/a.html today.",
        );
        check("What?! Now.", "What?!|Now.");
        check(
            "He left . . . I stayed. The rest ... Nothing.",
            "He left . . . I stayed.|The rest ... Nothing.",
        );
        check(
            "She starred in Viva Maria! (1965) and left. Why? (He knew.)",
            "She starred in Viva Maria! (1965) and left.|Why?|(He knew.)",
        );
        check("4.1. Results", "4.1. Results");
        check("iPhones sold. iPads did not.", "iPhones sold.|iPads did not.");
    }

    #[test]
    fn abbreviations_do_not() {
        check(
            "Gen. Tiani met Lt. Col. Abdramane.",
            "Gen. Tiani met Lt. Col. Abdramane.",
        );
        check(
            "He left the U.S. The U.S. Army stayed.",
            "He left the U.S.|The U.S. Army stayed.",
        );
        check("See No. 5 and p. 7 of Nov. 3.", "See No. 5 and p. 7 of Nov. 3.");
        check("Did he? No. Nobody did.", "Did he?|No.|Nobody did.");
        check(
            "J. F. Smith Jr. went to Acme Inc. It closed.",
            "J. F. Smith Jr. went to Acme Inc.|It closed.",
        );
        check("She works at Yahoo! in town.", "She works at Yahoo! in town.");
    }

    #[test]
    fn quotes_and_brackets_close() {
        check("“They left.” He stayed.", "“They left.”|He stayed.");
        check("\"They left.\" he said.", "\"They left.\" he said.");
        check(
            "He did (for long.) and left.[12] They stayed.",
            "He did (for long.) and left.[12]|They stayed.",
        );
        check("« C’est fini. » Il est parti.", "« C’est fini. »|Il est parti.");
        check(
            "«Да? – спросила она. – Завтра». Потом ушла.",
            "«Да? – спросила она. – Завтра».|Потом ушла.",
        );
        check("One [...] two. Three.", "One [...] two.|Three.");
    }

    #[test]
    fn scripts_have_their_stops() {
        check("هل غادروا؟ نعم. بقي الجنرال.", "هل غادروا؟|نعم.|بقي الجنرال.");
        check("वे चले गए। हम रुके।", "वे चले गए।|हम रुके।");
        check("ሄዱ። ቆየን።", "ሄዱ።|ቆየን።");
        check("他们走了。我们留下！真的？", "他们走了。|我们留下！|真的？");
        check("وہ چلے گئے۔ ہم رہے۔", "وہ چلے گئے۔|ہم رہے۔");
    }

    #[test]
    fn lines_and_blocks() {
        check(
            "A heading\n\nA sentence.\nAnother one",
            "A heading|A sentence.|Another one",
        );
        check(
            "The last of the soldiers left the\nbase on Monday.",
            "The last of the soldiers left the\nbase on Monday.",
        );
        check(
            "The company has its seat in the\nNetherlands.",
            "The company has its seat in the\nNetherlands.",
        );
        check(
            "The last of the soldiers left, in the end,\nafter a year of long and weary quarrels about their pay,\nthe base.",
            "The last of the soldiers left, in the end,\nafter a year of long and weary quarrels about their pay,\nthe base.",
        );
        check("- one thing\n- another", "- one thing|- another");
        check("1. The first 2. The second", "1. The first|2. The second");
        check(
            "• 9. The first • 10. The second",
            "• 9. The first|• 10. The second",
        );
        check(
            "They left in silence.Nobody spoke of it.",
            "They left in silence.|Nobody spoke of it.",
        );
    }

    #[test]
    fn kinds_are_told() {
        let text = "Hostility grows\n\nThey left. All of them.\n• item";
        let kinds = split(text, &rules()).iter().map(|s| s.kind).collect::<Vec<_>>();
        assert_eq!(
            kinds,
            [Kind::Heading, Kind::Paragraph, Kind::Paragraph, Kind::ListItem]
        );
    }

    #[test]
    fn faults_in_rules_are_named() {
        assert!(SentenceRules::parse("", "Mr.").is_err());
        assert!(SentenceRules::parse("", "[other]\nMr.").is_err());
        assert!(SentenceRules::parse("unknown = 1", "").is_err());
    }

    #[test]
    fn any_text_is_covered() {
        let pieces = [
            ". ", "A", "»", " . . .", "\n", "•", "1. ", "。", "؟", "«", "–", "\"", "a)", "…", "é", " ",
            "[1]", "z. ",
        ];
        let mut state = 3u32;
        for _ in 0..3000 {
            let text = (0..14)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    pieces[(state >> 16) as usize % pieces.len()]
                })
                .collect::<String>();
            let mut covered = 0;
            for sentence in split(&text, &rules()) {
                assert!(text[covered..sentence.start].trim().is_empty(), "{text:?}");
                covered = sentence.end;
            }
            assert!(text[covered..].trim().is_empty(), "{text:?}");
        }
    }
}
