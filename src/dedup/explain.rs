//! Why two documents were, or were not, taken for one story: the passages they share and those they do
//! not, and the figures behind the decision.

use super::relation::{Comparison, Relation, compare, relate};
use super::sketch::{Origin, Scratch, View, combine, sketch};
use super::template::{Verdict, judge};
use std::collections::HashMap;
use std::ops::Range;

/// The evidence for a pair of texts. Passages are byte ranges of the texts themselves, in order, and
/// never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Passages of the first text and where they stand in the second.
    pub shared: Vec<(Range<usize>, Range<usize>)>,
    /// Passages of the first text that the second has not.
    pub first_only: Vec<Range<usize>>,
    /// The reverse.
    pub second_only: Vec<Range<usize>>,
    /// The figures of the decision.
    pub comparison: Comparison,
    /// What figures and names say.
    pub verdict: Verdict,
    /// What the first document would be to the second, were they in one cluster.
    pub relation: Relation,
}

/// Compares two texts word by word. A passage is shared when each of its words lies in a run of three
/// or more that both texts have; a passage may be found anywhere in the other text.
pub fn explain(first: &str, second: &str) -> Evidence {
    let mut scratch = Scratch::default();
    let sketches = [first, second].map(|text| sketch(text, Origin::default(), &mut scratch));
    let comparison = compare(&sketches[0], &sketches[1]);
    let (first_words, second_words) = (words(first), words(second));
    let runs = shared_runs(&first_words, &second_words);
    let mut in_first = vec![false; first_words.len()];
    let mut in_second = vec![false; second_words.len()];
    for (first, second) in &runs {
        in_first[first.clone()].fill(true);
        in_second[second.clone()].fill(true);
    }
    let shared = runs
        .iter()
        .filter_map(|(a, b)| Some((span(&first_words, a)?, span(&second_words, b)?)));
    Evidence {
        shared: shared.collect(),
        first_only: unmarked(&first_words, &in_first),
        second_only: unmarked(&second_words, &in_second),
        comparison,
        verdict: judge(&comparison),
        relation: relate(&comparison, sketches[0].exact == sketches[1].exact),
    }
}

/// A word of a text: its hash in the matching view, its bytes in the text.
#[derive(Debug)]
struct Place {
    hash: u64,
    bytes: Range<usize>,
}

/// The words of a text with their places. The text is cut at whitespace, and each piece is brought into
/// the matching view by itself: all words of a piece then stand where the piece stands.
fn words(text: &str) -> Vec<Place> {
    let mut view = View::default();
    let mut places = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(char::is_whitespace) {
        let bytes = at..at + piece.trim_end().len();
        at += piece.len();
        // Characters of unspaced scripts are placed one by one, so that a passage is more than a line.
        let is_long = bytes.len() > LONGEST_PIECE && !piece.is_ascii();
        for (start, part) in if is_long {
            pieces(piece)
        } else {
            vec![(0, piece.trim_end())]
        } {
            view.set(part);
            let start = bytes.start + start;
            view.each_word(|word| {
                places.push(Place {
                    hash: word.hash,
                    bytes: start..start + part.len(),
                })
            });
        }
    }
    places
}

/// Bytes from which a piece without whitespace is taken for a sentence rather than a word.
const LONGEST_PIECE: usize = 48;

/// The characters of a piece with their places.
fn pieces(piece: &str) -> Vec<(usize, &str)> {
    let characters = piece.trim_end().char_indices();
    characters
        .map(|(at, c)| (at, &piece[at..at + c.len_utf8()]))
        .collect()
}

/// Words in a row that make a passage.
const RUN_WORDS: usize = 3;

/// Places of one 3-gram looked at in the second text: a refrain need not be followed everywhere.
const PLACES_TRIED: usize = 16;

/// Runs of words both texts have, greedily: from each word of the first the longest run in the second.
fn shared_runs(first: &[Place], second: &[Place]) -> Vec<(Range<usize>, Range<usize>)> {
    let gram = |words: &[Place]| combine([words[0].hash, words[1].hash, words[2].hash]);
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, words) in second.windows(RUN_WORDS).enumerate() {
        let places = places.entry(gram(words)).or_default();
        if places.len() < PLACES_TRIED {
            places.push(at);
        }
    }
    let length_at = |from: usize, to: usize| {
        first[from..]
            .iter()
            .zip(&second[to..])
            .take_while(|(a, b)| a.hash == b.hash)
            .count()
    };
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(words) = first.get(at..at + RUN_WORDS) {
        let found = places.get(&gram(words)).into_iter().flatten();
        let longest = found.map(|&to| (length_at(at, to), std::cmp::Reverse(to))).max();
        match longest {
            Some((length, std::cmp::Reverse(to))) if length >= RUN_WORDS => {
                runs.push((at..at + length, to..to + length));
                at += length;
            }
            _ => at += 1,
        }
    }
    runs
}

/// The bytes of a run of words.
fn span(words: &[Place], run: &Range<usize>) -> Option<Range<usize>> {
    let words = words.get(run.clone())?;
    Some(words.first()?.bytes.start..words.last()?.bytes.end)
}

/// The passages of words that are not marked.
fn unmarked(words: &[Place], marks: &[bool]) -> Vec<Range<usize>> {
    let mut passages = Vec::new();
    let mut at = 0;
    for run in marks.chunk_by(|a, b| a == b) {
        let next = at + run.len();
        if run.first() == Some(&false) {
            passages.extend(span(words, &(at..next)));
        }
        at = next;
    }
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: &str, second: &str, shared: &[&str], first_only: &[&str], second_only: &[&str]) {
        let evidence = explain(first, second);
        let of = |text: &'static str, ranges: &[Range<usize>]| -> Vec<&'static str> {
            ranges.iter().map(|range| &text[range.clone()]).collect()
        };
        let [first, second] = [first, second].map(|text| -> &'static str { text.to_owned().leak() });
        let in_first: Vec<_> = evidence.shared.iter().map(|(a, _)| a.clone()).collect();
        assert_eq!(of(first, &in_first), shared);
        assert_eq!(of(first, &evidence.first_only), first_only);
        assert_eq!(of(second, &evidence.second_only), second_only);
    }

    #[test]
    fn passages_are_ranges_of_the_texts() {
        check(
            "one two three four",
            "zero one two three",
            &["one two three"],
            &["four"],
            &["zero"],
        );
        check(
            "A “big” day in town",
            "so a \"big\" day in court",
            &["A “big” day in"],
            &["town"],
            &["so", "court"],
        );
        check("", "one two three", &[], &[], &["one two three"]);
        check(
            "a b c x d e f",
            "d e f y a b c",
            &["a b c", "d e f"],
            &["x"],
            &["y"],
        );
        check("one two", "one two", &[], &["one two"], &["one two"]);
    }

    #[test]
    fn scripts_without_spaces_are_matched_by_character() {
        let text = "市气象台发布天气预报明天白天多云最高气温三十度";
        let evidence = explain(text, &text.replace("多云", "晴"));
        assert_eq!(evidence.shared.len(), 2);
        assert_eq!(&text[evidence.first_only[0].clone()], "多云");
    }

    #[test]
    fn relation_and_verdict_are_those_of_the_decision() {
        let text =
            "The minister said on Monday that the bridge over the river would open in June after repairs.";
        assert_eq!(explain(text, &text.to_uppercase()).relation, Relation::Exact);
        assert_eq!(explain(text, text).verdict, Verdict::SameStory);
    }
}
