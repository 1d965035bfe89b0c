//! Files become units of work of about the same size, decided by the input alone.
//!
//! Small files are grouped so that a file more changes only the group it falls into. Big files are cut at record
//! boundaries where their format allows, else they are one stream whose batches count their parts.

use super::source::open_file;
use super::{Compression, Cut, FORMATS, InputFile, Piece, Unit};
use crate::input::source::extension;

/// Cuts the files into units of about `target_bytes` on disk, in the order given. Reads the start of each file that is
/// bigger than that, and scans it once (at memory speed) if its format can be cut; a file that cannot be read becomes a
/// unit whose reading reports it.
pub fn split(files: &[InputFile], target_bytes: u64) -> Vec<Unit> {
    let target = target_bytes.max(1);
    let mut units = Vec::new();
    let mut group: Vec<Piece> = Vec::new();
    let mut group_bytes = 0;
    for file in files {
        if file.is_stdin() || file.bytes > target {
            push_group(&mut units, &mut group, &mut group_bytes, target);
            units.extend(cut_file(file, target));
            continue;
        }
        if group_bytes + file.bytes > target {
            push_group(&mut units, &mut group, &mut group_bytes, target);
        }
        group_bytes += file.bytes;
        group.push(Piece {
            file: file.clone(),
            range: None,
        });
        if ends_group(file, group_bytes, target) {
            push_group(&mut units, &mut group, &mut group_bytes, target);
        }
    }
    push_group(&mut units, &mut group, &mut group_bytes, target);
    units
}

fn push_group(units: &mut Vec<Unit>, group: &mut Vec<Piece>, bytes: &mut u64, target: u64) {
    if !group.is_empty() {
        units.push(Unit {
            pieces: std::mem::take(group),
            bytes: std::mem::take(bytes),
            part_bytes: target,
        });
    }
}

/// Whether a group ends after this file. Beyond a quarter of the target a file ends its group with a probability of its
/// share of the target, decided by its name: a group then holds about the target, and where it ends does not depend on
/// what lies far before it, so that a file added yesterday leaves most other groups as they were.
fn ends_group(file: &InputFile, group_bytes: u64, target: u64) -> bool {
    if group_bytes < target / 4 {
        return false;
    }
    let share = file.bytes.max(1) as f64 / target as f64 * 2.0;
    (name_hash(file) as f64 / u64::MAX as f64) < share
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo), finished with a multiplication so that the high bits depend on the last bytes.
fn name_hash(file: &InputFile) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in file.path.as_os_str().as_encoded_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    }
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The units of one big file: its ranges, or the whole as one stream.
fn cut_file(file: &InputFile, target: u64) -> Vec<Unit> {
    let cuts = if file.is_stdin() { None } else { cuts(file, target) };
    match cuts {
        Some(cuts) if cuts.len() > 1 => cuts
            .into_iter()
            .map(|cut| Unit {
                pieces: vec![Piece {
                    file: file.clone(),
                    range: Some(cut),
                }],
                bytes: cut.end - cut.start,
                part_bytes: target,
            })
            .collect(),
        _ => vec![Unit {
            pieces: vec![Piece {
                file: file.clone(),
                range: None,
            }],
            bytes: file.bytes,
            part_bytes: target,
        }],
    }
}

fn cuts(file: &InputFile, target: u64) -> Option<Vec<Cut>> {
    use std::io::Read;
    let mut packed = Vec::new();
    open_file(file)
        .ok()?
        .take(64 << 10)
        .read_to_end(&mut packed)
        .ok()?;
    let compression = Compression::of(&packed);
    let head = compression.prefix(&packed, 64 << 10);
    let marked = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let ending = extension(&file.path);
    let format = FORMATS.iter().find(|format| (format.recognizes)(head, &ending))?;
    let cut = format.cut.filter(|_| !marked)?;
    // A file that cannot be scanned is read as one stream, which reports why.
    cut(file, compression, target)
        .ok()
        .filter(|cuts| !cuts.is_empty())
}
