//! Objects in place of files: inputs and outputs in S3, Google Cloud Storage and Azure. The only module that waits on
//! a network, and the only one that knows tokio.
//!
//! Objects are fetched to files for the unit that reads them and removed with it. Credentials come from the environment
//! (`AWS_*`, `GOOGLE_*`, `AZURE_*`). Requests that fail or break off are repeated with growing pauses; what cannot be
//! fetched whole ends the run, so that no record is lost.

use std::collections::HashMap;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart};
use url::Url;

use crate::input::{InputFile, Unit};
use crate::{id, kill, output};

/// What an address of objects begins with.
const SCHEMES: [&str; 6] = ["s3://", "s3a://", "gs://", "az://", "abfs://", "abfss://"];
/// Times an object is asked for again after what the client itself repeats, and the first pause between.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Parts of an upload; the smallest that S3 takes is 5 MB.
const UPLOAD_BYTES: usize = 8 << 20;
const UPLOADS_AT_ONCE: usize = 4;

/// Whether a path of the plan is the address of objects.
pub fn is_address(path: &str) -> bool {
    SCHEMES.iter().any(|scheme| path.starts_with(scheme))
}

/// One object.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its address.
    pub address: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// What names its content: its entity tag or, where the store has none, when it was last changed.
    pub content: String,
}

/// The objects at an address: the object itself, or all below it, or those whose names match a pattern, sorted.
///
/// # Errors
/// The store does not answer or refuses, or there is no such object.
pub fn list(address: &str) -> Result<Vec<Object>> {
    let (fixed, pattern) = match address.find(['*', '?', '[', '{']) {
        Some(at) => (
            &address[..address[..at].rfind('/').map_or(at, |slash| slash + 1)],
            Some(address),
        ),
        None => (address, None),
    };
    let matches = pattern
        .map(|pattern| globset::GlobBuilder::new(pattern).literal_separator(true).build())
        .transpose()?
        .map(|glob| glob.compile_matcher());
    let (store, prefix) = open(fixed)?;
    let root = root_of(fixed)?;
    let found: Vec<_> = ask(async || {
        let listed = store.list(Some(&prefix)).try_collect::<Vec<_>>().await?;
        // A prefix is a folder; the object of that very name is not below it.
        match listed.is_empty() && pattern.is_none() {
            true => Ok(vec![store.head(&prefix).await?]),
            false => Ok(listed),
        }
    })
    .with_context(|| format!("{address} cannot be listed"))?;
    let mut objects: Vec<Object> = found
        .into_iter()
        .map(|found| Object {
            address: format!("{root}/{}", found.location),
            bytes: found.size,
            content: match found.e_tag {
                Some(tag) => format!("etag {tag}"),
                None => format!("{} {}", found.last_modified, found.size),
            },
        })
        .filter(|object| object.bytes > 0 && !object.address.ends_with('/'))
        .filter(|object| matches.as_ref().is_none_or(|glob| glob.is_match(&object.address)))
        .collect();
    ensure!(!objects.is_empty(), "the input {address:?} matches no object");
    objects.sort_by(|one, other| one.address.cmp(&other.address));
    Ok(objects)
}

/// The file that an object is fetched to, under `work`; it keeps the object's name, whose ending tells the format.
pub fn file_of(object: &Object, work: &Path) -> InputFile {
    let folder = id::of("o", &[object.address.as_bytes(), object.content.as_bytes()]);
    let name = object.address.rsplit('/').next().unwrap_or("object");
    InputFile {
        path: work.join("objects").join(folder).join(name),
        shown: object.address.as_str().into(),
        bytes: object.bytes,
    }
}

/// The objects of a unit as files, removed when dropped.
pub struct Staged(Vec<PathBuf>);

impl Drop for Staged {
    fn drop(&mut self) {
        for file in &self.0 {
            // The work folder goes with the run; what will not go now goes then.
            let _ = file.parent().map(std::fs::remove_dir_all);
        }
    }
}

/// Fetches the objects of a unit; one of files has none.
///
/// # Errors
/// An object cannot be fetched whole, or the disk is full.
pub fn stage(unit: &Unit) -> Result<Staged> {
    let mut staged = Staged(Vec::new());
    for piece in unit.pieces.iter().filter(|piece| is_address(&piece.file.shown)) {
        staged.0.push(piece.file.path.clone());
        fetch(&piece.file).with_context(|| format!("{} cannot be fetched", piece.file.shown))?;
        kill::point("read: object fetched");
    }
    Ok(staged)
}

