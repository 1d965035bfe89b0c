//! Inputs and outputs in an object store: an S3 server on loopback behind a proxy that injects failures.
//!
//! The server is moto (`pip install "moto[server]"`); `GARRISON_PYTHON` names a Python that has it. Without one the
//! test says so and checks nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use garrison::tables::Event;

use crate::runs::{House, article, assert_same};
use crate::{code, errors, report};

/// What the proxy does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Answers 503 at once.
    Unavailable,
    /// Hands half of the answer on and hangs up.
    Cut,
    /// Says nothing for longer than the client waits.
    Stall,
}

struct Server {
    python: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}

fn start_moto() -> Option<Server> {
    let python = std::env::var("GARRISON_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_moto = Command::new(&python).args(["-c", "import moto.server"]).output();
    if !has_moto.is_ok_and(|done| done.status.success()) {
        println!("{python} has no moto: objects are not tested");
        return None;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let child = Command::new(&python)
        .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server { python: child, port };
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(server);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("moto does not answer");
}

/// One request over HTTP/1.1, and the whole answer.
fn request(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    answer
}

fn put(port: u16, path: &str, body: &[u8]) {
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=k/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=s\r\n\r\n",
        body.len()
    );
    let answer = request(port, &[head.as_bytes(), body].concat());
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer)
    );
}

/// A proxy that does to each request what `faults` says, over and over; gives its port and counts what it did.
fn start_proxy(server: u16, faults: &'static [Fault]) -> (u16, Arc<Mutex<Vec<Fault>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let done = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let told = done.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (told, next) = (told.clone(), next.clone());
            std::thread::spawn(move || {
                let fault = faults[next.fetch_add(1, Ordering::SeqCst) % faults.len()];
                if serve(client, server, fault).is_some() {
                    told.lock().unwrap().push(fault);
                }
            });
        }
    });
    (port, done)
}

