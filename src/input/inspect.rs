//! What a file is taken for: its format, the field chosen for each role and how many records of a sample have it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::source::Source;
use super::{Content, Emitter, Fault, InputFile, Piece, ReadOptions, Role};

/// How a file will be read, judged by its first records.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// The file.
    pub input_path: String,
    /// A name of `FORMATS`; `None` if the file cannot be read.
    pub format: Option<&'static str>,
    /// As `Compression::as_str`.
    pub compression: &'static str,
    /// Records looked at.
    pub records: usize,
    /// For each role and the field it was taken from, in how many of the records.
    pub mapping: BTreeMap<(Role, String), usize>,
    /// What could not be read among them.
    pub faults: Vec<Fault>,
}

/// Records looked at: enough to see a field that one record in a hundred lacks.
const SAMPLE_RECORDS: usize = 1000;

/// Reads the first records of a file and says how it is read. Opens and reads the file; standard input is used up.
pub fn inspect(file: &InputFile, options: &ReadOptions) -> Inspection {
    let piece = Piece {
        file: file.clone(),
        range: None,
    };
    let mut found = Inspection {
        input_path: file.shown.to_string(),
        ..Inspection::default()
    };
    let format = options
        .format
        .as_deref()
        .and_then(|name| super::format_named(name).ok());
    let mut source = match Source::open(&piece, format, options) {
        Ok(source) => source,
        Err(problem) => {
            let input_path = found.input_path.clone();
            let (reason, detail) = (problem.reason, problem.detail);
            found.faults.push(Fault {
                input_path,
                record: None,
                byte_offset: None,
                reason,
                detail,
            });
            return found;
        }
    };
    found.format = Some(source.format.name);
    found.compression = source.compression.as_str();
    let mut layout = (*source.layout).clone();
    layout.sampling = true;
    source.layout = std::sync::Arc::new(layout);
    let mut sink = |batch: super::Batch| {
        found.faults.extend(batch.faults.iter().cloned());
        for index in 0..batch.len() {
            if found.records >= SAMPLE_RECORDS {
                return ControlFlow::Break(());
            }
            found.records += 1;
            match batch.parse(index) {
                Ok(raw) => {
                    if raw.fields.mapping.is_empty() {
                        // The format itself says what is what.
                        let content = match raw.content {
                            Content::Html { .. } => Role::Html,
                            Content::Text(_) | Content::Plain { .. } => Role::Text,
                        };
                        for role in raw.fields.filled().chain([content]) {
                            *found.mapping.entry((role, String::new())).or_insert(0) += 1;
                        }
                    }
                    for entry in raw.fields.mapping {
                        *found.mapping.entry(entry).or_insert(0) += 1;
                    }
                }
                Err(fault) => found.faults.push(fault),
            }
        }
        ControlFlow::Continue(())
    };
    let small = ReadOptions {
        batch_bytes: 1 << 20,
        ..options.clone()
    };
    let mut out = Emitter::new(&piece, &small, u64::MAX, 0, &mut sink);
    out.set_layout(source.layout.clone());
    if (source.format.read)(&mut source, &mut out).is_continue() {
        // The sink may break; what it has then is what is wanted.
        let _ = out.flush();
    }
    found
}
