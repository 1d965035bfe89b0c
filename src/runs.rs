//! The runs whose tables an output folder holds, and how they are named.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::{output, report};

/// A page with a line per run, the newest first.
///
/// # Errors
/// The folder holds no runs, or a report is damaged.
pub fn list(folder: &Path) -> Result<String> {
    let current = output::current_run(folder);
    let mut page = String::new();
    for run in output::run_folders(folder)?.into_iter().rev() {
        let report = report::read(&run)?;
        let counts = &report["counts"];
        let mark = if Some(&run) == current.as_ref() { "*" } else { " " };
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "{mark} {}  {} documents, {} events, {} incidents, {} stances  {}",
            report["run_id"].as_str().unwrap_or_default(),
            counts["kept"],
            counts["events"],
            counts["incidents"],
            counts["stances"],
            run.display()
        );
    }
    if page.is_empty() {
        page.push_str("no run has finished\n");
    }
    Ok(page)
}

/// The folder of a run that is named by its folder, its name, or the beginning of its name.
///
/// # Errors
/// No run has that name, or several have; the message lists those there are.
pub fn named(folder: &Path, name: &str) -> Result<PathBuf> {
    let given = Path::new(name);
    if given.join("run.json").exists() {
        return Ok(given.to_owned());
    }
    let runs = output::run_folders(folder)?;
    let name_of = |run: &Path| run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(run) = runs.iter().find(|run| name_of(run) == name) {
        return Ok(run.clone());
    }
    let mut begun = runs.iter().filter(|run| name_of(run).starts_with(name));
    match (begun.next(), begun.next()) {
        (Some(run), None) => Ok(run.clone()),
        _ => {
            let names: Vec<String> = runs.iter().map(|run| name_of(run)).collect();
            bail!(
                "`{name}` names no single run of {}; there are {}",
                folder.display(),
                names.join(", ")
            )
        }
    }
}
