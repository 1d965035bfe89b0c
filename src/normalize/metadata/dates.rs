//! Dates as pages write them: ISO 8601, RFC 2822, epochs, written forms and addresses.
//!
//! A date is given only where the text says one without doubt; numbers that could be read two ways give nothing.

use crate::normalize::html::words::PageWords;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use std::borrow::Cow;

/// Where a date was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// schema.org data in a script.
    JsonLd,
    /// A meta tag.
    Meta,
    /// The address.
    Url,
    /// A `time` element.
    TimeTag,
}

impl Basis {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Basis::JsonLd => "json_ld",
            Basis::Meta => "meta",
            Basis::Url => "url",
            Basis::TimeTag => "time_tag",
        }
    }
}

/// How exactly a date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// To the second.
    Second,
    /// To the minute.
    Minute,
    /// Only the day; `at` is its midnight in UTC.
    Day,
    /// Only the month; `at` is its first day.
    Month,
}

impl Precision {
    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Second => "second",
            Precision::Minute => "minute",
            Precision::Day => "day",
            Precision::Month => "month",
        }
    }
}

/// A publication date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The instant; without a zone on the page it is taken as UTC.
    pub at: jiff::Timestamp,
    /// Offset from UTC as the page writes it, so that the writer's calendar day is known.
    pub offset: Offset,
    /// How exactly it is known.
    pub precision: Precision,
    /// Where it was found.
    pub basis: Basis,
}

impl Stamp {
    /// The instant as the page wrote it, RFC 3339 with its offset.
    pub fn rfc3339(&self) -> String {
        let civil = self.offset.to_datetime(self.at);
        let seconds = self.offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        format!(
            "{}{sign}{:02}:{:02}",
            civil.strftime("%Y-%m-%dT%H:%M:%S"),
            minutes / 60,
            minutes % 60
        )
    }
}

/// Reads a date in ISO 8601, RFC 2822, epoch or written form. Ambiguous numbers ("3/4/2019") give nothing.
pub fn stamp(text: &str, basis: Basis, words: &PageWords) -> Option<Stamp> {
    let text = text.trim();
    if text.len() > 160 {
        return None;
    }
    let text = plain_digits(text);
    let text = text.as_ref();
    let (date, rest, month_only) = leading_date(text)
        .or_else(|| written_date(text, words))
        .or_else(|| numeric_date(text))?;
    if !(1850..=2200).contains(&date.year()) {
        return None;
    }
    let clock = clock(rest);
    let (civil, precision, offset) = match clock {
        // Midnight to the second is a day without an hour.
        Some((time, _, _)) if time == Time::midnight() => {
            (DateTime::from_parts(date, time), Precision::Day, Offset::UTC)
        }
        Some((time, precision, offset)) => (DateTime::from_parts(date, time), precision, offset),
        None if month_only => (
            DateTime::from_parts(date, Time::midnight()),
            Precision::Month,
            Offset::UTC,
        ),
        None => (
            DateTime::from_parts(date, Time::midnight()),
            Precision::Day,
            Offset::UTC,
        ),
    };
    Some(Stamp {
        at: offset.to_timestamp(civil).ok()?,
        offset,
        precision,
        basis,
    })
}

type DateAndRest<'t> = (Date, &'t str, bool);

