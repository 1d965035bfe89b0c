//! Bytes to text: which encoding a record is in, and its text in UTF-8.
//!
//! The order of belief is byte order mark, the UTF-8 the bytes prove to be, the declared charset, the page's own
//! `<meta>`, detection. Nothing fails: what cannot be decoded becomes U+FFFD and is counted.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GBK, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

/// A decoded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text without byte order mark and without NUL characters; borrowed when the bytes were clean UTF-8.
    pub text: Cow<'a, str>,
    /// The WHATWG name of the encoding that was used, such as `UTF-8` or `windows-1251`.
    pub encoding: &'static str,
    /// How many characters could not be decoded (U+FFFD stands in their place) or were NUL (dropped).
    pub replaced: u32,
}

/// How many bytes of a page are searched for its `<meta charset>`. The HTML standard says 1024; real pages put
/// scripts before it, and searching this much costs a microsecond.
const META_BYTES: usize = 4096;

/// How many bytes detection looks at. Its answer settles within a few kilobytes of non-ASCII text.
const DETECTION_BYTES: usize = 256 * 1024;

/// Decodes `bytes`. `declared` is the charset of the transport or of the collection, if one was given, as a label
/// such as `utf-8` or `text/html; charset=koi8-r`; `html` allows a look at the page's `<meta>`.
///
/// ```
/// # use garrison::normalize::decode::decode;
/// let decoded = decode(b"caf\xe9", Some("iso-8859-1"), false);
/// assert_eq!((&*decoded.text, decoded.encoding, decoded.replaced), ("café", "windows-1252", 0));
/// ```
pub fn decode<'a>(bytes: &'a [u8], declared: Option<&str>, html: bool) -> Decoded<'a> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return decode_as(encoding, &bytes[mark..]);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(decoded) = proven_utf8(text, declared)
    {
        return decoded;
    }
    let declared = declared.and_then(encoding_named);
    let said = declared.or_else(|| if html { meta_charset(bytes) } else { None });
    if let Some(encoding) = said
        && let Some(encoding) = believable(encoding, bytes)
    {
        return decode_as(encoding, bytes);
    }
    decode_as(detect(bytes), bytes)
}

/// Text that is valid UTF-8 with characters beyond ASCII is UTF-8 whatever was declared: in a single-byte
/// encoding its byte pairs would be accented capitals followed by symbols throughout, which no language writes.
/// Two-byte encodings can produce valid UTF-8 by chance in a short text, so that they keep the benefit of doubt.
fn proven_utf8<'a>(text: &'a str, declared: Option<&str>) -> Option<Decoded<'a>> {
    let has_nul = memchr::memchr(0, text.as_bytes()).is_some();
    if has_nul && utf16_without_mark(text.as_bytes()).is_some() {
        return None;
    }
    let named = declared.and_then(encoding_named);
    let doubtful = named.is_some_and(|encoding| {
        !encoding.is_ascii_compatible()
            || (!text.is_ascii() && !encoding.is_single_byte() && encoding != UTF_8)
    });
    if doubtful || (text.is_ascii() && has_escape_sequences(text.as_bytes())) {
        return None;
    }
    Some(without_nuls(Cow::Borrowed(text), UTF_8, 0))
}

/// ISO-2022-JP is pure ASCII bytes with escape sequences.
fn has_escape_sequences(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\x1b$").is_some()
}

/// The encoding to use where `said` was declared: itself, or none if the bytes contradict it.
fn believable(said: &'static Encoding, bytes: &[u8]) -> Option<&'static Encoding> {
    if said == UTF_16LE || said == UTF_16BE {
        // A page whose `<meta>` could be read byte by byte is not in UTF-16, and transports say "utf-16" for
        // either byte order; the zero bytes of spaces and line ends tell.
        return utf16_without_mark(bytes);
    }
    if said == UTF_8 && !mostly_utf8(bytes) {
        return None;
    }
    if said == GBK || said.is_single_byte() || said == UTF_8 {
        return Some(said);
    }
    // A declared two-byte encoding that fails on more than one in a hundred characters is a wrong declaration.
    let (text, _, faulty) = said.decode(&bytes[..bytes.len().min(DETECTION_BYTES)]);
    let faults = if faulty {
        text.chars().filter(|&c| c == '\u{FFFD}').count()
    } else {
        0
    };
    (faults * 100 <= text.chars().count()).then_some(said)
}

/// True when at least half of the sequences beyond ASCII are valid UTF-8, so that the rest is damage and not
/// another encoding.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (good, bad) = utf8_sequences(bytes);
    good >= bad
}

/// How many characters beyond ASCII are valid UTF-8 and how many sequences are not.
fn utf8_sequences(bytes: &[u8]) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes[..bytes.len().min(DETECTION_BYTES)].utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    (good, bad)
}

