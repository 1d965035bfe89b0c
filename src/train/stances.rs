//! Learns who stands how toward which force: from sentences with holder, force and label of each stance.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde::Deserialize;

use super::linear::{self, Example, Settings};
use crate::events::Context;
use crate::events::features::{Place, Sentence};
use crate::extract;
use crate::knowledge::{Knowledge, Language};
use crate::linear::Linear;
use crate::plan::Scope;
use crate::sentiment::model::Stances;
use crate::sentiment::{Candidate, homes, kinds, pairs};
use crate::tables::{Code, Document, HolderKind};

/// A sentence, or a few, and the stances in it.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    /// The sentence.
    pub text: String,
    /// Its stances; narration is one of nobody.
    pub sentiment: Vec<Stance>,
}

/// A stance as annotated.
#[derive(Debug, Clone, Deserialize)]
pub struct Stance {
    /// The words of the holder, or `narrator`.
    pub holder: Option<String>,
    /// The kind of the holder.
    pub holder_kind: Option<String>,
    /// The words of the force.
    pub force_name: Option<String>,
    /// Who fields the force: ISO 3166 or the code of an organization.
    pub force_home: Option<String>,
    /// `negative`, `neutral` or `positive`.
    pub label: String,
}

/// Few passes and small steps, for the sentences are few; what is seen in fewer than three pairs says nothing.
const SETTINGS: Settings = Settings {
    epochs: 12,
    rate: 0.2,
    decay: 2e-5,
    sightings: 3,
};

/// Learns the five models from files and writes them; tells from how much. The pairs are learnt with the forces that
/// the other models find.
///
/// # Errors
/// A file cannot be read or a line is no such record, with file and line; the models cannot be written.
pub fn make(from: &[PathBuf], to: &Path, mut knowledge: Knowledge, code: &str) -> Result<String> {
    let told: Vec<Told> = super::each_line(from, |line| Ok(vec![serde_json::from_str(line)?]))?;
    knowledge.teach_stances(code, None);
    let language = knowledge.language(code).context("no such language")?;
    let seen: Vec<Forces> = told
        .par_iter()
        .map(|told| force_examples(told, &knowledge, language))
        .collect();
    let all = |part: fn(&Forces) -> &Vec<Example>| seen.iter().flat_map(part).cloned().collect::<Vec<_>>();
    let (homes, forces) = (all(|seen| &seen.homes), all(|seen| &seen.forces));
    let yes_or_no: Vec<String> = homes::CLASSES.iter().map(|class| (*class).to_owned()).collect();
    let empty = || Linear::new(Vec::new(), Vec::new(), &[]);
    let mut models = Stances {
        pairs: empty(),
        frames: empty(),
        homes: linear::train(&homes, &yes_or_no, SETTINGS),
        forces: linear::train(&forces, &yes_or_no, SETTINGS),
        kinds: empty(),
    };
    knowledge.teach_stances(code, Some(models.clone()));
    let language = knowledge.language(code).context("no such language")?;
    let mut seen: Vec<Holders> = told
        .par_iter()
        .map(|told| holder_examples(told, &knowledge, language))
        .collect();
    let examples = language.stances.examples.par_iter();
    let taught: Vec<Holders> = examples.map(|text| taught(text, &knowledge, language)).collect();
    for _ in 0..TAUGHT_TIMES {
        seen.extend(taught.iter().cloned());
    }
    let all = |part: fn(&Holders) -> &Vec<Example>| seen.iter().flat_map(part).cloned().collect::<Vec<_>>();
    let (pairs, frames, kinds) = (
        all(|seen| &seen.pairs),
        all(|seen| &seen.frames),
        all(|seen| &seen.kinds),
    );
    let classes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    models.pairs = linear::train(&pairs, &classes(&pairs::CLASSES), SETTINGS);
    models.frames = linear::train(&frames, &classes(&pairs::CLASSES), SETTINGS);
    models.kinds = linear::train(
        &kinds,
        &classes(&kinds::CLASSES.map(HolderKind::as_str)),
        SETTINGS,
    );
    let bytes = models.to_bytes();
    std::fs::write(to, &bytes).with_context(|| format!("writing {}", to.display()))?;
    Ok(format!(
        "{} sentences: {} pairs of holder and force, {} countries beside forces, {} nationalities, {} holders; {} bytes\n",
        told.len(),
        pairs.len(),
        homes.len(),
        forces.len(),
        kinds.len(),
        bytes.len()
    ))
}

/// What a sentence teaches of its forces.
#[derive(Default)]
struct Forces {
    homes: Vec<Example>,
    forces: Vec<Example>,
}

/// What a sentence teaches of its holders.
#[derive(Default, Clone)]
struct Holders {
    pairs: Vec<Example>,
    frames: Vec<Example>,
    kinds: Vec<Example>,
}

/// The pairs of a sentence, each with its class; pairs of which the annotation may mean either are left out.
fn holder_examples(told: &Told, knowledge: &Knowledge, language: &Language) -> Holders {
    let document = document(&told.text, language);
    let text = extract::annotate(&document, knowledge, language);
    let candidates = extract::stance_candidates(&text, &document, knowledge, language, Scope::Political);
    let labels = labels(told, &candidates);
    let mut seen = Holders::default();
    for (candidate, label) in candidates.into_iter().zip(labels) {
        let Some(label) = label else { continue };
        let class = pairs::CLASSES.iter().position(|class| *class == label.class);
        let example = |features| Example {
            features,
            class: class.unwrap_or(0),
        };
        seen.pairs.push(example(candidate.features));
        seen.frames.extend(candidate.told.map(example));
        let kind = kinds::CLASSES
            .iter()
            .position(|kind| Some(kind.as_str()) == label.kind);
        seen.kinds.extend(kind.map(|class| Example {
            features: candidate.kind,
            class,
        }));
    }
    seen
}

