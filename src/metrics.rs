//! What a run came to, as metrics in the text format of Prometheus, for the textfile collector of its node exporter
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use crate::output;
use crate::report::Report;

/// How a run ended, whatever it came to.
#[derive(Debug, Clone, Copy)]
pub struct End<'r> {
    /// Name of the pipeline.
    pub pipeline: &'r str,
    /// The exit code.
    pub code: u8,
    /// Wall time, in seconds.
    pub seconds: f64,
    /// What was published, if anything was.
    pub report: Option<&'r Report>,
}

/// Writes the metrics of a run; the file appears whole.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, end: End) -> Result<()> {
    output::write_file(path, page(end).as_bytes())
}

fn page(end: End) -> String {
    let mut page = Page {
        text: String::new(),
        pipeline: escaped(end.pipeline),
    };
    let finished = jiff::Timestamp::now().as_second() as f64;
    page.gauge(
        "run_exit_code",
        "Exit code of the last run.",
        &[("", end.code.into())],
    );
    page.gauge(
        "run_finished_timestamp_seconds",
        "When the last run ended.",
        &[("", finished)],
    );
    page.gauge("run_seconds", "Wall time of the last run.", &[("", end.seconds)]);
    let published = f64::from(u8::from(end.report.is_some()));
    page.gauge(
        "run_published",
        "Whether the last run published new tables.",
        &[("", published)],
    );
    let Some(report) = end.report else {
        return page.text;
    };
    let counts = &report.counts;
    let records = [
        ("outcome=\"kept\"", counts.kept as f64),
        ("outcome=\"rejected\"", counts.rejected as f64),
    ];
    page.gauge("records", "Records read, by outcome.", &records);
    let unreadable = counts.unreadable as f64;
    page.gauge(
        "unreadable_inputs",
        "Inputs that cannot be read.",
        &[("", unreadable)],
    );
    let of_reasons = counts.rejected_by_reason.iter();
    let reasons: Vec<_> = of_reasons
        .map(|(reason, number)| (format!("reason=\"{reason}\""), *number as f64))
        .collect();
    page.gauge("rejects", "Records rejected, by reason.", &borrowed(&reasons));
    let rows: Vec<_> = report
        .tables
        .iter()
        .map(|table| (format!("table=\"{}\"", table.table), table.rows as f64))
        .collect();
    page.gauge("table_rows", "Rows of each table.", &borrowed(&rows));
    let passes = report.passes.iter();
    let seconds: Vec<_> = passes
        .map(|pass| (format!("pass=\"{}\"", pass.pass), pass.seconds))
        .collect();
    page.gauge("pass_seconds", "Wall time of each pass.", &borrowed(&seconds));
    let units: Vec<_> = report
        .passes
        .iter()
        .flat_map(|pass| [("worked", pass.worked), ("reused", pass.reused)].map(|unit| (pass, unit)))
        .map(|(pass, (kind, number))| (format!("pass=\"{}\",kind=\"{kind}\"", pass.pass), number as f64))
        .collect();
    page.gauge(
        "units",
        "Units of each pass, worked on or reused from earlier runs.",
        &borrowed(&units),
    );
    if let Some(bytes) = report.peak_memory_bytes {
        page.gauge("peak_memory_bytes", "Most memory held.", &[("", bytes as f64)]);
    }
    page.text
}

fn borrowed(samples: &[(String, f64)]) -> Vec<(&str, f64)> {
    samples
        .iter()
        .map(|(labels, value)| (labels.as_str(), *value))
        .collect()
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

struct Page {
    text: String,
    pipeline: String,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, samples: &[(&str, f64)]) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.text,
            "# HELP garrison_{name} {help}\n# TYPE garrison_{name} gauge"
        );
        for (labels, value) in samples {
            let comma = if labels.is_empty() { "" } else { "," };
            let _ = writeln!(
                self.text,
                "garrison_{name}{{pipeline=\"{}\"{comma}{labels}}} {value}",
                self.pipeline
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_run_has_its_exit_code_and_escaped_labels() {
        let end = End {
            pipeline: "a \"b\"",
            code: 6,
            seconds: 1.5,
            report: None,
        };
        let page = page(end);
        assert!(
            page.contains("garrison_run_exit_code{pipeline=\"a \\\"b\\\"\"} 6\n"),
            "{page}"
        );
        assert!(
            page.contains("garrison_run_seconds{pipeline=\"a \\\"b\\\"\"} 1.5\n"),
            "{page}"
        );
        assert!(!page.contains("table_rows"));
    }
}
