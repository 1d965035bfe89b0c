//! Whether the participants of a clause meet the needs of a frame, and who fills its roles.

use std::cell::RefCell;

use super::Context;
use crate::knowledge::Reading;
use crate::knowledge::frames::{Frame, Kind, Need, Path, Role, Test};
use crate::mentions::{Actor, Force};
use crate::tables::{ActorKind, Code, ForceKind};
use crate::text::{Clause, Upos};

/// The words a predicate can be looked up by, each with the role that then counts as its object: "call" and
/// "call on", whose object is what follows "on"; "pull" and "pull out".
pub(crate) fn keys(context: &Context<'_, '_>, clause: &Clause) -> Vec<(String, Option<String>)> {
    let mut keys = Vec::new();
    for phrase in &clause.participants {
        if !matches!(
            phrase.role.as_str(),
            "subj" | "obj" | "iobj" | "by" | "poss" | "mod"
        ) {
            keys.push((
                format!("{} {}", clause.lemma, phrase.role),
                Some(phrase.role.clone()),
            ));
        }
    }
    for child in context.parsed.dependents(clause.predicate, "advmod") {
        keys.push((
            format!(
                "{} {}",
                clause.lemma,
                context.parsed.words[child].text.to_lowercase()
            ),
            None,
        ));
    }
    keys.push((clause.lemma.clone(), None));
    // "ordered them out": the verb without its particle, which a frame may ask for as an adverb.
    if let Some((verb, _)) = clause.lemma.split_once(' ') {
        keys.push((verb.to_owned(), None));
    }
    keys
}

/// Matches frames against one clause.
pub(crate) struct Matcher<'c, 'k> {
    context: &'c Context<'c, 'k>,
    clause: &'c Clause,
    /// The role that counts as the object.
    object_role: Option<String>,
    /// Words that met a need.
    met: RefCell<Vec<usize>>,
    /// Predicates of complements that the frame takes in.
    consumed: RefCell<Vec<usize>>,
}

/// Who fills a role.
#[derive(Debug, Default, Clone)]
pub(crate) struct Filled {
    pub name: Option<String>,
    pub actor_id: Option<String>,
    pub country: Option<Code>,
    pub kind: Option<ActorKind>,
    pub start: Option<i64>,
    pub end: Option<i64>,
}

impl Filled {
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.country.is_none()
    }
}

impl<'c, 'k> Matcher<'c, 'k> {
    pub fn new(context: &'c Context<'c, 'k>, clause: &'c Clause, object_role: Option<String>) -> Self {
        Self {
            context,
            clause,
            object_role,
            met: RefCell::default(),
            consumed: RefCell::default(),
        }
    }

    /// The matcher itself if every need of the frame is met.
    pub fn meets(self, frame: &Frame) -> Option<Self> {
        frame
            .needs
            .iter()
            .all(|need| self.meets_need(need))
            .then_some(self)
    }

    /// Whether the words a frame asks for are there, whoever takes part.
    pub fn meets_words(&self, frame: &Frame) -> bool {
        let mut of_words = frame
            .needs
            .iter()
            .filter(|need| !matches!(need.test, Test::Kind(_)));
        of_words.all(|need| self.meets_need(need))
    }

    /// Predicates of complements that are part of the event.
    pub fn consumed(&self) -> Vec<usize> {
        self.consumed.borrow().clone()
    }

