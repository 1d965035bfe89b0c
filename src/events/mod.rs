//! Who did what to whom: frames of predicates over clauses, and for each event where, when, and whether it is so.

pub(crate) mod circumstances;
mod countries;
pub(crate) mod features;
pub(crate) mod forces;
pub(crate) mod matching;
pub mod model;
pub(crate) mod predicates;
pub(crate) mod roles;

use std::collections::HashSet;
use std::ops::Range;

use crate::id;
use crate::knowledge::frames::{Frame, Part};
use crate::knowledge::{Knowledge, Language};
use crate::mentions::{Actor, Actors, Force};
use crate::plan::Scope;
use crate::tables::{ActorKind, Code, Document, Event, EventType, Modality, Status};
use crate::text::clauses::PredicateKind;
use crate::text::{Clause, Parsed, Text, dates, quantities};

use features::{Place, Sentence};
use matching::Matcher;
use model::{Model, NO_EVENT};
use predicates::Told;

/// What the coding of events in one sentence looks at.
pub(crate) struct Context<'s, 'k> {
    pub text: &'s Text<'s>,
    pub parsed: &'s Parsed<'s>,
    /// Position of the sentence among the parsed ones.
    pub sentence: usize,
    pub clauses: &'s [Clause],
    pub actors: &'s Actors<'k>,
    pub document: &'s Document,
    pub knowledge: &'k Knowledge,
    pub language: &'k Language,
    /// The dates the sentence tells.
    pub dates: Vec<dates::Told>,
}

impl<'s, 'k> Context<'s, 'k> {
    /// What there is to see of a parsed sentence.
    pub fn new(
        text: &'s Text<'s>,
        sentence: usize,
        clauses: &'s [Vec<Clause>],
        actors: &'s Actors<'k>,
        document: &'s Document,
        knowledge: &'k Knowledge,
        language: &'k Language,
    ) -> Self {
        let parsed = &text.parsed[sentence];
        Self {
            text,
            parsed,
            sentence,
            clauses: &clauses[sentence],
            actors,
            document,
            knowledge,
            language,
            dates: circumstances::dates(parsed, document, language),
        }
    }

    /// The clause of a predicate.
    pub fn clause(&self, predicate: usize) -> Option<&'s Clause> {
        self.clauses.iter().find(|clause| clause.predicate == predicate)
    }

    /// Whether a word is part of a date.
    pub fn is_date(&self, word: usize) -> bool {
        self.dates
            .iter()
            .any(|told| (told.first..told.end).contains(&word))
    }

    /// The actor that a participant stands for.
    pub fn actor(&self, head: usize) -> Option<&'s Actor<'k>> {
        self.actors
            .behind(self.parsed, self.sentence, head, self.language)
    }
}

/// Reads a text as one sentence, as the models of the coder learn from it and are measured on it.
pub(crate) fn with_context<R: Default>(
    text: &str,
    knowledge: &Knowledge,
    language: &Language,
    mut look: impl FnMut(&Context<'_, '_>) -> R,
) -> R {
    let sentence = crate::text::Sentence {
        start: 0,
        end: text.len(),
        kind: crate::text::Kind::Paragraph,
    };
    let mut result = R::default();
    with_contexts(text, vec![sentence], knowledge, language, |context| {
        result = look(context);
    });
    result
}

/// Reads a text as an article, and looks at each of its sentences.
pub(crate) fn with_contexts(
    text: &str,
    sentences: Vec<crate::text::Sentence>,
    knowledge: &Knowledge,
    language: &Language,
    mut look: impl FnMut(&Context<'_, '_>),
) {
    let document = Document {
        text: text.to_owned(),
        ..Document::default()
    };
    let text = crate::text::annotate(
        &document.text,
        sentences,
        |_, _| true,
        &language.reader,
        &knowledge.gazetteer,
    );
    let clauses = crate::extract::clauses(&text, language);
    let actors = crate::mentions::find(&text, &clauses, &document, knowledge, language);
    for sentence in 0..text.parsed.len() {
        look(&Context::new(
            &text, sentence, &clauses, &actors, &document, knowledge, language,
        ));
    }
}

