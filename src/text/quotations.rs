//! Quotations: what stands between quotation marks, and single quoted words, which attribute a judgement.

use std::ops::Range;

use super::sentences::Sentence;

/// What stands between two quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotation {
    /// Start of the quoted words in the text, in bytes, the mark left out.
    pub start: usize,
    /// End of the quoted words, in bytes, exclusive.
    pub end: usize,
    /// Whether only a few words are quoted: scare quotes, which attribute a word and not a sentence.
    pub is_scare: bool,
}

impl Quotation {
    /// Whether a stretch of text lies in the quotation.
    pub fn covers(&self, span: &Range<usize>) -> bool {
        self.start <= span.start && span.end <= self.end
    }
}

/// Words above which quoted words are a statement.
const SCARE_WORDS_MAX: usize = 3;
/// A quotation left open longer than this, in bytes, was never meant as one (a lone inch mark, say).
const QUOTATION_BYTES_MAX: usize = 2_000;

/// The quotations of a text, in order. Curly, straight, angled and low marks are known; a quotation may run over
/// several sentences of a paragraph, but not over a blank line.
pub fn find(text: &str, sentences: &[Sentence]) -> Vec<Quotation> {
    let mut found = Vec::new();
    let mut open: Option<(usize, char)> = None;
    let mut previous = '\n';
    for (at, mark) in text.char_indices() {
        match open {
            Some((start, closing)) if mark == closing => {
                if at - start <= QUOTATION_BYTES_MAX && at > start {
                    let words = text[start..at].split_whitespace().count();
                    found.push(Quotation {
                        start,
                        end: at,
                        is_scare: words <= SCARE_WORDS_MAX,
                    });
                }
                open = None;
            }
            Some(_) if mark == '\n' && previous == '\n' => open = None,
            Some(_) => {}
            None => {
                let closing = match mark {
                    '“' | '„' => Some('”'),
                    '«' => Some('»'),
                    '"' => Some('"'),
                    _ => None,
                };
                open = closing.map(|closing| (at + mark.len_utf8(), closing));
            }
        }
        previous = mark;
    }
    debug_assert!(sentences.iter().all(|sentence| sentence.end <= text.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = find(text, &[])
            .iter()
            .map(|quotation| &text[quotation.start..quotation.end])
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn marks_of_several_kinds() {
        check(
            "He called them “illegal” and \"unwanted\".",
            &["illegal", "unwanted"],
        );
        check("Ils sont «partis hier».", &["partis hier"]);
        check("A 5\" gun.\n\nNext paragraph.", &[]);
    }

    #[test]
    fn few_words_are_scare_quotes() {
        let found = find("“illegal” troops: “they must all go home now”", &[]);
        assert_eq!(
            found
                .iter()
                .map(|quotation| quotation.is_scare)
                .collect::<Vec<_>>(),
            [true, false]
        );
    }
}
