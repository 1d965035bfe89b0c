//! Who stands how toward which foreign force: from what is done, what is said, and how a force is judged.
//!
//! Narration is neutral. A stance is toward the presence, role or conduct of a force, not toward what befell it.

mod denial;
mod frames;
mod holders;
pub(crate) mod homes;
pub(crate) mod kinds;
pub mod model;
pub(crate) mod pairs;
#[cfg(test)]
mod tests;
mod turns;
mod words;

use jiff::tz::TimeZone;

use crate::events::{Context, matching};
use crate::gate::SENTENCES_OF_BRIEF;
use crate::id;
use crate::knowledge::{Knowledge, Language, Reading};
use crate::linear::Features;
use crate::mentions::{Actor, Actors, Force};
use crate::tables::{
    ActorKind, Code, Document, Event, ForceKind, HolderKind, Modality, Sentiment, StanceBasis, StanceLabel,
    Survey,
};
use crate::text::{Clause, Text, Upos, clauses};

use holders::Holder;
pub use words::Words;

/// One stance before it becomes a row.
struct Stance<'c, 'k> {
    holder: Option<Holder>,
    force: &'c Actor<'k>,
    polarity: i32,
    intensity: i32,
    basis: StanceBasis,
    negated: bool,
    /// Whether the words between the judgement and the force turn it round: "welcomed the departure of the troops".
    turned: bool,
    hedged: bool,
    rule: String,
    span: std::ops::Range<usize>,
    event: Option<usize>,
    confidence: f32,
    /// Index of the word that judges.
    predicate: usize,
}

impl Stance<'_, '_> {
    /// Without a holder a judgement is the narrator's, and narration is neutral; what an armed group does to a force
    /// is an event first.
    fn is_held(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| {
            holder.kind != HolderKind::ArmedGroup
                || !matches!(self.basis, StanceBasis::Action | StanceBasis::Protest)
        })
    }
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
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        let mut stances = by_frames(&context, events);
        match &language.judge.stances {
            Some(models) => stances = pairs::settle(&context, stances, events, models),
            None => stances.retain(Stance::is_held),
        }
        let told = surveys
            .iter()
            .any(|survey| survey.sentence_index == parsed.index as i32);
        if !told {
            let rest = narration(&context, &stances);
            stances.extend(
                rest.into_iter()
                    .filter(|stance| is_known_abroad(text, stance.force)),
            );
        }
        let first = rows.len();
        for stance in distinct(stances) {
            let also = stance.force.force.as_ref().map(|force| force.also.clone());
            rows.push(row(&context, stance, events));
            for home in also.unwrap_or_default() {
                rows.extend(of_further_home(&rows[first..], home));
            }
        }
    }
    rows.extend(surveys.iter().map(|survey| by_survey(survey, document)));
    rows
}

/// What frames say of the forces of a sentence, right or wrong.
fn by_frames<'c, 'k>(context: &'c Context<'c, 'k>, events: &[Event]) -> Vec<Stance<'c, 'k>> {
    let mut stances = by_words(context);
    drop_inner(context, &mut stances);
    link(context, &mut stances, events);
    let told: Vec<Stance<'c, 'k>> = by_action(context, events)
        .into_iter()
        .filter(|other| {
            !stances
                .iter()
                .any(|stance| home_of(stance.force) == home_of(other.force))
        })
        .collect();
    stances.extend(told);
    stances.extend(by_scare_quotes(context));
    stances
}

/// A holder and a foreign force of a sentence, for the model to learn from.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The word of the holder, in bytes of the text.
    pub holder: std::ops::Range<usize>,
    /// Arcs from that word to the top of its sentence.
    pub depth: usize,
    /// The words of the force, in bytes of the text.
    pub force: std::ops::Range<usize>,
    /// Whose force it is.
    pub home: Option<Code>,
    /// What the model sees of the two.
    pub features: Features,
    /// What it sees of the frames, where they say something of the two.
    pub told: Option<Features>,
    /// The polarity that the frames give the two, if any.
    pub told_polarity: Option<i32>,
    /// What the model of kinds sees of the holder.
    pub kind: Features,
}