    fn meets_need(&self, need: &Need) -> bool {
        need.roles.iter().any(|path| {
            let found = self.heads(path);
            let met = match (&need.test, path.as_slice()) {
                (Test::Lemma(words), [role]) if role == "modal" => self.has_modal(self.clause, words),
                (Test::Lemma(words), [comp, role]) if role == "modal" && comp == "comp" => self
                    .clause
                    .complements
                    .iter()
                    .filter_map(|head| self.context.clause(*head))
                    .any(|clause| self.has_modal(clause, words)),
                (Test::Lemma(words), [role]) if role == "adv" => self.has_adverb(words),
                (Test::Contains(words), [role]) if role.is_empty() => {
                    self.contains(self.clause.predicate, words)
                }
                (test, _) => {
                    let met = found.into_iter().find(|head| self.passes(*head, test));
                    if let Some(head) = met {
                        self.met.borrow_mut().push(head);
                    }
                    met.is_some()
                }
            };
            // "oversaw the withdrawal" is one event too: a noun that selects the sense belongs to it.
            let selects = path.len() == 1 && matches!(need.test, Test::Lemma(_));
            if met && (path[0] == "comp" || selects) {
                self.consume(path, need);
            }
            met
        })
    }

    /// Marks the complement, or what heads it, as taken in; nouns too: "ordered the withdrawal".
    fn consume(&self, path: &Path, need: &Need) {
        for head in self.heads(&path[..1]) {
            if path.len() > 1 || self.passes(head, &need.test) {
                self.consumed.borrow_mut().push(head);
            }
        }
    }

    fn has_modal(&self, clause: &Clause, words: &std::collections::HashSet<String>) -> bool {
        clause
            .auxiliaries
            .iter()
            .any(|auxiliary| words.contains(auxiliary))
            || clause.mark.as_ref().is_some_and(|mark| words.contains(mark))
    }

    fn has_adverb(&self, words: &std::collections::HashSet<String>) -> bool {
        self.context
            .parsed
            .children(self.clause.predicate)
            .iter()
            .any(|child| {
                let relation = self.context.parsed.words[*child].relation;
                let is_adverb = matches!(relation, "advmod" | "compound:prt" | "advcl" | "xcomp" | "obl");
                is_adverb && words.contains(&self.context.parsed.words[*child].text.to_lowercase())
            })
    }

    fn contains(&self, head: usize, words: &std::collections::HashSet<String>) -> bool {
        let parsed = self.context.parsed;
        let phrase = parsed.subtree_without(head, &["acl", "nsubj", "advcl", "conj", "parataxis"]);
        phrase.into_iter().any(|word| {
            words.contains(&parsed.words[word].lemma.to_lowercase())
                || words.contains(&parsed.words[word].text.to_lowercase())
        })
    }

