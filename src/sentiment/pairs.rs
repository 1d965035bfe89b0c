//! Which holder stands how toward which force, settled by a model over all holders and all forces of a sentence.
//!
//! Frames read what they know and are right or wrong in ways that can be learnt: what they say of a pair is one thing
//! the model sees, beside the words, the arcs and the judging words around both. Names are masked.

use std::collections::BTreeMap;
use std::ops::Range;

use super::holders::{self, Holder};
use super::kinds;
use super::model::{Masked, Stances};
use super::{Stance, frames, home_of, is_known, is_known_abroad, unjudged};
use crate::events::Context;
use crate::events::features::{Place, Sentence, above};
use crate::linear::Features;
use crate::mentions::Actor;
use crate::tables::{Code, Event, StanceBasis};
use crate::text::Upos;

/// The class of a holder who says nothing of a force; the others are labels of stances.
pub(crate) const NONE: &str = "none";
/// Classes of the model, in order.
pub(crate) const CLASSES: [&str; 4] = [NONE, "negative", "neutral", "positive"];

/// A holder and a force of one sentence, with what the model sees of them.
pub(super) struct Pair<'c, 'k> {
    holder: Holder,
    pub force: &'c Actor<'k>,
    /// The words of the holder, in bytes of the text.
    pub span: Range<usize>,
    /// Arcs from the holder's word to the top of the sentence.
    pub depth: usize,
    pub features: Features,
    /// What the frames say of the two, as the model sees it; nothing where they are silent.
    pub told_features: Option<Features>,
    /// Position of what the frames say of the two.
    pub told: Option<usize>,
}

impl Pair<'_, '_> {
    /// What the model of kinds sees of the holder.
    pub fn kind_features(&self, context: &Context<'_, '_>) -> Features {
        let head = self.holder.head.unwrap_or(0);
        kinds::features(context, &self.holder, head)
    }
}

/// Every holder with every foreign force of a sentence; `told` is what the frames say.
pub(super) fn of_sentence<'c, 'k>(
    context: &'c Context<'c, 'k>,
    told: &[Stance<'c, 'k>],
    events: &[Event],
) -> Vec<Pair<'c, 'k>> {
    let forces: Vec<&Actor<'k>> = unjudged(context, &[]).collect();
    if forces.is_empty() {
        return Vec::new();
    }
    let seen = Seen {
        context,
        told,
        events,
        sentence: Sentence::new(context),
        main: holders::main(context).and_then(|holder| holder.head),
    };
    let masked = Masked::new(context);
    let holders = candidates(context, told);
    let mut pairs = Vec::new();
    for force in forces {
        let Some(target) = Place::of(context.parsed, &(force.start..force.end)) else {
            continue;
        };
        let around = masked.features(&(force.start..force.end));
        let apart = holders
            .iter()
            .filter_map(|holder| Some((holder, holder.head.filter(|head| !target.words.contains(head))?)));
        pairs.extend(apart.map(|(holder, head)| seen.pair(holder, head, force, &target, &around)));
    }
    pairs
}

/// What the pairs of a sentence share.
struct Seen<'s, 'c, 'k> {
    context: &'c Context<'c, 'k>,
    told: &'s [Stance<'c, 'k>],
    events: &'s [Event],
    sentence: Sentence<'c, 'k>,
    /// Word of who the sentence is about.
    main: Option<usize>,
}