/// Every holder with every foreign force of a text.
pub(crate) fn candidates(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    actors: &Actors<'_>,
    events: &[Event],
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
) -> Vec<Candidate> {
    let mut found = Vec::new();
    for sentence in 0..text.parsed.len() {
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        let told = by_frames(&context, events);
        found.extend(
            pairs::of_sentence(&context, &told, events)
                .into_iter()
                .map(|pair| Candidate {
                    depth: pair.depth,
                    kind: pair.kind_features(&context),
                    home: home_of(pair.force).cloned(),
                    force: pair.force.start..pair.force.end,
                    holder: pair.span,
                    features: pair.features,
                    told: pair.told_features,
                    told_polarity: pair.told.map(|index| told[index].polarity.signum()),
                }),
        );
    }
    found
}

/// The words of a sentence that judge a foreign force, with -1 against and 1 for it.
pub(crate) fn judgements(context: &Context<'_, '_>) -> Vec<(usize, i32)> {
    let mut found: Vec<(usize, i32)> = by_words(context)
        .into_iter()
        .filter(|stance| stance.polarity != 0)
        .map(|stance| (stance.predicate, stance.polarity.signum()))
        .collect();
    found.sort_unstable();
    found
}

/// What the frames of verbs, nouns and adjectives say of the forces of a sentence.
fn by_words<'c, 'k>(context: &'c Context<'c, 'k>) -> Vec<Stance<'c, 'k>> {
    let nouns = judging_nouns(context);
    let clauses = context.clauses.iter().chain(&nouns);
    clauses
        .flat_map(|clause| frames::by_word(context, clause))
        .collect()
}

/// Nouns and adjectives that judge a force without being the predicate of a clause: "hostility toward the base".
fn judging_nouns(context: &Context<'_, '_>) -> Vec<Clause> {
    let grammar = &context.language.grammar;
    let judges = |word: &crate::text::Word<'_>| match word.upos {
        Upos::Noun => context.language.stances.is_known('n', &word.lemma),
        Upos::Adj => context.language.stances.is_known('a', &word.lemma),
        _ => false,
    };
    let words = context.parsed.words.iter().enumerate();
    let words = words.filter(|(index, word)| context.clause(*index).is_none() && judges(word));
    words
        .map(|(index, _)| clauses::at(context.parsed, grammar, index))
        .collect()
}

/// "promised to tear up the clause that lets them in" is one stance: what a judgement is about is not a second one.
fn drop_inner(context: &Context<'_, '_>, stances: &mut Vec<Stance<'_, '_>>) {
    let parsed = context.parsed;
    let is_inside = |inner: usize, outer: usize| {
        let mut at = inner;
        while let Some(head) = parsed.words[at].head.filter(|_| at != outer) {
            if matches!(
                parsed.words[at].relation,
                "conj" | "parataxis" | "acl:relcl" | "advcl"
            ) {
                return false;
            }
            at = head;
        }
        inner != outer && at == outer
    };
    let held: Vec<(usize, Option<Code>)> = stances
        .iter()
        .filter(|stance| stance.holder.as_ref().is_some_and(|holder| holder.is_certain))
        .map(|stance| (stance.predicate, home_of(stance.force).cloned()))
        .collect();
    stances.retain(|stance| {
        let home = home_of(stance.force).cloned();
        !held
            .iter()
            .any(|(outer, other)| *other == home && is_inside(stance.predicate, *outer))
    });
}

/// Points stances to the events that their words are.
fn link(context: &Context<'_, '_>, stances: &mut [Stance<'_, '_>], events: &[Event]) {
    for stance in stances {
        let predicate = context.parsed.words[stance.predicate].start;
        let rests_on = |event: &Event| {
            let trigger = event.trigger_start_byte as usize;
            let is_told = event.force_event.is_some() && stance.span.contains(&trigger);
            event.sentence_index == context.parsed.index as i32 && (trigger == predicate || is_told)
        };
        stance.event = events.iter().position(rests_on);
    }
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
        if event.source_name.is_none() && event.source_country.is_none() || is_supposed(context, event) {
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
        let basis = if is_protest {
            StanceBasis::Protest
        } else if is_said {
            StanceBasis::Statement
        } else {
            StanceBasis::Action
        };
        stances.push(Stance {
            holder: Some(holder_of_event(context, event)),
            force,
            polarity,
            intensity: 2,
            basis,
            negated,
            turned: false,
            hedged: false,
            rule: format!("action:{}", event.force_event.as_ref().map_or("", Code::as_str)),
            span: event.start_byte as usize..event.end_byte as usize,
            event: Some(index),
            confidence: event.confidence,
            predicate: 0,
        });
    }
    stances
}

