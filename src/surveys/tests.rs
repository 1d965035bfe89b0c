//! One test for each way of telling a finding, on the knowledge that is built in.

use std::sync::OnceLock;

use crate::extract;
use crate::knowledge::{self, Knowledge, Language};
use crate::plan::Scope;
use crate::tables::{Code, Document, Survey};
use crate::text::{self, sentences};

fn knowledge() -> &'static Knowledge {
    static KNOWLEDGE: OnceLock<Knowledge> = OnceLock::new();
    KNOWLEDGE.get_or_init(|| knowledge::load(knowledge::Source::from(None)).expect("the knowledge loads"))
}

fn english() -> &'static Language {
    knowledge().language("en").expect("English is known")
}

fn read(text: &str) -> Vec<Survey> {
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
    extract::find(&text, &document, knowledge(), english(), Scope::Political).surveys
}

/// Least share, polarity and home of the force of each row; an empty home for none.
fn check(text: &str, expected: &[(f64, i32, &str)]) {
    let rows = read(text);
    let told: Vec<(f64, i32, &str)> = rows
        .iter()
        .map(|row| {
            let home = row.force_home.as_ref().map_or("", Code::as_str);
            (row.share_low, row.response_polarity, home)
        })
        .collect();
    assert_eq!(told, expected, "{text}\n{rows:#?}");
}

#[test]
fn a_later_share_takes_the_answer_of_the_one_before() {
    check(
        "In Gao 58 percent of residents wanted the French troops out; in Mopti, 31 percent.",
        &[(58.0, -1, "FRA"), (31.0, -1, "FRA")],
    );
    check(
        "In June 53 percent of Malians backed the French troops, in July 41 percent did.",
        &[(53.0, 1, "FRA"), (41.0, 1, "FRA")],
    );
    check(
        "A poll found that 46 percent of South Koreans want the American garrison cut, 44 percent do not.",
        &[(46.0, -1, "USA"), (44.0, 1, "USA")],
    );
}

#[test]
fn who_is_against_a_withdrawal_is_for_the_force() {
    check(
        "A poll of Senegalese found 57 percent supporting the closure of French bases; 24 percent were opposed.",
        &[(57.0, -1, "FRA"), (24.0, 1, "FRA")],
    );
}

#[test]
fn a_finding_goes_on_in_the_next_sentence() {
    check(
        "Seventy percent of those surveyed want MONUSCO to leave at once. Only 18 percent would let it finish its mandate.",
        &[(70.0, -1, "UNO"), (18.0, 1, "UNO")],
    );
}

#[test]
fn two_numbers_are_the_two_sides_of_a_question() {
    check(
        "By 64 to 21 percent, Nigeriens want the American troops to leave, a poll found.",
        &[(64.0, -1, "USA"), (21.0, 1, "USA")],
    );
}

#[test]
fn an_earlier_share_is_no_share_of_now() {
    let rows = read("Trust in the Russian base fell to 17 percent of Armenians from 71 percent in 2018.");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(
        (rows[0].share_low, rows[0].prior_share, rows[0].prior_year),
        (17.0, Some(71.0), Some(2018))
    );
}

#[test]
fn a_force_without_a_home_is_of_those_asked_where_it_is_abroad() {
    check(
        "Fifty-three percent of Danes backed the battalion in Basra.",
        &[(53.0, 1, "DNK")],
    );
    check(
        "Sixty percent of Iraqis oppose the presence of coalition forces.",
        &[(60.0, -1, "")],
    );
}

#[test]
fn a_movement_tells_whose_force_it_is() {
    check(
        "Around 35% of Chadians polled in March 2025 regret the French departure.",
        &[(32.0, 1, "FRA")],
    );
    check(
        "In Panjshir, 81 percent said the U.S. should never have left.",
        &[(81.0, 1, "USA")],
    );
}

#[test]
fn a_share_of_something_else_is_no_finding() {
    for text in [
        "Some 30 percent of villagers fled before Wagner fighters arrived in the valley.",
        "Seven in ten deputies backed extending the mandate of the EU training mission.",
        "Eighty percent of residents rely on water that the UN base pumps from the lake.",
        "About 60 percent of the Kenyan police officers said they want to go home.",
        "He put the chances of a French return to Kidal at no more than 5 percent.",
    ] {
        check(text, &[]);
    }
}

#[test]
fn a_text_tells_of_the_survey_itself() {
    let rows = read(
        "Six in ten Haitians wanted the Kenyan police to remain, according to a Sondex survey of 1,016 adults, carried \
         out from 4 to 22 April 2022, with a margin of error of 3.1 points.",
    );
    let row = &rows[0];
    assert_eq!(row.pollster.as_deref(), Some("Sondex"));
    assert_eq!((row.sample_size, row.margin), (Some(1016), Some(3.1)));
    let days = [row.fieldwork_from, row.fieldwork_to].map(|day| day.map(|day| day.to_string()));
    assert_eq!(
        days,
        [Some("2022-04-04".to_owned()), Some("2022-04-22".to_owned())]
    );
}
