//! Lemmas by rule: what to cut off a form and what to put in its place, chosen by the form and its tag from
//! exceptions first and from the longest known ending second. All of it is learnt from a treebank.

use crate::text::features::Table;
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How a form becomes its lemma.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// Number of letters cut off the end.
    pub cut: u8,
    /// What is put there instead.
    pub add: String,
    /// Whether the form is put into lower case first.
    pub lower: bool,
}

/// The longest ending looked at, in letters.
pub const ENDING: usize = 5;

/// Rules and the tables that choose among them.
#[derive(Clone, Debug, Default)]
pub struct Lemmatizer {
    /// All rules.
    pub rules: Vec<Rule>,
    /// `form_key` to rule number.
    pub exceptions: Table,
    /// `ending_key` to rule number.
    pub endings: Table,
}

impl Lemmatizer {
    /// The lemma of a form with the given tag number.
    pub fn lemma<'t>(&self, form: &'t str, tag: u8) -> Cow<'t, str> {
        let lower: Cow<str> = if form.chars().any(char::is_uppercase) {
            form.to_lowercase().into()
        } else {
            form.into()
        };
        match self
            .choose(&lower, tag)
            .and_then(|rule| self.rules.get(rule as usize))
        {
            None => Cow::Borrowed(form),
            Some(rule) => apply(rule, form, lower),
        }
    }

    /// The number of the rule for a form in lower case.
    pub fn choose(&self, lower: &str, tag: u8) -> Option<u32> {
        if let Some(rule) = self.exceptions.get(form_key(lower, tag)) {
            return Some(rule);
        }
        // A mark is its own lemma unless it is known to have another.
        if !lower.chars().any(char::is_alphanumeric) {
            return None;
        }
        let mut starts = [lower.len(); ENDING + 1];
        let mut longest = 0;
        for (at, _) in lower.char_indices().rev().take(ENDING) {
            longest += 1;
            starts[longest] = at;
        }
        (0..=longest)
            .rev()
            .find_map(|length| self.endings.get(ending_key(&lower[starts[length]..], tag)))
    }
}

fn apply<'t>(rule: &Rule, form: &'t str, lower: Cow<'t, str>) -> Cow<'t, str> {
    let base = if rule.lower { lower } else { Cow::Borrowed(form) };
    if rule.cut == 0 && rule.add.is_empty() {
        return base;
    }
    let kept = match rule.cut {
        0 => base.len(),
        cut => base
            .char_indices()
            .rev()
            .nth(usize::from(cut) - 1)
            .map_or(0, |(at, _)| at),
    };
    let mut lemma = String::with_capacity(kept + rule.add.len());
    lemma.push_str(&base[..kept]);
    lemma.push_str(&rule.add);
    Cow::Owned(lemma)
}

/// The key of a form in lower case with a tag.
pub fn form_key(lower: &str, tag: u8) -> u32 {
    ((xxh3_64_with_seed(lower.as_bytes(), 0x100 + u64::from(tag)) >> 32) as u32).max(1)
}

/// The key of an ending with a tag.
pub fn ending_key(ending: &str, tag: u8) -> u32 {
    ((xxh3_64_with_seed(ending.as_bytes(), 0x200 + u64::from(tag)) >> 32) as u32).max(1)
}

/// The rule that makes `lemma` of `form`.
pub fn rule_between(form: &str, lemma: &str) -> Rule {
    let lowered = form.to_lowercase();
    let lower = !lemma.chars().any(char::is_uppercase);
    let base = if lower { lowered.as_str() } else { form };
    let shared = base
        .chars()
        .zip(lemma.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let cut = base.chars().count() - shared;
    Rule {
        cut: cut.min(255) as u8,
        add: lemma.chars().skip(shared).collect(),
        lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &str, lemma: &str) {
        let rule = rule_between(form, lemma);
        assert_eq!(apply(&rule, form, form.to_lowercase().into()), lemma);
    }

    #[test]
    fn rules_lead_from_form_to_lemma() {
        check("Parties", "party");
        check("went", "go");
        check("Washington", "Washington");
        check("soldiers", "soldier");
        check("Élus", "élu");
    }
}
