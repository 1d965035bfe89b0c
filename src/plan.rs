//! `pipelines/*.toml` to a [`Plan`]: strict, all faults at once, each with its place and how to mend it.
//!
//! Two steps: what the user wrote is read key by key into plain values; what the program uses is checked and
//! built before any work starts. Paths are relative to the folder the program is started in.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::objects;

/// One run, checked: what to read, what to make, where to put it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Name of the pipeline, for the summary and `run.json`.
    pub name: String,
    /// What to read.
    pub input: Input,
    /// Folder of the tables, or, where they go to `output_address`, of what is kept between runs.
    pub output: PathBuf,
    /// Address of objects that the tables are brought to, such as `s3://bucket/folder`.
    pub output_address: Option<String>,
    /// Finished runs whose tables are kept, the newest included.
    pub keep_runs: usize,
    /// What becomes a document.
    pub documents: Documents,
    /// How copies are found; `None` leaves every document unique.
    pub dedup: Option<Dedup>,
    /// What is read out of the documents; `None` stops after `documents` and `duplicates`.
    pub extract: Option<Extract>,
    /// Share of records that may be rejected before the run ends with exit code 3, 0 to 1.
    pub max_rejects: f64,
    /// Size of a unit of input, in bytes. The tables do not depend on it.
    pub unit_bytes: u64,
    /// Memory the run may take, in bytes.
    pub memory_bytes: u64,
    /// Worker threads; 0 takes one per core.
    pub threads: usize,
    /// Folder with knowledge to use in place of what is built in.
    pub knowledge: Option<PathBuf>,
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// Files, folders, glob patterns, or `-` for standard input.
    pub paths: Vec<String>,
    /// Field of a document to the name it has in the records, for records whose names are not recognised.
    pub fields: BTreeMap<String, String>,
    /// A record larger than this is rejected, in bytes.
    pub max_record_bytes: u64,
}

/// What becomes a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Documents {
    /// A text of fewer words is rejected.
    pub min_words: usize,
}

/// How copies are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dedup {
    /// Documents further apart than this are not compared, in days; `None` compares all.
    pub window_days: Option<u32>,
}

/// What is read out of the documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extract {
    /// Which events are wanted.
    pub scope: Scope,
}

/// Which events are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Only what concerns a foreign force.
    ForeignForces,
    /// Every political event.
    Political,
}

/// What the command line sets over the plan.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Inputs in place of the plan's.
    pub input: Vec<String>,
    /// Output folder in place of the plan's.
    pub output: Option<PathBuf>,
    /// Worker threads in place of the plan's.
    pub threads: Option<usize>,
    /// Memory in place of the plan's, such as `4GiB`.
    pub memory: Option<String>,
    /// Knowledge folder in place of the plan's.
    pub knowledge: Option<PathBuf>,
}

/// Everything that is wrong with a plan.
#[derive(Debug)]
pub struct Faults {
    path: String,
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    line: Option<usize>,
    message: String,
}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        write!(
            formatter,
            "{} has {count} fault{}",
            self.path,
            if count == 1 { "" } else { "s" }
        )?;
        for fault in &self.faults {
            match fault.line {
                Some(line) => write!(formatter, "\n  line {line}: {}", fault.message)?,
                None => write!(formatter, "\n  {}", fault.message)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Reads and checks the plan in a file, with what the command line sets over it.
///
/// # Errors
/// Every fault of the file at once: unknown keys with the nearest right word, wrong values, missing inputs.
pub fn read(path: &Path, overrides: &Overrides) -> Result<Plan, Faults> {
    let name = path.display().to_string();
    let fault = |message| Faults {
        path: name.clone(),
        faults: vec![Fault { line: None, message }],
    };
    let text =
        std::fs::read_to_string(path).map_err(|error| fault(format!("the file cannot be read: {error}")))?;
    parse(&name, &text, overrides)
}

/// Reads and checks a plan given as text; `path` names it in messages.
///
/// # Errors
/// As [`read`].
pub fn parse(path: &str, text: &str, overrides: &Overrides) -> Result<Plan, Faults> {
    let mut reader = Reader {
        text,
        faults: Vec::new(),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.fault(error.span(), error.message().to_owned());
    }
    let plan = reader.plan(table.get_ref(), overrides);
    let mut faults = reader.faults;
    match plan {
        Some(plan) if faults.is_empty() => Ok(plan),
        _ => {
            faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
            Err(Faults {
                path: path.to_owned(),
                faults,
            })
        }
    }
}

/// A size such as `512MiB`, `4GiB`, `1.5GB` or a plain number of bytes.
///
/// # Errors
/// Says what a size looks like.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let factor = match text[digits..].trim() {
        "" | "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => f64::NAN,
    };
    match text[..digits].parse::<f64>() {
        Ok(number) if factor.is_finite() => Ok((number * factor) as u64),
        _ => Err(format!(
            "`{text}` is not a size: write a number with B, KB, KiB, MB, MiB, GB or GiB, such as 4GiB"
        )),
    }
}

