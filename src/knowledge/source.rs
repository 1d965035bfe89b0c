//! Where knowledge comes from: the folder built into the binary, or one an analyst edits.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;

use crate::id;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/knowledge");

/// A folder of knowledge files.
#[derive(Debug, Clone)]
pub enum Source {
    /// The one that was built in.
    BuiltIn,
    /// One on disk.
    Folder(PathBuf),
}

/// One thing that is wrong in a knowledge file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as a path under `knowledge/`.
    pub file: String,
    /// The line, from 1, where one can be named.
    pub line: Option<u64>,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "knowledge/{}:{line}: {}", self.file, self.message),
            None => write!(formatter, "knowledge/{}: {}", self.file, self.message),
        }
    }
}

/// A row of a knowledge table with the line it stands in.
pub struct Line<T> {
    /// The line, from 1.
    pub number: u64,
    /// The row.
    pub row: T,
}

/// Reads knowledge files and gathers what is wrong with them.
pub struct Reader {
    source: Source,
    /// Everything found wrong so far.
    pub faults: Vec<Fault>,
    /// The files read so far and the hashes of their content.
    pub files: BTreeMap<String, u128>,
}

impl Reader {
    /// A reader of a source.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            faults: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    /// Notes a fault.
    pub fn fault(&mut self, file: &str, line: Option<u64>, message: String) {
        self.faults.push(Fault {
            file: file.to_owned(),
            line,
            message,
        });
    }

    /// The bytes of a file; a missing one is a fault.
    pub fn bytes(&mut self, file: &str) -> Cow<'static, [u8]> {
        let found = match &self.source {
            Source::BuiltIn => BUILT_IN
                .get_file(file)
                .map(|file| Cow::Borrowed(file.contents()))
                .ok_or("no such file".to_owned()),
            Source::Folder(folder) => std::fs::read(folder.join(file))
                .map(Cow::Owned)
                .map_err(|error| error.to_string()),
        };
        let bytes = found.unwrap_or_else(|message| {
            self.fault(file, None, message);
            Cow::Borrowed(b"")
        });
        self.files.insert(file.to_owned(), id::hash(&[&bytes]));
        bytes
    }

    /// Whether there is such a file.
    pub fn has(&self, file: &str) -> bool {
        match &self.source {
            Source::BuiltIn => BUILT_IN.get_file(file).is_some(),
            Source::Folder(folder) => folder.join(file).is_file(),
        }
    }

    /// The text of a file; a missing one and one that is not UTF-8 are faults.
    pub fn text(&mut self, file: &str) -> String {
        match String::from_utf8(self.bytes(file).into_owned()) {
            Ok(text) => text,
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..good]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count() as u64
                    + 1;
                self.fault(file, Some(line), "not UTF-8; save the file as UTF-8".to_owned());
                String::new()
            }
        }
    }

    /// The names of the files of a folder that end in `ending`, sorted.
    pub fn list(&self, folder: &str, ending: &str) -> Vec<String> {
        let mut names: Vec<String> = match &self.source {
            Source::BuiltIn => BUILT_IN
                .get_dir(folder)
                .map(|dir| {
                    dir.files()
                        .map(|file| file.path().display().to_string())
                        .collect()
                })
                .unwrap_or_default(),
            Source::Folder(root) => std::fs::read_dir(root.join(folder))
                .map(|files| {
                    files
                        .flatten()
                        .map(|file| format!("{folder}/{}", file.file_name().display()))
                        .collect()
                })
                .unwrap_or_default(),
        };
        names.retain(|name| name.ends_with(ending));
        names.sort_unstable();
        names
    }

    /// The names of the folders in a folder, sorted.
    pub fn folders(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = match &self.source {
            Source::BuiltIn => BUILT_IN
                .get_dir(folder)
                .map(|dir| {
                    dir.dirs()
                        .filter_map(|dir| Some(dir.path().file_name()?.display().to_string()))
                        .collect()
                })
                .unwrap_or_default(),
            Source::Folder(root) => std::fs::read_dir(root.join(folder))
                .map(|files| {
                    let folders = files.flatten().filter(|file| file.path().is_dir());
                    folders
                        .map(|file| file.file_name().display().to_string())
                        .collect()
                })
                .unwrap_or_default(),
        };
        names.sort_unstable();
        names
    }

    /// The rows of a tab-separated file: the first line names the columns, lines that begin with `#` are comments.
    /// A row that does not fit is a fault with its line, and left out.
    pub fn table<T: DeserializeOwned>(&mut self, file: &str) -> Vec<Line<T>> {
        let text = self.text(file);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b'\t')
            .comment(Some(b'#'))
            .quoting(false)
            .from_reader(text.as_bytes());
        let headers = match reader.headers() {
            Ok(headers) => headers.clone(),
            Err(error) => {
                self.fault(file, Some(1), error.to_string());
                return Vec::new();
            }
        };
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map(csv::Position::line);
                    let found = match error.kind() {
                        csv::ErrorKind::UnequalLengths {
                            expected_len, len, ..
                        } => {
                            format!(
                                "{len} columns where the first line names {expected_len}; columns are separated by tabs"
                            )
                        }
                        _ => error.to_string(),
                    };
                    self.fault(file, line, found);
                    continue;
                }
            };
            let number = record.position().map_or(0, csv::Position::line);
            match record.deserialize(Some(&headers)) {
                Ok(row) => rows.push(Line { number, row }),
                Err(error) => self.fault(file, Some(number), plain(&error, &headers)),
            }
        }
        rows
    }

    /// A TOML file as a value; faults name the line.
    pub fn toml<T: DeserializeOwned + Default>(&mut self, file: &str) -> T {
        let text = self.text(file);
        match toml::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                let line = error
                    .span()
                    .map(|span| text[..span.start].matches('\n').count() as u64 + 1);
                self.fault(file, line, error.message().to_owned());
                T::default()
            }
        }
    }
}

/// A deserialization error with the column's name in place of its number.
fn plain(error: &csv::Error, headers: &csv::StringRecord) -> String {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else {
        return error.to_string();
    };
    match err.field().and_then(|field| headers.get(field as usize)) {
        Some(column) => format!("column `{column}`: {}", err.kind()),
        None => err.kind().to_string(),
    }
}

/// For `#[serde(deserialize_with)]`: a cell that lists words between `|`.
pub fn listed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let cell = <Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
    Ok(cell
        .split('|')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}
