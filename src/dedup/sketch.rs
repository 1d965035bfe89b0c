//! What near-duplicate search keeps of one document: a hash of its matching view, a sample of its
//! shingles, and digests of its figures and names.
//!
//! Pure and cheap: one pass builds the view, one pass reads words from it. Sketches are stored per
//! unit of input, so any number of runs over parts equals one run over everything.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, is_nfkc_quick};
use xxhash_rust::xxh3::xxh3_128;

/// The coarsest sampling: one shingle in 2^3. A 450-word story keeps about 57 hashes, which places
/// its Jaccard within .07 (one standard error at .5) at an eighth of the cost.
pub const COARSEST: u8 = 3;

/// A sketch keeps at most about this many hashes before it moves to the next coarser sampling:
/// enough for a short text to be measured nearly whole.
const KEPT_TARGET: usize = 96;

/// Figures and names kept per document: the smallest hashes of each (a bottom-k sample), so the
/// digests stay small on tables of numbers.
pub const SLOTS_KEPT: usize = 64;

/// Where a document comes from, as far as duplicates are concerned.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// Order-preserving number of the document's id.
    pub document_id: u128,
    /// Microseconds since 1970 (UTC), where known.
    pub published_us: Option<i64>,
}

/// What is kept of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sketch {
    /// Order-preserving number of the document's id.
    pub document_id: u128,
    /// Hash of the matching view: equal for exact copies.
    pub exact: u128,
    /// Sampled shingle hashes, ascending, without repeats; all below 2^(64 - `scale`).
    pub hashes: Vec<u64>,
    /// Sampling of `hashes`: one shingle in 2^scale was kept, 0 to [`COARSEST`].
    pub scale: u8,
    /// Words, or characters of scripts written without spaces.
    pub words: u32,
    /// Length of the text, bytes.
    pub text_bytes: u32,
    /// Microseconds since 1970 (UTC), where known.
    pub published_us: Option<i64>,
    /// Figures, each hashed with the word before it: the smallest [`SLOTS_KEPT`], ascending.
    pub figures: Vec<u32>,
    /// Capitalised words inside sentences: the smallest [`SLOTS_KEPT`] hashes, ascending.
    pub names: Vec<u32>,
}

/// Buffers reused from one document to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    view: View,
    grams: Vec<u64>,
    figures: Vec<u32>,
    names: Vec<u32>,
}

/// Sketches one text: FracMinHash (Irber et al. 2022) over word 3-grams, or character 5-grams where
/// a script has no spaces. Never fails; a text without words has no hashes.
pub fn sketch(text: &str, origin: Origin, scratch: &mut Scratch) -> Sketch {
    let Scratch {
        view,
        grams,
        figures,
        names,
    } = scratch;
    view.set(text);
    grams.clear();
    figures.clear();
    names.clear();
    let mut words = 0;
    let mut previous = 0;
    let mut window = Window::default();
    view.each_word(|word| {
        words += 1;
        if word.has_digit {
            figures.push((combine([previous, word.hash, 1]) >> 32) as u32);
        } else if word.is_name {
            names.push((combine([word.hash, 2, 3]) >> 32) as u32);
        }
        previous = word.hash;
        grams.extend(window.push(&word));
    });
    grams.extend(window.short_text());
    let scale = (0..COARSEST)
        .find(|&scale| grams.len() >> scale <= KEPT_TARGET)
        .unwrap_or(COARSEST);
    let limit = u64::MAX >> scale;
    let mut hashes = Vec::with_capacity((grams.len() >> scale) * 5 / 4 + 8);
    hashes.extend(grams.iter().copied().filter(|&gram| gram <= limit));
    hashes.sort_unstable();
    hashes.dedup();
    Sketch {
        document_id: origin.document_id,
        exact: xxh3_128(view.folded()),
        hashes,
        scale,
        words,
        text_bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
        published_us: origin.published_us,
        figures: smallest(figures),
        names: smallest(names),
    }
}

fn smallest(hashes: &mut Vec<u32>) -> Vec<u32> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes[..hashes.len().min(SLOTS_KEPT)].to_vec()
}

