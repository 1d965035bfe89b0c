//! The reader's model: one file with everything learnt (tags, labels, embeddings, network, lemma rules), and
//! the reading of a sentence with it.

use crate::text::features::{self, TEMPLATES, Table, WORD};
use crate::text::lemma::{Lemmatizer, Rule};
use crate::text::network::{self, Best, Layout, Pass, Shape};
use crate::text::tokens::Token;
use crate::text::tree;
use anyhow::{Context, Result, bail, ensure};
use std::borrow::Cow;
use std::ops::Range;

/// First bytes of a model file; the last one counts versions.
const MAGIC: &[u8; 8] = b"READER\0\x02";

/// Universal part-of-speech tags (<https://universaldependencies.org/u/pos/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
#[rustfmt::skip]
pub enum Upos {
    Adj, Adp, Adv, Aux, Cconj, Det, Intj, Noun, Num, Part, Pron, Propn, Punct, Sconj, Sym, Verb, X,
}

impl Upos {
    /// All tags, in order.
    #[rustfmt::skip]
    pub const ALL: [Upos; 17] = [
        Upos::Adj, Upos::Adp, Upos::Adv, Upos::Aux, Upos::Cconj, Upos::Det, Upos::Intj, Upos::Noun, Upos::Num,
        Upos::Part, Upos::Pron, Upos::Propn, Upos::Punct, Upos::Sconj, Upos::Sym, Upos::Verb, Upos::X,
    ];

    /// The name used in treebanks.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; 17] = [
            "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
            "PUNCT", "SCONJ", "SYM", "VERB", "X",
        ];
        NAMES[self as usize]
    }

    /// The tag of that name.
    pub fn from_name(name: &str) -> Option<Upos> {
        Upos::ALL.into_iter().find(|tag| tag.name() == name)
    }
}

/// What the reader says of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Annotation {
    /// Universal part of speech.
    pub upos: Upos,
    /// Number of the language's own tag, see `Model::xpos_name`.
    pub xpos: u8,
    /// Number of the label of the arc to the head, see `Model::label_name`.
    pub label: u8,
    /// Number of the word's name label, see `Model::name_label`; 0 outside names.
    pub name: u8,
    /// Head of the word, counted from 1 within the sentence; 0 is the root.
    pub head: u16,
    /// Probability of the arc and its label, 0 to 1.
    pub confidence: f32,
}

/// The parts of a model as they are learnt and stored.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Sizes of the network.
    pub shape: Shape,
    /// Names of tags: universal, then the language's own.
    pub tags: Vec<(Upos, String)>,
    /// Names of labels.
    pub labels: Vec<String>,
    /// Labels of names in BIO form, "O" first.
    pub names: Vec<String>,
    /// Feature key of every embedding row; row 0 is the unknown word.
    pub keys: Vec<u32>,
    /// Value of one step of each embedding row.
    pub steps: Vec<f32>,
    /// Embeddings in steps, `[rows][width]`.
    pub embeddings: Vec<i8>,
    /// Dense parameters, see `Layout`.
    pub parameters: Vec<f32>,
    /// Lexicon: key of a form and its class.
    pub lexicon: Vec<(u32, u8)>,
    /// Lemma rules.
    pub rules: Vec<Rule>,
    /// Forms with lemma rules of their own.
    pub exceptions: Vec<(u32, u32)>,
    /// Endings and their lemma rules.
    pub endings: Vec<(u32, u32)>,
}

/// A loaded model.
pub struct Model {
    layout: Layout,
    tags: Vec<(Upos, u8)>,
    xpos: Vec<String>,
    labels: Vec<String>,
    names: Vec<String>,
    rows: Table,
    steps: Vec<f32>,
    embeddings: Vec<i8>,
    parameters: Vec<f32>,
    lexicon: Table,
    lemmatizer: Lemmatizer,
    continuation: u8,
}

/// Buffers of a reader; one per thread.
#[derive(Default)]
pub struct Scratch {
    features: features::Buffers,
    keys: Vec<[u32; TEMPLATES]>,
    /// Words of each sentence of the batch, and whether it continues the one before.
    batch: Vec<(Range<usize>, bool)>,
    ranges: Vec<Range<usize>>,
    pass: Pass,
    tree: tree::Buffers,
    heads: Vec<u16>,
    best_tags: Vec<Best>,
    best_heads: Vec<Best>,
    best_labels: Vec<Best>,
    best_names: Vec<Best>,
    annotations: Vec<Annotation>,
}

