//! Which documents may be duplicates: an exact prefix-filtered set-similarity join on disk.
//!
//! If a document must share t of its n hashes with any partner at least as long, k of its n - t + k
//! rarest hashes are among them (Chaudhuri et al. 2006; Bayardo et al. 2007; Wang et al. 2012). Most
//! stories find nearly all of those in no other document and leave here, so the pairs made grow with
//! the duplicates, not with the collection.

use super::relation::{NOISY_CONTAINMENT, NOISY_JACCARD};
use super::sketch::{COARSEST, combine};
use super::spill::{Folder, PARTITIONS, Partitions, each_partition};
use super::store::Store;
use anyhow::Result;

/// Hashes in more documents than this are looked up among a few of them only: see [`ring`].
const RING_DOCUMENTS: usize = 64;

/// Hashes in more documents than this are looked up among those who depend on them.
const COMMON_DOCUMENTS: usize = 4_096;

/// Fewer shared hashes than this are chance. It is also how many of the hashes looked up two documents
/// must share to be compared.
pub const MIN_COMMON: usize = 3;

/// What the join of all postings gives.
pub struct Candidates {
    /// Pairs that may reach the thresholds, as `first << 32 | second` with first < second,
    /// partitioned by the first document. Those that come [`MIN_COMMON`] times are worth comparing.
    pub pairs: Partitions<u64>,
    /// `key << 32 | document` for every hash, partitioned by hash.
    pub postings: Partitions<u64>,
    /// The hashes of common phrases.
    pub phrases: Phrases,
}