/// The type of what one marked actor of a sentence does to the other, by the model, with its probability; no type where
/// the language has no model or no actor is found.
pub(crate) fn type_between(
    text: &str,
    source: Option<&Range<usize>>,
    target: Option<&Range<usize>>,
    knowledge: &Knowledge,
    language: &Language,
) -> (&'static str, f32) {
    let Some(coder) = &language.coder else {
        return ("", 0.0);
    };
    with_context(text, knowledge, language, |context| {
        let place = |span: Option<&Range<usize>>| Place::of(context.parsed, span?);
        let (source, target) = (place(source), place(target));
        let (source, target) = if source.is_some() {
            (source, target)
        } else {
            (target, None)
        };
        let Some(source) = source else { return ("", 0.0) };
        let features = Sentence::new(context).pair(&source, target.as_ref());
        let probabilities = coder.types.probabilities(&features);
        let told = coder.types.classes().iter().zip(&probabilities);
        // Who marks two actors says that something happens between them.
        let best = told
            .filter_map(|(class, probability)| Some((EventType::parse(class).ok()?, *probability)))
            .max_by(|one, other| one.1.total_cmp(&other.1));
        best.map_or(("", 0.0), |(event_type, probability)| {
            (event_type.as_str(), probability)
        })
    })
}

/// Codes the events of a text.
pub fn code(
    text: &Text<'_>,
    clauses: &[Vec<Clause>],
    actors: &Actors<'_>,
    document: &Document,
    knowledge: &Knowledge,
    language: &Language,
    scope: Scope,
) -> Vec<Event> {
    let mut events = Vec::new();
    for sentence in 0..text.parsed.len() {
        let context = Context::new(text, sentence, clauses, actors, document, knowledge, language);
        events.append(&mut code_sentence(&context));
    }
    if scope == Scope::ForeignForces && !events.iter().any(|event| event.force_event.is_some()) {
        events.clear();
    }
    events
}

fn code_sentence(context: &Context<'_, '_>) -> Vec<Event> {
    let (mut events, mut used) = by_frames(context);
    if let Some(coder) = &context.language.coder {
        by_model(context, coder, &mut events, &mut used);
    }
    let located = events.into_iter().map(|(_, mut event)| {
        countries::give(&mut event, context);
        event
    });
    located.collect()
}

/// The events of predicates that the lexicon knows, each with the word of its predicate; and the words that they take
/// in.
fn by_frames(context: &Context<'_, '_>) -> (Vec<(usize, Event)>, HashSet<usize>) {
    let mut events: Vec<(usize, Event)> = Vec::new();
    let mut used: HashSet<usize> = HashSet::new();
    for clause in context.clauses {
        if used.contains(&clause.predicate) {
            continue;
        }
        let matches = frames_met(context, clause);
        let coded = matches.into_iter().find_map(|(frame, matcher)| {
            let event = event(context, clause, frame, &matcher)?;
            Some((event, matcher.consumed()))
        });
        // "asked X to leave" is one event: the complement belongs to it.
        if let Some((event, consumed)) = coded {
            used.extend(consumed);
            events.push((clause.predicate, event));
        }
    }
    // A governing predicate that comes later in the sentence may take in a complement that was coded before it.
    events.retain(|(predicate, _)| !used.contains(predicate));
    (events, used)
}

/// The model must be this sure to overrule a frame, in its type or in that there is an event at all.
const OVERRULES: f32 = 0.6;
/// A pair whose actors are less likely than this, or whose type is, gives no event of its own.
const PAIR_MIN: f32 = 0.3;
const TYPE_MIN: f32 = 0.35;

