//! Who stands how toward which foreign force: from what is done, what is said, and how a force is judged.
//!
//! Narration is neutral. A stance is toward the presence, role or conduct of a force, not toward what befell it.

use jiff::tz::TimeZone;
use std::collections::HashMap;

use serde::Deserialize;

use crate::events::{Context, circumstances, matching};
use crate::id;
use crate::knowledge::{Knowledge, Language, Line, Reader, listed};
use crate::mentions::{Actor, Actors, Force};
use crate::tables::{
    ActorKind, Code, Document, Event, HolderKind, Modality, Sentiment, StanceBasis, StanceLabel, Survey,
};
use crate::text::{Clause, Text, Upos};

/// Words that judge a force, by lemma.
#[derive(Debug, Default)]
pub struct Words {
    senses: HashMap<(char, String), Vec<Sense>>,
}

#[derive(Debug, Clone)]
struct Sense {
    holder: Vec<String>,
    force: Vec<String>,
    polarity: i32,
    intensity: i32,
    rule: String,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "listed")]
    word: Vec<String>,
    pos: char,
    #[serde(deserialize_with = "listed")]
    holder: Vec<String>,
    #[serde(deserialize_with = "listed")]
    force: Vec<String>,
    polarity: i32,
    intensity: i32,
}

impl Words {
    pub(crate) fn load(reader: &mut Reader, code: &str) -> Self {
        let file = format!("languages/{code}/stances.tsv");
        let mut words = Self::default();
        for Line { number, row } in reader.table::<Row>(&file) {
            if !(-1..=1).contains(&row.polarity)
                || !(0..=3).contains(&row.intensity)
                || !"van".contains(row.pos)
            {
                reader.fault(
                    &file,
                    Some(number),
                    "pos is v, a or n; polarity -1 to 1; intensity 0 to 3".to_owned(),
                );
            }
            let sense = Sense {
                holder: row.holder,
                force: row.force,
                polarity: row.polarity,
                intensity: row.intensity,
                rule: format!("stance:{number}"),
            };
            for word in row.word {
                words
                    .senses
                    .entry((row.pos, word))
                    .or_default()
                    .push(sense.clone());
            }
        }
        words
    }
}

/// One stance before it becomes a row.
struct Stance<'c, 'k> {
    holder: Option<matching::Filled>,
    kind: HolderKind,
    force: &'c Actor<'k>,
    polarity: i32,
    intensity: i32,
    basis: StanceBasis,
    negated: bool,
    hedged: bool,
    chain: Option<String>,
    rule: String,
    span: std::ops::Range<usize>,
    event: Option<usize>,
    confidence: f32,
}

/// Judges the stances of a text.
#[allow(clippy::too_many_arguments)]
pub fn judge(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    actors: &Actors<'_>,
    events: &[Event],
    surveys: &[Survey],
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
) -> Vec<Sentiment> {
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
        let mut stances = by_action(&context, events);
        for clause in context.clauses {
            stances.extend(by_word(&context, clause));
        }
        stances.extend(by_scare_quotes(&context));
        let told = surveys
            .iter()
            .any(|survey| survey.sentence_index == parsed.index as i32);
        if stances.is_empty() && !told {
            stances.extend(narration(&context));
        }
        rows.extend(
            distinct(stances)
                .into_iter()
                .map(|stance| row(&context, stance, events)),
        );
    }
    rows.extend(surveys.iter().map(|survey| by_survey(survey, document)));
    rows
}

