//! Quantities told in a sentence: "around 1,000", "several hundred", "between 3,000 and 4,000", "a battalion".

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::{Parsed, Upos};

/// The words of quantity in one language.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Numerals and their values.
    pub numerals: HashMap<String, i64>,
    /// Words that multiply the number before them.
    pub multipliers: HashMap<String, i64>,
    /// Least and greatest number of words without a figure.
    pub vague: HashMap<String, (i64, i64)>,
    /// Least and greatest strength of formations.
    pub formations: HashMap<String, (i64, i64)>,
    /// Words beside numbers.
    pub words: Hints,
}

/// Words beside numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Hints {
    pub approximate: HashSet<String>,
    pub lower_bound: HashSet<String>,
    pub upper_bound: HashSet<String>,
    pub between: HashSet<String>,
    pub range: HashSet<String>,
    pub killed: HashSet<String>,
    pub wounded: HashSet<String>,
    pub people: HashSet<String>,
    pub counting: HashSet<String>,
}

/// A number of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// Least number.
    pub min: i64,
    /// Greatest number.
    pub max: i64,
    /// Whether the text says about.
    pub approximate: bool,
}

/// How many of what a noun names: "some 1,500 troops", "hundreds of soldiers" (asked of the noun that is counted).
pub fn of_noun(parsed: &Parsed<'_>, noun: usize, words: &Words) -> Option<Quantity> {
    if let Some(number) = parsed
        .dependent(noun, "nummod")
        .and_then(|number| numeral(parsed, number, words))
    {
        return Some(number);
    }
    // "hundreds of soldiers": the noun that is counted hangs on the number.
    let above = parsed.words[noun]
        .head
        .filter(|_| parsed.is(noun, "nmod") && parsed.preposition(noun) == "of");
    let text = |word: usize| parsed.words[word].text.to_lowercase();
    above
        .and_then(|above| {
            words
                .vague
                .get(&text(above))
                .copied()
                .or_else(|| words.formations.get(&text(above)).copied())
        })
        .or_else(|| {
            parsed
                .dependents(noun, "compound")
                .find_map(|child| words.formations.get(&text(child)).copied())
        })
        .map(|(min, max)| Quantity {
            min,
            max,
            approximate: true,
        })
}

/// The value of a numeral with the words around it: "around 1,000", "more than 3 thousand", "3,000 to 4,000".
pub fn numeral(parsed: &Parsed<'_>, at: usize, words: &Words) -> Option<Quantity> {
    let phrase = parsed.subtree(at);
    let texts: Vec<String> = phrase
        .iter()
        .map(|word| parsed.words[*word].text.to_lowercase())
        .collect();
    let numbers = values(&texts, words);
    let (first, last) = (numbers.first().copied()?, numbers.last().copied()?);
    let near = phrase
        .first()
        .and_then(|first| first.checked_sub(1))
        .map(|before| parsed.words[before].text.to_lowercase());
    let has = |set: &HashSet<String>| texts.iter().chain(&near).any(|text| set.contains(text));
    let hinted = has(&words.words.approximate);
    if numbers.len() > 1 && (has(&words.words.range) || has(&words.words.between)) {
        return Some(Quantity {
            min: first.min(last),
            max: first.max(last),
            approximate: true,
        });
    }
    Some(Quantity {
        min: first,
        max: first,
        approximate: hinted,
    })
}

/// The numbers in a phrase, multipliers applied: "two thousand", "1,500", "3 million".
fn values(texts: &[String], words: &Words) -> Vec<i64> {
    let mut values: Vec<i64> = Vec::new();
    let mut open = false;
    for text in texts {
        if let Some(factor) = words.multipliers.get(text.trim_end_matches('s')) {
            match values.last_mut().filter(|_| open) {
                Some(last) => *last *= factor,
                None => values.push(*factor),
            }
        } else if let Some(number) = plain(text).or_else(|| words.numerals.get(text).copied()) {
            values.push(number);
            open = true;
        } else if let Some((min, max)) = words.vague.get(text) {
            values.extend([*min, *max]);
            open = false;
        }
    }
    values
}

/// A figure with separators of thousands.
fn plain(text: &str) -> Option<i64> {
    let digits: String = text
        .chars()
        .filter(|character| !matches!(character, ',' | ' ' | '\u{a0}' | '\u{202f}'))
        .collect();
    if let Ok(number) = digits.parse::<f64>()
        && text.starts_with(|character: char| character.is_ascii_digit())
    {
        return Some(number as i64);
    }
    None
}

/// People killed and wounded that a sentence tells of, asked of the predicate.
pub fn casualties(parsed: &Parsed<'_>, words: &Words) -> (Option<i64>, Option<i64>) {
    let mut found = (None, None);
    for (index, word) in parsed.words.iter().enumerate() {
        let lemma = word.lemma.to_lowercase();
        let slot = if words.words.killed.contains(&lemma) {
            &mut found.0
        } else if words.words.wounded.contains(&lemma) {
            &mut found.1
        } else {
            continue;
        };
        if slot.is_none() && matches!(word.upos, Upos::Verb | Upos::Noun | Upos::Adj) {
            *slot = counted_near(parsed, index, words);
        }
    }
    found
}

fn counted_near(parsed: &Parsed<'_>, predicate: usize, words: &Words) -> Option<i64> {
    let people = parsed.children(predicate).iter().copied().filter(|child| {
        let relation = parsed.words[*child].relation;
        relation.starts_with("nsubj")
            || relation == "obj"
            || relation == "nummod"
            || relation.starts_with("conj")
    });
    let mut numbers = people.filter_map(|child| {
        if parsed.words[child].upos == Upos::Num {
            return numeral(parsed, child, words).map(|quantity| quantity.min);
        }
        let lemma = parsed.words[child].lemma.to_lowercase();
        let counted = of_noun(parsed, child, words).map(|quantity| quantity.min);
        counted.or_else(|| {
            parsed
                .dependents(child, "det")
                .next()
                .filter(|_| words.words.people.contains(&lemma))
                .filter(|det| {
                    words
                        .numerals
                        .contains_key(&parsed.words[*det].text.to_lowercase())
                })
                .map(|_| 1)
        })
    });
    numbers.next()
}
