//! Tells the language of a text: by its script where one language writes it, otherwise by a naive Bayes model of
//! words and character n-grams. A text in no supported language is `und`, which costs less than a wrong guess.
//!
//! The model also knows languages that are not supported, and asks how much of the text the best language explains.

use anyhow::{Context, Result, bail, ensure};

/// The answer for a text of no known language (BCP 47, RFC 5646 section 4.1).
pub const UNDETERMINED: &str = "und";

/// How many bytes of a text are looked at, in up to [`WINDOWS`] pieces spread over it. Five hundred letters settle
/// every pair of languages that the model has; the windows guard against a foreign quotation or a page header.
const SAMPLE_BYTES: usize = 720;
const WINDOWS: usize = 6;

/// When two windows, from the middle of the text and nearer to its end, are enough: so many features in words without a
/// capital, so far ahead of the second language (sixty nats are ten independent observations of e:1 each), and so many
/// times the share of known features that the language asks for.
const SETTLED_WINDOWS: usize = 2;
const SETTLED_FEATURES: u32 = 60;
const SETTLED_MARGIN: f32 = 60.0;
const SETTLED_KNOWN: f32 = 1.05;

/// A word longer than this is cut: it is an address, a hash or a chain of agglutinated suffixes.
const WORD_CHARS: usize = 24;

/// The file begins with these bytes; the last one counts versions.
const MAGIC: &[u8; 8] = b"grslang1";

/// A script that the model distinguishes: its ISO 15924 code and its ranges of code points.
type Script = (&'static str, &'static [(u32, u32)]);

/// Unicode blocks by script; Latin takes what no other range claims among alphabetic characters below U+0250.
const SCRIPTS: [Script; 26] = [
    (
        "Latn",
        &[
            (0x41, 0x5A),
            (0x61, 0x7A),
            (0xAA, 0xAA),
            (0xBA, 0xBA),
            (0xC0, 0x24F),
            (0x250, 0x2AF),
            (0x1E00, 0x1EFF),
        ],
    ),
    ("Cyrl", &[(0x400, 0x52F)]),
    (
        "Arab",
        &[
            (0x600, 0x6FF),
            (0x750, 0x77F),
            (0x8A0, 0x8FF),
            (0xFB50, 0xFDFF),
            (0xFE70, 0xFEFC),
        ],
    ),
    ("Ethi", &[(0x1200, 0x139F), (0x2D80, 0x2DDF), (0xAB00, 0xAB2F)]),
    ("Deva", &[(0x900, 0x97F)]),
    ("Hebr", &[(0x590, 0x5FF), (0xFB1D, 0xFB4F)]),
    (
        "Hani",
        &[
            (0x3400, 0x4DBF),
            (0x4E00, 0x9FFF),
            (0xF900, 0xFAFF),
            (0x20000, 0x2FA1F),
        ],
    ),
    ("Kana", &[(0x3040, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)]),
    ("Hang", &[(0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)]),
    ("Grek", &[(0x370, 0x3FF), (0x1F00, 0x1FFF)]),
    ("Armn", &[(0x530, 0x58F)]),
    ("Geor", &[(0x10A0, 0x10FF), (0x1C90, 0x1CBF)]),
    ("Thai", &[(0xE00, 0xE7F)]),
    ("Laoo", &[(0xE80, 0xEFF)]),
    ("Tibt", &[(0xF00, 0xFFF)]),
    ("Mymr", &[(0x1000, 0x109F)]),
    ("Khmr", &[(0x1780, 0x17FF)]),
    ("Beng", &[(0x980, 0x9FF)]),
    ("Guru", &[(0xA00, 0xA7F)]),
    ("Gujr", &[(0xA80, 0xAFF)]),
    ("Orya", &[(0xB00, 0xB7F)]),
    ("Taml", &[(0xB80, 0xBFF)]),
    ("Telu", &[(0xC00, 0xC7F)]),
    ("Knda", &[(0xC80, 0xCFF)]),
    ("Mlym", &[(0xD00, 0xD7F)]),
    ("Sinh", &[(0xD80, 0xDFF)]),
];

const LATIN: usize = 0;

