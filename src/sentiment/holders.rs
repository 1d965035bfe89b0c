//! Who holds a stance: through roles, quotations and attribution, with the chain of those who report it.

use super::frames::{Toward, in_role};
use super::{is_foreign_force, is_mere_force, is_quoted};
use crate::events::{Context, circumstances, matching};
use crate::knowledge::Reading;
use crate::mentions::Actor;
use crate::tables::{ActorKind, Code, HolderKind};
use crate::text::clauses::PredicateKind;
use crate::text::{Clause, Upos};

/// Who holds a stance.
#[derive(Clone)]
pub(super) struct Holder {
    pub filled: matching::Filled,
    pub kind: HolderKind,
    /// Index of the holder's word in its sentence.
    pub head: Option<usize>,
    /// Who reports it.
    pub chain: Option<String>,
    /// Whether a role or an attribution names the holder, rather than the sentence as a whole.
    pub is_certain: bool,
}

/// The holder of a clause's stance: the first of the roles that somebody stands in, else who says the clause, else
/// who the sentence is about.
pub(super) fn of_clause(
    context: &Context<'_, '_>,
    clause: &Clause,
    roles: &[String],
    object_role: Option<&str>,
) -> Option<Holder> {
    for role in roles {
        match role.as_str() {
            "speaker" => {
                if let Some(holder) = speaker(context, clause) {
                    return Some(holder);
                }
                continue;
            }
            "public" if !has_agent(clause) => return Some(public(context)),
            _ => {}
        }
        for head in in_role(context, clause, role, object_role) {
            if context
                .actor(head)
                .is_some_and(|actor| is_mere_force(context, actor))
            {
                continue;
            }
            if is_first_person(context, head) {
                return speaker(context, clause);
            }
            let word = context.parsed.words[head].lemma.to_lowercase();
            if context.language.grammar.negators.contains(&word) {
                continue;
            }
            if let Some(mut holder) = of_head(context, head) {
                let reporter = circumstances::speaker(context, clause).filter(|speaker| speaker.head != head);
                holder.chain = reporter.map(|reporter| reporter.name);
                return Some(holder);
            }
        }
    }
    if let Some(holder) = speaker(context, clause) {
        return Some(holder);
    }
    let holder = topic(context, clause).or_else(|| leading(context, clause))?;
    Some(Holder {
        is_certain: false,
        ..holder
    })
}

/// Where the parse sees no subject, the first state or people named before the verb.
fn leading(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    let mut actors = context.actors.of_sentence(context.sentence);
    let first = actors.find(|actor| actor.head < clause.predicate && actor.rule != "pronoun")?;
    let is_agent = matches!(first.kind, ActorKind::Government | ActorKind::Place);
    let is_active = clause.kind == PredicateKind::Verb && !clause.passive && clause.first("subj").is_none();
    of_head(context, first.head).filter(|_| is_agent && is_active)
}

/// Whether somebody in the clause judges; nobody does in "are loved" and "is popular".
fn has_agent(clause: &Clause) -> bool {
    let is_subject_judged = clause.passive || clause.kind != PredicateKind::Verb;
    !is_subject_judged || clause.first("by").is_some()
}

/// The people of the place that a sentence names, or of the place where the force is.
fn public(context: &Context<'_, '_>) -> Holder {
    let places = context.actors.of_sentence(context.sentence);
    let country = places
        .filter(|actor| actor.kind == ActorKind::Place && actor.force.is_none())
        .find_map(|actor| state_of(context, actor));
    Holder {
        filled: matching::Filled {
            actor_id: country.as_ref().map(Code::to_string),
            country,
            kind: Some(ActorKind::Population),
            ..matching::Filled::default()
        },
        kind: HolderKind::Public,
        head: None,
        chain: None,
        is_certain: true,
    }
}

fn is_first_person(context: &Context<'_, '_>, head: usize) -> bool {
    let word = context.parsed.words[head].text.to_lowercase();
    context.language.grammar.first_person_pronouns.contains(&word)
}

/// Who says a clause: the subject of a verb of saying above it, the source it names, or, for a quotation, of a verb
/// of saying beside the quotation.
pub(super) fn speaker(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    let attributed = circumstances::speaker(context, clause).map(|speaker| speaker.head);
    let attributed = attributed.and_then(|head| of_head(context, head));
    attributed
        .or_else(|| beside_quotation(context, clause))
        .or_else(|| judge_above(context, clause))
        .or_else(|| of_view(context, clause))
}

/// "in the view of the minister they are guests": whose view it is.
fn of_view(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    let views = &context.language.stances.lists.views;
    let mut seen = clause.participants.iter().filter(|phrase| {
        let lemma = context.parsed.words[phrase.head].lemma.to_lowercase();
        views.contains(&lemma)
    });
    seen.find_map(|phrase| owners(context, phrase.head).find_map(|owner| of_head(context, owner)))
}