/// How often an example of the lexicon counts: it is plain where other sentences are not.
const TAUGHT_TIMES: usize = 4;

/// What an example of the lexicon teaches: the frames, which are written for it, are right.
fn taught(text: &str, knowledge: &Knowledge, language: &Language) -> Holders {
    let document = document(text, language);
    let text = extract::annotate(&document, knowledge, language);
    let candidates = extract::stance_candidates(&text, &document, knowledge, language, Scope::Political);
    let mut seen = Holders::default();
    for candidate in candidates {
        let class = candidate.told_polarity.map_or(0, pairs::class_of);
        let example = |features| Example { features, class };
        seen.pairs.push(example(candidate.features));
        seen.frames.extend(candidate.told.map(example));
    }
    seen
}

fn document(text: &str, language: &Language) -> Document {
    Document {
        text: text.to_owned(),
        language: Code::new(&language.code),
        ..Document::default()
    }
}

/// What the annotation says of a holder and a force.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Label<'t> {
    class: &'t str,
    kind: Option<&'t str>,
}

/// The label of each candidate, `None` where it cannot be told.
fn labels<'t>(told: &'t Told, candidates: &[Candidate]) -> Vec<Option<Label<'t>>> {
    let nothing = Label {
        class: pairs::NONE,
        kind: None,
    };
    let mut labels = vec![Some(nothing); candidates.len()];
    for stance in &told.sentiment {
        let Some(force) = find(&told.text, stance.force_name.as_deref()) else {
            continue;
        };
        let meant = candidates
            .iter()
            .filter(|candidate| touch(&candidate.force, &force));
        let homes: Vec<&Option<Code>> = meant.map(|candidate| &candidate.home).collect();
        let is_narration = stance.holder.as_deref() == Some("narrator");
        let holder = find(&told.text, stance.holder.as_deref());
        let label = Label {
            class: &stance.label,
            kind: stance.holder_kind.as_deref(),
        };
        for (index, candidate) in candidates.iter().enumerate() {
            let is_meant = touch(&candidate.force, &force);
            if is_narration || !is_meant && !homes.contains(&&candidate.home) {
                continue;
            }
            let is_holder = holder
                .as_ref()
                .is_some_and(|holder| touch(&candidate.holder, holder));
            match (&holder, is_holder, is_meant) {
                // The words of the holder are not in the text, or the force is named twice.
                (None, ..) | (_, true, false) => labels[index] = None,
                (_, true, true) if is_top(candidate, candidates, holder.as_ref()) => {
                    labels[index] = Some(label)
                }
                _ => {}
            }
        }
    }
    labels
}

/// Of several words of a holder, the one nearest to the top of the tree stands for it.
fn is_top(candidate: &Candidate, candidates: &[Candidate], holder: Option<&Range<usize>>) -> bool {
    let same = candidates.iter().filter(|other| {
        other.force == candidate.force && holder.is_some_and(|holder| touch(&other.holder, holder))
    });
    same.min_by_key(|other| (other.depth, other.holder.start))
        .is_some_and(|top| top.holder == candidate.holder)
}

fn find(text: &str, words: Option<&str>) -> Option<Range<usize>> {
    let words = words.filter(|words| !words.is_empty())?;
    let start = text.find(words)?;
    Some(start..start + words.len())
}

fn touch(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Every country beside a force whose own words name none, with whether it is the force's home; and every nationality,
/// with whether it stands for a force.
fn force_examples(told: &Told, knowledge: &Knowledge, language: &Language) -> Forces {
    let document = document(&told.text, language);
    let text = extract::annotate(&document, knowledge, language);
    let clauses = extract::clauses(&text, language);
    let mut actors = crate::mentions::find(&text, &clauses, &document, knowledge, language);
    actors.give_owners(&text);
    let mut seen = Forces::default();
    let context = |sentence| Context::new(&text, sentence, &clauses, &actors, &document, knowledge, language);
    for sentence in 0..text.parsed.len() {
        let context = context(sentence);
        let named = actors.countries_of(sentence);
        let words = Sentence::new(&context);
        let mut add = |place: &Place, home: Option<&str>| {
            seen.homes.extend(
                homes::candidates(&words, place)
                    .into_iter()
                    .map(|(code, features)| Example {
                        features,
                        class: usize::from(home == Some(code.as_str())),
                    }),
            );
        };
        if told.sentiment.is_empty() {
            for (head, _) in actors.forces_without_home(context.parsed, sentence, language) {
                add(&Place::word(head), None);
            }
        }
        for stance in &told.sentiment {
            let force = find(&told.text, stance.force_name.as_deref());
            let place = force.and_then(|force| Place::of(context.parsed, &force));
            let is_nameless = |place: &Place| !named.iter().any(|(word, _)| place.words.contains(word));
            if let Some(place) = place.filter(is_nameless) {
                add(&Place::word(place.head), stance.force_home.as_deref());
            }
        }
    }
    for force in actors.assumable(&text, language) {
        let context = context(force.sentence);
        let word = &context.parsed.words[force.head];
        let is_named = told.sentiment.iter().any(|stance| {
            let name = find(&told.text, stance.force_name.as_deref());
            stance.force_home.as_deref() == Some(force.home.as_str())
                && name.is_some_and(|name| touch(&name, &(word.start..word.end)))
        });
        seen.forces.push(Example {
            features: homes::force_features(&Sentence::new(&context), &force),
            class: usize::from(is_named),
        });
    }
    seen
}
