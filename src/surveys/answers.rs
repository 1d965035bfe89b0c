//! What those behind a share answered, and who they are.

use std::ops::Range;

use super::shares::{Look, Share, opines};
use crate::events::Context;
use crate::mentions::Actor;
use crate::sentiment;
use crate::tables::{ActorKind, Code};
use crate::text::Upos;

/// An answer and what it says of the force.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// The words of the answer.
    pub response: String,
    /// -1 against the force, 1 for it, 0 neither.
    pub polarity: i32,
    /// The polarity without denial: of "say they should not stay", that of staying.
    pub affirmed: i32,
    /// What it says of the force to be for what was asked about: 1, and -1 for a withdrawal.
    pub question: i32,
    /// The word that answers; no word of the sentence where another sentence or share answers.
    pub at: usize,
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
    context: &Context<'_, '_>,
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
            at: usize::MAX,
            ..last.clone()
        });
    }
    let length = look.parsed.words.len();
    let next = shares.get(index + 1).map_or(length, |next| next.lead);
    let before_first = index.checked_sub(1).map_or(0, |before| shares[before].end);
    let before = start(look, before_first, share.lead)..share.lead;
    let behind = share.end..stop(look, share.end, next);
    let is_closed = look
        .parsed
        .words
        .get(share.end)
        .is_none_or(|word| word.upos == Upos::Punct)
        || behind.is_empty();
    let asked = Asked {
        answered_yes: question(look, shares),
        before: last.map(|last| last.question),
    };
    // What stands between two shares belongs to the first, if that found its answer there.
    let is_taken = index > 0 && last.is_some_and(|last| last.rule == "behind");
    let mut attempts = vec![("behind", behind.clone())];
    if !is_taken {
        attempts.insert(usize::from(!is_closed), ("before", before));
    }
    for (rule, range) in &attempts {
        if let Some(answer) = scan(look, range.clone(), share, asked) {
            return Some(Answer { rule, ..answer });
        }
    }
    let mut judged = attempts.iter().filter_map(|(_, range)| judged(context, range));
    if let Some(answer) = judged.next() {
        return Some(answer);
    }
    if let Some(last) = last {
        return elliptic(look, behind, last);
    }
    let answer = scan(look, share.end..length, share, asked)?;
    Some(Answer {
        rule: "later",
        ..answer
    })
}

/// "and 31 percent in the capital", "in June 41 percent did", "46 percent do not": the answer of the share before.
fn elliptic(look: &Look<'_>, behind: Range<usize>, last: &Answer) -> Option<Answer> {
    let lists = &look.words.words;
    // "16 percent think they hit militants" answers for itself.
    let mut words = behind.clone();
    if words.any(|at| {
        let lemma = look.lemma(at);
        look.parsed.words[at].upos == Upos::Verb
            && ![&lists.auxiliaries, &lists.reporting, &lists.opining]
                .iter()
                .any(|list| list.contains(&lemma))
    }) {
        return None;
    }
    let near = behind.start..behind.end.min(behind.start + 6);
    let is_denied = near.clone().any(|at| look.is_negator(at));
    let is_told = near
        .clone()
        .any(|at| look.words.words.auxiliaries.contains(&look.lemma(at)));
    let polarity = match (is_denied, is_told) {
        (true, true) => -last.affirmed,
        (true, false) => -last.polarity,
        (false, true) => last.affirmed,
        (false, false) => last.polarity,
    };
    Some(Answer {
        rule: "inherited",
        at: usize::MAX,
        polarity,
        ..last.clone()
    })
}

/// "81 percent called them occupiers": a judgement by the words that judge forces anywhere.
fn judged(context: &Context<'_, '_>, range: &Range<usize>) -> Option<Answer> {
    let judgements = sentiment::judgements(context);
    let is_verb = |at: usize| context.parsed.words[at].upos == Upos::Verb;
    let is_force = |at: usize| {
        context
            .actors
            .at(context.sentence, at)
            .is_some_and(|actor| actor.force.is_some())
    };
    let mut judgements = judgements
        .into_iter()
        .filter(|(at, _)| !is_verb(*at) && !is_force(*at));
    let (predicate, polarity) = judgements.find(|(at, _)| range.contains(at))?;
    Some(Answer {
        response: context.parsed.words[predicate].text.to_owned(),
        polarity,
        affirmed: polarity,
        question: 1,
        at: predicate,
        rule: "judged",
    })
}

