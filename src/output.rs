//! Rows to Parquet, and tables that appear whole or not at all.
//!
//! An output folder holds one link per table (`events.parquet` ...) and `run.json`. They lead through
//! `.garrison/current` to the newest finished run under `.garrison/runs`, so that one rename of that one link
//! replaces every table at once. What a run makes stands under `.garrison/work` until then; what it keeps for the
//! next one, under `.garrison/kept`.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use arrow::array::AsArray;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use crate::kill;
use crate::tables::{self, Row};

/// Rows of a group in the tables of findings; filters skip whole groups.
const GROUP_ROWS: usize = 128 * 1024;
/// Rows held at a time while a table is filtered.
const FILTER_ROWS: usize = 1024;
/// Level 3 makes files a tenth smaller than level 1 for twice the time; text is most of a run's output.
const ZSTD_LEVEL: i32 = 1;

/// The output folder of a run, held by one run at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    run_id: String,
    keep_runs: usize,
    _lock: File,
}

/// Another run holds the output folder.
#[derive(Debug)]
pub struct Locked {
    folder: PathBuf,
    holder: String,
}

impl std::fmt::Display for Locked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "another run is writing to {}: {}; wait for it, or choose another --output",
            self.folder.display(),
            self.holder
        )
    }
}

impl std::error::Error for Locked {}

impl Store {
    /// Takes hold of an output folder, made if it is not there, and clears what an earlier run left unfinished.
    ///
    /// # Errors
    /// [`Locked`] if another run holds it, with the holder's name; otherwise what the file system says.
    pub fn open(folder: &Path, run_id: &str) -> Result<Self> {
        let inner = folder.join(".garrison");
        fs::create_dir_all(inner.join("runs"))
            .with_context(|| format!("the output folder {} cannot be made", folder.display()))?;
        let lock_path = inner.join("lock");
        let mut lock = File::options()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The holder's name is a help, not a condition.
                let _ = lock.read_to_string(&mut holder);
                bail!(Locked {
                    folder: folder.to_owned(),
                    holder: holder.trim().to_owned()
                });
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock_path.display()));
            }
        }
        lock.set_len(0)?;
        writeln!(lock, "run {run_id}, process {}", std::process::id())?;
        let store = Self {
            folder: folder.to_owned(),
            run_id: run_id.to_owned(),
            keep_runs: 1,
            _lock: lock,
        };
        store.clear_unfinished()?;
        fs::create_dir_all(store.tables())?;
        Ok(store)
    }

    /// The same store, which holds on to this many finished runs.
    pub fn keeping(self, keep_runs: usize) -> Self {
        Self { keep_runs, ..self }
    }

    /// The run that writes.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The output folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where results that are neither tables nor kept stand.
    pub fn work(&self) -> PathBuf {
        self.folder.join(".garrison/work")
    }

    /// Where what the next run may use again stands.
    pub fn kept(&self) -> PathBuf {
        kept_folder(&self.folder)
    }

    /// Where this run's tables are made.
    pub fn tables(&self) -> PathBuf {
        self.work().join("tables")
    }

    /// Where a table of this run is made.
    pub fn table(&self, name: &str) -> PathBuf {
        self.tables().join(format!("{name}.parquet"))
    }

    /// The folder of the run whose tables stand now, if there is one.
    pub fn current(&self) -> Option<PathBuf> {
        current_run(&self.folder)
    }

    /// Lets this run's tables appear in place of the last one's, all at once; the last `keep_runs` runs stay.
    ///
    /// # Errors
    /// What the file system says; the last run's tables then still stand.
    pub fn publish(&self) -> Result<()> {
        for file in fs::read_dir(self.tables())? {
            File::open(file?.path())?.sync_all()?;
        }
        File::open(self.tables())?.sync_all()?;
        kill::point("publish: tables whole");
        let run = self.run_folder(&self.run_id);
        fs::rename(self.tables(), &run).with_context(|| format!("{} cannot be made", run.display()))?;
        kill::point("publish: run in place");
        self.link_tables(&run)?;
        kill::point("publish: tables linked");
        let current = self.folder.join(".garrison/current");
        replace_link(&Path::new("runs").join(&self.run_id), &current)?;
        kill::point("publish: run current");
        self.finish_publishing(&run)?;
        self.remove_old_runs()?;
        kill::point("publish: old runs gone");
        Ok(())
    }

    /// What follows once a run is the current one; done again if the run before was killed there.
    fn finish_publishing(&self, run: &Path) -> Result<()> {
        self.link_tables(run)?;
        for name in published_files().filter(|name| !run.join(name).exists()) {
            let link = self.folder.join(&name);
            if link.is_symlink() {
                fs::remove_file(&link)?;
            }
        }
        write_file(&run.join(PUBLISHED), b"")
    }

    fn link_tables(&self, run: &Path) -> Result<()> {
        for name in published_files().filter(|name| run.join(name).exists()) {
            let target = Path::new(".garrison/current").join(&name);
            let link = self.folder.join(&name);
            if fs::read_link(&link).ok().as_ref() != Some(&target) {
                replace_link(&target, &link)?;
            }
        }
        Ok(())
    }

    fn run_folder(&self, run_id: &str) -> PathBuf {
        self.folder.join(".garrison/runs").join(run_id)
    }

    fn remove_old_runs(&self) -> Result<()> {
        let runs = run_folders(&self.folder)?;
        let old = runs.len().saturating_sub(self.keep_runs.max(1));
        runs[..old].iter().try_for_each(|run| remove_folder(run))
    }

    /// Finishes or clears what a killed run has left.
    fn clear_unfinished(&self) -> Result<()> {
        if let Some(current) = self.current() {
            self.finish_publishing(&current)?;
        }
        for run in run_folders(&self.folder)? {
            if !run.join(PUBLISHED).exists() {
                remove_folder(&run)?;
            }
        }
        remove_folder(&self.work())
    }

    /// Removes what a run has made that is neither published nor kept.
    pub fn clear_work(&self) {
        // A run that failed because the disk is full or gone may fail here too; the next run clears the rest.
        let _ = remove_folder(&self.work());
    }
}

