//! `garrison plan`: what would a run do? Files, bytes, units new and kept, the time from a sample, the disk.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Result;
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use rayon::prelude::*;

use crate::input::{self, Batch, Fault};
use crate::kept::{Kept, Settings, Task};
use crate::knowledge::Knowledge;
use crate::plan::Plan;
use crate::tables::Document;
use crate::{disk, document, extract, inputs, objects, parts, report};

/// Documents of the sample that are read for what they say.
const EXTRACTED: usize = 256;

/// The page of `garrison plan`. Nothing is written.
///
/// # Errors
/// The input cannot be found.
pub fn page(plan: &Plan, knowledge: &Knowledge) -> Result<String> {
    let settings = Settings::of(plan, knowledge)?;
    let kept = Kept::look(&plan.output, settings);
    let inputs = inputs::look(plan, &plan.output)?;
    let tasks = kept.units(&inputs.files, plan.unit_bytes)?;
    let new: Vec<&Task> = tasks.iter().filter(|task| !kept.has_parts(task)).collect();
    let bytes = |tasks: &[&Task]| HumanBytes(tasks.iter().map(|task| task.unit.bytes).sum());
    let all: Vec<&Task> = tasks.iter().collect();
    let mut page = String::new();
    // Writing to a string cannot fail.
    let mut line = |label: &str, value: String| {
        let _ = writeln!(page, "{label:>11}  {value}");
    };
    line(
        "reads",
        format!("{} files, {}", HumanCount(inputs.files.len() as u64), bytes(&all)),
    );
    for fault in &inputs.faults {
        line("unreadable", format!("{}: {}", fault.input_path, fault.detail));
    }
    line(
        "units",
        format!(
            "{} to read ({}), {} kept by earlier runs",
            HumanCount(new.len() as u64),
            bytes(&new),
            HumanCount((tasks.len() - new.len()) as u64)
        ),
    );
    if report::is_same(&plan.output, &inputs, &settings)? {
        line(
            "makes",
            "nothing: inputs, plan, knowledge and program are those of the last run".into(),
        );
        return Ok(page);
    }
    if let Some(sample) = Sample::take(&new, plan, knowledge)? {
        line("sample", sample.told());
        let seconds = sample.seconds_for(new.iter().map(|task| task.unit.bytes).sum());
        let duration = HumanDuration(std::time::Duration::from_secs_f64(seconds));
        let threads = rayon::current_num_threads();
        line(
            "takes",
            format!("about {duration} with {threads} threads, the barriers not counted"),
        );
    }
    let (needed, free) = (disk::needed(&plan.output, &new), disk::free(&plan.output)?);
    line(
        "disk",
        format!("about {} of {} free", HumanBytes(needed), HumanBytes(free)),
    );
    line("writes", plan.output.display().to_string());
    Ok(page)
}

/// The first batches of the unit in the middle, read and timed.
struct Sample {
    input_bytes: u64,
    records: u64,
    documents: u64,
    read_seconds: f64,
    /// Per document.
    extract_seconds: f64,
}

impl Sample {
    fn take(new: &[&Task], plan: &Plan, knowledge: &Knowledge) -> Result<Option<Self>> {
        let middle = new.get(new.len() / 2);
        // What comes through a pipe or a network is not taken from the run that will want it.
        let is_at_hand = |task: &&&Task| {
            let pieces = &task.unit.pieces;
            !pieces
                .iter()
                .any(|piece| piece.file.is_stdin() || objects::is_address(&piece.file.shown))
        };
        let Some(task) = middle.filter(is_at_hand) else {
            return Ok(None);
        };
        let (mut bytes, mut records, mut documents) = (0, 0, Vec::new());
        let start = Instant::now();
        input::read(&task.unit, &parts::read_options(plan)?, &mut |batch: Batch| {
            let read = |record| document::read(record, &batch.input_path, &plan.documents, knowledge, "");
            let outcomes: Vec<Result<Document, Fault>> = (0..batch.len())
                .into_par_iter()
                .map(|record| batch.parse(record).and_then(&read))
                .collect();
            bytes += batch.bytes;
            records += batch.len() as u64;
            documents.extend(outcomes.into_iter().flatten());
            match documents.len() < EXTRACTED {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        let read_seconds = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let some = &documents[..documents.len().min(EXTRACTED)];
        if let Some(wanted) = &plan.extract {
            some.par_iter().for_each(|document| {
                extract::read(document, knowledge, wanted.scope);
            });
        }
        Ok(Some(Self {
            input_bytes: bytes,
            records,
            documents: documents.len() as u64,
            read_seconds,
            extract_seconds: start.elapsed().as_secs_f64() / some.len().max(1) as f64,
        }))
    }

    fn told(&self) -> String {
        format!(
            "{} records, {} articles, in {}: read in {:.2} s, extracted at {:.0} a second",
            HumanCount(self.records),
            HumanCount(self.documents),
            HumanBytes(self.input_bytes),
            self.read_seconds,
            1.0 / self.extract_seconds.max(1e-9)
        )
    }

    fn seconds_for(&self, bytes: u64) -> f64 {
        let per_byte = self.read_seconds + self.documents as f64 * self.extract_seconds;
        per_byte * bytes as f64 / self.input_bytes.max(1) as f64
    }
}