fn fetch(file: &InputFile) -> Result<()> {
    let folder = file.path.parent().context("a file lies in a folder")?;
    std::fs::create_dir_all(folder)?;
    let mut target = std::fs::File::create(&file.path)?;
    let (store, path) = open(&file.shown)?;
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let have = target.stream_position()?;
        let done = wait(fetch_rest(&*store, &path, &mut target, have))?;
        let have = target.stream_position()?;
        match done {
            Ok(()) if have == file.bytes => return Ok(()),
            Ok(()) => bail!(
                "{have} bytes came where the list says {}: the object has changed",
                file.bytes
            ),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(error) => {
                tracing::warn!(object = &*file.shown, attempt, have, "fetching again: {error:#}");
                std::thread::sleep(pause);
                pause *= 2;
            }
        }
    }
    Ok(())
}

/// Appends what is missing of an object to a file.
async fn fetch_rest(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    target: &mut std::fs::File,
    have: u64,
) -> Result<()> {
    let options = GetOptions {
        range: (have > 0).then_some(GetRange::Offset(have)),
        ..GetOptions::default()
    };
    let mut body = store.get_opts(path, options).await?.into_stream();
    while let Some(bytes) = body.next().await {
        target.write_all(&bytes?)?;
    }
    Ok(())
}

/// Makes the tables at an address those of a finished run: its files under `runs/`, then `current.json`, which names
/// them and is replaced in one step. Does nothing where they stand already. Only the last `keep_runs` runs stay.
///
/// # Errors
/// The store does not answer or refuses; what stood there stands still, and the next run tries again.
pub fn publish(run: &Path, address: &str, keep_runs: usize) -> Result<()> {
    let run_id = run.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (store, root) = open(address)?;
    let current = root.clone().join("current.json");
    let standing = ask(async || match store.get(&current).await {
        Ok(found) => Ok(Some(found.bytes().await?)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    })
    .with_context(|| format!("{address} cannot be read"))?;
    let standing = standing.and_then(|json| serde_json::from_slice::<serde_json::Value>(&json).ok());
    if standing.is_some_and(|standing| standing["run_id"] == run_id.as_str()) {
        return Ok(());
    }
    let mut files = serde_json::Map::new();
    for entry in std::fs::read_dir(run)? {
        let file = entry?.path();
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let target = root
            .clone()
            .join("runs")
            .join(run_id.as_str())
            .join(name.as_str());
        ask(async || upload(&*store, &file, &target).await)
            .with_context(|| format!("{name} cannot be written to {address}"))?;
        files.insert(name.clone(), format!("{}/{target}", root_of(address)?).into());
        kill::point("publish: object written");
    }
    let pointer = serde_json::json!({"format": 1, "run_id": run_id, "files": files});
    let pointer = serde_json::to_vec_pretty(&pointer)?;
    ask(async || store.put(&current, pointer.clone().into()).await)?;
    kill::point("publish: objects current");
    remove_old(&*store, &root.join("runs"), keep_runs)
}

async fn upload(store: &dyn ObjectStore, file: &Path, target: &ObjectPath) -> object_store::Result<()> {
    let mut source = std::fs::File::open(file).map_err(of_file)?;
    let mut buffer = vec![0; UPLOAD_BYTES];
    let first = read_full(&mut source, &mut buffer).map_err(of_file)?;
    if first < UPLOAD_BYTES {
        store.put(target, buffer[..first].to_vec().into()).await?;
        return Ok(());
    }
    let mut writer = WriteMultipart::new_with_chunk_size(store.put_multipart(target).await?, UPLOAD_BYTES);
    let mut length = first;
    while length > 0 {
        writer.wait_for_capacity(UPLOADS_AT_ONCE).await?;
        writer.write(&buffer[..length]);
        length = read_full(&mut source, &mut buffer).map_err(of_file)?;
    }
    writer.finish().await?;
    Ok(())
}

fn of_file(error: std::io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "file",
        source: Box::new(error),
    }
}

/// Fills the buffer as far as the file goes.
fn read_full(source: &mut std::fs::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match std::io::Read::read(source, &mut buffer[have..])? {
            0 => break,
            length => have += length,
        }
    }
    Ok(have)
}

fn remove_old(store: &dyn ObjectStore, runs: &ObjectPath, keep_runs: usize) -> Result<()> {
    ask(async || {
        let mut found = store.list_with_delimiter(Some(runs)).await?.common_prefixes;
        found.sort();
        let old = found.len().saturating_sub(keep_runs.max(1));
        for run in &found[..old] {
            for object in store.list(Some(run)).try_collect::<Vec<_>>().await? {
                store.delete(&object.location).await?;
            }
        }
        Ok(())
    })
}