    /// The head words at the end of a path.
    fn heads(&self, path: &[String]) -> Vec<usize> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let mut heads = self.direct(self.clause, first);
        for role in rest {
            heads = heads
                .into_iter()
                .flat_map(|head| self.below(head, role))
                .collect();
        }
        heads
    }

    fn direct(&self, clause: &Clause, role: &str) -> Vec<usize> {
        match role {
            "comp" => {
                let mut heads = clause.complements.clone();
                // A complement may stand as "that X leave" under an object or as an infinitive of purpose.
                heads.extend(
                    self.context
                        .clauses
                        .iter()
                        .filter(|other| {
                            other.governor.as_ref().is_some_and(|governor| {
                                governor.predicate == clause.predicate
                                    && governor.relation.starts_with("advcl")
                            }) && other.mark.as_ref().is_some_and(|mark| {
                                self.context.language.grammar.infinitive_marks.contains(mark)
                            })
                        })
                        .map(|other| other.predicate),
                );
                heads
            }
            "obj" => match &self.object_role {
                Some(role) => clause.in_role(role).collect(),
                None => clause.in_role("obj").collect(),
            },
            "subj2" => clause.in_role("subj").skip(1).collect(),
            "between2" => clause.in_role("between").skip(1).collect(),
            "subj" if clause.passive => clause.in_role("by").chain(clause.in_role("subj")).collect(),
            role => clause.in_role(role).collect(),
        }
    }

    /// Participants of a participant: of its clause if it is a predicate, else of its noun phrase.
    fn below(&self, head: usize, role: &str) -> Vec<usize> {
        if let Some(clause) = self.context.clause(head) {
            return self.direct(clause, role);
        }
        let parsed = self.context.parsed;
        let children = parsed.children(head).iter().copied();
        let found: Vec<usize> = match role {
            "poss" => children.filter(|child| parsed.is(*child, "nmod:poss")).collect(),
            "mod" => children
                .filter(|child| parsed.is(*child, "amod") || parsed.is(*child, "compound"))
                .collect(),
            preposition => {
                let marked = children.filter(|child| {
                    (parsed.is(*child, "nmod") || parsed.is(*child, "obl"))
                        && parsed.preposition(*child) == preposition
                });
                marked
                    .flat_map(|child| std::iter::once(child).chain(parsed.dependents(child, "conj")))
                    .collect()
            }
        };
        found
    }

    fn passes(&self, head: usize, test: &Test) -> bool {
        let parsed = self.context.parsed;
        match test {
            Test::Exists => true,
            Test::Lemma(words) => {
                let word = &parsed.words[head];
                let particle = self.context.clause(head).map(|clause| clause.lemma.clone());
                words.contains(&word.lemma.to_lowercase())
                    || words.contains(&word.text.to_lowercase())
                    || particle.is_some_and(|lemma| words.contains(&lemma))
            }
            Test::Contains(words) => self.contains(head, words),
            Test::Kind(kind) => self.is_kind(head, *kind),
        }
    }

    fn is_kind(&self, head: usize, kind: Kind) -> bool {
        let parsed = self.context.parsed;
        let Some(actor) = self.context.actor(head) else {
            // A proper name that nothing knows may still be an actor.
            return kind == Kind::Actor && parsed.words[head].upos == Upos::Propn;
        };
        match kind {
            Kind::Actor => super::is_actor(actor) && actor.kind != ActorKind::Place,
            Kind::Country => {
                actor.country.is_some()
                    && actor.force.is_none()
                    && !matches!(actor.kind, ActorKind::ArmedGroup)
            }
            Kind::Force => actor
                .force
                .as_ref()
                .is_some_and(|force| force.is_foreign() != Some(false)),
            Kind::ForceOf(wanted) => actor
                .force
                .as_ref()
                .is_some_and(|force| is_of_kind(force, wanted) && force.is_foreign() != Some(false)),
            Kind::Presence => {
                let lemma = parsed.words[head].lemma.to_lowercase();
                self.context.language.forces.presence_nouns.contains(&lemma) && actor.force.is_some()
            }
            Kind::Military => actor.kind == ActorKind::Military,
            Kind::People => {
                matches!(actor.kind, ActorKind::Population | ActorKind::Organization) && actor.force.is_none()
            }
            Kind::ArmedGroup => actor.kind == ActorKind::ArmedGroup,
        }
    }

    /// The force concerned: the first that met a need, else the first among the participants.
    pub fn force(&self) -> Option<(&'c Actor<'k>, &'c Force)> {
        let context = self.context;
        let of_head = |head: usize| {
            context
                .actor(head)
                .and_then(|actor| Some((actor, actor.force.as_ref()?)))
        };
        let met = self.met.borrow();
        let foreign = |found: &(&Actor<'_>, &Force)| found.1.is_foreign() != Some(false);
        let from_needs = met.iter().rev().filter_map(|head| of_head(*head)).find(foreign);
        from_needs
            .or_else(|| {
                self.clause
                    .participants
                    .iter()
                    .filter_map(|phrase| of_head(phrase.head))
                    .find(foreign)
            })
            .or_else(|| {
                let below = self
                    .clause
                    .participants
                    .iter()
                    .flat_map(|phrase| context.parsed.children(phrase.head).iter().copied());
                below.filter_map(of_head).find(foreign)
            })
    }

    /// Fills source or target: the first of the roles that somebody stands in.
    pub fn fill(&self, roles: &[Role]) -> Filled {
        roles
            .iter()
            .map(|role| self.fill_role(role))
            .find(|filled| !filled.is_empty())
            .unwrap_or_default()
    }

    fn fill_role(&self, role: &Role) -> Filled {
        for path in &role.paths {
            let country = match path[0].as_str() {
                "home" => self.force().and_then(|(_, force)| force.home.clone()),
                "host" => self.force().and_then(|(_, force)| force.host.clone()),
                "speaker" => {
                    return super::circumstances::speaker(self.context, self.clause)
                        .map_or_else(Filled::default, |speaker| speaker.filled);
                }
                _ => {
                    let heads = self.heads(path);
                    let wanted = |head: &usize| role.kind.is_none_or(|kind| self.is_kind(*head, kind));
                    let found = heads
                        .into_iter()
                        .find(wanted)
                        .map(|head| filled(self.context, head));
                    match found.filter(|filled| !filled.is_empty()) {
                        Some(filled) => return filled,
                        None => continue,
                    }
                }
            };
            if let Some(country) = country {
                return self.named_in_sentence(&country);
            }
        }
        Filled::default()
    }

    /// A country that fills a role by being home or host; its mention in the sentence, if it has one.
    fn named_in_sentence(&self, country: &Code) -> Filled {
        let mut of_country = self
            .context
            .actors
            .of_sentence(self.context.sentence)
            .filter(|actor| actor.country.as_ref() == Some(country) && actor.force.is_none());
        match of_country.next() {
            Some(actor) => from_actor(self.context, actor),
            None => Filled {
                actor_id: Some(country.to_string()),
                country: Some(country.clone()),
                kind: Some(if country.as_str().len() == 3 {
                    ActorKind::Government
                } else {
                    ActorKind::International
                }),
                ..Filled::default()
            },
        }
    }
}

