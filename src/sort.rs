//! Rows in order, however many there are: sorted in memory while they fit, merged from files when they do not.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::output::{self, TableWriter};
use crate::tables::Row;

/// Files merged at a time, which bounds open files; more are merged in rounds.
const FILES_MERGED: usize = 64;
/// Rows of a file in memory while files are merged.
const MERGE_ROWS: usize = 256;

/// Takes rows in any order and gives them back in the order of their keys.
pub struct Sorter<'f, R, F> {
    folder: &'f Path,
    name: &'static str,
    key: F,
    held: Vec<R>,
    held_rows_max: usize,
    runs: Vec<PathBuf>,
    runs_made: usize,
}

/// Rows in order.
pub type Sorted<'s, R> = Box<dyn Iterator<Item = Result<R>> + 's>;

impl<'f, R: Row + 'f, K: Ord + 'f, F: Fn(&R) -> K + Copy + 'f> Sorter<'f, R, F> {
    /// A sorter that holds about `memory_bytes` of rows; `name` names its files in `folder`. Keys should be unique.
    pub fn new(folder: &'f Path, name: &'static str, memory_bytes: u64, key: F) -> Self {
        // What a row points to takes about as much again as the row itself.
        let row_bytes = 2 * size_of::<R>() as u64;
        Self {
            folder,
            name,
            key,
            held: Vec::new(),
            held_rows_max: (memory_bytes / row_bytes).max(1) as usize,
            runs: Vec::new(),
            runs_made: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn push(&mut self, row: R) -> Result<()> {
        self.held.push(row);
        if self.held.len() >= self.held_rows_max {
            self.spill()?;
        }
        Ok(())
    }

    /// All rows in order.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn finish(mut self) -> Result<Sorted<'f, R>> {
        if self.runs.is_empty() {
            self.held.sort_by_cached_key(self.key);
            return Ok(Box::new(self.held.into_iter().map(Ok)));
        }
        self.spill()?;
        Ok(Box::new(Merge::new(std::mem::take(&mut self.runs), self.key)?))
    }

    fn spill(&mut self) -> Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.held.sort_by_cached_key(self.key);
        let path = self.next_file();
        output::write_table(&path, &self.held)?;
        self.held.clear();
        self.runs.push(path);
        if self.runs.len() >= FILES_MERGED {
            let path = self.next_file();
            let mut merged = TableWriter::create(&path)?;
            let mut rows = Vec::new();
            for row in Merge::new(std::mem::take(&mut self.runs), self.key)? {
                rows.push(row?);
                if rows.len() == MERGE_ROWS {
                    merged.write(&rows)?;
                    rows.clear();
                }
            }
            merged.write(&rows)?;
            merged.finish()?;
            self.runs.push(path);
        }
        Ok(())
    }

    fn next_file(&mut self) -> PathBuf {
        self.runs_made += 1;
        self.folder
            .join(format!("{}-{}.parquet", self.name, self.runs_made))
    }
}

/// Sorted files read as one, and removed when read.
struct Merge<R, K, F> {
    files: Vec<PathBuf>,
    runs: Vec<Sorted<'static, R>>,
    next: BinaryHeap<Reverse<Head<R, K>>>,
    key: F,
}

impl<R: Row, K: Ord, F: Fn(&R) -> K + Copy> Merge<R, K, F> {
    fn new(files: Vec<PathBuf>, key: F) -> Result<Self> {
        let mut merge = Self {
            runs: Vec::new(),
            next: BinaryHeap::new(),
            files,
            key,
        };
        for (run, file) in merge.files.iter().enumerate() {
            let batches = output::read_table::<R>(file, MERGE_ROWS)?;
            let mut rows: Sorted<'static, R> = Box::new(batches.flat_map(|batch| match batch {
                Ok(rows) => rows.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }));
            merge
                .next
                .extend(head(&mut rows, run, merge.key).transpose()?.map(Reverse));
            merge.runs.push(rows);
        }
        Ok(merge)
    }
}

fn head<R, K>(
    rows: &mut Sorted<'static, R>,
    run: usize,
    key: impl Fn(&R) -> K,
) -> Option<Result<Head<R, K>>> {
    let row = rows.next()?;
    Some(row.map(|row| Head {
        key: key(&row),
        run,
        row,
    }))
}

impl<R: Row, K: Ord, F: Fn(&R) -> K + Copy> Iterator for Merge<R, K, F> {
    type Item = Result<R>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse(first) = self.next.pop()?;
        match head(&mut self.runs[first.run], first.run, self.key) {
            Some(Ok(next)) => self.next.push(Reverse(next)),
            Some(Err(error)) => return Some(Err(error)),
            None => {}
        }
        Some(Ok(first.row))
    }
}

impl<R, K, F> Drop for Merge<R, K, F> {
    fn drop(&mut self) {
        for file in &self.files {
            // The folder goes with the run; a file that will not go now goes then.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// The next row of a file.
struct Head<R, K> {
    key: K,
    run: usize,
    row: R,
}

impl<R, K: Ord> Ord for Head<R, K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.key, self.run).cmp(&(&other.key, other.run))
    }
}

impl<R, K: Ord> PartialOrd for Head<R, K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<R, K: Ord> PartialEq for Head<R, K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<R, K: Ord> Eq for Head<R, K> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Reject;

    fn check(rows: i64, held_rows: u64) {
        let folder = tempfile::tempdir().unwrap();
        let memory = held_rows * 2 * size_of::<Reject>() as u64;
        let mut sorter = Sorter::new(folder.path(), "test", memory, |row: &Reject| row.input_record);
        for number in 0..rows {
            // Multiplying by a number without a common factor visits every residue once.
            let input_record = Some(number * 7_919 % rows);
            let row = Reject {
                input_record,
                ..Reject::default()
            };
            sorter.push(row).unwrap();
        }
        let sorted: Vec<Option<i64>> = sorter
            .finish()
            .unwrap()
            .map(|row| row.unwrap().input_record)
            .collect();
        assert_eq!(sorted, (0..rows).map(Some).collect::<Vec<_>>());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn rows_come_in_order_from_memory_one_file_and_many_rounds() {
        check(0, 10);
        check(1_000, 10_000);
        check(1_000, 400);
        check(1_000, 7);
    }
}
