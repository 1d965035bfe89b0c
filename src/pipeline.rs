//! The flow: news in, tables out, in the order of the work.

use anyhow::Result;

use crate::changes;
use crate::disk;
use crate::findings;
use crate::gather::{self, Totals};
use crate::inputs;
use crate::kept::{Kept, Settings, Task};
use crate::knowledge::Knowledge;
use crate::objects;
use crate::output::Store;
use crate::parts::{self, Part};
use crate::plan::Plan;
use crate::report::{self, Outcome};
use crate::unit::Driver;

/// Reads, compares, extracts, links and publishes: the whole run. What earlier runs have kept is not done again.
///
/// # Errors
/// The plan's input cannot be found, the output is locked or full, or the run was interrupted. Faults of single
/// records are no errors: they are rows of `rejects`.
pub fn run(plan: &Plan, knowledge: &Knowledge, driver: &Driver, run_id: &str) -> Result<Outcome> {
    let store = Store::open(&plan.output, run_id)?.keeping(plan.keep_runs);
    let finished = tables(plan, knowledge, driver, &store);
    store.clear_work();
    if let (Ok(_), Some(address)) = (&finished, &plan.output_address) {
        objects::bring(&plan.output, address, plan.keep_runs)?;
    }
    finished
}

fn tables(plan: &Plan, knowledge: &Knowledge, driver: &Driver, store: &Store) -> Result<Outcome> {
    let settings = Settings::of(plan, knowledge)?;
    let kept = Kept::open(store, settings)?;
    let inputs = inputs::find(plan, store, driver)?;
    if let Some(last) = report::of_same(store, &inputs, &settings)? {
        return Ok(Outcome::NothingNew(last));
    }

    let tasks = kept.units(&inputs.files, plan.unit_bytes)?;
    let new: Vec<&Task> = tasks.iter().filter(|task| !kept.has_parts(task)).collect();
    disk::check(&plan.output, &new)?;
    let ingest = |task: &Task, meter: &_| {
        kept.keep_parts(task, |folder| {
            let _objects = objects::stage(&task.unit)?;
            parts::ingest(&task.unit, folder, plan, knowledge, meter)
        })
    };
    let read = driver.each_unit(
        "read",
        &tasks,
        Task::name_and_bytes,
        |task| kept.parts(task),
        ingest,
    )?;
    let mut parts: Vec<Part> = read.into_iter().flatten().collect();

    let (mut totals, work) = (Totals::default(), store.work());
    let mut rejects = gather::reject_sorter(&work, plan);
    let copies = driver.barrier("compare", || {
        gather::leave_out_repeated(&mut parts, |row| rejects.push(row))?;
        gather::compare(&parts, plan, store, &mut totals)
    })?;

    let found = plan.extract.as_ref().map(|wanted| {
        let find = |part: &Part| findings::kept(part, &copies, &kept);
        let extract =
            |part: &Part, meter: &_| findings::extract(part, &copies, wanted, knowledge, &kept, meter);
        driver.each_unit("extract", &parts, Part::name_and_bytes, find, extract)
    });
    let found = found.transpose()?;

    driver.barrier("write", || {
        gather::write_documents(&parts, &inputs.faults, rejects, store, &mut totals)?;
        if let Some(found) = &found {
            gather::write_findings(&parts, found, &copies, plan, knowledge, store, &mut totals)?;
        }
        changes::write(store, &inputs, &settings, plan.memory_bytes, &mut totals)
    })?;
    let report = report::make(plan, &inputs, &settings, &parts, &totals, driver, store)?;
    store.publish()?;
    kept.clear_unused()?;
    Ok(Outcome::Published(Box::new(report)))
}
