//! Who asked, for whom, how many and when: what a text tells of the survey itself.

use std::ops::Range;

use jiff::civil::Date;

use super::Words;
use crate::events::Context;
use crate::knowledge::Reading;
use crate::tables::{ActorKind, DatePrecision};
use crate::text::{Parsed, Upos};

/// A survey as a text tells of it.
#[derive(Debug, Default)]
pub(super) struct Poll {
    pub pollster: Option<String>,
    pub sponsor: Option<String>,
    pub sample_size: Option<i64>,
    pub margin: Option<f64>,
    pub fieldwork_from: Option<Date>,
    pub fieldwork_to: Option<Date>,
}

/// Fewest people who are a sample rather than a share.
const SAMPLE: i64 = 101;
/// Margins are smaller, in points.
const MARGIN: f64 = 15.0;

/// What a sentence and the ones beside it tell of a survey: what it says itself comes first.
pub(super) fn read(context: &Context<'_, '_>) -> Poll {
    let own = Sentence::new(context, context.sentence);
    let beside = [context.sentence.checked_sub(1), Some(context.sentence + 1)];
    let beside = beside
        .into_iter()
        .flatten()
        .filter(|at| *at < context.text.parsed.len());
    let beside = beside
        .map(|at| Sentence::new(context, at))
        .filter(Sentence::names_poll);
    let sentences: Vec<Sentence<'_, '_, '_>> = [own].into_iter().chain(beside).collect();
    let (fieldwork_from, fieldwork_to) = fieldwork(context);
    Poll {
        pollster: sentences.iter().find_map(Sentence::pollster),
        sponsor: sentences.iter().find_map(Sentence::sponsor),
        sample_size: sentences.iter().find_map(Sentence::sample),
        margin: sentences.iter().find_map(Sentence::margin),
        fieldwork_from,
        fieldwork_to,
    }
}

/// "conducted from 4 to 22 April 2022": days told behind a word for asking.
fn fieldwork(context: &Context<'_, '_>) -> (Option<Date>, Option<Date>) {
    let asking = &context.language.surveys.words.asking;
    let words = &context.parsed.words;
    let is_asked = |first: usize| {
        let mut near = words[first.saturating_sub(8)..first].iter();
        near.any(|word| asking.contains(&word.lemma.to_lowercase()))
    };
    let days: Vec<_> = context
        .dates
        .iter()
        .filter(|told| told.precision == Some(DatePrecision::Day) && is_asked(told.first))
        .collect();
    let from = days.iter().filter_map(|told| told.starts_on).min();
    let until = days.iter().filter_map(|told| told.ends_on).max();
    // "from 4 to 22 April", "between June 1 and June 14": the first day stands before the date.
    let opening = days.first().and_then(|told| {
        let near = told.first.saturating_sub(6)..told.first;
        let lists = &context.language.surveys.words;
        let opens = near
            .clone()
            .find(|at| lists.between.contains(&words[*at].text.to_lowercase()))?;
        let day: i8 = words[opens..told.first]
            .iter()
            .find_map(|word| word.text.parse().ok())?;
        let date = from?;
        (day < date.day())
            .then(|| date.with().day(day).build().ok())
            .flatten()
    });
    (opening.or(from), until)
}

/// A sentence that may tell of a survey.
struct Sentence<'c, 's, 'k> {
    context: &'c Context<'s, 'k>,
    at: usize,
    parsed: &'s Parsed<'s>,
    words: &'k Words,
}

impl<'c, 's, 'k> Sentence<'c, 's, 'k> {
    fn new(context: &'c Context<'s, 'k>, at: usize) -> Self {
        Self {
            context,
            at,
            parsed: &context.text.parsed[at],
            words: &context.language.surveys,
        }
    }

    fn lemma(&self, at: usize) -> String {
        self.parsed
            .words
            .get(at)
            .map_or(String::new(), |word| word.lemma.to_lowercase())
    }

    fn text(&self, at: usize) -> String {
        self.parsed
            .words
            .get(at)
            .map_or(String::new(), |word| word.text.to_lowercase())
    }

