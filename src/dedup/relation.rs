//! How two documents relate: shared shingles, figures and names, and the word for it.

use super::sketch::{SLOTS_KEPT, Sketch};
pub use crate::tables::Relation;

/// Jaccard from which two documents are the same story. Measured on newswire with edits: pairs at
/// .4 to .6 are updates of one story, and below .35 reports of one form begin to chain.
pub const SAME_STORY_JACCARD: f32 = 0.4;

/// Share of the shorter document that must stand in the longer for it to be an excerpt. Each word
/// changed breaks three 3-grams, so .7 allows one word in ten to differ.
pub const EXCERPT_CONTAINMENT: f32 = 0.7;

/// Containment that is enough where what is shared is no common phrase and most figures and names
/// agree: a scan with 3 % of its characters wrong keeps .97^17 = .6 of its 3-grams (17 characters each).
pub const NOISY_CONTAINMENT: f32 = 0.55;

/// The same for Jaccard: .4 for such a scan of a whole story, a quarter once a paragraph or two were cut
/// or added. Stories that merely share background stay below and have other figures and names.
pub const NOISY_JACCARD: f32 = 0.25;

/// What two sketches have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Shared shingles of all shingles, estimated from the sample.
    pub jaccard: f32,
    /// Share of the first document's shingles that stand in the second.
    pub first_in_second: f32,
    /// The reverse.
    pub second_in_first: f32,
    /// Sampled shingles shared.
    pub common: u32,
    /// Sampled shingles of both documents at the sampling they share.
    pub sizes: [u32; 2],
    /// Words of the shorter document.
    pub words: u32,
    /// Figures, each with the word before it.
    pub figures: Agreement,
    /// Capitalised words.
    pub names: Agreement,
}

/// How many of the smaller set of two stand in the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// Members of the smaller set that stand in the other.
    pub same: u32,
    /// Members of the smaller set.
    pub of: u32,
}

impl Agreement {
    /// How many of the smaller set are missing in the other.
    pub fn differing(self) -> u32 {
        self.of - self.same
    }
}

impl Comparison {
    /// Share of the shorter document that stands in the longer.
    pub fn containment(&self) -> f32 {
        self.first_in_second.max(self.second_in_first)
    }
}

/// Compares two sketches at the coarser of their samplings.
pub fn compare(first: &Sketch, second: &Sketch) -> Comparison {
    let [first_hashes, second_hashes] = comparable(first, second);
    let common = shared(first_hashes, second_hashes) as f32;
    let sizes = [first_hashes.len() as u32, second_hashes.len() as u32];
    let of = |size: f32| if size > 0.0 { common / size } else { 0.0 };
    Comparison {
        jaccard: of((sizes[0] + sizes[1]) as f32 - common),
        first_in_second: of(sizes[0] as f32),
        second_in_first: of(sizes[1] as f32),
        common: common as u32,
        sizes,
        words: first.words.min(second.words),
        figures: agreement(&first.figures, &second.figures),
        names: agreement(&first.names, &second.names),
    }
}

/// The hashes of both at the sampling they share.
fn comparable<'a>(first: &'a Sketch, second: &'a Sketch) -> [&'a [u64]; 2] {
    let limit = u64::MAX >> first.scale.max(second.scale);
    [first, second].map(|sketch| &sketch.hashes[..sketch.hashes.partition_point(|&hash| hash <= limit)])
}

/// The comparison again, without the hashes for which `is_phrase` holds.
pub fn compare_stories(first: &Sketch, second: &Sketch, is_phrase: impl Fn(u64) -> bool) -> Comparison {
    let [first_hashes, second_hashes] = comparable(first, second);
    let own = |hashes: &[u64]| Sketch {
        hashes: hashes.iter().copied().filter(|&hash| !is_phrase(hash)).collect(),
        ..Sketch::default()
    };
    compare(&own(first_hashes), &own(second_hashes))
}

/// Compares two bottom-k samples over the range both cover.
fn agreement(first: &[u32], second: &[u32]) -> Agreement {
    let covered = |list: &[u32]| match list.last() {
        Some(&last) if list.len() >= SLOTS_KEPT => last,
        _ => u32::MAX,
    };
    let limit = covered(first).min(covered(second));
    let first = &first[..first.partition_point(|&hash| hash <= limit)];
    let second = &second[..second.partition_point(|&hash| hash <= limit)];
    Agreement {
        same: shared(first, second) as u32,
        of: first.len().min(second.len()) as u32,
    }
}

/// Elements two ascending lists without repeats share.
pub(super) fn shared<T: Ord>(first: &[T], second: &[T]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (first.get(i), second.get(j)) {
        count += usize::from(a == b);
        let step = a.cmp(b);
        i += usize::from(step.is_le());
        j += usize::from(step.is_ge());
    }
    count
}

/// Jaccard from which little new can have been said: below lie updates of a story.
pub const NEAR_JACCARD: f32 = 0.6;

/// The relation of the first document of a pair to the second, the canonical one.
pub fn relate(pair: &Comparison, is_exact: bool) -> Relation {
    if is_exact {
        Relation::Exact
    } else if pair.jaccard >= NEAR_JACCARD {
        Relation::Near
    } else if pair.first_in_second >= EXCERPT_CONTAINMENT && pair.first_in_second >= pair.second_in_first {
        Relation::Excerpt
    } else if pair.second_in_first >= EXCERPT_CONTAINMENT {
        Relation::Container
    } else {
        Relation::Revision
    }
}
