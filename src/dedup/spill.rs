//! Fixed-size records in hash partitions: in memory while they fit, in files under the work folder
//! when they do not.
//!
//! Every join of near-duplicate search is "partition, sort one partition, walk its groups", so the
//! memory used is that of a few partitions whatever the size of the collection. Errors name the file;
//! the folder of a run disappears with the run, finished or not.

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Partitions per join. 128 keeps a partition of five million stories' postings near 18 MB.
pub const PARTITIONS: usize = 128;

/// A folder of its own under the work folder, removed when dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

static FOLDERS_MADE: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// Makes a new folder under `work`, which is made if missing.
    pub fn new(work: &Path) -> Result<Self> {
        fs::create_dir_all(work).with_context(|| format!("making the work folder {}", work.display()))?;
        loop {
            let number = FOLDERS_MADE.fetch_add(1, Ordering::Relaxed);
            let path = work.join(format!("duplicates-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("making {}", path.display())),
            }
        }
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a folder that will not go; it holds no result.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A file written from front to back and read anywhere.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    written: u64,
}

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 256 << 10;

impl Log {
    /// Makes the file; it must not exist.
    pub fn create(path: PathBuf) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        let file = file.with_context(|| format!("making {}", path.display()))?;
        Ok(Self {
            file,
            path,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            written: 0,
        })
    }

    /// Bytes pushed so far.
    pub fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Appends what `fill` adds to the buffer.
    pub fn push(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        fill(&mut self.buffer);
        if self.buffer.len() >= BUFFER_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Hands what is gathered to the file; reading needs it.
    pub fn flush(&mut self) -> Result<()> {
        self.file
            .write_all(&self.buffer)
            .map_err(|error| explain(error, &self.path))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Fills `bytes` from `offset`.
    pub fn read(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let read = self.file.read_exact_at(bytes, offset);
        read.with_context(|| {
            format!(
                "reading {} bytes of {} at {offset}",
                bytes.len(),
                self.path.display()
            )
        })
    }

    /// Overwrites bytes already flushed.
    pub fn overwrite(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(|error| explain(error, &self.path))
    }
}

fn explain(error: std::io::Error, path: &Path) -> anyhow::Error {
    let advice = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ": the disk of the work folder is full; free some space or name another work folder"
        }
        _ => "",
    };
    anyhow::Error::new(error).context(format!("writing {}{advice}", path.display()))
}

/// A record of fixed size whose order is the order a join needs.
pub trait Record: Copy + Ord + Send + Sync {
    /// Encoded length.
    const BYTES: usize;
    /// Appends the encoded record.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Decodes [`Self::BYTES`] bytes.
    fn get(bytes: &[u8]) -> Self;
}

impl Record for u64 {
    const BYTES: usize = 8;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        take(bytes, 0)
    }
}

impl Record for u128 {
    const BYTES: usize = 16;
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        u128::from(take(bytes, 8)) << 64 | u128::from(take(bytes, 0))
    }
}

/// Eight little-endian bytes at `at`; zero where the slice is too short, which no caller lets happen.
pub fn take(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
    eight.map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Records in [`PARTITIONS`] partitions.
#[derive(Debug)]
pub struct Partitions<T> {
    name: &'static str,
    memory_bytes: usize,
    held: Vec<Vec<T>>,
    held_records: usize,
    logs: Vec<Option<Log>>,
}

impl<T: Record> Partitions<T> {
    /// Holds up to about `memory_bytes` before it writes to files called after `name`.
    pub fn new(name: &'static str, memory_bytes: usize) -> Self {
        Self {
            name,
            memory_bytes,
            held: (0..PARTITIONS).map(|_| Vec::new()).collect(),
            held_records: 0,
            logs: (0..PARTITIONS).map(|_| None).collect(),
        }
    }

    /// Adds a record to a partition.
    pub fn push(&mut self, partition: usize, record: T, folder: &Folder) -> Result<()> {
        self.held[partition].push(record);
        self.held_records += 1;
        // A growing vector may hold twice what it contains.
        if self.held_records * size_of::<T>() * 2 > self.memory_bytes {
            self.spill(folder)
        } else {
            Ok(())
        }
    }

    fn spill(&mut self, folder: &Folder) -> Result<()> {
        for (partition, records) in self.held.iter_mut().enumerate() {
            if records.is_empty() {
                continue;
            }
            let log = match &mut self.logs[partition] {
                Some(log) => log,
                none => none.insert(Log::create(
                    folder.file(&format!("{}-{partition:03}", self.name)),
                )?),
            };
            for record in records.iter() {
                log.push(|bytes| record.put(bytes))?;
            }
            log.flush()?;
            log.buffer = Vec::new();
            *records = Vec::new();
        }
        self.held_records = 0;
        Ok(())
    }

    /// Bytes of one partition once loaded.
    pub fn bytes(&self, partition: usize) -> usize {
        let in_file = self.logs[partition]
            .as_ref()
            .map_or(0, |log| log.len() as usize / T::BYTES);
        (in_file + self.held[partition].len()) * size_of::<T>()
    }

    /// One partition, sorted. It stays where it is and can be loaded again.
    pub fn load(&self, partition: usize) -> Result<Vec<T>> {
        let mut records = Vec::with_capacity(self.bytes(partition) / size_of::<T>());
        records.extend_from_slice(&self.held[partition]);
        if let Some(log) = &self.logs[partition] {
            let mut buffer = vec![0; BUFFER_BYTES / T::BYTES * T::BYTES];
            let mut offset = 0;
            while offset < log.len() {
                let length = buffer.len().min((log.len() - offset) as usize);
                log.read(&mut buffer[..length], offset)?;
                records.extend(buffer[..length].chunks_exact(T::BYTES).map(T::get));
                offset += length as u64;
            }
        }
        records.sort_unstable();
        Ok(records)
    }
}

/// Runs `work` over all partitions, as many at once as the threads and `memory_bytes` allow, and
/// hands the results to `collect` in the order of the partitions.
///
/// `bytes` gives the memory one partition needs.
pub fn each_partition<R: Send>(
    memory_bytes: usize,
    bytes: impl Fn(usize) -> usize,
    work: impl Fn(usize) -> Result<R> + Sync,
    mut collect: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let threads = rayon::current_num_threads().max(1);
    let mut next = 0;
    while next < PARTITIONS {
        let mut stop = next;
        let mut needed = 0;
        while stop < PARTITIONS && stop - next < threads * 4 {
            needed += bytes(stop);
            if stop > next && needed > memory_bytes {
                break;
            }
            stop += 1;
        }
        let results: Vec<Result<R>> = (next..stop).into_par_iter().map(&work).collect();
        for result in results {
            collect(result?)?;
        }
        next = stop;
    }
    Ok(())
}

/// Fails early, with advice, where the memory allowed cannot hold the few bytes each document needs.
pub fn check_memory(memory_bytes: usize, documents: u64) -> Result<()> {
    let needed = documents as usize * BYTES_PER_DOCUMENT;
    ensure!(
        needed <= memory_bytes / 2,
        "{documents} documents need a memory of at least {} MB for duplicates; {} MB are allowed",
        needed * 2 / 1_000_000,
        memory_bytes / 1_000_000
    );
    Ok(())
}

/// Held in memory per document at any size: its cluster, its canonical document, its marks.
const BYTES_PER_DOCUMENT: usize = 16;
