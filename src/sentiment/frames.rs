//! Stances by predicate frames: a predicate, the role of the force, negation, and whether the force comes or goes.
//!
//! The value of a phrase is found from the force upward: a withdrawal turns it round, a stay keeps it, and what
//! befalls a force ends the search, because who deplores a killing does not judge the killed.

use super::denial::{Denial, denial, denied};
use super::holders::{self, Holder};
use super::words::Sense;
use super::{Stance, is_foreign_force, is_hedged, is_quoted, turns};
use crate::events::{Context, circumstances, matching};
use crate::mentions::Actor;
use crate::tables::{Modality, StanceBasis};
use crate::text::clauses::PredicateKind;
use crate::text::{Clause, Upos};

/// A force in a phrase, and whether the phrase is for (1) or against (-1) its being there.
pub(super) struct Toward<'c, 'k> {
    pub force: &'c Actor<'k>,
    pub sign: i32,
    /// Whether a word on the way says that the force comes, stays or goes.
    pub moves: bool,
}

/// What is said of a force in one clause: verbs, adjectives and nouns that judge it.
pub(super) fn by_word<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Vec<Stance<'c, 'k>> {
    let part = match context.parsed.words[clause.predicate].upos {
        Upos::Verb => 'v',
        Upos::Adj => 'a',
        _ => 'n',
    };
    let mut stances = Vec::new();
    // "inviting them was a mistake": the predicate judges, not what it judges.
    if context.parsed.is(clause.predicate, "csubj") && clause.kind == PredicateKind::Verb {
        return stances;
    }
    for (lemma, object_role) in idioms(context, clause)
        .into_iter()
        .chain(matching::keys(context, clause))
    {
        for sense in context.language.stances.of(part, &lemma) {
            stances.extend(by_sense(context, clause, part, sense, object_role.as_deref()));
        }
        if !stances.is_empty() {
            break;
        }
    }
    if stances.is_empty() {
        stances.extend(turns::read(context, clause));
    }
    stances
}

/// A verb with its object, such as "lay flower" or "lose patience".
fn idioms(context: &Context<'_, '_>, clause: &Clause) -> Vec<(String, Option<String>)> {
    let object = |head: usize| {
        format!(
            "{} {}",
            clause.lemma,
            context.parsed.words[head].lemma.to_lowercase()
        )
    };
    let parsed = context.parsed;
    // "gave the soldiers six months": the parse may see a measure in place of an object.
    let measured = parsed
        .dependents(clause.predicate, "obl")
        .filter(|head| parsed.preposition(*head).is_empty());
    let objects = clause.in_role("obj").chain(measured);
    objects.map(|head| (object(head), None)).collect()
}

fn by_sense<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
    part: char,
    sense: &Sense,
    object_role: Option<&str>,
) -> Vec<Stance<'c, 'k>> {
    let (_, modality) = circumstances::status(context, clause);
    let denial = denial(context, clause);
    let is_condition = clause.mark.as_ref().is_some_and(|mark| {
        context.language.grammar.conditional_marks.contains(mark)
            || context.language.stances.lists.comparing.contains(mark)
    });
    if is_condition {
        return Vec::new();
    }
    let holder = holders::of_clause(context, clause, &sense.holder, object_role);
    // "they saved lives": without a speaker it is told, not held.
    let is_said = sense.holder.iter().all(|role| role == "speaker");
    let holder = holder.filter(|holder| holder.is_certain || part != 'v' || !is_said);
    let mut found = in_roles(context, clause, sense, holder.as_ref(), object_role);
    if found.is_empty() && sense.basis == StanceBasis::Action {
        found.extend(under_document(context, clause));
    }
    if found.is_empty()
        && sense
            .force
            .iter()
            .any(|role| role == "subj" || role == "obj" || role == "comp")
    {
        let implied = holders::implied_force(context, clause, &sense.force);
        let goes = if sense.polarity > 0 {
            direction(context, clause)
        } else {
            1
        };
        found.extend(implied.map(|toward| Toward {
            sign: toward.sign * goes,
            ..toward
        }));
    }
    found
        .into_iter()
        .map(|toward| {
            let turned = if part == 'n' && is_spoilt(context, clause.predicate, sense) {
                -1
            } else {
                1
            };
            let polarity = if takes_no_side(context, clause) {
                0
            } else {
                denied(sense, part, denial) * toward.sign * turned
            };
            let stance = stance(
                context,
                clause,
                sense,
                holder.clone(),
                toward.force,
                polarity,
                denial,
                modality,
            );
            Stance {
                turned: toward.sign * turned < 0,
                ..stance
            }
        })
        .collect()
}