/// The word of `known` nearest to `word`, if any is near enough to be meant.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let scored = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate));
    scored
        .min()
        .filter(|(distance, best)| *distance <= 2.max(best.len() / 3))
        .map(|(_, best)| best)
}

struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

/// What stands under `[output]`.
struct Output {
    folder: Option<PathBuf>,
    address: Option<String>,
    keep_runs: usize,
}

/// What stands under `[run]`.
struct Run {
    threads: usize,
    memory_bytes: u64,
    unit_bytes: u64,
    max_rejects: f64,
    knowledge: Option<PathBuf>,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl<'t> Reader<'t> {
    fn plan(&mut self, root: &DeTable<'t>, overrides: &Overrides) -> Option<Plan> {
        self.known(
            root,
            "the plan",
            &["name", "input", "output", "documents", "dedup", "extract", "run"],
        );
        let name = self.string(root, "name").unwrap_or_else(|| "garrison".to_owned());
        let input = self.input(root, overrides);
        let output = self.output(root, overrides);
        let documents = self.table(root, "documents", &["min_words"], |reader, table| Documents {
            min_words: reader
                .integer(table, "min_words", 0..=10_000)
                .unwrap_or(MIN_WORDS) as usize,
        });
        let dedup = self.table(root, "dedup", &["enabled", "window_days"], |reader, table| {
            let window_days = reader
                .integer(table, "window_days", 1..=36_500)
                .map(|days| days as u32);
            reader
                .boolean(table, "enabled")
                .unwrap_or(true)
                .then_some(Dedup { window_days })
        });
        let extract = self.table(root, "extract", &["enabled", "scope"], |reader, table| {
            let scope = reader.scope(table);
            reader
                .boolean(table, "enabled")
                .unwrap_or(true)
                .then_some(Extract { scope })
        });
        let run_keys = ["threads", "memory", "max_rejects", "knowledge", "unit"];
        let run = self.table(root, "run", &run_keys, |reader, table| {
            reader.run(table, overrides)
        });
        Some(Plan {
            name,
            input,
            output: output.folder?,
            output_address: output.address,
            keep_runs: output.keep_runs,
            documents,
            dedup,
            extract,
            max_rejects: run.max_rejects,
            unit_bytes: run.unit_bytes,
            memory_bytes: run.memory_bytes,
            threads: run.threads,
            knowledge: run.knowledge,
        })
    }

    fn input(&mut self, root: &DeTable<'t>, overrides: &Overrides) -> Input {
        self.table(
            root,
            "input",
            &["paths", "fields", "max_record_bytes"],
            |reader, table| {
                let written = reader.strings(table, "paths");
                let paths = if overrides.input.is_empty() {
                    written
                } else {
                    overrides.input.clone()
                };
                if paths.is_empty() {
                    let at = root.get("input").map(Spanned::span);
                    reader.fault(
                        at,
                        "nothing to read: write `paths = [\"folder\"]` under [input], or give --input".into(),
                    );
                }
                for path in &paths {
                    reader.check_input(table, path);
                }
                let max_record_bytes = reader.size(table, "max_record_bytes").unwrap_or(MAX_RECORD_BYTES);
                Input {
                    paths,
                    fields: reader.fields(table),
                    max_record_bytes,
                }
            },
        )
    }

    /// A path that is neither there nor a pattern is a fault of the plan; an empty folder is not.
    fn check_input(&mut self, table: &DeTable<'t>, path: &str) {
        let is_pattern = path.contains(['*', '?', '[', '{']);
        if path != "-" && !is_pattern && !objects::is_address(path) && !Path::new(path).exists() {
            let at = table.get("paths").map(Spanned::span);
            self.fault(
                at,
                format!("input `{path}` does not exist (paths start at the folder garrison is run in)"),
            );
        }
    }

    fn fields(&mut self, table: &DeTable<'t>) -> BTreeMap<String, String> {
        let roles: Vec<&str> = crate::input::Role::ALL.iter().map(|role| role.as_str()).collect();
        self.table(table, "fields", &roles, |reader, fields| {
            let keys: Vec<String> = fields.keys().map(|key| key.get_ref().to_string()).collect();
            keys.into_iter()
                .filter_map(|key| Some((key.clone(), reader.string(fields, &key)?)))
                .collect()
        })
    }

    fn output(&mut self, root: &DeTable<'t>, overrides: &Overrides) -> Output {
        let keys = ["folder", "keep_runs", "work"];
        let (written, keep_runs, work) = self.table(root, "output", &keys, |reader, table| {
            let keep_runs = reader.integer(table, "keep_runs", 1..=100_000);
            let work = reader.string(table, "work").map(PathBuf::from);
            (
                reader.string(table, "folder"),
                keep_runs.unwrap_or(KEEP_RUNS) as usize,
                work,
            )
        });
        let folder = overrides.output.clone().or_else(|| written.map(PathBuf::from));
        if folder.is_none() {
            let at = root.get("output").map(Spanned::span);
            self.fault(
                at,
                "nowhere to write: write `folder = \"out\"` under [output], or give --output".into(),
            );
        }
        let address = folder
            .as_ref()
            .and_then(|folder| folder.to_str())
            .filter(|folder| objects::is_address(folder));
        match address.map(str::to_owned) {
            Some(address) => Output {
                folder: Some(work.unwrap_or_else(|| objects::default_work(&address))),
                address: Some(address),
                keep_runs,
            },
            None => Output {
                folder,
                address: None,
                keep_runs,
            },
        }
    }

    fn scope(&mut self, table: &DeTable<'t>) -> Scope {
        match self.string(table, "scope").as_deref() {
            None | Some("foreign_forces") => Scope::ForeignForces,
            Some("political") => Scope::Political,
            Some(other) => {
                let message = format!("`scope` is \"foreign_forces\" or \"political\", not \"{other}\"");
                self.fault(table.get("scope").map(Spanned::span), message);
                Scope::ForeignForces
            }
        }
    }

    fn run(&mut self, table: &DeTable<'t>, overrides: &Overrides) -> Run {
        let written = self.integer(table, "threads", 0..=4096).unwrap_or(0) as usize;
        let threads = overrides.threads.unwrap_or(written);
        let mut memory_bytes = self.size(table, "memory").unwrap_or(MEMORY_BYTES);
        if let Some(size) = &overrides.memory {
            match parse_bytes(size) {
                Ok(bytes) => memory_bytes = bytes,
                Err(message) => self.fault(None, format!("--memory: {message}")),
            }
        }
        if memory_bytes < MEMORY_BYTES_LEAST {
            let message = format!("memory of {memory_bytes} bytes is too little: at least 256MiB is needed");
            self.fault(table.get("memory").map(Spanned::span), message);
        }
        let unit_bytes = self.size(table, "unit").unwrap_or(UNIT_BYTES);
        if unit_bytes == 0 {
            let message = "`unit` must be more than 0, such as 64MiB".to_owned();
            self.fault(table.get("unit").map(Spanned::span), message);
        }
        let max_rejects = self.share(table, "max_rejects").unwrap_or(MAX_REJECTS);
        let written = self.string(table, "knowledge").map(PathBuf::from);
        let knowledge = overrides.knowledge.clone().or(written);
        if let Some(folder) = knowledge.as_ref().filter(|folder| !folder.is_dir()) {
            let message = format!("knowledge folder `{}` does not exist", folder.display());
            self.fault(table.get("knowledge").map(Spanned::span), message);
        }
        Run {
            threads,
            memory_bytes,
            unit_bytes,
            max_rejects,
            knowledge,
        }
    }

    fn fault(&mut self, span: Option<Range<usize>>, message: String) {
        let line = span.map(|span| self.text[..span.start.min(self.text.len())].matches('\n').count() + 1);
        self.faults.push(Fault { line, message });
    }

    /// Faults every key of a table that is not known, with the nearest one that is.
    fn known(&mut self, table: &DeTable<'t>, place: &str, known: &[&str]) {
        for key in table.keys() {
            let word = key.get_ref();
            if !known.contains(&word.as_ref()) {
                let hint = match nearest(word, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known keys: {}", known.join(", ")),
                };
                self.fault(
                    Some(key.span()),
                    format!("unknown key `{word}` in {place}; {hint}"),
                );
            }
        }
    }

    /// Reads the table under a key; a missing one reads as an empty one, so that defaults stand in one place.
    fn table<T>(
        &mut self,
        parent: &DeTable<'t>,
        key: &str,
        known: &[&str],
        read: impl FnOnce(&mut Self, &DeTable<'t>) -> T,
    ) -> T {
        let empty = DeTable::default();
        let value = parent.get(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            self.wrong_type(value, key, "a table");
        }
        let table = table.unwrap_or(&empty);
        self.known(table, &format!("[{key}]"), known);
        read(self, table)
    }

    fn wrong_type(&mut self, value: &Value<'t>, key: &str, wanted: &str) {
        let message = format!("`{key}` must be {wanted}, not {}", value.get_ref().type_str());
        self.fault(Some(value.span()), message);
    }

    fn string(&mut self, table: &DeTable<'t>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong_type(value, key, "text in quotes");
        }
        text
    }

    fn strings(&mut self, table: &DeTable<'t>, key: &str) -> Vec<String> {
        let Some(value) = table.get(key) else {
            return Vec::new();
        };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(value, key, "a list of texts, such as [\"folder\"]");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong_type(item, key, "a list of texts"),
            }
        }
        texts
    }

    fn boolean(&mut self, table: &DeTable<'t>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, key, "true or false");
        }
        flag
    }

    fn integer(
        &mut self,
        table: &DeTable<'t>,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = table.get(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| number.as_str().replace('_', "").parse().ok());
        match number {
            Some(number) if range.contains(&number) => Some(number),
            Some(number) => {
                let message = format!(
                    "`{key}` must be between {} and {}, not {number}",
                    range.start(),
                    range.end()
                );
                self.fault(Some(value.span()), message);
                None
            }
            None => {
                self.wrong_type(value, key, "a whole number");
                None
            }
        }
    }

    fn share(&mut self, table: &DeTable<'t>, key: &str) -> Option<f64> {
        let value = table.get(key)?;
        let number = match value.get_ref() {
            DeValue::Float(number) => number.as_str().parse().ok(),
            DeValue::Integer(number) => number.as_str().parse().ok(),
            _ => None,
        };
        if !number.is_some_and(|share: f64| (0.0..=1.0).contains(&share)) {
            self.fault(
                Some(value.span()),
                format!("`{key}` must be a share between 0 and 1, such as 0.05"),
            );
        }
        number
    }

    fn size(&mut self, table: &DeTable<'t>, key: &str) -> Option<u64> {
        let text = self.string(table, key)?;
        match parse_bytes(&text) {
            Ok(bytes) => Some(bytes),
            Err(message) => {
                self.fault(table.get(key).map(Spanned::span), format!("`{key}`: {message}"));
                None
            }
        }
    }
}

