//! What the program knows of the world and of languages: loaded from `knowledge/`, every fault at once.

mod actors;
pub mod frames;
mod gazetteer;
pub mod language;
mod source;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::sentiment::model::Stances;

pub use actors::{Country, Entry, Force, Position, Reading};
pub use frames::{EventTypes, Example};
pub(crate) use gazetteer::stands_alone;
pub use gazetteer::{Found, Gazetteer};
pub use language::Language;
pub use source::{Fault, Line, Reader, Source, listed};

use crate::gate::Gate;
use crate::id;
use crate::normalize;
use crate::tables::Code;

/// Everything that is known.
pub struct Knowledge {
    /// Countries by code.
    pub countries: HashMap<Code, Country>,
    /// Names of actors, forces and places.
    pub gazetteer: Gazetteer,
    /// Event types and force events.
    pub event_types: EventTypes,
    /// Languages that events and sentiment are read in, by code.
    pub languages: HashMap<String, Language>,
    /// What normalization knows: languages to recognise, sentences, pages, agencies.
    pub normalization: normalize::Knowledge,
    /// What opens the way to the parser.
    pub gate: Gate,
    /// Hash of every file that was read.
    pub whole: u128,
    /// Hash of the files by which records become documents.
    pub reading: u128,
    names: HashMap<String, String>,
}

impl Knowledge {
    /// The plain name of a country or organization, or the code itself.
    pub fn name_of(&self, code: &str) -> String {
        self.names.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// The language a document is read in, if garrison reads it.
    pub fn language(&self, code: &str) -> Option<&Language> {
        self.languages.get(code)
    }

    /// Puts other models of stances in place of those of a language, as learning them in steps needs.
    pub(crate) fn teach_stances(&mut self, code: &str, models: Option<Stances>) {
        if let Some(language) = self.languages.get_mut(code) {
            language.judge.stances = models;
        }
    }
}

impl From<Option<PathBuf>> for Source {
    fn from(folder: Option<PathBuf>) -> Self {
        folder.map_or(Self::BuiltIn, Self::Folder)
    }
}

/// Loads the knowledge.
///
/// # Errors
/// Every fault in its files, with file and line.
pub fn load(source: Source) -> Result<Knowledge, Vec<Fault>> {
    let mut reader = Reader::new(source);
    let event_types = frames::load_types(&mut reader);
    let actors = actors::load(&mut reader);
    let mut names: HashMap<String, String> = actors
        .countries
        .values()
        .map(|country| (country.code.to_string(), country.name.clone()))
        .collect();
    for named in actors
        .named
        .iter()
        .filter(|named| named.entry.reading == Reading::Organization)
    {
        names.insert(named.entry.id.clone(), named.entry.name.clone());
    }
    let gazetteer = Gazetteer::build(actors.named, &mut reader);
    let mut languages = HashMap::new();
    for code in readable_languages(&reader) {
        if let Some(language) = language::load(&mut reader, &code) {
            languages.insert(code, language);
        }
    }
    let mut files = std::mem::take(&mut reader.files);
    let normalization = normalize::Knowledge::load(&mut reader);
    let reading = hash_files(&reader.files);
    files.append(&mut reader.files);
    if let Some(normalization) = normalization.filter(|_| reader.faults.is_empty()) {
        let gate = Gate::new(languages.values(), &gazetteer);
        Ok(Knowledge {
            countries: actors.countries,
            gazetteer,
            event_types,
            languages,
            normalization,
            gate,
            whole: hash_files(&files),
            reading,
            names,
        })
    } else {
        reader.faults.sort();
        Err(reader.faults)
    }
}

fn hash_files(files: &BTreeMap<String, u128>) -> u128 {
    let parts: Vec<Vec<u8>> = files
        .iter()
        .flat_map(|(name, hash)| [name.clone().into_bytes(), hash.to_le_bytes().to_vec()])
        .collect();
    id::hash(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Languages with what it takes to read them.
fn readable_languages(reader: &Reader) -> Vec<String> {
    let mut codes = reader.folders("languages");
    codes.retain(|code| {
        !reader
            .list(&format!("languages/{code}/predicates"), ".tsv")
            .is_empty()
    });
    codes
}

/// The example sentences of every frame.
pub fn examples(source: &Source) -> Vec<(String, Example)> {
    let mut reader = Reader::new(source.clone());
    let mut all = Vec::new();
    for code in readable_languages(&reader) {
        let examples = frames::examples(&mut reader, &code);
        all.extend(examples.into_iter().map(|example| (code.clone(), example)));
    }
    all
}