/// "would not say whether they had been asked to go": what is not told to have happened shows nothing.
fn is_supposed(context: &Context<'_, '_>, event: &Event) -> bool {
    let words = context.parsed.words.iter();
    let at = words
        .take_while(|word| (word.start as i64) < event.trigger_start_byte)
        .count();
    let mark = context.clause(at).and_then(|clause| clause.mark.as_ref());
    mark.is_some_and(|mark| context.language.grammar.conditional_marks.contains(mark))
}

/// Who does what shows a stance: the source of the event.
fn holder_of_event(context: &Context<'_, '_>, event: &Event) -> Holder {
    let actor = context
        .actors
        .of_sentence(context.sentence)
        .find(|actor| Some(actor.start as i64) == event.source_start_byte);
    let told = actor.and_then(|actor| holders::of_head(context, actor.head));
    let filled = matching::Filled {
        name: event.source_name.clone(),
        actor_id: event.source_actor_id.clone(),
        country: event.source_country.clone(),
        kind: event.source_kind,
        start: event.source_start_byte,
        end: event.source_end_byte,
    };
    let word = actor.map_or("", |actor| actor.word.as_str());
    Holder {
        kind: told.map_or(holders::of_kind(event.source_kind, word), |holder| holder.kind),
        filled,
        head: actor.map(|actor| actor.head),
        chain: event.reported_by.clone(),
        is_certain: true,
    }
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

/// Whether a document tells that a force is abroad; a text too short to say is trusted. What no word of stance
/// shows is asked only of these: most news of an air force is of its purchases.
fn is_known_abroad(text: &Text<'_>, actor: &Actor<'_>) -> bool {
    let force = actor.force.as_ref();
    text.sentences.len() <= SENTENCES_OF_BRIEF || force.is_some_and(|force| force.is_foreign() == Some(true))
}

/// Whether it is known whose a force is, or at least that it was sent: else it is mostly no force at all.
fn is_known(force: &Force) -> bool {
    let is_sent = matches!(
        force.kind,
        ForceKind::Mercenaries | ForceKind::Peacekeepers | ForceKind::Coalition
    );
    force.home.is_some() || force.called_foreign || is_sent
}

fn is_foreign_force(actor: &Actor<'_>) -> bool {
    actor
        .force
        .as_ref()
        .is_some_and(|force| force.is_foreign() != Some(false))
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
            let sense = context
                .language
                .stances
                .of('a', &word.lemma.to_lowercase())
                .first();
            let force = word
                .head
                .and_then(|head| context.actor(head))
                .filter(|actor| is_foreign_force(actor));
            let (Some(sense), Some(force)) = (sense, force) else {
                continue;
            };
            let host = force.force.as_ref().and_then(|force| force.host.clone());
            let filled = matching::Filled {
                actor_id: host.as_ref().map(Code::to_string),
                country: host,
                kind: Some(ActorKind::Government),
                ..matching::Filled::default()
            };
            let subject = context
                .clauses
                .iter()
                .find_map(|clause| holders::speaker(context, clause));
            stances.push(Stance {
                holder: Some(subject.unwrap_or(Holder {
                    filled,
                    kind: HolderKind::Government,
                    head: None,
                    chain: None,
                    is_certain: false,
                })),
                force,
                polarity: sense.polarity,
                intensity: sense.intensity,
                basis: StanceBasis::Quote,
                negated: false,
                turned: false,
                hedged: false,
                rule: "scare_quotes".to_owned(),
                span: context.parsed.start..context.parsed.end,
                event: None,
                confidence: 0.5,
                predicate: index,
            });
        }
    }
    stances
}

/// Foreign forces of a sentence toward whose home it has no stance.
fn unjudged<'c, 'k>(
    context: &'c Context<'c, 'k>,
    stances: &[Stance<'c, 'k>],
) -> impl Iterator<Item = &'c Actor<'k>> {
    let forces = context.actors.of_sentence(context.sentence);
    forces.filter(|actor| {
        let judged = stances
            .iter()
            .any(|stance| home_of(stance.force) == home_of(actor));
        is_foreign_force(actor) && actor.rule != "pronoun" && !judged
    })
}

