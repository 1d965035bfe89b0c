//! Predicates and what they mean: `events.toml` and `languages/<code>/predicates/*.tsv`.
//!
//! A frame is one line: which predicates, which participants they need, and what event that is.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;

use super::source::{Line, Reader, listed};
use crate::tables::{Code, EventType, ForceKind, Quad};

/// What is known of an event type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeFacts {
    /// Its quad class.
    pub quad: Quad,
    /// Its intensity, -10 to 10.
    pub intensity: f32,
    /// The CAMEO code where a frame names none.
    pub cameo: String,
}

/// What is known of a force event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceEventFacts {
    /// Force events of one family may be tellings of one happening.
    pub family: String,
    /// What the doing says about the doer's view of the force: -1, 0 or 1.
    pub stance: i32,
    /// The type while it is not yet under way.
    pub planned: Option<EventType>,
    /// The CAMEO code of that type.
    pub planned_cameo: Option<String>,
    /// Whether it is one between two states even where no force is named, as an agreement is.
    #[serde(default)]
    pub between_states: bool,
    /// Another force event where the force is of a kind.
    #[serde(default)]
    pub kinds: BTreeMap<ForceKind, String>,
}

/// The force events of a type by the role the force has in it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForceRoles {
    /// Where the force acts.
    pub source: Option<String>,
    /// Where it is acted upon.
    pub target: Option<String>,
}

/// `events.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypes {
    /// Facts by type.
    pub types: BTreeMap<EventType, TypeFacts>,
    /// What an event of a type is to a force in one of its roles.
    #[serde(default)]
    pub force_roles: BTreeMap<EventType, ForceRoles>,
    /// Facts by force event.
    pub force_events: BTreeMap<String, ForceEventFacts>,
}

impl EventTypes {
    /// The family of a force event; its own name where it has none.
    pub fn family(&self, name: &str) -> String {
        self.force_events
            .get(name)
            .map_or_else(|| name.to_owned(), |facts| facts.family.clone())
    }
}

/// The frames of a language, by predicate.
#[derive(Debug, Default)]
pub struct Frames {
    /// Frames of a part of speech and lemma, those with most needs first.
    frames: HashMap<(Part, String), Vec<Frame>>,
    nouns: HashSet<String>,
}

/// Part of speech of a predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Verb.
    Verb,
    /// Noun.
    Noun,
    /// Adjective.
    Adjective,
}

/// One sense of a predicate.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Conditions on participants; all must hold.
    pub needs: Vec<Need>,
    /// The event's type; `None` for what befalls a force.
    pub event_type: Option<EventType>,
    /// The mode within the type.
    pub mode: Option<Code>,
    /// The context.
    pub context: Option<Code>,
    /// CAMEO code.
    pub cameo: Option<Code>,
    /// Roles of who acts, in order of preference.
    pub source: Vec<Role>,
    /// Roles of who is acted upon, in order of preference.
    pub target: Vec<Role>,
    /// What happens to a force.
    pub force_event: Option<Code>,
    /// The type the predicate has when it is negated: who does not agree rejects.
    pub negated: Option<EventType>,
    /// Name of the rule, for the tables: file and line.
    pub rule: String,
}

impl Frame {
    /// Whether a country named among its needs stands for the country's force: "the US withdrawal".
    pub fn takes_country_for_force(&self) -> bool {
        self.force_event.is_some()
            && self
                .needs
                .iter()
                .any(|need| need.test == Test::Kind(Kind::Country))
    }
}

/// A condition on participants.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Any of these may meet it.
    pub roles: Vec<Path>,
    /// What is asked of the participant.
    pub test: Test,
}

/// From a predicate to a participant: `obj`, or over a participant to its own: `comp.obj`.
pub type Path = Vec<String>;

/// A role that fills source or target, perhaps only if the participant is of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Where the participant stands; several, any of them.
    pub paths: Vec<Path>,
    /// What it must be.
    pub kind: Option<Kind>,
}

/// What a condition asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// There is such a participant.
    Exists,
    /// Its head has one of these lemmas.
    Lemma(HashSet<String>),
    /// One of these lemmas stands in its phrase.
    Contains(HashSet<String>),
    /// It is of a kind.
    Kind(Kind),
}

/// Kinds of participants that frames ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any actor that knowledge or grammar can name.
    Actor,
    /// A country or who stands for it.
    Country,
    /// A force outside its home, or one whose home is not known.
    Force,
    /// A force of one kind.
    ForceOf(ForceKind),
    /// The presence, deployment, conduct of a force.
    Presence,
    /// Soldiers of any country.
    Military,
    /// Civilians: a population, protesters, residents.
    People,
    /// An armed group.
    ArmedGroup,
}