/// The answer of a sentence that may hold for the shares of the next: "Trust in the force? 43 percent in the
/// capital".
pub(super) fn earlier(look: &Look<'_>) -> Option<Answer> {
    let nowhere = Share::exact(0.0, usize::MAX, usize::MAX);
    let asked = Asked {
        answered_yes: 1,
        before: None,
    };
    let answer = scan(look, 0..look.parsed.words.len(), &nowhere, asked)?;
    Some(Answer {
        rule: "inherited",
        at: usize::MAX,
        ..answer
    })
}

/// Where the words that belong to a share end: at a semicolon or where the source begins, else before the next share.
fn stop(look: &Look<'_>, start: usize, next: usize) -> usize {
    let ends = |at: &usize| look.text(*at) == ";" || look.words.words.sourcing.contains(&look.text(*at));
    (start..next).find(ends).unwrap_or(next)
}

fn start(look: &Look<'_>, first: usize, share: usize) -> usize {
    (first..share)
        .rev()
        .find(|at| look.text(*at) == ";")
        .map_or(first, |at| at + 1)
}

/// What was asked: of those who say yes or no, and of those who are for or against what the answer before was about.
#[derive(Clone, Copy)]
struct Asked {
    answered_yes: i32,
    before: Option<i32>,
}

/// What was asked, where it stands before the answers "yes" and "no": whether the force should leave (-1) or not (1).
fn question(look: &Look<'_>, shares: &[Share]) -> i32 {
    let end = shares.first().map_or(0, |share| share.lead);
    let asked = (0..end).find(|at| look.words.words.asked.contains(&look.lemma(*at)));
    let value = |at: usize| {
        let lemma = look.lemma(at);
        let is_answer = asked.is_some() && !look.words.words.bare.contains(&lemma);
        let response = look
            .words
            .responses
            .get(&lemma)
            .filter(|value| is_answer && **value != 0);
        look.words.complements.get(&lemma).or(response).copied()
    };
    (asked.unwrap_or(0)..end).find_map(value).unwrap_or(1)
}

/// Words behind an answer in which it says what it is about.
const REACH: usize = 14;

/// The first answer in some words, and its polarity: the answer's own, times that of what it wants, turned round
/// where it is denied.
fn scan(look: &Look<'_>, range: Range<usize>, share: &Share, asked: Asked) -> Option<Answer> {
    let lists = &look.words.words;
    for at in range.clone() {
        if lists.bare.contains(&look.text(at)) && !is_bare_answer(look, at, share) {
            continue;
        }
        let Some(value) = response(look, at) else {
            if let Some(yes_no) = lists.yes_no.get(&look.text(at)) {
                return Some(told(look, &range, at, yes_no * asked.answered_yes, 1));
            }
            if let Some(effect) = effect(look, at, range.end).filter(|_| !is_time(look, &range, at)) {
                let (at, effect) = judgement_behind(look, &range, at, effect);
                return Some(told(look, &range, at, effect, 1));
            }
            continue;
        };
        let two = format!("{} {}", look.text(at), look.text(at + 1));
        let keys = [look.lemma(at), look.text(at), two];
        let is_turned = keys.iter().any(|key| lists.turning.contains(key));
        let question = if value == 0 || !is_turned {
            1
        } else {
            about(look, &range, at).unwrap_or_else(|| asked_before(look, &range, at, asked))
        };
        return Some(told(look, &range, at, value * question, question));
    }
    None
}

