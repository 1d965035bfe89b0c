//! What have earlier runs left that need not be done again?
//!
//! The result of each pass is kept per unit under `.garrison/kept`, in a folder named by a key: a hash of everything
//! the result was made from (content of the input, the part of the plan and of the knowledge that the pass uses, the
//! program). A folder appears by rename when its unit is done, so that what is there is whole, after a kill as well.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::input::{self, Cut, InputFile, Piece};
use crate::inputs::{self, Input, Stamp};
use crate::knowledge::Knowledge;
use crate::output::{self, Store};
use crate::parts::Part;
use crate::plan::Plan;
use crate::{id, kill};

/// Results of earlier runs and of this one.
pub struct Kept {
    folder: PathBuf,
    run_id: String,
    settings: Settings,
    used: Mutex<HashSet<PathBuf>>,
}

/// Hashes of what results depend on besides the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The program: its version and its file.
    pub program: u128,
    /// What the plan says of the content of tables.
    pub plan: u128,
    /// The knowledge as a whole.
    pub knowledge: u128,
    reading: u128,
    finding: u128,
}

impl Settings {
    /// The settings of a run.
    ///
    /// # Errors
    /// The program's own file cannot be read.
    pub fn of(plan: &Plan, knowledge: &Knowledge) -> Result<Self> {
        let program = std::env::current_exe()?;
        let file = inputs::hash_file(&program).with_context(|| program.display().to_string())?;
        let reading = serde_json::to_vec(&(
            &plan.input.fields,
            plan.input.max_record_bytes,
            &plan.documents,
            plan.unit_bytes,
        ))?;
        let (extract, dedup) = (
            serde_json::to_vec(&plan.extract)?,
            serde_json::to_vec(&plan.dedup)?,
        );
        Ok(Self {
            program: id::hash(&[env!("CARGO_PKG_VERSION").as_bytes(), file.as_bytes()]),
            plan: id::hash(&[&reading, &extract, &dedup]),
            knowledge: knowledge.whole,
            reading: id::hash(&[&reading, &knowledge.reading.to_le_bytes()]),
            finding: id::hash(&[&extract, &knowledge.whole.to_le_bytes()]),
        })
    }

    /// One name for all of it.
    pub fn identity(&self) -> u128 {
        hash_numbers(&[self.program, self.plan, self.knowledge])
    }

    fn read_key(&self, pieces: &[KeptPiece]) -> Result<String> {
        let settings = hash_numbers(&[self.program, self.reading]).to_le_bytes();
        Ok(id::of("r", &[&settings, &serde_json::to_vec(pieces)?]))
    }
}

fn hash_numbers(numbers: &[u128]) -> u128 {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    id::hash(&[&bytes])
}

/// A unit of input with the key of its result.
#[derive(Debug)]
pub struct Task {
    /// What is read.
    pub unit: input::Unit,
    /// Key of the result.
    pub key: String,
    pieces: Vec<KeptPiece>,
    stamps: Vec<Option<Stamp>>,
}

impl Task {
    /// The unit as messages name it, its first file and how many more there are, and its size in bytes.
    pub fn name_and_bytes(&self) -> (String, u64) {
        (self.name(), self.unit.bytes)
    }

    fn name(&self) -> String {
        let first = self.pieces.first().map_or("nothing", |piece| &piece.path);
        match (
            self.pieces.len(),
            self.pieces.first().and_then(|piece| piece.range),
        ) {
            (1, Some((start, end, _))) => format!("{first} (from {start} to {end})"),
            (0 | 1, _) => first.to_owned(),
            (files, _) => format!("{first} and {} more", files - 1),
        }
    }
}

/// What a unit was made of, kept beside its result.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    pieces: Vec<KeptPiece>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct KeptPiece {
    path: String,
    content: Option<String>,
    range: Option<(u64, u64, i64)>,
}

const MANIFEST: &str = "unit.json";

impl Kept {
    /// What is kept under an output folder.
    ///
    /// # Errors
    /// The folder cannot be made or tidied.
    pub fn open(store: &Store, settings: Settings) -> Result<Self> {
        let kept = Self {
            run_id: store.run_id().to_owned(),
            ..Self::look(store.folder(), settings)
        };
        for pass in ["read", "found"] {
            fs::create_dir_all(kept.folder.join(pass))?;
            for folder in folders(&kept.folder.join(pass))? {
                if folder.extension().is_some() {
                    output::remove_folder(&folder)?;
                }
            }
        }
        Ok(kept)
    }

    /// What is kept under an output folder, for one who only wants to know.
    pub fn look(output: &Path, settings: Settings) -> Self {
        Self {
            folder: output::kept_folder(output),
            run_id: String::new(),
            settings,
            used: Mutex::default(),
        }
    }

    /// Whether the result of a unit is kept.
    pub fn has_parts(&self, task: &Task) -> bool {
        self.folder.join("read").join(&task.key).exists()
    }