/// A date that opens the text with its year, or an epoch.
fn leading_date(text: &str) -> Option<DateAndRest<'_>> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    match digits {
        10 | 13 if digits == text.len() => {
            let value: i64 = text.parse().ok()?;
            let seconds = if digits == 13 { value / 1000 } else { value };
            // Epochs before 2 January 1990 are counters or zeros.
            let at = jiff::Timestamp::from_second(seconds)
                .ok()
                .filter(|_| seconds > 631_238_400)?;
            Some((Offset::UTC.to_datetime(at).date(), "", false))
        }
        8 | 14 => {
            let date = Date::new(number(0, 4)?, number(4, 6)? as i8, number(6, 8)? as i8).ok()?;
            Some((date, &text[8..], false))
        }
        4 => {
            let year = number(0, 4)?;
            let mark = text[4..]
                .chars()
                .next()
                .filter(|c| matches!(c, '-' | '/' | '.' | ':'))?;
            let rest = &text[5..];
            let month_len = rest.bytes().take_while(u8::is_ascii_digit).count();
            let month: i8 = rest.get(..month_len).filter(|m| !m.is_empty())?.parse().ok()?;
            let rest = &rest[month_len..];
            let Some(after) = rest.strip_prefix(mark) else {
                return rest
                    .trim()
                    .is_empty()
                    .then(|| Date::new(year, month, 1).ok())
                    .flatten()
                    .map(|d| (d, "", true));
            };
            let day_len = after.bytes().take_while(u8::is_ascii_digit).count().min(2);
            let day: i8 = after.get(..day_len).filter(|d| !d.is_empty())?.parse().ok()?;
            Some((Date::new(year, month, day).ok()?, &after[day_len..], false))
        }
        _ => None,
    }
}

/// A word of a written date.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Number(i16),
    Year(i16),
    Month(i8),
    /// Up to three letters, such as "of" and "de".
    Short,
    Other,
}

/// "19 November 2019", "Tue, 19 Nov 2019", "November 19, 2019".
fn written_date<'t>(text: &'t str, words: &PageWords) -> Option<DateAndRest<'t>> {
    let mut seen: Vec<Word> = Vec::new();
    let mut at = 0;
    let (mut month, mut year) = (None, None);
    for token in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let start = at;
        at += token.len();
        let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
        if word.is_empty() {
            continue;
        }
        // A clock begins here.
        if token.ends_with(':') && word.bytes().all(|b| b.is_ascii_digit()) && !seen.is_empty() {
            at = start;
            break;
        }
        match date_word(word, words) {
            Word::Month(number) => month = month.or(Some((seen.len(), number))),
            Word::Year(number) => year = year.or(Some(number)),
            _ => {}
        }
        seen.push(date_word(word, words));
        if year.is_some() && month.is_some_and(|(place, _)| day_by(&seen, place).is_some()) {
            break;
        }
    }
    let (place, month) = month?;
    let date = Date::new(year?, month, i8::try_from(day_by(&seen, place)?).ok()?).ok()?;
    Some((date, text.get(at..).unwrap_or(""), false))
}

fn date_word(word: &str, words: &PageWords) -> Word {
    let lower = word.to_lowercase();
    if let Some(month) = words.month(&lower) {
        return Word::Month(month);
    }
    let digits = lower.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', 'e']);
    match digits.parse::<i16>() {
        Ok(number) if number >= 1000 => Word::Year(number),
        Ok(number) => Word::Number(number),
        Err(_) if lower.chars().count() <= 3 => Word::Short,
        Err(_) => Word::Other,
    }
}

/// The number beside the month: before it, perhaps with "of" between, else after it.
fn day_by(seen: &[Word], month: usize) -> Option<i16> {
    let number = |at: usize| match seen.get(at) {
        Some(Word::Number(number)) => Some(*number),
        _ => None,
    };
    let before = month.checked_sub(1).and_then(|at| match seen[at] {
        Word::Short => at.checked_sub(1).and_then(number),
        _ => number(at),
    });
    before.or_else(|| number(month + 1))
}

/// "19.11.2019", "11/19/2019": day and month of two numbers before a year, where only one reading is possible or points
/// tell it.
fn numeric_date(text: &str) -> Option<DateAndRest<'_>> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let text = &text[start..];
    let mark = text
        .chars()
        .find(|c| !c.is_ascii_digit())
        .filter(|c| matches!(c, '.' | '/' | '-'))?;
    let mut parts = text.splitn(3, mark);
    let small = |part: Option<&str>| part.filter(|part| part.len() <= 2)?.parse::<i8>().ok();
    let (first, second, rest) = (small(parts.next())?, small(parts.next())?, parts.next()?);
    let year_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let year = rest[..year_digits].parse().ok().filter(|_| year_digits == 4)?;
    let (month, day) = match (first, second) {
        (a, b) if a > 12 || (mark == '.' && b <= 12) || a == b => (b, a),
        (a, b) if b > 12 => (a, b),
        _ => return None,
    };
    Some((Date::new(year, month, day).ok()?, &rest[year_digits..], false))
}

