//! Reads the dateline of a wire story, `NIAMEY, April 19 (AFP) -`: place, agency and day are facts of the document,
//! and its first sentence begins behind them. The text itself stays as it is.

use std::collections::HashSet;

use anyhow::{Context, Result};
use serde::Deserialize;

/// What a dateline says, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dateline<'a> {
    /// The place with its region or country, such as `OUAGADOUGOU, Burkina Faso`; none in `(Reuters) -`.
    pub place: Option<&'a str>,
    /// The agency as listed in the data.
    pub agency: Option<&'a str>,
    /// The day, such as `April 19`, `19 avril 2024` or `Friday`; to be resolved by whoever reads dates.
    pub day: Option<&'a str>,
    /// The byte of the text where the first sentence begins.
    pub end_byte: usize,
}

/// The words datelines are made of.
#[derive(Debug, Clone, Default)]
pub struct DatelineWords {
    agencies: HashSet<String>,
    months: HashSet<String>,
    weekdays: HashSet<String>,
    particles: HashSet<String>,
    not_places: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsFile {
    agencies: Vec<String>,
    months: Vec<String>,
    weekdays: Vec<String>,
    particles: Vec<String>,
    not_places: Vec<String>,
}

impl DatelineWords {
    /// Reads `datelines.toml`.
    pub fn parse(toml_text: &str) -> Result<DatelineWords> {
        let file: WordsFile = toml::from_str(toml_text).context("datelines.toml")?;
        let set = |words: Vec<String>| words.iter().map(|word| word.to_lowercase()).collect();
        Ok(DatelineWords {
            agencies: set(file.agencies),
            months: set(file.months),
            weekdays: set(file.weekdays),
            particles: set(file.particles),
            not_places: set(file.not_places),
        })
    }

    fn has(set: &HashSet<String>, word: &str) -> bool {
        set.contains(&word.to_lowercase())
    }
}

/// Datelines are short: the longest real ones, two towns with a state, a date and an agency, stay below this.
const DATELINE_BYTES: usize = 160;

/// Reads the dateline `text` begins with. It ends at a dash (or `.-`, or `--`), and what stands before must be a
/// place in capitals, or have an agency or a day, so that no sentence with a dash loses its beginning.
pub fn dateline<'a>(text: &'a str, words: &DatelineWords) -> Option<Dateline<'a>> {
    let start = text.len() - text.trim_start().len();
    let line = text[start..].lines().next()?;
    let mut limit = line.len().min(DATELINE_BYTES);
    while !line.is_char_boundary(limit) {
        limit -= 1;
    }
    // The first dash that parts a dateline from a text; names of places and agencies may have hyphens inside.
    for (at, length) in dashes(&line[..limit]) {
        if let Some(mut found) = head(&line[..at], words) {
            // `МОСКВА, 19 апр — РИА Новости. Text`: the agency stands behind the dash.
            let mut end = at + length;
            if found.agency.is_none()
                && let Some((agency, behind)) = agency_behind(&line[end..], words)
            {
                found.agency = Some(agency);
                end += behind;
            }
            let rest = &line[end..];
            found.end_byte = start + end + (rest.len() - rest.trim_start().len());
            return (!rest.trim().is_empty()).then_some(found);
        }
    }
    None
}

/// The dashes that can end a dateline: their place and length with the stop before and the second dash behind. A
/// hyphen counts only with a space on both sides, or behind a bracket or stop; a long dash may stand tight.
fn dashes(line: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    line.char_indices().filter_map(|(at, c)| {
        if !matches!(c, '-' | '–' | '—' | '―' | '−') {
            return None;
        }
        let before = &line[..at];
        let behind = line[at..].trim_start_matches(['-', '–', '—', '―', '−']);
        let length = line.len() - at - behind.len();
        let set_off = before.ends_with([' ', ')', '.', '\u{a0}']) && behind.starts_with([' ', '\u{a0}']);
        let long = c != '-' || length > 1;
        let tight = long || before.ends_with([')', '.']);
        ((set_off || tight) && !before.is_empty() && !before.ends_with(['-', '–', '—']))
            .then_some((at, length))
    })
}

