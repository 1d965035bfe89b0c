//! Tells a filled-in form from a copy: a weather report and the next share every word but the
//! figures and names; a copy, however noisy, changes those no more often than other words.

use super::relation::{Agreement, Comparison};

/// What figures and names say about two documents that share much of their wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing speaks against one story.
    SameStory,
    /// What differs is figures and names, which may be a correction or a form filled in anew: the
    /// number of such siblings decides.
    Doubtful,
    /// One form, filled in twice.
    Template,
}

/// Judges a pair by the figures and names of the document that has fewer of them.
pub fn judge(pair: &Comparison) -> Verdict {
    let slots = [pair.figures, pair.names];
    let excess = slots.map(|slots| i64::from(slots.differing()) - i64::from(slots.same));
    if excess.into_iter().any(|excess| excess >= CERTAIN_EXCESS) {
        Verdict::Template
    } else if excess.into_iter().any(|excess| excess > 0) || is_filled_in(pair, slots) {
        Verdict::Doubtful
    } else {
        Verdict::SameStory
    }
}

/// By how many the differing figures (or names) must outnumber those that agree to be certain.
///
/// A figure with the word before it survives in a copy with probability .75 even where 3 % of the
/// characters are wrong, and agrees by chance in a form with less than .1. An excess of three is then
/// over a hundred times likelier in a form; one or two changes in a text with few figures are what
/// a correction looks like.
const CERTAIN_EXCESS: i64 = 3;

/// Whether the changes keep to figures and names, and touch more than a quarter of them or of either
/// kind (of fewer than four a single correction is a quarter).
fn is_filled_in(pair: &Comparison, slots: [Agreement; 2]) -> bool {
    let all = Agreement {
        same: slots.iter().map(|s| s.same).sum(),
        of: slots.iter().map(|s| s.of).sum(),
    };
    let touches_many = |slots: Agreement, least: u32| slots.of >= least && slots.differing() * 4 > slots.of;
    // A changed word breaks three 3-grams, so a share p of changed words keeps (1 - p)^3 of them.
    let changed_words = pair.words as f32 * (1.0 - pair.containment().cbrt());
    // In news prose one word in six is a figure or a name; twice that is no accident.
    let keeps_to_slots = all.differing() as f32 * 3.0 > changed_words;
    let touches_many = touches_many(all, 1) || slots.into_iter().any(|slots| touches_many(slots, 4));
    keeps_to_slots && touches_many
}

/// A document with this many doubtful or certain siblings belongs to a form: corrections come in
/// twos and threes, forms in series.
pub const SIBLINGS_OF_A_FORM: u8 = 4;

/// Whether figures and names support a match too weak to stand alone.
pub fn supports(pair: &Comparison) -> bool {
    let slots = [pair.figures, pair.names];
    let [same, of] = [slots.map(|s| s.same), slots.map(|s| s.of)].map(|counts| counts.iter().sum::<u32>());
    of >= SUPPORTING_SLOTS && same * 3 >= of * 2 && slots.iter().all(|s| s.same * 2 >= s.of)
}

/// Fewer figures and names than this support nothing: two stories of one place and agency share three.
const SUPPORTING_SLOTS: u32 = 6;