/// Finds the candidates. `is_copy` tells the documents that need no partners.
pub fn candidates(
    store: &Store,
    is_copy: impl Fn(u32) -> bool + Sync,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<Candidates> {
    let postings = post(store, &is_copy, memory_bytes / 4, folder)?;
    let (probes, phrases) = choose_probes(store, &postings, memory_bytes / 4, folder)?;
    let pairs = join(store, &postings, &probes, memory_bytes / 4, folder)?;
    Ok(Candidates {
        pairs,
        postings,
        phrases,
    })
}

/// Hashes so many documents share that they tell no story from another: phrases, page furniture.
#[derive(Debug, Default)]
pub struct Phrases {
    /// Partition and key of each hash, ascending once all are counted.
    places: Vec<u64>,
    counted: Vec<(u32, u64)>,
    more_than: usize,
}

/// A hash in more documents than this may be a phrase: few stories are printed so often.
const PHRASE_DOCUMENTS: usize = 64;

/// Phrases kept at most (32 MB); with more, only the most common ones count.
const PHRASES_KEPT: usize = 1 << 21;

impl Phrases {
    fn add(&mut self, documents: u32, place: u64) {
        let more_than = self.more_than.max(PHRASE_DOCUMENTS);
        if documents as usize > more_than {
            self.counted.push((documents, place));
        }
        if self.counted.len() > PHRASES_KEPT {
            self.more_than = more_than * 2;
            self.counted
                .retain(|(documents, _)| *documents as usize > more_than * 2);
        }
    }

    fn seal(&mut self) {
        self.places = self.counted.iter().map(|(_, place)| *place).collect();
        self.places.sort_unstable();
        self.counted = Vec::new();
    }

    /// Whether a hash is that of a common phrase.
    pub fn contains(&self, hash: u64) -> bool {
        let (partition, key) = place(hash);
        self.places
            .binary_search(&((partition as u64) << 32 | key))
            .is_ok()
    }
}

/// Documents per partition where documents are partitioned by number.
pub fn documents_per_partition(store: &Store) -> u32 {
    store.documents().div_ceil(PARTITIONS as u32).max(1)
}

/// Where a hash is joined: its partition, and 32 bits that tell it from others there. Two hashes
/// that collide only make a pair more, which verification drops.
fn place(hash: u64) -> (usize, u64) {
    let mixed = hash.wrapping_mul(0x9fb2_1c65_1e98_df25);
    let level = u64::from(hash.leading_zeros()).min(u64::from(COARSEST));
    ((mixed >> 57) as usize, (mixed >> 27 & 0x3fff_ffff) << 2 | level)
}

/// The coarsest sampling a placed hash belongs to.
fn level(key: u64) -> usize {
    (key & 3) as usize
}

/// Lists `key << 32 | document` for every hash of every document that is no copy.
fn post(
    store: &Store,
    is_copy: &impl Fn(u32) -> bool,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<Partitions<u64>> {
    let mut postings = Partitions::new("postings", memory_bytes);
    for start in (0..store.documents()).step_by(READ_DOCUMENTS) {
        let stop = store.documents().min(start.saturating_add(READ_DOCUMENTS as u32));
        let sketches = store.read_all(&store.entries(start..stop)?)?;
        for (document, sketch) in (start..stop)
            .zip(sketches)
            .filter(|(document, _)| !is_copy(*document))
        {
            for &hash in &sketch.hashes {
                let (partition, key) = place(hash);
                postings.push(partition, key << 32 | u64::from(document), folder)?;
            }
        }
    }
    Ok(postings)
}

/// Documents read at a time when all are read in order: about 2 MB of sketches.
pub const READ_DOCUMENTS: usize = 2_048;

/// Chooses for every document the rarest hashes it must be looked up by, partitioned like postings.
fn choose_probes(
    store: &Store,
    postings: &Partitions<u64>,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<(Partitions<u64>, Phrases)> {
    let mut phrases = Phrases::default();
    let mut shared = Partitions::new("shared", memory_bytes / 2);
    let per_partition = documents_per_partition(store);
    each_partition(
        memory_bytes,
        |partition| postings.bytes(partition) * 3,
        |partition| Ok(shared_hashes(&postings.load(partition)?, partition)),
        |records| {
            let mut last = u64::MAX;
            for record in records {
                if std::mem::replace(&mut last, record as u64) != record as u64 {
                    phrases.add((record >> 64) as u32, record as u64);
                }
                shared.push(((record >> 96) as u32 / per_partition) as usize, record, folder)?;
            }
            Ok(())
        },
    )?;
    let mut probes = Partitions::new("probes", memory_bytes / 2);
    each_partition(
        memory_bytes,
        |partition| shared.bytes(partition) * 2,
        |partition| rarest(store, &shared.load(partition)?),
        |found: Vec<(usize, u64)>| {
            found
                .into_iter()
                .try_for_each(|(partition, probe)| probes.push(partition, probe, folder))
        },
    )?;
    phrases.seal();
    Ok((probes, phrases))
}

/// `document | documents with the hash | partition | key`, 32 bits each, for each hash that more
/// than one document has: sorted, a document's hashes stand rarest first.
fn shared_hashes(postings: &[u64], partition: usize) -> Vec<u128> {
    let mut records = Vec::with_capacity(postings.len() / 2);
    for group in postings
        .chunk_by(|a, b| a >> 32 == b >> 32)
        .filter(|group| group.len() > 1)
    {
        let documents = (group.len() as u128) << 64 | (partition as u128) << 32;
        for &posting in group {
            records.push(u128::from(posting & 0xffff_ffff) << 96 | documents | u128::from(posting >> 32));
        }
    }
    records
}

/// The share of its own hashes a document must have in common with one at least as long. A Jaccard
/// of j between sets of equal size n needs 2 j n / (1 + j) in common; longer partners need more.
fn required(size: usize) -> usize {
    let same_story = 2.0 * NOISY_JACCARD / (1.0 + NOISY_JACCARD);
    let share = same_story.min(NOISY_CONTAINMENT);
    ((size as f32 * share - 0.001).ceil() as usize).max(MIN_COMMON)
}

/// The probes of the documents in one sorted partition of shared hashes.
fn rarest(store: &Store, shared: &[u128]) -> Result<Vec<(usize, u64)>> {
    let mut probes = Vec::new();
    let mut chosen = Vec::new();
    let (Some(first), Some(last)) = (shared.first(), shared.last()) else {
        return Ok(probes);
    };
    let first = (first >> 96) as u32;
    let entries = store.entries(first..(last >> 96) as u32 + 1)?;
    for hashes in shared.chunk_by(|a, b| a >> 96 == b >> 96) {
        let Some(document) = hashes.first().map(|first| (first >> 96) as u32) else {
            continue;
        };
        let entry = entries[(document - first) as usize];
        chosen.clear();
        chosen.resize(hashes.len(), false);
        // A partner may be sampled more coarsely: then fewer hashes count, and others are rarest.
        for (scale, &size) in entry.sizes.iter().enumerate() {
            let size = usize::from(size);
            let here = || {
                hashes
                    .iter()
                    .enumerate()
                    .filter(|(_, hash)| level(**hash as u64) >= scale)
            };
            let unshared = size.saturating_sub(here().count());
            let needed = required(size);
            if size < needed {
                continue;
            }
            // Fewer than that cannot add up to a match.
            let looked_up = (size - needed + MIN_COMMON).saturating_sub(unshared);
            here().take(looked_up).for_each(|(index, _)| chosen[index] = true);
        }
        for (hash, _) in hashes.iter().zip(&chosen).filter(|(_, chosen)| **chosen) {
            probes.push((
                (hash >> 32) as u32 as usize,
                (*hash as u64) << 32 | u64::from(document),
            ));
        }
    }
    Ok(probes)
}

/// Pairs every probe with the documents that have its hash.
fn join(
    store: &Store,
    postings: &Partitions<u64>,
    probes: &Partitions<u64>,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<Partitions<u64>> {
    let mut pairs = Partitions::new("pairs", memory_bytes);
    let per_partition = documents_per_partition(store);
    each_partition(
        memory_bytes,
        |partition| (postings.bytes(partition) + probes.bytes(partition)) * 4,
        |partition| Ok(pairs_of(&postings.load(partition)?, &probes.load(partition)?)),
        |found| {
            for pair in found {
                pairs.push(((pair >> 32) as u32 / per_partition) as usize, pair, folder)?;
            }
            Ok(())
        },
    )?;
    Ok(pairs)
}

/// Joins one partition of postings with its probes, both sorted. A pair comes once for every hash
/// it shares; a pair of neighbours on a ring often enough to be compared.
fn pairs_of(postings: &[u64], probes: &[u64]) -> Vec<u64> {
    let mut pairs = Vec::new();
    let mut behind = postings;
    for probing in probes.chunk_by(|a, b| a >> 32 == b >> 32) {
        let Some(key) = probing.first().map(|probe| probe >> 32) else {
            continue;
        };
        behind = &behind[behind.partition_point(|posting| posting >> 32 < key)..];
        let having = &behind[..behind.partition_point(|posting| posting >> 32 == key)];
        if having.len() <= RING_DOCUMENTS {
            // Where both look each other up, the smaller does so for both: a hash counts once.
            for &probe in probing {
                let others = having
                    .iter()
                    .filter(|&&other| other > probe || probing.binary_search(&other).is_err());
                pairs.extend(others.filter_map(|&other| pair(probe, other)));
            }
        } else if having.len() <= COMMON_DOCUMENTS {
            ring(probing, having, key, &mut pairs);
        } else {
            ring(probing, probing, key, &mut pairs);
        }
    }
    pairs
}

/// Pairs each probe with the [`RING_LINKS`] documents next to it on a ring, which has an order of its
/// own for every hash: copies by the hundred share many hashes, so they stay connected whichever links
/// fail, and a phrase that hundreds of stories share costs a few pairs each instead of all.
fn ring(probing: &[u64], having: &[u64], key: u64, pairs: &mut Vec<u64>) {
    let place = |posting: u64| (combine([posting & 0xffff_ffff, key, 0]), posting);
    let mut order: Vec<(u64, u64)> = having.iter().map(|&posting| place(posting)).collect();
    order.sort_unstable();
    for &probe in probing {
        let at = order.partition_point(|&other| other <= place(probe));
        let next = order[at..].iter().chain(&order).take(RING_LINKS);
        for pair in next.filter_map(|&(_, posting)| pair(probe, posting)) {
            pairs.extend([pair; MIN_COMMON]);
        }
    }
}

/// Neighbours on the ring of each hash; a document looks up ten to thirty hashes.
const RING_LINKS: usize = 2;

/// The pair of two documents, smaller first; none for a document and itself.
fn pair(first: u64, second: u64) -> Option<u64> {
    let (first, second) = (first & 0xffff_ffff, second & 0xffff_ffff);
    (first != second).then(|| first.min(second) << 32 | first.max(second))
}

/// How many hashes of `whole` each other document shares, for a sorted list of `whole` documents:
/// `whole << 32 | other`, once per shared hash, partitioned by `whole`. Only hashes of the coarsest
/// sampling count, which all documents have, and none of very many documents.
pub fn overlaps(
    store: &Store,
    postings: &Partitions<u64>,
    wholes: &[u32],
    memory_bytes: usize,
    folder: &Folder,
) -> Result<Partitions<u64>> {
    let mut found = Partitions::new("overlaps", memory_bytes);
    let per_partition = documents_per_partition(store);
    each_partition(
        memory_bytes,
        |partition| postings.bytes(partition) * 3,
        |partition| {
            let postings = postings.load(partition)?;
            let groups = postings.chunk_by(|a, b| a >> 32 == b >> 32);
            let mut overlaps = Vec::new();
            let is_coarse = |group: &&[u64]| {
                group
                    .iter()
                    .all(|posting| level(posting >> 32) == usize::from(COARSEST))
            };
            for group in groups
                .filter(is_coarse)
                .filter(|group| (2..=PHRASE_DOCUMENTS).contains(&group.len()))
            {
                for &whole in group
                    .iter()
                    .filter(|posting| wholes.binary_search(&(**posting as u32)).is_ok())
                {
                    let others = group.iter().filter(|posting| **posting != whole);
                    overlaps.extend(others.map(|other| whole << 32 | other & 0xffff_ffff));
                }
            }
            Ok(overlaps)
        },
        |overlaps| {
            overlaps.into_iter().try_for_each(|overlap| {
                found.push(((overlap >> 32) as u32 / per_partition) as usize, overlap, folder)
            })
        },
    )?;
    Ok(found)
}
