//! All sketches of a run, sorted by document id, on disk.
//!
//! Sorting makes everything behind it independent of the order in which sketches came. A document's
//! place in that order is its number, so the smallest number in a cluster is also the smallest id.

use super::sketch::{COARSEST, Sketch};
use super::spill::{Folder, Log, check_memory, take};
use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::PathBuf;

/// Sketches by number, with the fields every document is asked for in a table of their own.
#[derive(Debug)]
pub struct Store {
    sketches: Log,
    entries: Log,
    documents: u32,
}

/// What is asked of a document without reading its hashes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The document.
    pub document_id: u128,
    /// Hash of its matching view.
    pub exact: u128,
    /// When it was published, in microseconds since 1970.
    pub published_us: Option<i64>,
    /// Length of its text.
    pub text_bytes: u32,
    /// Hashes kept at each sampling, from every shingle to the coarsest; 0 where the sketch is coarser.
    pub sizes: [u16; COARSEST as usize + 1],
    /// Place and length of the sketch.
    offset: u64,
    length: u32,
    /// First and last publication among its exact copies.
    pub published_range: Option<(i64, i64)>,
}

const ENTRY_BYTES: usize = 80;

/// Stands for "no date" in an encoded entry.
const NO_DATE: i64 = i64::MIN;

impl Entry {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.document_id.to_le_bytes());
        bytes.extend_from_slice(&self.exact.to_le_bytes());
        bytes.extend_from_slice(&self.published_us.unwrap_or(NO_DATE).to_le_bytes());
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend_from_slice(&self.text_bytes.to_le_bytes());
        for size in self.sizes {
            bytes.extend_from_slice(&size.to_le_bytes());
        }
        let (first, last) = self.published_range.unwrap_or((NO_DATE, NO_DATE));
        bytes.extend_from_slice(&first.to_le_bytes());
        bytes.extend_from_slice(&last.to_le_bytes());
    }

    fn get(bytes: &[u8]) -> Self {
        let date = |at| Some(take(bytes, at) as i64).filter(|&date| date != NO_DATE);
        let sizes = take(bytes, 56);
        Self {
            document_id: wide(bytes, 0),
            exact: wide(bytes, 16),
            published_us: date(32),
            offset: take(bytes, 40),
            length: take(bytes, 48) as u32,
            text_bytes: (take(bytes, 48) >> 32) as u32,
            sizes: [
                sizes as u16,
                (sizes >> 16) as u16,
                (sizes >> 32) as u16,
                (sizes >> 48) as u16,
            ],
            published_range: date(64).zip(date(72)),
        }
    }
}

fn wide(bytes: &[u8], at: usize) -> u128 {
    u128::from(take(bytes, at + 8)) << 64 | u128::from(take(bytes, at))
}

impl Store {
    /// Sorts sketches by document id within `memory_bytes`. A document that came twice is kept once.
    pub fn build(
        sketches: impl Iterator<Item = Result<Sketch>>,
        memory_bytes: usize,
        folder: &Folder,
    ) -> Result<Self> {
        let mut store = Self {
            sketches: Log::create(folder.file("sketches"))?,
            entries: Log::create(folder.file("entries"))?,
            documents: 0,
        };
        let mut runs = Vec::new();
        let mut held = Vec::new();
        let mut held_bytes = 0;
        for sketch in sketches {
            let sketch = sketch?;
            held_bytes += memory_of(&sketch);
            held.push(sketch);
            if held_bytes > memory_bytes {
                runs.push(write_run(&mut held, folder, runs.len())?);
                held_bytes = 0;
            }
        }
        held.par_sort_unstable();
        if runs.is_empty() {
            store.fill(held.into_iter().map(Ok))?;
        } else {
            runs.push(write_run(&mut held, folder, runs.len())?);
            drop(held);
            store.fill(Merge::new(&runs)?)?;
            for run in runs {
                std::fs::remove_file(&run).with_context(|| format!("removing {}", run.display()))?;
            }
        }
        Ok(store)
    }

