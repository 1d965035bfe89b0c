//! Killed anywhere, a run is finished by the next one with the same tables. The points are those of `src/kill.rs`.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::runs::{House, Random, article, assert_same, content};
use crate::{code, errors, report};

const KILLED: i32 = 9;
/// Points drawn; all that there are, if there are fewer.
const DRAWN: usize = 32;

fn run(house: &House, output: &Path, threads: &str, kill_at: Option<usize>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_garrison"));
    command.args(house.command(output, &["--threads", threads]));
    if let Some(point) = kill_at {
        command.env("GARRISON_KILL_AT", point.to_string());
    }
    command.output().unwrap()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// The names of the points that a run passes, in order.
fn points(output: &Output) -> Vec<String> {
    let errors = errors(output);
    let named = errors
        .lines()
        .filter_map(|line| line.strip_prefix("kill point ")?.split_once(": "));
    named.map(|(_, name)| name.to_owned()).collect()
}

fn worked(output: &Path) -> BTreeMap<String, u64> {
    let report = report(output);
    let passes = report["passes"].as_array().unwrap();
    passes
        .iter()
        .map(|pass| {
            (
                pass["pass"].as_str().unwrap().to_owned(),
                pass["worked"].as_u64().unwrap(),
            )
        })
        .collect()
}

/// A house with a day that is published and a day that is new.
fn two_days() -> House {
    let house = House::new("unit = \"4KiB\"");
    let lines =
        |numbers: std::ops::Range<usize>| numbers.map(|number| article(number) + "\n").collect::<String>();
    house.add("monday.jsonl", &lines(5..20));
    house.run(&[]);
    house.add("tuesday-1.jsonl", &lines(20..30));
    house.add("tuesday-2.jsonl", &lines(30..38));
    house.add("again.jsonl", &lines(0..8));
    house
}

#[test]
fn killed_at_any_point_the_next_run_ends_with_the_same_tables() {
    let house = two_days();
    let (before, expected) = (house.path("before"), house.path("expected"));
    copy(&house.output(), &before);
    copy(&house.output(), &expected);
    let points = points(&run(&house, &expected, "1", Some(0)));
    let (old, new) = (content(&before), content(&expected));
    let whole = worked(&expected);
    let mut drawn: Vec<usize> = (1..=points.len()).collect();
    Random(8).shuffle(&mut drawn);
    drawn.truncate(DRAWN);
    drawn.sort_unstable();
    assert!(drawn.len() >= 20, "only {} points", points.len());
    println!(
        "{:>5}  {:<34} {:>6} {:>6}  tables",
        "point", "where", "redone", "left"
    );
    for point in drawn {
        let output = house.path(&format!("killed-{point}"));
        copy(&before, &output);
        let killed = run(&house, &output, "1", Some(point));
        assert_eq!(
            killed.status.signal(),
            Some(KILLED),
            "point {point}: {}",
            errors(&killed)
        );
        let stands = content(&output);
        assert!(
            stands == old || stands == new,
            "point {point}: readers see neither the old tables nor the new"
        );
        let finished = run(&house, &output, "1", None);
        assert_eq!(code(&finished), Some(0), "point {point}: {}", errors(&finished));
        assert_same(
            &output,
            &expected,
            &format!("killed at {point}, {}", points[point - 1]),
        );

        let passed = |name: &str| points[..point].iter().filter(|point| *point == name).count() as u64;
        let after = worked(&output);
        let (mut redone, mut left_in_all) = (0, 0);
        for pass in ["read", "extract"] {
            let (begun, kept) = (
                passed(&format!("{pass}: unit begun")),
                passed(&format!("{pass}: unit kept")),
            );
            // After the new tables were published there is nothing left to do, and the report is the killed run's.
            let left = if stands == new { 0 } else { after[pass] };
            assert!(
                left <= whole[pass] - kept,
                "point {point}: kept units were worked on again"
            );
            redone += begun - kept;
            left_in_all += left;
        }
        println!(
            "{point:>5}  {:<34} {redone:>6} {left_in_all:>6}  equal",
            points[point - 1]
        );
        assert!(redone <= 1, "one thread has one unit in hand");
        std::fs::remove_dir_all(&output).unwrap();
    }
}

#[test]
fn killed_at_any_time_with_several_threads_the_next_run_ends_with_the_same_tables() {
    let house = two_days();
    let (before, expected) = (house.path("before"), house.path("expected"));
    copy(&house.output(), &before);
    copy(&house.output(), &expected);
    let start = std::time::Instant::now();
    assert_eq!(code(&run(&house, &expected, "2", None)), Some(0));
    let whole_ms = start.elapsed().as_millis() as usize;
    let mut random = Random(9);
    let mut kills = 0;
    for attempt in 0..40 {
        let output = house.path(&format!("killed-{attempt}"));
        copy(&before, &output);
        let mut child = Command::new(env!("CARGO_BIN_EXE_garrison"))
            .args(house.command(&output, &["--threads", "2"]))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.below(whole_ms) as u64));
        child.kill().unwrap();
        kills += usize::from(child.wait().unwrap().signal() == Some(KILLED));
        assert_eq!(code(&run(&house, &output, "2", None)), Some(0));
        assert_same(&output, &expected, &format!("attempt {attempt}"));
        std::fs::remove_dir_all(&output).unwrap();
        if kills == 6 {
            return;
        }
    }
    panic!("only {kills} runs were killed in time");
}