/// Longer sentences are read in pieces of this many words, as time grows with the square of the length and no
/// real sentence is longer.
pub const SENTENCE_TOKENS_MAX: usize = 400;

/// Sentences are read together until they have this many words: enough that each weight, once fetched, is used
/// many times, and few enough that all vectors stay in the cache.
const BATCH_TOKENS: usize = 160;

impl Model {
    /// Reads a model file.
    pub fn load(bytes: &[u8]) -> Result<Model> {
        Model::new(Parts::from_bytes(bytes)?)
    }

    /// Makes a model of its parts.
    pub fn new(parts: Parts) -> Result<Model> {
        let layout = Layout::new(parts.shape);
        ensure!(
            parts.parameters.len() == layout.total,
            "the network does not have the size it states"
        );
        ensure!(
            parts.embeddings.len() == parts.keys.len() * parts.shape.width,
            "embeddings are cut short"
        );
        ensure!(
            parts.steps.len() == parts.keys.len() && !parts.keys.is_empty(),
            "embedding rows do not match"
        );
        ensure!(
            !parts.tags.is_empty() && parts.tags.len() <= parts.shape.tags,
            "tags do not match the network"
        );
        ensure!(
            !parts.labels.is_empty() && parts.labels.len() <= parts.shape.labels.min(256),
            "labels do not match"
        );
        ensure!(
            !parts.names.is_empty() && parts.names.len() <= parts.shape.names.min(256),
            "names do not match"
        );
        let mut xpos: Vec<String> = Vec::new();
        let mut tags = Vec::new();
        for (upos, name) in parts.tags {
            let number = xpos.iter().position(|known| *known == name).unwrap_or_else(|| {
                xpos.push(name);
                xpos.len() - 1
            });
            tags.push((upos, u8::try_from(number).context("more than 256 tags")?));
        }
        // The label for parts of a text that stand side by side, if the treebank had it.
        let continuation = parts
            .labels
            .iter()
            .position(|label| label == "parataxis")
            .unwrap_or(0) as u8;
        let rows: Vec<(u32, u32)> = parts.keys.iter().copied().zip(0..).skip(1).collect();
        Ok(Model {
            layout,
            tags,
            xpos,
            labels: parts.labels,
            names: parts.names,
            rows: Table::new(rows.into_iter()),
            steps: parts.steps,
            embeddings: parts.embeddings,
            parameters: parts.parameters,
            lexicon: Table::new(parts.lexicon.iter().map(|&(key, class)| (key, u32::from(class)))),
            lemmatizer: Lemmatizer {
                rules: parts.rules,
                exceptions: Table::new(parts.exceptions.into_iter()),
                endings: Table::new(parts.endings.into_iter()),
            },
            continuation,
        })
    }

    /// The name of a tag of the language's own.
    pub fn xpos_name(&self, xpos: u8) -> &str {
        self.xpos.get(usize::from(xpos)).map_or("", String::as_str)
    }

    /// The number of a tag of the language's own, for comparing without strings.
    pub fn xpos_number(&self, name: &str) -> Option<u8> {
        self.xpos
            .iter()
            .position(|known| known == name)
            .map(|number| number as u8)
    }

    /// The name of an arc label, with its subtype ("nsubj:pass").
    pub fn label_name(&self, label: u8) -> &str {
        self.labels.get(usize::from(label)).map_or("", String::as_str)
    }

    /// The number of an arc label, for comparing without strings.
    pub fn label_number(&self, name: &str) -> Option<u8> {
        self.labels
            .iter()
            .position(|known| known == name)
            .map(|number| number as u8)
    }

    /// A name label: "O" outside, else "B-" or "I-" and the kind of name.
    pub fn name_label(&self, name: u8) -> &str {
        self.names.get(usize::from(name)).map_or("O", String::as_str)
    }