/// What is done to a force shows a stance: expelling, inviting, extending, protesting.
fn by_action<'c, 'k>(context: &'c Context<'c, 'k>, events: &[Event]) -> Vec<Stance<'c, 'k>> {
    let mut stances = Vec::new();
    for (index, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.sentence_index == context.parsed.index as i32)
    {
        let facts = event
            .force_event
            .as_ref()
            .and_then(|name| context.knowledge.event_types.force_events.get(name.as_str()));
        let Some(polarity) = facts.map(|facts| facts.stance).filter(|stance| *stance != 0) else {
            continue;
        };
        let Some(force) = force_of_event(context, event) else {
            continue;
        };
        if event.source_name.is_none() && event.source_country.is_none() {
            continue;
        }
        // What is only supposed or denied shows nothing; "has no intention of asking them to leave" shows the reverse.
        let (polarity, negated) = match event.modality {
            Modality::Hypothetical => continue,
            Modality::Negated if polarity < 0 && is_intended(context, event) => (-polarity, true),
            Modality::Negated => continue,
            _ => (polarity, false),
        };
        let is_protest = event
            .force_event
            .as_ref()
            .is_some_and(|name| name.as_str().starts_with("protest") || name.as_str().starts_with("rally"));
        let is_said = matches!(
            event.event_type,
            Some(crate::tables::EventType::Accuse | crate::tables::EventType::Support)
        ) && facts.is_some_and(|facts| {
            facts.family == "condemnation" || facts.family == "praise" || facts.family == "abuse"
        });
        let holder = matching::Filled {
            name: event.source_name.clone(),
            actor_id: event.source_actor_id.clone(),
            country: event.source_country.clone(),
            kind: event.source_kind,
            start: event.source_start_byte,
            end: event.source_end_byte,
        };
        let actor = context
            .actors
            .of_sentence(context.sentence)
            .find(|actor| Some(actor.start as i64) == event.source_start_byte);
        stances.push(Stance {
            kind: holder_kind(event.source_kind, actor.map_or("", |actor| actor.word.as_str())),
            holder: Some(holder),
            force,
            polarity,
            intensity: 2,
            basis: if is_protest {
                StanceBasis::Protest
            } else if is_said {
                StanceBasis::Statement
            } else {
                StanceBasis::Action
            },
            negated,
            hedged: false,
            chain: event.reported_by.clone(),
            rule: format!("action:{}", event.force_event.as_ref().map_or("", Code::as_str)),
            span: event.start_byte as usize..event.end_byte as usize,
            event: Some(index),
            confidence: event.confidence,
        });
    }
    stances
}

/// "no intention of asking": the negation is of a plan, which is a stance, not of a report.
fn is_intended(context: &Context<'_, '_>, event: &Event) -> bool {
    let predicate = context
        .parsed
        .words
        .iter()
        .position(|word| word.start as i64 == event.trigger_start_byte);
    let Some(mut at) = predicate else { return false };
    let planning = &context.language.modality.planning;
    for _ in 0..4 {
        let Some(head) = context.parsed.words[at].head else {
            return false;
        };
        if planning.contains(context.parsed.words[head].lemma.as_ref()) {
            return true;
        }
        at = head;
    }
    false
}

fn force_of_event<'c, 'k>(context: &'c Context<'c, 'k>, event: &Event) -> Option<&'c Actor<'k>> {
    let forces = context
        .actors
        .of_sentence(context.sentence)
        .filter(|actor| is_foreign_force(actor));
    let named = event.force_name.as_deref();
    let mut forces: Vec<&Actor<'k>> = forces.collect();
    forces.sort_by_key(|actor| Some(&context.text.text[actor.start..actor.end]) != named);
    forces.into_iter().next()
}

fn is_foreign_force(actor: &Actor<'_>) -> bool {
    actor
        .force
        .as_ref()
        .is_some_and(|force| force.is_foreign() != Some(false))
}