    fn is_poll(&self, at: usize) -> bool {
        self.words.words.polls.contains(&self.lemma(at))
    }

    fn names_poll(&self) -> bool {
        (0..self.parsed.words.len()).any(|at| self.is_poll(at))
    }

    /// A pollster that knowledge names, else a name beside a word for a survey or one that reports.
    fn pollster(&self) -> Option<String> {
        let mut known = self
            .context
            .actors
            .of_sentence(self.at)
            .filter_map(|actor| actor.entry);
        let known = known.find(|entry| entry.office.as_deref() == Some("pollster"));
        known.map(|entry| entry.name.clone()).or_else(|| {
            let names = self.names();
            let polls = names.iter().find(|name| self.polls(name));
            let reports = || names.iter().find(|name| self.reports(name));
            polls.or_else(reports).map(|name| self.written(name))
        })
    }

    /// "a survey for public broadcaster ARD", "commissioned by the BBC".
    fn sponsor(&self) -> Option<String> {
        let lists = &self.words.words;
        let pays = |name: &&Range<usize>| {
            let before = name.start.saturating_sub(6)..name.start;
            let ordered = before.clone().any(|at| lists.ordering.contains(&self.lemma(at)));
            let preposition = before
                .clone()
                .rfind(|at| self.parsed.words[*at].upos == Upos::Adp);
            let is_for = preposition.is_some_and(|at| lists.paying.contains(&self.text(at)));
            let asked = before
                .clone()
                .any(|at| self.is_poll(at) || lists.reporting.contains(&self.lemma(at)));
            ordered || is_for && asked
        };
        self.names().iter().find(pays).map(|name| self.written(name))
    }

