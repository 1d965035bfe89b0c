//! Stances by turns of phrase, where no word of stance is said: duties, names that are called, conditions, questions that
//! reproach, what would be without a force, feelings at its coming and going.

use super::denial::{Denial, denial};
use super::frames::{Toward, antecedent, takes_no_side, toward};
use super::holders::{self, Holder};
use super::{Stance, is_foreign_force, is_hedged, is_quoted};
use crate::events::{Context, circumstances};
use crate::mentions::Actor;
use crate::tables::StanceBasis;
use crate::text::Clause;
use crate::text::clauses::PredicateKind;

/// What turns of phrase in a clause show.
pub(super) fn read<'c, 'k>(
    context: &'c Context<'c, 'k>,
    clause: &Clause,
) -> impl Iterator<Item = Stance<'c, 'k>> {
    let turns = [
        by_duty,
        by_naming,
        by_condition,
        by_question,
        by_absence,
        by_opposing,
        by_reaction,
        by_supposition,
    ];
    turns.into_iter().filter_map(move |turn| turn(context, clause))
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
        turned: false,
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
    force: &'c Actor<'k>,
    polarity: i32,
) -> Stance<'c, 'k> {
    Stance {
        force,
        polarity,
        intensity: 2,
        basis: if is_quoted(context, clause) {
            StanceBasis::Quote
        } else {
            StanceBasis::Statement
        },
        negated: clause.negation.is_some(),
        turned: false,
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
        toward.force,
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
    Some(by_turn(context, clause, "question", holder, toward.force, -1))
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
    Some(by_turn(
        context,
        clause,
        "absence",
        holder,
        toward.force,
        toward.sign,
    ))
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
    Some(by_turn(
        context,
        clause,
        "against",
        holder,
        toward.force,
        polarity,
    ))
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
        toward.force,
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
    Some(by_turn(
        context,
        clause,
        "supposition",
        holder,
        toward.force,
        polarity,
    ))
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
    Some(by_turn(context, clause, "duty", holder, force, polarity))
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
