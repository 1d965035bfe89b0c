//! Stances by predicate frames: a predicate, the role of the force, negation, and whether the force comes or goes.
//!
//! The value of a phrase is found from the force upward: a withdrawal turns it round, a stay keeps it, and what
//! befalls a force ends the search, because who deplores a killing does not judge the killed.

use super::holders::{self, Holder};
use super::words::Sense;
use super::{Stance, is_foreign_force, is_hedged, is_quoted};
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
        stances.extend(by_duty(context, clause));
        stances.extend(by_naming(context, clause));
        stances.extend(by_condition(context, clause));
        stances.extend(by_question(context, clause));
        stances.extend(by_absence(context, clause));
        stances.extend(by_opposing(context, clause));
        stances.extend(by_reaction(context, clause));
        stances.extend(by_supposition(context, clause));
    }
    stances
}

/// "called the soldiers locusts", "the base is a wound": a judgement in words that only the lexicon of judging words
/// knows, said of a force by a verb of calling or a copula.
fn by_naming<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let is_copular = clause.kind != PredicateKind::Verb && clause.first("subj").is_some();
    let is_naming = clause.kind == PredicateKind::Verb && lists.naming.contains(&clause.lemma);
    let (role, said) = if is_copular {
        ("subj", vec![clause.predicate])
    } else if is_naming {
        ("obj", named_as(context, clause))
    } else {
        return None;
    };
    let mut heads: Vec<usize> = clause.in_role(role).collect();
    if is_naming && heads.is_empty() {
        heads = context.parsed.children(clause.predicate).to_vec();
    }
    let toward = heads.into_iter().find_map(|head| toward(context, head))?;
    let judge = &context.language.judge;
    let words = said.iter().flat_map(|head| {
        context
            .parsed
            .subtree_without(*head, &["nsubj", "csubj", "parataxis", "conj"])
    });
    let score = words
        .map(|word| judge.score(context.parsed, &context.language.grammar.negators, word))
        .sum::<f32>();
    let holder = holders::of_clause(
        context,
        clause,
        if is_copular {
            &lists.speaking
        } else {
            &lists.acting
        },
        None,
    )?;
    let polarity = if score > 0.5 {
        1
    } else if score < -0.5 {
        -1
    } else {
        return None;
    };
    let denial = denial(context, clause);
    let told = match denial {
        _ if takes_no_side(context, clause) => 0,
        Denial::None => polarity,
        _ => -polarity,
    };
    Some(Stance {
        force: toward.force,
        polarity: told * toward.sign,
        intensity: 2,
        basis: if is_quoted(context, clause) {
            StanceBasis::Quote
        } else {
            StanceBasis::Statement
        },
        negated: denial != Denial::None,
        hedged: is_hedged(context, clause),
        rule: "naming".to_owned(),
        span: circumstances::evidence(context, clause),
        event: None,
        confidence: if holder.is_certain { 0.6 } else { 0.4 },
        holder: Some(holder),
        predicate: clause.predicate,
    })
}

/// A stance that a turn of phrase shows, rather than a word.
fn by_turn<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
    rule: &str,
    holder: Holder,
    toward: &Toward<'c, 'k>,
    polarity: i32,
) -> Stance<'c, 'k> {
    Stance {
        force: toward.force,
        polarity,
        intensity: 2,
        basis: if is_quoted(context, clause) {
            StanceBasis::Quote
        } else {
            StanceBasis::Statement
        },
        negated: clause.negation.is_some(),
        hedged: is_hedged(context, clause),
        rule: rule.to_owned(),
        span: circumstances::evidence(context, clause),
        event: None,
        predicate: clause.predicate,
        confidence: if holder.is_certain { 0.7 } else { 0.5 },
        holder: Some(holder),
    }
}

