//! What the network sees of a token: a fixed number of hashed features of its form, its case and the style of
//! its sentence. Nothing here depends on a language; which features have an embedding is learnt.
//!
//! Forms are normalized for features only: lower case, curly quotes and dashes to ASCII, digits to 0.

use crate::text::tokens::Token;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Number of features of a token. Feature 0 is the word, which falls back to a row for unknown words.
pub const TEMPLATES: usize = 12;

/// The template of the word itself.
pub const WORD: usize = 0;

/// A map from 32-bit keys to 32-bit values in one flat array with open addressing. Key 0 is never present.
#[derive(Clone, Debug, Default)]
pub struct Table {
    slots: Vec<(u32, u32)>,
}

impl Table {
    /// Builds a table of the given pairs; of pairs with one key the first is kept.
    pub fn new(pairs: impl ExactSizeIterator<Item = (u32, u32)>) -> Table {
        let size = (pairs.len() * 2 + 2).next_power_of_two();
        let mut slots = vec![(0, 0); size];
        for (key, value) in pairs {
            let mut at = key as usize & (size - 1);
            while slots[at].0 != 0 && slots[at].0 != key {
                at = (at + 1) & (size - 1);
            }
            if slots[at].0 == 0 {
                slots[at] = (key, value);
            }
        }
        Table { slots }
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: u32) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = key as usize & mask;
        // An empty table has no slots at all; a full one cannot be built.
        while let Some(&(found, value)) = self.slots.get(at) {
            if found == key {
                return (key != 0).then_some(value);
            }
            if found == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
        None
    }
}

/// How a sentence uses capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Capitals tell names from words.
    Plain = 0,
    /// Most words are capitalized, as in headlines.
    Title = 1,
    /// Most letters are capitals.
    Capitals = 2,
}

/// Buffers for `extract`.
#[derive(Default)]
pub struct Buffers {
    exact: Vec<u8>,
    lower: Vec<u8>,
    shape: Vec<u8>,
    ends: Vec<usize>,
}

/// Hash of a byte string under a template; never 0.
#[inline]
pub fn key(template: usize, bytes: &[u8]) -> u32 {
    ((xxh3_64_with_seed(bytes, template as u64) >> 32) as u32).max(1)
}

/// Appends `TEMPLATES` keys for every token of a sentence; 0 stands for an absent feature. `lexicon` maps
/// `lexicon_key` of a form to its class.
pub fn extract(
    text: &str,
    tokens: &[Token],
    lexicon: &Table,
    buffers: &mut Buffers,
    out: &mut Vec<[u32; TEMPLATES]>,
) {
    let style = style(text, tokens);
    let mut first = true;
    for token in tokens {
        let form = token.of(text);
        normalize(form, buffers);
        let mut keys = [0; TEMPLATES];
        keys[WORD] = key(WORD, &buffers.lower);
        if buffers.exact != buffers.lower && style != Style::Capitals {
            keys[1] = key(1, &buffers.exact);
        }
        let letters = buffers.ends.len() - 1;
        for length in 1..=4 {
            if letters > length {
                keys[1 + length] = key(1 + length, &buffers.lower[buffers.ends[letters - length]..]);
            }
        }
        for length in 2..=4 {
            if letters > length {
                keys[4 + length] = key(4 + length, &buffers.lower[..buffers.ends[length]]);
            }
        }
        buffers
            .shape
            .extend([b'0' + style as u8, if first { b'^' } else { b'.' }]);
        keys[9] = key(9, &buffers.shape);
        keys[10] = lexicon
            .get(key(10, &buffers.exact))
            .or_else(|| lexicon.get(key(10, &buffers.lower)))
            .map_or(0, |class| key(11, &class.to_le_bytes()));
        keys[11] = key(12, &[letters.min(12) as u8, style as u8]);
        // An opening quotation mark leaves the next word first.
        first = first && !form.chars().any(char::is_alphanumeric);
        out.push(keys);
    }
}

/// The key of a form in the lexicon table.
pub fn lexicon_key(form: &str) -> u32 {
    let mut buffers = Buffers::default();
    normalize(form, &mut buffers);
    key(10, &buffers.exact)
}

/// The form in lower case and otherwise normalized, as the word feature sees it.
pub fn normalized(form: &str) -> String {
    let mut buffers = Buffers::default();
    normalize(form, &mut buffers);
    String::from_utf8_lossy(&buffers.lower).into_owned()
}

/// Adds the class of a letter, digit or mark to the shape of a word, runs cut to two.
pub(super) fn push_shape(letter: char, shape: &mut Vec<u8>) {
    let class = match letter {
        '0'..='9' => b'0',
        _ if letter.is_uppercase() => b'X',
        _ if letter.is_alphabetic() => b'x',
        _ if letter.is_ascii() => letter as u8,
        _ => b'?',
    };
    if shape.len() < 2 || shape[shape.len() - 2..] != [class, class] {
        shape.push(class);
    }
}

/// Fills the buffers: normalized form with and without case, ends of its letters, shape with runs cut to two.
fn normalize(form: &str, buffers: &mut Buffers) {
    let Buffers {
        exact,
        lower,
        shape,
        ends,
    } = buffers;
    exact.clear();
    lower.clear();
    shape.clear();
    ends.clear();
    ends.push(0);
    let mut utf8 = [0; 4];
    for letter in form.chars() {
        let letter = match letter {
            '0'..='9' => '0',
            '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}' | '\u{2032}' | '`' => '\'',
            '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            other => other,
        };
        exact.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
        for small in letter.to_lowercase() {
            lower.extend_from_slice(small.encode_utf8(&mut utf8).as_bytes());
        }
        ends.push(lower.len());
        push_shape(letter, shape);
    }
}

/// Judges the style of a sentence from its words of four letters and more: short words stay small in titles too.
pub fn style(text: &str, tokens: &[Token]) -> Style {
    let (mut words, mut capitalized, mut capitals) = (0, 0, 0);
    for token in tokens {
        let form = token.of(text);
        let mut letters = form.chars();
        let Some(initial) = letters.next().filter(|c| c.is_alphabetic()) else {
            continue;
        };
        if form.len() < 4 {
            continue;
        }
        words += 1;
        if initial.is_uppercase() {
            capitalized += 1;
            capitals += usize::from(letters.all(|c| !c.is_lowercase()));
        }
    }
    // Three in four, and three words at least, so that a short list of names is no headline.
    if words >= 3 && capitals * 4 >= words * 3 {
        Style::Capitals
    } else if words >= 3 && capitalized * 4 >= words * 3 {
        Style::Title
    } else {
        Style::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    fn check_style(text: &str, expected: Style) {
        let tokens = tokens::spaced(text);
        assert_eq!(style(text, &tokens), expected, "{text}");
    }

    #[test]
    fn styles() {
        check_style("Troops leave the island after talks", Style::Plain);
        check_style("Troops Leave the Island After Talks", Style::Title);
        check_style("TROOPS LEAVE THE ISLAND", Style::Capitals);
    }

    #[test]
    fn tables_answer_and_stay_silent() {
        let table = Table::new([(3, 7), (u32::MAX, 9), (3, 8)].into_iter());
        assert_eq!(
            (table.get(3), table.get(u32::MAX), table.get(5), table.get(0)),
            (Some(7), Some(9), None, None)
        );
        assert_eq!(Table::default().get(3), None);
    }
}
