//! Whole files through `discover`, `split` and `read`: what comes out of each format, that ranges and units change
//! nothing, and that harm costs a fault and no more.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::*;

/// A folder that is removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("input-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a file");
        path.to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read_with(path: &str, target: u64, options: &ReadOptions) -> (Vec<Raw>, Vec<Fault>) {
    let found = discover(&[path.to_string()]).expect("the input");
    let (mut raws, mut faults) = (Vec::new(), found.faults);
    for unit in split(&found.files, target) {
        read(&unit, options, &mut |batch| {
            faults.extend(batch.faults.iter().cloned());
            for index in 0..batch.len() {
                match batch.parse(index) {
                    Ok(raw) => raws.push(raw),
                    Err(fault) => faults.push(fault),
                }
            }
            ControlFlow::Continue(())
        })
        .expect("known format");
    }
    (raws, faults)
}

fn read_bytes(name: &str, bytes: &[u8]) -> (Vec<Raw>, Vec<Fault>) {
    let folder = Folder::new(&name.replace('.', "-"));
    let path = folder.file(name, bytes);
    read_with(&path, 64 << 20, &ReadOptions::default())
}

/// The only record of a file that has no faults.
fn only(name: &str, bytes: &[u8]) -> Raw {
    let (mut raws, faults) = read_bytes(name, bytes);
    assert_eq!(faults, [], "{name}");
    assert_eq!(raws.len(), 1, "{name}: {raws:?}");
    raws.remove(0)
}

/// The reasons of a file's faults, and how many records came out.
fn reasons(name: &str, bytes: &[u8]) -> (usize, Vec<RejectReason>) {
    let folder = Folder::new(&name.replace('.', "-"));
    let path = folder.file(name, bytes);
    let options = ReadOptions {
        max_record_bytes: 1 << 20,
        ..ReadOptions::default()
    };
    let (raws, faults) = read_with(&path, 64 << 20, &options);
    (raws.len(), faults.iter().map(|fault| fault.reason).collect())
}