/// "will not disarm unless the foreigners leave": who makes it a condition that a force goes or stays wants that.
fn by_condition<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let mark = clause.mark.as_ref()?;
    let governor = clause.governor.as_ref()?.predicate;
    // "signed on condition that they went"
    let noun = &context.parsed.words[governor];
    let is_named = lists.conditions.contains(noun.lemma.as_ref());
    if !is_named && !lists.conditions.contains(mark) {
        return None;
    }
    let toward = toward(context, clause.predicate).filter(|toward| toward.moves)?;
    let above = context.clause(if is_named { noun.head? } else { governor })?;
    let is_vowed = is_named
        || above.negation.is_some()
        || !above.auxiliaries.is_empty()
        || context.language.grammar.conditional_marks.contains(mark);
    let holder = holders::of_clause(context, above, &lists.condition_holders, None).filter(|_| is_vowed)?;
    Some(by_turn(
        context,
        clause,
        "condition",
        holder,
        &toward,
        toward.sign,
    ))
}

/// "Who invited them?", "asked what the soldiers were for": a question that asks no fact is a reproach.
fn by_question<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let parsed = context.parsed;
    let asks = |word: usize| {
        lists
            .reproachful
            .contains(&parsed.words[word].lemma.to_lowercase())
    };
    let mut inside = parsed.children(clause.predicate).iter().copied();
    let is_asked = asks(clause.predicate)
        || inside.any(|child| asks(child) || parsed.children(child).iter().any(|below| asks(*below)));
    let is_marked = parsed.words.iter().any(|word| word.text.starts_with('?')) && is_quoted(context, clause);
    let governed = clause.governor.as_ref().filter(|above| above.relation == "ccomp");
    let above = governed.and_then(|above| context.clause(above.predicate));
    let is_told = above.is_some_and(|above| lists.asking.contains(&above.lemma));
    let is_to_come = clause
        .auxiliaries
        .iter()
        .any(|auxiliary| context.language.modality.planned_auxiliaries.contains(auxiliary));
    if !is_asked || is_to_come || !(is_marked || is_told) {
        return None;
    }
    let roles = ["subj", "obj"].map(str::to_owned);
    let named = roles
        .iter()
        .flat_map(|role| clause.in_role(role).collect::<Vec<_>>())
        .find_map(|head| toward(context, head).or_else(|| antecedent(context, head)));
    let toward = named.or_else(|| holders::implied_force(context, clause, &roles))?;
    let holder = holders::speaker(context, clause)
        .or_else(|| holders::of_clause(context, above?, &["subj".to_owned()], None))?;
    Some(by_turn(context, clause, "question", holder, &toward, -1))
}

/// "Without the soldiers the town would have fallen": what would be if the force were not there.
fn by_absence<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let is_supposed = clause
        .auxiliaries
        .iter()
        .any(|auxiliary| lists.suppositions.contains(auxiliary));
    let is_lack = |role: &String| lists.lacking.contains(role);
    let absent = clause
        .participants
        .iter()
        .filter(|phrase| is_lack(&phrase.role))
        .find_map(|phrase| toward(context, phrase.head));
    let toward = absent.filter(|_| is_supposed || clause.negation.is_some())?;
    let holder = holders::speaker(context, clause).or_else(|| holders::main(context))?;
    Some(by_turn(context, clause, "absence", holder, &toward, toward.sign))
}

/// "preached against the base", "voted against letting them in": whatever people do against a force.
fn by_opposing<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    if clause.kind != PredicateKind::Verb || lists.harms.contains(&clause.lemma) {
        return None;
    }
    let opposes = |role: &String| lists.opposing.contains(role);
    let opposed = clause.participants.iter().filter(|phrase| opposes(&phrase.role));
    let toward = opposed
        .filter(|phrase| context.parsed.is(phrase.head, "obl"))
        .find_map(|phrase| toward(context, phrase.head))?;
    let holder =
        holders::of_clause(context, clause, &lists.acting, None).filter(|holder| holder.is_certain)?;
    let polarity = if denial(context, clause) == Denial::None {
        -toward.sign
    } else {
        0
    };
    Some(by_turn(context, clause, "against", holder, &toward, polarity))
}