#[derive(Deserialize)]
struct FrameRow {
    #[serde(deserialize_with = "listed")]
    predicate: Vec<String>,
    pos: String,
    needs: String,
    #[serde(rename = "type")]
    event_type: String,
    mode: String,
    context: String,
    cameo: String,
    source: String,
    target: String,
    force_event: String,
    #[serde(default)]
    negated: String,
    example: String,
}

/// Stands before an example that is known to be misread.
const MISREAD: &str = "? ";

/// An example sentence of a frame, for `garrison check`.
#[derive(Debug, Clone)]
pub struct Example {
    /// The file under `knowledge/`.
    pub file: String,
    /// The line of the frame.
    pub line: u64,
    /// The sentence.
    pub text: String,
    /// Whether it is known that the sentence is not yet read as it should be: it is written with `? ` before it.
    pub is_misread: bool,
    /// The type it must be coded as.
    pub event_type: Option<EventType>,
    /// The force event it must be coded as.
    pub force_event: Option<Code>,
}

impl Frames {
    /// The frames of a predicate.
    pub fn of(&self, part: Part, lemma: &str) -> &[Frame] {
        // The key is owned, and lookups are few: only predicates of sentences past the gate.
        self.frames
            .get(&(part, lemma.to_owned()))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether a noun names a happening.
    pub fn is_event_noun(&self, lemma: &str) -> bool {
        self.nouns.contains(lemma)
    }

    /// How many senses there are: predicates times the frames they have.
    pub fn senses(&self) -> usize {
        self.frames.values().map(Vec::len).sum()
    }
}

/// Loads `events.toml`.
pub(super) fn load_types(reader: &mut Reader) -> EventTypes {
    const FILE: &str = "events.toml";
    let types: EventTypes = reader.toml(FILE);
    if reader.faults.iter().any(|fault| fault.file == FILE) {
        return types;
    }
    for word in EventType::WORDS {
        if EventType::parse(word).is_ok_and(|kind| !types.types.contains_key(&kind)) {
            reader.fault(FILE, None, format!("type {word} is missing under [types]"));
        }
    }
    let in_roles = types
        .force_roles
        .values()
        .flat_map(|roles| [&roles.source, &roles.target]);
    for name in in_roles
        .flatten()
        .filter(|name| !types.force_events.contains_key(*name))
    {
        reader.fault(
            FILE,
            None,
            format!("[force_roles] leads to `{name}`, which is no force event"),
        );
    }
    for (name, facts) in &types.force_events {
        for other in facts
            .kinds
            .values()
            .filter(|other| !types.force_events.contains_key(*other))
        {
            reader.fault(
                FILE,
                None,
                format!("force event `{name}` leads to `{other}`, which is not there"),
            );
        }
    }
    types
}

/// Loads the predicate files of a language.
pub(super) fn load(reader: &mut Reader, code: &str) -> Frames {
    let classes: BTreeMap<String, HashSet<String>> = reader.toml(&format!("languages/{code}/classes.toml"));
    let types = load_types_quietly(reader);
    let mut frames = Frames::default();
    for file in reader.list(&format!("languages/{code}/predicates"), ".tsv") {
        for line in reader.table::<FrameRow>(&file) {
            match frame(&line, &file, &classes, &types) {
                Ok((part, frame)) => {
                    for predicate in line.row.predicate {
                        if part == Part::Noun {
                            frames.nouns.insert(predicate.clone());
                        }
                        frames
                            .frames
                            .entry((part, predicate))
                            .or_default()
                            .push(frame.clone());
                    }
                }
                Err(message) => reader.fault(&file, Some(line.number), message),
            }
        }
    }
    for senses in frames.frames.values_mut() {
        // A stable sort: among equals the order of the files decides.
        senses.sort_by_key(|frame| std::cmp::Reverse(frame.needs.len()));
    }
    frames
}

/// The examples of a language's frames.
pub(super) fn examples(reader: &mut Reader, code: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    for file in reader.list(&format!("languages/{code}/predicates"), ".tsv") {
        for Line { number, row } in reader.table::<FrameRow>(&file) {
            if !row.example.is_empty() {
                examples.push(Example {
                    file: file.clone(),
                    line: number,
                    is_misread: row.example.starts_with(MISREAD),
                    text: row.example.trim_start_matches(MISREAD).to_owned(),
                    event_type: EventType::parse(&row.event_type).ok(),
                    force_event: (!row.force_event.is_empty()).then(|| Code::new(&row.force_event)),
                });
            }
        }
    }
    examples
}

/// `events.toml` without its faults, which [`load_types`] reports.
fn load_types_quietly(reader: &mut Reader) -> EventTypes {
    let faults = reader.faults.len();
    let types = reader.toml("events.toml");
    reader.faults.truncate(faults);
    types
}

type Classes = BTreeMap<String, HashSet<String>>;

fn frame(
    line: &Line<FrameRow>,
    file: &str,
    classes: &Classes,
    types: &EventTypes,
) -> Result<(Part, Frame), String> {
    let row = &line.row;
    let part = match row.pos.as_str() {
        "v" => Part::Verb,
        "n" => Part::Noun,
        "a" => Part::Adjective,
        other => return Err(format!("column `pos` is v, n or a, not `{other}`")),
    };
    let event_type = match row.event_type.as_str() {
        "-" => None,
        word => Some(EventType::parse(word).map_err(|error| error.to_string())?),
    };
    let force_event = (!row.force_event.is_empty()).then(|| Code::new(&row.force_event));
    if let Some(name) = force_event
        .as_ref()
        .filter(|name| !types.force_events.contains_key(name.as_str()))
    {
        return Err(format!("force event `{name}` is not in events.toml"));
    }
    if row.predicate.is_empty() {
        return Err("column `predicate` is empty".to_owned());
    }
    let negated = match row.negated.as_str() {
        "" | "-" => None,
        word => Some(EventType::parse(word).map_err(|error| error.to_string())?),
    };
    let optional = |word: &str| (!word.is_empty()).then(|| Code::new(word));
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".tsv");
    let frame = Frame {
        needs: row
            .needs
            .split_whitespace()
            .map(|need| self::need(need, classes))
            .collect::<Result<_, _>>()?,
        event_type,
        mode: optional(&row.mode),
        context: optional(&row.context),
        cameo: optional(&row.cameo),
        source: roles(&row.source)?,
        target: roles(&row.target)?,
        force_event,
        negated,
        rule: format!("frame:{stem}:{}", line.number),
    };
    Ok((part, frame))
}

