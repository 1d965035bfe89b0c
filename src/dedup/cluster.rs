//! Clusters of duplicates from the sketches of a whole collection: a pure function of the set of
//! sketches, in memory fixed by the caller.
//!
//! Exact copies leave first. The rest is joined, verified and merged: a Jaccard edge merges two
//! stories, a containment edge attaches a short document to its single best container, forms filled in
//! twice and collections of several stories merge nothing.

use super::postings::{self, Candidates, READ_DOCUMENTS};
use super::relation::{
    Comparison, EXCERPT_CONTAINMENT, NOISY_CONTAINMENT, NOISY_JACCARD, Relation, SAME_STORY_JACCARD, compare,
    compare_stories, relate, shared,
};
use super::sketch::{COARSEST, Sketch};
use super::spill::{Folder, PARTITIONS, Partitions, Record, each_partition, take};
use super::store::{self, Entry, Store};
use super::template::{SIBLINGS_OF_A_FORM, Verdict, judge, supports};
use anyhow::Result;
use rayon::prelude::*;
use std::path::Path;

/// How a run over sketches is limited.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Memory to stay within, bytes.
    pub memory_bytes: usize,
    /// Folder for temporary files.
    pub work: &'a Path,
    /// Only documents published within so many days of each other are paired; undated ones always are.
    pub window_days: Option<u32>,
}

/// One row of the table `duplicates`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duplicate {
    /// The document.
    pub document_id: u128,
    /// The smallest document id of the cluster.
    pub cluster_id: u128,
    /// The earliest published, then longest, then smallest id.
    pub canonical_id: u128,
    /// What it is to the canonical document.
    pub relation: Relation,
    /// Shared shingles of all shingles of this document and the canonical one.
    pub jaccard: Option<f32>,
    /// Share of this document that stands in the canonical one.
    pub containment: Option<f32>,
    /// Share of the canonical document that stands in this one.
    pub contained: Option<f32>,
    /// Hours from the canonical document's publication to this one's, where both are dated.
    pub hours_after_canonical: Option<f64>,
}

/// Clusters all documents. The rows come in the order of the document ids, one per document; they
/// depend on the set of sketches and on the window alone.
pub fn cluster(sketches: impl Iterator<Item = Result<Sketch>>, options: &Options) -> Result<Duplicates> {
    let folder = Folder::new(options.work)?;
    let memory = options.memory_bytes;
    let store = Store::build(sketches, memory / 4, &folder)?;
    store::check(&store, memory)?;
    let window_us = options
        .window_days
        .map(|days| i64::from(days) * 24 * 3600 * 1_000_000);
    let mut clusters = Clusters::new(store.documents());
    merge_exact(&store, &mut clusters, window_us, memory / 4, &folder)?;
    let is_copy: Vec<bool> = (0..store.documents())
        .map(|document| clusters.is_copy(document))
        .collect();
    let candidates =
        postings::candidates(&store, |document| is_copy[document as usize], memory / 2, &folder)?;
    drop(is_copy);
    let edges = verify(&store, &candidates, window_us, memory / 4, &folder)?;
    let mut marks = find_forms(&edges, store.documents())?;
    let best = best_containers(&edges, &marks)?;
    let wholes = wholes_to_check(&best);
    mark_composites(&store, &candidates, &wholes, &mut marks, memory / 4, &folder)?;
    drop(candidates);
    merge_stories(&edges, &marks, &mut clusters)?;
    attach_excerpts(&edges, &marks, &mut clusters)?;
    Duplicates::new(store, clusters, marks, folder)
}

/// Disjoint sets of documents; the root of a set is its smallest member.
struct Clusters {
    parents: Vec<u32>,
}

impl Clusters {
    fn new(documents: u32) -> Self {
        Self {
            parents: (0..documents).collect(),
        }
    }

    fn root(&mut self, document: u32) -> u32 {
        let mut at = document;
        while self.parents[at as usize] != at {
            let above = self.parents[self.parents[at as usize] as usize];
            self.parents[at as usize] = above;
            at = above;
        }
        at
    }

    fn merge(&mut self, first: u32, second: u32) {
        let (first, second) = (self.root(first), self.root(second));
        self.parents[first.max(second) as usize] = first.min(second);
    }

    fn is_copy(&self, document: u32) -> bool {
        self.parents[document as usize] != document
    }
}

/// A document by its exact hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    exact: u128,
    /// No date sorts last.
    published_us: i64,
    document: u32,
}