/// The script of a letter or of a mark on one, as an index into [`SCRIPTS`].
fn script_of(c: char) -> Option<usize> {
    if c.is_ascii() {
        return c.is_ascii_alphabetic().then_some(LATIN);
    }
    let code = u32::from(c);
    if (0x300..=0x36F).contains(&code) {
        return Some(LATIN);
    }
    let index = SCRIPTS
        .iter()
        .position(|(_, ranges)| ranges.iter().any(|&(low, high)| (low..=high).contains(&code)))?;
    // Digits and punctuation of a script are no part of words.
    (c.is_alphabetic() || (0x900..0xE00).contains(&code)).then_some(index)
}

/// A language that the model knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub code: String,
    pub supported: bool,
    /// Index into [`SCRIPTS`].
    pub script: u8,
    /// The log probability ratio of a feature never seen in this language.
    pub unseen: f32,
    /// The share of a text's features that must be known from this language for it to be the answer.
    pub known_min: f32,
}

/// The identifier, loaded once and shared.
#[derive(Debug, Clone)]
pub struct Languages {
    labels: Vec<Label>,
    /// The language of a script that one language writes.
    by_script: [Option<String>; SCRIPTS.len()],
    /// An open hash table of features: the upper half of a feature by its slot, which the lower half leads to. Zero is
    /// empty. Two features that share both halves but for a few slots, one pair in a hundred thousand, are one.
    tags: Vec<u16>,
    /// By slot, the postings of the feature: the first one shifted by a byte, and how many there are.
    spans: Vec<u32>,
    /// A label and what the feature adds to its score, in steps of [`WEIGHT_STEPS`]. The tables are kept small since
    /// looking up a feature costs what fetching it costs.
    postings: Vec<(u8, u8)>,
}

/// More labels than this no model has.
const LABELS_MAX: usize = 128;

/// What the letters of a text say before the answer is drawn from it.
#[derive(Debug)]
struct Evidence {
    /// What the features found add to each label, in steps of [`WEIGHT_STEPS`].
    sums: [u32; LABELS_MAX],
    /// Features found.
    seen: u32,
    /// Features known from each label: in words without and with a capital.
    known: [[u32; LABELS_MAX]; 2],
    /// The features that were looked for, in the same parts.
    features: [u32; 2],
}

impl Evidence {
    fn none() -> Self {
        Self {
            sums: [0; LABELS_MAX],
            seen: 0,
            known: [[0; LABELS_MAX]; 2],
            features: [0; 2],
        }
    }

    /// The share of the text's features that a label knows, and how many were looked for. Capitalised words are
    /// mostly names, which are the same in all languages: they count only in headlines, where little else stands,
    /// and there for the label and not against it.
    fn known_share(&self, label: usize) -> (f32, u32) {
        let share = |known: u32, features: u32| (known as f32 / features.max(1) as f32, features);
        let plain = share(self.known[0][label], self.features[0]);
        if plain.1 >= HEADLINE_FEATURES {
            return plain;
        }
        let all = share(
            self.known[0][label] + self.known[1][label],
            self.features[0] + self.features[1],
        );
        if plain.1 >= HEADLINE_FEATURES / 3 && plain.0 > all.0 {
            plain
        } else {
            all
        }
    }
}

/// Fewer features than this outside of capitalised words, about six words, are too few to judge by alone.
const HEADLINE_FEATURES: u32 = 30;