fn serve(mut client: TcpStream, server: u16, fault: Fault) -> Option<()> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 64 << 10];
    // The head, then as much as it announces.
    let head_end = loop {
        let length = client.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&buffer[..length]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_ascii_lowercase();
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    while bytes.len() < head_end + announced.unwrap_or(0) {
        let length = client.read(&mut buffer).ok().filter(|length| *length > 0)?;
        bytes.extend_from_slice(&buffer[..length]);
    }
    // Every request has a connection of its own, so that every one gets its turn of faults.
    let mut asked = bytes[..head_end - 2].to_vec();
    asked.extend_from_slice(b"Connection: close\r\n\r\n");
    asked.extend_from_slice(&bytes[head_end..]);
    match fault {
        Fault::Unavailable => {
            let _ =
                client.write_all(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Fault::Stall => std::thread::sleep(Duration::from_secs(4)),
        Fault::None | Fault::Cut => {
            let answer = request(server, &asked);
            let length = if fault == Fault::Cut {
                answer.len() / 2
            } else {
                answer.len()
            };
            let _ = client.write_all(&answer[..length]);
        }
    }
    Some(())
}

fn run(house: &House, port: u16, input: &str, output: &str) -> std::process::Output {
    let work = house.path("work");
    let plan = house.path("objects.toml");
    let text = format!(
        "[input]\npaths = [{input:?}]\n[output]\nfolder = {output:?}\nwork = {work:?}\nkeep_runs = 2\n[run]\nunit = \"20KiB\"\n"
    );
    std::fs::write(&plan, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_garrison"))
        .args(["run", plan.to_str().unwrap(), "--progress", "none"])
        .env("AWS_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "k")
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .env("AWS_REGION", "us-east-1")
        .env("GARRISON_OBJECT_TIMEOUT", "2s")
        .output()
        .unwrap()
}

#[test]
fn objects_are_read_and_written_whole_through_failures() {
    let Some(server) = start_moto() else { return };
    let house = House::new("");
    put(server.port, "/news", b"");
    put(server.port, "/tables", b"");
    for day in 0..4 {
        let lines: String = (day * 40..day * 40 + 40)
            .map(|number| article(number) + "\n")
            .collect();
        house.add(&format!("{day}.jsonl"), &lines);
        put(server.port, &format!("/news/2024/{day}.jsonl"), lines.as_bytes());
    }
    house.run(&[]);
    let patterns: [(&str, &'static [Fault]); 5] = [
        ("no failure", &[Fault::None]),
        ("every second answer is 503", &[Fault::None, Fault::Unavailable]),
        ("every third body is cut", &[Fault::None, Fault::None, Fault::Cut]),
        (
            "every fourth request stalls",
            &[Fault::None, Fault::None, Fault::None, Fault::Stall],
        ),
        (
            "all of it",
            &[
                Fault::None,
                Fault::Cut,
                Fault::None,
                Fault::Unavailable,
                Fault::None,
                Fault::Stall,
            ],
        ),
    ];
    println!(
        "{:<28} {:>8} {:>4} {:>4} {:>6}  tables",
        "what", "requests", "503", "cut", "stalls"
    );
    for (name, faults) in patterns {
        let (port, done) = start_proxy(server.port, faults);
        let _ = std::fs::remove_dir_all(house.path("work"));
        let output = format!("s3://tables/{}", name.replace(' ', "-"));
        let ran = run(&house, port, "s3://news/2024/*.jsonl", &output);
        assert_eq!(code(&ran), Some(0), "{name}: {}", errors(&ran));
        let run_id = report(&house.path("work"))["run_id"].as_str().unwrap().to_owned();
        let objects = house.path("objects");
        let _ = std::fs::remove_dir_all(&objects);
        std::fs::create_dir(&objects).unwrap();
        let folder = output.trim_start_matches("s3:/");
        for table in garrison::tables::names()
            .into_iter()
            .map(|name| format!("{name}.parquet"))
            .chain(["run.json".into()])
        {
            std::fs::write(
                objects.join(&table),
                get(server.port, &format!("{folder}/runs/{run_id}/{table}")),
            )
            .unwrap();
        }
        let pointer: serde_json::Value =
            serde_json::from_slice(&get(server.port, &format!("{folder}/current.json"))).unwrap();
        assert_eq!(pointer["run_id"], run_id.as_str());
        assert_eq!(
            pointer["files"]["events.parquet"],
            format!("{output}/runs/{run_id}/events.parquet")
        );
        assert_same_but_paths(&objects, &house.output(), name);
        let done = done.lock().unwrap();
        let count = |fault| done.iter().filter(|done| **done == fault).count();
        println!(
            "{name:<28} {:>8} {:>4} {:>4} {:>6}  equal",
            done.len(),
            count(Fault::Unavailable),
            count(Fault::Cut),
            count(Fault::Stall)
        );
        assert!(
            faults.iter().all(|fault| count(*fault) > 0),
            "{name}: not every failure was met: {done:?}"
        );
    }
    // A second run finds nothing new, by the entity tags alone.
    let (port, _) = start_proxy(server.port, &[Fault::None]);
    let again = run(&house, port, "s3://news/2024/*.jsonl", "s3://tables/all-of-it");
    assert!(errors(&again).contains("nothing new"), "{}", errors(&again));
    let missing = run(&house, port, "s3://news/none/", "s3://tables/all-of-it");
    assert_eq!(code(&missing), Some(1));
    assert!(
        errors(&missing).contains("s3://news/none/"),
        "{}",
        errors(&missing)
    );
}

fn get(port: u16, path: &str) -> Vec<u8> {
    let head = format!(
        "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=k/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=s\r\n\r\n"
    );
    let answer = request(port, head.as_bytes());
    let body = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(answer[..body].windows(4).any(|four| four == b" 200"), "{path}");
    answer[body..].to_vec()
}

/// The tables are equal but for the name of the input, which is an address here and a file there.
fn assert_same_but_paths(objects: &std::path::Path, files: &std::path::Path, what: &str) {
    let mut documents = crate::rows::<garrison::tables::Document>(objects);
    let known = crate::rows::<garrison::tables::Document>(files);
    let paths: std::collections::HashMap<&str, &str> = known
        .iter()
        .map(|row| (row.document_id.as_str(), row.input_path.as_str()))
        .collect();
    for row in &mut documents {
        assert!(
            row.input_path.starts_with("s3://news/2024/"),
            "{}",
            row.input_path
        );
        paths[row.document_id.as_str()].clone_into(&mut row.input_path);
    }
    garrison::output::write_table(&objects.join("documents.parquet"), &documents).unwrap();
    assert!(!crate::rows::<Event>(objects).is_empty());
    assert_same(objects, files, what);
}