    fn fill(&mut self, sketches: impl Iterator<Item = Result<Sketch>>) -> Result<()> {
        let mut last_id = None;
        for sketch in sketches {
            let sketch = sketch?;
            if last_id.replace(sketch.document_id) == Some(sketch.document_id) {
                continue;
            }
            self.add(&sketch)?;
        }
        self.sketches.flush()?;
        self.entries.flush()
    }

    fn add(&mut self, sketch: &Sketch) -> Result<()> {
        ensure!(
            self.documents < u32::MAX,
            "more than {} documents in one run",
            u32::MAX
        );
        let offset = self.sketches.len();
        self.sketches.push(|bytes| encode(sketch, bytes))?;
        let length = (self.sketches.len() - offset) as u32;
        let mut sizes = [0; COARSEST as usize + 1];
        for (scale, size) in sizes.iter_mut().enumerate().skip(usize::from(sketch.scale)) {
            let kept = sketch.hashes.partition_point(|&hash| hash <= u64::MAX >> scale);
            *size = u16::try_from(kept).unwrap_or(u16::MAX);
        }
        let entry = Entry {
            document_id: sketch.document_id,
            exact: sketch.exact,
            published_us: sketch.published_us,
            text_bytes: sketch.text_bytes,
            sizes,
            offset,
            length,
            published_range: sketch.published_us.map(|date| (date, date)),
        };
        self.entries.push(|bytes| entry.put(bytes))?;
        self.documents += 1;
        Ok(())
    }

    /// How many documents there are.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// One document's entry.
    pub fn entry(&self, document: u32) -> Result<Entry> {
        let mut bytes = [0; ENTRY_BYTES];
        self.entries
            .read(&mut bytes, u64::from(document) * ENTRY_BYTES as u64)?;
        Ok(Entry::get(&bytes))
    }

    /// The entries of a range of documents.
    pub fn entries(&self, documents: std::ops::Range<u32>) -> Result<Vec<Entry>> {
        let mut bytes = vec![0; documents.len() * ENTRY_BYTES];
        self.entries
            .read(&mut bytes, u64::from(documents.start) * ENTRY_BYTES as u64)?;
        Ok(bytes.chunks_exact(ENTRY_BYTES).map(Entry::get).collect())
    }

    /// Notes when the exact copies of a document were published.
    pub fn set_published_range(&self, document: u32, first: i64, last: i64) -> Result<()> {
        let offset = u64::from(document) * ENTRY_BYTES as u64 + 64;
        self.entries
            .overwrite(&[first.to_le_bytes(), last.to_le_bytes()].concat(), offset)
    }

    /// Reads one sketch into `sketch`, reusing its memory and `bytes`.
    pub fn read(&self, entry: &Entry, bytes: &mut Vec<u8>, sketch: &mut Sketch) -> Result<()> {
        bytes.resize(entry.length as usize, 0);
        self.sketches.read(bytes, entry.offset)?;
        decode(bytes, sketch);
        Ok(())
    }

    /// Reads the sketches of consecutive documents at once.
    pub fn read_all(&self, entries: &[Entry]) -> Result<Vec<Sketch>> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(Vec::new());
        };
        let mut bytes = vec![0; (last.offset + u64::from(last.length) - first.offset) as usize];
        self.sketches.read(&mut bytes, first.offset)?;
        let mut rest = bytes.as_slice();
        let mut sketches = Vec::with_capacity(entries.len());
        for entry in entries {
            let (this, behind) = rest.split_at(rest.len().min(entry.length as usize));
            let mut sketch = Sketch::default();
            decode(this, &mut sketch);
            sketches.push(sketch);
            rest = behind;
        }
        Ok(sketches)
    }
}

/// Fails where the memory allowed cannot hold what every document needs.
pub fn check(store: &Store, memory_bytes: usize) -> Result<()> {
    check_memory(memory_bytes, u64::from(store.documents))
}

fn memory_of(sketch: &Sketch) -> usize {
    size_of::<Sketch>() + sketch.hashes.capacity() * 8 + (sketch.figures.len() + sketch.names.len()) * 4 + 64
}