/// The value of an answer in one word or two.
fn response(look: &Look<'_>, at: usize) -> Option<i32> {
    let responses = &look.words.responses;
    let text = look.text(at);
    // "says the Essential poll", "Iran-backed"
    // "the opposition demands"
    let led = at.checked_sub(1).map(|at| look.parsed.words[at].upos);
    if look.words.words.parties.contains(&text)
        && led == Some(Upos::Det)
        && look.parsed.words.get(at + 1)?.upos != Upos::Adp
    {
        return None;
    }
    let is_name = look.parsed.words.get(at)?.text.starts_with(char::is_uppercase);
    let before = at.checked_sub(1).map(|at| &look.parsed.words[at]);
    if before.is_some_and(|before| is_name && before.upos != Upos::Punct || before.text == "-") {
        return None;
    }
    let two = responses.get(&format!("{text} {}", look.text(at + 1)));
    let one = responses.get(&look.lemma(at)).or_else(|| responses.get(&text));
    let is_yes_no = look.words.words.yes_no.contains_key(&text);
    two.or(one.filter(|_| !is_yes_no)).copied()
}

/// What a word says that the force does: it leaves -1, it stays 1; "send it home" is to leave.
fn effect(look: &Look<'_>, at: usize, end: usize) -> Option<i32> {
    let complements = &look.words.complements;
    let two = complements.get(&format!("{} {}", look.text(at), look.text(at + 1)));
    let one = || {
        complements
            .get(&look.lemma(at))
            .or_else(|| complements.get(&look.text(at)))
    };
    let effect = *two.or_else(one)?;
    let goes = (at + 1..(at + 4).min(end)).any(|next| look.words.words.directions.contains(&look.text(next)));
    Some(if goes { -1 } else { effect })
}

/// "fled before they arrived": a happening that only says when.
fn is_time(look: &Look<'_>, range: &Range<usize>, at: usize) -> bool {
    let start = at.saturating_sub(6).max(range.start);
    let mark = (start..at).rfind(|at| look.words.words.temporal.contains(&look.text(*at)));
    mark.is_some_and(|mark| !(mark..at).any(|at| look.words.words.opining.contains(&look.lemma(at))))
}

/// What an answer is about, where it says so: to favour a withdrawal is to be against the force.
fn about(look: &Look<'_>, range: &Range<usize>, answer: usize) -> Option<i32> {
    let end = range.end.min(answer + REACH + 1);
    let end = (answer + 1..end).find(|at| look.text(*at) == ",").unwrap_or(end);
    let (at, effect) = (answer + 1..end).find_map(|at| Some((at, effect(look, at, end)?)))?;
    Some(if is_denied(look, &(answer + 1..at), at) {
        -effect
    } else {
        effect
    })
}

/// What an answer is about that does not say so: what the one before was about, or what those behind it say, as in
/// "52 percent strongly agree and 17 percent agree that they should come back".
fn asked_before(look: &Look<'_>, range: &Range<usize>, answer: usize, asked: Asked) -> i32 {
    let rest = range.end..look.parsed.words.len();
    let later = || {
        (rest.start < rest.end)
            .then(|| about(look, &rest, rest.start))
            .flatten()
    };
    let found = asked.before.or_else(later);
    found.filter(|_| echoes(look, range, answer)).unwrap_or(1)
}

/// "24 percent oppose it", "29 percent against,: an answer that names nothing that it is about.
fn echoes(look: &Look<'_>, range: &Range<usize>, answer: usize) -> bool {
    let is_adverb = |at: &usize| {
        look.parsed
            .words
            .get(*at)
            .is_some_and(|word| word.upos == Upos::Adv)
    };
    let next = (answer + 1..range.end).find(|at| !is_adverb(at));
    let Some(word) = next.map(|at| &look.parsed.words[at]) else {
        return true;
    };
    let is_mark = matches!(word.upos, Upos::Punct | Upos::Cconj | Upos::Sconj);
    is_mark || look.words.words.echoing.contains(&word.text.to_lowercase())
}

/// "sending troops was a mistake": what stands behind judges what happens.
fn judgement_behind(look: &Look<'_>, range: &Range<usize>, at: usize, effect: i32) -> (usize, i32) {
    let judges = |word: &usize| look.words.words.judging.contains(&look.lemma(*word));
    let is_mark = |word: &usize| look.parsed.words[*word].upos == Upos::Punct;
    let mut clause = (at + 1..range.end.min(at + REACH + 1)).take_while(|word| !is_mark(word));
    let found = clause.find(judges);
    match found.and_then(|word| Some((word, response(look, word)?))) {
        Some((word, value)) => (word, value * effect),
        None => (at, effect),
    }
}

