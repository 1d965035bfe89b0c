//! Learns the coder of events from marked sentences, `training/events/*.jsonl`, and from articles with all their
//! events, `training/articles/*.jsonl`.
//!
//! A line of the former holds `marked_text` with `<s>` around who acts and `<t>` around who is acted upon, and `event_type`, which
//! may be `NONE`. A line of the latter holds `text` and `events`, each with its `evidence` and `trigger`, `event_type`
//! and who is `source` and `target`: parts of the text. Both are read as the coder reads them, so that the models see
//! what they will see.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use rayon::prelude::*;
use serde::Deserialize;

use super::linear::{self, Example, Settings};
use crate::events::features::{Place, Sentence};
use crate::events::forces;
use crate::events::model::{Model, NO_EVENT};
use crate::events::predicates::{self, OTHER, SOURCE, TARGET};
use crate::events::roles::{self, YES};
use crate::events::{Context, with_context, with_contexts};
use crate::knowledge::{Knowledge, Language};
use crate::linear::{Features, Linear};
use crate::tables::EventType;
use crate::text::{Clause, sentences};

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
    /// What happens to a foreign force, if anything does.
    pub force_event: Option<String>,
}

/// An article with all its events.
#[derive(Debug, Clone, Deserialize)]
pub struct Article {
    /// The whole text.
    pub text: String,
    /// Every event it tells.
    pub events: Vec<ArticleEvent>,
}

/// An event of an article; its strings are parts of the text.
#[derive(Debug, Clone, Deserialize)]
pub struct ArticleEvent {
    /// The clause that tells it.
    pub evidence: String,
    /// The words of the predicate, within the evidence.
    pub trigger: String,
    /// The event's type.
    pub event_type: Option<String>,
    /// What happens to a foreign force, if anything does.
    pub force_event: Option<String>,
    /// Who acts.
    pub source: Option<String>,
    /// Who is acted upon.
    pub target: Option<String>,
}

/// What is learnt from.
#[derive(Debug, Clone)]
pub enum Taught {
    /// A marked sentence.
    Sentence(Marked),
    /// An article with all its events.
    Article(Article),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Sentence {
        marked_text: String,
        event_type: String,
        force_event: Option<String>,
    },
    Article(Article),
}

/// What a marked sentence or an article teaches.
#[derive(Default)]
struct Lesson {
    types: Vec<Example>,
    sources: Vec<Example>,
    targets: Vec<Example>,
    extents: Vec<Example>,
    predicates: Vec<Example>,
    parts: Vec<Example>,
    /// What happens to a force, with the features of its clause.
    forces: Vec<(Features, String)>,
}

/// Reads the marked sentences and articles of files, or of the `.jsonl` files of folders, in order of their names.
///
/// # Errors
/// A file cannot be read or a line is not as it should be, with file and line.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Taught>> {
    super::each_line(paths, |line| Ok(vec![taught(line)?]))
}

fn taught(line: &str) -> Result<Taught> {
    match serde_json::from_str(line)? {
        Line::Sentence {
            marked_text,
            event_type,
            force_event,
        } => Ok(Taught::Sentence(marked(&marked_text, event_type, force_event)?)),
        Line::Article(article) => {
            for event in &article.events {
                if let Some(event_type) = &event.event_type {
                    EventType::parse(event_type)?;
                }
                ensure!(
                    article.text.contains(&event.evidence) && event.evidence.contains(&event.trigger),
                    "`{}` in `{}` is not in the text",
                    event.trigger,
                    event.evidence
                );
            }
            Ok(Taught::Article(article))
        }
    }
}