impl Record for Copy {
    const BYTES: usize = 28;
    fn put(&self, bytes: &mut Vec<u8>) {
        self.exact.put(bytes);
        (self.published_us as u64).put(bytes);
        bytes.extend_from_slice(&self.document.to_le_bytes());
    }
    fn get(bytes: &[u8]) -> Self {
        // The last four bytes are the upper half of the eight that end the record.
        let document = (take(bytes, 20) >> 32) as u32;
        Self {
            exact: u128::get(bytes),
            published_us: take(bytes, 16) as i64,
            document,
        }
    }
}

/// Merges documents with the same matching view, within the window where there is one.
fn merge_exact(
    store: &Store,
    clusters: &mut Clusters,
    window_us: Option<i64>,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<()> {
    let mut copies = Partitions::new("copies", memory_bytes);
    for start in (0..store.documents()).step_by(READ_DOCUMENTS) {
        let stop = store.documents().min(start.saturating_add(READ_DOCUMENTS as u32));
        for (document, entry) in (start..stop).zip(store.entries(start..stop)?) {
            let published_us = entry.published_us.unwrap_or(i64::MAX);
            let partition = (entry.exact >> 64) as usize % PARTITIONS;
            copies.push(
                partition,
                Copy {
                    exact: entry.exact,
                    published_us,
                    document,
                },
                folder,
            )?;
        }
    }
    each_partition(
        memory_bytes,
        |partition| copies.bytes(partition) * 2,
        |partition| {
            let copies = copies.load(partition)?;
            let sets = copies.chunk_by(|a, b| {
                a.exact == b.exact
                    && window_us.is_none_or(|window| {
                        b.published_us == i64::MAX || b.published_us - a.published_us <= window
                    })
            });
            Ok(sets
                .filter(|set| set.len() > 1)
                .map(<[Copy]>::to_vec)
                .collect::<Vec<_>>())
        },
        |sets| {
            for set in sets {
                let Some(first) = set.iter().map(|copy| copy.document).min() else {
                    continue;
                };
                set.iter().for_each(|copy| clusters.merge(first, copy.document));
                let dates = || {
                    set.iter()
                        .map(|copy| copy.published_us)
                        .filter(|&date| date != i64::MAX)
                };
                if let Some((earliest, latest)) = dates().min().zip(dates().max()) {
                    store.set_published_range(first, earliest, latest)?;
                }
            }
            Ok(())
        },
    )
}

/// A verified pair. Sorts by Jaccard, the highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    /// 2^32 - 1 less the Jaccard in units of 2^-31.
    distance: u32,
    first: u32,
    second: u32,
    /// Share of the first document in the second, and the reverse, in units of 1/65535.
    first_in_second: u16,
    second_in_first: u16,
    verdict: u8,
}

const SAME: u8 = 0;
const DOUBTFUL: u8 = 1;
const TEMPLATE: u8 = 2;

impl Edge {
    fn new(first: u32, second: u32, pair: &Comparison, verdict: Verdict) -> Self {
        let share = |share: f32| (share * 65535.0).round() as u16;
        Self {
            distance: u32::MAX - (pair.jaccard * 2f32.powi(31)) as u32,
            first,
            second,
            first_in_second: share(pair.first_in_second),
            second_in_first: share(pair.second_in_first),
            verdict: match verdict {
                Verdict::SameStory => SAME,
                Verdict::Doubtful => DOUBTFUL,
                Verdict::Template => TEMPLATE,
            },
        }
    }

    fn jaccard(&self) -> f32 {
        (u32::MAX - self.distance) as f32 / 2f32.powi(31)
    }

    /// The document of which more stands in the other, and the other. The first where both are equal.
    fn part_and_whole(&self) -> (u32, u32) {
        if self.first_in_second >= self.second_in_first {
            (self.first, self.second)
        } else {
            (self.second, self.first)
        }
    }

    /// Whether it merges two stories rather than attach an excerpt.
    fn is_same_story(&self) -> bool {
        let containment = f32::from(self.first_in_second.max(self.second_in_first)) / 65535.0;
        self.jaccard() >= SAME_STORY_JACCARD
            || (self.jaccard() >= NOISY_JACCARD && containment < NOISY_CONTAINMENT)
    }
}