impl<'c, 'k> Seen<'_, 'c, 'k> {
    /// A holder and a force; `around` is what is seen of the force alone.
    fn pair(
        &self,
        holder: &Holder,
        head: usize,
        force: &'c Actor<'k>,
        target: &Place,
        around: &Features,
    ) -> Pair<'c, 'k> {
        let (context, parsed) = (self.context, self.context.parsed);
        let source = context
            .actor(head)
            .filter(|actor| actor.head == head)
            .and_then(|actor| Place::of(parsed, &(actor.start..actor.end)))
            .unwrap_or_else(|| Place::word(head));
        let mut features = self.sentence.pair(&source, Some(target));
        let types = type_between(context, &features);
        features.hashes.extend(&around.hashes);
        let told = self.told.iter().position(|stance| {
            let holder = stance.holder.as_ref();
            home_of(stance.force) == home_of(force) && holder.is_some_and(|other| other.head == Some(head))
        });
        let mut of_frames = Features::default();
        say_frames(&mut of_frames, self.told, told, force);
        features.hashes.extend(&of_frames.hashes);
        say_holder(context, &mut features, holder, head, force, self.main);
        say_events(context, &mut features, self.events, head, force);
        for (event_type, surety) in &types {
            features.add(&["type between", event_type]);
            features.add(&["type between", event_type, surety]);
        }
        Pair {
            holder: holder.clone(),
            force,
            span: parsed.words[head].start..parsed.words[head].end,
            depth: above(parsed, head).len(),
            features: features.finish(),
            told_features: told.map(|_| of_frames.finish()),
            told,
        }
    }
}

/// Everybody in a sentence who could hold a stance: participants of clauses, who owns them, and whom the frames name.
fn candidates(context: &Context<'_, '_>, told: &[Stance<'_, '_>]) -> Vec<Holder> {
    let mut found: BTreeMap<usize, Holder> = BTreeMap::new();
    let named = told.iter().filter_map(|stance| stance.holder.clone());
    for holder in named.chain(holders::main(context)) {
        if let Some(head) = holder.head {
            found.entry(head).or_insert(holder);
        }
    }
    for (head, word) in context.parsed.words.iter().enumerate() {
        let may_hold = matches!(word.upos, Upos::Noun | Upos::Propn | Upos::Adj)
            && !matches!(word.relation, "flat" | "amod" | "obl:tmod" | "nmod:tmod")
            && !context.is_date(head);
        if !may_hold || found.contains_key(&head) {
            continue;
        }
        // A name that stands in apposition or in a compound is told by the word it stands beside.
        if let Some(holder) = holders::of_head(context, head).filter(|holder| holder.head == Some(head)) {
            found.insert(head, holder);
        }
    }
    found.into_values().collect()
}

fn sign(polarity: i32) -> &'static str {
    match polarity {
        0 => "0",
        polarity if polarity < 0 => "-",
        _ => "+",
    }
}

/// What frames say of the pair, and of the force with others.
fn say_frames(features: &mut Features, told: &[Stance<'_, '_>], own: Option<usize>, force: &Actor<'_>) {
    match own.map(|own| &told[own]) {
        Some(stance) => {
            let sign = sign(stance.polarity);
            features.add(&["told", sign]);
            features.add(&["told by", &stance.rule]);
            features.add(&["told by", &stance.rule, sign]);
            features.add(&["told as", stance.basis.as_str(), sign]);
            if stance.negated {
                features.add(&["told negated", sign]);
            }
            if stance.turned {
                features.add(&["told turned", sign]);
                features.add(&["told turned", sign, &stance.rule]);
            }
            if stance.holder.as_ref().is_some_and(|holder| holder.is_certain) {
                features.add(&["told of certain", sign]);
            }
        }
        None => features.add(&["told nothing"]),
    }
    for (index, stance) in told.iter().enumerate() {
        if Some(index) != own && home_of(stance.force) == home_of(force) {
            features.add(&["told of other", sign(stance.polarity)]);
        }
    }
}

