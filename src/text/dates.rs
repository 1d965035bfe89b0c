//! Dates told in a sentence, resolved against the document's own date.
//!
//! There is no clock here: a relative date in a document without a date stays without one, and keeps its words.

use std::collections::{HashMap, HashSet};

use jiff::Span;
use jiff::civil::Date;
use serde::Deserialize;

use super::Parsed;
use crate::tables::{DateBasis, DatePrecision};

/// The words of dates in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    months: HashMap<String, i8>,
    weekdays: HashMap<String, i8>,
    seasons: HashMap<String, i8>,
    units: HashMap<String, i32>,
    words: Relations,
}

impl Words {
    /// Names of days and months, lower case.
    pub fn times(&self) -> HashSet<String> {
        self.months.keys().chain(self.weekdays.keys()).cloned().collect()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relations {
    today: HashSet<String>,
    yesterday: HashSet<String>,
    tomorrow: HashSet<String>,
    last: HashSet<String>,
    next: HashSet<String>,
    this: HashSet<String>,
    ago: HashSet<String>,
    deadline: HashSet<String>,
    before: HashSet<String>,
    articles: HashSet<String>,
    of: HashSet<String>,
    after: HashSet<String>,
    vague: HashSet<String>,
    ordinal_endings: Vec<String>,
    future_tags: HashSet<String>,
    infinitive_tags: HashSet<String>,
}

/// A date told in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Index of its first word in the sentence.
    pub first: usize,
    /// Index after its last word.
    pub end: usize,
    /// First day, where it can be resolved.
    pub starts_on: Option<Date>,
    /// Last day, where it can be resolved.
    pub ends_on: Option<Date>,
    /// How exact it is.
    pub precision: Option<DatePrecision>,
    /// What it rests on.
    pub basis: DateBasis,
}

/// The dates told in a sentence, in order. `published` is the day the document was published.
/// `numerals` are the number words of the language.
pub fn find(
    parsed: &Parsed<'_>,
    words: &Words,
    numerals: &HashMap<String, i64>,
    published: Option<Date>,
) -> Vec<Told> {
    let texts: Vec<String> = parsed.words.iter().map(|word| word.text.to_lowercase()).collect();
    let finder = Finder {
        texts: &texts,
        parsed,
        words,
        numerals,
        published,
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < texts.len() {
        match finder.at(at) {
            Some(told) => {
                at = told.end.max(at + 1);
                found.push(finder.bounded(told));
            }
            None => at += 1,
        }
    }
    found
}

struct Finder<'f> {
    texts: &'f [String],
    parsed: &'f Parsed<'f>,
    words: &'f Words,
    numerals: &'f HashMap<String, i64>,
    published: Option<Date>,
}

impl Finder<'_> {
    fn text(&self, at: usize) -> &str {
        self.texts.get(at).map_or("", String::as_str)
    }

    fn month(&self, at: usize) -> Option<i8> {
        // A month is capitalised: "may" and "march" are also verbs.
        let is_name = self.parsed.words.get(at)?.text.starts_with(char::is_uppercase);
        self.words
            .months
            .get(self.text(at).trim_end_matches('.'))
            .copied()
            .filter(|_| is_name)
    }

    fn day(&self, at: usize) -> Option<i8> {
        let text = self.text(at);
        let digits = self
            .words
            .words
            .ordinal_endings
            .iter()
            .find_map(|ending| text.strip_suffix(ending.as_str()))
            .unwrap_or(text);
        digits
            .parse()
            .ok()
            .filter(|day| (1..=31).contains(day) && digits.len() <= 2)
    }

    fn year(&self, at: usize) -> Option<i16> {
        let text = self.text(at);
        text.parse()
            .ok()
            .filter(|year| text.len() == 4 && (1900..=2100).contains(year))
    }

    fn unit(&self, at: usize) -> Option<(&str, i32)> {
        let text = self.text(at);
        let singular = text.strip_suffix('s').unwrap_or(text);
        self.words
            .units
            .get_key_value(singular)
            .or_else(|| self.words.units.get_key_value(text))
            .map(|(unit, days)| (unit.as_str(), *days))
    }

    fn at(&self, at: usize) -> Option<Told> {
        self.calendar(at).or_else(|| self.relative(at))
    }