/// What is said of a force: verbs, adjectives and nouns that judge it.
fn by_word<'c, 'k>(context: &'c Context<'c, 'k>, clause: &'c Clause) -> Vec<Stance<'c, 'k>> {
    let part = match context.parsed.words[clause.predicate].upos {
        Upos::Verb => 'v',
        Upos::Adj => 'a',
        _ => 'n',
    };
    let mut stances = Vec::new();
    for (lemma, object_role) in matching::keys(context, clause) {
        for sense in context
            .language
            .stances
            .senses
            .get(&(part, lemma.clone()))
            .map_or(&[][..], Vec::as_slice)
        {
            let in_role = |role: &str| -> Vec<usize> {
                match (&object_role, role) {
                    (Some(object), "obj") => clause.in_role(object).collect(),
                    _ => roles(context, clause, role),
                }
            };
            let forces = sense.force.iter().flat_map(|role| in_role(role));
            let Some(force) = forces
                .filter_map(|head| context.actor(head))
                .find(|actor| is_foreign_force(actor))
            else {
                continue;
            };
            let (holder, kind, chain) = holder(context, clause, sense, &in_role);
            let (_, modality) = circumstances::status(context, clause);
            // "did not criticise" takes no side; "is not welcome" takes the other one.
            if modality == Modality::Hypothetical || (modality == Modality::Negated && part == 'v') {
                continue;
            }
            let negated = modality == Modality::Negated;
            let polarity = if negated { -sense.polarity } else { sense.polarity };
            stances.push(Stance {
                kind,
                basis: if holder.is_none() {
                    StanceBasis::Narrator
                } else if is_quoted(context, clause) {
                    StanceBasis::Quote
                } else {
                    StanceBasis::Statement
                },
                holder,
                force,
                polarity,
                intensity: sense.intensity,
                negated,
                hedged: is_hedged(context, clause),
                chain,
                rule: sense.rule.clone(),
                span: circumstances::evidence(context, clause),
                event: None,
                confidence: 0.7,
            });
        }
    }
    stances
}

/// Participants in a role; a small clause ("deemed the presence illegal") judges the object of the verb above it.
fn roles(context: &Context<'_, '_>, clause: &Clause, role: &str) -> Vec<usize> {
    let own: Vec<usize> = clause.in_role(role).collect();
    if !own.is_empty() || role != "subj" && role != "obj" {
        return own;
    }
    let above = clause
        .governor
        .as_ref()
        .filter(|governor| governor.relation == "xcomp" || governor.relation == "obj");
    above
        .and_then(|above| context.clause(above.predicate))
        .map(|above| above.in_role("obj").collect())
        .unwrap_or_default()
}

type Holder = (Option<matching::Filled>, HolderKind, Option<String>);

fn holder(
    context: &Context<'_, '_>,
    clause: &Clause,
    sense: &Sense,
    in_role: &dyn Fn(&str) -> Vec<usize>,
) -> Holder {
    let speaker = circumstances::speaker(context, clause);
    for role in &sense.holder {
        let (filled, head, chain) = if role == "speaker" {
            match speaker.as_ref() {
                Some(speaker) => (speaker.filled.clone(), Some(speaker.head), None),
                None => match judge_above(context, clause) {
                    Some(head) => (matching::filled(context, head), Some(head), None),
                    None => continue,
                },
            }
        } else {
            let Some(head) = in_role(role)
                .into_iter()
                .find(|head| !context.actor(*head).is_some_and(is_foreign_force))
            else {
                continue;
            };
            (
                matching::filled(context, head),
                Some(head),
                speaker.as_ref().map(|speaker| speaker.name.clone()),
            )
        };
        if !filled.is_empty() {
            let word = head
                .and_then(|head| context.actor(head))
                .map_or("", |actor| actor.word.as_str());
            let kind = holder_kind(filled.kind, word);
            return (Some(filled), kind, chain);
        }
    }
    (None, HolderKind::Narrator, None)
}

/// "Niger has deemed the presence illegal": who judges is the subject of the verb above.
fn judge_above(context: &Context<'_, '_>, clause: &Clause) -> Option<usize> {
    let above = clause.governor.as_ref().filter(|governor| {
        governor.relation == "xcomp" || governor.relation == "obj" || governor.relation == "ccomp"
    })?;
    let above = context.clause(above.predicate)?;
    let role = if above.passive { "by" } else { "subj" };
    above.first(role)
}