/// An answer that a word gives, turned round where the words before deny it.
fn told(look: &Look<'_>, range: &Range<usize>, at: usize, value: i32, question: i32) -> Answer {
    let words = &look.parsed.words[at..(at + 4).min(range.end).max(at + 1)];
    let words: Vec<&str> = words.iter().map(|word| word.text).collect();
    Answer {
        response: words.join(" "),
        polarity: if is_denied(look, range, at) { -value } else { value },
        affirmed: value,
        question,
        at,
        rule: "behind",
    }
}

/// "47 percent for", "are against": a preposition that is an answer by itself.
fn is_bare_answer(look: &Look<'_>, at: usize, share: &Share) -> bool {
    // "61 percent against 20"
    if look
        .parsed
        .words
        .get(at + 1)
        .is_some_and(|word| word.upos == Upos::Num)
    {
        return false;
    }
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
    let asked = named(context, look, share, force).or_else(|| {
        let mut words = behind.chain(before).chain(later);
        words.find(|at| is_people(context, look, *at, force))
    })?;
    let country = context
        .actors
        .at(context.sentence, asked)
        .and_then(|actor| actor.country.clone())
        .or_else(|| country_beside(context, asked))
        .or_else(|| place_asked(context, look, share))
        .or_else(|| context.actors.focus.clone());
    let is_led = share.first > 0 && look.text(share.first - 1) == look.words.of;
    let subgroup = subgroup(
        context,
        look,
        share,
        index.checked_sub(1).map_or(0, |before| shares[before].end),
        next,
    );
    Some(Population {
        name: phrase(context, share, asked),
        country,
        subgroup,
        is_subset: is_led,
    })
}

/// "61 percent of Okinawans", "six in ten Quebecers": a name of which the share is one.
fn named(context: &Context<'_, '_>, look: &Look<'_>, share: &Share, force: &Actor<'_>) -> Option<usize> {
    let words = &context.parsed.words;
    let closed = words.get(share.end).is_some_and(|word| word.upos == Upos::Punct);
    let end = share.end + usize::from(closed && look.text(share.end + 1) == look.words.of);
    let is_of = look.text(end) == look.words.of;
    let first = end + usize::from(is_of);
    let is_name = |at: &usize| {
        let upos = words.get(*at).map(|word| word.upos);
        matches!(upos, Some(Upos::Propn | Upos::Adj))
            || is_of && upos == Some(Upos::Noun) && !opines(look, *at)
    };
    let head = (first..first + 3).take_while(is_name).last()?;
    let is_capital =
        is_of && words[head].upos == Upos::Noun || words[head].text.starts_with(char::is_uppercase);
    let is_force = (first..=head).any(|at| {
        let actor = context.actors.at(context.sentence, at);
        at == force.head || actor.is_some_and(|actor| actor.force.is_some() && actor.rule != "assumed")
    });
    let owns = words.get(head + 1).is_some_and(|word| word.upos == Upos::Part);
    (is_capital && !is_force && !owns).then_some(head)
}

/// Those asked with the words that describe them: "Turkish Cypriots", "young Senegalese".
fn phrase(context: &Context<'_, '_>, share: &Share, head: usize) -> String {
    let words = &context.parsed.words;
    let describes = |at: &usize| {
        let is_percent = context
            .language
            .surveys
            .words
            .percent
            .contains(&words[*at].text.to_lowercase());
        let outside = (*at >= share.end || *at < share.lead) && !is_percent;
        outside && matches!(words[*at].upos, Upos::Adj | Upos::Propn | Upos::Noun)
    };
    let first = (0..head).rev().take_while(describes).last().unwrap_or(head);
    context.text.text[words[first].start..words[head].end].to_owned()
}

