//! The rules of annotation, one test each, on the knowledge that is built in.

use std::sync::OnceLock;

use super::model;
use crate::events::with_context;
use crate::extract::{self, Findings};
use crate::knowledge::{self, Knowledge, Language};
use crate::plan::Scope;
use crate::tables::{Code, Document, HolderKind, Sentiment, StanceBasis, StanceLabel};
use crate::text::{self, sentences};

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    KNOWLEDGE.get_or_init(|| knowledge::load(knowledge::Source::from(None)).expect("the knowledge loads"))
}

fn english() -> &'static Language {
    knowledge().language("en").expect("English is known")
}

fn read(text: &str) -> Findings {
    let document = Document {
        text: text.to_owned(),
        language: Code::new("en"),
        ..Document::default()
    };
    let found = sentences::split(text, knowledge().normalization.sentence_rules("en"));
    let text = text::annotate(
        &document.text,
        found,
        |_, _| true,
        &english().reader,
        &knowledge().gazetteer,
    );
    extract::find(&text, &document, knowledge(), english(), Scope::Political)
}

fn stances(text: &str) -> Vec<Sentiment> {
    read(text).sentiment
}

/// Rows as `holder country, force home, label`.
fn check(text: &str, expected: &[(&str, &str, StanceLabel)]) {
    let code = |code: &Option<Code>| code.as_ref().map_or(String::new(), Code::to_string);
    let rows = stances(text);
    let mut found: Vec<(String, String, StanceLabel)> = rows
        .iter()
        .map(|row| (code(&row.holder_country), code(&row.force_home), row.label))
        .collect();
    let mut expected: Vec<(String, String, StanceLabel)> = expected
        .iter()
        .map(|(holder, home, label)| ((*holder).to_owned(), (*home).to_owned(), *label))
        .collect();
    let key = |row: &(String, String, StanceLabel)| (row.0.clone(), row.1.clone(), row.2.as_str());
    found.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(found, expected, "{text}");
}

use StanceLabel::{Negative, Neutral, Positive};

#[test]
fn soldiers_killed_are_no_stance() {
    check(
        "Two French soldiers were killed near Hombori.",
        &[("", "FRA", Neutral)],
    );
    check(
        "The mayor condemned the killing of two French soldiers.",
        &[("", "FRA", Neutral)],
    );
}

#[test]
fn expelling_is_negative_and_an_action() {
    let rows = stances("Niger expelled the French troops.");
    let row = rows.iter().find(|row| row.label == Negative).expect("a stance");
    assert_eq!(
        (row.holder_kind, row.basis),
        (HolderKind::Government, StanceBasis::Action)
    );
}

#[test]
fn inviting_is_positive() {
    check(
        "The government of Mali invited the Russian instructors.",
        &[("MLI", "RUS", Positive)],
    );
}

#[test]
fn not_criticising_takes_no_side() {
    check(
        "Niger did not criticise the French troops.",
        &[("NER", "FRA", Neutral)],
    );
}

#[test]
fn no_intention_of_asking_them_to_leave_is_positive() {
    check(
        "Mali has no intention of asking the Russian instructors to leave.",
        &[("MLI", "RUS", Positive)],
    );
}

#[test]
fn not_supporting_is_negative() {
    check(
        "Niger does not support the American troops.",
        &[("NER", "USA", Negative)],
    );
}

#[test]
fn hedged_rows_are_marked_and_kept() {
    let rows = stances("Niger may expel the French troops.");
    assert!(
        rows.iter().any(|row| row.hedged && row.label == Negative),
        "{rows:?}"
    );
}

#[test]
fn the_innermost_speaker_holds_a_reported_stance() {
    let rows = stances("The bishop of Goma said that Uganda condemned the Rwandan soldiers.");
    let row = rows.iter().find(|row| row.label == Negative).expect("a stance");
    assert_eq!(row.holder_country, Some(Code::new("UGA")));
    assert!(
        row.source_chain
            .as_deref()
            .is_some_and(|chain| chain.contains("bishop")),
        "{row:?}"
    );
}

#[test]
fn a_sender_that_defends_its_own_force_is_marked() {
    let rows = stances("France defended the French troops in Mali.");
    assert!(
        rows.iter().any(|row| row.is_owner && row.label == Positive),
        "{rows:?}"
    );
}

