//! Repairs what transport and typesetting did to a text: mojibake, stray control characters, doubly escaped
//! entities, ligatures, invisible characters, decomposed letters, hard-wrapped lines, trailing spaces.
//!
//! Each repair needs evidence over the whole text, so that a page *about* mojibake or ligatures stays as it is.
//! Curly quotes, dashes and no-break spaces are the author's and are kept.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A text and the names of the repairs it needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired<'a> {
    /// The repaired text; borrowed when nothing was done.
    pub text: Cow<'a, str>,
    /// Short names in the order of the work, a subset of [`REPAIRS`]; empty when nothing was done.
    pub repairs: Vec<&'static str>,
}

type Repair = fn(&str) -> Option<String>;

/// Every repair in the order of the work: its name and the function, which gives the new text if it changed.
/// Characters come first, since lines are judged by their final length.
pub const REPAIRS: [(&str, Repair); 9] = [
    ("mojibake", mojibake),
    ("entities", entities),
    ("control_characters", control_characters),
    ("invisible_characters", invisible_characters),
    ("soft_hyphens", soft_hyphens),
    ("ligatures", ligatures),
    ("composition", composition),
    ("trailing_spaces", trailing_spaces),
    ("wrapped_lines", wrapped_lines),
];

/// Repairs a title or a whole text.
///
/// ```
/// # use garrison::normalize::repair::repair;
/// let repaired = repair("They donâ€™t want â€œforeignâ€\u{9d} troops.");
/// assert_eq!(repaired.text, "They don’t want “foreign” troops.");
/// assert_eq!(repaired.repairs, ["mojibake"]);
/// ```
pub fn repair(text: &str) -> Repaired<'_> {
    let mut repaired = Repaired {
        text: Cow::Borrowed(text),
        repairs: Vec::new(),
    };
    if !suspicious(text) {
        return repaired;
    }
    for (name, apply) in REPAIRS {
        if let Some(changed) = apply(&repaired.text) {
            repaired.text = Cow::Owned(changed);
            repaired.repairs.push(name);
        }
    }
    repaired
}

// What a byte can mean for the scan below.
const PLAIN: u8 = 0;
const LINE: u8 = 1;
const LOOK: u8 = 2;

/// The classes of bytes: almost every byte of a clean text is plain.
const CLASSES: [u8; 256] = {
    let mut classes = [PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x20 || byte == 0x7F || byte == b'&' as usize || byte >= 0xC2 {
            classes[byte] = LOOK;
        }
        byte += 1;
    }
    classes[b'\n' as usize] = LINE;
    classes[b'\t' as usize] = LINE;
    classes
};

/// Whether any repair could have something to do: one pass over the bytes which almost all texts leave by the
/// cheap way out.
fn suspicious(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Sixty-four bytes at a time the compiler tests without branches; only chunks with something in them are
    // read byte by byte.
    let mut start = 0;
    let mut wide = false;
    for chunk in bytes.chunks(64) {
        let mut found = false;
        for &byte in chunk {
            found |= (byte < 0x20) | (byte == b'&') | (byte >= 0x7F);
        }
        if found {
            for (at, &byte) in chunk.iter().enumerate() {
                if CLASSES[usize::from(byte)] == LOOK && suspicious_at(bytes, start + at, &mut wide) {
                    return true;
                }
            }
        }
        start += chunk.len();
    }
    (wide && is_nfc_quick(text.chars()) != IsNormalized::Yes) || suspicious_lines(text)
}