fn write_run(held: &mut Vec<Sketch>, folder: &Folder, number: usize) -> Result<PathBuf> {
    held.par_sort_unstable();
    let path = folder.file(&format!("run-{number}"));
    let mut log = Log::create(path.clone())?;
    for sketch in held.drain(..) {
        log.push(|bytes| encode(&sketch, bytes))?;
    }
    log.flush()?;
    Ok(path)
}

/// Bytes of an encoded sketch before its three lists.
const HEAD_BYTES: usize = 64;

fn encode(sketch: &Sketch, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&sketch.document_id.to_le_bytes());
    bytes.extend_from_slice(&sketch.exact.to_le_bytes());
    bytes.extend_from_slice(&sketch.published_us.unwrap_or(NO_DATE).to_le_bytes());
    bytes.extend_from_slice(&sketch.words.to_le_bytes());
    bytes.extend_from_slice(&sketch.text_bytes.to_le_bytes());
    for length in [sketch.hashes.len(), sketch.figures.len(), sketch.names.len()] {
        bytes.extend_from_slice(&(length as u32).to_le_bytes());
    }
    bytes.extend_from_slice(&u32::from(sketch.scale).to_le_bytes());
    sketch
        .hashes
        .iter()
        .for_each(|hash| bytes.extend_from_slice(&hash.to_le_bytes()));
    sketch
        .figures
        .iter()
        .chain(&sketch.names)
        .for_each(|hash| bytes.extend_from_slice(&hash.to_le_bytes()));
}

fn decode(bytes: &[u8], sketch: &mut Sketch) {
    let lengths = list_lengths(bytes);
    sketch.document_id = wide(bytes, 0);
    sketch.exact = wide(bytes, 16);
    sketch.published_us = Some(take(bytes, 32) as i64).filter(|&date| date != NO_DATE);
    sketch.words = take(bytes, 40) as u32;
    sketch.text_bytes = (take(bytes, 40) >> 32) as u32;
    sketch.scale = (take(bytes, 56) >> 32) as u8;
    let lists = bytes.get(HEAD_BYTES..).unwrap_or_default();
    let (hashes, rest) = lists.split_at(lists.len().min(lengths[0] * 8));
    let (figures, names) = rest.split_at(rest.len().min(lengths[1] * 4));
    sketch.hashes.clear();
    sketch
        .hashes
        .extend(hashes.chunks_exact(8).map(|eight| take(eight, 0)));
    for (list, bytes) in [(&mut sketch.figures, figures), (&mut sketch.names, names)] {
        list.clear();
        list.extend(
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|four| u32::from_le_bytes(*four)),
        );
    }
}

fn list_lengths(bytes: &[u8]) -> [usize; 3] {
    let two = take(bytes, 48);
    [
        two as u32 as usize,
        (two >> 32) as usize,
        take(bytes, 56) as u32 as usize,
    ]
}

/// Sorted runs read as one.
struct Merge {
    runs: Vec<BufReader<File>>,
    next: BinaryHeap<Reverse<(Sketch, usize)>>,
}

impl Merge {
    fn new(paths: &[PathBuf]) -> Result<Self> {
        let mut merge = Self {
            runs: Vec::new(),
            next: BinaryHeap::new(),
        };
        for path in paths {
            let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
            merge.runs.push(BufReader::with_capacity(64 << 10, file));
            merge.refill(merge.runs.len() - 1)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, run: usize) -> Result<()> {
        let mut bytes = vec![0; HEAD_BYTES];
        match self.runs[run].read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read.context("reading sketches back")?,
        }
        let [hashes, figures, names] = list_lengths(&bytes);
        bytes.resize(HEAD_BYTES + hashes * 8 + (figures + names) * 4, 0);
        self.runs[run]
            .read_exact(&mut bytes[HEAD_BYTES..])
            .context("reading sketches back")?;
        let mut sketch = Sketch::default();
        decode(&bytes, &mut sketch);
        self.next.push(Reverse((sketch, run)));
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<Sketch>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((sketch, run)) = self.next.pop()?;
        Some(self.refill(run).map(|()| sketch))
    }
}