/// "struck down the accord letting soldiers use the port": the force that a document is about, wherever it hangs.
fn under_document<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Toward<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let parsed = context.parsed;
    let is_document = |head: &usize| lists.documents.contains(parsed.words[*head].lemma.as_ref());
    let document = clause.in_role("obj").find(is_document)?;
    let mut forces = context.actors.of_sentence(context.sentence).filter(|actor| {
        actor.head > document && is_foreign_force(actor) && parsed.is_under(actor.head, clause.predicate)
    });
    forces.next().map(|force| Toward {
        force,
        sign: 1,
        moves: false,
    })
}

/// "neither praised nor blamed", "stopped short of calling": said to take no side.
pub(super) fn takes_no_side(context: &Context<'_, '_>, clause: &Clause) -> bool {
    let lists = &context.language.stances.lists;
    let parsed = context.parsed;
    let is_neither = clause
        .negation
        .is_some_and(|word| lists.neither.contains(&parsed.words[word].lemma.to_lowercase()));
    let mut above = circumstances::chain(context, clause)
        .into_iter()
        .take(2)
        .map(|(above, _)| above);
    let stops = |above: &Clause| {
        let adverbs = parsed.children(above.predicate).iter();
        adverbs
            .map(|child| format!("{} {}", above.lemma, parsed.words[*child].text.to_lowercase()))
            .any(|key| lists.withholding.contains(&key))
    };
    is_neither || above.any(stops)
}