/// Judges a byte that is not plain. Sets `wide` when a character stands there that may take part in composition.
fn suspicious_at(bytes: &[u8], at: usize, wide: &mut bool) -> bool {
    let second = bytes.get(at + 1).copied().unwrap_or(0);
    let third = bytes.get(at + 2).copied().unwrap_or(0);
    match bytes[at] {
        b'&' => second == b'#' || (second.is_ascii_alphabetic() && looks_like_entity(&bytes[at..])),
        0..0x20 | 0x7F => true,
        // C1 controls and the soft hyphen; `Â` and `Ã` are where mojibake of two-byte characters begins.
        0xC2 => second < 0xA0 || second == 0xAD,
        // `Ã`, `Â`, `â`, `Ð`, `Ñ`, `Ø`, `Ù`, `ï`, `å` and their like before another character of the upper half.
        0xC3 => bytes.get(at + 2).is_some_and(|&b| b >= 0xC2) || (matches!(second, 0x82 | 0x83)),
        0xD0 | 0xD1 => bytes.get(at + 2).is_some_and(|&b| b == 0xC2 || b == 0xE2),
        0xC4..=0xCB => false,
        // Combining marks; and every script that has them.
        0xCC..=0xDF => {
            *wide = true;
            false
        }
        0xE2 => match second {
            0x80 => matches!(third, 0x8B..=0x8F | 0xA8..=0xAE),
            0x81 => (0xA0..=0xAF).contains(&third),
            _ => false,
        },
        0xEF => {
            *wide = true;
            (second == 0xBB && third == 0xBF) || (second == 0xAC && third <= 0x86)
        }
        0xE0..=0xEE => {
            *wide = true;
            false
        }
        0xF0..=0xF4 => {
            *wide = true;
            false
        }
        _ => false,
    }
}

/// Whether lines end in spaces or may be hard-wrapped.
fn suspicious_lines(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut single = 0;
    let mut previous = usize::MAX;
    for at in memchr::memchr_iter(b'\n', bytes) {
        if at > 0 && is_blank(bytes[at - 1]) {
            return true;
        }
        let empty_before = at == 0 || bytes[at - 1] == b'\n';
        let empty_after = bytes.get(at + 1).is_none_or(|&b| b == b'\n');
        let length = if previous == usize::MAX {
            at
        } else {
            at - previous - 1
        };
        if !empty_before && !empty_after && (WRAP_MIN..=4 * WRAP_MAX).contains(&length) {
            single += 1;
        }
        previous = at;
    }
    single >= WRAPS_MIN || bytes.last().is_some_and(|&b| is_blank(b) || b == b'\n')
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

// --- mojibake ---------------------------------------------------------------------------------------------------

/// The characters that windows-1252 puts at 0x80 to 0x9F, zero where it has none (WHATWG index windows-1252).
const CP1252: [u16; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0, 0x017E, 0x0178,
];

/// The byte a character was before it was read as windows-1252 or latin-1 (whose C1 controls windows-1252 lets
/// through where it is undefined).
fn cp1252_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0..=0xFF => u8::try_from(code).ok(),
        code => (0u8..32)
            .find(|&i| u32::from(CP1252[usize::from(i)]) == code)
            .map(|i| 0x80 + i),
    }
}

/// The byte a character was before it was read as windows-1251.
fn cp1251_byte(c: char) -> Option<u8> {
    if c.is_ascii() {
        return u8::try_from(u32::from(c)).ok();
    }
    let mut buffer = [0u8; 4];
    let (bytes, _, failed) = encoding_rs::WINDOWS_1251.encode(c.encode_utf8(&mut buffer));
    if !failed && bytes.len() == 1 {
        bytes.first().copied()
    } else {
        None
    }
}

/// What a pass over the text found out about it as a misread one.
#[derive(Default)]
struct MojibakeEvidence {
    /// Characters that decode, each a sequence of two to four.
    sequences: usize,
    /// Runs of such sequences that touch a letter or are four sequences long: in running words.
    in_words: usize,
    /// Runs that stand between spaces or quotes, as examples do and as dashes do.
    alone: usize,
    /// Characters beyond ASCII that do not take part.
    contrary: usize,
}