/// One word of the matching view.
pub(super) struct Word {
    /// Hash of the folded word.
    pub hash: u64,
    /// Begins or ends with a digit.
    pub has_digit: bool,
    /// Capitalised, and not the first word of a sentence or line.
    pub is_name: bool,
    /// One character of a script written without spaces.
    pub is_unspaced: bool,
}

/// The words seen last, from which the next shingle is made.
#[derive(Default)]
struct Window {
    words: [u64; 2],
    words_seen: usize,
    characters: [u64; 4],
    characters_seen: usize,
    shingles: usize,
}

impl Window {
    /// Takes a word and returns the shingle that ends in it.
    #[inline]
    fn push(&mut self, word: &Word) -> Option<u64> {
        let shingle = if word.is_unspaced {
            let [a, b, c, d] = self.characters;
            self.characters = [b, c, d, word.hash];
            self.characters_seen += 1;
            (self.characters_seen >= 5).then(|| combine([combine([a, b, c]), d, word.hash]))
        } else {
            let [a, b] = self.words;
            self.words = [b, word.hash];
            self.words_seen += 1;
            (self.words_seen >= 3).then(|| combine([a, b, word.hash]))
        };
        self.shingles += usize::from(shingle.is_some());
        shingle
    }

    /// One shingle of all there is, for a text too short to have any.
    fn short_text(&self) -> Option<u64> {
        let is_short = self.shingles == 0 && self.words_seen + self.characters_seen > 0;
        let [a, b, c, d] = self.characters;
        is_short.then(|| combine([combine([self.words[0], self.words[1], a]), combine([b, c, d]), 5]))
    }
}

/// Mixes three hashes into one whose high bits are as good as its low ones.
#[inline]
pub(super) fn combine([a, b, c]: [u64; 3]) -> u64 {
    let mixed = a ^ b.rotate_left(21) ^ c.rotate_left(43);
    fold_multiply(
        mixed.wrapping_add(0x9e37_79b9_7f4a_7c15),
        0xd6e8_feb8_6659_fd93 ^ b.wrapping_add(c << 1),
    )
}

/// 64x64 bit multiplication folded to 64 bits (the mixing step of wyhash).
#[inline]
fn fold_multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The text as it is compared: NFKC, case folded, quotes, dashes and spaces unified.
///
/// `cased` runs parallel to `folded`, byte for byte: it differs where a letter was a capital, and
/// holds a line feed where a line ended. Both end in [`PADDING`] zero bytes.
#[derive(Debug, Default)]
pub(super) struct View {
    cased: Vec<u8>,
    folded: Vec<u8>,
    /// [`IN_WORD`] where `folded` holds an ASCII letter or digit.
    in_word: Vec<u8>,
    normalized: String,
}

/// Marks a letter or digit in `View::in_word`.
const IN_WORD: u8 = 0x80;

/// Eight of them.
const EIGHT_IN_WORD: u64 = u64::from_le_bytes([IN_WORD; 8]);

/// Zero bytes behind the view, so that words can be read eight bytes at a time.
const PADDING: usize = 16;

/// Marks a capital in `View::cased`; no UTF-8 text contains it.
const CAPITAL: u8 = 0xff;

impl View {
    /// The compared bytes, UTF-8.
    pub(super) fn folded(&self) -> &[u8] {
        &self.folded[..self.folded.len().saturating_sub(PADDING)]
    }

