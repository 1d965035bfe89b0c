//! Rows to Parquet, and tables that appear whole or not at all.
//!
//! An output folder holds one link per table (`events.parquet` ...) and `run.json`. They lead through
//! `.garrison/current` to the newest finished run under `.garrison/runs`, so that one rename of that one link
//! replaces every table at once. What a run has made so far stands under `.garrison/work`.

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
use parquet::file::metadata::{KeyValue, PageIndexPolicy, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::tables::{self, Row};

/// Rows of a group in the tables of findings; filters skip whole groups.
const GROUP_ROWS: usize = 128 * 1024;
/// Level 3 makes files a tenth smaller than level 1 for twice the time; text is most of a run's output.
const ZSTD_LEVEL: i32 = 1;

/// The output folder of a run, held by one run at a time.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    run_id: String,
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
            _lock: lock,
        };
        remove_folder(&store.work())?;
        fs::create_dir_all(store.work())?;
        fs::create_dir_all(store.tables())?;
        Ok(store)
    }

    /// The run that writes.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Where results that are not yet tables stand.
    pub fn work(&self) -> PathBuf {
        self.folder.join(".garrison/work")
    }

    /// Where this run's tables are made.
    pub fn tables(&self) -> PathBuf {
        self.folder.join(".garrison/runs").join(&self.run_id)
    }

    /// Where a table of this run is made.
    pub fn table(&self, name: &str) -> PathBuf {
        self.tables().join(format!("{name}.parquet"))
    }

    /// Lets this run's tables appear in place of the last one's, all at once, and removes the last one's.
    ///
    /// # Errors
    /// What the file system says; the last run's tables then still stand.
    pub fn publish(&self) -> Result<()> {
        let inner = self.folder.join(".garrison");
        replace_link(&Path::new("runs").join(&self.run_id), &inner.join("current"))?;
        for name in tables::names()
            .iter()
            .map(|name| format!("{name}.parquet"))
            .chain(["run.json".into()])
        {
            let link = self.folder.join(&name);
            if self.tables().join(&name).exists() {
                replace_link(&Path::new(".garrison/current").join(&name), &link)?;
            } else if link.is_symlink() {
                fs::remove_file(&link)?;
            }
        }
        for run in fs::read_dir(inner.join("runs"))? {
            let run = run?.path();
            if run != self.tables() {
                remove_folder(&run)?;
            }
        }
        remove_folder(&self.work())
    }

    /// Removes what an unfinished run has made; the last run's tables still stand.
    pub fn abandon(&self) {
        // A run that failed because the disk is full or gone may fail here too; the next run clears the rest.
        let _ = remove_folder(&self.work());
        let _ = remove_folder(&self.tables());
    }
}

fn remove_folder(folder: &Path) -> Result<()> {
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

/// Reads a table batch by batch, of at most `batch_rows` rows each.
///
/// # Errors
/// The file cannot be opened or is not the table.
pub fn read_table<R: Row>(
    path: &Path,
    batch_rows: usize,
) -> Result<impl Iterator<Item = Result<Vec<R>>> + use<R>> {
    let reader = open_table(path, batch_rows)?;
    Ok(reader.map(|batch| R::rows(&batch?)))
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

fn open_table(path: &Path, batch_rows: usize) -> Result<ParquetRecordBatchReader> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    Ok(ParquetRecordBatchReaderBuilder::try_new(file)?
        .with_batch_size(batch_rows)
        .build()?)
}

/// Joins files of one table into one without decoding them: row groups are copied with their statistics,
/// page indexes and bloom filters. Gives the number of rows.
///
/// # Errors
/// A file cannot be read, or the disk is full.
pub fn join_tables<R: Row>(parts: &[PathBuf], path: &Path) -> Result<u64> {
    let empty = parts.is_empty();
    if empty {
        return write_table::<R>(path, &[]);
    }
    let aside = path.with_extension("part");
    let (properties, root) = template(&parts[0], tables::schema::<R>())?;
    let mut writer = SerializedFileWriter::new(File::create(&aside)?, root, Arc::new(properties))?;
    let mut rows = 0;
    for part in parts {
        rows +=
            copy_groups(part, &mut writer).with_context(|| format!("{} cannot be joined", part.display()))?;
    }
    writer.close()?;
    fs::rename(&aside, path)?;
    Ok(rows)
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

fn copy_groups(part: &Path, writer: &mut SerializedFileWriter<File>) -> Result<u64> {
    let file = File::open(part)?;
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.try_clone()?, options)?;
    let metadata: Arc<ParquetMetaData> = reader.metadata().clone();
    let pages = metadata.page_index();
    let mut rows = 0;
    for (group, group_metadata) in metadata.row_groups().iter().enumerate() {
        let mut target = writer.next_row_group()?;
        for (column, column_metadata) in group_metadata.columns().iter().enumerate() {
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
