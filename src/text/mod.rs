//! A document read as sentences, words and clauses: what mentions, events and sentiment ask.
//!
//! Everything here borrows from the document and the knowledge, is made anew for each document, and is never
//! stored. Nothing here can fail: what cannot be read well is read with low confidence.

pub mod clauses;
pub mod dates;
pub mod quantities;
pub mod quotations;
pub mod sentences;

pub mod features;
mod fronted;
pub mod lemma;
pub mod model;
pub mod names;
pub mod network;
pub mod tokens;
pub mod tree;

use crate::knowledge::Gazetteer;
use std::borrow::Cow;
use std::ops::Range;

pub use clauses::{Clause, Phrase};
pub use model::{Annotation, Model, Scratch, Upos};
pub use quotations::Quotation;
pub use sentences::{Kind, Sentence};
use tokens::Token;

/// What it takes to parse a language.
pub struct Reader {
    /// How words are written together.
    pub rules: tokens::Rules,
    /// Tags, arcs and lemmas.
    pub model: Model,
    /// Words that tell of names.
    pub lists: names::Lists,
    /// What was learnt of names, where the language has it; without it names are the model's own.
    pub names: Option<names::Tagger>,
    /// Names of days and months, lower case.
    pub times: std::collections::HashSet<String>,
}

impl Reader {
    /// The names model's label of each word of a sentence; `None` where the language has no such model.
    pub fn names(
        &self,
        text: &str,
        tokens: &[Token],
        annotations: &[Annotation],
        gazetteer: &Gazetteer,
    ) -> Option<Vec<&'static str>> {
        let tagger = self.names.as_ref()?;
        let seen = names::see(text, tokens, annotations, &self.model);
        let labels = tagger.labels(text, &seen, &self.lists, gazetteer);
        Some(
            labels
                .into_iter()
                .map(|label| names::LABELS[usize::from(label)])
                .collect(),
        )
    }
}

/// One word of a parsed sentence, after Universal Dependencies.
#[derive(Debug, Clone)]
pub struct Word<'d> {
    /// The word as written.
    pub text: &'d str,
    /// Start in the document's text, in bytes.
    pub start: usize,
    /// End in the document's text, in bytes, exclusive.
    pub end: usize,
    /// Part of speech.
    pub upos: Upos,
    /// The language's own tag.
    pub xpos: &'d str,
    /// Dictionary form, lower case but for names.
    pub lemma: Cow<'d, str>,
    /// Index of the word it depends on; `None` for the root.
    pub head: Option<usize>,
    /// Label of the arc to the head.
    pub relation: &'d str,
    /// Confidence of the arc, 0 to 1.
    pub confidence: f32,
    /// Part in a name: `B-PER`, `I-ORG`, or `O`.
    pub name: &'d str,
}

/// A sentence with its words parsed.
#[derive(Debug)]
pub struct Parsed<'d> {
    /// Number of the sentence in the document, from 0.
    pub index: usize,
    /// Start in the document's text, in bytes.
    pub start: usize,
    /// End in the document's text, in bytes, exclusive.
    pub end: usize,
    /// What kind of line the sentence is.
    pub kind: Kind,
    /// Its words.
    pub words: Vec<Word<'d>>,
    children: Vec<Vec<usize>>,
}

/// A document's text, read.
pub struct Text<'d> {
    /// The whole text.
    pub text: &'d str,
    /// Every sentence.
    pub sentences: Vec<Sentence>,
    /// The sentences that were parsed, in order.
    pub parsed: Vec<Parsed<'d>>,
    /// Quotations, in order.
    pub quotations: Vec<Quotation>,
}

impl<'d> Parsed<'d> {
    /// A sentence of words that are already parsed.
    pub fn new(index: usize, sentence: &Sentence, words: Vec<Word<'d>>) -> Self {
        let mut children = vec![Vec::new(); words.len()];
        for (number, word) in words.iter().enumerate() {
            if let Some(head) = word.head.filter(|head| *head < words.len()) {
                children[head].push(number);
            }
        }
        Self {
            index,
            start: sentence.start,
            end: sentence.end,
            kind: sentence.kind,
            words,
            children,
        }
    }

    /// The words that depend on a word, in order.
    pub fn children(&self, word: usize) -> &[usize] {
        &self.children[word]
    }

    /// The words that depend on a word by a relation, its subtypes included: `nmod` finds `nmod:poss`.
    pub fn dependents<'s>(&'s self, word: usize, relation: &'s str) -> impl Iterator<Item = usize> + 's {
        self.children[word]
            .iter()
            .copied()
            .filter(move |child| self.is(*child, relation))
    }

    /// The first dependent by a relation.
    pub fn dependent(&self, word: usize, relation: &str) -> Option<usize> {
        self.dependents(word, relation).next()
    }

    /// Whether a word's relation is this one or a subtype of it.
    pub fn is(&self, word: usize, relation: &str) -> bool {
        let found = self.words[word].relation;
        found == relation
            || (found.starts_with(relation) && found.as_bytes().get(relation.len()) == Some(&b':'))
    }

