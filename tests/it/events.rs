//! Events of whole articles against the labels of `tests/gold`, and of the lexicon's examples.

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
    assert!(f1(&page, "types") >= 0.55, "{page}");
    assert!(f1(&page, "force events") >= 0.20, "{page}");
    assert!(f1(&page, "source, target and type") >= 0.15, "{page}");
}

#[test]
fn examples_of_the_lexicon_are_read_as_their_lines_say() {
    let page = page(&["check"]);
    assert!(page.starts_with("knowledge: good"), "{page}");
}