impl Languages {
    /// Reads a model as `train language` writes it. Fails on a file of another kind or version, or a torn one.
    pub fn load(bytes: &[u8]) -> Result<Languages> {
        let mut reader = Reader { bytes };
        ensure!(
            reader.take(MAGIC.len())? == MAGIC,
            "this is no language model of the present version"
        );
        let mut labels = Vec::new();
        let count = reader.u32()? as usize;
        ensure!(count <= LABELS_MAX, "the model has too many labels");
        for _ in 0..count {
            labels.push(Label {
                code: reader.string()?,
                supported: reader.u8()? != 0,
                script: reader.u8()?,
                unseen: reader.f32()?,
                known_min: reader.f32()?,
            });
        }
        let mut by_script = [const { None }; SCRIPTS.len()];
        for _ in 0..reader.u32()? {
            let script = usize::from(reader.u8()?);
            let code = reader.string()?;
            *by_script.get_mut(script).context("a script out of range")? = Some(code);
        }
        let count = reader.u32()? as usize;
        ensure!(count <= reader.bytes.len(), "the model is cut short");
        let size = (count * 2).next_power_of_two();
        let mut languages = Languages {
            labels,
            by_script,
            tags: vec![0; size],
            spans: vec![0; size],
            postings: Vec::new(),
        };
        for _ in 0..count {
            let key = reader.u32()?;
            let length = reader.u8()?;
            let start = u32::try_from(languages.postings.len())?;
            for _ in 0..length {
                let label = reader.u8()?;
                ensure!(
                    usize::from(label) < languages.labels.len(),
                    "a posting of no label"
                );
                languages.postings.push((label, reader.u8()?));
            }
            let mut slot = key as usize & (size - 1);
            while languages.tags[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            ensure!(start < 1 << 24, "the model has too many postings");
            languages.tags[slot] = tag(key);
            languages.spans[slot] = start << 8 | u32::from(length);
        }
        Ok(languages)
    }

    /// The BCP 47 code of the language of `text` and how sure that is, from 0 to 1. `und` for texts without letters,
    /// in languages that are not supported, or too mixed to tell; its confidence is that of the refusal.
    pub fn detect(&self, text: &str) -> (&str, f32) {
        let sample = Sample::of(text);
        let Some(script) = sample.main_script() else {
            return (UNDETERMINED, 0.0);
        };
        if let Some(code) = &self.by_script[script] {
            return (code, sample.share(script));
        }
        let mut evidence = Evidence::none();
        for (number, window) in sample.windows.iter().enumerate() {
            self.add(&mut evidence, window, script);
            if number + 1 >= SETTLED_WINDOWS && self.is_settled(&evidence, script) {
                break;
            }
        }
        self.answer(&evidence, script)
    }

    /// Adds what the words of one script say.
    fn add(&self, evidence: &mut Evidence, window: &str, script: usize) {
        each_word(window, script, |word, capital| {
            let part = usize::from(capital);
            each_feature(word, |feature, order| {
                let counted = order == KNOWN_ORDER;
                evidence.features[part] += u32::from(counted);
                let Some(span) = self.find(feature) else {
                    return;
                };
                evidence.seen += 1;
                let known = &mut evidence.known[part];
                for &(label, weight) in span {
                    // Labels are below the limit, so that the rest changes nothing but spares a test.
                    let label = usize::from(label) % LABELS_MAX;
                    evidence.sums[label] += u32::from(weight);
                    known[label] += u32::from(counted);
                }
            });
        });
    }

    fn find(&self, feature: u32) -> Option<&[(u8, u8)]> {
        let mask = self.tags.len() - 1;
        let wanted = tag(feature);
        let mut slot = feature as usize & mask;
        loop {
            let found = self.tags[slot];
            if found == wanted {
                let span = self.spans[slot];
                let start = (span >> 8) as usize;
                return Some(&self.postings[start..start + (span & 0xFF) as usize]);
            }
            if found == 0 {
                return None;
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The score of a label: weights are stored above the floor of an unseen feature, which is added once for all.
    fn score(&self, evidence: &Evidence, label: usize) -> f32 {
        evidence.sums[label] as f32 / WEIGHT_STEPS + evidence.seen as f32 * self.labels[label].unseen
    }

    /// Whether more of the text would change nothing: the best language is a supported one, far ahead of the second,
    /// and the text's features are known from it well above its threshold.
    fn is_settled(&self, evidence: &Evidence, script: usize) -> bool {
        let Some((best, ahead)) = self.ranked(evidence, script) else {
            return false;
        };
        let label = &self.labels[best];
        let (known, features) = evidence.known_share(best);
        label.supported
            && features >= SETTLED_FEATURES
            && ahead >= SETTLED_MARGIN
            && known >= label.known_min * SETTLED_KNOWN
    }

    /// The best label of a script and by how much its score is ahead of the second's.
    fn ranked(&self, evidence: &Evidence, script: usize) -> Option<(usize, f32)> {
        let (mut best, mut second) = (None, f32::NEG_INFINITY);
        for label in (0..self.labels.len()).filter(|&l| usize::from(self.labels[l].script) == script) {
            let score = self.score(evidence, label);
            match best {
                Some((_, highest)) if score <= highest => second = second.max(score),
                _ => {
                    second = best.map_or(second, |(_, highest)| highest);
                    best = Some((label, score));
                }
            }
        }
        let (best, highest) = best?;
        Some((
            best,
            if second.is_finite() {
                highest - second
            } else {
                10.0
            },
        ))
    }

    fn answer(&self, evidence: &Evidence, script: usize) -> (&str, f32) {
        let Some((best, ahead)) = self.ranked(evidence, script) else {
            return (UNDETERMINED, 1.0);
        };
        let label = &self.labels[best];
        // Features of one word repeat each other; six of them are about one independent observation.
        let margin = ahead / 6.0;
        let sure = 1.0 / (1.0 + (-margin).exp());
        let (known, features) = evidence.known_share(best);
        if !label.supported {
            return (UNDETERMINED, sure);
        }
        let known_min = label.known_min * allowance(features);
        if known < known_min {
            return (UNDETERMINED, 1.0 - known / known_min);
        }
        (&label.code, sure)
    }

    /// The share of known features and the best label, for setting thresholds and reading errors.
    pub fn explain(&self, text: &str) -> Vec<(String, f32, f32)> {
        let sample = Sample::of(text);
        let Some(script) = sample.main_script() else {
            return Vec::new();
        };
        let mut evidence = Evidence::none();
        for window in &sample.windows {
            self.add(&mut evidence, window, script);
        }
        let mut rows = (0..self.labels.len())
            .filter(|&l| usize::from(self.labels[l].script) == script)
            .map(|l| {
                (
                    self.labels[l].code.clone(),
                    self.score(&evidence, l),
                    evidence.known_share(l).0,
                )
            })
            .collect::<Vec<_>>();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        rows
    }
}

/// The upper half of a feature, never zero.
fn tag(feature: u32) -> u16 {
    ((feature >> 16) as u16).max(1)
}

/// A short text may miss the mean by chance, so that its threshold is lower: two standard deviations of a share
/// near one half over `features` correlated observations.
fn allowance(features: u32) -> f32 {
    (1.0 - 3.0 / (features.max(1) as f32).sqrt()).clamp(0.4, 1.0)
}

/// Weights are stored in one byte, in steps of a sixteenth.
pub(crate) const WEIGHT_STEPS: f32 = 16.0;

// --- sampling ---------------------------------------------------------------------------------------------------

/// The pieces of a text that are looked at.
struct Sample<'a> {
    windows: Vec<&'a str>,
    letters: [u32; SCRIPTS.len()],
}

impl<'a> Sample<'a> {
    fn of(text: &'a str) -> Sample<'a> {
        let windows = if text.len() <= SAMPLE_BYTES {
            vec![text]
        } else {
            let length = SAMPLE_BYTES / WINDOWS;
            let last = text.len() - length;
            // The middle first: it is the least likely to be a header, a credit or a quotation.
            [2, 4, 1, 3, 0, 5]
                .map(|n| window(text, last * n / (WINDOWS - 1), length))
                .to_vec()
        };
        let mut letters = [0; SCRIPTS.len()];
        for window in &windows {
            if window.is_ascii() {
                let latin = window.bytes().filter(u8::is_ascii_alphabetic).count();
                letters[LATIN] += latin as u32;
                continue;
            }
            for script in window.chars().filter_map(script_of) {
                letters[script] += 1;
            }
        }
        Sample { windows, letters }
    }

    /// The script of most letters. Ideographs beside syllable letters are read with these: a text with a tenth of
    /// syllable letters is written in both.
    fn main_script(&self) -> Option<usize> {
        let (ideographs, syllables) = (6, 7);
        debug_assert!(SCRIPTS[ideographs].0 == "Hani" && SCRIPTS[syllables].0 == "Kana");
        let mut letters = self.letters;
        if letters[syllables] * 9 >= letters[ideographs] {
            letters[syllables] += std::mem::take(&mut letters[ideographs]);
        }
        // One ideograph or syllable says as much as three letters of an alphabet.
        for (script, count) in letters.iter_mut().enumerate() {
            *count *= if matches!(SCRIPTS[script].0, "Hani" | "Kana" | "Hang") {
                3
            } else {
                1
            };
        }
        let (script, &most) = letters
            .iter()
            .enumerate()
            .max_by_key(|&(n, count)| (*count, std::cmp::Reverse(n)))?;
        (most > 0).then_some(script)
    }

    fn share(&self, script: usize) -> f32 {
        let all = self.letters.iter().sum::<u32>().max(1);
        self.letters[script] as f32 / all as f32
    }
}

/// About `length` bytes from `start`, moved to the next space so that no word is cut.
fn window(text: &str, start: usize, length: usize) -> &str {
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    let start = if start == 0 { 0 } else { boundary(start) };
    let end = boundary((start + length).min(text.len()));
    let piece = &text[start..end];
    if start == 0 {
        return piece;
    }
    // A script without spaces is cut where it falls.
    match piece.bytes().take(60).position(|b| b == b' ' || b == b'\n') {
        Some(space) => &piece[space..],
        None => piece,
    }
}

// --- features ---------------------------------------------------------------------------------------------------

/// Calls `each` with every word of `script`, lower-cased, as characters with a space on either side, and whether it
/// began with a capital.
pub(crate) fn each_word(text: &str, script: usize, mut each: impl FnMut(&[char], bool)) {
    let mut word = ['\0'; WORD_CHARS + 2];
    word[0] = ' ';
    let mut length = 1;
    let mut capital = false;
    let mut chars = text.chars();
    loop {
        let next = chars.next();
        match next {
            Some(c) if c.is_ascii_lowercase() && script == LATIN => push(&mut word, &mut length, c),
            // Vowel signs and the lengthening stroke of Arabic are written or left out at will.
            Some('\u{640}' | '\u{64B}'..='\u{652}' | '\u{670}') if length > 1 => {}
            Some(c) if script_of(c) == Some(script) => {
                capital |= length == 1 && c.is_uppercase();
                c.to_lowercase().for_each(|c| push(&mut word, &mut length, c));
            }
            // Apostrophes belong to words: the letters on their sides are the short words of many languages.
            Some('\'' | '’' | 'ʼ' | '`') if length > 1 => push(&mut word, &mut length, '\''),
            _ => {
                if length > 1 && word[length - 1] == '\'' {
                    length -= 1;
                }
                if length > 1 {
                    word[length] = ' ';
                    each(&word[..=length], capital);
                }
                length = 1;
                capital = false;
                if next.is_none() {
                    return;
                }
            }
        }
    }
}

fn push(word: &mut [char; WORD_CHARS + 2], length: &mut usize, c: char) {
    if *length <= WORD_CHARS {
        word[*length] = c;
        *length += 1;
    }
}

/// The order whose features are counted for the share that is known: four letters tell languages apart and still
/// recur in unseen words.
pub(crate) const KNOWN_ORDER: usize = 4;
/// The order under which whole words are counted.
pub(crate) const WORD_ORDER: usize = 0;

/// Calls `each` with the hash and order of every feature of a word that has a space on either side: its n-grams of
/// three and four characters, its letters beyond ASCII, and the word itself. Zero is no feature. N-grams of two were
/// left out: nearly every language has nearly all of them, so that they cost half the time and told nothing.
pub(crate) fn each_feature(word: &[char], mut each: impl FnMut(u32, usize)) {
    for start in 0..word.len() - 1 {
        let mut hash = step(SEED, word[start]);
        if !word[start].is_ascii() {
            each(finish(hash), 1);
        }
        for order in 2..=KNOWN_ORDER.min(word.len() - start) {
            hash = step(hash, word[start + order - 1]);
            if order == 2 {
                continue;
            }
            // Short words have no n-gram of this order; the word with its spaces stands for it.
            let whole = order < KNOWN_ORDER && order == word.len();
            each(finish(hash), if whole { KNOWN_ORDER } else { order });
        }
    }
    let hash = word.iter().fold(SEED ^ 0x5bd1_e995, |hash, &c| step(hash, c));
    each(finish(hash), WORD_ORDER);
}

const SEED: u32 = 0x811c_9dc5;

/// FNV-1a over code points (Fowler, Noll, Vo).
fn step(hash: u32, c: char) -> u32 {
    (hash ^ u32::from(c)).wrapping_mul(0x0100_0193)
}

fn finish(hash: u32) -> u32 {
    let mixed = hash ^ (hash >> 15);
    mixed.wrapping_mul(0x2c1b_3c6d).max(1)
}

/// The index of a script by its ISO 15924 code.
pub(crate) fn script_named(code: &str) -> Option<usize> {
    SCRIPTS.iter().position(|(name, _)| *name == code)
}

/// The script most letters of a text are in.
pub(crate) fn script_of_text(text: &str) -> Option<usize> {
    let mut counts = [0u32; SCRIPTS.len()];
    text.chars()
        .filter_map(script_of)
        .for_each(|script| counts[script] += 1);
    (0..counts.len())
        .filter(|&n| counts[n] > 0)
        .max_by_key(|&n| counts[n])
}

// --- the file ---------------------------------------------------------------------------------------------------

/// Writes a model: labels, languages by script, and features with their postings, in the order given.
pub(crate) fn write_model(
    labels: &[Label],
    by_script: &[(u8, String)],
    features: &[(u32, Vec<(u8, u8)>)],
) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let string = |out: &mut Vec<u8>, s: &str| {
        out.extend(count(s.len()));
        out.extend(s.as_bytes());
    };
    out.extend(count(labels.len()));
    for label in labels {
        string(&mut out, &label.code);
        out.push(u8::from(label.supported));
        out.push(label.script);
        out.extend(label.unseen.to_le_bytes());
        out.extend(label.known_min.to_le_bytes());
    }
    out.extend(count(by_script.len()));
    for (script, code) in by_script {
        out.push(*script);
        string(&mut out, code);
    }
    out.extend(count(features.len()));
    for (key, postings) in features {
        out.extend(key.to_le_bytes());
        out.push(u8::try_from(postings.len()).unwrap_or(u8::MAX));
        for (label, weight) in postings.iter().take(usize::from(u8::MAX)) {
            out.extend([*label, *weight]);
        }
    }
    out
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, tail)) = self.bytes.split_at_checked(count) else {
            bail!("the model is cut short")
        };
        self.bytes = tail;
        Ok(head)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into()?))
    }

    fn f32(&mut self) -> Result<f32> {
        Ok(f32::from_le_bytes(self.take(4)?.try_into()?))
    }

    fn string(&mut self) -> Result<String> {
        let length = self.u32()? as usize;
        Ok(String::from_utf8(self.take(length)?.to_vec())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages() -> Languages {
        Languages::load(include_bytes!("../../knowledge/languages/identify.bin")).unwrap()
    }

    #[test]
    fn languages_are_told() {
        let languages = languages();
        let check = |text: &str, code: &str| assert_eq!(languages.detect(text).0, code, "{text}");
        check(
            "The army said that its soldiers were not in the area at the time.",
            "en",
        );
        check(
            "L'armée affirme que ses soldats n'étaient pas dans la région à ce moment-là.",
            "fr",
        );
        check(
            "El ejército afirma que sus soldados no estaban en la zona en ese momento.",
            "es",
        );
        check(
            "Армия утверждает, что её солдат в это время в этом районе не было.",
            "ru",
        );
        check("قال الجيش إن جنوده لم يكونوا في المنطقة في ذلك الوقت.", "ar");
        check(
            "Rundunar sojin ta ce dakarunta ba sa yankin a lokacin da lamarin ya faru.",
            "ha",
        );
        check(
            "Jeshi limesema kwamba wanajeshi wake hawakuwa katika eneo hilo wakati huo.",
            "sw",
        );
        check("육군은 당시 병사들이 그 지역에 없었다고 밝혔다.", "ko");
        check("陸軍は当時その地域に兵士はいなかったと述べた。", "ja");
        check("军方表示，当时士兵不在该地区。", "zh");
    }

    #[test]
    fn others_are_undetermined() {
        let languages = languages();
        let check = |text: &str| assert_eq!(languages.detect(text).0, UNDETERMINED, "{text}");
        check("");
        check("12345 — 67!");
        check("Armeija sanoi, että sen sotilaat eivät olleet alueella tuolloin, ja kiisti väitteet.");
        check("Ndị agha kwuru na ndị agha ha anọghị n'ebe ahụ n'oge ahụ.");
        check("Umkhosi uthe amajoni awo ebengekho kuloo ndawo ngelo xesha.");
    }

    #[test]
    fn torn_models_are_refused() {
        assert!(Languages::load(b"").is_err());
        let model = include_bytes!("../../knowledge/languages/identify.bin");
        assert!(Languages::load(&model[..model.len() / 2]).is_err());
    }

    #[test]
    fn any_text_is_answered() {
        let languages = languages();
        for text in [
            "'",
            "’’",
            "a",
            "ﷺ",
            "\u{301}",
            "क्",
            &"x".repeat(5000),
            &"日本 ".repeat(900),
            &"é\u{301} ".repeat(800),
        ] {
            languages.detect(text);
        }
    }
}
