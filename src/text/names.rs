//! Names of persons, places and organizations, put together from the labels of single words.

use crate::text::model::{Annotation, Model};
use std::ops::Range;

/// A name: its words and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'m> {
    /// Numbers of its words among those annotated.
    pub words: Range<usize>,
    /// What the model calls it: "PER", "LOC", "ORG" or what else it learnt.
    pub kind: &'m str,
}

/// The names among annotated words. `first` is the number of the first word. A name does not cross from one
/// sentence into the next if each is given by itself.
pub fn find<'m>(model: &'m Model, annotations: &[Annotation], first: usize) -> Vec<Name<'m>> {
    join(
        annotations
            .iter()
            .map(|annotation| model.name_label(annotation.name)),
        first,
    )
}

/// Joins BIO labels into names. An inside label that continues nothing opens a name, as conlleval counts it.
pub fn join<'l>(labels: impl Iterator<Item = &'l str>, first: usize) -> Vec<Name<'l>> {
    let mut names: Vec<Name> = Vec::new();
    let mut open = false;
    for (word, label) in labels.enumerate() {
        let word = first + word;
        let (begins, kind) = match label.split_once('-') {
            Some(("B", kind)) => (true, kind),
            Some((_, kind)) => (false, kind),
            None => {
                open = false;
                continue;
            }
        };
        match names.last_mut() {
            Some(name) if open && !begins && name.kind == kind => name.words.end = word + 1,
            _ => names.push(Name {
                words: word..word + 1,
                kind,
            }),
        }
        open = true;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(labels: &str, expected: &[(Range<usize>, &str)]) {
        let names: Vec<(Range<usize>, &str)> = join(labels.split(' '), 0)
            .into_iter()
            .map(|name| (name.words, name.kind))
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn labels_become_names() {
        check("O B-PER I-PER O", &[(1..3, "PER")]);
        check("B-LOC B-LOC", &[(0..1, "LOC"), (1..2, "LOC")]);
        check("I-ORG I-ORG O I-PER", &[(0..2, "ORG"), (3..4, "PER")]);
        check("B-ORG I-LOC", &[(0..1, "ORG"), (1..2, "LOC")]);
    }
}
