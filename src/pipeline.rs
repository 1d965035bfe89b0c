//! The flow: news in, tables out, in the order of the work.

use anyhow::Result;

use crate::input;
use crate::knowledge::Knowledge;
use crate::output::Store;
use crate::parts::{self, Part};
use crate::plan::{self, Plan};
use crate::report::{self, Report};
use crate::unit::Driver;

/// Reads, compares, extracts, links and publishes: the whole run.
///
/// # Errors
/// The plan's input cannot be found, the output is locked or full, or the run was interrupted. Faults of single
/// records are no errors: they are rows of `rejects`.
pub fn run(plan: &Plan, knowledge: &Knowledge, driver: &Driver, run_id: &str) -> Result<Report> {
    let store = Store::open(&plan.output, run_id)?;
    let finished = tables(plan, knowledge, driver, &store);
    if finished.is_err() {
        store.abandon();
    }
    finished
}

fn tables(plan: &Plan, knowledge: &Knowledge, driver: &Driver, store: &Store) -> Result<Report> {
    let found_files = input::discover(&plan.input.paths)?;
    let units = input::split(&found_files.files, plan::UNIT_BYTES);

    let ingest = |(number, unit): &(usize, input::Unit), meter: &_| {
        parts::ingest(
            unit,
            &store.work().join(format!("unit-{number}")),
            plan,
            knowledge,
            store.run_id(),
            meter,
        )
    };
    let numbered: Vec<_> = units.into_iter().enumerate().collect();
    let read = driver.each_unit("read", &numbered, |(_, unit)| unit.bytes, ingest)?;
    let mut parts: Vec<Part> = read.into_iter().flatten().collect();

    let duplicates = driver.barrier("compare", || {
        parts::drop_repeated(&mut parts)?;
        parts::compare(&parts, plan, &store.work())
    })?;

    if let Some(wanted) = &plan.extract {
        let copies = parts::copies(&duplicates);
        let extract =
            |part: &Part, meter: &_| parts::extract(part, &copies, wanted, knowledge, store.run_id(), meter);
        let extracted = driver.each_unit("extract", &parts, |part| part.text_bytes, extract)?;
        parts
            .iter_mut()
            .zip(extracted)
            .for_each(|(part, (gate, told))| (part.gate, part.told) = (gate, told));
    }

    let (found, duplicates) = driver.barrier("write", || {
        parts::write_tables(&parts, &found_files.faults, duplicates, plan, knowledge, store)
    })?;
    let report = report::make(
        plan,
        &found_files.files,
        &parts,
        &found,
        &duplicates,
        driver,
        store,
    )?;
    store.publish()?;
    Ok(report)
}