/// Undoes UTF-8 that was read as windows-1252, latin-1 or windows-1251, up to twice.
fn mojibake(text: &str) -> Option<String> {
    // A misread sequence begins with one of `Â` to `ô`, or of the Cyrillic letters at their places: without the bytes
    // these begin with there is nothing to look for.
    let bytes = text.as_bytes();
    let western = memchr::memchr(0xC3, bytes).is_some();
    let cyrillic = memchr::memchr2(0xD0, 0xD1, bytes).is_some();
    let readings = [
        (western, cp1252_byte as fn(char) -> Option<u8>),
        (cyrillic, cp1251_byte),
    ];
    for (_, byte_of) in readings.into_iter().filter(|(is_possible, _)| *is_possible) {
        let mut current = Cow::Borrowed(text);
        for _ in 0..2 {
            match undo_reading(&current, byte_of) {
                Some(undone) => current = Cow::Owned(undone),
                None => break,
            }
        }
        if let Cow::Owned(undone) = current {
            return Some(lost_bytes(&undone));
        }
    }
    misread_controls(text)
}

/// Undoes single sequences that contain a C1 control: no author writes one, so that these need no further evidence.
fn misread_controls(text: &str) -> Option<String> {
    let is_control = |c: char| matches!(c, '\u{80}'..='\u{9f}');
    if !has_controls_beyond_ascii(text) {
        return None;
    }
    let mut undone = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match misread_character(rest, cp1252_byte) {
            Some((decoded, length)) if !c.is_ascii() && rest[..length].contains(is_control) => {
                undone.push(decoded);
                rest = &rest[length..];
            }
            _ => {
                undone.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    (undone.len() != text.len()).then_some(undone)
}

/// Whether a C1 control (U+0080 to U+009F, two bytes of which the first is 0xC2) stands in a text.
fn has_controls_beyond_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(0xC2, bytes).any(|at| bytes.get(at + 1).is_some_and(|&second| second < 0xA0))
}

fn undo_reading(text: &str, byte_of: fn(char) -> Option<u8>) -> Option<String> {
    let mut undone = String::with_capacity(text.len());
    let mut evidence = MojibakeEvidence::default();
    let mut rest = text;
    let mut before = ' ';
    // How many sequences the run has that ends here, and the character before it.
    let (mut run, mut run_before) = (0usize, ' ');
    while let Some(c) = rest.chars().next() {
        if !c.is_ascii()
            && let Some((decoded, length)) = misread_character(rest, byte_of)
        {
            if run == 0 {
                run_before = before;
            }
            run += 1;
            evidence.sequences += 1;
            undone.push(decoded);
            rest = &rest[length..];
            before = decoded;
            continue;
        }
        if run > 0 {
            close_run(&mut evidence, run, run_before, c);
            run = 0;
        }
        if rest.starts_with(LOST_QUOTE) {
            // What is left of a quotation mark whose last byte was lost says nothing against.
            undone.push_str(LOST_QUOTE);
            rest = &rest[LOST_QUOTE.len()..];
            before = ' ';
            continue;
        }
        evidence.contrary += usize::from(!c.is_ascii() && c != '\u{a0}' && c != '\u{FFFD}');
        undone.push(c);
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    if run > 0 {
        close_run(&mut evidence, run, run_before, ' ');
    }
    convincing(&evidence).then_some(undone)
}

fn close_run(evidence: &mut MojibakeEvidence, run: usize, before: char, after: char) {
    if run >= 4 || before.is_alphanumeric() || after.is_alphanumeric() {
        evidence.in_words += 1;
    } else {
        evidence.alone += 1;
    }
}

/// Misread text is misread throughout: nearly no other characters beyond ASCII, and runs inside words. A page that
/// discusses mojibake shows its examples alone, beside correct quotes and letters.
fn convincing(evidence: &MojibakeEvidence) -> bool {
    evidence.sequences > 0
        && evidence.contrary * 10 <= evidence.sequences
        && evidence.alone <= evidence.in_words
}

/// The character whose UTF-8 bytes were read as the characters that `text` begins with, and how many bytes of
/// `text` those take. Only sequences of two or more; overlong forms and surrogates are refused.
fn misread_character(text: &str, byte_of: fn(char) -> Option<u8>) -> Option<(char, usize)> {
    let mut bytes = [0u8; 4];
    let mut used = 0;
    let mut wanted = 1;
    for (n, c) in text.chars().take(4).enumerate() {
        let byte = byte_of(c)?;
        if n == 0 {
            wanted = match byte {
                0xC2..=0xDF => 2,
                0xE0..=0xEF => 3,
                0xF0..=0xF4 => 4,
                _ => return None,
            };
        }
        bytes[n] = byte;
        used += c.len_utf8();
        if n + 1 == wanted {
            let decoded = std::str::from_utf8(&bytes[..wanted]).ok()?.chars().next()?;
            return Some((decoded, used));
        }
    }
    None
}

/// The first two bytes of a quotation mark or dash, as they are misread.
const LOST_QUOTE: &str = "â€";

/// In a text known to have been misread, restores what lost a byte on the way: the right double quote, whose last
/// byte windows-1252 does not define, and `à`, whose second byte became a space.
fn lost_bytes(text: &str) -> String {
    let mut restored = text.replace("â€\u{FFFD}", "”").replace(LOST_QUOTE, "”");
    if restored.contains("Ã ") {
        restored = restored.replace("Ã  ", "à ").replace("Ã ", "à ");
    }
    restored
}

// --- entities ---------------------------------------------------------------------------------------------------

/// The entities that doubly escaped pages show; the names are those of HTML 4.
const ENTITIES: [(&str, &str); 26] = [
    ("amp", "&"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", "\u{a0}"),
    ("rsquo", "’"),
    ("lsquo", "‘"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("ecirc", "ê"),
    ("agrave", "à"),
    ("acirc", "â"),
    ("ccedil", "ç"),
    ("aacute", "á"),
    ("iacute", "í"),
    ("oacute", "ó"),
    ("uacute", "ú"),
    ("ntilde", "ñ"),
    ("ouml", "ö"),
    ("uuml", "ü"),
];

fn looks_like_entity(bytes: &[u8]) -> bool {
    memchr::memchr(b';', &bytes[..bytes.len().min(10)]).is_some()
}

/// Reads an entity at the start of `text`: its characters and its length in bytes.
fn entity(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let head = text.as_bytes();
    let end = memchr::memchr(b';', &head[..head.len().min(10)])?;
    let name = text.get(1..end)?;
    let value = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        // Browsers read 0x80 to 0x9F as windows-1252 (HTML standard, numeric character reference end state).
        let code = match code {
            0x80..=0x9F => u32::from(CP1252[code as usize - 0x80]),
            other => other,
        };
        let c = char::from_u32(code).filter(|c| !c.is_control() && *c != '<' && *c != '>')?;
        Cow::Owned(c.to_string())
    } else {
        Cow::Borrowed(ENTITIES.iter().find(|(known, _)| *known == name)?.1)
    };
    Some((value, end + 1))
}

/// Decodes entities left in a text that was escaped twice. Then every ampersand of the text begins one; a text
/// with a bare ampersand, an escaped or plain angle bracket, or the word HTML is about markup or was never escaped.
fn entities(text: &str) -> Option<String> {
    let mut at = memchr::memchr(b'&', text.as_bytes())?;
    if text.contains(['<', '>']) || text.contains("HTML") {
        return None;
    }
    let mut decoded = String::with_capacity(text.len());
    let mut copied = 0;
    loop {
        let (value, length) = entity(&text[at..])?;
        decoded.push_str(&text[copied..at]);
        decoded.push_str(&value);
        copied = at + length;
        match memchr::memchr(b'&', &text.as_bytes()[copied..]) {
            Some(next) => at = copied + next,
            None => break,
        }
    }
    decoded.push_str(&text[copied..]);
    Some(decoded)
}

// --- characters -------------------------------------------------------------------------------------------------

/// Maps the C1 controls that are windows-1252 punctuation, makes line ends `\n`, drops other controls.
fn control_characters(text: &str) -> Option<String> {
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_bad_byte = |byte: u8| (byte < 0x20) & (byte != b'\n') & (byte != b'\t') | (byte == 0x7F);
    // Without a branch inside a chunk the compiler tests many bytes at once.
    let in_chunk = |chunk: &[u8]| chunk.iter().fold(false, |found, &byte| found | is_bad_byte(byte));
    let found = text.as_bytes().chunks(64).any(in_chunk) || has_controls_beyond_ascii(text);
    found.then(|| {
        let mut clean = String::with_capacity(text.len());
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' => {
                    if chars.peek() != Some(&'\n') {
                        clean.push('\n');
                    }
                }
                // The form feed ends a page of plain text, the vertical tab a line.
                '\u{b}' | '\u{c}' => clean.push('\n'),
                '\u{80}'..='\u{9f}' => {
                    let mapped = CP1252[u32::from(c) as usize - 0x80];
                    clean.extend(char::from_u32(u32::from(mapped)).filter(|_| mapped != 0));
                }
                c if is_bad(c) => {}
                c => clean.push(c),
            }
        }
        clean
    })
}