    /// The prepositions that mark a word, joined by a space and in lower case: `from`, `out of`.
    pub fn preposition(&self, word: usize) -> String {
        let mut marks: Vec<usize> = self.dependents(word, "case").collect();
        let fixed: Vec<usize> = marks
            .iter()
            .flat_map(|mark| self.dependents(*mark, "fixed"))
            .collect();
        marks.extend(fixed);
        marks.retain(|mark| !self.words[*mark].text.starts_with(['\'', '’']));
        marks.sort_unstable();
        marks
            .iter()
            .map(|mark| self.words[*mark].text.to_lowercase())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The words under a word, itself included, in order.
    pub fn subtree(&self, word: usize) -> Vec<usize> {
        self.subtree_without(word, &[])
    }

    /// The words under a word but for those reached by some relations.
    pub fn subtree_without(&self, word: usize, relations: &[&str]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![word];
        while let Some(next) = open.pop() {
            found.push(next);
            if found.len() > self.words.len() {
                break;
            }
            let wanted = |child: &usize| !relations.iter().any(|relation| self.is(*child, relation));
            open.extend(self.children[next].iter().copied().filter(wanted));
        }
        found.sort_unstable();
        found
    }

    /// The stretch of text that some words cover, from the first to the last, in bytes.
    pub fn span(&self, words: &[usize]) -> Range<usize> {
        let start = words
            .iter()
            .map(|word| self.words[*word].start)
            .min()
            .unwrap_or(self.start);
        let end = words
            .iter()
            .map(|word| self.words[*word].end)
            .max()
            .unwrap_or(self.start);
        start..end
    }

    /// The word in a stretch of text on which the others of the stretch depend.
    pub fn head_of(&self, span: Range<usize>) -> Option<usize> {
        let inside = |word: &Word<'_>| word.start < span.end && word.end > span.start;
        let words = self.words.iter().enumerate().filter(|(_, word)| inside(word));
        let (mut last, mut determiner) = (None, None);
        for (number, word) in words {
            last = Some(number);
            if !word.head.is_some_and(|head| inside(&self.words[head])) {
                // "the UN" before "soldiers": both hang on the noun, and the name is not its article.
                if word.upos == Upos::Det {
                    determiner = determiner.or(last);
                } else {
                    return last;
                }
            }
        }
        determiner.or(last)
    }

    /// Whether one word is under another or is it.
    pub fn is_under(&self, word: usize, above: usize) -> bool {
        let mut at = Some(word);
        for _ in 0..=self.words.len() {
            match at {
                Some(found) if found == above => return true,
                Some(found) => at = self.words[found].head,
                None => return false,
            }
        }
        false
    }
}

/// Tokens and what the model says of them as words.
fn read_words<'d>(
    text: &'d str,
    tokens: &[Token],
    annotations: &[Annotation],
    reader: &'d Reader,
    gazetteer: &Gazetteer,
) -> Vec<Word<'d>> {
    let model = &reader.model;
    let names = reader.names(text, tokens, annotations, gazetteer);
    let word = |(number, (token, annotation)): (usize, (&Token, &Annotation))| Word {
        text: token.of(text),
        start: token.start as usize,
        end: token.end as usize,
        upos: annotation.upos,
        xpos: model.xpos_name(annotation.xpos),
        lemma: model.lemma(text, *token, annotation),
        head: (annotation.head as usize).checked_sub(1),
        relation: model.label_name(annotation.label),
        confidence: annotation.confidence,
        name: names
            .as_ref()
            .map_or_else(|| model.name_label(annotation.name), |names| names[number]),
    };
    let mut words: Vec<Word<'d>> = tokens.iter().zip(annotations).enumerate().map(word).collect();
    fronted::free(&mut words, &reader.times);
    words
}

/// Reads a document: sentences, quotations, and a parse of the sentences asked for.
pub fn annotate<'d>(
    text: &'d str,
    sentences: Vec<Sentence>,
    wanted: impl Fn(usize, &Sentence) -> bool,
    reader: &'d Reader,
    gazetteer: &Gazetteer,
) -> Text<'d> {
    let chosen: Vec<usize> = (0..sentences.len())
        .filter(|index| wanted(*index, &sentences[*index]))
        .collect();
    let mut found = Vec::new();
    let mut spans = Vec::with_capacity(chosen.len());
    for index in &chosen {
        let first = found.len();
        reader
            .rules
            .tokenize(text, sentences[*index].start..sentences[*index].end, &mut found);
        spans.push(first..found.len());
    }
    let mut scratch = Scratch::default();
    let annotations = reader.model.annotate(text, &found, &spans, &mut scratch);
    let words = |span: &Range<usize>| {
        read_words(
            text,
            &found[span.clone()],
            &annotations[span.clone()],
            reader,
            gazetteer,
        )
    };
    let parsed = chosen
        .iter()
        .zip(&spans)
        .map(|(index, span)| Parsed::new(*index, &sentences[*index], words(span)));
    let parsed = parsed.collect();
    let quotations = quotations::find(text, &sentences);
    Text {
        text,
        sentences,
        parsed,
        quotations,
    }
}
