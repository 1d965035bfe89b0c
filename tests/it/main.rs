//! The one integration test binary: the program as its users run it.

mod events;
mod golden;
mod hostile;
mod ingest;
mod interop;
mod kill;
mod machine;
mod objects;
mod readers;
mod runs;
mod seed;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use garrison::output::read_whole_table;
use garrison::tables::{Document, Duplicate, Event, Incident, Mention, Reject, Row, Sentiment, Survey};

fn garrison(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_garrison"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a pipeline into a folder of its own and checks that it ends well.
fn run(pipeline: &str, folder: &Path, more: &[&str]) -> Output {
    let output = folder.display().to_string();
    let mut arguments = vec!["run", pipeline, "--output", &output, "--progress", "none"];
    arguments.extend(more);
    let done = garrison(&arguments);
    assert_eq!(code(&done), Some(0), "{}", errors(&done));
    done
}

fn rows<R: Row>(folder: &Path) -> Vec<R> {
    read_whole_table(&folder.join(format!("{}.parquet", R::TABLE))).expect("the table is there")
}

fn report(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("run.json")).expect("run.json is there");
    serde_json::from_str(&text).expect("run.json is JSON")
}

#[test]
fn every_pipeline_runs_and_read_is_kept_plus_rejected() {
    let mut pipelines: Vec<PathBuf> = std::fs::read_dir("pipelines")
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    pipelines.sort();
    assert!(pipelines.len() >= 3);
    for pipeline in pipelines {
        let folder = tempfile::tempdir().unwrap();
        run(&pipeline.display().to_string(), folder.path(), &[]);
        let counts = &report(folder.path())["counts"];
        let number = |key: &str| counts[key].as_u64().unwrap();
        assert_eq!(number("read"), number("kept") + number("rejected"));
        assert_eq!(rows::<Document>(folder.path()).len() as u64, number("kept"));
        assert_eq!(rows::<Duplicate>(folder.path()).len() as u64, number("kept"));
        assert!(rows::<Reject>(folder.path()).len() as u64 >= number("rejected"));
    }
}

/// The rows of every table without what names the run, as sorted text.
fn content(folder: &Path) -> Vec<BTreeSet<String>> {
    fn texts<R: Row + std::fmt::Debug>(folder: &Path) -> BTreeSet<String> {
        let run_id = report(folder)["run_id"].as_str().unwrap().to_owned();
        rows::<R>(folder)
            .iter()
            .map(|row| format!("{row:?}").replace(&run_id, ""))
            .collect()
    }
    vec![
        texts::<Document>(folder),
        texts::<Duplicate>(folder),
        texts::<Mention>(folder),
        texts::<Event>(folder),
        texts::<Incident>(folder),
        texts::<Sentiment>(folder),
        texts::<Survey>(folder),
    ]
}

#[test]
fn threads_and_order_of_inputs_change_nothing() {
    let first = tempfile::tempdir().unwrap();
    run("pipelines/foreign_forces.toml", first.path(), &["--threads", "1"]);
    let expected = content(first.path());
    for threads in ["2", "8"] {
        let other = tempfile::tempdir().unwrap();
        run(
            "pipelines/foreign_forces.toml",
            other.path(),
            &["--threads", threads],
        );
        assert_eq!(content(other.path()), expected, "{threads} threads");
    }
    let mut inputs: Vec<String> = std::fs::read_dir("sample_data")
        .unwrap()
        .map(|file| file.unwrap().path().display().to_string())
        .collect();
    inputs.sort_unstable_by(|one, other| other.cmp(one));
    let shuffled: Vec<&str> = inputs.iter().flat_map(|input| ["--input", input]).collect();
    let other = tempfile::tempdir().unwrap();
    run("pipelines/foreign_forces.toml", other.path(), &shuffled);
    assert_eq!(content(other.path()), expected, "inputs in another order");
}

