//! What kind of holder somebody is: by the lists, and by a model of the words in and beside the name.

use super::holders::Holder;
use crate::events::Context;
use crate::linear::{Features, Linear};
use crate::tables::HolderKind;
use crate::text::Upos;

/// Classes of the model, in order.
pub(crate) const CLASSES: [HolderKind; 9] = [
    HolderKind::Government,
    HolderKind::Military,
    HolderKind::Opposition,
    HolderKind::Public,
    HolderKind::CivilSociety,
    HolderKind::ArmedGroup,
    HolderKind::International,
    HolderKind::Media,
    HolderKind::Person,
];

/// Words before and behind a name that tell who it is.
const BESIDE: usize = 6;

/// What the model sees of a holder.
pub(super) fn features(context: &Context<'_, '_>, holder: &Holder, head: usize) -> Features {
    let parsed = context.parsed;
    let words = &parsed.words;
    let mut features = Features::default();
    let rule = holder.kind.as_str();
    let lemma = |word: usize| match words[word].upos {
        Upos::Propn => "NAME".to_owned(),
        Upos::Num => "NUM".to_owned(),
        _ => words[word].lemma.to_lowercase(),
    };
    let own = lemma(head);
    features.add(&["rule", rule]);
    features.add(&["rule", rule, &own]);
    features.add(&["head", &own]);
    features.add(&["upos", words[head].upos.name(), rule]);
    features.add(&["name", words[head].name, rule]);
    if let Some(actor) = context.actor(head) {
        features.add(&["actor", actor.kind.as_str(), &actor.word]);
        features.add(&["actor", actor.kind.as_str(), actor.rule, rule]);
        features.add(&["office", actor.office.as_deref().unwrap_or("")]);
    }
    for word in parsed.subtree_without(head, &["acl:relcl", "conj", "advcl", "parataxis"]) {
        features.add(&["in", &lemma(word)]);
        // Titles are written as names: "Colonel", "Sheikh", "Senator", "Party".
        features.add(&["in as written", &words[word].text.to_lowercase()]);
        features.add(&["in", words[word].relation, &lemma(word)]);
    }
    for step in 1..=BESIDE {
        let near = if step <= 2 { "near" } else { "far" };
        if let Some(before) = head.checked_sub(step) {
            features.add(&["before", near, &lemma(before)]);
            if step <= 3 {
                features.add(&["before as written", &words[before].text.to_lowercase()]);
            }
        }
        if head + step < words.len() {
            features.add(&["behind", near, &lemma(head + step)]);
        }
    }
    features.finish()
}

/// The likeliest kind of a holder.
pub(super) fn kind(model: &Linear, context: &Context<'_, '_>, holder: &Holder) -> HolderKind {
    let Some(head) = holder.head else {
        return holder.kind;
    };
    let probabilities = model.probabilities(&features(context, holder, head));
    let likely = CLASSES.into_iter().zip(probabilities);
    let best = likely.max_by(|one, other| one.1.total_cmp(&other.1));
    best.map_or(holder.kind, |(kind, _)| kind)
}
