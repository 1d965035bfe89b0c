//! Reading and comparing, as users meet them: what an input is taken for, a full disk, why a document is a copy.

use super::{code, errors, garrison, report, rows, run};
use garrison::tables::{Document, Duplicate, Relation};
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn check_shows_format_fields_and_coverage() {
    let done = garrison(&["check", "--input", "sample_data"]);
    assert_eq!(code(&done), Some(0), "{}", errors(&done));
    let page = String::from_utf8_lossy(&done.stdout).into_owned();
    let after = |file: &str| page.split(file).nth(1).unwrap_or_default().to_owned();
    for (file, format, field) in [
        ("gabon_story.jsonl", "jsonl", "maintext"),
        ("africa_wire.jsonl.gz", "gzip", "source.name"),
        ("presse_fr.csv", "csv", "texte"),
        ("europe_desk.tsv", "csv", "text"),
        ("radio_archive.parquet", "parquet", "text"),
        ("crawl.warc.gz", "warc", "the format"),
        ("levant_desk.atom", "feed", "the format"),
        ("okinawa-arrest.html", "html", "the format"),
        ("mojibake.txt", "text", "the format"),
    ] {
        let shown: String = after(file).lines().take(8).collect::<Vec<_>>().join("\n");
        assert!(shown.contains(format) && shown.contains(field), "{file}{shown}");
    }
    assert!(page.contains(" in 100 %"));
}

/// Runs with no file allowed to grow beyond so many blocks of 512 bytes, which fails as a full disk does.
fn run_with_small_files(blocks: u32, output: &Path) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let output = output.display().to_string();
    let run = [
        "run",
        "pipelines/dedup_only.toml",
        "--progress",
        "none",
        "--output",
        &output,
    ];
    Command::new("sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-c", &script, env!("CARGO_BIN_EXE_garrison")])
        .args(run)
        .output()
        .expect("a shell starts")
}

#[test]
fn a_full_disk_leaves_the_last_tables_and_the_next_run_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    run("pipelines/documents_only.toml", folder.path(), &[]);
    let before = report(folder.path())["run_id"].clone();
    for blocks in [1, 8, 64] {
        let done = run_with_small_files(blocks, folder.path());
        assert_eq!(code(&done), Some(1), "{blocks} blocks: {}", errors(&done));
        let said = errors(&done);
        assert!(
            said.contains("File too large") && said.contains(".garrison"),
            "{blocks} blocks: {said}"
        );
        assert_eq!(report(folder.path())["run_id"], before);
        assert!(!rows::<Document>(folder.path()).is_empty());
    }
    run("pipelines/dedup_only.toml", folder.path(), &[]);
    assert_ne!(report(folder.path())["run_id"], before);
    let left: Vec<_> = std::fs::read_dir(folder.path().join(".garrison"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(!left.iter().any(|name| name == "work"), "{left:?}");
}

#[test]
fn explain_shows_cluster_figures_and_passages() {
    let folder = tempfile::tempdir().unwrap();
    run("pipelines/dedup_only.toml", folder.path(), &[]);
    let output = folder.path().display().to_string();
    let duplicates = rows::<Duplicate>(folder.path());
    let page_of = |relation| {
        let row = duplicates.iter().find(|row| row.relation == relation).unwrap();
        let done = garrison(&["explain", &row.document_id, "--output", &output]);
        assert_eq!(code(&done), Some(0), "{}", errors(&done));
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let page = page_of(Relation::Near);
    for part in [
        "near: a copy",
        "cluster c_",
        "jaccard ",
        "figures in common",
        "\n= ",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert!(page_of(Relation::Excerpt).contains("excerpt: a part of"));
    assert!(page_of(Relation::Unique).contains("unique: no other"));
    assert!(page_of(Relation::Template).contains("template: one of a form"));
    let done = garrison(&["explain", "d_00000000000000000000000000", "--output", &output]);
    assert_eq!(code(&done), Some(1));
    assert!(errors(&done).contains("there is no document d_000"));
}

#[test]
fn a_window_keeps_old_copies_apart() {
    let folder = tempfile::tempdir().unwrap();
    let text = "The ministry said on Tuesday that two hundred soldiers would leave the northern base before the end of the month.";
    let line = |day: &str, id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"text\":\"{text}\",\"date\":\"{day}\",\"url\":\"https://a.example/{id}\"}}\n"
        )
    };
    let input = folder.path().join("in.jsonl");
    std::fs::write(
        &input,
        line("2024-01-01", "1") + &line("2024-01-03", "2") + &line("2024-06-01", "3"),
    )
    .unwrap();
    let input = input.display().to_string();
    let clusters = |window: &str| {
        let (plan, output) = (folder.path().join("plan.toml"), folder.path().join("out"));
        let text = format!(
            "[input]\npaths = [{input:?}]\n[output]\nfolder = {output:?}\n[dedup]\n{window}\n[extract]\nenabled = false\n"
        );
        std::fs::write(&plan, text).unwrap();
        run(&plan.display().to_string(), &output, &[]);
        let rows = rows::<Duplicate>(&output);
        rows.iter()
            .map(|row| row.cluster_id.clone())
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    assert_eq!(clusters(""), 1);
    assert_eq!(clusters("window_days = 30"), 2);
}