/// Reads what stands before the dash; `end_byte` is left for the caller.
fn head<'a>(head: &'a str, words: &DatelineWords) -> Option<Dateline<'a>> {
    let mut found = Dateline {
        place: None,
        agency: None,
        day: None,
        end_byte: 0,
    };
    let mut rest = head.trim().trim_end_matches(':').trim_end();
    if !abbreviated_region(rest) {
        rest = rest.trim_end_matches('.').trim_end();
    }
    if let Some(open) = rest.rfind('(')
        && let Some(inner) = rest[open + 1..].strip_suffix(')')
    {
        let agency = bracketed_agency(inner.trim(), words);
        let more = inner
            .split(['/', ','])
            .map(str::trim)
            .find(|part| DatelineWords::has(&words.agencies, part));
        found.agency = agency.or(more);
        found.agency?;
        rest = rest[..open].trim_end().trim_end_matches(',').trim_end();
        if !abbreviated_region(rest) {
            rest = rest.trim_end_matches('.').trim_end();
        }
        if rest.is_empty() {
            return Some(found);
        }
    }
    let (place, day) = part_day(rest, words);
    found.day = day;
    if found.agency.is_none()
        && let Some((before, last)) = place.rsplit_once(',')
        && DatelineWords::has(&words.agencies, last.trim())
        && is_place(before.trim(), words)
    {
        found.agency = Some(last.trim());
        found.place = Some(before.trim());
        return Some(found);
    }
    let place = place.trim().trim_end_matches(',').trim_end();
    if place.is_empty() || !is_place(place, words) {
        return None;
    }
    let town = place.split(',').next().unwrap_or(place).trim();
    let letters = town.chars().filter(|c| c.is_alphabetic()).count();
    let capitals =
        letters >= 3 && town.chars().all(|c| !c.is_lowercase()) && town.chars().any(char::is_uppercase);
    if !capitals && found.agency.is_none() && found.day.is_none() {
        return None;
    }
    found.place = Some(place);
    Some(found)
}

/// `BUFFALO, N.Y.` keeps its last stop, `MADRID.-` has one that is no part of the place.
fn abbreviated_region(text: &str) -> bool {
    text.rsplit_once(',')
        .is_some_and(|(_, region)| region.ends_with('.') && region.trim().len() <= 6)
}

fn bracketed_agency<'a>(inner: &'a str, words: &DatelineWords) -> Option<&'a str> {
    DatelineWords::has(&words.agencies, inner).then_some(inner)
}

/// An agency followed by a stop behind the dash.
fn agency_behind<'a>(rest: &'a str, words: &DatelineWords) -> Option<(&'a str, usize)> {
    let body = rest.trim_start();
    let stop = body.find(". ")?;
    let agency = body[..stop].trim_end_matches('.');
    (DatelineWords::has(&words.agencies, agency)
        || agency
            .split('/')
            .all(|a| DatelineWords::has(&words.agencies, a.trim())))
    .then(|| (agency, rest.len() - body.len() + stop + 1))
}

/// Parts `PLACE, April 19, 2024` into the place and the day. The day begins behind a comma (or a full stop, as in
/// some agencies' style) and has a month, a weekday, or nothing but a numeric date.
fn part_day<'a>(text: &'a str, words: &DatelineWords) -> (&'a str, Option<&'a str>) {
    let starts = text
        .char_indices()
        .filter(|(_, c)| matches!(c, ',' | '.' | ' ' | '،'))
        .map(|(at, c)| at + c.len_utf8());
    for start in starts {
        let day = text[start..].trim();
        if !day.is_empty() && is_day(day, words) {
            let place = text[..start].trim_end().trim_end_matches([',', '.', '،']);
            return (place, Some(day));
        }
    }
    if is_day(text, words) {
        ("", Some(text))
    } else {
        (text, None)
    }
}

fn is_day(text: &str, words: &DatelineWords) -> bool {
    let (mut named, mut number) = (false, false);
    for token in text
        .split(|c: char| c.is_whitespace() || c == ',' || c == '،')
        .filter(|t| !t.is_empty())
    {
        let bare = token.trim_end_matches('.');
        let digits = bare.trim_end_matches(|c: char| c.is_alphabetic() || c == 'º' || c == '°');
        if DatelineWords::has(&words.months, bare) || DatelineWords::has(&words.weekdays, bare) {
            named = true;
        } else if !digits.is_empty()
            && digits
                .chars()
                .all(|c| c.is_numeric() || matches!(c, '/' | '.' | '-' | ':'))
        {
            number = true;
        } else if !DatelineWords::has(&words.particles, bare) {
            return false;
        }
    }
    let weekday_alone = DatelineWords::has(&words.weekdays, text.trim_end_matches('.'));
    weekday_alone || (named && number) || (number && text.bytes().filter(u8::is_ascii_digit).count() >= 4)
}

