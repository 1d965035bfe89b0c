//! Changes training sentences as news would have them: headlines, capitals, quotation marks that open and do
//! not close, no full stop, the place and agency before the first sentence. Each change keeps the tree.

use crate::text::tokens::Token;
use crate::train::conllu::Sentence;
use crate::train::random::Random;
use std::borrow::Cow;

/// Gives a sentence back, mostly as it was.
pub fn vary<'s>(sentence: &'s Sentence, random: &mut Random) -> Cow<'s, Sentence> {
    let draw = random.share();
    // Shares are small: most of what will be read is plain text.
    if draw < 0.05 {
        Cow::Owned(without_final_mark(&recase(sentence, Case::Title)))
    } else if draw < 0.065 {
        Cow::Owned(recase(sentence, Case::Capitals))
    } else if draw < 0.085 {
        Cow::Owned(without_final_mark(sentence))
    } else if draw < 0.12 {
        Cow::Owned(with_opening_quote(sentence))
    } else if draw < 0.145 {
        Cow::Owned(with_dateline(sentence, random))
    } else {
        Cow::Borrowed(sentence)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Case {
    Title,
    Capitals,
}

/// Builds a sentence anew from forms; spaces stay where they were.
fn rebuild(sentence: &Sentence, form: impl Fn(usize, &str) -> String) -> Sentence {
    let mut out = Sentence {
        text: String::new(),
        tokens: Vec::new(),
        source: String::new(),
        ..sentence.clone()
    };
    let mut end = 0;
    for (word, token) in sentence.tokens.iter().enumerate() {
        out.text.push_str(&sentence.text[end..token.start as usize]);
        out.push_form(&form(word, sentence.form(word)));
        end = token.end as usize;
    }
    out
}

fn recase(sentence: &Sentence, case: Case) -> Sentence {
    rebuild(sentence, |word, form| {
        // Words joined to the one before ("n't", "'s") keep their case, and so do short words of titles that
        // are neither names nor verbs.
        let joined = word > 0 && sentence.tokens[word - 1].end == sentence.tokens[word].start;
        let upos = sentence.upos.get(word).map_or("", String::as_str);
        let small = matches!(upos, "ADP" | "DET" | "CCONJ" | "PART") && form.len() < 5;
        match case {
            Case::Capitals => form.to_uppercase(),
            Case::Title if joined || (small && word > 0) => form.to_string(),
            Case::Title => {
                let mut letters = form.chars();
                letters
                    .next()
                    .map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
            }
        }
    })
}

/// Drops a mark at the very end, if it has no dependents.
fn without_final_mark(sentence: &Sentence) -> Sentence {
    let last = sentence.len();
    let droppable = last > 1
        && sentence.upos.get(last - 1).is_some_and(|upos| upos == "PUNCT")
        && !sentence.heads.iter().any(|&head| usize::from(head) == last)
        && sentence.heads[last - 1] != 0;
    let mut out = sentence.clone();
    if droppable {
        out.tokens.pop();
        out.lemmas.pop();
        out.upos.pop();
        out.xpos.pop();
        out.heads.pop();
        out.labels.pop();
        out.names.pop();
        out.text.truncate(out.tokens.last().map_or(0, |t| t.end as usize));
    }
    out
}

/// A word put before a sentence.
struct Prefix<'a> {
    form: &'a str,
    space_after: bool,
    upos: &'a str,
    xpos: &'a str,
    label: &'a str,
    name: &'a str,
    /// Head among the prefixed words, counted from 1; 0 is the root of the sentence.
    head: u16,
}

/// Puts a quotation mark before the first word, hanging on the root, as where a quotation runs on.
fn with_opening_quote(sentence: &Sentence) -> Sentence {
    if sentence.text.starts_with(['"', '\u{201c}']) {
        return sentence.clone();
    }
    let quote = Prefix {
        form: "\"",
        space_after: false,
        upos: "PUNCT",
        xpos: "``",
        label: "punct",
        name: "O",
        head: 0,
    };
    with_prefix(sentence, &[quote])
}

