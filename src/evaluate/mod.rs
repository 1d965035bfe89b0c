//! `garrison evaluate TASK GOLD`: labelled data in, figures out, one prediction per record for whoever scores again.
//!
//! No evaluator reads a label before it has predicted.

pub mod duplicates;
pub mod names;
pub mod parse;

use std::path::Path;

use anyhow::{Result, bail};

use crate::knowledge::Knowledge;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Tags and arcs against a treebank.
    Parse,
}

/// Measures a task and gives the figures as a page.
///
/// # Errors
/// The gold cannot be read or is not of the task's form.
pub fn run(
    task: Task,
    gold: &Path,
    _predictions: Option<&Path>,
    _raw: bool,
    _knowledge: &Knowledge,
) -> Result<String> {
    bail!("{task:?} {}", gold.display())
}
