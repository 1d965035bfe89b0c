//! What machines rely on: exit codes, `run.json`, metrics, lineage, logs, the files for schedulers.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::runs::{House, article};
use crate::{code, errors, garrison, report};

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| article(number) + "\n").collect()
}

fn garrison_of(arguments: &[String]) -> std::process::Output {
    garrison(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What in a value is not as a JSON Schema says; of the schema language, the words that ours uses.
fn misfits(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the schema asks for {other}"),
    };
    let wrong_type = match &schema["type"] {
        Value::String(name) => !is(name),
        Value::Array(names) => !names.iter().any(|name| is(name.as_str().unwrap())),
        _ => false,
    };
    if wrong_type {
        return vec![format!("{place} is {value}, not {}", schema["type"])];
    }
    if schema.get("const").is_some_and(|wanted| wanted != value) {
        found.push(format!("{place} is {value}, not {}", schema["const"]));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|known| !known.contains(value))
    {
        found.push(format!("{place} is {value}, none of {}", schema["enum"]));
    }
    for key in schema["required"].as_array().into_iter().flatten() {
        if value.get(key.as_str().unwrap()).is_none() {
            found.push(format!("{place} has no {key}"));
        }
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        let known = schema["properties"]
            .get(key)
            .or(schema.get("additionalProperties"));
        match known {
            Some(known) => found.extend(misfits(known, value, &format!("{place}.{key}"))),
            None if schema.get("properties").is_some() => {
                found.push(format!("{place}.{key} is not in the schema"))
            }
            None => {}
        }
    }
    for (index, value) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(items) = schema.get("items") {
            found.extend(misfits(items, value, &format!("{place}[{index}]")));
        }
    }
    found
}

#[test]
fn run_json_is_as_its_schema_says() {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string("docs/run.schema.json").unwrap()).unwrap();
    let house = House::new("");
    house.add("a.jsonl", &lines(0..6));
    house.run(&[]);
    assert_eq!(
        misfits(&schema, &report(&house.output()), "run.json"),
        [] as [String; 0]
    );
    let mut wrong = report(&house.output());
    wrong["counts"]["read"] = "many".into();
    wrong["pases"] = 1.into();
    assert_eq!(misfits(&schema, &wrong, "run.json").len(), 2);
}

#[test]
fn metrics_and_lineage_tell_of_good_and_failed_runs() {
    let house = House::new("");
    house.add("a.jsonl", &lines(0..6));
    let (metrics, lineage) = (house.path("garrison.prom"), house.path("lineage.jsonl"));
    let flags = [
        "--metrics-file",
        metrics.to_str().unwrap(),
        "--lineage",
        lineage.to_str().unwrap(),
    ];
    house.run(&flags);
    let page = std::fs::read_to_string(&metrics).unwrap();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("garrison_") && name.ends_with('}'), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(
        page.contains("garrison_run_exit_code{pipeline=\"garrison\"} 0\n"),
        "{page}"
    );
    assert!(
        page.contains("garrison_records{pipeline=\"garrison\",outcome=\"kept\"} 6\n"),
        "{page}"
    );

    let held = garrison::output::Store::open(&house.output(), "held").unwrap();
    let done = garrison_of(&house.command(&house.output(), &flags));
    assert_eq!(code(&done), Some(6));
    drop(held);
    let page = std::fs::read_to_string(&metrics).unwrap();
    assert!(
        page.contains("garrison_run_exit_code{pipeline=\"garrison\"} 6\n"),
        "{page}"
    );

    let events: Vec<Value> = std::fs::read_to_string(&lineage)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["eventType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["START", "COMPLETE", "START", "FAIL"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert!(
        events[1]["inputs"][0]["name"]
            .as_str()
            .unwrap()
            .ends_with("/input/a.jsonl")
    );
    let outputs = events[1]["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), garrison::tables::names().len());
    assert_eq!(outputs[0]["outputFacets"]["outputStatistics"]["rowCount"], 6);
}

#[test]
fn logs_are_json_lines_with_a_version() {
    let house = House::new("");
    house.add("a.jsonl", &lines(0..6));
    let mut command = house.command(&house.output(), &["--log-format", "json"]);
    let progress = command.iter().position(|word| word == "none").unwrap();
    command[progress] = "auto".to_owned();
    let done = garrison_of(&command);
    let messages: Vec<Value> = errors(&done)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    assert!(
        messages
            .iter()
            .all(|line| line["format"] == 1 && line["at"].is_string() && line["level"].is_string())
    );
    let passes: Vec<&str> = messages.iter().filter_map(|line| line["pass"].as_str()).collect();
    assert_eq!(passes, ["find", "read", "compare", "extract", "write"]);
    assert_eq!(messages.last().unwrap()["message"], "published");
    let failed = garrison(&["--log-format", "json", "runs", "/no/such/folder"]);
    let line: Value = serde_json::from_str(errors(&failed).trim()).unwrap();
    assert_eq!(line["level"], "ERROR");
}

/// Every exit code of the documents; 3 and 6 have tests of their own as well.
#[test]
fn every_exit_code_in_the_documents_can_be_had() {
    let house = House::new("");
    house.add("a.jsonl", &lines(0..6));
    let mut seen = vec![0];
    house.run(&[]);
    seen.push(code(&garrison(&["runs", "/no/such/folder"])).unwrap());
    seen.push(code(&garrison(&["run", "/no/such/plan.toml"])).unwrap());
    seen.push(partial());
    seen.push(full_disk());
    seen.push(
        code(&garrison_of(
            &house.command(&house.output(), &["--error-on-empty"]),
        ))
        .unwrap(),
    );
    let held = garrison::output::Store::open(&house.output(), "held").unwrap();
    seen.push(code(&garrison_of(&house.command(&house.output(), &[]))).unwrap());
    drop(held);
    seen.push(invalid(&house));
    seen.push(interrupted());
    let documents = std::fs::read_to_string("docs/scheduling/README.md").unwrap();
    let codes = documents
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok());
    assert_eq!(seen, codes.collect::<Vec<i32>>());
    let help = String::from_utf8_lossy(&garrison(&["--help"]).stdout).into_owned();
    for code in seen {
        assert!(help.contains(&code.to_string()), "--help does not name {code}");
    }
}

