//! Shares told in prose: "76%", "two-thirds", "six in ten", "58-25", "nearly three-quarters (72%)".

use std::collections::{HashMap, HashSet};

use super::Words;
use crate::tables::ShareKind;
use crate::text::{Parsed, Upos};

/// A share told in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Share {
    /// Least share, percent.
    pub low: f64,
    /// Greatest share, percent.
    pub high: f64,
    pub kind: ShareKind,
    /// Its first word, a hedge such as "more than" included.
    pub lead: usize,
    /// Its first word.
    pub first: usize,
    /// The word behind its last.
    pub end: usize,
    /// An earlier value of the share.
    pub prior: Option<f64>,
    /// The year of the earlier value.
    pub prior_year: Option<i32>,
    /// Whether it is told in words rather than as a percentage.
    pub is_fraction: bool,
    /// Whether it is the other side of a pair such as "58-25".
    pub is_other_side: bool,
}

impl Share {
    /// A share told as a number from one word to the word behind its last.
    pub(super) fn exact(value: f64, first: usize, end: usize) -> Self {
        Self {
            low: value,
            high: value,
            kind: ShareKind::Exact,
            lead: first,
            first,
            end,
            prior: None,
            prior_year: None,
            is_fraction: false,
            is_other_side: false,
        }
    }
}

/// "About" widens a share by this many points on either side.
const APPROXIMATE_POINTS: f64 = 3.0;
/// A figure in brackets glosses a fraction if it is this near to it, in points.
const GLOSS_POINTS: f64 = 8.0;

/// A sentence's words as the readers of shares look at them.
pub(super) struct Look<'s> {
    pub parsed: &'s Parsed<'s>,
    pub words: &'s Words,
    pub numerals: &'s HashMap<String, i64>,
    pub negators: &'s HashSet<String>,
}

impl Look<'_> {
    pub fn text(&self, at: usize) -> String {
        self.parsed
            .words
            .get(at)
            .map_or(String::new(), |word| word.text.to_lowercase())
    }

    pub fn lemma(&self, at: usize) -> String {
        self.parsed
            .words
            .get(at)
            .map_or(String::new(), |word| word.lemma.to_lowercase())
    }

    pub fn is_negator(&self, at: usize) -> bool {
        self.negators.contains(&self.lemma(at)) || self.negators.contains(&self.text(at))
    }

    pub fn before(&self, at: usize, back: usize) -> String {
        at.checked_sub(back).map_or(String::new(), |at| self.text(at))
    }
}

/// The shares of a sentence, in order: figures that gloss a fraction taken with it, earlier values with theirs.
pub(super) fn find(look: &Look<'_>) -> Vec<Share> {
    let mut found: Vec<Share> = Vec::new();
    let mut at = 0;
    while at < look.parsed.words.len() {
        let shares = pair(look, at).or_else(|| Some(vec![single(look, at)?]));
        let Some(shares) = shares.filter(|_| found.last().is_none_or(|last| last.end <= at)) else {
            at += 1;
            continue;
        };
        at = shares.last().map_or(at + 1, |share| share.end.max(at + 1));
        found.extend(shares);
    }
    found = glossed(look, found);
    found = bare(look, found);
    found = ranges(look, found);
    let found = with_priors(look, found);
    let starts: Vec<usize> = [0]
        .into_iter()
        .chain(found.iter().map(|share| share.end))
        .collect();
    let told = found.into_iter().zip(starts);
    told.filter(|(share, start)| !is_other(look, *start, share))
        .map(|(share, _)| share)
        .collect()
}

