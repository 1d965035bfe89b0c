//! What is there to read, and what does it hold? Files with the hash of their content, by which results are kept.
//!
//! A file is hashed once: as long as its length, place and time of change stay the same, so does its hash.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::input::{self, Fault, InputFile};
use crate::output::{self, Store};
use crate::plan::Plan;
use crate::unit::Driver;
use crate::{id, kill, objects};

/// Everything a run reads.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files, sorted by path.
    pub files: Vec<Input>,
    /// What was met that is no file or cannot be read.
    pub faults: Vec<Fault>,
}

/// One file and what it holds.
#[derive(Debug, Clone)]
pub struct Input {
    /// The file.
    pub file: InputFile,
    /// XXH3-128 of its content, in hexadecimal, or `etag` and the entity tag of an object; `None` for standard input and files that cannot be read.
    pub content: Option<String>,
    /// What the system said of the file before it was hashed; `None` for what is no file.
    pub stamp: Option<Stamp>,
}

impl Inputs {
    /// Names what is read, content and all; `None` where it cannot be known before it is read.
    pub fn identity(&self) -> Option<u128> {
        let mut parts: Vec<Vec<u8>> = Vec::with_capacity(2 * self.files.len());
        for input in &self.files {
            parts.push(input.file.shown.as_bytes().to_vec());
            parts.push(input.content.as_ref()?.as_bytes().to_vec());
        }
        parts.extend(self.faults.iter().map(|fault| format!("{fault:?}").into_bytes()));
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Some(id::hash(&parts))
    }
}

/// Finds what the plan reads and hashes what has changed since it was hashed last.
///
/// # Errors
/// A pattern of the plan finds nothing, or the output folder cannot be written.
pub fn find(plan: &Plan, store: &Store, driver: &Driver) -> Result<Inputs> {
    driver.barrier("find", || {
        let (inputs, seen) = hashed(plan, &store.kept())?;
        seen.write(&store.kept())?;
        kill::point("find: files hashed");
        Ok(inputs)
    })
}

/// As [`find`], for one who only wants to know: nothing is written.
///
/// # Errors
/// A pattern of the plan finds nothing.
pub fn look(plan: &Plan, output: &Path) -> Result<Inputs> {
    Ok(hashed(plan, &output::kept_folder(output))?.0)
}

fn hashed(plan: &Plan, kept: &Path) -> Result<(Inputs, Known)> {
    let (addresses, paths): (Vec<String>, Vec<String>) = plan
        .input
        .paths
        .iter()
        .cloned()
        .partition(|path| objects::is_address(path));
    let found = input::discover(&paths)?;
    let known = Known::read(kept);
    let hashed: Vec<(Input, Option<Seen>)> =
        found.files.into_par_iter().map(|file| known.hash(file)).collect();
    let seen = hashed
        .iter()
        .filter_map(|(input, seen)| Some((input.file.shown.to_string(), seen.clone()?)));
    let seen = Known(seen.collect());
    let mut inputs = Inputs {
        files: hashed.into_iter().map(|(input, _)| input).collect(),
        faults: found.faults,
    };
    for address in addresses {
        inputs
            .files
            .extend(objects::list(&address)?.into_iter().map(|object| Input {
                file: objects::file_of(&object, &kept.with_file_name("work")),
                content: Some(object.content),
                stamp: None,
            }));
    }
    inputs
        .files
        .sort_by(|one, other| one.file.shown.cmp(&other.file.shown));
    inputs
        .files
        .dedup_by(|one, other| one.file.shown == other.file.shown);
    Ok((inputs, seen))
}

/// What the system says of a file; as long as it is the same, the content is taken to be the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    bytes: u64,
    inode: u64,
    /// Seconds and nanoseconds of the last change of content or attributes, which no program can set back.
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file as it is now, if it is there.
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            bytes: found.len(),
            inode: found.ino(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// A file changed within the last two seconds may change again without its time showing it.
    fn is_settled(&self) -> bool {
        jiff::Timestamp::now().as_second() - self.changed.0 > 2
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    stamp: Stamp,
    content: String,
}

/// Hashes of the last run, by path.
struct Known(HashMap<String, Seen>);

const FILE: &str = "inputs.json";

impl Known {
    /// What cannot be read is not known.
    fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join(FILE)).unwrap_or_default();
        Self(serde_json::from_slice(&text).unwrap_or_default())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let sorted: BTreeMap<&String, &Seen> = self.0.iter().collect();
        output::write_file(&folder.join(FILE), &serde_json::to_vec(&sorted)?)
    }

    /// A file with its content's hash, and what to remember of it.
    fn hash(&self, file: InputFile) -> (Input, Option<Seen>) {
        if file.is_stdin() {
            return (
                Input {
                    file,
                    content: None,
                    stamp: None,
                },
                None,
            );
        }
        let stamp = Stamp::of(&file.path);
        let known = self
            .0
            .get(&*file.shown)
            .filter(|seen| Some(&seen.stamp) == stamp.as_ref());
        let content = match known {
            Some(seen) => Some(seen.content.clone()),
            None => hash_file(&file.path).ok(),
        };
        let seen = stamp
            .clone()
            .filter(Stamp::is_settled)
            .zip(content.clone())
            .map(|(stamp, content)| Seen { stamp, content });
        (Input { file, content, stamp }, seen)
    }
}

/// XXH3-128 of a file, in hexadecimal.
///
/// # Errors
/// The file cannot be read.
pub fn hash_file(path: &Path) -> std::io::Result<String> {
    let mut hasher = Xxh3Default::new();
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match std::io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(format!("{:032x}", hasher.digest128())),
            length => hasher.update(&buffer[..length]),
        }
    }
}