/// "wept as they left", "cheered when the convoy passed": a feeling at the coming or going of a force.
fn by_reaction<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let feeling = *lists.reactions.get(&clause.lemma)?;
    let below = context.clauses.iter().filter(|other| {
        let governor = other.governor.as_ref();
        governor
            .is_some_and(|above| above.predicate == clause.predicate && above.relation.starts_with("advcl"))
            && is_occasion(context, other)
    });
    let toward = below.into_iter().find_map(|other| {
        let goes = lists.effects.get(&other.lemma).copied().unwrap_or(1);
        let subjects = other.in_role("subj").chain(other.in_role("obj"));
        let mut found = subjects.filter_map(|head| toward(context, head));
        found.next().map(|toward| Toward {
            sign: toward.sign * goes,
            ..toward
        })
    })?;
    let holder =
        holders::of_clause(context, clause, &["subj".to_owned()], None).filter(|holder| holder.is_certain)?;
    Some(by_turn(
        context,
        clause,
        "reaction",
        holder,
        &toward,
        feeling * toward.sign,
    ))
}

/// Whether a clause tells when or why: "when they passed", "as the convoy left".
fn is_occasion(context: &Context<'_, '_>, clause: &Clause) -> bool {
    let parsed = context.parsed;
    let adverbs = parsed.dependents(clause.predicate, "advmod");
    let opening = adverbs.map(|adverb| parsed.words[adverb].text.to_lowercase());
    // "as the soldiers left": the parse may see a preposition.
    let before_subject = clause.in_role("subj").map(|subject| parsed.preposition(subject));
    opening
        .chain(before_subject)
        .chain(clause.mark.clone())
        .any(|word| {
            context.language.grammar.temporal_marks.contains(&word)
                || context.language.stances.lists.occasions.contains(&word)
        })
}

/// "Were they to go there would be a massacre": what is feared or hoped if a force comes or goes.
fn by_supposition<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let grammar = &context.language.grammar;
    let mark = clause.mark.as_ref()?;
    if !grammar.conditional_marks.contains(mark) {
        return None;
    }
    let goes = *context.language.stances.lists.effects.get(&clause.lemma)?;
    let mut subjects = clause.in_role("subj").chain(clause.in_role("obj"));
    let toward = subjects.find_map(|head| toward(context, head))?;
    let governor = clause.governor.as_ref()?;
    let above = context
        .clause(governor.predicate)
        .filter(|_| governor.relation.starts_with("advcl"))?;
    let words = context
        .parsed
        .subtree_without(above.predicate, &["advcl", "parataxis", "acl:relcl"]);
    let judge = &context.language.judge;
    let score = words
        .into_iter()
        .map(|word| judge.score(context.parsed, &grammar.negators, word))
        .sum::<f32>();
    let outcome = if score.abs() < 1.0 {
        return None;
    } else {
        score.signum() as i32
    };
    let holder = holders::speaker(context, above).or_else(|| holders::speaker(context, clause))?;
    let polarity = outcome * goes * toward.sign;
    Some(by_turn(context, clause, "supposition", holder, &toward, polarity))
}

/// What a verb of calling calls its object.
fn named_as(context: &Context<'_, '_>, clause: &Clause) -> Vec<usize> {
    let parsed = context.parsed;
    let children = parsed.children(clause.predicate).iter().copied();
    let object = clause.first("obj");
    let named = children.filter(|child| {
        Some(*child) > object
            && *child > clause.predicate
            && context.actor(*child).is_none_or(|actor| !is_foreign_force(actor))
            && matches!(
                parsed.words[*child].relation,
                "xcomp" | "ccomp" | "obj" | "obl" | "advcl" | "advmod" | "dep" | "acl"
            )
    });
    named.collect()
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
            stance(
                context,
                clause,
                sense,
                holder.clone(),
                toward.force,
                polarity,
                denial,
                modality,
            )
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
fn takes_no_side(context: &Context<'_, '_>, clause: &Clause) -> bool {
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
        hedged: modality == Modality::Hypothetical || is_hedged(context, clause),
        rule: sense.rule.clone(),
        span: circumstances::evidence(context, clause),
        event: None,
        confidence: surety,
        predicate: clause.predicate,
    }
}