/// Drops zero-width characters, except joiners inside emoji and in the scripts whose spelling needs them, word
/// breaks in scripts written without spaces, and direction marks in texts that run both ways.
fn invisible_characters(text: &str) -> Option<String> {
    // All of them are three bytes long and begin with one of two.
    if memchr::memchr2(0xE2, 0xEF, text.as_bytes()).is_none() || !text.contains(is_invisible) {
        return None;
    }
    let right_to_left = text
        .chars()
        .any(|c| matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'));
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        let keep = !is_invisible(c) || {
            let after = chars.peek().copied().unwrap_or(' ');
            match c {
                '\u{200C}' => joins_letters(before) && joins_letters(after),
                '\u{200D}' => (joins_letters(before)) || (in_emoji(before) && in_emoji(after)),
                '\u{200B}' => unspaced_script(before) && unspaced_script(after),
                '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => right_to_left,
                _ => false,
            }
        };
        if keep {
            clean.push(c);
            before = c;
        } else if matches!(c, '\u{2028}' | '\u{2029}') {
            // The separators of lines and paragraphs are line ends.
            clean.push('\n');
            before = '\n';
        }
    }
    (clean.len() != text.len()).then_some(clean)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Arabic, Syriac, the scripts of India, Sinhala, Tibetan, Mongolian and Khmer join or part letters by joiners.
fn joins_letters(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{7BF}' | '\u{840}'..='\u{DFF}' | '\u{F00}'..='\u{FFF}' | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{18AF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}

fn in_emoji(c: char) -> bool {
    matches!(c, '\u{FE0F}' | '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' | '\u{E0020}'..='\u{E007F}')
}

/// Thai, Lao, Burmese and Khmer mark word breaks by the zero-width space.
fn unspaced_script(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}

/// Drops soft hyphens, and with them the line end they were used at.
fn soft_hyphens(text: &str) -> Option<String> {
    text.contains('\u{AD}')
        .then(|| text.replace("\u{AD}\n", "").replace('\u{AD}', ""))
}

/// Takes Latin ligatures apart. In running text they stand in words; one that stands alone is being talked about.
fn ligatures(text: &str) -> Option<String> {
    let is_ligature = |c: char| matches!(c, '\u{FB00}'..='\u{FB06}');
    memchr::memmem::find(text.as_bytes(), b"\xEF\xAC")?;
    let mut parted = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let (mut before, mut found) = (' ', false);
    while let Some(c) = chars.next() {
        if is_ligature(c) {
            if !before.is_alphabetic() && !chars.peek().is_some_and(|next| next.is_alphabetic()) {
                return None;
            }
            found = true;
            parted.extend(std::iter::once(c).nfkc());
        } else {
            parted.push(c);
        }
        before = c;
    }
    found.then_some(parted)
}

/// Composes letters and marks (Unicode normalization form C, UAX #15).
fn composition(text: &str) -> Option<String> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed = text.nfc().collect::<String>();
    (composed != text).then_some(composed)
}

// --- lines ------------------------------------------------------------------------------------------------------

fn trailing_spaces(text: &str) -> Option<String> {
    let trimmed_end = text.trim_end();
    let inner = [" \n", "\t\n"].iter().any(|ending| trimmed_end.contains(ending));
    if !inner {
        return (trimmed_end.len() != text.len()).then(|| trimmed_end.to_string());
    }
    let mut clean = String::with_capacity(trimmed_end.len());
    let mut copied = 0;
    for end in memchr::memchr_iter(b'\n', trimmed_end.as_bytes()) {
        clean.push_str(trimmed_end[copied..end].trim_end_matches([' ', '\t']));
        copied = end;
    }
    clean.push_str(&trimmed_end[copied..]);
    Some(clean)
}

/// Plain text was wrapped at 60 to 80 columns by mail, wires and editors; with tolerance on both sides. Lines
/// longer than this are paragraphs, shorter ones verses or lists.
const WRAP_MIN: usize = 40;
const WRAP_MAX: usize = 100;
/// Fewer line ends than this prove nothing.
const WRAPS_MIN: usize = 3;
/// How many characters a line may fall short of the width although the next word would have fitted: lines wrapped
/// by hand are ragged.
const WRAP_SLACK: usize = 4;

/// The width in characters that a text was hard-wrapped to, or none if its lines are paragraphs. In wrapped text a
/// line ends where the next word did not fit; a line end that fits no such width is a paragraph's.
pub fn wrap_width(text: &str) -> Option<usize> {
    if memchr::memchr(b'\n', text.as_bytes()).is_none()
        || memchr::memchr_iter(b'\n', text.as_bytes()).count() < WRAPS_MIN
    {
        return None;
    }
    let mut width = 0;
    // Length of each line that is followed by another, with the first word of that and how the line ended.
    let mut ends = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let length = line.trim_end().chars().count();
        if length > 2 * WRAP_MAX {
            return None;
        }
        width = width.max(length);
        if let Some(next) = lines.peek()
            && length > 0
            && !next.trim().is_empty()
        {
            let word = next.split_whitespace().next().map_or(0, |w| w.chars().count());
            let stopped = line
                .trim_end()
                .ends_with(['.', '!', '?', '"', '”', '»', ':', '؟', '।', '።', '۔']);
            ends.push((length, word, stopped));
        }
    }
    if !(WRAP_MIN..=WRAP_MAX).contains(&width) || ends.len() < WRAPS_MIN {
        return None;
    }
    let full = ends
        .iter()
        .filter(|(length, word, _)| length + 1 + word + WRAP_SLACK > width)
        .count();
    let open = ends.iter().filter(|(_, _, stopped)| !stopped).count();
    // Four in five line ends are forced ones, and most fall inside a sentence.
    (full * 5 >= ends.len() * 4 && open * 2 >= ends.len()).then_some(width)
}