/// Recognises UTF-16 without a byte order mark by its zero bytes: at least a tenth of the code units of the first
/// kilobyte are ASCII (spaces, digits and line ends are, in every script), all on the same side.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(1024) & !1];
    if head.len() < 4 {
        return None;
    }
    let (mut high_first, mut low_first) = (0usize, 0usize);
    for pair in head.chunks_exact(2) {
        high_first += usize::from(pair[0] == 0 && pair[1] != 0);
        low_first += usize::from(pair[1] == 0 && pair[0] != 0);
    }
    let units = head.len() / 2;
    if low_first * 10 >= units && high_first * 20 <= low_first {
        Some(UTF_16LE)
    } else if high_first * 10 >= units && low_first * 20 <= high_first {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Finds an encoding by label, bare or as the parameter of a media type.
fn encoding_named(label: &str) -> Option<&'static Encoding> {
    let bare = match label.to_ascii_lowercase().find("charset=") {
        Some(at) => &label[at + "charset=".len()..],
        None => label,
    };
    let bare = bare.split([';', ',']).next().unwrap_or(bare);
    let bare = bare.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    let encoding = Encoding::for_label(bare.as_bytes())?;
    // These two are devices of browsers and not encodings of texts.
    (encoding != REPLACEMENT && encoding != X_USER_DEFINED).then_some(encoding)
}

/// The charset a page declares for itself, in `<meta>` or in an XML declaration.
fn meta_charset(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(META_BYTES)].to_ascii_lowercase();
    let finder = memchr::memmem::Finder::new(b"charset");
    let labels = finder.find_iter(&head).map(|at| at + b"charset".len());
    let xml = memchr::memmem::find(&head, b"<?xml").and_then(|start| {
        Some(start + memchr::memmem::find(&head[start..], b"encoding")? + b"encoding".len())
    });
    for after in xml.into_iter().chain(labels) {
        if let Some(label) = assigned_value(&head[after..])
            && let Some(encoding) = encoding_named(&label)
        {
            // By the standard a page that was readable up to here and says UTF-16 is in UTF-8.
            let utf16 = encoding == UTF_16LE || encoding == UTF_16BE;
            return Some(if utf16 { UTF_8 } else { encoding });
        }
    }
    None
}

/// Reads `= "value"` with or without quotes.
fn assigned_value(bytes: &[u8]) -> Option<String> {
    let text = bytes.iter().take(64).map(|&b| char::from(b)).collect::<String>();
    let value = text.trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.:".contains(c)))
        .unwrap_or(value.len());
    (end > 0).then(|| value[..end].to_string())
}

/// Guesses the encoding from the bytes alone.
fn detect(bytes: &[u8]) -> &'static Encoding {
    if let Some(encoding) = utf16_without_mark(bytes) {
        return encoding;
    }
    let head = &bytes[..bytes.len().min(DETECTION_BYTES)];
    // UTF-8 with damage: the detector would rule UTF-8 out at the first bad byte.
    let (good, bad) = utf8_sequences(head);
    if good >= 4 && good >= 4 * bad {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(head, true);
    detector.guess(None, Utf8Detection::Allow)
}

fn decode_as<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Decoded<'a> {
    let (text, faulty) = encoding.decode_without_bom_handling(bytes);
    let replaced = if faulty {
        text.matches('\u{FFFD}').count()
    } else {
        0
    };
    without_nuls(text, encoding, replaced)
}

