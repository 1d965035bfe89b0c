//! Learns the coder of events from marked sentences: `training/events/*.jsonl`.
//!
//! A line holds `marked_text` with `<s>` around who acts and `<t>` around who is acted upon, and `event_type`, which
//! may be `NONE`. Sentences are read as the coder reads them, so that the models see what they will see.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use rayon::prelude::*;
use serde::Deserialize;

use super::linear::{self, Example, Settings};
use crate::events::features::{Place, Sentence};
use crate::events::model::{Model, NO_EVENT};
use crate::events::roles::{self, YES};
use crate::events::{Context, with_context};
use crate::knowledge::{Knowledge, Language};
use crate::tables::EventType;

/// A marked sentence.
#[derive(Debug, Clone)]
pub struct Marked {
    /// The sentence without marks.
    pub text: String,
    /// Who acts, in bytes.
    pub source: Option<Range<usize>>,
    /// Who is acted upon, in bytes.
    pub target: Option<Range<usize>>,
    /// The event's type; `NONE` where nothing political happens.
    pub event_type: String,
}

#[derive(Deserialize)]
struct Line {
    marked_text: String,
    event_type: String,
}

/// What a marked sentence teaches.
struct Lesson {
    types: Vec<Example>,
    sources: Vec<Example>,
    targets: Vec<Example>,
    extents: Vec<Example>,
}

/// Reads the marked sentences of files, or of the `.jsonl` files of folders, in order of their names.
///
/// # Errors
/// A file cannot be read or a line is not as it should be, with file and line.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Marked>> {
    let mut all = Vec::new();
    for file in super::files(paths)? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let marked = marked(line).with_context(|| format!("{}:{}", file.display(), number + 1))?;
            all.push(marked);
        }
    }
    ensure!(!all.is_empty(), "no marked sentences");
    Ok(all)
}

fn marked(line: &str) -> Result<Marked> {
    let line: Line = serde_json::from_str(line)?;
    if line.event_type != NO_EVENT {
        EventType::parse(&line.event_type)?;
    }
    let (text, source, target) = unmark(&line.marked_text);
    if line.event_type != NO_EVENT && source.is_none() {
        bail!("no source is marked");
    }
    Ok(Marked {
        text,
        source,
        target,
        event_type: line.event_type,
    })
}

