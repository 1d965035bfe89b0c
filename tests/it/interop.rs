//! The tables in other programs: `tests/interop/check_tables.py` under an environment of its own.

use super::{garrison, run};
use std::path::Path;
use std::process::Command;

/// Runs a program and gives what it printed, or why there is nothing.
fn output_of(program: &Path, arguments: &[&str]) -> Result<String, String> {
    let name = program.display();
    let done = Command::new(program)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        Ok(printed)
    } else {
        let errors = String::from_utf8_lossy(&done.stderr);
        Err(format!("{name} {}: {printed}{errors}", arguments.join(" ")))
    }
}

/// Downloads about 150 MB of Python packages, so that it is run by name only.
#[test]
#[ignore = "installs duckdb, polars, pandas and pyarrow with pip; run it with `cargo test interop -- --ignored`"]
fn tables_open_in_other_programs_with_the_types_they_promise() {
    let folder = tempfile::tempdir().unwrap();
    let environment = folder.path().join("environment");
    let path = environment.display().to_string();
    if let Err(reason) = output_of(Path::new("python3"), &["-m", "venv", &path]) {
        panic!("this test needs python3 with its module venv: {reason}");
    }
    let python = environment.join("bin/python");
    let packages = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "-r",
        "tests/interop/requirements.txt",
    ];
    if let Err(reason) = output_of(&python, &packages) {
        panic!("this test needs pip and a package index: {reason}");
    }
    let tables = folder.path().join("tables");
    run("pipelines/foreign_forces.toml", &tables, &[]);
    let dictionary = folder.path().join("dictionary.md");
    std::fs::write(&dictionary, garrison(&["tables"]).stdout).unwrap();
    let (tables, dictionary) = (tables.display().to_string(), dictionary.display().to_string());
    let checked = output_of(&python, &["tests/interop/check_tables.py", &tables, &dictionary]);
    println!("{}", checked.unwrap_or_else(|reason| panic!("{reason}")));
}
