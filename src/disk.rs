//! Is there room on the disk for a run? Estimated before work from the bytes of new input.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::input::Compression;
use crate::kept::Task;

/// Too little room on the disk.
#[derive(Debug)]
pub struct TooSmall {
    folder: String,
    needed: u64,
    free: u64,
}

impl fmt::Display for TooSmall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the disk of {} has {} free, and the run needs about {}: make room, lower keep_runs, or choose another \
             --output",
            self.folder,
            indicatif::HumanBytes(self.free),
            indicatif::HumanBytes(self.needed)
        )
    }
}

impl std::error::Error for TooSmall {}

/// News text in gzip or zstd is at least this much longer when it is unpacked.
const UNPACKED: f64 = 2.5;
/// Share of the unpacked input that the kept parts, the tables and the work of the barriers are taken to need: an
/// estimate, so that what surely does not fit is refused before work.
const DISK_SHARE: f64 = 1.0;

/// Fails where the disk of the output folder has too little room for the units that are not kept yet and for one more
/// version of the tables.
///
/// # Errors
/// [`TooSmall`], or the system does not tell.
pub fn check(folder: &Path, new: &[&Task]) -> Result<()> {
    let (needed, free) = (needed(folder, new), free(folder)?);
    if needed > free {
        bail!(TooSmall {
            folder: folder.display().to_string(),
            needed,
            free
        });
    }
    Ok(())
}

/// Bytes a run is expected to write.
pub fn needed(folder: &Path, new: &[&Task]) -> u64 {
    let unpacked: f64 = new.iter().map(|task| unpacked(task)).sum();
    let standing = crate::output::current_run(folder).map_or(0, |run| bytes_in(&run));
    (unpacked * DISK_SHARE) as u64 + standing
}

fn unpacked(task: &Task) -> f64 {
    let pieces = task.unit.pieces.iter();
    let packed = pieces.filter(|piece| {
        let name = piece
            .file
            .path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        Compression::is_ending(&name) || name == "parquet"
    });
    let share = packed.count() as f64 / task.unit.pieces.len().max(1) as f64;
    task.unit.bytes as f64 * (1.0 - share + share * UNPACKED)
}

/// Bytes free for this program on the disk of a folder, or of the nearest folder above it that is there.
///
/// # Errors
/// The system does not tell.
pub fn free(folder: &Path) -> Result<u64> {
    let there = folder.ancestors().find(|folder| folder.exists());
    let there = there
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let found = rustix::fs::statvfs(there)
        .with_context(|| format!("the free space of {} cannot be told", there.display()))?;
    Ok(found.f_bavail * found.f_frsize)
}

/// Bytes of the files in a folder; what cannot be read counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// Whether an error says that the disk is full or too small.
pub fn is_full(error: &anyhow::Error) -> bool {
    let is_io = |cause: &(dyn std::error::Error + 'static)| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::StorageFull)
    };
    // Parquet and Arrow hand some errors of the file system on as text.
    let says_so = || format!("{error:#}").contains("No space left on device");
    error.is::<TooSmall>() || error.chain().any(is_io) || says_so()
}