/// True if a line at `width` was broken before `next` because its first word no longer fitted.
pub fn breaks_at_width(line: &str, next: &str, width: usize) -> bool {
    let word = next.split_whitespace().next().map_or(0, |w| w.chars().count());
    line.trim_end().chars().count() + 1 + word + WRAP_SLACK > width
}

/// True if a line begins as the item of a list: a bullet, or a number or letter with a bracket or stop.
pub fn starts_item(line: &str) -> bool {
    let line = line.trim_start();
    let Some(first) = line.chars().next() else {
        return false;
    };
    let after = line[first.len_utf8()..].chars().next();
    if "•◦▪▸►‣⁃●○■·∙*–—-".contains(first) {
        return after.is_some_and(|c| c == ' ' || c == '\t')
            || (first != '-' && first != '*' && !"–—".contains(first));
    }
    let label = line.trim_start_matches('(');
    let digits = label.chars().take_while(|c| c.is_numeric()).count();
    let body = if (1..=3).contains(&digits) {
        label.trim_start_matches(char::is_numeric)
    } else if label.chars().next().is_some_and(|c| c.is_ascii_alphabetic()) {
        &label[1..]
    } else {
        return false;
    };
    let rest = body.trim_start_matches(['.', ')']);
    rest.len() < body.len()
        && rest.starts_with([' ', '\t'])
        && (digits > 0 || !body.starts_with(". ") || first.is_lowercase())
}