/// Words of a place: capitalised or uncased, at most seven in all and four in the town, no verb among them.
fn is_place(text: &str, words: &DatelineWords) -> bool {
    if DatelineWords::has(&words.not_places, text)
        || text.contains(['?', '!', ':', ';', '"', '“', '(', ')', '|'])
    {
        return false;
    }
    let town = text.split(',').next().unwrap_or(text);
    let label = town
        .split_whitespace()
        .next()
        .is_some_and(|word| DatelineWords::has(&words.not_places, word));
    let count = text.split_whitespace().count();
    if label || count > 7 || town.split_whitespace().count() > 4 || text.matches(',').count() > 3 {
        return false;
    }
    text.split(|c: char| c.is_whitespace() || c == ',' || c == '/')
        .filter(|w| !w.is_empty())
        .all(|word| {
            let first = word.trim_start_matches(['\'', '’', '‘']).chars().next();
            let digits = word.chars().any(char::is_numeric);
            !digits
                && (first.is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
                    || DatelineWords::has(&words.particles, word))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> DatelineWords {
        DatelineWords::parse(include_str!("../../knowledge/datelines.toml")).unwrap()
    }

    fn check(text: &str, place: Option<&str>, agency: Option<&str>, day: Option<&str>, rest: &str) {
        let words = words();
        let found = dateline(text, &words).unwrap_or_else(|| panic!("no dateline in {text:?}"));
        assert_eq!(
            (found.place, found.agency, found.day, &text[found.end_byte..]),
            (place, agency, day, rest)
        );
    }

    fn none(text: &str) {
        assert_eq!(dateline(text, &words()), None);
    }

    #[test]
    fn english_styles() {
        check(
            "WASHINGTON (Reuters) - The Pentagon said",
            Some("WASHINGTON"),
            Some("Reuters"),
            None,
            "The Pentagon said",
        );
        check(
            "NIAMEY, April 19 (AFP) - Troops",
            Some("NIAMEY"),
            Some("AFP"),
            Some("April 19"),
            "Troops",
        );
        check(
            "OUAGADOUGOU, Burkina Faso (AP) — He",
            Some("OUAGADOUGOU, Burkina Faso"),
            Some("AP"),
            None,
            "He",
        );
        check("MADRID — The court", Some("MADRID"), None, None, "The court");
        check(
            "(Reuters) - Shares fell",
            None,
            Some("Reuters"),
            None,
            "Shares fell",
        );
        check(
            "BEIJING, Nov. 3 (Xinhua) -- China",
            Some("BEIJING"),
            Some("Xinhua"),
            Some("Nov. 3"),
            "China",
        );
    }

    #[test]
    fn other_styles() {
        check(
            "Niamey, 19 avril 2024 (AFP) – Les",
            Some("Niamey"),
            Some("AFP"),
            Some("19 avril 2024"),
            "Les",
        );
        check(
            "Madrid, 19 abr (EFE).- El",
            Some("Madrid"),
            Some("EFE"),
            Some("19 abr"),
            "El",
        );
        check(
            "МОСКВА, 19 апр — РИА Новости. Министр",
            Some("МОСКВА"),
            Some("РИА Новости"),
            Some("19 апр"),
            "Министр",
        );
        check(
            "PARIS, 3 juin (Reuters) - Le",
            Some("PARIS"),
            Some("Reuters"),
            Some("3 juin"),
            "Le",
        );
        check("N'DJAMENA, Chad—The", Some("N'DJAMENA, Chad"), None, None, "The");
        check(
            "BUFFALO, N.Y. — Hours",
            Some("BUFFALO, N.Y."),
            None,
            None,
            "Hours",
        );
        check(
            "SANTA FE, N.M. (AP) — A",
            Some("SANTA FE, N.M."),
            Some("AP"),
            None,
            "A",
        );
        check(
            "PORT-AU-PRINCE, Haiti (AP) - Gangs",
            Some("PORT-AU-PRINCE, Haiti"),
            Some("AP"),
            None,
            "Gangs",
        );
        check(
            "القاهرة (رويترز) - قال",
            Some("القاهرة"),
            Some("رويترز"),
            None,
            "قال",
        );
    }

    #[test]
    fn sentences_keep_their_beginning() {
        none("The minister - a general - said so.");
        none("WATCH - The troops leave");
        none("BREAKING — A coup");
        none("France - once the colonial power - has left.");
        none("Many of them (about 1,000) - have left.");
        none("He left.");
        none("");
        none("MADRID —");
    }
}