    /// Replaces the view by that of `text`.
    pub(super) fn set(&mut self, text: &str) {
        self.folded.clear();
        self.cased.clear();
        self.cased.reserve(text.len() + PADDING);
        self.folded.reserve(text.len() + PADDING);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let stop = ascii_until(bytes, at);
            self.push_ascii(&bytes[at..stop]);
            at = stop;
            if at < bytes.len() {
                let length = bytes[at..].iter().position(|b| b.is_ascii_whitespace());
                let stop = length.map_or(bytes.len(), |length| at + length);
                // `ascii_until` stops behind whitespace, so both ends are character boundaries.
                self.push_unicode(text.get(at..stop).unwrap_or_default());
                at = stop;
            }
        }
        while self.folded.last() == Some(&b' ') {
            self.folded.pop();
            self.cased.pop();
        }
        self.folded.make_ascii_lowercase();
        self.folded.extend([0; PADDING]);
        self.cased.extend([0; PADDING]);
        self.in_word.clear();
        let is_in_word = |byte: u8| byte.wrapping_sub(b'a') < 26 || byte.wrapping_sub(b'0') < 10;
        self.in_word.extend(
            self.folded
                .iter()
                .map(|&byte| u8::from(is_in_word(byte)) * IN_WORD),
        );
    }

    /// Appends ASCII text, runs of whitespace as one space.
    fn push_ascii(&mut self, bytes: &[u8]) {
        let from = self.cased.len();
        let mut length = from;
        let mut after_space = self.cased.last().is_none_or(|&b| b == b' ' || b == b'\n');
        self.cased.resize(from + bytes.len(), 0);
        for &byte in bytes {
            let is_space = byte <= b' ';
            let is_line_end = byte == b'\n';
            if is_space && after_space {
                if is_line_end && length > 0 {
                    self.cased[length - 1] = b'\n';
                }
                continue;
            }
            self.cased[length] = UNIFIED[usize::from(byte & 127)];
            length += 1;
            after_space = is_space;
        }
        self.cased.truncate(length);
        self.folded.extend_from_slice(&self.cased[from..]);
        for byte in &mut self.folded[from..] {
            *byte = if *byte == b'\n' { b' ' } else { *byte };
        }
    }

    /// Appends text that holds other characters than ASCII and no ASCII whitespace.
    fn push_unicode(&mut self, text: &str) {
        if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
            text.chars().for_each(|c| self.push_char(c));
            return;
        }
        let mut normalized = std::mem::take(&mut self.normalized);
        normalized.clear();
        normalized.extend(text.nfkc());
        normalized.chars().for_each(|c| self.push_char(c));
        self.normalized = normalized;
    }

    fn push_char(&mut self, c: char) {
        let unified = unify(c);
        if unified == ' ' {
            if self.folded.last().is_some_and(|&b| b != b' ') {
                self.folded.push(b' ');
                self.cased.push(if c == '\u{2029}' || c == '\u{2028}' {
                    b'\n'
                } else {
                    b' '
                });
            }
            return;
        }
        let is_invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
        if is_invisible {
            return;
        }
        let from = self.folded.len();
        let mut buffer = [0; 4];
        // Upper then lower case is case folding for all but a handful of characters.
        if unified.is_lowercase() && unified != 'ß' && unified != 'ς' {
            self.folded
                .extend_from_slice(unified.encode_utf8(&mut buffer).as_bytes());
        } else {
            for folded in unified.to_uppercase().flat_map(char::to_lowercase) {
                self.folded
                    .extend_from_slice(folded.encode_utf8(&mut buffer).as_bytes());
            }
        }
        self.cased.extend_from_slice(&self.folded[from..]);
        if unified.is_uppercase()
            && let Some(first) = self.cased.get_mut(from)
        {
            *first = CAPITAL;
        }
    }

    /// Calls `visit` with every word, in order.
    #[inline]
    pub(super) fn each_word(&self, mut visit: impl FnMut(Word)) {
        let view = self.folded();
        let mut at = 0;
        let mut starts_sentence = true;
        while let Some(&byte) = view.get(at) {
            match CLASS[usize::from(byte)] {
                Class::Other => at += 1,
                Class::Space => {
                    starts_sentence |= self.cased[at] == b'\n';
                    at += 1;
                }
                Class::Stop => {
                    starts_sentence = true;
                    at += 1;
                }
                Class::Letter | Class::Digit | Class::Wide => {
                    let (end, kind) = word_end(view, &self.in_word, at);
                    match kind {
                        Kind::None => {}
                        Kind::Word | Kind::Character => {
                            let first = CLASS[usize::from(byte)];
                            let last = view.get(end - 1).map_or(Class::Other, |&b| CLASS[usize::from(b)]);
                            let has_digit = first == Class::Digit || last == Class::Digit;
                            let is_name = !starts_sentence && self.cased[at] != byte;
                            starts_sentence = false;
                            visit(Word {
                                hash: hash_word(&self.folded, at, end),
                                has_digit,
                                is_name,
                                is_unspaced: kind == Kind::Character,
                            });
                        }
                    }
                    at = end;
                }
            }
        }
    }
}