/// A clause that no frame tells must be this sure to tell an event; where the sentence tells another already, surer.
const SECOND_MIN: f32 = 0.6;
const CLAUSE_MIN: f32 = 0.4;

/// An event of a frame whose actors are less likely than this any actors of an event is none; of nouns less is asked,
/// since they seldom have both actors beside them.
const VERB_MIN: f32 = 0.1;
const NOUN_MIN: f32 = 0.02;
/// An event this much less sure than the surest of its sentence is a misreading of it more often than another event.
const WEAK_SHARE: f32 = 0.4;

/// Lets the model settle the types of the frames' events, and tells the likeliest pair of actors: of the frame's event
/// where a frame knows their predicate, else as an event of its own.
fn by_model(
    context: &Context<'_, '_>,
    coder: &Model,
    events: &mut Vec<(usize, Event)>,
    used: &mut HashSet<usize>,
) {
    let sentence = Sentence::new(context);
    let pair = roles::pair(&sentence, coder).filter(|pair| pair.confidence >= PAIR_MIN);
    if let Some(pair) = &pair {
        tell_pair(&sentence, coder, pair, events);
    }
    events.retain_mut(|(predicate, event)| {
        let is_verb = context
            .clause(*predicate)
            .is_none_or(|clause| clause.kind == PredicateKind::Verb);
        settle(&sentence, coder, event, if is_verb { VERB_MIN } else { NOUN_MIN })
    });
    by_clauses(&sentence, coder, events, used);
    for (predicate, event) in events.iter_mut() {
        forces::tell(&sentence, coder, *predicate, event);
    }
    let best = events
        .iter()
        .map(|(_, event)| event.confidence)
        .fold(0.0, f32::max);
    events.retain(|(_, event)| event.force_event.is_some() || event.confidence >= WEAK_SHARE * best);
}

/// The events of clauses that neither a frame nor the likeliest pair of actors tells.
fn by_clauses(
    sentence: &Sentence<'_, '_>,
    coder: &Model,
    events: &mut Vec<(usize, Event)>,
    used: &mut HashSet<usize>,
) {
    let context = sentence.context;
    used.extend(events.iter().map(|(predicate, _)| *predicate));
    for clause in context.clauses {
        let takes_in = clause.complements.iter().any(|below| used.contains(below));
        let hangs_on = clause
            .governor
            .as_ref()
            .is_some_and(|governor| governor.relation == "xcomp" && used.contains(&governor.predicate));
        if used.contains(&clause.predicate) || takes_in || hangs_on {
            continue;
        }
        let Some(told) = predicates::told(sentence, coder, clause).filter(|told| {
            told.confidence >= CLAUSE_MIN && (events.is_empty() || told.confidence >= SECOND_MIN)
        }) else {
            continue;
        };
        let (source, target) = predicates::parts(sentence, coder, clause);
        if source.is_none() && target.is_none() {
            continue;
        }
        let filled = |place: Option<Place>| {
            place
                .map(|place| phrase_filled(context, &place))
                .unwrap_or_default()
        };
        let (source, target) = (filled(source), filled(target));
        let event = modelled(context, clause, "model:predicates", &told, source, target);
        used.insert(clause.predicate);
        events.push((clause.predicate, event));
    }
}

/// Tells the event of a pair of actors.
fn tell_pair(
    sentence: &Sentence<'_, '_>,
    coder: &Model,
    pair: &roles::Pair,
    events: &mut Vec<(usize, Event)>,
) {
    let context = sentence.context;
    let chain = sentence.predicates(pair.source.head);
    let source = phrase_filled(context, &pair.source);
    let target = pair.target.as_ref().map(|target| phrase_filled(context, target));
    let of_pair = |event: &&mut (usize, Event)| chain.iter().any(|clause| clause.predicate == event.0);
    if let Some((_, known)) = events.iter_mut().rfind(of_pair) {
        known.source_start_byte = source.start;
        known.source_end_byte = source.end;
        if known.source_name.is_none() {
            set_source(known, source);
        }
        if let Some(target) = target {
            known.target_start_byte = target.start;
            known.target_end_byte = target.end;
            if known.target_name.is_none() {
                set_target(known, target);
            }
        }
        return;
    }
    let (class, sure) = coder
        .types
        .best(&sentence.pair(&pair.source, pair.target.as_ref()));
    let (Some(clause), Ok(event_type)) = (chain.last(), EventType::parse(class)) else {
        return;
    };
    if sure < TYPE_MIN {
        return;
    }
    let told = Told {
        event_type,
        confidence: sure,
    };
    let event = modelled(
        context,
        clause,
        "model:events",
        &told,
        source,
        target.unwrap_or_default(),
    );
    events.push((clause.predicate, event));
}

