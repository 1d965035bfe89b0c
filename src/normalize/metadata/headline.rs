//! The headline, told apart from the page's title, which carries the site's name.

use super::{Facts, collapse};
use crate::normalize::html::blocks::{Blocks, Kind};
use crate::normalize::html::body::Body;
use crate::normalize::html::words::normal;

/// Marks that part a headline from the site's name.
const TITLE_MARKS: [&str; 10] = [
    " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " / ", " < ",
];

/// All names the page gives itself, normalised, for finding the headline in the text.
pub fn title_forms(facts: &Facts) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    for title in [&facts.ld.headline, &facts.og_title, &facts.title]
        .into_iter()
        .flatten()
    {
        // Whatever stands after the last mark may be a site nobody named; three words before it are a headline.
        let cut = TITLE_MARKS
            .iter()
            .filter_map(|m| title.rfind(m))
            .max()
            .map_or("", |at| &title[..at]);
        let cut = if cut.split_whitespace().count() >= 3 {
            cut
        } else {
            ""
        };
        for form in [normal(title), normal(&without_site(title, facts)), normal(cut)] {
            if form.chars().count() >= 6 && !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// A title without the name of its site before or after a mark.
fn without_site(title: &str, facts: &Facts) -> String {
    let mut title = title.trim().to_string();
    // Twice: "Headline - Section - Site".
    for _ in 0..2 {
        let Some(shorter) = strip_once(&title, facts) else {
            break;
        };
        title = shorter;
    }
    title
}

fn strip_once(title: &str, facts: &Facts) -> Option<String> {
    let last = TITLE_MARKS
        .iter()
        .filter_map(|m| title.rfind(m).map(|at| (at, m.len())))
        .max()?;
    let (head, tail) = (title[..last.0].trim(), title[last.0 + last.1..].trim());
    if is_site(tail, facts) && head.chars().count() >= 6 {
        return Some(head.to_string());
    }
    let first = TITLE_MARKS
        .iter()
        .filter_map(|m| title.find(m).map(|at| (at, m.len())))
        .min()?;
    let (head, tail) = (title[..first.0].trim(), title[first.0 + first.1..].trim());
    (is_site(head, facts) && tail.chars().count() >= 6).then(|| tail.to_string())
}

/// Whether a part of a title names the site: it shares its letters with the site's name, publisher or host.
fn is_site(part: &str, facts: &Facts) -> bool {
    let letters = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let part = letters(part);
    if part.is_empty() {
        return true;
    }
    let host = facts.host.as_deref().unwrap_or("");
    let labels = host.split('.').filter(|l| l.len() > 3).map(letters);
    let names = [&facts.site, &facts.ld.publisher]
        .into_iter()
        .flatten()
        .map(|n| letters(n));
    names.chain(labels).filter(|n| n.len() > 2).any(|name| {
        part == name
            || (part.len() >= 4 && name.contains(&part))
            || (name.len() >= 4 && part.contains(&name) && part.len() < 40)
    })
}

pub(super) fn choose(facts: &Facts, blocks: &Blocks, found: &Body) -> Option<String> {
    let forms = title_forms(facts);
    let shown = found
        .headline
        .map(|i| &blocks.list[i])
        .map(|b| collapse(blocks.text_of(b)));
    let declared = facts
        .og_title
        .as_deref()
        .or(facts.ld.headline.as_deref())
        .or(facts.title.as_deref())
        .map(|t| without_site(t, facts));
    match shown {
        Some(shown) => {
            let plain = normal(&shown);
            let same = forms.iter().any(|f| *f == plain || f.starts_with(&plain));
            // A date or a label before the headline belongs to the page's layout.
            let longer = forms
                .iter()
                .any(|f| plain.len() > f.len() && plain.ends_with(f.as_str()));
            let level1 = found
                .headline
                .is_some_and(|i| blocks.list[i].kind == Kind::Heading(1));
            let wordy = plain.split(' ').count() >= 4 && !is_site(&shown, facts);
            // The site's name may stand as the main heading and open the page's title, before the headline.
            let title = facts.title.as_deref().map(normal).unwrap_or_default();
            let is_other = facts.og_title.as_deref().map(normal).is_some_and(|headline| {
                title.len() > plain.len() + headline.len()
                    && title.starts_with(plain.as_str())
                    && title.ends_with(headline.as_str())
            });
            if !is_other && (same || (level1 && wordy && !longer)) {
                Some(shown)
            } else {
                declared.or(Some(shown))
            }
        }
        None => declared.or_else(|| facts.title.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::normalize::html::{read, words::test_words};

    #[track_caller]
    fn headline(title: &str, h1: &str, expected: &str) {
        let html = format!(
            "<head><title>{title}</title><meta property='og:site_name' content='The Daily'></head><h1>{h1}</h1>"
        );
        assert_eq!(
            read(&html, Some("https://www.thedaily.example/x"), &test_words())
                .headline
                .as_deref(),
            Some(expected)
        );
    }

    #[test]
    fn headlines_lose_the_site() {
        headline(
            "Base closed after years | The Daily",
            "",
            "Base closed after years",
        );
        headline("Base closed - World - The Daily", "", "Base closed - World");
        headline(
            "The Daily: Base closed",
            "Base closed at last after years",
            "Base closed at last after years",
        );
        headline(
            "Base closed after years - thedaily.example",
            "The Daily",
            "Base closed after years",
        );
        headline(
            "Base – a story in parts | The Daily",
            "",
            "Base – a story in parts",
        );
    }
}