#[test]
fn an_attack_by_an_armed_group_is_an_event_first() {
    let rows = stances("Al-Shabaab stormed the Ugandan base.");
    assert!(
        rows.iter().all(|row| row.holder_kind != HolderKind::ArmedGroup),
        "{rows:?}"
    );
}

#[test]
fn two_forces_are_two_rows() {
    let text = "Mali praised the Russian instructors and condemned the French troops.";
    check(text, &[("MLI", "FRA", Negative), ("MLI", "RUS", Positive)]);
}

#[test]
fn a_state_is_not_its_troops() {
    assert!(
        stances("Mali condemned France.")
            .iter()
            .all(|row| row.label == Neutral)
    );
}

#[test]
fn what_goes_turns_a_judgement_round() {
    check(
        "Residents of Bamako welcomed the departure of the French troops.",
        &[("MLI", "FRA", Negative)],
    );
    check(
        "Niger opposed the withdrawal of the American troops.",
        &[("NER", "USA", Positive)],
    );
    check(
        "Niger demanded that the American troops leave.",
        &[("NER", "USA", Negative)],
    );
}

#[test]
fn a_party_that_rules_and_a_spokesman_of_rebels() {
    let kind = |text: &str| stances(text).first().map(|row| row.holder_kind);
    let cases = [
        (
            "Niger's ruling party condemned the French troops.",
            HolderKind::Government,
        ),
        (
            "A spokesman for the rebels condemned the French troops.",
            HolderKind::ArmedGroup,
        ),
        (
            "A spokesman for Niger's trade unions condemned the French troops.",
            HolderKind::CivilSociety,
        ),
        (
            "Hundreds of villagers condemned the French troops.",
            HolderKind::Public,
        ),
        (
            "A radio host in Niamey condemned the French troops.",
            HolderKind::Media,
        ),
        (
            "Niger's former ruler condemned the French troops.",
            HolderKind::Person,
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(kind(text), Some(expected), "{text}");
    }
}

#[test]
fn its_minister_is_of_the_country_named_before() {
    check(
        "Niger could not do without the American troops, its defence minister said.",
        &[("NER", "USA", Positive)],
    );
}

#[test]
fn nobody_in_the_clause_judges_so_the_people_of_the_place_do() {
    check(
        "The Turkish soldiers are loved in Bamako.",
        &[("MLI", "TUR", Positive)],
    );
}

#[test]
fn what_would_be_without_a_force() {
    check(
        "Without the French soldiers Bamako would have fallen, the mayor of Gao said.",
        &[("MLI", "FRA", Positive)],
    );
}

#[test]
fn a_condition_that_a_force_goes() {
    check(
        "Niger will not sign the accord unless the French troops leave.",
        &[("NER", "FRA", Negative)],
    );
}

#[test]
fn feelings_at_the_going_of_a_force() {
    check(
        "Villagers in Mali wept as the French soldiers left.",
        &[("MLI", "FRA", Positive)],
    );
    check(
        "Villagers in Mali cheered as the French soldiers left.",
        &[("MLI", "FRA", Negative)],
    );
}

#[test]
fn regret_of_a_departure_is_for_the_force() {
    check(
        "Niger regretted the departure of the American troops.",
        &[("NER", "USA", Positive)],
    );
}

#[test]
fn criticism_that_is_rejected_is_support() {
    check(
        "Niger rejected criticism of the American troops.",
        &[("NER", "USA", Positive)],
    );
}

#[test]
fn neither_praised_nor_blamed_takes_no_side() {
    check(
        "Niger neither praised nor blamed the American troops.",
        &[("NER", "USA", Neutral)],
    );
}

#[test]
fn a_question_that_asks_no_fact_is_a_reproach() {
    check(
        "Niger asked why the American troops were in Agadez.",
        &[("NER", "USA", Negative)],
    );
}

#[test]
fn a_withdrawal_that_is_judged() {
    check(
        "The withdrawal of the American troops would be a disaster, Niger said.",
        &[("NER", "USA", Positive)],
    );
}

#[test]
fn business_units_are_no_forces_to_judge() {
    let rows = stances("The drug maker expanded its customer base and its drugs unit.");
    assert!(rows.iter().all(|row| row.label == Neutral), "{rows:?}");
}

#[test]
fn narration_is_neutral() {
    check(
        "The French troops crossed the river on Monday.",
        &[("", "FRA", Neutral)],
    );
}

#[test]
fn a_survey_share_is_a_stance_of_those_who_gave_the_answer() {
    let found = read(
        "A poll found that 64 percent of Nigeriens oppose the French troops and 30 percent support them.",
    );
    assert_eq!(found.surveys.len(), 2, "{:?}", found.surveys);
    assert_eq!(
        found.surveys[0].finding_group_id,
        found.surveys[1].finding_group_id
    );
    assert_ne!(found.surveys[0].survey_id, found.surveys[1].survey_id);
    for survey in &found.surveys {
        let rows: Vec<&Sentiment> = found
            .sentiment
            .iter()
            .filter(|row| row.survey_id.as_ref() == Some(&survey.survey_id))
            .collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].basis, StanceBasis::Survey);
        assert_eq!(rows[0].polarity < 0.0, survey.response_polarity < 0);
    }
}