/// Puts a place and a source before a sentence as news agencies do, "PLACE (Source) - ". Both are proper nouns
/// of the sentence itself, as only their kind matters.
fn with_dateline(sentence: &Sentence, random: &mut Random) -> Sentence {
    let nouns: Vec<usize> = (0..sentence.upos.len())
        .filter(|&word| sentence.upos[word] == "PROPN")
        .collect();
    if nouns.is_empty() || sentence.heads.is_empty() {
        return sentence.clone();
    }
    let (place, source) = (nouns[random.below(nouns.len())], nouns[random.below(nouns.len())]);
    let mut place = sentence.form(place).to_string();
    if random.share() < 0.7 {
        place = place.to_uppercase();
    }
    let noun = |form, label, name, head| Prefix {
        form,
        space_after: false,
        upos: "PROPN",
        xpos: "NNP",
        label,
        name,
        head,
    };
    let mark = |form, xpos, head| Prefix {
        form,
        space_after: xpos == "," || xpos == "-RRB-",
        upos: "PUNCT",
        xpos,
        label: "punct",
        name: "O",
        head,
    };
    let dash = ["-", "\u{2013}", "\u{2014}", "--"][random.below(4)];
    let place = Prefix {
        space_after: true,
        ..noun(&place, "dep", "B-LOC", 0)
    };
    let source = noun(sentence.form(source), "dep", "B-ORG", 1);
    if random.share() < 0.8 {
        let dash = Prefix {
            space_after: true,
            ..mark(dash, ",", 1)
        };
        with_prefix(
            sentence,
            &[place, mark("(", "-LRB-", 3), source, mark(")", "-RRB-", 3), dash],
        )
    } else {
        with_prefix(sentence, &[place, mark(dash, ",", 1)])
    }
}

fn with_prefix(sentence: &Sentence, prefix: &[Prefix]) -> Sentence {
    let Some(root) = sentence.heads.iter().position(|&head| head == 0) else {
        return sentence.clone();
    };
    let mut out = Sentence::default();
    let words = prefix.len() as u16;
    for word in prefix {
        out.push_form(word.form);
        if word.space_after {
            out.text.push(' ');
        }
        out.lemmas.push(word.form.to_string());
        out.upos.push(word.upos.to_string());
        out.xpos.push(word.xpos.to_string());
        out.labels.push(word.label.to_string());
        out.heads.push(if word.head == 0 {
            root as u16 + 1 + words
        } else {
            word.head
        });
        if !sentence.names.is_empty() {
            out.names.push(word.name.to_string());
        }
    }
    let shift = out.text.len() as u32;
    out.text.push_str(&sentence.text);
    out.tokens.extend(sentence.tokens.iter().map(|t| Token {
        start: t.start + shift,
        end: t.end + shift,
    }));
    out.lemmas.extend_from_slice(&sentence.lemmas);
    out.upos.extend_from_slice(&sentence.upos);
    out.xpos.extend_from_slice(&sentence.xpos);
    out.labels.extend_from_slice(&sentence.labels);
    out.names.extend_from_slice(&sentence.names);
    out.heads.extend(
        sentence
            .heads
            .iter()
            .map(|&head| if head == 0 { 0 } else { head + words }),
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::conllu::parse;

    fn sentence() -> Sentence {
        let text = "1\tTroops\ttroop\tNOUN\tNNS\t_\t2\tnsubj\t_\t_\n2\tleft\tleave\tVERB\tVBD\t_\t0\troot\t_\t_\n\
                    3\tMali\tMali\tPROPN\tNNP\t_\t2\tobj\t_\tSpaceAfter=No\n4\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n";
        parse(text).unwrap().remove(0)
    }

    fn check(sentence: Sentence, text: &str, heads: &[u16]) {
        assert_eq!((sentence.text.as_str(), sentence.heads.as_slice()), (text, heads));
        assert_eq!(sentence.tokens.len(), sentence.labels.len());
    }

    #[test]
    fn changes_keep_the_tree() {
        check(
            recase(&sentence(), Case::Title),
            "Troops Left Mali.",
            &[2, 0, 2, 2],
        );
        check(
            recase(&sentence(), Case::Capitals),
            "TROOPS LEFT MALI.",
            &[2, 0, 2, 2],
        );
        check(without_final_mark(&sentence()), "Troops left Mali", &[2, 0, 2]);
        check(
            with_opening_quote(&sentence()),
            "\"Troops left Mali.",
            &[3, 3, 0, 3, 3],
        );
    }

    #[test]
    fn datelines_hang_on_the_root() {
        for seed in 0..20 {
            let out = with_dateline(&sentence(), &mut Random(seed));
            let root = out.heads.iter().position(|&head| head == 0).unwrap();
            assert_eq!(out.form(root), "left");
            assert!(out.form(0).eq_ignore_ascii_case("mali") && usize::from(out.heads[0]) == root + 1);
            assert_eq!(out.tokens.len(), out.heads.len());
        }
    }

    #[test]
    fn sentences_with_names_alone_survive() {
        let mut bare = Sentence {
            names: vec!["O".into()],
            ..Sentence::default()
        };
        bare.push_form("x");
        for seed in 0..200 {
            assert_eq!(vary(&bare, &mut Random(seed)).names.len(), 1);
        }
    }
}