/// The end of the ASCII text from `at` on, moved back behind the last whitespace, so that a word
/// with any other character is normalized whole. A whole word without whitespace before it gives `at`.
fn ascii_until(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let length = rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len());
    if length == rest.len() {
        return bytes.len();
    }
    rest[..length]
        .iter()
        .rposition(|b| b.is_ascii_whitespace())
        .map_or(at, |space| at + space + 1)
}

/// Quotes, dashes and spaces that stand for one another in copies become one of each.
fn unify(c: char) -> char {
    match c {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{b4}' | '`' | '\u{2bc}' | '\u{ff07}' => '\'',
        '"' | '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' => '\'',
        '\u{300c}'..='\u{300f}' | '\u{301d}'..='\u{301f}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{fe58}' | '\u{30fb}' => '-',
        _ if c.is_whitespace() || c.is_control() => ' ',
        _ => c,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Space,
    /// Ends a sentence.
    Stop,
    Letter,
    Digit,
    /// Not ASCII: the character decides.
    Wide,
}

static CLASS: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut table = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' => Class::Space,
            b'.' | b'!' | b'?' => Class::Stop,
            b'a'..=b'z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            0x80.. => Class::Wide,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
}

/// ASCII as it stands in the view: control characters are spaces, all quotes are one.
static UNIFIED: [u8; 128] = unified();

const fn unified() -> [u8; 128] {
    let mut table = [b' '; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'\n' => b'\n',
            b'"' | b'`' => b'\'',
            other if other > b' ' && other != 0x7f => other,
            _ => b' ',
        };
        byte += 1;
    }
    table
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A character that is no part of a word.
    None,
    Word,
    /// One character of a script written without spaces.
    Character,
}

/// The end of the word that begins at `at`, and what it is.
///
/// A full stop, comma or colon between digits belongs to the number, an apostrophe between letters
/// to the word.
#[inline]
fn word_end(view: &[u8], in_word: &[u8], at: usize) -> (usize, Kind) {
    let mut end = at;
    while let Some(&byte) = view.get(end) {
        match CLASS[usize::from(byte)] {
            // Most words end within the next eight bytes.
            Class::Letter | Class::Digit => end += letters_at(in_word, end),
            Class::Wide => {
                let (c, length) = decode(&view[end..]);
                if is_unspaced(c) {
                    return if end == at {
                        (end + length, Kind::Character)
                    } else {
                        (end, Kind::Word)
                    };
                }
                if !c.is_alphanumeric() && !is_combining_mark(c) {
                    return if end == at {
                        (end + length, Kind::None)
                    } else {
                        (end, Kind::Word)
                    };
                }
                end += length;
            }
            _ if end > at && joins(view, end) => end += 1,
            _ => break,
        }
    }
    (end.max(at + 1), Kind::Word)
}

/// How many of the eight bytes from `at` on are letters or digits before the first that is not.
#[inline]
fn letters_at(in_word: &[u8], at: usize) -> usize {
    let eight = in_word.get(at..).and_then(|rest| rest.first_chunk::<8>());
    // The padding makes eight bytes always available; one is right in any case.
    let eight = eight.map_or(u64::from(IN_WORD), |eight| u64::from_le_bytes(*eight));
    ((!eight & EIGHT_IN_WORD).trailing_zeros() / 8) as usize
}

/// Whether the byte at `at` ties the characters on both sides into one word.
fn joins(view: &[u8], at: usize) -> bool {
    let (Some(&before), Some(&after)) = (view.get(at.wrapping_sub(1)), view.get(at + 1)) else {
        return false;
    };
    match view[at] {
        b'.' | b',' | b':' => before.is_ascii_digit() && after.is_ascii_digit(),
        b'\'' => before.is_ascii_lowercase() && after.is_ascii_lowercase(),
        _ => false,
    }
}