impl Record for Edge {
    const BYTES: usize = 17;
    fn put(&self, bytes: &mut Vec<u8>) {
        for number in [self.distance, self.first, self.second] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.first_in_second.to_le_bytes());
        bytes.extend_from_slice(&self.second_in_first.to_le_bytes());
        bytes.push(self.verdict);
    }
    fn get(bytes: &[u8]) -> Self {
        let (low, high) = (take(bytes, 0), take(bytes, 8));
        Self {
            distance: low as u32,
            first: (low >> 32) as u32,
            second: high as u32,
            first_in_second: (high >> 32) as u16,
            second_in_first: (high >> 48) as u16,
            verdict: bytes.get(16).copied().unwrap_or_default(),
        }
    }
}

/// Verifies candidates on the whole sketches. Edges are partitioned by Jaccard, the highest first.
fn verify(
    store: &Store,
    candidates: &Candidates,
    window_us: Option<i64>,
    memory_bytes: usize,
    folder: &Folder,
) -> Result<Partitions<Edge>> {
    let mut edges = Partitions::new("edges", memory_bytes / 2);
    each_partition(
        memory_bytes / 2,
        |partition| candidates.pairs.bytes(partition) * 4,
        |partition| {
            let mut pairs = candidates.pairs.load(partition)?;
            keep_frequent(&mut pairs);
            verify_pairs(store, candidates, &pairs, window_us)
        },
        |found| {
            for edge in found {
                let partition = ((1.0 - edge.jaccard()) * (PARTITIONS - 1) as f32) as usize;
                edges.push(partition.min(PARTITIONS - 1), edge, folder)?;
            }
            Ok(())
        },
    )?;
    Ok(edges)
}

/// Keeps one of each pair that comes often enough.
fn keep_frequent(pairs: &mut Vec<u64>) {
    let mut kept = 0;
    let mut at = 0;
    while at < pairs.len() {
        let pair = pairs[at];
        let count = pairs[at..].iter().take_while(|&&other| other == pair).count();
        if count >= postings::MIN_COMMON {
            pairs[kept] = pair;
            kept += 1;
        }
        at += count;
    }
    pairs.truncate(kept);
}

fn verify_pairs(
    store: &Store,
    candidates: &Candidates,
    pairs: &[u64],
    window_us: Option<i64>,
) -> Result<Vec<Edge>> {
    let mut edges = Vec::new();
    let (mut first_sketch, mut second_sketch, mut bytes) = (Sketch::default(), Sketch::default(), Vec::new());
    for group in pairs.chunk_by(|a, b| a >> 32 == b >> 32) {
        let Some(first) = group.first().map(|pair| (pair >> 32) as u32) else {
            continue;
        };
        let first_entry = store.entry(first)?;
        store.read(&first_entry, &mut bytes, &mut first_sketch)?;
        for &pair in group {
            let second = pair as u32;
            let second_entry = store.entry(second)?;
            if !are_near_in_time(&first_entry, &second_entry, window_us) {
                continue;
            }
            store.read(&second_entry, &mut bytes, &mut second_sketch)?;
            edges.extend(edge(first, &first_sketch, second, &second_sketch, candidates));
        }
    }
    Ok(edges)
}

fn are_near_in_time(first: &Entry, second: &Entry, window_us: Option<i64>) -> bool {
    match (first.published_range, second.published_range, window_us) {
        (Some(first), Some(second), Some(window)) => {
            first.0.saturating_sub(second.1) <= window && second.0.saturating_sub(first.1) <= window
        }
        _ => true,
    }
}

/// The edge between two documents, where they have enough in common.
fn edge(
    first: u32,
    first_sketch: &Sketch,
    second: u32,
    second_sketch: &Sketch,
    candidates: &Candidates,
) -> Option<Edge> {
    let pair = compare(first_sketch, second_sketch);
    let is_noisy_match = pair.jaccard >= NOISY_JACCARD || pair.containment() >= NOISY_CONTAINMENT;
    if !is_noisy_match || (pair.common as usize) < postings::MIN_COMMON {
        return None;
    }
    let verdict = judge(&pair);
    let is_match = pair.jaccard >= SAME_STORY_JACCARD
        || (pair.containment() >= EXCERPT_CONTAINMENT && pair.common >= MIN_EXCERPT_COMMON);
    if is_match {
        return Some(Edge::new(first, second, &pair, verdict));
    }
    if verdict != Verdict::SameStory || !supports(&pair) {
        return None;
    }
    let story = compare_stories(first_sketch, second_sketch, |hash| {
        candidates.phrases.contains(hash)
    });
    let is_match = story.common >= MIN_NOISY_COMMON
        && (story.jaccard >= NOISY_JACCARD || story.containment() >= NOISY_CONTAINMENT);
    is_match.then(|| Edge::new(first, second, &pair, verdict))
}