fn paths(text: &str) -> Vec<Path> {
    text.split('+')
        .map(|path| path.split('.').map(str::to_owned).collect())
        .collect()
}

fn need(text: &str, classes: &Classes) -> Result<Need, String> {
    let at = text.find(['=', ':', '~']).unwrap_or(text.len());
    let roles = paths(&text[..at]);
    let test = match text.get(at..=at) {
        None => Test::Exists,
        Some(":") => Test::Kind(kind(&text[at + 1..])?),
        Some(sign) => {
            let words = words(&text[at + 1..], classes)?;
            if sign == "=" {
                Test::Lemma(words)
            } else {
                Test::Contains(words)
            }
        }
    };
    Ok(Need { roles, test })
}

fn words(text: &str, classes: &Classes) -> Result<HashSet<String>, String> {
    let mut all = HashSet::new();
    for word in text.split('|') {
        match word.strip_prefix('@') {
            Some(class) => {
                let members = classes.get(class).ok_or_else(|| {
                    let known: Vec<&str> = classes.keys().map(String::as_str).collect();
                    let near = crate::plan::nearest(class, &known).unwrap_or("none is near");
                    format!("no class `@{class}` in classes.toml (nearest: {near})")
                })?;
                all.extend(members.iter().cloned());
            }
            None => {
                all.insert(word.replace('_', " "));
            }
        }
    }
    Ok(all)
}

fn kind(word: &str) -> Result<Kind, String> {
    Ok(match word {
        "actor" => Kind::Actor,
        "country" => Kind::Country,
        "force" => Kind::Force,
        "presence" => Kind::Presence,
        "military" => Kind::Military,
        "people" => Kind::People,
        "armed_group" => Kind::ArmedGroup,
        other => Kind::ForceOf(ForceKind::parse(other).map_err(|_| {
            format!("`{other}` is no kind: actor, country, force, presence, military, people, armed_group or a kind of force")
        })?),
    })
}

fn roles(text: &str) -> Result<Vec<Role>, String> {
    let roles = text.split('|').filter(|role| !role.is_empty());
    roles
        .map(|role| match role.split_once(':') {
            Some((role, word)) => Ok(Role {
                paths: paths(role),
                kind: Some(kind(word)?),
            }),
            None => Ok(Role {
                paths: paths(role),
                kind: None,
            }),
        })
        .collect()
}