    /// "September 15, 2024", "15 September", "July 2023", "2024-05-19", "in 2022".
    fn calendar(&self, at: usize) -> Option<Told> {
        if let Ok(date) = self.text(at).parse::<Date>()
            && self.text(at).len() == 10
        {
            return Some(told(
                at,
                at + 1,
                Some((date, date)),
                DatePrecision::Day,
                DateBasis::Explicit,
            ));
        }
        let (month, day, mut end) = match (self.month(at), self.day(at)) {
            (Some(month), _) => match self.day(at + 1).filter(|_| self.year(at + 1).is_none()) {
                Some(day) => (month, Some(day), at + 2),
                None => (month, None, at + 1),
            },
            (None, Some(day)) => {
                let next = if self.words.words.of.contains(self.text(at + 1)) {
                    at + 2
                } else {
                    at + 1
                };
                (self.month(next)?, Some(day), next + 1)
            }
            (None, None) => return self.season_or_year(at),
        };
        let after_comma = if self.text(end) == "," { end + 1 } else { end };
        let year = self.year(after_comma);
        if year.is_some() {
            end = after_comma + 1;
        }
        let basis = if year.is_some() {
            DateBasis::Explicit
        } else {
            DateBasis::Relative
        };
        let precision = if day.is_some() {
            DatePrecision::Day
        } else {
            DatePrecision::Month
        };
        let year = year.or_else(|| self.nearest_year(month, day, at));
        let span = year.and_then(|year| match day {
            Some(day) => Date::new(year, month, day).ok().map(|date| (date, date)),
            None => month_span(year, month),
        });
        Some(told(at, end, span, precision, basis))
    }

    fn season_or_year(&self, at: usize) -> Option<Told> {
        if let Some(first) = self.words.seasons.get(self.text(at)) {
            let year = self.year(at + 1)?;
            let (start, _) = month_span(year, *first)?;
            let end = start.checked_add(Span::new().months(3)).ok()?.yesterday().ok()?;
            return Some(told(
                at,
                at + 2,
                Some((start, end)),
                DatePrecision::Season,
                DateBasis::Explicit,
            ));
        }
        let year = self.year(at)?;
        // A bare number of four digits is a year after a preposition or at the head of a phrase of time.
        let before = at.checked_sub(1).map_or("", |before| self.text(before));
        let opens = !self.parsed.preposition(at).is_empty()
            || at == 0
            || self.words.words.before.contains(before)
            || self.words.words.after.contains(before);
        let is_counted =
            self.parsed.is(at, "nummod") && self.parsed.words[at].head.is_some_and(|head| head > at);
        (opens && !is_counted).then(|| {
            told(
                at,
                at + 1,
                year_span(year),
                DatePrecision::Year,
                DateBasis::Explicit,
            )
        })
    }

    /// The year that makes a month or day the last one before publication, or the next one where the verb tells of
    /// the future or the date is a deadline.
    fn nearest_year(&self, month: i8, day: Option<i8>, at: usize) -> Option<i16> {
        let published = self.published?;
        let date = Date::new(published.year(), month, day.unwrap_or(1)).ok()?;
        let is_future = self.is_future(at);
        Some(match date.cmp(&published) {
            std::cmp::Ordering::Greater if !is_future => published.year() - 1,
            std::cmp::Ordering::Less if is_future && (published.month() - month > 1) => published.year() + 1,
            _ => published.year(),
        })
    }