/// Sampled shingles an excerpt must share: at one in eight these stand for thirty words, so that one
/// reused sentence is not enough.
const MIN_EXCERPT_COMMON: u32 = 4;

/// Sampled shingles a noisy match must share besides phrases: two sentences at one in eight. The
/// standard error of a share of .55 is then .18 and figures and names must speak for the rest.
const MIN_NOISY_COMMON: u32 = 8;

/// What is known of each document besides its cluster.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    /// Siblings with the same wording and other figures or names, at most 255.
    siblings: u8,
    is_template: bool,
    is_composite: bool,
    /// Root of a cluster of several documents.
    has_company: bool,
}

/// Counts for every document the others that look like the same form filled in differently.
fn find_forms(edges: &Partitions<Edge>, documents: u32) -> Result<Vec<Marks>> {
    let mut marks = vec![Marks::default(); documents as usize];
    for partition in 0..PARTITIONS {
        for edge in edges.load(partition)?.iter().filter(|edge| edge.verdict != SAME) {
            for document in [edge.first, edge.second] {
                let mark = &mut marks[document as usize];
                mark.siblings = mark.siblings.saturating_add(1);
                mark.is_template |= edge.verdict == TEMPLATE;
            }
        }
    }
    Ok(marks)
}

/// Whether an edge joins two documents of one form.
fn is_form(edge: &Edge, marks: &[Marks]) -> bool {
    let siblings = marks[edge.first as usize]
        .siblings
        .min(marks[edge.second as usize].siblings);
    edge.verdict == TEMPLATE || (edge.verdict != SAME && siblings >= SIBLINGS_OF_A_FORM)
}

/// No container.
const NONE: u32 = u32::MAX;

/// The container of each document: the one it makes the largest part of, then the smallest id.
fn best_containers(edges: &Partitions<Edge>, marks: &[Marks]) -> Result<Vec<u32>> {
    let mut best = vec![NONE; marks.len()];
    // The highest Jaccard comes first, so the first container met is the best.
    for partition in 0..PARTITIONS {
        for edge in edges.load(partition)? {
            let (part, whole) = edge.part_and_whole();
            let is_open = best[part as usize] == NONE && !marks[whole as usize].is_composite;
            if is_open && !is_form(&edge, marks) {
                best[part as usize] = whole;
            }
        }
    }
    Ok(best)
}

/// Documents that contain another, ascending.
fn wholes_to_check(best: &[u32]) -> Vec<u32> {
    let mut wholes: Vec<u32> = best.iter().copied().filter(|&whole| whole != NONE).collect();
    wholes.sort_unstable();
    wholes.dedup();
    wholes
}

/// Marks collections: documents made for the most part of several others that share nothing.
fn mark_composites(
    store: &Store,
    candidates: &Candidates,
    wholes: &[u32],
    marks: &mut [Marks],
    memory_bytes: usize,
    folder: &Folder,
) -> Result<()> {
    let overlaps = postings::overlaps(store, &candidates.postings, wholes, memory_bytes, folder)?;
    each_partition(
        memory_bytes,
        |partition| overlaps.bytes(partition) * 2,
        |partition| {
            let overlaps = overlaps.load(partition)?;
            let mut found = Vec::new();
            for parts in overlaps.chunk_by(|a, b| a >> 32 == b >> 32) {
                let Some(whole) = parts.first().map(|part| (part >> 32) as u32) else {
                    continue;
                };
                if is_composite(store, whole, parts)? {
                    found.push(whole);
                }
            }
            Ok(found)
        },
        |found: Vec<u32>| {
            found
                .into_iter()
                .for_each(|whole| marks[whole as usize].is_composite = true);
            Ok(())
        },
    )
}

/// Documents looked at as parts of one whole.
const PARTS_TRIED: usize = 24;

/// Least share of the whole a part must add.
const PART_SHARE: f32 = 0.1;

/// Share of the whole that several documents must supply together for a collection.
const MOST_OF_A_WHOLE: f32 = 2.0 / 3.0;