/// Who the holder is: kind, place in the sentence, whether the force is the holder's own.
fn say_holder(
    context: &Context<'_, '_>,
    features: &mut Features,
    holder: &Holder,
    head: usize,
    force: &Actor<'_>,
    main: Option<usize>,
) {
    let parsed = context.parsed;
    let kind = holder.kind.as_str();
    features.add(&["holder", kind]);
    let relation = parsed.words[head].relation;
    features.add(&["holder", kind, relation]);
    let is_main = if main == Some(head) { "main" } else { "aside" };
    features.add(&["holder", is_main]);
    features.add(&["holder", is_main, kind]);
    let home = home_of(force);
    let country = holder.filled.country.as_ref();
    let whose = match (country, home) {
        (None, _) => "unknown",
        (_, None) => "force unknown",
        (Some(one), Some(other)) if one == other => "own",
        (Some(one), _)
            if force
                .force
                .as_ref()
                .is_some_and(|force| force.host.as_ref() == Some(one)) =>
        {
            "host"
        }
        _ => "third",
    };
    features.add(&["whose", whose]);
    features.add(&["whose", whose, kind]);
    features.add(&["whose", whose, is_main, relation]);
    let kind_of_force = force.force.as_ref().map_or("", |force| force.kind.as_str());
    features.add(&["force kind", kind_of_force, kind]);
    let governor = above(parsed, head).get(1).copied();
    let speaks = governor.is_some_and(|word| {
        let lemma = parsed.words[word].lemma.to_lowercase();
        context.language.attribution.speech_verbs.contains(&lemma)
    });
    let says = if speaks { "speaks" } else { "acts" };
    features.add(&["holder", says, relation]);
    features.add(&["holder", says, relation, is_main]);
    let quoted = |word| holders::is_quoted_at(context, word);
    let place = match (quoted(head), quoted(force.head)) {
        (true, true) => "both quoted",
        (true, false) => "holder quoted",
        (false, true) => "force quoted",
        (false, false) => "plain",
    };
    features.add(&["quotes", place]);
    features.add(&["quotes", place, says]);
}

/// The events in which the force takes part, and whether the holder is their source.
fn say_events(
    context: &Context<'_, '_>,
    features: &mut Features,
    events: &[Event],
    head: usize,
    force: &Actor<'_>,
) {
    let here = events
        .iter()
        .filter(|event| event.sentence_index == context.parsed.index as i32);
    for event in here {
        let name = event.force_event.as_ref().map(Code::as_str);
        let role = role_in(context, event, head);
        let kind = event.event_type.map_or("", |kind| kind.as_str());
        features.add(&["event", kind, role]);
        features.add(&["event", kind, role, event.modality.as_str()]);
        if let Some(name) = name {
            let is_same = event.force_home.as_ref() == home_of(force);
            features.add(&["force event", name, role, if is_same { "same" } else { "other" }]);
            features.add(&["force event", name, role, event.modality.as_str()]);
        }
    }
}

/// The part that a word takes in an event.
fn role_in(context: &Context<'_, '_>, event: &Event, head: usize) -> &'static str {
    let word = &context.parsed.words[head];
    let within = |start: Option<i64>, end: Option<i64>| {
        start.is_some_and(|start| start <= word.start as i64) && end.is_some_and(|end| word.end as i64 <= end)
    };
    if within(event.source_start_byte, event.source_end_byte) {
        "source"
    } else if within(event.target_start_byte, event.target_end_byte) {
        "target"
    } else {
        "other"
    }
}

/// What the holder does to the force, where a stance is an act rather than words.
fn act(context: &Context<'_, '_>, events: &[Event], pair: &Pair<'_, '_>) -> Option<usize> {
    let head = pair.holder.head?;
    events.iter().position(|event| {
        event.sentence_index == context.parsed.index as i32
            && event.force_event.is_some()
            && event.force_home.as_ref() == home_of(pair.force)
            && role_in(context, event, head) == "source"
    })
}