#[test]
fn a_stance_points_to_its_event() {
    let found = read("Niger expelled the French troops.");
    let row = found
        .sentiment
        .iter()
        .find(|row| row.label == Negative)
        .expect("a stance");
    assert!(
        found
            .events
            .iter()
            .any(|event| row.event_id.as_ref() == Some(&event.event_id)),
        "{row:?}"
    );
}

#[test]
fn swapping_countries_changes_no_label() {
    let names = [
        ("France", "French"),
        ("Russia", "Russian"),
        ("Turkey", "Turkish"),
        ("Kenya", "Kenyan"),
        ("China", "Chinese"),
    ];
    let sentences = [
        "The president of @ praised the * soldiers for their courage.",
        "Critics in @ accused the * troops of brutal crimes.",
        "The * troops arrived in @ on Monday.",
        "Residents of @ are grateful to the * engineers.",
    ];
    for sentence in sentences {
        let label = |country: &str, adjective: &str| {
            let text = sentence.replace('@', country).replace('*', adjective);
            let start = text.find(adjective).expect("the adjective is there");
            model::toward(&text, &(start..start + adjective.len()), knowledge(), english()).0
        };
        let first = label("Mali", names[0].1);
        for (country, adjective) in names {
            assert_eq!(
                label(country, adjective),
                label("Mali", adjective),
                "{sentence} {country}"
            );
            assert_eq!(label("Mali", adjective), first, "{sentence} {adjective}");
        }
    }
}

#[test]
fn every_example_of_a_word_of_stance_is_a_stance() {
    let file = include_str!("../../knowledge/languages/en/stances.tsv");
    let mut missed = Vec::new();
    for line in file.lines().skip(1).filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let example = columns.get(8).copied().unwrap_or_default();
        if example.is_empty() {
            continue;
        }
        let is_neutral = columns[4] == "0";
        let rows = stances(example);
        if !rows
            .iter()
            .any(|row| (row.label == Neutral) == is_neutral && row.holder_kind != HolderKind::Narrator)
        {
            missed.push(example);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// `cargo test --release --lib sentiment::tests::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let texts = [
        "The governor praised the French soldiers for their courage during the flood, and said that they were welcome.",
        "Thousands marched in the capital against the American base, which they called a threat to their lives.",
        "Two Rwandan battalions arrived in the north on Monday.",
    ];
    let model = english().judge.news.as_ref().expect("a model");
    let (mut pairs, mut seconds) = (0_u32, 0.0);
    for text in texts {
        with_context(text, knowledge(), english(), |context| {
            let start = std::time::Instant::now();
            for _ in 0..2_000 {
                let masked = model::Masked::new(context);
                for word in context
                    .parsed
                    .words
                    .iter()
                    .filter(|word| word.upos == text::Upos::Noun)
                {
                    pairs += 1;
                    std::hint::black_box(model::judge(model, &masked.features(&(word.start..word.end))));
                }
            }
            seconds += start.elapsed().as_secs_f64();
        });
    }
    println!("{:.0} pairs/s", f64::from(pairs) / seconds);
}
