//! The data dictionary: what `garrison tables` prints.

use std::fmt::Write;

use anyhow::{Result, bail};
use arrow::datatypes::{DataType, TimeUnit};

use super::*;

type Describe = fn() -> (&'static str, &'static str, Vec<Column>);

fn describe<R: Row>() -> (&'static str, &'static str, Vec<Column>) {
    (R::TABLE, R::ABOUT, R::columns())
}

/// Every table, in the order a reader meets them.
pub const TABLES: &[Describe] = &[
    describe::<Document>,
    describe::<Duplicate>,
    describe::<Reject>,
    describe::<Mention>,
    describe::<Event>,
    describe::<Incident>,
    describe::<Sentiment>,
    describe::<Survey>,
    describe::<Change>,
    describe::<StanceMonthly>,
];

/// The names of all tables.
pub fn names() -> Vec<&'static str> {
    TABLES.iter().map(|describe| describe().0).collect()
}

/// The names of a published table's columns, none for a table there is not.
pub fn columns_of(table: &str) -> Vec<&'static str> {
    let described = TABLES.iter().map(|describe| describe());
    let columns = described.filter(|(name, _, _)| *name == table);
    columns
        .flat_map(|(_, _, columns)| columns)
        .map(|column| column.name)
        .collect()
}

/// The data dictionary as Markdown: all tables, or the one named.
///
/// # Errors
/// No table has that name; the message lists those there are.
pub fn print(name: Option<&str>) -> Result<String> {
    if let Some(name) = name
        && !names().contains(&name)
    {
        bail!(
            "there is no table `{name}`; the tables are {}",
            names().join(", ")
        );
    }
    let mut page = String::new();
    for (table, about, columns) in TABLES.iter().map(|describe| describe()) {
        if name.is_none_or(|name| name == table) {
            write_table(&mut page, table, about, &columns);
        }
    }
    Ok(page.trim_end().to_owned() + "\n")
}

fn write_table(page: &mut String, table: &str, about: &str, columns: &[Column]) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "## {table}\n\n{}\n\n| column | type | meaning |\n|---|---|---|",
        about.trim()
    );
    for column in columns {
        let question = if column.field.is_nullable() { "?" } else { "" };
        let values = match column.values {
            [] => String::new(),
            words => format!(" One of: {}.", words.join(", ")),
        };
        let _ = writeln!(
            page,
            "| {} | {}{question} | {}{values} |",
            column.name,
            type_word(column.field.data_type()),
            column.description
        );
    }
    page.push('\n');
}

fn type_word(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 => "text",
        DataType::Dictionary(_, _) => "word",
        DataType::Boolean => "bool",
        DataType::Int32 => "int32",
        DataType::Int64 => "int64",
        DataType::Float32 => "float32",
        DataType::Float64 => "float64",
        DataType::Date32 => "date",
        DataType::Timestamp(TimeUnit::Microsecond, _) => "timestamp",
        DataType::Binary => "bytes",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_is_printed_and_an_unknown_one_is_named() {
        let page = super::print(None).unwrap();
        for name in super::names() {
            assert!(page.contains(&format!("## {name}\n")));
            assert!(
                super::print(Some(name))
                    .unwrap()
                    .starts_with(&format!("## {name}\n"))
            );
        }
        assert!(
            super::print(Some("evnts"))
                .unwrap_err()
                .to_string()
                .contains("events, incidents")
        );
    }
}
