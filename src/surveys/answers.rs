//! What those behind a share answered, and who they are.

use std::ops::Range;

use super::shares::{Look, Share};
use crate::events::Context;
use crate::mentions::Actor;
use crate::tables::{ActorKind, Code};
use crate::text::Upos;

/// An answer and what it says of the force.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The words of the answer.
    pub response: String,
    /// -1 against the force, 1 for it, 0 neither.
    pub polarity: i32,
    /// Where the answer was found.
    pub rule: &'static str,
}

/// Who was asked.
#[derive(Debug, Clone)]
pub(super) struct Population {
    pub name: String,
    pub country: Option<Code>,
    pub subgroup: Option<String>,
    pub is_subset: bool,
}

/// The answer behind a share: in the words up to the next share, or, where a mark closes the share, in those before
/// it; else that of the share before, turned round if the words only deny it.
pub(super) fn answer(
    look: &Look<'_>,
    shares: &[Share],
    index: usize,
    last: Option<&Answer>,
) -> Option<Answer> {
    let share = &shares[index];
    if share.is_other_side {
        return last.map(|last| Answer {
            polarity: -last.polarity,
            rule: "other_side",
            ..last.clone()
        });
    }
    let length = look.parsed.words.len();
    let next = shares.get(index + 1).map_or(length, |next| next.first);
    let before_first = index.checked_sub(1).map_or(0, |before| shares[before].end);
    let before = start(look, before_first, share.first)..share.first;
    let behind = share.end..stop(look, share.end, next);
    let is_closed = look
        .parsed
        .words
        .get(share.end)
        .is_none_or(|word| word.upos == Upos::Punct)
        || behind.is_empty();
    let question = question(look, shares);
    // What stands between two shares belongs to the first, if that found its answer there.
    let is_taken = index > 0 && last.is_some_and(|last| last.rule == "behind");
    let mut attempts = vec![("behind", behind.clone())];
    if !is_taken {
        attempts.insert(usize::from(!is_closed), ("before", before));
    }
    for (rule, range) in attempts {
        if let Some((response, polarity)) = scan(look, range, share, question) {
            return Some(Answer {
                response,
                polarity,
                rule,
            });
        }
    }
    if let Some(last) = last {
        let is_denied = (behind.start..behind.end.min(behind.start + 6)).any(|at| look.is_negator(at));
        let polarity = if is_denied { -last.polarity } else { last.polarity };
        return Some(Answer {
            rule: "inherited",
            polarity,
            ..last.clone()
        });
    }
    let (response, polarity) = scan(look, share.end..length, share, question)?;
    Some(Answer {
        response,
        polarity,
        rule: "later",
    })
}

/// The first answer of a sentence that may hold for the shares of the next: "Trust in the force? 43 percent in the
/// capital".
pub(super) fn earlier(look: &Look<'_>) -> Option<Answer> {
    let nowhere = Share {
        low: 0.0,
        high: 0.0,
        kind: crate::tables::ShareKind::Exact,
        first: usize::MAX,
        end: usize::MAX,
        prior: None,
        is_fraction: false,
        is_other_side: false,
    };
    let (response, polarity) = scan(look, 0..look.parsed.words.len(), &nowhere, 1)?;
    Some(Answer {
        response,
        polarity,
        rule: "inherited",
    })
}

/// Where the words that belong to a share end: at a semicolon, else before the next share.
fn stop(look: &Look<'_>, start: usize, next: usize) -> usize {
    (start..next).find(|at| look.text(*at) == ";").unwrap_or(next)
}

fn start(look: &Look<'_>, first: usize, share: usize) -> usize {
    (first..share)
        .rev()
        .find(|at| look.text(*at) == ";")
        .map_or(first, |at| at + 1)
}

