//! What surveys found about foreign forces: shares in prose, one row each.
//!
//! A finding needs a share, a population and an answer in one sentence, and a force in it or in the sentence
//! before; without the force the table would fill with business surveys.

mod answers;
mod forces;
mod polls;
mod shares;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::events::Context;
use crate::id;
use crate::knowledge::{Knowledge, Language, Reader};
use crate::mentions::{Actor, Actors};
use crate::tables::{Code, Document, Survey, SurveyBase};
use crate::text::{Clause, Text, Upos};

use answers::{Answer, Population};
use polls::Poll;
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
    /// Words beside a force for the body that fields it.
    homes: HashMap<String, String>,
    /// Words for the whole of a ratio: "two in a hundred".
    wholes: HashMap<String, f64>,
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
    opening: HashSet<String>,
    opposite: HashSet<String>,
    respectively: HashSet<String>,
    opining: HashSet<String>,
    measured: HashSet<String>,
    judging: HashSet<String>,
    echoing: HashSet<String>,
    missions: HashSet<String>,
    auxiliaries: HashSet<String>,
    asking: HashSet<String>,
    temporal: HashSet<String>,
    parties: HashSet<String>,
    unpolled: HashSet<String>,
    fielded: HashSet<String>,
    joint: HashSet<String>,
    sourcing: HashSet<String>,
    selves: HashSet<String>,
    unasked: HashSet<String>,
    ranging: HashSet<String>,
    led: HashSet<String>,
    ordering: HashSet<String>,
    paying: HashSet<String>,
    reporting: HashSet<String>,
    naming: HashSet<String>,
    was: HashSet<String>,
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

/// The last finding of a text, from which a later one takes what it does not say.
struct Finding<'k> {
    sentence: usize,
    answer: Answer,
    population: Population,
    force: Actor<'k>,
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
    let mut last = None;
    for sentence in 0..text.parsed.len() {
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        rows.extend(read_sentence(&context, &mut last));
    }
    rows
}

fn look<'s>(context: &Context<'s, '_>, sentence: usize) -> Option<Look<'s>> {
    Some(Look {
        parsed: context.text.parsed.get(sentence)?,
        words: &context.language.surveys,
        numerals: &context.language.quantities.numerals,
        negators: &context.language.grammar.negators,
    })
}

fn read_sentence<'k>(context: &Context<'_, 'k>, last: &mut Option<Finding<'k>>) -> Vec<Survey> {
    let Some(look) = look(context, context.sentence) else {
        return Vec::new();
    };
    let shares = shares::find(&look);
    let names_poll = names_poll(context, context.sentence) || names_poll_before(context);
    if shares.is_empty() || !names_poll && tells_of_votes(&look) {
        return Vec::new();
    }
    let poll = polls::read(context);
    let mut rows = Vec::new();
    let before = last.take().filter(|last| last.sentence + 1 == context.sentence);
    let asked = before.as_ref().map(|last| last.answer.clone());
    let mut answered = asked.or_else(|| earlier(context));
    let has_poll = names_poll || before.is_some() || asks_before(context);
    let (mut people, mut told) = before.map(|last| (last.population, last.force)).unzip();
    for (index, share) in shares.iter().enumerate() {
        let Some(answer) = answers::answer(context, &look, &shares, index, answered.as_ref()) else {
            continue;
        };
        let goes_on = matches!(answer.rule, "inherited" | "other_side");
        let same = told
            .clone()
            .filter(|_| goes_on && !forces::is_named(context, &shares, index));
        let Some(force) = same.or_else(|| forces::force(context, &look, &shares, index)) else {
            continue;
        };
        let found = answers::population(context, &look, &shares, index, &force);
        // "30 percent do not know" answers no further share.
        if answer.polarity != 0 || answered.is_none() {
            answered = Some(answer.clone());
        }
        if !is_about(context, &look, &shares, index, &answer, &force) {
            continue;
        }
        let found = found
            .or_else(|| people.clone().filter(|_| goes_on || !rows.is_empty()))
            .or_else(|| {
                let is_finding = has_poll || answers::is_of_people(&look, share, &answer);
                is_finding.then(|| answers::everybody(context, &look, share))
            });
        let Some(population) = found else {
            continue;
        };
        people = Some(population.clone());
        told = Some(force.clone());
        *last = Some(Finding {
            sentence: context.sentence,
            answer: answer.clone(),
            population: population.clone(),
            force: force.clone(),
        });
        rows.extend(row(context, share, &answer, &population, &force, &poll));
    }
    drop_vague(&mut rows);
    rows
}

/// "South Sudanese trust in the mission? Forty-three percent in Juba."
fn asks_before(context: &Context<'_, '_>) -> bool {
    let before = context
        .sentence
        .checked_sub(1)
        .map(|before| &context.text.parsed[before].words);
    before.is_some_and(|words| words.iter().rev().take(2).any(|word| word.text == "?"))
}