    /// The lemma of a word of `text` that was annotated so.
    pub fn lemma<'t>(&self, text: &'t str, token: Token, annotation: &Annotation) -> Cow<'t, str> {
        self.lemmatizer.lemma(token.of(text), annotation.xpos)
    }

    /// Reads sentences of `text`, given their words and, for each sentence, the range of its words. The answer
    /// has one entry per word and lives in `scratch`; words outside all sentences get none, so sentences are
    /// expected to follow each other.
    pub fn annotate<'s>(
        &self,
        text: &str,
        tokens: &[Token],
        sentences: &[Range<usize>],
        scratch: &'s mut Scratch,
    ) -> &'s [Annotation] {
        scratch.annotations.clear();
        scratch.batch.clear();
        scratch.keys.clear();
        for sentence in sentences {
            let words = tokens.get(sentence.clone()).unwrap_or(&[]);
            for (index, piece) in words.chunks(SENTENCE_TOKENS_MAX).enumerate() {
                let start = scratch.keys.len();
                features::extract(
                    text,
                    piece,
                    &self.lexicon,
                    &mut scratch.features,
                    &mut scratch.keys,
                );
                scratch.batch.push((start..start + piece.len(), index > 0));
            }
            // A sentence stays within one batch.
            if scratch.keys.len() >= BATCH_TOKENS {
                self.read_batch(scratch);
            }
        }
        self.read_batch(scratch);
        &scratch.annotations
    }

    /// Reads the sentences gathered in the scratch and empties the batch.
    fn read_batch(&self, scratch: &mut Scratch) {
        let Scratch {
            keys,
            batch,
            ranges,
            pass,
            tree,
            heads,
            annotations,
            best_tags,
            best_heads,
            best_labels,
            best_names,
            ..
        } = scratch;
        let width = self.layout.shape.width;
        if pass.x.is_empty() {
            pass.x.push(Vec::new());
        }
        network::reset(&mut pass.x[0], keys.len() * width);
        pulp::Arch::new().dispatch(Embed {
            model: self,
            keys,
            out: &mut pass.x[0],
        });
        ranges.clear();
        ranges.extend(batch.iter().map(|(range, _)| range.clone()));
        network::encode(&self.parameters, &self.layout, ranges, None, pass);
        network::best_rows(&pass.tags, self.layout.shape.tags, best_tags);
        network::best_rows(&pass.names, self.layout.shape.names, best_names);
        // Where the sentence at hand begins among the annotations, and its root, counted from 1.
        let (mut start, mut root) = (annotations.len(), 1);
        for (range, continues) in batch.iter() {
            let shift = if *continues {
                (annotations.len() - start) as u16
            } else {
                0
            };
            let columns = network::score_arcs(&self.parameters, &self.layout, range, pass);
            network::best_rows(&pass.arcs, columns, best_heads);
            tree::decode(&pass.arcs, best_heads, columns, tree, heads);
            network::score_labels(&self.parameters, &self.layout, range, heads, pass);
            network::best_rows(&pass.labels, self.layout.shape.labels, best_labels);
            if !continues {
                start = annotations.len();
                root = heads
                    .iter()
                    .position(|&head| head == 0)
                    .map_or(1, |at| at as u16 + 1);
            }
            for (word, &head) in heads.iter().enumerate() {
                let (arc, label) = (best_heads[word], best_labels[word]);
                let score = pass.arcs[word * columns + usize::from(head)];
                // Columns beyond the names only fill up the row and are never learnt; 0 stands in for them.
                let tag = self.tags.get(best_tags[range.start + word].column);
                let (upos, xpos) = tag.copied().unwrap_or((Upos::X, 0));
                let label_number = if label.column < self.labels.len() {
                    label.column as u8
                } else {
                    0
                };
                let name = best_names[range.start + word].column;
                let name = if name < self.names.len() { name as u8 } else { 0 };
                let confidence = arc.share(score) / label.sum;
                let mut annotation = Annotation {
                    upos,
                    xpos,
                    label: label_number,
                    name,
                    head,
                    confidence,
                };
                // A piece of a very long sentence hangs on the root of the first.
                if *continues {
                    (annotation.head, annotation.label) = match head {
                        0 => (root, self.continuation),
                        head => (head.saturating_add(shift), annotation.label),
                    };
                }
                annotations.push(annotation);
            }
        }
        batch.clear();
        keys.clear();
    }
}