/// An event of a clause that a model told.
fn modelled(
    context: &Context<'_, '_>,
    clause: &Clause,
    rule: &str,
    told: &Told,
    source: matching::Filled,
    target: matching::Filled,
) -> Event {
    let mut event = blank(context, clause);
    event.rule = rule.to_owned();
    event.confidence = told.confidence;
    event.event_type = Some(told.event_type);
    set_facts(&mut event, context);
    set_source(&mut event, source);
    set_target(&mut event, target);
    finish(context, clause, &mut event);
    event
}

/// Whether the model lets an event of a frame stand; its type and confidence are settled.
fn settle(sentence: &Sentence<'_, '_>, coder: &Model, event: &mut Event, actors_min: f32) -> bool {
    let place = |start: Option<i64>, end: Option<i64>| {
        Place::of(sentence.context.parsed, &(start? as usize..end? as usize))
    };
    let source = place(event.source_start_byte, event.source_end_byte);
    let target = place(event.target_start_byte, event.target_end_byte);
    let (source, target) = match (source, target) {
        (Some(source), target) => (source, target),
        (None, Some(target)) => (target, None),
        (None, None) => return event.force_event.is_some(),
    };
    if event.force_event.is_some() {
        return true;
    }
    let probabilities = coder
        .types
        .probabilities(&sentence.pair(&source, target.as_ref()));
    let classes = coder.types.classes();
    let of = |class: &str| {
        classes
            .iter()
            .position(|known| known == class)
            .map_or(0.0, |at| probabilities[at])
    };
    let actors = roles::likelihood(sentence, coder, &source, target.as_ref());
    if of(NO_EVENT) > OVERRULES || actors < actors_min {
        return false;
    }
    let best = classes
        .iter()
        .zip(&probabilities)
        .max_by(|one, other| one.1.total_cmp(other.1));
    let (class, sure) = best.map_or(("", 0.0), |(class, sure)| (class.as_str(), *sure));
    match EventType::parse(class) {
        Ok(better) if sure > OVERRULES && event.event_type != Some(better) => {
            event.event_type = Some(better);
            (event.event_mode, event.cameo_code) = (None, None);
            set_facts(event, sentence.context);
            event.rule.push_str("+model");
            event.confidence = sure;
        }
        _ => {
            event.confidence =
                (event.confidence + event.event_type.map_or(0.0, |known| of(known.as_str()))) / 2.0
        }
    }
    event.confidence = (event.confidence * actors.sqrt()).clamp(0.05, 0.99);
    true
}

/// A noun phrase as who fills a role: what is known of its head, and the whole phrase as its place in the text.
fn phrase_filled(context: &Context<'_, '_>, place: &Place) -> matching::Filled {
    let mut filled = matching::filled(context, place.head);
    let span = roles::span(context.parsed, place);
    if filled.is_empty() {
        filled.name = Some(context.text.text[span.clone()].to_owned());
    }
    (filled.start, filled.end) = (Some(span.start as i64), Some(span.end as i64));
    filled
}

