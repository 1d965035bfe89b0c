//! Learns lemma rules: for each tag the usual rule of each ending, and the forms that go their own way.

use crate::text::features::Table;
use crate::text::lemma::{ENDING, Lemmatizer, Rule, ending_key, form_key, rule_between};
use std::collections::BTreeMap;

/// Forms in lower case with a tag, their rules, and how often each was seen to fit.
pub type Seen = BTreeMap<(u8, String), BTreeMap<Rule, usize>>;

/// Adds a word of a treebank. A form in lower case does not tell whether its lemma keeps capitals, so it speaks
/// for both rules.
pub fn see(seen: &mut Seen, form: &str, tag: u8, lemma: &str) {
    if lemma.is_empty() {
        return;
    }
    let rules = seen.entry((tag, form.to_lowercase())).or_default();
    let rule = rule_between(form, lemma);
    if !form.chars().any(char::is_uppercase) {
        *rules
            .entry(Rule {
                lower: !rule.lower,
                ..rule.clone()
            })
            .or_default() += 1;
    }
    *rules.entry(rule).or_default() += 1;
}

/// What is learnt, as lists that can be stored: rules, exceptions, endings.
pub struct Learnt {
    /// All rules in use.
    pub rules: Vec<Rule>,
    /// `form_key` and rule number.
    pub exceptions: Vec<(u32, u32)>,
    /// `ending_key` and rule number.
    pub endings: Vec<(u32, u32)>,
}

/// Learns from all words seen.
pub fn learn(seen: &Seen) -> Learnt {
    let habits = habits(seen);
    let best: Vec<(u8, &str, &Rule)> = seen
        .iter()
        .filter_map(|((tag, form), rules)| {
            Some((*tag, form.as_str(), favourite(rules.iter(), habits.get(tag))?))
        })
        .collect();
    let mut votes: BTreeMap<(u8, String), BTreeMap<&Rule, usize>> = BTreeMap::new();
    for (tag, form, rule) in &best {
        // Marks have lemmas of their own and say nothing of words.
        let letters: Vec<char> = form.chars().collect();
        if !letters.iter().any(|c| c.is_alphanumeric()) {
            continue;
        }
        for length in 0..=ENDING.min(letters.len()) {
            let ending: String = letters[letters.len() - length..].iter().collect();
            *votes.entry((*tag, ending)).or_default().entry(rule).or_default() += 1;
        }
    }
    let mut numbers: BTreeMap<Rule, u32> = BTreeMap::new();
    let mut rules = Vec::new();
    let mut number = |rule: &Rule| {
        *numbers.entry(rule.clone()).or_insert_with(|| {
            rules.push(rule.clone());
            rules.len() as u32 - 1
        })
    };
    let mut endings = Vec::new();
    for ((tag, ending), rules) in &votes {
        let rules = rules.iter().map(|(rule, count)| (*rule, count));
        let Some(rule) = favourite(rules.clone(), habits.get(tag)) else {
            continue;
        };
        // One word alone says nothing about an ending, unless nothing else is known of the tag.
        if ending.is_empty()
            || rules
                .into_iter()
                .any(|(other, count)| other == rule && *count >= 2)
        {
            endings.push((ending_key(ending, *tag), number(rule)));
        }
    }
    let all: Vec<(u8, &str, u32)> = best
        .iter()
        .map(|(tag, form, rule)| (*tag, *form, number(rule)))
        .collect();
    let guess = Lemmatizer {
        rules: Vec::new(),
        exceptions: Table::default(),
        endings: Table::new(endings.clone().into_iter()),
    };
    let exceptions = all
        .into_iter()
        .filter(|(tag, form, rule)| guess.choose(form, *tag) != Some(*rule))
        .map(|(tag, form, rule)| (form_key(form, tag), rule))
        .collect();
    Learnt {
        rules,
        exceptions,
        endings,
    }
}

/// For each tag, whether lemmas of forms with capitals mostly lose them.
fn habits(seen: &Seen) -> BTreeMap<u8, bool> {
    let mut counts: BTreeMap<u8, [usize; 2]> = BTreeMap::new();
    for ((tag, _), rules) in seen {
        for (rule, count) in rules {
            counts.entry(*tag).or_default()[usize::from(rule.lower)] += count;
        }
    }
    counts
        .into_iter()
        .map(|(tag, [kept, lost])| (tag, lost > kept))
        .collect()
}

/// The rule seen most often; of equals, the one that treats capitals as the tag mostly does.
fn favourite<'r>(
    rules: impl Iterator<Item = (&'r Rule, &'r usize)>,
    habit: Option<&bool>,
) -> Option<&'r Rule> {
    rules
        .max_by_key(|(rule, count)| (**count, Some(&rule.lower) == habit))
        .map(|(rule, _)| rule)
}