    /// Cuts the inputs into units. Files that were read together and are all unchanged stay together, so that a
    /// file more makes a unit more and changes none; the rest is cut anew.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub fn units(&self, inputs: &[Input], unit_bytes: u64) -> Result<Vec<Task>> {
        let mut left: HashMap<&str, &Input> =
            inputs.iter().map(|input| (&*input.file.shown, input)).collect();
        let known: HashMap<&str, &Input> = inputs.iter().map(|input| (&*input.file.shown, input)).collect();
        let mut tasks = Vec::new();
        for folder in folders(&self.folder.join("read"))? {
            let Ok(manifest) = manifest(&folder) else { continue };
            let together: Option<Vec<&Input>> = manifest
                .pieces
                .iter()
                .map(|piece| match piece.range {
                    None => Some(*left.get(&*piece.path)?).filter(|input| input.content == piece.content),
                    Some(_) => None,
                })
                .collect();
            let is_ours = folder.ends_with(self.settings.read_key(&manifest.pieces)?);
            if let Some(together) = together.filter(|files| is_ours && !files.is_empty()) {
                let pieces = together.iter().map(|input| whole(&input.file)).collect();
                let unit = input::Unit {
                    pieces,
                    bytes: together.iter().map(|input| input.file.bytes).sum(),
                    part_bytes: unit_bytes,
                };
                for input in &together {
                    left.remove(&*input.file.shown);
                }
                tasks.push(self.task(unit, &known)?);
            }
        }
        let new: Vec<InputFile> = inputs
            .iter()
            .filter(|input| left.contains_key(&*input.file.shown))
            .map(|input| input.file.clone())
            .collect();
        for unit in input::split(&new, unit_bytes) {
            tasks.push(self.task(unit, &known)?);
        }
        Ok(tasks)
    }

    fn task(&self, unit: input::Unit, known: &HashMap<&str, &Input>) -> Result<Task> {
        let piece = |piece: &Piece| KeptPiece {
            path: piece.file.shown.to_string(),
            content: known
                .get(&*piece.file.shown)
                .and_then(|input| input.content.clone()),
            range: piece.range.map(|cut: Cut| (cut.start, cut.end, cut.first_record)),
        };
        let pieces: Vec<KeptPiece> = unit.pieces.iter().map(piece).collect();
        let mut key = self.settings.read_key(&pieces)?;
        if pieces.iter().any(|piece| piece.content.is_none()) {
            // What is not known before it is read is read in every run.
            key = id::of("r", &[key.as_bytes(), self.run_id.as_bytes()]);
        }
        let stamp = |piece: &Piece| {
            known
                .get(&*piece.file.shown)
                .and_then(|input| input.stamp.clone())
        };
        let stamps = unit.pieces.iter().map(stamp).collect();
        Ok(Task {
            unit,
            key,
            pieces,
            stamps,
        })
    }

    /// The result of a unit, if it is kept.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn parts(&self, task: &Task) -> Result<Option<Vec<Part>>> {
        let folder = self.use_folder("read", &task.key);
        if !folder.exists() {
            return Ok(None);
        }
        let parts = manifest(&folder)?.parts;
        let placed = parts
            .into_iter()
            .enumerate()
            .map(|(number, part)| part.placed_in(&folder, number));
        placed.collect::<Result<_>>().map(Some)
    }

    /// Makes the result of a unit and keeps it. If a file changed meanwhile, the result serves this run alone.
    ///
    /// # Errors
    /// The error of `work`, or the disk is full or gone.
    pub fn keep_parts(
        &self,
        task: &Task,
        work: impl FnOnce(&Path) -> Result<Vec<Part>>,
    ) -> Result<Vec<Part>> {
        let mut folder = self.use_folder("read", &task.key);
        let aside = folder.with_extension("part");
        output::remove_folder(&aside)?;
        kill::point("read: unit begun");
        let parts = work(&aside)?;
        let is_same = |(piece, stamp): (&Piece, &Option<Stamp>)| Stamp::of(&piece.file.path) == *stamp;
        if !task.unit.pieces.iter().zip(&task.stamps).all(is_same) {
            tracing::warn!(
                unit = task.name(),
                "an input changed while it was read; the next run reads it again"
            );
            folder = self.use_folder(
                "read",
                &id::of("r", &[task.key.as_bytes(), self.run_id.as_bytes()]),
            );
        }
        let manifest = Manifest {
            pieces: task.pieces.clone(),
            parts,
        };
        output::write_file(&aside.join(MANIFEST), &serde_json::to_vec(&manifest)?)?;
        kill::point("read: unit whole");
        fs::rename(&aside, &folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        kill::point("read: unit kept");
        let placed = manifest
            .parts
            .into_iter()
            .enumerate()
            .map(|(number, part)| part.placed_in(&folder, number));
        placed.collect()
    }

    /// Where the findings of a part are kept, in folders numbered from 0.
    pub fn findings(&self, part: &Part) -> PathBuf {
        let settings = hash_numbers(&[self.settings.program, self.settings.finding]);
        let key = id::of("f", &[part.name().as_bytes(), &settings.to_le_bytes()]);
        self.use_folder("found", &key)
    }

    fn use_folder(&self, pass: &str, key: &str) -> PathBuf {
        let folder = self.folder.join(pass).join(key);
        if let Ok(mut used) = self.used.lock() {
            used.insert(folder.clone());
        }
        folder
    }

    /// Removes what this run has not used.
    ///
    /// # Errors
    /// What the file system says.
    pub fn clear_unused(&self) -> Result<()> {
        let used = self.used.lock().map(|used| used.clone()).unwrap_or_default();
        for pass in ["read", "found"] {
            for folder in folders(&self.folder.join(pass))? {
                if !used.contains(&folder) {
                    output::remove_folder(&folder)?;
                }
            }
        }
        Ok(())
    }
}

fn whole(file: &InputFile) -> Piece {
    Piece {
        file: file.clone(),
        range: None,
    }
}

fn manifest(folder: &Path) -> Result<Manifest> {
    let file = folder.join(MANIFEST);
    let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// The entries of a folder, sorted; none if it is not there.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in fs::read_dir(folder)? {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}