/// The first character and its length; the replacement character, one byte, if it is broken.
fn decode(bytes: &[u8]) -> (char, usize) {
    let length = match bytes.first() {
        Some(0xf0..) => 4,
        Some(0xe0..) => 3,
        Some(0xc0..) => 2,
        _ => 1,
    };
    let text = bytes
        .get(..length)
        .and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.and_then(|text| text.chars().next())
        .map_or(('\u{fffd}', 1), |c| (c, length))
}

/// Scripts written without spaces between words (Unicode blocks): Thai, Lao, Myanmar, Khmer, kana,
/// bopomofo and Han.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x312f | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x3ffff)
        && (c.is_alphanumeric() || is_combining_mark(c))
}

/// Hashes the bytes of one word, eight at a time. `padded` holds at least eight bytes behind `end`.
#[inline]
fn hash_word(padded: &[u8], start: usize, end: usize) -> u64 {
    let mut hash = (end - start) as u64 ^ 0xa076_1d64_78bd_642f;
    let mut at = start;
    while at < end {
        let bytes = padded.get(at..).and_then(|rest| rest.first_chunk::<8>());
        let mut word = bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if end - at < 8 {
            word &= (1 << ((end - at) * 8)) - 1;
        }
        hash = fold_multiply(hash ^ word, 0xe703_7ed1_a0b4_28db ^ word.rotate_left(32));
        at += 8;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Sketch {
        sketch(text, Origin::default(), &mut Scratch::default())
    }

    fn check_view(text: &str, expected: &str) {
        let mut view = View::default();
        view.set(text);
        assert_eq!(String::from_utf8_lossy(view.folded()), expected);
        assert_eq!(view.folded.len(), view.cased.len());
    }

    #[test]
    fn view_unifies_what_copies_change() {
        check_view("", "");
        check_view("  The  \n\n Cat\t sat \n", "the cat sat");
        check_view("“Ça va” — dit-il…", "'ça va' - dit-il...");
        check_view("it\u{2019}s 5\u{a0}km", "it's 5 km");
        check_view("ﬁne ＡＢＣ", "fine abc");
        check_view("Straße ΣΊΣΥΦΟΣ", "strasse σίσυφοσ");
        check_view("e\u{301}te\u{301}", "été");
        check_view("soft\u{ad}hyphen", "softhyphen");
        check_view("\u{a0}\u{2003} x \u{a0}", "x");
    }

    /// Marks each word of `text`: a figure, a name, or neither.
    fn check_words(text: &str, expected: &str) {
        let mut view = View::default();
        view.set(text);
        let mut marks = String::new();
        view.each_word(|word| {
            marks.push(if word.has_digit {
                '#'
            } else if word.is_name {
                '^'
            } else {
                '-'
            })
        });
        assert_eq!(marks, expected, "{text}");
    }

    #[test]
    fn words_keep_figures_whole_and_know_names() {
        check_words("It fell 1,234.5 points at 7:14.", "--#--#");
        check_words("The talks in Example Town ended. Both left", "---^^---");
        check_words("A line\nAnother line", "----");
        check_words("don't stop", "--");
        check_words("в городе Пример", "--^");
        check_words("天气预报5度", "----#-");
    }

    #[test]
    fn exact_copies_share_the_hash_of_their_view() {
        assert_eq!(
            of("He said “yes” – twice.").exact,
            of("HE SAID  \"yes\" - twice. ").exact
        );
        assert_ne!(of("It rose 5 points").exact, of("It rose 6 points").exact);
    }

    #[test]
    fn short_texts_keep_all_shingles_and_long_ones_an_eighth() {
        assert!(of("").hashes.is_empty());
        assert_eq!(of("word").hashes.len(), 1);
        assert_eq!(of("one two three four five").hashes.len(), 3);
        let long: String = (0..8_000).map(|number| format!("w{number} ")).collect();
        let kept = of(&long).hashes.len();
        assert!((850..1_150).contains(&kept), "{kept}");
    }

    #[test]
    fn hostile_text_does_no_harm() {
        let emoji = "\u{1f600}\u{200d}";
        for text in [
            "\u{0}\u{1}",
            "é",
            " é",
            "é ",
            "\u{301}",
            "''",
            "...",
            "1.",
            ".1",
            "字",
            "x字x",
            emoji,
        ] {
            of(text);
            of(&text.repeat(50));
        }
    }
}
