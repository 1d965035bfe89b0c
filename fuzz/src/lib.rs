//! What the fuzz targets share: the knowledge, a file to read bytes from, and what must hold of every document.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

use garrison::document;
use garrison::input::{self, Fault, InputFile, Raw, ReadOptions};
use garrison::knowledge::{self, Knowledge};
use garrison::plan::Documents;
use garrison::tables::Document;
use garrison::text::sentences;

/// The knowledge in the program.
pub static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| {
    knowledge::load(knowledge::Source::from(None)).unwrap_or_else(|faults| panic!("{faults:?}"))
});

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder for temporary files"));

/// Everything that is read of a file with these bytes, in units of about `target` bytes: records in order, and faults by
/// place. No record may be longer than 64 KiB, so that limits are met.
pub fn read(name: &str, bytes: &[u8], target: u64) -> (Vec<Raw>, Vec<Fault>) {
    let file = file(name, bytes);
    let options = ReadOptions {
        max_record_bytes: 64 << 10,
        max_whole_file_bytes: 256 << 10,
        ..ReadOptions::default()
    };
    let (mut raws, mut faults) = (Vec::new(), Vec::new());
    for unit in input::split(&[file], target) {
        input::read(&unit, &options, &mut |batch| {
            faults.extend(batch.faults.iter().cloned());
            for index in 0..batch.len() {
                match batch.parse(index) {
                    Ok(raw) => raws.push(raw),
                    Err(fault) => faults.push(fault),
                }
            }
            ControlFlow::Continue(())
        })
        .expect("the format is told from the file");
    }
    // A batch names what its reader found at fault before what could not be parsed.
    faults.sort_by_key(|fault| (fault.byte_offset, fault.record));
    (raws, faults)
}

fn file(name: &str, bytes: &[u8]) -> InputFile {
    let path: PathBuf = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("a writable temporary folder");
    InputFile {
        shown: path.display().to_string().into(),
        bytes: bytes.len() as u64,
        path,
    }
}

/// Whether a file with these bytes is told to be of a format.
pub fn is_told_as(format: &str, name: &str, bytes: &[u8]) -> bool {
    input::inspect(&file(name, bytes), &ReadOptions::default()).format == Some(format)
}

/// Makes a document of a record and checks what every document promises.
pub fn document(raw: Raw) {
    let wanted = Documents { min_words: 1 };
    if let Ok(document) = document::read(raw, "fuzz", &wanted, &KNOWLEDGE, "fuzz") {
        check(&document);
    }
}

/// The text is trimmed and not empty, and its sentences lie in order, on characters, none empty.
fn check(document: &Document) {
    let text = document.text.as_str();
    assert!(!text.is_empty() && text.trim() == text);
    assert!(!text.contains('\0'));
    let rules = KNOWLEDGE.normalization.sentence_rules(document.language.as_str());
    let mut last = 0;
    for sentence in sentences::split(text, rules) {
        assert!(last <= sentence.start && sentence.start < sentence.end);
        assert!(!text[sentence.start..sentence.end].trim().is_empty());
        last = sentence.end;
    }
    let held = |part: &Option<String>| part.as_deref().is_none_or(|part| !part.trim().is_empty());
    assert!(held(&document.title) && held(&document.byline) && held(&document.url) && held(&document.source));
}