fn beside_quotation(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    if !is_quoted(context, clause) {
        return None;
    }
    let mut saying = context.clauses.iter().filter(|other| {
        context.language.attribution.speech_verbs.contains(&other.lemma) && !is_quoted(context, other)
    });
    saying.find_map(|other| {
        let role = if other.passive { "by" } else { "subj" };
        // "vowed a commander": behind the quotation the parse may see an object.
        let said_by = other.in_role(role).chain(other.in_role("obj"));
        said_by
            .filter(|head| !is_quoted_at(context, *head))
            .find_map(|head| of_head(context, head))
    })
}

/// Whether a word stands in a quotation.
pub(super) fn is_quoted_at(context: &Context<'_, '_>, word: usize) -> bool {
    let word = &context.parsed.words[word];
    let mut quotations = context.text.quotations.iter();
    quotations.any(|quotation| quotation.covers(&(word.start..word.end)))
}

/// "Niger has deemed the presence illegal": who judges is the subject of the verb above.
fn judge_above(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    let head = context.parsed.words[clause.predicate].head?;
    let above = context.clause(head)?;
    let is_told = matches!(
        context.parsed.words[clause.predicate].relation,
        "xcomp" | "obj" | "ccomp"
    ) || context
        .language
        .grammar
        .naming_prepositions
        .contains(&context.parsed.preposition(clause.predicate));
    let role = if above.passive { "by" } else { "subj" };
    let mut heads = above.in_role(role).filter(|_| is_told);
    heads.find_map(|head| of_head(context, head))
}

/// The subject of the clauses above, up to the main one.
fn topic(context: &Context<'_, '_>, clause: &Clause) -> Option<Holder> {
    let chain = circumstances::chain(context, clause);
    let above = std::iter::once(clause).chain(chain.iter().map(|(above, _)| *above));
    let mut subjects = above.flat_map(|clause| {
        clause
            .in_role(if clause.passive { "by" } else { "subj" })
            .collect::<Vec<_>>()
    });
    subjects.find_map(|head| of_head(context, head))
}

/// Who a sentence is about: who speaks in its main clause, else who acts in it.
pub(super) fn main(context: &Context<'_, '_>) -> Option<Holder> {
    let clauses = || context.clauses.iter();
    let says = |clause: &&Clause| context.language.attribution.speech_verbs.contains(&clause.lemma);
    let acts = |clause: &Clause| {
        let role = if clause.passive { "by" } else { "subj" };
        clause.in_role(role).find_map(|head| of_head(context, head))
    };
    let is_main = |clause: &&Clause| context.parsed.is(clause.predicate, "root");
    let speaks = clauses().filter(says).find_map(acts);
    let leads = || clauses().filter(is_main).find_map(acts);
    let attributed = || clauses().find_map(|clause| speaker(context, clause));
    let holder = speaks
        .or_else(leads)
        .or_else(attributed)
        .or_else(|| clauses().find_map(acts))?;
    Some(Holder {
        is_certain: false,
        ..holder
    })
}

/// A participant as a holder; `None` for forces, things and pronouns that stand for nobody known.
pub(super) fn of_head(context: &Context<'_, '_>, head: usize) -> Option<Holder> {
    let parsed = context.parsed;
    let lists = &context.language.stances.lists;
    let word = &parsed.words[head];
    let lemma = word.lemma.to_lowercase();
    let actor = context.actor(head);
    if actor.is_some_and(|actor| is_mere_force(context, actor)) {
        return None;
    }
    let is_thing = lists.things.contains(&lemma) && actor.is_none_or(|actor| actor.entry.is_none());
    if is_thing {
        return owners(context, head).find_map(|owner| of_head(context, owner));
    }
    let by_title = title(context, head).filter(|_| actor.is_none() && word.upos == Upos::Propn);
    let mut filled = match by_title {
        Some(actor) => matching::from_actor(context, actor),
        None => matching::filled(context, head),
    };
    let actor = by_title.or(actor);
    let kind = kind_at(context, head, actor)?;
    // Whose office it is was only guessed from what the document is about.
    if actor.is_some_and(|actor| actor.rule == "office:focus") {
        filled.country = None;
        filled.actor_id = None;
    }
    if filled.name.is_none() {
        filled.name = Some(word.text.to_owned());
    }
    filled.country = filled
        .country
        .or_else(|| country_in(context, head))
        .or_else(|| country_of_owner(context, head))
        .filter(|_| kind != HolderKind::International);
    Some(Holder {
        filled,
        kind,
        head: Some(head),
        chain: None,
        is_certain: true,
    })
}