/// Whether an answer can be about a force: "support for the ruling party fell to 28 percent in the poll, which did not
/// ask about the base" is not, nor is "they feared bandits since the soldiers left".
fn is_about(
    context: &Context<'_, '_>,
    look: &Look<'_>,
    shares: &[Share],
    index: usize,
    answer: &Answer,
    force: &Actor<'_>,
) -> bool {
    let share = &shares[index];
    if force.sentence != context.sentence || force.head < share.end {
        return true;
    }
    let lists = &look.words.words;
    let word = |at: usize| look.parsed.words.get(at);
    // "60 percent of the Kenyan officers": those asked, not those judged.
    let in_phrase = |at: usize| {
        let upos = word(at).map(|word| word.upos);
        matches!(
            upos,
            Some(Upos::Det | Upos::Adj | Upos::Propn | Upos::Noun | Upos::Num | Upos::Part)
        )
    };
    let is_pronoun = force.rule == "pronoun";
    if !is_pronoun && look.text(share.end) == look.words.of && (share.end + 1..force.head).all(in_phrase) {
        return false;
    }
    if answer.rule == "before" {
        let mut nouns = (0..share.lead).filter(|at| lists.measured.contains(&look.lemma(*at)));
        return !nouns.any(|at| word(at + 1).is_some_and(|word| word.upos == Upos::Adp));
    }
    if answer.at == usize::MAX || answer.at >= force.head {
        return true;
    }
    let between = answer.at + 1..force.head;
    let is_apart = between
        .clone()
        .any(|at| look.text(at) == ";" || lists.temporal.contains(&look.text(at)));
    // "they trusted the police and 33 percent the courts, but no soldier"
    let next = shares.get(index + 1).map_or(usize::MAX, |next| next.lead);
    let mut own = answer.at + 1..next.min(force.head);
    let has_object = force.head > next
        && own.any(|at| word(at).is_some_and(|word| matches!(word.upos, Upos::Noun | Upos::Propn)));
    !is_apart && !has_object && !is_in_relative(look, answer.at, force.head)
}

/// "rely on water that the base pumps": a word in a relative clause that begins behind the answer.
fn is_in_relative(look: &Look<'_>, answer: usize, mut at: usize) -> bool {
    let words = &look.parsed.words;
    while let Some(head) = words[at].head {
        if words[at].relation == "acl:relcl" && at > answer && head > answer {
            return true;
        }
        at = head;
    }
    false
}

/// Sentences about votes are not about surveys.
fn tells_of_votes(look: &Look<'_>) -> bool {
    let words = &look.words.words;
    (0..look.parsed.words.len()).any(|at| words.elections.contains(&look.lemma(at)))
}

/// "most are against it, with 68 percent opposed": the figure tells what the word does.
fn drop_vague(rows: &mut Vec<Survey>) {
    let is_vague = |row: &Survey| row.share_low == 50.0 && row.share_high == 100.0;
    let told: Vec<(i32, Option<Code>)> = rows
        .iter()
        .filter(|row| !is_vague(row) && row.share_low >= 50.0)
        .map(|row| (row.response_polarity, row.force_home.clone()))
        .collect();
    rows.retain(|row| !is_vague(row) || !told.contains(&(row.response_polarity, row.force_home.clone())));
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
    answers::earlier(&look(context, context.sentence.checked_sub(1)?)?)
}

fn names_poll_before(context: &Context<'_, '_>) -> bool {
    context
        .sentence
        .checked_sub(1)
        .is_some_and(|before| names_poll(context, before))
}

fn row(
    context: &Context<'_, '_>,
    share: &Share,
    answer: &Answer,
    population: &Population,
    actor: &Actor<'_>,
    poll: &Poll,
) -> Option<Survey> {
    let parsed = context.parsed;
    let document = context.document;
    let force = actor.force.as_ref();
    let home = force.and_then(|force| force.home.clone()).or_else(|| {
        let own = population.country.clone();
        own.filter(|own| force.is_some_and(|force| forces::is_own(context, actor, force, own)))
    });
    if home.is_none() && actor.rule == forces::OWN {
        return None;
    }
    // Answers to one question stand in one sentence and are about one force.
    let home_code = home.as_ref().map_or("", Code::as_str);
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
    Some(Survey {
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
        force_home: home,
        force_kind: force.map(|force| force.kind),
        force_name: Some(context.text.text[actor.start..actor.end].to_owned()),
        host_country: force.and_then(|force| force.host.clone()),
        share_low: share.low,
        share_high: share.high,
        share_kind: share.kind,
        share_text: context.text.text[parsed.words[share.first].start..parsed.words[share.end - 1].end]
            .to_owned(),
        prior_share: share.prior,
        prior_year: share.prior_year,
        pollster: poll.pollster.clone(),
        sponsor: poll.sponsor.clone(),
        sample_size: poll.sample_size,
        margin: poll.margin,
        fieldwork_from: poll.fieldwork_from,
        fieldwork_to: poll.fieldwork_to,
        confidence: if answer.rule == "inherited" { 0.5 } else { 0.7 },
        rule: format!("share:{}", answer.rule),
        run_id: document.run_id.clone(),
    })
}