/// Whether two or more documents that share nothing make up most of the whole and none makes up half.
/// `parts` holds `whole << 32 | part` once per shared hash, sorted.
fn is_composite(store: &Store, whole: u32, parts: &[u64]) -> Result<bool> {
    let mut counts: Vec<(usize, u32)> = Vec::new();
    for part in parts.chunk_by(|a, b| a == b) {
        counts.extend(part.first().map(|&pair| (part.len(), pair as u32)));
    }
    counts.sort_unstable_by_key(|&(count, part)| (std::cmp::Reverse(count), part));
    let mut bytes = Vec::new();
    let mut sketch = Sketch::default();
    store.read(&store.entry(whole)?, &mut bytes, &mut sketch)?;
    sketch.hashes.retain(|&hash| hash <= u64::MAX >> COARSEST);
    let size = sketch.hashes.len();
    let least = ((size as f32 * PART_SHARE) as usize).max(3);
    let mut uncovered = sketch.hashes.clone();
    let mut taken: Vec<Sketch> = Vec::new();
    for &(count, part) in counts.iter().take(PARTS_TRIED) {
        if count < least {
            break;
        }
        let mut other = Sketch::default();
        store.read(&store.entry(part)?, &mut bytes, &mut other)?;
        let gain = shared(&uncovered, &other.hashes);
        let is_apart = taken
            .iter()
            .all(|taken| compare(taken, &other).containment() < PART_SHARE);
        if taken.is_empty() && gain * 2 > size {
            return Ok(false);
        }
        if gain >= least && is_apart {
            uncovered.retain(|hash| other.hashes.binary_search(hash).is_err());
            taken.push(other);
        }
    }
    // Two may be a story and the furniture of its page, unless both stand in the whole entirely.
    let is_whole = |part: &Sketch| compare(part, &sketch).first_in_second >= EXCERPT_CONTAINMENT;
    let are_stories = taken.len() > 2 || (taken.len() == 2 && taken.iter().all(is_whole));
    Ok(are_stories && (size - uncovered.len()) as f32 > MOST_OF_A_WHOLE * size as f32)
}

/// Merges along Jaccard edges, the strongest first.
fn merge_stories(edges: &Partitions<Edge>, marks: &[Marks], clusters: &mut Clusters) -> Result<()> {
    for partition in 0..PARTITIONS {
        for edge in edges.load(partition)? {
            let is_composite =
                [edge.first, edge.second].map(|document| marks[document as usize].is_composite);
            if edge.is_same_story() && !is_form(&edge, marks) && is_composite[0] == is_composite[1] {
                clusters.merge(edge.first, edge.second);
            }
        }
    }
    Ok(())
}

/// Attaches every document that is part of another to the one it makes the largest part of.
fn attach_excerpts(edges: &Partitions<Edge>, marks: &[Marks], clusters: &mut Clusters) -> Result<()> {
    for (part, &whole) in best_containers(edges, marks)?.iter().enumerate() {
        if whole != NONE && !marks[part].is_composite {
            clusters.merge(part as u32, whole);
        }
    }
    Ok(())
}

/// The rows, computed as they are asked for, some thousand at a time.
pub struct Duplicates {
    store: Store,
    /// The smallest document of each document's cluster.
    roots: Vec<u32>,
    /// The canonical document of each cluster, at its root.
    canonical: Vec<u32>,
    marks: Vec<Marks>,
    next: u32,
    rows: std::vec::IntoIter<Duplicate>,
    has_failed: bool,
    _folder: Folder,
}

impl Duplicates {
    fn new(store: Store, mut clusters: Clusters, mut marks: Vec<Marks>, folder: Folder) -> Result<Self> {
        for document in 0..store.documents() {
            let root = clusters.root(document);
            clusters.parents[document as usize] = root;
            marks[root as usize].has_company |= root != document;
        }
        let roots = clusters.parents;
        let canonical = canonical_documents(&store, &roots)?;
        let rows = Vec::new().into_iter();
        Ok(Self {
            store,
            roots,
            canonical,
            marks,
            next: 0,
            rows,
            has_failed: false,
            _folder: folder,
        })
    }

    fn fill(&mut self) -> Result<()> {
        let stop = self
            .store
            .documents()
            .min(self.next.saturating_add(READ_DOCUMENTS as u32 * 2));
        let documents: Vec<(u32, Entry)> = (self.next..stop)
            .zip(self.store.entries(self.next..stop)?)
            .collect();
        let rows: Result<Vec<Duplicate>> = documents
            .par_iter()
            .map(|(document, entry)| self.row(*document, entry))
            .collect();
        self.rows = rows?.into_iter();
        self.next = stop;
        Ok(())
    }