/// Digits of other scripts in ASCII, and the marks that follow year, month and day in Chinese, Japanese and Korean as
/// dashes. Borrowed where there is none.
fn plain_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mark = |c: char| match c {
        '年' | '月' | '년' | '월' => '-',
        '日' | '일' => ' ',
        '\u{0660}'..='\u{0669}' => ascii_digit(c, 0x0660),
        '\u{06F0}'..='\u{06F9}' => ascii_digit(c, 0x06F0),
        '\u{0966}'..='\u{096F}' => ascii_digit(c, 0x0966),
        '\u{09E6}'..='\u{09EF}' => ascii_digit(c, 0x09E6),
        '\u{FF10}'..='\u{FF19}' => ascii_digit(c, 0xFF10),
        c => c,
    };
    let mut plain: String = text.chars().map(mark).collect();
    while let Some(at) = plain.find("- ") {
        plain.remove(at + 1);
    }
    Cow::Owned(plain)
}

fn ascii_digit(digit: char, zero: u32) -> char {
    char::from_digit(digit as u32 - zero, 10).unwrap_or(digit)
}

/// Time of day and offset from UTC in what follows a date.
fn clock(rest: &str) -> Option<(Time, Precision, Offset)> {
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let rest = &rest[start..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (hour, minute, second, tail, precision);
    if digits == 6 || (digits == 4 && !rest[4..].starts_with(':')) {
        let part = |from: usize| rest.get(from..from + 2).and_then(|t| t.parse::<i8>().ok());
        (hour, minute, second) = (part(0)?, part(2)?, if digits == 6 { part(4)? } else { 0 });
        (tail, precision) = (
            &rest[digits..],
            if digits == 6 {
                Precision::Second
            } else {
                Precision::Minute
            },
        );
    } else {
        let mut parts = rest.splitn(3, [':', '.']);
        hour = parts.next()?.parse::<i8>().ok()?;
        let minutes = parts.next()?;
        minute = minutes.get(..2)?.parse::<i8>().ok()?;
        let after = &rest[digits + 3..];
        match after
            .strip_prefix(':')
            .and_then(|s| s.get(..2)?.parse::<i8>().ok())
        {
            Some(value) => {
                let fraction = after[3..]
                    .strip_prefix(['.', ','])
                    .map_or(0, |f| 1 + f.bytes().take_while(u8::is_ascii_digit).count());
                (second, tail, precision) = (value, &after[3 + fraction..], Precision::Second);
            }
            None => (second, tail, precision) = (0, after, Precision::Minute),
        }
    }
    let lower = tail.trim_start().to_ascii_lowercase();
    let hour = match hour {
        12 if lower.starts_with('a') => 0,
        h if h < 12 && (lower.starts_with("pm") || lower.starts_with("p.m")) => h + 12,
        h => h,
    };
    // A leap second is written as 60; it counts as the second before.
    let time = Time::new(hour, minute, second.min(59), 0).ok()?;
    Some((time, precision, zone(tail)))
}

/// Offset of a zone in ISO form or by one of the names that mean one offset in news; UTC when there is none.
fn zone(tail: &str) -> Offset {
    let hours = |h: i8| Offset::from_seconds(i32::from(h) * 3600).unwrap_or(Offset::UTC);
    if let Some(at) = tail.find(['+', '-', '−']) {
        let negative = !tail[at..].starts_with('+');
        let digits: String = tail[at..]
            .chars()
            .skip(1)
            .take(6)
            .filter(char::is_ascii_digit)
            .collect();
        let hour: i32 = digits.get(..2).and_then(|h| h.parse().ok()).unwrap_or(0);
        let minute: i32 = digits.get(2..4).and_then(|m| m.parse().ok()).unwrap_or(0);
        let seconds = (hour * 60 + minute) * 60;
        return Offset::from_seconds(if negative { -seconds } else { seconds }).unwrap_or(Offset::UTC);
    }
    let upper = tail.to_ascii_uppercase();
    let name = upper
        .split(|c: char| !c.is_ascii_alphabetic())
        .rfind(|w| !w.is_empty() && *w != "AM" && *w != "PM");
    match name {
        Some("EST") => hours(-5),
        Some("EDT") => hours(-4),
        Some("CDT") => hours(-5),
        Some("MST") => hours(-7),
        Some("MDT") => hours(-6),
        Some("PST") => hours(-8),
        Some("PDT") => hours(-7),
        Some("CET") => hours(1),
        Some("CEST") => hours(2),
        Some("MSK") => hours(3),
        _ => Offset::UTC,
    }
}

/// The date in an address: year, month and day, or year and month, as folders or in one number.
pub fn url_date(url: &str) -> Option<Stamp> {
    let path = url
        .split_once("://")
        .map_or(url, |(_, rest)| rest)
        .split(['?', '#'])
        .next()?;
    let path = path.split_once('/')?.1;
    let parts: Vec<&str> = path.split(['/', '-', '_', '.']).collect();
    let make = |date: Date, precision| {
        // Addresses carry dates only since there is a web.
        (1990..=2100).contains(&date.year()).then(|| Stamp {
            at: Offset::UTC
                .to_timestamp(DateTime::from_parts(date, Time::midnight()))
                .unwrap_or_default(),
            offset: Offset::UTC,
            precision,
            basis: Basis::Url,
        })
    };
    let number = |text: &str, lens: std::ops::RangeInclusive<usize>| {
        (lens.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i16>().ok())
            .flatten()
    };
    for (index, part) in parts.iter().enumerate() {
        if part.len() == 8
            && let (Some(y), Some(m), Some(d)) = (
                number(part.get(..4).unwrap_or(""), 4..=4),
                number(part.get(4..6).unwrap_or(""), 2..=2),
                number(part.get(6..8).unwrap_or(""), 2..=2),
            )
            && let Some(stamp) = Date::new(y, m as i8, d as i8)
                .ok()
                .and_then(|date| make(date, Precision::Day))
        {
            return Some(stamp);
        }
        let Some(year) = number(part, 4..=4).filter(|y| (1990..=2100).contains(y)) else {
            continue;
        };
        let month = parts
            .get(index + 1)
            .and_then(|p| number(p, 1..=2).or_else(|| month_code(p)));
        let day = parts.get(index + 2).and_then(|p| number(p, 1..=2));
        if let (Some(month), Some(day)) = (month, day)
            && let Ok(date) = Date::new(year, month as i8, day as i8)
        {
            return make(date, Precision::Day);
        }
        // Month folders: "/2019/11/name". A number that belongs to a name ("top-2019-11-ways") is no month.
        let is_word = parts.get(index + 1).is_some_and(|part| part.len() > 3);
        let folder = !is_word && path.contains(&format!("{part}/{}/", parts.get(index + 1).unwrap_or(&"")));
        if let (Some(month), true) = (month, folder)
            && let Ok(date) = Date::new(year, month as i8, 1)
        {
            return make(date, Precision::Month);
        }
    }
    None
}

/// Months in addresses are written in three Latin letters whatever the site's language.
fn month_code(part: &str) -> Option<i16> {
    let codes = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    // A name may be written out: "/2023/october/03/".
    let code = part.get(..3).filter(|_| part.len() <= 9)?;
    codes
        .iter()
        .position(|c| code.eq_ignore_ascii_case(c))
        .map(|at| at as i16 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::html::words::test_words;

    #[track_caller]
    fn date(text: &str, expected: &str) {
        let got = stamp(text, Basis::Meta, &test_words()).map(|s| format!("{} {}", s.at, s.precision.name()));
        assert_eq!(got.as_deref().unwrap_or("none"), expected, "{text}");
    }

    #[test]
    fn a_day_stands_beside_its_month() {
        date("5 min read · Nov 19, 2019", "2019-11-19T00:00:00Z day");
        date("week 2 of 20, 19 November 2019", "2019-11-19T00:00:00Z day");
        date("19 de noviembre de 2019", "2019-11-19T00:00:00Z day");
        date("2019年11月19日 10:23", "2019-11-19T10:23:00Z minute");
        date("2019년 11월 19일", "2019-11-19T00:00:00Z day");
        date("November 2019", "none");
        date("score 2 20, 2019", "none");
        date(&"- ٣".repeat(100_000), "none");
    }

    #[test]
    fn no_text_harms() {
        let parts = [
            "2019", "11", "19", "-", "/", ".", ":", " ", "é", "年", "月", "٣", "nov", "T", "+", "am", "Z",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let words = test_words();
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..(state >> 60) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                text.push_str(parts[(state >> 20) as usize % parts.len()]);
            }
            state = state.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(1);
            let _ = stamp(&text, Basis::Meta, &words);
            let _ = url_date(&format!("https://a.example/{text}"));
        }
    }

    #[test]
    fn dates_in_many_forms() {
        date("2019-11-19T10:23:45Z", "2019-11-19T10:23:45Z second");
        date("2019-11-19T10:23:45.123+01:00", "2019-11-19T09:23:45Z second");
        date("2019-11-19T10:23:45-0500", "2019-11-19T15:23:45Z second");
        date("2019-11-19 10:23", "2019-11-19T10:23:00Z minute");
        date("20191119T102345Z", "2019-11-19T10:23:45Z second");
        date("20191119", "2019-11-19T00:00:00Z day");
        date("2019/11/19", "2019-11-19T00:00:00Z day");
        date("2019-11", "2019-11-01T00:00:00Z month");
        date("2019-11-19T00:00:00+02:00", "2019-11-19T00:00:00Z day");
        date("1574158800", "2019-11-19T00:00:00Z day");
        date("Tue, 19 Nov 2019 10:23:45 GMT", "2019-11-19T10:23:45Z second");
        date("November 19, 2019 3:05 PM EST", "2019-11-19T20:05:00Z minute");
        date("19 novembre 2019", "2019-11-19T00:00:00Z day");
        date("19.11.2019 10:23", "2019-11-19T10:23:00Z minute");
        date("11/19/2019", "2019-11-19T00:00:00Z day");
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "today",
            "3/4/2019",
            "2019",
            "0001-01-01T00:00:00",
            "2019-13-45",
            "12345",
            "2019-02-30",
            "é019-11-19",
        ] {
            date(text, "none");
        }
    }

    #[track_caller]
    fn address(url: &str, expected: &str) {
        let got = url_date(url).map(|s| format!("{} {}", &s.at.to_string()[..10], s.precision.name()));
        assert_eq!(got.as_deref().unwrap_or("none"), expected, "{url}");
    }

    #[test]
    fn dates_in_addresses() {
        address("https://a.example/2019/11/19/name", "2019-11-19 day");
        address("https://a.example/news/2019-11-19-name.html", "2019-11-19 day");
        address("https://a.example/20191119/name", "2019-11-19 day");
        address("https://a.example/2019/nov/19/name", "2019-11-19 day");
        address("https://a.example/2019/11/name", "2019-11-01 month");
        address("https://a.example/top-2019-ways", "none");
        address("https://a.example/story-12345678", "none");
        address("https://2019.example/11/19", "none");
        address("https://a.example/éèàüéèàü/ab€€cd", "none");
    }
}