/// Words that tell whose a thing or an office is: "the party's", "of the party", "party".
fn owners<'c>(context: &'c Context<'_, '_>, head: usize) -> impl Iterator<Item = usize> + 'c {
    let parsed = context.parsed;
    parsed
        .dependents(head, "nmod:poss")
        .chain(parsed.dependents(head, "nmod"))
        .chain(parsed.dependents(head, "compound"))
        .filter(move |child| *child != head)
}

/// The office beside a personal name: "Colonel X", "X, the mayor".
fn title<'c, 'k>(context: &'c Context<'_, 'k>, head: usize) -> Option<&'c Actor<'k>> {
    let parsed = context.parsed;
    let beside = ["compound", "appos", "flat", "nmod:desc"].into_iter();
    let mut children = beside.flat_map(|relation| parsed.dependents(head, relation).collect::<Vec<_>>());
    children.find_map(|child| {
        context
            .actors
            .at(context.sentence, child)
            .filter(|actor| actor.office.is_some() && actor.force.is_none())
    })
}

/// The kind of holder that a word is: by whom it speaks for, by the lists, by what knowledge knows of it.
fn kind_at(context: &Context<'_, '_>, head: usize, actor: Option<&Actor<'_>>) -> Option<HolderKind> {
    let lists = &context.language.stances.lists;
    let word = &context.parsed.words[head];
    let lemma = word.lemma.to_lowercase();
    let is_named = actor.is_some_and(|actor| actor.entry.is_some());
    // "hundreds of demonstrators" are demonstrators.
    if context.language.grammar.partitives.contains(&lemma) {
        let mut measured = context.parsed.dependents(head, "nmod");
        if let Some(kind) = measured.find_map(|below| kind_at(context, below, context.actor(below))) {
            return Some(kind);
        }
    }
    if matches!(word.upos, Upos::Noun | Upos::Propn | Upos::Adj) && !is_named {
        if has_modifier(context, head, &lists.past) {
            return Some(HolderKind::Person);
        }
        if has_modifier(context, head, &lists.governing) {
            return Some(HolderKind::Government);
        }
        let speaks = lists.spokesmen.contains(&lemma);
        let represented = speaks
            .then(|| owners(context, head).find_map(|owner| kind_represented(context, owner)))
            .flatten();
        if let Some(kind) = represented.or_else(|| listed_kind(context, head)) {
            return Some(kind);
        }
    }
    match (actor, word.upos) {
        (Some(actor), _) if actor.force.is_some() && is_named && is_foreign_force(actor) => {
            Some(HolderKind::International)
        }
        (Some(actor), _) => Some(kind_of(context, actor)),
        (None, Upos::Propn) if lemma != word.text.to_lowercase() => Some(HolderKind::Public),
        (None, Upos::Propn) => Some(HolderKind::Person),
        (None, Upos::Noun) => Some(HolderKind::Public),
        (None, _) if lists.people.contains(&lemma) => Some(HolderKind::Public),
        _ => None,
    }
}

/// Whom a spokesman or leader speaks for, where that tells more than the office: a party, rebels, an organization.
fn kind_represented(context: &Context<'_, '_>, owner: usize) -> Option<HolderKind> {
    let actor = context.actor(owner);
    let known = actor.filter(|actor| actor.rule != "assumed");
    if let Some(force) = known.and_then(|actor| actor.force.as_ref()) {
        let home = force.home.as_ref();
        let is_of_organization = home.is_some_and(|home| !context.knowledge.countries.contains_key(home));
        return Some(if is_of_organization {
            HolderKind::International
        } else {
            HolderKind::Military
        });
    }
    let kind = kind_at(context, owner, actor)?;
    let is_vague = matches!(
        kind,
        HolderKind::Public | HolderKind::Person | HolderKind::Government
    );
    (!is_vague).then_some(kind)
}

fn has_modifier(context: &Context<'_, '_>, head: usize, wanted: &std::collections::HashSet<String>) -> bool {
    let parsed = context.parsed;
    let mut before = parsed.children(head).iter().filter(|child| **child < head);
    before.any(|child| wanted.contains(&parsed.words[*child].text.to_lowercase()))
}

