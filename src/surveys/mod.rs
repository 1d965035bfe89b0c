//! What surveys found about foreign forces: shares in prose, one row each.
//!
//! A finding needs a share, a population and an answer in one sentence, and a force in it or in the sentence
//! before; without the force the table would fill with business surveys.

use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::Deserialize;

use crate::events::Context;
use crate::id;
use crate::knowledge::{Knowledge, Language, Reader};
use crate::mentions::{Actor, Actors};
use crate::tables::{ActorKind, Code, Document, ShareKind, Survey, SurveyBase};
use crate::text::{Clause, Text, Upos, dates};

/// Words of survey findings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    responses: HashMap<String, i32>,
    complements: HashMap<String, i32>,
    shares: HashMap<String, (f64, f64)>,
    words: Lists,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    asking: HashSet<String>,
    polls: HashSet<String>,
    populations: HashSet<String>,
    percent: HashSet<String>,
    approximate: HashSet<String>,
    lower_bound: HashSet<String>,
    upper_bound: HashSet<String>,
    change: HashSet<String>,
}

impl Words {
    pub(crate) fn load(reader: &mut Reader, code: &str) -> Self {
        reader.toml(&format!("languages/{code}/surveys.toml"))
    }
}

/// "About" widens a share by this many points on either side.
const APPROXIMATE_POINTS: f64 = 3.0;

/// Reads the survey findings of a text.
pub fn read(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    actors: &Actors<'_>,
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
) -> Vec<Survey> {
    let mut rows = Vec::new();
    for (sentence, parsed) in text.parsed.iter().enumerate() {
        let context = Context {
            text,
            parsed,
            sentence,
            clauses: &clauses[sentence],
            actors,
            document,
            knowledge,
            language,
            dates: crate::events::circumstances::dates(parsed, document, language),
        };
        rows.extend(read_sentence(&context));
    }
    rows
}

fn read_sentence(context: &Context<'_, '_>) -> Vec<Survey> {
    let words = &context.language.surveys;
    let shares = shares(context, words);
    if shares.is_empty() {
        return Vec::new();
    }
    let Some(force) = force(context) else {
        return Vec::new();
    };
    let has_poll = context
        .parsed
        .words
        .iter()
        .any(|word| words.words.polls.contains(word.lemma.as_ref()));
    let mut rows = Vec::new();
    for share in &shares {
        let Some(answer) = answer(context, words, share) else {
            continue;
        };
        let Some(population) = population(context, words, share, &answer) else {
            continue;
        };
        if !has_poll && pollster(context).is_none() && population.kind != ActorKind::Population {
            continue;
        }
        rows.push(row(context, share, &answer, &population, force));
    }
    rows
}

/// A share told in a sentence.
struct Share {
    low: f64,
    high: f64,
    kind: ShareKind,
    head: usize,
    start: usize,
    end: usize,
}

