//! What surveys found about foreign forces: shares in prose, one row each.
//!
//! A finding needs a share, a population and an answer in one sentence, and a force in it or in the sentence
//! before; without the force the table would fill with business surveys.

mod answers;
mod shares;

use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde::Deserialize;

use crate::events::Context;
use crate::id;
use crate::knowledge::{Knowledge, Language, Reader};
use crate::mentions::{Actor, Actors};
use crate::tables::{Code, Document, Survey, SurveyBase};
use crate::text::{Clause, Text, Upos, dates};

use answers::{Answer, Population};
use shares::{Look, Share};

/// Words of survey findings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Answers: -1 against, 1 for, 0 neither.
    responses: HashMap<String, i32>,
    /// What an answer wants of a force, or says it does.
    complements: HashMap<String, i32>,
    /// Parts told in words, percent: least and greatest.
    shares: HashMap<String, (f64, f64)>,
    /// The preposition between a part and its whole.
    of: String,
    words: Lists,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    polls: HashSet<String>,
    populations: HashSet<String>,
    percent: HashSet<String>,
    approximate: HashSet<String>,
    lower_bound: HashSet<String>,
    upper_bound: HashSet<String>,
    change: HashSet<String>,
    composing: HashSet<String>,
    counted: HashSet<String>,
    joining: HashSet<String>,
    every: HashSet<String>,
    articles: HashSet<String>,
    glossing: HashSet<String>,
    margin: HashSet<String>,
    from: HashSet<String>,
    to: HashSet<String>,
    by: HashSet<String>,
    at: HashSet<String>,
    among: HashSet<String>,
    asked: HashSet<String>,
    yes_no: HashMap<String, i32>,
    bare: HashSet<String>,
    and: HashSet<String>,
    approximate_parts: HashSet<String>,
    directions: HashSet<String>,
    turning: HashSet<String>,
    elections: HashSet<String>,
    leading: HashSet<String>,
    between: HashSet<String>,
    now: HashSet<String>,
    down: HashSet<String>,
    samples: HashSet<String>,
    margins: HashSet<String>,
    seats: HashSet<String>,
}

impl Words {
    pub(crate) fn load(reader: &mut Reader, code: &str) -> Self {
        reader.toml(&format!("languages/{code}/surveys.toml"))
    }
}

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
    for sentence in 0..text.parsed.len() {
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        rows.extend(read_sentence(&context));
    }
    rows
}

fn read_sentence(context: &Context<'_, '_>) -> Vec<Survey> {
    let look = Look {
        parsed: context.parsed,
        words: &context.language.surveys,
        numerals: &context.language.quantities.numerals,
        negators: &context.language.grammar.negators,
    };
    let shares = shares::find(&look);
    let elections = &context.language.surveys.words.elections;
    let is_election = context
        .parsed
        .words
        .iter()
        .any(|word| elections.contains(&word.lemma.to_lowercase()));
    if shares.is_empty() || is_election {
        return Vec::new();
    }
    let has_poll = names_poll(context, context.sentence) || names_poll_before(context);
    let mut rows = Vec::new();
    let mut last = earlier(context);
    for index in 0..shares.len() {
        let Some(answer) = answers::answer(&look, &shares, index, last.as_ref()) else {
            continue;
        };
        let Some(force) = force(context, &shares, index) else {
            continue;
        };
        let population = answers::population(context, &look, &shares, index, force);
        last = Some(answer.clone());
        let Some(population) = population.or_else(|| {
            (has_poll || answers_itself(&look, &shares[index])).then(|| answers::everybody(context))
        }) else {
            continue;
        };
        rows.push(row(context, &shares[index], &answer, &population, force));
    }
    rows
}

/// "six in ten wanted them out": a share that is the subject of a verb is one of people.
fn answers_itself(look: &Look<'_>, share: &Share) -> bool {
    let behind = look.parsed.words.get(share.end).map(|word| word.upos);
    matches!(behind, Some(Upos::Verb | Upos::Aux))
}