/// Joins hard-wrapped lines. Blank lines, indented lines and list items begin a new paragraph, and so does a line
/// after one that had room left.
fn wrapped_lines(text: &str) -> Option<String> {
    let width = wrap_width(text)?;
    let mut joined = String::with_capacity(text.len());
    let mut previous: Option<&str> = None;
    for line in text.lines() {
        if let Some(before) = previous {
            let joins = !before.trim().is_empty()
                && !line.trim().is_empty()
                && !line.starts_with(['\t', ' '])
                && !starts_item(line)
                && breaks_at_width(before, line, width);
            if !joins {
                joined.push('\n');
            } else if !hyphenated(before, line) {
                joined.push(' ');
            }
        }
        joined.push_str(line);
        previous = Some(line);
    }
    (joined != text).then_some(joined)
}

/// A hyphen between letters at a line end stays with its word; which hyphens the wrapping added cannot be known.
fn hyphenated(line: &str, next: &str) -> bool {
    line.strip_suffix('-')
        .is_some_and(|word| word.ends_with(char::is_alphabetic))
        && next.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, repairs: &[&str]) {
        let repaired = repair(text);
        assert_eq!((&*repaired.text, &*repaired.repairs), (expected, repairs));
        let again = repair(expected);
        assert_eq!(again.text, expected, "a repaired text needs no repair");
    }

    fn untouched(text: &str) {
        let repaired = repair(text);
        assert_eq!((&*repaired.text, repaired.repairs.len()), (text, 0));
        assert!(matches!(repaired.text, Cow::Borrowed(_)));
    }

    fn misread(text: &str) -> String {
        encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(text.as_bytes())
            .0
            .into_owned()
    }

    #[test]
    fn mojibake_is_undone() {
        for text in [
            "The minister said they don’t need “advisers” — not now.",
            "L’armée française a quitté le pays à la fin de l’été.",
            "Войска покинут страну до конца года.",
            "القوات ستغادر البلاد قريبا.",
            "Çok sayıda asker bölgeye gönderildi.",
        ] {
            check(&misread(text), text, &["mojibake"]);
            check(&misread(&misread(text)), text, &["mojibake"]);
        }
        check(
            "It's â€œfineâ€ he said. The manâ€™s dogs.",
            "It's “fine” he said. The man’s dogs.",
            &["mojibake"],
        );
        check(
            "“Real” quotes, and a captureâ\u{80}\u{94}even here.",
            "“Real” quotes, and a capture—even here.",
            &["mojibake"],
        );
        let russian = "Войска покинут страну до конца года.";
        let misread = encoding_rs::WINDOWS_1251
            .decode_without_bom_handling(russian.as_bytes())
            .0;
        check(&misread, russian, &["mojibake"]);
    }

    #[test]
    fn texts_about_mojibake_stay() {
        untouched("When you see “â€™” in a page, it was an apostrophe: ’. The “â€œ” was a quote.");
        untouched("The sequence â€™ is what an apostrophe becomes when UTF-8 is read as cp1252.");
        untouched("The letter Ã is common in Portuguese: SÃO PAULO, AÇÃO, NÃO.");
        untouched("Ação, coração, não — tudo em português. Às vezes, à noite. DÂMASO Â volta.");
    }

    #[test]
    fn clean_texts_stay() {
        untouched("");
        untouched("Plain text.\n\nTwo paragraphs; AT&T and R&D are names. Q&A;");
        untouched("“Curly quotes” aren’t touched — nor are dashes…");
        untouched("Der Ärger über „Größe“ und Ähnliches – naïve Façade, Ünal, Ø, Ðóra, Ñandú.");
        untouched("Hà Nội và Đà Nẵng là hai thành phố lớn của Việt Nam.");
        untouched("Çîroka wî û Êzidî; İstanbul’da Şîrîn.");
        untouched("ÀÉÎÕÜ «À» ‘È’");
        untouched("L’été dernier, à Gao : « c’est fini », a dit le général.");
        untouched("Первое предложение. Второе – с тире.");
        untouched("می‌خواهم به خانه بروم.");
        untouched("A family 👨‍👩‍👧 and a flag 🏳️‍🌈.");
        untouched("क्‍ष and শ্রীলঙ্কা");
        untouched("قال الوزير \u{202a}2014\u{202c} إن");
        untouched("One line.\nAnother line, a paragraph of its own.\nA third one here.");
    }

    #[test]
    fn entities_are_decoded() {
        check(
            "Ben &amp; Jerry&#39;s isn&rsquo;t here",
            "Ben & Jerry's isn’t here",
            &["entities"],
        );
        check("It&#8217;s over&#8230;", "It’s over…", &["entities"]);
        untouched("Write &lt;b&gt; and &amp; in a page");
        untouched("In HTML the entity &amp; stands for an ampersand.");
        untouched("R & D, written &amp; in source");
    }

    #[test]
    fn characters_are_cleaned() {
        check(
            "don\u{92}t \u{93}go\u{94}\r\nnow",
            "don’t “go”\nnow",
            &["control_characters"],
        );
        check(
            "a\u{200B}b\u{FEFF}c \u{2060}d",
            "abc d",
            &["invisible_characters"],
        );
        check("govern\u{AD}ment", "government", &["soft_hyphens"]);
        check(
            "the ﬁrst oﬃcial ﬂight",
            "the first official flight",
            &["ligatures"],
        );
        untouched("The ligature “ﬁ” joins two letters; you ﬁnd it in print.");
        check("e\u{301}te\u{301}", "été", &["composition"]);
        check(
            "a line \nand a tab\t\nend  ",
            "a line\nand a tab\nend",
            &["trailing_spaces"],
        );
    }

    #[test]
    fn wrapped_lines_are_joined() {
        let wrapped = "The government said on Monday that the last of the foreign troops\n\
            would leave the country before the end of the year, and that the base\n\
            in the north would be handed over to the army of the republic in the\n\
            presence of the ambassador.\n\nA spokesman for the embassy declined to comment on the timetable, which\n\
            has been the subject of talks for several months.";
        let joined = "The government said on Monday that the last of the foreign troops \
            would leave the country before the end of the year, and that the base \
            in the north would be handed over to the army of the republic in the \
            presence of the ambassador.\n\nA spokesman for the embassy declined to comment on the timetable, which \
            has been the subject of talks for several months.";
        check(wrapped, joined, &["wrapped_lines"]);
        let list = "Four countries have asked the mission to leave since the coup of 2020:\n\
            - The first of them did so in a letter to the council in June last year\n\
            - The second one followed after a long debate in the national parliament\n\
            - The third and the fourth have only spoken of it to the press thus far";
        untouched(list);
    }

    #[test]
    fn never_panics() {
        let pieces = [
            "â",
            "€",
            "™",
            "&#x;",
            "&#99999999;",
            "\n",
            "Ã",
            " ",
            "\u{200D}",
            "ﬁ",
            "\u{301}",
            "-",
            "1.",
            "&amp",
        ];
        let mut state = 7u32;
        for _ in 0..2000 {
            let text = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    pieces[(state >> 16) as usize % pieces.len()]
                })
                .collect::<String>();
            repair(&text);
        }
    }
}