struct Embed<'a> {
    model: &'a Model,
    keys: &'a [[u32; TEMPLATES]],
    out: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Embed<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let model = self.model;
        let width = model.layout.shape.width;
        for (sum, keys) in self.out.chunks_exact_mut(width).zip(self.keys) {
            for (template, &key) in keys.iter().enumerate() {
                let row = match model.rows.get(key) {
                    Some(row) => row as usize,
                    None if template == WORD => 0,
                    None => continue,
                };
                let step = model.steps[row];
                let row = &model.embeddings[row * width..][..width];
                for (value, &add) in sum.iter_mut().zip(row) {
                    *value += step * f32::from(add);
                }
            }
        }
    }
}

impl Parts {
    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let shape = self.shape;
        for size in [
            shape.width,
            shape.layers,
            shape.tag_layer,
            shape.arc,
            shape.label,
            shape.tags,
            shape.labels,
            shape.names,
        ] {
            put_number(&mut out, size as u32);
        }
        put_list(&mut out, &self.tags, |out, (upos, name)| {
            out.push(*upos as u8);
            put_text(out, name);
        });
        put_list(&mut out, &self.labels, |out, name| put_text(out, name));
        put_list(&mut out, &self.names, |out, name| put_text(out, name));
        put_list(&mut out, &self.keys, |out, &key| put_number(out, key));
        put_list(&mut out, &self.steps, |out, &step| {
            put_number(out, step.to_bits())
        });
        put_list(&mut out, &self.embeddings, |out, &value| out.push(value as u8));
        put_list(&mut out, &self.parameters, |out, &value| {
            put_number(out, value.to_bits())
        });
        put_list(&mut out, &self.lexicon, |out, &(key, class)| {
            put_number(out, key);
            out.push(class);
        });
        put_list(&mut out, &self.rules, |out, rule| {
            out.push(rule.cut);
            out.push(u8::from(rule.lower));
            put_text(out, &rule.add);
        });
        for pairs in [&self.exceptions, &self.endings] {
            put_list(&mut out, pairs, |out, &(key, rule)| {
                put_number(out, key);
                put_number(out, rule);
            });
        }
        out
    }

    /// Reads the file's bytes; says what is wrong if they are not of a model.
    pub fn from_bytes(bytes: &[u8]) -> Result<Parts> {
        let Some(rest) = bytes.strip_prefix(MAGIC.as_slice()) else {
            bail!("not a reader model, or one of another version")
        };
        let mut input = Input { rest };
        let mut sizes = [0; 8];
        for size in &mut sizes {
            *size = input.number()? as usize;
        }
        let [width, layers, tag_layer, arc, label, tags, labels, names] = sizes;
        let padded = [width / 2, arc, label, tags, labels, names];
        ensure!(
            padded
                .iter()
                .all(|size| (1..=4096).contains(size) && size.is_multiple_of(network::LANES))
                && (1..=16).contains(&layers)
                && (1..=layers).contains(&tag_layer),
            "the network's sizes are out of bounds"
        );
        Ok(Parts {
            shape: Shape {
                width,
                layers,
                tag_layer,
                arc,
                label,
                tags,
                labels,
                names,
            },
            tags: input.list(|input| {
                let upos = usize::from(input.byte()?);
                Ok((
                    *Upos::ALL.get(upos).context("unknown part of speech")?,
                    input.text()?,
                ))
            })?,
            labels: input.list(Input::text)?,
            names: input.list(Input::text)?,
            keys: input.numbers()?,
            steps: input.numbers()?.into_iter().map(f32::from_bits).collect(),
            embeddings: input.bytes()?.iter().map(|&byte| byte as i8).collect(),
            parameters: input.numbers()?.into_iter().map(f32::from_bits).collect(),
            lexicon: input.list(|input| Ok((input.number()?, input.byte()?)))?,
            rules: input.list(|input| {
                Ok(Rule {
                    cut: input.byte()?,
                    lower: input.byte()? != 0,
                    add: input.text()?,
                })
            })?,
            exceptions: input.list(|input| Ok((input.number()?, input.number()?)))?,
            endings: input.list(|input| Ok((input.number()?, input.number()?)))?,
        })
    }
}