    /// Names that may be those of pollsters: runs of words with capitals that are no people, place or army.
    fn names(&self) -> Vec<Range<usize>> {
        let words = &self.parsed.words;
        let is_capital = |at: usize| {
            words.get(at).is_some_and(|word| {
                word.text.starts_with(char::is_uppercase)
                    && matches!(word.upos, Upos::Propn | Upos::Adj | Upos::Noun)
            })
        };
        let joins = |at: usize| {
            let Some(word) = words.get(at) else { return false };
            let joint = matches!(word.upos, Upos::Adp | Upos::Cconj) || word.start == words[at - 1].end;
            let text = self.text(at);
            joint && self.words.words.naming.contains(&text) && is_capital(at + 1)
        };
        let mut names = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let first = at;
            while is_capital(at) || at > first && joins(at) {
                at += 1;
            }
            if at > first {
                names.push(first..at);
            }
            at = at.max(first + 1);
        }
        names.retain(|name| self.may_ask(name));
        names
    }

    fn may_ask(&self, name: &Range<usize>) -> bool {
        let actors = self.context.actors.of_sentence(self.at);
        let mut within = actors.filter(|actor| name.contains(&actor.head));
        let is_other = within.any(|actor| {
            let is_party = matches!(
                actor.kind,
                ActorKind::Population
                    | ActorKind::Place
                    | ActorKind::Government
                    | ActorKind::Military
                    | ActorKind::ArmedGroup
            );
            (is_party && actor.rule == "gazetteer" && actor.head + 1 == name.end) || actor.force.is_some()
        });
        let last = &self.parsed.words[name.end - 1];
        let found = self
            .context
            .knowledge
            .gazetteer
            .find(self.context.text.text, last.start..last.end);
        let mut entries = found.iter().flat_map(|found| &found.entries);
        let is_nation = entries.any(|entry| {
            matches!(
                entry.reading,
                Reading::Adjective | Reading::Demonym | Reading::Country
            )
        });
        let is_date = self.at == self.context.sentence && name.clone().any(|at| self.context.is_date(at));
        !is_other && !is_nation && !is_date
    }

    /// "a CVVM poll", "the Detcro team", "Etana's interviewers", "polled by Vilmorus".
    fn polls(&self, name: &Range<usize>) -> bool {
        let lists = &self.words.words;
        let behind = (name.end..name.end + 4).find(|at| self.is_poll(*at));
        let is_beside = behind.is_some_and(|at| {
            self.parsed.words[name.end..at]
                .iter()
                .all(|word| matches!(word.upos, Upos::Adj | Upos::Noun | Upos::Part))
        });
        let before = name.start.saturating_sub(5)..name.start;
        let preposition = before
            .clone()
            .rfind(|at| self.parsed.words[*at].upos == Upos::Adp);
        let is_by = preposition.is_some_and(|at| lists.by.contains(&self.text(at)));
        let ordered = before.clone().any(|at| lists.ordering.contains(&self.lemma(at)));
        // "(IMAS; 1,100 adults)"
        let opens = name.start > 0 && lists.opening.contains(&self.text(name.start - 1));
        let is_bracketed = opens
            && !self.is_press(name)
            && self
                .parsed
                .words
                .get(name.end)
                .is_some_and(|word| word.upos == Upos::Punct);
        is_bracketed
            || is_beside
            || is_by
                && !ordered
                && before
                    .clone()
                    .any(|at| self.is_poll(at) || lists.asking.contains(&self.lemma(at)))
    }

    /// "Etana found", "according to Sharecast", "told Ipsos", "said CVVM".
    fn reports(&self, name: &Range<usize>) -> bool {
        let reporting = &self.words.words.reporting;
        let says = |at: usize| reporting.contains(&self.lemma(at));
        let is_told = name.start > 0 && says(name.start - 1) || name.start > 1 && says(name.start - 2);
        !self.is_press(name) && (says(name.end) || is_told)
    }

    fn is_press(&self, name: &Range<usize>) -> bool {
        let mut actors = self.context.actors.of_sentence(self.at);
        actors.any(|actor| {
            name.contains(&actor.head) && actor.kind == ActorKind::Media && actor.rule == "gazetteer"
        })
    }

    fn written(&self, name: &Range<usize>) -> String {
        let words = &self.parsed.words;
        self.context.text.text[words[name.start].start..words[name.end - 1].end].to_owned()
    }

    /// "of 1,004 voters", "among 1,062 adults", "(n=2,400)": a number of people too large for a share.
    fn sample(&self) -> Option<i64> {
        (0..self.parsed.words.len()).find_map(|at| {
            let text = self.parsed.words[at].text.replace(',', "");
            let number: i64 = text.rsplit('=').next()?.parse().ok()?;
            let is_year = (1900..2100).contains(&number) && text.len() == self.parsed.words[at].text.len();
            let counts = |at: usize| {
                let kind = self
                    .context
                    .actors
                    .at(self.at, at)
                    .map(|actor| (actor.kind, actor.rule));
                let is_people =
                    kind.is_some_and(|(kind, rule)| kind == ActorKind::Population || rule == "assumed");
                let is_pronoun = self
                    .parsed
                    .words
                    .get(at)
                    .is_some_and(|word| word.upos == Upos::Pron);
                is_people && !is_pronoun || self.words.words.samples.contains(&self.lemma(at))
            };
            let is_counted = counts(at + 1) || counts(at + 2);
            let before = at.saturating_sub(3)..at;
            let is_sized = text.contains('=') || before.clone().any(|at| self.text(at) == "=");
            let asked = before.clone().any(|at| self.is_poll(at)) && !is_year;
            (number >= SAMPLE && (is_counted && !is_year || is_sized || asked)).then_some(number)
        })
    }

    /// "margin of error of 3 points", "a 3.5-point margin of error": percentage points.
    fn margin(&self) -> Option<f64> {
        let words = &self.parsed.words;
        let at = (0..words.len()).find(|at| self.words.words.margins.contains(&self.lemma(*at)))?;
        let points = |at: usize| {
            let text = words[at].text.split('-').next()?;
            text.parse::<f64>().ok().filter(|points| *points < MARGIN)
        };
        let is_of = self.text(at + 1) == self.words.of;
        let mut behind = (at..words.len().min(at + 8)).filter_map(points);
        let before = || (at.saturating_sub(4)..at).rev().find_map(points);
        behind.next().or_else(|| before().filter(|_| is_of))
    }
}
