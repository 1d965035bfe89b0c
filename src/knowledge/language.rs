//! What is known of one language: the word lists behind clauses, modality, attribution, forces and offices.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::frames::{self, Frames};
use super::source::{Line, Reader, listed};
use crate::tables::{ActorKind, ForceKind};
use crate::text;

/// A list of words to look words up in.
pub type Words = HashSet<String>;

/// One language that garrison reads.
pub struct Language {
    /// Its BCP 47 code.
    pub code: String,
    /// Closed word lists of grammar.
    pub grammar: Grammar,
    /// Words that say whether and when an event happens.
    pub modality: Modality,
    /// Words that say who says so.
    pub attribution: Attribution,
    /// Words about forces in general.
    pub forces: Forces,
    /// Nouns for forces, singular and plural.
    pub force_nouns: HashMap<String, ForceNoun>,
    /// Nouns for offices and institutions, singular and plural.
    pub office_nouns: HashMap<String, OfficeNoun>,
    /// Predicates and what they mean.
    pub frames: Frames,
    /// What was learnt about events from marked sentences.
    pub coder: Option<crate::events::model::Model>,
    /// Tokenizer, tagger and parser.
    pub reader: text::Reader,
    /// Dates and numbers.
    pub dates: text::dates::Words,
    /// Numerals and quantities.
    pub quantities: text::quantities::Words,
    /// Words of stance beside the events.
    pub stances: crate::sentiment::Words,
    /// Judging words, and what was learnt about sentiment.
    pub judge: crate::sentiment::model::Judge,
    /// Words of survey findings.
    pub surveys: crate::surveys::Words,
}

/// Closed word lists of grammar: lemmas in lower case, tags as the language's tag set has them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grammar {
    /// Words that turn a clause into its opposite.
    pub negators: Words,
    /// Tags of past participles.
    pub past_participle_tags: Words,
    /// Tags of past forms.
    pub past_tags: Words,
    /// Tags of progressive forms.
    pub progressive_tags: Words,
    /// Tags of relative pronouns.
    pub relative_pronoun_tags: Words,
    /// Verbs whose object does what their infinitive says: "asked the troops to leave".
    pub object_control: Words,
    /// Marks of an infinitive.
    pub infinitive_marks: Words,
    /// Marks of a clause that completes a predicate.
    pub complement_marks: Words,
    /// Prepositions before what something is called: "described as".
    pub naming_prepositions: Words,
    /// Marks of a condition.
    pub conditional_marks: Words,
    /// Marks of time.
    pub temporal_marks: Words,
    /// Nouns that only measure what follows.
    pub partitives: Words,
    /// Pronouns of the third person.
    pub third_person_pronouns: Words,
    /// Those of them that stand for several.
    pub plural_pronouns: Words,
    /// Possessive pronouns of the third person.
    pub possessive_pronouns: Words,
    /// Articles of what is told of as known.
    pub definite_articles: Words,
    /// Pronouns of the first person.
    pub first_person_pronouns: Words,
}

/// Words that say whether and when an event happens.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Modality {
    pub planned_auxiliaries: Words,
    pub hypothetical_auxiliaries: Words,
    pub requested_auxiliaries: Words,
    pub planning: Words,
    pub requesting: Words,
    pub supposing: Words,
    pub failing: Words,
    pub beginning: Words,
    pub finishing: Words,
    pub suspending: Words,
    pub cancelling: Words,
    pub denying: Words,
    pub agreeing: Words,
    pub announcing: Words,
    pub hedges: Words,
}

/// Words that say who says so.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Attribution {
    pub speech_verbs: Words,
    pub source_prepositions: Words,
    pub source_nouns: Words,
}

/// Words about forces in general.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Forces {
    pub foreign_adjectives: Words,
    pub presence_nouns: Words,
    pub host_prepositions: Words,
    pub home_prepositions: Words,
    pub owner_prepositions: Words,
    pub office_prepositions: Words,
    pub doer_prepositions: Words,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageFile {
    name: String,
    grammar: Grammar,
    modality: Modality,
    attribution: Attribution,
    forces: Forces,
}

/// A noun for a force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForceNoun {
    /// What kind of force it names.
    pub kind: ForceKind,
    /// Whether it names a force without a word for its home beside it.
    pub alone: bool,
    /// Whether the word alone shows that a text tells of soldiers; "unit" and "mission" do not.
    pub military: bool,
}

/// A noun for an office or institution.
#[derive(Debug, Clone, PartialEq)]
pub struct OfficeNoun {
    /// What kind of actor holds it.
    pub kind: ActorKind,
    /// Whether holders are told apart from the government: opposition, civil society.
    pub office: String,
    /// The kind as the knowledge file has it.
    pub word: String,
}

#[derive(Deserialize)]
struct ForceNounRow {
    word: String,
    plural: String,
    kind: ForceKind,
    alone: String,
    military: String,
}

#[derive(Deserialize)]
struct OfficeNounRow {
    word: String,
    plural: String,
    kind: String,
    office: String,
}