/// Fewer words are a teaser or a caption, not an article.
const MIN_WORDS: i64 = 8;
/// No news article comes near it; larger records are binary junk or a whole archive in one field.
const MAX_RECORD_BYTES: u64 = 32 << 20;
const MEMORY_BYTES: u64 = 4 << 30;
const MEMORY_BYTES_LEAST: u64 = 256 << 20;
const MAX_REJECTS: f64 = 0.05;
/// Size of a unit of input, if the plan says nothing: large enough to keep overheads small, small enough to spread and
/// to redo.
pub const UNIT_BYTES: u64 = 64 << 20;
/// Today's tables, yesterday's, and one to look at when both are in doubt.
const KEEP_RUNS: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = match parse("plan.toml", text, &Overrides::default()) {
            Ok(_) => Vec::new(),
            Err(faults) => faults
                .to_string()
                .lines()
                .skip(1)
                .map(|line| line.trim().to_owned())
                .collect(),
        };
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found} has no {expected}");
        }
    }

    const INPUT: &str = "[input]\npaths = [\"src\"]\n[output]\nfolder = \"out\"\n";

    #[test]
    fn a_small_plan_is_enough() {
        check(INPUT, &[]);
    }

    #[test]
    fn all_faults_are_reported_at_once_with_their_lines() {
        check(
            "nme = \"x\"\n[input]\npaths = [\"no_such_folder\", 3]\n[output]\nfolder = 7\n[dedup]\nwindow_days = 0\n[run]\nmemory = \"lots\"\nmax_rejects = 2\n",
            &[
                "line 1: unknown key `nme` in the plan; did you mean `name`?",
                "line 3: `paths` must be a list of texts",
                "line 3: input `no_such_folder` does not exist",
                "line 4: nowhere to write",
                "line 5: `folder` must be text in quotes, not integer",
                "line 7: `window_days` must be between 1 and 36500, not 0",
                "line 9: `memory`: `lots` is not a size",
                "line 10: `max_rejects` must be a share",
            ],
        );
    }

    #[test]
    fn broken_toml_is_a_fault_with_its_line() {
        check(&format!("{INPUT}[dedup\n"), &["line 5: "]);
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_bytes("4GiB"), Ok(4 << 30));
        assert_eq!(parse_bytes("1.5 GB"), Ok(1_500_000_000));
        assert_eq!(parse_bytes("1024"), Ok(1024));
        assert!(parse_bytes("4 potatoes").is_err());
    }
}