/// Marks the folder of a run whose tables have been the current ones.
const PUBLISHED: &str = "published";

/// The names of everything that readers find in an output folder.
fn published_files() -> impl Iterator<Item = String> {
    let tables = tables::names().into_iter().map(|name| format!("{name}.parquet"));
    tables.chain(["run.json".to_owned()])
}

/// Where an output folder keeps what the next run may use again.
pub fn kept_folder(folder: &Path) -> PathBuf {
    folder.join(".garrison/kept")
}

/// The folder of the run whose tables stand now in an output folder, if there is one.
pub fn current_run(folder: &Path) -> Option<PathBuf> {
    let run = fs::read_link(folder.join(".garrison/current")).ok()?;
    let run = folder.join(".garrison").join(run);
    // A run that someone has removed by hand stands no more.
    run.join("run.json").exists().then_some(run)
}

/// The folders of the runs that an output folder holds, the oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn run_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let runs = folder.join(".garrison/runs");
    let entries = fs::read_dir(&runs).with_context(|| format!("{} holds no runs", folder.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}

/// Removes a folder and all in it, if it is there.
///
/// # Errors
/// What the file system says.
pub fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    Ok(())
}

/// Makes a link lead elsewhere in one step: a new link is renamed over the old one.
fn replace_link(target: &Path, link: &Path) -> Result<()> {
    let aside = link.with_extension("new");
    if aside.is_symlink() {
        fs::remove_file(&aside)?;
    }
    std::os::unix::fs::symlink(target, &aside)
        .and_then(|()| fs::rename(&aside, link))
        .with_context(|| format!("{} cannot be linked", link.display()))
}