#[test]
fn ids_are_unique_references_whole_and_evidence_stands_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    run("pipelines/foreign_forces.toml", folder.path(), &[]);
    let documents = rows::<Document>(folder.path());
    let texts: std::collections::HashMap<&str, &str> = documents
        .iter()
        .map(|document| (document.document_id.as_str(), document.text.as_str()))
        .collect();
    assert_eq!(texts.len(), documents.len());
    let events = rows::<Event>(folder.path());
    let ids: BTreeSet<&str> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids.len(), events.len());
    assert!(!events.is_empty());
    for event in &events {
        let text = texts[event.document_id.as_str()];
        assert_eq!(
            &text[event.start_byte as usize..event.end_byte as usize],
            event.evidence
        );
    }
    let stances = rows::<Sentiment>(folder.path());
    let unique: BTreeSet<&str> = stances.iter().map(|row| row.sentiment_id.as_str()).collect();
    assert_eq!(unique.len(), stances.len());
    for stance in &stances {
        let text = texts[stance.document_id.as_str()];
        assert_eq!(
            &text[stance.start_byte as usize..stance.end_byte as usize],
            stance.evidence
        );
        assert!(stance.event_id.as_deref().is_none_or(|event| ids.contains(event)));
    }
    let incidents = rows::<Incident>(folder.path());
    let known: BTreeSet<&str> = incidents
        .iter()
        .map(|incident| incident.incident_id.as_str())
        .collect();
    assert_eq!(known.len(), incidents.len());
    assert!(
        events
            .iter()
            .all(|event| event.incident_id.as_deref().is_none_or(|id| known.contains(id)))
    );
}

#[test]
fn a_wrong_plan_ends_with_2_and_names_every_fault() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.toml");
    std::fs::write(&plan, "[inptu]\npaths = [\"x\"]\n[output]\nfolder = 1\n").unwrap();
    let done = garrison(&["run", plan.to_str().unwrap()]);
    assert_eq!(code(&done), Some(2));
    let text = errors(&done);
    assert!(
        text.contains("line 1: unknown key `inptu` in the plan; did you mean `input`?"),
        "{text}"
    );
    assert!(text.contains("line 4: `folder` must be text"), "{text}");
    assert_eq!(code(&garrison(&["run"])), Some(2));
}

#[test]
fn too_many_rejects_end_with_3() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("bad.jsonl");
    std::fs::write(&input, "{\"text\": \"cut\n{\"title\": \"no text\"}\n").unwrap();
    let output = folder.path().join("out");
    let done = garrison(&[
        "run",
        "pipelines/documents_only.toml",
        "--input",
        input.to_str().unwrap(),
        "--output",
        output.to_str().unwrap(),
    ]);
    assert_eq!(code(&done), Some(3), "{}", errors(&done));
    assert_eq!(rows::<Reject>(&output).len(), 2);
}

#[test]
fn a_held_output_ends_with_6_and_names_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let _held = garrison::output::Store::open(folder.path(), "held-by-the-test").unwrap();
    let done = garrison(&[
        "run",
        "pipelines/documents_only.toml",
        "--output",
        folder.path().to_str().unwrap(),
    ]);
    assert_eq!(code(&done), Some(6));
    assert!(errors(&done).contains("held-by-the-test"), "{}", errors(&done));
}

#[test]
fn an_input_that_is_not_there_is_named() {
    let done = garrison(&["run", "pipelines/documents_only.toml", "--input", "no/such/file"]);
    assert_eq!(code(&done), Some(2));
    assert!(errors(&done).contains("no/such/file"));
}

#[test]
fn no_country_stands_in_the_source() {
    fn visit(folder: &Path, names: &[&str]) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                visit(&path, names);
                continue;
            }
            if path.file_name().is_some_and(|name| name == "tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                for name in names {
                    assert!(!line.contains(name), "{} names {name}: {line}", path.display());
                }
            }
        }
    }
    visit(
        Path::new("src"),
        &[
            "\"Niger\"",
            "\"France\"",
            "\"Russia\"",
            "\"Mali\"",
            "\"NER\"",
            "\"USA\"",
            "\"Wagner\"",
        ],
    );
}

#[test]
fn the_data_dictionary_has_every_table() {
    let done = garrison(&["tables"]);
    let page = String::from_utf8_lossy(&done.stdout).into_owned();
    for table in garrison::tables::names() {
        assert!(page.contains(&format!("## {table}")));
    }
    assert_ne!(code(&garrison(&["tables", "evnts"])), Some(0));
}