fn is_of_kind(force: &Force, wanted: ForceKind) -> bool {
    force.kind == wanted
}

/// A participant as who fills a role: a known actor, or the words themselves.
pub(crate) fn filled(context: &Context<'_, '_>, head: usize) -> Filled {
    if context.is_date(head) {
        return Filled::default();
    }
    if let Some(actor) = context.actor(head) {
        return from_actor(context, actor);
    }
    let word = &context.parsed.words[head];
    if !matches!(word.upos, Upos::Noun | Upos::Propn) {
        return Filled::default();
    }
    let phrase = context.parsed.subtree_without(
        head,
        &["acl", "nmod", "appos", "conj", "cc", "punct", "case", "det"],
    );
    let phrase: Vec<usize> = phrase.into_iter().filter(|word| *word <= head).collect();
    let span = context.parsed.span(&phrase);
    let whole = super::roles::phrase(context.parsed, head).words;
    Filled {
        name: Some(context.text.text[span.clone()].to_owned()),
        country: context.actors.country_within(context.sentence, whole).cloned(),
        kind: Some(ActorKind::Unknown),
        start: Some(span.start as i64),
        end: Some(span.end as i64),
        ..Filled::default()
    }
}

pub(crate) fn from_actor(context: &Context<'_, '_>, actor: &Actor<'_>) -> Filled {
    let by_name = actor
        .entry
        .filter(|entry| !matches!(entry.reading, Reading::Place))
        .map(|entry| entry.id.clone());
    // A pronoun is told by the country it stands for.
    let stands_for = actor.country.as_ref().filter(|_| actor.rule == "pronoun");
    let name = match stands_for {
        Some(country) => context.knowledge.name_of(country.as_str()),
        None => context.text.text[actor.start..actor.end].to_owned(),
    };
    Filled {
        name: Some(name),
        actor_id: by_name.or_else(|| actor.country.as_ref().map(Code::to_string)),
        country: actor.country.clone(),
        kind: Some(if actor.kind == ActorKind::Place {
            ActorKind::Government
        } else {
            actor.kind
        }),
        start: Some(actor.start as i64),
        end: Some(actor.end as i64),
    }
}