/// What was asked, where it stands before the answers "yes" and "no": whether the force should leave (-1) or not (1).
fn question(look: &Look<'_>, shares: &[Share]) -> i32 {
    let end = shares.first().map_or(0, |share| share.first);
    let asked = (0..look.parsed.words.len()).find(|at| look.words.words.asked.contains(&look.lemma(*at)));
    let start = asked.unwrap_or(0).min(end);
    (start..end)
        .find_map(|at| look.words.complements.get(&look.lemma(at)).copied())
        .unwrap_or(1)
}

/// Words behind an answer in which it says what it is about.
const REACH: usize = 14;

/// The first answer in some words, and its polarity: the answer's own, times that of what it wants, turned round
/// where it is denied.
fn scan(look: &Look<'_>, range: Range<usize>, share: &Share, question: i32) -> Option<(String, i32)> {
    let words = look.words;
    let mut polarity: Option<i32> = None;
    let mut first = None;
    let mut denied = false;
    for at in range.clone() {
        let (lemma, text) = (look.lemma(at), look.text(at));
        if first.is_some_and(|first| at > first + REACH) {
            break;
        }
        let two = format!("{text} {}", look.text(at + 1));
        let yes_no = words.words.yes_no.get(&text).map(|value| value * question);
        if polarity.is_none() && words.words.bare.contains(&text) && !is_bare_answer(look, at, share) {
            continue;
        }
        let yes_no = yes_no.filter(|_| !words.responses.contains_key(&two));
        let response = words
            .responses
            .get(&two)
            .or_else(|| words.responses.get(&lemma))
            .or_else(|| words.responses.get(&text))
            .copied();
        let effect = words
            .complements
            .get(&two)
            .or_else(|| words.complements.get(&lemma))
            .copied();
        match (polarity, yes_no.or(response), effect) {
            (None, Some(value), _) => {
                denied = is_denied(look, &range, at);
                polarity = Some(value);
                first = Some(at);
                let is_turned = words.words.turning.contains(&lemma) || words.words.turning.contains(&text);
                if value == 0 || yes_no.is_some() || !is_turned {
                    break;
                }
            }
            (None, None, Some(effect)) => {
                denied = is_denied(look, &range, at);
                // "send it home"
                let goes = (at + 1..(at + 4).min(range.end))
                    .any(|next| words.words.directions.contains(&look.text(next)));
                polarity = Some(if goes { -1 } else { effect });
                first = Some(at);
                break;
            }
            (Some(value), _, Some(effect)) => {
                let turned = at.checked_sub(1).is_some_and(|_| {
                    first.is_some_and(|first| at > first && is_denied(look, &(first + 1..at), at))
                });
                polarity = Some(if turned { -value * effect } else { value * effect });
                break;
            }
            _ => {}
        }
    }
    let (polarity, first) = (polarity?, first?);
    let last = (first + 4).min(range.end).max(first + 1);
    let span = look.parsed.words[first].start..look.parsed.words[last - 1].end;
    let response: String = look.parsed.words[first..last]
        .iter()
        .map(|word| word.text)
        .collect::<Vec<_>>()
        .join(" ");
    debug_assert!(span.start <= span.end);
    Some((response, if denied { -polarity } else { polarity }))
}

/// "47 percent for", "are against": a preposition that is an answer by itself.
fn is_bare_answer(look: &Look<'_>, at: usize, share: &Share) -> bool {
    let leads = at > 0 && look.words.words.leading.contains(&look.lemma(at - 1));
    let is_behind = at == share.end || at == share.end.saturating_add(1);
    let is_before =
        at < share.first && share.first - at > 1 && share.first != usize::MAX && share.first - at < 8;
    leads || is_behind || is_before
}

fn is_denied(look: &Look<'_>, range: &Range<usize>, at: usize) -> bool {
    let start = at.saturating_sub(4).max(range.start);
    (start..at).any(|word| look.words.words.yes_no.get(&look.text(word)) != Some(&1) && look.is_negator(word))
}