#[derive(Deserialize)]
struct NameWordsRow {
    kind: String,
    #[serde(deserialize_with = "listed")]
    words: Vec<String>,
}

/// Loads `knowledge/languages/<code>`.
///
/// `None` where the model or the tokenizer's rules cannot be read, which is then a fault.
pub(super) fn load(reader: &mut Reader, code: &str) -> Option<Language> {
    let at = |name: &str| format!("languages/{code}/{name}");
    let file: LanguageFile = reader.toml(&at("language.toml"));
    if file.name.is_empty() && reader.faults.is_empty() {
        reader.fault(&at("language.toml"), None, "`name` is empty".to_owned());
    }
    let dates: text::dates::Words = reader.toml(&at("dates.toml"));
    let sentences = sentence_reader(reader, code, dates.times())?;
    Some(Language {
        code: code.to_owned(),
        grammar: file.grammar,
        modality: file.modality,
        attribution: file.attribution,
        forces: file.forces,
        force_nouns: force_nouns(reader, &at("forces.tsv")),
        office_nouns: office_nouns(reader, &at("offices.tsv")),
        frames: frames::load(reader, code),
        coder: coder(reader, &at("events.model")),
        reader: sentences,
        dates,
        quantities: reader.toml(&at("quantities.toml")),
        stances: crate::sentiment::Words::load(reader, code),
        judge: crate::sentiment::model::Judge::load(reader, code),
        surveys: crate::surveys::Words::load(reader, code),
    })
}

/// The learnt part of the coder of events, where the language has one.
fn coder(reader: &mut Reader, file: &str) -> Option<crate::events::model::Model> {
    if !reader.has(file) {
        return None;
    }
    let bytes = reader.bytes(file);
    crate::events::model::Model::from_bytes(&bytes)
        .map_err(|error| reader.fault(file, None, format!("{error:#}; `garrison train events` makes it")))
        .ok()
}

fn force_nouns(reader: &mut Reader, file: &str) -> HashMap<String, ForceNoun> {
    let mut nouns = HashMap::new();
    for Line { number, row } in reader.table::<ForceNounRow>(file) {
        for (column, value) in [("alone", &row.alone), ("military", &row.military)] {
            if !["yes", "no"].contains(&value.as_str()) {
                let fault = format!("column `{column}` is yes or no, not `{value}`");
                reader.fault(file, Some(number), fault);
            }
        }
        let noun = ForceNoun {
            kind: row.kind,
            alone: row.alone == "yes",
            military: row.military == "yes",
        };
        if nouns.insert(row.word.clone(), noun).is_some() {
            reader.fault(file, Some(number), format!("`{}` stands twice", row.word));
        }
        nouns.insert(row.plural, noun);
    }
    nouns
}

fn office_nouns(reader: &mut Reader, file: &str) -> HashMap<String, OfficeNoun> {
    let mut nouns = HashMap::new();
    for Line { number, row } in reader.table::<OfficeNounRow>(file) {
        let Some(kind) = super::actors::actor_kind(&row.kind) else {
            reader.fault(file, Some(number), format!("`{}` is no kind of actor", row.kind));
            continue;
        };
        let noun = OfficeNoun {
            kind,
            office: row.office,
            word: row.kind,
        };
        for form in [row.word, row.plural] {
            if !form.is_empty() {
                nouns.insert(form, noun.clone());
            }
        }
    }
    nouns
}

fn sentence_reader(reader: &mut Reader, code: &str, times: HashSet<String>) -> Option<text::Reader> {
    let rules = format!("languages/{code}/tokens.toml");
    let words = reader.text(&rules);
    let words = text::tokens::Rules::from_toml(&words)
        .map_err(|error| reader.fault(&rules, None, format!("{error:#}")));
    let file = format!("languages/{code}/reader.model");
    let bytes = reader.bytes(&file);
    let model = text::Model::load(&bytes)
        .map_err(|error| reader.fault(&file, None, format!("{error:#}; `garrison train` makes it")));
    Some(text::Reader {
        rules: words.ok()?,
        model: model.ok()?,
        lists: name_lists(reader, &format!("languages/{code}/names.tsv")),
        names: names(reader, &format!("languages/{code}/names.model")),
        times,
    })
}

/// Words that tell of names, where the language has a list of them.
fn name_lists(reader: &mut Reader, file: &str) -> text::names::Lists {
    if !reader.has(file) {
        return text::names::Lists::default();
    }
    let rows = reader.table::<NameWordsRow>(file);
    let words = rows.iter().flat_map(|line| {
        line.row
            .words
            .iter()
            .map(|word| (line.row.kind.as_str(), word.as_str()))
    });
    text::names::Lists::new(words)
}

/// What was learnt of names, where the language has it.
fn names(reader: &mut Reader, file: &str) -> Option<text::names::Tagger> {
    if !reader.has(file) {
        return None;
    }
    let model = crate::linear::Linear::from_bytes(&reader.bytes(file)).and_then(text::names::Tagger::new);
    model
        .map_err(|error| reader.fault(file, None, format!("{error:#}; `garrison train names` makes it")))
        .ok()
}
