//! Runs that can be scheduled: incremental, resumed, compared, published whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use garrison::tables::{
    Change, ChangeKind, ChangeReason, Document, Duplicate, Event, Incident, Mention, Reject, Row, Sentiment,
    Survey,
};

use crate::{code, errors, garrison, report, rows};

/// A generator of numbers that are the same in every run of a test (SplitMix64; Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A folder with a plan, an input folder and an output folder.
pub struct House {
    folder: tempfile::TempDir,
}

impl House {
    /// `run` is what stands under `[run]`.
    pub fn new(run: &str) -> Self {
        let house = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(house.input()).unwrap();
        house.plan(run, "");
        house
    }

    /// Writes the plan; `more` are further sections.
    pub fn plan(&self, run: &str, more: &str) {
        let text = format!(
            "[input]\npaths = [{:?}]\n[output]\nfolder = {:?}\nkeep_runs = 2\n[run]\nmax_rejects = 0.9\n{run}\n{more}",
            self.input(),
            self.output()
        );
        std::fs::write(self.path("plan.toml"), text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn input(&self) -> PathBuf {
        self.path("input")
    }

    pub fn output(&self) -> PathBuf {
        self.path("output")
    }

    /// Arguments of a run into the house's output or another folder.
    pub fn command(&self, output: &Path, more: &[&str]) -> Vec<String> {
        let plan = self.path("plan.toml");
        let fixed = [
            "run",
            plan.to_str().unwrap(),
            "--output",
            output.to_str().unwrap(),
            "--progress",
            "none",
        ];
        fixed.iter().chain(more).map(|&word| word.to_owned()).collect()
    }

    pub fn run_to(&self, output: &Path, more: &[&str]) {
        let command = self.command(output, more);
        let done = garrison(&command.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code(&done), Some(0), "{}", errors(&done));
    }

    pub fn run(&self, more: &[&str]) {
        self.run_to(&self.output(), more);
    }

    pub fn add(&self, name: &str, text: &str) {
        std::fs::write(self.input().join(name), text).unwrap();
    }
}

/// The rows of every table as text, by table and key, without what names the run.
pub fn content(folder: &Path) -> BTreeMap<&'static str, Vec<String>> {
    fn texts<R: Row + std::fmt::Debug>(folder: &Path) -> (&'static str, Vec<String>) {
        let mut texts: Vec<String> = rows::<R>(folder)
            .into_iter()
            .map(|mut row| {
                row.set_run_id("");
                format!("{row:?}")
            })
            .collect();
        texts.sort();
        (R::TABLE, texts)
    }
    BTreeMap::from([
        texts::<Document>(folder),
        texts::<Duplicate>(folder),
        texts::<Reject>(folder),
        texts::<Mention>(folder),
        texts::<Event>(folder),
        texts::<Incident>(folder),
        texts::<Sentiment>(folder),
        texts::<Survey>(folder),
    ])
}

pub fn assert_same(found: &Path, expected: &Path, what: &str) {
    let (found, expected) = (content(found), content(expected));
    for (table, rows) in &expected {
        let missing: Vec<&String> = rows.iter().filter(|row| !found[table].contains(row)).collect();
        let further: Vec<&String> = found[table].iter().filter(|row| !rows.contains(row)).collect();
        assert!(
            missing.is_empty() && further.is_empty() && found[table].len() == rows.len(),
            "{what}: {table} has {} rows, not {}\nmissing: {missing:#?}\nfurther: {further:#?}",
            found[table].len(),
            rows.len()
        );
    }
}

/// An article of its own on each number; every third is told again with small changes by the next number.
pub fn article(number: usize) -> String {
    const HOMES: [&str; 4] = ["French", "Russian", "American", "Turkish"];
    const HOSTS: [&str; 5] = ["Niger", "Mali", "Chad", "Somalia", "Gabon"];
    let story = number - usize::from(number % 3 == 2);
    let (home, host) = (HOMES[story % 4], HOSTS[story % 5]);
    let day = 1 + story % 27;
    let words = (0..40).map(|word| format!("word{}", (story * 31 + word * 7) % 997));
    let filler = words.collect::<Vec<_>>().join(" ");
    let text = format!(
        "The government of {host} asked {home} troops to leave the country on Monday. Residents protested against \
         the {home} soldiers at the base. {filler}. The army of {host} said that {home} forces had left \
         base {story} near the border. Copy {number}."
    );
    let url = format!("https://paper{}.example/{number}", number % 7);
    serde_json::json!({"url": url, "title": format!("{home} troops in {host}, {story}"), "text": text,
        "published": format!("2024-05-{day:02}T08:00:00Z")})
    .to_string()
}

fn worked(folder: &Path, pass: &str) -> (u64, u64) {
    let report = report(folder);
    let passes = report["passes"].as_array().unwrap();
    let found = passes.iter().find(|time| time["pass"] == pass).unwrap();
    (
        found["worked"].as_u64().unwrap(),
        found["reused"].as_u64().unwrap(),
    )
}

fn lines(numbers: impl Iterator<Item = usize>) -> String {
    numbers.map(|number| article(number) + "\n").collect()
}

#[test]
fn a_second_run_redoes_only_what_is_new() {
    let house = House::new("");
    house.add("monday.jsonl", &lines(0..20));
    house.run(&[]);
    assert_eq!(worked(&house.output(), "read"), (1, 0));
    assert!(!rows::<Event>(&house.output()).is_empty());
    assert!(
        rows::<Change>(&house.output()).is_empty(),
        "a first run has no changes"
    );

    house.add("tuesday.jsonl", &lines(20..30));
    house.run(&[]);
    assert_eq!(worked(&house.output(), "read"), (1, 1));
    let once = house.path("once");
    house.run_to(&once, &[]);
    assert_same(&house.output(), &once, "two days");
}

#[test]
fn nothing_new_is_said_and_makes_no_run() {
    let house = House::new("");
    house.add("monday.jsonl", &lines(0..5));
    house.run(&[]);
    let first = report(&house.output())["run_id"].clone();
    let command = house.command(&house.output(), &["--error-on-empty"]);
    let done = garrison(&command.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code(&done), Some(5), "{}", errors(&done));
    assert!(errors(&done).contains("nothing new"), "{}", errors(&done));
    house.run(&["--threads", "1"]);
    assert_eq!(report(&house.output())["run_id"], first);
}

#[test]
fn edited_knowledge_runs_extraction_again_and_nothing_else() {
    let house = House::new("");
    house.add("monday.jsonl", &lines(0..10));
    let knowledge = house.path("knowledge");
    copy_folder(Path::new("knowledge"), &knowledge);
    let flags = ["--knowledge", knowledge.to_str().unwrap()];
    house.run(&flags);
    let countries = knowledge.join("actors/countries.tsv");
    let text = std::fs::read_to_string(&countries).unwrap();
    std::fs::write(&countries, text + "# a comment more\n").unwrap();
    house.run(&flags);
    assert_eq!(worked(&house.output(), "read"), (0, 1));
    assert_eq!(worked(&house.output(), "extract"), (1, 0));
    assert!(
        rows::<Change>(&house.output()).is_empty(),
        "a comment changes no row"
    );
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn another_plan_redoes_what_depends_on_it() {
    let house = House::new("");
    house.add("monday.jsonl", &lines(0..10));
    house.run(&[]);
    house.plan("", "[extract]\nscope = \"political\"");
    house.run(&[]);
    assert_eq!(worked(&house.output(), "read"), (0, 1));
    assert_eq!(worked(&house.output(), "extract"), (1, 0));
    house.plan("", "[documents]\nmin_words = 9");
    house.run(&[]);
    assert_eq!(worked(&house.output(), "read"), (1, 0));
}

/// n daily runs equal one run over everything, for every table, however the input is cut and ordered.
#[test]
fn daily_runs_equal_one_run() {
    for seed in 0..4 {
        let mut random = Random(seed);
        let units = ["2KiB", "9KiB", "100KiB", "64MiB"];
        let unit = |random: &mut Random| format!("unit = {:?}", units[random.below(4)]);
        let house = House::new(&unit(&mut random));
        let mut files: Vec<(String, String)> = (0..6)
            .map(|number| {
                let first = random.below(30);
                let last = first + 1 + random.below(20);
                let name = format!("{:03}-{number}.jsonl", random.below(1000));
                (name, lines(first..last))
            })
            .collect();
        let mut samples: Vec<PathBuf> = std::fs::read_dir("sample_data")
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.is_file())
            .collect();
        samples.sort();
        random.shuffle(&mut files);
        random.shuffle(&mut samples);
        let mut day = 0;
        while !files.is_empty() || !samples.is_empty() {
            for (name, text) in files.drain(..files.len().min(1 + random.below(3))) {
                house.add(&name, &text);
            }
            for path in samples.drain(..samples.len().min(random.below(12))) {
                std::fs::copy(&path, house.input().join(path.file_name().unwrap())).unwrap();
            }
            let threads = (1 + random.below(3)).to_string();
            house.run(&["--threads", &threads]);
            day += 1;
        }
        let once = house.path("once");
        house.plan(&unit(&mut random), "");
        house.run_to(&once, &[]);
        assert_same(&house.output(), &once, &format!("seed {seed}, {day} days"));
    }
}

/// The tables of the run before, with the rows named by `changes` taken from the new run, are those of the new run.
fn assert_changes_lead<R: Row + std::fmt::Debug>(before: &Path, after: &Path, key: fn(&R) -> &str) {
    let of_table = |row: &Change| row.table_name.as_str() == R::TABLE;
    let changes: BTreeMap<String, ChangeKind> = rows::<Change>(after)
        .into_iter()
        .filter(of_table)
        .map(|row| (row.row_id.clone(), row.change))
        .collect();
    let texts = |folder: &Path| -> BTreeMap<String, String> {
        let text = |mut row: R| {
            row.set_run_id("");
            (key(&row).to_owned(), format!("{row:?}"))
        };
        rows::<R>(folder).into_iter().map(text).collect()
    };
    let (mut rows, new) = (texts(before), texts(after));
    for (id, change) in &changes {
        match change {
            ChangeKind::Added | ChangeKind::Changed => {
                let old = rows.insert(id.clone(), new[id].clone());
                assert_eq!(old.is_some(), *change == ChangeKind::Changed, "{} {id}", R::TABLE);
                assert_ne!(old.as_ref(), new.get(id), "{} {id} did not change", R::TABLE);
            }
            ChangeKind::Withdrawn | ChangeKind::Merged => {
                assert!(rows.remove(id).is_some(), "{} {id} was not there", R::TABLE);
            }
        }
    }
    assert_eq!(rows, new, "{}", R::TABLE);
}

#[test]
fn the_last_run_and_changes_make_the_new_run() {
    let house = House::new("");
    house.add("a.jsonl", &lines(10..40));
    house.add("gone.jsonl", &lines(50..60));
    house.run(&[]);
    house.add("0.jsonl", &lines(0..14));
    std::fs::remove_file(house.input().join("gone.jsonl")).unwrap();
    house.run(&[]);
    let runs = garrison::output::run_folders(&house.output()).unwrap();
    let (before, after) = (&runs[0], &runs[1]);
    assert_changes_lead::<Document>(before, after, |row| &row.document_id);
    assert_changes_lead::<Duplicate>(before, after, |row| &row.document_id);
    assert_changes_lead::<Mention>(before, after, |row| &row.mention_id);
    assert_changes_lead::<Event>(before, after, |row| &row.event_id);
    assert_changes_lead::<Incident>(before, after, |row| &row.incident_id);
    assert_changes_lead::<Sentiment>(before, after, |row| &row.sentiment_id);
    assert_changes_lead::<Survey>(before, after, |row| &row.survey_id);
    let changes = rows::<Change>(after);
    let has = |kind, reason| {
        let found = changes
            .iter()
            .any(|row| (row.change, row.reason) == (kind, reason));
        assert!(found, "no row was {kind} because of {reason}");
    };
    has(ChangeKind::Added, ChangeReason::NewInput);
    has(ChangeKind::Withdrawn, ChangeReason::InputGone);
    has(ChangeKind::Changed, ChangeReason::Neighbours);
    let merged: Vec<_> = changes
        .iter()
        .filter(|row| row.change == ChangeKind::Merged)
        .collect();
    let incidents = rows::<Incident>(after);
    for row in &merged {
        let holder = row.merged_into.as_deref().unwrap();
        assert!(incidents.iter().any(|incident| incident.incident_id == holder));
    }
    assert!(!merged.is_empty(), "an earlier telling takes over an incident");

    let name = |run: &Path| run.file_name().unwrap().to_str().unwrap().to_owned();
    let output = house.output().display().to_string();
    let shown = garrison(&["diff", &name(before), &name(after), "--output", &output, "--rows"]);
    assert_eq!(
        String::from_utf8_lossy(&shown.stdout).lines().count(),
        changes.len()
    );
    let listed = garrison(&["runs", &output]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.lines().count() == 2 && listed.starts_with(&format!("* {}", name(after))),
        "{listed}"
    );
    assert_eq!(
        code(&garrison(&["diff", "no", "such", "--output", &output])),
        Some(1)
    );
}

#[test]
fn only_so_many_runs_are_kept() {
    let house = House::new("");
    for day in 0..4 {
        house.add(&format!("{day}.jsonl"), &lines(day..day + 1));
        house.run(&[]);
    }
    assert_eq!(garrison::output::run_folders(&house.output()).unwrap().len(), 2);
}