/// "In Malawi 52 percent agree": the country of the place named right before a share.
fn place_asked(context: &Context<'_, '_>, look: &Look<'_>, share: &Share) -> Option<Code> {
    let start = share.lead.saturating_sub(4);
    let at = (start..share.lead).rfind(|at| look.words.words.among.contains(&look.text(*at)))?;
    let mut actors = context.actors.of_sentence(context.sentence);
    let base = actors.find(|actor| (at + 1..share.lead).contains(&actor.head) && actor.force.is_some());
    match base.and_then(|base| base.force.as_ref()) {
        Some(force) => force.host.clone(),
        None => context
            .actors
            .country_within(context.sentence, at + 1..share.lead)
            .cloned(),
    }
}

/// "In Anbar 40 percent", "71 percent in Malakal", "among women (58 percent)": the part of those asked.
fn subgroup(
    context: &Context<'_, '_>,
    look: &Look<'_>,
    share: &Share,
    first: usize,
    next: usize,
) -> Option<String> {
    let lists = &look.words.words;
    let words = &context.parsed.words;
    let near = (first..share.lead)
        .rev()
        .take(5)
        .chain(share.end..next.min(share.end + 5));
    let mut prepositions = near.filter(|at| lists.among.contains(&look.text(*at)));
    prepositions.find_map(|at| {
        let phrase = (at + 1..words.len().min(at + 6)).take_while(|word| {
            matches!(
                words[*word].upos,
                Upos::Propn | Upos::Noun | Upos::Adj | Upos::Det | Upos::Pron
            ) && share.first != *word
        });
        let last = phrase.last()?;
        let is_date = (at + 1..=last).any(|word| context.is_date(word));
        (!is_date).then(|| context.text.text[words[at + 1].start..words[last].end].to_owned())
    })
}

fn is_people(context: &Context<'_, '_>, look: &Look<'_>, at: usize, force: &Actor<'_>) -> bool {
    let word = &context.parsed.words[at];
    let is_nominal = matches!(word.upos, Upos::Noun | Upos::Propn | Upos::Adj | Upos::Det);
    let actor = context.actors.at(context.sentence, at);
    let is_force = |actor: &Actor<'_>| actor.force.is_some() && actor.rule != "assumed";
    let populations = &look.words.words.populations;
    let is_listed = populations.contains(&look.lemma(at)) || populations.contains(&look.text(at));
    let is_nation = actor.is_some_and(|actor| actor.kind == ActorKind::Population || actor.rule == "assumed");
    let describes_force = word
        .head
        .is_some_and(|head| context.actors.at(context.sentence, head).is_some_and(is_force));
    let is_free = !describes_force
        && at != force.head
        && actor.is_none_or(|actor| actor.head != force.head)
        && !actor.is_some_and(is_force);
    // "the Chinese presence": an adjective of something else.
    let is_of_other = word.relation == "amod"
        && word
            .head
            .is_some_and(|head| head > at && !populations.contains(&look.lemma(head)));
    is_free
        && !is_of_other
        && (is_nominal && is_nation || (is_nominal || word.upos == Upos::Pron) && is_listed)
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

/// Whether a share is one of people whatever the sentence says of them: "31 percent want it out", "support stood at
/// 40 percent", "six in ten wanted them out".
pub(super) fn is_of_people(look: &Look<'_>, share: &Share, answer: &Answer) -> bool {
    let behind = look.parsed.words.get(share.end).map(|word| word.upos);
    let is_subject = matches!(behind, Some(Upos::Verb | Upos::Aux));
    let answers = (share.end..share.end + 2).any(|at| response(look, at).is_some() || opines(look, at));
    let is_measured = answer.rule != "later"
        && (0..share.first).any(|at| look.words.words.measured.contains(&look.lemma(at)));
    is_subject || answers || is_measured
}

/// "64 percent disagreed": everybody who was asked, in a text that names the survey.
pub(super) fn everybody(context: &Context<'_, '_>, look: &Look<'_>, share: &Share) -> Population {
    Population {
        name: "respondents".to_owned(),
        country: place_asked(context, look, share).or_else(|| context.actors.focus.clone()),
        subgroup: subgroup(context, look, share, 0, share.end + 5),
        is_subset: false,
    }
}