/// The likely types of the event between the two by the coder, from the features of the pair: who threatens a force
/// is not for it.
fn type_between(context: &Context<'_, '_>, pair: &Features) -> Vec<(String, &'static str)> {
    let Some(coder) = &context.language.coder else {
        return Vec::new();
    };
    let probabilities = coder.types.probabilities(pair);
    let told = coder.types.classes().iter().zip(probabilities);
    let likely = told.filter(|(_, probability)| *probability >= 0.1);
    likely
        .map(|(class, probability)| {
            let surety = match probability {
                0.7.. => "sure",
                0.35.. => "likely",
                _ => "perhaps",
            };
            (class.clone(), surety)
        })
        .collect()
}

/// What a holder says of a force: whether anything, by the mean of both models; what, by their product (a pool of
/// experts, Hinton 2002), for a frame says little of whether it is read right, and much of what it would mean.
fn pooled(pair: &Pair<'_, '_>, models: &Stances) -> Vec<f32> {
    let mut probabilities = models.pairs.probabilities(&pair.features);
    let Some(told) = &pair.told_features else {
        return probabilities;
    };
    let frames = models.frames.probabilities(told);
    let held = 1.0 - (1.0 - FRAMES_SHARE) * probabilities[0] - FRAMES_SHARE * frames[0];
    let products: Vec<f32> = probabilities
        .iter()
        .zip(&frames)
        .map(|(one, other)| one * other)
        .collect();
    let sum: f32 = products[1..].iter().sum::<f32>().max(f32::MIN_POSITIVE);
    probabilities[0] = 1.0 - held;
    for (probability, product) in probabilities[1..].iter_mut().zip(&products[1..]) {
        *probability = held * product / sum;
    }
    probabilities
}

/// How much of the mean is the frames' own.
const FRAMES_SHARE: f32 = 0.2;

/// The number of the class of a polarity.
pub(crate) fn class_of(polarity: i32) -> usize {
    (polarity.signum() + 2) as usize
}

/// Whether a holder may judge a force of which no frame says anything: it must be known whose the force is, and that it
/// is abroad; nobody judges it who only reports, or who speaks of what befell it.
fn may_be_judged(context: &Context<'_, '_>, pair: &Pair<'_, '_>, told: &[Stance<'_, '_>]) -> bool {
    pair.force.force.as_ref().is_some_and(is_known)
        && is_known_abroad(context.text, pair.force)
        && !is_befallen(context, pair)
        && !is_reporter(pair, told)
}

/// "The bishop said that Uganda condemned the soldiers": who only reports what another holds.
fn is_reporter(pair: &Pair<'_, '_>, told: &[Stance<'_, '_>]) -> bool {
    let name = pair.holder.filled.name.as_deref();
    told.iter().any(|stance| {
        let chain = stance.holder.as_ref().and_then(|holder| holder.chain.as_deref());
        home_of(stance.force) == home_of(pair.force)
            && chain.zip(name).is_some_and(|(chain, name)| chain.contains(name))
    })
}

/// "condemned the killing of the soldiers": who speaks of what befell a force does not judge it.
fn is_befallen(context: &Context<'_, '_>, pair: &Pair<'_, '_>) -> bool {
    let harms = &context.language.stances.lists.harms;
    let parsed = context.parsed;
    let undergoes = |word: usize| {
        matches!(
            parsed.words[word].relation,
            "obj" | "nmod" | "nsubj:pass" | "compound"
        ) && !frames::is_doer(context, word)
    };
    let mut at = pair.force.head;
    for _ in 0..2 {
        let Some(above) = parsed.words[at].head else {
            return false;
        };
        if harms.contains(&parsed.words[above].lemma.to_lowercase()) && undergoes(at) {
            return true;
        }
        at = above;
    }
    false
}

/// The least probability that the likeliest holder says something of a force.
const FIRST_MIN: f32 = 0.18;
/// The same for every further holder of it.
const NEXT_MIN: f32 = 0.35;

/// What a pair was judged to be.
struct Judged {
    /// Position of the pair.
    pair: usize,
    polarity: i32,
    /// Probability that the holder says something of the force.
    held: f32,
}

