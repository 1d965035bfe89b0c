//! What a run read and wrote, as OpenLineage run events, one JSON object a line
//! (<https://openlineage.io/spec/2-0-2/OpenLineage.json>).

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::plan::Plan;
use crate::report::Report;
use crate::{id, objects, tables};

const PRODUCER: &str = concat!("https://crates.io/crates/garrison/", env!("CARGO_PKG_VERSION"));
const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const FACETS: &str = "https://openlineage.io/spec/facets";

/// What an event tells.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'r> {
    /// The run begins.
    Start,
    /// The run ended well; without a report, nothing was new.
    Complete(Option<&'r Report>),
    /// The run failed, with this message.
    Fail(&'r str),
    /// The run was interrupted.
    Abort,
}

/// Appends an event to a file.
///
/// # Errors
/// The file cannot be written.
pub fn append(path: &Path, plan: &Plan, run_id: &str, kind: Kind) -> Result<()> {
    let line = event(plan, run_id, kind).to_string() + "\n";
    std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .with_context(|| format!("{} cannot be written", path.display()))
}

fn event(plan: &Plan, run_id: &str, kind: Kind) -> Value {
    let (name, report, failure) = match kind {
        Kind::Start => ("START", None, None),
        Kind::Complete(report) => ("COMPLETE", report, None),
        Kind::Fail(message) => ("FAIL", None, Some(message)),
        Kind::Abort => ("ABORT", None, None),
    };
    let mut facets = serde_json::Map::new();
    if let Some(message) = failure {
        let facet = json!({"_producer": PRODUCER, "_schemaURL": format!("{FACETS}/1-0-1/ErrorMessageRunFacet.json"),
            "message": message, "programmingLanguage": "Rust"});
        facets.insert("errorMessage".to_owned(), facet);
    }
    json!({
        "eventType": name,
        "eventTime": jiff::Timestamp::now().to_string(),
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": {"runId": uuid(run_id), "facets": facets},
        "job": {"namespace": "garrison", "name": plan.name},
        "inputs": inputs(plan, report),
        "outputs": report.map_or_else(Vec::new, |report| outputs(plan, report)),
    })
}

/// The files that were read or, before that is known, the paths of the plan.
fn inputs(plan: &Plan, report: Option<&Report>) -> Vec<Value> {
    match report {
        Some(report) => report.inputs.iter().map(|input| dataset(&input.path)).collect(),
        None => plan.input.paths.iter().map(|path| dataset(path)).collect(),
    }
}

fn outputs(plan: &Plan, report: &Report) -> Vec<Value> {
    let folder = plan
        .output_address
        .clone()
        .unwrap_or_else(|| plan.output.display().to_string());
    let described = |table: &str| {
        tables::TABLES
            .iter()
            .map(|describe| describe())
            .find(|(name, _, _)| *name == table)
            .map_or_else(Vec::new, |(_, _, columns)| columns)
    };
    let output = |table: &crate::report::TableReport| {
        let fields: Vec<Value> = described(&table.table)
            .into_iter()
            .map(|column| {
                json!({"name": column.name, "type": column.field.data_type().to_string(), "description": column.description})
            })
            .collect();
        let mut output = dataset(&format!("{folder}/{}", table.file));
        output["facets"] = json!({"schema": {"_producer": PRODUCER,
            "_schemaURL": format!("{FACETS}/1-1-1/SchemaDatasetFacet.json"), "fields": fields}});
        output["outputFacets"] = json!({"outputStatistics": {"_producer": PRODUCER,
            "_schemaURL": format!("{FACETS}/1-0-2/OutputStatisticsOutputDatasetFacet.json"),
            "rowCount": table.rows, "size": table.bytes}});
        output
    };
    report.tables.iter().map(output).collect()
}

/// A file by its absolute path, an object by its bucket and key
/// (<https://openlineage.io/docs/spec/naming>).
fn dataset(path: &str) -> Value {
    if objects::is_address(path)
        && let Some((scheme, rest)) = path.split_once("://")
    {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        return json!({"namespace": format!("{scheme}://{bucket}"), "name": key});
    }
    let absolute =
        std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    json!({"namespace": "file", "name": absolute})
}

/// A run's name as a UUID of version 8, which holds what its maker likes (RFC 9562, section 5.8).
fn uuid(run_id: &str) -> String {
    let hash = id::hash(&[run_id.as_bytes()]);
    let hash = (hash & !(0xf << 76) & !(0b11 << 62)) | (8 << 76) | (0b10 << 62);
    let digits = format!("{hash:032x}");
    let (a, b, c, d, e) = (
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_uuid() {
        let uuid = uuid("20240519T101112Z-7");
        assert_eq!(uuid, super::uuid("20240519T101112Z-7"));
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "8"));
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }

    #[test]
    fn objects_are_named_by_bucket_and_key() {
        let found = dataset("s3://bucket/folder/a.jsonl");
        assert_eq!(
            found,
            json!({"namespace": "s3://bucket", "name": "folder/a.jsonl"})
        );
    }
}
