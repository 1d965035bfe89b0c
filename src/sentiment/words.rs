//! Words of stance: predicates that judge a force, and what a happening does to a force's being there.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::knowledge::{Line, Reader, listed};
use crate::tables::{Code, ForceKind, StanceBasis};

/// Words of stance of one language.
#[derive(Debug, Default)]
pub struct Words {
    senses: HashMap<(char, String), Vec<Sense>>,
    /// The example sentence of each word that has one, which the frames read right.
    pub(crate) examples: Vec<String>,
    /// Lists that hold for all senses.
    pub(super) lists: Lists,
}

/// One sense of a predicate that judges a force.
#[derive(Debug, Clone)]
pub(super) struct Sense {
    /// Roles in which the holder stands, in order of preference; `speaker` is who says the clause.
    pub holder: Vec<String>,
    /// Roles in which the force stands; `comp` is the clause that the predicate governs.
    pub force: Vec<String>,
    /// -1 against, 1 for.
    pub polarity: i32,
    /// 1 to 3.
    pub intensity: i32,
    /// The polarity where the predicate is denied, if it is not the usual one.
    pub negated: Option<i32>,
    /// How the stance shows itself.
    pub basis: StanceBasis,
    /// Name of the rule, for the tables.
    pub rule: String,
}

/// Word lists of `stances.toml`; lemmas in lower case.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lists {
    /// What a happening does to a force's being there: -1 it leaves, 1 it stays or comes.
    pub effects: HashMap<String, i32>,
    /// Happenings that befall a force: whoever deplores them does not judge the force.
    pub harms: HashSet<String>,
    /// Whose a force is where nothing tells: peacekeepers.
    pub homes: HashMap<String, String>,
    /// Nouns that are a force only where somebody looks for a stance, beside the name of a home.
    pub assumed: HashMap<String, ForceKind>,
    /// Verbs of calling: what they call their object judges it.
    pub naming: HashSet<String>,
    /// Roles of who calls something something.
    pub acting: Vec<String>,
    /// Roles of who says what something is.
    pub speaking: Vec<String>,
    /// Nouns for things, which hold no stance.
    pub things: HashSet<String>,
    /// Words that deny a wish or a plan: no intention, no plan, no reason.
    pub intentions: HashSet<String>,
    /// Auxiliaries that say what ought to be.
    pub duties: HashSet<String>,
    /// Verbs that say so with an infinitive.
    pub duty_verbs: HashSet<String>,
    /// Auxiliaries that say what is allowed.
    pub permissions: HashSet<String>,
    /// Marks of conditions that who makes them wants met: unless, until.
    pub conditions: HashSet<String>,
    /// Roles of who makes a condition.
    pub condition_holders: Vec<String>,
    /// Words of questions that reproach: who, what, why.
    pub reproachful: HashSet<String>,
    /// Verbs of asking.
    pub asking: HashSet<String>,
    /// Auxiliaries of what would be.
    pub suppositions: HashSet<String>,
    /// Prepositions of who is not there: without.
    pub lacking: HashSet<String>,
    /// Words before a force that say there is less of it: no, fewer.
    pub lessening: HashSet<String>,
    /// Words for next to nobody.
    pub few: HashSet<String>,
    /// Nouns of documents that let forces come and stay.
    pub documents: HashSet<String>,
    /// Nouns of how somebody sees something: "in the view of the minister".
    pub views: HashSet<String>,
    /// Words that deny two judgements at once: neither.
    pub neither: HashSet<String>,
    /// Verbs with a word behind them that keep a judgement back: stop short.
    pub withholding: HashSet<String>,
    /// Marks of comparisons: than.
    pub comparing: HashSet<String>,
    /// Verbs that turn round the judgement that is their object: dismiss, lift.
    pub dispelling: HashSet<String>,
    /// Prepositions of opposing: against.
    pub opposing: HashSet<String>,
    /// Verbs of feeling at an occasion: 1 glad of it, -1 sorry or afraid.
    pub reactions: HashMap<String, i32>,
    /// Marks of occasions besides the grammar's.
    pub occasions: HashSet<String>,
    /// Adverbs that say whether what is wanted, sent or asked comes (1) or goes (-1).
    pub directions: HashMap<String, i32>,
    /// Nouns of people who are no office and no nationality.
    pub people: HashSet<String>,
    /// Nouns of civil society.
    pub civil_society: HashSet<String>,
    /// Nouns of the press.
    pub press: HashSet<String>,
    /// Nouns of opposition.
    pub opposition: HashSet<String>,
    /// Nouns of a state's officials.
    pub officials: HashSet<String>,
    /// Nouns of soldiers and their staffs.
    pub soldiers: HashSet<String>,
    /// Nouns of armed groups.
    pub fighters: HashSet<String>,
    /// Nouns of bodies of many states.
    pub international: HashSet<String>,
    /// Nouns of single people who speak for nobody else.
    pub persons: HashSet<String>,
    /// Nouns of who speaks for others, whose kind counts.
    pub spokesmen: HashSet<String>,
    /// Adjectives of who no longer holds an office.
    pub past: HashSet<String>,
    /// Adjectives of who governs: the ruling party.
    pub governing: HashSet<String>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "listed")]
    word: Vec<String>,
    pos: char,
    #[serde(deserialize_with = "listed")]
    holder: Vec<String>,
    #[serde(deserialize_with = "listed")]
    force: Vec<String>,
    polarity: i32,
    intensity: i32,
    negated: String,
    basis: String,
    example: String,
}

