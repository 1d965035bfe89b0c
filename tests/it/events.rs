//! Events of whole articles against the labels of `tests/gold`, and of the lexicon's examples.

use garrison::tables::{Event, Sentiment, Survey};

/// What the program writes to standard output.
fn page(arguments: &[&str]) -> String {
    String::from_utf8_lossy(&crate::garrison(arguments).stdout).into_owned()
}

/// The figure behind a name in a page of an evaluator.
fn f1(page: &str, name: &str) -> f64 {
    let line = page.lines().find(|line| line.starts_with(name)).expect(name);
    let figure = line.split("F1 ").nth(1).expect("a figure").split(' ').next();
    figure.expect("a figure").parse().expect("a number")
}

#[test]
fn events_of_the_annotated_articles_do_not_get_worse() {
    let page = page(&["evaluate", "events", "tests/gold/articles.jsonl"]);
    assert!(f1(&page, "types") >= 0.70, "{page}");
    assert!(f1(&page, "force events") >= 0.45, "{page}");
    assert!(f1(&page, "source, target and type") >= 0.42, "{page}");
}

#[test]
fn examples_of_the_lexicon_are_read_as_their_lines_say() {
    let page = page(&["check"]);
    assert!(page.starts_with("knowledge: good"), "{page}");
}

#[test]
fn explain_shows_the_words_the_actors_and_the_rule_of_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    crate::run("pipelines/foreign_forces.toml", folder.path(), &[]);
    let output = folder.path().display().to_string();
    let explain = |id: &str| {
        let told = page(&["explain", id, "--output", &output]);
        assert!(told.starts_with(id), "{told}");
        told
    };
    let events = crate::rows::<Event>(folder.path());
    let by_frame = events
        .iter()
        .find(|event| event.rule.starts_with("frame:"))
        .unwrap();
    let told = explain(&by_frame.event_id);
    assert!(told.contains("predicates/") && told.contains(".tsv:"), "{told}");
    assert!(
        told.contains(">>") && told.contains(&by_frame.document_id),
        "{told}"
    );
    let incident = by_frame.incident_id.as_ref().unwrap();
    assert!(explain(incident).contains(&by_frame.event_id));
    let stances = crate::rows::<Sentiment>(folder.path());
    let stance = stances
        .iter()
        .find(|stance| stance.rule.starts_with("stance:"))
        .unwrap();
    let told = explain(&stance.sentiment_id);
    assert!(
        told.contains("stances.tsv:") && told.contains(stance.label.as_str()),
        "{told}"
    );
    let surveys = crate::rows::<Survey>(folder.path());
    assert!(explain(&surveys[0].survey_id).contains(&surveys[0].share_text));
    let missing = crate::garrison(&["explain", "e_00000000000000000000000000", "--output", &output]);
    assert_eq!(crate::code(&missing), Some(1));
}