fn marked(marked_text: &str, event_type: String, force_event: Option<String>) -> Result<Marked> {
    if event_type != NO_EVENT {
        EventType::parse(&event_type)?;
    }
    let (text, source, target) = unmark(marked_text);
    if event_type != NO_EVENT && source.is_none() {
        bail!("no source is marked");
    }
    Ok(Marked {
        text,
        source,
        target,
        event_type,
        force_event: force_event.filter(|name| !name.is_empty()),
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
pub fn train(taught: &[Taught], knowledge: &Knowledge, language: &Language) -> Model {
    let lessons: Vec<Lesson> = taught
        .par_iter()
        .map(|taught| lesson(taught, knowledge, language))
        .collect();
    learn(&lessons.iter().collect::<Vec<_>>())
}

/// The examples of a lesson that one model learns from.
type Part = fn(&Lesson) -> &Vec<Example>;

fn learn(lessons: &[&Lesson]) -> Model {
    let gather = |part: Part| {
        lessons
            .iter()
            .flat_map(|lesson| part(lesson))
            .cloned()
            .collect::<Vec<_>>()
    };
    let yes_or_no = ["no".to_owned(), YES.to_owned()];
    let role_of_part = [OTHER, SOURCE, TARGET].map(str::to_owned);
    let tasks: [(Part, &[String], Settings); 6] = [
        (|lesson| &lesson.types, &classes(), Settings::default()),
        (|lesson| &lesson.sources, &yes_or_no, ROLES),
        (|lesson| &lesson.targets, &yes_or_no, ROLES),
        (|lesson| &lesson.extents, &yes_or_no, ROLES),
        (|lesson| &lesson.predicates, &classes(), Settings::default()),
        (|lesson| &lesson.parts, &role_of_part, ROLES),
    ];
    let models: Vec<Linear> = tasks
        .par_iter()
        .map(|(part, classes, settings)| linear::train(&gather(*part), classes, *settings))
        .collect();
    let [types, sources, targets, extents, predicates, parts] =
        <[Linear; 6]>::try_from(models).expect("as many models as tasks");
    let told = || lessons.iter().flat_map(|lesson| &lesson.forces);
    let names: BTreeSet<&String> = told().map(|(_, name)| name).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let examples = told().filter_map(|(features, name)| {
        let class = names.iter().position(|known| known == name)?;
        let features = features.clone();
        Some(Example { features, class })
    });
    let forces = linear::train(&examples.collect::<Vec<_>>(), &names, FORCES);
    Model {
        types,
        sources,
        targets,
        extents,
        predicates,
        parts,
        forces,
    }
}

/// Roles have many examples of few features; they need fewer passes.
const ROLES: Settings = Settings {
    epochs: 12,
    rate: 0.3,
    decay: 2e-5,
    sightings: 3,
};

/// There are many kinds of force events, each with few examples.
const FORCES: Settings = Settings {
    epochs: 15,
    rate: 0.5,
    decay: 2e-5,
    sightings: 2,
};

/// The types and no event, in order.
fn classes() -> Vec<String> {
    EventType::WORDS
        .iter()
        .map(|word| (*word).to_owned())
        .chain([NO_EVENT.to_owned()])
        .collect()
}

fn class_of(event_type: &str) -> usize {
    let at = classes().iter().position(|class| class == event_type);
    at.unwrap_or_default()
}

fn lesson(taught: &Taught, knowledge: &Knowledge, language: &Language) -> Lesson {
    let mut lesson = Lesson::default();
    match taught {
        Taught::Sentence(marked) => with_context(&marked.text, knowledge, language, |context| {
            of_sentence(marked, &Sentence::new(context), &mut lesson);
        }),
        Taught::Article(article) => {
            let rules = knowledge.normalization.sentence_rules(&language.code);
            let sentences = sentences::split(&article.text, rules);
            with_contexts(&article.text, sentences, knowledge, language, |context| {
                of_article(article, &Sentence::new(context), &mut lesson);
            });
        }
    }
    lesson
}

/// A marked sentence teaches one pair of actors, and of its predicates those that lead to it.
fn of_sentence(marked: &Marked, sentence: &Sentence<'_, '_>, lesson: &mut Lesson) {
    let context = sentence.context;
    let place = |span: &Option<Range<usize>>| Place::of(context.parsed, span.as_ref()?);
    let (source, target) = (place(&marked.source), place(&marked.target));
    let class = class_of(&marked.event_type);
    if let Some(source) = &source {
        let features = sentence.pair(source, target.as_ref());
        lesson.types.push(Example { features, class });
    }
    for place in [&source, &target].into_iter().flatten() {
        extent_of(context, place, lesson);
    }
    if marked.event_type == NO_EVENT {
        context
            .clauses
            .iter()
            .for_each(|clause| predicate_of(sentence, clause, class, lesson));
        return;
    }
    roles_of(sentence, source.as_ref(), target.as_ref(), lesson);
    let chain = source.as_ref().map(|source| sentence.predicates(source.head));
    let chain = chain.unwrap_or_default();
    for (clause, is_last) in chain
        .iter()
        .rev()
        .zip(std::iter::once(true).chain(std::iter::repeat(false)))
    {
        predicate_of(
            sentence,
            clause,
            if is_last { class } else { class_of(NO_EVENT) },
            lesson,
        );
        if is_last {
            parts_of(sentence, clause, source.as_ref(), target.as_ref(), lesson);
            force_of(sentence, clause, &marked.event_type, &marked.force_event, lesson);
        }
    }
}

/// A sentence of an article teaches all its predicates: those that tell an event and those that tell none.
fn of_article(article: &Article, sentence: &Sentence<'_, '_>, lesson: &mut Lesson) {
    let context = sentence.context;
    let parsed = context.parsed;
    let bounds = parsed.words[0].start..parsed.words[parsed.words.len() - 1].end;
    let mut silent: Vec<usize> = Vec::new();
    let mut told: Vec<usize> = Vec::new();
    for event in &article.events {
        let Some(trigger) = trigger_of(article, event).filter(|trigger| bounds.contains(&trigger.start))
        else {
            continue;
        };
        let within = |clause: &&Clause| trigger.contains(&parsed.words[clause.predicate].start);
        let inside: Vec<&Clause> = context.clauses.iter().filter(within).collect();
        silent.extend(inside.iter().map(|clause| clause.predicate));
        let (Some(clause), Some(event_type)) = (inside.last(), &event.event_type) else {
            continue;
        };
        told.push(clause.predicate);
        predicate_of(sentence, clause, class_of(event_type), lesson);
        let place = |name: &Option<String>| {
            let start = nearest(&article.text, name.as_ref()?, trigger.start, &bounds)?;
            Place::of(parsed, &(start..start + name.as_ref()?.len()))
        };
        let (source, target) = (place(&event.source), place(&event.target));
        parts_of(sentence, clause, source.as_ref(), target.as_ref(), lesson);
        for place in [&source, &target].into_iter().flatten() {
            extent_of(context, place, lesson);
        }
        force_of(sentence, clause, event_type, &event.force_event, lesson);
        if let Some(source) = &source {
            let features = sentence.pair(source, target.as_ref());
            let class = class_of(event_type);
            lesson.types.push(Example { features, class });
        }
    }
    // What a clause that tells an event governs, and the words of a trigger beside its predicate, are not asked.
    for clause in context.clauses {
        let is_silent = silent.contains(&clause.predicate)
            || clause
                .governor
                .as_ref()
                .is_some_and(|governor| told.contains(&governor.predicate) && governor.relation == "xcomp");
        if !is_silent {
            predicate_of(sentence, clause, class_of(NO_EVENT), lesson);
        }
    }
}

/// Where the trigger of an event stands in the article, in bytes.
fn trigger_of(article: &Article, event: &ArticleEvent) -> Option<Range<usize>> {
    let start = article.text.find(&event.evidence)? + event.evidence.find(&event.trigger)?;
    Some(start..start + event.trigger.len())
}

/// Where a name stands in a sentence, nearest to a place: its start, in bytes.
fn nearest(text: &str, name: &str, place: usize, bounds: &Range<usize>) -> Option<usize> {
    let starts = text[bounds.clone()].match_indices(name);
    starts
        .map(|(start, _)| bounds.start + start)
        .min_by_key(|start| start.abs_diff(place))
}

/// A clause as an example of what it tells.
fn predicate_of(sentence: &Sentence<'_, '_>, clause: &Clause, class: usize, lesson: &mut Lesson) {
    let features = predicates::features(sentence, clause);
    lesson.predicates.push(Example { features, class });
}

/// A clause that tells an event as an example of what happens to a force.
fn force_of(
    sentence: &Sentence<'_, '_>,
    clause: &Clause,
    event_type: &str,
    force_event: &Option<String>,
    lesson: &mut Lesson,
) {
    // Where no force is told of, nothing is asked.
    if force_event.is_none() && !forces::tells_of_one(sentence.context) {
        return;
    }
    let features = predicates::force_features(sentence, clause, event_type);
    let name = force_event.clone().unwrap_or_else(|| NO_EVENT.to_owned());
    lesson.forces.push((features, name));
}

/// Every noun phrase as an example of who takes part in a clause.
fn parts_of(
    sentence: &Sentence<'_, '_>,
    clause: &Clause,
    source: Option<&Place>,
    target: Option<&Place>,
    lesson: &mut Lesson,
) {
    let is = |place: Option<&Place>, head: usize| place.is_some_and(|place| place.head == head);
    for head in roles::candidates(sentence) {
        if head == clause.predicate {
            continue;
        }
        let class = match (is(source, head), is(target, head)) {
            (true, _) => 1,
            (_, true) => 2,
            _ => 0,
        };
        let features = predicates::part_features(sentence, clause, head);
        lesson.parts.push(Example { features, class });
    }
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
pub fn cross_validate(taught: &[Taught], folds: usize, knowledge: &Knowledge, language: &Language) -> String {
    let lessons: Vec<Lesson> = taught
        .par_iter()
        .map(|taught| lesson(taught, knowledge, language))
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
    let model = train(&sentences, knowledge, language);
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