/// Writes a file whole: aside first, then renamed.
///
/// # Errors
/// What the file system says.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let aside = path.with_extension("part");
    fs::write(&aside, bytes)
        .and_then(|()| fs::rename(&aside, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// How the columns of a table are stored: zstd, statistics and page index on, bloom filters on ids,
/// dictionaries everywhere but where values hardly repeat.
fn properties(schema: &SchemaRef, key_values: Vec<KeyValue>) -> Result<WriterProperties> {
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("garrison {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_key_value_metadata(Some(key_values));
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        let is_id = field.name().ends_with("_id") && *field.data_type() == arrow::datatypes::DataType::Utf8;
        if is_id && !["run_id", "finding_group_id"].contains(&field.name().as_str()) {
            builder = builder.set_column_bloom_filter_enabled(column.clone(), true);
        }
        if ["text", "evidence", "content_hash", "hashes"].contains(&field.name().as_str()) {
            builder = builder.set_column_dictionary_enabled(column.clone(), false);
            builder = builder.set_column_statistics_enabled(column, EnabledStatistics::None);
        }
    }
    Ok(builder.build())
}

/// The table's description as one plain JSON key of the file: some readers drop field metadata.
fn description<R: Row>() -> KeyValue {
    let columns: serde_json::Map<String, serde_json::Value> = R::columns()
        .into_iter()
        .map(|column| (column.name.to_owned(), column.description.into()))
        .collect();
    let about = serde_json::json!({ "table": R::TABLE, "about": R::ABOUT.trim(), "columns": columns });
    KeyValue::new("garrison".to_owned(), about.to_string())
}

/// Writes one table, group by group; the file appears when it is finished.
pub struct TableWriter<R: Row> {
    path: PathBuf,
    writer: ArrowWriter<File>,
    rows: u64,
    table: std::marker::PhantomData<R>,
}

impl<R: Row> TableWriter<R> {
    /// Begins a table beside its place.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path.with_extension("part"))
            .with_context(|| format!("{} cannot be made", path.display()))?;
        let schema = tables::schema::<R>();
        let options =
            ArrowWriterOptions::new().with_properties(properties(&schema, vec![description::<R>()])?);
        let writer = ArrowWriter::try_new_with_options(file, schema, options)?;
        Ok(Self {
            path: path.to_owned(),
            writer,
            rows: 0,
            table: std::marker::PhantomData,
        })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn write(&mut self, rows: &[R]) -> Result<()> {
        if !rows.is_empty() {
            self.rows += rows.len() as u64;
            let batch = R::batch(rows)?;
            self.writer
                .write(&batch)
                .with_context(|| format!("{} cannot be written", self.path.display()))?;
        }
        Ok(())
    }

    /// Closes the group of rows written so far.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn end_group(&mut self) -> Result<()> {
        self.writer
            .flush()
            .with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// Closes the file, lets it appear, and gives its number of rows.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub fn finish(self) -> Result<u64> {
        self.writer
            .close()
            .map_err(anyhow::Error::from)
            .and_then(|_| Ok(fs::rename(self.path.with_extension("part"), &self.path)?))
            .with_context(|| format!("{} cannot be finished", self.path.display()))?;
        Ok(self.rows)
    }
}

/// Writes a whole table at once.
///
/// # Errors
/// The disk is full or gone.
pub fn write_table<R: Row>(path: &Path, rows: &[R]) -> Result<u64> {
    let mut writer = TableWriter::<R>::create(path)?;
    for group in rows.chunks(GROUP_ROWS) {
        writer.write(group)?;
    }
    writer.finish()
}

/// Reads a table, or the columns of it that the row type has, batch by batch, of at most `batch_rows` rows each.
///
/// # Errors
/// The file cannot be opened or is not the table.
pub fn read_table<R: Row>(
    path: &Path,
    batch_rows: usize,
) -> Result<impl Iterator<Item = Result<Vec<R>>> + use<R>> {
    let names: Vec<&str> = R::columns().iter().map(|column| column.name).collect();
    let reader = open_table(path, batch_rows, &names)?;
    Ok(reader.map(|batch| R::rows(&batch?)))
}

/// Rows of a table; none if it is not there.
///
/// # Errors
/// The file is no Parquet.
pub fn rows_in(path: &Path) -> Result<u64> {
    if !path.exists() {
        return Ok(0);
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    Ok(reader.metadata().file_metadata().num_rows() as u64)
}

/// Reads a table whole.
///
/// # Errors
/// The file cannot be opened or is not the table.
pub fn read_whole_table<R: Row>(path: &Path) -> Result<Vec<R>> {
    let mut rows = Vec::new();
    for batch in read_table(path, GROUP_ROWS)? {
        rows.append(&mut batch?);
    }
    Ok(rows)
}

/// The rows of a table whose text column has one of some values; only the pages that hold them are decoded.
///
/// # Errors
/// The file cannot be opened or is not the table, or the column is no text column of it.
pub fn find_rows<R: Row>(path: &Path, column: &str, values: &[&str]) -> Result<Vec<R>> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    let is_wanted = ArrowPredicateFn::new(mask, move |batch| {
        let texts = batch.column(0).as_string_opt::<i32>();
        let texts =
            texts.ok_or_else(|| ArrowError::SchemaError("the column is no text column".to_owned()))?;
        let is_wanted =
            |text: Option<&str>| text.is_some_and(|text| values.iter().any(|value| value == text));
        Ok(texts.iter().map(|text| Some(is_wanted(text))).collect())
    });
    let reader = builder
        .with_row_filter(RowFilter::new(vec![Box::new(is_wanted)]))
        .build()?;
    let mut rows = Vec::new();
    for batch in reader {
        rows.append(&mut R::rows(&batch?)?);
    }
    Ok(rows)
}

/// Reads the named columns of a table batch by batch.
///
/// # Errors
/// The file cannot be opened or is no Parquet.
pub fn open_table(path: &Path, batch_rows: usize, columns: &[&str]) -> Result<ParquetRecordBatchReader> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).with_context(|| path.display().to_string())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    Ok(builder
        .with_projection(mask)
        .with_batch_size(batch_rows)
        .build()?)
}

/// Writes ids, 16 bytes each.
///
/// # Errors
/// What the file system says.
pub fn write_ids(path: &Path, ids: &[u128]) -> Result<()> {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    write_file(path, &bytes)
}

/// Reads what [`write_ids`] wrote.
///
/// # Errors
/// The file cannot be read.
pub fn read_ids(path: &Path) -> Result<Vec<u128>> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (ids, _) = bytes.as_chunks();
    Ok(ids.iter().map(|id| u128::from_le_bytes(*id)).collect())
}