/// A partial success is never 0: not when it is published, and not while it stands.
fn partial() -> i32 {
    let house = House::new("");
    std::os::unix::fs::symlink("/no/such/file", house.input().join("a.jsonl")).unwrap();
    house.add("b.jsonl", &lines(0..3));
    let first = garrison_of(&house.command(&house.output(), &[]));
    assert!(
        errors(&first).contains("1 inputs cannot be read"),
        "{}",
        errors(&first)
    );
    assert_eq!(code(&garrison_of(&house.command(&house.output(), &[]))), Some(3));
    code(&first).unwrap()
}

/// A run on a disk that is too small for what it is told to make, and one on a disk that fills up on the way.
fn full_disk() -> i32 {
    let told = on_disk("600k", "a.jsonl", lines(0..2000).as_bytes());
    let Some(told) = told else { return 4 };
    assert!(errors(&told).contains("the run needs about"), "{}", errors(&told));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(lines(0..2000).repeat(4).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let size = packed.len() * 5 / 2 + (128 << 10);
    if let Some(filled) = on_disk(&size.to_string(), "a.jsonl.gz", &packed) {
        assert!(
            !errors(&filled).contains("the run needs about"),
            "{}",
            errors(&filled)
        );
        assert_eq!(code(&filled), Some(4), "{}", errors(&filled));
        let left = String::from_utf8_lossy(&filled.stdout).into_owned();
        assert_eq!(left.trim(), "", "a run that failed leaves nothing unfinished");
    }
    code(&told).unwrap()
}

/// Runs on a disk of its own and lists what unfinished work is left there; `None` where the system makes no such disks.
fn on_disk(size: &str, name: &str, input: &[u8]) -> Option<std::process::Output> {
    let house = House::new("");
    std::fs::write(house.input().join(name), input).unwrap();
    std::fs::create_dir(house.path("disk")).unwrap();
    let command = house.command(&house.path("disk/out"), &[]).join(" ");
    let script = format!(
        "mount -t tmpfs -o size={size} tmpfs {disk} && {program} {command}; code=$?; ls -A {disk}/out/.garrison/runs; ls -A \
         {disk}/out/.garrison | grep work; exit $code",
        disk = house.path("disk").display(),
        program = env!("CARGO_BIN_EXE_garrison"),
    );
    let done = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .output()
        .ok()?;
    let told = errors(&done);
    if told.contains("unshare:") || told.contains("mount:") {
        println!("full disks are not tested: this system makes no private ones ({told})");
        return None;
    }
    Some(done)
}

fn invalid(house: &House) -> i32 {
    let output = house.output().display().to_string();
    let good = garrison(&["validate", &output]);
    assert_eq!(code(&good), Some(0), "{}", errors(&good));
    let run = garrison::output::current_run(&house.output()).unwrap();
    let mut events = crate::rows::<garrison::tables::Event>(&run);
    events[0].start_byte += 1;
    events[1].document_id = "d_00000000000000000000000000".to_owned();
    garrison::output::write_table(&run.join("events.parquet"), &events).unwrap();
    let bad = garrison(&["validate", &output]);
    let told = errors(&bad);
    let fault = "the file is not as long as run.json says";
    assert!(told.contains(fault), "{told}");
    // With the right length, what is in the table is looked at.
    let bytes = run.join("events.parquet").metadata().unwrap().len();
    let mut report = report(&run);
    for table in report["tables"].as_array_mut().unwrap() {
        if table["table"] == "events" {
            table["bytes"] = bytes.into();
        }
    }
    std::fs::write(run.join("run.json"), report.to_string()).unwrap();
    let told = errors(&garrison(&["validate", &output]));
    for fault in [
        "events.document_id: not in documents.document_id: 1",
        "events.start_byte: the range does not hold evidence: 1",
    ] {
        assert!(told.contains(fault), "{told}");
    }
    code(&bad).unwrap()
}

fn interrupted() -> i32 {
    let house = House::new("unit = \"16KiB\"");
    house.add("a.jsonl", &lines(0..3000));
    let mut child = Command::new(env!("CARGO_BIN_EXE_garrison"))
        .args(house.command(&house.output(), &["--threads", "1"]))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Units are being kept when the first folder is there.
    let kept = house.output().join(".garrison/kept/read");
    while std::fs::read_dir(&kept).map_or(0, |kept| kept.count()) < 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    child.wait().unwrap().code().unwrap()
}

/// Runs a tool if it is there, beside the Python that `GARRISON_PYTHON` names or on the path, and says so if it is not.
fn lint(tool: &str, arguments: &[&str]) {
    let python = std::env::var("GARRISON_PYTHON").unwrap_or_default();
    let beside = Path::new(&python).with_file_name(tool);
    let tool = if beside.is_file() {
        beside.to_str().unwrap()
    } else {
        tool
    };
    match Command::new(tool).args(arguments).output() {
        Ok(done) => assert!(
            done.status.success(),
            "{tool} {arguments:?}: {}{}",
            String::from_utf8_lossy(&done.stdout),
            errors(&done)
        ),
        Err(_) => println!("{tool} is not installed: {arguments:?} is not checked"),
    }
}

#[test]
fn the_files_for_schedulers_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    // The units as they are, but with a program that is there.
    let service = std::fs::read_to_string("docs/scheduling/garrison.service").unwrap();
    let service = service.replace("/usr/local/bin/garrison", env!("CARGO_BIN_EXE_garrison"));
    std::fs::write(folder.path().join("garrison.service"), service).unwrap();
    std::fs::copy(
        "docs/scheduling/garrison.timer",
        folder.path().join("garrison.timer"),
    )
    .unwrap();
    for unit in ["garrison.service", "garrison.timer"] {
        let unit = folder.path().join(unit);
        lint("systemd-analyze", &["verify", "--man=no", unit.to_str().unwrap()]);
    }
    lint("systemd-analyze", &["calendar", "*-*-* 02:00:00"]);
    let parse = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
    lint("python3", &["-c", parse, "docs/scheduling/airflow_dag.py"]);
    lint(
        "kubernetes-validate",
        &["--strict", "docs/scheduling/cronjob.yaml"],
    );
    // With airflow the file is loaded, without it only parsed.
    let python = std::env::var("GARRISON_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_airflow = Command::new(&python).args(["-c", "import airflow"]).output();
    if has_airflow.is_ok_and(|done| done.status.success()) {
        lint(&python, &["docs/scheduling/airflow_dag.py"]);
    }
    // The commands in the files are commands of this program.
    for file in [
        "garrison.service",
        "garrison.cron",
        "cronjob.yaml",
        "airflow_dag.py",
    ] {
        let text = std::fs::read_to_string(Path::new("docs/scheduling").join(file)).unwrap();
        let help = String::from_utf8_lossy(&garrison(&["run", "--help"]).stdout).into_owned();
        let flags = text
            .split(|c: char| c.is_whitespace() || "\",[]'".contains(c))
            .filter(|word| word.starts_with("--") && word.len() > 3);
        for flag in flags {
            assert!(help.contains(flag), "{file}: garrison run has no {flag}");
        }
    }
    // A line of cron: five fields of time, a user, a command.
    let cron = std::fs::read_to_string("docs/scheduling/garrison.cron").unwrap();
    let line = cron
        .lines()
        .find(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == '*'))
        .unwrap();
    let fields: Vec<&str> = line.split_whitespace().take(6).collect();
    assert!(
        fields[..5]
            .iter()
            .all(|field| field.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c)))
    );
    assert_eq!(fields[5], "garrison");
    assert!(!line.contains('%'), "cron takes % for a new line");
}
