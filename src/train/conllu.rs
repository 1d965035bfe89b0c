//! Reads treebanks in CoNLL-U (<https://universaldependencies.org/format.html>), plain or gzipped.

use crate::text::tokens::Token;
use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;

/// One sentence of a treebank.
#[derive(Clone, Debug, Default)]
pub struct Sentence {
    /// The surface text, put together from the forms.
    pub text: String,
    /// Byte ranges of the words in `text`.
    pub tokens: Vec<Token>,
    /// Lemmas, empty where the treebank has none.
    pub lemmas: Vec<String>,
    /// Universal part-of-speech tags.
    pub upos: Vec<String>,
    /// Language-specific tags.
    pub xpos: Vec<String>,
    /// Head of each word, counted from 1; 0 is the root.
    pub heads: Vec<u16>,
    /// Full labels of the arcs.
    pub labels: Vec<String>,
    /// Name labels ("B-PER", "O"), empty where names are not marked.
    pub names: Vec<String>,
    /// The text as the treebank gives it (`# text =`), for measuring from raw text.
    pub source: String,
}

impl Sentence {
    /// Number of words.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// True if there is no word.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The form of a word.
    pub fn form(&self, word: usize) -> &str {
        self.tokens[word].of(&self.text)
    }

    /// Appends a form to the text.
    pub fn push_form(&mut self, form: &str) {
        let start = self.text.len() as u32;
        self.text.push_str(form);
        self.tokens.push(Token {
            start,
            end: self.text.len() as u32,
        });
    }
}

/// Reads a whole file, unpacking it if its name ends in `.gz`.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    if path.extension().is_none_or(|ext| ext != "gz") {
        return String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()));
    }
    let mut text = String::new();
    GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .with_context(|| format!("unpacking {}", path.display()))?;
    Ok(text)
}

/// Reads all sentences of a CoNLL-U file.
pub fn read(path: &Path) -> Result<Vec<Sentence>> {
    parse(&read_text(path)?).with_context(|| format!("in {}", path.display()))
}

/// Reads all sentences of a CoNLL-U text; empty nodes are passed over.
pub fn parse(text: &str) -> Result<Vec<Sentence>> {
    let mut sentences = Vec::new();
    let mut sentence = Sentence::default();
    // The last word of a multi-word token and whether a space follows the whole.
    let mut multiword: Option<(usize, bool)> = None;
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            if !sentence.is_empty() {
                sentences.push(finish(std::mem::take(&mut sentence)));
            }
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(source) = comment.strip_prefix(" text = ") {
                sentence.source = source.to_string();
            }
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != 10 {
            bail!("line {}: {} columns instead of 10", number + 1, fields.len());
        }
        let spaced = !fields[9].split('|').any(|item| item == "SpaceAfter=No");
        if let Some((_, last)) = fields[0].split_once('-') {
            multiword = Some((
                last.parse()
                    .with_context(|| format!("line {}: range", number + 1))?,
                spaced,
            ));
            continue;
        }
        if fields[0].contains('.') {
            continue;
        }
        sentence.push_form(fields[1]);
        sentence.lemmas.push(
            if fields[2] == "_" && fields[1] != "_" {
                ""
            } else {
                fields[2]
            }
            .to_string(),
        );
        sentence.upos.push(fields[3].to_string());
        sentence.xpos.push(fields[4].to_string());
        sentence.heads.push(
            fields[6]
                .parse()
                .with_context(|| format!("line {}: head", number + 1))?,
        );
        sentence.labels.push(fields[7].to_string());
        let space = match multiword {
            Some((last, spaced)) if sentence.len() == last => {
                multiword = None;
                spaced
            }
            Some(_) => false,
            None => spaced,
        };
        if space {
            sentence.text.push(' ');
        }
    }
    if !sentence.is_empty() {
        sentences.push(finish(sentence));
    }
    Ok(sentences)
}

/// Reads sentences with names marked: token TAB label, an empty line after each sentence.
pub fn read_names(path: &Path) -> Result<Vec<Sentence>> {
    let mut sentences = Vec::new();
    let mut sentence = Sentence::default();
    let text = read_text(path)?;
    for (number, line) in text.lines().chain([""]).enumerate() {
        if line.is_empty() {
            if !sentence.is_empty() {
                sentences.push(std::mem::take(&mut sentence));
            }
            continue;
        }
        let (form, label) = line
            .split_once('\t')
            .with_context(|| format!("{} line {}: no TAB", path.display(), number + 1))?;
        if !sentence.is_empty() {
            sentence.text.push(' ');
        }
        sentence.push_form(form);
        sentence.names.push(label.to_string());
    }
    Ok(sentences)
}

fn finish(mut sentence: Sentence) -> Sentence {
    let end = sentence.text.trim_end().len();
    // A form may itself end in a space; never cut into it.
    sentence
        .text
        .truncate(end.max(sentence.tokens.last().map_or(0, |t| t.end as usize)));
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiword_tokens_and_spaces() {
        let text = "# text = I can't.\n1\tI\tI\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n2-3\tcan't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n\
                    2\tca\tcan\tAUX\tMD\t_\t0\troot\t_\t_\n3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\t_\n4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n";
        let sentences = parse(text).unwrap();
        assert_eq!(sentences[0].text, "I can't.");
        assert_eq!(sentences[0].form(2), "n't");
        assert_eq!(sentences[0].heads, [2, 0, 2, 2]);
    }
}