/// The likeliest label of a pair.
fn judge(index: usize, pair: &Pair<'_, '_>, told: &[Stance<'_, '_>], models: &Stances) -> Judged {
    let probabilities = pooled(pair, models);
    let likeliest = [-1, 0, 1]
        .into_iter()
        .max_by(|one, other| probabilities[class_of(*one)].total_cmp(&probabilities[class_of(*other)]));
    // "welcomed the departure of the troops": that a withdrawal turns a judgement round only frames understand.
    let turned = pair.told.map(|index| &told[index]).filter(|stance| stance.turned);
    Judged {
        pair: index,
        polarity: turned.map_or(likeliest.unwrap_or(0), |stance| stance.polarity.signum()),
        held: 1.0 - probabilities[0],
    }
}

/// The stances of a sentence by the model: for each holder of each force, what frames said where they said it too.
pub(super) fn settle<'c, 'k>(
    context: &'c Context<'c, 'k>,
    told: Vec<Stance<'c, 'k>>,
    events: &[Event],
    models: &Stances,
) -> Vec<Stance<'c, 'k>> {
    let pairs = of_sentence(context, &told, events);
    // Of a holder without a word in the sentence only the frames can tell.
    let is_settled = |stance: &Stance<'_, '_>| {
        let head = stance.holder.as_ref().and_then(|holder| holder.head);
        pairs
            .iter()
            .any(|pair| pair.holder.head == head && home_of(pair.force) == home_of(stance.force))
    };
    let mut judged: Vec<Judged> = pairs
        .iter()
        .enumerate()
        .filter(|(_, pair)| pair.told.is_some() || may_be_judged(context, pair, &told))
        .map(|(index, pair)| judge(index, pair, &told, models))
        .collect();
    judged.sort_by(|one, other| other.held.total_cmp(&one.held));
    let mut homes: Vec<Option<&Code>> = Vec::new();
    judged.retain(|judged| {
        let home = home_of(pairs[judged.pair].force);
        let is_first = !homes.contains(&home);
        homes.push(home);
        judged.held >= if is_first { FIRST_MIN } else { NEXT_MIN }
    });
    let by_model = judged
        .into_iter()
        .map(|judged| {
            let mut stance = settled(context, &pairs[judged.pair], &told, events, &judged);
            if let Some(holder) = &mut stance.holder {
                holder.kind = kinds::kind(&models.kinds, context, holder);
            }
            stance
        })
        .collect::<Vec<_>>();
    let by_frames = told.into_iter().filter(|stance| !is_settled(stance));
    by_model
        .into_iter()
        .chain(by_frames)
        .filter(Stance::is_held)
        .collect()
}

fn settled<'c, 'k>(
    context: &'c Context<'c, 'k>,
    pair: &Pair<'c, 'k>,
    told: &[Stance<'c, 'k>],
    events: &[Event],
    judged: &Judged,
) -> Stance<'c, 'k> {
    let polarity = judged.polarity;
    let same = pair
        .told
        .map(|told_at| &told[told_at])
        .filter(|stance| stance.polarity.signum() == polarity);
    let act = act(context, events, pair);
    let basis = match act {
        _ if holders::is_quoted_at(context, pair.force.head) => StanceBasis::Quote,
        Some(_) => StanceBasis::Action,
        None => StanceBasis::Statement,
    };
    match same {
        Some(stance) => Stance {
            holder: stance.holder.clone(),
            force: pair.force,
            polarity,
            rule: stance.rule.clone(),
            span: stance.span.clone(),
            confidence: judged.held,
            ..*stance
        },
        None => Stance {
            holder: Some(pair.holder.clone()),
            force: pair.force,
            polarity,
            intensity: polarity.abs(),
            basis,
            negated: false,
            hedged: false,
            rule: "model".to_owned(),
            span: context.parsed.start..context.parsed.end,
            turned: false,
            event: act,
            confidence: judged.held,
            predicate: 0,
        },
    }
}