/// "must leave", "should stay", "Go home!": what ought to be is the wish of who says it.
fn by_duty<'c, 'k>(context: &'c Context<'c, 'k>, clause: &Clause) -> Option<Stance<'c, 'k>> {
    let lists = &context.language.stances.lists;
    let sign = *lists.effects.get(&clause.lemma)?;
    let has_duty = clause
        .auxiliaries
        .iter()
        .any(|auxiliary| lists.duties.contains(auxiliary))
        || governed_by(context, clause, |lemma| lists.duty_verbs.contains(lemma));
    let is_permitted = sign > 0
        && clause
            .auxiliaries
            .iter()
            .any(|auxiliary| lists.permissions.contains(auxiliary));
    let tag = context.parsed.words[clause.predicate].xpos;
    let is_order = tag == "VB"
        && clause.auxiliaries.is_empty()
        && clause.mark.is_none()
        && clause.first("subj").is_none_or(|_| is_quoted(context, clause));
    // "not one of them will remain": what shall not be is a wish too.
    let is_willed = clause.negation.is_some()
        && clause
            .auxiliaries
            .iter()
            .any(|auxiliary| context.language.modality.planned_auxiliaries.contains(auxiliary));
    if !has_duty && !is_order && !is_permitted && !is_willed {
        return None;
    }
    let own = ["subj", "obj"]
        .iter()
        .flat_map(|role| clause.in_role(role))
        .find_map(|head| context.actor(head).filter(|actor| is_foreign_force(actor)));
    let force = own.or_else(|| {
        let implied = holders::implied_force(context, clause, &["subj".to_owned()]);
        implied
            .filter(|_| is_quoted(context, clause) || is_order)
            .map(|toward| toward.force)
    })?;
    let holder = holders::speaker(context, clause)?;
    let polarity = if clause.negation.is_some() { -sign } else { sign };
    Some(Stance {
        holder: Some(holder),
        force,
        polarity,
        intensity: 2,
        basis: if is_quoted(context, clause) {
            StanceBasis::Quote
        } else {
            StanceBasis::Statement
        },
        negated: clause.negation.is_some(),
        hedged: is_hedged(context, clause),
        rule: "duty".to_owned(),
        span: circumstances::evidence(context, clause),
        event: None,
        predicate: clause.predicate,
        confidence: 0.7,
    })
}

fn governed_by(context: &Context<'_, '_>, clause: &Clause, wanted: impl Fn(&str) -> bool) -> bool {
    let above = clause
        .governor
        .as_ref()
        .filter(|governor| governor.relation == "xcomp");
    above
        .and_then(|above| context.clause(above.predicate))
        .is_some_and(|above| wanted(&above.lemma))
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
        || context.parsed.preposition(clause.predicate) == "as"
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
            || other.mark.as_ref().is_some_and(|mark| {
                context.language.grammar.infinitive_marks.contains(mark) || mark == "that" || mark == "for"
            })
    });
    let mut heads: Vec<usize> = below.map(|other| other.predicate).collect();
    heads.extend(clause.complements.iter().copied());
    heads.sort_unstable();
    heads.dedup();
    heads
}

/// A pronoun that is no speaker stands for the one force named before it, if nobody else is known for it.
fn antecedent<'c, 'k>(context: &'c Context<'c, 'k>, head: usize) -> Option<Toward<'c, 'k>> {
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
fn is_doer(context: &Context<'_, '_>, child: usize) -> bool {
    let parsed = context.parsed;
    matches!(
        parsed.words[child].relation,
        "nmod:poss" | "compound" | "amod" | "nsubj" | "obl:agent"
    ) || matches!(parsed.preposition(child).as_str(), "by" | "from")
}

/// How a predicate is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// It is not.
    None,
    /// "did not criticise": the text says that it did not happen.
    Fact,
    /// "has no intention of asking", "will not ask": the holder says that it shall not happen.
    Will,
}