fn text(raw: &Raw) -> String {
    match &raw.content {
        Content::Text(text) => text.clone(),
        Content::Html { bytes, .. } | Content::Plain { bytes, .. } => {
            String::from_utf8_lossy(bytes).into_owned()
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

#[test]
fn formats_have_one_name_each() {
    for (at, format) in FORMATS.iter().enumerate() {
        assert!(
            FORMATS[..at].iter().all(|other| other.name != format.name),
            "{}",
            format.name
        );
    }
    assert!(format_named("nonsense").is_err());
}

#[test]
fn json_lines_fields() {
    fn check(line: &str, role: fn(&Fields) -> &Option<String>, expected: Option<&str>) {
        let raw = only("a.jsonl", line.as_bytes());
        assert_eq!(role(&raw.fields).as_deref(), expected, "{line}");
    }
    check(
        r#"{"text":"t","datePublished":"2024-01-05"}"#,
        |f| &f.published,
        Some("2024-01-05"),
    );
    check(
        r#"{"text":"t","date_publish":"2024-01-05 10:00:00"}"#,
        |f| &f.published,
        Some("2024-01-05 10:00:00"),
    );
    check(
        r#"{"text":"t","published":1704448800}"#,
        |f| &f.published,
        Some("2024-01-05T10:00:00Z"),
    );
    check(
        r#"{"text":"t","published":1704448800000}"#,
        |f| &f.published,
        Some("2024-01-05T10:00:00Z"),
    );
    check(
        r#"{"text":"t","published":"13/01/2024"}"#,
        |f| &f.published,
        Some("2024-01-13"),
    );
    check(r#"{"text":"t","published":"03/04/2024"}"#, |f| &f.published, None);
    check(
        r#"{"text":"t","seendate":"20240105T100000Z"}"#,
        |f| &f.seen,
        Some("2024-01-05T10:00:00Z"),
    );
    check(
        r#"{"text":"t","seendate":"20240105T100000Z"}"#,
        |f| &f.published,
        None,
    );
    check(
        r#"{"text":"t","source":{"name":"Daily","id":"x"}}"#,
        |f| &f.source,
        Some("Daily"),
    );
    check(
        r#"{"text":"t","source":{"name":"Daily","id":"x"}}"#,
        |f| &f.id,
        None,
    );
    check(
        r#"{"text":"t","authors":["A B","C D"]}"#,
        |f| &f.byline,
        Some("A B, C D"),
    );
    check(
        r#"{"text":"t","authors":[{"name":"A B"},{"name":"C D"}]}"#,
        |f| &f.byline,
        Some("A B, C D"),
    );
    check(r#"{"text":"t","author":5}"#, |f| &f.byline, None);
    check(
        r#"{"_source":{"text":"t","title":"T"},"_id":7}"#,
        |f| &f.title,
        Some("T"),
    );
    check(
        r#"{"_source":{"text":"t","title":"T"},"_id":7}"#,
        |f| &f.id,
        Some("7"),
    );
    check(r#"{"text":"t","related":{"title":"no"}}"#, |f| &f.title, None);
    check(
        r#"{"text":"t","uri":"urn:x","url":"https://a.b/c"}"#,
        |f| &f.url,
        Some("https://a.b/c"),
    );
    check(r#"{"text":"t","uri":"urn:x"}"#, |f| &f.url, None);
    check(
        r#"{"title":{"rendered":"T"},"content":{"rendered":"<p>a</p>"}}"#,
        |f| &f.title,
        Some("T"),
    );
}

#[test]
fn of_several_texts_the_longest_that_is_not_html() {
    fn check(line: &str, expected: &str) {
        assert_eq!(text(&only("a.jsonl", line.as_bytes())), expected, "{line}");
    }
    check(r#"{"text":"short","body":"rather longer"}"#, "rather longer");
    check(
        r#"{"content":"<p>markup that is longer</p>","text":"plain"}"#,
        "plain",
    );
    check(r#"{"content":"<p>markup</p>"}"#, "<p>markup</p>");
    check(r#"{"description":"summary"}"#, "summary");
    check(
        r#"{"description":"a summary that is long","text":"text"}"#,
        "text",
    );
    check(r#"{"body":["one","two"]}"#, "one\n\ntwo");
    check(r#"{"body":[{"text":"one"},{"text":"two"}]}"#, "one\n\ntwo");
    check(r#"{"text":null,"html":"<p>x</p>"}"#, "<p>x</p>");
}

#[test]
fn the_order_of_day_and_month_is_the_files() {
    let lines = |dates: &[&str]| -> String {
        dates
            .iter()
            .map(|date| format!("{{\"text\":\"t\",\"date\":\"{date}\"}}\n"))
            .collect()
    };
    let published = |dates: &[&str]| -> Vec<Option<String>> {
        read_bytes("a.jsonl", lines(dates).as_bytes())
            .0
            .into_iter()
            .map(|raw| raw.fields.published)
            .collect()
    };
    assert_eq!(
        published(&["01/02/2024", "25/02/2024"]),
        [Some("2024-02-01".into()), Some("2024-02-25".into())]
    );
    assert_eq!(
        published(&["01/02/2024", "02/25/2024"]),
        [Some("2024-01-02".into()), Some("2024-02-25".into())]
    );
    assert_eq!(
        published(&["01/02/2024", "05/05/2024"]),
        [None, Some("2024-05-05".into())]
    );
    assert_eq!(
        published(&["1/2/2024 2:05 PM", "31/1/24"]),
        [Some("2024-02-01T14:05:00".into()), Some("2024-01-31".into())]
    );
}

#[test]
fn json_lists_and_envelopes() {
    fn check(json: &str, expected: &[&str]) {
        let (raws, faults) = read_bytes("a.json", json.as_bytes());
        assert_eq!(faults, [], "{json}");
        assert_eq!(raws.iter().map(text).collect::<Vec<_>>(), expected, "{json}");
        for (number, raw) in raws.iter().enumerate() {
            assert_eq!(raw.record, number as i64, "{json}");
        }
    }
    check(r#"[{"text":"a"},{"text":"b"}]"#, &["a", "b"]);
    check(
        "[\n {\"text\":\"a\"}\n,\n {\"text\":\"b \\\" ]\"}\n]\n",
        &["a", "b \" ]"],
    );
    check(
        r#"{"status":"ok","articles":[{"text":"a"},{"text":"b"}]}"#,
        &["a", "b"],
    );
    check(
        r#"{"articles":{"page":1,"results":[{"body":"a"},{"body":"b"}]}}"#,
        &["a", "b"],
    );
    check(
        r#"{"hits":{"total":2,"hits":[{"_source":{"text":"a"}},{"_source":{"text":"b"}}]}}"#,
        &["a", "b"],
    );
    check("{\n \"title\": \"T\",\n \"text\": \"a\"\n}", &["a"]);
    check("{\n \"text\": \"a\"\n}\n{\n \"text\": \"b\"\n}", &["a", "b"]);
    check(r#"{"text":"a","items":[{"x":1}]}"#, &["a"]);
    check("{\"text\":\"a\"}\n{\"text\":\"b\"}\n", &["a", "b"]);
    check(
        r#"{"version":"https://jsonfeed.org/version/1","items":[{"content_text":"a"}]}"#,
        &["a"],
    );
}

#[test]
fn tables() {
    fn check(name: &str, table: &[u8], expected: &[(&str, &str)]) {
        let (raws, faults) = read_bytes(name, table);
        assert_eq!(faults, [], "{name}");
        let found: Vec<(String, String)> = raws
            .iter()
            .map(|raw| (raw.fields.title.clone().unwrap_or_default(), text(raw)))
            .collect();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(title, text)| (title.as_str(), text.as_str()))
            .collect();
        assert_eq!(found, expected, "{name}");
    }
    check(
        "a.csv",
        b"title,text\nT,a\nU,\"b, \"\"c\"\"\nd\"\n",
        &[("T", "a"), ("U", "b, \"c\"\nd")],
    );
    check(
        "b.csv",
        b"\xef\xbb\xbftitle;text\r\nT;a\r\nU;b\r\n",
        &[("T", "a"), ("U", "b")],
    );
    check("c.tsv", b"title\ttext\nT\ta\n", &[("T", "a")]);
    check(
        "d.csv",
        b"id,title,text,x\n1,T,a\n2,U,b,c,d,e\n",
        &[("T", "a"), ("U", "b")],
    );
    check(
        "e.csv",
        b"title,text\nT,caf\xe9 au lait et des \xe9l\xe8ves\n",
        &[("T", "caf\u{e9} au lait et des \u{e9}l\u{e8}ves")],
    );
    check(
        "f",
        b"title|text|url\nT|a|http://x.y/z\nU|b|http://x.y/w\n",
        &[("T", "a"), ("U", "b")],
    );
    check(
        "h.csv",
        "titre;texte;date_publication;lien;média\nT;a;19/11/2019;https://a.b/c;D\n".as_bytes(),
        &[("T", "a")],
    );
    check(
        "i.csv",
        "Titular,Cuerpo,Fecha\nT,a,2019-11-19\n".as_bytes(),
        &[("T", "a")],
    );
    check(
        "j.csv",
        "العنوان,النص,التاريخ\nT,a,2019-11-19\n".as_bytes(),
        &[("T", "a")],
    );
    let utf16: Vec<u8> = "\u{feff}title\ttext\nT\té\n"
        .encode_utf16()
        .flat_map(|unit| unit.to_le_bytes())
        .collect();
    check("g.txt", &utf16, &[("T", "é")]);
}

#[test]
fn feeds() {
    let rss = r#"<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Daily</title>
        <language>xx</language><item><title>T &amp; U</title><link>https://a.b/c</link><guid>g</guid>
        <pubDate>Fri, 05 Jan 2024 10:00:00 GMT</pubDate><dc:creator>A B</dc:creator>
        <description>short</description><content:encoded><![CDATA[<p>long</p>]]></content:encoded></item></channel></rss>"#;
    let raw = only("a.xml", rss.as_bytes());
    assert_eq!(text(&raw), "<p>long</p>");
    assert_eq!(raw.fields.title.as_deref(), Some("T & U"));
    assert_eq!(raw.fields.url.as_deref(), Some("https://a.b/c"));
    assert_eq!(raw.fields.source.as_deref(), Some("Daily"));
    assert_eq!(raw.fields.language.as_deref(), Some("xx"));
    assert_eq!(raw.fields.byline.as_deref(), Some("A B"));
    assert_eq!(
        raw.fields.published.as_deref(),
        Some("Fri, 05 Jan 2024 10:00:00 GMT")
    );
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="xx"><title>Daily</title><entry><title>T</title>
        <link rel="self" href="https://a.b/self"/><link href="https://a.b/c"/><id>i</id><author><name>A B</name></author>
        <published>2024-01-05T10:00:00Z</published><updated>2024-01-06T10:00:00Z</updated>
        <content type="xhtml"><div><p>a &lt; b</p></div></content></entry></feed>"#;
    let raw = only("b.xml", atom.as_bytes());
    assert_eq!(text(&raw), "<div><p>a &lt; b</p></div>");
    assert_eq!(raw.fields.url.as_deref(), Some("https://a.b/c"));
    assert_eq!(raw.fields.byline.as_deref(), Some("A B"));
    assert_eq!(raw.fields.modified.as_deref(), Some("2024-01-06T10:00:00Z"));
    assert_eq!(
        reasons(
            "c.rss",
            b"<rss><channel><item><title>T</title></item></channel></rss>"
        )
        .1,
        [RejectReason::NoText]
    );
}

#[test]
fn agency_formats() {
    let g2 = r#"<newsItem guid="urn:x:1" xml:lang="xx"><itemMeta><provider literal="AG"/><firstCreated>2024-01-05T10:00:00Z</firstCreated>
        <pubStatus qcode="stat:usable"/></itemMeta><contentMeta><headline>T</headline><by>A B</by><language tag="xx"/></contentMeta>
        <contentSet><inlineXML contenttype="application/xhtml+xml"><html><body><p>a</p></body></html></inlineXML></contentSet></newsItem>"#;
    let raw = only("a.xml", g2.as_bytes());
    assert_eq!(text(&raw), "<html><body><p>a</p></body></html>");
    assert_eq!(raw.fields.title.as_deref(), Some("T"));
    assert_eq!(raw.fields.source.as_deref(), Some("AG"));
    assert_eq!(raw.fields.id.as_deref(), Some("urn:x:1"));
    assert_eq!(
        reasons("b.xml", g2.replace("stat:usable", "stat:canceled").as_bytes()).1,
        [RejectReason::NotAnArticle]
    );
    let nitf = r#"<?xml version="1.0"?><!DOCTYPE nitf SYSTEM "x.dtd"><nitf><head><title>P</title><docdata><doc-id id-string="7"/>
        <date.issue norm="20240105T100000Z"/></docdata><pubdata name="Daily"/></head><body><body.head><hedline><hl1>T</hl1></hedline>
        <byline>A B</byline></body.head><body.content><block class="lead_paragraph"><p>a</p></block><block class="full_text"><p>a</p>
        <p>b</p></block></body.content></body></nitf>"#;
    let raw = only("c.xml", nitf.as_bytes());
    assert_eq!(text(&raw), "a\n\nb");
    assert_eq!(raw.fields.title.as_deref(), Some("T"));
    assert_eq!(raw.fields.published.as_deref(), Some("2024-01-05T10:00:00Z"));
    assert_eq!(raw.fields.source.as_deref(), Some("Daily"));
}

#[test]
fn database_exports() {
    let old = "\n      1 of 2 DOCUMENTS\n\n      The Daily\n\n     January 5, 2024 Friday\n      Late Edition\n\nThe title\n\n\
        BYLINE: By A B\n\nSECTION: Foreign\n\nLENGTH: 12 words\n\nDATELINE: PLACE, Jan. 4\n\n First line\nwrapped.\n\n Second.\n\n\
        LOAD-DATE: January 6, 2024\n\nLANGUAGE: XX\n\n      Copyright 2024 The Daily\n\n      2 of 2 DOCUMENTS\n\n\
        The Daily\n\nJanuary 6, 2024\n\nOther title\n\nLENGTH: 2 words\n\n Other text.\n";
    let (raws, faults) = read_bytes("a.txt", old.as_bytes());
    assert_eq!(faults, []);
    assert_eq!(
        raws.iter().map(text).collect::<Vec<_>>(),
        ["First line wrapped.\n\nSecond.", "Other text."]
    );
    assert_eq!(raws[0].fields.title.as_deref(), Some("The title"));
    assert_eq!(raws[0].fields.source.as_deref(), Some("The Daily"));
    assert_eq!(raws[0].fields.byline.as_deref(), Some("By A B"));
    assert!(
        raws[0]
            .fields
            .published
            .as_deref()
            .is_some_and(|day| day.starts_with("January 5, 2024"))
    );
    assert_eq!(raws[1].fields.title.as_deref(), Some("Other title"));
    let uni = "The title\nThe Daily\nJanuary 5, 2024 Friday\n\nCopyright 2024 The Daily\n\nSection: NEWS\nLength: 12 words\n\
        Byline: A B\n\nBody\n\nFirst.\n\nSecond.\n\nClassification\n\nLanguage: XX\n\nLoad-Date: January 6, 2024\n\nEnd of Document\n";
    let raw = only("b.txt", uni.as_bytes());
    assert_eq!(text(&raw), "First.\n\nSecond.");
    assert_eq!(raw.fields.title.as_deref(), Some("The title"));
    assert_eq!(raw.fields.source.as_deref(), Some("The Daily"));
    assert_eq!(raw.fields.language.as_deref(), Some("XX"));
    let codes = "HD \nThe title\nBY \nA B\nWC 12 words\nPD 5 January 2024\nET 10:05\nSN The Daily\nSC DLY\nLA XX\nCY (c) 2024\nLP \n\
        First.\n\nTD \nSecond.\n\nAN Document DLY0000020240105ek15000ab\n\n";
    let raw = only("c.txt", codes.as_bytes());
    assert_eq!(text(&raw), "First.\n\nSecond.");
    assert_eq!(raw.fields.title.as_deref(), Some("The title"));
    assert_eq!(raw.fields.published.as_deref(), Some("5 January 2024 10:05"));
    let shown = "The title\nA B\n12 words\n5 January 2024\n10:05\nThe Daily\nDLY\nXxish\n(c) 2024 The Daily\n\nFirst.\n\nSecond.\n\n\
        Document DLY0000020240105ek15000ab\n\n";
    let (raws, _) = read_bytes("d.txt", format!("{shown}{shown}").as_bytes());
    assert_eq!(
        raws.iter().map(text).collect::<Vec<_>>(),
        ["First.\n\nSecond.", "First.\n\nSecond."]
    );
    assert_eq!(raws[1].fields.source.as_deref(), Some("The Daily"));
    assert_eq!(raws[1].fields.language.as_deref(), Some("Xxish"));
}

fn warc_record(kind: &str, http: &str, body: &[u8]) -> Vec<u8> {
    let mut record = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: <https://a.b/c>\r\nWARC-Date: 2024-01-05T10:00:00Z\r\nContent-Length: {}\r\n\r\n{http}",
        http.len() + body.len()
    )
    .into_bytes();
    record.extend_from_slice(body);
    record.extend_from_slice(b"\r\n\r\n");
    record
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\"UTF-8\"\r\n\r\n";

#[test]
fn warc_records() {
    let records = [
        warc_record("warcinfo", "", b"software: x\r\n"),
        warc_record("request", "GET / HTTP/1.1\r\n\r\n", b""),
        warc_record("response", OK, b"<html>a</html>"),
        warc_record(
            "response",
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n",
            b"<html>b</html>",
        ),
        warc_record(
            "response",
            "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n",
            b"\x89PNG",
        ),
        warc_record("conversion", "", b"plain text"),
        warc_record(
            "response",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n",
            &chunked(&gzip(b"<html>c</html>")),
        ),
    ];
    let whole = records.concat();
    let members: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    for (name, bytes) in [
        ("a.warc", whole.clone()),
        ("b.warc.gz", members),
        ("c.warc.gz", gzip(&whole)),
    ] {
        let (raws, faults) = read_bytes(name, &bytes);
        let found: Vec<(i64, String)> = raws.iter().map(|raw| (raw.record, text(raw))).collect();
        let expected = [(2, "<html>a</html>"), (5, "plain text"), (6, "<html>c</html>")];
        assert_eq!(
            found,
            expected.map(|(record, text)| (record, text.to_string())),
            "{name}"
        );
        let records: Vec<_> = faults.iter().map(|fault| (fault.record, fault.reason)).collect();
        assert_eq!(
            records,
            [
                (Some(3), RejectReason::NotAnArticle),
                (Some(4), RejectReason::NotAnArticle)
            ],
            "{name}"
        );
        assert_eq!(raws[0].fields.url.as_deref(), Some("https://a.b/c"));
        assert_eq!(raws[0].fields.seen.as_deref(), Some("2024-01-05T10:00:00Z"));
        assert!(matches!(&raws[0].content, Content::Html { charset: Some(name), .. } if name == "utf-8"));
    }
}

fn chunked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in bytes.chunks(7) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

/// Pages that do not shrink to nothing, so that members are of different sizes.
fn page(number: usize) -> Vec<u8> {
    let words: String = (0..50 + number % 40)
        .map(|word| format!("{} ", (word * 7919 + number * 104_729) % 100_003))
        .collect();
    format!("<html>{number} {words}</html>").into_bytes()
}

#[test]
fn a_broken_member_costs_its_record_only() {
    let mut members: Vec<Vec<u8>> = (0..20)
        .map(|number| gzip(&warc_record("response", OK, &page(number))))
        .collect();
    let middle = members[7].len() / 2;
    members[7][middle] ^= 0xff;
    members[7][middle + 1] ^= 0xff;
    members[12].truncate(60);
    let (raws, faults) = read_bytes("a.warc.gz", &members.concat());
    assert_eq!(raws.len(), 18, "{faults:?}");
    assert_eq!(
        faults.iter().map(|fault| fault.record).collect::<Vec<_>>(),
        [Some(7), Some(12)]
    );
    // Nor does it swallow what follows where its own first bytes are lost, or where it is the file's first.
    members[15][0] = 0;
    members[0][middle] ^= 0xff;
    let (raws, faults) = read_bytes("c.warc.gz", &members.concat());
    assert_eq!(raws.len(), 16, "{faults:?}");
    let numbers: Vec<_> = faults.iter().map(|fault| fault.record).collect();
    assert_eq!(numbers, [Some(0), Some(7), Some(12), None]);
    members[15][0] = 0x1f;
    members[0][middle] ^= 0xff;
    let cut_off = &members.concat()[..members.concat().len() - 20];
    let (raws, faults) = read_bytes("b.warc.gz", cut_off);
    assert_eq!(raws.len(), 17);
    assert_eq!(
        faults.last().map(|fault| fault.reason),
        Some(RejectReason::Truncated)
    );
}

#[test]
fn ranges_and_batches_change_nothing() {
    let folder = Folder::new("ranges");
    let mut lines: String = (0..500)
        .map(|n| format!("{{\"text\":\"{}\",\"id\":{n}}}\n", "word ".repeat(n % 37 + 1)))
        .collect();
    lines.insert_str(0, "\n\n");
    let mut table = String::from("id,text\n");
    (0..500).for_each(|n| {
        table.push_str(&format!(
            "{n},\"line\n{},\"\"x\"\"\"\n",
            "word ".repeat(n % 37 + 1)
        ))
    });
    let records: Vec<Vec<u8>> = (0..200).map(|n| warc_record("response", OK, &page(n))).collect();
    let paths = [
        folder.file("a.jsonl", lines.as_bytes()),
        folder.file("b.csv", table.as_bytes()),
        folder.file("c.warc", &records.concat()),
        folder.file("f.csv", format!("\u{feff}{table}").as_bytes()),
        folder.file("g.jsonl", format!("\u{feff}{lines}").as_bytes()),
        folder.file(
            "d.warc.gz",
            &records
                .iter()
                .flat_map(|record| gzip(record))
                .collect::<Vec<u8>>(),
        ),
        folder.file("e.jsonl.gz", &gzip(lines.as_bytes())),
    ];
    for path in &paths {
        let whole = read_with(path, 64 << 20, &ReadOptions::default());
        assert!(
            whole.0.len() >= 200 && whole.1.is_empty(),
            "{path}: {} {:?}",
            whole.0.len(),
            whole.1
        );
        for target in [300, 1000, 4096, 20_000] {
            let options = ReadOptions {
                batch_bytes: target as usize / 2,
                ..ReadOptions::default()
            };
            let parts = read_with(path, target, &options);
            assert!(
                whole == parts,
                "{path} in units of {target} bytes: {} records",
                parts.0.len()
            );
        }
    }
    let found = discover(&[paths[0].clone()]).expect("the file");
    assert!(split(&found.files, 1000).len() > 20);
}

/// However a damaged archive is cut, it gives the same records and faults under the same numbers.
#[test]
fn numbers_behind_damage_do_not_depend_on_units() {
    let folder = Folder::new("damage");
    let record = |number| warc_record("response", OK, &page(number));
    let mut members: Vec<Vec<u8>> = (0..60).map(|number| gzip(&record(number))).collect();
    // Damage in the middle, at the first byte, within the code tables, at the end; a member cut off, one without a record,
    // one with two records, junk and zeros between members.
    let middle = members[0].len() / 2;
    members[0][middle] ^= 0xff;
    members[3][0] = 0;
    members[5][20] ^= 0xff;
    members[9][200] ^= 0x55;
    members[14].truncate(70);
    members[20] = gzip(b"no record");
    members[25] = gzip(&[record(25), record(26)].concat());
    members[30].extend_from_slice(b"junk between members");
    members[35].extend_from_slice(&[0; 64]);
    let end = members[40].len() - 6;
    members[40][end] ^= 1;
    members[45].splice(0..0, [0x1f, 0x8b, 8, 0, 1, 2, 3]);
    let plain: Vec<u8> = (0..60)
        .flat_map(|number| {
            let junk = if number % 7 == 3 { &b"junk\r\n"[..] } else { b"" };
            [junk, &record(number)].concat()
        })
        .collect();
    let mut late = members.clone();
    late.splice(0..1, [gzip(&record(0))]);
    for (name, bytes) in [
        ("a.warc.gz", members.concat()),
        ("b.warc.gz", late.concat()),
        ("c.warc", plain.clone()),
        ("d.warc", [b"\xef\xbb\xbf", &plain[..]].concat()),
    ] {
        let path = folder.file(name, &bytes);
        let whole = read_with(&path, 64 << 20, &ReadOptions::default());
        assert!(
            whole.0.len() > 40 && whole.1.len() > 3,
            "{name}: {} {:?}",
            whole.0.len(),
            whole.1
        );
        let mut numbers: Vec<i64> = whole.0.iter().map(|raw| raw.record).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), whole.0.len(), "{name}: a number twice");
        for target in [1, 300, 1000, 3000, 4096, 9000, 20_000] {
            let parts = read_with(&path, target, &ReadOptions::default());
            assert!(
                whole.1 == parts.1,
                "{name} in units of {target}: {:#?} {:#?}",
                whole.1,
                parts.1
            );
            assert!(whole == parts, "{name} in units of {target}");
        }
    }
}

#[test]
fn a_broken_value_costs_the_list_no_more_than_its_line() {
    let list = b"[\n{\"text\":\"a\"},\n{\"text\" \"x\"},\n{\"text\":\"b\"}\n]\n";
    assert_eq!(reasons("list.json", list), (2, vec![RejectReason::InvalidJson]));
    let list = b"[\n{\"text\":\"a\"},\n]},\n{\"text\":\"b\"}\n]\n";
    assert_eq!(reasons("list2.json", list).0, 2);
}

#[test]
fn harm_is_a_fault() {
    assert_eq!(reasons("empty.jsonl", b"").1, [RejectReason::UnknownFormat]);
    assert_eq!(
        reasons("a.jsonl", b"{\"text\":\"a\"}\n{\"text\":\n{\"text\":\"b\"}\n").0,
        2
    );
    assert_eq!(
        reasons("b.jsonl", b"{\"text\":\"a\"}\n{\"text\":\"b").1,
        [RejectReason::Truncated]
    );
    assert_eq!(
        reasons("c.jsonl", b"{\"text\":\"a\"}\n[1]\n{}\n").1,
        [RejectReason::InvalidJson, RejectReason::NoText]
    );
    let deep = format!(
        "{{\"text\":\"a\"}}\n{{\"body\":{}{}}}\n",
        "[".repeat(2000),
        "]".repeat(2000)
    );
    assert_eq!(reasons("d.jsonl", deep.as_bytes()).1, [RejectReason::NoText]);
    let deep = format!("{}1{}", "{\"a\":".repeat(2000), "}".repeat(2000));
    assert_eq!(
        reasons("e.jsonl", format!("{deep}\n{{\"text\":\"a\"}}\n").as_bytes()),
        (1, vec![RejectReason::NoText])
    );
    let long = format!("{{\"text\":\"{}\"}}\n{{\"text\":\"b\"}}\n", "x".repeat(2 << 20));
    assert_eq!(
        reasons("f.jsonl", long.as_bytes()),
        (1, vec![RejectReason::Oversize])
    );
    assert_eq!(
        reasons(
            "g.json",
            format!("[{}]", long.trim().replace('\n', ",")).as_bytes()
        ),
        (1, vec![RejectReason::Oversize])
    );
    assert_eq!(
        reasons(
            "h.csv",
            format!("title,text\na,\"{}\nb,c\n", "x".repeat(2 << 20)).as_bytes()
        ),
        (1, vec![RejectReason::Oversize])
    );
    assert_eq!(
        reasons("i.bin", &[0, 1, 2, 3, 0, 0, 0, 9]).1,
        [RejectReason::UnknownFormat]
    );
    assert_eq!(
        reasons("j.jsonl.gz", &gzip(b"{\"text\":\"a\"}\n{\"text\":\"b\"}\n")[..30])
            .1
            .len(),
        1
    );
    assert_eq!(
        reasons("k.parquet", b"PAR1 and then nothing of the kind PAR1").1,
        [RejectReason::BadRecord]
    );
    assert_eq!(
        reasons("l.xml", b"<rss><channel><item><description>a").1,
        [RejectReason::Truncated]
    );
    assert_eq!(reasons("m.jsonl", b"{\"text\":\"a\\u0000b\"}\n\0\0\0\0\n").0, 1);
    let long = format!(
        "<rss><item><title>a</title><description>{}</description></item></rss>",
        "x".repeat(3 << 20)
    );
    assert_eq!(
        reasons("o.xml", long.as_bytes()),
        (0, vec![RejectReason::Oversize])
    );
    let nested = format!(
        "<rss><item>{}a{}</item><item><description>b</description></item></rss>",
        "<b>".repeat(5000),
        "</b>".repeat(5000)
    );
    assert_eq!(
        reasons("n.xml", nested.as_bytes()),
        (1, vec![RejectReason::Oversize])
    );
}

#[test]
fn bombs_stop() {
    let zeros = vec![b' '; 66 << 20];
    assert_eq!(
        reasons("a.txt.gz", &gzip(&zeros[..4 << 20])).1,
        [RejectReason::Oversize]
    );
    assert_eq!(
        reasons("a.jsonl.gz", &gzip(&[b"{\"text\":\"a\"}\n", &zeros[..]].concat())),
        (1, vec![RejectReason::Bomb])
    );
    assert_eq!(
        reasons(
            "b.jsonl.zst",
            &zstd::encode_all(&[b"{\"text\":\"a\"}\n", &zeros[..]].concat()[..], 3).expect("memory")
        )
        .1
        .last(),
        Some(&RejectReason::Bomb)
    );
    let bomb = gzip(&warc_record("response", OK, &zeros[..4 << 20]));
    let good = gzip(&warc_record("response", OK, b"<html>a</html>"));
    let (count, found) = reasons("c.warc.gz", &[good.clone(), bomb, good].concat());
    assert_eq!((count, found), (2, vec![RejectReason::Oversize]));
    let http = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n";
    assert_eq!(
        reasons("d.warc", &warc_record("response", http, &gzip(&zeros[..4 << 20]))).1,
        [RejectReason::Bomb]
    );
}

#[cfg(unix)]
#[test]
fn folders_with_loops_pipes_and_odd_names() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("odd");
    folder.file("a.jsonl", b"{\"text\":\"a\"}\n");
    std::os::unix::fs::symlink(&folder.0, folder.0.join("loop")).expect("a link");
    std::os::unix::fs::symlink("/no/such/file", folder.0.join("dangling")).expect("a link");
    let odd = folder.0.join(std::ffi::OsStr::from_bytes(b"b\xff.jsonl"));
    fs::write(&odd, b"{\"text\":\"b\"}\n").expect("a file");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.0.join("pipe"))
        .status();
    let (raws, faults) = read_with(&folder.0.to_string_lossy(), 64 << 20, &ReadOptions::default());
    assert_eq!(raws.iter().map(text).collect::<Vec<_>>(), ["a", "b"]);
    let expected = 2 + usize::from(made.is_ok_and(|status| status.success()));
    assert_eq!(faults.len(), expected, "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.reason == RejectReason::Unreadable)
    );
}

#[test]
fn fields_named_by_the_user() {
    let folder = Folder::new("named");
    let path = folder.file(
        "a.jsonl",
        b"{\"text\":\"no\",\"deep\":{\"inner\":\"yes\"},\"title\":\"T\"}\n",
    );
    let fields = FieldNames::from_pairs(&[("text", "deep.inner")]).expect("a role");
    let (raws, _) = read_with(
        &path,
        1 << 20,
        &ReadOptions {
            fields,
            ..ReadOptions::default()
        },
    );
    assert_eq!(text(&raws[0]), "yes");
    assert_eq!(raws[0].fields.title.as_deref(), Some("T"));
    assert!(FieldNames::from_pairs(&[("txet", "a")]).is_err());
}

#[test]
fn units_group_small_files_and_keep_all() {
    let files: Vec<InputFile> = (0..1000)
        .map(|n| InputFile {
            path: format!("{n:04}.html").into(),
            shown: format!("{n:04}.html").as_str().into(),
            bytes: 1000,
        })
        .collect();
    let units = split(&files, 50_000);
    assert!((20..=80).contains(&units.len()), "{}", units.len());
    let paths: Vec<_> = units
        .iter()
        .flat_map(|unit| unit.pieces.iter().map(|piece| piece.file.path.clone()))
        .collect();
    assert_eq!(
        paths,
        files.iter().map(|file| file.path.clone()).collect::<Vec<_>>()
    );
    let fewer = split(&files[1..], 50_000);
    let same = fewer.iter().filter(|unit| units.contains(unit)).count();
    assert!(same * 10 >= units.len() * 8, "{same} of {}", units.len());
}

#[test]
fn parquet_columns() {
    use arrow::array::{
        ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
    };
    let texts: ArrayRef = Arc::new(StringArray::from_iter(
        (0..100).map(|n| (n != 7).then(|| format!("text {n}"))),
    ));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..100).map(|n| format!("source {n}")),
    ));
    let source: ArrayRef = Arc::new(StructArray::try_from(vec![("name", names)]).expect("a column"));
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![1_704_448_800_000_000; 100]).with_timezone("UTC"));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
    let mut authors = ListBuilder::new(StringBuilder::new());
    (0..100).for_each(|_| authors.append_value([Some("A B"), Some("C D")]));
    let authors: ArrayRef = Arc::new(authors.finish());
    let columns = [
        ("text", texts),
        ("source", source),
        ("published_at", times),
        ("id", ids),
        ("authors", authors),
    ];
    let batch = arrow::array::RecordBatch::try_from_iter(columns).expect("a table");
    let mut bytes = Vec::new();
    let properties = ::parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(30))
        .build();
    let mut writer =
        ::parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("memory");
    writer.write(&batch).expect("memory");
    writer.close().expect("memory");
    let folder = Folder::new("parquet");
    let path = folder.file("a.parquet", &bytes);
    let whole = read_with(&path, 64 << 20, &ReadOptions::default());
    assert_eq!(whole.0.len(), 99);
    assert_eq!(
        whole
            .1
            .iter()
            .map(|fault| (fault.record, fault.reason))
            .collect::<Vec<_>>(),
        [(Some(7), RejectReason::NoText)]
    );
    let raw = &whole.0[8];
    assert_eq!((raw.record, text(raw)), (9, "text 9".to_string()));
    assert_eq!(raw.fields.source.as_deref(), Some("source 9"));
    assert_eq!(raw.fields.published.as_deref(), Some("2024-01-05T10:00:00Z"));
    assert_eq!(raw.fields.id.as_deref(), Some("9"));
    assert_eq!(raw.fields.byline.as_deref(), Some("A B, C D"));
    assert!(read_with(&path, 500, &ReadOptions::default()) == whole);
    for at in (4..bytes.len()).step_by(97) {
        let mut broken = bytes.clone();
        broken[at] ^= 0x55;
        let _ = read_bytes("b.parquet", &broken);
    }
}

/// Small samples of every format, plain.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let page = warc_record("response", OK, b"<html>a</html>");
    let coded = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n";
    let coded = warc_record("response", coded, &chunked(&gzip(b"<html>c</html>")));
    vec![
        ("a.warc", [page.clone(), coded.clone(), page.clone()].concat()),
        ("a.warc.gz", [gzip(&page), gzip(&coded), gzip(&page)].concat()),
        ("a.jsonl", b"{\"text\":\"a\",\"authors\":[{\"name\":\"x\"}]}\n{\"text\":\"b\",\"date\":\"1/2/2024 3:04 PM\"}\n".to_vec()),
        ("a.json", b"{\"articles\":{\"results\":[{\"text\":\"a\",\"date\":1704448800},{\"body\":[\"b\"]}]}}".to_vec()),
        ("a.csv", b"title,text,date\nT,\"a \"\"b\"\"\nc\",20240105\nU,b,5.1.2024\n".to_vec()),
        ("a.xml", b"<?xml version=\"1.0\" encoding=\"windows-1252\"?><rss><channel><title>D</title><item><title>T&amp;&eacute;</title><description><![CDATA[<p>a</p>]]></description></item></channel></rss>".to_vec()),
        ("b.xml", b"<newsItem guid=\"x\"><contentMeta><headline>T</headline></contentMeta><contentSet><inlineXML><nitf><body><body.content><p>a</p></body.content></body></nitf></inlineXML></contentSet></newsItem>".to_vec()),
        ("a.txt", b"   1 of 2 DOCUMENTS\n\nDaily\n\nJanuary 5, 2024\n\nT\n\nLENGTH: 2 words\n\na\n\nLOAD-DATE: January 6, 2024\n\n 2 of 2 DOCUMENTS\n\nx".to_vec()),
        ("b.txt", b"T\nA B\n12 words\n5 January 2024\n10:05\nDaily\nDLY\n(c) 2024\n\na\n\nDocument DLY0000020240105ek15000ab\n".to_vec()),
        ("c.txt", b"A title\n\nAnd its text.\n".to_vec()),
    ]
}

/// Bytes are flipped, cut out, doubled and exchanged; nothing panics, and the units of a file do not matter.
#[test]
fn mutations_do_no_harm() {
    let rounds: u64 = std::env::var("INPUT_FUZZ_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(40);
    let folder = Folder::new("fuzz");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below.max(1)
    };
    let strange = [
        &b"\""[..],
        b"\n",
        b"\0",
        b"<",
        b"]]>",
        b"{",
        b"\\",
        b"\xff",
        b"\r\n\r\n",
        b"WARC/1.0\r\n",
        b"99999999999999999999",
    ];
    for _ in 0..rounds {
        for (name, sample) in samples() {
            let mut bytes = sample;
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                let end = (at + random(20)).min(bytes.len());
                match random(4) {
                    0 if at < bytes.len() => bytes[at] = random(256) as u8,
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let doubled = bytes[at..end].to_vec();
                        bytes.splice(at..at, doubled);
                    }
                    _ => drop(bytes.splice(at..at, strange[random(strange.len())].iter().copied())),
                }
            }
            let path = folder.file(name, &bytes);
            let whole = read_with(&path, 64 << 20, &ReadOptions::default());
            // Ranges of broken files may begin elsewhere; they must end all the same.
            let parts = read_with(
                &path,
                64,
                &ReadOptions {
                    batch_bytes: 50,
                    ..ReadOptions::default()
                },
            );
            assert!(whole.0.len() + parts.0.len() < 1000);
        }
    }
}

/// Random bytes, plain and behind the marks that formats begin with, read as every format: a fault or a record, never a
/// panic.
#[test]
fn no_bytes_harm_any_reader() {
    let folder = Folder::new("random");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    let starts = [
        &b""[..],
        b"PAR1",
        b"WARC/1.0\r\n",
        b"\x1f\x8b\x08\0",
        b"\x28\xb5\x2f\xfd",
        b"BZh9",
        b"\xff\xfe",
        b"{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[",
        b"<?xml version=\"1.0\"?><rss><channel><item>",
        b"title,text\n",
        b"HD \n",
        b"   1 of 2 DOCUMENTS\n",
    ];
    for format in FORMATS {
        let options = ReadOptions {
            format: Some(format.name.to_owned()),
            ..ReadOptions::default()
        };
        for start in starts {
            for length in [0, 1, 17, 400] {
                let mut bytes = start.to_vec();
                // Half of the bytes are printable, so that lines and marks come about.
                bytes.extend((0..length).map(|_| match random() {
                    byte if byte < 128 => b"{}[]<>,;:\"'\n\r\t /=&#ab01"[usize::from(byte) % 23],
                    byte => byte,
                }));
                let path = folder.file("bytes", &bytes);
                let _ = read_with(&path, 64 << 20, &options);
                let _ = read_with(&path, 64 << 20, &ReadOptions::default());
            }
        }
    }
}