/// `s3://bucket` of `s3://bucket/folder/object`.
fn root_of(address: &str) -> Result<String> {
    let url = Url::parse(address)?;
    let host = url.host_str().unwrap_or_default();
    // Azure's long form names the container before the account: abfss://container@account.
    Ok(match url.username() {
        "" => format!("{}://{host}", url.scheme()),
        container => format!("{}://{container}@{host}", url.scheme()),
    })
}

/// The store of an address and the path in it. Stores are kept, so that their connections are.
fn open(address: &str) -> Result<(Arc<dyn ObjectStore>, ObjectPath)> {
    static STORES: LazyLock<Mutex<HashMap<String, Arc<dyn ObjectStore>>>> = LazyLock::new(Mutex::default);
    let url = Url::parse(address).with_context(|| format!("`{address}` is no address"))?;
    let (_, path) =
        object_store::ObjectStoreScheme::parse(&url).map_err(|error| anyhow!("{address}: {error}"))?;
    let path = ObjectPath::parse(path)?;
    let root = root_of(address)?;
    let mut stores = STORES.lock().map_err(|_| anyhow!("another thread failed"))?;
    if let Some(store) = stores.get(&root) {
        return Ok((store.clone(), path));
    }
    let (store, _) = object_store::parse_url_opts(&url, settings())
        .with_context(|| format!("{root} cannot be opened; are the credentials set?"))?;
    let store: Arc<dyn ObjectStore> = store.into();
    stores.insert(root, store.clone());
    Ok((store, path))
}

/// What the environment says of stores; `GARRISON_OBJECT_TIMEOUT` such as `30s` bounds each request.
fn settings() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter_map(|(name, value)| {
        let is_store = ["AWS_", "GOOGLE_", "AZURE_"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        match name.as_str() {
            "GARRISON_OBJECT_TIMEOUT" => Some(("timeout".to_owned(), value)),
            _ if is_store => Some((name, value)),
            _ => None,
        }
    })
}

/// Asks until there is an answer, with growing pauses; what asking again cannot change is an error at once.
fn ask<T>(mut request: impl AsyncFnMut() -> object_store::Result<T>) -> Result<T> {
    use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
    let (mut pause, mut attempt) = (FIRST_PAUSE, 1);
    loop {
        match wait(request())? {
            Ok(answer) => return Ok(answer),
            Err(error @ (NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. })) => bail!(error),
            Err(error) if attempt == ATTEMPTS => bail!(error),
            Err(error) => tracing::warn!(attempt, "asking again: {error}"),
        }
        std::thread::sleep(pause);
        (pause, attempt) = (pause * 2, attempt + 1);
    }
}

/// Waits for a request on the calling thread.
fn wait<T>(request: impl Future<Output = T>) -> Result<T> {
    static RUNTIME: LazyLock<std::io::Result<tokio::runtime::Runtime>> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
    });
    match &*RUNTIME {
        Ok(runtime) => Ok(runtime.block_on(request)),
        Err(error) => bail!("the network cannot be used: {error}"),
    }
}

/// The local folder for a run whose tables go to an address, if the plan names none.
pub fn default_work(address: &str) -> PathBuf {
    let name: String = address
        .chars()
        .map(|character| {
            if character.is_alphanumeric() {
                character
            } else {
                '_'
            }
        })
        .collect();
    PathBuf::from(".garrison").join(name)
}

/// Brings the tables that stand in a local output folder to an address.
///
/// # Errors
/// As [`publish`].
pub fn bring(folder: &Path, address: &str, keep_runs: usize) -> Result<()> {
    match output::current_run(folder) {
        Some(run) => publish(&run, address, keep_runs),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in [
            "s3://bucket/a.jsonl",
            "gs://bucket",
            "abfss://container@account.dfs.core.windows.net/a",
        ] {
            assert!(is_address(address), "{address}");
        }
        for path in ["s3/a.jsonl", "-", "/data/s3://", "https://example.org/a"] {
            assert!(!is_address(path), "{path}");
        }
        let check = |address, root: &str| assert_eq!(root_of(address).unwrap(), root);
        check("s3://bucket/folder/a.jsonl", "s3://bucket");
        check(
            "abfss://news@lake.dfs.core.windows.net/a",
            "abfss://news@lake.dfs.core.windows.net",
        );
    }
}
