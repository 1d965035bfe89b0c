//! Who reads while runs publish sees one run's tables, whole.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use garrison::output::{current_run, read_whole_table};
use garrison::tables::{Document, Duplicate, Event, Incident, Mention, Row, Sentiment};

use crate::errors;
use crate::runs::{House, article};

/// Runs that publish while readers read.
const DAYS: usize = 8;

fn run_ids<R: Row>(folder: &Path, id: fn(R) -> String) -> BTreeSet<String> {
    let file = folder.join(format!("{}.parquet", R::TABLE));
    read_whole_table::<R>(&file)
        .unwrap_or_else(|error| panic!("{}: {error:#}", file.display()))
        .into_iter()
        .map(id)
        .collect()
}

fn publish_days(house: &House) {
    for day in 1..=DAYS {
        let lines: String = (day * 5..day * 5 + 5)
            .map(|number| article(number) + "\n")
            .collect();
        house.add(&format!("{day}.jsonl"), &lines);
        house.run(&[]);
    }
}

#[test]
fn readers_see_one_run_and_never_a_part() {
    let house = House::new("");
    house.add(
        "0.jsonl",
        &(0..5).map(|number| article(number) + "\n").collect::<String>(),
    );
    house.run(&[]);
    let done = AtomicBool::new(false);
    let (seen, reads) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut seen, mut reads) = (BTreeSet::new(), 0);
            while !done.load(Ordering::Relaxed) {
                // Table by table through the links: each is whole.
                let _: BTreeSet<String> = run_ids(&house.output(), |row: Event| row.run_id);
                // All through one step: they are of one run.
                let run = current_run(&house.output()).unwrap();
                let mut ids = run_ids(&run, |row: Document| row.run_id);
                ids.append(&mut run_ids(&run, |row: Duplicate| row.run_id));
                ids.append(&mut run_ids(&run, |row: Mention| row.run_id));
                ids.append(&mut run_ids(&run, |row: Event| row.run_id));
                ids.append(&mut run_ids(&run, |row: Incident| row.run_id));
                ids.append(&mut run_ids(&run, |row: Sentiment| row.run_id));
                assert_eq!(ids.len(), 1, "tables of several runs: {ids:?}");
                seen.append(&mut ids);
                reads += 1;
            }
            (seen, reads)
        });
        publish_days(&house);
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    println!("{reads} reads saw {} runs", seen.len());
    assert!(seen.len() > 2, "readers must have seen several runs");
}

/// FIXME: through the links DuckDB fails now and then while a run publishes, because one query opens the same path more
/// than once and may meet two runs (3 % of queries with a switch every 20 ms); so it is only tested through the resolved
/// folder, as docs/scheduling says.
///
/// The same with DuckDB, where there is one: `GARRISON_PYTHON` names a Python that has it.
#[test]
fn duckdb_reads_while_runs_publish() {
    let python = std::env::var("GARRISON_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_duckdb = Command::new(&python).args(["-c", "import duckdb"]).output();
    if !has_duckdb.is_ok_and(|done| done.status.success()) {
        println!("{python} has no duckdb: not tested");
        return;
    }
    let house = House::new("");
    house.add(
        "0.jsonl",
        &(0..5).map(|number| article(number) + "\n").collect::<String>(),
    );
    house.run(&[]);
    let script = r#"
import duckdb, os, sys
folder, stop = sys.argv[1], sys.argv[2]
seen, reads = set(), 0
while not os.path.exists(stop):
    run = os.path.realpath(folder + "/.garrison/current")
    found = duckdb.sql(f"""SELECT DISTINCT run_id FROM '{run}/documents.parquet' UNION SELECT run_id FROM '{run}/events.parquet'
        UNION SELECT run_id FROM '{run}/incidents.parquet' UNION SELECT run_id FROM '{run}/mentions.parquet'""").fetchall()
    assert len(found) == 1, found
    orphans = duckdb.sql(f"""SELECT count(*) FROM '{run}/events.parquet' LEFT JOIN '{run}/documents.parquet' d
        USING (document_id) WHERE d.text IS NULL""").fetchall()
    assert orphans == [(0,)], orphans
    seen.add(found[0][0]); reads += 1
print(reads, "reads saw", len(seen), "runs")
assert len(seen) > 2
"#;
    let stop = house.path("stop");
    let child = Command::new(&python)
        .args(["-c", script])
        .args([house.output(), stop.clone()])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    publish_days(&house);
    std::fs::write(&stop, "").unwrap();
    let done = child.wait_with_output().unwrap();
    print!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(done.status.success(), "{}", errors(&done));
}