/// The forces in the first of a sense's roles that has any.
fn in_roles<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
    sense: &Sense,
    holder: Option<&Holder>,
    object_role: Option<&str>,
) -> Vec<Toward<'c, 'k>> {
    let mut found: Vec<Toward<'c, 'k>> = Vec::new();
    for role in &sense.force {
        for head in in_role(context, clause, role, object_role) {
            let named = toward(context, head);
            let Some(toward) = named.or_else(|| antecedent(context, head).filter(|_| role != "subj")) else {
                continue;
            };
            let is_holder = holder.is_some_and(|holder| holder.head == Some(head));
            if (role == "comp" && !toward.moves && sense.polarity != 0) || is_holder {
                continue;
            }
            let sign = if role == "obj" && sense.polarity > 0 {
                toward.sign * direction(context, clause)
            } else {
                toward.sign
            };
            found.push(Toward { sign, ..toward });
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// "an uninvited guest", "bad friends": a good noun that an adjective turns round.
fn is_spoilt(context: &Context<'_, '_>, noun: usize, sense: &Sense) -> bool {
    let parsed = context.parsed;
    let judge = &context.language.judge;
    let described = parsed.dependents(noun, "amod");
    let score = described
        .map(|word| judge.score(parsed, &context.language.grammar.negators, word))
        .sum::<f32>();
    sense.polarity > 0 && score < -0.5
}

/// "want them out", "let the pact run out": an adverb or a complement that says where the object goes.
fn direction(context: &Context<'_, '_>, clause: &Clause) -> i32 {
    let lists = &context.language.stances.lists;
    let parsed = context.parsed;
    let mut children = parsed
        .children(clause.predicate)
        .iter()
        .filter(|child| **child > clause.predicate);
    let effect = |child: &usize| {
        let preposition = parsed.preposition(*child);
        let word = if preposition.is_empty() {
            parsed.words[*child].text.to_lowercase()
        } else {
            preposition
        };
        lists.directions.get(&word).copied()
    };
    let below = || {
        let mut complements = clause.complements.iter().filter_map(|head| context.clause(*head));
        complements.find_map(|below| {
            let effect = *lists.effects.get(&below.lemma)?;
            let effect = effect * direction(context, below);
            Some(if below.negation.is_some() { -effect } else { effect })
        })
    };
    children.find_map(effect).or_else(below).unwrap_or(1)
}

#[allow(clippy::too_many_arguments)]
fn stance<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
    sense: &Sense,
    holder: Option<Holder>,
    force: &'c Actor<'k>,
    polarity: i32,
    denial: Denial,
    modality: Modality,
) -> Stance<'c, 'k> {
    let basis = match (&holder, sense.basis) {
        (None, _) => StanceBasis::Narrator,
        (_, StanceBasis::Statement) if is_quoted(context, clause) => StanceBasis::Quote,
        (_, basis) => basis,
    };
    let surety = if holder.as_ref().is_some_and(|holder| holder.is_certain) {
        0.8
    } else {
        0.6
    };
    Stance {
        holder,
        force,
        polarity,
        intensity: if polarity == 0 { 0 } else { sense.intensity },
        basis,
        negated: denial != Denial::None,
        turned: false,
        hedged: modality == Modality::Hypothetical || is_hedged(context, clause),
        rule: sense.rule.clone(),
        span: circumstances::evidence(context, clause),
        event: None,
        confidence: surety,
        predicate: clause.predicate,
    }
}

/// Participants in a role; a small clause ("deemed the presence illegal") judges the object of the verb above it.
pub(super) fn in_role(
    context: &Context<'_, '_>,
    clause: &Clause,
    role: &str,
    object_role: Option<&str>,
) -> Vec<usize> {
    let role = match (role, object_role) {
        ("obj", Some(object)) => object,
        (role, _) => role,
    };
    match role {
        "comp" | "that" => return complements(context, clause),
        // The noun that an adjective or a noun in apposition describes.
        "head" => return context.parsed.words[clause.predicate].head.into_iter().collect(),
        _ => {}
    }
    let own: Vec<usize> = clause.in_role(role).collect();
    let is_argument = role == "subj" || role == "obj";
    // "opened camps to the Americans": the parse may hang the force on the object.
    if own.is_empty() && !is_argument && clause.kind == PredicateKind::Verb {
        let parsed = context.parsed;
        // "have had enough of them": or on the adverb.
        let carriers = clause
            .in_role("obj")
            .chain(parsed.dependents(clause.predicate, "advmod"));
        let below = carriers.flat_map(|carrier| {
            let below = parsed
                .dependents(carrier, "nmod")
                .chain(parsed.dependents(carrier, "obl"));
            below.collect::<Vec<_>>()
        });
        return below.filter(|child| parsed.preposition(*child) == role).collect();
    }
    if !own.is_empty() || !is_argument && clause.kind != PredicateKind::Noun {
        return own;
    }
    let above = clause
        .governor
        .as_ref()
        .filter(|governor| matches!(governor.relation.as_str(), "xcomp" | "obj" | "ccomp"));
    // "expressed gratitude to the soldiers", "hostility is growing among them": what is told of the noun hangs on its
    // verb.
    if !is_argument || role == "subj" && clause.kind == PredicateKind::Noun && clause.auxiliaries.is_empty() {
        let carrier = clause
            .governor
            .as_ref()
            .filter(|above| matches!(above.relation.as_str(), "obj" | "nsubj" | "nsubj:pass"));
        let light = carrier.and_then(|above| context.clause(above.predicate));
        return light
            .map(|light| light.in_role(role).collect())
            .unwrap_or_default();
    }
    let Some(above) = above.and_then(|above| context.clause(above.predicate)) else {
        return described(context, clause);
    };
    let of_above: Vec<usize> = above.in_role("obj").collect();
    if !of_above.is_empty() {
        return of_above;
    }
    let described = described(context, clause);
    if described.is_empty() {
        return beside(context, above, clause);
    }
    described
}

/// "called the bases a curse": the words between a verb and what it calls them, where the parse sees no object.
fn beside(context: &Context<'_, '_>, above: &Clause, clause: &Clause) -> Vec<usize> {
    let between = context.parsed.children(above.predicate).iter().copied();
    between
        .filter(|child| (above.predicate..clause.predicate).contains(child))
        .filter(|child| context.actor(*child).is_some_and(is_foreign_force))
        .collect()
}

/// "described the troops as occupiers", "branded them a threat": a noun or adjective behind "as" or in a small
/// clause is said of the object of its verb.
fn described(context: &Context<'_, '_>, clause: &Clause) -> Vec<usize> {
    let Some(head) = context.parsed.words[clause.predicate].head else {
        return Vec::new();
    };
    let Some(above) = context.clause(head) else {
        return Vec::new();
    };
    if above.passive
        || context
            .language
            .grammar
            .naming_prepositions
            .contains(&context.parsed.preposition(clause.predicate))
        || context.parsed.is(clause.predicate, "xcomp")
    {
        return above.in_role("obj").collect();
    }
    Vec::new()
}

fn complements(context: &Context<'_, '_>, clause: &Clause) -> Vec<usize> {
    let below = context.clauses.iter().filter(|other| {
        other.governor.as_ref().is_some_and(|governor| {
            governor.predicate == clause.predicate
                && matches!(
                    governor.relation.as_str(),
                    "ccomp" | "xcomp" | "advcl" | "acl" | "csubj"
                )
        })
    });
    let below = below.filter(|other| {
        other
            .governor
            .as_ref()
            .is_some_and(|governor| governor.relation != "advcl")
            || other
                .mark
                .as_ref()
                .is_some_and(|mark| context.language.grammar.complement_marks.contains(mark))
    });
    let mut heads: Vec<usize> = below.map(|other| other.predicate).collect();
    heads.extend(clause.complements.iter().copied());
    heads.sort_unstable();
    heads.dedup();
    heads
}

/// A pronoun that is no speaker stands for the one force named before it, if nobody else is known for it.
pub(super) fn antecedent<'c, 'k>(context: &'c Context<'c, 'k>, head: usize) -> Option<Toward<'c, 'k>> {
    let word = context.parsed.words[head].text.to_lowercase();
    if !context.language.grammar.third_person_pronouns.contains(&word) {
        return None;
    }
    let before = context
        .actors
        .of_sentence(context.sentence)
        .filter(|actor| actor.head < head);
    let force = before
        .filter(|actor| is_foreign_force(actor) && actor.rule != "pronoun")
        .last()?;
    Some(Toward {
        force,
        sign: 1,
        moves: false,
    })
}

/// The force that a phrase or clause is about, and what it says of the force's being there.
pub(super) fn toward<'c, 'k>(context: &'c Context<'c, 'k>, head: usize) -> Option<Toward<'c, 'k>> {
    search(context, head, 0)
}

/// Words between a predicate and its force beyond which the predicate is not about the force.
const DEPTH_MAX: usize = 6;

fn search<'c, 'k>(context: &'c Context<'c, 'k>, head: usize, depth: usize) -> Option<Toward<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let word = &context.parsed.words[head];
    let lemma = context
        .clause(head)
        .map_or_else(|| word.lemma.to_lowercase(), |clause| clause.lemma.clone());
    let effect = lists.effects.get(&lemma).copied();
    let own = context
        .actors
        .at(context.sentence, head)
        .filter(|actor| is_foreign_force(actor));
    if let Some(force) = own {
        let is_lessened = context.parsed.children(head).iter().any(|child| {
            lists
                .lessening
                .contains(&context.parsed.words[*child].text.to_lowercase())
        });
        return Some(Toward {
            force,
            sign: if is_lessened { -1 } else { 1 },
            moves: is_lessened,
        });
    }
    if depth == DEPTH_MAX {
        return None;
    }
    let is_harm = lists.harms.contains(&lemma);
    let below = children(context, head)
        .into_iter()
        .filter(|child| !is_harm || is_doer(context, *child));
    let found = below.filter_map(|child| search(context, child, depth + 1)).next();
    let found = found.or_else(|| shared(context, head).filter(|_| effect.is_some()))?;
    let of_object = lists.effects.get(&format!("{lemma} obj")).copied();
    let effect = of_object
        .filter(|_| is_left(context, head, found.force.head))
        .or(effect);
    let denied = context
        .clause(head)
        .is_some_and(|clause| clause.negation.is_some());
    let attitude = attitude(context, head, found.force.head);
    Some(Toward {
        force: found.force,
        sign: found.sign * effect.unwrap_or(1) * attitude * if denied { -1 } else { 1 },
        moves: found.moves || effect.is_some(),
    })
}

/// The force that takes part in a coming or going without standing under its word.
fn shared<'c, 'k>(context: &'c Context<'c, 'k>, head: usize) -> Option<Toward<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let clause = context.clause(head)?;
    let force_at = |word: usize| context.actor(word).filter(|actor| is_foreign_force(actor));
    let own = clause
        .participants
        .iter()
        .find_map(|phrase| force_at(phrase.head));
    // "begged them not to abandon the town": the verb above has the force as its object.
    let asked = || {
        let above = context.clause(clause.governor.as_ref()?.predicate)?;
        let mut objects = above.in_role("obj").chain(above.in_role("iobj"));
        objects.find_map(force_at)
    };
    let is_infinitive = clause
        .mark
        .as_ref()
        .is_some_and(|mark| context.language.grammar.infinitive_marks.contains(mark));
    let force = own.or_else(|| asked().filter(|_| is_infinitive))?;
    // "asked them to delay their departure": what is delayed counts too.
    let of_objects = clause.in_role("obj").filter_map(|object| {
        let lemma = context.parsed.words[object].lemma.to_lowercase();
        lists.effects.get(&lemma).copied()
    });
    Some(Toward {
        force,
        sign: of_objects.product(),
        moves: false,
    })
}

/// "leave them in place": what leaving does to who leaves is not what it does to who is left.
fn is_left(context: &Context<'_, '_>, head: usize, force: usize) -> bool {
    let Some(clause) = context.clause(head) else {
        return false;
    };
    let is_mover = |subject: usize| context.actor(subject).is_some_and(is_foreign_force);
    let mut objects = clause.in_role("obj");
    !clause.in_role("subj").any(is_mover)
        && objects.any(|object| object == force || context.parsed.is_under(force, object))
}

/// "criticism of the soldiers", "a complaint against the base": who rejects what is against a force is for it.
fn attitude(context: &Context<'_, '_>, noun: usize, force: usize) -> i32 {
    let parsed = context.parsed;
    let lemma = parsed.words[noun].lemma.to_lowercase();
    let senses = context.language.stances.of('n', &lemma).iter();
    let mut below = parsed
        .dependents(noun, "nmod")
        .filter(|child| *child == force || parsed.is_under(force, *child));
    let Some(role) = below.next().map(|child| parsed.preposition(child)) else {
        return 1;
    };
    let is_against = |sense: &Sense| sense.polarity < 0 && sense.force.contains(&role);
    if senses.into_iter().any(is_against) { -1 } else { 1 }
}

/// The words under a word that belong to what it names; asides and further clauses do not.
fn children(context: &Context<'_, '_>, head: usize) -> Vec<usize> {
    let parsed = context.parsed;
    let mut children: Vec<usize> = parsed.children(head).to_vec();
    // "the pact that lets them in": what a document says is what it is.
    let is_thing = context
        .language
        .stances
        .lists
        .things
        .contains(parsed.words[head].lemma.as_ref());
    children.retain(|child| match parsed.words[*child].relation {
        "acl:relcl" => is_thing,
        relation => !matches!(
            relation,
            "conj" | "parataxis" | "punct" | "cc" | "case" | "det" | "advmod"
        ),
    });
    // What stands behind the word says more than what stands before it.
    children.sort_by_key(|child| (*child < head && !parsed.is(*child, "nsubj"), *child));
    children
}

/// "the killings by the soldiers", "their abuses": whoever did the harm.
pub(super) fn is_doer(context: &Context<'_, '_>, child: usize) -> bool {
    let parsed = context.parsed;
    matches!(
        parsed.words[child].relation,
        "nmod:poss" | "compound" | "amod" | "nsubj" | "obl:agent"
    ) || context
        .language
        .forces
        .doer_prepositions
        .contains(&parsed.preposition(child))
}
