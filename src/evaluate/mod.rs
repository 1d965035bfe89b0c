//! `garrison evaluate TASK GOLD`: labelled data in, figures out, one prediction per record for whoever scores again.
//!
//! No evaluator reads a label before it has predicted.

pub mod articles;
pub mod duplicates;
mod findings;
pub mod language;
pub mod names;
pub mod parse;
pub mod sentences;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::dedup;
use crate::knowledge::{Knowledge, Language};
use crate::train::conllu;

/// What can be measured; the forms of gold and predictions are in the README.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Tags and arcs against a treebank.
    Parse,
    /// Names against token TAB tag.
    Names,
    /// Where sentences end.
    Sentences,
    /// Language of a text.
    Language,
    /// Main text and metadata of web pages.
    Articles,
    /// Clusters of near-duplicates.
    Duplicates,
    /// Type of the event between two marked actors.
    EventTypes,
    /// Events from raw text.
    Events,
    /// Sentiment toward a given target.
    Sentiment,
    /// Stances and survey findings from raw text.
    Stances,
}

/// Compares the labelled duplicates, in a work folder of their own.
fn compared(gold: &Path, out: &mut dyn Write) -> Result<String> {
    let work = std::env::temp_dir().join(format!("garrison-evaluate-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let options = dedup::Options {
        memory_bytes: DEDUP_MEMORY_BYTES,
        work: &work,
        window_days: None,
    };
    let score = duplicates::evaluate_file(gold, &options, out);
    std::fs::remove_dir_all(&work)?;
    Ok(format!("{}\n", score?))
}

/// Memory for the comparison of the labelled duplicates.
const DEDUP_MEMORY_BYTES: usize = 1 << 30;

/// Measures a task and gives the figures as a page.
///
/// # Errors
/// The gold cannot be read or is not of the task's form.
pub fn run(
    task: Task,
    gold: &Path,
    predictions: Option<&Path>,
    raw: bool,
    load: impl FnOnce() -> Result<Knowledge>,
) -> Result<String> {
    let mut out: Box<dyn Write> = match predictions {
        Some(path) => Box::new(BufWriter::new(
            File::create(path).with_context(|| format!("{} cannot be made", path.display()))?,
        )),
        None => Box::new(std::io::sink()),
    };
    if task == Task::Duplicates {
        return compared(gold, &mut out);
    }
    let knowledge = &load()?;
    let page = match task {
        Task::Parse => evaluate_parse(gold, raw, &mut out, language_of(knowledge)?)?,
        Task::Names => {
            let sentences = conllu::read_names(gold)?;
            let reader = &language_of(knowledge)?.reader;
            format!(
                "{}\n",
                names::evaluate(reader, &knowledge.gazetteer, &sentences, &mut out)?
            )
        }
        Task::Sentences => evaluate_sentences(gold, &mut out, knowledge)?,
        Task::Language => evaluate_language(gold, &mut out, knowledge)?,
        Task::Articles => {
            drop(out);
            articles::evaluate(gold, predictions, &knowledge.normalization.pages)?;
            return Ok(String::new());
        }
        Task::Duplicates => unreachable!("answered above, since it needs no knowledge"),
        Task::EventTypes => findings::event_types(gold, &mut out, knowledge)?,
        Task::Events => findings::events(gold, &mut out, knowledge)?,
        Task::Sentiment => findings::sentiment(gold, &mut out, knowledge)?,
        Task::Stances => findings::stances(gold, &mut out, knowledge)?,
    };
    out.flush()?;
    Ok(page)
}

fn evaluate_parse(gold: &Path, raw: bool, out: &mut dyn Write, language: &Language) -> Result<String> {
    let sentences = conllu::read(gold)?;
    let (model, rules) = (&language.reader.model, &language.reader.rules);
    let figures = sentences
        .par_chunks(100)
        .map(|part| {
            if raw {
                parse::score_raw(model, rules, part)
            } else {
                parse::score(model, part)
            }
        })
        .reduce(parse::Figures::default, parse::Figures::plus);
    let mut scratch = crate::text::Scratch::default();
    for sentence in &sentences {
        let mut tokens = Vec::new();
        let text = if raw { &sentence.source } else { &sentence.text };
        if raw {
            rules.tokenize(text, 0..text.len(), &mut tokens);
        } else {
            tokens.clone_from(&sentence.tokens);
        }
        let whole = 0..tokens.len();
        let annotations = model
            .annotate(text, &tokens, std::slice::from_ref(&whole), &mut scratch)
            .to_vec();
        writeln!(out, "{}", parse::to_conllu(model, text, &tokens, &annotations))?;
    }
    Ok(format!("{figures}\n"))
}

/// The language in which labelled text is read: the first that knowledge has.
fn language_of(knowledge: &Knowledge) -> Result<&Language> {
    let codes = knowledge.languages.keys();
    let first = codes.min().and_then(|code| knowledge.language(code));
    first.context("the knowledge has no language")
}

/// The language of a file of golden rules stands at the end of its name: `golden_fr.jsonl`.
fn evaluate_sentences(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let stem = gold
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let code = stem.rsplit('_').next().filter(|code| code.len() == 2);
    let code = code.map_or_else(
        || Ok(language_of(knowledge)?.code.as_str()),
        Ok::<_, anyhow::Error>,
    )?;
    let rules = knowledge.normalization.sentence_rules(code);
    let file = BufReader::new(File::open(gold).with_context(|| gold.display().to_string())?);
    let figures = sentences::evaluate(file, rules, &mut &mut *out)?;
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    Ok(format!(
        "{code}: {} items, exact {:.4}, sentences P {:.4} R {:.4}\n",
        figures.items,
        share(figures.exact, figures.items),
        share(figures.correct, figures.predicted),
        share(figures.correct, figures.gold)
    ))
}

fn evaluate_language(gold: &Path, out: &mut dyn Write, knowledge: &Knowledge) -> Result<String> {
    let file = BufReader::new(File::open(gold).with_context(|| gold.display().to_string())?);
    let figures = language::evaluate(file, &knowledge.normalization.languages, &mut &mut *out)?;
    let mut page = String::new();
    for ((language, source), figures) in figures {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "{language:<5} {source:<20} {figures:?}");
    }
    Ok(page)
}