/// The frames of the predicate whose needs are all met: those of forces first, then those that need most.
fn frames_met<'c, 'k>(context: &'c Context<'c, 'k>, clause: &'c Clause) -> Vec<(&'k Frame, Matcher<'c, 'k>)> {
    let part = match clause.kind {
        PredicateKind::Verb => Part::Verb,
        PredicateKind::Noun => Part::Noun,
        PredicateKind::Adjective => Part::Adjective,
    };
    let mut met: Vec<(&'k Frame, Matcher<'c, 'k>)> = Vec::new();
    for (lemma, object_role) in matching::keys(context, clause) {
        for frame in context.language.frames.of(part, &lemma) {
            if let Some(matcher) = Matcher::new(context, clause, object_role.clone()).meets(frame) {
                met.push((frame, matcher));
            }
        }
    }
    met.sort_by_key(|(frame, _)| std::cmp::Reverse((frame.force_event.is_some(), frame.needs.len())));
    met
}

fn event(
    context: &Context<'_, '_>,
    clause: &Clause,
    frame: &Frame,
    matcher: &Matcher<'_, '_>,
) -> Option<Event> {
    let source = matcher.fill(&frame.source);
    let target = matcher.fill(&frame.target);
    let same = source.start.is_some() && source.start == target.start;
    let target = if same { matching::Filled::default() } else { target };
    let named = matcher.force();
    let force = forces::of_frame(context, frame, named.map(|(_, force)| force), &source, &target)?;
    if source.is_empty() && target.is_empty() && force.is_none() {
        return None;
    }
    let mut event = blank(context, clause);
    event.event_mode = frame.mode.clone();
    event.event_context = frame.context.clone();
    event.confidence = confidence(context, clause, frame);
    event.rule = frame.rule.clone();
    set_type(&mut event, frame, context, force.as_ref(), clause);
    set_source(&mut event, widened(context, source));
    set_target(&mut event, widened(context, target));
    if let Some(force) = &force {
        forces::set(&mut event, context, force, named.map(|(actor, _)| actor));
    }
    finish(context, clause, &mut event);
    Some(event)
}

/// Who fills a role with the whole noun phrase as its place in the text.
fn widened(context: &Context<'_, '_>, mut filled: matching::Filled) -> matching::Filled {
    let span = Option::zip(filled.start, filled.end).map(|(start, end)| start as usize..end as usize);
    let place = span.and_then(|span| Place::of(context.parsed, &span));
    if let (Some(place), Some(coder)) = (place, &context.language.coder) {
        let whole = roles::span(
            context.parsed,
            &roles::extent(context.parsed, place.head, &coder.extents),
        );
        (filled.start, filled.end) = (Some(whole.start as i64), Some(whole.end as i64));
    }
    filled
}

/// An event of a clause before its type and actors are known.
fn blank(context: &Context<'_, '_>, clause: &Clause) -> Event {
    let (status, modality) = circumstances::status(context, clause);
    let span = circumstances::evidence(context, clause);
    let trigger = &context.parsed.words[clause.predicate];
    Event {
        document_id: context.document.document_id.clone(),
        sentence_index: context.parsed.index as i32,
        start_byte: span.start as i64,
        end_byte: span.end as i64,
        evidence: context.text.text[span].to_owned(),
        trigger_start_byte: trigger.start as i64,
        trigger_end_byte: trigger.end as i64,
        status,
        modality,
        reported_by: circumstances::speaker(context, clause).map(|speaker| speaker.name),
        run_id: context.document.run_id.clone(),
        ..Event::default()
    }
}

/// When, where, how many: what does not depend on how the event was found; and its id.
fn finish(context: &Context<'_, '_>, clause: &Clause, event: &mut Event) {
    circumstances::date(context, clause, event);
    circumstances::place(context, clause, event);
    if event.event_type == Some(EventType::Assault) || event.event_type.is_none() {
        (event.killed, event.wounded) = quantities::casualties(context.parsed, &context.language.quantities);
    }
    let key = [
        event.document_id.as_bytes(),
        &event.trigger_start_byte.to_le_bytes(),
        event.rule.as_bytes(),
    ];
    event.event_id = id::of("e", &key);
}

/// Type, CAMEO code, quad and force event: a withdrawal that is only announced is a concession, one by mercenaries
/// has a name of its own.
fn set_type(
    event: &mut Event,
    frame: &Frame,
    context: &Context<'_, '_>,
    force: Option<&Force>,
    clause: &Clause,
) {
    let types = &context.knowledge.event_types;
    event.event_type = frame.event_type;
    event.cameo_code = frame.cameo.clone();
    // Who does not agree rejects; where negation makes nothing else of a predicate, the row stays and is marked.
    if let Some(opposite) = frame
        .negated
        .filter(|_| clause.negation.is_some() && event.modality == Modality::Negated)
    {
        event.event_type = Some(opposite);
        (event.event_mode, event.cameo_code, event.modality) = (None, None, Modality::Asserted);
    }
    if let Some(name) = frame.force_event.as_ref() {
        let facts = types.force_events.get(name.as_str());
        let by_kind = facts.and_then(|facts| facts.kinds.get(&force?.kind));
        event.force_event = Some(by_kind.map_or_else(|| name.clone(), |other| Code::new(other)));
        let is_ahead = matches!(
            event.status,
            Status::Announced | Status::Agreed | Status::Scheduled
        ) || matches!(event.modality, Modality::Planned | Modality::Hypothetical);
        if let Some(planned) = facts.and_then(|facts| facts.planned).filter(|_| is_ahead) {
            event.event_type = Some(planned);
            event.event_mode = None;
            event.cameo_code = facts
                .and_then(|facts| facts.planned_cameo.as_deref())
                .map(Code::new);
        }
    }
    set_facts(event, context);
}

/// Quad class, intensity and, where the frame names none, the CAMEO code of the event's type.
fn set_facts(event: &mut Event, context: &Context<'_, '_>) {
    let types = &context.knowledge.event_types.types;
    if let Some(facts) = event.event_type.and_then(|event_type| types.get(&event_type)) {
        event.quad = Some(facts.quad);
        event.intensity = Some(facts.intensity);
        event.cameo_code = event.cameo_code.take().or_else(|| Some(Code::new(&facts.cameo)));
    }
}

fn set_source(event: &mut Event, source: matching::Filled) {
    event.source_name = source.name;
    event.source_actor_id = source.actor_id;
    event.source_country = source.country;
    event.source_kind = source.kind;
    event.source_start_byte = source.start;
    event.source_end_byte = source.end;
}

fn set_target(event: &mut Event, target: matching::Filled) {
    // "Burkina Faso signed": a part of who acts is not acted upon.
    let within = |start: Option<i64>| {
        let source = event.source_start_byte.zip(event.source_end_byte);
        source
            .zip(start)
            .is_some_and(|((first, end), start)| first <= start && start < end)
    };
    if within(target.start) {
        return;
    }
    event.target_name = target.name;
    event.target_actor_id = target.actor_id;
    event.target_country = target.country;
    event.target_kind = target.kind;
    event.target_start_byte = target.start;
    event.target_end_byte = target.end;
}

/// How sure the row is: what the parser gives for the arcs of the clause, less for senses that need little.
fn confidence(context: &Context<'_, '_>, clause: &Clause, frame: &Frame) -> f32 {
    let arcs = clause
        .participants
        .iter()
        .map(|phrase| context.parsed.words[phrase.head].confidence);
    let weakest = arcs.fold(1.0_f32, f32::min).max(0.2);
    let specific = 1.0 - 0.35 / (1.0 + frame.needs.len() as f32);
    (weakest.sqrt() * specific).clamp(0.05, 0.99)
}

/// Whether an actor is one at all, for the roles of an event.
pub(crate) fn is_actor(actor: &Actor<'_>) -> bool {
    !matches!(actor.kind, ActorKind::Unknown)
}