fn shares(context: &Context<'_, '_>, words: &Words) -> Vec<Share> {
    let parsed = context.parsed;
    let numerals = &context.language.quantities.numerals;
    let text = |at: usize| {
        parsed
            .words
            .get(at)
            .map_or(String::new(), |word| word.text.to_lowercase())
    };
    let mut found: Vec<Share> = Vec::new();
    let mut at = 0;
    while at < parsed.words.len() {
        if let Some((value, head, end)) =
            percent(&text, words, at).or_else(|| fraction(&text, numerals, words, at))
        {
            let before: Vec<String> = (at.saturating_sub(3)..at).map(text).collect();
            let has = |set: &HashSet<String>| before.iter().any(|word| set.contains(word));
            let (low, high, kind) = if value.0 != value.1 {
                (value.0, value.1, ShareKind::LowerBound)
            } else if has(&words.words.lower_bound) {
                (value.0, 100.0, ShareKind::LowerBound)
            } else if has(&words.words.upper_bound) {
                (0.0, value.0, ShareKind::UpperBound)
            } else if has(&words.words.approximate) {
                (
                    value.0 - APPROXIMATE_POINTS,
                    value.0 + APPROXIMATE_POINTS,
                    ShareKind::Approximate,
                )
            } else {
                (value.0, value.0, ShareKind::Exact)
            };
            let after = text(end);
            if !words.words.change.contains(&after) {
                found.push(Share {
                    low,
                    high,
                    kind,
                    head,
                    start: parsed.words[at].start,
                    end: parsed.words[end - 1].end,
                });
            }
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

type Value = ((f64, f64), usize, usize);

/// "76%", "76 percent", "76.5 per cent".
fn percent(text: &impl Fn(usize) -> String, words: &Words, at: usize) -> Option<Value> {
    let figure = text(at);
    let glued = figure.strip_suffix('%');
    let number: f64 = glued.unwrap_or(&figure).replace(',', ".").parse().ok()?;
    if !(0.0..=100.0).contains(&number) {
        return None;
    }
    if glued.is_some() {
        return Some(((number, number), at, at + 1));
    }
    let mut end = at + 1;
    while words.words.percent.contains(&text(end)) || (end > at + 1 && text(end) == "cent") {
        end += 1;
    }
    (end > at + 1).then_some(((number, number), end - 1, end))
}

/// "two-thirds", "six in ten", "three out of four", "half", "a majority".
fn fraction(
    text: &impl Fn(usize) -> String,
    numerals: &HashMap<String, i64>,
    words: &Words,
    at: usize,
) -> Option<Value> {
    let first = text(at);
    let share = |word: &str| {
        words
            .shares
            .get(word.trim_end_matches('s'))
            .or_else(|| words.shares.get(word))
            .copied()
    };
    let numeral = |word: &str| {
        numerals
            .get(word)
            .copied()
            .map(|number| number as f64)
            .or_else(|| word.parse().ok())
    };
    if let Some((number, unit)) = first.split_once('-')
        && let (Some(number), Some(unit)) = (numeral(number), share(unit))
    {
        return Some(((number * unit.0, number * unit.1), at, at + 1));
    }
    if let Some(number) = numeral(&first) {
        let dash = usize::from(text(at + 1) == "-");
        if let Some(unit) = share(&text(at + 1 + dash)).filter(|unit| unit.0 == unit.1) {
            return Some(((number * unit.0, number * unit.1), at + 1 + dash, at + 2 + dash));
        }
        let between = if text(at + 1) == "out" { 3 } else { 2 };
        let joined = matches!(text(at + 1).as_str(), "in") || between == 3;
        let whole =
            numeral(&text(at + between)).filter(|whole| joined && *whole >= number && *whole <= 100.0)?;
        return Some((
            (100.0 * number / whole, 100.0 * number / whole),
            at,
            at + between + 1,
        ));
    }
    share(&first).map(|share| (share, at, at + 1))
}

/// The force that the sentence, or the one before it, is about.
fn force<'c, 'k>(context: &'c Context<'c, 'k>) -> Option<&'c Actor<'k>> {
    let of = |sentence: usize| {
        context.actors.of_sentence(sentence).find(|actor| {
            actor
                .force
                .as_ref()
                .is_some_and(|force| force.is_foreign() != Some(false))
        })
    };
    of(context.sentence).or_else(|| of(context.sentence.checked_sub(1)?))
}

/// What those who make up a share answered.
struct Answer {
    response: String,
    polarity: i32,
    predicate: usize,
}

fn answer(context: &Context<'_, '_>, words: &Words, share: &Share) -> Option<Answer> {
    let parsed = context.parsed;
    let under_share = |clause: &&Clause| {
        clause.participants.iter().any(|phrase| {
            phrase.role == "subj" && (parsed.is_under(share.head, phrase.head) || phrase.head == share.head)
        })
    };
    let clause = context.clauses.iter().find(under_share)?;
    let lemma = clause.lemma.split(' ').next().unwrap_or(&clause.lemma);
    let turned = if clause.negation.is_some() { -1 } else { 1 };
    let phrase = || {
        let last = clause
            .complements
            .iter()
            .copied()
            .chain(clause.in_role("obj"))
            .max()
            .unwrap_or(clause.predicate);
        context.text.text[parsed.words[clause.predicate].start
            ..parsed.words[last].end.max(parsed.words[clause.predicate].end)]
            .to_owned()
    };
    if let Some(polarity) = words.responses.get(lemma) {
        return Some(Answer {
            response: parsed.words[clause.predicate].text.to_owned(),
            polarity: polarity * turned,
            predicate: clause.predicate,
        });
    }
    if !words.words.asking.contains(lemma) {
        return None;
    }
    let below = clause
        .complements
        .iter()
        .flat_map(|complement| parsed.subtree(*complement));
    let told = below.filter_map(|word| {
        let lemma = parsed.words[word].lemma.to_lowercase();
        let own = context
            .clause(word)
            .is_some_and(|clause| clause.negation.is_some());
        words
            .complements
            .get(&lemma)
            .or_else(|| words.responses.get(&lemma))
            .map(|polarity| if own { -polarity } else { *polarity })
    });
    let polarity = told.into_iter().next()?;
    Some(Answer {
        response: phrase(),
        polarity: polarity * turned,
        predicate: clause.predicate,
    })
}

/// Who was asked.
struct Population {
    name: String,
    country: Option<Code>,
    kind: ActorKind,
}

fn population(
    context: &Context<'_, '_>,
    words: &Words,
    share: &Share,
    answer: &Answer,
) -> Option<Population> {
    let parsed = context.parsed;
    let clause = context.clause(answer.predicate)?;
    let subject = clause
        .in_role("subj")
        .find(|head| parsed.is_under(share.head, *head) || *head == share.head)?;
    let candidates = parsed
        .subtree(subject)
        .into_iter()
        .filter(|word| *word != share.head);
    for word in candidates {
        let lemma = parsed.words[word].lemma.to_lowercase();
        let actor = context.actors.at(context.sentence, word);
        let is_people = actor.is_some_and(|actor| actor.kind == ActorKind::Population)
            || words.words.populations.contains(&lemma);
        if is_people
            && matches!(
                parsed.words[word].upos,
                Upos::Noun | Upos::Propn | Upos::Pron | Upos::Adj | Upos::Det
            )
        {
            let country = actor
                .and_then(|actor| actor.country.clone())
                .or_else(|| context.actors.focus.clone());
            return Some(Population {
                name: parsed.words[word].text.to_owned(),
                country,
                kind: ActorKind::Population,
            });
        }
    }
    // "64 percent disagreed": everybody who was asked, in a sentence that names the survey.
    pollster(context).map(|_| Population {
        name: "respondents".to_owned(),
        country: context.actors.focus.clone(),
        kind: ActorKind::Unknown,
    })
}

/// Who asked: a pollster that knowledge names.
fn pollster(context: &Context<'_, '_>) -> Option<String> {
    let mut named = context
        .actors
        .of_sentence(context.sentence)
        .filter_map(|actor| actor.entry);
    named
        .find(|entry| entry.office.as_deref() == Some("pollster"))
        .map(|entry| entry.name.clone())
}

fn row(
    context: &Context<'_, '_>,
    share: &Share,
    answer: &Answer,
    population: &Population,
    actor: &Actor<'_>,
) -> Survey {
    let parsed = context.parsed;
    let document = context.document;
    let force = actor.force.as_ref();
    let published = document
        .published_at
        .map(|at| at.to_zoned_datetime(TimeZone::UTC).date());
    let told = dates::find(
        parsed,
        &context.language.dates,
        &context.language.quantities.numerals,
        published,
    );
    let fieldwork: (Option<Date>, Option<Date>) = told
        .first()
        .map_or((None, None), |told| (told.starts_on, told.ends_on));
    let group = [
        document.document_id.as_bytes(),
        &(parsed.index as u64).to_le_bytes(),
    ];
    let key = [
        document.document_id.as_bytes(),
        &(share.start as u64).to_le_bytes(),
        &(share.end as u64).to_le_bytes(),
    ];
    Survey {
        survey_id: id::of("v", &key),
        finding_group_id: id::of("g", &group),
        document_id: document.document_id.clone(),
        sentence_index: parsed.index as i32,
        start_byte: parsed.start as i64,
        end_byte: parsed.end as i64,
        evidence: context.text.text[parsed.start..parsed.end].to_owned(),
        population: population.name.clone(),
        population_country: population.country.clone(),
        base: SurveyBase::All,
        question_topic: Some(context.text.text[actor.start..actor.end].to_owned()),
        response: answer.response.clone(),
        response_polarity: answer.polarity,
        force_home: force.and_then(|force| force.home.clone()),
        force_kind: force.map(|force| force.kind),
        force_name: Some(context.text.text[actor.start..actor.end].to_owned()),
        host_country: force.and_then(|force| force.host.clone()),
        share_low: share.low,
        share_high: share.high,
        share_kind: share.kind,
        share_text: context.text.text[share.start..share.end].to_owned(),
        pollster: pollster(context),
        fieldwork_from: fieldwork.0,
        fieldwork_to: fieldwork.1,
        confidence: 0.7,
        rule: "share:subject".to_owned(),
        run_id: document.run_id.clone(),
        ..Survey::default()
    }
}
