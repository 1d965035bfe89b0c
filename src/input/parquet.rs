//! Parquet: only the columns with a role are read, row group by row group.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::ChunkReader;

use super::fields::{Column, DateOrder, DateVotes, Found, Layout, Role, vote};
use super::source::{Source, open_file};
use super::{Compression, Cut, Emitter, Format, InputFile, Problem, Raw, RejectReason};

/// See the module.
pub const FORMAT: Format = Format {
    name: "parquet",
    extensions: &["parquet"],
    recognizes,
    read,
    cut: Some(cut),
};

fn recognizes(head: &[u8], _extension: &str) -> bool {
    head.starts_with(b"PAR1")
}

/// Rows of the columns with a role, as text.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<(Column, ArrayRef)>,
    len: usize,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Makes a record out of a row: pure.
    pub(crate) fn parse(&self, layout: &Layout, row: usize, record: i64) -> Result<Raw, Problem> {
        let mut found = Found::new(layout);
        for (column, values) in &self.columns {
            let Some(value) = text_at(values, row) else {
                continue;
            };
            match column.role {
                Some(hit) => found.offer(hit, 0, &column.name, value, false),
                None => found.offer_unknown(&column.name, value),
            }
        }
        found.finish(record, None)
    }
}

fn text_at(values: &ArrayRef, row: usize) -> Option<&str> {
    if values.is_null(row) {
        return None;
    }
    match values.data_type() {
        DataType::Utf8 => Some(values.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(values.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(values.as_string_view().value(row)),
        _ => None,
    }
}

fn read(source: &mut Source, out: &mut Emitter) -> ControlFlow<()> {
    if source.compression == Compression::Plain
        && !source.piece.file.is_stdin()
        && let Ok(file) = open_file(&source.piece.file)
    {
        return read_file(source, file, out);
    }
    match source.read_whole(out.options.max_whole_file_bytes) {
        Ok(whole) => read_file(source, bytes::Bytes::from(whole), out),
        Err(problem) => out.file_fault(problem),
    }
}

fn bad(error: impl std::fmt::Display) -> Problem {
    Problem::new(RejectReason::BadRecord, error.to_string())
}

/// Runs the decoder. Broken files make it panic in places, which must cost that file only.
fn guarded<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(bad("the Parquet decoder gave up")))
}

fn metadata<T: ChunkReader>(reader: &T) -> Result<ArrowReaderMetadata, Problem> {
    guarded(|| {
        // Types that writers noted beside the schema are left aside: text is wanted, as views that share their pages.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let plain = ArrowReaderMetadata::load(reader, options.clone()).map_err(bad)?;
        let fields: Vec<Field> = plain
            .schema()
            .fields()
            .iter()
            .map(|field| viewed(field))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        ArrowReaderMetadata::try_new(plain.metadata().clone(), options.with_schema(schema)).or(Ok(plain))
    })
}

fn viewed(field: &Field) -> Field {
    match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => field.clone().with_data_type(DataType::Utf8View),
        _ => field.clone(),
    }
}

fn read_file<T: ChunkReader + Reopen + 'static>(
    source: &Source,
    reader: T,
    out: &mut Emitter,
) -> ControlFlow<()> {
    let metadata = match metadata(&reader) {
        Ok(metadata) => metadata,
        Err(problem) => return out.file_fault(problem),
    };
    let mut layout = (*source.layout).clone();
    let leaves = wanted_leaves(&metadata, &layout);
    if leaves.is_empty() {
        return out.file_fault(Problem::new(RejectReason::NoText, "no column may hold a text"));
    }
    let mut decided = false;
    let mut record = 0;
    for (index, group) in metadata.metadata().row_groups().iter().enumerate() {
        let mine = source
            .piece
            .range
            .is_none_or(|cut| (cut.start..cut.end).contains(&group_start(group)));
        let rows = group.num_rows().max(0);
        if mine {
            if !decided {
                layout.dates = date_order(&reader, &metadata, &leaves, &layout);
                out.set_layout(Arc::new(layout.clone()));
                decided = true;
            }
            read_group(&reader, &metadata, index, &leaves, record, &layout, out)?;
        }
        record += rows;
    }
    ControlFlow::Continue(())
}

/// A handle that can be had twice: one per row group.
pub(crate) trait Reopen: Sized {
    fn reopen(&self) -> io::Result<Self>;
}

impl Reopen for File {
    fn reopen(&self) -> io::Result<File> {
        self.try_clone()
    }
}