/// Joins files of one table into one without decoding them: row groups are copied with their statistics,
/// page indexes and bloom filters. Only `run_id` is written anew. Gives the number of rows.
///
/// # Errors
/// A file cannot be read, or the disk is full.
pub fn join_tables<R: Row>(parts: &[PathBuf], path: &Path, run_id: &str) -> Result<u64> {
    let Some(first) = parts.first() else {
        return write_table::<R>(path, &[]);
    };
    let aside = path.with_extension("part");
    let (properties, root) = template(first, tables::schema::<R>())?;
    let mut writer = SerializedFileWriter::new(File::create(&aside)?, root, Arc::new(properties))?;
    let mut rows = 0;
    for part in parts {
        rows += copy_groups(part, &mut writer, run_id)
            .with_context(|| format!("{} cannot be joined", part.display()))?;
    }
    writer.close()?;
    fs::rename(&aside, path)?;
    Ok(rows)
}

/// Writes the rows of a table that `keep` says yes to into another file, and gives their number.
///
/// # Errors
/// The file cannot be read, or the disk is full.
pub fn filter_table<R: Row>(from: &Path, to: &Path, mut keep: impl FnMut(&R) -> bool) -> Result<u64> {
    let mut writer = TableWriter::<R>::create(to)?;
    for rows in read_table::<R>(from, FILTER_ROWS)? {
        let mut rows = rows?;
        rows.retain(&mut keep);
        writer.write(&rows)?;
    }
    writer.finish()
}

/// The properties and the schema that files of a table share, read off one of them.
fn template(part: &Path, schema: SchemaRef) -> Result<(WriterProperties, parquet::schema::types::TypePtr)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(part)?)?;
    let file = reader.metadata().file_metadata();
    let key_values = file.key_value_metadata().cloned().unwrap_or_default();
    Ok((
        properties(&schema, key_values)?,
        file.schema_descr().root_schema_ptr(),
    ))
}

fn copy_groups(part: &Path, writer: &mut SerializedFileWriter<File>, run_id: &str) -> Result<u64> {
    let file = File::open(part)?;
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.try_clone()?, options)?;
    let metadata: Arc<ParquetMetaData> = reader.metadata().clone();
    let pages = metadata.page_index();
    let mut rows = 0;
    for (group, group_metadata) in metadata.row_groups().iter().enumerate() {
        let mut target = writer.next_row_group()?;
        for (column, column_metadata) in group_metadata.columns().iter().enumerate() {
            if column_metadata.column_path().string() == "run_id" {
                write_constant(&mut target, run_id, group_metadata.num_rows() as usize)?;
                continue;
            }
            let close = ColumnCloseResult {
                bytes_written: column_metadata.compressed_size() as u64,
                rows_written: group_metadata.num_rows() as u64,
                metadata: column_metadata.clone(),
                bloom_filter: reader.get_row_group_column_bloom_filter(group, column)?,
                column_index: pages.and_then(|pages| pages.column_index(group, column)).cloned(),
                offset_index: pages.and_then(|pages| pages.offset_index(group, column)).cloned(),
            };
            target.append_column(&file, close)?;
        }
        target.close()?;
        rows += group_metadata.num_rows() as u64;
    }
    Ok(rows)
}

/// Writes a column of text that has the same value in every row.
fn write_constant(group: &mut SerializedRowGroupWriter<File>, value: &str, rows: usize) -> Result<()> {
    let mut column = group.next_column()?.context("the group has no more columns")?;
    let values = vec![ByteArray::from(value); rows];
    column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
    column.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::{Document, StampPrecision};

    /// Read across row groups, a dictionary held a word that no row uses, and reading failed.
    #[test]
    fn words_that_are_null_throughout_one_group_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let row = |published_precision| Document {
            published_precision,
            ..Document::default()
        };
        let rows = [row(None), row(Some(StampPrecision::Day)), row(None)];
        let mut parts = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            parts.push(folder.path().join(format!("{number}.parquet")));
            write_table(&parts[number], std::slice::from_ref(row)).unwrap();
        }
        let joined = folder.path().join("joined.parquet");
        assert_eq!(join_tables::<Document>(&parts, &joined, "today").unwrap(), 3);
        let found: Vec<Document> = read_whole_table(&joined).unwrap();
        assert!(found.iter().all(|row| row.run_id == "today"));
        let precisions: Vec<_> = found.iter().map(|row| row.published_precision).collect();
        assert_eq!(precisions, rows.map(|row| row.published_precision));
    }

    #[test]
    fn ids_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids");
        write_ids(&path, &[0, 7, u128::MAX]).unwrap();
        assert_eq!(read_ids(&path).unwrap(), [0, 7, u128::MAX]);
    }
}