fn names_poll(context: &Context<'_, '_>, sentence: usize) -> bool {
    let words = &context.language.surveys.words;
    let Some(parsed) = context.text.parsed.get(sentence) else {
        return false;
    };
    parsed
        .words
        .iter()
        .any(|word| words.polls.contains(&word.lemma.to_lowercase()))
        || context
            .actors
            .of_sentence(sentence)
            .filter_map(|actor| actor.entry)
            .any(|entry| entry.office.as_deref() == Some("pollster"))
}

/// The answer that the sentence before asks about.
fn earlier(context: &Context<'_, '_>) -> Option<Answer> {
    let parsed = context.text.parsed.get(context.sentence.checked_sub(1)?)?;
    let look = Look {
        parsed,
        words: &context.language.surveys,
        numerals: &context.language.quantities.numerals,
        negators: &context.language.grammar.negators,
    };
    answers::earlier(&look)
}

fn names_poll_before(context: &Context<'_, '_>) -> bool {
    context
        .sentence
        .checked_sub(1)
        .is_some_and(|before| names_poll(context, before))
}

/// The force that a share is about: the first between it and the next share, else the last before it, else one of
/// the sentence before.
fn force<'c, 'k>(context: &'c Context<'c, 'k>, shares: &[Share], index: usize) -> Option<&'c Actor<'k>> {
    let is_foreign = |actor: &&Actor<'_>| {
        actor
            .force
            .as_ref()
            .is_some_and(|force| force.is_foreign() != Some(false) || force.home.is_some())
    };
    let share = &shares[index];
    let next = shares
        .get(index + 1)
        .map_or(context.parsed.words.len(), |next| next.first);
    let here: Vec<&Actor<'k>> = context
        .actors
        .of_sentence(context.sentence)
        .filter(is_foreign)
        .collect();
    // A nationality is a force only where nothing else is.
    let is_sure = |actor: &&&Actor<'_>| actor.rule != "assumed";
    let near = |wanted: &dyn Fn(&&&Actor<'_>) -> bool| {
        let behind = here
            .iter()
            .filter(wanted)
            .find(|actor| (share.end..next).contains(&actor.head));
        let before = here.iter().filter(wanted).rfind(|actor| actor.head < share.first);
        behind.or(before).or(here.iter().find(wanted)).copied()
    };
    let found = near(&is_sure).or_else(|| near(&|_| true));
    found.or_else(|| {
        let mut earlier = (0..context.sentence).rev().take(2);
        earlier.find_map(|sentence| context.actors.of_sentence(sentence).find(is_foreign))
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
    // Answers to one question stand in one sentence and are about one force.
    let own = || {
        population
            .country
            .as_ref()
            .filter(|_| force.is_some_and(|force| !force.called_foreign))
    };
    let home = force.and_then(|force| force.home.as_ref()).or_else(own);
    let home_code = home.map_or("", Code::as_str);
    let group = [
        document.document_id.as_bytes(),
        &(parsed.index as u64).to_le_bytes(),
        home_code.as_bytes(),
    ];
    let key = [
        document.document_id.as_bytes(),
        &(parsed.index as u64).to_le_bytes(),
        &(share.first as u64).to_le_bytes(),
        &(share.end as u64).to_le_bytes(),
        &[u8::from(share.is_other_side)],
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
        subgroup: population.subgroup.clone(),
        base: if population.is_subset {
            SurveyBase::Subset
        } else {
            SurveyBase::All
        },
        question_topic: Some(context.text.text[actor.start..actor.end].to_owned()),
        response: answer.response.clone(),
        response_polarity: answer.polarity,
        force_home: home.cloned(),
        force_kind: force.map(|force| force.kind),
        force_name: Some(context.text.text[actor.start..actor.end].to_owned()),
        host_country: force.and_then(|force| force.host.clone()),
        share_low: share.low,
        share_high: share.high,
        share_kind: share.kind,
        share_text: context.text.text[parsed.words[share.first].start..parsed.words[share.end - 1].end]
            .to_owned(),
        prior_share: share.prior,
        pollster: pollster(context),
        sample_size: answers::sample(context),
        margin: answers::margin(context),
        fieldwork_from: fieldwork.0,
        fieldwork_to: fieldwork.1,
        confidence: if answer.rule == "inherited" { 0.5 } else { 0.7 },
        rule: format!("share:{}", answer.rule),
        run_id: document.run_id.clone(),
        ..Survey::default()
    }
}