/// “illegal” troops: a quoted word attributes the judgement to whoever the sentence is about.
fn by_scare_quotes<'c, 'k>(context: &'c Context<'c, 'k>) -> Vec<Stance<'c, 'k>> {
    let mut stances = Vec::new();
    for quotation in context
        .text
        .quotations
        .iter()
        .filter(|quotation| quotation.is_scare)
    {
        for (index, word) in context.parsed.words.iter().enumerate() {
            if !quotation.covers(&(word.start..word.end)) || !context.parsed.is(index, "amod") {
                continue;
            }
            let lemma = word.lemma.to_lowercase();
            let Some(sense) = context
                .language
                .stances
                .senses
                .get(&('a', lemma))
                .and_then(|senses| senses.first())
            else {
                continue;
            };
            let Some(force) = word
                .head
                .and_then(|head| context.actor(head))
                .filter(|actor| is_foreign_force(actor))
            else {
                continue;
            };
            let host = force.force.as_ref().and_then(|force| force.host.clone());
            let holder = matching::Filled {
                actor_id: host.as_ref().map(Code::to_string),
                country: host,
                kind: Some(ActorKind::Government),
                ..matching::Filled::default()
            };
            stances.push(Stance {
                holder: Some(holder),
                kind: HolderKind::Government,
                force,
                polarity: sense.polarity,
                intensity: sense.intensity,
                basis: StanceBasis::Quote,
                negated: false,
                hedged: false,
                chain: None,
                rule: "scare_quotes".to_owned(),
                span: context.parsed.start..context.parsed.end,
                event: None,
                confidence: 0.5,
            });
        }
    }
    stances
}

/// A sentence that names a foreign force and takes no side: one neutral row per force.
fn narration<'c, 'k>(context: &'c Context<'c, 'k>) -> Vec<Stance<'c, 'k>> {
    let forces = context
        .actors
        .of_sentence(context.sentence)
        .filter(|actor| is_foreign_force(actor) && actor.rule != "pronoun");
    let neutral = |force| Stance {
        holder: None,
        kind: HolderKind::Narrator,
        force,
        polarity: 0,
        intensity: 0,
        basis: StanceBasis::Narrator,
        negated: false,
        hedged: false,
        chain: None,
        rule: "narration".to_owned(),
        span: context.parsed.start..context.parsed.end,
        event: None,
        confidence: 0.6,
    };
    forces.map(neutral).collect()
}

/// One row for each holder, force and polarity of a sentence: the surest.
fn distinct<'c, 'k>(mut stances: Vec<Stance<'c, 'k>>) -> Vec<Stance<'c, 'k>> {
    stances.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    let mut kept: Vec<Stance<'c, 'k>> = Vec::new();
    for stance in stances {
        let home = |stance: &Stance<'_, '_>| stance.force.force.as_ref().and_then(|force| force.home.clone());
        let country =
            |stance: &Stance<'_, '_>| stance.holder.as_ref().and_then(|holder| holder.country.clone());
        let known = kept.iter().any(|other| {
            home(other) == home(&stance)
                && other.polarity == stance.polarity
                && (country(other) == country(&stance)
                    || other.kind == HolderKind::Narrator
                    || stance.kind == HolderKind::Narrator)
        });
        if !known {
            kept.push(stance);
        }
    }
    kept.sort_by_key(|stance| stance.span.start);
    kept
}

fn is_hedged(context: &Context<'_, '_>, clause: &Clause) -> bool {
    let hedges = &context.language.modality.hedges;
    clause
        .auxiliaries
        .iter()
        .any(|auxiliary| hedges.contains(auxiliary))
        || context
            .parsed
            .dependents(clause.predicate, "advmod")
            .any(|adverb| hedges.contains(context.parsed.words[adverb].lemma.as_ref()))
}

/// Whether a predicate stands in a quotation.
fn is_quoted(context: &Context<'_, '_>, clause: &Clause) -> bool {
    let word = &context.parsed.words[clause.predicate];
    context
        .text
        .quotations
        .iter()
        .any(|quotation| quotation.covers(&(word.start..word.end)))
}

/// The kind of holder that a kind of actor is.
pub(crate) fn holder_kind(kind: Option<ActorKind>, word: &str) -> HolderKind {
    match word {
        "opposition" => return HolderKind::Opposition,
        "civil_society" | "company" | "business" => return HolderKind::CivilSociety,
        _ => {}
    }
    match kind {
        Some(ActorKind::Government | ActorKind::Place) => HolderKind::Government,
        Some(ActorKind::Military) => HolderKind::Military,
        Some(ActorKind::ArmedGroup) => HolderKind::ArmedGroup,
        Some(ActorKind::International) => HolderKind::International,
        Some(ActorKind::Organization) => HolderKind::CivilSociety,
        Some(ActorKind::Population) => HolderKind::Public,
        Some(ActorKind::Media) => HolderKind::Media,
        Some(ActorKind::Person | ActorKind::Unknown) => HolderKind::Person,
        None => HolderKind::Narrator,
    }
}