/// Whether a predicate is denied, by itself or by what governs it.
pub(super) fn denial(context: &Context<'_, '_>, clause: &Clause) -> Denial {
    let modality = &context.language.modality;
    let lists = &context.language.stances.lists;
    let negators = &context.language.grammar.negators;
    let is_no_longer = context
        .parsed
        .dependents(clause.predicate, "advmod")
        .any(|adverb| {
            let below = context.parsed.children(adverb).iter();
            below
                .into_iter()
                .any(|child| negators.contains(&context.parsed.words[*child].lemma.to_lowercase()))
        });
    let is_doubted = clause.in_role("subj").chain(clause.in_role("by")).any(|head| {
        let few = |word: usize| {
            lists
                .few
                .contains(&context.parsed.words[word].lemma.to_lowercase())
        };
        few(head) || context.parsed.dependents(head, "amod").any(few)
    });
    let is_denied = is_no_longer || is_doubted;
    let negation = clause.negation.or(is_denied.then_some(clause.predicate));
    let mut denial = match negation {
        Some(_)
            if clause
                .auxiliaries
                .iter()
                .any(|aux| modality.planned_auxiliaries.contains(aux)) =>
        {
            Denial::Will
        }
        Some(_) => Denial::Fact,
        None => Denial::None,
    };
    let mut at = clause.predicate;
    for _ in 0..4 {
        let word = &context.parsed.words[at];
        let Some(head) = word.head else { break };
        if !matches!(
            word.relation,
            "xcomp" | "acl" | "nmod" | "obj" | "ccomp" | "advcl" | "obl"
        ) {
            break;
        }
        let above = &context.parsed.words[head];
        let lemma = above.lemma.to_lowercase();
        let is_intention = lists.intentions.contains(&lemma);
        let told = context
            .clause(head)
            .map_or(lemma.as_str(), |clause| clause.lemma.as_str());
        let with_particle = context.parsed.children(head).iter().any(|child| {
            let particle = context.parsed.words[*child].text.to_lowercase();
            lists.dispelling.contains(&format!("{lemma} {particle}"))
        });
        if word.relation == "obj" && (with_particle || lists.dispelling.contains(told)) {
            return if denial == Denial::None {
                Denial::Will
            } else {
                Denial::None
            };
        }
        let is_negative = |child: &usize| {
            context
                .language
                .grammar
                .negators
                .contains(&context.parsed.words[*child].lemma.to_lowercase())
        };
        let denied_above = context.parsed.children(head).iter().any(is_negative)
            || context
                .clause(head)
                .is_some_and(|clause| clause.negation.is_some());
        if is_intention && denied_above {
            denial = if denial == Denial::None {
                Denial::Will
            } else {
                Denial::None
            };
        } else if modality.failing.contains(&lemma) && word.relation == "xcomp" {
            denial = match (denial, denied_above) {
                (Denial::None, false) => Denial::Fact,
                (denial, true) => denial,
                _ => Denial::None,
            };
        } else if modality.denying.contains(&lemma) && matches!(word.relation, "ccomp" | "xcomp") {
            return Denial::Fact;
        } else if !is_intention && word.relation != "xcomp" {
            break;
        }
        at = head;
    }
    denial
}

/// What is left of a sense's polarity where it is denied: "does not support" is against, "did not criticise" takes
/// no side, "will not ask them to leave" is for.
fn denied(sense: &Sense, part: char, denial: Denial) -> i32 {
    match (denial, sense.negated) {
        (Denial::None, _) => sense.polarity,
        (_, Some(negated)) => negated,
        (Denial::Will, None) => -sense.polarity,
        (Denial::Fact, None) if part != 'v' || sense.polarity > 0 => -sense.polarity,
        (Denial::Fact, None) => 0,
    }
}
