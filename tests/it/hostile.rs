//! What is made to harm, or merely broken: each is a counted reject with a reason, in bounded memory, and the rest is read.

use std::io::Write;
use std::path::Path;

use garrison::tables::{Document, Reject, RejectReason};

use super::{code, errors, garrison, report, rows};

const STORY: &str =
    "The ministry said on Tuesday that two hundred soldiers would leave the northern base before winter.";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn line(number: usize) -> String {
    format!("{{\"text\": \"{STORY} Number {number}.\"}}\n")
}

fn warc(page: &[u8]) -> Vec<u8> {
    let http = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    let length = http.len() + page.len();
    let head = format!("WARC/1.0\r\nWARC-Type: response\r\nContent-Length: {length}\r\n\r\n{http}");
    [head.as_bytes(), page, b"\r\n\r\n"].concat()
}

/// Files by name, each with the reasons of the rejects it must give and how many documents come out of it.
fn files() -> Vec<(&'static str, Vec<u8>, Vec<RejectReason>, usize)> {
    use RejectReason::{BadCompression, Bomb, NoText, Oversize, Truncated, UnknownFormat};
    let spaces = vec![b' '; 70 << 20];
    let text =
        |inner: &str| format!("<html><body>{inner}<p>{STORY}</p><p>{STORY}</p></body></html>").into_bytes();
    let bomb = [line(1).as_bytes(), &spaces].concat();
    let nested = format!("{{\"body\": {}{}}}\n", "[".repeat(2000), "]".repeat(2000));
    let (open, close) = ("<b>".repeat(2000), "</b>".repeat(2000));
    let deep =
        format!("<rss><item>{open}{close}</item><item><description>{STORY}</description></item></rss>");
    let long = format!("{{\"text\": \"{}\"}}\n", "word ".repeat(20 << 20));
    let members: Vec<Vec<u8>> = (0..3)
        .map(|number| gzip(&warc(&text(&format!("<p>Number {number}</p>")))))
        .collect();
    let cut = members[1].len() / 2;
    let mut broken = members[1].clone();
    broken[cut] ^= 0xff;
    vec![
        ("bomb.jsonl.gz", gzip(&bomb), vec![Bomb], 1),
        (
            "bomb.jsonl.zst",
            zstd::encode_all(&bomb[..], 3).unwrap(),
            vec![Bomb],
            1,
        ),
        ("bomb.warc.gz", gzip(&warc(&spaces)), vec![Bomb], 0),
        (
            "member.warc.gz",
            [&members[0][..], &gzip(&warc(&spaces)), &members[2]].concat(),
            vec![Oversize],
            2,
        ),
        (
            "cut.warc.gz",
            [&members[0], &members[1][..cut]].concat(),
            vec![Truncated],
            1,
        ),
        (
            "broken.warc.gz",
            [&members[0][..], &broken, &members[2]].concat(),
            vec![BadCompression],
            2,
        ),
        ("nested.jsonl", (nested + &line(2)).into_bytes(), vec![NoText], 1),
        ("nested.html", text(&"<div>".repeat(2000)), vec![], 1),
        ("nested.xml", deep.into_bytes(), vec![Oversize], 1),
        (
            "line.jsonl",
            (long.clone() + &line(3)).into_bytes(),
            vec![Oversize],
            1,
        ),
        ("line.txt", long.clone().into_bytes(), vec![Oversize], 0),
        (
            "line.html",
            [b"<html>", long.as_bytes()].concat(),
            vec![Oversize],
            0,
        ),
        (
            "line.csv",
            format!("text,title\n\"{STORY}\",\nb,{}\n", "word ".repeat(20 << 20)).into_bytes(),
            vec![Oversize],
            1,
        ),
        (
            "nul.jsonl",
            format!("{}\0\0\0\n{}", line(5), line(6)).into_bytes(),
            vec![],
            2,
        ),
        (
            "nul.txt",
            STORY.replace(' ', " \0").into_bytes(),
            vec![UnknownFormat],
            0,
        ),
        ("zeros.bin", vec![0; 5000], vec![UnknownFormat], 0),
        ("empty.jsonl", vec![], vec![UnknownFormat], 0),
    ]
}

/// A pipe that nobody writes to, a folder that holds itself, a link to nothing, a file that may not be read (unless by
/// the superuser), a folder that is named like a file, and a name that is not UTF-8, which holds the one document.
#[cfg(unix)]
fn odd_ones(folder: &Path) -> usize {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let pipe = folder.join("pipe.jsonl");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    symlink(folder, folder.join("loop")).unwrap();
    symlink("/no/such/file", folder.join("dangling.jsonl")).unwrap();
    std::fs::create_dir(folder.join("folder.jsonl")).unwrap();
    std::fs::write(
        folder.join(std::ffi::OsStr::from_bytes(b"name\xff.jsonl")),
        line(7),
    )
    .unwrap();
    let closed = folder.join("closed.jsonl");
    std::fs::write(&closed, line(8)).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
    3 + usize::from(std::fs::File::open(&closed).is_err())
}

#[cfg(unix)]
#[test]
fn what_harms_is_rejected_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    let files = files();
    for (name, bytes, _, _) in &files {
        std::fs::write(input.join(name), bytes).unwrap();
    }
    let unreadable = odd_ones(&input);
    let output = folder.path().join("out");
    let (input, shown) = (input.display().to_string(), output.display().to_string());
    let mut arguments = vec![
        "run",
        "pipelines/documents_only.toml",
        "--input",
        &input,
        "--output",
        &shown,
    ];
    arguments.extend(["--progress", "none", "--threads", "2"]);
    let done = garrison(&arguments);
    assert_eq!(code(&done), Some(3), "{}", errors(&done));
    let (rejects, documents) = (rows::<Reject>(&output), rows::<Document>(&output));
    for (name, _, reasons, kept) in &files {
        let ending = format!("/{name}");
        let of_file = |path: &str| path.ends_with(&ending);
        let found: Vec<RejectReason> = rejects
            .iter()
            .filter(|row| of_file(&row.input_path))
            .map(|row| row.reason)
            .filter(|reason| *reason != RejectReason::Repeated)
            .collect();
        assert_eq!(&found, reasons, "{name}");
        let repeated = rejects
            .iter()
            .filter(|row| of_file(&row.input_path) && row.reason == RejectReason::Repeated);
        let read = documents.iter().filter(|row| of_file(&row.input_path)).count() + repeated.count();
        assert_eq!(read, *kept, "{name}");
    }
    let refused = rejects
        .iter()
        .filter(|row| row.reason == RejectReason::Unreadable);
    assert_eq!(refused.count(), unreadable);
    assert!(
        documents
            .iter()
            .any(|row| row.input_path.contains("name\u{fffd}"))
    );
    let counts = &report(&output)["counts"];
    let number = |key: &str| counts[key].as_u64().unwrap();
    assert_eq!(number("read"), number("kept") + number("rejected"));
    // A line of 100 MB, and bombs of 70 MB, are never held whole.
    if let Some(peak) = report(&output)["peak_memory_bytes"].as_u64() {
        assert!(peak < 600 << 20, "{} MiB", peak >> 20);
    }
}