/// The kind that lists give a noun, with the word before it where that tells more: "council", "security council".
fn listed_kind(context: &Context<'_, '_>, head: usize) -> Option<HolderKind> {
    let lists = &context.language.stances.lists;
    let parsed = context.parsed;
    let lemma = parsed.words[head].lemma.to_lowercase();
    let describes =
        |before: &usize| matches!(parsed.words[*before].upos, Upos::Noun | Upos::Propn | Upos::Adj);
    let before = head.checked_sub(1).filter(describes);
    let before = before.map(|before| parsed.words[before].text.to_lowercase());
    let kinds = [
        (&lists.people, HolderKind::Public),
        (&lists.civil_society, HolderKind::CivilSociety),
        (&lists.press, HolderKind::Media),
        (&lists.opposition, HolderKind::Opposition),
        (&lists.officials, HolderKind::Government),
        (&lists.soldiers, HolderKind::Military),
        (&lists.fighters, HolderKind::ArmedGroup),
        (&lists.international, HolderKind::International),
        (&lists.persons, HolderKind::Person),
    ];
    let of = |phrase: &str| {
        let mut kinds = kinds.iter();
        kinds
            .find(|(list, _)| list.contains(phrase))
            .map(|(_, kind)| *kind)
    };
    let of_pair = before
        .as_ref()
        .and_then(|before| of(&format!("{before} {lemma}")));
    // "a radio host", "a newspaper boss": who works for the press.
    let of_press = before.as_ref().is_some_and(|before| lists.press.contains(before));
    let plain = of_pair.or_else(|| of(&lemma));
    if of_press && plain.is_none_or(|kind| kind == HolderKind::Public) {
        return Some(HolderKind::Media);
    }
    plain
}

/// "its prime minister": the country of whoever the sentence named before.
fn country_of_owner(context: &Context<'_, '_>, head: usize) -> Option<Code> {
    let grammar = &context.language.grammar;
    let possessor = context.parsed.dependents(head, "nmod:poss").next()?;
    let word = context.parsed.words[possessor].text.to_lowercase();
    if !grammar.possessive_pronouns.contains(&word) {
        return None;
    }
    let mut before = context
        .actors
        .of_sentence(context.sentence)
        .filter(|actor| actor.head < head && actor.force.is_none() && actor.rule != "pronoun");
    before.find_map(|actor| state_of(context, actor))
}

/// The state that an actor belongs to; organizations have none.
fn state_of(context: &Context<'_, '_>, actor: &Actor<'_>) -> Option<Code> {
    let country = actor.country.clone()?;
    context.knowledge.countries.get(&country).map(|_| country)
}

/// The one state that a sentence names besides the homes of forces, where no word tells a holder's own.
pub(super) fn country_beside(context: &Context<'_, '_>, homes: &[&Code]) -> Option<Code> {
    let actors = context.actors.of_sentence(context.sentence);
    let mut states = actors
        .filter(|actor| actor.force.is_none() && actor.rule != "pronoun")
        .filter_map(|actor| state_of(context, actor))
        .filter(|state| !homes.contains(&state));
    let first = states.next()?;
    states.all(|other| other == first).then_some(first)
}

/// The country named in the words under a holder's word: "fishermen in Palawan", "the Malian mothers".
fn country_in(context: &Context<'_, '_>, head: usize) -> Option<Code> {
    let phrase = context
        .parsed
        .subtree_without(head, &["acl", "appos", "conj", "advcl", "parataxis"]);
    let span = context.parsed.span(&phrase);
    let found = context.knowledge.gazetteer.find(context.text.text, span);
    let mut entries = found.iter().filter_map(|found| {
        let place = |reading| {
            matches!(
                reading,
                Reading::Organization | Reading::ArmedGroup | Reading::Force | Reading::Base
            )
        };
        found
            .entries
            .iter()
            .filter(|entry| !place(entry.reading))
            .min_by_key(|entry| entry.rank)
    });
    entries.find_map(|entry| {
        entry
            .country
            .clone()
            .filter(|country| country.as_str().len() == 3)
    })
}

fn kind_of(context: &Context<'_, '_>, actor: &Actor<'_>) -> HolderKind {
    let lists = &context.language.stances.lists;
    let governs = actor
        .office
        .as_ref()
        .is_some_and(|office| lists.officials.contains(office));
    if governs {
        return HolderKind::Government;
    }
    of_kind(Some(actor.kind), &actor.word)
}

/// The kind of holder that a kind of actor is.
pub(super) fn of_kind(kind: Option<ActorKind>, word: &str) -> HolderKind {
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

/// "They must go home", "Pack and go": in a quotation, a pronoun or nobody at all stands for the force that the
/// sentence names outside it.
pub(super) fn implied_force<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
    roles: &[String],
) -> Option<Toward<'c, 'k>> {
    let heads: Vec<usize> = roles
        .iter()
        .flat_map(|role| clause.in_role(role).collect::<Vec<_>>())
        .collect();
    let is_pronoun =
        |head: &usize| context.parsed.words[*head].upos == Upos::Pron && !is_first_person(context, *head);
    if !is_quoted(context, clause) || !heads.iter().all(is_pronoun) {
        return None;
    }
    let mut forces = context
        .actors
        .of_sentence(context.sentence)
        .filter(|actor| is_foreign_force(actor) && actor.rule != "pronoun");
    let force = forces.next()?;
    let home = |actor: &Actor<'_>| actor.force.as_ref().and_then(|force| force.home.clone());
    forces.all(|other| home(other) == home(force)).then_some(Toward {
        force,
        sign: 1,
        moves: false,
    })
}