impl Reopen for bytes::Bytes {
    fn reopen(&self) -> io::Result<bytes::Bytes> {
        Ok(self.clone())
    }
}

/// The leaf columns that have a role; if none of them may hold the text, all text columns.
fn wanted_leaves(metadata: &ArrowReaderMetadata, layout: &Layout) -> Vec<usize> {
    let schema = metadata.parquet_schema();
    let role = |leaf: usize| layout.column(&leaf_path(schema.column(leaf).path().parts())).role;
    let all = 0..schema.num_columns();
    let holds_text = all
        .clone()
        .any(|leaf| matches!(role(leaf), Some((Role::Text | Role::Html | Role::Summary, _))));
    all.filter(|leaf| {
        let is_text = schema.column(*leaf).physical_type() == parquet::basic::Type::BYTE_ARRAY;
        role(*leaf).is_some() || !holds_text && is_text
    })
    .collect()
}

/// A leaf's path without the steps that only say that something is a list.
fn leaf_path(parts: &[String]) -> String {
    let steps = parts.iter().enumerate().filter(|(at, part)| {
        *at == 0
            || !matches!(
                part.as_str(),
                "list" | "element" | "item" | "array" | "bag" | "array_element" | "tuple"
            )
    });
    steps.map(|(_, part)| part.as_str()).collect::<Vec<_>>().join(".")
}

fn group_start(group: &RowGroupMetaData) -> u64 {
    if group.num_columns() == 0 {
        0
    } else {
        group.column(0).byte_range().0
    }
}

/// Rows per batch, so that the wanted columns of a batch take about `batch_bytes`.
fn batch_rows(group: &RowGroupMetaData, leaves: &[usize], batch_bytes: usize) -> usize {
    let bytes: i64 = leaves
        .iter()
        .map(|leaf| group.column(*leaf).uncompressed_size().max(0))
        .sum();
    let per_row = (bytes / group.num_rows().max(1)).max(1);
    (batch_bytes as i64 / per_row).clamp(16, 8192) as usize
}

fn reader_of<T: ChunkReader + Reopen + 'static>(
    reader: &T,
    metadata: &ArrowReaderMetadata,
    group: usize,
    leaves: &[usize],
    rows: usize,
) -> Result<parquet::arrow::arrow_reader::ParquetRecordBatchReader, Problem> {
    guarded(|| {
        let mask = ProjectionMask::leaves(metadata.parquet_schema(), leaves.iter().copied());
        ParquetRecordBatchReaderBuilder::new_with_metadata(reader.reopen().map_err(bad)?, metadata.clone())
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(rows)
            .build()
            .map_err(bad)
    })
}

/// The order of day and month, from the first rows of the first row group.
fn date_order<T: ChunkReader + Reopen + 'static>(
    reader: &T,
    metadata: &ArrowReaderMetadata,
    leaves: &[usize],
    layout: &Layout,
) -> DateOrder {
    let layout = Layout {
        sampling: true,
        ..layout.clone()
    };
    let mut votes = DateVotes::default();
    if let Ok(mut batches) = reader_of(reader, metadata, 0, leaves, 2048)
        && let Ok(Some(Ok(batch))) = guarded(|| Ok(batches.next()))
        && let Ok(rows) = rows_of(&batch, &layout)
    {
        for row in 0..rows.len() {
            if let Ok(raw) = rows.parse(&layout, row, 0) {
                vote(&mut votes, &raw);
            }
        }
    }
    votes.order()
}

fn read_group<T: ChunkReader + Reopen + 'static>(
    reader: &T,
    metadata: &ArrowReaderMetadata,
    index: usize,
    leaves: &[usize],
    first_record: i64,
    layout: &Layout,
    out: &mut Emitter,
) -> ControlFlow<()> {
    let group = metadata.metadata().row_group(index);
    let rows = batch_rows(group, leaves, out.options.batch_bytes);
    let mut batches = match reader_of(reader, metadata, index, leaves, rows) {
        Ok(batches) => batches,
        Err(problem) => return out.fault(problem, Some(first_record), None, 0),
    };
    let mut record = first_record;
    loop {
        let rows = guarded(|| match batches.next() {
            None => Ok(None),
            Some(Ok(batch)) => rows_of(&batch, layout).map(Some),
            Some(Err(error)) => Err(bad(error)),
        });
        match rows {
            Ok(None) => return ControlFlow::Continue(()),
            Ok(Some(rows)) => {
                let len = rows.len();
                let bytes = rows
                    .columns
                    .iter()
                    .map(|(_, values)| values.get_array_memory_size() as u64)
                    .sum::<u64>();
                let bytes = bytes.min((len as u64).saturating_mul(1 << 20));
                out.rows(rows, record, bytes)?;
                record += len as i64;
            }
            // What is broken is a page; the rows after it cannot be told.
            Err(problem) => return out.fault(problem, Some(record), None, 0),
        }
    }
}

