//! Why a document stands in its cluster: what it is to the canonical document, the figures behind that, and the
//! passages the two share and do not share, side by side.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use super::find;
use crate::dedup::{self, Agreement, Evidence, Verdict};
use crate::tables::{Document, Duplicate, Relation};

/// The page of a document.
pub(super) fn page(id: &str, folder: &Path) -> Result<String> {
    let rows: Vec<Duplicate> = find(folder, "document_id", &[id])?;
    let row = rows
        .first()
        .with_context(|| format!("there is no document {id} in {}", folder.display()))?;
    let mut members: Vec<Duplicate> = find(folder, "cluster_id", &[&row.cluster_id])?;
    members.sort_by_key(|member| {
        (
            member.canonical_id != member.document_id,
            member.document_id.clone(),
        )
    });
    // The canonical document, the one in question, and as many others as are shown.
    let mut shown: Vec<&str> = vec![id, &row.canonical_id];
    shown.extend(
        members
            .iter()
            .take(MEMBERS_SHOWN)
            .map(|member| member.document_id.as_str()),
    );
    let documents: Vec<Document> = find(folder, "document_id", &shown)?;
    let of = |id: &str| documents.iter().find(|document| document.document_id == id);
    let own = of(id).with_context(|| format!("{id} has no row in documents.parquet"))?;
    let mut page = headline(own);
    page.push_str(&cluster(row, &members, &documents));
    if let Some(canonical) = of(&row.canonical_id).filter(|_| row.canonical_id != id) {
        page.push_str(&comparison(row, own, canonical));
    }
    Ok(page)
}

/// Members of a cluster that are listed; the table has the rest.
const MEMBERS_SHOWN: usize = 20;

fn headline(document: &Document) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let date = document
        .published_at
        .map_or("no date".to_owned(), |at| at.to_string());
    format!(
        "{}\n  {}\n  {}, {date}, {} words, {} record {}\n",
        document.document_id,
        or_none(&document.title),
        or_none(&document.source),
        document.word_count,
        document.input_path,
        document.input_record,
    )
}

/// What the document is, in words, and with whom.
fn cluster(row: &Duplicate, members: &[Duplicate], documents: &[Document]) -> String {
    let meaning = match row.relation {
        Relation::Unique => "no other document is like it",
        Relation::Canonical => "represents its cluster: published first, then longest, then the smallest id",
        Relation::Exact => "the same text as the canonical document, but for case, quotes, dashes and spaces",
        Relation::Near => "a copy of the canonical document with small changes",
        Relation::Revision => "the story of the canonical document told anew or corrected",
        Relation::Excerpt => "a part of the canonical document",
        Relation::Container => "holds the canonical document and more",
        Relation::Template => "one of a form that is filled in with other figures and names; never a copy",
        Relation::Composite => {
            "a collection of documents that have nothing else in common; it ties none of them"
        }
    };
    let mut page = format!("\n{}: {meaning}\n", row.relation);
    if members.len() > 1 {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(page, "\ncluster {}, {} documents", row.cluster_id, members.len());
    }
    for member in members.iter().take(MEMBERS_SHOWN).filter(|_| members.len() > 1) {
        let known = documents
            .iter()
            .find(|document| document.document_id == member.document_id);
        let source = known
            .and_then(|document| document.source.as_deref())
            .unwrap_or("-");
        let title = known
            .and_then(|document| document.title.as_deref())
            .unwrap_or("-");
        let mark = if member.document_id == row.document_id {
            '>'
        } else {
            ' '
        };
        let jaccard = member
            .jaccard
            .map_or("   ".to_owned(), |jaccard| format!("{jaccard:.2}"));
        let relation = member.relation.to_string();
        let _ = writeln!(
            page,
            "{mark} {} {relation:<9} {jaccard}  {source}: {title}",
            member.document_id
        );
    }
    if members.len() > MEMBERS_SHOWN {
        let _ = writeln!(page, "  and {} more", members.len() - MEMBERS_SHOWN);
    }
    page
}

/// The figures behind the decision, then both texts side by side.
fn comparison(row: &Duplicate, own: &Document, canonical: &Document) -> String {
    let evidence = dedup::explain(&own.text, &canonical.text);
    let figures = &evidence.comparison;
    let mut page = format!(
        "\nagainst {} (canonical)\n  jaccard {:.2}, {:.0} % of this document in the other, {:.0} % of the other in this one\n",
        canonical.document_id,
        figures.jaccard,
        100.0 * figures.first_in_second,
        100.0 * figures.second_in_first,
    );
    let agreement = |agreement: Agreement| format!("{} of {}", agreement.same, agreement.of);
    let verdict = match evidence.verdict {
        Verdict::SameStory => "nothing speaks against one story",
        Verdict::Doubtful => {
            "mostly figures and names differ: a correction, unless many such documents make a form"
        }
        Verdict::Template => "figures and names differ as in a form filled in twice",
    };
    let _ = writeln!(
        page,
        "  figures in common {}, names {}: {verdict}",
        agreement(figures.figures),
        agreement(figures.names)
    );
    if let Some(hours) = row.hours_after_canonical {
        let _ = writeln!(page, "  published {hours:.1} hours after the other");
    }
    page + &side_by_side(&own.text, &canonical.text, &evidence)
}

