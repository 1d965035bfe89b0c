//! `garrison check`: everything that is wrong with a pipeline, an input or the knowledge, at once.

use std::fmt::{self, Write};
use std::path::Path;

use anyhow::{Result, bail};

use crate::extract;
use crate::input::{self, FieldNames, Inspection, ReadOptions};
use crate::knowledge::{self, Example, Fault, Knowledge, Source};
use crate::plan::{self, Overrides, Scope};
use crate::tables::Document;

/// Knowledge with faults.
#[derive(Debug)]
pub struct Faulty(pub Vec<Fault>);

impl fmt::Display for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the knowledge has {} faults", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

impl std::error::Error for Faulty {}

/// Checks a pipeline and says what it would do.
///
/// # Errors
/// Every fault of the plan.
pub fn pipeline(path: &Path, inputs: &[String]) -> Result<String> {
    let overrides = Overrides {
        input: inputs.to_vec(),
        ..Overrides::default()
    };
    let plan = plan::read(path, &overrides)?;
    let mut page = format!(
        "{}: good\n  reads    {}\n",
        path.display(),
        plan.input.paths.join(", ")
    );
    let tables = match (&plan.extract, &plan.dedup) {
        (Some(_), _) => {
            "documents, duplicates, rejects, mentions, events, incidents, sentiment, surveys, stance_monthly"
        }
        (None, _) => "documents, duplicates, rejects",
    };
    // Writing to a string cannot fail.
    let _ = writeln!(page, "  makes    {tables}\n  writes   {}", plan.output.display());
    Ok(page + &inputs_with(&plan.input.paths, &plan)?)
}

/// Shows how inputs would be read.
///
/// # Errors
/// A pattern matches nothing.
pub fn inputs(paths: &[String]) -> Result<String> {
    let text = "[output]\nfolder = \"unused\"\n";
    let overrides = Overrides {
        input: paths.to_vec(),
        ..Overrides::default()
    };
    let plan = plan::parse("--input", text, &overrides)?;
    inputs_with(paths, &plan)
}

fn inputs_with(paths: &[String], plan: &plan::Plan) -> Result<String> {
    let fields: Vec<(&str, &str)> = plan
        .input
        .fields
        .iter()
        .map(|(role, name)| (role.as_str(), name.as_str()))
        .collect();
    let options = ReadOptions {
        fields: FieldNames::from_pairs(&fields)?,
        ..ReadOptions::default()
    };
    let found = input::discover(paths)?;
    let mut page = String::new();
    for file in &found.files {
        page.push_str(&inspected(&input::inspect(file, &options)));
    }
    for fault in &found.faults {
        let _ = writeln!(page, "{}: {} ({})", fault.input_path, fault.detail, fault.reason);
    }
    Ok(page)
}

/// How one file is read: format, compression, and which field each part of a document is taken from.
fn inspected(found: &Inspection) -> String {
    let format = found.format.unwrap_or("unknown format");
    let mut page = format!(
        "{}: {format}, {}, {} records looked at\n",
        found.input_path, found.compression, found.records
    );
    for ((role, field), records) in &found.mapping {
        let share = 100.0 * *records as f64 / found.records.max(1) as f64;
        let field = if field.is_empty() { "the format" } else { field };
        let _ = writeln!(page, "  {:<10} from {field:<24} in {share:.0} %", role.as_str());
    }
    for fault in &found.faults {
        let record = fault
            .record
            .map_or(String::new(), |record| format!("record {record}: "));
        let _ = writeln!(page, "  {record}{} ({})", fault.detail, fault.reason);
    }
    page
}

/// Checks the knowledge: its files, and the example sentences of its predicates.
///
/// # Errors
/// Every fault of the files, or every example that is not read as its line says.
pub fn knowledge(source: Source) -> Result<String> {
    let examples = knowledge::examples(&source);
    let knowledge = knowledge::load(source).map_err(Faulty)?;
    let wrong: Vec<String> = examples
        .iter()
        .filter_map(|(language, example)| fault_of(&knowledge, language, example))
        .collect();
    if !wrong.is_empty() {
        bail!(
            "{} of {} examples are not read as their lines say\n  {}",
            wrong.len(),
            examples.len(),
            wrong.join("\n  ")
        );
    }
    let known = examples.iter().filter(|(_, example)| example.is_misread).count();
    let senses: usize = knowledge
        .languages
        .values()
        .map(|language| language.frames.senses())
        .sum();
    Ok(format!(
        "knowledge: good\n  {} countries, {} named actors, forces and places, {senses} senses of predicates, {} of {} examples read as they should be\n",
        knowledge.countries.len(),
        knowledge.gazetteer.entries().len(),
        examples.len() - known,
        examples.len()
    ))
}

/// What is wrong with an example: it is misread, or it is no longer though it is marked so.
fn fault_of(knowledge: &Knowledge, language: &str, example: &Example) -> Option<String> {
    match (misread(knowledge, language, example), example.is_misread) {
        (Some(fault), false) => Some(fault),
        (None, true) => Some(format!(
            "knowledge/{}:{}: `{}` is read right now: take the `? ` before it away",
            example.file, example.line, example.text
        )),
        _ => None,
    }
}

/// What is wrong in the reading of an example, if anything.
fn misread(knowledge: &Knowledge, language: &str, example: &Example) -> Option<String> {
    let language = knowledge.language(language)?;
    let document = Document {
        text: example.text.clone(),
        ..Document::default()
    };
    let text = extract::annotate(&document, knowledge, language);
    let found = extract::find(&text, &document, knowledge, language, Scope::Political);
    let is_right = |event: &crate::tables::Event| match &example.force_event {
        Some(force_event) => event.force_event.as_ref().is_some_and(|coded| {
            let facts = knowledge.event_types.force_events.get(force_event.as_str());
            let by_kind =
                facts.is_some_and(|facts| facts.kinds.values().any(|other| other == coded.as_str()));
            coded == force_event || by_kind
        }),
        None => event.event_type == example.event_type,
    };
    if found.events.iter().any(is_right) {
        return None;
    }
    let coded: Vec<String> = found
        .events
        .iter()
        .map(|event| {
            let kind = event.event_type.map_or("-", |event_type| event_type.as_str());
            format!(
                "{kind} {} by {}",
                event.force_event.as_ref().map_or("", |name| name.as_str()),
                event.rule
            )
        })
        .collect();
    let wanted = example.force_event.as_ref().map_or_else(
        || {
            example
                .event_type
                .map_or("-", |event_type| event_type.as_str())
                .to_owned()
        },
        ToString::to_string,
    );
    let coded = if coded.is_empty() {
        "nothing".to_owned()
    } else {
        coded.join(", ")
    };
    Some(format!(
        "knowledge/{}:{}: `{}` is read as {coded}, not as {wanted}",
        example.file, example.line, example.text
    ))
}
