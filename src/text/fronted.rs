//! "In 2014 gunmen stormed", "On Tuesday jets bombed": a time that opens a sentence without a comma, which the parser
//! takes for a part of the noun phrase behind it, so that the verb loses its subject. The arcs are mended here.

use std::collections::HashSet;

use super::{Upos, Word};

/// Frees the noun phrase behind a time that opens the sentence; `times` are names of days and months, lower case.
pub(super) fn free(words: &mut [Word<'_>], times: &HashSet<String>) {
    let is_time = |word: &Word<'_>| {
        let is_year = word.text.len() == 4 && word.text.bytes().all(|byte| byte.is_ascii_digit());
        is_year || times.contains(&word.text.to_lowercase())
    };
    if words.first().is_none_or(|first| first.upos != Upos::Adp) {
        return;
    }
    let behind = 1 + words[1..].iter().take_while(|word| is_time(word)).count();
    let taken = words[0].head.filter(|head| *head >= behind && behind > 1);
    let Some((noun, verb)) = taken.and_then(|noun| Some((noun, words[noun].head?))) else {
        return;
    };
    let is_subject = |word: &Word<'_>| word.head == Some(verb) && word.relation.starts_with("nsubj");
    if verb < noun || words[verb].upos != Upos::Verb || words.iter().any(is_subject) {
        return;
    }
    let is_passive = words
        .iter()
        .any(|word| word.head == Some(verb) && word.relation == "aux:pass");
    words[noun].relation = if is_passive { "nsubj:pass" } else { "nsubj" };
    let time = behind - 1;
    for word in &mut words[1..time] {
        (word.head, word.relation) = (Some(time), "compound");
    }
    (words[time].head, words[time].relation) = (Some(verb), "obl");
    words[0].head = Some(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word<'d>(text: &'d str, upos: Upos, head: Option<usize>, relation: &'d str) -> Word<'d> {
        Word {
            text,
            start: 0,
            end: 0,
            upos,
            xpos: "",
            lemma: text.into(),
            head,
            relation,
            confidence: 1.0,
            name: "O",
        }
    }

    #[test]
    fn a_time_is_no_part_of_the_subject() {
        let mut words = [
            word("In", Upos::Adp, Some(2), "case"),
            word("2014", Upos::Num, Some(2), "nummod"),
            word("gunmen", Upos::Noun, Some(3), "obl"),
            word("stormed", Upos::Verb, None, "root"),
        ];
        free(&mut words, &HashSet::new());
        let arcs: Vec<_> = words.iter().map(|word| (word.head, word.relation)).collect();
        assert_eq!(
            arcs,
            [
                (Some(1), "case"),
                (Some(3), "obl"),
                (Some(3), "nsubj"),
                (None, "root")
            ]
        );
    }
}