/// Who was asked: the people right behind the share ("of Iraqis"), within it ("nine Kosovars in ten"), or the last
/// named before it, but for the force itself.
pub(super) fn population(
    context: &Context<'_, '_>,
    look: &Look<'_>,
    shares: &[Share],
    index: usize,
    force: &Actor<'_>,
) -> Option<Population> {
    let share = &shares[index];
    let next = shares
        .get(index + 1)
        .map_or(context.parsed.words.len(), |next| next.first);
    let behind = share.first..(share.end + 6).min(next);
    let before = (0..share.first).rev();
    let later = share.end..next;
    let asked = behind
        .chain(before)
        .chain(later)
        .find(|at| is_people(context, look, *at, force))?;
    let word = &context.parsed.words[asked];
    let country = context
        .actors
        .at(context.sentence, asked)
        .and_then(|actor| actor.country.clone())
        .or_else(|| country_beside(context, asked))
        .or_else(|| context.actors.focus.clone());
    let lists = &look.words.words;
    let is_led = share.first > 0 && look.text(share.first - 1) == look.words.of;
    let subgroup = (share.end..next)
        .find(|at| lists.among.contains(&look.text(*at)))
        .and_then(|at| context.parsed.words.get(at + 1))
        .map(|word| word.text.to_owned());
    Some(Population {
        name: word.text.to_owned(),
        country,
        subgroup,
        is_subset: is_led,
    })
}

fn is_people(context: &Context<'_, '_>, look: &Look<'_>, at: usize, force: &Actor<'_>) -> bool {
    let word = &context.parsed.words[at];
    let is_nominal = matches!(word.upos, Upos::Noun | Upos::Propn | Upos::Adj | Upos::Det);
    let actor = context.actors.at(context.sentence, at);
    let is_force = |actor: &Actor<'_>| actor.force.is_some() && actor.rule != "assumed";
    let is_listed = look.words.words.populations.contains(&look.lemma(at));
    let is_nation = actor.is_some_and(|actor| actor.kind == ActorKind::Population || actor.rule == "assumed");
    let describes_force = word
        .head
        .is_some_and(|head| context.actors.at(context.sentence, head).is_some_and(is_force));
    let is_free = !describes_force
        && at != force.head
        && actor.is_none_or(|actor| actor.head != force.head)
        && !actor.is_some_and(is_force);
    is_free && (is_nominal && is_nation || (is_nominal || word.upos == Upos::Pron) && is_listed)
}

fn country_beside(context: &Context<'_, '_>, at: usize) -> Option<Code> {
    let phrase = context.parsed.subtree_without(at, &["acl", "appos", "conj"]);
    let found = context
        .knowledge
        .gazetteer
        .find(context.text.text, context.parsed.span(&phrase));
    found
        .iter()
        .find_map(|found| found.entries.first().and_then(|entry| entry.country.clone()))
}

/// "64 percent disagreed": everybody who was asked, in a text that names the survey.
pub(super) fn everybody(context: &Context<'_, '_>) -> Population {
    Population {
        name: "respondents".to_owned(),
        country: context.actors.focus.clone(),
        subgroup: None,
        is_subset: false,
    }
}

/// "of 1,004 voters", "among 1,062 adults": a number of people too large for a share.
pub(super) fn sample(context: &Context<'_, '_>) -> Option<i64> {
    let samples = &context.language.surveys.words.samples;
    let words = &context.parsed.words;
    words.windows(2).find_map(|pair| {
        let number: i64 = pair[0].text.replace([',', '.', ' '], "").parse().ok()?;
        (number >= 100 && samples.contains(&pair[1].lemma.to_lowercase())).then_some(number)
    })
}

/// "margin of error of 3 points": percentage points.
pub(super) fn margin(context: &Context<'_, '_>) -> Option<f64> {
    let margins = &context.language.surveys.words.margins;
    let words = &context.parsed.words;
    let at = words
        .iter()
        .position(|word| margins.contains(&word.lemma.to_lowercase()))?;
    let mut behind = words[at..].iter().take(8);
    behind.find_map(|word| word.text.parse::<f64>().ok().filter(|points| *points < 15.0))
}
