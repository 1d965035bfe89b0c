#!/usr/bin/env python3
"""WARC readers, and the way from WARC to main text, side by side in one run on one WARC.gz.

    pip install fastwarc==2.0.1 warcio==1.8.1 resiliparse==2.0.1 trafilatura==2.3.1 lxml_html_clean
    cargo build --release && cargo bench --bench stages --no-run        # says where stages-... is
    python3 benches/warc_peers.py pages.warc.gz --stages target/release/deps/stages-... --garrison target/release/garrison

Readers hand over every response body; chains make main text of it too, garrison's also language, dates, authors, ids and
Parquet. Time is CPU time: of the peers without their imports, of garrison that of whole processes. Readers run three
times, chains once; the best run counts. 1 MB = 1e6 bytes of bodies.
"""
import argparse
import resource
import subprocess
import tempfile
import time


def bodies_of_warcio(path):
    from warcio.archiveiterator import ArchiveIterator

    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                yield record.content_stream().read()


def bodies_of_fastwarc(path):
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    with open(path, "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            yield record.reader.read()


def main_text_by_resiliparse(body):
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(bytes_to_str(body, detect_encoding(body)))
    return extract_plain_text(tree, main_content=True, alt_texts=False)


def main_text_by_trafilatura(body, fast):
    import trafilatura

    return trafilatura.extract(body, include_comments=False, fast=fast)


def seconds_of(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def seconds_of_process(command):
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    start = used()
    # garrison ends with 3 where an archive holds many rejects, such as the same page twice.
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    return used() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("warc")
    parser.add_argument("--stages", help="the bench binary, which reads the archive")
    parser.add_argument("--garrison", help="the program, which makes documents")
    args = parser.parse_args()
    sizes = [len(body) for body in bodies_of_fastwarc(args.warc)]  # imports and the page cache, too
    megabytes = sum(sizes) / 1e6
    print(f"{len(sizes)} bodies, {megabytes:.1f} MB")

    def report(name, seconds):
        print(f"{name:32} {seconds:7.2f} cpu-s {megabytes / seconds:8.1f} MB/cpu-s {len(sizes) / seconds:9.1f} pages/cpu-s", flush=True)

    readers = {"warcio": bodies_of_warcio, "fastwarc": bodies_of_fastwarc}
    for name, bodies in readers.items():
        report(name, min(seconds_of(lambda: sum(map(len, bodies(args.warc)))) for _ in range(3)))
    if args.stages:
        command = [args.stages, "read", args.warc]
        report("garrison, reader", min(seconds_of_process(command) for _ in range(3)))

    chains = {
        "fastwarc, resiliparse": main_text_by_resiliparse,
        "fastwarc, trafilatura fast": lambda body: main_text_by_trafilatura(body, True),
        "fastwarc, trafilatura": lambda body: main_text_by_trafilatura(body, False),
    }
    for name, read in chains.items():
        read(b"<html><body><p>A page.</p></body></html>")  # imports

        def chain():
            for body in bodies_of_fastwarc(args.warc):
                try:
                    read(body)
                except Exception:  # a peer that fails on a page has no text for it
                    pass

        report(name, seconds_of(chain))
    if args.garrison:
        with tempfile.TemporaryDirectory() as folder:
            command = [args.garrison, "run", "pipelines/documents_only.toml", "--input", args.warc, "--threads", "1", "--progress", "none"]
            report("garrison, Parquet of documents", min(seconds_of_process([*command, "--output", f"{folder}/{n}"]) for n in range(3)))


if __name__ == "__main__":
    main()