/// A foreign force toward which a sentence takes no side: one neutral row per home of a force.
fn narration<'c, 'k>(context: &'c Context<'c, 'k>, stances: &[Stance<'c, 'k>]) -> Vec<Stance<'c, 'k>> {
    let neutral = |force| Stance {
        holder: None,
        force,
        polarity: 0,
        intensity: 0,
        basis: StanceBasis::Narrator,
        negated: false,
        turned: false,
        hedged: false,
        rule: "narration".to_owned(),
        span: context.parsed.start..context.parsed.end,
        event: None,
        confidence: 0.6,
        predicate: 0,
    };
    unjudged(context, stances).map(neutral).collect()
}

fn home_of<'a>(actor: &'a Actor<'_>) -> Option<&'a Code> {
    actor.force.as_ref().and_then(|force| force.home.as_ref())
}

/// One row for each holder and home of a force in a sentence: the surest, and of equals the most pronounced.
fn distinct<'c, 'k>(mut stances: Vec<Stance<'c, 'k>>) -> Vec<Stance<'c, 'k>> {
    stances.sort_by(|one, other| {
        other
            .confidence
            .total_cmp(&one.confidence)
            .then(other.intensity.cmp(&one.intensity))
    });
    let mut kept: Vec<Stance<'c, 'k>> = Vec::new();
    for stance in stances {
        let holder = |stance: &Stance<'_, '_>| {
            let holder = stance.holder.as_ref();
            holder.map(|holder| (holder.filled.country.clone(), holder.kind))
        };
        let known = kept
            .iter()
            .any(|other| home_of(other.force) == home_of(stance.force) && holder(other) == holder(&stance));
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

/// A foreign force that does not speak: neither as the organization that fields it nor as one of its officers.
fn is_mere_force(context: &Context<'_, '_>, actor: &Actor<'_>) -> bool {
    let is_organization = actor
        .entry
        .is_some_and(|entry| entry.reading == Reading::Organization);
    let speaks = |clause: &Clause| {
        context.language.attribution.speech_verbs.contains(&clause.lemma)
            && clause.in_role("subj").any(|head| head == actor.head)
    };
    let is_speaker = actor.rule == "assumed" && context.clauses.iter().any(speaks);
    is_foreign_force(actor) && !is_organization && !is_speaker
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

/// A holder whose country nothing tells is at home where the force is, or in the one other state that is named, but
/// not where another force comes from; bodies of many states have no country.
fn at_host(context: &Context<'_, '_>, holder: Holder, force: Option<&Force>) -> matching::Filled {
    let mut filled = holder.filled;
    if holder.kind == HolderKind::International {
        filled.country = None;
        return filled;
    }
    if filled.country.is_none() {
        let forces = context.actors.of_sentence(context.sentence);
        let homes: Vec<&Code> = forces.filter_map(home_of).collect();
        let host = force.and_then(|force| force.host.clone());
        filled.country = host
            .filter(|host| !homes.contains(&host))
            .or_else(|| holders::country_beside(context, &homes));
    }
    filled
}

fn row(context: &Context<'_, '_>, stance: Stance<'_, '_>, events: &[Event]) -> Sentiment {
    let document = context.document;
    let force: Option<&Force> = stance.force.force.as_ref();
    let (kind, chain, holder) = match stance.holder {
        Some(holder) => (holder.kind, holder.chain.clone(), at_host(context, holder, force)),
        None => (HolderKind::Narrator, None, matching::Filled::default()),
    };
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
        holder_kind: kind,
        source_chain: chain,
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

/// The last row again for a further home of its force ("British and American warships"), unless it is said already.
fn of_further_home(rows: &[Sentiment], home: Code) -> Option<Sentiment> {
    let row = rows.last()?;
    let is_said = rows.iter().any(|other| {
        other.force_home.as_ref() == Some(&home)
            && (&other.holder_country, other.holder_kind) == (&row.holder_country, row.holder_kind)
    });
    let is_at_home = row.host_country.as_ref() == Some(&home);
    (!is_said && !is_at_home).then(|| Sentiment {
        sentiment_id: id::of("s", &[row.sentiment_id.as_bytes(), home.as_str().as_bytes()]),
        is_owner: row.holder_country.as_ref() == Some(&home),
        force_home: Some(home),
        ..row.clone()
    })
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