/// Drops NUL characters: no text has them, and they end strings in much of what reads tables.
fn without_nuls<'a>(text: Cow<'a, str>, encoding: &'static Encoding, replaced: usize) -> Decoded<'a> {
    let nuls = memchr::memchr_iter(0, text.as_bytes()).count();
    let text = if nuls == 0 {
        text
    } else {
        Cow::Owned(text.replace('\0', ""))
    };
    let replaced = u32::try_from(replaced + nuls).unwrap_or(u32::MAX);
    Decoded {
        text,
        encoding: encoding.name(),
        replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{BIG5, EUC_JP, EUC_KR, GB18030, KOI8_R, SHIFT_JIS, WINDOWS_1250, WINDOWS_1251};
    use encoding_rs::{WINDOWS_1252, WINDOWS_1256};

    const RUSSIAN: &str =
        "Министр обороны заявил, что войска покинут страну до конца сентября. Об этом сообщает пресс-служба.";
    const ARABIC: &str =
        "أعلنت الحكومة أن القوات الأجنبية ستغادر البلاد قبل نهاية الشهر، وقال الوزير إن الاتفاق سيوقع قريبا.";
    const CHINESE: &str = "国防部长周一表示，所有外国军队将在九月底之前撤出该国，双方已经就此达成协议。";
    const JAPANESE: &str = "防衛大臣は月曜日、すべての外国軍が九月末までに国から撤退すると述べた。";

    fn check(bytes: &[u8], declared: Option<&str>, html: bool, text: &str, encoding: &str) {
        let decoded = decode(bytes, declared, html);
        assert_eq!((&*decoded.text, decoded.encoding), (text, encoding));
    }

    #[test]
    fn marks_win() {
        check(b"\xef\xbb\xbfabc", Some("koi8-r"), false, "abc", "UTF-8");
        check(b"\xff\xfea\0b\0", Some("utf-8"), false, "ab", "UTF-16LE");
        check(b"\xfe\xff\0a\0b", None, false, "ab", "UTF-16BE");
    }

    #[test]
    fn declared_encodings_are_used() {
        for encoding in [KOI8_R, WINDOWS_1251] {
            check(
                &encoding.encode(RUSSIAN).0,
                Some(encoding.name()),
                false,
                RUSSIAN,
                encoding.name(),
            );
        }
        check(
            &WINDOWS_1256.encode(ARABIC).0,
            Some("cp1256"),
            false,
            ARABIC,
            "windows-1256",
        );
        for encoding in [GBK, GB18030] {
            check(
                &encoding.encode(CHINESE).0,
                Some(encoding.name()),
                false,
                CHINESE,
                encoding.name(),
            );
        }
        for encoding in [SHIFT_JIS, EUC_JP] {
            check(
                &encoding.encode(JAPANESE).0,
                Some(encoding.name()),
                false,
                JAPANESE,
                encoding.name(),
            );
        }
        check(
            b"caf\xe9",
            Some("text/html; charset=\"ISO-8859-1\""),
            false,
            "café",
            "windows-1252",
        );
        check(
            b"z\xb3oty",
            Some("windows-1250"),
            false,
            "złoty",
            WINDOWS_1250.name(),
        );
    }

    #[test]
    fn undeclared_encodings_are_detected() {
        check(
            &WINDOWS_1251.encode(RUSSIAN).0,
            None,
            false,
            RUSSIAN,
            "windows-1251",
        );
        // KOI8-U is KOI8-R with four more letters, and what the detector calls both.
        check(&KOI8_R.encode(RUSSIAN).0, None, false, RUSSIAN, "KOI8-U");
        check(
            &WINDOWS_1256.encode(ARABIC).0,
            None,
            false,
            ARABIC,
            "windows-1256",
        );
        check(&GBK.encode(CHINESE).0, None, false, CHINESE, "GBK");
        check(&SHIFT_JIS.encode(JAPANESE).0, None, false, JAPANESE, "Shift_JIS");
        check(
            &EUC_KR
                .encode("국방부 장관은 월요일 외국 군대가 철수할 것이라고 밝혔다")
                .0,
            None,
            false,
            "국방부 장관은 월요일 외국 군대가 철수할 것이라고 밝혔다",
            "EUC-KR",
        );
        check(
            &BIG5
                .encode("國防部長週一表示，所有外國軍隊將在九月底之前撤出該國")
                .0,
            None,
            false,
            "國防部長週一表示，所有外國軍隊將在九月底之前撤出該國",
            "Big5",
        );
        let french =
            "Le ministre a déclaré que « l’armée française » quittera le pays d’ici à la fin de l’été.";
        check(
            &WINDOWS_1252.encode(french).0,
            None,
            false,
            french,
            "windows-1252",
        );
        let wide = RUSSIAN
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>();
        check(&wide, None, false, RUSSIAN, "UTF-16LE");
        let wide = "Troops left."
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect::<Vec<_>>();
        check(&wide, None, false, "Troops left.", "UTF-16BE");
    }

    #[test]
    fn pages_declare_for_themselves() {
        let page = format!("<html><head><meta charset='windows-1251'></head><p>{RUSSIAN}</p>");
        check(&WINDOWS_1251.encode(&page).0, None, true, &page, "windows-1251");
        let page = format!("<?xml version=\"1.0\" encoding=\"koi8-r\"?><p>{RUSSIAN}</p>");
        check(&KOI8_R.encode(&page).0, None, true, &page, "KOI8-R");
        let page = "<meta http-equiv=content-type content='text/html; charset = utf-16'><p>é";
        check(page.as_bytes(), None, true, page, "UTF-8");
    }

    #[test]
    fn wrong_declarations_are_overruled() {
        check("l’été".as_bytes(), Some("iso-8859-1"), false, "l’été", "UTF-8");
        check(
            &WINDOWS_1251.encode(RUSSIAN).0,
            Some("utf-8"),
            false,
            RUSSIAN,
            "windows-1251",
        );
        check(b"plain", Some("no-such-charset"), false, "plain", "UTF-8");
    }

    #[test]
    fn damage_is_counted() {
        let decoded = decode(
            b"d\xc3\xa9j\xc3\xa0 vu \xff l'\xc3\xa9t\xc3\xa9",
            Some("utf-8"),
            false,
        );
        assert_eq!((&*decoded.text, decoded.replaced), ("déjà vu \u{FFFD} l'été", 1));
        let decoded = decode(b"a\0b", None, false);
        assert_eq!((&*decoded.text, decoded.replaced), ("ab", 1));
        assert_eq!(decode(b"", None, true).text, "");
    }

    #[test]
    fn never_panics() {
        let mut state = 1u32;
        for length in 0..300 {
            let bytes = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect::<Vec<_>>();
            for declared in [
                None,
                Some("utf-16"),
                Some("gbk"),
                Some("iso-2022-jp"),
                Some("utf-8"),
            ] {
                decode(&bytes, declared, length % 2 == 0);
            }
        }
    }
}
