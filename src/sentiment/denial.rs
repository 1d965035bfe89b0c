//! Whether what a predicate says is denied, and what is left of a stance then.

use super::words::Sense;
use crate::events::Context;
use crate::text::Clause;

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
    const STEPS_MAX: usize = 4;
    let mut told = own(context, clause);
    let mut at = clause.predicate;
    for _ in 0..STEPS_MAX {
        match above(context, at, told) {
            Above::Ends(denial) => return denial,
            Above::Goes(denial, head) => (told, at) = (denial, head),
        }
    }
    told
}

/// Whether a word is a negation.
fn negates(context: &Context<'_, '_>, word: usize) -> bool {
    let lemma = context.parsed.words[word].lemma.to_lowercase();
    context.language.grammar.negators.contains(&lemma)
}

/// Whether a predicate is denied by its own words: "no longer", "few want", "will not".
fn own(context: &Context<'_, '_>, clause: &Clause) -> Denial {
    let parsed = context.parsed;
    let is_no_longer = parsed.dependents(clause.predicate, "advmod").any(|adverb| {
        parsed
            .children(adverb)
            .iter()
            .any(|child| negates(context, *child))
    });
    let is_doubted = clause.in_role("subj").chain(clause.in_role("by")).any(|head| {
        let few = |word: usize| {
            let lemma = parsed.words[word].lemma.to_lowercase();
            context.language.stances.lists.few.contains(&lemma)
        };
        few(head) || parsed.dependents(head, "amod").any(few)
    });
    let planned = &context.language.modality.planned_auxiliaries;
    if clause.negation.is_none() && !is_no_longer && !is_doubted {
        Denial::None
    } else if clause
        .auxiliaries
        .iter()
        .any(|auxiliary| planned.contains(auxiliary))
    {
        Denial::Will
    } else {
        Denial::Fact
    }
}

/// What the word above makes of a denial.
enum Above {
    /// It is this, whatever stands further above.
    Ends(Denial),
    /// It is this so far, and that word is asked next.
    Goes(Denial, usize),
}

/// "has no intention of asking", "failed to condemn", "dispelled the fear": what the word above says.
fn above(context: &Context<'_, '_>, at: usize, told: Denial) -> Above {
    let modality = &context.language.modality;
    let lists = &context.language.stances.lists;
    let word = &context.parsed.words[at];
    let relation = word.relation;
    let governs = matches!(
        relation,
        "xcomp" | "acl" | "nmod" | "obj" | "ccomp" | "advcl" | "obl"
    );
    let Some(head) = word.head.filter(|_| governs) else {
        return Above::Ends(told);
    };
    let turned = if told == Denial::None {
        Denial::Will
    } else {
        Denial::None
    };
    let lemma = context.parsed.words[head].lemma.to_lowercase();
    let clause = context.clause(head);
    let children = context.parsed.children(head);
    let dispels = lists
        .dispelling
        .contains(clause.map_or(lemma.as_str(), |clause| &clause.lemma))
        || children.iter().any(|child| {
            let particle = context.parsed.words[*child].text.to_lowercase();
            lists.dispelling.contains(&format!("{lemma} {particle}"))
        });
    if relation == "obj" && dispels {
        return Above::Ends(turned);
    }
    let is_denied = children.iter().any(|child| negates(context, *child))
        || clause.is_some_and(|clause| clause.negation.is_some());
    let is_intention = lists.intentions.contains(&lemma);
    if is_intention && is_denied {
        Above::Goes(turned, head)
    } else if modality.failing.contains(&lemma) && relation == "xcomp" {
        let failed = match (told, is_denied) {
            (Denial::None, false) => Denial::Fact,
            (told, true) => told,
            _ => Denial::None,
        };
        Above::Goes(failed, head)
    } else if modality.denying.contains(&lemma) && matches!(relation, "ccomp" | "xcomp") {
        Above::Ends(Denial::Fact)
    } else if !is_intention && relation != "xcomp" {
        Above::Ends(told)
    } else {
        Above::Goes(told, head)
    }
}

/// What is left of a sense's polarity where it is denied: "does not support" is against, "did not criticise" takes
/// no side, "will not ask them to leave" is for.
pub(super) fn denied(sense: &Sense, part: char, denial: Denial) -> i32 {
    match (denial, sense.negated) {
        (Denial::None, _) => sense.polarity,
        (_, Some(negated)) => negated,
        (Denial::Will, None) => -sense.polarity,
        (Denial::Fact, None) if part != 'v' || sense.polarity > 0 => -sense.polarity,
        (Denial::Fact, None) => 0,
    }
}