/// A text without the marks of source and target, and the spans they marked, in bytes.
pub fn unmark(marked: &str) -> (String, Option<Range<usize>>, Option<Range<usize>>) {
    let mut text = String::new();
    let mut spans: [Option<Range<usize>>; 2] = [None, None];
    let mut rest = marked;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let marks = [
            ("<s>", 0, true),
            ("</s>", 0, false),
            ("<t>", 1, true),
            ("</t>", 1, false),
        ];
        match marks.into_iter().find(|(mark, _, _)| rest.starts_with(mark)) {
            Some((mark, which, opens)) => {
                // The first of several marks of one kind counts.
                match &mut spans[which] {
                    None if opens => spans[which] = Some(text.len()..text.len()),
                    Some(span) if !opens && span.start == span.end => span.end = text.len(),
                    _ => {}
                }
                rest = &rest[mark.len()..];
            }
            None => {
                text.push('<');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    let [source, target] = spans.map(|span| span.filter(|span| !span.is_empty()));
    (text, source, target)
}

/// Learns the models.
pub fn train(sentences: &[&Marked], knowledge: &Knowledge, language: &Language) -> Model {
    let lessons: Vec<Lesson> = sentences
        .par_iter()
        .map(|marked| lesson(marked, knowledge, language))
        .collect();
    learn(&lessons.iter().collect::<Vec<_>>())
}

fn learn(lessons: &[&Lesson]) -> Model {
    let gather = |part: fn(&Lesson) -> &Vec<Example>| {
        lessons
            .iter()
            .flat_map(|lesson| part(lesson))
            .cloned()
            .collect::<Vec<_>>()
    };
    let yes_or_no = ["no".to_owned(), YES.to_owned()];
    let ((types, sources), (targets, extents)) = rayon::join(
        || {
            rayon::join(
                || linear::train(&gather(|lesson| &lesson.types), &classes(), Settings::default()),
                || linear::train(&gather(|lesson| &lesson.sources), &yes_or_no, ROLES),
            )
        },
        || {
            (
                linear::train(&gather(|lesson| &lesson.targets), &yes_or_no, ROLES),
                linear::train(&gather(|lesson| &lesson.extents), &yes_or_no, ROLES),
            )
        },
    );
    Model {
        types,
        sources,
        targets,
        extents,
    }
}

/// Roles have many examples of few features; they need fewer passes.
const ROLES: Settings = Settings {
    epochs: 12,
    rate: 0.3,
    decay: 2e-5,
    sightings: 3,
};

/// The types and no event, in order.
fn classes() -> Vec<String> {
    EventType::WORDS
        .iter()
        .map(|word| (*word).to_owned())
        .chain([NO_EVENT.to_owned()])
        .collect()
}

fn lesson(marked: &Marked, knowledge: &Knowledge, language: &Language) -> Lesson {
    let mut lesson = Lesson {
        types: Vec::new(),
        sources: Vec::new(),
        targets: Vec::new(),
        extents: Vec::new(),
    };
    let class = classes()
        .iter()
        .position(|class| *class == marked.event_type)
        .unwrap_or_default();
    with_context(&marked.text, knowledge, language, |context| {
        let sentence = Sentence::new(context);
        let place = |span: &Option<Range<usize>>| Place::of(context.parsed, span.as_ref()?);
        let (source, target) = (place(&marked.source), place(&marked.target));
        if let Some(source) = &source {
            let mut example = |target: Option<&Place>| {
                let features = sentence.pair(source, target);
                lesson.types.push(Example { features, class });
            };
            example(target.as_ref());
        }
        for place in [&source, &target].into_iter().flatten() {
            extent_of(context, place, &mut lesson);
        }
        if marked.event_type != NO_EVENT {
            roles_of(&sentence, source.as_ref(), target.as_ref(), &mut lesson);
        }
    });
    lesson
}

/// Every dependent in or beside a marked phrase as an example of what belongs to it.
fn extent_of(context: &Context<'_, '_>, place: &Place, lesson: &mut Lesson) {
    let parsed = context.parsed;
    for word in place.words.clone() {
        for child in parsed
            .children(word)
            .iter()
            .copied()
            .filter(|child| *child != place.head)
        {
            lesson.extents.push(Example {
                features: roles::extent_features(parsed, place.head, child),
                class: usize::from(place.words.contains(&child)),
            });
        }
    }
}

/// Every noun phrase as an example of source and of target.
fn roles_of(
    sentence: &Sentence<'_, '_>,
    source: Option<&Place>,
    target: Option<&Place>,
    lesson: &mut Lesson,
) {
    let Some(source) = source else { return };
    let candidates = roles::candidates(sentence);
    let is = |place: Option<&Place>, head: usize| usize::from(place.is_some_and(|place| place.head == head));
    for head in candidates.iter().copied() {
        let features = roles::source_features(sentence, &candidates, head);
        lesson.sources.push(Example {
            features,
            class: is(Some(source), head),
        });
        if !source.words.contains(&head) {
            let features = roles::target_features(sentence, &candidates, head, source.head);
            lesson.targets.push(Example {
                features,
                class: is(target, head),
            });
        }
    }
}

/// Figures of a model on sentences it has not seen, and how they grow with what is learnt from.
///
/// Sentences are dealt to `folds` in turn; each fold is coded by a model of the others. The curve learns from a half,
/// a quarter and an eighth of the others of the first fold.
pub fn cross_validate(
    sentences: &[Marked],
    folds: usize,
    knowledge: &Knowledge,
    language: &Language,
) -> String {
    let lessons: Vec<Lesson> = sentences
        .par_iter()
        .map(|marked| lesson(marked, knowledge, language))
        .collect();
    let mut page = String::new();
    let mut counts = Counts::default();
    for fold in 0..folds {
        let model = learn(&others(&lessons, folds, fold, 1));
        count(&model, &lessons, folds, fold, &mut counts);
    }
    page += &format!(
        "{folds}-fold cross-validation over {} sentences: {}\n",
        lessons.len(),
        counts.line()
    );
    for share in [8, 4, 2, 1] {
        let mut counts = Counts::default();
        let taught = others(&lessons, folds, 0, share);
        count(&learn(&taught), &lessons, folds, 0, &mut counts);
        page += &format!("learnt from {:>6}: {}\n", taught.len(), counts.line());
    }
    page
}

fn others(lessons: &[Lesson], folds: usize, fold: usize, share: usize) -> Vec<&Lesson> {
    let others = lessons
        .iter()
        .enumerate()
        .filter(|(index, _)| index % folds != fold);
    others
        .filter(|(index, _)| (index / folds).is_multiple_of(share))
        .map(|(_, lesson)| lesson)
        .collect()
}

fn count(model: &Model, lessons: &[Lesson], folds: usize, fold: usize, counts: &mut Counts) {
    let classes = classes();
    for lesson in lessons.iter().skip(fold).step_by(folds) {
        for example in &lesson.types {
            let told = model.types.best(&example.features).0.to_owned();
            counts.add(&classes[example.class], &told);
        }
        for (examples, model, which) in [
            (&lesson.sources, &model.sources, 0),
            (&lesson.targets, &model.targets, 1),
        ] {
            let scored = examples
                .iter()
                .map(|example| (roles::yes(model, &example.features), example.class));
            if let Some((_, class)) = scored.max_by(|one, other| one.0.total_cmp(&other.0)) {
                counts.roles[which][0] += 1;
                counts.roles[which][1] += class;
            }
        }
    }
}

/// Counts of a cross-validation.
#[derive(Default)]
struct Counts {
    /// By type: labelled, told, both.
    types: BTreeMap<String, [usize; 3]>,
    /// Source and target: asked, right.
    roles: [[usize; 2]; 2],
}

impl Counts {
    fn add(&mut self, labelled: &str, told: &str) {
        self.types.entry(labelled.to_owned()).or_default()[0] += 1;
        self.types.entry(told.to_owned()).or_default()[1] += 1;
        if labelled == told {
            self.types.entry(told.to_owned()).or_default()[2] += 1;
        }
    }

    fn line(&self) -> String {
        let f1 = |[labelled, told, both]: &[usize; 3]| 2.0 * *both as f64 / (labelled + told).max(1) as f64;
        let macro_f1 = self.types.values().map(f1).sum::<f64>() / self.types.len().max(1) as f64;
        let both: usize = self.types.values().map(|counts| counts[2]).sum();
        let all: usize = self.types.values().map(|counts| counts[0]).sum();
        let share = |[asked, right]: [usize; 2]| right as f64 / asked.max(1) as f64;
        format!(
            "type macro-F1 {macro_f1:.3}, accuracy {:.3}; source {:.3}, target {:.3}",
            both as f64 / all.max(1) as f64,
            share(self.roles[0]),
            share(self.roles[1])
        )
    }
}

/// Learns from files and writes the model; gives the record of its figures.
///
/// # Errors
/// The sentences cannot be read or the model cannot be written.
pub fn make(
    paths: &[PathBuf],
    to: &Path,
    folds: usize,
    knowledge: &Knowledge,
    language: &Language,
) -> Result<String> {
    let sentences = read(paths)?;
    let model = train(&sentences.iter().collect::<Vec<_>>(), knowledge, language);
    let bytes = model.to_bytes();
    std::fs::write(to, &bytes).with_context(|| format!("writing {}", to.display()))?;
    let mut page = format!(
        "{} sentences, {} features of types, {} of sources, {} of targets, {} bytes\n",
        sentences.len(),
        model.types.len(),
        model.sources.len(),
        model.targets.len(),
        bytes.len()
    );
    if folds > 1 {
        page += &cross_validate(&sentences, folds, knowledge, language);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_spans() {
        let (text, source, target) =
            unmark("<s>Niger</s> asked <t>the US</t> to go, <t>Paris</t> too; 2 < 3.");
        assert_eq!(text, "Niger asked the US to go, Paris too; 2 < 3.");
        assert_eq!(
            (&text[source.unwrap()], &text[target.unwrap()]),
            ("Niger", "the US")
        );
    }
}