fn row(context: &Context<'_, '_>, stance: Stance<'_, '_>, events: &[Event]) -> Sentiment {
    let document = context.document;
    let holder = stance.holder.unwrap_or_default();
    let force: Option<&Force> = stance.force.force.as_ref();
    let label = match stance.polarity {
        0 => StanceLabel::Neutral,
        polarity if polarity < 0 => StanceLabel::Negative,
        _ => StanceLabel::Positive,
    };
    let home = force.and_then(|force| force.home.clone());
    let key = [
        document.document_id.as_bytes(),
        &(context.parsed.index as u64).to_le_bytes(),
        &(stance.force.start as u64).to_le_bytes(),
        &holder.start.unwrap_or(-1).to_le_bytes(),
        holder.country.as_ref().map_or("", Code::as_str).as_bytes(),
        label.as_str().as_bytes(),
    ];
    Sentiment {
        sentiment_id: id::of("s", &key),
        document_id: document.document_id.clone(),
        sentence_index: context.parsed.index as i32,
        start_byte: stance.span.start as i64,
        end_byte: stance.span.end as i64,
        evidence: context.text.text[stance.span.clone()].to_owned(),
        is_owner: holder.country.is_some() && holder.country == home,
        holder_name: holder.name,
        holder_actor_id: holder.actor_id,
        holder_country: holder.country,
        holder_kind: stance.kind,
        source_chain: stance.chain,
        force_home: home,
        force_kind: force.map(|force| force.kind),
        force_name: Some(context.text.text[stance.force.start..stance.force.end].to_owned()),
        force_start_byte: stance.force.start as i64,
        force_end_byte: stance.force.end as i64,
        host_country: force.and_then(|force| force.host.clone()),
        polarity: stance.polarity as f32 * stance.intensity as f32 / 3.0,
        label,
        intensity: stance.intensity,
        basis: stance.basis,
        hedged: stance.hedged,
        negated: stance.negated,
        event_id: stance.event.map(|event| events[event].event_id.clone()),
        survey_id: None,
        stated_on: document
            .published_at
            .map(|at| at.to_zoned_datetime(TimeZone::UTC).date()),
        confidence: stance.confidence,
        rule: stance.rule,
        run_id: document.run_id.clone(),
    }
}

/// A survey share as a stance of those who gave the answer.
fn by_survey(survey: &Survey, document: &Document) -> Sentiment {
    let label = match survey.response_polarity {
        0 => StanceLabel::Neutral,
        polarity if polarity < 0 => StanceLabel::Negative,
        _ => StanceLabel::Positive,
    };
    Sentiment {
        sentiment_id: id::of("s", &[survey.survey_id.as_bytes()]),
        document_id: document.document_id.clone(),
        sentence_index: survey.sentence_index,
        start_byte: survey.start_byte,
        end_byte: survey.end_byte,
        evidence: survey.evidence.clone(),
        holder_name: Some(survey.population.clone()),
        holder_actor_id: survey.population_country.as_ref().map(Code::to_string),
        holder_country: survey.population_country.clone(),
        holder_kind: HolderKind::Public,
        source_chain: survey.pollster.clone(),
        force_home: survey.force_home.clone(),
        force_kind: survey.force_kind,
        force_name: survey.force_name.clone(),
        force_start_byte: survey.start_byte,
        force_end_byte: survey.end_byte,
        host_country: survey.host_country.clone(),
        polarity: survey.response_polarity as f32 * 2.0 / 3.0,
        label,
        intensity: if survey.response_polarity == 0 { 0 } else { 2 },
        basis: StanceBasis::Survey,
        survey_id: Some(survey.survey_id.clone()),
        stated_on: survey.fieldwork_to.or_else(|| {
            document
                .published_at
                .map(|at| at.to_zoned_datetime(TimeZone::UTC).date())
        }),
        confidence: survey.confidence,
        rule: "survey".to_owned(),
        run_id: document.run_id.clone(),
        ..Sentiment::default()
    }
}