impl Words {
    pub(crate) fn load(reader: &mut Reader, code: &str) -> Self {
        let file = format!("languages/{code}/stances.tsv");
        let mut words = Self {
            senses: HashMap::new(),
            examples: Vec::new(),
            lists: reader.toml(&format!("languages/{code}/stances.toml")),
        };
        for Line { number, row } in reader.table::<Row>(&file) {
            let pos = row.pos;
            words
                .examples
                .extend(Some(row.example.clone()).filter(|example| !example.is_empty()));
            match sense(&row, number) {
                Ok(sense) => {
                    for word in row.word {
                        words.senses.entry((pos, word)).or_default().push(sense.clone());
                    }
                }
                Err(message) => reader.fault(&file, Some(number), message),
            }
        }
        words
    }

    /// The senses of a predicate; `part` is `v`, `a` or `n`.
    pub(super) fn of(&self, part: char, lemma: &str) -> &[Sense] {
        // The key is owned, and lookups are few: only predicates of sentences past the gate.
        self.senses
            .get(&(part, lemma.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    /// How many senses there are.
    pub fn len(&self) -> usize {
        self.senses.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.senses.is_empty()
    }

    /// Whose a force is that is named by a noun, where nothing else tells.
    pub fn usual_home(&self, lemma: &str) -> Option<Code> {
        self.lists.homes.get(lemma).map(|code| Code::new(code))
    }

    /// The kind of force that a noun names beside the name of a home.
    pub fn assumed(&self, lemma: &str) -> Option<ForceKind> {
        self.lists.assumed.get(lemma).copied()
    }

    /// Whether a word of a part of speech judges.
    pub(super) fn is_known(&self, part: char, lemma: &str) -> bool {
        self.senses.contains_key(&(part, lemma.to_owned()))
    }
}

fn sense(row: &Row, number: u64) -> Result<Sense, String> {
    if !(-1..=1).contains(&row.polarity) || !(0..=3).contains(&row.intensity) || !"van".contains(row.pos) {
        return Err("pos is v, a or n; polarity -1 to 1; intensity 0 to 3".to_owned());
    }
    let negated = match row.negated.as_str() {
        "" => None,
        word => Some(
            word.parse()
                .map_err(|_| format!("column `negated` is -1, 0, 1 or empty, not `{word}`"))?,
        ),
    };
    let basis = match row.basis.as_str() {
        "" | "statement" => StanceBasis::Statement,
        "action" => StanceBasis::Action,
        "protest" => StanceBasis::Protest,
        word => {
            return Err(format!(
                "column `basis` is statement, action or protest, not `{word}`"
            ));
        }
    };
    Ok(Sense {
        holder: row.holder.clone(),
        force: row.force.clone(),
        polarity: row.polarity,
        intensity: row.intensity,
        negated,
        basis,
        rule: format!("stance:{number}"),
    })
}