/// Width of a column of text, in characters.
const COLUMN: usize = 52;

/// One stretch of the comparison, in the order of reading.
enum Stretch<'t> {
    Shared(&'t str),
    Only(&'t str, &'t str),
}

fn side_by_side(first: &str, second: &str, evidence: &Evidence) -> String {
    let mut page = format!("\n  {:<COLUMN$} | the canonical document\n", "this document");
    for stretch in stretches(first, second, evidence) {
        match stretch {
            Stretch::Shared(text) => {
                let _ = writeln!(page, "= {}", shortened(text, 2 * COLUMN));
            }
            Stretch::Only(left, right) => {
                let (left, right) = (wrapped(left), wrapped(right));
                for line in 0..left.len().max(right.len()) {
                    let of = |lines: &[String]| lines.get(line).cloned().unwrap_or_default();
                    let (left, right) = (of(&left), of(&right));
                    let gap = " ".repeat(COLUMN.saturating_sub(left.chars().count()));
                    let _ = writeln!(page, "  {}", format!("{left}{gap} | {right}").trim_end());
                }
            }
        }
    }
    page
}

/// The passages in the order of the first text; what only the second has stands after what precedes it there.
fn stretches<'t>(first: &'t str, second: &'t str, evidence: &Evidence) -> Vec<Stretch<'t>> {
    let following = |end: usize| -> &'t str {
        let found = evidence.second_only.iter().find(|passage| {
            passage.start >= end
                && !evidence
                    .shared
                    .iter()
                    .any(|(_, there)| (end..passage.start).contains(&there.start))
        });
        found.map_or("", |passage| &second[passage.clone()])
    };
    // Starts in the first text: of a shared passage with its end in the second, or of a passage of its own.
    let mut marks: Vec<(Range<usize>, Option<usize>)> = Vec::new();
    marks.extend(
        evidence
            .shared
            .iter()
            .map(|(here, there)| (here.clone(), Some(there.end))),
    );
    marks.extend(evidence.first_only.iter().map(|passage| (passage.clone(), None)));
    marks.sort_by_key(|(passage, _)| passage.start);
    let mut stretches = Vec::new();
    let mut right = following(0);
    for (passage, end) in marks {
        match end {
            Some(end) => {
                if !right.is_empty() {
                    stretches.push(Stretch::Only("", right));
                }
                stretches.push(Stretch::Shared(&first[passage]));
                right = following(end);
            }
            None => stretches.push(Stretch::Only(&first[passage], std::mem::take(&mut right))),
        }
    }
    if !right.is_empty() {
        stretches.push(Stretch::Only("", right));
    }
    stretches
}

/// One line of at most so many characters: the beginning and the end of a longer text.
fn shortened(text: &str, width: usize) -> String {
    let line: Vec<char> = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .collect();
    if line.len() <= width {
        return line.into_iter().collect();
    }
    let half = (width - 3) / 2;
    let (head, tail) = (&line[..half], &line[line.len() - half..]);
    head.iter().chain(&['.'; 3]).chain(tail).collect()
}

/// Lines of a column.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let mut letters: Vec<char> = word.chars().collect();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + letters.len() <= COLUMN => {
                line.push(' ');
                line.extend(letters);
            }
            _ => {
                while letters.len() > COLUMN {
                    lines.push(letters.drain(..COLUMN).collect());
                }
                lines.push(letters.into_iter().collect());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(first: &str, second: &str, expected: &[(&str, &str)]) {
        let evidence = dedup::explain(first, second);
        let found: Vec<(&str, &str)> = stretches(first, second, &evidence)
            .iter()
            .map(|stretch| match stretch {
                Stretch::Shared(text) => ("=", *text),
                Stretch::Only(left, right) => (*left, *right),
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn passages_stand_side_by_side() {
        check(
            "one two three four",
            "one two three five",
            &[("=", "one two three"), ("four", "five")],
        );
        check(
            "one two three",
            "zero one two three",
            &[("", "zero"), ("=", "one two three")],
        );
        check(
            "one two three four",
            "nothing at all",
            &[("one two three four", "nothing at all")],
        );
        check(
            "a b c x d e f",
            "a b c y d e f z",
            &[("=", "a b c"), ("x", "y"), ("=", "d e f"), ("", "z")],
        );
    }

    #[test]
    fn long_text_is_shortened_and_wrapped() {
        assert_eq!(shortened("one  two", 20), "one two");
        assert_eq!(shortened("abcdefghijklmnopqrstuvwxyz", 11), "abcd...wxyz");
        assert_eq!(wrapped(&"x".repeat(60)), ["x".repeat(52), "x".repeat(8)]);
        assert!(
            wrapped(&"word ".repeat(40))
                .iter()
                .all(|line| line.len() <= COLUMN)
        );
    }
}