    fn row(&self, document: u32, entry: &Entry) -> Result<Duplicate> {
        let root = self.roots[document as usize];
        let canonical = self.canonical[root as usize];
        let marks = self.marks[document as usize];
        let mut row = Duplicate {
            document_id: entry.document_id,
            cluster_id: if root == document {
                entry.document_id
            } else {
                self.store.entry(root)?.document_id
            },
            canonical_id: entry.document_id,
            relation: Relation::Unique,
            jaccard: None,
            containment: None,
            contained: None,
            hours_after_canonical: None,
        };
        if canonical == document {
            row.relation = if marks.is_composite {
                Relation::Composite
            } else if self.marks[root as usize].has_company {
                Relation::Canonical
            } else if marks.is_template {
                Relation::Template
            } else {
                Relation::Unique
            };
            return Ok(row);
        }
        let canonical_entry = self.store.entry(canonical)?;
        row.canonical_id = canonical_entry.document_id;
        let hours = |us: i64| us as f64 / 3.6e9;
        let dates = entry.published_us.zip(canonical_entry.published_us);
        row.hours_after_canonical = dates.map(|(own, first)| hours(own.saturating_sub(first)));
        let pair = if entry.exact == canonical_entry.exact {
            Comparison {
                jaccard: 1.0,
                first_in_second: 1.0,
                second_in_first: 1.0,
                ..Comparison::default()
            }
        } else {
            let (mut own, mut other, mut bytes) = (Sketch::default(), Sketch::default(), Vec::new());
            self.store.read(entry, &mut bytes, &mut own)?;
            self.store.read(&canonical_entry, &mut bytes, &mut other)?;
            compare(&own, &other)
        };
        row.relation = relate(&pair, entry.exact == canonical_entry.exact);
        row.jaccard = Some(pair.jaccard);
        row.containment = Some(pair.first_in_second);
        row.contained = Some(pair.second_in_first);
        Ok(row)
    }
}

impl Iterator for Duplicates {
    type Item = Result<Duplicate>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_due = self.rows.len() == 0 && self.next < self.store.documents() && !self.has_failed;
        if is_due && let Err(error) = self.fill() {
            self.has_failed = true;
            return Some(Err(error));
        }
        self.rows.next().map(Ok)
    }
}