    fn is_future(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |before| self.text(before));
        let mut above = self.parsed.words.get(at).and_then(|word| word.head);
        for _ in 0..4 {
            let Some(head) = above else { break };
            let children = self.parsed.children(head);
            let future = children.iter().any(|child| {
                self.parsed.is(*child, "aux")
                    && self
                        .words
                        .words
                        .future_tags
                        .contains(self.parsed.words[*child].xpos)
                    || self.parsed.is(*child, "mark")
                        && self
                            .words
                            .words
                            .infinitive_tags
                            .contains(self.parsed.words[head].xpos)
            });
            if future {
                return true;
            }
            above = self.parsed.words[head].head;
        }
        self.words.words.deadline.contains(before)
    }

    /// "on Sunday", "last month", "two weeks ago", "yesterday", "a few months later".
    fn relative(&self, at: usize) -> Option<Told> {
        let text = self.text(at);
        let words = &self.words.words;
        let day = |offset: i32| self.shift(offset).map(|date| (date, date));
        let one = |span| Some(told(at, at + 1, span, DatePrecision::Day, DateBasis::Relative));
        if words.today.contains(text) {
            return one(day(0));
        }
        if words.yesterday.contains(text) {
            return one(day(-1));
        }
        if words.tomorrow.contains(text) {
            return one(day(1));
        }
        if let Some(weekday) = self.words.weekdays.get(text) {
            let before = at.checked_sub(1).map_or("", |before| self.text(before));
            let offset = self.published.map(|published| {
                let back = (i32::from(published.weekday().to_monday_one_offset()) - i32::from(*weekday))
                    .rem_euclid(7);
                if words.next.contains(before) || self.is_future(at) {
                    7 - back
                } else {
                    -back
                }
            });
            return one(offset.and_then(day));
        }
        let direction = if words.last.contains(text) {
            -1
        } else if words.next.contains(text) {
            1
        } else if words.this.contains(text) {
            0
        } else {
            return self.counted(at);
        };
        if let Some((unit, _)) = self.unit(at + 1) {
            let span = self
                .published
                .and_then(|published| calendar_unit(published, unit, direction));
            return Some(told(
                at,
                at + 2,
                span.map(|(span, _)| span),
                unit_precision(unit),
                DateBasis::Relative,
            ));
        }
        if let Some(month) = self.month(at + 1) {
            let year = self.nearest_year(month, None, at + 1);
            let span = year.and_then(|year| month_span(year, month));
            return Some(told(at, at + 2, span, DatePrecision::Month, DateBasis::Relative));
        }
        None
    }

    /// "two weeks ago", "a few months later", "in the past decade", "in three months".
    fn counted(&self, at: usize) -> Option<Told> {
        let (_, days) = self.unit(at)?;
        let after = self.text(at + 1);
        let number = at.checked_sub(1).and_then(|before| self.number(before));
        let has_article = at >= 2 && self.words.words.articles.contains(self.text(at - 2));
        let first = at.saturating_sub(if has_article { 2 } else { 1 });
        if self.words.words.ago.contains(after) {
            let date = number.and_then(|number| self.shift(-(number * days)));
            let precision = if days <= 7 {
                DatePrecision::Day
            } else {
                DatePrecision::Month
            };
            let span = date.and_then(|date| {
                if days <= 7 {
                    Some((date, date))
                } else {
                    month_span(date.year(), date.month())
                }
            });
            return Some(told(first, at + 2, span, precision, DateBasis::Relative));
        }
        if self.words.words.vague.contains(after) {
            let mut vague = told(first, at + 2, None, DatePrecision::After, DateBasis::Relative);
            vague.precision = None;
            return Some(vague);
        }
        None
    }

    fn number(&self, at: usize) -> Option<i32> {
        let word = self.text(at);
        let number = word.parse().ok().or_else(|| {
            self.numerals
                .get(word)
                .and_then(|number| i32::try_from(*number).ok())
        });
        number.filter(|number| (1..=200).contains(number))
    }

    fn shift(&self, days: i32) -> Option<Date> {
        self.published?.checked_add(Span::new().days(days)).ok()
    }

    /// A date after "by" or "until" is a last day, after "since" a first one.
    fn bounded(&self, mut told: Told) -> Told {
        let before = told.first.checked_sub(1).map_or("", |before| self.text(before));
        if self.words.words.before.contains(before) {
            told.starts_on = None;
            told.precision = Some(DatePrecision::Before);
        } else if self.words.words.after.contains(before) {
            told.ends_on = None;
            told.precision = Some(DatePrecision::After);
        }
        told
    }
}

fn told(
    first: usize,
    end: usize,
    span: Option<(Date, Date)>,
    precision: DatePrecision,
    basis: DateBasis,
) -> Told {
    let (starts_on, ends_on) = span.map_or((None, None), |(start, end)| (Some(start), Some(end)));
    Told {
        first,
        end,
        starts_on,
        ends_on,
        precision: span.map(|_| precision),
        basis,
    }
}

fn month_span(year: i16, month: i8) -> Option<(Date, Date)> {
    let first = Date::new(year, month, 1).ok()?;
    Some((first, first.last_of_month()))
}

fn year_span(year: i16) -> Option<(Date, Date)> {
    Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?))
}

fn unit_precision(unit: &str) -> DatePrecision {
    match unit {
        "day" => DatePrecision::Day,
        "week" | "fortnight" => DatePrecision::Week,
        "month" => DatePrecision::Month,
        "year" => DatePrecision::Year,
        _ => DatePrecision::Range,
    }
}

/// The calendar unit `steps` away from the one a date lies in.
fn calendar_unit(date: Date, unit: &str, steps: i32) -> Option<((Date, Date), DatePrecision)> {
    let precision = unit_precision(unit);
    let span = match precision {
        DatePrecision::Day => {
            let day = date.checked_add(Span::new().days(steps)).ok()?;
            (day, day)
        }
        DatePrecision::Week => {
            let back = i32::from(date.weekday().to_monday_zero_offset());
            let first = date.checked_add(Span::new().days(steps * 7 - back)).ok()?;
            (first, first.checked_add(Span::new().days(6)).ok()?)
        }
        DatePrecision::Month => {
            let month = date
                .first_of_month()
                .checked_add(Span::new().months(steps))
                .ok()?;
            (month, month.last_of_month())
        }
        DatePrecision::Year => year_span(date.year() + steps as i16)?,
        _ if steps < 0 => (date.checked_sub(Span::new().years(10)).ok()?, date),
        _ => (date, date.checked_add(Span::new().years(10)).ok()?),
    };
    Some((span, precision))
}