/// A number in digits or words and the word behind it: "61.4", "9,4", "seventy-one".
fn number(look: &Look<'_>, at: usize) -> Option<(f64, usize)> {
    let text = look.text(at);
    let numeral = |word: &str| look.numerals.get(word).map(|number| *number as f64);
    if let Ok(number) = text.trim_end_matches('%').replace(',', ".").parse::<f64>() {
        return Some((number, at + 1));
    }
    if let Some(whole) = look.words.wholes.get(&text) {
        return Some((*whole, at + 1));
    }
    if let Some((tens, ones)) = text.split_once('-')
        && let (Some(tens), Some(ones)) = (numeral(tens), numeral(ones))
        && tens >= 20.0
        && ones < 10.0
    {
        return Some((tens + ones, at + 1));
    }
    let tens = numeral(&text)?;
    if tens >= 20.0
        && look.text(at + 1) == "-"
        && let Some(ones) = numeral(&look.text(at + 2)).filter(|ones| *ones < 10.0)
    {
        return Some((tens + ones, at + 3));
    }
    Some((tens, at + 1))
}

/// Where the word for percent behind a number ends; `None` if there is none.
fn percent_end(look: &Look<'_>, at: usize, end: usize) -> Option<usize> {
    if look.text(at).ends_with('%') {
        return Some(end);
    }
    let lists = &look.words.words;
    let two = format!("{} {}", look.text(end), look.text(end + 1));
    if lists.percent.contains(&two) {
        Some(end + 2)
    } else {
        lists.percent.contains(&look.text(end)).then_some(end + 1)
    }
}

/// "58-25", "38/35", "64 to 21 percent", "between a third and two-fifths".
fn pair(look: &Look<'_>, at: usize) -> Option<Vec<Share>> {
    let lists = &look.words.words;
    let whole = look.text(at);
    let glued = whole.split_once(['-', '–', '/']).and_then(|(one, other)| {
        Some((
            one.parse::<f64>().ok()?,
            other.trim_end_matches('%').parse::<f64>().ok()?,
            at + 1,
        ))
    });
    let spaced = || {
        let (one, end) = number(look, at)?;
        let joint = look.text(end);
        let is_between = lists.between.contains(&look.before(at, 1)) && lists.and.contains(&joint);
        let is_joined = ["-", "–", "/"].contains(&joint.as_str()) || lists.to.contains(&joint) || is_between;
        let (other, end) = number(look, end + 1).filter(|_| is_joined)?;
        Some((one, other, end))
    };
    let (one, other, end) = glued.or_else(spaced)?;
    let end_of_percent = percent_end(look, end - 1, end);
    let is_told = end_of_percent.is_some() || lists.margin.contains(&look.before(at, 1));
    let is_share = (0.0..=100.0).contains(&one) && (0.0..=100.0).contains(&other) && one + other <= 101.0;
    let decimal = one.fract() == 0.0 && other.fract() == 0.0 && one + other >= 50.0;
    if !is_share || !(is_told || decimal && !lists.seats.contains(&look.text(end))) || one >= 1900.0 {
        return None;
    }
    let end = end_of_percent.unwrap_or(end);
    let exact = |value: f64, is_other_side| Share {
        is_other_side,
        ..Share::exact(value, at, end)
    };
    let ranges = (at.saturating_sub(5)..at).any(|at| lists.ranging.contains(&look.lemma(at)));
    if lists.from.contains(&look.before(at, 1)) && !ranges {
        let prior = Some(one);
        return Some(vec![Share {
            prior,
            ..exact(other, false)
        }]);
    }
    if other > one {
        return Some(vec![Share {
            high: other,
            kind: ShareKind::Range,
            ..exact(one, false)
        }]);
    }
    Some(vec![exact(one, false), exact(other, true)])
}