/// The canonical document of each cluster at its root: the earliest, then longest, then smallest id.
fn canonical_documents(store: &Store, roots: &[u32]) -> Result<Vec<u32>> {
    let mut canonical: Vec<u32> = (0..store.documents()).collect();
    let rank = |entry: &Entry, document| {
        (
            entry.published_us.unwrap_or(i64::MAX),
            std::cmp::Reverse(entry.text_bytes),
            document,
        )
    };
    for start in (0..store.documents()).step_by(READ_DOCUMENTS) {
        let stop = store.documents().min(start.saturating_add(READ_DOCUMENTS as u32));
        for (document, entry) in (start..stop).zip(store.entries(start..stop)?) {
            let root = roots[document as usize] as usize;
            let best = canonical[root];
            if best != document && rank(&entry, document) < rank(&store.entry(best)?, best) {
                canonical[root] = document;
            }
        }
    }
    Ok(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::sketch::{Origin, Scratch, sketch};

    const DAY_US: i64 = 86_400_000_000;

    /// One number after another (splitmix64, Steele et al. 2014).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ (mixed >> 31)) % limit as u64) as usize
        }

        fn story(&mut self, words: usize) -> Vec<String> {
            (0..words)
                .map(|_| format!("word{}x", self.below(3_000)))
                .collect()
        }

        /// A story of its own, a copy, a noisy copy, a part or an extension of an earlier one, a form.
        fn document(&mut self, earlier: &[Vec<String>]) -> Vec<String> {
            let length = 30 + self.below(400);
            let mut story = self.story(length);
            if earlier.is_empty() {
                return story;
            }
            let mut other = earlier[self.below(earlier.len())].clone();
            match self.below(8) {
                0 => other,
                1 => {
                    other
                        .iter_mut()
                        .filter(|_| self.below(25) == 0)
                        .for_each(|word| word.push('e'));
                    other
                }
                2 => other[..other.len() / 2].to_vec(),
                3 => {
                    other.append(&mut story);
                    other
                }
                4 => {
                    let form = (0..60).map(|at| (at, self.below(900)));
                    form.map(|(at, figure)| {
                        if at % 6 == 0 {
                            figure.to_string()
                        } else {
                            format!("form{at}x")
                        }
                    })
                    .collect()
                }
                _ => story,
            }
        }
    }

    fn collection(seed: u64, documents: u64) -> Vec<Sketch> {
        let mut random = Random(seed);
        let mut scratch = Scratch::default();
        let mut texts: Vec<Vec<String>> = Vec::new();
        let mut sketches = Vec::new();
        for number in 0..documents {
            let text = random.document(&texts);
            let published_us = (random.below(5) > 0).then(|| random.below(40) as i64 * DAY_US);
            let document_id = u128::from(number).wrapping_mul(0xd6e8_feb8_6659_fd93_0000_0001);
            sketches.push(sketch(
                &text.join(" "),
                Origin {
                    document_id,
                    published_us,
                },
                &mut scratch,
            ));
            texts.push(text);
        }
        sketches
    }

    fn run(sketches: &[Sketch], memory_bytes: usize, window_days: Option<u32>) -> Vec<Duplicate> {
        let work = std::env::temp_dir();
        let options = Options {
            memory_bytes,
            work: &work,
            window_days,
        };
        let rows = cluster(sketches.iter().cloned().map(Ok), &options).expect("a writable temporary folder");
        rows.map(|row| row.expect("readable temporary files")).collect()
    }

    fn shuffled(mut sketches: Vec<Sketch>, random: &mut Random) -> Vec<Sketch> {
        for at in (1..sketches.len()).rev() {
            sketches.swap(at, random.below(at + 1));
        }
        sketches
    }

    #[test]
    fn order_memory_and_threads_do_not_matter() {
        for seed in 0..4 {
            let sketches = collection(seed, 400);
            for window in [None, Some(7)] {
                let expected = run(&sketches, 64 << 20, window);
                assert!(expected.iter().any(|row| row.relation == Relation::Near));
                let mixed = shuffled(sketches.clone(), &mut Random(seed ^ 1));
                assert_eq!(run(&mixed, 64 << 20, window), expected);
                assert_eq!(run(&mixed, 40_000, window), expected);
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(1)
                    .build()
                    .expect("one thread");
                assert_eq!(pool.install(|| run(&sketches, 40_000, window)), expected);
            }
        }
    }

    #[test]
    fn daily_runs_end_as_one_run_over_everything() {
        for seed in 20..26 {
            let sketches = collection(seed, 300);
            let mut random = Random(seed);
            let expected = run(&sketches, 64 << 20, Some(10));
            // Days of any size in any order, late arrivals among them; each day's run sees what was kept so far.
            let mut waiting = shuffled(sketches, &mut random);
            let mut kept: Vec<Sketch> = Vec::new();
            let mut last = Vec::new();
            while !waiting.is_empty() {
                let day = waiting.split_off(waiting.len() - (1 + random.below(90)).min(waiting.len()));
                kept.splice(..0, day);
                last = run(&kept, 64 << 20, Some(10));
                assert_eq!(last.len(), kept.len());
            }
            assert_eq!(last, expected);
        }
    }

    #[test]
    fn a_late_arrival_that_was_published_first_takes_over() {
        let story = Random(1).story(200).join(" ");
        let edited = story.replacen("word1", "other", 4);
        let sketch_of = |text: &str, document_id, day: i64| {
            let published_us = Some(day * DAY_US);
            let origin = Origin {
                document_id,
                published_us,
            };
            sketch(text, origin, &mut Scratch::default())
        };
        let mut sketches = vec![sketch_of(&story, 1, 5), sketch_of(&edited, 2, 6)];
        let canonical = |sketches: &[Sketch]| run(sketches, 64 << 20, None)[0].canonical_id;
        assert_eq!(canonical(&sketches), 1);
        sketches.push(sketch_of(&story, 3, 4));
        assert_eq!(canonical(&sketches), 3);
    }

    #[test]
    fn every_document_has_one_row_in_order() {
        let sketches = collection(9, 300);
        let rows = run(&sketches, 64 << 20, None);
        let mut ids: Vec<u128> = sketches.iter().map(|sketch| sketch.document_id).collect();
        ids.sort_unstable();
        assert_eq!(rows.iter().map(|row| row.document_id).collect::<Vec<_>>(), ids);
        for row in &rows {
            let members = || rows.iter().filter(|other| other.cluster_id == row.cluster_id);
            assert_eq!(
                members().map(|other| other.document_id).min(),
                Some(row.cluster_id)
            );
            assert_eq!(
                members()
                    .filter(|other| other.canonical_id == other.document_id)
                    .count(),
                1
            );
            assert_eq!(row.jaccard.is_some(), row.canonical_id != row.document_id);
        }
    }

    #[test]
    fn a_document_that_comes_twice_counts_once() {
        let sketches = collection(3, 50);
        let twice: Vec<Sketch> = sketches.iter().chain(&sketches).cloned().collect();
        assert_eq!(run(&twice, 64 << 20, None), run(&sketches, 64 << 20, None));
        assert!(run(&[], 64 << 20, None).is_empty());
    }

    /// Clusters texts published on the given days and compares the relation of each.
    fn check(texts: &[(&str, i64)], window_days: Option<u32>, expected: &[Relation]) {
        let mut scratch = Scratch::default();
        let mut sketches = Vec::new();
        for (number, (text, day)) in texts.iter().enumerate() {
            let origin = Origin {
                document_id: number as u128,
                published_us: Some(day * DAY_US),
            };
            sketches.push(sketch(text, origin, &mut scratch));
        }
        let rows = run(&sketches, 64 << 20, window_days);
        assert_eq!(rows.iter().map(|row| row.relation).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn relations_to_the_earliest() {
        use Relation::{Canonical, Container, Exact, Excerpt, Near, Unique};
        let story = Random(1).story(300).join(" ");
        let part = story[..story.len() / 3].to_owned();
        let edited = story.replacen("word1", "other", 4);
        let other = Random(2).story(200).join(" ");
        check(
            &[(&story, 0), (&story, 1), (&other, 0)],
            None,
            &[Canonical, Exact, Unique],
        );
        check(
            &[(&story, 1), (&story, 0), (&edited, 2)],
            None,
            &[Exact, Canonical, Near],
        );
        check(&[(&story, 0), (&part, 1)], None, &[Canonical, Excerpt]);
        check(&[(&story, 1), (&part, 0)], None, &[Container, Canonical]);
        check(
            &[(&story, 0), (&story, 9), (&edited, 20)],
            Some(3),
            &[Unique, Unique, Unique],
        );
        check(
            &[(&story, 0), (&story, 9), (&edited, 10)],
            Some(3),
            &[Unique, Canonical, Near],
        );
    }

    #[test]
    fn forms_stay_apart_and_corrections_together() {
        use Relation::{Canonical, Near, Template};
        let report = |high, low, wind, rain, day| {
            format!(
                "The forecast for {day} May: a fair day with a high of {high} degrees and a low of {low} degrees. \
                 Winds from the north at {wind} km per hour with a chance of rain of {rain} percent. \
                 The service said residents should follow local advice and carry water at all times."
            )
        };
        let (one, two) = (report(21, 9, 14, 30, 4), report(25, 12, 33, 5, 5));
        check(&[(&one, 0), (&two, 1)], None, &[Template, Template]);
        check(
            &[(&one, 0), (&report(21, 9, 14, 35, 4), 0)],
            None,
            &[Canonical, Near],
        );
    }

    #[test]
    fn a_collection_does_not_tie_its_stories_together() {
        use Relation::{Composite, Excerpt, Unique};
        let stories: Vec<String> = (10..14).map(|seed| Random(seed).story(160).join(" ")).collect();
        let digest = stories.join(" ");
        let texts: Vec<(&str, i64)> = stories
            .iter()
            .chain([&digest])
            .map(|text| (text.as_str(), 0))
            .collect();
        check(&texts, None, &[Unique, Unique, Unique, Unique, Composite]);
        check(
            &[(&digest, 0), (&stories[1], 1)],
            None,
            &[Relation::Canonical, Excerpt],
        );
    }

    #[test]
    fn a_work_folder_that_cannot_be_written_is_named() {
        let options = Options {
            memory_bytes: 1 << 20,
            work: Path::new("/dev/null/work"),
            window_days: None,
        };
        let error = cluster(std::iter::empty(), &options)
            .err()
            .map(|error| format!("{error:#}"));
        assert!(error.is_some_and(|error| error.contains("/dev/null/work")));
    }
}