/// The columns of a batch as text, structures taken apart.
fn rows_of(batch: &RecordBatch, layout: &Layout) -> Result<Rows, Problem> {
    let mut columns = Vec::new();
    for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
        flatten(field.name(), values, layout, &mut columns);
    }
    Ok(Rows {
        columns,
        len: batch.num_rows(),
    })
}

fn flatten(path: &str, values: &ArrayRef, layout: &Layout, columns: &mut Vec<(Column, ArrayRef)>) {
    if let Some(parts) = values.as_struct_opt() {
        for (field, part) in parts.fields().iter().zip(parts.columns()) {
            flatten(&format!("{path}.{}", field.name()), part, layout, columns);
        }
        return;
    }
    let column = layout.column(path);
    let glue = if matches!(column.role, Some((Role::Text, _))) {
        "\n\n"
    } else {
        ", "
    };
    let text = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(values.clone()),
        DataType::List(_) => joined(values, glue),
        DataType::Boolean | DataType::Null => None,
        DataType::Binary | DataType::LargeBinary => Some(lossy(values)),
        DataType::Timestamp(unit, zone) => timestamps(values, *unit, zone.is_some()),
        _ => arrow::compute::cast(values, &DataType::Utf8).ok(),
    };
    if let Some(text) = text {
        columns.push((column, text));
    }
}

/// Times in ISO 8601, with `Z` where the column says that they are in UTC.
fn timestamps(values: &ArrayRef, unit: TimeUnit, utc: bool) -> Option<ArrayRef> {
    let per_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let numbers = arrow::compute::cast(values, &DataType::Int64).ok()?;
    let numbers = numbers.as_primitive_opt::<Int64Type>()?;
    let mut builder = StringBuilder::new();
    for number in numbers {
        let time = number.and_then(|number| {
            let nanoseconds = (number.rem_euclid(per_second) * (1_000_000_000 / per_second)) as i32;
            jiff::Timestamp::new(number.div_euclid(per_second), nanoseconds).ok()
        });
        builder.append_option(time.map(|time| {
            let text = time.to_string();
            if utc {
                text
            } else {
                text.trim_end_matches('Z').to_string()
            }
        }));
    }
    Some(Arc::new(builder.finish()))
}

/// Byte columns of writers that did not mark their text as UTF-8.
fn lossy(values: &ArrayRef) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for row in 0..values.len() {
        let bytes = match values.data_type() {
            _ if values.is_null(row) => None,
            DataType::Binary => Some(values.as_binary::<i32>().value(row)),
            _ => Some(values.as_binary::<i64>().value(row)),
        };
        builder.append_option(bytes.map(String::from_utf8_lossy));
    }
    Arc::new(builder.finish())
}

/// Lists of text, each as one text; a list of structures as the texts of their first text member (`authors.name`).
fn joined(values: &ArrayRef, glue: &str) -> Option<ArrayRef> {
    let lists = values.as_list_opt::<i32>()?;
    let rows: StringArray = (0..lists.len())
        .map(|row| {
            let mut items = lists.is_valid(row).then(|| lists.value(row))?;
            if let Some(parts) = items.as_struct_opt() {
                items = parts.columns().first()?.clone();
            }
            let texts: Vec<&str> = (0..items.len())
                .filter_map(|item| text_at(&items, item))
                .collect();
            Some(texts.join(glue))
        })
        .collect();
    Some(Arc::new(rows))
}

/// Cuts a file at its row groups.
fn cut(file: &InputFile, compression: Compression, target: u64) -> io::Result<Vec<Cut>> {
    if compression != Compression::Plain {
        return Ok(Vec::new());
    }
    let Ok(metadata) = metadata(&open_file(file)?) else {
        return Ok(Vec::new());
    };
    let mut cuts = super::jsonl::Cuts::new(target);
    let mut record = 0;
    for group in metadata.metadata().row_groups() {
        let start = group_start(group);
        if cuts.wanted(start + 1).is_some() && start < file.bytes {
            cuts.push(start, record);
        }
        record += group.num_rows().max(0);
    }
    Ok(cuts.finish(file.bytes))
}