fn single(look: &Look<'_>, at: usize) -> Option<Share> {
    let (low, high, end, is_fraction) = percentage(look, at).or_else(|| part(look, at))?;
    let lists = &look.words.words;
    let phrase = |length: usize| {
        let start = at.checked_sub(length)?;
        Some(
            (start..at)
                .map(|word| look.text(word))
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let hedge = (1..=4).rev().find_map(|length| {
        let phrase = phrase(length)?;
        let is_vague = is_fraction && lists.approximate_parts.contains(&phrase);
        let kind = if lists.approximate.contains(&phrase) || is_vague {
            ShareKind::Approximate
        } else if lists.lower_bound.contains(&phrase) {
            ShareKind::LowerBound
        } else if lists.upper_bound.contains(&phrase) {
            ShareKind::UpperBound
        } else {
            return None;
        };
        Some((kind, at - length))
    });
    let lead = hedge.map_or(at, |(_, lead)| lead);
    let hedge = hedge.map(|(kind, _)| kind);
    let (low, high, kind) = match hedge {
        _ if low != high => (low, high, ShareKind::LowerBound),
        Some(ShareKind::Approximate) => (
            low - APPROXIMATE_POINTS,
            high + APPROXIMATE_POINTS,
            ShareKind::Approximate,
        ),
        Some(ShareKind::LowerBound) => (low, 100.0, ShareKind::LowerBound),
        Some(ShareKind::UpperBound) => (0.0, high, ShareKind::UpperBound),
        _ => (low, high, ShareKind::Exact),
    };
    let round = |value: f64| (value.clamp(0.0, 100.0) * 100.0).round() / 100.0;
    Some(Share {
        low: round(low),
        high: round(high),
        kind,
        lead,
        first: at,
        end,
        prior: None,
        prior_year: None,
        is_fraction,
        is_other_side: false,
    })
}

type Told = (f64, f64, usize, bool);

/// "76%", "76 percent", "seventy-one per cent".
fn percentage(look: &Look<'_>, at: usize) -> Option<Told> {
    let (value, end) = number(look, at)?;
    let end = percent_end(look, at, end)?;
    (0.0..=100.0)
        .contains(&value)
        .then_some((value, value, end, false))
}

/// "two-thirds", "six in ten", "nine Kosovars in ten", "two of every three", "half", "a majority".
fn part(look: &Look<'_>, at: usize) -> Option<Told> {
    let lists = &look.words.words;
    let unit = |word: &str| {
        let shares = &look.words.shares;
        shares
            .get(word)
            .or_else(|| shares.get(word.trim_end_matches('s')))
            .copied()
    };
    let first = look.text(at);
    if let Some(of) = look.words.shares.get(&format!("{first} {}", look.text(at + 1))) {
        return Some((of.0, of.1, at + 2, true));
    }
    if let Some((number, of)) = first.split_once('-')
        && let (Some(number), Some(of)) = (look.numerals.get(number), unit(of))
        && of.0 == of.1
    {
        let value = *number as f64 * of.0;
        return Some((value, value, at + 1, true));
    }
    if let Some((number, end)) = number(look, at) {
        let dash = usize::from(look.text(end) == "-");
        if let Some(of) = unit(&look.text(end + dash)).filter(|of| of.0 == of.1 && number < 20.0) {
            return Some((number * of.0, number * of.1, end + dash + 1, true));
        }
        return ratio(look, number, at, end);
    }
    let of = unit(&first)?;
    // "a third party", "quarter" of a year: a fraction stands behind an article or before "of".
    let is_led = of.0 != of.1
        || look.words.shares.get(&first).is_some_and(|share| share.0 == 50.0)
        || lists.articles.contains(&look.before(at, 1));
    is_led.then_some((of.0, of.1, at + 1, true))
}

/// `at` is the number's first word, `end` the word behind it.
fn ratio(look: &Look<'_>, number: f64, at: usize, end: usize) -> Option<Told> {
    let lists = &look.words.words;
    // "a household survey in five provinces" is no ratio.
    let skips = if lists.every.contains(&look.text(at)) {
        0
    } else {
        2
    };
    for skipped in 0..=skips {
        let mut at = end + skipped;
        if skipped > 0
            && !matches!(
                look.parsed.words.get(at - 1)?.upos,
                Upos::Noun | Upos::Propn | Upos::Adj
            )
        {
            return None;
        }
        if !lists.joining.contains(&look.text(at)) {
            continue;
        }
        let is_of = look.text(at) == look.words.of;
        at += 1;
        let mut is_every = false;
        while lists.every.contains(&look.text(at)) {
            is_every = true;
            at += 1;
        }
        let (whole, end) = self::number(look, at)?;
        let is_round = [10.0, 100.0, 1000.0].contains(&whole);
        let is_ratio = whole > number && (whole <= 20.0 || is_round) && (!is_of || is_every || is_round);
        return is_ratio.then_some((100.0 * number / whole, 100.0 * number / whole, end, true));
    }
    None
}

/// "nearly three-quarters (72%)", "a majority, 51 percent": one share, exact at the figure.
fn glossed(look: &Look<'_>, shares: Vec<Share>) -> Vec<Share> {
    let mut kept: Vec<Share> = Vec::new();
    for mut share in shares {
        let gloss = kept.last().filter(|last| {
            let opening = look.before(share.first, 1);
            let near = share.low >= last.low - GLOSS_POINTS && share.high <= last.high + GLOSS_POINTS;
            let is_apart = look.words.words.glossing.contains(&opening);
            let between = last.end..share.first;
            let is_answered = between
                .clone()
                .any(|at| look.words.responses.contains_key(&look.lemma(at)));
            let is_same = (share.low - last.low).abs() < 1.0 && look.words.words.opening.contains(&opening);
            let is_beside = is_apart && between.len() <= 7 && !is_answered;
            last.is_fraction && !share.is_fraction && near && (is_beside || is_same)
        });
        if let Some(gloss) = gloss {
            share.first = gloss.first;
            share.lead = gloss.lead;
            kept.pop();
        }
        kept.push(share);
    }
    kept
}

/// "between a third and two-fifths": one share.
fn ranges(look: &Look<'_>, shares: Vec<Share>) -> Vec<Share> {
    let mut kept: Vec<Share> = Vec::new();
    for share in shares {
        let opens = |last: &&mut Share| {
            let near = share.first.saturating_sub(last.end) <= 1 && share.high > last.low;
            near && last.first > 0 && look.words.words.between.contains(&look.text(last.first - 1))
        };
        match kept.last_mut().filter(opens) {
            Some(last) => {
                last.high = share.high;
                last.end = share.end;
                last.kind = ShareKind::Range;
            }
            None => kept.push(share),
        }
    }
    kept
}

/// "51 percent to 23", "Kurds at 77 percent and Turkmens at 23": bare numbers in the company of percentages.
fn bare(look: &Look<'_>, mut shares: Vec<Share>) -> Vec<Share> {
    let lists = &look.words.words;
    if !shares.iter().any(|share| !share.is_fraction) {
        return shares;
    }
    let length = look.parsed.words.len();
    let is_respective = (0..length).any(|at| lists.respectively.contains(&look.text(at)));
    for at in 1..length {
        let Some((value, end)) = number(look, at).filter(|(value, _)| (1.0..=99.0).contains(value)) else {
            continue;
        };
        let is_taken = shares.iter().any(|share| share.first <= at && at < share.end);
        let is_down = lists.to.contains(&look.before(at, 1)) && lists.down.contains(&look.before(at, 2));
        let is_led = lists.at.contains(&look.before(at, 1)) || is_down;
        let is_joined =
            lists.to.contains(&look.before(at, 1)) || lists.opposite.contains(&look.before(at, 1));
        let follows = is_joined && shares.iter().any(|share| share.end + 1 == at);
        // "by 38 and 55 percent respectively"
        let leads = is_respective
            && lists.and.contains(&look.text(end))
            && shares.iter().any(|share| share.first == end + 1);
        let is_closed = look
            .parsed
            .words
            .get(end)
            .is_none_or(|word| matches!(word.upos, Upos::Punct | Upos::Cconj | Upos::Adp));
        if !is_taken && (is_led || follows || leads) && is_closed {
            shares.push(Share::exact(value, at, end));
        }
    }
    shares.sort_by_key(|share| (share.first, share.is_other_side));
    for index in 1..shares.len() {
        let follows = shares[index - 1].end + 1 == shares[index].first;
        let joint = look.before(shares[index].first, 1);
        let is_joined = lists.to.contains(&joint) || lists.opposite.contains(&joint);
        if follows && is_joined && !lists.from.contains(&look.before(shares[index - 1].first, 1)) {
            shares[index].is_other_side = true;
        }
    }
    shares
}

/// "up from 40% in 2019", "from 71 percent to 17 percent": an earlier value belongs to the share it is compared with.
fn with_priors(look: &Look<'_>, shares: Vec<Share>) -> Vec<Share> {
    let lists = &look.words.words;
    let is_mark = |at: usize| {
        look.parsed
            .words
            .get(at)
            .is_some_and(|word| word.upos == Upos::Punct)
    };
    let is_prior = |share: &Share| {
        let was =
            lists.was.contains(&look.before(share.first, 1)) && share.first > 1 && is_mark(share.first - 2);
        let ranges =
            (share.lead.saturating_sub(4)..share.lead).any(|at| lists.ranging.contains(&look.lemma(at)));
        was && year_in(look, share.end..share.end + 3).is_some()
            || !ranges && (1..=2).any(|back| lists.from.contains(&look.before(share.first, back)))
    };
    let has = |range: std::ops::Range<usize>, wanted: &HashSet<String>| {
        range.into_iter().any(|at| wanted.contains(&look.text(at)))
    };
    let mut kept: Vec<Share> = Vec::new();
    let mut waiting: Option<(f64, Option<i32>)> = None;
    let firsts: Vec<usize> = shares.iter().map(|share| share.first).collect();
    for (index, mut share) in shares.into_iter().enumerate() {
        let next = firsts.get(index + 1).copied().unwrap_or(look.parsed.words.len());
        let behind_next = firsts.get(index + 2).copied().unwrap_or(look.parsed.words.len());
        let is_followed = has(share.end..share.end + 14, &lists.to);
        // "where 48% tolerated it in 2015, 35% do today"
        let is_past = index + 1 < firsts.len()
            && year_in(look, share.end..next).is_some()
            && has(next..behind_next, &lists.now);
        // "opposition, 40 percent in 2014, is down to 19"
        let is_later = lists.to.contains(&look.before(share.first, 1))
            && lists.down.contains(&look.before(share.first, 2));
        if share.prior.is_none() && (is_prior(&share) || is_past) {
            match kept.last_mut().filter(|last| {
                last.prior.is_none() && !is_past && (share.first - last.end < 8 || !is_followed)
            }) {
                Some(last) => {
                    (last.prior, last.prior_year) = (Some(share.low), year_in(look, share.end..next))
                }
                None => waiting = Some((share.low, year_in(look, share.end..next))),
            }
            continue;
        }
        if is_later && let Some(last) = kept.pop() {
            waiting = Some((last.low, year_in(look, last.end..share.first)));
        }
        if let Some((prior, year)) = waiting.take() {
            (share.prior, share.prior_year) = (Some(prior), year);
        }
        kept.push(share);
    }
    kept
}

fn year_in(look: &Look<'_>, range: std::ops::Range<usize>) -> Option<i32> {
    let mut years = range.filter_map(|at| look.text(at).parse::<i32>().ok());
    years.find(|year| (1900..2100).contains(year))
}

/// Changes, chances and shares of something that has no opinion.
fn is_other(look: &Look<'_>, start: usize, share: &Share) -> bool {
    let lists = &look.words.words;
    let word = |at: usize| look.parsed.words.get(at);
    let near = share.lead.saturating_sub(4)..share.lead;
    // What stands before a mark says nothing of the share.
    let mark = near
        .clone()
        .rfind(|at| word(*at).is_some_and(|word| word.upos == Upos::Punct));
    let reach = mark.map_or(near.start, |mark| mark + 1)..near.end;
    let turned = reach
        .clone()
        .any(|at| lists.to.contains(&look.text(at)) || lists.at.contains(&look.text(at)));
    let changed = reach.clone().any(|at| lists.change.contains(&look.lemma(at))) && !turned;
    let by_change = lists.by.contains(&look.before(share.first, 1))
        && (0..share.first).any(|at| lists.change.contains(&look.lemma(at)));
    let is_verb = |at: usize| word(at).is_some_and(|word| matches!(word.upos, Upos::Verb | Upos::Noun));
    let made_up = reach
        .into_iter()
        .any(|at| is_verb(at) && lists.composing.contains(&look.lemma(at)));
    let is_article = lists.articles.contains(&look.text(share.end));
    let at = share.end + usize::from(is_article);
    let counted = [look.lemma(at), look.text(at)]
        .iter()
        .any(|behind| lists.change.contains(behind) || lists.counted.contains(behind));
    let of_error = (share.lead.saturating_sub(5)..share.lead)
        .any(|at| lists.margins.contains(&look.lemma(at)))
        && !share.is_other_side
        && share.high < 15.0;
    let reach = if look.text(share.end) == look.words.of {
        4
    } else {
        1
    };
    let of_few = (share.first..share.end + reach).any(|at| lists.unpolled.contains(&look.lemma(at)));
    let unasked = (start..share.lead).any(|at| lists.unasked.contains(&look.lemma(at)));
    changed || by_change || made_up || counted || of_error || of_few || unasked || is_of_things(look, share)
}

/// "40 percent of the territory": the share of what is no people.
fn is_of_things(look: &Look<'_>, share: &Share) -> bool {
    // "most combat troops" needs no preposition, "most say" is one of people.
    let is_of = look.text(share.end) == look.words.of;
    let is_vague = share.low == 50.0 && share.high == 100.0;
    if !is_of && (!is_vague || opines(look, share.end)) {
        return false;
    }
    let mut at = share.end + usize::from(is_of);
    let mut head = None;
    while let Some(word) = look.parsed.words.get(at) {
        // "of Americans favor": a verb that the reader may have taken for a noun.
        if head.is_some() && opines(look, at) {
            return false;
        }
        match word.upos {
            // "84 percent of Vietnamese today"
            _ if look.words.words.now.contains(&look.text(at)) => {}
            Upos::Noun | Upos::Propn => head = Some(at),
            Upos::Pron if word.relation == "nmod:poss" => {}
            Upos::Pron => return false,
            Upos::Part => {}
            Upos::Det | Upos::Adj | Upos::Num | Upos::Punct | Upos::Adv if head.is_none() => {}
            _ => break,
        }
        at += 1;
        if at > share.end + 8 {
            break;
        }
    }
    head.is_some_and(|head| {
        let word = &look.parsed.words[head];
        let lemma = look.lemma(head);
        word.upos == Upos::Noun
            && !look.words.words.populations.contains(&lemma)
            && word.text.chars().next().is_some_and(char::is_lowercase)
    })
}

/// Whether a word is what people with an opinion do: they think, they want, they would.
pub(super) fn opines(look: &Look<'_>, at: usize) -> bool {
    let (lemma, text) = (look.lemma(at), look.text(at));
    let lists = &look.words.words;
    let is_preposition = look
        .parsed
        .words
        .get(at)
        .is_some_and(|word| word.upos == Upos::Adp);
    let is_opinion =
        lists.opining.contains(&lemma) || lists.polls.contains(&lemma) || lists.polls.contains(&text);
    is_opinion || !is_preposition && look.words.responses.contains_key(&lemma)
}
