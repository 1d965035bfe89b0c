//! Stances by month: who stood how toward whose force, each happening and each article counted once.
//!
//! A row of sentiment is a sentence; what is counted is who said it: one unit per holder and incident, or, where the
//! row rests on no incident, per holder and article. Ten articles on one protest are one unit, as are ten sentences
//! of one article.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use crate::tables::{Code, Sentiment, StanceMonthly};

/// The group a row counts in: force home, host, kind of holder, month.
type Group = (Option<Code>, Option<Code>, &'static str, Option<Date>);

/// Quantile of the normal distribution for an interval of 95 percent.
const Z: f64 = 1.96;

#[derive(Default)]
struct Counts<'r> {
    rows: i64,
    articles: BTreeSet<&'r str>,
    incidents: BTreeSet<&'r str>,
    /// Polarities of the rows of each unit.
    units: BTreeMap<(String, &'r str), Vec<f32>>,
    kind: crate::tables::HolderKind,
}

/// The stances of each month, in order of force home, host, kind of holder and month. `incident_of` leads from an event
/// to the incident it tells of.
pub fn monthly(sentiment: &[Sentiment], incident_of: &HashMap<String, String>) -> Vec<StanceMonthly> {
    let mut groups: BTreeMap<Group, Counts<'_>> = BTreeMap::new();
    for row in sentiment {
        let month = row.stated_on.map(Date::first_of_month);
        let group = (
            row.force_home.clone(),
            row.host_country.clone(),
            row.holder_kind.as_str(),
            month,
        );
        let incident = row
            .event_id
            .as_deref()
            .and_then(|event| incident_of.get(event).map(String::as_str));
        let counts = groups.entry(group).or_default();
        counts.kind = row.holder_kind;
        counts.rows += 1;
        counts.articles.insert(&row.document_id);
        counts.incidents.extend(incident);
        let holder = row
            .holder_actor_id
            .as_ref()
            .or(row.holder_name.as_ref())
            .cloned()
            .unwrap_or_default();
        let place = incident.unwrap_or(&row.document_id);
        counts
            .units
            .entry((holder, place))
            .or_default()
            .push(row.polarity);
    }
    groups
        .into_iter()
        .map(|(group, counts)| row(group, &counts))
        .collect()
}

fn row((force_home, host_country, _, month): Group, counts: &Counts<'_>) -> StanceMonthly {
    let n = counts.units.len();
    let means = counts
        .units
        .values()
        .map(|rows| f64::from(rows.iter().sum::<f32>()) / rows.len() as f64);
    let means: Vec<f64> = means.collect();
    let negative = means.iter().filter(|mean| **mean < 0.0).count();
    let (low, high) = wilson(negative, n);
    StanceMonthly {
        force_home,
        host_country,
        holder_kind: counts.kind,
        month,
        rows: counts.rows,
        articles: counts.articles.len() as i64,
        incidents: counts.incidents.len() as i64,
        n: n as i64,
        polarity_mean: means.iter().sum::<f64>() / n.max(1) as f64,
        share_negative: negative as f64 / n.max(1) as f64,
        share_negative_low: low,
        share_negative_high: high,
        run_id: String::new(),
    }
}

/// The interval of a share that holds for small numbers too (Wilson 1927, "Probable inference").
fn wilson(hits: usize, of: usize) -> (f64, f64) {
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (
        ((middle - spread) / whole).max(0.0),
        ((middle + spread) / whole).min(1.0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stance(document: &str, holder: &str, polarity: f32, event: Option<&str>) -> Sentiment {
        Sentiment {
            document_id: document.to_owned(),
            holder_name: Some(holder.to_owned()),
            polarity,
            event_id: event.map(str::to_owned),
            stated_on: Some(jiff::civil::date(2024, 3, 17)),
            ..Sentiment::default()
        }
    }

    #[test]
    fn a_happening_told_by_many_articles_counts_once() {
        let incident_of =
            [("e_1", "i_1"), ("e_2", "i_1")].map(|(event, incident)| (event.to_owned(), incident.to_owned()));
        let rows = [
            stance("d_1", "junta", -1.0, Some("e_1")),
            stance("d_2", "junta", -1.0, Some("e_2")),
        ];
        let monthly = monthly(&rows, &HashMap::from(incident_of));
        assert_eq!(
            (
                monthly[0].rows,
                monthly[0].articles,
                monthly[0].incidents,
                monthly[0].n
            ),
            (2, 2, 1, 1)
        );
        assert_eq!(monthly[0].month, Some(jiff::civil::date(2024, 3, 1)));
    }

    #[test]
    fn an_article_counts_once_for_each_holder() {
        let rows = [
            stance("d_1", "junta", -1.0, None),
            stance("d_1", "junta", -0.5, None),
            stance("d_1", "union", 1.0, None),
        ];
        let monthly = monthly(&rows, &HashMap::new());
        assert_eq!((monthly[0].n, monthly[0].rows), (2, 3));
        assert!(
            (monthly[0].share_negative - 0.5).abs() < 1e-9 && (monthly[0].polarity_mean - 0.125).abs() < 1e-6
        );
    }

    #[test]
    fn the_interval_holds_its_share_and_narrows() {
        let (low, high) = wilson(1, 2);
        let (lower, higher) = wilson(100, 200);
        assert!(low < 0.5 && high > 0.5 && lower > low && higher < high);
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