fn put_number(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(out, items.len() as u32);
    for item in items {
        put(out, item);
    }
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// A length and as many bytes.
    fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.number()? as usize;
        self.take(len)
    }

    /// A length and as many numbers; the two long lists of a model are read at once.
    fn numbers(&mut self) -> Result<Vec<u32>> {
        let len = self.number()? as usize;
        let bytes = self.take(len.saturating_mul(4))?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |number, &byte| number << 8 | u32::from(byte))
        };
        Ok(bytes.chunks_exact(4).map(number).collect())
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(len)
            .context("the model file is cut short")?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().context("the model file is cut short")?;
        self.rest = rest;
        Ok(byte)
    }

    #[inline]
    fn number(&mut self) -> Result<u32> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<4>()
            .context("the model file is cut short")?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Result<String> {
        let text = std::str::from_utf8(self.bytes()?).context("a name in the model is not UTF-8")?;
        Ok(text.to_string())
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let len = self.number()? as usize;
        // Every item takes a byte at least, so a false length cannot ask for much memory.
        ensure!(len <= self.rest.len(), "the model file is cut short");
        (0..len).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::spaced;

    /// A model of the smallest size, with parameters that are anything.
    fn small() -> Parts {
        let shape = Shape {
            width: 32,
            layers: 2,
            tag_layer: 1,
            arc: 16,
            label: 16,
            tags: 16,
            labels: 16,
            names: 16,
        };
        let total = Layout::new(shape).total;
        Parts {
            shape,
            tags: vec![(Upos::Noun, "NN".into()), (Upos::Verb, "VB".into())],
            labels: vec!["root".into(), "nsubj".into(), "parataxis".into()],
            names: vec!["O".into(), "B-LOC".into()],
            keys: vec![0, features::key(WORD, b"troops")],
            steps: vec![0.01; 2],
            embeddings: (0..64).map(|i| (i * 37 % 100) as i8).collect(),
            parameters: (0..total)
                .map(|i| ((i * 7919 % 1000) as f32 - 500.0) / 1500.0)
                .collect(),
            lexicon: vec![(5, 1)],
            rules: vec![Rule {
                cut: 1,
                add: String::new(),
                lower: true,
            }],
            exceptions: Vec::new(),
            endings: vec![(crate::text::lemma::ending_key("", 0), 0)],
        }
    }

    fn read(model: &Model, text: &str) -> Vec<Annotation> {
        let tokens = spaced(text);
        let whole = 0..tokens.len();
        model
            .annotate(
                text,
                &tokens,
                std::slice::from_ref(&whole),
                &mut Scratch::default(),
            )
            .to_vec()
    }

    #[test]
    fn a_stored_model_reads_as_before() {
        let (parts, text) = (small(), "Troops leave the old base near the river");
        let stored = Model::load(&parts.to_bytes()).unwrap();
        assert_eq!(read(&Model::new(parts).unwrap(), text), read(&stored, text));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let bytes = small().to_bytes();
        for end in 0..bytes.len() {
            assert!(Model::load(&bytes[..end]).is_err());
        }
        assert!(Model::load(b"something else").is_err());
    }

    #[test]
    fn every_sentence_is_a_tree_of_its_own() {
        let model = Model::new(small()).unwrap();
        for words in [0, 1, 2, 7, SENTENCE_TOKENS_MAX, 2 * SENTENCE_TOKENS_MAX + 3] {
            let annotations = read(&model, &"troops leave ".repeat(words)[..words * 6 + words / 2]);
            assert_eq!(
                annotations.iter().filter(|a| a.head == 0).count(),
                annotations.len().min(1)
            );
            assert!(
                annotations
                    .iter()
                    .all(|a| usize::from(a.head) <= annotations.len())
            );
            assert!(annotations.iter().all(|a| (0.0..=1.001).contains(&a.confidence)));
        }
    }

    #[test]
    fn sentences_do_not_depend_on_their_company() {
        let model = Model::new(small()).unwrap();
        let text = "Troops leave . The old base stands by the river .";
        let tokens = spaced(text);
        let mut scratch = Scratch::default();
        let together = model
            .annotate(text, &tokens, &[0..3, 3..tokens.len()], &mut scratch)
            .to_vec();
        let apart = model
            .annotate(text, &tokens, &[3..tokens.len(), 0..3], &mut scratch)
            .to_vec();
        assert_eq!(together[..3], apart[tokens.len() - 3..]);
        assert_eq!(together[3..], apart[..tokens.len() - 3]);
    }
}
