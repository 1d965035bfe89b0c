//! `garrison explain ID`: why a row stands in a table as it does, from the tables themselves.
//!
//! The first letter of an id names its kind: a document is explained by its cluster, a finding by the sentence it was
//! read in, who and what was read there, and the rule of the knowledge that made it.

mod document;
mod finding;

use std::path::Path;

use anyhow::{Result, bail};

use crate::knowledge::Source;
use crate::output;
use crate::tables::Row;

/// Explains the row with an id, from the tables in an output folder; `source` holds the rules that findings name.
///
/// # Errors
/// The id is of no kind that can be explained, or is not in the tables, or the tables cannot be read.
pub fn explain(id: &str, folder: &Path, source: Source) -> Result<String> {
    match id.split_once('_') {
        Some(("d", _)) => document::page(id, folder),
        Some(("e", _)) => finding::event(id, folder, source),
        Some(("i", _)) => finding::incident(id, folder),
        Some(("s", _)) => finding::stance(id, folder, source),
        Some(("v", _)) => finding::survey(id, folder),
        _ => bail!(
            "`{id}` is no id of a row that can be explained: these begin with d_ (documents), e_ (events), \
             i_ (incidents), s_ (sentiment) or v_ (surveys)"
        ),
    }
}

fn find<R: Row>(folder: &Path, column: &str, values: &[&str]) -> Result<Vec<R>> {
    output::find_rows(&folder.join(format!("{}.parquet", R::TABLE)), column, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ids_are_refused_by_name() {
        let error = explain("x_1", Path::new("/nowhere"), Source::BuiltIn)
            .unwrap_err()
            .to_string();
        assert!(error.contains("x_1"), "{error}");
    }
}
